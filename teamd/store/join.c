#include "store/join.h"

#include <endian.h>
#include <errno.h>

/* Most places are numbers of 8 bytes, and an export compares millions. */
static int bytes_compare(const uint8_t *a, const uint8_t *b, size_t n)
{
    uint64_t x, y;

    if (n != sizeof x)
        return memcmp(a, b, n);
    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    x = be64toh(x);
    y = be64toh(y);
    return x < y ? -1 : x > y;
}

int place_compare(const struct place *a, const struct place *b)
{
    int c = bytes_compare(a->bytes, b->bytes, a->len);

    return a->backward ? -c : c;
}

bool place_step(struct place *p)
{
    uint8_t wrap = p->backward ? 0x00 : 0xff;
    size_t i = p->len;

    while (i > 0 && p->bytes[i - 1] == wrap)
        i--;
    if (i == 0)
        return false;
    p->bytes[i - 1] = (uint8_t)(p->backward ? p->bytes[i - 1] - 1 : p->bytes[i - 1] + 1);
    memset(p->bytes + i, p->backward ? 0xff : 0x00, p->len - i);
    return true;
}

/* ---- streams --------------------------------------------------------------------------------- */

int stream_open(struct store *s, MDB_txn *txn, enum table t, struct stream *ret)
{
    *ret = (struct stream){.cursor = NULL};
    return lmdb_error(mdb_cursor_open(txn, s->tables[t], &ret->cursor));
}

void stream_close(struct stream *st)
{
    if (st->cursor)
        mdb_cursor_close(st->cursor);
    st->cursor = NULL;
}

/* Takes the entry that the cursor is at, if it belongs to the stream. */
static void take(struct stream *st, const MDB_val *key, const struct place *at)
{
    const uint8_t *bytes = key->mv_data;

    st->found = *at;
    st->ended = key->mv_size != st->prefix.len + at->len ||
                memcmp(bytes, st->prefix.bytes, st->prefix.len) != 0;
    if (!st->ended)
        memcpy(st->found.bytes, bytes + st->prefix.len, at->len);
}

/* The entry at `at`, or the nearest one beyond it. */
static int jump(struct stream *st, const struct place *at)
{
    struct key from = st->prefix;
    MDB_val key;
    int rc;

    key_put(&from, at->bytes, at->len);
    key = key_val(&from);
    rc = mdb_cursor_get(st->cursor, &key, &st->value, MDB_SET_RANGE);
    if (at->backward) {
        if (rc == MDB_NOTFOUND)
            rc = mdb_cursor_get(st->cursor, &key, &st->value, MDB_LAST);
        else if (rc == 0 && (key.mv_size != from.len || memcmp(key.mv_data, from.bytes, from.len)))
            rc = mdb_cursor_get(st->cursor, &key, &st->value, MDB_PREV);
    }
    if (rc == MDB_NOTFOUND) {
        st->ended = true;
        return 0;
    }
    if (rc != 0)
        return lmdb_error(rc);
    take(st, &key, at);
    return 0;
}

/* The neighbour is most often the one that is wanted, and costs much less than a jump. */
static int walk(struct stream *st, const struct place *at)
{
    MDB_val key;
    int rc = mdb_cursor_get(st->cursor, &key, &st->value, at->backward ? MDB_PREV : MDB_NEXT);

    if (rc == MDB_NOTFOUND) {
        st->ended = true;
        return 0;
    }
    if (rc != 0)
        return lmdb_error(rc);
    take(st, &key, at);
    return st->ended || place_compare(&st->found, at) >= 0 ? 0 : jump(st, at);
}

int stream_seek(struct stream *st, struct place *at)
{
    int r = 0;

    if (st->prefix.bad)
        return -ENOENT;
    if (!st->known || place_compare(at, &st->asked) < 0)
        r = jump(st, at);
    else if (!st->ended && place_compare(at, &st->found) > 0)
        r = walk(st, at);
    if (r < 0)
        return r;
    st->asked = *at;
    st->known = true;
    if (st->ended)
        return -ENOENT;
    *at = st->found;
    return 0;
}

int streams_seek(void *streams, struct place *at)
{
    const struct streams *all = streams;
    struct place first = *at;
    bool any = false;

    for (size_t i = 0; i < all->n; i++) {
        struct place here = *at;
        int r = stream_seek(&all->items[i], &here);

        if (r == -ENOENT)
            continue;
        if (r < 0)
            return r;
        if (!any || place_compare(&here, &first) < 0)
            first = here;
        any = true;
    }
    if (!any)
        return -ENOENT;
    *at = first;
    return 0;
}

/* ---- joining --------------------------------------------------------------------------------- */

int join(const struct filter *filters, size_t n, const struct place *last, size_t *budget,
         struct place *at)
{
    size_t agreed = 0, left = *budget;

    if (left == 0)
        return 1;
    for (size_t i = 0; agreed < n; i = (i + 1) % n) {
        struct place before = *at;
        int r = filters[i].seek(filters[i].ctx, at);

        if (r < 0)
            return r;
        if (place_compare(at, last) > 0)
            return -ENOENT;
        if (place_compare(at, &before) == 0) {
            agreed++;
            continue;
        }
        if (left == 0) {
            *budget = 0;
            return 1;
        }
        left--;
        agreed = 0;
    }
    *budget = left < *budget ? left : left - 1; /* a place that was met at once was looked at too */
    return 0;
}
