#include "pam_files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

/* ---- folders ----------------------------------------------------------------------------------
 */

static bool is_roots(const struct stat *st)
{
    return st->st_uid == 0 && !(st->st_mode & 022);
}

static int open_folder(int at, const char *path, int flags, bool roots)
{
    int fd = openat(at, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | flags);
    struct stat st;

    if (fd < 0)
        return -errno;
    if (!roots || (fstat(fd, &st) == 0 && is_roots(&st)))
        return fd;
    close(fd);
    return -EPERM;
}

static int make_keep(int dir)
{
    if (mkdirat(dir, PAM_KEEP, 0700) < 0)
        return errno == EEXIST ? 0 : -errno;
    return fsync(dir) < 0 ? -errno : 0;
}

int pam_dir_open(const char *path, bool make, struct pam_dir *ret)
{
    struct pam_dir d = {.keep = -1};
    int r;

    d.dir = open_folder(AT_FDCWD, path, 0, make);
    if (d.dir < 0)
        return d.dir;
    r = make ? make_keep(d.dir) : 0;
    if (r == 0)
        r = d.keep = open_folder(d.dir, PAM_KEEP, O_NOFOLLOW, true);
    if (r < 0 && (make || r != -ENOENT)) {
        close(d.dir);
        return r;
    }
    d.keep = r < 0 ? -1 : d.keep;
    *ret = d;
    return 0;
}

void pam_dir_close(struct pam_dir *d)
{
    if (d->keep >= 0)
        close(d->keep);
    if (d->dir >= 0)
        close(d->dir);
    *d = (struct pam_dir){-1, -1};
}

void pam_dir_tidy(const struct pam_dir *d)
{
    unlinkat(d->dir, PAM_KEEP, AT_REMOVEDIR);
}

int pam_dir_lock(const struct pam_dir *d, int seconds)
{
    static const struct timespec PAUSE = {.tv_nsec = 20 * 1000 * 1000};
    struct stat st;

    for (int left = seconds * 50; flock(d->keep, LOCK_EX | LOCK_NB) < 0; left--) {
        if (errno != EWOULDBLOCK && errno != EINTR)
            return -errno;
        if (left <= 0)
            return -EBUSY;
        nanosleep(&PAUSE, NULL);
    }
    return fstat(d->keep, &st) == 0 && st.st_nlink > 0 ? 0 : -ESTALE;
}

/* ---- reading ----------------------------------------------------------------------------------
 */

/* What must not wait: somebody may have put a pipe there. */
static int open_file(int at, const char *name, struct stat *st)
{
    int fd = openat(at, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC), r = 0;

    if (fd < 0)
        return -errno;
    if (fstat(fd, st) < 0)
        r = -errno;
    else if (!S_ISREG(st->st_mode))
        r = -EISDIR;
    if (r == 0)
        return fd;
    close(fd);
    return r;
}

static int read_at(int at, const char *name, struct pam_text *ret)
{
    struct stat st;
    int fd = open_file(at, name, &st), r;

    if (fd < 0)
        return fd;
    r = pam_load(fd, ret);
    close(fd);
    return r;
}

int pam_file_read(const struct pam_dir *d, const char *service, struct pam_text *ret)
{
    struct stat st = {.st_size = 0};
    int fd = open_file(d->dir, service, &st), r;

    if (fd < 0)
        return fd;
    r = is_roots(&st) ? pam_load(fd, ret) : -EPERM;
    close(fd);
    return r;
}

int pam_file_look(const struct pam_dir *d, const char *service, struct pam_text *ret)
{
    return read_at(d->dir, service, ret);
}

static void name_of(char out[static PAM_NAME_CAP], const char *service, const char *what)
{
    snprintf(out, PAM_NAME_CAP, "%s.%s", service, what);
}

/* Does this file have these bytes now? 0, -ESTALE, -errno. */
static int still_is(int at, const char *name, const struct pam_text *text)
{
    struct pam_text now = {.at = NULL};
    int r = read_at(at, name, &now);

    if (r == 0 && !pam_same(&now, text))
        r = -ESTALE;
    pam_unload(&now);
    return r;
}

/* ---- writing ----------------------------------------------------------------------------------
 */

static int write_all(int fd, const struct pam_text *text)
{
    for (size_t at = 0; at < text->len;) {
        ssize_t n = write(fd, text->at + at, text->len - at);

        if (n < 0 && errno != EINTR)
            return -errno;
        at += n > 0 ? (size_t)n : 0;
    }
    return 0;
}

/* The kernel makes these itself, from what is in the file. */
static bool is_copied(const char *name)
{
    return strcmp(name, "security.ima") != 0 && strcmp(name, "security.evm") != 0;
}

static int copy_xattr(int from, int to, const char *name)
{
    char value[16 * 1024];
    ssize_t n = fgetxattr(from, name, value, sizeof value);

    return n < 0 || fsetxattr(to, name, value, (size_t)n, 0) < 0 ? -errno : 0;
}

static int copy_xattrs(int from, int to)
{
    char names[16 * 1024];
    ssize_t n = flistxattr(from, names, sizeof names);
    int r = 0;

    if (n < 0)
        return errno == ENOTSUP ? 0 : -errno;
    for (const char *s = names; r == 0 && s < names + n; s += strlen(s) + 1)
        if (is_copied(s))
            r = copy_xattr(from, to, s);
    return r;
}

/* Owner, mode, access lists, labels. */
static int look_like(int from, int to)
{
    struct stat st;

    if (fstat(from, &st) < 0 || fchown(to, st.st_uid, st.st_gid) < 0 ||
        fchmod(to, st.st_mode & 07777) < 0)
        return -errno;
    return copy_xattrs(from, to);
}

/* Writes a new file in PAM_KEEP, durably, that looks like the one behind `like` (-1: root's, 0600).
 */
static int write_new(const struct pam_dir *d, const char *name, const struct pam_text *text,
                     int like)
{
    int fd, r;

    if (unlinkat(d->keep, name, 0) < 0 && errno != ENOENT)
        return -errno;
    fd = openat(d->keep, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return -errno;
    r = write_all(fd, text);
    if (r == 0 && like >= 0)
        r = look_like(like, fd);
    if (r == 0 && fsync(fd) < 0)
        r = -errno;
    if (close(fd) < 0 && r == 0)
        r = -errno;
    if (r < 0)
        unlinkat(d->keep, name, 0);
    return r;
}

int pam_keep_write(const struct pam_dir *d, const char *name, const struct pam_text *text)
{
    char new[PAM_NAME_CAP];
    int r;

    name_of(new, name, "new");
    r = write_new(d, new, text, -1);
    if (r == 0 && renameat(d->keep, new, d->keep, name) < 0)
        r = -errno;
    if (r == 0 && fsync(d->keep) < 0)
        r = -errno;
    return r;
}

int pam_keep_remove(const struct pam_dir *d, const char *name)
{
    if (unlinkat(d->keep, name, 0) < 0)
        return errno == ENOENT ? 0 : -errno;
    return fsync(d->keep) < 0 ? -errno : 0;
}

/* ---- one file in the place of another ---------------------------------------------------------
 */

/* Puts the file `name` of PAM_KEEP in the place of the service's, which has to be `expected`, and
 * is gone afterwards. Where the file system can swap two files, nobody's change is lost, however
 * late it came: what comes out is looked at once more. -EINPROGRESS: and could not be put back. */
static int put_in_place(const struct pam_dir *d, const char *name, const char *service,
                        const struct pam_text *expected)
{
    int r = still_is(d->dir, service, expected);

    if (r < 0)
        return r;
    if (renameat2(d->keep, name, d->dir, service, RENAME_EXCHANGE) < 0) {
        if (errno != EINVAL && errno != ENOSYS && errno != ENOTSUP)
            return -errno;
        return renameat(d->keep, name, d->dir, service) < 0 ? -errno : 0;
    }
    if (still_is(d->keep, name, expected) < 0)
        return renameat2(d->keep, name, d->dir, service, RENAME_EXCHANGE) < 0 ? -EINPROGRESS
                                                                              : -ESTALE;
    unlinkat(d->keep, name, 0);
    return 0;
}

static int make_durable(const struct pam_dir *d)
{
    return fsync(d->keep) < 0 || fsync(d->dir) < 0 ? -errno : 0;
}

/* Keeps the original under a second name. */
static int keep_original(const struct pam_dir *d, const char *service, const char *kept,
                         const struct pam_text *old)
{
    int r;

    if (linkat(d->dir, service, d->keep, kept, 0) < 0)
        return -errno;
    r = still_is(d->keep, kept, old);
    if (r == 0 && fsync(d->keep) < 0)
        r = -errno;
    if (r < 0)
        unlinkat(d->keep, kept, 0);
    return r;
}

int pam_file_switch(const struct pam_dir *d, const char *service, const struct pam_text *old,
                    const struct pam_text *new)
{
    char kept[PAM_NAME_CAP], fresh[PAM_NAME_CAP];
    struct stat st;
    int fd = open_file(d->dir, service, &st), r;

    if (fd < 0)
        return fd;
    name_of(kept, service, "old");
    name_of(fresh, service, "new");
    r = write_new(d, fresh, new, fd);
    close(fd);
    if (r < 0)
        return r;
    r = keep_original(d, service, kept, old);
    if (r == 0) {
        r = put_in_place(d, fresh, service, old);
        if (r == 0)
            return make_durable(d) < 0 ? -EINPROGRESS : 0;
        if (r == -EINPROGRESS)
            return r;
        unlinkat(d->keep, kept, 0);
    }
    unlinkat(d->keep, fresh, 0);
    return r;
}

/* ---- and back ---------------------------------------------------------------------------------
 */

bool pam_file_is_kept(const struct pam_dir *d, const char *service)
{
    char kept[PAM_NAME_CAP];
    struct stat st;

    name_of(kept, service, "old");
    return d->keep >= 0 && fstatat(d->keep, kept, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

int pam_file_put_away(const struct pam_dir *d, const char *service)
{
    char kept[PAM_NAME_CAP], away[PAM_NAME_CAP];

    name_of(kept, service, "old");
    name_of(away, service, "kept");
    if (d->keep < 0 || renameat(d->keep, kept, d->keep, away) == 0 || errno == ENOENT)
        return 0;
    return -errno;
}

/* Nothing of ours is in the file. An original that says the same, or that is ours - a crash came
 * between the swap and its end -, is no original. */
static int forget_original(const struct pam_dir *d, const char *service, const struct pam_text *now,
                           const struct pam_text *original)
{
    char kept[PAM_NAME_CAP];

    name_of(kept, service, "old");
    if (!original->at)
        return 0;
    if (pam_same(now, original) || pam_is_marked(original))
        return pam_keep_remove(d, kept);
    return pam_file_put_away(d, service);
}

/* Somebody has changed the file since: what they did stays. */
static int take_out(const struct pam_dir *d, const char *service, const struct pam_text *now,
                    const struct pam_text *without)
{
    char fresh[PAM_NAME_CAP];
    struct stat st;
    int fd = open_file(d->dir, service, &st), r;

    if (fd < 0)
        return fd;
    name_of(fresh, service, "new");
    r = write_new(d, fresh, without, fd);
    close(fd);
    if (r == 0)
        r = put_in_place(d, fresh, service, now);
    if (r == 0)
        r = pam_file_put_away(d, service);
    else if (r != -EINPROGRESS)
        unlinkat(d->keep, fresh, 0);
    return r < 0 ? r : PAM_TAKEN_OUT;
}

static int give_back(const struct pam_dir *d, const char *service, const struct pam_text *now,
                     const struct pam_text *original, bool undo)
{
    bool all = original->at ? !pam_names_us(original) : !undo;
    struct pam_text marked = {.at = NULL}, without = {.at = NULL};
    char kept[PAM_NAME_CAP];
    int r;

    name_of(kept, service, "old");
    r = pam_take(now, PAM_TAKE_MARKED, &marked);
    if (r == 0)
        r = pam_take(now, all ? PAM_TAKE_ALL : PAM_TAKE_MARKED, &without);
    if (r < 0)
        ;
    else if (pam_same(now, &without) || (original->at && pam_same(now, original)))
        r = forget_original(d, service, now, original) < 0 ? -EIO : PAM_NOT_THERE;
    else if (original->at && (pam_same(&marked, original) || pam_same(&without, original))) {
        r = put_in_place(d, kept, service, now);
        r = r < 0 ? r : PAM_GIVEN_BACK;
    } else
        r = take_out(d, service, now, &without);
    pam_unload(&marked);
    pam_unload(&without);
    return r;
}

int pam_file_give_back(const struct pam_dir *d, const char *service, bool undo)
{
    struct pam_text now = {.at = NULL}, original = {.at = NULL};
    char kept[PAM_NAME_CAP];
    int r = read_at(d->dir, service, &now);

    name_of(kept, service, "old");
    if (r == 0 && d->keep >= 0)
        r = read_at(d->keep, kept, &original);
    if (r == 0 || r == -ENOENT)
        r = now.at ? give_back(d, service, &now, &original, undo) : r;
    if (r >= 0 && d->keep >= 0) {
        name_of(kept, service, "new"); /* of a switch that was broken off */
        unlinkat(d->keep, kept, 0);
        r = make_durable(d) < 0 ? -EIO : r;
    }
    pam_unload(&now);
    pam_unload(&original);
    return r;
}
