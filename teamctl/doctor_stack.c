/* PAM's configuration as libpam reads it: the files of a service, flat, and what their controls do
 * (pam.conf(5)). */
#include "doctor.h"

#include <errno.h>
#include <stdlib.h>

enum { DEPTH_MAX = 16 }; /* of files in files; libpam gives up earlier */

static void read_file(struct pam_service *s, const char *name, unsigned types, unsigned level,
                      unsigned depth);

static int type_of(const char *word)
{
    static const char *const TYPES[PAM_TYPES] = {"auth", "account", "password", "session"};

    for (int i = 0; i < PAM_TYPES; i++)
        if (strcasecmp(word, TYPES[i]) == 0)
            return i;
    return -1;
}

static struct pam_line *add(struct pam_stack *s, const struct pam_line *l)
{
    struct pam_line *more = reallocarray(s->items, s->n + 1, sizeof *more);

    if (!more)
        return NULL;
    s->items = more;
    s->items[s->n] = *l;
    return &s->items[s->n++];
}

/* A word, or everything in brackets. */
static char *take_control(char **rest)
{
    char *control = *rest + strspn(*rest, " \t"), *end;

    if (*control != '[')
        return take_word(rest);
    end = strchr(control, ']');
    if (!end)
        return take_word(rest);
    *rest = end + 1;
    if (**rest != '\0')
        *(*rest)++ = '\0';
    return control;
}

static void copy(char *to, size_t cap, const char *s)
{
    struct text t = text_over(to, cap);

    text_put_n(&t, s, strnlen(s, cap - 1));
}

static void read_rule(struct pam_service *s, struct pam_line *l, char *rest, enum pam_type type,
                      unsigned depth)
{
    const char *control = take_control(&rest), *module = take_word(&rest);
    bool substack = strcasecmp(control, "substack") == 0;

    copy(l->control, sizeof l->control, control);
    copy(l->module, sizeof l->module, module);
    copy(l->arguments, sizeof l->arguments, rest);
    if (substack) {
        l->substack = true;
        add(&s->stacks[type], l);
    }
    if (substack || strcasecmp(control, "include") == 0)
        read_file(s, module, 1u << type, l->level + substack, depth + 1);
    else
        add(&s->stacks[type], l);
}

static void read_line(struct pam_service *s, struct pam_line *l, char *text, unsigned types,
                      unsigned depth)
{
    char *rest = text, *word;
    int type;

    text[strcspn(text, "#")] = '\0';
    word = take_word(&rest);
    if (strcmp(word, "@include") == 0) {
        read_file(s, take_word(&rest), types, l->level, depth + 1);
        return;
    }
    l->quiet = word[0] == '-';
    type = type_of(word + l->quiet);
    if (type >= 0 && (types >> type & 1))
        read_rule(s, l, rest, (enum pam_type)type, depth);
}

static void read_file(struct pam_service *s, const char *name, unsigned types, unsigned level,
                      unsigned depth)
{
    struct pam_line l;
    struct source source;
    char path[PATH_CAP], *text;
    int r;

    snprintf(path, sizeof path, "%s%s", name[0] == '/' ? "" : "/etc/pam.d/", name);
    if (depth > 0 && s->included)
        s->included(s->ctx, name);
    r = depth < DEPTH_MAX ? source_open(path, &source) : -ELOOP;
    if (r < 0) {
        if (s->error == 0) {
            s->error = r;
            copy(s->unread, sizeof s->unread, path);
        }
        return;
    }
    while ((text = source_line(&source))) {
        l = (struct pam_line){.line = source.line, .level = level};
        copy(l.file, sizeof l.file, path);
        read_line(s, &l, text, types, depth);
    }
    source_close(&source);
}

void pam_read(const char *service, struct pam_service *s)
{
    read_file(s, service, (1u << PAM_TYPES) - 1, 0, 0);
}

void pam_free(struct pam_service *s)
{
    for (size_t i = 0; i < PAM_TYPES; i++)
        free(s->stacks[i].items);
}

bool pam_is_ours(const struct pam_line *l)
{
    const char *slash = strrchr(l->module, '/');

    return !l->substack && strcmp(slash ? slash + 1 : l->module, "pam_team.so") == 0;
}

/* ---- controls ---------------------------------------------------------------------------------
 */

/* The four words, written out. What is none of them, and no bracket, libpam takes for a mistake,
 * and the service fails. */
static const char *written_out(const char *control)
{
    static const char *const WORDS[][2] = {
        {"required", "success=ok new_authtok_reqd=ok ignore=ignore default=bad"},
        {"requisite", "success=ok new_authtok_reqd=ok ignore=ignore default=die"},
        {"sufficient", "success=done new_authtok_reqd=done default=ignore"},
        {"optional", "success=ok new_authtok_reqd=ok default=ignore"},
    };

    for (size_t i = 0; i < sizeof WORDS / sizeof WORDS[0]; i++)
        if (strcasecmp(control, WORDS[i][0]) == 0)
            return WORDS[i][1];
    return control[0] == '[' ? control + 1 : "default=die";
}

/* The next CODE=ACTION of a control; false at its end. */
static bool next_pair(const char **rest, char code[static 64], char action[static 64])
{
    const char *s = *rest + strspn(*rest, " \t]");
    size_t n = strcspn(s, " \t]"), equals = strcspn(s, "=");

    if (n == 0)
        return false;
    *rest = s + n;
    if (equals >= n)
        equals = n;
    snprintf(code, 64, "%.*s", (int)equals, s);
    snprintf(action, 64, "%.*s", equals < n ? (int)(n - equals - 1) : 0, s + equals + 1);
    return true;
}

const char *pam_action(const struct pam_line *l, const char *wanted)
{
    static char found[64], otherwise[64];
    const char *rest = written_out(l->control);
    char code[64], action[64];

    copy(otherwise, sizeof otherwise, "bad");
    while (next_pair(&rest, code, action)) {
        if (strcasecmp(code, wanted) == 0) {
            copy(found, sizeof found, action);
            return found;
        }
        if (strcasecmp(code, "default") == 0)
            copy(otherwise, sizeof otherwise, action);
    }
    return otherwise;
}

/* Where it goes on after `from` when so many modules are skipped: a substack counts as one. */
static size_t skip_some(const struct pam_stack *s, size_t from, uint64_t modules)
{
    unsigned level = s->items[from].level;
    size_t i = from + 1;

    for (; modules > 0 && i < s->n && s->items[i].level >= level; modules--)
        do
            i++;
        while (i < s->n && s->items[i].level > level);
    return i;
}

/* Where it goes on when this stack or substack is over. */
static size_t skip_all(const struct pam_stack *s, size_t from)
{
    size_t i = from + 1;

    while (i < s->n && s->items[i].level >= s->items[from].level)
        i++;
    return i;
}

bool pam_skips(const struct pam_stack *s, size_t from, size_t to, char how[static 64])
{
    const char *rest = written_out(s->items[from].control);
    char code[64], action[64];
    size_t next;
    uint64_t n = 0;

    while (!s->items[from].substack && next_pair(&rest, code, action)) {
        if (strcasecmp(action, "done") == 0)
            next = skip_all(s, from);
        else if (text_parse_u64(action, strlen(action), &n) && n < 1000)
            next = skip_some(s, from, n);
        else
            continue;
        if (next > to) {
            snprintf(how, 64, "%.30s=%.30s", code, action);
            return true;
        }
    }
    return false;
}
