/* What the programs of the bench share: the clock, chance, and what a series of rounds says.
 *
 * Two things are compared by taking turns in one run, in random order inside each round, and by the
 * median of the differences within the rounds: the speed of a machine that others use drifts by
 * more than most differences that are looked for. */
#pragma once

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <team/wire.h>

#define BENCH_UNUSED __attribute__((unused))

BENCH_UNUSED __attribute__((noreturn, format(printf, 1, 2))) static void die(const char *format,
                                                                             ...)
{
    va_list args;

    fflush(stdout);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    exit(1);
}

BENCH_UNUSED static unsigned number(const char *s)
{
    uint64_t n;

    if (!text_parse_u64(s, strlen(s), &n) || n > 1000000000)
        die("%s is not a number", s);
    return (unsigned)n;
}

BENCH_UNUSED static void *room_for(size_t n, size_t size)
{
    void *p = calloc(n, size);

    if (!p)
        die("out of memory");
    return p;
}

/* ---- time ------------------------------------------------------------------------------------ */

BENCH_UNUSED static double now_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

BENCH_UNUSED static void pause_us(double us)
{
    struct timespec t = {(time_t)(us / 1e6), (long)(us - (double)(long)(us / 1e6) * 1e6) * 1000};

    while (nanosleep(&t, &t) < 0 && errno == EINTR)
        ;
}

/* ---- chance ---------------------------------------------------------------------------------- */

BENCH_UNUSED static uint64_t chance(void)
{
    static uint64_t seed;

    if (seed == 0)
        seed = (uint64_t)time(NULL) << 20 ^ (uint64_t)getpid() ^ UINT64_C(0x9e3779b97f4a7c15);
    seed ^= seed >> 12;
    seed ^= seed << 25;
    seed ^= seed >> 27;
    return seed * UINT64_C(2685821657736338717) >> 11;
}

/* The numbers below n, in random order. */
BENCH_UNUSED static void shuffled(unsigned *order, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        unsigned j = (unsigned)(chance() % (i + 1));

        order[i] = order[j];
        order[j] = i;
    }
}

/* ---- what came of it ------------------------------------------------------------------------- */

static int by_size(const void *a, const void *b)
{
    const double *x = a, *y = b;

    return *x < *y ? -1 : *x > *y;
}

/* The q-th part of the values is not above it. Sorts them. */
BENCH_UNUSED static double quantile(double *v, size_t n, double q)
{
    size_t at = (size_t)(q * (double)n);

    qsort(v, n, sizeof *v, by_size);
    if (q == 0.5 && n % 2 == 0)
        return (v[n / 2 - 1] + v[n / 2]) / 2;
    return v[at < n ? at : n - 1];
}

BENCH_UNUSED static double median(double *v, size_t n)
{
    return quantile(v, n, 0.5);
}

/* Of values in the order of the rounds: the median, and that of the differences to `other`. */
struct paired {
    double value, more;
};

BENCH_UNUSED static struct paired pair(const double *of, const double *other, size_t n)
{
    double *v = room_for(n, sizeof *v);
    struct paired p;

    for (size_t i = 0; i < n; i++)
        v[i] = of[i] - other[i];
    p.more = median(v, n);
    memcpy(v, of, n * sizeof *v);
    p.value = median(v, n);
    free(v);
    return p;
}

/* One line: both medians, and by how much ours is the other one: median of the differences, and the
 * other's median. */
BENCH_UNUSED static void print_ratio(const char *name, const double *ours, const double *other,
                                     size_t n)
{
    double first = pair(other, other, n).value;
    struct paired p = pair(ours, other, n);

    printf("%s %.6g %.6g %.3f\n", name, p.value, first, (first + p.more) / first);
    fflush(stdout);
}

/* ---- sockets --------------------------------------------------------------------------------- */

BENCH_UNUSED static int reach(const char *path)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

    if (strlen(path) >= sizeof to.sun_path)
        die("%s is too long", path);
    memcpy(to.sun_path, path, strlen(path) + 1);
    if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof to) < 0)
        die("%s: %s", path, strerror(errno));
    return fd;
}

BENCH_UNUSED static void tell(int fd, const char *packet, size_t len)
{
    if (len == 0 || send(fd, packet, len, MSG_NOSIGNAL) != (ssize_t)len)
        die("cannot ask: %s", strerror(errno));
}

/* Who is logged in, as the kernel tells others. */
BENCH_UNUSED static void log_in(unsigned uid)
{
    FILE *f = fopen("/proc/self/loginuid", "we");

    if (!f || fprintf(f, "%u", uid) < 0 || fclose(f) != 0)
        die("the login uid cannot be set: %s", strerror(errno));
}
