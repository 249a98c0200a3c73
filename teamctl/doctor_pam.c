/* doctor: is the gate asked, and does its no count? */
#include "doctor.h"
#include "pam_pending.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

enum { SERVICES_MAX = 256, NAME_MAX_HERE = 64 };

struct services {
    size_t n;
    struct {
        char name[NAME_MAX_HERE];
        bool included; /* by others */
        bool part;     /* and nothing more: it cannot tell who somebody is */
        bool gated;    /* its account or session line names us */
    } items[SERVICES_MAX];
};

static const char EXAMPLE[] =
    "teamctl pam install puts the lines where they belong; see pam_team(8)";

/* ---- one line ---------------------------------------------------------------------------------
 */

static const struct {
    const char *code;
    const char *so; /* what is wrong if this is no no */
} MUST_DENY[] = {
    {"perm_denied", "a no of teamd is not a no"},
    {"authinfo_unavail", "when teamd does not answer, everybody passes"},
    {"service_err", "when an option is wrong, everybody passes"},
    {"module_unknown", "when the module is missing, everybody passes"},
};

static bool denies(const char *action)
{
    return strcasecmp(action, "bad") == 0 || strcasecmp(action, "die") == 0;
}

/* Does its no count, and its yes not for more than it says? */
static bool check_control(struct doctor *d, const struct pam_line *l)
{
    const char *yes = pam_action(l, "success");

    for (size_t i = 0; i < sizeof MUST_DENY / sizeof MUST_DENY[0]; i++)
        if (!denies(pam_action(l, MUST_DENY[i].code))) {
            found(d, GRADE_BAD, "pam", "write \"required\" before pam_team.so", "%s:%u: \"%s\": %s",
                  l->file, l->line, l->control, MUST_DENY[i].so);
            return false;
        }
    if (strcasecmp(yes, "ok") == 0)
        return true;
    found(d, GRADE_WARN, "pam", "write \"required\" before pam_team.so",
          "%s:%u: \"%s\": a yes of teamd does more than let the next line decide (success=%s)",
          l->file, l->line, l->control, yes);
    return false;
}

/* Is it asked, whatever the lines before it say? */
static bool check_before(struct doctor *d, const struct pam_stack *s, size_t ours)
{
    const struct pam_line *us = &s->items[ours];
    char how[64], fix[FIX_CAP];

    for (size_t i = 0; i < ours; i++) {
        const struct pam_line *l = &s->items[i];

        if (!pam_skips(s, i, ours, how))
            continue;
        snprintf(fix, sizeof fix,
                 "move the line of pam_team.so before %.300s:%u, or before what includes it",
                 l->file, l->line);
        found(d, GRADE_BAD, "pam", fix,
              "%s:%u: the gate is not asked when %s ends the stack (%s:%u, %s)", us->file, us->line,
              l->module, l->file, l->line, how);
        return false;
    }
    return true;
}

/* Does a later line make a no unheard? */
static bool check_after(struct doctor *d, const struct pam_stack *s, size_t ours)
{
    static const char *const CODES[] = {"success", "new_authtok_reqd", "ignore", "default"};

    for (size_t i = ours + 1; i < s->n; i++)
        for (size_t k = 0; k < sizeof CODES / sizeof CODES[0]; k++)
            if (!s->items[i].substack &&
                strcasecmp(pam_action(&s->items[i], CODES[k]), "reset") == 0) {
                found(d, GRADE_BAD, "pam", "take \"reset\" out of that line",
                      "%s:%u: %s forgets the gate's no (%s=reset)", s->items[i].file,
                      s->items[i].line, s->items[i].module, CODES[k]);
                return false;
            }
    return true;
}

static bool check_dash(struct doctor *d, const struct pam_line *l)
{
    if (l->quiet)
        found(d, GRADE_WARN, "pam", "take the \"-\" away",
              "%s:%u: with \"-\", nobody is told when the module is missing", l->file, l->line);
    return !l->quiet;
}

/* ---- one service ------------------------------------------------------------------------------
 */

/* The first line of ours; s->n if there is none. */
static size_t find_ours(const struct pam_stack *s)
{
    size_t i = 0;

    while (i < s->n && !pam_is_ours(&s->items[i]))
        i++;
    return i;
}

static bool has_ours(const struct pam_stack *s)
{
    return find_ours(s) < s->n;
}

static bool check_last(struct doctor *d, const struct pam_stack *s, size_t ours)
{
    for (size_t i = ours + 1; i < s->n; i++)
        if (!s->items[i].substack && !pam_is_ours(&s->items[i])) {
            found(d, GRADE_WARN, "pam", "make the session line of pam_team.so the last one",
                  "%s:%u: the session is recorded before %s has been asked (%s:%u)",
                  s->items[ours].file, s->items[ours].line, s->items[i].module, s->items[i].file,
                  s->items[i].line);
            return false;
        }
    return true;
}

static bool check_stack(struct doctor *d, const struct pam_stack *s)
{
    size_t ours = find_ours(s);
    bool sound = true;

    sound &= check_control(d, &s->items[ours]);
    sound &= check_dash(d, &s->items[ours]);
    sound &= check_before(d, s, ours);
    sound &= check_after(d, s, ours);
    return sound;
}

static void note_module(struct doctor *d, const struct pam_line *l)
{
    size_t i = 0;

    while (i < d->n_modules && strcmp(d->modules[i], l->module) != 0)
        i++;
    if (i == d->n_modules && i < MODULES_MAX)
        memcpy(d->modules[d->n_modules++], l->module, PATH_CAP);
}

/* What the module would ask instead of teamd's usual socket. */
static bool check_socket(struct doctor *d, const struct pam_line *l)
{
    char arguments[PATH_CAP], *rest = arguments, *word;
    struct stat st;

    memcpy(arguments, l->arguments, sizeof arguments);
    while (word = take_word(&rest), word[0] != '\0')
        if (strncmp(word, "socket=", 7) == 0 &&
            (stat(word + 7, &st) < 0 || !S_ISSOCK(st.st_mode))) {
            found(d, GRADE_BAD, "pam", "take socket= out, or start a teamd that listens there",
                  "%s:%u: %s is no socket, so nobody passes", l->file, l->line, word + 7);
            return false;
        }
    return true;
}

/* With one that it does not understand, the module says no to everybody. */
static bool check_arguments(struct doctor *d, const struct pam_line *l)
{
    char arguments[PATH_CAP];
    const char *wrong;

    memcpy(arguments, l->arguments, sizeof arguments);
    wrong = pam_wrong_argument(arguments);
    if (wrong)
        found(d, GRADE_BAD, "pam", "pam_team(8) has the arguments and their values",
              "%s:%u: pam_team.so does not understand \"%s\", so nobody passes", l->file, l->line,
              wrong);
    return !wrong;
}

static bool check_lines(struct doctor *d, const struct pam_service *s)
{
    bool sound = true;

    for (size_t t = 0; t < PAM_TYPES; t++)
        for (size_t i = 0; i < s->stacks[t].n; i++)
            if (pam_is_ours(&s->stacks[t].items[i])) {
                note_module(d, &s->stacks[t].items[i]);
                sound &= check_socket(d, &s->stacks[t].items[i]);
                sound &= check_arguments(d, &s->stacks[t].items[i]);
            }
    return sound;
}

static bool check_useless(struct doctor *d, const struct pam_stack *s)
{
    const struct pam_line *l = &s->items[find_ours(s)];

    if (!has_ours(s))
        return true;
    found(d, GRADE_BAD, "pam", "take this line away; the gate is in account and session",
          "%s:%u: pam_team.so proves nobody and changes no password; this line always fails",
          l->file, l->line);
    return false;
}

/* runuser(1) asks for a session and nothing else. */
static bool asks_account(const char *service)
{
    return strcmp(service, "runuser") != 0 && strcmp(service, "runuser-l") != 0;
}

void doctor_service(struct doctor *d, const char *name, const struct pam_service *s)
{
    const struct pam_stack *account = &s->stacks[PAM_ACCOUNT], *session = &s->stacks[PAM_SESSION];
    bool sound = check_lines(d, s);

    sound &= check_useless(d, &s->stacks[PAM_AUTH]);
    sound &= check_useless(d, &s->stacks[PAM_PASSWORD]);
    if (!has_ours(account) && !has_ours(session))
        return; /* it says where the line belongs */
    if (has_ours(account)) {
        sound &= check_stack(d, account);
    } else if (asks_account(name)) {
        found(d, GRADE_BAD, "pam", EXAMPLE,
              "/etc/pam.d/%s has no account line of pam_team.so: the gate is not asked", name);
        sound = false;
    }
    if (has_ours(session)) {
        sound &= check_stack(d, session);
        sound &= check_last(d, session, find_ours(session));
    } else {
        found(d, GRADE_BAD, "pam", EXAMPLE,
              "/etc/pam.d/%s has no session line of pam_team.so: sessions are not recorded, and do "
              "not end",
              name);
        sound = false;
    }
    if (sound)
        found(d, GRADE_OK, "pam", NULL, "/etc/pam.d/%s: nobody passes by the gate", name);
}

/* ---- all of them ------------------------------------------------------------------------------
 */

static size_t service_find(const struct services *all, const char *name)
{
    size_t i = 0;

    while (i < all->n && strcmp(all->items[i].name, name) != 0)
        i++;
    return i;
}

static void is_part(void *ctx, const char *name)
{
    struct services *all = ctx;
    const char *base = strncmp(name, "/etc/pam.d/", 11) == 0 ? name + 11 : name;
    size_t i = service_find(all, base);

    if (i < all->n)
        all->items[i].included = true;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(a, b);
}

/* What packages and editors leave behind has a dot or a tilde in its name. */
static bool list_services(struct doctor *d, struct services *all)
{
    DIR *dir = opendir("/etc/pam.d");
    const struct dirent *e;

    if (!dir) {
        found(d, GRADE_UNKNOWN, "pam", NULL, "/etc/pam.d: %s", strerror(errno));
        return false;
    }
    while ((e = readdir(dir)) && all->n < SERVICES_MAX)
        if (!strpbrk(e->d_name, ".~") && strlen(e->d_name) < NAME_MAX_HERE)
            memcpy(all->items[all->n++].name, e->d_name, strlen(e->d_name) + 1);
    closedir(dir);
    qsort(all->items, all->n, sizeof all->items[0], by_name);
    return true;
}

static void check_one(struct doctor *d, struct services *all, size_t i)
{
    struct pam_service s = {.error = 0};

    pam_read(all->items[i].name, &s);
    if (s.error < 0)
        found(d, s.error == -EACCES ? GRADE_UNKNOWN : GRADE_WARN, "pam", NULL,
              "/etc/pam.d/%s wants %s: %s", all->items[i].name, s.unread, strerror(-s.error));
    for (size_t t = 0; t < PAM_TYPES; t++)
        all->items[i].gated = all->items[i].gated || has_ours(&s.stacks[t]);
    if (all->items[i].gated)
        doctor_service(d, all->items[i].name, &s);
    pam_free(&s);
}

/* The second is another way to the same. */
static void check_pairs(struct doctor *d, const struct services *all)
{
    static const char *const PAIRS[][2] = {
        {"sudo", "sudo-i"}, {"su", "su-l"}, {"runuser", "runuser-l"}};

    for (size_t i = 0; i < sizeof PAIRS / sizeof PAIRS[0]; i++)
        for (size_t k = 0; k < 2; k++) {
            size_t gated = service_find(all, PAIRS[i][k]), open = service_find(all, PAIRS[i][!k]);

            if (gated < all->n && all->items[gated].gated && open < all->n &&
                !all->items[open].gated)
                found(d, GRADE_BAD, "pam", EXAMPLE,
                      "/etc/pam.d/%s does not name pam_team.so, and is a way around %s",
                      all->items[open].name, all->items[gated].name);
        }
}

/* Root alone can see that. */
static void check_pending(struct doctor *d)
{
    struct pam_dir dir;
    struct pending p;

    if (pam_dir_open(PAM_DIR, false, &dir) < 0)
        return;
    if (pending_read(&dir, &p) == 0)
        found(d, pending_is_watched(&dir) ? GRADE_WARN : GRADE_BAD, "pam",
              "in a new login: sudo teamctl pam confirm; or: teamctl pam undo",
              "an installation of the gate is not confirmed, and %s",
              pending_is_watched(&dir) ? "will be taken back" : "nobody is there to take it back");
    pam_dir_close(&dir);
}

void doctor_pam(struct doctor *d)
{
    static struct services all;
    bool any = false;

    all = (struct services){.n = 0};
    if (!list_services(d, &all))
        return;
    for (size_t i = 0; i < all.n; i++) {
        struct pam_service s = {.included = is_part, .ctx = &all};

        pam_read(all.items[i].name, &s);
        all.items[i].part = s.stacks[PAM_AUTH].n == 0;
        pam_free(&s);
    }
    for (size_t i = 0; i < all.n; i++) {
        if (!all.items[i].included || !all.items[i].part)
            check_one(d, &all, i);
        any = any || all.items[i].gated;
    }
    check_pairs(d, &all);
    check_pending(d);
    if (!any)
        found(d, GRADE_BAD, "pam", EXAMPLE,
              "no service in /etc/pam.d names pam_team.so: nothing is behind the gate");
}
