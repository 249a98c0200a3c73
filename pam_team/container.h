/* The cgroup that teamd made for this session. */
#pragma once

#include <stdbool.h>

/* Moves the calling process, and so everything it will start, into the cgroup at `path`
 * (cgroups(7): "0" in cgroup.procs is who writes). Leaves nothing open. */
bool container_enter(const char *path);
