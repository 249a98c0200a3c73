/* Who we are: what is asked of AWS, and which instance of Identity Center is ours. */
#include "aws/fake_aws.h"

#include "courier/identity.h"

static bool over;
static struct aws_place place;
static char why[AWS_FAILURE_CAP];

static void begin(const struct fake_line *script)
{
    over = false;
    fake_begin(script);
}

static void on_place(void *ctx, const struct aws_place *found, const struct aws_failure *failure)
{
    (void)ctx;
    assert_false(over);
    over = true;
    place = *found;
    why[0] = '\0';
    if (failure)
        aws_failure_text(failure, why);
}

#define WE              "{'Account':'555566667777','Arn':'arn:aws:iam::555566667777:user/courier','UserId':'A'}"
#define ORG(management) "{'Organization':{'Id':'o-1234567890','MasterAccountId':'" management "'}}"
#define ROW(n, owner)                                                              \
    "{'InstanceArn':'arn:aws:sso:::instance/ssoins-" n "','IdentityStoreId':'d-" n \
    "','OwnerAccountId':'" owner "','PrimaryRegion':'eu-west-1'}"
#define IDENTITY                      \
    {                                 \
        "GetCallerIdentity", NULL, WE \
    }

static const struct {
    const char *says;
    const char *why;      /* how it begins; "" all is well */
    const char *instance; /* what it ends in */
    bool delegated;
    struct fake_line script[5];
} PLACES[] = {
    {"a delegated administrator",
     "",
     "ssoins-1",
     true,
     {IDENTITY,
      {"DescribeOrganization", NULL, ORG("999988887777")},
      {"ListInstances", NULL, "{'Instances':[" ROW("1", "999988887777") "]}"}}},
    {"the management account itself",
     "",
     "ssoins-1",
     false,
     {IDENTITY,
      {"DescribeOrganization", NULL, ORG("555566667777")},
      {"ListInstances", NULL, "{'Instances':[" ROW("1", "555566667777") "]}"}}},
    {"an account of its own",
     "",
     "ssoins-1",
     false,
     {IDENTITY,
      {"DescribeOrganization", NULL, "!AWSOrganizationsNotInUseException none"},
      {"ListInstances", NULL, "{'Instances':[" ROW("1", "555566667777") "]}"}}},
    {"the organisation's instance, not the one of our account, whatever their order",
     "",
     "ssoins-2",
     true,
     {IDENTITY,
      {"DescribeOrganization", NULL, ORG("999988887777")},
      {"ListInstances", NULL, "{'Instances':[" ROW("1", "555566667777") "],'NextToken':'t'}"},
      {"ListInstances", NULL,
       "{'Instances':[" ROW("2", "999988887777") "," ROW("2", "999988887777") "," ROW(
           "3", "555566667777") "]}"}}},
    {"two instances that are nobody's",
     "sso-admin ListInstances answered what cannot be used: there is more than one instance",
     "",
     true,
     {IDENTITY,
      {"DescribeOrganization", NULL, ORG("999988887777")},
      {"ListInstances", NULL,
       "{'Instances':[" ROW("1", "555566667777") "," ROW("2", "111122223333") "]}"}}},
    {"no instance in this region",
     "sso-admin ListInstances answered what cannot be used: there is no instance",
     "",
     true,
     {IDENTITY,
      {"DescribeOrganization", NULL, ORG("999988887777")},
      {"ListInstances", NULL, "{'Instances':[{'InstanceArn':'x'}]}"}}},
    {"no credentials",
     "sts GetCallerIdentity was not asked: there are no credentials",
     "",
     false,
     {{"GetCallerIdentity", NULL, "~no credentials"}}},
    {"nobody",
     "sts GetCallerIdentity answered what cannot be used: it does not say who we are",
     "",
     false,
     {{"GetCallerIdentity", NULL, "{}"}}},
    {"an organisation that we may not see",
     "organizations DescribeOrganization refused: AccessDeniedException",
     "",
     false,
     {IDENTITY, {"DescribeOrganization", NULL, "!AccessDeniedException"}}},
    {"an organisation without a head",
     "organizations DescribeOrganization answered what cannot be used: it does not name",
     "",
     false,
     {IDENTITY, {"DescribeOrganization", NULL, "{'Organization':{'Id':'o-1'}}"}}},
    {"instances that cannot be listed",
     "sso-admin ListInstances is out of order",
     "",
     true,
     {IDENTITY,
      {"DescribeOrganization", NULL, ORG("999988887777")},
      {"ListInstances", NULL, "~broken"}}},
};

static void test_places(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof PLACES / sizeof PLACES[0]; i++) {
        struct aws_place_op *op;

        begin(PLACES[i].script);
        assert_int_equal(aws_place_find(NULL, on_place, NULL, &op), 0);
        fake_run(&over);
        if (PLACES[i].why[0] ? strncmp(why, PLACES[i].why, strlen(PLACES[i].why)) != 0 : why[0])
            fail_msg("%s: %s", PLACES[i].says, why);
        assert_int_equal(place.delegated, PLACES[i].delegated);
        if (PLACES[i].instance[0] && !strstr(place.instance, PLACES[i].instance))
            fail_msg("%s: %s", PLACES[i].says, place.instance);
        fake_end();
    }
    assert_string_equal(place.identity, "arn:aws:iam::555566667777:user/courier");
}

static void test_place_cancelled(void **state)
{
    static const struct fake_line SCRIPT[] = {IDENTITY, {0}};
    struct aws_place_op *op;

    (void)state;
    begin(SCRIPT);
    assert_int_equal(aws_place_find(NULL, on_place, NULL, &op), 0);
    assert_null(aws_place_cancel(op));
    assert_null(aws_place_cancel(NULL));
    fake_fails_with = -EAGAIN;
    assert_int_equal(aws_place_find(NULL, on_place, NULL, &op), -EAGAIN);
    fake_end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_places),
        cmocka_unit_test(test_place_cancelled),
    };

    return cmocka_run_group_tests_name("identity", tests, NULL, NULL);
}
