#include "courier/activity_query.h"

#include <team/text.h>

#include <stdio.h>
#include <string.h>
#include <time.h>

#define HARMLESS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.@+=,-_"

static bool harmless(const char *s)
{
    return s[0] && s[strspn(s, HARMLESS)] == '\0';
}

int64_t activity_seconds_down(struct wall t)
{
    return t.us / SECOND_US - (t.us % SECOND_US < 0);
}

int64_t activity_seconds_up(struct wall t)
{
    return activity_seconds_down((struct wall){t.us + SECOND_US - 1});
}

/* ---- CloudWatch Logs ---------------------------------------------------------------------------
 */

void activity_pattern(const struct activity_scope *s, char out[ACTIVITY_PATTERN_CAP])
{
    struct text t = text_over(out, ACTIVITY_PATTERN_CAP);

    text_put(&t, "{ (($.recipientAccountId = \"");
    text_put(&t, s->account);
    text_put(&t, "\") && ($.userIdentity.sessionContext.sessionIssuer.userName = "
                 "\"AWSReservedSSO_");
    text_put(&t, harmless(s->set) ? s->set : "");
    text_put(&t, "*\"))");
    if (harmless(s->user_id)) {
        text_put(&t, " || ($.userIdentity.onBehalfOf.userId = \"");
        text_put(&t, s->user_id);
        text_put(&t, "\")");
    }
    text_put(&t, " }");
}

/* Of what is harmless, these mean something in a regular expression, or may be escaped in JSON. */
static void put_regex(struct text *t, const char *s)
{
    for (; *s; s++) {
        if (*s == '=') {
            text_put(t, "(=|\\\\u003d)");
            continue;
        }
        if (strchr(".+", *s))
            text_put(t, "\\");
        text_put_n(t, s, 1);
    }
}

/* Insights knows only the first 200 fields of a record, and who calls can put that many before
 * those that tell whose it is: so the record is looked at as a text. */
void activity_insights(const struct activity_scope *s, unsigned limit, char out[ACTIVITY_QUERY_CAP])
{
    struct text t = text_over(out, ACTIVITY_QUERY_CAP);

    text_put(&t, "fields @message | filter (@message like /");
    text_put(&t, s->account);
    text_put(&t, "/ and @message like /\"AWSReservedSSO_");
    if (harmless(s->set)) {
        put_regex(&t, s->set);
        text_put(&t, "_");
    }
    text_put(&t, "/");
    if (harmless(s->user)) {
        text_put(&t, " and @message like /(?i):");
        put_regex(&t, s->user);
        text_put(&t, "\"/");
    }
    text_put(&t, ")");
    if (harmless(s->user_id)) {
        text_put(&t, " or @message like /\"");
        put_regex(&t, s->user_id);
        text_put(&t, "\"/");
    }
    text_put(&t, " | sort @timestamp asc | limit ");
    text_put_u64(&t, limit);
}

/* ---- CloudTrail Lake ---------------------------------------------------------------------------
 */

/* Of what is harmless, _ means any character to LIKE. */
static void put_like(struct text *t, const char *s)
{
    for (; *s; s++) {
        char c = *s >= 'A' && *s <= 'Z' ? (char)(*s - 'A' + 'a') : *s;

        if (c == '_')
            text_put(t, "\\");
        text_put_n(t, &c, 1);
    }
}

static void put_sql_time(struct text *t, int64_t seconds)
{
    char out[32] = "";
    time_t at = (time_t)seconds;
    struct tm utc;

    if (gmtime_r(&at, &utc))
        strftime(out, sizeof out, "'%Y-%m-%d %H:%M:%S'", &utc);
    text_put(t, out);
}

bool activity_store_fits(const char *store)
{
    return strlen(store) == 36 && strspn(store, "0123456789abcdef-") == 36;
}

void activity_sql(const struct activity_scope *s, const char *store, struct wall from,
                  struct wall until, char out[ACTIVITY_QUERY_CAP])
{
    struct text t = text_over(out, ACTIVITY_QUERY_CAP);

    text_put(&t, "SELECT eventID AS id, eventTime AS at, eventName AS name, eventSource AS source, "
                 "awsRegion AS region, sourceIPAddress AS address, errorCode AS error, "
                 "readOnly AS readonly, recipientAccountId AS account, requestParameters AS "
                 "parameters, userIdentity.type AS kind, userIdentity.principalId AS principal, "
                 "userIdentity.sessionContext.sessionIssuer.userName AS role, "
                 "userIdentity.onBehalfOf.userId AS person FROM ");
    text_put(&t, store);
    text_put(&t, " WHERE eventTime >= ");
    put_sql_time(&t, activity_seconds_down(from));
    text_put(&t, " AND eventTime <= ");
    put_sql_time(&t, activity_seconds_up(until));
    text_put(&t, " AND recipientAccountId = '");
    text_put(&t, s->account);
    text_put(&t, "' AND lower(userIdentity.sessionContext.sessionIssuer.userName) LIKE "
                 "'awsreservedsso\\_");
    if (harmless(s->set)) {
        put_like(&t, s->set);
        text_put(&t, "\\_");
    }
    text_put(&t, "%' ESCAPE '\\'");
    if (harmless(s->user)) {
        text_put(&t, " AND lower(userIdentity.principalId) LIKE '%:");
        put_like(&t, s->user);
        text_put(&t, "' ESCAPE '\\'");
    }
    text_put(&t, " ORDER BY eventTime");
}
