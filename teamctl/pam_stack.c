#include "pam_stack.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include <team/text.h>

enum { DEPTH_MAX = 16 }; /* of files in files; libpam gives up earlier */

/* ---- one file ---------------------------------------------------------------------------------
 */

int pam_load(int fd, struct pam_text *ret)
{
    struct pam_text t = {.at = malloc(PAM_FILE_MAX + 1)};
    ssize_t n = 1;

    while (t.at && n != 0 && t.len <= PAM_FILE_MAX) {
        n = read(fd, t.at + t.len, PAM_FILE_MAX + 1 - t.len);
        if (n < 0 && errno != EINTR)
            break;
        t.len += n > 0 ? (size_t)n : 0;
    }
    if (t.at && n == 0 && t.len <= PAM_FILE_MAX) {
        *ret = t;
        return 0;
    }
    n = !t.at ? -ENOMEM : n < 0 ? -errno : -EFBIG;
    free(t.at);
    return (int)n;
}

void pam_unload(struct pam_text *t)
{
    free(t->at);
    *t = (struct pam_text){.at = NULL};
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* Adds as much as there is room for. */
static void put_cut(struct text *t, const char *s, size_t n)
{
    size_t room = t->cap - t->len - 1;

    text_put_n(t, s, n < room ? n : room);
}

bool pam_next(struct pam_reader *r)
{
    struct text t = text_over(r->rule, sizeof r->rule);
    bool open = false;

    while (r->end < r->text->len) {
        const char *s = r->text->at + r->end;
        const char *newline = memchr(s, '\n', r->text->len - r->end), *hash;
        size_t n = newline ? (size_t)(newline - s) : r->text->len - r->end, i = 0;

        if (!open) {
            r->begin = r->end;
            r->line = r->lines + 1;
        }
        r->end += n + (newline != NULL);
        r->lines++;
        while (i < n && is_blank(s[i]))
            i++;
        if (i == n || s[i] == '#')
            continue;
        hash = memchr(s, '#', n);
        for (n = hash ? (size_t)(hash - s) : n; n > i && is_blank(s[n - 1]);)
            n--;
        open = !hash && s[n - 1] == '\\';
        put_cut(&t, s + i, n - i - open);
        if (!open)
            return true;
        put_cut(&t, " ", 1);
    }
    r->torn = open;
    return false;
}

char *take_word(char **rest)
{
    char *word = *rest + strspn(*rest, " \t");
    size_t n = strcspn(word, " \t");

    *rest = word + n + (word[n] != '\0');
    word[n] = '\0';
    return word;
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

static int type_of(const char *word)
{
    static const char *const TYPES[PAM_TYPES] = {"auth", "account", "password", "session"};

    for (int i = 0; i < PAM_TYPES; i++)
        if (strcasecmp(word, TYPES[i]) == 0)
            return i;
    return -1;
}

int pam_parse(char *rule, struct pam_line *ret)
{
    char *rest = rule, *word = take_word(&rest);
    int type = PAM_TYPES;

    *ret = (struct pam_line){.include = strcasecmp(word, "@include") == 0};
    if (!ret->include) {
        ret->quiet = word[0] == '-';
        type = type_of(word + ret->quiet);
        copy(ret->control, sizeof ret->control, take_control(&rest));
        ret->substack = strcasecmp(ret->control, "substack") == 0;
        ret->include = ret->substack || strcasecmp(ret->control, "include") == 0;
    }
    copy(ret->module, sizeof ret->module, take_word(&rest));
    copy(ret->arguments, sizeof ret->arguments, rest);
    return type;
}

bool pam_is_ours(const struct pam_line *l)
{
    const char *slash = strrchr(l->module, '/');

    return !l->include && strcmp(slash ? slash + 1 : l->module, "pam_team.so") == 0;
}

/* ---- one service ------------------------------------------------------------------------------
 */

static void read_file(struct pam_service *s, const char *name, unsigned types, unsigned level,
                      unsigned depth);

static void add(struct pam_stack *s, const struct pam_line *l)
{
    struct pam_line *more = reallocarray(s->items, s->n + 1, sizeof *more);

    if (!more)
        return;
    s->items = more;
    s->items[s->n++] = *l;
}

/* `types`, of which the file may have rules. */
static void read_rule(struct pam_service *s, char *rule, const struct pam_line *at, unsigned types,
                      unsigned depth)
{
    struct pam_line l;
    int type = pam_parse(rule, &l);

    if (type == PAM_TYPES) {
        read_file(s, l.module, types, at->level, depth + 1);
        return;
    }
    if (type < 0 || !(types >> type & 1))
        return;
    memcpy(l.file, at->file, sizeof l.file);
    l.line = at->line;
    l.level = at->level;
    if (!l.include || l.substack)
        add(&s->stacks[type], &l);
    if (l.include)
        read_file(s, l.module, 1u << type, l.level + l.substack, depth + 1);
}

static int load_path(const char *path, struct pam_text *ret)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC), r;

    if (fd < 0)
        return -errno;
    r = pam_load(fd, ret);
    close(fd);
    return r;
}

static void read_file(struct pam_service *s, const char *name, unsigned types, unsigned level,
                      unsigned depth)
{
    struct pam_text text = {.at = NULL};
    struct pam_reader reader = {.text = &text};
    struct pam_line at = {.level = level};
    char path[PATH_CAP];
    bool absolute = name[0] == '/';
    int r;

    snprintf(path, sizeof path, "%s%s%s",
             absolute ? ""
             : s->dir ? s->dir
                      : PAM_DIR,
             absolute ? "" : "/", name);
    snprintf(at.file, sizeof at.file, "%s%s", absolute ? "" : PAM_DIR "/", name);
    if (depth > 0 && s->included)
        s->included(s->ctx, name);
    r = depth < DEPTH_MAX ? load_path(path, &text) : -ELOOP;
    while (r == 0 && pam_next(&reader)) {
        at.line = reader.line;
        read_rule(s, reader.rule, &at, types, depth);
    }
    if (r == 0 && reader.torn)
        r = -EBADMSG;
    if (r < 0 && s->error == 0) {
        s->error = r;
        copy(s->unread, sizeof s->unread, at.file);
    }
    pam_unload(&text);
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

bool pam_may_skip(const struct pam_line *l)
{
    const char *rest = written_out(l->control);
    char code[64], action[64];
    uint64_t n;

    while (next_pair(&rest, code, action))
        if (strcasecmp(action, "done") == 0 || text_parse_u64(action, strlen(action), &n))
            return true;
    return false;
}
