/* One account assignment of Identity Center that elevations want or wanted: a row of the outbox.
 * All grants of the same person, account and permission set share one, so the last of them to end
 * is the one that removes it. Its life is a total table; what is said by the courier is an event.
 */
#pragma once

#include "core/directory.h"
#include "core/request.h"

enum errand_state {
    ERRAND_LOOKING = 1,  /* is it there already? */
    ERRAND_MAKING = 2,   /* it was not: it is ours, and may be there from now on */
    ERRAND_FOUND = 3,    /* it was there before: it is used, and never removed */
    ERRAND_THERE = 4,    /* made by us */
    ERRAND_REMOVING = 5, /* until it is gone, however long that takes */
    ERRAND_FAILED = 6,   /* cannot be had, and nothing of it is there */
    /* final: */
    ERRAND_OVER = 7,
    ERRAND_STATES = 8,
};

enum errand_event {
    ERRAND_ON_FOUND = 0,    /* AWS has it */
    ERRAND_ON_ABSENT = 1,   /* AWS does not have it */
    ERRAND_ON_MADE = 2,     /* AWS said SUCCEEDED */
    ERRAND_ON_FAILURE = 3,  /* trying again would not help */
    ERRAND_ON_GONE = 4,     /* AWS does not have it any more */
    ERRAND_ON_UNWANTED = 5, /* no elevation wants it */
    ERRAND_EVENTS = 6,
};

struct move errand_move(enum errand_state from, enum errand_event what);
const char *errand_state_text(enum errand_state s);
const char *errand_event_text(enum errand_event e);

/* What the courier is to do in this state. */
enum errand_step {
    STEP_NONE = 0,
    STEP_LOOK = 1,
    STEP_MAKE = 2,
    STEP_REMOVE = 3,
    STEP_CHECK = 4, /* is it still there? Only when things are reconciled */
};
enum errand_step errand_step(enum errand_state s);

enum { TROUBLE_CAP = 160 };

struct errand {
    uint64_t number; /* ascending, never reused */
    uint32_t round;  /* of the question that the courier has: an answer to another one is late */
    uint8_t state;
    uint32_t uid;      /* the person, */
    struct id request; /* and the request it was made for */
    char account[ACCOUNT_CAP];
    char set[SET_ARN_CAP];
    char set_name[WORD_CAP + 1];
    char user[PRINCIPAL_CAP];
    struct wall since;         /* in this state */
    char trouble[TROUBLE_CAP]; /* why it takes so long, or why it cannot be had; "" if nothing is
                                  known */
};
