/* A fork bomb that ignores signals, of at most N processes: bomb N. As root it becomes a user of
 * its own first, whom the limit binds. */
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

enum { SOMEBODY = 654320 };

int main(int argc, char **argv)
{
    rlim_t most = argc > 1 ? (rlim_t)strtoul(argv[1], NULL, 10) : 0;
    struct rlimit limit = {most, most};

    signal(SIGTERM, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    if (most == 0 || setrlimit(RLIMIT_NPROC, &limit) < 0 ||
        (geteuid() == 0 && setuid(SOMEBODY) < 0))
        return 2;
    for (;;)
        if (fork() < 0)
            usleep(100 * 1000);
}
