#include "live.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/pidfd.h>
#include <sys/resource.h>
#include <unistd.h>

enum {
    TREE_MAX = 1024,  /* larger ones are looked at by way of all processes of the host */
    STRAYS_MAX = 256, /* of one session: each is a descriptor */
};

static bool is_known(const struct live *l, uint32_t pid)
{
    for (const struct stray *x = l->strays; x; x = x->next)
        if (x->pid == pid)
            return true;
    return false;
}

/* One session of the same person that was opened by what came of the leader: a sudo in it that
 * another elevation covers. */
static bool is_of_its_own(const struct live *l, const struct session *s, uint64_t number)
{
    const struct session *other = world_session(&l->t->world, number);

    return other && other->uid == s->uid && process_descends(other->leader.pid, s->leader.pid);
}

/* What is looked for in one look at a session. */
struct look {
    struct live *l;
    const struct session *s;
    uint64_t since_ticks;
    uint64_t other; /* a session, and whether it is one of its own: they come in groups */
    bool is_own;
    bool ending; /* then nobody stays, whether or not they can be followed */
    bool outside, too_many;
};

/* In the container of the session, or in that of one of its own. */
static bool is_in_place(struct look *k, uint32_t pid)
{
    const struct live *l = k->l;
    char below[CONTAINER_CAP];
    uint64_t number;

    if (container_of(l->t->containers, pid, below, &number) < 0)
        return true; /* it is gone */
    if (number > 0 && cgroup_within(below, l->below))
        return true;
    number = sessions_of_process(l->t, pid);
    if (number != 0 && number != k->other) {
        k->other = number;
        k->is_own = is_of_its_own(l, k->s, number);
    }
    return number != 0 && k->is_own;
}

/* Half of the descriptors are for who asks, and the sessions to come. */
static bool has_room(const struct live *l, int pidfd)
{
    struct rlimit files;

    return l->n_strays < STRAYS_MAX &&
           (getrlimit(RLIMIT_NOFILE, &files) < 0 || (rlim_t)pidfd < files.rlim_cur / 2);
}

/* Takes the pidfd over. False: it cannot be followed. */
static bool add(struct live *l, uint32_t pid, int pidfd)
{
    struct stray *x = has_room(l, pidfd) ? malloc(sizeof *x) : NULL;

    if (!x) {
        close(pidfd);
        return false;
    }
    *x = (struct stray){.next = l->strays, .pid = pid, .pidfd = pidfd};
    l->strays = x;
    l->n_strays++;
    return true;
}

void strays_adopt(struct live *l)
{
    int pidfd;

    while ((pidfd = kept_take_stray(l->number)) >= 0)
        add(l, process_behind(pidfd), pidfd);
}

/* The leader's pidfd is at hand. */
static void look_at(void *ctx, uint32_t pid)
{
    struct look *k = ctx;
    int pidfd;

    if (is_in_place(k, pid))
        return;
    k->outside = true;
    if (pid == k->s->leader.pid || is_known(k->l, pid))
        return;
    pidfd = pidfd_open((pid_t)pid, 0);
    if (pidfd < 0) {
        k->too_many = k->too_many || errno != ESRCH;
        return;
    }
    if (!process_is_still(pid, k->s->leader.pid, k->since_ticks)) {
        close(pidfd);
        return;
    }
    if (k->ending)
        pidfd_send_signal(pidfd, SIGKILL, NULL, 0);
    kept_put_stray(k->l->number, pidfd);
    if (!add(k->l, pid, pidfd))
        k->too_many = true;
}

/* Who is in the container is struck off the list of all: however many they are, they do not hide
 * who is not. */
static void look_in_crowd(struct look *k)
{
    k->since_ticks = live_census(k->l->t);
    (void)container_each(k->l->t->containers, k->l->below, process_strike, NULL);
    if (!process_each_left(k->s->leader.pid, look_at, k))
        k->too_many = true;
}

enum strays strays_find(struct live *l, const struct session *s)
{
    static uint32_t tree[TREE_MAX];
    struct look k = {.l = l, .s = s, .since_ticks = process_ticks_now()};
    size_t n;

    if (!l->below[0] || l->pidfd < 0)
        return STRAYS_NONE;
    k.ending = s->state >= SESSION_TERMINATING;
    n = process_tree(s->leader.pid, tree, TREE_MAX);
    if (n == TREE_MAX)
        look_in_crowd(&k);
    else
        for (size_t i = 0; i < n; i++)
            look_at(&k, tree[i]);
    return k.too_many ? STRAYS_TOO_MANY : k.outside ? STRAYS_SOME : STRAYS_NONE;
}

void strays_kill(struct live *l)
{
    for (const struct stray *x = l->strays; x; x = x->next) {
        if (pidfd_send_signal(x->pidfd, 0, NULL, 0) == 0)
            process_kill_tree(x->pid); /* else the number may be another's by now */
        pidfd_send_signal(x->pidfd, SIGKILL, NULL, 0);
    }
}

static void forget_at(struct live *l, struct stray **at)
{
    struct stray *x = *at;

    *at = x->next;
    close(x->pidfd);
    free(x);
    l->n_strays--;
}

bool strays_left(struct live *l)
{
    bool had = l->strays != NULL;

    for (struct stray **at = &l->strays; *at;) {
        struct pollfd p = {.fd = (*at)->pidfd, .events = POLLIN};

        if (poll(&p, 1, 0) > 0)
            forget_at(l, at);
        else
            at = &(*at)->next;
    }
    if (had && !l->strays)
        kept_drop_strays(l->number);
    return l->strays != NULL;
}

void strays_free(struct live *l)
{
    while (l->strays)
        forget_at(l, &l->strays);
}
