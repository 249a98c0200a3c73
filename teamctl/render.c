#include "render.h"

void render_begin(struct render *r, const struct row_type *type, const struct look *look,
                  struct out *o)
{
    *r = (struct render){.type = type, .look = look, .out = o};
}

static void first_row(struct render *r)
{
    if (r->look->form == FORM_TABLE)
        table_begin(&r->table, r->type, r->look, r->out);
    else if (r->look->form == FORM_CSV)
        csv_header(r->out, r->type);
}

void render_row(struct render *r, struct wire_span row)
{
    json_t *object;

    if (r->n++ == 0)
        first_row(r);
    switch (r->look->form) {
    case FORM_TABLE:
        table_row(&r->table, row);
        break;
    case FORM_CSV:
        csv_row(r->out, r->type, row);
        break;
    case FORM_JSON:
        object = row_json(r->type, row);
        json_put(r->out, object);
        json_decref(object);
        break;
    }
}

void render_flow(struct render *r)
{
    if (r->n > 0 && r->look->form == FORM_TABLE)
        table_flow(&r->table);
    out_flush(r->out);
}

void render_end(struct render *r, bool whole)
{
    if (r->n > 0 && r->look->form == FORM_TABLE)
        table_end(&r->table);
    else if (r->n == 0 && r->look->form == FORM_CSV && whole)
        csv_header(r->out, r->type);
}
