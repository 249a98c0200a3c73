/* Requests and sessions: written, asked for, and found again after a restart. */
#include "store/internal.h"

#include "store_kit.h"

/* ---- collecting rows ------------------------------------------------------------------------- */

enum { SEEN_MAX = 8192 };

/* What a query gave, in order. */
static struct seen {
    size_t n, stop_after; /* stop_after: return 1 at each row that many have gone before */
    uint64_t ids[SEEN_MAX];
} seen;

static int see_request(void *ctx, const struct record *r)
{
    (void)ctx;
    if (seen.stop_after > 0 && seen.n == seen.stop_after)
        return 1;
    assert_true(seen.n < SEEN_MAX);
    seen.ids[seen.n++] = r->request.id.bits;
    return 0;
}

static int see_session(void *ctx, const struct session *s)
{
    (void)ctx;
    if (seen.stop_after > 0 && seen.n == seen.stop_after)
        return 1;
    seen.ids[seen.n++] = s->number;
    return 0;
}

/* Asks until the end, and returns how often. */
static size_t ask(struct store *s, struct request_query q, size_t budget)
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

/* ---- one request ----------------------------------------------------------------------------- */

static int check_full(void *ctx, const struct record *r)
{
    struct request want = kit_full_request();

    assert_memory_equal(&r->request, &want, sizeof want);
    assert_string_equal(r->reason, "rotate certs");
    assert_string_equal(r->ticket, "CHG-4711");
    assert_string_equal(r->revoke_comment, "done");
    assert_string_equal(r->extension_reason, "the second one");
    assert_int_equal(r->n_decisions, 40);
    for (uint16_t i = 0; i < 40; i++) {
        assert_int_equal(r->decisions[i].number, i);
        assert_int_equal(r->decisions[i].approved, i % 2 == 0);
        assert_string_equal(r->decisions[i].by.text, "bob");
        assert_string_equal(r->decisions[i].comment, i == 3 ? "" : "as agreed");
    }
    ++*(int *)ctx;
    return 0;
}

static void a_request_comes_back_whole_with_all_that_was_said(void **state)
{
    struct request full = kit_full_request();
    struct store *s = kit_open();
    int times = 0;

    (void)state;
    kit_add_words(full.id.bits, WORDS_REASON, "rotate certs");
    kit_add_words(full.id.bits, WORDS_TICKET, "CHG-4711");
    kit_add_words(full.id.bits, WORDS_REVOKE, "done");
    kit_add_words(full.id.bits, WORDS_EXTENSION, "the first one");
    kit_add_request(full);
    for (uint16_t i = 0; i < 40; i++)
        kit_add_decision(full.id.bits, i, "bob", i == 3 ? "" : "as agreed");
    kit_commit(s);
    kit_add_words(full.id.bits, WORDS_EXTENSION, "the second one");
    /* neighbours on both sides are not mixed in */
    kit_add_request(kit_request(full.id.bits - 1, 1, REQ_PENDING, 5, "su"));
    kit_add_words(full.id.bits - 1, WORDS_REASON, "another");
    kit_add_request(kit_request(full.id.bits + 1, 1, REQ_PENDING, 5, "su"));
    kit_commit(s);
    assert_int_equal(store_request(s, full.id, check_full, &times), 0);
    s = store_close(s);
    s = kit_open();
    assert_int_equal(store_request(s, full.id, check_full, &times), 0);
    assert_int_equal(times, 2);
    store_close(s);
}

static int check_bare(void *ctx, const struct record *r)
{
    (void)ctx;
    assert_string_equal(r->reason, "");
    assert_string_equal(r->ticket, "");
    assert_string_equal(r->revoke_comment, "");
    assert_string_equal(r->extension_reason, "");
    assert_int_equal(r->n_decisions, 0);
    return 0;
}

static void what_nobody_said_is_empty(void **state)
{
    struct store *s = kit_open();

    (void)state;
    kit_add_request(kit_request(7, 1001, REQ_PENDING, 10, "sudo"));
    kit_commit(s);
    assert_int_equal(store_request(s, (struct id){7}, check_bare, NULL), 0);
    store_close(s);
}

static int refuse_row(void *ctx, const struct record *r)
{
    (void)ctx, (void)r;
    return -ECANCELED;
}

static void a_request_is_there_or_not(void **state)
{
    struct store *s = kit_open();

    (void)state;
    assert_false(store_has_request(s, (struct id){7}));
    assert_int_equal(store_request(s, (struct id){7}, check_bare, NULL), -ENOENT);
    kit_add_request(kit_request(7, 1001, REQ_PENDING, 10, "sudo"));
    kit_commit(s);
    assert_true(store_has_request(s, (struct id){7}));
    assert_false(store_has_request(s, (struct id){8}));
    assert_int_equal(store_request(s, (struct id){7}, refuse_row, NULL), -ECANCELED);
    store_close(s);
}

static void nothing_is_there_before_the_commit_or_after_an_abort(void **state)
{
    struct store *s = kit_open();

    (void)state;
    assert_int_equal(store_begin(s, now_at(1)), 0);
    kit_add_request(kit_request(7, 1001, REQ_PENDING, 10, "sudo"));
    kit_add_audit("request.submit", "alice", 7, "");
    kit_give(s);
    assert_false(store_has_request(s, (struct id){7}));
    store_abort(s);
    assert_false(store_has_request(s, (struct id){7}));
    assert_int_equal(store_commit(s), -EINVAL); /* there is nothing to commit */
    kit_commit(s);
    assert_false(store_has_request(s, (struct id){7}));
    store_close(s);
}

static void what_could_not_be_read_back_is_not_committed_nor_is_what_came_with_it(void **state)
{
    struct store *s = kit_open();
    struct request bad = kit_request(8, 1001, REQ_PENDING, 10, "sudo");

    (void)state;
    bad.state = REQ_STATES;
    kit_add_request(kit_request(7, 1001, REQ_PENDING, 10, "sudo"));
    kit_add_request(bad);
    kit_add_request(kit_request(9, 1001, REQ_PENDING, 10, "sudo"));
    assert_int_equal(kit_commit_at(s, 1), -EINVAL);
    for (uint64_t id = 7; id <= 9; id++)
        assert_false(store_has_request(s, (struct id){id}));
    kit_add_request(kit_request(7, 1001, REQ_PENDING, 10, "sudo"));
    kit_commit(s);
    assert_true(store_has_request(s, (struct id){7}));
    store_close(s);
}

/* ---- filters against a naive scan ------------------------------------------------------------ */

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

static struct request random_request(uint64_t *seed, uint64_t id)
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

static void write_all(struct store *s, size_t n)
{
    assert_int_equal(store_begin(s, now_at(1)), 0);
    for (size_t i = 0; i < n; i++) {
        kit_add_request(all[i]);
        kit_give(s);
    }
    assert_int_equal(store_commit(s), 0);
}

/* Thousands of requests, many of which have then changed every field that an index knows. */
static struct store *fill(uint64_t *seed)
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

static bool wanted(const struct request_query *q, const struct request *r)
{
    bool target = !q->target;

    for (size_t i = 0; i < r->n_targets; i++)
        target = target || target_equal(&r->grants[i].target, q->target);
    return target && (!q->by_requester || r->requester == q->requester) &&
           (q->states == 0 || (q->states >> r->state & 1)) &&
           (q->since.us == 0 || r->requested_at.us >= q->since.us) &&
           (q->until.us == 0 || r->requested_at.us < q->until.us);
}

static int newest_first(const void *a, const void *b)
{
    const struct request *x = *(const struct request *const *)a,
                         *y = *(const struct request *const *)b;

    if (x->requested_at.us != y->requested_at.us)
        return x->requested_at.us > y->requested_at.us ? -1 : 1;
    return x->id.bits > y->id.bits ? -1 : 1;
}

static size_t naive(const struct request_query *q, uint64_t ids[N_REQUESTS])
{
    static const struct request *found[N_REQUESTS];
    size_t n = 0;

    for (size_t i = 0; i < N_REQUESTS; i++)
        if (wanted(q, &all[i]))
            found[n++] = &all[i];
    qsort(found, n, sizeof found[0], newest_first);
    for (size_t i = 0; i < n; i++)
        ids[i] = found[i]->id.bits;
    return n;
}

static struct request_query random_query(uint64_t *seed, struct target *target)
{
    struct request_query q = {.by_requester = below(seed, 2) == 0};

    q.requester = (uint32_t)(1000 + below(seed, 13));
    if (below(seed, 2) == 0)
        q.states = (uint32_t)chance(seed) & (uint32_t)chance(seed) & ((1u << REQ_STATES) - 1);
    if (below(seed, 2) == 0) {
        *target = target_of(below(seed, 10) == 0 ? "login" : TARGETS[below(seed, N_TARGETS)]);
        q.target = target;
    }
    if (below(seed, 3) == 0)
        q.since = at((int64_t)below(seed, 900) - 50);
    if (below(seed, 3) == 0)
        q.until = at((int64_t)below(seed, 900) - 50);
    return q;
}

static void check_query(struct store *s, const struct request_query *q, size_t budget)
{
    static uint64_t want[N_REQUESTS];
    size_t n = naive(q, want);

    ask(s, *q, budget);
    assert_int_equal(seen.n, n);
    if (n > 0)
        assert_memory_equal(seen.ids, want, n * sizeof want[0]);
}

static void every_combination_of_filters_gives_what_a_naive_scan_gives(void **state)
{
    uint64_t seed = 20260101;
    struct store *s = fill(&seed);
    struct target target;

    (void)state;
    for (size_t i = 0; i < 1500; i++) {
        struct request_query q = random_query(&seed, &target);

        check_query(s, &q, SIZE_MAX);
    }
    store_close(s);
}

static void paging_with_a_small_budget_gives_the_same_rows(void **state)
{
    uint64_t seed = 4711;
    struct store *s = fill(&seed);
    struct target target;

    (void)state;
    for (size_t i = 0; i < 210; i++) {
        struct request_query q = random_query(&seed, &target);

        check_query(s, &q, 1 + i % 7);
    }
    store_close(s);
}

static void a_query_with_no_budget_gives_nothing_and_may_have_more(void **state)
{
    struct request_query q = {.started = false};
    struct store *s = kit_open();

    (void)state;
    assert_int_equal(store_requests(s, &q, 0, see_request, NULL), 1);
    assert_int_equal(store_requests(s, &q, 1, see_request, NULL), 0);
    store_close(s);
}

static void a_row_that_was_sent_back_comes_again(void **state)
{
    uint64_t seed = 99;
    struct store *s = fill(&seed);
    static uint64_t want[N_REQUESTS];
    struct request_query q = {.by_requester = true, .requester = 1003}, fresh = q;
    size_t n = naive(&q, want);

    (void)state;
    seen.n = 0;
    for (seen.stop_after = 1; seen.stop_after <= n; seen.stop_after++) {
        int r = store_requests(s, &q, SIZE_MAX, see_request, NULL);

        assert_int_equal(r, seen.n < n || seen.stop_after < n ? 1 : 0);
        assert_int_equal(seen.n, seen.stop_after);
    }
    assert_memory_equal(seen.ids, want, n * sizeof want[0]);
    assert_int_equal(store_requests(s, &q, SIZE_MAX, see_request, NULL), 0);
    assert_int_equal(store_requests(s, &fresh, SIZE_MAX, refuse_row, NULL), -ECANCELED);
    store_close(s);
}

static void paging_survives_what_is_written_between_the_pages(void **state)
{
    struct request_query q = {.states = 1u << REQ_PENDING | 1u << REQ_ACTIVE};
    struct store *s = kit_open();

    (void)state;
    for (uint64_t i = 1; i <= 20; i++)
        kit_add_request(kit_request(i, 1, REQ_PENDING, (int64_t)i, "sudo"));
    kit_commit(s);
    seen.n = 0;
    seen.stop_after = 10;
    assert_int_equal(store_requests(s, &q, SIZE_MAX, see_request, NULL), 1);
    kit_add_request(kit_request(11, 1, REQ_ACTIVE, 11, "sudo"));  /* was given: not again */
    kit_add_request(kit_request(10, 1, REQ_ACTIVE, 10, "sudo"));  /* the one to go on with */
    kit_add_request(kit_request(5, 1, REQ_ACTIVE, 5, "sudo"));    /* still to come */
    kit_add_request(kit_request(4, 1, REQ_REJECTED, 4, "sudo"));  /* not wanted any more */
    kit_add_request(kit_request(21, 1, REQ_PENDING, 21, "sudo")); /* newer than the first page */
    kit_commit(s);
    seen.stop_after = 0;
    assert_int_equal(store_requests(s, &q, SIZE_MAX, see_request, NULL), 0);
    assert_int_equal(seen.n, 19);
    for (uint64_t i = 0, want = 20; i < 19; i++, want--) {
        want -= want == 4;
        assert_int_equal(seen.ids[i], want);
    }
    store_close(s);
}

static void the_rarest_filter_sets_the_pace(void **state)
{
    struct target sudo = target_of("sudo");
    struct request_query q = {.by_requester = true,
                              .requester = 1001,
                              .target = &sudo,
                              .states = 1u << REQ_PENDING | 1u << REQ_ENDED};
    struct store *s = kit_open();

    (void)state;
    for (size_t i = 0; i < N_REQUESTS; i++)
        all[i] = kit_request(i + 1, i == 1500 ? 1001 : 1002, REQ_ENDED, (int64_t)i, "sudo");
    write_all(s, N_REQUESTS);
    assert_true(ask(s, q, 3) <= 2);
    assert_int_equal(seen.n, 1);
    assert_int_equal(seen.ids[0], 1501);
    store_close(s);
}

static void no_index_holds_an_entry_that_its_row_does_not_have(void **state)
{
    uint64_t seed = 31337;
    struct store *s = fill(&seed);
    size_t want[TABLES] = {0};
    struct entries e;
    MDB_txn *txn;
    MDB_stat st;

    (void)state;
    for (size_t i = 0; i < N_REQUESTS; i++) {
        entries_of(&all[i], &e);
        for (size_t j = 0; j < e.n; j++) {
            bool again = false;

            for (size_t k = 0; k < j; k++)
                again = again || (e.items[j].table == e.items[k].table &&
                                  e.items[j].key.len == e.items[k].key.len &&
                                  memcmp(e.items[j].key.bytes, e.items[k].key.bytes,
                                         e.items[j].key.len) == 0);
            want[e.items[j].table] += !again; /* equal targets are one entry */
        }
    }
    assert_int_equal(mdb_txn_begin(s->env, NULL, MDB_RDONLY, &txn), 0);
    for (size_t t = BY_REQUESTER; t < TABLES; t++) {
        if (want[t] == 0)
            continue;
        mdb_stat(txn, s->tables[t], &st);
        assert_int_equal(st.ms_entries, want[t]);
    }
    mdb_txn_abort(txn);
    store_close(s);
}

static int count_named(void *ctx, const struct record *r)
{
    assert_string_equal(r->request.requester_name.text, "gone");
    ++*(unsigned *)ctx;
    return 0;
}

static unsigned requests_of_gone(struct store *s, uint32_t states)
{
    struct request_query q = {.name = "gone", .states = states};
    unsigned n = 0;

    while (store_requests(s, &q, 100, count_named, &n) > 0)
        ;
    return n;
}

static void requests_are_found_by_a_name_that_nobody_bears(void **state)
{
    struct store *s = kit_open();

    (void)state;
    for (unsigned i = 0; i < 9; i++) {
        struct request r = kit_request(1 + i, 1000 + i, i % 2 ? REQ_ENDED : REQ_REVOKED, 5000 + i,
                                       "sudo");

        r.requester_name = named(i % 3 ? "gone" : "alice");
        kit_add_request(r);
    }
    kit_commit(s);
    assert_int_equal(requests_of_gone(s, 0), 6);
    assert_int_equal(requests_of_gone(s, 1u << REQ_ENDED), 3);
    store_close(s);
}

static void a_store_without_names_gets_them(void **state)
{
    enum { MANY = 4000 };
    static const struct store_sizes TIGHT = {.map = 1 << 16, .headroom = 1 << 16};
    struct store *s = kit_open();
    MDB_txn *txn;

    (void)state;
    for (unsigned i = 0; i < MANY; i++) {
        struct request r = kit_request(1 + i, 1000, REQ_ENDED, 5000 + i, "sudo");

        r.requester_name = named(i % 2 ? "gone" : "alice");
        kit_add_request(r);
        if (kit_effects.n == EFFECTS_MAX)
            kit_commit(s);
    }
    kit_add_words(1, WORDS_REASON, "not a request itself");
    kit_commit(s);
    assert_int_equal(mdb_txn_begin(s->env, NULL, 0, &txn), 0);
    assert_int_equal(mdb_drop(txn, s->tables[BY_NAME], 1), 0);
    assert_int_equal(mdb_txn_commit(txn), 0);
    store_close(s);
    assert_int_equal(store_open_sized(kit_dir, HOST, BOOT_1, TIGHT, &s), 0);
    assert_int_equal(requests_of_gone(s, 0), MANY / 2);
    store_close(s);
}

/* ---- sessions -------------------------------------------------------------------------------- */

static void sessions_are_listed_under_their_elevation_oldest_first(void **state)
{
    struct store *s = kit_open();
    uint64_t after;

    (void)state;
    for (uint64_t i = 1; i <= 30; i++)
        kit_add_session(kit_session(i, 1 + i % 3, i % 2 ? SESSION_LIVE : SESSION_ENDED));
    kit_add_session(kit_session(31, 0, SESSION_LIVE)); /* root's: under no elevation */
    kit_commit(s);
    for (size_t budget = 1; budget <= 11; budget++) {
        int r = 1;

        seen.n = seen.stop_after = 0;
        for (after = 0; r == 1;) {
            size_t before = seen.n;

            r = store_sessions(s, (struct id){2}, &after, budget, see_session, NULL);
            assert_true(seen.n - before <= budget);
        }
        assert_int_equal(r, 0);
        assert_int_equal(seen.n, 10);
        for (uint64_t i = 0; i < 10; i++)
            assert_int_equal(seen.ids[i], 1 + 3 * i);
    }
    after = 0;
    assert_int_equal(store_sessions(s, (struct id){9}, &after, 5, see_session, NULL), 0);
    store_close(s);
}

static void a_session_that_was_sent_back_comes_again(void **state)
{
    struct store *s = kit_open();
    uint64_t after = 0;

    (void)state;
    for (uint64_t i = 1; i <= 3; i++)
        kit_add_session(kit_session(i, 5, SESSION_LIVE));
    kit_commit(s);
    seen.n = 0;
    seen.stop_after = 2;
    assert_int_equal(store_sessions(s, (struct id){5}, &after, 9, see_session, NULL), 1);
    assert_int_equal(after, 2);
    seen.stop_after = 0;
    assert_int_equal(store_sessions(s, (struct id){5}, &after, 9, see_session, NULL), 0);
    assert_int_equal(seen.n, 3);
    assert_int_equal(seen.ids[2], 3);
    store_close(s);
}

static int check_session(void *ctx, const struct session *got)
{
    const struct session *want = ctx;

    assert_memory_equal(got, want, sizeof *want);
    seen.n++;
    return 0;
}

static void a_session_that_moved_is_shown_under_both_elevations(void **state)
{
    struct store *s = kit_open();
    struct session moved = kit_full_session();
    struct id first = moved.request, second = {77};
    uint64_t after = 0;

    (void)state;
    kit_add_session(moved);
    kit_commit(s);
    moved.request = second;
    kit_add_session(moved);
    kit_commit(s);
    seen.n = 0;
    assert_int_equal(store_sessions(s, first, &after, 9, check_session, &moved), 0);
    after = 0;
    assert_int_equal(store_sessions(s, second, &after, 9, check_session, &moved), 0);
    assert_int_equal(seen.n, 2);
    store_close(s);
}

/* ---- after a start --------------------------------------------------------------------------- */

static struct loaded {
    size_t requests, sessions, of_this_boot;
    uint64_t sum_of_ids, sum_of_numbers;
    int answer;
} loaded;

static int load_request(void *ctx, const struct request *r, bool same_boot)
{
    const struct request *want = ctx;

    assert_false(request_state_final((enum request_state)r->state));
    for (size_t i = 0; want && i < N_REQUESTS; i++)
        if (want[i].id.bits == r->id.bits)
            assert_memory_equal(&want[i], r, sizeof *r);
    loaded.requests++;
    loaded.of_this_boot += same_boot;
    loaded.sum_of_ids += r->id.bits;
    return loaded.answer;
}

static int load_session(void *ctx, const struct session *s, bool same_boot)
{
    (void)ctx;
    loaded.sessions++;
    loaded.of_this_boot += same_boot;
    loaded.sum_of_numbers += s->number;
    return loaded.answer;
}

static const struct store_loader LOADER = {.request = load_request, .session = load_session};

static void a_restart_gives_the_same_live_requests_and_sessions(void **state)
{
    struct store_loader checking = {.request = load_request, .session = load_session, .ctx = all};
    uint64_t seed = 1, ids = 0, last_session = 99;
    struct store *s = fill(&seed);
    struct wall last = {99};
    size_t live = 0;

    (void)state;
    for (size_t i = 0; i < N_REQUESTS; i++) {
        if (request_state_final((enum request_state)all[i].state))
            continue;
        live++;
        ids += all[i].id.bits;
    }
    kit_add_session(kit_session(5, 1, SESSION_LIVE));
    kit_add_session(kit_session(6, 1, SESSION_TERMINATING));
    kit_add_session(kit_session(7, 0, SESSION_CLOSING));
    kit_add_session(kit_session(8, 1, SESSION_LIVE));
    kit_add_session(kit_session(9, 1, SESSION_LIVE));
    kit_commit(s);
    kit_add_session(kit_session(9, 1, SESSION_LOST));
    kit_add_session(kit_session(8, 1, SESSION_ENDED));
    assert_int_equal(kit_commit_at(s, 1234), 0);
    s = store_close(s);

    s = kit_open();
    loaded = (struct loaded){0};
    assert_int_equal(store_load(s, &checking, &last, &last_session), 0);
    assert_int_equal(loaded.requests, live);
    assert_int_equal(loaded.sum_of_ids, ids);
    assert_int_equal(loaded.sessions, 3);
    assert_int_equal(loaded.sum_of_numbers, 5 + 6 + 7);
    assert_int_equal(loaded.of_this_boot, live + 3);
    assert_int_equal(last.us, at(1234).us);
    assert_int_equal(last_session, 9);
    store_close(s);
}

static void after_a_reboot_what_was_written_before_it_is_told_apart(void **state)
{
    uint64_t last_session;
    struct wall last;
    struct store *s = kit_open_in(BOOT_1);

    (void)state;
    kit_add_request(kit_request(1, 1, REQ_ACTIVE, 1, "sudo"));
    kit_add_request(kit_request(2, 1, REQ_ACTIVE, 1, "sudo"));
    kit_add_session(kit_session(1, 1, SESSION_LIVE));
    kit_add_session(kit_session(2, 1, SESSION_LIVE));
    kit_commit(s);
    s = store_close(s);
    s = kit_open_in(BOOT_2);
    kit_add_request(kit_request(2, 1, REQ_ACTIVE, 1, "sudo"));
    kit_add_session(kit_session(2, 1, SESSION_LIVE));
    kit_commit(s);
    loaded = (struct loaded){0};
    assert_int_equal(store_load(s, &LOADER, &last, &last_session), 0);
    assert_int_equal(loaded.requests, 2);
    assert_int_equal(loaded.sessions, 2);
    assert_int_equal(loaded.of_this_boot, 2);
    store_close(s);
}

static void a_new_store_has_nothing_and_was_never_committed_to(void **state)
{
    uint64_t last_session = 99;
    struct wall last = {99};
    struct store *s = kit_open();
    struct store_facts facts;

    (void)state;
    loaded = (struct loaded){0};
    assert_int_equal(store_load(s, &LOADER, &last, &last_session), 0);
    assert_int_equal(loaded.requests + loaded.sessions, 0);
    assert_int_equal(last.us, 0);
    assert_int_equal(last_session, 0);
    kit_commit(s); /* of nothing: writes nothing */
    assert_int_equal(store_load(s, &LOADER, &last, &last_session), 0);
    assert_int_equal(last.us, 0);
    assert_int_equal(store_facts(s, &facts), 0);
    assert_int_equal(facts.requests + facts.sessions + facts.events, 0);
    assert_int_equal(facts.map_bytes, 1 << 30);
    store_close(s);
}

static void a_loader_that_gives_up_ends_the_load(void **state)
{
    struct store *s = kit_open();
    uint64_t last_session;
    struct wall last;

    (void)state;
    kit_add_session(kit_session(1, 1, SESSION_LIVE));
    kit_add_session(kit_session(2, 1, SESSION_LIVE));
    kit_commit(s);
    loaded = (struct loaded){.answer = -E2BIG};
    assert_int_equal(store_load(s, &LOADER, &last, &last_session), -E2BIG);
    assert_int_equal(loaded.sessions, 1);
    kit_add_request(kit_request(1, 1, REQ_ACTIVE, 1, "sudo"));
    kit_add_request(kit_request(2, 1, REQ_ACTIVE, 1, "sudo"));
    kit_commit(s);
    loaded = (struct loaded){.answer = -E2BIG};
    assert_int_equal(store_load(s, &LOADER, &last, &last_session), -E2BIG);
    assert_int_equal(loaded.requests, 1);
    assert_int_equal(loaded.sessions, 0);
    store_close(s);
}

static void facts_count_rows_not_changes(void **state)
{
    struct store *s = kit_open();
    struct store_facts facts;

    (void)state;
    for (int round = 0; round < 3; round++) {
        for (uint64_t i = 1; i <= 5; i++)
            kit_add_request(kit_request(i, 1, REQ_PENDING, 3, "sudo"));
        kit_add_words(1, WORDS_REASON, "because");
        kit_add_decision(1, 0, "bob", "");
        kit_add_session(kit_session(1, 1, SESSION_LIVE));
        kit_add_audit("request.submit", "alice", 1, "");
        kit_commit(s);
    }
    assert_int_equal(store_facts(s, &facts), 0);
    assert_int_equal(facts.requests, 5);
    assert_int_equal(facts.sessions, 1);
    assert_int_equal(facts.events, 3);
    assert_true(facts.used_bytes > 0 && facts.used_bytes < facts.map_bytes);
    store_close(s);
}

static void group_commit_is_one_transaction_for_many_adds(void **state)
{
    struct store *s = kit_open();
    MDB_envinfo before, after;

    (void)state;
    mdb_env_info(s->env, &before);
    assert_int_equal(store_begin(s, now_at(1)), 0);
    assert_int_equal(store_begin(s, now_at(1)), -EALREADY);
    for (uint64_t i = 1; i <= 200; i++) {
        kit_add_request(kit_request(i, 1, REQ_PENDING, 3, "sudo"));
        kit_add_audit("request.submit", "alice", i, "");
        kit_give(s);
    }
    assert_int_equal(store_commit(s), 0);
    mdb_env_info(s->env, &after);
    assert_int_equal(after.me_last_txnid, before.me_last_txnid + 1);
    ask(s, (struct request_query){.started = false}, SIZE_MAX);
    assert_int_equal(seen.n, 200);
    store_close(s);
}

#define T(f) cmocka_unit_test_setup_teardown(f, kit_setup, kit_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_request_comes_back_whole_with_all_that_was_said),
        T(what_nobody_said_is_empty),
        T(a_request_is_there_or_not),
        T(nothing_is_there_before_the_commit_or_after_an_abort),
        T(what_could_not_be_read_back_is_not_committed_nor_is_what_came_with_it),
        T(every_combination_of_filters_gives_what_a_naive_scan_gives),
        T(paging_with_a_small_budget_gives_the_same_rows),
        T(a_query_with_no_budget_gives_nothing_and_may_have_more),
        T(a_row_that_was_sent_back_comes_again),
        T(paging_survives_what_is_written_between_the_pages),
        T(the_rarest_filter_sets_the_pace),
        T(no_index_holds_an_entry_that_its_row_does_not_have),
        T(requests_are_found_by_a_name_that_nobody_bears),
        T(a_store_without_names_gets_them),
        T(sessions_are_listed_under_their_elevation_oldest_first),
        T(a_session_that_was_sent_back_comes_again),
        T(a_session_that_moved_is_shown_under_both_elevations),
        T(a_restart_gives_the_same_live_requests_and_sessions),
        T(after_a_reboot_what_was_written_before_it_is_told_apart),
        T(a_new_store_has_nothing_and_was_never_committed_to),
        T(a_loader_that_gives_up_ends_the_load),
        T(facts_count_rows_not_changes),
        T(group_commit_is_one_transaction_for_many_adds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
