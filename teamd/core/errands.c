#include "core/step.h"

/* AWS grants and the assignments that they share. What an elevation wants is in its grants, what
 * AWS has is in the errands, and each pass brings the two together: nothing is called back, so
 * nothing can be forgotten over a restart. */

enum {
    LINGER_S = 5,    /* who begins so soon after another has ended goes on with its assignment */
    ASK_AGAIN_S = 10 /* for room in the outbox */
};

/* ---- errands -------------------------------------------------------------------------------- */

static void put_errand(struct step *s, const struct errand *e)
{
    emit(s, EFFECT_ERRAND)->errand = *e;
}

/* "aws:111122223333/Admin" and whose it is. */
static void audit_errand(struct step *s, const char *action, const struct errand *e,
                         const char *outcome)
{
    struct audit *a = put_audit(s, action, "", world_request(s->w, e->request), outcome,
                                e->trouble);
    struct text target = text_over(a->target, sizeof a->target);
    struct text detail = {.buf = a->detail, .cap = sizeof a->detail, .len = strlen(a->detail)};

    a->id = e->request;
    text_put(&target, "aws:");
    text_put(&target, e->account);
    text_put(&target, "/");
    text_put(&target, e->set_name);
    text_put(&detail, detail.len > 0 ? "; for user " : "for user ");
    text_put(&detail, e->user);
}

static void enter_errand(struct step *s, struct errand *e, enum errand_event what)
{
    static const char *const ACTIONS[ERRAND_STATES] = {
        [ERRAND_LOOKING] = "assignment.look",    [ERRAND_MAKING] = "assignment.make",
        [ERRAND_FOUND] = "assignment.found",     [ERRAND_THERE] = "assignment.made",
        [ERRAND_REMOVING] = "assignment.remove", [ERRAND_FAILED] = "assignment.fail",
        [ERRAND_OVER] = "assignment.gone",
    };
    bool failed = what == ERRAND_ON_FAILURE;

    e->since = s->now.wall;
    e->round++;
    if (!failed)
        e->trouble[0] = '\0'; /* what it waited for, it has waited for */
    audit_errand(s, failed ? "assignment.fail" : ACTIONS[e->state], e, failed ? "failed" : "done");
    put_errand(s, e);
}

/* Whoever wants it, or ends with it, looks again. */
static void stir(struct step *s)
{
    wake_at(s->w, at_once(s->now));
}

static void end_errand(struct step *s, struct errand *e)
{
    for (struct request *r = NULL; (r = world_next_of(s->w, e->uid, r));)
        if (r->state == REQ_ENDING)
            set_due(s, r, at_once(s->now));
    world_remove_errand(s->w, e);
    stir(s);
}

static void move_errand(struct step *s, struct errand *e, enum errand_event what)
{
    struct move m = errand_move((enum errand_state)e->state, what);

    if (m.kind != MOVE_GO)
        return;
    e->state = m.to;
    enter_errand(s, e, what);
    if (e->state == ERRAND_OVER)
        end_errand(s, e);
    else
        stir(s);
}

/* ---- who wants it --------------------------------------------------------------------------- */

static bool begins_soon(const struct step *s, const struct request *r)
{
    return r->state == REQ_SCHEDULED &&
           r->requested_start.us <= s->now.wall.us + LINGER_S * SECOND_US;
}

static bool same_assignment(const struct errand *e, const struct request *r, const struct grant *g)
{
    return strcmp(e->account, g->target.place) == 0 && strcmp(set_id(e->set), g->set) == 0 &&
           strcmp(e->user, r->aws_user) == 0;
}

static bool grant_wants(const struct step *s, const struct request *r, const struct grant *g,
                        const struct errand *e)
{
    if (g->state == GRANT_WAITING)
        return begins_soon(s, r) && same_assignment(e, r, g);
    return g->errand == e->number && (g->state == GRANT_OPENING || g->state == GRANT_OPEN);
}

static bool is_wanted(const struct step *s, const struct errand *e)
{
    for (struct request *r = NULL; (r = world_next_of(s->w, e->uid, r));)
        for (size_t i = 0; i < r->n_targets; i++)
            if (grant_is_aws(&r->grants[i]) && grant_wants(s, r, &r->grants[i], e))
                return true;
    return false;
}

/* ---- grants --------------------------------------------------------------------------------- */

static struct errand *errand_for(const struct step *s, const struct request *r,
                                 const struct grant *g)
{
    for (struct errand *e = NULL; (e = world_next_errand_of(s->w, r->requester, e));)
        if (same_assignment(e, r, g))
            return e;
    return NULL;
}

static struct errand *new_errand(struct step *s, const struct request *r, const struct grant *g,
                                 const char *set)
{
    struct errand fresh = {.number = s->w->last_errand + 1,
                           .state = ERRAND_LOOKING,
                           .uid = r->requester,
                           .request = r->id},
                  *e;
    struct text account = text_over(fresh.account, sizeof fresh.account);
    struct text arn = text_over(fresh.set, sizeof fresh.set);

    text_put(&account, g->target.place);
    text_put(&arn, set);
    memcpy(fresh.set_name, g->target.what, sizeof fresh.set_name);
    memcpy(fresh.user, r->aws_user, sizeof fresh.user);
    e = world_add_errand(s->w, &fresh);
    if (e)
        enter_errand(s, e, ERRAND_ON_ABSENT);
    else
        wake_at(s->w, in_seconds(s->now, ASK_AGAIN_S));
    return e;
}

/* Joins the assignment that there is, or has one made. Not while one is being removed: that ends
 * first. */
static void ask(struct step *s, struct request *r, struct grant *g)
{
    struct errand *e = errand_for(s, r, g);
    const struct dir_set *set;

    if (e && (e->state == ERRAND_REMOVING || e->state == ERRAND_FAILED))
        return;
    if (!e) {
        set = directory_set(s->w->directory, g->target.what);
        if (!set)
            return; /* until AWS has been read: it was there when the request was started */
        e = new_errand(s, r, g, dir_text(s->w->directory, set->arn));
    }
    if (!e)
        return;
    g->errand = e->number;
    put_request(s, r);
}

static void fail(struct request *r, struct grant *g, const char *why)
{
    struct text t = text_over(r->failure, sizeof r->failure);

    g->state = grant_move((enum grant_state)g->state, GRANT_ON_FAILURE).to;
    text_put_target(&t, &g->target);
    text_put(&t, ": ");
    text_put_cut(&t, why);
}

static void open_grant(struct step *s, struct request *r, struct grant *g)
{
    bool first = true;

    for (size_t i = 0; i < r->n_targets; i++)
        if (grant_is_aws(&r->grants[i]) && r->grants[i].state == GRANT_OPEN)
            first = false;
    g->state = grant_move((enum grant_state)g->state, GRANT_ON_GRANTED).to;
    if (first)
        begin_window(s, r); /* so that waiting for AWS takes nothing away */
    g->credentials_until.us = r->active_until.us + g->session_s * SECOND_US;
    put_request(s, r);
}

/* False: it cannot be had. */
static bool sync_opening(struct step *s, struct request *r, struct grant *g)
{
    const struct errand *e = world_errand(s->w, g->errand);

    if (!e) {
        ask(s, r, g);
        e = world_errand(s->w, g->errand);
    }
    if (!e)
        return true;
    if (e->state == ERRAND_FOUND || e->state == ERRAND_THERE) {
        open_grant(s, r, g);
    } else if (e->state == ERRAND_FAILED || e->state == ERRAND_REMOVING) {
        fail(r, g, e->trouble);
        return false;
    }
    return true;
}

void note_credentials(struct request *r)
{
    for (size_t i = 0; i < r->n_targets; i++)
        if (grant_is_aws(&r->grants[i]))
            r->grants[i].credentials_until.us = r->active_until.us +
                                                r->grants[i].session_s * SECOND_US;
}

void note_half_made(struct step *s, struct request *r)
{
    for (size_t i = 0; i < r->n_targets; i++) {
        struct grant *g = &r->grants[i];
        const struct errand *e = world_errand(s->w, g->errand);

        if (g->state == GRANT_OPENING && e && e->state != ERRAND_LOOKING)
            g->credentials_until.us = s->now.wall.us + g->session_s * SECOND_US;
    }
}

static bool all_open(const struct request *r)
{
    for (size_t i = 0; i < r->n_targets; i++)
        if (r->grants[i].state != GRANT_OPEN)
            return false;
    return true;
}

void sync_activating(struct step *s, struct request *r)
{
    for (size_t i = 0; r->state == REQ_ACTIVATING && i < r->n_targets; i++) {
        if (r->grants[i].state == GRANT_OPENING && !sync_opening(s, r, &r->grants[i])) {
            move_request(s, r, REQ_ON_GRANT_FAILED, "");
            return;
        }
    }
    if (r->state == REQ_ACTIVATING && all_open(r))
        move_request(s, r, REQ_ON_ALL_OPEN, "");
}

/* Closed is what AWS does not have any more, or another elevation has now. */
static void sync_closing(struct step *s, struct request *r, struct grant *g)
{
    const struct errand *e = world_errand(s->w, g->errand);

    if (e && !is_wanted(s, e))
        return;
    g->state = grant_move((enum grant_state)g->state, GRANT_ON_GONE).to;
    if (g->credentials_until.us > 0)
        g->credentials_until.us = s->now.wall.us + g->session_s * SECOND_US;
    put_request(s, r);
}

bool aws_is_left(struct step *s, struct request *r)
{
    bool left = false;

    for (size_t i = 0; i < r->n_targets; i++) {
        struct grant *g = &r->grants[i];
        const struct errand *e;

        if (!grant_is_aws(g))
            continue;
        if (g->state == GRANT_CLOSING)
            sync_closing(s, r, g);
        e = world_errand(s->w, g->errand);
        if (g->state == GRANT_CLOSING || (g->state == GRANT_FAILED && e && !is_wanted(s, e)))
            left = true;
    }
    return left;
}

bool has_aws(const struct request *r)
{
    for (size_t i = 0; i < r->n_targets; i++)
        if (grant_is_aws(&r->grants[i]))
            return true;
    return false;
}

/* ---- what the courier says ------------------------------------------------------------------ */

void pass_errands(struct step *s)
{
    struct errand *e;
    uint32_t at = 0;

    while (!s->out->more && (e = world_each_errand(s->w, &at))) {
        s->out->more = !step_room(s);
        if (!s->out->more && !is_wanted(s, e))
            move_errand(s, e, ERRAND_ON_UNWANTED);
    }
}

static void note_trouble(struct step *s, struct errand *e, const char *text)
{
    bool first = e->trouble[0] == '\0';
    struct text t = text_over(e->trouble, sizeof e->trouble);

    text_put_cut(&t, text);
    if (first)
        audit_errand(s, "assignment.wait", e, "noticed");
    put_errand(s, e);
}

/* What may be answered to what is asked in this state; LOST if it is no answer to that. */
static bool answers(const struct errand *e, enum errand_outcome outcome, enum errand_event *ret)
{
    static const struct {
        uint8_t state, outcome, event;
    } ANSWERS[] = {
        {ERRAND_LOOKING, OUTCOME_THERE, ERRAND_ON_FOUND},
        {ERRAND_LOOKING, OUTCOME_ABSENT, ERRAND_ON_ABSENT},
        {ERRAND_LOOKING, OUTCOME_FAILED, ERRAND_ON_FAILURE},
        {ERRAND_MAKING, OUTCOME_MADE, ERRAND_ON_MADE},
        {ERRAND_MAKING, OUTCOME_FAILED, ERRAND_ON_FAILURE},
        {ERRAND_FOUND, OUTCOME_THERE, ERRAND_ON_FOUND},
        {ERRAND_FOUND, OUTCOME_ABSENT, ERRAND_ON_ABSENT},
        {ERRAND_THERE, OUTCOME_THERE, ERRAND_ON_FOUND},
        {ERRAND_THERE, OUTCOME_ABSENT, ERRAND_ON_ABSENT},
        {ERRAND_REMOVING, OUTCOME_GONE, ERRAND_ON_GONE},
    };

    for (size_t i = 0; i < sizeof ANSWERS / sizeof ANSWERS[0]; i++)
        if (ANSWERS[i].state == e->state && ANSWERS[i].outcome == outcome) {
            *ret = (enum errand_event)ANSWERS[i].event;
            return true;
        }
    return false;
}

void on_result(struct step *s, const struct event *ev)
{
    struct errand *e = world_errand(s->w, ev->result.errand);
    enum errand_outcome outcome = (enum errand_outcome)ev->result.outcome;
    enum errand_event what;

    if (!e || e->round != ev->result.round) {
        reply_say(s, REPLY_NOT_FOUND, "nobody waits for that any more");
    } else if (outcome == OUTCOME_WAITS) {
        note_trouble(s, e, ev->result.text);
    } else if (!answers(e, outcome, &what)) {
        reply_say(s, REPLY_USAGE, "that is no answer to what was asked");
    } else {
        if (what == ERRAND_ON_FAILURE) {
            struct text t = text_over(e->trouble, sizeof e->trouble);

            text_put_cut(&t, ev->result.text);
        }
        move_errand(s, e, what);
    }
}

void on_directory(struct step *s, const struct event *ev)
{
    struct request *r;
    uint32_t at = 0;

    world_set_directory(s->w, ev->directory);
    while ((r = world_each_request(s->w, &at)))
        world_check_again(s->w, r);
}
