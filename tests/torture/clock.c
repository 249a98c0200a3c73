/* Clocks that can be set, for the program that it is preloaded into (ld.so(8)): the kernel's would
 * be everybody's. The file CLOCK_SHIFT says by how many seconds the wall clock and the boot clock
 * are ahead, "WALL BOOT"; when it changes, they step, and timers on them go off when they would. */
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

enum { TIMERS = 64 };

static struct timer {
    int clock; /* -1: none of ours */
    int flags;
    bool armed;
    struct itimerspec want; /* by our clock */
} timers[TIMERS];

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static _Atomic long wall_s, boot_s;
static int shift_fd = -1;

#define REAL(name)                 \
    static __typeof__(name) *real; \
    if (!real)                     \
    *(void **)&real = dlsym(RTLD_NEXT, #name)

static long shift_of(int clock)
{
    if (clock == CLOCK_REALTIME)
        return wall_s;
    return clock == CLOCK_BOOTTIME ? boot_s : 0;
}

int clock_gettime(clockid_t clock, struct timespec *ret)
{
    int r;

    REAL(clock_gettime);
    r = real(clock, ret);
    if (r == 0)
        ret->tv_sec += shift_of(clock);
    return r;
}

int timerfd_create(clockid_t clock, int flags)
{
    int fd;

    REAL(timerfd_create);
    fd = real(clock, flags);
    pthread_mutex_lock(&lock);
    if (fd >= 0 && fd < TIMERS)
        timers[fd] = (struct timer){.clock = clock};
    pthread_mutex_unlock(&lock);
    return fd;
}

/* A moment that has passed by our clock is one just after 1970: 0 would turn the timer off. */
static int arm(int fd, const struct timer *t, struct itimerspec *old)
{
    struct itimerspec want = t->want;

    REAL(timerfd_settime);
    if (t->flags & TFD_TIMER_ABSTIME && (want.it_value.tv_sec || want.it_value.tv_nsec)) {
        want.it_value.tv_sec -= shift_of(t->clock);
        if (want.it_value.tv_sec <= 0)
            want.it_value = (struct timespec){0, 1};
    }
    return real(fd, t->flags, &want, old);
}

int timerfd_settime(int fd, int flags, const struct itimerspec *want, struct itimerspec *old)
{
    struct timer t = {.clock = -1, .flags = flags, .armed = true, .want = *want};
    int r;

    pthread_mutex_lock(&lock);
    if (fd >= 0 && fd < TIMERS) {
        t.clock = timers[fd].clock;
        timers[fd] = t;
    }
    r = arm(fd, &t, old);
    pthread_mutex_unlock(&lock);
    return r;
}

static void *watch(void *unused)
{
    long wall, boot;
    char text[64];
    ssize_t n;

    (void)unused;
    for (;; usleep(2000)) {
        n = pread(shift_fd, text, sizeof text - 1, 0);
        text[n > 0 ? n : 0] = '\0';
        if (sscanf(text, "%ld %ld", &wall, &boot) != 2 || (wall == wall_s && boot == boot_s))
            continue;
        pthread_mutex_lock(&lock);
        wall_s = wall;
        boot_s = boot;
        for (int fd = 0; fd < TIMERS; fd++)
            if (timers[fd].armed && shift_of(timers[fd].clock) != 0)
                arm(fd, &timers[fd], NULL);
        pthread_mutex_unlock(&lock);
    }
    return NULL;
}

/* The first shift counts from the beginning on. */
__attribute__((constructor)) static void begin(void)
{
    const char *path = getenv("CLOCK_SHIFT");
    pthread_t thread;
    char text[64] = "";

    if (!path)
        return;
    shift_fd = fcntl(open(path, O_RDONLY | O_CLOEXEC), F_DUPFD_CLOEXEC, 500);
    if (shift_fd < 0 || pread(shift_fd, text, sizeof text - 1, 0) <= 0)
        abort();
    wall_s = strtol(text, NULL, 10);
    boot_s = strtol(strchr(text, ' '), NULL, 10);
    if (pthread_create(&thread, NULL, watch, NULL) != 0)
        abort();
}
