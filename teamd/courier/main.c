/* team-courier: teamd's hands on the network. It keeps nothing that matters, and can be killed at
 * any time: what is open is handed over to whoever connects to teamd next. */
#include "conf/config.h"
#include "courier/check.h"
#include "courier/permissions.h"
#include "courier/work.h"

#include <errno.h>
#include <getopt.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <syslog.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-journal.h>
#include <unistd.h>

enum {
    STATUS_EVERY_US = 10 * 1000 * 1000,
    EXIT_TEMPFAIL = 75 /* sysexits.h: a new start helps */,
    EXIT_CONFIG = 78 /* it does not */
};

#define ENVIRONMENT_FILE "/etc/team/courier.env" /* of team-courier.service */

struct courier {
    const char *config_path, *runtime_dir, *user;
    sd_event *loop;
    struct config *config;
    struct aws_client *aws;
    struct work *work;
    bool check, journal;
};

static const char USAGE[] =
    "Usage: team-courier [--config FILE] [--runtime-dir DIR] [--user NAME] [--check | --policy]\n"
    "\n"
    "teamd's hands in AWS: makes and removes account assignments, and reads the directory.\n"
    "\n"
    "  --config FILE      configuration, the same as teamd's (/etc/team/team.conf)\n"
    "  --runtime-dir DIR  where teamd's courier.sock is (/run/team)\n"
    "  --user NAME        who to become when started as root (team-courier)\n"
    "  --check            try what it may do in AWS, change nothing, exit 0 or 1\n"
    "  --policy           print the IAM policy that it needs\n"
    "  --version, --help\n"
    "\n"
    "Credentials are found as by the AWS SDKs. SIGHUP reads configuration and credentials again.\n"
    "See team-courier(8).\n";

/* ---- saying -----------------------------------------------------------------------------------
 */

static void say(void *ctx, int priority, const char *line)
{
    const struct courier *c = ctx;

    if (c->journal)
        sd_journal_print(priority, "%s", line);
    else
        fprintf(stderr, "team-courier: %s\n", line);
}

static void problem(void *ctx, bool warning, const char *line)
{
    say(ctx, warning ? LOG_WARNING : LOG_ERR, line);
}

/* ---- options ----------------------------------------------------------------------------------
 */

static int read_options(int argc, char **argv, struct courier *c)
{
    static const struct option LONG[] = {
        {"config", required_argument, NULL, 'c'}, {"runtime-dir", required_argument, NULL, 'r'},
        {"user", required_argument, NULL, 'u'},   {"check", no_argument, NULL, 'k'},
        {"policy", no_argument, NULL, 'p'},       {"version", no_argument, NULL, 'v'},
        {"help", no_argument, NULL, 'h'},         {NULL, 0, NULL, 0},
    };
    int o;

    c->config_path = "/etc/team/team.conf";
    c->runtime_dir = "/run/team";
    c->user = "team-courier";
    while ((o = getopt_long(argc, argv, "", LONG, NULL)) != -1) {
        switch (o) {
        case 'c':
            c->config_path = optarg;
            break;
        case 'r':
            c->runtime_dir = optarg;
            break;
        case 'u':
            c->user = optarg;
            break;
        case 'k':
            c->check = true;
            break;
        case 'p':
            permissions_print(stdout);
            exit(EXIT_SUCCESS);
        case 'v':
            puts("team-courier " TEAM_RELEASE);
            exit(EXIT_SUCCESS);
        case 'h':
            fputs(USAGE, stdout);
            exit(EXIT_SUCCESS);
        default:
            fputs("Try 'team-courier --help'.\n", stderr);
            return -EINVAL;
        }
    }
    if (optind == argc)
        return 0;
    fprintf(stderr, "team-courier: unexpected argument '%s'; try 'team-courier --help'\n",
            argv[optind]);
    return -EINVAL;
}

/* Its files of AWS are then in its own home, as under systemd. */
static int become_user(const struct courier *c)
{
    const struct passwd *pw;

    if (geteuid() == 0) {
        pw = getpwnam(c->user);
        if (!pw) {
            fprintf(
                stderr,
                "team-courier: no user '%s'; make it (systemd-sysusers, useradd --system %s) or "
                "name another with --user\n",
                c->user, c->user);
            return -ENOENT;
        }
        setenv("HOME", pw->pw_dir, 1);
        if (initgroups(c->user, pw->pw_gid) < 0 ||
            setresgid(pw->pw_gid, pw->pw_gid, pw->pw_gid) < 0 ||
            setresuid(pw->pw_uid, pw->pw_uid, pw->pw_uid) < 0) {
            fprintf(stderr, "team-courier: cannot become %s: %s\n", c->user, strerror(errno));
            return -errno;
        }
        prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    }
    prctl(PR_SET_DUMPABLE, 0); /* credentials are in its memory */
    return 0;
}

/* ---- configuration ----------------------------------------------------------------------------
 */

static int load(struct courier *c, struct config **ret)
{
    struct utsname node;

    uname(&node);
    return config_load(c->config_path, node.nodename, problem, c, ret);
}

/* Where it cannot be read, what was read before goes on to count: teamd does the same. */
static void read_again(void *ctx)
{
    struct courier *c = ctx;
    struct config *fresh;

    if (load(c, &fresh) < 0)
        return;
    config_free(c->config);
    c->config = fresh;
}

static bool names_group(void *ctx, const char *name)
{
    const struct courier *c = ctx;
    const struct policy *p = &c->config->policy;

    for (size_t i = 0; i < p->n_principals; i++)
        if (p->principals[i].kind == PRINCIPAL_IDC_GROUP &&
            strcmp(p->principals[i].name, name) == 0)
            return true;
    return false;
}

/* On whatever account. */
static bool covers_set(void *ctx, const char *name)
{
    const struct courier *c = ctx;
    const struct policy *p = &c->config->policy;
    struct target set = {.kind = TARGET_AWS, .place = "1"};
    struct text what = text_over(set.what, sizeof set.what);

    text_put(&what, name);
    for (size_t i = 0; i < p->n_patterns; i++) {
        struct target any = {.kind = TARGET_AWS, .place = "*"};

        memcpy(any.what, p->patterns[i].what, sizeof any.what);
        if (p->patterns[i].kind == TARGET_AWS && pattern_covers(&any, &set))
            return true;
    }
    return false;
}

/* ---- activity ---------------------------------------------------------------------------------
 */

static bool activity_place(void *ctx, size_t i, struct activity_place *ret)
{
    static const enum activity_kind KINDS[] = {[CONFIG_LOGS] = ACTIVITY_LOGS,
                                               [CONFIG_LOOKUP] = ACTIVITY_LOOKUP,
                                               [CONFIG_LAKE] = ACTIVITY_LAKE};
    const struct courier *c = ctx;
    const struct config_activity *a = &c->config->aws.activity[i];

    if (i >= c->config->aws.n_activity)
        return false;
    ret->kind = KINDS[a->source];
    memcpy(ret->log_group, a->log_group, sizeof ret->log_group);
    memcpy(ret->store, a->store, sizeof ret->store);
    memcpy(ret->role, a->role, sizeof ret->role);
    memcpy(ret->external_id, a->external_id, sizeof ret->external_id);
    memcpy(ret->region, a->region, sizeof ret->region);
    memcpy(ret->regions, a->regions, sizeof ret->regions);
    ret->n_regions = a->n_regions;
    return true;
}

static int activity_client(void *ctx, const char *role, const char *external_id,
                           struct aws_client **ret, char why[AWS_TEXT_CAP])
{
    struct courier *c = ctx;
    struct aws_setup setup = {.region = c->config->aws.region,
                              .role = role,
                              .external_id = external_id,
                              .environment = environ,
                              .say = say,
                              .ctx = c};

    return aws_client_new(c->loop, &setup, ret, why);
}

static void start_anew(void *ctx)
{
    const struct courier *c = ctx;

    sd_event_exit(c->loop, EXIT_TEMPFAIL);
}

/* ---- the loop ---------------------------------------------------------------------------------
 */

static int on_stop(sd_event_source *source, const struct signalfd_siginfo *si, void *ctx)
{
    (void)si;
    (void)ctx;
    sd_notify(0, "STOPPING=1");
    return sd_event_exit(sd_event_source_get_event(source), EXIT_SUCCESS);
}

static int on_reload(sd_event_source *source, const struct signalfd_siginfo *si, void *ctx)
{
    struct courier *c = ctx;
    char why[AWS_TEXT_CAP];

    (void)source;
    (void)si;
    read_again(c);
    if (aws_client_reload(c->aws, why) < 0)
        say(c, LOG_ERR, why);
    work_reload(c->work);
    return 0;
}

static int on_status(sd_event_source *source, uint64_t usec, void *ctx)
{
    const struct courier *c = ctx;
    struct work_status w;
    struct aws_status a;

    (void)usec;
    work_status(c->work, &w);
    aws_client_status(c->aws, &a);
    sd_notifyf(0, "STATUS=%s; %zu jobs, %u calls waiting%s%s",
               w.connected ? "connected" : "no teamd", w.jobs, a.waiting, a.problem[0] ? "; " : "",
               a.problem);
    sd_event_source_set_time_relative(source, STATUS_EVERY_US);
    return sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

static int add_sources(struct courier *c)
{
    int r;

    if ((r = sd_event_add_signal(c->loop, NULL, SIGTERM, on_stop, c)) < 0 ||
        (r = sd_event_add_signal(c->loop, NULL, SIGINT, on_stop, c)) < 0 ||
        (r = sd_event_add_signal(c->loop, NULL, SIGHUP, on_reload, c)) < 0 ||
        (r = sd_event_add_time_relative(c->loop, NULL, CLOCK_MONOTONIC, STATUS_EVERY_US / 10, 0,
                                        on_status, c)) < 0)
        return r;
    return sd_event_set_watchdog(c->loop, true);
}

static int begin_client(struct courier *c)
{
    struct aws_setup setup = {.region = c->config->aws.region,
                              .identity_center_region = c->config->aws.identity_center_region,
                              .role = c->config->aws.role,
                              .external_id = c->config->aws.external_id,
                              .environment = environ,
                              .say = say,
                              .ctx = c};
    char why[AWS_TEXT_CAP] = "";
    int r = aws_client_new(c->loop, &setup, &c->aws, why);

    if (r < 0)
        say(c, LOG_CRIT, why[0] ? why : strerror(-r));
    return r;
}

static int begin(struct courier *c)
{
    struct work_policy policy = {.names_group = names_group,
                                 .covers_set = covers_set,
                                 .read_again = read_again,
                                 .say = say,
                                 .start_anew = start_anew,
                                 .activity = {activity_place, activity_client, c},
                                 .ctx = c};
    char path[108];
    int r;

    if ((size_t)snprintf(path, sizeof path, "%s/courier.sock", c->runtime_dir) >= sizeof path)
        return -ENAMETOOLONG;
    r = begin_client(c);
    if (r < 0)
        return r;
    r = work_new(c->loop, c->aws, path, &policy, &c->work);
    return r < 0 ? r : add_sources(c);
}

static int run(struct courier *c)
{
    sigset_t handled;
    int r;

    sigemptyset(&handled);
    sigaddset(&handled, SIGTERM);
    sigaddset(&handled, SIGINT);
    sigaddset(&handled, SIGHUP);
    sigprocmask(SIG_BLOCK, &handled, NULL);
    signal(SIGPIPE, SIG_IGN);
    umask(0077);
    r = sd_event_default(&c->loop);
    if (r >= 0)
        r = begin(c);
    if (r < 0)
        return r;
    sd_notify(0, "READY=1");
    return sd_event_loop(c->loop);
}

/* ---- --check ----------------------------------------------------------------------------------
 */

static void checked(void *ctx, bool sound)
{
    const struct courier *c = ctx;

    sd_event_exit(c->loop, sound ? EXIT_SUCCESS : EXIT_FAILURE);
}

/* What systemd gives the courier, a shell has to be told. */
static void look_for_environment(struct courier *c)
{
    for (char *const *e = environ; *e; e++)
        if (strncmp(*e, "AWS_", 4) == 0)
            return;
    if (access(ENVIRONMENT_FILE, F_OK) == 0)
        say(c, LOG_WARNING,
            ENVIRONMENT_FILE " counts under systemd only; to check with it: "
                             "(set -a; . " ENVIRONMENT_FILE "; team-courier --check)");
}

static int run_check(struct courier *c)
{
    struct check_calls calls = {.covers_set = covers_set,
                                .activity = {activity_place, activity_client, c},
                                .done = checked,
                                .ctx = c};
    struct check *check = NULL;
    int r = sd_event_default(&c->loop);

    look_for_environment(c);
    if (r >= 0)
        r = begin_client(c);
    if (r >= 0)
        r = check_start(c->loop, c->aws, &calls, &check);
    if (r >= 0)
        r = sd_event_loop(c->loop);
    check_free(check);
    return r;
}

int main(int argc, char **argv)
{
    static struct courier courier;
    struct courier *c = &courier;
    int r;

    if (read_options(argc, argv, c) < 0)
        return 2;
    c->journal = getenv("JOURNAL_STREAM") != NULL;
    if (load(c, &c->config) < 0)
        return EXIT_FAILURE;
    if (!c->config->policy.aws) {
        say(c, LOG_ERR, "there is no aws: section in the configuration, so there is nothing to do");
        return EXIT_CONFIG;
    }
    if (become_user(c) < 0)
        return EXIT_FAILURE;
    r = c->check ? run_check(c) : run(c);
    if (r < 0)
        say(c, LOG_CRIT, strerror(-r));
    c->work = work_free(c->work);
    c->aws = aws_client_free(c->aws);
    c->config = config_free(c->config);
    sd_event_unref(c->loop);
    return r < 0 ? EXIT_FAILURE : r;
}
