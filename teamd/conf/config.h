/* team.conf: read whole, checked whole, and either all of it counts or nothing does (DESIGN.md 6).
 */
#pragma once

#include "core/policy.h"

enum { CONFIG_ACTIVITY_MAX = 8, CONFIG_REGIONS_MAX = 40, CONFIG_REGION_CAP = 33 };

enum config_source { CONFIG_LOGS = 1, CONFIG_LOOKUP = 2, CONFIG_LAKE = 3 };

/* Where activity is read. Texts are "" where the file says nothing. */
struct config_activity {
    uint8_t source;                 /* enum config_source */
    char log_group[641];            /* LOGS: a name, or an ARN */
    char store[37];                 /* LAKE: the id of an event data store */
    char role[257];                 /* to act as; LOOKUP: with {account} in it */
    char external_id[257];          /* that it asks for */
    char region[CONFIG_REGION_CAP]; /* LOGS, LAKE */
    char regions[CONFIG_REGIONS_MAX][CONFIG_REGION_CAP]; /* LOOKUP */
    size_t n_regions;
};

/* aws: what team-courier needs to know; its credentials come from its environment. */
struct config_aws {
    char region[33];                  /* "": team-courier's environment says it */
    char identity_center_region[33];  /* "": as region */
    char role[257], external_id[257]; /* to act as; "" if none */
    int64_t refresh_s;
    char portal_url[257]; /* "" if none is given */
    struct config_activity activity[CONFIG_ACTIVITY_MAX];
    uint16_t n_activity; /* 0: nobody asks what was done */
    int64_t activity_keep_s;
};

struct config {
    struct policy policy;
    struct config_aws aws; /* if policy.aws */
    /* sessions */
    char cgroup[256];             /* "auto", "off" or a path */
    bool notify_terminals;        /* settings: approvers are told on their terminals */
    struct config_ticket *ticket; /* settings.ticket_pattern, compiled; NULL: any */
};

/* Gets one line per problem, "file:line: what". */
typedef void (*config_report_fn)(void *ctx, bool warning, const char *line);

/* Reads `path`; `node` is the name of this host unless the file says otherwise. Returns 0 and *ret,
 * or -ENOENT, -EACCES, -EPERM (not only root can write or replace it), -EINVAL (what it says is
 * wrong), or another -errno; each problem has then been reported, all that were found and not only
 * the first. Warnings are reported either way. policy.hash is BLAKE2b-256 of the text with all
 * includes in their places (of a file without any: `b2sum -l 256`). */
int config_load(const char *path, const char *node, config_report_fn report, void *ctx,
                struct config **ret);
struct config *config_free(struct config *c);

/* May this be a ticket? "" only if none is required. */
bool config_ticket_fits(const struct config *c, const char *ticket);

/* settings.ticket_pattern, to tell people. */
const char *config_ticket_pattern(const struct config *c);
