/* Any bytes as a record of the store: what is accepted is written again to a record that means the
 * same.
 * LIBFUZZER: -max_len=1200 */
#include "fuzz/fuzz.h"

#include "store/codec.h"

/* One function for each kind: the first byte of an input chooses. */
#define ROUND_TRIP(kind, type)                                                       \
    static void round_trip_##kind(const uint8_t *data, size_t len)                   \
    {                                                                                \
        static uint8_t once[ACTIVITY_MAX], twice[ACTIVITY_MAX];                      \
        static type value, again;                                                    \
        size_t n, m;                                                                 \
                                                                                     \
        if (record_read_##kind(data, len, &value) < 0)                               \
            return;                                                                  \
        n = record_write_##kind(&value, once);                                       \
        must(n > 0, "a " #kind " that was read can be written");                     \
        must(record_read_##kind(once, n, &again) == 0,                               \
             "a " #kind " that was written can be read");                            \
        m = record_write_##kind(&again, twice);                                      \
        must(m == n && memcmp(once, twice, n) == 0, "a " #kind " stays what it is"); \
    }

ROUND_TRIP(request, struct kept_request)
ROUND_TRIP(decision, struct decision)
ROUND_TRIP(words, struct words)
ROUND_TRIP(session, struct kept_session)
ROUND_TRIP(ledger, struct ledger)
ROUND_TRIP(event, struct trail_event)
ROUND_TRIP(collection, struct collection)
ROUND_TRIP(activity, struct activity)

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t len)
{
    static void (*const KINDS[])(const uint8_t *, size_t) = {
        round_trip_request, round_trip_decision, round_trip_words,      round_trip_session,
        round_trip_ledger,  round_trip_event,    round_trip_collection, round_trip_activity,
    };
    struct fuel f = {input, len};
    unsigned kind = take(&f) % (sizeof KINDS / sizeof KINDS[0]);
    size_t n;
    char *data = take_bytes(&f, f.left, &n);

    KINDS[kind]((const uint8_t *)data, n);
    free(data);
    return 0;
}
