/* CSV as RFC 4180 has it, but with the line ends of Unix. Written for exports of millions of rows:
 * most cells are copied as they are. */
#include "render.h"

#include "when.h"

static bool is_blank(uint32_t c)
{
    return c == ' ' || c == 0xa0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200a) || c == 0x202f ||
           c == 0x205f || c == 0x3000;
}

/* What a spreadsheet would run: = + - @ first, also in full width, also after blanks. (Some take a
 * tab or a carriage return for a blank; none is left when this is asked.) */
static bool is_formula(const char *s, size_t n)
{
    uint32_t c = 0;
    size_t i = 0, len;

    while ((len = text_utf8(s + i, n - i, &c)) > 0 && is_blank(c))
        i += len;
    return len > 0 && (c == '=' || c == '+' || c == '-' || c == '@' || c == 0xff1d || c == 0xff0b ||
                       c == 0xff0d || c == 0xff20);
}

/* Semicolon and bar get quotes because some spreadsheets take them for the separator, and would
 * see a new cell behind them, with a formula of its own. */
static bool wants_quotes(const char *s, size_t n)
{
    if (n > 0 && (s[0] == ' ' || s[n - 1] == ' '))
        return true;
    for (size_t i = 0; i < n; i++)
        if (s[i] == ',' || s[i] == '"' || s[i] == ';' || s[i] == '|')
            return true;
    return false;
}

static void put_doubling_quotes(struct out *o, const char *s, size_t n)
{
    const char *quote;

    while ((quote = memchr(s, '"', n))) {
        size_t piece = (size_t)(quote - s) + 1;

        out_put(o, s, piece);
        out_put(o, "\"", 1);
        s += piece;
        n -= piece;
    }
    out_put(o, s, n);
}

/* ASCII that means nothing to CSV, a terminal or a spreadsheet. */
static bool is_easy(const char *s, size_t n)
{
    static const bool EASY[256] = {
        [' ' ... '!'] = true, ['#' ... '+'] = true, ['-' ... ':'] = true,
        ['<' ... '{'] = true, ['}' ... '~'] = true,
    };
    static const bool ODD_FIRST[256] = {
        ['='] = true, ['+'] = true, ['-'] = true, ['@'] = true, [' '] = true,
    };
    size_t i = 0;

    if (n == 0)
        return true;
    if (ODD_FIRST[(unsigned char)s[0]] || s[n - 1] == ' ')
        return false;
    for (; n - i >= sizeof(text_16); i += sizeof(text_16)) {
        text_16 v = text_load_16(s + i);

        if (!text_none_16((text_16)(v < ' ') | (text_16)(v > '~') | (text_16)(v == ',') |
                          (text_16)(v == '"') | (text_16)(v == ';') | (text_16)(v == '|')))
            return false;
    }
    for (; i < n; i++)
        if (!EASY[(unsigned char)s[i]])
            return false;
    return true;
}

void csv_cell(struct out *o, const char *s, size_t n)
{
    static char plain[CELL_CAP];
    bool quotes;

    if (is_easy(s, n)) {
        out_put(o, s, n);
        return;
    }
    if (!text_is_plain(s, n)) {
        text_make_plain(plain, sizeof plain, s, n);
        s = plain;
        n = strlen(plain);
    }
    quotes = wants_quotes(s, n);
    out_put(o, "\"", quotes);
    out_put(o, "'", is_formula(s, n));
    put_doubling_quotes(o, s, n);
    out_put(o, "\"", quotes);
}

void csv_header(struct out *o, const struct row_type *type)
{
    for (size_t i = 0; i < type->n_columns; i++) {
        out_put(o, ",", i > 0);
        out_text(o, type->columns[i].key);
    }
    out_put(o, "\n", 1);
}

static void put_value(struct out *o, const struct column *c, struct wire_span v)
{
    char utc[WHEN_CAP];
    uint64_t us;

    if (c->kind != COL_TIME && c->kind != COL_MOMENT)
        csv_cell(o, v.at, v.len);
    else if (text_parse_u64(v.at, v.len, &us))
        out_put(o, utc, when_utc((int64_t)us, utc));
}

/* The kinds that are more than their text. */
static void put_list(struct out *o, const struct column *c, struct wire_span row)
{
    static char cell[CELL_CAP];
    struct text t = text_over(cell, sizeof cell);

    cell_put(&t, c, row, CELL_CSV, NULL);
    csv_cell(o, cell, t.len);
}

/* Where a tag's column is, or COLUMNS_MAX: so the fields of a row are looked at once, not once for
 * each column. Made for a type when its first row comes. */
static const uint8_t *columns_of(const struct row_type *type)
{
    static uint8_t column_of[TEAM_TAG_END];
    static const struct row_type *of;

    if (of != type) {
        memset(column_of, COLUMNS_MAX, sizeof column_of);
        for (size_t i = 0; i < type->n_columns; i++)
            column_of[type->columns[i].tag] = (uint8_t)i;
        of = type;
    }
    return column_of;
}

void csv_row(struct out *o, const struct row_type *type, struct wire_span row)
{
    const uint8_t *column_of = columns_of(type);
    struct wire_span values[COLUMNS_MAX] = {0}, rest = row, value;
    unsigned tag;

    while (wire_next(&rest, &tag, &value))
        if (tag < TEAM_TAG_END && column_of[tag] < COLUMNS_MAX && !values[column_of[tag]].at)
            values[column_of[tag]] = value;

    for (size_t i = 0; i < type->n_columns; i++) {
        const struct column *c = &type->columns[i];

        out_put(o, ",", i > 0);
        if (!values[i].at)
            continue;
        if (c->inner || c->kind == COL_TEXTS || c->kind == COL_YESNO)
            put_list(o, c, row);
        else
            put_value(o, c, values[i]);
    }
    out_put(o, "\n", 1);
}
