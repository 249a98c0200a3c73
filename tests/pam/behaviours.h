/* A teamd that behaves in every way it should not, and in those it should. Each behaviour runs in a
 * child that owns the listening socket, for one connection. */
#pragma once

#include <team/wire.h>

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#ifndef COUNT
#define COUNT(a) (sizeof(a) / sizeof(a)[0])
#endif

static inline void nap_ms(long ms)
{
    struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};

    while (nanosleep(&t, &t) < 0 && errno == EINTR)
        continue;
}

/* A cgroup of ours that the module can be sent into; "" if there can be none here. */
static char container[200];

static inline int take(int listener)
{
    return accept4(listener, NULL, NULL, SOCK_CLOEXEC);
}

/* Reads the ask; its op, or 0. */
static inline unsigned read_ask(int fd, char *packet, size_t cap, struct wire_msg *ret)
{
    ssize_t n = recv(fd, packet, cap, 0);

    if (n <= 0 || wire_read(packet, (size_t)n, ret) != WIRE_OK || ret->kind != TEAM_ASK)
        return 0;
    return ret->op;
}

static inline void answer(int fd, enum team_kind kind, unsigned op, int code, const char *text)
{
    char packet[TEAM_GATE_PACKET_MAX];
    struct wire_out w = wire_begin(packet, sizeof packet, kind, op);

    if (code >= 0)
        wire_put_u64(&w, TEAM_CODE, (uint64_t)code);
    wire_put(&w, TEAM_TEXT, text);
    if (op == TEAM_OP_OPEN && code == TEAM_DONE)
        wire_put_u64(&w, TEAM_SESSION, 7);
    send(fd, packet, wire_finish(&w), MSG_NOSIGNAL);
}

/* A yes to open, with a container to go into first. */
static inline void send_into(int fd, const char *cgroup)
{
    char packet[TEAM_GATE_PACKET_MAX];
    struct wire_msg msg = {0};
    struct wire_out w = wire_begin(packet, sizeof packet, TEAM_ANSWER, TEAM_OP_OPEN);
    char reply[TEAM_GATE_PACKET_MAX];
    size_t len;

    wire_put_u64(&w, TEAM_CODE, TEAM_DONE);
    wire_put_u64(&w, TEAM_SESSION, 7);
    wire_put(&w, TEAM_CGROUP, cgroup);
    len = wire_finish(&w);
    memcpy(reply, packet, len);
    if (read_ask(fd, packet, sizeof packet, &msg) == TEAM_OP_OPEN)
        send(fd, reply, len, MSG_NOSIGNAL);
}

static inline bool is_inside(int pid)
{
    char path[300], line[32];
    bool found = false;
    FILE *f;

    snprintf(path, sizeof path, "%s/cgroup.procs", container);
    f = fopen(path, "re");
    while (f && fgets(line, sizeof line, f))
        found = found || (int)strtol(line, NULL, 10) == pid;
    if (f)
        fclose(f);
    return found;
}

/* The second question: it has to be about the session, and from inside. */
static inline void confirm_as(int listener, int code, const char *text)
{
    char packet[TEAM_GATE_PACKET_MAX];
    struct ucred peer = {0};
    socklen_t len = sizeof peer;
    struct wire_msg msg = {0};
    uint64_t session = 0;
    int fd = take(listener);
    struct wire_out w;

    getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len);
    if (read_ask(fd, packet, sizeof packet, &msg) != TEAM_OP_CONFIRM ||
        !wire_find_u64(msg.fields, TEAM_SESSION, &session) || session != 7 ||
        !is_inside(peer.pid)) {
        code = TEAM_REFUSED;
        text = "not what was to be confirmed";
    }
    w = wire_begin(packet, sizeof packet, TEAM_ANSWER, TEAM_OP_CONFIRM);
    wire_put_u64(&w, TEAM_CODE, (uint64_t)code);
    wire_put(&w, TEAM_TEXT, text);
    if (code == TEAM_DONE)
        wire_put_u64(&w, TEAM_SESSION, 7);
    send(fd, packet, wire_finish(&w), MSG_NOSIGNAL);
    nap_ms(200);
}

static inline void contains(int l)
{
    send_into(take(l), container);
    confirm_as(l, TEAM_DONE, NULL);
}

static inline void contains_and_then_says_no(int l)
{
    send_into(take(l), container);
    confirm_as(l, TEAM_REFUSED, "the elevation has ended");
}

static inline void contains_and_is_gone(int l)
{
    int fd = take(l);

    close(l);
    send_into(fd, container);
}

static inline void contains_and_is_silent(int l)
{
    send_into(take(l), container);
    take(l);
    nap_ms(5000);
}

/* Neither is followed by a question: one would be answered with yes. */
static inline void contains_nowhere(int l)
{
    send_into(take(l), "/sys/fs/cgroup/team-that-is-not-there/s7");
    confirm_as(l, TEAM_DONE, NULL);
}

static inline void contains_elsewhere(int l)
{
    send_into(take(l), "/tmp");
    confirm_as(l, TEAM_DONE, NULL);
}

static inline void answer_ask(int listener, long after_ms, int code, const char *text)
{
    char packet[TEAM_GATE_PACKET_MAX];
    struct wire_msg msg = {0};
    int fd = take(listener);
    unsigned op = read_ask(fd, packet, sizeof packet, &msg);

    nap_ms(after_ms);
    answer(fd, TEAM_ANSWER, op, code, text);
    nap_ms(200); /* the answer, not the end, is what the module shall go by */
}

static inline void yes(int l)
{
    answer_ask(l, 0, TEAM_DONE, "welcome");
}

static inline void no(int l)
{
    answer_ask(l, 0, TEAM_REFUSED, "no active elevation; run: teamctl request sudo --for 1h");
}

static inline void no_without_a_word(int l)
{
    answer_ask(l, 0, TEAM_REFUSED, NULL);
}

static inline void slow_yes(int l)
{
    answer_ask(l, 600, TEAM_DONE, NULL);
}

static inline void late_yes(int l)
{
    answer_ask(l, 1500, TEAM_DONE, NULL);
}

static inline void no_code(int l)
{
    answer_ask(l, 0, -1, "hm");
}

static inline void failed(int l)
{
    answer_ask(l, 0, TEAM_FAILED, "the disk is full");
}

static inline void yes_and_gone(int l)
{
    char packet[TEAM_GATE_PACKET_MAX];
    struct wire_msg msg = {0};
    int fd = take(l);

    answer(fd, TEAM_ANSWER, read_ask(fd, packet, sizeof packet, &msg), TEAM_DONE, NULL);
}

/* teamd's way to turn away one connection too many. */
static inline void no_before_it_reads(int l)
{
    int fd = take(l);

    answer(fd, TEAM_ANSWER, TEAM_OP_ACCOUNT, TEAM_FAILED, "teamd has too much to do");
    nap_ms(100);
}

static inline void hangs_up(int l)
{
    close(take(l));
    nap_ms(200);
}

static inline void dies_while_answering(int l)
{
    char packet[TEAM_GATE_PACKET_MAX];
    struct wire_msg msg = {0};

    read_ask(take(l), packet, sizeof packet, &msg);
}

static inline void reads_and_is_silent(int l)
{
    char packet[TEAM_GATE_PACKET_MAX];
    struct wire_msg msg = {0};

    read_ask(take(l), packet, sizeof packet, &msg);
    nap_ms(5000);
}

static inline void accepts_and_is_silent(int l)
{
    take(l);
    nap_ms(5000);
}

static inline void never_accepts(int l)
{
    (void)l;
    nap_ms(5000);
}

static inline void send_raw(int l, const char *bytes, size_t n)
{
    char packet[TEAM_GATE_PACKET_MAX];
    struct wire_msg msg = {0};
    int fd = take(l);

    read_ask(fd, packet, sizeof packet, &msg);
    send(fd, bytes, n, MSG_NOSIGNAL);
    nap_ms(200);
}

static inline void garbage(int l)
{
    send_raw(l,
             "\x7f"
             "ELF\2\1\1\0\0\0\0\0\0\0\0\0",
             16);
}

static inline void half_a_header(int l)
{
    send_raw(l, "TE\1\2", 4);
}

static inline void nothing_in_a_packet(int l)
{
    send_raw(l, "", 0);
}

static inline void other_version(int l)
{
    send_raw(l, "TE\2\2\0\1\0\1\0\1\0\1\060", 13);
}

static inline void an_escape_in_the_text(int l)
{
    send_raw(l, "TE\1\2\0\1\0\2\0\1\0\1\063\0\2\0\3\033[m", 20);
}

static inline void oversize(int l)
{
    static char packet[TEAM_GATE_PACKET_MAX + 1];
    struct wire_out w = wire_begin(packet, sizeof packet, TEAM_ANSWER, TEAM_OP_ACCOUNT);

    /* A yes that would be one if it were cut where the module's buffer ends. */
    wire_put_u64(&w, TEAM_CODE, TEAM_DONE);
    wire_finish(&w);
    send_raw(l, packet, sizeof packet);
}

static inline void other_op(int l)
{
    int fd = take(l);

    answer(fd, TEAM_ANSWER, TEAM_OP_CLOSE, TEAM_DONE, NULL);
    nap_ms(200);
}

static inline void asks_back(int l)
{
    int fd = take(l);

    answer(fd, TEAM_ASK, TEAM_OP_ACCOUNT, TEAM_DONE, NULL);
    nap_ms(200);
}

static inline void opens_without_a_record(int l)
{
    send_raw(l, "TE\1\2\0\2\0\1\0\1\0\1\060", 13);
}

static inline void no_then_yes(int l)
{
    int fd = take(l);

    answer(fd, TEAM_ANSWER, TEAM_OP_ACCOUNT, TEAM_REFUSED, "no");
    answer(fd, TEAM_ANSWER, TEAM_OP_ACCOUNT, TEAM_DONE, NULL);
    nap_ms(200);
}

/* Says no, and for a reason what it was asked. */
static inline void repeat(int l)
{
    static const enum team_tag TAGS[] = {TEAM_SERVICE, TEAM_UID, TEAM_USER,
                                         TEAM_RUSER,   TEAM_TTY, TEAM_RHOST};
    char packet[TEAM_GATE_PACKET_MAX], value[256], text[481];
    struct text t = text_over(text, sizeof text);
    struct wire_msg msg = {0};
    int fd = take(l);
    unsigned op = read_ask(fd, packet, sizeof packet, &msg);

    for (size_t i = 0; i < COUNT(TAGS); i++) {
        wire_copy(msg.fields, TAGS[i], value, sizeof value);
        text_put(&t, i > 0 ? " " : "");
        text_put(&t, value[0] != '\0' ? value : "-");
    }
    answer(fd, TEAM_ANSWER, op, TEAM_REFUSED, text);
    nap_ms(200);
}

/* Yes if the asking process holds this connection at 3 or above, and would not give it to a child.
 */
static inline void look_at_the_descriptor(int l)
{
    char packet[TEAM_GATE_PACKET_MAX], path[64], link[64] = "", flags[128] = "";
    struct ucred peer = {0};
    socklen_t len = sizeof peer;
    struct wire_msg msg = {0};
    int fd = take(l), found = 0;
    unsigned op = read_ask(fd, packet, sizeof packet, &msg);

    getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len);
    for (int i = 0; i < 64; i++) {
        int at = -1;

        memset(link, 0, sizeof link);
        snprintf(path, sizeof path, "/proc/%d/fd/%d", peer.pid, i);
        if (readlink(path, link, sizeof link - 1) < 0 || strncmp(link, "socket:", 7) != 0)
            continue;
        snprintf(path, sizeof path, "/proc/%d/fdinfo/%d", peer.pid, i);
        at = open(path, O_RDONLY | O_CLOEXEC);
        if (read(at, flags, sizeof flags - 1) > 0 && strstr(flags, "flags:\t02000002") && i > 2)
            found++;
        else
            found = 99;
        close(at);
    }
    answer(fd, TEAM_ANSWER, op, found == 1 ? TEAM_DONE : TEAM_REFUSED, "a bad descriptor");
    nap_ms(200);
}
