#include "prepare.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <syslog.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

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

/* ---- who asks -------------------------------------------------------------------------------- */

/* As the user that we are by now. Whom /proc hides has no login uid and is in no session, as far as
 * anybody can tell. */
static int see_others(void)
{
    if (access("/proc/1/stat", F_OK) == 0)
        return 0;
    fputs(
        "teamd: /proc hides the processes of others, so that nobody could tell who asks; mount it "
        "without hidepid, or with gid= and a group of teamd's user\n",
        stderr);
    return -EACCES;
}

/* ---- all of it ---------------------------------------------------------------------------------
 */

int prepare(struct teamd *t, const char *cgroup, struct sockets *sockets)
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
    inherited(sockets);
    r = sd_event_default(&t->loop);
    if (r < 0)
        return r;
    r = people_new(t->loop, geteuid() == 0 ? t->uid : (uid_t)-1,
                   geteuid() == 0 ? t->gid : (gid_t)-1, &t->people);
    if (r < 0)
        return r;
    r = make_sockets(t, sockets);
    if (r < 0)
        return r;
    if (geteuid() == 0) {
        r = make_dir(t->options.state_dir, 0700, t->uid, t->gid);
        if (r < 0)
            return r;
    }
    open_containers(t, cgroup);
    r = become_user(t);
    return r < 0 ? r : see_others();
}
