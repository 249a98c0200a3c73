#include "core/errand.h"

#include <assert.h>

/* clang-format off */

#define GO(state) {.kind = MOVE_GO, .to = ERRAND_##state}
#define __        {.kind = MOVE_IGNORED}
#define XX        {.kind = MOVE_IMPOSSIBLE}

/* What the courier says may be late, and is ignored then: an answer that does not fit the question
 * never gets here. */
static const struct move MOVES[ERRAND_STATES][ERRAND_EVENTS] = {
    /*                   found      absent      made       failure       gone      unwanted */
    [0]              = { XX,        XX,         XX,        XX,           XX,       XX           },
    [ERRAND_LOOKING] = { GO(FOUND), GO(MAKING), __,        GO(FAILED),   __,       GO(OVER)     },
    [ERRAND_MAKING]  = { __,        __,         GO(THERE), GO(REMOVING), __,       GO(REMOVING) },
    [ERRAND_FOUND]   = { __,        GO(MAKING), __,        __,           __,       GO(OVER)     },
    [ERRAND_THERE]   = { __,        GO(MAKING), __,        __,           __,       GO(REMOVING) },
    [ERRAND_REMOVING]= { __,        __,         __,        __,           GO(OVER), __           },
    [ERRAND_FAILED]  = { __,        __,         __,        __,           __,       GO(OVER)     },
    [ERRAND_OVER]    = { __,        __,         __,        __,           __,       __           },
};

static_assert(sizeof MOVES / sizeof MOVES[0] == ERRAND_STATES, "a row for every state");

static const char *const STATE_TEXT[ERRAND_STATES] = {
    "none", "looking", "making", "found", "there", "removing", "failed", "over",
};

static const char *const EVENT_TEXT[ERRAND_EVENTS] = {
    "found", "absent", "made", "failure", "gone", "unwanted",
};

static const uint8_t STEP[ERRAND_STATES] = {
    [ERRAND_LOOKING] = STEP_LOOK, [ERRAND_MAKING] = STEP_MAKE, [ERRAND_REMOVING] = STEP_REMOVE,
};

/* clang-format on */

struct move errand_move(enum errand_state from, enum errand_event what)
{
    return MOVES[from][what];
}

const char *errand_state_text(enum errand_state s)
{
    return STATE_TEXT[s];
}

const char *errand_event_text(enum errand_event e)
{
    return EVENT_TEXT[e];
}

enum errand_step errand_step(enum errand_state s)
{
    return (enum errand_step)STEP[s];
}
