/* Credentials over HTTP from near by: the instance metadata service, version 2 only, and the ones
 * of ECS and EKS containers. */
#pragma once

#include "courier/http.h"
#include "courier/plan.h"

/* `keys` is NULL when there are none; then `why` says so. */
typedef void (*metadata_done)(void *ctx, const struct keys *keys, const char *why);

struct metadata;

/* 0, and `done` is called once, from the loop; or -ENOMEM, -EINVAL and why. The plan has to live
 * until then. */
int metadata_start(sd_event *loop, struct http *http, const struct plan *plan, metadata_done done,
                   void *ctx, struct metadata **ret, char why[AWS_TEXT_CAP]);

/* `done` is not called any more. Returns NULL; NULL is fine. */
struct metadata *metadata_stop(struct metadata *m);

/* What both answer with. Any bytes may come in. */
bool metadata_read(const char *text, size_t len, struct keys *ret, char why[AWS_TEXT_CAP]);
