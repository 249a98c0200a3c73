#include "check.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/utsname.h>
#include <syslog.h>

/* The configuration and the people it names: read whole, looked up whole, and then both are swapped
 * at once, or neither. Memberships are looked at again every five minutes. */

#define REFRESH_US       (300 * UINT64_C(1000000))
#define REFRESH_AGAIN_US (5 * UINT64_C(1000000)) /* after a look-up that failed */

struct reload {
    struct teamd *t;
    struct config *config; /* the new one; NULL: only the people are listed again */
    char by[NAME_CAP];
    reload_done_fn done;
    void *ctx;
};

static void end(struct teamd *t, int error, const char *text)
{
    struct reload r = *t->reload;

    free(t->reload);
    t->reload = NULL;
    if (r.done)
        r.done(r.ctx, error, text);
}

/* ---- people -----------------------------------------------------------------------------------
 */

/* What a look-up's bits mean changes at this moment: the policy changes with it. */
static void swap_now(struct teamd *t, const struct person *found, size_t n)
{
    struct reload *r = t->reload;
    struct config *old = NULL;
    struct event ev = {.kind = EV_POLICY};

    if (r->config) {
        old = t->config;
        t->config = r->config;
        r->config = NULL;
        t->loaded_at = host_now().wall;
        ev.policy.by = r->by;
    }
    ev.policy.policy = &t->config->policy;
    ev.policy.people = found;
    ev.policy.n_people = n;
    turn_learn(t, &ev);
    if (ev.policy.by)
        link_configure(t);
    config_free(old);
    members_look_up(t);
}

static void warn(struct teamd *t, const struct principal *const *unknown, size_t n)
{
    char name[CHECK_UNKNOWN_CAP];

    t->warnings = (unsigned)n;
    for (size_t i = 0; i < n; i++) {
        check_unknown_text(unknown[i], name);
        log_line(LOG_WARNING, "the configuration names %s, but nobody has that name", name);
    }
}

/* For who has loaded it; the log has all of them. */
static void put_unknown(struct text *t, const struct principal *const *unknown, size_t n)
{
    char name[CHECK_UNKNOWN_CAP];

    if (n == 0)
        return;
    check_unknown_text(unknown[0], name);
    text_put(t, "; nobody has the name ");
    text_put(t, name);
    if (n > 1) {
        text_put(t, ", nor ");
        text_put_u64(t, n - 1);
        text_put(t, " others");
    }
}

static void arm_refresh(struct teamd *t, uint64_t after_us)
{
    uint64_t now;

    if (sd_event_now(t->loop, CLOCK_MONOTONIC, &now) >= 0)
        sd_event_source_set_time(t->refresh, now + after_us);
    sd_event_source_set_enabled(t->refresh, SD_EVENT_ONESHOT);
}

static void listed(void *ctx, int error, const struct person *found, size_t n,
                   const struct principal *const *unknown, size_t n_unknown)
{
    struct teamd *t = ctx;
    char text[200];
    bool loaded = t->reload->config != NULL;

    arm_refresh(t, error < 0 ? REFRESH_AGAIN_US : REFRESH_US);
    if (error < 0 && !t->config) {
        /* At the start there is nothing older to go by: whoever was not found is nobody until the
         * next listing, and what is active stays so. */
        log_line(LOG_ERR, "people cannot be looked up: %s; trying again", strerror(-error));
        error = 0;
        n_unknown = 0;
    }
    if (error == 0)
        swap_now(t, found, n);
    if (error < 0) {
        t->reload->config = config_free(t->reload->config);
        snprintf(text, sizeof text, "people cannot be looked up: %s; what was known still counts",
                 strerror(-error));
        log_line(LOG_ERR, "%s", text);
        end(t, error, text);
        return;
    }
    if (loaded)
        warn(t, unknown, n_unknown);
    snprintf(text, sizeof text, "loaded: %u eligibility and %u approver policies, %zu people",
             t->config->policy.n_eligibility, t->config->policy.n_approvers, n);
    if (loaded) {
        struct text more = {.buf = text, .cap = sizeof text, .len = strlen(text)};

        put_unknown(&more, unknown, n_unknown);
    }
    if (loaded)
        log_line(LOG_NOTICE, "%s", text);
    if (t->retry_s > 0) {
        end(t, -ENOSPC, "loaded, but it cannot be recorded: the disk is full");
        return;
    }
    end(t, 0, text);
}

/* Everybody who has a live request or has approved one is looked up, named by the policy or not; so
 * is who is known to be a member of a group of Identity Center that the policy names. */
static uint32_t *live_people(const struct teamd *t, size_t *ret_n)
{
    size_t cap = (size_t)t->world.n_requests * 2 + MEMBERS_MAX, n = t->members.n;
    uint32_t *uids = calloc(cap, sizeof *uids);
    const struct request *r;

    if (uids)
        memcpy(uids, t->members.uids, n * sizeof *uids);

    for (uint32_t at = 0; uids && (r = world_each_request(&t->world, &at));) {
        size_t need = 1 + (size_t)r->n_approvals;

        if (n + need > cap) {
            uint32_t *more = reallocarray(uids, (n + need) * 2, sizeof *uids);

            if (!more) {
                free(uids);
                return NULL;
            }
            uids = more;
            cap = (n + need) * 2;
        }
        uids[n++] = r->requester;
        for (size_t i = 0; i < r->n_approvals; i++)
            uids[n++] = r->approvals[i].uid;
    }
    *ret_n = n;
    return uids;
}

static int list(struct teamd *t)
{
    const struct config *c = t->reload->config ? t->reload->config : t->config;
    uint32_t *uids;
    size_t n = 0;
    int r;

    uids = live_people(t, &n);
    if (!uids)
        return -ENOMEM;
    r = people_list(t->people, &c->policy, uids, n, listed, t);
    free(uids);
    return r;
}

/* ---- configuration ----------------------------------------------------------------------------
 */

/* The first problem is what the person is told; the log has them all. */
struct problems {
    char first[400];
};

static void problem(void *ctx, bool warning, const char *line)
{
    struct problems *p = ctx;
    struct text t = text_over(p->first, sizeof p->first);

    log_line(warning ? LOG_WARNING : LOG_ERR, "%s", line);
    if (!warning && p->first[0] == '\0')
        text_put(&t, line);
}

static int read_config(struct teamd *t, struct problems *problems, struct config **ret)
{
    struct utsname node;

    uname(&node);
    return config_load(t->options.config, node.nodename, problem, problems, ret);
}

int reload_start(struct teamd *t, const char *by, reload_done_fn done, void *ctx)
{
    struct problems problems = {0};
    struct config *c = NULL;
    struct text name;
    int r;

    if (t->reload)
        return -EBUSY;
    if (t->retry_s > 0) {
        if (done)
            done(ctx, -ENOSPC, "the disk of teamd is full; nothing was changed");
        return 0;
    }
    r = read_config(t, &problems, &c);
    if (r < 0) {
        if (done)
            done(ctx, r, problems.first[0] ? problems.first : strerror(-r));
        return 0;
    }
    t->reload = calloc(1, sizeof *t->reload);
    if (!t->reload) {
        config_free(c);
        return -ENOMEM;
    }
    *t->reload = (struct reload){.t = t, .config = c, .done = done, .ctx = ctx};
    name = text_over(t->reload->by, sizeof t->reload->by);
    text_put(&name, by);
    r = list(t);
    if (r < 0) {
        config_free(c);
        free(t->reload);
        t->reload = NULL;
    }
    return r;
}

static int refresh_due(sd_event_source *source, uint64_t usec, void *ctx)
{
    struct teamd *t = ctx;

    (void)source;
    (void)usec;
    if (!t->reload) {
        t->reload = calloc(1, sizeof *t->reload);
        if (t->reload) {
            t->reload->t = t;
            if (list(t) >= 0)
                return 0;
            free(t->reload);
            t->reload = NULL;
        }
    }
    arm_refresh(t, REFRESH_AGAIN_US);
    return 0;
}

int reload_begin(struct teamd *t, reload_done_fn done, void *ctx)
{
    int r;

    r = sd_event_add_time(t->loop, &t->refresh, CLOCK_MONOTONIC, 0, 0, refresh_due, t);
    if (r < 0)
        return r;
    sd_event_source_set_enabled(t->refresh, SD_EVENT_OFF);
    return reload_start(t, "", done, ctx);
}

void reload_free(struct teamd *t)
{
    if (t->reload)
        config_free(t->reload->config);
    free(t->reload);
    t->reload = NULL;
    t->refresh = sd_event_source_unref(t->refresh);
}

/* ---- one person -------------------------------------------------------------------------------
 */

static bool is_news(const struct person *known, const struct person *who)
{
    return !known || memcmp(&known->is, &who->is, sizeof who->is) != 0 ||
           strcmp(known->name.text, who->name.text) != 0;
}

void learn_person(struct teamd *t, uint32_t uid, int error, const struct person *who)
{
    const struct person *known = world_person(&t->world, uid);
    struct person now = {.uid = uid};
    struct event ev = {.kind = EV_PERSON, .person = &now};

    if (error == 0)
        now = *who;
    else if (error == -ENOENT && known)
        now.name = known->name; /* gone: is nothing any more */
    else
        return;
    now.listed = known && known->listed;
    if (is_news(known, &now))
        turn_learn(t, &ev);
}
