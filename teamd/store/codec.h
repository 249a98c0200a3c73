/* Records as bytes. Pure: no I/O, no heap.
 *
 * A record is: version u8, kind u8, then fields: tag u16, length u16, value. Integers are
 * big-endian and as wide as in memory; text ends in a NUL, so that it can be used where it lies. A
 * field that is absent is zero or "". Tags ascend; only the fields of a list repeat, one for each
 * element. A reader skips tags that it does not know: adding a field needs no new version, changing
 * the meaning of one does.
 *
 * Reading is strict: a damaged record is an error, never a surprising value. Writing refuses what
 * reading would refuse: nothing gets into the store that cannot be had back. Which characters
 * stand in text is not decided here but by whoever takes it from people or shows it to them. */
#pragma once

#include "core/record.h"

enum {
    RECORD_MAX = 8192,    /* bytes of the largest record, with room to spare */
    ACTIVITY_MAX = 40960, /* of an activity with its JSON */
    HASH_LEN = 32,
    BOOT_MARK_LEN = 16,
};

/* Which boot of the host a record was written in: a hash of its boot id. */
struct boot_mark {
    uint8_t bytes[BOOT_MARK_LEN];
};

struct kept_request {
    struct request request;
    struct boot_mark boot;
};

struct kept_session {
    struct session session;
    struct boot_mark boot;
};

/* Where the store stands: one row, written with every commit. */
struct ledger {
    struct wall last_commit;
    uint64_t last_session;
    uint64_t last_seq;      /* of the audit trail; 0: no event yet */
    struct wall last_at;    /* its time */
    uint8_t head[HASH_LEN]; /* its hash; zeros at first */
    uint64_t last_errand;
    struct wall directory_as_of; /* when AWS was last read; 0: never */
    char boot_id[37];            /* of the last commit, for people who look into a store */
};

/* Writing returns the length, or 0 if the value may not be stored. */
size_t record_write_request(const struct kept_request *r, uint8_t out[static RECORD_MAX]);
size_t record_write_decision(const struct decision *d, uint8_t out[static RECORD_MAX]);
size_t record_write_words(const struct words *w, uint8_t out[static RECORD_MAX]);
size_t record_write_names(const struct aws_names *n, uint8_t out[static RECORD_MAX]);
size_t record_write_errand(const struct errand *e, uint8_t out[static RECORD_MAX]);
size_t record_write_session(const struct kept_session *s, uint8_t out[static RECORD_MAX]);
size_t record_write_ledger(const struct ledger *l, uint8_t out[static RECORD_MAX]);
size_t record_write_collection(const struct collection *c, uint8_t out[static RECORD_MAX]);

/* Without request, time and event id, which are its key. */
size_t record_write_activity(const struct activity *a, uint8_t out[static ACTIVITY_MAX]);

/* Without prev and hash, which stand around the record (chain.h). */
size_t record_write_event(const struct trail_event *e, uint8_t out[static RECORD_MAX]);

/* Reading: 0, -EBADMSG for a damaged record, -EPROTONOSUPPORT for one of a newer version. Text
 * behind a pointer lies in `data`. */
int record_read_request(const uint8_t *data, size_t len, struct kept_request *ret);
int record_read_decision(const uint8_t *data, size_t len, struct decision *ret);
int record_read_words(const uint8_t *data, size_t len, struct words *ret);
int record_read_names(const uint8_t *data, size_t len, struct aws_names *ret);
int record_read_errand(const uint8_t *data, size_t len, struct errand *ret);
int record_read_session(const uint8_t *data, size_t len, struct kept_session *ret);
int record_read_ledger(const uint8_t *data, size_t len, struct ledger *ret);
int record_read_event(const uint8_t *data, size_t len, struct trail_event *ret);
int record_read_collection(const uint8_t *data, size_t len, struct collection *ret);
int record_read_activity(const uint8_t *data, size_t len, struct activity *ret);
