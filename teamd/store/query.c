/* Questions about requests and sessions. */
#include "store/join.h"
#include "store/rows.h"

#include <errno.h>
#include <stdlib.h>

/* ---- requests by filter ---------------------------------------------------------------------- */

enum { STATES_ALL = (1u << REQ_STATES) - 2 };

/* The indexes that a query walks: `by[i]` is a filter, made of one stream or (states) several. */
struct requests_walk {
    struct stream streams[3 + REQ_STATES];
    struct streams by[4];
    struct filter filters[4];
    size_t n_streams, n;
};

static void walk_close(struct requests_walk *w)
{
    for (size_t i = 0; i < w->n_streams; i++)
        stream_close(&w->streams[i]);
}

/* Starts a filter; streams are then added to it. */
static void add_filter(struct requests_walk *w)
{
    w->by[w->n] = (struct streams){.items = &w->streams[w->n_streams]};
    w->filters[w->n] = (struct filter){.seek = streams_seek, .ctx = &w->by[w->n]};
    w->n++;
}

/* NULL, and *ret_error, if it cannot be had. */
static struct key *add_stream(struct requests_walk *w, struct reading *r, enum table t,
                              int *ret_error)
{
    struct stream *st = &w->streams[w->n_streams];

    *ret_error = stream_open(r->store, r->txn, t, st);
    if (*ret_error < 0)
        return NULL;
    w->n_streams++;
    w->by[w->n - 1].n++;
    return &st->prefix;
}

static int by_states(struct requests_walk *w, struct reading *reading, uint32_t states)
{
    struct key *prefix;
    int r;

    add_filter(w);
    for (unsigned state = REQ_PENDING; state < REQ_STATES; state++) {
        if (!(states >> state & 1))
            continue;
        prefix = add_stream(w, reading, BY_STATE, &r);
        if (!prefix)
            return r;
        key_put_number(prefix, state, 1);
    }
    return 0;
}

static int walk_open(struct requests_walk *w, struct reading *reading,
                     const struct request_query *q)
{
    struct key *prefix;
    int r;

    if (q->by_requester) {
        add_filter(w);
        prefix = add_stream(w, reading, BY_REQUESTER, &r);
        if (!prefix)
            return r;
        key_put_number(prefix, q->requester, 4);
    }
    if (q->name) {
        add_filter(w);
        prefix = add_stream(w, reading, BY_NAME, &r);
        if (!prefix)
            return r;
        key_put_text(prefix, q->name);
    }
    if (q->target) {
        add_filter(w);
        prefix = add_stream(w, reading, BY_TARGET, &r);
        if (!prefix)
            return r;
        key_put_target(prefix, q->target);
    }
    if (q->states != 0 && (q->states & STATES_ALL) != STATES_ALL)
        return by_states(w, reading, q->states);
    if (w->n > 0)
        return 0;
    add_filter(w);
    return add_stream(w, reading, BY_TIME, &r) ? 0 : r;
}

/* The first (0xff) or last (0x00) place of a time, newest first. */
static struct place place_of_time(struct wall t, uint8_t id_byte)
{
    struct place p = {.len = 16, .backward = true};
    struct key k = {.len = 0};

    key_put_time(&k, t);
    memcpy(p.bytes, k.bytes, 8);
    memset(p.bytes + 8, id_byte, 8);
    return p;
}

static struct place first_place(const struct request_query *q)
{
    struct place p;

    if (q->started) {
        p = (struct place){.len = 16, .backward = true};
        memcpy(p.bytes, q->place, 16);
        return p;
    }
    if (q->until.us == 0)
        return place_of_time((struct wall){INT64_MAX}, 0xff);
    return place_of_time(q->until, 0x00); /* which nothing is at: no id is 0 */
}

static void remember(struct request_query *q, const struct place *p)
{
    q->started = true;
    q->place_len = p->len;
    memcpy(q->place, p->bytes, p->len);
}

static int give_request(struct reading *reading, const struct place *at, struct assembly *a,
                        int (*row)(void *ctx, const struct record *r), void *ctx)
{
    int r = assemble(reading->store, reading->txn, (struct id){key_number(at->bytes + 8, 8)}, a);

    if (r < 0)
        return r == -ENOENT ? -EUCLEAN : r; /* an index without its row */
    return row(ctx, &a->record);
}

int store_requests(struct store *s, struct request_query *q, size_t budget,
                   int (*row)(void *ctx, const struct record *r), void *ctx)
{
    struct reading reading CLEANUP(reading_end) = {.txn = NULL};
    struct requests_walk w CLEANUP(walk_close) = {.n = 0};
    struct assembly a CLEANUP(assembly_free) = {.cap = 0};
    struct place at = first_place(q), last;
    int r;

    last = place_of_time(q->since.us == 0 ? (struct wall){INT64_MIN} : q->since, 0x00);
    r = reading_begin(s, &reading);
    if (r < 0)
        return r;
    r = walk_open(&w, &reading, q);
    if (r < 0)
        return r;
    for (;;) {
        r = join(w.filters, w.n, &last, &budget, &at);
        if (r == -ENOENT) {
            remember(q, &last);
            return 0;
        }
        if (r == 0)
            r = give_request(&reading, &at, &a, row, ctx);
        if (r < 0)
            return r;
        remember(q, &at);
        if (r > 0)
            return 1;
        if (!place_step(&at))
            return 0;
    }
}

/* ---- one request ----------------------------------------------------------------------------- */

int store_request(struct store *s, struct id id, int (*row)(void *ctx, const struct record *r),
                  void *ctx)
{
    struct reading reading CLEANUP(reading_end) = {.txn = NULL};
    struct assembly a CLEANUP(assembly_free) = {.cap = 0};
    int r;

    r = reading_begin(s, &reading);
    if (r < 0)
        return r;
    r = assemble(s, reading.txn, id, &a);
    if (r < 0)
        return r;
    r = row(ctx, &a.record);
    return r < 0 ? r : 0;
}

/* On doubt it is there: an id is never given twice. */
bool store_has_request(struct store *s, struct id id)
{
    struct reading reading CLEANUP(reading_end) = {.txn = NULL};
    struct key k = key_of_row(id, ROW_REQUEST, 0);
    MDB_val row;

    if (reading_begin(s, &reading) < 0)
        return true;
    return row_get(s, reading.txn, REQUESTS, &k, &row) != -ENOENT;
}

/* ---- sessions -------------------------------------------------------------------------------- */

static int read_session(struct reading *reading, uint64_t number, struct kept_session *ret)
{
    struct key k = key_of_number(number);
    MDB_val row;
    int r = row_get(reading->store, reading->txn, SESSIONS, &k, &row);

    if (r == -ENOENT)
        return -EUCLEAN;
    if (r < 0)
        return r;
    r = record_read_session(row.mv_data, row.mv_size, ret);
    return r == 0 && ret->session.number != number ? -EUCLEAN : damaged(r);
}

/* Gives the rows of a stream of session numbers from *at on. As store_sessions(). */
static int each_session(struct reading *reading, struct stream *st, struct place *at, size_t budget,
                        int (*row)(void *ctx, const struct kept_session *s), void *ctx)
{
    for (;;) {
        struct kept_session kept;
        int r = stream_seek(st, at);

        if (r < 0)
            return r == -ENOENT ? 0 : r;
        if (budget-- == 0)
            return 1;
        r = read_session(reading, key_number(at->bytes, 8), &kept);
        if (r == 0)
            r = row(ctx, &kept);
        if (r != 0)
            return r;
        if (!place_step(at))
            return 0;
    }
}

struct sessions_out {
    int (*row)(void *ctx, const struct session *r);
    void *ctx;
    uint64_t *after;
};

static int session_out(void *ctx, const struct kept_session *kept)
{
    const struct sessions_out *to = ctx;
    int r = to->row(to->ctx, &kept->session);

    if (r == 0)
        *to->after = kept->session.number;
    return r;
}

int store_sessions(struct store *s, struct id request, uint64_t *after, size_t budget,
                   int (*row)(void *ctx, const struct session *r), void *ctx)
{
    struct reading reading CLEANUP(reading_end) = {.txn = NULL};
    struct stream st CLEANUP(stream_close) = {.cursor = NULL};
    struct sessions_out to = {.row = row, .ctx = ctx, .after = after};
    struct key number = key_of_number(*after + 1);
    struct place at = {.len = 8};
    int r;

    memcpy(at.bytes, number.bytes, 8);
    r = reading_begin(s, &reading);
    if (r < 0)
        return r;
    r = stream_open(s, reading.txn, SESSIONS_OF, &st);
    if (r < 0)
        return r;
    key_put_number(&st.prefix, request.bits, 8);
    return each_session(&reading, &st, &at, budget, session_out, &to);
}

/* ---- after a start --------------------------------------------------------------------------- */

static bool same_boot(const struct store *s, const struct boot_mark *mark)
{
    return memcmp(s->boot.bytes, mark->bytes, sizeof mark->bytes) == 0;
}

static int load_state(struct reading *reading, unsigned state, const struct store_loader *to,
                      struct assembly *a)
{
    struct stream st CLEANUP(stream_close) = {.cursor = NULL};
    struct place at = {.len = 16};
    int r = stream_open(reading->store, reading->txn, BY_STATE, &st);

    if (r < 0)
        return r;
    key_put_number(&st.prefix, state, 1);
    for (r = stream_seek(&st, &at); r == 0; r = stream_seek(&st, &at)) {
        r = assemble(reading->store, reading->txn, (struct id){key_number(at.bytes + 8, 8)}, a);
        if (r < 0)
            return r == -ENOENT ? -EUCLEAN : r;
        if (a->record.request.state != state)
            return -EUCLEAN;
        r = to->request(to->ctx, &a->record.request, same_boot(reading->store, &a->boot));
        if (r < 0)
            return r;
        if (!place_step(&at))
            break;
    }
    return r == -ENOENT ? 0 : r;
}

struct sessions_load {
    struct store *store;
    const struct store_loader *to;
};

static int session_load(void *ctx, const struct kept_session *kept)
{
    const struct sessions_load *load = ctx;
    int r;

    if (session_state_final((enum session_state)kept->session.state))
        return -EUCLEAN;
    r = load->to->session(load->to->ctx, &kept->session, same_boot(load->store, &kept->boot));
    return r < 0 ? r : 0;
}

static int load_sessions(struct reading *reading, const struct store_loader *to)
{
    struct stream st CLEANUP(stream_close) = {.cursor = NULL};
    struct sessions_load load = {.store = reading->store, .to = to};
    struct place at = {.len = 8};
    int r = stream_open(reading->store, reading->txn, SESSIONS_LIVE, &st);

    if (r < 0)
        return r;
    return each_session(reading, &st, &at, SIZE_MAX, session_load, &load);
}

static int load_errand(MDB_val key, MDB_val row, const struct store_loader *to)
{
    struct errand e;
    int r = record_read_errand(row.mv_data, row.mv_size, &e);

    if (r < 0)
        return damaged(r);
    if (key.mv_size != 8 || key_number(key.mv_data, 8) != e.number)
        return -EUCLEAN;
    return to->errand(to->ctx, &e);
}

static int load_errands(struct reading *reading, const struct store_loader *to)
{
    MDB_cursor *cursor;
    MDB_val key, row;
    int rc, r = lmdb_error(mdb_cursor_open(reading->txn, reading->store->tables[OUTBOX], &cursor));

    if (r < 0)
        return r;
    while (r == 0 && (rc = mdb_cursor_get(cursor, &key, &row, MDB_NEXT)) == 0)
        r = load_errand(key, row, to);
    mdb_cursor_close(cursor);
    if (r == 0 && rc != MDB_NOTFOUND)
        r = lmdb_error(rc);
    return r;
}

int store_load(struct store *s, const struct store_loader *to, struct wall *ret_last_commit,
               uint64_t *ret_last_session)
{
    struct reading reading CLEANUP(reading_end) = {.txn = NULL};
    struct assembly a CLEANUP(assembly_free) = {.cap = 0};
    int r;

    *ret_last_commit = s->ledger.last_commit;
    *ret_last_session = s->ledger.last_session;
    r = reading_begin(s, &reading);
    if (r < 0)
        return r;
    for (unsigned state = REQ_PENDING; state < REQ_STATES; state++) {
        if (request_state_final((enum request_state)state))
            continue;
        r = load_state(&reading, state, to, &a);
        if (r < 0)
            return r;
    }
    r = load_sessions(&reading, to);
    return r < 0 || !to->errand ? r : load_errands(&reading, to);
}
