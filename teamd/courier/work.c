#include "courier/work_parts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <syslog.h>

/* Jobs about single assignments, and who we are for AWS. */

enum {
    PLACE_AGAIN_S = 1, /* doubled with each failure, */
    PLACE_AGAIN_MAX_S = 60,
};

/* ---- jobs -------------------------------------------------------------------------------------
 */

/* One row of the outbox that is being worked on. */
struct job {
    struct job *next;
    struct work *work;
    uint64_t number, round;
    enum assignment_step step;
    struct assignment assignment;
    struct assignment_op *op; /* NULL: waits until we know where Identity Center is */
};

static struct job **find(struct work *w, uint64_t number)
{
    struct job **at = &w->jobs[number % JOB_HEADS];

    while (*at && (*at)->number != number)
        at = &(*at)->next;
    return at;
}

static void forget(struct work *w, struct job **at)
{
    struct job *j = *at;

    if (!j)
        return;
    *at = j->next;
    w->n_jobs--;
    free(j);
}

static const char *outcome_text(enum assignment_outcome outcome)
{
    switch (outcome) {
    case ASSIGNMENT_THERE:
        return "there";
    case ASSIGNMENT_NOT_THERE:
        return "absent";
    case ASSIGNMENT_GRANTED:
        return "made";
    case ASSIGNMENT_GONE:
        return "gone";
    case ASSIGNMENT_LISTED:
    case ASSIGNMENT_FAILED:
        break;
    }
    return "failed";
}

/* A removal that cannot go on is tried again by the queue; should it give up all the same, teamd
 * hands it over again with the next connection. */
static void done(void *ctx, const struct assignment_result *result)
{
    struct job *j = ctx;
    struct work *w = j->work;

    link_result(w->link, j->number, j->round, outcome_text(result->outcome), result->text);
    forget(w, find(w, j->number));
}

static void waits(void *ctx, enum assignment_why why, const char *text)
{
    struct job *j = ctx;

    (void)why;
    link_result(j->work->link, j->number, j->round, "waits", text);
}

static void begin(struct job *j)
{
    struct work *w = j->work;
    struct assignment_calls calls = {.done = done, .waits = waits, .ctx = j};
    int r;

    if (!w->assignments)
        return;
    r = assignment_start(w->assignments, j->step, &j->assignment, &calls, &j->op);
    if (r == 0)
        return;
    j->op = NULL;
    if (r == -EINVAL && j->step != ASSIGNMENT_REMOVE) {
        link_result(w->link, j->number, j->round, "failed",
                    "that is not the form of an account, a permission set and a user");
        forget(w, find(w, j->number));
        return;
    }
    w->starved = true; /* tried again when something has ended */
}

static void begin_all(struct work *w)
{
    w->starved = false;
    for (size_t i = 0; i < JOB_HEADS; i++)
        for (struct job *j = w->jobs[i], *next; j; j = next) {
            next = j->next;
            if (!j->op)
                begin(j);
        }
}

static bool read_step(const char *word, enum assignment_step *ret)
{
    static const struct {
        const char *word;
        enum assignment_step step;
    } STEPS[] = {{"look", ASSIGNMENT_LOOK_UP},
                 {"check", ASSIGNMENT_LOOK_UP},
                 {"make", ASSIGNMENT_GRANT},
                 {"remove", ASSIGNMENT_REMOVE}};

    for (size_t i = 0; i < sizeof STEPS / sizeof STEPS[0]; i++)
        if (strcmp(STEPS[i].word, word) == 0) {
            *ret = STEPS[i].step;
            return true;
        }
    return false;
}

static void copy(char *out, size_t cap, const char *s)
{
    struct text t = text_over(out, cap);

    text_put(&t, s);
}

/* A later question takes the place of an earlier one; the same again goes on. */
static void take_assignment(struct work *w, const struct link_job *job, enum assignment_step step)
{
    struct job **at = find(w, job->number), *j = *at;

    if (j && j->round == job->round && j->step == step)
        return;
    if (j) {
        j->op = assignment_cancel(j->op);
        forget(w, at);
    }
    j = calloc(1, sizeof *j);
    if (!j) {
        w->policy.start_anew(w->policy.ctx);
        return;
    }
    *j = (struct job){.work = w, .number = job->number, .round = job->round, .step = step};
    copy(j->assignment.account, sizeof j->assignment.account, job->account);
    copy(j->assignment.set, sizeof j->assignment.set, job->set_arn);
    copy(j->assignment.principal, sizeof j->assignment.principal, job->principal);
    j->assignment.kind = AWS_USER;
    j->next = w->jobs[job->number % JOB_HEADS];
    w->jobs[job->number % JOB_HEADS] = j;
    w->n_jobs++;
    begin(j);
    if (w->trouble[0] && !w->assignments)
        link_result(w->link, job->number, job->round, "waits", w->trouble);
}

static void on_job(void *ctx, const struct link_job *job)
{
    struct work *w = ctx;
    enum assignment_step step;

    if (strcmp(job->step, "refresh") == 0)
        sync_start(w, job);
    else if (strcmp(job->step, "inventory") == 0)
        inventory_start(w, job);
    else if (strcmp(job->step, "activity") == 0)
        activity_jobs_take(w->activity, job);
    else if (read_step(job->step, &step))
        take_assignment(w, job, step);
    else
        link_result(w->link, job->number, job->round, "failed",
                    "this team-courier does not know that step");
}

/* ---- who we are -------------------------------------------------------------------------------
 */

static void tell_all(struct work *w, const char *trouble)
{
    for (size_t i = 0; i < JOB_HEADS; i++)
        for (const struct job *j = w->jobs[i]; j; j = j->next)
            if (!j->op)
                link_result(w->link, j->number, j->round, "waits", trouble);
}

static void look_again(struct work *w)
{
    w->again_s = w->again_s == 0 ? PLACE_AGAIN_S : w->again_s * 2;
    if (w->again_s > PLACE_AGAIN_MAX_S)
        w->again_s = PLACE_AGAIN_MAX_S;
    sd_event_source_set_time_relative(w->again, w->again_s * UINT64_C(1000000));
    sd_event_source_set_enabled(w->again, SD_EVENT_ONESHOT);
}

static void found(void *ctx, const struct aws_place *place, const struct aws_failure *failure)
{
    struct work *w = ctx;
    char text[AWS_FAILURE_CAP], line[AWS_FAILURE_CAP + 64];

    w->finding = NULL;
    if (failure) {
        aws_failure_text(failure, text);
        if (strcmp(text, w->trouble) != 0) {
            snprintf(line, sizeof line, "AWS cannot be asked: %s", text);
            w->policy.say(w->policy.ctx, LOG_WARNING, line);
            copy(w->trouble, sizeof w->trouble, text);
            tell_all(w, text);
        }
        sync_failed(w, text);
        inventory_failed(w, text);
        if (!w->assignments)
            look_again(w);
        return;
    }
    w->trouble[0] = '\0';
    w->again_s = 0;
    if (w->assignments && strcmp(w->place.instance, place->instance) != 0) {
        w->policy.say(w->policy.ctx, LOG_WARNING, "Identity Center is another one; starting anew");
        w->policy.start_anew(w->policy.ctx);
        return;
    }
    w->place = *place;
    if (!w->assignments &&
        assignments_new(w->loop, w->aws, w->place.instance, &w->assignments) < 0) {
        look_again(w);
        return;
    }
    begin_all(w);
    sync_found(w);
    inventory_found(w);
}

void find_place(struct work *w)
{
    if (!w->finding && aws_place_find(w->aws, found, w, &w->finding) < 0)
        look_again(w);
}

static int on_again(sd_event_source *source, uint64_t usec, void *ctx)
{
    (void)source;
    (void)usec;
    find_place(ctx);
    return 0;
}

/* ---- the link ---------------------------------------------------------------------------------
 */

/* What is under way goes on: its rows come again, and are then the same. */
static void on_up(void *ctx)
{
    struct work *w = ctx;

    if (!w->assignments)
        find_place(w);
    if (w->starved)
        begin_all(w);
}

static void on_down(void *ctx)
{
    struct work *w = ctx;

    sync_stop(w);
    inventory_stop(w);
    activity_jobs_down(w->activity);
}

static void on_room(void *ctx)
{
    struct work *w = ctx;

    activity_jobs_room(w->activity);
    if (w->starved)
        begin_all(w);
}

static void on_say(void *ctx, int priority, const char *line)
{
    struct work *w = ctx;

    w->policy.say(w->policy.ctx, priority, line);
}

/* ---- life -------------------------------------------------------------------------------------
 */

int work_new(sd_event *loop, struct aws_client *aws, const char *socket,
             const struct work_policy *policy, struct work **ret)
{
    struct link_calls calls = {
        .job = on_job, .up = on_up, .down = on_down, .room = on_room, .say = on_say};
    struct work *w = calloc(1, sizeof *w);
    int r;

    if (!w)
        return -ENOMEM;
    w->loop = loop;
    w->aws = aws;
    w->policy = *policy;
    calls.ctx = w;
    if ((r = sd_event_add_time_relative(loop, &w->again, CLOCK_BOOTTIME, 0, 0, on_again, w)) < 0 ||
        (r = sd_event_source_set_enabled(w->again, SD_EVENT_OFF)) < 0 ||
        (r = link_new(loop, socket, &calls, &w->link)) < 0 ||
        (r = activity_jobs_new(loop, w->link, aws, &policy->activity, &w->activity)) < 0) {
        work_free(w);
        return r;
    }
    *ret = w;
    return 0;
}

struct work *work_free(struct work *w)
{
    if (!w)
        return NULL;
    w->activity = activity_jobs_free(w->activity);
    w->link = link_free(w->link);
    sync_stop(w);
    inventory_stop(w);
    sync_forget(w);
    w->finding = aws_place_cancel(w->finding);
    w->assignments = assignments_free(w->assignments);
    for (size_t i = 0; i < JOB_HEADS; i++)
        while (w->jobs[i])
            forget(w, &w->jobs[i]);
    sd_event_source_disable_unref(w->again);
    free(w);
    return NULL;
}

void work_reload(struct work *w)
{
    activity_jobs_reload(w->activity);
}

void work_status(const struct work *w, struct work_status *ret)
{
    struct text t = text_over(ret->identity, sizeof ret->identity);

    ret->jobs = w->n_jobs + activity_jobs_count(w->activity);
    ret->connected = link_is_up(w->link);
    text_put(&t, w->place.identity);
}
