#include "courier/activity_fetch.h"
#include "courier/json.h"

#include <string.h>

/* A query of CloudWatch Logs Insights or of CloudTrail Lake: it is started, and asked from time to
 * time how far it has come. */

static void poll_query(struct activity_fetch *f);

static int call(struct activity_fetch *f, const char *operation, json_t *body, aws_done done)
{
    struct aws_options options = {
        .urgency = f->soon ? AWS_SOON : AWS_SOMETIME, .region = f->source->region, .large = true};

    return aws_call(f->source->aws, f->ways->query->service, operation, body, &options, done, f,
                    &f->call);
}

static json_t *id_of(const struct activity_fetch *f)
{
    return json_pack("{s:s}", f->ways->query->id, f->query);
}

static void on_stopped(void *ctx, const struct aws_result *result)
{
    (void)ctx;
    (void)result; /* it ends by itself, too */
}

void fetch_stop(struct activity_fetch *f)
{
    struct aws_options options = {.urgency = AWS_SOMETIME, .region = f->source->region};
    struct aws_call *forgotten;

    if (f->query[0])
        aws_call(f->source->aws, f->ways->query->service, f->ways->query->stop, id_of(f), &options,
                 on_stopped, NULL, &forgotten);
    f->query[0] = '\0';
}

/* So many queries at a time: somebody else's end soon. aws_call() has tried for a while already. */
static bool is_crowded(const struct aws_result *result)
{
    return strcmp(result->code, "LimitExceededException") == 0 ||
           strcmp(result->code, "MaxConcurrentQueriesException") == 0;
}

/* Has it worked? If not, the window has ended. */
static bool worked(struct activity_fetch *f, const char *operation, const struct aws_result *result)
{
    struct aws_failure failure;
    char why[AWS_FAILURE_CAP];

    f->call = NULL;
    if (result->outcome == AWS_OK)
        return true;
    failure_of_result(&failure, f->ways->query->service, operation, result);
    if (is_crowded(result)) {
        aws_failure_text(&failure, why);
        fetch_again(f, why);
    } else {
        fetch_fail_of(f, &failure);
    }
    return false;
}

/* ---- waiting -----------------------------------------------------------------------------------
 */

static int on_poll(sd_event_source *source, uint64_t usec, void *ctx)
{
    struct activity_fetch *f = ctx;

    (void)source;
    (void)usec;
    f->timer = sd_event_source_disable_unref(f->timer);
    poll_query(f);
    return 0;
}

/* Half a second at first, five at the end. */
static void wait_for_it(struct activity_fetch *f)
{
    uint64_t us = f->polls < 10 ? (f->polls + 1) * (uint64_t)SECOND_US / 2 : 5 * SECOND_US;

    if (f->polls++ >= FETCH_POLLS_MAX) {
        fetch_stop(f);
        fetch_again(f, "the query did not end in half an hour");
    } else if (sd_event_add_time_relative(f->source->loop, &f->timer, CLOCK_BOOTTIME, us, 0,
                                          on_poll, f) < 0) {
        fetch_fail(f, "out of memory");
    }
}

static void on_status(void *ctx, const struct aws_result *result)
{
    struct activity_fetch *f = ctx;
    const struct fetch_query *q = f->ways->query;
    const char *status;

    if (!worked(f, q->poll, result))
        return;
    status = json_text_of(result->answer, q->status);
    if (strcmp(status, q->queued) == 0 || strcmp(status, q->running) == 0) {
        wait_for_it(f);
        return;
    }
    if (strcmp(status, q->finished) == 0) {
        q->results(f, result->answer);
        return;
    }
    f->query[0] = '\0';
    fetch_again(f, strcmp(status, q->timed_out) == 0   ? "the query took too long"
                   : strcmp(status, q->cancelled) == 0 ? "somebody cancelled the query"
                                                       : "the query failed");
}

static void poll_query(struct activity_fetch *f)
{
    if (call(f, f->ways->query->poll, id_of(f), on_status) < 0)
        fetch_fail(f, "the query could not be asked about");
}

static void on_started(void *ctx, const struct aws_result *result)
{
    struct activity_fetch *f = ctx;

    if (!worked(f, "StartQuery", result))
        return;
    if (json_copy_text(result->answer, f->ways->query->id, f->query, sizeof f->query))
        wait_for_it(f);
    else
        fetch_fail(f, "the answer does not say which query has begun");
}

int fetch_query(struct activity_fetch *f, json_t *body)
{
    return call(f, "StartQuery", body, on_started);
}
