/* PAM's configuration as libpam reads it (pam.conf(5), and measured with libpam 1.5.2): a file as
 * rules, a service with all that it includes as stacks, and what the controls of these do. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define PAM_DIR "/etc/pam.d"

enum { PATH_CAP = 512 };

/* ---- one file ---------------------------------------------------------------------------------
 */

enum { PAM_FILE_MAX = 256 * 1024, PAM_RULE_CAP = 4096 };

/* All bytes of a file; `at` is from malloc. */
struct pam_text {
    char *at;
    size_t len;
};

/* 0, -EFBIG (more than PAM_FILE_MAX) or -errno. */
int pam_load(int fd, struct pam_text *ret);
void pam_unload(struct pam_text *t);

/* Walks over the rules in a text: {.text = ...} to begin with. */
struct pam_reader {
    const struct pam_text *text;
    size_t begin, end; /* of this rule, with its line ends */
    unsigned line;     /* where it begins */
    unsigned lines;    /* so far */
    bool torn;         /* the text ends in the middle of a rule, and libpam refuses all of it */
    char rule[PAM_RULE_CAP]; /* in one line, without its comment; cut when longer */
};

/* False at the end. Lines that end in a backslash go on in the next one that is not empty; a
 * comment ends with its line, whatever it ends in. */
bool pam_next(struct pam_reader *r);

enum pam_type { PAM_AUTH, PAM_ACCOUNT, PAM_PASSWORD, PAM_SESSION, PAM_TYPES };

struct pam_line {
    char file[PATH_CAP];
    unsigned line;
    unsigned level; /* of substacks */
    bool substack;  /* no module: the ones of a higher level that follow are in it */
    bool quiet;     /* -type */
    bool include;   /* of the file `module`: include, substack or @include */
    char control[256];
    char module[PATH_CAP];
    char arguments[PATH_CAP];
};

/* Reads a rule into `control` to `arguments` and the flags; the text is used up. The type;
 * PAM_TYPES: all of them, by @include; -1: none that there is. */
int pam_parse(char *rule, struct pam_line *ret);

bool pam_is_ours(const struct pam_line *l);

/* The first argument that our module would not understand, or NULL (pam_arguments.c, which reads
 * them by the module's own code). Cuts `arguments` into words. */
const char *pam_wrong_argument(char *arguments);

/* Takes the first word off *rest and ends it; "" at the end. */
char *take_word(char **rest);

/* ---- one service ------------------------------------------------------------------------------
 */

struct pam_stack {
    struct pam_line *items;
    size_t n;
};

struct pam_service {
    const char *dir; /* where files are looked for; NULL: PAM_DIR. Lines say PAM_DIR nevertheless */
    struct pam_stack stacks[PAM_TYPES];
    int error; /* of the first file that could not be read */
    char unread[PATH_CAP];
    void (*included)(void *ctx, const char *name);
    void *ctx;
};

/* Reads a service, with all that it includes. */
void pam_read(const char *service, struct pam_service *s);
void pam_free(struct pam_service *s);

/* ---- controls ---------------------------------------------------------------------------------
 */

/* What this line's control makes of a return code: "ok", "bad", "die", "ignore", "done", "reset" or
 * a number of modules that are skipped. */
const char *pam_action(const struct pam_line *l, const char *code);

/* Does something that the line at `from` may return keep the one at `to`, after it, from being
 * asked, without that being a no? Then `how` is what, such as "success=done". */
bool pam_skips(const struct pam_stack *s, size_t from, size_t to, char how[static 64]);

/* Can anything that this line returns keep a later one from being asked, without being a no? */
bool pam_may_skip(const struct pam_line *l);
