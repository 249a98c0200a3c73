/* Verbs of the requester: request, extend, cancel. */
#include "teamctl.h"

enum {
    WAIT_S = 5 * 60,
    AGAIN_US = 200 * 1000, /* teamd may just be starting anew, */
    AGAIN_MAX = 50,        /* but is not away for long */
};

/* ---- what a request must say ------------------------------------------------------------------
 */

static bool need(const struct call *c, enum option option, const char *question)
{
    if (c->given[option])
        return true;
    complain(c, NULL, "--%s is missing (%s); for example: %s", OPTIONS[option].name, question,
             c->verb->example);
    return false;
}

static bool put_wish(const struct call *c, struct wire_out *ask)
{
    return need(c, OPT_FOR, "for how long?") && need(c, OPT_REASON, "why?") &&
           put_duration(c, ask, OPT_FOR) && put_option(c, ask, TEAM_REASON, OPT_REASON);
}

static bool put_targets(const struct call *c, struct wire_out *ask)
{
    if (c->n_args > TEAM_TARGETS_MAX) {
        complain(c, NULL, "a request has at most %d targets, and these are %zu; make two of it",
                 TEAM_TARGETS_MAX, c->n_args);
        return false;
    }
    for (size_t i = 0; i < c->n_args; i++)
        if (!put_words(c, ask, TEAM_TARGET_NAME, "TARGET", c->args[i]))
            return false;
    return true;
}

/* How long to wait; 0: not at all. */
static bool read_wait(const struct call *c, uint64_t *ret_s)
{
    const char *s = c->given[OPT_WAIT];

    *ret_s = s ? WAIT_S : 0;
    if (!s || s[0] == '\0' || text_parse_duration(s, strlen(s), ret_s))
        return true;
    complain(c, NULL, "--wait: \"%s\" is not a duration; write --wait=5m", s);
    return false;
}

/* ---- waiting ----------------------------------------------------------------------------------
 */

static int still_waiting(const struct call *c, const char *id, uint64_t wait_s)
{
    char duration[32];
    struct text t = text_over(duration, sizeof duration);

    text_put_duration(&t, wait_s);
    complain(c, id, "still not active after %s; the request stays, see teamctl show %s", duration,
             id);
    return TEAM_TIMED_OUT;
}

/* What became of it. Only `active` is a yes: whatever else, it is not open now. */
static int came_to(const struct call *c, const char *id, const struct answer *a)
{
    static const char *const REFUSED[] = {"rejected", "expired", "cancelled", "revoked"};
    const char *between = a->text[0] != '\0' ? ": " : "";

    if (strcmp(a->state, "active") == 0) {
        remark(c, "%s", a->text[0] != '\0' ? a->text : "active");
        return TEAM_DONE;
    }
    complain(c, id, "%s%s%s", a->state[0] != '\0' ? a->state : "in an unknown state", between,
             a->text);
    for (size_t i = 0; i < sizeof REFUSED / sizeof REFUSED[0]; i++)
        if (strcmp(a->state, REFUSED[i]) == 0)
            return TEAM_REFUSED;
    return TEAM_FAILED;
}

/* Through a restart of teamd, as sudo does that waits in place. */
static void ask_wait(struct call *c, const char *id, uint64_t wait_s, struct answer *ret)
{
    int64_t deadline = client_deadline((int64_t)wait_s * 1000 * 1000), left_us;

    for (unsigned again = 0; again < AGAIN_MAX; again++) {
        struct wire_out ask = talk_begin(&c->talk, TEAM_OP_WAIT);

        wire_put(&ask, TEAM_ID, id);
        left_us = deadline - client_deadline(0);
        talk_ask(&c->talk, &ask, left_us / 1000, NULL, NULL, ret);
        if (ret->code != TEAM_UNREACHABLE || left_us <= AGAIN_US || client_pause(AGAIN_US) < 0)
            return;
    }
}

static int wait_for(struct call *c, const char *id, uint64_t wait_s)
{
    struct answer a;

    ask_wait(c, id, wait_s, &a);
    if (a.code == TEAM_TIMED_OUT)
        return still_waiting(c, id, wait_s);
    if (a.code == TEAM_UNREACHABLE) {
        complain(c, id, "it is filed, but teamd is lost; see teamctl show %s", id);
        return a.code;
    }
    if (a.code != TEAM_DONE)
        return complain_answer(c, id, &a);
    return came_to(c, id, &a);
}

/* ---- verbs ------------------------------------------------------------------------------------
 */

/* Standard output gets the id and nothing else, for `id=$(teamctl request ...)`; or, with --json,
 * the request as it is at the end. */
int verb_request(struct call *c)
{
    struct wire_out ask = talk_begin(&c->talk, TEAM_OP_REQUEST);
    bool json = c->look.form == FORM_JSON;
    uint64_t wait_s;
    struct answer a;
    int r = TEAM_DONE, shown = TEAM_DONE;

    if (!put_targets(c, &ask) || !put_wish(c, &ask) ||
        !put_option(c, &ask, TEAM_TICKET, OPT_TICKET) ||
        !put_time(c, &ask, TEAM_START, OPT_START) || !read_wait(c, &wait_s))
        return TEAM_USAGE;
    talk_ask(&c->talk, &ask, TALK_PATIENCE_MS, NULL, NULL, &a);
    if (a.code != TEAM_DONE)
        return complain_answer(c, NULL, &a);
    if (!json) {
        out_text(c->out, a.id);
        out_text(c->out, "\n");
    }
    remark(c, "%s: %s", a.id, a.text[0] != '\0' ? a.text : a.state);
    if (wait_s > 0)
        r = wait_for(c, a.id, wait_s);
    if (json)
        shown = show_request(c, a.id, false);
    return r != TEAM_DONE ? r : shown;
}

int verb_extend(struct call *c)
{
    struct wire_out ask = talk_begin(&c->talk, TEAM_OP_EXTEND);

    if (!put_id(c, &ask, c->args[0]) || !put_wish(c, &ask))
        return TEAM_USAGE;
    return change_request(c, &ask, c->args[0]);
}

int verb_cancel(struct call *c)
{
    struct wire_out ask = talk_begin(&c->talk, TEAM_OP_CANCEL);

    if (!put_id(c, &ask, c->args[0]))
        return TEAM_USAGE;
    return change_request(c, &ask, c->args[0]);
}
