/* An installation that waits for its confirmation: what the file PAM_KEEP/pending says, and who may
 * confirm it. */
#pragma once

#include "pam_files.h"
#include "pam_login.h"

#include <stdint.h>

enum { PAM_SERVICES_MAX = 9 };

struct pending {
    char boot[40];    /* in which it was installed */
    int64_t since_us; /* CLOCK_BOOTTIME */
    int64_t until_us;
    struct login by;
    uint64_t newest; /* audit session that there was then */
    size_t n_services;
    char services[PAM_SERVICES_MAX][PAM_NAME_CAP];
};

/* 0; -ENOENT: nothing waits; -EBADMSG: this is not what pending_write() has written; -E... */
int pending_read(const struct pam_dir *d, struct pending *ret);
int pending_write(const struct pam_dir *d, const struct pending *p);
int pending_remove(const struct pam_dir *d);

/* Fills everything but services, as of now. -errno */
int pending_begin(struct pending *ret, uint64_t within_s);

/* Is its time over, or the boot in which it was made? */
bool pending_is_due(const struct pending *p);

/* How long it has. */
int64_t pending_left_us(const struct pending *p);

/* Who watches it, and takes it back, holds a lock on the file. pending_watch() returns a descriptor
 * that does, to be closed, or -errno. */
int pending_watch(const struct pam_dir *d);
bool pending_is_watched(const struct pam_dir *d);

/* May this process confirm? NULL: yes; else why not. It has to be of another login than who
 * installed, and to have come by PAM since: a shell from before proves nothing. */
const char *pending_refuses(const struct pending *p);
