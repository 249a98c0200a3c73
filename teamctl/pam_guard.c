#include "pam_guard.h"

#include "teamctl.h"

#include <errno.h>
#include <fcntl.h>
#include <mntent.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#define UNIT "team-pam-undo.service"

enum { TICK_MS = 200, LOCK_S = 10, RETRY_TICKS = 50, START_MS = 8000 };

bool pam_has_systemd(void)
{
    struct stat st;

    return stat("/run/systemd/system", &st) == 0;
}

static void sleep_ms(long ms)
{
    struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000 * 1000};

    nanosleep(&t, NULL);
}

/* ---- undoing ----------------------------------------------------------------------------------
 */

bool pam_is_replaced(int given)
{
    return given == -ENOENT || given == -ELOOP || given == -EISDIR;
}

int pam_undo_all(const struct pam_dir *d, const struct pending *p, pam_came *came, void *ctx)
{
    int first = 0;

    for (size_t i = 0; i < p->n_services; i++) {
        int r = pam_file_give_back(d, p->services[i], true);

        came(ctx, p->services[i], r);
        if (pam_is_replaced(r))
            r = pam_file_put_away(d, p->services[i]);
        if (r < 0 && first == 0)
            first = r;
    }
    if (first == 0)
        first = pending_remove(d);
    if (first == 0)
        pam_dir_tidy(d);
    return first;
}

static void log_came(void *ctx, const char *service, int given)
{
    (void)ctx;
    if (given == PAM_GIVEN_BACK || given == PAM_NOT_THERE)
        syslog(LOG_WARNING, "pam: %s is as it was before the installation, which nobody confirmed",
               service);
    else if (given == PAM_TAKEN_OUT)
        syslog(LOG_WARNING,
               "pam: %s was changed since the installation, which nobody confirmed: only the lines "
               "of pam_team.so are out; what it was before is " PAM_DIR "/" PAM_KEEP "/%s.kept",
               service, service);
    else if (pam_is_replaced(given))
        syslog(LOG_WARNING,
               "pam: %s is no file any more, and left alone; the one that it was before the "
               "installation, which nobody confirmed, is " PAM_DIR "/" PAM_KEEP "/%s.kept",
               service, service);
    else
        syslog(LOG_ERR, "pam: %s cannot be given back: %s", service, strerror(-given));
}

/* ---- the guard --------------------------------------------------------------------------------
 */

struct guard {
    int watch; /* the lock that says that somebody watches; -1 */
    bool single;
    pid_t twin; /* 0: none yet */
    bool twin_is_child;
    bool complained;
    unsigned rest; /* ticks to let pass before the next try */
};

static volatile sig_atomic_t goes_down;

static void hear_term(int signal)
{
    (void)signal;
    goes_down = 1;
}

static void complain_once(struct guard *g, const char *what, int r)
{
    if (!g->complained)
        syslog(LOG_ERR, "pam: %s: %s; once you have looked: teamctl pam undo, or remove", what,
               strerror(-r));
    g->complained = true;
}

static void undo(struct guard *g, const struct pam_dir *d)
{
    struct pending p;
    int r;

    /* Whoever holds the lock for so long has been stopped in the middle. It looks whether its
     * installation still waits before it goes on. */
    pam_dir_lock(d, LOCK_S);
    r = pending_read(d, &p);
    if (r == 0)
        r = pam_undo_all(d, &p, log_came, NULL);
    if (r < 0 && r != -ENOENT)
        g->rest = RETRY_TICKS;
}

/* False when there is nothing to wait for any more. */
static bool tick(struct guard *g)
{
    struct pam_dir d;
    struct pending p;
    int r = pam_dir_open(PAM_DIR, false, &d), watch;

    if (r < 0) {
        complain_once(g, PAM_DIR, r);
        return true;
    }
    r = pending_read(&d, &p);
    watch = r == 0 ? pending_watch(&d) : -1;
    if (watch >= 0) {
        if (g->watch >= 0)
            close(g->watch);
        g->watch = watch;
    }
    if (r == 0 && (goes_down || pending_is_due(&p)))
        undo(g, &d);
    else if (r < 0 && r != -ENOENT)
        complain_once(g, PAM_DIR "/" PAM_KEEP "/pending", r);
    pam_dir_close(&d);
    return r != -ENOENT;
}

static bool has_twin(const struct guard *g)
{
    if (g->twin == 0)
        return false;
    return g->twin_is_child ? waitpid(g->twin, NULL, WNOHANG) == 0 : getppid() == g->twin;
}

static void make_twin(struct guard *g)
{
    pid_t self = getpid(), pid = fork();

    if (pid < 0)
        return;
    g->twin = pid == 0 ? self : pid;
    g->twin_is_child = pid > 0;
}

void pam_guard(void)
{
    struct guard g = {.watch = -1, .single = pam_has_systemd()};
    struct sigaction term = {.sa_handler = hear_term}, ignore = {.sa_handler = SIG_IGN};

    openlog("teamctl", LOG_PID, LOG_AUTHPRIV);
    sigaction(SIGTERM, &term, NULL);
    sigaction(SIGINT, &ignore, NULL);
    sigaction(SIGHUP, &ignore, NULL);
    sigaction(SIGPIPE, &ignore, NULL);
    for (; g.rest > 0 || tick(&g); g.rest -= g.rest > 0) {
        if (!g.single && !has_twin(&g))
            make_twin(&g);
        sleep_ms(TICK_MS);
    }
}

/* ---- starting it ------------------------------------------------------------------------------
 */

/* "/s12", as teamd calls the cgroups of sessions, wherever it has been told to make them. */
static bool names_session(const char *cgroups)
{
    for (const char *at = cgroups; (at = strstr(at, "/s"));) {
        size_t digits = strspn(at += 2, "0123456789");

        if (digits > 0 && strchr("/\n", at[digits]))
            return true;
    }
    return false;
}

static bool is_in_session(void)
{
    char text[4096];
    ssize_t n;
    int fd = open("/proc/self/cgroup", O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return false;
    n = read(fd, text, sizeof text - 1);
    close(fd);
    text[n > 0 ? n : 0] = '\0';
    return strstr(text, "/team-sessions") || names_session(text);
}

/* To the root of the cgroup tree. */
static void move_out(const char *mount)
{
    char path[PATH_CAP];
    int fd;

    snprintf(path, sizeof path, "%s/cgroup.procs", mount);
    fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    if (write(fd, "0", 1) < 0)
        syslog(LOG_WARNING, "pam: %s: %m", path);
    close(fd);
}

/* teamd kills what is in the cgroup of a session when its elevation is over; this has to outlive
 * it. Who cannot is no guard. */
static bool leave_session(void)
{
    FILE *mounts = is_in_session() ? setmntent("/proc/self/mounts", "re") : NULL;
    const struct mntent *m;

    while (mounts && is_in_session() && (m = getmntent(mounts)))
        if (strcmp(m->mnt_type, "cgroup2") == 0)
            move_out(m->mnt_dir);
    if (mounts)
        endmntent(mounts);
    if (!is_in_session())
        return true;
    syslog(LOG_AUTHPRIV | LOG_ERR, "pam: the guard cannot leave the session that it is started in");
    return false;
}

static void become_guard(void)
{
    static char *const ENVIRONMENT[] = {NULL};
    char *const argv[] = {(char[]){"teamctl"}, (char[]){"pam"}, (char[]){"guard"}, NULL};
    sigset_t none;
    int null;

    setsid();
    if (fork() != 0)
        _exit(0);
    null = open("/dev/null", O_RDWR);
    for (int i = 0; i <= STDERR_FILENO; i++)
        dup2(null, i);
    close_range(STDERR_FILENO + 1, ~0U, 0);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    if (chdir("/") < 0 || !leave_session())
        _exit(1);
    execve("/proc/self/exe", argv, ENVIRONMENT);
    _exit(127);
}

static void start_detached(void)
{
    pid_t pid = fork();

    if (pid == 0)
        become_guard();
    while (pid > 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        ;
}

static bool systemctl(const char *verb)
{
    const char *const argv[] = {"systemctl", "--quiet", verb, UNIT, NULL};
    char said[64];

    return command_read(argv, said, sizeof said) == 0;
}

/* The unit has to be there after a reboot, too. */
static bool start_unit(void)
{
    return (systemctl("is-enabled") || systemctl("enable")) && systemctl("start");
}

int pam_guard_start(const struct pam_dir *d)
{
    bool unit = pam_has_systemd();

    if (!unit)
        start_detached();
    for (long ms = 0; !pending_is_watched(d); ms += TICK_MS) {
        /* One of before that is just about to end makes the first start do nothing. */
        if (unit && ms % 1000 == 0 && !start_unit())
            return -ESRCH;
        if (ms >= START_MS)
            return -ETIMEDOUT;
        sleep_ms(TICK_MS);
    }
    return 0;
}
