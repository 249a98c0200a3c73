/* Verbs about teamd itself: why it would decide so, how it is, and reload. */
#include "teamctl.h"

/* ---- why --------------------------------------------------------------------------------------
 */

/* The explanation comes with both verdicts; only an answer without one is a failure. Sentences are
 * not cut: the terminal wraps them. */
int verb_why(struct call *c)
{
    struct wire_out ask = talk_begin(&c->talk, TEAM_OP_WHY);
    struct render r;
    struct answer a;

    if (!put_words(c, &ask, TEAM_TARGET_NAME, "TARGET", c->args[0]) ||
        !put_option(c, &ask, TEAM_USER, OPT_USER) || !put_duration(c, &ask, OPT_FOR))
        return TEAM_USAGE;
    c->look.width = 0;
    render_begin(&r, &FINDING_ROWS, &c->look, c->out);
    talk_ask(&c->talk, &ask, TALK_PATIENCE_MS, show_row, &r, &a);
    render_end(&r, a.code == TEAM_DONE || a.code == TEAM_REFUSED);
    if (a.code != TEAM_DONE && (a.code != TEAM_REFUSED || r.n == 0))
        return complain_answer(c, c->args[0], &a);
    if (a.text[0] != '\0')
        remark(c, "%s", a.text);
    return a.code;
}

/* ---- status -----------------------------------------------------------------------------------
 */

struct status {
    json_t *object;
    struct render *render;
};

/* All values in one object: somebody who asks for JSON wants `.live_requests`, not a search. */
static bool status_row(void *ctx, enum team_row kind, struct wire_span row)
{
    struct status *s = ctx;
    struct wire_span value = wire_find(row, TEAM_VALUE);
    char name[33];
    json_t *json;
    uint64_t n;

    if (s->render->look->form != FORM_JSON)
        return show_row(s->render, kind, row);
    if (kind != TEAM_ROW_STATUS || !wire_copy(row, TEAM_NAME, name, sizeof name))
        return true;
    if (value.at && text_parse_u64(value.at, value.len, &n) && n <= INT64_MAX)
        json = json_integer((json_int_t)n);
    else
        json = value.at ? plain_json(value) : json_null();
    json_set(&s->object, name, json);
    return true;
}

int verb_status(struct call *c)
{
    struct wire_out ask = talk_begin(&c->talk, TEAM_OP_STATUS);
    struct render r;
    struct status s = {.object = json_object(), .render = &r};
    struct answer a;

    render_begin(&r, &STATUS_ROWS, &c->look, c->out);
    talk_ask(&c->talk, &ask, TALK_PATIENCE_MS, status_row, &s, &a);
    render_end(&r, a.code == TEAM_DONE);
    if (a.code == TEAM_DONE && c->look.form == FORM_JSON)
        json_put(c->out, s.object);
    json_decref(s.object);
    return a.code == TEAM_DONE ? TEAM_DONE : complain_answer(c, NULL, &a);
}

/* ---- reload -----------------------------------------------------------------------------------
 */

int verb_reload(struct call *c)
{
    struct wire_out ask = talk_begin(&c->talk, TEAM_OP_RELOAD);
    struct answer a;

    talk_ask(&c->talk, &ask, TALK_PATIENCE_MS, NULL, NULL, &a);
    if (a.code != TEAM_DONE)
        return complain_answer(c, NULL, &a);
    out_text(c->out, a.text[0] != '\0' ? a.text : "reloaded");
    out_text(c->out, "\n");
    return TEAM_DONE;
}
