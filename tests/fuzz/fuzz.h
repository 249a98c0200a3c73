/* What every fuzz target shares. A target is one file, fuzz_NAME.c, with its kept inputs in
 * corpus/NAME and, if it wants any, options of libFuzzer in a comment:
 *     LIBFUZZER: -max_len=512
 * It looks at no clock and leaves nothing behind: the same input does the same each time. What must
 * hold is checked with must(); it ends the process, and libFuzzer keeps the input. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t len);

static inline void must(bool ok, const char *what)
{
    if (ok)
        return;
    fprintf(stderr, "must hold: %s\n", what);
    abort();
}

/* The input, taken apart from its beginning. At its end everything is 0. */
struct fuel {
    const uint8_t *at;
    size_t left;
};

static inline uint8_t take(struct fuel *f)
{
    if (f->left == 0)
        return 0;
    f->left--;
    return *f->at++;
}

/* The next n bytes, or as many as there are, in memory of exactly that size: a reader that goes too
 * far is seen. To be freed. */
static inline char *take_bytes(struct fuel *f, size_t n, size_t *ret_n)
{
    char *bytes;

    if (n > f->left)
        n = f->left;
    bytes = malloc(n > 0 ? n : 1);
    must(bytes != NULL, "there is memory");
    memcpy(bytes, f->at, n);
    f->at += n;
    f->left -= n;
    *ret_n = n;
    return bytes;
}

/* The same as a string, with its NUL. */
static inline char *take_string(struct fuel *f, size_t n)
{
    char *s;

    if (n > f->left)
        n = f->left;
    s = calloc(1, n + 1);
    must(s != NULL, "there is memory");
    memcpy(s, f->at, n);
    f->at += n;
    f->left -= n;
    return s;
}
