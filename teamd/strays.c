#include "live.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/pidfd.h>
#include <unistd.h>

enum {
    TREE_MAX = 1024,
    STRAYS_MAX = 1024, /* in all: each is a descriptor */
};

static unsigned n_strays;

static bool is_known(const struct live *l, uint32_t pid)
{
    for (const struct stray *x = l->strays; x; x = x->next)
        if (x->pid == pid)
            return true;
    return false;
}

static bool is_among(const uint32_t *pids, size_t n, uint32_t pid)
{
    for (size_t i = 0; i < n; i++)
        if (pids[i] == pid)
            return true;
    return false;
}

/* In the container of the session, or in that of one whose leader came of it, too: a sudo in it
 * that another elevation covers. */
static bool is_in_place(const struct live *l, uint32_t pid, const uint32_t *tree, size_t n)
{
    char below[CONTAINER_CAP];
    const struct session *other;
    uint64_t number;

    if (container_of(l->t->containers, pid, below, &number) < 0)
        return true; /* it is gone */
    if (number == 0)
        return false;
    if (cgroup_within(below, l->below))
        return true;
    other = world_session(&l->t->world, number);
    return other && is_among(tree, n, other->leader.pid);
}

/* Takes the pidfd over. */
static void add(struct live *l, uint32_t pid, int pidfd)
{
    struct stray *x = n_strays < STRAYS_MAX ? malloc(sizeof *x) : NULL;

    if (!x) {
        close(pidfd);
        return;
    }
    *x = (struct stray){.next = l->strays, .pid = pid, .pidfd = pidfd};
    l->strays = x;
    n_strays++;
}

void strays_adopt(struct live *l)
{
    int pidfd;

    while ((pidfd = kept_take_stray(l->number)) >= 0)
        add(l, process_behind(pidfd), pidfd);
}

static void find(struct live *l, uint32_t pid, uint32_t leader)
{
    int pidfd = pidfd_open((pid_t)pid, 0);

    if (pidfd < 0)
        return;
    if (!process_descends(pid, leader)) {
        close(pidfd);
        return;
    }
    kept_put_stray(l->number, pidfd);
    add(l, pid, pidfd);
}

bool strays_find(struct live *l, const struct session *s)
{
    static uint32_t tree[TREE_MAX];
    bool outside = false;
    size_t n;

    if (!l->below[0] || l->pidfd < 0)
        return false;
    n = process_tree(s->leader.pid, tree, TREE_MAX);
    for (size_t i = 0; i < n; i++) {
        if (is_in_place(l, tree[i], tree, n))
            continue;
        outside = true;
        if (i > 0 && !is_known(l, tree[i])) /* the leader's pidfd is at hand */
            find(l, tree[i], s->leader.pid);
    }
    return outside;
}

void strays_kill(struct live *l)
{
    for (const struct stray *x = l->strays; x; x = x->next) {
        if (pidfd_send_signal(x->pidfd, 0, NULL, 0) == 0)
            process_kill_tree(x->pid); /* else the number may be another's by now */
        pidfd_send_signal(x->pidfd, SIGKILL, NULL, 0);
    }
}

static struct stray *forget(struct stray *x)
{
    struct stray *next = x->next;

    close(x->pidfd);
    free(x);
    n_strays--;
    return next;
}

bool strays_left(struct live *l)
{
    bool had = l->strays != NULL;

    for (struct stray **at = &l->strays; *at;) {
        struct pollfd p = {.fd = (*at)->pidfd, .events = POLLIN};

        if (poll(&p, 1, 0) > 0)
            *at = forget(*at);
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
        l->strays = forget(l->strays);
}
