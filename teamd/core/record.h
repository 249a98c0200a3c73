/* What the store gives back: values of the core with the words that people wrote. Every pointer
 * lives only as long as the callback that gets it. Absent text is "". */
#pragma once

#include "core/collect.h"
#include "core/event.h"

struct record {
    struct request request;
    const char *reason, *ticket, *revoke_comment, *extension_reason;
    const struct decision *decisions; /* in order; comment "" if none */
    size_t n_decisions;
    struct aws_names names[TARGETS_MAX]; /* of AWS targets */
};

enum { ACTIVITY_RAW_MAX = 32768, ACTIVITY_ID_MAX = 64 };

/* One call of AWS, as CloudTrail tells it. */
struct activity {
    struct id request;
    uint8_t target; /* of the grant that it was made under */
    struct wall at;
    const char *event_id;
    uint64_t number; /* in which order the target's calls came here, from 1 */
    const char *name, *source, *region, *address, *resource, *error;
    bool read_only;
    const char *raw;   /* the record, JSON */
    uint32_t raw_size; /* before what was too large was left out of it */
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
