#include "teamd.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
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
    char service[WORD_CAP], user[NAME_CAP], ruser[NAME_CAP], tty[TTY_CAP], rhost[RHOST_CAP];
};

static void call_free(struct gate_call *g)
{
    if (g->conn)
        conn_set_data(g->conn, NULL);
    if (g->pidfd >= 0)
        close(g->pidfd);
    free(g);
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

void gate_gone(struct conn *c)
{
    struct gate_call *g = conn_data(c);

    if (g)
        g->conn = NULL;
}

/* ---- leaders ----------------------------------------------------------------------------------
 */

struct leader_watch {
    struct leader_watch *next, **link;
    struct teamd *t;
    uint64_t session;
    int pidfd;
    sd_event_source *source;
};

static void watch_free(struct leader_watch *l)
{
    *l->link = l->next;
    if (l->next)
        l->next->link = l->link;
    sd_event_source_unref(l->source);
    close(l->pidfd);
    free(l);
}

static void gone_done(struct job *j, const struct reply *reply, int error)
{
    (void)reply;
    (void)error;
    free(j);
}

static int leader_gone(sd_event_source *source, int fd, uint32_t revents, void *ctx)
{
    struct leader_watch *l = ctx;
    struct job *j = calloc(1, sizeof *j);

    (void)source;
    (void)fd;
    (void)revents;
    if (!j)
        return 0; /* the pidfd stays readable: again in the next turn of the loop */
    j->event = (struct event){.kind = EV_LEADER_GONE, .session = l->session};
    j->done = gone_done;
    j->keep = true;
    turn_add(l->t, j, false);
    watch_free(l);
    return 0;
}

/* Takes the pidfd over, also when it fails. */
static int watch(struct teamd *t, uint64_t session, int pidfd)
{
    struct leader_watch *l = calloc(1, sizeof *l);
    int r;

    if (!l) {
        close(pidfd);
        return -ENOMEM;
    }
    *l = (struct leader_watch){.t = t, .session = session, .pidfd = pidfd, .next = t->leaders};
    l->link = &t->leaders;
    if (l->next)
        l->next->link = &l->next;
    t->leaders = l;
    r = sd_event_add_io(t->loop, &l->source, pidfd, EPOLLIN, leader_gone, l);
    if (r < 0)
        watch_free(l);
    return r;
}

int gate_watch_leader(struct teamd *t, const struct session *s)
{
    int pidfd;

    for (const struct leader_watch *l = t->leaders; l; l = l->next)
        if (l->session == s->number)
            return 0;
    pidfd = leader_open(&s->leader);
    if (pidfd < 0)
        return pidfd;
    return watch(t, s->number, pidfd);
}

void gate_free(struct teamd *t)
{
    while (t->leaders)
        watch_free(t->leaders);
}

/* ---- the three questions ----------------------------------------------------------------------
 */

static void opened(struct job *j, const struct reply *reply, int error)
{
    struct gate_call *g = (struct gate_call *)(void *)((char *)j - offsetof(struct gate_call, job));
    int pidfd = g->pidfd;

    if (error < 0) {
        deny(g, "teamd cannot record the session");
        return;
    }
    if (reply->code == REPLY_DONE) {
        g->pidfd = -1;
        if (watch(g->t, reply->session, pidfd) < 0)
            log_line(LOG_ERR, "session %llu: its leader cannot be watched",
                     (unsigned long long)reply->session);
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

static void closed(struct job *j, const struct reply *reply, int error)
{
    (void)reply;
    (void)error;
    call_free((struct gate_call *)(void *)((char *)j - offsetof(struct gate_call, job)));
}

/* The leader does not wait for the disk: what ends the session is its own end. */
static void close_session(struct gate_call *g)
{
    struct reply done = {.code = REPLY_DONE};

    g->job.event =
        (struct event){.kind = EV_CLOSE, .actor = g->ask.actor, .close = {.leader = g->ask.leader}};
    g->job.event.actor.uid = gate_subject(g->t->world.policy, &g->ask);
    g->job.done = closed;
    answer(g, &done);
    turn_add(g->t, &g->job, false);
}

static void account(struct gate_call *g)
{
    struct reply reply = gate_account(&g->t->world, &g->ask, host_now());

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

    if (msg->op < TEAM_OP_ACCOUNT || msg->op > TEAM_OP_CLOSE ||
        !wire_find_u64(msg->fields, TEAM_UID, &uid) || uid >= NOBODY ||
        !wire_copy(msg->fields, TEAM_SERVICE, g->service, sizeof g->service) ||
        g->service[0] == '\0' || !wire_copy(msg->fields, TEAM_USER, g->user, sizeof g->user) ||
        !wire_copy(msg->fields, TEAM_RUSER, g->ruser, sizeof g->ruser) ||
        !wire_copy(msg->fields, TEAM_TTY, g->tty, sizeof g->tty) ||
        !wire_copy(msg->fields, TEAM_RHOST, g->rhost, sizeof g->rhost))
        return false;
    g->op = msg->op;
    g->ask = (struct gate_ask){
        .actor = {.uid = (uint32_t)uid},
        .service = g->service,
        .user = g->user,
        .ruser = g->ruser,
        .named_uid = NOBODY,
        .user_reserved = is_reserved(g->t, g->user),
        .tty = g->tty,
        .rhost = g->rhost,
    };
    return true;
}

void gate_ask(struct teamd *t, struct conn *c, const struct wire_msg *msg)
{
    struct gate_call *g = calloc(1, sizeof *g);
    struct process p;

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
    if (process_read(conn_pidfd(c), conn_pid(c), &p) < 0) {
        deny(g, "the asking process is gone");
        return;
    }
    g->ask.actor.loginuid = p.loginuid;
    g->ask.leader = p.leader;
    look_up_and_go(g);
}
