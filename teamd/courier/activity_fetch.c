#include "courier/activity_fetch.h"

#include "courier/answer.h"
#include "courier/json.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

struct activity_fetch *activity_fetch_cancel(struct activity_fetch *f)
{
    if (!f)
        return NULL;
    aws_cancel(f->call);
    pages_cancel(f->pages);
    sd_event_source_disable_unref(f->timer);
    free(f);
    return NULL;
}

/* ---- windows -----------------------------------------------------------------------------------
 */

static void begin_window(struct activity_fetch *f)
{
    f->polls = 0;
    f->rows = 0;
    f->region = 0;
    if (f->ways->begin(f) < 0)
        fetch_fail(f, "it could not be asked");
}

static int on_next(sd_event_source *source, uint64_t usec, void *ctx)
{
    struct activity_fetch *f = ctx;

    (void)source;
    (void)usec;
    f->timer = sd_event_source_disable_unref(f->timer);
    begin_window(f);
    return 0;
}

/* From the loop, so that however many windows fail at once nothing grows. */
static void begin_after(struct activity_fetch *f, uint64_t us)
{
    struct activity_calls calls = f->calls;

    f->timer = sd_event_source_disable_unref(f->timer);
    if (sd_event_add_time_relative(f->source->loop, &f->timer, CLOCK_BOOTTIME, us, 0, on_next, f) >=
        0)
        return;
    calls.gap(calls.ctx, f->now.from, f->scope.until, "out of memory");
    activity_fetch_cancel(f);
    calls.done(calls.ctx);
}

static void next_window(struct activity_fetch *f)
{
    struct activity_calls calls = f->calls;

    if (f->n_waiting == 0) {
        activity_fetch_cancel(f);
        calls.done(calls.ctx);
        return;
    }
    f->now = f->waiting[--f->n_waiting];
    f->tries = 0;
    begin_after(f, 0);
}

void fetch_over(struct activity_fetch *f)
{
    next_window(f);
}

void fetch_fail(struct activity_fetch *f, const char *why)
{
    f->calls.gap(f->calls.ctx, f->now.from, f->now.until, why);
    next_window(f);
}

void fetch_fail_of(struct activity_fetch *f, const struct aws_failure *failure)
{
    char why[AWS_FAILURE_CAP];

    aws_failure_text(failure, why);
    fetch_fail(f, why);
}

/* Sources tell seconds apart, so a second is not halved. */
void fetch_full(struct activity_fetch *f)
{
    struct fetch_window later = f->now;
    int64_t middle = f->now.from.us + (f->now.until.us - f->now.from.us) / 2;

    middle -= middle % SECOND_US;
    if (middle <= f->now.from.us || f->n_waiting == FETCH_WINDOWS_MAX) {
        fetch_fail(f, "more happened in this second than the source gives for one question");
        return;
    }
    later.from.us = middle;
    f->now.until.us = middle - 1;
    f->waiting[f->n_waiting++] = later;
    begin_after(f, 0);
}

void fetch_again(struct activity_fetch *f, const char *why)
{
    if (++f->tries >= FETCH_TRIES)
        fetch_fail(f, why);
    else
        begin_after(f, (uint64_t)f->tries * 5 * SECOND_US);
}

/* ---- records -----------------------------------------------------------------------------------
 */

void fetch_record(struct activity_fetch *f, const char *raw, size_t len)
{
    struct activity_event e;
    json_t *record = len > 0 ? answer_json(raw, len) : NULL;

    if (record && activity_read(record, &e) && e.at.us >= f->now.from.us &&
        e.at.us <= f->now.until.us && activity_fits(&e, &f->scope))
        f->calls.event(f->calls.ctx, &e, raw, len);
    json_decref(record);
}

/* ---- on the way --------------------------------------------------------------------------------
 */

static int on_poll(sd_event_source *source, uint64_t usec, void *ctx)
{
    struct activity_fetch *f = ctx;

    (void)source;
    (void)usec;
    f->timer = sd_event_source_disable_unref(f->timer);
    f->ways->poll(f);
    return 0;
}

/* Half a second at first, five at the end. */
void fetch_wait(struct activity_fetch *f)
{
    uint64_t us = f->polls < 10 ? (f->polls + 1) * (uint64_t)SECOND_US / 2 : 5 * SECOND_US;

    if (f->polls++ >= FETCH_POLLS_MAX)
        fetch_again(f, "the query did not end in half an hour");
    else if (sd_event_add_time_relative(f->source->loop, &f->timer, CLOCK_BOOTTIME, us, 0, on_poll,
                                        f) < 0)
        fetch_fail(f, "out of memory");
}

int fetch_call(struct activity_fetch *f, enum aws_service service, const char *operation,
               json_t *body, aws_done done)
{
    struct aws_options options = {.urgency = f->urgency};

    return aws_call(f->source->aws, service, operation, body, &options, done, f, &f->call);
}

/* So many queries at a time: somebody else's end soon. aws_call() has tried for a while already. */
static bool is_crowded(const struct aws_result *result)
{
    return strcmp(result->code, "LimitExceededException") == 0 ||
           strcmp(result->code, "MaxConcurrentQueriesException") == 0;
}

bool fetch_worked(struct activity_fetch *f, enum aws_service service, const char *operation,
                  const struct aws_result *result)
{
    struct aws_failure failure;

    f->call = NULL;
    if (result->outcome == AWS_OK)
        return true;
    failure_of_result(&failure, service, operation, result);
    if (is_crowded(result)) {
        char why[AWS_FAILURE_CAP];

        aws_failure_text(&failure, why);
        fetch_again(f, why);
    } else {
        fetch_fail_of(f, &failure);
    }
    return false;
}

bool fetch_take_query(struct activity_fetch *f, const json_t *answer, const char *member)
{
    if (json_copy_text(answer, member, f->query, sizeof f->query))
        return true;
    fetch_fail(f, "the answer does not say which query has begun");
    return false;
}

/* ---- the whole ---------------------------------------------------------------------------------
 */

static bool take(const char *s, char *out, size_t cap)
{
    return (size_t)snprintf(out, cap, "%s", s) < cap;
}

int activity_fetch(const struct activity_source *source, const struct activity_scope *scope,
                   struct wall from, struct wall until, enum aws_urgency urgency,
                   const struct activity_calls *calls, struct activity_fetch **ret)
{
    static const struct activity_ways *const WAYS[] = {
        [ACTIVITY_LOGS] = &ACTIVITY_LOGS_WAYS,
        [ACTIVITY_LOOKUP] = &ACTIVITY_LOOKUP_WAYS,
        [ACTIVITY_LAKE] = &ACTIVITY_LAKE_WAYS,
    };
    struct activity_fetch *f = calloc(1, sizeof *f);

    if (!f)
        return -ENOMEM;
    f->source = source;
    f->ways = WAYS[source->kind];
    f->urgency = urgency;
    f->calls = *calls;
    f->now = (struct fetch_window){from, until};
    if (!aws_account_fits(scope->account) || !take(scope->account, f->account, sizeof f->account) ||
        !take(scope->set, f->set, sizeof f->set) || !take(scope->user, f->user, sizeof f->user) ||
        !take(scope->user_id, f->user_id, sizeof f->user_id) || from.us > until.us) {
        free(f);
        return -EINVAL;
    }
    f->scope = (struct activity_scope){f->account, f->set,      f->user,
                                       f->user_id, scope->from, scope->until};
    if (sd_event_add_time_relative(source->loop, &f->timer, CLOCK_BOOTTIME, 0, 0, on_next, f) < 0) {
        free(f);
        return -ENOMEM;
    }
    *ret = f;
    return 0;
}
