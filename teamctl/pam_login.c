#include "pam_login.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <team/text.h>

/* The first `cap - 1` bytes of a file in /proc; "" when there is none. */
static void read_proc(char *out, size_t cap, const char *who, const char *what)
{
    char path[64];
    ssize_t n;
    int fd;

    out[0] = '\0';
    snprintf(path, sizeof path, "/proc/%.20s/%.20s", who, what);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    n = read(fd, out, cap - 1);
    out[n > 0 ? n : 0] = '\0';
    close(fd);
}

/* A number of the audit system; LOGIN_NO_AUDIT is its "unset", too. */
static uint64_t number_of(const char *who, const char *what)
{
    char text[32];
    uint64_t n;

    read_proc(text, sizeof text, who, what);
    return text_parse_u64(text, strcspn(text, "\n"), &n) ? n : LOGIN_NO_AUDIT;
}

static uint64_t audit_of(const char *who)
{
    return number_of(who, "sessionid");
}

bool login_uid(uint64_t *ret)
{
    *ret = number_of("self", "loginuid");
    return *ret != LOGIN_NO_AUDIT;
}

/* ---- ancestors --------------------------------------------------------------------------------
 */

struct process {
    uint64_t parent;
    uint64_t terminal;
    uint64_t start; /* clock ticks after the boot */
};

/* The n-th word, from 1, as a number. */
static bool take_number(const char *words, unsigned n, uint64_t *ret)
{
    for (words += strspn(words, " "); n > 1; n--) {
        words += strcspn(words, " ");
        words += strspn(words, " ");
    }
    return text_parse_u64(words, strcspn(words, " \n"), ret);
}

/* /proc/PID/stat: "pid (name) state ppid pgrp session tty_nr ...", and the start is the 22nd. */
static bool read_process(uint64_t pid, struct process *ret)
{
    char who[24], text[1024];
    const char *rest;

    snprintf(who, sizeof who, "%" PRIu64, pid);
    read_proc(text, sizeof text, who, "stat");
    rest = strrchr(text, ')'); /* the name may be anything */
    return rest && take_number(rest + 1, 2, &ret->parent) &&
           take_number(rest + 1, 5, &ret->terminal) && take_number(rest + 1, 20, &ret->start);
}

static bool counts_as(uint64_t pid, login_counts_fn counts, const void *ctx)
{
    char link[32], path[PATH_MAX], *name;
    ssize_t n;

    snprintf(link, sizeof link, "/proc/%" PRIu64 "/exe", pid);
    n = readlink(link, path, sizeof path - 1);
    if (n <= 0)
        return false;
    path[n] = '\0';
    name = strrchr(path, '/');
    return name && counts(ctx, name + 1);
}

struct login login_of_self(void)
{
    struct login l = {.audit = audit_of("self")};
    struct process p = {.parent = (uint64_t)getpid()};

    /* sudo gives its command a terminal of its own; the login's is the outermost. */
    while (p.parent > 0 && read_process(p.parent, &p))
        if (p.terminal != 0)
            l.terminal = p.terminal;
    return l;
}

bool login_came_since(int64_t since_us, login_counts_fn counts, const void *ctx)
{
    unsigned long long ticks = (unsigned long long)since_us / 1000 *
                               (unsigned long long)sysconf(_SC_CLK_TCK) / 1000;
    struct process p = {.parent = (uint64_t)getppid()};

    for (uint64_t pid = p.parent; pid > 0 && read_process(pid, &p); pid = p.parent)
        if (p.start > ticks && counts_as(pid, counts, ctx))
            return true;
    return false;
}

/* ---- all of them ------------------------------------------------------------------------------
 */

uint64_t login_newest(void)
{
    DIR *dir = opendir("/proc");
    const struct dirent *e;
    uint64_t newest = 0, audit;

    while (dir && (e = readdir(dir)))
        if (e->d_name[0] >= '1' && e->d_name[0] <= '9') {
            audit = audit_of(e->d_name);
            if (audit != LOGIN_NO_AUDIT && audit > newest)
                newest = audit;
        }
    if (dir)
        closedir(dir);
    return newest;
}
