/* The inside of directory.h; private to courier/. A file per subject: the order of the parts
 * (directory.c), the organisation's tree (directory_accounts.c), permission sets
 * (directory_sets.c), people (directory_people.c). */
#pragma once

#include "courier/directory.h"
#include "courier/pages.h"

#include <jansson.h>

struct directory_sync;

/* A list that AWS is asked for. If it cannot be had, the part has failed. */
struct sync_ask {
    enum aws_service service;
    const char *operation, *member; /* of the answer: the list */
    json_t *body;                   /* taken over */
    void (*row)(struct directory_sync *s, json_t *row);
    void (*then)(struct directory_sync *s); /* there are no more rows */
    /* A refusal whose code begins so is no failure: there are no rows, and s->refused. */
    const char *forgiven;
};

struct directory_sync {
    struct aws_client *aws;
    struct aws_place place;
    struct directory_calls calls;
    unsigned parts; /* still to do; the lowest is the one that is being done */
    uint32_t left_out;
    bool held, dropped;        /* the caller is given something; it freed us meanwhile */
    bool starts, start_failed; /* we are inside directory_sync() */
    struct sync_ask ask;       /* the list that is being read, and whether that was refused */
    bool refused;
    struct pages *pages;
    struct aws_call *call;
    /* What a part has to remember until it is complete: */
    json_t *list;   /* ids that are asked about one after the other: units, sets, groups */
    size_t at;      /* the one that is asked about */
    json_t *seen;   /* id -> true: units; sets of the management account */
    json_t *strays; /* id -> row: accounts without a path */
    bool forgot;    /* something did not fit into memory */
    bool rooted;    /* the roots are listed */
    bool torn;      /* an account is below a unit that was not seen */
    enum directory_managed managed; /* of sets that are not in `seen` */
};

/* ---- directory.c ---------------------------------------------------------------------------- */

/* Gives the caller one row, unless it is not interested any more. */
void sync_row(struct directory_sync *s, const struct directory_row *row);

/* Keeps an id in `list`, or in `seen`. */
void sync_list(struct directory_sync *s, const char *id);
void sync_seen(struct directory_sync *s, const char *id);

/* Asks for a list, or for one thing. What cannot even be sent fails the part. */
void sync_pages(struct directory_sync *s, const struct sync_ask *ask);
void sync_call(struct directory_sync *s, enum aws_service service, const char *operation,
               json_t *body, aws_done done);

/* The part is complete (NULL), or failed; the next one begins. s may be gone afterwards. */
void sync_part_ends(struct directory_sync *s, const struct aws_failure *failure);
void sync_part_fails(struct directory_sync *s, enum aws_service service, const char *operation,
                     const char *why);

/* ---- the parts begin ------------------------------------------------------------------------ */

void accounts_begin(struct directory_sync *s);
void sets_begin(struct directory_sync *s);
void users_begin(struct directory_sync *s);
void groups_begin(struct directory_sync *s);

/* PT1H, PT45M, P1DT12H: seconds; 3600 for what is none. */
int64_t sets_session(const char *text);
