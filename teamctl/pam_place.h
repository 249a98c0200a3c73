/* Where the lines of pam_team.so belong in a PAM file, and how they come out again. Pure: texts in,
 * texts out (from malloc); what is in other files, the caller says. */
#pragma once

#include "pam_stack.h"

enum { PAM_WHY_CAP = 256 };

enum {
    PAM_BRINGS_RULES = 1, /* of this type */
    PAM_BRINGS_OURS = 2,  /* among them */
};

/* What a file that is included has of this type: PAM_BRINGS_... */
typedef unsigned pam_brings(void *ctx, const char *file, enum pam_type type);

struct pam_files {
    pam_brings *brings;
    void *ctx;
};

/* Adds the account line (`account`) with these arguments of the module ("" or "wait=5m prompt") and
 * the session line where they are missing, each below a comment that marks it. Returns
 *   1         *ret is the new text
 *   0         nothing is missing
 *   -EINVAL   `why` says why there is no place for them, or why a person has to look first
 *   -ENOMEM
 * pam_take() of the new text is the old one, byte by byte. */
enum { PAM_ARGUMENTS_CAP = 96 };
int pam_place(const struct pam_text *old, bool account, const char *arguments,
              const struct pam_files *files, struct pam_text *ret, char why[static PAM_WHY_CAP]);

enum pam_taken {
    PAM_TAKE_MARKED, /* what pam_place() has added, whatever its arguments are by now */
    PAM_TAKE_ALL,    /* every rule that names pam_team.so */
};

/* The text without these. 0 or -ENOMEM. */
int pam_take(const struct pam_text *text, enum pam_taken which, struct pam_text *ret);

/* Is there a rule that names pam_team.so, or one that pam_place() has added? */
bool pam_names_us(const struct pam_text *text);
bool pam_is_marked(const struct pam_text *text);

bool pam_same(const struct pam_text *a, const struct pam_text *b);
