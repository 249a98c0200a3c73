/* Inside host: cgroups (v2) as directories, whosever they are. */
#pragma once

#include "host/host.h"

/* Where they are mounted: alone, or beside those of version 1; NULL: nowhere. */
const char *cgroup_mount(void);
bool cgroup_is_v2(const char *path);

/* The one that the process is in, as /proc/PID/cgroup writes it: "/a/b"; 1 and one that holds it if
 * the whole is too long. -ESRCH: the process is gone. */
int cgroup_of(uint32_t pid, char out[CONTAINER_CAP]);

/* a/b, whether or not there is a slash between them. False: it does not fit. */
bool cgroup_join(char *out, size_t cap, const char *a, const char *b);

/* Is a process in it, or below it? -ENOENT, -ENODEV: it is removed. */
int cgroup_populated(int dir);

/* Calls `each` for the number of every process in it and below it. -EBUSY: not all could be seen,
 * since it changes or is deeper than CGROUP_DEPTH_MAX. */
enum { CGROUP_DEPTH_MAX = 64 };
int cgroup_each(int dir, cgroup_member_fn each, void *ctx);

/* Removes what is below the directory, at any depth, with bounded work for one call. -EBUSY: there
 * are processes, or there is more to do. -EACCES: something may not be removed by us. */
int cgroup_remove_below(int dir);
