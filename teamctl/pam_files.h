/* The files in /etc/pam.d, changed without a moment at which one is half or missing: a new one is
 * written beside it, made durable, and put in its place by one rename(2). The original is kept as
 * it is, by a hard link, in /etc/pam.d/.team, and comes back by one rename(2), with all that it
 * had. */
#pragma once

#include "pam_place.h"

#include <sys/stat.h>

#define PAM_KEEP ".team"

enum { PAM_NAME_CAP = 64 };

struct pam_dir {
    int dir;  /* of the services */
    int keep; /* PAM_KEEP in it; -1: there is none */
};

/* Opens both; `make`: makes PAM_KEEP, before anything is changed. 0 or -errno; -EPERM: others than
 * root could write there. */
int pam_dir_open(const char *path, bool make, struct pam_dir *ret);
void pam_dir_close(struct pam_dir *d);

/* Takes PAM_KEEP away if nothing is left in it. */
void pam_dir_tidy(const struct pam_dir *d);

/* For whoever changes something; until pam_dir_close(). -EBUSY: another did for `seconds`.
 * -ESTALE: and has taken PAM_KEEP away. */
int pam_dir_lock(const struct pam_dir *d, int seconds);

/* Reads a service's own file, which is to be changed. 0 or
 *   -ELOOP    it is a symbolic link
 *   -EISDIR   it is no file at all
 *   -EPERM    others than root could change it
 *   -EFBIG, -E... */
int pam_file_read(const struct pam_dir *d, const char *service, struct pam_text *ret);

/* The same, whoever could change it. */
int pam_file_look(const struct pam_dir *d, const char *service, struct pam_text *ret);

/* Replaces `old`, which has been read, by `new`, with its owner, mode and extended attributes, and
 * keeps the original. 0; -ESTALE: it is not `old` any more; -E... In all these cases it is not
 * changed; only after -EINPROGRESS it may be, and the original is kept. */
int pam_file_switch(const struct pam_dir *d, const char *service, const struct pam_text *old,
                    const struct pam_text *new);

enum pam_given {
    PAM_GIVEN_BACK, /* the original is back, byte by byte */
    PAM_TAKEN_OUT,  /* it was changed since: our lines are out, and the original is kept */
    PAM_NOT_THERE,  /* nothing of ours is in it; an original that differs is kept */
};

/* Gives the original back, or takes our lines out. `undo`: what was there before pam_file_switch()
 * stays, whosever it is; otherwise what pam_place() did not add goes too, unless the original has
 * it. Any number of times, until it has worked. Returns enum pam_given; -ENOENT: there is no such
 * file any more; -ELOOP, -EISDIR, -E... */
int pam_file_give_back(const struct pam_dir *d, const char *service, bool undo);

/* Is an original kept? */
bool pam_file_is_kept(const struct pam_dir *d, const char *service);

/* Puts an original that is of no use any more out of the way: NAME.kept. */
int pam_file_put_away(const struct pam_dir *d, const char *service);

/* Writes a file into PAM_KEEP, whole or not at all: through NAME.new. */
int pam_keep_write(const struct pam_dir *d, const char *name, const struct pam_text *text);

/* Takes a file out of PAM_KEEP, for good; 0 if there is none. */
int pam_keep_remove(const struct pam_dir *d, const char *name);
