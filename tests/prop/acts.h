/* The acts of a history: people ask, decide, revoke and extend, clocks step, policies and
 * memberships change, teamd and the host start again. After each the gate is asked about everybody,
 * and nothing may be late. */
#pragma once

#include "scene.h"

/* ---- acts ----------------------------------------------------------------------------------- */

enum deed_kind {
    ASK,
    APPROVE,
    REJECT,
    CANCEL,
    REVOKE,
    EXTEND,
    OPEN,
    CLOSE,
    GONE,
    LOOK,
    LIST,
    POLICY,
    ADD_POLICY,
    PASS,
    WALL,
    BOOT,
    RESTART,
    REBOOT,
    ACT_KINDS
};

static const struct {
    const char *name;
    unsigned weight;
} KINDS[ACT_KINDS] = {
    [ASK] = {"ask", 14},       [APPROVE] = {"approve", 24}, [REJECT] = {"reject", 2},
    [CANCEL] = {"cancel", 2},  [REVOKE] = {"revoke", 3},    [EXTEND] = {"extend", 8},
    [OPEN] = {"open", 6},      [CLOSE] = {"close", 1},      [GONE] = {"gone", 4},
    [LOOK] = {"look", 4},      [LIST] = {"list", 2},        [POLICY] = {"policy", 2},
    [ADD_POLICY] = {"add", 3}, [PASS] = {"pass", 22},       [WALL] = {"wall", 2},
    [BOOT] = {"boot", 1},      [RESTART] = {"restart", 2},  [REBOOT] = {"reboot", 1},
};

/* One act: all numbers are taken modulo what there is, so that any part of a history is one. */
struct deed {
    uint8_t kind, who, x, y, z;
    bool late;      /* no tick before the next act */
    int32_t amount; /* seconds */
};

/* ---- playing one act ------------------------------------------------------------------------- */

static inline struct actor actor_of(const struct deed *a)
{
    uint32_t uid = member_of(a->who)->uid;
    struct actor actor = {.uid = uid, .loginuid = uid};

    if (a->z % 32 == 0)
        actor.loginuid = member_of(a->x)->uid;
    if (a->z % 32 == 1)
        actor.loginuid = NOBODY;
    if (a->z % 32 == 2)
        actor.in_session = true;
    if (a->z % 32 == 3)
        actor.uid = 0;
    return actor;
}

/* The request that the act is about: one of the last few, or none there is. */
static inline struct id id_of(const struct deed *a)
{
    unsigned back = a->x % 4;

    return (struct id){scene.asked > back ? scene.asked - back : 1};
}

static inline const char *play_ask(const struct deed *a)
{
    struct target targets[CLASSES + 1];
    struct event ev = {.kind = EV_SUBMIT, .actor = actor_of(a)};
    struct reply reply;
    const char *wrong;
    bool taken = a->z % 16 == 5 && world_request(&scene.g.w, (struct id){scene.asked});

    for (unsigned i = 0; i < CLASSES; i++)
        if (i == a->x % CLASSES || a->y >> i & 1 & (a->x >> 6))
            targets[ev.submit.n_targets++] = target_of_class(i);
    if (a->y % 8 == 7)
        stage_check(target_parse("aws:111122223333/Admin", 22, "",
                                 &targets[ev.submit.n_targets++]) == TARGET_OK,
                    "aws");
    ev.submit.fresh = (struct id){taken ? scene.asked : scene.asked + 1};
    ev.submit.targets = targets;
    ev.submit.duration_s = a->amount;
    ev.submit.start.us = a->y % 4 == 0 ? scene.g.now.wall.us + (a->x - 64) * 60 * SECOND_US : 0;
    ev.submit.reason = "because";
    ev.submit.ticket = "";
    wrong = step(&ev, &reply);
    if (!wrong && reply.code == REPLY_DONE && taken)
        return "one id for two requests";
    if (!wrong && reply.code == REPLY_DONE)
        scene.asked++;
    return wrong;
}

static inline struct event about(const struct deed *a, enum event_kind kind)
{
    struct event ev = {.kind = kind, .actor = actor_of(a), .id = id_of(a)};

    if (!world_request(&scene.g.w, ev.id))
        ev.history = kept_request(&scene.g, ev.id);
    return ev;
}

/* Nobody decides who is not sure to be themselves, nor their own. */
static inline const char *play_decide(const struct deed *a)
{
    struct event ev = about(a, EV_DECIDE);
    const struct request *r = kept_request(&scene.g, ev.id);
    struct reply reply;
    const char *wrong;
    bool may = ev.actor.loginuid == ev.actor.uid && !ev.actor.in_session && ev.actor.uid != 0 &&
               r && r->requester != ev.actor.uid;

    ev.decide.approve = a->kind == APPROVE;
    ev.decide.comment = "";
    wrong = step(&ev, &reply);
    return wrong || may || reply.code != REPLY_DONE ? wrong : "decided by somebody who may not";
}

static inline const char *play_cancel(const struct deed *a)
{
    struct event ev = about(a, EV_CANCEL);

    return step(&ev, NULL);
}

static inline const char *play_revoke(const struct deed *a)
{
    struct event ev = about(a, EV_REVOKE);

    ev.revoke.comment = "enough";
    return step(&ev, NULL);
}

/* Mostly by who asked: others are refused at once. */
static inline const char *play_extend(const struct deed *a)
{
    struct event ev = about(a, EV_EXTEND);
    const struct request *r = kept_request(&scene.g, ev.id);

    ev.extend.for_s = a->amount;
    ev.extend.reason = "more";
    if (r && a->y % 8)
        ev.actor.uid = ev.actor.loginuid = r->requester;
    return step(&ev, NULL);
}

static inline const char *play_open(const struct deed *a)
{
    struct actor actor = actor_of(a);
    struct gate_ask ask = {.actor = actor,
                           .service = CLASS[a->x % CLASSES],
                           .user = WHO[a->who % PEOPLE],
                           .ruser = "",
                           .named_uid = actor.uid,
                           .tty = "",
                           .rhost = "",
                           .command = "",
                           .scope = "",
                           .leader = {.pid = 100U + a->y % 4, .start_ticks = 1}};

    return step(&(struct event){.kind = EV_OPEN, .open = &ask}, NULL);
}

static inline const char *play_close(const struct deed *a)
{
    struct event ev = {.kind = EV_CLOSE, .actor = actor_of(a)};

    ev.process.leader = (struct leader){100U + a->y % 4, 1};
    return step(&ev, NULL);
}

static inline const char *play_gone(const struct deed *a)
{
    uint64_t last = scene.g.store.last_session;
    struct event ev = {.kind = a->y & 1 ? EV_GONE : EV_NOT_FOUND};

    ev.session = last > a->x % 6U ? last - a->x % 6U : 1;
    return step(&ev, NULL);
}

/* Somebody leaves their group or comes back to it, and is looked up. */
static inline const char *play_look(const struct deed *a)
{
    const char *home = HOME[a->who % PEOPLE];
    struct member *m = member_of(a->who);
    struct person who;

    snprintf(m->groups, sizeof m->groups, " %s ", a->x % 3 ? home : "gone");
    if (m->uid == 1001) /* her other account is with her */
        memcpy(m[1].groups, m->groups, sizeof m->groups);
    who = person_of(&scene.g, scene.g.w.policy, m);
    for (size_t i = 0; i < scene.o.n_people; i++)
        if (scene.o.people[i].uid == who.uid)
            scene.o.people[i] = scene.o.people[--scene.o.n_people];
    scene.o.people[scene.o.n_people++] = who;
    return step(&(struct event){.kind = EV_PERSON, .person = &who}, NULL);
}

/* The people are listed anew; one of them may not be found just now. */
static inline const char *play_list(const struct deed *a)
{
    struct member *m = member_of(a->who);
    char was[MEMBERSHIP_CAP];
    const char *wrong;

    memcpy(was, m->groups, sizeof was);
    if (a->x & 1)
        snprintf(m->groups, sizeof m->groups, " hidden ");
    wrong = load(NULL);
    memcpy(m->groups, was, sizeof was);
    return wrong;
}

static inline const char *play_policy(const struct deed *a)
{
    scene.base = a->x % POLICIES;
    scene.extras = a->y % (1U << EXTRAS);
    return load("grace");
}

/* What another policy adds takes nothing from what is active. */
static inline const char *play_add(const struct deed *a)
{
    static struct request before[KEPT_REQUESTS];
    const struct stage *g = &scene.g;
    const char *wrong = load(NULL);
    size_t n;

    if (!wrong)
        wrong = tick();
    n = g->store.n_requests;
    memcpy(before, g->store.requests, n * sizeof before[0]);
    scene.extras |= 1U << a->x % EXTRAS;
    if (!wrong)
        wrong = load("grace");
    if (!wrong)
        wrong = tick();
    for (size_t i = 0; !wrong && i < n; i++)
        if ((before[i].state == REQ_ACTIVE || before[i].state == REQ_SCHEDULED) &&
            !same_request(&before[i], &g->store.requests[i]))
            return "another policy has changed what was allowed";
    return wrong;
}

static inline void restart(bool same_boot)
{
    restore(&scene.g, &scene.g.w, same_boot);
    for (size_t i = 0; !same_boot && i < scene.g.store.n_requests; i++) {
        const struct request *r = world_request(&scene.g.w, scene.g.store.requests[i].id);

        if (r)
            scene.g.store.requests[i] = *r;
    }
    world_clear(&scene.twin);
    restore(&scene.g, &scene.twin, true);
}

static inline const char *play_restart(const struct deed *a)
{
    if (a->kind == REBOOT) {
        scene.g.now.wall.us += a->amount * SECOND_US;
        scene.g.now.boot.us = 30 * SECOND_US;
        oracle_reboot(&scene.g);
    }
    restart(a->kind == RESTART);
    return load("");
}

static inline const char *play_time(const struct deed *a)
{
    int64_t us = a->amount * SECOND_US;

    if (a->kind != BOOT)
        scene.g.now.wall.us += us;
    if (a->kind != WALL)
        scene.g.now.boot.us += us;
    return NULL;
}

static const char *(*const PLAY[ACT_KINDS])(const struct deed *a) = {
    [ASK] = play_ask,        [APPROVE] = play_decide,  [REJECT] = play_decide,
    [CANCEL] = play_cancel,  [REVOKE] = play_revoke,   [EXTEND] = play_extend,
    [OPEN] = play_open,      [CLOSE] = play_close,     [GONE] = play_gone,
    [LOOK] = play_look,      [LIST] = play_list,       [POLICY] = play_policy,
    [ADD_POLICY] = play_add, [PASS] = play_time,       [WALL] = play_time,
    [BOOT] = play_time,      [RESTART] = play_restart, [REBOOT] = play_restart,
};

static inline const char *play_act(const struct deed *a, uint64_t dice)
{
    const char *wrong = PLAY[a->kind](a);

    if (!wrong)
        wrong = gate_agrees();
    if (!wrong && !a->late) {
        wrong = tick();
        if (!wrong)
            wrong = nothing_is_late(&scene.g);
        if (!wrong)
            wrong = gate_agrees();
    }
    return wrong ? wrong : nothing_before_the_wake(dice);
}

/* ---- histories ------------------------------------------------------------------------------- */

static inline const char *play_history(const struct deed *acts, size_t n, uint64_t seed,
                                       size_t *ret_at)
{
    const char *wrong;

    set_scene((unsigned)(seed % POLICIES), 0);
    wrong = load("");
    for (*ret_at = 0; !wrong && *ret_at < n; ++*ret_at)
        wrong = play_act(&acts[*ret_at], seed * 31 + *ret_at);
    return wrong;
}
