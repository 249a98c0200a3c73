/* A queue of account assignments before an AWS that follows a script, and what is seen of it. */
#pragma once

#include "aws/fake_aws.h"

#include "courier/assignment_queue.h"

#define SET_ARN  "arn:aws:sso:::permissionSet/ssoins-1111222233334444/ps-0000000000000001"
#define INSTANCE "arn:aws:sso:::instance/ssoins-1111222233334444"
#define NUMBER   "11111111-2222-3333-4444-555555555555"
#define ROW(kind, who)                                                                    \
    "{'AccountId':'111122223333','PermissionSetArn':'" SET_ARN "','PrincipalType':'" kind \
    "','PrincipalId':'" who "'}"
#define CREATED(status, more) \
    "{'AccountAssignmentCreationStatus':{'Status':'" status "','RequestId':'" NUMBER "'" more "}}"
#define DELETED(status, more) \
    "{'AccountAssignmentDeletionStatus':{'Status':'" status "','RequestId':'" NUMBER "'" more "}}"
#define BODY                                                                              \
    "{'InstanceArn':'" INSTANCE "','TargetId':'111122223333','TargetType':'AWS_ACCOUNT'," \
    "'PermissionSetArn':'" SET_ARN "','PrincipalType':'USER','PrincipalId':'a-1'}"
#define PAIR \
    "{'InstanceArn':'" INSTANCE "','AccountId':'111122223333','PermissionSetArn':'" SET_ARN "'}"

#define CREATE(answer)                          \
    {                                           \
        "CreateAccountAssignment", BODY, answer \
    }
#define DELETE(answer)                          \
    {                                           \
        "DeleteAccountAssignment", BODY, answer \
    }
#define LIST(answer)                           \
    {                                          \
        "ListAccountAssignments", PAIR, answer \
    }
#define CREATION(answer)                                                  \
    {                                                                     \
        "DescribeAccountAssignmentCreationStatus",                        \
            "{'AccountAssignmentCreationRequestId':'" NUMBER "'}", answer \
    }
#define DELETION(answer)                                                  \
    {                                                                     \
        "DescribeAccountAssignmentDeletionStatus",                        \
            "{'AccountAssignmentDeletionRequestId':'" NUMBER "'}", answer \
    }
#define OTHERS(answer)                                                                       \
    {                                                                                        \
        "ListAccountAssignmentCreationStatus", "{'Filter':{'Status':'IN_PROGRESS'}}", answer \
    }
#define NOBODY_ELSE OTHERS("{'AccountAssignmentsCreationStatus':[]}")
#define NO_ROWS     LIST("{'AccountAssignments':[]}")
#define OURS                                                  \
    ",'TargetId':'111122223333','PermissionSetArn':'" SET_ARN \
    "','PrincipalType':'USER','PrincipalId':'a-1'"

static struct assignments *queue;

struct seen {
    bool done;
    enum assignment_outcome outcome;
    enum assignment_why why;
    char text[WORDS_CAP];
    enum assignment_why waits[8];
    unsigned n_waits, n_rows;
    char rows[8][AWS_PRINCIPAL_CAP + 2];
    struct assignment_op *op;
    unsigned order;
};

static unsigned ended;

static void on_done(void *ctx, const struct assignment_result *result)
{
    struct seen *s = ctx;

    assert_false(s->done);
    s->done = true;
    s->outcome = result->outcome;
    s->why = result->why;
    s->order = ++ended;
    snprintf(s->text, sizeof s->text, "%s", result->text);
}

static void on_waits(void *ctx, enum assignment_why why, const char *text)
{
    struct seen *s = ctx;

    assert_true(text[0]);
    if (s->n_waits < 8)
        s->waits[s->n_waits++] = why;
}

static void on_row(void *ctx, const struct assignment *a)
{
    struct seen *s = ctx;

    if (s->n_rows < 8)
        snprintf(s->rows[s->n_rows], sizeof s->rows[0], "%c%s", a->kind == AWS_GROUP ? '@' : ' ',
                 a->principal);
    s->n_rows++;
}

static struct assignment assignment(const char *principal)
{
    struct assignment a = {.account = "111122223333", .set = SET_ARN, .kind = AWS_USER};

    snprintf(a.principal, sizeof a.principal, "%s", principal);
    return a;
}

static void start(struct seen *s, enum assignment_step step, const char *principal)
{
    struct assignment a = assignment(principal);
    struct assignment_calls calls = {on_done, on_waits, on_row, s};

    assert_int_equal(assignment_start(queue, step, &a, &calls, &s->op), 0);
}

static void begin(const struct fake_line *script)
{
    ended = 0;
    fake_begin(script);
    assert_int_equal(assignments_new(fake_loop, NULL, INSTANCE, &queue), 0);
}

static void end(void)
{
    struct assignments_status status;

    assignments_status(queue, &status);
    assert_int_equal(status.waiting, 0);
    assert_int_equal(status.changing, 0);
    queue = assignments_free(queue);
    fake_end();
}
