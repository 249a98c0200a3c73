/* How long from a revoke to the end of the last of 20 processes that detached themselves and ignore
 * signals, in a session of sudo that teamd opened; and how long from a bare commit and a bare
 * cgroup.kill for the same tree, opened by the same sudo without the gate, in a cgroup of ours:
 *   cut ROUNDS UID OURS-COMMAND OTHER-COMMAND CONTROL CGROUP DIR
 * The commands are sudo calls of `cut tree FIFO`. DIR is for an LMDB environment of ours. One line:
 * both medians in us, and the ratio. Dies if one of them is alive after five seconds. */
#include "asks.h"

#include <fcntl.h>
#include <lmdb.h>
#include <poll.h>
#include <signal.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/wait.h>

enum { TREE = 20, WORDS = 16 };

/* ---- the tree -------------------------------------------------------------------------------- */

static void detach(int to)
{
    pid_t me;

    signal(SIGHUP, SIG_IGN);
    signal(SIGTERM, SIG_IGN);
    signal(SIGINT, SIG_IGN);
    if (fork() != 0)
        _exit(0);
    setsid();
    if (fork() != 0)
        _exit(0);
    me = getpid();
    if (write(to, &me, sizeof me) != sizeof me)
        _exit(1);
    close(to);
    for (;;)
        pause();
}

static int grow(const char *fifo)
{
    int to = open(fifo, O_WRONLY | O_CLOEXEC);

    if (to < 0)
        die("%s: %s", fifo, strerror(errno));
    for (unsigned i = 0; i < TREE; i++)
        if (fork() == 0)
            detach(to);
    for (;;)
        pause();
}

/* ---- opening one ----------------------------------------------------------------------------- */

static unsigned uid;

static void become(void)
{
    log_in(uid);
    if (setregid(uid, uid) < 0 || setreuid(uid, uid) < 0)
        die("setreuid: %s", strerror(errno));
}

static void enter(const char *cgroup)
{
    char path[512];
    int fd;

    snprintf(path, sizeof path, "%s/cgroup.procs", cgroup);
    fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0 || write(fd, "0", 1) != 1)
        die("%s: %s", path, strerror(errno));
    close(fd);
}

static pid_t run(const char *command, const char *cgroup)
{
    char line[1024], *words[WORDS] = {NULL}, *rest = line;
    pid_t pid;

    snprintf(line, sizeof line, "%s", command);
    for (size_t n = 0; n < WORDS - 1 && rest; n++)
        words[n] = strsep(&rest, " ");
    pid = fork();
    if (pid != 0)
        return pid;
    if (cgroup)
        enter(cgroup);
    become();
    execvp(words[0], words);
    _exit(127);
}

struct tree {
    pid_t sudo;
    struct pollfd alive[TREE];
};

/* The command writes its pids to a FIFO whose name is its last word. */
static struct tree open_tree(const char *command, const char *cgroup)
{
    const char *fifo = strrchr(command, ' ') + 1;
    struct tree t = {.sudo = 0};
    size_t n = 0;
    int from = open(fifo, O_RDWR | O_CLOEXEC);

    if (from < 0)
        die("%s: %s", fifo, strerror(errno));
    t.sudo = run(command, cgroup);
    while (n < TREE) {
        struct pollfd ready = {.fd = from, .events = POLLIN};
        pid_t pid;

        if (poll(&ready, 1, 5000) != 1 || read(from, &pid, sizeof pid) != sizeof pid)
            die("%s: only %zu processes came", command, n);
        t.alive[n].events = POLLIN;
        t.alive[n].fd = pidfd_open(pid, 0);
        if (t.alive[n++].fd < 0)
            die("pidfd_open: %s", strerror(errno));
    }
    close(from);
    return t;
}

/* Returns when the last of them is gone. */
static void watch_them_go(struct tree *t)
{
    double patience = now_us() + 5e6;

    for (size_t i = 0; i < TREE; i++) {
        do {
            if (now_us() > patience)
                die("%zu of %d are alive after five seconds", TREE - i, TREE);
        } while (poll(&t->alive[i], 1, 1000) != 1);
    }
}

static void bury(struct tree *t)
{
    int status;

    for (size_t i = 0; i < TREE; i++)
        close(t->alive[i].fd);
    if (waitpid(t->sudo, &status, 0) != t->sudo)
        die("waitpid: %s", strerror(errno));
}

/* ---- ending it ------------------------------------------------------------------------------- */

static const char *control;

static double cut_ours(const char *command)
{
    char buf[TEAM_ASK_PACKET_MAX];
    struct wire_out w = wire_begin(buf, sizeof buf, TEAM_ASK, TEAM_OP_REVOKE);
    struct heard a;
    struct tree t;
    double begin, us;
    int fd;

    if (seteuid(uid) < 0)
        die("seteuid: %s", strerror(errno));
    ask_request(control, "sudo", &a);
    if (seteuid(0) < 0)
        die("seteuid: %s", strerror(errno));
    t = open_tree(command, NULL);
    pause_us(100e3);
    wire_put(&w, TEAM_ID, a.id);
    begin = now_us();
    if (seteuid(uid) < 0)
        die("seteuid: %s", strerror(errno));
    fd = reach(control);
    tell(fd, buf, wire_finish(&w));
    watch_them_go(&t);
    us = now_us() - begin;
    hear(fd, &a);
    close(fd);
    if (seteuid(0) < 0 || a.code != TEAM_DONE)
        die("revoke: exit %u: %s", a.code, a.text);
    bury(&t);
    return us;
}

static MDB_env *env;
static MDB_dbi table;

static void open_env(const char *dir)
{
    MDB_txn *txn;

    if (mdb_env_create(&env) != 0 || mdb_env_set_mapsize(env, 64 << 20) != 0 ||
        mdb_env_open(env, dir, 0, 0600) != 0 || mdb_txn_begin(env, NULL, 0, &txn) != 0 ||
        mdb_dbi_open(txn, NULL, 0, &table) != 0 || mdb_txn_commit(txn) != 0)
        die("%s: no LMDB environment", dir);
}

static void bare_commit(void)
{
    static uint64_t n;
    static char record[300];
    MDB_val key = {.mv_size = sizeof n, .mv_data = &n};
    MDB_val value = {.mv_size = sizeof record, .mv_data = record};
    MDB_txn *txn;

    n++;
    if (mdb_txn_begin(env, NULL, 0, &txn) != 0 || mdb_put(txn, table, &key, &value, 0) != 0 ||
        mdb_txn_commit(txn) != 0)
        die("the bare commit failed");
}

static double cut_bare(const char *command, const char *cgroup)
{
    char path[512];
    struct tree t;
    double begin, us;
    int fd;

    if (mkdir(cgroup, 0755) < 0)
        die("%s: %s", cgroup, strerror(errno));
    t = open_tree(command, cgroup);
    pause_us(100e3);
    snprintf(path, sizeof path, "%s/cgroup.kill", cgroup);
    begin = now_us();
    bare_commit();
    fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0 || write(fd, "1", 1) != 1)
        die("%s: %s", path, strerror(errno));
    watch_them_go(&t);
    us = now_us() - begin;
    close(fd);
    bury(&t);
    while (rmdir(cgroup) < 0 && errno == EBUSY)
        pause_us(500);
    return us;
}

int main(int argc, char **argv)
{
    unsigned rounds, order[2];
    double *us[2];

    if (argc == 3 && strcmp(argv[1], "tree") == 0)
        return grow(argv[2]);
    if (argc != 8 || (rounds = number(argv[1])) == 0)
        return 2;
    uid = number(argv[2]);
    control = argv[5];
    log_in(uid);
    open_env(argv[7]);
    for (unsigned k = 0; k < 2; k++)
        us[k] = room_for(rounds, sizeof(double));
    for (unsigned i = 0; i < rounds; i++) {
        shuffled(order, 2);
        for (unsigned k = 0; k < 2; k++) {
            double took = order[k] == 0 ? cut_ours(argv[3]) : cut_bare(argv[4], argv[6]);

            us[order[k]][i] = took;
        }
    }
    print_ratio("cut", us[0], us[1], rounds);
    return 0;
}
