/* The values that teamd's core works with. Pure: no I/O, no clock, no heap, no globals. Numbers of
 * enums that are stored are written out and never reused. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* ---- time ----------------------------------------------------------------------------------- */

/* Microseconds since 1970 UTC (CLOCK_REALTIME): what people mean by "until 17:00". */
struct wall {
    int64_t us;
};

/* Microseconds of CLOCK_BOOTTIME: never steps, counts suspend, means nothing after a reboot. */
struct boot {
    int64_t us;
};

#define SECOND_US INT64_C(1000000)
#define NEVER_US  INT64_MAX

/* The moment of an event, on both clocks. */
struct now {
    struct wall wall;
    struct boot boot;
};

/* A moment that has come when either clock has reached it: no step of the wall clock can move it
 * later than was meant, and a step forward moves it earlier. */
struct deadline {
    struct wall wall;
    struct boot boot;
};

static inline bool deadline_passed(struct deadline d, struct now now)
{
    return now.wall.us >= d.wall.us || now.boot.us >= d.boot.us;
}

/* ---- names ---------------------------------------------------------------------------------- */

enum {
    NAME_CAP = 64,   /* a person, a group, a policy, with its NUL */
    HOST_CAP = 65,   /* HOST_NAME_MAX and NUL */
    WORD_CAP = 32,   /* a service, a class; a permission set is at most 32 characters (IAM Identity
                        Center) */
    TARGETS_MAX = 8, /* targets of one request (DESIGN.md 2) */
    APPROVALS_MAX = 16, /* that one question of a request keeps */
    PRINCIPALS_MAX = 512,
};

struct name {
    char text[NAME_CAP];
};

/* A request's id: 40 random bits. 0 is none. */
struct id {
    uint64_t bits;
};

/* ---- targets -------------------------------------------------------------------------------- */

enum target_kind { TARGET_NONE = 0, TARGET_HOST = 1, TARGET_AWS = 2 };

/* `place` is a host's name or an account's id, `what` a service class or a permission set. In a
 * pattern both may hold `*` and `?`, and the place may be an OU or a root (ou-..., r-...). */
struct target {
    uint8_t kind;
    char place[HOST_CAP];
    char what[WORD_CAP + 1];
};

enum { TARGET_TEXT_CAP = 8 + HOST_CAP + WORD_CAP + 2 };

enum target_error {
    TARGET_OK = 0,
    TARGET_BAD_FORM = 1, /* neither host:NAME/SERVICE nor aws:ACCOUNT/PERMISSION_SET */
    TARGET_BAD_PLACE = 2,
    TARGET_BAD_WHAT = 3,
};

/* Reads `host:NAME/SERVICE`, `aws:ACCOUNT/SET`, or a bare `SERVICE`, which means this host's. An
 * account is 12 digits or a name that is looked up later. No wildcards. */
enum target_error target_parse(const char *s, size_t n, const char *this_host, struct target *ret);

/* Reads a pattern of the policy: as above, with wildcards and OUs, and no bare service. */
enum target_error pattern_parse(const char *s, size_t n, struct target *ret);

/* One sentence for people: what a target or pattern has to look like. */
const char *target_error_text(enum target_error e);

bool target_equal(const struct target *a, const struct target *b);

/* Does the pattern cover the target? `*` is any run of characters and `?` any one, none of them
 * across the slash. Host names compare without case. An OU or root covers nothing here: what is
 * below it only the directory knows. */
bool pattern_covers(const struct target *pattern, const struct target *target);

/* The same of the place alone. */
bool pattern_covers_place(const struct target *pattern, const struct target *target);

/* True for a pattern whose place is an OU or a root. */
bool pattern_needs_directory(const struct target *pattern);

/* Writes "host:bastion-1/sudo"; always fits in TARGET_TEXT_CAP. */
void target_text(const struct target *t, char out[TARGET_TEXT_CAP]);

/* ---- people --------------------------------------------------------------------------------- */

/* A set of principals of the policy, by their index: who a rule names, or what a person is. */
struct principals {
    uint64_t bits[PRINCIPALS_MAX / 64];
};

static inline void principals_add(struct principals *set, size_t i)
{
    set->bits[i / 64] |= UINT64_C(1) << i % 64;
}

static inline bool principals_meet(const struct principals *a, const struct principals *b)
{
    for (size_t i = 0; i < PRINCIPALS_MAX / 64; i++)
        if (a->bits[i] & b->bits[i])
            return true;
    return false;
}

static inline bool principals_any(const struct principals *set)
{
    return principals_meet(set, set);
}

/* Somebody as the host's user database (NSS) knows them. A person is a uid: two names with one uid
 * are one person. `is` holds every principal of the policy that they are, directly or as a group's
 * member. */
struct person {
    uint32_t uid;
    struct name name;
    struct principals is;
    /* What Identity Center says of them, worked out by the world: the groups there that the policy
     * names, and their number plus one in the directory (0: nobody there). */
    struct principals idc;
    uint32_t aws_user;
    bool listed; /* found by listing the policy's groups: they may be shown as somebody to wait for
                  */
};

#define NOBODY UINT32_MAX

/* Who speaks on a socket, as the kernel tells (DESIGN.md 4, "Who is asking"). */
struct actor {
    uint32_t uid;
    uint32_t loginuid; /* NOBODY: unset */
    bool in_session;   /* inside the container of a sudo or su session */
};
