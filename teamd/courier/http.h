/* HTTP by libcurl on an sd-event loop. TLS is verified, always; http:// only where the caller says
 * that it may be. No redirects, no cookies, no netrc, HTTP/1.1; the proxy is the caller's, nothing
 * is taken from the process's environment. Requests are copied and wiped afterwards: they hold
 * secrets. (What curl and OpenSSL copy in turn, they free unwiped.) */
#pragma once

#include "courier/aws.h"

enum {
    HTTP_CONNECTIONS_MAX = 24,
    HTTP_PER_HOST_MAX = 24,
    HTTP_HEADERS_MAX = 12,
    HTTP_HEADER_BYTES_MAX = 64 * 1024, /* of an answer */
    HTTP_VALUE_CAP = 128,
};
#define HTTP_CONNECT_US (5 * SECOND_US)
#define HTTP_TOTAL_US   (30 * SECOND_US)

struct http;

struct http_setup {
    const char *ca_bundle;        /* file; "" for the system's */
    const char *proxy, *no_proxy; /* for https; "" for none */
};

int http_new(sd_event *loop, const struct http_setup *setup, struct http **ret);
struct http *http_free(struct http *h); /* drops what is under way, without calls */

struct http_request {
    const char *method; /* "POST", "GET", "PUT" */
    const char *url;
    const char *const *headers; /* "name: value", without CR and LF */
    size_t n_headers;
    const void *body; /* NULL: none */
    size_t body_len;
    size_t answer_max;
    int64_t connect_us, total_us; /* 0: the above */
    bool plain;                   /* http:// may be */
    bool near;   /* connects to nothing but this machine and the link: see http.c */
    bool direct; /* never by way of a proxy; http:// never is */
};

/* Lives until the callback returns. */
struct http_answer {
    int error;              /* 0: `status` is there; -ETIMEDOUT, -E2BIG (too large), -EIO */
    char why[AWS_TEXT_CAP]; /* what error it was */
    bool sent;              /* some of the request may have gone out */
    int status;
    const char *body; /* NUL-terminated */
    size_t len;
    int64_t took_us;
    /* Headers, "" where they were missing. */
    char date[HTTP_VALUE_CAP], age[HTTP_VALUE_CAP], retry_after[HTTP_VALUE_CAP],
        amz_retry_after[HTTP_VALUE_CAP], request_id[HTTP_VALUE_CAP], error_type[HTTP_VALUE_CAP];
};

typedef void (*http_done)(void *ctx, const struct http_answer *answer);

struct http_transfer;

/* `done` is called once, from the loop, never from inside. -EINVAL: a header with CR or LF, a URL
 * that curl does not take; -ENOMEM. */
int http_send(struct http *h, const struct http_request *r, http_done done, void *ctx,
              struct http_transfer **ret);

/* Whether some of it may have gone out by now. */
bool http_was_sent(const struct http_transfer *t);

/* `done` is not called any more. Returns NULL; NULL is fine. */
struct http_transfer *http_cancel(struct http_transfer *t);
