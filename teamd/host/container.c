#include "host/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <team/text.h>
#include <unistd.h>

enum { PATH_CAP = 512 };

struct containers {
    char dir[CONTAINER_CAP]; /* in the file system */
    char own[CONTAINER_CAP]; /* as /proc/PID/cgroup writes it */
};

/* ---- finding a place --------------------------------------------------------------------------
 */

static int give_to(const char *dir, uid_t uid, gid_t gid)
{
    static const char *const FILES[] = {"", "/cgroup.procs", "/cgroup.subtree_control",
                                        "/cgroup.kill"};
    char path[PATH_CAP];

    for (size_t i = 0; i < sizeof FILES / sizeof FILES[0]; i++) {
        snprintf(path, sizeof path, "%s%s", dir, FILES[i]);
        if (chown(path, uid, gid) < 0)
            return -errno;
    }
    return 0;
}

/* The cgroup of team-sessions.service, delegated to us. */
static bool find_unit(const char *mount, char out[CONTAINER_CAP])
{
    return cgroup_join(out, CONTAINER_CAP, mount, "system.slice/team-sessions.service") &&
           access(out, W_OK) == 0;
}

/* Started by hand: one of our own, beside where we are. */
static int make_own(const char *mount, const char *name, uid_t uid, gid_t gid,
                    char out[CONTAINER_CAP])
{
    char here[CONTAINER_CAP], beside[CONTAINER_CAP];
    int r;

    r = cgroup_of((uint32_t)getpid(), here);
    if (r != 0)
        return -ENOTSUP;
    if (!cgroup_join(beside, sizeof beside, mount, here) ||
        !cgroup_join(out, CONTAINER_CAP, beside, name))
        return -ENAMETOOLONG;
    if (mkdir(out, 0755) < 0 && errno != EEXIST)
        return -ENOTSUP;
    return geteuid() == 0 ? give_to(out, uid, gid) : 0;
}

/* By another name than the kernel's, nobody would be found in it. */
static bool is_real(const char *path)
{
    char *real = realpath(path, NULL);
    size_t n = strlen(path);
    bool same;

    while (n > 1 && path[n - 1] == '/')
        n--;
    same = real && strlen(real) == n && memcmp(real, path, n) == 0;
    free(real);
    return same;
}

/* As the configuration says; it has to be below the mount point, which names it for the kernel. */
static int take_given(const char *mount, const char *where, char out[CONTAINER_CAP])
{
    size_t n = strlen(mount);

    return strncmp(where, mount, n) == 0 && where[n] == '/' && where[n + 1] != '\0' &&
                   is_real(where) && cgroup_is_v2(where) &&
                   cgroup_join(out, CONTAINER_CAP, where, "") && access(where, W_OK) == 0
               ? 0
               : -ENOTSUP;
}

int containers_open(const char *where, const char *name, uid_t uid, gid_t gid,
                    struct containers **ret)
{
    const char *mount = cgroup_mount();
    struct containers *c;
    int r = 0;

    if (strcmp(where, "off") == 0 || !mount)
        return -ENOTSUP;
    c = calloc(1, sizeof *c);
    if (!c)
        return -ENOMEM;
    if (strcmp(where, "auto") != 0)
        r = take_given(mount, where, c->dir);
    else if (!find_unit(mount, c->dir))
        r = make_own(mount, name, uid, gid, c->dir);
    if (r < 0) {
        free(c);
        return r;
    }
    for (size_t n = strlen(c->dir); n > 1 && c->dir[n - 1] == '/'; n--)
        c->dir[n - 1] = '\0';
    cgroup_join(c->own, sizeof c->own, "/", c->dir + strlen(mount));
    *ret = c;
    return 0;
}

struct containers *containers_free(struct containers *c)
{
    if (c)
        rmdir(c->dir);
    free(c);
    return NULL;
}

/* ---- one container ----------------------------------------------------------------------------
 */

void container_path(const struct containers *c, const char *below, char out[CONTAINER_CAP])
{
    cgroup_join(out, CONTAINER_CAP, c->dir, below);
}

int container_make(struct containers *c, const char *below)
{
    char path[CONTAINER_CAP];

    if (!cgroup_join(path, sizeof path, c->dir, below))
        return -ENAMETOOLONG;
    return mkdir(path, 0755) < 0 && errno != EEXIST ? -errno : 0;
}

int container_kill(struct containers *c, const char *below)
{
    char path[CONTAINER_CAP], file[PATH_CAP];
    int fd, r = 0;

    container_path(c, below, path);
    snprintf(file, sizeof file, "%s/cgroup.kill", path);
    fd = open(file, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    if (write(fd, "1", 1) != 1)
        r = -errno;
    close(fd);
    return r;
}

/* What root in the session has made below something of its own, root alone could remove. That
 * nothing is in it is then what the kernel says, after one more kill. */
static int settle(struct containers *c, const char *below, int dir)
{
    if (container_kill(c, below) < 0 || cgroup_populated(dir) != 0)
        return -EBUSY;
    return 1;
}

int container_remove(struct containers *c, const char *below)
{
    char path[CONTAINER_CAP];
    int r, dir;

    container_path(c, below, path);
    if (rmdir(path) == 0 || errno == ENOENT)
        return 0;
    dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir < 0)
        return errno == ENOENT ? 0 : -EBUSY;
    r = cgroup_populated(dir) == 0 ? cgroup_remove_below(dir) : -EBUSY;
    if (r == 0 && rmdir(path) < 0 && errno != ENOENT)
        r = -EBUSY;
    if (r == -EACCES)
        r = settle(c, below, dir);
    close(dir);
    return r;
}

int container_each(const struct containers *c, const char *below, cgroup_member_fn each, void *ctx)
{
    char path[CONTAINER_CAP];
    int r, dir;

    container_path(c, below, path);
    dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir < 0)
        return -errno;
    r = cgroup_each(dir, each, ctx);
    close(dir);
    return r;
}

/* "s12/s15/whatever" -> 15 and "s12/s15": the leading run of names that are sessions'. */
static uint64_t innermost(const char *below, char out[CONTAINER_CAP])
{
    struct text t = text_over(out, CONTAINER_CAP);
    uint64_t number = 0;

    while (*below == 's') {
        size_t n = strcspn(below, "/");
        uint64_t v;

        if (!text_parse_u64(below + 1, n - 1, &v))
            break;
        number = v;
        if (t.len > 0)
            text_put(&t, "/");
        text_put_n(&t, below, n);
        below += n;
        below += *below == '/';
    }
    return t.cut ? 0 : number;
}

int container_of(const struct containers *c, uint32_t pid, char below[CONTAINER_CAP], uint64_t *ret)
{
    char path[CONTAINER_CAP];
    size_t n = strlen(c->own);
    int r;

    below[0] = '\0';
    *ret = 0;
    r = cgroup_of(pid, path);
    if (r < 0)
        return r;
    if (cgroup_within(path, c->own) && path[n] == '/')
        *ret = innermost(path + n + 1, below);
    return 0;
}

int container_watch(struct containers *c, sd_event *loop, const char *below,
                    sd_event_inotify_handler_t handler, void *ctx, sd_event_source **ret)
{
    char path[CONTAINER_CAP], file[PATH_CAP];

    container_path(c, below, path);
    snprintf(file, sizeof file, "%s/cgroup.events", path);
    return sd_event_add_inotify(loop, ret, file, IN_MODIFY, handler, ctx);
}
