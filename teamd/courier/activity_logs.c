#include "courier/activity_fetch.h"
#include "courier/activity_query.h"
#include "courier/json.h"

#include <errno.h>
#include <string.h>

/* CloudWatch Logs: an organisation's trail writes each event into a log group, as a line of JSON.
 * Short whiles are read by FilterLogEvents, which answers at once, page after page; long ones by an
 * Insights query, which reads a day in seconds but costs what it scans.
 *
 * Lines have the time at which they were delivered: up to LATE after the event. */

#define LATE_US  (30 * 60 * SECOND_US)
#define SHORT_US (15 * 60 * SECOND_US)
enum { ROWS_MAX = 10000 };

/* A name, or an ARN, which some members take and some do not. */
static void set_group(json_t *body, const char *group, const char *by_name, const char *by_either)
{
    bool is_arn = strncmp(group, "arn:", 4) == 0;

    if (!is_arn)
        json_object_set_new(body, by_name, json_string(group));
    else if (strcmp(by_either, "logGroupIdentifiers") == 0)
        json_object_set_new(body, by_either, json_pack("[s]", group));
    else
        json_object_set_new(body, by_either, json_string(group));
}

/* ---- short ------------------------------------------------------------------------------------
 */

static void on_lines(void *ctx, const json_t *rows)
{
    const json_t *row;
    size_t i;

    json_array_foreach(rows, i, row)
    {
        const char *message = json_text_of(row, "message");

        fetch_record(ctx, message, strlen(message));
    }
}

static void on_lines_end(void *ctx, const struct aws_failure *failure)
{
    struct activity_fetch *f = ctx;

    f->pages = NULL;
    if (failure)
        fetch_fail_of(f, failure);
    else
        fetch_over(f);
}

static int begin_filter(struct activity_fetch *f)
{
    struct pages_calls calls = {on_lines, on_lines_end, f};
    struct pages_ask ask = {.service = AWS_LOGS,
                            .operation = "FilterLogEvents",
                            .member = "events",
                            .token = "nextToken",
                            .urgency = f->urgency};
    char pattern[ACTIVITY_PATTERN_CAP];

    activity_pattern(&f->scope, pattern);
    ask.body = json_pack("{s:s, s:I, s:I, s:i}", "filterPattern", pattern, "startTime",
                         (json_int_t)(f->now.from.us / 1000), "endTime",
                         (json_int_t)((f->now.until.us + LATE_US) / 1000), "limit", ROWS_MAX);
    if (ask.body)
        set_group(ask.body, f->source->log_group, "logGroupName", "logGroupIdentifier");
    return pages_start(f->source->aws, &ask, &calls, &f->pages);
}

/* ---- long -------------------------------------------------------------------------------------
 */

static void tell_rows(struct activity_fetch *f, const json_t *rows)
{
    const json_t *row, *field;
    size_t i, k;

    json_array_foreach(rows, i, row)
    {
        json_array_foreach(row, k, field)
        {
            const char *value = json_text_of(field, "value");

            if (json_is_text(field, "field", "@message"))
                fetch_record(f, value, strlen(value));
        }
    }
}

static void on_results(void *ctx, const struct aws_result *result)
{
    struct activity_fetch *f = ctx;
    const json_t *rows;
    const char *status;

    if (!fetch_worked(f, AWS_LOGS, "GetQueryResults", result))
        return;
    status = json_text_of(result->answer, "status");
    if (strcmp(status, "Scheduled") == 0 || strcmp(status, "Running") == 0) {
        fetch_wait(f);
        return;
    }
    if (strcmp(status, "Complete") != 0) {
        fetch_again(f, strcmp(status, "Timeout") == 0     ? "the query took too long"
                       : strcmp(status, "Cancelled") == 0 ? "somebody cancelled the query"
                                                          : "the query failed");
        return;
    }
    rows = json_object_get(result->answer, "results");
    if (json_array_size(rows) >= ROWS_MAX) {
        fetch_full(f);
        return;
    }
    tell_rows(f, rows);
    fetch_over(f);
}

static void poll_query(struct activity_fetch *f)
{
    if (fetch_call(f, AWS_LOGS, "GetQueryResults", json_pack("{s:s}", "queryId", f->query),
                   on_results) < 0)
        fetch_fail(f, "the query's results could not be asked for");
}

static void on_started(void *ctx, const struct aws_result *result)
{
    struct activity_fetch *f = ctx;

    if (fetch_worked(f, AWS_LOGS, "StartQuery", result) &&
        fetch_take_query(f, result->answer, "queryId"))
        fetch_wait(f);
}

static int begin_query(struct activity_fetch *f)
{
    char query[ACTIVITY_QUERY_CAP];
    json_t *body;

    activity_insights(&f->scope, ROWS_MAX, query);
    body = json_pack("{s:s, s:I, s:I, s:i}", "queryString", query, "startTime",
                     (json_int_t)activity_seconds_down(f->now.from), "endTime",
                     (json_int_t)(activity_seconds_up(f->now.until) + LATE_US / SECOND_US), "limit",
                     ROWS_MAX);
    if (body)
        set_group(body, f->source->log_group, "logGroupName", "logGroupIdentifiers");
    return fetch_call(f, AWS_LOGS, "StartQuery", body, on_started);
}

static int begin(struct activity_fetch *f)
{
    return f->now.until.us - f->now.from.us <= SHORT_US ? begin_filter(f) : begin_query(f);
}

const struct activity_ways ACTIVITY_LOGS_WAYS = {begin, poll_query};
