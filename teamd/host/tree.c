#include "host/host.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/pidfd.h>
#include <team/text.h>
#include <unistd.h>

enum { TREE_MAX = 4096, SURVEY_MAX = 65536 };

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

/* Who was whose child at the last look, whoever they are. */
static struct {
    size_t n;
    uint32_t pids[SURVEY_MAX], parents[SURVEY_MAX];
} survey;

void process_survey(void)
{
    const struct dirent *e;
    uint32_t pid;
    DIR *d;

    survey.n = 0;
    if (has_lists())
        return;
    d = opendir("/proc");
    while (d && survey.n < SURVEY_MAX && (e = readdir(d)))
        if (is_number(e->d_name, &pid)) {
            survey.pids[survey.n] = pid;
            survey.parents[survey.n++] = process_parent(pid);
        }
    if (d)
        closedir(d);
}

/* ---- one tree ---------------------------------------------------------------------------------
 */

struct tree {
    uint32_t *pids;
    size_t n, cap;
};

/* Nobody is their own ancestor, unless numbers were given anew during the look. */
static void add(struct tree *t, uint32_t pid)
{
    for (size_t i = 0; i < t->n; i++)
        if (t->pids[i] == pid)
            return;
    if (t->n < t->cap)
        t->pids[t->n++] = pid;
}

static void add_surveyed(struct tree *t, uint32_t parent)
{
    for (size_t i = 0; i < survey.n; i++)
        if (survey.parents[i] == parent)
            add(t, survey.pids[i]);
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

    add(&t, root);
    for (size_t at = 0; at < t.n; at++)
        if (lists)
            add_listed(&t, pids[at]);
        else
            add_surveyed(&t, pids[at]);
    return t.n;
}

/* ---- killing ----------------------------------------------------------------------------------
 */

void process_kill_tree(uint32_t root)
{
    static uint32_t pids[TREE_MAX];
    size_t n = process_tree(root, pids, TREE_MAX);

    while (n-- > 1) {
        int pidfd = pidfd_open((pid_t)pids[n], 0);

        /* Looked at once more under the pidfd: the number may be another's by now. */
        if (pidfd >= 0 && process_descends(pids[n], root))
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
