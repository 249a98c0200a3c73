/* The directory: what is asked of AWS, and which rows come out of its answers. */
#include "aws/fake_aws.h"

#include "courier/directory_parts.h"

#include "team/text.h"

#define INSTANCE "arn:aws:sso:::instance/ssoins-1111222233334444"
#define SET(n)   "arn:aws:sso:::permissionSet/ssoins-1111222233334444/ps-000000000000000" n

/* ---- rows as text -----------------------------------------------------------------------------
 */

static char told_buffer[8192];
static struct text told;
static bool over;
static unsigned parts_told;
static struct directory_sync *sync_now;
static const char *free_at; /* the row at which everything is dropped */

static void tell(const char *a, const char *b, const char *c, const char *d)
{
    const char *words[] = {a, b, c, d};

    for (size_t i = 0; i < 4; i++) {
        if (i > 0 && words[i][0])
            text_put(&told, " ");
        text_put(&told, words[i]);
    }
    text_put(&told, "\n");
}

static void on_row(void *ctx, const struct directory_row *row)
{
    static const char *const KINDS[] = {"", "unit", "account", "set", "user", "group", "member"};
    char extra[32] = "";
    const char *id = row->id;

    (void)ctx;
    if (row->kind == DIRECTORY_ACCOUNT && row->state == AWS_ACCOUNT_SUSPENDED)
        snprintf(extra, sizeof extra, "suspended");
    if (row->kind == DIRECTORY_SET) {
        snprintf(extra, sizeof extra, "%lld%s%s", (long long)row->session_s,
                 row->managed == DIRECTORY_MANAGED           ? " managed"
                 : row->managed == DIRECTORY_MANAGED_UNKNOWN ? " managed?"
                                                             : "",
                 row->unchanged ? " unchanged" : "");
        id = row->id + strlen(row->id) - 1;
    }
    tell(KINDS[row->kind], id, row->parent, row->name);
    if (extra[0]) {
        told.len--; /* the line goes on */
        text_put(&told, " ");
        text_put(&told, extra);
        text_put(&told, "\n");
    }
    if (free_at && strcmp(free_at, row->id) == 0) {
        sync_now = directory_sync_free(sync_now);
        over = true;
    }
}

static void on_part(void *ctx, enum directory_part part, const struct aws_failure *failure,
                    uint32_t left_out)
{
    char text[AWS_FAILURE_CAP];

    (void)ctx;
    parts_told |= part;
    if (failure) {
        aws_failure_text(failure, text);
        tell("failed:", text, "", "");
    }
    if (left_out > 0)
        tell("left out", left_out == 1 ? "1" : "more", "", "");
}

static void on_done(void *ctx)
{
    (void)ctx;
    over = true;
}

static bool on_known(void *ctx, const char *set)
{
    return strcmp(ctx, set) == 0;
}

static bool on_wanted(void *ctx, const char *group, const char *name)
{
    (void)ctx;
    assert_true(group[0]);
    return strcmp(name, "SRE") == 0;
}

static const struct aws_place PLACE = {.account = "555566667777",
                                       .management = "999988887777",
                                       .instance = INSTANCE,
                                       .store = "d-1234567890",
                                       .delegated = true};

static void begin(const struct fake_line *script)
{
    told = text_over(told_buffer, sizeof told_buffer);
    over = false;
    parts_told = 0;
    free_at = NULL;
    fake_begin(script);
}

static void sync_parts(unsigned parts, const char *known)
{
    static char unknown[] = "none";
    struct directory_calls calls = {on_row, on_part, on_done, on_known, on_wanted, unknown};
    char copy[AWS_SET_ARN_CAP] = "";

    if (known) {
        snprintf(copy, sizeof copy, "%s", known);
        calls.ctx = copy;
    }
    assert_int_equal(directory_sync(NULL, &PLACE, parts, &calls, &sync_now), 0);
    fake_run(&over);
    sync_now = directory_sync_free(sync_now);
    fake_end();
}

/* ---- one part, one story ------------------------------------------------------------------------
 */

#define ROOTS                                                                         \
    {                                                                                 \
        "ListRoots", "{'MaxResults':20}", "{'Roots':[{'Id':'r-ab12','Name':'Root'}]}" \
    }
#define UNITS(of, rows)                                              \
    {                                                                \
        "ListOrganizationalUnitsForParent", "{'ParentId':'" of "'}", \
            "{'OrganizationalUnits':[" rows "]}"                     \
    }
#define UNIT(id, name) "{'Id':'" id "','Name':'" name "'}"
#define ACCOUNT(id, name, state, path) \
    "{'Id':'" id "','Name':'" name "'," state ",'Paths':['" path "']}"
#define PATHLESS(id, name) "{'Id':'" id "','Name':'" name "','Status':'ACTIVE'}"
#define ACTIVE             "'State':'ACTIVE'"
#define MANAGED(answer)                                                                            \
    {                                                                                              \
        "ListPermissionSetsProvisionedToAccount", "{'AccountId':'999988887777','MaxResults':100}", \
            answer                                                                                 \
    }
#define DESCRIBE(n, answer)                                                  \
    {                                                                        \
        "DescribePermissionSet", "{'PermissionSetArn':'" SET(n) "'}", answer \
    }
#define NAMED(name, session) "{'PermissionSet':{'Name':'" name "'" session "}}"
#define MEMBERS(group, rows)                                                                     \
    {                                                                                            \
        "ListGroupMemberships", "{'GroupId':'" group "','IdentityStoreId':'d-1234567890'}", rows \
    }

static const struct {
    const char *says;
    unsigned parts;
    const char *known;
    const char *rows;
    struct fake_line script[16];
} CASES[] = {
    {"the tree from its root, then the accounts in it",
     DIRECTORY_ACCOUNTS,
     NULL,
     "unit r-ab12 Root\n"
     "unit ou-ab12-11111111 r-ab12 Workloads\n"
     "unit ou-ab12-22222222 ou-ab12-11111111 Production\n"
     "account 111122223333 ou-ab12-22222222 prod\n"
     "account 999988887777 r-ab12 management\n"
     "account 333344445555 ou-ab12-11111111 old suspended\n",
     {ROOTS,
      UNITS("r-ab12", UNIT("ou-ab12-11111111", "Workloads")),
      UNITS("ou-ab12-11111111", UNIT("ou-ab12-22222222", "Production")),
      UNITS("ou-ab12-22222222", ""),
      {"ListAccounts", "{'MaxResults':20}",
       "{'Accounts':[" ACCOUNT(
           "111122223333", "prod", ACTIVE,
           "o-1/r-ab12/ou-ab12-11111111/ou-ab12-22222222/") "],'NextToken':'t'}"},
      {"ListAccounts", "{'NextToken':'t'}",
       "{'Accounts':[" ACCOUNT("999988887777", "management", ACTIVE,
                               "o-1/r-ab12/999988887777/") "," //
       ACCOUNT("333344445555", "old", "'State':'SUSPENDED','Status':'ACTIVE'",
               "o-1/r-ab12/ou-ab12-11111111/333344445555/") "]}"}}},
    {"accounts without a path are looked for below each unit",
     DIRECTORY_ACCOUNTS,
     NULL,
     "unit r-ab12 Root\n"
     "unit ou-ab12-11111111 r-ab12 Workloads\n"
     "account 999988887777 r-ab12 management\n"
     "account 111122223333 ou-ab12-11111111 prod\n",
     {ROOTS,
      UNITS("r-ab12", UNIT("ou-ab12-11111111", "Workloads")),
      UNITS("ou-ab12-11111111", ""),
      {"ListAccounts", NULL,
       "{'Accounts':[" PATHLESS("111122223333", "prod") "," PATHLESS("999988887777",
                                                                     "management") "]}"},
      {"ListAccountsForParent", "{'ParentId':'r-ab12'}",
       "{'Accounts':[" PATHLESS("999988887777", "management") "]}"},
      {"ListAccountsForParent", "{'ParentId':'ou-ab12-11111111'}",
       "{'Accounts':[" PATHLESS("111122223333", "prod") "," PATHLESS("111122223333",
                                                                     "prod") "]}"}}},
    {"an account that is nowhere in the tree: it changed meanwhile",
     DIRECTORY_ACCOUNTS,
     NULL,
     "unit r-ab12 Root\n"
     "failed: organizations ListAccountsForParent answered what cannot be used: the organisation "
     "changed while it was read\n",
     {ROOTS,
      UNITS("r-ab12", ""),
      {"ListAccounts", NULL, "{'Accounts':[" PATHLESS("111122223333", "prod") "]}"},
      {"ListAccountsForParent", "{'ParentId':'r-ab12'}", "{'Accounts':null}"}}},
    {"an account below a unit that was not there a moment ago",
     DIRECTORY_ACCOUNTS,
     NULL,
     "unit r-ab12 Root\n"
     "failed: organizations ListAccounts answered what cannot be used: the organisation changed "
     "while it was read\n",
     {ROOTS,
      UNITS("r-ab12", ""),
      {"ListAccounts", NULL,
       "{'Accounts':[" ACCOUNT("111122223333", "prod", ACTIVE,
                               "o-1/r-ab12/ou-ab12-99999999/") "]}"}}},
    {"a unit that was moved while the tree was read is there once",
     DIRECTORY_ACCOUNTS,
     NULL,
     "unit r-ab12 Root\n"
     "unit ou-ab12-11111111 r-ab12 One\n"
     "unit ou-ab12-22222222 r-ab12 Two\n",
     {ROOTS,
      UNITS("r-ab12", UNIT("ou-ab12-11111111", "One") "," UNIT("ou-ab12-22222222", "Two")),
      UNITS("ou-ab12-11111111", UNIT("ou-ab12-22222222", "Two")),
      UNITS("ou-ab12-22222222", ""),
      {"ListAccounts", NULL, "{}"}}},
    {"ids that are none are left out, names that are none are empty",
     DIRECTORY_ACCOUNTS,
     NULL,
     "unit r-ab12 Root\n"
     "unit ou-ab12-11111111 r-ab12\n"
     "account 111122223333 ou-ab12-11111111\n"
     "left out more\n",
     {ROOTS,
      UNITS("r-ab12", UNIT("../etc", "x") "," UNIT("ou-ab12-11111111", "a\\u202eb")),
      UNITS("ou-ab12-11111111", ""),
      {"ListAccounts", NULL,
       "{'Accounts':[" ACCOUNT("1111", "x", ACTIVE, "o-1/r-ab12/") "," //
       ACCOUNT("111122223333", "\\u001b[31m", ACTIVE, "o-1/r-ab12/ou-ab12-11111111/") "]}"}}},
    {"denied: a sentence with the way out",
     DIRECTORY_ACCOUNTS,
     NULL,
     "failed: organizations ListRoots refused: AccessDeniedException: no; the identity that "
     "team-courier uses needs this permission, from the management account or as delegated "
     "administrator of IAM Identity Center\n",
     {{"ListRoots", NULL, "!AccessDeniedException no"}}},
    {"half a tree is none",
     DIRECTORY_ACCOUNTS,
     NULL,
     "unit r-ab12 Root\n"
     "failed: organizations ListOrganizationalUnitsForParent has too much to do; it will be asked "
     "again\n",
     {ROOTS, {"ListOrganizationalUnitsForParent", NULL, "~throttled"}}},
    {"accounts that cannot be listed below a unit",
     DIRECTORY_ACCOUNTS,
     NULL,
     "unit r-ab12 Root\n"
     "failed: organizations ListAccountsForParent is out of order\n",
     {ROOTS,
      UNITS("r-ab12", ""),
      {"ListAccounts", NULL, "{'Accounts':[" PATHLESS("111122223333", "prod") "]}"},
      {"ListAccountsForParent", NULL, "~broken"}}},
    {"accounts that cannot be listed",
     DIRECTORY_ACCOUNTS,
     NULL,
     "unit r-ab12 Root\n"
     "failed: organizations ListAccounts cannot be reached\n",
     {ROOTS, UNITS("r-ab12", ""), {"ListAccounts", NULL, "~unreachable"}}},

    {"permission sets, and what the management account has of them",
     DIRECTORY_SETS,
     NULL,
     "set 1 AdministratorAccess 3600\n"
     "set 2 ReadOnlyAccess 28800\n"
     "set 3 Billing 5400 managed\n",
     {MANAGED("{'PermissionSets':['" SET("3") "']}"),
      {"ListPermissionSets", "{'InstanceArn':'" INSTANCE "'}",
       "{'PermissionSets':['" SET("1") "','" SET("2") "'],'NextToken':'t'}"},
      {"ListPermissionSets", "{'NextToken':'t'}", "{'PermissionSets':['" SET("3") "']}"},
      DESCRIBE("1", NAMED("AdministratorAccess", "")),
      DESCRIBE("2", NAMED("ReadOnlyAccess", ",'SessionDuration':'PT8H'")),
      DESCRIBE("3", NAMED("Billing", ",'SessionDuration':'PT1H30M'"))}},
    {"what is known is not asked; what has gone meanwhile, or has no name, is left",
     DIRECTORY_SETS,
     SET("2"),
     "set 2 0 unchanged\n"
     "left out more\n",
     {MANAGED("{'PermissionSets':[]}"),
      {"ListPermissionSets", NULL,
       "{'PermissionSets':['" SET("1") "','" SET("2") "','" SET("3") "','x',7]}"},
      DESCRIBE("1", "!ResourceNotFoundException gone"),
      DESCRIBE("3", NAMED("", ""))}},
    {"we may not ask about the management account",
     DIRECTORY_SETS,
     NULL,
     "set 1 AdministratorAccess 3600 managed?\n",
     {MANAGED("!AccessDeniedException no"),
      {"ListPermissionSets", NULL, "{'PermissionSets':['" SET("1") "']}"},
      DESCRIBE("1", NAMED("AdministratorAccess", ",'SessionDuration':'soon'"))}},
    {"a set that cannot be described fails the part",
     DIRECTORY_SETS,
     NULL,
     "failed: sso-admin DescribePermissionSet is out of order\n",
     {MANAGED("{}"),
      {"ListPermissionSets", NULL, "{'PermissionSets':['" SET("1") "']}"},
      DESCRIBE("1", "~broken")}},
    {"sets that cannot be listed",
     DIRECTORY_SETS,
     NULL,
     "failed: sso-admin ListPermissionSets cannot be reached\n",
     {MANAGED("{}"), {"ListPermissionSets", NULL, "~unreachable"}}},
    {"the management account cannot be asked about",
     DIRECTORY_SETS,
     NULL,
     "failed: sso-admin ListPermissionSetsProvisionedToAccount answered what cannot be used\n",
     {MANAGED("~garbled")}},

    {"users, page after page, without those that have no name",
     DIRECTORY_USERS,
     NULL,
     "user a-1 alice@example.com\n"
     "user b-2 bob@example.com\n"
     "left out more\n",
     {{"ListUsers", "{'IdentityStoreId':'d-1234567890','MaxResults':100}",
       "{'Users':[{'UserId':'a-1','UserName':'alice@example.com'},{'UserId':'c-3'},"
       "{'UserId':'../x','UserName':'x'}],'NextToken':'t'}"},
      {"ListUsers", "{'NextToken':'t'}", "{'Users':[],'NextToken':'u'}"},
      {"ListUsers", "{'NextToken':'u'}",
       "{'Users':[{'UserId':'b-2','UserName':'bob@example.com'}]}"}}},
    {"users whose pages go round in a long circle",
     DIRECTORY_USERS,
     NULL,
     "failed: identitystore ListUsers answered what cannot be used: its pages go round in a "
     "circle\n",
     {{"ListUsers", NULL, "{'NextToken':'a'}"},
      {"ListUsers", "{'NextToken':'a'}", "{'NextToken':'b'}"},
      {"ListUsers", "{'NextToken':'b'}", "{'NextToken':'c'}"},
      {"ListUsers", "{'NextToken':'c'}", "{'NextToken':'a'}"},
      {"ListUsers", "{'NextToken':'a'}", "{'NextToken':'b'}"},
      {"ListUsers", "{'NextToken':'b'}", "{'NextToken':'c'}"},
      {"ListUsers", "{'NextToken':'c'}", "{'NextToken':'a'}"}}},
    {"groups, and the members of those that are wanted",
     DIRECTORY_GROUPS,
     NULL,
     "group g-1 SRE\n"
     "group g-1 SRE\n"
     "group g-2 Auditors\n"
     "member g-1 a-1\n"
     "member g-1 b-2\n"
     "left out more\n",
     {{"ListGroups", NULL,
       "{'Groups':[{'GroupId':'g-1','DisplayName':'SRE'},{'GroupId':'g-1','DisplayName':'SRE'},"
       "{'GroupId':'g-2','DisplayName':'Auditors'},{'GroupId':'g-3','DisplayName':'a\\nb'}]}"},
      MEMBERS("g-1", "{'GroupMemberships':[{'MemberId':{'UserId':'a-1'}},{'MemberId':{}}],"
                     "'NextToken':'t'}"),
      MEMBERS("g-1", "{'GroupMemberships':[{'MemberId':{'UserId':'b-2'}}]}")}},
    {"a group that is gone has no members",
     DIRECTORY_GROUPS,
     NULL,
     "group g-1 SRE\n",
     {{"ListGroups", NULL, "{'Groups':[{'GroupId':'g-1','DisplayName':'SRE'}]}"},
      MEMBERS("g-1", "!ResourceNotFoundException gone")}},
    {"members that cannot be listed fail the part",
     DIRECTORY_GROUPS,
     NULL,
     "group g-1 SRE\n"
     "failed: identitystore ListGroupMemberships was not asked: there are no credentials\n",
     {{"ListGroups", NULL, "{'Groups':[{'GroupId':'g-1','DisplayName':'SRE'}]}"},
      MEMBERS("g-1", "~no credentials")}},
    {"a part that fails does not keep the others from their turn",
     DIRECTORY_ALL,
     NULL,
     "failed: organizations ListRoots cannot be reached\n"
     "failed: sso-admin ListPermissionSetsProvisionedToAccount cannot be reached\n"
     "user a-1 alice\n"
     "failed: identitystore ListGroups cannot be reached\n",
     {{"ListRoots", NULL, "~unreachable"},
      MANAGED("~unreachable"),
      {"ListUsers", NULL, "{'Users':[{'UserId':'a-1','UserName':'alice'}]}"},
      {"ListGroups", NULL, "~unreachable"}}},
};

static void test_cases(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        begin(CASES[i].script);
        sync_parts(CASES[i].parts, CASES[i].known);
        assert_int_equal(parts_told, CASES[i].parts);
        if (strcmp(told.buf, CASES[i].rows) != 0)
            fail_msg("%s:\n%s", CASES[i].says, told.buf);
    }
}

/* ---- dropped, refused ----------------------------------------------------------------------- */

static void test_free_in_a_row(void **state)
{
    static const struct {
        const char *id;
        unsigned part;
        struct fake_line script[5];
    } FREED[] = {
        {"r-ab12", DIRECTORY_ACCOUNTS, {ROOTS}},
        {"111122223333",
         DIRECTORY_ACCOUNTS,
         {ROOTS,
          UNITS("r-ab12", ""),
          {"ListAccounts", NULL,
           "{'Accounts':[" ACCOUNT("111122223333", "a", ACTIVE, "o-1/r-ab12/") "," //
           ACCOUNT("111122223334", "b", ACTIVE, "o-1/r-ab12/") "]}"}}},
        {"111122223333",
         DIRECTORY_ACCOUNTS,
         {ROOTS,
          UNITS("r-ab12", ""),
          {"ListAccounts", NULL, "{'Accounts':[" PATHLESS("111122223333", "a") "]}"},
          {"ListAccountsForParent", NULL, "{'Accounts':[" PATHLESS("111122223333", "a") "]}"}}},
        {SET("1"),
         DIRECTORY_SETS,
         {MANAGED("{}"),
          {"ListPermissionSets", NULL, "{'PermissionSets':['" SET("1") "','" SET("2") "']}"},
          DESCRIBE("1", NAMED("A", ""))}},
        {"a-1",
         DIRECTORY_USERS,
         {{"ListUsers", NULL,
           "{'Users':[{'UserId':'a-1','UserName':'a'},{'UserId':'b-2','UserName':'b'}],"
           "'NextToken':'t'}"}}},
        {"g-1",
         DIRECTORY_GROUPS,
         {{"ListGroups", NULL,
           "{'Groups':[{'GroupId':'g-1','DisplayName':'SRE'},"
           "{'GroupId':'g-2','DisplayName':'B'}]}"}}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof FREED / sizeof FREED[0]; i++) {
        begin(FREED[i].script);
        free_at = FREED[i].id;
        sync_parts(FREED[i].part, NULL);
        assert_int_equal(parts_told, 0);
    }
}

static void test_free_at_a_known_set(void **state)
{
    static const struct fake_line SCRIPT[] = {
        MANAGED("{}"),
        {"ListPermissionSets", NULL, "{'PermissionSets':['" SET("1") "','" SET("2") "']}"},
        {0}};

    (void)state;
    begin(SCRIPT);
    free_at = SET("1");
    sync_parts(DIRECTORY_SETS, SET("1"));
    assert_string_equal(told.buf, "set 1 0 unchanged\n");
}

static void test_free_at_work(void **state)
{
    static const struct fake_line SCRIPT[] = {ROOTS, {0}};
    struct directory_calls calls = {on_row, on_part, on_done, NULL, NULL, NULL};

    (void)state;
    begin(SCRIPT);
    assert_int_equal(directory_sync(NULL, &PLACE, DIRECTORY_ACCOUNTS, &calls, &sync_now), 0);
    assert_null(directory_sync_free(sync_now));
    fake_end();
}

static void test_cannot_begin(void **state)
{
    static const struct fake_line SCRIPT[] = {{0}};
    struct directory_calls calls = {on_row, on_part, on_done, NULL, NULL, NULL};

    (void)state;
    begin(SCRIPT);
    fake_fails_with = -EAGAIN;
    assert_int_equal(directory_sync(NULL, &PLACE, DIRECTORY_ALL, &calls, &sync_now), -EAGAIN);
    assert_int_equal(directory_sync(NULL, &PLACE, 0, &calls, &sync_now), -EINVAL);
    assert_int_equal(directory_sync(NULL, &PLACE, 16, &calls, &sync_now), -EINVAL);
    assert_int_equal(parts_told, 0);
    fake_end();
}

static void test_session(void **state)
{
    static const struct {
        const char *text;
        int64_t seconds;
    } SESSIONS[] = {{"PT1H", 3600}, {"PT12H", 43200},      {"PT4H30M", 16200}, {"PT900S", 900},
                    {"P1D", 86400}, {"P1DT1H", 90000},     {"P1W", 604800},    {"PT1H1M1S", 3661},
                    {"", 3600},     {"1H", 3600},          {"P", 3600},        {"PT", 3600},
                    {"PTH", 3600},  {"PT5", 3600},         {"PT1M1H", 3600},   {"PT1X", 3600},
                    {"PT0S", 3600}, {"PT99999999H", 3600}, {"P1T1H", 3600},    {"PT1H ", 3600}};

    (void)state;
    for (size_t i = 0; i < sizeof SESSIONS / sizeof SESSIONS[0]; i++)
        if (sets_session(SESSIONS[i].text) != SESSIONS[i].seconds)
            fail_msg("\"%s\" is %lld", SESSIONS[i].text, (long long)sets_session(SESSIONS[i].text));
}

/* ---- where a set is provisioned ------------------------------------------------------------- */

static struct provisioned_op *provisioned_now;

static void on_account(void *ctx, const char *account)
{
    tell("on", account, "", "");
    if (ctx) {
        provisioned_now = provisioned_cancel(provisioned_now);
        over = true;
    }
}

static void on_accounts(void *ctx, const struct aws_failure *failure)
{
    (void)ctx;
    if (failure)
        tell("failed", "", "", "");
    over = true;
}

static void test_provisioned(void **state)
{
    static const struct fake_line SCRIPT[] = {
        {"ListAccountsForProvisionedPermissionSet", "{'PermissionSetArn':'" SET("1") "'}",
         "{'AccountIds':['111122223333',7,'x'],'NextToken':'t'}"},
        {"ListAccountsForProvisionedPermissionSet", "{'NextToken':'t'}",
         "{'AccountIds':['222233334444']}"},
        {"ListAccountsForProvisionedPermissionSet", NULL, "~broken"},
        {"ListAccountsForProvisionedPermissionSet", NULL,
         "{'AccountIds':['111122223333','222233334444'],'NextToken':'t'}"},
        {0}};
    struct provisioned_calls calls = {on_account, on_accounts, NULL};

    (void)state;
    begin(SCRIPT);
    for (unsigned i = 0; i < 3; i++) {
        over = false;
        calls.ctx = i == 2 ? &calls : NULL;
        assert_int_equal(provisioned_list(NULL, INSTANCE, SET("1"), &calls, &provisioned_now), 0);
        fake_run(&over);
    }
    assert_string_equal(told.buf, "on 111122223333\non 222233334444\nfailed\non 111122223333\n");
    fake_fails_with = -EAGAIN;
    assert_int_equal(provisioned_list(NULL, INSTANCE, SET("1"), &calls, &provisioned_now), -EAGAIN);
    assert_null(provisioned_cancel(NULL));
    fake_end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases),
        cmocka_unit_test(test_free_in_a_row),
        cmocka_unit_test(test_free_at_a_known_set),
        cmocka_unit_test(test_free_at_work),
        cmocka_unit_test(test_cannot_begin),
        cmocka_unit_test(test_session),
        cmocka_unit_test(test_provisioned),
    };

    return cmocka_run_group_tests_name("directory", tests, NULL, NULL);
}
