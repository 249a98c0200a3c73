/* A crowd that waits: COUNT connections to gate.sock, each of which asks to wait for request ID as
 * pam_team does in the sudo of UID. Says how many were told how far it has come, and how many were
 * refused; stays until the end of its input, and says then how many were answered.
 *
 *   crowd SOCKET UID ID COUNT */
#include <team/wire.h>

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { COUNT_MAX = 1024 };

static struct pollfd crowd[COUNT_MAX];

static int join(const char *path, const char *uid, const char *id)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    char packet[TEAM_GATE_PACKET_MAX];
    struct wire_out w = wire_begin(packet, sizeof packet, TEAM_ASK, TEAM_OP_AWAIT);
    int fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);

    wire_put(&w, TEAM_SERVICE, "sudo");
    wire_put(&w, TEAM_UID, uid);
    wire_put(&w, TEAM_ID, id);
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    if (connect(fd, (const struct sockaddr *)&address, sizeof address) < 0 ||
        send(fd, packet, wire_finish(&w), MSG_NOSIGNAL) < 0) {
        perror("crowd");
        exit(1);
    }
    return fd;
}

/* What one of them hears next. */
static enum team_kind hears(int fd)
{
    char packet[TEAM_GATE_PACKET_MAX];
    ssize_t n = recv(fd, packet, sizeof packet, 0);
    struct wire_msg msg;

    return n > 0 && wire_read(packet, (size_t)n, &msg) == WIRE_OK ? msg.kind : TEAM_ASK;
}

int main(int argc, char **argv)
{
    int told = 0, refused = 0, answered = 0, n = argc == 5 ? atoi(argv[4]) : 0;

    if (n < 1 || n > COUNT_MAX)
        return 2;
    for (int i = 0; i < n; i++)
        crowd[i] = (struct pollfd){.fd = join(argv[1], argv[2], argv[3]), .events = POLLIN};
    for (int i = 0; i < n; i++) {
        enum team_kind kind = hears(crowd[i].fd);

        told += kind == TEAM_ROWS;
        refused += kind == TEAM_ANSWER;
    }
    printf("told %d refused %d\n", told, refused);
    fflush(stdout);
    while (getchar() != EOF)
        continue;
    poll(crowd, (nfds_t)n, 0);
    for (int i = 0; i < n; i++)
        answered += crowd[i].revents & POLLIN && hears(crowd[i].fd) == TEAM_ANSWER;
    printf("answered %d\n", answered);
    return 0;
}
