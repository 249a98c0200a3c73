#include "check.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#define PATIENCE_US         (10 * UINT64_C(1000000))
#define SERVICE_PATIENCE_US (UINT64_C(1000000) / 2)

struct checking {
    const struct policy *policy;
    sd_event *loop;
    check_say_fn say;
    void *ctx;
};

__attribute__((format(printf, 2, 3))) static void warn(const struct checking *c, const char *format,
                                                       ...)
{
    char line[400], plain[400];
    va_list args;

    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    text_make_plain(plain, sizeof plain, line, strlen(line));
    c->say(c->ctx, true, plain);
}

/* ---- who --------------------------------------------------------------------------------------
 */

void check_unknown_text(const struct principal *unknown, char out[CHECK_UNKNOWN_CAP])
{
    struct text t = text_over(out, CHECK_UNKNOWN_CAP);

    text_put(&t, unknown->kind == PRINCIPAL_GROUP ? "@" : "");
    text_put(&t, unknown->name);
}

/* Who Identity Center says is in its groups is known to team-courier alone. */
static bool is_for_somebody(const struct policy *p, const struct principals *who,
                            const struct person *found, size_t n)
{
    for (size_t i = 0; i < p->n_principals; i++) {
        struct principals one = {{0}};

        principals_add(&one, i);
        if (p->principals[i].kind == PRINCIPAL_IDC_GROUP && principals_meet(who, &one))
            return true;
    }
    for (size_t i = 0; i < n; i++)
        if (principals_meet(who, &found[i].is))
            return true;
    return false;
}

static void look_for_people(const struct checking *c, const struct person *found, size_t n)
{
    const struct policy *p = c->policy;

    for (size_t i = 0; i < p->n_eligibility; i++)
        if (!is_for_somebody(p, &p->eligibility[i].who, found, n))
            warn(c, "eligibility \"%s\" is for nobody whom this host knows",
                 p->eligibility[i].name.text);
    for (size_t i = 0; i < p->n_approvers; i++)
        if (!is_for_somebody(p, &p->approvers[i].who, found, n))
            warn(c, "approvers \"%s\" are nobody whom this host knows", p->approvers[i].name.text);
}

/* ---- what -------------------------------------------------------------------------------------
 */

/* Of all its targets none is in AWS, and none on this host. */
static bool is_elsewhere(const struct policy *p, struct patterns run)
{
    struct target here = {.kind = TARGET_HOST};

    memcpy(here.place, p->host, sizeof here.place);
    for (size_t i = 0; i < run.count; i++)
        if (p->patterns[run.first + i].kind != TARGET_HOST)
            return false;
    for (size_t i = 0; i < p->n_classes; i++) {
        snprintf(here.what, sizeof here.what, "%s", p->classes[i]);
        if (policy_patterns_cover(p, NULL, run, &here))
            return false;
    }
    return true;
}

static void look_for_targets(const struct checking *c)
{
    const struct policy *p = c->policy;

    for (size_t i = 0; i < p->n_eligibility; i++)
        if (is_elsewhere(p, p->eligibility[i].targets))
            warn(c, "eligibility \"%s\" covers nothing on this host, which is called %s",
                 p->eligibility[i].name.text, p->host);
    for (size_t i = 0; i < p->n_approvers; i++)
        if (is_elsewhere(p, p->approvers[i].targets))
            warn(c, "approvers \"%s\" cover nothing on this host, which is called %s",
                 p->approvers[i].name.text, p->host);
}

/* ---- both -------------------------------------------------------------------------------------
 */

static void listed(void *ctx, int error, const struct person *found, size_t n,
                   const struct principal *const *unknown, size_t n_unknown)
{
    struct checking *c = ctx;
    char name[CHECK_UNKNOWN_CAP];

    if (error < 0) {
        warn(c, "people cannot be looked up: %s", strerror(-error));
    } else {
        for (size_t i = 0; i < n_unknown; i++) {
            check_unknown_text(unknown[i], name);
            warn(c, "the configuration names %s, but nobody has that name", name);
        }
        look_for_people(c, found, n);
    }
    sd_event_exit(c->loop, 0);
}

static int too_late(sd_event_source *source, uint64_t usec, void *ctx)
{
    struct checking *c = ctx;

    (void)source;
    (void)usec;
    warn(c, "whether the people and groups in it exist could not be found out in time");
    return sd_event_exit(c->loop, 0);
}

static int look_up(struct checking *c, struct people **people)
{
    uint64_t now, patience = isatty(STDERR_FILENO) ? PATIENCE_US : SERVICE_PATIENCE_US;
    int r;

    if ((r = sd_event_new(&c->loop)) < 0 ||
        (r = people_new(c->loop, (uid_t)-1, (gid_t)-1, people)) < 0 ||
        (r = sd_event_now(c->loop, CLOCK_MONOTONIC, &now)) < 0 ||
        (r = sd_event_add_time(c->loop, NULL, CLOCK_MONOTONIC, now + patience, 0, too_late, c)) <
            0 ||
        (r = people_list(*people, c->policy, NULL, 0, listed, c)) < 0)
        return r;
    return sd_event_loop(c->loop);
}

void check_on_this_host(const struct policy *p, check_say_fn say, void *ctx)
{
    struct checking c = {.policy = p, .say = say, .ctx = ctx};
    struct people *people = NULL;
    int r;

    look_for_targets(&c);
    r = look_up(&c, &people);
    if (r < 0)
        warn(&c, "people cannot be looked up: %s", strerror(-r));
    people_free(people);
    sd_event_unref(c.loop);
}
