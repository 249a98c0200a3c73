/* Times as people write them and as they are shown. Pure but for the time zone (localtime_r(3)).
 * All times are microseconds since 1970 UTC, as in proto.h. */
#pragma once

#include <team/text.h>

/* A time without a date, or a mere duration, lies ahead (--start) or behind (--since, --until). */
enum when_lean { WHEN_AHEAD, WHEN_BEHIND };

/* Reads
 *   now, today, tomorrow, yesterday           the words: midnight, local time, but for `now`
 *   +30m                                      ahead; only WHEN_AHEAD
 *   2h, -2h                                   ago; only WHEN_BEHIND
 *   14:00, 14:00:30                           the next or the last time that the clock shows this
 *   2026-11-22, 2026-11-22 14:00[:30]         local time; T for the blank will do
 *   2026-11-22T14:00:30[.5](Z|+02:00)         RFC 3339
 * False if it is none of them, or before 1970. */
bool when_parse(const char *s, int64_t now_us, enum when_lean lean, int64_t *ret_us);

/* What when_parse() takes, as the end of a complaint. */
const char *when_forms(enum when_lean lean);

enum { WHEN_CAP = 64 }; /* any time, as text */

/* "2026-11-22T14:00:00Z"; returns its length. */
size_t when_utc(int64_t us, char out[WHEN_CAP]);

/* Local: "14:00" today, "2026-11-23 14:00" on other days; `exact`: always date and seconds. */
void when_local(int64_t us, int64_t now_us, bool exact, char out[WHEN_CAP]);

/* The same beside a day that is told: a date only if it is another one. */
void when_of_day(int64_t us, int64_t day_us, bool seconds, char out[WHEN_CAP]);
