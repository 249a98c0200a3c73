#include "courier/activity_place.h"

#include <stdio.h>
#include <string.h>

void activity_place_name(const struct activity_place *p, char out[ACTIVITY_NAME_CAP])
{
    const char *colon = strrchr(p->log_group, ':'); /* of an ARN */

    if (p->kind == ACTIVITY_LOGS)
        snprintf(out, ACTIVITY_NAME_CAP, "log group %.200s", colon ? colon + 1 : p->log_group);
    else if (p->kind == ACTIVITY_LOOKUP)
        snprintf(out, ACTIVITY_NAME_CAP, "LookupEvents");
    else
        snprintf(out, ACTIVITY_NAME_CAP, "event data store %s", p->store);
}

/* That of LookupEvents is another one in each account. */
void activity_place_role(const struct activity_place *p, const char *account,
                         char out[ACTIVITY_ROLE_ARN_CAP])
{
    static const char PLACE[] = "{account}";
    const char *at = strstr(p->role, PLACE);

    if (at)
        snprintf(out, ACTIVITY_ROLE_ARN_CAP, "%.*s%s%s", (int)(at - p->role), p->role, account,
                 at + sizeof PLACE - 1);
    else
        snprintf(out, ACTIVITY_ROLE_ARN_CAP, "%s", p->role);
}

void activity_place_source(const struct activity_place *p,
                           const char *regions[ACTIVITY_REGIONS_MAX], struct activity_source *ret)
{
    for (size_t i = 0; i < p->n_regions; i++)
        regions[i] = p->regions[i];
    *ret = (struct activity_source){
        .kind = p->kind,
        .region = p->region[0] ? p->region : NULL,
        .log_group = p->log_group,
        .store = p->store,
        .regions = regions,
        .n_regions = p->n_regions,
    };
}
