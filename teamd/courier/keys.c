#include "courier/keys.h"
#include "courier/answer.h"
#include "courier/secret.h"
#include "courier/why.h"

#include <stdio.h>

static bool take(const char *s, char *out, size_t cap)
{
    size_t n = strlen(s);

    if (n >= cap)
        return false;
    for (size_t i = 0; i < n; i++)
        if (s[i] <= ' ' || s[i] > '~')
            return false;
    memcpy(out, s, n + 1);
    return true;
}

static bool set(struct keys *k, const char *id, const char *secret, const char *token,
                const char *expires, char why[AWS_TEXT_CAP])
{
    if (!id || !secret || !id[0] || !secret[0])
        why_set(why, "%s is missing", id && id[0] ? "the secret access key" : "the access key id");
    else if (!take(id, k->id, sizeof k->id) || strpbrk(id, "/,="))
        why_set(why, "the access key id cannot be one");
    else if (!take(secret, k->secret, sizeof k->secret))
        why_set(why, "the secret access key cannot be one");
    else if (token && !take(token, k->token, sizeof k->token))
        why_set(why, "the session token cannot be one, or is longer than %d bytes",
                KEYS_TOKEN_CAP - 1);
    else if (expires && !answer_iso_date(expires, &k->expires))
        why_set(why, "the expiration \"%.40s\" is no time", expires);
    else
        return true;
    return false;
}

bool keys_set(struct keys *k, const char *id, const char *secret, const char *token,
              const char *expires, char why[AWS_TEXT_CAP])
{
    *k = (struct keys){.expires = {NEVER_US}};
    if (set(k, id, secret, token, expires, why))
        return true;
    keys_wipe(k);
    return false;
}

void keys_wipe(struct keys *k)
{
    secret_wipe(k, sizeof *k);
}

static const char *string(const json_t *o, const char *name)
{
    return json_string_value(json_object_get(o, name));
}

bool keys_from_json(const json_t *o, const char *token_name, struct keys *ret,
                    char why[AWS_TEXT_CAP])
{
    return keys_set(ret, string(o, "AccessKeyId"), string(o, "SecretAccessKey"),
                    string(o, token_name), string(o, "Expiration"), why);
}
