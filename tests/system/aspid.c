/* Runs a program under a process number of one's choice, if that is free: aspid PID PROGRAM ARG...
 * Its parent waits for nothing: exit 0 once it has been started. Needs root. */
#include <errno.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    pid_t pid = argc > 2 ? (pid_t)strtol(argv[1], NULL, 10) : 0;
    struct clone_args how = {
        .exit_signal = SIGCHLD, .set_tid = (__u64)(uintptr_t)&pid, .set_tid_size = 1};
    long r;

    if (pid <= 1)
        return 2;
    r = syscall(SYS_clone3, &how, sizeof how);
    if (r == 0) {
        execvp(argv[2], argv + 2);
        _exit(127);
    }
    if (r < 0)
        fprintf(stderr, "aspid: %d: %s\n", (int)pid, strerror(errno));
    return r < 0;
}
