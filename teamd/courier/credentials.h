/* The credentials of a client: found, kept, and refreshed before they expire. One fetch at a time,
 * however many calls wait for it. */
#pragma once

#include "courier/http.h"
#include "courier/plan.h"

struct credentials;

/* When a fetch has ended: `why` is NULL if there are credentials now. From the loop. */
typedef void (*credentials_ready)(void *ctx, const char *why);

/* `environment` has to live as long. */
int credentials_new(struct aws_client *client, sd_event *loop, struct http *http,
                    char *const *environment, credentials_ready ready, void *ctx,
                    struct credentials **ret);
struct credentials *credentials_free(struct credentials *c);

/* What to sign with now, and its number; or NULL: then a fetch is under way, which ends with
 * `ready`. Good until the loop goes on. */
const struct keys *credentials_get(struct credentials *c, uint64_t *ret_number);

/* A service says that the ones of that number have expired or are unknown. */
void credentials_distrust(struct credentials *c, uint64_t number);

/* Fills in what it knows. */
void credentials_status(const struct credentials *c, struct aws_status *ret);

/* Before expiry, when they are fetched anew, plus up to a minute by chance. */
#define CREDENTIALS_EARLY_US (15 * 60 * SECOND_US)
