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

/* Who was whose child at the last look, whoever they are. */
static struct {
    size_t n;
    uint32_t pids[SURVEY_MAX], parents[SURVEY_MAX];
} survey;

void process_survey(void)
{
    const struct dirent *e;
    DIR *d = opendir("/proc");
    uint64_t pid;

    survey.n = 0;
    while (d && survey.n < SURVEY_MAX && (e = readdir(d)))
        if (text_parse_u64(e->d_name, strlen(e->d_name), &pid) && pid <= INT32_MAX) {
            survey.pids[survey.n] = (uint32_t)pid;
            survey.parents[survey.n++] = process_parent((uint32_t)pid);
        }
    if (d)
        closedir(d);
}

/* Nobody is their own ancestor, unless numbers were given anew during the look. */
static bool has(const uint32_t *pids, size_t n, uint32_t pid)
{
    for (size_t i = 0; i < n; i++)
        if (pids[i] == pid)
            return true;
    return false;
}

size_t process_tree(uint32_t root, uint32_t *pids, size_t cap)
{
    size_t n = 0;

    pids[n++] = root;
    for (size_t at = 0; at < n; at++)
        for (size_t i = 0; i < survey.n && n < cap; i++)
            if (survey.parents[i] == pids[at] && !has(pids, n, survey.pids[i]))
                pids[n++] = survey.pids[i];
    return n;
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
