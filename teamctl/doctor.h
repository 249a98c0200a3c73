/* doctor: does everything around teamd fit together? It looks with the eyes of whoever runs it,
 * says what it could not look at, changes nothing, and asks nobody but teamd and systemd. */
#pragma once

#include "teamctl.h"

#include <stdio.h>

enum grade {
    GRADE_OK,
    GRADE_UNKNOWN, /* could not be looked at */
    GRADE_WARN,
    GRADE_BAD,
    GRADES,
};

enum { PATH_CAP = 512, FIX_CAP = 480, MODULES_MAX = 8 };

struct doctor {
    struct call *c;
    bool root;       /* sees everything */
    bool systemd;    /* runs this host */
    bool no_network; /* teamd has none */
    unsigned found[GRADES];
    struct render render;
    /* what teamd says of itself; empty if it does not */
    char version[32], config[PATH_CAP], state_dir[PATH_CAP], store[32], warnings[24], uid[24];
    /* files that PAM's configuration names as our module */
    char modules[MODULES_MAX][PATH_CAP];
    size_t n_modules;
};

/* One finding. `check` is a word; `fix` may be NULL. */
void found(struct doctor *d, enum grade grade, const char *check, const char *fix,
           const char *format, ...) __attribute__((format(printf, 5, 6)));

void doctor_teamd(struct doctor *d); /* doctor_teamd.c: is it there, and well? */
void doctor_units(struct doctor *d); /* systemd's units */
void doctor_sockets(struct doctor *d);
void doctor_files(struct doctor *d); /* doctor_files.c: owners, modes, versions */
void doctor_pam(struct doctor *d);   /* doctor_pam.c: /etc/pam.d */
void doctor_sudo(struct doctor *d);  /* doctor_sudo.c: sudoers */
void doctor_login(struct doctor *d); /* doctor_host.c: this login, the clock, names */
void doctor_clock(struct doctor *d);
void doctor_names(struct doctor *d);

/* ---- configuration as text -------------------------------------------------------------------
 */

/* A file, line by line: lines that end in a backslash go on in the next one. */
struct source {
    FILE *file;
    const char *path;
    unsigned line; /* where the present one begins */
    unsigned next;
    char *text;
    size_t cap;
    char *more;
    size_t more_cap;
};

int source_open(const char *path, struct source *ret); /* 0 or -errno */
char *source_line(struct source *s);                   /* NULL at the end */
void source_close(struct source *s);

/* Takes the first word off *rest and ends it; "" at the end. */
char *take_word(char **rest);

/* ---- PAM's stacks ----------------------------------------------------------------------------
 */

enum pam_type { PAM_AUTH, PAM_ACCOUNT, PAM_PASSWORD, PAM_SESSION, PAM_TYPES };

struct pam_line {
    char file[PATH_CAP];
    unsigned line;
    unsigned level; /* of substacks */
    bool substack;  /* no module: the ones of a higher level that follow are in it */
    bool quiet;     /* -type */
    char control[256];
    char module[PATH_CAP];
    char arguments[PATH_CAP];
};

struct pam_stack {
    struct pam_line *items;
    size_t n;
};

struct pam_service {
    struct pam_stack stacks[PAM_TYPES];
    int error; /* of the first file that could not be read */
    char unread[PATH_CAP];
    void (*included)(void *ctx, const char *name);
    void *ctx;
};

/* Reads a service, with all that it includes. */
void pam_read(const char *service, struct pam_service *s);
void pam_free(struct pam_service *s);

bool pam_is_ours(const struct pam_line *l);

/* What this line's control makes of a return code: "ok", "bad", "die", "ignore", "done", "reset" or
 * a number of modules that are skipped. */
const char *pam_action(const struct pam_line *l, const char *code);

/* Does something that the line at `from` may return keep the one at `to`, after it, from being
 * asked, without that being a no? Then `how` is what, such as "success=done". */
bool pam_skips(const struct pam_stack *s, size_t from, size_t to, char how[static 64]);
