/* teamctl without a verb: what I have, what I asked for, and what others ask of me. */
#include "teamctl.h"

static const struct section {
    const char *heading;
    enum team_op op;
    const char *states; /* of mine */
} SECTIONS[] = {
    {"My elevations", TEAM_OP_LIST, "activating,active,ending"},
    {"My open requests", TEAM_OP_LIST, "pending,scheduled"},
    {"Waiting for my decision", TEAM_OP_PENDING, NULL},
};

enum { N_SECTIONS = sizeof SECTIONS / sizeof SECTIONS[0] };

struct dashboard {
    struct call *c;
    const struct section *section;
    struct render render;
    size_t n; /* rows in the sections before */
};

static bool dashboard_row(void *ctx, enum team_row kind, struct wire_span row)
{
    struct dashboard *d = ctx;
    struct out *o = d->c->out;

    if (kind != TEAM_ROW_REQUEST)
        return true;
    if (d->render.n == 0 && d->c->look.form == FORM_TABLE) {
        out_text(o, d->n > 0 ? "\n" : "");
        out_text(o, d->section->heading);
        out_text(o, "\n");
    }
    render_row(&d->render, row);
    return o->error == 0;
}

static void ask_section(struct dashboard *d, struct answer *a)
{
    struct wire_out ask = talk_begin(&d->c->talk, d->section->op);

    if (d->section->op == TEAM_OP_LIST) {
        wire_put_u64(&ask, TEAM_MINE, 1);
        wire_put(&ask, TEAM_STATES, d->section->states);
    }
    talk_ask(&d->c->talk, &ask, TALK_PATIENCE_MS, dashboard_row, d, a);
}

/* Each section is a table of its own; in the other forms all is one listing. */
int verb_dashboard(struct call *c)
{
    bool tables = c->look.form == FORM_TABLE;
    struct dashboard d = {.c = c};
    struct answer a = {0};

    render_begin(&d.render, &REQUEST_ROWS, &c->look, c->out);
    for (size_t i = 0; i < N_SECTIONS && a.code == TEAM_DONE; i++) {
        d.section = &SECTIONS[i];
        ask_section(&d, &a);
        if (!tables)
            continue;
        render_end(&d.render, a.code == TEAM_DONE);
        d.n += d.render.n;
        render_begin(&d.render, &REQUEST_ROWS, &c->look, c->out);
    }
    render_end(&d.render, a.code == TEAM_DONE);
    if (a.code != TEAM_DONE)
        return complain_answer(c, NULL, &a);
    if (tables && d.n == 0)
        out_text(c->out, "Nothing is active, nothing is open, nothing waits for you.\n"
                         "teamctl targets shows what you may ask for.\n");
    return TEAM_DONE;
}
