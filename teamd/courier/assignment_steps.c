/* What the steps ask of AWS, call by call, and what they make of the answers. */
#include "courier/assignment_queue.h"

#include "courier/json.h"
#include "team/text.h"

#include <stdlib.h>

/* AWS says within seconds; the first ask comes soon, because a person waits. */
enum { FIRST_LOOK_MS = 500, NEXT_LOOK_MS = 1000, LATE_LOOK_MS = 10000, SETTLE_MS = 2000 };
#define DRAGS_US (120 * SECOND_US)

static void create_done(void *ctx, const struct aws_result *result);
static void delete_done(void *ctx, const struct aws_result *result);
static void status_done(void *ctx, const struct aws_result *result);
static void other_done(void *ctx, const struct aws_result *result);
static void remove_look(struct assignment_op *op);
static void remove_others(struct assignment_op *op);

void op_stop(struct assignment_op *op)
{
    op->call = aws_cancel(op->call);
    op->pages = pages_cancel(op->pages);
    json_decref(op->others);
    op->others = NULL;
}

/* False: it could not be sent, and op pauses. */
static bool op_call(struct assignment_op *op, const char *operation, json_t *body, aws_done done)
{
    struct aws_options options = {.urgency = AWS_SOON};

    if (aws_call(op->all->aws, AWS_SSO_ADMIN, operation, body, &options, done, op, &op->call) >= 0)
        return true;
    op_pause(op, ASSIGNMENT_SLOW, "team-courier has too many calls to AWS under way");
    return false;
}

static void op_list(struct assignment_op *op, const char *operation, const char *member,
                    json_t *body, const struct pages_calls *calls)
{
    struct pages_ask ask = {
        .service = AWS_SSO_ADMIN,
        .operation = operation,
        .member = member,
        .urgency = op->step == ASSIGNMENT_LIST ? AWS_SOMETIME : AWS_SOON,
        .body = body,
    };

    if (pages_start(op->all->aws, &ask, calls, &op->pages) < 0)
        op_pause(op, ASSIGNMENT_SLOW, "team-courier has too many calls to AWS under way");
}

/* The six parameters of creating and deleting. */
static json_t *op_body(const struct assignment_op *op)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "InstanceArn", op->all->instance, "TargetId",
                     op->what.account, "TargetType", "AWS_ACCOUNT", "PermissionSetArn",
                     op->what.set, "PrincipalType", op->what.kind == AWS_GROUP ? "GROUP" : "USER",
                     "PrincipalId", op->what.principal);
}

static bool is_ours(const struct assignment_op *op, const json_t *row)
{
    return json_is_text(row, "PrincipalId", op->what.principal) &&
           json_is_text(row, "PrincipalType", op->what.kind == AWS_GROUP ? "GROUP" : "USER");
}

/* What cannot be had ends a grant or a look. A removal goes on for ever. */
static void op_refused(struct assignment_op *op, enum assignment_why why, const char *text)
{
    if (op->step == ASSIGNMENT_REMOVE || words_may_pass(why))
        op_pause(op, why, text);
    else
        op_end(op, ASSIGNMENT_FAILED, why, text);
}

static int work_again(sd_event_source *source, uint64_t at, void *ctx)
{
    (void)source;
    (void)at;
    op_work(ctx);
    return 0;
}

/* ---- LOOK_UP and LIST: who has the set on the account? -------------------------------------- */

static void look_rows(void *ctx, const json_t *rows)
{
    struct assignment_op *op = ctx;
    const json_t *row;
    size_t i;

    json_array_foreach(rows, i, row) op->found = op->found || is_ours(op, row);
}

static void list_row(struct assignment_op *op, const json_t *row)
{
    struct assignment a = op->what;

    a.kind = json_is_text(row, "PrincipalType", "GROUP") ? AWS_GROUP : AWS_USER;
    if (aws_principal_fits(json_text_of(row, "PrincipalId")) &&
        json_copy_text(row, "PrincipalId", a.principal, sizeof a.principal))
        op->calls.row(op->calls.ctx, &a);
}

static void list_rows(void *ctx, const json_t *rows)
{
    struct assignment_op *op = ctx;
    const json_t *row;
    size_t i;

    op->held = true;
    json_array_foreach(rows, i, row) if (!op->dropped) list_row(op, row);
    op->held = false;
    if (op->dropped)
        op_end(op, ASSIGNMENT_LISTED, ASSIGNMENT_FINE, "");
}

static void look_end(void *ctx, const struct aws_failure *failure)
{
    struct assignment_op *op = ctx;
    char text[WORDS_CAP];

    op->pages = NULL;
    if (failure)
        op_refused(op, words_of_failure(failure, text), text);
    else if (op->step == ASSIGNMENT_LIST)
        op_end(op, ASSIGNMENT_LISTED, ASSIGNMENT_FINE, "");
    else if (!op->found)
        op_end(op, ASSIGNMENT_NOT_THERE, ASSIGNMENT_FINE, "");
    else if (op->twice)
        op_end(op, ASSIGNMENT_THERE, ASSIGNMENT_FINE, "");
    else {
        /* What was there before will never be removed: it is not that which was removed just now
         * and is still listed somewhere. */
        op->twice = true;
        op_after(op, SETTLE_MS, work_again);
    }
}

static void look(struct assignment_op *op, const struct pages_calls *calls)
{
    op->found = false;
    op_list(op, "ListAccountAssignments", "AccountAssignments",
            json_pack("{s:s, s:s, s:s, s:i}", "InstanceArn", op->all->instance, "AccountId",
                      op->what.account, "PermissionSetArn", op->what.set, "MaxResults", 100),
            calls);
}

/* ---- AWS works: asking how far it is -------------------------------------------------------- */

static const struct words {
    const char *change, *status, *answer, *number;
    aws_done done;
} CREATE = {"CreateAccountAssignment", "DescribeAccountAssignmentCreationStatus",
            "AccountAssignmentCreationStatus", "AccountAssignmentCreationRequestId", create_done},
  DELETE = {"DeleteAccountAssignment", "DescribeAccountAssignmentDeletionStatus",
            "AccountAssignmentDeletionStatus", "AccountAssignmentDeletionRequestId", delete_done};

static const struct words *words_of(const struct assignment_op *op)
{
    return op->step == ASSIGNMENT_GRANT ? &CREATE : &DELETE;
}

static void ask_status(struct assignment_op *op, const struct words *w, const char *request,
                       aws_done done)
{
    op_call(op, w->status,
            json_pack("{s:s, s:s}", "InstanceArn", op->all->instance, w->number, request), done);
}

static int status_ask(sd_event_source *source, uint64_t at, void *ctx)
{
    struct assignment_op *op = ctx;

    (void)source;
    (void)at;
    ask_status(op, words_of(op), op->request, status_done);
    return 0;
}

static void change_failed(struct assignment_op *op, const json_t *status)
{
    char text[WORDS_CAP];
    enum assignment_why why = words_of_reason(json_text_of(status, "FailureReason"), text);

    /* A removal of what somebody else has removed, or of nobody's, may be done after all. */
    if (op->step == ASSIGNMENT_REMOVE && !words_may_pass(why)) {
        text_make_plain(op->reason, sizeof op->reason, text, strlen(text));
        remove_look(op);
    } else {
        op_refused(op, why, text);
    }
}

static void change_goes_on(struct assignment_op *op, const json_t *status)
{
    bool first = op->request[0] == '\0', drags;

    if (first)
        op->since_us = op_clock();
    json_copy_text(status, "RequestId", op->request, sizeof op->request);
    drags = op_clock() - op->since_us > DRAGS_US;
    if (op_after(op,
                 first   ? FIRST_LOOK_MS
                 : drags ? LATE_LOOK_MS
                         : NEXT_LOOK_MS,
                 status_ask) &&
        drags)
        op_drags(op);
}

static void change_status(struct assignment_op *op, const json_t *answer)
{
    const json_t *status = json_object_get(answer, words_of(op)->answer);
    bool granted = op->step == ASSIGNMENT_GRANT;

    if (json_is_text(status, "Status", "SUCCEEDED"))
        op_end(op, granted ? ASSIGNMENT_GRANTED : ASSIGNMENT_GONE, ASSIGNMENT_FINE, "");
    else if (json_is_text(status, "Status", "FAILED"))
        change_failed(op, status);
    else if (!json_is_text(status, "Status", "IN_PROGRESS") ||
             !aws_request_fits(json_text_of(status, "RequestId")))
        op_pause(op, ASSIGNMENT_SLOW, "AWS answered what cannot be used");
    else
        change_goes_on(op, status);
}

static void status_done(void *ctx, const struct aws_result *result)
{
    struct assignment_op *op = ctx;
    char text[WORDS_CAP];
    enum assignment_why why;

    op->call = NULL;
    if (result->outcome == AWS_OK) {
        change_status(op, result->answer);
        return;
    }
    why = words_of_result(result, text);
    if (why == ASSIGNMENT_NO_SUCH) /* AWS forgot about it: begin again, which harms nothing */
        op_pause(op, ASSIGNMENT_SLOW, text);
    else
        op_refused(op, why, text);
}

/* ---- GRANT and REMOVE ----------------------------------------------------------------------- */

static void change(struct assignment_op *op)
{
    op->request[0] = '\0';
    if (op_call(op, words_of(op)->change, op_body(op), words_of(op)->done))
        op->held = true;
}

/* True: nobody wants to know any more, and op is gone. */
static bool change_came_back(struct assignment_op *op)
{
    op->call = NULL;
    op->held = false;
    if (!op->dropped)
        return false;
    op_end(op, ASSIGNMENT_FAILED, ASSIGNMENT_OTHER, "");
    return true;
}

static void create_done(void *ctx, const struct aws_result *result)
{
    struct assignment_op *op = ctx;
    char text[WORDS_CAP];

    if (change_came_back(op))
        return;
    if (result->outcome == AWS_OK)
        change_status(op, result->answer);
    else
        op_refused(op, words_of_result(result, text), text);
}

static void delete_done(void *ctx, const struct aws_result *result)
{
    struct assignment_op *op = ctx;
    char text[WORDS_CAP];
    enum assignment_why why;

    if (change_came_back(op))
        return;
    if (result->outcome == AWS_OK) {
        change_status(op, result->answer);
        return;
    }
    why = words_of_result(result, text);
    if (why == ASSIGNMENT_NO_SUCH)
        remove_others(op);
    else
        op_pause(op, why, text);
}

/* ---- REMOVE: nothing is there, but is it on its way?
 * ------------------------------------------------------
 *
 * A GRANT may have been killed between its call and our memory of it. AWS lists the numbers of the
 * creations that it works on, ten or so, and tells of each what it is about. After them the
 * assignments are looked through, and the whole is done a second time a little later: what was done
 * last is not seen everywhere at once. */

enum { OTHERS_MAX = 1000, PATIENCE = 6 /* tries, about 45 s */ };

static void others_rows(void *ctx, const json_t *rows)
{
    struct assignment_op *op = ctx;
    json_t *row;
    size_t i;

    json_array_foreach(rows, i, row)
    {
        json_t *number = json_object_get(row, "RequestId");

        if (aws_request_fits(json_text_of(row, "RequestId")) &&
            json_array_size(op->others) < OTHERS_MAX)
            op->forgot |= json_array_append(op->others, number) < 0;
    }
}

static void others_next(struct assignment_op *op)
{
    const json_t *number = json_array_get(op->others, op->n_other);

    if (number)
        ask_status(op, &CREATE, json_string_value(number), other_done);
    else
        remove_look(op);
}

static void others_end(void *ctx, const struct aws_failure *failure)
{
    struct assignment_op *op = ctx;
    char text[WORDS_CAP];
    enum assignment_why why = failure ? words_of_failure(failure, text) : ASSIGNMENT_FINE;

    op->pages = NULL;
    if (op->forgot)
        op_pause(op, ASSIGNMENT_SLOW, "team-courier is out of memory");
    else if (why == ASSIGNMENT_FINE)
        others_next(op);
    else if (why == ASSIGNMENT_DENIED || (failure->outcome == AWS_BROKEN && op->tries >= PATIENCE))
        remove_look(op); /* by now everything that was under way can be seen there */
    else
        op_pause(op, why, text);
}

static void remove_others(struct assignment_op *op)
{
    struct pages_calls calls = {others_rows, others_end, op};

    json_decref(op->others);
    op->others = json_array();
    op->n_other = 0;
    op->forgot = false;
    op_list(op, "ListAccountAssignmentCreationStatus", "AccountAssignmentsCreationStatus",
            json_pack("{s:s, s:i, s:{s:s}}", "InstanceArn", op->all->instance, "MaxResults", 100,
                      "Filter", "Status", "IN_PROGRESS"),
            &calls);
}

static void other_done(void *ctx, const struct aws_result *result)
{
    struct assignment_op *op = ctx;
    char text[WORDS_CAP];
    enum assignment_why why;
    const json_t *status;

    op->call = NULL;
    status = json_object_get(result->answer, CREATE.answer);
    why = result->outcome == AWS_OK ? ASSIGNMENT_FINE : words_of_result(result, text);
    if (why != ASSIGNMENT_FINE && why != ASSIGNMENT_NO_SUCH) {
        op_pause(op, why, text);
    } else if (why == ASSIGNMENT_FINE && is_ours(op, status) &&
               json_is_text(status, "TargetId", op->what.account) &&
               json_is_text(status, "PermissionSetArn", op->what.set)) {
        op->twice = false;
        op_after(op, NEXT_LOOK_MS, work_again);
    } else {
        op->n_other++;
        others_next(op);
    }
}

static void remove_look_end(void *ctx, const struct aws_failure *failure)
{
    struct assignment_op *op = ctx;
    char text[WORDS_CAP];
    enum assignment_why why = failure ? words_of_failure(failure, text) : ASSIGNMENT_FINE;

    op->pages = NULL;
    if (why != ASSIGNMENT_FINE && why != ASSIGNMENT_NO_SUCH) {
        op_pause(op, why, text);
    } else if (op->found) {
        op->twice = false;
        op_pause(op, ASSIGNMENT_OTHER, op->reason[0] ? op->reason : "AWS has not deleted it yet");
    } else if (op->twice) {
        op_end(op, ASSIGNMENT_GONE, ASSIGNMENT_FINE, "");
    } else {
        op->twice = true;
        op_after(op, SETTLE_MS, work_again);
    }
}

static void remove_look(struct assignment_op *op)
{
    struct pages_calls calls = {look_rows, remove_look_end, op};

    look(op, &calls);
}

/* ---- the beginning -------------------------------------------------------------------------- */

void op_work(struct assignment_op *op)
{
    struct pages_calls look_up = {look_rows, look_end, op}, list = {list_rows, look_end, op};

    switch (op->step) {
    case ASSIGNMENT_LOOK_UP:
        look(op, &look_up);
        break;
    case ASSIGNMENT_LIST:
        look(op, &list);
        break;
    case ASSIGNMENT_GRANT:
    case ASSIGNMENT_REMOVE:
        change(op);
        break;
    }
}
