/* The composition: the files of this folder are the only ones that know every shell. For every
 * event the order is decide (core) -> commit (one LMDB transaction) -> act (answer, watch, log). */
#pragma once

#include "conf/config.h"
#include "core/engine.h"
#include "host/host.h"
#include "ipc/ipc.h"
#include "store/store.h"

/* Events that are committed together; one alone to measure what that is worth (make bench). */
#ifndef TURN_BATCH_MAX
#define TURN_BATCH_MAX 256
#endif

enum {
    EXIT_TEMPFAIL = 75,       /* the disk failed: only a new start helps (sysexits.h) */
    PRIORITY_TURN_GATE = -50, /* after gate connections, before control.sock */
    PRIORITY_TURN = 50,       /* after what control.sock has ready */
    PRIORITY_QUERIES = 60,
};

struct options {
    const char *config, *state_dir, *runtime_dir, *user;
    bool check;
};

/* An event on its way to be decided and committed. */
struct job {
    struct job *next;
    struct event event;
    /* After the commit: the reply counts. `error` < 0: nothing was committed, nothing happened.
     * Owns the job. */
    void (*done)(struct job *j, const struct reply *reply, int error);
    /* An event about a request that has ended in the meantime, maybe in this very turn: called
     * after the commit, to find it in the store and queue the job again. */
    void (*find_again)(struct job *j);
    bool found_again;
    bool keep; /* of our own making: tried again until it is committed */
};

/* A request that approvers were told of on their terminals. */
struct told {
    struct id id;
    int64_t at_us;
};

enum { TOLD_LATELY = 16 };

/* Of groups of Identity Center: people of this host whom the policy itself does not lead to. */
enum { MEMBERS_MAX = 256 };

struct members {
    uint32_t uids[MEMBERS_MAX];
    size_t n;
    /* How far the look-ups are: principal of the policy, place in the directory, and asked of this
     * group. One is under way. */
    size_t principal;
    uint32_t at, asked;
    bool looking;
};

struct link;  /* to team-courier */
struct asked; /* questions of pam_acct_mgmt, folded */

struct teamd {
    struct options options;
    sd_event *loop;
    struct config *config;
    struct people *people;
    struct store *store;
    struct ipc *ipc;
    struct budget *budget;
    struct world world;
    void *world_memory;
    struct effects effects;
    char boot_id[BOOT_ID_CAP];
    uid_t uid;
    gid_t gid;
    bool stopping;

    /* turn.c */
    struct job *first, **last;
    struct act *acts; /* decided in this turn, for after the commit */
    size_t n_acts, cap_acts;
    struct job *unfound; /* of this turn: see job.find_again */
    size_t n_jobs;
    sd_event_source *turn, *turn_at_latest, *wake_wall, *wake_boot, *retry, *flush;
    bool in_turn;
    unsigned retry_s; /* 0: the last commit went well */
    struct asked *asked;
    struct effect load; /* "policy.load", to be committed; kind 0: none */

    /* sessions.c */
    struct containers *containers; /* NULL: there are none on this host */
    bool use_scopes;               /* those of logins */
    struct live *live;
    unsigned n_scopes;          /* of the live ones */
    bool unfollowed;            /* some session could not be: there was no memory */
    uint64_t surveyed, counted; /* when: all processes, see live.h */
    sd_event_source *look_around;
    uint64_t look_below; /* this round has come down to that session; 0: it is over */
    uint64_t look_again; /* when the next one begins */

    /* query.c */
    struct query *queries;   /* that have more rows to send */
    struct query *followers; /* that wait for something to happen */
    uint64_t commits;        /* since the start: has anything happened? */
    struct waiter *waiters;
    sd_event_source *more_rows;
    struct log *readers; /* that follow activity */

    struct backup *backup; /* under way */

    /* tell.c */
    struct told told[TOLD_LATELY];
    unsigned n_told;
    struct link *link;
    uid_t courier_uid; /* (uid_t)-1: there is no such user */

    /* reload.c */
    struct reload *reload;
    struct members members;
    sd_event_source *refresh;
    struct wall loaded_at;
    unsigned warnings;
};

/* ---- turn.c: decide, commit, act ------------------------------------------------------------- */

int turn_new(struct teamd *t);
void turn_free(struct teamd *t);

/* Queues an event; it is committed with the others of this turn. */
void turn_add(struct teamd *t, struct job *j, bool gate);

/* New facts, a policy or a person: they count from this moment on, whether or not anything can be
 * committed; what they mean for live requests is decided and committed in the next turn. */
void turn_learn(struct teamd *t, const struct event *ev);

/* Is such an event queued already? */
bool turn_has(const struct teamd *t, enum event_kind kind, uint64_t session);

/* Decides and commits everything that is queued, now. */
void turn_run(struct teamd *t);

/* Fills the world from the store. Sessions whose leader is gone become events. */
int turn_restore(struct teamd *t);

/* Notes an answered question for the audit trail; committed within a second. */
void turn_note_asked(struct teamd *t, const struct gate_ask *ask, const struct reply *reply);

/* ---- asked.c: questions of the gate, folded ---------------------------------------------------
 */

struct asked *asked_new(void);
struct asked *asked_free(struct asked *a);
bool asked_empty(const struct asked *a);
bool asked_full(const struct asked *a);
void asked_add(struct asked *a, uint32_t subject, const char *service, const struct reply *reply);

/* Makes events of the trail of what has been folded, from *at on. False when there is nothing more.
 */
bool asked_effects(const struct asked *a, const struct world *w, size_t *at, struct effects *out);
void asked_clear(struct asked *a);

/* ---- gate.c -----------------------------------------------------------------------------------
 */

void gate_ask(struct teamd *t, struct conn *c, const struct wire_msg *msg);
void gate_gone(struct conn *c);

/* ---- inplace.c: what pam_team asks for a person who waits
 * -----------------------------------------
 */

/* TEAM_OP_AWAIT and TEAM_OP_FILE; control_gone() is for them as well. */
void in_place_ask(struct teamd *t, struct conn *c, const struct wire_msg *msg);

/* ---- tell.c: approvers on their terminals
 * --------------------------------------------------------
 */

/* Somebody waits for this request, if it is pending. */
void tell_approvers(struct teamd *t, struct id id);

/* ---- sessions.c: live sessions as processes ----------------------------------------------------
 */

int sessions_new(struct teamd *t);
void sessions_free(struct teamd *t);

/* A session has been committed: follows its leader (the pidfd is taken over), and makes its
 * container if it is to have one; `cgroup` is then where the leader has to go. */
int sessions_begin(struct teamd *t, uint64_t number, int pidfd, char cgroup[CONTAINER_CAP]);

/* Its leader is in there now: from now on it can leave it. */
void sessions_entered(struct teamd *t, uint64_t number);

/* A session of the store: followed again, or an event if nothing is left of it. */
int sessions_restore(struct teamd *t, const struct session *s, bool same_boot);

/* Does what was decided and committed. */
void sessions_act(struct teamd *t, const struct act *act);

/* While nothing can be committed: what is past its end is killed all the same, and recorded later.
 */
void sessions_enforce(struct teamd *t, struct now now);

/* The session in whose container the process is; 0: none. */
uint64_t sessions_of_process(const struct teamd *t, uint32_t pid);

/* How many cannot be ended. */
uint32_t sessions_stuck(const struct teamd *t);

/* kept.c: takes over what systemd has kept of a session, if that is what the name says; what no
 * session of the store has claimed is not needed any more. */
bool kept_inherit(const char *name, int fd);
void kept_rest(void);

/* ---- budget.c: what one person may cost ---------------------------------------------------------
 */

struct budget *budget_new(void);
struct budget *budget_free(struct budget *b);

/* Whose account something is put on. */
uint32_t budget_payer(uint32_t uid, uint32_t loginuid);

/* May they ask for a change? Each refusal costs; budget_refused() takes it. */
bool budget_allows(struct budget *b, const struct actor *a);
void budget_refused(struct budget *b, const struct actor *a);

/* May they make one more request, or ask for one more extension? What is made costs. */
bool budget_may_ask(struct budget *b, const struct actor *a);
void budget_asked(struct budget *b, const struct actor *a);

/* Lines on terminals: a few at once, then one in a while. False: not now. */
enum budget_line {
    BUDGET_TELLS = 1, /* a requester, to all who could approve */
    BUDGET_HEARS = 2, /* an approver, from all who ask */
};
bool budget_takes(struct budget *b, uint32_t uid, enum budget_line what);

/* May another look-up be under way for them? If so it is counted until budget_looked_up(). */
bool budget_look_up(struct budget *b, const struct actor *a);
void budget_looked_up(struct budget *b, const struct actor *a);

/* ---- control.c: control.sock, one ask at a time ------------------------------------------------
 */

void control_ask(struct teamd *t, struct conn *c, const struct wire_msg *msg);
void control_gone(struct conn *c);

/* One ask while it is open: conn_data(). */
struct ask {
    struct teamd *t;
    struct conn *conn; /* NULL: the peer is gone; what is queued goes on */
    struct wire_msg msg;
    struct actor actor;
    bool impostor; /* the login uid is somebody else's */
    /* While people are looked up; then go() is called, from the loop. */
    void (*go)(struct ask *a);
    unsigned looking_up;
    int look_up_error;           /* the first one that failed */
    void (*drop)(struct ask *a); /* frees what hangs on the ask; called once, at its end */
    void *more;                  /* that */
};

/* The open ask of a connection; NULL: out of memory, and the connection is closed. */
struct ask *ask_new(struct teamd *t, struct conn *c, const struct wire_msg *msg);

/* Does this session's container hold somebody who has been elevated in it, by sudo or su? */
bool is_elevating(const struct teamd *t, uint64_t session);

/* Looks these people up afresh, then calls go(). */
void ask_look_up(struct ask *a, const uint32_t *uids, size_t n, void (*go)(struct ask *a));

/* One look-up that was counted in `looking_up` has its answer. */
void ask_looked_up(struct ask *a);

/* The end of an ask: answers, if anybody is left to hear it, and frees it. */
void ask_answer(struct ask *a, const struct reply *reply);
void ask_say(struct ask *a, enum reply_code code, const char *text);

/* The end of an ask that there is no answer to: its connection is closed. */
void ask_hang_up(struct ask *a);

/* The request that the ID of the ask names: in full, or by a prefix that is unique among the live
 * requests that the person may see. What is not live comes from the store in *history. False:
 * answered, and over. */
bool ask_find(struct ask *a, struct id *ret, struct request *history, bool *ret_live);

/* The target that the person means, accounts by their names included. What is wrong stands in
 * `why`, and with which code it is answered ask_target_code() knows. */
enum target_error ask_target(struct ask *a, struct wire_span v, struct target *ret,
                             char why[static WHY_CAP]);
enum reply_code ask_target_code(struct ask *a, struct wire_span v, enum target_error e);

/* ---- change.c: asks that change something ------------------------------------------------------
 */

void change_ask(struct ask *a);

/* ---- query.c: asks that are answered with rows, and those that wait -----------------------------
 */

void query_ask(struct ask *a);

/* There is room again on this connection. */
void query_room(struct ask *a);

void query_free(struct teamd *t);
int query_new(struct teamd *t);

/* ---- wait.c ------------------------------------------------------------------------------------
 */

void wait_ask(struct ask *a);
void wait_ask_in_place(struct ask *a);

/* After a commit: who waits for a request is answered if it has got there. */
void wait_tell(struct teamd *t);

/* teamd stops: who waits or follows would wait in vain. */
void wait_end(struct teamd *t);

/* ---- follow.c: questions about the trail that never end ----------------------------------------
 */

/* After a commit: the followers read on. */
void follow_tell(struct teamd *t);
void follow_end(struct teamd *t);

/* New activity of a request is in the store, the first of it of that time: who follows it reads on.
 */
void logs_tell(struct teamd *t, struct id request, struct wall oldest);

/* Does anybody? */
bool logs_followed(const struct teamd *t, struct id request);

/* ---- link.c: courier.sock ----------------------------------------------------------------------
 */

struct link_waiter;

int link_new(struct teamd *t);
void link_free(struct teamd *t);

/* teamd stops: who waits for the courier would wait in vain. */
void link_end(struct teamd *t);

/* A configuration is in force. */
void link_configure(struct teamd *t);

void link_ask(struct teamd *t, struct conn *c, const struct wire_msg *msg);
void link_room(struct teamd *t, struct conn *c);
void link_gone(struct teamd *t, struct conn *c);

/* Is there a courier that could answer? Else the ask is answered, and over. */
bool link_can_be_asked(struct ask *a);

/* The AWS grants of a request that was committed may have to be collected, or not any more. */
void link_collect(struct teamd *t, struct id request);

/* A row of the outbox was committed. `check`: it has not changed, and should be there. */
void link_errand(struct teamd *t, uint64_t number, bool check);

/* Reads AWS, compares with it. `w` (may be NULL) is told when that is done. */
void link_refresh(struct teamd *t, struct link_waiter *w);
void link_reconcile(struct teamd *t, struct link_waiter *w);
void link_wait_not(struct link_waiter *w);

/* ---- backup.c: a copy of the store --------------------------------------------------------------
 */

/* Somebody who may has asked for one. */
void backup_begin(struct ask *a);

/* Ends a copy that is under way, and with it the process: before the store is closed. */
void backup_end(const struct teamd *t, int status);

/* ---- reload.c: configuration and people --------------------------------------------------------
 */

/* Reads the configuration and lists the people it names. `by` for the trail; `done` gets 0 or
 * -errno and a line for a person. One at a time: -EBUSY. */
typedef void (*reload_done_fn)(void *ctx, int error, const char *text);
int reload_start(struct teamd *t, const char *by, reload_done_fn done, void *ctx);

/* The first listing, and one every five minutes. */
int reload_begin(struct teamd *t, reload_done_fn done, void *ctx);
void reload_free(struct teamd *t);

/* ---- members.c: people whom only Identity Center says to be approvers ---------------------------
 */

/* Looks for them on this host: after each listing, and when AWS has been read. */
void members_look_up(struct teamd *t);

/* A look-up's answer becomes an event if it says something new. */
void learn_person(struct teamd *t, uint32_t uid, int error, const struct person *who);

/* ---- log.c ------------------------------------------------------------------------------------
 */

/* One line to the journal, or to stderr when there is none; never blocks. Priorities as in
 * syslog(3). */
void log_line(int priority, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Events of the trail are logged when they are committed: hold them, then release or drop. */
void log_audit_hold(const struct effects *out);
void log_audit_release(void);
void log_audit_drop(void);
