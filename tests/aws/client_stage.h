/* A client and a server on one loop. Each test opens the book that the server goes by, and perhaps
 * changes the environment, and then calls. */
#pragma once

#include "server.h"

#include "courier/client.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct {
    sd_event *loop;
    struct server *server;
    struct aws_client *client;
    struct aws_result result; /* of the last call that ended */
    json_t *answer;
    unsigned ended, running;
    char endpoint[64], said[4096];
    char *environment[24];
} stage;

static inline void say(void *ctx, int priority, const char *line)
{
    size_t n = strlen(stage.said);

    (void)ctx;
    snprintf(stage.said + n, sizeof stage.said - n, "<%d>%s\n", priority, line);
}

static inline int begin(void **state)
{
    static char id[] = "AWS_ACCESS_KEY_ID=AKIDEXAMPLE",
                secret[] = "AWS_SECRET_ACCESS_KEY=topsecret", region[] = "AWS_REGION=eu-west-1",
                home[] = "HOME=/nonexistent", no_imds[] = "AWS_EC2_METADATA_DISABLED=true",
                token[] = "AWS_SESSION_TOKEN=tok/en==";

    (void)state;
    memset(&stage, 0, sizeof stage);
    assert_true(sd_event_new(&stage.loop) >= 0);
    stage.server = server_new(stage.loop);
    snprintf(stage.endpoint, sizeof stage.endpoint, "AWS_ENDPOINT_URL=http://127.0.0.1:%u",
             stage.server->port);
    stage.environment[0] = id;
    stage.environment[1] = secret;
    stage.environment[2] = region;
    stage.environment[3] = home;
    stage.environment[4] = no_imds;
    stage.environment[5] = stage.endpoint;
    stage.environment[6] = token;
    return 0;
}

static inline int end(void **state)
{
    (void)state;
    stage.client = aws_client_free(stage.client);
    server_free(stage.server);
    json_decref(stage.answer);
    sd_event_unref(stage.loop);
    return 0;
}

static inline void open_client(void)
{
    struct aws_setup setup = {.environment = stage.environment, .say = say};
    char why[AWS_TEXT_CAP];

    if (aws_client_new(stage.loop, &setup, &stage.client, why) < 0)
        fail_msg("%s", why);
}

#define BOOK(...)                                     \
    static const struct page PAGES[] = {__VA_ARGS__}; \
    stage.server->pages = PAGES;                      \
    stage.server->n_pages = sizeof PAGES / sizeof PAGES[0];

static inline void done(void *ctx, const struct aws_result *r)
{
    (void)ctx;
    json_decref(stage.answer);
    stage.answer = json_incref(r->answer);
    stage.result = *r;
    stage.result.answer = NULL;
    stage.ended++;
    stage.running--;
}

static inline struct aws_call *start(enum aws_service service, const char *operation,
                                     const struct aws_options *o)
{
    struct aws_call *call;

    if (!stage.client)
        open_client();
    assert_int_equal(aws_call(stage.client, service, operation, json_pack("{ss}", "A", "b&c"), o,
                              done, NULL, &call),
                     0);
    stage.running++;
    return call;
}

static inline void run_for(int64_t us)
{
    uint64_t until, now;

    sd_event_now(stage.loop, CLOCK_MONOTONIC, &now);
    for (until = now + (uint64_t)us; now < until && stage.running > 0;) {
        assert_true(sd_event_run(stage.loop, until - now) >= 0);
        sd_event_now(stage.loop, CLOCK_MONOTONIC, &now);
    }
}

/* One call, from its beginning to its end. */
static inline const struct aws_result *call(enum aws_service service, const char *operation,
                                            const struct aws_options *o)
{
    start(service, operation, o);
    run_for(60 * SECOND_US);
    assert_int_equal(stage.running, 0);
    return &stage.result;
}

static inline const struct aws_result *call_sso(void)
{
    return call(AWS_SSO_ADMIN, "ListInstances", NULL);
}

static inline const char *ask_body(size_t i)
{
    const char *end = strstr(stage.server->asks[i], "\r\n\r\n");

    return end ? end + 4 : "";
}
