/* Questions of the gate for the trail: what is one row, and what it says. */
#include "stage.h"
#include "teamd.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct stage g;
static struct asked *asked;
static struct effects out;

static int begin(void **state)
{
    (void)state;
    stage_set(&g);
    stage_check(!stage_policy(&g, "may sre @sre host:*/sudo 4h free\nclass cockpit\n"), "policy");
    asked = asked_new();
    return asked ? 0 : -1;
}

static int end(void **state)
{
    (void)state;
    asked = asked_free(asked);
    return asked ? -1 : 0;
}

static struct reply answer(enum reply_code code, uint64_t id, const char *text)
{
    struct reply r = {.code = (uint8_t)code, .id = {id}};

    snprintf(r.text, sizeof r.text, "%s", text);
    return r;
}

static void ask(uint32_t uid, const char *service, struct reply r)
{
    asked_add(asked, uid, service, &r);
}

/* All rows, a line each. */
static const char *rows(void)
{
    static char all[8192];
    struct text t = text_over(all, sizeof all);

    all[0] = '\0';
    for (size_t at = 0; asked_effects(asked, &g.w, &at, &out);)
        for (size_t i = 0; i < out.n; i++) {
            const struct audit *a = &out.items[i].audit;

            assert_int_equal(out.items[i].kind, EFFECT_AUDIT);
            text_put(&t, a->action);
            text_put(&t, " ");
            text_put(&t, a->actor.text);
            text_put(&t, " ");
            text_put(&t, a->outcome);
            text_put(&t, " ");
            text_put_u64(&t, a->id.bits);
            text_put(&t, " ");
            text_put(&t, a->target);
            text_put(&t, "; ");
            text_put(&t, a->detail);
            text_put(&t, "\n");
        }
    return all;
}

static void equal_questions_with_equal_answers_are_one_row(void **state)
{
    (void)state;
    assert_true(asked_empty(asked));
    ask(1001, "sudo", answer(REPLY_DONE, 5, ""));
    assert_false(asked_empty(asked));
    assert_string_equal(rows(), "gate.account alice yes 5 host:bastion-1/sudo; service sudo, asked "
                                "1 time\n");
    for (int i = 0; i < 2; i++)
        ask(1001, "sudo", answer(REPLY_DONE, 5, ""));
    assert_string_equal(rows(), "gate.account alice yes 5 host:bastion-1/sudo; service sudo, asked "
                                "3 times\n");
}

static void what_differs_is_a_row_of_its_own_in_the_order_it_came(void **state)
{
    (void)state;
    ask(1001, "sudo", answer(REPLY_DONE, 5, ""));
    ask(1002, "sudo", answer(REPLY_DONE, 5, ""));         /* the person */
    ask(1001, "sudo-i", answer(REPLY_DONE, 5, ""));       /* the service */
    ask(1001, "sudo", answer(REPLY_DONE, 6, ""));         /* the elevation */
    ask(1001, "sudo", answer(REPLY_REFUSED, 5, "ended")); /* the answer */
    ask(1001, "sudo", answer(REPLY_DONE, 5, ""));
    assert_string_equal(
        rows(), "gate.account alice yes 5 host:bastion-1/sudo; service sudo, asked 2 times\n"
                "gate.account bob yes 5 host:bastion-1/sudo; service sudo, asked 1 time\n"
                "gate.account alice yes 5 host:bastion-1/sudo; service sudo-i, asked 1 time\n"
                "gate.account alice yes 6 host:bastion-1/sudo; service sudo, asked 1 time\n"
                "gate.account alice no 5 host:bastion-1/sudo; service sudo, asked 1 time: ended\n");
}

static void a_denial_says_what_was_said_first(void **state)
{
    (void)state;
    ask(1001, "sudo", answer(REPLY_REFUSED, 0, "ends in 2s"));
    ask(1001, "sudo", answer(REPLY_REFUSED, 0, "ends in 1s"));
    assert_string_equal(rows(), "gate.account alice no 0 host:bastion-1/sudo; service sudo, asked "
                                "2 times: ends in 2s\n");
}

static void services_people_and_classes_are_named_as_far_as_they_are_known(void **state)
{
    (void)state;
    ask(4242, "cron", answer(REPLY_REFUSED, 0, ""));
    ask(1001, "cockpit", answer(REPLY_DONE, 0, ""));
    ask(1001, "a\033b\n", answer(REPLY_REFUSED, 0, ""));
    assert_string_equal(
        rows(), "gate.account uid 4242 no 0 host:bastion-1/cron; service cron, asked 1 time\n"
                "gate.account alice yes 0 host:bastion-1/cockpit; service cockpit, asked 1 time\n"
                "gate.account alice no 0 host:bastion-1/a?b?; service a?b?, asked 1 time\n");
}

static size_t count_rows(void)
{
    size_t n = 0;

    for (size_t at = 0; asked_effects(asked, &g.w, &at, &out);)
        n += out.n;
    return n;
}

static void what_does_not_fit_is_dropped_and_what_is_there_still_counts(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 128; i++) {
        assert_false(asked_full(asked));
        ask(i, "cron", answer(REPLY_REFUSED, 0, ""));
    }
    assert_true(asked_full(asked));
    ask(128, "cron", answer(REPLY_REFUSED, 0, ""));
    assert_int_equal(count_rows(), 128);
    ask(127, "cron", answer(REPLY_REFUSED, 0, ""));
    assert_int_equal(count_rows(), 128);
    for (size_t at = 127; asked_effects(asked, &g.w, &at, &out);)
        assert_string_equal(out.items[0].audit.detail, "service cron, asked 2 times");
}

static void what_was_written_is_forgotten(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 128; i++)
        ask(i, "cron", answer(REPLY_REFUSED, 0, ""));
    asked_clear(asked);
    assert_true(asked_empty(asked));
    assert_false(asked_full(asked));
    assert_int_equal(count_rows(), 0);
    ask(1001, "sudo", answer(REPLY_DONE, 5, ""));
    assert_string_equal(rows(), "gate.account alice yes 5 host:bastion-1/sudo; service sudo, asked "
                                "1 time\n");
}

#define T(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
    static const struct CMUnitTest TESTS[] = {
        T(equal_questions_with_equal_answers_are_one_row),
        T(what_differs_is_a_row_of_its_own_in_the_order_it_came),
        T(a_denial_says_what_was_said_first),
        T(services_people_and_classes_are_named_as_far_as_they_are_known),
        T(what_does_not_fit_is_dropped_and_what_is_there_still_counts),
        T(what_was_written_is_forgotten),
    };

    return cmocka_run_group_tests(TESTS, NULL, NULL);
}
