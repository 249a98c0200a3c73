/* The environment and the two shared files, as the SDKs read them: AWS_CONFIG_FILE (~/.aws/config),
 * AWS_SHARED_CREDENTIALS_FILE (~/.aws/credentials), AWS_PROFILE. A file that is not there is an
 * empty one. Values of the credentials file go before those of the configuration file. */
#pragma once

#include "courier/aws.h"
#include "courier/ini.h"

enum { FILES_PATH_CAP = 4096, FILES_PROFILE_CAP = 256, FILES_TOKEN_MAX = 32 * 1024 };

struct files {
    struct ini config, credentials;
    char config_path[FILES_PATH_CAP], credentials_path[FILES_PATH_CAP];
    char profile[FILES_PROFILE_CAP];
    bool named; /* by AWS_PROFILE: it has to be there */
};

/* NULL when it is not set, or empty. */
const char *environment_get(char *const *environment, const char *name);

/* 0, or -EINVAL and in `why` the file, the line and what is wrong; -ENOMEM. */
int files_read(char *const *environment, struct files *ret, char why[AWS_TEXT_CAP]);
void files_free(struct files *f);

/* Whether a profile of that name is in one of the files. */
bool files_have(const struct files *f, const char *profile);

/* NULL when neither file says so, or it is empty. */
const char *files_get(const struct files *f, const char *profile, const char *name);

/* From [services NAME], which a profile names with `services`. */
const char *files_get_service(const struct files *f, const char *profile, const char *service,
                              const char *name);

/* The first line of a small file without its end, NUL-terminated: a token, to be wiped and freed.
 * -EMSGSIZE: larger than FILES_TOKEN_MAX; -EINVAL: empty, or not text. */
int files_read_token(const char *path, char **ret);
