/* The host's clocks, its boot id, and fresh ids. */
#include "host/host.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include <stdlib.h>
#include <time.h>

static int64_t us_of(clockid_t clock)
{
    struct timespec t;

    assert_int_equal(clock_gettime(clock, &t), 0);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void now_lies_between_two_readings_of_the_clocks(void **state)
{
    int64_t wall = us_of(CLOCK_REALTIME), boot = us_of(CLOCK_BOOTTIME);
    struct now now = host_now();

    (void)state;
    assert_true(now.wall.us >= wall && now.wall.us <= us_of(CLOCK_REALTIME));
    assert_true(now.boot.us >= boot && now.boot.us <= us_of(CLOCK_BOOTTIME));
}

static void the_boot_id_has_its_form_and_stays_the_same(void **state)
{
    char a[BOOT_ID_CAP] = "", b[BOOT_ID_CAP] = "";

    (void)state;
    assert_int_equal(host_boot_id(a), 0);
    assert_int_equal(host_boot_id(b), 0);
    assert_int_equal(strlen(a), 36);
    assert_string_equal(a, b);
    for (size_t i = 0; i < 36; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;

        assert_true(dash ? a[i] == '-' : strchr("0123456789abcdef", a[i]) != NULL);
    }
}

static int compare_ids(const void *a, const void *b)
{
    const struct id *x = a, *y = b;

    return (x->bits > y->bits) - (x->bits < y->bits);
}

static void ids_are_forty_bits_never_zero_and_do_not_repeat(void **state)
{
    enum { N = 10000 };
    static struct id ids[N];
    uint64_t ever = 0, always = UINT64_MAX;

    (void)state;
    for (size_t i = 0; i < N; i++) {
        ids[i] = host_fresh_id();
        ever |= ids[i].bits;
        always &= ids[i].bits;
    }
    assert_int_equal(ever, (UINT64_C(1) << 40) - 1);
    assert_int_equal(always, 0);
    qsort(ids, N, sizeof ids[0], compare_ids);
    assert_int_not_equal(ids[0].bits, 0);
    for (size_t i = 1; i < N; i++)
        assert_int_not_equal(ids[i].bits, ids[i - 1].bits);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(now_lies_between_two_readings_of_the_clocks),
        cmocka_unit_test(the_boot_id_has_its_form_and_stays_the_same),
        cmocka_unit_test(ids_are_forty_bits_never_zero_and_do_not_repeat),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
