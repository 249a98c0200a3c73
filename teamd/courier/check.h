/* team-courier --check: what the identity may do in AWS, tried call by call, and what of AWS does
 * not go with the configuration. Nothing is changed there. */
#pragma once

#include "courier/activity_jobs.h"

struct check_calls {
    /* Could somebody be given this permission set? Of others it does not matter how long they last.
     */
    bool (*covers_set)(void *ctx, const char *name);
    struct activity_setup activity; /* the sources of activity, which are tried, too */
    /* Once, after all has been printed. Not sound: something will not work. */
    void (*done)(void *ctx, bool sound);
    void *ctx;
};

struct check;

/* Prints a line for each finding, as `teamctl doctor` does, and where the identity may not do what
 * it has to, the policy that it needs. 0 and *ret, or -ENOMEM, -EAGAIN. */
int check_start(sd_event *loop, struct aws_client *aws, const struct check_calls *calls,
                struct check **ret);
struct check *check_free(struct check *c); /* NULL is fine; returns NULL */
