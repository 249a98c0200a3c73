/* doctor: who could change what decides, and do the pieces belong together? */
#include "doctor.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <pwd.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* Says what is wrong if `path` is not root's, or others can write it. `missing`: what to do if it
 * is not there. */
static bool check_roots(struct doctor *d, const char *path, const char *missing)
{
    char fix[FIX_CAP];
    struct stat st;

    snprintf(fix, sizeof fix, "chown root: %.200s && chmod go-w %.200s", path, path);
    if (stat(path, &st) < 0) {
        found(d, errno == EACCES ? GRADE_UNKNOWN : GRADE_BAD, "file", missing, "%s: %s", path,
              strerror(errno));
        return false;
    }
    if (st.st_uid == 0 && !(st.st_mode & 022))
        return true;
    found(d, GRADE_BAD, "file", fix,
          "%s belongs to uid %u with mode %04o: others than root can change it", path, st.st_uid,
          st.st_mode & 07777);
    return false;
}

/* The file, and the directory in which it could be replaced. */
static bool check_file(struct doctor *d, const char *path, const char *missing)
{
    const char *slash = strrchr(path, '/');
    char dir[PATH_CAP];

    snprintf(dir, sizeof dir, "%.*s", slash && slash > path ? (int)(slash - path) : 1,
             slash ? path : ".");
    return check_roots(d, dir, missing) && check_roots(d, path, missing);
}

static void check_config(struct doctor *d)
{
    const char *path = d->config[0] != '\0' ? d->config : "/etc/team/team.conf";

    if (check_file(d, path, "write one: see team.conf(5)"))
        found(d, GRADE_OK, "file", NULL, "%s is root's", path);
}

/* ---- the state --------------------------------------------------------------------------------
 */

/* teamd's own uid: as it says, or as its packages make it. */
static bool team_uid(const struct doctor *d, uint64_t *ret)
{
    const struct passwd *team;

    if (text_parse_u64(d->uid, strlen(d->uid), ret))
        return true;
    team = getpwnam("team");
    if (team)
        *ret = team->pw_uid;
    return team != NULL;
}

static bool check_private(struct doctor *d, const char *path, uint64_t uid)
{
    char fix[FIX_CAP];
    struct stat st;

    if (lstat(path, &st) < 0) {
        found(d, errno == EACCES ? GRADE_UNKNOWN : GRADE_BAD, "file",
              "start teamd: it makes what it needs", "%s: %s", path, strerror(errno));
        return false;
    }
    if (st.st_uid == uid && !(st.st_mode & 077))
        return true;
    snprintf(fix, sizeof fix, "chown %u %.200s && chmod go= %.200s", (unsigned)uid, path, path);
    found(d, GRADE_BAD, "file", fix,
          "%s belongs to uid %u with mode %04o, and not to uid %u and nobody else", path, st.st_uid,
          st.st_mode & 07777, (unsigned)uid);
    return false;
}

static void check_state(struct doctor *d)
{
    const char *dir = d->state_dir[0] != '\0' ? d->state_dir : "/var/lib/team";
    char store[PATH_CAP], data[PATH_CAP];
    uint64_t uid;

    if (!team_uid(d, &uid)) {
        found(d, GRADE_BAD, "file", "systemd-sysusers",
              "there is no user \"team\" for teamd to run as");
        return;
    }
    snprintf(store, sizeof store, "%.480s/store", dir);
    snprintf(data, sizeof data, "%.480s/store/data.mdb", dir);
    if (!check_private(d, dir, uid) ||
        (d->root && !(check_private(d, store, uid) && check_private(d, data, uid))))
        return;
    found(d, GRADE_OK, "file", NULL, "%s is teamd's alone", dir);
}

/* ---- the module -------------------------------------------------------------------------------
 */

/* Where libpam finds what has no path: beside its other modules. */
bool doctor_finds_module(const char *name, char out[static PATH_CAP])
{
    static const char *const PLACES[] = {"/lib/*/security/", "/usr/lib/*/security/",
                                         "/lib/security/", "/lib64/security/"};
    char pattern[PATH_CAP];
    bool there = false;
    glob_t all;

    snprintf(out, PATH_CAP, "%s", name);
    if (name[0] == '/')
        return true;
    for (size_t i = 0; !there && i < sizeof PLACES / sizeof PLACES[0]; i++) {
        snprintf(pattern, sizeof pattern, "%s%.255s", PLACES[i], name);
        if (glob(pattern, 0, NULL, &all) != 0)
            continue;
        there = all.gl_pathc > 0;
        if (there)
            snprintf(out, PATH_CAP, "%s", all.gl_pathv[0]);
        globfree(&all);
    }
    return there;
}

/* The module carries its version, in a form that what(1) knows. */
static bool read_version(const char *path, char out[static 32])
{
    static const char MARK[] = "@(#) pam_team ";
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat st;
    const char *file, *at;

    out[0] = '\0';
    if (fd < 0)
        return false;
    if (fstat(fd, &st) < 0 || st.st_size <= 0) {
        close(fd);
        return false;
    }
    file = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    close(fd);
    if (file == MAP_FAILED)
        return false;
    at = memmem(file, (size_t)st.st_size, MARK, sizeof MARK - 1);
    if (at) {
        size_t left = (size_t)(file + st.st_size - at) - (sizeof MARK - 1);

        at += sizeof MARK - 1;
        text_make_plain(out, 32, at, strnlen(at, left < 31 ? left : 31));
    }
    munmap((void *)(uintptr_t)file, (size_t)st.st_size);
    return out[0] != '\0';
}

static void check_module(struct doctor *d, const char *name)
{
    char path[PATH_CAP], version[32];

    if (!doctor_finds_module(name, path)) {
        found(d, GRADE_BAD, "file", "install pam_team.so where libpam looks for it",
              "PAM's configuration names %s, and it is not there: nobody passes", name);
        return;
    }
    if (check_file(d, path,
                   "put it there, or take its lines out of PAM's configuration: nobody passes"))
        found(d, GRADE_OK, "file", NULL, "%s is root's", path);
    if (access(path, R_OK) < 0)
        return;
    if (!read_version(path, version))
        found(d, GRADE_WARN, "version", "install the one of this release",
              "%s does not say its version", path);
    else if (strcmp(version, TEAM_RELEASE) != 0)
        found(d, GRADE_WARN, "version", "install all of one release",
              "%s is of %s, and teamctl of " TEAM_RELEASE, path, version);
    else
        found(d, GRADE_OK, "version", NULL, "%s is of " TEAM_RELEASE, path);
}

static void check_versions(struct doctor *d)
{
    if (d->version[0] == '\0')
        found(d, GRADE_UNKNOWN, "version", NULL, "which teamd runs, it has not told");
    else if (strcmp(d->version, TEAM_RELEASE) != 0)
        found(d, GRADE_WARN, "version", "systemctl restart teamd",
              "the teamd that runs is of %s, and teamctl of " TEAM_RELEASE, d->version);
    else
        found(d, GRADE_OK, "version", NULL, "teamd and teamctl are of " TEAM_RELEASE);
}

void doctor_files(struct doctor *d)
{
    char path[PATH_CAP];

    check_config(d);
    check_state(d);
    for (size_t i = 0; i < d->n_modules; i++)
        check_module(d, d->modules[i]);
    if (d->n_modules == 0 && !doctor_finds_module("pam_team.so", path))
        found(d, GRADE_BAD, "file", "make install",
              "pam_team.so is not where libpam looks for its modules: nothing can be gated");
    check_versions(d);
}
