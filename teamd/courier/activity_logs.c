#include "courier/activity_fetch.h"
#include "courier/activity_query.h"
#include "courier/json.h"

#include <string.h>

/* CloudWatch Logs: an organisation's trail writes each event into a log group, as a line of JSON.
 * FilterLogEvents answers at once, page after page of all that was written; it is for short whiles,
 * and where somebody waits. An Insights query reads a day in seconds, but costs what it scans; it
 * takes over where the list turns out to be too long. */

#define SHORT_US (15 * 60 * SECOND_US)
#define SOON_US  (2 * 3600 * SECOND_US)
enum { ROWS_MAX = 10000, PATIENCE_US = 30 * SECOND_US, PATIENCE_SOON_US = 3 * SECOND_US };
#define SLOW_FOR_US (600 * UINT64_C(1000000))

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

/* A line of FilterLogEvents is an object, a row of a query a list of fields. */
static void row(struct activity_fetch *f, const json_t *row)
{
    const char *message = json_text_of(row, "message");
    const json_t *field;
    size_t i;

    fetch_record(f, message, strlen(message));
    json_array_foreach(row, i, field)
    {
        const char *value = json_text_of(field, "value");

        if (json_is_text(field, "field", "@message"))
            fetch_record(f, value, strlen(value));
    }
}

static int begin_query(struct activity_fetch *f);
static int be_patient(struct activity_fetch *f);

/* If it is not us who are slow, the list is. */
static int on_slow(sd_event_source *source, uint64_t usec, void *ctx)
{
    struct activity_fetch *f = ctx;

    (void)source;
    f->timer = sd_event_source_disable_unref(f->timer);
    if (f->rows && be_patient(f) >= 0)
        return 0;
    if (f->source->slow_until)
        *f->source->slow_until = usec + SLOW_FOR_US;
    f->pages = pages_cancel(f->pages);
    json_decref(f->rows);
    f->rows = NULL;
    if (begin_query(f) < 0)
        fetch_fail(f, "it could not be asked");
    return 0;
}

static int be_patient(struct activity_fetch *f)
{
    return sd_event_add_time_relative(f->source->loop, &f->timer, CLOCK_BOOTTIME,
                                      f->soon ? PATIENCE_SOON_US : PATIENCE_US, 0, on_slow, f);
}

static bool lists_are_slow(const struct activity_fetch *f)
{
    uint64_t now = 0;

    sd_event_now(f->source->loop, CLOCK_BOOTTIME, &now);
    return f->source->slow_until && now < *f->source->slow_until;
}

static int begin_filter(struct activity_fetch *f)
{
    struct pages_ask ask = {.service = AWS_LOGS,
                            .operation = "FilterLogEvents",
                            .member = "events",
                            .token = "nextToken",
                            .region = f->source->region};
    char pattern[ACTIVITY_PATTERN_CAP];
    int r;

    activity_pattern(&f->scope, pattern);
    ask.body = json_pack("{s:s, s:I, s:I, s:i}", "filterPattern", pattern, "startTime",
                         (json_int_t)(f->now.from.us / 1000), "endTime",
                         (json_int_t)(f->now.until.us / 1000 + 1), "limit", ROWS_MAX);
    if (ask.body)
        set_group(ask.body, f->source->log_group, "logGroupName", "logGroupIdentifier");
    r = fetch_pages(f, ask);
    if (r >= 0 && (r = be_patient(f)) < 0)
        f->pages = pages_cancel(f->pages);
    return r;
}

static void on_results(struct activity_fetch *f, const json_t *answer)
{
    json_t *rows = json_object_get(answer, "results");

    f->query[0] = '\0';
    if (json_array_size(rows) >= ROWS_MAX)
        fetch_full(f);
    else
        fetch_rows(f, rows);
}

static int begin_query(struct activity_fetch *f)
{
    char query[ACTIVITY_QUERY_CAP];
    json_t *body;

    activity_insights(&f->scope, ROWS_MAX, query);
    body = json_pack("{s:s, s:I, s:I, s:i}", "queryString", query, "startTime",
                     (json_int_t)activity_seconds_down(f->now.from), "endTime",
                     (json_int_t)activity_seconds_up(f->now.until), "limit", ROWS_MAX);
    if (body)
        set_group(body, f->source->log_group, "logGroupName", "logGroupIdentifiers");
    return fetch_query(f, body);
}

static int begin(struct activity_fetch *f)
{
    int64_t us = f->scope.until.us - f->scope.from.us;

    if (us > (f->soon ? SOON_US : SHORT_US) || lists_are_slow(f))
        return begin_query(f);
    return begin_filter(f);
}

static const struct fetch_query QUERY = {.service = AWS_LOGS,
                                         .poll = "GetQueryResults",
                                         .stop = "StopQuery",
                                         .id = "queryId",
                                         .status = "status",
                                         .queued = "Scheduled",
                                         .running = "Running",
                                         .finished = "Complete",
                                         .timed_out = "Timeout",
                                         .cancelled = "Cancelled",
                                         .results = on_results};

const struct activity_ways ACTIVITY_LOGS_WAYS = {.begin = begin, .row = row, .query = &QUERY};
