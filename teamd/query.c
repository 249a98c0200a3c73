#include "query.h"

#include <errno.h>
#include <syslog.h>
#include <time.h>

/* Questions: rows, and then an answer. A query fills one packet at a time and goes on when the loop
 * has nothing better to do and the peer has room, so that a large answer neither fills the memory
 * nor holds up the gate. */

enum { FINDINGS_MAX = 16 };

static struct teamd *team(const struct query *q)
{
    return q->ask->t;
}

static uint32_t viewer(const struct query *q)
{
    return q->ask->actor.uid;
}

/* ---- rows into packets ------------------------------------------------------------------------
 */

struct wire_mark query_row(struct query *q)
{
    return wire_group(&q->out, TEAM_ROW);
}

int query_row_end(struct query *q, struct wire_mark mark)
{
    wire_group_end(&q->out, mark);
    if (!q->out.bad) {
        q->rows++;
        return 0;
    }
    wire_rewind(&q->out, mark);
    if (q->rows > 0)
        return 1;
    log_line(LOG_ERR, "a row does not fit into a packet and is left out");
    return 0;
}

/* As configured, or as the courier has it from its environment. */
static const char *sso_region(const struct teamd *t)
{
    const struct directory *d = t->world.directory;

    if (t->config->aws.identity_center_region[0])
        return t->config->aws.identity_center_region;
    return d && d->region > 0 ? dir_text(d, d->region) : "";
}

static int put_record(void *ctx, const struct record *r)
{
    struct query *q = ctx;
    const struct config *config = team(q)->config;
    struct row_context c = {.world = &team(q)->world,
                            .portal = config->aws.portal_url,
                            .sso_region = sso_region(team(q)),
                            .now = host_now().wall};
    struct wire_mark mark = query_row(q);

    row_request(&q->out, &c, r);
    return query_row_end(q, mark);
}

bool query_may_see(const struct query *q, const struct record *r)
{
    bool took_part = false;

    for (size_t i = 0; i < r->n_decisions; i++)
        took_part = took_part || r->decisions[i].uid == viewer(q);
    return may_see(&team(q)->world, viewer(q), &r->request, took_part);
}

static int may_see_record(void *ctx, const struct record *r)
{
    return query_may_see(ctx, r) ? 0 : -EACCES;
}

bool query_may_see_id(struct query *q, struct id id)
{
    return store_request(team(q)->store, id, may_see_record, q) >= 0;
}

/* ---- list, pending, show ----------------------------------------------------------------------
 */

static bool has_target_like(const struct request *r, const struct target *pattern)
{
    for (size_t i = 0; i < r->n_targets; i++)
        if (pattern_covers(pattern, &r->grants[i].target))
            return true;
    return false;
}

static int list_row(void *ctx, const struct record *r)
{
    struct query *q = ctx;
    int full;

    if (q->limit == 0)
        return 1;
    if (!query_may_see(q, r) || (q->by_pattern && !has_target_like(&r->request, &q->target)))
        return 0;
    full = put_record(q, r);
    if (full == 0)
        q->limit--;
    return full;
}

int fill_list(struct query *q)
{
    int r = store_requests(team(q)->store, &q->requests, SCAN_BUDGET, list_row, q);

    return q->limit == 0 && r > 0 ? 0 : r;
}

int fill_ids(struct query *q)
{
    while (q->at_id < q->n_ids) {
        size_t before = q->rows;
        int r = store_request(team(q)->store, q->ids[q->at_id], put_record, q);

        if (r < 0 && r != -ENOENT)
            return r;
        if (r == 0 && q->rows == before)
            return 1; /* full */
        q->at_id++;
    }
    return 0;
}

static int session_row(void *ctx, const struct session *s)
{
    struct query *q = ctx;
    struct wire_mark mark = query_row(q);

    row_session(&q->out, s);
    return query_row_end(q, mark);
}

static int show_row(void *ctx, const struct record *r)
{
    struct query *q = ctx;

    if (!query_may_see(q, r))
        return -EACCES;
    return put_record(q, r);
}

int fill_show(struct query *q)
{
    int r;

    if (q->row == TEAM_ROW_SESSION) {
        r = store_sessions(team(q)->store, q->id, &q->after_session, SCAN_BUDGET, session_row, q);
        if (r != 0)
            return r;
        q->row = TEAM_ROW_COLLECTED;
        return 1;
    }
    if (q->row == TEAM_ROW_COLLECTED || q->row == TEAM_ROW_ACTIVITY)
        return log_fill_summary(q);
    r = store_request(team(q)->store, q->id, show_row, q);
    if (r == -EACCES || r == -ENOENT) {
        struct text t = text_over(q->end.text, sizeof q->end.text);

        q->end.code = REPLY_NOT_FOUND;
        text_put(&t, "no such request, or not yours to see");
        return 0;
    }
    q->row = TEAM_ROW_SESSION; /* of the next packet */
    return r < 0 ? r : 1;
}

/* Those that are over by now are history. */
int fill_sessions(struct query *q)
{
    while (q->at_id < q->n_ids) {
        const struct session *s = world_session(&team(q)->world, q->numbers[q->at_id]);

        if (s && session_row(q, s) > 0)
            return 1;
        q->at_id++;
    }
    return 0;
}

/* ---- targets, why, status ----------------------------------------------------------------------
 */

int fill_why(struct query *q)
{
    struct finding findings[FINDINGS_MAX];
    bool yes;
    size_t n = engine_why(&team(q)->world, q->about, &q->target, q->for_s, host_now(), findings,
                          FINDINGS_MAX, &yes);

    for (size_t i = 0; i < n; i++) {
        struct wire_mark mark = query_row(q);

        wire_put(&q->out, TEAM_OUTCOME, findings[i].yes ? "yes" : "no");
        wire_put(&q->out, TEAM_TEXT, findings[i].text);
        query_row_end(q, mark);
    }
    q->end.code = yes ? REPLY_DONE : REPLY_REFUSED;
    return 0;
}

static void put_status(struct query *q, const char *name, const char *value)
{
    struct wire_mark mark = query_row(q);

    row_status(&q->out, name, value);
    query_row_end(q, mark);
}

static void put_status_u64(struct query *q, const char *name, uint64_t value)
{
    char digits[21];
    struct text t = text_over(digits, sizeof digits);

    text_put_u64(&t, value);
    put_status(q, name, digits);
}

static void put_live(struct query *q)
{
    const struct world *w = &team(q)->world;
    uint64_t in_state[REQ_STATES] = {0};
    const struct request *r;

    for (uint32_t at = 0; (r = world_each_request(w, &at));)
        in_state[r->state]++;
    for (size_t s = REQ_PENDING; s <= REQ_ENDING; s++)
        put_status_u64(q, request_state_text((enum request_state)s), in_state[s]);
    put_status_u64(q, "sessions", w->n_sessions);
    put_status_u64(q, "stuck", sessions_stuck(team(q)));
    put_status_u64(q, "people", w->n_people);
}

static void put_moment(struct query *q, const char *name, struct wall at)
{
    char text[40];
    time_t s = (time_t)(at.us / SECOND_US);
    struct tm tm;

    if (at.us <= 0 || !gmtime_r(&s, &tm))
        return;
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &tm);
    put_status(q, name, text);
}

static void put_outbox(struct query *q)
{
    const struct world *w = &team(q)->world;
    uint64_t n[ERRAND_STATES] = {0}, troubled = 0;
    const struct errand *e, *worst = NULL;
    char text[481];
    struct text t = text_over(text, sizeof text);

    for (uint32_t at = 0; (e = world_each_errand(w, &at));) {
        n[e->state]++;
        if (errand_step((enum errand_state)e->state) == STEP_NONE || !e->trouble[0])
            continue;
        troubled++;
        if (!worst || e->since.us < worst->since.us)
            worst = e;
    }
    put_status_u64(q, "aws_making", n[ERRAND_LOOKING] + n[ERRAND_MAKING]);
    put_status_u64(q, "aws_there", n[ERRAND_FOUND] + n[ERRAND_THERE]);
    put_status_u64(q, "aws_removing", n[ERRAND_REMOVING]);
    put_status_u64(q, "aws_waiting", troubled);
    if (!worst)
        return;
    text_put(&t, "aws:");
    text_put(&t, worst->account);
    text_put(&t, "/");
    text_put(&t, worst->set_name);
    text_put(&t, ": ");
    text_put(&t, worst->trouble);
    put_status(q, "aws_oldest_trouble", text);
}

static void put_directory(struct query *q, const struct directory *d)
{
    char unknown[481];

    put_status(q, "courier_identity", dir_text(d, d->identity));
    put_status(q, "identity_center", dir_text(d, d->instance));
    put_status(q, "aws_delegated", strcmp(d->own, d->management) == 0 ? "no" : "yes");
    put_moment(q, "directory_as_of", d->as_of);
    put_status_u64(q, "directory_age_s",
                   (uint64_t)((host_now().wall.us - d->as_of.us) / SECOND_US & INT64_MAX));
    put_status_u64(q, "accounts", d->n_accounts);
    put_status_u64(q, "permission_sets", d->n_sets);
    put_status_u64(q, "aws_users", d->n_users);
    put_status_u64(q, "aws_groups", d->n_groups);
    directory_unknown(&team(q)->world, unknown);
    if (unknown[0])
        put_status(q, "aws_unknown", unknown);
    directory_long_sessions(&team(q)->world, unknown);
    if (unknown[0])
        put_status(q, "aws_long_sessions", unknown);
}

static void put_activity(struct query *q)
{
    const struct collecting *troubled;
    size_t n = activity_count(team(q), &troubled);
    char text[481];
    struct text t = text_over(text, sizeof text);

    put_status(q, "activity", activity_why_not(team(q)) ? "not collected" : "collected");
    put_status_u64(q, "activity_collecting", n);
    if (!troubled)
        return;
    text_put_id(&t, troubled->request.bits);
    text_put(&t, ": ");
    text_put(&t, troubled->why);
    put_status(q, "activity_trouble", text);
}

/* Also when AWS is off: what is still to be removed has to be seen. */
static void put_aws(struct query *q)
{
    struct teamd *t = team(q);
    const struct link *l = t->link;

    if (!t->world.policy->aws && t->world.n_errands == 0)
        return;
    put_status(q, "courier", l->work ? "connected" : "not connected");
    if (t->world.policy->aws && t->config->aws.portal_url[0])
        put_status(q, "portal_url", t->config->aws.portal_url);
    if (t->world.policy->aws)
        put_status_u64(q, "directory_refresh_s", (uint64_t)t->config->aws.refresh_s);
    if (t->world.directory)
        put_directory(q, t->world.directory);
    else
        put_status(q, "directory", "AWS has not been read yet");
    if (l->refresh.trouble[0])
        put_status(q, "refresh_trouble", l->refresh.trouble);
    put_outbox(q);
    put_activity(q);
    put_moment(q, "reconciled_at", l->compared_at);
    if (l->compared_at.us > 0)
        put_status_u64(q, "drift", l->n_drift + l->n_more);
    if (l->inventory.trouble[0])
        put_status(q, "reconcile_trouble", l->inventory.trouble);
}

int fill_status(struct query *q)
{
    struct teamd *t = team(q);
    struct store_facts facts;
    int r;

    r = store_facts(t->store, &facts);
    if (r < 0)
        return r;
    put_status(q, "version", TEAM_RELEASE);
    put_status(q, "host", t->world.policy->host);
    put_status(q, "config", t->options.config);
    put_status(q, "state_dir", t->options.state_dir);
    put_status_u64(q, "uid", t->uid);
    put_status(q, "policy", t->world.policy->hash);
    put_status_u64(q, "warnings", t->warnings);
    put_live(q);
    put_status_u64(q, "stored_requests", facts.requests);
    put_status_u64(q, "stored_events", facts.events);
    put_status_u64(q, "store_bytes", facts.used_bytes);
    put_status(q, "store", t->retry_s > 0 ? "cannot be written" : "sound");
    put_aws(q);
    return 0;
}

int query_put_event(struct query *q, const struct trail_event *e)
{
    struct wire_mark mark = query_row(q);

    row_event(&q->out, e);
    return query_row_end(q, mark);
}

static int event_row(void *ctx, const struct trail_event *e)
{
    return query_put_event(ctx, e);
}

/* Who follows may be no auditor any more. */
int fill_audit(struct query *q)
{
    if (!sees_everything(&team(q)->world, viewer(q))) {
        struct text t = text_over(q->end.text, sizeof q->end.text);

        q->follow = false;
        q->end.code = REPLY_REFUSED;
        text_put(&t, "the audit trail is not yours to read any more");
        return 0;
    }
    return store_trail(team(q)->store, &q->trail, SCAN_BUDGET, event_row, q);
}

int fill_drift(struct query *q)
{
    const struct teamd *t = team(q);
    const struct link *l = t->link;

    for (; q->at_id < l->n_drift; q->at_id++) {
        const struct drift *d = &l->drift[q->at_id];
        const struct dir_account *a = directory_account(t->world.directory, d->account);
        struct wire_mark mark = query_row(q);

        wire_put(&q->out, TEAM_ACCOUNT, d->account);
        if (a)
            wire_put(&q->out, TEAM_ACCOUNT_NAME, dir_text(t->world.directory, a->name));
        wire_put(&q->out, TEAM_PERMISSION_SET, d->set);
        wire_put(&q->out, TEAM_KIND, d->group ? "group" : "user");
        wire_put(&q->out, TEAM_PRINCIPAL, d->principal);
        wire_put(&q->out, TEAM_LABEL, d->name);
        if (query_row_end(q, mark) > 0)
            return 1;
    }
    return 0;
}

/* ---- the pump ---------------------------------------------------------------------------------
 */

void query_start(struct query *q)
{
    struct teamd *t = team(q);

    if (q->link)
        return;
    q->next = t->queries;
    q->link = &t->queries;
    if (q->next)
        q->next->link = &q->next;
    t->queries = q;
    sd_event_source_set_enabled(t->more_rows, SD_EVENT_ON);
}

void query_stop(struct query *q)
{
    if (!q->link)
        return;
    *q->link = q->next;
    if (q->next)
        q->next->link = q->link;
    q->link = NULL;
}

static void make_packet(struct query *q)
{
    q->rows = 0;
    q->out = wire_begin(q->packet, sizeof q->packet, TEAM_ROWS, q->row);
    q->as_of = team(q)->commits;
    q->status = q->fill(q);
    q->len = q->rows > 0 ? wire_finish(&q->out) : 0;
}

/* One packet, or the end. */
static void pump(struct query *q)
{
    int r;

    if (q->len == 0 && q->status > 0)
        make_packet(q);
    if (q->len > 0) {
        r = conn_rows(q->ask->conn, q->packet, q->len);
        if (r < 0) {
            query_stop(q); /* until there is room; or `gone` follows */
            return;
        }
        q->len = 0;
    }
    if (q->status > 0)
        return;
    query_stop(q);
    if (q->status < 0)
        ask_say(q->ask, REPLY_FAILED, "the store cannot be read");
    else if (q->follow)
        follow_rest(q);
    else
        ask_answer(q->ask, &q->end);
}

/* Each query gets one packet in turn: the one that was served goes to the end. */
static int pump_next(sd_event_source *source, void *ctx)
{
    struct teamd *t = ctx;
    struct query *last = t->queries;

    if (!last) {
        sd_event_source_set_enabled(source, SD_EVENT_OFF);
        return 0;
    }
    while (last->next)
        last = last->next;
    query_stop(last);
    query_start(last);
    pump(last);
    return 0;
}

void query_room(struct ask *a)
{
    if (a->msg.op >= TEAM_OP_LIST && a->more)
        query_start(a->more);
}

int query_new(struct teamd *t)
{
    int r;

    r = sd_event_add_defer(t->loop, &t->more_rows, pump_next, t);
    if (r < 0)
        return r;
    sd_event_source_set_priority(t->more_rows, PRIORITY_QUERIES);
    return sd_event_source_set_enabled(t->more_rows, SD_EVENT_OFF);
}

void query_free(struct teamd *t)
{
    t->more_rows = sd_event_source_unref(t->more_rows);
}
