/* How long do two teamds take from exec to READY=1? In turns, in random order:
 *   start ROUNDS OURS OTHER
 * OURS and OTHER are commands, each one argument. One line: both medians in us, and the ratio. */
#include "bench.h"

#include <signal.h>
#include <stddef.h>
#include <sys/wait.h>

enum { WORDS = 32 };

static int notified; /* the socket */

static void listen_for_ready(void)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    int n = snprintf(at.sun_path + 1, sizeof at.sun_path - 1, "team-bench-%d", (int)getpid());
    char name[64];

    notified = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (notified < 0 ||
        bind(notified, (struct sockaddr *)&at,
             (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)n)) < 0)
        die("no socket for READY=1: %s", strerror(errno));
    snprintf(name, sizeof name, "@%.60s", at.sun_path + 1);
    setenv("NOTIFY_SOCKET", name, 1);
}

static void wait_for_ready(const char *command)
{
    struct timeval patience = {.tv_sec = 60};
    char said[256];
    ssize_t n;

    setsockopt(notified, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    do {
        n = recv(notified, said, sizeof said - 1, 0);
        if (n < 0)
            die("%s: not ready after a minute", command);
        said[n] = '\0';
    } while (!strstr(said, "READY=1"));
}

static pid_t spawn(const char *command)
{
    char line[1024], *words[WORDS] = {NULL}, *rest = line;
    pid_t pid;

    snprintf(line, sizeof line, "%s", command);
    for (size_t n = 0; n < WORDS - 1 && rest; n++)
        words[n] = strsep(&rest, " ");
    pid = fork();
    if (pid == 0) {
        execv(words[0], words);
        _exit(127);
    }
    return pid;
}

static double start(const char *command)
{
    double begin = now_us(), us;
    pid_t pid = spawn(command);
    char late[256];
    int status;

    wait_for_ready(command);
    us = now_us() - begin;
    kill(pid, SIGTERM);
    if (waitpid(pid, &status, 0) != pid || status != 0)
        die("%s: exit %d", command, status);
    while (recv(notified, late, sizeof late, MSG_DONTWAIT) > 0)
        ;
    return us;
}

int main(int argc, char **argv)
{
    unsigned rounds, order[2];
    double *us[2];

    if (argc != 4 || (rounds = number(argv[1])) == 0)
        return 2;
    listen_for_ready();
    for (unsigned k = 0; k < 2; k++) {
        us[k] = room_for(rounds, sizeof(double));
        start(argv[2 + k]);
    }
    for (unsigned i = 0; i < rounds; i++) {
        shuffled(order, 2);
        for (unsigned k = 0; k < 2; k++)
            us[order[k]][i] = start(argv[2 + order[k]]);
    }
    print_ratio("start", us[0], us[1], rounds);
    return 0;
}
