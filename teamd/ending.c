#include "live.h"

#include <errno.h>
#include <signal.h>
#include <sys/pidfd.h>
#include <syslog.h>

/* What has to be done to a session whose elevation ends: said, asked, and killed. */

/* ---- saying it --------------------------------------------------------------------------------
 */

enum { TERMINALS_MAX = 8 };

struct terminals {
    size_t n;
    char names[TERMINALS_MAX][TTY_CAP];
};

static void note_terminal(void *ctx, uint32_t pid)
{
    struct terminals *t = ctx;
    char tty[TTY_CAP];

    terminal_of(pid, tty);
    if (!tty[0] || t->n == TERMINALS_MAX)
        return;
    for (size_t i = 0; i < t->n; i++)
        if (strcmp(t->names[i], tty) == 0)
            return;
    memcpy(t->names[t->n++], tty, sizeof tty);
}

static void each_process(const struct live *l, const struct session *s, cgroup_member_fn each,
                         void *ctx)
{
    static uint32_t tree[256];

    if (l->scope[0]) {
        scope_each(l->scope, l->scope_number, each, ctx);
    } else if (l->below[0]) {
        container_each(l->t->containers, l->below, each, ctx);
    } else if (l->pidfd >= 0) {
        size_t n;

        live_survey(l->t);
        n = process_tree(s->leader.pid, tree, sizeof tree / sizeof tree[0]);
        for (size_t i = 0; i < n; i++)
            each(ctx, tree[i]);
    }
}

/* sshd names no terminal (its PAM_TTY is "ssh"): then those of the session's processes are told.
 * Whatever is found, only what is the person's is written to. */
static void say_to(const struct live *l, const struct session *s, const char *line)
{
    struct terminals found = {0};

    if (s->tty[0] && terminal_say(s->tty, s->uid, line) == 0)
        return;
    each_process(l, s, note_terminal, &found);
    for (size_t i = 0; i < found.n; i++)
        (void)terminal_say(found.names[i], s->uid, line);
}

static void warn(const struct live *l, const struct session *s, const struct act *act)
{
    char line[200];
    struct text t = text_over(line, sizeof line);

    text_put(&t, "team: your elevation ");
    text_put_id(&t, act->request.bits);
    text_put(&t, " ends in ");
    text_put_duration(&t, (uint64_t)act->left_s);
    text_put(&t, ", and this session with it; to go on: teamctl extend ");
    text_put_id(&t, act->request.bits);
    text_put(&t, " --for 30m --reason \"...\"");
    say_to(l, s, line);
}

/* ---- doing it ---------------------------------------------------------------------------------
 */

/* The words of who revoked it, as far as there is room. */
static int put_comment(void *ctx, const struct record *r)
{
    enum { COMMENT_MAX = 200 };
    struct text *t = ctx;
    char comment[COMMENT_MAX];

    text_make_plain(comment, sizeof comment, r->revoke_comment, strlen(r->revoke_comment));
    text_put(t, comment[0] ? ": " : "");
    text_put(t, comment);
    return 0;
}

static void put_why(struct text *t, const struct teamd *teamd, struct id id)
{
    const struct request *r = world_request(&teamd->world, id);

    if (!r || r->revoked_by.text[0] == '\0') {
        text_put(t, " has ended");
    } else if (strcmp(r->revoked_by.text, "policy") == 0) {
        text_put(t, " was revoked, since you are not eligible any more");
    } else {
        text_put(t, " was revoked by ");
        text_put(t, r->revoked_by.text);
        (void)store_request(teamd->store, id, put_comment, t); /* without them, if need be */
    }
}

static void terminate(struct live *l, const struct session *s, const struct act *act)
{
    char line[400];
    struct text t = text_over(line, sizeof line);

    text_put(&t, "team: your elevation ");
    text_put_id(&t, act->request.bits);
    put_why(&t, l->t, act->request);
    text_put(&t, "; this session is being closed");
    say_to(l, s, line);
    live_look_for_escapes(l, s); /* while they hang on the leader */
    strays_kill(l);              /* who has left has no grace */
    if (l->pidfd >= 0) {
        pidfd_send_signal(l->pidfd, SIGTERM, NULL, 0);
        pidfd_send_signal(l->pidfd, SIGCONT, NULL, 0);
    }
}

static void kill_container(const struct live *l)
{
    if (l->scope[0])
        scope_kill(l->scope, l->scope_number, SCOPE_KILL_US);
    else if (l->below[0] && container_kill(l->t->containers, l->below) < 0)
        log_line(LOG_ERR, "session %llu: its container cannot be killed",
                 (unsigned long long)l->number);
}

/* What was opened inside of a scope has a container elsewhere. */
static void kill_inside(const struct live *l)
{
    for (const struct live *x = NULL; (x = live_next_inside(l, x));)
        kill_container(x);
}

static void kill_all(struct live *l, const struct session *s)
{
    bool had_terminal = l->pidfd >= 0 && s->tty[0];

    live_look_for_escapes(l, s);
    kill_container(l);
    if (l->scope[0])
        kill_inside(l);
    strays_kill(l);
    if (!l->below[0] && !l->scope[0] && l->pidfd >= 0 &&
        pidfd_send_signal(l->pidfd, 0, NULL, 0) == 0) { /* else the number may be another's */
        live_survey(l->t);
        process_kill_tree(s->leader.pid);
    }
    if (l->pidfd >= 0)
        pidfd_send_signal(l->pidfd, SIGKILL, NULL, 0);
    if (had_terminal)
        (void)terminal_reset(s->tty, s->uid);
    live_look_whether_gone(l);
}

void sessions_act(struct teamd *t, const struct act *act)
{
    const struct session *s = world_session(&t->world, act->session);
    struct live *l = live_find(t, act->session);

    if (s && !l)
        l = live_follow_late(t, s);
    if (!s || !l)
        return;
    if (act->kind == ACT_WARN)
        warn(l, s, act);
    else if (act->kind == ACT_TERM)
        terminate(l, s, act);
    else
        kill_all(l, s);
}

void sessions_enforce(struct teamd *t, struct now now)
{
    for (struct live *l = t->live, *next; l; l = next) {
        const struct session *s = world_session(&t->world, l->number);
        const struct request *r = s ? world_request(&t->world, s->request) : NULL;

        next = l->next;
        if (s && s->request.bits != 0 && (!r || !request_open(r, now)))
            kill_all(l, s);
    }
}
