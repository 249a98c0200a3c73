/* The queues: whose turn it is. */
#include "courier/assignment_queue.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>

enum { LOOKING_UP = 8, LISTING = 4 };

uint64_t op_clock(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * SECOND_US + (uint64_t)t.tv_nsec / 1000;
}

/* ---- lanes ---------------------------------------------------------------------------------- */

static enum assignment_lane lane_of(const struct assignment_op *op)
{
    static const enum assignment_lane LANE[] = {
        [ASSIGNMENT_LOOK_UP] = LANE_LOOK_UP,
        [ASSIGNMENT_GRANT] = LANE_GRANT,
        [ASSIGNMENT_REMOVE] = LANE_REMOVE,
        [ASSIGNMENT_LIST] = LANE_LIST,
    };

    return LANE[op->step];
}

static bool lane_has_room(const struct assignments *all, enum assignment_lane lane)
{
    if (lane == LANE_LOOK_UP)
        return all->lanes[LANE_LOOK_UP].working < LOOKING_UP;
    if (lane == LANE_LIST)
        return all->lanes[LANE_LIST].working < LISTING;
    return all->lanes[LANE_REMOVE].working + all->lanes[LANE_GRANT].working < ASSIGNMENTS_CHANGING;
}

static void pump_soon(struct assignments *all)
{
    sd_event_source_set_enabled(all->pump, SD_EVENT_ONESHOT);
}

static void lane_enter(struct assignment_op *op)
{
    struct lane *lane = &op->all->lanes[lane_of(op)];

    op->rest = OP_WAITS;
    op->before = lane->last;
    op->after = NULL;
    *(lane->last ? &lane->last->after : &lane->first) = op;
    lane->last = op;
    pump_soon(op->all);
}

/* Takes op from wherever it is: the lane, its work, its pause. */
static void lane_leave(struct assignment_op *op)
{
    struct lane *lane = &op->all->lanes[lane_of(op)];

    if (op->rest == OP_WAITS) {
        *(op->before ? &op->before->after : &lane->first) = op->after;
        *(op->after ? &op->after->before : &lane->last) = op->before;
    }
    if (op->counted)
        lane->working--;
    op->counted = false;
    if (op->pair->working == op)
        op->pair->working = NULL;
    pump_soon(op->all);
}

/* ---- pairs ---------------------------------------------------------------------------------- */

static struct pair **bucket_of(struct assignments *all, const struct assignment *a)
{
    uint32_t hash = 2166136261U; /* FNV-1a: the keys are AWS's own, not an enemy's */

    for (const char *s = a->account; *s; s++)
        hash = (hash ^ (unsigned char)*s) * 16777619U;
    for (const char *s = a->set; *s; s++)
        hash = (hash ^ (unsigned char)*s) * 16777619U;
    return &all->buckets[hash % BUCKETS];
}

static struct pair *pair_of(struct assignments *all, const struct assignment *a)
{
    struct pair **bucket = bucket_of(all, a), *p;

    for (p = *bucket; p; p = p->next)
        if (strcmp(p->account, a->account) == 0 && strcmp(p->set, a->set) == 0)
            return p;
    p = calloc(1, sizeof *p);
    if (!p)
        return NULL;
    memcpy(p->account, a->account, sizeof p->account);
    memcpy(p->set, a->set, sizeof p->set);
    p->next = *bucket;
    *bucket = p;
    return p;
}

static void pair_enter(struct pair *p, struct assignment_op *op)
{
    op->pair = p;
    op->prev = p->last;
    *(p->last ? &p->last->next : &p->first) = op;
    p->last = op;
}

static void pair_leave(struct assignment_op *op)
{
    struct pair *p = op->pair, **at = bucket_of(op->all, &op->what);

    *(op->prev ? &op->prev->next : &p->first) = op->next;
    *(op->next ? &op->next->prev : &p->last) = op->prev;
    if (p->first)
        return;
    while (*at != p)
        at = &(*at)->next;
    *at = p->next;
    free(p);
}

/* Is there an older step about the same assignment? It goes first, even if it pauses: a removal
 * must not end after the grant that was asked for later. */
static bool op_behind(const struct assignment_op *op)
{
    if (op->step == ASSIGNMENT_LIST)
        return false;
    for (const struct assignment_op *o = op->prev; o; o = o->prev)
        if (o->step != ASSIGNMENT_LIST && o->what.kind == op->what.kind &&
            strcmp(o->what.principal, op->what.principal) == 0)
            return true;
    return false;
}

/* Is it op's turn in its pair: the oldest of those that wait and may? */
static bool op_may_work(const struct assignment_op *op)
{
    if (op->pair->working || op_behind(op))
        return false;
    for (const struct assignment_op *o = op->prev; o; o = o->prev)
        if (o->rest == OP_WAITS && !op_behind(o))
            return false;
    return true;
}

/* ---- turns ---------------------------------------------------------------------------------- */

static void op_begin(struct assignment_op *op)
{
    lane_leave(op);
    op->rest = OP_WORKS;
    op->counted = true;
    op->all->lanes[lane_of(op)].working++;
    op->pair->working = op;
    op_work(op);
}

static int pump(sd_event_source *source, void *ctx)
{
    struct assignments *all = ctx;

    (void)source;
    for (enum assignment_lane lane = 0; lane < LANES; lane++)
        for (struct assignment_op *op = all->lanes[lane].first, *after;
             op && lane_has_room(all, lane); op = after) {
            after = op->after;
            if (op_may_work(op))
                op_begin(op);
        }
    return 0;
}

/* ---- what steps ask for --------------------------------------------------------------------- */

static void op_free(struct assignment_op *op)
{
    lane_leave(op);
    op_stop(op);
    sd_event_source_disable_unref(op->timer);
    pair_leave(op);
    op->all->count--;
    free(op);
}

void op_end(struct assignment_op *op, enum assignment_outcome outcome, enum assignment_why why,
            const char *text)
{
    struct assignment_result result = {.outcome = outcome, .why = why, .text = text};
    struct assignment_calls calls = op->calls;
    bool dropped = op->dropped;

    op_free(op);
    if (!dropped)
        calls.done(calls.ctx, &result);
}

static void op_says(struct assignment_op *op, enum assignment_why why, const char *text)
{
    bool news = op->said != why;

    op->said = why;
    if (news && op->calls.waits)
        op->calls.waits(op->calls.ctx, why, text);
}

static int op_again(sd_event_source *source, uint64_t at, void *ctx)
{
    (void)source;
    (void)at;
    lane_enter(ctx);
    return 0;
}

/* Between three quarters and five quarters of ms. */
static unsigned about(unsigned ms)
{
    uint16_t random = 0;

    if (getrandom(&random, sizeof random, GRND_NONBLOCK) != sizeof random)
        return ms;
    return ms * 3 / 4 + (unsigned)((uint64_t)(ms / 2) * random / UINT16_MAX);
}

/* A timer that cannot be had is tried as a pause, and a pause that cannot be had lasts until the
 * loop comes round: nothing is forgotten. */
static int op_timer(struct assignment_op *op, unsigned ms, sd_event_time_handler_t then)
{
    op->timer = sd_event_source_disable_unref(op->timer);
    return sd_event_add_time_relative(op->all->loop, &op->timer, CLOCK_MONOTONIC,
                                      (uint64_t)ms * 1000, 10000, then, op);
}

void op_pause(struct assignment_op *op, enum assignment_why why, const char *text)
{
    static const unsigned LONGEST_MS[] = {
        [ASSIGNMENT_FINE] = 5000,     [ASSIGNMENT_DENIED] = 60000,
        [ASSIGNMENT_QUOTA] = 60000,   [ASSIGNMENT_NO_PRINCIPAL] = 60000,
        [ASSIGNMENT_NO_SUCH] = 60000, [ASSIGNMENT_CONFLICT] = 5000,
        [ASSIGNMENT_SLOW] = 15000,    [ASSIGNMENT_OTHER] = 60000,
    };
    unsigned ms = 1000U << (op->tries < 6 ? op->tries : 6);

    op->tries++;
    lane_leave(op);
    op_stop(op);
    op->rest = OP_PAUSES;
    if (op_timer(op, about(ms < LONGEST_MS[why] ? ms : LONGEST_MS[why]), op_again) < 0)
        lane_enter(op);
    op_says(op, why, text);
}

bool op_after(struct assignment_op *op, unsigned ms, sd_event_time_handler_t then)
{
    if (op_timer(op, ms, then) >= 0)
        return true;
    op_pause(op, ASSIGNMENT_SLOW, "team-courier is out of memory");
    return false;
}

void op_drags(struct assignment_op *op)
{
    if (op->counted)
        op->all->lanes[lane_of(op)].working--;
    op->counted = false;
    pump_soon(op->all);
    op_says(op, ASSIGNMENT_SLOW, "AWS has been working on it for longer than is usual");
}

/* ---- the callers' side ---------------------------------------------------------------------- */

int assignments_new(sd_event *loop, struct aws_client *aws, const char *instance,
                    struct assignments **ret)
{
    struct assignments *all;
    int r;

    if (!aws_instance_fits(instance))
        return -EINVAL;
    all = calloc(1, sizeof *all);
    if (!all)
        return -ENOMEM;
    all->aws = aws;
    memcpy(all->instance, instance, strlen(instance) + 1);
    r = sd_event_add_defer(loop, &all->pump, pump, all);
    if (r < 0) {
        free(all);
        return r;
    }
    all->loop = sd_event_ref(loop);
    sd_event_source_set_enabled(all->pump, SD_EVENT_OFF);
    *ret = all;
    return 0;
}

struct assignments *assignments_free(struct assignments *all)
{
    if (!all)
        return NULL;
    for (size_t i = 0; i < BUCKETS; i++)
        while (all->buckets[i])
            op_free(all->buckets[i]->first);
    sd_event_source_disable_unref(all->pump);
    sd_event_unref(all->loop);
    free(all);
    return NULL;
}

int assignment_start(struct assignments *all, enum assignment_step step, const struct assignment *a,
                     const struct assignment_calls *calls, struct assignment_op **ret)
{
    struct assignment_op *op;
    struct pair *p;

    if (!aws_account_fits(a->account) || !aws_set_fits(a->set) ||
        (step != ASSIGNMENT_LIST && !aws_principal_fits(a->principal)))
        return -EINVAL;
    if (all->count >= ASSIGNMENTS_MAX)
        return -EAGAIN;
    op = calloc(1, sizeof *op);
    p = op ? pair_of(all, a) : NULL;
    if (!p) {
        free(op);
        return -ENOMEM;
    }
    op->all = all;
    op->step = step;
    op->what = *a;
    op->calls = *calls;
    pair_enter(p, op);
    all->count++;
    lane_enter(op);
    if (ret)
        *ret = op;
    return 0;
}

struct assignment_op *assignment_cancel(struct assignment_op *op)
{
    if (!op)
        return NULL;
    if (op->held)
        op->dropped = true;
    else
        op_free(op);
    return NULL;
}

void assignments_status(const struct assignments *all, struct assignments_status *ret)
{
    uint32_t working = 0;

    for (size_t i = 0; i < LANES; i++)
        working += all->lanes[i].working;
    *ret = (struct assignments_status){
        .waiting = all->count - working,
        .changing = all->lanes[LANE_REMOVE].working + all->lanes[LANE_GRANT].working,
    };
}
