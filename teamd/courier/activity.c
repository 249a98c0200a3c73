#include "courier/activity.h"

#include "courier/answer.h"
#include "courier/json.h"

#include <team/text.h>

#include <string.h>
#include <strings.h>

/* ---- reading ----------------------------------------------------------------------------------
 */

static void plain(const json_t *object, const char *member, char *out, size_t cap)
{
    const char *text = json_text_of(object, member);

    text_make_plain(out, cap, text, strlen(text));
}

/* What names somebody is whole, and as it is, or not there at all. */
static void whole(const char *text, char *out, size_t cap)
{
    size_t n = strlen(text);

    out[0] = '\0';
    if (n < cap && text_is_plain(text, n))
        memcpy(out, text, n + 1);
}

static bool is_true(const json_t *object, const char *member)
{
    const json_t *value = json_object_get(object, member);

    return json_is_true(value) || json_is_text(object, member, "true"); /* Lake has texts only */
}

/* Who may make roles in an account can call one like those of Identity Center, but not put it where
 * only AWS does. Lake's rows have no ARN. */
static bool is_of_identity_center(const json_t *issuer)
{
    static const char ROLE[] = ":role/", WHERE[] = "aws-reserved/sso.amazonaws.com/";
    const char *arn = json_text_of(issuer, "arn"), *path = strstr(arn, ROLE);

    return !arn[0] || (path && strncmp(path + sizeof ROLE - 1, WHERE, sizeof WHERE - 1) == 0);
}

/* "AROAEXAMPLE:alice@example.com": the session's name stands behind the first colon. */
static void read_session(const json_t *identity, struct activity_event *e)
{
    const char *principal = json_text_of(identity, "principalId"), *colon = strchr(principal, ':');
    const json_t *issuer = json_object_get(json_object_get(identity, "sessionContext"),
                                           "sessionIssuer");

    if (!json_is_text(identity, "type", "AssumedRole") || !colon || !is_of_identity_center(issuer))
        return;
    whole(colon + 1, e->user, sizeof e->user);
    whole(json_text_of(issuer, "userName"), e->role, sizeof e->role);
}

static void read_fetched(const json_t *record, const json_t *identity, struct activity_event *e)
{
    const json_t *details = json_object_get(record, "serviceEventDetails");

    if (!json_is_text(identity, "type", "IdentityCenterUser"))
        return;
    whole(json_text_of(details, "account_id"), e->fetched_account, sizeof e->fetched_account);
    whole(json_text_of(details, "role_name"), e->fetched_set, sizeof e->fetched_set);
}

/* ---- what it was done to -----------------------------------------------------------------------
 *
 * Few records say it in `resources`. The parameters of most calls have it as their first member
 * that is called something-Name, -Id, -Arn or the like. */

static bool is_called_so(const char *member)
{
    static const char *const ENDS[] = {"arn", "name", "id", "ids", "key", "command", "path"};
    size_t n = strlen(member);

    for (size_t i = 0; i < sizeof ENDS / sizeof ENDS[0]; i++) {
        size_t k = strlen(ENDS[i]);

        if (n >= k && strcasecmp(member + n - k, ENDS[i]) == 0)
            return true;
    }
    return false;
}

static const char *first_text(const json_t *value)
{
    return json_is_array(value) ? json_string_value(json_array_get(value, 0))
                                : json_string_value(value);
}

static const char *text_of_parameters(json_t *parameters)
{
    const char *member, *any = json_string_value(parameters); /* Lake's are one text */
    json_t *value;

    json_object_foreach(parameters, member, value)
    {
        const char *text = first_text(value);

        if (text && is_called_so(member))
            return text;
        any = any ? any : text;
    }
    return any;
}

static void read_resource(const json_t *record, struct activity_event *e)
{
    const json_t *first = json_array_get(json_object_get(record, "resources"), 0);
    const char *text = json_text_of(first, "ARN");

    if (text[0] == '\0')
        text = text_of_parameters(json_object_get(record, "requestParameters"));
    if (text)
        text_make_plain(e->resource, sizeof e->resource, text, strlen(text));
}

bool activity_read(const json_t *record, struct activity_event *ret)
{
    const json_t *identity = json_object_get(record, "userIdentity");
    struct activity_event e = {.at = {0}};

    whole(json_text_of(record, "eventID"), e.id, sizeof e.id);
    plain(record, "eventName", e.name, sizeof e.name);
    if (e.id[0] == '\0' || e.name[0] == '\0' ||
        !answer_iso_date(json_text_of(record, "eventTime"), &e.at))
        return false;
    plain(record, "eventSource", e.source, sizeof e.source);
    plain(record, "awsRegion", e.region, sizeof e.region);
    plain(record, "sourceIPAddress", e.address, sizeof e.address);
    plain(record, "errorCode", e.error, sizeof e.error);
    e.read_only = is_true(record, "readOnly");
    whole(json_text_of(record, "recipientAccountId"), e.account, sizeof e.account);
    whole(json_text_of(json_object_get(identity, "onBehalfOf"), "userId"), e.user_id,
          sizeof e.user_id);
    read_session(identity, &e);
    read_fetched(record, identity, &e);
    read_resource(record, &e);
    *ret = e;
    return true;
}

/* ---- whose it is -------------------------------------------------------------------------------
 */

/* AWSReservedSSO_<set>_<16 hex digits>, of exactly this set: its name may have underscores itself.
 */
static bool is_role_of(const char *role, const char *set)
{
    static const char PREFIX[] = "AWSReservedSSO_";
    const char *at = role + sizeof PREFIX - 1;
    size_t n = strlen(set);

    if (strncmp(role, PREFIX, sizeof PREFIX - 1) != 0 || strncmp(at, set, n) != 0 || at[n] != '_')
        return false;
    at += n + 1;
    return strlen(at) == 16 && strspn(at, "0123456789abcdef") == 16;
}

static bool same_person(const struct activity_event *e, const struct activity_scope *s)
{
    if (e->user_id[0])
        return strcmp(e->user_id, s->user_id) == 0;
    return s->user[0] && strcasecmp(e->user, s->user) == 0;
}

bool activity_fits(const struct activity_event *e, const struct activity_scope *s)
{
    bool used = strcmp(e->account, s->account) == 0 && is_role_of(e->role, s->set);
    bool fetched = strcmp(e->fetched_account, s->account) == 0 &&
                   strcmp(e->fetched_set, s->set) == 0;

    return e->at.us >= s->from.us && e->at.us <= s->until.us && (used || fetched) &&
           same_person(e, s);
}
