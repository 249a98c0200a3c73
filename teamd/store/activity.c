/* What was done with AWS access: collections and their calls, as they are written. */
#include "store/internal.h"

#include <errno.h>

/* ---- keys ------------------------------------------------------------------------------------ */

static struct key key_of_collection(struct id request, uint8_t target)
{
    struct key k = key_of_number(request.bits);

    key_put_number(&k, target, 1);
    return k;
}

static void put_place(struct key *k, const struct collection *c)
{
    key_put_time(k, c->from);
    key_put_number(k, c->request.bits, 8);
    key_put_number(k, c->target, 1);
}

static struct key key_by_time(const struct collection *c)
{
    struct key k = {.len = 0};

    put_place(&k, c);
    return k;
}

static struct key key_of_person(const struct collection *c)
{
    struct key k = {.len = 0};

    key_put_text(&k, c->user_id);
    key_put_text(&k, c->account);
    key_put_text(&k, c->set);
    return k;
}

static struct key key_of_activity(const struct activity *a)
{
    struct key k = key_of_number(a->request.bits);

    key_put_time(&k, a->at);
    key_put(&k, a->event_id, strlen(a->event_id));
    if (a->event_id[0] == '\0' || strlen(a->event_id) > ACTIVITY_ID_MAX)
        k.bad = true;
    return k;
}

/* ---- one transaction ------------------------------------------------------------------------- */

static int begin(struct store *s, struct now now)
{
    int r = store_begin(s, now);

    if (r == 0)
        s->written = true;
    return r;
}

static int end(struct store *s, int r)
{
    s->error = r < 0 ? r : 0;
    return store_commit(s);
}

static int get_collection(struct store *s, MDB_txn *txn, struct id request, uint8_t target,
                          struct collection *ret)
{
    struct key k = key_of_collection(request, target);
    MDB_val row;
    int r = row_get(s, txn, COLLECTIONS, &k, &row);

    return r < 0 ? r : damaged(record_read_collection(row.mv_data, row.mv_size, ret));
}

static int put_row(struct store *s, const struct collection *c)
{
    struct key k = key_of_collection(c->request, c->target);
    uint8_t record[RECORD_MAX];
    size_t n = record_write_collection(c, record);

    return n == 0 ? -EINVAL : row_put(s, COLLECTIONS, &k, record, n, 0);
}

static int put_collection(struct store *s, const struct collection *c)
{
    struct key k = key_of_collection(c->request, c->target), time = key_by_time(c),
               of = key_of_person(c), until = {.len = 0};
    int r;

    put_place(&of, c);
    key_put_time(&until, c->until);
    r = put_row(s, c);
    if (r == 0)
        r = row_put(s, COLLECTIONS_BY_TIME, &time, "", 0, 0);
    if (r == 0)
        r = row_put(s, COLLECTIONS_OF, &of, until.bytes, until.len, 0);
    if (r < 0)
        return r;
    return c->stage == COLLECT_OVER ? row_delete(s, COLLECTIONS_OPEN, &k)
                                    : row_put(s, COLLECTIONS_OPEN, &k, "", 0, 0);
}

int store_put_collection(struct store *s, struct now now, const struct collection *c)
{
    int r = begin(s, now);

    return r < 0 ? r : end(s, put_collection(s, c));
}

/* ---- calls ----------------------------------------------------------------------------------- */

/* 1 if it is new. */
static int add_call(struct store *s, struct collection *c, const struct activity *a)
{
    static uint8_t record[ACTIVITY_MAX];
    struct activity numbered = *a;
    struct key k;
    size_t n;
    int r;

    numbered.request = c->request;
    numbered.target = c->target;
    numbered.number = c->calls + 1;
    k = key_of_activity(&numbered);
    n = record_write_activity(&numbered, record);
    if (n == 0 || k.bad)
        return -EINVAL;
    r = row_put(s, ACTIVITY, &k, record, n, MDB_NOOVERWRITE);
    if (r < 0)
        return r == -EEXIST ? 0 : r;
    c->calls++;
    c->changes += !a->read_only;
    c->refused += a->error[0] != '\0';
    return 1;
}

static int add_calls(struct store *s, struct collection *c, const struct activity *rows, size_t n,
                     struct wall *ret_oldest)
{
    int added = 0;

    for (size_t i = 0; i < n; i++) {
        int r = add_call(s, c, &rows[i]);

        if (r < 0)
            return r;
        if (r > 0 && (added == 0 || rows[i].at.us < ret_oldest->us))
            *ret_oldest = rows[i].at;
        added += r;
    }
    return added;
}

int store_add_activity(struct store *s, struct now now, struct id request, uint8_t target,
                       const struct activity *rows, size_t n, struct wall *ret_oldest)
{
    struct collection c;
    int r = begin(s, now), added;

    if (r < 0)
        return r;
    r = get_collection(s, s->txn, request, target, &c);
    added = r < 0 ? r : add_calls(s, &c, rows, n, ret_oldest);
    if (added == 0)
        s->written = false; /* nothing to wait for the disk for */
    r = end(s, added > 0 ? put_row(s, &c) : added);
    return r < 0 ? r : added;
}

/* ---- retention ------------------------------------------------------------------------------- */

static void cursor_closep(MDB_cursor **c)
{
    if (*c)
        mdb_cursor_close(*c);
}

/* 1 if there may be more. */
static int drop_calls(struct store *s, struct id request, size_t most)
{
    MDB_cursor *cursor CLEANUP(cursor_closep) = NULL;
    struct key from = key_of_number(request.bits);
    MDB_val key = key_val(&from), row;
    int rc, r = lmdb_error(mdb_cursor_open(s->txn, s->tables[ACTIVITY], &cursor));

    if (r < 0)
        return r;
    for (rc = mdb_cursor_get(cursor, &key, &row, MDB_SET_RANGE);
         rc == 0 && key.mv_size > 8 && memcmp(key.mv_data, from.bytes, 8) == 0;
         rc = mdb_cursor_get(cursor, &key, &row, MDB_NEXT)) {
        if (most-- == 0)
            return 1;
        rc = mdb_cursor_del(cursor, 0);
        if (rc != 0)
            return env_write_error(s, rc);
    }
    return rc == 0 || rc == MDB_NOTFOUND ? 0 : lmdb_error(rc);
}

static int drop_collection(struct store *s, const struct collection *c)
{
    struct key k = key_of_collection(c->request, c->target), time = key_by_time(c),
               of = key_of_person(c);
    int r;

    put_place(&of, c);
    r = row_delete(s, COLLECTIONS, &k);
    if (r == 0)
        r = row_delete(s, COLLECTIONS_OPEN, &k);
    if (r == 0)
        r = row_delete(s, COLLECTIONS_BY_TIME, &time);
    return r < 0 ? r : row_delete(s, COLLECTIONS_OF, &of);
}

int store_drop_collection(struct store *s, struct now now, const struct collection *c, size_t most,
                          const struct effects *trail)
{
    int r = begin(s, now), more;

    if (r < 0)
        return r;
    more = drop_calls(s, c->request, most);
    r = more == 0 ? drop_collection(s, c) : more;
    if (r == 0)
        store_add(s, trail);
    r = end(s, r < 0 ? r : s->error);
    return r < 0 ? r : more;
}

/* ---- reading collections --------------------------------------------------------------------- */

int store_collection(struct store *s, struct id request, uint8_t target, struct collection *ret)
{
    struct reading reading CLEANUP(reading_end) = {.txn = NULL};
    int r = reading_begin(s, &reading);

    return r < 0 ? r : get_collection(s, reading.txn, request, target, ret);
}

/* The collection that the last nine bytes of a key of an index name. */
static int named(struct reading *reading, const MDB_val *key, struct collection *ret)
{
    const uint8_t *at = key->mv_data;
    int r;

    if (key->mv_size < 9)
        return -EUCLEAN;
    at += key->mv_size - 9;
    r = get_collection(reading->store, reading->txn, (struct id){key_number(at, 8)}, at[8], ret);
    return r == -ENOENT ? -EUCLEAN : r;
}

/* Does the entry of a person's index say that its time meets c's? */
static bool meets(const struct collection *c, const MDB_val *key, const MDB_val *value)
{
    const uint8_t *k = key->mv_data;
    struct wall from, until;

    if (key->mv_size < 17 || value->mv_size != 8)
        return true; /* damaged: it is found when it is read */
    from = key_time(k + key->mv_size - 17);
    until = key_time(value->mv_data);
    return (c->until.us == 0 || from.us <= c->until.us) &&
           (until.us == 0 || until.us >= c->from.us);
}

/* Those whose key in the index begins with this, and (unless it is NULL) which meet `with`. A
 * callback that returns < 0 ends it. */
static int each_of(struct store *s, enum table t, const struct key *prefix,
                   const struct collection *with,
                   int (*each)(void *ctx, const struct collection *c), void *ctx)
{
    struct reading reading CLEANUP(reading_end) = {.txn = NULL};
    MDB_cursor *cursor CLEANUP(cursor_closep) = NULL;
    MDB_val key = key_val(prefix), value;
    struct collection c;
    int rc, r = reading_begin(s, &reading);

    if (r == 0)
        r = lmdb_error(mdb_cursor_open(reading.txn, s->tables[t], &cursor));
    if (r < 0)
        return r;
    for (rc = mdb_cursor_get(cursor, &key, &value, prefix->len > 0 ? MDB_SET_RANGE : MDB_FIRST);
         rc == 0 && key.mv_size > prefix->len &&
         memcmp(key.mv_data, prefix->bytes, prefix->len) == 0;
         rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) {
        if (with && !meets(with, &key, &value))
            continue;
        r = named(&reading, &key, &c);
        if (r == 0 && !(with && c.request.bits == with->request.bits && c.target == with->target))
            r = each(ctx, &c);
        if (r < 0)
            return r;
    }
    return rc == 0 || rc == MDB_NOTFOUND ? 0 : lmdb_error(rc);
}

int store_load_collections(struct store *s, int (*each)(void *ctx, const struct collection *c),
                           void *ctx)
{
    static const struct key ALL;

    return each_of(s, COLLECTIONS_OPEN, &ALL, NULL, each, ctx);
}

int store_collections_beside(struct store *s, const struct collection *c,
                             int (*each)(void *ctx, const struct collection *c), void *ctx)
{
    struct key k = key_of_person(c);

    return each_of(s, COLLECTIONS_OF, &k, c, each, ctx);
}

static bool is_old(const struct collection *c, struct wall before)
{
    return c->stage == COLLECT_OVER && c->until.us < before.us;
}

/* Is all that was collected of the request? 1, 0, or < 0. */
static int all_is_old(struct reading *reading, struct id request, struct wall before)
{
    struct collection c;

    for (uint8_t target = 0; target < TARGETS_MAX; target++) {
        int r = get_collection(reading->store, reading->txn, request, target, &c);

        if (r == 0 && !is_old(&c, before))
            return 0;
        if (r < 0 && r != -ENOENT)
            return r;
    }
    return 1;
}

int store_oldest_collection(struct store *s, struct wall before, struct collection *ret)
{
    struct reading reading CLEANUP(reading_end) = {.txn = NULL};
    MDB_cursor *cursor CLEANUP(cursor_closep) = NULL;
    MDB_val key, nothing;
    int rc, r = reading_begin(s, &reading);

    if (r == 0)
        r = lmdb_error(mdb_cursor_open(reading.txn, s->tables[COLLECTIONS_BY_TIME], &cursor));
    if (r < 0)
        return r;
    while ((rc = mdb_cursor_get(cursor, &key, &nothing, MDB_NEXT)) == 0) {
        if (key.mv_size != 17)
            return -EUCLEAN;
        if (key_time(key.mv_data).us >= before.us)
            return -ENOENT;
        r = named(&reading, &key, ret);
        if (r == 0 && is_old(ret, before)) {
            r = all_is_old(&reading, ret->request, before);
            if (r > 0)
                return 0;
        }
        if (r < 0)
            return r;
    }
    return lmdb_error(rc);
}
