#include "teamd.h"

#include <stdlib.h>

/* What one person may cost, however many connections they open and close: refusals, each of which
 * is an event of the trail on the disk, asks that are granted, which stay on the disk for ever,
 * look-ups, each of which keeps a worker busy, and lines on other people's terminals. People are
 * told apart by login. */

/* A test of it does not ask ten thousand times. */
#ifndef ASKS_AT_ONCE
#define ASKS_AT_ONCE 10000
#endif

enum {
    PEOPLE = 1024,
    LOOK_UPS = 256, /* under way: 64 connections, and what a decision looks up */
};

/* What is paid for with time that has passed: so many at once, then one in so long. */
enum purse { REFUSALS = 0, TELLS = BUDGET_TELLS, HEARS = BUDGET_HEARS, ASKS = 3, PURSES = 4 };

static const struct {
    int64_t at_once, then_each_s;
} COSTS[PURSES] = {
    [REFUSALS] = {60, 1},
    [TELLS] = {3, 60},
    [HEARS] = {10, 10},
    [ASKS] = {ASKS_AT_ONCE, 10},
};

struct account {
    bool used;
    uint32_t uid;
    int64_t left_us[PURSES];
    int64_t at_us; /* as of then */
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

static int64_t cost_us(enum purse p)
{
    return COSTS[p].then_each_s * SECOND_US;
}

static int64_t full_us(enum purse p)
{
    return COSTS[p].at_once * cost_us(p);
}

static void refill(struct account *a, struct now now)
{
    for (enum purse p = REFUSALS; p < PURSES; p++) {
        a->left_us[p] += now.boot.us - a->at_us;
        if (a->left_us[p] > full_us(p))
            a->left_us[p] = full_us(p);
    }
    a->at_us = now.boot.us;
}

static bool owes_nothing(const struct account *a)
{
    for (enum purse p = REFUSALS; p < PURSES; p++)
        if (a->left_us[p] < full_us(p))
            return false;
    return a->look_ups == 0;
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
        if (!free_place && (!a->used || owes_nothing(a)))
            free_place = a;
    }
    if (!free_place)
        return a;
    *free_place = (struct account){.used = true, .uid = uid, .at_us = now.boot.us};
    for (enum purse p = REFUSALS; p < PURSES; p++)
        free_place->left_us[p] = full_us(p);
    return free_place;
}

/* Who has no login uid can take anybody's on, without a privilege (the kernel's
 * audit_set_loginuid_perm()). So what is done under another one than the own, by su or by uids of
 * subuid(5), is nobody's of those two: it has an account beside that of the login. */
uint32_t budget_payer(uint32_t uid, uint32_t loginuid)
{
    static const uint32_t BESIDE = UINT32_C(1) << 31;

    return uid == 0 || loginuid == NOBODY || loginuid == uid ? uid : loginuid ^ BESIDE;
}

static uint32_t payer(const struct actor *a)
{
    return budget_payer(a->uid, a->loginuid);
}

bool budget_allows(struct budget *b, const struct actor *a)
{
    return account_of(b, payer(a))->left_us[REFUSALS] >= cost_us(REFUSALS);
}

void budget_refused(struct budget *b, const struct actor *a)
{
    account_of(b, payer(a))->left_us[REFUSALS] -= cost_us(REFUSALS);
}

bool budget_may_ask(struct budget *b, const struct actor *a)
{
    return account_of(b, payer(a))->left_us[ASKS] >= cost_us(ASKS);
}

void budget_asked(struct budget *b, const struct actor *a)
{
    account_of(b, payer(a))->left_us[ASKS] -= cost_us(ASKS);
}

bool budget_takes(struct budget *b, uint32_t uid, enum budget_line what)
{
    enum purse p = (enum purse)what;
    struct account *a = account_of(b, uid);

    if (a->left_us[p] < cost_us(p))
        return false;
    a->left_us[p] -= cost_us(p);
    return true;
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
