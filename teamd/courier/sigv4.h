/* AWS Signature Version 4 by headers (docs: "Signature Version 4 signing process"), for every
 * service but S3. Pure apart from hashing: the time is an argument, nothing is kept.
 *
 * What is signed is what is given: the caller passes every header that must be signed (host,
 * content-type, and every x-amz-* that is sent, x-amz-date and x-amz-security-token included), and
 * sends the same bytes. */
#pragma once

#include "core/value.h"

#include <team/text.h>

struct sigv4_header {
    const char *name; /* any case */
    const char *value;
};

enum { SIGV4_HEADERS_MAX = 32, SIGV4_PAIRS_MAX = 32, SIGV4_CANONICAL_CAP = 32 * 1024 };

struct sigv4_request {
    const char *method; /* "POST" */
    const char *path;   /* as sent; "" is "/". It is encoded once more here, as AWS wants it */
    const char *query;  /* as sent, without '?'; "" for none */
    const struct sigv4_header *headers;
    size_t n_headers;
    const void *body;
    size_t body_len;
    bool keep_path; /* dots and double slashes stay: for services that take paths as they are */
};

struct sigv4_scope {
    const char *region;  /* "us-east-1" */
    const char *service; /* the signing name: "sso" for sso-admin */
    struct wall now;
};

/* 20150830T123600Z, the value of x-amz-date. */
enum { SIGV4_DATE_CAP = 17 };
void sigv4_date(struct wall now, char out[SIGV4_DATE_CAP]);

/* RFC 3986: what is not A-Z a-z 0-9 - . _ ~ becomes %XX. */
void sigv4_put_encoded(struct text *t, const char *s, size_t n);

/* The canonical request, and the names of its headers joined by ';'. False when something is too
 * long, or there are too many headers or parameters. */
bool sigv4_canonical(const struct sigv4_request *r, struct text *out, struct text *signed_names);

void sigv4_string_to_sign(const char *canonical, const struct sigv4_scope *scope, struct text *out);

/* The value of Authorization. False as above, or when hashing fails (no memory). */
bool sigv4_sign(const struct sigv4_request *r, const struct sigv4_scope *scope,
                const char *access_key, const char *secret, struct text *authorization);
