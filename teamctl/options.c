#include "teamctl.h"

#include <stdio.h>

/* clang-format off */
const struct option_spec OPTIONS[OPT_COUNT] = {
    [OPT_FOR]     = { "for",     "D",       TAKES_VALUE,   "for how long: 45s, 30m, 2h, 1h30m, 2d" },
    [OPT_REASON]  = { "reason",  "TEXT",    TAKES_VALUE,   "why; it is shown to those who decide, and kept" },
    [OPT_TICKET]  = { "ticket",  "ID",      TAKES_VALUE,   "the ticket that this belongs to" },
    [OPT_START]   = { "start",   "TIME",    TAKES_VALUE,   "when: +30m, 14:00, \"2026-11-22 14:00\" or RFC 3339; without it, as soon as approved" },
    [OPT_WAIT]    = { "wait",    "D",       TAKES_MAYBE,   "wait for the approval, or for whatever comes of it; at most D, 5m without it" },
    [OPT_COMMENT] = { "comment", "TEXT",    TAKES_VALUE,   "what to say about it; the requester sees it" },
    [OPT_MINE]    = { "mine",    NULL,      TAKES_NOTHING, "only my own" },
    [OPT_STATE]   = { "state",   "S,...",   TAKES_VALUE,   "only in these states, such as pending,active" },
    [OPT_USER]    = { "user",    "USER",    TAKES_VALUE,   "only this person" },
    [OPT_TARGET]  = { "target",  "PATTERN", TAKES_VALUE,   "only for targets like this, such as 'host:bastion-*/sudo'" },
    [OPT_SINCE]   = { "since",   "TIME",    TAKES_VALUE,   "not before: 2h (ago), today, 14:00, 2026-11-22 or RFC 3339" },
    [OPT_UNTIL]   = { "until",   "TIME",    TAKES_VALUE,   "not after; TIME as in --since" },
    [OPT_LIMIT]   = { "limit",   "N",       TAKES_VALUE,   "at most N of them" },
    [OPT_ACTION]  = { "action",  "WORD",    TAKES_VALUE,   "only this action, such as session.open; teamctl(1) has all" },
    [OPT_REQUEST] = { "request", "ID",      TAKES_VALUE,   "only about this request" },
    [OPT_FOLLOW]  = { "follow",  NULL,      TAKES_NOTHING, "go on with what happens from now on, until interrupted; --since begins earlier" },
    [OPT_YES]     = { "yes",     NULL,      TAKES_NOTHING, "do not ask whether I am sure" },
    [OPT_SERVICE] = { "service", "S",       TAKES_MANY,    "this one; may be given several times. Without it: sudo and sudo-i" },
    [OPT_WITHIN]  = { "within",  "D",       TAKES_VALUE,   "how long to wait for the confirmation; 2m without it" },
    [OPT_PROMPT]  = { "prompt",  NULL,      TAKES_NOTHING, "sudo asks who has no request for a reason, and makes one" },
    [OPT_PROMPT_FOR] = { "prompt-for", "D", TAKES_VALUE,   "for how long it asks; 1h without it" },
    [OPT_GREP]    = { "grep",    "TEXT",    TAKES_VALUE,   "only what has this text in it, the records of AWS included" },
    [OPT_SOURCE]  = { "source",  "S",       TAKES_VALUE,   "only this: aws or host" },
    [OPT_ERRORS]  = { "errors",  NULL,      TAKES_NOTHING, "only calls of AWS that were refused or did not work" },
    [OPT_RAW]     = { "raw",     NULL,      TAKES_NOTHING, "CloudTrail's records as they are, one JSON object a line" },
    [OPT_ALL]     = { "all",     NULL,      TAKES_NOTHING, "every call a line of its own, those that only read too" },
    [OPT_SEARCH]  = { "search",  "TEXT",    TAKES_VALUE,   "look for this text in what was done under all requests I may see" },
    [OPT_JSON]    = { "json",    NULL,      TAKES_NOTHING, "one JSON object a line" },
    [OPT_CSV]     = { "csv",     NULL,      TAKES_NOTHING, "comma-separated values, with a header" },
    [OPT_SOCKET]  = { "socket",  "PATH",    TAKES_VALUE,   "teamd's socket, instead of $TEAM_SOCKET" },
    [OPT_HELP]    = { "help",    NULL,      TAKES_NOTHING, "this" },
    [OPT_VERSION] = { "version", NULL,      TAKES_NOTHING, "the version of teamctl" },
};
/* clang-format on */

/* ---- what was meant? --------------------------------------------------------------------------
 */

enum { WORD_MAX = 24 };

static size_t min3(size_t a, size_t b, size_t c)
{
    size_t least = a < b ? a : b;

    return least < c ? least : c;
}

/* How many letters are to be typed differently; two that changed places count as one (optimal
 * string alignment). */
static size_t distance(const char *a, const char *b)
{
    size_t d[WORD_MAX + 1][WORD_MAX + 1];
    size_t n = strlen(a), m = strlen(b);

    if (n > WORD_MAX || m > WORD_MAX)
        return WORD_MAX;
    for (size_t i = 0; i <= n; i++)
        for (size_t j = 0; j <= m; j++) {
            if (i == 0 || j == 0) {
                d[i][j] = i + j;
                continue;
            }
            d[i][j] = min3(d[i - 1][j] + 1, d[i][j - 1] + 1,
                           d[i - 1][j - 1] + (a[i - 1] != b[j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                d[i][j] = min3(d[i][j], d[i][j], d[i - 2][j - 2] + 1);
        }
    return d[n][m];
}

const char *nearest(const char *word, const char *(*name)(size_t i), size_t n)
{
    size_t best = strlen(word) / 3 + 2; /* more than every third letter wrong is another word */
    const char *found = NULL;

    for (size_t i = 0; i < n; i++) {
        const char *other = name(i);
        size_t far = other[0] == '\0' ? best : distance(word, other);

        /* The beginning of a name is near too. */
        if (far >= best && strlen(word) >= 3 && strncmp(word, other, strlen(word)) == 0)
            far = best - 1;
        if (far < best) {
            best = far;
            found = other;
        }
    }
    return found;
}

/* ---- reading ----------------------------------------------------------------------------------
 */

static const char *option_name(size_t i)
{
    return OPTIONS[i].name;
}

/* Finds NAME in "NAME" or "NAME=VALUE". */
static enum option option_find(const char *s)
{
    size_t n = strcspn(s, "=");

    for (size_t i = 0; i < OPT_COUNT; i++)
        if (strlen(OPTIONS[i].name) == n && strncmp(OPTIONS[i].name, s, n) == 0)
            return (enum option)i;
    return OPT_COUNT;
}

/* What to type to learn more. */
static const char *help_of(const struct verb *v)
{
    static char line[64];
    struct text t = text_over(line, sizeof line);

    text_put(&t, "teamctl help ");
    text_put(&t, v->name);
    if (v->name[0] == '\0')
        line[t.len - 1] = '\0';
    return line;
}

static int unknown(const struct call *c, const char *arg)
{
    char name[WORD_MAX + 1];
    struct text t = text_over(name, sizeof name);
    const char *meant;

    text_put_n(&t, arg + 2, strcspn(arg + 2, "="));
    meant = strncmp(arg, "--", 2) == 0 && !t.cut ? nearest(name, option_name, OPT_COUNT) : NULL;
    if (meant)
        complain(c, NULL, "there is no option %s; did you mean --%s?", arg, meant);
    else
        complain(c, NULL, "there is no option %s; see %s", arg, help_of(c->verb));
    return TEAM_USAGE;
}

/* Takes the option in argv[*i], and its value with it. */
static int take_option(struct call *c, int argc, char **argv, int *i)
{
    const char *arg = argv[*i], *value = strchr(arg, '=');
    enum option o = strcmp(arg, "-h") == 0       ? OPT_HELP
                    : strncmp(arg, "--", 2) == 0 ? option_find(arg + 2)
                                                 : OPT_COUNT;
    const struct option_spec *spec = &OPTIONS[o < OPT_COUNT ? o : 0];

    if (o == OPT_COUNT)
        return unknown(c, arg);
    if (value) {
        value++;
    } else if (takes_word(spec) && *i + 1 < argc) {
        value = argv[++*i];
        /* `--reason --for 1h` has lost its reason; somebody who means it can write --reason=--for
         */
        if (strncmp(value, "--", 2) == 0 && option_find(value + 2) != OPT_COUNT)
            value = NULL;
    }
    if (value ? value[0] == '\0' && spec->takes != TAKES_NOTHING : takes_word(spec)) {
        complain(c, NULL, "--%s needs a value: --%s%s%s", spec->name, spec->name,
                 takes_word(spec) ? " " : "=", spec->value);
        return TEAM_USAGE;
    }
    if (spec->takes == TAKES_NOTHING && value) {
        complain(c, NULL, "--%s takes no value", spec->name);
        return TEAM_USAGE;
    }
    if (c->given[o] && spec->takes != TAKES_NOTHING && spec->takes != TAKES_MANY) {
        complain(c, NULL, "--%s is given twice; which of them is it?", spec->name);
        return TEAM_USAGE;
    }
    c->given[o] = value ? value : "";
    if (o == OPT_SERVICE)
        c->services[c->n_services++] = value;
    return 0;
}

int options_read(struct call *c, int argc, char **argv, int *i, bool to_verb)
{
    bool no_more = false;
    int r;

    for (; *i < argc; ++*i) {
        char *arg = argv[*i];

        if (!no_more && strcmp(arg, "--") == 0) {
            no_more = true;
        } else if (!no_more && arg[0] == '-' && arg[1] != '\0') {
            r = take_option(c, argc, argv, i);
            if (r != 0)
                return r;
        } else if (to_verb) {
            return 0;
        } else {
            c->args[c->n_args++] = arg;
        }
    }
    return 0;
}

int options_check(struct call *c)
{
    const struct verb *v = c->verb;
    uint32_t takes = v->options | BIT(OPT_SOCKET) | BIT(OPT_HELP);

    for (size_t i = 0; i < OPT_COUNT; i++)
        if (c->given[i] && !(takes & BIT(i))) {
            complain(c, NULL, "--%s means nothing here; see %s", OPTIONS[i].name, help_of(v));
            return TEAM_USAGE;
        }
    if (c->given[OPT_JSON] && c->given[OPT_CSV]) {
        complain(c, NULL, "--json and --csv: choose one");
        return TEAM_USAGE;
    }
    if (c->n_args < v->args_min) {
        complain(c, NULL, "say %s; for example: %s", v->wants, v->example);
        return TEAM_USAGE;
    }
    if (c->n_args > v->args_max) {
        complain(c, NULL, "\"%s\" is one too many; see %s", c->args[v->args_max], help_of(v));
        return TEAM_USAGE;
    }
    return 0;
}
