#include "ipc/roll.h"

#include <errno.h>
#include <stdlib.h>

/* ---- arrays that grow ------------------------------------------------------------------------ */

struct run {
    void *items;
    size_t size;
    uint32_t n, cap, most;
};

struct roll {
    struct run units, accounts, sets, users, groups, members, texts;
    struct directory d; /* the org */
    bool has_org;
};

/* Room for n more; NULL, and why not in *error. */
static void *grow(struct run *r, uint32_t n, int *error)
{
    uint32_t cap = r->cap ? r->cap : 64;
    void *more;

    if (n > r->most - r->n) {
        *error = -E2BIG;
        return NULL;
    }
    while (cap < r->n + n)
        cap *= 2;
    if (cap > r->cap) {
        more = reallocarray(r->items, cap, r->size);
        if (!more) {
            *error = -ENOMEM;
            return NULL;
        }
        r->items = more;
        r->cap = cap;
    }
    r->n += n;
    return (char *)r->items + (size_t)(r->n - n) * r->size;
}

struct roll *roll_new(void)
{
    struct roll *r = calloc(1, sizeof *r);

    if (!r)
        return NULL;
    r->units = (struct run){.size = sizeof(struct dir_unit), .most = ROLL_UNITS_MAX};
    r->accounts = (struct run){.size = sizeof(struct dir_account), .most = ROLL_ACCOUNTS_MAX};
    r->sets = (struct run){.size = sizeof(struct dir_set), .most = ROLL_SETS_MAX};
    r->users = (struct run){.size = sizeof(struct dir_user), .most = ROLL_USERS_MAX};
    r->groups = (struct run){.size = sizeof(struct dir_group), .most = ROLL_GROUPS_MAX};
    r->members = (struct run){.size = sizeof(uint64_t), .most = ROLL_MEMBERS_MAX};
    r->texts = (struct run){.size = 1, .most = ROLL_TEXTS_MAX};
    return r;
}

struct roll *roll_free(struct roll *r)
{
    if (!r)
        return NULL;
    free(r->units.items);
    free(r->accounts.items);
    free(r->sets.items);
    free(r->users.items);
    free(r->groups.items);
    free(r->members.items);
    free(r->texts.items);
    free(r);
    return NULL;
}

/* ---- rows ------------------------------------------------------------------------------------ */

static const char *text(const struct roll *r, uint32_t at)
{
    return (const char *)r->texts.items + at;
}

/* Keeps a text that has to be there. */
static int keep(struct roll *r, struct wire_span row, enum team_tag tag, uint32_t *ret)
{
    struct wire_span v = wire_find(row, tag);
    int error = 0;
    char *to;

    if (!v.at || v.len == 0)
        return -EBADMSG;
    *ret = r->texts.n;
    to = grow(&r->texts, (uint32_t)v.len + 1, &error);
    if (!to)
        return error;
    memcpy(to, v.at, v.len);
    to[v.len] = '\0';
    return 0;
}

static bool read_account(struct wire_span row, enum team_tag tag, char out[ACCOUNT_CAP])
{
    wire_copy(row, tag, out, ACCOUNT_CAP);
    return strlen(out) == 12 && strspn(out, "0123456789") == 12;
}

/* The number plus one of the unit that PARENT names; 0 if it names none. */
static int find_parent(const struct roll *r, struct wire_span row, uint32_t *ret)
{
    const struct dir_unit *units = r->units.items;
    struct wire_span v = wire_find(row, TEAM_PARENT);

    *ret = 0;
    if (!v.at)
        return 0;
    for (uint32_t i = r->units.n; i-- > 0;)
        if (strlen(text(r, units[i].id)) == v.len &&
            memcmp(text(r, units[i].id), v.at, v.len) == 0) {
            *ret = i + 1;
            return 0;
        }
    return -EBADMSG;
}

static int add_org(struct roll *r, struct wire_span row)
{
    int e;

    if (r->has_org || !read_account(row, TEAM_OWN_ACCOUNT, r->d.own) ||
        !read_account(row, TEAM_MANAGEMENT, r->d.management))
        return -EBADMSG;
    r->has_org = true;
    e = keep(r, row, TEAM_IDENTITY, &r->d.identity);
    if (e == 0)
        e = keep(r, row, TEAM_INSTANCE, &r->d.instance);
    if (e == 0 && wire_find(row, TEAM_SSO_REGION).at)
        e = keep(r, row, TEAM_SSO_REGION, &r->d.region);
    return e;
}

static int add_unit(struct roll *r, struct wire_span row)
{
    struct dir_unit u = {0}, *to;
    int e = find_parent(r, row, &u.parent);

    if (e == 0)
        e = keep(r, row, TEAM_UNIT, &u.id);
    if (e == 0)
        e = keep(r, row, TEAM_LABEL, &u.name);
    to = e == 0 ? grow(&r->units, 1, &e) : NULL;
    if (to)
        *to = u;
    return e;
}

static int add_account(struct roll *r, struct wire_span row)
{
    struct wire_span state = wire_find(row, TEAM_STATE);
    struct dir_account a = {0}, *to;
    int e = find_parent(r, row, &a.unit);

    if (e == 0 && !read_account(row, TEAM_ACCOUNT, a.id))
        e = -EBADMSG;
    /* Whatever is not said to be active is not. */
    a.suspended = !state.at || state.len != 6 || memcmp(state.at, "active", 6) != 0;
    if (e == 0)
        e = keep(r, row, TEAM_LABEL, &a.name);
    to = e == 0 ? grow(&r->accounts, 1, &e) : NULL;
    if (to)
        *to = a;
    return e;
}

static int add_set(struct roll *r, struct wire_span row)
{
    struct dir_set set = {0}, *to;
    uint64_t session_s = 0, managed = 0;
    int e = keep(r, row, TEAM_SET_ARN, &set.arn);

    if (e == 0)
        e = keep(r, row, TEAM_PERMISSION_SET, &set.name);
    if (e == 0 && (!wire_find_u64(row, TEAM_SESSION_S, &session_s) || session_s > UINT32_MAX))
        e = -EBADMSG;
    wire_find_u64(row, TEAM_MANAGED, &managed);
    set.session_s = (uint32_t)session_s;
    set.managed = managed > 0;
    to = e == 0 ? grow(&r->sets, 1, &e) : NULL;
    if (to)
        *to = set;
    return e;
}

static int add_user(struct roll *r, struct wire_span row)
{
    struct dir_user u = {0}, *to;
    int e = keep(r, row, TEAM_PRINCIPAL, &u.id);

    if (e == 0)
        e = keep(r, row, TEAM_LABEL, &u.name);
    to = e == 0 ? grow(&r->users, 1, &e) : NULL;
    if (to)
        *to = u;
    return e;
}

static int add_group(struct roll *r, struct wire_span row)
{
    struct dir_group g = {0}, *to;
    int e = keep(r, row, TEAM_PRINCIPAL, &g.id);

    if (e == 0)
        e = keep(r, row, TEAM_LABEL, &g.name);
    to = e == 0 ? grow(&r->groups, 1, &e) : NULL;
    if (to)
        *to = g;
    return e;
}

/* Mostly the one that came last. */
static int find_group(const struct roll *r, struct wire_span row, uint32_t *ret)
{
    const struct dir_group *groups = r->groups.items;
    struct wire_span v = wire_find(row, TEAM_PRINCIPAL);

    for (uint32_t i = r->groups.n; v.at && i-- > 0;)
        if (strlen(text(r, groups[i].id)) == v.len &&
            memcmp(text(r, groups[i].id), v.at, v.len) == 0) {
            *ret = i;
            return 0;
        }
    return -EBADMSG;
}

/* "0,5,17": numbers of users as they came. */
static int add_members(struct roll *r, struct wire_span row)
{
    struct wire_span v = wire_find(row, TEAM_MEMBERS);
    uint32_t group;
    int e = find_group(r, row, &group);

    while (e == 0 && v.len > 0) {
        const char *comma = memchr(v.at, ',', v.len);
        size_t n = comma ? (size_t)(comma - v.at) : v.len;
        uint64_t user, *to;

        if (!text_parse_u64(v.at, n, &user) || user >= r->users.n)
            return -EBADMSG;
        to = grow(&r->members, 1, &e);
        if (to)
            *to = user << 32 | group;
        n += comma != NULL;
        v.at += n;
        v.len -= n;
    }
    return e;
}

int roll_add(struct roll *r, struct wire_span fields)
{
    static const struct {
        const char *kind;
        int (*add)(struct roll *r, struct wire_span row);
    } KINDS[] = {{"org", add_org},        {"unit", add_unit}, {"account", add_account},
                 {"set", add_set},        {"user", add_user}, {"group", add_group},
                 {"members", add_members}};
    int e = 0;

    for (struct wire_span row; e == 0 && (row = wire_each(&fields, TEAM_ROW), row.at);) {
        char kind[17];
        size_t i = 0;

        wire_copy(row, TEAM_KIND, kind, sizeof kind);
        while (i < sizeof KINDS / sizeof KINDS[0] && strcmp(KINDS[i].kind, kind) != 0)
            i++;
        if (i < sizeof KINDS / sizeof KINDS[0])
            e = KINDS[i].add(r, row); /* others are of a newer courier */
    }
    return e;
}

/* ---- the whole ------------------------------------------------------------------------------- */

static int accounts_by_id(const void *a, const void *b)
{
    return strcmp(((const struct dir_account *)a)->id, ((const struct dir_account *)b)->id);
}

static int numbers(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

/* All of these begin with the place of their ids and have the place of their names after it. */
struct named {
    uint32_t id, name;
};

static int by_name(const void *a, const void *b, void *texts)
{
    const struct named *x = a, *y = b;
    int r = strcmp((const char *)texts + x->name, (const char *)texts + y->name);

    return r != 0 ? r : strcmp((const char *)texts + x->id, (const char *)texts + y->id);
}

struct naming {
    const struct dir_account *accounts;
    const char *texts;
};

static int numbers_by_name(const void *a, const void *b, void *ctx)
{
    const struct naming *c = ctx;
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    int r = strcmp(c->texts + c->accounts[x].name, c->texts + c->accounts[y].name);

    return r != 0 ? r : (x > y) - (x < y);
}

/* AWS may list the same one on two pages, when something changes in between: one counts. */
static void drop_twins(struct roll *r)
{
    struct dir_account *accounts = r->accounts.items;
    struct dir_set *sets = r->sets.items;
    uint32_t n = 0;

    for (uint32_t i = 0; i < r->accounts.n; i++)
        if (n == 0 || strcmp(accounts[n - 1].id, accounts[i].id) != 0)
            accounts[n++] = accounts[i];
    r->accounts.n = n;
    n = 0;
    for (uint32_t i = 0; i < r->sets.n; i++)
        if (n == 0 || strcmp(text(r, sets[n - 1].arn), text(r, sets[i].arn)) != 0)
            sets[n++] = sets[i];
    r->sets.n = n;
}

/* Two sets of one name: nobody could tell which one was approved. */
static bool has_twice(const struct roll *r)
{
    const struct dir_set *sets = r->sets.items;

    for (uint32_t i = 1; i < r->sets.n; i++)
        if (strcmp(text(r, sets[i - 1].name), text(r, sets[i].name)) == 0)
            return true;
    return false;
}

/* Sorts users or groups, and tells where each has gone. NULL: no memory. */
static uint32_t *sort_named(struct run *run, char *texts)
{
    char *items = run->items;
    uint32_t *place = calloc(run->n + 1, sizeof *place);
    struct {
        struct named it;
        uint32_t was;
    } * all;
    uint32_t n = 0;

    all = calloc(run->n + 1, sizeof *all);

    for (uint32_t i = 0; place && all && i < run->n; i++) {
        memcpy(&all[i].it, items + i * run->size, sizeof all[i].it);
        all[i].was = i;
    }
    if (place && all) {
        qsort_r(all, run->n, sizeof *all, by_name, texts);
        for (uint32_t i = 0; i < run->n; i++) {
            bool twin = n > 0 && strcmp(texts + all[i].it.id, texts + all[i - 1].it.id) == 0;

            if (!twin)
                memcpy(items + n++ * run->size, &all[i].it, sizeof all[i].it);
            place[all[i].was] = n - 1;
        }
        run->n = n;
    }
    free(all);
    return all ? place : (free(place), NULL);
}

static int sort_members(struct roll *r)
{
    uint32_t *users = sort_named(&r->users, r->texts.items);
    uint32_t *groups = sort_named(&r->groups, r->texts.items);
    uint64_t *members = r->members.items;
    struct dir_group *g = r->groups.items;
    uint32_t n = 0;

    for (uint32_t i = 0; users && groups && i < r->members.n; i++)
        members[i] = (uint64_t)users[members[i] >> 32] << 32 | groups[(uint32_t)members[i]];
    if (users && groups && r->members.n > 0) {
        qsort(members, r->members.n, sizeof *members, numbers);
        for (uint32_t i = 0; i < r->members.n; i++)
            if (n == 0 || members[i] != members[n - 1]) {
                members[n++] = members[i];
                g[(uint32_t)members[i]].n_members++;
            }
        r->members.n = n;
    }
    free(users);
    free(groups);
    return users && groups ? 0 : -ENOMEM;
}

static void sort(struct roll *r, uint32_t *by_their_names)
{
    struct naming naming = {r->accounts.items, r->texts.items};

    if (r->accounts.n > 0)
        qsort(r->accounts.items, r->accounts.n, r->accounts.size, accounts_by_id);
    if (r->sets.n > 0)
        qsort_r(r->sets.items, r->sets.n, r->sets.size, by_name, r->texts.items);
    drop_twins(r);
    for (uint32_t i = 0; i < r->accounts.n; i++)
        by_their_names[i] = i;
    if (r->accounts.n > 0)
        qsort_r(by_their_names, r->accounts.n, sizeof *by_their_names, numbers_by_name, &naming);
}

int roll_finish(struct roll *r, struct wall as_of, struct directory **ret)
{
    struct directory *d = calloc(1, sizeof *d);
    uint32_t *by_their_names = calloc(r->accounts.n + 1, sizeof *by_their_names);
    int e = d && by_their_names ? sort_members(r) : -ENOMEM;

    if (e == 0)
        sort(r, by_their_names);
    if (e == 0 && (!r->has_org || has_twice(r)))
        e = -EBADMSG;
    if (e < 0) {
        free(d);
        free(by_their_names);
        roll_free(r);
        return e;
    }
    *d = r->d;
    d->as_of = as_of;
    d->texts = r->texts.items;
    d->units = r->units.items;
    d->n_units = r->units.n;
    d->accounts = r->accounts.items;
    d->n_accounts = r->accounts.n;
    d->accounts_by_name = by_their_names;
    d->sets = r->sets.items;
    d->n_sets = r->sets.n;
    d->users = r->users.items;
    d->n_users = r->users.n;
    d->groups = r->groups.items;
    d->n_groups = r->groups.n;
    d->members = r->members.items;
    d->n_members = r->members.n;
    free(r);
    *ret = d;
    return 0;
}

/* What was allocated here is not constant to us. */
static void drop(const void *p)
{
    free((void *)(uintptr_t)p);
}

struct directory *roll_free_directory(struct directory *d)
{
    if (!d)
        return NULL;
    drop(d->texts);
    drop(d->units);
    drop(d->accounts);
    drop(d->accounts_by_name);
    drop(d->sets);
    drop(d->users);
    drop(d->groups);
    drop(d->members);
    free(d);
    return NULL;
}
