#include "host/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/inotify.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_CAP = 512, ROUNDS_MAX = 16 };

/* The directory, if it is still that one. */
static int scope_dir(const char *path, uint64_t number)
{
    const char *mount = cgroup_mount();
    char name[PATH_CAP];
    struct stat st;
    int dir;

    if (!mount || !cgroup_join(name, sizeof name, mount, path))
        return -ENOENT;
    dir = open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir < 0)
        return -errno;
    if (fstat(dir, &st) == 0 && (number == 0 || st.st_ino == number))
        return dir;
    close(dir);
    return -ENOENT;
}

/* ---- whose it is ------------------------------------------------------------------------------
 */

/* As systemd-logind names them: /user.slice/user-2001.slice/session-3.scope. Cuts off what is
 * below.
 */
static bool find_scope(char *path)
{
    static const char SLICE[] = "/user.slice/", END[] = ".scope";
    char *name = strstr(path, "/session-");
    char *end = name ? strstr(name, END) : NULL;

    if (!end || strncmp(path, SLICE, sizeof SLICE - 1) != 0 ||
        memchr(name + 1, '/', (size_t)(end - name - 1)))
        return false;
    end += sizeof END - 1;
    if (*end != '\0' && *end != '/')
        return false;
    *end = '\0';
    return true;
}

void scope_around(uint32_t pid, char path[SCOPE_CAP])
{
    char cgroup[CONTAINER_CAP];

    path[0] = '\0';
    if (cgroup_of(pid, cgroup) >= 0 && find_scope(cgroup) && strlen(cgroup) < SCOPE_CAP)
        memcpy(path, cgroup, strlen(cgroup) + 1);
}

/* Is the process in there? Not, if it has just gone. */
static bool holds(const char *path, uint32_t pid)
{
    char cgroup[CONTAINER_CAP];

    return cgroup_of(pid, cgroup) >= 0 && cgroup_within(cgroup, path);
}

struct kin {
    uint32_t of;
    const char *path;
    bool strangers;
};

static void look_for_strangers(void *ctx, uint32_t pid)
{
    struct kin *k = ctx;

    if (!process_descends(pid, k->of) && holds(k->path, pid))
        k->strangers = true;
}

int scope_of(uint32_t pid, char path[SCOPE_CAP], uint64_t *number)
{
    struct kin k = {.of = pid, .path = path};
    struct stat st;
    int r, dir;

    scope_around(pid, path);
    dir = path[0] ? scope_dir(path, 0) : -ENOENT;
    if (dir >= 0) {
        r = cgroup_each(dir, look_for_strangers, &k);
        if (r == 0 && !k.strangers && fstat(dir, &st) == 0) {
            *number = st.st_ino;
            close(dir);
            return 0;
        }
        close(dir);
    }
    path[0] = '\0';
    return -ENOENT;
}

/* ---- ending it --------------------------------------------------------------------------------
 */

int scope_empty(const char *path, uint64_t number)
{
    int dir = scope_dir(path, number), populated;

    if (dir < 0)
        return dir == -ENOENT ? 0 : -EBUSY;
    populated = cgroup_populated(dir);
    close(dir);
    return populated > 0 || (populated < 0 && populated != -ENOENT && populated != -ENODEV) ? -EBUSY
                                                                                            : 0;
}

struct round {
    const char *path;
    int signal;
    int64_t until_us;
    unsigned met;
    bool over; /* there was no time for the others */
};

/* However slow the machine is, some are got each time. */
enum { MET_AT_LEAST = 64 };

/* The pidfd comes first, and then the look whether this number is in there: if the number has
 * become another's in between, the pidfd is that of a dead process. */
static void signal_member(void *ctx, uint32_t pid)
{
    struct round *round = ctx;
    int pidfd;

    if (round->met >= MET_AT_LEAST && host_now().boot.us >= round->until_us)
        round->over = true;
    if (round->over)
        return;
    pidfd = pidfd_open((pid_t)pid, 0);
    if (pidfd < 0)
        return;
    if (holds(round->path, pid) && pid != (uint32_t)getpid() &&
        pidfd_send_signal(pidfd, round->signal, NULL, 0) == 0)
        round->met++;
    close(pidfd);
}

/* As many rounds as there is time for: to stop them, until no more have come; to kill them, until
 * there are none. */
static void signal_all(int dir, const char *path, int signal, int64_t for_us)
{
    struct round round = {.path = path, .signal = signal, .until_us = host_now().boot.us + for_us};
    unsigned before = 0;

    for (int i = 0; i < ROUNDS_MAX && !round.over; i++) {
        round.met = 0;
        (void)cgroup_each(dir, signal_member, &round);
        if (round.met == before || host_now().boot.us >= round.until_us)
            break;
        before = signal == SIGSTOP ? round.met : 0;
    }
}

/* Who is stopped starts nobody and yet counts for the limits of the person, so a fork bomb comes to
 * rest; then they are killed. */
void scope_kill(const char *path, uint64_t number, int64_t for_us)
{
    int dir = scope_dir(path, number);

    if (dir < 0)
        return;
    signal_all(dir, path, SIGSTOP, for_us / 2);
    signal_all(dir, path, SIGKILL, for_us / 2);
    close(dir);
}

/* ---- looking at it ----------------------------------------------------------------------------
 */

int scope_each(const char *path, uint64_t number, cgroup_member_fn each, void *ctx)
{
    int dir = scope_dir(path, number), r;

    if (dir < 0)
        return dir;
    r = cgroup_each(dir, each, ctx);
    close(dir);
    return r;
}

int scope_watch(const char *path, sd_event *loop, sd_event_inotify_handler_t handler, void *ctx,
                sd_event_source **ret)
{
    const char *mount = cgroup_mount();
    char file[PATH_CAP];

    if (!mount)
        return -ENOENT;
    snprintf(file, sizeof file, "%s%s/cgroup.events", mount, path);
    return sd_event_add_inotify(loop, ret, file, IN_MODIFY, handler, ctx);
}
