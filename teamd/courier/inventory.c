#include "courier/work_parts.h"

#include <stdio.h>
#include <stdlib.h>

/* Who has been assigned what: for each permission set that the policy covers the accounts where it
 * is in use, and for each of these who has it. All of it at the lowest urgency. */

enum { PACKET_FULL = 32 * 1024, AT_ONCE = 8 };

static void go_on(struct work *w);

/* ---- packets ----------------------------------------------------------------------------------
 */

static void begin_packet(struct inventory *i)
{
    i->out = wire_begin(i->packet, sizeof i->packet, TEAM_ASK, TEAM_OP_SEEN);
    wire_put_u64(&i->out, TEAM_JOB, i->number);
    wire_put_u64(&i->out, TEAM_ROUND, i->round);
}

static void on_assignment(void *ctx, const struct assignment *a)
{
    struct work *w = ctx;
    struct inventory *i = &w->inventory;
    struct wire_mark mark = wire_group(&i->out, TEAM_ROW);

    wire_put(&i->out, TEAM_ACCOUNT, a->account);
    wire_put(&i->out, TEAM_SET_ARN, a->set);
    wire_put(&i->out, TEAM_KIND, a->kind == AWS_GROUP ? "group" : "user");
    wire_put(&i->out, TEAM_PRINCIPAL, a->principal);
    wire_group_end(&i->out, mark);
    if (i->out.bad)
        wire_rewind(&i->out, mark);
    if (i->out.len > PACKET_FULL) {
        link_send(w->link, i->packet, wire_finish(&i->out), NULL, NULL);
        begin_packet(i);
    }
}

/* ---- the end ----------------------------------------------------------------------------------
 */

static void drop(struct work *w)
{
    struct inventory *i = &w->inventory;

    i->number = 0;
    i->listing = directory_sync_free(i->listing);
    i->asking = provisioned_cancel(i->asking);
    for (size_t n = 0; n < AT_ONCE; n++)
        i->ops[n] = assignment_cancel(i->ops[n]);
    i->n_listing = i->n_accounts = i->at_account = i->at_set = 0;
    free(i->accounts);
    i->accounts = NULL;
    i->cap_accounts = 0;
    i->failed = false;
}

static void fail(struct work *w, const char *why)
{
    link_result(w->link, w->inventory.number, w->inventory.round, "failed", why);
    drop(w);
}

static void finish(struct work *w)
{
    struct inventory *i = &w->inventory;

    link_send(w->link, i->packet, wire_finish(&i->out), NULL, NULL);
    link_result(w->link, i->number, i->round, "done", "");
    drop(w);
}

/* ---- assignments of one set -------------------------------------------------------------------
 */

/* A set or an account that has gone in the meantime has nobody on it. */
static void on_listed(struct work *w, size_t slot, const struct assignment_result *result)
{
    struct inventory *i = &w->inventory;

    i->ops[slot] = NULL;
    i->n_listing--;
    if (result->outcome == ASSIGNMENT_FAILED && result->why != ASSIGNMENT_NO_SUCH)
        fail(w, result->text);
    else
        go_on(w);
}

#define LISTED(n)                                                             \
    static void listed_##n(void *ctx, const struct assignment_result *result) \
    {                                                                         \
        on_listed(ctx, n, result);                                            \
    }
LISTED(0)
LISTED(1)
LISTED(2)
LISTED(3)
LISTED(4)
LISTED(5)
LISTED(6)
LISTED(7)

static void list_next(struct work *w)
{
    static void (*const DONE[AT_ONCE])(void *ctx, const struct assignment_result *result) = {
        listed_0, listed_1, listed_2, listed_3, listed_4, listed_5, listed_6, listed_7};
    struct inventory *i = &w->inventory;
    struct assignment_calls calls = {.row = on_assignment, .ctx = w};
    struct assignment a = {.kind = AWS_USER};
    size_t slot = 0;

    while (i->ops[slot])
        slot++;
    calls.done = DONE[slot];
    memcpy(a.account, i->accounts[i->at_account++], sizeof a.account);
    memcpy(a.set, w->sets[i->at_set].arn, sizeof a.set);
    if (assignment_start(w->assignments, ASSIGNMENT_LIST, &a, &calls, &i->ops[slot]) < 0) {
        i->ops[slot] = NULL;
        i->failed = true;
    } else {
        i->n_listing++;
    }
}

/* ---- accounts of one set ----------------------------------------------------------------------
 */

static void on_account(void *ctx, const char *account)
{
    struct work *w = ctx;
    struct inventory *i = &w->inventory;
    struct text t;

    if (i->n_accounts == i->cap_accounts) {
        size_t cap = i->cap_accounts ? 2 * i->cap_accounts : 64;
        void *more = reallocarray(i->accounts, cap, sizeof *i->accounts);

        if (!more) {
            i->failed = true;
            return;
        }
        i->accounts = more;
        i->cap_accounts = cap;
    }
    t = text_over(i->accounts[i->n_accounts++], sizeof i->accounts[0]);
    text_put(&t, account);
}

static void on_accounts(void *ctx, const struct aws_failure *failure)
{
    struct work *w = ctx;
    char text[AWS_FAILURE_CAP];

    w->inventory.asking = NULL;
    if (failure && strcmp(failure->code, "ResourceNotFoundException") != 0) {
        aws_failure_text(failure, text);
        fail(w, text);
        return;
    }
    go_on(w);
}

static void ask_accounts(struct work *w)
{
    struct inventory *i = &w->inventory;
    struct provisioned_calls calls = {.row = on_account, .done = on_accounts, .ctx = w};

    i->n_accounts = i->at_account = 0;
    if (provisioned_list(w->aws, w->place.instance, w->sets[i->at_set].arn, &calls, &i->asking) < 0)
        i->failed = true;
}

/* ---- one after the other ----------------------------------------------------------------------
 */

/* Looks at each set in turn: at_set is the one at work, whose accounts are known once it is not
 * `asking` any more. */
static void go_on(struct work *w)
{
    struct inventory *i = &w->inventory;

    while (!i->failed && i->at_account < i->n_accounts && i->n_listing < AT_ONCE)
        list_next(w);
    if (i->failed) {
        fail(w, "team-courier has too much to do; try again");
        return;
    }
    if (i->n_listing > 0 || i->at_account < i->n_accounts)
        return;
    for (i->at_set++; i->at_set < w->n_sets; i->at_set++)
        if (w->policy.covers_set(w->policy.ctx, w->sets[i->at_set].name)) {
            ask_accounts(w);
            if (i->failed)
                fail(w, "team-courier has too much to do; try again");
            return;
        }
    finish(w);
}

static void begin(struct work *w)
{
    w->inventory.at_set = SIZE_MAX; /* the next one is the first */
    begin_packet(&w->inventory);
    go_on(w);
}

/* ---- which sets there are ---------------------------------------------------------------------
 */

static void on_set(void *ctx, const struct directory_row *row)
{
    sync_learn_set(ctx, row);
}

static void on_part(void *ctx, enum directory_part part, const struct aws_failure *failure,
                    uint32_t left_out)
{
    struct work *w = ctx;
    char text[AWS_FAILURE_CAP];

    (void)part;
    (void)left_out;
    if (!failure)
        return;
    aws_failure_text(failure, text);
    fail(w, text);
}

static void on_sets(void *ctx)
{
    struct work *w = ctx;

    w->inventory.listing = directory_sync_free(w->inventory.listing);
    if (w->inventory.number != 0)
        begin(w);
}

void inventory_start(struct work *w, const struct link_job *job)
{
    inventory_stop(w);
    w->inventory.number = job->number;
    w->inventory.round = job->round;
    if (w->assignments)
        inventory_found(w);
    else
        find_place(w);
}

void inventory_found(struct work *w)
{
    struct directory_calls calls = {
        .row = on_set, .part = on_part, .done = on_sets, .known = sync_knows_set, .ctx = w};
    struct inventory *i = &w->inventory;

    if (i->number == 0 || i->listing || i->asking || i->n_listing > 0)
        return;
    if (w->sync.number != 0)
        return; /* that reads the sets, too, and calls again */
    if (directory_sync(w->aws, &w->place, DIRECTORY_SETS, &calls, &i->listing) < 0)
        fail(w, "team-courier has too much to do; try again");
}

void inventory_failed(struct work *w, const char *why)
{
    if (w->inventory.number != 0 && !w->assignments)
        fail(w, why);
}

void inventory_stop(struct work *w)
{
    if (w->inventory.number != 0)
        drop(w);
}
