/* Scopes of logins as real cgroups, named as systemd-logind does (needs root and cgroup v2). */
#include "host/host.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/magic.h>

static const char *mount_dir;
static char slice[200], scope[SCOPE_CAP], dir[300]; /* the scope: its name, and where it is */
static bool made_user_slice;

/* ---- tools ---------------------------------------------------------------------------------- */

static bool find_mount(void)
{
    static const char *const PLACES[] = {"/sys/fs/cgroup", "/sys/fs/cgroup/unified"};
    struct statfs fs;

    for (size_t i = 0; i < 2; i++)
        if (statfs(PLACES[i], &fs) == 0 && fs.f_type == CGROUP2_SUPER_MAGIC) {
            mount_dir = PLACES[i];
            return true;
        }
    return false;
}

static void enter(const char *path)
{
    char file[400];
    int fd;

    snprintf(file, sizeof file, "%s/cgroup.procs", path);
    fd = open(file, O_WRONLY | O_CLOEXEC);
    if (fd < 0 || write(fd, "0", 1) != 1)
        _exit(9);
    close(fd);
}

/* A process in there that HUP and TERM do not touch, and `children` that it has in there. */
static pid_t sleeper(const char *path, int children)
{
    int ready[2];
    char byte;
    pid_t pid;

    assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
    pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        signal(SIGTERM, SIG_IGN);
        enter(path);
        for (int i = 0; i < children; i++)
            if (fork() == 0)
                for (;;)
                    pause();
        if (write(ready[1], "x", 1) != 1)
            _exit(9);
        for (;;)
            pause();
    }
    close(ready[1]);
    assert_int_equal(read(ready[0], &byte, 1), 1);
    close(ready[0]);
    return pid;
}

static void end(pid_t pid)
{
    kill(pid, SIGKILL);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static uint64_t number_of_dir(void)
{
    struct stat st;

    assert_int_equal(stat(dir, &st), 0);
    return st.st_ino;
}

static void count(void *ctx, uint32_t pid)
{
    (void)pid;
    ++*(int *)ctx;
}

static int members(void)
{
    int n = 0;

    assert_int_equal(scope_each(scope, number_of_dir(), count, &n), 0);
    return n;
}

static void wait_until_empty(uint64_t number)
{
    for (int i = 0; i < 500 && scope_empty(scope, number) < 0; i++)
        usleep(10000);
    assert_int_equal(scope_empty(scope, number), 0);
}

static int set_up(void **state)
{
    (void)state;
    return mkdir(dir, 0755);
}

static int tear_down(void **state)
{
    (void)state;
    return rmdir(dir);
}

/* ---- whose it is ------------------------------------------------------------------------------
 */

static void a_login_alone_in_its_scope_has_it(void **state)
{
    char path[SCOPE_CAP];
    uint64_t number = 0;
    pid_t pid = sleeper(dir, 2);

    (void)state;
    assert_int_equal(scope_of((uint32_t)pid, path, &number), 0);
    assert_string_equal(path, scope);
    assert_int_equal(number, number_of_dir());
    scope_around((uint32_t)pid, path);
    assert_string_equal(path, scope);
    scope_kill(scope, number, SCOPE_KILL_US);
    wait_until_empty(number);
    end(pid);
}

static void with_strangers_in_it_it_is_somebody_elses(void **state)
{
    char path[SCOPE_CAP] = "before";
    uint64_t number = 7;
    pid_t pid = sleeper(dir, 0), other = sleeper(dir, 0);

    (void)state;
    assert_int_equal(scope_of((uint32_t)pid, path, &number), -ENOENT);
    assert_string_equal(path, "");
    assert_int_equal(number, 7);
    end(other);
    assert_int_equal(scope_of((uint32_t)pid, path, &number), 0);
    end(pid);
    assert_int_equal(scope_of((uint32_t)pid, path, &number), -ENOENT);
}

static void what_is_named_otherwise_is_no_scope(void **state)
{
    static const char *const NAMES[] = {"session-1.service", "run-1.scope", "session-1.scopes",
                                        "xsession-1.scope"};
    char path[300], found[SCOPE_CAP];
    uint64_t number;

    (void)state;
    for (size_t i = 0; i < sizeof NAMES / sizeof NAMES[0]; i++) {
        pid_t pid;

        snprintf(path, sizeof path, "%s/%s", slice, NAMES[i]);
        assert_int_equal(mkdir(path, 0755), 0);
        pid = sleeper(path, 0);
        assert_int_equal(scope_of((uint32_t)pid, found, &number), -ENOENT);
        end(pid);
        rmdir(path);
    }
    snprintf(path, sizeof path, "%s/session-1.scope", mount_dir); /* in no slice of users */
    assert_int_equal(mkdir(path, 0755), 0);
    assert_int_equal(scope_of((uint32_t)getpid(), found, &number), -ENOENT);
    rmdir(path);
}

static void below_a_scope_is_in_it(void **state)
{
    char path[400], found[SCOPE_CAP];
    pid_t pid;

    (void)state;
    snprintf(path, sizeof path, "%s/below", dir);
    assert_int_equal(mkdir(path, 0755), 0);
    pid = sleeper(path, 0);
    scope_around((uint32_t)pid, found);
    assert_string_equal(found, scope);
    assert_int_equal(members(), 1);
    assert_int_equal(scope_empty(scope, number_of_dir()), -EBUSY);
    scope_kill(scope, number_of_dir(), SCOPE_KILL_US);
    end(pid);
    wait_until_empty(number_of_dir());
    rmdir(path);
}

/* ---- ending it --------------------------------------------------------------------------------
 */

static void everything_in_it_is_killed_and_nothing_else(void **state)
{
    pid_t pid = sleeper(dir, 50), stopped = sleeper(dir, 0), other;
    uint64_t number = number_of_dir();
    char beside[300];

    (void)state;
    kill(stopped, SIGSTOP);
    snprintf(beside, sizeof beside, "%s/session-beside.scope", slice);
    assert_int_equal(mkdir(beside, 0755), 0);
    other = sleeper(beside, 0);
    assert_int_equal(members(), 52);
    assert_int_equal(scope_empty(scope, number), -EBUSY);
    scope_kill(scope, number, SCOPE_KILL_US);
    wait_until_empty(number);
    end(pid);
    end(stopped);
    assert_int_equal(waitpid(other, NULL, WNOHANG), 0);
    end(other);
    rmdir(beside);
}

static void whom_there_is_no_time_for_is_left_for_the_next_time(void **state)
{
    pid_t pid = sleeper(dir, 200);
    uint64_t number = number_of_dir();
    int before = members(), left;

    (void)state;
    assert_int_equal(before, 201);
    for (int times = 0; (left = members()) > 0; times++) {
        assert_true(times < before); /* each time some of them */
        scope_kill(scope, number, 0);
        assert_true(times > 0 || members() > 100);
        for (int i = 0; i < 500 && members() == left; i++)
            usleep(10000);
        assert_true(members() < left);
    }
    wait_until_empty(number);
    end(pid);
}

static void a_fork_bomb_comes_to_an_end(void **state)
{
    enum { NOBODYS_UID = 654321 };
    uint64_t number = number_of_dir();
    pid_t pid = fork();

    (void)state;
    if (pid == 0) {
        struct rlimit limit = {200, 200};

        enter(dir);
        if (setrlimit(RLIMIT_NPROC, &limit) < 0 || setuid(NOBODYS_UID) < 0)
            _exit(9);
        for (;;)
            if (fork() < 0)
                usleep(100);
    }
    for (int i = 0; i < 500 && members() < 150; i++)
        usleep(10000);
    for (int i = 0; i < 20 && scope_empty(scope, number) < 0; i++) {
        scope_kill(scope, number, SCOPE_KILL_US);
        usleep(100000);
    }
    assert_int_equal(scope_empty(scope, number), 0);
    end(pid);
}

static void another_of_the_same_name_is_not_it(void **state)
{
    uint64_t number = number_of_dir();
    pid_t pid;

    (void)state;
    rmdir(dir);
    assert_int_equal(scope_empty(scope, number), 0); /* it is gone */
    scope_kill(scope, number, SCOPE_KILL_US);
    assert_int_equal(mkdir(dir, 0755), 0);
    assert_int_not_equal(number_of_dir(), number);
    pid = sleeper(dir, 0);
    assert_int_equal(scope_empty(scope, number), 0);
    assert_int_equal(scope_each(scope, number, count, &number), -ENOENT);
    scope_kill(scope, number, SCOPE_KILL_US);
    usleep(50000);
    assert_int_equal(waitpid(pid, NULL, WNOHANG), 0);
    assert_int_equal(scope_empty(scope, number_of_dir()), -EBUSY);
    end(pid);
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
    sd_event_source *source = NULL, *none = NULL;
    sd_event *loop = NULL;
    pid_t pid = sleeper(dir, 0);
    int told = 0;

    (void)state;
    assert_int_equal(sd_event_new(&loop), 0);
    assert_true(scope_watch(scope, loop, note, &told, &source) >= 0);
    assert_true(scope_watch("/user.slice/session-none.scope", loop, note, &told, &none) < 0);
    while (sd_event_run(loop, 100000) > 0) /* the kernel may be late to tell that it came */
        ;
    told = 0;
    end(pid);
    for (int i = 0; i < 20 && told == 0; i++)
        sd_event_run(loop, 100000);
    assert_true(told > 0);
    sd_event_source_unref(source);
    sd_event_unref(loop);
}

#define IN_A_SCOPE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_A_SCOPE(a_login_alone_in_its_scope_has_it),
        IN_A_SCOPE(with_strangers_in_it_it_is_somebody_elses),
        IN_A_SCOPE(what_is_named_otherwise_is_no_scope),
        IN_A_SCOPE(below_a_scope_is_in_it),
        IN_A_SCOPE(everything_in_it_is_killed_and_nothing_else),
        IN_A_SCOPE(whom_there_is_no_time_for_is_left_for_the_next_time),
        IN_A_SCOPE(a_fork_bomb_comes_to_an_end),
        IN_A_SCOPE(another_of_the_same_name_is_not_it),
        IN_A_SCOPE(the_loop_is_told_when_the_last_process_has_left),
    };
    char user_slice[100];
    int failed;

    if (geteuid() == 0 && find_mount()) {
        snprintf(user_slice, sizeof user_slice, "%s/user.slice", mount_dir);
        made_user_slice = mkdir(user_slice, 0755) == 0;
        snprintf(slice, sizeof slice, "%s/user-test%d.slice", user_slice, getpid());
    }
    if (slice[0] == '\0' || mkdir(slice, 0755) < 0) {
        puts("1..1\nok 1 - scopes # SKIP needs root and cgroup v2");
        return 0;
    }
    snprintf(dir, sizeof dir, "%s/session-7.scope", slice);
    snprintf(scope, sizeof scope, "%s", dir + strlen(mount_dir));
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    rmdir(slice);
    if (made_user_slice)
        rmdir(user_slice);
    return failed;
}
