/* Where credentials are to come from, decided from environment and files as botocore does it: the
 * first source that is configured counts, and if it fails, that is an error and not a reason to try
 * the next. Order: AWS_ACCESS_KEY_ID; a profile's role_arn; web identity (environment, profile); a
 * profile's keys in the credentials file, its credential_process, its keys in the configuration
 * file; the container's; the instance's.
 *
 * Pure apart from the heap of what it reads. */
#pragma once

#include "courier/files.h"
#include "courier/keys.h"

enum plan_source {
    PLAN_KEYS = 1,
    PLAN_PROCESS,
    PLAN_WEB_IDENTITY,
    PLAN_CONTAINER,
    PLAN_INSTANCE,
};

enum {
    PLAN_ROLES_MAX = 5,
    PLAN_ARN_CAP = 2049,
    PLAN_TEXT_CAP = 1232, /* an external id is at most 1224 bytes */
    PLAN_SESSION_CAP = 65,
    PLAN_URL_CAP = 1024,
    PLAN_COMMAND_CAP = 4096,
};

struct plan_role {
    char arn[PLAN_ARN_CAP];
    char external_id[PLAN_TEXT_CAP];
    char session[PLAN_SESSION_CAP]; /* "" for one of ours */
    uint32_t duration_s;            /* 0: STS's default, an hour */
};

struct plan {
    enum plan_source source;
    char told[AWS_TEXT_CAP]; /* "AWS_ACCESS_KEY_ID", "profile \"x\"", ... */
    struct keys keys;        /* PLAN_KEYS */
    char command[PLAN_COMMAND_CAP];
    struct plan_role web;               /* PLAN_WEB_IDENTITY */
    char token_file[FILES_PATH_CAP];    /* of web identity, or of the container's Authorization */
    char authorization[KEYS_TOKEN_CAP]; /* of the container, unless it is in a file */
    char url[PLAN_URL_CAP];        /* of the container, or the base of the instance's service */
    uint32_t attempts, timeout_ms; /* of the instance's */
    struct plan_role
        roles[PLAN_ROLES_MAX]; /* to assume, one by the credentials of the one before */
    size_t n_roles;
};

/* The role `arn`, with an external id or "". 0, or -EINVAL and why. */
int plan_role_read(const char *arn, const char *external_id, struct plan_role *ret,
                   char why[AWS_TEXT_CAP]);

/* 0 and a new plan; -EINVAL and why: what is wrong, or that nothing is configured; -ENOMEM. `last`
 * is assumed after all others, unless it is NULL. */
int plan_new(char *const *environment, const struct files *files, const struct plan_role *last,
             struct plan **ret, char why[AWS_TEXT_CAP]);
struct plan *plan_free(struct plan *p);
