/* Processes of other programs. The order makes it free of races: what /proc says of a number is
 * believed only if the process that holds the number, known by its pidfd, is still alive after it
 * was read: as long as it is, the number cannot be another's. */
#include "host/host.h"

#include <team/text.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/pidfd.h>
#include <time.h>
#include <unistd.h>

/* proc_pid_stat(5) */
enum { STAT_FIRST_AFTER_COMM = 3, STAT_START_TIME = 22 };

/* Linux: Documentation/admin-guide/devices.txt */
enum { TERMINAL_CONSOLE = 4, TERMINAL_PTS = 136, TERMINAL_SERIAL = 64 };

/* The first `cap` bytes of a file of /proc/PID. -ESRCH when there is none, because the process is
 * gone. */
static int read_first(uint32_t pid, const char *what, char *buf, size_t cap, size_t *ret_len)
{
    char path[64];
    size_t len = 0;
    int fd, r = 0;

    snprintf(path, sizeof path, "/proc/%u/%s", pid, what);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? -ESRCH : -errno;
    while (len < cap) {
        ssize_t n = read(fd, buf + len, cap - len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            r = -errno;
        if (n <= 0)
            break;
        len += (size_t)n;
    }
    close(fd);
    *ret_len = len;
    return r;
}

/* A small file of /proc/PID whole, as a string. */
static int read_proc(uint32_t pid, const char *what, char *buf, size_t cap)
{
    size_t len = 0;
    int r = read_first(pid, what, buf, cap, &len);

    if (r < 0)
        return r;
    if (len == cap)
        return -EMSGSIZE;
    buf[len] = '\0';
    return 0;
}

/* The name in field 2 is the process's own choice: blanks, parentheses and newlines included. All
 * that comes after its last ')' is the kernel's. */
static int parse_start_ticks(const char *stat, uint64_t *ret)
{
    const char *at = strrchr(stat, ')');
    size_t len;

    if (!at)
        return -EBADMSG;
    at++;
    for (int field = STAT_FIRST_AFTER_COMM;; field++) {
        if (*at != ' ')
            return -EBADMSG;
        at++;
        len = strcspn(at, " \n");
        if (len == 0)
            return -EBADMSG;
        if (field == STAT_START_TIME)
            return text_parse_u64(at, len, ret) ? 0 : -EBADMSG;
        at += len;
    }
}

static int read_start_ticks(uint32_t pid, uint64_t *ret)
{
    char stat[4096];
    int r = read_proc(pid, "stat", stat, sizeof stat);

    return r < 0 ? r : parse_start_ticks(stat, ret);
}

bool process_began(uint32_t pid, uint64_t *ret_ticks)
{
    return read_start_ticks(pid, ret_ticks) == 0;
}

uint64_t process_ticks_now(void)
{
    struct timespec ts;
    uint64_t per_s = (uint64_t)sysconf(_SC_CLK_TCK);

    clock_gettime(CLOCK_BOOTTIME, &ts);
    return (uint64_t)ts.tv_sec * per_s + (uint64_t)ts.tv_nsec / (UINT64_C(1000000000) / per_s);
}

/* With hidepid (proc(5)) the processes of others seem not to be there. */
static bool is_seen(uint32_t pid)
{
    char path[64];

    snprintf(path, sizeof path, "/proc/%u/stat", pid);
    return access(path, F_OK) == 0;
}

/* loginuid or sessionid. A kernel without audit has no such files: then nobody has any. */
static int read_audit(uint32_t pid, const char *what, uint32_t *ret)
{
    char text[32];
    uint64_t v;
    int r = read_proc(pid, what, text, sizeof text);

    if (r == -ESRCH && is_seen(pid)) {
        *ret = NOBODY;
        return 0;
    }
    if (r < 0)
        return r;
    if (!text_parse_u64(text, strcspn(text, "\n"), &v) || v > UINT32_MAX)
        return -EBADMSG;
    *ret = (uint32_t)v;
    return 0;
}

uint32_t process_loginuid(uint32_t pid)
{
    uint32_t loginuid;

    return read_audit(pid, "loginuid", &loginuid) < 0 ? NOBODY : loginuid;
}

uint32_t process_audit_session(uint32_t pid)
{
    uint32_t number;

    return read_audit(pid, "sessionid", &number) < 0 ? NOBODY : number;
}

void process_command(uint32_t pid, char out[COMMAND_CAP])
{
    static const char CUT[] = "…";
    char raw[COMMAND_CAP];
    size_t len = 0;

    out[0] = '\0';
    if (read_first(pid, "cmdline", raw, sizeof raw, &len) < 0)
        return;
    while (len > 0 && raw[len - 1] == '\0')
        len--;
    for (size_t i = 0; i < len; i++)
        if (raw[i] == '\0')
            raw[i] = ' ';
    if (len < sizeof raw) {
        text_make_plain(out, COMMAND_CAP, raw, len);
        return;
    }
    text_make_plain(out, COMMAND_CAP - (sizeof CUT - 1), raw, len);
    memcpy(out + strlen(out), CUT, sizeof CUT);
}

/* A pidfd is readable from the process's end on, also before it is waited for. */
static int check_alive(int pidfd)
{
    struct pollfd p = {.fd = pidfd, .events = POLLIN};
    int r;

    if (pidfd < 0) /* poll(2) would pass over it, as if it lived */
        return -EBADF;
    do
        r = poll(&p, 1, 0);
    while (r < 0 && errno == EINTR);
    if (r < 0)
        return -errno;
    if (p.revents & POLLNVAL)
        return -EBADF;
    return r == 0 ? 0 : -ESRCH;
}

int process_read(int pidfd, uint32_t pid, struct process *ret)
{
    struct process p = {.leader.pid = pid};
    int stat, loginuid, alive;

    stat = read_start_ticks(pid, &p.leader.start_ticks);
    loginuid = read_audit(pid, "loginuid", &p.loginuid);
    alive = check_alive(pidfd);
    if (alive < 0)
        return alive;
    if (stat < 0)
        return stat;
    if (loginuid < 0)
        return loginuid;
    *ret = p;
    return 0;
}

int process_login(int pidfd, uint32_t pid, uint32_t *ret_loginuid)
{
    uint32_t loginuid;
    int r = read_audit(pid, "loginuid", &loginuid), alive = check_alive(pidfd);

    if (alive < 0 || r < 0)
        return alive < 0 ? alive : r;
    *ret_loginuid = loginuid;
    return 0;
}

int process_login_now(uint32_t pid, uint32_t *ret_loginuid)
{
    return read_audit(pid, "loginuid", ret_loginuid);
}

/* Fields 4 and 7 of stat: the parent and the terminal. Zeros if the process is gone. */
static void read_relations(uint32_t pid, uint32_t *parent, uint32_t *tty)
{
    char stat[4096], *at;

    *parent = *tty = 0;
    if (read_proc(pid, "stat", stat, sizeof stat) < 0 || !(at = strrchr(stat, ')')) ||
        strlen(at) < sizeof ") S " - 1)
        return;
    at += sizeof ") S " - 1;
    *parent = (uint32_t)strtoul(at, &at, 10);
    for (int field = 5; field <= 7; field++)
        *tty = (uint32_t)strtol(at, &at, 10);
}

uint32_t process_parent(uint32_t pid)
{
    uint32_t parent, tty;

    read_relations(pid, &parent, &tty);
    return parent;
}

/* A device number as the kernel packs it for proc_pid_stat(5): minor 7 to 0 and 31 to 20, major 15
 * to 8. */
void terminal_of(uint32_t pid, char tty[TTY_CAP])
{
    uint32_t parent, device, kind, minor_part;

    read_relations(pid, &parent, &device);
    kind = device >> 8 & 0xff;
    minor_part = (device & 0xff) | (device >> 12 & 0xfff00);
    tty[0] = '\0';
    if (kind == TERMINAL_PTS)
        snprintf(tty, TTY_CAP, "/dev/pts/%u", minor_part);
    else if (kind == TERMINAL_CONSOLE && minor_part > 0 && minor_part < TERMINAL_SERIAL)
        snprintf(tty, TTY_CAP, "/dev/tty%u", minor_part);
}

bool process_descends(uint32_t pid, uint32_t from)
{
    enum { GENERATIONS_MAX = 64 };

    for (int i = 0; pid > 1 && i < GENERATIONS_MAX; i++) {
        if (pid == from)
            return true;
        pid = process_parent(pid);
    }
    return false;
}

int leader_open(const struct leader *leader)
{
    uint64_t start = 0;
    int fd, r, alive;

    if (leader->pid == 0 || leader->pid > INT32_MAX)
        return -ESRCH;
    fd = pidfd_open((pid_t)leader->pid, 0);
    if (fd < 0) /* EINVAL, on later kernels ENOENT: now the number of a thread */
        return errno == EINVAL || errno == ENOENT ? -ESRCH : -errno;
    r = read_start_ticks(leader->pid, &start);
    alive = check_alive(fd);
    if (alive < 0)
        r = alive;
    else if (r == 0 && start != leader->start_ticks)
        r = -ESRCH;
    if (r < 0) {
        close(fd);
        return r;
    }
    return fd;
}
