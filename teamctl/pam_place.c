#include "pam_place.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Both begin a comment of their own, so that a person sees whose the lines are, and pam_take() too.
 */
#define MARK "# teamctl pam install: "

static const char ACCOUNT[] = MARK
    "the gate, before anything that can end the account stack; see pam_team(8)\n"
    "account    required   pam_team.so";
static const char SESSION[] = MARK "the session, last of all; see pam_team(8)\n"
                                   "session    required   pam_team.so";

bool pam_same(const struct pam_text *a, const struct pam_text *b)
{
    return a->len == b->len && (a->len == 0 || memcmp(a->at, b->at, a->len) == 0);
}

/* ---- taking out -------------------------------------------------------------------------------
 */

static bool is_mark(const struct pam_text *t, size_t at)
{
    return t->len - at >= sizeof MARK - 1 && memcmp(t->at + at, MARK, sizeof MARK - 1) == 0;
}

/* Is the line before `at` a mark? Then *at is where that begins. */
static bool mark_before(const struct pam_text *t, size_t *at)
{
    size_t begin = *at;

    if (begin == 0)
        return false;
    for (begin--; begin > 0 && t->at[begin - 1] != '\n';)
        begin--;
    if (!is_mark(t, begin))
        return false;
    *at = begin;
    return true;
}

/* The next rule of ours, from its mark on if it has one; false at the end. */
static bool next_ours(struct pam_reader *r, size_t *begin, bool *marked)
{
    struct pam_line l;

    while (pam_next(r)) {
        if (pam_parse(r->rule, &l) < 0 || !pam_is_ours(&l))
            continue;
        *begin = r->begin;
        *marked = mark_before(r->text, begin);
        return true;
    }
    return false;
}

int pam_take(const struct pam_text *text, enum pam_taken which, struct pam_text *ret)
{
    struct pam_reader r = {.text = text};
    struct pam_text t = {.at = malloc(text->len + 1)};
    size_t from = 0, begin;
    bool marked;

    if (!t.at)
        return -ENOMEM;
    while (next_ours(&r, &begin, &marked)) {
        if (!marked && which == PAM_TAKE_MARKED)
            continue;
        memcpy(t.at + t.len, text->at + from, begin - from);
        t.len += begin - from;
        from = r.end;
        /* A file whose last line has no newline got one for the sake of ours. */
        if (from == text->len && text->at[from - 1] != '\n' && t.len > 0)
            t.len--;
    }
    if (text->len > from)
        memcpy(t.at + t.len, text->at + from, text->len - from);
    t.len += text->len - from;
    *ret = t;
    return 0;
}

bool pam_names_us(const struct pam_text *text)
{
    struct pam_reader r = {.text = text};
    size_t begin;
    bool marked;

    return next_ours(&r, &begin, &marked);
}

bool pam_is_marked(const struct pam_text *text)
{
    struct pam_reader r = {.text = text};
    size_t begin;
    bool marked = false;

    while (!marked && next_ours(&r, &begin, &marked))
        ;
    return marked;
}

/* ---- putting in -------------------------------------------------------------------------------
 */

enum { NOWHERE = -1 };

/* What a file has of one type. */
struct found {
    bool any;
    bool ours;
    size_t after;       /* the last rule of it */
    ssize_t before;     /* the first rule that can end its stack; NOWHERE */
    size_t before_from; /* where the rule before that one ends */
};

static void look_at_rule(const struct pam_reader *r, const struct pam_line *l, enum pam_type type,
                         const struct pam_files *files, size_t from, struct found *f)
{
    unsigned brings = l->include ? files->brings(files->ctx, l->module, type) : PAM_BRINGS_RULES;

    if (brings == 0)
        return;
    f->any = true;
    f->ours = f->ours || brings & PAM_BRINGS_OURS || pam_is_ours(l);
    f->after = r->end;
    if (f->before == NOWHERE && (l->include || pam_may_skip(l))) {
        f->before = (ssize_t)r->begin;
        f->before_from = from;
    }
}

/* False if libpam would not read this file. */
static bool look(const struct pam_text *text, const struct pam_files *files,
                 struct found found[PAM_TYPES])
{
    struct pam_reader r = {.text = text};
    struct pam_line l;
    size_t from = 0;

    for (size_t t = 0; t < PAM_TYPES; t++)
        found[t] = (struct found){.before = NOWHERE};
    for (; pam_next(&r); from = r.end) {
        int type = pam_parse(r.rule, &l);

        for (int t = 0; t < PAM_TYPES; t++)
            if (type == t || type == PAM_TYPES)
                look_at_rule(&r, &l, (enum pam_type)t, files, from, &found[t]);
    }
    return !r.torn;
}

/* Comments right above a rule are about it: ours goes above them. The head of the file is not. */
static size_t above_comments(const struct pam_text *t, const struct found *f)
{
    size_t at = (size_t)f->before;

    while (at > f->before_from) {
        size_t begin = at - 1;

        while (begin > f->before_from && t->at[begin - 1] != '\n')
            begin--;
        if (t->at[begin] != '#' || begin == 0 || is_mark(t, begin))
            break;
        at = begin;
    }
    return at;
}

struct insertion {
    size_t at;
    const char *what; /* NULL: nothing */
};

/* Adds the text from *from to the insertion, and that. */
static void put_insertion(struct pam_text *t, const struct pam_text *old, size_t *from,
                          const struct insertion *in)
{
    bool bare = in->at == old->len && in->at > 0 && old->at[in->at - 1] != '\n';
    size_t n = in->at - *from, len = in->what ? strlen(in->what) : 0;

    if (!in->what)
        return;
    memcpy(t->at + t->len, old->at + *from, n);
    t->len += n;
    *from = in->at;
    if (bare)
        t->at[t->len++] = '\n';
    memcpy(t->at + t->len, in->what, len);
    t->len += len;
    if (!bare)
        t->at[t->len++] = '\n';
}

static int insert(const struct pam_text *old, const struct insertion in[2], struct pam_text *ret)
{
    struct pam_text t = {
        .at = malloc(old->len + sizeof ACCOUNT + PAM_ARGUMENTS_CAP + sizeof SESSION + 2)};
    bool swapped = in[1].what && in[0].what && in[1].at <= in[0].at;
    size_t from = 0;

    if (!t.at)
        return -ENOMEM;
    put_insertion(&t, old, &from, &in[swapped]);
    put_insertion(&t, old, &from, &in[!swapped]);
    memcpy(t.at + t.len, old->at + from, old->len - from);
    t.len += old->len - from;
    *ret = t;
    return 1;
}

static const char *why_not(const struct pam_text *old, bool account, bool session,
                           const struct found found[PAM_TYPES])
{
    if (memchr(old->at, '\0', old->len))
        return "it has a NUL byte in it, and is no text";
    if (pam_is_marked(old))
        return "only a part is left of what teamctl pam install has put there; take the rest out "
               "first: teamctl pam remove";
    if (account && !found[PAM_ACCOUNT].any)
        return "it has no account line, so that libpam takes those of \"other\"; add one first, "
               "such as: @include common-account";
    if (session && !found[PAM_SESSION].any)
        return "it has no session line, so that libpam takes those of \"other\"; add one first, "
               "such as: @include common-session-noninteractive";
    return NULL;
}

int pam_place(const struct pam_text *old, bool account, const char *arguments,
              const struct pam_files *files, struct pam_text *ret, char why[static PAM_WHY_CAP])
{
    char line[sizeof ACCOUNT + PAM_ARGUMENTS_CAP];
    struct found found[PAM_TYPES];
    struct insertion in[2] = {{.what = NULL}, {.what = NULL}};
    const struct found *a = &found[PAM_ACCOUNT], *s = &found[PAM_SESSION];
    const char *reason;
    bool whole = look(old, files, found);

    account = account && !a->ours;
    if (!account && s->ours && whole)
        return 0;
    reason = whole ? why_not(old, account, !s->ours, found)
                   : "it ends in a backslash, and libpam refuses all of it";
    if (reason) {
        snprintf(why, PAM_WHY_CAP, "%s", reason);
        return -EINVAL;
    }
    snprintf(line, sizeof line, "%s%s%.*s", ACCOUNT, arguments[0] != '\0' ? " " : "",
             PAM_ARGUMENTS_CAP - 2, arguments);
    if (account)
        in[0] = (struct insertion){a->before == NOWHERE ? a->after : above_comments(old, a), line};
    if (!s->ours)
        in[1] = (struct insertion){s->after, SESSION};
    return insert(old, in, ret);
}
