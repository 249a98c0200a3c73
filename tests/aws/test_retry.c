/* When calls are repeated, and how fast they may come. */
#include "courier/retry.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void what_is_repeated_and_what_is_not(void **state)
{
    static const struct {
        enum aws_service service;
        int status;
        const char *code;
        enum retry retry;
    } CASES[] = {
        {AWS_SSO_ADMIN, 400, "ConflictException", RETRY_NOT},
        {AWS_SSO_ADMIN, 400, "ValidationException", RETRY_NOT},
        {AWS_SSO_ADMIN, 400, "AccessDeniedException", RETRY_NOT},
        {AWS_SSO_ADMIN, 400, "ResourceNotFoundException", RETRY_NOT},
        {AWS_SSO_ADMIN, 400, "ThrottlingException", RETRY_SLOWER},
        {AWS_ORGANIZATIONS, 400, "TooManyRequestsException", RETRY_SLOWER},
        {AWS_SSO_ADMIN, 429, "", RETRY_SLOWER},
        {AWS_STS, 400, "LimitExceededException", RETRY_SLOWER},
        {AWS_LOGS, 400, "LimitExceededException", RETRY_NOT},
        {AWS_SSO_ADMIN, 400, "InternalServerException", RETRY_SOON},
        {AWS_ORGANIZATIONS, 400, "ServiceException", RETRY_SOON},
        {AWS_SSO_ADMIN, 500, "", RETRY_SOON},
        {AWS_SSO_ADMIN, 502, "", RETRY_SOON},
        {AWS_SSO_ADMIN, 503, "Whatever", RETRY_SOON},
        {AWS_SSO_ADMIN, 504, "", RETRY_SOON},
        {AWS_SSO_ADMIN, 501, "", RETRY_NOT},
        {AWS_SSO_ADMIN, 404, "", RETRY_NOT},
        {AWS_SSO_ADMIN, 302, "", RETRY_NOT},
        {AWS_STS, 403, "SignatureDoesNotMatch", RETRY_CLOCK},
        {AWS_SSO_ADMIN, 400, "InvalidSignatureException", RETRY_CLOCK},
        {AWS_STS, 403, "ExpiredToken", RETRY_CREDENTIALS},
        {AWS_SSO_ADMIN, 400, "ExpiredTokenException", RETRY_CREDENTIALS},
        {AWS_SSO_ADMIN, 400, "UnrecognizedClientException", RETRY_CREDENTIALS},
        {AWS_STS, 403, "InvalidClientTokenId", RETRY_CREDENTIALS},
    };

    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++)
        if (retry_class(CASES[i].service, CASES[i].status, CASES[i].code) != CASES[i].retry)
            fail_msg("%d %s", CASES[i].status, CASES[i].code);
}

static void pauses_grow_to_twenty_seconds_and_are_chance(void **state)
{
    static const int64_t SOON[] = {100, 200, 400, 800, 1600, 3200, 6400, 12800, 20000, 20000},
                         SLOWER[] = {1000, 2000, 4000, 8000, 16000, 20000, 20000};

    (void)state;
    for (uint32_t i = 0; i < sizeof SOON / sizeof SOON[0]; i++) {
        assert_int_equal(retry_delay(RETRY_SOON, i + 1, 0, 0), 0);
        assert_in_range(retry_delay(RETRY_SOON, i + 1, UINT32_MAX, 0), SOON[i] * 1000 - 1000,
                        SOON[i] * 1000);
        assert_in_range(retry_delay(RETRY_SOON, i + 1, UINT32_C(1) << 31, 0), SOON[i] * 500 - 1,
                        SOON[i] * 500 + 1);
    }
    for (uint32_t i = 0; i < sizeof SLOWER / sizeof SLOWER[0]; i++)
        assert_in_range(retry_delay(RETRY_SLOWER, i + 1, UINT32_MAX, 0), SLOWER[i] * 1000 - 1000,
                        SLOWER[i] * 1000);
    assert_int_equal(retry_delay(RETRY_SOON, UINT32_MAX, 0, 7 * SECOND_US), 7 * SECOND_US);
    assert_in_range(retry_delay(RETRY_SOON, 1, UINT32_MAX, 900 * SECOND_US), RETRY_AFTER_MAX_US,
                    RETRY_AFTER_MAX_US + SECOND_US);
}

static void a_broken_service_is_not_flooded(void **state)
{
    struct budget b = {BUDGET_FULL};
    unsigned n = 0;

    (void)state;
    while (budget_spend(&b, BUDGET_RETRY))
        n++;
    assert_int_equal(n, BUDGET_FULL / BUDGET_RETRY);
    budget_refund(&b, 1);
    assert_false(budget_spend(&b, BUDGET_RETRY));
    budget_refund(&b, BUDGET_RETRY);
    assert_true(budget_spend(&b, BUDGET_RETRY));
    budget_refund(&b, 10 * BUDGET_FULL);
    assert_int_equal(b.left, BUDGET_FULL);
}

static struct boot at(int64_t ms)
{
    return (struct boot){1000 * SECOND_US + ms * 1000};
}

/* How many may go between two moments, asked every millisecond. */
static unsigned taken(struct rate *r, int64_t from_ms, int64_t to_ms)
{
    unsigned n = 0;

    for (int64_t ms = from_ms; ms < to_ms; ms++)
        while (rate_take(r, at(ms)))
            n++;
    return n;
}

static void ten_a_second_and_ten_at_once(void **state)
{
    struct rate r = rate_new(10, at(0));

    (void)state;
    assert_int_equal(taken(&r, 0, 1), 10);
    assert_in_range(rate_wait_us(&r, at(0)), 99000, 101000);
    assert_in_range(taken(&r, 1, 1001), 9, 10);
    assert_in_range(taken(&r, 1001, 11001), 99, 100);
    assert_int_equal(taken(&r, 60000, 60001), 10); /* what was not used does not pile up */
    assert_false(rate_take(&r, at(1000)));         /* a clock that steps back gives nothing */
}

static void less_than_one_a_second_still_goes(void **state)
{
    struct rate r = rate_new(0.5, at(0));

    (void)state;
    assert_false(rate_take(&r, at(0)));
    assert_in_range(rate_wait_us(&r, at(0)), 999000, 1001000);
    assert_in_range(taken(&r, 0, 60000), 29, 30);
}

static void throttling_takes_and_time_gives_back(void **state)
{
    struct rate r = rate_new(10, at(0));

    (void)state;
    rate_throttled(&r, at(0));
    rate_throttled(&r, at(1)); /* the others that were on their way count as one */
    assert_in_range((unsigned)(r.now * 100), 699, 701);
    assert_false(rate_take(&r, at(1)));
    for (int64_t ms = 2000; ms < 60000; ms += 1001)
        rate_throttled(&r, at(ms));
    assert_in_range((unsigned)(r.now * 100), 50, 130);
    taken(&r, 60000, 90000);
    assert_true(r.now > 9.99);
}

static void every_service_has_a_rate(void **state)
{
    (void)state;
    for (int s = 1; s < AWS_SERVICES; s++)
        assert_in_range((unsigned)(rate_of((enum aws_service)s, "X") * 10), 5, 200);
    assert_true(rate_of(AWS_CLOUDTRAIL, "LookupEvents") < 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_repeated_and_what_is_not),
        cmocka_unit_test(pauses_grow_to_twenty_seconds_and_are_chance),
        cmocka_unit_test(a_broken_service_is_not_flooded),
        cmocka_unit_test(ten_a_second_and_ten_at_once),
        cmocka_unit_test(less_than_one_a_second_still_goes),
        cmocka_unit_test(throttling_takes_and_time_gives_back),
        cmocka_unit_test(every_service_has_a_rate),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
