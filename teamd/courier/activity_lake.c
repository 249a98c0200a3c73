#include "courier/activity_fetch.h"
#include "courier/activity_query.h"
#include "courier/json.h"

#include <stdlib.h>
#include <string.h>

/* CloudTrail Lake, for who has it: it takes no new customers since 2026-05-31. Rows come as lists
 * of objects with one member each, all texts, and are put together into the record that CloudTrail
 * would have written. */

static json_t *value(const json_t *row, const char *name)
{
    const json_t *cell;
    size_t i;

    json_array_foreach(row, i, cell)
    {
        json_t *found = json_object_get(cell, name);

        if (found)
            return json_string_length(found) > 0 ? found : NULL;
    }
    return NULL;
}

static const char *column(const json_t *row, const char *name)
{
    const char *text = json_string_value(value(row, name));

    return text ? text : "";
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
    return json_pack("{s:s, s:o, s:s, s:s, s:s, s:s, s:O*, s:s, s:s, s:O*, s:{s:s, s:s, "
                     "s:{s:{s:s}}, s:{s:s}}}",
                     "eventID", column(row, "id"), "eventTime", time_of(column(row, "at")),
                     "eventName", column(row, "name"), "eventSource", column(row, "source"),
                     "awsRegion", column(row, "region"), "sourceIPAddress", column(row, "address"),
                     "errorCode", value(row, "error"), "readOnly", column(row, "readonly"),
                     "recipientAccountId", column(row, "account"), "requestParameters",
                     value(row, "parameters"), "userIdentity", "type", column(row, "kind"),
                     "principalId", column(row, "principal"), "sessionContext", "sessionIssuer",
                     "userName", column(row, "role"), "onBehalfOf", "userId",
                     column(row, "person"));
}

static void row(struct activity_fetch *f, const json_t *row)
{
    json_t *record = record_of(row);
    char *raw = record ? json_dumps(record, JSON_COMPACT) : NULL;

    if (raw)
        fetch_record(f, raw, strlen(raw));
    else
        f->unreadable++;
    free(raw);
    json_decref(record);
}

static void on_finished(struct activity_fetch *f, const json_t *answer)
{
    struct pages_ask ask = {
        .service = AWS_CLOUDTRAIL,
        .operation = "GetQueryResults",
        .member = "QueryResultRows",
        .region = f->source->region,
        .body = json_pack("{s:s, s:i}", "QueryId", f->query, "MaxQueryResults", 1000)};

    (void)answer;
    f->query[0] = '\0';
    if (fetch_pages(f, ask) < 0)
        fetch_fail(f, "the query's results could not be asked for");
}

static int begin(struct activity_fetch *f)
{
    char sql[ACTIVITY_QUERY_CAP];

    activity_sql(&f->scope, f->source->store, f->now.from, f->now.until, sql);
    return fetch_query(f, json_pack("{s:s}", "QueryStatement", sql));
}

static const struct fetch_query QUERY = {.service = AWS_CLOUDTRAIL,
                                         .poll = "DescribeQuery",
                                         .stop = "CancelQuery",
                                         .id = "QueryId",
                                         .status = "QueryStatus",
                                         .queued = "QUEUED",
                                         .running = "RUNNING",
                                         .finished = "FINISHED",
                                         .timed_out = "TIMED_OUT",
                                         .cancelled = "CANCELLED",
                                         .results = on_finished};

const struct activity_ways ACTIVITY_LAKE_WAYS = {.begin = begin, .row = row, .query = &QUERY};
