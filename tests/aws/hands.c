/* The courier's hands without the courier: does to AWS what the lines of standard input say, and
 * prints what came of it. AWS is found by AWS_* variables. Lines begin at once, side by side:
 *
 *     place                              sync accounts|sets|users|groups|all [wanted GROUP]
 *     look-up|grant|remove ACCOUNT SET-ARN USER-ID
 *     list ACCOUNT SET-ARN               provisioned SET-ARN
 *     cancel                             the last look-up, grant or remove
 *     wait                               for all that was begun
 *     sleep MS                           memory: the most that was in use, KiB
 */
#include "courier/assignment.h"
#include "courier/directory.h"
#include "courier/identity.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static sd_event *loop;
static struct aws_client *aws;
static struct assignments *assignments;
static struct aws_place place;
static struct assignment_op *last;
static char *last_line;
static unsigned under_way;
static uint64_t began_us;

static uint64_t clock_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * SECOND_US + (uint64_t)t.tv_nsec / 1000;
}

/* "GRANT 111122223333 ... : " and what follows; one line, at once. */
static void say(const char *what, const char *result, const char *text)
{
    printf("%s: %s%s%s\n", what, result, text[0] ? ": " : "", text);
    fflush(stdout);
}

_Noreturn static void give_up(const char *what, int r)
{
    fprintf(stderr, "hands: %s: %s\n", what, strerror(-r));
    exit(2);
}

static void wait_for_all(void)
{
    while (under_way > 0)
        if (sd_event_run(loop, UINT64_MAX) < 0)
            give_up("the loop", -EIO);
}

/* ---- who we are --------------------------------------------------------------------------------
 */

static void on_place(void *ctx, const struct aws_place *found, const struct aws_failure *failure)
{
    char text[AWS_FAILURE_CAP] = "";

    (void)ctx;
    under_way--;
    if (failure) {
        aws_failure_text(failure, text);
        say("place", "failed", text);
        exit(1);
    }
    place = *found;
    if (assignments_new(loop, aws, place.instance, &assignments) < 0)
        give_up("assignments_new", -ENOMEM);
}

static void do_place(void)
{
    struct aws_place_op *op;
    int r = aws_place_find(aws, on_place, NULL, &op);

    if (r < 0)
        give_up("aws_place_find", r);
    under_way++;
    wait_for_all();
}

/* ---- assignments ---------------------------------------------------------------------------- */

static void on_done(void *ctx, const struct assignment_result *result)
{
    static const char *const RESULTS[] = {"",     "there",  "not there", "granted",
                                          "gone", "listed", "failed"};

    under_way--;
    say(ctx, RESULTS[result->outcome], result->text);
    free(ctx);
}

static void on_waits(void *ctx, enum assignment_why why, const char *text)
{
    (void)why;
    say(ctx, "waits", text);
}

static void on_row(void *ctx, const struct assignment *a)
{
    say(ctx, a->kind == AWS_GROUP ? "group" : "user", a->principal);
}

static void do_step(enum assignment_step step, const char *line)
{
    struct assignment_calls calls = {on_done, on_waits, on_row, strdup(line)};
    struct assignment a = {.kind = AWS_USER};
    int r;

    if (sscanf(line, "%*s %12s %127s %47s", a.account, a.set, a.principal) < 2)
        give_up(line, -EINVAL);
    if (!assignments)
        do_place();
    last_line = calls.ctx;
    r = assignment_start(assignments, step, &a, &calls, &last);
    if (r < 0)
        give_up(line, r);
    under_way++;
}

/* ---- the directory -------------------------------------------------------------------------- */

static void on_dir_row(void *ctx, const struct directory_row *row)
{
    static const char *const KINDS[] = {"", "unit", "account", "set", "user", "group", "member"};

    (void)ctx;
    printf("%s %s parent=%s session=%lld managed=%d state=%d name=%s\n", KINDS[row->kind], row->id,
           row->parent, (long long)row->session_s, (int)row->managed, (int)row->state, row->name);
}

static void on_part(void *ctx, enum directory_part part, const struct aws_failure *failure,
                    uint32_t left_out)
{
    char text[AWS_FAILURE_CAP] = "", what[64];

    (void)ctx;
    if (failure)
        aws_failure_text(failure, text);
    snprintf(what, sizeof what, "part %d after %.1f s", (int)part,
             (double)(clock_us() - began_us) / 1e6);
    say(what, failure ? "failed" : "complete", text);
    if (left_out > 0)
        printf("left out %u\n", left_out);
}

static void on_dir_done(void *ctx)
{
    (void)ctx;
    under_way--;
}

static bool on_wanted(void *ctx, const char *group, const char *name)
{
    (void)group;
    return !((const char *)ctx)[0] || strcmp(ctx, name) == 0;
}

static void do_sync(const char *line)
{
    static const char *const NAMES[] = {"accounts", "sets", "users", "groups"};
    char what[32] = "", wanted[64] = "";
    struct directory_calls calls = {on_dir_row, on_part, on_dir_done, NULL, on_wanted, wanted};
    struct directory_sync *sync;
    unsigned parts = DIRECTORY_ALL;
    int r;

    sscanf(line, "sync %31s wanted %63s", what, wanted);
    for (unsigned i = 0; i < 4; i++)
        if (strcmp(what, NAMES[i]) == 0)
            parts = 1U << i;
    if (!assignments)
        do_place();
    began_us = clock_us();
    r = directory_sync(aws, &place, parts, &calls, &sync);
    if (r < 0)
        give_up(line, r);
    under_way++;
    wait_for_all();
    directory_sync_free(sync);
}

static void on_account(void *ctx, const char *account)
{
    (void)ctx;
    say("provisioned", account, "");
}

static void on_accounts(void *ctx, const struct aws_failure *failure)
{
    (void)ctx;
    under_way--;
    say("provisioned", failure ? "failed" : "complete", "");
}

static void do_provisioned(const char *line)
{
    struct provisioned_calls calls = {on_account, on_accounts, NULL};
    struct provisioned_op *op;
    char set[AWS_SET_ARN_CAP] = "";

    sscanf(line, "provisioned %127s", set);
    if (!assignments)
        do_place();
    if (provisioned_list(aws, place.instance, set, &calls, &op) < 0)
        give_up(line, -EAGAIN);
    under_way++;
}

/* ---- the rest ------------------------------------------------------------------------------- */

static int slept(sd_event_source *source, uint64_t at, void *ctx)
{
    (void)source;
    (void)at;
    *(bool *)ctx = true;
    return 0;
}

static void do_sleep(const char *line)
{
    sd_event_source *timer = NULL;
    unsigned long ms = strtoul(line + strlen("sleep"), NULL, 10);
    bool over = false;

    if (sd_event_add_time_relative(loop, &timer, CLOCK_MONOTONIC, ms * 1000, 1, slept, &over) < 0)
        give_up(line, -ENOMEM);
    while (!over)
        sd_event_run(loop, UINT64_MAX);
    sd_event_source_disable_unref(timer);
}

static void do_memory(void)
{
    char line[128];
    FILE *f = fopen("/proc/self/status", "re");

    while (f && fgets(line, sizeof line, f))
        if (strncmp(line, "VmHWM:", 6) == 0)
            printf("memory: %lu\n", strtoul(line + 6, NULL, 10));
    if (f)
        fclose(f);
}

static void obey(const char *line)
{
    static const struct {
        const char *word;
        enum assignment_step step;
    } STEPS[] = {{"look-up ", ASSIGNMENT_LOOK_UP},
                 {"grant ", ASSIGNMENT_GRANT},
                 {"remove ", ASSIGNMENT_REMOVE},
                 {"list ", ASSIGNMENT_LIST}};

    for (size_t i = 0; i < sizeof STEPS / sizeof STEPS[0]; i++)
        if (strncmp(line, STEPS[i].word, strlen(STEPS[i].word)) == 0) {
            do_step(STEPS[i].step, line);
            return;
        }
    if (strcmp(line, "place") == 0) {
        do_place();
        printf("place: %s %s %s %s\n", place.delegated ? "delegated" : "management", place.account,
               place.instance, place.store);
    } else if (strncmp(line, "sync", 4) == 0)
        do_sync(line);
    else if (strncmp(line, "provisioned ", 12) == 0)
        do_provisioned(line);
    else if (strcmp(line, "wait") == 0)
        wait_for_all();
    else if (strncmp(line, "sleep ", 6) == 0)
        do_sleep(line);
    else if (strcmp(line, "memory") == 0)
        do_memory();
    else if (strcmp(line, "cancel") == 0) {
        last = assignment_cancel(last);
        free(last_line);
        under_way--;
    } else
        give_up(line, -EINVAL);
}

static void on_say(void *ctx, int priority, const char *line)
{
    (void)ctx;
    fprintf(stderr, "hands: <%d> %s\n", priority, line);
}

int main(void)
{
    struct aws_setup setup = {.environment = environ, .say = on_say};
    char why[AWS_TEXT_CAP] = "", line[512];
    int r;

    r = sd_event_new(&loop);
    if (r >= 0)
        r = aws_client_new(loop, &setup, &aws, why);
    if (r < 0)
        give_up(why, r);
    while (fgets(line, sizeof line, stdin)) {
        line[strcspn(line, "\n")] = '\0';
        if (line[0])
            obey(line);
    }
    wait_for_all();
    assignments_free(assignments);
    aws_client_free(aws);
    sd_event_unref(loop);
    return 0;
}
