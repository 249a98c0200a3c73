#include "query.h"

/* What somebody may ask for: this host's service classes, and the accounts and permission sets of
 * AWS that the policy covers for them, by the accounts' names. There may be hundreds of thousands
 * of pairs, so the work is done in portions, as rows of the store are. */

enum { NAMES_MAX = 16, PAIRS_AT_ONCE = 65536, WHATS_MAX = 64 };

/* Who would approve is the same for all targets under the same rules. */
static void put_people(struct query *q, const struct person *who, const struct target *t)
{
    const struct world *w = &q->ask->t->world;
    struct approver_names *a = &q->approvers;
    const struct person *people[NAMES_MAX];
    uint64_t rules[RULES_MAX / 64] = {0};

    for (size_t i = 0; i < w->policy->n_approvers; i++)
        if (policy_rule_applies(w->policy, w->directory, &w->policy->approvers[i], t, who))
            rules[i / 64] |= UINT64_C(1) << i % 64;
    if (!a->known || a->aws != (t->kind == TARGET_AWS) ||
        memcmp(rules, a->rules, sizeof rules) != 0) {
        size_t n = would_approve(w, who->uid, t, people, NAMES_MAX);

        a->known = true;
        a->aws = t->kind == TARGET_AWS;
        memcpy(a->rules, rules, sizeof rules);
        a->n = n;
        for (size_t i = 0; i < n; i++)
            a->names[i] = people[i]->name;
    }
    for (size_t i = 0; i < a->n; i++)
        wire_put(&q->out, TEAM_WAITING_FOR, a->names[i].text);
}

/* 0, or 1: there is no room for it in this packet. */
static int put_target(struct query *q, const struct person *who, const struct target *t,
                      const struct dir_account *account)
{
    const struct world *w = &q->ask->t->world;
    struct eligible e = policy_eligible(w->policy, w->directory, who, t, 1);
    char name[TARGET_TEXT_CAP], path[481], plain[481];
    struct text where = text_over(path, sizeof path);
    struct wire_mark mark;

    if (!e.covered)
        return 0;
    target_text(t, name);
    mark = query_row(q);
    wire_put(&q->out, TEAM_TARGET_NAME, name);
    wire_put_u64(&q->out, TEAM_FOR_S, (uint64_t)e.max_s);
    wire_put_u64(&q->out, TEAM_APPROVAL_REQUIRED, e.approval_required);
    if (e.approval_required)
        put_people(q, who, t);
    wire_put(&q->out, TEAM_POLICY, e.by->name.text);
    wire_put(&q->out, TEAM_TICKET, e.by->ticket);
    if (account) {
        wire_put(&q->out, TEAM_ACCOUNT_NAME, dir_text(w->directory, account->name));
        directory_put_path(w->directory, account, &where);
        text_make_plain(plain, sizeof plain, path, strlen(path));
        wire_put(&q->out, TEAM_PATH, plain);
    }
    return query_row_end(q, mark);
}

static void put_host(struct query *q, const struct person *who)
{
    const struct policy *p = q->ask->t->world.policy;

    for (size_t i = 0; i < p->n_classes; i++) {
        struct target t = {.kind = TARGET_HOST};

        memcpy(t.place, p->host, sizeof t.place);
        memcpy(t.what, p->classes[i], WORD_CAP);
        put_target(q, who, &t, NULL);
    }
}

/* The permission sets that some policy of the person's has for this account, as patterns. More than
 * there is room for: all of them, to be looked at one by one. */
static size_t whats_for(const struct world *w, const struct person *who, const char *account,
                        struct target whats[WHATS_MAX])
{
    static const struct target ALL = {.kind = TARGET_AWS, .place = "*", .what = "*"};
    const struct policy *p = w->policy;
    struct target any = {.kind = TARGET_AWS, .what = "x"};
    size_t n = 0;

    memcpy(any.place, account, strlen(account));
    for (size_t i = 0; i < p->n_eligibility; i++) {
        const struct eligibility *e = &p->eligibility[i];

        if (!policy_names(p, &e->who, who, &any))
            continue;
        for (size_t j = e->targets.first; j < (size_t)e->targets.first + e->targets.count; j++) {
            struct target here = p->patterns[j];

            if (here.kind != TARGET_AWS)
                continue;
            if (pattern_needs_directory(&here) ? !directory_below(w->directory, account, here.place)
                                               : !pattern_covers_place(&here, &any))
                continue;
            if (n == WHATS_MAX) {
                whats[0] = ALL;
                return 1;
            }
            whats[n] = ALL;
            memcpy(whats[n++].what, here.what, sizeof here.what);
        }
    }
    return n;
}

/* The permission sets that such patterns cover: for most accounts they are those of the one before.
 */
struct cover {
    struct target whats[WHATS_MAX];
    size_t n;
    uint64_t sets[(ROLL_SETS_MAX + 63) / 64];
};

static void cover_sets(struct cover *c, const struct directory *d, const struct target *whats,
                       size_t n)
{
    struct target t = {.kind = TARGET_AWS, .place = "1"};

    if (c->n == n && memcmp(c->whats, whats, n * sizeof *whats) == 0)
        return;
    c->n = n;
    memcpy(c->whats, whats, n * sizeof *whats);
    memset(c->sets, 0, sizeof c->sets);
    for (uint32_t set = 0; set < d->n_sets; set++) {
        struct text what = text_over(t.what, sizeof t.what);
        size_t i = 0;

        text_put(&what, dir_text(d, d->sets[set].name));
        while (i < n && !pattern_covers(&whats[i], &t))
            i++;
        if (i < n)
            c->sets[set / 64] |= UINT64_C(1) << set % 64;
    }
}

/* 0, or 1: there is more to do. */
static int put_account(struct query *q, const struct person *who, const struct dir_account *a,
                       struct cover *c, uint32_t *budget)
{
    const struct world *w = &q->ask->t->world;
    const struct directory *d = w->directory;
    struct target whats[WHATS_MAX], t = {.kind = TARGET_AWS};

    cover_sets(c, d, whats, whats_for(w, who, a->id, whats));
    memcpy(t.place, a->id, sizeof a->id);
    for (; c->n > 0 && q->at_set < d->n_sets; q->at_set++) {
        struct text what = text_over(t.what, sizeof t.what);

        if ((*budget)-- == 0)
            return 1;
        if (!(c->sets[q->at_set / 64] >> q->at_set % 64 & 1))
            continue;
        text_put(&what, dir_text(d, d->sets[q->at_set].name));
        if (directory_standing(d, &t) == AWS_FINE && put_target(q, who, &t, a) > 0)
            return 1;
    }
    q->at_set = 0;
    return 0;
}

int fill_targets(struct query *q)
{
    const struct world *w = &q->ask->t->world;
    const struct person *who = world_person(w, q->ask->actor.uid);
    const struct directory *d = w->directory;
    uint32_t budget = PAIRS_AT_ONCE;
    struct cover cover;

    if (!who)
        return 0;
    if (!q->host_is_done)
        put_host(q, who);
    q->host_is_done = true;
    if (!d || !w->policy->aws || who->aws_user == 0)
        return 0;
    cover.n = 0; /* what no pattern is for has nothing, whatever stands there */
    for (; q->at_account < d->n_accounts; q->at_account++)
        if (put_account(q, who, &d->accounts[d->accounts_by_name[q->at_account]], &cover, &budget) >
            0)
            return 1;
    return 0;
}
