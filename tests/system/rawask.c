/* Sends one request to teamd with a field that teamctl would never send: rawask reason|id TEXT. The
 * codec itself refuses to write it, so the length and bytes are put in by hand. Exit: the CODE of
 * the answer. */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <team/wire.h>

static size_t put_raw(char *at, enum team_tag tag, const char *s)
{
    wire_store_u16(at, tag);
    wire_store_u16(at + 2, strlen(s));
    memcpy(at + 4, s, strlen(s));
    return 4 + strlen(s);
}

int main(int argc, char **argv)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX, .sun_path = TEAM_CONTROL_SOCKET};
    int fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);
    static char buf[TEAM_PACKET_MAX];
    bool id = argc == 3 && strcmp(argv[1], "id") == 0;
    struct wire_out w = wire_begin(buf, sizeof buf, TEAM_ASK, id ? TEAM_OP_SHOW : TEAM_OP_REQUEST);
    char text[481];
    struct wire_msg msg;
    uint64_t code;
    ssize_t n;
    size_t len;

    if (argc != 3 || connect(fd, (struct sockaddr *)&to, sizeof to) < 0)
        return 99;
    if (!id) {
        wire_put(&w, TEAM_TARGET_NAME, "sudo");
        wire_put_u64(&w, TEAM_FOR_S, 60);
    }
    len = wire_finish(&w);
    wire_store_u16(buf + 6, wire_u16(buf + 6) + 1u);
    len += put_raw(buf + len, id ? TEAM_ID : TEAM_REASON, argv[2]);
    if (send(fd, buf, len, MSG_NOSIGNAL) < 0)
        return 98;
    n = recv(fd, buf, sizeof buf, 0);
    if (n <= 0 || wire_read(buf, (size_t)n, &msg) != WIRE_OK ||
        !wire_find_u64(msg.fields, TEAM_CODE, &code))
        return 97;
    wire_copy(msg.fields, TEAM_TEXT, text, sizeof text);
    puts(text);
    return (int)code;
}
