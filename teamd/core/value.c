#include "core/value.h"

#include <team/text.h>

/* ---- reading targets ------------------------------------------------------------------------ */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_alnum(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool only_chars(const char *s, size_t n, const char *others, bool wildcards)
{
    if (n == 0)
        return false;
    for (size_t i = 0; i < n; i++) {
        if (is_alnum(s[i]) || (wildcards && (s[i] == '*' || s[i] == '?')))
            continue;
        if (s[i] == '\0' || !strchr(others, s[i]))
            return false;
    }
    return true;
}

static bool has_wildcard(const char *s, size_t n)
{
    return memchr(s, '*', n) || memchr(s, '?', n);
}

/* An OU or a root as AWS Organizations writes them: r-ab12, ou-ab12-11111111 (API reference,
 * OrganizationalUnit.Id and Root.Id). */
static bool is_lower_run(const char *s, size_t n, size_t min, size_t max)
{
    if (n < min || n > max)
        return false;
    for (size_t i = 0; i < n; i++)
        if (!is_digit(s[i]) && !(s[i] >= 'a' && s[i] <= 'z'))
            return false;
    return true;
}

static bool is_ou_or_root(const char *s, size_t n)
{
    const char *dash;
    size_t root;

    if (n > 2 && memcmp(s, "r-", 2) == 0)
        return is_lower_run(s + 2, n - 2, 4, 32);
    if (n <= 3 || memcmp(s, "ou-", 3) != 0)
        return false;
    dash = memchr(s + 3, '-', n - 3);
    if (!dash)
        return false;
    root = (size_t)(dash - s) - 3;
    return is_lower_run(s + 3, root, 4, 32) && is_lower_run(dash + 1, n - 3 - root - 1, 8, 32);
}

/* An account is 12 digits; a pattern may also be any run with wildcards, an OU or a root. A name of
 * an account is looked up by the shell before this is asked. */
static bool account_ok(const char *s, size_t n, bool pattern)
{
    if (pattern && is_ou_or_root(s, n))
        return true;
    if (pattern && has_wildcard(s, n)) {
        for (size_t i = 0; i < n; i++)
            if (!is_digit(s[i]) && s[i] != '*' && s[i] != '?')
                return false;
        return n <= 12;
    }
    if (n != 12)
        return false;
    for (size_t i = 0; i < n; i++)
        if (!is_digit(s[i]))
            return false;
    return true;
}

static enum target_error parse_place_and_what(const char *s, size_t n, bool pattern,
                                              struct target *t)
{
    bool host = t->kind == TARGET_HOST;
    const char *slash = memchr(s, '/', n);
    size_t place, what;

    if (!slash)
        return TARGET_BAD_FORM;
    place = (size_t)(slash - s);
    what = n - place - 1;
    if (place >= sizeof t->place ||
        !(host ? only_chars(s, place, ".-_", pattern) : account_ok(s, place, pattern)))
        return TARGET_BAD_PLACE;
    if (what >= (host ? (size_t)WORD_CAP : sizeof t->what) ||
        !only_chars(slash + 1, what, host ? "._-" : "_+=,.@-", pattern))
        return TARGET_BAD_WHAT;
    memcpy(t->place, s, place);
    memcpy(t->what, slash + 1, what);
    return TARGET_OK;
}

static enum target_error parse(const char *s, size_t n, bool pattern, struct target *ret)
{
    struct target t = {0};
    enum target_error e;
    size_t prefix;

    if (n > 5 && memcmp(s, "host:", 5) == 0) {
        t.kind = TARGET_HOST;
        prefix = 5;
    } else if (n > 4 && memcmp(s, "aws:", 4) == 0) {
        t.kind = TARGET_AWS;
        prefix = 4;
    } else {
        return TARGET_BAD_FORM;
    }
    e = parse_place_and_what(s + prefix, n - prefix, pattern, &t);
    if (e == TARGET_OK)
        *ret = t;
    return e;
}

enum target_error target_parse(const char *s, size_t n, const char *this_host, struct target *ret)
{
    struct target t = {.kind = TARGET_HOST};

    if (memchr(s, ':', n) || memchr(s, '/', n))
        return parse(s, n, false, ret);
    if (n >= WORD_CAP || !only_chars(s, n, "._-", false))
        return TARGET_BAD_FORM;
    memcpy(t.place, this_host, strlen(this_host));
    memcpy(t.what, s, n);
    *ret = t;
    return TARGET_OK;
}

enum target_error pattern_parse(const char *s, size_t n, struct target *ret)
{
    return parse(s, n, true, ret);
}

const char *target_error_text(enum target_error e)
{
    switch (e) {
    case TARGET_OK:
        return "fine";
    case TARGET_BAD_FORM:
        break;
    case TARGET_BAD_PLACE:
        return "what stands before the slash is a host's name (letters, digits, . - _) or an AWS "
               "account (12 digits)";
    case TARGET_BAD_WHAT:
        return "what stands after the slash is a service class (letters, digits, . _ -) or a "
               "permission set (letters, digits, _ + = , . @ -), at most 32 characters";
    }
    return "a target is host:NAME/SERVICE or aws:ACCOUNT/PERMISSION_SET";
}

/* ---- matching ------------------------------------------------------------------------------- */

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* `*` and `?`. Greedy with one place to come back to: linear in practice, and never recursive. */
static bool glob(const char *p, const char *s, bool fold)
{
    const char *star = NULL, *from = NULL;

    while (*s) {
        if (*p == '*') {
            star = p++;
            from = s;
        } else if (*p == '?' || (*p && (fold ? lower(*p) == lower(*s) : *p == *s))) {
            p++;
            s++;
        } else if (star) {
            p = star + 1;
            s = ++from;
        } else {
            return false;
        }
    }
    while (*p == '*')
        p++;
    return *p == '\0';
}

/* Host names are one whatever their case (RFC 4343); everything else is exact. */
static bool same_place(const struct target *a, const struct target *b)
{
    const char *x = a->place, *y = b->place;

    if (a->kind != TARGET_HOST)
        return strcmp(x, y) == 0;
    while (*x && lower(*x) == lower(*y)) {
        x++;
        y++;
    }
    return *x == '\0' && *y == '\0';
}

bool target_equal(const struct target *a, const struct target *b)
{
    return a->kind == b->kind && same_place(a, b) && strcmp(a->what, b->what) == 0;
}

bool pattern_needs_directory(const struct target *pattern)
{
    return pattern->kind == TARGET_AWS && is_ou_or_root(pattern->place, strlen(pattern->place));
}

bool pattern_covers_place(const struct target *pattern, const struct target *target)
{
    return pattern->kind == target->kind && !pattern_needs_directory(pattern) &&
           glob(pattern->place, target->place, pattern->kind == TARGET_HOST);
}

bool pattern_covers(const struct target *pattern, const struct target *target)
{
    return pattern_covers_place(pattern, target) && glob(pattern->what, target->what, false);
}

void target_text(const struct target *t, char out[TARGET_TEXT_CAP])
{
    struct text to = text_over(out, TARGET_TEXT_CAP);

    text_put(&to, t->kind == TARGET_AWS ? "aws:" : "host:");
    text_put(&to, t->place);
    text_put(&to, "/");
    text_put(&to, t->what);
}
