#include "courier/activity_fetch.h"
#include "courier/activity_query.h"
#include "courier/json.h"

#include <stdlib.h>
#include <string.h>

/* CloudTrail Lake, for who has it: it takes no new customers since 2026-05-31. Rows come as lists
 * of objects with one member each, all texts, and are put together into the record that CloudTrail
 * would have written. */

static const char *column(const json_t *row, const char *name)
{
    const json_t *cell;
    size_t i;

    json_array_foreach(row, i, cell)
    {
        if (json_object_get(cell, name))
            return json_text_of(cell, name);
    }
    return "";
}

/* "2026-11-25 12:00:00.000", in UTC */
static json_t *time_of(const char *at)
{
    char iso[40];
    size_t n = strlen(at);
    char *blank;

    if (n + 2 > sizeof iso)
        return json_string("");
    memcpy(iso, at, n);
    memcpy(iso + n, "Z", 2);
    blank = strchr(iso, ' ');
    if (blank)
        *blank = 'T';
    return json_string(iso);
}

static json_t *record_of(const json_t *row)
{
    return json_pack("{s:s, s:o, s:s, s:s, s:s, s:s, s:s*, s:s, s:s, s:s*, s:{s:s, s:s, "
                     "s:{s:{s:s}}, s:{s:s}}}",
                     "eventID", column(row, "id"), "eventTime", time_of(column(row, "at")),
                     "eventName", column(row, "name"), "eventSource", column(row, "source"),
                     "awsRegion", column(row, "region"), "sourceIPAddress", column(row, "address"),
                     "errorCode", column(row, "error")[0] ? column(row, "error") : NULL, "readOnly",
                     column(row, "readonly"), "recipientAccountId", column(row, "account"),
                     "requestParameters",
                     column(row, "parameters")[0] ? column(row, "parameters") : NULL,
                     "userIdentity", "type", column(row, "kind"), "principalId",
                     column(row, "principal"), "sessionContext", "sessionIssuer", "userName",
                     column(row, "role"), "onBehalfOf", "userId", column(row, "person"));
}

static void on_rows(void *ctx, const json_t *rows)
{
    const json_t *row;
    size_t i;

    json_array_foreach(rows, i, row)
    {
        json_t *record = record_of(row);
        char *raw = record ? json_dumps(record, JSON_COMPACT) : NULL;

        if (raw)
            fetch_record(ctx, raw, strlen(raw));
        free(raw);
        json_decref(record);
    }
}

static void on_rows_end(void *ctx, const struct aws_failure *failure)
{
    struct activity_fetch *f = ctx;

    f->pages = NULL;
    if (failure)
        fetch_fail_of(f, failure);
    else
        fetch_over(f);
}

static void read_rows(struct activity_fetch *f)
{
    struct pages_calls calls = {on_rows, on_rows_end, f};
    struct pages_ask ask = {
        .service = AWS_CLOUDTRAIL,
        .operation = "GetQueryResults",
        .member = "QueryResultRows",
        .urgency = f->urgency,
        .body = json_pack("{s:s, s:i}", "QueryId", f->query, "MaxQueryResults", 1000)};

    if (pages_start(f->source->aws, &ask, &calls, &f->pages) < 0)
        fetch_fail(f, "the query's results could not be asked for");
}

static void on_described(void *ctx, const struct aws_result *result)
{
    struct activity_fetch *f = ctx;
    const char *status;

    if (!fetch_worked(f, AWS_CLOUDTRAIL, "DescribeQuery", result))
        return;
    status = json_text_of(result->answer, "QueryStatus");
    if (strcmp(status, "QUEUED") == 0 || strcmp(status, "RUNNING") == 0)
        fetch_wait(f);
    else if (strcmp(status, "FINISHED") == 0)
        read_rows(f);
    else
        fetch_again(f, strcmp(status, "TIMED_OUT") == 0   ? "the query took too long"
                       : strcmp(status, "CANCELLED") == 0 ? "somebody cancelled the query"
                                                          : "the query failed");
}

static void poll_query(struct activity_fetch *f)
{
    if (fetch_call(f, AWS_CLOUDTRAIL, "DescribeQuery", json_pack("{s:s}", "QueryId", f->query),
                   on_described) < 0)
        fetch_fail(f, "the query could not be asked about");
}

static void on_started(void *ctx, const struct aws_result *result)
{
    struct activity_fetch *f = ctx;

    if (fetch_worked(f, AWS_CLOUDTRAIL, "StartQuery", result) &&
        fetch_take_query(f, result->answer, "QueryId"))
        fetch_wait(f);
}

static int begin(struct activity_fetch *f)
{
    char sql[ACTIVITY_QUERY_CAP];

    activity_sql(&f->scope, f->source->store, f->now.from, f->now.until, sql);
    return fetch_call(f, AWS_CLOUDTRAIL, "StartQuery", json_pack("{s:s}", "QueryStatement", sql),
                      on_started);
}

const struct activity_ways ACTIVITY_LAKE_WAYS = {begin, poll_query};
