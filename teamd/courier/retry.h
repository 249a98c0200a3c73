/* When to try again, and how long to wait before: the SDKs' standard mode, with throttling left to
 * the rates below. Pure: time and chance are arguments. */
#pragma once

#include "courier/aws.h"

enum retry {
    RETRY_NOT = 0,     /* the answer is final */
    RETRY_SOON,        /* 5xx, connections that failed */
    RETRY_SLOWER,      /* throttled: it was not done, and has to come later */
    RETRY_CLOCK,       /* perhaps because the clocks differ */
    RETRY_CREDENTIALS, /* they have expired, or are not known (any more) */
};

/* What an answer that is an error asks for. ConflictException is final here. */
enum retry retry_class(enum aws_service service, int status, const char *code);

/* Microseconds before the repetition after `failures` (1...) of them: full jitter, `chance` of
 * 2^32. `after_us`: what Retry-After said, 0 if nothing. */
int64_t retry_delay(enum retry why, uint32_t failures, uint32_t chance, int64_t after_us);

#define RETRY_AFTER_MAX_US (60 * SECOND_US)

/* How far the clocks may differ before that explains a refused signature (AWS allows 5 minutes). */
#define CLOCK_SKEW_US (240 * SECOND_US)

/* What repetitions may cost: a service that is broken is not flooded. Successes fill it again. */
struct budget {
    uint32_t left;
};
enum { BUDGET_FULL = 500, BUDGET_RETRY = 5, BUDGET_TIMEOUT = 10 };

bool budget_spend(struct budget *b, uint32_t cost);
void budget_refund(struct budget *b, uint32_t cost); /* cost: of the last repetition, or 1 */

/* ---- rates -----------------------------------------------------------------------------------
 * A token bucket per service and region. Throttling takes 3 tenths of the rate, at most once a
 * second; a twentieth of the full rate comes back each second. */

struct rate {
    double full, now; /* calls per second */
    double tokens;
    struct boot at, cut_at;
};

struct rate rate_new(double per_second, struct boot now);
bool rate_take(struct rate *r, struct boot now);
int64_t rate_wait_us(struct rate *r, struct boot now); /* 0: rate_take() would work */
void rate_throttled(struct rate *r, struct boot now);

/* Calls per second that are allowed; see aws_call(). */
double rate_of(enum aws_service service, const char *operation);
