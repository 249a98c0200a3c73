#include "core/collect.h"

#include "core/step.h"

static struct wall later(struct wall t, int64_t s)
{
    return (struct wall){t.us + s * SECOND_US};
}

static struct wall least(struct wall a, struct wall b)
{
    return a.us < b.us ? a : b;
}

static struct wall most(struct wall a, struct wall b)
{
    return a.us > b.us ? a : b;
}

/* ---- when ------------------------------------------------------------------------------------ */

static void in(struct collecting *c, struct now now, int64_t s)
{
    c->due.us = now.boot.us + (s > 0 ? s * SECOND_US : 0);
}

/* Seconds until a late pass; at most its distance, wherever the clock was set. */
static int64_t until_late(const struct collecting *c, int64_t after_s, struct now now)
{
    int64_t s = (later(c->until, after_s).us - now.wall.us + SECOND_US - 1) / SECOND_US;

    return s < after_s ? s : after_s;
}

static bool is_early(const struct collecting *c, struct now now)
{
    return c->stage == COLLECT_LATE && now.wall.us < later(c->until, COLLECT_LATE_S).us;
}

static void plan(struct collecting *c, struct now now)
{
    if (c->stage == COLLECT_LIVE || (c->followed && is_early(c, now)))
        in(c, now, c->followed ? COLLECT_SOON_S : c->pace_s);
    else
        in(c, now, until_late(c, c->stage == COLLECT_LATE ? COLLECT_LATE_S : COLLECT_LAST_S, now));
}

struct collecting collect_from(const struct collection *k, struct now now)
{
    struct collecting c = {.request = k->request,
                           .target = k->target,
                           .stage = k->stage,
                           .pace_s = COLLECT_PACE_S,
                           .from = k->from,
                           .until = k->until,
                           .cursor = k->cursor,
                           .oldest_gap = k->n_gaps > 0 ? k->gaps[0].when.from : (struct wall){0}};

    plan(&c, now);
    if (c.stage == COLLECT_LIVE)
        c.due = now.boot;
    return c;
}

size_t collect_next(const struct collecting *all, size_t n)
{
    size_t next = n;

    for (size_t i = 0; i < n; i++)
        if (!all[i].asked && (next == n || all[i].due.us < all[next].due.us))
            next = i;
    return next;
}

void collect_ask(struct collecting *c, struct now now)
{
    struct wall end = c->until.us != 0 ? least(c->until, now.wall) : now.wall;
    struct wall from = later(c->cursor, -COLLECT_BACK_S);

    if (c->stage == COLLECT_LIVE)
        end = least(end, later(c->cursor, COLLECT_STEP_S));
    if (c->oldest_gap.us != 0 && c->oldest_gap.us > later(now.wall, -COLLECT_GAP_S).us)
        from = least(from, c->oldest_gap);
    if (c->stage != COLLECT_LIVE && !is_early(c, now))
        from = c->from;
    c->window.from = most(from, c->from);
    c->window.until = most(end, c->cursor); /* the clock was set back */
    c->asked = true;
    c->asked_at = now.boot;
}

void collect_done(struct collecting *c, struct now now, bool something)
{
    bool early = is_early(c, now);

    c->asked = false;
    c->failures = 0;
    c->why[0] = '\0';
    c->pace_s = something                            ? COLLECT_PACE_S
                : c->pace_s * 2 > COLLECT_PACE_MAX_S ? COLLECT_PACE_MAX_S
                                                     : c->pace_s * 2;
    c->cursor = most(c->cursor, c->window.until);
    if (c->stage == COLLECT_LIVE) {
        if (c->until.us != 0 && c->cursor.us >= c->until.us)
            c->stage = COLLECT_LATE;
    } else if (!early) {
        c->stage++;
    }
    plan(c, now);
    if (c->stage == COLLECT_LIVE && later(c->cursor, COLLECT_PACE_MAX_S).us < now.wall.us)
        c->due = now.boot; /* far behind */
}

bool collect_failed(struct collecting *c, struct now now, const char *why)
{
    struct text t = text_over(c->why, sizeof c->why);
    int64_t s = COLLECT_FAILED_S;

    for (uint16_t i = 0; i < c->failures && s < COLLECT_PACE_MAX_S; i++)
        s *= 2;
    text_put_cut(&t, why);
    c->asked = false;
    if (c->failures < UINT16_MAX)
        c->failures++;
    in(c, now, s < COLLECT_PACE_MAX_S ? s : COLLECT_PACE_MAX_S);
    if (c->until.us == 0 || now.wall.us < later(c->until, COLLECT_PATIENCE_S).us)
        return false;
    c->stage = COLLECT_OVER;
    return true;
}

void collect_lost(struct collecting *c, struct now now)
{
    c->asked = false;
    c->due = now.boot;
}

void collect_end(struct collecting *c, struct wall until, struct now now)
{
    c->until = until;
    if (!c->asked)
        plan(c, now);
}

/* At once, but coming and going makes nothing faster: each pass is calls that cost something. */
static struct boot soon(const struct collecting *c, struct now now)
{
    int64_t us = c->asked_at.us + COLLECT_SOON_S * SECOND_US;

    return c->asked_at.us != 0 && us > now.boot.us ? (struct boot){us} : now.boot;
}

void collect_follow(struct collecting *c, bool followed, struct now now)
{
    if (c->followed == followed)
        return;
    c->followed = followed;
    if (c->asked || c->failures > 0)
        return;
    plan(c, now);
    if (followed && (c->stage == COLLECT_LIVE || is_early(c, now)))
        c->due = soon(c, now);
}

bool collect_lags(struct wall cursor, struct wall until, struct wall now, struct span *ret)
{
    struct wall end = until.us != 0 ? least(until, now) : now;

    *ret = (struct span){cursor, end};
    return cursor.us < end.us && later(cursor, COLLECT_LAG_S).us < now.us;
}

/* ---- what is unknown ------------------------------------------------------------------------- */

struct gaps {
    size_t n;
    struct gap items[3 * GAPS_MAX]; /* an old one may be cut in two */
};

static void put(struct gaps *to, struct wall from, struct wall until, const char *why)
{
    struct gap *g = &to->items[to->n];
    size_t at = to->n;
    struct text t;

    if (from.us >= until.us)
        return;
    t = text_over(g->why, sizeof g->why);
    g->when = (struct span){from, until};
    text_put_cut(&t, why);
    for (to->n++; at > 0 && to->items[at - 1].when.from.us > to->items[at].when.from.us; at--) {
        struct gap other = to->items[at - 1];

        to->items[at - 1] = to->items[at];
        to->items[at] = other;
    }
}

static void take_out(struct gaps *g, size_t at)
{
    g->n--;
    memmove(&g->items[at], &g->items[at + 1], (g->n - at) * sizeof g->items[0]);
}

/* Those that touch and have one reason become one; those that overlap come one after the other. */
static void join(struct gaps *g)
{
    size_t at = 1;

    while (at < g->n) {
        struct gap *a = &g->items[at - 1], *b = &g->items[at];

        if (b->when.from.us <= a->when.until.us && strcmp(a->why, b->why) == 0) {
            a->when.until = most(a->when.until, b->when.until);
            take_out(g, at);
        } else if (b->when.until.us <= a->when.until.us) {
            take_out(g, at);
        } else {
            b->when.from = most(b->when.from, a->when.until);
            at++;
        }
    }
}

/* The two that are nearest to each other become one: better to say that too much is unknown. */
static void spare_one(struct gaps *g)
{
    size_t nearest = 1;
    int64_t best = INT64_MAX;

    for (size_t i = 1; i < g->n; i++) {
        int64_t apart = g->items[i].when.from.us - g->items[i - 1].when.until.us;

        if (apart < best) {
            best = apart;
            nearest = i;
        }
    }
    g->items[nearest - 1].when.until = g->items[nearest].when.until;
    take_out(g, nearest);
}

void collect_note(struct collection *c, struct span window, const struct gap *gaps, size_t n)
{
    struct gaps all = {.n = 0};

    for (size_t i = 0; i < c->n_gaps; i++) {
        const struct gap *g = &c->gaps[i];

        put(&all, g->when.from, least(g->when.until, window.from), g->why);
        put(&all, most(g->when.from, window.until), g->when.until, g->why);
    }
    for (size_t i = 0; i < n; i++)
        put(&all, most(gaps[i].when.from, window.from), least(gaps[i].when.until, window.until),
            gaps[i].why);
    join(&all);
    while (all.n > GAPS_MAX)
        spare_one(&all);
    c->n_gaps = (uint8_t)all.n;
    memcpy(c->gaps, all.items, all.n * sizeof c->gaps[0]);
}
