/* On which accounts is a permission set provisioned? */
#include "courier/directory.h"
#include "courier/pages.h"

#include <errno.h>
#include <stdlib.h>

struct provisioned_op {
    struct provisioned_calls calls;
    struct pages *pages;
    bool held, dropped; /* the caller is given rows; it cancelled meanwhile */
};

struct provisioned_op *provisioned_cancel(struct provisioned_op *op)
{
    if (!op)
        return NULL;
    if (op->held) {
        op->dropped = true;
        return NULL;
    }
    pages_cancel(op->pages);
    free(op);
    return NULL;
}

static void provisioned_rows(void *ctx, const json_t *rows)
{
    struct provisioned_op *op = ctx;
    const json_t *row;
    size_t i;

    op->held = true;
    json_array_foreach(rows, i, row)
    {
        const char *account = json_string_value(row);

        if (!op->dropped && account && aws_account_fits(account))
            op->calls.row(op->calls.ctx, account);
    }
    op->held = false;
    if (op->dropped)
        provisioned_cancel(op);
}

static void provisioned_end(void *ctx, const struct aws_failure *failure)
{
    struct provisioned_op *op = ctx;
    struct provisioned_calls calls = op->calls;

    op->pages = NULL;
    provisioned_cancel(op);
    calls.done(calls.ctx, failure);
}

int provisioned_list(struct aws_client *aws, const char *instance, const char *set,
                     const struct provisioned_calls *calls, struct provisioned_op **ret)
{
    struct provisioned_op *op = calloc(1, sizeof *op);
    struct pages_calls pages = {provisioned_rows, provisioned_end, op};
    struct pages_ask ask = {
        .service = AWS_SSO_ADMIN,
        .operation = "ListAccountsForProvisionedPermissionSet",
        .member = "AccountIds",
        .urgency = AWS_SOMETIME,
        .body = json_pack("{s:s, s:s, s:i}", "InstanceArn", instance, "PermissionSetArn", set,
                          "MaxResults", 100),
    };
    int r;

    if (!op) {
        json_decref(ask.body);
        return -ENOMEM;
    }
    op->calls = *calls;
    r = pages_start(aws, &ask, &pages, &op->pages);
    if (r < 0) {
        free(op);
        return r;
    }
    *ret = op;
    return 0;
}
