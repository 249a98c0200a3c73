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

struct fetch_window {
    struct wall from, until;
};

struct activity_fetch {
    const struct activity_source *source;
    const struct activity_ways *ways;
    struct activity_scope scope;
    char account[AWS_ACCOUNT_CAP], set[AWS_SET_NAME_CAP], user[ACTIVITY_USER_CAP],
        user_id[AWS_PRINCIPAL_CAP];
    enum aws_urgency urgency;
    struct activity_calls calls;
    struct fetch_window waiting[FETCH_WINDOWS_MAX], now;
    size_t n_waiting;
    unsigned tries, polls;
    size_t region; /* LOOKUP: which is being read */
    uint64_t rows; /* of this query */
    char query[FETCH_QUERY_CAP];
    struct aws_call *call;
    struct pages *pages;
    sd_event_source *timer;
};

/* What a source does. Each leads to one of the ends below, sooner or later. */
struct activity_ways {
    int (*begin)(struct activity_fetch *f); /* asks for the window; -errno: it could not */
    void (*poll)(struct activity_fetch *f); /* the timer of fetch_wait() */
};

extern const struct activity_ways ACTIVITY_LOGS_WAYS, ACTIVITY_LOOKUP_WAYS, ACTIVITY_LAKE_WAYS;

/* One record: told if it is one, fits and is of this window. */
void fetch_record(struct activity_fetch *f, const char *raw, size_t len);

/* ---- ends of a window ------------------------------------------------------------------------ */

void fetch_over(struct activity_fetch *f); /* all of it was told */
void fetch_full(struct activity_fetch *f); /* there may be more: again, in halves */
void fetch_fail(struct activity_fetch *f, const char *why);

/* The service began, and gave up: again, and after FETCH_TRIES it has failed. */
void fetch_again(struct activity_fetch *f, const char *why);
void fetch_fail_of(struct activity_fetch *f, const struct aws_failure *failure);

/* ---- on the way ------------------------------------------------------------------------------ */

/* Calls poll() after a while that grows, or fails after FETCH_POLLS_MAX. */
void fetch_wait(struct activity_fetch *f);

/* A call of the source's; `done` as in aws_call(). Takes the body. */
int fetch_call(struct activity_fetch *f, enum aws_service service, const char *operation,
               json_t *body, aws_done done);

/* Has it worked? If not, the window has ended. */
bool fetch_worked(struct activity_fetch *f, enum aws_service service, const char *operation,
                  const struct aws_result *result);

/* Keeps the id of a query that has begun; false if there is none, and the window has ended. */
bool fetch_take_query(struct activity_fetch *f, const json_t *answer, const char *member);
