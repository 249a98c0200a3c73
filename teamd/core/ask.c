#include "core/step.h"

/* Asking: a new request, and more time for one that is active. */

enum {
    START_AHEAD_MAX_S = 90 * 86400, /* a start further away is taken for a mistake */
    NAMES_MAX = 16,
};

/* ---- what the policy says of each target ---------------------------------------------------- */

static bool host_is_this(struct step *s, const struct target *t)
{
    struct target here = *t;
    struct text to;

    if (t->kind != TARGET_HOST)
        return true;
    memcpy(here.place, s->w->policy->host, sizeof here.place);
    if (!target_equal(&here, t)) {
        to = reply_text(s, REPLY_REFUSED);
        text_put(&to, "this is ");
        text_put(&to, s->w->policy->host);
        text_put(&to, "; ask for ");
        text_put_target(&to, t);
        text_put(&to, " on that host");
        return false;
    }
    if (policy_class_named(s->w->policy, t->what) == CLASS_NONE) {
        to = reply_text(s, REPLY_USAGE);
        text_put(&to, t->what);
        text_put(&to, " is no service class here; they are");
        for (size_t i = 0; i < s->w->policy->n_classes; i++) {
            text_put(&to, i > 0 ? ", " : " ");
            text_put(&to, s->w->policy->classes[i]);
        }
        return false;
    }
    return true;
}

/* Of what is asked for, an elevation that is extended has `already_s`. */
static void say_too_long(struct step *s, const struct target *t, int64_t asked_s, int64_t already_s,
                         const struct eligible *e)
{
    struct text to = reply_text(s, REPLY_REFUSED);

    text_put_duration(&to, (uint64_t)asked_s);
    text_put(&to, " is more than policy \"");
    text_put(&to, e->by->name.text);
    text_put(&to, "\" allows for ");
    text_put_target(&to, t);
    text_put(&to, " (");
    text_put_duration(&to, (uint64_t)e->max_s);
    if (already_s >= e->max_s) {
        text_put(&to, "), and that is what it has");
        return;
    }
    text_put(&to, "); ask for --for ");
    text_put_duration(&to, (uint64_t)(e->max_s - already_s));
}

/* Without a directory nobody can tell what an OU covers, or who is in a group of Identity Center.
 */
static bool aws_is_read(struct step *s, const struct target *t)
{
    struct text to;

    if (t->kind != TARGET_AWS || !s->w->policy->aws || s->w->directory)
        return true;
    to = reply_text(s, REPLY_FAILED);
    text_put_standing(&to, t, AWS_UNREAD);
    return false;
}

/* Is somebody else the same user there? Each of the two would end what the other has. */
static bool user_is_taken(const struct step *s, const struct person *who, const char *user)
{
    const struct request *r;
    const struct errand *e;
    uint32_t at = 0;

    while ((r = world_each_request(s->w, &at)))
        if (r->requester != who->uid && strcmp(r->aws_user, user) == 0)
            return true;
    at = 0;
    while ((e = world_each_errand(s->w, &at)))
        if (e->uid != who->uid && strcmp(e->user, user) == 0)
            return true;
    return false;
}

static const char *aws_user_id(const struct world *w, const struct person *who)
{
    return dir_text(w->directory, w->directory->users[who->aws_user - 1].id);
}

/* Is it there, may we touch it, and who is the asker there? */
static bool aws_allows(struct step *s, const struct person *who, const struct target *t)
{
    enum aws_standing standing = directory_standing(s->w->directory, t);
    char name[AWS_USER_CAP];
    struct text to;

    if (t->kind != TARGET_AWS)
        return true;
    to = reply_text(s, REPLY_REFUSED);
    policy_aws_name(s->w->policy, who, name);
    if (!s->w->policy->aws) {
        text_put(&to, "AWS is not configured");
    } else if (standing != AWS_FINE) {
        text_put_standing(&to, t, standing);
    } else if (who->aws_user == 0) {
        text_put(&to, "Identity Center has no user ");
        text_put(&to, name);
        text_put(&to,
                 "; if you are called otherwise there, an admin can say so in identity.aws_users");
    } else if (user_is_taken(s, who, aws_user_id(s->w, who))) {
        text_put(&to, "somebody else of this host is the user ");
        text_put(&to, name);
        text_put(&to, " of Identity Center, too; an admin has to tell you apart");
    } else {
        return true;
    }
    return false;
}

/* May the asker have this target for so long, of which `already_s` are there? Says why not. */
static bool target_allowed(struct step *s, const struct person *who, const struct target *t,
                           int64_t duration_s, int64_t already_s, bool *ret_approval)
{
    struct eligible e = policy_eligible(s->w->policy, s->w->directory, who, t, duration_s);
    struct text to;

    if (e.allowed) {
        *ret_approval = *ret_approval || e.approval_required;
        return true;
    }
    if (e.covered) {
        say_too_long(s, t, duration_s, already_s, &e);
        return false;
    }
    to = reply_text(s, REPLY_REFUSED);
    text_put(&to, "no policy lets ");
    text_put(&to, who->name.text);
    text_put(&to, " have ");
    text_put_target(&to, t);
    text_put(&to, "; see what you may ask for: teamctl targets");
    return false;
}

/* Could anybody but the asker approve? Says so if not. */
static bool approvable(struct step *s, const struct person *who, const struct target *t,
                       int64_t duration_s)
{
    struct text to;

    if (!policy_eligible(s->w->policy, s->w->directory, who, t, duration_s).approval_required ||
        quorum_possible(s->w, who, t))
        return true;
    to = reply_text(s, REPLY_REFUSED);
    text_put(&to, "nobody could approve ");
    text_put_target(&to, t);
    text_put(&to, " for you: the approver policies name too few people beside you; an admin has to "
                  "add one");
    return false;
}

/* ---- submit --------------------------------------------------------------------------------- */

static bool ticket_allows(struct step *s, const struct event *ev)
{
    struct text to;

    if (ev->submit.ticket[0] == '\0') {
        if (!s->w->policy->require_ticket)
            return true;
        reply_say(s, REPLY_REFUSED, "a ticket is required; give one with --ticket");
        return false;
    }
    if (!ev->submit.ticket_wanted)
        return true;
    to = reply_text(s, REPLY_USAGE);
    text_put(&to, "that is no ticket here; it has to match ");
    text_put(&to, ev->submit.ticket_wanted);
    return false;
}

static bool form_allows(struct step *s, const struct event *ev)
{
    for (size_t i = 0; i < ev->submit.n_targets; i++)
        for (size_t j = 0; j < i; j++)
            if (target_equal(&ev->submit.targets[i], &ev->submit.targets[j])) {
                reply_say(s, REPLY_USAGE, "the same target is named twice");
                return false;
            }
    if (ev->submit.n_targets == 0 || ev->submit.n_targets > TARGETS_MAX) {
        reply_say(s, REPLY_USAGE, "a request has 1 to 8 targets");
        return false;
    }
    if (text_is_blank(ev->submit.reason)) {
        reply_say(s, REPLY_USAGE, "a reason is required; give one with --reason");
        return false;
    }
    if (ev->submit.duration_s <= 0) {
        reply_say(s, REPLY_USAGE, "a duration is required; give one with --for");
        return false;
    }
    if (ev->submit.start.us > s->now.wall.us + START_AHEAD_MAX_S * SECOND_US) {
        reply_say(s, REPLY_USAGE, "a request can start at most 90 days ahead");
        return false;
    }
    return ticket_allows(s, ev);
}

static bool policy_allows(struct step *s, const struct event *ev, const struct person *who,
                          bool *ret_approval)
{
    const struct target *targets = ev->submit.targets;
    size_t n = ev->submit.n_targets;

    for (size_t i = 0; i < n; i++)
        if (!host_is_this(s, &targets[i]) || !aws_is_read(s, &targets[i]) ||
            !target_allowed(s, who, &targets[i], ev->submit.duration_s, 0, ret_approval))
            return false;
    for (size_t i = 0; i < n; i++)
        if (!aws_allows(s, who, &targets[i]))
            return false;
    for (size_t i = 0; i < n; i++)
        if (!approvable(s, who, &targets[i], ev->submit.duration_s))
            return false;
    return true;
}

static bool room_for(struct step *s, const struct event *ev)
{
    uint32_t n = 0;

    for (struct request *r = NULL; (r = world_next_of(s->w, ev->actor.uid, r));)
        n++;
    if (n >= REQUESTS_PER_PERSON) {
        reply_say(s, REPLY_REFUSED,
                  "you have 32 requests open already; cancel some: teamctl list --mine");
        return false;
    }
    if (s->w->n_requests >= WORLD_REQUESTS || world_request(s->w, ev->submit.fresh)) {
        reply_say(s, REPLY_FAILED, "teamd has no room for more open requests; try again later");
        return false;
    }
    return true;
}

/* What the names mean at this moment: what is approved later is that, and nothing else. */
static void resolve(const struct world *w, const struct person *who, const struct target *t,
                    struct request *r, struct grant *g)
{
    const struct dir_set *set = t->kind == TARGET_AWS ? directory_set(w->directory, t->what) : NULL;
    struct text id = text_over(g->set, sizeof g->set), user;

    g->target = *t;
    g->state = GRANT_WAITING;
    if (!set)
        return;
    text_put(&id, set_id(dir_text(w->directory, set->arn)));
    user = text_over(r->aws_user, sizeof r->aws_user);
    text_put(&user, aws_user_id(w, who));
    g->session_s = set->session_s;
}

/* Names change; what they were is kept for people. */
static void put_names(struct step *s, const struct request *r, const struct person *who)
{
    const struct directory *d = s->w->directory;

    for (size_t i = 0; i < r->n_targets; i++)
        if (grant_is_aws(&r->grants[i]))
            emit(s, EFFECT_NAMES)->names = (struct aws_names){
                .id = r->id,
                .grant = (uint8_t)i,
                .account = dir_text(d, directory_account(d, r->grants[i].target.place)->name),
                .user = dir_text(d, d->users[who->aws_user - 1].name),
            };
}

static struct request new_request(const struct step *s, const struct event *ev,
                                  const struct person *who, bool approval)
{
    int64_t expiry_us = s->w->policy->pending_expiry_s * SECOND_US;
    struct request r = {
        .id = ev->submit.fresh,
        .requester = who->uid,
        .requester_name = who->name,
        .state = REQ_PENDING,
        .approval_required = approval,
        .n_targets = (uint8_t)ev->submit.n_targets,
        .duration_s = ev->submit.duration_s,
        .requested_at = s->now.wall,
        .requested_start = ev->submit.start.us > s->now.wall.us ? ev->submit.start
                                                                : (struct wall){0},
        .due = {{s->now.wall.us + expiry_us}, {s->now.boot.us + expiry_us}},
    };

    for (size_t i = 0; i < r.n_targets; i++)
        resolve(s->w, who, &ev->submit.targets[i], &r, &r.grants[i]);
    memcpy(r.host, s->w->policy->host, sizeof r.host);
    return r;
}

/* The line under the id: what happens next. */
static void say_what_next(struct step *s, const struct request *r)
{
    const struct person *people[NAMES_MAX];
    struct text to = reply_text(s, REPLY_DONE);

    if (r->state == REQ_PENDING) {
        text_put(&to, "waiting for ");
        text_put_people(&to, people, waiting_for(s->w, r, people, NAMES_MAX));
    } else if (r->state == REQ_SCHEDULED) {
        text_put(&to, "approved; starts in ");
        text_put_left(&to, s->now.wall, r->requested_start);
    } else {
        text_put(&to, r->state == REQ_ACTIVATING ? "being opened in AWS; then active for "
                                                 : "active for ");
        text_put_duration(&to, (uint64_t)r->duration_s);
    }
}

/* There is no request yet that could say what was asked for. */
static void refuse_submit(struct step *s, const struct event *ev)
{
    struct audit *a = refuse(s, "request.submit", ev, NULL);
    struct text targets = text_over(a->target, sizeof a->target);

    for (size_t i = 0; i < ev->submit.n_targets; i++) {
        if (i > 0)
            text_put(&targets, ",");
        text_put_target(&targets, &ev->submit.targets[i]);
    }
}

void on_submit(struct step *s, const struct event *ev)
{
    const struct person *who = world_person(s->w, ev->actor.uid);
    struct request fresh, *r;
    bool approval = false;

    if (!form_allows(s, ev))
        return;
    if (!identity_allows(s, ev) || !policy_allows(s, ev, who, &approval) || !room_for(s, ev)) {
        refuse_submit(s, ev);
        return;
    }
    fresh = new_request(s, ev, who, approval);
    r = world_add_request(s->w, &fresh);
    wake_at(s->w, r->due);
    put_request(s, r);
    put_words(s, r->id, WORDS_REASON, ev->submit.reason);
    put_words(s, r->id, WORDS_TICKET, ev->submit.ticket);
    put_names(s, r, who);
    put_audit(s, "request.submit", who->name.text, r, "done", ev->submit.reason);
    if (!approval) {
        move_request(s, r, REQ_ON_QUORUM, "");
        (void)overtake(s, r); /* starts it if it is time; it was found eligible just now */
    }
    reply_about(s, r);
    say_what_next(s, r);
}

/* ---- extend --------------------------------------------------------------------------------- */

static bool extension_allowed(struct step *s, const struct event *ev, const struct request *r,
                              bool *ret_approval)
{
    const struct person *who = world_person(s->w, r->requester);
    int64_t total_s = r->duration_s + ev->extend.for_s;

    for (size_t i = 0; i < r->n_targets; i++)
        if (!target_allowed(s, who, &r->grants[i].target, total_s, r->duration_s, ret_approval))
            return false;
    for (size_t i = 0; i < r->n_targets; i++)
        if (!approvable(s, who, &r->grants[i].target, total_s))
            return false;
    return true;
}

static void ask_for_extension(struct step *s, const struct event *ev, struct request *r,
                              bool approval)
{
    int64_t expiry_us = s->w->policy->pending_expiry_s * SECOND_US;
    struct name by = actor_name(s->w, ev->actor.uid);

    r->extension = (struct extension){
        .for_s = ev->extend.for_s,
        .requested_at = s->now.wall,
        .expires = {{s->now.wall.us + expiry_us}, {s->now.boot.us + expiry_us}},
    };
    if (r->due.wall.us < r->extension.expires.wall.us)
        r->extension.expires.wall = r->due.wall;
    if (r->due.boot.us < r->extension.expires.boot.us)
        r->extension.expires.boot = r->due.boot;
    wake_at(s->w, r->extension.expires);
    put_words(s, r->id, WORDS_EXTENSION, ev->extend.reason);
    put_audit(s, "extension.submit", by.text, r, "done", ev->extend.reason);
    put_request(s, r);
    if (!approval)
        extension_grant(s, r, "");
}

static void say_extension(struct step *s, const struct request *r)
{
    const struct person *people[NAMES_MAX];
    struct text to = reply_text(s, REPLY_DONE);

    reply_about(s, r);
    if (r->extension.for_s > 0) {
        text_put(&to, "the extension is waiting for ");
        text_put_people(&to, people, waiting_for(s->w, r, people, NAMES_MAX));
    } else {
        text_put(&to, "extended; ends in ");
        text_put_left(&to, s->now.wall, r->active_until);
    }
}

void on_extend(struct step *s, const struct event *ev)
{
    const struct request *seen = subject(s, ev, IDENTITY_DECIDE);
    struct request *r;
    bool approval = false;

    if (!seen)
        return;
    if (ev->extend.for_s <= 0 || text_is_blank(ev->extend.reason)) {
        reply_say(s, REPLY_USAGE, "an extension needs a duration and a reason");
        return;
    }
    if (seen->requester != ev->actor.uid) {
        reply_say(s, REPLY_REFUSED, "only who asked for it can extend it");
        refuse(s, "extension.submit", ev, seen);
        return;
    }
    r = world_request(s->w, ev->id);
    if (!r || r->state != REQ_ACTIVE) {
        say_state(s, seen, "; only an active elevation can be extended");
    } else if (r->extension.for_s > 0) {
        say_state(s, r, ", and an extension is waiting already");
    } else if (r->n_decisions >= DECISIONS_MAX) {
        reply_say(s, REPLY_FAILED,
                  "it has been decided about 100 times; ask for a new elevation instead");
    } else if (!identity_allows(s, ev) || !extension_allowed(s, ev, r, &approval)) {
        refuse(s, "extension.submit", ev, r);
    } else {
        ask_for_extension(s, ev, r, approval);
        say_extension(s, r);
    }
}
