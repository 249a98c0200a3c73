/* A source of activity as team.conf has it. */
#pragma once

#include "courier/activity_clients.h"
#include "courier/activity_source.h"

enum { ACTIVITY_PLACES_MAX = 8, ACTIVITY_REGIONS_MAX = 40, ACTIVITY_NAME_CAP = 260 };

/* Texts are "" where it says nothing. */
struct activity_place {
    enum activity_kind kind;
    char log_group[641], store[37];
    char role[ACTIVITY_ROLE_ARN_CAP], external_id[ACTIVITY_ROLE_ARN_CAP]; /* LOOKUP: {account} */
    char region[AWS_REGION_CAP];
    char regions[ACTIVITY_REGIONS_MAX][AWS_REGION_CAP];
    size_t n_regions;
};

/* How people call it: "log group organization-trail". */
void activity_place_name(const struct activity_place *p, char out[ACTIVITY_NAME_CAP]);

/* The role that reads this account's events, "" if it takes none. */
void activity_place_role(const struct activity_place *p, const char *account,
                         char out[ACTIVITY_ROLE_ARN_CAP]);

/* All but who reads, and on which loop. Points into `p` and `regions`. */
void activity_place_source(const struct activity_place *p,
                           const char *regions[ACTIVITY_REGIONS_MAX], struct activity_source *ret);
