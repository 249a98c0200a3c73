/* What AWS has, from the pieces in which team-courier says it (proto.h, TEAM_OP_READ), or in which
 * the store kept it. Strict: the courier is the program that reads what comes from the internet. A
 * piece with anything in it that cannot be makes the whole worthless. */
#pragma once

#include "core/directory.h"

#include <team/wire.h>

/* The most that is taken: more is refused, and what was known before counts on. */
enum {
    ROLL_UNITS_MAX = 16384,
    ROLL_ACCOUNTS_MAX = 65536,
    ROLL_SETS_MAX = 4096,
    ROLL_USERS_MAX = 262144,
    ROLL_GROUPS_MAX = 65536,
    ROLL_MEMBERS_MAX = 2 * 1024 * 1024,
    ROLL_TEXTS_MAX = 64 * 1024 * 1024,
};

struct roll; /* under construction */

/* NULL: no memory. */
struct roll *roll_new(void);
struct roll *roll_free(struct roll *r); /* NULL is fine; returns NULL */

/* Adds the rows of a piece. -EBADMSG: there is something in it that cannot be. -E2BIG: too much.
 * -ENOMEM. After an error only roll_free() is allowed. */
int roll_add(struct roll *r, struct wire_span fields);

/* Sorts it, and makes a directory of it that is the caller's; `r` is freed either way. -EBADMSG: it
 * has no org, or one account, set, user or group twice. */
int roll_finish(struct roll *r, struct wall as_of, struct directory **ret);
struct directory *roll_free_directory(struct directory *d); /* NULL is fine; returns NULL */
