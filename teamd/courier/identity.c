#include "courier/identity.h"

#include "courier/json.h"
#include "courier/pages.h"

#include <errno.h>
#include <stdlib.h>

struct aws_place_op {
    struct aws_client *aws;
    aws_place_done done;
    void *ctx;
    struct aws_call *call;
    struct pages *pages;
    struct aws_place place;
    bool found, usable; /* an instance; one that is ours by the management account */
    uint32_t seen;
};

struct aws_place_op *aws_place_cancel(struct aws_place_op *op)
{
    if (!op)
        return NULL;
    aws_cancel(op->call);
    pages_cancel(op->pages);
    free(op);
    return NULL;
}

static void place_end(struct aws_place_op *op, const struct aws_failure *failure)
{
    struct aws_place_op last = *op; /* the caller may not cancel it any more */

    aws_place_cancel(op);
    last.done(last.ctx, &last.place, failure);
}

static void place_say(struct aws_place_op *op, enum aws_service service, const char *operation,
                      const char *why)
{
    struct aws_failure failure;

    failure_say(&failure, service, operation, AWS_GARBLED, why);
    place_end(op, &failure);
}

/* ---- the instance of Identity Center ----------------------------------------------------------
 */

/* The organisation's instance belongs to the management account. An instance of one account (those
 * know no permission sets) is taken only if there is no other. */
static void place_instances(void *ctx, const json_t *rows)
{
    struct aws_place_op *op = ctx;
    struct aws_place *p = &op->place;
    const json_t *row;
    size_t i;

    json_array_foreach(rows, i, row)
    {
        const char *arn = json_text_of(row, "InstanceArn");
        const char *store = json_text_of(row, "IdentityStoreId");
        bool ours = json_is_text(row, "OwnerAccountId", p->management);

        if (!aws_instance_fits(arn) || !aws_store_fits(store) || (op->usable && !ours) ||
            (op->usable && strcmp(arn, p->instance) == 0))
            continue;
        op->seen = ours && !op->usable ? 1 : op->seen + 1;
        op->found = true;
        op->usable = ours;
        json_copy_text(row, "InstanceArn", p->instance, sizeof p->instance);
        json_copy_text(row, "IdentityStoreId", p->store, sizeof p->store);
        p->primary_region[0] = '\0';
        json_copy_text(row, "PrimaryRegion", p->primary_region, sizeof p->primary_region);
    }
}

static void place_instances_end(void *ctx, const struct aws_failure *failure)
{
    struct aws_place_op *op = ctx;

    op->pages = NULL;
    if (failure)
        place_end(op, failure);
    else if (!op->found)
        place_say(op, AWS_SSO_ADMIN, "ListInstances",
                  "there is no instance of IAM Identity Center that this identity may see in "
                  "this region; look at aws.identity_center_region");
    else if (op->seen > 1)
        place_say(op, AWS_SSO_ADMIN, "ListInstances",
                  "there is more than one instance of IAM Identity Center, and none of them is the "
                  "organisation's alone");
    else
        place_end(op, NULL);
}

static int place_ask_instances(struct aws_place_op *op)
{
    struct pages_ask ask = {.service = AWS_SSO_ADMIN,
                            .operation = "ListInstances",
                            .member = "Instances",
                            .urgency = AWS_SOON,
                            .body = json_object()};
    struct pages_calls calls = {place_instances, place_instances_end, op};

    return pages_start(op->aws, &ask, &calls, &op->pages);
}

/* ---- the organisation ----------------------------------------------------------------------- */

static void place_organization(void *ctx, const struct aws_result *result)
{
    struct aws_place_op *op = ctx;
    struct aws_place *p = &op->place;
    struct aws_failure failure;
    const json_t *found;

    op->call = NULL;
    if (result->outcome != AWS_OK &&
        strcmp(result->code, "AWSOrganizationsNotInUseException") != 0) {
        failure_of_result(&failure, AWS_ORGANIZATIONS, "DescribeOrganization", result);
        place_end(op, &failure);
        return;
    }
    memcpy(p->management, p->account, sizeof p->management);
    if (result->outcome == AWS_OK) {
        found = json_object_get(result->answer, "Organization");
        if (!json_copy_text(found, "Id", p->organization, sizeof p->organization) ||
            !aws_account_fits(json_text_of(found, "MasterAccountId"))) {
            place_say(op, AWS_ORGANIZATIONS, "DescribeOrganization",
                      "it does not name the management account");
            return;
        }
        json_copy_text(found, "MasterAccountId", p->management, sizeof p->management);
    }
    p->delegated = strcmp(p->management, p->account) != 0;
    if (place_ask_instances(op) < 0)
        place_say(op, AWS_SSO_ADMIN, "ListInstances", "it could not be asked");
}

/* ---- who we are ----------------------------------------------------------------------------- */

static void place_identity(void *ctx, const struct aws_result *result)
{
    struct aws_place_op *op = ctx;
    struct aws_place *p = &op->place;
    struct aws_failure failure;
    struct aws_options options = {.urgency = AWS_SOON};

    op->call = NULL;
    if (result->outcome != AWS_OK) {
        failure_of_result(&failure, AWS_STS, "GetCallerIdentity", result);
        place_end(op, &failure);
        return;
    }
    if (!aws_account_fits(json_text_of(result->answer, "Account")) ||
        !aws_name_fits(json_text_of(result->answer, "Arn"), AWS_IDENTITY_CAP)) {
        place_say(op, AWS_STS, "GetCallerIdentity", "it does not say who we are");
        return;
    }
    json_copy_text(result->answer, "Account", p->account, sizeof p->account);
    json_copy_text(result->answer, "Arn", p->identity, sizeof p->identity);
    if (aws_call(op->aws, AWS_ORGANIZATIONS, "DescribeOrganization", json_object(), &options,
                 place_organization, op, &op->call) < 0)
        place_say(op, AWS_ORGANIZATIONS, "DescribeOrganization", "it could not be asked");
}

int aws_place_find(struct aws_client *aws, aws_place_done done, void *ctx,
                   struct aws_place_op **ret)
{
    struct aws_options options = {.urgency = AWS_SOON};
    struct aws_place_op *op = calloc(1, sizeof *op);
    int r;

    if (!op)
        return -ENOMEM;
    *op = (struct aws_place_op){.aws = aws, .done = done, .ctx = ctx};
    r = aws_call(aws, AWS_STS, "GetCallerIdentity", json_object(), &options, place_identity, op,
                 &op->call);
    if (r < 0) {
        aws_place_cancel(op);
        return r;
    }
    *ret = op;
    return 0;
}
