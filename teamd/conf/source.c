#include "conf/source.h"

#include "conf/cleanup.h"
#include "conf/trusted.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* A line end is added to each file that lacks one, and one to the whole. */
enum { TEXT_CAP = SOURCE_BYTES_MAX + SOURCE_FILES_MAX + 2 };

/* A number of more characters may not fit into libconfig's int, and would be cut without a word. */
enum { NUMBER_LEN_MAX = 9 };

/* One source_read(). */
struct build {
    struct source *source;
    source_complain_fn complain;
    void *ctx;
    const char *root;  /* team.conf; what it includes is relative to its directory */
    size_t bytes;      /* read so far */
    bool after_string; /* strings with nothing between them are one string */
    int error;
};

/* A file on its way into the text. */
struct input {
    const char *name;
    const char *text;
    size_t len, at;
    unsigned line, depth;
};

/* What is wrong with a file as such (-EPERM, -ENOENT...) is said rather than -EINVAL. */
__attribute__((format(printf, 4, 5))) static void complain(struct build *b, const struct input *in,
                                                           int error, const char *fmt, ...)
{
    char line[PATH_MAX + TRUSTED_WHY_CAP + 64];
    int len = 0;
    va_list ap;

    if (in)
        len = snprintf(line, sizeof line, "%.*s:%u: ", PATH_MAX, in->name, in->line);
    va_start(ap, fmt);
    vsnprintf(line + len, sizeof line - (size_t)len, fmt, ap);
    va_end(ap);
    b->complain(b->ctx, line);
    if (b->error == 0 || b->error == -EINVAL)
        b->error = error;
}

static void put(struct build *b, const char *s, size_t n)
{
    struct source *to = b->source;

    memcpy(to->text + to->len, s, n);
    to->len += n;
    to->text[to->len] = '\0';
    for (size_t i = 0; i < n; i++)
        to->n_lines += s[i] == '\n';
}

/* There is room for every file that could be included; directives that failed do not matter. */
static void begin_piece(struct build *b, const struct input *in)
{
    struct source *to = b->source;

    if (to->n_pieces < sizeof to->pieces / sizeof to->pieces[0])
        to->pieces[to->n_pieces++] =
            (struct piece){.first = to->n_lines, .line = in->line, .file = in->name};
}

/* ---- reading a file ------------------------------------------------------------------------- */

static int read_all(int fd, char *buf, size_t cap, size_t *ret_len)
{
    size_t len = 0;

    while (len < cap) {
        ssize_t n = read(fd, buf + len, cap - len);

        if (n == 0)
            break;
        if (n < 0 && errno != EINTR)
            return -errno;
        if (n > 0)
            len += (size_t)n;
    }
    *ret_len = len;
    return 0;
}

/* Reads the file `name`, which `from` includes (NULL: team.conf itself). */
static int read_file(struct build *b, const char *name, const struct input *from, char **ret_text,
                     size_t *ret_len)
{
    CLEANUP(freep) char *text = NULL;
    CLEANUP(closep) int fd = -1;
    char why[TRUSTED_WHY_CAP];
    size_t left = SOURCE_BYTES_MAX - b->bytes, len = 0;
    int r;

    r = trusted_open(name, &fd, why);
    if (r < 0) {
        complain(b, from, from && r != -EPERM ? -EINVAL : r, "%s", why);
        return r;
    }
    text = malloc(left + 1);
    r = text ? read_all(fd, text, left + 1, &len) : -ENOMEM;
    if (r < 0) {
        complain(b, from, r, "%s: %s", name, strerror(-r));
        return r;
    }
    if (len > left) {
        complain(b, from, -EINVAL, "%s: all files together are larger than %d bytes", name,
                 SOURCE_BYTES_MAX);
        return -EFBIG;
    }
    b->bytes += len;
    *ret_text = TAKE_PTR(text);
    *ret_len = len;
    return 0;
}

/* ---- tokens, as far as they matter here ----------------------------------------------------- */

enum token { TOKEN_OTHER, TOKEN_BLANK, TOKEN_COMMENT, TOKEN_STRING, TOKEN_WORD, TOKEN_UNENDED };

static bool in_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c && strchr("_*.+-", c));
}

static size_t string_length(const char *s, size_t n, enum token *ret)
{
    for (size_t i = 1; i < n; i++) {
        if (s[i] == '\\')
            i++;
        else if (s[i] == '"')
            return i + 1;
    }
    *ret = TOKEN_UNENDED;
    return n;
}

static size_t comment_length(const char *s, size_t n, enum token *ret)
{
    const char *end;

    if (s[0] == '/' && s[1] == '*') {
        end = memmem(s + 2, n - 2, "*/", 2);
        if (end)
            return (size_t)(end - s) + 2;
        *ret = TOKEN_UNENDED;
        return n;
    }
    end = memchr(s, '\n', n);
    return end ? (size_t)(end - s) : n;
}

/* The token at s, n > 0. */
static size_t token(const char *s, size_t n, enum token *ret)
{
    size_t len = 1;

    if (s[0] == '"') {
        *ret = TOKEN_STRING;
        return string_length(s, n, ret);
    }
    if (s[0] == '#' || (n > 1 && s[0] == '/' && (s[1] == '/' || s[1] == '*'))) {
        *ret = TOKEN_COMMENT;
        return comment_length(s, n, ret);
    }
    if (in_word(s[0])) {
        *ret = TOKEN_WORD;
        while (len < n && in_word(s[len]))
            len++;
        return len;
    }
    *ret = s[0] && strchr(" \t\r\n\f", s[0]) ? TOKEN_BLANK : TOKEN_OTHER;
    return len;
}

/* \x00 in a string: libconfig would end the string there. */
static bool hides_a_nul(const char *s, size_t n)
{
    for (size_t i = 0; i + 3 < n; i++) {
        if (s[i] != '\\')
            continue;
        if ((s[i + 1] == 'x' || s[i + 1] == 'X') && s[i + 2] == '0' && s[i + 3] == '0')
            return true;
        i++;
    }
    return false;
}

static bool is_long_number(const char *s, size_t n)
{
    size_t sign = s[0] == '+' || s[0] == '-';

    return n > NUMBER_LEN_MAX && s[sign] >= '0' && s[sign] <= '9';
}

static void check_token(struct build *b, const struct input *in, enum token kind, size_t len)
{
    const char *s = in->text + in->at;

    if (kind == TOKEN_UNENDED)
        complain(b, in, -EINVAL, "the %s that begins here does not end in this file",
                 s[0] == '"' ? "string" : "comment");
    if (kind == TOKEN_STRING && hides_a_nul(s, len))
        complain(b, in, -EINVAL, "a string cannot hold \\x00");
    if (kind == TOKEN_WORD && is_long_number(s, len))
        complain(b, in, -EINVAL, "%.*s is too large a number", (int)(len < 40 ? len : 40), s);
}

/* ---- includes ------------------------------------------------------------------------------- */

/* `@include "name"` at the beginning of a line, as libconfig has it. Returns its length and the
 * name, or 0. */
static size_t directive(const struct input *in, const char **ret_name, size_t *ret_len)
{
    static const char WORD[] = "@include";
    const char *s = in->text + in->at, *end;
    size_t left = in->len - in->at, i = 0, blanks;

    if (in->at > 0 && s[-1] != '\n')
        return 0;
    while (i < left && (s[i] == ' ' || s[i] == '\t'))
        i++;
    if (left - i < sizeof WORD || memcmp(s + i, WORD, sizeof WORD - 1) != 0)
        return 0;
    i += sizeof WORD - 1;
    blanks = i;
    while (i < left && (s[i] == ' ' || s[i] == '\t'))
        i++;
    if (i == blanks || i == left || s[i] != '"')
        return 0;
    i++;
    end = memchr(s + i, '"', left - i);
    if (!end || memchr(s + i, '\n', (size_t)(end - s) - i))
        return 0;
    *ret_name = s + i;
    *ret_len = (size_t)(end - s) - i;
    return (size_t)(end - s) + 1;
}

static void put_file(struct build *b, const char *name, const struct input *from);

static void include(struct build *b, const struct input *in, const char *name, size_t len)
{
    const char *slash = strrchr(b->root, '/');
    int dir = slash && name[0] != '/' ? (int)(slash - b->root) + 1 : 0;
    CLEANUP(freep) char *path = NULL;

    if (len == 0 || memchr(name, '\\', len) || memchr(name, '\0', len)) {
        complain(b, in, -EINVAL, "@include takes the name of a file, without backslashes");
    } else if (asprintf(&path, "%.*s%.*s", dir, b->root, (int)len, name) < 0) {
        path = NULL;
        complain(b, in, -ENOMEM, "out of memory");
    } else {
        put_file(b, path, in);
    }
}

/* ---- putting it together -------------------------------------------------------------------- */

static void put_text(struct build *b, struct input *in)
{
    begin_piece(b, in);
    while (in->at < in->len) {
        const char *s = in->text + in->at, *name;
        size_t name_len, len = directive(in, &name, &name_len);
        enum token kind;

        if (len > 0) {
            include(b, in, name, name_len);
            in->at += len;
            begin_piece(b, in);
            continue;
        }
        len = token(s, in->len - in->at, &kind);
        check_token(b, in, kind, len);
        if (kind == TOKEN_STRING && !b->after_string)
            b->source->strings[b->source->n_strings++] = b->source->n_lines;
        if (kind != TOKEN_BLANK && kind != TOKEN_COMMENT)
            b->after_string = kind == TOKEN_STRING;
        put(b, s, len);
        for (size_t i = 0; i < len; i++)
            in->line += s[i] == '\n';
        in->at += len;
    }
    if (in->depth > 0 && in->len > 0 && in->text[in->len - 1] != '\n')
        put(b, "\n", 1);
}

static void put_file(struct build *b, const char *name, const struct input *from)
{
    CLEANUP(freep) char *text = NULL;
    struct source *s = b->source;
    struct input in = {.line = 1, .depth = from ? from->depth + 1 : 0};
    const void *nul;

    if (in.depth > SOURCE_DEPTH_MAX || s->n_files == SOURCE_FILES_MAX) {
        complain(b, from, -EINVAL, "%s: too many files, or a file that includes itself", name);
        return;
    }
    if (read_file(b, name, from, &text, &in.len) < 0)
        return;
    in.text = text;
    in.name = s->files[s->n_files] = strdup(name);
    if (!in.name) {
        complain(b, from, -ENOMEM, "out of memory");
        return;
    }
    s->n_files++;
    nul = memchr(text, '\0', in.len);
    if (nul)
        complain(b, NULL, -EINVAL, "%s: a text file cannot hold a NUL byte", name);
    else
        put_text(b, &in);
}

int source_read(const char *path, source_complain_fn complain_fn, void *ctx, struct source **ret)
{
    struct source *s = calloc(1, sizeof *s);
    struct build b = {.source = s, .complain = complain_fn, .ctx = ctx, .root = path};

    if (!s)
        return -ENOMEM;
    s->n_lines = 1;
    s->text = calloc(1, TEXT_CAP);
    s->strings = calloc(SOURCE_BYTES_MAX / 2, sizeof *s->strings);
    if (s->text && s->strings) {
        put_file(&b, path, NULL);
        /* libconfig wants a line end after a comment, also after the last. */
        s->text[s->len] = '\n';
    } else {
        b.error = -ENOMEM;
    }
    if (b.error < 0) {
        source_free(s);
        return b.error;
    }
    *ret = s;
    return 0;
}

struct source *source_free(struct source *s)
{
    if (!s)
        return NULL;
    for (size_t i = 0; i < s->n_files; i++)
        free(s->files[i]);
    free(s->text);
    free(s->strings);
    free(s);
    return NULL;
}

const char *source_place(const struct source *s, unsigned line, unsigned *ret_line)
{
    const struct piece *p = &s->pieces[0];

    for (size_t i = 1; i < s->n_pieces && s->pieces[i].first <= line; i++)
        p = &s->pieces[i];
    *ret_line = p->line + (line > p->first ? line - p->first : 0);
    return p->file;
}
