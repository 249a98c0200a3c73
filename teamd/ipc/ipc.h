/* The sockets: three listening descriptors with three trust levels, connections, packets. It knows
 * messages (team/wire.h) and nothing of what they mean to teamd. Loop rules as in host.h; callbacks
 * may answer or close the connection they are called for.
 *
 * gate.sock has priority over control.sock and a share of the descriptors that control.sock cannot
 * take: the last quarter of RLIMIT_NOFILE, at most 256. A connection needs two descriptors. When
 * none is left, connections wait in the queue until there is one again.
 *
 * Memory: about 350 bytes for a connection, and its ask (4 KiB gate, 8 KiB control at most) or, if
 * the peer is slow, its answer (4 KiB, 64 KiB) while there is one: 5 MiB for all of gate.sock and
 * 33 MiB for all of control.sock at the very worst. */
#pragma once

#include <team/wire.h>

#include "core/engine.h"
#include "core/record.h"

#include <systemd/sd-event.h>

enum ipc_socket { IPC_GATE = 1, IPC_CONTROL = 2, IPC_COURIER = 3 };

/* What one person and all together may hold. Over it: the connection gets one ANSWER (code
 * TEAM_FAILED, op 0 because no ask was read) that says so, and is closed. So is one that says what
 * cannot be understood, or comes to gate.sock without being root. */
enum {
    IPC_GATE_CONNECTIONS = 1024,
    IPC_CONTROL_CONNECTIONS = 512,
    IPC_CONTROL_FOR_ROOT = 32,   /* beyond these, so that nobody can keep root out */
    IPC_CONTROL_PER_PERSON = 64, /* uid 0 too */
    /* Connections to gate.sock on which somebody waits for a request. They count here and not among
     * the gate's. */
    IPC_WAITERS = 1024,
    IPC_WAITERS_PER_PERSON = 32,
    IPC_COURIER_CONNECTIONS = 8, /* they may be silent for ever */
    /* A gate connection without a whole ask; control gets ten times as long. */
    IPC_IDLE_US = 5 * 1000 * 1000,
};

struct ipc;
struct conn;

struct ipc_handlers {
    /* A whole, well-formed ask of this version. It and what it points to live until the answer is
     * given or `gone` is called. No further ask is read from the connection before that. */
    void (*ask)(void *ctx, struct conn *c, const struct wire_msg *msg);
    /* There is room again after conn_rows() returned -EAGAIN. Never called from inside it. */
    void (*room)(void *ctx, struct conn *c);
    /* The peer went away while its ask was open, did not take its rows for a minute, or ipc_free()
     * was called. `c` is not valid after this. Never called from inside the functions below. */
    void (*gone)(void *ctx, struct conn *c);
    /* Whom a connection to control.sock counts for, by the peer's uid and pid; NULL: the uid. One
     * person may have many uids (subuid(5)), but logged in once. */
    uint32_t (*account)(void *ctx, uint32_t uid, uint32_t pid);
    /* Is this uid that of team-courier? NULL: nobody's is. */
    bool (*courier)(void *ctx, uint32_t uid);
    /* May this person send a descriptor? Closing one may take for ever, if it is of a file system
     * of theirs, so few may. NULL: nobody. */
    bool (*trusts)(void *ctx, uint32_t uid);
};

int ipc_new(sd_event *loop, const struct ipc_handlers *handlers, void *ctx, struct ipc **ret);

/* Closes everything; asks that are still open are `gone`. Not from inside a handler. Returns NULL.
 */
struct ipc *ipc_free(struct ipc *i);

/* Makes a listening socket at `path` with this mode; the directory must be there. A socket of a
 * dead teamd is replaced; a living one is -EADDRINUSE, anything else at `path` -EEXIST. */
int ipc_socket_make(const char *path, unsigned mode, int *ret_fd);

/* Takes over a listening socket, made here or inherited; it is owned if this returns 0. One for
 * each of the three: -EBUSY. Not a listening SOCK_SEQPACKET socket: -EINVAL. */
int ipc_listen(struct ipc *i, enum ipc_socket which, int fd);

/* Stops accepting. Asks in flight go on, and so do those that come within 0.2 s on connections that
 * are open; connections are closed with the answer, and those without an ask after that time. */
void ipc_stop(struct ipc *i);

/* Does somebody want to ask the gate who is not let in yet? */
bool ipc_gate_waits(const struct ipc *i);

/* How many there are, but for the courier's, which stay. After ipc_stop() 0 means that every answer
 * is on its way. */
unsigned ipc_connections(const struct ipc *i);

/* ---- a connection ---------------------------------------------------------------------------- */

enum ipc_socket conn_socket(const struct conn *c);
uint32_t conn_uid(const struct conn *c); /* SO_PEERCRED: effective uid at connect() */
uint32_t conn_pid(const struct conn *c);

/* SO_PEERPIDFD: the exact process; borrowed. An ask of the gate that came at once costs none until
 * this is called; call it before waiting for anything. -EMFILE, -ENFILE: none is left. -E...: the
 * process is gone. */
int conn_pidfd(struct conn *c);
int conn_take_pidfd(struct conn *c); /* the same, yours to close; then conn_pidfd() is -EBADF */

/* The descriptor that came with an ask TEAM_OP_BACKUP, yours to close; -1 if none did. Beside such
 * an ask, and but for one, descriptors are closed as they come. */
int conn_take_file(struct conn *c);

/* The caller's own state of the open ask: NULL at first, never touched here. */
void conn_set_data(struct conn *c, void *data);
void *conn_data(const struct conn *c);

/* Sends rows. 0, or -EAGAIN: not sent, `room` will be called; anything else: the peer is gone, and
 * `gone` will be called. */
int conn_rows(struct conn *c, const char *packet, size_t len);

/* The last message for the open ask; the connection then reads the next ask (control) or is closed
 * (gate). A packet that cannot be sent at once is kept and sent when it can, or dropped with the
 * connection after 10 s. `len` 0 closes the connection without an answer. */
void conn_answer(struct conn *c, const char *packet, size_t len);

/* While an ask waits for something outside (TEAM_OP_WAIT), the idle time does not run. Asks that
 * are open never time out here: their handler answers them. */

/* The ask waits for a request of this person: its connection gives its place at the gate back,
 * takes one of the waiters, and is dropped after a good hour, which is longer than pam_team waits.
 * Its pidfd is closed. -EDQUOT: this person has too many; -EUSERS: there are too many in all. */
int conn_wait(struct conn *c, uint32_t person);

/* The op of the ask that is open, or was the last one. */
unsigned conn_op(const struct conn *c);

/* ---- rows: values of the core as fields -------------------------------------------------------
 */

struct row_context {
    const struct world *world;       /* to say who is waited for, and what AWS keeps waiting */
    const char *portal, *sso_region; /* where AWS is used; NULL or "": nobody knows */
    struct wall now;                 /* to say whether credentials may live yet */
};

/* Each writes the fields of one ROW (without the ROW group itself). Text that is not plain is made
 * so. */
void row_request(struct wire_out *w, const struct row_context *c, const struct record *r);
void row_session(struct wire_out *w, const struct session *s);
void row_event(struct wire_out *w, const struct trail_event *e);
void row_status(struct wire_out *w, const char *name, const char *value);

/* One more field of a row. */
void row_text(struct wire_out *w, enum team_tag tag, const char *s);

/* Without whose it is. */
void row_activity(struct wire_out *w, const struct activity *a, bool with_raw);
void row_gap(struct wire_out *w, const struct gap *g);
void row_collected(struct wire_out *w, const struct collection *c, const char *text);
