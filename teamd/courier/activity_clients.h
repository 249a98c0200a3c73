/* As whom activity is read: a client for each role, made when it is needed, kept while it may be
 * needed again. Rates are a client's, so that all who read with one role share them. */
#pragma once

#include "courier/aws.h"

enum { ACTIVITY_CLIENTS_MAX = 48, ACTIVITY_ROLE_ARN_CAP = 257 };

struct activity_clients {
    /* Makes one; as aws_client_new(). */
    int (*make)(void *ctx, const char *role, const char *external_id, struct aws_client **ret,
                char why[AWS_TEXT_CAP]);
    void *ctx;
    struct aws_client *own; /* without a role */
    struct activity_client {
        char role[ACTIVITY_ROLE_ARN_CAP], external_id[ACTIVITY_ROLE_ARN_CAP];
        struct aws_client *aws; /* NULL: the place is free */
        unsigned users;
        uint64_t used; /* the larger, the later */
    } at[ACTIVITY_CLIENTS_MAX];
    uint64_t uses;
};

/* Whoever takes one gives it back. NULL: none can be had, and why. The one that was used longest
 * ago goes where there are too many; one whose callback runs never does, as long as fewer than
 * ACTIVITY_CLIENTS_MAX - 1 are taken. */
struct aws_client *activity_clients_take(struct activity_clients *c, const char *role,
                                         const char *external_id, char why[AWS_TEXT_CAP]);
void activity_clients_give(struct activity_clients *c, struct aws_client *aws);

/* Settings and credentials are others now. */
void activity_clients_reload(struct activity_clients *c);
void activity_clients_free(struct activity_clients *c);
