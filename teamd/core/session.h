/* The life of a session as a total table: a live sudo, su, ssh or console session under a grant. */
#pragma once

#include "core/request.h"

enum session_state {
    SESSION_OPENING = 1, /* recorded; its leader is on the way into its container */
    SESSION_LIVE = 2,
    SESSION_CLOSING = 3,     /* the host said that it closes; something of it is still there */
    SESSION_TERMINATING = 4, /* its elevation is over; its leader was told, and has the grace */
    SESSION_KILLING = 5,     /* the grace is over too */
    SESSION_STUCK = 6,       /* killed again and again, and still there: somebody has to look */
    /* final: */
    SESSION_ENDED = 7,
    SESSION_LOST = 8, /* the host was restarted under it, or it was gone when teamd came back */
    SESSION_STATES = 9,
};

enum session_event {
    SESSION_ON_CONFIRM = 0,     /* its leader is in the container */
    SESSION_ON_CLOSE = 1,       /* pam_close_session: a hint */
    SESSION_ON_ACCESS_LOST = 2, /* no elevation covers it any more, or it was never confirmed */
    SESSION_ON_ACCESS_BACK = 3, /* another one does again */
    SESSION_ON_GRACE_OVER = 4,
    SESSION_ON_STILL_THERE = 5, /* it has been killed often enough */
    SESSION_ON_GONE = 6,        /* leader gone and container empty */
    SESSION_ON_NOT_FOUND = 7,   /* after a restart of teamd or of the host */
    SESSION_EVENTS = 8,
};

/* How it came to its end. */
enum session_end {
    SESSION_END_NONE = 0,       /* it has not; or an older release wrote it */
    SESSION_END_EXITED = 1,     /* of itself */
    SESSION_END_TERMINATED = 2, /* told to, because its elevation had ended */
    SESSION_END_KILLED = 3,
    SESSION_END_LOST = 4, /* see SESSION_LOST */
    SESSION_ENDS = 5,
};

/* Who opened a session and does not confirm it in this time does not have one. */
enum { SESSION_CONFIRM_WITHIN_S = 10 };

struct move session_move(enum session_state from, enum session_event what);
const char *session_state_text(enum session_state s);
const char *session_event_text(enum session_event e);
bool session_state_final(enum session_state s);
const char *session_end_text(enum session_end e); /* "" for none */

enum { TTY_CAP = 64, RHOST_CAP = 256, COMMAND_CAP = 512, SCOPE_CAP = 128 };

/* A process, so that it cannot be taken for a later one with the same number: pid, start time in
 * clock ticks since boot (proc_pid_stat(5), field 22). The boot it belongs to is known where it is
 * stored. */
struct leader {
    uint32_t pid;
    uint64_t start_ticks;
};

struct session {
    uint64_t number;   /* ascending, never reused */
    struct id request; /* the elevation it is under; 0 for root and exempt people */
    uint32_t uid;      /* the person */
    struct name user;
    uint8_t class;
    uint8_t state;
    char service[WORD_CAP];
    struct name target_user;
    char tty[TTY_CAP];
    char rhost[RHOST_CAP];
    struct leader leader;
    uint32_t loginuid;
    uint32_t audit_session; /* as auditd(8) counts logins; NOBODY: none */
    uint64_t parent;        /* the session in whose container it was opened; 0: none */
    bool contained;         /* in a cgroup; else only its leader and their children are known */
    bool escaped;           /* something of it was seen outside the container */
    uint8_t end;            /* enum session_end */
    /* The command line of sudo and su as the process shows it, which is what its caller wrote:
     * plain text, "…" where it was cut. "": not one of these. */
    char command[COMMAND_CAP];
    /* The scope that the host has made for this login and nothing else, which is its container
     * then: the path as /proc/PID/cgroup writes it, and the number of the directory, which no later
     * one of the same name has. "": a container of ours, or none. */
    char scope[SCOPE_CAP];
    uint64_t scope_number;
    struct wall started_at;
    struct wall ended_at;
    /* Not stored: after a restart what was due is due at once. */
    struct deadline due; /* confirmation, end of the grace, next kill */
    uint8_t kills;
    struct wall warned; /* the moment of the last warning */
};
