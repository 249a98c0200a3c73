/* What AWS calls things, and how long such a name may be. Everything that comes from AWS is held
 * against these forms before it is used; what does not fit is left out and reported, never cut. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum {
    AWS_ACCOUNT_CAP = 13,    /* 12 digits */
    AWS_SET_ARN_CAP = 128,   /* arn:aws:sso:::permissionSet/ssoins-.../ps-...; 89 at most today */
    AWS_INSTANCE_CAP = 128,  /* arn:aws:sso:::instance/ssoins-... */
    AWS_STORE_CAP = 37,      /* d-1234567890, or a UUID */
    AWS_PRINCIPAL_CAP = 48,  /* of a user or a group: a UUID, or ten hex digits, "-" and a UUID */
    AWS_UNIT_CAP = 69,       /* ou-ab12-11111111, or a root: r-ab12 */
    AWS_REQUEST_CAP = 37,    /* of an assignment that AWS works on: a UUID */
    AWS_SET_NAME_CAP = 33,   /* AdministratorAccess */
    AWS_NAME_CAP = 4097,     /* of accounts, units, users and groups: 1024 characters at most */
    AWS_IDENTITY_CAP = 2049, /* arn:aws:sts::111122223333:assumed-role/courier/i-0123 */
};

bool aws_account_fits(const char *s);
bool aws_set_fits(const char *s);
bool aws_instance_fits(const char *s);
bool aws_store_fits(const char *s);
bool aws_principal_fits(const char *s);
bool aws_request_fits(const char *s);
bool aws_unit_fits(const char *s); /* ou-... or r-... */

/* Plain text (team/text.h), 1 to `cap` - 1 bytes. */
bool aws_name_fits(const char *s, size_t cap);
