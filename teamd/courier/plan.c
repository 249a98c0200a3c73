#include "courier/plan.h"
#include "courier/secret.h"
#include "courier/why.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <team/text.h>

/* What a plan is made from, and where problems are told. */
struct maker {
    char *const *environment;
    const struct files *files;
    struct plan *plan;
    char *why;
    const char *profile; /* that is looked at */
    const char *seen[PLAN_ROLES_MAX + 1];
    size_t n_seen;
};

static const char *env(const struct maker *m, const char *name)
{
    return environment_get(m->environment, name);
}

static const char *get(const struct maker *m, const char *name)
{
    return files_get(m->files, m->profile, name);
}

/* Says it; the value is always -EINVAL. */
#define WRONG(m, ...) (why_set((m)->why, __VA_ARGS__), -EINVAL)

static int copy(const struct maker *m, const char *name, const char *value, char *out, size_t cap)
{
    if (!value)
        return 0;
    if ((size_t)snprintf(out, cap, "%s", value) >= cap)
        return WRONG(m, "%s is too long", name);
    return 0;
}

static bool is_true(const char *s)
{
    return s && strcasecmp(s, "true") == 0;
}

/* ---- sources -----------------------------------------------------------------------------------
 */

static int from_environment(struct maker *m)
{
    char why[AWS_TEXT_CAP];

    m->plan->source = PLAN_KEYS;
    why_set(m->plan->told, "the environment (AWS_ACCESS_KEY_ID)");
    if (keys_set(&m->plan->keys, env(m, "AWS_ACCESS_KEY_ID"), env(m, "AWS_SECRET_ACCESS_KEY"),
                 env(m, "AWS_SESSION_TOKEN"), env(m, "AWS_CREDENTIAL_EXPIRATION"), why))
        return 0;
    return WRONG(m, "AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY: %s", why);
}

static int from_section(struct maker *m, const struct ini *file, const char *path,
                        const char *section)
{
    const struct ini_property *id = ini_find(file, section, "", "aws_access_key_id"),
                              *secret = ini_find(file, section, "", "aws_secret_access_key"),
                              *token = ini_find(file, section, "", "aws_session_token");
    char why[AWS_TEXT_CAP];

    m->plan->source = PLAN_KEYS;
    why_set(m->plan->told, "profile \"%s\" in %s", m->profile, path);
    if (keys_set(&m->plan->keys, id ? id->value : NULL, secret ? secret->value : NULL,
                 token && token->value[0] ? token->value : NULL, NULL, why))
        return 0;
    return WRONG(m, "%s, profile \"%s\": %s", path, m->profile, why);
}

static bool has_key(const struct ini *file, const char *section)
{
    const struct ini_property *id = ini_find(file, section, "", "aws_access_key_id");

    return id && id->value[0];
}

static int from_process(struct maker *m, const char *command)
{
    m->plan->source = PLAN_PROCESS;
    why_set(m->plan->told, "credential_process of profile \"%s\"", m->profile);
    return copy(m, "credential_process", command, m->plan->command, sizeof m->plan->command);
}

static int role(const struct maker *m, const char *arn, const char *session, struct plan_role *ret)
{
    int r;

    if (strncmp(arn, "arn:", 4) != 0 || !strstr(arn, ":role/") || !text_is_plain(arn, strlen(arn)))
        return WRONG(m, "\"%.100s\" is not the ARN of a role", arn);
    r = copy(m, "the role's ARN", arn, ret->arn, sizeof ret->arn);
    return r < 0 ? r
                 : copy(m, "the role's session name", session, ret->session, sizeof ret->session);
}

static int from_web_identity(struct maker *m, const char *token_file, const char *arn,
                             const char *session)
{
    int r;

    m->plan->source = PLAN_WEB_IDENTITY;
    why_set(m->plan->told, "web identity (%s)", token_file);
    if (!arn)
        return WRONG(m, "a web identity token file is named, but no role; set AWS_ROLE_ARN");
    r = copy(m, "the token file", token_file, m->plan->token_file, sizeof m->plan->token_file);
    return r < 0 ? r : role(m, arn, session, &m->plan->web);
}

/* ECS and EKS. With http the address is looked at again when the connection is made. */
static int from_container(struct maker *m)
{
    const char *relative = env(m, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"),
               *full = env(m, "AWS_CONTAINER_CREDENTIALS_FULL_URI"),
               *token = env(m, "AWS_CONTAINER_AUTHORIZATION_TOKEN");
    struct plan *p = m->plan;
    int r;

    p->source = PLAN_CONTAINER;
    why_set(p->told, "the container (%s)", relative ? relative : full);
    if (relative && relative[0] != '/')
        return WRONG(m, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI has to begin with /");
    if (!relative && strncmp(full, "http://", 7) != 0 && strncmp(full, "https://", 8) != 0)
        return WRONG(m, "AWS_CONTAINER_CREDENTIALS_FULL_URI has to begin with http:// or https://");
    if (relative &&
        snprintf(p->url, sizeof p->url, "http://169.254.170.2%s", relative) >= (int)sizeof p->url)
        return WRONG(m, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI is too long");
    if (!relative &&
        (r = copy(m, "AWS_CONTAINER_CREDENTIALS_FULL_URI", full, p->url, sizeof p->url)) < 0)
        return r;
    if (token && strpbrk(token, "\r\n"))
        return WRONG(m, "AWS_CONTAINER_AUTHORIZATION_TOKEN has more than one line");
    r = copy(m, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
             env(m, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"), p->token_file, sizeof p->token_file);
    return r < 0 ? r
                 : copy(m, "AWS_CONTAINER_AUTHORIZATION_TOKEN", token, p->authorization,
                        sizeof p->authorization);
}

static int number(const struct maker *m, const char *name, uint32_t usual, uint32_t most,
                  uint32_t *ret)
{
    const char *s = env(m, name);
    uint64_t n = usual;

    if (s && (!text_parse_u64(s, strlen(s), &n) || n < 1 || n > most))
        return WRONG(m, "%s = \"%.40s\": 1 to %u are possible", name, s, most);
    *ret = (uint32_t)n;
    return 0;
}

static int from_instance(struct maker *m)
{
    const char *base = env(m, "AWS_EC2_METADATA_SERVICE_ENDPOINT"),
               *mode = env(m, "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE");
    uint32_t seconds;
    int r;

    m->plan->source = PLAN_INSTANCE;
    why_set(m->plan->told, "the instance's metadata service");
    if (!base)
        base = mode && strcasecmp(mode, "ipv6") == 0 ? "http://[fd00:ec2::254]"
                                                     : "http://169.254.169.254";
    if (strncmp(base, "http://", 7) != 0 && strncmp(base, "https://", 8) != 0)
        return WRONG(m, "AWS_EC2_METADATA_SERVICE_ENDPOINT has to begin with http:// or https://");
    if ((r = copy(m, "AWS_EC2_METADATA_SERVICE_ENDPOINT", base, m->plan->url, PLAN_URL_CAP - 128)) <
            0 ||
        (r = number(m, "AWS_METADATA_SERVICE_TIMEOUT", 2, 60, &seconds)) < 0 ||
        (r = number(m, "AWS_METADATA_SERVICE_NUM_ATTEMPTS", 3, 100, &m->plan->attempts)) < 0)
        return r;
    m->plan->timeout_ms = seconds * 1000;
    return 0;
}

/* ---- profiles ----------------------------------------------------------------------------------
 */

static int from_profile_role(struct maker *m, const char *arn);

/* The section of the profile with keys in the configuration file, or "". */
static void find_section(const struct maker *m, char out[FILES_PROFILE_CAP + sizeof "profile "])
{
    snprintf(out, FILES_PROFILE_CAP + sizeof "profile ", "profile %s", m->profile);
    if (!has_key(&m->files->config, out) && strcmp(m->profile, "default") == 0)
        memcpy(out, "default", sizeof "default");
    if (!has_key(&m->files->config, out))
        out[0] = '\0';
}

static bool has_keys(const struct maker *m)
{
    char section[FILES_PROFILE_CAP + sizeof "profile "];

    find_section(m, section);
    return section[0] || has_key(&m->files->credentials, m->profile);
}

/* A source that stands in the profile itself. 0: none does; 1: found. */
static int from_profile_keys(struct maker *m)
{
    const struct files *f = m->files;
    const char *command = get(m, "credential_process");
    char section[FILES_PROFILE_CAP + sizeof "profile "];
    int r = 0;

    find_section(m, section);
    if (has_key(&f->credentials, m->profile))
        r = from_section(m, &f->credentials, f->credentials_path, m->profile);
    else if (command)
        r = from_process(m, command);
    else if (section[0])
        r = from_section(m, &f->config, f->config_path, section);
    else
        return 0;
    return r < 0 ? r : 1;
}

static int refuse_sso(const struct maker *m)
{
    return WRONG(m,
                 "profile \"%s\" signs in with a browser (sso_...), which a daemon cannot; use an "
                 "instance profile, a role or keys",
                 m->profile);
}

/* The profile that vouches for a role: by keys, web identity, or a role in turn. Where keys stand
 * beside a role, here they count, as for botocore and other SDKs. */
static int from_source_profile(struct maker *m, const char *name)
{
    const char *arn, *token_file, *profile = m->profile;
    bool keys;
    int r;

    if (!files_have(m->files, name))
        return WRONG(m, "profile \"%s\" has source_profile = %s, which is in neither file", profile,
                     name);
    m->profile = name;
    keys = has_keys(m);
    for (size_t i = 0; i < m->n_seen; i++) /* a profile may be its own source */
        if (strcmp(m->seen[i], name) == 0 && (!keys || strcmp(profile, name) != 0))
            return WRONG(m, "profile \"%s\": source_profile goes round in a circle", name);
    arn = keys ? NULL : get(m, "role_arn");
    token_file = keys ? NULL : get(m, "web_identity_token_file");
    if (token_file)
        return from_web_identity(m, token_file, arn, get(m, "role_session_name"));
    if (arn)
        return from_profile_role(m, arn);
    r = from_profile_keys(m);
    if (r == 0 && (get(m, "sso_session") || get(m, "sso_start_url")))
        return refuse_sso(m);
    return r == 0 ? WRONG(m, "profile \"%s\" is a source_profile, but has no credentials", name)
                  : (r < 0 ? r : 0);
}

static int from_credential_source(struct maker *m, const char *source)
{
    if (strcasecmp(source, "Environment") == 0)
        return from_environment(m);
    if (strcasecmp(source, "Ec2InstanceMetadata") == 0)
        return from_instance(m);
    if (strcasecmp(source, "EcsContainer") != 0)
        return WRONG(m,
                     "profile \"%s\" has credential_source = %.40s; possible are Environment, "
                     "Ec2InstanceMetadata and EcsContainer",
                     m->profile, source);
    if (!env(m, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI") &&
        !env(m, "AWS_CONTAINER_CREDENTIALS_FULL_URI"))
        return WRONG(m,
                     "profile \"%s\" has credential_source = EcsContainer, but no container's "
                     "variables are set",
                     m->profile);
    return from_container(m);
}

static int role_details(struct maker *m, struct plan_role *r)
{
    const char *duration = get(m, "duration_seconds");
    uint64_t seconds = 0;

    if (get(m, "mfa_serial"))
        return WRONG(m, "profile \"%s\" has mfa_serial; a daemon cannot type codes", m->profile);
    if (duration &&
        (!text_parse_u64(duration, strlen(duration), &seconds) || seconds < 900 || seconds > 43200))
        return WRONG(m, "profile \"%s\" has duration_seconds = %.40s; 900 to 43200 are possible",
                     m->profile, duration);
    r->duration_s = (uint32_t)seconds;
    return copy(m, "external_id", get(m, "external_id"), r->external_id, sizeof r->external_id);
}

/* The source first, then the roles, so the first role that is found is the last to assume. */
static int from_profile_role(struct maker *m, const char *arn)
{
    const char *source_profile = get(m, "source_profile"),
               *credential_source = get(m, "credential_source"), *profile = m->profile;
    struct plan_role this = {.duration_s = 0};
    int r;

    if (m->n_seen == PLAN_ROLES_MAX)
        return WRONG(m, "profile \"%s\": more than %d roles in a row", profile, PLAN_ROLES_MAX);
    m->seen[m->n_seen++] = profile;
    if ((source_profile != NULL) == (credential_source != NULL))
        return WRONG(m,
                     "profile \"%s\" has role_arn; it needs source_profile or credential_source%s",
                     profile, source_profile ? ", and not both" : "");
    r = role(m, arn, get(m, "role_session_name"), &this);
    if (r == 0)
        r = role_details(m, &this);
    if (r == 0)
        r = source_profile ? from_source_profile(m, source_profile)
                           : from_credential_source(m, credential_source);
    if (r < 0)
        return r;
    m->profile = profile;
    m->plan->roles[m->plan->n_roles++] = this;
    return 0;
}

/* ---- the order ---------------------------------------------------------------------------------
 */

static int choose(struct maker *m)
{
    const char *arn = get(m, "role_arn"), *token_file = get(m, "web_identity_token_file");
    int r;

    if (env(m, "AWS_ACCESS_KEY_ID"))
        return from_environment(m);
    if (arn && !token_file)
        return from_profile_role(m, arn);
    if (env(m, "AWS_WEB_IDENTITY_TOKEN_FILE"))
        return from_web_identity(m, env(m, "AWS_WEB_IDENTITY_TOKEN_FILE"), env(m, "AWS_ROLE_ARN"),
                                 env(m, "AWS_ROLE_SESSION_NAME"));
    if (token_file)
        return from_web_identity(m, token_file, arn, get(m, "role_session_name"));
    if (get(m, "sso_session") || get(m, "sso_start_url"))
        return refuse_sso(m);
    r = from_profile_keys(m);
    if (r != 0)
        return r < 0 ? r : 0;
    if (env(m, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI") ||
        env(m, "AWS_CONTAINER_CREDENTIALS_FULL_URI"))
        return from_container(m);
    if (!is_true(env(m, "AWS_EC2_METADATA_DISABLED")))
        return from_instance(m);
    return WRONG(m,
                 "none in the environment, none for profile \"%s\" in %s and %s, "
                 "no container, and AWS_EC2_METADATA_DISABLED is set",
                 m->profile, m->files->credentials_path, m->files->config_path);
}

int plan_role_read(const char *arn, const char *external_id, struct plan_role *ret,
                   char why[AWS_TEXT_CAP])
{
    struct maker m = {.why = why};
    int r;

    *ret = (struct plan_role){.duration_s = 0};
    r = role(&m, arn, "", ret);
    return r < 0 ? r
                 : copy(&m, "the role's external id", external_id, ret->external_id,
                        sizeof ret->external_id);
}

static int add_last(struct maker *m, const struct plan_role *last)
{
    if (!last)
        return 0;
    if (m->plan->n_roles == PLAN_ROLES_MAX)
        return WRONG(m, "more than %d roles in a row, with %s", PLAN_ROLES_MAX, last->arn);
    m->plan->roles[m->plan->n_roles++] = *last;
    return 0;
}

int plan_new(char *const *environment, const struct files *files, const struct plan_role *last,
             struct plan **ret, char why[AWS_TEXT_CAP])
{
    struct maker m = {.environment = environment, .files = files, .why = why};
    char role_told[AWS_TEXT_CAP];
    int r;

    m.plan = calloc(1, sizeof *m.plan);
    if (!m.plan)
        return -ENOMEM;
    m.profile = files->profile;
    why[0] = '\0';
    r = choose(&m);
    if (r == 0)
        r = add_last(&m, last);
    if (r < 0) {
        plan_free(m.plan);
        return r;
    }
    if (m.plan->n_roles > 0) {
        why_set(role_told, "role %s by %s", m.plan->roles[m.plan->n_roles - 1].arn, m.plan->told);
        memcpy(m.plan->told, role_told, sizeof role_told);
    }
    *ret = m.plan;
    return 0;
}

struct plan *plan_free(struct plan *p)
{
    secret_free(p, sizeof *p);
    return NULL;
}
