/* Asks the real libpam what a service says before anybody depends on it. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

struct pam_trial {
    const char *dir; /* where the service's file is, and what it includes */
    const char *service;
    const char *user;
    uid_t uid;    /* real uid of who asks */
    bool account; /* the account stack is asked, */
    bool session; /* and then a session is opened and closed */
};

enum { PAM_TRIED_CAP = 512 };

struct pam_tried {
    int code;                 /* the first of libpam that is not PAM_SUCCESS, which is 0 */
    char text[PAM_TRIED_CAP]; /* what that means, with what the modules said */
};

/* In a process of its own, which answers no question and is ended when it takes too long. */
void pam_try(const struct pam_trial *t, struct pam_tried *ret);

/* A folder of our own with everything that a service could include, to put services under trial
 * into. 0 or -errno. */
enum { PAM_SCRATCH_CAP = 64 };
int pam_scratch_make(char out[static PAM_SCRATCH_CAP]);
int pam_scratch_put(const char *scratch, const char *service, const char *text, size_t len);
void pam_scratch_remove(const char *scratch);
