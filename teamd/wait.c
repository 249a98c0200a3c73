#include "teamd.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

/* Asks that are answered when their request has been decided and begun, or has ended: those of
 * `teamctl request --wait`, and those of a sudo that waits in place, which is told how far the
 * request has come besides. Nothing here runs while nothing happens to any request. */

struct waiter {
    struct waiter *next, **link;
    struct ask *ask;
    struct id id;
    /* What a sudo that waits was told last. */
    uint8_t state;
    uint16_t n_decisions;
};

static bool is_in_place(const struct waiter *w)
{
    return w->ask->msg.op == TEAM_OP_AWAIT;
}

static void drop_waiter(struct ask *a)
{
    struct waiter *w = a->more;

    *w->link = w->next;
    if (w->next)
        w->next->link = w->link;
    free(w);
}

static bool still_on_its_way(const struct request *r)
{
    return r->state <= REQ_ACTIVATING;
}

/* ---- the outcome ------------------------------------------------------------------------------
 */

/* The decision about the request itself that came last, of this kind. */
static const struct decision *last_decision(const struct record *r, bool approved)
{
    for (size_t i = r->n_decisions; i-- > 0;)
        if (r->decisions[i].approved == approved && r->decisions[i].about == ABOUT_REQUEST)
            return &r->decisions[i];
    return NULL;
}

/* As much of a long comment as there is room for. */
static void put_comment(struct text *t, const char *comment)
{
    if (!comment[0])
        return;
    text_put(t, ": ");
    text_make_plain(t->buf + t->len, t->cap - t->len, comment, strlen(comment));
    t->len = strlen(t->buf);
}

/* Why it is over, in the words of whoever ended it. */
static void put_ending(struct text *t, const struct record *r)
{
    const struct decision *rejected = last_decision(r, false);

    text_put(t, request_state_text((enum request_state)r->request.state));
    if (rejected) {
        text_put(t, " by ");
        text_put(t, rejected->by.text);
        put_comment(t, rejected->comment);
    } else if (r->request.revoked_by.text[0]) {
        text_put(t, " by ");
        text_put(t, r->request.revoked_by.text);
    }
}

static void put_approved(struct text *t, const struct record *r)
{
    const struct decision *approved = last_decision(r, true);

    text_put(t, "approved");
    if (approved) {
        text_put(t, " by ");
        text_put(t, approved->by.text);
    }
}

static int say_outcome(void *ctx, const struct record *r)
{
    struct reply *reply = ctx;
    struct text t = text_over(reply->text, sizeof reply->text);

    reply->id = r->request.id;
    reply->state = r->request.state;
    put_ending(&t, r);
    return 0;
}

/* The same for who waits in sudo: what is not active is a no, and a whole sentence. */
static int say_outcome_in_place(void *ctx, const struct record *r)
{
    struct reply *reply = ctx;
    struct text t = text_over(reply->text, sizeof reply->text);
    enum request_state state = (enum request_state)r->request.state;

    reply->id = r->request.id;
    reply->state = r->request.state;
    if (state == REQ_ACTIVE) {
        put_approved(&t, r);
        return 0;
    }
    reply->code = REPLY_REFUSED;
    text_put(&t, "request ");
    text_put_id(&t, r->request.id.bits);
    text_put(&t, state == REQ_EXPIRED || state == REQ_FAILED ? " has " : " was ");
    put_ending(&t, r);
    return 0;
}

/* ---- news -------------------------------------------------------------------------------------
 */

/* As people on this host read clocks; a day only when it is not today. */
static void put_moment(struct text *t, struct wall at)
{
    time_t then = (time_t)(at.us / SECOND_US), now = (time_t)(host_now().wall.us / SECOND_US);
    struct tm a, b;
    char out[40];

    localtime_r(&then, &a);
    localtime_r(&now, &b);
    if (a.tm_year == b.tm_year && a.tm_yday == b.tm_yday)
        strftime(out, sizeof out, "%H:%M", &a);
    else
        strftime(out, sizeof out, "%Y-%m-%d %H:%M", &a);
    text_put(t, out);
}

static int say_scheduled(void *ctx, const struct record *r)
{
    struct text *t = ctx;

    put_approved(t, r);
    if (r->request.state == REQ_SCHEDULED) {
        text_put(t, "; starts at ");
        put_moment(t, r->request.requested_start);
    } else {
        text_put(t, "; being activated");
    }
    return 0;
}

static void send_news(struct ask *a, const char *text)
{
    char packet[TEAM_GATE_PACKET_MAX], plain[480];
    struct wire_out w = wire_begin(packet, sizeof packet, TEAM_ROWS, TEAM_ROW_NEWS);
    struct wire_mark row = wire_group(&w, TEAM_ROW);

    text_make_plain(plain, sizeof plain, text, strlen(text));
    wire_put(&w, TEAM_TEXT, plain);
    wire_group_end(&w, row);
    if (a->conn)
        (void)conn_rows(a->conn, packet, wire_finish(&w)); /* who does not read misses it */
}

static void tell_news(struct teamd *t, struct waiter *w, const struct request *r)
{
    char news[480];
    struct text text = text_over(news, sizeof news);

    if (w->state == r->state && w->n_decisions == r->n_decisions)
        return;
    w->state = r->state;
    w->n_decisions = r->n_decisions;
    if (r->state == REQ_PENDING)
        say_progress(&t->world, r, &text);
    else if (store_request(t->store, w->id, say_scheduled, &text) < 0)
        return;
    send_news(w->ask, news);
}

/* ---- telling ----------------------------------------------------------------------------------
 */

/* Answers if there is an outcome. */
static void tell(struct teamd *t, struct waiter *w)
{
    const struct request *r = world_request(&t->world, w->id);
    struct reply reply = {.code = REPLY_DONE};

    if (r && still_on_its_way(r)) {
        if (is_in_place(w))
            tell_news(t, w, r);
        return;
    }
    if (store_request(t->store, w->id, is_in_place(w) ? say_outcome_in_place : say_outcome,
                      &reply) < 0)
        ask_say(w->ask, REPLY_FAILED, "the store cannot be read");
    else
        ask_answer(w->ask, &reply);
}

void wait_tell(struct teamd *t)
{
    for (struct waiter *w = t->waiters, *next; w; w = next) {
        next = w->next;
        tell(t, w);
    }
}

void wait_end(struct teamd *t)
{
    while (t->waiters)
        ask_hang_up(t->waiters->ask);
}

static void begin(struct ask *a, struct id id)
{
    struct teamd *t = a->t;
    struct waiter *w = malloc(sizeof *w);

    if (!w) {
        ask_say(a, REPLY_FAILED, "out of memory");
        return;
    }
    *w = (struct waiter){.ask = a, .id = id, .next = t->waiters, .link = &t->waiters};
    if (w->next)
        w->next->link = &w->next;
    t->waiters = w;
    a->more = w;
    a->drop = drop_waiter;
    tell(t, w);
}

/* ---- who waits --------------------------------------------------------------------------------
 */

static int may_see_record(void *ctx, const struct record *r)
{
    struct ask *a = ctx;

    return may_see(&a->t->world, a->actor.uid, &r->request, false) ? 0 : -1;
}

void wait_ask(struct ask *a)
{
    struct request history;
    struct id id;
    bool live;

    if (!ask_find(a, &id, &history, &live))
        return;
    if (store_request(a->t->store, id, may_see_record, a) < 0)
        ask_say(a, REPLY_NOT_FOUND, "no such request, or not yours to see");
    else
        begin(a, id);
}

static int is_own_record(void *ctx, const struct record *r)
{
    const struct ask *a = ctx;

    return r->request.requester == a->actor.uid ? 0 : -1;
}

static void say_too_many(struct ask *a, int error)
{
    struct reply reply = {.code = REPLY_FAILED};
    struct text t = text_over(reply.text, sizeof reply.text);

    if (error == -EDQUOT) {
        text_put(&t, "you wait in too many places already (");
        text_put_u64(&t, IPC_WAITERS_PER_PERSON);
        text_put(&t, "); end some, or try again later");
    } else {
        text_put(&t, "too many people wait already; try again later");
    }
    ask_answer(a, &reply);
}

void wait_ask_in_place(struct ask *a)
{
    struct wire_span v = wire_find(a->msg.fields, TEAM_ID);
    uint64_t first, last;
    int r;

    if (!v.at || !text_parse_id_prefix(v.at, v.len, &first, &last) || first != last ||
        store_request(a->t->store, (struct id){first}, is_own_record, a) < 0) {
        ask_say(a, REPLY_NOT_FOUND, "that is no request of yours");
        return;
    }
    r = conn_wait(a->conn, a->actor.uid);
    if (r < 0) {
        say_too_many(a, r);
        return;
    }
    tell_approvers(a->t, (struct id){first});
    begin(a, (struct id){first});
}
