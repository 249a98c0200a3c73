/* The host as teamd sees it: its clocks, its processes, its people. Loop rules: everything here is
 * called from the one thread of the loop, and nothing here blocks: user database look-ups (NSS) run
 * in worker processes, because an LDAP or SSSD behind them may hang for seconds. */
#pragma once

#include "core/policy.h"
#include "core/session.h"
#include "core/value.h"

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

/* A pidfd for a leader that the store remembers, or -ESRCH if that process is gone: another process
 * with the same number has another start time. */
int leader_open(const struct leader *leader);

/* ---- people ---------------------------------------------------------------------------------- */

/* People and groups by way of NSS, off the loop. At most PEOPLE_WAITING look-ups wait; more are
 * refused with -EAGAIN. A look-up is over after PEOPLE_TIMEOUT at the latest, with -ETIMEDOUT; its
 * worker is then killed and replaced. Answers about one person are kept for PEOPLE_FRESH.
 * Done-callbacks come from the loop, never from inside the call that asked. */
enum { PEOPLE_WAITING = 4096 };
#define PEOPLE_TIMEOUT_US (3 * SECOND_US)
#define PEOPLE_FRESH_US   (5 * SECOND_US)

struct people;

/* Starts the workers: call before any other thing that must not be inherited, and before dropping
 * privileges if NSS needs them. */
int people_new(sd_event *loop, struct people **ret);
struct people *people_free(struct people *p);

/* Lists everybody whom the policy names, directly or as a member of a group (primary groups too),
 * plus the given uids. `done` gets the people, and the principals that nobody bears (to be warned
 * of); both live during the call only. error: 0, or -ETIMEDOUT etc. if some look-up failed: `found`
 * then lacks what it would have given, and must not be taken as "not a member". One listing at a
 * time: -EBUSY. From a successful listing on, the look-ups below answer in terms of that policy's
 * principals; the policy must live until the next one. */
typedef void (*people_listed_fn)(void *ctx, int error, const struct person *found, size_t n,
                                 const struct principal *const *unknown, size_t n_unknown);
int people_list(struct people *p, const struct policy *policy, const uint32_t *uids, size_t n_uids,
                people_listed_fn done, void *ctx);

/* One person, fresh. error: 0, -ENOENT (positively nobody), or a failure, which says nothing. */
typedef void (*people_found_fn)(void *ctx, int error, const struct person *who);
int people_by_uid(struct people *p, uint32_t uid, people_found_fn done, void *ctx);
int people_by_name(struct people *p, const char *name, people_found_fn done, void *ctx);
