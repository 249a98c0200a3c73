/* Everybody whom a policy names: one walk over its principals; private to host/. */
#pragma once

#include "host/pool.h"
#include "host/roster.h"

struct listing;

/* Called once, from the loop. */
typedef void (*listing_done_fn)(void *ctx, struct listing *l);

int listing_new(struct pool *pool, const struct policy *policy, const uint32_t *uids, size_t n_uids,
                listing_done_fn done, void *ctx, struct listing **ret);

/* Starts it. `done` comes from inside of this call if there is nothing to ask, or nobody can be
 * asked. */
void listing_run(struct listing *l);

/* Not while a look-up of it is under way, unless the pool is gone. */
struct listing *listing_free(struct listing *l);

int listing_error(const struct listing *l);
const struct person *listing_found(const struct listing *l, size_t *ret_n);
const struct principal *const *listing_unknown(const struct listing *l, size_t *ret_n);
struct roster *listing_take_roster(struct listing *l); /* yours to free() */
