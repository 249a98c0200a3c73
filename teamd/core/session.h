/* The life of a session as a total table: a live sudo, su, ssh or console session under a grant. */
#pragma once

#include "core/request.h"

enum session_state {
    SESSION_LIVE = 1,
    SESSION_CLOSING = 2, /* the host said that it closes; its leader is still there */
    SESSION_OVERDUE = 3, /* its elevation is over and it is still there */
    /* final: */
    SESSION_ENDED = 4,
    SESSION_LOST =
        5, /* the host was restarted under it, or its leader was gone when teamd came back */
    SESSION_STATES = 6,
};

enum session_event {
    SESSION_ON_CLOSE = 0,       /* pam_close_session: a hint */
    SESSION_ON_ACCESS_LOST = 1, /* no elevation covers it any more */
    SESSION_ON_ACCESS_BACK = 2, /* another one does again */
    SESSION_ON_LEADER_GONE = 3,
    SESSION_ON_NOT_FOUND = 4, /* after a restart of teamd or of the host */
    SESSION_EVENTS = 5,
};

struct move session_move(enum session_state from, enum session_event what);
const char *session_state_text(enum session_state s);
const char *session_event_text(enum session_event e);
bool session_state_final(enum session_state s);

enum { TTY_CAP = 64, RHOST_CAP = 256 };

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
    struct wall started_at;
    struct wall ended_at;
};
