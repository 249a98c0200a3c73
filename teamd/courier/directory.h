/* The directory of AWS as policies need it: the organisation's accounts in their tree, permission
 * sets, the people and groups of Identity Center. Read part by part, in rows, and not kept in here:
 * memory is bounded by the number of accounts and units, not of people.
 *
 * A part is whole or not: its rows count when `part` says that it is complete, and what has no row
 * then is not there any more. A part that failed says nothing. */
#pragma once

#include "courier/aws.h"
#include "courier/failure.h"
#include "courier/identity.h"
#include "courier/names.h"

enum directory_part {
    DIRECTORY_ACCOUNTS = 1 << 0, /* rows: UNIT, ACCOUNT */
    DIRECTORY_SETS = 1 << 1,     /* rows: SET */
    DIRECTORY_USERS = 1 << 2,    /* rows: USER */
    DIRECTORY_GROUPS = 1 << 3,   /* rows: GROUP, and MEMBER of the groups that are wanted */
    DIRECTORY_ALL = 15,
};

enum {
    DIRECTORY_ACCOUNTS_MAX = 65536,
    DIRECTORY_UNITS_MAX = 16384,
    DIRECTORY_GROUPS_MAX = 65536, /* whose members are asked for */
};

enum directory_kind {
    DIRECTORY_UNIT = 1,
    DIRECTORY_ACCOUNT = 2,
    DIRECTORY_SET = 3,
    DIRECTORY_USER = 4,
    DIRECTORY_GROUP = 5,
    DIRECTORY_MEMBER = 6,
};

enum aws_account_state {
    AWS_ACCOUNT_ACTIVE = 1,
    AWS_ACCOUNT_SUSPENDED = 2, /* suspended, closed, being closed, not yet opened */
};

enum directory_managed { /* is the set provisioned to the management account? */
                         DIRECTORY_NOT_MANAGED = 0,
                         DIRECTORY_MANAGED = 1,
                         DIRECTORY_MANAGED_UNKNOWN =
                             2, /* we may not ask: AWS will say no itself where it matters */
};

/* Parents come before children; the same row may come twice. Texts live until the callback returns.
 * Names are plain text; an account or a unit whose name is none has the name "", a person or a
 * group is left out then. */
struct directory_row {
    enum directory_kind kind;
    const char *id;     /* ou-... or r-..., account, ARN of the set, id of the user or group;
                           MEMBER: of the group */
    const char *name;   /* user: the user name. MEMBER: "" */
    const char *parent; /* UNIT ("" of a root), ACCOUNT: id of the unit. MEMBER: id of the user */
    enum aws_account_state state; /* ACCOUNT */
    int64_t session_s;            /* SET: how long credentials live; an hour if AWS does not say */
    enum directory_managed managed; /* SET */
    bool unchanged; /* SET that was `known`: name and session_s were not asked, "" and 0 */
};

struct directory_calls {
    void (*row)(void *ctx, const struct directory_row *row);
    /* The part is complete (failure NULL), or failed. `left_out` counts what had no id or name that
     * we could use. */
    void (*part)(void *ctx, enum directory_part part, const struct aws_failure *failure,
                 uint32_t left_out);
    /* After the last part, once. */
    void (*done)(void *ctx);
    /* Is the description of this set new enough? Each costs a call, and AWS has no list of what has
     * changed. NULL: none is. */
    bool (*known)(void *ctx, const char *set);
    /* Are the members of this group needed? Each group costs a call. NULL: all are. */
    bool (*wanted)(void *ctx, const char *group, const char *name);
    void *ctx;
};

struct directory_sync;

/* Reads the parts, a bit set, one after the other. 0 and *ret, or -ENOMEM, -EINVAL, or -EAGAIN if
 * the client has no room. Callbacks come from the loop, never from inside. Within the client's
 * limits of rate, at AWS_SOMETIME. */
int directory_sync(struct aws_client *aws, const struct aws_place *place, unsigned parts,
                   const struct directory_calls *calls, struct directory_sync **ret);

/* Nobody is called any more. Returns NULL; NULL is fine. Allowed in all callbacks; to be called
 * after `done`, too. */
struct directory_sync *directory_sync_free(struct directory_sync *s);

/* ---- where sets are in use ------------------------------------------------------------------ */

struct provisioned_calls {
    void (*row)(void *ctx, const char *account);
    void (*done)(void *ctx, const struct aws_failure *failure); /* NULL: all rows were there */
    void *ctx;
};

struct provisioned_op;

/* On which accounts is the permission set provisioned? Assignments of it are nowhere else, so this
 * is what has to be listed (ASSIGNMENT_LIST) to find drift. */
int provisioned_list(struct aws_client *aws, const char *instance, const char *set,
                     const struct provisioned_calls *calls, struct provisioned_op **ret);
struct provisioned_op *provisioned_cancel(struct provisioned_op *op); /* not after `done` */
