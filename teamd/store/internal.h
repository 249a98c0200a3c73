/* What the files of this folder share. Nobody outside includes it, or lmdb.h. */
#pragma once

#include "store/codec.h"
#include "store/store.h"

#include <lmdb.h>

#define CLEANUP(fn) __attribute__((cleanup(fn)))

/* ---- the tables ------------------------------------------------------------------------------ */

/* Keys are big-endian, so that their order is that of numbers and time. An index has no values: its
 * key ends in what the table's rows are called by. */
enum table {
    REQUESTS = 0,          /* id, kind u8, number u16: a request, its decisions and its words */
    BY_REQUESTER = 1,      /* uid u32, time of asking, id */
    BY_STATE = 2,          /* state u8, time of asking, id */
    BY_TARGET = 3,         /* target's text, NUL, time of asking, id */
    BY_TIME = 4,           /* time of asking, id */
    SESSIONS = 5,          /* number */
    SESSIONS_OF = 6,       /* request's id, number: also of a request that a session has left */
    SESSIONS_LIVE = 7,     /* number: not over yet */
    AUDIT = 8,             /* seq */
    AUDIT_OF_ACTOR = 9,    /* name, NUL, seq */
    AUDIT_OF_REQUEST = 10, /* id, seq */
    AUDIT_OF_ACTION = 11,  /* action, NUL, seq */
    AUDIT_STEPS = 12,      /* seq of every event that is dated earlier than the one before it */
    META = 13,             /* "schema": u32. "ledger": where the store stands */
    OUTBOX = 14,           /* number of an errand */
    DIRECTORY = 15,        /* number u32: what AWS has, in pieces as they came from the courier */
    BY_NAME = 16,          /* requester's name, NUL, time of asking, id: of who is gone, too */
    ACTIVITY = 17,         /* request's id, time, event id: a call of AWS */
    COLLECTIONS = 18,      /* request's id, target u8 */
    COLLECTIONS_OPEN = 19, /* the same: not over */
    COLLECTIONS_BY_TIME = 20, /* activation, request's id, target */
    COLLECTIONS_OF = 21,      /* user id, NUL, account, NUL, set, NUL, activation, id, target.
                               * Value: when the last credentials die */
    TABLES = 22,
};

/* What stands under an id in REQUESTS. Others are skipped: they are of a newer teamd. */
enum { ROW_REQUEST = 1, ROW_DECISION = 2, ROW_WORDS = 3, ROW_NAMES = 4 };

enum { SCHEMA = 1 };

struct store_sizes {
    size_t map;      /* bytes of address space to start with */
    size_t headroom; /* at least so many are free when a transaction begins */
};

struct store {
    int lock_fd;
    MDB_env *env;
    MDB_dbi tables[TABLES];
    char host[HOST_CAP];
    char boot_id[37];
    struct boot_mark boot;
    struct store_sizes sizes;
    struct ledger ledger; /* as it is committed */
    unsigned readers;     /* open read transactions: while there is one, the map must not move */
    bool cramped;         /* a transaction did not fit into the map: grow it before the next */
    /* of the transaction between begin and commit: */
    MDB_txn *txn;
    struct wall now;
    struct ledger next;
    bool written;
    int error; /* the first, < 0 */
};

int store_open_sized(const char *dir, const char *host, const char *boot_id,
                     struct store_sizes sizes, struct store **ret);

/* ---- env.c: the environment, its files and its errors ---------------------------------------- */

/* LMDB's result as -errno. */
int lmdb_error(int rc);

int env_open(struct store *s, const char *dir);
void env_close(struct store *s);

/* Makes room for a transaction. Only while none is open. */
int env_make_room(struct store *s);

/* What a write failed with. LMDB calls a write that the full disk cut short EIO. */
int env_write_error(struct store *s, int rc);

/* ---- keys.c ---------------------------------------------------------------------------------- */

enum { KEY_CAP = 160 };

/* A key under construction. What does not fit sets `bad`: such a key is in no table. */
struct key {
    uint8_t bytes[KEY_CAP];
    size_t len;
    bool bad;
};

void key_put(struct key *k, const void *p, size_t n);
void key_put_number(struct key *k, uint64_t v, size_t width);
void key_put_text(struct key *k, const char *s); /* with a NUL that ends it */
void key_put_time(struct key *k, struct wall t);
void key_put_target(struct key *k, const struct target *t);

uint64_t key_number(const uint8_t *p, size_t width);
struct wall key_time(const uint8_t *p);

/* Whole keys: of tables by number, and of REQUESTS. */
struct key key_of_number(uint64_t v);
struct key key_of_row(struct id id, unsigned kind, unsigned number);

/* Every entry of the indexes that a request has. */
struct entries {
    size_t n;
    struct {
        enum table table;
        struct key key;
    } items[4 + TARGETS_MAX];
};

void entries_of(const struct request *r, struct entries *ret);

static inline MDB_val val(const void *p, size_t n)
{
    return (MDB_val){.mv_size = n, .mv_data = (void *)(uintptr_t)p};
}

static inline MDB_val key_val(const struct key *k)
{
    return val(k->bytes, k->len);
}

/* ---- reading: store.c ------------------------------------------------------------------------ */

/* A read transaction, for the length of one call. */
struct reading {
    struct store *store;
    MDB_txn *txn;
};

int reading_begin(struct store *s, struct reading *ret);
void reading_end(struct reading *r);

/* -ENOENT if there is no such row. What *ret points to lives as long as the transaction. */
int row_get(struct store *s, MDB_txn *txn, enum table t, const struct key *k, MDB_val *ret);

/* What a damaged record means for who wanted it. */
int damaged(int r);

/* ---- writing: write.c, trail.c --------------------------------------------------------------- */

int row_put(struct store *s, enum table t, const struct key *k, const void *p, size_t n,
            unsigned flags);
int row_delete(struct store *s, enum table t, const struct key *k); /* fine if there is none */

/* Fills the index by name, in a transaction of the caller's: of a store that was without it. */
int write_names(struct store *s, MDB_txn *txn);

int trail_append(struct store *s, const struct audit *a);

/* Reads a row of AUDIT. *ret points into it. */
int trail_read(MDB_val row, struct trail_event *ret);

/* Is the trail's end what the ledger says? Else -EUCLEAN. */
int trail_check_end(struct store *s, MDB_txn *txn, const struct ledger *l);
