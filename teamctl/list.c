/* Verbs that list: list, pending, targets, sessions, audit. */
#include "teamctl.h"

#include <team/actions.h>

/* ---- rows as they come ------------------------------------------------------------------------
 */

bool show_row(void *ctx, enum team_row kind, struct wire_span row)
{
    struct render *r = ctx;

    if (kind == r->type->row)
        render_row(r, row);
    return r->out->error == 0;
}

int show_rows(struct call *c, struct wire_out *ask, const struct row_type *type)
{
    return show_rows_within(c, ask, type, TALK_PATIENCE_MS);
}

int show_rows_within(struct call *c, struct wire_out *ask, const struct row_type *type,
                     int64_t patience_ms)
{
    struct render r;
    struct answer a;

    render_begin(&r, type, &c->look, c->out);
    talk_ask(&c->talk, ask, patience_ms, show_row, &r, &a);
    render_end(&r, a.code == TEAM_DONE);
    if (a.code != TEAM_DONE)
        return complain_answer(c, NULL, &a);
    if (r.n == 0 && c->look.form == FORM_TABLE)
        remark(c, "no %s", type->plural);
    return TEAM_DONE;
}

int verb_pending(struct call *c)
{
    struct wire_out ask = talk_begin(&c->talk, TEAM_OP_PENDING);

    return show_rows(c, &ask, &REQUEST_ROWS);
}

int verb_targets(struct call *c)
{
    struct wire_out ask = talk_begin(&c->talk, TEAM_OP_TARGETS);

    return show_rows(c, &ask, &TARGET_ROWS);
}

int verb_sessions(struct call *c)
{
    struct wire_out ask = talk_begin(&c->talk, TEAM_OP_SESSIONS);

    return show_rows(c, &ask, &SESSION_ROWS);
}

/* ---- filters ----------------------------------------------------------------------------------
 */

static bool put_limit(const struct call *c, struct wire_out *ask)
{
    const char *s = c->given[OPT_LIMIT];
    uint64_t n;

    if (!s)
        return true;
    if (!text_parse_u64(s, strlen(s), &n) || n == 0 || n > UINT32_MAX) {
        complain(c, NULL, "--limit: \"%s\" is not a number of requests; write --limit 20", s);
        return false;
    }
    wire_put_u64(ask, TEAM_LIMIT, n);
    return true;
}

int verb_list(struct call *c)
{
    struct wire_out ask = talk_begin(&c->talk, TEAM_OP_LIST);

    if (c->given[OPT_MINE])
        wire_put_u64(&ask, TEAM_MINE, 1);
    if (!put_option(c, &ask, TEAM_STATES, OPT_STATE) || !put_option(c, &ask, TEAM_USER, OPT_USER) ||
        !put_option(c, &ask, TEAM_TARGET_NAME, OPT_TARGET) || !put_period(c, &ask) ||
        !put_limit(c, &ask))
        return TEAM_USAGE;
    return show_rows(c, &ask, &REQUEST_ROWS);
}

static const char *action_name(size_t i)
{
    return TEAM_ACTIONS[i];
}

/* An empty answer to a slip of the pen would be taken for an answer. */
static bool is_action(const struct call *c)
{
    const char *word = c->given[OPT_ACTION], *meant;
    char all[900];
    struct text t = text_over(all, sizeof all);

    if (!word || team_action_is(word))
        return true;
    meant = nearest(word, action_name, TEAM_ACTIONS_N);
    if (meant) {
        complain(c, NULL, "there is no action \"%.40s\"; did you mean %s?", word, meant);
        return false;
    }
    for (size_t i = 0; i < TEAM_ACTIONS_N; i++) {
        text_put(&t, i > 0 ? ", " : "");
        text_put(&t, TEAM_ACTIONS[i]);
    }
    complain(c, NULL, "there is no action \"%.40s\"; there are %s", word, all);
    return false;
}

int verb_audit(struct call *c)
{
    struct wire_out ask = talk_begin(&c->talk, TEAM_OP_AUDIT);

    if (!is_action(c))
        return TEAM_USAGE;
    if (!put_period(c, &ask) || !put_option(c, &ask, TEAM_USER, OPT_USER) ||
        !put_option(c, &ask, TEAM_ACTION, OPT_ACTION))
        return TEAM_USAGE;
    if (c->given[OPT_REQUEST] && !put_id(c, &ask, c->given[OPT_REQUEST]))
        return TEAM_USAGE;
    if (!c->given[OPT_FOLLOW])
        return show_rows(c, &ask, &EVENT_ROWS);
    wire_put_u64(&ask, TEAM_FOLLOW, 1);
    return follow_rows(c, &ask, &EVENT_ROWS);
}
