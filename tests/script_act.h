/* The lines of a script in which somebody acts: asks, decides, comes to the gate. Part of script.h.
 */
#pragma once

static inline void must(const char *wrong)
{
    if (wrong)
        broken("%s", wrong);
}

static inline const char *code_text(uint8_t code)
{
    static const char *const CODES[] = {"done", "failed", "usage", "refused", "not-found", "state"};

    return CODES[code];
}

static inline void say_reply(const struct reply *r)
{
    text_put(&play.say, code_text(r->code));
    if (r->state) {
        text_put(&play.say, " ");
        text_put(&play.say, request_state_text((enum request_state)r->state));
    }
    text_put(&play.say, ": ");
    text_put(&play.say, r->text);
}

static inline void act(const struct event *ev)
{
    must(stage_step(&play.g, ev));
    if (play.g.out.reply.code == REPLY_DONE && ev->kind <= EV_EXTEND && play.g.out.reply.state == 0)
        broken("done, and no state of it");
    say_reply(&play.g.out.reply);
}

static inline struct event about(enum event_kind kind)
{
    struct event ev = {.kind = kind, .actor = play.actor, .id = need_id()};

    if (!world_request(&play.g.w, ev.id))
        ev.history = kept_request(&play.g, ev.id);
    return ev;
}

/* TARGETS DURATION [start=+D|-D] [reason=] [ticket=] [wanted=PATTERN] */
static inline void do_request(void)
{
    struct event ev = {.kind = EV_SUBMIT, .actor = play.actor};
    struct target targets[TARGETS_MAX + 2];
    char reason[128], ticket[128], wanted[128], start[128], id[128], *list, *one;
    const char *when, *number;

    ev.submit.reason = option("reason", "because", reason);
    ev.submit.ticket = option("ticket", "", ticket);
    ev.submit.ticket_wanted = option("wanted", NULL, wanted);
    when = option("start", NULL, start);
    number = option("id", NULL, id);
    list = need();
    ev.submit.targets = targets;
    while ((one = next_word(&list, ",")))
        if (strcmp(one, "none") != 0)
            targets[ev.submit.n_targets++] = target_of(one);
    one = need();
    ev.submit.duration_s = strcmp(one, "0s") == 0 ? 0 : seconds_of(one);
    if (when)
        ev.submit.start.us = play.g.now.wall.us +
                             (when[0] == '-' ? -1 : 1) * seconds_of(when + 1) * SECOND_US;
    ev.submit.fresh = id_numbered(number ? (unsigned)atoi(number) : play.asked + 1);
    act(&ev);
    if (play.g.out.reply.code == REPLY_DONE)
        play.asked++;
}

static inline void decide_as(bool approve)
{
    char comment[128];
    struct event ev = {0};
    const char *says = option("comment", "fine", comment);

    ev = about(EV_DECIDE);
    ev.decide.approve = approve;
    ev.decide.comment = says;
    act(&ev);
}

static inline void do_approve(void)
{
    decide_as(true);
}

static inline void do_reject(void)
{
    decide_as(false);
}

static inline void do_cancel(void)
{
    struct event ev = about(EV_CANCEL);

    act(&ev);
}

static inline void do_revoke(void)
{
    char comment[128];
    const char *says = option("comment", "", comment);
    struct event ev = about(EV_REVOKE);

    ev.revoke.comment = says;
    act(&ev);
}

/* Rn DURATION [reason=] */
static inline void do_extend(void)
{
    char reason[128];
    const char *says = option("reason", "not done yet", reason), *for_s;
    struct event ev = about(EV_EXTEND);

    for_s = need();
    ev.extend.for_s = strcmp(for_s, "0s") == 0 ? 0 : seconds_of(for_s);
    ev.extend.reason = says;
    act(&ev);
}

/* SERVICE [user=NAME] [ruser=NAME] [reserved] [pid=N] [tty=] [rhost=] [command=WORD] [contained]
 * [scope=PATH] [in=Sn]: in the container of that session */
static inline struct gate_ask read_ask(char texts[7][128])
{
    const char *name;
    char in[128];
    struct gate_ask ask = {
        .actor = play.actor,
        .user = option("user", "root", texts[0]),
        .ruser = option("ruser", play.actor.uid == 0 ? "root" : "", texts[4]),
        .user_reserved = flag("reserved"),
        .tty = option("tty", "pts/1", texts[1]),
        .rhost = option("rhost", "", texts[2]),
        .leader = {.pid = (uint32_t)atoi(option("pid", "100", texts[3])), .start_ticks = 7},
        .audit_session = 3,
        .command = option("command", "", texts[5]),
        .containable = flag("contained"),
        .scope = option("scope", "", texts[6]),
        .scope_number = 77,
        .parent = strtoull(option("in", "S0", in) + 1, NULL, 10),
    };

    ask.service = need();
    name = gate_speaks_for(play.g.w.policy, &ask);
    ask.named_uid = name && member_named(&play.g, name) ? uid_of(name) : NOBODY;
    return ask;
}

static inline void say_verdict(const struct reply *r)
{
    text_put(&play.say, r->code == REPLY_DONE ? "yes: " : "no: ");
    if (r->code == REPLY_DONE && r->id.bits != 0) {
        text_put(&play.say, "under ");
        text_put_id(&play.say, r->id.bits);
    }
    text_put(&play.say, r->text);
}

/* What who is refused could do right there: wait for a request, or make one. */
static inline void do_offer(void)
{
    static const char *const NEEDS[] = {"nothing", "reason", "reason and ticket"};
    char texts[7][128];
    struct gate_ask ask = read_ask(texts);
    struct reply reply = gate_account(&play.g.w, &ask, play.g.now);

    text_put(&play.say, reply.code == REPLY_DONE ? "yes, " : "");
    if (reply.code != REPLY_DONE && reply.id.bits != 0)
        text_put_id(&play.say, reply.id.bits);
    else
        text_put(&play.say, NEEDS[reply.needs]);
    if (reply.longest_s > 0) {
        text_put(&play.say, " for up to ");
        text_put_duration(&play.say, (uint64_t)reply.longest_s);
    }
}

static inline void do_gate(void)
{
    char texts[7][128];
    struct gate_ask ask = read_ask(texts);
    struct reply reply = gate_account(&play.g.w, &ask, play.g.now);

    say_verdict(&reply);
}

static inline void do_open(void)
{
    char texts[7][128];
    struct gate_ask ask = read_ask(texts);
    struct reply before = gate_account(&play.g.w, &ask, play.g.now);

    must(stage_step(&play.g, &(struct event){.kind = EV_OPEN, .open = &ask}));
    if (play.g.out.reply.code == REPLY_DONE && before.code != REPLY_DONE)
        broken("opened what account denied");
    if (play.g.out.reply.contain && !ask.containable)
        broken("a container where none can be made");
    if (play.g.out.reply.code == REPLY_DONE &&
        play.g.out.reply.session != play.g.store.last_session)
        broken("opened another session than it says");
    if (play.g.out.reply.code == REPLY_DONE) {
        const struct session *s = kept_session(&play.g, play.g.store.last_session);

        if (gate_logs_in(play.g.w.policy, &ask) ? s->command[0] : s->scope[0])
            broken("kept the words of a login, or took the scope of one");
    }
    say_verdict(&play.g.out.reply);
}

/* N [SERVICE]: that many sessions (of sudo) at once, with pids from 1000 */
static inline void do_many(void)
{
    unsigned n = (unsigned)atoi(need());
    const char *service = next_word(&play.args, " ");
    struct gate_ask ask = {.actor = play.actor,
                           .service = service ? service : "sudo",
                           .user = play.who,
                           .ruser = "",
                           .named_uid = play.actor.uid,
                           .tty = "",
                           .rhost = "",
                           .command = "",
                           .scope = ""};

    for (unsigned i = 0; i < n; i++) {
        ask.leader = (struct leader){1000 + i, 7};
        must(stage_step(&play.g, &(struct event){.kind = EV_OPEN, .open = &ask}));
        if (play.g.out.reply.code != REPLY_DONE)
            broken("session %u: %s", i + 1, play.g.out.reply.text);
    }
    text_put(&play.say, "done");
}

/* reload | backup */
static inline void do_admin(void)
{
    bool backup = strcmp(need(), "backup") == 0;

    act(&(struct event){
        .kind = EV_ADMIN, .actor = play.actor, .admin = backup ? ADMIN_BACKUP : ADMIN_RELOAD});
}

/* [pid=N] [later] [in=Sn]: later is another process with the same number */
static inline void do_close(void)
{
    char pid[128], in[128];
    struct event ev = {.kind = EV_CLOSE, .actor = play.actor};

    ev.process.leader.pid = (uint32_t)atoi(option("pid", "100", pid));
    ev.process.leader.start_ticks = flag("later") ? 8 : 7;
    ev.process.session = strtoull(option("in", "S0", in) + 1, NULL, 10);
    act(&ev);
}

static inline uint64_t need_session(void)
{
    return strtoull(need() + 1, NULL, 10);
}

/* Sn [pid=N] [later] [outside] */
static inline void do_confirm(void)
{
    char pid[128];
    struct event ev = {.kind = EV_CONFIRM, .actor = play.actor};

    ev.process.leader.pid = (uint32_t)atoi(option("pid", "100", pid));
    ev.process.leader.start_ticks = flag("later") ? 8 : 7;
    ev.process.in_place = !flag("outside");
    ev.process.session = need_session();
    act(&ev);
    if (play.g.out.reply.code == REPLY_DONE && play.g.out.reply.session != ev.process.session)
        broken("confirmed another session");
}

static inline void do_escape(void)
{
    bool many = flag("many");

    act(&(struct event){.kind = EV_ESCAPE, .session = need_session(), .too_many = many});
}

static inline void do_gone(void)
{
    act(&(struct event){.kind = EV_GONE, .session = need_session()});
}

static inline void do_lost(void)
{
    act(&(struct event){.kind = EV_NOT_FOUND, .session = need_session()});
}

/* N OUTCOME [late] [text=WORD]: what the courier says of an errand; late: of an earlier question.
 */
static inline void do_courier(void)
{
    static const char *const OUTCOMES[] = {
        [OUTCOME_THERE] = "there", [OUTCOME_ABSENT] = "absent", [OUTCOME_MADE] = "made",
        [OUTCOME_GONE] = "gone",   [OUTCOME_FAILED] = "failed", [OUTCOME_WAITS] = "waits",
    };
    struct event ev = {.kind = EV_RESULT};
    char text[128];
    const struct errand *e;
    const char *word;
    bool late = flag("late");

    ev.result.text = option("text", "because", text);
    ev.result.errand = strtoull(need(), NULL, 10);
    e = world_errand(&play.g.w, ev.result.errand);
    ev.result.round = e ? e->round - late : 1;
    word = need();
    ev.result.outcome = OUTCOME_THERE;
    while (strcmp(OUTCOMES[ev.result.outcome], word) != 0)
        stage_check(++ev.result.outcome <= OUTCOME_WAITS, word);
    act(&ev);
    must(stage_settle(&play.g));
}
