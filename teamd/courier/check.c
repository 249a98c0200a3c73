#include "courier/check.h"

#include "courier/check_activity.h"
#include "courier/directory.h"
#include "courier/json.h"
#include "courier/permissions.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <team/text.h>

enum { HOUR_S = 3600, CLOCK_APART_S = 60 };

struct check {
    sd_event *loop;
    struct aws_client *aws;
    struct check_calls calls;
    struct aws_place_op *finding;
    struct aws_place place;
    char set[AWS_SET_ARN_CAP], account[AWS_ACCOUNT_CAP], unit[AWS_UNIT_CAP];
    char group[AWS_PRINCIPAL_CAP], nothing[AWS_REQUEST_CAP];
    size_t at; /* the permission that is tried */
    struct aws_call *call;
    struct directory_sync *sets;
    struct check_activity *activity;
    unsigned unread; /* kinds of sources of activity, as bits */
    bool refused, bad, titled;
};

/* ---- findings ---------------------------------------------------------------------------------
 */

__attribute__((format(printf, 3, 4))) static void found(struct check *c, const char *grade,
                                                        const char *format, ...)
{
    char text[2048], plain[2048];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    text_make_plain(plain, sizeof plain, text, strlen(text));
    if (!c->titled)
        puts("RESULT   WHAT");
    c->titled = true;
    c->bad |= strcmp(grade, "bad") == 0;
    printf("%-7s  %s\n", grade, plain);
    fflush(stdout);
}

static void end(struct check *c)
{
    struct check_calls calls = c->calls;

    if (c->refused) {
        puts("\nThis is what the identity has to be allowed:");
        permissions_print(stdout);
    }
    for (unsigned kind = ACTIVITY_LOGS; kind <= ACTIVITY_LAKE; kind++)
        if (c->unread & 1u << kind) {
            printf("\nThis is what it, or the source's role, has to be allowed for %s; and it to "
                   "assume the "
                   "role:\n",
                   kind == ACTIVITY_LOGS     ? "a log group"
                   : kind == ACTIVITY_LOOKUP ? "LookupEvents"
                                             : "an event data store");
            permissions_print_activity(stdout, (enum activity_kind)kind);
        }
    calls.done(calls.ctx, !c->bad);
}

static void say_clock(struct check *c)
{
    struct aws_status s;
    int64_t apart_s;

    aws_client_status(c->aws, &s);
    apart_s = llabs(s.clock_ahead_us) / SECOND_US;
    if (apart_s > CLOCK_APART_S)
        found(c, "warn", "the clock of this machine and AWS's are %lld s apart",
              (long long)apart_s);
}

/* ---- how long credentials live ----------------------------------------------------------------
 */

static void set_row(void *ctx, const struct directory_row *row)
{
    struct check *c = ctx;
    char lasts[32];
    struct text t = text_over(lasts, sizeof lasts);

    if (row->session_s <= HOUR_S || !c->calls.covers_set(c->calls.ctx, row->name))
        return;
    text_put_duration(&t, (uint64_t)row->session_s);
    found(c, "warn",
          "credentials of %s live %s, and so may outlive an elevation; set its session duration to "
          "1h",
          row->name, lasts);
}

static void sets_part(void *ctx, enum directory_part part, const struct aws_failure *failure,
                      uint32_t left_out)
{
    char text[AWS_FAILURE_CAP];

    (void)part;
    (void)left_out;
    if (!failure)
        return;
    aws_failure_text(failure, text);
    found(ctx, "unknown", "how long credentials live: %s", text);
}

static void activity_found(void *ctx, bool good, const char *text)
{
    found(ctx, good ? "ok" : "bad", "%s", text);
}

static void activity_done(void *ctx, unsigned bad)
{
    struct check *c = ctx;

    c->unread = bad;
    say_clock(c);
    end(c);
}

static void look_at_activity(struct check *c)
{
    struct check_activity_calls calls = {activity_found, activity_done, c};

    if (check_activity_start(c->loop, c->aws, &c->calls.activity, c->account, &calls,
                             &c->activity) < 0)
        end(c);
}

static void sets_done(void *ctx)
{
    struct check *c = ctx;

    c->sets = directory_sync_free(c->sets);
    look_at_activity(c);
}

static void look_at_sets(struct check *c)
{
    struct directory_calls calls = {.row = set_row, .part = sets_part, .done = sets_done, .ctx = c};

    if (!c->set[0] || directory_sync(c->aws, &c->place, DIRECTORY_SETS, &calls, &c->sets) < 0) {
        found(c, "unknown", "how long credentials live was not looked at");
        look_at_activity(c);
    }
}

/* ---- one permission after the other -----------------------------------------------------------
 */

/* What is asked about, how it is called in a call, and for people. */
static const struct {
    unsigned about;
    size_t at;
    const char *member, *called;
} MEMBERS[] = {
    {ABOUT_INSTANCE, offsetof(struct check, place.instance), "InstanceArn",
     "instance of IAM Identity Center"},
    {ABOUT_SET, offsetof(struct check, set), "PermissionSetArn", "permission set"},
    {ABOUT_ACCOUNT, offsetof(struct check, account), "AccountId", "account"},
    {ABOUT_UNIT, offsetof(struct check, unit), "ParentId", "root"},
    {ABOUT_STORE, offsetof(struct check, place.store), "IdentityStoreId", "Identity Store"},
    {ABOUT_GROUP, offsetof(struct check, group), "GroupId", "group"},
    {ABOUT_CREATION, offsetof(struct check, nothing), "AccountAssignmentCreationRequestId", ""},
    {ABOUT_DELETION, offsetof(struct check, nothing), "AccountAssignmentDeletionRequestId", ""},
};
enum { N_MEMBERS = sizeof MEMBERS / sizeof MEMBERS[0] };

/* NULL: something is not known, `missing` says what. */
static json_t *body_of(const struct check *c, const struct permission *p, const char **missing)
{
    json_t *body = json_object();

    for (size_t i = 0; i < N_MEMBERS; i++) {
        const char *value = (const char *)c + MEMBERS[i].at;

        if (!(p->about & MEMBERS[i].about))
            continue;
        if (!value[0]) {
            *missing = MEMBERS[i].called;
            json_decref(body);
            return NULL;
        }
        json_object_set_new(body, MEMBERS[i].member, json_string(value));
    }
    return body;
}

static const json_t *first(const json_t *answer, const char *list)
{
    return json_array_get(json_object_get(answer, list), 0);
}

/* The management account is special: some of what is asked about it is refused to delegates. */
static void learn_account(struct check *c, const json_t *accounts)
{
    const json_t *row;
    size_t i;

    json_array_foreach(accounts, i, row)
    {
        if (!json_is_text(row, "Id", c->place.management) &&
            json_copy_text(row, "Id", c->account, sizeof c->account))
            return;
    }
}

static void learn(struct check *c, const json_t *answer)
{
    const char *set = json_string_value(first(answer, "PermissionSets"));
    const json_t *instance = first(answer, "Instances");

    if (instance && !c->place.instance[0]) {
        json_copy_text(instance, "InstanceArn", c->place.instance, sizeof c->place.instance);
        json_copy_text(instance, "IdentityStoreId", c->place.store, sizeof c->place.store);
    }
    if (set && !c->set[0] && aws_set_fits(set))
        memcpy(c->set, set, strlen(set) + 1);
    if (!c->unit[0])
        json_copy_text(first(answer, "Roots"), "Id", c->unit, sizeof c->unit);
    if (!c->group[0])
        json_copy_text(first(answer, "Groups"), "GroupId", c->group, sizeof c->group);
    learn_account(c, json_object_get(answer, "Accounts"));
}

static void next(struct check *c);

/* Only "no" is no: that there is no such assignment, we know. */
static void tried(void *ctx, const struct aws_result *result)
{
    struct check *c = ctx;
    const struct permission *p = &PERMISSIONS[c->at];
    char name[PERMISSION_CAP], text[AWS_FAILURE_CAP];
    struct aws_failure failure;

    c->call = NULL;
    permission_name(p, name);
    if (result->outcome == AWS_OK) {
        learn(c, result->answer);
        found(c, "ok", "%s", name);
    } else if (result->outcome != AWS_REFUSED) {
        failure_of_result(&failure, p->service, p->operation, result);
        aws_failure_text(&failure, text);
        found(c, "bad", "%s", text);
    } else if (strncmp(result->code, "AccessDenied", 12) == 0) {
        c->refused = true;
        found(c, "bad", "%s is refused: %s", name,
              result->message[0] ? result->message : result->code);
    } else {
        found(c, "ok", "%s", name);
    }
    c->at++;
    next(c);
}

static bool begin_one(struct check *c, const struct permission *p)
{
    struct aws_options options = {.urgency = AWS_SOON};
    char name[PERMISSION_CAP];
    const char *missing = "";
    json_t *body;

    permission_name(p, name);
    if (p->changes) {
        found(c, "unknown", "%s: to try it would change something", name);
        return false;
    }
    body = body_of(c, p, &missing);
    if (!body) {
        found(c, "unknown", "%s: there is no %s to try it on", name, missing);
        return false;
    }
    if (aws_call(c->aws, p->service, p->operation, body, &options, tried, c, &c->call) == 0)
        return true;
    found(c, "unknown", "%s: it could not be asked", name);
    return false;
}

static void next(struct check *c)
{
    for (; c->at < N_PERMISSIONS; c->at++)
        if (begin_one(c, &PERMISSIONS[c->at]))
            return;
    look_at_sets(c);
}

/* ---- who and where ----------------------------------------------------------------------------
 */

static void say_center(struct check *c, const struct aws_status *s)
{
    const struct aws_place *p = &c->place;

    found(c, "ok", "IAM Identity Center is %s in %s, with Identity Store %s", p->instance,
          s->identity_center_region, p->store);
    if (p->primary_region[0] && strcmp(p->primary_region, s->identity_center_region) != 0)
        found(c, "bad",
              "its primary region is %s, and only there assignments can be made; set "
              "aws.identity_center_region",
              p->primary_region);
    if (p->delegated)
        found(c, "ok", "%s is a delegated administrator; the management account is %s", p->account,
              p->management);
    else
        found(c, "warn",
              "%s is the management account: who takes this host can take the organisation; "
              "a delegated administrator is enough",
              p->account);
}

static void place_found(void *ctx, const struct aws_place *place, const struct aws_failure *failure)
{
    struct check *c = ctx;
    char text[AWS_FAILURE_CAP];
    struct aws_status s;

    c->finding = NULL;
    c->place = *place;
    memcpy(c->account, place->account, sizeof c->account);
    aws_client_status(c->aws, &s);
    if (place->identity[0])
        found(c, "ok", "team-courier is %s, by %s", place->identity, s.credentials);
    if (!failure) {
        say_center(c, &s);
    } else if (failure->outcome != AWS_REFUSED || !place->identity[0]) {
        aws_failure_text(failure, text);
        found(c, "bad", "%s", text);
    }
    if (place->identity[0])
        next(c);
    else
        end(c);
}

int check_start(sd_event *loop, struct aws_client *aws, const struct check_calls *calls,
                struct check **ret)
{
    struct check *c = calloc(1, sizeof *c);
    struct text t;
    int r;

    if (!c)
        return -ENOMEM;
    c->loop = loop;
    c->aws = aws;
    c->calls = *calls;
    t = text_over(c->nothing, sizeof c->nothing);
    text_put(&t, "00000000-0000-0000-0000-000000000000");
    r = aws_place_find(aws, place_found, c, &c->finding);
    if (r < 0) {
        check_free(c);
        return r;
    }
    *ret = c;
    return 0;
}

struct check *check_free(struct check *c)
{
    if (!c)
        return NULL;
    aws_place_cancel(c->finding);
    aws_cancel(c->call);
    directory_sync_free(c->sets);
    check_activity_free(c->activity);
    free(c);
    return NULL;
}
