#include "core/step.h"

/* How sessions end when their elevation does: told, given the grace, killed, and killed again until
 * nothing is left (DESIGN.md 4). What has to be done is an effect; what came of it is an event. */

enum {
    KILL_AGAIN_S = 1,
    KILLS_UNTIL_STUCK = 5,
    STUCK_AGAIN_S = 5,
};

/* ---- into a state -----------------------------------------------------------------------------
 */

static void set_session_due(struct step *s, struct session *session, int64_t seconds)
{
    session->due = in_seconds(s->now, seconds);
    wake_at(s->w, session->due);
}

static void audit_by(struct step *s, const char *action, const struct session *session,
                     const char *by, const char *outcome, const char *more)
{
    const struct request *r = world_request(s->w, session->request);
    struct audit *a = put_audit(s, action, by, r, outcome, "");
    struct text detail = text_over(a->detail, sizeof a->detail);

    text_put(&detail, "session ");
    text_put_u64(&detail, session->number);
    text_put(&detail, more);
}

/* What the person has done, or was. */
static void audit_session(struct step *s, const char *action, const struct session *session,
                          const char *outcome, const char *more)
{
    audit_by(s, action, session, session->user.text, outcome, more);
}

/* What is done to the session, by who revoked its elevation, or by teamd itself. */
static void audit_end(struct step *s, const char *action, const struct session *session,
                      const char *outcome)
{
    const struct request *r = world_request(s->w, session->request);

    audit_by(s, action, session, r ? r->revoked_by.text : "", outcome, "");
}

void session_enter(struct step *s, struct session *session)
{
    session->due = NEVER;
    if (session->state == SESSION_OPENING) {
        set_session_due(s, session, SESSION_CONFIRM_WITHIN_S);
    } else if (session->state == SESSION_TERMINATING) {
        set_session_due(s, session, s->w->policy->grace_s);
        put_act(s, ACT_TERM, session, 0);
        audit_end(s, "session.terminate", session, "done");
    } else if (session->state == SESSION_KILLING) {
        session->kills = 1;
        set_session_due(s, session, KILL_AGAIN_S);
        put_act(s, ACT_KILL, session, 0);
        audit_end(s, "session.kill", session, "done");
    } else if (session->state == SESSION_STUCK) {
        set_session_due(s, session, STUCK_AGAIN_S);
        put_act(s, ACT_KILL, session, 0);
        audit_end(s, "session.stuck", session, "failed");
    }
}

void change_session(struct step *s, struct session *session, enum session_event what)
{
    struct move m = session_move((enum session_state)session->state, what);

    if (m.kind != MOVE_GO)
        return;
    session->state = m.to;
    session_enter(s, session);
    put_session(s, session);
}

/* ---- time -------------------------------------------------------------------------------------
 */

static void kill_again(struct step *s, struct session *session)
{
    if (session->state == SESSION_KILLING && session->kills >= KILLS_UNTIL_STUCK) {
        change_session(s, session, SESSION_ON_STILL_THERE);
        return;
    }
    if (session->kills < UINT8_MAX)
        session->kills++;
    set_session_due(s, session, session->state == SESSION_STUCK ? STUCK_AGAIN_S : KILL_AGAIN_S);
    put_act(s, ACT_KILL, session, 0);
}

void session_overtake(struct step *s, struct session *session)
{
    if (!deadline_passed(session->due, s->now))
        return;
    if (session->state == SESSION_OPENING || session->state == SESSION_TERMINATING)
        change_session(s, session, SESSION_ON_GRACE_OVER);
    else
        kill_again(s, session);
}

/* ---- sessions of an elevation that ends -------------------------------------------------------
 */

/* The elevation that this session may go on under, the one that ends last. */
static struct request *covering(const struct step *s, const struct session *session)
{
    int class = policy_class(s->w->policy, session->service); /* as it is called now */
    struct target target;

    if (class == CLASS_NONE)
        return NULL;
    target = host_target(s->w, class);
    return open_elevation(s->w, session->uid, &target, s->now);
}

/* A session goes on under another elevation of the person if there is one: access is the union of
 * windows. Not once the killing has begun. True if it is off the request. */
static bool hand_over(struct step *s, struct session *session)
{
    struct request *other = session->state < SESSION_KILLING ? covering(s, session) : NULL;

    if (!other) {
        change_session(s, session, SESSION_ON_ACCESS_LOST);
        return false;
    }
    session->request = other->id;
    put_session(s, session);
    change_session(s, session, SESSION_ON_ACCESS_BACK);
    put_audit(s, "session.move", "", other, "done", "the elevation it began under has ended");
    return true;
}

void try_finish(struct step *s, struct request *r)
{
    bool left = false;

    if (r->state != REQ_ENDING)
        return;
    for (struct session *session = NULL;
         (session = world_next_session_of(s->w, r->requester, session));) {
        if (session->request.bits != r->id.bits)
            continue;
        if (!step_room(s)) {
            set_due(s, r, at_once(s->now));
            s->out->more = true;
            return;
        }
        if (!hand_over(s, session))
            left = true;
    }
    if (aws_is_left(s, r) || left)
        r->due = NEVER; /* that nothing is left of a session or in AWS is an event of its own */
    else
        move_request(s, r, REQ_ON_ALL_CLOSED, "");
}

/* ---- warnings ---------------------------------------------------------------------------------
 */

/* When the effects are full the next step goes on; who was told of this moment is not told again.
 */
static void warn_sessions(struct step *s, const struct request *r, struct wall moment)
{
    int64_t left_s = (r->due.wall.us - s->now.wall.us + SECOND_US - 1) / SECOND_US;

    for (struct session *session = NULL;
         (session = world_next_session_of(s->w, r->requester, session));) {
        if (session->request.bits != r->id.bits || session->warned.us == moment.us ||
            covering(s, session) != r)
            continue;
        if (!step_room(s)) {
            s->out->more = true;
            return;
        }
        session->warned = moment;
        put_act(s, ACT_WARN, session, left_s);
    }
}

void warn_before_end(struct step *s, const struct request *r, struct wall since)
{
    struct wall moment = {0}; /* the latest that has come */

    if (r->state != REQ_ACTIVE)
        return;
    for (size_t i = 0; i < s->w->policy->n_warn; i++) {
        struct wall at = {r->due.wall.us - s->w->policy->warn_s[i] * SECOND_US};

        if (at.us > s->now.wall.us)
            wake_at(s->w, (struct deadline){at, {NEVER_US}});
        else if (at.us > since.us && at.us > r->active_from.us)
            moment = at; /* they ascend: the longest before the end comes first */
    }
    if (moment.us > 0)
        warn_sessions(s, r, moment);
}

/* ---- what the host says -----------------------------------------------------------------------
 */

static bool same_leader(const struct leader *a, const struct leader *b)
{
    return a->pid == b->pid && a->start_ticks == b->start_ticks;
}

/* The session whose leader this is: by the container that it is in, or among the person's. */
static struct session *led_by(const struct step *s, const struct event *ev)
{
    struct session *session = world_session(s->w, ev->process.session);

    if (session)
        return same_leader(&session->leader, &ev->process.leader) ? session : NULL;
    while ((session = world_next_session_of(s->w, ev->actor.uid, session)))
        if (same_leader(&session->leader, &ev->process.leader))
            return session;
    return NULL;
}

void on_close(struct step *s, const struct event *ev)
{
    struct session *session = led_by(s, ev);

    if (session)
        change_session(s, session, SESSION_ON_CLOSE);
}

void on_confirm(struct step *s, const struct event *ev)
{
    struct session *session = world_session(s->w, ev->process.session);
    const struct request *r;

    if (!session || !same_leader(&session->leader, &ev->process.leader)) {
        reply_say(s, REPLY_REFUSED, "no such session");
        return;
    }
    r = world_request(s->w, session->request);
    if (session->state > SESSION_LIVE || !r || !request_open(r, s->now)) {
        reply_say(s, REPLY_REFUSED, "the elevation has ended");
        return;
    }
    if (!ev->process.in_place) {
        reply_say(s, REPLY_REFUSED, "the process is not in its container");
        audit_session(s, "session.confirm", session, "refused", "");
        return;
    }
    change_session(s, session, SESSION_ON_CONFIRM);
    s->out->reply.session = session->number;
}

void on_escape(struct step *s, const struct event *ev)
{
    struct session *session = world_session(s->w, ev->session);

    if (!session || session->escaped)
        return;
    session->escaped = true;
    put_session(s, session);
    audit_session(s, "session.escape", session, "noticed",
                  ev->too_many ? ": it has more processes than can be looked at" : "");
}

static enum session_end how_it_ended(const struct session *session, enum session_event what)
{
    if (what == SESSION_ON_NOT_FOUND)
        return SESSION_END_LOST;
    if (session->state < SESSION_TERMINATING)
        return SESSION_END_EXITED;
    return session->state == SESSION_TERMINATING ? SESSION_END_TERMINATED : SESSION_END_KILLED;
}

void on_gone(struct step *s, const struct event *ev, enum session_event what)
{
    struct session *session = world_session(s->w, ev->session);
    struct request *r;
    struct audit *a;
    struct text detail;

    if (!session)
        return;
    r = world_request(s->w, session->request);
    a = put_audit(s, "session.end", session->user.text, r, "done", "");
    detail = text_over(a->detail, sizeof a->detail);
    text_put(&detail, "session ");
    text_put_u64(&detail, session->number);
    session->end = (uint8_t)how_it_ended(session, what);
    text_put(&detail, session->end == SESSION_END_EXITED ? "" : ", ");
    text_put(&detail, session->end == SESSION_END_EXITED ? "" : session_end_text(session->end));
    text_put(&detail, session->end == SESSION_END_LOST ? ": it was gone after a restart" : "");
    session->state = session_move((enum session_state)session->state, what).to;
    session->ended_at = s->now.wall;
    put_session(s, session);
    world_remove_session(s->w, session);
    if (r)
        try_finish(s, r);
}
