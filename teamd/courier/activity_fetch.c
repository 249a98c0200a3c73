#include "courier/activity_fetch.h"

#include "courier/answer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What was delivered later than LATE_LEAST after the fact is found by who asks that much later. */
#define LATE_LEAST_US (30 * 60 * SECOND_US)
#define LATE_MOST_US  (25 * 3600 * SECOND_US)

static void forget(struct activity_fetch *f)
{
    aws_cancel(f->call);
    pages_cancel(f->pages);
    json_decref(f->rows);
    sd_event_source_disable_unref(f->timer);
    free(f);
}

struct activity_fetch *activity_fetch_cancel(struct activity_fetch *f)
{
    if (!f)
        return NULL;
    fetch_stop(f);
    forget(f);
    return NULL;
}

/* ---- windows -----------------------------------------------------------------------------------
 */

static void begin_window(struct activity_fetch *f)
{
    f->polls = 0;
    f->region = 0;
    f->unreadable = 0;
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

static void finish(struct activity_fetch *f)
{
    struct activity_calls calls = f->calls;

    forget(f);
    calls.done(calls.ctx);
}

/* From the loop, so that however many windows fail at once nothing grows. */
static void begin_after(struct activity_fetch *f, uint64_t us)
{
    f->timer = sd_event_source_disable_unref(f->timer);
    if (sd_event_add_time_relative(f->source->loop, &f->timer, CLOCK_BOOTTIME, us, 0, on_next, f) >=
        0)
        return;
    f->calls.gap(f->calls.ctx, f->scope.from, f->scope.until, "out of memory");
    finish(f);
}

static void next_window(struct activity_fetch *f)
{
    f->query[0] = '\0';
    if (f->n_waiting == 0) {
        finish(f);
        return;
    }
    f->now = f->waiting[--f->n_waiting];
    f->tries = 0;
    begin_after(f, 0);
}

/* Of what was delivered in this window: when can it have happened? */
void fetch_gap(struct activity_fetch *f, const char *why)
{
    struct wall from = {f->now.from.us - f->late_us}, until = f->now.until;

    if (from.us < f->scope.from.us)
        from = f->scope.from;
    if (until.us > f->scope.until.us)
        until = f->scope.until;
    f->calls.gap(f->calls.ctx, from, until, why);
}

void fetch_over(struct activity_fetch *f)
{
    char why[96];

    if (f->unreadable > 0) {
        snprintf(why, sizeof why, "%llu of its records cannot be read",
                 (unsigned long long)f->unreadable);
        fetch_gap(f, why);
    }
    next_window(f);
}

void fetch_fail(struct activity_fetch *f, const char *why)
{
    fetch_gap(f, why);
    next_window(f);
}

void fetch_fail_of(struct activity_fetch *f, const struct aws_failure *failure)
{
    char why[AWS_FAILURE_CAP];

    if (strcmp(failure->code, AWS_TOO_LARGE) == 0) {
        fetch_full(f);
        return;
    }
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
    f->query[0] = '\0';
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

/* Nobody can have it left out by what they write into it: what cannot be read is missed. */
void fetch_record(struct activity_fetch *f, const char *raw, size_t len)
{
    struct activity_event e;
    json_t *record;

    if (len == 0)
        return;
    record = answer_record(raw, len);
    if (!record)
        f->unreadable++;
    else if (activity_read(record, &e) && activity_fits(&e, &f->scope))
        f->calls.event(f->calls.ctx, &e, raw, len);
    json_decref(record);
}

/* Tells rows as long as they are wanted; true if none is left. */
static bool tell(struct activity_fetch *f)
{
    while (f->at_row < json_array_size(f->rows)) {
        if (f->calls.full && f->calls.full(f->calls.ctx))
            return false;
        f->ways->row(f, json_array_get(f->rows, f->at_row++));
    }
    json_decref(f->rows);
    f->rows = NULL;
    if (f->calls.so_far)
        f->calls.so_far(f->calls.ctx);
    return true;
}

void activity_fetch_go_on(struct activity_fetch *f)
{
    if (!f->rows || !tell(f))
        return;
    if (f->pages)
        pages_go(f->pages);
    else
        fetch_over(f);
}

void fetch_rows(struct activity_fetch *f, json_t *rows)
{
    f->rows = json_incref(rows);
    f->at_row = 0;
    if (tell(f))
        fetch_over(f);
}

static void on_page(void *ctx, const json_t *rows)
{
    struct activity_fetch *f = ctx;

    (void)rows;
    f->rows = pages_keep(f->pages);
    f->at_row = 0;
    if (!tell(f))
        pages_hold(f->pages);
}

static void on_end(void *ctx, const struct aws_failure *failure)
{
    struct activity_fetch *f = ctx;

    f->pages = NULL;
    if (f->ways->end)
        f->ways->end(f, failure);
    else if (failure)
        fetch_fail_of(f, failure);
    else
        fetch_over(f);
}

int fetch_pages(struct activity_fetch *f, struct pages_ask ask)
{
    struct pages_calls calls = {on_page, on_end, f};

    ask.urgency = f->soon ? AWS_SOON : AWS_SOMETIME;
    ask.large = true;
    return pages_start(f->source->aws, &ask, &calls, &f->pages);
}

/* ---- the whole ---------------------------------------------------------------------------------
 */

static bool take(const char *s, char *out, size_t cap)
{
    return (size_t)snprintf(out, cap, "%s", s) < cap;
}

/* What was delivered up to now, but not for ever after. */
static int64_t late_by(struct wall until, struct wall now)
{
    int64_t late = now.us - until.us;

    return late < LATE_LEAST_US ? LATE_LEAST_US : late > LATE_MOST_US ? LATE_MOST_US : late;
}

int activity_fetch(const struct activity_source *source, const struct activity_scope *scope,
                   struct wall now, bool soon, const struct activity_calls *calls,
                   struct activity_fetch **ret)
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
    f->soon = soon;
    f->calls = *calls;
    f->now = (struct fetch_window){scope->from, scope->until};
    if (source->kind == ACTIVITY_LOGS) {
        f->late_us = late_by(scope->until, now);
        f->now.until.us += f->late_us;
    }
    if (!aws_account_fits(scope->account) || !take(scope->account, f->account, sizeof f->account) ||
        !take(scope->set, f->set, sizeof f->set) || !take(scope->user, f->user, sizeof f->user) ||
        !take(scope->user_id, f->user_id, sizeof f->user_id) || scope->from.us > scope->until.us) {
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
