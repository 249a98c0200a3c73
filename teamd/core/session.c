#include "core/session.h"

#include <assert.h>

/* clang-format off */

#define GO(state) {.kind = MOVE_GO, .to = SESSION_##state}
#define __        {.kind = MOVE_IGNORED}
#define XX        {.kind = MOVE_IMPOSSIBLE}

/* Only that nothing of it is left ends a session: what the host says about closing is a hint. Once the
 * killing has begun there is no way back. */
static const struct move MOVES[SESSION_STATES][SESSION_EVENTS] = {
    /*                       confirm   close        access lost      access back  grace over       still there  gone       not found */
    [0]                   = { XX,       XX,          XX,              XX,          XX,              XX,          XX,        XX       },
    [SESSION_OPENING]     = { GO(LIVE), __,          GO(TERMINATING), __,          GO(TERMINATING), __,          GO(ENDED), GO(LOST) },
    [SESSION_LIVE]        = { __,       GO(CLOSING), GO(TERMINATING), __,          __,              __,          GO(ENDED), GO(LOST) },
    [SESSION_CLOSING]     = { __,       __,          GO(TERMINATING), __,          __,              __,          GO(ENDED), GO(LOST) },
    [SESSION_TERMINATING] = { __,       __,          __,              GO(LIVE),    GO(KILLING),     __,          GO(ENDED), GO(LOST) },
    [SESSION_KILLING]     = { __,       __,          __,              __,          __,              GO(STUCK),   GO(ENDED), GO(LOST) },
    [SESSION_STUCK]       = { __,       __,          __,              __,          __,              __,          GO(ENDED), GO(LOST) },
    [SESSION_ENDED]       = { __,       __,          __,              __,          __,              __,          __,        __       },
    [SESSION_LOST]        = { __,       __,          __,              __,          __,              __,          __,        __       },
};

static_assert(sizeof MOVES / sizeof MOVES[0] == SESSION_STATES, "a row for every state");

static const char *const STATE_TEXT[SESSION_STATES] = {
    "none", "opening", "live", "closing", "terminating", "killing", "stuck", "ended", "lost",
};

static const char *const EVENT_TEXT[SESSION_EVENTS] = {
    "confirm", "close", "access lost", "access back", "grace over", "still there", "gone", "not found",
};

static const char *const END_TEXT[SESSION_ENDS] = {"", "exited", "terminated", "killed", "lost"};

/* clang-format on */

struct move session_move(enum session_state from, enum session_event what)
{
    return MOVES[from][what];
}

const char *session_state_text(enum session_state s)
{
    return STATE_TEXT[s];
}

const char *session_event_text(enum session_event e)
{
    return EVENT_TEXT[e];
}

bool session_state_final(enum session_state s)
{
    return s >= SESSION_ENDED;
}

const char *session_end_text(enum session_end e)
{
    return END_TEXT[e];
}
