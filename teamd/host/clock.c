/* The host's clocks, its boot, and its randomness. */
#include "host/resolver.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

static int64_t clock_us(clockid_t clock)
{
    struct timespec t;

    /* Cannot fail for a clock that the kernel has (clock_gettime(2)), and teamd without a clock
     * must not go on. */
    if (clock_gettime(clock, &t) < 0)
        abort();
    return (int64_t)t.tv_sec * SECOND_US + t.tv_nsec / 1000;
}

struct now host_now(void)
{
    return (struct now){.wall.us = clock_us(CLOCK_REALTIME), .boot.us = clock_us(CLOCK_BOOTTIME)};
}

uint64_t monotonic_us(void)
{
    return (uint64_t)clock_us(CLOCK_MONOTONIC);
}

int host_boot_id(char out[BOOT_ID_CAP])
{
    char buf[BOOT_ID_CAP];
    int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    ssize_t n;
    int error;

    if (fd < 0)
        return -errno;
    n = read(fd, buf, sizeof buf);
    error = n < 0 ? errno : 0;
    close(fd);
    if (error)
        return -error;
    if (n != BOOT_ID_CAP || buf[BOOT_ID_CAP - 1] != '\n')
        return -EBADMSG;
    buf[BOOT_ID_CAP - 1] = '\0';
    if (strspn(buf, "0123456789abcdef-") != BOOT_ID_CAP - 1)
        return -EBADMSG;
    memcpy(out, buf, sizeof buf);
    return 0;
}

struct id host_fresh_id(void)
{
    uint64_t bits;

    /* So few bytes come whole or not at all (getrandom(2)). An id that could be guessed, or that
     * comes twice, is worse than no teamd. */
    do {
        if (getrandom(&bits, sizeof bits, 0) != sizeof bits)
            abort();
        bits &= (UINT64_C(1) << 40) - 1;
    } while (bits == 0);
    return (struct id){bits};
}
