/* The whole live state: requests that are not final, sessions that are not over, and the people who
 * matter to them, as bounded tables in memory that the caller provides. History is in the store
 * only. */
#pragma once

#include "core/errand.h"
#include "core/policy.h"
#include "core/request.h"
#include "core/session.h"

struct request_slot {
    struct request request; /* id 0: free */
    uint32_t next_by_id, next_by_uid;
    bool check; /* eligibility is to be looked at again */
};

struct session_slot {
    struct session session; /* number 0: free */
    uint32_t next_by_number, next_by_uid;
};

struct errand_slot {
    struct errand errand; /* number 0: free */
    uint32_t next_by_number, next_by_uid;
};

struct person_slot {
    struct person person;
    uint32_t next;
};

/* The sizes of the tables. What is beyond them is refused with a reason, never dropped. */
enum {
    WORLD_REQUESTS = 16384,
    WORLD_SESSIONS = 16384,
    WORLD_PEOPLE = 16384,
    WORLD_ERRANDS = 16384,
    REQUESTS_PER_PERSON = 32, /* live ones */
    SESSIONS_PER_PERSON = 512,
};

struct world {
    const struct policy *policy;
    const struct directory *directory;   /* NULL: AWS has not been read */
    uint32_t idc_groups[PRINCIPALS_MAX]; /* of the policy's principals, as directory_group() */
    struct request_slot *requests;
    struct session_slot *sessions;
    struct person_slot *people;
    struct errand_slot *errands;
    uint32_t *requests_by_id, *requests_by_uid, *sessions_by_number, *sessions_by_uid,
        *people_by_uid, *errands_by_number, *errands_by_uid; /* slot + 1 */
    uint32_t n_requests, n_sessions, n_people, n_errands;
    uint32_t top_request, top_session, top_errand;    /* slots in use are below */
    uint32_t free_request, free_session, free_errand; /* chains of freed slots, slot + 1 */
    uint64_t last_session, last_errand;
    struct wall last_pass; /* when everything was last looked at: warnings since then are due */
    struct deadline wake;  /* nothing changes by itself before this */
};

/* Bytes that world_init() needs: all zero, aligned as malloc does, untouched pages cost nothing. */
size_t world_size(void);
void world_init(struct world *w, void *memory, const struct policy *policy);

/* Forgets requests and sessions: what the store will give again. Policy and people stay. */
void world_clear(struct world *w);

struct request *world_request(const struct world *w, struct id id);

/* The person's live requests: start with NULL, ends with NULL. */
struct request *world_next_of(const struct world *w, uint32_t uid, const struct request *after);

/* All live requests in no particular order: *at starts at 0. */
struct request *world_each_request(const struct world *w, uint32_t *at);

struct session *world_session(const struct world *w, uint64_t number);
struct session *world_next_session_of(const struct world *w, uint32_t uid,
                                      const struct session *after);
struct session *world_each_session(const struct world *w, uint32_t *at);

struct errand *world_errand(const struct world *w, uint64_t number);
struct errand *world_next_errand_of(const struct world *w, uint32_t uid,
                                    const struct errand *after);
struct errand *world_each_errand(const struct world *w, uint32_t *at);

/* What is known of a uid, or NULL. */
const struct person *world_person(const struct world *w, uint32_t uid);
const struct person *world_each_person(const struct world *w, uint32_t *at);

/* The policy or the directory is another one: what people are goes by it from now on. */
void world_set_policy(struct world *w, const struct policy *policy);
void world_set_directory(struct world *w, const struct directory *directory);

/* Adds or replaces, with what the directory says of them. False when the table is full. */
bool world_learn(struct world *w, const struct person *p);
void world_forget_people(struct world *w);

/* Adding returns NULL when the table is full. What is removed must not be used any more. */
struct request *world_add_request(struct world *w, const struct request *r);
void world_remove_request(struct world *w, struct request *r);
struct session *world_add_session(struct world *w, const struct session *s);
void world_remove_session(struct world *w, struct session *s);
struct errand *world_add_errand(struct world *w, const struct errand *e);
void world_remove_errand(struct world *w, struct errand *e);

/* Puts back what the store holds, after a start. On another boot than the one it was written in
 * (same_boot false) the boot-time ends mean nothing: the time that is left is computed anew from
 * the wall clock, taken as not earlier than `last_commit`, and is never more than was granted. */
bool world_restore_request(struct world *w, const struct request *r, bool same_boot, struct now now,
                           struct wall last_commit);
bool world_restore_session(struct world *w, const struct session *s);
bool world_restore_errand(struct world *w, const struct errand *e);

/* Notes that the requester's eligibility has to be looked at again; takes the note away, and says
 * whether there was one. */
void world_check_again(struct world *w, struct request *r);
bool world_take_check(struct world *w, struct request *r);

/* NULL if the tables agree with each other and with the rules, else what does not. For tests, and
 * for teamd after every load. */
const char *world_check(const struct world *w);
