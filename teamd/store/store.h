/* The store: one LMDB environment, the only writer of what teamd remembers (DESIGN.md 5). Nobody
 * else opens the file, and only store.c and its neighbours in this folder know LMDB.
 *
 * Writing is one transaction per turn of the loop: begin, any number of adds, commit. Adds are
 * sticky: after a failure nothing more is written and commit returns the first error. Until commit
 * has returned 0 nothing may be answered or acted on. Read transactions never outlive the call that
 * opens them.
 *
 * Errors: -ENOSPC the disk is full, nothing was written, the store goes on working. -EIO anything
 * else that the disk did: the environment is unusable, the process must exit and start again.
 * -EUCLEAN from a question: a row is damaged, the rest may be sound. -EINVAL from a commit: an
 * effect could not have been read back (a state that there is not, no target), nothing was written.
 */
#pragma once

#include "core/record.h"

struct store;

/* Opens or creates the store in `dir`, which must exist, belong to us and be closed to others (it
 * is made 0700). `host` and `boot_id` (36 characters) name what is written from now on.
 * -EPROTONOSUPPORT: written by a newer teamd; -EBUSY: another teamd has it open; -EUCLEAN: not ours
 * or damaged. */
int store_open(const char *dir, const char *host, const char *boot_id, struct store **ret);
struct store *store_close(struct store *s); /* NULL is fine; returns NULL */

/* ---- after a start --------------------------------------------------------------------------- */

/* Gives every live request and every session that is not over, with whether it was written in this
 * boot. A callback that returns < 0 ends the load with that. *ret_last_commit is the wall time of
 * the last commit, 0 in a new store; *ret_last_session the highest number of a session ever
 * written. Both are set before the first callback, which may want them. */
struct store_loader {
    int (*request)(void *ctx, const struct request *r, bool same_boot);
    int (*session)(void *ctx, const struct session *s, bool same_boot);
    int (*errand)(void *ctx, const struct errand *e); /* NULL: not wanted */
    void *ctx;
};
int store_load(struct store *s, const struct store_loader *to, struct wall *ret_last_commit,
               uint64_t *ret_last_session);

/* The highest number that an errand ever had. */
uint64_t store_last_errand(const struct store *s);

/* ---- what AWS has ---------------------------------------------------------------------------- */

/* The directory is kept in pieces as they came, and means nothing to the store. Writing replaces
 * all of it, in a transaction of its own: 0; 1 if it was the same already, then only the time is
 * written. Not between begin and commit. Pieces are at most 64 KiB. */
struct store_piece {
    const void *at;
    size_t len;
};
int store_put_directory(struct store *s, struct now now, const struct store_piece *pieces,
                        size_t n);

/* Gives the pieces in order. *ret_as_of is when they were read from AWS, 0 if never. */
int store_get_directory(struct store *s, int (*piece)(void *ctx, const void *p, size_t n),
                        void *ctx, struct wall *ret_as_of);

/* ---- what was done with AWS access: activity.c, search.c ----------------------------------------
 *
 * Each of these that writes has a transaction of its own: not between begin and commit. */

/* Writes a collection, of which the store may not know yet. */
int store_put_collection(struct store *s, struct now now, const struct collection *c);

/* -ENOENT if there is none. */
int store_collection(struct store *s, struct id request, uint8_t target, struct collection *ret);

/* All that are not over. */
int store_load_collections(struct store *s, int (*each)(void *ctx, const struct collection *c),
                           void *ctx);

/* Those of the same person, account and permission set whose time meets c's; c itself not. */
int store_collections_beside(struct store *s, const struct collection *c,
                             int (*each)(void *ctx, const struct collection *c), void *ctx);

/* Adds calls to a collection: all in one transaction, with its counts. What is there already stays
 * as it is. Their `number` is given here. Returns how many were new, with the time of the first of
 * them; nothing is written if none is. -ENOENT: there is no such collection. */
int store_add_activity(struct store *s, struct now now, struct id request, uint8_t target,
                       const struct activity *rows, size_t n, struct wall *ret_oldest);

/* The calls of one request, oldest first. Filters that are NULL, false or 0 let everything
 * through. */
struct activity_query {
    struct id request;
    struct wall since, until;    /* from and before */
    const char *match;           /* only what has this text in it, */
    size_t match_len;            /* its length */
    bool errors;                 /* only what was refused or went wrong */
    bool changes;                /* only what does not just read */
    uint64_t after[TARGETS_MAX]; /* only those with higher numbers */
    /* where the next call goes on; all zero at first */
    uint8_t place[96];
    size_t place_len;
};

/* Looks at no more than *budget bytes, of which it takes what it has used, but at one call at
 * least. Returns as the queries below. */
int store_activity(struct store *s, struct activity_query *q, size_t *budget,
                   int (*row)(void *ctx, const struct activity *a), void *ctx);

/* Requests that have a collection, by activation, newest first, each once. *ret is the next one.
 * -ENOENT at the end. */
struct collected_query {
    struct id last;
    uint8_t place[17];
    bool started;
};
int store_next_collected(struct store *s, struct collected_query *q, struct id *ret,
                         struct wall *ret_from);

/* Sessions that have this text in their command, or where or as whom they were, newest first. The
 * time is that from their beginning to their end. Budget and result as store_activity(). */
struct session_search {
    const char *match;
    size_t match_len;
    struct wall since, until; /* 0: open */
    uint64_t below;           /* number: where the next call goes on; 0 at first */
};
int store_search_sessions(struct store *s, struct session_search *q, size_t *budget,
                          int (*row)(void *ctx, const struct session *r), void *ctx);

/* The collection that began first, of a request of which all that was collected was over before
 * then. -ENOENT if there is none. */
int store_oldest_collection(struct store *s, struct wall before, struct collection *ret);

/* Takes at most `most` calls of the collection's request away, whatever target they are of, and
 * when none is left the collection, with an event of the trail. Returns 1 if there is more to do.
 */
int store_drop_collection(struct store *s, struct now now, const struct collection *c, size_t most,
                          const struct effects *trail);

/* ---- writing --------------------------------------------------------------------------------- */

int store_begin(struct store *s, struct now now);
void store_add(struct store *s, const struct effects *e);
int store_commit(struct store *s);
void store_abort(struct store *s);

/* ---- reading --------------------------------------------------------------------------------- */

/* A row goes to `row`, which returns 0 to go on, 1 to stop before this row (it comes again next
 * time), or < 0. A query scans at most `budget` entries, remembers its place in the query and
 * returns 1 if there may be more, 0 at the end, or < 0. Newest first, by the time of asking. */
struct request_query {
    bool by_requester;
    uint32_t requester;          /* if by_requester */
    const char *name;            /* of the requester when they asked, or NULL; not with requester */
    uint32_t states;             /* bit per enum request_state; 0: all */
    const struct target *target; /* exactly this one, or NULL */
    struct wall since, until;    /* of the time of asking, from and before; 0: open */
    /* where the next call goes on; all zero at first */
    bool started;
    uint8_t place[160];
    size_t place_len;
};
int store_requests(struct store *s, struct request_query *q, size_t budget,
                   int (*row)(void *ctx, const struct record *r), void *ctx);

/* One request by its full id. -ENOENT if there is none. */
int store_request(struct store *s, struct id id, int (*row)(void *ctx, const struct record *r),
                  void *ctx);
bool store_has_request(struct store *s, struct id id);

/* The sessions of one elevation, oldest first. `after`: number of the last one given, 0 at first;
 * updated. Returns as above. */
int store_sessions(struct store *s, struct id request, uint64_t *after, size_t budget,
                   int (*row)(void *ctx, const struct session *r), void *ctx);

/* The audit trail, oldest first by number: where the clock was set back, time goes back. Filters
 * that are "" or 0 let everything through. */
struct trail_query {
    const char *actor, *action;
    struct id request;
    struct wall since, until; /* from and before */
    bool started;
    uint64_t next_seq; /* where the next call goes on */
};
int store_trail(struct store *s, struct trail_query *q, size_t budget,
                int (*row)(void *ctx, const struct trail_event *e), void *ctx);

/* Is there more than the last part of the disk? It is kept for decisions that end access; and the
 * part before it for requests, so that what somebody does in AWS keeps nobody from asking. */
enum store_for { FOR_REQUESTS = 0, FOR_ACTIVITY = 1 };
bool store_has_room(const struct store *s, enum store_for what);

/* A copy of all that is committed at this moment, as a store that can be opened, to a file that is
 * open for writing. store_copy() takes as long as it takes and is for a thread of its own; what it
 * returns is -errno of its own reading and writing, and says nothing about the store. The other two
 * are called where all else is called, before and after it; between them the store works on, but it
 * keeps every page that was there at the beginning, so it grows. */
int store_copy_begin(struct store *s);
int store_copy(struct store *s, int fd);
void store_copy_end(struct store *s);

struct store_facts {
    uint64_t requests, events, sessions;
    uint64_t map_bytes, used_bytes;
    uint8_t head[32]; /* hash of the last event */
};
int store_facts(struct store *s, struct store_facts *ret);
