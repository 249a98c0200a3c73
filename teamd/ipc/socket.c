#include "ipc/conn.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#ifndef IPC_PEERPIDFD
#define IPC_PEERPIDFD 77 /* SO_PEERPIDFD: Linux 6.5, and newer than many headers */
#endif

/* ---- who is at the other end ----------------------------------------------------------------- */

int peer_read(int fd, struct peer *ret)
{
    struct ucred cred;
    socklen_t len = sizeof cred;

    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) < 0)
        return -errno;
    if (len != sizeof cred || cred.pid <= 0)
        return -ESRCH; /* a peer of another pid namespace */
    *ret = (struct peer){.uid = cred.uid, .pid = (uint32_t)cred.pid};
    return 0;
}

/* Only ENOPROTOOPT means an old kernel. EINVAL is how Linux before 6.16 says that the peer is gone:
 * looking up its number then could find somebody else. */
int peer_pidfd(int fd, const struct peer *peer)
{
    int pidfd = -1;
    socklen_t len = sizeof pidfd;

    if (getsockopt(fd, SOL_SOCKET, IPC_PEERPIDFD, &pidfd, &len) == 0)
        return pidfd;
    if (errno != ENOPROTOOPT)
        return -errno;
    pidfd = (int)syscall(SYS_pidfd_open, (pid_t)peer->pid, 0);
    return pidfd < 0 ? -errno : pidfd;
}

/* ---- what peers send along --------------------------------------------------------------------
 */

enum { HURRY_US = 2000 };

static void nothing(int signal)
{
    (void)signal;
}

int hurry_open(void)
{
    const struct sigaction wake = {.sa_handler = nothing}; /* no SA_RESTART */

    return sigaction(SIGALRM, &wake, NULL) < 0 ? -errno : 0;
}

static void alarm_every(suseconds_t us)
{
    const struct itimerval every = {.it_interval = {.tv_usec = us}, .it_value = {.tv_usec = us}};

    (void)setitimer(ITIMER_REAL, &every, NULL);
}

void hurry(void)
{
    alarm_every(HURRY_US);
}

void hurried(void)
{
    alarm_every(0);
}

void socket_close(int fd)
{
    hurry();
    close(fd);
    hurried();
}

/* ---- saying no ------------------------------------------------------------------------------- */

/* A peer with something unread here would get ECONNRESET in place of the answer, so nothing is left
 * unread: no more can come, and what has come is thrown away. */
static void socket_drain(int fd)
{
    enum { PACKETS = 16 }; /* who sent more without reading does not want an answer */
    char byte;

    (void)shutdown(fd, SHUT_RD);
    hurry();
    for (int n = 0; n < PACKETS && recv(fd, &byte, 1, MSG_DONTWAIT) > 0; n++)
        ;
    hurried();
}

void socket_refuse(int fd, const char *text)
{
    char packet[640];
    struct wire_out w = wire_begin(packet, sizeof packet, TEAM_ANSWER, 0);
    size_t len;

    wire_put_u64(&w, TEAM_CODE, TEAM_FAILED);
    wire_put(&w, TEAM_TEXT, text);
    len = wire_finish(&w);
    if (len > 0)
        (void)send(fd, packet, len, MSG_NOSIGNAL | MSG_DONTWAIT);
    socket_drain(fd);
}

/* ---- listening sockets ----------------------------------------------------------------------- */

int socket_adopt(int fd)
{
    static const struct {
        int option, value;
    } MUST_BE[] = {{SO_DOMAIN, AF_UNIX}, {SO_TYPE, SOCK_SEQPACKET}, {SO_ACCEPTCONN, 1}};
    int flags;

    for (size_t i = 0; i < sizeof MUST_BE / sizeof MUST_BE[0]; i++) {
        int value = -1;
        socklen_t len = sizeof value;

        if (getsockopt(fd, SOL_SOCKET, MUST_BE[i].option, &value, &len) < 0)
            return -errno;
        if (value != MUST_BE[i].value)
            return -EINVAL;
    }
    flags = fcntl(fd, F_GETFL);
    if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 ||
        fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
        return -errno;
    return 0;
}

static int seqpacket(void)
{
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    return fd < 0 ? -errno : fd;
}

/* 0: nobody listens there. -EADDRINUSE: somebody does, be it with a full queue or another type of
 * socket. */
static int nobody_there(const struct sockaddr_un *address)
{
    int fd, r;

    fd = seqpacket();
    if (fd < 0)
        return fd;
    r = connect(fd, (const struct sockaddr *)address, sizeof *address) < 0 ? errno : 0;
    close(fd);
    switch (r) {
    case ECONNREFUSED:
    case ENOENT:
        return 0;
    case 0:
    case EAGAIN:
    case EPROTOTYPE:
        return -EADDRINUSE;
    default:
        return -r;
    }
}

static int clear_stale(const struct sockaddr_un *address)
{
    struct stat st;
    int r;

    if (lstat(address->sun_path, &st) < 0)
        return errno == ENOENT ? 0 : -errno;
    if (!S_ISSOCK(st.st_mode))
        return -EEXIST;
    r = nobody_there(address);
    if (r < 0)
        return r;
    return unlink(address->sun_path) < 0 && errno != ENOENT ? -errno : 0;
}

/* The umask makes the mode right from the first moment; chmod repeats it where an ACL of the
 * directory overrules the umask. Nobody can connect before listen(). */
static int bind_with_mode(int fd, const struct sockaddr_un *address, unsigned mode)
{
    mode_t before = umask(~(mode_t)mode & 0777);
    int r = bind(fd, (const struct sockaddr *)address, sizeof *address) < 0 ? -errno : 0;

    umask(before);
    if (r < 0)
        return r;
    if (chmod(address->sun_path, (mode_t)mode) < 0 || listen(fd, SOMAXCONN) < 0) {
        r = -errno;
        (void)unlink(address->sun_path);
    }
    return r;
}

int ipc_socket_make(const char *path, unsigned mode, int *ret_fd)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t len = strlen(path);
    int fd, r;

    if (len == 0 || len >= sizeof address.sun_path)
        return -ENAMETOOLONG;
    memcpy(address.sun_path, path, len);
    r = clear_stale(&address);
    if (r < 0)
        return r;
    fd = seqpacket();
    if (fd < 0)
        return fd;
    r = bind_with_mode(fd, &address, mode);
    if (r < 0) {
        close(fd);
        return r;
    }
    *ret_fd = fd;
    return 0;
}
