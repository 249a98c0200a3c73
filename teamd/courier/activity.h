/* What was done with AWS access, as CloudTrail has recorded it: one event, read, and whether it
 * belongs to an elevation. CloudTrail's own filters take bob for bobby and Admin for
 * AdministratorAccess, so they only make the pile smaller; what counts is decided here.
 *
 * Where the forms come from: CloudTrail User Guide, "CloudTrail record contents" and "CloudTrail
 * userIdentity element"; IAM Identity Center User Guide, "Referencing permission sets in resource
 * policies" (the names of its roles). */
#pragma once

#include "core/value.h"
#include "courier/names.h"

#include <jansson.h>

enum {
    ACTIVITY_ID_CAP = 65,     /* a UUID */
    ACTIVITY_WORD_CAP = 129,  /* names of events and services, codes of errors */
    ACTIVITY_REGION_CAP = 33, /* us-gov-west-1 */
    ACTIVITY_TEXT_CAP = 513,  /* an address, a resource */
    ACTIVITY_ROLE_CAP = 65,   /* IAM: a role's name has at most 64 characters */
    ACTIVITY_USER_CAP = 129,  /* Identity Center: a user's name has at most 128 */
};

/* Texts are plain, and "" where the record has none. */
struct activity_event {
    char id[ACTIVITY_ID_CAP];
    struct wall at;
    char name[ACTIVITY_WORD_CAP];   /* RunInstances */
    char source[ACTIVITY_WORD_CAP]; /* ec2.amazonaws.com */
    char region[ACTIVITY_REGION_CAP];
    char address[ACTIVITY_TEXT_CAP];  /* where it came from: an address, or AWS itself */
    char resource[ACTIVITY_TEXT_CAP]; /* what it was done to, as well as it can be told */
    char error[ACTIVITY_WORD_CAP];    /* AccessDenied */
    bool read_only;

    char account[AWS_ACCOUNT_CAP]; /* whose resources they are */
    char role[ACTIVITY_ROLE_CAP];  /* that was assumed; "": none */
    char user[ACTIVITY_USER_CAP];  /* the name of the role's session: how Identity Center calls the
                                      person */
    char user_id[AWS_PRINCIPAL_CAP]; /* the person's id in Identity Center, where AWS tells it */
    /* Identity Center's own event: these credentials were fetched. */
    char fetched_account[AWS_ACCOUNT_CAP], fetched_set[AWS_SET_NAME_CAP];
};

/* Reads a CloudTrail record. False if it is none: no id, no time, no name. What is longer than its
 * place is cut at the end of a character; an account, a role or a user is left out instead, because
 * a part of one would be another's name. */
bool activity_read(const json_t *record, struct activity_event *ret);

/* Whose activity, where and when. Texts are the caller's. */
struct activity_scope {
    const char *account;
    const char *set;     /* the permission set's name */
    const char *user;    /* user name in Identity Center */
    const char *user_id; /* and id */
    struct wall from;    /* activation */
    struct wall until;   /* when the last credentials have died */
};

/* Is this event the person's, by this permission set in this account, in that time? Names of people
 * differ by more than case in Identity Center; names of permission sets do not have to. */
bool activity_fits(const struct activity_event *e, const struct activity_scope *s);
