/* Policies and exemptions: lists of groups, and what their parts have to do with each other. */
#include "conf/reader.h"
#include "conf/schema.h"

struct census {
    size_t users, groups, idc;
};

static bool has(const struct principals *set, size_t i)
{
    return set->bits[i / 64] & UINT64_C(1) << i % 64;
}

static struct census count(const struct policy *p, const struct principals *set)
{
    struct census n = {0};

    for (size_t i = 0; i < p->n_principals; i++) {
        if (!has(set, i))
            continue;
        n.users += p->principals[i].kind == PRINCIPAL_USER;
        n.groups += p->principals[i].kind == PRINCIPAL_GROUP;
        n.idc += p->principals[i].kind == PRINCIPAL_IDC_GROUP;
    }
    return n;
}

static bool only_idc(struct census n)
{
    return n.idc > 0 && n.users + n.groups == 0;
}

static bool only_users(struct census n)
{
    return n.users > 0 && n.groups + n.idc == 0;
}

static bool only_hosts(const struct policy *p, struct patterns run)
{
    for (size_t i = 0; i < run.count; i++)
        if (p->patterns[run.first + i].kind != TARGET_HOST)
            return false;
    return true;
}

/* Groups of Identity Center do not count on hosts, unless that is wanted. */
static void check_idc(struct reader *r, const config_setting_t *s, const char *member,
                      const struct principals *who, struct patterns targets)
{
    const struct policy *p = &r->config->policy;

    if (!r->config->policy.trust_idc_on_host && only_idc(count(p, who)) && only_hosts(p, targets))
        complain(r, config_setting_get_member(s, member),
                 "can never match: groups of Identity Center count only for aws: targets, unless "
                 "identity.trust_idc_on_host is true");
}

static void check_root(struct reader *r, const config_setting_t *s, const char *member,
                       const struct principals *who)
{
    const struct policy *p = &r->config->policy;

    for (size_t i = 0; i < p->n_principals; i++)
        if (has(who, i) && p->principals[i].kind == PRINCIPAL_USER &&
            strcmp(p->principals[i].name, "root") == 0)
            caution(r, config_setting_get_member(s, member),
                    "root neither requests nor approves: naming root here does nothing");
}

/* ---- eligibility ---------------------------------------------------------------------------- */

static void check_eligibility(struct reader *r, config_setting_t *s, size_t n)
{
    struct policy *p = &r->config->policy;
    struct eligibility *e = &p->eligibility[n];

    for (size_t i = 0; i < n; i++)
        if (strcmp(p->eligibility[i].name.text, e->name.text) == 0)
            complain(r, config_setting_get_member(s, "name"), "is the name of eligibility[%zu] too",
                     i);
    if (e->max_duration_s == 0)
        e->max_duration_s = p->max_duration_s;
    if (e->max_duration_s > p->max_duration_s)
        caution(r, config_setting_get_member(s, "max_duration"),
                "settings.max_duration is shorter, and holds");
    check_idc(r, s, "who", &e->who, e->targets);
    check_root(r, s, "who", &e->who);
}

/* ---- approvers ------------------------------------------------------------------------------ */

/* How many of the users of `who` can approve for the luckiest of `requesters`: nobody approves
 * their own request. */
static size_t most_approvers(const struct policy *p, const struct approvers *a)
{
    size_t users = count(p, &a->who).users;

    if (a->for_all_requesters || !only_users(count(p, &a->requesters)))
        return users;
    for (size_t i = 0; i < p->n_principals; i++)
        if (has(&a->requesters, i) && !has(&a->who, i))
            return users;
    return users - 1;
}

static void check_quorum(struct reader *r, const config_setting_t *s, const struct approvers *a)
{
    const struct policy *p = &r->config->policy;
    const config_setting_t *at = config_setting_get_member(s, "quorum");
    size_t most = most_approvers(p, a);

    if (only_users(count(p, &a->who)) && a->quorum > most)
        complain(r, at ? at : config_setting_get_member(s, "who"),
                 "can never be reached: %u must approve, and who names %zu that can (nobody "
                 "approves their own request)",
                 (unsigned)a->quorum, most);
}

static void check_approvers(struct reader *r, config_setting_t *s, size_t n)
{
    struct policy *p = &r->config->policy;
    struct approvers *a = &p->approvers[n];

    for (size_t i = 0; i < n; i++)
        if (strcmp(p->approvers[i].name.text, a->name.text) == 0)
            complain(r, config_setting_get_member(s, "name"), "is the name of approvers[%zu] too",
                     i);
    a->for_all_requesters = !config_setting_get_member(s, "requesters");
    check_quorum(r, s, a);
    check_idc(r, s, "who", &a->who, a->targets);
    check_root(r, s, "who", &a->who);
    if (!a->for_all_requesters) {
        check_idc(r, s, "requesters", &a->requesters, a->targets);
        check_root(r, s, "requesters", &a->requesters);
    }
}

/* ---- exemptions ----------------------------------------------------------------------------- */

static void check_twice(struct reader *r, const config_setting_t *s, size_t n, size_t before)
{
    const struct policy *p = &r->config->policy;
    const struct exempt *a = &p->exempt[before], *b = &p->exempt[n];

    if (!(a->classes & b->classes))
        return;
    for (size_t i = 0; i < p->n_principals; i++) {
        if (has(&a->who, i) && has(&b->who, i)) {
            complain(r, s,
                     "\"%s\" is exempt from some of these classes by gate.exempt[%zu] already",
                     p->principals[i].name, before);
            return;
        }
    }
}

static void check_exempt(struct reader *r, config_setting_t *s, size_t n)
{
    const struct policy *p = &r->config->policy;

    if (!r->config->policy.trust_idc_on_host && count(p, &p->exempt[n].who).idc > 0)
        complain(r, config_setting_get_member(s, "who"),
                 "can never match: groups of Identity Center do not count on a host, unless "
                 "identity.trust_idc_on_host is true");
    for (size_t i = 0; i < n; i++)
        check_twice(r, s, n, i);
}

/* ---- users of Identity Center --------------------------------------------------------------- */

/* Two local users who are one there could approve each other's requests. */
static void check_aws_user(struct reader *r, config_setting_t *s, size_t n)
{
    const struct policy *p = &r->config->policy;
    const struct aws_user *a = &p->aws_users[n];

    for (size_t i = 0; i < n; i++) {
        if (strcmp(p->aws_users[i].user.text, a->user.text) == 0)
            complain(r, config_setting_get_member(s, "user"),
                     "is the user of identity.aws_users[%zu] too", i);
        if (strcmp(p->aws_users[i].name, a->name) == 0)
            complain(r, config_setting_get_member(s, "name"),
                     "is the name of identity.aws_users[%zu] too: two people are not one", i);
    }
}

/* ---- lists of groups ------------------------------------------------------------------------ */

/* Where the groups of a list go, and what is looked at when one of them is complete. */
struct rows {
    const char *path;
    void *items;
    size_t size;
    uint16_t *count;
    void (*check)(struct reader *r, config_setting_t *s, size_t n);
};

/* A group with mistakes in it is not looked at as a whole: that would only repeat them. */
static void read_rows(struct reader *r, const struct key *k, const config_setting_t *list,
                      const struct rows *to)
{
    if (config_setting_length(list) > k->max) {
        complain(r, list, "has %d members; at most %lld can be", config_setting_length(list),
                 (long long)k->max);
        return;
    }
    for (int i = 0; i < config_setting_length(list); i++) {
        config_setting_t *s = config_setting_get_elem(list, (unsigned)i);
        unsigned errors = r->errors;
        size_t n = (*to->count)++;

        schema_read(r, to->path, s, (char *)to->items + n * to->size);
        if (r->errors == errors)
            to->check(r, s, n);
    }
}

static void read_eligibility(struct reader *r, const struct key *k, config_setting_t *s, void *to)
{
    struct policy *p = &r->config->policy;
    struct rows rows = {"eligibility[]", p->eligibility, sizeof p->eligibility[0],
                        &p->n_eligibility, check_eligibility};

    (void)to;
    read_rows(r, k, s, &rows);
}

static void read_approvers(struct reader *r, const struct key *k, config_setting_t *s, void *to)
{
    struct policy *p = &r->config->policy;
    struct rows rows = {"approvers[]", p->approvers, sizeof p->approvers[0], &p->n_approvers,
                        check_approvers};

    (void)to;
    read_rows(r, k, s, &rows);
}

static void read_exempt(struct reader *r, const struct key *k, config_setting_t *s, void *to)
{
    struct policy *p = &r->config->policy;
    struct rows rows = {"gate.exempt[]", p->exempt, sizeof p->exempt[0], &p->n_exempt,
                        check_exempt};

    (void)to;
    read_rows(r, k, s, &rows);
}

static void read_aws_users(struct reader *r, const struct key *k, config_setting_t *s, void *to)
{
    struct policy *p = &r->config->policy;
    struct rows rows = {"identity.aws_users[]", p->aws_users, sizeof p->aws_users[0],
                        &p->n_aws_users, check_aws_user};

    (void)to;
    read_rows(r, k, s, &rows);
}

static void read_activity(struct reader *r, const struct key *k, config_setting_t *s, void *to)
{
    struct config_aws *aws = &r->config->aws;
    struct rows rows = {"aws.activity[]", aws->activity, sizeof aws->activity[0], &aws->n_activity,
                        check_activity};

    (void)to;
    read_rows(r, k, s, &rows);
}

const struct type TYPE_ACTIVITY = {SHAPE_GROUPS, "list of groups", read_activity};
const struct type TYPE_AWS_USERS = {SHAPE_GROUPS, "list of groups", read_aws_users};
const struct type TYPE_ELIGIBILITY = {SHAPE_GROUPS, "list of groups", read_eligibility};
const struct type TYPE_APPROVERS = {SHAPE_GROUPS, "list of groups", read_approvers};
const struct type TYPE_EXEMPT = {SHAPE_GROUPS, "list of groups", read_exempt};
