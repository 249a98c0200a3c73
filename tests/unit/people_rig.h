/* Who people are, asked of the real NSS in a private mount namespace: /etc/passwd, /etc/group and
 * /etc/nsswitch.conf are the test's own, and a stand-in service hangs, fails and is slow. Needs
 * root and a compiler for the stand-in; the program starts itself anew with it in the library path.
 */
#pragma once

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

static inline void put_file(const char *name, const char *text)
{
    char path[300];
    int fd;

    snprintf(path, sizeof path, "%s/%s", test_dir, name);
    fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
}

static inline void remove_file(const char *name)
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

static inline void put_database(void)
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

static inline struct policy *policy_of(struct policy *p, const char *words)
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
static inline void put_person(FILE *f, const struct policy *policy, const struct person *who)
{
    fprintf(f, "%u %s%s:", who->uid, who->name.text, who->listed ? "+" : "");
    for (size_t i = 0; i < PRINCIPALS_MAX; i++)
        if (has_bit(&who->is, i)) {
            assert_true(i < policy->n_principals);
            fprintf(f, " %s%s", policy->principals[i].kind == PRINCIPAL_GROUP ? "@" : "",
                    policy->principals[i].name);
        }
}

static inline int compare_uids(const void *a, const void *b)
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

static inline void on_found(void *ctx, int error, const struct person *who)
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

static inline void on_listed(void *ctx, int error, const struct person *found, size_t n,
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

static inline double seconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Turns the loop until it is told, at most so long. */
static inline void wait_told(const struct told *t, double limit)
{
    double until = seconds() + limit;

    while (!t->done && seconds() < until)
        assert_true(sd_event_run(loop, 100000) >= 0);
    assert_true(t->done);
}

static inline void turn_for(double time)
{
    double until = seconds() + time;

    while (seconds() < until)
        assert_true(sd_event_run(loop, 10000) >= 0);
}

static inline void ask_uid(struct told *t, uint32_t uid)
{
    memset(t, 0, offsetof(struct told, text));
    t->policy = &policies[0];
    inside_call = true;
    assert_int_equal(people_by_uid(people, uid, on_found, t), 0);
    inside_call = false;
}

static inline void ask_name(struct told *t, const char *name)
{
    memset(t, 0, offsetof(struct told, text));
    t->policy = &policies[0];
    inside_call = true;
    assert_int_equal(people_by_name(people, name, on_found, t), 0);
    inside_call = false;
}

static inline void ask_list(struct told *t, const struct policy *policy, const uint32_t *uids,
                            size_t n)
{
    memset(t, 0, offsetof(struct told, text));
    t->policy = policy;
    inside_call = true;
    assert_int_equal(people_list(people, policy, uids, n, on_listed, t), 0);
    inside_call = false;
}

static struct told told;

static inline void list_policy(const char *words)
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

static inline pid_t spawner_pid(void)
{
    struct proc p[8];

    assert_int_equal(children_of(getpid(), p, 8), 1);
    return p[0].pid;
}

/* Also proves that none of them is a zombie. */
static inline size_t resolver_pids(pid_t pids[8])
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

static inline int set_up(void **state)
{
    (void)state;
    put_database();
    remove_file("down");
    remove_file("groups-down");
    fds_before = count_entries("/proc/self/fd");
    assert_int_equal(sd_event_new(&loop), 0);
    return people_new(loop, (uid_t)-1, (gid_t)-1, &people);
}

static inline int tear_down(void **state)
{
    struct proc p[8];

    (void)state;
    people = people_free(people);
    loop = sd_event_unref(loop);
    assert_int_equal(children_of(getpid(), p, 8), 0);
    assert_int_equal(count_entries("/proc/self/fd"), fds_before);
    return 0;
}

/* ---- main ------------------------------------------------------------------------------------ */

static inline void needs_root_and_a_compiler(void **state)
{
    (void)state;
    skip();
}

static inline int skip_all(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(needs_root_and_a_compiler)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Builds the stand-in beside us and starts this program anew with it in the library path. */
static inline void start_anew(void)
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

static inline void remove_test_dir(void)
{
    static const char *const FILES[] = {"passwd", "group", "nsswitch.conf", "-",
                                        "libnss_standin.so.2"};

    for (size_t i = 0; i < sizeof FILES / sizeof FILES[0]; i++)
        remove_file(FILES[i]);
    rmdir(test_dir);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

/* What a test program is beside its tests. */
static inline int run_people_tests(const char *name, const struct CMUnitTest *tests, size_t n)
{
    int r;

    if (geteuid() != 0)
        return skip_all();
    if (!getenv("TEAM_TEST_NSS"))
        start_anew();
    if (!getenv("TEAM_TEST_NSS"))
        return skip_all();
    snprintf(test_dir, sizeof test_dir, "%s", getenv("TEAM_TEST_NSS"));
    r = make_namespace() ? _cmocka_run_group_tests(name, tests, n, NULL, NULL) : skip_all();
    umount2("/etc/passwd", MNT_DETACH);
    umount2("/etc/group", MNT_DETACH);
    umount2("/etc/nsswitch.conf", MNT_DETACH);
    remove_test_dir();
    return r;
}
