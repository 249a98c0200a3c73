#include "courier/ini.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One pass over a copy of the file, which is cut up in place. */
struct parser {
    struct ini ini;
    size_t cap;
    char *at, *end;
    unsigned line;
    const char *section; /* NULL: none yet */
    const char *above;   /* the property that indented lines belong to; NULL: none */
    char *value_end;     /* where its value could go on */
    char *why;
};

__attribute__((format(printf, 2, 3))) static int wrong(const struct parser *p, const char *format,
                                                       ...)
{
    va_list args;
    int n = snprintf(p->why, INI_WHY_CAP, "%u: ", p->line);

    va_start(args, format);
    vsnprintf(p->why + n, (size_t)(INI_WHY_CAP - n), format, args);
    va_end(args);
    return -EINVAL;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static char *skip_blanks(char *s)
{
    while (is_blank(*s))
        s++;
    return s;
}

static void trim_end(char *s)
{
    size_t n = strlen(s);

    while (n > 0 && is_blank(s[n - 1]))
        s[--n] = '\0';
}

/* A comment begins at the start of a line, or after a blank. */
static void cut_comment(char *s)
{
    for (char *c = s; *c; c++)
        if ((*c == '#' || *c == ';') && (c == s || is_blank(c[-1]))) {
            *c = '\0';
            break;
        }
    trim_end(s);
}

static int add(struct parser *p, const char *above, const char *name, const char *value)
{
    if (p->ini.n == INI_PROPERTIES_MAX)
        return wrong(p, "more than %d properties", INI_PROPERTIES_MAX);
    if (p->ini.n == p->cap) {
        size_t cap = p->cap ? 2 * p->cap : 32;
        struct ini_property *more = reallocarray(p->ini.items, cap, sizeof *more);

        if (!more)
            return -ENOMEM;
        p->ini.items = more;
        p->cap = cap;
    }
    p->ini.items[p->ini.n++] = (struct ini_property){p->section, name, above, value, p->line};
    return 0;
}

/* [profile "my team"] is profile my team. */
static void fold_section(char *s)
{
    char *out = s;
    bool blank = false;

    for (; *s; s++) {
        if (is_blank(*s)) {
            blank = true;
            continue;
        }
        if (*s == '"' || *s == '\'')
            continue;
        if (blank)
            *out++ = ' ';
        blank = false;
        *out++ = *s;
    }
    *out = '\0';
}

static int section(struct parser *p, char *s)
{
    char *close = strchr(s, ']');

    if (!close)
        return wrong(p, "[ without ]");
    *close = '\0';
    cut_comment(close + 1);
    if (*skip_blanks(close + 1))
        return wrong(p, "something stands after ]");
    s = skip_blanks(s + 1);
    fold_section(s);
    if (!*s)
        return wrong(p, "a section without a name");
    p->section = s;
    p->above = NULL;
    return add(p, "", "", "");
}

/* Cuts "name = value" in two. */
static int split(struct parser *p, char *s, char **ret_value)
{
    char *equals = strchr(s, '=');

    if (!equals)
        return wrong(p, "neither [section] nor name = value");
    *equals = '\0';
    trim_end(s);
    if (!*s || strpbrk(s, " \t"))
        return wrong(p, "the name before = is %s", *s ? "more than a word" : "missing");
    for (char *c = s; *c; c++)
        if (*c >= 'A' && *c <= 'Z')
            *c = (char)(*c + 32);
    *ret_value = skip_blanks(equals + 1);
    cut_comment(*ret_value);
    return 0;
}

static int property(struct parser *p, char *s)
{
    char *value = s;
    int r;

    if (!p->section)
        return wrong(p, "a property before the first [section]");
    r = split(p, s, &value);
    if (r < 0)
        return r;
    p->above = s;
    p->value_end = value + strlen(value);
    return add(p, "", s, value);
}

/* An indented line: nested where the property above has no value of its own, else its next line. */
static int indented(struct parser *p, char *s)
{
    size_t len;
    char *value = s;
    int r;

    if (!p->above)
        return wrong(p, "an indented line that belongs to nothing");
    if (p->ini.items[p->ini.n - 1].above[0] || !*p->ini.items[p->ini.n - 1].value) {
        r = split(p, s, &value);
        return r < 0 ? r : add(p, p->above, s, value);
    }
    cut_comment(s);
    len = strlen(s);
    if (len == 0)
        return 0;
    *p->value_end++ = '\n';
    memmove(p->value_end, s, len + 1);
    p->value_end += len;
    return 0;
}

static int one_line(struct parser *p, char *s)
{
    char *first = skip_blanks(s);

    if (!*first || *first == '#' || *first == ';')
        return 0;
    if (*s == '[')
        return section(p, s);
    return first == s ? property(p, s) : indented(p, first);
}

static int all_lines(struct parser *p)
{
    int r = 0;

    while (r == 0 && p->at < p->end) {
        char *line = p->at, *newline = memchr(line, '\n', (size_t)(p->end - line)),
             *stop = newline ? newline : p->end;

        p->line++;
        p->at = newline ? newline + 1 : p->end;
        if (memchr(line, '\0', (size_t)(stop - line)))
            return wrong(p, "a NUL byte; this is no text file");
        *stop = '\0';
        if (stop > line && stop[-1] == '\r')
            stop[-1] = '\0';
        trim_end(line);
        r = one_line(p, line);
    }
    return r;
}

int ini_parse(const char *text, size_t len, struct ini *ret, char why[INI_WHY_CAP])
{
    struct parser p = {.why = why};
    int r;

    why[0] = '\0';
    if (len > INI_SIZE_MAX)
        return -EFBIG;
    p.ini.text = malloc(len + 1);
    if (!p.ini.text)
        return -ENOMEM;
    p.ini.len = len;
    if (len > 0)
        memcpy(p.ini.text, text, len);
    p.ini.text[len] = '\0';
    p.at = p.ini.text;
    p.end = p.at + len;
    if (len >= 3 && memcmp(p.at, "\xef\xbb\xbf", 3) == 0) /* Windows' editors put it there */
        p.at += 3;
    r = all_lines(&p);
    if (r < 0) {
        ini_free(&p.ini);
        return r;
    }
    *ret = p.ini;
    return 0;
}

void ini_free(struct ini *ini)
{
    if (ini->text)
        OPENSSL_cleanse(ini->text, ini->len);
    free(ini->text);
    free(ini->items);
    *ini = (struct ini){0};
}

const struct ini_property *ini_find(const struct ini *ini, const char *section, const char *above,
                                    const char *name)
{
    for (size_t i = ini->n; i-- > 0;) {
        const struct ini_property *p = &ini->items[i];

        if (strcmp(p->name, name) == 0 && strcmp(p->above, above) == 0 &&
            strcmp(p->section, section) == 0)
            return p;
    }
    return NULL;
}
