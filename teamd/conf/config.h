/* team.conf: read whole, checked whole, and either all of it counts or nothing does (DESIGN.md 6).
 */
#pragma once

#include "core/policy.h"

struct config {
    struct policy policy;
    /* sessions */
    char cgroup[256];             /* "auto", "off" or a path */
    struct config_ticket *ticket; /* settings.ticket_pattern, compiled; NULL: any */
    /* identity */
    char aws_user[129]; /* how a local user is called in Identity Center; {user} stands for them */
    bool trust_idc_on_host;
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
