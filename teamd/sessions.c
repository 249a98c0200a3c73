#include "teamd.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/pidfd.h>
#include <syslog.h>
#include <unistd.h>

/* Live sessions as processes: their leaders, their containers, and what has to be done to them.
 * What is decided about them is the core's. */

#define LOOK_EVERY_US (60 * UINT64_C(1000000))

struct live {
    struct live *next, **link;
    struct teamd *t;
    uint64_t number;
    int pidfd; /* -1: the leader is gone */
    sd_event_source *leader, *events;
    char below[CONTAINER_CAP]; /* "": uncontained */
    bool told;                 /* that it is gone */
};

static struct live *find(const struct teamd *t, uint64_t number)
{
    struct live *l = t->live;

    while (l && l->number != number)
        l = l->next;
    return l;
}

static void forget(struct live *l)
{
    *l->link = l->next;
    if (l->next)
        l->next->link = l->link;
    sd_event_source_unref(l->leader);
    sd_event_source_unref(l->events);
    if (l->pidfd >= 0)
        close(l->pidfd);
    free(l);
}

/* ---- the end of one ---------------------------------------------------------------------------
 */

static void event_done(struct job *j, const struct reply *reply, int error)
{
    (void)reply;
    (void)error;
    free(j);
}

static int tell(struct teamd *t, enum event_kind kind, uint64_t number)
{
    struct job *j;

    if (turn_has(t, kind, number))
        return 0; /* waits to be committed */
    j = calloc(1, sizeof *j);
    if (!j)
        return -ENOMEM;
    j->event = (struct event){.kind = kind, .session = number};
    j->done = event_done;
    j->keep = true;
    turn_add(t, j, false);
    return 0;
}

/* That the leader is gone and the container can be removed is the proof; nothing less. */
static void look_whether_gone(struct live *l)
{
    if (l->pidfd >= 0 || (l->below[0] && container_remove(l->t->containers, l->below) < 0))
        return;
    if (tell(l->t, EV_GONE, l->number) == 0)
        forget(l);
}

static int leader_gone(sd_event_source *source, int fd, uint32_t revents, void *ctx)
{
    struct live *l = ctx;

    (void)fd;
    (void)revents;
    sd_event_source_set_enabled(source, SD_EVENT_OFF);
    close(l->pidfd);
    l->pidfd = -1;
    l->leader = sd_event_source_unref(l->leader);
    look_whether_gone(l);
    return 0;
}

static int maybe_empty(sd_event_source *source, const struct inotify_event *event, void *ctx)
{
    (void)source;
    (void)event;
    look_whether_gone(ctx);
    return 0;
}

/* ---- the beginning ----------------------------------------------------------------------------
 */

static void name_container(const struct teamd *t, const struct session *s, char out[CONTAINER_CAP])
{
    const struct live *parent = s->parent ? find(t, s->parent) : NULL;
    struct text to = text_over(out, CONTAINER_CAP);

    if (parent && parent->below[0]) {
        text_put(&to, parent->below);
        text_put(&to, "/");
    }
    text_put(&to, "s");
    text_put_u64(&to, s->number);
    if (to.cut)
        out[0] = '\0';
}

/* Takes the pidfd over, also when it fails; -1: the leader is gone already. */
static int follow(struct teamd *t, const struct session *s, int pidfd, struct live **ret)
{
    struct live *l = calloc(1, sizeof *l);
    int r = 0;

    if (!l) {
        if (pidfd >= 0)
            close(pidfd);
        return -ENOMEM;
    }
    *l = (struct live){.t = t, .number = s->number, .pidfd = pidfd, .next = t->live};
    l->link = &t->live;
    if (l->next)
        l->next->link = &l->next;
    t->live = l;
    if (pidfd >= 0)
        r = sd_event_add_io(t->loop, &l->leader, pidfd, EPOLLIN, leader_gone, l);
    if (r < 0)
        forget(l);
    else
        *ret = l;
    return r;
}

static int contain(struct live *l, const struct session *s)
{
    struct teamd *t = l->t;
    int r;

    name_container(t, s, l->below);
    if (!l->below[0])
        return -ENAMETOOLONG;
    r = container_make(t->containers, l->below);
    if (r < 0)
        return r;
    return container_watch(t->containers, t->loop, l->below, maybe_empty, l, &l->events);
}

int sessions_begin(struct teamd *t, uint64_t number, int pidfd, char cgroup[CONTAINER_CAP])
{
    const struct session *s = world_session(&t->world, number);
    struct live *l;
    int r;

    if (!s) {
        close(pidfd);
        return -ENOENT;
    }
    r = follow(t, s, pidfd, &l);
    if (r < 0 || !s->contained)
        return r;
    r = contain(l, s);
    if (r < 0) {
        log_line(LOG_ERR, "session %llu has no container: %s", (unsigned long long)number,
                 strerror(-r));
        l->below[0] = '\0';
        return r;
    }
    container_path(t->containers, l->below, cgroup);
    return 0;
}

int sessions_restore(struct teamd *t, const struct session *s, bool same_boot)
{
    struct live *l;
    int pidfd, r;

    if (find(t, s->number))
        return 0;
    pidfd = same_boot ? leader_open(&s->leader) : -ESRCH;
    if (pidfd < 0 && (!s->contained || !same_boot || !t->containers))
        return tell(t, EV_NOT_FOUND, s->number);
    r = follow(t, s, pidfd < 0 ? -1 : pidfd, &l);
    if (r < 0)
        return r;
    if (s->contained && t->containers && contain(l, s) < 0)
        l->below[0] = '\0';
    look_whether_gone(l);
    return 0;
}

/* ---- what has to be done -----------------------------------------------------------------------
 */

static void say_to(const struct session *s, const char *line)
{
    if (s->tty[0])
        (void)terminal_say(s->tty, s->uid, line);
}

static void warn(const struct session *s, const struct act *act)
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
    say_to(s, line);
}

static void terminate(const struct live *l, const struct session *s, const struct act *act)
{
    char line[120];
    struct text t = text_over(line, sizeof line);

    text_put(&t, "team: your elevation ");
    text_put_id(&t, act->request.bits);
    text_put(&t, " has ended; this session is being closed");
    say_to(s, line);
    if (l->pidfd >= 0) {
        pidfd_send_signal(l->pidfd, SIGTERM, NULL, 0);
        pidfd_send_signal(l->pidfd, SIGCONT, NULL, 0);
    }
}

static void kill_all(struct live *l, const struct session *s)
{
    bool had_terminal = l->pidfd >= 0 && s->tty[0];

    if (l->below[0] && container_kill(l->t->containers, l->below) < 0)
        log_line(LOG_ERR, "session %llu: its container cannot be killed",
                 (unsigned long long)l->number);
    if (!l->below[0] && l->pidfd >= 0 && pidfd_send_signal(l->pidfd, 0, NULL, 0) == 0)
        process_kill_tree(s->leader.pid); /* else the number may be another's by now */
    if (l->pidfd >= 0)
        pidfd_send_signal(l->pidfd, SIGKILL, NULL, 0);
    if (had_terminal)
        (void)terminal_reset(s->tty, s->uid);
    look_whether_gone(l);
}

void sessions_act(struct teamd *t, const struct act *act)
{
    const struct session *s = world_session(&t->world, act->session);
    struct live *l = find(t, act->session);

    if (!s || !l)
        return;
    if (act->kind == ACT_WARN)
        warn(s, act);
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

/* ---- who is where ------------------------------------------------------------------------------
 */

uint64_t sessions_of_process(const struct teamd *t, uint32_t pid)
{
    char below[CONTAINER_CAP];
    uint64_t number = 0;

    if (t->containers)
        container_of(t->containers, pid, below, &number);
    return number;
}

/* In the container of this name, or in one inside of it. */
static bool is_within(const char *below, const char *name)
{
    size_t n = strlen(name);

    return strncmp(below, name, n) == 0 && (below[n] == '\0' || below[n] == '/');
}

static int look_around(sd_event_source *source, uint64_t usec, void *ctx)
{
    struct teamd *t = ctx;

    for (const struct live *l = t->live; l; l = l->next) {
        const struct session *s = world_session(&t->world, l->number);
        char below[CONTAINER_CAP];
        uint64_t number;

        if (s && s->state != SESSION_OPENING && !s->escaped && l->below[0] && l->pidfd >= 0 &&
            container_of(t->containers, s->leader.pid, below, &number) == 0 &&
            !is_within(below, l->below))
            tell(t, EV_ESCAPE, l->number);
    }
    sd_event_source_set_time(source, usec + LOOK_EVERY_US);
    return sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

int sessions_new(struct teamd *t)
{
    uint64_t now;
    int r;

    r = sd_event_now(t->loop, CLOCK_MONOTONIC, &now);
    if (r < 0)
        return r;
    return sd_event_add_time(t->loop, &t->look_around, CLOCK_MONOTONIC, now + LOOK_EVERY_US,
                             LOOK_EVERY_US / 10, look_around, t);
}

void sessions_free(struct teamd *t)
{
    t->look_around = sd_event_source_unref(t->look_around);
    while (t->live)
        forget(t->live);
}
