#include "live.h"

#include <errno.h>
#include <stdlib.h>
#include <syslog.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

/* A pidfd names one process for ever, a number does not. systemd keeps those of the leaders while
 * teamd is away, by name, and gives them back at the start (sd_pid_notify_with_fds(3)). What it has
 * not, because there are more than the unit allows or there is no systemd, is found by number,
 * start time and boot. */

static const char LEADER[] = "session-", STRAY[] = "stray-";

struct kept {
    struct kept *next;
    const char *what; /* LEADER or STRAY */
    uint64_t number;
    int pidfd;
};

static struct kept *inherited;

bool kept_inherit(const char *name, int fd)
{
    const char *what = strncmp(name, STRAY, sizeof STRAY - 1) == 0 ? STRAY : LEADER;
    struct kept *k;
    uint64_t number;

    if (strncmp(name, what, strlen(what)) != 0)
        return false;
    name += strlen(what);
    k = text_parse_u64(name, strlen(name), &number) ? malloc(sizeof *k) : NULL;
    if (!k) {
        close(fd);
        return true;
    }
    *k = (struct kept){.next = inherited, .what = what, .number = number, .pidfd = fd};
    inherited = k;
    return true;
}

static void name_it(char *out, size_t cap, const char *words, const char *what, uint64_t number)
{
    struct text t = text_over(out, cap);

    text_put(&t, words);
    text_put(&t, what);
    text_put_u64(&t, number);
}

/* What systemd does not keep is no harm, so nobody asks whether it does. */
static void put(const char *what, uint64_t number, int pidfd)
{
    char state[80];

    name_it(state, sizeof state, "FDSTORE=1\nFDPOLL=0\nFDNAME=", what, number);
    sd_pid_notify_with_fds(0, 0, state, &pidfd, 1);
}

static void drop(const char *what, uint64_t number)
{
    char state[80];

    name_it(state, sizeof state, "FDSTOREREMOVE=1\nFDNAME=", what, number);
    sd_notify(0, state);
}

/* -1: there is none (any more). */
static int take(const char *what, uint64_t number)
{
    for (struct kept **at = &inherited; *at; at = &(*at)->next) {
        struct kept *k = *at;
        int pidfd = k->pidfd;

        if (k->what != what || k->number != number)
            continue;
        *at = k->next;
        free(k);
        return pidfd;
    }
    return -1;
}

int kept_take(const struct session *s)
{
    int pidfd = take(LEADER, s->number);
    uint32_t pid = pidfd < 0 ? 0 : process_behind(pidfd);

    if (pidfd < 0)
        return -ENOENT;
    if (pid == s->leader.pid)
        return pidfd;
    close(pidfd);
    drop(LEADER, s->number);
    return pid == 0 ? -ESRCH : -ENOENT;
}

int kept_take_stray(uint64_t number)
{
    return take(STRAY, number);
}

void kept_rest(void)
{
    for (struct kept *k = inherited, *next; k; k = next) {
        next = k->next;
        close(k->pidfd);
        drop(k->what, k->number);
        free(k);
    }
    inherited = NULL;
}

void kept_put(const struct live *l)
{
    put(LEADER, l->number, l->pidfd);
}

void kept_drop(uint64_t number)
{
    drop(LEADER, number);
}

void kept_put_stray(uint64_t number, int pidfd)
{
    put(STRAY, number, pidfd);
}

void kept_drop_strays(uint64_t number)
{
    drop(STRAY, number);
}
