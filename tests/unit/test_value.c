/* Targets and patterns: what may be written, what it means, and what covers what. */
#include "core/value.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#define COUNT(a) (sizeof(a) / sizeof(a)[0])

/* ---- reading a target ----------------------------------------------------------------------- */

#define X31 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define X32 X31 "x"
#define X64 X32 X32

static const struct {
    const char *says, *given;
    enum target_error error;
    const char *means;
} TARGETS[] = {
    {"a bare service is this host's", "sudo", TARGET_OK, "host:here/sudo"},
    {"a bare service may hold . _ -", "a.b_c-9Z", TARGET_OK, "host:here/a.b_c-9Z"},
    {"a bare service has at most 31 characters", X31, TARGET_OK, "host:here/" X31},
    {"a bare service of 32 characters is too long", X32, TARGET_BAD_FORM, NULL},
    {"a bare service has no wildcard", "su*", TARGET_BAD_FORM, NULL},
    {"a bare service has no blank", "su do", TARGET_BAD_FORM, NULL},
    {"nothing is no target", "", TARGET_BAD_FORM, NULL},
    {"a host's target names host and service", "host:bastion-1/sudo", TARGET_OK,
     "host:bastion-1/sudo"},
    {"a host's name may hold . - _", "host:a.b-c_d/su", TARGET_OK, "host:a.b-c_d/su"},
    {"a host's name keeps its case", "host:Bastion/su", TARGET_OK, "host:Bastion/su"},
    {"a host's name has at most 64 characters", "host:" X64 "/su", TARGET_OK, "host:" X64 "/su"},
    {"a host's name of 65 characters is too long", "host:" X64 "x/su", TARGET_BAD_PLACE, NULL},
    {"a host's name cannot be empty", "host:/sudo", TARGET_BAD_PLACE, NULL},
    {"a host's name has no blank", "host:a b/sudo", TARGET_BAD_PLACE, NULL},
    {"a host's name has no bracket", "host:a[b/sudo", TARGET_BAD_PLACE, NULL},
    {"a host's name has no tilde", "host:a~b/sudo", TARGET_BAD_PLACE, NULL},
    {"a target has no wildcard in its place", "host:bastion-*/sudo", TARGET_BAD_PLACE, NULL},
    {"a target has no question mark in its place", "host:bastion-?/sudo", TARGET_BAD_PLACE, NULL},
    {"a target has no wildcard in its service", "host:bastion/*", TARGET_BAD_WHAT, NULL},
    {"a name may have every letter", "host:azAZ/azAZ", TARGET_OK, "host:azAZ/azAZ"},
    {"a service cannot be empty", "host:bastion/", TARGET_BAD_WHAT, NULL},
    {"a service has no second slash", "host:bastion/sudo/x", TARGET_BAD_WHAT, NULL},
    {"a service has no plus", "host:bastion/a+b", TARGET_BAD_WHAT, NULL},
    {"a service of 31 characters fits", "host:b/" X31, TARGET_OK, "host:b/" X31},
    {"a service of 32 characters does not", "host:b/" X32, TARGET_BAD_WHAT, NULL},
    {"a host without a service is no target", "host:bastion", TARGET_BAD_FORM, NULL},
    {"the prefix alone is no target", "host:", TARGET_BAD_FORM, NULL},
    {"another prefix is no target", "gcp:bastion/sudo", TARGET_BAD_FORM, NULL},
    {"the prefix is lower case", "HOST:bastion/sudo", TARGET_BAD_FORM, NULL},
    {"no prefix and a slash is no target", "bastion/sudo", TARGET_BAD_FORM, NULL},
    {"an account is 12 digits", "aws:111122223333/AdministratorAccess", TARGET_OK,
     "aws:111122223333/AdministratorAccess"},
    {"a permission set may hold _ + = , . @ -", "aws:111122223333/a_+=,.@-Z9", TARGET_OK,
     "aws:111122223333/a_+=,.@-Z9"},
    {"a permission set of 32 characters fits", "aws:111122223333/" X32, TARGET_OK,
     "aws:111122223333/" X32},
    {"a permission set of 33 does not", "aws:111122223333/" X32 "x", TARGET_BAD_WHAT, NULL},
    {"a permission set has no blank", "aws:111122223333/a b", TARGET_BAD_WHAT, NULL},
    {"11 digits are no account", "aws:11112222333/Admin", TARGET_BAD_PLACE, NULL},
    {"13 digits are no account", "aws:1111222233334/Admin", TARGET_BAD_PLACE, NULL},
    {"letters are no account", "aws:11112222333x/Admin", TARGET_BAD_PLACE, NULL},
    {"a sign is no digit", "aws:-11112222333/Admin", TARGET_BAD_PLACE, NULL},
    {"an OU is no target", "aws:ou-ab12-11111111/Admin", TARGET_BAD_PLACE, NULL},
    {"an account has no wildcard", "aws:11112222333*/Admin", TARGET_BAD_PLACE, NULL},
    {"an account without a permission set is no target", "aws:111122223333", TARGET_BAD_FORM, NULL},
    {"the prefix of AWS alone is no target", "aws:", TARGET_BAD_FORM, NULL},
};

static void what_a_target_may_look_like(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(TARGETS); i++) {
        struct target t = {.kind = 99};
        char out[TARGET_TEXT_CAP];
        enum target_error e = target_parse(TARGETS[i].given, strlen(TARGETS[i].given), "here", &t);

        if (e != TARGETS[i].error)
            fail_msg("%s: %s: %d", TARGETS[i].says, TARGETS[i].given, (int)e);
        if (e != TARGET_OK) {
            assert_int_equal(t.kind, 99); /* written only on success */
            continue;
        }
        target_text(&t, out);
        assert_string_equal(out, TARGETS[i].means);
    }
}

static void a_nul_inside_is_no_part_of_a_target(void **state)
{
    struct target t;

    (void)state;
    assert_int_equal(target_parse("su\0do", 5, "here", &t), TARGET_BAD_FORM);
    assert_int_equal(target_parse("host:a\0/sudo", 12, "here", &t), TARGET_BAD_PLACE);
    assert_int_equal(target_parse("host:a/su\0o", 11, "here", &t), TARGET_BAD_WHAT);
    assert_int_equal(target_parse("sudo/garbage", 4, "here", &t), TARGET_OK);
}

static const struct {
    const char *says, *given;
    enum target_error error;
    bool directory;
} PATTERNS[] = {
    {"a target is a pattern", "host:bastion-1/sudo", TARGET_OK, false},
    {"both parts may hold wildcards", "host:b?st*/s*", TARGET_OK, false},
    {"a pattern is never a bare service", "sudo", TARGET_BAD_FORM, false},
    {"a wildcard takes no other characters with it", "host:*$/sudo", TARGET_BAD_PLACE, false},
    {"every account", "aws:*/ReadOnlyAccess", TARGET_OK, false},
    {"accounts by a prefix", "aws:1111*/*", TARGET_OK, false},
    {"accounts by question marks", "aws:11112222333?/*", TARGET_OK, false},
    {"an account's wildcard stands among digits", "aws:prod-*/*", TARGET_BAD_PLACE, false},
    {"an account's pattern is not longer than an account", "aws:1111222233334*/*", TARGET_BAD_PLACE,
     false},
    {"an account without wildcard is 12 digits", "aws:1111/*", TARGET_BAD_PLACE, false},
    {"an account is needed", "aws:/*", TARGET_BAD_PLACE, false},
    {"a root", "aws:r-ab12/*", TARGET_OK, true},
    {"a root has 4 characters at least", "aws:r-ab1/*", TARGET_BAD_PLACE, false},
    {"a root has 32 at most", "aws:r-" X32 "/*", TARGET_OK, true},
    {"and not 33", "aws:r-" X32 "x/*", TARGET_BAD_PLACE, false},
    {"a root is lower case", "aws:r-AB12/*", TARGET_BAD_PLACE, false},
    {"a root has no punctuation", "aws:r-ab.2/*", TARGET_BAD_PLACE, false},
    {"a root has no tilde", "aws:r-ab~2/*", TARGET_BAD_PLACE, false},
    {"a root's prefix alone", "aws:r-/*", TARGET_BAD_PLACE, false},
    {"an OU", "aws:ou-ab12-11111111/*", TARGET_OK, true},
    {"an OU of every letter", "aws:ou-az09-azazaz09/*", TARGET_OK, true},
    {"an OU's prefix alone", "aws:ou-/*", TARGET_BAD_PLACE, false},
    {"an OU has two parts", "aws:ou-ab12/*", TARGET_BAD_PLACE, false},
    {"an OU's first part has 4 characters at least", "aws:ou-ab1-11111111/*", TARGET_BAD_PLACE,
     false},
    {"an OU's second part has 8 at least", "aws:ou-ab12-1111111/*", TARGET_BAD_PLACE, false},
    {"an OU's second part has 32 at most", "aws:ou-ab12-" X32 "x/*", TARGET_BAD_PLACE, false},
    {"an OU begins with ou-", "aws:xyzab12-11111111/*", TARGET_BAD_PLACE, false},
    {"an OU has no wildcard", "aws:ou-ab12-1111111*/*", TARGET_BAD_PLACE, false},
    {"a host may be called like a root", "host:r-ab12/sudo", TARGET_OK, false},
};

static void what_a_pattern_may_look_like(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(PATTERNS); i++) {
        struct target t;
        enum target_error e = pattern_parse(PATTERNS[i].given, strlen(PATTERNS[i].given), &t);

        if (e != PATTERNS[i].error)
            fail_msg("%s: %s: %d", PATTERNS[i].says, PATTERNS[i].given, (int)e);
        if (e == TARGET_OK && pattern_needs_directory(&t) != PATTERNS[i].directory)
            fail_msg("%s: %s: needs the directory", PATTERNS[i].says, PATTERNS[i].given);
    }
}

/* ---- matching ------------------------------------------------------------------------------- */

static const struct {
    const char *says, *pattern, *target;
    bool covers;
} COVERS[] = {
    {"the same", "host:bastion-1/sudo", "host:bastion-1/sudo", true},
    {"another service", "host:bastion-1/sudo", "host:bastion-1/su", false},
    {"another host", "host:bastion-1/sudo", "host:bastion-2/sudo", false},
    {"a host that only begins so", "host:bastion/sudo", "host:bastion-1/sudo", false},
    {"a host that is only the beginning", "host:bastion-1/sudo", "host:bastion/sudo", false},
    {"hosts compare without case", "host:Bastion-1/sudo", "host:bASTION-1/sudo", true},
    {"services compare with case", "host:bastion-1/Sudo", "host:bastion-1/sudo", false},
    {"a star is any run", "host:bastion-*/sudo", "host:bastion-17.example.org/sudo", true},
    {"a star is an empty run too", "host:bastion-1*/sudo", "host:bastion-1/sudo", true},
    {"a star does not cross the slash", "host:bastion*", "host:bastion/sudo", false},
    {"a star that has to come back", "host:*ab*abc/sudo", "host:xababxababc/sudo", true},
    {"a star that comes back in vain", "host:*ab*abd/sudo", "host:xababxababc/sudo", false},
    {"what follows a star stands together", "host:*abc/sudo", "host:ab-c/sudo", false},
    {"a star that comes back begins anew", "host:*aab/sudo", "host:aaab/sudo", true},
    {"stars at the end", "host:bastion**/sudo", "host:bastion/sudo", true},
    {"a star in front, and something after", "host:*x/sudo", "host:bastion/sudo", false},
    {"a question mark is one character", "host:bastion-?/sudo", "host:bastion-1/sudo", true},
    {"and not none", "host:bastion-?/sudo", "host:bastion-/sudo", false},
    {"and not two", "host:bastion-?/sudo", "host:bastion-11/sudo", false},
    {"everything on every host", "host:*/*", "host:bastion/su", true},
    {"everything on hosts is nothing in AWS", "host:*/*", "aws:111122223333/Admin", false},
    {"everything in AWS is nothing on hosts", "aws:*/*", "host:bastion/sudo", false},
    {"an account and a permission set", "aws:111122223333/Admin", "aws:111122223333/Admin", true},
    {"permission sets compare with case", "aws:111122223333/Admin", "aws:111122223333/admin",
     false},
    {"every account", "aws:*/ReadOnly*", "aws:111122223333/ReadOnlyAccess", true},
    {"some accounts", "aws:2*/*", "aws:111122223333/ReadOnlyAccess", false},
    {"an OU covers nothing without the directory", "aws:ou-ab12-11111111/*",
     "aws:111122223333/Admin", false},
    {"a root covers nothing without the directory", "aws:r-ab12/*", "aws:111122223333/Admin",
     false},
};

static void what_covers_what(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(COVERS); i++) {
        struct target p, t;

        if (pattern_parse(COVERS[i].pattern, strlen(COVERS[i].pattern), &p) != TARGET_OK) {
            assert_false(COVERS[i].covers);
            continue;
        }
        assert_int_equal(target_parse(COVERS[i].target, strlen(COVERS[i].target), "here", &t), 0);
        if (pattern_covers(&p, &t) != COVERS[i].covers)
            fail_msg("%s: %s, %s", COVERS[i].says, COVERS[i].pattern, COVERS[i].target);
    }
}

static void a_long_pattern_of_stars_is_matched_in_no_time(void **state)
{
    struct target p, t;

    (void)state;
    assert_int_equal(pattern_parse("host:*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*b/x", 39, &p), 0);
    memset(&t, 0, sizeof t);
    t.kind = TARGET_HOST;
    memset(t.place, 'a', HOST_CAP - 1);
    t.what[0] = 'x';
    for (int i = 0; i < 10000; i++)
        assert_false(pattern_covers(&p, &t));
}

static const struct {
    const char *a, *b;
    bool equal;
} EQUAL[] = {
    {"host:bastion/sudo", "host:bastion/sudo", true},
    {"host:Bastion/sudo", "host:bastioN/sudo", true},
    {"host:AZ/sudo", "host:az/sudo", true},
    {"host:bastion/sudo", "host:bastion/su", false},
    {"host:bastion/sudo", "host:bastion1/sudo", false},
    {"host:bastion1/sudo", "host:bastion/sudo", false},
    {"host:bastion1/sudo", "host:bastion2/sudo", false},
    {"aws:111122223333/A", "aws:111122223333/A", true},
    {"aws:111122223333/A", "aws:111122223333/a", false},
    {"aws:111122223333/A", "aws:111122223334/A", false},
    {"host:111122223333/A", "aws:111122223333/A", false},
};

static void when_two_targets_are_one(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(EQUAL); i++) {
        struct target a, b;

        assert_int_equal(target_parse(EQUAL[i].a, strlen(EQUAL[i].a), "here", &a), TARGET_OK);
        assert_int_equal(target_parse(EQUAL[i].b, strlen(EQUAL[i].b), "here", &b), TARGET_OK);
        if (target_equal(&a, &b) != EQUAL[i].equal || target_equal(&b, &a) != EQUAL[i].equal)
            fail_msg("%s and %s", EQUAL[i].a, EQUAL[i].b);
    }
}

static void every_error_tells_what_is_right(void **state)
{
    (void)state;
    assert_string_equal(target_error_text(TARGET_OK), "fine");
    assert_non_null(strstr(target_error_text(TARGET_BAD_FORM), "host:NAME/SERVICE"));
    assert_string_equal(target_error_text((enum target_error)99),
                        target_error_text(TARGET_BAD_FORM));
    assert_non_null(strstr(target_error_text(TARGET_BAD_PLACE), "before the slash"));
    assert_non_null(strstr(target_error_text(TARGET_BAD_WHAT), "after the slash"));
}

/* ---- time and people ------------------------------------------------------------------------ */

static void a_deadline_has_passed_when_either_clock_is_there(void **state)
{
    static const struct {
        int64_t wall, boot;
        bool passed;
    } CASES[] = {{99, 49, false}, {100, 49, true}, {99, 50, true}, {100, 50, true}, {0, 0, false}};
    struct deadline d = {{100}, {50}};

    (void)state;
    for (size_t i = 0; i < COUNT(CASES); i++)
        assert_int_equal(deadline_passed(d, (struct now){{CASES[i].wall}, {CASES[i].boot}}),
                         CASES[i].passed);
}

static void sets_of_principals_meet_where_they_share_one(void **state)
{
    struct principals none = {{0}};

    (void)state;
    assert_false(principals_meet(&none, &none));
    for (size_t i = 0; i < PRINCIPALS_MAX; i++) {
        struct principals a = {{0}}, b = {{0}}, other = {{0}};

        principals_add(&a, i);
        principals_add(&b, i);
        principals_add(&b, (i + 1) % PRINCIPALS_MAX);
        principals_add(&other, (i + 64) % PRINCIPALS_MAX);
        assert_true(principals_meet(&a, &b));
        assert_false(principals_meet(&a, &other));
        assert_false(principals_meet(&a, &none));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_target_may_look_like),
        cmocka_unit_test(a_nul_inside_is_no_part_of_a_target),
        cmocka_unit_test(what_a_pattern_may_look_like),
        cmocka_unit_test(what_covers_what),
        cmocka_unit_test(a_long_pattern_of_stars_is_matched_in_no_time),
        cmocka_unit_test(when_two_targets_are_one),
        cmocka_unit_test(every_error_tells_what_is_right),
        cmocka_unit_test(a_deadline_has_passed_when_either_clock_is_there),
        cmocka_unit_test(sets_of_principals_meet_where_they_share_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
