#include "courier/pages.h"

#include "courier/json.h"

#include <errno.h>
#include <stdlib.h>

struct pages {
    struct aws_client *aws;
    struct pages_ask ask;
    struct pages_calls calls;
    struct aws_call *call;
    uint64_t n;
    /* Brent's way to find a circle: one token is remembered, a later one after each power of two.
     */
    char *remembered;
    uint64_t remember_at;
    bool busy, dropped; /* the caller has the rows; it cancelled meanwhile */
    json_t *rows;       /* while the caller has them */
    bool held;
    json_t *next; /* while it is held: what leads to the next page, NULL if there is none */
};

static void pages_done(void *ctx, const struct aws_result *result);

struct pages *pages_cancel(struct pages *p)
{
    if (!p)
        return NULL;
    if (p->busy) {
        p->dropped = true;
        return NULL;
    }
    aws_cancel(p->call);
    json_decref(p->ask.body);
    json_decref(p->next);
    free(p->remembered);
    free(p);
    return NULL;
}

static const char *pages_token(const struct pages *p)
{
    return p->ask.token ? p->ask.token : "NextToken";
}

static int pages_ask_one(struct pages *p)
{
    struct aws_options options = {
        .urgency = p->ask.urgency, .region = p->ask.region, .large = p->ask.large};

    return aws_call(p->aws, p->ask.service, p->ask.operation, json_copy(p->ask.body), &options,
                    pages_done, p, &p->call);
}

int pages_start(struct aws_client *aws, const struct pages_ask *ask,
                const struct pages_calls *calls, struct pages **ret)
{
    struct pages *p;
    int r;

    if (!ask->body)
        return -ENOMEM;
    p = calloc(1, sizeof *p);
    if (!p) {
        json_decref(ask->body);
        return -ENOMEM;
    }
    *p = (struct pages){.aws = aws, .ask = *ask, .calls = *calls, .remember_at = 1};
    r = pages_ask_one(p);
    if (r < 0) {
        pages_cancel(p);
        return r;
    }
    *ret = p;
    return 0;
}

/* The end, whole or not. p is gone before the caller is told. */
static void pages_end(struct pages *p, const struct aws_failure *failure)
{
    struct pages_calls calls = p->calls;

    pages_cancel(p);
    calls.end(calls.ctx, failure);
}

static void pages_fail(struct pages *p, const char *why)
{
    struct aws_failure failure;

    failure_say(&failure, p->ask.service, p->ask.operation, AWS_GARBLED, why);
    pages_end(p, &failure);
}

/* True if the token was seen before. */
static bool pages_circle(struct pages *p, const char *token)
{
    if (p->remembered && strcmp(p->remembered, token) == 0)
        return true;
    if (++p->n >= p->remember_at) {
        char *copy = strdup(token);

        if (copy) { /* without memory a circle is found a turn later */
            free(p->remembered);
            p->remembered = copy;
            p->remember_at *= 2;
        }
    }
    return p->n >= PAGES_MAX;
}

static void pages_next(struct pages *p, json_t *token)
{
    if (!json_is_string(token) || json_string_length(token) == 0)
        pages_end(p, NULL);
    else if (pages_circle(p, json_string_value(token)))
        pages_fail(p, "its pages go round in a circle");
    else if (json_object_set(p->ask.body, pages_token(p), token) < 0 || pages_ask_one(p) < 0)
        pages_fail(p, "the next page could not be asked for");
}

json_t *pages_keep(struct pages *p)
{
    return json_incref(p->rows);
}

void pages_hold(struct pages *p)
{
    p->held = true;
}

void pages_go(struct pages *p)
{
    json_t *next = p->next;

    p->held = false;
    p->next = NULL;
    pages_next(p, next);
    json_decref(next);
}

static void pages_done(void *ctx, const struct aws_result *result)
{
    struct pages *p = ctx;
    struct aws_failure failure;
    json_t *rows;

    p->call = NULL;
    if (result->outcome != AWS_OK) {
        failure_of_result(&failure, p->ask.service, p->ask.operation, result);
        pages_end(p, &failure);
        return;
    }
    rows = json_object_get(result->answer, p->ask.member);
    if (rows && !json_is_null(rows) && !json_is_array(rows)) {
        pages_fail(p, "the list is none");
        return;
    }
    if (json_is_array(rows) && json_array_size(rows) > 0) {
        p->busy = true;
        p->rows = rows;
        p->calls.rows(p->calls.ctx, rows);
        p->busy = false;
    }
    if (p->dropped)
        pages_cancel(p);
    else if (p->held)
        p->next = json_incref(json_object_get(result->answer, pages_token(p)));
    else
        pages_next(p, json_object_get(result->answer, pages_token(p)));
}
