/* Runs commands in turns, in random order inside each round:
 *   pair ROUNDS PAUSE_MS COMMAND...
 * A command is one argument, cut into words at blanks. It has to succeed; what it says is not
 * heard. One line for each: median in us, and the median of its differences to the first one. */
#include "bench.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>

enum { WORDS = 64, COMMANDS = 16 };

struct command {
    char *words[WORDS];
    unsigned base; /* what it is compared with */
    double *us;    /* of each round */
    long resident_kib;
};

static struct command commands[COMMANDS];

static void cut(struct command *c, char *line)
{
    char *colon = strchr(line, ':');
    size_t n = 0;

    if (!colon)
        die("%s: no base", line);
    *colon = '\0';
    c->base = number(line);
    for (char *rest = colon + 1, *word; (word = strsep(&rest, " "));)
        if (*word != '\0' && n < WORDS - 1)
            c->words[n++] = word;
    if (n == 0)
        die("a command has no words");
}

static double run(struct command *c, const posix_spawn_file_actions_t *quiet)
{
    double begin = now_us(), end;
    struct rusage used;
    pid_t pid;
    int status;
    int r = posix_spawnp(&pid, c->words[0], quiet, NULL, c->words, environ);

    if (r != 0)
        die("%s: %s", c->words[0], strerror(r));
    if (wait4(pid, &status, 0, &used) != pid)
        die("wait4: %s", strerror(errno));
    end = now_us();
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        die("%s %s: exit %d", c->words[0], c->words[1] ? c->words[1] : "", WEXITSTATUS(status));
    if (used.ru_maxrss > c->resident_kib)
        c->resident_kib = used.ru_maxrss;
    return end - begin;
}

int main(int argc, char **argv)
{
    unsigned n = argc > 3 ? (unsigned)argc - 3 : 0, rounds, order[COMMANDS];
    posix_spawn_file_actions_t quiet;
    double gap;

    if (n == 0 || n > COMMANDS || (rounds = number(argv[1])) == 0)
        return 2;
    gap = number(argv[2]) * 1e3;
    posix_spawn_file_actions_init(&quiet);
    posix_spawn_file_actions_addopen(&quiet, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&quiet, 1, "/dev/null", O_WRONLY, 0);
    for (unsigned i = 0; i < n; i++) {
        cut(&commands[i], argv[3 + i]);
        if (commands[i].base >= n)
            return 2;
        commands[i].us = room_for(rounds, sizeof(double));
        run(&commands[i], &quiet); /* warms up */
    }
    for (unsigned round = 0; round < rounds; round++) {
        shuffled(order, n);
        for (unsigned i = 0; i < n; i++) {
            pause_us(gap);
            commands[order[i]].us[round] = run(&commands[order[i]], &quiet);
        }
    }
    for (unsigned i = 0; i < n; i++) {
        struct paired p = pair(commands[i].us, commands[commands[i].base].us, rounds);

        printf("%.1f %.1f %ld\n", p.value, p.more, commands[i].resident_kib);
    }
    return 0;
}
