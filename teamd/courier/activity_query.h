/* What is asked of the sources of activity, in their own languages. Coarse: it only makes the pile
 * smaller, activity_fits() is exact. Nothing that could mean something in such a language gets into
 * it: a name with other characters than letters, digits and .@+=,-_ is left out of the question,
 * and more comes back. Pure. */
#pragma once

#include "courier/activity.h"

enum {
    ACTIVITY_PATTERN_CAP = 1025, /* FilterLogEvents takes 1024 characters */
    ACTIVITY_QUERY_CAP = 2048,
};

/* The filterPattern of CloudWatch Logs FilterLogEvents ("Filter pattern syntax"). */
void activity_pattern(const struct activity_scope *s, char out[ACTIVITY_PATTERN_CAP]);

/* The queryString of CloudWatch Logs Insights StartQuery, for `limit` rows at most. */
void activity_insights(const struct activity_scope *s, unsigned limit,
                       char out[ACTIVITY_QUERY_CAP]);

/* The QueryStatement of CloudTrail Lake, for events of [from, until], to the second. `store` is the
 * id of an event data store. */
void activity_sql(const struct activity_scope *s, const char *store, struct wall from,
                  struct wall until, char out[ACTIVITY_QUERY_CAP]);

/* Is it the id of an event data store: 36 hex digits and hyphens? */
bool activity_store_fits(const char *store);

/* Whole seconds since 1970, before and after. */
int64_t activity_seconds_down(struct wall t);
int64_t activity_seconds_up(struct wall t);
