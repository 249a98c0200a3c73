#include "core/step.h"

/* What happens on the way into a state. The tables say which way; this says what belongs to it. */

void wake_at(struct world *w, struct deadline d)
{
    if (d.wall.us < w->wake.wall.us)
        w->wake.wall = d.wall;
    if (d.boot.us < w->wake.boot.us)
        w->wake.boot = d.boot;
}

struct deadline in_seconds(struct now now, int64_t seconds)
{
    return (struct deadline){
        .wall = {now.wall.us + seconds * SECOND_US},
        .boot = {now.boot.us + seconds * SECOND_US},
    };
}

void set_due(struct step *s, struct request *r, struct deadline due)
{
    r->due = due;
    wake_at(s->w, due);
}

struct deadline at_once(struct now now)
{
    return (struct deadline){now.wall, now.boot};
}

/* ---- grants --------------------------------------------------------------------------------- */

static void move_grant(struct grant *g, enum grant_event what)
{
    struct move m = grant_move((enum grant_state)g->state, what);

    if (m.kind == MOVE_GO)
        g->state = m.to;
}

/* A host grant is a fact that the gate knows: open as soon as it is asked for. */
static void ask_for_grants(struct request *r)
{
    for (size_t i = 0; i < r->n_targets; i++) {
        move_grant(&r->grants[i], GRANT_ON_ASK);
        if (!grant_is_aws(&r->grants[i]))
            move_grant(&r->grants[i], GRANT_ON_GRANTED);
    }
}

static void tell_grants(struct request *r, enum grant_event what)
{
    for (size_t i = 0; i < r->n_targets; i++)
        move_grant(&r->grants[i], what);
}

/* ---- into a state --------------------------------------------------------------------------- */

static struct audit *audit_state(struct step *s, const struct request *r, const char *by,
                                 const char *detail)
{
    static const char *const ACTIONS[REQ_STATES] = {
        [REQ_PENDING] = "request.submit",   [REQ_SCHEDULED] = "request.schedule",
        [REQ_ACTIVATING] = "request.start", [REQ_ACTIVE] = "request.active",
        [REQ_ENDING] = "request.ending",    [REQ_ENDED] = "request.end",
        [REQ_REVOKED] = "request.revoke",   [REQ_REJECTED] = "request.reject",
        [REQ_CANCELLED] = "request.cancel", [REQ_EXPIRED] = "request.expire",
        [REQ_FAILED] = "request.fail",
    };

    return put_audit(s, ACTIONS[r->state], by, r, "done", detail);
}

static void enter_scheduled(struct step *s, struct request *r)
{
    struct deadline start = {.wall = r->requested_start, .boot = {NEVER_US}};

    r->n_approvals = 0;
    set_due(s, r, r->requested_start.us > s->now.wall.us ? start : at_once(s->now));
}

void begin_window(struct step *s, struct request *r)
{
    r->active_from = s->now.wall;
    set_due(s, r, in_seconds(s->now, r->duration_s));
    r->active_until = r->due.wall;
}

/* So long AWS may take at most; the window begins anew with the first assignment. */
static void enter_activating(struct step *s, struct request *r)
{
    begin_window(s, r);
    if (has_aws(r))
        r->asked_aws = s->now.wall;
    ask_for_grants(r);
}

static void enter_ending(struct step *s, struct request *r)
{
    if (r->extension.for_s > 0)
        extension_close(s, r, "extension.expire", "");
    note_half_made(s, r);
    tell_grants(r, GRANT_ON_END);
    set_due(s, r, at_once(s->now));
}

static void enter_final(struct step *s, struct request *r)
{
    if (has_aws(r))
        wake_at(s->w, at_once(s->now)); /* an assignment may have waited for it to begin */
    tell_grants(r, GRANT_ON_END);
    tell_grants(r, GRANT_ON_GONE);
    r->ended_at = s->now.wall;
    r->due = NEVER;
}

/* Sessions that outlived an elevation of this person may go on under the new one. */
static void settle_overdue(struct step *s, uint32_t uid)
{
    for (struct request *r = NULL; (r = world_next_of(s->w, uid, r));)
        if (r->state == REQ_ENDING)
            set_due(s, r, at_once(s->now));
}

static void enter_active(struct step *s, struct request *r)
{
    note_credentials(r);
    settle_overdue(s, r->requester);
}

static void enter(struct step *s, struct request *r)
{
    if (request_state_final((enum request_state)r->state)) {
        enter_final(s, r);
    } else if (r->state == REQ_SCHEDULED) {
        enter_scheduled(s, r);
    } else if (r->state == REQ_ACTIVATING) {
        enter_activating(s, r);
    } else if (r->state == REQ_ACTIVE) {
        enter_active(s, r);
    } else { /* nothing comes back to pending */
        enter_ending(s, r);
    }
}

/* Of an elevation that is over: what was fetched under it works on for a while. */
static void audit_credentials(const struct step *s, const struct request *r, struct audit *a)
{
    struct wall until = request_credentials_until(r, s->now.wall);
    struct text detail = text_over(a->detail, sizeof a->detail);

    if (until.us <= s->now.wall.us)
        return;
    text_put(&detail, "credentials may live until ");
    text_put_utc(&detail, until.us);
}

static void note_revoker(struct request *r, const char *by)
{
    struct text name = text_over(r->revoked_by.text, sizeof r->revoked_by.text);

    text_put(&name, by[0] ? by : "policy");
}

enum move_kind move_request(struct step *s, struct request *r, enum request_event what,
                            const char *by)
{
    struct move m = request_move((enum request_state)r->state, what);
    struct audit *a;

    if (m.kind != MOVE_GO && m.kind != MOVE_FINISH)
        return m.kind;
    r->state = m.kind == MOVE_FINISH ? r->end_as : m.to;
    if (r->state == REQ_ENDING)
        r->end_as = m.end_as;
    if (m.to == REQ_REVOKED || m.end_as == REQ_REVOKED)
        note_revoker(r, by);
    enter(s, r);
    a = audit_state(s, r, r->state == REQ_REVOKED ? r->revoked_by.text : by,
                    what == REQ_ON_LAPSE ? "not eligible any more"
                    : by[0]              ? s->comment
                                         : "");
    if (m.kind == MOVE_FINISH)
        audit_credentials(s, r, a);
    put_request(s, r);
    if (request_state_final((enum request_state)r->state))
        world_remove_request(s->w, r);
    return (enum move_kind)m.kind;
}

/* ---- time ----------------------------------------------------------------------------------- */

/* How long to wait before asking again for somebody whom nobody could look up. */
enum { ASK_AGAIN_S = 10 };

/* The start time is there. Returns NULL if the request ended instead. */
static struct request *start(struct step *s, struct request *r)
{
    enum certainty eligible = still_eligible(s->w, r, r->duration_s);

    if (eligible == CERTAIN_NO || approval_missing(s->w, r)) {
        move_request(s, r, REQ_ON_LAPSE, "");
        return NULL;
    }
    if (eligible == UNCERTAIN) {
        set_due(s, r, in_seconds(s->now, ASK_AGAIN_S));
        put_request(s, r);
        return r;
    }
    move_request(s, r, REQ_ON_START, "");
    sync_activating(s, r);
    return r;
}

/* What AWS said last is the reason, as far as there is one. */
static void say_too_late(const struct step *s, struct request *r)
{
    struct text t = text_over(r->failure, sizeof r->failure);
    const struct errand *e = NULL;

    for (size_t i = 0; i < r->n_targets && !e; i++)
        if (r->grants[i].state == GRANT_OPENING)
            e = world_errand(s->w, r->grants[i].errand);
    text_put(&t, "AWS did not open it in time");
    if (e && e->trouble[0]) {
        text_put(&t, ": ");
        text_put_cut(&t, e->trouble);
    }
}

struct request *overtake(struct step *s, struct request *r)
{
    struct id id = r->id;

    if (r->extension.for_s > 0 && deadline_passed(r->extension.expires, s->now))
        extension_close(s, r, "extension.expire", "");
    if (!deadline_passed(r->due, s->now))
        return r;
    if (r->state == REQ_SCHEDULED)
        return start(s, r);
    if (r->state == REQ_PENDING) {
        move_request(s, r, REQ_ON_EXPIRY, "");
        return NULL;
    }
    if (r->state == REQ_ACTIVATING)
        say_too_late(s, r);
    if (r->state != REQ_ENDING)
        move_request(s, r, REQ_ON_WINDOW_END, "");
    try_finish(s, r);
    return world_request(s->w, id);
}

/* ---- what is open ---------------------------------------------------------------------------- */

struct target host_target(const struct world *w, int class)
{
    struct target t = {.kind = TARGET_HOST};

    memcpy(t.place, w->policy->host, sizeof t.place);
    memcpy(t.what, w->policy->classes[class], WORD_CAP);
    return t;
}

struct request *open_elevation(const struct world *w, uint32_t uid, const struct target *target,
                               struct now now)
{
    struct request *best = NULL;

    for (struct request *r = NULL; (r = world_next_of(w, uid, r));) {
        if (!request_open(r, now) || (best && r->active_until.us <= best->active_until.us))
            continue;
        for (size_t i = 0; i < r->n_targets; i++)
            if (r->grants[i].state == GRANT_OPEN && target_equal(&r->grants[i].target, target))
                best = r;
    }
    return best;
}

/* ---- extensions ----------------------------------------------------------------------------- */

void extension_close(struct step *s, struct request *r, const char *action, const char *by)
{
    r->extension = (struct extension){0};
    r->n_approvals = 0;
    put_audit(s, action, by, r, "done", by[0] ? s->comment : "");
    put_request(s, r);
}

void extension_grant(struct step *s, struct request *r, const char *by)
{
    int64_t us = r->extension.for_s * SECOND_US;
    struct audit *a;
    struct text detail;

    a = put_audit(s, "extension.grant", by, r, "done", "");
    detail = text_over(a->detail, sizeof a->detail);
    text_put(&detail, "longer by ");
    text_put_duration(&detail, (uint64_t)r->extension.for_s);
    r->duration_s += r->extension.for_s;
    r->extended_s += r->extension.for_s;
    r->due.wall.us += us;
    r->due.boot.us += us;
    r->active_until = r->due.wall;
    note_credentials(r);
    r->extension = (struct extension){0};
    r->n_approvals = 0;
    put_request(s, r);
}
