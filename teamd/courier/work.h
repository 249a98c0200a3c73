/* What teamd asks for, done: jobs of the link become calls to AWS, and what comes of them goes
 * back. Nothing is kept that would matter after a restart. */
#pragma once

#include "courier/activity_jobs.h"
#include "courier/assignment.h"
#include "courier/directory.h"
#include "courier/link.h"

/* What the policy says, as far as it makes work. */
struct work_policy {
    /* Is this group of Identity Center named? Asking for its members costs a call. */
    bool (*names_group)(void *ctx, const char *name);
    /* Could somebody be given this permission set? Only then its assignments are looked at. */
    bool (*covers_set)(void *ctx, const char *name);
    /* Before the directory is read: the policy may be another one by now. */
    void (*read_again)(void *ctx);
    void (*say)(void *ctx, int priority, const char *line);
    /* What was learned of AWS cannot be used any more: the process has to start anew. */
    void (*start_anew)(void *ctx);
    struct activity_setup activity;
    void *ctx;
};

struct work;

/* `socket` is where teamd listens. 0 and *ret, or -ENOMEM, -ENAMETOOLONG. */
int work_new(sd_event *loop, struct aws_client *aws, const char *socket,
             const struct work_policy *policy, struct work **ret);
struct work *work_free(struct work *w); /* NULL is fine; returns NULL */

/* Settings and credentials are others now. */
void work_reload(struct work *w);

struct work_status {
    size_t jobs; /* under way */
    bool connected;
    char identity[256]; /* "" until AWS has said who we are */
};
void work_status(const struct work *w, struct work_status *ret);
