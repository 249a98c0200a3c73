/* What activity.c shares with activity_rows.c, which reads what the courier says, with
 * activity_keep.c, which drops what is old, and with activity_pace.c, which keeps the courier from
 * saying too much at once. */
#pragma once

#include "link.h"

/* One question that the courier has. */
struct pass {
    uint64_t token; /* 0: none */
    struct id request;
    uint8_t target;
    bool sent, something, soon;
    struct span window;
    char account[ACCOUNT_CAP], set[WORD_CAP + 1], user[AWS_USER_CAP], user_id[PRINCIPAL_CAP];
    size_t n_gaps;
    struct gap gaps[GAPS_MAX];
};

/* Reads a piece of the answer to it: gaps into the pass, calls into *ret, which the next piece
 * takes. Whatever the courier says, none is given that was not under this grant. False: it makes no
 * sense.
 */
bool activity_read_rows(struct wire_span fields, struct pass *p, const struct collecting *c,
                        const struct activity **ret, size_t *ret_n);

/* Drops some of what is older than aws.activity_keep, when that is *due. Returns when the next step
 * is, as *due then says. */
struct boot activity_tidy(struct teamd *t, struct boot *due, struct now now);

/* ---- activity_pace.c ----------------------------------------------------------------------------
 *
 * What pours in is written at once, but said to be so only when much longer has passed than that
 * took: who asks the gate hardly ever meets a write of this, and the disk is there for others. */

struct activity_pace {
    struct {
        struct conn *conn; /* NULL: none waits */
        struct reply reply;
        uint64_t at_us; /* CLOCK_BOOTTIME */
    } waiting[IPC_COURIER_CONNECTIONS];
    sd_event_source *timer;
};

int pace_new(struct activity_pace *p, sd_event *loop);
void pace_free(struct activity_pace *p);

/* Answers FOUND on this connection, whose writing took so long. */
void pace_answer(struct activity_pace *p, struct conn *c, const struct reply *reply,
                 int64_t took_us);
void pace_gone(struct activity_pace *p, struct conn *c);
