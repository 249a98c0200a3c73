/* Before the loop runs: what needs root, and everything that must be forked before anything else is
 * open. */
#pragma once

#include "teamd.h"

struct sockets {
    int gate, control, courier; /* listening; -1: not there, or given away */
};

/* Finds the user, takes or makes the sockets, the directories and the cgroup for sessions (as in
 * sessions.cgroup), and becomes that user. 0 or -errno. */
int prepare(struct teamd *t, const char *cgroup, struct sockets *sockets);
