/* What a listing learned of the policy's names, and who somebody is in terms of it; private to
 * host/. */
#pragma once

#include "host/resolver.h"

enum { ALIASES_MAX = 1024 };

/* One more name of a uid. */
struct alias {
    uint32_t uid;
    struct name name;
};

enum bearer { BEARER_UNKNOWN = 0, BEARER_KNOWN = 1, BEARER_NONE = 2 };

struct roster {
    const struct policy *policy;
    struct {
        uint8_t bearer; /* enum bearer: does anybody bear the name? */
        uint32_t id;    /* uid or gid */
    } ids[PRINCIPALS_MAX];
    size_t n_aliases;
    struct alias aliases[ALIASES_MAX]; /* those beyond it are not known: less, never more */
};

void roster_learn_alias(struct roster *r, uint32_t uid, const struct name *name);

/* Writes the names that this uid has besides `canonical`; "" after the last. */
void roster_aliases(const struct roster *r, uint32_t uid, const char *canonical,
                    struct name out[ALIASES_PER_ASK]);

/* Every principal of the policy that an account is: by uid, and by the gids of its groups. A user's
 * name alone counts only if nobody bore it when the policy was listed. */
struct principals roster_is(const struct roster *r, uint32_t uid, const struct name *name,
                            const uint32_t *gids, size_t n_gids);
