/* Of team-courier --check: can every source of activity be read? Each is asked for what nobody has
 * done in the last minutes, in every way in which it will be asked. */
#pragma once

#include "courier/activity_jobs.h"

struct check_activity_calls {
    void (*found)(void *ctx, bool good, const char *text);
    /* Once, at the end. `bad` has a bit (1 << kind) for each kind of source that cannot be read. */
    void (*done)(void *ctx, unsigned bad);
    void *ctx;
};

struct check_activity;

/* `account` is one whose activity could be asked for. 0 and *ret, or -ENOMEM. */
int check_activity_start(sd_event *loop, struct aws_client *own, const struct activity_setup *setup,
                         const char *account, const struct check_activity_calls *calls,
                         struct check_activity **ret);

/* Not from inside of `done`. Returns NULL; NULL is fine. */
struct check_activity *check_activity_free(struct check_activity *c);
