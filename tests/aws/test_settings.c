/* What environment and files come to: regions, endpoints, and where credentials are to come from.
 */
#include "courier/plan.h"
#include "courier/settings.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

/* ---- the stage: two files and an environment, as lines -----------------------------------------
 */

static struct {
    char dir[64], config[96], credentials[96];
    char lines[4096], *environment[64];
    char why[AWS_TEXT_CAP];
} stage;

static int begin(void **state)
{
    (void)state;
    memset(&stage, 0, sizeof stage);
    snprintf(stage.dir, sizeof stage.dir, "/tmp/team-aws-XXXXXX");
    assert_non_null(mkdtemp(stage.dir));
    snprintf(stage.config, sizeof stage.config, "%s/config", stage.dir);
    snprintf(stage.credentials, sizeof stage.credentials, "%s/credentials", stage.dir);
    return 0;
}

static int end(void **state)
{
    (void)state;
    unlink(stage.config);
    unlink(stage.credentials);
    return rmdir(stage.dir);
}

static void write_file(const char *path, const char *text)
{
    FILE *f = fopen(path, "we");

    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

/* "NAME=value\nNAME=value" beside the two files' own variables. */
static char *const *environment(const char *lines)
{
    size_t n = 0;

    snprintf(stage.lines, sizeof stage.lines,
             "AWS_CONFIG_FILE=%s\nAWS_SHARED_CREDENTIALS_FILE=%s\n%s", stage.config,
             stage.credentials, lines);
    for (char *s = stage.lines; *s && n < 63;) {
        char *newline = strchrnul(s, '\n');

        stage.environment[n++] = s;
        s = *newline ? newline + 1 : newline;
        *newline = '\0';
    }
    stage.environment[n] = NULL;
    return stage.environment;
}

static int read_plan(const char *lines, struct plan **ret)
{
    struct files files;
    char *const *env = environment(lines);
    int r = files_read(env, &files, stage.why);

    if (r < 0)
        return r;
    r = plan_new(env, &files, NULL, ret, stage.why);
    files_free(&files);
    return r;
}

static int read_settings(const char *lines, struct settings *ret)
{
    const struct aws_setup setup = {.environment = environment(lines)};
    struct files files;
    int r = files_read(setup.environment, &files, stage.why);

    if (r < 0)
        return r;
    r = settings_read(&setup, &files, ret, stage.why);
    files_free(&files);
    return r;
}

/* ---- plans -------------------------------------------------------------------------------------
 */

/* A plan in one line: SOURCE KEY-OR-PLACE, and the roles in the order they are assumed. */
static const char *plan_of(const char *lines)
{
    static const char *const SOURCES[] = {
        [PLAN_KEYS] = "keys",           [PLAN_PROCESS] = "process",   [PLAN_WEB_IDENTITY] = "web",
        [PLAN_CONTAINER] = "container", [PLAN_INSTANCE] = "instance",
    };
    static char out[2048];
    struct plan *p;
    size_t n;

    if (read_plan(lines, &p) < 0)
        return stage.why;
    n = (size_t)snprintf(out, sizeof out, "%s %s%s%s%s", SOURCES[p->source], p->keys.id, p->command,
                         p->url, p->web.arn);
    for (size_t i = 0; i < p->n_roles; i++)
        n += (size_t)snprintf(out + n, sizeof out - n, " > %s%s%s", strrchr(p->roles[i].arn, '/'),
                              p->roles[i].external_id[0] ? "+" : "", p->roles[i].external_id);
    plan_free(p);
    return out;
}

static const char CONFIG[] = "[default]\n"
                             "region = eu-west-1\n"
                             "[profile static]\n"
                             "aws_access_key_id = AKIACONF\n"
                             "aws_secret_access_key = s\n"
                             "[profile both]\n"
                             "aws_access_key_id = AKIANEVER\n"
                             "aws_secret_access_key = s\n"
                             "[profile process]\n"
                             "credential_process = /bin/x 'y z'\n"
                             "[profile process-and-keys]\n"
                             "credential_process = /bin/x\n"
                             "aws_access_key_id = AKIANEVER\n"
                             "aws_secret_access_key = s\n"
                             "[profile role]\n"
                             "role_arn = arn:aws:iam::1:role/r1\n"
                             "source_profile = static\n"
                             "external_id = e:1\n"
                             "[profile chain]\n"
                             "role_arn = arn:aws:iam::1:role/r2\n"
                             "source_profile = role\n"
                             "[profile self]\n"
                             "role_arn = arn:aws:iam::1:role/r3\n"
                             "source_profile = self\n"
                             "aws_access_key_id = AKIASELF\n"
                             "aws_secret_access_key = s\n"
                             "[profile role-by-keys]\n"
                             "role_arn = arn:aws:iam::1:role/r16\n"
                             "source_profile = self\n"
                             "[profile loop1]\n"
                             "role_arn = arn:aws:iam::1:role/l1\n"
                             "source_profile = loop2\n"
                             "[profile loop2]\n"
                             "role_arn = arn:aws:iam::1:role/l2\n"
                             "source_profile = loop1\n"
                             "[profile from-env]\n"
                             "role_arn = arn:aws:iam::1:role/r4\n"
                             "credential_source = Environment\n"
                             "[profile from-ec2]\n"
                             "role_arn = arn:aws:iam::1:role/r5\n"
                             "credential_source = Ec2InstanceMetadata\n"
                             "[profile from-ecs]\n"
                             "role_arn = arn:aws:iam::1:role/r6\n"
                             "credential_source = EcsContainer\n"
                             "[profile from-nowhere]\n"
                             "role_arn = arn:aws:iam::1:role/r7\n"
                             "credential_source = Hearsay\n"
                             "[profile two-sources]\n"
                             "role_arn = arn:aws:iam::1:role/r8\n"
                             "credential_source = Environment\n"
                             "source_profile = static\n"
                             "[profile no-source]\n"
                             "role_arn = arn:aws:iam::1:role/r9\n"
                             "[profile mfa]\n"
                             "role_arn = arn:aws:iam::1:role/r10\n"
                             "source_profile = static\n"
                             "mfa_serial = arn:aws:iam::1:mfa/x\n"
                             "[profile short]\n"
                             "role_arn = arn:aws:iam::1:role/r11\n"
                             "source_profile = static\n"
                             "duration_seconds = 899\n"
                             "[profile empty-source]\n"
                             "role_arn = arn:aws:iam::1:role/r12\n"
                             "source_profile = default\n"
                             "[profile lost-source]\n"
                             "role_arn = arn:aws:iam::1:role/r13\n"
                             "source_profile = nobody\n"
                             "[profile no-role]\n"
                             "role_arn = me\n"
                             "source_profile = static\n"
                             "[profile web]\n"
                             "role_arn = arn:aws:iam::1:role/w\n"
                             "web_identity_token_file = /t\n"
                             "[profile web-source]\n"
                             "role_arn = arn:aws:iam::1:role/r14\n"
                             "source_profile = web\n"
                             "[profile sso]\n"
                             "sso_session = s\n"
                             "[profile sso-source]\n"
                             "role_arn = arn:aws:iam::1:role/r15\n"
                             "source_profile = sso\n"
                             "[profile half]\n"
                             "aws_access_key_id = AKIAHALF\n",
                  CREDENTIALS[] = "[both]\n"
                                  "aws_access_key_id = AKIACRED\n"
                                  "aws_secret_access_key = s\n";

#define KEYS "AWS_ACCESS_KEY_ID=AKIAENV\nAWS_SECRET_ACCESS_KEY=s\n"
#define ECS  "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI=/v2/x\n"

static void credentials_come_from_the_first_source_that_is_there(void **state)
{
    static const struct {
        const char *environment, *plan; /* or the end of the reason why there is none */
    } CASES[] = {
        {"", "instance http://169.254.169.254"},
        {"AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE=IPv6", "instance http://[fd00:ec2::254]"},
        {"AWS_EC2_METADATA_SERVICE_ENDPOINT=http://127.0.0.1:1", "instance http://127.0.0.1:1"},
        {"AWS_EC2_METADATA_SERVICE_ENDPOINT=127.0.0.1", "has to begin with http:// or https://"},
        {"AWS_METADATA_SERVICE_TIMEOUT=0", "\"0\": 1 to 60 are possible"},
        {"AWS_METADATA_SERVICE_NUM_ATTEMPTS=x", "\"x\": 1 to 100 are possible"},
        {"AWS_EC2_METADATA_DISABLED=true", "AWS_EC2_METADATA_DISABLED is set"},
        {KEYS, "keys AKIAENV"},
        {KEYS "AWS_PROFILE=role", "keys AKIAENV"},
        {"AWS_ACCESS_KEY_ID=AKIAENV", "the secret access key is missing"},
        {KEYS "AWS_CREDENTIAL_EXPIRATION=soon", "the expiration \"soon\" is no time"},
        {"AWS_PROFILE=static", "keys AKIACONF"},
        {"AWS_DEFAULT_PROFILE=static", "keys AKIACONF"},
        {"AWS_PROFILE=both", "keys AKIACRED"},
        {"AWS_PROFILE=half", "profile \"half\": the secret access key is missing"},
        {"AWS_PROFILE=process", "process /bin/x 'y z'"},
        {"AWS_PROFILE=process-and-keys", "process /bin/x"},
        {"AWS_PROFILE=role", "keys AKIACONF > /r1+e:1"},
        {"AWS_PROFILE=chain", "keys AKIACONF > /r1+e:1 > /r2"},
        {"AWS_PROFILE=self", "keys AKIASELF > /r3"},
        {"AWS_PROFILE=role-by-keys", "keys AKIASELF > /r16"},
        {"AWS_PROFILE=loop1", "source_profile goes round in a circle"},
        {"AWS_PROFILE=from-env", "the access key id is missing"},
        {"AWS_PROFILE=from-ec2", "instance http://169.254.169.254 > /r5"},
        {"AWS_PROFILE=from-ecs", "no container's variables are set"},
        {"AWS_PROFILE=from-ecs\n" ECS, "container http://169.254.170.2/v2/x > /r6"},
        {"AWS_PROFILE=from-nowhere", "Ec2InstanceMetadata and EcsContainer"},
        {"AWS_PROFILE=two-sources", "credential_source, and not both"},
        {"AWS_PROFILE=no-source", "it needs source_profile or credential_source"},
        {"AWS_PROFILE=mfa", "a daemon cannot type codes"},
        {"AWS_PROFILE=short", "900 to 43200 are possible"},
        {"AWS_PROFILE=empty-source", "is a source_profile, but has no credentials"},
        {"AWS_PROFILE=lost-source", "source_profile = nobody, which is in neither file"},
        {"AWS_PROFILE=no-role", "\"me\" is not the ARN of a role"},
        {"AWS_PROFILE=web", "web arn:aws:iam::1:role/w"},
        {"AWS_PROFILE=web-source", "web arn:aws:iam::1:role/w > /r14"},
        {"AWS_PROFILE=sso", "which a daemon cannot; use an instance profile, a role or keys"},
        {"AWS_PROFILE=sso-source",
         "which a daemon cannot; use an instance profile, a role or keys"},
        {"AWS_WEB_IDENTITY_TOKEN_FILE=/t\nAWS_ROLE_ARN=arn:aws:iam::1:role/e",
         "web arn:aws:iam::1:role/e"},
        {"AWS_WEB_IDENTITY_TOKEN_FILE=/t", "set AWS_ROLE_ARN"},
        {"AWS_WEB_IDENTITY_TOKEN_FILE=/t\nAWS_ROLE_ARN=arn:aws:iam::1:role/e\nAWS_PROFILE=static",
         "web arn:aws:iam::1:role/e"},
        {"AWS_WEB_IDENTITY_TOKEN_FILE=/t\nAWS_ROLE_ARN=arn:aws:iam::1:role/e\nAWS_PROFILE=role",
         "keys AKIACONF > /r1+e:1"},
        {ECS, "container http://169.254.170.2/v2/x"},
        {ECS "AWS_PROFILE=static", "keys AKIACONF"},
        {"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI=v2", "has to begin with /"},
        {"AWS_CONTAINER_CREDENTIALS_FULL_URI=https://x/y", "container https://x/y"},
        {"AWS_CONTAINER_CREDENTIALS_FULL_URI=ftp://x", "has to begin with http:// or https://"},
        {"AWS_CONTAINER_CREDENTIALS_FULL_URI=https://x/y\nAWS_CONTAINER_AUTHORIZATION_TOKEN=a\rb",
         "has more than one line"},
        {"AWS_PROFILE=nobody", "config nor in "},
    };

    (void)state;
    write_file(stage.config, CONFIG);
    write_file(stage.credentials, CREDENTIALS);
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        const char *got = plan_of(CASES[i].environment);

        if (strcmp(got, CASES[i].plan) != 0 && (got != stage.why || !strstr(got, CASES[i].plan)))
            fail_msg("%s\ngives %s\nnot   %s", CASES[i].environment, got, CASES[i].plan);
    }
}

static void the_profile_called_default_is_the_default(void **state)
{
    (void)state;
    write_file(stage.credentials,
               "[default]\naws_access_key_id = AKIA1\naws_secret_access_key = s\n");
    assert_string_equal(plan_of(""), "keys AKIA1");
    write_file(stage.credentials, "");
    write_file(stage.config, "[default]\naws_access_key_id=AKIA2\naws_secret_access_key=s\n");
    assert_string_equal(plan_of(""), "keys AKIA2");
    write_file(stage.config, "[default]\naws_access_key_id=AKIA2\naws_secret_access_key=s\n"
                             "[profile default]\naws_access_key_id=AKIA3\n"
                             "aws_secret_access_key=s\n");
    assert_string_equal(plan_of(""), "keys AKIA3");
}

static void a_broken_file_is_named_with_its_line(void **state)
{
    char wanted[AWS_TEXT_CAP];

    (void)state;
    write_file(stage.config, "[default]\nregion = x\nnonsense\n");
    snprintf(wanted, sizeof wanted, "%s:3: neither [section] nor name = value", stage.config);
    assert_string_equal(plan_of(""), wanted);
    unlink(stage.config);
    mkdir(stage.config, 0700);
    snprintf(wanted, sizeof wanted, "%s: Is a directory", stage.config);
    assert_string_equal(plan_of(""), wanted);
    rmdir(stage.config);
    mkfifo(stage.config, 0600); /* nobody makes us wait for its other end */
    assert_string_equal(plan_of("AWS_ACCESS_KEY_ID=AKIAENV\nAWS_SECRET_ACCESS_KEY=s"),
                        "keys AKIAENV");
}

static void tokens_are_one_line(void **state)
{
    static const struct {
        const char *text, *token; /* NULL: refused */
    } CASES[] = {{"abc", "abc"}, {"abc\n", "abc"}, {"abc\r\nx", "abc"},
                 {"", NULL},     {"\nabc", NULL},  {"a\x01", NULL}};
    char *large = calloc(1, FILES_TOKEN_MAX + 1), *token;

    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        int r;

        write_file(stage.config, CASES[i].text);
        r = files_read_token(stage.config, &token);
        assert_int_equal(r, CASES[i].token ? 0 : -EINVAL);
        if (r == 0) {
            assert_string_equal(token, CASES[i].token);
            free(token);
        }
    }
    assert_non_null(large);
    memset(large, 'x', FILES_TOKEN_MAX);
    write_file(stage.config, large);
    assert_int_equal(files_read_token(stage.config, &token), -EMSGSIZE);
    assert_int_equal(files_read_token("/nonexistent/x", &token), -ENOENT);
    free(large);
}

/* ---- settings ----------------------------------------------------------------------------------
 */

static void settings_are_looked_for_in_order(void **state)
{
    struct settings s;

    (void)state;
    write_file(stage.config, "[default]\nregion = eu-central-1\nuse_fips_endpoint = TRUE\n"
                             "max_attempts = 7\nservices = mine\nendpoint_url = http://h:1\n"
                             "[services mine]\nsts =\n  endpoint_url = https://s/x\n"
                             "cloudwatch_logs =\n  endpoint_url = http://l:80\n"
                             "[profile other]\nregion = us-west-2\n"
                             "ignore_configured_endpoint_urls = true\n");
    assert_int_equal(read_settings("", &s), 0);
    assert_string_equal(s.region, "eu-central-1");
    assert_string_equal(s.identity_center_region, "eu-central-1");
    assert_true(s.fips);
    assert_false(s.dual_stack);
    assert_int_equal(s.attempts, 7);
    assert_string_equal(s.url[AWS_STS], "https://s/x");
    assert_string_equal(s.url[AWS_LOGS], "http://l:80");
    assert_string_equal(s.url[AWS_SSO_ADMIN], "http://h:1");
    assert_int_equal(read_settings("AWS_DEFAULT_REGION=eu-west-2", &s), 0);
    assert_string_equal(s.region, "eu-west-2");
    assert_int_equal(read_settings("AWS_DEFAULT_REGION=eu-west-2\nAWS_REGION=eu-west-3", &s), 0);
    assert_string_equal(s.region, "eu-west-3");
    assert_int_equal(read_settings("AWS_ENDPOINT_URL=http://a:1\nAWS_ENDPOINT_URL_STS=http://b:2\n"
                                   "AWS_MAX_ATTEMPTS=2\nAWS_USE_FIPS_ENDPOINT=false\n"
                                   "AWS_USE_DUALSTACK_ENDPOINT=true",
                                   &s),
                     0);
    assert_string_equal(s.url[AWS_STS], "http://b:2");
    assert_string_equal(s.url[AWS_LOGS], "http://a:1");
    assert_int_equal(s.attempts, 2);
    assert_false(s.fips);
    assert_true(s.dual_stack);
    assert_int_equal(read_settings("AWS_PROFILE=other\nAWS_ENDPOINT_URL=http://a:1", &s), 0);
    assert_string_equal(s.region, "us-west-2");
    assert_string_equal(s.url[AWS_STS], "");
    assert_int_equal(s.attempts, SETTINGS_ATTEMPTS);
    assert_int_equal(
        read_settings("HTTPS_PROXY=http://p:1\nhttps_proxy=http://q:1\nNO_PROXY=x", &s), 0);
    assert_string_equal(s.proxy, "http://q:1");
    assert_string_equal(s.no_proxy, "x");
}

static void settings_that_cannot_be_are_named(void **state)
{
    static const struct {
        const char *environment, *why;
    } CASES[] = {
        {"", "no region; set aws.region, or AWS_REGION"},
        {"AWS_REGION=EU", "AWS_REGION = \"EU\": not a region; one is called like eu-west-1"},
        {"AWS_REGION=eu-west-1\nAWS_USE_FIPS_ENDPOINT=yes",
         "AWS_USE_FIPS_ENDPOINT = \"yes\": true or false are possible"},
        {"AWS_REGION=eu-west-1\nAWS_MAX_ATTEMPTS=0",
         "AWS_MAX_ATTEMPTS = \"0\": 1 to 100 are possible"},
        {"AWS_REGION=eu-west-1\nAWS_CA_BUNDLE=/nonexistent",
         "AWS_CA_BUNDLE = \"/nonexistent\": No such file or directory"},
        {"AWS_REGION=eu-west-1\nAWS_ENDPOINT_URL=ftp://x",
         "AWS_ENDPOINT_URL: \"ftp://x\" is not an endpoint; one is https://HOST[:PORT][/PATH] or "
         "http://..."},
    };
    struct settings s;

    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        assert_int_equal(read_settings(CASES[i].environment, &s), -EINVAL);
        assert_string_equal(stage.why, CASES[i].why);
    }
}

/* ---- endpoints (tests/system/aws_signatures.sh compares all regions with botocore) -------------
 */

static void endpoints_of_ones_own(void **state)
{
    static const struct {
        const char *url, *host, *path; /* host NULL: refused */
    } CASES[] = {
        {"https://h", "h", "/"},
        {"https://h:443/x/y", "h", "/x/y"},
        {"https://h:8443", "h:8443", "/"},
        {"http://h:80/", "h", "/"},
        {"http://h:443", "h:443", "/"},
        {"http://127.0.0.1:5000", "127.0.0.1:5000", "/"},
        {"http://[::1]:5000/a", "[::1]:5000", "/a"},
        {"https://[fd00:ec2::23]", "[fd00:ec2::23]", "/"},
        {"https://a-b.c_d/x", NULL, NULL},
        {"https://", NULL, NULL},
        {"https:///x", NULL, NULL},
        {"https://u:p@h", NULL, NULL},
        {"https://h:0", NULL, NULL},
        {"https://h:65536", NULL, NULL},
        {"https://h:x", NULL, NULL},
        {"https://h x", NULL, NULL},
        {"https://h/a b", NULL, NULL},
        {"https://h/a?b", NULL, NULL},
        {"https://h/a#b", NULL, NULL},
        {"https://[::1", NULL, NULL},
        {"https://[]", NULL, NULL},
        {"https://-h", NULL, NULL},
        {"HTTPS://h", NULL, NULL},
        {"h", NULL, NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        struct endpoint_wish wish = {.region = "eu-west-1", .url = CASES[i].url};
        struct endpoint e;
        bool ok = endpoint_find(AWS_STS, &wish, &e, stage.why);

        if (ok != (CASES[i].host != NULL) ||
            (ok && (strcmp(e.host, CASES[i].host) != 0 || strcmp(e.path, CASES[i].path) != 0)))
            fail_msg("%s gives %s%s", CASES[i].url, e.host, e.path);
    }
}

static void endpoints_of_aws(void **state)
{
    static const struct {
        enum aws_service service;
        const char *region;
        bool fips, dual_stack;
        const char *host, *signed_for;
    } CASES[] = {
        {AWS_SSO_ADMIN, "eu-west-1", 0, 0, "sso.eu-west-1.amazonaws.com", "eu-west-1"},
        {AWS_SSO_ADMIN, "eu-west-1", 1, 0, "sso-fips.eu-west-1.amazonaws.com", "eu-west-1"},
        {AWS_SSO_ADMIN, "eu-west-1", 0, 1, "sso.eu-west-1.api.aws", "eu-west-1"},
        {AWS_STS, "us-gov-west-1", 1, 0, "sts.us-gov-west-1.amazonaws.com", "us-gov-west-1"},
        {AWS_LOGS, "cn-north-1", 0, 0, "logs.cn-north-1.amazonaws.com.cn", "cn-north-1"},
        {AWS_ORGANIZATIONS, "eu-west-1", 0, 0, "organizations.us-east-1.amazonaws.com",
         "us-east-1"},
        {AWS_ORGANIZATIONS, "eu-west-1", 0, 1, "organizations.eu-west-1.api.aws", "us-east-1"},
        {AWS_ORGANIZATIONS, "cn-north-1", 0, 0, "organizations.cn-northwest-1.amazonaws.com.cn",
         "cn-northwest-1"},
        {AWS_ORGANIZATIONS, "eusc-de-east-1", 0, 0, "organizations.eusc-de-east-1.amazonaws.eu",
         "eusc-de-east-1"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        struct endpoint_wish wish = {
            .region = CASES[i].region, .fips = CASES[i].fips, .dual_stack = CASES[i].dual_stack};
        struct endpoint e;

        assert_true(endpoint_find(CASES[i].service, &wish, &e, stage.why));
        assert_true(e.tls);
        assert_string_equal(e.path, "/");
        assert_string_equal(e.host, CASES[i].host);
        assert_string_equal(e.region, CASES[i].signed_for);
    }
}

static void regions_are_fit_for_a_host_name(void **state)
{
    static const char *const GOOD[] = {"eu-west-1", "us-gov-east-1", "eusc-de-east-1",
                                       "ap-southeast-12", "us-isob-west-1"},
                             *const BAD[] = {
                                 "",          "eu",         "eu-west",
                                 "eu_west-1", "eu-west-1.", "eu-west-1/x",
                                 "EU-WEST-1", "-west-1",    "eu--1",
                                 "eu-west-",  "eu west-1",  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaa-b-1"};

    (void)state;
    for (size_t i = 0; i < sizeof GOOD / sizeof GOOD[0]; i++)
        assert_true(endpoint_is_region(GOOD[i]));
    for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++)
        assert_false(endpoint_is_region(BAD[i]));
    assert_string_equal(endpoint_partition("eu-west-1"), "aws");
    assert_string_equal(endpoint_partition("cn-north-1"), "aws-cn");
    assert_string_equal(endpoint_partition("us-gov-west-1"), "aws-us-gov");
    assert_string_equal(endpoint_partition("us-iso-east-1"), "aws-iso");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(credentials_come_from_the_first_source_that_is_there),
        TEST(the_profile_called_default_is_the_default),
        TEST(a_broken_file_is_named_with_its_line),
        TEST(tokens_are_one_line),
        TEST(settings_are_looked_for_in_order),
        TEST(settings_that_cannot_be_are_named),
        cmocka_unit_test(endpoints_of_ones_own),
        cmocka_unit_test(endpoints_of_aws),
        cmocka_unit_test(regions_are_fit_for_a_host_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
