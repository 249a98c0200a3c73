/* A stage for tests of the core: a cast of people, policies that are written as lines of text, a
 * world, and a store that keeps what was committed. After every step it is checked that the world
 * agrees with itself, that it can be rebuilt from what was stored, and that what must not happen to
 * stored things does not.
 * Policies are written as stage_text.h says. */
#pragma once

#include "stage_kept.h"

#include <sys/mman.h>

/* ---- people --------------------------------------------------------------------------------- */

static inline const struct member *member_named(const struct stage *g, const char *name)
{
    for (size_t i = 0; i < CAST; i++)
        if (strcmp(g->cast[i].name, name) == 0)
            return &g->cast[i];
    return NULL;
}

static inline bool member_is(const struct member *m, const char *group)
{
    char word[MEMBERSHIP_CAP];

    snprintf(word, sizeof word, " %.40s ", group);
    return strstr(m->groups, word) != NULL;
}

/* The person as a look-up gives them: everything that any account with their uid is. */
static inline struct person person_of(const struct stage *g, const struct policy *p,
                                      const struct member *m)
{
    struct person who = {.uid = m->uid, .listed = !member_is(m, "unlisted")};

    snprintf(who.name.text, sizeof who.name.text, "%s", m->name);
    for (size_t i = 0; i < p->n_principals; i++)
        for (size_t c = 0; c < CAST; c++) {
            if (g->cast[c].uid != m->uid)
                continue;
            if (p->principals[i].kind == PRINCIPAL_GROUP
                    ? member_is(&g->cast[c], p->principals[i].name)
                    : strcmp(g->cast[c].name, p->principals[i].name) == 0)
                principals_add(&who.is, i);
        }
    return who;
}

static inline size_t everybody(const struct stage *g, const struct policy *p,
                               struct person out[CAST])
{
    size_t n = 0;

    for (size_t i = 0; i < CAST; i++)
        if (!member_is(&g->cast[i], "hidden") && (i == 0 || g->cast[i].uid != g->cast[i - 1].uid))
            out[n++] = person_of(g, p, &g->cast[i]);
    return n;
}

/* ---- the play ------------------------------------------------------------------------------- */

/* Steps once, commits and checks. NULL, or what is wrong. */
static inline const char *stage_step_once(struct stage *g, const struct event *ev)
{
    const char *wrong;

    engine_step(&g->w, ev, g->now, &g->out);
    wrong = stage_commit(g);
    if (!wrong)
        wrong = world_check(&g->w);
    if (!wrong) {
        g->again.policy = g->w.policy;
        g->again.directory = g->w.directory;
        restore(g, &g->again, true);
        wrong = world_check(&g->again);
        if (!wrong && !same_world(&g->w, &g->again))
            wrong = "what is stored makes another world";
    }
    return wrong;
}

/* As teamd does: the event, and as long as there is more to do, a tick each. Keeps the reply. */
static inline const char *stage_step(struct stage *g, const struct event *ev)
{
    static const struct event TICK = {.kind = EV_TICK};
    struct reply reply;
    const char *wrong;

    g->store.n_trail = g->store.n_acts = 0;
    wrong = stage_step_once(g, ev);
    reply = g->out.reply;
    for (int i = 0; !wrong && g->out.more; i++)
        wrong = i < 1000 ? stage_step_once(g, &TICK) : "there is always more to do";
    g->out.reply = reply;
    return wrong;
}

static inline const char *stage_tick(struct stage *g)
{
    return stage_step(g, &(struct event){.kind = EV_TICK});
}

/* As teamd does in the same turn: what is due at once. */
static inline const char *stage_settle(struct stage *g)
{
    static const struct event TICK = {.kind = EV_TICK};
    const char *wrong = NULL;

    for (int i = 0; !wrong && deadline_passed(engine_wake(&g->w), g->now); i++)
        wrong = i < 1000 ? stage_step_once(g, &TICK) : "there is always more to do";
    return wrong;
}

/* What AWS has by now. */
static inline const char *stage_directory(struct stage *g, const char *text,
                                          const char *(*step)(struct stage *, const struct event *))
{
    struct directory *old = g->directory[g->which];
    struct event ev = {.kind = EV_DIRECTORY};
    const char *wrong;

    g->directory[g->which] = directory_read(text, g->now.wall);
    ev.directory = g->directory[g->which];
    wrong = step(g, &ev);
    roll_free_directory(old);
    return wrong;
}

/* Puts a policy in force, with everybody looked up. What it means for live requests is decided by
 * the ticks that follow, if any do. */
static inline const char *stage_load(struct stage *g, const char *text,
                                     const char *(*step)(struct stage *, const struct event *))
{
    struct policy *p = &g->policy[g->which ^= 1];
    struct person people[CAST];
    struct event ev = {.kind = EV_POLICY};
    const char *wrong;

    policy_read(p, text);
    ev.policy.policy = p;
    ev.policy.people = people;
    ev.policy.n_people = everybody(g, p, people);
    ev.policy.by = "";
    wrong = step(g, &ev);
    if (!wrong && strstr(text, "aws org"))
        wrong = stage_directory(g, text, step);
    return wrong;
}

static inline const char *stage_policy(struct stage *g, const char *text)
{
    return stage_load(g, text, stage_step);
}

/* Somebody was looked up again. */
static inline const char *stage_person(struct stage *g, const struct member *m)
{
    struct person who = person_of(g, g->w.policy, m);

    return stage_step(g, &(struct event){.kind = EV_PERSON, .person = &who});
}

static inline void *stage_memory(void)
{
    void *memory = mmap(NULL, world_size(), PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    stage_check(memory != MAP_FAILED, "no memory");
    return memory;
}

/* An empty stage: noon of some day, an hour after boot, nobody in it yet. */
static inline void stage_set(struct stage *g)
{
    if (!g->w.requests) {
        world_init(&g->w, stage_memory(), NULL);
        world_init(&g->again, stage_memory(), NULL);
    }
    world_clear(&g->w);
    world_forget_people(&g->w);
    world_clear(&g->again);
    g->store.n_requests = g->store.n_sessions = g->store.n_decisions = g->store.n_trail = 0;
    g->store.n_acts = g->store.n_errands = 0;
    g->store.last_session = g->store.last_errand = 0;
    g->w.directory = NULL;
    g->store.last_commit.us = 0;
    memcpy(g->cast, THE_CAST, sizeof THE_CAST);
    g->now = (struct now){{INT64_C(1800000000) * SECOND_US}, {3600 * SECOND_US}};
}

static inline void stage_pass(struct stage *g, int64_t seconds)
{
    g->now.wall.us += seconds * SECOND_US;
    g->now.boot.us += seconds * SECOND_US;
}
