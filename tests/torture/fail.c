/* Makes the nth call of one kind fail, in a program that it is preloaded into (ld.so(8)). Each
 * process counts for itself; a child goes on from its parent's count.
 *
 *   FAIL_CALL   malloc   malloc calloc realloc reallocarray
 *               write    write pwrite writev
 *               sync     fdatasync fsync msync
 *               meta     pwrite to the first two pages of a file: where LMDB commits
 *               send     send sendmsg         recv   recv recvmsg
 *               connect                       accept accept4
 *               follow   sd_event_add_io of a pidfd
 *   FAIL_NTH    from 1 on; 0: none
 *   FAIL_ERRNO  what it fails with. -1: a write writes less than it was told to
 *   FAIL_ON     if set: all calls after that one fail, too
 *   FAIL_SPARE  the calls of malloc of one library, by a part of its name, do not count
 *   FAIL_TELL   a file; gets a line "failed PID CALLER" for the nth, and when the program itself
 * ends "end CALLS ALLOCATIONS DESCRIPTORS": how many such calls there were, what was never freed
 * and never closed
 *
 * What the C library calls inside of itself is not seen (stdio's writes). */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <systemd/sd-event.h>
#include <unistd.h>

enum kind { MALLOC, WRITE, META, SYNC, SEND, RECV, CONNECT, ACCEPT, FOLLOW, KINDS };

static const char *const NAMES[KINDS] = {"malloc", "write",   "meta",   "sync",  "send",
                                         "recv",   "connect", "accept", "follow"};

static struct {
    bool ready, on;
    enum kind kind;
    uint64_t nth;
    int error;
    const char *tell;
    pid_t pid;
    uintptr_t spare, spare_end; /* where that library's code is */
} want;

static uint64_t calls;
static int64_t allocations;

/* Nothing that allocates, nothing that is interposed. */
static void tell(const char *line, int n)
{
    int fd = want.tell
                 ? (int)syscall(SYS_openat, AT_FDCWD, want.tell, O_WRONLY | O_APPEND | O_CLOEXEC, 0)
                 : -1;

    if (fd < 0)
        return;
    syscall(SYS_write, fd, line, n);
    syscall(SYS_close, fd);
}

/* Is this the call that has to fail? */
static bool fails(enum kind kind, const void *from)
{
    char line[160];
    Dl_info info;

    if (!want.ready || kind != want.kind)
        return false;
    calls++;
    if (want.nth == 0 || calls < want.nth || (calls > want.nth && !want.on))
        return false;
    if (calls == want.nth && dladdr(from, &info))
        tell(line, snprintf(line, sizeof line, "failed %d %s+%#lx\n", (int)syscall(SYS_getpid),
                            info.dli_fname,
                            (unsigned long)((uintptr_t)from - (uintptr_t)info.dli_fbase)));
    errno = want.error < 0 ? EIO : want.error;
    return true;
}

#define CALLER __builtin_return_address(0)

#define REAL(name)                 \
    static __typeof__(name) *real; \
    if (!real)                     \
    *(void **)&real = dlsym(RTLD_NEXT, #name)

/* ---- memory ---------------------------------------------------------------------------------- */

static void *note(void *p)
{
    allocations += p != NULL;
    return p;
}

/* Is it the turn of this call, made from there? */
static bool no_memory(const void *from)
{
    uintptr_t at = (uintptr_t)from;

    return (at < want.spare || at >= want.spare_end) && fails(MALLOC, from);
}

void *malloc(size_t n)
{
    REAL(malloc);
    return no_memory(CALLER) ? NULL : note(real(n));
}

void *calloc(size_t n, size_t size)
{
    REAL(calloc);
    return no_memory(CALLER) ? NULL : note(real(n, size));
}

static void *resize(void *p, size_t n)
{
    void *q;

    REAL(realloc);
    q = real(p, n);
    if (!p)
        note(q);
    return q;
}

void *realloc(void *p, size_t n)
{
    return no_memory(CALLER) ? NULL : resize(p, n);
}

void *reallocarray(void *p, size_t n, size_t size)
{
    if (no_memory(CALLER) || (size > 0 && n > SIZE_MAX / size)) {
        errno = ENOMEM;
        return NULL;
    }
    return resize(p, n * size);
}

/* The C library's would call malloc, and hide who wants it. Both names are called. */
static char *copy_of(const char *s, const void *from)
{
    size_t n = strlen(s) + 1;
    char *copy = no_memory(from) ? NULL : resize(NULL, n);

    return copy ? memcpy(copy, s, n) : NULL;
}

char *strdup(const char *s)
{
    return copy_of(s, CALLER);
}

char *__strdup(const char *s);
char *__strdup(const char *s)
{
    return copy_of(s, CALLER);
}

void free(void *p)
{
    REAL(free);
    allocations -= p != NULL;
    real(p);
}

/* ---- the rest -------------------------------------------------------------------------------- */

static bool cut(size_t n)
{
    return want.error == -1 && n > 1;
}

ssize_t write(int fd, const void *p, size_t n)
{
    REAL(write);
    return !fails(WRITE, CALLER) ? real(fd, p, n) : cut(n) ? real(fd, p, n / 2) : -1;
}

ssize_t pwrite(int fd, const void *p, size_t n, off_t at)
{
    REAL(pwrite);
    if (at < 2 * sysconf(_SC_PAGESIZE) && fails(META, CALLER))
        return -1;
    return !fails(WRITE, CALLER) ? real(fd, p, n, at) : cut(n) ? real(fd, p, n / 2, at) : -1;
}

ssize_t writev(int fd, const struct iovec *v, int n)
{
    REAL(writev);
    return !fails(WRITE, CALLER) ? real(fd, v, n) : cut((size_t)n) ? real(fd, v, n / 2) : -1;
}

int fdatasync(int fd)
{
    REAL(fdatasync);
    return fails(SYNC, CALLER) ? -1 : real(fd);
}

int fsync(int fd)
{
    REAL(fsync);
    return fails(SYNC, CALLER) ? -1 : real(fd);
}

int msync(void *p, size_t n, int flags)
{
    REAL(msync);
    return fails(SYNC, CALLER) ? -1 : real(p, n, flags);
}

ssize_t send(int fd, const void *p, size_t n, int flags)
{
    REAL(send);
    return fails(SEND, CALLER) ? -1 : real(fd, p, n, flags);
}

ssize_t sendmsg(int fd, const struct msghdr *m, int flags)
{
    REAL(sendmsg);
    return fails(SEND, CALLER) ? -1 : real(fd, m, flags);
}

ssize_t recv(int fd, void *p, size_t n, int flags)
{
    REAL(recv);
    return fails(RECV, CALLER) ? -1 : real(fd, p, n, flags);
}

ssize_t recvmsg(int fd, struct msghdr *m, int flags)
{
    REAL(recvmsg);
    return fails(RECV, CALLER) ? -1 : real(fd, m, flags);
}

int connect(int fd, const struct sockaddr *to, socklen_t n)
{
    REAL(connect);
    return fails(CONNECT, CALLER) ? -1 : real(fd, to, n);
}

int accept4(int fd, struct sockaddr *from, socklen_t *n, int flags)
{
    REAL(accept4);
    return fails(ACCEPT, CALLER) ? -1 : real(fd, from, n, flags);
}

static bool is_pidfd(int fd)
{
    char path[40], what[40];
    ssize_t n;

    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    n = readlink(path, what, sizeof what - 1);
    what[n > 0 ? n : 0] = '\0';
    return strstr(what, "pidfd") != NULL;
}

int sd_event_add_io(sd_event *loop, sd_event_source **ret, int fd, uint32_t events,
                    sd_event_io_handler_t handler, void *ctx)
{
    REAL(sd_event_add_io);
    return is_pidfd(fd) && fails(FOLLOW, CALLER) ? -want.error
                                                 : real(loop, ret, fd, events, handler, ctx);
}

/* ---- beginning and end ----------------------------------------------------------------------- */

/* Where the code of a library is, as proc(5) says. */
static void find_library(const char *name)
{
    FILE *maps = fopen("/proc/self/maps", "r");
    char line[512];

    while (maps && fgets(line, sizeof line, maps))
        if (strstr(line, name) && strstr(line, " r-xp "))
            sscanf(line, "%" SCNxPTR "-%" SCNxPTR, &want.spare, &want.spare_end);
    if (maps)
        fclose(maps);
}

__attribute__((constructor)) static void begin(void)
{
    char *spare = getenv("FAIL_SPARE");
    const char *call = getenv("FAIL_CALL"), *nth = getenv("FAIL_NTH"),
               *error = getenv("FAIL_ERRNO");

    want.tell = getenv("FAIL_TELL");
    want.on = getenv("FAIL_ON") != NULL;
    want.nth = nth ? strtoull(nth, NULL, 10) : 0;
    want.error = error ? (int)strtol(error, NULL, 10) : 0;
    want.pid = getpid();
    if (spare)
        find_library(spare);
    while (call && want.kind < KINDS && strcmp(call, NAMES[want.kind]) != 0)
        want.kind++;
    want.ready = call && want.kind < KINDS;
    allocations = 0; /* those of the loader are not the program's */
}

static int count_descriptors(void)
{
    int n = 0;

    for (int fd = 0; fd < 4096; fd++)
        n += fcntl(fd, F_GETFD) >= 0;
    return n;
}

__attribute__((destructor)) static void end(void)
{
    char line[96];

    if (getpid() != want.pid)
        return;
    want.ready = false;
    tell(line, snprintf(line, sizeof line, "end %llu %lld %d\n", (unsigned long long)calls,
                        (long long)allocations, count_descriptors()));
}
