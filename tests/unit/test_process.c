/* Processes of others, read without races: real ones, and a /proc of our own (as root, in a private
 * mount namespace) for what the kernel at hand does not show. */
#include "host/host.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* A child that is called `name`, wrote `loginuid` as its login uid if that is not NULL, and sleeps.
 */
struct child {
    pid_t pid;
    int pidfd;
};

static void write_file(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

    if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
        _exit(9);
    close(fd);
}

static struct child child_start(const char *name, const char *loginuid)
{
    struct child c;
    int ready[2];
    char byte;

    assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
    c.pid = fork();
    assert_true(c.pid >= 0);
    if (c.pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        prctl(PR_SET_NAME, name);
        if (loginuid)
            write_file("/proc/self/loginuid", loginuid);
        if (write(ready[1], "x", 1) != 1)
            _exit(9);
        for (;;)
            pause();
    }
    close(ready[1]);
    assert_int_equal(read(ready[0], &byte, 1), 1);
    close(ready[0]);
    c.pidfd = pidfd_open(c.pid, 0);
    assert_true(c.pidfd >= 0);
    return c;
}

static void child_end(struct child *c)
{
    kill(c->pid, SIGKILL);
    assert_int_equal(waitpid(c->pid, NULL, 0), c->pid);
}

static uint32_t pid_of(const struct child *c)
{
    return (uint32_t)c->pid;
}

static void a_process_may_be_called_anything(void **state)
{
    static const char *const NAMES[] = {
        "plain", ") S 1 2 3 (", "a) b) c", "((((", "))))", "two\nlines", "", " ", ") R 1 1 1 1 1",
    };
    struct process self;
    int fd = pidfd_open(getpid(), 0);

    (void)state;
    assert_int_equal(process_read(fd, (uint32_t)getpid(), &self), 0);
    close(fd);
    for (size_t i = 0; i < sizeof NAMES / sizeof NAMES[0]; i++) {
        struct child c = child_start(NAMES[i], NULL);
        struct process p;
        int64_t ticks;

        assert_int_equal(process_read(c.pidfd, pid_of(&c), &p), 0);
        assert_int_equal(p.leader.pid, c.pid);
        /* started after us, and not later than now */
        ticks = host_now().boot.us * sysconf(_SC_CLK_TCK) / SECOND_US;
        assert_in_range(p.leader.start_ticks, self.leader.start_ticks, (uint64_t)ticks + 1);
        child_end(&c);
        close(c.pidfd);
    }
}

/* What the command line of a shell with this argument reads like; before it is `sh -c "read x"`. */
static void check_command(const char *argument, const char *then)
{
    static const char HEAD[] = "sh -c read x ";
    char out[COMMAND_CAP];
    int never[2];
    pid_t pid;

    assert_int_equal(pipe(never), 0);
    pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        dup2(never[0], STDIN_FILENO);
        execl("/bin/sh", "sh", "-c", "read x", argument, "", NULL);
        _exit(9);
    }
    for (int i = 0; i < 500; i++) { /* until it is the other program */
        process_command((uint32_t)pid, out);
        if (strncmp(out, HEAD, sizeof HEAD - 1) == 0)
            break;
        usleep(10000);
    }
    assert_string_equal(out + sizeof HEAD - 1, then);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    close(never[0]);
    close(never[1]);
}

static void a_command_line_is_plain_text_of_bounded_length(void **state)
{
    enum { ROOM = COMMAND_CAP - sizeof "sh -c read x " };
    char out[COMMAND_CAP] = "before", x[2 * COMMAND_CAP], cut[COMMAND_CAP];

    (void)state;
    check_command("infinity", "infinity");
    check_command("\033[2J\n", "?[2J?");
    check_command("\xff\xc3\xbc", "?ü");
    memset(x, '0', sizeof x);
    x[sizeof x - 1] = '\0';
    snprintf(cut, sizeof cut, "%.*s…", ROOM - 3, x);
    check_command(x, cut);
    x[ROOM - 2] = '\0'; /* what fits, with its two NULs just so */
    check_command(x, x);
    process_command(INT32_MAX, out);
    assert_string_equal(out, "");
}

static void the_number_of_a_login_is_read(void **state)
{
    char text[32] = "";
    FILE *f = fopen("/proc/self/sessionid", "re");

    (void)state;
    assert_int_equal(process_audit_session(INT32_MAX), NOBODY);
    if (!f)
        skip(); /* a kernel without audit */
    assert_non_null(fgets(text, sizeof text, f));
    fclose(f);
    assert_int_equal(process_audit_session((uint32_t)getpid()), strtoul(text, NULL, 10));
}

static void the_dead_are_gone_waited_for_or_not(void **state)
{
    struct child c = child_start("mortal", NULL);
    struct process p = {.loginuid = 4711};
    siginfo_t info;

    (void)state;
    kill(c.pid, SIGKILL);
    assert_int_equal(waitid(P_PID, (id_t)c.pid, &info, WEXITED | WNOWAIT), 0);
    assert_int_equal(process_read(c.pidfd, pid_of(&c), &p), -ESRCH);
    assert_int_equal(process_login(c.pidfd, pid_of(&c), &p.loginuid), -ESRCH);
    assert_int_equal(waitpid(c.pid, NULL, 0), c.pid);
    assert_int_equal(process_read(c.pidfd, pid_of(&c), &p), -ESRCH);
    assert_int_equal(p.loginuid, 4711); /* nothing is written but on success */
    close(c.pidfd);
}

static void a_number_that_is_anothers_now_is_not_believed(void **state)
{
    struct child c = child_start("first", NULL);
    struct process p;

    (void)state;
    child_end(&c);
    assert_int_equal(process_read(c.pidfd, (uint32_t)getpid(), &p), -ESRCH);
    assert_int_equal(process_login(c.pidfd, (uint32_t)getpid(), &p.loginuid), -ESRCH);
    close(c.pidfd);
}

static void what_is_not_a_pidfd_is_an_error(void **state)
{
    struct process p;

    (void)state;
    assert_int_equal(process_read(-1, (uint32_t)getpid(), &p), -EBADF);
    assert_int_equal(process_read(9999, (uint32_t)getpid(), &p), -EBADF);
    assert_int_equal(process_login(-1, (uint32_t)getpid(), &p.loginuid), -EBADF);
}

static void the_login_uid_is_read_and_unset_is_nobody(void **state)
{
    static const struct {
        const char *set;
        uint32_t then;
    } CASES[] = {{NULL, 0}, {"4711", 4711}, {"4294967295", NOBODY}};

    (void)state;
    if (geteuid() != 0 || access("/proc/self/loginuid", W_OK) < 0)
        skip();
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        struct child c = child_start("logged in", CASES[i].set);
        struct process p;
        uint32_t alone;

        assert_int_equal(process_read(c.pidfd, pid_of(&c), &p), 0);
        assert_int_equal(process_login(c.pidfd, pid_of(&c), &alone), 0);
        assert_int_equal(alone, p.loginuid);
        assert_int_equal(process_login_now(pid_of(&c), &alone), 0);
        assert_int_equal(alone, p.loginuid);
        if (CASES[i].set)
            assert_int_equal(p.loginuid, CASES[i].then);
        child_end(&c);
        close(c.pidfd);
    }
}

/* ---- a /proc of our own ---------------------------------------------------------------------- */

#define STAT_BEGIN "1 (x) S 1 1 1 0 -1 4194560 0 0 0 0 0 0 0 0 20 0 1 0 "

/* As with hidepid=invisible, for who is not root. */
static void who_is_not_seen_is_not_somebody_without_a_login(void **state)
{
    char root[] = "/tmp/test-proc-XXXXXX";
    struct child c = child_start("hidden", NULL);
    uint32_t loginuid = 4711;
    int r, now;

    (void)state;
    if (geteuid() != 0 || unshare(CLONE_NEWNS) < 0 ||
        mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) < 0) {
        child_end(&c);
        close(c.pidfd);
        skip();
    }
    assert_non_null(mkdtemp(root));
    assert_int_equal(mount(root, "/proc", "none", MS_BIND, NULL), 0);
    r = process_login(c.pidfd, pid_of(&c), &loginuid);
    now = process_login_now(pid_of(&c), &loginuid);
    assert_int_equal(umount2("/proc", MNT_DETACH), 0);
    assert_int_equal(r, -ESRCH);
    assert_int_equal(now, -ESRCH);
    assert_int_equal(loginuid, 4711);
    rmdir(root);
    child_end(&c);
    close(c.pidfd);
}

static void proc_says_all_sorts_of_things(void **state)
{
    static const struct {
        const char *says;
        const char *stat, *loginuid; /* NULL: no such file */
        int then;
        uint64_t start;
        uint32_t login;
    } CASES[] = {
        {"all is well", STAT_BEGIN "77 9 9\n", "1000", 0, 77, 1000},
        {"login uid with a newline", STAT_BEGIN "77 9 9\n", "1000\n", 0, 77, 1000},
        {"a kernel without audit", STAT_BEGIN "77 9 9\n", NULL, 0, 77, NOBODY},
        {"the start time is the last field", STAT_BEGIN "77\n", "1000", 0, 77, 1000},
        {"no stat of a living process", NULL, "1000", -ESRCH, 0, 0},
        {"an empty stat", "", "1000", -EBADMSG, 0, 0},
        {"a stat without a name", "1 x S 1 1", "1000", -EBADMSG, 0, 0},
        {"a stat that ends early", "1 (x) S 1 1 1 0", "1000", -EBADMSG, 0, 0},
        {"a stat that ends before the start", STAT_BEGIN, "1000", -EBADMSG, 0, 0},
        {"a negative start", STAT_BEGIN "-77 9\n", "1000", -EBADMSG, 0, 0},
        {"a start that is no number", STAT_BEGIN "7x7 9\n", "1000", -EBADMSG, 0, 0},
        {"two blanks", "1 (x) S  1 1 1 0 -1 4194560 0 0 0 0 0 0 0 0 20 0 1 0 77 9", "1000",
         -EBADMSG, 0, 0},
        {"an empty login uid", STAT_BEGIN "77 9\n", "", -EBADMSG, 0, 0},
        {"a negative login uid", STAT_BEGIN "77 9\n", "-1", -EBADMSG, 0, 0},
        {"a login uid of 33 bits", STAT_BEGIN "77 9\n", "4294967296", -EBADMSG, 0, 0},
    };
    char root[] = "/tmp/test-proc-XXXXXX", dir[64], stat[80], loginuid[80];
    struct child c = child_start("real", NULL);

    (void)state;
    if (geteuid() != 0 || unshare(CLONE_NEWNS) < 0 ||
        mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) < 0) {
        child_end(&c);
        close(c.pidfd);
        skip();
    }
    assert_non_null(mkdtemp(root));
    snprintf(dir, sizeof dir, "%s/%d", root, c.pid);
    snprintf(stat, sizeof stat, "%s/stat", dir);
    snprintf(loginuid, sizeof loginuid, "%s/loginuid", dir);
    assert_int_equal(mkdir(dir, 0755), 0);
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        struct process p = {0};
        int r;

        if (CASES[i].stat)
            write_file(stat, CASES[i].stat);
        if (CASES[i].loginuid)
            write_file(loginuid, CASES[i].loginuid);
        assert_int_equal(mount(root, "/proc", "none", MS_BIND, NULL), 0);
        r = process_read(c.pidfd, pid_of(&c), &p);
        assert_int_equal(umount2("/proc", MNT_DETACH), 0);
        if (r != CASES[i].then || p.leader.start_ticks != CASES[i].start ||
            p.loginuid != CASES[i].login)
            fail_msg("%s: %d, start %llu, login uid %u", CASES[i].says, r,
                     (unsigned long long)p.leader.start_ticks, p.loginuid);
        unlink(stat);
        unlink(loginuid);
    }
    rmdir(dir);
    rmdir(root);
    child_end(&c);
    close(c.pidfd);
}

/* ---- leaders --------------------------------------------------------------------------------- */

static struct leader leader_of(const struct child *c)
{
    struct process p;

    assert_int_equal(process_read(c->pidfd, pid_of(c), &p), 0);
    return p.leader;
}

static void a_leader_is_found_again_and_its_end_is_seen(void **state)
{
    struct child c = child_start("leader", NULL);
    struct leader l = leader_of(&c);
    struct pollfd end = {.events = POLLIN};

    (void)state;
    end.fd = leader_open(&l);
    assert_true(end.fd >= 0);
    assert_true(fcntl(end.fd, F_GETFD) & FD_CLOEXEC);
    assert_int_equal(poll(&end, 1, 0), 0);
    kill(c.pid, SIGKILL);
    assert_int_equal(poll(&end, 1, 5000), 1);
    assert_int_equal(leader_open(&l), -ESRCH); /* dead, not yet waited for */
    assert_int_equal(waitpid(c.pid, NULL, 0), c.pid);
    assert_int_equal(leader_open(&l), -ESRCH);
    close(end.fd);
    close(c.pidfd);
}

static void a_later_process_with_the_leaders_number_is_not_the_leader(void **state)
{
    struct child c = child_start("later", NULL);
    struct leader l = leader_of(&c);

    (void)state;
    l.start_ticks--;
    assert_int_equal(leader_open(&l), -ESRCH);
    l.start_ticks += 2;
    assert_int_equal(leader_open(&l), -ESRCH);
    child_end(&c);
    close(c.pidfd);
}

static void *report_and_wait(void *ctx)
{
    pid_t tid = (pid_t)syscall(SYS_gettid);
    int fd = *(int *)ctx;

    if (write(fd, &tid, sizeof tid) != sizeof tid)
        abort();
    if (read(fd, &tid, sizeof tid) != 0)
        abort();
    return NULL;
}

static void numbers_that_are_no_process_are_gone(void **state)
{
    struct leader none = {.pid = 0, .start_ticks = 1}, huge = {.pid = UINT32_MAX}, thread = {0};
    int ends[2];
    pthread_t t;
    pid_t tid;

    (void)state;
    assert_int_equal(leader_open(&none), -ESRCH);
    assert_int_equal(leader_open(&huge), -ESRCH);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    assert_int_equal(pthread_create(&t, NULL, report_and_wait, &ends[1]), 0);
    assert_int_equal(read(ends[0], &tid, sizeof tid), sizeof tid);
    thread.pid = (uint32_t)tid;
    assert_int_equal(leader_open(&thread), -ESRCH);
    close(ends[0]);
    pthread_join(t, NULL);
    close(ends[1]);
}

/* ---- a process tree ------------------------------------------------------------------------- */

/* Tells who it is, and goes on in so many generations of children. */
static void grow(int fd, unsigned inner)
{
    pid_t self = getpid();

    while (write(fd, &self, sizeof self) == sizeof self && inner-- > 0 && fork() == 0)
        self = getpid();
    for (;;)
        pause();
}

/* Each is the parent of the next. */
static void check_tree(const pid_t pids[4])
{
    uint32_t tree[8];

    assert_int_equal(process_tree((uint32_t)pids[0], tree, 8), 4);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(tree[i], pids[i]);
    assert_int_equal(process_tree((uint32_t)pids[0], tree, 2), 2);
    assert_int_equal(tree[1], pids[1]);
    assert_int_equal(process_tree((uint32_t)pids[3], tree, 8), 1);
}

struct left {
    uint32_t pids[8];
    size_t n;
};

static void note_left(void *ctx, uint32_t pid)
{
    struct left *l = ctx;

    if (l->n < 8)
        l->pids[l->n] = pid;
    l->n++;
}

/* All of the tree but who was struck, once. */
static void check_census(const pid_t pids[4])
{
    struct left l = {0};

    process_census();
    process_strike(NULL, (uint32_t)pids[0]);
    process_strike(NULL, (uint32_t)pids[2]);
    process_strike(NULL, INT32_MAX);
    assert_true(process_each_left((uint32_t)pids[0], note_left, &l));
    assert_int_equal(l.n, 2);
    assert_int_equal(l.pids[0] + l.pids[1], pids[1] + pids[3]);
    l.n = 0;
    assert_true(process_each_left((uint32_t)pids[0], note_left, &l));
    assert_int_equal(l.n, 4);
}

/* Who began before a look is who was seen in it; who began since is asked for their parents. */
static void check_still(const pid_t pids[4], uint32_t other)
{
    uint64_t began, now = process_ticks_now();

    assert_true(process_began((uint32_t)pids[3], &began));
    assert_true(began <= now && now - began < 100 * 3600);
    assert_false(process_began(INT32_MAX, &began));
    assert_true(process_is_still((uint32_t)pids[3], (uint32_t)pids[0], 0));
    assert_false(process_is_still(other, (uint32_t)pids[0], 0));
    assert_true(process_is_still((uint32_t)pids[3], INT32_MAX, now + 1));
    assert_false(process_is_still(INT32_MAX, (uint32_t)pids[0], now + 1));
}

static void the_descendants_of_a_leader_are_killed_and_nobody_else(void **state)
{
    struct child other = child_start("bystander", NULL);
    int pipes[2], pidfds[4], status;
    pid_t pids[4], leader;

    (void)state;
    assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
    leader = fork();
    if (leader == 0)
        grow(pipes[1], 3);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(read(pipes[0], &pids[i], sizeof pids[i]), sizeof pids[i]);
        pidfds[i] = pidfd_open(pids[i], 0);
        assert_true(pidfds[i] >= 0);
    }
    assert_int_equal(pids[0], leader);
    process_survey();
    assert_true(process_descends((uint32_t)pids[3], (uint32_t)leader));
    assert_true(process_descends((uint32_t)leader, (uint32_t)leader));
    assert_false(process_descends((uint32_t)leader, (uint32_t)pids[3]));
    assert_false(process_descends((uint32_t)other.pid, (uint32_t)leader));
    assert_false(process_descends(INT32_MAX, (uint32_t)leader));
    check_tree(pids);
    check_census(pids);
    check_still(pids, (uint32_t)other.pid);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(process_behind(pidfds[i]), pids[i]);
    process_kill_tree((uint32_t)leader);
    for (size_t i = 1; i < 4; i++) {
        struct pollfd p = {.fd = pidfds[i], .events = POLLIN};

        assert_int_equal(poll(&p, 1, 5000), 1);
    }
    assert_int_equal(waitpid(leader, &status, WNOHANG), 0); /* who has its pidfd kills it */
    assert_int_equal(waitpid(other.pid, &status, WNOHANG), 0);
    kill(leader, SIGKILL);
    waitpid(leader, &status, 0);
    assert_int_equal(process_behind(pidfds[0]), 0);
    assert_int_equal(process_behind(STDIN_FILENO), 0);
    assert_int_equal(process_behind(-1), 0);
    process_survey();
    process_kill_tree((uint32_t)leader); /* nothing is below nobody */
    assert_int_equal(waitpid(other.pid, &status, WNOHANG), 0);
    child_end(&other);
    for (size_t i = 0; i < 4; i++)
        close(pidfds[i]);
    close(pipes[0]);
    close(pipes[1]);
    close(other.pidfd);
}

/* As a kernel with lists has it: of each thread one. */
static void a_tree_is_found_by_the_lists_of_children(void **state)
{
    static const struct {
        const char *path, *children;
    } FILES[] = {
        {"thread-self", ""},          {"100/task/100", "101 102 "}, {"100/task/105", "103"},
        {"101/task/101", "104 100 "}, {"102/task/102", ""},         {"103/task/103", "x"},
        {"103/task/none", "200"},     {"104/task/104", "105 "},
    };
    char root[] = "/tmp/test-proc-XXXXXX", path[200];
    uint32_t tree[16];
    size_t n, few;

    (void)state;
    if (geteuid() != 0 || unshare(CLONE_NEWNS) < 0 ||
        mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) < 0)
        skip();
    assert_non_null(mkdtemp(root));
    assert_int_equal(mount("none", root, "tmpfs", 0, NULL), 0);
    for (size_t i = 0; i < sizeof FILES / sizeof FILES[0]; i++) {
        snprintf(path, sizeof path, "%s/%s", root, FILES[i].path);
        for (char *slash = path + sizeof root; (slash = strchr(slash, '/')); *slash++ = '/') {
            *slash = '\0';
            mkdir(path, 0755);
        }
        assert_int_equal(mkdir(path, 0755), 0);
        snprintf(path, sizeof path, "%s/%s/children", root, FILES[i].path);
        write_file(path, FILES[i].children);
    }
    assert_int_equal(mount(root, "/proc", "none", MS_BIND, NULL), 0);
    process_survey();
    n = process_tree(100, tree, 16);
    few = process_tree(100, tree + 8, 3);
    assert_int_equal(umount2("/proc", MNT_DETACH), 0);
    umount2(root, MNT_DETACH);
    rmdir(root);
    assert_int_equal(n, 6); /* in the order of the directory: as sets */
    assert_int_equal(tree[0], 100);
    assert_int_equal(tree[1] + tree[2] + tree[3], 101 + 102 + 103);
    assert_int_equal(tree[4], 104);
    assert_int_equal(tree[5], 105);
    assert_int_equal(few, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_descendants_of_a_leader_are_killed_and_nobody_else),
        cmocka_unit_test(a_process_may_be_called_anything),
        cmocka_unit_test(a_command_line_is_plain_text_of_bounded_length),
        cmocka_unit_test(the_number_of_a_login_is_read),
        cmocka_unit_test(the_dead_are_gone_waited_for_or_not),
        cmocka_unit_test(a_number_that_is_anothers_now_is_not_believed),
        cmocka_unit_test(what_is_not_a_pidfd_is_an_error),
        cmocka_unit_test(the_login_uid_is_read_and_unset_is_nobody),
        cmocka_unit_test(a_leader_is_found_again_and_its_end_is_seen),
        cmocka_unit_test(a_later_process_with_the_leaders_number_is_not_the_leader),
        cmocka_unit_test(numbers_that_are_no_process_are_gone),
        cmocka_unit_test(proc_says_all_sorts_of_things),
        cmocka_unit_test(who_is_not_seen_is_not_somebody_without_a_login),
        cmocka_unit_test(a_tree_is_found_by_the_lists_of_children),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
