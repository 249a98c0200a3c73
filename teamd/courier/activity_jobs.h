/* What teamd wants to know about what was done: jobs of the step `activity`, each read from all
 * sources that team.conf names, and said with FOUND. Any number at once; each source of a job waits
 * until it is its turn, because AWS lets only so many queries run. */
#pragma once

#include "courier/activity_place.h"
#include "courier/link.h"

struct activity_setup {
    /* The i-th source, into a place that is all zeros; false: there are no more. */
    bool (*place)(void *ctx, size_t i, struct activity_place *ret);
    int (*client)(void *ctx, const char *role, const char *external_id, struct aws_client **ret,
                  char why[AWS_TEXT_CAP]);
    void *ctx;
};

struct activity_jobs;

/* `own` reads where no role is named. The link has to stay as long. 0 and *ret, or -ENOMEM. */
int activity_jobs_new(sd_event *loop, struct link *link, struct aws_client *own,
                      const struct activity_setup *setup, struct activity_jobs **ret);
struct activity_jobs *activity_jobs_free(struct activity_jobs *j); /* NULL is fine */

/* A job, which takes the place of one with the same number, unless it is the same again. */
void activity_jobs_take(struct activity_jobs *j, const struct link_job *job);

void activity_jobs_room(struct activity_jobs *j);   /* the link has room */
void activity_jobs_down(struct activity_jobs *j);   /* it is gone: nobody waits for anything */
void activity_jobs_reload(struct activity_jobs *j); /* settings and credentials are others now */
size_t activity_jobs_count(const struct activity_jobs *j);
