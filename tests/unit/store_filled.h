/* Requests at random in a store, and what queries give of them; needs store_kit.h. */
#pragma once

/* ---- collecting rows ------------------------------------------------------------------------- */

enum { SEEN_MAX = 8192 };

/* What a query gave, in order. */
static struct seen {
    size_t n, stop_after; /* stop_after: return 1 at each row that many have gone before */
    uint64_t ids[SEEN_MAX];
} seen;

static inline int see_request(void *ctx, const struct record *r)
{
    (void)ctx;
    if (seen.stop_after > 0 && seen.n == seen.stop_after)
        return 1;
    assert_true(seen.n < SEEN_MAX);
    seen.ids[seen.n++] = r->request.id.bits;
    return 0;
}

static inline int see_session(void *ctx, const struct session *s)
{
    (void)ctx;
    if (seen.stop_after > 0 && seen.n == seen.stop_after)
        return 1;
    seen.ids[seen.n++] = s->number;
    return 0;
}

/* Asks until the end, and returns how often. */
static inline size_t ask(struct store *s, struct request_query q, size_t budget)
{
    size_t calls = 0;
    int r = 1;

    seen.n = seen.stop_after = 0;
    for (; r == 1; calls++) {
        size_t before = seen.n;

        r = store_requests(s, &q, budget, see_request, NULL);
        assert_true(r == 0 || r == 1);
        assert_true(seen.n - before <= budget);
        assert_true(calls < 1000000);
    }
    return calls;
}

static inline int refuse_row(void *ctx, const struct record *r)
{
    (void)ctx, (void)r;
    return -ECANCELED;
}

/* ---- requests at random ---------------------------------------------------------------------- */

enum { N_REQUESTS = 3000 };

static const char *const TARGETS[] = {"sudo",
                                      "su",
                                      "ssh",
                                      "host:BASTION-1/sudo",
                                      "host:bastion-2/sudo",
                                      "host:b/sudo",
                                      "host:b/sudoe",
                                      "host:ba/sudo",
                                      "aws:111122223333/ReadOnlyAccess",
                                      "aws:111122223333/readonlyaccess"};
enum { N_TARGETS = sizeof TARGETS / sizeof TARGETS[0] };

static struct request all[N_REQUESTS];

static inline struct request random_request(uint64_t *seed, uint64_t id)
{
    struct request r = kit_request(id, (uint32_t)(1000 + below(seed, 12)),
                                   (enum request_state)(REQ_PENDING + below(seed, REQ_STATES - 1)),
                                   (int64_t)below(seed, 900) - 50, TARGETS[below(seed, N_TARGETS)]);

    r.n_targets = (uint8_t)(1 + below(seed, 3));
    for (size_t i = 1; i < r.n_targets; i++) {
        r.grants[i].state = GRANT_OPEN;
        r.grants[i].target = target_of(TARGETS[below(seed, N_TARGETS)]);
    }
    return r;
}

static inline void write_all(struct store *s, size_t n)
{
    assert_int_equal(store_begin(s, now_at(1)), 0);
    for (size_t i = 0; i < n; i++) {
        kit_add_request(all[i]);
        kit_give(s);
    }
    assert_int_equal(store_commit(s), 0);
}

/* Thousands of requests, many of which have then changed every field that an index knows. */
static inline struct store *fill(uint64_t *seed)
{
    struct store *s = kit_open();

    for (size_t i = 0; i < N_REQUESTS; i++)
        all[i] = random_request(seed, 1 + i * 7919 % N_REQUESTS);
    write_all(s, N_REQUESTS);
    for (size_t i = 0; i < N_REQUESTS; i += 1 + below(seed, 3)) {
        if (below(seed, 8) == 0)
            all[i] = random_request(seed, all[i].id.bits);
        else
            all[i].state = (uint8_t)(REQ_PENDING + below(seed, REQ_STATES - 1));
    }
    write_all(s, N_REQUESTS);
    return s;
}
