#include "logs.h"

#include <errno.h>

/* What SHOW tells of activity, and looking for a text in all that one may see. */

static struct teamd *team(const struct query *q)
{
    return q->ask->t;
}

/* ---- what SHOW tells --------------------------------------------------------------------------
 */

static int telling_row(void *ctx, const struct activity *a)
{
    struct query *q = ctx;
    int full;

    if (q->log->left == 0)
        return -ECANCELED; /* enough */
    if (!q->log->calls.errors && a->error[0])
        return 0; /* has been told */
    full = log_call_row(q, a);
    q->log->left -= full == 0;
    return full;
}

int log_fill_summary(struct query *q)
{
    struct log *l = q->log;
    size_t budget = BYTES_AT_ONCE;
    int r;

    if (q->row == TEAM_ROW_COLLECTED) {
        r = log_look_first(q);
        if (r <= 0)
            return r;
        log_fill_collected(q);
        l->n_gaps = 0;
        l->calls = (struct activity_query){.request = q->id, .errors = true};
        l->left = TELLING_MAX;
        q->row = TEAM_ROW_ACTIVITY;
        return 1;
    }
    r = store_activity(team(q)->store, &l->calls, &budget, telling_row, q);
    if (r > 0 || (r < 0 && r != -ECANCELED))
        return r;
    if (!l->calls.errors)
        return 0;
    l->calls = (struct activity_query){.request = q->id, .changes = true};
    l->left = TELLING_MAX;
    return 1;
}

/* ---- search -----------------------------------------------------------------------------------
 */

/* The next request that the person may see and that may have it. 1: the budget is used up. */
static int next_request(struct query *q, size_t *budget)
{
    struct log *l = q->log;
    struct wall from;
    int r;

    for (;;) {
        if (*budget < REQUEST_COST)
            return 1;
        *budget -= REQUEST_COST;
        r = store_next_collected(team(q)->store, &l->requests, &q->id, &from);
        if (r < 0)
            return r;
        if (l->until.us != 0 && from.us >= l->until.us)
            continue;
        r = log_look_at_targets(q);
        if (r < 0 && r != -EACCES)
            return r;
        if (r == 0) {
            l->n_gaps = 0;
            log_filter_calls(l, q->id, &l->calls);
            l->searching = true;
            return 0;
        }
    }
}

/* One of no request is that of root, or of somebody exempt. */
static int found_session(void *ctx, const struct session *s)
{
    struct query *q = ctx;
    const struct teamd *t = team(q);
    uint32_t viewer = q->ask->actor.uid;
    struct wire_mark mark;

    if (q->user[0] && (q->by_name ? strcmp(q->user, s->user.text) != 0 : q->about != s->uid))
        return 0;
    if (s->uid != viewer && !sees_everything(&t->world, viewer) &&
        (s->request.bits == 0 || !query_may_see_id(q, s->request)))
        return 0;
    mark = query_row(q);
    row_session(&q->out, s);
    return query_row_end(q, mark);
}

static int fill_found_sessions(struct query *q)
{
    size_t budget = BYTES_AT_ONCE / 4; /* each of them may have to be looked at */

    return store_search_sessions(team(q)->store, &q->log->sessions, &budget, found_session, q);
}

/* AWS is done: the host is next. */
static int turn_to_host(struct query *q)
{
    struct log *l = q->log;

    if (!log_wants_host(l))
        return 0;
    l->on_host = true;
    l->sessions = (struct session_search){
        .match = l->match, .match_len = strlen(l->match), .since = l->since, .until = l->until};
    q->row = TEAM_ROW_SESSION; /* of the next packet */
    return 1;
}

int fill_search(struct query *q)
{
    struct log *l = q->log;
    size_t budget = BYTES_AT_ONCE;
    int r;

    if (l->on_host)
        return fill_found_sessions(q);
    for (;;) {
        if (!l->searching) {
            r = next_request(q, &budget);
            if (r != 0)
                return r == -ENOENT ? turn_to_host(q) : r;
        }
        r = store_activity(team(q)->store, &l->calls, &budget, log_call_row, q);
        if (r != 0)
            return r;
        l->searching = false;
    }
}
