#include "core/step.h"

/* Quorums, and who may decide or see what. Everything here goes by what people are now, never by
 * what they were when something was asked or approved. */

static bool is_approver(const struct world *w, const struct approvers *rule,
                        const struct person *who, uint32_t requester, const struct target *t)
{
    return who->uid != requester && who->uid != 0 && policy_names(w->policy, &rule->who, who, t);
}

static uint32_t approvals_under(const struct world *w, const struct approvers *rule,
                                const struct request *r, const struct target *t)
{
    uint32_t n = 0;

    for (size_t i = 0; i < r->n_approvals; i++) {
        const struct person *who = world_person(w, r->approvals[i].uid);

        if (who && is_approver(w, rule, who, r->requester, t))
            n++;
    }
    return n;
}

static bool needs_approval(const struct world *w, const struct request *r, const struct target *t,
                           int64_t duration_s)
{
    const struct person *who = world_person(w, r->requester);
    struct eligible e;

    if (!who)
        return true;
    e = policy_eligible(w->policy, w->directory, who, t, duration_s);
    return !e.allowed || e.approval_required;
}

/* The duration that the open question is about. */
static int64_t asked_duration(const struct request *r)
{
    return r->duration_s + r->extension.for_s;
}

/* What the rules for one target still want: every mandatory rule, and at least one rule at all. */
struct wanted {
    bool any_complete;
    bool mandatory_open;
};

static struct wanted rules_state(const struct world *w, const struct request *r,
                                 const struct target *t)
{
    const struct person *requester = world_person(w, r->requester);
    struct wanted state = {0};

    for (size_t i = 0; i < w->policy->n_approvers; i++) {
        const struct approvers *rule = &w->policy->approvers[i];

        if (!policy_rule_applies(w->policy, w->directory, rule, t, requester))
            continue;
        if (approvals_under(w, rule, r, t) >= rule->quorum)
            state.any_complete = true;
        else if (rule->mandatory)
            state.mandatory_open = true;
    }
    return state;
}

bool quorum_complete(const struct world *w, const struct request *r)
{
    for (size_t i = 0; i < r->n_targets; i++) {
        const struct target *t = &r->grants[i].target;
        struct wanted state;

        if (!needs_approval(w, r, t, asked_duration(r)))
            continue;
        state = rules_state(w, r, t);
        if (!state.any_complete || state.mandatory_open)
            return false;
    }
    return true;
}

bool approval_count(const struct world *w, const struct request *r, uint32_t *ret_have,
                    uint32_t *ret_of)
{
    const struct person *requester = world_person(w, r->requester);
    const struct target *t = &r->grants[0].target;
    const struct approvers *only = NULL;

    for (size_t i = 0; i < w->policy->n_approvers; i++) {
        const struct approvers *rule = &w->policy->approvers[i];

        if (!policy_rule_applies(w->policy, w->directory, rule, t, requester))
            continue;
        if (only)
            return false;
        only = rule;
    }
    if (!only || r->n_targets > 1)
        return false;
    *ret_have = approvals_under(w, only, r, t);
    *ret_of = only->quorum;
    return true;
}

/* Who is in a group of Identity Center is known here only once they have been looked up, so all of
 * its members count as people who could. */
static uint32_t could_come(const struct world *w, const struct approvers *rule,
                           const struct person *requester, const struct target *t)
{
    uint32_t n = 0;

    for (size_t i = 0; i < w->policy->n_principals; i++)
        if (rule->who.bits[i / 64] >> i % 64 & 1 && w->idc_groups[i] > 0 &&
            (t->kind == TARGET_AWS || w->policy->trust_idc_on_host))
            n += directory_members(w->directory, w->idc_groups[i], requester->aws_user);
    return n;
}

static bool rule_possible(const struct world *w, const struct approvers *rule,
                          const struct person *requester, const struct target *t)
{
    const struct person *who;
    uint32_t at = 0, n = could_come(w, rule, requester, t);

    while (n < rule->quorum && (who = world_each_person(w, &at)))
        n += is_approver(w, rule, who, requester->uid, t) && principals_meet(&rule->who, &who->is);
    return n >= rule->quorum;
}

bool quorum_possible(const struct world *w, const struct person *requester,
                     const struct target *target)
{
    bool any = false;

    for (size_t i = 0; i < w->policy->n_approvers; i++) {
        const struct approvers *rule = &w->policy->approvers[i];

        if (!policy_rule_applies(w->policy, w->directory, rule, target, requester))
            continue;
        if (rule_possible(w, rule, requester, target))
            any = true;
        else if (rule->mandatory)
            return false;
    }
    return any;
}

bool approval_missing(const struct world *w, const struct request *r)
{
    const struct person *who = world_person(w, r->requester);

    for (size_t i = 0; who && !r->approval_required && i < r->n_targets; i++)
        if (policy_eligible(w->policy, w->directory, who, &r->grants[i].target, r->duration_s)
                .approval_required)
            return true;
    return false;
}

/* Account, permission set and user are there, and the same that they were. Before AWS has been read
 * nobody can tell. */
static enum certainty aws_stands(const struct world *w, const struct request *r,
                                 const struct grant *g, const struct person *who)
{
    const struct directory *d = w->directory;

    if (!grant_is_aws(g))
        return CERTAIN_YES;
    if (!w->policy->aws)
        return CERTAIN_NO;
    if (!d)
        return UNCERTAIN;
    if (directory_standing(d, &g->target) != AWS_FINE || who->aws_user == 0 ||
        strcmp(dir_text(d, d->users[who->aws_user - 1].id), r->aws_user) != 0 ||
        strcmp(set_id(dir_text(d, directory_set(d, g->target.what)->arn)), g->set) != 0)
        return CERTAIN_NO;
    return CERTAIN_YES;
}

enum certainty still_eligible(const struct world *w, const struct request *r, int64_t duration_s)
{
    const struct person *who = world_person(w, r->requester);

    enum certainty all = CERTAIN_YES;

    if (!who)
        return UNCERTAIN;
    for (size_t i = 0; i < r->n_targets; i++) {
        const struct target *t = &r->grants[i].target;
        enum certainty one = aws_stands(w, r, &r->grants[i], who);

        if (one == CERTAIN_YES &&
            !policy_eligible(w->policy, w->directory, who, t, duration_s).allowed)
            one = CERTAIN_NO;
        if (one == CERTAIN_NO)
            return CERTAIN_NO;
        if (one == UNCERTAIN)
            all = UNCERTAIN;
    }
    return all;
}

/* ---- who is waited for ---------------------------------------------------------------------- */

static bool has_question(const struct request *r)
{
    return r->state == REQ_PENDING || (r->state == REQ_ACTIVE && r->extension.for_s > 0);
}

bool has_approved(const struct request *r, uint32_t uid)
{
    for (size_t i = 0; i < r->n_approvals; i++)
        if (r->approvals[i].uid == uid)
            return true;
    return false;
}

/* Would this person's approval bring one of the targets further? */
static bool would_help(const struct world *w, const struct request *r, const struct person *who)
{
    const struct person *requester = world_person(w, r->requester);

    for (size_t t = 0; t < r->n_targets; t++) {
        const struct target *target = &r->grants[t].target;
        struct wanted state;

        if (!needs_approval(w, r, target, asked_duration(r)))
            continue;
        state = rules_state(w, r, target);
        for (size_t i = 0; i < w->policy->n_approvers; i++) {
            const struct approvers *rule = &w->policy->approvers[i];
            bool open = rule->mandatory ? state.mandatory_open
                                        : !state.any_complete && !state.mandatory_open;

            if (open && is_approver(w, rule, who, r->requester, target) &&
                policy_rule_applies(w->policy, w->directory, rule, target, requester) &&
                approvals_under(w, rule, r, target) < rule->quorum)
                return true;
        }
    }
    return false;
}

/* Those whom the policy's groups list, and those whom Identity Center does. */
static bool may_be_shown(const struct person *who)
{
    return who->listed || principals_any(&who->idc);
}

size_t waiting_for(const struct world *w, const struct request *r, const struct person *out[],
                   size_t cap)
{
    const struct person *who;
    uint32_t at = 0;
    size_t n = 0;

    if (!has_question(r))
        return 0;
    while (n < cap && (who = world_each_person(w, &at)))
        if (may_be_shown(who) && !has_approved(r, who->uid) && would_help(w, r, who))
            out[n++] = who;
    return n;
}

size_t would_approve(const struct world *w, uint32_t requester, const struct target *target,
                     const struct person *out[], size_t cap)
{
    const struct person *asks = world_person(w, requester), *who;
    uint32_t at = 0;
    size_t n = 0;

    while (n < cap && (who = world_each_person(w, &at)))
        if (may_be_shown(who) &&
            policy_may_approve(w->policy, w->directory, who, target, requester, asks))
            out[n++] = who;
    return n;
}

/* ---- who may decide and see ----------------------------------------------------------------- */

bool approves_any_target(const struct world *w, const struct request *r, uint32_t uid)
{
    const struct person *who = world_person(w, uid);
    const struct person *requester = world_person(w, r->requester);

    if (!who)
        return false;
    for (size_t i = 0; i < r->n_targets; i++)
        if (policy_may_approve(w->policy, w->directory, who, &r->grants[i].target, r->requester,
                               requester))
            return true;
    return false;
}

bool may_decide(const struct world *w, const struct request *r, uint32_t uid)
{
    return has_question(r) && !has_approved(r, uid) && approves_any_target(w, r, uid);
}

bool is_admin(const struct world *w, uint32_t uid)
{
    const struct person *who = world_person(w, uid);

    return who && policy_is_admin(w->policy, who);
}

bool sees_everything(const struct world *w, uint32_t viewer)
{
    const struct person *who = world_person(w, viewer);

    return viewer == 0 || is_admin(w, viewer) || (who && policy_is_auditor(w->policy, who));
}

bool may_see(const struct world *w, uint32_t viewer, const struct request *r, bool decided)
{
    return decided || viewer == r->requester || sees_everything(w, viewer) ||
           approves_any_target(w, r, viewer);
}
