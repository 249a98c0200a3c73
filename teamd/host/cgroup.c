#include "host/cgroup.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <team/text.h>
#include <unistd.h>

#include <linux/magic.h>

enum { LINE_LEN = 512, NAME_LEN = 256, STEPS_MAX = 2048 };

static_assert(LINE_LEN > CONTAINER_CAP + 4, "a path is cut at a slash, not by the buffer");

bool cgroup_is_v2(const char *path)
{
    struct statfs fs;

    return statfs(path, &fs) == 0 && fs.f_type == CGROUP2_SUPER_MAGIC;
}

const char *cgroup_mount(void)
{
    static const char *const PLACES[] = {"/sys/fs/cgroup", "/sys/fs/cgroup/unified"};

    for (size_t i = 0; i < sizeof PLACES / sizeof PLACES[0]; i++)
        if (cgroup_is_v2(PLACES[i]))
            return PLACES[i];
    return NULL;
}

/* The line of version 2 is "0::/path". Root can make a path as long as it likes. */
int cgroup_of(uint32_t pid, char out[CONTAINER_CAP])
{
    char file[32], line[LINE_LEN];
    bool begins = true; /* a line, not the rest of a long one */
    int r = -ESRCH;
    FILE *f;

    snprintf(file, sizeof file, "/proc/%u/cgroup", pid);
    f = fopen(file, "re");
    if (!f)
        return -ESRCH;
    while (r < 0 && fgets(line, sizeof line, f)) {
        size_t n = strcspn(line, "\n");
        bool whole = line[n] == '\n';

        if (begins && strncmp(line, "0::/", 4) == 0) {
            r = whole && n - 3 < CONTAINER_CAP ? 0 : 1;
            if (r > 0)
                n = 3 + CONTAINER_CAP - 1;
            while (r > 0 && line[n] != '/')
                n--;
            memcpy(out, line + 3, n - 3);
            out[n - 3] = '\0';
        }
        begins = whole;
    }
    fclose(f);
    return r;
}

bool cgroup_within(const char *cgroup, const char *of)
{
    size_t n = strlen(of);

    return strncmp(cgroup, of, n) == 0 && (cgroup[n] == '\0' || cgroup[n] == '/');
}

bool cgroup_join(char *out, size_t cap, const char *a, const char *b)
{
    struct text t = text_over(out, cap);

    text_put(&t, a);
    if (t.len > 0 && out[t.len - 1] != '/')
        text_put(&t, "/");
    text_put(&t, b[0] == '/' ? b + 1 : b);
    return !t.cut;
}

/* ---- what is in one ---------------------------------------------------------------------------
 */

static int open_below(int dir, const char *name)
{
    int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

    return fd < 0 ? -errno : fd;
}

/* A stream over the directory from its beginning, whoever has read it before. */
static DIR *list(int dir)
{
    int fd = open_below(dir, ".");
    DIR *d = fd < 0 ? NULL : fdopendir(fd);

    if (!d && fd >= 0)
        close(fd);
    return d;
}

static bool is_child(const struct dirent *e)
{
    return e->d_type == DT_DIR && strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
}

int cgroup_populated(int dir)
{
    static const char KEY[] = "populated ";
    char events[256], *at;
    ssize_t n;
    int fd = openat(dir, "cgroup.events", O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return -errno;
    n = read(fd, events, sizeof events - 1);
    if (n < 0)
        n = -errno;
    close(fd);
    if (n < 0)
        return (int)n;
    events[n] = '\0';
    at = strstr(events, KEY);
    return !at || at[sizeof KEY - 1] != '0'; /* what cannot be told is not over */
}

static int each_here(int dir, cgroup_member_fn each, void *ctx)
{
    int fd = openat(dir, "cgroup.procs", O_RDONLY | O_CLOEXEC);
    FILE *f = fd < 0 ? NULL : fdopen(fd, "re");
    char word[16];
    uint64_t pid;

    if (!f) {
        if (fd >= 0)
            close(fd);
        return -EBUSY;
    }
    while (fscanf(f, "%15s", word) == 1)
        if (text_parse_u64(word, strlen(word), &pid) && pid > 0) /* 0: of another namespace */
            each(ctx, (uint32_t)pid);
    fclose(f);
    return 0;
}

static int each_below(int dir, cgroup_member_fn each, void *ctx, unsigned depth)
{
    int r = each_here(dir, each, ctx);
    const struct dirent *e;
    DIR *d = depth < CGROUP_DEPTH_MAX ? list(dir) : NULL;

    if (!d)
        return -EBUSY;
    while ((e = readdir(d))) {
        int child = is_child(e) ? open_below(dir, e->d_name) : -1;

        if (child < 0)
            continue;
        if (each_below(child, each, ctx, depth + 1) < 0)
            r = -EBUSY;
        close(child);
    }
    closedir(d);
    return r;
}

int cgroup_each(int dir, cgroup_member_fn each, void *ctx)
{
    return each_below(dir, each, ctx, 0);
}

/* ---- removing ---------------------------------------------------------------------------------
 */

static bool first_child(int dir, char name[NAME_LEN])
{
    const struct dirent *e;
    DIR *d = list(dir);

    while (d && (e = readdir(d)))
        if (is_child(e)) {
            snprintf(name, NAME_LEN, "%s", e->d_name);
            closedir(d);
            return true;
        }
    if (d)
        closedir(d);
    return false;
}

/* Down into `name`, unless that has nothing below (then there are processes in it) or something
 * else is mounted on it. */
static int descend(int dir, const char *name, dev_t device)
{
    char below[NAME_LEN];
    struct stat st;
    int child = open_below(dir, name);

    if (child < 0)
        return -EBUSY;
    if (fstat(child, &st) == 0 && st.st_dev == device && first_child(child, below))
        return child;
    close(child);
    return -EBUSY;
}

/* The first child goes, or what is below it first: down by its name, up by "..", so that neither
 * the length of a path nor the number of open directories is a limit to the depth. */
int cgroup_remove_below(int dir)
{
    char name[NAME_LEN];
    struct stat st;
    unsigned depth = 0;
    int at, next;

    if (fstat(dir, &st) < 0 || (at = open_below(dir, ".")) < 0)
        return -EBUSY;
    for (unsigned steps = 0; steps < STEPS_MAX; steps++) {
        if (first_child(at, name)) {
            if (unlinkat(at, name, AT_REMOVEDIR) == 0)
                continue;
            next = errno == EBUSY ? descend(at, name, st.st_dev) : -errno;
            depth++;
        } else if (depth > 0) {
            next = open_below(at, "..");
            depth--;
        } else {
            close(at);
            return 0;
        }
        close(at);
        if (next < 0)
            return next == -EACCES ? next : -EBUSY;
        at = next;
    }
    close(at);
    return -EBUSY;
}
