#include "core/policy.h"

static const struct {
    const char *service;
    enum service_class class;
} BUILT_IN[] = {
    {"sudo", CLASS_SUDO},   {"sudo-i", CLASS_SUDO}, {"su", CLASS_SU},
    {"su-l", CLASS_SU},     {"runuser", CLASS_SU},  {"runuser-l", CLASS_SU},
    {"polkit-1", CLASS_SU}, {"sshd", CLASS_SSH},    {"login", CLASS_LOGIN},
};

static const char *const CLASS_NAMES[CLASSES_BUILT_IN] = {"sudo", "su", "ssh", "login"};

void policy_init(struct policy *p, const char *host)
{
    p->max_duration_s = 9 * 3600;
    p->pending_expiry_s = 3 * 3600;
    p->approval = true;
    p->require_comment = true;
    p->loginuid = LOGINUID_REQUIRE;
    p->grace_s = 10;
    p->warn_s[p->n_warn++] = 300;
    p->warn_s[p->n_warn++] = 60;
    memcpy(p->aws_user, "{user}", sizeof "{user}");
    memcpy(p->host, host, strlen(host) + 1);
    for (size_t i = 0; i < CLASSES_BUILT_IN; i++)
        memcpy(p->classes[p->n_classes++], CLASS_NAMES[i], strlen(CLASS_NAMES[i]) + 1);
    for (size_t i = 0; i < sizeof BUILT_IN / sizeof BUILT_IN[0]; i++) {
        struct service *s = &p->services[p->n_services++];

        memcpy(s->name, BUILT_IN[i].service, strlen(BUILT_IN[i].service) + 1);
        s->class = (uint8_t)BUILT_IN[i].class;
    }
}

int policy_class(const struct policy *p, const char *service)
{
    for (size_t i = 0; i < p->n_services; i++)
        if (strcmp(p->services[i].name, service) == 0)
            return p->services[i].class;
    return CLASS_NONE;
}

int policy_class_named(const struct policy *p, const char *class)
{
    for (size_t i = 0; i < p->n_classes; i++)
        if (strcmp(p->classes[i], class) == 0)
            return (int)i;
    return CLASS_NONE;
}

bool policy_names(const struct policy *p, const struct principals *set, const struct person *who,
                  const struct target *target)
{
    bool idc_counts = p->trust_idc_on_host || (target && target->kind == TARGET_AWS);

    return principals_meet(set, &who->is) || (idc_counts && principals_meet(set, &who->idc));
}

static const char PLACE[] = "{user}";

/* Where the local name goes in the template, and what comes behind it. */
static const char *place_of(const struct policy *p, const char **ret_rest)
{
    const char *at = p->aws_user;

    while (*at && strncmp(at, PLACE, sizeof PLACE - 1) != 0)
        at++;
    *ret_rest = at + (*at ? sizeof PLACE - 1 : 0);
    return at;
}

void policy_aws_name(const struct policy *p, const struct person *who, char out[AWS_USER_CAP])
{
    struct text t = text_over(out, AWS_USER_CAP);
    const char *rest, *place = place_of(p, &rest);

    for (size_t i = 0; i < p->n_aws_users; i++)
        if (strcmp(p->aws_users[i].user.text, who->name.text) == 0) {
            text_put(&t, p->aws_users[i].name);
            return;
        }
    text_put_n(&t, p->aws_user, (size_t)(place - p->aws_user));
    text_put(&t, who->name.text);
    text_put(&t, rest);
    if (t.cut)
        out[0] = '\0'; /* nobody is called so */
}

/* What stands in this name where the template has {user}, if it is of this template at all. */
static void read_template(const struct policy *p, const char *aws_name, struct name *ret)
{
    const char *rest, *place = place_of(p, &rest);
    size_t before = (size_t)(place - p->aws_user), all = strlen(aws_name), after = strlen(rest);
    struct text t = text_over(ret->text, sizeof ret->text);

    if (all <= before + after)
        return;
    text_put_n(&t, aws_name + before, all - before - after);
    if (t.cut || !text_is_name(ret->text, t.len))
        ret->text[0] = '\0';
}

void policy_local_name(const struct policy *p, const char *aws_name, struct name *ret)
{
    struct person who = {0};
    char back[AWS_USER_CAP];

    *ret = (struct name){0};
    for (size_t i = 0; i < p->n_aws_users; i++)
        if (strcmp(p->aws_users[i].name, aws_name) == 0) {
            *ret = p->aws_users[i].user;
            return;
        }
    read_template(p, aws_name, ret);
    who.name = *ret;
    policy_aws_name(p, &who, back);
    if (strcmp(back, aws_name) != 0) /* nobody here is called so there */
        *ret = (struct name){0};
}

bool policy_exempt(const struct policy *p, const struct person *who, int class)
{
    for (size_t i = 0; i < p->n_exempt; i++)
        if (class >= 0 && (p->exempt[i].classes & UINT32_C(1) << class) &&
            policy_names(p, &p->exempt[i].who, who, NULL))
            return true;
    return false;
}

/* An OU or root covers the accounts below it, at any depth. */
static bool covers(const struct directory *d, const struct target *pattern,
                   const struct target *target)
{
    struct target here = *pattern;

    if (!pattern_needs_directory(pattern))
        return pattern_covers(pattern, target);
    if (target->kind != TARGET_AWS || !directory_below(d, target->place, pattern->place))
        return false;
    memcpy(here.place, target->place, sizeof here.place);
    return pattern_covers(&here, target);
}

bool policy_patterns_cover(const struct policy *p, const struct directory *d, struct patterns run,
                           const struct target *target)
{
    for (size_t i = 0; i < run.count; i++)
        if (covers(d, &p->patterns[run.first + i], target))
            return true;
    return false;
}

/* ---- eligibility ---------------------------------------------------------------------------- */

int64_t policy_longest(const struct policy *p, const struct eligibility *e)
{
    return e->max_duration_s < p->max_duration_s ? e->max_duration_s : p->max_duration_s;
}

/* The policy that is worth naming: one that allows without approval, else one that allows, else the
 * one that comes nearest. The first in the file wins a tie. */
static bool names_better(const struct eligible *best, bool allowed, bool approval, int64_t max_s)
{
    if (!best->by)
        return true;
    if (allowed != best->allowed)
        return allowed;
    if (allowed)
        return best->approval_required && !approval;
    return max_s > best->max_s;
}

struct eligible policy_eligible(const struct policy *p, const struct directory *d,
                                const struct person *who, const struct target *target,
                                int64_t duration_s)
{
    struct eligible best = {0};

    for (size_t i = 0; i < p->n_eligibility; i++) {
        const struct eligibility *e = &p->eligibility[i];
        int64_t max_s = policy_longest(p, e);
        bool allowed = duration_s <= max_s;
        bool approval = p->approval && e->approval_required;

        if (!policy_names(p, &e->who, who, target) ||
            !policy_patterns_cover(p, d, e->targets, target))
            continue;
        if (names_better(&best, allowed, approval, max_s)) {
            best.by = e;
            best.allowed = allowed;
            best.approval_required = approval;
        }
        if (max_s > best.max_s)
            best.max_s = max_s;
        best.covered = true;
    }
    return best;
}

/* ---- approver rules ------------------------------------------------------------------------- */

bool policy_rule_applies(const struct policy *p, const struct directory *d,
                         const struct approvers *rule, const struct target *target,
                         const struct person *requester)
{
    if (!rule->for_all_requesters &&
        !(requester && policy_names(p, &rule->requesters, requester, target)))
        return false;
    return policy_patterns_cover(p, d, rule->targets, target);
}

bool policy_may_approve(const struct policy *p, const struct directory *d, const struct person *who,
                        const struct target *target, uint32_t requester_uid,
                        const struct person *requester)
{
    if (who->uid == requester_uid || who->uid == 0)
        return false;
    for (size_t i = 0; i < p->n_approvers; i++)
        if (policy_names(p, &p->approvers[i].who, who, target) &&
            policy_rule_applies(p, d, &p->approvers[i], target, requester))
            return true;
    return false;
}
