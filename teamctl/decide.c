/* Verbs that decide about a request: approve, reject, revoke. */
#include "teamctl.h"

#include <pwd.h>
#include <stdio.h>
#include <unistd.h>

int change_request(struct call *c, struct wire_out *ask, const char *id)
{
    struct answer a;

    talk_ask(&c->talk, ask, TALK_PATIENCE_MS, NULL, NULL, &a);
    if (a.code != TEAM_DONE)
        return complain_answer(c, id, &a);
    out_text(c->out, a.id[0] != '\0' ? a.id : id);
    out_text(c->out, ": ");
    out_text(c->out, a.text[0] != '\0' ? a.text : a.state);
    out_text(c->out, "\n");
    out_flush(c->out); /* the next one may take its time */
    return TEAM_DONE;
}

/* ---- approve, reject --------------------------------------------------------------------------
 */

static int decide_one(struct call *c, const char *decision, const char *id)
{
    struct wire_out ask = talk_begin(&c->talk, TEAM_OP_DECIDE);

    if (!put_id(c, &ask, id))
        return TEAM_USAGE;
    wire_put(&ask, TEAM_DECISION, decision);
    if (!put_option(c, &ask, TEAM_COMMENT, OPT_COMMENT))
        return TEAM_USAGE;
    return change_request(c, &ask, id);
}

/* All are tried; the exit is that of the first that did not work. */
static int decide(struct call *c, const char *decision)
{
    int first = TEAM_DONE;

    for (size_t i = 0; i < c->n_args; i++) {
        int r = decide_one(c, decision, c->args[i]);

        if (first == TEAM_DONE)
            first = r;
    }
    return first;
}

int verb_approve(struct call *c)
{
    return decide(c, "approved");
}

int verb_reject(struct call *c)
{
    return decide(c, "rejected");
}

/* ---- revoke -----------------------------------------------------------------------------------
 */

/* What a person has to know before they say yes. */
struct subject {
    char id[TEXT_ID_LEN + 1], requester[64], state[17];
    char targets[1024];
};

static bool subject_row(void *ctx, enum team_row kind, struct wire_span row)
{
    struct subject *s = ctx;
    struct text t = text_over(s->targets, sizeof s->targets);

    if (kind != TEAM_ROW_REQUEST)
        return true;
    wire_copy(row, TEAM_ID, s->id, sizeof s->id);
    wire_copy(row, TEAM_REQUESTER, s->requester, sizeof s->requester);
    wire_copy(row, TEAM_STATE, s->state, sizeof s->state);
    for (struct wire_span rest = row, v; v = wire_each(&rest, TEAM_TARGET), v.at;) {
        struct wire_span name = wire_find(v, TEAM_TARGET_NAME);

        text_put(&t, t.len > 0 ? ", " : "");
        text_put_n(&t, name.at ? name.at : "?", name.at ? name.len : 1);
    }
    return true;
}

static bool is_me(const char *name)
{
    const struct passwd *me = getpwuid(getuid());

    return me && strcmp(me->pw_name, name) == 0;
}

static bool may_revoke(const struct call *c, const struct subject *s)
{
    char question[1400];

    snprintf(question, sizeof question, "%s is %s's and %s: %s. Revoke it?", s->id, s->requester,
             s->state, s->targets);
    return says_yes(c, question);
}

/* Ending another's work by a slip of the finger would be rude: where somebody is there to answer,
 * they are asked. Returns 0 to go on, with *s telling what was meant if it was looked up. */
static int confirm(struct call *c, const char *id, struct subject *s)
{
    struct wire_out ask = talk_begin(&c->talk, TEAM_OP_SHOW);
    struct answer a;

    if (c->given[OPT_YES] || !isatty(STDIN_FILENO) || !isatty(STDERR_FILENO))
        return TEAM_DONE;
    if (!put_id(c, &ask, id))
        return TEAM_USAGE;
    talk_ask(&c->talk, &ask, TALK_PATIENCE_MS, subject_row, s, &a);
    if (a.code != TEAM_DONE)
        return complain_answer(c, id, &a);
    if (is_me(s->requester) ||
        (strcmp(s->state, "active") != 0 && strcmp(s->state, "activating") != 0))
        return TEAM_DONE;
    talk_close(&c->talk); /* teamd does not wait for people */
    if (may_revoke(c, s))
        return TEAM_DONE;
    complain(c, s->id, "not revoked");
    return TEAM_FAILED;
}

int verb_revoke(struct call *c)
{
    struct subject s = {0};
    struct wire_out ask;
    const char *id = c->args[0];
    int r = confirm(c, id, &s);

    if (r != TEAM_DONE)
        return r;
    if (s.id[0] != '\0')
        id = s.id; /* the one that was asked about, whatever the prefix means by now */
    ask = talk_begin(&c->talk, TEAM_OP_REVOKE);
    if (!put_id(c, &ask, id) || !put_option(c, &ask, TEAM_COMMENT, OPT_COMMENT))
        return TEAM_USAGE;
    return change_request(c, &ask, id);
}
