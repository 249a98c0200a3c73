/* Tables for people. The first rows are kept until it is known how wide the columns are; what comes
 * after them follows their widths, so that a table of any length needs little memory. */
#include "render.h"

#include <err.h>
#include <stdlib.h>

enum { GAP = 2, NARROWEST = 12 }; /* a text is cut to no less before a column is left out */

static const char GAP_TEXT[] = "  ";

/* ---- how wide ---------------------------------------------------------------------------------
 */

static size_t total_width(const size_t widths[], size_t n)
{
    size_t total = 0;

    for (size_t i = 0; i < n; i++)
        if (widths[i] > 0)
            total += widths[i] + (total > 0 ? GAP : 0);
    return total;
}

/* Half a word is still of use; half a time or a number is a wrong one, and half an id is worse. */
static bool may_cut(const struct column *c)
{
    return c->kind != COL_NUMBER && c->kind != COL_YESNO && c->kind != COL_TIME &&
           c->kind != COL_MOMENT && c->kind != COL_SECONDS && c->kind != COL_STATE &&
           c->tag != TEAM_ID;
}

/* Takes places from the widest column that can spare one, until all fit or none can. */
static bool shrink(const struct row_type *type, size_t widths[], size_t width)
{
    while (total_width(widths, type->n_columns) > width) {
        size_t widest = COLUMNS_MAX;

        for (size_t i = 0; i < type->n_columns; i++)
            if (may_cut(&type->columns[i]) && widths[i] > NARROWEST &&
                (widest == COLUMNS_MAX || widths[i] > widths[widest]))
                widest = i;
        if (widest == COLUMNS_MAX)
            return false;
        widths[widest]--;
    }
    return true;
}

/* How much it matters, where it is shown: that some rows have nothing there does not make it less.
 */
static unsigned rank_of(const struct column *c)
{
    return c->rank % IF_ANY;
}

static bool lose_one(const struct row_type *type, size_t widths[])
{
    size_t lost = COLUMNS_MAX;

    for (size_t i = 0; i < type->n_columns; i++)
        if (widths[i] > 0 && rank_of(&type->columns[i]) > 0 &&
            (lost == COLUMNS_MAX || rank_of(&type->columns[i]) > rank_of(&type->columns[lost])))
            lost = i;
    if (lost == COLUMNS_MAX)
        return false;
    widths[lost] = 0;
    return true;
}

void table_fit(const struct row_type *type, const bool empty[], size_t widths[], unsigned width)
{
    size_t natural[COLUMNS_MAX];
    size_t n = type->n_columns;

    for (size_t i = 0; i < n && total_width(widths, n) > width; i++)
        if (empty[i])
            widths[i] = 0;
    memcpy(natural, widths, n * sizeof *widths);
    while (!shrink(type, widths, width)) {
        memcpy(widths, natural, n * sizeof *widths); /* one column fewer: room for the others */
        if (!lose_one(type, widths))
            break;
        memcpy(natural, widths, n * sizeof *widths);
    }
    for (size_t i = 0; i < n; i++) /* the last one left: better cut than wrapped */
        if (widths[i] > width)
            widths[i] = width;
}

/* ---- printing ---------------------------------------------------------------------------------
 */

static const char *colour_of(const struct column *c, const char *s)
{
    static const struct {
        const char *words, *colour;
    } COLOURS[] = {
        {" active open live yes approved done ok ", "\033[32m"},
        {" pending scheduled activating ending waiting opening closing overdue ", "\033[33m"},
        {" rejected revoked failed no refused denied lost stuck ", "\033[31m"},
    };

    if (c->kind == COL_ERROR)
        return s[0] != '\0' ? "\033[1;31m" : NULL;
    if (c->kind != COL_STATE || s[0] == '\0')
        return NULL;
    for (size_t i = 0; i < sizeof COLOURS / sizeof COLOURS[0]; i++) {
        const char *at = strstr(COLOURS[i].words, s);

        if (at && at[-1] == ' ' && at[strlen(s)] == ' ')
            return COLOURS[i].colour;
    }
    return NULL;
}

static void put_blanks(struct out *o, size_t n)
{
    for (; n > 0; n--)
        out_put(o, " ", 1);
}

/* Returns how many places of the column are left. */
static size_t put_cell(struct table *t, const char *s, size_t width, const char *colour)
{
    struct fit fit = {.bytes = strlen(s)};

    if (t->look->width > 0)
        fit = cell_fit(s, width);
    else
        fit.places = cell_width(s);
    if (colour && t->look->colour)
        out_text(t->out, colour);
    out_put(t->out, s, fit.bytes);
    if (fit.cut)
        out_text(t->out, t->look->ascii ? "~" : "…");
    if (colour && t->look->colour)
        out_text(t->out, "\033[0m");
    fit.places += fit.cut;
    return fit.places < width ? width - fit.places : 0;
}

static void put_line(struct table *t, char *const cells[], bool heading)
{
    size_t blanks = 0;
    bool first = true;

    for (size_t i = 0; i < t->type->n_columns; i++) {
        const struct column *c = &t->type->columns[i];
        const char *s = heading ? c->heading : cells[i];

        if (t->widths[i] == 0)
            continue;
        put_blanks(t->out, blanks); /* none after the last */
        out_put(t->out, GAP_TEXT, first ? 0 : GAP);
        first = false;
        blanks = put_cell(t, s[0] == '\0' ? "-" : s, t->widths[i],
                          heading ? "\033[1m" : colour_of(c, s));
    }
    out_put(t->out, "\n", 1);
}

/* ---- the window -------------------------------------------------------------------------------
 */

void table_begin(struct table *t, const struct row_type *type, const struct look *look,
                 struct out *o)
{
    *t = (struct table){.type = type, .look = look, .out = o};
    t->cells = calloc(TABLE_WINDOW * type->n_columns, sizeof *t->cells);
    if (!t->cells)
        err(TEAM_FAILED, "teamctl");
}

static void fill(const struct table *t, struct wire_span row, char **cells)
{
    static char cell[CELL_CAP];

    for (size_t i = 0; i < t->type->n_columns; i++) {
        struct text text = text_over(cell, sizeof cell);

        if (t->type->columns[i].heading)
            cell_put(&text, &t->type->columns[i], row, CELL_TABLE, t->look);
        if (t->look->ascii)
            cell_ascii(cell);
        cells[i] = strdup(cell);
        if (!cells[i])
            err(TEAM_FAILED, "teamctl");
    }
}

static void forget(const struct table *t, char **cells)
{
    for (size_t i = 0; i < t->type->n_columns; i++)
        free(cells[i]);
}

/* How wide the columns of the rows so far are. Without `all`, those that are empty so far can be
 * left out: they come with the first row that has something there. */
static void measure(struct table *t, bool all)
{
    size_t n = t->type->n_columns;
    bool empty[COLUMNS_MAX];

    for (size_t i = 0; i < n; i++) {
        const char *heading = t->type->columns[i].heading;

        if (!t->headed)
            t->natural[i] = heading ? cell_width(heading) : 0;
        for (size_t row = 0; heading && row < t->n_rows; row++) {
            const char *s = t->cells[row * n + i];
            size_t width = cell_width(s);

            t->filled[i] = t->filled[i] || s[0] != '\0';
            if (width > t->natural[i])
                t->natural[i] = width;
        }
        empty[i] = !all && !t->filled[i];
    }
    memcpy(t->widths, t->natural, n * sizeof *t->widths);
    for (size_t i = 0; i < n; i++)
        if (empty[i] && t->type->columns[i].rank >= IF_ANY)
            t->widths[i] = 0;
    if (t->look->width > 0)
        table_fit(t->type, empty, t->widths, t->look->width);
}

/* Says whether the heading that is out has other columns than those to come. */
static bool other_columns(struct table *t)
{
    bool other = false;

    for (size_t i = 0; i < t->type->n_columns; i++) {
        other = other || t->shown[i] != (t->widths[i] > 0);
        t->shown[i] = t->widths[i] > 0;
    }
    return other;
}

static void put_window(struct table *t)
{
    size_t n = t->type->n_columns;

    if (other_columns(t) || !t->headed)
        put_line(t, NULL, true);
    t->headed = true;
    for (size_t row = 0; row < t->n_rows; row++) {
        put_line(t, t->cells + row * n, false);
        forget(t, t->cells + row * n);
    }
    t->n_rows = 0;
}

void table_flow(struct table *t)
{
    if (t->n_rows == 0)
        return;
    measure(t, false);
    put_window(t);
}

void table_row(struct table *t, struct wire_span row)
{
    if (!t->started && t->n_rows == TABLE_WINDOW) {
        measure(t, true); /* nobody knows what is to come */
        put_window(t);
        t->started = true;
    }
    fill(t, row, t->cells + t->n_rows * t->type->n_columns);
    if (!t->started) {
        t->n_rows++;
        return;
    }
    put_line(t, t->cells, false);
    forget(t, t->cells);
}

void table_end(struct table *t)
{
    table_flow(t);
    free(t->cells);
    t->cells = NULL;
}
