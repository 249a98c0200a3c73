/* Part of the instrumented build alone (make coverage): teamd's workers are killed and never exit,
 * so what they did is written down whenever they wait for the next order. */
#include <gcov.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>

ssize_t __real_recv(int fd, void *buf, size_t n, int flags);
ssize_t __wrap_recv(int fd, void *buf, size_t n, int flags);

ssize_t __wrap_recv(int fd, void *buf, size_t n, int flags)
{
    char name[16] = "";

    if (prctl(PR_GET_NAME, name) == 0 && strncmp(name, "teamd-", 6) == 0) {
        __gcov_dump();
        __gcov_reset();
    }
    return __real_recv(fd, buf, n, flags);
}
