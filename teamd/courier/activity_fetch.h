/* The inside of a fetch, for the files of the sources. */
#pragma once

#include "courier/activity_source.h"
#include "courier/pages.h"

enum {
    FETCH_WINDOWS_MAX = 64, /* halves of halves that wait: more than a century has seconds */
    FETCH_TRIES = 3,        /* queries that the service gave up */
    FETCH_QUERY_CAP = 257,  /* ids of queries */
    FETCH_POLLS_MAX = 400,
};

/* Of the time that the source goes by: when it happened, or, in CloudWatch Logs, when it was
 * delivered, up to `late_us` afterwards. */
struct fetch_window {
    struct wall from, until;
};

struct activity_fetch {
    const struct activity_source *source;
    const struct activity_ways *ways;
    struct activity_scope scope;
    char account[AWS_ACCOUNT_CAP], set[AWS_SET_NAME_CAP], user[ACTIVITY_USER_CAP],
        user_id[AWS_PRINCIPAL_CAP];
    bool soon;
    struct activity_calls calls;
    int64_t late_us;
    struct fetch_window waiting[FETCH_WINDOWS_MAX], now;
    size_t n_waiting;
    unsigned tries, polls;
    size_t region;               /* LOOKUP: which is being read */
    uint64_t unreadable;         /* records of this window */
    char query[FETCH_QUERY_CAP]; /* that runs; "" if none does */
    struct aws_call *call;
    struct pages *pages;
    json_t *rows; /* that are being told; NULL: none are left */
    size_t at_row;
    sd_event_source *timer;
};

/* A query that runs by itself, and is asked how far it has come. */
struct fetch_query {
    enum aws_service service;
    const char *poll, *stop; /* operations, beside StartQuery */
    const char *id, *status; /* members */
    const char *queued, *running, *finished, *timed_out, *cancelled; /* what the status says */
    void (*results)(struct activity_fetch *f, const json_t *answer); /* of the poll */
};

/* What a source does. Each of these leads to one of the ends below, sooner or later. */
struct activity_ways {
    int (*begin)(struct activity_fetch *f); /* asks for the window; -errno: it could not */
    void (*row)(struct activity_fetch *f, const json_t *row); /* of a list */
    /* The last page, or why there was none. NULL: that is the end of the window. */
    void (*end)(struct activity_fetch *f, const struct aws_failure *failure);
    const struct fetch_query *query; /* NULL: it has none */
};

extern const struct activity_ways ACTIVITY_LOGS_WAYS, ACTIVITY_LOOKUP_WAYS, ACTIVITY_LAKE_WAYS;

/* One record: told if it is one and fits. */
void fetch_record(struct activity_fetch *f, const char *raw, size_t len);

/* ---- ends of a window ------------------------------------------------------------------------ */

void fetch_over(struct activity_fetch *f); /* all of it was told */
void fetch_full(struct activity_fetch *f); /* there may be more: again, in halves */
void fetch_fail(struct activity_fetch *f, const char *why);
void fetch_fail_of(struct activity_fetch *f, const struct aws_failure *failure);

/* The service began, and gave up: again, and after FETCH_TRIES it has failed. */
void fetch_again(struct activity_fetch *f, const char *why);

/* Not an end: of this window something is not known. */
void fetch_gap(struct activity_fetch *f, const char *why);

/* ---- lists ------------------------------------------------------------------------------------
 */

/* Page after page of `ask`, row by row; `urgency` and `large` are filled in. Takes the body. */
int fetch_pages(struct activity_fetch *f, struct pages_ask ask);

/* All rows of one answer, then the end of the window. */
void fetch_rows(struct activity_fetch *f, json_t *rows);

/* ---- queries (activity_wait.c) -----------------------------------------------------------------
 */

/* Starts one with this body, which is taken, and waits until there are results. */
int fetch_query(struct activity_fetch *f, json_t *body);

/* Stops the one that runs, if one does. */
void fetch_stop(struct activity_fetch *f);
