/* A question about activity under way, for the files that answer it: logs.c of one request,
 * logs_search.c what SHOW tells and SEARCH finds. */
#pragma once

#include "query.h"

enum {
    BYTES_AT_ONCE = 256 * 1024, /* of the store, for one packet: a fraction of a millisecond */
    REQUEST_COST = 8192,        /* of looking at a request, in such bytes */
    TELLING_MAX = 5,            /* rows of each kind that SHOW tells */
    BESIDE_MAX = 64,
    LIVE_MAX = 64, /* sessions whose end a follower waits for */
};

/* Another collection of the same person at the same place. */
struct beside {
    uint8_t target; /* beside this one */
    struct id request;
    struct span when; /* until 0: open */
};

struct target_of_log {
    bool aws, was_open;
    char name[TARGET_TEXT_CAP], account[ACCOUNT_CAP], account_name[256];
    struct collection collection;
};

/* How far a question about one request has come. */
enum stage { AT_SESSIONS = 0, AT_COLLECTED, AT_CALLS, AT_END };

struct log {
    struct log *next, **link; /* of those that follow */
    struct query *q;
    char source[9], match[257];
    struct wall since, until;
    bool errors, with_raw;

    enum stage stage;
    struct activity_query calls;
    struct name requester;
    size_t n_targets;
    struct target_of_log *targets; /* TARGETS_MAX; of the request at hand */
    struct gap *gaps;              /* of all targets, by time */
    uint8_t *gap_of;               /* which */
    size_t n_gaps, at_gap;
    struct wall told;              /* gaps that begin before it have been told */
    uint64_t highest[TARGETS_MAX]; /* followers: numbers that this round has */
    struct beside beside[BESIDE_MAX];
    size_t n_beside;
    uint8_t beside_of; /* this target, while they are looked for */
    bool knows_beside; /* they are looked for when there is a call to show */

    /* followers */
    bool again; /* not the first round */
    bool over;  /* the request is */
    bool fresh; /* there is something new, from then on */
    struct wall fresh_from;
    uint64_t live[LIVE_MAX]; /* sessions that were told as live */
    size_t n_live;

    /* search */
    struct collected_query requests;
    bool searching; /* in the request of `calls` */
    bool on_host;   /* AWS is done */
    struct session_search sessions;
    /* show */
    size_t left;
};

/* ---- logs.c -----------------------------------------------------------------------------------
 */

bool log_wants_host(const struct log *l);
void log_filter_calls(const struct log *l, struct id request, struct activity_query *ret);

/* What is known of the targets of q->id. -EACCES: it is none that the person may see. The second
 * returns as fill: it is then answered. */
int log_look_at_targets(struct query *q);
int log_look_first(struct query *q);

int log_call_row(void *ctx, const struct activity *a);
void log_fill_collected(struct query *q);
