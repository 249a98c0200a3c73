/* What the identity of team-courier has to be allowed: one table, of which the policy for it is
 * made (team-courier --policy, team-courier(8)), and what is tried by team-courier --check. */
#pragma once

#include "courier/activity_source.h"

#include <stdio.h>

/* What a call is about: members of its body that have to be known. */
enum permission_about {
    ABOUT_INSTANCE = 1 << 0,
    ABOUT_SET = 1 << 1,
    ABOUT_ACCOUNT = 1 << 2,
    ABOUT_UNIT = 1 << 3,
    ABOUT_STORE = 1 << 4,
    ABOUT_GROUP = 1 << 5,
    ABOUT_CREATION = 1 << 6, /* an assignment being made, or */
    ABOUT_DELETION = 1 << 7, /* removed: one that there never was */
};

struct permission {
    enum aws_service service;
    const char *operation;
    unsigned about; /* bit set */
    bool changes;   /* something in AWS, so it cannot be tried */
};

/* In this order, what is learned of one is enough for those that follow. */
extern const struct permission PERMISSIONS[];
extern const size_t N_PERMISSIONS;

/* "sso:ListInstances", as IAM calls it. */
enum { PERMISSION_CAP = 80 };
void permission_name(const struct permission *p, char out[PERMISSION_CAP]);

/* The smallest policy that is enough, as IAM reads it. */
void permissions_print(FILE *to);

/* The same for who reads a source of activity of this kind. */
void permissions_print_activity(FILE *to, enum activity_kind kind);
