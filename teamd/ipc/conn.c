#include "ipc/conn.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

static_assert(TEAM_VERSION == 1, "the refusal below names the version");

static const char GARBLED[] = "that message was not understood";
static const char OTHER_VERSION[] = "this teamd speaks version 1";
static const char NO_MEMORY[] = "teamd is out of memory; try again later";

static const uint32_t HANG_UP = EPOLLHUP | EPOLLRDHUP | EPOLLERR;

/* ---- ends ------------------------------------------------------------------------------------ */

static void conn_forget_file(struct conn *c)
{
    if (c->file >= 0)
        socket_close(c->file);
    c->file = -1;
}

void conn_close(struct conn *c)
{
    if (c->phase == CONN_DEAD)
        return;
    c->phase = CONN_DEAD;
    lane_leave(c);
    ipc_forget(c);
    c->source = sd_event_source_disable_unref(c->source);
    if (c->socket == IPC_GATE)
        close(c->fd);
    else
        socket_close(c->fd);
    if (c->pidfd >= 0)
        close(c->pidfd);
    conn_forget_file(c);
    free(c->packet);
    c->fd = c->pidfd = -EBADF;
    c->packet = NULL;
    if (!c->busy)
        free(c);
}

/* Nobody is there any more to be answered. */
static void conn_lost(struct conn *c)
{
    if (c->phase == CONN_ASKED) {
        c->phase = CONN_IDLE; /* what the handler may still try has no effect */
        c->ipc->handlers.gone(c->ipc->ctx, c);
    }
    conn_close(c);
}

/* Every way in from the loop is between these two. */
static void conn_enter(struct conn *c)
{
    c->busy = true;
}

static void conn_leave(struct conn *c)
{
    c->busy = false;
    if (c->phase == CONN_DEAD)
        free(c);
}

void conn_drop(struct conn *c)
{
    conn_enter(c);
    conn_lost(c);
    conn_leave(c);
}

static void conn_refuse(struct conn *c, const char *text)
{
    socket_refuse(c->fd, text);
    conn_close(c);
}

/* ---- what the loop watches ------------------------------------------------------------------- */

static int on_ready(sd_event_source *s, int fd, uint32_t events, void *userdata);

/* While an ask is open, reading is turned off only when more comes: who asks one thing at a time
 * costs no system call for it. */
static uint32_t conn_events(const struct conn *c)
{
    uint32_t events = EPOLLRDHUP;

    if (!c->deaf)
        events |= EPOLLIN;
    if (c->wants_room || c->phase == CONN_ANSWERED)
        events |= EPOLLOUT;
    return events;
}

static int conn_watch(struct conn *c)
{
    int r;

    r = sd_event_add_io(c->ipc->loop, &c->source, c->fd, conn_events(c), on_ready, c);
    if (r < 0 || c->socket != IPC_GATE)
        return r;
    return sd_event_source_set_priority(c->source, SD_EVENT_PRIORITY_IMPORTANT);
}

static void conn_rewatch(struct conn *c)
{
    if (c->source && sd_event_source_set_io_events(c->source, conn_events(c)) < 0)
        lane_join(c, LANE_LOST);
}

/* ---- asks ------------------------------------------------------------------------------------ */

static void conn_asked(struct conn *c, const struct wire_msg *msg, size_t len)
{
    char *copy = malloc(len);

    if (!copy) {
        conn_refuse(c, NO_MEMORY);
        return;
    }
    memcpy(copy, c->ipc->buffer, len);
    if (msg->op != TEAM_OP_BACKUP)
        conn_forget_file(c);
    lane_leave(c);
    c->phase = CONN_ASKED;
    c->packet = copy;
    c->packet_len = len;
    c->data = NULL;
    c->msg = *msg;
    c->msg.fields.at = copy + TEAM_HEADER_LEN;
    c->ipc->handlers.ask(c->ipc->ctx, c, &c->msg);
}

static void conn_understand(struct conn *c, size_t len)
{
    struct wire_msg msg;

    switch (wire_read(c->ipc->buffer, len, &msg)) {
    case WIRE_OK:
        if (msg.kind == TEAM_ASK)
            conn_asked(c, &msg, len);
        else
            conn_refuse(c, GARBLED);
        return;
    case WIRE_OTHER_VERSION:
        conn_refuse(c, OTHER_VERSION);
        return;
    case WIRE_GARBLED:
        conn_refuse(c, GARBLED);
        return;
    }
}

/* What came along, if it is one descriptor and there are enough left; else it is closed. */
static int conn_received(struct msghdr *header)
{
    int file = -1, one;
    bool more = header->msg_flags & MSG_CTRUNC;

    for (struct cmsghdr *m = CMSG_FIRSTHDR(header); m; m = CMSG_NXTHDR(header, m)) {
        if (m->cmsg_level != SOL_SOCKET || m->cmsg_type != SCM_RIGHTS)
            continue;
        for (size_t at = CMSG_LEN(0); at + sizeof one <= m->cmsg_len; at += sizeof one) {
            memcpy(&one, (const char *)m + at, sizeof one);
            if (file >= 0 || more || ipc_is_gates_share(one)) {
                close(one);
                more = true;
            } else {
                file = one;
            }
        }
    }
    if (more && file >= 0)
        close(file);
    return more ? -1 : file;
}

/* Only root comes to the gate. */
static ssize_t conn_take(struct conn *c, struct msghdr *header)
{
    ssize_t n;
    int error;

    if (c->socket == IPC_GATE)
        return recvmsg(c->fd, header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    hurry();
    n = recvmsg(c->fd, header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    error = errno;
    if (n >= 0 && header->msg_control)
        c->file = conn_received(header);
    hurried();
    errno = error;
    return n;
}

/* Mostly without room for control data: descriptors that a peer sends along then never arrive. */
static void conn_read(struct conn *c)
{
    union {
        char buf[CMSG_LEN(sizeof(int))]; /* not CMSG_SPACE: that is room for two */
        struct cmsghdr aligned;
    } control;
    const struct ipc *i = c->ipc;
    size_t most = c->socket == IPC_GATE      ? TEAM_GATE_PACKET_MAX
                  : c->socket == IPC_COURIER ? TEAM_PACKET_MAX
                                             : TEAM_ASK_PACKET_MAX;
    struct iovec iov = {.iov_base = c->ipc->buffer, .iov_len = most};
    struct msghdr header = {.msg_iov = &iov, .msg_iovlen = 1};
    ssize_t n;

    if (c->socket == IPC_CONTROL && i->handlers.trusts && i->handlers.trusts(i->ctx, c->peer.uid)) {
        header.msg_control = control.buf;
        header.msg_controllen = sizeof control.buf;
    }
    n = conn_take(c, &header);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0 || (header.msg_flags & MSG_TRUNC))
        conn_close(c);
    else
        conn_understand(c, (size_t)n);
}

static void conn_rest(struct conn *c)
{
    if (c->socket == IPC_COURIER) {
        lane_leave(c); /* it is there for as long as it likes */
        return;
    }
    lane_join(c, c->ipc->stopping        ? LANE_STOP
                 : c->socket == IPC_GATE ? LANE_GATE_IDLE
                                         : LANE_CONTROL_IDLE);
}

static bool conn_knows_peer(struct conn *c)
{
    int r = conn_pidfd(c);

    if (r < 0)
        conn_refuse(c, r == -EMFILE || r == -ENFILE ? FEW_DESCRIPTORS : NO_PEER);
    return r >= 0;
}

/* Whoever connected may end, and the number be another's: so the process is got hold of before
 * anything is waited for. Only an ask of the gate that is there already may be answered without. */
void conn_start(struct conn *c)
{
    conn_enter(c);
    if (c->socket == IPC_GATE || conn_knows_peer(c))
        conn_read(c);
    if (c->phase == CONN_IDLE && c->lane == LANE_NONE && conn_knows_peer(c))
        conn_rest(c);
    if (c->phase != CONN_DEAD && conn_watch(c) < 0)
        conn_lost(c);
    conn_leave(c);
}

/* ---- answers --------------------------------------------------------------------------------- */

static int conn_send(const struct conn *c, const char *packet, size_t len)
{
    if (len == 0)
        return -EINVAL; /* it would look like the end of the connection */
    return send(c->fd, packet, len, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 ? -errno : 0;
}

static void conn_answered(struct conn *c)
{
    conn_forget_file(c);
    free(c->packet);
    c->packet = NULL;
    c->data = NULL;
    if (c->socket == IPC_GATE || (c->socket == IPC_COURIER && c->ipc->stopping)) {
        conn_close(c);
        return;
    }
    c->phase = CONN_IDLE;
    c->deaf = false;
    conn_rest(c);
    conn_rewatch(c);
}

static void conn_keep(struct conn *c, const char *packet, size_t len)
{
    char *copy = malloc(len);

    if (!copy) {
        conn_close(c);
        return;
    }
    memcpy(copy, packet, len);
    free(c->packet);
    c->packet = copy;
    c->packet_len = len;
    c->phase = CONN_ANSWERED;
    c->data = NULL;
    lane_join(c, LANE_ANSWER);
    conn_rewatch(c);
}

void conn_answer(struct conn *c, const char *packet, size_t len)
{
    int r;

    if (c->phase != CONN_ASKED)
        return;
    c->wants_room = false;
    r = conn_send(c, packet, len);
    if (r == 0)
        conn_answered(c);
    else if (r == -EAGAIN)
        conn_keep(c, packet, len);
    else
        conn_close(c);
}

int conn_rows(struct conn *c, const char *packet, size_t len)
{
    int r;

    if (c->phase != CONN_ASKED || c->lane == LANE_LOST)
        return -EPIPE;
    r = conn_send(c, packet, len);
    c->wants_room = r == -EAGAIN;
    if (r == -EAGAIN)
        lane_join(c, LANE_ROWS);
    else if (r < 0)
        lane_join(c, LANE_LOST); /* a peer that only stopped reading does not hang up */
    else if (c->lane == LANE_ROWS)
        lane_leave(c);
    conn_rewatch(c);
    return r;
}

/* ---- the loop -------------------------------------------------------------------------------- */

static void conn_has_room(struct conn *c)
{
    int r;

    if (c->phase == CONN_ASKED) {
        c->wants_room = false;
        lane_leave(c);
        conn_rewatch(c);
        c->ipc->handlers.room(c->ipc->ctx, c);
        return;
    }
    r = conn_send(c, c->packet, c->packet_len);
    if (r == 0)
        conn_answered(c);
    else if (r != -EAGAIN)
        conn_close(c);
}

static int on_ready(sd_event_source *s, int fd, uint32_t events, void *userdata)
{
    struct conn *c = userdata;

    (void)s;
    (void)fd;
    conn_enter(c);
    if (c->phase == CONN_IDLE) {
        conn_read(c);
    } else if (events & HANG_UP) {
        conn_lost(c);
    } else if (events & EPOLLOUT) {
        conn_has_room(c);
    } else {
        c->deaf = true;
        conn_rewatch(c);
    }
    conn_leave(c);
    return 0;
}

/* ---- what the handlers see ------------------------------------------------------------------- */

enum ipc_socket conn_socket(const struct conn *c)
{
    return (enum ipc_socket)c->socket;
}

uint32_t conn_uid(const struct conn *c)
{
    return c->peer.uid;
}

uint32_t conn_pid(const struct conn *c)
{
    return c->peer.pid;
}

unsigned conn_op(const struct conn *c)
{
    return c->msg.op;
}

int conn_pidfd(struct conn *c)
{
    if (c->pidfd == PIDFD_NOT_YET)
        c->pidfd = peer_pidfd(c->fd, &c->peer);
    return c->pidfd;
}

int conn_take_pidfd(struct conn *c)
{
    int fd = conn_pidfd(c);

    if (fd >= 0)
        c->pidfd = -EBADF;
    return fd;
}

int conn_take_file(struct conn *c)
{
    int fd = c->file;

    c->file = -1;
    return fd;
}

void conn_set_data(struct conn *c, void *data)
{
    c->data = data;
}

void *conn_data(const struct conn *c)
{
    return c->data;
}
