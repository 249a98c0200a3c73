/* team.conf: read whole, checked whole, and either all of it counts or nothing does (DESIGN.md 6).
 */
#pragma once

#include "core/policy.h"

/* aws: what team-courier needs to know; its credentials come from its environment. */
struct config_aws {
    char region[33];
    char identity_center_region[33];
    char role[257], external_id[257]; /* to act as; "" if none */
    int64_t refresh_s;
    char portal_url[257]; /* "" if none is given */
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
