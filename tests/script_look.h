/* The lines of a script that look and change nothing: what is said of the state of things. Part of
 * script.h. */
#pragma once

static inline void do_state(void)
{
    text_put(&play.say, request_state_text((enum request_state)request_now(need_id())->state));
}

static inline void do_grants(void)
{
    const struct request *r = request_now(need_id());

    for (size_t i = 0; i < r->n_targets; i++) {
        text_put(&play.say, i > 0 ? " " : "");
        text_put(&play.say, grant_state_text((enum grant_state)r->grants[i].state));
    }
}

static inline void put_seconds(int64_t us)
{
    if (us < 0)
        text_put(&play.say, "-");
    text_put_duration(&play.say, (uint64_t)(us < 0 ? -us : us) / (uint64_t)SECOND_US);
}

/* How long its window is, and what is left of it. */
static inline void do_window(void)
{
    const struct request *r = request_now(need_id());

    text_put_duration(&play.say, (uint64_t)r->duration_s);
    text_put(&play.say, " left ");
    put_seconds(r->active_until.us - play.g.now.wall.us);
}

static inline void do_revoker(void)
{
    const char *by = request_now(need_id())->revoked_by.text;

    text_put(&play.say, by[0] ? by : "nobody");
}

static inline void do_extension(void)
{
    const struct request *r = request_now(need_id());

    if (r->extension.for_s == 0) {
        text_put(&play.say, "none");
        return;
    }
    text_put_duration(&play.say, (uint64_t)r->extension.for_s);
    text_put(&play.say, " expires in ");
    put_seconds(r->extension.expires.wall.us - play.g.now.wall.us);
}

static inline void do_session(void)
{
    const struct session *s = kept_session(&play.g, need_session());

    if (!s)
        broken("there is no such session");
    text_put(&play.say, session_state_text((enum session_state)s->state));
    if (s->request.bits != 0) {
        text_put(&play.say, " under ");
        text_put_id(&play.say, s->request.bits);
    }
    text_put(&play.say, " of ");
    text_put(&play.say, s->user.text);
    if (s->parent != 0) {
        text_put(&play.say, " in S");
        text_put_u64(&play.say, s->parent);
    }
    text_put(&play.say, s->contained ? " contained" : "");
    text_put(&play.say, s->scope[0] ? " by " : "");
    text_put(&play.say, s->scope);
    text_put(&play.say, s->escaped ? " escaped" : "");
    text_put(&play.say, s->end ? " " : "");
    text_put(&play.say, session_end_text(s->end));
}

/* All that was recorded of it. */
static inline void do_record(void)
{
    const struct session *s = kept_session(&play.g, strtoull(need() + 1, NULL, 10));
    char line[1200];

    if (!s)
        broken("there is no such session");
    snprintf(line, sizeof line, "%s %s for %s on %s from %s pid %u.%u uid %u login %u.%u %s",
             s->user.text, s->service, s->target_user.text, s->tty, s->rhost, s->leader.pid,
             (unsigned)s->leader.start_ticks, s->uid, s->loginuid, s->audit_session, s->command);
    text_put(&play.say, line);
}

static inline void say_people(const struct person *const people[], size_t n)
{
    for (size_t i = 0; i < n; i++) {
        text_put(&play.say, i > 0 ? " " : "");
        text_put(&play.say, people[i]->name.text);
    }
    if (n == 0)
        text_put(&play.say, "nobody");
}

static inline void do_waiting(void)
{
    const struct person *people[CAST];

    say_people(people, waiting_for(&play.g.w, request_now(need_id()), people, CAST));
}

/* What somebody who waits for it is told. */
static inline void do_progress(void)
{
    say_progress(&play.g.w, request_now(need_id()), &play.say);
}

/* NAME TARGET */
static inline void do_approvers(void)
{
    const struct person *people[CAST];
    uint32_t uid = uid_of(need());
    struct target t = target_of(need());

    say_people(people, would_approve(&play.g.w, uid, &t, people, CAST));
}

static inline void do_sees(void)
{
    const struct request *r = request_now(need_id());

    text_put(&play.say, may_see(&play.g.w, play.actor.uid, r, flag("decided")) ? "yes" : "no");
}

static inline void do_can_decide(void)
{
    text_put(&play.say,
             may_decide(&play.g.w, request_now(need_id()), play.actor.uid) ? "yes" : "no");
}

/* TARGET [DURATION] */
static inline void do_why(void)
{
    struct finding found[8];
    struct target t = target_of(need());
    char *for_s = next_word(&play.args, " ");
    bool yes = false;
    size_t n = engine_why(&play.g.w, play.actor.uid, &t, for_s ? seconds_of(for_s) : 0, play.g.now,
                          found, 8, &yes);

    text_put(&play.say, yes ? "yes: " : "no: ");
    for (size_t i = 0; i < n; i++) {
        text_put(&play.say, i > 0 ? " | " : "");
        text_put(&play.say, found[i].yes ? "+ " : "- ");
        text_put(&play.say, found[i].text);
    }
}

/* What the line before left in the trail: "action actor outcome, ..." */
static inline void do_trail(void)
{
    for (size_t i = 0; i < play.g.store.n_trail; i++) {
        const struct trail_row *row = &play.g.store.trail[i];

        text_put(&play.say, i > 0 ? ", " : "");
        text_put(&play.say, row->action);
        text_put(&play.say, " ");
        text_put(&play.say, row->actor[0] ? row->actor : "-");
        text_put(&play.say, " ");
        text_put(&play.say, row->outcome);
    }
    if (play.g.store.n_trail == 0)
        text_put(&play.say, "nothing");
}

/* The last event of the trail: target and detail. */
static inline void do_detail(void)
{
    const struct trail_row *row = &play.g.store.trail[play.g.store.n_trail - 1];

    text_put(&play.say, row->target);
    text_put(&play.say, "; ");
    text_put(&play.say, row->detail);
}

/* What the line before wants done: "warn 1 60s, term 2, ..."; count: of how many sessions. */
static inline void do_acts(void)
{
    static const char *const KINDS[] = {
        [ACT_WARN] = "warn", [ACT_TERM] = "term", [ACT_KILL] = "kill"};

    if (flag("count")) {
        text_put_u64(&play.say, play.g.store.n_acts);
        return;
    }
    for (size_t i = 0; i < play.g.store.n_acts; i++) {
        const struct act *a = &play.g.store.acts[i];

        text_put(&play.say, i > 0 ? ", " : "");
        text_put(&play.say, KINDS[a->kind]);
        text_put(&play.say, " ");
        text_put_u64(&play.say, a->session);
        if (a->kind == ACT_WARN) {
            text_put(&play.say, " ");
            text_put_duration(&play.say, (uint64_t)a->left_s);
        }
    }
    if (play.g.store.n_acts == 0)
        text_put(&play.say, "nothing");
}

static inline void do_wake(void)
{
    struct deadline wake = engine_wake(&play.g.w);

    if (wake.wall.us == NEVER_US)
        text_put(&play.say, "never");
    else
        put_seconds(wake.wall.us - play.g.now.wall.us);
    text_put(&play.say, " ");
    if (wake.boot.us == NEVER_US)
        text_put(&play.say, "never");
    else
        put_seconds(wake.boot.us - play.g.now.boot.us);
}

/* "1 looking 111122223333/Admin alice, ..." */
static inline void do_errands(void)
{
    for (size_t i = 0; i < play.g.store.n_errands; i++) {
        const struct errand *e = &play.g.store.errands[i];

        text_put(&play.say, i > 0 ? ", " : "");
        text_put_u64(&play.say, e->number);
        text_put(&play.say, " ");
        text_put(&play.say, errand_state_text((enum errand_state)e->state));
        text_put(&play.say, " ");
        text_put(&play.say, e->account);
        text_put(&play.say, "/");
        text_put(&play.say, e->set_name);
        text_put(&play.say, " ");
        text_put(&play.say, e->user);
    }
    if (play.g.store.n_errands == 0)
        text_put(&play.say, "nothing");
}

static inline void do_failure(void)
{
    const char *why = request_now(need_id())->failure;

    text_put(&play.say, why[0] ? why : "none");
}

/* How long credentials of each grant may live. */
static inline void do_credentials(void)
{
    const struct request *r = request_now(need_id());

    for (size_t i = 0; i < r->n_targets; i++) {
        struct wall until = grant_credentials_until(&r->grants[i], play.g.now.wall);

        text_put(&play.say, i > 0 ? " " : "");
        if (until.us == 0)
            text_put(&play.say, "none");
        else
            put_seconds(until.us - play.g.now.wall.us);
    }
}
