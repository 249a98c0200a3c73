/* What is asked of the sources of activity, in their own languages. */
#include "courier/activity_query.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define ONES "111122223333"

/* 2026-11-25 12:00 UTC, and so many seconds. */
static struct wall noon(int64_t seconds)
{
    return (struct wall){(INT64_C(1795608000) + seconds) * SECOND_US};
}

static const struct activity_scope BOB = {
    .account = ONES, .set = "Admin", .user = "bob", .user_id = "id-of-bob"};

static void names_cannot_say_anything_in_a_query(void **state)
{
    static const char *const NAMES[] = {"x\" || \"1\" = \"1",
                                        "x' OR 'a' LIKE '%",
                                        "a/ or 1 like /",
                                        "*",
                                        "%",
                                        "a\\",
                                        "a|b",
                                        "a b",
                                        "é"};

    (void)state;
    for (size_t i = 0; i < sizeof NAMES / sizeof NAMES[0]; i++) {
        struct activity_scope nobody = BOB, hostile = BOB;
        char with[ACTIVITY_QUERY_CAP], without[ACTIVITY_QUERY_CAP];

        nobody.user = nobody.user_id = "";
        hostile.user = hostile.user_id = NAMES[i];
        activity_pattern(&hostile, with);
        activity_pattern(&nobody, without);
        assert_string_equal(with, without);
        activity_insights(&hostile, 5, with);
        activity_insights(&nobody, 5, without);
        assert_string_equal(with, without);
        activity_sql(&hostile, "S", noon(0), noon(1), with);
        activity_sql(&nobody, "S", noon(0), noon(1), without);
        assert_string_equal(with, without);
    }
}

static void what_means_something_is_escaped(void **state)
{
    struct activity_scope s = BOB;
    char query[ACTIVITY_QUERY_CAP];

    (void)state;
    s.user = "Bob.Smith_1+x@example.com";
    s.set = "Net_Admin";
    activity_insights(&s, 5, query);
    assert_non_null(strstr(query, "@message like /(?i):Bob\\.Smith_1\\+x@example\\.com\"/"));
    assert_non_null(strstr(query, "@message like /\"AWSReservedSSO_Net_Admin_/"));
    activity_sql(&s, "S", noon(0), (struct wall){noon(1).us + 1}, query);
    assert_non_null(strstr(query, "LIKE '%:bob.smith\\_1+x@example.com' ESCAPE '\\'"));
    assert_non_null(strstr(query, "LIKE 'awsreservedsso\\_net\\_admin\\_%' ESCAPE '\\'"));
    assert_non_null(
        strstr(query, "eventTime >= '2026-11-25 12:00:00' AND eventTime <= '2026-11-25 12:00:02'"));
    activity_pattern(&s, query);
    assert_string_equal(query,
                        "{ (($.recipientAccountId = \"" ONES
                        "\") && ($.userIdentity.sessionContext.sessionIssuer.userName = "
                        "\"AWSReservedSSO_Net_Admin*\")) || ($.userIdentity.onBehalfOf.userId = "
                        "\"id-of-bob\") }");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_cannot_say_anything_in_a_query),
        cmocka_unit_test(what_means_something_is_escaped),
    };

    return cmocka_run_group_tests_name("aws: questions about activity", tests, NULL, NULL);
}
