/* Inside the engine: one step under way, and what its parts share. Nobody outside core includes
 * this. */
#pragma once

#include "core/engine.h"

struct step {
    struct world *w;
    struct now now;
    struct effects *out;
    const struct request *written; /* as put_request() had it last */
    const char *comment; /* of who turns down or ends something: the detail of that event */
};

/* ---- effects (say.c) ------------------------------------------------------------------------- */

/* Room for at least one more whole transition; loops stop without it and ask to be called again. */
bool step_room(const struct step *s);

struct effect *emit(struct step *s, enum effect_kind kind);
void put_request(struct step *s,
                 const struct request *r); /* once per step and request: the last state counts */
void put_session(struct step *s, const struct session *session);
void put_act(struct step *s, enum act_kind kind, const struct session *session, int64_t left_s);
void put_words(struct step *s, struct id id, enum words_kind kind, const char *text);
void put_decision(struct step *s, struct request *r, uint32_t uid, bool approved, enum about about,
                  const char *comment);

/* An event of the trail about a request (r may be NULL). `actor` is "" for teamd itself. */
struct audit *put_audit(struct step *s, const char *action, const char *actor,
                        const struct request *r, const char *outcome, const char *detail);

/* ---- words for people (say.c) ---------------------------------------------------------------- */

struct text reply_text(struct step *s, enum reply_code code); /* sets the code, starts the line */
void reply_say(struct step *s, enum reply_code code, const char *text);
void reply_about(struct step *s, const struct request *r); /* id and state of the answer */

/* REPLY_WRONG_STATE: "it is active", and more if there is more to say. */
void say_state(struct step *s, const struct request *r, const char *more);

/* Notes in the trail that what the reply says was refused; r may be NULL. */
struct audit *refuse(struct step *s, const char *action, const struct event *ev,
                     const struct request *r);

/* "bob", "bob or carol", "bob, carol or erin", "bob, carol or 7 others" */
void text_put_people(struct text *t, const struct person *const people[], size_t n);
void text_put_cut(struct text *t, const char *s); /* as much as there is room for */
void text_put_target(struct text *t, const struct target *target);
void text_put_left(struct text *t, struct wall from,
                   struct wall to); /* the time between, in whole seconds */

/* ---- approval (approval.c) ------------------------------------------------------------------- */

enum certainty { CERTAIN_NO = 0, CERTAIN_YES = 1, UNCERTAIN = 2 };

/* Is the requester still eligible for every target, for the whole duration? Only a person who was
 * looked up gives a certain answer. */
enum certainty still_eligible(const struct world *w, const struct request *r, int64_t duration_s);

/* Was it let through without an approval that the policy asks for by now? */
bool approval_missing(const struct world *w, const struct request *r);

/* Have those who approved so far, going by what they are now, approved every target that needs it?
 */
bool quorum_complete(const struct world *w, const struct request *r);

/* How far the open question has come, if two numbers can say it: one target, and one rule for it.
 */
bool approval_count(const struct world *w, const struct request *r, uint32_t *ret_have,
                    uint32_t *ret_of);

/* Has this person approved the open question already? */
bool has_approved(const struct request *r, uint32_t uid);

/* May this person approve one of its targets, going by the rules alone? */
bool approves_any_target(const struct world *w, const struct request *r, uint32_t uid);

bool is_admin(const struct world *w, uint32_t uid);

/* Could the people whom we know reach a quorum for this target without the requester? */
bool quorum_possible(const struct world *w, const struct person *requester,
                     const struct target *target);

/* ---- moves (moves.c) ------------------------------------------------------------------------- */

/* Does what the table says, with all that belongs to the new state: clocks, grants, effects.
 * Returns the kind of the move; a request that reaches a final state is gone from the world
 * afterwards. `by` as in put_audit. */
enum move_kind move_request(struct step *s, struct request *r, enum request_event what,
                            const char *by);

/* What time has already decided about this request happens before anything else does. Returns NULL
 * if it is gone from the world by that. */
struct request *overtake(struct step *s, struct request *r);

struct deadline in_seconds(struct now now, int64_t seconds);
struct deadline at_once(struct now now);
void set_due(struct step *s, struct request *r, struct deadline due);

static const struct deadline NEVER = {{NEVER_US}, {NEVER_US}};

/* The window of an activating request begins now. */
void begin_window(struct step *s, struct request *r);

/* ---- AWS grants and their assignments (errands.c) ---------------------------------------------
 */

bool has_aws(const struct request *r);

/* Brings an activating request's grants up to what AWS has: it may be active after that, or on its
 * way out. */
void sync_activating(struct step *s, struct request *r);

/* The same for one in `ending`: is there anything of it that AWS still has, and nobody else wants?
 */
bool aws_is_left(struct step *s, struct request *r);

/* When the credentials that may have been fetched will be over. */
void note_credentials(struct request *r);

/* At its end: what AWS is making for it is there for a moment, until it is removed; and what it has
 * made may not have opened the grant yet. */
void note_half_made(struct step *s, struct request *r);

/* Assignments that nobody wants any more are on their way out after this. */
void pass_errands(struct step *s);

/* ---- how sessions end (ladder.c) --------------------------------------------------------------
 */

/* What belongs to the state that a session has come into. */
void session_enter(struct step *s, struct session *session);
void change_session(struct step *s, struct session *session, enum session_event what);

/* What time has decided about it. */
void session_overtake(struct step *s, struct session *session);

/* Tells the sessions of an active request whose moments have come since then. */
void warn_before_end(struct step *s, const struct request *r, struct wall since);

/* A request in `ending`: hands its sessions over or marks them, and ends when none is left. */
void try_finish(struct step *s, struct request *r);

void extension_close(struct step *s, struct request *r, const char *action, const char *by);
void extension_grant(struct step *s, struct request *r, const char *by);

/* Makes sure that the engine is called again at d at the latest. */
void wake_at(struct world *w, struct deadline d);

/* This host's target of a service class. */
struct target host_target(const struct world *w, int class);

/* The elevation of this person that is open for this target now; of several, the one that ends
 * last. */
struct request *open_elevation(const struct world *w, uint32_t uid, const struct target *target,
                               struct now now);

/* ---- who acts on what (decide.c) ------------------------------------------------------------- */

/* May this actor ask and decide: not root, the kernel's login uid agrees, known to the host. Says
 * why not. */
bool identity_allows(struct step *s, const struct event *ev);

/* The request that the event is about, after what time has decided about it: live, or as it just
 * ended, or from history. NULL, and a reply, if there is none that the actor may see, or the actor
 * is not who the uid says. */
const struct request *subject(struct step *s, const struct event *ev, enum identity_need need);

/* ---- events ---------------------------------------------------------------------------------- */

void on_submit(struct step *s, const struct event *ev); /* ask.c */
void on_extend(struct step *s, const struct event *ev);
void on_decide(struct step *s, const struct event *ev); /* decide.c */
void on_cancel(struct step *s, const struct event *ev);
void on_revoke(struct step *s, const struct event *ev);
void on_admin(struct step *s, const struct event *ev);
void on_open(struct step *s, const struct event *ev);  /* gate.c */
void on_close(struct step *s, const struct event *ev); /* ladder.c */
void on_confirm(struct step *s, const struct event *ev);
void on_escape(struct step *s, const struct event *ev);
void on_gone(struct step *s, const struct event *ev, enum session_event what);
void on_result(struct step *s, const struct event *ev); /* errands.c */
void on_directory(struct step *s, const struct event *ev);
