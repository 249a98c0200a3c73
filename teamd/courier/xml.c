#include "courier/xml.h"

#include <openssl/crypto.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* A reader that goes forward only. Text is decoded into `buf`, which is as large as the document:
 * no entity is longer than what it stands for. */
struct xml {
    const char *at, *end;
    char *buf;
    size_t len;
    unsigned depth, elements;
};

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static void skip_space(struct xml *x)
{
    while (x->at < x->end && is_space(*x->at))
        x->at++;
}

static bool begins(const struct xml *x, const char *with)
{
    size_t n = strlen(with);

    return (size_t)(x->end - x->at) >= n && memcmp(x->at, with, n) == 0;
}

static bool take(struct xml *x, const char *what)
{
    if (!begins(x, what))
        return false;
    x->at += strlen(what);
    return true;
}

/* Goes behind the next `what`. */
static bool skip_behind(struct xml *x, const char *what)
{
    const char *found = memmem(x->at, (size_t)(x->end - x->at), what, strlen(what));

    if (!found)
        return false;
    x->at = found + strlen(what);
    return true;
}

static bool name_char(char c, bool first)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
           (!first && ((c >= '0' && c <= '9') || c == '-' || c == '.' || c == ':'));
}

static bool name(struct xml *x, char out[XML_NAME_MAX + 1])
{
    size_t n = 0;

    while (x->at < x->end && name_char(*x->at, n == 0) && n < XML_NAME_MAX)
        out[n++] = *x->at++;
    out[n] = '\0';
    return n > 0;
}

/* name = "value" ..., none of which says anything to us. */
static bool attributes(struct xml *x)
{
    char ignored[XML_NAME_MAX + 1];

    for (;;) {
        const char *before = x->at;
        char quote;

        skip_space(x);
        if (x->at == x->end || *x->at == '>' || *x->at == '/')
            return true;
        if (x->at == before || !name(x, ignored))
            return false;
        skip_space(x);
        if (!take(x, "="))
            return false;
        skip_space(x);
        if (x->at == x->end || (*x->at != '"' && *x->at != '\''))
            return false;
        quote = *x->at++;
        x->at = memchr(x->at, quote, (size_t)(x->end - x->at));
        if (!x->at) {
            x->at = x->end;
            return false;
        }
        x->at++;
    }
}

/* ---- text --------------------------------------------------------------------------------------
 */

static bool put_utf8(struct xml *x, uint32_t c)
{
    char *out = x->buf + x->len;

    if (c == 0 || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
        return false;
    if (c < 0x80) {
        out[0] = (char)c;
        x->len += 1;
    } else if (c < 0x800) {
        out[0] = (char)(0xc0 | c >> 6);
        out[1] = (char)(0x80 | (c & 63));
        x->len += 2;
    } else if (c < 0x10000) {
        out[0] = (char)(0xe0 | c >> 12);
        out[1] = (char)(0x80 | (c >> 6 & 63));
        out[2] = (char)(0x80 | (c & 63));
        x->len += 3;
    } else {
        out[0] = (char)(0xf0 | c >> 18);
        out[1] = (char)(0x80 | (c >> 12 & 63));
        out[2] = (char)(0x80 | (c >> 6 & 63));
        out[3] = (char)(0x80 | (c & 63));
        x->len += 4;
    }
    return true;
}

/* &#10; or &#xA; (behind "&#"): in full, 4 bytes of UTF-8 stand for at least 7 of these. */
static bool character(struct xml *x)
{
    uint32_t base = take(x, "x") ? 16 : 10, v = 0;
    unsigned digits = 0;

    for (; x->at < x->end && *x->at != ';'; x->at++, digits++) {
        char c = *x->at, lower = (char)(c | 32);
        uint32_t digit = c >= '0' && c <= '9'                         ? (uint32_t)(c - '0')
                         : base == 16 && lower >= 'a' && lower <= 'f' ? (uint32_t)(lower - 'a') + 10
                                                                      : base;

        if (digit >= base || v > 0x10ffff)
            return false;
        v = v * base + digit;
    }
    return digits > 0 && take(x, ";") && put_utf8(x, v);
}

static bool entity(struct xml *x)
{
    static const struct {
        const char *name;
        char c;
    } ENTITIES[] = {{"lt;", '<'}, {"gt;", '>'}, {"amp;", '&'}, {"quot;", '"'}, {"apos;", '\''}};

    x->at++;
    if (take(x, "#"))
        return character(x);
    for (size_t i = 0; i < sizeof ENTITIES / sizeof ENTITIES[0]; i++)
        if (take(x, ENTITIES[i].name)) {
            x->buf[x->len++] = ENTITIES[i].c;
            return true;
        }
    return false;
}

static bool cdata(struct xml *x)
{
    const char *from = x->at;

    if (!skip_behind(x, "]]>"))
        return false;
    memcpy(x->buf + x->len, from, (size_t)(x->at - from) - 3);
    x->len += (size_t)(x->at - from) - 3;
    return true;
}

/* Up to the next tag. */
static bool text(struct xml *x)
{
    while (x->at < x->end) {
        if (*x->at == '&') {
            if (!entity(x))
                return false;
        } else if (take(x, "<!--")) {
            if (!skip_behind(x, "-->"))
                return false;
        } else if (take(x, "<![CDATA[")) {
            if (!cdata(x))
                return false;
        } else if (*x->at == '<') {
            return true;
        } else {
            x->buf[x->len++] = *x->at++;
        }
    }
    return false;
}

/* ---- elements ----------------------------------------------------------------------------------
 */

static json_t *element(struct xml *x, char tag[XML_NAME_MAX + 1]);

static bool is_blank(const char *s, size_t n)
{
    while (n > 0 && is_space(s[n - 1]))
        n--;
    return n == 0;
}

/* Takes the reference of `child`. A name that comes twice is as wrong as it is in our JSON. */
static bool put_child(json_t *parent, const char *tag, json_t *child)
{
    bool member = strcmp(tag, "member") == 0;

    if (json_is_array(parent) != member || (!member && json_object_get(parent, tag))) {
        json_decref(child);
        return false;
    }
    return (member ? json_array_append_new(parent, child)
                   : json_object_set_new(parent, tag, child)) == 0;
}

/* The children until the end tag, of which the first begins here; NULL if they cannot be. */
static json_t *children(struct xml *x)
{
    size_t start = x->len;
    json_t *parent = NULL;

    while (!begins(x, "</")) {
        char tag[XML_NAME_MAX + 1];
        json_t *child = element(x, tag);

        if (child && !parent)
            parent = strcmp(tag, "member") == 0 ? json_array() : json_object();
        if (!child || !parent || !put_child(parent, tag, child) || !text(x) ||
            !is_blank(x->buf + start, x->len - start)) {
            if (child && !parent)
                json_decref(child);
            json_decref(parent);
            return NULL;
        }
        x->len = start;
    }
    return parent;
}

/* What stands between the tags: text, or children with blanks around. */
static json_t *content(struct xml *x)
{
    size_t start = x->len;
    json_t *value;

    if (!text(x))
        return NULL;
    if (begins(x, "</")) {
        value = json_stringn(x->buf + start, x->len - start); /* NULL: not UTF-8 */
    } else {
        value = is_blank(x->buf + start, x->len - start) ? children(x) : NULL;
    }
    x->len = start;
    return value;
}

static bool end_tag(struct xml *x, const char *tag)
{
    if (!take(x, "</") || !take(x, tag))
        return false;
    skip_space(x);
    return take(x, ">");
}

/* Stands at '<'. */
static json_t *element(struct xml *x, char tag[XML_NAME_MAX + 1])
{
    json_t *value;

    if (++x->elements > XML_ELEMENTS_MAX || x->depth == XML_DEPTH_MAX || !take(x, "<") ||
        !name(x, tag) || !attributes(x))
        return NULL;
    if (take(x, "/>"))
        return json_string("");
    if (!take(x, ">"))
        return NULL;
    x->depth++;
    value = content(x);
    x->depth--;
    if (value && !end_tag(x, tag)) {
        json_decref(value);
        value = NULL;
    }
    return value;
}

/* Before and behind the root: blanks, comments, and the declaration. */
static bool skip_misc(struct xml *x)
{
    for (;;) {
        skip_space(x);
        if (take(x, "<?")) {
            if (!skip_behind(x, "?>"))
                return false;
        } else if (take(x, "<!--")) {
            if (!skip_behind(x, "-->"))
                return false;
        } else {
            return true;
        }
    }
}

json_t *xml_parse(const char *text_in, size_t len, char root[XML_NAME_MAX + 1])
{
    struct xml x = {.at = text_in, .end = text_in + len, .buf = malloc(len + 1)};
    json_t *value = NULL;

    root[0] = '\0';
    if (x.buf && skip_misc(&x))
        value = element(&x, root);
    if (value && (!skip_misc(&x) || x.at != x.end)) {
        json_decref(value);
        value = NULL;
    }
    if (x.buf)
        OPENSSL_cleanse(x.buf, len + 1); /* credentials may be in it */
    free(x.buf);
    return value;
}
