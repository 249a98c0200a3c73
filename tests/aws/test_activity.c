/* CloudTrail records: what is read of them, and whose they are. */
#include "courier/activity.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

/* JSON with ' for ", as C likes it better. */
static json_t *json_of(const char *text)
{
    char *copy = strdup(text);
    json_error_t error;
    json_t *value;

    for (char *c = copy; *c; c++)
        *c = *c == '\'' ? '"' : *c;
    value = json_loads(copy, 0, &error);
    if (!value)
        fail_msg("no JSON: %s: %s", error.text, text);
    free(copy);
    return value;
}

#define HEX "0123456789abcdef"
#define IDENTITY(set, user)                                                                      \
    "'userIdentity':{'type':'AssumedRole','principalId':'AROAEXAMPLE:" user                      \
    "','sessionContext':{'sessionIssuer':{'type':'Role','userName':'AWSReservedSSO_" set "_" HEX \
    "'}}}"
#define RECORD(time, account, rest)                                                  \
    "{'eventID':'e-1','eventTime':'" time "','eventName':'RunInstances',"            \
    "'eventSource':'ec2.amazonaws.com','awsRegion':'eu-west-1','recipientAccountId'" \
    ":'" account "'," rest "}"
#define NOON     "2026-11-25T12:00:00Z"
#define ONES     "111122223333"
#define OF(rest) RECORD(NOON, ONES, rest)

static struct wall at(const char *time)
{
    char record[512];
    struct activity_event e;
    json_t *json;

    snprintf(record, sizeof record, "{'eventID':'x','eventName':'x','eventTime':'%s'}", time);
    json = json_of(record);
    assert_true(activity_read(json, &e));
    json_decref(json);
    return e.at;
}

/* ---- whose ------------------------------------------------------------------------------------
 */

static const struct {
    const char *says, *record, *set, *user;
    bool fits;
} WHOSE[] = {
    {"the person's, by the set, in the account", OF(IDENTITY("Admin", "bob")), "Admin", "bob",
     true},
    {"names of people do not differ by case", OF(IDENTITY("Admin", "Bob@Example.com")), "Admin",
     "bob@example.com", true},
    {"bob is not bobby", OF(IDENTITY("Admin", "bobby")), "Admin", "bob", false},
    {"bobby is not bob", OF(IDENTITY("Admin", "bob")), "Admin", "bobby", false},
    {"nor is jim-bob", OF(IDENTITY("Admin", "jim-bob")), "Admin", "bob", false},
    {"nor who has a colon in the name", OF(IDENTITY("Admin", "x:bob")), "Admin", "bob", false},
    {"who has one is found", OF(IDENTITY("Admin", "x:bob")), "Admin", "x:bob", true},
    {"_ is no wildcard", OF(IDENTITY("Admin", "bobXsmith")), "Admin", "bob_smith", false},
    {"% is none", OF(IDENTITY("Admin", "bobby")), "Admin", "bob%", false},
    {"* is none", OF(IDENTITY("Admin", "bobby")), "Admin", "bob*", false},
    {"every sign that a name can have", OF(IDENTITY("Admin", "a_%*+@=,.-b")), "Admin",
     "a_%*+@=,.-b", true},
    {"nobody is not everybody", OF(IDENTITY("Admin", "")), "Admin", "", false},
    {"64 characters",
     OF(IDENTITY("Admin", "a234567890123456789012345678901234567890123456789012345678901234")),
     "Admin", "a234567890123456789012345678901234567890123456789012345678901234", true},
    {"63 of them are somebody else",
     OF(IDENTITY("Admin", "a234567890123456789012345678901234567890123456789012345678901234")),
     "Admin", "a23456789012345678901234567890123456789012345678901234567890123", false},
    {"Admin is not AdministratorAccess", OF(IDENTITY("AdministratorAccess", "bob")), "Admin", "bob",
     false},
    {"nor the other way round", OF(IDENTITY("Admin", "bob")), "AdministratorAccess", "bob", false},
    {"a set is not another that begins with it and _", OF(IDENTITY("Admin_Net", "bob")), "Admin",
     "bob", false},
    {"a set may have _ itself", OF(IDENTITY("Admin_Net", "bob")), "Admin_Net", "bob", true},
    {"sets differ by case", OF(IDENTITY("admin", "bob")), "Admin", "bob", false},
    {"another account", RECORD(NOON, "111122223334", IDENTITY("Admin", "bob")), "Admin", "bob",
     false},
    {"no account",
     "{'eventID':'e','eventName':'n','eventTime':'" NOON "'," IDENTITY("Admin", "bob") "}", "Admin",
     "bob", false},
    {"at the first moment", RECORD("2026-11-25T11:00:00Z", ONES, IDENTITY("Admin", "bob")), "Admin",
     "bob", true},
    {"at the last", RECORD("2026-11-25T13:00:00Z", ONES, IDENTITY("Admin", "bob")), "Admin", "bob",
     true},
    {"before", RECORD("2026-11-25T10:59:59Z", ONES, IDENTITY("Admin", "bob")), "Admin", "bob",
     false},
    {"after", RECORD("2026-11-25T13:00:01Z", ONES, IDENTITY("Admin", "bob")), "Admin", "bob",
     false},
    {"a role that only looks like the set's",
     OF("'userIdentity':{'type':'AssumedRole','principalId':'A:bob','sessionContext':"
        "{'sessionIssuer':{'userName':'AWSReservedSSO_Admin_0123456789abcdeg'}}}"),
     "Admin", "bob", false},
    {"more than 16 digits",
     OF("'userIdentity':{'type':'AssumedRole','principalId':'A:bob','sessionContext':"
        "{'sessionIssuer':{'userName':'AWSReservedSSO_Admin_" HEX "0'}}}"),
     "Admin", "bob", false},
    {"another role of that name",
     OF("'userIdentity':{'type':'AssumedRole','principalId':'A:bob','sessionContext':"
        "{'sessionIssuer':{'userName':'Admin'}}}"),
     "Admin", "bob", false},
    {"a role where Identity Center has them",
     OF("'userIdentity':{'type':'AssumedRole','principalId':'A:bob','sessionContext':"
        "{'sessionIssuer':{'arn':'arn:aws:iam::" ONES
        ":role/aws-reserved/sso.amazonaws.com/eu-west-1/AWSReservedSSO_Admin_" HEX
        "','userName':'AWSReservedSSO_Admin_" HEX "'}}}"),
     "Admin", "bob", true},
    {"somebody's own of that name",
     OF("'userIdentity':{'type':'AssumedRole','principalId':'A:bob','sessionContext':"
        "{'sessionIssuer':{'arn':'arn:aws:iam::" ONES ":role/AWSReservedSSO_Admin_" HEX
        "','userName':'AWSReservedSSO_Admin_" HEX "'}}}"),
     "Admin", "bob", false},
    {"wherever they have put it",
     OF("'userIdentity':{'type':'AssumedRole','principalId':'A:bob','sessionContext':"
        "{'sessionIssuer':{'arn':'arn:aws:iam::" ONES
        ":role/x:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_Admin_" HEX
        "','userName':'AWSReservedSSO_Admin_" HEX "'}}}"),
     "Admin", "bob", false},
    {"an IAM user",
     OF("'userIdentity':{'type':'IAMUser','principalId':'A:bob','sessionContext':"
        "{'sessionIssuer':{'userName':'AWSReservedSSO_Admin_" HEX "'}}}"),
     "Admin", "bob", false},
    {"nobody at all", OF("'userIdentity':null"), "Admin", "bob", false},
    {"where AWS tells the id, it counts, whatever the name",
     OF("'userIdentity':{'type':'AssumedRole','principalId':'A:robert','onBehalfOf':{'userId':"
        "'id-of-bob'},'sessionContext':{'sessionIssuer':{'userName':'AWSReservedSSO_Admin_" HEX
        "'}}}"),
     "Admin", "bob", true},
    {"and somebody else's, too",
     OF("'userIdentity':{'type':'AssumedRole','principalId':'A:bob','onBehalfOf':{'userId':"
        "'id-of-eve'},'sessionContext':{'sessionIssuer':{'userName':'AWSReservedSSO_Admin_" HEX
        "'}}}"),
     "Admin", "bob", false},
    {"the credentials were fetched",
     RECORD(NOON, "999900001111",
            "'userIdentity':{'type':'IdentityCenterUser','onBehalfOf':{'userId':'id-of-bob'}},"
            "'serviceEventDetails':{'role_name':'Admin','account_id':'" ONES "'}"),
     "Admin", "bob", true},
    {"those of another set were",
     RECORD(NOON, "999900001111",
            "'userIdentity':{'type':'IdentityCenterUser','onBehalfOf':{'userId':'id-of-bob'}},"
            "'serviceEventDetails':{'role_name':'Net','account_id':'" ONES "'}"),
     "Admin", "bob", false},
    {"somebody else fetched them",
     RECORD(NOON, "999900001111",
            "'userIdentity':{'type':'IdentityCenterUser','onBehalfOf':{'userId':'id-of-eve'}},"
            "'serviceEventDetails':{'role_name':'Admin','account_id':'" ONES "'}"),
     "Admin", "bob", false},
    {"signing in is not yet using it",
     OF("'userIdentity':{'type':'IdentityCenterUser','onBehalfOf':{'userId':'id-of-bob'}}"),
     "Admin", "bob", false},
};

static void events_are_whose_they_are(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof WHOSE / sizeof WHOSE[0]; i++) {
        struct activity_scope scope = {.account = ONES,
                                       .set = WHOSE[i].set,
                                       .user = WHOSE[i].user,
                                       .user_id = "id-of-bob",
                                       .from = at("2026-11-25T11:00:00Z"),
                                       .until = at("2026-11-25T13:00:00Z")};
        struct activity_event e;
        json_t *json = json_of(WHOSE[i].record);

        assert_true(activity_read(json, &e));
        if (activity_fits(&e, &scope) != WHOSE[i].fits)
            fail_msg("%s", WHOSE[i].says);
        json_decref(json);
    }
}

/* ---- reading ----------------------------------------------------------------------------------
 */

static const struct {
    const char *says, *record;
} NONE[] = {
    {"nothing", "{}"},
    {"a list", "[1]"},
    {"no id", "{'eventName':'n','eventTime':'" NOON "'}"},
    {"no name", "{'eventID':'e','eventTime':'" NOON "'}"},
    {"no time", "{'eventID':'e','eventName':'n'}"},
    {"a time that is none", "{'eventID':'e','eventName':'n','eventTime':'yesterday'}"},
    {"an id of another type", "{'eventID':1,'eventName':'n','eventTime':'" NOON "'}"},
    {"an id with an escape in it", "{'eventID':'e\\u001b','eventName':'n','eventTime':'" NOON "'}"},
    {"an id that is too long",
     "{'eventID':'0123456789012345678901234567890123456789012345678901234567890123456789',"
     "'eventName':'n','eventTime':'" NOON "'}"},
};

static void what_is_no_record_is_not_read(void **state)
{
    struct activity_event e;

    (void)state;
    for (size_t i = 0; i < sizeof NONE / sizeof NONE[0]; i++) {
        json_t *json = json_of(NONE[i].record);

        if (activity_read(json, &e))
            fail_msg("%s", NONE[i].says);
        json_decref(json);
    }
}

static const struct {
    const char *says, *rest, *resource;
} RESOURCES[] = {
    {"what CloudTrail says it is",
     "'resources':[{'ARN':'arn:aws:s3:::b'}],'requestParameters':{'bucketName':'x'}",
     "arn:aws:s3:::b"},
    {"a parameter that names something", "'requestParameters':{'maxResults':5,'bucketName':'b'}",
     "b"},
    {"the first of several", "'requestParameters':{'instanceIds':['i-1','i-2']}", "i-1"},
    {"if none is called so, the first text", "'requestParameters':{'deep':{},'policy':'{}'}", "{}"},
    {"control characters do not get through", "'requestParameters':{'name':'a\\u001b[31m'}",
     "a?[31m"},
    {"there may be none", "'requestParameters':null", ""},
    {"or only numbers", "'requestParameters':{'n':1}", ""},
};

static void a_resource_is_told_as_well_as_it_can_be(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof RESOURCES / sizeof RESOURCES[0]; i++) {
        struct activity_event e;
        char record[1024];
        json_t *json;

        snprintf(record, sizeof record, OF("%s"), RESOURCES[i].rest);
        json = json_of(record);
        assert_true(activity_read(json, &e));
        if (strcmp(e.resource, RESOURCES[i].resource) != 0)
            fail_msg("%s: %s", RESOURCES[i].says, e.resource);
        json_decref(json);
    }
}

static void the_rest_is_read(void **state)
{
    json_t *json =
        json_of(OF("'sourceIPAddress':'192.0.2.1','errorCode':'AccessDenied','readOnly':true,"
                   "'userIdentity':{'type':'AssumedRole','principalId':'A:bob'}"));
    struct activity_event e;

    (void)state;
    assert_true(activity_read(json, &e));
    assert_string_equal(e.id, "e-1");
    assert_string_equal(e.name, "RunInstances");
    assert_string_equal(e.source, "ec2.amazonaws.com");
    assert_string_equal(e.region, "eu-west-1");
    assert_string_equal(e.address, "192.0.2.1");
    assert_string_equal(e.error, "AccessDenied");
    assert_string_equal(e.user, "bob");
    assert_true(e.read_only);
    json_decref(json);
    json = json_of(OF("'readOnly':'false'"));
    assert_true(activity_read(json, &e));
    assert_false(e.read_only);
    json_decref(json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(events_are_whose_they_are),
        cmocka_unit_test(what_is_no_record_is_not_read),
        cmocka_unit_test(a_resource_is_told_as_well_as_it_can_be),
        cmocka_unit_test(the_rest_is_read),
    };

    return cmocka_run_group_tests_name("aws: activity", tests, NULL, NULL);
}
