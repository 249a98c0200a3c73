#include "host/host.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <team/text.h>
#include <termios.h>
#include <unistd.h>

/* Major numbers of terminals (Linux: Documentation/admin-guide/devices.txt): 4 consoles, 136 to 143
 * pts. */
static bool is_terminal(const struct stat *st)
{
    unsigned kind = major(st->st_rdev);

    return S_ISCHR(st->st_mode) && (kind == 4 || (kind >= 136 && kind <= 143));
}

/* Never as a controlling terminal, never waiting, and only what is the person's own. */
static int open_terminal(const char *tty, uint32_t owner, struct stat *st)
{
    char path[TTY_CAP + 8];
    int fd;

    snprintf(path, sizeof path, "%s%s", tty[0] == '/' ? "" : "/dev/", tty);
    if (strncmp(path, "/dev/", 5) != 0 || strstr(path, "/../"))
        return -EINVAL;
    fd = open(path, O_WRONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return -errno;
    if (fstat(fd, st) < 0 || !is_terminal(st) || st->st_uid != owner) {
        close(fd);
        return -EPERM;
    }
    return fd;
}

int terminal_say(const char *tty, uint32_t owner, const char *line)
{
    char out[600];
    struct text t = text_over(out, sizeof out);
    struct stat st;
    int fd, r = 0;

    fd = open_terminal(tty, owner, &st);
    if (fd < 0)
        return fd;
    text_put(&t, "\r\n");
    text_put(&t, line);
    text_put(&t, "\r\n");
    if ((st.st_mode & S_IWGRP) && write(fd, out, t.len) < 0)
        r = -errno;
    close(fd);
    return r;
}

/* Does this terminal want messages, and whose is it? */
static bool hears(int dir, const char *name, uint32_t *ret_owner)
{
    struct stat st;

    if (name[0] < '0' || name[0] > '9' || fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return false;
    *ret_owner = st.st_uid;
    return st.st_mode & S_IWGRP;
}

static void say_below(DIR *dir, const uint32_t *owners, size_t n, const char *line)
{
    uint8_t said[TERMINAL_OWNERS_MAX] = {0};
    const struct dirent *e;
    uint32_t owner;

    while ((e = readdir(dir))) {
        char tty[TTY_CAP];
        struct text t = text_over(tty, sizeof tty);

        if (!hears(dirfd(dir), e->d_name, &owner))
            continue;
        text_put(&t, "pts/");
        text_put(&t, e->d_name);
        for (size_t i = 0; i < n; i++)
            if (owners[i] == owner && said[i] < TERMINALS_EACH &&
                terminal_say(tty, owner, line) == 0)
                said[i]++;
    }
}

/* Below devpts there is nothing to wait for: all of it is in the kernel's memory. */
void terminals_say(const uint32_t *owners, size_t n, const char *line)
{
    DIR *dir = n > 0 && n <= TERMINAL_OWNERS_MAX ? opendir("/dev/pts") : NULL;

    if (!dir)
        return;
    say_below(dir, owners, n, line);
    closedir(dir);
}

int terminal_reset(const char *tty, uint32_t owner)
{
    struct termios t;
    struct stat st;
    int fd, r = 0;

    fd = open_terminal(tty, owner, &st);
    if (fd < 0)
        return fd;
    if (tcgetattr(fd, &t) == 0) {
        t.c_iflag |= BRKINT | ICRNL | IXON;
        t.c_oflag |= OPOST | ONLCR;
        t.c_lflag |= ICANON | ISIG | IEXTEN | ECHO | ECHOE | ECHOK;
        if (tcsetattr(fd, TCSANOW, &t) < 0)
            r = -errno;
    } else {
        r = -errno;
    }
    close(fd);
    return r;
}
