/* What one person may cost. The clock is the test's. */
#include "teamd.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct now clock_now;

struct now host_now(void)
{
    return clock_now;
}

static struct budget *budget;

static int begin(void **state)
{
    (void)state;
    clock_now.boot.us = 1000 * SECOND_US;
    budget = budget_new();
    return budget ? 0 : -1;
}

static int end(void **state)
{
    (void)state;
    budget = budget_free(budget);
    return budget ? -1 : 0;
}

static struct actor person(uint32_t uid)
{
    return (struct actor){.uid = uid, .loginuid = uid};
}

/* How often they are refused until that is too often. */
static unsigned refusals(const struct actor *a)
{
    unsigned n = 0;

    for (; budget_allows(budget, a); n++)
        budget_refused(budget, a);
    return n;
}

static unsigned look_ups(const struct actor *a)
{
    unsigned n = 0;

    while (n < 1000 && budget_look_up(budget, a))
        n++;
    return n;
}

static void sixty_refusals_are_free_and_then_one_a_second(void **state)
{
    static const struct {
        int64_t wait_us;
        unsigned more;
    } ROWS[] = {
        {0, 60}, {0, 0},         {SECOND_US - 1, 0},     {1, 1},
        {0, 0},  {SECOND_US, 1}, {5 * SECOND_US / 2, 2}, {SECOND_US / 2, 1},
        {0, 0},  {59000000, 59}, {3600 * SECOND_US, 60}, {0, 0},
    };
    struct actor alice = person(1001);

    (void)state;
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
        unsigned n;

        clock_now.boot.us += ROWS[i].wait_us;
        n = refusals(&alice);
        if (n != ROWS[i].more)
            fail_msg("row %zu: %u refusals, not %u", i, n, ROWS[i].more);
    }
}

/* How much they make until that is too much. */
static unsigned asks(const struct actor *a)
{
    unsigned n = 0;

    for (; budget_may_ask(budget, a); n++)
        budget_asked(budget, a);
    return n;
}

static void ten_thousand_asks_are_free_and_then_one_in_ten_seconds(void **state)
{
    struct actor alice = person(1001), bob = person(1002);

    (void)state;
    assert_int_equal(asks(&alice), 10000);
    assert_true(budget_allows(budget, &alice)); /* to end what is there */
    clock_now.boot.us += 10 * SECOND_US - 1;
    assert_int_equal(asks(&alice), 0);
    clock_now.boot.us += 1;
    assert_int_equal(asks(&alice), 1);
    clock_now.boot.us += 100 * SECOND_US;
    assert_int_equal(asks(&alice), 10);
    assert_int_equal(asks(&bob), 10000);
}

static void one_person_costs_another_nothing(void **state)
{
    struct actor alice = person(1001), bob = person(1002);

    (void)state;
    assert_int_equal(refusals(&alice), 60);
    assert_true(budget_allows(budget, &bob));
    assert_int_equal(refusals(&bob), 60);
}

static void whoever_somebody_became_by_su_there_is_one_account_for_all(void **state)
{
    struct actor alice = person(1001), as_bob = {.uid = 1002, .loginuid = 1001};
    struct actor as_carol = {.uid = 1003, .loginuid = 1001}, bob = person(1002);

    (void)state;
    assert_int_equal(refusals(&as_bob), 60);
    assert_int_equal(refusals(&as_carol), 0);
    assert_true(budget_allows(budget, &alice));
    assert_true(budget_allows(budget, &bob));
}

static void nobody_pays_for_who_takes_on_their_login_uid(void **state)
{
    struct actor as_bob = {.uid = 1001, .loginuid = 1002}, bob = person(1002);

    (void)state;
    assert_int_equal(refusals(&as_bob), 60);
    assert_int_equal(refusals(&bob), 60);
}

static void without_a_login_uid_the_uid_pays(void **state)
{
    struct actor bob = person(1002), unset = {.uid = 1002, .loginuid = NOBODY};

    (void)state;
    assert_int_equal(refusals(&unset), 60);
    assert_false(budget_allows(budget, &bob));
}

static void root_has_an_account_of_its_own_in_every_login(void **state)
{
    struct actor alice = person(1001), root = {.uid = 0, .loginuid = 1001};

    (void)state;
    assert_int_equal(refusals(&alice), 60);
    assert_int_equal(refusals(&root), 60);
}

static void so_many_look_ups_may_be_under_way_and_no_more(void **state)
{
    struct actor alice = person(1001), bob = person(1002);

    (void)state;
    assert_int_equal(look_ups(&alice), 256);
    assert_false(budget_look_up(budget, &alice));
    assert_true(budget_look_up(budget, &bob));
    budget_looked_up(budget, &alice);
    assert_int_equal(look_ups(&alice), 1);
}

static void time_gives_no_look_up_back(void **state)
{
    struct actor alice = person(1001);

    (void)state;
    assert_int_equal(look_ups(&alice), 256);
    clock_now.boot.us += 3600 * SECOND_US;
    assert_false(budget_look_up(budget, &alice));
}

static void a_look_up_that_was_not_counted_gives_nothing(void **state)
{
    struct actor alice = person(1001);

    (void)state;
    budget_looked_up(budget, &alice);
    assert_int_equal(look_ups(&alice), 256);
}

static unsigned lines(uint32_t uid, enum budget_line what)
{
    unsigned n = 0;

    while (n < 1000 && budget_takes(budget, uid, what))
        n++;
    return n;
}

static void a_few_lines_at_once_and_then_one_in_a_while(void **state)
{
    struct actor alice = person(1001);

    (void)state;
    assert_int_equal(lines(1001, BUDGET_TELLS), 3);
    assert_int_equal(lines(1001, BUDGET_HEARS), 10); /* the one does not cost the other */
    assert_int_equal(lines(1002, BUDGET_HEARS), 10);
    assert_int_equal(refusals(&alice), 60);
    clock_now.boot.us += 10 * SECOND_US;
    assert_int_equal(lines(1001, BUDGET_TELLS), 0);
    assert_int_equal(lines(1001, BUDGET_HEARS), 1);
    clock_now.boot.us += 50 * SECOND_US;
    assert_int_equal(lines(1001, BUDGET_TELLS), 1);
    clock_now.boot.us += 3600 * SECOND_US;
    assert_int_equal(lines(1001, BUDGET_TELLS), 3);
    assert_int_equal(lines(1001, BUDGET_HEARS), 10);
}

static void owe_a_line(const struct actor *a)
{
    (void)budget_takes(budget, a->uid, BUDGET_HEARS);
}

/* More strangers than there are accounts: each owes something, so all places get taken. */
static void crowd(unsigned n, void (*owe)(const struct actor *))
{
    for (unsigned i = 0; i < n; i++) {
        struct actor a = person(100000 + i);

        owe(&a);
    }
}

static void owe_a_refusal(const struct actor *a)
{
    budget_refused(budget, a);
}

static void owe_a_look_up(const struct actor *a)
{
    (void)budget_look_up(budget, a);
}

static void a_crowd_frees_nobody_of_what_they_owe(void **state)
{
    struct actor alice = person(1001);

    (void)state;
    assert_int_equal(refusals(&alice), 60);
    crowd(20000, owe_a_refusal);
    assert_false(budget_allows(budget, &alice));
}

static void a_crowd_frees_nobody_of_look_ups_under_way(void **state)
{
    struct actor alice = person(1001);

    (void)state;
    assert_int_equal(look_ups(&alice), 256);
    crowd(20000, owe_a_look_up);
    clock_now.boot.us += 3600 * SECOND_US;
    crowd(20000, owe_a_refusal);
    assert_false(budget_look_up(budget, &alice));
}

static void a_crowd_gives_nobody_their_lines_back(void **state)
{
    (void)state;
    assert_int_equal(lines(1001, BUDGET_TELLS), 3);
    crowd(20000, owe_a_line);
    assert_int_equal(lines(1001, BUDGET_TELLS), 0);
}

static void strangers_in_a_crowd_share_and_get_places_of_their_own_when_it_is_gone(void **state)
{
    struct actor late = person(7);

    (void)state;
    for (unsigned i = 0; i < 80; i++)
        crowd(20000, owe_a_refusal);
    assert_false(budget_allows(budget, &late)); /* a shared place, and empty */
    clock_now.boot.us += 1000000 * SECOND_US;
    assert_int_equal(refusals(&late), 60);
}

#define T(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
    static const struct CMUnitTest TESTS[] = {
        T(sixty_refusals_are_free_and_then_one_a_second),
        T(ten_thousand_asks_are_free_and_then_one_in_ten_seconds),
        T(one_person_costs_another_nothing),
        T(whoever_somebody_became_by_su_there_is_one_account_for_all),
        T(nobody_pays_for_who_takes_on_their_login_uid),
        T(without_a_login_uid_the_uid_pays),
        T(root_has_an_account_of_its_own_in_every_login),
        T(so_many_look_ups_may_be_under_way_and_no_more),
        T(time_gives_no_look_up_back),
        T(a_look_up_that_was_not_counted_gives_nothing),
        T(a_crowd_frees_nobody_of_what_they_owe),
        T(a_crowd_frees_nobody_of_look_ups_under_way),
        T(a_few_lines_at_once_and_then_one_in_a_while),
        T(a_crowd_gives_nobody_their_lines_back),
        T(strangers_in_a_crowd_share_and_get_places_of_their_own_when_it_is_gone),
    };

    return cmocka_run_group_tests(TESTS, NULL, NULL);
}
