#include "activity.h"

/* What the courier says of activity, as values. */

enum { ROWS_MAX = 1400 /* of one packet: none is smaller than 47 bytes */ };

/* One packet of calls, and their texts with NULs. */
static struct activity rows[ROWS_MAX];
static char texts[TEAM_PACKET_MAX + 8 * ROWS_MAX];

static const char *keep(struct wire_span row, enum team_tag tag, size_t *used)
{
    struct wire_span v = wire_find(row, tag);
    char *to = texts + *used;

    if (v.len == 0)
        return "";
    memcpy(to, v.at, v.len);
    to[v.len] = '\0';
    *used += v.len + 1;
    return to;
}

static bool find_time(struct wire_span row, enum team_tag tag, struct wall *ret)
{
    uint64_t us = 0;

    wire_find_u64(row, tag, &us);
    *ret = (struct wall){us <= INT64_MAX ? (int64_t)us : 0};
    return ret->us > 0;
}

static bool read_call(struct wire_span row, struct activity *ret, size_t *used)
{
    uint64_t read_only = 0, size = 0;

    *ret = (struct activity){.event_id = keep(row, TEAM_EVENT_ID, used),
                             .name = keep(row, TEAM_EVENT_NAME, used),
                             .source = keep(row, TEAM_EVENT_SOURCE, used),
                             .region = keep(row, TEAM_REGION, used),
                             .address = keep(row, TEAM_ADDRESS, used),
                             .resource = keep(row, TEAM_RESOURCE, used),
                             .error = keep(row, TEAM_ERROR, used),
                             .raw = keep(row, TEAM_RAW, used)};
    wire_find_u64(row, TEAM_READ_ONLY, &read_only);
    wire_find_u64(row, TEAM_RAW_SIZE, &size);
    ret->read_only = read_only != 0;
    ret->raw_size = size > UINT32_MAX ? UINT32_MAX : (uint32_t)size;
    return find_time(row, TEAM_AT, &ret->at) && ret->event_id[0] && ret->name[0];
}

/* More of them than a collection keeps become one with the last. */
static bool read_gap(struct wire_span row, struct pass *p)
{
    struct wire_span why = wire_find(row, TEAM_TEXT);
    struct gap g, *last = &p->gaps[GAPS_MAX - 1];

    if (!find_time(row, TEAM_AT, &g.when.from) || !find_time(row, TEAM_UNTIL, &g.when.until))
        return false;
    text_make_plain(g.why, sizeof g.why, why.at ? why.at : "",
                    why.len); /* as much as there is room for */
    if (p->n_gaps < GAPS_MAX) {
        p->gaps[p->n_gaps++] = g;
        return true;
    }
    if (g.when.from.us < last->when.from.us)
        last->when.from = g.when.from;
    if (g.when.until.us > last->when.until.us)
        last->when.until = g.when.until;
    return true;
}

/* Whatever the courier says, nothing gets in that was not under this grant. */
static bool is_within(const struct collecting *c, struct wall at)
{
    return at.us >= c->from.us && (c->until.us == 0 || at.us <= c->until.us);
}

bool activity_read_rows(struct wire_span fields, struct pass *p, const struct collecting *c,
                        const struct activity **ret, size_t *ret_n)
{
    size_t n = 0, used = 0;

    for (struct wire_span row; row = wire_each(&fields, TEAM_ROW), row.at;) {
        struct wire_span kind = wire_find(row, TEAM_KIND);

        if (kind.len == 3 && memcmp(kind.at, "gap", 3) == 0) {
            if (!read_gap(row, p))
                return false;
        } else if (n == ROWS_MAX || !read_call(row, &rows[n], &used)) {
            return false;
        } else {
            n += is_within(c, rows[n].at);
        }
    }
    *ret = rows;
    *ret_n = n;
    return true;
}
