/* AWS as the courier calls it: one client on one loop, JSON in and JSON out, for the services that
 * speak awsJson1.1 and for STS, whose XML is turned into JSON. Signing (Signature Version 4),
 * finding and refreshing of credentials, retries, rate limits and the difference between clocks
 * happen in here.
 *
 * Everything is called from the one thread of the loop, and nothing waits, with two exceptions that
 * are files: configuration and credentials files and tokens, which are read when credentials are
 * fetched. Secrets stay in here: they are in no answer, no text and no log line, and are wiped.
 *
 * Times: `struct wall`, microseconds since 1970; periods in microseconds. Texts in results are
 * printable UTF-8 without control characters, bounded, and "" when there is nothing to say. */
#pragma once

#include "core/value.h"

#include <jansson.h>
#include <systemd/sd-event.h>

enum aws_service {
    AWS_SSO_ADMIN = 1,     /* in the Identity Center region */
    AWS_IDENTITYSTORE = 2, /* in the Identity Center region */
    AWS_ORGANIZATIONS = 3, /* in the one region that the partition has for it */
    AWS_STS = 4,
    AWS_CLOUDTRAIL = 5,
    AWS_LOGS = 6,
};
enum { AWS_SERVICES = 7 };

/* ---- the client ------------------------------------------------------------------------------ */

enum { AWS_TEXT_CAP = 512, AWS_CODE_CAP = 96, AWS_REGION_CAP = 33 };

struct aws_setup {
    const char *region; /* NULL or "": AWS_REGION, AWS_DEFAULT_REGION, the profile */
    const char *identity_center_region; /* NULL or "": region */
    /* The ARN of a role to act as, assumed with whatever credentials are found; NULL or "": none.
     * And the external id that it asks for; NULL or "": none. */
    const char *role, *external_id;
    char *const *environment; /* AWS_*, HOME: "NAME=value"..., NULL; kept, not copied */
    /* Lines for the log, `priority` as in syslog(3). May be NULL. */
    void (*say)(void *ctx, int priority, const char *line);
    void *ctx;
};

struct aws_client;

/* Reads environment and files, opens nothing on the network. Texts of `setup` are copied, the
 * environment is not. 0 and *ret, or -EINVAL (a setting is wrong or missing: `why` says which,
 * where and what would be right), -ENOMEM. `why` has AWS_TEXT_CAP bytes. */
int aws_client_new(sd_event *loop, const struct aws_setup *setup, struct aws_client **ret,
                   char why[AWS_TEXT_CAP]);

/* Drops what is under way: nobody is called back any more. Returns NULL; NULL is fine. */
struct aws_client *aws_client_free(struct aws_client *c);

/* Throws away credentials and settings and reads them anew (SIGHUP). Calls under way go on. Errors
 * as aws_client_new(), and then nothing has changed. */
int aws_client_reload(struct aws_client *c, char why[AWS_TEXT_CAP]);

struct aws_status {
    char region[AWS_REGION_CAP], identity_center_region[AWS_REGION_CAP], partition[AWS_REGION_CAP];
    char credentials[AWS_TEXT_CAP]; /* where they are from: "profile \"x\" in FILE" ... */
    char problem[AWS_TEXT_CAP];     /* why there are none, or why they could not be refreshed */
    struct wall expires;            /* NEVER_US: never, or none are there */
    int64_t clock_ahead_us;         /* how much AWS's clock is ahead of ours, as far as it showed */
    uint32_t waiting, flying;       /* calls in the queue; on the wire */
    uint64_t sent, throttled,
        failed; /* attempts since the start; of them: told to slow down; lost */
};

void aws_client_status(const struct aws_client *c, struct aws_status *ret);

/* ---- calls ----------------------------------------------------------------------------------- */

enum {
    AWS_CALLS_MAX = 16384,            /* in the queue and on the wire; more are -EAGAIN */
    AWS_BODY_MAX = 256 * 1024,        /* bytes of a request */
    AWS_ANSWER_MAX = 4 * 1024 * 1024, /* bytes of an answer; more is AWS_GARBLED, */
    AWS_LARGE_MAX = 16 * 1024 * 1024  /* where large ones were asked for, these */
};

/* Who goes first where calls wait for their turn. Within one of these: first come, first served. */
enum aws_urgency {
    AWS_SOON = 0,    /* a person waits, or access has to end */
    AWS_SOMETIME = 1 /* the directory, reconciling */
};

struct aws_options {
    enum aws_urgency urgency;
    uint32_t attempts;  /* 0: AWS_MAX_ATTEMPTS, max_attempts of the profile, or 5 */
    uint64_t within_us; /* gives up that long after aws_call(), waiting included; 0: 10 minutes */
    const char *region; /* NULL: the service's (see above); copied */
    /* The answer has what people wrote: it may have AWS_LARGE_MAX bytes, and NUL in texts. */
    bool large;
};

enum aws_outcome {
    AWS_OK = 1,         /* `answer` is there */
    AWS_REFUSED,        /* the service said no: `code` and `message` say why */
    AWS_THROTTLED,      /* it said "slower" to the last attempt, too, or it never was our turn */
    AWS_BROKEN,         /* 5xx to the last attempt, too */
    AWS_UNREACHABLE,    /* no connection, TLS not trusted, no answer in time, cut off */
    AWS_GARBLED,        /* an answer that cannot be: no JSON, a duplicate member */
    AWS_NO_CREDENTIALS, /* none found, or the source failed: `message` says which and why */
};

#define AWS_TOO_LARGE "TooLarge" /* our own code, for an answer with too many bytes */

/* Lives until the callback returns. */
struct aws_result {
    enum aws_outcome outcome;
    json_t *answer; /* an object, borrowed: json_incref() what is to stay. NULL unless AWS_OK */
    int status;     /* of HTTP, of the last attempt; 0: none came */
    /* "ConflictException": without namespace; "" if there is none. AWS_GARBLED: AWS_TOO_LARGE, or
     * "" */
    char code[AWS_CODE_CAP];
    char message[AWS_TEXT_CAP];    /* for people; without credentials and signatures */
    char request_id[AWS_CODE_CAP]; /* AWS's own, for its support */
    uint32_t attempts;             /* that went out */
    /* Whether the service may have done what was asked: false only if no attempt can have arrived
     * whole, or each was turned away. For what changes things: look before doing it again. */
    bool maybe_done;
};

/* Called once, from the loop, never from inside aws_call(). It may call and cancel, but not free
 * the client. */
typedef void (*aws_done)(void *ctx, const struct aws_result *result);

struct aws_call;

/* Calls `operation` ("ListInstances") with `body`, an object whose reference is taken over, also
 * when this fails (NULL is -ENOMEM: what json_pack() returns may be passed on). STS takes an object
 * of strings and integers, and answers with the content of <...Result>: elements without children
 * are strings, lists (<member>) are arrays. `options` may be NULL. *ret is good until `done` is
 * called; `ret` may be NULL. -EAGAIN: AWS_CALLS_MAX; -E2BIG: AWS_BODY_MAX; -EINVAL: no such
 * service, no object, a region that is none.
 *
 * Attempts that are repeated: connections that fail, 5xx, throttling, clocks apart (once), expired
 * credentials (once, after fetching new ones). ConflictException is not: the caller knows better.
 * Between them: full jitter (base 0.1 s, for throttling 1 s; cap 20 s), Retry-After is honoured up
 * to 60 s; a budget of repetitions per client bounds what a broken service makes us send. Rates,
 * per service and region, from which throttling takes and time gives back: sso-admin 10 a second
 * (20 are documented, for all callers together), identitystore 10, organizations 5, sts 10,
 * cloudtrail 1 (LookupEvents: 2), logs 4. Paging is the caller's. */
int aws_call(struct aws_client *c, enum aws_service service, const char *operation, json_t *body,
             const struct aws_options *options, aws_done done, void *ctx, struct aws_call **ret);

/* No callback comes any more. What was sent may be done by the service nevertheless. Returns NULL;
 * NULL is fine. */
struct aws_call *aws_cancel(struct aws_call *call);

/* "sso-admin" */
const char *aws_service_name(enum aws_service service);
