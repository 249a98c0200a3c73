/* A set of credentials, and the JSON forms that they come in. Wiped by whoever holds one. */
#pragma once

#include "courier/aws.h"

enum { KEYS_ID_CAP = 132, KEYS_SECRET_CAP = 252, KEYS_TOKEN_CAP = 12 * 1024 };

struct keys {
    char id[KEYS_ID_CAP]; /* AKIA..., ASIA... */
    char secret[KEYS_SECRET_CAP];
    char token[KEYS_TOKEN_CAP]; /* "" for permanent ones */
    struct wall expires;        /* NEVER_US: they do not */
};

/* Copies what fits into a header; false and why if one is missing, too long, or no printable ASCII.
 * `token` and `expires` may be NULL. */
bool keys_set(struct keys *k, const char *id, const char *secret, const char *token,
              const char *expires, char why[AWS_TEXT_CAP]);

void keys_wipe(struct keys *k);

/* {"AccessKeyId", "SecretAccessKey", `token_name`, "Expiration"}, as STS ("SessionToken"),
 * credential_process (the same), containers and instances ("Token") give them. */
bool keys_from_json(const json_t *o, const char *token_name, struct keys *ret,
                    char why[AWS_TEXT_CAP]);
