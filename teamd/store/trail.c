/* The audit trail: appended to, and read by filter. */
#include "store/chain.h"
#include "store/join.h"

#include <errno.h>

/* ---- writing --------------------------------------------------------------------------------- */

static int index_text(struct store *s, enum table t, const char *text, uint64_t seq)
{
    struct key k = {.len = 0};

    if (text[0] == '\0')
        return 0;
    key_put_text(&k, text);
    key_put_number(&k, seq, 8);
    return row_put(s, t, &k, "", 0, 0);
}

static int index_event(struct store *s, const struct trail_event *e)
{
    struct key of = key_of_number(e->id.bits), seq = key_of_number(e->seq);
    int r;

    key_put_number(&of, e->seq, 8);
    r = e->id.bits == 0 ? 0 : row_put(s, AUDIT_OF_REQUEST, &of, "", 0, 0);
    if (r == 0)
        r = index_text(s, AUDIT_OF_ACTOR, e->actor, e->seq);
    if (r == 0)
        r = index_text(s, AUDIT_OF_ACTION, e->action, e->seq);
    if (r == 0 && e->at.us < s->next.last_at.us && e->seq > 1)
        r = row_put(s, AUDIT_STEPS, &seq, "", 0, 0);
    return r;
}

int trail_append(struct store *s, const struct audit *a)
{
    struct trail_event e = {
        .seq = s->next.last_seq + 1,
        .at = s->now,
        .host = s->host,
        .actor = a->actor.text,
        .action = a->action,
        .id = a->id,
        .target = a->target,
        .outcome = a->outcome,
        .detail = a->detail,
    };
    uint8_t sealed[SEALED_MAX];
    struct key k = key_of_number(e.seq);
    size_t n;
    int r;

    memcpy(e.prev, s->next.head, HASH_LEN);
    n = chain_seal(&e, sealed);
    if (n == 0)
        return -EINVAL;
    r = row_put(s, AUDIT, &k, sealed, n, MDB_APPEND); /* APPEND: never over an older event */
    if (r == 0)
        r = index_event(s, &e);
    if (r < 0)
        return r;
    s->next.last_seq = e.seq;
    s->next.last_at = e.at;
    memcpy(s->next.head, e.hash, HASH_LEN);
    return 0;
}

/* ---- the end of the chain -------------------------------------------------------------------- */

/* The last event as it lies in the table; -ENOENT in an empty trail. */
static int last_row(struct store *s, MDB_txn *txn, uint64_t *ret_seq, MDB_val *ret)
{
    struct stream st CLEANUP(stream_close) = {.cursor = NULL};
    struct place at = {.len = 8, .backward = true};
    int r = stream_open(s, txn, AUDIT, &st);

    if (r < 0)
        return r;
    memset(at.bytes, 0xff, at.len);
    r = stream_seek(&st, &at);
    if (r < 0)
        return r;
    *ret_seq = key_number(at.bytes, 8);
    *ret = st.value;
    return 0;
}

int trail_read(MDB_val row, struct trail_event *ret)
{
    return damaged(chain_read(row.mv_data, row.mv_size, ret));
}

int trail_check_end(struct store *s, MDB_txn *txn, const struct ledger *l)
{
    struct trail_event e;
    uint64_t seq;
    MDB_val row;
    int r = last_row(s, txn, &seq, &row);

    if (r == -ENOENT)
        return l->last_seq == 0 ? 0 : -EUCLEAN;
    if (r < 0)
        return r;
    r = trail_read(row, &e);
    if (r < 0)
        return r;
    if (seq != l->last_seq || e.seq != seq || memcmp(e.hash, l->head, HASH_LEN) != 0 ||
        !chain_sound(row.mv_data, row.mv_size))
        return -EUCLEAN;
    return 0;
}

/* ---- reading by time ------------------------------------------------------------------------- */

/* The clock may have been set back, so the trail is not in the order of time; but it is from each
 * step to the next, and there it can be searched. */
struct times {
    struct store *store;
    MDB_txn *txn;
    struct stream steps;
    struct wall since, until;
    uint64_t last;
};

static int time_of(struct times *t, uint64_t seq, struct wall *ret)
{
    struct key k = key_of_number(seq);
    struct trail_event e;
    MDB_val row;
    int r = row_get(t->store, t->txn, AUDIT, &k, &row);

    if (r == 0)
        r = trail_read(row, &e);
    if (r != 0)
        return r == -ENOENT ? -EUCLEAN : r;
    *ret = e.at;
    return 0;
}

/* The first event after the run of rising times that seq is in. */
static int run_end(struct times *t, uint64_t seq, uint64_t *ret)
{
    struct key k = key_of_number(seq + 1);
    struct place at = {.len = 8};
    int r;

    memcpy(at.bytes, k.bytes, 8);
    r = stream_seek(&t->steps, &at);
    if (r < 0 && r != -ENOENT)
        return r;
    *ret = r == 0 ? key_number(at.bytes, 8) : t->last + 1;
    return 0;
}

/* The first event of [from, end), a run of rising times, that is not before `since`. */
static int search(struct times *t, uint64_t from, uint64_t end, uint64_t *ret)
{
    while (from < end) {
        uint64_t middle = from + (end - from) / 2;
        struct wall at = {0};
        int r = time_of(t, middle, &at);

        if (r < 0)
            return r;
        if (at.us >= t->since.us)
            end = middle;
        else
            from = middle + 1;
    }
    *ret = from;
    return 0;
}

static bool within(const struct times *t, struct wall at)
{
    return at.us >= t->since.us && (t->until.us == 0 || at.us < t->until.us);
}

/* A filter (join.h): stays, or goes to the next event of this run that fits, or to the next run. */
static int times_seek(void *ctx, struct place *at)
{
    uint64_t seq = key_number(at->bytes, 8), end, next;
    struct times *t = ctx;
    struct wall when = {0};
    struct key k;
    int r;

    if (seq > t->last)
        return -ENOENT;
    r = time_of(t, seq, &when);
    if (r < 0 || within(t, when))
        return r;
    r = run_end(t, seq, &end);
    if (r < 0)
        return r;
    next = end;
    if (when.us < t->since.us)
        r = search(t, seq + 1, end, &next);
    if (r == 0 && next < end)
        r = time_of(t, next, &when);
    if (r < 0)
        return r;
    if (next < end && !within(t, when))
        next = end;
    k = key_of_number(next);
    memcpy(at->bytes, k.bytes, 8);
    return 0;
}

/* ---- reading --------------------------------------------------------------------------------- */

struct trail_walk {
    struct stream events, by_actor, by_action, by_request;
    struct streams all_events, all_by_actor, all_by_action, all_by_request;
    struct times times;
    struct filter filters[5];
    size_t n;
};

static void walk_close(struct trail_walk *w)
{
    stream_close(&w->events);
    stream_close(&w->by_actor);
    stream_close(&w->by_action);
    stream_close(&w->by_request);
    stream_close(&w->times.steps);
}

/* Adds a filter of one stream. */
static int add(struct trail_walk *w, struct reading *reading, enum table t, struct stream *st,
               struct streams *alone)
{
    int r = stream_open(reading->store, reading->txn, t, st);

    *alone = (struct streams){.items = st, .n = 1};
    w->filters[w->n++] = (struct filter){.seek = streams_seek, .ctx = alone};
    return r;
}

static int add_times(struct trail_walk *w, struct reading *reading, const struct trail_query *q)
{
    struct times *t = &w->times;
    MDB_val row;
    int r;

    t->store = reading->store;
    t->txn = reading->txn;
    t->since = q->since.us == 0 ? (struct wall){INT64_MIN} : q->since;
    t->until = q->until;
    w->filters[w->n++] = (struct filter){.seek = times_seek, .ctx = t};
    r = last_row(reading->store, reading->txn, &t->last, &row);
    if (r < 0 && r != -ENOENT)
        return r;
    return stream_open(reading->store, reading->txn, AUDIT_STEPS, &t->steps);
}

static int walk_open(struct trail_walk *w, struct reading *reading, const struct trail_query *q)
{
    bool actor = q->actor && q->actor[0] != '\0', action = q->action && q->action[0] != '\0';
    int r = 0;

    if (actor) {
        r = add(w, reading, AUDIT_OF_ACTOR, &w->by_actor, &w->all_by_actor);
        key_put_text(&w->by_actor.prefix, q->actor);
    }
    if (r == 0 && action) {
        r = add(w, reading, AUDIT_OF_ACTION, &w->by_action, &w->all_by_action);
        key_put_text(&w->by_action.prefix, q->action);
    }
    if (r == 0 && q->request.bits != 0) {
        r = add(w, reading, AUDIT_OF_REQUEST, &w->by_request, &w->all_by_request);
        key_put_number(&w->by_request.prefix, q->request.bits, 8);
    }
    if (r == 0 && w->n == 0)
        r = add(w, reading, AUDIT, &w->events, &w->all_events);
    if (r == 0 && (q->since.us != 0 || q->until.us != 0))
        r = add_times(w, reading, q);
    return r;
}

/* The row at `at`: the stream of events has it, if that is what was walked. */
static int give_event(struct trail_walk *w, struct reading *reading, const struct place *at,
                      int (*row)(void *ctx, const struct trail_event *e), void *ctx)
{
    struct key k = {.len = 0};
    struct trail_event e;
    MDB_val value = w->events.value;
    int r = 0;

    key_put(&k, at->bytes, 8);
    if (!w->events.cursor)
        r = row_get(reading->store, reading->txn, AUDIT, &k, &value);
    if (r == 0)
        r = trail_read(value, &e);
    if (r == 0 && e.seq != key_number(at->bytes, 8))
        r = -EUCLEAN;
    if (r < 0)
        return r == -ENOENT ? -EUCLEAN : r;
    return row(ctx, &e);
}

int store_trail(struct store *s, struct trail_query *q, size_t budget,
                int (*row)(void *ctx, const struct trail_event *e), void *ctx)
{
    struct reading reading CLEANUP(reading_end) = {.txn = NULL};
    struct trail_walk w CLEANUP(walk_close) = {.n = 0};
    struct key from = key_of_number(q->next_seq);
    struct place at = {.len = 8}, last = {.len = 8};
    int r;

    memcpy(at.bytes, from.bytes, 8);
    memset(last.bytes, 0xff, last.len);
    q->started = true;
    r = reading_begin(s, &reading);
    if (r < 0)
        return r;
    r = walk_open(&w, &reading, q);
    if (r < 0)
        return r;
    for (;;) {
        r = join(w.filters, w.n, &last, &budget, &at);
        if (r == -ENOENT) {
            q->next_seq = key_number(at.bytes, 8);
            return 0;
        }
        if (r == 0)
            r = give_event(&w, &reading, &at, row, ctx);
        if (r < 0)
            return r;
        if (r == 0)
            place_step(&at);
        q->next_seq = key_number(at.bytes, 8);
        if (r > 0)
            return 1;
    }
}
