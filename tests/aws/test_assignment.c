/* Account assignments: what is asked of AWS in which order, and what its answers are taken for. */
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

/* ---- one step, one story -------------------------------------------------------------------- */

static const struct {
    const char *says;
    enum assignment_step step;
    enum assignment_outcome outcome;
    enum assignment_why why;   /* of FAILED */
    enum assignment_why waits; /* the first reason to wait, if any */
    struct fake_line script[24];
} CASES[] = {
    {"nobody has the set there", ASSIGNMENT_LOOK_UP, ASSIGNMENT_NOT_THERE, 0, 0, {NO_ROWS}},
    {"our user has it",
     ASSIGNMENT_LOOK_UP,
     ASSIGNMENT_THERE,
     0,
     0,
     {LIST("{'AccountAssignments':[" ROW("USER", "b-2") "," ROW("USER", "a-1") "]}"),
      LIST("{'AccountAssignments':[" ROW("USER", "a-1") "]}")}},
    {"what was listed by mistake is not there a moment later",
     ASSIGNMENT_LOOK_UP,
     ASSIGNMENT_NOT_THERE,
     0,
     0,
     {LIST("{'AccountAssignments':[" ROW("USER", "a-1") "]}"), NO_ROWS}},
    {"a group with the user's id does not count",
     ASSIGNMENT_LOOK_UP,
     ASSIGNMENT_NOT_THERE,
     0,
     0,
     {LIST("{'AccountAssignments':[" ROW("GROUP", "a-1") "]}")}},
    {"it stands on the third page, after an empty one",
     ASSIGNMENT_LOOK_UP,
     ASSIGNMENT_THERE,
     0,
     0,
     {LIST("{'AccountAssignments':[" ROW("USER", "b-2") "],'NextToken':'one'}"),
      {"ListAccountAssignments", "{'NextToken':'one'}",
       "{'AccountAssignments':[],'NextToken':'two'}"},
      {"ListAccountAssignments", "{'NextToken':'two'}",
       "{'AccountAssignments':[" ROW("USER", "a-1") "],'NextToken':null}"},
      LIST("{'AccountAssignments':[" ROW("USER", "a-1") "]}")}},
    {"a list that goes round in circles is asked for again",
     ASSIGNMENT_LOOK_UP,
     ASSIGNMENT_NOT_THERE,
     0,
     ASSIGNMENT_SLOW,
     {LIST("{'AccountAssignments':[],'NextToken':'one'}"),
      LIST("{'AccountAssignments':[],'NextToken':'one'}"), NO_ROWS}},
    {"a list that is none is asked for again",
     ASSIGNMENT_LOOK_UP,
     ASSIGNMENT_NOT_THERE,
     0,
     ASSIGNMENT_SLOW,
     {LIST("{'AccountAssignments':'all'}"), NO_ROWS}},
    {"we may not look",
     ASSIGNMENT_LOOK_UP,
     ASSIGNMENT_FAILED,
     ASSIGNMENT_DENIED,
     0,
     {LIST("!AccessDeniedException no")}},
    {"the set is gone",
     ASSIGNMENT_LOOK_UP,
     ASSIGNMENT_FAILED,
     ASSIGNMENT_NO_SUCH,
     0,
     {LIST("!ResourceNotFoundException no")}},
    {"AWS is away, then throttles, then is broken, then there",
     ASSIGNMENT_LOOK_UP,
     ASSIGNMENT_NOT_THERE,
     0,
     ASSIGNMENT_SLOW,
     {LIST("~unreachable"), LIST("~throttled"), LIST("~broken"), LIST("~no credentials"),
      LIST("~garbled"), NO_ROWS}},

    {"granted at once",
     ASSIGNMENT_GRANT,
     ASSIGNMENT_GRANTED,
     0,
     0,
     {CREATE(CREATED("SUCCEEDED", ""))}},
    {"granted after a while",
     ASSIGNMENT_GRANT,
     ASSIGNMENT_GRANTED,
     0,
     0,
     {CREATE(CREATED("IN_PROGRESS", "")), CREATION(CREATED("IN_PROGRESS", "")),
      CREATION(CREATED("IN_PROGRESS", "")), CREATION(CREATED("SUCCEEDED", ""))}},
    {"a conflict is got over",
     ASSIGNMENT_GRANT,
     ASSIGNMENT_GRANTED,
     0,
     ASSIGNMENT_CONFLICT,
     {CREATE("!ConflictException later"), CREATE("!ConflictException later"),
      CREATE(CREATED("SUCCEEDED", ""))}},
    {"the answer to the creation was lost: creating again harms nothing",
     ASSIGNMENT_GRANT,
     ASSIGNMENT_GRANTED,
     0,
     ASSIGNMENT_SLOW,
     {CREATE("~unreachable"), CREATE("!ConflictException it is being made"),
      CREATE(CREATED("SUCCEEDED", ""))}},
    {"the status cannot be had for a while",
     ASSIGNMENT_GRANT,
     ASSIGNMENT_GRANTED,
     0,
     ASSIGNMENT_SLOW,
     {CREATE(CREATED("IN_PROGRESS", "")), CREATION("~broken"), CREATE(CREATED("SUCCEEDED", ""))}},
    {"AWS has forgotten its own number",
     ASSIGNMENT_GRANT,
     ASSIGNMENT_GRANTED,
     0,
     ASSIGNMENT_SLOW,
     {CREATE(CREATED("IN_PROGRESS", "")), CREATION("!ResourceNotFoundException what?"),
      CREATE(CREATED("SUCCEEDED", ""))}},
    {"a status that is none",
     ASSIGNMENT_GRANT,
     ASSIGNMENT_GRANTED,
     0,
     ASSIGNMENT_SLOW,
     {CREATE("{}"), CREATE(CREATED("PERHAPS", "")), CREATE(CREATED("SUCCEEDED", ""))}},
    {"in progress, without a number",
     ASSIGNMENT_GRANT,
     ASSIGNMENT_GRANTED,
     0,
     ASSIGNMENT_SLOW,
     {CREATE("{'AccountAssignmentCreationStatus':{'Status':'IN_PROGRESS'}}"),
      CREATE(CREATED("SUCCEEDED", ""))}},
    {"the quota of the service",
     ASSIGNMENT_GRANT,
     ASSIGNMENT_FAILED,
     ASSIGNMENT_QUOTA,
     0,
     {CREATE("!ServiceQuotaExceededException full")}},
    {"a quota, found late",
     ASSIGNMENT_GRANT,
     ASSIGNMENT_FAILED,
     ASSIGNMENT_QUOTA,
     0,
     {CREATE(CREATED("IN_PROGRESS", "")),
      CREATION(
          CREATED("FAILED", ",'FailureReason':'Cannot exceed quota for RolesPerAccount: 1000'"))}},
    {"no such user",
     ASSIGNMENT_GRANT,
     ASSIGNMENT_FAILED,
     ASSIGNMENT_NO_PRINCIPAL,
     0,
     {CREATE(CREATED("FAILED", ",'FailureReason':'Received a 404 status error: the USER assignee "
                               "a-1 was not found in directory d-1'"))}},
    {"failed without a reason",
     ASSIGNMENT_GRANT,
     ASSIGNMENT_FAILED,
     ASSIGNMENT_OTHER,
     0,
     {CREATE(CREATED("FAILED", ""))}},
    {"an internal error of AWS is got over",
     ASSIGNMENT_GRANT,
     ASSIGNMENT_GRANTED,
     0,
     ASSIGNMENT_SLOW,
     {CREATE(CREATED("FAILED", ",'FailureReason':'An unexpected internal service exception was "
                               "encountered'")),
      CREATE(CREATED("SUCCEEDED", ""))}},
    {"denied",
     ASSIGNMENT_GRANT,
     ASSIGNMENT_FAILED,
     ASSIGNMENT_DENIED,
     0,
     {CREATE("!AccessDeniedException no")}},
    {"the request is wrong",
     ASSIGNMENT_GRANT,
     ASSIGNMENT_FAILED,
     ASSIGNMENT_OTHER,
     0,
     {CREATE("!ValidationException no")}},

    {"removed at once",
     ASSIGNMENT_REMOVE,
     ASSIGNMENT_GONE,
     0,
     0,
     {DELETE(DELETED("SUCCEEDED", ""))}},
    {"removed after a while",
     ASSIGNMENT_REMOVE,
     ASSIGNMENT_GONE,
     0,
     0,
     {DELETE(DELETED("IN_PROGRESS", "")), DELETION(DELETED("IN_PROGRESS", "")),
      DELETION(DELETED("SUCCEEDED", ""))}},
    {"what is not there is gone, after a second look",
     ASSIGNMENT_REMOVE,
     ASSIGNMENT_GONE,
     0,
     0,
     {DELETE("!ResourceNotFoundException none"), NOBODY_ELSE, NO_ROWS,
      DELETE("!ResourceNotFoundException none"), NOBODY_ELSE, NO_ROWS}},
    {"what AWS is still making is waited for, and removed",
     ASSIGNMENT_REMOVE,
     ASSIGNMENT_GONE,
     0,
     ASSIGNMENT_CONFLICT,
     {DELETE("!ResourceNotFoundException none"),
      OTHERS("{'AccountAssignmentsCreationStatus':[{'RequestId':'" NUMBER "'}]}"),
      CREATION(CREATED("IN_PROGRESS", OURS)), DELETE("!ConflictException it is being made"),
      DELETE(DELETED("SUCCEEDED", ""))}},
    {"what AWS makes for others is not waited for",
     ASSIGNMENT_REMOVE,
     ASSIGNMENT_GONE,
     0,
     0,
     {DELETE("!ResourceNotFoundException none"),
      OTHERS("{'AccountAssignmentsCreationStatus':[{'RequestId':'" NUMBER "'},{'RequestId':'/'},"
             "{'RequestId':'" NUMBER "'}]}"),
      CREATION(CREATED("IN_PROGRESS", ",'TargetId':'999988887777'")),
      CREATION("!ResourceNotFoundException over"), NO_ROWS,
      DELETE("!ResourceNotFoundException none"), NOBODY_ELSE, NO_ROWS}},
    {"it shows up in the second look",
     ASSIGNMENT_REMOVE,
     ASSIGNMENT_GONE,
     0,
     ASSIGNMENT_OTHER,
     {DELETE("!ResourceNotFoundException none"), NOBODY_ELSE, NO_ROWS,
      DELETE("!ResourceNotFoundException none"), NOBODY_ELSE,
      LIST("{'AccountAssignments':[" ROW("USER", "a-1") "]}"), DELETE(DELETED("SUCCEEDED", ""))}},
    {"we may not see what AWS is making: two looks have to do",
     ASSIGNMENT_REMOVE,
     ASSIGNMENT_GONE,
     0,
     0,
     {DELETE("!ResourceNotFoundException none"), OTHERS("!AccessDeniedException no"), NO_ROWS,
      DELETE("!ResourceNotFoundException none"), OTHERS("!AccessDeniedException no"), NO_ROWS}},
    {"what AWS is making cannot be seen for a while",
     ASSIGNMENT_REMOVE,
     ASSIGNMENT_GONE,
     0,
     ASSIGNMENT_SLOW,
     {DELETE("!ResourceNotFoundException none"), OTHERS("~unreachable"),
      DELETE("!ResourceNotFoundException none"),
      OTHERS("{'AccountAssignmentsCreationStatus':[{'RequestId':'" NUMBER "'}]}"),
      CREATION("~broken"), DELETE(DELETED("SUCCEEDED", ""))}},
    {"the last look fails",
     ASSIGNMENT_REMOVE,
     ASSIGNMENT_GONE,
     0,
     ASSIGNMENT_SLOW,
     {DELETE("!ResourceNotFoundException none"), NOBODY_ELSE, LIST("~broken"),
      DELETE(DELETED("SUCCEEDED", ""))}},
    {"the permission set is gone, too",
     ASSIGNMENT_REMOVE,
     ASSIGNMENT_GONE,
     0,
     0,
     {DELETE("!ResourceNotFoundException none"), NOBODY_ELSE, LIST("!ResourceNotFoundException no"),
      DELETE("!ResourceNotFoundException none"), NOBODY_ELSE,
      LIST("!ResourceNotFoundException no")}},
    {"a denied removal is tried for ever",
     ASSIGNMENT_REMOVE,
     ASSIGNMENT_GONE,
     0,
     ASSIGNMENT_DENIED,
     {DELETE("!AccessDeniedException no"), DELETE("!AccessDeniedException no"),
      DELETE("!AccessDeniedException no"), DELETE("!AccessDeniedException no"),
      DELETE(DELETED("SUCCEEDED", ""))}},
    {"a removal that AWS fails at is looked at and tried again",
     ASSIGNMENT_REMOVE,
     ASSIGNMENT_GONE,
     0,
     ASSIGNMENT_OTHER,
     {DELETE(DELETED("FAILED", ",'FailureReason':'the moon is full'")),
      LIST("{'AccountAssignments':[" ROW("USER", "a-1") "]}"),
      DELETE(DELETED("FAILED", ",'FailureReason':'internal error'")),
      DELETE(DELETED("SUCCEEDED", ""))}},
    {"the user is gone, and with it what they had",
     ASSIGNMENT_REMOVE,
     ASSIGNMENT_GONE,
     0,
     0,
     {DELETE(DELETED("FAILED", ",'FailureReason':'the USER assignee a-1 was not found'")), NO_ROWS,
      DELETE("!ResourceNotFoundException none"), NOBODY_ELSE, NO_ROWS}},
    {"AWS forgot that it removes",
     ASSIGNMENT_REMOVE,
     ASSIGNMENT_GONE,
     0,
     ASSIGNMENT_SLOW,
     {DELETE(DELETED("IN_PROGRESS", "")), DELETION("!ResourceNotFoundException what?"),
      DELETE(DELETED("SUCCEEDED", ""))}},
};

static void test_cases(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        struct seen s = {0};

        begin(CASES[i].script);
        start(&s, CASES[i].step, "a-1");
        fake_run(&s.done);
        if (s.outcome != CASES[i].outcome || s.why != CASES[i].why ||
            (s.n_waits ? s.waits[0] : 0) != CASES[i].waits)
            fail_msg("%s: %d %d \"%s\", waited for %d", CASES[i].says, s.outcome, s.why, s.text,
                     s.n_waits ? (int)s.waits[0] : 0);
        if (s.outcome == ASSIGNMENT_FAILED)
            assert_true(s.text[0]);
        end();
    }
}

/* A server without that list (an imitation of AWS) does not keep a removal for ever. */
static void test_no_list_of_creations(void **state)
{
    static const struct fake_line SCRIPT[] = {
#define TURN DELETE("!ResourceNotFoundException none"), OTHERS("~broken")
        TURN, TURN, TURN, TURN, TURN, TURN, TURN, NO_ROWS, TURN, NO_ROWS, {0}};
    struct seen s = {0};

    (void)state;
    begin(SCRIPT);
    start(&s, ASSIGNMENT_REMOVE, "a-1");
    fake_run(&s.done);
    assert_int_equal(s.outcome, ASSIGNMENT_GONE);
    end();
}

/* ---- several steps -------------------------------------------------------------------------- */

static void test_list(void **state)
{
    static const struct fake_line SCRIPT[] = {
        LIST("{'AccountAssignments':[" ROW("USER", "a-1") "," ROW("GROUP",
                                                                  "g-1") "," ROW("USER", "/") "]}"),
        {0}};
    struct seen s = {0};

    (void)state;
    begin(SCRIPT);
    start(&s, ASSIGNMENT_LIST, "");
    fake_run(&s.done);
    assert_int_equal(s.outcome, ASSIGNMENT_LISTED);
    assert_int_equal(s.n_rows, 2);
    assert_string_equal(s.rows[0], " a-1");
    assert_string_equal(s.rows[1], "@g-1");
    end();
}

/* One after the other, in their order, although all could be asked at once. */
static void test_order_in_a_pair(void **state)
{
    static const struct fake_line SCRIPT[] = {
        {"CreateAccountAssignment", "{'PrincipalId':'a-1'}", CREATED("IN_PROGRESS", "")},
        CREATION(CREATED("SUCCEEDED", "")),
        {"CreateAccountAssignment", "{'PrincipalId':'a-2'}", CREATED("SUCCEEDED", "")},
        {"DeleteAccountAssignment", "{'PrincipalId':'a-1'}", DELETED("SUCCEEDED", "")},
        {"CreateAccountAssignment", "{'PrincipalId':'a-1'}", CREATED("SUCCEEDED", "")},
        {0}};
    struct seen s[4] = {0};

    (void)state;
    begin(SCRIPT);
    start(&s[0], ASSIGNMENT_GRANT, "a-1");
    start(&s[1], ASSIGNMENT_GRANT, "a-2");
    start(&s[2], ASSIGNMENT_REMOVE, "a-1");
    start(&s[3], ASSIGNMENT_GRANT, "a-1");
    fake_run(&s[3].done);
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(s[i].order, i + 1);
    assert_int_equal(fake_most, 1);
    end();
}

/* Who waits for AWS lets others of the same pair go first, but not those about the same assignment.
 */
static void test_pause_lets_others_by(void **state)
{
    static const struct fake_line SCRIPT[] = {
        {"DeleteAccountAssignment", "{'PrincipalId':'a-1'}", "!AccessDeniedException no"},
        {"CreateAccountAssignment", "{'PrincipalId':'a-2'}", CREATED("SUCCEEDED", "")},
        {"DeleteAccountAssignment", "{'PrincipalId':'a-1'}", DELETED("SUCCEEDED", "")},
        {"CreateAccountAssignment", "{'PrincipalId':'a-1'}", CREATED("SUCCEEDED", "")},
        {0}};
    struct seen s[3] = {0};

    (void)state;
    begin(SCRIPT);
    start(&s[0], ASSIGNMENT_REMOVE, "a-1");
    start(&s[1], ASSIGNMENT_GRANT, "a-1");
    start(&s[2], ASSIGNMENT_GRANT, "a-2");
    fake_run(&s[1].done);
    assert_int_equal(s[2].order, 1);
    assert_int_equal(s[0].order, 2);
    assert_int_equal(s[1].order, 3);
    end();
}

/* Different pairs at once, but not more than AWS takes. */
static void test_breadth(void **state)
{
    enum { N = 40 };
    static struct fake_line script[N + 1];
    static struct seen s[N];
    struct assignment a = assignment("a-1");

    (void)state;
    memset(s, 0, sizeof s);
    for (size_t i = 0; i < N; i++)
        script[i] = (struct fake_line){"CreateAccountAssignment", NULL, CREATED("SUCCEEDED", "")};
    begin(script);
    for (size_t i = 0; i < N; i++) {
        struct assignment_calls calls = {on_done, NULL, NULL, &s[i]};

        snprintf(a.account, sizeof a.account, "%012zu", i);
        assert_int_equal(assignment_start(queue, ASSIGNMENT_GRANT, &a, &calls, NULL), 0);
    }
    fake_run(&s[N - 1].done);
    assert_int_equal(fake_most, ASSIGNMENTS_CHANGING);
    end();
}

/* AWS works on it for minutes: the person is told, and others get the place. */
static void test_drags(void **state)
{
    static const struct fake_line SCRIPT[] = {CREATE(CREATED("IN_PROGRESS", "")),
                                              CREATION(CREATED("IN_PROGRESS", "")),
                                              CREATION(CREATED("IN_PROGRESS", "")),
                                              CREATION(CREATED("SUCCEEDED", "")),
                                              {0}};
    struct assignments_status status;
    struct seen s = {0};

    (void)state;
    begin(SCRIPT);
    start(&s, ASSIGNMENT_GRANT, "a-1");
    while (fake_at < 2)
        sd_event_run(fake_loop, 100000);
    assignments_status(queue, &status);
    assert_int_equal(status.changing, 1);
    assert_int_equal(s.n_waits, 0);
    fake_ahead_s += 121;
    while (s.n_waits == 0)
        sd_event_run(fake_loop, 100000);
    assert_int_equal(s.waits[0], ASSIGNMENT_SLOW);
    assignments_status(queue, &status);
    assert_int_equal(status.changing, 0);
    assert_int_equal(status.waiting, 1);
    fake_run(&s.done);
    assert_int_equal(s.outcome, ASSIGNMENT_GRANTED);
    end();
}

/* Removals go before grants that wait longer. */
static void test_removals_first(void **state)
{
    enum { N = 2 * ASSIGNMENTS_CHANGING };
    static struct fake_line script[N + 2];
    static struct seen s[N], removal;
    struct assignment a = assignment("a-1");

    (void)state;
    memset(s, 0, sizeof s);
    memset(&removal, 0, sizeof removal);
    for (size_t i = 0; i < N + 1; i++)
        script[i] = (struct fake_line){"CreateAccountAssignment", NULL, CREATED("SUCCEEDED", "")};
    script[0] = (struct fake_line){"DeleteAccountAssignment", NULL, DELETED("SUCCEEDED", "")};
    begin(script);
    for (size_t i = 0; i < N; i++) {
        struct assignment_calls calls = {on_done, NULL, NULL, &s[i]};

        snprintf(a.account, sizeof a.account, "%012zu", i);
        assert_int_equal(assignment_start(queue, ASSIGNMENT_GRANT, &a, &calls, NULL), 0);
    }
    start(&removal, ASSIGNMENT_REMOVE, "a-1");
    fake_run(&s[N - 1].done);
    assert_int_equal(removal.order, 1);
    end();
}

/* ---- ends before the end -------------------------------------------------------------------- */

static int stop(sd_event_source *source, uint64_t at, void *ctx)
{
    (void)source;
    (void)at;
    *(bool *)ctx = true;
    return 0;
}

static void run_for_ms(unsigned ms)
{
    bool over = false;
    sd_event_source *timer = NULL;
    uint64_t now;

    sd_event_now(fake_loop, CLOCK_MONOTONIC, &now);
    assert_true(sd_event_add_time(fake_loop, &timer, CLOCK_MONOTONIC, now + ms * 1000, 1, stop,
                                  &over) >= 0);
    fake_run(&over);
    sd_event_source_disable_unref(timer);
}

/* A grant is cancelled while its creation is on its way: the removal comes after the answer. */
static void test_cancel_on_the_way(void **state)
{
    static const struct fake_line SCRIPT[] = {CREATE(CREATED("IN_PROGRESS", "")),
                                              DELETE("!ConflictException it is being made"),
                                              DELETE(DELETED("SUCCEEDED", "")),
                                              {0}};
    struct seen grant = {0}, removal = {0};

    (void)state;
    begin(SCRIPT);
    start(&grant, ASSIGNMENT_GRANT, "a-1");
    while (fake_at == 0)
        sd_event_run(fake_loop, 0);
    assert_null(assignment_cancel(grant.op));
    start(&removal, ASSIGNMENT_REMOVE, "a-1");
    fake_run(&removal.done);
    assert_false(grant.done);
    end();
}

static void test_cancel_while_it_waits(void **state)
{
    static const struct fake_line SCRIPT[] = {CREATE(CREATED("IN_PROGRESS", "")), {0}};
    struct seen s[3] = {0};

    (void)state;
    begin(SCRIPT);
    start(&s[0], ASSIGNMENT_GRANT, "a-1");
    start(&s[1], ASSIGNMENT_GRANT, "a-2");
    start(&s[2], ASSIGNMENT_LOOK_UP, "a-3");
    assignment_cancel(s[1].op);
    run_for_ms(2);
    assignment_cancel(s[0].op); /* it asks for its status now and then */
    assignment_cancel(s[2].op);
    assert_null(assignment_cancel(NULL));
    end();
}

static struct seen *cancel_me;

static void on_row_cancel(void *ctx, const struct assignment *a)
{
    on_row(ctx, a);
    assignment_cancel(cancel_me->op);
}

static void test_cancel_among_rows(void **state)
{
    static const struct fake_line SCRIPT[] = {
        LIST("{'AccountAssignments':[" ROW("USER", "a-1") "," ROW("USER",
                                                                  "a-2") "],'NextToken':'more'}"),
        {0}};
    struct seen s = {0};
    struct assignment_calls calls = {on_done, NULL, on_row_cancel, &s};
    struct assignment a = assignment("");

    (void)state;
    begin(SCRIPT);
    cancel_me = &s;
    assert_int_equal(assignment_start(queue, ASSIGNMENT_LIST, &a, &calls, &s.op), 0);
    run_for_ms(20);
    assert_int_equal(s.n_rows, 1);
    assert_false(s.done);
    end();
}

static void test_free_at_work(void **state)
{
    static const struct fake_line SCRIPT[] = {CREATE(CREATED("IN_PROGRESS", "")), {0}};
    struct seen s[2] = {0};

    (void)state;
    begin(SCRIPT);
    start(&s[0], ASSIGNMENT_GRANT, "a-1");
    start(&s[1], ASSIGNMENT_GRANT, "a-2");
    while (fake_at == 0)
        sd_event_run(fake_loop, 0);
    queue = assignments_free(queue);
    assert_null(assignments_free(NULL));
    fake_end();
}

/* ---- what cannot be ------------------------------------------------------------------------- */

static void test_refused_arguments(void **state)
{
    static const struct fake_line SCRIPT[] = {{0}};
    static const struct {
        const char *account, *set, *principal;
    } BAD[] = {{"11112222333", SET_ARN, "a-1"},
               {"1111222233334", SET_ARN, "a-1"},
               {"11112222333x", SET_ARN, "a-1"},
               {"111122223333", "AdministratorAccess", "a-1"},
               {"111122223333", "arn:aws:iam::1:role/ps-1", "a-1"},
               {"111122223333", SET_ARN, ""},
               {"111122223333", SET_ARN, "alice@example.com"}};
    struct assignment_calls calls = {on_done, NULL, NULL, NULL};

    (void)state;
    begin(SCRIPT);
    for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++) {
        struct assignment a = {.kind = AWS_USER};

        memcpy(a.account, BAD[i].account, strnlen(BAD[i].account, sizeof a.account - 1));
        memcpy(a.set, BAD[i].set, strlen(BAD[i].set));
        memcpy(a.principal, BAD[i].principal, strlen(BAD[i].principal));
        if (i == 1)
            a.account[0] = 'x';
        assert_int_equal(assignment_start(queue, ASSIGNMENT_GRANT, &a, &calls, NULL), -EINVAL);
    }
    end();
    assert_int_equal(assignments_new(NULL, NULL, "ssoins-1", &queue), -EINVAL);
}

static void test_too_many(void **state)
{
    static const struct fake_line SCRIPT[] = {{0}};
    struct assignment a = assignment("a-1");
    struct assignment_calls calls = {on_done, NULL, NULL, NULL};

    (void)state;
    begin(SCRIPT);
    for (size_t i = 0; i < ASSIGNMENTS_MAX; i++) {
        snprintf(a.account, sizeof a.account, "%012zu", i);
        assert_int_equal(assignment_start(queue, ASSIGNMENT_GRANT, &a, &calls, NULL), 0);
    }
    assert_int_equal(assignment_start(queue, ASSIGNMENT_GRANT, &a, &calls, NULL), -EAGAIN);
    queue = assignments_free(queue);
    fake_end();
}

/* The client's own queue is full for a while. */
static void test_client_is_full(void **state)
{
    static const struct fake_line GRANTS[] = {CREATE(CREATED("SUCCEEDED", "")), {0}};
    static const struct fake_line LOOKS[] = {NO_ROWS, {0}};
    static const enum assignment_step STEPS[] = {ASSIGNMENT_GRANT, ASSIGNMENT_LOOK_UP};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct seen s = {0};

        begin(i == 0 ? GRANTS : LOOKS);
        fake_fails_with = -EAGAIN;
        start(&s, STEPS[i], "a-1");
        run_for_ms(2);
        fake_fails_with = 0;
        fake_run(&s.done);
        assert_int_equal(s.n_waits, 1);
        assert_int_equal(s.waits[0], ASSIGNMENT_SLOW);
        assert_int_not_equal(s.outcome, ASSIGNMENT_FAILED);
        end();
    }
}

/* ---- words ---------------------------------------------------------------------------------- */

static void test_words(void **state)
{
    static const struct {
        const char *reason;
        enum assignment_why why;
    } REASONS[] = {
        {"Received a 404 status error: the USER assignee a-1 was not found in directory d-1",
         ASSIGNMENT_NO_PRINCIPAL},
        {"User does not exist", ASSIGNMENT_NO_PRINCIPAL},
        {"Received a 409 status error: Cannot exceed quota for RolesPerAccount: 1000",
         ASSIGNMENT_QUOTA},
        {"Limit for attached policies exceeded", ASSIGNMENT_QUOTA},
        {"User: arn:aws:sts::1:assumed-role/x is not authorized to perform iam:CreateRole",
         ASSIGNMENT_DENIED},
        {"Received a 403 status error: Forbidden", ASSIGNMENT_DENIED},
        {"account 111122223333 was not found", ASSIGNMENT_NO_SUCH},
        {"Received a 409 status error: Conflict", ASSIGNMENT_CONFLICT},
        {"An unexpected internal service exception was encountered", ASSIGNMENT_SLOW},
        {"Rate exceeded", ASSIGNMENT_SLOW},
        {"something new", ASSIGNMENT_OTHER},
        {"", ASSIGNMENT_OTHER},
    };
    char text[WORDS_CAP];

    (void)state;
    for (size_t i = 0; i < sizeof REASONS / sizeof REASONS[0]; i++)
        if (words_of_reason(REASONS[i].reason, text) != REASONS[i].why)
            fail_msg("%s: %s", REASONS[i].reason, text);
    words_of_reason("\033[31mred\n", text);
    assert_string_equal(text, "AWS refused: ?[31mred?");
    words_of_reason("the USER assignee a-1 was not found", text);
    assert_string_equal(text, "IAM Identity Center does not know the user any more: the USER "
                              "assignee a-1 was not found");
}

static void test_words_of_calls(void **state)
{
    static const struct {
        struct aws_result result;
        enum assignment_why why;
        const char *text;
    } RESULTS[] = {
        {{.outcome = AWS_REFUSED, .code = "AccessDeniedException", .message = "no"},
         ASSIGNMENT_DENIED,
         "AWS does not allow team-courier to do that: AccessDeniedException: no"},
        {{.outcome = AWS_REFUSED, .code = "KMS_AccessDeniedException"},
         ASSIGNMENT_DENIED,
         "AWS does not allow team-courier to do that: KMS_AccessDeniedException"},
        {{.outcome = AWS_REFUSED, .code = "ExpiredTokenException"},
         ASSIGNMENT_SLOW,
         "AWS does not get it done: ExpiredTokenException"},
        {{.outcome = AWS_REFUSED, .code = "", .message = "HTTP 400"},
         ASSIGNMENT_SLOW,
         "AWS does not get it done: HTTP 400"},
        {{.outcome = AWS_REFUSED, .code = "Teapot"}, ASSIGNMENT_OTHER, "AWS refused: Teapot"},
        {{.outcome = AWS_UNREACHABLE, .message = "connection refused"},
         ASSIGNMENT_SLOW,
         "AWS does not get it done: connection refused"},
        {{.outcome = AWS_BROKEN}, ASSIGNMENT_SLOW, "AWS does not get it done: it is out of order"},
    };
    char text[WORDS_CAP];

    (void)state;
    for (size_t i = 0; i < sizeof RESULTS / sizeof RESULTS[0]; i++) {
        assert_int_equal(words_of_result(&RESULTS[i].result, text), RESULTS[i].why);
        assert_string_equal(text, RESULTS[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases),
        cmocka_unit_test(test_no_list_of_creations),
        cmocka_unit_test(test_list),
        cmocka_unit_test(test_order_in_a_pair),
        cmocka_unit_test(test_pause_lets_others_by),
        cmocka_unit_test(test_breadth),
        cmocka_unit_test(test_drags),
        cmocka_unit_test(test_removals_first),
        cmocka_unit_test(test_cancel_on_the_way),
        cmocka_unit_test(test_cancel_while_it_waits),
        cmocka_unit_test(test_cancel_among_rows),
        cmocka_unit_test(test_free_at_work),
        cmocka_unit_test(test_refused_arguments),
        cmocka_unit_test(test_too_many),
        cmocka_unit_test(test_client_is_full),
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_words_of_calls),
    };

    return cmocka_run_group_tests_name("assignments", tests, NULL, NULL);
}
