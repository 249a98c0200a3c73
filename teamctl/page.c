/* One row as a page: a line for each value that there is. */
#include "render.h"

enum { LABEL_WIDTH = 20 };

/* "active_until" becomes "active until:", "duration_s" becomes "duration:"; "" stays blank. */
static void put_label(struct out *o, const char *key)
{
    size_t n = strlen(key);
    char label[LABEL_WIDTH + 1];
    struct text t = text_over(label, sizeof label);

    if (n > 2 && strcmp(key + n - 2, "_s") == 0)
        n -= 2;
    for (size_t i = 0; i < n; i++)
        text_put_n(&t, key[i] == '_' ? " " : key + i, 1);
    text_put(&t, n > 0 ? ":" : "");
    while (t.len < LABEL_WIDTH)
        text_put(&t, " ");
    out_put(o, t.buf, t.len);
}

static void put_line_of(struct out *o, const struct column *c, struct wire_span row,
                        const struct look *look)
{
    static char cell[CELL_CAP];
    struct text t = text_over(cell, sizeof cell);

    cell_put(&t, c, row, CELL_PAGE, look);
    if (look->ascii)
        cell_ascii(cell);
    out_text(o, cell);
    out_put(o, "\n", 1);
}

void page_put(struct out *o, const struct row_type *type, struct wire_span row,
              const struct look *look)
{
    for (size_t i = 0; i < type->n_columns; i++) {
        const struct column *c = &type->columns[i];
        const char *label = c->key;

        if (c->kind != COL_GROUPS) {
            if (wire_find(row, c->tag).at) {
                put_label(o, label);
                put_line_of(o, c, row, look);
            }
            continue;
        }
        for (struct wire_span rest = row, before = row; wire_each(&rest, c->tag).at;) {
            /* a line for each: the piece of the row that ends with this one has only it */
            struct wire_span one = {before.at, (size_t)(rest.at - before.at)};

            put_label(o, label);
            put_line_of(o, c, one, look);
            label = "";
            before = rest;
        }
    }
}
