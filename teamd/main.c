#include "check.h"
#include "link.h"
#include "prepare.h"

#include <errno.h>
#include <getopt.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
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

/* What --check has to say of a configuration in which nothing is wrong. */
static void remark_aws(const struct config *c)
{
    if (!c->policy.aws)
        return;
    if (c->aws.portal_url[0] == '\0')
        print_problem(NULL, true,
                      "aws.portal_url is not set: teamctl show cannot tell people where to use "
                      "their access");
    fputs("teamd: what AWS lets team-courier do, and how long credentials live there: "
          "team-courier --check\n",
          stderr);
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
    (void)ctx;
    return budget_payer(uid, process_loginuid(pid));
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
    if (r == 0)
        r = directory_load(t);
    return r < 0 ? r : activity_load(t);
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
    if (t->options.check) {
        check_on_this_host(&c->policy, print_problem, NULL);
        remark_aws(c);
    }
    config_free(c);
    if (t->options.check)
        return EXIT_SUCCESS;
    r = prepare(t, cgroup, &sockets);
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
