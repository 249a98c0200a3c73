/* Rows that tell a story to the core, line by line, and what has to come of each line:
 *
 *     alice request sudo 1h => done pending: waiting for bob or carol
 *     bob approve R1 => done active
 *     pass 30m
 *     alice gate sudo => yes
 *
 * After `=>` stands what is answered: all of it if it has ": "; with ":~ " something of what
 * follows the colon; else the first words. Without `=>` the answer has to be "done", "yes" or "ok".
 * Rn is the nth request and Sn the nth session of the row; the id of R1 reads REQ00001. Who acts
 * may come with
 * `@name` (logged in as somebody else), `@unset` (no login uid) or `!` (inside an elevated
 * session). The lines are the verbs at the end of this file. */
#pragma once

#include "stage.h"

#include <setjmp.h>

#include <cmocka.h>

struct row {
    const char *says, *policy, *script;
};

enum { GOT_CAP = 2048 };

struct play {
    struct stage g;
    const struct row *row;
    const char *line;
    char *args; /* what is left of the line */
    struct actor actor;
    char who[NAME_CAP];
    unsigned asked;
    char got[GOT_CAP];
    struct text say; /* writes into got */
};

static struct play play;

__attribute__((format(printf, 1, 2), noreturn)) static void broken(const char *format, ...)
{
    char why[GOT_CAP + 256];
    va_list args;

    va_start(args, format);
    vsnprintf(why, sizeof why, format, args);
    va_end(args);
    fail_msg("%s: `%s`: %s", play.row->says, play.line, why);
    abort();
}

/* ---- reading words -------------------------------------------------------------------------- */

static inline char *need(void)
{
    char *word = next_word(&play.args, " ");

    if (!word)
        broken("a word is missing");
    return word;
}

/* Where `word` stands in what is left of the line: as a word, or if it ends in = as the beginning
 * of one. */
static inline char *find_word(const char *word)
{
    size_t n = strlen(word);
    char *at = play.args;

    while (at && (at = strstr(at, word))) {
        bool begins = at == play.args || at[-1] == ' ';

        if (begins && (word[n - 1] == '=' || at[n] == ' ' || at[n] == '\0'))
            return at;
        at++;
    }
    return NULL;
}

/* The value of `key=value` anywhere in what is left of the line, or `otherwise`. Takes it away. */
static inline const char *option(const char *key, const char *otherwise, char out[128])
{
    char find[32], *at;
    size_t n;

    snprintf(find, sizeof find, "%s=", key);
    at = find_word(find);
    if (!at)
        return otherwise;
    n = strcspn(at, " ");
    snprintf(out, 128, "%.*s", (int)(n - strlen(find)), at + strlen(find));
    memset(at, ' ', n);
    return out;
}

static inline bool flag(const char *word)
{
    char *at = find_word(word);

    if (!at)
        return false;
    memset(at, ' ', strlen(word));
    return true;
}

static inline struct id id_numbered(unsigned n)
{
    char text[16];
    uint64_t first, last;

    snprintf(text, sizeof text, "REQ%05u", n);
    stage_check(text_parse_id_prefix(text, 8, &first, &last), text);
    return (struct id){first};
}

static inline struct id need_id(void)
{
    return id_numbered((unsigned)atoi(need() + 1));
}

static inline const struct member *need_member(void)
{
    const char *name = need();
    const struct member *m = member_named(&play.g, name);

    if (!m)
        broken("nobody is called %s", name);
    return m;
}

static inline struct target target_of(const char *s)
{
    struct target t;

    stage_check(target_parse(s, strlen(s), STAGE_HOST, &t) == TARGET_OK, s);
    return t;
}

static inline uint32_t uid_of(const char *name)
{
    const struct member *m = member_named(&play.g, name);

    return m ? m->uid : (uint32_t)strtoul(name, NULL, 10);
}

static inline void read_actor(char *word)
{
    char *at;

    play.actor = (struct actor){.in_session = false};
    at = strchr(word, '!');
    if (at) {
        play.actor.in_session = true;
        *at = '\0';
    }
    at = strchr(word, '@');
    if (at)
        *at++ = '\0';
    snprintf(play.who, sizeof play.who, "%s", word);
    play.actor.uid = uid_of(word);
    play.actor.loginuid = play.actor.uid;
    if (at)
        play.actor.loginuid = strcmp(at, "unset") == 0 ? NOBODY : uid_of(at);
}

/* The request as it is now, or as it was kept. */
static inline const struct request *request_now(struct id id)
{
    const struct request *r = world_request(&play.g.w, id);

    if (!r)
        r = kept_request(&play.g, id);
    if (!r)
        broken("there is no such request");
    return r;
}

/* ---- acting --------------------------------------------------------------------------------- */

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
    say_reply(&play.g.out.reply);
}

static inline struct event about(enum event_kind kind)
{
    struct event ev = {.kind = kind, .actor = play.actor, .id = need_id()};

    if (!world_request(&play.g.w, ev.id))
        ev.history = kept_request(&play.g, ev.id);
    return ev;
}

/* TARGETS DURATION [start=+D|-D] [reason=] [ticket=] [wanted=PATTERN] [aws] */
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
    ev.submit.aws_configured = flag("aws");
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

/* SERVICE [user=NAME] [ruser=NAME] [reserved] [pid=N] [tty=] [rhost=] [contained] [in=Sn]: in the
 * container of that session */
static inline struct gate_ask read_ask(char texts[5][128])
{
    const char *name;
    char in[128];
    struct gate_ask ask = {
        .actor = play.actor,
        .user = option("user", "root", texts[0]),
        .ruser = option("ruser", "", texts[4]),
        .user_reserved = flag("reserved"),
        .tty = option("tty", "pts/1", texts[1]),
        .rhost = option("rhost", "", texts[2]),
        .leader = {.pid = (uint32_t)atoi(option("pid", "100", texts[3])), .start_ticks = 7},
        .containable = flag("contained"),
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
    if (r->id.bits != 0) {
        text_put(&play.say, "under ");
        text_put_id(&play.say, r->id.bits);
    }
    text_put(&play.say, r->text);
}

static inline void do_gate(void)
{
    char texts[5][128];
    struct gate_ask ask = read_ask(texts);
    struct reply reply = gate_account(&play.g.w, &ask, play.g.now);

    say_verdict(&reply);
}

static inline void do_open(void)
{
    char texts[5][128];
    struct gate_ask ask = read_ask(texts);
    struct reply before = gate_account(&play.g.w, &ask, play.g.now);

    must(stage_step(&play.g, &(struct event){.kind = EV_OPEN, .open = &ask}));
    if (play.g.out.reply.code == REPLY_DONE && before.code != REPLY_DONE)
        broken("opened what account denied");
    if (play.g.out.reply.contain && !ask.containable)
        broken("a container where none can be made");
    say_verdict(&play.g.out.reply);
}

/* N: that many sessions of sudo at once, with pids from 1000 */
static inline void do_many(void)
{
    unsigned n = (unsigned)atoi(need());
    struct gate_ask ask = {.actor = play.actor,
                           .service = "sudo",
                           .user = "root",
                           .ruser = "",
                           .tty = "",
                           .rhost = ""};

    for (unsigned i = 0; i < n; i++) {
        ask.leader = (struct leader){1000 + i, 7};
        must(stage_step(&play.g, &(struct event){.kind = EV_OPEN, .open = &ask}));
        if (play.g.out.reply.code != REPLY_DONE)
            broken("session %u: %s", i + 1, play.g.out.reply.text);
    }
    text_put(&play.say, "done");
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
    act(&(struct event){.kind = EV_ESCAPE, .session = need_session()});
}

static inline void do_gone(void)
{
    act(&(struct event){.kind = EV_GONE, .session = need_session()});
}

static inline void do_lost(void)
{
    act(&(struct event){.kind = EV_NOT_FOUND, .session = need_session()});
}

/* ---- time, people, policy, restarts ---------------------------------------------------------- */

static inline int64_t need_signed(void)
{
    char *word = need();

    return (word[0] == '-' ? -1 : 1) * seconds_of(word + (word[0] == '-' || word[0] == '+'));
}

static inline void do_pass(void)
{
    stage_pass(&play.g, need_signed());
    must(stage_tick(&play.g));
    text_put(&play.say, "ok");
}

static inline void do_tick(void)
{
    must(stage_tick(&play.g));
    text_put(&play.say, "ok");
}

/* Time goes by and nobody looks at the clock. */
static inline void do_sleep(void)
{
    stage_pass(&play.g, need_signed());
    text_put(&play.say, "ok");
}

static inline void do_wall(void)
{
    play.g.now.wall.us += need_signed() * SECOND_US;
    must(stage_tick(&play.g));
    text_put(&play.say, "ok");
}

static inline void do_boot(void)
{
    play.g.now.boot.us += need_signed() * SECOND_US;
    must(stage_tick(&play.g));
    text_put(&play.say, "ok");
}

/* NAME +GROUP|-GROUP: what the database says; nobody has looked yet. */
static inline void do_group(void)
{
    struct member *m = &play.g.cast[need_member() - play.g.cast];
    char *word = need(), find[MEMBERSHIP_CAP], *at;

    if (word[0] == '+') {
        struct text groups = {.buf = m->groups, .cap = sizeof m->groups, .len = strlen(m->groups)};

        text_put(&groups, word + 1);
        text_put(&groups, " ");
        stage_check(!groups.cut, "too many groups");
    } else {
        snprintf(find, sizeof find, " %.40s ", word + 1);
        at = strstr(m->groups, find);
        stage_check(at != NULL, find);
        memset(at, ' ', strlen(find));
    }
    text_put(&play.say, "ok");
}

static inline void do_look(void)
{
    must(stage_person(&play.g, need_member()));
    text_put(&play.say, "ok");
}

/* A row may have two policies, with a line "--" between. */
static inline void load_policy(bool second)
{
    char text[4096];
    const char *cut = strstr(play.row->policy, "--\n");

    if (second)
        snprintf(text, sizeof text, "%s", cut + 3);
    else
        snprintf(text, sizeof text, "%.*s",
                 (int)(cut ? cut - play.row->policy : (long)strlen(play.row->policy)),
                 play.row->policy);
    must(stage_policy(&play.g, text));
}

/* first | second */
static inline void do_policy(void)
{
    load_policy(strcmp(need(), "second") == 0);
    text_put(&play.say, "ok");
}

/* The same policy, its people listed anew. */
static inline void do_list(void)
{
    struct person people[CAST];
    struct event ev = {.kind = EV_POLICY};

    ev.policy.policy = play.g.w.policy;
    ev.policy.people = people;
    ev.policy.n_people = everybody(&play.g, play.g.w.policy, people);
    must(stage_step(&play.g, &ev));
    text_put(&play.say, "ok");
}

static inline void do_restart(void)
{
    restore(&play.g, &play.g.w, true);
    must(stage_tick(&play.g));
    text_put(&play.say, "ok");
}

/* DURATION that the host was down, as its clock says afterwards. */
static inline void do_reboot(void)
{
    play.g.now.wall.us += need_signed() * SECOND_US;
    play.g.now.boot.us = 60 * SECOND_US;
    restore(&play.g, &play.g.w, false);
    for (size_t i = 0; i < play.g.store.n_requests; i++) { /* what later starts will find */
        const struct request *r = world_request(&play.g.w, play.g.store.requests[i].id);

        if (r)
            play.g.store.requests[i] = *r;
    }
    must(stage_tick(&play.g));
    text_put(&play.say, "ok");
}

#include "script_look.h"

/* ---- the play ------------------------------------------------------------------------------- */

static const struct verb {
    const char *word;
    bool acted; /* somebody does it: their name comes first */
    void (*run)(void);
} VERBS[] = {
    {"request", true, do_request},
    {"approve", true, do_approve},
    {"reject", true, do_reject},
    {"cancel", true, do_cancel},
    {"revoke", true, do_revoke},
    {"extend", true, do_extend},
    {"gate", true, do_gate},
    {"open", true, do_open},
    {"many", true, do_many},
    {"close", true, do_close},
    {"confirm", true, do_confirm},
    {"sees", true, do_sees},
    {"can-decide", true, do_can_decide},
    {"why", true, do_why},
    {"gone", false, do_gone},
    {"escape", false, do_escape},
    {"lost", false, do_lost},
    {"pass", false, do_pass},
    {"tick", false, do_tick},
    {"sleep", false, do_sleep},
    {"wall", false, do_wall},
    {"boot", false, do_boot},
    {"group", false, do_group},
    {"look", false, do_look},
    {"policy", false, do_policy},
    {"list", false, do_list},
    {"restart", false, do_restart},
    {"reboot", false, do_reboot},
    {"state", false, do_state},
    {"grants", false, do_grants},
    {"window", false, do_window},
    {"revoker", false, do_revoker},
    {"extension", false, do_extension},
    {"session", false, do_session},
    {"waiting", false, do_waiting},
    {"approvers", false, do_approvers},
    {"trail", false, do_trail},
    {"detail", false, do_detail},
    {"acts", false, do_acts},
    {"wake", false, do_wake},
};

static inline void run_line(char *line)
{
    char *first = next_word(&line, " "), *second;

    play.say = text_over(play.got, sizeof play.got);
    for (size_t i = 0; i < sizeof VERBS / sizeof VERBS[0]; i++)
        if (!VERBS[i].acted && strcmp(first, VERBS[i].word) == 0) {
            play.args = line;
            VERBS[i].run();
            return;
        }
    second = next_word(&line, " ");
    for (size_t i = 0; second && i < sizeof VERBS / sizeof VERBS[0]; i++)
        if (VERBS[i].acted && strcmp(second, VERBS[i].word) == 0) {
            read_actor(first);
            play.args = line;
            VERBS[i].run();
            return;
        }
    broken("no such verb");
}

static inline bool matches(const char *want, const char *got)
{
    const char *colon = strstr(got, ": "), *part = strstr(want, ":~ ");
    size_t head = colon ? (size_t)(colon - got) : strlen(got), n;

    if (!want[0])
        return strncmp(got, "done", 4) == 0 || strncmp(got, "yes", 3) == 0 ||
               strcmp(got, "ok") == 0;
    if (part)
        return (size_t)(part - want) == head && strncmp(want, got, head) == 0 && colon &&
               strstr(colon, part + 3);
    if (strstr(want, ": "))
        return strcmp(want, got) == 0;
    n = strlen(want);
    return n <= head && strncmp(want, got, n) == 0 && (n == head || got[n] == ' ');
}

static void play_row(void **state)
{
    char script[8192], *at = script, *line;

    play.row = *state;
    play.asked = 0;
    play.line = "policy";
    stage_check(strlen(play.row->script) < sizeof script, play.row->says);
    memcpy(script, play.row->script, strlen(play.row->script) + 1);
    stage_set(&play.g);
    load_policy(false);
    while ((line = next_word(&at, "\n"))) {
        char whole[512], words[512], *want;

        snprintf(whole, sizeof whole, "%s", line);
        snprintf(words, sizeof words, "%s", line);
        play.line = whole;
        want = strstr(words, " => ");
        if (want)
            *want = '\0';
        want = want ? want + 4 : words + strlen(words);
        run_line(words);
        if (!matches(want, play.got))
            broken("but: %s", play.got);
    }
}

/* Every row is a test whose name is its sentence. */
static inline int play_rows(const char *group, const struct row *rows, size_t n)
{
    struct CMUnitTest *tests = calloc(n, sizeof *tests);
    int failed;

    stage_check(tests != NULL, "no memory");
    for (size_t i = 0; i < n; i++) {
        void *row;

        memcpy(&row, &(const struct row *){&rows[i]}, sizeof row);
        tests[i] =
            (struct CMUnitTest){.name = rows[i].says, .test_func = play_row, .initial_state = row};
    }
    failed = _cmocka_run_group_tests(group, tests, n, NULL, NULL);
    free(tests);
    return failed;
}
