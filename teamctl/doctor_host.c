/* doctor: what the host around teamd has to give it: login uids, the time, names. */
#include "doctor.h"

#include <sys/stat.h>
#include <sys/timex.h>
#include <unistd.h>

/* ---- this login -------------------------------------------------------------------------------
 */

void doctor_login(struct doctor *d)
{
    static const uint64_t UNSET = UINT32_MAX;
    struct source source;
    const char *text;
    uint64_t loginuid = UNSET;

    if (source_open("/proc/self/loginuid", &source) < 0) {
        found(d, GRADE_WARN, "login", "set identity.loginuid = \"check\" in team.conf",
              "this kernel has no login uids, which teamd requires from who asks and decides");
        return;
    }
    text = source_line(&source);
    if (text && !text_parse_u64(text, strlen(text), &loginuid))
        loginuid = UNSET;
    source_close(&source);
    if (loginuid == UNSET)
        found(d, GRADE_WARN, "login",
              "\"session required pam_loginuid.so\" for sshd and login; or identity.loginuid = "
              "\"check\" in team.conf",
              "this login has no login uid: teamd takes no request or decision from it");
    else if (loginuid != getuid() && getuid() != 0)
        found(d, GRADE_WARN, "login", "log in as who you are",
              "you are uid %u but logged in as uid %llu: teamd takes you for neither", getuid(),
              (unsigned long long)loginuid);
    else
        found(d, GRADE_OK, "login", NULL, "this login has its login uid (%llu)",
              (unsigned long long)loginuid);
}

/* ---- who asks ---------------------------------------------------------------------------------
 */

/* proc(5): hidepid= is a number or a word; gid= names who sees all the same, but for
 * hidepid=ptraceable. */
static bool option_of(const char *line, const char *option, char *out, size_t cap)
{
    const char *at = strstr(line, option);
    size_t n = at ? strcspn(at + strlen(option), ", ") : 0;

    if (!at || n >= cap)
        return false;
    memcpy(out, at + strlen(option), n);
    out[n] = '\0';
    return true;
}

void doctor_proc(struct doctor *d)
{
    struct source source;
    const char *line;
    char hides[16] = "off", group[16] = "";

    if (source_open("/proc/self/mounts", &source) < 0) {
        found(d, GRADE_UNKNOWN, "proc", NULL, "/proc is not mounted here");
        return;
    }
    while ((line = source_line(&source))) {
        if (strncmp(line, "proc /proc proc ", 16) != 0)
            continue;
        if (!option_of(line, ",hidepid=", hides, sizeof hides))
            snprintf(hides, sizeof hides, "off");
        if (!option_of(line, ",gid=", group, sizeof group))
            group[0] = '\0';
    }
    source_close(&source);
    if (strcmp(hides, "off") == 0 || strcmp(hides, "0") == 0)
        found(d, GRADE_OK, "proc", NULL, "/proc shows who asks");
    else if (group[0] && strcmp(hides, "ptraceable") != 0 && strcmp(hides, "4") != 0)
        found(d, GRADE_OK, "proc", NULL,
              "/proc shows who asks to group %s, which has to be teamd's", group);
    else
        found(d, GRADE_BAD, "proc", "mount it without hidepid, or with gid= and teamd's group",
              "/proc hides the processes of others (hidepid=%s): teamd cannot tell who asks",
              hides);
}

/* ---- the clock --------------------------------------------------------------------------------
 */

void doctor_clock(struct doctor *d)
{
    struct timex t = {.modes = 0};

    if (adjtimex(&t) < 0)
        found(d, GRADE_UNKNOWN, "clock", NULL,
              "the kernel does not tell whether the clock is right");
    else if (t.status & STA_UNSYNC)
        found(d, GRADE_WARN, "clock", "timedatectl set-ntp true, or install chrony",
              "the clock is not synchronised; windows begin, and the trail is dated, by it");
    else
        found(d, GRADE_OK, "clock", NULL, "the clock is synchronised");
}

/* ---- names ------------------------------------------------------------------------------------
 */

static bool is_socket(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISSOCK(st.st_mode);
}

/* How a source of names gets to its server; "" is: it has none. */
static const struct {
    const char *name;
    const char *socket; /* of the daemon that goes there for it; NULL: it goes there itself */
} SOURCES[] = {
    {"files", ""},    {"compat", ""},     {"db", ""},         {"systemd", ""},
    {"altfiles", ""}, {"extrausers", ""}, {"mymachines", ""}, {"myhostname", ""},
    {"cache", ""},    {"sss", ""},        {"winbind", ""},    {"ldap", "/run/nslcd/socket"},
    {"nis", NULL},    {"nisplus", NULL},  {"hesiod", NULL},
};

/* False if something was said. */
static bool check_source(struct doctor *d, const char *database, const char *name)
{
    size_t i = 0, n = sizeof SOURCES / sizeof SOURCES[0];

    while (i < n && strcmp(SOURCES[i].name, name) != 0)
        i++;
    if (i == n) {
        found(d, GRADE_UNKNOWN, "names", NULL,
              "%s come from \"%s\": whether that works without a network is not known", database,
              name);
        return false;
    }
    if (SOURCES[i].socket && (SOURCES[i].socket[0] == '\0' || is_socket(SOURCES[i].socket)))
        return true;
    found(
        d, GRADE_BAD, "names",
        "use sssd, or nslcd (libnss-ldapd): they speak to the network for teamd, by way of a local "
        "socket",
        "%s come from \"%s\", which needs the network that teamd does not have "
        "(PrivateNetwork=yes)",
        database, name);
    return false;
}

static bool check_line(struct doctor *d, char *text)
{
    char *rest = text, *database, *word;
    bool sound = true;

    text[strcspn(text, "#")] = '\0';
    database = take_word(&rest);
    if (strcmp(database, "passwd:") != 0 && strcmp(database, "group:") != 0 &&
        strcmp(database, "initgroups:") != 0)
        return true;
    database[strlen(database) - 1] = '\0';
    while (word = take_word(&rest), word[0] != '\0')
        if (word[0] != '[' && !strchr(word, ']') && !strchr(word, '='))
            sound &= check_source(d, database, word);
    return sound;
}

/* Only where teamd is kept from the network does it matter. */
void doctor_names(struct doctor *d)
{
    struct source source;
    bool sound = true;
    char *text;

    if (!d->no_network || source_open("/etc/nsswitch.conf", &source) < 0)
        return;
    while ((text = source_line(&source)))
        sound &= check_line(d, text);
    source_close(&source);
    if (sound)
        found(d, GRADE_OK, "names", NULL, "users and groups can be looked up without a network");
}
