/* Requests and sessions: written, asked for, and found again after a restart. */
#include "store/internal.h"

#include "store_kit.h"

#include "store_filled.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_request_comes_back_whole_with_all_that_was_said),
        T(what_nobody_said_is_empty),
        T(a_request_is_there_or_not),
        T(nothing_is_there_before_the_commit_or_after_an_abort),
        T(what_could_not_be_read_back_is_not_committed_nor_is_what_came_with_it),
        T(a_restart_gives_the_same_live_requests_and_sessions),
        T(after_a_reboot_what_was_written_before_it_is_told_apart),
        T(a_new_store_has_nothing_and_was_never_committed_to),
        T(a_loader_that_gives_up_ends_the_load),
        T(facts_count_rows_not_changes),
        T(group_commit_is_one_transaction_for_many_adds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
