/* Where activity is read: CloudWatch Logs with an organisation's trail, CloudTrail's LookupEvents,
 * CloudTrail Lake. Any of them is asked in the same way for what happened in a while, and says all
 * of it, or what it could not say and why.
 *
 * CloudTrail delivers minutes after the fact, and not in order: who wants all of it asks again
 * later. Numbers: CloudWatch Logs gives 10,000 rows for a query and no hint that there were more,
 * so a full answer is asked for again in halves; LookupEvents 50 a page, twice a second for an
 * account and region, for 90 days; Lake keeps ten queries at a time. Events of more than 256 kB are
 * not in CloudWatch Logs at all (CloudTrail User Guide). */
#pragma once

#include "courier/activity.h"
#include "courier/aws.h"

enum activity_kind { ACTIVITY_LOGS = 1, ACTIVITY_LOOKUP = 2, ACTIVITY_LAKE = 3 };

struct activity_source {
    enum activity_kind kind;
    sd_event *loop;
    struct aws_client
        *aws;           /* as whom: in the account that has the log group, the store, the events */
    const char *region; /* LOGS, LAKE: where they are; NULL: the client's own */
    const char *log_group; /* LOGS: its name, or its ARN if it is another account's */
    /* LOGS: until then (CLOCK_BOOTTIME, microseconds) lists are too slow here, because too much is
     * written; written by fetches. NULL: nobody remembers it. */
    uint64_t *slow_until;
    const char *store;          /* LAKE: the id of the event data store */
    const char *const *regions; /* LOOKUP: "global" events are in us-east-1 */
    size_t n_regions;
};

/* None of these may cancel the fetch. */
struct activity_calls {
    /* An event that fits, as often as the source has it: who keeps them goes by its id. `raw` is
     * the record in JSON, as it came (LAKE: put together from its columns). */
    void (*event)(void *ctx, const struct activity_event *e, const char *raw, size_t raw_len);
    /* Of this time nothing, or not all, is known. */
    void (*gap)(void *ctx, struct wall from, struct wall until, const char *why);
    /* No more for now? Then nothing comes, and nothing more is asked, until activity_fetch_go_on().
     * NULL: never. */
    bool (*full)(void *ctx);
    /* What comes next has to be asked for first. NULL: never mind. */
    void (*so_far)(void *ctx);
    void (*done)(void *ctx); /* once, at the end */
    void *ctx;
};

struct activity_fetch;

/* Reads what fits the scope. `now` is the time of day: the later it is asked for, the later may
 * have come what is found. `soon`: in the way that answers soonest, though it may take more
 * questions. The source and what it names has to stay until `done`; texts of the scope are copied.
 * 0 and *ret, or -ENOMEM, -EINVAL. Callbacks come from the loop. */
int activity_fetch(const struct activity_source *source, const struct activity_scope *scope,
                   struct wall now, bool soon, const struct activity_calls *calls,
                   struct activity_fetch **ret);

/* There is room again. Callbacks may come from inside, `done` too. */
void activity_fetch_go_on(struct activity_fetch *f);

/* Nobody is called any more; a query that runs is stopped. Returns NULL; NULL is fine; not after
 * `done`. */
struct activity_fetch *activity_fetch_cancel(struct activity_fetch *f);
