#include "courier/http.h"
#include "courier/secret.h"
#include "courier/why.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <team/text.h>
#include <unistd.h>

struct http {
    sd_event *loop;
    CURLM *multi;
    sd_event_source *timer;
    sd_event_source *reaper; /* hands out what is finished, from the loop */
    struct http_transfer *first;
    char *ca_bundle, *proxy, *no_proxy;
};

struct http_transfer {
    struct http *http;
    struct http_transfer *next, **link;
    CURL *easy;
    struct curl_slist *headers;
    char *body;
    size_t body_len;
    char *answer;
    size_t len, cap, answer_max, header_bytes;
    bool too_large;
    bool near;
    char error[CURL_ERROR_SIZE];
    struct http_answer result;
    http_done done;
    void *ctx;
};

/* ---- curl's sockets and timer on the loop ------------------------------------------------------
 */

static void reap_soon(struct http *h)
{
    sd_event_source_set_enabled(h->reaper, SD_EVENT_ONESHOT);
}

static int on_socket(sd_event_source *source, int fd, uint32_t events, void *ctx)
{
    struct http *h = ctx;
    int flags = 0, running;

    (void)source;
    if (events & EPOLLIN)
        flags |= CURL_CSELECT_IN;
    if (events & EPOLLOUT)
        flags |= CURL_CSELECT_OUT;
    if (events & (EPOLLERR | EPOLLHUP))
        flags |= CURL_CSELECT_ERR;
    curl_multi_socket_action(h->multi, fd, flags, &running);
    reap_soon(h);
    return 0;
}

static int on_timer(sd_event_source *source, uint64_t usec, void *ctx)
{
    struct http *h = ctx;
    int running;

    (void)source;
    (void)usec;
    curl_multi_socket_action(h->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    reap_soon(h);
    return 0;
}

/* curl wants to hear of this socket, or no longer. */
static int watch(CURL *easy, curl_socket_t fd, int what, void *ctx, void *source_pointer)
{
    struct http *h = ctx;
    sd_event_source *source = source_pointer;
    uint32_t events = (what & CURL_POLL_IN ? EPOLLIN : 0) | (what & CURL_POLL_OUT ? EPOLLOUT : 0);

    (void)easy;
    if (what == CURL_POLL_REMOVE) {
        sd_event_source_disable_unref(source);
        curl_multi_assign(h->multi, fd, NULL);
        return 0;
    }
    if (source)
        return sd_event_source_set_io_events(source, events) < 0 ? -1 : 0;
    if (sd_event_add_io(h->loop, &source, fd, events, on_socket, h) < 0)
        return -1;
    curl_multi_assign(h->multi, fd, source);
    return 0;
}

/* 0 is the next turn of the loop: curl may not be called from inside of this. */
static int set_timer(CURLM *multi, long ms, void *ctx)
{
    struct http *h = ctx;

    (void)multi;
    if (ms < 0)
        return sd_event_source_set_enabled(h->timer, SD_EVENT_OFF) < 0 ? -1 : 0;
    if (sd_event_source_set_time_relative(h->timer, (uint64_t)ms * 1000) < 0 ||
        sd_event_source_set_enabled(h->timer, SD_EVENT_ONESHOT) < 0)
        return -1;
    return 0;
}

/* ---- answers -----------------------------------------------------------------------------------
 */

static size_t on_body(char *bytes, size_t size, size_t n, void *ctx)
{
    struct http_transfer *t = ctx;

    n *= size;
    if (n > t->answer_max - t->len) {
        t->too_large = true;
        return 0;
    }
    if (t->len + n >= t->cap) {
        size_t cap = 2 * (t->len + n) + 1024;
        char *more = malloc(cap);

        if (!more)
            return 0;
        if (t->len > 0)
            memcpy(more, t->answer, t->len);
        secret_free(t->answer, t->cap);
        t->answer = more;
        t->cap = cap;
    }
    memcpy(t->answer + t->len, bytes, n);
    t->len += n;
    t->answer[t->len] = '\0';
    return n;
}

static void take_header(const char *line, size_t n, const char *name, char out[HTTP_VALUE_CAP])
{
    size_t len = strlen(name);

    if (n <= len || line[len] != ':' || strncasecmp(line, name, len) != 0)
        return;
    line += len + 1;
    n -= len + 1;
    while (n > 0 && (line[0] == ' ' || line[0] == '\t')) {
        line++;
        n--;
    }
    while (n > 0 && (line[n - 1] == '\r' || line[n - 1] == '\n' || line[n - 1] == ' '))
        n--;
    text_make_plain(out, HTTP_VALUE_CAP, line, n);
}

static size_t on_header(char *line, size_t size, size_t n, void *ctx)
{
    struct http_transfer *t = ctx;
    struct http_answer *a = &t->result;

    n *= size;
    t->header_bytes += n;
    if (t->header_bytes > HTTP_HEADER_BYTES_MAX) {
        t->too_large = true;
        return 0;
    }
    take_header(line, n, "date", a->date);
    take_header(line, n, "age", a->age);
    take_header(line, n, "retry-after", a->retry_after);
    take_header(line, n, "x-amz-retry-after", a->amz_retry_after);
    take_header(line, n, "x-amzn-requestid", a->request_id);
    take_header(line, n, "x-amzn-errortype", a->error_type);
    return n;
}

/* ---- one transfer ------------------------------------------------------------------------------
 */

static void free_headers(struct curl_slist *headers)
{
    for (struct curl_slist *h = headers; h; h = h->next)
        secret_wipe(h->data, strlen(h->data));
    curl_slist_free_all(headers);
}

static void drop(struct http_transfer *t)
{
    *t->link = t->next;
    if (t->next)
        t->next->link = t->link;
    if (t->easy) {
        curl_multi_remove_handle(t->http->multi, t->easy);
        curl_easy_cleanup(t->easy);
    }
    free_headers(t->headers);
    secret_free(t->body, t->body_len);
    secret_free(t->answer, t->cap);
    free(t);
}

struct http_transfer *http_cancel(struct http_transfer *t)
{
    if (t)
        drop(t);
    return NULL;
}

bool http_was_sent(const struct http_transfer *t)
{
    curl_off_t started = 0;

    curl_easy_getinfo(t->easy, CURLINFO_PRETRANSFER_TIME_T, &started);
    return started > 0;
}

static int error_of(const struct http_transfer *t, CURLcode code)
{
    if (t->too_large)
        return -E2BIG;
    return code == CURLE_OPERATION_TIMEDOUT ? -ETIMEDOUT : -EIO;
}

static void finish(struct http_transfer *t, CURLcode code)
{
    struct http_answer *a = &t->result;
    curl_off_t took = 0;
    long status = 0;

    curl_easy_getinfo(t->easy, CURLINFO_TOTAL_TIME_T, &took);
    curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
    a->sent = http_was_sent(t);
    a->took_us = took;
    a->status = (int)status;
    a->body = t->answer ? t->answer : "";
    a->len = t->len;
    if (code != CURLE_OK) {
        a->error = error_of(t, code);
        why_set(a->why, "%s",
                t->too_large  ? "the answer is too large"
                : t->error[0] ? t->error
                              : curl_easy_strerror(code));
    }
    t->done(t->ctx, a);
}

/* Finished ones, one at a time: each callback may send and cancel others. */
static int reap(sd_event_source *source, void *ctx)
{
    struct http *h = ctx;
    const CURLMsg *m;
    int left;

    (void)source;
    while ((m = curl_multi_info_read(h->multi, &left))) {
        struct http_transfer *t;
        CURLcode code = m->data.result;

        if (m->msg != CURLMSG_DONE)
            continue;
        curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, (char **)&t);
        finish(t, code);
        drop(t);
    }
    return 0;
}

/* ---- only near ---------------------------------------------------------------------------------
 */

/* Where a container may be given credentials without TLS: loopback, and the addresses of ECS and
 * EKS. */
static bool is_near(const struct sockaddr *a)
{
    char text[INET6_ADDRSTRLEN] = "";

    if (a->sa_family == AF_INET) {
        struct sockaddr_in in;

        memcpy(&in, a, sizeof in);
        inet_ntop(AF_INET, &in.sin_addr, text, sizeof text);
        return ntohl(in.sin_addr.s_addr) >> 24 == 127 || strcmp(text, "169.254.170.2") == 0 ||
               strcmp(text, "169.254.170.23") == 0;
    }
    if (a->sa_family == AF_INET6) {
        struct sockaddr_in6 in;

        memcpy(&in, a, sizeof in);
        inet_ntop(AF_INET6, &in.sin6_addr, text, sizeof text);
    }
    return strcmp(text, "::1") == 0 || strcmp(text, "fd00:ec2::23") == 0;
}

/* Asked for every address that a name resolves to. */
static curl_socket_t open_socket(void *ctx, curlsocktype purpose, struct curl_sockaddr *a)
{
    const struct http_transfer *t = ctx;

    (void)purpose;
    if (t->near && !is_near(&a->addr))
        return CURL_SOCKET_BAD;
    return socket(a->family, a->socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, a->protocol);
}

/* ---- sending -----------------------------------------------------------------------------------
 */

static int add_headers(struct http_transfer *t, const struct http_request *r)
{
    static const char *const OURS[] = {"Expect:", "Accept:"}; /* curl's own are not signed */

    for (size_t i = 0; i < r->n_headers + 2; i++) {
        const char *line = i < 2 ? OURS[i] : r->headers[i - 2];
        struct curl_slist *more;

        if (strpbrk(line, "\r\n"))
            return -EINVAL;
        more = curl_slist_append(t->headers, line);
        if (!more)
            return -ENOMEM;
        t->headers = more;
    }
    return 0;
}

static int copy_body(struct http_transfer *t, const struct http_request *r)
{
    if (!r->body)
        return 0;
    t->body = malloc(r->body_len + 1);
    if (!t->body)
        return -ENOMEM;
    if (r->body_len > 0)
        memcpy(t->body, r->body, r->body_len);
    t->body_len = r->body_len;
    return 0;
}

#define SET(option, value) (failed |= (unsigned)curl_easy_setopt(t->easy, option, value))

static bool set_request(struct http_transfer *t, const struct http_request *r)
{
    unsigned failed = CURLE_OK;

    SET(CURLOPT_URL, r->url);
    SET(CURLOPT_PROTOCOLS_STR, r->plain ? "http,https" : "https");
    SET(CURLOPT_PATH_AS_IS, 1L);
    SET(CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
    SET(CURLOPT_HTTPHEADER, t->headers);
    SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    if (t->body) {
        SET(CURLOPT_POSTFIELDS, t->body);
        SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)t->body_len);
    }
    SET(CURLOPT_CUSTOMREQUEST, r->method);
    SET(CURLOPT_CONNECTTIMEOUT_MS,
        (long)((r->connect_us ? r->connect_us : HTTP_CONNECT_US) / 1000));
    SET(CURLOPT_TIMEOUT_MS, (long)((r->total_us ? r->total_us : HTTP_TOTAL_US) / 1000));
    return failed == CURLE_OK;
}

static bool set_rules(struct http_transfer *t, bool direct)
{
    const struct http *h = t->http;
    unsigned failed = CURLE_OK;

    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_QUICK_EXIT, 1L); /* or giving up waits until the resolver does */
    SET(CURLOPT_FOLLOWLOCATION, 0L);
    SET(CURLOPT_SSL_VERIFYPEER, 1L);
    SET(CURLOPT_SSL_VERIFYHOST, 2L);
    SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    if (h->ca_bundle[0])
        SET(CURLOPT_CAINFO, h->ca_bundle);
    SET(CURLOPT_PROXY, direct ? "" : h->proxy);
    SET(CURLOPT_NOPROXY, h->no_proxy);
    SET(CURLOPT_OPENSOCKETFUNCTION, open_socket);
    SET(CURLOPT_OPENSOCKETDATA, t);
    return failed == CURLE_OK;
}

static bool set_callbacks(struct http_transfer *t)
{
    unsigned failed = CURLE_OK;

    SET(CURLOPT_WRITEFUNCTION, on_body);
    SET(CURLOPT_WRITEDATA, t);
    SET(CURLOPT_HEADERFUNCTION, on_header);
    SET(CURLOPT_HEADERDATA, t);
    SET(CURLOPT_ERRORBUFFER, t->error);
    SET(CURLOPT_PRIVATE, t);
    return failed == CURLE_OK;
}

int http_send(struct http *h, const struct http_request *r, http_done done, void *ctx,
              struct http_transfer **ret)
{
    struct http_transfer *t = calloc(1, sizeof *t);
    bool direct = r->direct || r->near || strncasecmp(r->url, "https:", 6) != 0;
    int result;

    if (!t)
        return -ENOMEM;
    *t = (struct http_transfer){.http = h,
                                .next = h->first,
                                .link = &h->first,
                                .easy = curl_easy_init(),
                                .answer_max = r->answer_max,
                                .near = r->near,
                                .done = done,
                                .ctx = ctx};
    if (t->next)
        t->next->link = &t->next;
    h->first = t;
    result = t->easy ? add_headers(t, r) : -ENOMEM;
    if (result == 0)
        result = copy_body(t, r);
    if (result == 0 && (!set_request(t, r) || !set_rules(t, direct) || !set_callbacks(t) ||
                        curl_multi_add_handle(h->multi, t->easy) != CURLM_OK))
        result = -EINVAL;
    if (result < 0) {
        drop(t);
        return result;
    }
    *ret = t;
    return 0;
}

/* ---- the whole ---------------------------------------------------------------------------------
 */

static bool set_multi(struct http *h)
{
    return curl_multi_setopt(h->multi, CURLMOPT_SOCKETFUNCTION, watch) == CURLM_OK &&
           curl_multi_setopt(h->multi, CURLMOPT_SOCKETDATA, h) == CURLM_OK &&
           curl_multi_setopt(h->multi, CURLMOPT_TIMERFUNCTION, set_timer) == CURLM_OK &&
           curl_multi_setopt(h->multi, CURLMOPT_TIMERDATA, h) == CURLM_OK &&
           curl_multi_setopt(h->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS,
                             (long)HTTP_CONNECTIONS_MAX) == CURLM_OK &&
           curl_multi_setopt(h->multi, CURLMOPT_MAX_HOST_CONNECTIONS, (long)HTTP_PER_HOST_MAX) ==
               CURLM_OK &&
           curl_multi_setopt(h->multi, CURLMOPT_MAXCONNECTS, (long)HTTP_CONNECTIONS_MAX) ==
               CURLM_OK;
}

int http_new(sd_event *loop, const struct http_setup *setup, struct http **ret)
{
    struct http *h = calloc(1, sizeof *h);
    int r;

    if (!h)
        return -ENOMEM;
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        free(h);
        return -ENOMEM;
    }
    h->loop = sd_event_ref(loop);
    h->ca_bundle = strdup(setup->ca_bundle);
    h->proxy = strdup(setup->proxy);
    h->no_proxy = strdup(setup->no_proxy);
    h->multi = curl_multi_init();
    if (!h->ca_bundle || !h->proxy || !h->no_proxy || !h->multi) {
        http_free(h);
        return -ENOMEM;
    }
    /* An accuracy of 0 would be 250 ms, and curl sets this timer for every step that it takes. */
    if ((r = sd_event_add_time_relative(loop, &h->timer, CLOCK_MONOTONIC, 0, 1000, on_timer, h)) <
            0 ||
        (r = sd_event_source_set_enabled(h->timer, SD_EVENT_OFF)) < 0 ||
        (r = sd_event_add_defer(loop, &h->reaper, reap, h)) < 0 ||
        (r = sd_event_source_set_enabled(h->reaper, SD_EVENT_OFF)) < 0 ||
        (r = set_multi(h) ? 0 : -EINVAL) < 0) {
        http_free(h);
        return r;
    }
    *ret = h;
    return 0;
}

struct http *http_free(struct http *h)
{
    if (!h)
        return NULL;
    while (h->first)
        drop(h->first);
    if (h->multi)
        curl_multi_cleanup(h->multi);
    sd_event_source_disable_unref(h->timer);
    sd_event_source_disable_unref(h->reaper);
    sd_event_unref(h->loop);
    free(h->ca_bundle);
    free(h->proxy);
    free(h->no_proxy);
    free(h);
    curl_global_cleanup();
    return NULL;
}
