/* The client against a server that answers by the book: what is sent, what is repeated, what is
 * told. */
#include "client_stage.h"

#include <time.h>

/* ---- what is sent ------------------------------------------------------------------------------
 */

static void json_calls_look_as_aws_wants_them(void **state)
{
    const struct aws_result *r;
    struct server *s = stage.server;
    char host[32];

    (void)state;
    BOOK({.status = 200,
          .headers = "x-amzn-requestid: rid-1\r\n",
          .body = "{\"Instances\":[],\"NextToken\":null}"});
    r = call_sso();
    assert_int_equal(r->outcome, AWS_OK);
    assert_int_equal(r->status, 200);
    assert_int_equal(r->attempts, 1);
    assert_string_equal(r->request_id, "rid-1");
    assert_true(json_is_array(json_object_get(stage.answer, "Instances")));
    assert_int_equal(s->n_asks, 1);
    assert_int_equal(strncmp(s->asks[0], "POST / HTTP/1.1\r\n", 17), 0);
    assert_string_equal(ask_body(0), "{\"A\":\"b&c\"}");
    snprintf(host, sizeof host, "127.0.0.1:%u", s->port);
    assert_string_equal(server_header(s, 0, "Host"), host);
    assert_string_equal(server_header(s, 0, "Content-Type"), "application/x-amz-json-1.1");
    assert_string_equal(server_header(s, 0, "X-Amz-Target"), "SWBExternalService.ListInstances");
    assert_string_equal(server_header(s, 0, "X-Amz-Security-Token"), "tok/en==");
    assert_non_null(strstr(server_header(s, 0, "Authorization"),
                           "/eu-west-1/sso/aws4_request, SignedHeaders=content-type;host;"
                           "x-amz-date;x-amz-security-token;x-amz-target, Signature="));
    assert_string_equal(server_header(s, 0, "Accept"), "");
    assert_string_equal(server_header(s, 0, "Expect"), "");
}

static void sts_is_asked_with_a_form_and_answers_in_xml(void **state)
{
    const struct aws_result *r;

    (void)state;
    BOOK({.status = 200,
          .body = "<XResponse><XResult><Arn>a&amp;b</Arn><L><member>1</member></L></XResult>"
                  "</XResponse>"},
         {.status = 403,
          .body = "<ErrorResponse><Error><Code>AccessDenied</Code><Message>no</Message></Error>"
                  "<RequestId>rid</RequestId></ErrorResponse>"});
    r = call(AWS_STS, "X", NULL);
    assert_int_equal(r->outcome, AWS_OK);
    assert_string_equal(json_string_value(json_object_get(stage.answer, "Arn")), "a&b");
    assert_int_equal(json_array_size(json_object_get(stage.answer, "L")), 1);
    assert_string_equal(ask_body(0), "Action=X&Version=2011-06-15&A=b%26c");
    r = call(AWS_STS, "X", NULL);
    assert_int_equal(r->outcome, AWS_REFUSED);
    assert_string_equal(r->code, "AccessDenied");
    assert_string_equal(r->message, "no");
    assert_string_equal(r->request_id, "rid");
    assert_false(r->maybe_done);
}

static void every_service_has_its_target_and_region(void **state)
{
    static const struct {
        enum aws_service service;
        const char *target, *scope;
    } CASES[] = {
        {AWS_SSO_ADMIN, "SWBExternalService.X", "/eu-west-1/sso/"},
        {AWS_IDENTITYSTORE, "AWSIdentityStore.X", "/eu-west-1/identitystore/"},
        {AWS_ORGANIZATIONS, "AWSOrganizationsV20161128.X", "/us-east-1/organizations/"},
        {AWS_CLOUDTRAIL, "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.X",
         "/eu-west-1/cloudtrail/"},
        {AWS_LOGS, "Logs_20140328.X", "/eu-west-1/logs/"},
    };

    (void)state;
    BOOK({.status = 200, .body = "{}"});
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        call(CASES[i].service, "X", NULL);
        assert_string_equal(server_header(stage.server, i, "X-Amz-Target"), CASES[i].target);
        assert_non_null(strstr(server_header(stage.server, i, "Authorization"), CASES[i].scope));
    }
    call(AWS_CLOUDTRAIL, "X", &(struct aws_options){.region = "ap-south-1"});
    assert_non_null(strstr(server_header(stage.server, stage.server->n_asks - 1, "Authorization"),
                           "/ap-south-1/cloudtrail/"));
}

static void what_cannot_be_asked_is_refused_at_once(void **state)
{
    static const struct aws_options NOWHERE = {.region = "not a region"};
    char *large = malloc(AWS_BODY_MAX + 1);

    (void)state;
    open_client();
    assert_non_null(large);
    memset(large, 'x', AWS_BODY_MAX);
    large[AWS_BODY_MAX] = '\0';
    assert_int_equal(aws_call(stage.client, AWS_STS, "X", NULL, NULL, done, NULL, NULL), -ENOMEM);
    assert_int_equal(
        aws_call(stage.client, (enum aws_service)0, "X", json_object(), NULL, done, NULL, NULL),
        -EINVAL);
    assert_int_equal(aws_call(stage.client, AWS_STS, "X", json_array(), NULL, done, NULL, NULL),
                     -EINVAL);
    assert_int_equal(aws_call(stage.client, AWS_STS, "X y", json_object(), NULL, done, NULL, NULL),
                     -EINVAL);
    assert_int_equal(
        aws_call(stage.client, AWS_STS, "X", json_pack("{s{}}", "a"), NULL, done, NULL, NULL),
        -EINVAL);
    assert_int_equal(
        aws_call(stage.client, AWS_STS, "X", json_object(), &NOWHERE, done, NULL, NULL), -EINVAL);
    assert_int_equal(
        aws_call(stage.client, AWS_STS, "X", json_pack("{ss}", "a", large), NULL, done, NULL, NULL),
        -E2BIG);
    assert_int_equal(aws_call(stage.client, AWS_LOGS, "X", json_pack("{ss}", "a", large), NULL,
                              done, NULL, NULL),
                     -E2BIG);
    free(large);
}

/* ---- what is repeated --------------------------------------------------------------------------
 */

static void a_no_is_told_and_not_repeated(void **state)
{
    const struct aws_result *r;

    (void)state;
    BOOK({.status = 400,
          .body = "{\"__type\":\"com.amazonaws.sso#ConflictException\",\"Message\":\"later\\n\"}"});
    r = call_sso();
    assert_int_equal(r->outcome, AWS_REFUSED);
    assert_string_equal(r->code, "ConflictException");
    assert_string_equal(r->message, "later?");
    assert_int_equal(r->attempts, 1);
    assert_false(r->maybe_done);
    assert_null(stage.answer);
}

static void trouble_is_repeated_and_signed_anew(void **state)
{
    const struct aws_result *r;

    (void)state;
    BOOK({.status = 503, .body = "<html>later</html>"}, {.kind = PAGE_RESET}, {.kind = PAGE_CLOSE},
         {.kind = PAGE_CUT, .status = 200, .body = "{\"a\":1}"}, {.status = 200, .body = "{}"});
    r = call_sso();
    assert_int_equal(r->outcome, AWS_OK);
    assert_int_equal(stage.server->n_asks, 5);
    assert_in_range(r->attempts, 4, 5); /* curl repeats what was lost with an old connection */
    assert_string_not_equal(server_header(stage.server, 4, "Authorization"), "");
}

static void trouble_that_stays_is_told_in_the_end(void **state)
{
    static const struct {
        struct page page;
        enum aws_outcome outcome;
        const char *message; /* part of it */
        bool maybe_done;
    } CASES[] = {
        {{.status = 500, .body = "<html>"}, AWS_BROKEN, "HTTP 500", true},
        {{.status = 503, .body = "{\"__type\":\"X\",\"message\":\"m\"}"}, AWS_BROKEN, "m", true},
        {{.kind = PAGE_RESET}, AWS_UNREACHABLE, "127.0.0.1", true},
        {{.kind = PAGE_CLOSE}, AWS_UNREACHABLE, "127.0.0.1", true},
        {{.kind = PAGE_CUT, .status = 200, .body = "{\"a\":\"b\"}"}, AWS_UNREACHABLE, "", true},
        {{.status = 200, .body = "<html>proxy</html>"}, AWS_GARBLED, "no JSON object", true},
        {{.status = 200, .body = "{\"a\":1,\"a\":2}"}, AWS_GARBLED, "no JSON object", true},
        {{.status = 200, .body = "[1]"}, AWS_GARBLED, "no JSON object", true},
        {{.kind = PAGE_RAW, .body = "garbage\r\n"}, AWS_UNREACHABLE, "", true},
        {{.status = 302, .headers = "Location: http://127.0.0.1:1/\r\n"},
         AWS_REFUSED,
         "HTTP 302",
         false},
        {{.status = 404, .body = ""}, AWS_REFUSED, "HTTP 404", false},
    };
    static const struct aws_options TWICE = {.attempts = 2};

    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        const struct aws_result *r;

        stage.server->pages = &CASES[i].page;
        stage.server->n_pages = 1;
        r = call(AWS_SSO_ADMIN, "X", &TWICE);
        if (r->outcome != CASES[i].outcome || r->maybe_done != CASES[i].maybe_done ||
            !strstr(r->message, CASES[i].message))
            fail_msg("case %zu: %d %s", i, r->outcome, r->message);
        assert_int_equal(r->attempts, r->outcome == AWS_REFUSED ? 1 : 2);
    }
}

static void nobody_listening_did_nothing(void **state)
{
    static const struct aws_options TWICE = {.attempts = 2};
    const struct aws_result *r;

    (void)state;
    snprintf(stage.endpoint, sizeof stage.endpoint, "AWS_ENDPOINT_URL=http://127.0.0.1:1");
    r = call(AWS_SSO_ADMIN, "X", &TWICE);
    assert_int_equal(r->outcome, AWS_UNREACHABLE);
    assert_int_equal(r->status, 0);
    assert_false(r->maybe_done);
}

static void an_answer_has_a_size(void **state)
{
    const struct aws_result *r;

    (void)state;
    BOOK({.kind = PAGE_ENDLESS});
    r = call_sso();
    assert_int_equal(r->outcome, AWS_GARBLED);
    assert_int_equal(r->attempts, 1);
    assert_non_null(strstr(r->message, "too large"));
    assert_string_equal(r->code, AWS_TOO_LARGE);
}

/* 5 MB, and a NUL: only for who asks for what people wrote. */
static void a_large_answer_has_to_be_asked_for(void **state)
{
    static const struct aws_options LARGE = {.large = true};
    static char body[5 * 1024 * 1024] = "{\"a\":\"\\u0000";
    static const struct page PAGES[] = {{.status = 200, .body = body}};
    size_t n = strlen(body);

    (void)state;
    memset(body + n, 'x', sizeof body - n - 3);
    memcpy(body + sizeof body - 3, "\"}", 3);
    stage.server->pages = PAGES;
    stage.server->n_pages = 1;
    assert_string_equal(call(AWS_LOGS, "X", NULL)->code, AWS_TOO_LARGE);
    assert_int_equal(call(AWS_LOGS, "X", &LARGE)->outcome, AWS_OK);
    assert_int_equal(json_string_length(json_object_get(stage.answer, "a")), sizeof body - 14);
}

static void patience_ends(void **state)
{
    static const struct aws_options HALF = {.within_us = SECOND_US / 2};
    const struct aws_result *r;

    (void)state;
    BOOK({.kind = PAGE_SILENT});
    r = call(AWS_SSO_ADMIN, "X", &HALF);
    assert_int_equal(r->outcome, AWS_UNREACHABLE);
    assert_true(r->maybe_done);
    assert_non_null(strstr(r->message, ": no answer in time"));
}

static void throttling_is_waited_out(void **state)
{
    static const struct aws_options ONCE = {.attempts = 1};
    struct aws_status status;
    const struct aws_result *r;

    (void)state;
    BOOK({.status = 400, .body = "{\"__type\":\"ThrottlingException\"}"},
         {.status = 429, .headers = "Retry-After: 1\r\n"},
         {.status = 400, .headers = "x-amz-retry-after: 30\r\nx-amzn-errortype: SlowDown:x\r\n"},
         {.status = 200, .body = "{}"});
    r = call(AWS_SSO_ADMIN, "X", &ONCE);
    assert_int_equal(r->outcome, AWS_OK);
    assert_int_equal(r->attempts, 4);
    assert_true(stage.server->asked_at[2] - stage.server->asked_at[1] >= SECOND_US);
    aws_client_status(stage.client, &status);
    assert_int_equal(status.throttled, 3);
}

static void throttling_without_end_is_told(void **state)
{
    static const struct aws_options SHORT = {.within_us = 2 * SECOND_US};
    const struct aws_result *r;

    (void)state;
    BOOK({.status = 400, .body = "{\"__type\":\"ThrottlingException\",\"message\":\"Rate\"}"});
    r = call(AWS_SSO_ADMIN, "X", &SHORT);
    assert_int_equal(r->outcome, AWS_THROTTLED);
    assert_string_equal(r->code, "ThrottlingException");
    assert_string_equal(r->message, "Rate");
    assert_false(r->maybe_done);
}

/* ---- clocks and credentials --------------------------------------------------------------------
 */

static void an_old_clock_is_noticed_and_made_good(void **state)
{
    static char date[128];
    static struct page pages[3];
    time_t theirs = time(NULL) + 3600;
    struct aws_status status;
    const struct aws_result *r;

    (void)state;
    strftime(date, sizeof date, "Date: %a, %d %b %Y %H:%M:%S GMT\r\n", gmtime(&theirs));
    pages[0] =
        (struct page){.status = 403,
                      .headers = date,
                      .body = "{\"__type\":\"InvalidSignatureException\",\"message\":\"m\"}"};
    pages[1] = (struct page){.status = 200, .headers = date, .body = "{}"};
    stage.server->pages = pages;
    stage.server->n_pages = 2;
    r = call_sso();
    assert_int_equal(r->outcome, AWS_OK);
    assert_int_equal(r->attempts, 2);
    aws_client_status(stage.client, &status);
    assert_in_range(status.clock_ahead_us / SECOND_US, 3595, 3605);
    assert_non_null(strstr(stage.said, "set the clock"));
    call_sso();
    assert_int_equal(stage.result.attempts, 1); /* it is known by now */
    /* The same again is no matter of clocks any more: told, not repeated for ever. */
    stage.server->turned = 0;
    stage.server->n_pages = 1;
    r = call_sso();
    assert_int_equal(r->outcome, AWS_REFUSED);
    assert_int_equal(r->attempts, 1);
}

static void a_wrong_secret_is_not_a_matter_of_clocks(void **state)
{
    static char date[128];
    static struct page page;
    time_t now = time(NULL);
    const struct aws_result *r;

    (void)state;
    strftime(date, sizeof date, "Date: %a, %d %b %Y %H:%M:%S GMT\r\n", gmtime(&now));
    page = (struct page){.status = 403,
                         .headers = date,
                         .body = "{\"__type\":\"SignatureDoesNotMatch\",\"message\":\"m\"}"};
    stage.server->pages = &page;
    stage.server->n_pages = 1;
    r = call_sso();
    assert_int_equal(r->outcome, AWS_REFUSED);
    assert_int_equal(r->attempts, 1);
    assert_string_equal(r->code, "SignatureDoesNotMatch");
}

static void expired_credentials_are_fetched_anew_once(void **state)
{
    const struct aws_result *r;

    (void)state;
    BOOK({.status = 400, .body = "{\"__type\":\"ExpiredTokenException\",\"message\":\"old\"}"},
         {.status = 200, .body = "{}"},
         {.status = 400, .body = "{\"__type\":\"ExpiredTokenException\",\"message\":\"old\"}"});
    r = call_sso();
    assert_int_equal(r->outcome, AWS_OK);
    assert_int_equal(r->attempts, 2);
    r = call_sso();
    assert_int_equal(r->outcome, AWS_REFUSED);
    assert_string_equal(r->code, "ExpiredTokenException");
    assert_int_equal(r->attempts, 2);
}

static void secrets_are_told_to_nobody(void **state)
{
    static const struct aws_options ONCE = {.attempts = 1};
    struct aws_status status;

    (void)state;
    BOOK({.kind = PAGE_RESET});
    call(AWS_SSO_ADMIN, "X", &ONCE);
    aws_client_status(stage.client, &status);
    assert_string_equal(status.credentials, "the environment (AWS_ACCESS_KEY_ID)");
    assert_null(strstr(stage.said, "topsecret"));
    assert_null(memmem(&stage.result, sizeof stage.result, "topsecret", 9));
    assert_null(memmem(&status, sizeof status, "topsecret", 9));
    assert_null(memmem(stage.server->asks, sizeof stage.server->asks[0], "topsecret", 9));
}

static void without_credentials_everybody_is_told_why(void **state)
{
    (void)state;
    stage.environment[0] = stage.environment[6];
    stage.environment[1] = stage.environment[6];
    BOOK({.status = 200, .body = "{}"});
    for (int i = 0; i < 20; i++)
        start(AWS_SSO_ADMIN, "X", NULL);
    run_for(10 * SECOND_US);
    assert_int_equal(stage.ended, 20);
    assert_int_equal(stage.result.outcome, AWS_NO_CREDENTIALS);
    assert_non_null(strstr(stage.result.message, "/nonexistent/.aws/credentials"));
    assert_int_equal(stage.server->n_asks, 0);
}

/* ---- many --------------------------------------------------------------------------------------
 */

static void many_calls_keep_the_rate_and_their_order(void **state)
{
    static const struct aws_options SOMETIME = {.urgency = AWS_SOMETIME};
    unsigned soon = 0;
    uint64_t first;

    (void)state;
    BOOK({.status = 200, .body = "{}"});
    for (int i = 0; i < 30; i++)
        start(AWS_SSO_ADMIN, "Slow", &SOMETIME);
    for (int i = 0; i < 10; i++)
        start(AWS_SSO_ADMIN, "Soon", NULL);
    sd_event_now(stage.loop, CLOCK_MONOTONIC, &first); /* what arrives late went out in time */
    run_for(60 * SECOND_US);
    assert_int_equal(stage.ended, 40);
    assert_int_equal(stage.server->n_asks, 40);
    for (size_t i = 0; i < 18; i++) /* on several connections they overtake each other a bit */
        soon += strstr(server_header(stage.server, i, "X-Amz-Target"), "Soon") != NULL;
    assert_int_equal(soon, 10);
    assert_true(stage.server->asked_at[39] - first >= 29 * SECOND_US / 10);
    for (size_t i = 11; i < 40; i++) /* never more than a burst and a second's worth */
        assert_true(stage.server->asked_at[i] - first >=
                    (uint64_t)((int64_t)i - 10) * SECOND_US / 10 - SECOND_US / 20);
}

/* The limit is for all callers together; others may take their part of it. */
static void a_lower_limit_than_ours_makes_nobody_fail(void **state)
{
    static const struct aws_options ONCE = {.attempts = 1};

    (void)state;
    BOOK({.status = 200, .body = "{}"});
    stage.server->limit = 6;
    for (int i = 0; i < 40; i++)
        start(AWS_SSO_ADMIN, "X", &ONCE);
    run_for(120 * SECOND_US);
    assert_int_equal(stage.ended, 40);
    assert_int_equal(stage.client->failed, 0);
    assert_true(stage.client->throttled > 0);
    assert_in_range(stage.server->n_asks, 41, 120); /* it learns: few are asked in vain */
}

static void more_than_fits_has_to_come_later(void **state)
{
    (void)state;
    BOOK({.status = 200, .body = "{}"});
    open_client();
    for (int i = 0; i < AWS_CALLS_MAX; i++)
        start(AWS_SSO_ADMIN, "X", NULL);
    assert_int_equal(
        aws_call(stage.client, AWS_SSO_ADMIN, "X", json_object(), NULL, done, NULL, NULL), -EAGAIN);
}

static void cancelled_calls_say_nothing_more(void **state)
{
    struct aws_call *waiting, *flying;

    (void)state;
    BOOK({.kind = PAGE_SILENT}, {.status = 200, .body = "{}"});
    flying = start(AWS_SSO_ADMIN, "X", NULL);
    while (stage.server->n_asks == 0)
        assert_true(sd_event_run(stage.loop, UINT64_MAX) >= 0);
    waiting = start(AWS_SSO_ADMIN, "X", NULL);
    assert_null(aws_cancel(waiting));
    assert_null(aws_cancel(flying));
    assert_null(aws_cancel(NULL));
    stage.running = 0;
    call_sso();
    assert_int_equal(stage.ended, 1);
    assert_int_equal(stage.client->flying, 0);
    assert_int_equal(stage.client->n_calls, 0);
}

static void cancel_itself(void *ctx, const struct aws_result *r)
{
    assert_null(aws_cancel(*(struct aws_call **)ctx));
    done(NULL, r);
    start(AWS_SSO_ADMIN, "Y", NULL); /* and calls may be made from inside */
}

static void callbacks_may_call_and_cancel(void **state)
{
    struct aws_call *c;

    (void)state;
    BOOK({.status = 200, .body = "{}"});
    open_client();
    stage.running = 1;
    assert_int_equal(
        aws_call(stage.client, AWS_SSO_ADMIN, "X", json_object(), NULL, cancel_itself, &c, &c), 0);
    run_for(10 * SECOND_US);
    assert_int_equal(stage.ended, 2);
}

static void a_client_goes_with_all_its_calls(void **state)
{
    (void)state;
    BOOK({.kind = PAGE_SILENT});
    for (int i = 0; i < 30; i++)
        start(AWS_SSO_ADMIN, "X", NULL);
    run_for(SECOND_US / 2);
    assert_true(stage.client->flying > 0);
    stage.client = aws_client_free(stage.client);
    run_for(SECOND_US / 10);
    assert_int_equal(stage.ended, 0);
}

static void a_reload_takes_what_is_under_way_along(void **state)
{
    char why[AWS_TEXT_CAP];

    (void)state;
    BOOK({.kind = PAGE_SILENT}, {.status = 200, .body = "{}"});
    start(AWS_SSO_ADMIN, "X", NULL);
    while (stage.server->n_asks == 0)
        assert_true(sd_event_run(stage.loop, UINT64_MAX) >= 0);
    assert_int_equal(aws_client_reload(stage.client, why), 0);
    run_for(10 * SECOND_US);
    assert_int_equal(stage.result.outcome, AWS_OK);
    assert_int_equal(stage.result.attempts, 2);
    stage.environment[2][strlen("AWS_REGION=")] = '!';
    assert_int_equal(aws_client_reload(stage.client, why), -EINVAL);
    assert_string_equal(why,
                        "AWS_REGION = \"!u-west-1\": not a region; one is called like eu-west-1");
    stage.environment[2][strlen("AWS_REGION=")] = 'e';
    assert_int_equal(call_sso()->outcome, AWS_OK);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(json_calls_look_as_aws_wants_them),
        TEST(sts_is_asked_with_a_form_and_answers_in_xml),
        TEST(every_service_has_its_target_and_region),
        TEST(what_cannot_be_asked_is_refused_at_once),
        TEST(a_no_is_told_and_not_repeated),
        TEST(trouble_is_repeated_and_signed_anew),
        TEST(trouble_that_stays_is_told_in_the_end),
        TEST(nobody_listening_did_nothing),
        TEST(an_answer_has_a_size),
        TEST(a_large_answer_has_to_be_asked_for),
        TEST(patience_ends),
        TEST(throttling_is_waited_out),
        TEST(throttling_without_end_is_told),
        TEST(an_old_clock_is_noticed_and_made_good),
        TEST(a_wrong_secret_is_not_a_matter_of_clocks),
        TEST(expired_credentials_are_fetched_anew_once),
        TEST(secrets_are_told_to_nobody),
        TEST(without_credentials_everybody_is_told_why),
        TEST(many_calls_keep_the_rate_and_their_order),
        TEST(a_lower_limit_than_ours_makes_nobody_fail),
        TEST(more_than_fits_has_to_come_later),
        TEST(cancelled_calls_say_nothing_more),
        TEST(callbacks_may_call_and_cancel),
        TEST(a_client_goes_with_all_its_calls),
        TEST(a_reload_takes_what_is_under_way_along),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
