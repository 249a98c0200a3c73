/* Single values: durations, texts and words. */
#include "conf/cleanup.h"
#include "conf/reader.h"
#include "conf/schema.h"

#include <stdlib.h>
#include <team/text.h>

static void read_bool(struct reader *r, const struct key *k, config_setting_t *s, void *to)
{
    (void)r;
    (void)k;
    *(bool *)to = config_setting_get_bool(s);
}

static void read_count(struct reader *r, const struct key *k, config_setting_t *s, void *to)
{
    int64_t n = config_setting_get_int(s);

    if (n < k->min || n > k->max)
        complain(r, s, "must be %lld to %lld", (long long)k->min, (long long)k->max);
    else
        *(uint32_t *)to = (uint32_t)n;
}

/* ---- durations ------------------------------------------------------------------------------ */

/* Is it written as a duration is, if maybe too short or too long? */
static bool is_duration(const char *s)
{
    const char *units = "dhms";

    do {
        size_t n = strspn(s, "0123456789");
        const char *unit = n > 0 && s[n] != '\0' ? strchr(units, s[n]) : NULL;

        if (!unit || (n > 1 && s[0] == '0'))
            return false;
        units = unit + 1;
        s += n + 1;
    } while (*s != '\0');
    return true;
}

static bool duration(struct reader *r, const struct key *k, const config_setting_t *s, int64_t *ret)
{
    const char *value = config_setting_get_string(s);
    char min[32], max[32];
    struct text least = text_over(min, sizeof min), most = text_over(max, sizeof max);
    uint64_t n = 0;
    bool none = k->min == 0 && strcmp(value, "0s") == 0;
    bool read = none || text_parse_duration(value, strlen(value), &n);

    if (!read && !is_duration(value)) {
        complain(r, s, "a duration is written 45s, 30m, 2h, 1h30m or 2d");
        return false;
    }
    if (!read || n < (uint64_t)k->min || n > (uint64_t)k->max) {
        text_put_duration(&least, (uint64_t)k->min);
        text_put_duration(&most, (uint64_t)k->max);
        complain(r, s, "must be %s to %s", min, max);
        return false;
    }
    *ret = (int64_t)n;
    return true;
}

static void read_duration(struct reader *r, const struct key *k, config_setting_t *s, void *to)
{
    duration(r, k, s, to);
}

/* Keeps the moments in order, the longest before the end first. */
static void add_moment(struct reader *r, const config_setting_t *s, int64_t moment)
{
    struct policy *p = &r->config->policy;
    size_t i = p->n_warn;

    for (size_t j = 0; j < p->n_warn; j++) {
        if (p->warn_s[j] == moment) {
            complain(r, s, "is there already");
            return;
        }
    }
    if (p->n_warn == WARN_MOMENTS_MAX) {
        complain(r, s, "there can be at most %d warnings", WARN_MOMENTS_MAX);
        return;
    }
    for (; i > 0 && p->warn_s[i - 1] < moment; i--)
        p->warn_s[i] = p->warn_s[i - 1];
    p->warn_s[i] = moment;
    p->n_warn++;
}

static void read_moments(struct reader *r, const struct key *k, config_setting_t *s, void *to)
{
    (void)to;
    r->config->policy.n_warn = 0; /* not beside the defaults: instead of them */
    for (int i = 0; i < config_setting_length(s); i++) {
        const config_setting_t *e = config_setting_get_elem(s, (unsigned)i);
        int64_t moment;

        if (duration(r, k, e, &moment))
            add_moment(r, e, moment);
    }
}

/* ---- texts ---------------------------------------------------------------------------------- */

bool text_fits(struct reader *r, const struct key *k, const config_setting_t *s)
{
    const char *value = config_setting_get_string(s);
    size_t n = strlen(value);

    if (n > (size_t)k->max)
        complain(r, s, "is longer than %lld bytes", (long long)k->max);
    else if (n < (size_t)k->min)
        complain(r, s, "must not be empty");
    else if (!text_is_plain(value, n))
        complain(r, s, "must be one line of UTF-8 without control characters");
    else
        return true;
    return false;
}

static void copy_text(const config_setting_t *s, void *to)
{
    const char *value = config_setting_get_string(s);

    memcpy(to, value, strlen(value) + 1);
}

static void read_text(struct reader *r, const struct key *k, config_setting_t *s, void *to)
{
    if (text_fits(r, k, s))
        copy_text(s, to);
}

static void read_name(struct reader *r, const struct key *k, config_setting_t *s, void *to)
{
    const char *value = config_setting_get_string(s);

    if (!text_fits(r, k, s))
        return;
    if (value[0] == ' ' || value[strlen(value) - 1] == ' ')
        complain(r, s, "must not begin or end with a blank");
    else
        copy_text(s, to);
}

static void read_host(struct reader *r, const struct key *k, config_setting_t *s, void *to)
{
    const char *value = config_setting_get_string(s);

    if (!text_fits(r, k, s))
        return;
    if (!text_is_word(value, strlen(value)))
        complain(r, s, "a host's name is made of letters, digits, dots, dashes and underscores");
    else
        copy_text(s, to);
}

static bool is_plain_path(const char *path)
{
    for (const char *at = path; *at == '/';) {
        size_t n = strcspn(at + 1, "/");
        bool last = at[1 + n] == '\0';

        if ((n == 0 && (!last || at == path)) || (n == 1 && at[1] == '.') ||
            (n == 2 && at[1] == '.' && at[2] == '.'))
            return false;
        at += 1 + n;
    }
    return path[0] == '/';
}

/* The kernel says of a process where it is by the one name that has no links in it. */
static void complain_of_link(struct reader *r, config_setting_t *s, const char *value)
{
    CLEANUP(freep) char *real = realpath(value, NULL);
    size_t n = real ? strlen(real) : 0;

    if (real && (strncmp(value, real, n) != 0 || (value[n] != '\0' && value[n] != '/')))
        complain(r, s, "is a link to %s, and has to be given as that", real);
}

static void read_cgroup(struct reader *r, const struct key *k, config_setting_t *s, void *to)
{
    const char *value = config_setting_get_string(s);

    if (!text_fits(r, k, s))
        return;
    if (strcmp(value, "auto") != 0 && strcmp(value, "off") != 0) {
        if (!is_plain_path(value)) {
            complain(r, s,
                     "must be \"auto\", \"off\" or an absolute path without \"..\", \".\" and "
                     "\"//\"");
            return;
        }
        complain_of_link(r, s, value);
    }
    copy_text(s, to);
}

static void read_aws_user(struct reader *r, const struct key *k, config_setting_t *s, void *to)
{
    static const char PLACE[] = "{user}";
    const char *value = config_setting_get_string(s), *at = strstr(value, PLACE);

    if (!text_fits(r, k, s))
        return;
    if (!at || strstr(at + 1, PLACE))
        complain(r, s, "must hold {user} once, where the local name goes");
    else
        copy_text(s, to);
}

static void read_user(struct reader *r, const struct key *k, config_setting_t *s, void *to)
{
    const char *value = config_setting_get_string(s);

    if (!text_fits(r, k, s))
        return;
    if (!text_is_name(value, strlen(value)))
        complain(r, s, "must be a user, without blanks and any of :/,\"'\\*?");
    else
        copy_text(s, to);
}

bool is_region(const char *s)
{
    const char *number = strrchr(s, '-'); /* it ends in one */

    return strlen(s) < CONFIG_REGION_CAP && number && s[0] >= 'a' && s[0] <= 'z' &&
           s[strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789-")] == '\0' && number[1] != '\0' &&
           number[1 + strspn(number + 1, "0123456789")] == '\0';
}

static void read_region(struct reader *r, const struct key *k, config_setting_t *s, void *to)
{
    const char *value = config_setting_get_string(s);

    if (!text_fits(r, k, s))
        return;
    if (!is_region(value))
        complain(r, s, "must be a region of AWS, as in \"eu-west-1\"");
    else
        copy_text(s, to);
}

struct arn_part arn_part(const char *arn, unsigned colons)
{
    for (; colons > 0; colons--) {
        arn = strchr(arn, ':');
        if (!arn)
            return (struct arn_part){"", 0};
        arn++;
    }
    return (struct arn_part){arn, strcspn(arn, ":")};
}

bool arn_part_is(struct arn_part part, const char *word)
{
    return part.n == strlen(word) && strncmp(part.at, word, part.n) == 0;
}

bool is_account(struct arn_part part)
{
    return part.n == 12 && strspn(part.at, "0123456789") >= part.n;
}

/* arn:PARTITION:iam::ACCOUNT:role/NAME, or with braces in it, which others judge */
bool is_role_arn(const char *s)
{
    struct arn_part role = arn_part(s, 5), account = arn_part(s, 4);

    return strncmp(s, "arn:aws", 7) == 0 && arn_part_is(arn_part(s, 2), "iam") &&
           arn_part_is(arn_part(s, 3), "") && (is_account(account) || strpbrk(s, "{}")) &&
           strncmp(role.at, "role/", 5) == 0 && role.n > 5;
}

static void read_arn(struct reader *r, const struct key *k, config_setting_t *s, void *to)
{
    const char *value = config_setting_get_string(s);

    if (!text_fits(r, k, s))
        return;
    if (value[0] != '\0' && (!is_role_arn(value) || strpbrk(value, "{}")))
        complain(r, s, "must be the ARN of a role, as in arn:aws:iam::111122223333:role/team");
    else
        copy_text(s, to);
}

/* As sts:AssumeRole takes it. */
static void read_external_id(struct reader *r, const struct key *k, config_setting_t *s, void *to)
{
    static const char MADE_OF[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_+=,.@:/-";
    const char *value = config_setting_get_string(s);

    if (!text_fits(r, k, s))
        return;
    if (value[strspn(value, MADE_OF)] != '\0' || strlen(value) == 1)
        complain(r, s, "must be 2 or more letters, digits and any of _+=,.@:/-");
    else
        copy_text(s, to);
}

static void read_url(struct reader *r, const struct key *k, config_setting_t *s, void *to)
{
    static const char HTTPS[] = "https://";
    const char *value = config_setting_get_string(s);

    if (!text_fits(r, k, s))
        return;
    if (value[0] != '\0' &&
        (strncmp(value, HTTPS, sizeof HTTPS - 1) != 0 || strpbrk(value, " \"'<>\\#?")))
        complain(r, s, "must begin with https://, and hold no blanks, quotes, # and ?");
    else
        copy_text(s, to);
}

static void read_loginuid(struct reader *r, const struct key *k, config_setting_t *s, void *to)
{
    const char *value = config_setting_get_string(s);

    (void)k;
    if (strcmp(value, "require") == 0)
        *(uint8_t *)to = LOGINUID_REQUIRE;
    else if (strcmp(value, "check") == 0)
        *(uint8_t *)to = LOGINUID_CHECK;
    else
        complain(r, s, "must be \"require\" or \"check\"");
}

static void read_tickets(struct reader *r, const struct key *k, config_setting_t *s, void *to)
{
    const char *value = config_setting_get_string(s);
    struct config_ticket *t;
    char why[256];
    int error;

    if (value[0] == '\0' || !text_fits(r, k, s))
        return;
    t = calloc(1, sizeof *t);
    error = t ? regcomp(&t->pattern, value, REG_EXTENDED) : REG_ESPACE;
    if (error == 0) {
        struct text source = text_over(t->source, sizeof t->source);

        text_put(&source, value);
        *(struct config_ticket **)to = t;
        return;
    }
    regerror(error, t ? &t->pattern : NULL, why, sizeof why);
    complain(r, s, "is not a POSIX extended regular expression: %s", why);
    free(t);
}

const struct type TYPE_BOOL = {SHAPE_BOOL, "true | false", read_bool};
const struct type TYPE_COUNT = {SHAPE_NUMBER, "number", read_count};
const struct type TYPE_DURATION = {SHAPE_STRING, "duration", read_duration};
const struct type TYPE_MOMENTS = {SHAPE_STRINGS, "list of durations", read_moments};
const struct type TYPE_TEXT = {SHAPE_STRING, "text", read_text};
const struct type TYPE_NAME = {SHAPE_STRING, "name", read_name};
const struct type TYPE_HOST = {SHAPE_STRING, "host name", read_host};
const struct type TYPE_CGROUP = {SHAPE_STRING, "auto | off | path", read_cgroup};
const struct type TYPE_AWS_USER = {SHAPE_STRING, "text", read_aws_user};
const struct type TYPE_USER = {SHAPE_STRING, "user", read_user};
const struct type TYPE_REGION = {SHAPE_STRING, "region", read_region};
const struct type TYPE_ARN = {SHAPE_STRING, "ARN", read_arn};
const struct type TYPE_EXTERNAL_ID = {SHAPE_STRING, "text", read_external_id};
const struct type TYPE_URL = {SHAPE_STRING, "URL", read_url};
const struct type TYPE_LOGINUID = {SHAPE_STRING, "require | check", read_loginuid};
const struct type TYPE_TICKETS = {SHAPE_STRING, "regular expression", read_tickets};
