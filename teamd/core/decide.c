#include "core/step.h"

/* Deciding about a request that is there: approve, reject, cancel, revoke. */

enum { NAMES_MAX = 16 };

bool identity_allows(struct step *s, const struct event *ev)
{
    char why[200];

    if (ev->actor.uid == 0) {
        reply_say(
            s, REPLY_REFUSED,
            "root is nobody in particular, and can neither ask nor decide; do it as yourself");
        return false;
    }
    if (!identity_ok(s->w->policy, &ev->actor, IDENTITY_DECIDE, why)) {
        reply_say(s, REPLY_REFUSED, why);
        return false;
    }
    if (!world_person(s->w, ev->actor.uid)) {
        reply_say(s, REPLY_REFUSED, "this host does not know your uid, so no policy can name you");
        return false;
    }
    return true;
}

static const struct request *after_time(struct step *s, const struct event *ev)
{
    struct request *r = world_request(s->w, ev->id);

    if (!r)
        return ev->history;
    r = overtake(s, r);
    return r ? r : s->written; /* gone by that */
}

const struct request *subject(struct step *s, const struct event *ev, enum identity_need need)
{
    const struct request *r = after_time(s, ev);
    char why[200];

    if (!identity_ok(s->w->policy, &ev->actor, need, why)) {
        reply_say(s, REPLY_REFUSED, why);
        refuse(s, "identity.check", ev, NULL);
        return NULL;
    }
    if (!r || !may_see(s->w, ev->actor.uid, r, false)) {
        reply_say(s, REPLY_NOT_FOUND, "no such request, or not yours to see");
        return NULL;
    }
    reply_about(s, r);
    return r;
}

/* ---- approve and reject --------------------------------------------------------------------- */

static void say_own(struct step *s, const struct request *r)
{
    const struct person *people[NAMES_MAX];
    size_t n = waiting_for(s->w, r, people, NAMES_MAX);
    struct text to = reply_text(s, REPLY_REFUSED);

    text_put(&to, "it is your own request; somebody else has to decide it");
    if (n > 0) {
        text_put(&to, " (");
        text_put_people(&to, people, n);
        text_put(&to, " could)");
    }
}

static bool decider_allowed(struct step *s, const struct event *ev, const struct request *r)
{
    if (!identity_allows(s, ev))
        return false;
    if (r->requester == ev->actor.uid) {
        say_own(s, r);
        return false;
    }
    if (!approves_any_target(s->w, r, ev->actor.uid)) {
        reply_say(s, REPLY_REFUSED, "no approver policy lets you decide it");
        return false;
    }
    return true;
}

static void reject(struct step *s, const struct event *ev, struct request *r, enum about about)
{
    struct name by = actor_name(s->w, ev->actor.uid);

    put_decision(s, r, ev->actor.uid, false, about, ev->decide.comment);
    s->comment = ev->decide.comment;
    if (about == ABOUT_EXTENSION) {
        extension_close(s, r, "extension.reject", by.text);
        reply_say(s, REPLY_DONE, "extension rejected");
    } else {
        move_request(s, r, REQ_ON_REJECT, by.text);
        reply_say(s, REPLY_DONE, "rejected");
    }
}

static void say_still_waiting(struct step *s, const struct request *r)
{
    const struct person *people[NAMES_MAX];
    struct text to = reply_text(s, REPLY_DONE);

    text_put(&to, "approved by you; still waiting for ");
    text_put_people(&to, people, waiting_for(s->w, r, people, NAMES_MAX));
}

static void say_approved(struct step *s, const struct request *r, enum about about)
{
    struct text to = reply_text(s, REPLY_DONE);

    if (about == ABOUT_EXTENSION) {
        text_put(&to, "extension approved; ends in ");
        text_put_left(&to, s->now.wall, r->active_until);
    } else if (r->state == REQ_SCHEDULED) {
        text_put(&to, "approved; starts in ");
        text_put_left(&to, s->now.wall, r->requested_start);
    } else {
        text_put(&to, r->state == REQ_ACTIVATING ? "approved; being opened in AWS, then active for "
                                                 : "approved; active for ");
        text_put_duration(&to, (uint64_t)r->duration_s);
    }
}

/* The requester has to be eligible still when the quorum is complete. */
static bool requester_lapsed(struct step *s, struct request *r, enum about about)
{
    struct text to;

    if (still_eligible(s->w, r, r->duration_s + r->extension.for_s) != CERTAIN_NO)
        return false;
    to = reply_text(s, REPLY_REFUSED);
    text_put(&to, r->requester_name.text);
    text_put(&to, " is not eligible for it any more; ");
    text_put(&to, about == ABOUT_EXTENSION ? "the extension is dropped" : "it is cancelled");
    if (about == ABOUT_EXTENSION)
        extension_close(s, r, "extension.expire", "");
    else
        move_request(s, r, REQ_ON_LAPSE, "");
    return true;
}

static void approve(struct step *s, const struct event *ev, struct request *r, enum about about)
{
    struct name by = actor_name(s->w, ev->actor.uid);

    put_decision(s, r, ev->actor.uid, true, about, ev->decide.comment);
    put_audit(s, about == ABOUT_EXTENSION ? "extension.approve" : "request.approve", by.text, r,
              "done", ev->decide.comment);
    if (!has_approved(r, ev->actor.uid))
        r->approvals[r->n_approvals++] = (struct approval){ev->actor.uid, by};
    put_request(s, r);
    if (!quorum_complete(s->w, r)) {
        say_still_waiting(s, r);
        return;
    }
    if (requester_lapsed(s, r, about))
        return;
    if (about == ABOUT_EXTENSION) {
        extension_grant(s, r, "");
    } else {
        move_request(s, r, REQ_ON_QUORUM, "");
        (void)overtake(s, r); /* starts it if it is time; eligible as of just now */
    }
    say_approved(s, r, about);
}

/* The question that is open on a request, if any. */
static bool question(const struct request *r, enum about *ret)
{
    *ret = r->state == REQ_PENDING ? ABOUT_REQUEST : ABOUT_EXTENSION;
    return r->state == REQ_PENDING || (r->state == REQ_ACTIVE && r->extension.for_s > 0);
}

/* Only an approval has to be sure of the requester: a rejection never waits for a look-up. */
static bool approval_fits(struct step *s, const struct event *ev, const struct request *seen)
{
    if (still_eligible(s->w, seen, seen->duration_s) == UNCERTAIN) {
        reply_say(s, REPLY_FAILED, "the requester cannot be looked up right now; try again");
        return false;
    }
    if (has_approved(seen, ev->actor.uid)) {
        if (quorum_complete(s->w, seen))
            return true; /* by a change of policy or people since: saying it again completes it */
        say_state(s, seen, ", and you have approved it already");
        return false;
    }
    if (seen->n_decisions >= DECISIONS_MAX) {
        reply_say(s, REPLY_FAILED,
                  "it has been decided about 100 times; it has to be asked for anew");
        return false;
    }
    if (seen->n_approvals == APPROVALS_MAX) {
        reply_say(s, REPLY_FAILED, "it has 16 approvals already, and no room for more");
        return false;
    }
    return true;
}

static bool decision_fits(struct step *s, const struct event *ev, const struct request *seen)
{
    enum about about;

    if (!question(seen, &about)) {
        say_state(s, seen, "; there is nothing to decide");
        return false;
    }
    if (s->w->policy->require_comment && text_is_blank(ev->decide.comment)) {
        reply_say(s, REPLY_USAGE, "a comment is required; give one with --comment");
        return false;
    }
    return !ev->decide.approve || approval_fits(s, ev, seen);
}

void on_decide(struct step *s, const struct event *ev)
{
    const struct request *seen = subject(s, ev, IDENTITY_DECIDE);
    struct request *r;
    enum about about;

    if (!seen)
        return;
    if (!decider_allowed(s, ev, seen)) {
        refuse(s, ev->decide.approve ? "request.approve" : "request.reject", ev, seen);
        return;
    }
    if (!decision_fits(s, ev, seen))
        return;
    r = world_request(s->w, ev->id);
    question(r, &about);
    if (ev->decide.approve)
        approve(s, ev, r, about);
    else
        reject(s, ev, r, about);
    reply_about(s, s->written); /* the state that this has led to */
}

/* ---- cancel and revoke ---------------------------------------------------------------------- */

void on_cancel(struct step *s, const struct event *ev)
{
    const struct request *seen = subject(s, ev, IDENTITY_READ);
    struct name by = actor_name(s->w, ev->actor.uid);
    struct request *r;

    if (!seen)
        return;
    if (seen->requester != ev->actor.uid) {
        reply_say(s, REPLY_REFUSED, "only who asked for it can cancel it");
        refuse(s, "request.cancel", ev, seen);
        return;
    }
    r = world_request(s->w, ev->id);
    if (!r || move_request(s, r, REQ_ON_CANCEL, by.text) != MOVE_GO) {
        say_state(s, seen,
                  seen->state == REQ_ACTIVE ? "; end it with: teamctl revoke"
                                            : "; nothing to cancel");
        return;
    }
    reply_say(s, REPLY_DONE, "cancelled");
    reply_about(s, s->written); /* the state that this has led to */
}

static bool may_revoke(const struct step *s, const struct request *r, uint32_t uid)
{
    return uid == 0 || uid == r->requester || is_admin(s->w, uid) ||
           approves_any_target(s->w, r, uid);
}

/* A requester's revoke of what has not begun is a cancellation. */
static enum request_event revoke_event(const struct request *r, uint32_t uid)
{
    return r->state == REQ_SCHEDULED && r->requester == uid ? REQ_ON_CANCEL : REQ_ON_REVOKE;
}

void on_revoke(struct step *s, const struct event *ev)
{
    const struct request *seen = subject(s, ev, IDENTITY_READ);
    struct name by = actor_name(s->w, ev->actor.uid);
    struct request *r;

    if (!seen)
        return;
    if (!may_revoke(s, seen, ev->actor.uid)) {
        reply_say(s, REPLY_REFUSED,
                  "only who asked for it, its approvers, an admin or root can revoke it");
        refuse(s, "request.revoke", ev, seen);
        return;
    }
    r = world_request(s->w, ev->id);
    s->comment = ev->revoke.comment;
    if (!r || move_request(s, r, revoke_event(r, ev->actor.uid), by.text) != MOVE_GO) {
        say_state(s, seen,
                  seen->state == REQ_PENDING ? "; reject it, or cancel your own"
                                             : "; nothing to revoke");
        return;
    }
    put_words(s, ev->id, WORDS_REVOKE, ev->revoke.comment);
    r = world_request(s->w, ev->id);
    if (r)
        try_finish(s, r);
    reply_say(s, REPLY_DONE, "revoked");
    reply_about(s, s->written); /* the state that this has led to */
}

/* ---- what only root and admins may -------------------------------------------------------------
 */

bool may_administer(const struct world *w, const struct actor *actor)
{
    char why[200];

    return identity_ok(w->policy, actor, IDENTITY_READ, why) &&
           (actor->uid == 0 || is_admin(w, actor->uid));
}

/* That it is allowed is all that is decided here: what comes of it shows when it is done. */
void on_admin(struct step *s, const struct event *ev)
{
    static const struct {
        const char *action, *refusal;
        bool noted; /* a reload is, when its policy counts */
    } ACTS[] = {
        [ADMIN_RELOAD] = {"policy.load", "only root and admins reload the configuration", false},
        [ADMIN_BACKUP] = {"store.backup", "only root and admins copy the store", true},
        [ADMIN_REFRESH] = {"aws.refresh", "only root and admins have AWS read", true},
        [ADMIN_RECONCILE] = {"aws.reconcile", "only root and admins have AWS compared", true},
    };

    if (!may_administer(s->w, &ev->actor)) {
        reply_say(s, REPLY_REFUSED, ACTS[ev->admin].refusal);
        refuse(s, ACTS[ev->admin].action, ev, NULL);
    } else if (ACTS[ev->admin].noted) {
        put_audit(s, ACTS[ev->admin].action, actor_name(s->w, ev->actor.uid).text, NULL, "done",
                  "");
    }
}
