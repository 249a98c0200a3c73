/* Moves itself into a new cgroup below DIR, and ends: what one bare move costs beside the same
 * process without it:
 *   move DIR|- */
#include "bench.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>

static void enter(const char *dir)
{
    char path[512];
    int fd;

    snprintf(path, sizeof path, "%s/cgroup.procs", dir);
    fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0 || write(fd, "0", 1) != 1)
        die("%s: %s", path, strerror(errno));
    close(fd);
}

int main(int argc, char **argv)
{
    if (argc != 2)
        return 2;
    if (strcmp(argv[1], "-") != 0)
        enter(argv[1]);
    return 0;
}
