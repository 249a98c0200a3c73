#include "courier/settings.h"
#include "courier/why.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <team/text.h>
#include <unistd.h>

/* Where values come from, and where it is told what is wrong with one. */
struct source {
    char *const *environment;
    const struct files *files;
    char *why;
};

struct found {
    const char *value; /* NULL: nowhere */
    const char *name;  /* of what it was found under */
};

static struct found find(const struct source *s, const char *variable, const char *name)
{
    const char *value = environment_get(s->environment, variable);

    if (value)
        return (struct found){value, variable};
    return (struct found){files_get(s->files, s->files->profile, name), name};
}

static int wrong(const struct source *s, const struct found *f, const char *what)
{
    why_set(s->why, "%s = \"%.200s\": %s", f->name, f->value, what);
    return -EINVAL;
}

static int take(const struct source *s, struct found f, char *out, size_t cap)
{
    if (!f.value)
        return 0;
    if ((size_t)snprintf(out, cap, "%s", f.value) < cap)
        return 0;
    return wrong(s, &f, "too long");
}

static int take_switch(const struct source *s, struct found f, bool *ret)
{
    if (!f.value)
        return 0;
    *ret = strcasecmp(f.value, "true") == 0;
    if (*ret || strcasecmp(f.value, "false") == 0)
        return 0;
    return wrong(s, &f, "true or false are possible");
}

static int take_attempts(const struct source *s, struct found f, uint32_t *ret)
{
    uint64_t n = SETTINGS_ATTEMPTS;

    if (f.value &&
        (!text_parse_u64(f.value, strlen(f.value), &n) || n < 1 || n > SETTINGS_ATTEMPTS_MAX))
        return wrong(s, &f, "1 to 100 are possible");
    *ret = (uint32_t)n;
    return 0;
}

/* ---- regions -----------------------------------------------------------------------------------
 */

static int take_region(const struct source *s, struct found f, char out[AWS_REGION_CAP])
{
    if (!endpoint_is_region(f.value))
        return wrong(s, &f, "not a region; one is called like eu-west-1");
    snprintf(out, AWS_REGION_CAP, "%s", f.value);
    return 0;
}

static int regions(const struct source *s, const struct aws_setup *setup, struct settings *ret)
{
    struct found region = {setup->region, "aws.region"},
                 center = {setup->identity_center_region, "aws.identity_center_region"};
    int r;

    if (!region.value || !region.value[0])
        region = find(s, "AWS_REGION", "region");
    if (strcmp(region.name, "region") == 0 &&
        environment_get(s->environment, "AWS_DEFAULT_REGION")) /* the CLI's */
        region = find(s, "AWS_DEFAULT_REGION", "region");
    if (!region.value) {
        why_set(s->why, "no region; set aws.region, or AWS_REGION");
        return -EINVAL;
    }
    r = take_region(s, region, ret->region);
    if (r < 0)
        return r;
    if (!center.value || !center.value[0])
        center = region;
    return take_region(s, center, ret->identity_center_region);
}

/* ---- endpoints ---------------------------------------------------------------------------------
 */

static struct found find_url(const struct source *s, const struct service_wire *wire)
{
    const struct files *f = s->files;
    char variable[64], lower[32];
    struct text name = text_over(lower, sizeof lower);
    const char *value;

    for (const char *c = wire->variable; *c; c++) {
        char l = *c == '_' ? '_' : (char)(*c | 32);

        text_put_n(&name, &l, 1);
    }
    snprintf(variable, sizeof variable, "AWS_ENDPOINT_URL_%s", wire->variable);
    value = environment_get(s->environment, variable);
    if (value)
        return (struct found){value, "AWS_ENDPOINT_URL_..."};
    value = environment_get(s->environment, "AWS_ENDPOINT_URL");
    if (value)
        return (struct found){value, "AWS_ENDPOINT_URL"};
    value = files_get_service(f, f->profile, lower, "endpoint_url");
    if (!value)
        value = files_get(f, f->profile, "endpoint_url");
    return (struct found){value, "endpoint_url"};
}

static int endpoints(const struct source *s, struct settings *ret)
{
    bool ignored = false;
    int r = take_switch(
        s, find(s, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "ignore_configured_endpoint_urls"),
        &ignored);

    for (int i = 1; r == 0 && !ignored && i < AWS_SERVICES; i++) {
        struct found f = find_url(s, service_wire((enum aws_service)i));
        struct endpoint e;
        char why[AWS_TEXT_CAP];

        r = take(s, f, ret->url[i], sizeof ret->url[i]);
        if (r == 0 && !settings_endpoint(ret, (enum aws_service)i, NULL, &e, why)) {
            why_set(s->why, "%s: %s", f.name, why);
            r = -EINVAL;
        }
    }
    return r;
}

bool settings_endpoint(const struct settings *s, enum aws_service service, const char *region,
                       struct endpoint *ret, char why[AWS_TEXT_CAP])
{
    bool center = service == AWS_SSO_ADMIN || service == AWS_IDENTITYSTORE;
    struct endpoint_wish wish = {
        .region = region   ? region
                  : center ? s->identity_center_region
                           : s->region,
        .fips = s->fips,
        .dual_stack = s->dual_stack,
        .url = s->url[service][0] ? s->url[service] : NULL,
    };

    return endpoint_find(service, &wish, ret, why);
}

/* ---- the rest ----------------------------------------------------------------------------------
 */

static int network(const struct source *s, struct settings *ret)
{
    struct found ca = find(s, "AWS_CA_BUNDLE", "ca_bundle");
    static const char *const PROXY[] = {"https_proxy", "HTTPS_PROXY"}, *const NO_PROXY[] = {
                                                                           "no_proxy", "NO_PROXY"};
    int r = take(s, ca, ret->ca_bundle, sizeof ret->ca_bundle);

    if (r == 0 && ca.value && access(ca.value, R_OK) < 0)
        r = wrong(s, &ca, strerror(errno));
    for (size_t i = 0; r == 0 && i < 2; i++) { /* small letters last: they go before */
        const char *proxy = environment_get(s->environment, PROXY[1 - i]),
                   *no_proxy = environment_get(s->environment, NO_PROXY[1 - i]);

        r = take(s, (struct found){proxy, "HTTPS_PROXY"}, ret->proxy, sizeof ret->proxy);
        if (r == 0)
            r = take(s, (struct found){no_proxy, "NO_PROXY"}, ret->no_proxy, sizeof ret->no_proxy);
    }
    return r;
}

int settings_read(const struct aws_setup *setup, const struct files *files, struct settings *ret,
                  char why[AWS_TEXT_CAP])
{
    struct source s = {setup->environment, files, why};
    int r;

    *ret = (struct settings){0};
    why[0] = '\0';
    if ((r = regions(&s, setup, ret)) < 0 ||
        (r = take_switch(&s, find(&s, "AWS_USE_FIPS_ENDPOINT", "use_fips_endpoint"), &ret->fips)) <
            0 ||
        (r = take_switch(&s, find(&s, "AWS_USE_DUALSTACK_ENDPOINT", "use_dualstack_endpoint"),
                         &ret->dual_stack)) < 0 ||
        (r = take_attempts(&s, find(&s, "AWS_MAX_ATTEMPTS", "max_attempts"), &ret->attempts)) < 0 ||
        (r = network(&s, ret)) < 0)
        return r;
    return endpoints(&s, ret);
}
