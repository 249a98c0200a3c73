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

static const char PREFIX[] = "session-";

struct kept {
    struct kept *next;
    uint64_t number;
    int pidfd;
};

static struct kept *inherited;

bool kept_inherit(const char *name, int fd)
{
    struct kept *k;
    uint64_t number;

    if (strncmp(name, PREFIX, sizeof PREFIX - 1) != 0)
        return false;
    name += sizeof PREFIX - 1;
    k = text_parse_u64(name, strlen(name), &number) ? malloc(sizeof *k) : NULL;
    if (!k) {
        close(fd);
        return true;
    }
    *k = (struct kept){.next = inherited, .number = number, .pidfd = fd};
    inherited = k;
    return true;
}

int kept_take(const struct session *s)
{
    for (struct kept **at = &inherited; *at; at = &(*at)->next) {
        struct kept *k = *at;
        uint32_t pid = k->number == s->number ? process_behind(k->pidfd) : 0;
        int pidfd = k->pidfd;

        if (k->number != s->number)
            continue;
        *at = k->next;
        free(k);
        if (pid == s->leader.pid)
            return pidfd;
        close(pidfd);
        kept_drop(s->number);
        return pid == 0 ? -ESRCH : -ENOENT;
    }
    return -ENOENT;
}

void kept_rest(void)
{
    for (struct kept *k = inherited, *next; k; k = next) {
        next = k->next;
        close(k->pidfd);
        kept_drop(k->number);
        free(k);
    }
    inherited = NULL;
}

/* What systemd does not keep is no harm, so nobody asks whether it does. */
void kept_put(const struct live *l)
{
    char state[64];
    struct text t = text_over(state, sizeof state);

    text_put(&t, "FDSTORE=1\nFDPOLL=0\nFDNAME=");
    text_put(&t, PREFIX);
    text_put_u64(&t, l->number);
    sd_pid_notify_with_fds(0, 0, state, &l->pidfd, 1);
}

void kept_drop(uint64_t number)
{
    char state[64];
    struct text t = text_over(state, sizeof state);

    text_put(&t, "FDSTOREREMOVE=1\nFDNAME=");
    text_put(&t, PREFIX);
    text_put_u64(&t, number);
    sd_notify(0, state);
}
