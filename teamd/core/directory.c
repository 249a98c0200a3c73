#include "core/directory.h"

/* ---- finding -------------------------------------------------------------------------------- */

/* The first place in a sorted run of n at which `before` does not hold any more. */
typedef bool (*before_fn)(const struct directory *d, uint32_t at, const char *key);

static uint32_t bisect(const struct directory *d, uint32_t n, before_fn before, const char *key)
{
    uint32_t low = 0, high = n;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (before(d, middle, key))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool account_before(const struct directory *d, uint32_t at, const char *key)
{
    return strcmp(d->accounts[at].id, key) < 0;
}

static const char *account_name(const struct directory *d, uint32_t at)
{
    return dir_text(d, d->accounts[d->accounts_by_name[at]].name);
}

static bool account_name_before(const struct directory *d, uint32_t at, const char *key)
{
    return strcmp(account_name(d, at), key) < 0;
}

static bool set_before(const struct directory *d, uint32_t at, const char *key)
{
    return strcmp(dir_text(d, d->sets[at].name), key) < 0;
}

static bool user_before(const struct directory *d, uint32_t at, const char *key)
{
    return strcmp(dir_text(d, d->users[at].name), key) < 0;
}

static bool group_before(const struct directory *d, uint32_t at, const char *key)
{
    return strcmp(dir_text(d, d->groups[at].name), key) < 0;
}

const struct dir_account *directory_account(const struct directory *d, const char *id)
{
    uint32_t at;

    if (!d)
        return NULL;
    at = bisect(d, d->n_accounts, account_before, id);
    return at < d->n_accounts && strcmp(d->accounts[at].id, id) == 0 ? &d->accounts[at] : NULL;
}

const struct dir_set *directory_set(const struct directory *d, const char *name)
{
    uint32_t at;

    if (!d)
        return NULL;
    at = bisect(d, d->n_sets, set_before, name);
    return at < d->n_sets && strcmp(dir_text(d, d->sets[at].name), name) == 0 ? &d->sets[at] : NULL;
}

uint32_t directory_user(const struct directory *d, const char *name)
{
    uint32_t at;

    if (!d)
        return 0;
    at = bisect(d, d->n_users, user_before, name);
    if (at == d->n_users || strcmp(dir_text(d, d->users[at].name), name) != 0 ||
        (at + 1 < d->n_users && strcmp(dir_text(d, d->users[at + 1].name), name) == 0))
        return 0;
    return at + 1;
}

uint32_t directory_group(const struct directory *d, const char *name)
{
    uint32_t at;

    if (!d)
        return 0;
    at = bisect(d, d->n_groups, group_before, name);
    if (at == d->n_groups || strcmp(dir_text(d, d->groups[at].name), name) != 0 ||
        (at + 1 < d->n_groups && strcmp(dir_text(d, d->groups[at + 1].name), name) == 0))
        return 0;
    return at + 1;
}

bool directory_member(const struct directory *d, uint32_t user, uint32_t group)
{
    uint64_t key = (uint64_t)(user - 1) << 32 | (group - 1);
    uint32_t low = 0, high = d ? d->n_members : 0;

    if (user == 0 || group == 0)
        return false;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (d->members[middle] == key)
            return true;
        if (d->members[middle] < key)
            low = middle + 1;
        else
            high = middle;
    }
    return false;
}

uint32_t directory_each_member(const struct directory *d, uint32_t group, uint32_t *at)
{
    while (group > 0 && *at < d->n_members) {
        uint64_t member = d->members[(*at)++];

        if ((uint32_t)member == group - 1)
            return (uint32_t)(member >> 32) + 1;
    }
    return 0;
}

uint32_t directory_members(const struct directory *d, uint32_t group, uint32_t but_user)
{
    if (group == 0)
        return 0;
    return d->groups[group - 1].n_members - directory_member(d, but_user, group);
}

/* ---- the tree ------------------------------------------------------------------------------- */

bool directory_below(const struct directory *d, const char *account, const char *unit)
{
    const struct dir_account *a = directory_account(d, account);
    uint32_t at = a ? a->unit : 0;

    for (int depth = 0; at > 0 && depth < UNIT_DEPTH_MAX; depth++) {
        if (strcmp(dir_text(d, d->units[at - 1].id), unit) == 0)
            return true;
        at = d->units[at - 1].parent;
    }
    return false;
}

void directory_put_path(const struct directory *d, const struct dir_account *a, struct text *t)
{
    uint32_t above[UNIT_DEPTH_MAX];
    size_t n = 0;

    for (uint32_t at = a->unit; at > 0 && n < UNIT_DEPTH_MAX; at = d->units[at - 1].parent)
        above[n++] = at - 1;
    while (n-- > 0) {
        text_put(t, dir_text(d, d->units[above[n]].name));
        if (n > 0)
            text_put(t, "/");
    }
}

/* ---- targets -------------------------------------------------------------------------------- */

/* The one account that is called so. */
static const struct dir_account *account_named(const struct directory *d, const char *name,
                                               struct text *why)
{
    uint32_t at = bisect(d, d->n_accounts, account_name_before, name), n = 0;

    while (at + n < d->n_accounts && strcmp(account_name(d, at + n), name) == 0)
        n++;
    if (n == 1)
        return &d->accounts[d->accounts_by_name[at]];
    text_put(why, n == 0 ? "no account of AWS is called " : "more than one account is called ");
    text_put(why, name);
    text_put(why, n == 0 ? "; see teamctl targets" : "; ask by its number:");
    for (uint32_t i = 0; i < n && i < 4; i++) {
        text_put(why, i > 0 ? ", " : " ");
        text_put(why, d->accounts[d->accounts_by_name[at + i]].id);
    }
    return NULL;
}

static const char *last_slash(const char *s, size_t n)
{
    while (n > 0)
        if (s[--n] == '/')
            return s + n;
    return NULL;
}

enum target_error directory_parse(const struct directory *d, const char *s, size_t n,
                                  const char *this_host, struct target *ret,
                                  char why[static WHY_CAP])
{
    enum target_error e = target_parse(s, n, this_host, ret);
    const char *slash = last_slash(s, n);
    struct text t = text_over(why, WHY_CAP), whole;
    char name[256], by_id[TARGET_TEXT_CAP];
    const struct dir_account *a;

    if (e == TARGET_OK)
        return e;
    if (n <= 4 || memcmp(s, "aws:", 4) != 0 || !slash || e != TARGET_BAD_PLACE || !d) {
        text_put(&t, target_error_text(e));
        return e;
    }
    whole = text_over(name, sizeof name);
    text_put_n(&whole, s + 4, (size_t)(slash - s) - 4);
    a = account_named(d, name, &t);
    if (!a)
        return TARGET_BAD_PLACE;
    whole = text_over(by_id, sizeof by_id);
    text_put(&whole, "aws:");
    text_put(&whole, a->id);
    text_put_n(&whole, slash, n - (size_t)(slash - s));
    e = target_parse(by_id, whole.cut ? 0 : whole.len, this_host, ret);
    if (e != TARGET_OK)
        text_put(&t, target_error_text(TARGET_BAD_WHAT));
    return e;
}

enum aws_standing directory_standing(const struct directory *d, const struct target *t)
{
    const struct dir_account *a;
    const struct dir_set *set;
    bool delegated;

    if (t->kind != TARGET_AWS)
        return AWS_FINE;
    if (!d)
        return AWS_UNREAD;
    a = directory_account(d, t->place);
    set = directory_set(d, t->what);
    delegated = strcmp(d->own, d->management) != 0;
    if (!a)
        return AWS_NO_ACCOUNT;
    if (!set)
        return AWS_NO_SET;
    if (a->suspended)
        return AWS_SUSPENDED;
    if (delegated && strcmp(a->id, d->management) == 0)
        return AWS_MANAGEMENT;
    return delegated && set->managed ? AWS_MANAGED : AWS_FINE;
}

void text_put_standing(struct text *to, const struct target *t, enum aws_standing standing)
{
    switch (standing) {
    case AWS_UNREAD:
        text_put(to,
                 "the accounts of AWS have not been read yet; an admin sees why: teamctl status");
        return;
    case AWS_NO_ACCOUNT:
        text_put(to, "the organisation has no account ");
        text_put(to, t->place);
        return;
    case AWS_NO_SET:
        text_put(to, "Identity Center has no permission set ");
        text_put(to, t->what);
        return;
    case AWS_SUSPENDED:
        text_put(to, "the account ");
        text_put(to, t->place);
        text_put(to, " is suspended or closed");
        return;
    case AWS_MANAGEMENT:
        text_put(to, "the management account ");
        text_put(to, t->place);
        text_put(
            to,
            " cannot be had: teamd acts as a delegated administrator, which AWS keeps out of it");
        return;
    case AWS_MANAGED:
        text_put(to, "the permission set ");
        text_put(to, t->what);
        text_put(
            to,
            " is in use in the management account, so AWS keeps a delegated administrator from it");
        return;
    case AWS_FINE:
    default:
        return;
    }
}
