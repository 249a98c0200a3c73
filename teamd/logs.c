#include "logs.h"

#include <errno.h>
#include <stdlib.h>

/* What was done under a request, and looking for a text in all that one may see. Rows go out as
 * the store has them: first what happened on the host, then how far AWS is known, then its calls
 * and what is unknown between them, by time. */

static struct teamd *team(const struct query *q)
{
    return q->ask->t;
}

static uint64_t number(const struct query *q, enum team_tag tag)
{
    uint64_t v = 0;

    wire_find_u64(q->ask->msg.fields, tag, &v);
    return v;
}

static struct wall moment(const struct query *q, enum team_tag tag)
{
    uint64_t us = number(q, tag);

    return (struct wall){us > INT64_MAX ? INT64_MAX : (int64_t)us};
}

/* ---- the question -----------------------------------------------------------------------------
 */

bool log_begin(struct query *q)
{
    q->log = calloc(1, sizeof *q->log);
    if (q->log) {
        q->log->q = q;
        q->log->targets = calloc(TARGETS_MAX, sizeof *q->log->targets);
        q->log->gaps = calloc((size_t)TARGETS_MAX * (GAPS_MAX + 1), sizeof *q->log->gaps);
        q->log->gap_of = calloc((size_t)TARGETS_MAX * (GAPS_MAX + 1), 1);
        if (q->log->targets && q->log->gaps && q->log->gap_of)
            return true;
    }
    ask_say(q->ask, REPLY_FAILED, "out of memory");
    return false;
}

bool log_read(struct query *q)
{
    struct wire_span fields = q->ask->msg.fields;
    struct log *l;

    if (!log_begin(q))
        return false;
    l = q->log;
    wire_copy(fields, TEAM_SOURCE, l->source, sizeof l->source);
    wire_copy(fields, TEAM_MATCH, l->match, sizeof l->match);
    l->since = moment(q, TEAM_SINCE);
    l->until = moment(q, TEAM_UNTIL);
    l->errors = number(q, TEAM_ERRORS) != 0;
    l->with_raw = number(q, TEAM_WITH_RAW) != 0;
    if (l->source[0] && strcmp(l->source, "aws") != 0 && strcmp(l->source, "host") != 0)
        ask_say(q->ask, REPLY_USAGE, "the sources are aws and host");
    else if (q->ask->msg.op == TEAM_OP_SEARCH && !l->match[0])
        ask_say(q->ask, REPLY_USAGE, "say what to look for");
    else if (number(q, TEAM_FOLLOW) && l->until.us != 0)
        ask_say(q->ask, REPLY_USAGE, "what is followed has no end; leave --until out");
    else
        return true;
    return false;
}

void log_drop(struct query *q)
{
    struct log *l = q->log;
    bool follows;

    if (!l)
        return;
    follows = l->link != NULL;
    if (follows) {
        *l->link = l->next;
        if (l->next)
            l->next->link = l->link;
    }
    free(l->targets);
    free(l->gaps);
    free(l->gap_of);
    free(l);
    q->log = NULL;
    if (follows)
        activity_follow(team(q), q->id);
}

bool log_wants_host(const struct log *l)
{
    return strcmp(l->source, "aws") != 0 && !l->errors;
}

static bool wants_aws(const struct log *l)
{
    return strcmp(l->source, "host") != 0;
}

void log_filter_calls(const struct log *l, struct id request, struct activity_query *ret)
{
    *ret = (struct activity_query){.request = request,
                                   .since = l->since,
                                   .until = l->until,
                                   .match = l->match[0] ? l->match : NULL,
                                   .match_len = strlen(l->match),
                                   .errors = l->errors};
}

/* ---- the request ------------------------------------------------------------------------------
 */

static int note_beside(void *ctx, const struct collection *c)
{
    struct log *l = ctx;
    struct beside *b;

    if (l->n_beside == BESIDE_MAX)
        return 0;
    b = &l->beside[l->n_beside++];
    b->target = l->beside_of;
    b->request = c->request;
    b->when = (struct span){c->from, c->until};
    return 0;
}

static void put_gap(struct log *l, uint8_t target, const struct gap *g)
{
    size_t at = l->n_gaps++;

    for (; at > 0 && l->gaps[at - 1].when.from.us > g->when.from.us; at--) {
        l->gaps[at] = l->gaps[at - 1];
        l->gap_of[at] = l->gap_of[at - 1];
    }
    l->gaps[at] = *g;
    l->gap_of[at] = target;
}

static bool shows_gap(const struct log *l, const struct gap *g)
{
    return (l->until.us == 0 || g->when.from.us < l->until.us) && g->when.until.us > l->since.us &&
           g->when.from.us >= l->told.us;
}

static void note_gaps(struct log *l, uint8_t target, const struct collection *c)
{
    struct gap lag;

    for (size_t i = 0; i < c->n_gaps; i++)
        if (shows_gap(l, &c->gaps[i]))
            put_gap(l, target, &c->gaps[i]);
    if (activity_lag(team(l->q), c, &lag) && shows_gap(l, &lag))
        put_gap(l, target, &lag);
}

static int look_at_request(void *ctx, const struct record *r)
{
    struct query *q = ctx;
    struct log *l = q->log;

    if (!query_may_see(q, r))
        return -EACCES;
    if (q->ask->msg.op == TEAM_OP_SEARCH && q->user[0] &&
        (q->by_name ? strcmp(q->user, r->request.requester_name.text) != 0
                    : q->about != r->request.requester))
        return -EACCES;
    l->requester = r->request.requester_name;
    l->over = request_state_final((enum request_state)r->request.state);
    l->n_targets = r->request.n_targets;
    for (size_t i = 0; i < l->n_targets; i++) {
        const struct grant *g = &r->request.grants[i];
        struct target_of_log *to = &l->targets[i];
        struct text account = text_over(to->account, sizeof to->account);

        target_text(&g->target, to->name);
        to->aws = grant_is_aws(g);
        to->was_open = grant_was_usable(g);
        text_put(&account, to->aws ? g->target.place : "");
        text_make_plain(to->account_name, sizeof to->account_name, r->names[i].account,
                        strlen(r->names[i].account));
    }
    return 0;
}

/* What is known of its targets. Returns -EACCES if it is none that the person may see. */
int log_look_at_targets(struct query *q)
{
    struct log *l = q->log;
    size_t n;
    int r = store_request(team(q)->store, q->id, look_at_request, q);

    if (r < 0)
        return r == -ENOENT ? -EACCES : r;
    n = l->n_targets;
    l->n_gaps = l->at_gap = l->n_beside = 0;
    l->knows_beside = false;
    for (l->n_targets = 0; l->n_targets < n;) {
        struct target_of_log *t = &l->targets[l->n_targets++];

        if (!t->aws)
            continue;
        r = store_collection(team(q)->store, q->id, (uint8_t)(l->n_targets - 1), &t->collection);
        if (r == -ENOENT)
            t->collection.request.bits = 0;
        else if (r < 0)
            return r;
        if (r < 0)
            continue;
        note_gaps(l, (uint8_t)(l->n_targets - 1), &t->collection);
    }
    return 0;
}

/* ---- rows -------------------------------------------------------------------------------------
 */

static void put_whose(struct query *q, struct id request, uint8_t target)
{
    const struct target_of_log *t = &q->log->targets[target];

    wire_put_id(&q->out, TEAM_ID, request.bits);
    row_text(&q->out, TEAM_USER, q->log->requester.text);
    row_text(&q->out, TEAM_TARGET_NAME, t->name);
    row_text(&q->out, TEAM_ACCOUNT, t->account);
    row_text(&q->out, TEAM_ACCOUNT_NAME, t->account_name);
}

/* What cannot be read, or not by this person, is not named. */
static void look_beside(struct query *q)
{
    struct log *l = q->log;
    size_t n = 0;

    l->knows_beside = true;
    for (size_t i = 0; i < l->n_targets; i++) {
        const struct target_of_log *t = &l->targets[i];

        l->beside_of = (uint8_t)i;
        if (t->aws && t->collection.request.bits != 0)
            (void)store_collections_beside(team(q)->store, &t->collection, note_beside, l);
    }
    for (size_t i = 0; i < l->n_beside; i++)
        if (query_may_see_id(q, l->beside[i].request))
            l->beside[n++] = l->beside[i];
    l->n_beside = n;
}

static void put_also(struct query *q, const struct activity *a)
{
    struct log *l = q->log;

    if (!l->knows_beside)
        look_beside(q);
    for (size_t i = 0; i < l->n_beside; i++) {
        const struct beside *b = &l->beside[i];

        if (b->target == a->target && b->request.bits != a->request.bits &&
            a->at.us >= b->when.from.us && (b->when.until.us == 0 || a->at.us <= b->when.until.us))
            wire_put_id(&q->out, TEAM_ALSO, b->request.bits);
    }
}

static int put_gaps_before(struct query *q, struct wall at)
{
    struct log *l = q->log;

    for (; l->at_gap < l->n_gaps && l->gaps[l->at_gap].when.from.us <= at.us; l->at_gap++) {
        struct wire_mark mark = query_row(q);

        row_gap(&q->out, &l->gaps[l->at_gap]);
        put_whose(q, q->id, l->gap_of[l->at_gap]);
        if (query_row_end(q, mark) > 0)
            return 1;
    }
    return 0;
}

int log_call_row(void *ctx, const struct activity *a)
{
    struct query *q = ctx;
    struct log *l = q->log;
    struct wire_mark mark;

    if (q->follow && a->number > l->highest[a->target])
        return 0; /* it has just come: the next round has it */
    if (put_gaps_before(q, a->at) > 0)
        return 1;
    mark = query_row(q);
    row_activity(&q->out, a, l->with_raw);
    put_whose(q, a->request, a->target);
    put_also(q, a);
    return query_row_end(q, mark);
}

/* ---- what happened on the host ----------------------------------------------------------------
 */

static bool text_has(const char *text, const char *needle)
{
    return strstr(text, needle) != NULL;
}

static bool wants_session(const struct log *l, const struct session *s)
{
    if (l->until.us != 0 && s->started_at.us >= l->until.us)
        return false;
    if (s->ended_at.us != 0 && s->ended_at.us < l->since.us)
        return false;
    return !l->match[0] || text_has(s->command, l->match) || text_has(s->service, l->match) ||
           text_has(s->target_user.text, l->match) || text_has(s->tty, l->match) ||
           text_has(s->rhost, l->match) || text_has(s->user.text, l->match);
}

static int session_row(void *ctx, const struct session *s)
{
    struct query *q = ctx;
    struct log *l = q->log;
    struct wire_mark mark;
    int full;

    if (!wants_session(l, s))
        return 0;
    mark = query_row(q);
    row_session(&q->out, s);
    full = query_row_end(q, mark);
    if (full == 0 && s->ended_at.us == 0 && q->follow && l->n_live < LIVE_MAX)
        l->live[l->n_live++] = s->number;
    return full;
}

/* Of those that were told as live, those that are not any more. */
static int fill_ended(struct query *q)
{
    struct log *l = q->log;

    for (size_t i = 0; i < l->n_live;) {
        uint64_t after = l->live[i] - 1, gone = l->live[i];
        size_t before = q->rows;
        int r;

        if (world_session(&team(q)->world, gone)) {
            i++;
            continue;
        }
        l->live[i] = l->live[--l->n_live];
        r = store_sessions(team(q)->store, q->id, &after, 1, session_row, q);
        if (r < 0)
            return r;
        if (q->rows == before && r > 0) { /* no room */
            l->live[l->n_live++] = gone;
            return 1;
        }
    }
    return 0;
}

static int fill_host(struct query *q)
{
    int r;

    if (!log_wants_host(q->log))
        return 0;
    r = fill_ended(q);
    return r != 0 ? r
                  : store_sessions(team(q)->store, q->id, &q->after_session, SCAN_BUDGET,
                                   session_row, q);
}

/* ---- how far AWS is known -----------------------------------------------------------------------
 */

/* Why there is nothing, or not all yet. */
static const char *why_not(const struct query *q, const struct target_of_log *t)
{
    const char *off = activity_why_not(team(q));

    if (off)
        return off;
    if (t->collection.request.bits != 0)
        return "";
    return t->was_open ? "nothing was collected, or it is not kept any more"
                       : "not collected: it has not been open";
}

void log_fill_collected(struct query *q)
{
    struct log *l = q->log;

    for (size_t i = 0; i < l->n_targets; i++) {
        const struct target_of_log *t = &l->targets[i];
        struct wire_mark mark;

        if (!t->aws)
            continue;
        mark = query_row(q);
        row_text(&q->out, TEAM_TARGET_NAME, t->name);
        if (t->collection.request.bits != 0)
            row_collected(&q->out, &t->collection,
                          t->collection.stage == COLLECT_OVER ? "" : why_not(q, t));
        else
            wire_put(&q->out, TEAM_TEXT, why_not(q, t));
        query_row_end(q, mark);
    }
}

/* ---- logs -------------------------------------------------------------------------------------
 */

static int not_found(struct query *q)
{
    struct text t = text_over(q->end.text, sizeof q->end.text);

    q->follow = false;
    q->end.code = REPLY_NOT_FOUND;
    text_put(&t, "no such request, or not yours to see");
    return 0;
}

static void begin_calls(struct query *q)
{
    struct log *l = q->log;

    log_filter_calls(l, q->id, &l->calls);
    if (l->again) {
        if (l->fresh_from.us > l->calls.since.us)
            l->calls.since = l->fresh_from;
        memcpy(l->calls.after, l->highest, sizeof l->calls.after);
    }
    for (size_t i = 0; i < l->n_targets; i++)
        l->highest[i] = l->targets[i].aws ? l->targets[i].collection.calls : 0;
    l->fresh = false;
    l->fresh_from.us = INT64_MAX;
}

static int fill_calls(struct query *q)
{
    struct log *l = q->log;
    size_t budget = BYTES_AT_ONCE;
    int r = store_activity(team(q)->store, &l->calls, &budget, log_call_row, q);

    if (r == 0)
        r = put_gaps_before(q, (struct wall){INT64_MAX});
    if (r == 0 && l->n_gaps > 0)
        l->told.us = l->gaps[l->n_gaps - 1].when.from.us + 1;
    return r;
}

/* Packets have rows of one kind; 1 between two of them, too. */
static int go_on(struct query *q, enum stage stage, enum team_row row)
{
    q->log->stage = stage;
    q->row = row;
    return 1;
}

/* Who follows may be nobody any more who may see it. */
int log_look_first(struct query *q)
{
    int r = log_look_at_targets(q);

    return r == -EACCES ? not_found(q) : r < 0 ? r : 1;
}

/* Whoever follows makes AWS be read at once and often: not before they are known to be allowed to
 * see it. */
static void join_readers(struct query *q)
{
    struct log *l = q->log;
    struct teamd *t = team(q);

    l->next = t->readers;
    l->link = &t->readers;
    if (l->next)
        l->next->link = &l->next;
    t->readers = l;
    activity_follow(t, q->id);
}

int fill_logs(struct query *q)
{
    struct log *l = q->log;
    int r;

    switch (l->stage) {
    case AT_SESSIONS:
        r = log_look_first(q);
        if (r <= 0)
            return r;
        if (q->follow && !l->link)
            join_readers(q);
        r = fill_host(q);
        if (r != 0)
            return r;
        if (!wants_aws(l) || (l->again && !l->fresh))
            break;
        return l->again ? (begin_calls(q), go_on(q, AT_CALLS, TEAM_ROW_ACTIVITY))
                        : go_on(q, AT_COLLECTED, TEAM_ROW_COLLECTED);
    case AT_COLLECTED:
        r = log_look_first(q);
        if (r <= 0)
            return r;
        log_fill_collected(q);
        begin_calls(q);
        return go_on(q, AT_CALLS, TEAM_ROW_ACTIVITY);
    case AT_CALLS:
        r = fill_calls(q);
        if (r != 0)
            return r;
        break;
    case AT_END:
        break;
    }
    l->again = true;
    l->stage = AT_SESSIONS;
    q->row = TEAM_ROW_SESSION;
    if (l->over && !activity_expects(team(q), q->id))
        q->follow = false; /* nothing can come any more */
    return 0;
}

/* ---- following --------------------------------------------------------------------------------
 */

bool logs_followed(const struct teamd *t, struct id request)
{
    for (const struct log *l = t->readers; l; l = l->next)
        if (l->q->id.bits == request.bits)
            return true;
    return false;
}

void logs_tell(struct teamd *t, struct id request, struct wall oldest)
{
    bool any = false;

    for (struct log *l = t->readers; l; l = l->next) {
        if (l->q->id.bits != request.bits)
            continue;
        l->fresh = any = true;
        if (oldest.us < l->fresh_from.us)
            l->fresh_from = oldest;
    }
    if (any)
        follow_tell(t);
}
