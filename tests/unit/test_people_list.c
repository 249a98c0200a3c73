/* Listings of everybody whom a policy names. people_rig.h says how. */
#include "people_rig.h"

static struct told told2;

/* ---- listings -------------------------------------------------------------------------------- */

static void a_listing_finds_everybody_whom_the_policy_names(void **state)
{
    static const struct {
        const char *says, *policy;
        uint32_t uids[2];
        const char *then;
    } CASES[] = {
        {"nobody is named", "", {0}, ""},
        {"a user", "bob", {0}, "1002 bob+: bob"},
        {"a user that is none", "bob zoe", {0}, "1002 bob+: bob | nobody bears zoe"},
        {"a group by its member list, by primary group, by another name of a uid, without ghosts",
         "@ops",
         {0},
         "1001 alice+: @ops; 1002 bob+: @ops; 1003 carol+: @ops"},
        {"a group that is none", "@ops2", {0}, " | nobody bears @ops2"},
        {"a group without members is known all the same", "@empty @ghosts", {0}, ""},
        {"two names of one uid are one person", "alice alice2", {0}, "1001 alice+: alice alice2"},
        {"two names of one uid in one group are one person", "@twins", {0}, "1001 alice+: @twins"},
        {"user and groups together",
         "@sre alice @ops dave",
         {0},
         "1001 alice+: @sre alice @ops; 1002 bob+: @ops; 1003 carol+: @ops; 1004 dave+: @sre dave"},
        {"groups of AWS are left alone", "@idc:Admins bob", {0}, "1002 bob+: bob"},
        {"a given uid comes with its groups, and is not listed",
         "@empty @none",
         {1004},
         "1004 dave: | nobody bears @none"},
        {"a given uid that is listed too stays listed",
         "@sre",
         {1004},
         "1001 alice+: @sre; 1004 dave+: @sre"},
        {"a uid that is given twice is there once",
         "bob",
         {1003, 1003},
         "1002 bob+: bob; 1003 carol:"},
        {"a given uid that nobody has is not there",
         "bob",
         {4242, 1003},
         "1002 bob+: bob; 1003 carol:"},
        {"a name of 63 characters is a name",
         "a23456789012345678901234567890123456789012345678901234567890123",
         {0},
         "1008 a23456789012345678901234567890123456789012345678901234567890123+: "
         "a23456789012345678901234567890123456789012345678901234567890123"},
        {"a name of 64 is not",
         "a234567890123456789012345678901234567890123456789012345678901234",
         {0},
         " | nobody bears a234567890123456789012345678901234567890123456789012345678901234"},
        {"the uid that is nobody's number is nobody",
         "nobody-at-all",
         {NOBODY},
         " | nobody bears nobody-at-all"},
        {"one name with two uids is the first", "twice", {1012}, "1011 twice+: twice; 1012 twice:"},
        {"an account that is in no list, by name and in groups",
         "rita @remote @mixed",
         {0},
         "1002 bob+: @mixed; 9001 rita+: rita @remote @mixed"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        size_t n_uids = 0;

        while (n_uids < 2 && CASES[i].uids[n_uids])
            n_uids++;
        ask_list(&told, policy_of(&policies[0], CASES[i].policy), CASES[i].uids, n_uids);
        wait_told(&told, 10);
        if (told.error != 0 || strcmp(told.text, CASES[i].then) != 0)
            fail_msg("%s: error %d, %s", CASES[i].says, told.error, told.text);
    }
}

/* A group `big` (3000) of n members m00000.. (uid 10000..). */
static void put_big_group(size_t n)
{
    char *passwd = NULL, *group = NULL;
    size_t len;
    FILE *p = open_memstream(&passwd, &len), *g = open_memstream(&group, &len);

    fputs(PASSWD, p);
    fputs(GROUP "big:x:3000:", g);
    for (size_t i = 0; i < n; i++) {
        fprintf(p, "m%05zu:x:%zu:100::/:/bin/sh\n", i, 10000 + i);
        fprintf(g, "%sm%05zu", i > 0 ? "," : "", i);
    }
    fputs("\n", g);
    fclose(p);
    fclose(g);
    put_file("passwd", passwd);
    put_file("group", group);
    free(passwd);
    free(group);
}

static void a_group_of_two_thousand_is_listed_whole(void **state)
{
    (void)state;
    put_big_group(2000);
    ask_list(&told, policy_of(&policies[0], "@big m00007"), NULL, 0);
    wait_told(&told, 30);
    assert_int_equal(told.error, 0);
    assert_int_equal(told.n, 2000);
    assert_non_null(strstr(told.text, "10000 m00000+: @big;"));
    assert_non_null(strstr(told.text, "10007 m00007+: @big m00007;"));
    assert_non_null(strstr(told.text, "11999 m01999+: @big"));
}

static void of_a_larger_group_some_are_listed_and_all_are_members(void **state)
{
    (void)state;
    put_big_group(5000);
    ask_list(&told, policy_of(&policies[0], "@big"), NULL, 0);
    wait_told(&told, 60);
    assert_int_equal(told.error, 0);
    assert_int_equal(told.n, PEOPLE_MEMBERS_MAX);
    ask_name(&told, "m04999");
    wait_told(&told, 10);
    assert_string_equal(told.text, "14999 m04999: @big");
}

static void a_person_in_too_many_groups_is_a_failure_and_not_a_stranger(void **state)
{
    char *group = NULL;
    size_t len;
    FILE *g = open_memstream(&group, &len);

    (void)state;
    fputs(GROUP, g);
    for (size_t i = 0; i < 1100; i++)
        fprintf(g, "g%zu:x:%zu:%s\n", i, 5000 + i, i < 1000 ? "bob,dave" : "dave");
    fclose(g);
    put_file("group", group);
    free(group);
    list_policy("@g3 @g999 @g1099");
    ask_name(&told, "bob");
    wait_told(&told, 10);
    assert_string_equal(told.text, "1002 bob: @g3 @g999");
    ask_name(&told, "dave");
    wait_told(&told, 10);
    assert_string_equal(told.text, "E2BIG");
}

static void a_slow_group_has_time_as_long_as_it_goes_on(void **state)
{
    (void)state;
    ask_list(&told, policy_of(&policies[0], "@slow"), NULL, 0);
    turn_for(3.5);
    assert_false(told.done);
    ask_name(&told2, "bob"); /* and keeps nobody else waiting */
    wait_told(&told2, 2);
    wait_told(&told, 20);
    assert_int_equal(told.error, 0);
    assert_int_equal(told.n, 8);
}

static void one_listing_at_a_time(void **state)
{
    (void)state;
    ask_list(&told, policy_of(&policies[0], "bob"), NULL, 0);
    assert_int_equal(people_list(people, &policies[0], NULL, 0, on_listed, &told2), -EBUSY);
    wait_told(&told, 10);
    list_policy("bob");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_listing_finds_everybody_whom_the_policy_names),
        TEST(a_group_of_two_thousand_is_listed_whole),
        TEST(of_a_larger_group_some_are_listed_and_all_are_members),
        TEST(a_person_in_too_many_groups_is_a_failure_and_not_a_stranger),
        TEST(a_slow_group_has_time_as_long_as_it_goes_on),
        TEST(one_listing_at_a_time),
    };

    return run_people_tests("people: listings", tests, sizeof tests / sizeof tests[0]);
}
