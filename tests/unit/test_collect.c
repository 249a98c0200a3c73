/* When activity is asked for, for which time, and what of it is unknown. */
#include "core/collect.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include <stdio.h>

#define T0 INT64_C(1767225600) /* activation */

static struct wall at(int64_t s)
{
    return (struct wall){(T0 + s) * SECOND_US};
}

/* Both clocks go at the same pace. */
static struct now now_at(int64_t s)
{
    return (struct now){.wall = at(s), .boot = {(1000 + s) * SECOND_US}};
}

static int64_t due_in(const struct collecting *c, int64_t now_s)
{
    return (c->due.us - now_at(now_s).boot.us) / SECOND_US;
}

static struct collecting fresh(void)
{
    struct collection k = {.request = {1}, .stage = COLLECT_LIVE, .from = at(0), .cursor = at(0)};

    return collect_from(&k, now_at(0));
}

static void window_is(const struct collecting *c, int64_t from, int64_t until)
{
    assert_int_equal(c->window.from.us, at(from).us);
    assert_int_equal(c->window.until.us, at(until).us);
}

/* One pass that begins and ends at this time. */
static void pass(struct collecting *c, int64_t s, bool something)
{
    collect_ask(c, now_at(s));
    assert_true(c->asked);
    collect_done(c, now_at(s), something);
    assert_false(c->asked);
}

/* ---- when ------------------------------------------------------------------------------------ */

static void test_pace(void **state)
{
    struct collecting c = fresh();
    static const int64_t PACES[] = {120, 240, 480, 600, 600};
    int64_t now = 0;

    (void)state;
    assert_int_equal(due_in(&c, 0), 0);
    for (size_t i = 0; i < sizeof PACES / sizeof PACES[0]; i++) {
        pass(&c, now, false);
        assert_int_equal(due_in(&c, now), PACES[i]);
        now += PACES[i];
    }
    pass(&c, now, true);
    assert_int_equal(due_in(&c, now), 60);
}

static void test_windows_look_back(void **state)
{
    struct collecting c = fresh();

    (void)state;
    collect_ask(&c, now_at(60));
    window_is(&c, 0, 60); /* not before activation */
    collect_done(&c, now_at(61), true);
    assert_int_equal(c.cursor.us, at(60).us);
    pass(&c, 3600, true);
    collect_ask(&c, now_at(3660));
    window_is(&c, 3600 - 20 * 60, 3660);
    collect_done(&c, now_at(3660), true);
    collect_ask(&c, now_at(3000)); /* the clock was set back */
    window_is(&c, 3660 - 20 * 60, 3660);
}

static void test_far_behind(void **state)
{
    struct collecting c = fresh();

    (void)state;
    collect_ask(&c, now_at(20 * 3600));
    window_is(&c, 0, 6 * 3600);
    collect_done(&c, now_at(20 * 3600), false);
    assert_int_equal(due_in(&c, 20 * 3600), 0); /* goes on at once */
    pass(&c, 20 * 3600, false);
    pass(&c, 20 * 3600, false);
    assert_int_equal(c.cursor.us, at(18 * 3600).us);
    pass(&c, 20 * 3600, false);
    assert_int_equal(c.cursor.us, at(20 * 3600).us);
    assert_int_equal(due_in(&c, 20 * 3600), 600);
}

static void test_late_passes(void **state)
{
    struct collecting c = fresh();

    (void)state;
    pass(&c, 3000, false);
    collect_end(&c, at(3600), now_at(3000));
    pass(&c, 3500, false);
    assert_int_equal(c.stage, COLLECT_LIVE);
    collect_ask(&c, now_at(3700));
    window_is(&c, 3500 - 1200, 3600); /* and not longer than the credentials */
    collect_done(&c, now_at(3700), false);
    assert_int_equal(c.stage, COLLECT_LATE);
    assert_int_equal(due_in(&c, 3700), 1200 - 100);
    collect_ask(&c, now_at(4800));
    window_is(&c, 0, 3600); /* all of it */
    collect_done(&c, now_at(4810), true);
    assert_int_equal(c.stage, COLLECT_LAST);
    assert_int_equal(due_in(&c, 4810), 3600 + 86400 - 4810);
    pass(&c, 3600 + 86400, false);
    assert_int_equal(c.stage, COLLECT_OVER);
}

static void test_after_a_restart(void **state)
{
    struct collection k = {.stage = COLLECT_LATE,
                           .from = at(0),
                           .until = at(3600),
                           .cursor = at(3600),
                           .n_gaps = 1,
                           .gaps = {{{at(60), at(120)}, "why"}}};
    struct collecting c = collect_from(&k, now_at(4000));

    (void)state;
    assert_int_equal(due_in(&c, 4000), 800);
    assert_int_equal(c.oldest_gap.us, at(60).us);
    c = collect_from(&k, now_at(9000)); /* long past */
    assert_int_equal(due_in(&c, 9000), 0);
    c = collect_from(&k, now_at(-90000)); /* the clock was set back by a day: no longer than ever */
    assert_int_equal(due_in(&c, -90000), 1200);
    k.stage = COLLECT_LAST;
    c = collect_from(&k, now_at(4000));
    assert_int_equal(due_in(&c, 4000), 86400 - 400);
    k.stage = COLLECT_LIVE;
    c = collect_from(&k, now_at(4000));
    assert_int_equal(due_in(&c, 4000), 0);
}

static void test_gaps_are_tried_again(void **state)
{
    struct collecting c = fresh();

    (void)state;
    pass(&c, 10000, true);
    c.oldest_gap = at(300);
    collect_ask(&c, now_at(10060));
    window_is(&c, 300, 10060);
    collect_done(&c, now_at(10060), true);
    c.oldest_gap = at(9990); /* within what is looked at anyway */
    collect_ask(&c, now_at(10120));
    window_is(&c, 10060 - 1200, 10120);
    collect_done(&c, now_at(10120), true);
    c.oldest_gap = at(300);
    collect_ask(&c, now_at(300 + 6 * 3600)); /* too old: the late passes */
    assert_int_equal(c.window.from.us, at(10120 - 1200).us);
}

static void test_failures(void **state)
{
    struct collecting c = fresh();
    static const int64_t AGAIN[] = {10, 20, 40, 80, 160, 320, 600, 600};

    (void)state;
    pass(&c, 0, true);
    for (size_t i = 0; i < sizeof AGAIN / sizeof AGAIN[0]; i++) {
        collect_ask(&c, now_at(60));
        assert_false(collect_failed(&c, now_at(60), "down"));
        assert_false(c.asked);
        assert_int_equal(due_in(&c, 60), AGAIN[i]);
        assert_int_equal(c.cursor.us, at(0).us);
        assert_string_equal(c.why, "down");
    }
    collect_ask(&c, now_at(70));
    collect_done(&c, now_at(70), true);
    assert_int_equal(c.failures, 0);
    assert_string_equal(c.why, "");
    c.failures = UINT16_MAX;
    assert_false(collect_failed(&c, now_at(70), "down"));
    assert_int_equal(c.failures, UINT16_MAX);
    collect_end(&c, at(100), now_at(70));
    assert_false(collect_failed(&c, now_at(100 + 7 * 86400 - 1), "down"));
    assert_true(collect_failed(&c, now_at(100 + 7 * 86400), "down"));
    assert_int_equal(c.stage, COLLECT_OVER);
}

static void test_somebody_looks_on(void **state)
{
    struct collecting c = fresh();

    (void)state;
    c.due = now_at(60).boot;
    collect_follow(&c, true, now_at(2));
    assert_int_equal(due_in(&c, 2), 0); /* none has begun yet */
    collect_follow(&c, false, now_at(2));
    pass(&c, 0, false);
    collect_follow(&c, true, now_at(5));
    assert_int_equal(due_in(&c, 5), 0); /* at once, */
    pass(&c, 5, false);
    assert_int_equal(due_in(&c, 5), 3); /* and soon again */
    c.due.us = 0;
    collect_follow(&c, true, now_at(6)); /* nothing new */
    assert_int_equal(c.due.us, 0);
    collect_ask(&c, now_at(8));
    collect_follow(&c, false, now_at(8)); /* counts from the next one on */
    collect_done(&c, now_at(8), true);
    assert_int_equal(due_in(&c, 8), 60);
    collect_ask(&c, now_at(9));
    collect_failed(&c, now_at(9), "down");
    collect_follow(&c, true, now_at(10)); /* a source that fails is not hurried */
    assert_int_equal(due_in(&c, 10), 9);
    c.failures = 0;
    collect_follow(&c, false, now_at(10));
    assert_int_equal(due_in(&c, 10), 60);
    collect_follow(&c, true, now_at(11)); /* the last one began two seconds ago */
    assert_int_equal(due_in(&c, 11), 1);
    collect_follow(&c, false, now_at(11));
    collect_follow(&c, true, now_at(12));
    assert_int_equal(due_in(&c, 12), 0);
}

static void test_somebody_looks_on_after_the_end(void **state)
{
    struct collecting c = fresh();

    (void)state;
    collect_end(&c, at(100), now_at(50));
    assert_int_equal(due_in(&c, 50), 60);
    pass(&c, 101, false);
    assert_int_equal(c.stage, COLLECT_LATE);
    collect_follow(&c, true, now_at(200));
    assert_int_equal(due_in(&c, 200), 0);
    collect_ask(&c, now_at(200));
    window_is(&c, 0, 100);
    collect_done(&c, now_at(200), false);
    assert_int_equal(c.stage, COLLECT_LATE); /* that was not the late pass */
    assert_int_equal(due_in(&c, 200), 3);
    pass(&c, 1300, false);
    assert_int_equal(c.stage, COLLECT_LAST);
    assert_int_equal(due_in(&c, 1300), 86400 + 100 - 1300);
    collect_follow(&c, false, now_at(1400));
    collect_follow(&c, true, now_at(1400));
    assert_int_equal(due_in(&c, 1400), 86400 + 100 - 1400); /* there is nothing to see any more */
}

static void test_lost_and_ended_under_way(void **state)
{
    struct collecting c = fresh();

    (void)state;
    collect_ask(&c, now_at(10));
    collect_end(&c, at(5), now_at(11));
    assert_true(c.asked);
    assert_int_equal(c.until.us, at(5).us);
    collect_lost(&c, now_at(12));
    assert_false(c.asked);
    assert_int_equal(due_in(&c, 12), 0);
    assert_int_equal(c.cursor.us, at(0).us);
}

static void test_next(void **state)
{
    struct collecting all[3] = {fresh(), fresh(), fresh()};

    (void)state;
    assert_int_equal(collect_next(all, 0), 0);
    all[0].due.us = 30;
    all[1].due.us = 10;
    all[2].due.us = 20;
    assert_int_equal(collect_next(all, 3), 1);
    all[1].asked = true;
    assert_int_equal(collect_next(all, 3), 2);
    all[0].asked = all[2].asked = true;
    assert_int_equal(collect_next(all, 3), 3);
}

static void test_lag(void **state)
{
    struct span s;

    (void)state;
    assert_false(collect_lags(at(0), (struct wall){0}, at(900), &s));
    assert_true(collect_lags(at(0), (struct wall){0}, at(901), &s));
    assert_int_equal(s.until.us, at(901).us);
    assert_true(collect_lags(at(0), at(600), at(901), &s));
    assert_int_equal(s.from.us, at(0).us);
    assert_int_equal(s.until.us, at(600).us);
    assert_false(collect_lags(at(600), at(600), at(9000), &s)); /* nothing is left */
}

/* ---- gaps ------------------------------------------------------------------------------------ */

static struct gap gap(int64_t from, int64_t until, const char *why)
{
    struct gap g = {.when = {at(from), at(until)}};

    snprintf(g.why, sizeof g.why, "%s", why);
    return g;
}

static void note(struct collection *c, int64_t from, int64_t until, struct gap g)
{
    collect_note(c, (struct span){at(from), at(until)}, &g, g.why[0] != '\0');
}

/* "from-until why, ..." */
static void gaps_are(const struct collection *c, const char *expected)
{
    char text[4096] = "";
    size_t n = 0;

    for (size_t i = 0; i < c->n_gaps; i++)
        n += (size_t)snprintf(text + n, sizeof text - n, "%s%d-%d %s", i > 0 ? ", " : "",
                              (int)(c->gaps[i].when.from.us / SECOND_US - T0),
                              (int)(c->gaps[i].when.until.us / SECOND_US - T0), c->gaps[i].why);
    assert_string_equal(text, expected);
}

static const struct gap NONE;

static void test_a_gap_is_filled_later(void **state)
{
    struct collection c = {.n_gaps = 0};

    (void)state;
    note(&c, 0, 100, gap(10, 60, "down"));
    gaps_are(&c, "10-60 down");
    note(&c, 20, 30, NONE);
    gaps_are(&c, "10-20 down, 30-60 down");
    note(&c, 0, 15, NONE);
    gaps_are(&c, "15-20 down, 30-60 down");
    note(&c, 40, 100, NONE);
    gaps_are(&c, "15-20 down, 30-40 down");
    note(&c, 0, 100, NONE);
    gaps_are(&c, "");
}

static void test_gaps_of_one_reason_are_one(void **state)
{
    struct collection c = {.n_gaps = 0};
    struct gap two[] = {gap(50, 70, "down"), gap(0, 50, "down")};
    struct gap mixed[] = {gap(200, 300, "slow"), gap(210, 220, "down"), gap(250, 320, "down")};

    (void)state;
    collect_note(&c, (struct span){at(0), at(60)}, two, 2); /* not beyond what was asked for */
    gaps_are(&c, "0-60 down");
    note(&c, 60, 120, gap(60, 90, "down"));
    gaps_are(&c, "0-90 down");
    note(&c, 90, 120, gap(90, 120, "slow"));
    gaps_are(&c, "0-90 down, 90-120 slow");
    note(&c, 0, 200, NONE);
    collect_note(&c, (struct span){at(200), at(400)}, mixed, 3);
    gaps_are(&c, "200-300 slow, 300-320 down");
    collect_note(&c, (struct span){at(200), at(400)},
                 (struct gap[]){gap(200, 300, "down"), gap(210, 220, "down")}, 2);
    gaps_are(&c, "200-300 down");
    collect_note(&c, (struct span){at(400), at(600)},
                 (struct gap[]){gap(400, 500, "slow"), gap(450, 500, "down")}, 2);
    gaps_are(&c, "200-300 down, 400-500 slow");
}

static void test_too_many_gaps(void **state)
{
    struct collection c = {.n_gaps = 0};

    (void)state;
    for (int i = 0; i < GAPS_MAX; i++)
        note(&c, 100 * i, 100 * i + 50, gap(100 * i, 100 * i + 50, "down"));
    assert_int_equal(c.n_gaps, GAPS_MAX);
    note(&c, 160, 170, gap(160, 170, "slow"));
    assert_int_equal(c.n_gaps, GAPS_MAX);
    assert_int_equal(c.gaps[1].when.from.us, at(100).us); /* the nearest two became one */
    assert_int_equal(c.gaps[1].when.until.us, at(170).us);
    assert_string_equal(c.gaps[1].why, "down");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pace),
        cmocka_unit_test(test_windows_look_back),
        cmocka_unit_test(test_far_behind),
        cmocka_unit_test(test_late_passes),
        cmocka_unit_test(test_after_a_restart),
        cmocka_unit_test(test_gaps_are_tried_again),
        cmocka_unit_test(test_failures),
        cmocka_unit_test(test_somebody_looks_on),
        cmocka_unit_test(test_somebody_looks_on_after_the_end),
        cmocka_unit_test(test_lost_and_ended_under_way),
        cmocka_unit_test(test_next),
        cmocka_unit_test(test_lag),
        cmocka_unit_test(test_a_gap_is_filled_later),
        cmocka_unit_test(test_gaps_of_one_reason_are_one),
        cmocka_unit_test(test_too_many_gaps),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
