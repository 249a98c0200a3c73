#include "link.h"

#include <errno.h>
#include <getopt.h>
#include <grp.h>
#include <linux/capability.h>
#include <malloc.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <syslog.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

/* Starting, stopping, and the loop in between. */

/* Together with a start it has to be shorter than the patience of the PAM module (2 s): who asks in
 * the meantime waits in the queue of the sockets. */
enum { STOP_PATIENCE_US = 1000 * 1000, STATUS_EVERY_US = 10 * 1000 * 1000 };

static struct teamd teamd;

static const char USAGE[] =
    "Usage: teamd [--config FILE] [--state-dir DIR] [--runtime-dir DIR] [--user NAME] [--check]\n"
    "\n"
    "The policy daemon of just-in-time elevation: keeps requests, decides, opens and ends access.\n"
    "\n"
    "  --config FILE      configuration (/etc/team/team.conf)\n"
    "  --state-dir DIR    where the store is (/var/lib/team)\n"
    "  --runtime-dir DIR  where the sockets are made, unless systemd passes them (/run/team)\n"
    "  --user NAME        who to become when started as root (team)\n"
    "  --check            read the configuration, say what is wrong with it, exit 0 or 1\n"
    "  --version, --help\n"
    "\n"
    "SIGHUP reloads the configuration. See teamd(8) and team.conf(5).\n";

/* ---- options ----------------------------------------------------------------------------------
 */

static int read_options(int argc, char **argv, struct options *o)
{
    static const struct option LONG[] = {
        {"config", required_argument, NULL, 'c'},
        {"state-dir", required_argument, NULL, 's'},
        {"runtime-dir", required_argument, NULL, 'r'},
        {"user", required_argument, NULL, 'u'},
        {"check", no_argument, NULL, 'k'},
        {"version", no_argument, NULL, 'v'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    int c;

    *o = (struct options){"/etc/team/team.conf", "/var/lib/team", "/run/team", "team", false};
    while ((c = getopt_long(argc, argv, "", LONG, NULL)) != -1) {
        switch (c) {
        case 'c':
            o->config = optarg;
            break;
        case 's':
            o->state_dir = optarg;
            break;
        case 'r':
            o->runtime_dir = optarg;
            break;
        case 'u':
            o->user = optarg;
            break;
        case 'k':
            o->check = true;
            break;
        case 'v':
            puts("teamd " TEAM_RELEASE);
            exit(EXIT_SUCCESS);
        case 'h':
            fputs(USAGE, stdout);
            exit(EXIT_SUCCESS);
        default:
            fputs("Try 'teamd --help'.\n", stderr);
            return -EINVAL;
        }
    }
    if (optind < argc) {
        fprintf(stderr, "teamd: unexpected argument '%s'; try 'teamd --help'\n", argv[optind]);
        return -EINVAL;
    }
    return 0;
}

static void print_problem(void *ctx, bool warning, const char *line)
{
    (void)ctx;
    fprintf(stderr, "teamd: %s%s\n", warning ? "warning: " : "", line);
}

static struct config *check_config(const char *path)
{
    struct config *c = NULL;
    struct utsname node;

    uname(&node);
    if (config_load(path, node.nodename, print_problem, NULL, &c) < 0)
        return NULL;
    return c;
}

/* ---- who we are -------------------------------------------------------------------------------
 */

static int find_user(struct teamd *t)
{
    const struct passwd *pw;

    if (geteuid() != 0) {
        t->uid = geteuid();
        t->gid = getegid();
        return 0;
    }
    errno = 0;
    pw = getpwnam(t->options.user);
    if (!pw) {
        fprintf(stderr,
                "teamd: no user '%s'; make it (systemd-sysusers, useradd --system %s) or name "
                "another with --user\n",
                t->options.user, t->options.user);
        return -ENOENT;
    }
    t->uid = pw->pw_uid;
    t->gid = pw->pw_gid;
    return 0;
}

static int make_dir(const char *path, mode_t mode, uid_t uid, gid_t gid)
{
    if (mkdir(path, mode) < 0 && errno != EEXIST) {
        fprintf(stderr, "teamd: cannot make %s: %s\n", path, strerror(errno));
        return -errno;
    }
    if (chown(path, uid, gid) < 0 || chmod(path, mode) < 0) {
        fprintf(stderr, "teamd: cannot own %s: %s\n", path, strerror(errno));
        return -errno;
    }
    return 0;
}

/* The one capability that ending other people's sessions takes (capabilities(7)). */
static int keep_only_kill(void)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2] = {
        {.effective = 1 << CAP_KILL, .permitted = 1 << CAP_KILL}};

    return syscall(SYS_capset, &header, data) < 0 ? -errno : 0;
}

static int become_user(struct teamd *t)
{
    int r;

    if (geteuid() != 0 || t->uid == 0)
        return 0;
    if (prctl(PR_SET_KEEPCAPS, 1) < 0 || initgroups(t->options.user, t->gid) < 0 ||
        setresgid(t->gid, t->gid, t->gid) < 0 || setresuid(t->uid, t->uid, t->uid) < 0) {
        fprintf(stderr, "teamd: cannot become %s: %s\n", t->options.user, strerror(errno));
        return -errno;
    }
    r = keep_only_kill();
    if (r < 0)
        fprintf(stderr, "teamd: cannot keep the capability to end sessions: %s\n", strerror(-r));
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    return r;
}

/* Where sessions are held together. Without it they are still recorded and ended as far as they can
 * be found. */
static void open_containers(struct teamd *t, const char *where)
{
    struct stat st;
    char name[64];
    int r;

    t->use_scopes = strcmp(where, "off") != 0;
    if (stat(t->options.state_dir, &st) < 0)
        return;
    snprintf(name, sizeof name, "team-sessions-%llx-%llx", (unsigned long long)st.st_dev,
             (unsigned long long)st.st_ino);
    r = containers_open(where, name, t->uid, t->gid, &t->containers);
    if (r < 0 && strcmp(where, "off") != 0)
        log_line(
            LOG_WARNING,
            "sessions cannot be contained: no cgroup for them (sessions.cgroup = \"%s\"); what "
            "leaves their process tree will not be found",
            where);
}

/* ---- sockets ----------------------------------------------------------------------------------
 */

struct sockets {
    int gate, control, courier;
};

/* From systemd, told apart by their names (FileDescriptorName= of the socket units). */
static int inherited(struct sockets *s)
{
    char **names = NULL;
    int n = sd_listen_fds_with_names(1, &names);

    for (int i = 0; i < n; i++) {
        if (strcmp(names[i], "gate") == 0)
            s->gate = SD_LISTEN_FDS_START + i;
        else if (strcmp(names[i], "control") == 0)
            s->control = SD_LISTEN_FDS_START + i;
        else if (strcmp(names[i], "courier") == 0)
            s->courier = SD_LISTEN_FDS_START + i;
        else
            kept_inherit(names[i], SD_LISTEN_FDS_START + i);
        free(names[i]);
    }
    free(names);
    return n;
}

static int make_socket(const char *dir, const char *name, unsigned mode, int *ret)
{
    char path[108];
    int r;

    if ((size_t)snprintf(path, sizeof path, "%s/%s", dir, name) >= sizeof path) {
        fprintf(stderr, "teamd: %s is too long for a socket's path\n", dir);
        return -ENAMETOOLONG;
    }
    r = ipc_socket_make(path, mode, ret);
    if (r < 0)
        fprintf(stderr, "teamd: cannot listen on %s: %s%s\n", path, strerror(-r),
                r == -EADDRINUSE ? "; is another teamd running?" : "");
    return r;
}

/* Who may come there is looked up once: a program that could become that user later is not it. */
static gid_t find_courier(struct teamd *t)
{
    const struct passwd *pw = getpwnam("team-courier");

    t->courier_uid = pw ? pw->pw_uid : geteuid() == 0 ? (uid_t)-1 : geteuid();
    return pw ? pw->pw_gid : (gid_t)-1;
}

/* Without that user there is no courier, and AWS cannot be asked for. */
static int make_courier_socket(struct teamd *t, struct sockets *s)
{
    gid_t group = find_courier(t);
    char path[128];
    int r;

    if (t->courier_uid == (uid_t)-1)
        return 0;
    r = make_socket(t->options.runtime_dir, "courier.sock", 0600, &s->courier);
    if (r < 0 || group == (gid_t)-1)
        return r;
    snprintf(path, sizeof path, "%s/courier.sock", t->options.runtime_dir);
    if (chown(path, 0, group) < 0 || chmod(path, 0660) < 0) {
        fprintf(stderr, "teamd: cannot give %s to team-courier: %s\n", path, strerror(errno));
        return -errno;
    }
    return 0;
}

static int make_sockets(struct teamd *t, struct sockets *s)
{
    int r;

    if (s->gate >= 0 && s->control >= 0) {
        if (s->courier >= 0)
            find_courier(t);
        return 0;
    }
    if (s->gate >= 0 || s->control >= 0) {
        fputs("teamd: systemd passed one socket; both gate and control are needed\n", stderr);
        return -EINVAL;
    }
    r = make_dir(t->options.runtime_dir, 0755, geteuid(), getegid());
    if (r < 0)
        return r;
    r = make_socket(t->options.runtime_dir, "gate.sock", 0600, &s->gate);
    if (r < 0)
        return r;
    r = make_socket(t->options.runtime_dir, "control.sock", 0666, &s->control);
    if (r < 0)
        return r;
    return make_courier_socket(t, s);
}

/* ---- asks to their shells ----------------------------------------------------------------------
 */

static bool is_in_place(unsigned op)
{
    return op == TEAM_OP_AWAIT || op == TEAM_OP_FILE;
}

static void on_ask(void *ctx, struct conn *c, const struct wire_msg *msg)
{
    if (conn_socket(c) == IPC_COURIER)
        link_ask(ctx, c, msg);
    else if (conn_socket(c) == IPC_CONTROL)
        control_ask(ctx, c, msg);
    else if (is_in_place(msg->op))
        in_place_ask(ctx, c, msg);
    else
        gate_ask(ctx, c, msg);
}

static void on_room(void *ctx, struct conn *c)
{
    if (conn_socket(c) == IPC_COURIER)
        link_room(ctx, c);
    else if (conn_socket(c) == IPC_CONTROL && conn_data(c))
        query_room(conn_data(c));
}

static void on_gone(void *ctx, struct conn *c)
{
    if (conn_socket(c) == IPC_GATE && !is_in_place(conn_op(c)))
        gate_gone(c);
    else if (conn_socket(c) == IPC_COURIER)
        link_gone(ctx, c);
    else
        control_gone(c);
}

/* Root's are root's, whoever became it: they have places of their own. */
static uint32_t on_account(void *ctx, uint32_t uid, uint32_t pid)
{
    uint32_t loginuid = process_loginuid(pid);

    (void)ctx;
    return uid == 0 || loginuid == NOBODY ? uid : loginuid;
}

/* As far as is known: who is not, yet, is told to try again. */
static bool on_trusts(void *ctx, uint32_t uid)
{
    const struct teamd *t = ctx;
    const struct person *who = world_person(&t->world, uid);

    return uid == 0 || (who && policy_is_admin(t->world.policy, who));
}

static bool on_courier(void *ctx, uint32_t uid)
{
    const struct teamd *t = ctx;

    return t->courier_uid != (uid_t)-1 && uid == t->courier_uid;
}

static const struct ipc_handlers HANDLERS = {.ask = on_ask,
                                             .room = on_room,
                                             .gone = on_gone,
                                             .account = on_account,
                                             .courier = on_courier,
                                             .trusts = on_trusts};

/* ---- signals and the end -----------------------------------------------------------------------
 */

static int stop_now(sd_event_source *source, uint64_t usec, void *ctx)
{
    struct teamd *t = ctx;

    (void)source;
    (void)usec;
    return sd_event_exit(t->loop, EXIT_SUCCESS);
}

/* Called after whatever happened in the loop: the last answer may have been given. */
static int stop_if_answered(sd_event_source *source, void *ctx)
{
    struct teamd *t = ctx;

    (void)source;
    turn_run(t);
    wait_end(t);
    link_end(t);
    follow_end(t);
    return ipc_connections(t->ipc) > 0 ? 0 : sd_event_exit(t->loop, EXIT_SUCCESS);
}

/* What has been asked is answered; sessions go on: an upgrade must not log anybody out. */
static int on_stop(sd_event_source *source, const struct signalfd_siginfo *si, void *ctx)
{
    struct teamd *t = ctx;
    uint64_t now;

    (void)source;
    (void)si;
    if (t->stopping)
        return 0;
    t->stopping = true;
    sd_notify(0, "STOPPING=1\nSTATUS=stopping");
    ipc_stop(t->ipc);
    if (sd_event_now(t->loop, CLOCK_MONOTONIC, &now) < 0 ||
        sd_event_add_post(t->loop, NULL, stop_if_answered, t) < 0 ||
        sd_event_add_time(t->loop, NULL, CLOCK_MONOTONIC, now + STOP_PATIENCE_US, 0, stop_now, t) <
            0)
        return sd_event_exit(t->loop, EXIT_SUCCESS);
    return stop_if_answered(NULL, t);
}

static int on_reload(sd_event_source *source, const struct signalfd_siginfo *si, void *ctx)
{
    int r;

    (void)source;
    (void)si;
    r = reload_start(ctx, "root", NULL, NULL);
    if (r < 0)
        log_line(LOG_ERR, "cannot reload: %s", strerror(-r));
    return 0;
}

static int on_status(sd_event_source *source, uint64_t usec, void *ctx)
{
    struct teamd *t = ctx;
    static uint32_t requests = UINT32_MAX, sessions, stuck;
    uint32_t stuck_now = sessions_stuck(t);

    if (requests != t->world.n_requests || sessions != t->world.n_sessions || stuck != stuck_now) {
        requests = t->world.n_requests;
        sessions = t->world.n_sessions;
        stuck = stuck_now;
        sd_notifyf(0, "STATUS=%u live requests, %u sessions%s", requests, sessions,
                   stuck > 0 ? "; some cannot be ended, see teamctl sessions" : "");
    }
    sd_event_source_set_time(source, usec + STATUS_EVERY_US);
    return sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

static int add_signals(struct teamd *t)
{
    uint64_t now;
    int r;

    if ((r = sd_event_add_signal(t->loop, NULL, SIGTERM, on_stop, t)) < 0 ||
        (r = sd_event_add_signal(t->loop, NULL, SIGINT, on_stop, t)) < 0 ||
        (r = sd_event_add_signal(t->loop, NULL, SIGHUP, on_reload, t)) < 0 ||
        (r = sd_event_now(t->loop, CLOCK_MONOTONIC, &now)) < 0)
        return r;
    return sd_event_add_time(t->loop, NULL, CLOCK_MONOTONIC, now, STATUS_EVERY_US / 10, on_status,
                             t);
}

/* ---- starting ----------------------------------------------------------------------------------
 */

static struct sockets sockets = {-1, -1, -1};

static int give_socket(struct teamd *t, enum ipc_socket which, int *fd)
{
    int r = ipc_listen(t->ipc, which, *fd);

    if (r == 0)
        *fd = -1;
    return r;
}

static void close_socket(int fd)
{
    if (fd >= 0)
        close(fd);
}

/* The policy and its people are there: from now on there are answers. */
static void ready(void *ctx, int error, const char *text)
{
    struct teamd *t = ctx;
    int r = error;

    if (r == 0)
        r = give_socket(t, IPC_GATE, &sockets.gate);
    if (r == 0)
        r = give_socket(t, IPC_CONTROL, &sockets.control);
    if (r == 0 && sockets.courier < 0 && t->config->policy.aws)
        log_line(LOG_ERR,
                 "there is no courier.sock, so nothing happens in AWS: the user team-courier, or "
                 "team-courier.socket, is missing");
    if (r == 0 && sockets.courier >= 0)
        r = give_socket(t, IPC_COURIER, &sockets.courier);
    if (r < 0) {
        log_line(LOG_CRIT, "cannot start: %s", text);
        sd_event_exit(t->loop, EXIT_FAILURE);
        return;
    }
    turn_run(t);
    sd_notify(0, "READY=1");
    log_line(LOG_NOTICE, "ready: %s", text);
}

static void say_not_opened(const char *dir, int r)
{
    if (r == -EUCLEAN)
        log_line(LOG_CRIT,
                 "cannot open the store in %s: damaged or not a store; restore a backup, or move "
                 "%s/store away to begin anew",
                 dir, dir);
    else
        log_line(LOG_CRIT, "cannot open the store in %s: %s%s", dir, strerror(-r),
                 r == -EBUSY             ? "; is another teamd running?"
                 : r == -EPROTONOSUPPORT ? "; a newer teamd wrote it"
                                         : "");
}

static int open_world(struct teamd *t, const char *host)
{
    void *memory = mmap(NULL, world_size(), PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    int r;

    if (memory == MAP_FAILED)
        return -errno;
    t->world_memory = memory;
    world_init(&t->world, memory, NULL);
    r = host_boot_id(t->boot_id);
    if (r < 0)
        return r;
    r = store_open(t->options.state_dir, host, t->boot_id, &t->store);
    if (r < 0) {
        say_not_opened(t->options.state_dir, r);
        return r;
    }
    r = turn_restore(t);
    kept_rest();
    return r < 0 ? r : directory_load(t);
}

/* What needs root, and everything that must be forked before anything else is open. */
static int prepare(struct teamd *t, const char *cgroup)
{
    struct rlimit files;
    sigset_t handled;
    int r;

    sigemptyset(&handled);
    sigaddset(&handled, SIGTERM);
    sigaddset(&handled, SIGINT);
    sigaddset(&handled, SIGHUP);
    sigprocmask(SIG_BLOCK, &handled, NULL);
    signal(SIGPIPE, SIG_IGN);
    umask(0077);
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
    r = find_user(t);
    if (r < 0)
        return r;
    inherited(&sockets);
    r = sd_event_default(&t->loop);
    if (r < 0)
        return r;
    r = people_new(t->loop, geteuid() == 0 ? t->uid : (uid_t)-1,
                   geteuid() == 0 ? t->gid : (gid_t)-1, &t->people);
    if (r < 0)
        return r;
    r = make_sockets(t, &sockets);
    if (r < 0)
        return r;
    if (geteuid() == 0) {
        r = make_dir(t->options.state_dir, 0700, t->uid, t->gid);
        if (r < 0)
            return r;
    }
    open_containers(t, cgroup);
    return become_user(t);
}

static int begin(struct teamd *t, const char *host)
{
    int r;

    prctl(PR_SET_DUMPABLE, 0);
    t->budget = budget_new();
    if (!t->budget)
        return -ENOMEM;
    if ((r = turn_new(t)) < 0 || (r = query_new(t)) < 0 || (r = link_new(t)) < 0 ||
        (r = sessions_new(t)) < 0 || (r = open_world(t, host)) < 0 ||
        (r = ipc_new(t->loop, &HANDLERS, t, &t->ipc)) < 0 || (r = add_signals(t)) < 0)
        return r;
    r = sd_event_set_watchdog(t->loop, true);
    if (r < 0)
        return r;
    return reload_begin(t, ready, t);
}

static void finish(struct teamd *t)
{
    t->ipc = ipc_free(t->ipc);
    close_socket(sockets.gate);
    close_socket(sockets.control);
    close_socket(sockets.courier);
    reload_free(t);
    if (t->first || t->last)
        turn_free(t);
    link_free(t);
    query_free(t);
    t->budget = budget_free(t->budget);
    sessions_free(t);
    t->containers = containers_free(t->containers);
    t->people = people_free(t->people);
    t->store = store_close(t->store);
    t->config = config_free(t->config);
    if (t->world_memory)
        munmap(t->world_memory, world_size());
    t->loop = sd_event_unref(t->loop);
}

/* Large tables are mostly empty, and pages that nobody touches cost nothing as long as they are the
 * kernel's. By itself glibc would take such room from the heap, and clear it, once some was freed.
 */
static void keep_large_blocks_apart(void)
{
    enum { LARGE = 64 * 1024 };

    (void)mallopt(M_MMAP_THRESHOLD, LARGE);
}

int main(int argc, char **argv)
{
    struct teamd *t = &teamd;
    struct config *c;
    char host[HOST_CAP], cgroup[sizeof c->cgroup];
    int r;

    keep_large_blocks_apart();
    if (read_options(argc, argv, &t->options) < 0)
        return 2;
    c = check_config(t->options.config);
    if (!c)
        return EXIT_FAILURE;
    memcpy(host, c->policy.host, sizeof host);
    memcpy(cgroup, c->cgroup, sizeof cgroup);
    config_free(c);
    if (t->options.check)
        return EXIT_SUCCESS;
    r = prepare(t, cgroup);
    if (r == 0)
        r = begin(t, host);
    if (r >= 0)
        r = sd_event_loop(t->loop);
    else
        log_line(LOG_CRIT, "cannot start: %s", strerror(-r));
    backup_end(t, r < 0 ? EXIT_FAILURE : r);
    finish(t);
    return r < 0 ? EXIT_FAILURE : r;
}
