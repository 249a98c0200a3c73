#include "courier/activity_jobs.h"
#include "courier/activity_raw.h"
#include "courier/failure.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum {
    JOBS_MAX = 16384,
    PACKET_FULL = 24 * 1024, /* bytes: a row has 37 kB at most */
    WAITING_MAX = 4,         /* packets in the link */
};

/* How many are read at once, and how many of them if nobody waits for it. CloudWatch Logs lets 30
 * queries of an account run, Lake 10, and we are not alone. */
static const struct {
    unsigned all, sometime;
} TURNS[] = {[ACTIVITY_LOGS] = {15, 10}, [ACTIVITY_LOOKUP] = {16, 12}, [ACTIVITY_LAKE] = {5, 3}};

/* The sources, as they were when a job came. */
struct places {
    unsigned users;
    size_t n;
    struct activity_place at[ACTIVITY_PLACES_MAX];
    uint64_t slow_until[ACTIVITY_PLACES_MAX]; /* see activity_source.h */
    const char *regions[ACTIVITY_PLACES_MAX][ACTIVITY_REGIONS_MAX];
};

/* One source, read for one job. */
struct reading {
    struct job *job;
    const struct activity_place *place;
    struct activity_source source;
    struct activity_fetch *fetch; /* while it is read */
    bool over;
};

struct job {
    struct job *next;
    struct activity_jobs *jobs;
    uint64_t number, round;
    char account[AWS_ACCOUNT_CAP], set[AWS_SET_NAME_CAP], user[ACTIVITY_USER_CAP],
        user_id[AWS_PRINCIPAL_CAP];
    struct wall from, until;
    bool soon;
    bool dead;      /* nobody waits for it any more */
    bool lost;      /* teamd did not keep what it was told */
    size_t unheard; /* packets that it has not answered */
    struct places *places;
    size_t n;
    struct reading at[ACTIVITY_PLACES_MAX];
};

struct activity_jobs {
    sd_event *loop;
    struct link *link;
    struct activity_setup setup;
    struct activity_clients clients;
    struct job *first;
    size_t n;
    struct places *places;  /* of the last job */
    unsigned turns[4];      /* by kind: how many are being read */
    sd_event_source *later; /* starts and ends what is due, outside of all callbacks */
    struct job *packing;    /* whose rows are in the packet; NULL: nobody's */
    struct wire_out out;
    char packet[TEAM_PACKET_MAX], raw[ACTIVITY_RAW_MAX + 1];
};

static void look_later(struct activity_jobs *j)
{
    sd_event_source_set_enabled(j->later, SD_EVENT_ONESHOT);
}

/* ---- sources as they are configured -----------------------------------------------------------
 */

static struct places *read_places(const struct activity_jobs *j)
{
    struct places *p = calloc(1, sizeof *p);

    if (!p)
        return NULL;
    while (p->n < ACTIVITY_PLACES_MAX && j->setup.place(j->setup.ctx, p->n, &p->at[p->n]))
        p->n++;
    return p;
}

static void leave(struct places *p)
{
    if (p && --p->users == 0)
        free(p);
}

/* Most jobs have the same ones. */
static struct places *join_places(struct activity_jobs *j)
{
    struct places *fresh = read_places(j);

    if (!fresh)
        return NULL;
    if (j->places && j->places->n == fresh->n &&
        memcmp(j->places->at, fresh->at, sizeof fresh->at) == 0) {
        free(fresh);
    } else {
        leave(j->places);
        j->places = fresh;
        fresh->users = 1;
    }
    j->places->users++;
    return j->places;
}

/* ---- packets ----------------------------------------------------------------------------------
 */

static void heard(void *ctx, uint64_t code)
{
    struct job *job = ctx;

    job->unheard--;
    if (code == TEAM_NOT_FOUND)
        job->dead = true;
    else if (code != TEAM_DONE)
        job->lost = true;
    look_later(job->jobs);
}

static void flush(struct activity_jobs *j)
{
    struct job *job = j->packing;

    if (!job)
        return;
    j->packing = NULL;
    if (job->dead)
        return;
    job->unheard++;
    if (link_send(j->link, j->packet, wire_finish(&j->out), heard, job) || job->dead)
        return;
    job->unheard--;
    job->lost = true;
}

static struct wire_mark row_begin(struct job *job, const char *kind)
{
    struct activity_jobs *j = job->jobs;
    struct wire_mark mark;

    if (j->packing && (j->packing != job || j->out.len > PACKET_FULL))
        flush(j);
    if (!j->packing) {
        j->out = wire_begin(j->packet, sizeof j->packet, TEAM_ASK, TEAM_OP_FOUND);
        wire_put_u64(&j->out, TEAM_JOB, job->number);
        wire_put_u64(&j->out, TEAM_ROUND, job->round);
        j->packing = job;
    }
    mark = wire_group(&j->out, TEAM_ROW);
    wire_put(&j->out, TEAM_KIND, kind);
    return mark;
}

static bool row_end(struct activity_jobs *j, struct wire_mark mark)
{
    wire_group_end(&j->out, mark);
    if (!j->out.bad)
        return true;
    wire_rewind(&j->out, mark);
    return false;
}

static void put_gap(struct job *job, struct wall from, struct wall until, const char *why)
{
    struct wire_mark mark = row_begin(job, "gap");
    char plain[481];

    text_make_plain(plain, sizeof plain, why, strlen(why));
    wire_put_u64(&job->jobs->out, TEAM_AT, (uint64_t)from.us);
    wire_put_u64(&job->jobs->out, TEAM_UNTIL, (uint64_t)until.us);
    wire_put(&job->jobs->out, TEAM_TEXT, plain);
    row_end(job->jobs, mark);
}

static bool put_call(struct job *job, const struct activity_event *e, size_t raw_len, size_t size)
{
    struct wire_mark mark = row_begin(job, "call");
    struct wire_out *out = &job->jobs->out;

    wire_put_u64(out, TEAM_AT, (uint64_t)e->at.us);
    wire_put(out, TEAM_EVENT_ID, e->id);
    wire_put(out, TEAM_EVENT_NAME, e->name);
    wire_put(out, TEAM_EVENT_SOURCE, e->source[0] ? e->source : "-");
    wire_put(out, TEAM_REGION, e->region);
    wire_put(out, TEAM_ADDRESS, e->address);
    wire_put(out, TEAM_RESOURCE, e->resource);
    wire_put(out, TEAM_ERROR, e->error);
    if (e->read_only)
        wire_put_u64(out, TEAM_READ_ONLY, 1);
    if (raw_len > 0) {
        wire_put_n(out, TEAM_RAW, job->jobs->raw, raw_len);
        wire_put_u64(out, TEAM_RAW_SIZE, size);
    }
    return row_end(job->jobs, mark);
}

/* ---- one source -------------------------------------------------------------------------------
 */

/* A gap is that of a source; another one may have what is missing, or not have all of it. */
static void source_gap(const struct reading *r, struct wall from, struct wall until,
                       const char *why)
{
    char name[ACTIVITY_NAME_CAP], told[AWS_FAILURE_CAP + ACTIVITY_NAME_CAP];

    activity_place_name(r->place, name);
    snprintf(told, sizeof told, "%s: %s", name, why);
    put_gap(r->job, from, until, told);
}

static void on_gap(void *ctx, struct wall from, struct wall until, const char *why)
{
    source_gap(ctx, from, until, why);
}

static void on_event(void *ctx, const struct activity_event *e, const char *raw, size_t raw_len)
{
    const struct reading *r = ctx;
    size_t size, len = activity_raw(raw, raw_len, r->job->jobs->raw, &size);

    if (!put_call(r->job, e, len, size) && !put_call(r->job, e, 0, 0))
        source_gap(r, e->at, e->at, "an event has no form that could be told");
}

static bool is_full(void *ctx)
{
    const struct reading *r = ctx;

    return r->job->dead || link_waiting(r->job->jobs->link) >= WAITING_MAX;
}

static void on_so_far(void *ctx)
{
    const struct reading *r = ctx;

    if (r->job->jobs->packing == r->job)
        flush(r->job->jobs);
}

static void end_reading(struct reading *r)
{
    struct activity_jobs *j = r->job->jobs;

    r->fetch = NULL;
    r->over = true;
    j->turns[r->place->kind]--;
    if (r->source.aws)
        activity_clients_give(&j->clients, r->source.aws);
    r->source.aws = NULL;
    on_so_far(r);
    look_later(j);
}

static void on_done(void *ctx)
{
    end_reading(ctx);
}

static struct wall now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_REALTIME, &t);
    return (struct wall){(int64_t)t.tv_sec * SECOND_US + t.tv_nsec / 1000};
}

static void begin_reading(struct reading *r)
{
    struct job *job = r->job;
    struct activity_jobs *j = job->jobs;
    const struct activity_scope scope = {job->account, job->set,  job->user,
                                         job->user_id, job->from, job->until};
    const struct activity_calls calls = {on_event, on_gap, is_full, on_so_far, on_done, r};
    char role[ACTIVITY_ROLE_ARN_CAP], why[AWS_TEXT_CAP];

    j->turns[r->place->kind]++;
    activity_place_role(r->place, job->account, role);
    activity_place_source(r->place, job->places->regions[r - job->at], &r->source);
    r->source.loop = j->loop;
    r->source.slow_until = &job->places->slow_until[r - job->at];
    r->source.aws = activity_clients_take(&j->clients, role, r->place->external_id, why);
    if (!r->source.aws) {
        source_gap(r, job->from, job->until, why);
        end_reading(r);
    } else if (activity_fetch(&r->source, &scope, now(), job->soon, &calls, &r->fetch) < 0) {
        source_gap(r, job->from, job->until, "team-courier is out of memory");
        end_reading(r);
    }
}

/* ---- jobs -------------------------------------------------------------------------------------
 */

/* Not from inside of a callback of its readings. */
static void stop_readings(struct job *job)
{
    if (job->jobs->packing == job)
        job->jobs->packing = NULL;
    for (size_t i = 0; i < job->n; i++) {
        struct reading *r = &job->at[i];

        if (r->fetch) {
            activity_fetch_cancel(r->fetch);
            end_reading(r);
        }
        r->over = true;
    }
}

static bool is_over(const struct job *job)
{
    for (size_t i = 0; i < job->n; i++)
        if (!job->at[i].over)
            return false;
    return true;
}

static void forget(struct activity_jobs *j, struct job **at)
{
    struct job *job = *at;

    *at = job->next;
    j->n--;
    leave(job->places);
    free(job);
}

/* What nobody waits for stops; what is over and was kept is done. */
static void end_jobs(struct activity_jobs *j)
{
    for (struct job **at = &j->first, *job; (job = *at);) {
        if (job->dead)
            stop_readings(job);
        if (job->unheard > 0 || !is_over(job)) {
            at = &job->next;
            continue;
        }
        if (!job->dead)
            link_result(j->link, job->number, job->round, job->lost ? "failed" : "done",
                        job->lost ? "teamd could not keep what was found" : "");
        forget(j, at);
    }
}

static void begin_some(struct activity_jobs *j, bool soon)
{
    for (struct job *job = j->first; job; job = job->next) {
        if (job->dead || job->soon != soon)
            continue;
        for (size_t i = 0; i < job->n; i++) {
            struct reading *r = &job->at[i];
            enum activity_kind kind = r->place->kind;

            if (!r->over && !r->fetch &&
                j->turns[kind] < (soon ? TURNS[kind].all : TURNS[kind].sometime))
                begin_reading(r);
        }
    }
}

static int on_later(sd_event_source *source, void *ctx)
{
    struct activity_jobs *j = ctx;

    (void)source;
    end_jobs(j);
    begin_some(j, true);
    begin_some(j, false);
    return 0;
}

static bool take_text(const char *s, char *out, size_t cap)
{
    return s[0] && (size_t)snprintf(out, cap, "%s", s) < cap;
}

/* NULL if it can be done, or why not. */
static const char *fill(struct job *job, const struct link_job *from)
{
    struct activity_jobs *j = job->jobs;

    *job = (struct job){.jobs = j,
                        .number = from->number,
                        .round = from->round,
                        .from = {(int64_t)from->since},
                        .until = {(int64_t)from->until},
                        .soon = from->soon};
    if (!aws_account_fits(from->account) ||
        !take_text(from->account, job->account, sizeof job->account) ||
        !take_text(from->set_name, job->set, sizeof job->set) ||
        !take_text(from->label, job->user, sizeof job->user) ||
        !take_text(from->principal, job->user_id, sizeof job->user_id) ||
        from->since > from->until || from->until > INT64_MAX / 2)
        return "that is not the form of an account, a permission set, a user and a time";
    job->places = join_places(j);
    if (!job->places)
        return "team-courier is out of memory";
    if (job->places->n == 0)
        return "aws.activity names no source";
    job->n = job->places->n;
    for (size_t i = 0; i < job->n; i++)
        job->at[i] = (struct reading){.job = job, .place = &job->places->at[i]};
    return NULL;
}

static struct job *find(const struct activity_jobs *j, uint64_t number)
{
    for (struct job *job = j->first; job; job = job->next)
        if (!job->dead && job->number == number)
            return job;
    return NULL;
}

static void append(struct activity_jobs *j, struct job *job)
{
    struct job **at = &j->first;

    while (*at)
        at = &(*at)->next;
    *at = job;
    j->n++;
}

void activity_jobs_take(struct activity_jobs *j, const struct link_job *from)
{
    struct job *job = find(j, from->number);
    const char *why = "team-courier has too much to do; try again";

    if (job && job->round == from->round)
        return;
    if (job) {
        job->dead = true;
        look_later(j);
    }
    job = j->n < JOBS_MAX ? calloc(1, sizeof *job) : NULL;
    if (job) {
        job->jobs = j;
        why = fill(job, from);
    }
    if (!why) {
        append(j, job);
        look_later(j);
        return;
    }
    if (job)
        leave(job->places);
    free(job);
    link_result(j->link, from->number, from->round, "failed", why);
}

void activity_jobs_room(struct activity_jobs *j)
{
    for (unsigned turn = 0; turn < 2; turn++)
        for (struct job *job = j->first; job; job = job->next)
            for (size_t i = 0; i < job->n && !job->dead; i++)
                if (job->soon == (turn == 0) && job->at[i].fetch)
                    activity_fetch_go_on(job->at[i].fetch);
}

/* It may be a callback of a reading that has found out. */
void activity_jobs_down(struct activity_jobs *j)
{
    j->packing = NULL;
    for (struct job *job = j->first; job; job = job->next) {
        job->dead = true;
        job->unheard = 0;
    }
    look_later(j);
}

void activity_jobs_reload(struct activity_jobs *j)
{
    activity_clients_reload(&j->clients);
}

size_t activity_jobs_count(const struct activity_jobs *j)
{
    return j->n;
}

/* ---- life -------------------------------------------------------------------------------------
 */

int activity_jobs_new(sd_event *loop, struct link *link, struct aws_client *own,
                      const struct activity_setup *setup, struct activity_jobs **ret)
{
    struct activity_jobs *j = calloc(1, sizeof *j);

    if (!j)
        return -ENOMEM;
    j->loop = loop;
    j->link = link;
    j->setup = *setup;
    j->clients.make = setup->client;
    j->clients.ctx = setup->ctx;
    j->clients.own = own;
    if (sd_event_add_defer(loop, &j->later, on_later, j) < 0 ||
        sd_event_source_set_enabled(j->later, SD_EVENT_OFF) < 0) {
        activity_jobs_free(j);
        return -ENOMEM;
    }
    *ret = j;
    return 0;
}

struct activity_jobs *activity_jobs_free(struct activity_jobs *j)
{
    if (!j)
        return NULL;
    while (j->first) {
        stop_readings(j->first);
        forget(j, &j->first);
    }
    leave(j->places);
    activity_clients_free(&j->clients);
    sd_event_source_disable_unref(j->later);
    free(j);
    return NULL;
}
