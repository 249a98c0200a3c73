#include "pam_pending.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include <team/text.h>

static const char NAME[] = "pending";

static int64_t boottime_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_BOOTTIME, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static int boot_id(char out[static 40])
{
    int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    ssize_t n;

    if (fd < 0)
        return -errno;
    n = read(fd, out, 39);
    close(fd);
    if (n <= 0)
        return -EIO;
    out[n] = '\0';
    out[strcspn(out, "\n")] = '\0';
    return 0;
}

/* ---- the file ---------------------------------------------------------------------------------
 */

int pending_write(const struct pam_dir *d, const struct pending *p)
{
    char text[2048];
    struct pam_text file = {.at = text};
    int n = snprintf(text, sizeof text,
                     "# teamctl pam install, not confirmed yet: taken back at the end of its time, "
                     "or at the next boot.\n"
                     "boot %s\nsince %" PRIi64 "\nuntil %" PRIi64 "\naudit %" PRIu64
                     "\nterminal %" PRIu64 "\nnewest %" PRIu64 "\n",
                     p->boot, p->since_us, p->until_us, p->by.audit, p->by.terminal, p->newest);

    for (size_t i = 0; i < p->n_services; i++)
        n += snprintf(text + n, sizeof text - (size_t)n, "service %s\n", p->services[i]);
    file.len = (size_t)n;
    return pam_keep_write(d, NAME, &file);
}

/* "key value" into its field. */
static bool take_line(struct pending *p, const char *key, const char *value)
{
    uint64_t n = 0;
    const struct {
        const char *key;
        uint64_t *to;
    } NUMBERS[] = {{"audit", &p->by.audit}, {"terminal", &p->by.terminal}, {"newest", &p->newest}};
    bool number = text_parse_u64(value, strlen(value), &n) && n < INT64_MAX;

    for (size_t i = 0; i < sizeof NUMBERS / sizeof NUMBERS[0]; i++)
        if (strcmp(key, NUMBERS[i].key) == 0) {
            *NUMBERS[i].to = n;
            return number;
        }
    if (strcmp(key, "since") == 0) {
        p->since_us = (int64_t)n;
        return number;
    }
    if (strcmp(key, "until") == 0) {
        p->until_us = (int64_t)n;
        return number;
    }
    if (strcmp(key, "boot") == 0 && strlen(value) < sizeof p->boot) {
        memcpy(p->boot, value, strlen(value) + 1);
        return true;
    }
    if (strcmp(key, "service") == 0 && p->n_services < PAM_SERVICES_MAX &&
        text_is_word(value, strlen(value)) && strlen(value) < PAM_NAME_CAP - 8) {
        memcpy(p->services[p->n_services++], value, strlen(value) + 1);
        return true;
    }
    return false;
}

static int read_lines(int fd, struct pending *p)
{
    FILE *f = fdopen(fd, "r");
    char line[256], *rest, *key;
    unsigned lines = 0;
    bool sound = true;

    if (!f) {
        close(fd);
        return -ENOMEM;
    }
    while (sound && fgets(line, sizeof line, f)) {
        line[strcspn(line, "\n")] = '\0';
        rest = line;
        if (line[0] == '#')
            continue;
        key = take_word(&rest);
        sound = take_line(p, key, rest);
        lines++;
    }
    sound = sound && !ferror(f) && lines == 6 + p->n_services && p->n_services > 0;
    fclose(f);
    return sound ? 0 : -EBADMSG;
}

int pending_read(const struct pam_dir *d, struct pending *ret)
{
    struct pending p = {.n_services = 0};
    int fd, r;

    if (d->keep < 0)
        return -ENOENT;
    fd = openat(d->keep, NAME, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    r = read_lines(fd, &p);
    if (r == 0)
        *ret = p;
    return r;
}

int pending_remove(const struct pam_dir *d)
{
    return pam_keep_remove(d, NAME);
}

/* ---- time -------------------------------------------------------------------------------------
 */

int pending_begin(struct pending *ret, uint64_t within_s)
{
    struct pending p = {.since_us = boottime_us(), .by = login_of_self(), .newest = login_newest()};
    int r = boot_id(p.boot);

    if (r < 0)
        return r;
    p.until_us = p.since_us + (int64_t)within_s * 1000000;
    *ret = p;
    return 0;
}

int64_t pending_left_us(const struct pending *p)
{
    int64_t left = p->until_us - boottime_us();

    return left > 0 ? left : 0;
}

bool pending_is_due(const struct pending *p)
{
    char boot[40];

    /* A clock that is before the beginning is another boot's, too. */
    return boot_id(boot) < 0 || strcmp(boot, p->boot) != 0 || pending_left_us(p) == 0 ||
           boottime_us() < p->since_us;
}

/* ---- who watches, and who confirms ------------------------------------------------------------
 */

int pending_watch(const struct pam_dir *d)
{
    int fd = openat(d->keep, NAME, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

    if (fd < 0)
        return -errno;
    if (flock(fd, LOCK_SH | LOCK_NB) == 0)
        return fd;
    close(fd);
    return -EBUSY;
}

bool pending_is_watched(const struct pam_dir *d)
{
    int fd = openat(d->keep, NAME, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    bool watched = fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK;

    if (fd >= 0)
        close(fd);
    return watched;
}

/* What asks by a service that has been changed, and so shows that it still works: of those that let
 * people log in if there are such, because coming by sudo says nothing of sshd. */
static bool proves(const void *ctx, const char *program)
{
    static const struct {
        const char *service, *program;
        bool logs_in;
    } ASK[] = {
        {"sudo", "sudo", false},       {"sudo-i", "sudo", false},
        {"su", "su", false},           {"su-l", "su", false},
        {"runuser", "runuser", false}, {"runuser-l", "runuser", false},
        {"polkit-1", "pkexec", false}, {"login", "login", true},
        {"sshd", "sshd", true},        {"sshd", "sshd-session", true},
    };
    const struct pending *p = ctx;
    bool elevates = false, logs_in = false, login_changed = false;

    for (size_t i = 0; i < p->n_services; i++)
        for (size_t k = 0; k < sizeof ASK / sizeof ASK[0]; k++) {
            bool meant = strcmp(p->services[i], ASK[k].service) == 0;

            login_changed |= meant && ASK[k].logs_in;
            if (meant && strcmp(program, ASK[k].program) == 0)
                *(ASK[k].logs_in ? &logs_in : &elevates) = true;
        }
    return logs_in || (elevates && !login_changed);
}

const char *pending_refuses(const struct pending *p)
{
    static const char SAME[] = "this is the login that installed it, and proves nothing";
    struct login me = login_of_self();

    if (me.audit != LOGIN_NO_AUDIT && me.audit == p->by.audit)
        return SAME;
    if (me.audit == LOGIN_NO_AUDIT && p->by.audit != LOGIN_NO_AUDIT)
        return "this is no login: it has no audit session";
    if (me.audit == LOGIN_NO_AUDIT && me.terminal == 0)
        return "this is no login: it has no audit session and no terminal";
    if (me.audit == LOGIN_NO_AUDIT && me.terminal == p->by.terminal)
        return SAME;
    if ((me.audit == LOGIN_NO_AUDIT || me.audit <= p->newest) &&
        !login_came_since(p->since_us, proves, p))
        return "this shell was there before the change, and proves nothing";
    return NULL;
}
