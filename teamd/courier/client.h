/* The inside of a client, for the files that make it up. */
#pragma once

#include "courier/credentials.h"
#include "courier/retry.h"
#include "courier/settings.h"

struct call_list {
    struct aws_call *first, *last;
};

/* The queue of one service in one region, which has its own rate. */
struct lane {
    struct lane *next;
    struct aws_client *client;
    enum aws_service service;
    struct endpoint endpoint;
    char region[AWS_REGION_CAP]; /* as asked for; "" for the service's own */
    struct rate rate;
    struct call_list waiting[2]; /* by urgency */
    uint32_t flying;
    sd_event_source *timer; /* the next look at the queue */
};

struct aws_client {
    sd_event *loop;
    char *const *environment;
    char region[AWS_REGION_CAP], identity_center_region[AWS_REGION_CAP]; /* of the setup */
    void (*say)(void *ctx, int priority, const char *line);
    void *ctx;
    struct plan_role role; /* to act as; arn "": as whom the credentials are */
    struct settings settings;
    struct http *http;
    struct credentials *credentials;
    struct lane *lanes;
    struct aws_call *all;
    struct call_list failing; /* to be told that there are no credentials */
    struct budget budget;
    int64_t clock_ahead_us;
    uint32_t n_calls, flying;
    uint64_t sent, throttled, failed;
};

enum call_state { CALL_WAITING = 1, CALL_PAUSED, CALL_FLYING, CALL_ENDING };

struct aws_call {
    struct aws_client *client;
    struct lane *lane;
    struct aws_call *all_next, **all_link; /* of all of the client's */
    struct aws_call *next, *previous;      /* in `list` */
    struct call_list *list;
    enum call_state state;
    enum aws_urgency urgency;
    char operation[64];
    char *body;
    size_t body_len;
    const struct keys *keys; /* of its own; NULL: the client's, or none if `bare` */
    bool own, bare, large;
    struct http_transfer *transfer;
    sd_event_source *timer; /* the end of a pause, or of our patience */
    struct boot until;      /* of our patience */
    uint64_t number;        /* of the credentials that it was signed with */
    uint32_t most, attempts, failures, throttled, cost;
    bool clock_tried, credentials_tried, maybe_done;
    struct aws_result *last; /* what to tell if this was all; NULL: nothing yet */
    aws_done done;
    void *done_ctx;
};

/* ---- client.c -------------------------------------------------------------------------------- */

__attribute__((format(printf, 3, 4))) void client_say(const struct aws_client *c, int priority,
                                                      const char *format, ...);
struct wall client_now(const struct aws_client *c); /* by AWS's clock, as far as it is known */
struct boot client_boot(void);
const struct plan_role *client_role(const struct aws_client *c); /* NULL: none */
uint32_t client_chance(void);

/* An STS call with keys of its own, which live until it is done; NULL: unsigned. Takes the body. */
int client_call_as(struct aws_client *c, const struct keys *keys, const char *operation,
                   json_t *body, aws_done done, void *ctx, struct aws_call **ret);

/* Puts a call into its lane's queue, at its end, or at its front if it has waited before. */
void lane_enqueue(struct aws_call *call, bool front);
void lane_wake(struct lane *l);

void call_list_remove(struct aws_call *call);
void call_list_append(struct call_list *list, struct aws_call *call);

/* ---- call.c ---------------------------------------------------------------------------------- */

/* Signs and sends one attempt, whose turn it is. */
void call_fly(struct aws_call *call, const struct keys *keys, uint64_t number);

/* Tells the caller, and frees the call. */
void call_end(struct aws_call *call, const struct aws_result *result);

/* Frees it without telling. */
void call_free(struct aws_call *call);

/* The body as it goes over the wire. 0, -EINVAL, -E2BIG, -ENOMEM. */
int call_set_body(struct aws_call *call, const json_t *body);

/* The timer that ends its patience, or its pause if that is sooner. */
int call_set_timer(struct aws_call *call, int64_t pause_us);
