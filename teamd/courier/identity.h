/* Who we are for AWS, and where its Identity Center is. */
#pragma once

#include "courier/aws.h"
#include "courier/failure.h"
#include "courier/names.h"

/* What stays the same as long as credentials and organisation do. */
struct aws_place {
    char account[AWS_ACCOUNT_CAP];    /* ours */
    char identity[AWS_IDENTITY_CAP];  /* the ARN that we act as (sts GetCallerIdentity) */
    char organization[AWS_UNIT_CAP];  /* o-...; "" if the account is in none */
    char management[AWS_ACCOUNT_CAP]; /* the management account; ours if there is no organisation */
    char instance[AWS_INSTANCE_CAP];  /* of Identity Center */
    char store[AWS_STORE_CAP];        /* its Identity Store */
    char primary_region[AWS_REGION_CAP]; /* where it can be written to; "" if AWS does not say */
    /* We are not the management account: Identity Center then lets nobody touch assignments in the
     * management account, nor permission sets that are provisioned there. */
    bool delegated;
};

/* `failure` is NULL if all went well, and `place` then whole; otherwise `place` has what was
 * learned until then (the identity, mostly). Both live until the callback returns. */
typedef void (*aws_place_done)(void *ctx, const struct aws_place *place,
                               const struct aws_failure *failure);

struct aws_place_op;

/* Asks GetCallerIdentity, DescribeOrganization and ListInstances. Where several instances are
 * seen, that of the organisation is taken: the one which the management account owns. -ENOMEM,
 * -EAGAIN; otherwise `done` is called once, from the loop. */
int aws_place_find(struct aws_client *aws, aws_place_done done, void *ctx,
                   struct aws_place_op **ret);

/* `done` is not called any more. Returns NULL; NULL is fine. */
struct aws_place_op *aws_place_cancel(struct aws_place_op *op);
