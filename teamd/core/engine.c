#include "core/step.h"

struct deadline engine_wake(const struct world *w)
{
    return w->wake;
}

/* Looks at a noted request again: only a certain "not eligible any more" changes anything. False if
 * the request is on its way out by that: then it is gone, or `ending` and due for the next pass. */
static bool check_eligibility(struct step *s, struct request *r)
{
    return !world_take_check(s->w, r) || still_eligible(s->w, r, r->duration_s) != CERTAIN_NO ||
           move_request(s, r, REQ_ON_LAPSE, "") != MOVE_GO;
}

static void pass_requests(struct step *s, struct wall since)
{
    struct request *r;
    uint32_t at = 0;

    while (!s->out->more && (r = world_each_request(s->w, &at))) {
        s->out->more = !step_room(s);
        if (s->out->more || !check_eligibility(s, r) || !(r = overtake(s, r)))
            continue;
        sync_activating(s, r);
        warn_before_end(s, r, since);
        wake_at(s->w, r->due);
        if (r->extension.for_s > 0)
            wake_at(s->w, r->extension.expires);
    }
}

static void pass_sessions(struct step *s)
{
    struct session *session;
    uint32_t at = 0;

    while (!s->out->more && (session = world_each_session(s->w, &at))) {
        s->out->more = !step_room(s);
        if (s->out->more)
            continue;
        session_overtake(s, session);
        wake_at(s->w, session->due);
    }
}

/* One pass over what may change by itself, until the effects are full; then the next step goes on.
 */
static void pass(struct step *s)
{
    struct wall since = s->w->last_pass;

    if (since.us > s->now.wall.us)
        since = s->now.wall; /* the clock stepped back */
    s->w->wake = (struct deadline){{NEVER_US}, {NEVER_US}};
    pass_requests(s, since);
    pass_errands(s);
    pass_sessions(s);
    if (s->out->more)
        s->w->wake = at_once(s->now);
    else
        s->w->last_pass = s->now.wall;
}

/* What these facts mean for live requests is decided with the next tick: the facts themselves are
 * true whether or not anything can be committed now. */
static void look_at_all(struct step *s)
{
    s->w->wake = at_once(s->now);
    s->out->more = true;
}

static void on_person(struct step *s, const struct person *who)
{
    if (!world_learn(s->w, who)) {
        reply_say(s, REPLY_FAILED, "teamd has no room for more people");
        return;
    }
    for (struct request *r = NULL; (r = world_next_of(s->w, who->uid, r));)
        world_check_again(s->w, r);
    look_at_all(s);
}

static void on_policy(struct step *s, const struct event *ev)
{
    struct request *r;
    uint32_t at = 0;

    world_forget_people(s->w);
    world_set_policy(s->w, ev->policy.policy);
    for (size_t i = 0; i < ev->policy.n_people; i++)
        world_learn(s->w, &ev->policy.people[i]);
    while ((r = world_each_request(s->w, &at)))
        world_check_again(s->w, r);
    look_at_all(s);
    if (ev->policy.by)
        put_audit(s, "policy.load", ev->policy.by, NULL, "done", s->w->policy->hash);
}

void engine_step(struct world *w, const struct event *ev, struct now now, struct effects *out)
{
    struct step s = {.w = w, .now = now, .out = out, .comment = ""};

    out->reply = (struct reply){.code = REPLY_DONE};
    out->more = false;
    out->n = 0;
    switch (ev->kind) {
    case EV_SUBMIT:
        on_submit(&s, ev);
        break;
    case EV_DECIDE:
        on_decide(&s, ev);
        break;
    case EV_CANCEL:
        on_cancel(&s, ev);
        break;
    case EV_REVOKE:
        on_revoke(&s, ev);
        break;
    case EV_EXTEND:
        on_extend(&s, ev);
        break;
    case EV_TICK:
        pass(&s);
        break;
    case EV_PERSON:
        on_person(&s, ev->person);
        break;
    case EV_POLICY:
        on_policy(&s, ev);
        break;
    case EV_OPEN:
        on_open(&s, ev);
        break;
    case EV_CLOSE:
        on_close(&s, ev);
        break;
    case EV_GONE:
        on_gone(&s, ev, SESSION_ON_GONE);
        break;
    case EV_NOT_FOUND:
        on_gone(&s, ev, SESSION_ON_NOT_FOUND);
        break;
    case EV_CONFIRM:
        on_confirm(&s, ev);
        break;
    case EV_ESCAPE:
        on_escape(&s, ev);
        break;
    case EV_DIRECTORY:
        on_directory(&s, ev);
        look_at_all(&s);
        break;
    case EV_RESULT:
        on_result(&s, ev);
        break;
    case EV_ADMIN:
        on_admin(&s, ev);
        break;
    }
}
