#include "courier/credentials.h"
#include "courier/client.h"
#include "courier/metadata.h"
#include "courier/process.h"
#include "courier/secret.h"
#include "courier/why.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <syslog.h>

struct credentials {
    struct aws_client *client;
    sd_event *loop;
    struct http *http;
    char *const *environment;
    credentials_ready ready;
    void *ctx;

    struct keys keys; /* while `number` is not 0 */
    uint64_t number, last_number;
    char told[AWS_TEXT_CAP], problem[AWS_TEXT_CAP];
    sd_event_source *refresh; /* the next fetch nobody asked for */

    /* The fetch that is under way. */
    bool fetching;
    sd_event_source *start; /* from the loop, and not at once after a failure */
    struct plan *plan;
    struct process *process;
    struct metadata *metadata;
    struct aws_call *sts;
    struct keys fetched;
    size_t n_roles; /* assumed so far */
    struct boot failed_at;
};

#define AFTER_FAILURE_US SECOND_US
#define REFRESH_AGAIN_US (60 * SECOND_US)

static void fetch(struct credentials *c, int64_t after_us);

/* ---- how a fetch ends --------------------------------------------------------------------------
 */

static void end_fetch(struct credentials *c)
{
    c->start = sd_event_source_disable_unref(c->start);
    c->process = process_stop(c->process);
    c->metadata = metadata_stop(c->metadata);
    c->sts = aws_cancel(c->sts);
    c->plan = plan_free(c->plan);
    keys_wipe(&c->fetched);
    c->fetching = false;
}

static int on_refresh(sd_event_source *source, uint64_t usec, void *ctx)
{
    struct credentials *c = ctx;

    (void)source;
    (void)usec;
    fetch(c, 0);
    return 0;
}

static void refresh_in(struct credentials *c, int64_t us)
{
    c->refresh = sd_event_source_disable_unref(c->refresh);
    if (sd_event_add_time_relative(c->loop, &c->refresh, CLOCK_BOOTTIME, (uint64_t)us,
                                   (uint64_t)SECOND_US, on_refresh, c) < 0)
        client_say(c->client, LOG_WARNING, "no memory for refreshing credentials in time");
}

static void failed(struct credentials *c, const char *why)
{
    char problem[AWS_TEXT_CAP]; /* `why` may be the old one */

    why_set(problem, "%s%s%s", c->plan ? c->plan->told : "", c->plan ? ": " : "", why);
    memcpy(c->problem, problem, sizeof problem);
    end_fetch(c);
    c->failed_at = client_boot();
    if (c->number != 0) { /* the old ones are good for a while */
        client_say(c->client, LOG_WARNING, "credentials not refreshed: %s", c->problem);
        refresh_in(c, REFRESH_AGAIN_US);
        return;
    }
    client_say(c->client, LOG_ERR, "no credentials: %s", c->problem);
    c->ready(c->ctx, c->problem);
}

static void plan_refresh(struct credentials *c)
{
    int64_t left = c->keys.expires.us - client_now(c->client).us, early = CREDENTIALS_EARLY_US;

    if (c->keys.expires.us == NEVER_US)
        return;
    if (left < 2 * early)
        early = left / 2;
    left -= early +
            (int64_t)((uint64_t)(left < 2 * early ? 0 : 60 * SECOND_US) * client_chance() >> 32);
    refresh_in(c, left > SECOND_US ? left : SECOND_US);
}

/* `c->fetched` is what there is. */
static void succeeded(struct credentials *c)
{
    struct wall now = client_now(c->client);

    if (c->fetched.expires.us <= now.us && c->plan->source == PLAN_INSTANCE &&
        c->plan->n_roles == 0) {
        /* The service hands out old ones when it cannot get new ones; they often work. */
        client_say(c->client, LOG_WARNING, "the instance's credentials have expired; using them");
        c->fetched.expires.us = now.us + CREDENTIALS_EARLY_US;
    }
    if (c->fetched.expires.us <= now.us) {
        failed(c, "what it gave has expired already");
        return;
    }
    c->keys = c->fetched;
    memcpy(c->told, c->plan->told, sizeof c->told);
    c->problem[0] = '\0';
    c->number = ++c->last_number;
    end_fetch(c);
    plan_refresh(c);
    c->ready(c->ctx, NULL);
}

/* ---- roles -------------------------------------------------------------------------------------
 */

static void next_role(struct credentials *c);

static void on_role(void *ctx, const struct aws_result *result)
{
    struct credentials *c = ctx;
    char why[AWS_TEXT_CAP];

    c->sts = NULL;
    if (result->outcome != AWS_OK) {
        why_set(why, "%s%s%s", result->code, result->code[0] ? ": " : "", result->message);
        failed(c, why);
    } else if (!keys_from_json(json_object_get(result->answer, "Credentials"), "SessionToken",
                               &c->fetched, why)) {
        failed(c, why);
    } else {
        next_role(c);
    }
}

static json_t *role_body(const struct plan_role *role)
{
    json_t *body = json_pack("{ss ss}", "RoleArn", role->arn, "RoleSessionName",
                             role->session[0] ? role->session : "team-courier");

    if (body && role->external_id[0])
        json_object_set_new(body, "ExternalId", json_string(role->external_id));
    if (body && role->duration_s)
        json_object_set_new(body, "DurationSeconds", json_integer(role->duration_s));
    return body;
}

static void ask_sts(struct credentials *c, const char *operation, const struct keys *keys,
                    json_t *body)
{
    int r = client_call_as(c->client, keys, operation, body, on_role, c, &c->sts);

    if (r < 0)
        failed(c, strerror(-r));
}

/* Assumes the next one with what there is, or is done. */
static void next_role(struct credentials *c)
{
    const struct plan_role *role = &c->plan->roles[c->n_roles];

    if (c->n_roles == c->plan->n_roles) {
        succeeded(c);
        return;
    }
    c->n_roles++;
    ask_sts(c, "AssumeRole", &c->fetched, role_body(role));
}

static void web_identity(struct credentials *c)
{
    char *token, why[AWS_TEXT_CAP];
    int r = files_read_token(c->plan->token_file, &token);
    json_t *body;

    if (r < 0) {
        why_set(why, "%s: %s", c->plan->token_file,
                r == -EINVAL ? "no token is in it" : strerror(-r));
        failed(c, why);
        return;
    }
    body = role_body(&c->plan->web);
    if (body)
        json_object_set_new(body, "WebIdentityToken", json_string(token));
    secret_free(token, strlen(token));
    ask_sts(c, "AssumeRoleWithWebIdentity", NULL, body);
}

/* ---- the sources -------------------------------------------------------------------------------
 */

static void on_keys(struct credentials *c, const struct keys *keys, const char *why)
{
    if (!keys) {
        failed(c, why);
        return;
    }
    c->fetched = *keys;
    next_role(c);
}

static void on_process(void *ctx, const struct keys *keys, const char *why)
{
    struct credentials *c = ctx;

    c->process = NULL;
    on_keys(c, keys, why);
}

static void on_metadata(void *ctx, const struct keys *keys, const char *why)
{
    struct credentials *c = ctx;

    c->metadata = NULL;
    on_keys(c, keys, why);
}

static void begin(struct credentials *c)
{
    char why[AWS_TEXT_CAP];
    int r = 0;

    switch (c->plan->source) {
    case PLAN_KEYS:
        on_keys(c, &c->plan->keys, NULL);
        return;
    case PLAN_WEB_IDENTITY:
        web_identity(c);
        return;
    case PLAN_PROCESS:
        r = process_start(c->loop, c->plan->command, c->environment, on_process, c, &c->process,
                          why);
        break;
    case PLAN_CONTAINER:
    case PLAN_INSTANCE:
    default:
        r = metadata_start(c->loop, c->http, c->plan, on_metadata, c, &c->metadata, why);
    }
    if (r < 0)
        failed(c, r == -ENOMEM ? strerror(ENOMEM) : why);
}

/* The files are read each time: keys in them are changed under us. */
static int on_start(sd_event_source *source, uint64_t usec, void *ctx)
{
    struct credentials *c = ctx;
    struct files *files = calloc(1, sizeof *files);
    char why[AWS_TEXT_CAP] = "";
    int r = files ? files_read(c->environment, files, why) : -ENOMEM;

    (void)source;
    (void)usec;
    if (r == 0) {
        r = plan_new(c->environment, files, client_role(c->client), &c->plan, why);
        files_free(files);
    }
    free(files);
    if (r < 0)
        failed(c, why[0] ? why : strerror(-r));
    else
        begin(c);
    return 0;
}

static void fetch(struct credentials *c, int64_t after_us)
{
    if (c->fetching)
        return;
    c->fetching = true;
    c->n_roles = 0;
    if (sd_event_add_time_relative(c->loop, &c->start, CLOCK_BOOTTIME, (uint64_t)after_us, 1000,
                                   on_start, c) < 0)
        c->fetching = false;
}

/* ---- what the client asks ----------------------------------------------------------------------
 */

static void forget(struct credentials *c)
{
    keys_wipe(&c->keys);
    c->number = 0;
}

const struct keys *credentials_get(struct credentials *c, uint64_t *ret_number)
{
    int64_t since_failure = client_boot().us - c->failed_at.us;

    if (c->number != 0 && c->keys.expires.us <= client_now(c->client).us)
        forget(c);
    if (c->number == 0) {
        fetch(c, c->failed_at.us && since_failure < AFTER_FAILURE_US
                     ? AFTER_FAILURE_US - since_failure
                     : 0);
        return NULL;
    }
    *ret_number = c->number;
    return &c->keys;
}

void credentials_distrust(struct credentials *c, uint64_t number)
{
    if (number != 0 && number == c->number)
        forget(c);
}

void credentials_status(const struct credentials *c, struct aws_status *ret)
{
    memcpy(ret->credentials, c->told, sizeof ret->credentials);
    memcpy(ret->problem, c->problem, sizeof ret->problem);
    ret->expires.us = c->number != 0 ? c->keys.expires.us : NEVER_US;
}

int credentials_new(struct aws_client *client, sd_event *loop, struct http *http,
                    char *const *environment, credentials_ready ready, void *ctx,
                    struct credentials **ret)
{
    struct credentials *c = calloc(1, sizeof *c);

    if (!c)
        return -ENOMEM;
    c->client = client;
    c->loop = sd_event_ref(loop);
    c->http = http;
    c->environment = environment;
    c->ready = ready;
    c->ctx = ctx;
    *ret = c;
    return 0;
}

struct credentials *credentials_free(struct credentials *c)
{
    if (!c)
        return NULL;
    end_fetch(c);
    sd_event_source_disable_unref(c->refresh);
    sd_event_unref(c->loop);
    secret_free(c, sizeof *c);
    return NULL;
}
