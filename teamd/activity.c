#include "activity.h"

#include <errno.h>
#include <stdlib.h>
#include <syslog.h>

/* What is done with AWS access, from team-courier into the store. Each AWS grant that was ever open
 * has a collection (core/collect.h says when it is asked for, and for which time). Nothing here has
 * to survive: how far a collection has come is stored with what came, and a pass that was not
 * answered is asked for again. */

enum {
    NOTED_AT_ONCE = 4,
    PASSES_MAX = 8, /* under way at once */
};

struct activity_desk {
    struct collecting *all;
    size_t n, cap;
    struct pass passes[PASSES_MAX];
    struct id *noted; /* requests whose grants are to be looked at */
    size_t n_noted, cap_noted;
    sd_event_source *timer;
    struct boot tidy_at;
    struct activity_pace pace;
};

static struct reply say(enum reply_code code, const char *text)
{
    struct reply reply = {.code = (uint8_t)code};
    struct text t = text_over(reply.text, sizeof reply.text);

    text_put(&t, text);
    return reply;
}

static struct reply say_unwritten(int error)
{
    return say(REPLY_FAILED, error == -ENOSPC ? "the disk of teamd is nearly full"
                                              : "teamd cannot write its store");
}

const char *activity_why_not(const struct teamd *t)
{
    if (!t->config->policy.aws)
        return "AWS is not configured";
    return t->config->aws.n_activity == 0 ? "not collected: aws.activity is not configured" : NULL;
}

/* ---- which ------------------------------------------------------------------------------------
 */

/* They are sorted by this; where it is, or belongs. */
static size_t place_of(const struct activity_desk *d, struct id request, uint8_t target)
{
    size_t low = 0, high = d->n;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct collecting *c = &d->all[middle];

        if (c->request.bits < request.bits ||
            (c->request.bits == request.bits && c->target < target))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static struct collecting *find(const struct activity_desk *d, struct id request, uint8_t target)
{
    size_t at = place_of(d, request, target);
    bool there = at < d->n && d->all[at].request.bits == request.bits &&
                 d->all[at].target == target;

    return there ? &d->all[at] : NULL;
}

static int add(struct activity_desk *d, const struct collecting *c)
{
    size_t at = place_of(d, c->request, c->target);

    if (d->n == d->cap) {
        size_t cap = d->cap ? 2 * d->cap : 16;
        struct collecting *more = reallocarray(d->all, cap, sizeof *more);

        if (!more)
            return -ENOMEM;
        d->all = more;
        d->cap = cap;
    }
    memmove(&d->all[at + 1], &d->all[at], (d->n - at) * sizeof *c);
    d->all[at] = *c;
    d->n++;
    return 0;
}

static void drop(struct activity_desk *d, struct collecting *c)
{
    size_t at = (size_t)(c - d->all);

    d->n--;
    memmove(&d->all[at], &d->all[at + 1], (d->n - at) * sizeof *c);
}

static struct pass *pass_named(const struct teamd *t, uint64_t token)
{
    struct activity_desk *d = t->link->activity;

    for (size_t i = 0; token != 0 && i < PASSES_MAX; i++)
        if (d->passes[i].token == token)
            return &d->passes[i];
    return NULL;
}

bool activity_has_job(const struct teamd *t, uint64_t token)
{
    return pass_named(t, token) != NULL;
}

bool activity_expects(const struct teamd *t, struct id request)
{
    const struct activity_desk *d = t->link->activity;
    size_t at = place_of(d, request, 0);

    for (size_t i = 0; i < d->n_noted; i++)
        if (d->noted[i].bits == request.bits)
            return true;
    return at < d->n && d->all[at].request.bits == request.bits;
}

size_t activity_count(const struct teamd *t, const struct collecting **ret_troubled)
{
    const struct activity_desk *d = t->link->activity;

    *ret_troubled = NULL;
    for (size_t i = 0; i < d->n; i++)
        if (d->all[i].why[0] &&
            (!*ret_troubled || d->all[i].cursor.us < (*ret_troubled)->cursor.us))
            *ret_troubled = &d->all[i];
    return d->n;
}

bool activity_lag(const struct teamd *t, const struct collection *k, struct gap *ret)
{
    const struct collecting *c = find(t->link->activity, k->request, k->target);
    const char *why_not = activity_why_not(t);
    struct text why = text_over(ret->why, sizeof ret->why);

    if (!c || !collect_lags(c->cursor, c->until, host_now().wall, &ret->when))
        return false;
    text_put(&why, why_not         ? why_not
                   : c->why[0]     ? c->why
                   : t->link->work ? "it is being read"
                                   : "team-courier is not connected");
    return true;
}

/* ---- grants become collections ----------------------------------------------------------------
 */

/* Times of CloudTrail are whole seconds: a call in the first one must not seem to be before it. */
static struct wall whole_second(struct wall t)
{
    return (struct wall){t.us - t.us % SECOND_US};
}

static void put_text(char *to, size_t cap, const char *s)
{
    struct text t = text_over(to, cap);

    text_put(&t, s);
}

static int begin(struct teamd *t, const struct record *r, uint8_t target, struct now now)
{
    const struct grant *g = &r->request.grants[target];
    struct collection k = {.request = r->request.id, .target = target, .stage = COLLECT_LIVE};
    struct collecting c;
    int error;

    k.from = k.cursor = whole_second(request_usable_from(&r->request));
    put_text(k.account, sizeof k.account, g->target.place);
    put_text(k.set, sizeof k.set, g->target.what);
    put_text(k.user, sizeof k.user, r->names[target].user);
    put_text(k.user_id, sizeof k.user_id, r->request.aws_user);
    error = store_put_collection(t->store, now, &k);
    c = collect_from(&k, now);
    return error < 0 ? error : add(t->link->activity, &c);
}

static int see_end(struct teamd *t, struct collecting *c, struct wall until, struct now now)
{
    struct collection k;
    int r = store_collection(t->store, c->request, c->target, &k);

    if (r < 0)
        return r;
    k.until = until;
    r = store_put_collection(t->store, now, &k);
    if (r == 0)
        collect_end(c, until, now);
    return r;
}

static int see_grant(struct teamd *t, const struct record *r, uint8_t target, struct now now)
{
    const struct grant *g = &r->request.grants[target];
    struct collecting *c = find(t->link->activity, r->request.id, target);
    struct collection k;
    int error;

    if (!c) {
        if (activity_why_not(t))
            return 0;
        error = store_collection(t->store, r->request.id, target, &k);
        if (error == 0)
            return 0; /* and it is over */
        error = error == -ENOENT ? begin(t, r, target, now) : error;
        if (error < 0)
            return error;
        c = find(t->link->activity, r->request.id, target);
    }
    if (g->state == GRANT_CLOSED && c->until.us != g->credentials_until.us)
        return see_end(t, c, g->credentials_until, now);
    return 0;
}

static int see(void *ctx, const struct record *r)
{
    struct teamd *t = ctx;
    struct now now = host_now();
    int error = 0;

    for (uint8_t i = 0; i < r->request.n_targets && error == 0; i++) {
        if (grant_was_usable(&r->request.grants[i]))
            error = see_grant(t, r, i, now);
    }
    return error;
}

/* ---- when -------------------------------------------------------------------------------------
 */

static void arm(struct teamd *t, struct boot at)
{
    sd_event_source *timer = t->link->activity->timer;

    sd_event_source_set_time(timer, at.us > 0 ? (uint64_t)at.us : 0);
    sd_event_source_set_enabled(timer, SD_EVENT_ONESHOT);
}

static void look_soon(struct teamd *t)
{
    arm(t, (struct boot){0});
}

void link_collect(struct teamd *t, struct id request)
{
    struct activity_desk *d = t->link->activity;

    if (d->n_noted > 0 && d->noted[d->n_noted - 1].bits == request.bits)
        return;
    if (t->config && activity_why_not(t) && d->n == 0)
        return; /* when it is turned on, live requests are looked at */
    if (d->n_noted == d->cap_noted) {
        size_t cap = d->cap_noted ? 2 * d->cap_noted : 16;
        struct id *more = reallocarray(d->noted, cap, sizeof *more);

        if (!more)
            return; /* the next start finds it */
        d->noted = more;
        d->cap_noted = cap;
    }
    d->noted[d->n_noted++] = request;
    look_soon(t);
}

/* A few of them: each may be a commit. False: the disk is full; later. */
static bool see_noted(struct teamd *t)
{
    struct activity_desk *d = t->link->activity;

    for (unsigned i = 0; i < NOTED_AT_ONCE && d->n_noted > 0; i++) {
        int r = t->retry_s > 0 ? -ENOSPC
                               : store_request(t->store, d->noted[d->n_noted - 1], see, t);

        if (r == -ENOSPC)
            return false;
        if (r < 0)
            log_line(LOG_ERR, "activity of a request cannot be collected: %s", strerror(-r));
        d->n_noted--;
    }
    return true;
}

static struct pass *free_pass(struct activity_desk *d)
{
    for (size_t i = 0; i < PASSES_MAX; i++)
        if (d->passes[i].token == 0)
            return &d->passes[i];
    return NULL;
}

static void ask(struct teamd *t, struct pass *p, struct collecting *c, struct now now)
{
    struct collection k;
    int r = store_collection(t->store, c->request, c->target, &k);

    collect_ask(c, now);
    if (r < 0) {
        collect_failed(c, now, "what is stored of it cannot be read");
        return;
    }
    *p = (struct pass){.token = link_token(t->link),
                       .request = c->request,
                       .target = c->target,
                       .soon = c->followed,
                       .window = c->window};
    memcpy(p->account, k.account, sizeof p->account);
    memcpy(p->set, k.set, sizeof p->set);
    memcpy(p->user, k.user, sizeof p->user);
    memcpy(p->user_id, k.user_id, sizeof p->user_id);
}

/* Hands over what is due, as far as there is room. Returns when to look again. */
static struct boot begin_passes(struct teamd *t, struct now now)
{
    struct activity_desk *d = t->link->activity;
    struct pass *p;

    if (activity_why_not(t) || !t->link->work || t->stopping)
        return (struct boot){NEVER_US};
    while ((p = free_pass(d))) {
        size_t next = collect_next(d->all, d->n);

        if (next == d->n)
            break;
        if (d->all[next].due.us > now.boot.us)
            return d->all[next].due;
        ask(t, p, &d->all[next], now);
        link_wake(t->link);
    }
    return (struct boot){NEVER_US};
}

static int look(sd_event_source *source, uint64_t usec, void *ctx)
{
    struct teamd *t = ctx;
    struct activity_desk *d = t->link->activity;
    struct now now = host_now();
    struct boot next, begin;

    (void)source;
    (void)usec;
    if (!t->config)
        return 0;
    if (!see_noted(t)) {
        arm(t, (struct boot){now.boot.us + 5 * SECOND_US});
        return 0;
    }
    next = activity_tidy(t, &d->tidy_at, now);
    begin = begin_passes(t, now);
    if (d->n_noted > 0)
        next.us = 0;
    arm(t, begin.us < next.us ? begin : next);
    return 0;
}

void activity_configure(struct teamd *t)
{
    const struct world *w = &t->world;
    const struct request *r;

    for (uint32_t at = 0; (r = world_each_request(w, &at));)
        for (size_t i = 0; i < r->n_targets; i++)
            if (grant_was_usable(&r->grants[i])) {
                link_collect(t, r->id);
                break;
            }
    look_soon(t);
}

/* Nobody knows what the one before has done of it. */
void activity_connected(struct teamd *t)
{
    struct activity_desk *d = t->link->activity;

    for (size_t i = 0; i < PASSES_MAX; i++)
        if (d->passes[i].token != 0) {
            d->passes[i].token = link_token(t->link);
            d->passes[i].sent = false;
            d->passes[i].n_gaps = 0;
        }
    look_soon(t);
}

void activity_follow(struct teamd *t, struct id request)
{
    struct activity_desk *d = t->link->activity;
    bool followed = logs_followed(t, request);

    for (size_t i = place_of(d, request, 0); i < d->n && d->all[i].request.bits == request.bits;
         i++)
        collect_follow(&d->all[i], followed, host_now());
    look_soon(t);
}

/* ---- to the courier ---------------------------------------------------------------------------
 */

static void put_job(struct wire_out *w, const struct pass *p)
{
    struct wire_mark mark = wire_group(w, TEAM_ROW);

    wire_put_u64(w, TEAM_JOB, p->token);
    wire_put_u64(w, TEAM_ROUND, 1);
    wire_put(w, TEAM_STEP, "activity");
    wire_put(w, TEAM_ACCOUNT, p->account);
    wire_put(w, TEAM_PERMISSION_SET, p->set);
    wire_put(w, TEAM_PRINCIPAL, p->user_id);
    wire_put(w, TEAM_LABEL, p->user);
    wire_put_u64(w, TEAM_SINCE, (uint64_t)p->window.from.us);
    wire_put_u64(w, TEAM_UNTIL, (uint64_t)p->window.until.us);
    if (p->soon)
        wire_put_u64(w, TEAM_SOON, 1);
    wire_group_end(w, mark);
}

void activity_put_jobs(const struct teamd *t, struct wire_out *w)
{
    const struct activity_desk *d = t->link->activity;

    for (size_t i = 0; i < PASSES_MAX; i++)
        if (d->passes[i].token != 0 && !d->passes[i].sent)
            put_job(w, &d->passes[i]);
}

void activity_sent(struct teamd *t)
{
    for (size_t i = 0; i < PASSES_MAX; i++)
        t->link->activity->passes[i].sent = t->link->activity->passes[i].token != 0;
}

/* ---- from the courier -------------------------------------------------------------------------
 */

static struct reply take_found(struct teamd *t, struct wire_span fields)
{
    struct wall oldest = {0};
    struct pass *p;
    struct collecting *c;
    const struct activity *rows = NULL;
    uint64_t token = 0;
    size_t n = 0;
    int r;

    wire_find_u64(fields, TEAM_JOB, &token);
    p = pass_named(t, token);
    c = p ? find(t->link->activity, p->request, p->target) : NULL;
    if (!c)
        return say(REPLY_NOT_FOUND, "nobody waits for that any more");
    if (!activity_read_rows(fields, p, c, &rows, &n))
        return say(REPLY_USAGE, "a row of the activity makes no sense");
    if (n == 0)
        return say(REPLY_DONE, "");
    r = t->retry_s > 0 || !store_has_room(t->store, FOR_ACTIVITY)
            ? -ENOSPC
            : store_add_activity(t->store, host_now(), p->request, p->target, rows, n, &oldest);
    if (r < 0)
        return say_unwritten(r);
    if (r > 0) {
        p->something = true;
        logs_tell(t, p->request, oldest);
    }
    return say(REPLY_DONE, "");
}

void activity_gone(struct teamd *t, struct conn *c)
{
    pace_gone(&t->link->activity->pace, c);
}

void activity_take_found(struct teamd *t, struct conn *c, struct wire_span fields)
{
    int64_t begin_us = host_now().boot.us;
    struct reply reply = take_found(t, fields);

    pace_answer(&t->link->activity->pace, c, &reply, host_now().boot.us - begin_us);
}

/* Stores how far it has come. */
static int put_progress(struct teamd *t, const struct pass *p, struct collecting *c, struct now now)
{
    struct collection k;
    int r = store_collection(t->store, p->request, p->target, &k);

    if (r < 0)
        return r;
    collect_note(&k, p->window, p->gaps, p->n_gaps);
    k.cursor = c->cursor;
    k.stage = c->stage;
    c->oldest_gap = k.n_gaps > 0 ? k.gaps[0].when.from : (struct wall){0};
    return t->retry_s > 0 ? -ENOSPC : store_put_collection(t->store, now, &k);
}

static struct reply end_pass(struct teamd *t, struct pass *p, struct collecting *c, bool worked,
                             const char *why)
{
    struct now now = host_now();
    struct collecting next = *c;
    int r = 0;

    if (worked) {
        collect_done(&next, now, p->something);
        r = put_progress(t, p, &next, now);
    } else if (collect_failed(&next, now, why)) {
        p->window = (struct span){next.cursor, next.until};
        p->gaps[0].when = p->window;
        memcpy(p->gaps[0].why, next.why, sizeof next.why);
        p->n_gaps = 1;
        r = put_progress(t, p, &next, now);
    }
    p->token = 0;
    if (r == 0)
        *c = next;
    else
        collect_failed(c, now, "teamd cannot write its store");
    if (c->stage == COLLECT_OVER && r == 0)
        drop(t->link->activity, c);
    logs_tell(t, p->request, (struct wall){INT64_MAX});
    look_soon(t);
    return r < 0 ? say_unwritten(r) : say(REPLY_DONE, "");
}

struct reply activity_take_result(struct teamd *t, struct wire_span fields, const char *outcome)
{
    uint64_t token = 0;
    struct pass *p;
    struct collecting *c;
    char text[481] = "";

    wire_find_u64(fields, TEAM_JOB, &token);
    wire_copy(fields, TEAM_TEXT, text, sizeof text);
    p = pass_named(t, token);
    c = p ? find(t->link->activity, p->request, p->target) : NULL;
    if (!c)
        return say(REPLY_NOT_FOUND, "nobody waits for that any more");
    if (strcmp(outcome, "waits") == 0) {
        put_text(c->why, sizeof c->why, "");
        text_make_plain(c->why, sizeof c->why, text, strlen(text));
        return say(REPLY_DONE, "");
    }
    if (strcmp(outcome, "done") != 0 && strcmp(outcome, "failed") != 0)
        return say(REPLY_USAGE, "that is no answer to what was asked");
    return end_pass(t, p, c, outcome[0] == 'd', text[0] ? text : "AWS could not be read");
}

/* ---- life -------------------------------------------------------------------------------------
 */

static int load_one(void *ctx, const struct collection *k)
{
    struct teamd *t = ctx;
    struct collecting c = collect_from(k, host_now());
    int r = add(t->link->activity, &c);

    if (r == 0)
        link_collect(t, k->request); /* it may have ended since that was stored */
    return r;
}

int activity_load(struct teamd *t)
{
    return store_load_collections(t->store, load_one, t);
}

int activity_new(struct teamd *t)
{
    struct activity_desk *d = calloc(1, sizeof *d);
    int r;

    if (!d)
        return -ENOMEM;
    t->link->activity = d;
    r = sd_event_add_time(t->loop, &d->timer, CLOCK_BOOTTIME, 0, 1000, look, t);
    if (r < 0)
        return r;
    sd_event_source_set_priority(d->timer, PRIORITY_QUERIES);
    sd_event_source_set_enabled(d->timer, SD_EVENT_OFF);
    return pace_new(&d->pace, t->loop);
}

void activity_free(struct teamd *t)
{
    struct activity_desk *d = t->link->activity;

    if (!d)
        return;
    d->timer = sd_event_source_unref(d->timer);
    pace_free(&d->pace);
    free(d->all);
    free(d->noted);
    free(d);
    t->link->activity = NULL;
}
