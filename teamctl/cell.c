/* One value of a row, as text for people or for CSV. */
#include "render.h"

#include <wchar.h>

#include "when.h"

static void put_plain(struct text *t, struct wire_span v)
{
    char *end = t->buf + t->len;

    if (t->cut || t->cap - t->len <= v.len) { /* a byte becomes a byte at most */
        t->cut = true;
        return;
    }
    text_make_plain(end, t->cap - t->len, v.at, v.len);
    t->len += strlen(end);
}

static void put_time(struct text *t, uint64_t us, bool exact, enum cell_style style,
                     const struct look *look)
{
    char out[WHEN_CAP];

    if (style == CELL_CSV)
        when_utc((int64_t)us, out);
    else
        when_local((int64_t)us, look->now_us, exact, out);
    text_put(t, out);
}

static void put_number(struct text *t, const struct column *c, uint64_t v, enum cell_style style,
                       const struct look *look)
{
    static const char *const YES[] = {"no", "yes"}, *const TRUE[] = {"false", "true"};

    if (c->kind == COL_YESNO)
        text_put(t, (style == CELL_CSV ? TRUE : YES)[v != 0]);
    else if (c->kind == COL_TIME || c->kind == COL_MOMENT)
        put_time(t, v, c->kind == COL_MOMENT || style == CELL_PAGE, style, look);
    else if (c->kind == COL_SECONDS && style != CELL_CSV)
        text_put_duration(t, v);
    else
        text_put_u64(t, v);
}

/* Writes a group by its template. Optional parts do not nest. */
static void put_group(struct text *t, const struct row_type *type, struct wire_span group,
                      enum cell_style style, const struct look *look)
{
    struct text before = *t;
    bool optional = false, absent = false;

    for (const char *s = style == CELL_PAGE ? type->on_page : type->in_cell; *s != '\0'; s++) {
        size_t len = t->len;

        if (*s == '[') {
            before = *t;
            optional = true;
            absent = false;
        } else if (*s == ']') {
            if (absent)
                *t = before;
            optional = false;
        } else if (*s == '$') {
            cell_put(t, &type->columns[*++s - '0'], group, style, look);
            absent = absent || (optional && t->len == len);
        } else {
            text_put_n(t, s, 1);
        }
    }
    if (!t->cut)
        t->buf[t->len] = '\0'; /* an optional part may have been taken back */
}

static const char *between(const struct column *c, enum cell_style style)
{
    if (style == CELL_CSV)
        return c->inner ? "; " : " ";
    return ", ";
}

void cell_put(struct text *t, const struct column *c, struct wire_span row, enum cell_style style,
              const struct look *look)
{
    bool many = c->kind == COL_TEXTS || c->kind == COL_GROUPS;
    size_t n = 0;
    uint64_t v;

    for (struct wire_span rest = row, each; each = wire_each(&rest, c->tag), each.at; n++) {
        if (n > 0 && !many)
            break;
        if (n > 0)
            text_put(t, between(c, style));
        if (c->inner)
            put_group(t, c->inner, each, style, look);
        else if (wire_rule(c->tag).class == TEAM_CS_NUM && text_parse_u64(each.at, each.len, &v))
            put_number(t, c, v, style, look);
        else
            put_plain(t, each);
    }
}

/* ---- how much room it takes -------------------------------------------------------------------
 */

/* One character: its bytes and its places. What the locale does not know takes one place. */
static size_t character(const char *s, size_t *ret_places)
{
    uint32_t c;
    size_t n = text_utf8(s, strlen(s) < 4 ? strlen(s) : 4, &c);
    int places = n > 0 ? wcwidth((wchar_t)c) : 1;

    *ret_places = places < 0 ? 1 : (size_t)places;
    return n > 0 ? n : 1;
}

size_t cell_width(const char *s)
{
    size_t width = 0, places;

    while (*s != '\0') {
        s += character(s, &places);
        width += places;
    }
    return width;
}

struct fit cell_fit(const char *s, size_t width)
{
    struct fit fit = {0}, marked = {.cut = true}; /* as much as leaves a place for the mark */
    size_t places, n;

    for (; s[fit.bytes] != '\0'; fit.bytes += n, fit.places += places) {
        n = character(s + fit.bytes, &places);
        if (fit.places + places > width)
            return marked;
        if (fit.places + places < width) {
            marked.bytes = fit.bytes + n;
            marked.places = fit.places + places;
        }
    }
    return fit;
}

void cell_ascii(char *s)
{
    char *to = s;

    for (; *s != '\0'; s++)
        if (((unsigned char)*s & 0xc0) != 0x80) /* not the rest of a character */
            *to++ = (unsigned char)*s < 0x80 ? *s : '?';
    *to = '\0';
}
