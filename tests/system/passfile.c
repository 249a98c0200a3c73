/* Asks teamd for a backup into a descriptor that teamctl would never pass: passfile r|w|rw PATH.
 * Prints the text of the answer; exit: its CODE. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <team/wire.h>

int main(int argc, char **argv)
{
    static const struct sockaddr_un TO = {.sun_family = AF_UNIX, .sun_path = TEAM_CONTROL_SOCKET};
    static char buf[TEAM_PACKET_MAX];
    union {
        char buf[CMSG_SPACE(sizeof(int))];
        struct cmsghdr head;
    } control = {.head = {.cmsg_level = SOL_SOCKET,
                          .cmsg_type = SCM_RIGHTS,
                          .cmsg_len = CMSG_LEN(sizeof(int))}};
    struct wire_out w = wire_begin(buf, sizeof buf, TEAM_ASK, TEAM_OP_BACKUP);
    struct iovec iov = {.iov_base = buf, .iov_len = wire_finish(&w)};
    struct msghdr message = {.msg_iov = &iov,
                             .msg_iovlen = 1,
                             .msg_control = control.buf,
                             .msg_controllen = sizeof control.buf};
    int fd = socket(AF_UNIX, SOCK_SEQPACKET, 0), file;
    struct wire_msg msg;
    uint64_t code;
    char text[481];
    ssize_t n;

    if (argc != 3 || connect(fd, (const struct sockaddr *)&TO, sizeof TO) < 0)
        return 99;
    file = open(argv[2], strcmp(argv[1], "r") == 0   ? O_RDONLY
                         : strcmp(argv[1], "w") == 0 ? O_WRONLY
                                                     : O_RDWR);
    memcpy(CMSG_DATA(&control.head), &file, sizeof file);
    if (file < 0 || sendmsg(fd, &message, MSG_NOSIGNAL) < 0)
        return 98;
    n = recv(fd, buf, sizeof buf, 0);
    if (n <= 0 || wire_read(buf, (size_t)n, &msg) != WIRE_OK ||
        !wire_find_u64(msg.fields, TEAM_CODE, &code))
        return 97;
    wire_copy(msg.fields, TEAM_TEXT, text, sizeof text);
    puts(text);
    return (int)code;
}
