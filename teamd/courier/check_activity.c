#include "courier/check_activity.h"

#include "courier/failure.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define FEW_US  (60 * SECOND_US)      /* read as a list */
#define MANY_US (20 * 60 * SECOND_US) /* by a query */

struct check_activity {
    sd_event *loop;
    struct activity_setup setup;
    struct check_activity_calls calls;
    struct activity_clients clients;
    char account[AWS_ACCOUNT_CAP];
    struct activity_place place; /* that is being tried */
    const char *regions[ACTIVITY_REGIONS_MAX];
    struct activity_source source;
    struct activity_fetch *fetch;
    size_t at;    /* its number */
    bool queried; /* the second way is being tried */
    bool gap;
    unsigned bad;
    sd_event_source *next;
};

static void say(struct check_activity *c, bool good, const char *what)
{
    char text[AWS_FAILURE_CAP + 256], name[ACTIVITY_NAME_CAP];

    activity_place_name(&c->place, name);
    snprintf(text, sizeof text, "%s%s%s: %s", name, c->place.role[0] ? ", as " : "",
             c->source.aws ? c->place.role : "", what);
    c->calls.found(c->calls.ctx, good, text);
    if (!good)
        c->bad |= 1u << c->place.kind;
}

static void on_event(void *ctx, const struct activity_event *e, const char *raw, size_t raw_len)
{
    (void)ctx;
    (void)e;
    (void)raw;
    (void)raw_len;
}

static void on_gap(void *ctx, struct wall from, struct wall until, const char *why)
{
    struct check_activity *c = ctx;

    (void)from;
    (void)until;
    c->gap = true;
    say(c, false, why);
}

/* Outside of all callbacks. */
static void go_on(struct check_activity *c)
{
    sd_event_source_set_enabled(c->next, SD_EVENT_ONESHOT);
}

static void on_done(void *ctx)
{
    struct check_activity *c = ctx;

    c->fetch = NULL;
    if (!c->gap && c->place.kind == ACTIVITY_LOGS && !c->queried) {
        say(c, true, "it can be read with FilterLogEvents");
        c->queried = true;
    } else {
        if (!c->gap)
            say(c, true,
                c->place.kind == ACTIVITY_LOOKUP ? "it can be read" : "it can be read by a query");
        activity_clients_give(&c->clients, c->source.aws);
        c->source.aws = NULL;
        c->at++;
        c->queried = false;
    }
    go_on(c);
}

static void try_it(struct check_activity *c)
{
    const struct activity_calls calls = {
        .event = on_event, .gap = on_gap, .done = on_done, .ctx = c};
    struct timespec t;
    struct wall now;
    struct activity_scope scope = {c->account, "-", "nobody", "nobody", {0}, {0}};

    clock_gettime(CLOCK_REALTIME, &t);
    now = (struct wall){(int64_t)t.tv_sec * SECOND_US};
    scope.until = now;
    scope.from.us = now.us - (c->queried ? MANY_US : FEW_US);
    c->gap = false;
    if (activity_fetch(&c->source, &scope, now, !c->queried, &calls, &c->fetch) < 0) {
        on_gap(c, now, now, "out of memory");
        on_done(c);
    }
}

static bool begin(struct check_activity *c)
{
    char role[ACTIVITY_ROLE_ARN_CAP], why[AWS_TEXT_CAP];

    memset(&c->place, 0, sizeof c->place);
    if (!c->setup.place(c->setup.ctx, c->at, &c->place))
        return false;
    activity_place_role(&c->place, c->account, role);
    activity_place_source(&c->place, c->regions, &c->source);
    c->source.loop = c->loop;
    c->source.aws = activity_clients_take(&c->clients, role, c->place.external_id, why);
    if (c->source.aws) {
        try_it(c);
        return true;
    }
    say(c, false, why);
    c->at++;
    go_on(c);
    return true;
}

static int on_next(sd_event_source *source, void *ctx)
{
    struct check_activity *c = ctx;

    (void)source;
    if (c->queried)
        try_it(c);
    else if (!begin(c))
        c->calls.done(c->calls.ctx, c->bad);
    return 0;
}

int check_activity_start(sd_event *loop, struct aws_client *own, const struct activity_setup *setup,
                         const char *account, const struct check_activity_calls *calls,
                         struct check_activity **ret)
{
    struct check_activity *c = calloc(1, sizeof *c);

    if (!c)
        return -ENOMEM;
    c->loop = loop;
    c->setup = *setup;
    c->calls = *calls;
    c->clients.make = setup->client;
    c->clients.ctx = setup->ctx;
    c->clients.own = own;
    snprintf(c->account, sizeof c->account, "%s", account);
    if (sd_event_add_defer(loop, &c->next, on_next, c) < 0) {
        check_activity_free(c);
        return -ENOMEM;
    }
    *ret = c;
    return 0;
}

struct check_activity *check_activity_free(struct check_activity *c)
{
    if (!c)
        return NULL;
    activity_fetch_cancel(c->fetch);
    activity_clients_free(&c->clients);
    sd_event_source_disable_unref(c->next);
    free(c);
    return NULL;
}
