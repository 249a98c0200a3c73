/* A teamd that is not one: listens on PATH and answers every packet in one bad way, until it is
 * killed. fakegate PATH garbage|version|silence|close|empty|oversize|rows */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <team/wire.h>

static size_t yes(char *buf, size_t cap, enum team_kind kind, unsigned op)
{
    struct wire_out w = wire_begin(buf, cap, kind, op);

    wire_put_u64(&w, TEAM_CODE, TEAM_DONE);
    wire_put_u64(&w, TEAM_SESSION, 1);
    return wire_finish(&w);
}

/* Every one of these would be a yes if it were believed. */
static size_t bad_answer(const char *how, char *buf, size_t cap, unsigned op)
{
    size_t len = yes(buf, cap, TEAM_ANSWER, op);

    if (strcmp(how, "version") == 0) {
        buf[2] = TEAM_VERSION + 1;
    } else if (strcmp(how, "garbage") == 0) {
        buf[len - 2] = (char)0xff;
        len -= 1;
    } else if (strcmp(how, "oversize") == 0) {
        memset(buf + len, 'x', cap - len);
        len = cap;
    } else if (strcmp(how, "rows") == 0) {
        len = yes(buf, cap, TEAM_ROWS, op);
    }
    return len;
}

int main(int argc, char **argv)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);

    if (argc != 3 || fd < 0 || strlen(argv[1]) >= sizeof to.sun_path)
        return 2;
    memcpy(to.sun_path, argv[1], strlen(argv[1]) + 1);
    unlink(argv[1]);
    if (bind(fd, (struct sockaddr *)&to, sizeof to) < 0 || chmod(argv[1], 0600) < 0 ||
        listen(fd, 16) < 0) {
        perror(argv[1]);
        return 1;
    }
    for (;;) {
        static char buf[TEAM_GATE_PACKET_MAX + 4096];
        int c = accept(fd, NULL, NULL);
        ssize_t n = recv(c, buf, sizeof buf, 0);

        if (strcmp(argv[2], "silence") == 0)
            continue; /* the connection stays open */
        if (n >= TEAM_HEADER_LEN && strcmp(argv[2], "close") != 0) {
            size_t len = bad_answer(argv[2], buf, sizeof buf, wire_u16(buf + 4));

            if (send(c, buf, len, MSG_NOSIGNAL) < 0)
                perror("send");
        }
        close(c);
    }
}
