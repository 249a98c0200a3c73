/* Who takes an installation back that nobody confirms: a process that waits beside it. systemd
 * starts it, and starts it again, also at the next boot (team-pam-undo.service). Without systemd
 * it is two processes, each of which replaces the other. */
#pragma once

#include "pam_pending.h"

/* What came of one service. */
typedef void pam_came(void *ctx, const char *service, int given);

/* Gives back all that waits, and no longer lets it wait; the caller holds the lock. `came` is told
 * of each, as pam_file_give_back() returns it. 0, or -E... of the first that could not be given
 * back; then it goes on waiting, to be tried again. */
int pam_undo_all(const struct pam_dir *d, const struct pending *p, pam_came *came, void *ctx);

/* What is at this place is somebody else's by now: nothing, a link, a folder. It is left alone, and
 * the original put away. */
bool pam_is_replaced(int given);

/* Starts it; back when it watches. 0; -ESRCH: systemd has no such unit, or cannot start it;
 * -ETIMEDOUT. */
int pam_guard_start(const struct pam_dir *d);

/* Is it: until nothing waits any more. SIGTERM: takes it back at once, because the host goes down.
 */
void pam_guard(void);

/* Does systemd run this host? */
bool pam_has_systemd(void);
