/* What the store gives back: values of the core with the words that people wrote. Every pointer
 * lives only as long as the callback that gets it. Absent text is "". */
#pragma once

#include "core/event.h"

struct record {
    struct request request;
    const char *reason, *ticket, *revoke_comment, *extension_reason;
    const struct decision *decisions; /* in order; comment "" if none */
    size_t n_decisions;
    struct aws_names names[TARGETS_MAX]; /* of AWS targets */
};

/* One event of the audit trail as it was committed. */
struct trail_event {
    uint64_t seq; /* from 1, without gaps */
    struct wall at;
    const char *host;
    const char *actor; /* "" is teamd itself */
    const char *action;
    struct id id;
    const char *target;
    const char *outcome;
    const char *detail;
    uint8_t prev[32];
    uint8_t hash[32]; /* BLAKE2b-256 over prev and the encoded event */
};
