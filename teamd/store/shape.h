/* What a record looks like: a table of its fields, from which it is both written and read (shape.c
 * does that, codec.c has the tables). A field's row is its whole truth: tag, place in the struct,
 * form and range. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum form {
    FORM_NUMBER = 1, /* an integer or bool of 1, 2, 4 or 8 bytes; min..max is its range */
    FORM_TEXT = 2,   /* a char array with its NUL; min is the least length */
    FORM_WORDS = 3,  /* a const char * to text of min..max bytes */
    FORM_BYTES = 4,  /* bytes of one length, never absent */
    FORM_LIST = 5,   /* an array of structs and a uint8_t count; min..max is the range of the count
                      */
};

struct shape;

struct field {
    uint16_t tag;
    uint8_t form;
    size_t size, offset; /* in the struct; of a FORM_LIST: of one element */
    int64_t min, max;
    const struct shape *element; /* FORM_LIST */
    size_t count_offset;         /* FORM_LIST */
};

struct shape {
    const struct field *fields; /* by ascending tag, at most 64 */
    size_t n;
};

/* Appends the struct at `base`. False if it does not fit or is out of range. */
bool shape_write(const struct shape *s, const void *base, uint8_t *out, size_t cap, size_t *len);

/* Fills the struct at `base`, which must be all zero. False, and rubbish in it, if damaged. */
bool shape_read(const struct shape *s, const uint8_t *data, size_t len, void *base);
