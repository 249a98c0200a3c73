#include "link.h"

#include <errno.h>
#include <stdlib.h>
#include <syslog.h>

/* The link to team-courier. It asks for WORK once and is handed all that is open, and then each row
 * of the outbox as it is committed; what it answers becomes an event of the core. Nothing here has
 * to survive: the outbox does, and is handed over again to whoever connects next. */

enum {
    ROWS_AT_ONCE = 64,
    RECONCILE_EVERY_S = 3600,
    REFRESH_AGAIN_S = 60, /* after one that did not work */
};

/* ---- tasks ------------------------------------------------------------------------------------
 */

void link_wake(struct link *l)
{
    if (l->work && !l->full)
        sd_event_source_set_enabled(l->pump, SD_EVENT_ON);
}

/* No two tasks ever have one name, nor do those of another teamd. */
uint64_t link_token(struct link *l)
{
    uint64_t now = (uint64_t)host_now().wall.us;

    l->last_token = now > l->last_token ? now : l->last_token + 1;
    return l->last_token;
}

static void name_task(struct link *l, struct task *task)
{
    task->token = link_token(l);
    task->sent = false;
}

void link_wait_not(struct link_waiter *w)
{
    if (!w->link)
        return;
    *w->link = w->next;
    if (w->next)
        w->next->link = w->link;
    w->link = NULL;
}

void task_start(struct teamd *t, struct task *task, struct link_waiter *w)
{
    if (w) {
        w->next = task->waiters;
        w->link = &task->waiters;
        if (w->next)
            w->next->link = &w->next;
        task->waiters = w;
    }
    if (task->token == 0)
        name_task(t->link, task);
    if (task == &t->link->inventory && !task->sent)
        inventory_begin(t->link);
    link_wake(t->link);
}

static void arm(struct teamd *t, sd_event_source *timer, int64_t after_s)
{
    uint64_t now;

    if (sd_event_now(t->loop, CLOCK_BOOTTIME, &now) >= 0)
        sd_event_source_set_time(timer, now + (uint64_t)(after_s > 0 ? after_s : 0) * 1000000);
    sd_event_source_set_enabled(timer, SD_EVENT_ONESHOT);
}

void task_end(struct teamd *t, struct task *task, enum reply_code code, const char *text)
{
    struct link *l = t->link;
    struct text trouble = text_over(task->trouble, sizeof task->trouble);

    task->token = 0;
    task->sent = false;
    if (code != REPLY_DONE) {
        text_put(&trouble, text);
        log_line(LOG_WARNING, "%s: %s", task->step, text);
    }
    if (task == &l->refresh)
        arm(t, l->refresh_due, code == REPLY_DONE ? t->config->aws.refresh_s : REFRESH_AGAIN_S);
    else
        arm(t, l->reconcile_due, RECONCILE_EVERY_S);
    while (task->waiters) {
        struct link_waiter *w = task->waiters;

        link_wait_not(w);
        w->done(w->ask, code, text);
    }
}

static int task_due(sd_event_source *source, uint64_t usec, void *ctx)
{
    struct teamd *t = ctx;

    (void)usec;
    if (!t->config || !t->config->policy.aws)
        return 0;
    if (source == t->link->refresh_due)
        task_start(t, &t->link->refresh, NULL);
    else
        link_reconcile(t, NULL);
    return 0;
}

/* What is there should be there: each is looked at, and all that nobody approved is listed. */
void link_reconcile(struct teamd *t, struct link_waiter *w)
{
    const struct errand *e;

    for (uint32_t at = 0; (e = world_each_errand(&t->world, &at));)
        if (e->state == ERRAND_FOUND || e->state == ERRAND_THERE)
            link_errand(t, e->number, true);
    task_start(t, &t->link->inventory, w);
}

void link_refresh(struct teamd *t, struct link_waiter *w)
{
    task_start(t, &t->link->refresh, w);
}

bool link_can_be_asked(struct ask *a)
{
    if (!a->t->world.policy->aws)
        ask_say(a, REPLY_REFUSED, "AWS is not configured");
    else if (!a->t->link->work)
        ask_say(a, REPLY_FAILED, "team-courier is not connected; is it running?");
    else
        return true;
    return false;
}

/* ---- jobs to the courier ----------------------------------------------------------------------
 */

void link_errand(struct teamd *t, uint64_t number, bool check)
{
    struct link *l = t->link;

    if (!l->work)
        return; /* whoever connects next is handed everything */
    for (size_t i = 0; i < l->n_todo; i++)
        if (l->todo[i] == number) {
            l->check[i] = l->check[i] && check;
            return;
        }
    if (l->n_todo == l->cap_todo) {
        size_t cap = l->cap_todo ? 2 * l->cap_todo : 256;
        uint64_t *todo = reallocarray(l->todo, cap, sizeof *todo);
        bool *checks;

        if (todo)
            l->todo = todo;
        checks = todo ? reallocarray(l->check, cap, sizeof *checks) : NULL;
        if (!checks) {
            conn_answer(l->work, NULL, 0); /* it connects again, and is handed everything */
            l->work = NULL;
            return;
        }
        l->check = checks;
        l->cap_todo = cap;
    }
    l->todo[l->n_todo] = number;
    l->check[l->n_todo++] = check;
    link_wake(l);
}

static const char *const STEP_TEXT[] = {
    [STEP_LOOK] = "look", [STEP_MAKE] = "make", [STEP_REMOVE] = "remove", [STEP_CHECK] = "check"};

static void put_errand(struct wire_out *w, const struct errand *e, bool check)
{
    enum errand_step step = errand_step((enum errand_state)e->state);
    struct wire_mark mark;

    if (step == STEP_NONE && check)
        step = STEP_CHECK;
    if (step == STEP_NONE)
        return;
    mark = wire_group(w, TEAM_ROW);
    wire_put_u64(w, TEAM_JOB, e->number);
    wire_put_u64(w, TEAM_ROUND, e->round);
    wire_put(w, TEAM_STEP, STEP_TEXT[step]);
    wire_put(w, TEAM_ACCOUNT, e->account);
    wire_put(w, TEAM_SET_ARN, e->set);
    wire_put(w, TEAM_PRINCIPAL, e->user);
    wire_group_end(w, mark);
}

static void put_task(struct wire_out *w, const struct task *task)
{
    struct wire_mark mark;

    if (task->token == 0 || task->sent)
        return;
    mark = wire_group(w, TEAM_ROW);
    wire_put_u64(w, TEAM_JOB, task->token);
    wire_put_u64(w, TEAM_ROUND, 1);
    wire_put(w, TEAM_STEP, task->step);
    wire_group_end(w, mark);
}

static void drop_todo(struct link *l, size_t n)
{
    if (n == 0) /* there may be no list yet */
        return;
    l->n_todo -= n;
    memmove(l->todo, l->todo + n, l->n_todo * sizeof *l->todo);
    memmove(l->check, l->check + n, l->n_todo * sizeof *l->check);
}

/* One packet of jobs, as they are at this moment. */
static int pump(sd_event_source *source, void *ctx)
{
    struct teamd *t = ctx;
    struct link *l = t->link;
    static char packet[TEAM_PACKET_MAX];
    struct wire_out w = wire_begin(packet, sizeof packet, TEAM_ROWS, TEAM_ROW_JOB);
    size_t n = l->n_todo < ROWS_AT_ONCE ? l->n_todo : ROWS_AT_ONCE;
    int r = 0;

    for (size_t i = 0; i < n; i++) {
        const struct errand *e = world_errand(&t->world, l->todo[i]);

        if (e)
            put_errand(&w, e, l->check[i]);
    }
    put_task(&w, &l->refresh);
    put_task(&w, &l->inventory);
    activity_put_jobs(t, &w);
    if (l->work && w.count > 0)
        r = conn_rows(l->work, packet, wire_finish(&w));
    if (r < 0) {
        l->full = true; /* until there is room; or `gone` follows */
    } else {
        drop_todo(l, n);
        l->refresh.sent = l->refresh.token != 0;
        l->inventory.sent = l->inventory.token != 0;
        activity_sent(t);
    }
    if (!l->work || l->full || l->n_todo == 0)
        sd_event_source_set_enabled(source, SD_EVENT_OFF);
    return 0;
}

/* ---- what the courier asks --------------------------------------------------------------------
 */

void link_answer(struct conn *c, unsigned op, const struct reply *reply)
{
    char packet[1024];
    struct wire_out w = wire_begin(packet, sizeof packet, TEAM_ANSWER, op);

    wire_put_u64(&w, TEAM_CODE, reply->code);
    wire_put(&w, TEAM_TEXT, reply->text);
    conn_answer(c, packet, wire_finish(&w));
}

static void say(struct conn *c, unsigned op, enum reply_code code, const char *text)
{
    struct reply reply = {.code = (uint8_t)code};
    struct text t = text_over(reply.text, sizeof reply.text);

    text_put(&t, text);
    link_answer(c, op, &reply);
}

static void hang_up(struct link *l)
{
    struct conn *c = l->work;

    l->work = NULL;
    if (c)
        conn_answer(c, NULL, 0);
}

/* Everything that is open: nobody knows what the one before has done of it. */
static void take_work(struct teamd *t, struct conn *c)
{
    struct link *l = t->link;
    const struct errand *e;

    hang_up(l);
    log_line(LOG_NOTICE, "team-courier is connected");
    l->work = c;
    l->full = false;
    l->n_todo = 0;
    directory_drop(l);
    for (uint32_t at = 0; (e = world_each_errand(&t->world, &at));)
        link_errand(t, e->number, false);
    if (l->refresh.token != 0)
        name_task(l, &l->refresh);
    if (l->inventory.token != 0) {
        name_task(l, &l->inventory);
        inventory_begin(l);
    }
    if (!l->welcomed)
        link_reconcile(t, NULL);
    l->welcomed = true;
    activity_connected(t);
    link_wake(l);
}

/* An answer on its way into the outbox. */
struct result {
    struct job job;
    struct conn *conn; /* NULL: it is gone; what it said counts */
    char text[481];
};

static void committed(struct job *j, const struct reply *reply, int error)
{
    struct result *r = (struct result *)(void *)((char *)j - offsetof(struct result, job));

    if (r->conn) {
        conn_set_data(r->conn, NULL);
        if (error < 0)
            say(r->conn, TEAM_OP_RESULT, REPLY_FAILED, "teamd is stopping");
        else
            link_answer(r->conn, TEAM_OP_RESULT, reply);
    }
    free(r);
}

static const char *const OUTCOME_TEXT[] = {
    [OUTCOME_THERE] = "there", [OUTCOME_ABSENT] = "absent", [OUTCOME_MADE] = "made",
    [OUTCOME_GONE] = "gone",   [OUTCOME_FAILED] = "failed", [OUTCOME_WAITS] = "waits",
};

enum { OUTCOMES = sizeof OUTCOME_TEXT / sizeof OUTCOME_TEXT[0] };

static uint8_t outcome_of(const char *word)
{
    uint8_t i = 1;

    while (i < OUTCOMES && strcmp(OUTCOME_TEXT[i], word) != 0)
        i++;
    return i;
}

static void take_errand(struct teamd *t, struct conn *c, uint64_t number, struct wire_span fields,
                        uint8_t outcome)
{
    struct result *r = calloc(1, sizeof *r);
    uint64_t round = 0;

    if (!r) {
        say(c, TEAM_OP_RESULT, REPLY_FAILED, "out of memory");
        return;
    }
    wire_find_u64(fields, TEAM_ROUND, &round);
    wire_copy(fields, TEAM_TEXT, r->text, sizeof r->text);
    r->conn = c;
    r->job.event = (struct event){.kind = EV_RESULT};
    r->job.event.result.errand = number;
    r->job.event.result.round = round > UINT32_MAX ? UINT32_MAX : (uint32_t)round;
    r->job.event.result.outcome = outcome;
    r->job.event.result.text = r->text;
    r->job.done = committed;
    r->job.keep = true;
    conn_set_data(c, r);
    turn_add(t, &r->job, false);
}

static struct reply take_task(struct teamd *t, struct task *task, struct wire_span fields,
                              const char *word)
{
    struct reply reply = {.code = REPLY_USAGE};
    struct text to;
    char text[481];

    wire_copy(fields, TEAM_TEXT, text, sizeof text);
    if (strcmp(word, "done") == 0 && task == &t->link->inventory)
        return inventory_end(t);
    if (strcmp(word, "waits") == 0) {
        to = text_over(task->trouble, sizeof task->trouble);
        text_put(&to, text);
        reply.code = REPLY_DONE;
    } else if (strcmp(word, "failed") == 0) {
        directory_drop(t->link);
        task_end(t, task, REPLY_FAILED, text[0] ? text : "AWS could not be read");
        reply.code = REPLY_DONE;
    } else {
        to = text_over(reply.text, sizeof reply.text);
        text_put(&to, "that is no answer to what was asked");
    }
    return reply;
}

static struct task *task_named(struct link *l, uint64_t token)
{
    if (token != 0 && token == l->refresh.token)
        return &l->refresh;
    return token != 0 && token == l->inventory.token ? &l->inventory : NULL;
}

static void take_result(struct teamd *t, struct conn *c, struct wire_span fields)
{
    uint64_t job = 0;
    struct task *task;
    struct reply reply;
    char word[17];

    wire_find_u64(fields, TEAM_JOB, &job);
    wire_copy(fields, TEAM_OUTCOME, word, sizeof word);
    task = task_named(t->link, job);
    if (task) {
        reply = take_task(t, task, fields, word);
        link_answer(c, TEAM_OP_RESULT, &reply);
    } else if (activity_has_job(t, job)) {
        reply = activity_take_result(t, fields, word);
        link_answer(c, TEAM_OP_RESULT, &reply);
    } else if (outcome_of(word) == OUTCOMES) {
        say(c, TEAM_OP_RESULT, REPLY_USAGE, "that is no answer to what was asked");
    } else {
        take_errand(t, c, job, fields, outcome_of(word));
    }
}

static void take_piece(struct teamd *t, struct conn *c, const struct wire_msg *msg)
{
    struct task *task;
    struct reply reply;
    uint64_t job = 0;

    wire_find_u64(msg->fields, TEAM_JOB, &job);
    task = task_named(t->link, job);
    if (!task || (task == &t->link->refresh) != (msg->op == TEAM_OP_READ)) {
        say(c, msg->op, REPLY_NOT_FOUND, "nobody waits for that any more");
        return;
    }
    reply = msg->op == TEAM_OP_READ ? directory_take(t, msg->fields)
                                    : inventory_take(t, msg->fields);
    link_answer(c, msg->op, &reply);
}

static void take_found(struct teamd *t, struct conn *c, const struct wire_msg *msg)
{
    uint64_t job = 0;

    wire_find_u64(msg->fields, TEAM_JOB, &job);
    if (activity_has_job(t, job))
        activity_take_found(t, c, msg->fields);
    else
        say(c, msg->op, REPLY_NOT_FOUND, "nobody waits for that any more");
}

void link_ask(struct teamd *t, struct conn *c, const struct wire_msg *msg)
{
    switch (msg->op) {
    case TEAM_OP_WORK:
        take_work(t, c);
        return;
    case TEAM_OP_RESULT:
        take_result(t, c, msg->fields);
        return;
    case TEAM_OP_READ:
    case TEAM_OP_SEEN:
        take_piece(t, c, msg);
        return;
    case TEAM_OP_FOUND:
        take_found(t, c, msg);
        return;
    default:
        say(c, msg->op, REPLY_USAGE, "this teamd does not know that");
    }
}

void link_room(struct teamd *t, struct conn *c)
{
    if (c != t->link->work)
        return;
    t->link->full = false;
    link_wake(t->link);
}

void link_gone(struct teamd *t, struct conn *c)
{
    struct result *r = conn_data(c);

    if (r)
        r->conn = NULL;
    activity_gone(t, c);
    if (c != t->link->work)
        return;
    t->link->work = NULL;
    log_line(LOG_WARNING, "team-courier is not connected any more");
}

/* ---- life -------------------------------------------------------------------------------------
 */

/* After each load of the configuration: AWS may have been turned on, and be read more often. */
void link_configure(struct teamd *t)
{
    struct link *l = t->link;
    const struct directory *d = t->world.directory;
    int64_t age_s = d ? (host_now().wall.us - d->as_of.us) / SECOND_US : INT64_MAX;

    activity_configure(t);
    if (!t->config->policy.aws)
        return;
    if (age_s < 0 || l->welcomed)
        age_s = INT64_MAX; /* the clock was set back; or the policy names other groups by now */
    arm(t, l->refresh_due,
        age_s >= t->config->aws.refresh_s ? 0 : t->config->aws.refresh_s - age_s);
}

static int new_timer(struct teamd *t, sd_event_source **ret)
{
    int r = sd_event_add_time(t->loop, ret, CLOCK_BOOTTIME, 0, 0, task_due, t);

    return r < 0 ? r : sd_event_source_set_enabled(*ret, SD_EVENT_OFF);
}

int link_new(struct teamd *t)
{
    struct link *l = calloc(1, sizeof *l);
    int r;

    if (!l)
        return -ENOMEM;
    t->link = l;
    l->refresh.step = "refresh";
    l->inventory.step = "inventory";
    r = sd_event_add_defer(t->loop, &l->pump, pump, t);
    if (r < 0)
        return r;
    sd_event_source_set_priority(l->pump, PRIORITY_QUERIES);
    sd_event_source_set_enabled(l->pump, SD_EVENT_OFF);
    r = new_timer(t, &l->refresh_due);
    if (r == 0)
        r = new_timer(t, &l->reconcile_due);
    return r < 0 ? r : activity_new(t);
}

void link_end(struct teamd *t)
{
    struct link *l = t->link;

    for (struct task *task = &l->refresh;; task = &l->inventory) {
        while (task->waiters) {
            struct link_waiter *w = task->waiters;

            link_wait_not(w);
            ask_hang_up(w->ask);
        }
        if (task == &l->inventory)
            return;
    }
}

void link_free(struct teamd *t)
{
    struct link *l = t->link;

    if (!l)
        return;
    directory_drop(l);
    activity_free(t);
    t->world.directory = NULL;
    l->directory = roll_free_directory(l->directory);
    l->pump = sd_event_source_unref(l->pump);
    l->refresh_due = sd_event_source_unref(l->refresh_due);
    l->reconcile_due = sd_event_source_unref(l->reconcile_due);
    free(l->todo);
    free(l->check);
    free(l->drift);
    free(l->next);
    free(l);
    t->link = NULL;
}
