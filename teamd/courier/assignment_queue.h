/* The inside of assignment.h; private to courier/. Three files: the queues (assignment.c), what a
 * step asks of AWS (assignment_steps.c), what AWS's answers mean (assignment_words.c). */
#pragma once

#include "courier/assignment.h"
#include "courier/pages.h"

/* Steps that work at once are counted per lane; the lanes have their turn in this order. */
enum assignment_lane {
    LANE_REMOVE = 0,
    LANE_GRANT = 1, /* together with LANE_REMOVE at most ASSIGNMENTS_CHANGING */
    LANE_LOOK_UP = 2,
    LANE_LIST = 3,
    LANES = 4,
};

enum assignment_rest {
    OP_WAITS = 1,  /* for its turn: it stands in its lane */
    OP_WORKS = 2,  /* it has the turn of its pair: a call is under way, or AWS works */
    OP_PAUSES = 3, /* something went wrong; others may have the turn meanwhile */
};

struct assignment_op {
    struct assignments *all;
    struct pair *pair;
    struct assignment_op *prev, *next;    /* in the pair, by age */
    struct assignment_op *before, *after; /* in the lane, while it waits */
    enum assignment_step step;
    enum assignment_rest rest;
    enum assignment_why said; /* what `waits` was told last */
    struct assignment what;
    struct assignment_calls calls;
    bool dropped; /* cancelled, but somebody is still using it */
    bool counted; /* in its lane */
    bool held;    /* a call that changes something is on its way, or the caller is given rows */
    unsigned tries;
    sd_event_source *timer;

    /* of assignment_steps.c: */
    struct aws_call *call;
    struct pages *pages;
    bool found;                    /* LOOK_UP, and REMOVE's look: it is there */
    bool twice;                    /* a first look has found it (LOOK_UP), or nothing (REMOVE) */
    uint64_t since_us;             /* op_clock(): AWS has been working since then */
    char request[AWS_REQUEST_CAP]; /* AWS's number of that work */
    json_t *others;                /* REMOVE: numbers of the creations that AWS works on */
    size_t n_other;
    bool forgot;               /* one of them */
    char reason[AWS_TEXT_CAP]; /* REMOVE: why AWS failed to */
};

/* All steps of one account and permission set. */
struct pair {
    struct pair *next; /* in its bucket */
    char account[AWS_ACCOUNT_CAP];
    char set[AWS_SET_ARN_CAP];
    struct assignment_op *first, *last;
    struct assignment_op *working;
};

enum { BUCKETS = 1024 };

struct assignments {
    sd_event *loop;
    struct aws_client *aws;
    sd_event_source *pump;
    char instance[AWS_INSTANCE_CAP];
    struct pair *buckets[BUCKETS];
    struct lane {
        struct assignment_op *first, *last;
        uint32_t working;
    } lanes[LANES];
    uint32_t count;
};

/* ---- assignment.c: what steps ask of the queues. After these op may be gone. ---------------- */

void op_end(struct assignment_op *op, enum assignment_outcome outcome, enum assignment_why why,
            const char *text);

/* Lets others have the turn, and begins again after a while. */
void op_pause(struct assignment_op *op, enum assignment_why why, const char *text);

/* Calls `then` after that many milliseconds, keeping the turn. False: op pauses, or is gone. */
bool op_after(struct assignment_op *op, unsigned ms, sd_event_time_handler_t then);

/* AWS has been working for longer than is usual: the caller is told, and others need not wait for a
 * place in the lane. */
void op_drags(struct assignment_op *op);

uint64_t op_clock(void); /* CLOCK_MONOTONIC, microseconds */

/* ---- assignment_steps.c --------------------------------------------------------------------- */

/* Begins, or begins again. */
void op_work(struct assignment_op *op);

/* Forgets what is under way. */
void op_stop(struct assignment_op *op);

/* ---- assignment_words.c --------------------------------------------------------------------- */

enum { WORDS_CAP = 1024 };

/* What a call that is not AWS_OK means, as a reason and a sentence. */
enum assignment_why words_of_result(const struct aws_result *result, char text[WORDS_CAP]);
enum assignment_why words_of_failure(const struct aws_failure *failure, char text[WORDS_CAP]);

/* What the reason of a FAILED assignment means: AWS has words for it, and no codes. */
enum assignment_why words_of_reason(const char *reason, char text[WORDS_CAP]);

/* Would trying again help? */
bool words_may_pass(enum assignment_why why);
