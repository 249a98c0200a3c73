/* Histories of the engine, as in tests/prop, but drawn by the fuzzer, which looks for new ways
 * through the core. The first byte is the policy, then six bytes make an act.
 * LIBFUZZER: -max_len=361 */
#include "fuzz/fuzz.h"

#include "prop/acts.h"

enum { ACTS = 60, ACT_BYTES = 6 };

static struct deed act_of(struct fuel *f)
{
    static const int32_t AMOUNTS[] = {1,    2,    9,    10,   11,   59,    60,    61,
                                      600,  1799, 1800, 1801, 3599, 3600,  3601,  5400,
                                      7199, 7200, 7201, 9000, 9999, 10800, 14400, 14401};
    struct deed a = {
        .kind = take(f) % ACT_KINDS, .who = take(f), .x = take(f), .y = take(f), .z = take(f)};
    uint8_t last = take(f);

    a.late = last & 0x80;
    a.amount = AMOUNTS[(last & 0x3f) % (sizeof AMOUNTS / sizeof AMOUNTS[0])];
    if (last & 0x40 && (a.kind == WALL || a.kind == REBOOT))
        a.amount = -a.amount;
    return a;
}

static void print_history(const struct deed *acts, size_t n)
{
    for (size_t i = 0; i < n; i++)
        fprintf(stderr, "  %s %s: x %u y %u z %u, %d s%s\n", WHO[acts[i].who % PEOPLE],
                KINDS[acts[i].kind].name, acts[i].x, acts[i].y, acts[i].z, acts[i].amount,
                acts[i].late ? ", no tick" : "");
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t len)
{
    static struct deed acts[ACTS];
    static bool read;
    struct fuel f = {input, len};
    const char *wrong;
    size_t n = 0, at;
    uint8_t seed;

    if (!read)
        read_policies();
    read = true;
    seed = take(&f);
    while (f.left >= ACT_BYTES && n < ACTS)
        acts[n++] = act_of(&f);
    wrong = play_history(acts, n, seed, &at);
    if (wrong)
        print_history(acts, at + 1 < n ? at + 1 : n);
    must(!wrong, wrong);
    return 0;
}
