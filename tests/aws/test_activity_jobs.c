/* Jobs of the step `activity`: what is asked for them of whom, what teamd is told, and when nothing
 * more is. The link and the client are stand-ins. */
#include "aws/fake_aws.h"

#include "courier/activity_jobs.h"

#include <team/text.h>

#define ONES "111122223333"
#define TWOS "222233334444"
#define HEX  "0123456789abcdef"
#define NOON INT64_C(1795608000) /* 2026-11-25 12:00 UTC */
#define S    "\\'"               /* a quote inside of a text of the script */
#define EVENT(id, account, user, more)                                                             \
    "{" S "eventID" S ":" S id S "," S "eventTime" S ":" S "2026-11-25T12:00:01Z" S "," S          \
    "eventName" S ":" S "Do" S "," S "recipientAccountId" S ":" S account S more "," S             \
    "userIdentity" S ":{" S "type" S ":" S "AssumedRole" S "," S "principalId" S ":" S "A:" user S \
    "," S "sessionContext" S ":{" S "sessionIssuer" S ":{" S "userName" S ":" S                    \
    "AWSReservedSSO_Admin_" HEX S "}}}}"
#define LINE(id, user)   "{'message':'" EVENT(id, ONES, user, "") "'}"
#define LOOKED(id, user) "{'CloudTrailEvent':'" EVENT(id, TWOS, user, "") "'}"

/* ---- clients -----------------------------------------------------------------------------------
 */

struct aws_client {
    char role[257], external_id[257];
};

static struct {
    char made[4096];
    struct text text;
    int living, reloaded;
    bool fails;
} clients;

int aws_client_new(sd_event *loop, const struct aws_setup *setup, struct aws_client **ret,
                   char why[AWS_TEXT_CAP])
{
    (void)loop;
    (void)setup;
    (void)ret;
    (void)why;
    fail_msg("clients are made by the setup's function");
    return -EINVAL;
}

struct aws_client *aws_client_free(struct aws_client *c)
{
    clients.living -= c != NULL;
    free(c);
    return NULL;
}

int aws_client_reload(struct aws_client *c, char why[AWS_TEXT_CAP])
{
    (void)c;
    (void)why;
    clients.reloaded++;
    return 0;
}

static int make(void *ctx, const char *role, const char *external_id, struct aws_client **ret,
                char why[AWS_TEXT_CAP])
{
    (void)ctx;
    if (clients.fails) {
        snprintf(why, AWS_TEXT_CAP, "no such role");
        return -EINVAL;
    }
    text_put(&clients.text, role);
    text_put(&clients.text, external_id[0] ? "+" : "");
    text_put(&clients.text, external_id);
    text_put(&clients.text, " ");
    *ret = calloc(1, sizeof **ret);
    clients.living++;
    return 0;
}

/* ---- the link ----------------------------------------------------------------------------------
 */

struct link {
    int unused;
};

static struct {
    char said[8192]; /* of all rows and results, in order */
    struct text text;
    struct {
        void (*heard)(void *ctx, uint64_t code);
        void *ctx;
    } waiting[64];
    size_t n, most;
    struct activity_jobs *breaks; /* at the next packet */
    bool drops;
} line;

static void say_row(struct wire_span row)
{
    char kind[17], id[65], text[481], raw[64];
    uint64_t at = 0, until = 0, size = 0;

    wire_copy(row, TEAM_KIND, kind, sizeof kind);
    wire_copy(row, TEAM_EVENT_ID, id, sizeof id);
    wire_copy(row, TEAM_TEXT, text, sizeof text);
    wire_find_u64(row, TEAM_AT, &at);
    wire_find_u64(row, TEAM_UNTIL, &until);
    if (strcmp(kind, "call") == 0) {
        text_put(&line.text, id);
        wire_copy(row, TEAM_EVENT_SOURCE, raw, sizeof raw);
        assert_true(raw[0] != '\0');
        assert_true(wire_find_u64(row, TEAM_RAW_SIZE, &size));
        assert_int_equal(at, (NOON + 1) * SECOND_US);
    } else {
        assert_string_equal(kind, "gap");
        text_put(&line.text, "gap ");
        text_put_u64(&line.text, at / SECOND_US - (uint64_t)NOON);
        text_put(&line.text, "-");
        text_put_u64(&line.text, until / SECOND_US - (uint64_t)NOON);
        text_put(&line.text, " ");
        text_put(&line.text, text);
    }
    text_put(&line.text, "; ");
}

bool link_send(struct link *l, const char *packet, size_t len,
               void (*heard)(void *ctx, uint64_t code), void *ctx)
{
    struct activity_jobs *breaks = line.breaks;
    struct wire_msg msg = {.op = 0};
    struct wire_span rest = {NULL, 0};

    (void)l;
    if (line.drops)
        return false;
    assert_int_equal(wire_read(packet, len, &msg), WIRE_OK);
    assert_int_equal(msg.op, TEAM_OP_FOUND);
    rest = msg.fields;
    for (struct wire_span row; row = wire_each(&rest, TEAM_ROW), row.at;)
        say_row(row);
    line.waiting[line.n].heard = heard;
    line.waiting[line.n++].ctx = ctx;
    line.most = line.n > line.most ? line.n : line.most;
    line.breaks = NULL;
    if (breaks) {
        line.n = 0;
        activity_jobs_down(breaks);
    }
    return true;
}

void link_result(struct link *l, uint64_t number, uint64_t round, const char *outcome,
                 const char *text)
{
    (void)l;
    text_put(&line.text, "[");
    text_put_u64(&line.text, number);
    text_put(&line.text, "/");
    text_put_u64(&line.text, round);
    text_put(&line.text, " ");
    text_put(&line.text, outcome);
    text_put(&line.text, text[0] ? ": " : "");
    text_put(&line.text, text);
    text_put(&line.text, "] ");
}

size_t link_waiting(const struct link *l)
{
    (void)l;
    return line.n;
}

/* teamd answers its first packet. */
static void answer(uint64_t code)
{
    void (*heard)(void *ctx, uint64_t code) = line.waiting[0].heard;
    void *ctx = line.waiting[0].ctx;

    assert_true(line.n > 0);
    memmove(line.waiting, line.waiting + 1, --line.n * sizeof line.waiting[0]);
    heard(ctx, code);
}

/* ---- the stage ---------------------------------------------------------------------------------
 */

static struct activity_place places[ACTIVITY_PLACES_MAX];
static size_t n_places;
static struct activity_jobs *jobs;
static struct link the_link;
static struct aws_client own;

static bool place(void *ctx, size_t i, struct activity_place *ret)
{
    (void)ctx;
    if (i >= n_places)
        return false;
    *ret = places[i];
    return true;
}

static const struct activity_place LOGS = {
    .kind = ACTIVITY_LOGS, .log_group = "trail", .region = "eu-west-1"};
static const struct activity_place LOOKUP = {.kind = ACTIVITY_LOOKUP,
                                             .role = "arn:aws:iam::{account}:role/look",
                                             .external_id = "x",
                                             .regions = {"eu-west-1", "us-east-1"},
                                             .n_regions = 2};
static const struct activity_place LAKE = {.kind = ACTIVITY_LAKE,
                                           .store = "12345678-1234-1234-1234-123456789012"};

static void begin(const struct fake_line *script, const struct activity_place *a,
                  const struct activity_place *b)
{
    const struct activity_setup setup = {place, make, NULL};

    n_places = 0;
    if (a)
        places[n_places++] = *a;
    if (b)
        places[n_places++] = *b;
    fake_begin(script);
    memset(&line, 0, sizeof line);
    memset(&clients, 0, sizeof clients);
    line.text = text_over(line.said, sizeof line.said);
    clients.text = text_over(clients.made, sizeof clients.made);
    assert_int_equal(activity_jobs_new(fake_loop, &the_link, &own, &setup, &jobs), 0);
}

static void end(void)
{
    jobs = activity_jobs_free(jobs);
    while (fake_under_way > 0) /* queries that are stopped */
        sd_event_run(fake_loop, 1000);
    assert_int_equal(clients.living, 0);
    fake_end();
}

static struct link_job job(uint64_t number, uint64_t round)
{
    return (struct link_job){.number = number,
                             .round = round,
                             .step = "activity",
                             .account = ONES,
                             .set_arn = "",
                             .principal = "id-of-bob",
                             .set_name = "Admin",
                             .label = "bob",
                             .since = (uint64_t)(NOON * SECOND_US),
                             .until = (uint64_t)((NOON + 60) * SECOND_US)};
}

static void take(struct link_job j)
{
    activity_jobs_take(jobs, &j);
}

/* As long as something happens, and answers are waited for or given. */
static void run(bool answers)
{
    for (int quiet = 0; quiet < 30;) {
        quiet = sd_event_run(fake_loop, 2000) > 0 ? 0 : quiet + 1;
        if (answers && line.n > 0) {
            answer(TEAM_DONE);
            activity_jobs_room(jobs);
            quiet = 0;
        }
    }
}

#define SCRIPT(...) ((const struct fake_line[]){__VA_ARGS__, {NULL, NULL, NULL}})
#define NO_CALLS    ((const struct fake_line[]){{NULL, NULL, NULL}})

/* ---- one job -----------------------------------------------------------------------------------
 */

static void what_is_found_is_said_and_then_it_is_done(void **state)
{
    (void)state;
    begin(SCRIPT({"FilterLogEvents", "{'logGroupName':'trail'}",
                  "{'events':[" LINE("a", "bob") "," LINE("x", "bobby") "],'nextToken':'t'}"},
                 {"FilterLogEvents", "{'nextToken':'t'}", "{'events':[" LINE("b", "BOB") "]}"}),
          &LOGS, NULL);
    take(job(7, 2));
    run(false);
    assert_string_equal(line.said, "a; b; ");
    answer(TEAM_DONE);
    run(false);
    assert_string_equal(line.said, "a; b; ");
    answer(TEAM_DONE);
    run(false);
    assert_string_equal(line.said, "a; b; [7/2 done] ");
    assert_int_equal(activity_jobs_count(jobs), 0);
    end();
}

static void what_teamd_does_not_keep_is_no_success(void **state)
{
    (void)state;
    begin(SCRIPT({"FilterLogEvents", NULL, "{'events':[" LINE("a", "bob") "]}"}), &LOGS, NULL);
    take(job(7, 2));
    run(false);
    answer(TEAM_FAILED);
    run(false);
    assert_string_equal(line.said, "a; [7/2 failed: teamd could not keep what was found] ");
    end();
    begin(SCRIPT({"FilterLogEvents", NULL, "{'events':[" LINE("a", "bob") "]}"}), &LOGS, NULL);
    line.drops = true;
    take(job(7, 2));
    run(false);
    assert_string_equal(line.said, "[7/2 failed: teamd could not keep what was found] ");
    end();
}

static void what_nobody_waits_for_ends(void **state)
{
    (void)state;
    begin(SCRIPT({"FilterLogEvents", NULL, "{'events':[" LINE("a", "bob") "],'nextToken':'t'}"},
                 {"FilterLogEvents", NULL, "~unreachable"}),
          &LOGS, NULL);
    take(job(7, 2));
    while (line.n == 0)
        sd_event_run(fake_loop, 1000);
    answer(TEAM_NOT_FOUND);
    run(true);
    assert_non_null(strstr(line.said, "a; "));
    assert_null(strstr(line.said, "["));
    assert_int_equal(activity_jobs_count(jobs), 0);
    if (fake_at == 1)
        fake_at = 2;
    end();
}

static void what_cannot_be_has_failed(void **state)
{
#define FORM "failed: that is not the form of an account, a permission set, a user and a time] "
    struct link_job j = job(1, 1);

    (void)state;
    begin(NO_CALLS, &LOGS, NULL);
    j.account = "12";
    take(j);
    j = job(2, 1);
    j.set_name = "";
    take(j);
    j = job(3, 1);
    j.label = "";
    take(j);
    j = job(4, 1);
    j.since = j.until + 1;
    take(j);
    j = job(5, 1);
    j.until = UINT64_MAX;
    take(j);
    n_places = 0;
    take(job(6, 1));
    assert_string_equal(line.said, "[1/1 " FORM "[2/1 " FORM "[3/1 " FORM "[4/1 " FORM "[5/1 " FORM
                                   "[6/1 failed: aws.activity names no source] ");
    end();
}

/* ---- sources -----------------------------------------------------------------------------------
 */

static void every_source_is_read_and_has_its_gaps(void **state)
{
    struct link_job j = job(1, 1);

    (void)state;
    begin(SCRIPT({"FilterLogEvents", NULL, "~unreachable"}, {"LookupEvents", NULL, "~throttled"},
                 {"LookupEvents", NULL, "{'Events':[" LOOKED("a", "bob") "]}"}),
          &LOGS, &LOOKUP);
    j.account = TWOS;
    take(j);
    run(true);
    assert_string_equal(
        line.said,
        "gap 0-60 log group trail: logs FilterLogEvents cannot be reached; "
        "gap 0-60 LookupEvents: eu-west-1: cloudtrail LookupEvents has too much to do; it will be "
        "asked again; a; [1/1 done] ");
    assert_string_equal(clients.made, "arn:aws:iam::" TWOS ":role/look+x ");
    end();
}

static void who_cannot_be_is_a_gap(void **state)
{
    (void)state;
    begin(SCRIPT({"FilterLogEvents", NULL, "{}"}), &LOOKUP, &LOGS);
    clients.fails = true;
    take(job(1, 1));
    run(true);
    assert_string_equal(line.said, "gap 0-60 LookupEvents: no such role; [1/1 done] ");
    end();
}

static void an_arn_is_called_by_its_name(void **state)
{
    static const struct activity_place FAR = {.kind = ACTIVITY_LOGS,
                                              .log_group = "arn:aws:logs:eu-west-1:" TWOS
                                                           ":log-group:trail",
                                              .role = "arn:aws:iam::" TWOS ":role/logs"};

    (void)state;
    begin(SCRIPT({"FilterLogEvents",
                  "{'logGroupIdentifier':'arn:aws:logs:eu-west-1:" TWOS ":log-group:trail'}",
                  "!ResourceNotFoundException none"},
                 {"StartQuery", NULL, "!X y"}),
          &FAR, &LAKE);
    take(job(1, 1));
    run(true);
    assert_string_equal(
        line.said,
        "gap 0-60 log group trail: logs FilterLogEvents refused: ResourceNotFoundException: none; "
        "gap 0-60 event data store 12345678-1234-1234-1234-123456789012: cloudtrail StartQuery "
        "refused: X: y; [1/1 done] ");
    end();
}

/* ---- several jobs ------------------------------------------------------------------------------
 */

static void a_later_round_takes_the_place(void **state)
{
    (void)state;
    begin(SCRIPT({"FilterLogEvents", NULL, "{'events':[" LINE("a", "bob") "]}"}), &LOGS, NULL);
    take(job(7, 1));
    take(job(7, 2));
    take(job(7, 2));
    run(true);
    assert_string_equal(line.said, "a; [7/2 done] ");
    end();
}

static void a_query_of_an_earlier_round_is_stopped(void **state)
{
    struct link_job j = job(7, 1);

    (void)state;
    begin(SCRIPT({"StartQuery", NULL, "{'queryId':'q'}"}, {"StopQuery", "{'queryId':'q'}", "{}"},
                 {"FilterLogEvents", NULL, "{}"}),
          &LOGS, NULL);
    j.until += 3600 * SECOND_US;
    take(j);
    while (fake_at < 1 || fake_under_way > 0)
        sd_event_run(fake_loop, 1000);
    take(job(7, 2));
    run(true);
    assert_string_equal(line.said, "[7/2 done] ");
    end();
}

/* Lake: three at once for later, five if somebody waits. */
static void each_waits_for_its_turn(void **state)
{
    (void)state;
    for (int soon = 0; soon < 2; soon++) {
        static struct fake_line script[16];
        size_t most = soon ? 5 : 3;

        memset(script, 0, sizeof script);
        for (size_t i = 0; i < most; i++) {
            script[i] = (struct fake_line){"StartQuery", NULL, "{'QueryId':'q'}"};
            script[most + i] = (struct fake_line){"CancelQuery", NULL, "{}"};
        }
        begin(script, &LAKE, NULL);
        for (uint64_t i = 1; i <= 10; i++) {
            struct link_job j = job(i, 1);

            j.soon = soon == 1;
            take(j);
        }
        while (fake_at < most || fake_under_way > 0)
            sd_event_run(fake_loop, 0);
        assert_int_equal(activity_jobs_count(jobs), 10);
        end();
    }
}

/* One after the other comes to its turn, first who waits. */
static void everybody_gets_a_turn(void **state)
{
    static struct fake_line script[16];
    struct link_job soon = job(11, 1);

    (void)state;
    for (size_t i = 0; i < 8; i++)
        script[i] = (struct fake_line){"StartQuery", NULL, "!X y"};
    begin(script, &LAKE, NULL);
    for (uint64_t i = 1; i <= 7; i++)
        take(job(i, 1));
    soon.soon = true;
    take(soon);
    run(true);
    for (uint64_t i = 1; i <= 11; i += i == 7 ? 4 : 1) {
        char wanted[32];

        snprintf(wanted, sizeof wanted, "[%u/1 done] ", (unsigned)i);
        assert_non_null(strstr(line.said, wanted));
    }
    assert_true(strstr(line.said, "[11/1 done] ") < strstr(line.said, "[4/1 done] "));
    end();
}

/* ---- the link ----------------------------------------------------------------------------------
 */

/* Rows of 30 kB are a packet each. */
static const char *large_page(size_t n)
{
    static const char event[] = EVENT("big", ONES, "bob", "");
    static char page[1024 * 1024];
    static char record[40000];
    struct text t = text_over(page, sizeof page);

    memset(record, 'x', 30000);
    record[30000] = '\0';
    text_put(&t, "{'events':[");
    for (size_t i = 0; i < n; i++) {
        text_put(&t, i ? ",{'message':'{" : "{'message':'{");
        text_put(&t, S "requestParameters" S ":" S);
        text_put(&t, record);
        text_put(&t, S ",");
        text_put(&t, event + 1); /* without its brace */
        text_put(&t, "'}");
    }
    text_put(&t, "]}");
    assert_false(t.cut);
    return page;
}

static void the_link_is_never_full(void **state)
{
    (void)state;
    begin(SCRIPT({"FilterLogEvents", NULL, large_page(20)}), &LOGS, NULL);
    take(job(1, 1));
    run(false);
    assert_int_equal(line.n, 4);
    run(true);
    assert_true(line.most <= 5);
    assert_int_equal(line.text.len, 20 * strlen("big; ") + strlen("[1/1 done] "));
    end();
}

/* It breaks while a page is being told, and nobody is told anything any more. */
static void when_the_link_breaks_all_ends(void **state)
{
    (void)state;
    begin(SCRIPT({"FilterLogEvents", NULL, large_page(20)}), &LOGS, NULL);
    line.breaks = jobs;
    take(job(1, 1));
    run(true);
    assert_string_equal(line.said, "big; ");
    assert_int_equal(activity_jobs_count(jobs), 0);
    end();
    begin(SCRIPT({"FilterLogEvents", NULL, large_page(2)}, {"FilterLogEvents", NULL, "{}"}), &LOGS,
          NULL);
    line.breaks = jobs;
    take(job(1, 1));
    while (!line.text.len)
        sd_event_run(fake_loop, 1000);
    take(job(1, 1)); /* over the next one */
    run(true);
    assert_string_equal(line.said, "big; [1/1 done] ");
    end();
}

/* ---- clients -----------------------------------------------------------------------------------
 */

static void clients_are_kept_and_the_oldest_goes(void **state)
{
    static struct activity_clients c;
    struct aws_client *first, *second;
    char why[AWS_TEXT_CAP], role[32];

    (void)state;
    memset(&clients, 0, sizeof clients);
    clients.text = text_over(clients.made, sizeof clients.made);
    c = (struct activity_clients){.make = make, .own = &own};
    assert_ptr_equal(activity_clients_take(&c, "", "", why), &own);
    activity_clients_give(&c, &own);
    first = activity_clients_take(&c, "r", "", why);
    assert_ptr_equal(activity_clients_take(&c, "r", "", why), first);
    second = activity_clients_take(&c, "r", "x", why);
    assert_ptr_not_equal(first, second);
    activity_clients_give(&c, first);
    activity_clients_give(&c, second);
    for (int i = 0; i < ACTIVITY_CLIENTS_MAX; i++) {
        snprintf(role, sizeof role, "role-%d", i);
        if (i < ACTIVITY_CLIENTS_MAX - 1)
            assert_non_null(activity_clients_take(&c, role, "", why));
        else
            assert_null(activity_clients_take(&c, role, "", why)); /* the first is in use */
    }
    assert_string_equal(why, "too many accounts are being read at once");
    assert_int_equal(clients.living, ACTIVITY_CLIENTS_MAX);
    activity_clients_give(&c, c.at[5].aws);
    activity_clients_reload(&c);
    assert_int_equal(clients.living, ACTIVITY_CLIENTS_MAX - 1);
    assert_int_equal(clients.reloaded, ACTIVITY_CLIENTS_MAX - 1);
    assert_ptr_equal(activity_clients_take(&c, "r", "", why), first);
    clients.fails = true;
    assert_null(activity_clients_take(&c, "new", "", why));
    assert_string_equal(why, "no such role");
    activity_clients_free(&c);
    assert_int_equal(clients.living, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_found_is_said_and_then_it_is_done),
        cmocka_unit_test(what_teamd_does_not_keep_is_no_success),
        cmocka_unit_test(what_nobody_waits_for_ends),
        cmocka_unit_test(what_cannot_be_has_failed),
        cmocka_unit_test(every_source_is_read_and_has_its_gaps),
        cmocka_unit_test(who_cannot_be_is_a_gap),
        cmocka_unit_test(an_arn_is_called_by_its_name),
        cmocka_unit_test(a_later_round_takes_the_place),
        cmocka_unit_test(a_query_of_an_earlier_round_is_stopped),
        cmocka_unit_test(each_waits_for_its_turn),
        cmocka_unit_test(everybody_gets_a_turn),
        cmocka_unit_test(the_link_is_never_full),
        cmocka_unit_test(when_the_link_breaks_all_ends),
        cmocka_unit_test(clients_are_kept_and_the_oldest_goes),
    };

    return cmocka_run_group_tests_name("aws: jobs of activity", tests, NULL, NULL);
}
