#include "courier/client.h"
#include "courier/secret.h"
#include "courier/why.h"

#include <errno.h>
#include <malloc.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <syslog.h>
#include <team/text.h>
#include <time.h>

/* The client: queues by service and region, and whose turn it is. */

enum {
    LANE_FLYING_MAX = 8,
    FLYING_MAX = 20, /* below HTTP_CONNECTIONS_MAX: credentials need some, too */
    STS_ATTEMPTS = 3,
};
#define PATIENCE_US     (600 * SECOND_US)
#define STS_PATIENCE_US (30 * SECOND_US)

/* ---- small things ------------------------------------------------------------------------------
 */

void client_say(const struct aws_client *c, int priority, const char *format, ...)
{
    char line[1024], plain[1024];
    va_list args;

    if (!c->say)
        return;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    text_make_plain(plain, sizeof plain, line, strlen(line));
    c->say(c->ctx, priority, plain);
}

struct wall client_now(const struct aws_client *c)
{
    struct timespec t;

    clock_gettime(CLOCK_REALTIME, &t);
    return (struct wall){(int64_t)t.tv_sec * SECOND_US + t.tv_nsec / 1000 + c->clock_ahead_us};
}

struct boot client_boot(void)
{
    struct timespec t;

    clock_gettime(CLOCK_BOOTTIME, &t);
    return (struct boot){(int64_t)t.tv_sec * SECOND_US + t.tv_nsec / 1000};
}

uint32_t client_chance(void)
{
    uint32_t v = 0;

    return getrandom(&v, sizeof v, GRND_NONBLOCK) == sizeof v ? v : UINT32_MAX;
}

void call_list_remove(struct aws_call *call)
{
    struct call_list *list = call->list;

    if (!list)
        return;
    if (call->previous)
        call->previous->next = call->next;
    else
        list->first = call->next;
    if (call->next)
        call->next->previous = call->previous;
    else
        list->last = call->previous;
    call->next = call->previous = NULL;
    call->list = NULL;
}

void call_list_append(struct call_list *list, struct aws_call *call)
{
    call->list = list;
    call->previous = list->last;
    call->next = NULL;
    if (list->last)
        list->last->next = call;
    else
        list->first = call;
    list->last = call;
}

static void call_list_prepend(struct call_list *list, struct aws_call *call)
{
    call->list = list;
    call->next = list->first;
    call->previous = NULL;
    if (list->first)
        list->first->previous = call;
    else
        list->last = call;
    list->first = call;
}

/* ---- lanes -------------------------------------------------------------------------------------
 */

static struct aws_call *lane_next(const struct lane *l)
{
    return l->waiting[AWS_SOON].first ? l->waiting[AWS_SOON].first : l->waiting[AWS_SOMETIME].first;
}

static void lane_wake_in(struct lane *l, int64_t us)
{
    if (sd_event_source_set_time_relative(l->timer, (uint64_t)us) < 0 ||
        sd_event_source_set_enabled(l->timer, SD_EVENT_ONESHOT) < 0)
        client_say(l->client, LOG_ERR, "no memory for a timer; calls to %s wait",
                   aws_service_name(l->service));
}

void lane_wake(struct lane *l)
{
    if (lane_next(l))
        lane_wake_in(l, 0);
}

void lane_enqueue(struct aws_call *call, bool front)
{
    struct call_list *list = &call->lane->waiting[call->urgency];

    call->state = CALL_WAITING;
    if (front)
        call_list_prepend(list, call);
    else
        call_list_append(list, call);
    lane_wake(call->lane);
}

/* What a call is signed with; false: the credentials have to come first. */
static bool lane_keys(struct lane *l, const struct aws_call *call, const struct keys **ret,
                      uint64_t *ret_number)
{
    *ret = call->keys;
    *ret_number = 0;
    if (call->own)
        return true;
    *ret = credentials_get(l->client->credentials, ret_number);
    return *ret != NULL;
}

/* Calls with keys of their own go before those that wait for their outcome. */
static struct aws_call *lane_own(const struct lane *l)
{
    struct aws_call *call = l->waiting[AWS_SOON].first;

    while (call && !call->own)
        call = call->next;
    return call;
}

/* Lets fly what may. */
static int on_lane(sd_event_source *source, uint64_t usec, void *ctx)
{
    struct lane *l = ctx;
    struct aws_client *c = l->client;
    struct aws_call *call;

    (void)source;
    (void)usec;
    while ((call = lane_next(l)) && l->flying < LANE_FLYING_MAX && c->flying < FLYING_MAX) {
        const struct keys *keys;
        uint64_t number;
        struct boot now = client_boot();

        if (!lane_keys(l, call, &keys, &number)) {
            call = lane_own(l);
            if (!call)
                return 0; /* on_ready() wakes us */
            lane_keys(l, call, &keys, &number);
        }
        if (!rate_take(&l->rate, now)) {
            lane_wake_in(l, rate_wait_us(&l->rate, now));
            return 0;
        }
        call_list_remove(call);
        call_fly(call, keys, number);
    }
    if (lane_next(l) && l->flying < LANE_FLYING_MAX) /* the others have to land first */
        lane_wake_in(l, SECOND_US / 20);
    return 0;
}

static struct lane *lane_free(struct lane *l)
{
    if (l)
        sd_event_source_disable_unref(l->timer);
    free(l);
    return NULL;
}

static int lane_new(struct aws_client *c, enum aws_service service, const char *operation,
                    const char *region, struct lane **ret)
{
    struct lane *l = calloc(1, sizeof *l);
    char why[AWS_TEXT_CAP];
    int r;

    if (!l)
        return -ENOMEM;
    l->client = c;
    l->service = service;
    snprintf(l->region, sizeof l->region, "%s", region);
    l->rate = rate_new(rate_of(service, operation), client_boot());
    if (!settings_endpoint(&c->settings, service, region[0] ? region : NULL, &l->endpoint, why))
        r = -EINVAL;
    else
        r = sd_event_add_time_relative(c->loop, &l->timer, CLOCK_BOOTTIME, 0, 1000, on_lane, l);
    if (r < 0) {
        lane_free(l);
        return r;
    }
    l->next = c->lanes;
    c->lanes = l;
    *ret = l;
    return 0;
}

static int lane_find(struct aws_client *c, enum aws_service service, const char *operation,
                     const char *region, struct lane **ret)
{
    for (struct lane *l = c->lanes; l; l = l->next)
        if (l->service == service && strcmp(l->region, region) == 0 &&
            l->rate.full == rate_of(service, operation)) {
            *ret = l;
            return 0;
        }
    return lane_new(c, service, operation, region, ret);
}

/* ---- credentials -------------------------------------------------------------------------------
 */

/* They are there: everybody may go. They are not: everybody who needs them is told. */
static void on_ready(void *ctx, const char *why)
{
    struct aws_client *c = ctx;
    struct aws_result none = {.outcome = AWS_NO_CREDENTIALS};
    struct aws_call *call, *next;

    for (struct lane *l = c->lanes; l; l = l->next) {
        for (int u = 0; why && u < 2; u++)
            for (call = l->waiting[u].first; call; call = next) {
                next = call->next;
                if (call->own)
                    continue;
                call_list_remove(call);
                call_list_append(&c->failing, call);
            }
        lane_wake(l);
    }
    if (why)
        why_set(none.message, "%s", why);
    while ((call = c->failing.first))
        call_end(call, &none);
}

/* ---- calls -------------------------------------------------------------------------------------
 */

struct wish {
    enum aws_service service;
    const char *operation;
    const struct aws_options *options;
    const struct keys *keys;
    bool own;
    uint32_t attempts;
    int64_t within_us;
};

static struct aws_call *call_new(struct aws_client *c, const struct wish *w, struct lane *l,
                                 aws_done done, void *ctx)
{
    struct aws_call *call = calloc(1, sizeof *call);

    if (!call)
        return NULL;
    *call = (struct aws_call){
        .client = c,
        .lane = l,
        .all_next = c->all,
        .all_link = &c->all,
        .urgency = w->options->urgency == AWS_SOMETIME ? AWS_SOMETIME : AWS_SOON,
        .keys = w->keys,
        .own = w->own,
        .large = w->options->large,
        .most = w->attempts,
        .until = {client_boot().us + w->within_us},
        .done = done,
        .done_ctx = ctx,
    };
    snprintf(call->operation, sizeof call->operation, "%s", w->operation);
    if (c->all)
        c->all->all_link = &call->all_next;
    c->all = call;
    c->n_calls++;
    return call;
}

static int call_start(struct aws_client *c, const struct wish *w, const json_t *body, aws_done done,
                      void *ctx, struct aws_call **ret)
{
    const char *region = w->options->region ? w->options->region : "";
    struct aws_call *call;
    struct lane *l;
    int r;

    if (!body)
        return -ENOMEM;
    if (!service_wire(w->service) || !json_is_object(body) ||
        strlen(w->operation) >= sizeof call->operation ||
        !text_is_word(w->operation, strlen(w->operation)) ||
        (region[0] && !endpoint_is_region(region)))
        return -EINVAL;
    if (c->n_calls >= AWS_CALLS_MAX)
        return -EAGAIN;
    r = lane_find(c, w->service, w->operation, region, &l);
    if (r < 0)
        return r;
    call = call_new(c, w, l, done, ctx);
    if (!call)
        return -ENOMEM;
    if ((r = call_set_body(call, body)) < 0 || (r = call_set_timer(call, 0)) < 0) {
        call_free(call);
        return r;
    }
    lane_enqueue(call, false);
    if (ret)
        *ret = call;
    return 0;
}

int aws_call(struct aws_client *c, enum aws_service service, const char *operation, json_t *body,
             const struct aws_options *options, aws_done done, void *ctx, struct aws_call **ret)
{
    static const struct aws_options NONE = {.urgency = AWS_SOON};
    struct wish w = {
        .service = service, .operation = operation, .options = options ? options : &NONE};
    int r;

    w.attempts = w.options->attempts ? w.options->attempts : c->settings.attempts;
    w.within_us = w.options->within_us ? (int64_t)w.options->within_us : PATIENCE_US;
    r = call_start(c, &w, body, done, ctx, ret);
    json_decref(body);
    return r;
}

int client_call_as(struct aws_client *c, const struct keys *keys, const char *operation,
                   json_t *body, aws_done done, void *ctx, struct aws_call **ret)
{
    static const struct aws_options SOON = {.urgency = AWS_SOON};
    struct wish w = {.service = AWS_STS,
                     .operation = operation,
                     .options = &SOON,
                     .keys = keys,
                     .own = true,
                     .attempts = STS_ATTEMPTS,
                     .within_us = STS_PATIENCE_US};
    int r = call_start(c, &w, body, done, ctx, ret);

    json_decref(body);
    return r;
}

/* ---- the client --------------------------------------------------------------------------------
 */

/* JSON holds credentials now and then, and jansson does not know which. */
static void free_wiped(void *p)
{
    secret_free(p, p ? malloc_usable_size(p) : 0);
}

static int read_settings(const struct aws_client *c, struct settings *ret, char why[AWS_TEXT_CAP])
{
    const struct aws_setup setup = {.region = c->region,
                                    .identity_center_region = c->identity_center_region,
                                    .environment = c->environment};
    struct files *files = calloc(1, sizeof *files);
    int r = files ? files_read(c->environment, files, why) : -ENOMEM;

    if (r == 0) {
        r = settings_read(&setup, files, ret, why);
        files_free(files);
    }
    free(files);
    return r;
}

/* What depends on settings, made anew: transport and credentials. */
static int open_client(struct aws_client *c, const struct settings *s, struct http **ret_http,
                       struct credentials **ret_credentials)
{
    const struct http_setup setup = {s->ca_bundle, s->proxy, s->no_proxy};
    int r = http_new(c->loop, &setup, ret_http);

    if (r < 0)
        return r;
    r = credentials_new(c, c->loop, *ret_http, c->environment, on_ready, c, ret_credentials);
    if (r < 0)
        *ret_http = http_free(*ret_http);
    return r;
}

static int take_role(const struct aws_setup *setup, struct plan_role *ret, char why[AWS_TEXT_CAP])
{
    if (!setup->role || !setup->role[0])
        return 0;
    return plan_role_read(setup->role, setup->external_id ? setup->external_id : "", ret, why);
}

const struct plan_role *client_role(const struct aws_client *c)
{
    return c->role.arn[0] ? &c->role : NULL;
}

static int take_region(const char *s, char out[AWS_REGION_CAP], char why[AWS_TEXT_CAP])
{
    if (!s || !s[0])
        return 0;
    if (!endpoint_is_region(s)) {
        why_set(why, "\"%.80s\" is not a region; one is called like eu-west-1", s);
        return -EINVAL;
    }
    snprintf(out, AWS_REGION_CAP, "%s", s);
    return 0;
}

int aws_client_new(sd_event *loop, const struct aws_setup *setup, struct aws_client **ret,
                   char why[AWS_TEXT_CAP])
{
    struct aws_client *c = calloc(1, sizeof *c);
    int r;

    why[0] = '\0';
    if (!c)
        return -ENOMEM;
    json_set_alloc_funcs(malloc, free_wiped);
    c->loop = sd_event_ref(loop);
    c->environment = setup->environment;
    c->say = setup->say;
    c->ctx = setup->ctx;
    c->budget.left = BUDGET_FULL;
    r = take_region(setup->region, c->region, why);
    if (r == 0)
        r = take_region(setup->identity_center_region, c->identity_center_region, why);
    if (r == 0)
        r = take_role(setup, &c->role, why);
    if (r == 0)
        r = read_settings(c, &c->settings, why);
    if (r == 0)
        r = open_client(c, &c->settings, &c->http, &c->credentials);
    if (r < 0) {
        aws_client_free(c);
        return r;
    }
    *ret = c;
    return 0;
}

/* On the new transport what is on the wire begins again: the service may have done it, or not. */
static void land_all(struct aws_client *c)
{
    for (struct aws_call *call = c->all, *next; call; call = next) {
        next = call->all_next;
        if (call->state != CALL_FLYING)
            continue;
        call->maybe_done = call->maybe_done || http_was_sent(call->transfer);
        call->transfer = http_cancel(call->transfer);
        call->lane->flying--;
        c->flying--;
        lane_enqueue(call, true);
    }
}

int aws_client_reload(struct aws_client *c, char why[AWS_TEXT_CAP])
{
    struct settings *s = calloc(1, sizeof *s);
    struct credentials *credentials = NULL;
    struct http *http = NULL;
    int r = s ? read_settings(c, s, why) : -ENOMEM;

    if (r == 0)
        r = open_client(c, s, &http, &credentials);
    if (r < 0) {
        free(s);
        return r;
    }
    credentials_free(c->credentials);
    c->credentials = credentials;
    land_all(c);
    http_free(c->http);
    c->http = http;
    c->settings = *s;
    free(s);
    for (struct lane *l = c->lanes; l; l = l->next) {
        settings_endpoint(&c->settings, l->service, l->region[0] ? l->region : NULL, &l->endpoint,
                          why);
        lane_wake(l);
    }
    return 0;
}

struct aws_client *aws_client_free(struct aws_client *c)
{
    if (!c)
        return NULL;
    c->credentials = credentials_free(c->credentials);
    while (c->all)
        call_free(c->all);
    for (struct lane *l = c->lanes, *next; l; l = next) {
        next = l->next;
        lane_free(l);
    }
    http_free(c->http);
    sd_event_unref(c->loop);
    secret_free(c, sizeof *c);
    return NULL;
}

void aws_client_status(const struct aws_client *c, struct aws_status *ret)
{
    *ret = (struct aws_status){
        .clock_ahead_us = c->clock_ahead_us,
        .waiting = c->n_calls - c->flying,
        .flying = c->flying,
        .sent = c->sent,
        .throttled = c->throttled,
        .failed = c->failed,
    };
    memcpy(ret->region, c->settings.region, sizeof ret->region);
    memcpy(ret->identity_center_region, c->settings.identity_center_region,
           sizeof ret->identity_center_region);
    snprintf(ret->partition, sizeof ret->partition, "%s", endpoint_partition(c->settings.region));
    credentials_status(c->credentials, ret);
}
