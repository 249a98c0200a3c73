/* doctor: what sudoers(5) does to the gate. Files are read as sudo reads them; who may run what is
 * none of our business here. */
#include "doctor.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

enum { DEPTH_MAX = 128 }; /* sudo's own */

struct sudoers {
    struct doctor *d;
    bool no_account, no_session; /* somewhere, for somebody */
    bool anything;
};

/* ---- Defaults ---------------------------------------------------------------------------------
 */

static void no_ruser(struct sudoers *s, const char *file, unsigned line)
{
    found(s->d, GRADE_WARN, "sudo", "take !pam_ruser out",
          "%s:%u: with !pam_ruser nobody can tell who runs sudo -e", file, line);
}

static void no_account(struct sudoers *s, const char *file, unsigned line)
{
    s->no_account = true;
    found(s->d, GRADE_WARN, "sudo", "take !pam_acct_mgmt out",
          "%s:%u: with !pam_acct_mgmt the gate is asked when the session opens, and not before",
          file, line);
}

static void no_session(struct sudoers *s, const char *file, unsigned line)
{
    s->no_session = true;
    found(s->d, GRADE_BAD, "sudo", "take !pam_session out",
          "%s:%u: with !pam_session sessions are not recorded, and do not end", file, line);
}

static const struct {
    const char *flag;
    void (*off)(struct sudoers *s, const char *file, unsigned line);
} FLAGS[] = {
    {"pam_acct_mgmt", no_account},
    {"pam_session", no_session},
    {"pam_ruser", no_ruser},
};

/* A service of another name is looked up in another file, and is in no class. */
static void other_service(struct sudoers *s, const struct source *at, const char *option, size_t n,
                          const char *value)
{
    char service[64];
    struct text t = text_over(service, sizeof service);

    for (; *value != '\0' && !t.cut; value++)
        if (!strchr(" \t\"=", *value))
            text_put_n(&t, value, 1);
    if (strcmp(service, "sudo") != 0 && strcmp(service, "sudo-i") != 0)
        found(s->d, GRADE_WARN, "sudo",
              "take it out, or gate that service and name it in gate.classes",
              "%s:%u: %.*s makes sudo ask PAM as \"%s\"", at->path, at->line, (int)n, option,
              service);
}

static void check_option(struct sudoers *s, const struct source *at, const char *option)
{
    bool off = option[0] == '!';
    const char *name = option + off + strspn(option + off, " \t");
    size_t n = strcspn(name, " \t=");

    for (size_t i = 0; off && i < sizeof FLAGS / sizeof FLAGS[0]; i++)
        if (strlen(FLAGS[i].flag) == n && strncmp(name, FLAGS[i].flag, n) == 0) {
            s->anything = true;
            FLAGS[i].off(s, at->path, at->line);
        }
    if (strchr(name, '=') && ((n == 11 && strncmp(name, "pam_service", n) == 0) ||
                              (n == 17 && strncmp(name, "pam_login_service", n) == 0) ||
                              (n == 19 && strncmp(name, "pam_askpass_service", n) == 0)))
        other_service(s, at, name, n, name + n);
}

/* "Defaults", what or whom they are for, and options with commas between them, of which those in
 * quotes are none. */
static void check_defaults(struct sudoers *s, const struct source *at, char *options)
{
    bool quoted = false;
    char *option = options;

    for (char *c = options;; c++) {
        if (*c == '"')
            quoted = !quoted;
        if (*c == '\\' && c[1] != '\0')
            c++;
        else if (*c == '\0' || (*c == ',' && !quoted)) {
            bool end = *c == '\0';

            *c = '\0';
            check_option(s, at, option + strspn(option, " \t"));
            if (end)
                return;
            option = c + 1;
        }
    }
}

/* ---- files ------------------------------------------------------------------------------------
 */

static void read_file(struct sudoers *s, const char *path, unsigned depth);

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

/* sudo leaves out names with a dot, or a tilde at their end. */
static int is_wanted(const struct dirent *e)
{
    size_t n = strlen(e->d_name);

    return !strchr(e->d_name, '.') && e->d_name[n - 1] != '~';
}

static void read_dir(struct sudoers *s, const char *path, unsigned depth)
{
    struct dirent **names;
    int n = scandir(path, &names, is_wanted, by_name);

    for (int i = 0; i < n; i++) {
        char file[PATH_CAP];
        struct text t = text_over(file, sizeof file);

        text_put(&t, path);
        text_put(&t, "/");
        text_put(&t, names[i]->d_name);
        read_file(s, file, depth);
        free(names[i]);
    }
    if (n >= 0)
        free(names);
}

/* %h is the host's name; a relative path is beside the file that names it. */
static void full_path(const char *from, const char *given, char out[static PATH_CAP])
{
    struct text t = text_over(out, PATH_CAP);
    const char *slash = strrchr(from, '/');
    char host[65] = "";

    gethostname(host, sizeof host - 1);
    host[strcspn(host, ".")] = '\0';
    if (given[0] != '/' && given[0] != '"' && slash)
        text_put_n(&t, from, (size_t)(slash - from) + 1);
    for (; *given != '\0'; given++) {
        if (given[0] == '%' && given[1] == 'h') {
            text_put(&t, host);
            given++;
        } else if (*given != '"') {
            text_put_n(&t, given[0] == '\\' && given[1] != '\0' ? ++given : given, 1);
        }
    }
}

/* Is this a line that includes something? */
static bool read_include(struct sudoers *s, const struct source *at, char *line, unsigned depth)
{
    char path[PATH_CAP], *rest = line + 1, *word;
    bool dir;

    if (line[0] != '@' && line[0] != '#')
        return false;
    if (strncmp(rest, "include", 7) != 0)
        return false;
    word = take_word(&rest);
    dir = strcmp(word, "includedir") == 0;
    if (!dir && strcmp(word, "include") != 0)
        return false;
    rest += strspn(rest, " \t");
    full_path(at->path, rest, path);
    if (dir)
        read_dir(s, path, depth + 1);
    else
        read_file(s, path, depth + 1);
    return true;
}

/* A # begins a comment, but not before the digits of a uid, or in quotes. */
static void cut_comment(char *line)
{
    bool quoted = false;

    for (char *c = line; *c != '\0'; c++) {
        if (*c == '"')
            quoted = !quoted;
        else if (*c == '\\' && c[1] != '\0')
            c++;
        else if (*c == '#' && !quoted && (c[1] < '0' || c[1] > '9')) {
            *c = '\0';
            return;
        }
    }
}

/* Words with commas between them, and blanks around those. */
static char *skip_list(char *s)
{
    for (;;) {
        s += strspn(s, " \t!");
        s += strcspn(s, " \t,");
        s += strspn(s, " \t");
        if (*s != ',')
            return s;
        s++;
    }
}

static void read_line(struct sudoers *s, const struct source *at, char *text, unsigned depth)
{
    char *line = text + strspn(text, " \t");

    if (read_include(s, at, line, depth))
        return;
    cut_comment(line);
    line[strcspn(line, "\r")] = '\0';
    if (strncmp(line, "Defaults", 8) != 0 || !strchr(" \t@:!>", line[8]) || line[8] == '\0')
        return;
    line += 8;
    if (*line != ' ' && *line != '\t') /* for hosts, people, commands or targets */
        line = skip_list(line + 1);
    check_defaults(s, at, line + strspn(line, " \t"));
}

static void read_file(struct sudoers *s, const char *path, unsigned depth)
{
    struct source source;
    char *text;
    int r = depth < DEPTH_MAX ? source_open(path, &source) : -ELOOP;

    if (r < 0) {
        found(s->d, GRADE_UNKNOWN, "sudo", NULL, "%s: %s", path, strerror(-r));
        return;
    }
    while ((text = source_line(&source)))
        read_line(s, &source, text, depth);
    source_close(&source);
}

/* ---- other places -----------------------------------------------------------------------------
 */

static void check_elsewhere(struct doctor *d)
{
    struct source source;
    char *text;

    if (source_open("/etc/nsswitch.conf", &source) < 0)
        return;
    while ((text = source_line(&source))) {
        char *rest = text, *word;

        text[strcspn(text, "#")] = '\0';
        if (strcmp(take_word(&rest), "sudoers:") != 0)
            continue;
        while (word = take_word(&rest), word[0] != '\0')
            if (word[0] != '[' && strcmp(word, "files") != 0)
                found(
                    d, GRADE_UNKNOWN, "sudo", NULL,
                    "sudoers also come from %s (nsswitch.conf): look there for !pam_acct_mgmt and "
                    "!pam_session",
                    word);
    }
    source_close(&source);
}

void doctor_sudo(struct doctor *d)
{
    struct sudoers s = {.d = d};
    unsigned unknown = d->found[GRADE_UNKNOWN];

    if (access("/etc/sudoers", F_OK) < 0 && errno == ENOENT)
        return;
    read_file(&s, "/etc/sudoers", 0);
    check_elsewhere(d);
    if (s.no_account && s.no_session)
        found(d, GRADE_BAD, "sudo", "take both out",
              "where !pam_acct_mgmt and !pam_session meet, there is no gate");
    if (!s.anything && d->found[GRADE_UNKNOWN] == unknown)
        found(d, GRADE_OK, "sudo", NULL, "sudoers leaves the gate alone");
}
