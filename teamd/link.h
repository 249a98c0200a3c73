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
};

/* ---- link.c -----------------------------------------------------------------------------------
 */

/* Starts a task, unless it is under way, and has its asker answered at its end. */
void task_start(struct teamd *t, struct task *task, struct link_waiter *w);
void task_end(struct teamd *t, struct task *task, enum reply_code code, const char *text);

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
