#include "conf/trusted.h"

#include "conf/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum { LINKS_MAX = 40 }; /* what the kernel follows at most (path_resolution(7)) */

/* On the way from the root directory to the file. Every step is taken from an open directory that
 * has been checked, so what was checked is what is used. */
struct walk {
    int dir;             /* where we are */
    char at[PATH_MAX];   /* ... by name, for people */
    char rest[PATH_MAX]; /* what is still to walk */
    unsigned links;
    char *why;
};

__attribute__((format(printf, 3, 4))) static int fail(struct walk *w, int error, const char *fmt,
                                                      ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(w->why, TRUSTED_WHY_CAP, fmt, ap);
    va_end(ap);
    return error;
}

static int fail_errno(struct walk *w, const char *name)
{
    int error = errno == ENOTDIR ? ENOENT : errno;

    if (error == ENOENT)
        return fail(w, -ENOENT, "%s/%s does not exist", w->at, name);
    return fail(w, -error, "%s/%s: %s", w->at, name, strerror(error));
}

/* `st` is what `name` is, "" the directory itself. */
static int check(struct walk *w, const char *name, const struct stat *st)
{
    const char *slash = *name || !*w->at ? "/" : "";
    bool shared = S_ISDIR(st->st_mode) && (st->st_mode & S_ISVTX);

    if (st->st_uid != 0)
        return fail(w, -EPERM, "%s%s%s belongs to uid %u; it must belong to root", w->at, slash,
                    name, (unsigned)st->st_uid);
    if (!S_ISLNK(st->st_mode) && (st->st_mode & (S_IWGRP | S_IWOTH)) && !shared)
        return fail(w, -EPERM, "%s%s%s can be written by others than root (mode %04o); chmod go-w",
                    w->at, slash, name, (unsigned)st->st_mode & 07777);
    return 0;
}

static int go_to_root(struct walk *w)
{
    struct stat st;

    closep(&w->dir);
    w->at[0] = '\0';
    w->dir = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (w->dir < 0 || fstat(w->dir, &st) < 0)
        return fail_errno(w, "");
    return check(w, "", &st);
}

/* Takes the first name off `rest`. False if there is none. */
static bool next_name(struct walk *w, char name[static NAME_MAX + 1], bool *ret_last, int *ret)
{
    const char *from = w->rest + strspn(w->rest, "/");
    size_t len = strcspn(from, "/");
    const char *after = from + len + strspn(from + len, "/");

    *ret = 0;
    if (len == 0)
        return false;
    if (len > NAME_MAX) {
        *ret = fail(w, -ENAMETOOLONG, "a name on the way to it is too long");
        return false;
    }
    memcpy(name, from, len);
    name[len] = '\0';
    *ret_last = *after == '\0';
    memmove(w->rest, after, strlen(after) + 1);
    return true;
}

static int enter(struct walk *w, const char *name, int fd)
{
    size_t len = strlen(w->at);
    int n = snprintf(w->at + len, sizeof w->at - len, "/%s", name);

    if (n < 0 || (size_t)n >= sizeof w->at - len) {
        w->at[len] = '\0';
        return fail(w, -ENAMETOOLONG, "the way to it is too long");
    }
    closep(&w->dir);
    w->dir = fd;
    return 0;
}

/* What the link says is walked before what came after it. */
static int follow(struct walk *w, const char *name, int fd)
{
    char to[PATH_MAX], rest[PATH_MAX];
    ssize_t n = readlinkat(fd, "", to, sizeof to - 1);

    if (n < 0)
        return fail_errno(w, name);
    to[n] = '\0';
    memcpy(rest, w->rest, sizeof rest);
    if (++w->links > LINKS_MAX || (size_t)n + 1 + strlen(rest) >= sizeof w->rest)
        return fail(w, -ELOOP, "%s/%s: too many links", w->at, name);
    memcpy(w->rest, to, (size_t)n);
    w->rest[n] = '/';
    memcpy(w->rest + n + 1, rest, strlen(rest) + 1);
    return to[0] == '/' ? go_to_root(w) : 0;
}

/* The file itself. It is looked at before it is opened, because opening a device can do things. */
static int open_file(struct walk *w, const char *name, const struct stat *seen, int *ret_fd)
{
    CLEANUP(closep) int fd = -1;
    struct stat st;
    int r;

    if (S_ISDIR(seen->st_mode))
        return fail(w, -EISDIR, "%s/%s is a directory, not a file", w->at, name);
    if (!S_ISREG(seen->st_mode))
        return fail(w, -EINVAL, "%s/%s is not a regular file", w->at, name);

    fd = openat(w->dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) < 0)
        return fail_errno(w, name);
    r = check(w, name, &st);
    if (r < 0)
        return r;
    if (!S_ISREG(st.st_mode))
        return fail(w, -EINVAL, "%s/%s is not a regular file", w->at, name);
    *ret_fd = TAKE_FD(fd);
    return 0;
}

/* One step. Returns 1 when the file has been opened. */
static int step(struct walk *w, const char *name, bool last, int *ret_fd)
{
    CLEANUP(closep) int fd = openat(w->dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    struct stat st;
    int r;

    if (fd < 0 || fstat(fd, &st) < 0)
        return fail_errno(w, name);
    r = check(w, name, &st);
    if (r < 0)
        return r;
    if (S_ISLNK(st.st_mode))
        return follow(w, name, fd);
    if (last) {
        r = open_file(w, name, &st, ret_fd);
        return r < 0 ? r : 1;
    }
    if (!S_ISDIR(st.st_mode))
        return fail(w, -ENOENT, "%s/%s is not a directory", w->at, name);
    r = enter(w, name, fd);
    if (r == 0)
        fd = -1;
    return r;
}

static int walk(struct walk *w, int *ret_fd)
{
    char name[NAME_MAX + 1];
    bool last;
    int r;

    r = go_to_root(w);
    while (r == 0) {
        if (!next_name(w, name, &last, &r))
            return r < 0 ? r : fail(w, -EISDIR, "%s/ is a directory, not a file", w->at);
        r = step(w, name, last, ret_fd);
    }
    return r < 0 ? r : 0;
}

int trusted_open(const char *path, int *ret_fd, char why[static TRUSTED_WHY_CAP])
{
    struct walk w = {.dir = -1, .why = why};
    char here[PATH_MAX] = "";
    int r, n;

    if (path[0] != '/' && !getcwd(here, sizeof here))
        return fail(&w, -errno, "the working directory cannot be found: %s", strerror(errno));
    n = snprintf(w.rest, sizeof w.rest, "%s/%s", here, path);
    if (n < 0 || (size_t)n >= sizeof w.rest)
        return fail(&w, -ENAMETOOLONG, "the name is too long");
    r = walk(&w, ret_fd);
    closep(&w.dir);
    return r;
}
