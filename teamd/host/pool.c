/* Which resolver works on what, how long it may, and what is believed of what it sends. */
#include "host/pool.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/pidfd.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

/* RESOLVERS_MAX: so that one hanging look-up does not stop the others. READ_BUDGET: packets that
 * are read before the loop has its turn again. */
enum { RESOLVERS_MAX = 3, READ_BUDGET = 16 };

#define FIRST_RESOLVER_MS 5000
#define TIMER_ACCURACY_US 50000

struct job {
    TAILQ_ENTRY(job) link;
    struct ask ask;
    uint64_t deadline, latest;
    struct worker *by; /* NULL: waiting */
    struct member *members;
    size_t n_members;
    pool_done_fn done;
    void *ctx;
};

struct worker {
    struct pool *pool;
    sd_event_source *source; /* NULL: this place is free */
    int fd, pidfd;
    struct job *job; /* NULL: idle */
};

struct pool {
    sd_event *loop;
    struct spawner spawner;
    sd_event_source *on_spawner, *timer;
    uint64_t armed;   /* what the timer is set to, 0: off */
    unsigned ordered; /* resolvers that are being made */
    uint64_t serial;
    TAILQ_HEAD(jobs, job) jobs; /* by deadline */
    struct worker workers[RESOLVERS_MAX];
};

/* ---- jobs ------------------------------------------------------------------------------------ */

/* A timer that is set again is not due any more: so it is only when something has changed, or a
 * busy pool would never time out. */
static void rearm(struct pool *p)
{
    const struct job *first = TAILQ_FIRST(&p->jobs);
    uint64_t due = first ? first->deadline : 0;

    if (due == p->armed)
        return;
    p->armed = due;
    if (first)
        sd_event_source_set_time(p->timer, due);
    sd_event_source_set_enabled(p->timer, first ? SD_EVENT_ONESHOT : SD_EVENT_OFF);
}

static void job_insert(struct pool *p, struct job *j)
{
    struct job *after = TAILQ_LAST(&p->jobs, jobs);

    while (after && after->deadline > j->deadline)
        after = TAILQ_PREV(after, jobs, link);
    if (after)
        TAILQ_INSERT_AFTER(&p->jobs, after, j, link);
    else
        TAILQ_INSERT_HEAD(&p->jobs, j, link);
    rearm(p);
}

static void job_free(struct job *j)
{
    free(j->members);
    free(j);
}

static void job_finish(struct pool *p, struct job *j, int error, const struct answer *a)
{
    TAILQ_REMOVE(&p->jobs, j, link);
    rearm(p);
    j->done(j->ctx, error, a);
    job_free(j);
}

/* ---- resolvers ------------------------------------------------------------------------------- */

/* Ends it, and returns what it was working on. */
static struct job *worker_drop(struct worker *w)
{
    struct job *j = w->job;

    if (!w->source)
        return NULL;
    pidfd_send_signal(w->pidfd, SIGKILL, NULL, 0); /* may be dead already */
    w->source = sd_event_source_disable_unref(w->source);
    close(w->fd);
    close(w->pidfd);
    w->job = NULL;
    if (j)
        j->by = NULL;
    return j;
}

static bool worker_give(struct worker *w, struct job *j)
{
    j->ask.serial = ++w->pool->serial;
    if (send(w->fd, &j->ask, sizeof j->ask, MSG_NOSIGNAL | MSG_DONTWAIT) != sizeof j->ask)
        return false;
    w->job = j;
    j->by = w;
    return true;
}

static struct worker *find_worker(struct pool *p, bool free_place)
{
    for (size_t i = 0; i < RESOLVERS_MAX; i++) {
        struct worker *w = &p->workers[i];

        if (free_place ? !w->source : w->source && !w->job)
            return w;
    }
    return NULL;
}

static unsigned count_workers(const struct pool *p)
{
    unsigned n = 0;

    for (size_t i = 0; i < RESOLVERS_MAX; i++)
        n += p->workers[i].source != NULL;
    return n;
}

/* Gives waiting jobs to idle resolvers, and orders one more when all are busy. A job for which none
 * can be had waits, for its deadline at the worst. */
static void pump(struct pool *p)
{
    struct job *j = TAILQ_FIRST(&p->jobs);

    while (j) {
        struct worker *w;

        if (j->by) {
            j = TAILQ_NEXT(j, link);
            continue;
        }
        w = find_worker(p, false);
        if (!w)
            break;
        if (!worker_give(w, j))
            worker_drop(w); /* killed while idle; the same job again */
    }
    if (j && p->ordered == 0 && count_workers(p) < RESOLVERS_MAX && spawner_order(&p->spawner) == 0)
        p->ordered++;
}

/* ---- what a resolver sends ------------------------------------------------------------------- */

static bool packet_sound(const struct packet *k, size_t len, const struct job *j)
{
    bool group = j->ask.op == RESOLVE_GROUP;
    size_t head = offsetof(struct packet, gids);
    size_t entry = group ? sizeof k->members[0] : sizeof k->gids[0];
    size_t most = group ? (size_t)MEMBERS_PER_PACKET : (size_t)PEOPLE_GROUPS_MAX;

    if (len < head || k->count > most || len != head + k->count * entry)
        return false;
    if (k->serial != j->ask.serial || k->error > 0 || k->error < -4095 || k->last > 1)
        return false;
    if (k->error < 0)
        return k->last && k->count == 0;
    if (group)
        return j->n_members + k->count <= PEOPLE_MEMBERS_MAX;
    return k->last && k->id != NOBODY && resolver_name_fits(k->name.text, NAME_CAP) &&
           (j->ask.op != RESOLVE_UID || k->id == j->ask.uid);
}

static bool member_sound(const struct member *m)
{
    return m->uid != NOBODY && resolver_name_fits(m->name.text, NAME_CAP) &&
           (m->alias.text[0] == '\0' || resolver_name_fits(m->alias.text, NAME_CAP));
}

static int take_members(struct job *j, const struct packet *k)
{
    struct member *grown;

    for (uint32_t i = 0; i < k->count; i++)
        if (!member_sound(&k->members[i]))
            return -EBADMSG;
    if (k->count == 0)
        return 0;
    grown = reallocarray(j->members, j->n_members + k->count, sizeof *grown);
    if (!grown)
        return -ENOMEM;
    memcpy(grown + j->n_members, k->members, k->count * sizeof *grown);
    j->members = grown;
    j->n_members += k->count;
    return 0;
}

/* The resolver of a group is still at it. */
static void prolong(struct pool *p, struct job *j)
{
    uint64_t deadline = monotonic_us() + PEOPLE_TIMEOUT_US;

    TAILQ_REMOVE(&p->jobs, j, link);
    j->deadline = deadline < j->latest ? deadline : j->latest;
    job_insert(p, j);
}

static void give_up(struct worker *w, int error)
{
    struct pool *p = w->pool;
    struct job *j = worker_drop(w);

    if (j)
        job_finish(p, j, error, NULL);
}

static void job_answer(struct worker *w, struct job *j, const struct packet *k)
{
    struct answer a = {.id = k->id, .members = j->members, .n_members = j->n_members};

    if (j->ask.op != RESOLVE_GROUP) {
        a.name = k->name;
        a.gids = k->gids;
        a.n_gids = k->count;
    }
    w->job = NULL;
    job_finish(w->pool, j, k->error, k->error < 0 ? NULL : &a);
}

/* True: go on reading. */
static bool take_packet(struct worker *w, const struct packet *k, size_t len)
{
    struct job *j = w->job;
    int r;

    r = j && packet_sound(k, len, j) ? 0 : -EBADMSG;
    if (r == 0 && j->ask.op == RESOLVE_GROUP)
        r = take_members(j, k);
    if (r < 0) {
        give_up(w, r);
        return false;
    }
    if (k->last) {
        job_answer(w, j, k);
        return false;
    }
    prolong(w->pool, j);
    return true;
}

static int on_worker(sd_event_source *s, int fd, uint32_t revents, void *ctx)
{
    struct worker *w = ctx;
    struct pool *p = w->pool;
    struct packet k;

    (void)s, (void)revents;
    for (unsigned i = 0; i < READ_BUDGET; i++) {
        ssize_t n = recv(fd, &k, sizeof k, MSG_DONTWAIT | MSG_TRUNC);

        if (n < 0 && (errno == EINTR || errno == EAGAIN))
            break;
        if (n <= 0) {
            give_up(w, -EPIPE);
            break;
        }
        if (!take_packet(w, &k, (size_t)n))
            break;
    }
    pump(p);
    return 0;
}

/* ---- the spawner, the timer ------------------------------------------------------------------ */

static int take_worker(struct pool *p)
{
    struct worker *w = find_worker(p, true);
    int fd, pidfd, r;

    r = spawner_take(&p->spawner, &fd, &pidfd);
    if (r < 0)
        return r;
    if (w)
        r = sd_event_add_io(p->loop, &w->source, fd, EPOLLIN, on_worker, w);
    if (!w || r < 0) {
        pidfd_send_signal(pidfd, SIGKILL, NULL, 0);
        close(fd);
        close(pidfd);
        return w ? r : -EUCLEAN;
    }
    w->pool = p;
    w->fd = fd;
    w->pidfd = pidfd;
    return 0;
}

static int on_spawner(sd_event_source *s, int fd, uint32_t revents, void *ctx)
{
    struct pool *p = ctx;
    int r = take_worker(p);

    (void)fd, (void)revents;
    if (r == -EAGAIN)
        return 0;
    if (r == -ECHILD) {
        sd_event_source_set_enabled(s, SD_EVENT_OFF);
        return sd_event_exit(p->loop, -ECHILD);
    }
    if (p->ordered > 0)
        p->ordered--;
    if (r == 0)
        pump(p); /* after a failure the next ask or answer orders again */
    return 0;
}

static int on_timer(sd_event_source *s, uint64_t at, void *ctx)
{
    struct pool *p = ctx;
    uint64_t now = monotonic_us();
    struct job *j;

    (void)s, (void)at;
    p->armed = 0; /* it has gone off */
    while ((j = TAILQ_FIRST(&p->jobs)) && j->deadline <= now) {
        if (j->by)
            worker_drop(j->by);
        job_finish(p, j, -ETIMEDOUT, NULL);
    }
    rearm(p);
    pump(p);
    return 0;
}

/* ---- life ------------------------------------------------------------------------------------ */

/* The first resolver is waited for, so that a start that cannot work is known as one. */
static int start_first(struct pool *p)
{
    struct pollfd ready = {.fd = p->spawner.fd, .events = POLLIN};
    int r = spawner_order(&p->spawner);

    if (r < 0)
        return r == -EPIPE ? -ECHILD : r;
    do
        r = poll(&ready, 1, FIRST_RESOLVER_MS);
    while (r < 0 && errno == EINTR);
    if (r <= 0)
        return r < 0 ? -errno : -ETIMEDOUT;
    return take_worker(p);
}

static int start(struct pool *p, uid_t uid, gid_t gid)
{
    int r;

    r = spawner_start(uid, gid, &p->spawner);
    if (r < 0)
        return r;
    r = start_first(p);
    if (r < 0)
        return r;
    r = sd_event_add_io(p->loop, &p->on_spawner, p->spawner.fd, EPOLLIN, on_spawner, p);
    if (r < 0)
        return r;
    r = sd_event_add_time(p->loop, &p->timer, CLOCK_MONOTONIC, 0, TIMER_ACCURACY_US, on_timer, p);
    if (r < 0)
        return r;
    return sd_event_source_set_enabled(p->timer, SD_EVENT_OFF);
}

int pool_new(sd_event *loop, uid_t uid, gid_t gid, struct pool **ret)
{
    struct pool *p = calloc(1, sizeof *p);
    int r;

    if (!p)
        return -ENOMEM;
    p->loop = sd_event_ref(loop);
    TAILQ_INIT(&p->jobs);
    r = start(p, uid, gid);
    if (r < 0) {
        pool_free(p);
        return r;
    }
    *ret = p;
    return 0;
}

struct pool *pool_free(struct pool *p)
{
    struct job *j;

    if (!p)
        return NULL;
    sd_event_source_disable_unref(p->timer);
    sd_event_source_disable_unref(p->on_spawner);
    for (size_t i = 0; i < RESOLVERS_MAX; i++)
        worker_drop(&p->workers[i]);
    spawner_stop(&p->spawner);
    while ((j = TAILQ_FIRST(&p->jobs))) {
        TAILQ_REMOVE(&p->jobs, j, link);
        job_free(j);
    }
    sd_event_unref(p->loop);
    free(p);
    return NULL;
}

int pool_ask(struct pool *p, const struct ask *ask, uint64_t deadline, pool_done_fn done, void *ctx)
{
    struct job *j = calloc(1, sizeof *j);

    if (!j)
        return -ENOMEM;
    j->ask = *ask;
    j->deadline = deadline;
    j->latest = ask->op == RESOLVE_GROUP ? deadline - PEOPLE_TIMEOUT_US + GROUP_TIMEOUT_US
                                         : deadline;
    j->done = done;
    j->ctx = ctx;
    job_insert(p, j);
    pump(p);
    return 0;
}
