/* Requests and sessions are found as they are asked for: filters against a naive scan. */
#include "store/internal.h"

#include "store_kit.h"

#include "store_filled.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
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
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
