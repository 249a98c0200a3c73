/* Collecting what was done with AWS access: one collection for each AWS grant that was ever open.
 * Pure: when it is asked for, for which time, and what of it is still unknown.
 *
 * CloudTrail delivers minutes after the fact and not in order, so each pass looks back, and when
 * the last credentials have died there are two more passes over all of it (reference: CloudTrail
 * User Guide, "typically within an average of about 5 minutes"; not guaranteed). */
#pragma once

#include "core/errand.h"
#include "core/policy.h"

enum {
    GAPS_MAX = 32,              /* of one collection; what is more is told less exactly */
    COLLECT_BACK_S = 20 * 60,   /* how far each pass looks back */
    COLLECT_PACE_S = 60,        /* while things happen; doubling while nothing does, up to */
    COLLECT_PACE_MAX_S = 600,   /* this */
    COLLECT_SOON_S = 3,         /* while somebody looks on */
    COLLECT_FAILED_S = 10,      /* the first time, then the pace's doubling */
    COLLECT_STEP_S = 6 * 3600,  /* the most that one live pass goes forward */
    COLLECT_GAP_S = 6 * 3600,   /* how old a gap may be for every pass to try it again */
    COLLECT_LATE_S = 20 * 60,   /* after the last credentials have died: a late pass, */
    COLLECT_LAST_S = 24 * 3600, /* and the last one */
    COLLECT_PATIENCE_S = 7 * 24 * 3600, /* after that what cannot be read is given up */
    COLLECT_LAG_S = 15 * 60,            /* what is not read after so long is unknown */
};

enum collect_stage {
    COLLECT_LIVE = 1, /* there are, or may be, credentials */
    COLLECT_LATE = 2, /* the first late pass is next */
    COLLECT_LAST = 3, /* the second is */
    COLLECT_OVER = 4,
    COLLECT_STAGES = 5,
};

struct span {
    struct wall from, until;
};

/* Of this time not all is known. */
struct gap {
    struct span when;
    char why[TROUBLE_CAP];
};

/* One as it is stored. */
struct collection {
    struct id request;
    uint8_t target; /* number of the grant */
    uint8_t stage;
    char account[ACCOUNT_CAP];
    char set[WORD_CAP + 1];
    char user[AWS_USER_CAP];          /* how Identity Center calls the person */
    char user_id[PRINCIPAL_CAP];      /* and its id of them */
    struct wall from;                 /* activation */
    struct wall until;                /* when the last credentials die; 0: nobody knows yet */
    struct wall cursor;               /* all that the sources had until then is stored */
    uint64_t calls, changes, refused; /* stored; `changes` are those that do not only read */
    uint8_t n_gaps;
    struct gap gaps[GAPS_MAX]; /* by time, not touching if they have the same reason */
};

/* One that is not over, in memory. */
struct collecting {
    struct id request;
    uint8_t target, stage;
    bool asked;    /* a pass is under way */
    bool followed; /* somebody looks on */
    uint16_t failures;
    uint32_t pace_s;
    struct wall from, until, cursor, oldest_gap; /* 0: none */
    struct span window;                          /* of the pass under way */
    struct boot due;                             /* of the next one */
    struct boot asked_at;                        /* when the last one began; 0: none has */
    char why[TROUBLE_CAP]; /* the last pass did not work, or takes so long; "" */
};

/* The stored one as it goes on from now. */
struct collecting collect_from(const struct collection *c, struct now now);

/* The one that has been due for the longest time; n if none waits. */
size_t collect_next(const struct collecting *all, size_t n);

/* A pass begins: what it is to be asked for is c->window. */
void collect_ask(struct collecting *c, struct now now);

/* It has ended well, and there was something new. */
void collect_done(struct collecting *c, struct now now, bool something);

/* It has not. True: it is given up, the rest is a gap. */
bool collect_failed(struct collecting *c, struct now now, const char *why);

/* It was never answered: again, as soon as somebody can be asked. */
void collect_lost(struct collecting *c, struct now now);

/* The last credentials die then. */
void collect_end(struct collecting *c, struct wall until, struct now now);

void collect_follow(struct collecting *c, bool followed, struct now now);

/* What has not been read for so long that it has to be said. False: nothing. */
bool collect_lags(struct wall cursor, struct wall until, struct wall now, struct span *ret);

/* What a pass over this window could not say, at most GAPS_MAX gaps in any order: it takes the
 * place of what was unknown there. */
void collect_note(struct collection *c, struct span window, const struct gap *gaps, size_t n);
