/* show: one request, whole. request --json prints its request with the same code. */
#include "teamctl.h"

/* The request and its sessions, as they come. */
struct whole {
    struct call *c;
    json_t *request, *sessions; /* FORM_JSON */
    struct render render;       /* of the sessions */
};

static void add_json(struct whole *w, enum team_row kind, struct wire_span row)
{
    if (kind == TEAM_ROW_SESSION) {
        json_append(&w->sessions, row_json(&SESSION_ROWS, row));
        return;
    }
    json_decref(w->request);
    w->request = row_json(&REQUEST_ROWS, row);
}

static bool show_part(void *ctx, enum team_row kind, struct wire_span row)
{
    struct whole *w = ctx;
    struct out *o = w->c->out;

    if (kind != TEAM_ROW_REQUEST && kind != TEAM_ROW_SESSION)
        return true;
    if (w->c->look.form == FORM_JSON) {
        add_json(w, kind, row);
    } else if (kind == TEAM_ROW_REQUEST) {
        page_put(o, &REQUEST_ROWS, row, &w->c->look);
        aws_put_use(o, row);
    } else {
        out_text(o, w->render.n == 0 ? "\nSessions\n" : "");
        render_row(&w->render, row);
    }
    return o->error == 0;
}

static void put_json(struct whole *w, bool sessions)
{
    if (sessions)
        json_set(&w->request, "sessions", json_incref(w->sessions));
    json_put(w->c->out, w->request);
}

int show_request(struct call *c, const char *id, bool sessions)
{
    struct wire_out ask = talk_begin(&c->talk, TEAM_OP_SHOW);
    struct whole w = {.c = c};
    struct answer a;

    if (!put_id(c, &ask, id))
        return TEAM_USAGE;
    w.sessions = json_array();
    render_begin(&w.render, &SESSION_ROWS, &c->look, c->out);
    talk_ask(&c->talk, &ask, TALK_PATIENCE_MS, show_part, &w, &a);
    render_end(&w.render, a.code == TEAM_DONE);
    if (a.code == TEAM_DONE && c->look.form == FORM_JSON)
        put_json(&w, sessions);
    json_decref(w.request);
    json_decref(w.sessions);
    return a.code == TEAM_DONE ? TEAM_DONE : complain_answer(c, id, &a);
}

int verb_show(struct call *c)
{
    return show_request(c, c->args[0], true);
}
