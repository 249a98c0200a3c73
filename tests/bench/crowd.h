/* A crowd: processes that do the same for a while, as so many people would, and count. Processes
 * and not threads, because teamd asks the kernel about the process that asks. */
#pragma once

#include "bench.h"

#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

enum { CROWD_MAX = 256 };

struct crowd {
    unsigned n;
    pid_t pids[CROWD_MAX];
    struct {
        atomic_bool go, stop;
        atomic_uint ready, done;
        atomic_ullong times; /* what was done, by all */
    } * shared;
};

/* What one of them does; `me` from 0. Returns when it is done, or crowd_over(). */
typedef void crowd_work(struct crowd *c, unsigned me, void *ctx);

static inline bool crowd_over(const struct crowd *c)
{
    return atomic_load_explicit(&c->shared->stop, memory_order_relaxed);
}

static inline void crowd_count(struct crowd *c)
{
    atomic_fetch_add_explicit(&c->shared->times, 1, memory_order_relaxed);
}

/* They begin when all of them are there. */
static inline void crowd_wait_for_go(struct crowd *c)
{
    atomic_fetch_add(&c->shared->ready, 1);
    while (!atomic_load(&c->shared->go))
        pause_us(200);
}

static inline void crowd_start(struct crowd *c, unsigned n, crowd_work *work, void *ctx)
{
    c->n = n;
    c->shared = mmap(NULL, sizeof *c->shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
                     -1, 0);
    if (c->shared == MAP_FAILED || n > CROWD_MAX)
        die("no room for so many");
    memset(c->shared, 0, sizeof *c->shared);
    fflush(stdout);
    for (unsigned i = 0; i < n; i++) {
        c->pids[i] = fork();
        if (c->pids[i] < 0)
            die("fork: %s", strerror(errno));
        if (c->pids[i] == 0) {
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            work(c, i, ctx);
            atomic_fetch_add(&c->shared->done, 1);
            _exit(0);
        }
    }
    while (atomic_load(&c->shared->ready) < n)
        pause_us(500);
    atomic_store(&c->shared->go, true);
}

static inline void crowd_join(struct crowd *c)
{
    int status, bad = 0;

    for (unsigned i = 0; i < c->n; i++)
        if (waitpid(c->pids[i], &status, 0) != c->pids[i] || status != 0)
            bad++;
    if (bad > 0)
        die("%d of %u did not get what they wanted", bad, c->n);
    munmap(c->shared, sizeof *c->shared);
}

static inline void crowd_stop(struct crowd *c)
{
    atomic_store(&c->shared->stop, true);
    crowd_join(c);
}
