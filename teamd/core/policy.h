/* The policy: what the configuration says, and the questions that can be asked of it. Deny unless
 * allowed. Immutable once loaded; a reload makes a new one and swaps the pointer. Built by conf/.
 */
#pragma once

#include "core/directory.h"

enum {
    PATTERNS_MAX = 2048, /* of all policies together */
    RULES_MAX = 512,     /* eligibility policies, and as many approver policies */
    CLASSES_MAX = 16,
    SERVICES_MAX = 64,
    EXEMPTS_MAX = 64,
    WARN_MOMENTS_MAX = 8,
    WARNINGS_MAX = 4,
    AWS_USERS_MAX = 2048, /* that are named one by one */
    AWS_USER_CAP = 129,   /* UserName of Identity Center: at most 128 */
};

/* The built-in service classes (DESIGN.md 2). Those that gate.classes adds come after them. */
enum service_class {
    CLASS_SUDO = 0,
    CLASS_SU = 1,
    CLASS_SSH = 2,
    CLASS_LOGIN = 3,
    CLASSES_BUILT_IN = 4
};
#define CLASS_NONE (-1)

enum principal_kind { PRINCIPAL_USER = 1, PRINCIPAL_GROUP = 2, PRINCIPAL_IDC_GROUP = 3 };

/* Somebody or some group that the configuration names: alice, @sre, @idc:Cloud Admins. */
struct principal {
    uint8_t kind;
    char name[128];
};

/* A run of `policy.patterns`. */
struct patterns {
    uint16_t first;
    uint16_t count;
};

struct eligibility {
    struct name name;
    struct principals who;
    struct patterns targets;
    int64_t max_duration_s;
    bool approval_required;
    char ticket[NAME_CAP + 1]; /* the change that made this policy: shown, never matched */
};

struct approvers {
    struct name name;
    struct principals who;
    struct patterns targets;
    struct principals requesters;
    bool for_all_requesters; /* `requesters` is absent */
    uint32_t quorum;
    bool mandatory;
};

struct exempt {
    struct principals who;
    uint32_t classes; /* bit per class */
};

struct service {
    char name[WORD_CAP];
    uint8_t class;
};

/* A local user whom the template for names in Identity Center does not fit. */
struct aws_user {
    struct name user;
    char name[AWS_USER_CAP];
};

enum loginuid_rule { LOGINUID_REQUIRE = 1, LOGINUID_CHECK = 2 };

struct policy {
    /* settings */
    struct principals admins, auditors;
    int64_t max_duration_s; /* hard cap for everybody */
    int64_t pending_expiry_s;
    bool approval;
    bool require_ticket;
    bool require_comment;
    uint8_t loginuid;                 /* enum loginuid_rule */
    int64_t grace_s;                  /* sessions: from TERM to the kill */
    int64_t warn_s[WARN_MOMENTS_MAX]; /* warnings before the end, longest first */
    uint16_t n_warn;
    /* Identity Center */
    bool aws;                    /* AWS can be asked for */
    bool trust_idc_on_host;      /* its groups count for targets on hosts, too */
    char aws_user[AWS_USER_CAP]; /* how a local user is called there; {user} stands for them */
    char host[HOST_CAP];
    char hash[65]; /* of the configuration's text, in hex: names this policy in the audit trail */

    uint16_t n_principals, n_patterns, n_eligibility, n_approvers, n_exempt, n_classes, n_services,
        n_aws_users;
    struct principal principals[PRINCIPALS_MAX];
    struct target patterns[PATTERNS_MAX];
    struct eligibility eligibility[RULES_MAX];
    struct approvers approvers[RULES_MAX];
    struct exempt exempt[EXEMPTS_MAX];
    char classes[CLASSES_MAX][WORD_CAP];
    struct service services[SERVICES_MAX];
    struct aws_user aws_users[AWS_USERS_MAX];
};

/* Fills in the defaults of DESIGN.md 6 and the built-in classes and services. `p` must be all zero.
 */
void policy_init(struct policy *p, const char *host);

/* The class of a PAM service, or CLASS_NONE: such a service is denied. */
int policy_class(const struct policy *p, const char *service);

/* The class with this name, or CLASS_NONE. */
int policy_class_named(const struct policy *p, const char *class);

/* Does the set name this person? Groups of Identity Center count for AWS targets (NULL: a host),
 * and for hosts only where the policy trusts them. */
bool policy_names(const struct policy *p, const struct principals *set, const struct person *who,
                  const struct target *target);

/* How this person is called in Identity Center. */
void policy_aws_name(const struct policy *p, const struct person *who, char out[AWS_USER_CAP]);

/* And the other way round: whom of this host Identity Center calls so, if there is such a person;
 * "" if nobody can be called so. */
void policy_local_name(const struct policy *p, const char *aws_name, struct name *ret);

bool policy_exempt(const struct policy *p, const struct person *who, int class);

/* ---- may this person have this target for so long? ------------------------------------------ */

/* The answer for one target. One eligibility policy by itself has to cover person, target and
 * duration (never mixed from several). */
struct eligible {
    bool covered;           /* some policy covers person and target */
    bool allowed;           /* ... and the duration */
    bool approval_required; /* no policy that allows it goes without */
    int64_t max_s;          /* the longest that any policy, capped by settings, allows here */
    const struct eligibility
        *by; /* the policy that decided: allowing without approval if there is one,
                else allowing, else the one with the longest duration; or NULL */
};

struct eligible policy_eligible(const struct policy *p, const struct directory *d,
                                const struct person *who, const struct target *target,
                                int64_t duration_s);

/* The longest that this policy allows, capped by settings. */
int64_t policy_longest(const struct policy *p, const struct eligibility *e);

/* ---- approver rules ------------------------------------------------------------------------- */

/* Does this rule say who approves this target for this requester? A requester whom nobody knows
 * (NULL) is under the rules for all requesters only. */
bool policy_rule_applies(const struct policy *p, const struct directory *d,
                         const struct approvers *rule, const struct target *target,
                         const struct person *requester);

/* May this person approve this target for this requester, going by the rules alone? Never for their
 * own uid. */
bool policy_may_approve(const struct policy *p, const struct directory *d, const struct person *who,
                        const struct target *target, uint32_t requester_uid,
                        const struct person *requester);

static inline bool policy_is_admin(const struct policy *p, const struct person *who)
{
    return principals_meet(&p->admins, &who->is);
}

static inline bool policy_is_auditor(const struct policy *p, const struct person *who)
{
    return policy_names(p, &p->auditors, who, NULL);
}

bool policy_patterns_cover(const struct policy *p, const struct directory *d, struct patterns run,
                           const struct target *target);
