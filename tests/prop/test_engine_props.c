/* Random histories against the oracle: people ask, decide, revoke and extend, clocks step, policies
 * and memberships change, teamd and the host start again. After each act the oracle has looked at
 * every change, the gate is asked about everybody, the world is compared with what is stored and
 * with a twin that went through the same, and nothing may be late.
 *
 * SEED=n begins with that seed, N=n plays so many histories. A history that fails is shortened as
 * far as it still fails, and printed. */
#include "acts.h"

enum { ACTS = 60, HISTORIES = 6000 };

static struct deed draw_act(void)
{
    unsigned sum = 0, at;
    struct deed a = {.who = (uint8_t)draw(),
                     .x = (uint8_t)draw(),
                     .y = (uint8_t)draw(),
                     .z = (uint8_t)draw(),
                     .late = below(5) == 0};
    static const int32_t AMOUNTS[] = {1, 9, 10, 59, 60, 600, 1799, 1800, 3599, 3600, 7200, 10800};

    for (size_t i = 0; i < ACT_KINDS; i++)
        sum += KINDS[i].weight;
    at = below(sum);
    while (at >= KINDS[a.kind].weight)
        at -= KINDS[a.kind++].weight;
    a.amount = AMOUNTS[below(sizeof AMOUNTS / sizeof AMOUNTS[0])];
    if (a.kind == ASK && below(8))
        a.who = (uint8_t)below(3);
    if (a.kind == APPROVE && below(8))
        a.who = (uint8_t)(2 + below(3));
    if (a.kind == WALL && below(2))
        a.amount = -a.amount;
    if (a.kind == REBOOT && below(4) == 0)
        a.amount = -a.amount;
    return a;
}

/* ---- histories ------------------------------------------------------------------------------- */

/* Leaves out act after act as long as something is still wrong. */
static size_t shorten(struct deed *acts, size_t n, uint64_t seed)
{
    size_t at;
    bool shorter = true;

    while (shorter) {
        shorter = false;
        for (size_t i = n; i-- > 0;) {
            struct deed out = acts[i];

            memmove(&acts[i], &acts[i + 1], (n - i - 1) * sizeof *acts);
            if (play_history(acts, n - 1, seed, &at)) {
                n = at;
                shorter = true;
                i = i < n ? i : n;
                continue;
            }
            memmove(&acts[i + 1], &acts[i], (n - i - 1) * sizeof *acts);
            acts[i] = out;
        }
    }
    return n;
}

static void print_history(const struct deed *acts, size_t n, uint64_t seed)
{
    print_error("policy %u; SEED=%llu N=1 plays it all\n", (unsigned)(seed % POLICIES),
                (unsigned long long)seed);
    for (size_t i = 0; i < n; i++)
        print_error("  %s %s: request back %u, x %u y %u z %u, %d s%s\n", WHO[acts[i].who % PEOPLE],
                    KINDS[acts[i].kind].name, acts[i].x % 4U, acts[i].x, acts[i].y, acts[i].z,
                    acts[i].amount, acts[i].late ? ", no tick" : "");
}

static void every_history_is_as_the_oracle_says(void **state)
{
    uint64_t seed = from_environment("SEED", 1), n = from_environment("N", HISTORIES);
    static struct deed acts[ACTS + 1];
    size_t windows = 0;

    (void)state;
    print_message("# SEED=%llu N=%llu\n", (unsigned long long)seed, (unsigned long long)n);
    for (uint64_t end = seed + n; seed < end; seed++) {
        const char *wrong;
        size_t at;

        chance = seed;
        for (size_t i = 0; i < ACTS; i++)
            acts[i] = draw_act();
        wrong = play_history(acts, ACTS, seed, &at);
        for (size_t i = 0; i < scene.o.n; i++)
            windows += scene.o.about[i].granted_s > 0;
        if (!wrong)
            continue;
        at = shorten(acts, at, seed);
        wrong = play_history(acts, at, seed, &at);
        print_history(acts, at, seed);
        fail_msg("%s", wrong ? wrong : "it does not fail again");
    }
    print_message("# %zu windows were open\n", windows);
    assert_true(windows > n); /* or the histories are about nothing */
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_history_is_as_the_oracle_says)};

    read_policies();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
