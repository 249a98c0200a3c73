/* What people are told of an assignment that AWS refuses. */
#include "courier/assignment_queue.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static void test_words(void **state)
{
    static const struct {
        const char *reason;
        enum assignment_why why;
    } REASONS[] = {
        {"Received a 404 status error: the USER assignee a-1 was not found in directory d-1",
         ASSIGNMENT_NO_PRINCIPAL},
        {"User does not exist", ASSIGNMENT_NO_PRINCIPAL},
        {"Received a 409 status error: Cannot exceed quota for RolesPerAccount: 1000",
         ASSIGNMENT_QUOTA},
        {"Limit for attached policies exceeded", ASSIGNMENT_QUOTA},
        {"User: arn:aws:sts::1:assumed-role/x is not authorized to perform iam:CreateRole",
         ASSIGNMENT_DENIED},
        {"Received a 403 status error: Forbidden", ASSIGNMENT_DENIED},
        {"account 111122223333 was not found", ASSIGNMENT_NO_SUCH},
        {"Received a 409 status error: Conflict", ASSIGNMENT_CONFLICT},
        {"An unexpected internal service exception was encountered", ASSIGNMENT_SLOW},
        {"Rate exceeded", ASSIGNMENT_SLOW},
        {"something new", ASSIGNMENT_OTHER},
        {"", ASSIGNMENT_OTHER},
    };
    char text[WORDS_CAP];

    (void)state;
    for (size_t i = 0; i < sizeof REASONS / sizeof REASONS[0]; i++)
        if (words_of_reason(REASONS[i].reason, text) != REASONS[i].why)
            fail_msg("%s: %s", REASONS[i].reason, text);
    words_of_reason("\033[31mred\n", text);
    assert_string_equal(text, "AWS refused: ?[31mred?");
    words_of_reason("the USER assignee a-1 was not found", text);
    assert_string_equal(text, "IAM Identity Center does not know the user any more: the USER "
                              "assignee a-1 was not found");
}

static void test_words_of_calls(void **state)
{
    static const struct {
        struct aws_result result;
        enum assignment_why why;
        const char *text;
    } RESULTS[] = {
        {{.outcome = AWS_REFUSED, .code = "AccessDeniedException", .message = "no"},
         ASSIGNMENT_DENIED,
         "AWS does not allow team-courier to do that: AccessDeniedException: no"},
        {{.outcome = AWS_REFUSED, .code = "KMS_AccessDeniedException"},
         ASSIGNMENT_DENIED,
         "AWS does not allow team-courier to do that: KMS_AccessDeniedException"},
        {{.outcome = AWS_REFUSED, .code = "ExpiredTokenException"},
         ASSIGNMENT_SLOW,
         "AWS does not get it done: ExpiredTokenException"},
        {{.outcome = AWS_REFUSED, .code = "", .message = "HTTP 400"},
         ASSIGNMENT_SLOW,
         "AWS does not get it done: HTTP 400"},
        {{.outcome = AWS_REFUSED, .code = "Teapot"}, ASSIGNMENT_OTHER, "AWS refused: Teapot"},
        {{.outcome = AWS_UNREACHABLE, .message = "connection refused"},
         ASSIGNMENT_SLOW,
         "AWS does not get it done: connection refused"},
        {{.outcome = AWS_BROKEN}, ASSIGNMENT_SLOW, "AWS does not get it done: it is out of order"},
    };
    char text[WORDS_CAP];

    (void)state;
    for (size_t i = 0; i < sizeof RESULTS / sizeof RESULTS[0]; i++) {
        assert_int_equal(words_of_result(&RESULTS[i].result, text), RESULTS[i].why);
        assert_string_equal(text, RESULTS[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_words_of_calls),
    };

    return cmocka_run_group_tests_name("assignment words", tests, NULL, NULL);
}
