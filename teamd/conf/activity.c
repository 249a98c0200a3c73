/* Where activity is read: aws.activity. */
#include "conf/reader.h"
#include "conf/schema.h"

#include <stdio.h>
#include <team/text.h>

#define ACCOUNT_PLACE "{account}"

/* ---- values --------------------------------------------------------------------------------- */

static void read_source(struct reader *r, const struct key *k, config_setting_t *s, void *to)
{
    const char *value = config_setting_get_string(s);

    (void)k;
    if (strcmp(value, "logs") == 0)
        *(uint8_t *)to = CONFIG_LOGS;
    else if (strcmp(value, "lookup") == 0)
        *(uint8_t *)to = CONFIG_LOOKUP;
    else if (strcmp(value, "lake") == 0)
        *(uint8_t *)to = CONFIG_LAKE;
    else
        complain(r, s, "must be \"logs\", \"lookup\" or \"lake\"");
}

static bool is_group_name(const char *s)
{
    static const char MADE_OF[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_/#";
    size_t n = strlen(s);

    return n >= 1 && n <= 512 && strspn(s, MADE_OF) == n;
}

/* arn:aws:logs:REGION:ACCOUNT:log-group:NAME */
static bool is_group_arn(const char *s)
{
    struct arn_part region = arn_part(s, 3), name = arn_part(s, 6);

    return strncmp(s, "arn:aws", 7) == 0 && arn_part_is(arn_part(s, 2), "logs") && region.n > 0 &&
           region.n < CONFIG_REGION_CAP && is_account(arn_part(s, 4)) &&
           arn_part_is(arn_part(s, 5), "log-group") && is_group_name(name.at);
}

static void read_log_group(struct reader *r, const struct key *k, config_setting_t *s, void *to)
{
    const char *value = config_setting_get_string(s);
    size_t n = strlen(value);

    if (!text_fits(r, k, s))
        return;
    if (strncmp(value, "arn:", 4) == 0 && n > 2 && strcmp(value + n - 2, ":*") == 0)
        complain(r, s, "must be without the :* at its end, which is not of the log group's name");
    else if (strncmp(value, "arn:", 4) == 0 ? !is_group_arn(value) : !is_group_name(value))
        complain(r, s,
                 "must be the name of a log group, or its ARN, as in "
                 "arn:aws:logs:eu-west-1:111122223333:log-group:trail");
    else
        memcpy(to, value, n + 1);
}

static void read_store(struct reader *r, const struct key *k, config_setting_t *s, void *to)
{
    const char *value = config_setting_get_string(s);

    (void)k;
    if (strlen(value) != 36 || strspn(value, "0123456789abcdef-") != 36)
        complain(r, s,
                 "must be the id of an event data store, the last part of its ARN, as in "
                 "12345678-90ab-cdef-1234-567890abcdef");
    else
        memcpy(to, value, 37);
}

static void add_region(struct reader *r, struct config_activity *a, const config_setting_t *s)
{
    const char *value = config_setting_get_string(s);

    if (!is_region(value)) {
        complain(r, s, "must be a region of AWS, as in \"eu-west-1\"");
        return;
    }
    for (size_t i = 0; i < a->n_regions; i++) {
        if (strcmp(a->regions[i], value) == 0) {
            complain(r, s, "is there already");
            return;
        }
    }
    memcpy(a->regions[a->n_regions++], value, strlen(value) + 1);
}

static void read_regions(struct reader *r, const struct key *k, config_setting_t *s, void *to)
{
    int n = config_setting_length(s);

    if (n < k->min || n > k->max) {
        complain(r, s, "must be %lld to %lld regions", (long long)k->min, (long long)k->max);
        return;
    }
    for (int i = 0; i < n; i++)
        add_region(r, to, config_setting_get_elem(s, (unsigned)i));
}

/* Which of them may have a place for an account, is seen when all of the source is there. */
static void read_any_role(struct reader *r, const struct key *k, config_setting_t *s, void *to)
{
    const char *value = config_setting_get_string(s);

    if (!text_fits(r, k, s))
        return;
    if (!is_role_arn(value))
        complain(r, s, "must be the ARN of a role, as in arn:aws:iam::111122223333:role/team");
    else
        memcpy(to, value, strlen(value) + 1);
}

const struct type TYPE_SOURCE = {SHAPE_STRING, "logs | lookup | lake", read_source};
const struct type TYPE_ANY_ROLE = {SHAPE_STRING, "ARN", read_any_role};
const struct type TYPE_LOG_GROUP = {SHAPE_STRING, "name | ARN", read_log_group};
const struct type TYPE_STORE = {SHAPE_STRING, "id", read_store};
const struct type TYPE_REGIONS = {SHAPE_STRINGS, "list of regions", read_regions};

/* ---- one source as a whole ------------------------------------------------------------------- */

static void check_keys(struct reader *r, const config_setting_t *s, const struct config_activity *a)
{
    static const char *const SOURCES[] = {
        [CONFIG_LOGS] = "logs", [CONFIG_LOOKUP] = "lookup", [CONFIG_LAKE] = "lake"};
    static const struct {
        const char *key;
        unsigned needed, possible; /* bits of sources */
    } KEYS[] = {
        {"log_group", 1 << CONFIG_LOGS, 1 << CONFIG_LOGS},
        {"store", 1 << CONFIG_LAKE, 1 << CONFIG_LAKE},
        {"regions", 1 << CONFIG_LOOKUP, 1 << CONFIG_LOOKUP},
        {"role", 1 << CONFIG_LOOKUP, ~0u},
        {"region", 0, 1 << CONFIG_LOGS | 1 << CONFIG_LAKE},
    };

    for (size_t i = 0; i < sizeof KEYS / sizeof KEYS[0]; i++) {
        const config_setting_t *given = config_setting_get_member(s, KEYS[i].key);

        if (!given && KEYS[i].needed & 1u << a->source)
            complain(r, s, "\"%s\" is missing, which the source \"%s\" needs", KEYS[i].key,
                     SOURCES[a->source]);
        if (given && !(KEYS[i].possible & 1u << a->source))
            complain(r, given, "is nothing for the source \"%s\"", SOURCES[a->source]);
    }
}

/* LookupEvents sees one account, so there has to be a role in each. The other sources are in one.
 */
static void check_role(struct reader *r, const config_setting_t *s, const struct config_activity *a)
{
    const config_setting_t *role = config_setting_get_member(s, "role");
    const char *place = strstr(a->role, ACCOUNT_PLACE);
    struct arn_part account = arn_part(a->role, 4);

    if (!role) {
        if (a->external_id[0])
            complain(r, config_setting_get_member(s, "external_id"),
                     "is for a role, and there is none");
        return;
    }
    if (a->source != CONFIG_LOOKUP && strpbrk(a->role, "{}"))
        complain(r, role,
                 "must be one role: the place for an account is for the source \"lookup\"");
    if (a->source == CONFIG_LOOKUP &&
        (!place || place != account.at || account.n != strlen(ACCOUNT_PLACE) ||
         strpbrk(place + account.n, "{}")))
        complain(r, role,
                 "must hold " ACCOUNT_PLACE " where the account goes, as in "
                 "arn:aws:iam::" ACCOUNT_PLACE ":role/team-activity");
}

/* The ARN of a log group says where that is. */
static void check_region(struct reader *r, const config_setting_t *s, struct config_activity *a)
{
    struct arn_part region = arn_part(a->log_group, 3);

    if (region.n == 0)
        return;
    if (a->region[0] == '\0')
        snprintf(a->region, sizeof a->region, "%.*s", (int)region.n, region.at);
    else if (strlen(a->region) != region.n || strncmp(a->region, region.at, region.n) != 0)
        complain(r, config_setting_get_member(s, "region"),
                 "is another region than that of the log group");
}

static bool same(const struct config_activity *a, const struct config_activity *b)
{
    if (a->source != b->source)
        return false;
    if (a->source == CONFIG_LOGS)
        return strcmp(a->log_group, b->log_group) == 0 && strcmp(a->region, b->region) == 0 &&
               strcmp(a->role, b->role) == 0;
    if (a->source == CONFIG_LAKE)
        return strcmp(a->store, b->store) == 0;
    for (size_t i = 0; i < a->n_regions; i++)
        for (size_t k = 0; k < b->n_regions; k++)
            if (strcmp(a->regions[i], b->regions[k]) == 0)
                return true;
    return false;
}

void check_activity(struct reader *r, config_setting_t *s, size_t n)
{
    struct config_activity *all = r->config->aws.activity;
    unsigned errors = r->errors;

    check_keys(r, s, &all[n]);
    if (r->errors > errors)
        return;
    check_role(r, s, &all[n]);
    check_region(r, s, &all[n]);
    for (size_t i = 0; i < n; i++)
        if (same(&all[i], &all[n]))
            complain(r, s, "reads what aws.activity[%zu] reads already", i);
}
