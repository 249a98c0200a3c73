#include "link.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

/* Asks that change something: read strictly, look up whoever matters, then an event for the core.
 */

struct change {
    struct ask *ask;
    struct job job;
    struct target targets[TARGETS_MAX];
    size_t n_targets;
    struct id id;
    struct request history;
    bool live;
    char reason[1001], comment[1001], ticket[65], ticket_wanted[256];
};

static void drop_change(struct ask *a)
{
    free(a->more);
}

static bool makes_something(unsigned op)
{
    return op == TEAM_OP_REQUEST || op == TEAM_OP_FILE || op == TEAM_OP_EXTEND;
}

static void tell(struct ask *a, const struct reply *reply)
{
    if (reply->code == REPLY_REFUSED)
        budget_refused(a->t->budget, &a->actor);
    else if (reply->code == REPLY_DONE && makes_something(a->msg.op))
        budget_asked(a->t->budget, &a->actor);
    ask_answer(a, reply);
}

static void committed(struct job *j, const struct reply *reply, int error)
{
    struct change *c = (struct change *)(void *)((char *)j - offsetof(struct change, job));
    struct teamd *t = c->ask->t;
    bool submitted = j->event.kind == EV_SUBMIT;

    if (error < 0) {
        ask_say(c->ask, REPLY_FAILED,
                error == -ENOSPC ? "the disk of teamd is full; nothing was changed"
                                 : "teamd cannot write its store; nothing was changed");
        return;
    }
    tell(c->ask, reply);
    if (submitted)
        tell_approvers(t, reply->id);
}

static int copy_history(void *ctx, const struct record *r)
{
    *(struct request *)ctx = r->request;
    return 0;
}

/* The request ended while the change was on its way: what it is now is in the store. */
static void find_again(struct job *j)
{
    struct change *c = (struct change *)(void *)((char *)j - offsetof(struct change, job));

    if (store_request(c->ask->t->store, c->id, copy_history, &c->history) == 0)
        c->job.event.history = &c->history;
    turn_add(c->ask->t, j, false);
}

static void queue(struct ask *a)
{
    struct change *c = a->more;

    c->job.event.actor = a->actor;
    c->job.event.id = c->id;
    c->job.event.history = c->live ? NULL : &c->history;
    c->job.done = committed;
    turn_add(a->t, &c->job, false);
}

/* Nobody whom the user database cannot tell gets or gives anything. Ending access goes by what is
 * known. */
static void queue_if_known(struct ask *a)
{
    if (a->look_up_error < 0)
        ask_say(a, REPLY_FAILED, "the user database does not answer; try again");
    else
        queue(a);
}

static void text_of(struct ask *a, enum team_tag tag, char *out, size_t cap)
{
    wire_copy(a->msg.fields, tag, out, cap);
}

/* What opens access stops before the disk is full, so that what ends it can still be recorded. */
static bool room_to_ask(struct ask *a)
{
    if (!budget_may_ask(a->t->budget, &a->actor)) {
        ask_say(
            a, REPLY_FAILED,
            "you have asked for more than a person can use; one thing each 10 seconds is taken");
        return false;
    }
    if (store_has_room(a->t->store, FOR_REQUESTS))
        return true;
    ask_say(a, REPLY_FAILED,
            "the disk of teamd is nearly full; nothing new is taken until there is room");
    return false;
}

/* ---- request ----------------------------------------------------------------------------------
 */

static bool read_targets(struct ask *a, struct change *c)
{
    struct wire_span rest = a->msg.fields;

    for (struct wire_span v; v = wire_each(&rest, TEAM_TARGET_NAME), v.at;) {
        char why[WHY_CAP];
        enum target_error e;

        if (c->n_targets == TARGETS_MAX) {
            ask_say(a, REPLY_USAGE, "a request has at most 8 targets");
            return false;
        }
        e = ask_target(a, v, &c->targets[c->n_targets], why);
        if (e != TARGET_OK) {
            ask_say(a, ask_target_code(a, v, e), why);
            return false;
        }
        c->n_targets++;
    }
    return true;
}

static struct id fresh_id(struct teamd *t)
{
    struct id id;

    do
        id = host_fresh_id();
    while (world_request(&t->world, id) || store_has_request(t->store, id));
    return id;
}

static void submit(struct ask *a, struct change *c)
{
    uint64_t for_s = 0, start = 0;

    if (!room_to_ask(a))
        return;
    wire_find_u64(a->msg.fields, TEAM_FOR_S, &for_s);
    wire_find_u64(a->msg.fields, TEAM_START, &start);
    text_of(a, TEAM_REASON, c->reason, sizeof c->reason);
    text_of(a, TEAM_TICKET, c->ticket, sizeof c->ticket);
    if (for_s > TEXT_DURATION_MAX_S || start > INT64_MAX / 2) {
        ask_say(a, REPLY_USAGE, "that is out of range");
        return;
    }
    c->job.event = (struct event){.kind = EV_SUBMIT};
    c->job.event.submit.fresh = fresh_id(a->t);
    c->job.event.submit.targets = c->targets;
    c->job.event.submit.n_targets = c->n_targets;
    c->job.event.submit.duration_s = (int64_t)for_s;
    c->job.event.submit.start = (struct wall){(int64_t)start};
    c->job.event.submit.reason = c->reason;
    c->job.event.submit.ticket = c->ticket;
    if (!config_ticket_fits(a->t->config, c->ticket)) {
        struct text t = text_over(c->ticket_wanted, sizeof c->ticket_wanted);

        text_put(&t, config_ticket_pattern(a->t->config));
        c->job.event.submit.ticket_wanted = c->ticket_wanted;
    }
    ask_look_up(a, &a->actor.uid, 1, queue_if_known);
}

static void start_request(struct ask *a, struct change *c)
{
    if (read_targets(a, c))
        submit(a, c);
}

/* From sudo, by the gate: what was refused there is the target. */
static void start_file(struct ask *a, struct change *c)
{
    const struct policy *p = a->t->world.policy;
    const char *class;
    char service[WORD_CAP];

    wire_copy(a->msg.fields, TEAM_SERVICE, service, sizeof service);
    class = p->classes[gate_class_in_place(p, service)];
    if (target_parse(class, strlen(class), p->host, &c->targets[0]) != TARGET_OK) {
        ask_say(a, REPLY_FAILED, "this host has no target of that class");
        return;
    }
    c->n_targets = 1;
    submit(a, c);
}

/* ---- about a request that is there -------------------------------------------------------------
 */

/* The actor, the requester, and whoever has approved so far: what they are now is what counts. */
static void look_up_all(struct ask *a, const struct change *c, void (*go)(struct ask *a))
{
    const struct request *r = world_request(&a->t->world, c->id);
    uint32_t uids[2 + APPROVALS_MAX];
    size_t n = 0;

    uids[n++] = a->actor.uid;
    people_forget(a->t->people, a->actor.uid); /* who decides is looked at now, not a moment ago */
    if (r) {
        uids[n++] = r->requester;
        for (size_t i = 0; i < r->n_approvals; i++)
            uids[n++] = r->approvals[i].uid;
    }
    ask_look_up(a, uids, n, go);
}

static void start_decide(struct ask *a, struct change *c)
{
    char decision[9];

    text_of(a, TEAM_DECISION, decision, sizeof decision);
    text_of(a, TEAM_COMMENT, c->comment, sizeof c->comment);
    if (strcmp(decision, "approved") != 0 && strcmp(decision, "rejected") != 0) {
        ask_say(a, REPLY_USAGE, "a decision is approved or rejected");
        return;
    }
    c->job.event = (struct event){.kind = EV_DECIDE};
    c->job.event.decide.approve = decision[0] == 'a';
    c->job.event.decide.comment = c->comment;
    look_up_all(a, c, queue_if_known);
}

static void start_extend(struct ask *a, struct change *c)
{
    uint64_t for_s = 0;

    wire_find_u64(a->msg.fields, TEAM_FOR_S, &for_s);
    text_of(a, TEAM_REASON, c->reason, sizeof c->reason);
    if (for_s > TEXT_DURATION_MAX_S) {
        ask_say(a, REPLY_USAGE, "that is out of range");
        return;
    }
    if (!room_to_ask(a))
        return;
    c->job.event = (struct event){.kind = EV_EXTEND};
    c->job.event.extend.for_s = (int64_t)for_s;
    c->job.event.extend.reason = c->reason;
    ask_look_up(a, &a->actor.uid, 1, queue_if_known);
}

static void start_cancel(struct ask *a, struct change *c)
{
    c->job.event = (struct event){.kind = EV_CANCEL};
    queue(a);
}

static void start_revoke(struct ask *a, struct change *c)
{
    text_of(a, TEAM_COMMENT, c->comment, sizeof c->comment);
    c->job.event = (struct event){.kind = EV_REVOKE};
    c->job.event.revoke.comment = c->comment;
    ask_look_up(a, &a->actor.uid, 1, queue);
}

/* ---- what only root and admins may -------------------------------------------------------------
 */

static void reloaded(void *ctx, int error, const char *text)
{
    ask_say(ctx, error < 0 ? REPLY_FAILED : REPLY_DONE, text);
}

static void reload(struct ask *a)
{
    struct name by = actor_name(&a->t->world, a->actor.uid);
    int r;

    r = reload_start(a->t, by.text, reloaded, a);
    if (r < 0)
        ask_say(a, REPLY_FAILED,
                r == -EBUSY ? "a reload is under way already; try again" : "out of memory");
}

static void told(struct ask *a, enum reply_code code, const char *text)
{
    ask_say(a, code, text);
}

static void drop_waiter(struct ask *a)
{
    link_wait_not(a->more);
    free(a->more);
}

/* Has the courier do it, and answers when it is done. */
static void ask_courier(struct ask *a, void (*start)(struct teamd *t, struct link_waiter *w))
{
    struct link_waiter *w;

    if (!link_can_be_asked(a))
        return;
    w = calloc(1, sizeof *w);
    if (!w) {
        ask_say(a, REPLY_FAILED, "out of memory");
        return;
    }
    *w = (struct link_waiter){.ask = a, .done = told};
    a->more = w;
    a->drop = drop_waiter;
    start(a->t, w);
}

static void do_as_admin(struct ask *a, enum admin_act act)
{
    switch (act) {
    case ADMIN_RELOAD:
        reload(a);
        return;
    case ADMIN_BACKUP:
        backup_begin(a);
        return;
    case ADMIN_REFRESH:
        ask_courier(a, link_refresh);
        return;
    case ADMIN_RECONCILE:
        ask_courier(a, link_reconcile);
        return;
    }
}

/* A full disk is when a copy of the store is wanted most, so that one only tries to be recorded. */
static void admitted(struct job *j, const struct reply *reply, int error)
{
    struct change *c = (struct change *)(void *)((char *)j - offsetof(struct change, job));
    struct ask *a = c->ask;
    enum admin_act act = (enum admin_act)j->event.admin;

    if (error < 0 && !(act == ADMIN_BACKUP && may_administer(&a->t->world, &a->actor))) {
        committed(j, reply, error);
        return;
    }
    if (error == 0 && reply->code != REPLY_DONE) {
        tell(a, reply);
        return;
    }
    a->more = NULL;
    a->drop = NULL;
    free(c);
    do_as_admin(a, act);
}

static void queue_admin(struct ask *a)
{
    struct change *c = a->more;

    queue(a);
    c->job.done = admitted;
}

static void start_reload(struct ask *a, struct change *c)
{
    c->job.event = (struct event){.kind = EV_ADMIN, .admin = ADMIN_RELOAD};
    ask_look_up(a, &a->actor.uid, 1, queue_admin);
}

static void start_refresh(struct ask *a, struct change *c)
{
    c->job.event = (struct event){.kind = EV_ADMIN, .admin = ADMIN_REFRESH};
    ask_look_up(a, &a->actor.uid, 1, queue_admin);
}

static void start_reconcile(struct ask *a, struct change *c)
{
    c->job.event = (struct event){.kind = EV_ADMIN, .admin = ADMIN_RECONCILE};
    ask_look_up(a, &a->actor.uid, 1, queue_admin);
}

static void start_backup(struct ask *a, struct change *c)
{
    c->job.event = (struct event){.kind = EV_ADMIN, .admin = ADMIN_BACKUP};
    ask_look_up(a, &a->actor.uid, 1, queue_admin);
}

/* ---- which ------------------------------------------------------------------------------------
 */

static const struct {
    unsigned op;
    bool about_request;
    void (*start)(struct ask *a, struct change *c);
} CHANGES[] = {
    {TEAM_OP_REQUEST, false, start_request}, {TEAM_OP_FILE, false, start_file},
    {TEAM_OP_DECIDE, true, start_decide},    {TEAM_OP_CANCEL, true, start_cancel},
    {TEAM_OP_REVOKE, true, start_revoke},    {TEAM_OP_EXTEND, true, start_extend},
    {TEAM_OP_RELOAD, false, start_reload},   {TEAM_OP_BACKUP, false, start_backup},
    {TEAM_OP_REFRESH, false, start_refresh}, {TEAM_OP_RECONCILE, false, start_reconcile},
};

void change_ask(struct ask *a)
{
    struct change *c;
    size_t i = 0;

    if (!budget_allows(a->t->budget, &a->actor)) {
        ask_say(a, REPLY_FAILED, "too many of your asks were refused; wait a minute");
        return;
    }
    while (i < sizeof CHANGES / sizeof CHANGES[0] && CHANGES[i].op != a->msg.op)
        i++;
    c = calloc(1, sizeof *c);
    if (i == sizeof CHANGES / sizeof CHANGES[0] || !c) {
        free(c);
        ask_say(a, c ? REPLY_USAGE : REPLY_FAILED, "this teamd does not know that question");
        return;
    }
    c->ask = a;
    c->live = true;
    a->more = c;
    a->drop = drop_change;
    if (CHANGES[i].about_request && !a->impostor) {
        if (!ask_find(a, &c->id, &c->history, &c->live))
            return;
        c->job.find_again = find_again;
    }
    CHANGES[i].start(a, c);
}
