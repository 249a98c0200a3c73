/* team.conf: good files mean what they say, and the manual lists every key. */
#include "conf/schema.h"
#include "unit/config_rig.h"

/* ---- good files -------------------------------------------------------------------------------
 */

static bool is_in(const struct policy *p, const struct principals *set, uint8_t kind,
                  const char *name)
{
    for (size_t i = 0; i < p->n_principals; i++)
        if (p->principals[i].kind == kind && strcmp(p->principals[i].name, name) == 0)
            return set->bits[i / 64] >> i % 64 & 1;
    return false;
}

static size_t members(const struct principals *set)
{
    size_t n = 0;

    for (size_t i = 0; i < SIZE(set->bits); i++)
        n += (size_t)__builtin_popcountll(set->bits[i]);
    return n;
}

static void expect_pattern(const struct policy *p, struct patterns run, size_t i, const char *text)
{
    char have[TARGET_TEXT_CAP];

    assert_true(i < run.count);
    target_text(&p->patterns[run.first + i], have);
    assert_string_equal(have, text);
}

static void example_means_what_it_says(void **state)
{
    struct config *c;
    const struct policy *p;

    (void)state;
    need_root();
    c = load_good(EXAMPLE);
    p = &c->policy;
    assert_int_equal(members(&p->admins), 1);
    assert_true(is_in(p, &p->admins, PRINCIPAL_GROUP, "team-admins"));
    assert_int_equal(members(&p->auditors), 1);
    assert_true(is_in(p, &p->auditors, PRINCIPAL_GROUP, "security"));
    assert_int_equal(p->max_duration_s, 9 * 3600);
    assert_int_equal(p->pending_expiry_s, 3 * 3600);
    assert_true(p->approval);
    assert_false(p->require_ticket);
    assert_true(p->require_comment);
    assert_true(c->notify_terminals);
    assert_true(config_ticket_fits(c, "CHG-17"));
    assert_false(config_ticket_fits(c, "chg-17"));
    assert_string_equal(p->host, "bastion-1");
    assert_int_equal(p->n_exempt, 1);
    assert_true(is_in(p, &p->exempt[0].who, PRINCIPAL_USER, "ansible"));
    assert_int_equal(p->exempt[0].classes, 1 << CLASS_SUDO | 1 << CLASS_SSH);
    assert_int_equal(policy_class(p, "cockpit"), CLASS_LOGIN);
    assert_int_equal(policy_class(p, "login"), CLASS_LOGIN);
    assert_int_equal(p->n_services, 10);
    assert_int_equal(p->n_classes, CLASSES_BUILT_IN);
    assert_int_equal(c->policy.n_warn, 2);
    assert_int_equal(c->policy.warn_s[0], 300);
    assert_int_equal(c->policy.warn_s[1], 60);
    assert_int_equal(c->policy.grace_s, 10);
    assert_string_equal(c->cgroup, "auto");
    assert_int_equal(p->loginuid, LOGINUID_REQUIRE);
    assert_string_equal(c->policy.aws_user, "{user}");
    assert_false(c->policy.trust_idc_on_host);
    config_free(c);
}

static void example_policies_mean_what_they_say(void **state)
{
    struct config *c;
    const struct policy *p;
    const struct eligibility *e;
    const struct approvers *a;

    (void)state;
    need_root();
    c = load_good(EXAMPLE);
    p = &c->policy;
    e = &p->eligibility[0];
    a = &p->approvers[0];
    assert_int_equal(p->n_eligibility, 1);
    assert_string_equal(e->name.text, "sre");
    assert_int_equal(members(&e->who), 2);
    assert_true(is_in(p, &e->who, PRINCIPAL_USER, "alice"));
    assert_true(is_in(p, &e->who, PRINCIPAL_GROUP, "sre"));
    assert_int_equal(e->targets.count, 2);
    expect_pattern(p, e->targets, 0, "host:bastion-*/sudo");
    expect_pattern(p, e->targets, 1, "aws:ou-ab12-11111111/AdministratorAccess");
    assert_int_equal(e->max_duration_s, 4 * 3600);
    assert_true(e->approval_required);
    assert_string_equal(e->ticket, "CHG-1");
    assert_int_equal(p->n_approvers, 1);
    assert_string_equal(a->name.text, "leads");
    assert_int_equal(members(&a->who), 2);
    assert_true(is_in(p, &a->who, PRINCIPAL_USER, "bob"));
    assert_true(is_in(p, &a->who, PRINCIPAL_GROUP, "sre-leads"));
    assert_int_equal(a->targets.count, 2);
    expect_pattern(p, a->targets, 0, "host:*/*");
    expect_pattern(p, a->targets, 1, "aws:*/*");
    assert_int_equal(members(&a->requesters), 1);
    assert_true(is_in(p, &a->requesters, PRINCIPAL_GROUP, "sre"));
    assert_false(a->for_all_requesters);
    assert_int_equal(a->quorum, 1);
    assert_false(a->mandatory);
    /* one each of team-admins, security, ansible, alice, sre, bob, sre-leads */
    assert_int_equal(p->n_principals, 7);
    config_free(c);
}

static void every_key_other_than_its_default(void **state)
{
    struct config *c;
    const struct policy *p;

    (void)state;
    need_root();
    c = load_good(
        "settings: { admins = [\"bob\"]; auditors = (\"@idc:All Eyes\", \"@bob\"); max_duration = "
        "\"2d\"; pending_expiry = \"1h30m\"; approval = false; require_ticket = true; "
        "require_comment = false; notify_terminals = false; };\n"
        "host: { name = \"Jump\"; };\n"
        "identity: { loginuid = \"check\"; aws_user = \"{user}@example.com\"; "
        "trust_idc_on_host = true; };\n"
        "sessions: { warn = [\"1m\", \"1h\", \"5m\"]; grace = \"0s\"; cgroup = "
        "\"/sys/fs/cgroup/x\"; };\n"
        "gate: { classes = { db-1 = [\"psql\"]; ssh = [\"sshd-ask\"]; };\n"
        "  exempt = ( { who = [\"a\"]; classes = [\"su\"]; },\n"
        "    { who = [\"a\", \"@idc:Ops\"]; classes = [\"db-1\"]; } ); };\n"
        "eligibility = ( { name = \"on call\"; who = [\"@idc:Ops\"]; targets = "
        "[\"host:*/db-1\"]; approval_required = false; } );\n"
        "approvers = ( { name = \"two\"; who = [\"bob\", \"carol\"]; targets = "
        "[\"host:?/s*\"]; quorum = 2; mandatory = true; } );\n");
    p = &c->policy;
    assert_true(is_in(p, &p->admins, PRINCIPAL_USER, "bob"));
    assert_false(is_in(p, &p->admins, PRINCIPAL_GROUP, "bob"));
    assert_true(is_in(p, &p->auditors, PRINCIPAL_IDC_GROUP, "All Eyes"));
    assert_true(is_in(p, &p->auditors, PRINCIPAL_GROUP, "bob"));
    assert_false(is_in(p, &p->auditors, PRINCIPAL_USER, "bob"));
    assert_int_equal(p->max_duration_s, 2 * 86400);
    assert_int_equal(p->pending_expiry_s, 5400);
    assert_false(p->approval);
    assert_true(p->require_ticket);
    assert_false(p->require_comment);
    assert_false(c->notify_terminals);
    assert_string_equal(p->host, "Jump");
    assert_int_equal(p->loginuid, LOGINUID_CHECK);
    assert_string_equal(c->policy.aws_user, "{user}@example.com");
    assert_true(c->policy.trust_idc_on_host);
    assert_int_equal(c->policy.n_warn, 3);
    assert_int_equal(c->policy.warn_s[0], 3600);
    assert_int_equal(c->policy.warn_s[1], 300);
    assert_int_equal(c->policy.warn_s[2], 60);
    assert_int_equal(c->policy.grace_s, 0);
    assert_string_equal(c->cgroup, "/sys/fs/cgroup/x");
    assert_int_equal(policy_class_named(p, "db-1"), CLASSES_BUILT_IN);
    assert_int_equal(policy_class(p, "psql"), CLASSES_BUILT_IN);
    assert_int_equal(policy_class(p, "sshd-ask"), CLASS_SSH);
    assert_int_equal(p->n_exempt, 2);
    assert_int_equal(p->exempt[1].classes, 1 << CLASSES_BUILT_IN);
    assert_int_equal(p->eligibility[0].max_duration_s, p->max_duration_s);
    assert_false(p->eligibility[0].approval_required);
    assert_string_equal(p->eligibility[0].ticket, "");
    assert_int_equal(p->approvers[0].quorum, 2);
    assert_true(p->approvers[0].mandatory);
    assert_true(p->approvers[0].for_all_requesters);
    config_free(c);
}

static void aws_is_on_if_it_is_there(void **state)
{
    struct config *c;

    (void)state;
    need_root();
    c = load_good(
        "aws: { region = \"eu-west-1\"; };\n" ELIGIBLE(ALICE SUDO "approval_required = false;"));
    assert_true(c->policy.aws);
    assert_string_equal(c->aws.region, "eu-west-1");
    assert_string_equal(c->aws.identity_center_region, "eu-west-1");
    assert_int_equal(c->aws.refresh_s, 900);
    assert_string_equal(c->aws.portal_url, "");
    assert_int_equal(c->aws.n_activity, 0);
    config_free(c);
    c = load_good("aws: { };\n" ELIGIBLE(ALICE SUDO "approval_required = false;"));
    assert_true(c->policy.aws); /* its region is team-courier's to find */
    assert_string_equal(c->aws.region, "");
    assert_string_equal(c->aws.identity_center_region, "");
    config_free(c);
    c = load_good(
        "identity: { aws_users = ( { user = \"alice\"; name = \"alice@example.com\"; } ); };\n"
        "aws: { region = \"us-gov-west-1\"; identity_center_region = \"us-gov-east-1\";\n"
        "  refresh = \"1h\"; portal_url = \"https://x.awsapps.com/start\"; };\n" ELIGIBLE(
            ALICE SUDO "approval_required = false;"));
    assert_string_equal(c->aws.region, "us-gov-west-1");
    assert_string_equal(c->aws.identity_center_region, "us-gov-east-1");
    assert_int_equal(c->aws.refresh_s, 3600);
    assert_string_equal(c->aws.portal_url, "https://x.awsapps.com/start");
    assert_int_equal(c->policy.n_aws_users, 1);
    assert_string_equal(c->policy.aws_users[0].user.text, "alice");
    assert_string_equal(c->policy.aws_users[0].name, "alice@example.com");
    config_free(c);
}

static void activity_has_its_sources(void **state)
{
    const struct config_activity *a;
    struct config *c;

    (void)state;
    need_root();
    c = load_good("aws: { region = \"eu-west-1\"; activity = (\n"
                  "  { source = \"logs\"; log_group = \"" TRAIL "\"; external_id = \"x-1\";\n"
                  "    role = \"arn:aws:iam::111122223333:role/logs\"; },\n"
                  "  { source = \"lookup\"; regions = [\"eu-west-1\", \"us-east-1\"]; role = " EACH
                  "; },\n"
                  "  { source = \"lake\"; store = " STORE "; },\n"
                  "  { source = \"logs\"; log_group = \"/aws/trail\"; region = \"us-east-1\"; } ); "
                  "};\n" ELIGIBLE(ALICE SUDO "approval_required = false;"));
    a = c->aws.activity;
    assert_int_equal(c->aws.n_activity, 4);
    assert_int_equal(a[0].source, CONFIG_LOGS);
    assert_string_equal(a[0].log_group, TRAIL);
    assert_string_equal(a[0].region, "eu-central-1");
    assert_string_equal(a[0].role, "arn:aws:iam::111122223333:role/logs");
    assert_string_equal(a[0].external_id, "x-1");
    assert_int_equal(a[1].source, CONFIG_LOOKUP);
    assert_int_equal(a[1].n_regions, 2);
    assert_string_equal(a[1].regions[0], "eu-west-1");
    assert_string_equal(a[1].regions[1], "us-east-1");
    assert_string_equal(a[1].role, "arn:aws:iam::{account}:role/team-activity");
    assert_int_equal(a[2].source, CONFIG_LAKE);
    assert_string_equal(a[2].store, "12345678-90ab-cdef-1234-567890abcdef");
    assert_string_equal(a[2].region, "eu-west-1");
    assert_string_equal(a[2].role, "");
    assert_string_equal(a[3].log_group, "/aws/trail");
    assert_string_equal(a[3].region, "us-east-1");
    config_free(c);
}

/* The schema's defaults, those of the core, and DESIGN.md 6 are the same. */
static void defaults_are_those_of_the_core(void **state)
{
    static struct policy core;
    struct config *c = NULL;
    char hash[sizeof core.hash];

    (void)state;
    need_root();
    write_text("team.conf", "");
    assert_int_equal(load("team.conf", &c), 0);
    memset(&core, 0, sizeof core);
    policy_init(&core, "node-1");
    memcpy(hash, c->policy.hash, sizeof hash);
    memset(c->policy.hash, 0, sizeof hash);
    assert_memory_equal(&c->policy, &core, sizeof core);
    assert_int_equal(c->policy.max_duration_s, 9 * 3600);
    assert_int_equal(c->policy.pending_expiry_s, 3 * 3600);
    assert_true(c->policy.approval && c->policy.require_comment && !c->policy.require_ticket);
    assert_int_equal(c->policy.loginuid, LOGINUID_REQUIRE);
    assert_int_equal(c->policy.n_warn, 2);
    assert_int_equal(c->policy.grace_s, 10);
    assert_string_equal(c->cgroup, "auto");
    assert_string_equal(c->policy.aws_user, "{user}");
    assert_null(c->ticket);
    assert_false(c->policy.aws);
    config_free(c);
}

/* What looks like a quorum that cannot be reached, and can. */
static void reachable_quorums_are_good(void **state)
{
    static const char *const WHO[] = {
        "who = [\"alice\"]; requesters = [\"zoe\"];",
        "who = [\"alice\"]; requesters = [\"alice\", \"zoe\"];",
        "who = [\"alice\"]; requesters = [\"alice\", \"@sre\"];",
        "who = [\"alice\", \"bob\"]; requesters = [\"alice\", \"bob\"];",
        "who = [\"alice\", \"@sre\"]; quorum = 9;",
        "who = [\"alice\", \"bob\"]; quorum = 2;",
    };

    (void)state;
    need_root();
    for (size_t i = 0; i < SIZE(WHO); i++) {
        char text[512];

        snprintf(text, sizeof text, "%sapprovers = ( { name = \"a\"; " SUDO "%s } );",
                 ELIGIBLE(ALICE SUDO FREE), WHO[i]);
        config_free(load_good(text));
    }
}

static void node_name_has_to_fit(void **state)
{
    static const char LONG[] = T128;
    static const char *const BAD[] = {"", "a b", "a/b", "-x", LONG};
    struct config *c = NULL;

    (void)state;
    need_root();
    for (size_t i = 0; i < SIZE(BAD); i++) {
        memset(&said, 0, sizeof said);
        write_text("team.conf", "");
        assert_int_equal(config_load(in_dir("team.conf"), BAD[i], hear, &said, &c), -EINVAL);
        assert_non_null(strstr(said.text, "team.conf: host.name must be given: the node name \""));
        memset(&said, 0, sizeof said);
        write_text("team.conf", "host: { name = \"good\"; };");
        assert_int_equal(config_load(in_dir("team.conf"), BAD[i], hear, &said, &c), 0);
        assert_string_equal(c->policy.host, "good");
        c = config_free(c);
    }
}

static void tickets_match_as_a_whole(void **state)
{
    static const struct {
        const char *pattern, *ticket;
        bool required, fits;
    } ROWS[] = {
        {"", "", false, true},
        {"", "", true, false},
        {"[A-Z]+", "", true, false},
        {"[A-Z]+", "", false, true},
        {".*", "", true, false},
        {"", "anything goes", true, true},
        {"", T128, false, false},
        {"", "a\x1b[2J", false, false},
        {".*", "a\nb", false, false},
        {"CHG-[0-9]+", "CHG-1", true, true},
        {"CHG-[0-9]+", "xCHG-1", true, false},
        {"CHG-[0-9]+", "CHG-1x", true, false},
        {"^CHG-[0-9]+$", "CHG-12", true, true},
        {"^CHG|INC$", "CHG", true, true},
        {"^CHG|INC$", "CHG-evil", true, false},
        {"a|ab", "ab", true, true},
        {"a)|b", "xb", true, false},
        {"a)|b", "b", true, true},
    };

    (void)state;
    need_root();
    for (size_t i = 0; i < SIZE(ROWS); i++) {
        char text[512];
        struct config *c;

        snprintf(text, sizeof text,
                 "settings: { ticket_pattern = \"%s\"; require_ticket = %s; };\n%s",
                 ROWS[i].pattern, ROWS[i].required ? "true" : "false", ELIGIBLE(ALICE SUDO FREE));
        c = load_good(text);
        if (config_ticket_fits(c, ROWS[i].ticket) != ROWS[i].fits)
            fail_msg("pattern \"%s\", ticket \"%s\"", ROWS[i].pattern, ROWS[i].ticket);
        config_free(c);
    }
}

static void policy_is_named_by_its_text(void **state)
{
    /* printf '# nothing\n' | b2sum -l 256 */
    static const char NOTHING[] =
        "f409ca4d7a5860c12eafdb30d17ed0adc7e5cd53bb422d39bed11135e1a14cce";
    struct config *c = NULL;
    char before[65];

    (void)state;
    need_root();
    write_text("team.conf", "# nothing\n");
    assert_int_equal(load("team.conf", &c), 0);
    assert_string_equal(c->policy.hash, NOTHING);
    c = config_free(c);

    write_text("part.conf", "# one\n");
    write_text("team.conf", "@include \"part.conf\"\n");
    assert_int_equal(load("team.conf", &c), 0);
    memcpy(before, c->policy.hash, sizeof before);
    c = config_free(c);
    write_text("part.conf", "# two\n");
    assert_int_equal(load("team.conf", &c), 0);
    assert_string_not_equal(c->policy.hash, before);
    config_free(c);
}

static const char *shipped(void)
{
    static char text[64 * 1024];
    FILE *f = fopen("conf/team.conf", "r");

    assert_non_null(f);
    text[fread(text, 1, sizeof text - 1, f)] = '\0';
    fclose(f);
    return text;
}

static void shipped_configuration_is_good(void **state)
{
    struct config *c;

    (void)state;
    need_root();
    c = load_good(shipped());
    assert_int_equal(c->policy.n_eligibility, 1);
    assert_true(c->policy.eligibility[0].approval_required);
    config_free(c);
}

/* Does a comment hold what counts without its sign? */
static bool is_setting(const char *s)
{
    size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyz_");

    return strchr("{})", s[0]) || (n > 0 && (s[n] == ':' || strncmp(s + n, " =", 2) == 0));
}

static void shipped_comments_are_good(void **state)
{
    char text[64 * 1024];
    struct config *c;

    (void)state;
    need_root();
    snprintf(text, sizeof text, "%s", shipped());
    for (char *line = text; line; line = strchr(line, '\n')) {
        line += strspn(line, "\n ");
        if (line[0] == '#' && is_setting(line + 1 + strspn(line + 1, " ")))
            line[0] = ' ';
    }
    c = load_good(text);
    assert_true(c->policy.aws);
    assert_string_equal(c->policy.aws_user, "{user}@example.com");
    assert_int_equal(c->aws.n_activity, 2);
    config_free(c);
}

static void shipped_configuration_has_all_keys(void **state)
{
    (void)state;
    for (size_t i = 0; i < SCHEMA_LEN; i++) {
        const char *dot = strrchr(SCHEMA[i].path, '.');

        if (!strstr(shipped(), dot ? dot + 1 : SCHEMA[i].path))
            fail_msg("%s is not in conf/team.conf", SCHEMA[i].path);
    }
}

/* ---- the manual -------------------------------------------------------------------------------
 */

static void put_quoted(struct text *t, const char *s)
{
    for (; *s; s++)
        if (*s == '"')
            text_put(t, "\\(dq");
        else
            text_put_n(t, s, 1);
}

/* What team.conf(5) has to say of a key. */
static void put_entry(struct text *t, const struct key *k)
{
    bool section = !strchr(k->path, '.') && k->type->shape == SHAPE_GROUP;

    text_put(t, ".It Ic ");
    text_put(t, k->path);
    text_put(t, " : Ar ");
    text_put(t, k->type->word);
    text_put(t, "\n");
    text_put(t, k->doc);
    text_put(t, "\n");
    if (!k->def) {
        text_put(t, "It must be given.\n");
    } else if (k->def[0] && !section) {
        text_put(t, "The default is\n.Ql ");
        put_quoted(t, k->def);
        text_put(t, " .\n");
    }
}

static void manual_lists_the_keys_of_the_schema(void **state)
{
    static const char BEGIN[] = ".\\\" keys: as teamd/conf/schema.c has them\n";
    static const char END[] = ".\\\" end of keys\n";
    static char page[64 * 1024], wanted[32 * 1024];
    struct text t = text_over(wanted, sizeof wanted);
    FILE *f = fopen("teamd/conf/team.conf.5", "r");
    char *begin, *end;

    (void)state;
    for (size_t i = 0; i < SCHEMA_LEN; i++)
        put_entry(&t, &SCHEMA[i]);
    assert_false(t.cut);
    assert_non_null(f);
    page[fread(page, 1, sizeof page - 1, f)] = '\0';
    fclose(f);
    begin = strstr(page, BEGIN);
    end = strstr(page, END);
    assert_true(begin && end && begin < end);
    *end = '\0';
    if (strcmp(begin + strlen(BEGIN), wanted) == 0)
        return;
    fprintf(stderr, "teamd/conf/team.conf.5 must list:\n%s", wanted);
    fail();
}

/* ---- all of it --------------------------------------------------------------------------------
 */

static const struct CMUnitTest TESTS[] = {
    {"DESIGN's example means what it says", example_means_what_it_says, NULL, NULL, NULL},
    {"the policies of DESIGN's example mean what they say", example_policies_mean_what_they_say,
     NULL, NULL, NULL},
    {"every key is read when it is not its default", every_key_other_than_its_default, NULL, NULL,
     NULL},
    {"the defaults are those of the core", defaults_are_those_of_the_core, NULL, NULL, NULL},
    {"a quorum that can be reached is good", reachable_quorums_are_good, NULL, NULL, NULL},
    {"a node name that is no host's name is refused, unless host.name is given",
     node_name_has_to_fit, NULL, NULL, NULL},
    {"a ticket pattern matches whole tickets", tickets_match_as_a_whole, NULL, NULL, NULL},
    {"the hash is that of the text with its includes", policy_is_named_by_its_text, NULL, NULL,
     NULL},
    {"the shipped team.conf is good and needs approval", shipped_configuration_is_good, NULL, NULL,
     NULL},
    {"so it is with what is commented out", shipped_comments_are_good, NULL, NULL, NULL},
    {"the shipped team.conf has every key", shipped_configuration_has_all_keys, NULL, NULL, NULL},
    {"AWS is on if its section is there", aws_is_on_if_it_is_there, NULL, NULL, NULL},
    {"activity has its sources", activity_has_its_sources, NULL, NULL, NULL},
    {"the manual lists the keys of the schema", manual_lists_the_keys_of_the_schema, NULL, NULL,
     NULL},
};

int main(void)
{
    for (size_t i = 0; i < SIZE(TESTS); i++)
        all[n_all++] = TESTS[i];
    return _cmocka_run_group_tests("config, good", all, n_all, set_up, tear_down);
}
