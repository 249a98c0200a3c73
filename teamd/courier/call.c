#include "courier/answer.h"
#include "courier/client.h"
#include "courier/secret.h"
#include "courier/sigv4.h"
#include "courier/why.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <syslog.h>

/* One call: its body, its attempts, and what becomes of it. */

/* ---- the end -----------------------------------------------------------------------------------
 */

void call_free(struct aws_call *call)
{
    struct aws_client *c = call->client;

    call_list_remove(call);
    if (call->transfer) {
        http_cancel(call->transfer);
        call->lane->flying--;
        c->flying--;
        lane_wake(call->lane);
    }
    *call->all_link = call->all_next;
    if (call->all_next)
        call->all_next->all_link = call->all_link;
    c->n_calls--;
    sd_event_source_disable_unref(call->timer);
    secret_free(call->body, call->body_len);
    free(call->last);
    free(call);
}

void call_end(struct aws_call *call, const struct aws_result *result)
{
    struct aws_result r = *result;

    r.attempts = call->attempts;
    r.maybe_done = call->maybe_done;
    call_list_remove(call);
    call->state = CALL_ENDING;
    if (r.outcome != AWS_OK)
        call->client->failed++;
    call->done(call->done_ctx, &r);
    call_free(call);
}

struct aws_call *aws_cancel(struct aws_call *call)
{
    if (call && call->state != CALL_ENDING)
        call_free(call);
    return NULL;
}

/* Our patience is over, before or between attempts, or while an answer is waited for. */
static void call_late(struct aws_call *call)
{
    struct aws_result late = {.outcome = AWS_THROTTLED, .status = 0};

    if (call->state == CALL_FLYING) {
        call->maybe_done = call->maybe_done || http_was_sent(call->transfer);
        late.outcome = AWS_UNREACHABLE;
        why_set(late.message, "%s: no answer in time", call->lane->endpoint.host);
    } else if (call->last) {
        late = *call->last;
    } else {
        why_set(late.message, "it never was its turn; %u calls wait", call->client->n_calls);
    }
    call_end(call, &late);
}

static int on_timer(sd_event_source *source, uint64_t usec, void *ctx)
{
    struct aws_call *call = ctx;
    struct boot now = client_boot();

    (void)source;
    (void)usec;
    if (now.us >= call->until.us) {
        call_late(call);
    } else if (call->state == CALL_PAUSED) {
        call_set_timer(call, 0);
        lane_enqueue(call, true);
    } else {
        call_set_timer(call, 0);
    }
    return 0;
}

int call_set_timer(struct aws_call *call, int64_t pause_us)
{
    int64_t at = pause_us > 0 ? client_boot().us + pause_us : call->until.us;
    int r;

    if (at > call->until.us)
        at = call->until.us;
    if (!call->timer)
        return sd_event_add_time(call->client->loop, &call->timer, CLOCK_BOOTTIME, (uint64_t)at,
                                 1000, on_timer, call);
    r = sd_event_source_set_time(call->timer, (uint64_t)at);
    return r < 0 ? r : sd_event_source_set_enabled(call->timer, SD_EVENT_ONESHOT);
}

/* ---- bodies ------------------------------------------------------------------------------------
 */

static bool put_pair(struct text *t, const char *name, const json_t *value)
{
    char number[24];
    const char *s = json_string_value(value);

    if (json_is_integer(value)) {
        snprintf(number, sizeof number, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
        s = number;
    }
    if (!s)
        return false;
    text_put(t, "&");
    sigv4_put_encoded(t, name, strlen(name));
    text_put(t, "=");
    sigv4_put_encoded(t, s, strlen(s));
    return true;
}

static int form_body(struct aws_call *call, const json_t *body)
{
    const char *name;
    json_t *value;
    struct text t;

    call->body = malloc(AWS_BODY_MAX);
    if (!call->body)
        return -ENOMEM;
    call->body_len = AWS_BODY_MAX; /* to be wiped, whatever happens */
    t = text_over(call->body, AWS_BODY_MAX);
    text_put(&t, "Action=");
    text_put(&t, call->operation);
    text_put(&t, "&Version=");
    text_put(&t, service_wire(call->lane->service)->version);
    json_object_foreach((json_t *)(uintptr_t)body, name,
                        value) if (!put_pair(&t, name, value)) return -EINVAL;
    if (t.cut)
        return -E2BIG;
    call->body_len = t.len;
    return 0;
}

int call_set_body(struct aws_call *call, const json_t *body)
{
    if (!service_wire(call->lane->service)->target)
        return form_body(call, body);
    call->body = json_dumps(body, JSON_COMPACT);
    if (!call->body)
        return -ENOMEM;
    call->body_len = strlen(call->body);
    return call->body_len > AWS_BODY_MAX ? -E2BIG : 0;
}

/* ---- outcomes ----------------------------------------------------------------------------------
 */

static void keep(struct aws_call *call, const struct aws_result *r)
{
    if (!call->last)
        call->last = malloc(sizeof *call->last);
    if (call->last)
        *call->last = *r;
}

/* Not now: after a pause, if there is patience for one. */
static void pause_call(struct aws_call *call, const struct aws_result *r, int64_t us)
{
    keep(call, r);
    call->state = CALL_PAUSED;
    if (call_set_timer(call, us > 0 ? us : 1) < 0)
        call_end(call, r);
}

static void try_again(struct aws_call *call, const struct aws_result *r, enum retry why,
                      int64_t after_us)
{
    struct aws_client *c = call->client;
    uint32_t cost = r->status == 0 ? BUDGET_TIMEOUT : BUDGET_RETRY;

    if (why == RETRY_SLOWER) { /* was not done, and costs the service little: until patience ends */
        c->throttled++;
        rate_throttled(&call->lane->rate, client_boot());
        call->throttled++;
        pause_call(call, r, retry_delay(why, call->throttled, client_chance(), after_us));
        return;
    }
    call->failures++;
    if (call->failures >= call->most || !budget_spend(&c->budget, cost)) {
        call_end(call, r);
        return;
    }
    call->cost = cost;
    pause_call(call, r, retry_delay(why, call->failures, client_chance(), after_us));
}

/* Whether the clocks differ by so much that it explains the refusal; then the difference is kept.
 */
static bool clock_explains(struct aws_client *c, const struct http_answer *a)
{
    struct wall theirs;
    int64_t ahead;

    if (a->age[0] || !answer_http_date(a->date, &theirs))
        return false;
    ahead = theirs.us + SECOND_US / 2 - (client_now(c).us - c->clock_ahead_us);
    if (ahead - c->clock_ahead_us < CLOCK_SKEW_US && c->clock_ahead_us - ahead < CLOCK_SKEW_US)
        return false;
    c->clock_ahead_us = ahead < CLOCK_SKEW_US && ahead > -CLOCK_SKEW_US ? 0 : ahead;
    client_say(c, LOG_WARNING, "this machine's clock is %lld s %s AWS's; set the clock",
               (long long)(llabs(ahead) / SECOND_US), ahead > 0 ? "behind" : "ahead of");
    return true;
}

static void refused(struct aws_call *call, struct aws_result *r, const struct http_answer *a)
{
    enum retry why = retry_class(call->lane->service, r->status, r->code);
    int64_t after = answer_retry_after(a->retry_after, client_now(call->client));

    if (a->amz_retry_after[0]) { /* milliseconds */
        uint64_t ms;

        if (text_parse_u64(a->amz_retry_after, strlen(a->amz_retry_after), &ms) && ms < 86400000)
            after = (int64_t)ms * 1000;
    }
    if (why == RETRY_CLOCK && !call->clock_tried && clock_explains(call->client, a)) {
        call->clock_tried = true;
        lane_enqueue(call, true);
        return;
    }
    if (why == RETRY_CREDENTIALS && !call->own && !call->credentials_tried) {
        call->credentials_tried = true;
        credentials_distrust(call->client->credentials, call->number);
        keep(call, r);
        lane_enqueue(call, true);
        return;
    }
    if (why == RETRY_SOON || why == RETRY_SLOWER) {
        r->outcome = why == RETRY_SLOWER ? AWS_THROTTLED : AWS_BROKEN;
        try_again(call, r, why, after);
        return;
    }
    call_end(call, r);
}

static void succeeded(struct aws_call *call, struct aws_result *r, json_t *answer)
{
    budget_refund(&call->client->budget, call->cost ? call->cost : 1);
    call->maybe_done = true;
    r->outcome = AWS_OK;
    r->answer = answer;
    call_end(call, r);
    json_decref(answer);
}

static void no_answer(struct aws_call *call, struct aws_result *r, const struct http_answer *a)
{
    r->outcome = a->error == -E2BIG ? AWS_GARBLED : AWS_UNREACHABLE;
    r->status = a->error == -E2BIG ? a->status : 0;
    why_set(r->message, "%s: %s", call->lane->endpoint.host, a->why);
    call->maybe_done = call->maybe_done || a->sent;
    if (r->outcome == AWS_GARBLED) {
        snprintf(r->code, sizeof r->code, "%s", AWS_TOO_LARGE);
        call_end(call, r);
    } else {
        try_again(call, r, RETRY_SOON, 0);
    }
}

static void on_answer(void *ctx, const struct http_answer *a)
{
    struct aws_call *call = ctx;
    struct aws_result r = {.outcome = AWS_REFUSED, .status = a->status};
    bool xml = !service_wire(call->lane->service)->target;

    call->transfer = NULL;
    call->state = CALL_WAITING;
    call->lane->flying--;
    call->client->flying--;
    lane_wake(call->lane);
    memcpy(r.request_id, a->request_id, strnlen(a->request_id, sizeof r.request_id - 1));
    if (a->error) {
        no_answer(call, &r, a);
    } else if (a->status >= 200 && a->status < 300) {
        json_t *answer = xml           ? answer_xml(a->body, a->len)
                         : call->large ? answer_large(a->body, a->len)
                                       : answer_json(a->body, a->len);

        if (answer) {
            succeeded(call, &r, answer);
            return;
        }
        call->maybe_done = true;
        r.outcome = AWS_GARBLED;
        why_set(r.message, "%s: an answer that is no %s", call->lane->endpoint.host,
                xml ? "XML of STS" : "JSON object");
        try_again(call, &r, RETRY_SOON, 0);
    } else {
        answer_error(a->body, a->len, a->error_type, r.code, r.message, r.request_id);
        if (!r.message[0])
            why_set(r.message, "%s: HTTP %d", call->lane->endpoint.host, a->status);
        call->maybe_done = call->maybe_done || a->status >= 500;
        refused(call, &r, a);
    }
}

/* ---- one attempt -------------------------------------------------------------------------------
 */

enum { LINES_MAX = 6, LINE_CAP = KEYS_TOKEN_CAP + 64 };

/* The headers of one attempt, signed ones and then Authorization. */
struct lines {
    char text[LINES_MAX][LINE_CAP];
    const char *all[LINES_MAX];
    struct sigv4_header signed_ones[LINES_MAX];
    size_t n;
};

static void add_line(struct lines *l, const char *name, const char *value)
{
    struct text t = text_over(l->text[l->n], LINE_CAP);

    text_put(&t, name);
    text_put(&t, ": ");
    text_put(&t, value);
    l->signed_ones[l->n] = (struct sigv4_header){name, l->text[l->n] + strlen(name) + 2};
    l->all[l->n] = l->text[l->n];
    l->n++;
}

static bool sign(const struct aws_call *call, const struct keys *keys, struct lines *l)
{
    const struct endpoint *e = &call->lane->endpoint;
    const struct sigv4_scope scope = {e->region, e->signing, client_now(call->client)};
    struct sigv4_request r = {.method = "POST",
                              .path = e->path,
                              .query = "",
                              .headers = l->signed_ones,
                              .body = call->body,
                              .body_len = call->body_len};
    char authorization[1024], date[SIGV4_DATE_CAP];
    struct text t = text_over(authorization, sizeof authorization);

    sigv4_date(scope.now, date);
    add_line(l, "X-Amz-Date", date);
    if (keys->token[0])
        add_line(l, "X-Amz-Security-Token", keys->token);
    r.n_headers = l->n;
    if (!sigv4_sign(&r, &scope, keys->id, keys->secret, &t))
        return false;
    add_line(l, "Authorization", authorization);
    return true;
}

static void put_headers(const struct aws_call *call, struct lines *l)
{
    const struct service_wire *wire = service_wire(call->lane->service);
    char target[160];

    add_line(l, "Host", call->lane->endpoint.host);
    if (wire->target) {
        snprintf(target, sizeof target, "%s.%s", wire->target, call->operation);
        add_line(l, "Content-Type", "application/x-amz-json-1.1");
        add_line(l, "X-Amz-Target", target);
    } else {
        add_line(l, "Content-Type", "application/x-www-form-urlencoded; charset=utf-8");
    }
}

static int send_attempt(struct aws_call *call, const struct keys *keys, struct lines *l)
{
    const struct endpoint *e = &call->lane->endpoint;
    char url[ENDPOINT_HOST_CAP + ENDPOINT_PATH_CAP + 16];
    struct http_request r = {.method = "POST",
                             .url = url,
                             .headers = l->all,
                             .body = call->body,
                             .body_len = call->body_len,
                             .answer_max = call->large ? AWS_LARGE_MAX : AWS_ANSWER_MAX,
                             .plain = !e->tls};

    snprintf(url, sizeof url, "%s://%s%s", e->tls ? "https" : "http", e->host, e->path);
    put_headers(call, l);
    if (keys && !sign(call, keys, l))
        return -EINVAL;
    r.n_headers = l->n;
    return http_send(call->client->http, &r, on_answer, call, &call->transfer);
}

void call_fly(struct aws_call *call, const struct keys *keys, uint64_t number)
{
    struct lines *l = calloc(1, sizeof *l);
    int r = l ? send_attempt(call, keys, l) : -ENOMEM;

    secret_free(l, sizeof *l);
    if (r < 0) {
        struct aws_result failed = {.outcome = AWS_UNREACHABLE};

        why_set(failed.message, "cannot send: %s", strerror(-r));
        call_end(call, &failed);
        return;
    }
    call->number = number;
    call->state = CALL_FLYING;
    call->attempts++;
    call->lane->flying++;
    call->client->flying++;
    call->client->sent++;
}
