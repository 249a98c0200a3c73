/* The process that makes resolvers: see resolver.h. */
#include "host/resolver.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SPAWNER_FD = 3 };

struct spawned {
    int32_t error;
};

union rights {
    struct cmsghdr header;
    char room[CMSG_SPACE(2 * sizeof(int))];
};

/* ---- in the children ------------------------------------------------------------------------- */

/* Signals that a terminal or a service manager sends to all of teamd's processes are for teamd
 * alone: it may want to finish something, and its children end with it. */
static void set_signals(void)
{
    static const int IGNORED[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGPIPE, SIGUSR1, SIGUSR2};
    sigset_t none;

    for (int s = 1; s < NSIG; s++)
        signal(s, SIG_DFL);
    for (size_t i = 0; i < sizeof IGNORED / sizeof IGNORED[0]; i++)
        signal(IGNORED[i], SIG_IGN);
    signal(SIGCHLD, SIG_IGN); /* resolvers need no waiting for: the kernel forgets them */
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Keeps `fd` (as SPAWNER_FD) and stderr, nothing else: not teamd's listening sockets, which would
 * seem alive after it. */
static bool keep_only(int fd)
{
    int null;

    if (fd != SPAWNER_FD && dup2(fd, SPAWNER_FD) < 0)
        return false;
    if (close_range(SPAWNER_FD + 1, UINT32_MAX, 0) < 0)
        return false;
    null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null < 0)
        return false;
    return dup2(null, STDIN_FILENO) >= 0 && dup2(null, STDOUT_FILENO) >= 0 && close(null) == 0;
}

static bool drop_privileges(uid_t uid, gid_t gid)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {0};

    if (uid != (uid_t)-1 || gid != (gid_t)-1) {
        if (setgroups(0, NULL) < 0 || setresgid(gid, gid, gid) < 0 || setresuid(uid, uid, uid) < 0)
            return false;
    }
    if (geteuid() != 0 && syscall(SYS_capset, &header, none) < 0)
        return false;
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;
}

/* To be called after the last change of identity, which would take it back (prctl(2)). */
static void end_with(pid_t parent)
{
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent)
        _exit(1);
}

static _Noreturn void become_resolver(pid_t parent, int fd)
{
    end_with(parent);
    signal(SIGCHLD, SIG_DFL);
    prctl(PR_SET_NAME, "teamd-resolver");
    close(SPAWNER_FD);
    resolver_run(fd);
}

static void send_spawned(int error, const int fds[2])
{
    union rights rights = {0};
    struct spawned s = {.error = error};
    struct iovec part = {.iov_base = &s, .iov_len = sizeof s};
    struct msghdr msg = {.msg_iov = &part, .msg_iovlen = 1};
    ssize_t n;

    if (fds) {
        msg.msg_control = &rights;
        msg.msg_controllen = sizeof rights;
        rights.header.cmsg_level = SOL_SOCKET;
        rights.header.cmsg_type = SCM_RIGHTS;
        rights.header.cmsg_len = CMSG_LEN(2 * sizeof(int));
        memcpy(CMSG_DATA(&rights.header), fds, 2 * sizeof(int));
    }
    do
        n = sendmsg(SPAWNER_FD, &msg, MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        _exit(1);
}

/* The resolver lives at least until teamd closes its socket, so its number is its own until the
 * pidfd is there. */
static int spawn(void)
{
    pid_t self = getpid(), pid;
    int ends[2], give[2];

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
        return -errno;
    pid = fork();
    if (pid == 0) {
        close(ends[0]);
        become_resolver(self, ends[1]);
    }
    give[0] = ends[0];
    give[1] = pid < 0 ? -1 : pidfd_open(pid, 0);
    if (give[1] < 0) {
        int error = -errno;

        close(ends[0]);
        close(ends[1]);
        return error;
    }
    close(ends[1]);
    send_spawned(0, give);
    close(give[0]);
    close(give[1]);
    return 0;
}

static _Noreturn void become_spawner(pid_t parent, int fd, uid_t uid, gid_t gid)
{
    set_signals();
    if (!keep_only(fd) || !drop_privileges(uid, gid))
        _exit(1);
    end_with(parent);
    prctl(PR_SET_NAME, "teamd-spawner");
    for (;;) {
        char order;
        ssize_t n = recv(SPAWNER_FD, &order, 1, 0);
        int r;

        if (n < 0 && errno == EINTR)
            continue;
        if (n != 1) /* teamd is gone */
            _exit(0);
        r = spawn();
        if (r < 0)
            send_spawned(r, NULL);
    }
}

/* ---- in teamd -------------------------------------------------------------------------------- */

int spawner_start(uid_t uid, gid_t gid, struct spawner *ret)
{
    pid_t self = getpid(), pid;
    int ends[2];

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
        return -errno;
    pid = fork();
    if (pid == 0)
        become_spawner(self, ends[1], uid, gid);
    if (pid < 0) {
        int error = -errno;

        close(ends[0]);
        close(ends[1]);
        return error;
    }
    close(ends[1]);
    *ret = (struct spawner){.pid = pid, .fd = ends[0]};
    return 0;
}

void spawner_stop(struct spawner *s)
{
    if (s->pid <= 0)
        return;
    close(s->fd);
    kill(s->pid, SIGKILL);
    while (waitpid(s->pid, NULL, 0) < 0 && errno == EINTR)
        ;
    *s = (struct spawner){.fd = -1};
}

int spawner_order(const struct spawner *s)
{
    return send(s->fd, "w", 1, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 ? -errno : 0;
}

static int make_nonblocking(int fd)
{
    int flags = fcntl(fd, F_GETFL);

    return flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 ? -errno : 0;
}

int spawner_take(const struct spawner *s, int *ret_fd, int *ret_pidfd)
{
    union rights rights = {0};
    struct spawned got;
    struct iovec part = {.iov_base = &got, .iov_len = sizeof got};
    struct msghdr msg = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = &rights, .msg_controllen = sizeof rights};
    ssize_t n = recvmsg(s->fd, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    const struct cmsghdr *c;
    int fds[2], r;

    if (n < 0 && (errno == EINTR || errno == EAGAIN))
        return -EAGAIN;
    if (n != sizeof got) /* its end, or ECONNRESET if it left an order unread */
        return -ECHILD;
    c = CMSG_FIRSTHDR(&msg);
    if (got.error != 0 || !c)
        return got.error < 0 ? got.error : -EMFILE;
    if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
        return -EBADMSG;
    if (c->cmsg_len != CMSG_LEN(sizeof fds)) { /* our table was full after the first of them */
        memcpy(fds, CMSG_DATA(c), sizeof fds[0]);
        close(fds[0]);
        return -EMFILE;
    }
    memcpy(fds, CMSG_DATA(c), sizeof fds);
    r = make_nonblocking(fds[0]);
    if (r < 0) {
        close(fds[0]);
        close(fds[1]);
        return r;
    }
    *ret_fd = fds[0];
    *ret_pidfd = fds[1];
    return 0;
}
