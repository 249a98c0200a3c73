#include "teamd.h"

#include <stdlib.h>

/* What one person may cost, however many connections they open and close: refusals, each of which
 * is an event of the trail on the disk, and look-ups, each of which keeps a worker busy. People are
 * told apart by login. */

enum {
    PEOPLE = 1024,
    REFUSALS = 60,      /* at once, */
    REFUSALS_PER_S = 1, /* and then */
    LOOK_UPS = 256,     /* under way: 64 connections, and what a decision looks up */
};

struct account {
    bool used;
    uint32_t uid;
    int64_t refusals; /* left, in millionths */
    int64_t at_us;    /* as of then */
    unsigned look_ups;
};

struct budget {
    struct account accounts[PEOPLE];
};

struct budget *budget_new(void)
{
    return calloc(1, sizeof(struct budget));
}

struct budget *budget_free(struct budget *b)
{
    free(b);
    return NULL;
}

static void refill(struct account *a, struct now now)
{
    a->refusals += (now.boot.us - a->at_us) * REFUSALS_PER_S;
    a->at_us = now.boot.us;
    if (a->refusals > REFUSALS * SECOND_US)
        a->refusals = REFUSALS * SECOND_US;
}

/* Who owes nothing makes room; when nobody does, strangers share a place. */
static struct account *account_of(struct budget *b, uint32_t uid)
{
    enum { PROBES = 8 };
    struct now now = host_now();
    struct account *free_place = NULL, *a;

    for (unsigned i = 0; i < PROBES; i++) {
        a = &b->accounts[(uid * UINT32_C(2654435761) + i) % PEOPLE];
        if (a->used)
            refill(a, now);
        if (a->used && a->uid == uid)
            return a;
        if (!free_place && (!a->used || (a->look_ups == 0 && a->refusals == REFUSALS * SECOND_US)))
            free_place = a;
    }
    if (!free_place)
        return a;
    *free_place = (struct account){true, uid, REFUSALS * SECOND_US, now.boot.us, 0};
    return free_place;
}

static uint32_t payer(const struct actor *a)
{
    return a->loginuid != NOBODY && a->uid != 0 ? a->loginuid : a->uid;
}

bool budget_allows(struct budget *b, const struct actor *a)
{
    return account_of(b, payer(a))->refusals >= SECOND_US;
}

void budget_refused(struct budget *b, const struct actor *a)
{
    account_of(b, payer(a))->refusals -= SECOND_US;
}

bool budget_look_up(struct budget *b, const struct actor *a)
{
    struct account *account = account_of(b, payer(a));

    if (account->look_ups >= LOOK_UPS)
        return false;
    account->look_ups++;
    return true;
}

void budget_looked_up(struct budget *b, const struct actor *a)
{
    struct account *account = account_of(b, payer(a));

    if (account->look_ups > 0)
        account->look_ups--;
}
