#include "query.h"

#include <errno.h>
#include <stdlib.h>

/* Reading the questions of control.sock. Everybody is looked up afresh before they see anything. */

static uint32_t viewer(const struct query *q)
{
    return q->ask->actor.uid;
}

static uint64_t number(const struct ask *a, enum team_tag tag, uint64_t otherwise)
{
    uint64_t v = otherwise;

    wire_find_u64(a->msg.fields, tag, &v);
    return v;
}

static struct wall moment(const struct ask *a, enum team_tag tag)
{
    uint64_t us = number(a, tag, 0);

    return (struct wall){us > INT64_MAX ? INT64_MAX : (int64_t)us};
}

/* "pending,active" as bits; false for a word that is no state. */
static bool read_states(struct ask *a, uint32_t *ret)
{
    struct wire_span v = wire_find(a->msg.fields, TEAM_STATES);

    while (v.len > 0) {
        const char *comma = memchr(v.at, ',', v.len);
        size_t n = comma ? (size_t)(comma - v.at) : v.len, s = REQ_PENDING;

        while (s < REQ_STATES && (strlen(request_state_text((enum request_state)s)) != n ||
                                  memcmp(request_state_text((enum request_state)s), v.at, n) != 0))
            s++;
        if (s == REQ_STATES) {
            ask_say(
                a, REPLY_USAGE,
                "the states are pending, scheduled, activating, active, ending, ended, revoked, "
                "rejected, cancelled, expired and failed");
            return false;
        }
        *ret |= UINT32_C(1) << s;
        v.at += comma ? n + 1 : n;
        v.len -= comma ? n + 1 : n;
    }
    return true;
}

static bool read_target_filter(struct ask *a, struct query *q)
{
    struct wire_span v = wire_find(a->msg.fields, TEAM_TARGET_NAME);
    char why[WHY_CAP];

    if (!v.at)
        return true;
    if (ask_target(a, v, &q->target, why) == TARGET_OK) {
        q->requests.target = &q->target;
        return true;
    }
    if (pattern_parse(v.at, v.len, &q->target) == TARGET_OK) {
        q->by_pattern = true;
        return true;
    }
    ask_say(a, REPLY_USAGE, target_error_text(TARGET_BAD_FORM));
    return false;
}

static void user_found(void *ctx, int error, const struct person *who)
{
    struct ask *a = ctx;
    struct query *q = a->more;

    budget_looked_up(a->t->budget, &a->actor);
    if (error == 0) {
        if (a->msg.op ==
            TEAM_OP_WHY) /* only who sees everything gets that far; others fill no table */
            learn_person(a->t, who->uid, 0, who);
        q->requests.by_requester = true;
        q->requests.requester = who->uid;
        q->about = who->uid;
        q->by_name = false;
    }
    ask_looked_up(a);
}

/* A name that nobody bears any more may still stand in history. */
static void find_user(struct ask *a, void (*go)(struct ask *a))
{
    struct query *q = a->more;

    a->go = go;
    q->by_name = true;
    if (!budget_look_up(a->t->budget, &a->actor)) {
        ask_say(a, REPLY_FAILED, "too many look-ups of yours are under way; try again");
    } else if (people_by_name(a->t->people, q->user, user_found, a) < 0) {
        budget_looked_up(a->t->budget, &a->actor);
        go(a);
    } else {
        a->looking_up++;
    }
}

static void start(struct ask *a)
{
    query_start(a->more);
}

static void start_list(struct ask *a)
{
    struct query *q = a->more;

    if (q->by_name)
        q->requests.name = q->user;
    start(a);
}

static void ask_list(struct ask *a, struct query *q)
{
    q->fill = fill_list;
    q->row = TEAM_ROW_REQUEST;
    q->limit = number(a, TEAM_LIMIT, UINT64_MAX);
    q->requests.since = moment(a, TEAM_SINCE);
    q->requests.until = moment(a, TEAM_UNTIL);
    if (!read_states(a, &q->requests.states) || !read_target_filter(a, q))
        return;
    if (number(a, TEAM_MINE, 0)) {
        q->requests.by_requester = true;
        q->requests.requester = viewer(q);
        start(a);
    } else if (q->user[0]) {
        find_user(a, start_list);
    } else {
        start(a);
    }
}

static int older_first(const void *x, const void *y, void *ctx)
{
    const struct world *w = ctx;
    int64_t a = world_request(w, *(const struct id *)x)->requested_at.us;
    int64_t b = world_request(w, *(const struct id *)y)->requested_at.us;

    return (a > b) - (a < b);
}

static void ask_pending(struct ask *a, struct query *q)
{
    struct world *w = &a->t->world;
    const struct request *r;

    q->fill = fill_ids;
    q->row = TEAM_ROW_REQUEST;
    q->ids = calloc(w->n_requests ? w->n_requests : 1, sizeof *q->ids);
    if (!q->ids) {
        ask_say(a, REPLY_FAILED, "out of memory");
        return;
    }
    for (uint32_t at = 0; (r = world_each_request(w, &at));)
        if (may_decide(w, r, viewer(q)))
            q->ids[q->n_ids++] = r->id;
    qsort_r(q->ids, q->n_ids, sizeof *q->ids, older_first, w);
    start(a);
}

static void ask_show(struct ask *a, struct query *q)
{
    struct request history;
    bool live;

    q->fill = fill_show;
    q->row = TEAM_ROW_REQUEST;
    if (ask_find(a, &q->id, &history, &live) && log_begin(q))
        start(a);
}

static void ask_logs(struct ask *a, struct query *q)
{
    struct request history;
    bool live;

    q->fill = fill_logs;
    q->row = TEAM_ROW_SESSION;
    if (!ask_find(a, &q->id, &history, &live) || !log_read(q))
        return;
    q->follow = number(a, TEAM_FOLLOW, 0) != 0;
    start(a);
}

static void start_search(struct ask *a)
{
    start(a);
}

static void ask_search(struct ask *a, struct query *q)
{
    q->fill = fill_search;
    q->row = TEAM_ROW_ACTIVITY;
    if (!log_read(q))
        return;
    if (q->user[0])
        find_user(a, start_search);
    else
        start(a);
}

static int by_number(const void *x, const void *y)
{
    uint64_t a = *(const uint64_t *)x, b = *(const uint64_t *)y;

    return (a > b) - (a < b);
}

/* A session without a request is that of root, or of somebody exempt. */
static bool may_see_session(const struct world *w, uint32_t uid, const struct session *s)
{
    const struct request *r = s->request.bits != 0 ? world_request(w, s->request) : NULL;

    return s->uid == uid || sees_everything(w, uid) || (r && may_see(w, uid, r, false));
}

static void ask_sessions(struct ask *a, struct query *q)
{
    const struct world *w = &a->t->world;
    const struct session *s;

    q->fill = fill_sessions;
    q->row = TEAM_ROW_SESSION;
    q->numbers = calloc(w->n_sessions ? w->n_sessions : 1, sizeof *q->numbers);
    if (!q->numbers) {
        ask_say(a, REPLY_FAILED, "out of memory");
        return;
    }
    for (uint32_t at = 0; (s = world_each_session(w, &at));)
        if (may_see_session(w, viewer(q), s))
            q->numbers[q->n_ids++] = s->number;
    qsort(q->numbers, q->n_ids, sizeof *q->numbers, by_number);
    start(a);
}

static void ask_targets(struct ask *a, struct query *q)
{
    q->fill = fill_targets;
    q->row = TEAM_ROW_TARGET;
    start(a);
}

static void start_following(struct ask *a, struct query *q)
{
    if (follow_begin(q) < 0)
        ask_say(a, REPLY_FAILED, "the store cannot be read");
    else
        start(a);
}

static void ask_audit(struct ask *a, struct query *q)
{
    struct wire_span id = wire_find(a->msg.fields, TEAM_ID);
    struct request history;
    bool live;

    if (!sees_everything(&a->t->world, viewer(q))) {
        ask_say(a, REPLY_REFUSED,
                "the audit trail is for auditors, admins and root; your own requests: teamctl list "
                "--mine, teamctl show ID");
        return;
    }
    q->fill = fill_audit;
    q->row = TEAM_ROW_EVENT;
    q->trail.actor = q->user;
    q->trail.action = q->action;
    q->trail.since = moment(a, TEAM_SINCE);
    q->trail.until = moment(a, TEAM_UNTIL);
    wire_copy(a->msg.fields, TEAM_ACTION, q->action, sizeof q->action);
    if (id.at && !ask_find(a, &q->trail.request, &history, &live))
        return;
    if (!number(a, TEAM_FOLLOW, 0))
        start(a);
    else if (q->trail.until.us != 0)
        ask_say(a, REPLY_USAGE, "what is followed has no end; leave --until out");
    else
        start_following(a, q);
}

static void ask_watch(struct ask *a, struct query *q)
{
    q->fill = fill_watch;
    q->row = TEAM_ROW_EVENT;
    start_following(a, q);
}

static void start_why(struct ask *a)
{
    struct query *q = a->more;

    if (q->by_name)
        ask_say(a, REPLY_NOT_FOUND, "this host does not know that person");
    else
        start(a);
}

static void ask_why(struct ask *a, struct query *q)
{
    struct wire_span v = wire_find(a->msg.fields, TEAM_TARGET_NAME);
    const struct person *self = world_person(&a->t->world, viewer(q));
    char why[WHY_CAP];
    enum target_error e;

    e = v.at ? ask_target(a, v, &q->target, why) : TARGET_BAD_FORM;
    if (e != TARGET_OK) {
        ask_say(a, v.at ? ask_target_code(a, v, e) : REPLY_USAGE,
                v.at ? why : target_error_text(e));
        return;
    }
    q->fill = fill_why;
    q->row = TEAM_ROW_FINDING;
    q->for_s = (int64_t)(number(a, TEAM_FOR_S, 0) & INT64_MAX);
    q->about = viewer(q);
    if (q->user[0] == '\0' || (self && strcmp(self->name.text, q->user) == 0))
        start(a);
    else if (sees_everything(&a->t->world, viewer(q)))
        find_user(a, start_why);
    else
        ask_say(a, REPLY_REFUSED, "only admins, auditors and root may ask about somebody else");
}

static void compared(struct ask *a, enum reply_code code, const char *text)
{
    if (code == REPLY_DONE)
        query_start(a->more);
    else
        ask_say(a, code, text);
}

static void ask_drift(struct ask *a, struct query *q)
{
    if (!sees_everything(&a->t->world, viewer(q))) {
        ask_say(a, REPLY_REFUSED, "drift is for auditors, admins and root");
        return;
    }
    if (!link_can_be_asked(a))
        return;
    q->fill = fill_drift;
    q->row = TEAM_ROW_DRIFT;
    q->waiter = (struct link_waiter){.ask = a, .done = compared};
    link_reconcile(a->t, &q->waiter);
}

static void ask_status(struct ask *a, struct query *q)
{
    const struct person *who = world_person(&a->t->world, viewer(q));

    if (viewer(q) != 0 && !(who && policy_is_admin(a->t->world.policy, who))) {
        ask_say(a, REPLY_REFUSED, "status is for admins and root");
        return;
    }
    q->fill = fill_status;
    q->row = TEAM_ROW_STATUS;
    start(a);
}

/* ---- which ------------------------------------------------------------------------------------
 */

static void drop_query(struct ask *a)
{
    struct query *q = a->more;

    query_stop(q);
    log_drop(q);
    link_wait_not(&q->waiter);
    free(q->ids);
    free(q->numbers);
    free(q);
}

static const struct {
    unsigned op;
    void (*ask)(struct ask *a, struct query *q);
} QUESTIONS[] = {
    {TEAM_OP_LIST, ask_list},       {TEAM_OP_PENDING, ask_pending},   {TEAM_OP_SHOW, ask_show},
    {TEAM_OP_TARGETS, ask_targets}, {TEAM_OP_AUDIT, ask_audit},       {TEAM_OP_WHY, ask_why},
    {TEAM_OP_STATUS, ask_status},   {TEAM_OP_SESSIONS, ask_sessions}, {TEAM_OP_WATCH, ask_watch},
    {TEAM_OP_DRIFT, ask_drift},     {TEAM_OP_LOGS, ask_logs},         {TEAM_OP_SEARCH, ask_search},
};

static void read_question(struct ask *a)
{
    struct query *q;
    size_t i = 0;

    if (a->msg.op == TEAM_OP_WAIT) {
        wait_ask(a);
        return;
    }
    while (i < sizeof QUESTIONS / sizeof QUESTIONS[0] && QUESTIONS[i].op != a->msg.op)
        i++;
    q = calloc(1, sizeof *q);
    if (i == sizeof QUESTIONS / sizeof QUESTIONS[0] || !q) {
        ask_say(a, q ? REPLY_USAGE : REPLY_FAILED,
                q ? "this teamd does not know that question" : "out of memory");
        free(q);
        return;
    }
    q->ask = a;
    q->status = 1;
    a->more = q;
    a->drop = drop_query;
    wire_copy(a->msg.fields, TEAM_USER, q->user, sizeof q->user);
    QUESTIONS[i].ask(a, q);
}

void query_ask(struct ask *a)
{
    ask_look_up(a, &a->actor.uid, 1, read_question);
}
