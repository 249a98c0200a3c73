/* dlopen and dlclose of two modules, each time in a fresh process that has libpam, as a host has:
 *   load ROUNDS OURS OTHER
 * One line: both medians in us, and the ratio. */
#include "bench.h"

#include <dlfcn.h>
#include <security/pam_appl.h>
#include <sys/wait.h>

static double load(const char *path)
{
    double begin = now_us();
    void *module = dlopen(path, RTLD_NOW);

    if (!module)
        die("%s", dlerror());
    if (dlclose(module) != 0)
        die("%s", dlerror());
    return now_us() - begin;
}

/* A fork would have mapped already what its parent has. */
static double load_afresh(char *self, char *path)
{
    char *args[] = {self, path, NULL};
    double us = 0;
    int to[2], status;
    pid_t pid;

    if (pipe(to) < 0 || (pid = fork()) < 0)
        die("%s", strerror(errno));
    if (pid == 0) {
        dup2(to[1], 1);
        execv("/proc/self/exe", args);
        _exit(127);
    }
    close(to[1]);
    if (read(to[0], &us, sizeof us) != sizeof us || waitpid(pid, &status, 0) != pid || status != 0)
        die("%s: cannot be loaded", path);
    close(to[0]);
    return us;
}

int main(int argc, char **argv)
{
    unsigned rounds, order[2];
    double *us[2];

    if (argc == 2) {
        double once = load(argv[1]);

        return pam_strerror(NULL, PAM_SUCCESS) == NULL ||
               write(1, &once, sizeof once) != sizeof once;
    }
    if (argc != 4 || (rounds = number(argv[1])) == 0)
        return 2;
    us[0] = room_for(rounds, sizeof(double));
    us[1] = room_for(rounds, sizeof(double));
    for (unsigned i = 0; i < rounds; i++) {
        shuffled(order, 2);
        for (unsigned k = 0; k < 2; k++)
            us[order[k]][i] = load_afresh(argv[0], argv[2 + order[k]]);
    }
    print_ratio("load", us[0], us[1], rounds);
    return 0;
}
