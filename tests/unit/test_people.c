/* Who people are, asked of the real NSS in a private mount namespace: /etc/passwd, /etc/group and
 * /etc/nsswitch.conf are the test's own, and a stand-in service hangs, fails and is slow. Needs
 * root and a compiler for the stand-in; the program starts itself anew with it in the library path.
 */
#include "host/host.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* ---- a private user database ----------------------------------------------------------------- */

#define PASSWD                                                                                  \
    "root:x:0:0::/:/bin/sh\n"                                                                   \
    "alice:x:1001:1001::/:/bin/sh\n"                                                            \
    "alice2:x:1001:1001::/:/bin/sh\n"                                                           \
    "bob:x:1002:1002::/:/bin/sh\n"                                                              \
    "carol:x:1003:2001::/:/bin/sh\n"                                                            \
    "dave:x:1004:1004::/:/bin/sh\n"                                                             \
    "-dash:x:1005:2001::/:/bin/sh\n"                                                            \
    "two words:x:1006:2001::/:/bin/sh\n"                                                        \
    "a234567890123456789012345678901234567890123456789012345678901234:x:1007:2001::/:/bin/sh\n" \
    "a23456789012345678901234567890123456789012345678901234567890123:x:1008:1008::/:/bin/sh\n"  \
    "nobody-at-all:x:4294967295:2001::/:/bin/sh\n"                                              \
    "twice:x:1011:1011::/:/bin/sh\n"                                                            \
    "twice:x:1012:1012::/:/bin/sh\n"

#define GROUP                                       \
    "root:x:0:\n"                                   \
    "ops:x:2001:bob,alice2,ghost,-dash,two words\n" \
    "sre:x:2002:alice,dave\n"                       \
    "empty:x:2003:\n"                               \
    "ghosts:x:2004:ghost,phantom\n"                 \
    "twins:x:2005:alice,alice2,alice\n"             \
    "mixed:x:2006:rita,bob\n"

static char test_dir[256];

static void put_file(const char *name, const char *text)
{
    char path[300];
    int fd;

    snprintf(path, sizeof path, "%s/%s", test_dir, name);
    fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
}

static void remove_file(const char *name)
{
    char path[300];

    snprintf(path, sizeof path, "%s/%s", test_dir, name);
    unlink(path);
}

static bool bind_etc(const char *name)
{
    char from[300], to[300];

    snprintf(from, sizeof from, "%s/%s", test_dir, name);
    snprintf(to, sizeof to, "/etc/%s", name);
    return mount(from, to, "none", MS_BIND, NULL) == 0;
}

static void put_database(void)
{
    put_file("passwd", PASSWD);
    put_file("group", GROUP);
    put_file("nsswitch.conf", "passwd: files standin\ngroup: files standin\n");
}

static bool make_namespace(void)
{
    if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) < 0)
        return false;
    put_database();
    return bind_etc("passwd") && bind_etc("group") && bind_etc("nsswitch.conf");
}

/* ---- a policy in one line, a person in one line ---------------------------------------------- */

static struct policy policies[2];

static struct policy *policy_of(struct policy *p, const char *words)
{
    char copy[1024], *save = NULL;

    memset(p, 0, sizeof *p);
    snprintf(copy, sizeof copy, "%s", words);
    for (char *w = strtok_r(copy, " ", &save); w; w = strtok_r(NULL, " ", &save)) {
        struct principal *to = &p->principals[p->n_principals++];
        bool idc = strncmp(w, "@idc:", 5) == 0;

        to->kind = idc ? PRINCIPAL_IDC_GROUP : *w == '@' ? PRINCIPAL_GROUP : PRINCIPAL_USER;
        snprintf(to->name, sizeof to->name, "%s", idc ? w + 5 : *w == '@' ? w + 1 : w);
    }
    return p;
}

static bool has_bit(const struct principals *set, size_t i)
{
    return set->bits[i / 64] >> i % 64 & 1;
}

/* "1001 alice: alice @ops", with a + behind the name if listed. */
static void put_person(FILE *f, const struct policy *policy, const struct person *who)
{
    fprintf(f, "%u %s%s:", who->uid, who->name.text, who->listed ? "+" : "");
    for (size_t i = 0; i < PRINCIPALS_MAX; i++)
        if (has_bit(&who->is, i)) {
            assert_true(i < policy->n_principals);
            fprintf(f, " %s%s", policy->principals[i].kind == PRINCIPAL_GROUP ? "@" : "",
                    policy->principals[i].name);
        }
}

static int compare_uids(const void *a, const void *b)
{
    const struct person *x = a, *y = b;

    return (x->uid > y->uid) - (x->uid < y->uid);
}

/* ---- the fixture ----------------------------------------------------------------------------- */

static sd_event *loop;
static struct people *people;

struct told {
    bool done;
    int error;
    const struct policy *policy;
    size_t n;
    char text[1 << 20];
};

static bool inside_call;

static void on_found(void *ctx, int error, const struct person *who)
{
    struct told *t = ctx;
    FILE *f = fmemopen(t->text, sizeof t->text, "w");

    assert_false(inside_call);
    assert_false(t->done);
    assert_true((error == 0) == (who != NULL));
    t->done = true;
    t->error = error;
    t->text[0] = '\0';
    if (who)
        put_person(f, t->policy, who);
    else
        fprintf(f, "%s", strerrorname_np(-error));
    fclose(f);
}

static void on_listed(void *ctx, int error, const struct person *found, size_t n,
                      const struct principal *const *unknown, size_t n_unknown)
{
    struct told *t = ctx;
    struct person *sorted = calloc(n + 1, sizeof *sorted);
    FILE *f = fmemopen(t->text, sizeof t->text, "w");

    assert_false(inside_call);
    assert_false(t->done);
    t->done = true;
    t->error = error;
    t->text[0] = '\0';
    t->n = n;
    if (n > 0)
        memcpy(sorted, found, n * sizeof *sorted);
    qsort(sorted, n, sizeof *sorted, compare_uids);
    for (size_t i = 0; i < n; i++) {
        fprintf(f, "%s", i > 0 ? "; " : "");
        put_person(f, t->policy, &sorted[i]);
    }
    for (size_t i = 0; i < n_unknown; i++)
        fprintf(f, "%s%s%s", i > 0 ? " " : " | nobody bears ",
                unknown[i]->kind == PRINCIPAL_GROUP ? "@" : "", unknown[i]->name);
    fclose(f);
    free(sorted);
}

static double seconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Turns the loop until it is told, at most so long. */
static void wait_told(const struct told *t, double limit)
{
    double until = seconds() + limit;

    while (!t->done && seconds() < until)
        assert_true(sd_event_run(loop, 100000) >= 0);
    assert_true(t->done);
}

static void turn_for(double time)
{
    double until = seconds() + time;

    while (seconds() < until)
        assert_true(sd_event_run(loop, 10000) >= 0);
}

static void ask_uid(struct told *t, uint32_t uid)
{
    memset(t, 0, offsetof(struct told, text));
    t->policy = &policies[0];
    inside_call = true;
    assert_int_equal(people_by_uid(people, uid, on_found, t), 0);
    inside_call = false;
}

static void ask_name(struct told *t, const char *name)
{
    memset(t, 0, offsetof(struct told, text));
    t->policy = &policies[0];
    inside_call = true;
    assert_int_equal(people_by_name(people, name, on_found, t), 0);
    inside_call = false;
}

static void ask_list(struct told *t, const struct policy *policy, const uint32_t *uids, size_t n)
{
    memset(t, 0, offsetof(struct told, text));
    t->policy = policy;
    inside_call = true;
    assert_int_equal(people_list(people, policy, uids, n, on_listed, t), 0);
    inside_call = false;
}

static struct told told, told2, told3, told4;

static void list_policy(const char *words)
{
    ask_list(&told, policy_of(&policies[0], words), NULL, 0);
    wait_told(&told, 10);
    assert_int_equal(told.error, 0);
}

static size_t count_entries(const char *path)
{
    DIR *d = opendir(path);
    struct dirent *e;
    size_t n = 0;

    while ((e = readdir(d)))
        n += e->d_name[0] != '.';
    closedir(d);
    return n;
}

/* Processes whose parent is `parent`, and the letter of their state. */
struct proc {
    pid_t pid, parent;
    char state;
};

static size_t children_of(pid_t parent, struct proc out[], size_t cap)
{
    DIR *d = opendir("/proc");
    struct dirent *e;
    size_t n = 0;

    while ((e = readdir(d))) {
        char path[300], text[512] = "";
        struct proc p = {.pid = (pid_t)atoi(e->d_name)};
        const char *at;
        int fd;

        if (p.pid <= 0)
            continue;
        snprintf(path, sizeof path, "/proc/%d/stat", p.pid);
        fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
            continue;
        if (read(fd, text, sizeof text - 1) > 0 && (at = strrchr(text, ')')) &&
            sscanf(at, ") %c %d", &p.state, &p.parent) == 2 && p.parent == parent && n < cap)
            out[n++] = p;
        close(fd);
    }
    closedir(d);
    return n;
}

static pid_t spawner_pid(void)
{
    struct proc p[8];

    assert_int_equal(children_of(getpid(), p, 8), 1);
    return p[0].pid;
}

/* Also proves that none of them is a zombie. */
static size_t resolver_pids(pid_t pids[8])
{
    struct proc p[8];
    size_t n = children_of(spawner_pid(), p, 8);

    for (size_t i = 0; i < n; i++) {
        assert_int_not_equal(p[i].state, 'Z');
        pids[i] = p[i].pid;
    }
    return n;
}

static size_t fds_before;

static int set_up(void **state)
{
    (void)state;
    put_database();
    remove_file("down");
    remove_file("groups-down");
    fds_before = count_entries("/proc/self/fd");
    assert_int_equal(sd_event_new(&loop), 0);
    return people_new(loop, (uid_t)-1, (gid_t)-1, &people);
}

static int tear_down(void **state)
{
    struct proc p[8];

    (void)state;
    people = people_free(people);
    loop = sd_event_unref(loop);
    assert_int_equal(children_of(getpid(), p, 8), 0);
    assert_int_equal(count_entries("/proc/self/fd"), fds_before);
    return 0;
}

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

/* ---- look-ups -------------------------------------------------------------------------------- */

static void a_look_up_says_who_somebody_is(void **state)
{
    static const struct {
        const char *says, *name; /* NULL: by uid */
        uint32_t uid;
        const char *then;
    } CASES[] = {
        {"by uid, with the groups of all names", NULL, 1001, "1001 alice: alice alice2 @ops @sre"},
        {"by name", "alice", 0, "1001 alice: alice alice2 @ops @sre"},
        {"by another name", "alice2", 0, "1001 alice: alice alice2 @ops @sre"},
        {"by member list", "bob", 0, "1002 bob: @ops bob"},
        {"by primary group", "carol", 0, "1003 carol: @ops"},
        {"somebody in none of them", "twice", 0, "1011 twice:"},
        {"somebody who is in no list", NULL, 9001, "9001 rita: @remote"},
        {"a uid that nobody has", NULL, 4242, "ENOENT"},
        {"the uid that is no uid", NULL, NOBODY, "ENOENT"},
        {"a name that nobody has", "zoe", 0, "ENOENT"},
        {"an empty name", "", 0, "ENOENT"},
        {"a name that is an option", "-dash", 0, "ENOENT"},
        {"the uid of a name that is an option", NULL, 1005, "ENOENT"},
        {"a name with a blank", "two words", 0, "ENOENT"},
        {"a name with a colon", "bob:x", 0, "ENOENT"},
        {"a name that is too long",
         "a234567890123456789012345678901234567890123456789012345678901234", 0, "ENOENT"},
    };

    (void)state;
    list_policy("alice alice2 @ops @sre bob @remote");
    for (size_t round = 0; round < 2; round++) /* asked, then kept */
        for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
            if (CASES[i].name)
                ask_name(&told, CASES[i].name);
            else
                ask_uid(&told, CASES[i].uid);
            wait_told(&told, 10);
            if (strcmp(told.text, CASES[i].then) != 0)
                fail_msg("%s: %s", CASES[i].says, told.text);
        }
}

static void before_the_first_listing_nothing_can_be_said(void **state)
{
    (void)state;
    ask_uid(&told, 1001);
    wait_told(&told, 10);
    assert_string_equal(told.text, "EAGAIN");
    ask_name(&told, "alice");
    wait_told(&told, 10);
    assert_string_equal(told.text, "EAGAIN");
    put_file("down", "");
    ask_list(&told, policy_of(&policies[0], "zoe"), NULL, 0);
    wait_told(&told, 10);
    assert_int_equal(told.error, -EIO);
    remove_file("down");
    ask_uid(&told, 1001); /* a listing that failed does not count */
    wait_told(&told, 10);
    assert_string_equal(told.text, "EAGAIN");
}

static void an_answer_is_kept_for_a_moment_and_then_fresh(void **state)
{
    (void)state;
    list_policy("@ops @sre");
    ask_name(&told, "dave");
    wait_told(&told, 10);
    assert_string_equal(told.text, "1004 dave: @sre");
    put_file("group", "ops:x:2001:dave\nsre:x:2002:\n");
    ask_name(&told, "dave");
    wait_told(&told, 10);
    assert_string_equal(told.text, "1004 dave: @sre");
    turn_for((double)PEOPLE_FRESH_US / 1e6 + 0.1);
    ask_name(&told, "dave");
    wait_told(&told, 10);
    assert_string_equal(told.text, "1004 dave: @ops");
}

static void a_user_of_the_policy_is_a_number_once_it_was_found(void **state)
{
    (void)state;
    list_policy("bob late @ops");
    put_file("passwd", "robert:x:1002:1002::/:/bin/sh\n"
                       "bob:x:1022:1022::/:/bin/sh\n"
                       "late:x:1030:1030::/:/bin/sh\n");
    ask_uid(&told, 1002); /* renamed */
    wait_told(&told, 10);
    assert_string_equal(told.text, "1002 robert: bob");
    ask_name(&told, "bob"); /* somebody else has the name now */
    wait_told(&told, 10);
    assert_string_equal(told.text, "1022 bob: @ops");
    ask_name(&told, "late"); /* nobody had it when the policy was listed */
    wait_told(&told, 10);
    assert_string_equal(told.text, "1030 late: late");
    list_policy("bob late @ops");
    ask_name(&told, "bob");
    wait_told(&told, 10);
    assert_string_equal(told.text, "1022 bob: bob @ops");
}

static void many_who_ask_for_one_person_are_all_told(void **state)
{
    enum { N = 200 };
    struct told *many = calloc(N, sizeof *many);
    pid_t pids[8];

    (void)state;
    list_policy("@ops");
    for (size_t i = 0; i < N; i++)
        ask_uid(&many[i], 1002);
    for (size_t i = 0; i < N; i++) {
        wait_told(&many[i], 10);
        assert_string_equal(many[i].text, "1002 bob: @ops");
    }
    assert_int_equal(resolver_pids(pids), 1); /* one question, so no second resolver */
    free(many);
}

static size_t n_counted, n_failed;

static void count_found(void *ctx, int error, const struct person *who)
{
    (void)ctx, (void)who;
    n_counted++;
    n_failed += error != -ENOENT;
}

static void more_than_may_wait_are_refused_and_none_is_lost(void **state)
{
    (void)state;
    list_policy("@ops");
    n_counted = n_failed = 0;
    for (uint32_t i = 0; i < PEOPLE_WAITING; i++)
        assert_int_equal(people_by_uid(people, 100000 + i, count_found, NULL), 0);
    assert_int_equal(people_by_uid(people, 1001, count_found, NULL), -EAGAIN);
    assert_int_equal(people_by_name(people, "bob", count_found, NULL), -EAGAIN);
    assert_int_equal(n_counted, 0);
    for (double until = seconds() + 20; n_counted < PEOPLE_WAITING && seconds() < until;)
        sd_event_run(loop, 100000);
    assert_int_equal(n_counted, PEOPLE_WAITING);
    ask_uid(&told, 1002);
    wait_told(&told, 10);
    assert_string_equal(told.text, "1002 bob: @ops");
}

/* The policy that main would hold at this moment, and how often a person came in its terms. */
static const struct policy *current;
static size_t n_right;

static void swap_policy(void *ctx, int error, const struct person *found, size_t n,
                        const struct principal *const *unknown, size_t n_unknown)
{
    (void)found, (void)n, (void)unknown, (void)n_unknown;
    assert_int_equal(error, 0);
    current = ctx;
}

static void check_terms(void *ctx, int error, const struct person *who)
{
    (void)ctx;
    assert_int_equal(error, 0);
    for (size_t i = 0; i < current->n_principals; i++)
        assert_int_equal(has_bit(&who->is, i), strcmp(current->principals[i].name, "bob") == 0);
    n_right++;
}

static void a_reload_in_between_never_mixes_two_policies(void **state)
{
    size_t asked = 0;

    (void)state;
    policy_of(&policies[0], "alice bob @sre dave");
    policy_of(&policies[1], "bob @empty alice");
    n_right = 0;
    current = NULL;
    for (size_t i = 0; i < 300; i++) {
        if (people_list(people, &policies[i / 7 % 2], NULL, 0, swap_policy, &policies[i / 7 % 2]) ==
                0 &&
            !current)
            while (!current)
                sd_event_run(loop, 100000);
        for (size_t k = 0; k < 3; k++, asked++)
            assert_int_equal(k ? people_by_uid(people, 1002, check_terms, NULL)
                               : people_by_name(people, "bob", check_terms, NULL),
                             0);
        for (size_t k = 0; k < i % 5; k++)
            sd_event_run(loop, 0);
    }
    for (double until = seconds() + 10; n_right < asked && seconds() < until;)
        sd_event_run(loop, 100000);
    assert_int_equal(n_right, asked);
}

/* ---- when the database does not do what it should -------------------------------------------- */

static void a_database_that_is_down_is_a_failure_and_never_a_no(void **state)
{
    static const struct {
        const char *says, *flag, *name, *then;
    } CASES[] = {
        {"all is well", "-", "dave", "1004 dave: @sre"},
        {"all is well with nobody", "-", "zoe", "ENOENT"},
        {"an account that might be there", "down", "zoe", "EIO"},
        {"an account that is there otherwise", "down", "rita", "EIO"},
        {"a local account that might have groups there", "down", "dave", "EIO"},
        {"a local account when only groups fail", "groups-down", "dave", "EIO"},
        {"an account there when only groups fail", "groups-down", "rita", "EIO"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        list_policy("@sre @remote");
        put_file(CASES[i].flag, "");
        ask_name(&told, CASES[i].name);
        wait_told(&told, 10);
        remove_file(CASES[i].flag);
        if (strcmp(told.text, CASES[i].then) != 0)
            fail_msg("%s: %s", CASES[i].says, told.text);
    }
}

static void a_listing_that_fails_says_so_and_changes_nothing(void **state)
{
    static const char *const POLICIES[] = {"bob zoe", "@remote", "rita", "@none", "@mixed"};

    (void)state;
    list_policy("bob @sre");
    for (size_t i = 0; i < sizeof POLICIES / sizeof POLICIES[0]; i++) {
        put_file("down", "");
        ask_list(&told, policy_of(&policies[1], POLICIES[i]), NULL, 0);
        wait_told(&told, 10);
        remove_file("down");
        if (told.error != -EIO || strstr(told.text, "nobody bears"))
            fail_msg("%s: %d %s", POLICIES[i], told.error, told.text);
        ask_name(&told, "bob");
        wait_told(&told, 10);
        assert_string_equal(told.text, "1002 bob: bob");
    }
}

static void while_one_look_up_hangs_others_are_answered(void **state)
{
    double begin, end;

    (void)state;
    list_policy("bob @sre");
    begin = seconds();
    ask_name(&told, "hang-1");
    ask_uid(&told2, 7777);
    turn_for(0.3);
    ask_name(&told3, "bob");
    wait_told(&told3, 1.5);
    assert_string_equal(told3.text, "1002 bob: bob");
    assert_false(told.done || told2.done);
    while (seconds() < begin + 2.6)
        turn_for(0.01);
    ask_uid(&told4, 7777); /* joins one that hangs: told with it */
    wait_told(&told, 2);
    wait_told(&told2, 2);
    wait_told(&told4, 0.5);
    end = seconds();
    assert_string_equal(told.text, "ETIMEDOUT");
    assert_string_equal(told2.text, "ETIMEDOUT");
    assert_string_equal(told4.text, "ETIMEDOUT");
    assert_true(end - begin >= 2.9);
    assert_true(end - begin < (double)PEOPLE_TIMEOUT_US / 1e6 + 1);
    ask_name(&told, "dave");
    wait_told(&told, 2);
    assert_string_equal(told.text, "1004 dave: @sre");
}

static void when_all_resolvers_hang_the_others_wait_and_then_work(void **state)
{
    pid_t before[8], after[8];

    (void)state;
    list_policy("bob");
    ask_name(&told, "hang-1");
    ask_name(&told2, "hang-2");
    ask_name(&told3, "hang-3");
    for (size_t i = 0; i < 40 && resolver_pids(before) < 3; i++)
        turn_for(0.05);
    assert_int_equal(resolver_pids(before), 3);
    ask_name(&told4, "bob");
    turn_for(0.5);
    assert_false(told4.done);
    wait_told(&told, 3.5);
    wait_told(&told2, 0.5);
    wait_told(&told3, 0.5);
    wait_told(&told4, 2);
    assert_string_equal(told4.text, "1002 bob: bob");
    turn_for(0.2);
    for (size_t i = 0, n = resolver_pids(after); i < n; i++) /* those that hung are gone */
        for (size_t k = 0; k < 3; k++)
            assert_int_not_equal(after[i], before[k]);
}

static void a_listing_that_hangs_times_out_and_changes_nothing(void **state)
{
    (void)state;
    list_policy("bob");
    ask_list(&told, policy_of(&policies[1], "alice @hang-g dave"), NULL, 0);
    wait_told(&told, 4);
    assert_int_equal(told.error, -ETIMEDOUT);
    ask_name(&told, "bob");
    wait_told(&told, 2);
    assert_string_equal(told.text, "1002 bob: bob");
    list_policy("bob alice");
}

/* They are gone when it returns, and the loop has not turned. */
static void kill_resolvers(void)
{
    pid_t pids[8];
    size_t n = resolver_pids(pids);

    assert_true(n > 0);
    for (size_t i = 0; i < n; i++)
        while (kill(pids[i], SIGKILL) == 0)
            usleep(1000);
}

static void a_resolver_that_is_killed_is_a_failure_and_replaced(void **state)
{
    (void)state;
    list_policy("bob");
    ask_name(&told, "hang-1");
    turn_for(0.3);
    kill_resolvers();
    wait_told(&told, 2);
    assert_string_equal(told.text, "EPIPE");
    ask_name(&told, "bob");
    wait_told(&told, 2);
    assert_string_equal(told.text, "1002 bob: bob");
    kill_resolvers(); /* while idle: nobody notices */
    ask_name(&told, "alice");
    wait_told(&told, 2);
    assert_string_equal(told.text, "1001 alice:");
    kill_resolvers();
    turn_for(0.2);
    ask_name(&told, "carol");
    wait_told(&told, 2);
    assert_string_equal(told.text, "1003 carol:");
}

static void without_its_spawner_the_loop_ends(void **state)
{
    int r;

    (void)state;
    list_policy("bob");
    kill(spawner_pid(), SIGKILL);
    r = sd_event_loop(loop);
    assert_int_equal(r, -ECHILD);
}

static void signals_for_teamd_do_not_end_its_children(void **state)
{
    static const int SIGNALS[] = {SIGTERM, SIGHUP, SIGINT, SIGQUIT, SIGUSR1};
    pid_t pids[8], spawner = spawner_pid();

    (void)state;
    assert_int_equal(resolver_pids(pids), 1);
    for (size_t i = 0; i < sizeof SIGNALS / sizeof SIGNALS[0]; i++) {
        kill(spawner, SIGNALS[i]);
        kill(pids[0], SIGNALS[i]);
    }
    list_policy("bob");
    assert_int_equal(spawner_pid(), spawner);
}

static void never_called(void *ctx, int error, const struct person *who)
{
    (void)ctx, (void)error, (void)who;
    fail_msg("called after people_free()");
}

static void what_is_pending_at_the_end_is_dropped(void **state)
{
    (void)state;
    list_policy("bob");
    assert_int_equal(people_by_name(people, "hang-1", never_called, NULL), 0);
    assert_int_equal(people_by_name(people, "bob", never_called, NULL), 0);
    assert_int_equal(people_by_uid(people, NOBODY, never_called, NULL), 0);
    inside_call = true; /* on_listed() fails when it is called now */
    assert_int_equal(people_list(people, &policies[0], NULL, 0, on_listed, &told), 0);
    people = people_free(people);
    sd_event_run(loop, 10000);
    inside_call = false;
}

/* ---- processes ------------------------------------------------------------------------------- */

/* The line of /proc/PID/status that begins with `key`. */
static void status_line(pid_t pid, const char *key, char *out, size_t cap)
{
    char path[64], line[256];
    FILE *f;

    snprintf(path, sizeof path, "/proc/%d/status", pid);
    f = fopen(path, "re");
    assert_non_null(f);
    out[0] = '\0';
    while (fgets(line, sizeof line, f))
        if (strncmp(line, key, strlen(key)) == 0)
            snprintf(out, cap, "%s", line);
    fclose(f);
}

static void resolvers_drop_what_they_do_not_need(void **state)
{
    static const struct {
        const char *key, *then;
    } CASES[] = {
        {"Uid:", "Uid:\t65534\t65534\t65534\t65534\n"},
        {"Gid:", "Gid:\t65534\t65534\t65534\t65534\n"},
        {"Groups:", "Groups:\t \n"},
        {"CapPrm:", "CapPrm:\t0000000000000000\n"},
        {"CapEff:", "CapEff:\t0000000000000000\n"},
        {"CapAmb:", "CapAmb:\t0000000000000000\n"},
        {"NoNewPrivs:", "NoNewPrivs:\t1\n"},
    };
    char line[256], path[64];
    pid_t pids[8];

    (void)state;
    people = people_free(people);
    assert_int_equal(people_new(loop, 65534, 65534, &people), 0);
    list_policy("bob");
    assert_int_equal(resolver_pids(pids), 1);
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        status_line(pids[0], CASES[i].key, line, sizeof line);
        assert_string_equal(line, CASES[i].then);
    }
    snprintf(path, sizeof path, "/proc/%d/fd", pids[0]);
    assert_int_equal(count_entries(path), 4); /* null, null, stderr, its socket */
    ask_name(&told, "hang-1");                /* and can still be ended by us */
    wait_told(&told, 4);
    assert_string_equal(told.text, "ETIMEDOUT");
}

static void an_identity_that_cannot_be_had_is_an_error_at_the_start(void **state)
{
    int status;
    pid_t pid;

    (void)state;
    pid = fork();
    if (pid == 0) { /* nobody may not become daemon */
        struct people *p = NULL;
        sd_event *e = NULL;

        if (setresgid(65534, 65534, 65534) < 0 || setresuid(65534, 65534, 65534) < 0 ||
            sd_event_new(&e) < 0)
            _exit(1);
        _exit(people_new(e, 1, 1, &p) == -ECHILD && !p ? 42 : 2);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 42);
}

/* A teamd of which nothing is left but what it started. */
static void teamd_that_is_killed_leaves_no_process(void **state)
{
    struct proc spawner[8], resolvers[8];
    size_t n = 0;
    pid_t pid;

    (void)state;
    pid = fork();
    if (pid == 0) {
        sd_event *e = NULL;
        struct people *p = NULL;

        if (sd_event_new(&e) < 0 || people_new(e, (uid_t)-1, (gid_t)-1, &p) < 0 ||
            people_list(p, policy_of(&policies[0], "hang-1"), NULL, 0, on_listed, &told) < 0)
            _exit(1);
        sd_event_run(e, 0);
        for (;;)
            pause();
    }
    for (double until = seconds() + 5; n == 0 && seconds() < until;) {
        usleep(50000);
        n = children_of(pid, spawner, 8);
        n = n == 1 ? children_of(spawner[0].pid, resolvers, 8) : 0;
    }
    assert_int_equal(n, 1);
    usleep(100000); /* until it hangs */
    kill(pid, SIGKILL);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    for (double until = seconds() + 5; seconds() < until; usleep(20000))
        if (kill(spawner[0].pid, 0) < 0 && kill(resolvers[0].pid, 0) < 0)
            return;
    fail_msg("still there");
}

/* ---- main ------------------------------------------------------------------------------------ */

static void needs_root_and_a_compiler(void **state)
{
    (void)state;
    skip();
}

static int skip_all(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(needs_root_and_a_compiler)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Builds the stand-in beside us and starts this program anew with it in the library path. */
static void start_anew(void)
{
    char dir[] = "/tmp/test-people-XXXXXX", source[512], command[1024];
    const char *cc = getenv("CC"), *slash = strrchr(__FILE__, '/');

    if (!mkdtemp(dir) || chmod(dir, 0755) < 0) /* resolvers without privilege read it too */
        return;
    snprintf(source, sizeof source, "%.*snss_stand_in.c", slash ? (int)(slash + 1 - __FILE__) : 0,
             __FILE__);
    snprintf(command, sizeof command,
             "%s -w -D_GNU_SOURCE -shared -fPIC -o %s/libnss_standin.so.2 %s", cc ? cc : "cc", dir,
             source);
    if (system(command) != 0) {
        rmdir(dir);
        return;
    }
    setenv("TEAM_TEST_NSS", dir, 1);
    setenv("LD_LIBRARY_PATH", dir, 1);
    execl("/proc/self/exe", "test_people", NULL);
}

static void remove_test_dir(void)
{
    static const char *const FILES[] = {"passwd", "group", "nsswitch.conf", "-",
                                        "libnss_standin.so.2"};

    for (size_t i = 0; i < sizeof FILES / sizeof FILES[0]; i++)
        remove_file(FILES[i]);
    rmdir(test_dir);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_listing_finds_everybody_whom_the_policy_names),
        TEST(a_group_of_two_thousand_is_listed_whole),
        TEST(of_a_larger_group_some_are_listed_and_all_are_members),
        TEST(a_person_in_too_many_groups_is_a_failure_and_not_a_stranger),
        TEST(a_slow_group_has_time_as_long_as_it_goes_on),
        TEST(one_listing_at_a_time),
        TEST(a_look_up_says_who_somebody_is),
        TEST(before_the_first_listing_nothing_can_be_said),
        TEST(an_answer_is_kept_for_a_moment_and_then_fresh),
        TEST(a_user_of_the_policy_is_a_number_once_it_was_found),
        TEST(many_who_ask_for_one_person_are_all_told),
        TEST(more_than_may_wait_are_refused_and_none_is_lost),
        TEST(a_reload_in_between_never_mixes_two_policies),
        TEST(a_database_that_is_down_is_a_failure_and_never_a_no),
        TEST(a_listing_that_fails_says_so_and_changes_nothing),
        TEST(while_one_look_up_hangs_others_are_answered),
        TEST(when_all_resolvers_hang_the_others_wait_and_then_work),
        TEST(a_listing_that_hangs_times_out_and_changes_nothing),
        TEST(a_resolver_that_is_killed_is_a_failure_and_replaced),
        TEST(without_its_spawner_the_loop_ends),
        TEST(signals_for_teamd_do_not_end_its_children),
        TEST(what_is_pending_at_the_end_is_dropped),
        TEST(resolvers_drop_what_they_do_not_need),
        cmocka_unit_test(an_identity_that_cannot_be_had_is_an_error_at_the_start),
        cmocka_unit_test(teamd_that_is_killed_leaves_no_process),
    };
    int r;

    if (geteuid() != 0)
        return skip_all();
    if (!getenv("TEAM_TEST_NSS"))
        start_anew();
    if (!getenv("TEAM_TEST_NSS"))
        return skip_all();
    snprintf(test_dir, sizeof test_dir, "%s", getenv("TEAM_TEST_NSS"));
    r = make_namespace() ? cmocka_run_group_tests(tests, NULL, NULL) : skip_all();
    umount2("/etc/passwd", MNT_DETACH);
    umount2("/etc/group", MNT_DETACH);
    umount2("/etc/nsswitch.conf", MNT_DETACH);
    remove_test_dir();
    return r;
}
