#include "teamd.h"

#include <errno.h>
#include <stdlib.h>
#include <syslog.h>
#include <unistd.h>

/* gate.sock: what pam_team asks. Nothing here waits for a disk except open_session, and nothing at
 * all waits for the user database longer than the module itself would wait. */

/* One ask while it is open. */
struct gate_call {
    struct teamd *t;
    struct conn *conn; /* NULL: the peer is gone */
    unsigned op;
    struct gate_ask ask;
    int pidfd; /* OPEN: the leader's, ours */
    struct job job;
    uint64_t session;           /* CONFIRM */
    char cgroup[CONTAINER_CAP]; /* OPEN: where to go */
    char service[WORD_CAP], user[NAME_CAP], ruser[NAME_CAP], tty[TTY_CAP], rhost[RHOST_CAP];
    char command[COMMAND_CAP], scope[SCOPE_CAP]; /* OPEN */
};

static void call_free(struct gate_call *g)
{
    if (g->conn)
        conn_set_data(g->conn, NULL);
    if (g->pidfd >= 0)
        close(g->pidfd);
    free(g);
}

/* What the person could do right there. */
static void put_way_out(struct wire_out *w, const struct reply *reply, const struct config *c)
{
    if (reply->id.bits != 0)
        wire_put_id(w, TEAM_ID, reply->id.bits);
    if (reply->needs != NEEDS_NOTHING)
        wire_put(w, TEAM_NEEDS, reply->needs == NEEDS_TICKET ? "ticket" : "reason");
    if (reply->needs != NEEDS_NOTHING && reply->longest_s > 0)
        wire_put_u64(w, TEAM_FOR_S, (uint64_t)reply->longest_s);
    if (reply->needs == NEEDS_TICKET && c->ticket)
        wire_put(w, TEAM_MATCH, config_ticket_pattern(c));
}

static void answer(struct gate_call *g, const struct reply *reply)
{
    char packet[TEAM_GATE_PACKET_MAX];
    struct wire_out w = wire_begin(packet, sizeof packet, TEAM_ANSWER, g->op);
    char plain[sizeof reply->text];

    if (!g->conn)
        return;
    text_make_plain(plain, sizeof plain, reply->text, strlen(reply->text));
    wire_put_u64(&w, TEAM_CODE, reply->code);
    wire_put(&w, TEAM_TEXT, plain);
    if (reply->session > 0)
        wire_put_u64(&w, TEAM_SESSION, reply->session);
    wire_put(&w, TEAM_CGROUP, g->cgroup);
    if (g->op == TEAM_OP_ACCOUNT && reply->code != REPLY_DONE)
        put_way_out(&w, reply, g->t->config);
    conn_set_data(g->conn, NULL);
    conn_answer(g->conn, packet, wire_finish(&w));
    g->conn = NULL;
}

static void deny(struct gate_call *g, const char *why)
{
    struct reply no = {.code = REPLY_FAILED};
    struct text t = text_over(no.text, sizeof no.text);

    text_put(&t, why);
    answer(g, &no);
    call_free(g);
}

/* What cannot be recorded has no answer: the module then lets nobody in but who would be let in
 * without teamd. A full disk must not lock out who has to empty it. */
static void hang_up(struct gate_call *g)
{
    if (g->conn) {
        conn_set_data(g->conn, NULL);
        conn_answer(g->conn, NULL, 0);
        g->conn = NULL;
    }
    call_free(g);
}

void gate_gone(struct conn *c)
{
    struct gate_call *g = conn_data(c);

    if (g)
        g->conn = NULL;
}

/* ---- the three questions ----------------------------------------------------------------------
 */

static void opened(struct job *j, const struct reply *reply, int error)
{
    struct gate_call *g = (struct gate_call *)(void *)((char *)j - offsetof(struct gate_call, job));
    int pidfd = g->pidfd;

    if (error < 0) {
        hang_up(g);
        return;
    }
    if (reply->unrecorded) {
        log_line(LOG_CRIT, "there is no room to record a session of root's own; it gets no answer, "
                           "so that the module lets root pass");
        hang_up(g);
        return;
    }
    if (reply->code == REPLY_DONE) {
        g->pidfd = -1;
        if (sessions_begin(g->t, reply->session, pidfd, g->cgroup) < 0) {
            deny(g, "the session cannot be contained");
            return;
        }
    }
    answer(g, reply);
    call_free(g);
}

static void open_session(struct gate_call *g)
{
    g->pidfd = g->conn ? conn_take_pidfd(g->conn) : -1;
    if (g->pidfd < 0) {
        deny(g, "the asking process is gone");
        return;
    }
    g->job.event = (struct event){.kind = EV_OPEN, .open = &g->ask};
    g->job.done = opened;
    turn_add(g->t, &g->job, true);
}

static void answered(struct job *j, const struct reply *reply, int error)
{
    struct gate_call *g = (struct gate_call *)(void *)((char *)j - offsetof(struct gate_call, job));

    if (error < 0) {
        hang_up(g);
        return;
    }
    answer(g, reply); /* close has been answered already */
    call_free(g);
}

static void process_event(struct gate_call *g, enum event_kind kind)
{
    g->job.event = (struct event){.kind = kind, .actor = g->ask.actor};
    g->job.event.actor.uid = gate_subject(g->t->world.policy, &g->ask);
    g->job.event.process.leader = g->ask.leader;
    g->job.event.process.session = g->ask.parent;
    g->job.done = answered;
}

/* The leader does not wait for the disk: what ends the session is that nothing of it is left. */
static void close_session(struct gate_call *g)
{
    struct reply done = {.code = REPLY_DONE};

    process_event(g, EV_CLOSE);
    answer(g, &done);
    turn_add(g->t, &g->job, false);
}

/* `parent` is the container that the process is in by now: it has to be that of its session. */
static void confirm_session(struct gate_call *g)
{
    process_event(g, EV_CONFIRM);
    g->job.event.process.session = g->session;
    g->job.event.process.in_place = g->ask.parent == g->session;
    if (g->job.event.process.in_place)
        sessions_entered(g->t, g->session);
    turn_add(g->t, &g->job, true);
}

static void account(struct gate_call *g)
{
    const struct teamd *t = g->t;
    struct reply reply = gate_account(&t->world, &g->ask, host_now());

    if (reply.needs != 0 && is_elevating(t, sessions_of_process(t, conn_pid(g->conn)))) {
        g->ask.actor.in_session = true; /* they are not asked */
        reply = gate_account(&t->world, &g->ask, host_now());
    }
    turn_note_asked(g->t, &g->ask, &reply);
    answer(g, &reply);
    call_free(g);
}

static void go(struct gate_call *g)
{
    if (g->op == TEAM_OP_ACCOUNT)
        account(g);
    else if (g->op == TEAM_OP_OPEN)
        open_session(g);
    else if (g->op == TEAM_OP_CONFIRM)
        confirm_session(g);
    else
        close_session(g);
}

/* ---- who it is about --------------------------------------------------------------------------
 */

static void subject_found(void *ctx, int error, const struct person *who)
{
    struct gate_call *g = ctx;

    if (error == 0) {
        learn_person(g->t, who->uid, 0, who);
        g->ask.named_uid = who->uid;
    }
    if (!g->conn)
        call_free(g);
    else
        go(g);
}

static void exempt_found(void *ctx, int error, const struct person *who)
{
    struct gate_call *g = ctx;

    learn_person(g->t, g->ask.actor.uid, error, who);
    if (!g->conn)
        call_free(g);
    else
        go(g);
}

/* PAM_USER is only a name yet; and who might be exempt has to be known. */
static void look_up_and_go(struct gate_call *g)
{
    const struct world *w = &g->t->world;
    const char *name = gate_speaks_for(w->policy, &g->ask);
    uint32_t uid = g->ask.actor.uid;
    int r = -ENOENT;

    if (name) {
        if (name[0] != '\0')
            r = people_by_name(g->t->people, name, subject_found, g);
    } else if (uid != 0 && w->policy->n_exempt > 0 && !world_person(w, uid)) {
        r = people_by_uid(g->t->people, uid, exempt_found, g);
    }
    if (r < 0)
        go(g);
}

static bool is_reserved(const struct teamd *t, const char *user)
{
    return strcmp(user, t->options.user) == 0 || strcmp(user, "team-courier") == 0;
}

static bool read_ask(struct gate_call *g, const struct wire_msg *msg)
{
    uint64_t uid;

    if (msg->op < TEAM_OP_ACCOUNT || msg->op > TEAM_OP_CONFIRM ||
        !wire_find_u64(msg->fields, TEAM_UID, &uid) || uid >= NOBODY ||
        !wire_copy(msg->fields, TEAM_SERVICE, g->service, sizeof g->service) ||
        g->service[0] == '\0' || !wire_copy(msg->fields, TEAM_USER, g->user, sizeof g->user) ||
        !wire_copy(msg->fields, TEAM_RUSER, g->ruser, sizeof g->ruser) ||
        !wire_copy(msg->fields, TEAM_TTY, g->tty, sizeof g->tty) ||
        !wire_copy(msg->fields, TEAM_RHOST, g->rhost, sizeof g->rhost))
        return false;
    wire_find_u64(msg->fields, TEAM_SESSION, &g->session);
    g->op = msg->op;
    g->ask = (struct gate_ask){
        .actor = {.uid = (uint32_t)uid},
        .service = g->service,
        .user = g->user,
        .ruser = g->ruser,
        .named_uid = NOBODY,
        .containable = g->t->containers != NULL,
        .user_reserved = is_reserved(g->t, g->user),
        .tty = g->tty,
        .rhost = g->rhost,
        .audit_session = NOBODY,
        .command = g->command,
        .scope = g->scope,
    };
    return true;
}

/* Before it is found out whether it was this process. */
static void read_for_the_record(struct gate_call *g)
{
    uint32_t pid = conn_pid(g->conn);

    g->ask.audit_session = process_audit_session(pid);
    if (!gate_logs_in(g->t->world.policy, &g->ask))
        process_command(pid, g->command);
    else if (g->t->use_scopes)
        scope_of(pid, g->scope, &g->ask.scope_number);
}

/* `account` is what everybody waits for. Its answer depends on the login uid alone, and only the
 * process that asked does anything with it: while that waits, its number is nobody else's. */
static int look_at_process(struct gate_call *g)
{
    uint32_t pid = conn_pid(g->conn);
    struct process p;
    int pidfd, r;

    if (g->op == TEAM_OP_ACCOUNT)
        return process_login_now(pid, &g->ask.actor.loginuid);
    pidfd = conn_pidfd(g->conn);
    if (pidfd < 0)
        return pidfd;
    g->ask.parent = sessions_of_process(g->t, pid);
    if (g->op == TEAM_OP_OPEN)
        read_for_the_record(g);
    r = process_read(pidfd, pid, &p);
    if (r < 0)
        return r;
    g->ask.actor.loginuid = p.loginuid;
    g->ask.actor.in_session = is_elevating(g->t, g->ask.parent);
    g->ask.leader = p.leader;
    return 0;
}

void gate_ask(struct teamd *t, struct conn *c, const struct wire_msg *msg)
{
    struct gate_call *g = calloc(1, sizeof *g);
    int r;

    if (!g) {
        conn_answer(c, NULL, 0);
        return;
    }
    g->t = t;
    g->conn = c;
    g->pidfd = -1;
    conn_set_data(c, g);
    if (!read_ask(g, msg)) {
        deny(g, "that is no question for the gate");
        return;
    }
    r = look_at_process(g);
    if (r == -EMFILE || r == -ENFILE)
        deny(g, "teamd has too few descriptors left; try again later");
    else if (r < 0)
        deny(g, "the asking process is gone");
    else
        look_up_and_go(g);
}
