#include "ipc/ipc.h"

/* A row that cannot be written is a record that nobody sees any more, so every value is made to fit
 * its field: somebody else's text above all, but also names and words, which come from the host. */

/* ---- values ---------------------------------------------------------------------------------- */

enum { TEXT_MAX = 1400 }; /* the longest field that is not a group */

/* Names and words: every character that the class refuses becomes '_'. */
static void soften(char *s, struct wire_rule rule)
{
    for (size_t i = 0; s[i] != '\0'; i++) {
        const char here[2] = {i == 0 ? s[0] : 'x', s[i]};
        bool wide = s[i] & 0x80; /* part of a longer character, which is plain by now */

        if ((!wide || rule.class == TEAM_CS_WORD) && !wire_value_fits(rule, here, sizeof here))
            s[i] = '_';
    }
}

static void put(struct wire_out *w, enum team_tag tag, const char *s)
{
    struct wire_rule rule = wire_rule(tag);
    char text[TEXT_MAX + 1];
    size_t n = s ? strlen(s) : 0;

    if (n == 0)
        return;
    if (wire_value_fits(rule, s, n)) {
        wire_put_known(w, tag, s, n);
        return;
    }
    text_make_plain(text, (size_t)rule.max_len + 1, s, n);
    if (rule.class != TEAM_CS_TEXT)
        soften(text, rule);
    wire_put(w, tag, text);
}

/* A moment that never was, or never comes, is absent. */
static void put_time(struct wire_out *w, enum team_tag tag, struct wall at)
{
    static const int64_t LAST = INT64_C(9999999999999999); /* 16 digits: in the year 2286 */

    if (at.us > 0 && at.us <= LAST)
        wire_put_u64(w, tag, (uint64_t)at.us);
}

static void put_seconds(struct wire_out *w, enum team_tag tag, int64_t s)
{
    static const int64_t MOST = INT64_C(9999999999); /* 10 digits */

    if (s < 0)
        s = 0;
    wire_put_u64(w, tag, (uint64_t)(s < MOST ? s : MOST));
}

static void put_id(struct wire_out *w, struct id id)
{
    if (id.bits != 0)
        wire_put_id(w, TEAM_ID, id.bits);
}

static void put_hash(struct wire_out *w, enum team_tag tag, const uint8_t hash[static 32])
{
    char hex[64];

    text_hex_16(hash, hex);
    text_hex_16(hash + 16, hex + 32);
    wire_put_known(w, tag, hex, sizeof hex);
}

/* The portal's page for this account and permission set (IAM Identity Center User Guide, "Creating
 * a shortcut link"). What may not stand in a fragment as it is, is written as %XX. */
static void put_portal(struct wire_out *w, const char *portal, const struct grant *g)
{
    static const char HEX[] = "0123456789ABCDEF";
    char link[481];
    struct text t = text_over(link, sizeof link);
    size_t n = strlen(portal);

    text_put_n(&t, portal, n > 0 && portal[n - 1] == '/' ? n - 1 : n);
    text_put(&t, "/#/console?account_id=");
    text_put(&t, g->target.place);
    text_put(&t, "&role_name=");
    for (const char *c = g->target.what; *c; c++) {
        const char escaped[] = {'%', HEX[*c >> 4 & 15], HEX[*c & 15], '\0'};

        if (strchr("+=,@", *c))
            text_put(&t, escaped);
        else
            text_put_n(&t, c, 1);
    }
    put(w, TEAM_PORTAL, link);
}

static void put_aws(struct wire_out *w, const struct row_context *c, const struct grant *g,
                    const struct aws_names *names)
{
    const struct errand *e = world_errand(c->world, g->errand);

    put(w, TEAM_ACCOUNT, g->target.place);
    put(w, TEAM_ACCOUNT_NAME, names->account);
    put(w, TEAM_PERMISSION_SET, g->target.what);
    put_time(w, TEAM_CREDENTIALS_UNTIL, grant_credentials_until(g, c->now));
    if (e && (g->state == GRANT_OPENING || g->state == GRANT_CLOSING))
        put(w, TEAM_TROUBLE, e->trouble);
    if (g->state == GRANT_OPEN && c->portal && c->portal[0]) {
        put_portal(w, c->portal, g);
        put(w, TEAM_SSO_REGION, c->sso_region);
    }
}

static void put_target(struct wire_out *w, const struct row_context *c, const struct grant *g,
                       const struct aws_names *names)
{
    struct wire_mark mark = wire_group(w, TEAM_TARGET);
    char name[TARGET_TEXT_CAP];

    target_text(&g->target, name);
    put(w, TEAM_TARGET_NAME, name);
    put(w, TEAM_STATE, grant_state_text((enum grant_state)g->state));
    if (grant_is_aws(g))
        put_aws(w, c, g, names);
    wire_group_end(w, mark);
}

static void put_waiting_for(struct wire_out *w, const struct row_context *c,
                            const struct request *r)
{
    enum { SHOWN = 16 }; /* more names help nobody to find somebody */
    const struct person *who[SHOWN];
    size_t n = waiting_for(c->world, r, who, SHOWN);

    for (size_t i = 0; i < n && i < SHOWN; i++)
        put(w, TEAM_WAITING_FOR, who[i]->name.text);
}

/* ---- decisions ------------------------------------------------------------------------------- */

/* All that is not a decision takes less than 11,000 bytes of the 60,000 of a row. */
enum { DECISIONS_ROOM = 60000 - 11000 };

static size_t decision_size(const struct decision *d)
{
    enum { COMMENT_MAX = 1000, ALL_ELSE = 6 * 4 + 63 + 16 + 8 + 9 };
    size_t n = strlen(d->comment);

    return ALL_ELSE + (n < COMMENT_MAX ? n : COMMENT_MAX);
}

/* The oldest that is shown. When there are more long comments than a row can hold, the newest are
 * what matters; the others are in the audit trail. */
static size_t first_decision(const struct record *r)
{
    size_t first = r->n_decisions, room = DECISIONS_ROOM;

    while (first > 0) {
        size_t n = decision_size(&r->decisions[first - 1]);

        if (n > room)
            break;
        room -= n;
        first--;
    }
    return first;
}

static void put_decision(struct wire_out *w, const struct decision *d)
{
    struct wire_mark mark = wire_group(w, TEAM_DECISION_MADE);

    put(w, TEAM_BY, d->by.text);
    put_time(w, TEAM_AT, d->at);
    put(w, TEAM_DECISION, d->approved ? "approved" : "rejected");
    put(w, TEAM_COMMENT, d->comment);
    put(w, TEAM_ABOUT, d->about == ABOUT_EXTENSION ? "extension" : "request");
    wire_group_end(w, mark);
}

/* ---- rows ------------------------------------------------------------------------------------ */

static void put_extension(struct wire_out *w, const struct row_context *c, const struct record *r)
{
    const struct extension *e = &r->request.extension;
    struct wire_mark mark;

    if (r->request.extended_s > 0)
        put_seconds(w, TEAM_EXTENDED_S, r->request.extended_s);
    if (e->for_s <= 0) {
        put(w, TEAM_EXTENSION_REASON, r->extension_reason);
        return;
    }
    mark = wire_group(w, TEAM_EXTENSION);
    put_seconds(w, TEAM_FOR_S, e->for_s);
    put(w, TEAM_REASON, r->extension_reason);
    put_time(w, TEAM_REQUESTED_AT, e->requested_at);
    put_waiting_for(w, c, &r->request);
    wire_group_end(w, mark);
}

static void put_ask(struct wire_out *w, const struct row_context *c, const struct record *record)
{
    const struct request *r = &record->request;

    put_id(w, r->id);
    put(w, TEAM_REQUESTER, r->requester_name.text);
    put(w, TEAM_STATE, request_state_text((enum request_state)r->state));
    for (size_t i = 0; i < r->n_targets; i++)
        put_target(w, c, &r->grants[i], &record->names[i]);
    put(w, TEAM_REASON, record->reason);
    put(w, TEAM_TICKET, record->ticket);
    put_time(w, TEAM_REQUESTED_AT, r->requested_at);
    put_time(w, TEAM_REQUESTED_START, r->requested_start);
    put_seconds(w, TEAM_DURATION_S, r->duration_s);
}

/* Said of what is over, or on its way there: that credentials live as long as the elevation, and
 * then a while, is nothing to look out for. */
static void put_credentials(struct wire_out *w, const struct row_context *c,
                            const struct request *r)
{
    struct wall until = request_credentials_until(r, c->now);

    if (r->state >= REQ_ENDING && until.us > c->now.us)
        put_time(w, TEAM_CREDENTIALS_UNTIL, until);
}

void row_request(struct wire_out *w, const struct row_context *c, const struct record *record)
{
    const struct request *r = &record->request;

    put_ask(w, c, record);
    put_time(w, TEAM_ACTIVE_FROM, r->active_from);
    put_time(w, TEAM_ACTIVE_UNTIL, r->active_until);
    put_time(w, TEAM_ENDED_AT, r->ended_at);
    put_credentials(w, c, r);
    wire_put_u64(w, TEAM_APPROVAL_REQUIRED, r->approval_required);
    for (size_t i = first_decision(record); i < record->n_decisions; i++)
        put_decision(w, &record->decisions[i]);
    if (r->state == REQ_PENDING)
        put_waiting_for(w, c, r);
    put_extension(w, c, record);
    put(w, TEAM_REVOKED_BY, r->revoked_by.text);
    put(w, TEAM_REVOKE_COMMENT, record->revoke_comment);
    put(w, TEAM_FAILURE, r->failure);
    put(w, TEAM_HOST, r->host);
}

void row_session(struct wire_out *w, const struct session *s)
{
    wire_put_u64(w, TEAM_SESSION, s->number);
    put_id(w, s->request);
    put(w, TEAM_USER, s->user.text);
    put(w, TEAM_SERVICE, s->service);
    put(w, TEAM_TARGET_USER, s->target_user.text);
    put(w, TEAM_TTY, s->tty);
    put(w, TEAM_RHOST, s->rhost);
    put(w, TEAM_STATE, session_state_text((enum session_state)s->state));
    wire_put_u64(w, TEAM_LEADER, s->leader.pid);
    put_time(w, TEAM_STARTED_AT, s->started_at);
    put_time(w, TEAM_ENDED_AT, s->ended_at);
    put(w, TEAM_ENDED_HOW, session_end_text((enum session_end)s->end));
    put(w, TEAM_COMMAND, s->command);
    if (s->loginuid != NOBODY)
        wire_put_u64(w, TEAM_LOGIN_UID, s->loginuid);
    if (s->audit_session != NOBODY && s->audit_session != 0)
        wire_put_u64(w, TEAM_AUDIT_SESSION, s->audit_session);
    wire_put_u64(w, TEAM_CONTAINED, s->contained);
    wire_put_u64(w, TEAM_ESCAPED, s->escaped);
}

void row_event(struct wire_out *w, const struct trail_event *e)
{
    wire_put_u64(w, TEAM_SEQ, e->seq);
    put_time(w, TEAM_AT, e->at);
    put(w, TEAM_HOST, e->host);
    put(w, TEAM_BY, e->actor);
    put(w, TEAM_ACTION, e->action);
    put_id(w, e->id);
    put(w, TEAM_TARGET_NAME, e->target);
    put(w, TEAM_OUTCOME, e->outcome);
    put(w, TEAM_DETAIL, e->detail);
    put_hash(w, TEAM_PREV, e->prev);
    put_hash(w, TEAM_HASH, e->hash);
}

void row_text(struct wire_out *w, enum team_tag tag, const char *s)
{
    put(w, tag, s);
}

void row_status(struct wire_out *w, const char *name, const char *value)
{
    put(w, TEAM_NAME, name);
    put(w, TEAM_VALUE, value);
}

/* ---- activity -------------------------------------------------------------------------------- */

/* As it came, or not at all: a part of it would not be JSON. */
static void put_raw(struct wire_out *w, const struct activity *a)
{
    size_t n = strlen(a->raw);

    if (n > 0 && wire_value_fits(wire_rule(TEAM_RAW), a->raw, n))
        wire_put_known(w, TEAM_RAW, a->raw, n);
}

void row_activity(struct wire_out *w, const struct activity *a, bool with_raw)
{
    put(w, TEAM_KIND, "call");
    put_time(w, TEAM_AT, a->at);
    put(w, TEAM_EVENT_ID, a->event_id);
    put(w, TEAM_EVENT_NAME, a->name);
    put(w, TEAM_EVENT_SOURCE, a->source);
    put(w, TEAM_REGION, a->region);
    put(w, TEAM_ADDRESS, a->address);
    put(w, TEAM_RESOURCE, a->resource);
    put(w, TEAM_ERROR, a->error);
    wire_put_u64(w, TEAM_READ_ONLY, a->read_only);
    if (with_raw)
        put_raw(w, a);
    if (a->raw_size > 0)
        wire_put_u64(w, TEAM_RAW_SIZE, a->raw_size);
}

void row_gap(struct wire_out *w, const struct gap *g)
{
    put(w, TEAM_KIND, "gap");
    put_time(w, TEAM_AT, g->when.from);
    put_time(w, TEAM_UNTIL, g->when.until);
    put(w, TEAM_TEXT, g->why);
}

void row_collected(struct wire_out *w, const struct collection *c, const char *text)
{
    put_time(w, TEAM_UNTIL, c->cursor);
    if (c->stage == COLLECT_OVER)
        wire_put_u64(w, TEAM_LAST, 1);
    wire_put_u64(w, TEAM_CALLS, c->calls);
    wire_put_u64(w, TEAM_CHANGES, c->changes);
    wire_put_u64(w, TEAM_FAULTS, c->refused);
    wire_put_u64(w, TEAM_GAPS, c->n_gaps);
    put(w, TEAM_TEXT, text);
}
