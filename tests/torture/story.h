/* A client of teamd for the torture: asks as anybody, patient, and never astonished. Runs as root
 * with an unset login uid against identity.loginuid = "check", so that one process can be all
 * people. */
#pragma once

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <team/wire.h>

enum { ALICE = 2001, BOB = 2002, PATIENCE_S = 8, NO_ANSWER = 98, HUNG = 99 };

struct said {
    unsigned code; /* of the answer; NO_ANSWER: teamd is not there, or hung up; HUNG */
    char id[TEXT_ID_LEN + 1], state[17], text[481];
    uint64_t session;
};

static char story_dir[64]; /* where the sockets are */

static inline int64_t now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static inline void rest_ms(long ms)
{
    nanosleep(&(struct timespec){ms / 1000, ms % 1000 * 1000000}, NULL);
}

static inline int dial(uid_t uid, const char *socket_name)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    struct timeval patience = {.tv_sec = PATIENCE_S};
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0), r;

    snprintf(to.sun_path, sizeof to.sun_path, "%s/%s", story_dir, socket_name);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    if (seteuid(uid) < 0)
        exit(2);
    r = connect(fd, (struct sockaddr *)&to, sizeof to);
    if (seteuid(0) < 0)
        exit(2);
    if (r == 0)
        return fd;
    close(fd);
    return -1;
}

static inline struct wire_out ask_begin(unsigned op)
{
    static char packet[TEAM_ASK_PACKET_MAX];

    return wire_begin(packet, sizeof packet, TEAM_ASK, op);
}

/* Hears rows, each given to `row`, and the answer. */
static inline struct said hear(int fd, void (*row)(void *ctx, unsigned kind, struct wire_span),
                               void *ctx)
{
    static char packet[TEAM_PACKET_MAX];
    struct said s = {.code = NO_ANSWER};
    struct wire_msg msg;
    uint64_t code;

    for (;;) {
        ssize_t n = recv(fd, packet, sizeof packet, 0);

        if (n <= 0 || wire_read(packet, (size_t)n, &msg) != WIRE_OK) {
            s.code = n < 0 && errno == EAGAIN ? HUNG : NO_ANSWER;
            return s;
        }
        if (msg.kind == TEAM_ANSWER)
            break;
        for (struct wire_span rest = msg.fields, v; v = wire_each(&rest, TEAM_ROW), v.at;)
            if (row)
                row(ctx, msg.op, v);
    }
    if (wire_find_u64(msg.fields, TEAM_CODE, &code) && msg.op != TEAM_OP_NONE)
        s.code = (unsigned)code;
    wire_copy(msg.fields, TEAM_ID, s.id, sizeof s.id);
    wire_copy(msg.fields, TEAM_STATE, s.state, sizeof s.state);
    wire_copy(msg.fields, TEAM_TEXT, s.text, sizeof s.text);
    wire_find_u64(msg.fields, TEAM_SESSION, &s.session);
    return s;
}

static inline struct said ask_rows(uid_t uid, const char *socket_name, struct wire_out w,
                                   void (*row)(void *ctx, unsigned kind, struct wire_span),
                                   void *ctx)
{
    struct said s = {.code = NO_ANSWER};
    size_t len = wire_finish(&w);
    int fd = dial(uid, socket_name);

    if (len == 0)
        exit(2);
    if (fd < 0)
        return s;
    /* What cannot be sent may have been answered: a refusal at the door. */
    (void)!send(fd, w.buf, len, MSG_NOSIGNAL);
    s = hear(fd, row, ctx);
    close(fd);
    return s;
}

static inline struct said ask(uid_t uid, struct wire_out w)
{
    return ask_rows(uid, "control.sock", w, NULL, NULL);
}

static inline struct said ask_request(uint64_t for_s)
{
    struct wire_out w = ask_begin(TEAM_OP_REQUEST);

    wire_put(&w, TEAM_TARGET_NAME, "sudo");
    wire_put_u64(&w, TEAM_FOR_S, for_s);
    wire_put(&w, TEAM_REASON, "a story");
    return ask(ALICE, w);
}

static inline struct said ask_about(uid_t uid, unsigned op, const char *id)
{
    struct wire_out w = ask_begin(op);

    wire_put(&w, TEAM_ID, id);
    if (op == TEAM_OP_DECIDE)
        wire_put(&w, TEAM_DECISION, "approved");
    if (op == TEAM_OP_EXTEND) {
        wire_put_u64(&w, TEAM_FOR_S, 60);
        wire_put(&w, TEAM_REASON, "more of it");
    }
    return ask(uid, w);
}

static inline struct said ask_gate(unsigned op)
{
    struct wire_out w = ask_begin(op);

    wire_put(&w, TEAM_SERVICE, "sudo");
    wire_put_u64(&w, TEAM_UID, ALICE);
    wire_put(&w, TEAM_USER, "root");
    return ask_rows(0, "gate.sock", w, NULL, NULL);
}

/* A process that asks the gate to open a session, and stays. */
static inline pid_t leader(struct said *ret)
{
    int pipes[2];
    pid_t pid;

    *ret = (struct said){.code = NO_ANSWER};
    if (pipe(pipes) < 0)
        exit(2);
    pid = fork();
    if (pid == 0) {
        struct said s = ask_gate(TEAM_OP_OPEN);

        (void)!write(pipes[1], &s, sizeof s);
        close(pipes[1]);
        for (;;)
            pause();
    }
    close(pipes[1]);
    if (pid < 0 || read(pipes[0], ret, sizeof *ret) != sizeof *ret)
        ret->code = NO_ANSWER;
    close(pipes[0]);
    return pid;
}

/* Is it gone, within so long? */
static inline bool gone_within(pid_t pid, int64_t ms)
{
    for (int64_t end = now_ms() + ms; now_ms() < end; rest_ms(5))
        if (waitpid(pid, NULL, WNOHANG) == pid)
            return true;
    return false;
}
