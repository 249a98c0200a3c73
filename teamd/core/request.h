/* The life of a request and of its grants (DESIGN.md 4), as total tables. */
#pragma once

#include "core/directory.h"

enum request_state {
    REQ_PENDING = 1,
    REQ_SCHEDULED = 2,
    REQ_ACTIVATING = 3,
    REQ_ACTIVE = 4,
    REQ_ENDING = 5,
    /* final: */
    REQ_ENDED = 6,
    REQ_REVOKED = 7,
    REQ_REJECTED = 8,
    REQ_CANCELLED = 9,
    REQ_EXPIRED = 10,
    REQ_FAILED = 11,
    REQ_STATES = 12,
};

enum request_event {
    REQ_ON_QUORUM = 0, /* the approval that completes it, or none is needed */
    REQ_ON_REJECT = 1,
    REQ_ON_CANCEL = 2,       /* by the requester */
    REQ_ON_EXPIRY = 3,       /* nobody decided in time */
    REQ_ON_LAPSE = 4,        /* the requester is not eligible any more */
    REQ_ON_START = 5,        /* the start time is there */
    REQ_ON_ALL_OPEN = 6,     /* every grant is open */
    REQ_ON_GRANT_FAILED = 7, /* one grant cannot be had, or the window ended before all were open */
    REQ_ON_REVOKE = 8,
    REQ_ON_WINDOW_END = 9,
    REQ_ON_ALL_CLOSED = 10, /* every session gone, every grant closed */
    REQ_EVENTS = 11,
};

enum move_kind {
    MOVE_IMPOSSIBLE = 0, /* a bug of ours: denies, changes nothing, is reported */
    MOVE_IGNORED = 1,    /* a late echo: a timer that lost its race */
    MOVE_REFUSED = 2,    /* a person's mistake: exit 5 and the state it is in */
    MOVE_GO = 3,
    MOVE_FINISH = 4, /* to the end that was noted on the way into `ending` */
};

struct move {
    uint8_t kind;
    uint8_t to;     /* MOVE_GO */
    uint8_t end_as; /* MOVE_GO to REQ_ENDING: what the end will be called */
};

struct move request_move(enum request_state from, enum request_event what);
const char *request_state_text(enum request_state s);
const char *request_event_text(enum request_event e);
bool request_state_final(enum request_state s);

/* One target of an elevation. Host grants open and close at once; AWS grants take their time. */
enum grant_state {
    GRANT_WAITING = 1,
    GRANT_OPENING = 2,
    GRANT_OPEN = 3,
    GRANT_CLOSING = 4,
    GRANT_CLOSED = 5,
    GRANT_FAILED = 6,
    GRANT_STATES = 7,
};

enum grant_event {
    GRANT_ON_ASK = 0,     /* the window begins: it is wanted */
    GRANT_ON_GRANTED = 1, /* confirmed */
    GRANT_ON_FAILURE = 2, /* cannot be had */
    GRANT_ON_END = 3,     /* is not wanted any more */
    GRANT_ON_GONE = 4,    /* confirmed gone */
    GRANT_EVENTS = 5,
};

struct move grant_move(enum grant_state from, enum grant_event what);
const char *grant_state_text(enum grant_state s);
const char *grant_event_text(enum grant_event e);

enum { SET_ID_CAP = 24 }; /* ps-..., the last part of the ARN */

struct grant {
    struct target target;
    uint8_t state;
    /* AWS: as it was resolved when it was asked for, */
    char set[SET_ID_CAP];
    uint32_t session_s; /* how long credentials of the set live */
    /* and the assignment that it has; 0: none yet. */
    uint64_t errand;
    struct wall credentials_until; /* 0: nobody can have had any */
};

static inline bool grant_is_aws(const struct grant *g)
{
    return g->target.kind == TARGET_AWS;
}

/* Is it of AWS, and may somebody have got credentials by it? */
static inline bool grant_was_usable(const struct grant *g)
{
    return grant_is_aws(g) && g->credentials_until.us > 0;
}

/* The last part of a permission set's ARN. */
const char *set_id(const char *arn);

enum { DECISIONS_MAX = 100, FAILURE_CAP = 160 };

/* An approval of the question that is open now: the request itself, or its extension. */
struct approval {
    uint32_t uid;
    struct name name;
};

/* A wish to go on, at most one at a time, only while active. for_s == 0: none. */
struct extension {
    int64_t for_s;
    struct wall requested_at;
    struct deadline expires;
};

/* What is decided on. The words that people wrote (reason, comments) go past the core into the
 * store. */
struct request {
    struct id id;
    uint32_t requester;
    struct name requester_name;
    char aws_user[PRINCIPAL_CAP]; /* of the requester in Identity Center, when it was asked for */
    uint8_t state;
    uint8_t end_as; /* in REQ_ENDING: the final state to come */
    bool approval_required;
    uint8_t n_targets;
    struct grant grants[TARGETS_MAX];
    int64_t duration_s; /* granted extensions included, */
    int64_t extended_s; /* which are so much of it */
    struct wall requested_at;
    struct wall requested_start; /* 0: as soon as approved */
    struct wall asked_aws;       /* when AWS was asked for its grants; 0: never */
    struct wall active_from;     /* 0: never */
    struct wall active_until;
    struct wall ended_at;
    struct deadline due; /* what the state waits for by itself: expiry, start, end of the window */
    struct extension extension;
    uint8_t n_approvals;
    struct approval approvals[APPROVALS_MAX];
    uint16_t n_decisions; /* rows of decisions in the store, all questions together */
    struct name revoked_by;
    char failure[FAILURE_CAP];
    char host[HOST_CAP]; /* where it was asked */
};

/* Until when credentials of a grant may work, as far as it is known now: as long as AWS has the
 * assignment, new ones can be fetched. 0: none could be. */
struct wall grant_credentials_until(const struct grant *g, struct wall now);

/* Since when somebody may have got credentials: AWS lets people in before it says that it does. */
struct wall request_usable_from(const struct request *r);

/* The latest of its grants. */
struct wall request_credentials_until(const struct request *r, struct wall now);

/* Is access open under this request at this moment? The state alone is not enough: a late timer or
 * a full disk must not lengthen a window. */
static inline bool request_open(const struct request *r, struct now now)
{
    return r->state == REQ_ACTIVE && !deadline_passed(r->due, now);
}
