/* What AWS has, as it was last read: pieces that only whoever reads them understands. */
#include "store/internal.h"

#include <errno.h>

uint64_t store_last_errand(const struct store *s)
{
    return s->ledger.last_errand;
}

static struct key key_of_piece(size_t i)
{
    struct key k = {.len = 0};

    key_put_number(&k, i, 4);
    return k;
}

static bool is_same(struct store *s, const struct store_piece *pieces, size_t n)
{
    struct key after = key_of_piece(n);
    MDB_val row;

    for (size_t i = 0; i < n; i++) {
        struct key k = key_of_piece(i);

        if (row_get(s, s->txn, DIRECTORY, &k, &row) < 0 || row.mv_size != pieces[i].len ||
            memcmp(row.mv_data, pieces[i].at, row.mv_size) != 0)
            return false;
    }
    return row_get(s, s->txn, DIRECTORY, &after, &row) == -ENOENT;
}

static int replace(struct store *s, const struct store_piece *pieces, size_t n)
{
    int rc = mdb_drop(s->txn, s->tables[DIRECTORY], 0), r;

    if (rc != 0)
        return env_write_error(s, rc);
    for (size_t i = 0; i < n; i++) {
        struct key k = key_of_piece(i);

        r = row_put(s, DIRECTORY, &k, pieces[i].at, pieces[i].len, 0);
        if (r < 0)
            return r;
    }
    return 0;
}

int store_put_directory(struct store *s, struct now now, const struct store_piece *pieces, size_t n)
{
    bool same;
    int r = store_begin(s, now);

    if (r < 0)
        return r;
    same = is_same(s, pieces, n);
    s->written = true;
    s->next.directory_as_of = now.wall;
    if (!same)
        s->error = replace(s, pieces, n);
    r = store_commit(s);
    return r < 0 ? r : same;
}

int store_get_directory(struct store *s, int (*piece)(void *ctx, const void *p, size_t n),
                        void *ctx, struct wall *ret_as_of)
{
    struct reading reading CLEANUP(reading_end) = {.txn = NULL};
    MDB_val row;
    int r = reading_begin(s, &reading);

    if (r < 0)
        return r;
    *ret_as_of = s->ledger.directory_as_of;
    for (size_t i = 0;; i++) {
        struct key k = key_of_piece(i);

        r = row_get(s, reading.txn, DIRECTORY, &k, &row);
        if (r < 0)
            return r == -ENOENT ? 0 : r;
        r = piece(ctx, row.mv_data, row.mv_size);
        if (r < 0)
            return r;
    }
}
