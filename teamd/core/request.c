#include "core/request.h"

#include <assert.h>

/* clang-format off */

#define GO(state)      {.kind = MOVE_GO, .to = REQ_##state}
#define END(as)        {.kind = MOVE_GO, .to = REQ_ENDING, .end_as = REQ_##as}
#define FINISH         {.kind = MOVE_FINISH}
#define NO             {.kind = MOVE_REFUSED}
#define __             {.kind = MOVE_IGNORED}
#define XX             {.kind = MOVE_IMPOSSIBLE}

/* Read it beside DESIGN.md 4. A person's act in the wrong state is refused; a timer's or a directory's echo is
 * ignored; what our own order of doing things excludes is impossible. */
static const struct move MOVES[REQ_STATES][REQ_EVENTS] = {
    /*                   quorum         reject        cancel         expiry       lapse          start           all open    grant failed  revoke        window end  all closed */
    [0]              = { XX,            XX,           XX,            XX,          XX,            XX,             XX,         XX,           XX,           XX,         XX     },
    [REQ_PENDING]    = { GO(SCHEDULED), GO(REJECTED), GO(CANCELLED), GO(EXPIRED), GO(CANCELLED), XX,             XX,         XX,           NO,           XX,         XX     },
    [REQ_SCHEDULED]  = { NO,            NO,           GO(CANCELLED), __,          GO(CANCELLED), GO(ACTIVATING), XX,         XX,           GO(REVOKED),  XX,         XX     },
    [REQ_ACTIVATING] = { NO,            NO,           NO,            __,          END(REVOKED),  __,             GO(ACTIVE), END(FAILED),  END(REVOKED), END(FAILED),XX     },
    [REQ_ACTIVE]     = { NO,            NO,           NO,            __,          END(REVOKED),  __,             __,         XX,           END(REVOKED), END(ENDED), XX     },
    [REQ_ENDING]     = { NO,            NO,           NO,            __,          __,            __,             __,         __,           NO,           __,         FINISH },
    [REQ_ENDED]      = { NO,            NO,           NO,            __,          __,            __,             __,         __,           NO,           __,         __     },
    [REQ_REVOKED]    = { NO,            NO,           NO,            __,          __,            __,             __,         __,           NO,           __,         __     },
    [REQ_REJECTED]   = { NO,            NO,           NO,            __,          __,            __,             __,         __,           NO,           __,         __     },
    [REQ_CANCELLED]  = { NO,            NO,           NO,            __,          __,            __,             __,         __,           NO,           __,         __     },
    [REQ_EXPIRED]    = { NO,            NO,           NO,            __,          __,            __,             __,         __,           NO,           __,         __     },
    [REQ_FAILED]     = { NO,            NO,           NO,            __,          __,            __,             __,         __,           NO,           __,         __     },
};

static_assert(sizeof MOVES / sizeof MOVES[0] == REQ_STATES, "a row for every state");

static const char *const STATE_TEXT[REQ_STATES] = {
    "none", "pending", "scheduled", "activating", "active", "ending",
    "ended", "revoked", "rejected", "cancelled", "expired", "failed",
};

static const char *const EVENT_TEXT[REQ_EVENTS] = {
    "quorum", "reject", "cancel", "expiry", "lapse", "start",
    "all open", "grant failed", "revoke", "window end", "all closed",
};

#undef GO
#define GO(state) {.kind = MOVE_GO, .to = GRANT_##state}

static const struct move GRANT_MOVES[GRANT_STATES][GRANT_EVENTS] = {
    /*                  ask          granted   failure     end          gone */
    [0]             = { XX,          XX,       XX,         XX,          XX         },
    [GRANT_WAITING] = { GO(OPENING), XX,       XX,         GO(CLOSED),  __         },
    [GRANT_OPENING] = { __,          GO(OPEN), GO(FAILED), GO(CLOSING), __         },
    [GRANT_OPEN]    = { __,          __,       __,         GO(CLOSING), __         },
    [GRANT_CLOSING] = { __,          __,       __,         __,          GO(CLOSED) },
    [GRANT_CLOSED]  = { __,          __,       __,         __,          __         },
    [GRANT_FAILED]  = { __,          __,       __,         __,          __         },
};

static_assert(sizeof GRANT_MOVES / sizeof GRANT_MOVES[0] == GRANT_STATES, "a row for every state");

static const char *const GRANT_STATE_TEXT[GRANT_STATES] = {
    "none", "waiting", "opening", "open", "closing", "closed", "failed",
};

static const char *const GRANT_EVENT_TEXT[GRANT_EVENTS] = {
    "ask", "granted", "failure", "end", "gone",
};

/* clang-format on */

struct move request_move(enum request_state from, enum request_event what)
{
    return MOVES[from][what];
}

const char *request_state_text(enum request_state s)
{
    return STATE_TEXT[s];
}

const char *request_event_text(enum request_event e)
{
    return EVENT_TEXT[e];
}

bool request_state_final(enum request_state s)
{
    return s >= REQ_ENDED;
}

struct move grant_move(enum grant_state from, enum grant_event what)
{
    return GRANT_MOVES[from][what];
}

const char *grant_state_text(enum grant_state s)
{
    return GRANT_STATE_TEXT[s];
}

const char *grant_event_text(enum grant_event e)
{
    return GRANT_EVENT_TEXT[e];
}

const char *set_id(const char *arn)
{
    const char *id = arn;

    for (const char *c = arn; *c; c++)
        if (*c == '/')
            id = c + 1;
    return strlen(id) < SET_ID_CAP ? id : id + strlen(id) - (SET_ID_CAP - 1);
}

struct wall grant_credentials_until(const struct grant *g, struct wall now)
{
    struct wall fresh = {now.us + g->session_s * SECOND_US};

    if (g->state == GRANT_CLOSING && g->credentials_until.us > 0 &&
        g->credentials_until.us < fresh.us)
        return fresh;
    return g->credentials_until;
}

struct wall request_usable_from(const struct request *r)
{
    return r->asked_aws.us > 0 ? r->asked_aws
                               : r->active_from; /* an earlier version did not note it */
}

struct wall request_credentials_until(const struct request *r, struct wall now)
{
    struct wall last = {0};

    for (size_t i = 0; i < r->n_targets; i++) {
        struct wall until = grant_credentials_until(&r->grants[i], now);

        if (until.us > last.us)
            last = until;
    }
    return last;
}
