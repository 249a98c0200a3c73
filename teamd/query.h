/* A question of control.sock that is answered with rows: what question.c reads, query.c fills and
 * sends. */
#pragma once

#include "link.h"

enum { SCAN_BUDGET = 512 }; /* entries of the store that one packet may look at */

/* Who would approve under these rules; they are looked for once for many targets. */
struct approver_names {
    bool known, aws;
    uint64_t rules[RULES_MAX / 64];
    size_t n;
    struct name names[16];
};

/* What a question about activity reads: logs.c. */
struct log;

struct query {
    /* Of those that can go on, or that follow and have nothing to tell. link NULL: waits for room,
     * or for its person to be looked up. */
    struct query *next, **link;
    struct ask *ask;
    /* Puts rows into `out`. Returns 1 if there is more, 0 at the end, < 0 if the store cannot be
     * read. */
    int (*fill)(struct query *q);
    enum team_row row;
    struct wire_out out;
    size_t rows; /* in the packet */
    size_t len;  /* of the finished packet, 0: none */
    int status;  /* what fill() returned */
    struct reply end;

    uint64_t limit; /* rows that may still be sent */
    struct request_query requests;
    struct trail_query trail;
    bool follow;                 /* the end of the trail is not the end */
    uint64_t as_of;              /* teamd.commits when it was last read */
    struct id asked;             /* watch: the request that was looked at last, */
    bool may_see;                /* and what came of it */
    struct target target;        /* exact, or a pattern */
    bool by_pattern;             /* target is one */
    bool by_name;                /* nobody bears `user` now */
    struct id id, *ids;          /* show; pending */
    uint64_t *numbers;           /* sessions */
    size_t n_ids, at_id;         /* of ids or numbers */
    bool host_is_done;           /* targets: what is next */
    uint32_t at_account, at_set; /* of the directory */
    struct approver_names approvers;
    struct link_waiter waiter; /* drift */
    struct log *log;           /* show, logs, search */
    uint64_t after_session;
    int64_t for_s;
    uint32_t about; /* why: whom */
    char user[NAME_CAP], action[33];
    char packet[TEAM_PACKET_MAX];
};

/* Begins to send; the ask is over when everything is sent. */
void query_start(struct query *q);
void query_stop(struct query *q);

int fill_list(struct query *q);
int fill_ids(struct query *q);
int fill_show(struct query *q);
int fill_sessions(struct query *q);
int fill_targets(struct query *q);
int fill_why(struct query *q);
int fill_status(struct query *q);
int fill_drift(struct query *q);
int fill_audit(struct query *q);
int fill_watch(struct query *q);
int fill_logs(struct query *q);
int fill_search(struct query *q);

/* May the viewer see the request of this record? */
bool query_may_see(const struct query *q, const struct record *r);
bool query_may_see_id(struct query *q, struct id id); /* false: or it cannot be read */

/* ---- logs.c -------------------------------------------------------------------------------------
 */

/* Reads LOGS or SEARCH; false: answered, and over. */
bool log_read(struct query *q);
bool log_begin(struct query *q); /* the same for SHOW, which has no filters */
void log_drop(struct query *q);

/* What SHOW tells of it; returns as fill. */
int log_fill_summary(struct query *q);

/* Begins a row; its end returns 0, or 1: it did not fit any more and comes first in the next
 * packet.
 */
struct wire_mark query_row(struct query *q);
int query_row_end(struct query *q, struct wire_mark mark);

/* 0, or 1: there is no room for it in this packet. */
int query_put_event(struct query *q, const struct trail_event *e);

/* Makes the query a follower; from the trail's present end on, unless it has a beginning. < 0 if
 * the store cannot be read. */
int follow_begin(struct query *q);

/* It has seen all that there is so far. */
void follow_rest(struct query *q);
