#include "courier/retry.h"

/* ---- what answers mean -------------------------------------------------------------------------
 */

/* botocore's retries/standard.py; LimitExceededException means a quota where it is not listed here.
 */
static const struct {
    const char *code;
    enum retry retry;
} CODES[] = {
    {"Throttling", RETRY_SLOWER},
    {"ThrottlingException", RETRY_SLOWER},
    {"ThrottledException", RETRY_SLOWER},
    {"RequestThrottledException", RETRY_SLOWER},
    {"RequestThrottled", RETRY_SLOWER},
    {"TooManyRequestsException", RETRY_SLOWER},
    {"RequestLimitExceeded", RETRY_SLOWER},
    {"BandwidthLimitExceeded", RETRY_SLOWER},
    {"SlowDown", RETRY_SLOWER},
    {"PriorRequestNotComplete", RETRY_SLOWER},
    {"ProvisionedThroughputExceededException", RETRY_SLOWER},
    {"TransactionInProgressException", RETRY_SLOWER},
    {"EC2ThrottledException", RETRY_SLOWER},

    {"RequestTimeout", RETRY_SOON},
    {"RequestTimeoutException", RETRY_SOON},
    {"InternalServerException", RETRY_SOON},
    {"InternalFailure", RETRY_SOON},
    {"InternalError", RETRY_SOON},
    {"ServiceException", RETRY_SOON}, /* organizations: "can't complete your request" */
    {"ServiceUnavailable", RETRY_SOON},
    {"ServiceUnavailableException", RETRY_SOON},
    {"IDPCommunicationError", RETRY_SOON},
    {"ConcurrentModificationException", RETRY_SOON},

    {"AuthFailure", RETRY_CLOCK},
    {"InvalidSignatureException", RETRY_CLOCK},
    {"SignatureDoesNotMatch", RETRY_CLOCK},
    {"RequestExpired", RETRY_CLOCK},
    {"RequestInTheFuture", RETRY_CLOCK},
    {"RequestTimeTooSkewed", RETRY_CLOCK},

    {"ExpiredToken", RETRY_CREDENTIALS},
    {"ExpiredTokenException", RETRY_CREDENTIALS},
    {"InvalidClientTokenId", RETRY_CREDENTIALS},
    {"InvalidToken", RETRY_CREDENTIALS},
    {"UnrecognizedClientException", RETRY_CREDENTIALS},
    {"InvalidAccessKeyId", RETRY_CREDENTIALS},
};

enum retry retry_class(enum aws_service service, int status, const char *code)
{
    if (service != AWS_LOGS && strcmp(code, "LimitExceededException") == 0)
        return RETRY_SLOWER;
    for (size_t i = 0; i < sizeof CODES / sizeof CODES[0]; i++)
        if (strcmp(CODES[i].code, code) == 0)
            return CODES[i].retry;
    if (status == 429)
        return RETRY_SLOWER;
    return status == 500 || status == 502 || status == 503 || status == 504 ? RETRY_SOON
                                                                            : RETRY_NOT;
}

int64_t retry_delay(enum retry why, uint32_t failures, uint32_t chance, int64_t after_us)
{
    int64_t most = 20 * SECOND_US, base = why == RETRY_SLOWER ? SECOND_US : SECOND_US / 10, delay;

    for (uint32_t i = 1; i < failures && base < most; i++)
        base *= 2;
    if (base < most)
        most = base;
    delay = (int64_t)((uint64_t)most * chance >> 32);
    if (after_us > RETRY_AFTER_MAX_US)
        after_us = RETRY_AFTER_MAX_US;
    return after_us > 0 ? after_us + delay / 4
                        : delay; /* all who were told the same do not come back at once */
}

/* ---- the budget --------------------------------------------------------------------------------
 */

bool budget_spend(struct budget *b, uint32_t cost)
{
    if (b->left < cost)
        return false;
    b->left -= cost;
    return true;
}

void budget_refund(struct budget *b, uint32_t cost)
{
    b->left = b->left + cost < BUDGET_FULL ? b->left + cost : BUDGET_FULL;
}

/* ---- rates -------------------------------------------------------------------------------------
 */

struct rate rate_new(double per_second, struct boot now)
{
    return (struct rate){
        .full = per_second, .now = per_second, .tokens = per_second, .at = now, .cut_at = {0}};
}

static void pass(struct rate *r, struct boot now)
{
    double seconds = (double)(now.us - r->at.us) / (double)SECOND_US;
    double most = r->now > 1 ? r->now : 1; /* a second's worth may come at once */

    if (now.us <= r->at.us)
        return;
    r->at = now;
    r->tokens += seconds * r->now;
    if (r->tokens > most)
        r->tokens = most;
    r->now += seconds * r->full / 20;
    if (r->now > r->full)
        r->now = r->full;
}

bool rate_take(struct rate *r, struct boot now)
{
    pass(r, now);
    if (r->tokens < 1)
        return false;
    r->tokens -= 1;
    return true;
}

int64_t rate_wait_us(struct rate *r, struct boot now)
{
    pass(r, now);
    if (r->tokens >= 1)
        return 0;
    return (int64_t)((1 - r->tokens) / r->now * (double)SECOND_US) + 1;
}

void rate_throttled(struct rate *r, struct boot now)
{
    pass(r, now);
    if (r->cut_at.us != 0 && now.us - r->cut_at.us < SECOND_US)
        return;
    r->cut_at = now;
    r->now *= 0.7;
    if (r->now < r->full / 20)
        r->now = r->full / 20;
    r->tokens = 0;
}

double rate_of(enum aws_service service, const char *operation)
{
    switch (service) {
    case AWS_ORGANIZATIONS:
        return 5;
    case AWS_LOGS: /* 5 a second are documented for each of its operations */
        return 4;
    case AWS_CLOUDTRAIL: /* 2 a second are documented for LookupEvents; 1 for most others */
        return strcmp(operation, "LookupEvents") == 0 ? 1.6 : 1;
    case AWS_SSO_ADMIN:
    case AWS_IDENTITYSTORE:
    case AWS_STS:
    default:
        return 10;
    }
}
