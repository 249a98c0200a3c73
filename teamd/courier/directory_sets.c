/* Permission sets: which of them are provisioned to the management account, which there are, and
 * what each is called. */
#include "courier/directory_parts.h"

#include "courier/json.h"

enum { SETS_MAX = 65536, SESSION_S = 3600 };

/* ---- how long credentials live: ISO 8601 ---------------------------------------------------- */

int64_t sets_session(const char *text)
{
    static const char UNITS[] = "WDHMS"; /* in their order; AWS uses H, M and S */
    static const int64_t SECONDS[] = {604800, 86400, 3600, 60, 1};
    int64_t total = 0, n = -1;
    size_t unit = 0;

    if (*text++ != 'P')
        return SESSION_S;
    for (; *text; text++) {
        if (*text >= '0' && *text <= '9') {
            n = (n < 0 ? 0 : n) * 10 + (*text - '0');
            if (n > 1000000)
                return SESSION_S;
        } else if (*text == 'T' && n < 0 && unit <= 2) {
            unit = 2;
        } else {
            while (UNITS[unit] && UNITS[unit] != *text)
                unit++;
            if (n < 0 || !UNITS[unit])
                return SESSION_S;
            total += n * SECONDS[unit++];
            n = -1;
        }
    }
    return total > 0 && n < 0 ? total : SESSION_S;
}

/* ---- one set after the other ---------------------------------------------------------------- */

static const char *set_now(const struct directory_sync *s)
{
    return json_string_value(json_array_get(s->list, s->at));
}

static void set_row(struct directory_sync *s, const char *name, int64_t session_s, bool unchanged)
{
    struct directory_row row = {
        .kind = DIRECTORY_SET,
        .id = set_now(s),
        .name = name,
        .parent = "",
        .session_s = session_s,
        .managed = json_object_get(s->seen, set_now(s)) ? DIRECTORY_MANAGED : s->managed,
        .unchanged = unchanged,
    };

    sync_row(s, &row);
}

static void set_described(void *ctx, const struct aws_result *result);

/* Runs over the sets that are known, to the next that has to be asked about. */
static void sets_next(struct directory_sync *s)
{
    s->held = true;
    while (!s->dropped && set_now(s) && s->calls.known &&
           s->calls.known(s->calls.ctx, set_now(s))) {
        set_row(s, "", 0, true);
        s->at++;
    }
    s->held = false;
    if (s->dropped)
        directory_sync_free(s);
    else if (!set_now(s))
        sync_part_ends(s, NULL);
    else
        sync_call(s, AWS_SSO_ADMIN, "DescribePermissionSet",
                  json_pack("{s:s, s:s}", "InstanceArn", s->place.instance, "PermissionSetArn",
                            set_now(s)),
                  set_described);
}

static void set_described(void *ctx, const struct aws_result *result)
{
    struct directory_sync *s = ctx;
    bool gone = strcmp(result->code, "ResourceNotFoundException") == 0; /* since it was listed */
    const json_t *set = json_object_get(result->answer, "PermissionSet");
    const char *name = json_text_of(set, "Name");
    struct aws_failure failure;

    s->call = NULL;
    if (result->outcome != AWS_OK && !gone) {
        failure_of_result(&failure, AWS_SSO_ADMIN, "DescribePermissionSet", result);
        sync_part_ends(s, &failure);
        return;
    }
    s->held = true;
    if (!gone && aws_name_fits(name, AWS_SET_NAME_CAP))
        set_row(s, name, sets_session(json_text_of(set, "SessionDuration")), false);
    else if (!gone)
        s->left_out++;
    s->at++;
    s->held = false;
    if (s->dropped)
        directory_sync_free(s);
    else
        sets_next(s);
}

/* ---- which there are ------------------------------------------------------------------------ */

static void sets_one(struct directory_sync *s, json_t *row)
{
    const char *arn = json_string_value(row);

    if (arn && aws_set_fits(arn))
        sync_list(s, arn);
    else
        s->left_out++;
}

static void sets_then(struct directory_sync *s)
{
    if (json_array_size(s->list) > SETS_MAX)
        sync_part_fails(s, AWS_SSO_ADMIN, "ListPermissionSets", "there are too many");
    else
        sets_next(s);
}

static json_t *sets_body(const struct directory_sync *s)
{
    return json_pack("{s:s, s:i}", "InstanceArn", s->place.instance, "MaxResults", 100);
}

/* ---- what the management account has -------------------------------------------------------- */

static void managed_row(struct directory_sync *s, json_t *row)
{
    if (json_is_string(row))
        sync_seen(s, json_string_value(row));
}

static void managed_then(struct directory_sync *s)
{
    struct sync_ask ask = {.service = AWS_SSO_ADMIN,
                           .operation = "ListPermissionSets",
                           .member = "PermissionSets",
                           .body = sets_body(s),
                           .row = sets_one,
                           .then = sets_then};

    s->managed = s->refused ? DIRECTORY_MANAGED_UNKNOWN : DIRECTORY_NOT_MANAGED;
    sync_pages(s, &ask);
}

void sets_begin(struct directory_sync *s)
{
    struct sync_ask ask = {.service = AWS_SSO_ADMIN,
                           .operation = "ListPermissionSetsProvisionedToAccount",
                           .member = "PermissionSets",
                           .body = sets_body(s),
                           .row = managed_row,
                           .then = managed_then,
                           .forgiven = "AccessDenied"};

    json_object_set_new(ask.body, "AccountId", json_string(s->place.management));
    sync_pages(s, &ask);
}
