/* Opens a session of sudo at the gate for a person, as the module would, and stops where the module
 * would not. Run as root with the person's login uid: opener HOW UID.
 *   stays   never confirms; waits for its end
 *   handed  the process that has connected is dead when a child of it asks on the same connection
 *   dies    asks, and is dead before there is an answer (if teamd is slow)
 * Prints the code and the text of the answer, or the container. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <team/wire.h>

static void ask(int fd, const char *uid)
{
    static char buf[TEAM_GATE_PACKET_MAX];
    struct wire_out w = wire_begin(buf, sizeof buf, TEAM_ASK, TEAM_OP_OPEN);
    size_t len;

    wire_put(&w, TEAM_SERVICE, "sudo");
    wire_put_u64(&w, TEAM_UID, strtoul(uid, NULL, 10));
    wire_put(&w, TEAM_USER, "root");
    len = wire_finish(&w);
    if (send(fd, buf, len, MSG_NOSIGNAL) != (ssize_t)len)
        _exit(98);
}

static void print_answer(int fd)
{
    static char buf[TEAM_GATE_PACKET_MAX];
    char text[481], cgroup[256];
    struct wire_msg msg;
    uint64_t code;
    ssize_t n = recv(fd, buf, sizeof buf, 0);

    if (n <= 0 || wire_read(buf, (size_t)n, &msg) != WIRE_OK ||
        !wire_find_u64(msg.fields, TEAM_CODE, &code)) {
        puts("no answer");
        return;
    }
    wire_copy(msg.fields, TEAM_TEXT, text, sizeof text);
    wire_copy(msg.fields, TEAM_CGROUP, cgroup, sizeof cgroup);
    printf("%u %s%s\n", (unsigned)code, text, cgroup);
    fflush(stdout);
}

int main(int argc, char **argv)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX, .sun_path = TEAM_GATE_SOCKET};
    int fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);
    pid_t parent = getpid();

    if (argc != 3 || connect(fd, (struct sockaddr *)&to, sizeof to) < 0)
        return 99;
    if (strcmp(argv[1], "handed") == 0) {
        if (fork() > 0)
            return 0;
        while (getppid() == parent)
            usleep(1000);
        usleep(100 * 1000); /* until it has been waited for */
        ask(fd, argv[2]);
        print_answer(fd);
        return 0;
    }
    ask(fd, argv[2]);
    if (strcmp(argv[1], "dies") == 0)
        return 0;
    print_answer(fd);
    pause();
    return 0;
}
