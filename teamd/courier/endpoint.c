#include "courier/endpoint.h"
#include "courier/why.h"

#include <team/text.h>

/* ---- tables ------------------------------------------------------------------------------------
 */

static const struct service_wire WIRES[AWS_SERVICES] = {
    [AWS_SSO_ADMIN] = {"sso-admin", "SSO_ADMIN", "sso", "sso", "SWBExternalService", NULL},
    [AWS_IDENTITYSTORE] = {"identitystore", "IDENTITYSTORE", "identitystore", "identitystore",
                           "AWSIdentityStore", NULL},
    [AWS_ORGANIZATIONS] = {"organizations", "ORGANIZATIONS", "organizations", "organizations",
                           "AWSOrganizationsV20161128", NULL},
    [AWS_STS] = {"sts", "STS", "sts", "sts", NULL, "2011-06-15"},
    [AWS_CLOUDTRAIL] = {"cloudtrail", "CLOUDTRAIL", "cloudtrail", "cloudtrail",
                        "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101", NULL},
    [AWS_LOGS] = {"logs", "CLOUDWATCH_LOGS", "logs", "logs", "Logs_20140328", NULL},
};

/* `organizations`: the region that all of a partition shares, or NULL: each has its own. */
static const struct partition {
    const char *name, *prefix, *suffix, *dual_suffix, *organizations;
} PARTITIONS[] = {
    {"aws-cn", "cn-", "amazonaws.com.cn", "api.amazonwebservices.com.cn", "cn-northwest-1"},
    {"aws-us-gov", "us-gov-", "amazonaws.com", "api.aws", "us-gov-west-1"},
    {"aws-iso", "us-iso-", "c2s.ic.gov", "api.aws.ic.gov", "us-iso-east-1"},
    {"aws-iso-b", "us-isob-", "sc2s.sgov.gov", "api.aws.scloud", "us-isob-east-1"},
    {"aws-iso-e", "eu-isoe-", "cloud.adc-e.uk", "api.cloud-aws.adc-e.uk", NULL},
    {"aws-iso-f", "us-isof-", "csp.hci.ic.gov", "api.aws.hci.ic.gov", "us-isof-south-1"},
    {"aws-eusc", "eusc-", "amazonaws.eu", "api.amazonwebservices.eu", NULL},
    {"aws", "", "amazonaws.com", "api.aws", "us-east-1"},
};

static const struct partition *partition_of(const char *region)
{
    const struct partition *p = PARTITIONS;

    while (strncmp(region, p->prefix, strlen(p->prefix)) != 0)
        p++;
    return p;
}

const char *endpoint_partition(const char *region)
{
    return partition_of(region)->name;
}

const struct service_wire *service_wire(enum aws_service service)
{
    return (int)service >= 1 && (int)service < AWS_SERVICES ? &WIRES[service] : NULL;
}

const char *aws_service_name(enum aws_service service)
{
    const struct service_wire *wire = service_wire(service);

    return wire ? wire->name : "?";
}

/* Words of small letters and a number, joined by '-'. */
bool endpoint_is_region(const char *s)
{
    size_t n = strlen(s), dashes = 0;

    if (n >= AWS_REGION_CAP || n < 5 || s[0] < 'a' || s[0] > 'z' || s[n - 1] < '0' ||
        s[n - 1] > '9')
        return false;
    for (size_t i = 0; i < n; i++) {
        bool letter = s[i] >= 'a' && s[i] <= 'z', digit = s[i] >= '0' && s[i] <= '9';

        if (!letter && !digit && (s[i] != '-' || s[i - 1] == '-'))
            return false;
        dashes += s[i] == '-';
    }
    return dashes >= 2;
}

/* ---- an endpoint of one's own ------------------------------------------------------------------
 */

#define DIGITS  "0123456789"
#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

/* A name, an IPv4 address, or an IPv6 one in brackets; then perhaps a port. `s` goes on with '/' or
 * the end. */
static bool host_is_sound(const char *s, size_t n)
{
    size_t len;
    uint64_t port;

    if (s[0] == '[') {
        size_t inside = strspn(s + 1, DIGITS "abcdefABCDEF:.");

        if (inside == 0 || s[1 + inside] != ']')
            return false;
        len = inside + 2;
    } else {
        len = strspn(s, DIGITS LETTERS "-.");
        if (len == 0 || s[0] == '-' || s[0] == '.')
            return false;
    }
    return len == n || (s[len] == ':' && text_parse_u64(s + len + 1, n - len - 1, &port) &&
                        port > 0 && port < 65536);
}

static bool path_is_sound(const char *s)
{
    return s[strspn(s, DIGITS LETTERS "/-._~%:@!$&'()*+,;=")] == '\0';
}

/* "https://h:443" is signed as "h": what curl puts into Host. */
static void put_host(struct text *t, const char *s, size_t n, bool tls)
{
    const char *usual = tls ? ":443" : ":80";
    size_t len = strlen(usual);

    if (n > len && memcmp(s + n - len, usual, len) == 0)
        n -= len;
    text_put_n(t, s, n);
}

static bool own_url(const char *url, struct endpoint *ret)
{
    struct text host = text_over(ret->host, sizeof ret->host),
                path = text_over(ret->path, sizeof ret->path);
    size_t n;

    ret->tls = strncmp(url, "https://", 8) == 0;
    if (!ret->tls && strncmp(url, "http://", 7) != 0)
        return false;
    url += ret->tls ? 8 : 7;
    n = strcspn(url, "/");
    if (!host_is_sound(url, n) || !path_is_sound(url + n))
        return false;
    put_host(&host, url, n, ret->tls);
    text_put(&path, url[n] ? url + n : "/");
    return !host.cut && !path.cut;
}

/* ---- AWS's own ---------------------------------------------------------------------------------
 */

static void aws_host(enum aws_service service, const struct endpoint_wish *wish,
                     const struct partition *p, struct endpoint *ret)
{
    struct text t = text_over(ret->host, sizeof ret->host);
    bool gov = strcmp(p->name, "aws-us-gov") == 0, aws = strcmp(p->name, "aws") == 0,
         shared = service == AWS_ORGANIZATIONS && p->organizations && !wish->dual_stack &&
                  (!wish->fips || aws || gov);

    text_put(&t, WIRES[service].host);
    if (wish->fips && (!gov || wish->dual_stack)) /* GovCloud's usual hosts are FIPS ones */
        text_put(&t, "-fips");
    text_put(&t, ".");
    text_put(&t, shared ? p->organizations : wish->region);
    text_put(&t, ".");
    text_put(&t, wish->dual_stack ? p->dual_suffix : p->suffix);
}

static void sign_for(enum aws_service service, const struct endpoint_wish *wish,
                     const struct partition *p, struct endpoint *ret)
{
    struct text t = text_over(ret->region, sizeof ret->region);

    ret->signing = WIRES[service].signing;
    text_put(&t,
             service == AWS_ORGANIZATIONS && p->organizations ? p->organizations : wish->region);
}

static bool wrong(char why[AWS_TEXT_CAP], const char *what, const char *form)
{
    why_set(why, "\"%.200s\" is not %s", what, form);
    return false;
}

bool endpoint_find(enum aws_service service, const struct endpoint_wish *wish, struct endpoint *ret,
                   char why[AWS_TEXT_CAP])
{
    const struct partition *p;

    if (!endpoint_is_region(wish->region))
        return wrong(why, wish->region, "a region; one is called like eu-west-1");
    p = partition_of(wish->region);
    sign_for(service, wish, p, ret);
    if (wish->url)
        return own_url(wish->url, ret) ||
               wrong(why, wish->url,
                     "an endpoint; one is https://HOST[:PORT][/PATH] or http://...");
    ret->tls = true;
    memcpy(ret->path, "/", 2);
    aws_host(service, wish, p, ret);
    return true;
}
