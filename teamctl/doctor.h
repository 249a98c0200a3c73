/* doctor: does everything around teamd fit together? It looks with the eyes of whoever runs it,
 * says what it could not look at, changes nothing, and asks nobody but teamd and systemd. */
#pragma once

#include "pam_stack.h"
#include "teamctl.h"

#include <stdio.h>

enum grade {
    GRADE_OK,
    GRADE_UNKNOWN, /* could not be looked at */
    GRADE_WARN,
    GRADE_BAD,
    GRADES,
};

enum { FIX_CAP = 480, MODULES_MAX = 8 };

struct doctor {
    struct call *c;
    bool root;       /* sees everything */
    bool systemd;    /* runs this host */
    bool no_network; /* teamd has none */
    unsigned found[GRADES];
    struct render render;
    /* Set: every finding goes there, and nothing is shown. */
    void (*hear)(void *ctx, enum grade grade, const char *what, const char *fix);
    void *ctx;
    /* what teamd says of itself; empty if it does not */
    char version[32], config[PATH_CAP], state_dir[PATH_CAP], store[32], warnings[24], uid[24],
        stuck[24];
    /* of AWS; `courier` is empty if it is not used */
    struct {
        char courier[24], identity[256], delegated[8], age_s[24], refresh_s[24], portal[481];
        char refresh_trouble[FIX_CAP + 1], reconcile_trouble[FIX_CAP + 1];
        char waiting[24], oldest[FIX_CAP + 1], unknown[FIX_CAP + 1], sessions[FIX_CAP + 1],
            drift[24];
    } aws;
    /* files that PAM's configuration names as our module */
    char modules[MODULES_MAX][PATH_CAP];
    size_t n_modules;
};

/* One finding. `check` is a word; `fix` may be NULL. */
void found(struct doctor *d, enum grade grade, const char *check, const char *fix,
           const char *format, ...) __attribute__((format(printf, 5, 6)));

void doctor_teamd(struct doctor *d); /* doctor_teamd.c: is it there, and well? */
void doctor_aws(struct doctor *d);   /* doctor_aws.c: what teamd says of AWS, if it is used */
void doctor_units(struct doctor *d); /* systemd's units */
void doctor_sockets(struct doctor *d);
void doctor_files(struct doctor *d); /* doctor_files.c: owners, modes, versions */
/* Where libpam finds a module that is named without a path, or with one. */
bool doctor_finds_module(const char *name, char out[static PATH_CAP]);
void doctor_pam(struct doctor *d); /* doctor_pam.c: /etc/pam.d */
/* One service of it, if it names pam_team.so. */
void doctor_service(struct doctor *d, const char *name, const struct pam_service *s);
void doctor_sudo(struct doctor *d);  /* doctor_sudo.c: sudoers */
void doctor_login(struct doctor *d); /* doctor_host.c: this login, /proc, the clock, names */
void doctor_proc(struct doctor *d);
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
