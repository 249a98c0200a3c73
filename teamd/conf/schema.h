/* The one list of what team.conf may say. Reading, defaults, error texts and the list of keys in
 * team.conf(5) come from it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct config_setting_t;
struct reader;
struct key;

enum shape {
    SHAPE_BOOL,
    SHAPE_NUMBER,
    SHAPE_STRING,
    SHAPE_STRINGS, /* an array or list of strings */
    SHAPE_GROUP,   /* { key = value; ... } */
    SHAPE_GROUPS,  /* a list of groups */
};

/* What a value is, and what reads it: *to is at `key.at` of the thing that is being read. */
struct type {
    enum shape shape;
    const char *word; /* what stands for the value in the manual */
    void (*read)(struct reader *r, const struct key *k, struct config_setting_t *s, void *to);
};

struct key {
    const char *path; /* "settings.admins", "eligibility[].name" */
    const struct type *type;
    int64_t min, max; /* seconds of a duration, a number, bytes of a text, members of a list */
    const char *def;  /* as the file would say it; "" means absent, NULL that it must be given */
    size_t at;
    const char *doc;
};

extern const struct key SCHEMA[];
extern const size_t SCHEMA_LEN;

/* Prepares `defaults`. Returns 0 or -ENOMEM. */
int schema_begin(struct reader *r);

/* Reads all that `path` ("", "settings", "eligibility[]") may hold from the group `s` into `to`,
 * and complains of what it may not. */
void schema_read(struct reader *r, const char *path, struct config_setting_t *s, void *to);

/* Has the value the shape that is wanted? Complains if not. */
bool schema_shape_fits(struct reader *r, enum shape shape, const struct config_setting_t *s);

/* ---- types ---------------------------------------------------------------------------------- */

extern const struct type TYPE_BOOL, TYPE_DURATION, TYPE_MOMENTS, TYPE_COUNT, TYPE_TEXT, TYPE_NAME,
    TYPE_HOST, TYPE_CGROUP, TYPE_LOGINUID, TYPE_TICKETS, TYPE_AWS_USER, TYPE_USER, TYPE_ARN,
    TYPE_REGION, TYPE_EXTERNAL_ID, TYPE_URL;
extern const struct type TYPE_WHO, TYPE_ADMINS, TYPE_TARGETS, TYPE_CLASSES, TYPE_CLASS_MAP;
extern const struct type TYPE_GROUP, TYPE_ELIGIBILITY, TYPE_APPROVERS, TYPE_EXEMPT, TYPE_AWS,
    TYPE_AWS_USERS, TYPE_ACTIVITY;
extern const struct type TYPE_SOURCE, TYPE_ANY_ROLE, TYPE_LOG_GROUP, TYPE_STORE, TYPE_REGIONS;
