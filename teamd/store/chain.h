/* The chain of the audit trail: an event as it is stored is the hash before it, its record, and
 * the BLAKE2b-256 hash over both. Whoever has all events can tell that none was changed, put in or
 * taken out before the last. */
#pragma once

#include "store/codec.h"

enum { SEALED_MAX = HASH_LEN + RECORD_MAX + HASH_LEN };

/* Returns the length, or 0 if the event may not be stored. Fills e->hash; takes e->prev. */
size_t chain_seal(struct trail_event *e, uint8_t out[static SEALED_MAX]);

/* Reads without checking the hash. As record_read_event(); *ret points into `data`. */
int chain_read(const uint8_t *data, size_t len, struct trail_event *ret);

/* Is the hash that of what stands before it? */
bool chain_sound(const uint8_t *data, size_t len);
