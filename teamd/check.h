/* What a configuration that is good in itself means on this host. */
#pragma once

#include "teamd.h"

/* Says a line, as config_load() does. */
typedef void (*check_say_fn)(void *ctx, bool warning, const char *line);

/* Looks up the people and groups that the policy names, and warns of names that nobody bears, of
 * policies for nobody, and of policies for other hosts alone. In the foreground, before anything
 * else is open; where no person waits at a terminal, and so maybe a service, not for long. */
void check_on_this_host(const struct policy *p, check_say_fn say, void *ctx);

/* "alice" or "@sre". */
enum { CHECK_UNKNOWN_CAP = 160 };
void check_unknown_text(const struct principal *unknown, char out[CHECK_UNKNOWN_CAP]);
