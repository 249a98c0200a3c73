/* The resolvers as one thing that can be asked, on the loop; private to host/. */
#pragma once

#include "host/resolver.h"

struct pool;

/* Lives during the call of pool_done_fn only. All of it has been checked. */
struct answer {
    uint32_t id;      /* uid or gid */
    struct name name; /* of the account */
    const uint32_t *gids;
    size_t n_gids;
    const struct member *members;
    size_t n_members;
};

/* `a` is NULL unless error is 0. From the loop only; may ask again. */
typedef void (*pool_done_fn)(void *ctx, int error, const struct answer *a);

int pool_new(sd_event *loop, uid_t uid, gid_t gid, struct pool **ret);
struct pool *pool_free(struct pool *p); /* calls nobody */

/* `deadline` is of monotonic_us(). A group may take longer, as long as its resolver goes on
 * sending, up to GROUP_TIMEOUT_US. */
int pool_ask(struct pool *p, const struct ask *ask, uint64_t deadline, pool_done_fn done,
             void *ctx);

#define GROUP_TIMEOUT_US (60 * SECOND_US)
