#include "courier/metadata.h"
#include "courier/answer.h"
#include "courier/secret.h"
#include "courier/why.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <team/text.h>

enum { ANSWER_MAX = 64 * 1024, TRIES = 3, TOKEN_CAP = 512, ROLE_CAP = 256 };

enum step { STEP_TOKEN, STEP_ROLE, STEP_KEYS, STEP_CONTAINER };

struct metadata {
    sd_event *loop;
    struct http *http;
    const struct plan *plan;
    struct http_transfer *transfer;
    sd_event_source *timer; /* until the next try */
    enum step step;
    unsigned failures;
    bool token_renewed; /* after a 401, once */
    char token[TOKEN_CAP], role[ROLE_CAP];
    metadata_done done;
    void *ctx;
};

bool metadata_read(const char *text, size_t len, struct keys *ret, char why[AWS_TEXT_CAP])
{
    json_t *o = len > 0 ? answer_json(text, len) : NULL;
    const char *code = json_string_value(json_object_get(o, "Code"));
    bool ok = false;

    if (!o)
        why_set(why, "it answered with no JSON object");
    else if (code && strcmp(code, "Success") != 0)
        why_set(why, "it has none: %.80s", code);
    else
        ok = keys_from_json(o, "Token", ret, why);
    json_decref(o);
    return ok;
}

/* ---- the end -----------------------------------------------------------------------------------
 */

struct metadata *metadata_stop(struct metadata *m)
{
    if (!m)
        return NULL;
    http_cancel(m->transfer);
    sd_event_source_disable_unref(m->timer);
    sd_event_unref(m->loop);
    secret_free(m, sizeof *m);
    return NULL;
}

/* Consumes m. */
static void fail(struct metadata *m, const char *why)
{
    m->done(m->ctx, NULL, why);
    metadata_stop(m);
}

/* ---- asking ------------------------------------------------------------------------------------
 */

static void on_answer(void *ctx, const struct http_answer *a);

static int send(struct metadata *m, const char *method, const char *path, const char *header)
{
    char url[PLAN_URL_CAP + ROLE_CAP];
    bool tls = strncmp(m->plan->url, "https://", 8) == 0;
    struct http_request r = {
        .method = method,
        .url = url,
        .headers = &header,
        .n_headers = header ? 1 : 0,
        .answer_max = ANSWER_MAX,
        .connect_us = m->plan->timeout_ms ? m->plan->timeout_ms * 1000 : 2 * SECOND_US,
        .total_us = m->plan->timeout_ms ? m->plan->timeout_ms * 1000 : 2 * SECOND_US,
        .plain = true,
        .direct = true,
        /* Who sets the metadata service's address says where it is; a container's is bound. */
        .near = m->step == STEP_CONTAINER && !tls,
    };

    if (strcmp(method, "PUT") == 0) {
        r.body = "";
        r.body_len = 0;
    }
    snprintf(url, sizeof url, "%s%s", m->plan->url, path);
    return http_send(m->http, &r, on_answer, m, &m->transfer);
}

/* Of the container: from its file if there is one, which changes. */
static int send_container(struct metadata *m)
{
    char *from_file = NULL, header[sizeof m->plan->authorization + 32];
    const char *token = m->plan->authorization;
    int r;

    if (m->plan->token_file[0]) {
        r = files_read_token(m->plan->token_file, &from_file);
        if (r < 0)
            return r;
        token = from_file;
    }
    r = (size_t)snprintf(header, sizeof header, "Authorization: %s", token) < sizeof header
            ? send(m, "GET", "", token[0] ? header : NULL)
            : -E2BIG;
    if (from_file)
        secret_free(from_file, strlen(from_file));
    secret_wipe(header, sizeof header);
    return r;
}

static int ask(struct metadata *m)
{
    static const char LIST[] = "/latest/meta-data/iam/security-credentials/";
    char path[sizeof LIST + ROLE_CAP], header[TOKEN_CAP + 32];

    snprintf(header, sizeof header, "x-aws-ec2-metadata-token: %s", m->token);
    snprintf(path, sizeof path, "%s%s", LIST, m->step == STEP_KEYS ? m->role : "");
    switch (m->step) {
    case STEP_CONTAINER:
        return send_container(m);
    case STEP_TOKEN:
        return send(m, "PUT", "/latest/api/token", "x-aws-ec2-metadata-token-ttl-seconds: 300");
    case STEP_ROLE:
    case STEP_KEYS:
    default:
        return send(m, "GET", path, header);
    }
}

static int on_time(sd_event_source *source, uint64_t usec, void *ctx)
{
    struct metadata *m = ctx;
    char why[AWS_TEXT_CAP];
    int r;

    (void)source;
    (void)usec;
    m->timer = sd_event_source_unref(m->timer);
    r = ask(m);
    if (r < 0) {
        why_set(why, "cannot ask: %s", strerror(-r));
        fail(m, why);
    }
    return 0;
}

/* The next step, from the loop and not from inside curl's callback. May consume m. */
static void go_on(struct metadata *m, enum step step, int64_t after_us)
{
    char why[AWS_TEXT_CAP];
    int r;

    m->step = step;
    m->timer = sd_event_source_unref(m->timer);
    r = sd_event_add_time_relative(m->loop, &m->timer, CLOCK_MONOTONIC, (uint64_t)after_us, 1000,
                                   on_time, m);
    if (r < 0) {
        why_set(why, "%s", strerror(-r));
        fail(m, why);
    }
}

/* ---- answers -----------------------------------------------------------------------------------
 */

/* One line of printable characters. */
static bool take_line(const struct http_answer *a, char *out, size_t cap)
{
    size_t n = strcspn(a->body, "\r\n");

    if (n == 0 || n >= cap || !text_is_plain(a->body, n) || memchr(a->body, ' ', n))
        return false;
    memcpy(out, a->body, n);
    out[n] = '\0';
    return true;
}

static void told_keys(struct metadata *m, const struct http_answer *a)
{
    struct keys keys = {.expires = {0}};
    char why[AWS_TEXT_CAP];

    if (metadata_read(a->body, a->len, &keys, why)) {
        m->done(m->ctx, &keys, NULL);
        metadata_stop(m);
    } else {
        fail(m, why);
    }
    keys_wipe(&keys);
}

static void told(struct metadata *m, const struct http_answer *a)
{
    switch (m->step) {
    case STEP_TOKEN:
        if (take_line(a, m->token, sizeof m->token))
            go_on(m, STEP_ROLE, 0);
        else
            fail(m, "its token is none");
        break;
    case STEP_ROLE:
        if (take_line(a, m->role, sizeof m->role) && !strpbrk(m->role, "/?#%"))
            go_on(m, STEP_KEYS, 0);
        else
            fail(m, "it names no role");
        break;
    case STEP_KEYS:
    case STEP_CONTAINER:
    default:
        told_keys(m, a);
    }
}

/* What an answer that is none means, in the words of who has to do something about it. */
static void explain(const struct metadata *m, const struct http_answer *a, char why[AWS_TEXT_CAP])
{
    if (m->step == STEP_ROLE && a->status == 404)
        why_set(why, "the instance has no instance profile");
    else if (m->step == STEP_TOKEN && a->error == -ETIMEDOUT)
        why_set(why,
                "no answer from %s; not on EC2, or in a container whose instance allows one "
                "hop only (HttpPutResponseHopLimit has to be 2)",
                m->plan->url);
    else if (m->step == STEP_CONTAINER && a->error && strncmp(m->plan->url, "http:", 5) == 0)
        why_set(why,
                "%s: %s (without TLS only this machine, 169.254.170.2, 169.254.170.23 and "
                "[fd00:ec2::23] may be asked)",
                m->plan->url, a->why);
    else if (a->error)
        why_set(why, "%s: %s", m->plan->url, a->why);
    else
        why_set(why, "%s: HTTP %d", m->plan->url, a->status);
}

static void on_answer(void *ctx, const struct http_answer *a)
{
    struct metadata *m = ctx;
    bool again = a->error || a->status >= 500 || a->status == 429;
    unsigned tries = m->plan->attempts ? m->plan->attempts : TRIES;
    char why[AWS_TEXT_CAP];

    m->transfer = NULL;
    if (!a->error && a->status == 200) {
        told(m, a);
        return;
    }
    if (a->status == 401 && (m->step == STEP_ROLE || m->step == STEP_KEYS) && !m->token_renewed) {
        m->token_renewed = true;
        go_on(m, STEP_TOKEN, 0);
        return;
    }
    if (again && ++m->failures < tries) {
        go_on(m, m->step, SECOND_US / 2);
        return;
    }
    explain(m, a, why);
    fail(m, why);
}

int metadata_start(sd_event *loop, struct http *http, const struct plan *plan, metadata_done done,
                   void *ctx, struct metadata **ret, char why[AWS_TEXT_CAP])
{
    struct metadata *m = calloc(1, sizeof *m);
    int r;

    if (!m)
        return -ENOMEM;
    m->loop = sd_event_ref(loop);
    m->http = http;
    m->plan = plan;
    m->step = plan->source == PLAN_CONTAINER ? STEP_CONTAINER : STEP_TOKEN;
    m->done = done;
    m->ctx = ctx;
    r = ask(m);
    if (r < 0) {
        why_set(why, "cannot ask: %s", strerror(-r));
        metadata_stop(m);
        return r == -ENOMEM ? r : -EINVAL;
    }
    *ret = m;
    return 0;
}
