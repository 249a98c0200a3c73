#include "container.h"

#include <fcntl.h>
#include <team/text.h>
#include <unistd.h>

bool container_enter(const char *path)
{
    char procs[300];
    struct text t = text_over(procs, sizeof procs);
    bool entered;
    int fd;

    text_put(&t, path);
    text_put(&t, "/cgroup.procs");
    if (t.cut)
        return false;
    fd = open(procs, O_WRONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY);
    if (fd < 0)
        return false;
    entered = write(fd, "0", 1) == 1;
    close(fd);
    return entered;
}
