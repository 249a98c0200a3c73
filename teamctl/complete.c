/* The words that may stand next on the command line, for the shells' completion: one a line, with a
 * blank description behind a tab. The files in conf/completion call
 *     teamctl __complete -- WORD...
 * where the last word is the one that is being typed. Whatever goes wrong, there are no words. */
#include "teamctl.h"

#include <team/actions.h>

enum { PATIENCE_MS = 1000 }; /* somebody waits with a finger on the key */

struct completion {
    struct call *c;
    char **words; /* before the one that is typed */
    size_t n;
    const char *before; /* "--state=pending,": is put in front of every word */
    size_t before_len;
    const char *typed;       /* the rest of it */
    const char *group;       /* the first of two words of a verb, so far; NULL */
    const struct verb *verb; /* NULL: none yet, or one that there is not */
    bool has_verb;
    size_t arguments; /* of the verb, so far */
};

/* ---- words out --------------------------------------------------------------------------------
 */

/* Completion types for people what others have chosen: nothing that a shell would act on. */
static bool is_harmless(const char *s)
{
    return s[strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._:/@+,-")] ==
           '\0';
}

static void offer(const struct completion *p, const char *word, const char *description)
{
    struct out *o = p->c->out;

    if (strncmp(word, p->typed, strlen(p->typed)) != 0 || !is_harmless(word))
        return;
    out_put(o, p->before, p->before_len);
    out_text(o, word);
    out_text(o, "\t");
    out_text(o, description);
    out_text(o, "\n");
}

static void offer_each(const struct completion *p, const char *const words[])
{
    for (size_t i = 0; words[i]; i++)
        offer(p, words[i], "");
}

/* The shell knows the files. */
static void offer_files(const struct completion *p)
{
    out_text(p->c->out, ":files\n");
}

/* The word of it that comes next; those of two words are offered as one first. */
static void offer_verb(const struct completion *p, size_t i)
{
    const struct verb *v = &VERBS[i];
    const char *second = strchr(v->name, ' ');
    char first[16];

    if (v->name[0] == '\0' || v->name[0] == '_')
        return;
    if (p->group) {
        if (verb_match(v, p->group) == VERB_FIRST_WORD)
            offer(p, second + 1, v->does);
        return;
    }
    if (!second) {
        offer(p, v->name, v->does);
        return;
    }
    snprintf(first, sizeof first, "%.*s", (int)(second - v->name), v->name);
    if (verb_match(v - 1, first) != VERB_FIRST_WORD)
        offer(p, first, "see teamctl help");
}

static void offer_verbs(const struct completion *p)
{
    for (size_t i = 0; i < N_VERBS; i++)
        offer_verb(p, i);
}

/* ---- what teamd knows -------------------------------------------------------------------------
 */

static void ask_teamd(struct completion *p, struct wire_out *ask, talk_row *each)
{
    struct answer a;

    talk_ask(&p->c->talk, ask, PATIENCE_MS, each, p, &a);
}

static bool is_given(const struct completion *p, const char *id)
{
    for (size_t i = 0; i < p->n; i++)
        if (strcasecmp(p->words[i], id) == 0)
            return true;
    return false;
}

/* "alice pending host:bastion-1/sudo: rotate the certificates" */
static void describe(struct wire_span row, char *out, size_t cap)
{
    char line[1024], words[512];
    struct text t = text_over(line, sizeof line);
    struct wire_span target = wire_find(row, TEAM_TARGET);

    wire_copy(row, TEAM_REQUESTER, words, sizeof words);
    text_put(&t, words);
    text_put(&t, " ");
    wire_copy(row, TEAM_STATE, words, sizeof words);
    text_put(&t, words);
    text_put(&t, " ");
    wire_copy(target, TEAM_TARGET_NAME, words, sizeof words);
    text_put(&t, words);
    text_put(&t, ": ");
    wire_copy(row, TEAM_REASON, words, sizeof words);
    text_put(&t, words);
    text_make_plain(out, cap, line, strlen(line));
}

/* Ids are written as they are typed: any case will do. */
static bool id_row(void *ctx, enum team_row kind, struct wire_span row)
{
    const struct completion *p = ctx;
    char id[TEXT_ID_LEN + 1], description[256];

    if (kind != TEAM_ROW_REQUEST)
        return true;
    wire_copy(row, TEAM_ID, id, sizeof id);
    for (size_t i = 0; strpbrk(p->typed, "abcdefghijklmnopqrstuvwxyz") && id[i] != '\0'; i++)
        if (id[i] >= 'A' && id[i] <= 'Z')
            id[i] = (char)(id[i] - 'A' + 'a');
    describe(row, description, sizeof description);
    if (!is_given(p, id))
        offer(p, id, description);
    return true;
}

/* Accounts by their names, unless a number is typed or the name would have to be quoted. */
static void offer_aws(const struct completion *p, struct wire_span row, const char *name)
{
    char account[256], set[40], by_name[320], plain[256];
    const char *slash = strrchr(name, '/');

    wire_copy(row, TEAM_ACCOUNT_NAME, account, sizeof account);
    text_make_plain(plain, sizeof plain, account, strlen(account));
    snprintf(set, sizeof set, "%s", slash ? slash + 1 : "");
    snprintf(by_name, sizeof by_name, "aws:%s/%s", account, set);
    if (!account[0] || !text_is_word(account, strlen(account)) ||
        (strncmp(p->typed, "aws:", 4) == 0 && p->typed[4] >= '0' && p->typed[4] <= '9'))
        snprintf(by_name, sizeof by_name, "%.300s", name);
    if (!is_given(p, name) && !is_given(p, by_name))
        offer(p, by_name, plain);
}

/* This host's targets can be called by their service. */
static bool target_row(void *ctx, enum team_row kind, struct wire_span row)
{
    const struct completion *p = ctx;
    char name[1024], policy[128], plain[128];
    const char *slash, *service;

    if (kind != TEAM_ROW_TARGET || !wire_copy(row, TEAM_TARGET_NAME, name, sizeof name))
        return true;
    if (strncmp(name, "aws:", 4) == 0) {
        offer_aws(p, row, name);
        return true;
    }
    wire_copy(row, TEAM_POLICY, policy, sizeof policy);
    text_make_plain(plain, sizeof plain, policy, strlen(policy));
    slash = strrchr(name, '/');
    service = strncmp(name, "host:", 5) == 0 && slash ? slash + 1 : name;
    if (is_given(p, name) || is_given(p, service))
        return true;
    if (strncmp(p->typed, "host:", 5) == 0 || p->before_len > 0)
        service = name;
    offer(p, service, plain);
    return true;
}

static void offer_requests(struct completion *p, const char *states)
{
    struct wire_out ask = talk_begin(&p->c->talk, TEAM_OP_LIST);

    wire_put(&ask, TEAM_STATES, states);
    wire_put_u64(&ask, TEAM_LIMIT, 100);
    ask_teamd(p, &ask, id_row);
}

static void offer_mine(struct completion *p, const char *states)
{
    struct wire_out ask = talk_begin(&p->c->talk, TEAM_OP_LIST);

    wire_put_u64(&ask, TEAM_MINE, 1);
    wire_put(&ask, TEAM_STATES, states);
    ask_teamd(p, &ask, id_row);
}

static void offer_pending(struct completion *p)
{
    struct wire_out ask = talk_begin(&p->c->talk, TEAM_OP_PENDING);

    ask_teamd(p, &ask, id_row);
}

static void offer_targets(struct completion *p)
{
    struct wire_out ask = talk_begin(&p->c->talk, TEAM_OP_TARGETS);

    ask_teamd(p, &ask, target_row);
}

/* ---- which words ------------------------------------------------------------------------------
 */

static const char *const STATES[] = {"pending",   "scheduled", "activating", "active",
                                     "ending",    "ended",     "revoked",    "rejected",
                                     "cancelled", "expired",   "failed",     NULL};
static const char *const DURATIONS[] = {"15m", "30m", "1h", "2h", "4h", NULL};
static const char *const PATIENCES[] = {"1m", "2m", "5m", "10m", NULL};
static const char *const SERVICES[] = {"sudo",      "sudo-i", "su",    "su-l",     "runuser",
                                       "runuser-l", "sshd",   "login", "polkit-1", NULL};
static const char *const SOURCES[] = {"aws", "host", NULL};
static const char *const AGO[] = {"1h", "1d", "7d", "today", "yesterday", NULL};
static const char *const AHEAD[] = {"+30m", "+1h", "tomorrow", NULL};

/* Goes on behind the last `mark` of what is typed. */
static void behind(struct completion *p, char mark)
{
    const char *at = strrchr(p->typed, mark);

    if (!at)
        return;
    p->before_len += (size_t)(at - p->typed) + 1;
    p->typed = at + 1;
}

static void offer_values(struct completion *p, enum option option)
{
    if (option == OPT_FOR || option == OPT_WAIT || option == OPT_PROMPT_FOR) {
        offer_each(p, DURATIONS);
    } else if (option == OPT_STATE) {
        behind(p, ',');
        offer_each(p, STATES);
    } else if (option == OPT_TARGET) {
        offer_targets(p);
    } else if (option == OPT_REQUEST) {
        offer_requests(p, "");
    } else if (option == OPT_SINCE || option == OPT_UNTIL) {
        offer_each(p, AGO);
    } else if (option == OPT_ACTION) {
        for (size_t i = 0; i < TEAM_ACTIONS_N; i++)
            offer(p, TEAM_ACTIONS[i], "");
    } else if (option == OPT_START) {
        offer_each(p, AHEAD);
    } else if (option == OPT_WITHIN) {
        offer_each(p, PATIENCES);
    } else if (option == OPT_SOURCE) {
        offer_each(p, SOURCES);
    } else if (option == OPT_SERVICE) {
        offer_each(p, SERVICES);
    } else if (option == OPT_SOCKET) {
        offer_files(p);
    }
}

static void offer_options(const struct completion *p)
{
    const struct verb *v = p->verb ? p->verb : &VERBS[0];
    uint32_t options = v->options | BIT(OPT_SOCKET) | BIT(OPT_HELP);
    char word[32];

    for (size_t i = 0; i < OPT_COUNT; i++) {
        snprintf(word, sizeof word, "--%s", OPTIONS[i].name);
        if ((options & BIT(i)) && !is_given(p, word))
            offer(p, word, OPTIONS[i].does);
    }
}

static void offer_arguments(struct completion *p)
{
    if (!p->has_verb)
        offer_verbs(p);
    if (!p->verb || p->arguments >= p->verb->args_max)
        return;
    switch (p->verb->arguments) {
    case ARGS_NONE:
        break;
    case ARGS_VERB:
        offer_verbs(p);
        break;
    case ARGS_TARGETS:
        offer_targets(p);
        break;
    case ARGS_TO_DECIDE:
        offer_pending(p);
        break;
    case ARGS_TO_CANCEL:
        offer_mine(p, "pending,scheduled");
        break;
    case ARGS_TO_EXTEND:
        offer_mine(p, "active");
        break;
    case ARGS_TO_REVOKE:
        offer_requests(p, "scheduled,activating,active");
        break;
    case ARGS_FILE:
        offer_files(p);
        break;
    case ARGS_REQUEST:
        offer_requests(p, "");
        break;
    }
}

/* ---- what has been typed ----------------------------------------------------------------------
 */

/* "--name" or "--name=value"; OPT_COUNT if it is none. */
static enum option option_of(const char *word)
{
    size_t n = strcspn(word, "=");

    for (size_t i = 0; i < OPT_COUNT; i++)
        if (strncmp(word, "--", 2) == 0 && strlen(OPTIONS[i].name) == n - 2 &&
            strncmp(word + 2, OPTIONS[i].name, n - 2) == 0)
            return (enum option)i;
    return OPT_COUNT;
}

static void read_verb(struct completion *p, const char *word)
{
    char name[64];
    bool group = false;

    snprintf(name, sizeof name, "%s%s%s", p->group ? p->group : "", p->group ? " " : "", word);
    for (size_t i = 1; i < N_VERBS; i++) {
        enum verb_match match = verb_match(&VERBS[i], name);

        if (match == VERB_WHOLE)
            p->verb = &VERBS[i];
        group = group || match == VERB_FIRST_WORD;
    }
    p->group = group ? word : NULL;
    p->has_verb = !group;
}

/* Reads the words before the typed one. Returns the option whose value is being typed, or
 * OPT_COUNT. */
static enum option read_words(struct completion *p)
{
    for (size_t i = 0; i < p->n; i++) {
        enum option o = option_of(p->words[i]);

        if (o < OPT_COUNT && takes_word(&OPTIONS[o]) && !strchr(p->words[i], '=')) {
            if (i + 1 == p->n)
                return o;
            i++;
            if (o == OPT_SOCKET)
                p->c->talk.path = p->words[i];
        } else if (o == OPT_SOCKET) {
            p->c->talk.path = strchr(p->words[i], '=') + 1;
        } else if (p->words[i][0] != '-' && !p->has_verb) {
            read_verb(p, p->words[i]);
        } else if (p->words[i][0] != '-') {
            p->arguments++;
        }
    }
    return OPT_COUNT;
}

int verb_complete(struct call *c)
{
    struct completion p = {.c = c, .words = c->args, .n = c->n_args, .before = "", .typed = ""};
    enum option value;

    if (p.n > 0)
        p.before = p.typed = c->args[--p.n];
    value = read_words(&p);
    if (value == OPT_COUNT && strchr(p.typed, '=') && option_of(p.typed) < OPT_COUNT) {
        value = option_of(p.typed);
        behind(&p, '=');
    }
    if (value < OPT_COUNT)
        offer_values(&p, value);
    else if (p.typed[0] == '-')
        offer_options(&p);
    else
        offer_arguments(&p);
    return TEAM_DONE;
}
