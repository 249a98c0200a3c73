/* A server that does nothing: what a round trip on such a socket costs at least. One process,
 * epoll, reads right after accept, answers 64 bytes and closes, as teamd's gate does: empty SOCKET
 */
#include "bench.h"

#include <sys/epoll.h>
#include <sys/stat.h>

static void answer(int fd)
{
    static const char ANSWER[64];

    if (send(fd, ANSWER, sizeof ANSWER, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
        fprintf(stderr, "empty: %s\n", strerror(errno));
    close(fd);
}

static void welcome(int loop, int listening)
{
    char ask[TEAM_GATE_PACKET_MAX];
    int fd = accept4(listening, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    struct epoll_event e = {.events = EPOLLIN, .data.fd = fd};
    ssize_t n;

    if (fd < 0)
        return;
    n = recv(fd, ask, sizeof ask, MSG_DONTWAIT);
    if (n > 0)
        answer(fd);
    else if (n == 0 || epoll_ctl(loop, EPOLL_CTL_ADD, fd, &e) < 0)
        close(fd);
}

static void hear(int fd)
{
    char ask[TEAM_GATE_PACKET_MAX];

    if (recv(fd, ask, sizeof ask, MSG_DONTWAIT) > 0)
        answer(fd);
    else
        close(fd);
}

int main(int argc, char **argv)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    int loop = epoll_create1(EPOLL_CLOEXEC),
        fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0);
    struct epoll_event e = {.events = EPOLLIN, .data.fd = fd}, ready[64];

    if (argc != 2 || strlen(argv[1]) >= sizeof at.sun_path)
        return 2;
    memcpy(at.sun_path, argv[1], strlen(argv[1]) + 1);
    unlink(argv[1]);
    if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof at) < 0 || chmod(argv[1], 0600) < 0 ||
        listen(fd, 1024) < 0 || epoll_ctl(loop, EPOLL_CTL_ADD, fd, &e) < 0)
        die("%s: %s", argv[1], strerror(errno));
    for (;;) {
        int n = epoll_wait(loop, ready, 64, -1);

        for (int i = 0; i < n; i++)
            if (ready[i].data.fd == fd)
                welcome(loop, fd);
            else
                hear(ready[i].data.fd);
    }
}
