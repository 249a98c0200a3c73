#include "courier/files.h"
#include "courier/why.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <team/text.h>
#include <unistd.h>

const char *environment_get(char *const *environment, const char *name)
{
    size_t n = strlen(name);

    for (; environment && *environment; environment++)
        if (strncmp(*environment, name, n) == 0 && (*environment)[n] == '=')
            return (*environment)[n + 1] ? *environment + n + 1 : NULL;
    return NULL;
}

/* ---- reading -----------------------------------------------------------------------------------
 */

static int read_all(int fd, char *text, size_t cap, size_t *len)
{
    *len = 0;
    while (*len < cap) {
        ssize_t n = read(fd, text + *len, cap - *len);

        if (n < 0 && errno != EINTR)
            return -errno;
        if (n == 0)
            return 0;
        *len += n > 0 ? (size_t)n : 0;
    }
    return -EFBIG;
}

/* A whole file of less than `cap` bytes into fresh memory of that size. O_NONBLOCK: nobody makes us
 * wait with a FIFO. */
static int read_file(const char *path, size_t cap, char **ret, size_t *ret_len)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY), r;
    char *text;

    if (fd < 0)
        return -errno;
    text = malloc(cap);
    r = text ? read_all(fd, text, cap, ret_len) : -ENOMEM;
    close(fd);
    if (r < 0) {
        if (text)
            OPENSSL_cleanse(text, cap);
        free(text);
        return r;
    }
    *ret = text;
    return 0;
}

int files_read_token(const char *path, char **ret)
{
    char *text = NULL;
    size_t len = 0, n;
    int r = read_file(path, FILES_TOKEN_MAX, &text, &len);

    if (!text)
        return r == -EFBIG ? -EMSGSIZE : r;
    n = len;
    text[len] = '\0'; /* read_file() reads less than it has room for */
    n = strcspn(text, "\r\n");
    if (n == 0 || !text_is_plain(text, n)) {
        OPENSSL_cleanse(text, FILES_TOKEN_MAX);
        free(text);
        return -EINVAL;
    }
    text[n] = '\0';
    *ret = text;
    return 0;
}

static int parse_file(const char *path, struct ini *ret, char why[AWS_TEXT_CAP])
{
    char line[INI_WHY_CAP], *text = NULL;
    size_t len = 0;
    int r = read_file(path, INI_SIZE_MAX, &text, &len);

    if (r == -ENOENT || r == -ENOTDIR)
        return 0;
    if (!text) {
        why_set(why, "%s: %s", path, strerror(-r));
        return r == -ENOMEM ? r : -EINVAL;
    }
    r = ini_parse(text, len, ret, line);
    OPENSSL_cleanse(text, INI_SIZE_MAX);
    free(text);
    if (r == -EINVAL)
        why_set(why, "%s:%s", path, line);
    return r;
}

/* The variable, or FILE below the home's .aws. "" when there is neither a variable nor a home. */
static int file_path(char *const *environment, const char *variable, const char *file,
                     char out[FILES_PATH_CAP], char why[AWS_TEXT_CAP])
{
    const char *path = environment_get(environment, variable),
               *home = environment_get(environment, "HOME");
    const struct passwd *pw = home ? NULL : getpwuid(geteuid());
    int n;

    if (pw)
        home = pw->pw_dir;
    if (home && strcmp(home, "/") == 0)
        home = ""; /* so that it is named /.aws */
    if (path && strncmp(path, "~/", 2) == 0 && home)
        n = snprintf(out, FILES_PATH_CAP, "%s%s", home, path + 1);
    else if (path)
        n = snprintf(out, FILES_PATH_CAP, "%s", path);
    else
        n = snprintf(out, FILES_PATH_CAP, "%s%s%s", home ? home : "", home ? "/.aws/" : "",
                     home ? file : "");
    if (n >= FILES_PATH_CAP) {
        why_set(why, "%s: the path is too long", variable);
        return -EINVAL;
    }
    return 0;
}

static int read_both(char *const *environment, struct files *f, char why[AWS_TEXT_CAP])
{
    const char *profile = environment_get(environment, "AWS_PROFILE");
    int r;

    if (!profile)
        profile = environment_get(environment, "AWS_DEFAULT_PROFILE"); /* the CLI's */
    f->named = profile != NULL;
    if (snprintf(f->profile, sizeof f->profile, "%s", profile ? profile : "default") >=
        (int)sizeof f->profile) {
        why_set(why, "AWS_PROFILE is too long");
        return -EINVAL;
    }
    if ((r = file_path(environment, "AWS_CONFIG_FILE", "config", f->config_path, why)) < 0 ||
        (r = file_path(environment, "AWS_SHARED_CREDENTIALS_FILE", "credentials",
                       f->credentials_path, why)) < 0 ||
        (r = parse_file(f->config_path, &f->config, why)) < 0)
        return r;
    return parse_file(f->credentials_path, &f->credentials, why);
}

int files_read(char *const *environment, struct files *ret, char why[AWS_TEXT_CAP])
{
    int r;

    *ret = (struct files){0};
    why[0] = '\0';
    r = read_both(environment, ret, why);
    if (r == 0 && ret->named && !files_have(ret, ret->profile)) {
        why_set(why, "AWS_PROFILE names \"%s\", which is neither in %s nor in %s", ret->profile,
                ret->config_path, ret->credentials_path);
        r = -EINVAL;
    }
    if (r < 0)
        files_free(ret);
    return r;
}

void files_free(struct files *f)
{
    ini_free(&f->config);
    ini_free(&f->credentials);
}

/* ---- looking up --------------------------------------------------------------------------------
 */

/* In the configuration file profiles are called so; "default" may do without. */
static const struct ini_property *in_config(const struct files *f, const char *profile,
                                            const char *name)
{
    char section[FILES_PROFILE_CAP + sizeof "profile "];
    const struct ini_property *p;

    snprintf(section, sizeof section, "profile %s", profile);
    p = ini_find(&f->config, section, "", name);
    return p || strcmp(profile, "default") != 0 ? p : ini_find(&f->config, profile, "", name);
}

bool files_have(const struct files *f, const char *profile)
{
    return ini_find(&f->credentials, profile, "", "") || in_config(f, profile, "");
}

const char *files_get(const struct files *f, const char *profile, const char *name)
{
    const struct ini_property *p = ini_find(&f->credentials, profile, "", name);

    if (!p)
        p = in_config(f, profile, name);
    return p && p->value[0] ? p->value : NULL;
}

const char *files_get_service(const struct files *f, const char *profile, const char *service,
                              const char *name)
{
    const char *services = files_get(f, profile, "services");
    char section[FILES_PROFILE_CAP + sizeof "services "];
    const struct ini_property *p;

    if (!services)
        return NULL;
    snprintf(section, sizeof section, "services %s", services);
    p = ini_find(&f->config, section, service, name);
    return p && p->value[0] ? p->value : NULL;
}
