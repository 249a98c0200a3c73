#include "teamd.h"

#include <stdlib.h>

/* `teamctl request --wait`: an ask that is answered when its request has been decided and begun, or
 * ended. */

struct waiter {
    struct waiter *next, **link;
    struct ask *ask;
    struct id id;
};

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

/* Why it is over, in the words of whoever ended it. */
static int say_outcome(void *ctx, const struct record *r)
{
    struct reply *reply = ctx;
    struct text t = text_over(reply->text, sizeof reply->text);

    reply->id = r->request.id;
    reply->state = r->request.state;
    text_put(&t, request_state_text((enum request_state)r->request.state));
    for (size_t i = r->n_decisions; i-- > 0;)
        if (!r->decisions[i].approved && r->decisions[i].about == ABOUT_REQUEST) {
            text_put(&t, " by ");
            text_put(&t, r->decisions[i].by.text);
            if (r->decisions[i].comment[0]) {
                text_put(&t, ": ");
                text_put(&t, r->decisions[i].comment);
            }
            return 0;
        }
    if (r->request.revoked_by.text[0]) {
        text_put(&t, " by ");
        text_put(&t, r->request.revoked_by.text);
    }
    return 0;
}

/* Answers if there is an outcome. */
static void tell(struct teamd *t, struct waiter *w)
{
    const struct request *r = world_request(&t->world, w->id);
    struct reply reply = {.code = REPLY_DONE};

    if (r && still_on_its_way(r))
        return;
    if (store_request(t->store, w->id, say_outcome, &reply) < 0)
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

static int may_see_record(void *ctx, const struct record *r)
{
    struct ask *a = ctx;

    return may_see(&a->t->world, a->actor.uid, &r->request, false) ? 0 : -1;
}

void wait_ask(struct ask *a)
{
    struct teamd *t = a->t;
    struct request history;
    struct waiter *w;
    struct id id;
    bool live;

    if (!ask_find(a, &id, &history, &live))
        return;
    if (store_request(t->store, id, may_see_record, a) < 0) {
        ask_say(a, REPLY_NOT_FOUND, "no such request, or not yours to see");
        return;
    }
    w = malloc(sizeof *w);
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
