/* The walk: groups first, so that their numbers are known when accounts come; then the users whom
 * the policy names, then the uids that the caller cares for. One look-up at a time: a listing is
 * never in a hurry, and the gate may be. It ends at the first failure, as what it lacks from there
 * on could not be told from "not a member". */
#include "host/listing.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

struct stop {
    uint32_t op;
    uint32_t what; /* index of a principal, or a uid */
};

struct listing {
    struct pool *pool;
    struct roster *roster;
    listing_done_fn done;
    void *ctx;
    int error;
    struct stop *stops;
    size_t n_stops, at;
    struct person *found;
    size_t n_found, cap;
    uint32_t *by_uid; /* open addressing: place in `found` + 1 */
    size_t slots;     /* a power of two, at least twice as many as can be found */
    const struct principal *unknown[PRINCIPALS_MAX];
    size_t n_unknown;
};

/* ---- whom it found --------------------------------------------------------------------------- */

static uint32_t *slot_of(struct listing *l, uint32_t uid)
{
    size_t at = (uid * UINT32_C(2654435761)) & (l->slots - 1);

    while (l->by_uid[at] && l->found[l->by_uid[at] - 1].uid != uid)
        at = (at + 1) & (l->slots - 1);
    return &l->by_uid[at];
}

/* The person with this uid, new or not. NULL: no memory, or `room` of them are there already. */
static struct person *person_of(struct listing *l, uint32_t uid, const struct name *name,
                                size_t room)
{
    uint32_t *slot = slot_of(l, uid);

    if (*slot)
        return &l->found[*slot - 1];
    if (l->n_found >= room)
        return NULL;
    if (l->n_found == l->cap) {
        size_t cap = l->cap ? l->cap * 2 : 64;
        struct person *grown = reallocarray(l->found, cap, sizeof *grown);

        if (!grown) {
            l->error = -ENOMEM;
            return NULL;
        }
        l->found = grown;
        l->cap = cap;
    }
    l->found[l->n_found] = (struct person){.uid = uid, .name = *name};
    *slot = (uint32_t)++l->n_found;
    return &l->found[l->n_found - 1];
}

static void set_bearer(struct listing *l, size_t principal, uint32_t id)
{
    l->roster->ids[principal].bearer = BEARER_KNOWN;
    l->roster->ids[principal].id = id;
}

static void set_unknown(struct listing *l, size_t principal)
{
    l->roster->ids[principal].bearer = BEARER_NONE;
    l->unknown[l->n_unknown++] = &l->roster->policy->principals[principal];
}

static void take_group(struct listing *l, size_t principal, const struct answer *a)
{
    set_bearer(l, principal, a->id);
    for (size_t i = 0; i < a->n_members; i++) {
        const struct member *m = &a->members[i];
        struct person *who = person_of(l, m->uid, &m->name, PEOPLE_LISTED_MAX);

        if (m->alias.text[0])
            roster_learn_alias(l->roster, m->uid, &m->alias);
        if (!who)
            continue;
        who->listed = true;
        principals_add(&who->is, principal);
    }
}

static void add_bits(struct principals *to, const struct principals *more)
{
    for (size_t i = 0; i < sizeof to->bits / sizeof to->bits[0]; i++)
        to->bits[i] |= more->bits[i];
}

/* What an account is by its groups and its number counts besides what the groups say of it: a
 * database may tell one and not the other. */
static void take_account(struct listing *l, const struct stop *s, const struct answer *a)
{
    bool named = s->op == RESOLVE_NAME;
    struct person *who = person_of(l, a->id, &a->name, named ? PEOPLE_LISTED_MAX : SIZE_MAX);
    struct principals is;

    if (named) {
        struct name alias = {""};

        set_bearer(l, s->what, a->id);
        memcpy(alias.text, l->roster->policy->principals[s->what].name, NAME_CAP - 1);
        if (strcmp(alias.text, a->name.text) != 0)
            roster_learn_alias(l->roster, a->id, &alias);
    }
    if (!who)
        return;
    is = roster_is(l->roster, a->id, &a->name, a->gids, a->n_gids);
    add_bits(&who->is, &is);
    who->listed = who->listed || named;
}

/* ---- the walk -------------------------------------------------------------------------------- */

static void step(struct listing *l);

static void on_answer(void *ctx, int error, const struct answer *a)
{
    struct listing *l = ctx;
    const struct stop *s = &l->stops[l->at++];

    if (error == -ENOENT && s->op != RESOLVE_UID)
        set_unknown(l, s->what);
    else if (error < 0 && error != -ENOENT)
        l->error = error;
    else if (error == 0 && s->op == RESOLVE_GROUP)
        take_group(l, s->what, a);
    else if (error == 0)
        take_account(l, s, a);
    step(l);
}

static void fill_ask(const struct listing *l, const struct stop *s, struct ask *ask)
{
    memset(ask, 0, sizeof *ask);
    ask->op = s->op;
    if (s->op == RESOLVE_UID) {
        ask->uid = s->what;
        roster_aliases(l->roster, s->what, "", ask->aliases);
    } else {
        static_assert(sizeof ask->name == sizeof l->roster->policy->principals[0].name,
                      "names of principals fit");
        memcpy(ask->name, l->roster->policy->principals[s->what].name, sizeof ask->name);
        ask->name[sizeof ask->name - 1] = '\0';
    }
}

static void step(struct listing *l)
{
    struct ask ask;

    if (l->error == 0 && l->at < l->n_stops) {
        fill_ask(l, &l->stops[l->at], &ask);
        l->error = pool_ask(l->pool, &ask, monotonic_us() + PEOPLE_TIMEOUT_US, on_answer, l);
        if (l->error == 0)
            return;
    }
    l->done(l->ctx, l);
}

void listing_run(struct listing *l)
{
    step(l);
}

static void add_stops(struct listing *l, enum principal_kind kind, enum resolver_op op)
{
    const struct policy *policy = l->roster->policy;

    for (uint32_t i = 0; i < policy->n_principals; i++)
        if (policy->principals[i].kind == kind)
            l->stops[l->n_stops++] = (struct stop){op, i};
}

static int compare_stops(const void *a, const void *b)
{
    const struct stop *x = a, *y = b;

    return (x->what > y->what) - (x->what < y->what);
}

/* Each uid once, however often it was given. */
static void add_uids(struct listing *l, const uint32_t *uids, size_t n)
{
    struct stop *first = l->stops + l->n_stops;
    size_t kept = 0;

    for (size_t i = 0; i < n; i++)
        first[i] = (struct stop){RESOLVE_UID, uids[i]};
    qsort(first, n, sizeof *first, compare_stops);
    for (size_t i = 0; i < n; i++)
        if (first[i].what != NOBODY && (kept == 0 || first[kept - 1].what != first[i].what))
            first[kept++] = first[i];
    l->n_stops += kept;
}

static int set_up(struct listing *l, const struct policy *policy, const uint32_t *uids,
                  size_t n_uids)
{
    l->roster = calloc(1, sizeof *l->roster);
    l->stops = calloc(policy->n_principals + n_uids + 1, sizeof *l->stops);
    for (l->slots = 64; l->slots < 2 * (PEOPLE_LISTED_MAX + n_uids);)
        l->slots *= 2;
    l->by_uid = calloc(l->slots, sizeof *l->by_uid);
    if (!l->roster || !l->stops || !l->by_uid)
        return -ENOMEM;
    l->roster->policy = policy;
    add_stops(l, PRINCIPAL_GROUP, RESOLVE_GROUP);
    add_stops(l, PRINCIPAL_USER, RESOLVE_NAME);
    add_uids(l, uids, n_uids);
    return 0;
}

int listing_new(struct pool *pool, const struct policy *policy, const uint32_t *uids, size_t n_uids,
                listing_done_fn done, void *ctx, struct listing **ret)
{
    struct listing *l = calloc(1, sizeof *l);
    int r;

    if (!l)
        return -ENOMEM;
    l->pool = pool;
    l->done = done;
    l->ctx = ctx;
    r = set_up(l, policy, uids, n_uids);
    if (r < 0) {
        listing_free(l);
        return r;
    }
    *ret = l;
    return 0;
}

struct listing *listing_free(struct listing *l)
{
    if (!l)
        return NULL;
    free(l->roster);
    free(l->stops);
    free(l->found);
    free(l->by_uid);
    free(l);
    return NULL;
}

int listing_error(const struct listing *l)
{
    return l->error;
}

const struct person *listing_found(const struct listing *l, size_t *ret_n)
{
    static const struct person none;

    *ret_n = l->n_found;
    return l->found ? l->found : &none; /* so that nobody copies from NULL */
}

const struct principal *const *listing_unknown(const struct listing *l, size_t *ret_n)
{
    *ret_n = l->n_unknown;
    return l->unknown;
}

struct roster *listing_take_roster(struct listing *l)
{
    struct roster *r = l->roster;

    l->roster = NULL;
    return r;
}
