#include "core/step.h"

/* The gate: may this person use this service on this host now? */

enum { NAMES_MAX = 16 };

/* ---- who asks ------------------------------------------------------------------------------- */

bool identity_ok(const struct policy *p, const struct actor *a, enum identity_need need,
                 char why[static 200])
{
    struct text t = text_over(why, 200);

    if (a->uid == 0)
        return true;
    if (a->loginuid == NOBODY) {
        if (need == IDENTITY_READ || p->loginuid == LOGINUID_CHECK)
            return true;
        text_put(
            &t,
            "your login uid is not set, so nobody can tell who logged in; pam_loginuid sets it, "
            "or an admin allows it with identity.loginuid = \"check\"");
        return false;
    }
    if (a->loginuid != a->uid) {
        text_put(&t, "you are uid ");
        text_put_u64(&t, a->uid);
        text_put(&t, " but logged in as uid ");
        text_put_u64(&t, a->loginuid);
        text_put(&t, "; log in as yourself");
        return false;
    }
    if (need == IDENTITY_DECIDE && a->in_session) {
        text_put(&t, "who is elevated does not ask or decide; do it from your own login");
        return false;
    }
    return true;
}

/* sudo and su speak for their real uid; the others for PAM_USER, whose login is only beginning. */
static bool class_elevates(int class)
{
    return class == CLASS_SUDO || class == CLASS_SU;
}

bool gate_logs_in(const struct policy *p, const struct gate_ask *ask)
{
    return !class_elevates(policy_class(p, ask->service));
}

static bool is_polkit(const char *service)
{
    return strcmp(service, "polkit-1") == 0;
}

int gate_class_in_place(const struct policy *p, const char *service)
{
    int class = policy_class(p, service);

    return class_elevates(class) && !is_polkit(service) ? class : CLASS_NONE;
}

const char *gate_speaks_for(const struct policy *p, const struct gate_ask *ask)
{
    int class = policy_class(p, ask->service);

    if (!class_elevates(class))
        return ask->user;
    if (class == CLASS_SUDO && ask->actor.uid == 0 && ask->ruser[0] != '\0' &&
        strcmp(ask->ruser, "root") != 0)
        return ask->ruser;
    return NULL;
}

uint32_t gate_subject(const struct policy *p, const struct gate_ask *ask)
{
    return gate_speaks_for(p, ask) ? ask->named_uid : ask->actor.uid;
}

/* ---- the decision --------------------------------------------------------------------------- */

/* Why it is yes; NULL elevation with `yes` is root or an exempt person. */
struct verdict {
    bool yes;
    const struct request *elevation;
    const char *as; /* for the trail: "elevation", "root", "exempt" */
    int class;      /* of the service, by the policy of this moment */
    uint32_t subject;
    const struct session *parent; /* root's, inside a container: whose it is then */
};

/* Root is root already in sudo and su, and has to get in at the console to repair the rest. Not so
 * in polkit: its helpers may run as root for anybody. */
static bool root_passes(const struct gate_ask *ask, const struct verdict *v)
{
    return v->subject == 0 && (class_elevates(v->class) || v->class == CLASS_LOGIN) &&
           !is_polkit(ask->service);
}

static bool identity_passes(const struct world *w, const struct gate_ask *ask,
                            const struct verdict *v, bool opening, struct text *why)
{
    char reason[200];

    if (class_elevates(v->class)) {
        struct actor subject = ask->actor;

        subject.uid = v->subject;
        if (identity_ok(w->policy, &subject, IDENTITY_GATE, reason))
            return true;
        text_put(why, reason);
        return false;
    }
    if (opening && ask->actor.loginuid != NOBODY && ask->actor.loginuid != v->subject) {
        text_put(why, "the login uid is that of somebody else");
        return false;
    }
    return true;
}

/* sudo as root on behalf of nobody, in somebody's login: `sudo -e` where sudoers keeps PAM_RUSER
 * back. */
static bool hides_who_runs_it(const struct gate_ask *ask, const struct verdict *v)
{
    return v->class == CLASS_SUDO && v->subject == 0 && ask->ruser[0] == '\0' &&
           ask->actor.loginuid != NOBODY && ask->actor.loginuid != 0;
}

/* Is this a question that can be answered at all? */
static bool makes_sense(const struct gate_ask *ask, const struct verdict *v, struct text *why)
{
    if (v->class == CLASS_NONE) {
        text_put(why, "teamd knows no service ");
        text_put(why, ask->service);
        text_put(why, "; an admin can add it to gate.classes");
    } else if (ask->user_reserved) {
        text_put(why, "nobody becomes a service account of teamd");
    } else if (v->subject == NOBODY) {
        text_put(why, "this host does not know who you are; try again");
    } else if (hides_who_runs_it(ask, v)) {
        text_put(why, "sudo does not say who runs it (pam_ruser is off in sudoers)");
    }
    return why->len == 0;
}

static struct verdict decide(const struct world *w, const struct gate_ask *ask, struct now now,
                             bool opening, struct text *why)
{
    struct verdict v = {.as = "elevation",
                        .class = policy_class(w->policy, ask->service),
                        .subject = gate_subject(w->policy, ask)};
    const struct person *who;
    struct target target;

    if (!makes_sense(ask, &v, why))
        return v;
    if (root_passes(ask, &v)) {
        v.as = "root";
        v.yes = true;
        return v;
    }
    if (!identity_passes(w, ask, &v, opening, why))
        return v;
    who = world_person(w, v.subject);
    if (who && policy_exempt(w->policy, who, v.class)) {
        v.as = "exempt";
        v.yes = true;
        return v;
    }
    target = host_target(w, v.class);
    v.elevation = open_elevation(w, v.subject, &target, now);
    v.yes = v.elevation != NULL;
    return v;
}

/* ---- what to do next ------------------------------------------------------------------------ */

/* The person's request for this target that is on its way, the one nearest to access first. */
static const struct request *on_its_way(const struct world *w, uint32_t uid, const struct target *t)
{
    const struct request *best = NULL;

    for (const struct request *r = NULL; (r = world_next_of(w, uid, r));) {
        if (r->state > REQ_ACTIVATING || (best && best->state >= r->state))
            continue;
        for (size_t i = 0; i < r->n_targets; i++)
            if (target_equal(&r->grants[i].target, t))
                best = r;
    }
    return best;
}

static void say_on_its_way(const struct world *w, const struct request *r, struct now now,
                           struct text *t)
{
    const struct person *people[NAMES_MAX];

    text_put(t, "request ");
    text_put_id(t, r->id.bits);
    if (r->state == REQ_PENDING) {
        text_put(t, " is waiting for ");
        text_put_people(t, people, waiting_for(w, r, people, NAMES_MAX));
    } else if (r->state == REQ_SCHEDULED) {
        text_put(t, " is approved and starts in ");
        text_put_left(t, now.wall, r->requested_start);
    } else {
        text_put(t, " is being activated; try again in a moment");
    }
}

/* What the person could do about it: wait for a request, or make one. */
struct next_step {
    const struct request *request; /* that is on its way */
    bool askable;
    int64_t longest_s; /* then: the most that it could be for; 0: not known */
};

static void say_what_to_type(const struct world *w, const char *class, int64_t longest_s,
                             struct text *t)
{
    enum { USUAL_S = 3600 };

    text_put(t, "no active elevation for ");
    text_put(t, class);
    text_put(t, " on ");
    text_put(t, w->policy->host);
    text_put(t, "; run: teamctl request ");
    text_put(t, class);
    text_put(t, " --for ");
    text_put_duration(t, (uint64_t)(longest_s > 0 && longest_s < USUAL_S ? longest_s : USUAL_S));
    text_put(t, " --reason \"...\"");
}

static struct next_step say_next_step(const struct world *w, const struct verdict *v,
                                      struct now now, struct text *t)
{
    const struct person *who = world_person(w, v->subject);
    struct target target = host_target(w, v->class);
    struct next_step next = {.request = on_its_way(w, v->subject, &target)};
    struct eligible eligible = {.covered = true};
    const char *class = w->policy->classes[v->class];

    if (next.request) {
        say_on_its_way(w, next.request, now, t);
        return next;
    }
    if (who)
        eligible = policy_eligible(w->policy, w->directory, who, &target, 1);
    if (!eligible.covered) {
        text_put(t, "no policy lets you have ");
        text_put(t, class);
        text_put(t, " on ");
        text_put(t, w->policy->host);
        text_put(t, "; see what you may ask for: teamctl targets");
        return next;
    }
    next.askable = true;
    next.longest_s = eligible.max_s;
    say_what_to_type(w, class, next.longest_s, t);
    return next;
}

/* In sudo and su the person is there and can be asked: to wait, or for a reason. */
static void offer(const struct world *w, const struct gate_ask *ask, const struct next_step *next,
                  struct reply *reply)
{
    char why[200];

    if (gate_class_in_place(w->policy, ask->service) == CLASS_NONE)
        return;
    if (next->request) {
        reply->id = next->request->id;
    } else if (next->askable && identity_ok(w->policy, &ask->actor, IDENTITY_DECIDE, why)) {
        reply->needs = w->policy->require_ticket ? NEEDS_TICKET : NEEDS_REASON;
        reply->longest_s = next->longest_s;
    }
}

struct reply gate_account(const struct world *w, const struct gate_ask *ask, struct now now)
{
    struct reply reply = {.code = REPLY_REFUSED};
    struct text why = text_over(reply.text, sizeof reply.text);
    struct verdict v = decide(w, ask, now, false, &why);

    if (v.yes) {
        reply.code = REPLY_DONE;
    } else if (why.len == 0) {
        struct next_step next = say_next_step(w, &v, now, &why);

        offer(w, ask, &next, &reply);
    }
    if (v.elevation)
        reply.id = v.elevation->id;
    return reply;
}

/* ---- sessions ------------------------------------------------------------------------------- */

static void copy_text(char *out, size_t cap, const char *s)
{
    text_make_plain(out, cap, s, strlen(s));
}

/* A session that root opens inside somebody's container is that person's, under the same elevation.
 */
static struct session new_session(const struct step *s, const struct gate_ask *ask,
                                  const struct verdict *v)
{
    bool has_scope = v->elevation && !class_elevates(v->class) && ask->scope[0] != '\0';
    struct session n = {
        .number = s->w->last_session + 1,
        .request = v->elevation ? v->elevation->id : (struct id){0},
        .uid = v->parent ? v->parent->uid : v->subject,
        .user = v->parent ? v->parent->user : actor_name(s->w, v->subject),
        .class = (uint8_t)v->class,
        .contained = v->elevation && (ask->containable || has_scope),
        .parent = ask->parent,
        .leader = ask->leader,
        .loginuid = ask->actor.loginuid,
        .audit_session = ask->audit_session,
        .started_at = s->now.wall,
    };

    n.state = n.contained && !has_scope ? SESSION_OPENING : SESSION_LIVE;
    copy_text(n.service, sizeof n.service, ask->service);
    copy_text(n.target_user.text, sizeof n.target_user.text, ask->user);
    copy_text(n.tty, sizeof n.tty, ask->tty);
    copy_text(n.rhost, sizeof n.rhost, ask->rhost);
    if (class_elevates(v->class))
        copy_text(n.command, sizeof n.command, ask->command);
    if (has_scope) {
        copy_text(n.scope, sizeof n.scope, ask->scope);
        n.scope_number = ask->scope_number;
    }
    return n;
}

static uint32_t sessions_of(const struct world *w, uint32_t uid)
{
    uint32_t n = 0;

    for (const struct session *x = NULL; (x = world_next_session_of(w, uid, x));)
        n++;
    return n;
}

/* `opened`: the session that came of it; NULL if none did, and `why`. */
static void audit_gate(struct step *s, const char *action, const struct gate_ask *ask,
                       const struct verdict *v, const struct session *opened, const char *why)
{
    struct name by = actor_name(s->w, v->subject);
    struct audit *a = put_audit(s, action, by.text, v->elevation, v->yes ? "yes" : "no", "");
    struct text target = text_over(a->target, sizeof a->target);
    struct text detail = text_over(a->detail, sizeof a->detail);
    char user[NAME_CAP];

    copy_text(user, sizeof user, ask->user);
    text_put(&target, "host:");
    text_put(&target, s->w->policy->host);
    text_put(&target, "/");
    text_put(&target, v->class == CLASS_NONE ? ask->service : s->w->policy->classes[v->class]);
    text_put(&detail, "service ");
    text_put(&detail, ask->service);
    if (user[0]) {
        text_put(&detail, " for ");
        text_put(&detail, user);
    }
    text_put(&detail, opened ? ", by " : ", ");
    text_put(&detail, opened ? v->as : why);
    if (opened) {
        text_put(&detail, ", session ");
        text_put_u64(&detail, opened->number);
    }
    if (opened && opened->command[0]) {
        text_put(&detail, ", own words: ");
        text_put(&detail, opened->command);
    }
}

/* Root in there can take on any login uid; who has another one than the session began with is not
 * believed to be who they say. */
static bool comes_from_elsewhere(const struct gate_ask *ask, const struct verdict *v,
                                 const struct session *parent)
{
    return class_elevates(v->class) && v->subject != 0 && parent->loginuid != NOBODY &&
           ask->actor.loginuid != parent->loginuid;
}

/* What is opened inside a container of a session lives with it: nothing is when that elevation is
 * over, and root is who came in by it. */
static void join_parent(const struct step *s, const struct gate_ask *ask, struct verdict *v,
                        struct text *why)
{
    const struct session *parent = ask->parent ? world_session(s->w, ask->parent) : NULL;
    const struct request *r = parent ? world_request(s->w, parent->request) : NULL;

    if (!parent || parent->request.bits == 0)
        return;
    if (parent->state > SESSION_CLOSING || !r || !request_open(r, s->now)) {
        text_put(why, "the elevation of this session has ended");
        v->yes = false;
    } else if (comes_from_elsewhere(ask, v, parent)) {
        text_put(why, "this is inside a session of ");
        text_put(why, parent->user.text);
        text_put(why, ", with another login uid; log in anew");
        v->yes = false;
    } else if (v->subject == 0) {
        v->parent = parent;
        v->elevation = r;
        v->as = "the elevation of its session";
    }
}

static bool room_for_session(const struct step *s, const struct gate_ask *ask,
                             const struct verdict *v, struct text *why)
{
    uint32_t whose = v->parent ? v->parent->uid : v->subject;

    if (sessions_of(s->w, whose) < SESSIONS_PER_PERSON && s->w->n_sessions < WORLD_SESSIONS)
        return true;
    text_put(why, "too many sessions are open; close some");
    if (root_passes(ask, v) && !v->parent)
        text_put(why, " (root's own gets no answer and no record)");
    return false;
}

void on_open(struct step *s, const struct event *ev)
{
    const struct gate_ask *ask = ev->open;
    struct text why = reply_text(s, REPLY_REFUSED);
    struct verdict v = decide(s->w, ask, s->now, true, &why);
    struct session fresh, *session;

    if (v.yes)
        join_parent(s, ask, &v, &why);
    if (v.yes && !room_for_session(s, ask, &v, &why)) {
        s->out->reply.unrecorded = root_passes(ask, &v) && !v.parent;
        v.yes = false;
    }
    if (!v.yes) {
        if (why.len == 0)
            (void)say_next_step(s->w, &v, s->now, &why);
        audit_gate(s, "session.open", ask, &v, NULL, s->out->reply.text);
        return;
    }
    fresh = new_session(s, ask, &v);
    session = world_add_session(s->w, &fresh);
    session_enter(s, session);
    put_session(s, session);
    audit_gate(s, "session.open", ask, &v, session, "");
    s->out->reply.code = REPLY_DONE;
    s->out->reply.session = session->number;
    s->out->reply.contain = session->state == SESSION_OPENING;
    s->out->reply.id = session->request;
}
