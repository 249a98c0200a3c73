/* Process handles for valgrind 3.19, which knows neither pidfd_open(2) nor pidfd_send_signal(2).
 * What is opened here is a directory of /proc; it cannot be waited for, and teamd does not wait for
 * those that it opens itself when nothing is left over from an earlier teamd. For tests only: a
 * number may be another process's by the time that it gets its signal. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/types.h>
#include <unistd.h>

int pidfd_open(pid_t pid, unsigned flags);
int pidfd_send_signal(int fd, int sig, siginfo_t *info, unsigned flags);

int pidfd_open(pid_t pid, unsigned flags)
{
    char path[32];

    (void)flags;
    snprintf(path, sizeof path, "/proc/%d", (int)pid);
    return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* Of a directory of /proc by its name, of the kernel's own handles by what proc(5) says of them. */
static pid_t behind(int fd)
{
    char path[64], text[512] = "";
    int pid = -1, info;
    char *line;

    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    if (readlink(path, text, sizeof text - 1) > 0 && sscanf(text, "/proc/%d", &pid) == 1)
        return pid;
    snprintf(path, sizeof path, "/proc/self/fdinfo/%d", fd);
    info = open(path, O_RDONLY | O_CLOEXEC);
    if (info >= 0 && read(info, text, sizeof text - 1) > 0)
        for (line = text; line && sscanf(line, "Pid: %d", &pid) != 1;
             line = *line ? line + 1 : NULL)
            ;
    close(info);
    return pid;
}

int pidfd_send_signal(int fd, int sig, siginfo_t *info, unsigned flags)
{
    pid_t pid = behind(fd);

    (void)info, (void)flags;
    if (pid > 0)
        return kill(pid, sig);
    errno = ESRCH;
    return -1;
}
