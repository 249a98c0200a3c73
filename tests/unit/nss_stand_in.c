/* An NSS service that behaves as a directory on the network may: it hangs, it is down, it does not
 * let itself be listed. The tests of people.c build it and name it in a private nsswitch.conf.
 *
 *   rita, 9001     an account that is in no list; in group `remote` (9100)
 *   slow0..slow7   accounts (8000..) that take 0.6 s each; in group `slow` (8100)
 *   hang-*         never answered; uid 7777 too
 *
 * Files in $TEAM_TEST_NSS: `down` nothing can be asked, `groups-down` no group can. */
#include <errno.h>
#include <grp.h>
#include <nss.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum nss_status _nss_standin_getpwnam_r(const char *, struct passwd *, char *, size_t, int *);
enum nss_status _nss_standin_getpwuid_r(uid_t, struct passwd *, char *, size_t, int *);
enum nss_status _nss_standin_getgrnam_r(const char *, struct group *, char *, size_t, int *);
enum nss_status _nss_standin_initgroups_dyn(const char *, gid_t, long *, long *, gid_t **, long,
                                            int *);

static bool told(const char *what)
{
    char path[256];

    snprintf(path, sizeof path, "%s/%s", getenv("TEAM_TEST_NSS"), what);
    return access(path, F_OK) == 0;
}

static void maybe_hang(const char *name)
{
    if (strncmp(name, "hang-", 5) == 0)
        for (;;)
            pause();
}

/* As nslcd's module says that nslcd cannot be reached. */
static enum nss_status unavailable(int *error)
{
    *error = ENOENT;
    return NSS_STATUS_UNAVAIL;
}

static enum nss_status account(const char *name, uid_t uid, struct passwd *pw, char *buf, size_t n,
                               int *error)
{
    if ((size_t)snprintf(buf, n, "%s", name) >= n) {
        *error = ERANGE;
        return NSS_STATUS_TRYAGAIN;
    }
    *pw = (struct passwd){.pw_name = buf, .pw_uid = uid, .pw_gid = uid};
    pw->pw_passwd = pw->pw_gecos = pw->pw_dir = pw->pw_shell = buf + strlen(buf);
    return NSS_STATUS_SUCCESS;
}

static enum nss_status missing(int *error)
{
    if (told("down"))
        return unavailable(error);
    *error = ENOENT;
    return NSS_STATUS_NOTFOUND;
}

enum nss_status _nss_standin_getpwnam_r(const char *name, struct passwd *pw, char *buf, size_t n,
                                        int *error)
{
    maybe_hang(name);
    if (strncmp(name, "slow", 4) == 0 && name[4] >= '0' && name[4] <= '7' && !name[5]) {
        usleep(600 * 1000);
        return account(name, (uid_t)(8000 + name[4] - '0'), pw, buf, n, error);
    }
    if (strcmp(name, "rita") == 0 && !told("down"))
        return account(name, 9001, pw, buf, n, error);
    return missing(error);
}

enum nss_status _nss_standin_getpwuid_r(uid_t uid, struct passwd *pw, char *buf, size_t n,
                                        int *error)
{
    char name[] = "slow0";

    if (uid == 7777)
        maybe_hang("hang-uid");
    if (uid >= 8000 && uid <= 8007) {
        name[4] = (char)('0' + uid - 8000);
        return account(name, uid, pw, buf, n, error);
    }
    if (uid == 9001 && !told("down"))
        return account("rita", 9001, pw, buf, n, error);
    return missing(error);
}

enum nss_status _nss_standin_getgrnam_r(const char *name, struct group *gr, char *buf, size_t n,
                                        int *error)
{
    static char *remote[] = {(char *)"rita", NULL};
    static char *slow[] = {(char *)"slow0", (char *)"slow1", (char *)"slow2",
                           (char *)"slow3", (char *)"slow4", (char *)"slow5",
                           (char *)"slow6", (char *)"slow7", NULL};

    (void)buf, (void)n;
    maybe_hang(name);
    if (told("groups-down"))
        return unavailable(error);
    if (strcmp(name, "remote") == 0 && !told("down")) {
        *gr = (struct group){(char *)"remote", (char *)"", 9100, remote};
        return NSS_STATUS_SUCCESS;
    }
    if (strcmp(name, "slow") == 0) {
        *gr = (struct group){(char *)"slow", (char *)"", 8100, slow};
        return NSS_STATUS_SUCCESS;
    }
    return missing(error);
}

enum nss_status _nss_standin_initgroups_dyn(const char *user, gid_t skip, long *start, long *size,
                                            gid_t **groups, long limit, int *error)
{
    (void)skip, (void)limit;
    if (told("down") || told("groups-down"))
        return unavailable(error);
    if (strcmp(user, "rita") == 0 && *start < *size) {
        (*groups)[(*start)++] = 9100;
        return NSS_STATUS_SUCCESS;
    }
    return missing(error);
}
