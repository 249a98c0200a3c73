#include "host/host.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/pidfd.h>
#include <team/text.h>
#include <unistd.h>

enum { SEEN_SIZE = 65536 }; /* a power of two, at least twice PROCESS_TREE_MAX */

static_assert(SEEN_SIZE >= 2 * PROCESS_TREE_MAX, "a place is found soon");

/* Of each thread the kernel has a list of its children (CONFIG_PROC_CHILDREN), which costs as much
 * as the tree that is asked about. Where it has none, all processes have to be looked at. */
static bool has_lists(void)
{
    return access("/proc/thread-self/children", F_OK) == 0;
}

static bool is_number(const char *s, uint32_t *ret)
{
    uint64_t v;

    if (!text_parse_u64(s, strlen(s), &v) || v == 0 || v > INT32_MAX)
        return false;
    *ret = (uint32_t)v;
    return true;
}

/* ---- all processes ----------------------------------------------------------------------------
 */

enum { CENSUS_MAX = 1 << 20, CENSUS_FIRST = 1024, NOT_READ = -1 };

/* One process at the last look, whoever it is. They ascend, as readdir(3) of /proc has them. */
struct counted {
    uint32_t pid;
    int32_t parent; /* NOT_READ; 0: none, or it was gone */
    bool struck;
    uint8_t hangs; /* on the root that is asked about: enum hangs */
};

enum hangs { HANGS_UNKNOWN = 0, HANGS_YES = 1, HANGS_NO = 2 };

static struct {
    size_t n, cap;
    struct counted *all;
    uint64_t since_ticks;
    bool whole;
} census;

static bool count_in(uint32_t pid, bool read_parent)
{
    if (census.n == census.cap) {
        size_t cap = census.cap ? census.cap * 2 : CENSUS_FIRST;
        struct counted *more = cap <= CENSUS_MAX ? reallocarray(census.all, cap, sizeof *more)
                                                 : NULL;

        if (!more)
            return false;
        census.all = more;
        census.cap = cap;
    }
    census.all[census.n++] = (struct counted){
        .pid = pid, .parent = read_parent ? (int32_t)process_parent(pid) : NOT_READ};
    return true;
}

static int by_number(const void *a, const void *b)
{
    const struct counted *x = a, *y = b;

    return (x->pid > y->pid) - (x->pid < y->pid);
}

static void take_census(bool read_parents)
{
    DIR *d = opendir("/proc");
    const struct dirent *e;
    uint32_t pid;

    census.n = 0;
    census.since_ticks = process_ticks_now();
    census.whole = d != NULL;
    while (census.whole && (e = readdir(d)))
        if (is_number(e->d_name, &pid))
            census.whole = count_in(pid, read_parents);
    if (d)
        closedir(d);
    if (census.n > 0)
        qsort(census.all, census.n, sizeof *census.all, by_number);
}

void process_survey(void)
{
    if (!has_lists())
        take_census(true);
}

void process_census(void)
{
    take_census(false);
}

static struct counted *counted(uint32_t pid)
{
    struct counted key = {.pid = pid};

    return census.n > 0 ? bsearch(&key, census.all, census.n, sizeof key, by_number) : NULL;
}

void process_strike(void *ctx, uint32_t pid)
{
    struct counted *c = counted(pid);

    (void)ctx;
    if (c)
        c->struck = true;
}

static uint32_t parent_at_census(struct counted *c)
{
    if (c->parent == NOT_READ)
        c->parent = (int32_t)process_parent(c->pid);
    return (uint32_t)c->parent;
}

/* Of those that came since the census nothing is known. What is found out holds for the whole line
 * of ancestors, so that a long one is walked once. */
static bool descended_at_census(uint32_t pid, uint32_t from)
{
    enum hangs hangs = HANGS_NO;
    struct counted *c;
    size_t steps = 0;

    for (uint32_t at = pid; at > 1 && steps < census.n; steps++) {
        c = counted(at);
        if (at == from)
            hangs = HANGS_YES;
        else if (c && c->hangs != HANGS_UNKNOWN)
            hangs = c->hangs;
        if (!c || hangs == HANGS_YES || c->hangs != HANGS_UNKNOWN)
            break;
        at = parent_at_census(c);
    }
    for (uint32_t at = pid; steps > 0 && (c = counted(at)); steps--) {
        c->hangs = (uint8_t)hangs;
        at = parent_at_census(c);
    }
    return hangs == HANGS_YES;
}

bool process_each_left(uint32_t root, cgroup_member_fn each, void *ctx)
{
    for (size_t i = 0; i < census.n; i++)
        census.all[i].hangs = HANGS_UNKNOWN;
    for (size_t i = 0; i < census.n; i++) {
        bool left = !census.all[i].struck;

        census.all[i].struck = false;
        if (left && descended_at_census(census.all[i].pid, root))
            each(ctx, census.all[i].pid);
    }
    return census.whole;
}

/* ---- one tree ---------------------------------------------------------------------------------
 */

struct tree {
    uint32_t *pids;
    size_t n, cap;
};

/* Whom the tree has: numbers, scattered. 0: nobody. */
static uint32_t seen[SEEN_SIZE];

static uint32_t *place_of(uint32_t pid)
{
    size_t at = (size_t)(pid * UINT32_C(2654435761)) % SEEN_SIZE;

    while (seen[at] != 0 && seen[at] != pid)
        at = (at + 1) % SEEN_SIZE;
    return &seen[at];
}

/* Nobody is their own ancestor, unless numbers were given anew during the look. */
static void add(struct tree *t, uint32_t pid)
{
    uint32_t *place = place_of(pid);

    if (*place == pid || t->n == t->cap)
        return;
    *place = pid;
    t->pids[t->n++] = pid;
}

static void forget_seen(const struct tree *t)
{
    if (t->n > SEEN_SIZE / 64) {
        memset(seen, 0, sizeof seen);
        return;
    }
    for (size_t i = t->n; i > 0; i--) /* backwards, so that who gave way is still found */
        *place_of(t->pids[i - 1]) = 0;
}

static void add_surveyed(struct tree *t, uint32_t parent)
{
    for (size_t i = 0; i < census.n; i++)
        if (census.all[i].parent == (int32_t)parent)
            add(t, census.all[i].pid);
}

static void add_listed_of_thread(struct tree *t, uint32_t pid, uint32_t thread)
{
    char path[64], word[16];
    uint32_t child;
    FILE *f;

    snprintf(path, sizeof path, "/proc/%u/task/%u/children", pid, thread);
    f = fopen(path, "re");
    while (f && fscanf(f, "%15s", word) == 1 && is_number(word, &child))
        add(t, child);
    if (f)
        fclose(f);
}

static void add_listed(struct tree *t, uint32_t pid)
{
    const struct dirent *e;
    uint32_t thread;
    char path[32];
    DIR *d;

    snprintf(path, sizeof path, "/proc/%u/task", pid);
    d = opendir(path);
    while (d && (e = readdir(d)))
        if (is_number(e->d_name, &thread))
            add_listed_of_thread(t, pid, thread);
    if (d)
        closedir(d);
}

size_t process_tree(uint32_t root, uint32_t *pids, size_t cap)
{
    struct tree t = {.pids = pids, .cap = cap};
    bool lists = has_lists();

    if (t.cap > PROCESS_TREE_MAX)
        t.cap = PROCESS_TREE_MAX;
    add(&t, root);
    for (size_t at = 0; at < t.n; at++)
        if (lists)
            add_listed(&t, pids[at]);
        else
            add_surveyed(&t, pids[at]);
    forget_seen(&t);
    return t.n;
}

/* Who had the number when the look began has it now, and hung on the root then: a parent is older
 * than its children, and who is an orphan falls to one of their ancestors. What has only just begun
 * is asked for its own. */
bool process_is_still(uint32_t pid, uint32_t root, uint64_t since_ticks)
{
    uint64_t ticks;

    return process_began(pid, &ticks) && (ticks < since_ticks || process_descends(pid, root));
}

/* ---- killing ----------------------------------------------------------------------------------
 */

void process_kill_tree(uint32_t root)
{
    static uint32_t pids[PROCESS_TREE_MAX];
    uint64_t since = has_lists() ? process_ticks_now() : census.since_ticks;
    size_t n = process_tree(root, pids, PROCESS_TREE_MAX);

    while (n-- > 1) {
        int pidfd = pidfd_open((pid_t)pids[n], 0);

        /* Looked at once more under the pidfd: the number may be another's by now. */
        if (pidfd >= 0 && process_is_still(pids[n], root, since))
            pidfd_send_signal(pidfd, SIGKILL, NULL, 0);
        if (pidfd >= 0)
            close(pidfd);
    }
}

uint32_t process_behind(int pidfd)
{
    char path[48], line[128];
    uint32_t pid = 0;
    FILE *f;

    snprintf(path, sizeof path, "/proc/self/fdinfo/%d", pidfd);
    f = fopen(path, "re");
    if (!f)
        return 0;
    while (fgets(line, sizeof line, f))
        if (strncmp(line, "Pid:", 4) == 0) { /* -1: it is gone */
            long v = strtol(line + 4, NULL, 10);

            pid = v > 0 && v <= INT32_MAX ? (uint32_t)v : 0;
        }
    fclose(f);
    return pid;
}
