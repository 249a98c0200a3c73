#include "store/rows.h"

#include <errno.h>
#include <stdlib.h>

void assembly_free(struct assembly *a)
{
    free(a->decisions);
}

static int take_request(struct assembly *a, struct id id, MDB_val row)
{
    struct kept_request kept;
    int r = record_read_request(row.mv_data, row.mv_size, &kept);

    if (r < 0)
        return r;
    if (kept.request.id.bits != id.bits)
        return -EBADMSG;
    a->record.request = kept.request;
    a->boot = kept.boot;
    return 0;
}

static int take_decision(struct assembly *a, struct id id, unsigned number, MDB_val row)
{
    struct decision *d;
    int r;

    if (a->record.n_decisions == a->cap) {
        size_t cap = a->cap ? 2 * a->cap : 16;

        d = reallocarray(a->decisions, cap, sizeof *d);
        if (!d)
            return -ENOMEM;
        a->decisions = d;
        a->cap = cap;
    }
    d = &a->decisions[a->record.n_decisions];
    r = record_read_decision(row.mv_data, row.mv_size, d);
    if (r < 0)
        return r;
    if (d->id.bits != id.bits || d->number != number)
        return -EBADMSG;
    a->record.n_decisions++;
    return 0;
}

static int take_words(struct assembly *a, struct id id, unsigned number, MDB_val row)
{
    struct words w;
    int r = record_read_words(row.mv_data, row.mv_size, &w);

    if (r < 0)
        return r;
    if (w.id.bits != id.bits || w.kind != number)
        return -EBADMSG;
    switch ((enum words_kind)w.kind) {
    case WORDS_REASON:
        a->record.reason = w.text;
        return 0;
    case WORDS_TICKET:
        a->record.ticket = w.text;
        return 0;
    case WORDS_REVOKE:
        a->record.revoke_comment = w.text;
        return 0;
    case WORDS_EXTENSION:
        a->record.extension_reason = w.text;
        return 0;
    }
    return -EBADMSG;
}

static int take_names(struct assembly *a, struct id id, unsigned number, MDB_val row)
{
    struct aws_names names;
    int r = record_read_names(row.mv_data, row.mv_size, &names);

    if (r < 0)
        return r;
    if (names.id.bits != id.bits || names.grant != number)
        return -EBADMSG;
    a->record.names[number] = names;
    return 0;
}

static int take_row(struct assembly *a, struct id id, const MDB_val *key, MDB_val row, bool *found)
{
    const uint8_t *k = key->mv_data;
    unsigned number = (unsigned)key_number(k + 9, 2);

    switch (k[8]) {
    case ROW_REQUEST:
        *found = true;
        return take_request(a, id, row);
    case ROW_DECISION:
        return take_decision(a, id, number, row);
    case ROW_WORDS:
        return take_words(a, id, number, row);
    case ROW_NAMES:
        return take_names(a, id, number, row);
    default: /* a newer teamd's */
        return 0;
    }
}

static void cursor_closep(MDB_cursor **c)
{
    if (*c)
        mdb_cursor_close(*c);
}

int assemble(struct store *s, MDB_txn *txn, struct id id, struct assembly *a)
{
    MDB_cursor *cursor CLEANUP(cursor_closep) = NULL;
    struct key from = key_of_row(id, ROW_REQUEST, 0);
    MDB_val key = key_val(&from), row;
    bool found = false;
    int r, rc;

    a->record =
        (struct record){.reason = "", .ticket = "", .revoke_comment = "", .extension_reason = ""};
    for (size_t i = 0; i < TARGETS_MAX; i++)
        a->record.names[i] = (struct aws_names){.account = "", .user = ""};
    r = lmdb_error(mdb_cursor_open(txn, s->tables[REQUESTS], &cursor));
    if (r < 0)
        return r;
    for (rc = mdb_cursor_get(cursor, &key, &row, MDB_SET_RANGE);
         rc == 0 && key.mv_size == from.len && memcmp(key.mv_data, from.bytes, 8) == 0;
         rc = mdb_cursor_get(cursor, &key, &row, MDB_NEXT)) {
        r = take_row(a, id, &key, row, &found);
        if (r < 0)
            return damaged(r);
    }
    if (rc != 0 && rc != MDB_NOTFOUND)
        return lmdb_error(rc);
    a->record.decisions = a->decisions;
    return found ? 0 : -ENOENT;
}
