/* Sources of activity: what is asked of them, in which order, and what is made of what they say. */
#include "aws/fake_aws.h"

#include "courier/activity_source.h"

#include <team/text.h>

#define ONES "111122223333"
#define HEX  "0123456789abcdef"
/* A record inside a text inside JSON: ` is the inner quote. */
#define EVENT(id, time, user)                                                              \
    "{`eventID`:`" id "`,`eventTime`:`2026-11-25T" time                                    \
    "Z`,`eventName`:`Do`,`recipientAccountId`:`" ONES                                      \
    "`,`userIdentity`:{`type`:`AssumedRole`,`principalId`:`A:" user "`,`sessionContext`:{" \
    "`sessionIssuer`:{`userName`:`AWSReservedSSO_Admin_" HEX "`}}}}"
#define LINE(id, time, user) "{'message':'" EVENT(id, time, user) "'}"
#define ROW(id, time, user) \
    "[{'field':'@message','value':'" EVENT(id, time, user) "'},{'field':'@ptr','value':'x'}]"
#define LOOKED(id, time, user) "{'EventId':'" id "','CloudTrailEvent':'" EVENT(id, time, user) "'}"
#define LAKE(id, time, user)                                                                     \
    "[{'id':'" id "'},{'at':'2026-11-25 " time ".000'},{'name':'Do'},{'source':'s3'},{'region':" \
    "'eu-west-1'},{'address':'192.0.2.1'},{'error':'AccessDenied'},{'readonly':'true'},"         \
    "{'account':'" ONES "'},{'parameters':'{bucketName=b}'},{'kind':'AssumedRole'},"             \
    "{'principal':'A:" user "'},{'role':'AWSReservedSSO_Admin_" HEX "'}]"
#define NOON_MS "1795608000000"

static const char *const REGIONS[] = {"eu-west-1", "us-east-1"};

/* 2026-11-25 12:00 UTC, and so many seconds. */
static struct wall noon(int64_t seconds)
{
    return (struct wall){(INT64_C(1795608000) + seconds) * SECOND_US};
}

static struct {
    char said[2048];
    struct text text;
    char raw[512];
    size_t room; /* for so many rows more */
    bool done;
} seen;

static void on_event(void *ctx, const struct activity_event *e, const char *raw, size_t raw_len)
{
    (void)ctx;
    text_put(&seen.text, e->id);
    text_put(&seen.text, e->error[0] ? "! " : " ");
    snprintf(seen.raw, sizeof seen.raw, "%.*s", (int)raw_len, raw);
}

static void on_gap(void *ctx, struct wall from, struct wall until, const char *why)
{
    (void)ctx;
    text_put(&seen.text, "gap ");
    text_put_u64(&seen.text, (uint64_t)(from.us - noon(0).us) / SECOND_US);
    text_put(&seen.text, "-");
    text_put_u64(&seen.text, (uint64_t)(until.us - noon(0).us) / SECOND_US);
    text_put(&seen.text, ": ");
    text_put(&seen.text, why);
    text_put(&seen.text, " ");
}

static void on_done(void *ctx)
{
    (void)ctx;
    assert_false(seen.done);
    seen.done = true;
}

static bool is_full(void *ctx)
{
    (void)ctx;
    return seen.room == 0 || seen.room-- == 0;
}

static void on_so_far(void *ctx)
{
    (void)ctx;
    text_put(&seen.text, "| ");
}

static const struct activity_calls CALLS = {.event = on_event, .gap = on_gap, .done = on_done};
static const struct activity_calls CAREFUL = {on_event, on_gap, is_full, on_so_far, on_done, NULL};
static const struct activity_scope BOB = {
    .account = ONES, .set = "Admin", .user = "bob", .user_id = "id-of-bob"};

/* How it is asked for. */
static int64_t asked_after_s;
static bool asked_soon;
static uint64_t slow_until;

static struct activity_source source(enum activity_kind kind)
{
    return (struct activity_source){.kind = kind,
                                    .loop = fake_loop,
                                    .log_group = "trail",
                                    .slow_until = &slow_until,
                                    .store = "12345678-1234-1234-1234-123456789012",
                                    .regions = REGIONS,
                                    .n_regions = 2};
}

/* The inner quotes of the script. */
static void with_quotes(struct fake_line *to, const struct fake_line *script)
{
    static char answers[16][32768];
    size_t i = 0;

    for (; script[i].operation; i++) {
        char *out = answers[i];

        to[i] = script[i];
        for (const char *s = script[i].answer; *s; s++) {
            if (*s == '`')
                *out++ = '\\';
            *out++ = *s == '`' ? '\'' : *s;
        }
        *out = '\0';
        to[i].answer = answers[i];
    }
    to[i] = (struct fake_line){NULL, NULL, NULL};
}

static const char *fetch(enum activity_kind kind, int64_t seconds, const struct fake_line *script)
{
    static struct fake_line lines[17];
    struct activity_scope scope = BOB;
    struct activity_fetch *f;
    struct activity_source s;

    with_quotes(lines, script);
    fake_begin(lines);
    s = source(kind);
    seen.done = false;
    seen.text = text_over(seen.said, sizeof seen.said);
    scope.from = noon(0);
    scope.until = noon(seconds);
    assert_int_equal(
        activity_fetch(&s, &scope, noon(seconds + asked_after_s), asked_soon, &CALLS, &f), 0);
    fake_run(&seen.done);
    fake_end();
    return seen.said;
}

#define SCRIPT(...) ((const struct fake_line[]){__VA_ARGS__, {NULL, NULL, NULL}})

/* ---- CloudWatch Logs ---------------------------------------------------------------------------
 */

static void a_short_while_is_filtered(void **state)
{
    (void)state;
    assert_string_equal(
        fetch(ACTIVITY_LOGS, 300,
              SCRIPT({"FilterLogEvents",
                      "{'logGroupName':'trail','startTime':" NOON_MS ",'endTime':1795610100001}",
                      "{'events':[" LINE("a", "12:00:01", "bob") "," LINE(
                          "b", "12:00:02", "bobby") "],'nextToken':'t'}"},
                     {"FilterLogEvents", "{'nextToken':'t'}", "{'events':[],'nextToken':'u'}"},
                     {"FilterLogEvents", "{'nextToken':'u'}",
                      "{'events':[" LINE("c", "12:05:00", "BOB") "," LINE(
                          "d", "12:05:01", "bob") ","
                                                  "{'message':'no JSON'},{'message':'{}'},{}]}"})),
        "a c gap 0-300: 1 of its records cannot be read ");
}

static void a_long_while_is_queried(void **state)
{
    (void)state;
    assert_string_equal(
        fetch(ACTIVITY_LOGS, 3600,
              SCRIPT({"StartQuery",
                      "{'logGroupName':'trail','startTime':1795608000,'endTime':1795613400,'limit':"
                      "10000}",
                      "{'queryId':'q-1'}"},
                     {"GetQueryResults", "{'queryId':'q-1'}", "{'status':'Scheduled'}"},
                     {"GetQueryResults", "{'queryId':'q-1'}", "{'status':'Running','results':[]}"},
                     {"GetQueryResults", "{'queryId':'q-1'}",
                      "{'status':'Complete','results':[" ROW("a", "12:00:00", "bob") "," ROW(
                          "b", "13:00:00", "bob") "]}"})),
        "a b ");
}

static void a_query_that_fails_is_asked_again(void **state)
{
    (void)state;
    assert_string_equal(
        fetch(ACTIVITY_LOGS, 3600,
              SCRIPT({"StartQuery", NULL, "{'queryId':'q-1'}"},
                     {"GetQueryResults", NULL, "{'status':'Failed'}"},
                     {"StartQuery", NULL, "!LimitExceededException too many"},
                     {"StartQuery", NULL, "{'queryId':'q-2'}"},
                     {"GetQueryResults", "{'queryId':'q-2'}",
                      "{'status':'Complete','results':[" ROW("a", "12:30:00", "bob") "]}"})),
        "a ");
}

static void what_fails_three_times_is_a_gap(void **state)
{
    static const struct {
        const char *status, *why;
    } ENDS[] = {{"{'status':'Failed'}", "gap 0-3600: the query failed "},
                {"{'status':'Cancelled'}", "gap 0-3600: somebody cancelled the query "},
                {"{'status':'Timeout'}", "gap 0-3600: the query took too long "},
                {"{'status':'Unknown'}", "gap 0-3600: the query failed "},
                {"{}", "gap 0-3600: the query failed "}};

    (void)state;
    for (size_t i = 0; i < sizeof ENDS / sizeof ENDS[0]; i++)
        assert_string_equal(fetch(ACTIVITY_LOGS, 3600,
                                  SCRIPT({"StartQuery", NULL, "{'queryId':'q'}"},
                                         {"GetQueryResults", NULL, ENDS[i].status},
                                         {"StartQuery", NULL, "{'queryId':'q'}"},
                                         {"GetQueryResults", NULL, ENDS[i].status},
                                         {"StartQuery", NULL, "{'queryId':'q'}"},
                                         {"GetQueryResults", NULL, ENDS[i].status})),
                            ENDS[i].why);
}

static void what_is_refused_is_a_gap_at_once(void **state)
{
    (void)state;
    assert_string_equal(
        fetch(ACTIVITY_LOGS, 60,
              SCRIPT({"FilterLogEvents", NULL, "!ResourceNotFoundException no such group"})),
        "gap 0-60: logs FilterLogEvents refused: ResourceNotFoundException: no such group ");
    assert_string_equal(fetch(ACTIVITY_LOGS, 3600, SCRIPT({"StartQuery", NULL, "~unreachable"})),
                        "gap 0-3600: logs StartQuery cannot be reached ");
    assert_string_equal(fetch(ACTIVITY_LOGS, 3600, SCRIPT({"StartQuery", NULL, "{}"})),
                        "gap 0-3600: the answer does not say which query has begun ");
}

/* 10,000 rows may have been more. */
static const char *full_answer(void)
{
    static char answer[64 + 10000 * 3] = "{'status':'Complete','results':[[]";

    if (answer[strlen(answer) - 1] == '}')
        return answer;
    for (size_t i = strlen(answer), n = 1; n < 10000; n++, i += 3)
        memcpy(answer + i, ",[]", 4);
    memcpy(answer + strlen(answer), "]}", 3);
    return answer;
}

static void a_full_answer_is_asked_for_in_halves(void **state)
{
    (void)state;
    assert_string_equal(
        fetch(
            ACTIVITY_LOGS, 3600,
            SCRIPT(
                {"StartQuery", "{'startTime':1795608000}", "{'queryId':'q'}"},
                {"GetQueryResults", NULL, full_answer()},
                {"StartQuery", "{'startTime':1795608000,'endTime':1795610700}", "{'queryId':'q'}"},
                {"GetQueryResults", NULL,
                 "{'status':'Complete','results':[" ROW("a", "12:29:59", "bob") "]}"},
                {"StartQuery", "{'startTime':1795610700,'endTime':1795613400}", "{'queryId':'q'}"},
                {"GetQueryResults", NULL,
                 "{'status':'Complete','results':[" ROW("b", "12:29:59", "bob") "," ROW(
                     "c", "12:50:00", "bob") "]}"})),
        "a b c ");
}

/* What was delivered in the half that failed may have happened half an hour before it. */
static void half_an_answer_is_a_gap_of_what_may_be_in_it(void **state)
{
    (void)state;
    assert_string_equal(
        fetch(ACTIVITY_LOGS, 7200,
              SCRIPT({"StartQuery", NULL, "{'queryId':'q'}"},
                     {"GetQueryResults", NULL, full_answer()},
                     {"StartQuery", NULL, "{'queryId':'q'}"},
                     {"GetQueryResults", NULL, "{'status':'Complete','results':[]}"},
                     {"StartQuery", "{'startTime':1795612500}", "!AccessDeniedException no"})),
        "gap 2700-7200: logs StartQuery refused: AccessDeniedException: no; the role that is "
        "assumed "
        "for this source needs the permission ");
}

static void an_answer_that_is_too_large_is_asked_for_in_halves(void **state)
{
    (void)state;
    assert_string_equal(
        fetch(ACTIVITY_LOGS, 3600,
              SCRIPT({"StartQuery", NULL, "{'queryId':'q'}"},
                     {"GetQueryResults", NULL, "~too large"},
                     {"StartQuery", "{'endTime':1795610700}", "{'queryId':'q'}"},
                     {"GetQueryResults", NULL,
                      "{'status':'Complete','results':[" ROW("a", "12:00:01", "bob") "]}"},
                     {"StartQuery", "{'startTime':1795610700}", "{'queryId':'q'}"},
                     {"GetQueryResults", NULL, "{'status':'Complete'}"})),
        "a ");
    assert_string_equal(
        fetch(ACTIVITY_LOOKUP, 60,
              SCRIPT({"LookupEvents", NULL, "~too large"},
                     {"LookupEvents", "{'StartTime':1795608000,'EndTime':1795608030}",
                      "{'Events':[" LOOKED("a", "12:00:20", "bob") "]}"},
                     {"LookupEvents", NULL, "{'Events':[]}"},
                     {"LookupEvents", "{'StartTime':1795608030,'EndTime':1795608060}",
                      "{'Events':[" LOOKED("b", "12:00:40", "bob") "]}"},
                     {"LookupEvents", NULL, "{'Events':[]}"})),
        "a b ");
    assert_string_equal(
        fetch(
            ACTIVITY_LAKE, 2,
            SCRIPT({"StartQuery", NULL, "{'QueryId':'q'}"},
                   {"DescribeQuery", NULL, "{'QueryStatus':'FINISHED'}"},
                   {"GetQueryResults", NULL, "~too large"}, {"StartQuery", NULL, "{'QueryId':'q'}"},
                   {"DescribeQuery", NULL, "{'QueryStatus':'FINISHED'}"},
                   {"GetQueryResults", NULL, "~too large"}, {"StartQuery", NULL, "{'QueryId':'q'}"},
                   {"DescribeQuery", NULL, "{'QueryStatus':'FINISHED'}"},
                   {"GetQueryResults", NULL,
                    "{'QueryResultRows':[" LAKE("b", "12:00:02", "bob") "]}"})),
        "gap 0-0: more happened in this second than the source gives for one question b! ");
}

/* CloudWatch Logs goes by the time of delivery: who asks later finds what came later. */
static void who_asks_later_finds_what_came_later(void **state)
{
    static const struct fake_line LATE[] = {
        {"StartQuery", "{'endTime':1795698000}", "{'queryId':'q'}"},
        {"GetQueryResults", NULL, "{'status':'Complete'}"},
        {NULL, NULL, NULL}};
    static const struct fake_line LATER[] = {
        {"StartQuery", "{'endTime':1795701600}", "{'queryId':'q'}"},
        {"GetQueryResults", NULL, "{'status':'Complete'}"},
        {NULL, NULL, NULL}};

    (void)state;
    asked_after_s = 86400;
    assert_string_equal(fetch(ACTIVITY_LOGS, 3600, LATE), "");
    asked_after_s = 90 * 86400;
    assert_string_equal(fetch(ACTIVITY_LOGS, 3600, LATER), "");
    asked_after_s = 0;
}

static void who_waits_gets_a_list(void **state)
{
    static const struct fake_line LIST[] = {{"FilterLogEvents", NULL, "{'events':[]}"},
                                            {NULL, NULL, NULL}};

    (void)state;
    asked_soon = true;
    assert_string_equal(fetch(ACTIVITY_LOGS, 3600, LIST), "");
    asked_soon = false;
}

/* Where much is written a list takes long, however little of it is asked for. Then, and for a while
 * afterwards, it is a query; but not when it is we who are slow. */
static void a_list_that_takes_long_becomes_a_query(void **state)
{
    static const struct fake_line LONG[] = {
        {"FilterLogEvents", NULL, "{'events':[" LINE("a", "12:00:01", "bob") "],'nextToken':'t'}"},
        {"FilterLogEvents", NULL, "?"},
        {"StartQuery", "{'startTime':1795608000,'endTime':1795609860}", "{'queryId':'q'}"},
        {"GetQueryResults", NULL,
         "{'status':'Complete','results':[" ROW("a", "12:00:01", "bob") "," ROW("b", "12:00:02",
                                                                                "bob") "]}"},
        {NULL, NULL, NULL}};
    static const struct fake_line AFTERWARDS[] = {
        {"StartQuery", NULL, "{'queryId':'q'}"},
        {"GetQueryResults", NULL, "{'status':'Complete'}"},
        {NULL, NULL, NULL}};
    static const struct fake_line LATER[] = {{"FilterLogEvents", NULL, "{}"}, {NULL, NULL, NULL}};

    (void)state;
    slow_until = 0;
    asked_soon = true;
    assert_string_equal(fetch(ACTIVITY_LOGS, 60, LONG), "a a b ");
    assert_string_equal(fetch(ACTIVITY_LOGS, 60, AFTERWARDS), "");
    slow_until = 1;
    assert_string_equal(fetch(ACTIVITY_LOGS, 60, LATER), "");
    asked_soon = false;
}

/* ---- records -----------------------------------------------------------------------------------
 */

#define WRITTEN(id, parameters)                                                            \
    "{'message':'{`eventID`:`" id "`,`eventTime`:`2026-11-25T12:00:01Z`,`eventName`:`Do`," \
    "`requestParameters`:" parameters ",`recipientAccountId`:`" ONES                       \
    "`,`userIdentity`:{`type`:`AssumedRole`,`principalId`:`A:bob`,`sessionContext`:{"      \
    "`sessionIssuer`:{`userName`:`AWSReservedSSO_Admin_" HEX "`}}}}'}"

#define TENS "[[[[[[[[[["
#define ENDS "]]]]]]]]]]"
#define DEEP TENS TENS TENS TENS TENS TENS TENS TENS ENDS ENDS ENDS ENDS ENDS ENDS ENDS ENDS

/* Who calls AWS writes some of the record, and must not make it vanish by that. */
static void nobody_can_write_what_is_not_read(void **state)
{
    (void)state;
    assert_string_equal(
        fetch(ACTIVITY_LOGS, 60,
              SCRIPT({"FilterLogEvents", NULL,
                      "{'events':[" WRITTEN("nul", "{`key`:`a\\\\u0000b`}") "," WRITTEN(
                          "twice",
                          "{`a`:1,`a`:2}") "," WRITTEN("deep",
                                                       DEEP) "," WRITTEN("number",
                                                                         "{`a`:"
                                                                         "1234567890123456789012345"
                                                                         "67890}") "]}"})),
        "nul twice deep number ");
}

/* ---- room --------------------------------------------------------------------------------------
 */

static void run_a_while(void)
{
    for (int i = 0; i < 20; i++)
        sd_event_run(fake_loop, 1000);
}

/* The next page is not asked for before the last one was taken. */
static void who_has_no_room_is_waited_for(void **state)
{
    static const struct fake_line PAGES[] = {
        {"FilterLogEvents", NULL,
         "{'events':[" LINE("a", "12:00:01", "bob") "," LINE("b", "12:00:02", "bob") "," LINE(
             "c", "12:00:02", "bob") "],'nextToken':'t'}"},
        {"FilterLogEvents", "{'nextToken':'t'}", "{'events':[" LINE("d", "12:00:01", "bob") "]}"},
        {NULL, NULL, NULL}};
    static struct fake_line lines[3];
    struct activity_scope scope = BOB;
    struct activity_fetch *f;
    struct activity_source s;

    (void)state;
    with_quotes(lines, PAGES);
    fake_begin(lines);
    s = source(ACTIVITY_LOGS);
    seen.done = false;
    seen.room = 2;
    seen.text = text_over(seen.said, sizeof seen.said);
    scope.from = noon(0);
    scope.until = noon(60);
    assert_int_equal(activity_fetch(&s, &scope, noon(0), true, &CAREFUL, &f), 0);
    run_a_while();
    for (int i = 0; i < 40; i++) /* longer than a list may take */
        sd_event_run(fake_loop, 10000);
    assert_string_equal(seen.said, "a b ");
    assert_int_equal(fake_at, 1);
    activity_fetch_go_on(f);
    assert_string_equal(seen.said, "a b ");
    seen.room = 1;
    activity_fetch_go_on(f);
    run_a_while();
    assert_string_equal(seen.said, "a b c | ");
    assert_int_equal(fake_at, 2);
    seen.room = 9;
    activity_fetch_go_on(f);
    assert_true(seen.done);
    assert_string_equal(seen.said, "a b c | d | ");
    fake_end();
}

static void who_has_no_room_for_results_is_waited_for(void **state)
{
    static const struct fake_line QUERY[] = {
        {"StartQuery", NULL, "{'queryId':'q'}"},
        {"GetQueryResults", NULL,
         "{'status':'Complete','results':[" ROW("a", "12:00:01", "bob") "," ROW("b", "12:00:02",
                                                                                "bob") "]}"},
        {NULL, NULL, NULL}};
    static struct fake_line lines[3];
    struct activity_scope scope = BOB;
    struct activity_fetch *f;
    struct activity_source s;

    (void)state;
    with_quotes(lines, QUERY);
    fake_begin(lines);
    s = source(ACTIVITY_LOGS);
    seen.done = false;
    seen.room = 1;
    seen.text = text_over(seen.said, sizeof seen.said);
    scope.from = noon(0);
    scope.until = noon(3600);
    assert_int_equal(activity_fetch(&s, &scope, noon(0), false, &CAREFUL, &f), 0);
    for (int i = 0; i < 200 && fake_at < 2; i++)
        sd_event_run(fake_loop, 10000);
    run_a_while();
    assert_string_equal(seen.said, "a ");
    assert_false(seen.done);
    seen.room = 1;
    activity_fetch_go_on(f);
    assert_true(seen.done);
    assert_string_equal(seen.said, "a b | ");
    fake_end();
}

/* ---- LookupEvents ------------------------------------------------------------------------------
 */

static void each_region_is_looked_up(void **state)
{
    (void)state;
    assert_string_equal(
        fetch(ACTIVITY_LOOKUP, 3600,
              SCRIPT({"LookupEvents",
                      "{'LookupAttributes':[{'AttributeKey':'Username','AttributeValue':'bob'}],"
                      "'StartTime':1795608000,'EndTime':1795611600,'MaxResults':50}",
                      "{'Events':[" LOOKED("b", "12:30:00", "bob") "],'NextToken':'t'}"},
                     {"LookupEvents", "{'NextToken':'t'}",
                      "{'Events':[" LOOKED("a", "12:10:00", "bob") "," LOOKED("x", "12:10:00",
                                                                              "eve") "]}"},
                     {"LookupEvents", NULL, "{'Events':[" LOOKED("c", "12:20:00", "bob") "]}"})),
        "b a c ");
}

static void a_region_that_fails_is_a_gap_and_the_others_are_read(void **state)
{
    (void)state;
    assert_string_equal(
        fetch(ACTIVITY_LOOKUP, 60,
              SCRIPT({"LookupEvents", NULL, "~throttled"},
                     {"LookupEvents", NULL, "{'Events':[" LOOKED("c", "12:00:20", "bob") "]}"})),
        "gap 0-60: eu-west-1: cloudtrail LookupEvents has too much to do; it will be asked again "
        "c ");
}

/* ---- Lake --------------------------------------------------------------------------------------
 */

static void lake_is_queried(void **state)
{
    (void)state;
    assert_string_equal(
        fetch(ACTIVITY_LAKE, 3600,
              SCRIPT({"StartQuery", NULL, "!MaxConcurrentQueriesException ten"},
                     {"StartQuery", NULL, "{'QueryId':'q'}"},
                     {"DescribeQuery", "{'QueryId':'q'}", "{'QueryStatus':'QUEUED'}"},
                     {"DescribeQuery", NULL, "{'QueryStatus':'RUNNING'}"},
                     {"DescribeQuery", NULL, "{'QueryStatus':'FINISHED'}"},
                     {"GetQueryResults", "{'QueryId':'q','MaxQueryResults':1000}",
                      "{'QueryResultRows':[" LAKE("a", "12:00:01", "bob") "],'NextToken':'t'}"},
                     {"GetQueryResults", "{'NextToken':'t'}",
                      "{'QueryResultRows':[" LAKE("b", "12:00:02", "bob") "," LAKE(
                          "c", "12:00:03", "bobby") ",[],'odd']}"})),
        "a! b! ");
    assert_non_null(strstr(seen.raw, "\"requestParameters\":\"{bucketName=b}\""));
}

static void lake_may_fail(void **state)
{
    static const char *const STATUS[] = {"FAILED", "CANCELLED", "TIMED_OUT"};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        char answer[64];

        snprintf(answer, sizeof answer, "{'QueryStatus':'%s'}", STATUS[i]);
        assert_non_null(strstr(
            fetch(ACTIVITY_LAKE, 60,
                  SCRIPT({"StartQuery", NULL, "{'QueryId':'q'}"}, {"DescribeQuery", NULL, answer},
                         {"StartQuery", NULL, "{'QueryId':'q'}"}, {"DescribeQuery", NULL, answer},
                         {"StartQuery", NULL, "{'QueryId':'q'}"}, {"DescribeQuery", NULL, answer})),
            "gap 0-60: "));
    }
}

/* ---- the rest ----------------------------------------------------------------------------------
 */

static void what_is_cancelled_says_nothing(void **state)
{
    static const struct fake_line NOTHING[] = {{NULL, NULL, NULL}};
    struct activity_fetch *f;
    struct activity_source s;

    (void)state;
    fake_begin(NOTHING);
    s = source(ACTIVITY_LOGS);
    seen.done = false;
    assert_int_equal(activity_fetch(&s, &BOB, noon(0), true, &CALLS, &f), 0);
    assert_null(activity_fetch_cancel(f));
    sd_event_run(fake_loop, 1000);
    assert_false(seen.done);
    assert_null(activity_fetch_cancel(NULL));
    fake_end();
}

/* A query costs, and keeps a place that others wait for. */
static void a_query_that_nobody_wants_is_stopped(void **state)
{
    static const struct {
        enum activity_kind kind;
        struct fake_line lines[3];
    } ROWS[] = {{ACTIVITY_LOGS,
                 {{"StartQuery", NULL, "{'queryId':'q'}"},
                  {"StopQuery", "{'queryId':'q'}", "{'success':true}"},
                  {NULL, NULL, NULL}}},
                {ACTIVITY_LAKE,
                 {{"StartQuery", NULL, "{'QueryId':'q'}"},
                  {"CancelQuery", "{'QueryId':'q'}", "{}"},
                  {NULL, NULL, NULL}}}};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct activity_scope scope = BOB;
        struct activity_fetch *f;
        struct activity_source s;

        fake_begin(ROWS[i].lines);
        s = source(ROWS[i].kind);
        seen.done = false;
        scope.from = noon(0);
        scope.until = noon(3600);
        assert_int_equal(activity_fetch(&s, &scope, noon(0), false, &CALLS, &f), 0);
        while (fake_at < 1 || fake_under_way > 0)
            sd_event_run(fake_loop, 1000);
        activity_fetch_cancel(f);
        while (fake_under_way > 0)
            sd_event_run(fake_loop, 1000);
        assert_false(seen.done);
        fake_end();
    }
}

static void what_cannot_be_is_not_asked(void **state)
{
    static const struct fake_line NOTHING[] = {{NULL, NULL, NULL}};
    struct activity_scope scope = BOB;
    struct activity_fetch *f;
    struct activity_source s;

    (void)state;
    fake_begin(NOTHING);
    s = source(ACTIVITY_LOGS);
    scope.from = noon(60);
    scope.until = noon(0);
    assert_int_equal(activity_fetch(&s, &scope, noon(60), true, &CALLS, &f), -EINVAL);
    scope.from = noon(0);
    scope.account = "1";
    assert_int_equal(activity_fetch(&s, &scope, noon(60), true, &CALLS, &f), -EINVAL);
    fake_end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_short_while_is_filtered),
        cmocka_unit_test(a_long_while_is_queried),
        cmocka_unit_test(a_query_that_fails_is_asked_again),
        cmocka_unit_test(what_fails_three_times_is_a_gap),
        cmocka_unit_test(what_is_refused_is_a_gap_at_once),
        cmocka_unit_test(a_full_answer_is_asked_for_in_halves),
        cmocka_unit_test(half_an_answer_is_a_gap_of_what_may_be_in_it),
        cmocka_unit_test(an_answer_that_is_too_large_is_asked_for_in_halves),
        cmocka_unit_test(who_asks_later_finds_what_came_later),
        cmocka_unit_test(who_waits_gets_a_list),
        cmocka_unit_test(a_list_that_takes_long_becomes_a_query),
        cmocka_unit_test(nobody_can_write_what_is_not_read),
        cmocka_unit_test(who_has_no_room_is_waited_for),
        cmocka_unit_test(who_has_no_room_for_results_is_waited_for),
        cmocka_unit_test(a_query_that_nobody_wants_is_stopped),
        cmocka_unit_test(each_region_is_looked_up),
        cmocka_unit_test(a_region_that_fails_is_a_gap_and_the_others_are_read),
        cmocka_unit_test(lake_is_queried),
        cmocka_unit_test(lake_may_fail),
        cmocka_unit_test(what_is_cancelled_says_nothing),
        cmocka_unit_test(what_cannot_be_is_not_asked),
    };

    return cmocka_run_group_tests_name("aws: sources of activity", tests, NULL, NULL);
}
