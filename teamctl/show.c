/* show: one request, whole. request --json prints its request with the same code. */
#include "teamctl.h"

#include "when.h"

/* The request and its sessions, as they come. */
struct whole {
    struct call *c;
    json_t *request, *sessions, *activity; /* FORM_JSON */
    struct render render;                  /* of the sessions, then of calls */
    enum team_row row;                     /* that is being shown */
};

static void add_json(struct whole *w, enum team_row kind, struct wire_span row)
{
    if (kind == TEAM_ROW_SESSION)
        json_append(&w->sessions, row_json(&SESSION_ROWS, row));
    if (kind == TEAM_ROW_COLLECTED)
        json_append(&w->activity, row_json(&COLLECTED_ROWS, row));
    if (kind != TEAM_ROW_REQUEST)
        return;
    json_decref(w->request);
    w->request = row_json(&REQUEST_ROWS, row);
}

static void put_count(struct text *t, struct wire_span row, enum team_tag tag, const char *one,
                      const char *many)
{
    uint64_t n = 0;

    if (!wire_find_u64(row, tag, &n) || (n == 0 && tag != TEAM_CALLS))
        return;
    text_put(t, tag == TEAM_CALLS ? ": " : ", ");
    text_put_u64(t, n);
    text_put(t, n == 1 ? one : many);
}

/* "aws:111122223333/Admin: 120 calls, 12 that changed something; collected until 14:20" */
static void put_collected(const struct call *c, struct wire_span row)
{
    char line[1600], word[901], when[WHEN_CAP];
    struct text t = text_over(line, sizeof line);
    uint64_t until = 0, last = 0;

    wire_copy(row, TEAM_TARGET_NAME, word, sizeof word);
    text_put(&t, word);
    put_count(&t, row, TEAM_CALLS, " call", " calls");
    put_count(&t, row, TEAM_CHANGES, " that did not only read", " that did not only read");
    put_count(&t, row, TEAM_FAULTS, " refused or failed", " refused or failed");
    put_count(&t, row, TEAM_GAPS, " gap", " gaps");
    wire_find_u64(row, TEAM_LAST, &last);
    if (wire_find_u64(row, TEAM_UNTIL, &until) && !last) {
        when_local((int64_t)until, c->look.now_us, false, when);
        text_put(&t, "; collected until ");
        text_put(&t, when);
    }
    wire_copy(row, TEAM_TEXT, word, sizeof word);
    if (word[0]) {
        text_put(&t, until ? "; " : ": ");
        text_put(&t, word);
    }
    text_put(&t, "\n");
    text_make_plain(word, sizeof word, line, t.len > 0 ? t.len - 1 : 0);
    if (c->look.ascii)
        cell_ascii(word);
    out_text(c->out, word);
    out_text(c->out, "\n");
}

/* What comes next is of another kind. */
static void turn_to(struct whole *w, enum team_row row)
{
    struct out *o = w->c->out;

    if (w->row == row)
        return;
    if (w->row != TEAM_ROW_COLLECTED)
        render_end(&w->render, true);
    out_text(o, row == TEAM_ROW_SESSION     ? "\nSessions\n"
                : row == TEAM_ROW_COLLECTED ? "\nIn AWS\n"
                                            : "\n");
    render_begin(&w->render, row == TEAM_ROW_SESSION ? &SESSION_ROWS : &LOG_ROWS, &w->c->look, o);
    w->row = row;
}

static void show_other(struct whole *w, enum team_row kind, struct wire_span row)
{
    struct wire_span line;

    turn_to(w, kind);
    if (kind == TEAM_ROW_SESSION)
        render_row(&w->render, row);
    else if (kind == TEAM_ROW_COLLECTED)
        put_collected(w->c, row);
    else if (line_of_call(&w->c->look, false, row, &line))
        render_row(&w->render, line);
}

static bool show_part(void *ctx, enum team_row kind, struct wire_span row)
{
    struct whole *w = ctx;
    struct out *o = w->c->out;

    if (kind != TEAM_ROW_REQUEST && kind != TEAM_ROW_SESSION && kind != TEAM_ROW_COLLECTED &&
        kind != TEAM_ROW_ACTIVITY)
        return true;
    if (w->c->look.form == FORM_JSON) {
        add_json(w, kind, row);
    } else if (kind == TEAM_ROW_REQUEST) {
        page_put(o, &REQUEST_ROWS, row, &w->c->look);
        aws_put_use(o, row);
    } else {
        show_other(w, kind, row);
    }
    return o->error == 0;
}

static void put_json(struct whole *w, bool sessions)
{
    if (sessions) {
        json_set(&w->request, "sessions", json_incref(w->sessions));
        json_set(&w->request, "activity", json_incref(w->activity));
    }
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
    w.activity = json_array();
    w.row = TEAM_ROW_REQUEST;
    render_begin(&w.render, &SESSION_ROWS, &c->look, c->out);
    talk_ask(&c->talk, &ask, TALK_PATIENCE_MS, show_part, &w, &a);
    render_end(&w.render, a.code == TEAM_DONE);
    if (a.code == TEAM_DONE && c->look.form == FORM_JSON)
        put_json(&w, sessions);
    json_decref(w.request);
    json_decref(w.sessions);
    json_decref(w.activity);
    return a.code == TEAM_DONE ? TEAM_DONE : complain_answer(c, id, &a);
}

int verb_show(struct call *c)
{
    return show_request(c, c->args[0], true);
}
