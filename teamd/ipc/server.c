#include "ipc/conn.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* Tests are less patient. */
#ifndef IPC_REST_US
#define IPC_REST_US (20 * 1000)
#endif

/* Connections that one wake-up takes. Few from control.sock, so that the gate is never behind a
 * crowd of people's asks. */
enum { GATE_BURST = 64, CONTROL_BURST = 8 };

#define TOO_MANY_OF_YOURS "too many connections of yours (%d); close some, or try again later"
#define TOO_MANY          "too many connections (%d); try again later"
#define NOT_ROOT          "only root may ask here"
#define NOT_COURIER       "only team-courier may connect here"
#define FEW_MEMORY        "teamd is out of memory; try again later"

/* ---- counting -------------------------------------------------------------------------------- */

static struct seat *seat_of(struct seats *s, uint32_t uid)
{
    for (unsigned n = 0; n < s->n; n++)
        if (s->at[n].uid == uid)
            return &s->at[n];
    return NULL;
}

static void seat_take(struct seats *s, uint32_t uid)
{
    struct seat *seat = seat_of(s, uid);

    if (!seat) {
        seat = &s->at[s->n++];
        *seat = (struct seat){.uid = uid};
    }
    seat->n++;
}

static void seat_leave(struct seats *s, uint32_t uid)
{
    struct seat *seat = seat_of(s, uid);

    if (seat && --seat->n == 0)
        *seat = s->at[--s->n];
}

static void ipc_remember(struct conn *c)
{
    struct ipc *i = c->ipc;

    c->next = i->conns;
    if (c->next)
        c->next->prev = c;
    i->conns = c;
    if (c->socket == IPC_GATE) {
        i->n_gate++;
    } else if (c->socket == IPC_COURIER) {
        i->n_courier++;
    } else {
        i->n_control++;
        seat_take(&i->control_seats, c->peer.account);
    }
}

void ipc_forget(struct conn *c)
{
    struct ipc *i = c->ipc;

    *(c->prev ? &c->prev->next : &i->conns) = c->next;
    if (c->next)
        c->next->prev = c->prev;
    if (c->waits) {
        i->n_waiters--;
        seat_leave(&i->waiter_seats, c->peer.account);
    } else if (c->socket == IPC_GATE) {
        i->n_gate--;
    } else if (c->socket == IPC_COURIER) {
        i->n_courier--;
    } else {
        i->n_control--;
        seat_leave(&i->control_seats, c->peer.account);
    }
}

int conn_wait(struct conn *c, uint32_t person)
{
    struct ipc *i = c->ipc;
    const struct seat *seat = seat_of(&i->waiter_seats, person);

    if (seat && seat->n >= IPC_WAITERS_PER_PERSON)
        return -EDQUOT;
    if (i->n_waiters >= IPC_WAITERS || ipc_is_gates_share(c->fd))
        return -EUSERS;
    i->n_gate--;
    i->n_waiters++;
    c->waits = true;
    c->peer.account = person;
    seat_take(&i->waiter_seats, person);
    lane_join(c, LANE_WAITER);
    close(conn_take_pidfd(c));
    return 0;
}

bool ipc_gate_waits(const struct ipc *i)
{
    struct pollfd p = {.fd = i->gate.fd, .events = POLLIN};

    return poll(&p, 1, 0) == 1; /* none: poll(2) passes over it */
}

unsigned ipc_connections(const struct ipc *i)
{
    return i->n_gate + i->n_control + i->n_waiters;
}

/* ---- limits ---------------------------------------------------------------------------------- */

/* The kernel gives the lowest free number, so a high one means that nearly all are in use. The last
 * ones are the gate's. */
bool ipc_is_gates_share(int fd)
{
    enum { SHARE = 256 };
    struct rlimit limit;
    rlim_t share;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return true;
    share = limit.rlim_cur / 4 < SHARE ? limit.rlim_cur / 4 : SHARE;
    return (rlim_t)fd >= limit.rlim_cur - share;
}

enum { REASON_CAP = 120 };

static bool gate_admits(struct ipc *i, const struct peer *peer, char why[static REASON_CAP])
{
    if (peer->uid != 0) /* besides the mode of the socket, which an administrator may change */
        snprintf(why, REASON_CAP, NOT_ROOT);
    else if (i->n_gate >= IPC_GATE_CONNECTIONS)
        snprintf(why, REASON_CAP, TOO_MANY, IPC_GATE_CONNECTIONS);
    else
        return true;
    return false;
}

static bool control_admits(struct ipc *i, const struct peer *peer, int fd,
                           char why[static REASON_CAP])
{
    const struct seat *seat = seat_of(&i->control_seats, peer->account);

    if (seat && seat->n >= IPC_CONTROL_PER_PERSON)
        snprintf(why, REASON_CAP, TOO_MANY_OF_YOURS, IPC_CONTROL_PER_PERSON);
    else if (i->n_control >= IPC_CONTROL_CONNECTIONS + (peer->uid == 0 ? IPC_CONTROL_FOR_ROOT : 0))
        snprintf(why, REASON_CAP, TOO_MANY, IPC_CONTROL_CONNECTIONS);
    else if (ipc_is_gates_share(fd))
        snprintf(why, REASON_CAP, FEW_DESCRIPTORS);
    else
        return true;
    return false;
}

/* Beside the mode of the socket, too. */
static bool courier_admits(struct ipc *i, const struct peer *peer, char why[static REASON_CAP])
{
    if (!i->handlers.courier || !i->handlers.courier(i->ctx, peer->uid))
        snprintf(why, REASON_CAP, NOT_COURIER);
    else if (i->n_courier >= IPC_COURIER_CONNECTIONS)
        snprintf(why, REASON_CAP, TOO_MANY, IPC_COURIER_CONNECTIONS);
    else
        return true;
    return false;
}

static bool admits(struct listener *l, const struct peer *peer, int fd, char why[static REASON_CAP])
{
    switch (l->which) {
    case IPC_GATE:
        return gate_admits(l->ipc, peer, why);
    case IPC_COURIER:
        return courier_admits(l->ipc, peer, why);
    case IPC_CONTROL:
        break;
    }
    return control_admits(l->ipc, peer, fd, why);
}

/* ---- accepting ------------------------------------------------------------------------------- */

static struct conn *conn_new(struct listener *l, int fd, const struct peer *peer)
{
    struct conn *c = calloc(1, sizeof *c);

    if (!c)
        return NULL;
    c->ipc = l->ipc;
    c->socket = (uint8_t)l->which;
    c->fd = fd;
    c->pidfd = PIDFD_NOT_YET;
    c->file = -1;
    c->peer = *peer;
    ipc_remember(c);
    return c;
}

/* The new connection, or NULL and why not. */
static struct conn *admit(struct listener *l, int fd, char why[static REASON_CAP])
{
    struct peer peer;
    struct conn *c;

    if (peer_read(fd, &peer) < 0) {
        snprintf(why, REASON_CAP, NO_PEER);
        return NULL;
    }
    peer.account = peer.uid;
    if (l->which == IPC_CONTROL && l->ipc->handlers.account)
        peer.account = l->ipc->handlers.account(l->ipc->ctx, peer.uid, peer.pid);
    if (!admits(l, &peer, fd, why))
        return NULL;
    c = conn_new(l, fd, &peer);
    if (!c)
        snprintf(why, REASON_CAP, FEW_MEMORY);
    return c;
}

static void welcome(struct listener *l, int fd)
{
    char why[REASON_CAP];
    struct conn *c = admit(l, fd, why);

    if (c) {
        conn_start(c);
        return;
    }
    socket_refuse(fd, why);
    socket_close(fd);
}

/* Whoever waits in the queue would wake us again at once, and as vainly. They are better off
 * waiting a moment than being refused: connections end all the time. */
static void listener_rest(struct listener *l)
{
    (void)sd_event_source_set_enabled(l->source, SD_EVENT_OFF);
    (void)sd_event_source_set_time_relative(l->rested, IPC_REST_US);
    (void)sd_event_source_set_enabled(l->rested, SD_EVENT_ONESHOT);
}

static int on_rested(sd_event_source *s, uint64_t us, void *userdata)
{
    struct listener *l = userdata;

    (void)s;
    (void)us;
    return sd_event_source_set_enabled(l->source, SD_EVENT_ON);
}

/* A handler may stop us: then there is no descriptor any more. */
static int on_connection(sd_event_source *s, int listening, uint32_t events, void *userdata)
{
    struct listener *l = userdata;
    int burst = l->which == IPC_GATE ? GATE_BURST : CONTROL_BURST;

    (void)s;
    (void)listening;
    (void)events;
    for (int n = 0; n < burst && l->fd >= 0; n++) {
        int fd = accept4(l->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

        if (fd >= 0) {
            welcome(l, fd);
            continue;
        }
        if (errno == EAGAIN)
            return 0;
        if (errno == ECONNABORTED || errno == EINTR)
            continue;
        listener_rest(l); /* EMFILE, ENFILE, ENOBUFS, ENOMEM */
        return 0;
    }
    return 0;
}

/* ---- life ------------------------------------------------------------------------------------ */

static int listener_open(struct listener *l, int64_t priority)
{
    sd_event *loop = l->ipc->loop;
    int r;

    /* The timer first: when descriptors run out, there is none for a timer either. */
    r = sd_event_add_time_relative(loop, &l->rested, CLOCK_MONOTONIC, 0, 1, on_rested, l);
    if (r < 0)
        return r;
    r = sd_event_source_set_enabled(l->rested, SD_EVENT_OFF);
    if (r < 0)
        return r;
    r = sd_event_source_set_priority(l->rested, priority);
    if (r < 0)
        return r;
    r = sd_event_add_io(loop, &l->source, l->fd, EPOLLIN, on_connection, l);
    if (r < 0)
        return r;
    return sd_event_source_set_priority(l->source, priority);
}

static void listener_forget(struct listener *l)
{
    l->source = sd_event_source_disable_unref(l->source);
    l->rested = sd_event_source_disable_unref(l->rested);
    l->fd = -1;
}

int ipc_listen(struct ipc *i, enum ipc_socket which, int fd)
{
    struct listener *l = which == IPC_GATE      ? &i->gate
                         : which == IPC_CONTROL ? &i->control
                                                : &i->courier;
    int r;

    if (l->fd >= 0 || i->stopping)
        return -EBUSY;
    r = socket_adopt(fd);
    if (r < 0)
        return r;
    l->fd = fd;
    r = listener_open(l,
                      which == IPC_GATE ? SD_EVENT_PRIORITY_IMPORTANT : SD_EVENT_PRIORITY_NORMAL);
    if (r < 0)
        listener_forget(l);
    return r;
}

int ipc_new(sd_event *loop, const struct ipc_handlers *handlers, void *ctx, struct ipc **ret)
{
    struct ipc *i = calloc(1, sizeof *i);
    int r;

    if (!i)
        return -ENOMEM;
    i->loop = sd_event_ref(loop);
    i->handlers = *handlers;
    i->ctx = ctx;
    i->gate = (struct listener){.ipc = i, .which = IPC_GATE, .fd = -1};
    i->control = (struct listener){.ipc = i, .which = IPC_CONTROL, .fd = -1};
    i->courier = (struct listener){.ipc = i, .which = IPC_COURIER, .fd = -1};
    r = hurry_open();
    if (r == 0)
        r = lanes_open(i);
    if (r < 0) {
        ipc_free(i);
        return r;
    }
    *ret = i;
    return 0;
}

static void listener_close(struct listener *l)
{
    int fd = l->fd;

    listener_forget(l);
    if (fd >= 0)
        socket_close(fd); /* with all who are in the queue */
}

/* Who is connected and has not asked, or not again, may be about to: their ask cannot go back into
 * the queue, from which the next server would take it. */
void ipc_stop(struct ipc *i)
{
    i->stopping = true;
    listener_close(&i->gate);
    listener_close(&i->control);
    listener_close(&i->courier);
    for (struct conn *c = i->conns; c; c = c->next)
        if (c->phase == CONN_IDLE)
            lane_join(c, LANE_STOP);
}

struct ipc *ipc_free(struct ipc *i)
{
    if (!i)
        return NULL;
    ipc_stop(i);
    while (i->conns)
        conn_drop(i->conns);
    lanes_close(i);
    sd_event_unref(i->loop);
    free(i);
    return NULL;
}
