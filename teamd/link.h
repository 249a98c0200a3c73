/* courier.sock: what teamd hands to team-courier, and what it takes from it. link.c has the jobs,
 * directory.c what AWS has, inventory.c who has been assigned what without anybody's approval. */
#pragma once

#include "teamd.h"

#include "ipc/roll.h"

/* Who waits for the end of a task: teamctl refresh, reconcile, drift. */
struct link_waiter {
    struct link_waiter *next, **link; /* link NULL: waits for nothing */
    struct ask *ask;
    void (*done)(struct ask *a, enum reply_code code, const char *text);
};

/* Something to be done that is no errand: if it is lost, it is asked for again. */
struct task {
    const char *step; /* in the job */
    uint64_t token;   /* names it; another one after each connection. 0: nothing is to be done */
    bool sent;
    struct link_waiter *waiters;
    char trouble[481]; /* why it did not work the last time, or takes so long; "" if it did */
};

struct drift {
    char account[ACCOUNT_CAP], set[WORD_CAP + 1], principal[PRINCIPAL_CAP];
    char name[256]; /* of the principal; "" if nobody knows */
    bool group;
};

enum { DRIFT_MAX = 4096 /* more are counted */ };

struct link {
    struct conn *work; /* on which the courier takes jobs; NULL: it is not connected */
    bool full;         /* its socket: until there is room */
    bool welcomed;     /* it has been connected since teamd started */
    uint64_t *todo;    /* errands to be handed over, numbers */
    size_t n_todo, cap_todo;
    bool *check; /* of those: they should be there */
    sd_event_source *pump, *refresh_due, *reconcile_due;

    struct task refresh, inventory;
    uint64_t last_token;

    /* directory.c */
    struct directory *directory;
    struct roll *roll; /* what has come of the next one, */
    struct store_piece *pieces;
    size_t n_pieces, cap_pieces;

    /* inventory.c */
    struct drift *drift;
    size_t n_drift, n_more;
    struct drift *next; /* of the inventory under way */
    size_t n_next, n_next_more;
    struct wall compared_at; /* 0: never */

    struct activity_desk *activity; /* activity.c */
};

/* ---- link.c -----------------------------------------------------------------------------------
 */

/* Starts a task, unless it is under way, and has its asker answered at its end. */
void task_start(struct teamd *t, struct task *task, struct link_waiter *w);
void task_end(struct teamd *t, struct task *task, enum reply_code code, const char *text);

/* There is something new to be handed over. A name for it that nothing else has, or had. */
void link_wake(struct link *l);
uint64_t link_token(struct link *l);

void link_answer(struct conn *c, unsigned op, const struct reply *reply);

/* ---- activity.c: what was done with AWS access
 * ---------------------------------------------------
 */

int activity_new(struct teamd *t);
void activity_free(struct teamd *t);
int activity_load(struct teamd *t); /* from the store, once the world is there */

/* A configuration is in force; somebody has taken WORK. */
void activity_configure(struct teamd *t);
void activity_connected(struct teamd *t);

/* Puts the jobs that are not handed over into the packet; they are when it has been sent. */
void activity_put_jobs(const struct teamd *t, struct wire_out *w);
void activity_sent(struct teamd *t);

/* Is this one of its jobs? What the courier answers to it. */
bool activity_has_job(const struct teamd *t, uint64_t token);
void activity_take_found(struct teamd *t, struct conn *c, struct wire_span fields);
void activity_gone(struct teamd *t, struct conn *c);
struct reply activity_take_result(struct teamd *t, struct wire_span fields, const char *outcome);

/* Why nothing is collected at all; NULL if it is. */
const char *activity_why_not(const struct teamd *t);

/* What is not known because it was not read for too long; false if there is nothing. */
bool activity_lag(const struct teamd *t, const struct collection *c, struct gap *ret);

/* Somebody looks on, or does not any more. */
void activity_follow(struct teamd *t, struct id request);

/* May more of it come? */
bool activity_expects(const struct teamd *t, struct id request);

/* How many are collected, and one that cannot be; NULL. */
size_t activity_count(const struct teamd *t, const struct collecting **ret_troubled);

/* ---- directory.c ------------------------------------------------------------------------------
 */

/* A piece of the answer to `refresh`. */
struct reply directory_take(struct teamd *t, struct wire_span fields);
void directory_drop(struct link *l); /* what has come so far */
int directory_load(struct teamd *t); /* from the store */

/* Names of the policy that nobody in AWS has, with commas; "" if there are none. */
void directory_unknown(const struct world *w, char out[static 481]);

/* Permission sets of which somebody may ask for more than an hour's credentials, with commas. */
void directory_long_sessions(const struct world *w, char out[static 481]);

/* ---- inventory.c ------------------------------------------------------------------------------
 */

struct reply inventory_take(struct teamd *t, struct wire_span fields);
void inventory_begin(struct link *l);
struct reply inventory_end(struct teamd *t);
