/* The host as teamd sees it: its clocks, its processes, its people. Loop rules: everything here is
 * called from the one thread of the loop, and nothing here blocks: user database look-ups (NSS) run
 * in worker processes, because an LDAP or SSSD behind them may hang for seconds. */
#pragma once

#include "core/policy.h"
#include "core/session.h"
#include "core/value.h"

#include <sys/types.h>
#include <systemd/sd-event.h>

/* ---- clocks ---------------------------------------------------------------------------------- */

struct now host_now(void);

enum { BOOT_ID_CAP = 37 };

/* /proc/sys/kernel/random/boot_id */
int host_boot_id(char out[BOOT_ID_CAP]);

/* 40 random bits, never 0 (getrandom). */
struct id host_fresh_id(void);

/* ---- processes ------------------------------------------------------------------------------- */

/* A process of another program, read without races: from its pidfd, /proc while it lives, and the
 * pidfd again. */
struct process {
    struct leader leader;
    uint32_t loginuid; /* NOBODY: unset */
};

/* What is known of the process behind `pidfd`, whose number is `pid`. -ESRCH if it is gone (then
 * nothing of what was read may be believed). */
int process_read(int pidfd, uint32_t pid, struct process *ret);

/* The login uid alone. */
int process_login(int pidfd, uint32_t pid, uint32_t *ret_loginuid);

/* The same of whatever process has this number now: enough where the answer is worth something only
 * to the very process that asked, which then lives. */
int process_login_now(uint32_t pid, uint32_t *ret_loginuid);

/* 0: it has none, or is gone. */
uint32_t process_parent(uint32_t pid);

/* Is it the other one, or did it come of it, over parents that live? */
bool process_descends(uint32_t pid, uint32_t from);

/* When the process with this number began, and what time it is now, in clock ticks since boot. */
bool process_began(uint32_t pid, uint64_t *ret_ticks);
uint64_t process_ticks_now(void);

/* Looks at all processes of the host, some 10 us for each, if the kernel has no lists of children.
 */
void process_survey(void);

/* The process and its descendants as far as they hang together (in the last survey), at most cap >
 * 0 and PROCESS_TREE_MAX. Numbers only: open a pidfd and ask process_is_still() before one of them
 * is touched. */
enum { PROCESS_TREE_MAX = 32768 };
size_t process_tree(uint32_t root, uint32_t *pids, size_t cap);

/* Is who has this number now the one that had it, and hung on the root, in a look that began then?
 */
bool process_is_still(uint32_t pid, uint32_t root, uint64_t since_ticks);

/* For trees of any size of which most is known: lists all processes of the host, some 1 us for
 * each; those that are struck cost nothing more. process_strike() is a cgroup_member_fn. */
void process_census(void);
void process_strike(void *ctx, uint32_t pid);

/* Calls `each` for the others that hang on the root, and forgets who was struck. False: there were
 * more than can be counted, so some may be missing. */
typedef void (*cgroup_member_fn)(void *ctx, uint32_t pid);
bool process_each_left(uint32_t root, cgroup_member_fn each, void *ctx);

/* The number of the process behind a pidfd of ours; 0: it is gone. */
uint32_t process_behind(int pidfd);

/* The login uid of the process with this number right now, or NOBODY: for counting, not for
 * deciding. */
uint32_t process_loginuid(uint32_t pid);

/* The number of its login as auditd(8) has it, or NOBODY. For the record, as is the next. */
uint32_t process_audit_session(uint32_t pid);

/* Its command line: one line of plain text, with blanks between the words, "…" at the end if it was
 * cut; "" if there is none. */
void process_command(uint32_t pid, char out[COMMAND_CAP]);

/* A pidfd for a leader that the store remembers, or -ESRCH if that process is gone: another process
 * with the same number has another start time. */
int leader_open(const struct leader *leader);

/* ---- containers ------------------------------------------------------------------------------ */

/* A cgroup (v2) per session, below one directory that is ours. It alone holds daemonised children,
 * too; cgroup.kill ends them all at once, and that rmdir works proves that nothing is left
 * (cgroups(7)). */
struct containers;

enum { CONTAINER_CAP = 256 };

/* Finds or makes the directory. `where`: "auto", a path, or "off". As root it is given to uid and
 * gid. `name` tells apart the teamds of one machine. -ENOTSUP: there is nowhere, or it is off;
 * sessions then are uncontained. */
int containers_open(const char *where, const char *name, uid_t uid, gid_t gid,
                    struct containers **ret);
struct containers *
containers_free(struct containers *c); /* removes the directory if it may and nothing is in it */

/* Sessions are named below the directory by their numbers: "s12", nested ones "s12/s15". */
int container_make(struct containers *c, const char *below);
int container_kill(struct containers *c, const char *below);

/* 0: gone, with what root has made below it. 1: nothing is in it, but what root has made there can
 * be removed by root alone. -EBUSY: something is in it yet. */
int container_remove(struct containers *c, const char *below);

/* Calls `each` for every process in it. */
int container_each(const struct containers *c, const char *below, cgroup_member_fn each, void *ctx);

/* The path for others, in the file system. */
void container_path(const struct containers *c, const char *below, char out[CONTAINER_CAP]);

/* The innermost session's container that the process is in: its name below the directory, and its
 * number; 0 and
 * "" if it is in none. -ESRCH: the process is gone. */
int container_of(const struct containers *c, uint32_t pid, char below[CONTAINER_CAP],
                 uint64_t *ret);

/* Is the one path the other, or below it? */
bool cgroup_within(const char *path, const char *of);

/* Calls back from the loop whenever the last process may have left. */
int container_watch(struct containers *c, sd_event *loop, const char *below,
                    sd_event_inotify_handler_t handler, void *ctx, sd_event_source **ret);

/* ---- scopes -----------------------------------------------------------------------------------
 *
 * Where logind is, it has made a cgroup for a login before we are asked. It stays in there, and
 * that is its container: but it is not ours, so its processes are ended one by one. */

/* The scope that the process is in, if it was made for its login: in all of it there is nobody but
 * the process and its descendants. `number` is what no later scope of this name has. -ENOENT: there
 * is none. */
int scope_of(uint32_t pid, char path[SCOPE_CAP], uint64_t *number);

/* The scope of a login that the process is in, whosever it is; "" if it is in none. */
void scope_around(uint32_t pid, char path[SCOPE_CAP]);

/* 0: nothing is in it any more, or it is removed. -EBUSY. */
int scope_empty(const char *path, uint64_t number);

/* Kills all that is in it, as far as it can be had in this time (and a few in any case): call again
 * until it is empty. */
#define SCOPE_KILL_US (100 * INT64_C(1000))
void scope_kill(const char *path, uint64_t number, int64_t for_us);

int scope_each(const char *path, uint64_t number, cgroup_member_fn each, void *ctx);

/* As container_watch(). */
int scope_watch(const char *path, sd_event *loop, sd_event_inotify_handler_t handler, void *ctx,
                sd_event_source **ret);

/* ---- ending ---------------------------------------------------------------------------------- */

/* Kills the descendants of a process that the last survey shows: for what is in no container. Who
 * has left the tree is not found. */
void process_kill_tree(uint32_t root);

/* Writes one line to the person's terminal; 0 also when they do not want messages (mesg n). Only to
 * a terminal (pts or tty) that belongs to `owner`. */
int terminal_say(const char *tty, uint32_t owner, const char *line);

/* The terminal that controls the process, for the above; "" if there is none. */
void terminal_of(uint32_t pid, char tty[TTY_CAP]);

/* The same on the terminals below /dev/pts of these people, at most TERMINALS_EACH of each; n is at
 * most TERMINAL_OWNERS_MAX. */
enum { TERMINALS_EACH = 4, TERMINAL_OWNERS_MAX = 64 };
void terminals_say(const uint32_t *owners, size_t n, const char *line);

/* Gives back a terminal whose program was killed while it had it in raw mode. */
int terminal_reset(const char *tty, uint32_t owner);

/* ---- people ---------------------------------------------------------------------------------- */

/* People and groups by way of NSS, off the loop. At most PEOPLE_WAITING look-ups wait; more are
 * refused with -EAGAIN. A look-up is over after PEOPLE_TIMEOUT at the latest, with -ETIMEDOUT; its
 * worker is then killed and replaced. Answers about one person are kept for PEOPLE_FRESH.
 * Done-callbacks come from the loop, never from inside the call that asked. They may ask again, but
 * not call people_free().
 *
 * Failure and "nobody" are two things: -ENOENT only when the database answered that there is no
 * such account. An account with a name that text_is_name() refuses counts as none. */
enum {
    PEOPLE_WAITING = 4096,
    PEOPLE_MEMBERS_MAX = 4096, /* of one group that a listing names; more are known when they are
                                  looked up */
    PEOPLE_GROUPS_MAX = 1024,  /* of one person; with more the look-up fails with -E2BIG */
    PEOPLE_LISTED_MAX = 12288, /* that one listing names, besides the given uids */
};
#define PEOPLE_TIMEOUT_US (3 * SECOND_US)
#define PEOPLE_FRESH_US   (1 * SECOND_US)

struct people;

/* Starts the workers, which are children of a small process that is forked here: call before
 * anything is opened or any thread is started that must not be inherited (they close every
 * descriptor above 2 that is open by now). They become uid and gid at once, without supplementary
 * groups; (uid_t)-1 and (gid_t)-1: they stay what the caller is. They need no privilege at all.
 * They end with teamd, however it ends. Should the small process be killed, nobody could be looked
 * up ever again: then the loop ends with -ECHILD, and teamd should exit and be started anew. */
int people_new(sd_event *loop, uid_t uid, gid_t gid, struct people **ret);

/* Callbacks that are pending are dropped: they are never called. */
struct people *people_free(struct people *p);

/* Lists everybody whom the policy names, directly or as a member of a group (primary groups too, as
 * far as the database lets itself be listed), plus the given uids. `done` gets the people, and the
 * principals that nobody bears (to be warned of; @idc: groups are not looked up and not among
 * them); both live during the call only. error: 0, or -ETIMEDOUT etc. if some look-up failed: the
 * listing ends there, `found` lacks what would have come, and must not be taken as "not a member".
 * One listing at a time: -EBUSY.
 *
 * A successful listing changes what the bits of a person mean, for all look-ups that are answered
 * after the call of `done` began, pending ones included: swap the policy inside of it, and only
 * then. `policy` must live until the next successful listing is done. After a failed one, the
 * policy of the one before goes on to count, and this one is not needed any more. */
typedef void (*people_listed_fn)(void *ctx, int error, const struct person *found, size_t n,
                                 const struct principal *const *unknown, size_t n_unknown);
int people_list(struct people *p, const struct policy *policy, const uint32_t *uids, size_t n_uids,
                people_listed_fn done, void *ctx);

/* Forgets what is kept of this person, so that the next look-up asks. */
void people_forget(struct people *p, uint32_t uid);

/* One person, fresh. error: 0, -ENOENT (positively nobody), or a failure, which says nothing;
 * -EAGAIN before the first successful listing. `who` is NULL unless error is 0. */
typedef void (*people_found_fn)(void *ctx, int error, const struct person *who);
int people_by_uid(struct people *p, uint32_t uid, people_found_fn done, void *ctx);
int people_by_name(struct people *p, const char *name, people_found_fn done, void *ctx);
