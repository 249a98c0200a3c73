/* A server with real sockets for the tests of teamd/ipc: it runs in a loop of the test's own
 * process. Clients are descriptors of the same process (a connect() to a listening Unix socket
 * never waits for accept), and children where another process matters. Include it first: it sets
 * how patient the server is. */
#pragma once

/* Seconds are long in a test. */
#define IPC_GATE_IDLE_US    (100 * 1000)
#define IPC_CONTROL_IDLE_US (300 * 1000)
#define IPC_ANSWER_STALL_US (150 * 1000)
#define IPC_ROWS_STALL_US   (400 * 1000)
#define IPC_REST_US         (20 * 1000)
#define IPC_STOP_US         (50 * 1000)
#define IPC_WAITER_US       (900 * 1000)

static int peerpidfd_option = 77;
#define IPC_PEERPIDFD peerpidfd_option

#include "ipc/socket.c"
/**/
#include "ipc/lane.c"
/**/
#include "ipc/conn.c"
/**/
#include "ipc/server.c"

#include <dirent.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <cmocka.h>

/* ---- the server under test ------------------------------------------------------------------- */

/* What the handler does is the op of the ask. */
enum {
    OP_YES = 1,     /* answers at once */
    OP_HOLD = 2,    /* keeps the connection until the test answers */
    OP_STREAM = 3,  /* rows until all are sent, waiting for room, and then the answer */
    OP_FILL = 4,    /* rows until there is no room, and the answer at once */
    OP_KICK = 5,    /* closes the connection that is held, and answers */
    OP_STOP = 6,    /* stops the server, and answers */
    OP_SILENT = 7,  /* closes without an answer */
    OP_ONE_ROW = 8, /* one row whose result is noted, and no answer */
    OP_WAIT = 9, /* keeps the connection as one of rig.person's waiters; or the answer is why not */
};

enum { ROWS = 300, ROW_BYTES = 8000, HELD_MAX = 2048 };

struct rig {
    char dir[64], gate[128], control[128];
    sd_event *loop;
    struct ipc *ipc;
    unsigned asks, gones, rooms;
    struct conn *held[HELD_MAX];
    unsigned n_held;
    unsigned row;     /* the next one of OP_STREAM */
    int last_row;     /* what conn_rows() said last */
    uint32_t trusted; /* may send descriptors */
    uint32_t person;  /* whose waiters come */
};

static struct rig rig;

static inline size_t packet_of(char *buf, size_t cap, enum team_kind kind, unsigned op,
                               const char *text)
{
    struct wire_out w = wire_begin(buf, cap, kind, op);

    if (kind == TEAM_ANSWER)
        wire_put_u64(&w, TEAM_CODE, TEAM_DONE);
    wire_put(&w, TEAM_TEXT, text);
    return wire_finish(&w);
}

static inline void answer(struct conn *c, unsigned op, const char *text)
{
    char packet[1024];

    conn_answer(c, packet, packet_of(packet, sizeof packet, TEAM_ANSWER, op, text));
}

/* A row whose op is its number. */
static inline int send_row(struct conn *c, unsigned number)
{
    static char packet[ROW_BYTES];
    struct wire_out w = wire_begin(packet, sizeof packet, TEAM_ROWS, number);

    while (!w.bad)
        wire_put(&w, TEAM_WAITING_FOR, "a-name-that-fills-the-packet");
    w.bad = false;
    return rig.last_row = conn_rows(c, packet, wire_finish(&w));
}

static inline void stream(struct conn *c)
{
    while (rig.row < ROWS && send_row(c, rig.row) == 0)
        rig.row++;
    if (rig.row == ROWS)
        answer(c, OP_STREAM, "all");
}

static inline void linger(struct conn *c)
{
    int r = conn_wait(c, rig.person);

    if (r == 0)
        rig.held[rig.n_held++] = c;
    else
        answer(c, OP_WAIT, r == -EDQUOT ? "yours" : r == -EUSERS ? "all" : "?");
}

static inline void on_ask(void *ctx, struct conn *c, const struct wire_msg *msg)
{
    assert_ptr_equal(ctx, &rig);
    assert_null(conn_data(c));
    conn_set_data(c, &rig);
    rig.asks++;
    switch (msg->op) {
    case OP_YES:
        answer(c, OP_YES, "yes");
        return;
    case OP_HOLD:
    case TEAM_OP_BACKUP:
        rig.held[rig.n_held++] = c;
        return;
    case OP_WAIT:
        linger(c);
        return;
    case OP_STREAM:
        stream(c);
        return;
    case OP_FILL:
        for (unsigned n = 0; send_row(c, n) == 0; n++)
            rig.row = n + 1;
        answer(c, OP_FILL, "filled");
        return;
    case OP_KICK:
        conn_answer(rig.held[--rig.n_held], NULL, 0);
        answer(c, OP_KICK, "kicked");
        return;
    case OP_STOP:
        ipc_stop(rig.ipc);
        answer(c, OP_STOP, "stopped");
        return;
    case OP_SILENT:
        conn_answer(c, NULL, 0);
        return;
    default:
        send_row(c, 0);
    }
}

static inline void on_room(void *ctx, struct conn *c)
{
    (void)ctx;
    rig.rooms++;
    stream(c);
}

static inline void on_gone(void *ctx, struct conn *c)
{
    assert_ptr_equal(ctx, &rig);
    assert_ptr_equal(conn_data(c), &rig);
    rig.gones++;
    answer(c, OP_HOLD, "too late: must have no effect");
    assert_int_equal(conn_rows(c, "x", 1), -EPIPE);
}

static inline bool on_trusts(void *ctx, uint32_t uid)
{
    assert_ptr_equal(ctx, &rig);
    return uid == rig.trusted;
}

static inline int rig_up(void **state)
{
    static const struct ipc_handlers HANDLERS = {
        .ask = on_ask, .room = on_room, .gone = on_gone, .trusts = on_trusts};
    int fd;

    (void)state;
    rig = (struct rig){.dir = "/tmp/team-ipc-XXXXXX"};
    assert_non_null(mkdtemp(rig.dir));
    assert_int_equal(chmod(rig.dir, 0755), 0); /* other people connect, too */
    snprintf(rig.gate, sizeof rig.gate, "%s/gate.sock", rig.dir);
    snprintf(rig.control, sizeof rig.control, "%s/control.sock", rig.dir);
    assert_true(sd_event_new(&rig.loop) >= 0);
    assert_int_equal(ipc_new(rig.loop, &HANDLERS, &rig, &rig.ipc), 0);
    assert_int_equal(ipc_socket_make(rig.gate, 0600, &fd), 0);
    assert_int_equal(ipc_listen(rig.ipc, IPC_GATE, fd), 0);
    assert_int_equal(ipc_socket_make(rig.control, 0666, &fd), 0);
    assert_int_equal(ipc_listen(rig.ipc, IPC_CONTROL, fd), 0);
    return 0;
}

static inline int rig_down(void **state)
{
    (void)state;
    peerpidfd_option = 77;
    rig.ipc = ipc_free(rig.ipc);
    rig.loop = sd_event_unref(rig.loop);
    unlink(rig.gate);
    unlink(rig.control);
    assert_int_equal(rmdir(rig.dir), 0);
    return 0;
}

/* Everything that is there to be done now. Returns the turns that it took. */
static inline unsigned settle(void)
{
    unsigned turns = 0;

    while (sd_event_run(rig.loop, 0) > 0)
        assert_true(++turns < 100000); /* else it spins */
    return turns;
}

static inline uint64_t now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static inline unsigned run_for(unsigned ms)
{
    uint64_t end = now_ms() + ms;
    unsigned turns = 0;

    for (uint64_t now; (now = now_ms()) < end;)
        turns += sd_event_run(rig.loop, (end - now) * 1000) > 0;
    return turns;
}

/* ---- clients --------------------------------------------------------------------------------- */

static inline struct sockaddr_un address_of(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct text t = text_over(address.sun_path, sizeof address.sun_path);

    text_put(&t, path);
    return address;
}

static inline int try_dial(const char *path, int type)
{
    struct sockaddr_un address = address_of(path);
    struct timeval patience = {.tv_sec = 20};
    int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

    if (fd < 0 || connect(fd, (const struct sockaddr *)&address, sizeof address) < 0) {
        int r = -errno;

        close(fd);
        return r;
    }
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    return fd;
}

static inline int dial(const char *path)
{
    int fd = try_dial(path, SOCK_SEQPACKET);

    assert_true(fd >= 0);
    return fd;
}

static inline void say(int fd, unsigned op)
{
    char packet[64];
    size_t n = packet_of(packet, sizeof packet, TEAM_ASK, op, "please");

    assert_int_equal(send(fd, packet, n, MSG_NOSIGNAL), n);
}

static inline int dial_and_say(const char *path, unsigned op)
{
    int fd = dial(path);

    say(fd, op);
    return fd;
}

enum { CLOSED = 0, NOTHING = -EAGAIN };

static inline ssize_t hear(int fd, char *buf, size_t cap)
{
    ssize_t n = recv(fd, buf, cap, MSG_DONTWAIT);

    return n < 0 ? -errno : n;
}

/* Compares the text of the answer that is there. */
static inline void hears(int fd, unsigned code, const char *text)
{
    char packet[1024], said[500];
    struct wire_msg msg = {0};
    uint64_t got = 99;
    ssize_t n = hear(fd, packet, sizeof packet);

    assert_true(n > 0);
    assert_int_equal(wire_read(packet, (size_t)n, &msg), WIRE_OK);
    assert_int_equal(msg.kind, TEAM_ANSWER);
    assert_true(wire_find_u64(msg.fields, TEAM_CODE, &got));
    assert_true(wire_copy(msg.fields, TEAM_TEXT, said, sizeof said));
    assert_string_equal(said, text);
    assert_int_equal(got, code);
}

static inline void hears_end(int fd)
{
    char byte;

    assert_int_equal(hear(fd, &byte, 1), CLOSED);
    close(fd);
}

static inline void hears_nothing(int fd)
{
    char byte;

    assert_int_equal(hear(fd, &byte, 1), NOTHING);
}

static inline void hears_refusal(int fd, const char *text)
{
    hears(fd, TEAM_FAILED, text);
    hears_end(fd);
}

static inline unsigned count_descriptors(void)
{
    DIR *d = opendir("/proc/self/fd");
    unsigned n = 0;

    assert_non_null(d);
    while (readdir(d))
        n++;
    closedir(d);
    return n;
}

static inline void need_root(void)
{
    if (geteuid() != 0)
        skip();
}

static inline bool under_valgrind(void)
{
    const char *preload = getenv("LD_PRELOAD");

    return preload && strstr(preload, "vgpreload");
}

/* valgrind keeps count of descriptors in its own way: what is accepted beyond the limit it closes.
 */
static inline void need_the_real_limits(void)
{
    if (under_valgrind())
        skip();
}

/* In a child no assertion may fail: it would go on with the next test. */
static inline int child_asks(const char *path, unsigned op)
{
    char packet[64];
    size_t n = packet_of(packet, sizeof packet, TEAM_ASK, op, "please");
    int fd = try_dial(path, SOCK_SEQPACKET);

    if (fd < 0 || send(fd, packet, n, MSG_NOSIGNAL) < 0)
        _exit(3);
    return fd;
}

/* Who connects is the effective uid of that moment. */
static inline int dial_as(uint32_t uid, const char *path)
{
    int fd;

    assert_int_equal(seteuid(uid), 0);
    fd = try_dial(path, SOCK_SEQPACKET);
    assert_int_equal(seteuid(0), 0);
    return fd;
}

static inline void need_descriptors(rlim_t n)
{
    struct rlimit limit;

    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    if (limit.rlim_cur < n) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
    if (limit.rlim_cur < n)
        skip();
}

static inline int reap(pid_t pid)
{
    int status;

    while (waitpid(pid, &status, WNOHANG) == 0)
        sd_event_run(rig.loop, 5000);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
