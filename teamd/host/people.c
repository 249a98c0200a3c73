/* Who somebody is: looked up once for all who ask at the same time, kept for a moment, and put in
 * the policy's terms only when it is told, so that a listing in between cannot mix two policies. */
#include "host/listing.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/queue.h>

/* Places for kept answers, each for the last one whose hash leads there. */
enum { KEPT = 256 };

/* What the database said of a uid or a name. */
struct account {
    unsigned refs;
    bool nobody;
    uint32_t uid;
    struct name name;
    uint64_t fresh_until;
    size_t n_gids;
    uint32_t gids[];
};

/* One call of people_by_uid() or people_by_name(). */
struct lookup {
    STAILQ_ENTRY(lookup) link;
    people_found_fn done;
    void *ctx;
    int error;
    struct account *account;
};
STAILQ_HEAD(lookups, lookup);

/* One question to the resolvers, and all who wait for its answer. */
struct query {
    LIST_ENTRY(query) link;
    struct people *people;
    struct ask ask;
    uint64_t deadline;
    struct lookups lookups;
};

struct kept_name {
    struct name name;
    struct account *account;
};

struct people {
    sd_event *loop;
    struct pool *pool;
    sd_event_source *tell; /* on while there is something to tell */
    size_t n_lookups;
    LIST_HEAD(queries, query) queries;
    struct lookups ready;
    struct account *by_uid[KEPT];
    struct kept_name by_name[KEPT];
    struct roster *roster; /* of the last successful listing, or NULL */
    struct listing *listing;
    bool listed; /* `listing` is over and has to be told */
    people_listed_fn listing_done;
    void *listing_ctx;
};

/* ---- kept answers ---------------------------------------------------------------------------- */

static struct account *account_new(const struct answer *a)
{
    size_t n = a ? a->n_gids : 0;
    struct account *c = calloc(1, sizeof *c + n * sizeof c->gids[0]);

    if (!c)
        return NULL;
    c->refs = 1;
    c->nobody = a == NULL;
    c->fresh_until = monotonic_us() + PEOPLE_FRESH_US;
    if (a) {
        c->uid = a->id;
        c->name = a->name;
        c->n_gids = n;
        if (n > 0)
            memcpy(c->gids, a->gids, n * sizeof c->gids[0]);
    }
    return c;
}

static struct account *account_ref(struct account *c)
{
    c->refs++;
    return c;
}

static struct account *account_unref(struct account *c)
{
    if (c && --c->refs == 0)
        free(c);
    return NULL;
}

static size_t name_place(const char *name)
{
    uint32_t h = 2166136261; /* FNV-1a: spreads names over places, guards nothing */

    for (; *name; name++)
        h = (h ^ (unsigned char)*name) * 16777619;
    return h % KEPT;
}

/* `uid` is the one that was asked: an account that is nobody has none. */
static void keep_by_uid(struct people *p, uint32_t uid, struct account *c)
{
    struct account **place = &p->by_uid[uid % KEPT];

    account_unref(*place);
    *place = account_ref(c);
    c->uid = uid;
}

static void keep_by_name(struct people *p, const char *name, struct account *c)
{
    struct kept_name *place = &p->by_name[name_place(name)];

    account_unref(place->account);
    memset(&place->name, 0, sizeof place->name);
    memcpy(place->name.text, name, strnlen(name, NAME_CAP - 1));
    place->account = account_ref(c);
}

static struct account *kept_by_uid(const struct people *p, uint32_t uid)
{
    struct account *c = p->by_uid[uid % KEPT];

    return c && c->uid == uid && c->fresh_until > monotonic_us() ? c : NULL;
}

static struct account *kept_by_name(const struct people *p, const char *name)
{
    const struct kept_name *k = &p->by_name[name_place(name)];

    if (!k->account || strcmp(k->name.text, name) != 0)
        return NULL;
    return k->account->fresh_until > monotonic_us() ? k->account : NULL;
}

void people_forget(struct people *p, uint32_t uid)
{
    struct account **place = &p->by_uid[uid % KEPT];

    if (*place && (*place)->uid == uid)
        *place = account_unref(*place);
}

static void forget_kept(struct people *p)
{
    for (size_t i = 0; i < KEPT; i++) {
        p->by_uid[i] = account_unref(p->by_uid[i]);
        p->by_name[i].account = account_unref(p->by_name[i].account);
    }
}

/* ---- telling --------------------------------------------------------------------------------- */

static void lookup_ready(struct people *p, struct lookup *l, int error, struct account *c)
{
    l->error = c && c->nobody ? -ENOENT : error;
    l->account = c ? account_ref(c) : NULL;
    STAILQ_INSERT_TAIL(&p->ready, l, link);
    sd_event_source_set_enabled(p->tell, SD_EVENT_ONESHOT);
}

static void all_ready(struct people *p, struct lookups *waiting, int error, struct account *c)
{
    struct lookup *l;

    while ((l = STAILQ_FIRST(waiting))) {
        STAILQ_REMOVE_HEAD(waiting, link);
        lookup_ready(p, l, error, c);
    }
}

static void lookup_free(struct lookup *l)
{
    account_unref(l->account);
    free(l);
}

static void tell_lookup(struct people *p, struct lookup *l)
{
    struct person who = {0};

    if (l->error == 0) {
        const struct account *c = l->account;

        who.uid = c->uid;
        who.name = c->name;
        who.is = roster_is(p->roster, c->uid, &c->name, c->gids, c->n_gids);
    }
    p->n_lookups--;
    l->done(l->ctx, l->error, l->error == 0 ? &who : NULL);
    lookup_free(l);
}

static void tell_listing(struct people *p)
{
    struct listing *l = p->listing;
    int error = listing_error(l);
    size_t n, n_unknown;
    const struct person *found = listing_found(l, &n);
    const struct principal *const *unknown = listing_unknown(l, &n_unknown);

    p->listing = NULL;
    p->listed = false;
    if (error == 0) {
        free(p->roster);
        p->roster = listing_take_roster(l);
        forget_kept(p); /* other names of a uid may be known now */
    }
    p->listing_done(p->listing_ctx, error, found, n, unknown, n_unknown);
    listing_free(l);
}

static int on_tell(sd_event_source *s, void *ctx)
{
    struct people *p = ctx;
    struct lookups now = STAILQ_HEAD_INITIALIZER(now);
    struct lookup *l;

    (void)s;
    STAILQ_CONCAT(&now, &p->ready); /* what callbacks ask is told in the loop's next turn */
    if (p->listed)
        tell_listing(p);
    while ((l = STAILQ_FIRST(&now))) {
        STAILQ_REMOVE_HEAD(&now, link);
        tell_lookup(p, l);
    }
    return 0;
}

/* ---- asking ---------------------------------------------------------------------------------- */

static void query_answered(void *ctx, int error, const struct answer *a);

static int query_start(struct people *p, const struct ask *ask, uint64_t deadline,
                       struct query **ret)
{
    struct query *q = calloc(1, sizeof *q);
    int r;

    if (!q)
        return -ENOMEM;
    q->people = p;
    q->ask = *ask;
    q->deadline = deadline;
    STAILQ_INIT(&q->lookups);
    r = pool_ask(p->pool, ask, deadline, query_answered, q);
    if (r < 0) {
        free(q);
        return r;
    }
    LIST_INSERT_HEAD(&p->queries, q, link);
    *ret = q;
    return 0;
}

static bool same_ask(const struct ask *a, const struct ask *b)
{
    return a->op == b->op && a->uid == b->uid && strcmp(a->name, b->name) == 0 &&
           memcmp(a->aliases, b->aliases, sizeof a->aliases) == 0;
}

static int query_join(struct people *p, const struct ask *ask, struct lookup *l)
{
    struct query *q;
    int r;

    LIST_FOREACH(q, &p->queries, link)
    if (same_ask(&q->ask, ask))
        break;
    if (!q) {
        r = query_start(p, ask, monotonic_us() + PEOPLE_TIMEOUT_US, &q);
        if (r < 0)
            return r;
    }
    STAILQ_INSERT_TAIL(&q->lookups, l, link);
    return 0;
}

static void ask_for_uid(const struct people *p, uint32_t uid, struct ask *ret)
{
    memset(ret, 0, sizeof *ret);
    ret->op = RESOLVE_UID;
    ret->uid = uid;
    roster_aliases(p->roster, uid, "", ret->aliases);
}

/* An account that was asked for by name has the groups of that name and of its own. When its uid is
 * known under more names, it has to be asked for once more, with all of them. */
static bool needs_second_query(struct people *p, const struct query *q, const struct answer *a)
{
    struct name others[ALIASES_PER_ASK];
    struct name asked = {""};

    if (q->ask.op != RESOLVE_NAME)
        return false;
    memcpy(asked.text, q->ask.name, NAME_CAP - 1);
    if (strcmp(asked.text, a->name.text) != 0)
        roster_learn_alias(p->roster, a->id, &asked);
    roster_aliases(p->roster, a->id, a->name.text, others);
    for (size_t i = 0; i < ALIASES_PER_ASK; i++)
        if (others[i].text[0] && strcmp(others[i].text, asked.text) != 0)
            return true;
    return false;
}

static void answer_second(struct people *p, struct query *q, uint32_t uid)
{
    struct ask ask;
    struct query *second;
    int r;

    ask_for_uid(p, uid, &ask);
    r = query_start(p, &ask, q->deadline, &second);
    if (r < 0)
        all_ready(p, &q->lookups, r, NULL);
    else
        STAILQ_CONCAT(&second->lookups, &q->lookups);
}

static void answer_account(struct people *p, struct query *q, const struct answer *a)
{
    struct account *c = account_new(a);

    if (!c) {
        all_ready(p, &q->lookups, -ENOMEM, NULL);
        return;
    }
    if (q->ask.op == RESOLVE_NAME)
        keep_by_name(p, q->ask.name, c);
    else
        keep_by_uid(p, q->ask.uid, c);
    all_ready(p, &q->lookups, 0, c);
    account_unref(c);
}

static void query_answered(void *ctx, int error, const struct answer *a)
{
    struct query *q = ctx;
    struct people *p = q->people;

    LIST_REMOVE(q, link);
    if (error < 0 && error != -ENOENT)
        all_ready(p, &q->lookups, error, NULL);
    else if (a && needs_second_query(p, q, a))
        answer_second(p, q, a->id);
    else
        answer_account(p, q, a);
    free(q);
}

static int lookup_new(struct people *p, people_found_fn done, void *ctx, struct lookup **ret)
{
    struct lookup *l;

    if (p->n_lookups >= PEOPLE_WAITING)
        return -EAGAIN;
    l = calloc(1, sizeof *l);
    if (!l)
        return -ENOMEM;
    l->done = done;
    l->ctx = ctx;
    p->n_lookups++;
    *ret = l;
    return 0;
}

/* What is kept answers in the loop's next turn; else it is asked. */
static int lookup_run(struct people *p, struct lookup *l, const struct ask *ask,
                      struct account *kept)
{
    int r = 0;

    if (kept)
        lookup_ready(p, l, 0, kept);
    else
        r = query_join(p, ask, l);
    if (r < 0) {
        p->n_lookups--;
        free(l);
    }
    return r;
}

int people_by_uid(struct people *p, uint32_t uid, people_found_fn done, void *ctx)
{
    struct lookup *l;
    struct ask ask;
    int r = lookup_new(p, done, ctx, &l);

    if (r < 0)
        return r;
    if (!p->roster || uid == NOBODY) {
        lookup_ready(p, l, p->roster ? -ENOENT : -EAGAIN, NULL);
        return 0;
    }
    ask_for_uid(p, uid, &ask);
    return lookup_run(p, l, &ask, kept_by_uid(p, uid));
}

int people_by_name(struct people *p, const char *name, people_found_fn done, void *ctx)
{
    bool fits = resolver_name_fits(name, NAME_CAP);
    struct ask ask = {.op = RESOLVE_NAME};
    struct lookup *l;
    int r = lookup_new(p, done, ctx, &l);

    if (r < 0)
        return r;
    if (!p->roster || !fits) {
        lookup_ready(p, l, p->roster ? -ENOENT : -EAGAIN, NULL);
        return 0;
    }
    memcpy(ask.name, name, strlen(name));
    return lookup_run(p, l, &ask, kept_by_name(p, name));
}

/* ---- listing --------------------------------------------------------------------------------- */

static void on_listed(void *ctx, struct listing *l)
{
    struct people *p = ctx;

    (void)l;
    p->listed = true;
    sd_event_source_set_enabled(p->tell, SD_EVENT_ONESHOT);
}

int people_list(struct people *p, const struct policy *policy, const uint32_t *uids, size_t n_uids,
                people_listed_fn done, void *ctx)
{
    int r;

    if (p->listing)
        return -EBUSY;
    r = listing_new(p->pool, policy, uids, n_uids, on_listed, p, &p->listing);
    if (r < 0)
        return r;
    p->listing_done = done;
    p->listing_ctx = ctx;
    listing_run(p->listing);
    return 0;
}

/* ---- life ------------------------------------------------------------------------------------ */

int people_new(sd_event *loop, uid_t uid, gid_t gid, struct people **ret)
{
    struct people *p = calloc(1, sizeof *p);
    int r;

    if (!p)
        return -ENOMEM;
    p->loop = sd_event_ref(loop);
    LIST_INIT(&p->queries);
    STAILQ_INIT(&p->ready);
    r = pool_new(loop, uid, gid, &p->pool);
    if (r >= 0)
        r = sd_event_add_defer(loop, &p->tell, on_tell, p);
    if (r >= 0)
        r = sd_event_source_set_enabled(p->tell, SD_EVENT_OFF);
    if (r < 0) {
        people_free(p);
        return r;
    }
    *ret = p;
    return 0;
}

static void drop_lookups(struct lookups *waiting)
{
    struct lookup *l;

    while ((l = STAILQ_FIRST(waiting))) {
        STAILQ_REMOVE_HEAD(waiting, link);
        lookup_free(l);
    }
}

struct people *people_free(struct people *p)
{
    struct query *q;

    if (!p)
        return NULL;
    sd_event_source_disable_unref(p->tell);
    pool_free(p->pool);
    while ((q = LIST_FIRST(&p->queries))) {
        LIST_REMOVE(q, link);
        drop_lookups(&q->lookups);
        free(q);
    }
    drop_lookups(&p->ready);
    forget_kept(p);
    listing_free(p->listing);
    free(p->roster);
    sd_event_unref(p->loop);
    free(p);
    return NULL;
}
