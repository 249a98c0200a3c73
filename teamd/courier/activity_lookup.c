#include "courier/activity_fetch.h"
#include "courier/activity_query.h"
#include "courier/json.h"

#include <stdio.h>
#include <string.h>

/* CloudTrail's own memory of 90 days, in each account and region by itself. It finds by one
 * attribute, and the name of the session is the one that fits best. */

static int begin_region(struct activity_fetch *f);

static void row(struct activity_fetch *f, const json_t *row)
{
    const char *record = json_text_of(row, "CloudTrailEvent");

    fetch_record(f, record, strlen(record));
}

static void end(struct activity_fetch *f, const struct aws_failure *failure)
{
    char why[AWS_FAILURE_CAP], told[AWS_FAILURE_CAP + AWS_REGION_CAP + 2];

    if (failure && strcmp(failure->code, AWS_TOO_LARGE) == 0) {
        fetch_full(f);
        return;
    }
    if (failure) {
        aws_failure_text(failure, why);
        snprintf(told, sizeof told, "%s: %s", f->source->regions[f->region], why);
        fetch_gap(f, told);
    }
    if (++f->region == f->source->n_regions)
        fetch_over(f);
    else if (begin_region(f) < 0)
        fetch_fail(f, "it could not be asked");
}

static int begin_region(struct activity_fetch *f)
{
    struct pages_ask ask = {.service = AWS_CLOUDTRAIL,
                            .operation = "LookupEvents",
                            .member = "Events",
                            .region = f->source->regions[f->region]};

    ask.body = json_pack("{s:[{s:s, s:s}], s:I, s:I, s:i}", "LookupAttributes", "AttributeKey",
                         "Username", "AttributeValue", f->user, "StartTime",
                         (json_int_t)activity_seconds_down(f->now.from), "EndTime",
                         (json_int_t)activity_seconds_up(f->now.until), "MaxResults", 50);
    return fetch_pages(f, ask);
}

const struct activity_ways ACTIVITY_LOOKUP_WAYS = {.begin = begin_region, .row = row, .end = end};
