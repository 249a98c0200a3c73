/* Walking several indexes at once. The entries of an index that share a prefix are a sorted list
 * of places: what is left of the key. What all filters of a query have is found by jumping: each
 * filter is asked for its first place at or beyond the one that the filter before it has, until all
 * agree. So the rarest filter sets the pace, whichever it is, and only rows that are wanted are
 * read. A place is all that has to be remembered to go on later, whatever was written meanwhile. */
#pragma once

#include "store/internal.h"

enum { PLACE_CAP = 16 };

struct place {
    uint8_t bytes[PLACE_CAP];
    size_t len;
    bool backward; /* from the greatest to the least */
};

int place_compare(const struct place *a, const struct place *b); /* < 0: a comes first */

/* One step on. False, and unchanged, at the very end. */
bool place_step(struct place *p);

/* One run of entries with the same prefix. */
struct stream {
    MDB_cursor *cursor;
    struct key prefix;
    struct place asked, found; /* the last seek: nothing lies between them */
    bool known, ended;
    MDB_val value; /* of `found` */
};

/* Some of them: the places that any has. */
struct streams {
    struct stream *items;
    size_t n;
};

int stream_open(struct store *s, MDB_txn *txn, enum table t, struct stream *ret);
void stream_close(struct stream *st);

/* Moves *at to the first place of the stream at or beyond it. -ENOENT if there is none. */
int stream_seek(struct stream *st, struct place *at);

/* A filter moves *at like stream_seek(), or leaves it if it has that place. It may also move it
 * less far than it could. */
struct filter {
    int (*seek)(void *ctx, struct place *at);
    void *ctx;
};

int streams_seek(void *streams, struct place *at); /* struct streams * */

/* Moves *at to the first place at or beyond it that all filters have. Returns 0, 1 when the budget
 * is used up (*at is where to go on), -ENOENT when there is none up to and with `last`. Looking at
 * a place costs one. */
int join(const struct filter *filters, size_t n, const struct place *last, size_t *budget,
         struct place *at);
