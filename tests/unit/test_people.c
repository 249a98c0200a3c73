/* Looking somebody up. people_rig.h says how. */
#include "people_rig.h"

/* ---- look-ups -------------------------------------------------------------------------------- */

static void a_look_up_says_who_somebody_is(void **state)
{
    static const struct {
        const char *says, *name; /* NULL: by uid */
        uint32_t uid;
        const char *then;
    } CASES[] = {
        {"by uid, with the groups of all names", NULL, 1001, "1001 alice: alice alice2 @ops @sre"},
        {"by name", "alice", 0, "1001 alice: alice alice2 @ops @sre"},
        {"by another name", "alice2", 0, "1001 alice: alice alice2 @ops @sre"},
        {"by member list", "bob", 0, "1002 bob: @ops bob"},
        {"by primary group", "carol", 0, "1003 carol: @ops"},
        {"somebody in none of them", "twice", 0, "1011 twice:"},
        {"somebody who is in no list", NULL, 9001, "9001 rita: @remote"},
        {"a uid that nobody has", NULL, 4242, "ENOENT"},
        {"the uid that is no uid", NULL, NOBODY, "ENOENT"},
        {"a name that nobody has", "zoe", 0, "ENOENT"},
        {"an empty name", "", 0, "ENOENT"},
        {"a name that is an option", "-dash", 0, "ENOENT"},
        {"the uid of a name that is an option", NULL, 1005, "ENOENT"},
        {"a name with a blank", "two words", 0, "ENOENT"},
        {"a name with a colon", "bob:x", 0, "ENOENT"},
        {"a name that is too long",
         "a234567890123456789012345678901234567890123456789012345678901234", 0, "ENOENT"},
    };

    (void)state;
    list_policy("alice alice2 @ops @sre bob @remote");
    for (size_t round = 0; round < 2; round++) /* asked, then kept */
        for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
            if (CASES[i].name)
                ask_name(&told, CASES[i].name);
            else
                ask_uid(&told, CASES[i].uid);
            wait_told(&told, 10);
            if (strcmp(told.text, CASES[i].then) != 0)
                fail_msg("%s: %s", CASES[i].says, told.text);
        }
}

static void before_the_first_listing_nothing_can_be_said(void **state)
{
    (void)state;
    ask_uid(&told, 1001);
    wait_told(&told, 10);
    assert_string_equal(told.text, "EAGAIN");
    ask_name(&told, "alice");
    wait_told(&told, 10);
    assert_string_equal(told.text, "EAGAIN");
    put_file("down", "");
    ask_list(&told, policy_of(&policies[0], "zoe"), NULL, 0);
    wait_told(&told, 10);
    assert_int_equal(told.error, -EIO);
    remove_file("down");
    ask_uid(&told, 1001); /* a listing that failed does not count */
    wait_told(&told, 10);
    assert_string_equal(told.text, "EAGAIN");
}

static void an_answer_is_kept_for_a_moment_and_then_fresh(void **state)
{
    (void)state;
    list_policy("@ops @sre");
    ask_name(&told, "dave");
    wait_told(&told, 10);
    assert_string_equal(told.text, "1004 dave: @sre");
    put_file("group", "ops:x:2001:dave\nsre:x:2002:\n");
    ask_name(&told, "dave");
    wait_told(&told, 10);
    assert_string_equal(told.text, "1004 dave: @sre");
    turn_for((double)PEOPLE_FRESH_US / 1e6 + 0.1);
    ask_name(&told, "dave");
    wait_told(&told, 10);
    assert_string_equal(told.text, "1004 dave: @ops");
}

static void a_user_of_the_policy_is_a_number_once_it_was_found(void **state)
{
    (void)state;
    list_policy("bob late @ops");
    put_file("passwd", "robert:x:1002:1002::/:/bin/sh\n"
                       "bob:x:1022:1022::/:/bin/sh\n"
                       "late:x:1030:1030::/:/bin/sh\n");
    ask_uid(&told, 1002); /* renamed */
    wait_told(&told, 10);
    assert_string_equal(told.text, "1002 robert: bob");
    ask_name(&told, "bob"); /* somebody else has the name now */
    wait_told(&told, 10);
    assert_string_equal(told.text, "1022 bob: @ops");
    ask_name(&told, "late"); /* nobody had it when the policy was listed */
    wait_told(&told, 10);
    assert_string_equal(told.text, "1030 late: late");
    list_policy("bob late @ops");
    ask_name(&told, "bob");
    wait_told(&told, 10);
    assert_string_equal(told.text, "1022 bob: bob @ops");
}

static void many_who_ask_for_one_person_are_all_told(void **state)
{
    enum { N = 200 };
    struct told *many = calloc(N, sizeof *many);
    pid_t pids[8];

    (void)state;
    list_policy("@ops");
    for (size_t i = 0; i < N; i++)
        ask_uid(&many[i], 1002);
    for (size_t i = 0; i < N; i++) {
        wait_told(&many[i], 10);
        assert_string_equal(many[i].text, "1002 bob: @ops");
    }
    assert_int_equal(resolver_pids(pids), 1); /* one question, so no second resolver */
    free(many);
}

static size_t n_counted, n_failed;

static void count_found(void *ctx, int error, const struct person *who)
{
    (void)ctx, (void)who;
    n_counted++;
    n_failed += error != -ENOENT;
}

static void more_than_may_wait_are_refused_and_none_is_lost(void **state)
{
    (void)state;
    list_policy("@ops");
    n_counted = n_failed = 0;
    for (uint32_t i = 0; i < PEOPLE_WAITING; i++)
        assert_int_equal(people_by_uid(people, 100000 + i, count_found, NULL), 0);
    assert_int_equal(people_by_uid(people, 1001, count_found, NULL), -EAGAIN);
    assert_int_equal(people_by_name(people, "bob", count_found, NULL), -EAGAIN);
    assert_int_equal(n_counted, 0);
    for (double until = seconds() + 20; n_counted < PEOPLE_WAITING && seconds() < until;)
        sd_event_run(loop, 100000);
    assert_int_equal(n_counted, PEOPLE_WAITING);
    ask_uid(&told, 1002);
    wait_told(&told, 10);
    assert_string_equal(told.text, "1002 bob: @ops");
}

/* The policy that main would hold at this moment, and how often a person came in its terms. */
static const struct policy *current;
static size_t n_right;

static void swap_policy(void *ctx, int error, const struct person *found, size_t n,
                        const struct principal *const *unknown, size_t n_unknown)
{
    (void)found, (void)n, (void)unknown, (void)n_unknown;
    assert_int_equal(error, 0);
    current = ctx;
}

static void check_terms(void *ctx, int error, const struct person *who)
{
    (void)ctx;
    assert_int_equal(error, 0);
    for (size_t i = 0; i < current->n_principals; i++)
        assert_int_equal(has_bit(&who->is, i), strcmp(current->principals[i].name, "bob") == 0);
    n_right++;
}

static void a_reload_in_between_never_mixes_two_policies(void **state)
{
    size_t asked = 0;

    (void)state;
    policy_of(&policies[0], "alice bob @sre dave");
    policy_of(&policies[1], "bob @empty alice");
    n_right = 0;
    current = NULL;
    for (size_t i = 0; i < 300; i++) {
        if (people_list(people, &policies[i / 7 % 2], NULL, 0, swap_policy, &policies[i / 7 % 2]) ==
                0 &&
            !current)
            while (!current)
                sd_event_run(loop, 100000);
        for (size_t k = 0; k < 3; k++, asked++)
            assert_int_equal(k ? people_by_uid(people, 1002, check_terms, NULL)
                               : people_by_name(people, "bob", check_terms, NULL),
                             0);
        for (size_t k = 0; k < i % 5; k++)
            sd_event_run(loop, 0);
    }
    for (double until = seconds() + 10; n_right < asked && seconds() < until;)
        sd_event_run(loop, 100000);
    assert_int_equal(n_right, asked);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_look_up_says_who_somebody_is),
        TEST(before_the_first_listing_nothing_can_be_said),
        TEST(an_answer_is_kept_for_a_moment_and_then_fresh),
        TEST(a_user_of_the_policy_is_a_number_once_it_was_found),
        TEST(many_who_ask_for_one_person_are_all_told),
        TEST(more_than_may_wait_are_refused_and_none_is_lost),
        TEST(a_reload_in_between_never_mixes_two_policies),
    };

    return run_people_tests("people: look-ups", tests, sizeof tests / sizeof tests[0]);
}
