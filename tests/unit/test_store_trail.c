/* The audit trail: whole, in the same transaction, and asked by filter. */
#include "store/chain.h"
#include "store/internal.h"

#include "store_kit.h"

enum { N_EVENTS = 4000 };

/* ---- what was written, to compare with --------------------------------------------------------
 */

static struct written {
    const char *actor, *action;
    uint64_t id;
    int64_t at_s;
} written[N_EVENTS + 1]; /* by number, from 1 */

static struct store *fill(uint64_t seed, unsigned steps_back)
{
    static const char *const ACTORS[] = {"alice", "bob", "al", "alicex", ""};
    static const char *const ACTIONS[] = {"request.approve", "request", "session.open", "reload"};
    struct store *s = kit_open();
    int64_t now = 1000;
    size_t n = 0;

    while (n < N_EVENTS) {
        for (uint64_t burst = 1 + below(&seed, 40); burst > 0 && n < N_EVENTS; burst--) {
            struct written *w = &written[++n];

            *w = (struct written){ACTORS[below(&seed, 5)], ACTIONS[below(&seed, 4)],
                                  below(&seed, 60), now};
            kit_add_audit(w->action, w->actor, w->id, "");
        }
        assert_int_equal(kit_commit_at(s, now), 0);
        now += (int64_t)below(&seed, 5);
        if (steps_back > 0 && below(&seed, steps_back) == 0)
            now -= (int64_t)below(&seed, 200);
    }
    return s;
}

static bool wanted(const struct trail_query *q, const struct written *w)
{
    return (!q->actor || !q->actor[0] || strcmp(q->actor, w->actor) == 0) &&
           (!q->action || !q->action[0] || strcmp(q->action, w->action) == 0) &&
           (q->request.bits == 0 || q->request.bits == w->id) &&
           (q->since.us == 0 || at(w->at_s).us >= q->since.us) &&
           (q->until.us == 0 || at(w->at_s).us < q->until.us);
}

static struct seen {
    size_t n, stop_after;
    uint64_t seqs[N_EVENTS + 1];
} seen;

static int see(void *ctx, const struct trail_event *e)
{
    const struct written *w;

    (void)ctx;
    if (seen.stop_after > 0 && seen.n == seen.stop_after)
        return 1;
    assert_in_range(e->seq, 1, N_EVENTS);
    w = &written[e->seq];
    assert_string_equal(e->actor, w->actor);
    assert_string_equal(e->action, w->action);
    assert_int_equal(e->id.bits, w->id);
    assert_int_equal(e->at.us, at(w->at_s).us);
    assert_string_equal(e->host, HOST);
    seen.seqs[seen.n++] = e->seq;
    return 0;
}

static size_t ask(struct store *s, struct trail_query q, size_t budget)
{
    size_t calls = 0;
    int r = 1;

    seen.n = seen.stop_after = 0;
    for (; r == 1; calls++) {
        size_t before = seen.n;

        r = store_trail(s, &q, budget, see, NULL);
        assert_true(r == 0 || r == 1);
        assert_true(seen.n - before <= budget);
    }
    return calls;
}

static void check_query(struct store *s, const struct trail_query *q, size_t budget)
{
    size_t n = 0;

    ask(s, *q, budget);
    for (uint64_t seq = 1; seq <= N_EVENTS; seq++) {
        if (!wanted(q, &written[seq]))
            continue;
        assert_true(n < seen.n);
        assert_int_equal(seen.seqs[n++], seq);
    }
    assert_int_equal(seen.n, n);
}

static struct trail_query random_query(uint64_t *seed)
{
    static const char *const ACTORS[] = {"alice", "bob", "al", "nobody", "", NULL, NULL, NULL};
    static const char *const ACTIONS[] = {"request.approve", "request", "x", "", NULL, NULL};
    struct trail_query q = {.actor = ACTORS[below(seed, 8)], .action = ACTIONS[below(seed, 6)]};

    if (below(seed, 3) == 0)
        q.request.bits = below(seed, 62);
    if (below(seed, 2) == 0)
        q.since = at(900 + (int64_t)below(seed, 700));
    if (below(seed, 2) == 0)
        q.until = at(900 + (int64_t)below(seed, 700));
    return q;
}

/* ---- asking ---------------------------------------------------------------------------------- */

static void check_many(unsigned steps_back)
{
    struct store *s = fill(20260101 + steps_back, steps_back);
    uint64_t seed = 5;

    for (size_t i = 0; i < 400; i++) {
        struct trail_query q = random_query(&seed);

        check_query(s, &q, SIZE_MAX);
        if (i % 4 == 0)
            check_query(s, &q, 1 + i / 4 % 7);
    }
    store_close(s);
}

static void every_combination_of_filters_gives_what_a_naive_scan_gives(void **state)
{
    (void)state;
    check_many(0);
}

static void the_same_when_the_clock_is_set_back_now_and_then(void **state)
{
    (void)state;
    check_many(20);
}

static void the_same_when_the_clock_is_set_back_all_the_time(void **state)
{
    (void)state;
    check_many(1);
}

static void an_event_that_was_sent_back_comes_again(void **state)
{
    struct trail_query q = {.actor = "alice"};
    struct store *s = fill(3, 0);
    size_t n;

    (void)state;
    ask(s, q, SIZE_MAX);
    n = seen.n;
    seen.n = 0;
    for (seen.stop_after = 1; seen.stop_after < n; seen.stop_after += 50)
        assert_int_equal(store_trail(s, &q, SIZE_MAX, see, NULL), 1);
    seen.stop_after = 0;
    assert_int_equal(store_trail(s, &q, SIZE_MAX, see, NULL), 0);
    assert_int_equal(seen.n, n);
    store_close(s);
}

static void the_trail_can_be_followed_from_where_it_ended(void **state)
{
    struct trail_query all = {.next_seq = 0}, bobs = {.actor = "bob", .since = at(500)};
    struct store *s = kit_open();

    (void)state;
    for (uint64_t seq = 1; seq <= 20; seq++) {
        written[seq] = (struct written){seq % 3 ? "bob" : "alice", "reload", seq, 1000};
        kit_add_audit("reload", written[seq].actor, seq, "");
        kit_commit(s);
        seen = (struct seen){.n = 0};
        assert_int_equal(store_trail(s, &all, 10, see, NULL), 0);
        assert_int_equal(seen.n, 1);
        assert_int_equal(seen.seqs[0], seq);
        seen.n = 0;
        assert_int_equal(store_trail(s, &bobs, 10, see, NULL), 0);
        assert_int_equal(seen.n, seq % 3 != 0);
    }
    store_close(s);
}

static int give_up(void *ctx, const struct trail_event *e)
{
    (void)e;
    return *(const int *)ctx;
}

static void the_error_of_a_row_ends_the_query_with_it(void **state)
{
    struct trail_query q = {.next_seq = 0};
    struct store *s = kit_open();

    (void)state;
    kit_add_audit("reload", "root", 0, "");
    kit_commit(s);
    assert_int_equal(store_trail(s, &q, 9, give_up, &(int){-EPIPE}), -EPIPE);
    assert_int_equal(store_trail(s, &q, 9, give_up, &(int){-ENOENT}), -ENOENT);
    store_close(s);
}

static void a_name_that_no_event_can_have_finds_nothing(void **state)
{
    char long_name[300];
    struct trail_query q = {.actor = long_name};
    struct store *s = fill(8, 0);

    (void)state;
    memset(long_name, 'a', sizeof long_name - 1);
    long_name[sizeof long_name - 1] = '\0';
    ask(s, q, SIZE_MAX);
    assert_int_equal(seen.n, 0);
    store_close(s);
}

static void a_rare_actor_is_found_without_reading_the_rest(void **state)
{
    struct trail_query q = {.actor = "mallory", .action = "reload", .since = at(1)};
    struct store *s = kit_open();

    (void)state;
    for (size_t seq = 1; seq <= N_EVENTS; seq++) {
        written[seq] = (struct written){seq == 2000 ? "mallory" : "alice", "reload", 1, 1000};
        kit_add_audit("reload", written[seq].actor, 1, "");
        if (seq % 50 == 0)
            kit_commit(s);
    }
    assert_true(ask(s, q, 4) <= 2);
    assert_int_equal(seen.n, 1);
    assert_int_equal(seen.seqs[0], 2000);
    store_close(s);
}

/* ---- the chain ------------------------------------------------------------------------------- */

struct chain {
    uint64_t seq;
    uint8_t head[HASH_LEN];
};

static int check_link(void *ctx, const struct trail_event *e)
{
    uint8_t sealed[SEALED_MAX];
    struct trail_event again = *e;
    struct chain *c = ctx;

    assert_int_equal(e->seq, ++c->seq);
    assert_memory_equal(e->prev, c->head, HASH_LEN);
    assert_int_not_equal(chain_seal(&again, sealed), 0);
    assert_memory_equal(again.hash, e->hash, HASH_LEN);
    memcpy(c->head, e->hash, HASH_LEN);
    return 0;
}

static void the_chain_is_whole_from_the_first_event_over_restarts_and_aborts(void **state)
{
    struct trail_query q = {.next_seq = 0};
    struct chain chain = {0};
    struct store_facts facts;
    struct store *s;

    (void)state;
    for (int round = 0; round < 5; round++) {
        s = kit_open();
        for (int i = 0; i < 30; i++) {
            kit_add_audit("request.approve", i % 2 ? "bob" : "", 5, "what it was");
            if (i % 7 == 0)
                kit_commit(s);
        }
        kit_commit(s);
        assert_int_equal(store_begin(s, now_at(5)), 0);
        kit_add_audit("never", "mallory", 5, "");
        kit_give(s);
        store_abort(s);
        store_close(s);
    }
    s = kit_open();
    assert_int_equal(store_trail(s, &q, SIZE_MAX, check_link, &chain), 0);
    assert_int_equal(chain.seq, 150);
    assert_int_equal(store_facts(s, &facts), 0);
    assert_int_equal(facts.events, 150);
    assert_memory_equal(facts.head, chain.head, HASH_LEN);
    store_close(s);
}

static int check_fields(void *ctx, const struct trail_event *e)
{
    (void)ctx;
    assert_int_equal(e->at.us, at(1000).us);
    assert_string_equal(e->host, HOST);
    assert_string_equal(e->actor, "bob");
    assert_string_equal(e->action, "request.approve");
    assert_int_equal(e->id.bits, 5);
    assert_string_equal(e->target, "host:bastion-1/sudo");
    assert_string_equal(e->outcome, "done");
    assert_string_equal(e->detail, "what it was");
    return 0;
}

static void an_event_comes_back_with_what_the_store_added(void **state)
{
    struct trail_query q = {.next_seq = 0};
    struct store *s = kit_open();

    (void)state;
    kit_add_audit("request.approve", "bob", 5, "what it was");
    kit_commit(s);
    assert_int_equal(store_trail(s, &q, 9, check_fields, NULL), 0);
    store_close(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(every_combination_of_filters_gives_what_a_naive_scan_gives),
        T(the_same_when_the_clock_is_set_back_now_and_then),
        T(the_same_when_the_clock_is_set_back_all_the_time),
        T(an_event_that_was_sent_back_comes_again),
        T(the_trail_can_be_followed_from_where_it_ended),
        T(the_error_of_a_row_ends_the_query_with_it),
        T(a_name_that_no_event_can_have_finds_nothing),
        T(a_rare_actor_is_found_without_reading_the_rest),
        T(the_chain_is_whole_from_the_first_event_over_restarts_and_aborts),
        T(an_event_comes_back_with_what_the_store_added),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
