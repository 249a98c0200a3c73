/* Opening a file that nobody but root can have written, replaced or redirected. */
#pragma once

#include <stddef.h>

enum { TRUSTED_WHY_CAP = 512 };

/* Opens a regular file for reading. It, and every directory and link on the way to it, must belong
 * to root and be writable by nobody else; a directory that others may write to passes if it is
 * sticky, as /tmp is. Returns 0 and *ret_fd, or -ENOENT, -EACCES, -EPERM (not only root's), or
 * another -errno; `why` then says it for people. */
int trusted_open(const char *path, int *ret_fd, char why[static TRUSTED_WHY_CAP]);
