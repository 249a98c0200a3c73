/* The store of the stage: it keeps what was committed, sees that what must not happen to stored
 * things does not, and makes a world of them again. */
#pragma once

#include <team/actions.h>

#include "stage_text.h"

/* ---- the cast ------------------------------------------------------------------------------- */

/* What the host's user database says: groups with a blank before and after each. Two names with one
 * uid are one person. Who is "hidden" cannot be looked up, and who is "unlisted" only by name. */
enum { CAST = 11, MEMBERSHIP_CAP = 64 };

struct member {
    const char *name;
    uint32_t uid;
    char groups[MEMBERSHIP_CAP];
};

static const struct member THE_CAST[CAST] = {
    {"root", 0, " "},         {"alice", 1001, " sre "},      {"alicia", 1001, " sre "},
    {"bob", 1002, " leads "}, {"carol", 1003, " leads "},    {"dave", 1004, " sre "},
    {"erin", 1005, " sec "},  {"frank", 1006, " security "}, {"grace", 1007, " admins "},
    {"mallory", 1008, " "},   {"ivan", 1009, " sec "},
};

/* ---- what is kept --------------------------------------------------------------------------- */

enum { KEPT_ERRANDS = 256 };
enum { KEPT_REQUESTS = 128, KEPT_SESSIONS = 1024, KEPT_DECISIONS = 512, TRAIL_ROWS = 1024 };

struct trail_row {
    char action[32], actor[NAME_CAP], outcome[16], target[AUDIT_TARGET_CAP],
        detail[AUDIT_DETAIL_CAP];
    struct id id;
};

struct kept_decision {
    struct id id;
    uint16_t number;
    uint8_t about;
    bool approved;
    uint32_t uid;
};

struct store_model {
    size_t n_requests, n_sessions, n_decisions, n_errands;
    struct request requests[KEPT_REQUESTS];
    struct session sessions[KEPT_SESSIONS];
    struct kept_decision decisions[KEPT_DECISIONS];
    struct errand errands[KEPT_ERRANDS];
    size_t n_trail; /* of the step before only */
    struct trail_row trail[TRAIL_ROWS];
    size_t n_acts; /* of the step before only, too */
    struct act acts[TRAIL_ROWS];
    struct wall last_commit;
    uint64_t last_session, last_errand;
};

struct stage {
    struct world w, again; /* the second is for replays */
    struct policy policy[2];
    struct directory *directory[2];
    unsigned which; /* of the policies is in force */
    struct member cast[CAST];
    struct now now;
    struct effects out;
    struct store_model store;
    size_t effects_kept; /* ever */
    /* Looks at every change of a request before it is kept (was NULL: it is new). */
    const char *(*watch)(struct stage *g, const struct request *was, const struct request *is);
    void *watcher;
    char wrong[256];
};

__attribute__((format(printf, 2, 3), unused)) static const char *
stage_wrong(struct stage *g, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(g->wrong, sizeof g->wrong, format, args);
    va_end(args);
    return g->wrong;
}

/* ---- the store ------------------------------------------------------------------------------ */

static inline struct request *kept_request(struct stage *g, struct id id)
{
    for (size_t i = 0; i < g->store.n_requests; i++)
        if (g->store.requests[i].id.bits == id.bits)
            return &g->store.requests[i];
    return NULL;
}

static inline struct session *kept_session(struct stage *g, uint64_t number)
{
    for (size_t i = 0; i < g->store.n_sessions; i++)
        if (g->store.sessions[i].number == number)
            return &g->store.sessions[i];
    return NULL;
}

static inline const char *keep_request(struct stage *g, const struct request *r)
{
    struct request *was = kept_request(g, r->id);

    if (was && request_state_final((enum request_state)was->state))
        return stage_wrong(g, "a request that is over was written again");
    if (!was) {
        stage_check(g->store.n_requests < KEPT_REQUESTS, "too many requests to keep");
        was = &g->store.requests[g->store.n_requests++];
    }
    *was = *r;
    return NULL;
}

static inline const char *keep_session(struct stage *g, const struct session *s)
{
    struct session *was = kept_session(g, s->number);

    if (was && session_state_final((enum session_state)was->state))
        return stage_wrong(g, "a session that is over was written again");
    if (!was && s->number <= g->store.last_session)
        return stage_wrong(g, "the number of a session was used again");
    if (!was) {
        stage_check(g->store.n_sessions < KEPT_SESSIONS, "too many sessions to keep");
        was = &g->store.sessions[g->store.n_sessions++];
        g->store.last_session = s->number;
    }
    *was = *s;
    was->due = (struct deadline){0}; /* what the store does not know */
    was->kills = 0;
    was->warned = (struct wall){0};
    return NULL;
}

static inline struct errand *kept_errand(struct stage *g, uint64_t number)
{
    for (size_t i = 0; i < g->store.n_errands; i++)
        if (g->store.errands[i].number == number)
            return &g->store.errands[i];
    return NULL;
}

static inline const char *keep_errand(struct stage *g, const struct errand *e)
{
    struct errand *was = kept_errand(g, e->number);

    if (!was && e->number <= g->store.last_errand && e->state != ERRAND_OVER)
        return stage_wrong(g, "the number of an errand was used again");
    if (was && e->round < was->round)
        return stage_wrong(g, "an errand went back");
    if (e->number > g->store.last_errand)
        g->store.last_errand = e->number;
    if (e->state == ERRAND_OVER) {
        if (was)
            *was = g->store.errands[--g->store.n_errands];
        return NULL;
    }
    if (!was) {
        stage_check(g->store.n_errands < KEPT_ERRANDS, "too many errands to keep");
        was = &g->store.errands[g->store.n_errands++];
    }
    *was = *e;
    return NULL;
}

static inline const char *keep_decision(struct stage *g, const struct decision *d)
{
    uint16_t next = 0;

    for (size_t i = 0; i < g->store.n_decisions; i++)
        if (g->store.decisions[i].id.bits == d->id.bits)
            next++;
    if (d->number != next)
        return stage_wrong(g, "decision %u where %u was due", d->number, next);
    stage_check(g->store.n_decisions < KEPT_DECISIONS, "too many decisions to keep");
    g->store.decisions[g->store.n_decisions++] = (struct kept_decision){d->id, d->number, d->about,
                                                                        d->approved, d->uid};
    return NULL;
}

static inline void keep_trail(struct stage *g, const struct audit *a)
{
    struct trail_row *row = &g->store.trail[g->store.n_trail++];

    stage_check(g->store.n_trail <= TRAIL_ROWS, "too long a trail to keep");
    snprintf(row->action, sizeof row->action, "%s", a->action);
    snprintf(row->actor, sizeof row->actor, "%s", a->actor.text);
    snprintf(row->outcome, sizeof row->outcome, "%s", a->outcome);
    snprintf(row->target, sizeof row->target, "%s", a->target);
    snprintf(row->detail, sizeof row->detail, "%s", a->detail);
    row->id = a->id;
}

/* Every new state of a request has its event in the same commit. */
static inline bool change_is_in_trail(const struct stage *g, const struct request *r)
{
    for (size_t i = 0; i < g->out.n; i++)
        if (g->out.items[i].kind == EFFECT_AUDIT && g->out.items[i].audit.id.bits == r->id.bits &&
            strcmp(g->out.items[i].audit.outcome, "refused") != 0)
            return true;
    return false;
}

static inline const char *stage_commit(struct stage *g)
{
    const char *wrong = NULL;

    if (g->out.n > EFFECTS_MAX)
        return stage_wrong(g, "more effects than there is room for");
    for (size_t i = 0; i < g->out.n && !wrong; i++) {
        const struct effect *e = &g->out.items[i];
        const struct request *was;

        switch (e->kind) {
        case EFFECT_REQUEST:
            was = kept_request(g, e->request.id);
            if ((!was || was->state != e->request.state) && !change_is_in_trail(g, &e->request))
                return stage_wrong(g, "a request changed and the trail does not know");
            if (g->watch)
                wrong = g->watch(g, was, &e->request);
            if (!wrong)
                wrong = keep_request(g, &e->request);
            break;
        case EFFECT_DECISION:
            wrong = keep_decision(g, &e->decision);
            break;
        case EFFECT_WORDS:
            if (!kept_request(g, e->words.id) || e->words.text[0] == '\0')
                return stage_wrong(g, "words about nothing");
            break;
        case EFFECT_SESSION:
            wrong = keep_session(g, &e->session);
            break;
        case EFFECT_ERRAND:
            wrong = keep_errand(g, &e->errand);
            break;
        case EFFECT_NAMES:
            if (!kept_request(g, e->names.id) || !e->names.account[0] || !e->names.user[0])
                return stage_wrong(g, "names of nothing");
            break;
        case EFFECT_AUDIT:
            if (!team_action_is(e->audit.action))
                return stage_wrong(g, "an action of the trail that is not listed");
            keep_trail(g, &e->audit);
            break;
        case EFFECT_ACT:
            stage_check(g->store.n_acts < TRAIL_ROWS, "too many acts to keep");
            g->store.acts[g->store.n_acts++] = e->act;
            break;
        }
    }
    if (g->out.n > 0)
        g->store.last_commit = g->now.wall;
    g->effects_kept += g->out.n;
    return wrong;
}

/* ---- replay --------------------------------------------------------------------------------- */

#define SAME(field)      (a->field == b->field)
#define TEXT_SAME(field) (strcmp(a->field, b->field) == 0)

static inline bool same_grants(const struct request *a, const struct request *b)
{
    for (size_t i = 0; i < a->n_targets; i++)
        if (!target_equal(&a->grants[i].target, &b->grants[i].target) ||
            a->grants[i].state != b->grants[i].state ||
            strcmp(a->grants[i].set, b->grants[i].set) != 0 ||
            a->grants[i].session_s != b->grants[i].session_s ||
            a->grants[i].errand != b->grants[i].errand ||
            a->grants[i].credentials_until.us != b->grants[i].credentials_until.us)
            return false;
    return true;
}

static inline bool same_approvals(const struct request *a, const struct request *b)
{
    for (size_t i = 0; i < a->n_approvals; i++)
        if (!SAME(approvals[i].uid) || !TEXT_SAME(approvals[i].name.text))
            return false;
    return true;
}

/* All but `due` while ending: that only says when to look at its sessions again. */
static inline bool same_request(const struct request *a, const struct request *b)
{
    return SAME(id.bits) && SAME(requester) && TEXT_SAME(requester_name.text) && SAME(state) &&
           SAME(end_as) && SAME(approval_required) && SAME(n_targets) && same_grants(a, b) &&
           SAME(duration_s) && SAME(requested_at.us) && SAME(requested_start.us) &&
           SAME(asked_aws.us) && SAME(active_from.us) && SAME(active_until.us) &&
           SAME(ended_at.us) &&
           (a->state == REQ_ENDING || (SAME(due.wall.us) && SAME(due.boot.us))) &&
           SAME(extension.for_s) && SAME(extension.requested_at.us) &&
           SAME(extension.expires.wall.us) && SAME(extension.expires.boot.us) &&
           SAME(n_approvals) && same_approvals(a, b) && SAME(n_decisions) &&
           TEXT_SAME(revoked_by.text) && TEXT_SAME(failure) && TEXT_SAME(aws_user) &&
           TEXT_SAME(host);
}

static inline bool same_session(const struct session *a, const struct session *b)
{
    return SAME(number) && SAME(request.bits) && SAME(uid) && TEXT_SAME(user.text) && SAME(class) &&
           SAME(state) && TEXT_SAME(service) && TEXT_SAME(target_user.text) && TEXT_SAME(tty) &&
           TEXT_SAME(rhost) && SAME(leader.pid) && SAME(leader.start_ticks) && SAME(loginuid) &&
           SAME(parent) && SAME(contained) && SAME(escaped) && SAME(started_at.us) &&
           SAME(ended_at.us);
}

static inline bool same_errand(const struct errand *a, const struct errand *b)
{
    return SAME(number) && SAME(round) && SAME(state) && SAME(uid) && SAME(request.bits) &&
           TEXT_SAME(account) && TEXT_SAME(set) && TEXT_SAME(set_name) && TEXT_SAME(user) &&
           SAME(since.us) && TEXT_SAME(trouble);
}

/* All live requests and sessions of one world are in the other, and no others. */
static inline bool same_world(const struct world *a, const struct world *b)
{
    const struct request *r;
    const struct session *s;
    const struct errand *e;
    uint32_t at = 0;

    if (a->n_requests != b->n_requests || a->n_sessions != b->n_sessions ||
        a->last_session != b->last_session || a->n_errands != b->n_errands ||
        a->last_errand != b->last_errand)
        return false;
    while ((r = world_each_request(a, &at))) {
        const struct request *other = world_request(b, r->id);

        if (!other || !same_request(r, other))
            return false;
    }
    at = 0;
    while ((s = world_each_session(a, &at))) {
        const struct session *other = world_session(b, s->number);

        if (!other || !same_session(s, other))
            return false;
    }
    at = 0;
    while ((e = world_each_errand(a, &at))) {
        const struct errand *other = world_errand(b, e->number);

        if (!other || !same_errand(e, other))
            return false;
    }
    return true;
}

/* Puts what is stored and live into a world that was cleared. */
static inline void restore(struct stage *g, struct world *w, bool same_boot)
{
    world_clear(w);
    for (size_t i = 0; i < g->store.n_requests; i++)
        if (!request_state_final((enum request_state)g->store.requests[i].state))
            stage_check(world_restore_request(w, &g->store.requests[i], same_boot, g->now,
                                              g->store.last_commit),
                        "no room for a request");
    for (size_t i = 0; i < g->store.n_sessions; i++)
        if (!session_state_final((enum session_state)g->store.sessions[i].state))
            stage_check(world_restore_session(w, &g->store.sessions[i]), "no room for a session");
    w->last_session = g->store.last_session;
    for (size_t i = 0; i < g->store.n_errands; i++)
        stage_check(world_restore_errand(w, &g->store.errands[i]), "no room for an errand");
    w->last_errand = g->store.last_errand;
}
