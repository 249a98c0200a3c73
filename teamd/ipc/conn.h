/* Inside of ipc/ only: what socket.c, lane.c, conn.c and server.c know of each other.
 *
 * Lifetime of a connection: conn_close() gives everything back at once but the struct itself, which
 * lives on while one of our own callbacks is on the stack (`busy`). */
#pragma once

#include "ipc/ipc.h"

#include <assert.h>
#include <limits.h>

/* ---- socket.c: what does not need the loop --------------------------------------------------- */

struct peer {
    uint32_t uid, pid;
    uint32_t account; /* whom the connection counts for */
};

int peer_read(int fd, struct peer *ret);

/* The exact process that connected; the fd is the caller's. An error means that nothing may be
 * believed about it. */
int peer_pidfd(int fd, const struct peer *peer);

#define PIDFD_NOT_YET   INT_MIN
#define NO_PEER         "cannot tell which process is asking"
#define FEW_DESCRIPTORS "teamd has too few descriptors left; try again later"

/* Is it a listening AF_UNIX SOCK_SEQPACKET socket? Then it is made non-blocking and closed on exec.
 */
int socket_adopt(int fd);

/* One ANSWER (TEAM_FAILED, op 0: no ask was understood) that the peer can read although we close.
 */
void socket_refuse(int fd, const char *text);

/* A peer can send descriptors, wanted or not, and the kernel closes the last one of a thing in the
 * time of whoever receives the packet or closes the socket that it waits in. For a TCP socket with
 * SO_LINGER that can take as long as its owner likes, unless a signal comes; so one comes, 2 ms
 * after hurry() and again, until hurried(). What is in between may fail with EINTR. */
int hurry_open(void);
void hurry(void);
void hurried(void);

/* close(2) in a hurry. */
void socket_close(int fd);

/* ---- lane.c: how long a connection is waited for --------------------------------------------- */

/* Everybody in a lane waits equally long, so whoever came first is due first: a list, and one timer
 * for all lanes. */
enum lane_kind {
    LANE_NONE = 0,
    LANE_GATE_IDLE = 1,
    LANE_CONTROL_IDLE = 2,
    LANE_ANSWER = 3, /* the peer does not take its answer */
    LANE_ROWS = 4,   /* the peer does not take its rows */
    LANE_LOST = 5,   /* cannot be sent to any more; the loop says so at once */
    LANE_STOP = 6,   /* does not ask while the server stops */
    LANE_WAITER = 7, /* waits for a request for longer than anybody would */
    LANES = 8,
};

struct lane {
    struct conn *first, *last;
};

int lanes_open(struct ipc *i);
void lanes_close(struct ipc *i);
void lane_join(struct conn *c, enum lane_kind kind); /* leaves the lane that it is in */
void lane_leave(struct conn *c);

/* ---- conn.c ---------------------------------------------------------------------------------- */

enum phase {
    CONN_IDLE = 0,     /* no ask, or not yet */
    CONN_ASKED = 1,    /* the handler owes an answer */
    CONN_ANSWERED = 2, /* the answer is kept until there is room for it */
    CONN_DEAD = 3,     /* everything is given back but the struct */
};

struct conn {
    struct ipc *ipc;
    struct conn *prev, *next; /* all connections of the ipc */
    struct conn *lane_prev, *lane_next;
    uint64_t deadline_us;    /* CLOCK_MONOTONIC, in a lane */
    sd_event_source *source; /* NULL during the first read: most gate asks never need one */
    int fd, pidfd;           /* or PIDFD_NOT_YET, or -errno */
    int file;                /* that came with the ask; -1: none */
    struct peer peer;
    uint8_t socket; /* enum ipc_socket */
    uint8_t lane;   /* enum lane_kind */
    uint8_t phase;  /* enum phase */
    bool busy;
    bool waits;      /* counts among the waiters, for `peer.account` */
    bool deaf;       /* something came that must wait: EPOLLIN is off */
    bool wants_room; /* rows were refused with -EAGAIN */
    char *packet;    /* CONN_ASKED: the ask; CONN_ANSWERED: the answer */
    size_t packet_len;
    struct wire_msg msg;
    void *data;
};

/* Takes the connection into the loop; reads at once, because the ask is often there already. */
void conn_start(struct conn *c);
void conn_close(struct conn *c);

/* Ends it from outside; `gone` is called if it owes an answer. */
void conn_drop(struct conn *c);

/* ---- server.c -------------------------------------------------------------------------------- */

struct listener {
    struct ipc *ipc;
    enum ipc_socket which;
    int fd;
    sd_event_source *source, *rested;
};

struct seat { /* the connections of one person */
    uint32_t uid;
    uint32_t n;
};

/* There are as many seats as connections, so a new person always finds one. */
struct seats {
    unsigned n;
    struct seat at[IPC_WAITERS];
};

static_assert(IPC_CONTROL_CONNECTIONS + IPC_CONTROL_FOR_ROOT <= IPC_WAITERS, "a seat for each");

struct ipc {
    sd_event *loop;
    struct ipc_handlers handlers;
    void *ctx;
    struct listener gate, control, courier;
    bool stopping;
    struct conn *conns;
    unsigned n_gate, n_control, n_courier, n_waiters;
    struct seats control_seats, waiter_seats;
    struct lane lanes[LANES];
    sd_event_source *timer;
    uint64_t timer_us; /* 0: off */
    char buffer[TEAM_PACKET_MAX];
};

/* Is this descriptor's number one of those that are kept for the gate? */
bool ipc_is_gates_share(int fd);

/* Takes it off the lists and counts of the ipc. */
void ipc_forget(struct conn *c);
