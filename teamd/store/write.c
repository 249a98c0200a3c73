/* Effects become rows. */
#include "store/internal.h"

#include <errno.h>

int row_put(struct store *s, enum table t, const struct key *k, const void *p, size_t n,
            unsigned flags)
{
    MDB_val key = key_val(k), value = val(p, n);
    int rc;

    if (k->bad)
        return -EINVAL;
    rc = mdb_put(s->txn, s->tables[t], &key, &value, flags);
    return rc == 0 ? 0 : env_write_error(s, rc);
}

int row_delete(struct store *s, enum table t, const struct key *k)
{
    MDB_val key = key_val(k);
    int rc = mdb_del(s->txn, s->tables[t], &key, NULL);

    return rc == 0 || rc == MDB_NOTFOUND ? 0 : env_write_error(s, rc);
}

/* ---- requests -------------------------------------------------------------------------------- */

static bool has_entry(const struct entries *e, enum table t, const struct key *k)
{
    for (size_t i = 0; i < e->n; i++)
        if (e->items[i].table == t && e->items[i].key.len == k->len &&
            memcmp(e->items[i].key.bytes, k->bytes, k->len) == 0)
            return true;
    return false;
}

/* Makes the indexes say what the new row says, going by what the old one said. */
static int reindex(struct store *s, const struct entries *old, const struct entries *new)
{
    int r;

    for (size_t i = 0; i < old->n; i++) {
        if (has_entry(new, old->items[i].table, &old->items[i].key))
            continue;
        r = row_delete(s, old->items[i].table, &old->items[i].key);
        if (r < 0)
            return r;
    }
    for (size_t i = 0; i < new->n; i++) {
        if (has_entry(old, new->items[i].table, &new->items[i].key))
            continue;
        r = row_put(s, new->items[i].table, &new->items[i].key, "", 0, 0);
        if (r < 0)
            return r;
    }
    return 0;
}

/* The index entries of the row as the transaction sees it; none if there is no row yet. */
static int old_entries(struct store *s, const struct key *k, struct entries *ret)
{
    struct kept_request old;
    MDB_val row;
    int r = row_get(s, s->txn, REQUESTS, k, &row);

    ret->n = 0;
    if (r == -ENOENT)
        return 0;
    if (r < 0)
        return r;
    r = record_read_request(row.mv_data, row.mv_size, &old);
    if (r < 0)
        return damaged(r);
    entries_of(&old.request, ret);
    return 0;
}

static int add_request(struct store *s, const struct request *request)
{
    struct kept_request kept = {.request = *request, .boot = s->boot};
    struct key k = key_of_row(request->id, ROW_REQUEST, 0);
    uint8_t record[RECORD_MAX];
    struct entries old, new;
    size_t n = record_write_request(&kept, record);
    int r;

    if (n == 0)
        return -EINVAL;
    r = old_entries(s, &k, &old);
    if (r < 0)
        return r;
    entries_of(request, &new);
    r = reindex(s, &old, &new);
    return r < 0 ? r : row_put(s, REQUESTS, &k, record, n, 0);
}

static int add_decision(struct store *s, const struct decision *d)
{
    struct key k = key_of_row(d->id, ROW_DECISION, d->number);
    uint8_t record[RECORD_MAX];
    size_t n = record_write_decision(d, record);

    return n == 0 ? -EINVAL : row_put(s, REQUESTS, &k, record, n, 0);
}

static int add_words(struct store *s, const struct words *w)
{
    struct key k = key_of_row(w->id, ROW_WORDS, w->kind);
    uint8_t record[RECORD_MAX];
    size_t n = record_write_words(w, record);

    return n == 0 ? -EINVAL : row_put(s, REQUESTS, &k, record, n, 0);
}

static int add_names(struct store *s, const struct aws_names *names)
{
    struct key k = key_of_row(names->id, ROW_NAMES, names->grant);
    uint8_t record[RECORD_MAX];
    size_t n = record_write_names(names, record);

    return n == 0 ? -EINVAL : row_put(s, REQUESTS, &k, record, n, 0);
}

/* ---- the outbox ------------------------------------------------------------------------------ */

static int add_errand(struct store *s, const struct errand *e)
{
    struct key k = key_of_number(e->number);
    uint8_t record[RECORD_MAX];
    size_t n;

    if (e->state == ERRAND_OVER)
        return row_delete(s, OUTBOX, &k);
    n = record_write_errand(e, record);
    if (n == 0)
        return -EINVAL;
    if (e->number > s->next.last_errand)
        s->next.last_errand = e->number;
    return row_put(s, OUTBOX, &k, record, n, 0);
}

static int write_name(struct store *s, MDB_txn *txn, MDB_val row)
{
    struct kept_request kept;
    struct entries all;
    int r = record_read_request(row.mv_data, row.mv_size, &kept);

    if (r < 0)
        return damaged(r);
    entries_of(&kept.request, &all);
    for (size_t i = 0; i < all.n && r == 0; i++) {
        MDB_val key = key_val(&all.items[i].key), nothing = val("", 0);

        if (all.items[i].table == BY_NAME)
            r = env_write_error(s, mdb_put(txn, s->tables[BY_NAME], &key, &nothing, 0));
    }
    return r;
}

int write_names(struct store *s, MDB_txn *txn)
{
    enum { KIND_AT = 8 }; /* behind the id */
    MDB_cursor *cursor;
    MDB_val key, row;
    int r, rc = mdb_cursor_open(txn, s->tables[REQUESTS], &cursor);

    r = lmdb_error(rc);
    if (r < 0)
        return r;
    for (rc = mdb_cursor_get(cursor, &key, &row, MDB_FIRST); rc == 0 && r == 0;
         rc = mdb_cursor_get(cursor, &key, &row, MDB_NEXT))
        if (key.mv_size > KIND_AT && ((const uint8_t *)key.mv_data)[KIND_AT] == ROW_REQUEST)
            r = write_name(s, txn, row);
    mdb_cursor_close(cursor);
    return r < 0 ? r : rc == MDB_NOTFOUND ? 0 : lmdb_error(rc);
}

/* ---- sessions -------------------------------------------------------------------------------- */

/* A session that comes under another elevation stays listed under the one it was opened with. */
static int index_session(struct store *s, const struct session *session)
{
    struct key number = key_of_number(session->number), of = key_of_number(session->request.bits);
    int r = 0;

    key_put_number(&of, session->number, 8);
    if (session->request.bits != 0)
        r = row_put(s, SESSIONS_OF, &of, "", 0, 0);
    if (r < 0)
        return r;
    return session_state_final((enum session_state)session->state)
               ? row_delete(s, SESSIONS_LIVE, &number)
               : row_put(s, SESSIONS_LIVE, &number, "", 0, 0);
}

static int add_session(struct store *s, const struct session *session)
{
    struct kept_session kept = {.session = *session, .boot = s->boot};
    struct key k = key_of_number(session->number);
    uint8_t record[RECORD_MAX];
    size_t n = record_write_session(&kept, record);
    int r;

    if (n == 0)
        return -EINVAL;
    r = index_session(s, session);
    if (r < 0)
        return r;
    if (session->number > s->next.last_session)
        s->next.last_session = session->number;
    return row_put(s, SESSIONS, &k, record, n, 0);
}

/* ---- effects --------------------------------------------------------------------------------- */

static int add(struct store *s, const struct effect *e)
{
    switch (e->kind) {
    case EFFECT_REQUEST:
        return add_request(s, &e->request);
    case EFFECT_DECISION:
        return add_decision(s, &e->decision);
    case EFFECT_WORDS:
        return add_words(s, &e->words);
    case EFFECT_SESSION:
        return add_session(s, &e->session);
    case EFFECT_ERRAND:
        return add_errand(s, &e->errand);
    case EFFECT_NAMES:
        return add_names(s, &e->names);
    case EFFECT_AUDIT:
        return trail_append(s, &e->audit);
    case EFFECT_ACT:
        return 0; /* for the hands, after the commit */
    }
    return -EINVAL;
}

void store_add(struct store *s, const struct effects *e)
{
    for (size_t i = 0; i < e->n && s->txn && s->error == 0; i++) {
        s->error = add(s, &e->items[i]);
        s->written = true;
    }
}
