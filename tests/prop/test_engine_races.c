/* Two who act on one request at the same moment, in either order: one wins, the other is told the
 * state it is in, and nothing is left halfway. And everything that two people and one rule can do
 * in six acts.
 *
 * SEED=n begins with that seed; there are 1,000 of each race. */
#include "scene.h"

enum { RACES = 1000, DEPTH = 6 };

/* ---- races ---------------------------------------------------------------------------------- */

/* What comes to a request at one moment. */
enum runner {
    BOB_APPROVES,
    CAROL_APPROVES,
    BOB_REJECTS,
    ALICE_CANCELS,
    ALICE_REVOKES,
    BOB_REVOKES,
    TIME
};

static struct event event_of(enum runner who)
{
    static const uint32_t UIDS[] = {1002, 1003, 1002, 1001, 1001, 1002, 0};
    struct event ev = {.id = {1}, .actor = {.uid = UIDS[who], .loginuid = UIDS[who]}};

    ev.history = world_request(&scene.g.w, ev.id) ? NULL : kept_request(&scene.g, ev.id);
    switch (who) {
    case BOB_APPROVES:
    case CAROL_APPROVES:
    case BOB_REJECTS:
        ev.kind = EV_DECIDE;
        ev.decide.approve = who != BOB_REJECTS;
        ev.decide.comment = "";
        break;
    case ALICE_CANCELS:
        ev.kind = EV_CANCEL;
        break;
    case ALICE_REVOKES:
    case BOB_REVOKES:
        ev.kind = EV_REVOKE;
        ev.revoke.comment = "";
        break;
    case TIME:
        ev.kind = EV_TICK;
        break;
    }
    return ev;
}

static const struct race {
    const char *name;
    enum runner one, other;
    bool active; /* the request is approved before the race */
} RACE[] = {
    {"approve and approve", BOB_APPROVES, CAROL_APPROVES, false},
    {"approve and reject", CAROL_APPROVES, BOB_REJECTS, false},
    {"approve and cancel", BOB_APPROVES, ALICE_CANCELS, false},
    {"reject and cancel", BOB_REJECTS, ALICE_CANCELS, false},
    {"approve and expiry", BOB_APPROVES, TIME, false},
    {"cancel and expiry", ALICE_CANCELS, TIME, false},
    {"revoke and end", BOB_REVOKES, TIME, true},
    {"the requester's revoke and end", ALICE_REVOKES, TIME, true},
    {"revoke and revoke", ALICE_REVOKES, BOB_REVOKES, true},
};

enum { HOURS = 3, IN_TIME = 0, TOO_LATE = 1 };

static const char *alice_asks(int64_t duration_s, int64_t start_in_s)
{
    struct target t = target_of_class(0);
    struct event ev = {.kind = EV_SUBMIT, .actor = {.uid = 1001, .loginuid = 1001}};

    ev.submit.fresh = (struct id){++scene.asked};
    ev.submit.targets = &t;
    ev.submit.n_targets = 1;
    ev.submit.duration_s = duration_s;
    ev.submit.start.us = start_in_s ? scene.g.now.wall.us + start_in_s * SECOND_US : 0;
    ev.submit.reason = "because";
    ev.submit.ticket = "";
    return step(&ev, NULL);
}

static const char *alice_opens(void)
{
    struct gate_ask ask = {.actor = {.uid = 1001, .loginuid = 1001},
                           .service = "sudo",
                           .user = "root",
                           .ruser = "",
                           .tty = "",
                           .rhost = "",
                           .command = "",
                           .scope = ""};

    return step(&(struct event){.kind = EV_OPEN, .open = &ask}, NULL);
}

/* A request, to the moment of the race. Returns whether time has run out by then, by either clock
 * or both. */
static int come_to(const struct race *race, uint64_t seed, const char **ret_wrong)
{
    int64_t duration_s, end_us;
    struct event approve;
    const char *wrong;
    static const int64_t NEAR[] = {-1000000, -1, 0, 1, 1000000};

    chance = seed;
    set_scene(0, 0);
    wrong = load("");
    duration_s = 60 + below(7140);
    if (!wrong)
        wrong = alice_asks(duration_s, 0);
    end_us = HOURS * 3600 * SECOND_US;
    if (!wrong && race->active) {
        approve = event_of(CAROL_APPROVES);
        wrong = step(&approve, NULL);
        for (unsigned i = below(3); !wrong && i > 0; i--)
            wrong = alice_opens();
        end_us = duration_s * SECOND_US;
    }
    end_us += NEAR[below(5)];
    if (race->other != TIME)
        end_us = below((unsigned)duration_s - 1) * SECOND_US;
    switch (below(3)) {
    case 0:
        scene.g.now.wall.us += end_us;
        break;
    case 1:
        scene.g.now.boot.us += end_us;
        break;
    default:
        scene.g.now.wall.us += end_us;
        scene.g.now.boot.us += end_us;
    }
    *ret_wrong = wrong;
    return end_us >= (race->active ? duration_s : HOURS * 3600) * SECOND_US ? TOO_LATE : IN_TIME;
}

/* The replies to two runners in this order. */
static const char *run(enum runner one, enum runner other, struct reply out[2])
{
    const enum runner order[2] = {one, other};
    const char *wrong = NULL;

    for (size_t i = 0; !wrong && i < 2; i++) {
        struct event ev = event_of(order[i]);

        wrong = step(&ev, &out[i]);
    }
    if (!wrong)
        wrong = tick();
    if (!wrong)
        wrong = gate_agrees();
    return wrong ? wrong : nothing_is_late(&scene.g);
}

/* One was done, the other was told why not. */
static const char *one_winner(const struct race *race, bool swapped, int late,
                              const struct reply out[2])
{
    const struct reply *person = &out[swapped && race->other == TIME ? 1 : 0];
    const struct reply *second = &out[1];

    if (race->other == TIME) {
        if (person->code != (late ? REPLY_WRONG_STATE : REPLY_DONE))
            return "somebody won against time, or lost to nothing";
        return late && strncmp(person->text, "it is e", 7) != 0 ? "without the state" : NULL;
    }
    if (out[0].code != REPLY_DONE)
        return "who came first did not win";
    if (second->code != REPLY_WRONG_STATE)
        return "who came second was not told the state";
    return second->state == scene.g.store.requests[0].state &&
                   strstr(second->text, request_state_text((enum request_state)second->state))
               ? NULL
               : "who came second was told another state";
}

static void every_race_has_one_winner(void **state)
{
    const struct race *race = *state;
    uint64_t first = from_environment("SEED", 1), n = from_environment("RACES", RACES);

    for (uint64_t seed = first; seed < first + n; seed++)
        for (int swapped = 0; swapped < 2; swapped++) {
            struct reply out[2] = {{.code = 99}, {.code = 99}};
            const char *wrong;
            int late = come_to(race, seed, &wrong);

            if (!wrong)
                wrong = swapped ? run(race->other, race->one, out)
                                : run(race->one, race->other, out);
            if (!wrong)
                wrong = one_winner(race, swapped, late, out);
            if (wrong)
                fail_msg("%s, SEED=%llu, order %d: %s; \"%s\" and \"%s\"", race->name,
                         (unsigned long long)seed, swapped, wrong, out[0].text, out[1].text);
        }
}

/* ---- everything in six acts ------------------------------------------------------------------ */

static const char *hour(void)
{
    stage_pass(&scene.g, 3600);
    return NULL;
}

static const char *on_last(enum runner who)
{
    struct event ev = event_of(who);

    ev.id.bits = scene.asked;
    ev.history = world_request(&scene.g.w, ev.id) ? NULL : kept_request(&scene.g, ev.id);
    return step(&ev, NULL);
}

static const char *ask_now(void)
{
    return alice_asks(5400, 0);
}

static const char *ask_for_later(void)
{
    return alice_asks(3600, 3600);
}

static const char *approve(void)
{
    return on_last(BOB_APPROVES);
}

static const char *reject(void)
{
    return on_last(BOB_REJECTS);
}

static const char *cancel(void)
{
    return on_last(ALICE_CANCELS);
}

static const char *revoke(void)
{
    return on_last(BOB_REVOKES);
}

static const char *revoke_own(void)
{
    return on_last(ALICE_REVOKES);
}

static const char *extend(void)
{
    struct event ev = event_of(ALICE_CANCELS);

    ev.kind = EV_EXTEND;
    ev.id.bits = scene.asked;
    ev.history = world_request(&scene.g.w, ev.id) ? NULL : kept_request(&scene.g, ev.id);
    ev.extend.for_s = 1800;
    ev.extend.reason = "more";
    return step(&ev, NULL);
}

static const char *gone(void)
{
    return step(&(struct event){.kind = EV_GONE, .session = scene.g.store.last_session}, NULL);
}

static const struct {
    const char *name;
    const char *(*play)(void);
    bool clock; /* changes what comes next even without an effect */
} ACTS[] = {
    {"alice asks", ask_now, false},       {"alice asks for later", ask_for_later, false},
    {"bob approves", approve, false},     {"bob rejects", reject, false},
    {"alice cancels", cancel, false},     {"bob revokes", revoke, false},
    {"alice revokes", revoke_own, false}, {"alice extends", extend, false},
    {"alice opens", alice_opens, false},  {"the session ends", gone, false},
    {"an hour passes", hour, true},
};

enum { ALL = sizeof ACTS / sizeof ACTS[0] };

static size_t played;

static const char *play(const unsigned char path[DEPTH], size_t n, bool *ret_changed)
{
    const char *wrong;
    size_t kept = 0;

    set_scene(0, 0);
    wrong = load("");
    for (size_t i = 0; !wrong && i < n; i++) {
        kept = scene.g.effects_kept;
        wrong = ACTS[path[i]].play();
        if (!wrong)
            wrong = tick();
    }
    if (!wrong)
        wrong = gate_agrees();
    if (!wrong)
        wrong = nothing_is_late(&scene.g);
    *ret_changed = n == 0 || ACTS[path[n - 1]].clock || scene.g.effects_kept != kept;
    played++;
    return wrong;
}

/* All ways to go on from a path. One that changed nothing is a shorter one with a detour. */
static void go_on(unsigned char path[DEPTH], size_t n)
{
    bool changed = false;
    const char *wrong = play(path, n, &changed);

    if (wrong) {
        for (size_t i = 0; i < n; i++)
            print_error("  %s\n", ACTS[path[i]].name);
        fail_msg("%s", wrong);
    }
    for (unsigned char next = 0; changed && n < DEPTH && next < ALL; next++) {
        path[n] = next;
        go_on(path, n + 1);
    }
}

static void nothing_goes_wrong_in_any_six_acts_of_two_people(void **state)
{
    unsigned char path[DEPTH];

    (void)state;
    played = 0;
    go_on(path, 0);
    print_message("# %zu ways\n", played);
    assert_true(played > 10000);
}

int main(void)
{
    enum { N = sizeof RACE / sizeof RACE[0] };
    struct CMUnitTest tests[N + 1];

    read_policies();
    for (size_t i = 0; i < N; i++) {
        void *race;

        memcpy(&race, &(const struct race *){&RACE[i]}, sizeof race);
        tests[i] = (struct CMUnitTest){
            .name = RACE[i].name, .test_func = every_race_has_one_winner, .initial_state = race};
    }
    tests[N] =
        (struct CMUnitTest)cmocka_unit_test(nothing_goes_wrong_in_any_six_acts_of_two_people);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
