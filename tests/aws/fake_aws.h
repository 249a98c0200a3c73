/* A stand-in for the client (courier/aws.h) that answers from a script, for tests of what is built
 * on it. The script is a table of calls in the order in which they have to come; an answer comes
 * when the loop comes round. Timers of the code under test run a hundred times as fast. Include
 * once. */
#pragma once

#include "courier/aws.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

struct fake_line {
    const char *operation;
    const char *body;   /* JSON with ' for ": members that the request has to have; NULL: any */
    const char *answer; /* JSON with ' for "; "!Code message": refused; "~": see fake_outcome();
                           "?": none ever */
};

static const struct fake_line *fake_script;
static size_t fake_at;
static unsigned fake_under_way, fake_most;
static int fake_fails_with; /* aws_call() itself */
static sd_event *fake_loop;

struct aws_call {
    sd_event_source *source;
    aws_done done;
    void *ctx;
    const struct fake_line *line;
};

static json_t *fake_json(const char *text)
{
    char *copy = strdup(text);
    json_error_t error;
    json_t *value;

    for (char *c = copy; *c; c++)
        *c = *c == '\'' ? '"' : *c;
    value = json_loads(copy, 0, &error);
    if (!value)
        fail_msg("the script is no JSON (%s): %s", error.text, text);
    free(copy);
    return value;
}

static enum aws_outcome fake_outcome(const char *word)
{
    static const struct {
        const char *word;
        enum aws_outcome outcome;
    } WORDS[] = {{"~throttled", AWS_THROTTLED},     {"~broken", AWS_BROKEN},
                 {"~unreachable", AWS_UNREACHABLE}, {"~garbled", AWS_GARBLED},
                 {"~too large", AWS_GARBLED},       {"~no credentials", AWS_NO_CREDENTIALS}};

    for (size_t i = 0; i < sizeof WORDS / sizeof WORDS[0]; i++)
        if (strcmp(WORDS[i].word, word) == 0)
            return WORDS[i].outcome;
    fail_msg("no such outcome: %s", word);
    return AWS_OK;
}

static int fake_deliver(sd_event_source *source, void *ctx)
{
    struct aws_call call = *(struct aws_call *)ctx;
    struct aws_result result = {.outcome = AWS_OK, .status = 200, .attempts = 1};
    const char *answer = call.line->answer;

    (void)source;
    if (answer[0] == '!') {
        size_t n = strcspn(answer + 1, " ");

        result.outcome = AWS_REFUSED;
        result.status = 400;
        memcpy(result.code, answer + 1, n);
        if (answer[1 + n])
            snprintf(result.message, sizeof result.message, "%s", answer + 2 + n);
    } else if (answer[0] == '~') {
        result.outcome = fake_outcome(answer);
        if (strcmp(answer, "~too large") == 0)
            snprintf(result.code, sizeof result.code, "%s", AWS_TOO_LARGE);
    } else {
        result.answer = fake_json(answer);
    }
    fake_under_way--;
    sd_event_source_disable_unref(call.source);
    free(ctx);
    call.done(call.ctx, &result);
    json_decref(result.answer);
    return 0;
}

/* Every member of `wanted` is in `body`, and equal. */
static void fake_compare(const struct fake_line *line, const json_t *body)
{
    json_t *wanted = fake_json(line->body);
    const char *member;
    json_t *value;

    json_object_foreach(wanted, member, value)
    {
        if (!json_equal(value, json_object_get(body, member)))
            fail_msg("%s: %s is %s", line->operation, member,
                     json_dumps(json_object_get(body, member), JSON_ENCODE_ANY));
    }
    json_decref(wanted);
}

int aws_call(struct aws_client *c, enum aws_service service, const char *operation, json_t *body,
             const struct aws_options *options, aws_done done, void *ctx, struct aws_call **ret)
{
    const struct fake_line *line = &fake_script[fake_at];
    struct aws_call *call;

    (void)c;
    (void)options;
    assert_non_null(body);
    if (fake_fails_with) {
        json_decref(body);
        return fake_fails_with;
    }
    if (!line->operation)
        fail_msg("%s was asked, the script is at its end", operation);
    if (strcmp(line->operation, operation) != 0)
        fail_msg("%s was asked, the script has %s (line %zu)", operation, line->operation, fake_at);
    if (line->body)
        fake_compare(line, body);
    json_decref(body);
    assert_int_not_equal(service, 0);
    fake_at++;
    call = calloc(1, sizeof *call);
    *call = (struct aws_call){.done = done, .ctx = ctx, .line = line};
    if (strcmp(line->answer, "?") != 0)
        sd_event_add_defer(fake_loop, &call->source, fake_deliver, call);
    if (++fake_under_way > fake_most)
        fake_most = fake_under_way;
    *ret = call;
    return 0;
}

struct aws_call *aws_cancel(struct aws_call *call)
{
    if (call) {
        fake_under_way--;
        sd_event_source_disable_unref(call->source);
        free(call);
    }
    return NULL;
}

const char *aws_service_name(enum aws_service service)
{
    static const char *const NAMES[] = {
        [AWS_SSO_ADMIN] = "sso-admin",         [AWS_IDENTITYSTORE] = "identitystore",
        [AWS_ORGANIZATIONS] = "organizations", [AWS_STS] = "sts",
        [AWS_CLOUDTRAIL] = "cloudtrail",       [AWS_LOGS] = "logs"};

    return NAMES[service];
}

static int64_t fake_ahead_s; /* of all clocks */

/* Instead of the library's. */
int clock_gettime(clockid_t clock, struct timespec *t)
{
    int r = (int)syscall(SYS_clock_gettime, clock, t);

    t->tv_sec += fake_ahead_s;
    return r;
}

int sd_event_add_time_relative(sd_event *loop, sd_event_source **ret, clockid_t clock,
                               uint64_t usec, uint64_t accuracy, sd_event_time_handler_t then,
                               void *ctx)
{
    uint64_t now;

    (void)accuracy;
    sd_event_now(loop, clock, &now);
    return sd_event_add_time(loop, ret, clock, now + usec / 100, 1, then, ctx);
}

static void fake_begin(const struct fake_line *script)
{
    assert_int_equal(sd_event_new(&fake_loop), 0);
    fake_script = script;
    fake_at = 0;
    fake_under_way = fake_most = 0;
    fake_fails_with = 0;
}

/* Runs the loop until *flag, for ten seconds at most. */
static inline void fake_run(const bool *flag)
{
    uint64_t begin, now;

    sd_event_now(fake_loop, CLOCK_MONOTONIC, &begin);
    while (!*flag) {
        sd_event_run(fake_loop, 100000);
        sd_event_now(fake_loop, CLOCK_MONOTONIC, &now);
        if (now - begin > 10 * 1000000)
            fail_msg("nothing happens (line %zu: %s)", fake_at,
                     fake_script[fake_at].operation ? fake_script[fake_at].operation : "end");
    }
}

/* The whole script was played, and nothing is under way. */
static void fake_end(void)
{
    if (fake_script[fake_at].operation)
        fail_msg("%s was not asked", fake_script[fake_at].operation);
    assert_int_equal(fake_under_way, 0);
    fake_loop = sd_event_unref(fake_loop);
}
