/* The core is a function: engine_step(world, event, now) -> effects. It decides; the caller commits
 * the effects in one transaction and only then acts on them. If the commit fails, the world is no
 * longer what is stored: throw it away and restore it from the store. */
#pragma once

#include "core/event.h"
#include "core/world.h"

#include <team/text.h>

/* The only way into the core that changes anything. `out` is overwritten. */
void engine_step(struct world *w, const struct event *ev, struct now now, struct effects *out);

/* The earliest moment at which something changes by itself: step EV_TICK then (earlier is
 * harmless). */
struct deadline engine_wake(const struct world *w);

/* ---- questions, which change nothing --------------------------------------------------------- */

/* Whose access is it? The real uid's in sudo and su, then this is NULL. PAM_USER's in ssh, login
 * and all others. PAM_RUSER's where sudo has become root before it asks on behalf of somebody else,
 * as `sudo -e` does. The name has to be resolved before the question is put. */
const char *gate_speaks_for(const struct policy *p, const struct gate_ask *ask);
uint32_t gate_subject(const struct policy *p, const struct gate_ask *ask);

/* Is it a login that begins, as in ssh and login, and not somebody who is in and becomes another?
 */
bool gate_logs_in(const struct policy *p, const struct gate_ask *ask);

/* The class of a service in which people can wait for a request, or make one: sudo's and su's, but
 * not polkit. CLASS_NONE: in this one they cannot. */
int gate_class_in_place(const struct policy *p, const char *service);

/* pam_acct_mgmt: may this person use this service now? Code, and the line for the person. */
struct reply gate_account(const struct world *w, const struct gate_ask *ask, struct now now);

/* What a peer wants to do decides how sure we must be of who it is (DESIGN.md 4, "Who is asking").
 */
enum identity_need {
    IDENTITY_READ = 1, /* read, cancel, revoke: the login uid must not be somebody else's */
    IDENTITY_GATE =
        2, /* run under an elevation: it must be set as well, unless identity.loginuid is "check" */
    IDENTITY_DECIDE = 3, /* ask and decide: and the peer must be outside every elevated session */
};

/* Is this peer who its uid says? Fills `why`, and returns false, if not. uid 0 always is. */
bool identity_ok(const struct policy *p, const struct actor *a, enum identity_need need,
                 char why[static 200]);

/* May this person see this request, live or not? `decided`: they took part in deciding it. */
bool may_see(const struct world *w, uint32_t viewer, const struct request *r, bool decided);

/* Could this person decide the question that is open on this request now? */
bool may_decide(const struct world *w, const struct request *r, uint32_t uid);

/* May this actor have teamd do what only root and admins may? */
bool may_administer(const struct world *w, const struct actor *actor);

/* Admins, auditors and root see everything. */
bool sees_everything(const struct world *w, uint32_t viewer);

/* Who could still complete the open question, by name; at most cap. Returns how many. */
size_t waiting_for(const struct world *w, const struct request *r, const struct person *out[],
                   size_t cap);

/* The same for a target nobody has asked for yet. */
size_t would_approve(const struct world *w, uint32_t requester, const struct target *target,
                     const struct person *out[], size_t cap);

/* How far a pending request has come, in one line: who has approved it, and who could. */
void say_progress(const struct world *w, const struct request *r, struct text *t);

/* Who acts, for the trail: the person's name, "root", or "uid 1234". */
struct name actor_name(const struct world *w, uint32_t uid);

/* Explains: may `who` have this target for so long, and if not, what is missing? Writes up to cap
 * lines, each with a verdict. Returns how many; *ret_yes is the sum. duration_s 0: any. */
struct finding {
    bool yes;
    char text[240];
};
size_t engine_why(const struct world *w, uint32_t who, const struct target *target,
                  int64_t duration_s, struct now now, struct finding out[], size_t cap,
                  bool *ret_yes);
