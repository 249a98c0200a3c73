/* The text of team.conf with everything it includes put in its place: the bytes that were checked
 * are the bytes that are parsed, and every line still knows the file it came from.
 *
 * libconfig would open included files by itself, after and beside any check of ours, so @include is
 * done here. What else libconfig takes silently is refused here too: a NUL byte, which it takes for
 * the end; a comment that does not end; a number that does not fit, which it cuts. */
#pragma once

#include <stddef.h>

enum {
    SOURCE_BYTES_MAX = 1 << 20, /* of all files together */
    SOURCE_FILES_MAX = 64,
    SOURCE_DEPTH_MAX = 8,
};

/* From line `first` of the whole text on, lines are `file`'s, `line` being what `first` is there.
 */
struct piece {
    unsigned first, line;
    const char *file;
};

struct source {
    char *text; /* `len` bytes, one more line end, and a NUL */
    size_t len;
    size_t n_strings;
    unsigned *strings; /* on which line of the text each string begins, in order */
    unsigned n_lines;
    size_t n_files, n_pieces;
    char *files[SOURCE_FILES_MAX];
    struct piece pieces[2 * SOURCE_FILES_MAX];
};

/* Gets "file:line: what" or, without a line, "file: what". */
typedef void (*source_complain_fn)(void *ctx, const char *line);

/* Returns 0, or -errno when all problems that were found have been reported: -ENOENT, -EACCES and
 * -EPERM are about `path` itself, or -EPERM about a file it includes; -EINVAL is the rest. */
int source_read(const char *path, source_complain_fn complain, void *ctx, struct source **ret);
struct source *source_free(struct source *s);

/* The file and the line in it of a line of the whole text. */
const char *source_place(const struct source *s, unsigned line, unsigned *ret_line);
