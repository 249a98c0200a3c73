/* A second opinion on everything that the core decides, worked out from the policy, from what was
 * looked up of people and from the acts of a test, with code of its own: fnmatch(3) for patterns,
 * a recount of every quorum, and a book of windows. It watches each change of a request and says
 * what is not allowed. */
#pragma once

#include "stage.h"

#include <fnmatch.h>

/* What somebody tries in one step of a test. */
struct attempt {
    enum event_kind kind;
    struct actor actor;
    struct id id;
    bool approve;
    int64_t for_s; /* EXTEND */
};

/* What the oracle knows of one request, beside what was kept of it. */
struct opinion {
    struct id id;
    struct deadline expires; /* while pending, at the latest ... */
    int64_t pending_s;       /* ... so long after it was asked */
    struct deadline until;   /* while open */
    bool open;
    int64_t granted_s;
    int64_t wished_s; /* an extension that is asked for */
    struct deadline wish_expires;
    int64_t wish_pending_s;
    size_t wish_from;      /* decisions before this one were about something else */
    bool unsure;           /* at its start nobody could be looked up: ... */
    struct deadline again; /* ... it may wait for this */
};

struct oracle {
    struct attempt now;
    size_t n;
    struct opinion about[KEPT_REQUESTS];
    size_t n_people;
    struct person people[CAST]; /* as they were last looked up */
};

static inline struct oracle *oracle_of(struct stage *g)
{
    return g->watcher;
}

static inline const struct person *known(const struct oracle *o, uint32_t uid)
{
    for (size_t i = 0; i < o->n_people; i++)
        if (o->people[i].uid == uid)
            return &o->people[i];
    return NULL;
}

static inline struct opinion *opinion(struct oracle *o, struct id id)
{
    for (size_t i = 0; i < o->n; i++)
        if (o->about[i].id.bits == id.bits)
            return &o->about[i];
    return NULL;
}

/* ---- the policy, read again ------------------------------------------------------------------ */

static inline bool named(const struct principals *who, const struct person *p)
{
    for (size_t i = 0; i < PRINCIPALS_MAX; i++)
        if ((who->bits[i / 64] >> i % 64 & 1) && (p->is.bits[i / 64] >> i % 64 & 1))
            return true;
    return false;
}

static inline bool covered(const struct policy *p, struct patterns run, const struct target *t)
{
    for (size_t i = run.first; i < (size_t)run.first + run.count; i++)
        if (p->patterns[i].kind == t->kind &&
            fnmatch(p->patterns[i].place, t->place, FNM_CASEFOLD) == 0 &&
            fnmatch(p->patterns[i].what, t->what, 0) == 0)
            return true;
    return false;
}

/* May they have this target for so long, and does anything allow it without approval? */
static inline bool may_have(const struct policy *p, const struct person *who,
                            const struct target *t, int64_t for_s, bool *ret_free)
{
    bool may = false;

    *ret_free = false;
    for (size_t i = 0; i < p->n_eligibility; i++) {
        const struct eligibility *e = &p->eligibility[i];

        if (for_s > e->max_duration_s || for_s > p->max_duration_s || !named(&e->who, who) ||
            !covered(p, e->targets, t))
            continue;
        may = true;
        if (!p->approval || !e->approval_required)
            *ret_free = true;
    }
    return may;
}

static inline bool eligible(const struct stage *g, const struct person *who,
                            const struct request *r, int64_t for_s)
{
    bool without;

    for (size_t i = 0; i < r->n_targets; i++)
        if (!may_have(g->w.policy, who, &r->grants[i].target, for_s, &without))
            return false;
    return true;
}

static inline bool rule_is_for(const struct policy *p, const struct approvers *a,
                               const struct target *t, const struct person *requester)
{
    if (!a->for_all_requesters && !(requester && named(&a->requesters, requester)))
        return false;
    return covered(p, a->targets, t);
}

static inline bool is_approver_of(const struct stage *g, const struct oracle *o, uint32_t uid,
                                  const struct request *r)
{
    const struct policy *p = g->w.policy;
    const struct person *who = known(o, uid);

    for (size_t t = 0; who && t < r->n_targets; t++)
        for (size_t i = 0; i < p->n_approvers; i++)
            if (uid != r->requester && uid != 0 && named(&p->approvers[i].who, who) &&
                rule_is_for(p, &p->approvers[i], &r->grants[t].target, known(o, r->requester)))
                return true;
    return false;
}

/* How many different people, approvers under this rule as of now, have said yes since `from`? */
static inline uint32_t yes_count(const struct stage *g, const struct oracle *o,
                                 const struct approvers *a, const struct request *r,
                                 enum about about, size_t from)
{
    uint32_t n = 0;

    for (size_t c = 0; c < o->n_people; c++)
        for (size_t i = from; i < g->store.n_decisions; i++) {
            const struct kept_decision *d = &g->store.decisions[i];

            if (d->id.bits == r->id.bits && d->about == about && d->approved &&
                d->uid == o->people[c].uid && d->uid != r->requester && d->uid != 0 &&
                named(&a->who, &o->people[c])) {
                n++;
                break;
            }
        }
    return n;
}

static inline bool approved(const struct stage *g, const struct oracle *o, const struct request *r,
                            int64_t for_s, enum about about, size_t from)
{
    const struct policy *p = g->w.policy;
    const struct person *who = known(o, r->requester);

    for (size_t t = 0; t < r->n_targets; t++) {
        bool any = false, without = false;

        if (who && may_have(p, who, &r->grants[t].target, for_s, &without) && without)
            continue;
        for (size_t i = 0; i < p->n_approvers; i++) {
            const struct approvers *a = &p->approvers[i];

            if (!rule_is_for(p, a, &r->grants[t].target, who))
                continue;
            if (yes_count(g, o, a, r, about, from) >= a->quorum)
                any = true;
            else if (a->mandatory)
                return false;
        }
        if (!any)
            return false;
    }
    return true;
}

/* ---- what may become of a request ------------------------------------------------------------ */

static inline struct deadline after_s(struct now now, int64_t s)
{
    return (struct deadline){{now.wall.us + s * SECOND_US}, {now.boot.us + s * SECOND_US}};
}

static inline bool is_act(const struct oracle *o, enum event_kind kind, const struct request *r)
{
    return o->now.kind == kind && (kind == EV_SUBMIT || o->now.id.bits == r->id.bits) &&
           (o->now.actor.loginuid == o->now.actor.uid || o->now.actor.uid == 0 ||
            o->now.actor.loginuid == NOBODY);
}

/* An act that only the person from their own login does. */
static inline bool is_own_act(const struct oracle *o, enum event_kind kind, const struct request *r)
{
    return is_act(o, kind, r) && o->now.actor.loginuid == o->now.actor.uid &&
           !o->now.actor.in_session && o->now.actor.uid != 0;
}

static inline bool lapsed(const struct stage *g, const struct oracle *o, const struct request *r)
{
    const struct person *who = known(o, r->requester);

    return who && !eligible(g, who, r, r->duration_s);
}

/* It was let through without an approval, and the policy of its start wants one. */
static inline bool approval_came_late(const struct stage *g, const struct oracle *o,
                                      const struct request *r)
{
    const struct person *who = known(o, r->requester);
    bool without = true;

    if (!who || r->approval_required || r->state != REQ_SCHEDULED)
        return false;
    for (size_t i = 0; without && i < r->n_targets; i++)
        may_have(g->w.policy, who, &r->grants[i].target, r->duration_s, &without);
    return !without;
}

static inline bool revoked_by_somebody(const struct stage *g, const struct oracle *o,
                                       const struct request *r)
{
    uint32_t uid = o->now.actor.uid;
    const struct person *who = known(o, uid);

    return is_act(o, EV_REVOKE, r) &&
           (uid == 0 || uid == r->requester || is_approver_of(g, o, uid, r) ||
            (who && named(&g->w.policy->admins, who)));
}

/* Its time has come, even if the clock has been set back since, and the requester may. */
static inline bool may_begin(const struct stage *g, const struct oracle *o,
                             const struct opinion *op, const struct request *r)
{
    const struct person *who = known(o, r->requester);

    return (op->unsure || g->now.wall.us >= r->requested_start.us) && who &&
           eligible(g, who, r, r->duration_s) && !approval_came_late(g, o, r);
}

/* The quorum is there, or was never needed. */
static inline const char *may_be_scheduled(const struct stage *g, const struct oracle *o,
                                           const struct request *was, const struct request *is)
{
    bool fresh = !was;

    if (!is_own_act(o, fresh ? EV_SUBMIT : EV_DECIDE, is) || (!fresh && !o->now.approve))
        return "approved by no act of anybody";
    if (!fresh && !is_approver_of(g, o, o->now.actor.uid, is))
        return "approved by somebody who is no approver";
    if (!approved(g, o, is, is->duration_s, ABOUT_REQUEST, 0))
        return "approved without its quorum";
    return NULL;
}

static inline bool has_sessions(const struct stage *g, const struct request *r)
{
    for (size_t i = 0; i < g->store.n_sessions; i++)
        if (g->store.sessions[i].request.bits == r->id.bits &&
            !session_state_final((enum session_state)g->store.sessions[i].state))
            return true;
    return false;
}

/* Why may it be over, and under this name? */
static inline bool end_fits(const struct stage *g, const struct oracle *o, const struct opinion *op,
                            const struct request *was, uint8_t end)
{
    bool began = was->state == REQ_ACTIVE || was->state == REQ_ACTIVATING;
    bool requester = o->now.actor.uid == was->requester;

    if (end == REQ_REJECTED)
        return was->state == REQ_PENDING && is_own_act(o, EV_DECIDE, was) && !o->now.approve &&
               is_approver_of(g, o, o->now.actor.uid, was);
    if (end == REQ_CANCELLED)
        return !began && (lapsed(g, o, was) || approval_came_late(g, o, was) ||
                          (requester && is_act(o, EV_CANCEL, was)) ||
                          (requester && is_act(o, EV_REVOKE, was) && was->state == REQ_SCHEDULED));
    if (end == REQ_EXPIRED)
        return was->state == REQ_PENDING && deadline_passed(op->expires, g->now);
    if (end == REQ_REVOKED)
        return was->state != REQ_PENDING &&
               (revoked_by_somebody(g, o, was) || (began && lapsed(g, o, was)));
    if (end == REQ_ENDED)
        return was->state == REQ_ACTIVE && deadline_passed(op->until, g->now);
    return end == REQ_FAILED && was->state == REQ_ACTIVATING && deadline_passed(op->until, g->now);
}

static inline const char *watch_end(struct stage *g, struct opinion *op, const struct request *was,
                                    const struct request *is)
{
    struct oracle *o = oracle_of(g);
    uint8_t end = is->state == REQ_ENDING ? is->end_as : is->state;

    op->open = false;
    if (was->state == REQ_ENDING) {
        if (is->state != was->end_as)
            return "ended under another name than it began to";
    } else if (!end_fits(g, o, op, was, end)) {
        return stage_wrong(g, "%s while %s, for no reason",
                           request_state_text((enum request_state)end),
                           request_state_text((enum request_state)was->state));
    }
    if (request_state_final((enum request_state)is->state) && is->ended_at.us != g->now.wall.us)
        return "ended at another time";
    return NULL;
}

/* While it stays active only an extension changes it. */
static inline const char *watch_active(struct stage *g, struct opinion *op,
                                       const struct request *was, const struct request *is)
{
    struct oracle *o = oracle_of(g);
    bool asks = is_own_act(o, EV_EXTEND, is) && o->now.actor.uid == is->requester;

    if (deadline_passed(op->wish_expires, g->now))
        op->wished_s = 0;
    if (asks && op->wished_s == 0 &&
        (is->extension.for_s > 0 || is->duration_s != was->duration_s)) {
        op->wished_s = o->now.for_s;
        op->wish_from = g->store.n_decisions;
        op->wish_pending_s = g->w.policy->pending_expiry_s;
        op->wish_expires = after_s(g->now, op->wish_pending_s);
    }
    if (is->duration_s != was->duration_s) {
        if (is->duration_s != was->duration_s + op->wished_s)
            return "is longer by what nobody asked for";
        if (!known(o, is->requester) || !eligible(g, known(o, is->requester), is, is->duration_s) ||
            !approved(g, o, is, is->duration_s, ABOUT_EXTENSION, op->wish_from))
            return "was extended without approval";
        op->granted_s += op->wished_s;
        op->until.wall.us += op->wished_s * SECOND_US;
        op->until.boot.us += op->wished_s * SECOND_US;
    }
    if (is->extension.for_s == 0)
        op->wished_s = 0;
    if (is->active_until.us != op->until.wall.us || deadline_passed(op->until, g->now))
        return "is active outside of its window";
    return NULL;
}

/* Nobody can tell now whether it may start: that is asked again after a while. */
static inline void note_unsure(struct stage *g, struct opinion *op, const struct request *r)
{
    if (r->state != REQ_SCHEDULED || g->now.wall.us < r->requested_start.us ||
        known(oracle_of(g), r->requester))
        return;
    op->unsure = true;
    op->again = after_s(g->now, 10);
}

/* It may begin, and be extended at once: who asks for more may be the one who finds it due. */
static inline const char *watch_begin(struct stage *g, struct opinion *op,
                                      const struct request *was, const struct request *is)
{
    struct oracle *o = oracle_of(g);
    struct request begun = was ? *was : *is;
    const char *wrong = NULL;

    if (!was || was->state == REQ_PENDING)
        wrong = may_be_scheduled(g, o, was, &begun);
    note_unsure(g, op, is);
    if (wrong || is->state == REQ_SCHEDULED)
        return wrong;
    if (!may_begin(g, o, op, &begun))
        return "begins before its time, or for somebody who may not";
    if (is->active_from.us != g->now.wall.us)
        return "begins at another time";
    op->granted_s = begun.duration_s;
    op->until = after_s(g->now, begun.duration_s);
    op->open = is->state == REQ_ACTIVE;
    if (op->open)
        return watch_active(g, op, &begun, is);
    return is->active_until.us != op->until.wall.us ? "has another window than was granted" : NULL;
}

static inline bool same_asked(const struct request *a, const struct request *b)
{
    for (size_t i = 0; i < a->n_targets; i++)
        if (!target_equal(&a->grants[i].target, &b->grants[i].target))
            return false;
    return SAME(requester) && SAME(n_targets) && SAME(requested_at.us) &&
           SAME(requested_start.us) && SAME(approval_required) && TEXT_SAME(host);
}

static inline const char *oracle_watch(struct stage *g, const struct request *was,
                                       const struct request *is)
{
    struct oracle *o = oracle_of(g);
    struct opinion *op = opinion(o, is->id);

    if (was && !same_asked(was, is))
        return "what was asked for has changed";
    if (!was) {
        if (!is_own_act(o, EV_SUBMIT, is) || is->requester != o->now.actor.uid || op)
            return "nobody asked for it";
        op = &o->about[o->n++];
        *op = (struct opinion){.id = is->id};
        op->pending_s = g->w.policy->pending_expiry_s;
        op->expires = after_s(g->now, op->pending_s);
    }
    if (!op)
        return "nobody asked for it";
    if (is->state >= REQ_ENDING)
        return was ? watch_end(g, op, was, is) : "over before it began";
    if (is->state == REQ_PENDING)
        return !was || was->state == REQ_PENDING ? NULL : "pending again";
    if (was && was->state == REQ_ACTIVE)
        return is->state == REQ_ACTIVE ? watch_active(g, op, was, is) : "back from active";
    return watch_begin(g, op, was, is);
}

/* ---- between the steps ----------------------------------------------------------------------- */

/* Is access open, by the book of windows? */
static inline bool access_open(struct stage *g, uint32_t uid, const struct target *t)
{
    struct oracle *o = oracle_of(g);

    for (size_t i = 0; i < g->store.n_requests; i++) {
        const struct request *r = &g->store.requests[i];
        const struct opinion *op = opinion(o, r->id);

        if (r->requester != uid || !op || !op->open || deadline_passed(op->until, g->now))
            continue;
        for (size_t n = 0; n < r->n_targets; n++)
            if (target_equal(&r->grants[n].target, t))
                return true;
    }
    return false;
}

/* After a tick nothing may be left that should have happened by now. */
static inline const char *nothing_is_late(struct stage *g)
{
    struct oracle *o = oracle_of(g);

    for (size_t i = 0; i < g->store.n_requests; i++) {
        const struct request *r = &g->store.requests[i];
        struct opinion *op = opinion(o, r->id);

        if (request_state_final((enum request_state)r->state) || !op)
            continue;
        if (r->state == REQ_PENDING && deadline_passed(op->expires, g->now))
            return "should have expired";
        if (r->state == REQ_SCHEDULED && may_begin(g, o, op, r) &&
            (!op->unsure || deadline_passed(op->again, g->now)))
            return "should have started";
        note_unsure(g, op, r);
        if ((r->state == REQ_ACTIVE || r->state == REQ_ACTIVATING) &&
            deadline_passed(op->until, g->now))
            return "should have ended";
        if (r->extension.for_s > 0 && deadline_passed(op->wish_expires, g->now))
            return "has an extension that should have expired";
        if (r->state == REQ_ENDING && !has_sessions(g, r))
            return "is ending with nothing left";
        if (r->state != REQ_ENDING && lapsed(g, o, r))
            return "goes on for somebody who is not eligible";
    }
    return NULL;
}

/* On another boot the boot ends are worked out anew from the wall clock. */
static inline void anew(const struct stage *g, struct deadline *d, int64_t whole_s)
{
    int64_t last = g->store.last_commit.us;
    int64_t left = d->wall.us - (g->now.wall.us > last ? g->now.wall.us : last);

    if (left > whole_s * SECOND_US)
        left = whole_s * SECOND_US;
    d->boot.us = g->now.boot.us + (left > 0 ? left : 0);
}

static inline void oracle_reboot(struct stage *g)
{
    struct oracle *o = oracle_of(g);

    for (size_t i = 0; i < o->n; i++) {
        struct opinion *op = &o->about[i];

        anew(g, &op->expires, op->pending_s);
        anew(g, &op->until, op->granted_s);
        anew(g, &op->wish_expires, op->wish_pending_s);
        op->again.boot = g->now.boot;
    }
}
