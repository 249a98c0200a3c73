/* Account assignments of Identity Center: one user, one permission set, one account. In steps that
 * may each be done again, whatever was killed in between; nothing is remembered in here:
 *
 *   LOOK_UP   is it there?                  ASSIGNMENT_THERE or ASSIGNMENT_NOT_THERE
 *   GRANT     make it, wait until it is     ASSIGNMENT_GRANTED
 *   REMOVE    delete it, wait until it is   ASSIGNMENT_GONE
 *   LIST      who has the set there?        rows, then ASSIGNMENT_LISTED
 *
 * teamd commits the answer of LOOK_UP before it asks for GRANT: what was there before (and two
 * seconds later: AWS may list for a moment what is gone) is never made, and never removed. LOOK_UP
 * is asked once per assignment and never again after GRANT, or it would find our own.
 *
 * GRANT again: making what there is changes nothing and succeeds. REMOVE again: what is not there
 * is gone. REMOVE after a GRANT that nobody saw the end of: AWS may still be making it, so REMOVE
 * looks for such work and waits for it, and says GONE only when nothing is left or on its way.
 *
 * All steps of one account and permission set go one after the other, in the order in which they
 * were started (Identity Center changes one role of an account at a time, and answers overlaps with
 * ConflictException); at most ASSIGNMENTS_CHANGING GRANTs and REMOVEs work at once (AWS documents
 * ten), REMOVEs first.
 *
 * What AWS may get over (throttling, 5xx, no network, conflicts, no credentials, "internal error")
 * is tried again, for ever, with growing pauses: `waits` tells why. How long a GRANT is worth
 * waiting for, the caller knows, and cancels. A REMOVE has no end but GONE. */
#pragma once

#include "courier/aws.h"
#include "courier/names.h"

enum {
    ASSIGNMENTS_MAX = 8192, /* steps at once, waiting ones included */
    ASSIGNMENTS_CHANGING = 8,
};

enum assignment_step {
    ASSIGNMENT_LOOK_UP = 1,
    ASSIGNMENT_GRANT = 2,
    ASSIGNMENT_REMOVE = 3,
    ASSIGNMENT_LIST = 4,
};

enum aws_principal_kind { AWS_USER = 1, AWS_GROUP = 2 };

struct assignment {
    char account[AWS_ACCOUNT_CAP];
    char set[AWS_SET_ARN_CAP];
    enum aws_principal_kind kind; /* LIST does not look at it, nor at the principal */
    char principal[AWS_PRINCIPAL_CAP];
};

enum assignment_outcome {
    ASSIGNMENT_THERE = 1,
    ASSIGNMENT_NOT_THERE = 2,
    ASSIGNMENT_GRANTED = 3, /* AWS said SUCCEEDED */
    ASSIGNMENT_GONE = 4,
    ASSIGNMENT_LISTED = 5,
    ASSIGNMENT_FAILED = 6, /* never of REMOVE: trying again would not help, `why` says why */
};

enum assignment_why {
    ASSIGNMENT_FINE = 0,
    ASSIGNMENT_DENIED = 1,       /* our identity may not */
    ASSIGNMENT_QUOTA = 2,        /* roles or permission sets of the account are used up, ... */
    ASSIGNMENT_NO_PRINCIPAL = 3, /* Identity Center has no such user any more */
    ASSIGNMENT_NO_SUCH = 4,      /* ... no such account, permission set or instance */
    ASSIGNMENT_CONFLICT = 5,     /* something else changes it */
    ASSIGNMENT_SLOW = 6,         /* AWS cannot be reached, throttles, is broken; no credentials */
    ASSIGNMENT_OTHER = 7,        /* AWS's own words are in the text */
};

/* Texts live until the callback returns. */
struct assignment_result {
    enum assignment_outcome outcome;
    enum assignment_why why; /* of FAILED */
    const char *text;        /* of FAILED: a sentence for the person who asked; otherwise "" */
};

struct assignment_calls {
    /* Once, at the end, from the loop. It may start and cancel steps. */
    void (*done)(void *ctx, const struct assignment_result *result);
    /* Whenever the step has to wait for another reason than before; `text` is a sentence. NULL: not
     * interested. */
    void (*waits)(void *ctx, enum assignment_why why, const char *text);
    /* LIST: everybody who has the set on the account, also by way of a group. */
    void (*row)(void *ctx, const struct assignment *a);
    void *ctx;
};

struct assignments; /* the queues */
struct assignment_op;

/* `instance`: the ARN. 0 and *ret, or -ENOMEM. Client and loop have to outlive it. */
int assignments_new(sd_event *loop, struct aws_client *aws, const char *instance,
                    struct assignments **ret);

/* Drops all steps: nobody is called back. Returns NULL; NULL is fine. */
struct assignments *assignments_free(struct assignments *all);

/* 0 and *ret (NULL: not wanted), which is good until `done`. -EINVAL: not the form of an account, a
 * permission set, a principal. -EAGAIN: ASSIGNMENTS_MAX. -ENOMEM. The callbacks never come from
 * inside. */
int assignment_start(struct assignments *all, enum assignment_step step, const struct assignment *a,
                     const struct assignment_calls *calls, struct assignment_op **ret);

/* `done` is not called any more. The call to AWS that is on its way ends first, before the next
 * step of the same account and permission set begins. What a GRANT has set going goes on: REMOVE
 * has to follow. Returns NULL; NULL is fine. */
struct assignment_op *assignment_cancel(struct assignment_op *op);

struct assignments_status {
    uint32_t waiting;  /* for their turn */
    uint32_t changing; /* GRANTs and REMOVEs at work */
};

void assignments_status(const struct assignments *all, struct assignments_status *ret);
