/* What AWS has, from the pieces that come of the courier: what is taken, what is refused, and how
 * long it takes to find something in a large organisation. */
#include "core/policy.h"
#include "core/request.h"
#include "ipc/roll.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#define SIZE(array) (sizeof(array) / sizeof(array)[0])

static char packet[TEAM_PACKET_MAX];
static struct wire_out out;

/* "KIND=account|ACCOUNT=1..." becomes a row. */
static void put_row(const char *words)
{
    static const struct {
        const char *name;
        enum team_tag tag;
    } FIELDS[] = {
#define X(name, tag, max, class, times) {#name, TEAM_##name},
        TEAM_FIELDS(X)
#undef X
    };
    struct wire_mark mark = wire_group(&out, TEAM_ROW);

    while (*words) {
        size_t n = strcspn(words, "|"), name = strcspn(words, "="), i = 0;

        while (strncmp(FIELDS[i].name, words, name) != 0 || FIELDS[i].name[name] != '\0')
            i++;
        wire_put_n(&out, FIELDS[i].tag, words + name + 1, n - name - 1);
        words += n + (words[n] == '|');
    }
    wire_group_end(&out, mark);
    assert_false(out.bad);
}

/* Rows, one a line. */
static int add(struct roll *r, const char *rows)
{
    char copy[4096], *at = copy, *line;
    struct wire_msg msg;

    out = wire_begin(packet, sizeof packet, TEAM_ASK, TEAM_OP_READ);
    snprintf(copy, sizeof copy, "%s", rows);
    while ((line = strsep(&at, "\n")))
        if (*line)
            put_row(line);
    assert_int_equal(wire_read(packet, wire_finish(&out), &msg), WIRE_OK);
    return roll_add(r, msg.fields);
}

#define ORG                                                                        \
    "KIND=org|OWN_ACCOUNT=999900001111|MANAGEMENT=888800001111|IDENTITY=arn:aws:x" \
    "|INSTANCE=arn:aws:sso:::instance/ssoins-1\n"

static struct directory *directory_of(const char *rows)
{
    struct roll *r = roll_new();
    struct directory *d = NULL;

    assert_non_null(r);
    assert_int_equal(add(r, rows), 0);
    assert_int_equal(roll_finish(r, (struct wall){7}, &d), 0);
    return d;
}

static void rows_become_a_directory(void **state)
{
    struct directory *d = directory_of(
        ORG "KIND=unit|UNIT=r-ab12|LABEL=Root\nKIND=unit|UNIT=ou-ab12-11111111|LABEL=Work|PARENT=r-"
            "ab12\n"
            "KIND=account|ACCOUNT=222222223333|LABEL=prod|PARENT=ou-ab12-11111111|STATE=active\n"
            "KIND=account|ACCOUNT=011122223333|LABEL=dev|PARENT=r-ab12|STATE=suspended\n"
            "KIND=account|ACCOUNT=333322223333|LABEL=lost\n"
            "KIND=set|SET_ARN=x/ps-b|PERMISSION_SET=Read|SESSION_S=3600|MANAGED=1\n"
            "KIND=set|SET_ARN=x/ps-a|PERMISSION_SET=Admin|SESSION_S=43200\n"
            "KIND=user|PRINCIPAL=u-2|LABEL=bob\nKIND=user|PRINCIPAL=u-1|LABEL=alice\n"
            "KIND=group|PRINCIPAL=g-2|LABEL=ops\nKIND=group|PRINCIPAL=g-1|LABEL=leads\n"
            "KIND=members|PRINCIPAL=g-2|MEMBERS=0,1\nKIND=members|PRINCIPAL=g-1|MEMBERS=1,1\n"
            "KIND=comet|LABEL=of a newer courier\n");
    uint32_t alice = directory_user(d, "alice"), bob = directory_user(d, "bob");
    uint32_t at = 0;
    uint32_t ops = directory_group(d, "ops"), leads = directory_group(d, "leads");
    char path[64];
    struct text t = text_over(path, sizeof path);

    (void)state;
    assert_int_equal(d->as_of.us, 7);
    assert_string_equal(d->own, "999900001111");
    assert_string_equal(dir_text(d, d->identity), "arn:aws:x");
    assert_int_equal(d->n_accounts, 3);
    assert_true(directory_account(d, "011122223333")->suspended);
    assert_true(directory_account(d, "333322223333")->suspended); /* nobody said that it is not */
    assert_false(directory_account(d, "222222223333")->suspended);
    assert_null(directory_account(d, "222222223334"));
    assert_true(directory_below(d, "222222223333", "r-ab12"));
    assert_false(directory_below(d, "011122223333", "ou-ab12-11111111"));
    assert_false(directory_below(d, "333322223333", "r-ab12"));
    directory_put_path(d, directory_account(d, "222222223333"), &t);
    assert_string_equal(path, "Root/Work");
    assert_string_equal(dir_text(d, directory_set(d, "Admin")->arn), "x/ps-a");
    assert_int_equal(directory_set(d, "Admin")->session_s, 43200);
    assert_true(directory_set(d, "Read")->managed);
    assert_null(directory_set(d, "Root"));
    assert_string_equal(dir_text(d, d->users[alice - 1].id), "u-1");
    assert_true(directory_member(d, alice, ops) && directory_member(d, bob, ops));
    assert_true(directory_member(d, alice, leads));
    assert_false(directory_member(d, bob, leads));
    assert_false(directory_member(d, 0, leads) || directory_member(d, alice, 0));
    assert_int_equal(directory_members(d, ops, alice), 1);
    assert_int_equal(directory_members(d, leads, 0), 1); /* who is listed twice is one */
    assert_int_equal(directory_members(d, 0, 0), 0);
    assert_int_equal(directory_each_member(d, ops, &at), alice);
    assert_int_equal(directory_each_member(d, ops, &at), bob);
    assert_int_equal(directory_each_member(d, ops, &at), 0);
    at = 0;
    assert_int_equal(directory_each_member(d, 0, &at), 0);
    roll_free_directory(d);
}

static void a_region_is_known_if_it_was_told(void **state)
{
    struct directory *d = directory_of(ORG);

    (void)state;
    assert_int_equal(d->region, 0);
    roll_free_directory(d);
    d = directory_of("KIND=org|OWN_ACCOUNT=999900001111|MANAGEMENT=888800001111|IDENTITY=arn:aws:x"
                     "|INSTANCE=arn:aws:sso:::instance/ssoins-1|SSO_REGION=eu-west-1\n");
    assert_string_equal(dir_text(d, d->region), "eu-west-1");
    roll_free_directory(d);
}

static void what_comes_twice_counts_once(void **state)
{
    struct directory *d = directory_of(
        ORG "KIND=unit|UNIT=r-ab12|LABEL=Root\nKIND=unit|UNIT=r-ab12|LABEL=Root\n"
            "KIND=account|ACCOUNT=222222223333|LABEL=prod|PARENT=r-ab12|STATE=active\n"
            "KIND=account|ACCOUNT=222222223333|LABEL=prod|PARENT=r-ab12|STATE=active\n"
            "KIND=set|SET_ARN=x/ps-b|PERMISSION_SET=Read|SESSION_S=3600\n"
            "KIND=set|SET_ARN=x/ps-b|PERMISSION_SET=Read|SESSION_S=3600\n"
            "KIND=user|PRINCIPAL=u-1|LABEL=alice\nKIND=user|PRINCIPAL=u-1|LABEL=alice\n"
            "KIND=user|PRINCIPAL=u-2|LABEL=twin\nKIND=user|PRINCIPAL=u-3|LABEL=twin\n"
            "KIND=group|PRINCIPAL=g-1|LABEL=ops\nKIND=group|PRINCIPAL=g-1|LABEL=ops\n"
            "KIND=members|PRINCIPAL=g-1|MEMBERS=0,1,3\n");

    (void)state;
    assert_int_equal(d->n_accounts, 1);
    assert_int_equal(d->n_sets, 1);
    assert_int_equal(d->n_users, 3);
    assert_int_equal(d->n_groups, 1);
    assert_int_equal(d->n_members, 2);
    assert_true(directory_member(d, directory_user(d, "alice"), directory_group(d, "ops")));
    assert_int_equal(directory_user(d, "twin"), 0); /* two people: nobody */
    roll_free_directory(d);
}

static void nothing_is_a_directory_too(void **state)
{
    struct directory *d = directory_of(ORG);

    (void)state;
    assert_null(directory_account(d, "222222223333"));
    assert_null(directory_set(d, "x"));
    assert_int_equal(directory_user(d, "x") + directory_group(d, "x"), 0);
    assert_null(directory_account(NULL, "222222223333"));
    assert_null(directory_set(NULL, "x"));
    assert_int_equal(directory_user(NULL, "x") + directory_group(NULL, "x"), 0);
    assert_false(directory_member(NULL, 1, 1));
    roll_free_directory(d);
    assert_null(roll_free_directory(NULL));
    assert_null(roll_free(NULL));
}

static void accounts_are_found_by_their_names(void **state)
{
    static const struct {
        const char *text, *is, *why; /* `is` NULL: refused */
    } CASES[] = {
        {"aws:prod/Admin", "aws:222222223333/Admin", ""},
        {"aws:a/b/Admin", "aws:333322223333/Admin", ""},
        {"aws:222222223333/Admin", "aws:222222223333/Admin", ""},
        {"sudo", "host:bastion-1/sudo", ""},
        {"aws:twin/Admin", NULL,
         "more than one account is called twin; ask by its number: 000000000000, 000000000001, "
         "000000000002, 000000000003"},
        {"aws:pair/Admin", NULL,
         "more than one account is called pair; ask by its number: 444400000000, 444400000001\n"},
        {"aws:nobody/Admin", NULL, "no account of AWS is called nobody; see teamctl targets"},
        {"aws:prod/", NULL, "what stands after the slash is"},
        {"aws:prod", NULL, "a target is"},
        {"host:/sudo", NULL, "what stands before the slash is"},
        {"aws:/", NULL, "no account of AWS is called ;"},
    };
    char rows[4096] = ORG "KIND=account|ACCOUNT=222222223333|LABEL=prod\n"
                          "KIND=account|ACCOUNT=333322223333|LABEL=a/b\n";
    struct directory *d;

    (void)state;
    for (int i = 0; i < 6; i++)
        snprintf(rows + strlen(rows), sizeof rows - strlen(rows),
                 "KIND=account|ACCOUNT=%012d|LABEL=twin\n", i);
    snprintf(rows + strlen(rows), sizeof rows - strlen(rows),
             "KIND=account|ACCOUNT=444400000000|LABEL=pair\n"
             "KIND=account|ACCOUNT=444400000001|LABEL=pair\n");
    d = directory_of(rows);
    for (size_t i = 0; i < SIZE(CASES); i++) {
        char why[WHY_CAP] = "", text[TARGET_TEXT_CAP];
        struct target t;
        enum target_error e = directory_parse(d, CASES[i].text, strlen(CASES[i].text), "bastion-1",
                                              &t, why);

        if ((e == TARGET_OK) != (CASES[i].is != NULL))
            fail_msg("%s: %s", CASES[i].text, why);
        why[strlen(why)] = '\n'; /* where the whole of it is told */
        assert_memory_equal(why, CASES[i].why, strlen(CASES[i].why));
        if (e == TARGET_OK) {
            target_text(&t, text);
            assert_string_equal(text, CASES[i].is);
        }
    }
    roll_free_directory(d);
}

/* The id of a set is the end of its ARN, and what is too long for it, the end of that. */
static void a_set_is_known_by_the_end_of_its_arn(void **state)
{
    (void)state;
    assert_string_equal(set_id("arn:aws:sso:::permissionSet/ssoins-1/ps-0123456789abcdef"),
                        "ps-0123456789abcdef");
    assert_string_equal(set_id("x"), "x");
    assert_string_equal(set_id("a/0123456789012345678901234567"), "56789012345678901234567");
}

static const struct {
    const char *says, *rows;
} REFUSED[] = {
    {"an org without its account", "KIND=org|MANAGEMENT=888800001111|IDENTITY=x|INSTANCE=x\n"},
    {"an org whose account is none",
     "KIND=org|OWN_ACCOUNT=99990000111x|MANAGEMENT=888800001111|IDENTITY=x|INSTANCE=x\n"},
    {"an org without an instance",
     "KIND=org|OWN_ACCOUNT=999900001111|MANAGEMENT=888800001111|IDENTITY=x\n"},
    {"an org that comes twice", ORG ORG},
    {"a unit without an id", ORG "KIND=unit|LABEL=x\n"},
    {"a unit below what is not there",
     ORG "KIND=unit|UNIT=ou-ab12-11111111|LABEL=x|PARENT=r-ab12\n"},
    {"an account of eleven digits", ORG "KIND=account|ACCOUNT=22222222333|LABEL=x\n"},
    {"an account without a name", ORG "KIND=account|ACCOUNT=222222223333\n"},
    {"an account below what is not there",
     ORG "KIND=account|ACCOUNT=222222223333|LABEL=x|PARENT=r-ab12\n"},
    {"a set without a session", ORG "KIND=set|SET_ARN=x|PERMISSION_SET=x\n"},
    {"a set whose session is longer than can be",
     ORG "KIND=set|SET_ARN=x|PERMISSION_SET=x|SESSION_S=9999999999\n"},
    {"a set without an ARN", ORG "KIND=set|PERMISSION_SET=x|SESSION_S=1\n"},
    {"a user without a name", ORG "KIND=user|PRINCIPAL=x\n"},
    {"a group without an id", ORG "KIND=group|LABEL=x\n"},
    {"members of no group", ORG "KIND=members|PRINCIPAL=g-1|MEMBERS=0\n"},
    {"members of nobody's group", ORG "KIND=members|MEMBERS=0\n"},
    {"members that are not there",
     ORG "KIND=user|PRINCIPAL=u|LABEL=u\nKIND=group|PRINCIPAL=g|LABEL=g\n"
         "KIND=members|PRINCIPAL=g|MEMBERS=0,1\n"},
    {"members that are no numbers",
     ORG "KIND=user|PRINCIPAL=u|LABEL=u\nKIND=group|PRINCIPAL=g|LABEL=g\n"
         "KIND=members|PRINCIPAL=g|MEMBERS=0,,0\n"},
};

static void what_cannot_be_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < SIZE(REFUSED); i++) {
        struct roll *r = roll_new();

        if (add(r, REFUSED[i].rows) != -EBADMSG)
            fail_msg("%s is taken", REFUSED[i].says);
        roll_free(r);
    }
}

static void the_whole_has_to_make_sense(void **state)
{
    struct roll *r = roll_new();
    struct directory *d = NULL;

    (void)state;
    assert_int_equal(add(r, "KIND=user|PRINCIPAL=u|LABEL=u\n"), 0);
    assert_int_equal(roll_finish(r, (struct wall){1}, &d), -EBADMSG); /* no org */
    r = roll_new();
    assert_int_equal(add(r, ORG "KIND=set|SET_ARN=x/1|PERMISSION_SET=x|SESSION_S=1\n"
                                "KIND=set|SET_ARN=x/2|PERMISSION_SET=x|SESSION_S=1\n"),
                     0);
    assert_int_equal(roll_finish(r, (struct wall){1}, &d), -EBADMSG);
    assert_null(d);
}

static void more_than_there_is_room_for_is_refused(void **state)
{
    struct roll *r = roll_new();
    char row[128];
    int e = add(r, ORG);

    (void)state;
    for (int i = 0; e == 0 && i <= ROLL_SETS_MAX; i++) {
        snprintf(row, sizeof row, "KIND=set|SET_ARN=x/%d|PERMISSION_SET=s%d|SESSION_S=1\n", i, i);
        e = add(r, row);
    }
    assert_int_equal(e, -E2BIG);
    roll_free(r);
}

/* ---- how large, how fast ----------------------------------------------------------------------
 */

static struct roll *large;

static void flush(void)
{
    struct wire_msg msg;

    assert_int_equal(wire_read(packet, wire_finish(&out), &msg), WIRE_OK);
    assert_int_equal(roll_add(large, msg.fields), 0);
    out = wire_begin(packet, sizeof packet, TEAM_ASK, TEAM_OP_READ);
}

__attribute__((format(printf, 1, 2))) static void put(const char *format, ...)
{
    char row[4096];
    va_list args;

    va_start(args, format);
    vsnprintf(row, sizeof row, format, args);
    va_end(args);
    row[strcspn(row, "\n")] = '\0';
    put_row(row);
    if (out.len > 40000)
        flush();
}

static double now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* 2,000 accounts five levels deep, 300 sets, 20,000 users and 2,000 groups of 20. */
static struct directory *large_directory(void)
{
    struct directory *d = NULL;

    large = roll_new();
    out = wire_begin(packet, sizeof packet, TEAM_ASK, TEAM_OP_READ);
    put(ORG);
    put("KIND=unit|UNIT=r-ab12|LABEL=Root");
    for (int i = 0; i < 5; i++) {
        char parent[40] = "r-ab12";

        if (i > 0)
            snprintf(parent, sizeof parent, "ou-ab12-%08d", i - 1);
        put("KIND=unit|UNIT=ou-ab12-%08d|LABEL=Level %d|PARENT=%s", i, i, parent);
    }
    for (int i = 0; i < 2000; i++)
        put("KIND=account|ACCOUNT=%012d|LABEL=account %d|PARENT=ou-ab12-%08d|STATE=active", i, i,
            i % 5);
    for (int i = 0; i < 300; i++)
        put("KIND=set|SET_ARN=arn:aws:sso:::permissionSet/ssoins-1/"
            "ps-%d|PERMISSION_SET=Set%d|SESSION_S=3600",
            i, i);
    for (int i = 0; i < 20000; i++)
        put("KIND=user|PRINCIPAL=906789abcd-12345678-1234-1234-1234-%012d|LABEL=user%d@example.com",
            i, i);
    for (int i = 0; i < 2000; i++) {
        put("KIND=group|PRINCIPAL=12345678-1234-1234-1234-%012d|LABEL=group %d", i, i);
        put("KIND=members|PRINCIPAL=12345678-1234-1234-1234-%012d|MEMBERS=%d,%d,%d,%d", i, i, i + 1,
            i + 2000, i + 18000);
    }
    flush();
    assert_int_equal(roll_finish(large, (struct wall){1}, &d), 0);
    return d;
}

static struct policy policy;

/* 512 policies with four patterns each, the last of which alone fits. */
static void fill_policy(void)
{
    policy_init(&policy, "bastion-1");
    policy.aws = true;
    for (int i = 0; i < RULES_MAX; i++) {
        struct eligibility *e = &policy.eligibility[policy.n_eligibility++];

        principals_add(&e->who, 0);
        e->max_duration_s = 3600;
        e->targets = (struct patterns){policy.n_patterns, 4};
        for (int j = 0; j < 4; j++) {
            char text[64];
            bool last = i + 1 == RULES_MAX && j == 3;

            snprintf(text, sizeof text, last ? "aws:r-ab12/Set%d" : "aws:ou-ab12-99999999/Set%d",
                     299);
            assert_int_equal(
                pattern_parse(text, strlen(text), &policy.patterns[policy.n_patterns++]), 0);
        }
    }
}

/* What it takes to look at every pattern of the policy once, as text. */
static void read_every_pattern(void)
{
    struct target t;

    for (size_t i = 0; i < policy.n_patterns; i++) {
        char text[TARGET_TEXT_CAP];

        target_text(&policy.patterns[i], text);
        assert_int_equal(pattern_parse(text, strlen(text), &t), TARGET_OK);
    }
}

static void a_decision_costs_little_more_than_reading_the_policy(void **state)
{
    struct directory *d = large_directory();
    struct person who = {.uid = 1};
    struct target t;
    double best = 1e9, reading = 1e9;

    (void)state;
    principals_add(&who.is, 0);
    fill_policy();
    assert_int_equal(target_parse("aws:000000001999/Set299", 23, "", &t), TARGET_OK);
    for (int i = 0; i < 20; i++) {
        double from = now_ms();

        assert_true(policy_eligible(&policy, d, &who, &t, 60).allowed);
        if (now_ms() - from < best)
            best = now_ms() - from;
        from = now_ms();
        read_every_pattern();
        if (now_ms() - from < reading)
            reading = now_ms() - from;
    }
    printf("# a decision over 512 policies and 2,048 OUs: %.3f ms, %.1f x reading them\n", best,
           best / reading);
    assert_true(best < 5 * reading); /* about two; each look into the tree more costs as much */
    assert_int_equal(d->n_users, 20000);
    assert_int_equal(d->n_members, 8000);
    roll_free_directory(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_become_a_directory),
        cmocka_unit_test(a_region_is_known_if_it_was_told),
        cmocka_unit_test(what_comes_twice_counts_once),
        cmocka_unit_test(nothing_is_a_directory_too),
        cmocka_unit_test(accounts_are_found_by_their_names),
        cmocka_unit_test(a_set_is_known_by_the_end_of_its_arn),
        cmocka_unit_test(what_cannot_be_is_refused),
        cmocka_unit_test(the_whole_has_to_make_sense),
        cmocka_unit_test(more_than_there_is_room_for_is_refused),
        cmocka_unit_test(a_decision_costs_little_more_than_reading_the_policy),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
