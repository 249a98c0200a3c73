/* The verbs pam install, confirm, undo, remove and status: the lines of pam_team(8) in /etc/pam.d.
 */
#pragma once

#include "pam_guard.h"
#include "teamctl.h"

/* A service whose file we know how to change. */
struct pam_host {
    const char *name;
    bool usual;       /* without --service */
    bool account;     /* it asks for an account; runuser does not */
    bool session;     /* opening a session has no other consequence than ours: it can be tried */
    bool root_passes; /* without an elevation or an exemption (pam_team(8)) */
    bool by_login;    /* it asks about who logs in, whoever runs it */
};

/* A service that includes another comes after it. */
extern const struct pam_host PAM_HOSTS[PAM_SERVICES_MAX];

/* Is this root? False after a complaint. */
bool pam_is_root(const struct call *c);

/* Picks the hosts that --service names, or else the ones that `usual` says; in the order of the
 * table. TEAM_DONE, or an exit code after a complaint. */
int pam_pick(const struct call *c, bool (*usual)(void *ctx, const struct pam_host *h), void *ctx,
             bool picked[static PAM_SERVICES_MAX]);

/* Why a file cannot be used, from what pam_files.h returns. */
const char *pam_why(int error);

/* Opens /etc/pam.d. TEAM_DONE, or an exit code after a complaint. */
int pam_open(const struct call *c, bool make, struct pam_dir *ret);
int pam_lock(const struct call *c, const struct pam_dir *d);

/* "14:07:31", and "sudo, sudo-i". */
void pam_put_until(char *out, size_t cap, const struct pending *p);
void pam_put_services(char *out, size_t cap, const struct pending *p);

/* Says what came of one service that is given back: at all, and by pam_undo_all() (`ctx`: the
 * call). */
void pam_say_given(const struct call *c, const char *service, int given);
void pam_say_undone(void *ctx, const char *service, int given);

/* diff -u. */
void diff_put(const struct call *c, const char *service, const struct pam_text *old,
              const struct pam_text *new);
