/* What AWS has, as far as policies and people ask for it: the accounts of the organisation in their
 * tree, the permission sets, users and groups of Identity Center, and who is in which group. A view
 * of sorted arrays that the caller provides and keeps, as the policy is: immutable, and swapped as
 * a whole. Everything is found by bisection: 2,000 accounts and 20,000 users take microseconds. */
#pragma once

#include "core/value.h"

#include <team/text.h>

enum {
    ACCOUNT_CAP = 13,    /* 12 digits */
    SET_ARN_CAP = 128,   /* arn:aws:sso:::permissionSet/ssoins-.../ps-... */
    PRINCIPAL_CAP = 48,  /* a user or group of Identity Center */
    UNIT_DEPTH_MAX = 16, /* of an account's place in the tree; AWS has a root and five levels */
};

/* Names and ids are places in `texts`. */
struct dir_unit {
    uint32_t id, name;
    uint32_t parent; /* plus one; 0: a root */
};

struct dir_account {
    char id[ACCOUNT_CAP];
    bool suspended; /* closed and not yet open, too */
    uint32_t name;
    uint32_t unit; /* plus one; 0: nobody knows where */
};

struct dir_set {
    uint32_t arn, name;
    uint32_t session_s; /* how long credentials live on */
    bool managed;       /* provisioned to the management account */
};

struct dir_user {
    uint32_t id, name;
};

struct dir_group {
    uint32_t id, name;
    uint32_t n_members;
};

struct directory {
    struct wall as_of;            /* when AWS was asked for it */
    char own[ACCOUNT_CAP];        /* the account that we act from */
    char management[ACCOUNT_CAP]; /* of the organisation */
    uint32_t identity, instance;  /* the ARNs that we act as, and of Identity Center */
    uint32_t region;              /* of Identity Center; 0: not known */
    const char *texts;
    const struct dir_unit *units;
    const struct dir_account *accounts; /* by id */
    const uint32_t *accounts_by_name;   /* numbers of accounts */
    const struct dir_set *sets;         /* by name */
    const struct dir_user *users;       /* by name */
    const struct dir_group *groups;     /* by name */
    const uint64_t *members;            /* user << 32 | group, ascending */
    uint32_t n_units, n_accounts, n_sets, n_users, n_groups, n_members;
};

static inline const char *dir_text(const struct directory *d, uint32_t at)
{
    return d->texts + at;
}

/* NULL if there is none. `d` may be NULL: then there is nothing. */
const struct dir_account *directory_account(const struct directory *d, const char *id);
const struct dir_set *directory_set(const struct directory *d, const char *name);

/* Its number plus one, 0 if there is none, or more than one of the name. */
uint32_t directory_user(const struct directory *d, const char *name);
uint32_t directory_group(const struct directory *d, const char *name);

/* By such numbers. */
bool directory_member(const struct directory *d, uint32_t user, uint32_t group);
/* The next member of a group, as directory_user(), from *at on; 0: that was the last. */
uint32_t directory_each_member(const struct directory *d, uint32_t group, uint32_t *at);
uint32_t directory_members(const struct directory *d, uint32_t group, uint32_t but_user);

/* Is the account somewhere below this OU or root (ou-..., r-...)? */
bool directory_below(const struct directory *d, const char *account, const char *unit);

/* "Root/Workloads/Prod": where the account is. */
void directory_put_path(const struct directory *d, const struct dir_account *a, struct text *t);

/* Reads what target_parse() reads, and accounts by their names: aws:prod/Admin. The name is all
 * that stands before the last slash. Says what is wrong in `why`. */
enum { WHY_CAP = 240 };
enum target_error directory_parse(const struct directory *d, const char *s, size_t n,
                                  const char *this_host, struct target *ret,
                                  char why[static WHY_CAP]);

/* Can the target be had at all, whoever asks? */
enum aws_standing {
    AWS_FINE = 0,
    AWS_UNREAD = 1, /* there is no directory yet */
    AWS_NO_ACCOUNT = 2,
    AWS_NO_SET = 3,
    AWS_SUSPENDED = 4,
    AWS_MANAGEMENT = 5, /* a delegated administrator may not touch the management account, */
    AWS_MANAGED = 6,    /* nor the sets that are in use there */
};

/* Host targets are fine. */
enum aws_standing directory_standing(const struct directory *d, const struct target *t);
void text_put_standing(struct text *to, const struct target *t, enum aws_standing standing);
