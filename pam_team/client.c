#include "client.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

/* The socket blocks, and the kernel limits how long: a non-blocking connect() to a full backlog
 * fails with EAGAIN and cannot be polled for. */

enum { US_PER_S = 1000 * 1000 };

static int64_t monotonic_us(void)
{
    struct timespec now;

    if (clock_gettime(CLOCK_MONOTONIC, &now) < 0)
        return CLIENT_NEVER; /* cannot happen; if it does, every deadline has passed */
    return (int64_t)now.tv_sec * US_PER_S + now.tv_nsec / 1000;
}

int64_t client_deadline(int64_t timeout_us)
{
    int64_t now = monotonic_us();

    return now > CLIENT_NEVER - 1 - timeout_us ? CLIENT_NEVER - 1 : now + timeout_us;
}

/* Sets SO_SNDTIMEO or SO_RCVTIMEO to what is left until the deadline. */
static int limit_time(int fd, int option, int64_t deadline)
{
    struct timeval left = {0}; /* no limit */

    if (deadline != CLIENT_NEVER) {
        int64_t us = deadline - monotonic_us();

        if (us <= 0)
            return -ETIMEDOUT;
        left.tv_sec = us / US_PER_S;
        left.tv_usec = us % US_PER_S;
    }
    return setsockopt(fd, SOL_SOCKET, option, &left, sizeof left) < 0 ? -errno : 0;
}

/* A host may run with some of 0 to 2 closed; a socket there would become its standard output. */
static int open_socket(void)
{
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    int moved;

    if (fd < 0)
        return -errno;
    if (fd > STDERR_FILENO)
        return fd;
    moved = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    if (moved < 0)
        moved = -errno;
    close(fd);
    return moved;
}

/* systemd and teamd both listen as root before teamd drops to its own user, and the kernel
 * remembers who listened. Anybody else at this path is an impostor. */
static int check_peer(int fd)
{
    struct ucred peer;
    socklen_t len = sizeof peer;

    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0)
        return -errno;
    return len == sizeof peer && peer.uid == 0 ? 0 : -EPERM;
}

static int connect_within(int fd, const char *path, int64_t deadline)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t len = strlen(path);
    int r;

    if (len == 0 || len >= sizeof address.sun_path)
        return -ENAMETOOLONG;
    memcpy(address.sun_path, path, len);
    do {
        r = limit_time(fd, SO_SNDTIMEO, deadline);
        if (r < 0)
            return r;
        r = connect(fd, (const struct sockaddr *)&address, sizeof address) < 0 ? -errno : 0;
    } while (r == -EINTR);
    return r == -EAGAIN ? -ETIMEDOUT : r;
}

int client_open(const char *path, int64_t deadline, struct client *ret)
{
    struct client c = {.fd = open_socket()};
    int r;

    if (c.fd < 0)
        return c.fd;
    r = connect_within(c.fd, path, deadline);
    if (r == 0)
        r = check_peer(c.fd);
    if (r < 0) {
        client_close(&c);
        return r;
    }
    *ret = c;
    return 0;
}

int client_send(struct client *c, const char *packet, size_t len, int64_t deadline)
{
    for (;;) {
        int r = limit_time(c->fd, SO_SNDTIMEO, deadline);

        if (r < 0)
            return r;
        if (send(c->fd, packet, len, MSG_NOSIGNAL) >= 0 || errno == EPIPE || errno == ECONNRESET)
            return 0;
        if (errno != EINTR)
            return errno == EAGAIN ? -ETIMEDOUT : -errno;
    }
}

int client_receive(struct client *c, char *buf, size_t cap, int64_t deadline)
{
    struct iovec iov = {.iov_base = buf, .iov_len = cap};
    bool reset = false;

    for (;;) {
        struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
        ssize_t n;
        int r;

        r = limit_time(c->fd, SO_RCVTIMEO, deadline);
        if (r < 0)
            return r;
        n = recvmsg(c->fd, &msg, 0);
        if (n > 0)
            return msg.msg_flags & MSG_TRUNC || n > INT_MAX ? -EMSGSIZE : (int)n;
        if (n == 0)
            return -ECONNRESET;
        /* A peer that answers and goes without reading what we sent leaves a reset that is
         * reported before its last words. */
        if (errno == ECONNRESET && !reset)
            reset = true;
        else if (errno != EINTR)
            return errno == EAGAIN ? -ETIMEDOUT : -errno;
    }
}

/* Milliseconds for poll(2), rounded up: not to be asked again for the rest of one. */
static int poll_ms(int64_t us)
{
    int64_t ms = (us + 999) / 1000;

    return ms > INT_MAX ? INT_MAX : (int)ms;
}

int client_await(const struct client *c, int64_t deadline)
{
    struct pollfd p = {.fd = c->fd, .events = POLLIN};

    for (;;) {
        int64_t left = deadline - monotonic_us();
        int n;

        if (left <= 0)
            return -ETIMEDOUT;
        n = poll(&p, 1, poll_ms(left));
        if (n != 0)
            return n < 0 ? -errno : 0;
    }
}

int client_pause(int64_t us)
{
    return poll(NULL, 0, poll_ms(us)) < 0 ? -errno : 0;
}

void client_close(struct client *c)
{
    int saved = errno;

    if (c->fd >= 0)
        close(c->fd);
    c->fd = -1;
    errno = saved;
}
