/* CloudTrail's record as it is kept: JSON on one line without control characters, not too long.
 * Pure apart from the heap. */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum { ACTIVITY_RAW_MAX = 32768 }; /* bytes, as TEAM_RAW takes them */

/* Writes the record `raw` as one plain line, with a NUL. It stays what it was, except that control
 * characters are written \u00XX and blanks between members go; if it is too long, its largest
 * members are replaced, one after the other, by a text that says how many bytes are left out.
 * Returns the length; 0 if raw is no JSON object, or out of memory. *ret_size is what the length
 * would have been with all of it. */
size_t activity_raw(const char *raw, size_t len, char out[ACTIVITY_RAW_MAX + 1], size_t *ret_size);
