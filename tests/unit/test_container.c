/* Containers of sessions as real cgroups (needs root and a cgroup v2 hierarchy). */
#include "host/host.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/magic.h>

static char place[200]; /* a directory of ours */
static struct containers *all;

/* ---- tools ---------------------------------------------------------------------------------- */

static const char *mount_point(void)
{
    static const char *const PLACES[] = {"/sys/fs/cgroup", "/sys/fs/cgroup/unified"};
    struct statfs fs;

    for (size_t i = 0; i < 2; i++)
        if (statfs(PLACES[i], &fs) == 0 && fs.f_type == CGROUP2_SUPER_MAGIC)
            return PLACES[i];
    return NULL;
}

static bool enter(int dir)
{
    int fd = openat(dir, "cgroup.procs", O_WRONLY | O_CLOEXEC);
    bool in = fd >= 0 && write(fd, "0", 1) == 1;

    close(fd);
    return in;
}

/* A process that sleeps in there; HUP and TERM do not touch it. */
static pid_t sleeper_at(int dir)
{
    int ready[2];
    char byte;
    pid_t pid;

    assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
    pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        signal(SIGTERM, SIG_IGN);
        if (!enter(dir) || write(ready[1], "x", 1) != 1)
            _exit(9);
        for (;;)
            pause();
    }
    close(ready[1]);
    assert_int_equal(read(ready[0], &byte, 1), 1);
    close(ready[0]);
    return pid;
}

static pid_t sleeper(const char *below)
{
    char path[CONTAINER_CAP];
    int dir;
    pid_t pid;

    container_path(all, below, path);
    dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_true(dir >= 0);
    pid = sleeper_at(dir);
    close(dir);
    return pid;
}

static void wait_for(pid_t pid)
{
    int status;

    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static bool exists(const char *below)
{
    char path[CONTAINER_CAP];

    container_path(all, below, path);
    return access(path, F_OK) == 0;
}

static void make(const char *below)
{
    char path[CONTAINER_CAP];

    container_path(all, below, path);
    assert_int_equal(mkdir(path, 0755), 0);
}

/* ---- where they are ------------------------------------------------------------------------- */

static int set_up(void **state)
{
    (void)state;
    return containers_open(place, "unused", 0, 0, &all);
}

static int tear_down(void **state)
{
    (void)state;
    all = containers_free(all);
    return mkdir(place, 0755) < 0 ? -1 : 0; /* it took its directory away */
}

static void there_are_none_where_there_is_no_place(void **state)
{
    static const char *const OTHER_NAMES[] = {"/", "/."};
    struct containers *c = NULL;
    char path[300];

    (void)state;
    assert_int_equal(containers_open("off", "x", 0, 0, &c), -ENOTSUP);
    assert_int_equal(containers_open("/tmp", "x", 0, 0, &c), -ENOTSUP);
    assert_int_equal(containers_open("relative", "x", 0, 0, &c), -ENOTSUP);
    assert_int_equal(containers_open(mount_point(), "x", 0, 0, &c), -ENOTSUP);
    snprintf(path, sizeof path, "%s/", mount_point());
    assert_int_equal(containers_open(path, "x", 0, 0, &c), -ENOTSUP);
    snprintf(path, sizeof path, "%s/nothing-here", place);
    assert_int_equal(containers_open(path, "x", 0, 0, &c), -ENOTSUP);
    for (size_t i = 0; i < sizeof OTHER_NAMES / sizeof OTHER_NAMES[0]; i++) {
        snprintf(path, sizeof path, "%s%s%s", mount_point(), OTHER_NAMES[i],
                 place + strlen(mount_point()));
        assert_int_equal(access(path, F_OK), 0);
        assert_int_equal(containers_open(path, "x", 0, 0, &c), -ENOTSUP);
    }
    assert_null(c);
    assert_null(containers_free(NULL));
}

static void what_is_made_is_the_users(void **state)
{
    static const char *const FILES[] = {"", "/cgroup.procs", "/cgroup.subtree_control",
                                        "/cgroup.kill"};
    struct containers *c;
    char path[CONTAINER_CAP], file[500], name[40];
    struct stat st;

    (void)state;
    snprintf(path, sizeof path, "%s/system.slice/team-sessions.service", mount_point());
    if (access(path, F_OK) == 0)
        skip(); /* a teamd runs here: its place is not ours */
    snprintf(name, sizeof name, "team-own-%d", getpid());
    assert_int_equal(containers_open("auto", name, 1001, 1002, &c), 0);
    container_path(c, "", path);
    assert_non_null(strstr(path, name));
    for (size_t i = 0; i < 4; i++) {
        snprintf(file, sizeof file, "%s%s", path, FILES[i]);
        assert_int_equal(stat(file, &st), 0);
        assert_int_equal(st.st_uid, 1001);
        assert_int_equal(st.st_gid, 1002);
    }
    containers_free(c);
    assert_int_equal(access(path, F_OK), -1);
}

/* ---- one ------------------------------------------------------------------------------------ */

static void an_empty_container_comes_and_goes(void **state)
{
    (void)state;
    assert_int_equal(container_make(all, "s1"), 0);
    assert_int_equal(container_make(all, "s1"), 0); /* again, after a restart */
    assert_true(exists("s1"));
    assert_int_equal(container_kill(all, "s1"), 0);
    assert_int_equal(container_remove(all, "s1"), 0);
    assert_false(exists("s1"));
    assert_int_equal(container_remove(all, "s1"), 0); /* gone is gone */
    assert_int_equal(container_kill(all, "s1"), -ENOENT);
    assert_int_equal(container_make(all, "s8/s9"), -ENOENT);
}

static void a_name_that_is_too_long_makes_nothing(void **state)
{
    char below[CONTAINER_CAP + 10];

    (void)state;
    memset(below, 's', sizeof below - 1);
    below[sizeof below - 1] = '\0';
    assert_int_equal(container_make(all, below), -ENAMETOOLONG);
}

static void what_is_inside_is_known_killed_and_only_then_gone(void **state)
{
    char below[CONTAINER_CAP];
    uint64_t number = 0;
    pid_t one, two;

    (void)state;
    assert_int_equal(container_make(all, "s12"), 0);
    assert_int_equal(container_make(all, "s123"), 0);
    one = sleeper("s12");
    two = sleeper("s123");
    assert_int_equal(container_of(all, (uint32_t)one, below, &number), 0);
    assert_int_equal(number, 12);
    assert_string_equal(below, "s12");
    assert_int_equal(container_of(all, (uint32_t)two, below, &number), 0);
    assert_int_equal(number, 123);
    assert_int_equal(container_remove(all, "s12"), -EBUSY);
    assert_int_equal(container_kill(all, "s12"), 0);
    wait_for(one);
    assert_int_equal(container_remove(all, "s12"), 0);
    assert_int_equal(waitpid(two, NULL, WNOHANG), 0); /* the other one lives */
    assert_int_equal(container_kill(all, "s123"), 0);
    wait_for(two);
    assert_int_equal(container_remove(all, "s123"), 0);
}

static void a_nested_one_is_its_own_and_its_parents(void **state)
{
    char below[CONTAINER_CAP];
    uint64_t number = 0;
    pid_t outer, inner;

    (void)state;
    assert_int_equal(container_make(all, "s1"), 0);
    assert_int_equal(container_make(all, "s1/s2"), 0);
    outer = sleeper("s1");
    inner = sleeper("s1/s2");
    assert_int_equal(container_of(all, (uint32_t)inner, below, &number), 0);
    assert_int_equal(number, 2);
    assert_string_equal(below, "s1/s2");
    assert_int_equal(container_kill(all, "s1/s2"), 0);
    wait_for(inner);
    assert_int_equal(waitpid(outer, NULL, WNOHANG), 0);
    inner = sleeper("s1/s2");
    assert_int_equal(container_kill(all, "s1"), 0);
    wait_for(inner);
    wait_for(outer);
    assert_int_equal(container_remove(all, "s1"), 0);
}

static void what_root_made_inside_belongs_to_it(void **state)
{
    char below[CONTAINER_CAP];
    uint64_t number = 0;
    pid_t pid;

    (void)state;
    assert_int_equal(container_make(all, "s5"), 0);
    make("s5/own");
    make("s5/.hidden");
    make("s5/own/s99");
    make("s5/s");
    make("s5/s7x");
    pid = sleeper("s5/own/s99");
    assert_int_equal(container_of(all, (uint32_t)pid, below, &number), 0);
    assert_int_equal(number, 5); /* not 99: the run of sessions ends before it */
    assert_string_equal(below, "s5");
    assert_int_equal(container_remove(all, "s5"), -EBUSY);
    assert_true(exists("s5/own/s99"));
    assert_int_equal(container_kill(all, "s5"), 0);
    wait_for(pid);
    assert_int_equal(container_remove(all, "s5"), 0);
    assert_false(exists("s5"));
    assert_int_equal(container_make(all, "s6"), 0);
    make("s6/s7x");
    pid = sleeper("s6/s7x");
    assert_int_equal(container_of(all, (uint32_t)pid, below, &number), 0);
    assert_int_equal(number, 6);
    container_kill(all, "s6");
    wait_for(pid);
    assert_int_equal(container_remove(all, "s6"), 0);
}

/* As deep as root likes: longer than any path may be. */
static void no_depth_is_too_deep_to_be_removed(void **state)
{
    enum { DEPTH = 300 };
    char path[CONTAINER_CAP], below[CONTAINER_CAP];
    uint64_t number = 0;
    int at, next;
    pid_t pid;

    (void)state;
    assert_int_equal(container_make(all, "s5"), 0);
    assert_int_equal(container_make(all, "s5/s6"), 0);
    container_path(all, "s5/s6", path);
    at = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    for (int i = 0; i < DEPTH; i++) {
        assert_int_equal(mkdirat(at, "aside", 0755), 0);
        assert_int_equal(mkdirat(at, "further-and-further", 0755), 0);
        next = openat(at, "further-and-further", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        assert_true(next >= 0);
        close(at);
        at = next;
    }
    pid = sleeper_at(at);
    close(at);
    assert_int_equal(container_of(all, (uint32_t)pid, below, &number), 0);
    assert_int_equal(number, 6);
    assert_string_equal(below, "s5/s6");
    assert_int_equal(container_remove(all, "s5"), -EBUSY);
    assert_int_equal(container_kill(all, "s5"), 0);
    wait_for(pid);
    for (int i = 0; i < 10 && container_remove(all, "s5") < 0; i++) /* so much in one call */
        ;
    assert_false(exists("s5"));
}

/* teamd is not root, and not the owner of what root makes below root's. */
static void what_root_alone_may_remove_is_empty_at_least(void **state)
{
    enum { TEAM = 65432 };
    char path[CONTAINER_CAP], file[500];
    pid_t pid;

    (void)state;
    assert_int_equal(container_make(all, "s5"), 0);
    make("s5/one");
    container_path(all, "s5", path);
    assert_int_equal(chown(path, TEAM, TEAM), 0);
    snprintf(file, sizeof file, "%s/cgroup.kill", path);
    assert_int_equal(chown(file, TEAM, TEAM), 0);
    make("s5/one/two");
    pid = sleeper("s5/one/two");
    assert_int_equal(seteuid(TEAM), 0);
    assert_int_equal(container_remove(all, "s5"), -EBUSY);
    container_kill(all, "s5");
    wait_for(pid);
    assert_int_equal(container_remove(all, "s5"), 1);
    assert_int_equal(seteuid(0), 0);
    assert_true(exists("s5/one/two"));
    assert_int_equal(container_remove(all, "s5"), 0);
    assert_false(exists("s5"));
}

static void note_pid(void *ctx, uint32_t pid)
{
    uint32_t *pids = ctx;

    while (*pids != 0)
        pids++;
    *pids = pid;
}

static void all_that_is_inside_is_listed(void **state)
{
    uint32_t pids[8] = {0};
    pid_t one, two;

    (void)state;
    assert_int_equal(container_make(all, "s5"), 0);
    assert_int_equal(container_each(all, "s5", note_pid, pids), 0);
    assert_int_equal(pids[0], 0);
    make("s5/own");
    one = sleeper("s5");
    two = sleeper("s5/own");
    assert_int_equal(container_each(all, "s5", note_pid, pids), 0);
    assert_int_equal(pids[0], one);
    assert_int_equal(pids[1], two);
    assert_int_equal(pids[2], 0);
    container_kill(all, "s5");
    wait_for(one);
    wait_for(two);
    assert_int_equal(container_remove(all, "s5"), 0);
    assert_int_equal(container_each(all, "s5", note_pid, pids), -ENOENT);
}

static void who_is_elsewhere_is_in_none(void **state)
{
    char below[CONTAINER_CAP] = "stale";
    uint64_t number = 7;
    pid_t pid;

    (void)state;
    assert_int_equal(container_of(all, (uint32_t)getpid(), below, &number), 0);
    assert_int_equal(number, 0);
    assert_string_equal(below, "");
    pid = sleeper(""); /* in the directory itself */
    assert_int_equal(container_of(all, (uint32_t)pid, below, &number), 0);
    assert_int_equal(number, 0);
    kill(pid, SIGKILL);
    wait_for(pid);
    assert_int_equal(container_of(all, (uint32_t)pid, below, &number), -ESRCH);
}

/* ---- being told ----------------------------------------------------------------------------- */

static int note(sd_event_source *source, const struct inotify_event *event, void *ctx)
{
    (void)source, (void)event;
    ++*(int *)ctx;
    return 0;
}

static void the_loop_is_told_when_the_last_process_has_left(void **state)
{
    sd_event_source *source = NULL;
    sd_event *loop = NULL;
    int told = 0;
    pid_t pid;

    (void)state;
    assert_int_equal(sd_event_new(&loop), 0);
    assert_int_equal(container_make(all, "s3"), 0);
    pid = sleeper("s3");
    assert_true(container_watch(all, loop, "s3", note, &told, &source) >= 0);
    while (sd_event_run(loop, 100000) > 0) /* the kernel may be late to tell that it came */
        ;
    told = 0;
    container_kill(all, "s3");
    wait_for(pid);
    for (int i = 0; i < 20 && told == 0; i++)
        sd_event_run(loop, 100000);
    assert_true(told > 0);
    assert_int_equal(container_remove(all, "s3"), 0);
    assert_true(container_watch(all, loop, "s3", note, &told, &source) < 0);
    sd_event_source_unref(source);
    sd_event_unref(loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(there_are_none_where_there_is_no_place),
        cmocka_unit_test(what_is_made_is_the_users),
        cmocka_unit_test_setup_teardown(an_empty_container_comes_and_goes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_name_that_is_too_long_makes_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_inside_is_known_killed_and_only_then_gone, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_nested_one_is_its_own_and_its_parents, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_root_made_inside_belongs_to_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(no_depth_is_too_deep_to_be_removed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_root_alone_may_remove_is_empty_at_least, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(all_that_is_inside_is_listed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(who_is_elsewhere_is_in_none, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_loop_is_told_when_the_last_process_has_left, set_up,
                                        tear_down),
    };
    int failed;

    if (mount_point())
        snprintf(place, sizeof place, "%s/team-test-%d", mount_point(), getpid());
    if (geteuid() != 0 || !mount_point() || mkdir(place, 0755) < 0) {
        puts("1..1\nok 1 - containers # SKIP needs root and cgroup v2");
        return 0;
    }
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    rmdir(place);
    return failed;
}
