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

#include "script_act.h"

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
static inline void load_policy(bool second,
                               const char *(*step)(struct stage *, const struct event *))
{
    char text[4096];
    const char *cut = strstr(play.row->policy, "--\n");

    if (second)
        snprintf(text, sizeof text, "%s", cut + 3);
    else
        snprintf(text, sizeof text, "%.*s",
                 (int)(cut ? cut - play.row->policy : (long)strlen(play.row->policy)),
                 play.row->policy);
    must(stage_load(&play.g, text, step));
}

/* first | second */
static inline void do_policy(void)
{
    load_policy(strcmp(need(), "second") == 0, stage_step);
    text_put(&play.say, "ok");
}

/* first | second: what AWS has by now, under the same policy. */
static inline void do_aws(void)
{
    bool second = strcmp(need(), "second") == 0;
    const char *cut = strstr(play.row->policy, "--\n");
    char text[4096];

    snprintf(text, sizeof text, "%s", second ? cut + 3 : play.row->policy);
    if (!second && cut)
        text[cut - play.row->policy] = '\0';
    must(stage_directory(&play.g, text, stage_step));
    must(stage_settle(&play.g));
    text_put(&play.say, "ok");
}

/* NAME | second: what has become known, person or policy, before anything is decided by it. */
static inline void do_note(void)
{
    play.g.store.n_trail = play.g.store.n_acts = 0;
    if (flag("second")) {
        load_policy(true, stage_step_once);
    } else {
        struct person who = person_of(&play.g, play.g.w.policy, need_member());

        must(stage_step_once(&play.g, &(struct event){.kind = EV_PERSON, .person = &who}));
    }
    if (!play.g.out.more)
        broken("noted, and nobody asks for the tick");
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
    {"admin", true, do_admin},
    {"gate", true, do_gate},
    {"offer", true, do_offer},
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
    {"note", false, do_note},
    {"list", false, do_list},
    {"restart", false, do_restart},
    {"reboot", false, do_reboot},
    {"state", false, do_state},
    {"grants", false, do_grants},
    {"window", false, do_window},
    {"revoker", false, do_revoker},
    {"extension", false, do_extension},
    {"session", false, do_session},
    {"record", false, do_record},
    {"waiting", false, do_waiting},
    {"progress", false, do_progress},
    {"approvers", false, do_approvers},
    {"trail", false, do_trail},
    {"detail", false, do_detail},
    {"acts", false, do_acts},
    {"wake", false, do_wake},
    {"courier", false, do_courier},
    {"errands", false, do_errands},
    {"failure", false, do_failure},
    {"credentials", false, do_credentials},
    {"aws", false, do_aws},
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
    load_policy(false, stage_step);
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
