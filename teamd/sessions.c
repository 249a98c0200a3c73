#include "live.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <syslog.h>
#include <unistd.h>

/* Live sessions as processes: their leaders and their containers. What is decided about them is the
 * core's; what has to be done to them is in ending.c. */

/* A test of it does not wait for a minute. */
#ifndef LOOK_EVERY_US
#define LOOK_EVERY_US (60 * UINT64_C(1000000))
#endif
#define LOOK_FOR_US (50 * INT64_C(1000)) /* at once */

enum { NESTED_MAX = 64 };

struct live *live_find(const struct teamd *t, uint64_t number)
{
    struct live *l = t->live;

    while (l && l->number != number)
        l = l->next;
    return l;
}

/* Without a word to systemd: at the end of teamd it is to keep what it has. */
static void forget(struct live *l)
{
    l->t->n_scopes -= l->scope[0] != '\0';
    *l->link = l->next;
    if (l->next)
        l->next->link = l->link;
    sd_event_source_unref(l->leader);
    sd_event_source_unref(l->events);
    if (l->pidfd >= 0)
        close(l->pidfd);
    strays_free(l);
    free(l);
}

/* ---- the end of one ---------------------------------------------------------------------------
 */

struct news {
    struct job job;
    struct teamd *t;
};

/* A scope may have waited for what was opened inside of it. */
static void told(struct job *j, const struct reply *reply, int error)
{
    struct news *news = (struct news *)(void *)((char *)j - offsetof(struct news, job));
    struct teamd *t = news->t;

    (void)reply;
    if (error == 0 && j->event.kind == EV_GONE && t->n_scopes > 0)
        for (struct live *l = t->live, *next; l; l = next) {
            next = l->next;
            if (l->scope[0])
                live_look_whether_gone(l);
        }
    free(news);
}

static int tell(struct teamd *t, const struct event *ev)
{
    struct news *news;

    if (turn_has(t, ev->kind, ev->session))
        return 0; /* waits to be committed */
    news = calloc(1, sizeof *news);
    if (!news)
        return -ENOMEM;
    news->t = t;
    news->job.event = *ev;
    news->job.done = told;
    news->job.keep = true;
    turn_add(t, &news->job, false);
    return 0;
}

int live_tell(struct teamd *t, enum event_kind kind, uint64_t number)
{
    return tell(t, &(struct event){.kind = kind, .session = number});
}

static bool is_inside(const struct teamd *t, const struct live *x, uint64_t number)
{
    const struct session *s = world_session(&t->world, x->number);

    for (int depth = 0; s && s->parent && depth < NESTED_MAX; depth++) {
        if (s->parent == number)
            return true;
        s = world_session(&t->world, s->parent);
    }
    return false;
}

const struct live *live_next_inside(const struct live *l, const struct live *after)
{
    const struct live *x = after ? after->next : l->t->live;

    while (x && !is_inside(l->t, x, l->number))
        x = x->next;
    return x;
}

/* What was opened inside of a container of ours is in there. */
static bool is_empty(const struct live *l)
{
    int r;

    if (l->scope[0])
        return scope_empty(l->scope, l->scope_number) == 0 && !live_next_inside(l, NULL);
    if (!l->below[0])
        return true;
    r = container_remove(l->t->containers, l->below);
    if (r > 0)
        log_line(LOG_WARNING,
                 "session %llu has ended; root has made cgroups in %s that teamd may not remove; "
                 "they are empty",
                 (unsigned long long)l->number, l->below);
    return r >= 0;
}

/* That the leader is gone and the container empty is the proof; nothing less. (Ours is empty when
 * it can be removed.) */
void live_look_whether_gone(struct live *l)
{
    if (l->pidfd >= 0 || strays_left(l) || !is_empty(l))
        return;
    if (live_tell(l->t, EV_GONE, l->number) == 0)
        forget(l);
}

static int leader_gone(sd_event_source *source, int fd, uint32_t revents, void *ctx)
{
    struct live *l = ctx;

    (void)fd;
    (void)revents;
    sd_event_source_set_enabled(source, SD_EVENT_OFF);
    kept_drop(l->number);
    close(l->pidfd);
    l->pidfd = -1;
    l->leader = sd_event_source_unref(l->leader);
    live_look_whether_gone(l);
    return 0;
}

static int maybe_empty(sd_event_source *source, const struct inotify_event *event, void *ctx)
{
    (void)source;
    (void)event;
    live_look_whether_gone(ctx);
    return 0;
}

/* ---- the beginning ----------------------------------------------------------------------------
 */

static void name_container(const struct teamd *t, const struct session *s, char out[CONTAINER_CAP])
{
    const struct live *parent = s->parent ? live_find(t, s->parent) : NULL;
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

/* They descend, the latest first. */
static void put_in_order(struct live *l)
{
    struct live **at = &l->t->live;

    while (*at && (*at)->number > l->number)
        at = &(*at)->next;
    l->next = *at;
    l->link = at;
    if (l->next)
        l->next->link = &l->next;
    *at = l;
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
    *l = (struct live){
        .t = t, .number = s->number, .pidfd = pidfd, .entered = s->state != SESSION_OPENING};
    put_in_order(l);
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

/* A scope that cannot be watched is gone, or else is looked at once a minute. */
static void adopt_scope(struct live *l, const struct session *s)
{
    memcpy(l->scope, s->scope, sizeof l->scope);
    l->scope_number = s->scope_number;
    l->t->n_scopes++;
    (void)scope_watch(l->scope, l->t->loop, maybe_empty, l, &l->events);
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
    if (r < 0) {
        log_line(LOG_ERR, "session %llu cannot be followed yet: %s", (unsigned long long)number,
                 strerror(-r));
        t->unfollowed = true;
        return r;
    }
    kept_put(l);
    if (s->scope[0])
        adopt_scope(l, s);
    if (!s->contained || s->scope[0])
        return 0;
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

void sessions_entered(struct teamd *t, uint64_t number)
{
    struct live *l = live_find(t, number);

    if (l)
        l->entered = true;
}

/* The leader of a session of the store, as it was kept or else as it can be found. */
static int find_leader(const struct session *s, bool *kept)
{
    int pidfd = kept_take(s);

    *kept = pidfd >= 0;
    return pidfd == -ENOENT ? leader_open(&s->leader) : pidfd;
}

/* `if_gone` is what it was, if nothing is left of it. */
static int follow_again(struct teamd *t, const struct session *s, bool same_boot,
                        enum event_kind if_gone)
{
    bool kept = false, has_place = s->scope[0] || (s->contained && t->containers);
    struct live *l;
    int pidfd, r;

    if (live_find(t, s->number))
        return 0;
    pidfd = same_boot ? find_leader(s, &kept) : -ESRCH;
    if (pidfd == -EMFILE || pidfd == -ENFILE || pidfd == -ENOMEM)
        return pidfd; /* that says nothing about the leader */
    if (pidfd < 0 && (!has_place || !same_boot))
        return live_tell(t, if_gone, s->number);
    r = follow(t, s, pidfd < 0 ? -1 : pidfd, &l);
    if (r < 0)
        return r;
    if (pidfd >= 0 && !kept)
        kept_put(l);
    strays_adopt(l);
    if (s->scope[0])
        adopt_scope(l, s);
    else if (has_place && contain(l, s) < 0)
        l->below[0] = '\0';
    live_look_whether_gone(l);
    return 0;
}

int sessions_restore(struct teamd *t, const struct session *s, bool same_boot)
{
    return follow_again(t, s, same_boot, EV_NOT_FOUND);
}

struct live *live_follow_late(struct teamd *t, const struct session *s)
{
    if (turn_has(t, EV_GONE, s->number) || turn_has(t, EV_NOT_FOUND, s->number))
        return NULL;
    if (follow_again(t, s, true, EV_GONE) < 0)
        t->unfollowed = true;
    return live_find(t, s->number);
}

static void follow_all(struct teamd *t)
{
    const struct session *s;
    uint32_t at = 0;

    t->unfollowed = false;
    while ((s = world_each_session(&t->world, &at)))
        if (!live_find(t, s->number))
            (void)live_follow_late(t, s);
}

/* ---- who is where ------------------------------------------------------------------------------
 */

static uint64_t session_of_scope(const struct teamd *t, uint32_t pid)
{
    char scope[SCOPE_CAP];

    scope_around(pid, scope);
    if (scope[0])
        for (const struct live *l = t->live; l; l = l->next)
            if (strcmp(l->scope, scope) == 0)
                return l->number;
    return 0;
}

/* Root can make a cgroup with a name like ours inside of its own: a name counts only where we have
 * made it. What is left of "s12/s99" is s12, whether or not that is known. */
static uint64_t true_session(const struct teamd *t, char *below, uint64_t number)
{
    const struct live *l = live_find(t, number);
    char *slash = strrchr(below, '/');

    if ((l && strcmp(l->below, below) == 0) || !slash)
        return number;
    *slash = '\0';
    slash = strrchr(below, '/');
    return true_session(t, below, strtoull((slash ? slash + 1 : below) + 1, NULL, 10));
}

uint64_t sessions_of_process(const struct teamd *t, uint32_t pid)
{
    char below[CONTAINER_CAP];
    uint64_t number = 0;

    if (t->containers)
        container_of(t->containers, pid, below, &number);
    if (number > 0)
        number = true_session(t, below, number);
    if (number == 0 && t->n_scopes > 0)
        number = session_of_scope(t, pid);
    return number;
}

void live_survey(struct teamd *t)
{
    uint64_t now;

    if (sd_event_now(t->loop, CLOCK_MONOTONIC, &now) < 0 || now == t->surveyed)
        return;
    t->surveyed = now;
    process_survey();
}

uint64_t live_census(struct teamd *t)
{
    static uint64_t since_ticks;
    uint64_t now;

    if (sd_event_now(t->loop, CLOCK_MONOTONIC, &now) < 0 || now != t->counted) {
        t->counted = now;
        since_ticks = process_ticks_now();
        process_census();
    }
    return since_ticks;
}

/* Has something of it left its place? */
static enum strays look_for_strays(struct live *l, const struct session *s)
{
    char scope[SCOPE_CAP];

    if (l->pidfd < 0)
        return STRAYS_NONE;
    if (!l->scope[0])
        return strays_find(l, s);
    scope_around(s->leader.pid, scope);
    return strcmp(scope, l->scope) != 0 ? STRAYS_SOME : STRAYS_NONE;
}

void live_look_for_escapes(struct live *l, const struct session *s)
{
    enum strays found;

    if (s->state == SESSION_OPENING || (!l->below[0] && !l->scope[0]))
        return;
    live_survey(l->t);
    found = look_for_strays(l, s);
    if (found == STRAYS_TOO_MANY)
        log_line(LOG_WARNING, "session %llu of %s has more processes than can be looked at",
                 (unsigned long long)l->number, s->user.text);
    if (found != STRAYS_NONE && l->entered && !s->escaped)
        tell(l->t, &(struct event){.kind = EV_ESCAPE,
                                   .session = l->number,
                                   .too_many = found == STRAYS_TOO_MANY});
}

uint32_t sessions_stuck(const struct teamd *t)
{
    const struct session *s;
    uint32_t at = 0, n = 0;

    while ((s = world_each_session(&t->world, &at)))
        n += s->state == SESSION_STUCK;
    return n;
}

static void shout(const struct live *l, const struct session *s)
{
    log_line(LOG_CRIT,
             "session %llu of %s (%s, leader %u) cannot be ended: something is left in %s%s; teamd "
             "goes on, but somebody has to look",
             (unsigned long long)l->number, s->user.text, s->service, s->leader.pid,
             l->scope[0]   ? l->scope
             : l->below[0] ? "its container "
                           : "its process tree",
             l->below);
}

static void look_at(struct live *l)
{
    const struct session *s = world_session(&l->t->world, l->number);

    if (s)
        live_look_for_escapes(l, s);
    if (s && s->state == SESSION_STUCK)
        shout(l, s);
    live_look_whether_gone(l);
}

/* Whoever asks in the meantime is answered in between. */
static int look_around(sd_event_source *source, uint64_t usec, void *ctx)
{
    struct teamd *t = ctx;
    int64_t until = host_now().boot.us + LOOK_FOR_US;
    struct live *l = t->live, *next;

    if (t->look_below == 0) {
        t->look_below = UINT64_MAX;
        t->look_again = usec + LOOK_EVERY_US;
    }
    while (l && l->number >= t->look_below)
        l = l->next;
    for (; l && host_now().boot.us < until; l = next) {
        next = l->next;
        t->look_below = l->number;
        look_at(l);
    }
    if (!l) {
        t->look_below = 0;
        if (t->unfollowed)
            follow_all(t);
    }
    sd_event_source_set_time(source, l ? usec : t->look_again);
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
