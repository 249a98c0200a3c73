/* Between teamd and its resolvers, the processes that ask NSS; private to host/. All of them are
 * forks of one program, so their packets are plain structs, on SOCK_SEQPACKET, one packet one
 * struct. teamd -> resolver: one ask at a time. resolver -> teamd: any number of packets for it,
 * the last of them marked. What a resolver sends is still checked by teamd as if an enemy had sent
 * it: whatever speaks behind NSS has had its hands in that process. */
#pragma once

#include "host/host.h"

enum { ALIASES_PER_ASK = 4, MEMBERS_PER_PACKET = 64, GROUP_NAME_CAP = 128 };

enum resolver_op {
    RESOLVE_UID = 1,   /* the account with this uid */
    RESOLVE_NAME = 2,  /* the account with this name */
    RESOLVE_GROUP = 3, /* the group with this name, and who is in it */
};

struct ask {
    uint64_t serial;
    uint32_t op;
    uint32_t uid;
    char name[GROUP_NAME_CAP];
    /* RESOLVE_UID: other names that this uid is known to have, "" after the last. The groups of
     * those that still have it are the person's too. */
    struct name aliases[ALIASES_PER_ASK];
};

/* `name` is how the person is called by uid; `alias` the name that stands in the group, or "" if it
 * is the same. */
struct member {
    uint32_t uid;
    struct name name;
    struct name alias;
};

struct packet {
    uint64_t serial; /* of the ask */
    int32_t error;   /* 0 or -errno; then it is the last, and nothing else counts */
    uint32_t last;
    uint32_t id;      /* uid, or gid of the group */
    struct name name; /* the account's, by uid */
    uint32_t count;   /* of what follows; 0 in a packet that only says "still at it" */
    union {
        uint32_t gids[PEOPLE_GROUPS_MAX];
        struct member members[MEMBERS_PER_PACKET];
    };
};

/* The longest that a resolver works in silence between two calls of NSS. */
#define RESOLVER_SILENCE_US (SECOND_US / 2)

/* What a name of the user database must be to be used at all; with its NUL within `cap`. */
bool resolver_name_fits(const char *name, size_t cap);

/* Microseconds of CLOCK_MONOTONIC. */
uint64_t monotonic_us(void);

/* The life of a resolver: answers what comes on `fd` until its other end is closed. */
_Noreturn void resolver_run(int fd);

/* ---- the spawner ----------------------------------------------------------------------------- */

/* The small process that makes resolvers, so that teamd never forks once it has its store open. It
 * asks NSS nothing itself, so it cannot hang. */
struct spawner {
    pid_t pid;
    int fd;
};

int spawner_start(uid_t uid, gid_t gid, struct spawner *ret);
void spawner_stop(struct spawner *s);

/* Asks for one more resolver; spawner_take() gives it when the descriptor is readable: its socket
 * and its pidfd, both non-blocking. -EAGAIN: not yet. -ECHILD: the spawner is gone. Anything else:
 * it could not be made. */
int spawner_order(const struct spawner *s);
int spawner_take(const struct spawner *s, int *ret_fd, int *ret_pidfd);
