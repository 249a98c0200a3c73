/* The scene of the property tests: six people, a few policies, a world with a twin that goes
 * through the same, the oracle that watches, and what has to hold after each act. */
#pragma once

#include "oracle.h"

#include <setjmp.h>

#include <cmocka.h>

enum { PEOPLE = 6, CLASSES = 3 };

/* ---- chance --------------------------------------------------------------------------------- */

static uint64_t chance; /* splitmix64 */

static inline uint64_t draw(void)
{
    uint64_t z = (chance += UINT64_C(0x9e3779b97f4a7c15));

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static inline unsigned below(unsigned n)
{
    return (unsigned)(draw() % n);
}

static inline uint64_t from_environment(const char *name, uint64_t otherwise)
{
    const char *value = getenv(name);

    return value ? strtoull(value, NULL, 0) : otherwise;
}

/* ---- the scene ------------------------------------------------------------------------------ */

static const char *const WHO[PEOPLE] = {"alice", "dave", "bob", "carol", "erin", "grace"};
static const char *const CLASS[CLASSES] = {"sudo", "su", "login"};
static const char *const HOME[PEOPLE] = {"sre", "sre", "leads", "leads", "sec", "admins"};

enum { POLICIES = 4, EXTRAS = 4 };

static const char *const POLICY_TEXTS[POLICIES] = {
    "may sre @sre host:*/sudo,aws:*/Admin 2h\nmay su alice,bob host:*/su 4h\n"
    "rule leads @leads host:*/*,aws:*/*\nadmins @admins\nset comment no\n",
    "may sre @sre host:*/* 1h\nmay lead @leads host:*/sudo 1h free\n"
    "rule leads @leads host:*/* quorum 2\nrule sec erin host:*/su\nset expiry 30m\nset comment "
    "no\n",
    "may sre @sre,@leads host:*/* 4h\nrule leads @leads host:*/*\nset comment no\n"
    "rule sec erin,grace host:*/sudo mandatory of @sre\nset max 3h\nexempt grace su\n",
    "may sre @sre host:*/sudo 4h free\nset approval no\nset comment no\nadmins grace\n",
};

static const char *const EXTRA_TEXTS[EXTRAS] = {
    "may extra alice,dave host:*/* 8h\n",
    "may quick @sre,@leads host:*/* 30m free\n",
    "rule others erin,grace host:*/*\n",
    "rule strict erin host:*/* mandatory\n",
};

struct scene {
    struct stage g;
    struct oracle o;
    struct world twin;
    struct effects twin_out;
    unsigned base, extras; /* the policy in force */
    unsigned asked;
};

static struct scene scene;
static struct policy parsed[POLICIES][1 << EXTRAS]; /* every policy there can be */

static inline struct member *member_of(unsigned who)
{
    for (size_t i = 0; i < CAST; i++)
        if (strcmp(scene.g.cast[i].name, WHO[who % PEOPLE]) == 0)
            return &scene.g.cast[i];
    abort();
}

/* ---- stepping ------------------------------------------------------------------------------- */

static inline bool same_reply(const struct reply *a, const struct reply *b)
{
    return SAME(code) && SAME(id.bits) && SAME(state) && SAME(session) && TEXT_SAME(text);
}

/* The same event for the twin has to come to the same. */
static inline const char *step_both(const struct event *ev, bool *ret_more)
{
    struct stage *g = &scene.g;
    const char *wrong;

    engine_step(&scene.twin, ev, g->now, &scene.twin_out);
    wrong = stage_step_once(g, ev);
    if (wrong)
        return wrong;
    if (scene.twin_out.n != g->out.n || scene.twin_out.more != g->out.more ||
        !same_reply(&scene.twin_out.reply, &g->out.reply) || !same_world(&g->w, &scene.twin))
        return "the same event had two outcomes";
    *ret_more = g->out.more;
    return NULL;
}

static inline const char *settle(bool more)
{
    static const struct event TICK = {.kind = EV_TICK};
    const char *wrong = NULL;

    scene.o.now = (struct attempt){.kind = EV_TICK};
    for (int i = 0; !wrong && more; i++)
        wrong = i < 100 ? step_both(&TICK, &more) : "there is always more to do";
    return wrong;
}

static inline const char *step(const struct event *ev, struct reply *ret)
{
    bool more = false;
    const char *wrong;

    scene.g.store.n_trail = 0;
    scene.o.now = (struct attempt){ev->kind, ev->actor, ev->id,
                                   ev->kind == EV_DECIDE && ev->decide.approve,
                                   ev->kind == EV_EXTEND ? ev->extend.for_s : 0};
    wrong = step_both(ev, &more);
    if (ret)
        *ret = scene.g.out.reply;
    return wrong ? wrong : settle(more);
}

/* As teamd does: as long as the wake is there, a tick. */
static inline const char *tick(void)
{
    static const struct event TICK = {.kind = EV_TICK};
    const char *wrong = NULL;

    for (int i = 0; !wrong && deadline_passed(engine_wake(&scene.g.w), scene.g.now); i++)
        wrong = i < 4 ? step(&TICK, NULL) : "the wake does not move on";
    return wrong;
}

/* Reads every policy there can be: one of POLICY_TEXTS with any of EXTRA_TEXTS. */
static inline void read_policies(void)
{
    for (unsigned base = 0; base < POLICIES; base++)
        for (unsigned extras = 0; extras < 1U << EXTRAS; extras++) {
            char text[4096];
            struct text t = text_over(text, sizeof text);

            text_put(&t, POLICY_TEXTS[base]);
            for (unsigned i = 0; i < EXTRAS; i++)
                text_put(&t, extras >> i & 1 ? EXTRA_TEXTS[i] : "");
            policy_read(&parsed[base][extras], text);
        }
}

/* An empty scene; load() puts the policy in force. */
static inline void set_scene(unsigned base, unsigned extras)
{
    stage_set(&scene.g);
    if (!scene.twin.requests)
        world_init(&scene.twin, stage_memory(), NULL);
    world_clear(&scene.twin);
    world_forget_people(&scene.twin);
    scene.o.n = 0;
    scene.asked = 0;
    scene.g.watch = oracle_watch;
    scene.g.watcher = &scene.o;
    scene.base = base;
    scene.extras = extras;
}

static inline const char *load(const char *by)
{
    struct event ev = {.kind = EV_POLICY};

    ev.policy.policy = &parsed[scene.base][scene.extras];
    scene.o.n_people = everybody(&scene.g, ev.policy.policy, scene.o.people);
    ev.policy.people = scene.o.people;
    ev.policy.n_people = scene.o.n_people;
    ev.policy.by = by;
    return step(&ev, NULL);
}

/* ---- what is checked after each act ---------------------------------------------------------- */

static inline struct target target_of_class(unsigned class)
{
    struct target t = {.kind = TARGET_HOST, .place = STAGE_HOST};

    memcpy(t.what, CLASS[class], strlen(CLASS[class]));
    return t;
}

static inline bool is_exempt(uint32_t uid, unsigned class)
{
    const struct policy *p = scene.g.w.policy;
    const struct person *who = known(&scene.o, uid);

    for (size_t i = 0; who && i < p->n_exempt; i++)
        if (named(&p->exempt[i].who, who) &&
            p->exempt[i].classes & 1U << policy_class_named(p, CLASS[class]))
            return true;
    return false;
}

/* Yes inside of every approved window, no outside of all. */
static inline const char *gate_agrees(void)
{
    for (unsigned i = 0; i < PEOPLE; i++)
        for (unsigned class = 0; class < CLASSES; class ++) {
            uint32_t uid = member_of(i)->uid;
            struct gate_ask ask = {.actor = {.uid = uid, .loginuid = uid},
                                   .service = CLASS[class],
                                   .user = WHO[i],
                                   .ruser = "",
                                   .named_uid = uid};
            struct target t = target_of_class(class);
            bool yes = gate_account(&scene.g.w, &ask, scene.g.now).code == REPLY_DONE;

            if (yes != (access_open(&scene.g, uid, &t) || is_exempt(uid, class)))
                return stage_wrong(&scene.g, "the gate says %s to %s for %s", yes ? "yes" : "no",
                                   WHO[i], CLASS[class]);
            ask.actor.loginuid = uid + 1;
            if (class < 2 && gate_account(&scene.g.w, &ask, scene.g.now).code == REPLY_DONE)
                return "the gate takes somebody for somebody else";
        }
    return NULL;
}

/* Before the wake nothing happens by itself: the twin looks. */
static inline const char *nothing_before_the_wake(uint64_t dice)
{
    static const struct event TICK = {.kind = EV_TICK};
    struct deadline wake = engine_wake(&scene.g.w);
    struct now now = scene.g.now;
    int64_t wall = wake.wall.us - now.wall.us, boot = wake.boot.us - now.boot.us;

    if (wall <= 0 || boot <= 0)
        return NULL;
    wall = wall > 4 * 3600 * SECOND_US ? 4 * 3600 * SECOND_US : wall;
    boot = boot > 4 * 3600 * SECOND_US ? 4 * 3600 * SECOND_US : boot;
    now.wall.us += dice % 3 == 0 ? wall - 1 : (int64_t)(dice % (uint64_t)wall);
    now.boot.us += dice % 3 == 1 ? boot - 1 : (int64_t)(dice % (uint64_t)boot);
    engine_step(&scene.twin, &TICK, now, &scene.twin_out);
    if (scene.twin_out.n != 0 || scene.twin_out.more || !same_world(&scene.g.w, &scene.twin))
        return "something happened by itself before the wake";
    return NULL;
}
