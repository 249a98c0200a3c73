/* The questions to the policy: classes, exemptions, eligibility, approver rules. */
#include "stage.h"

#include <setjmp.h>

#include <cmocka.h>

#define COUNT(a) (sizeof(a) / sizeof(a)[0])

static struct stage stage; /* for its cast */
static struct policy policy;

static int set(void **state)
{
    (void)state;
    memcpy(stage.cast, THE_CAST, sizeof THE_CAST);
    return 0;
}

static struct person person(const char *name)
{
    const struct member *m = member_named(&stage, name);

    if (!m)
        abort();
    return person_of(&stage, &policy, m);
}

static struct target target(const char *s)
{
    struct target t;

    assert_int_equal(target_parse(s, strlen(s), STAGE_HOST, &t), TARGET_OK);
    return t;
}

/* ---- defaults and classes ------------------------------------------------------------------- */

static void an_empty_policy_has_the_defaults_of_the_contract(void **state)
{
    (void)state;
    memset(&policy, 0, sizeof policy);
    policy_init(&policy, "bastion-1");
    assert_int_equal(policy.max_duration_s, 9 * 3600);
    assert_int_equal(policy.pending_expiry_s, 3 * 3600);
    assert_true(policy.approval);
    assert_true(policy.require_comment);
    assert_false(policy.require_ticket);
    assert_int_equal(policy.loginuid, LOGINUID_REQUIRE);
    assert_string_equal(policy.host, "bastion-1");
    assert_int_equal(policy.n_eligibility + policy.n_approvers + policy.n_exempt, 0);
}

static void services_are_in_the_classes_of_the_contract(void **state)
{
    static const struct {
        const char *service;
        int class;
    } CASES[] = {{"sudo", CLASS_SUDO},    {"sudo-i", CLASS_SUDO}, {"su", CLASS_SU},
                 {"su-l", CLASS_SU},      {"runuser", CLASS_SU},  {"runuser-l", CLASS_SU},
                 {"polkit-1", CLASS_SU},  {"sshd", CLASS_SSH},    {"login", CLASS_LOGIN},
                 {"cron", CLASS_NONE},    {"", CLASS_NONE},       {"SUDO", CLASS_NONE},
                 {"sudo-ii", CLASS_NONE}, {"cockpit", 4}};

    (void)state;
    policy_read(&policy, "class cockpit\n");
    for (size_t i = 0; i < COUNT(CASES); i++)
        if (policy_class(&policy, CASES[i].service) != CASES[i].class)
            fail_msg("%s", CASES[i].service);
    assert_int_equal(policy_class_named(&policy, "ssh"), CLASS_SSH);
    assert_int_equal(policy_class_named(&policy, "cockpit"), 4);
    assert_int_equal(policy_class_named(&policy, "sshd"), CLASS_NONE);
}

static void exemptions_are_per_person_and_class(void **state)
{
    static const struct {
        const char *who;
        int class;
        bool exempt;
    } CASES[] = {
        {"erin", CLASS_SUDO, true}, {"erin", CLASS_SSH, true},   {"erin", CLASS_SU, false},
        {"bob", CLASS_SU, true},    {"carol", CLASS_SU, true},   {"bob", CLASS_SUDO, false},
        {"alice", CLASS_SU, false}, {"erin", CLASS_NONE, false}, {"alicia", CLASS_SSH, false},
    };

    (void)state;
    policy_read(&policy, "exempt erin sudo,ssh\nexempt @leads su\n");
    for (size_t i = 0; i < COUNT(CASES); i++) {
        struct person who = person(CASES[i].who);

        if (policy_exempt(&policy, &who, CASES[i].class) != CASES[i].exempt)
            fail_msg("%s, class %d", CASES[i].who, CASES[i].class);
    }
}

/* ---- eligibility ---------------------------------------------------------------------------- */

#define H INT64_C(3600)

static const struct {
    const char *says, *policy, *who, *target;
    int64_t duration_s;
    bool covered, allowed, approval;
    int64_t max_s;
    const char *by;
} ELIGIBLE[] = {
    {"an empty policy allows nothing", "", "alice", "sudo", H, false, false, false, 0, NULL},
    {"a policy that covers person, target and duration allows", "may a alice host:*/sudo 4h",
     "alice", "sudo", 4 * H, true, true, true, 4 * H, "a"},
    {"a second more is too long", "may a alice host:*/sudo 4h", "alice", "sudo", 4 * H + 1, true,
     false, true, 4 * H, "a"},
    {"another person", "may a bob host:*/sudo 4h", "alice", "sudo", H, false, false, false, 0,
     NULL},
    {"another target", "may a alice host:*/su 4h", "alice", "sudo", H, false, false, false, 0,
     NULL},
    {"any of its targets", "may a alice host:*/su,host:*/sudo 4h", "alice", "sudo", H, true, true,
     true, 4 * H, "a"},
    {"by a group", "may a @sre host:*/sudo 4h", "alice", "sudo", H, true, true, true, 4 * H, "a"},
    {"a group of the same name as a person is not the person", "may a @alice host:*/sudo 4h",
     "alice", "sudo", H, false, false, false, 0, NULL},
    {"of two that allow, the one without approval",
     "may a alice host:*/sudo 4h\n"
     "may b alice host:*/sudo 2h free",
     "alice", "sudo", H, true, true, false, 4 * H, "b"},
    {"whatever their order", "may b alice host:*/sudo 2h free\nmay a alice host:*/sudo 4h", "alice",
     "sudo", H, true, true, false, 4 * H, "b"},
    {"without approval only as far as it allows",
     "may b alice host:*/sudo 2h free\n"
     "may a alice host:*/sudo 4h",
     "alice", "sudo", 3 * H, true, true, true, 4 * H, "a"},
    {"whatever their order, again", "may a alice host:*/sudo 4h\nmay b alice host:*/sudo 2h free",
     "alice", "sudo", 3 * H, true, true, true, 4 * H, "a"},
    {"if all are too short, the longest is named",
     "may a alice host:*/sudo 1h\n"
     "may b alice host:*/sudo 2h\nmay c alice host:*/sudo 2h",
     "alice", "sudo", 3 * H, true, false, true, 2 * H, "b"},
    {"the first of equals is named", "may a alice host:*/sudo 4h\nmay b alice host:*/sudo 4h",
     "alice", "sudo", H, true, true, true, 4 * H, "a"},
    {"the first of equals without approval, too",
     "may a alice host:*/sudo 4h free\nmay b alice host:*/sudo 4h free", "alice", "sudo", H, true,
     true, false, 4 * H, "a"},
    {"the settings cap all", "set max 1h\nmay a alice host:*/sudo 4h", "alice", "sudo", 2 * H, true,
     false, true, H, "a"},
    {"the settings do without approval", "set approval no\nmay a alice host:*/sudo 4h", "alice",
     "sudo", H, true, true, false, 4 * H, "a"},
    {"an account in AWS", "may a alice aws:1111*/Read* 1h", "alice", "aws:111122223333/ReadOnly", H,
     true, true, true, H, "a"},
};

static void who_may_have_what(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(ELIGIBLE); i++) {
        struct person who;
        struct target t = target(ELIGIBLE[i].target);
        struct eligible e;

        policy_read(&policy, ELIGIBLE[i].policy);
        who = person(ELIGIBLE[i].who);
        e = policy_eligible(&policy, NULL, &who, &t, ELIGIBLE[i].duration_s);
        if (e.covered != ELIGIBLE[i].covered || e.allowed != ELIGIBLE[i].allowed ||
            e.approval_required != ELIGIBLE[i].approval || e.max_s != ELIGIBLE[i].max_s ||
            !e.by != !ELIGIBLE[i].by || (e.by && strcmp(e.by->name.text, ELIGIBLE[i].by) != 0))
            fail_msg("%s: %d %d %d %ld %s", ELIGIBLE[i].says, e.covered, e.allowed,
                     e.approval_required, (long)e.max_s, e.by ? e.by->name.text : "none");
    }
}

static void another_policy_never_takes_away(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(ELIGIBLE); i++)
        for (size_t j = 0; j < COUNT(ELIGIBLE); j++) {
            static char both[1024];
            struct person who;
            struct target t = target(ELIGIBLE[i].target);
            struct eligible e;

            if (!ELIGIBLE[i].allowed || strstr(ELIGIBLE[j].policy, "set"))
                continue;
            snprintf(both, sizeof both, "%s\n%s", ELIGIBLE[i].policy, ELIGIBLE[j].policy);
            policy_read(&policy, both);
            who = person(ELIGIBLE[i].who);
            e = policy_eligible(&policy, NULL, &who, &t, ELIGIBLE[i].duration_s);
            if (!e.allowed || e.max_s < ELIGIBLE[i].max_s ||
                (e.approval_required && !ELIGIBLE[i].approval))
                fail_msg("%s, and %s", ELIGIBLE[i].says, ELIGIBLE[j].says);
        }
}

static void what_is_longest_is_capped(void **state)
{
    (void)state;
    policy_read(&policy, "set max 2h\nmay a alice host:*/sudo 4h\nmay b alice host:*/sudo 1h\n");
    assert_int_equal(policy_longest(&policy, &policy.eligibility[0]), 2 * H);
    assert_int_equal(policy_longest(&policy, &policy.eligibility[1]), H);
}

/* ---- approver rules ------------------------------------------------------------------------- */

static const struct {
    const char *says, *policy, *who, *requester, *target;
    bool may;
} APPROVE[] = {
    {"an approver may", "rule a bob host:*/*", "bob", "alice", "sudo", true},
    {"somebody else may not", "rule a bob host:*/*", "carol", "alice", "sudo", false},
    {"without rules nobody may", "", "bob", "alice", "sudo", false},
    {"a member of the group may", "rule a @leads host:*/*", "carol", "alice", "sudo", true},
    {"nobody may for themselves", "rule a alice host:*/*", "alice", "alice", "sudo", false},
    {"nobody may for their other account", "rule a alicia host:*/*", "alicia", "alice", "sudo",
     false},
    {"nobody may for themselves through a group", "rule a @sre host:*/*", "alice", "alice", "sudo",
     false},
    {"root may not", "rule a root host:*/*", "root", "alice", "sudo", false},
    {"another target", "rule a bob host:*/su", "bob", "alice", "sudo", false},
    {"a rule of the requester", "rule a bob host:*/* of alice", "bob", "alice", "sudo", true},
    {"a rule of the requester's group", "rule a bob host:*/* of @sre", "bob", "alice", "sudo",
     true},
    {"a rule of others", "rule a bob host:*/* of @leads", "bob", "alice", "sudo", false},
    {"a second rule", "rule a carol host:*/*\nrule b bob host:*/*", "bob", "alice", "sudo", true},
    {"a rule of others, and the target of another",
     "rule a bob host:*/* of dave\n"
     "rule b bob host:*/su of alice",
     "bob", "alice", "sudo", false},
};

static void who_may_approve_whom(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(APPROVE); i++) {
        struct target t = target(APPROVE[i].target);
        struct person who, asks;

        policy_read(&policy, APPROVE[i].policy);
        who = person(APPROVE[i].who);
        asks = person(APPROVE[i].requester);
        if (policy_may_approve(&policy, NULL, &who, &t, asks.uid, &asks) != APPROVE[i].may)
            fail_msg("%s", APPROVE[i].says);
    }
}

static void a_requester_whom_nobody_knows_is_under_the_rules_for_all(void **state)
{
    struct target t = target("sudo");
    struct person bob;

    (void)state;
    policy_read(&policy, "rule all bob host:*/*\nrule some bob host:*/* of alice\n");
    bob = person("bob");
    assert_true(policy_rule_applies(&policy, NULL, &policy.approvers[0], &t, NULL));
    assert_false(policy_rule_applies(&policy, NULL, &policy.approvers[1], &t, NULL));
    assert_true(policy_may_approve(&policy, NULL, &bob, &t, 4242, NULL));
    policy_read(&policy, "rule some bob host:*/* of alice\n");
    bob = person("bob");
    assert_false(policy_may_approve(&policy, NULL, &bob, &t, 4242, NULL));
}

static void admins_and_auditors_are_who_the_settings_name(void **state)
{
    struct person grace, frank, alice;

    (void)state;
    policy_read(&policy, "admins @admins\nauditors frank\n");
    grace = person("grace");
    frank = person("frank");
    alice = person("alice");
    assert_true(policy_is_admin(&policy, &grace));
    assert_false(policy_is_admin(&policy, &frank));
    assert_true(policy_is_auditor(&policy, &frank));
    assert_false(policy_is_auditor(&policy, &alice));
}

/* Of these the gate is told whom the login is of; sudo and su speak for who runs them. */
static void sudo_and_su_are_no_logins(void **state)
{
    static const struct {
        const char *service;
        bool logs_in;
    } ROWS[] = {{"sudo", false}, {"sudo-i", false}, {"su", false},
                {"su-l", false}, {"sshd", true},    {"login", true}};

    (void)state;
    policy_read(&policy, "");
    for (size_t i = 0; i < COUNT(ROWS); i++)
        assert_int_equal(gate_logs_in(&policy, &(struct gate_ask){.service = ROWS[i].service}),
                         ROWS[i].logs_in);
}

/* ---- names in Identity Center --------------------------------------------------------------- */

static void names_of_identity_center_lead_back(void **state)
{
    static const struct {
        const char *template, *aws_name, *local;
    } ROWS[] = {
        {"{user}", "alice", "alice"},
        {"{user}@x.org", "alice@x.org", "alice"},
        {"{user}@x.org", "alice@y.org", ""},
        {"{user}@x.org", "@x.org", ""},
        {"{user}@x.org", "x.org", ""},
        {"co-{user}.{x}", "co-alice.{x}", "alice"},
        {"co-{user}.{x}", "c-alicee.{x}", ""},
        {"x-", "x-alice", "alice"},
        {"x-", "x-", ""},
        {"{user}@x.org", "al ice@x.org", ""},
        {"{user}@x.org", "d.z", "dave"},    /* of the map */
        {"{user}@x.org", "dave@x.org", ""}, /* who is called otherwise */
        {"{user}", "a123456789012345678901234567890123456789012345678901234567890123", ""},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(ROWS); i++) {
        static struct policy p;
        struct name name;

        memset(&p, 0, sizeof p);
        memset(p.aws_user, '?', sizeof p.aws_user - 1); /* behind the end nothing counts */
        snprintf(p.aws_user, sizeof p.aws_user, "%s", ROWS[i].template);
        p.n_aws_users = 2;
        snprintf(p.aws_users[0].user.text, NAME_CAP, "erin");
        snprintf(p.aws_users[0].name, AWS_USER_CAP, "e.z");
        snprintf(p.aws_users[1].user.text, NAME_CAP, "dave");
        snprintf(p.aws_users[1].name, AWS_USER_CAP, "d.z");
        policy_local_name(&p, ROWS[i].aws_name, &name);
        assert_string_equal(name.text, ROWS[i].local);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_policy_has_the_defaults_of_the_contract),
        cmocka_unit_test(services_are_in_the_classes_of_the_contract),
        cmocka_unit_test(exemptions_are_per_person_and_class),
        cmocka_unit_test(who_may_have_what),
        cmocka_unit_test(another_policy_never_takes_away),
        cmocka_unit_test(what_is_longest_is_capped),
        cmocka_unit_test(who_may_approve_whom),
        cmocka_unit_test(a_requester_whom_nobody_knows_is_under_the_rules_for_all),
        cmocka_unit_test(admins_and_auditors_are_who_the_settings_name),
        cmocka_unit_test(sudo_and_su_are_no_logins),
        cmocka_unit_test(names_of_identity_center_lead_back),
    };

    return cmocka_run_group_tests(tests, set, NULL);
}
