/* Account assignments that wait for each other, that are given up, and that cannot be. */
#include "aws/assignment_rig.h"

/* ---- several steps -------------------------------------------------------------------------- */

static void test_list(void **state)
{
    static const struct fake_line SCRIPT[] = {
        LIST("{'AccountAssignments':[" ROW("USER", "a-1") "," ROW("GROUP",
                                                                  "g-1") "," ROW("USER", "/") "]}"),
        {0}};
    struct seen s = {0};

    (void)state;
    begin(SCRIPT);
    start(&s, ASSIGNMENT_LIST, "");
    fake_run(&s.done);
    assert_int_equal(s.outcome, ASSIGNMENT_LISTED);
    assert_int_equal(s.n_rows, 2);
    assert_string_equal(s.rows[0], " a-1");
    assert_string_equal(s.rows[1], "@g-1");
    end();
}

/* One after the other, in their order, although all could be asked at once. */
static void test_order_in_a_pair(void **state)
{
    static const struct fake_line SCRIPT[] = {
        {"CreateAccountAssignment", "{'PrincipalId':'a-1'}", CREATED("IN_PROGRESS", "")},
        CREATION(CREATED("SUCCEEDED", "")),
        {"CreateAccountAssignment", "{'PrincipalId':'a-2'}", CREATED("SUCCEEDED", "")},
        {"DeleteAccountAssignment", "{'PrincipalId':'a-1'}", DELETED("SUCCEEDED", "")},
        {"CreateAccountAssignment", "{'PrincipalId':'a-1'}", CREATED("SUCCEEDED", "")},
        {0}};
    struct seen s[4] = {0};

    (void)state;
    begin(SCRIPT);
    start(&s[0], ASSIGNMENT_GRANT, "a-1");
    start(&s[1], ASSIGNMENT_GRANT, "a-2");
    start(&s[2], ASSIGNMENT_REMOVE, "a-1");
    start(&s[3], ASSIGNMENT_GRANT, "a-1");
    fake_run(&s[3].done);
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(s[i].order, i + 1);
    assert_int_equal(fake_most, 1);
    end();
}

/* Who waits for AWS lets others of the same pair go first, but not those about the same assignment.
 */
static void test_pause_lets_others_by(void **state)
{
    static const struct fake_line SCRIPT[] = {
        {"DeleteAccountAssignment", "{'PrincipalId':'a-1'}", "!AccessDeniedException no"},
        {"CreateAccountAssignment", "{'PrincipalId':'a-2'}", CREATED("SUCCEEDED", "")},
        {"DeleteAccountAssignment", "{'PrincipalId':'a-1'}", DELETED("SUCCEEDED", "")},
        {"CreateAccountAssignment", "{'PrincipalId':'a-1'}", CREATED("SUCCEEDED", "")},
        {0}};
    struct seen s[3] = {0};

    (void)state;
    begin(SCRIPT);
    start(&s[0], ASSIGNMENT_REMOVE, "a-1");
    start(&s[1], ASSIGNMENT_GRANT, "a-1");
    start(&s[2], ASSIGNMENT_GRANT, "a-2");
    fake_run(&s[1].done);
    assert_int_equal(s[2].order, 1);
    assert_int_equal(s[0].order, 2);
    assert_int_equal(s[1].order, 3);
    end();
}

/* Different pairs at once, but not more than AWS takes. */
static void test_breadth(void **state)
{
    enum { N = 40 };
    static struct fake_line script[N + 1];
    static struct seen s[N];
    struct assignment a = assignment("a-1");

    (void)state;
    memset(s, 0, sizeof s);
    for (size_t i = 0; i < N; i++)
        script[i] = (struct fake_line){"CreateAccountAssignment", NULL, CREATED("SUCCEEDED", "")};
    begin(script);
    for (size_t i = 0; i < N; i++) {
        struct assignment_calls calls = {on_done, NULL, NULL, &s[i]};

        snprintf(a.account, sizeof a.account, "%012zu", i);
        assert_int_equal(assignment_start(queue, ASSIGNMENT_GRANT, &a, &calls, NULL), 0);
    }
    fake_run(&s[N - 1].done);
    assert_int_equal(fake_most, ASSIGNMENTS_CHANGING);
    end();
}

/* AWS works on it for minutes: the person is told, and others get the place. */
static void test_drags(void **state)
{
    static const struct fake_line SCRIPT[] = {CREATE(CREATED("IN_PROGRESS", "")),
                                              CREATION(CREATED("IN_PROGRESS", "")),
                                              CREATION(CREATED("IN_PROGRESS", "")),
                                              CREATION(CREATED("SUCCEEDED", "")),
                                              {0}};
    struct assignments_status status;
    struct seen s = {0};

    (void)state;
    begin(SCRIPT);
    start(&s, ASSIGNMENT_GRANT, "a-1");
    while (fake_at < 2)
        sd_event_run(fake_loop, 100000);
    assignments_status(queue, &status);
    assert_int_equal(status.changing, 1);
    assert_int_equal(s.n_waits, 0);
    fake_ahead_s += 121;
    while (s.n_waits == 0)
        sd_event_run(fake_loop, 100000);
    assert_int_equal(s.waits[0], ASSIGNMENT_SLOW);
    assignments_status(queue, &status);
    assert_int_equal(status.changing, 0);
    assert_int_equal(status.waiting, 1);
    fake_run(&s.done);
    assert_int_equal(s.outcome, ASSIGNMENT_GRANTED);
    end();
}

/* Removals go before grants that wait longer. */
static void test_removals_first(void **state)
{
    enum { N = 2 * ASSIGNMENTS_CHANGING };
    static struct fake_line script[N + 2];
    static struct seen s[N], removal;
    struct assignment a = assignment("a-1");

    (void)state;
    memset(s, 0, sizeof s);
    memset(&removal, 0, sizeof removal);
    for (size_t i = 0; i < N + 1; i++)
        script[i] = (struct fake_line){"CreateAccountAssignment", NULL, CREATED("SUCCEEDED", "")};
    script[0] = (struct fake_line){"DeleteAccountAssignment", NULL, DELETED("SUCCEEDED", "")};
    begin(script);
    for (size_t i = 0; i < N; i++) {
        struct assignment_calls calls = {on_done, NULL, NULL, &s[i]};

        snprintf(a.account, sizeof a.account, "%012zu", i);
        assert_int_equal(assignment_start(queue, ASSIGNMENT_GRANT, &a, &calls, NULL), 0);
    }
    start(&removal, ASSIGNMENT_REMOVE, "a-1");
    fake_run(&s[N - 1].done);
    assert_int_equal(removal.order, 1);
    end();
}

/* ---- ends before the end -------------------------------------------------------------------- */

static int stop(sd_event_source *source, uint64_t at, void *ctx)
{
    (void)source;
    (void)at;
    *(bool *)ctx = true;
    return 0;
}

static void run_for_ms(unsigned ms)
{
    bool over = false;
    sd_event_source *timer = NULL;
    uint64_t now;

    sd_event_now(fake_loop, CLOCK_MONOTONIC, &now);
    assert_true(sd_event_add_time(fake_loop, &timer, CLOCK_MONOTONIC, now + ms * 1000, 1, stop,
                                  &over) >= 0);
    fake_run(&over);
    sd_event_source_disable_unref(timer);
}

/* A grant is cancelled while its creation is on its way: the removal comes after the answer. */
static void test_cancel_on_the_way(void **state)
{
    static const struct fake_line SCRIPT[] = {CREATE(CREATED("IN_PROGRESS", "")),
                                              DELETE("!ConflictException it is being made"),
                                              DELETE(DELETED("SUCCEEDED", "")),
                                              {0}};
    struct seen grant = {0}, removal = {0};

    (void)state;
    begin(SCRIPT);
    start(&grant, ASSIGNMENT_GRANT, "a-1");
    while (fake_at == 0)
        sd_event_run(fake_loop, 0);
    assert_null(assignment_cancel(grant.op));
    start(&removal, ASSIGNMENT_REMOVE, "a-1");
    fake_run(&removal.done);
    assert_false(grant.done);
    end();
}

static void test_cancel_while_it_waits(void **state)
{
    static const struct fake_line SCRIPT[] = {CREATE(CREATED("IN_PROGRESS", "")), {0}};
    struct seen s[3] = {0};

    (void)state;
    begin(SCRIPT);
    start(&s[0], ASSIGNMENT_GRANT, "a-1");
    start(&s[1], ASSIGNMENT_GRANT, "a-2");
    start(&s[2], ASSIGNMENT_LOOK_UP, "a-3");
    assignment_cancel(s[1].op);
    while (fake_at == 0 || fake_under_way > 0)
        sd_event_run(fake_loop, UINT64_MAX);
    assignment_cancel(s[0].op); /* it asks for its status now and then */
    assignment_cancel(s[2].op);
    assert_null(assignment_cancel(NULL));
    end();
}

static struct seen *cancel_me;

static void on_row_cancel(void *ctx, const struct assignment *a)
{
    on_row(ctx, a);
    assignment_cancel(cancel_me->op);
}

static void test_cancel_among_rows(void **state)
{
    static const struct fake_line SCRIPT[] = {
        LIST("{'AccountAssignments':[" ROW("USER", "a-1") "," ROW("USER",
                                                                  "a-2") "],'NextToken':'more'}"),
        {0}};
    struct seen s = {0};
    struct assignment_calls calls = {on_done, NULL, on_row_cancel, &s};
    struct assignment a = assignment("");

    (void)state;
    begin(SCRIPT);
    cancel_me = &s;
    assert_int_equal(assignment_start(queue, ASSIGNMENT_LIST, &a, &calls, &s.op), 0);
    run_for_ms(20);
    assert_int_equal(s.n_rows, 1);
    assert_false(s.done);
    end();
}

static void test_free_at_work(void **state)
{
    static const struct fake_line SCRIPT[] = {CREATE(CREATED("IN_PROGRESS", "")), {0}};
    struct seen s[2] = {0};

    (void)state;
    begin(SCRIPT);
    start(&s[0], ASSIGNMENT_GRANT, "a-1");
    start(&s[1], ASSIGNMENT_GRANT, "a-2");
    while (fake_at == 0)
        sd_event_run(fake_loop, 0);
    queue = assignments_free(queue);
    assert_null(assignments_free(NULL));
    fake_end();
}

/* ---- what cannot be ------------------------------------------------------------------------- */

static void test_refused_arguments(void **state)
{
    static const struct fake_line SCRIPT[] = {{0}};
    static const struct {
        const char *account, *set, *principal;
    } BAD[] = {{"11112222333", SET_ARN, "a-1"},
               {"1111222233334", SET_ARN, "a-1"},
               {"11112222333x", SET_ARN, "a-1"},
               {"111122223333", "AdministratorAccess", "a-1"},
               {"111122223333", "arn:aws:iam::1:role/ps-1", "a-1"},
               {"111122223333", SET_ARN, ""},
               {"111122223333", SET_ARN, "alice@example.com"}};
    struct assignment_calls calls = {on_done, NULL, NULL, NULL};

    (void)state;
    begin(SCRIPT);
    for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++) {
        struct assignment a = {.kind = AWS_USER};

        memcpy(a.account, BAD[i].account, strnlen(BAD[i].account, sizeof a.account - 1));
        memcpy(a.set, BAD[i].set, strlen(BAD[i].set));
        memcpy(a.principal, BAD[i].principal, strlen(BAD[i].principal));
        if (i == 1)
            a.account[0] = 'x';
        assert_int_equal(assignment_start(queue, ASSIGNMENT_GRANT, &a, &calls, NULL), -EINVAL);
    }
    end();
    assert_int_equal(assignments_new(NULL, NULL, "ssoins-1", &queue), -EINVAL);
}

static void test_too_many(void **state)
{
    static const struct fake_line SCRIPT[] = {{0}};
    struct assignment a = assignment("a-1");
    struct assignment_calls calls = {on_done, NULL, NULL, NULL};

    (void)state;
    begin(SCRIPT);
    for (size_t i = 0; i < ASSIGNMENTS_MAX; i++) {
        snprintf(a.account, sizeof a.account, "%012zu", i);
        assert_int_equal(assignment_start(queue, ASSIGNMENT_GRANT, &a, &calls, NULL), 0);
    }
    assert_int_equal(assignment_start(queue, ASSIGNMENT_GRANT, &a, &calls, NULL), -EAGAIN);
    queue = assignments_free(queue);
    fake_end();
}

/* The client's own queue is full for a while. */
static void test_client_is_full(void **state)
{
    static const struct fake_line GRANTS[] = {CREATE(CREATED("SUCCEEDED", "")), {0}};
    static const struct fake_line LOOKS[] = {NO_ROWS, {0}};
    static const enum assignment_step STEPS[] = {ASSIGNMENT_GRANT, ASSIGNMENT_LOOK_UP};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct seen s = {0};

        begin(i == 0 ? GRANTS : LOOKS);
        fake_fails_with = -EAGAIN;
        start(&s, STEPS[i], "a-1");
        run_for_ms(2);
        fake_fails_with = 0;
        fake_run(&s.done);
        assert_int_equal(s.n_waits, 1);
        assert_int_equal(s.waits[0], ASSIGNMENT_SLOW);
        assert_int_not_equal(s.outcome, ASSIGNMENT_FAILED);
        end();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_list),
        cmocka_unit_test(test_order_in_a_pair),
        cmocka_unit_test(test_pause_lets_others_by),
        cmocka_unit_test(test_breadth),
        cmocka_unit_test(test_drags),
        cmocka_unit_test(test_removals_first),
        cmocka_unit_test(test_cancel_on_the_way),
        cmocka_unit_test(test_cancel_while_it_waits),
        cmocka_unit_test(test_cancel_among_rows),
        cmocka_unit_test(test_free_at_work),
        cmocka_unit_test(test_refused_arguments),
        cmocka_unit_test(test_too_many),
        cmocka_unit_test(test_client_is_full),
    };

    return cmocka_run_group_tests_name("assignments", tests, NULL, NULL);
}
