#include "teamd.h"

#include <errno.h>
#include <stdlib.h>
#include <syslog.h>

enum {
    AT_LATEST_US = 2000, /* a flood on the sockets cannot hold up a commit for longer */
    RETRY_MAX_S = 5,
};

/* ---- the world from the store -----------------------------------------------------------------
 */

struct restoring {
    struct teamd *t;
    struct now now;
    struct wall last_commit;
};

static int restore_request(void *ctx, const struct request *r, bool same_boot)
{
    struct restoring *x = ctx;

    return world_restore_request(&x->t->world, r, same_boot, x->now, x->last_commit) ? 0 : -E2BIG;
}

static int restore_session(void *ctx, const struct session *s, bool same_boot)
{
    struct restoring *x = ctx;

    if (!world_restore_session(&x->t->world, s))
        return -E2BIG;
    return sessions_restore(x->t, s, same_boot);
}

static int restore_errand(void *ctx, const struct errand *e)
{
    struct restoring *x = ctx;

    return world_restore_errand(&x->t->world, e) ? 0 : -E2BIG;
}

int turn_restore(struct teamd *t)
{
    struct restoring x = {.t = t, .now = host_now()};
    struct store_loader to = {.request = restore_request,
                              .session = restore_session,
                              .errand = restore_errand,
                              .ctx = &x};
    const char *wrong;
    int r;

    world_clear(&t->world);
    r = store_load(t->store, &to, &x.last_commit, &t->world.last_session);
    if (r < 0)
        return r;
    t->world.last_errand = store_last_errand(t->store);
    wrong = world_check(&t->world);
    if (wrong) {
        log_line(LOG_CRIT, "the store does not make sense: %s", wrong);
        return -EUCLEAN;
    }
    return 0;
}

/* ---- the queue --------------------------------------------------------------------------------
 */

void turn_add(struct teamd *t, struct job *j, bool gate)
{
    uint64_t now;

    j->next = NULL;
    *t->last = j;
    t->last = &j->next;
    t->n_jobs++;
    if (t->retry_s > 0 && j->keep)
        return; /* the retry timer takes it along */
    if (t->n_jobs == 1 && sd_event_now(t->loop, CLOCK_MONOTONIC, &now) >= 0) {
        sd_event_source_set_priority(t->turn, PRIORITY_TURN);
        sd_event_source_set_time(t->turn_at_latest, now + AT_LATEST_US);
        sd_event_source_set_enabled(t->turn_at_latest, SD_EVENT_ONESHOT);
    }
    if (gate)
        sd_event_source_set_priority(t->turn, PRIORITY_TURN_GATE);
    sd_event_source_set_enabled(t->turn, SD_EVENT_ONESHOT);
}

void turn_learn(struct teamd *t, const struct event *ev)
{
    engine_step(&t->world, ev, host_now(), &t->effects);
    if (ev->kind == EV_POLICY && ev->policy.by)
        t->load = t->effects.items[0]; /* its event of the trail, for the next commit */
    turn_run(t);
}

bool turn_has(const struct teamd *t, enum event_kind kind, uint64_t session)
{
    for (const struct job *j = t->first; j; j = j->next)
        if (j->event.kind == kind && j->event.session == session)
            return true;
    return false;
}

static struct job *take_job(struct teamd *t)
{
    struct job *j = t->first;

    t->first = j->next;
    if (!t->first)
        t->last = &t->first;
    t->n_jobs--;
    return j;
}

/* ---- one turn ---------------------------------------------------------------------------------
 */

/* Jobs whose decision is in the open transaction, with what their askers will be told. */
struct batch {
    size_t n;
    struct job *jobs[TURN_BATCH_MAX];
    struct reply replies[TURN_BATCH_MAX];
};

static struct batch batch; /* one at a time; too large for a stack */

/* -ENOMEM would lose an act: then its deadline brings it again. */
static void hold_act(struct teamd *t, const struct act *act)
{
    if (t->n_acts == t->cap_acts) {
        size_t cap = t->cap_acts ? t->cap_acts * 2 : 16;
        struct act *more = reallocarray(t->acts, cap, sizeof *more);

        if (!more)
            return;
        t->acts = more;
        t->cap_acts = cap;
    }
    t->acts[t->n_acts++] = *act;
}

static bool was_usable(const struct request *r)
{
    for (size_t i = 0; i < r->n_targets; i++)
        if (grant_was_usable(&r->grants[i]))
            return true;
    return false;
}

static void decide(struct teamd *t, const struct event *ev, struct now now)
{
    engine_step(&t->world, ev, now, &t->effects);
    store_add(t->store, &t->effects);
    log_audit_hold(&t->effects);
    for (size_t i = 0; i < t->effects.n; i++) {
        const struct effect *e = &t->effects.items[i];

        if (e->kind == EFFECT_ACT)
            hold_act(t, &e->act);
        else if (e->kind == EFFECT_ERRAND)
            hold_act(t, &(struct act){.kind = ACT_COURIER, .session = e->errand.number});
        else if (e->kind == EFFECT_REQUEST && was_usable(&e->request))
            hold_act(t, &(struct act){.kind = ACT_COLLECT, .request = e->request.id});
    }
}

static void settle(struct teamd *t, struct now now)
{
    static const struct event TICK = {.kind = EV_TICK};

    while (t->effects.more)
        decide(t, &TICK, now);
}

/* Its request was live when the job was queued, and is not any more. */
static bool must_find_again(const struct teamd *t, const struct job *j)
{
    return j->find_again && !j->found_again && !j->event.history &&
           !world_request(&t->world, j->event.id);
}

/* Before the events of this turn: they were asked before those were decided. */
static void add_asked(struct teamd *t)
{
    if (t->load.kind == EFFECT_AUDIT) {
        t->effects.n = 1;
        t->effects.items[0] = t->load;
        store_add(t->store, &t->effects);
        log_audit_hold(&t->effects);
    }
    for (size_t at = 0; asked_effects(t->asked, &t->world, &at, &t->effects);) {
        store_add(t->store, &t->effects);
        log_audit_hold(&t->effects);
    }
}

/* Who asks the gate waits for the turn that is under way; so it is cut short, but not to so few
 * that a flood of questions would make every change wait for a commit of its own. */
static bool gate_comes_first(const struct teamd *t)
{
    enum { AT_LEAST = 8 };

    return batch.n >= AT_LEAST && ipc_gate_waits(t->ipc);
}

static void decide_all(struct teamd *t, struct now now)
{
    static const struct event TICK = {.kind = EV_TICK};

    batch.n = 0;
    while (t->first && batch.n < TURN_BATCH_MAX && !gate_comes_first(t)) {
        struct job *j = take_job(t);

        if (must_find_again(t, j)) {
            j->next = t->unfound;
            t->unfound = j;
            continue;
        }
        decide(t, &j->event, now);
        batch.jobs[batch.n] = j;
        batch.replies[batch.n] = t->effects.reply;
        batch.n++;
        settle(t, now);
    }
    if (deadline_passed(engine_wake(&t->world), now)) {
        decide(t, &TICK, now);
        settle(t, now);
    }
}

static int commit(struct teamd *t, struct now now)
{
    int r;

    r = store_begin(t->store, now);
    if (r < 0)
        return r;
    add_asked(t);
    decide_all(t, now);
    return store_commit(t->store);
}

static void arm_wake(struct teamd *t)
{
    struct deadline wake = engine_wake(&t->world);

    sd_event_source_set_enabled(t->wake_wall, SD_EVENT_OFF);
    sd_event_source_set_enabled(t->wake_boot, SD_EVENT_OFF);
    if (wake.wall.us != NEVER_US) {
        sd_event_source_set_time(t->wake_wall, wake.wall.us > 0 ? (uint64_t)wake.wall.us : 0);
        sd_event_source_set_enabled(t->wake_wall, SD_EVENT_ONESHOT);
    }
    if (wake.boot.us != NEVER_US) {
        sd_event_source_set_time(t->wake_boot, (uint64_t)wake.boot.us);
        sd_event_source_set_enabled(t->wake_boot, SD_EVENT_ONESHOT);
    }
}

static void give_back(struct teamd *t, struct job *j, int error)
{
    struct reply none = {.code = REPLY_FAILED};

    if (j->keep)
        turn_add(t, j, false);
    else
        j->done(j, &none, error);
}

/* The decisions of this turn never happened: whoever waits is told so, our own events wait for the
 * next try, and the world is what the store says. */
static void take_back(struct teamd *t, int error)
{
    uint64_t now;

    log_audit_drop();
    t->n_acts = 0;
    t->retry_s = t->retry_s == 0 ? 1 : t->retry_s * 2 > RETRY_MAX_S ? RETRY_MAX_S : t->retry_s * 2;
    for (size_t n = t->n_jobs; n > 0; n--) /* the transaction may not even have begun */
        give_back(t, take_job(t), error);
    for (size_t i = 0; i < batch.n; i++)
        give_back(t, batch.jobs[i], error);
    for (struct job *j = t->unfound, *next; j; j = next) {
        next = j->next;
        give_back(t, j, error);
    }
    t->unfound = NULL;
    batch.n = 0;
    if (error == -EIO || error == -EUCLEAN || turn_restore(t) < 0) {
        log_line(LOG_CRIT, "the store cannot be written: %s; nothing was changed, starting anew",
                 strerror(-error));
        sd_event_exit(t->loop, EXIT_TEMPFAIL);
        return;
    }
    log_line(LOG_CRIT, "the store cannot be written: %s; nothing was changed, trying again in %u s",
             strerror(-error), t->retry_s);
    sessions_enforce(t, host_now());
    sd_event_source_set_enabled(t->wake_wall, SD_EVENT_OFF);
    sd_event_source_set_enabled(t->wake_boot, SD_EVENT_OFF);
    if (sd_event_now(t->loop, CLOCK_MONOTONIC, &now) >= 0)
        sd_event_source_set_time(t->retry, now + t->retry_s * UINT64_C(1000000));
    sd_event_source_set_enabled(t->retry, SD_EVENT_ONESHOT);
}

/* Acting may queue more: those are for the next turn. */
static void act(struct teamd *t)
{
    size_t n = batch.n;

    if (t->retry_s > 0)
        log_line(LOG_NOTICE, "the store can be written again");
    t->retry_s = 0;
    for (size_t i = 0; i < t->n_acts; i++)
        if (t->acts[i].kind == ACT_COURIER)
            link_errand(t, t->acts[i].session, false);
        else if (t->acts[i].kind == ACT_COLLECT)
            link_collect(t, t->acts[i].request);
        else
            sessions_act(t, &t->acts[i]);
    t->n_acts = 0;
    asked_clear(t->asked);
    t->load = (struct effect){0};
    batch.n = 0;
    for (size_t i = 0; i < n; i++)
        batch.jobs[i]->done(batch.jobs[i], &batch.replies[i], 0);
    log_audit_release(); /* nobody waits for the journal */
    for (struct job *j = t->unfound, *next; j; j = next) {
        next = j->next;
        j->found_again = true;
        j->find_again(j);
    }
    t->unfound = NULL;
    wait_tell(t);
    follow_tell(t);
}

/* Between two tries to write: who asks is told at once, our own events wait. */
static void refuse_all(struct teamd *t)
{
    for (size_t n = t->n_jobs; n > 0; n--)
        give_back(t, take_job(t), -ENOSPC);
}

static void run(struct teamd *t, bool retrying)
{
    struct now now = host_now();
    int r;

    if (t->in_turn) { /* from something that acting has caused: the next one */
        sd_event_source_set_enabled(t->turn, SD_EVENT_ONESHOT);
        return;
    }
    sd_event_source_set_enabled(t->turn, SD_EVENT_OFF);
    sd_event_source_set_enabled(t->turn_at_latest, SD_EVENT_OFF);
    if (!t->world.policy)
        return; /* at the start, before the first policy: what the store gave waits for it */
    if (t->retry_s > 0 && !retrying) {
        refuse_all(t);
        return;
    }
    if (t->n_jobs == 0 && asked_empty(t->asked) && t->load.kind == 0 &&
        !deadline_passed(engine_wake(&t->world), now)) {
        arm_wake(t);
        return;
    }
    t->in_turn = true;
    r = commit(t, now);
    if (r < 0) {
        take_back(t, r);
        t->in_turn = false;
        return;
    }
    arm_wake(t);
    act(t);
    t->in_turn = false;
    if (t->n_jobs > 0)
        sd_event_source_set_enabled(t->turn, SD_EVENT_ONESHOT);
}

void turn_run(struct teamd *t)
{
    run(t, false);
}

/* ---- when -------------------------------------------------------------------------------------
 */

static int turn_due(sd_event_source *source, void *ctx)
{
    (void)source;
    turn_run(ctx);
    return 0;
}

static int timer_due(sd_event_source *source, uint64_t usec, void *ctx)
{
    struct teamd *t = ctx;

    (void)usec;
    run(t, source == t->retry);
    return 0;
}

void turn_note_asked(struct teamd *t, const struct gate_ask *ask, const struct reply *reply)
{
    uint64_t now;

    if (asked_full(t->asked))
        turn_run(t);
    if (asked_empty(t->asked) && sd_event_now(t->loop, CLOCK_MONOTONIC, &now) >= 0) {
        sd_event_source_set_time(t->flush, now + 900 * 1000);
        sd_event_source_set_enabled(t->flush, SD_EVENT_ONESHOT);
    }
    asked_add(t->asked, gate_subject(t->world.policy, ask), ask->service, reply);
}

static int new_timer(struct teamd *t, clockid_t clock, sd_event_source **ret)
{
    int r;

    r = sd_event_add_time(t->loop, ret, clock, 0, 1000, timer_due, t);
    if (r < 0)
        return r;
    sd_event_source_set_priority(*ret, PRIORITY_TURN_GATE);
    return sd_event_source_set_enabled(*ret, SD_EVENT_OFF);
}

int turn_new(struct teamd *t)
{
    int r;

    t->last = &t->first;
    t->asked = asked_new();
    if (!t->asked)
        return -ENOMEM;
    r = sd_event_add_defer(t->loop, &t->turn, turn_due, t);
    if (r < 0)
        return r;
    sd_event_source_set_enabled(t->turn, SD_EVENT_OFF);
    if ((r = new_timer(t, CLOCK_MONOTONIC, &t->turn_at_latest)) < 0 ||
        (r = new_timer(t, CLOCK_MONOTONIC, &t->retry)) < 0 ||
        (r = new_timer(t, CLOCK_MONOTONIC, &t->flush)) < 0 ||
        (r = new_timer(t, CLOCK_REALTIME, &t->wake_wall)) < 0 ||
        (r = new_timer(t, CLOCK_BOOTTIME, &t->wake_boot)) < 0)
        return r;
    return 0;
}

void turn_free(struct teamd *t)
{
    while (t->first) {
        struct job *j = take_job(t);
        struct reply none = {0};

        j->done(j, &none, -ECANCELED);
    }
    t->asked = asked_free(t->asked);
    free(t->acts);
    t->turn = sd_event_source_unref(t->turn);
    t->turn_at_latest = sd_event_source_unref(t->turn_at_latest);
    t->retry = sd_event_source_unref(t->retry);
    t->flush = sd_event_source_unref(t->flush);
    t->wake_wall = sd_event_source_unref(t->wake_wall);
    t->wake_boot = sd_event_source_unref(t->wake_boot);
}
