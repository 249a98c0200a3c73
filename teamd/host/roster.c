/* Names of the policy as numbers: see roster.h. */
#include "host/roster.h"

void roster_learn_alias(struct roster *r, uint32_t uid, const struct name *name)
{
    for (size_t i = 0; i < r->n_aliases; i++)
        if (r->aliases[i].uid == uid && strcmp(r->aliases[i].name.text, name->text) == 0)
            return;
    if (r->n_aliases < ALIASES_MAX)
        r->aliases[r->n_aliases++] = (struct alias){uid, *name};
}

void roster_aliases(const struct roster *r, uint32_t uid, const char *canonical,
                    struct name out[ALIASES_PER_ASK])
{
    size_t n = 0;

    memset(out, 0, ALIASES_PER_ASK * sizeof *out);
    for (size_t i = 0; i < r->n_aliases && n < ALIASES_PER_ASK; i++)
        if (r->aliases[i].uid == uid && strcmp(r->aliases[i].name.text, canonical) != 0)
            out[n++] = r->aliases[i].name;
}

static bool holds(const uint32_t *gids, size_t n, uint32_t gid)
{
    for (size_t i = 0; i < n; i++)
        if (gids[i] == gid)
            return true;
    return false;
}

struct principals roster_is(const struct roster *r, uint32_t uid, const struct name *name,
                            const uint32_t *gids, size_t n_gids)
{
    struct principals is = {0};

    for (size_t i = 0; i < r->policy->n_principals; i++) {
        const struct principal *p = &r->policy->principals[i];
        bool known = r->ids[i].bearer == BEARER_KNOWN, hit = false;

        if (p->kind == PRINCIPAL_USER)
            hit = known ? r->ids[i].id == uid
                        : r->ids[i].bearer == BEARER_NONE && strcmp(p->name, name->text) == 0;
        else if (p->kind == PRINCIPAL_GROUP)
            hit = known && holds(gids, n_gids, r->ids[i].id);
        if (hit)
            principals_add(&is, i);
    }
    return is;
}
