/* teamctl: finds the verb, reads its options, runs it. The table of verbs is the only place that
 * says what there is; help and errors follow from it. */
#include "teamctl.h"

#include <fcntl.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* clang-format off */

#define FORMS   (BIT(OPT_JSON) | BIT(OPT_CSV))
#define SERVICE BIT(OPT_SERVICE)
#define PERIOD  (BIT(OPT_SINCE) | BIT(OPT_UNTIL))

const struct verb VERBS[] = {
    { "", "", verb_dashboard, "my elevations, my open requests, and what waits for my decision",
      "teamctl", FORMS | BIT(OPT_VERSION), 0, 0, NULL, ARGS_NONE },
    { "request", "TARGET... --for D --reason TEXT [--ticket ID] [--start TIME] [--wait[=5m]]",
      verb_request, "ask for an elevation; prints the id of the request",
      "teamctl request sudo --for 1h --reason \"rotate the certificates\"",
      BIT(OPT_FOR) | BIT(OPT_REASON) | BIT(OPT_TICKET) | BIT(OPT_START) | BIT(OPT_WAIT) | BIT(OPT_JSON),
      1, ARGS_MANY, "what you want to use", ARGS_TARGETS },
    { "pending", "", verb_pending, "what waits for my decision",
      "teamctl pending", FORMS, 0, 0, NULL, ARGS_NONE },
    { "approve", "ID... [--comment TEXT]", verb_approve, "let requests or extensions through",
      "teamctl approve K7QF --comment \"go ahead\"", BIT(OPT_COMMENT), 1, ARGS_MANY, "which requests", ARGS_TO_DECIDE },
    { "reject", "ID... [--comment TEXT]", verb_reject, "turn requests or extensions down",
      "teamctl reject K7QF --comment \"not during the freeze\"", BIT(OPT_COMMENT), 1, ARGS_MANY, "which requests", ARGS_TO_DECIDE },
    { "cancel", "ID", verb_cancel, "take back my own request before it is active",
      "teamctl cancel K7QF", 0, 1, 1, "which request", ARGS_TO_CANCEL },
    { "revoke", "ID [--comment TEXT]", verb_revoke, "end an elevation before its time",
      "teamctl revoke K7QF --comment \"done early\"", BIT(OPT_COMMENT) | BIT(OPT_YES), 1, 1, "which request", ARGS_TO_REVOKE },
    { "extend", "ID --for D --reason TEXT", verb_extend, "ask for more time while it is active",
      "teamctl extend K7QF --for 30m --reason \"the rebuild is slow\"", BIT(OPT_FOR) | BIT(OPT_REASON), 1, 1, "which request", ARGS_TO_EXTEND },
    { "list", "[--mine] [--state S,...] [--user U] [--target PATTERN] [--since TIME] [--until TIME] [--limit N]",
      verb_list, "the requests I may see, newest first", "teamctl list --state pending,active --since today",
      BIT(OPT_MINE) | BIT(OPT_STATE) | BIT(OPT_USER) | BIT(OPT_TARGET) | PERIOD | BIT(OPT_LIMIT) | FORMS, 0, 0, NULL, ARGS_NONE },
    { "show", "ID", verb_show, "one request, whole: decisions, grants, sessions, and what was done in AWS",
      "teamctl show K7QF", BIT(OPT_JSON), 1, 1, "which request", ARGS_REQUEST },
    { "targets", "", verb_targets, "what I may ask for, for how long, and who would approve",
      "teamctl targets", FORMS, 0, 0, NULL, ARGS_NONE },
    { "sessions", "", verb_sessions, "live sessions that I may see, oldest first",
      "teamctl sessions", FORMS, 0, 0, NULL, ARGS_NONE },
    { "audit", "[--since TIME] [--until TIME] [--user U] [--action WORD] [--request ID] [--follow]",
      verb_audit, "the audit trail, oldest first", "teamctl audit --since 2026-11-01 --csv > november.csv",
      PERIOD | BIT(OPT_USER) | BIT(OPT_ACTION) | BIT(OPT_REQUEST) | BIT(OPT_FOLLOW) | FORMS, 0, 0, NULL, ARGS_NONE },
    { "logs", "ID [--follow] [--grep TEXT] [--since TIME] [--until TIME] [--source aws|host] [--errors] [--raw] [--all]\n"
      "   or: teamctl logs --search TEXT [--user U] [--since TIME] [--until TIME] [--errors] [--raw]",
      verb_logs, "what was done under a request, on the host and in AWS, by time", "teamctl logs K7QF --follow",
      PERIOD | BIT(OPT_FOLLOW) | BIT(OPT_GREP) | BIT(OPT_SOURCE) | BIT(OPT_ERRORS) | BIT(OPT_RAW) | BIT(OPT_ALL) |
      BIT(OPT_SEARCH) | BIT(OPT_USER) | FORMS, 0, 1, NULL, ARGS_REQUEST },
    { "watch", "", verb_watch, "events that concern me, as they happen",
      "teamctl watch", FORMS, 0, 0, NULL, ARGS_NONE },
    { "why", "[--user U] TARGET [--for D]", verb_why, "may I, and if not, what is missing",
      "teamctl why sudo --for 2h", BIT(OPT_USER) | BIT(OPT_FOR) | FORMS, 1, 1, "which target", ARGS_TARGETS },
    { "reload", "", verb_reload, "make teamd read its configuration again (admins and root)",
      "sudo teamctl reload", 0, 0, 0, NULL, ARGS_NONE },
    { "status", "", verb_status, "how teamd is doing (admins and root)",
      "sudo teamctl status", FORMS, 0, 0, NULL, ARGS_NONE },
    { "doctor", "", verb_doctor, "does everything around teamd fit together? (root sees most)",
      "sudo teamctl doctor", FORMS, 0, 0, NULL, ARGS_NONE },
    { "refresh", "", verb_refresh, "have AWS read now; waits for it (admins and root)",
      "sudo teamctl refresh", BIT(OPT_JSON), 0, 0, NULL, ARGS_NONE },
    { "reconcile", "", verb_reconcile, "compare with what AWS has, and mend it; waits for it (admins and root)",
      "sudo teamctl reconcile", BIT(OPT_JSON), 0, 0, NULL, ARGS_NONE },
    { "drift", "", verb_drift, "assignments in AWS that nobody approved, as of now (auditors, admins, root)",
      "sudo teamctl drift --csv > drift.csv", FORMS, 0, 0, NULL, ARGS_NONE },
    { "backup", "FILE", verb_backup, "copy the store to a new file (admins and root)",
      "sudo teamctl backup /var/backups/team.mdb", 0, 1, 1, "which file", ARGS_FILE },
    { "pam install", "[--service S]... [--wait[=5m]] [--prompt [--prompt-for D]] [--within D] [--yes]", verb_pam_install,
      "put the gate into sudo and other services; taken back unless confirmed (root)",
      "sudo teamctl pam install --wait --prompt",
      SERVICE | BIT(OPT_WAIT) | BIT(OPT_PROMPT) | BIT(OPT_PROMPT_FOR) | BIT(OPT_WITHIN) | BIT(OPT_YES), 0, 0, NULL, ARGS_NONE },
    { "pam confirm", "", verb_pam_confirm, "let it stay, from a login that has come since (root)",
      "sudo teamctl pam confirm", 0, 0, 0, NULL, ARGS_NONE },
    { "pam undo", "", verb_pam_undo, "take back at once what is not confirmed (root)",
      "sudo teamctl pam undo", 0, 0, 0, NULL, ARGS_NONE },
    { "pam remove", "[--service S]... [--yes]", verb_pam_remove, "give the original files back (root)",
      "sudo teamctl pam remove", SERVICE | BIT(OPT_YES), 0, 0, NULL, ARGS_NONE },
    { "pam status", "[--service S]...", verb_pam_status, "which services are behind the gate (root)",
      "sudo teamctl pam status", SERVICE | FORMS, 0, 0, NULL, ARGS_NONE },
    { "pam guard", "", verb_pam_guard, "wait, and take back what nobody confirms; team-pam-undo.service",
      "systemctl status team-pam-undo", 0, 0, 0, NULL, ARGS_NONE },
    { "help", "[VERB]", verb_help, "what there is, or all about one verb",
      "teamctl help request", 0, 0, 2, NULL, ARGS_VERB },
    { "__complete", "-- WORD...", verb_complete, "the words that may come next, for the shells",
      "teamctl __complete -- approve K7", 0, 0, ARGS_MANY, NULL, ARGS_NONE },
};
const size_t N_VERBS = sizeof VERBS / sizeof VERBS[0];

/* clang-format on */

/* ---- verbs by name ----------------------------------------------------------------------------
 */

/* "" for those that nobody means. */
static const char *verb_name(size_t i)
{
    return VERBS[i].name[0] == '_' ? "" : VERBS[i].name;
}

enum verb_match verb_match(const struct verb *v, const char *word)
{
    size_t n = strlen(word);

    if (n == 0 || strncmp(v->name, word, n) != 0)
        return VERB_OTHER;
    return v->name[n] == '\0' ? VERB_WHOLE : v->name[n] == ' ' ? VERB_FIRST_WORD : VERB_OTHER;
}

/* The verb that these words name, the second of which may be NULL; NULL after a complaint. *n is
 * how many of them it takes. */
static const struct verb *verb_find(const struct call *c, const char *word, const char *second,
                                    size_t *n)
{
    const char *meant;
    char name[64];

    snprintf(name, sizeof name, "%s", word);
    *n = 1;
    for (size_t i = 0; i < N_VERBS; i++)
        if (verb_match(&VERBS[i], word) == VERB_FIRST_WORD && *n == 1) {
            snprintf(name, sizeof name, "%s %s", word, second ? second : "");
            *n = 2;
        }
    for (size_t i = 0; i < N_VERBS; i++)
        if (verb_match(&VERBS[i], name) == VERB_WHOLE)
            return &VERBS[i];
    meant = nearest(name, verb_name, N_VERBS);
    if (*n == 2 && (!second || second[0] == '-'))
        complain(c, NULL, "%s what? See teamctl help %s", word, word);
    else if (meant)
        complain(c, NULL, "there is no verb \"%s\"; did you mean %s?", name, meant);
    else
        complain(c, NULL, "there is no verb \"%s\"; see teamctl help", name);
    return NULL;
}

/* ---- help -------------------------------------------------------------------------------------
 */

static void put_usage(struct out *o, const struct verb *v)
{
    const char *const pieces[] = {"usage: teamctl", v->name[0] != '\0' ? " " : "", v->name,
                                  v->synopsis[0] != '\0' ? " " : "", v->synopsis};

    for (size_t i = 0; i < sizeof pieces / sizeof pieces[0]; i++)
        out_text(o, pieces[i]);
}

static void put_options(struct out *o, uint32_t options)
{
    for (size_t i = 0; i < OPT_COUNT; i++) {
        const struct option_spec *spec = &OPTIONS[i];
        char left[64];

        if (!(options & BIT(i)))
            continue;
        snprintf(left, sizeof left, "  --%s%s%s%s", spec->name,
                 spec->takes == TAKES_MAYBE ? "[="
                 : takes_word(spec)         ? " "
                                            : "",
                 spec->value ? spec->value : "", spec->takes == TAKES_MAYBE ? "]" : "");
        out_padded(o, left, 20);
        out_text(o, "  ");
        out_text(o, spec->does);
        out_text(o, "\n");
    }
}

static void help_verb(struct out *o, const struct verb *v)
{
    put_usage(o, v);
    out_text(o, "\n\n");
    out_text(o, v->does);
    out_text(o, "\n\n");
    put_options(o, v->options | BIT(OPT_SOCKET) | BIT(OPT_HELP));
    out_text(o, "\nexample: ");
    out_text(o, v->example);
    out_text(o, "\n");
}

static void put_verb(struct out *o, const struct verb *v)
{
    if (v->name[0] == '_')
        return;
    out_text(o, "  ");
    out_padded(o, v->name, 13);
    out_text(o, v->does);
    out_text(o, "\n");
}

/* All verbs of two words, of which this is the first, with what each of them takes; false if there
 * are none. */
static bool help_group(struct out *o, const char *word)
{
    bool any = false;

    for (size_t i = 1; i < N_VERBS; i++) {
        if (verb_match(&VERBS[i], word) != VERB_FIRST_WORD)
            continue;
        out_text(o, any ? "\n" : "");
        put_usage(o, &VERBS[i]);
        out_text(o, "\n  ");
        out_text(o, VERBS[i].does);
        out_text(o, "\n");
        put_options(o, VERBS[i].options);
        any = true;
    }
    return any;
}

/* `teamctl pam --help`, before it is a verb. */
static bool help_is_wanted(const char *word)
{
    return word && (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0);
}

static void help_all(struct out *o)
{
    put_usage(o, &VERBS[0]);
    out_text(o, " [VERB] [ARGUMENTS]\n\nWithout a verb: ");
    out_text(o, VERBS[0].does);
    out_text(o, ".\n\n");
    for (size_t i = 1; i < N_VERBS; i++)
        put_verb(o, &VERBS[i]);
    out_text(o, "\n");
    put_options(o, VERBS[0].options | BIT(OPT_SOCKET) | BIT(OPT_HELP));
    out_text(o, "\nteamctl help VERB shows the options of a verb, and an example.\n");
}

int verb_help(struct call *c)
{
    const struct verb *v = NULL;
    size_t words = 0;

    if (c->n_args == 1 && help_group(c->out, c->args[0]))
        return TEAM_DONE;
    if (c->n_args > 0) {
        v = verb_find(c, c->args[0], c->args[1], &words);
        if (!v)
            return TEAM_USAGE;
    }
    if (c->n_args > words) {
        complain(c, NULL, "\"%s\" is one too many; see teamctl help help", c->args[words]);
        return TEAM_USAGE;
    }
    if (v)
        help_verb(c->out, v);
    else
        help_all(c->out);
    return TEAM_DONE;
}

/* ---- one run ----------------------------------------------------------------------------------
 */

/* Somebody may start us with standard descriptors closed; nothing that is opened here may become
 * one of them. What is put in their place cannot be written to, so that lost output is noticed. */
static void keep_standard_descriptors(void)
{
    int fd = open("/dev/null", O_RDONLY);

    while (fd >= 0 && fd <= STDERR_FILENO)
        fd = dup(fd);
    if (fd > STDERR_FILENO)
        close(fd);
}

static int64_t now_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static int read_command_line(struct call *c, int argc, char **argv, bool *over)
{
    int i = 1, r;
    size_t words;

    r = options_read(c, argc, argv, &i, true);
    if (r != 0 || i == argc)
        return r;
    if (help_is_wanted(argv[i + 1]) && help_group(c->out, argv[i])) {
        *over = true;
        return 0;
    }
    c->verb = verb_find(c, argv[i], argv[i + 1], &words);
    if (!c->verb)
        return TEAM_USAGE;
    i += (int)words;
    return options_read(c, argc, argv, &i, false);
}

static const char *socket_path(const struct call *c)
{
    const char *path = getenv("TEAM_SOCKET");

    if (c->given[OPT_SOCKET])
        return c->given[OPT_SOCKET];
    return path && path[0] != '\0' ? path : TEAM_CONTROL_SOCKET;
}

static int run(struct call *c, int argc, char **argv)
{
    bool over = false; /* all was said by reading it */
    int r = read_command_line(c, argc, argv, &over);

    if (r != 0 || over)
        return r;
    if (c->given[OPT_HELP]) {
        if (c->verb == &VERBS[0])
            help_all(c->out);
        else
            help_verb(c->out, c->verb);
        return TEAM_DONE;
    }
    r = options_check(c);
    if (r != 0)
        return r;
    if (c->given[OPT_VERSION]) {
        out_text(c->out, "teamctl " TEAM_RELEASE "\n");
        return TEAM_DONE;
    }
    if (c->given[OPT_JSON])
        c->look.form = FORM_JSON;
    else if (c->given[OPT_CSV])
        c->look.form = FORM_CSV;
    c->talk.path = socket_path(c);
    r = c->verb->run(c);
    talk_close(&c->talk);
    return r;
}

int main(int argc, char **argv)
{
    static struct out out = {.fd = STDOUT_FILENO};
    static struct call call = {.verb = &VERBS[0], .out = &out};
    int r;

    keep_standard_descriptors();
    setlocale(LC_CTYPE, "");
    tzset();
    call.look = look_at(STDOUT_FILENO, now_us());
    call.args = calloc((size_t)argc + 1, sizeof *call.args);
    call.services = calloc((size_t)argc + 1, sizeof *call.services);
    if (!call.args || !call.services) {
        complain(&call, NULL, "out of memory");
        return TEAM_FAILED;
    }

    r = run(&call, argc, argv);
    free(call.args);
    free(call.services);
    out_flush(&out);
    if (out.error == 0)
        return r;
    complain(&call, NULL, "cannot write: %s", strerror(out.error));
    return r != 0 ? r : TEAM_FAILED;
}
