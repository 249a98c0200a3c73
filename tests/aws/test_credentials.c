/* Credentials as they are fetched: from instances, containers, processes, tokens and roles; and
 * fetched again before they expire. */
#include "client_stage.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <time.h>

/* ---- the environment of a test -----------------------------------------------------------------
 */

static char lines[12][512];
static size_t n_lines;

/* Forgets all variables but region and home. */
static int begin_bare(void **state)
{
    int r = begin(state);

    stage.environment[0] = stage.environment[2];
    stage.environment[1] = stage.environment[3];
    stage.environment[2] = stage.endpoint;
    for (size_t i = 3; i < 24; i++)
        stage.environment[i] = NULL;
    n_lines = 0;
    return r;
}

__attribute__((format(printf, 1, 2))) static void set(const char *format, ...)
{
    size_t i = 0;
    va_list args;

    va_start(args, format);
    vsnprintf(lines[n_lines], sizeof lines[0], format, args);
    va_end(args);
    while (stage.environment[i])
        i++;
    stage.environment[i] = lines[n_lines++];
}

static void set_instance(void)
{
    set("AWS_EC2_METADATA_SERVICE_ENDPOINT=http://127.0.0.1:%u", stage.server->port);
    set("AWS_METADATA_SERVICE_TIMEOUT=1");
}

/* Credentials in JSON that expire in so many seconds. */
static const char *keys_json(const char *id, const char *token_name, int64_t seconds)
{
    static char out[4][512];
    static unsigned n;
    char at[32];
    time_t t = time(NULL) + seconds;

    strftime(at, sizeof at, "%Y-%m-%dT%H:%M:%SZ", gmtime(&t));
    n = (n + 1) % 4;
    snprintf(out[n], sizeof out[n],
             "{\"Version\":1,\"Code\":\"Success\",\"AccessKeyId\":\"%s\",\"SecretAccessKey\":\"s\","
             "\"%s\":\"token-of-%s\",\"Expiration\":\"%s\"}",
             id, token_name, id, at);
    return out[n];
}

static const char *keys_xml(const char *operation, const char *id)
{
    static char out[4][1024];
    static unsigned n;

    n = (n + 1) % 4;
    snprintf(out[n], sizeof out[n],
             "<%sResponse><%sResult><Credentials><AccessKeyId>%s</AccessKeyId><SecretAccessKey>s"
             "</SecretAccessKey><SessionToken>token-of-%s</SessionToken><Expiration>"
             "2099-01-01T00:00:00Z</Expiration></Credentials></%sResult></%sResponse>",
             operation, operation, id, id, operation, operation);
    return out[n];
}

static struct page pages[24];

static void book(size_t n)
{
    stage.server->pages = pages;
    stage.server->n_pages = n;
}

static void page(size_t i, int status, const char *body)
{
    pages[i] = (struct page){.status = status, .body = body};
    book(i + 1);
}

static void instance_pages(const char *keys)
{
    page(0, 200, "meta-token");
    page(1, 200, "the-role\n");
    page(2, 200, keys);
    page(3, 200, "{}");
}

static bool asked(size_t i, const char *line)
{
    return strncmp(stage.server->asks[i], line, strlen(line)) == 0;
}

static bool signed_by(size_t i, const char *id)
{
    char wanted[128];

    snprintf(wanted, sizeof wanted, "Credential=%s/", id);
    return strstr(server_header(stage.server, i, "Authorization"), wanted) != NULL;
}

static void fails_with(const char *part)
{
    const struct aws_result *r = call_sso();

    if (r->outcome != AWS_NO_CREDENTIALS || !strstr(r->message, part))
        fail_msg("%d %s, not %s", r->outcome, r->message, part);
}

static char *temporary(const char *text)
{
    static char path[4][32];
    static unsigned n;
    int fd;

    n = (n + 1) % 4;
    snprintf(path[n], sizeof path[n], "/tmp/team-aws-XXXXXX");
    fd = mkostemp(path[n], O_CLOEXEC);
    assert_true(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    close(fd);
    return path[n];
}

/* ---- instances ---------------------------------------------------------------------------------
 */

static void an_instance_is_asked_with_a_token(void **state)
{
    struct aws_status status;

    (void)state;
    set_instance();
    instance_pages(keys_json("ASIAINSTANCE", "Token", 3600));
    assert_int_equal(call_sso()->outcome, AWS_OK);
    assert_true(asked(0, "PUT /latest/api/token HTTP/1.1\r\n"));
    assert_string_equal(server_header(stage.server, 0, "x-aws-ec2-metadata-token-ttl-seconds"),
                        "300");
    assert_true(asked(1, "GET /latest/meta-data/iam/security-credentials/ HTTP/1.1\r\n"));
    assert_string_equal(server_header(stage.server, 1, "x-aws-ec2-metadata-token"), "meta-token");
    assert_true(asked(2, "GET /latest/meta-data/iam/security-credentials/the-role HTTP/1.1\r\n"));
    assert_string_equal(server_header(stage.server, 2, "x-aws-ec2-metadata-token"), "meta-token");
    assert_true(signed_by(3, "ASIAINSTANCE"));
    assert_string_equal(server_header(stage.server, 3, "X-Amz-Security-Token"),
                        "token-of-ASIAINSTANCE");
    aws_client_status(stage.client, &status);
    assert_string_equal(status.credentials, "the instance's metadata service");
    assert_in_range(status.expires.us / SECOND_US - time(NULL), 3590, 3600);
}

static void one_fetch_is_enough_for_everybody(void **state)
{
    (void)state;
    set_instance();
    instance_pages(keys_json("ASIAINSTANCE", "Token", 3600));
    for (int i = 0; i < 9; i++)
        start(AWS_SSO_ADMIN, "X", NULL);
    run_for(10 * SECOND_US);
    assert_int_equal(stage.ended, 9);
    assert_int_equal(stage.result.outcome, AWS_OK);
    assert_int_equal(stage.server->n_asks, 3 + 9);
}

static void a_token_that_is_too_old_is_made_anew_once(void **state)
{
    (void)state;
    set_instance();
    page(0, 200, "old-token");
    page(1, 401, "");
    page(2, 200, "new-token");
    page(3, 200, "the-role");
    page(4, 200, keys_json("ASIAINSTANCE", "Token", 3600));
    page(5, 200, "{}");
    assert_int_equal(call_sso()->outcome, AWS_OK);
    assert_string_equal(server_header(stage.server, 4, "x-aws-ec2-metadata-token"), "new-token");
}

static void an_instance_in_trouble_is_asked_again(void **state)
{
    (void)state;
    set_instance();
    page(0, 503, "");
    page(1, 200, "meta-token");
    page(2, 200, "the-role");
    pages[3] = (struct page){.kind = PAGE_RESET};
    page(4, 200, keys_json("ASIAINSTANCE", "Token", 3600));
    page(5, 200, "{}");
    assert_int_equal(call_sso()->outcome, AWS_OK);
}

static void an_instance_without_credentials_says_why(void **state)
{
    (void)state;
    set_instance();
    set("AWS_METADATA_SERVICE_NUM_ATTEMPTS=1");
    page(0, 200, "meta-token");
    page(1, 404, "");
    fails_with("the instance has no instance profile");
}

static void an_instance_out_of_reach_says_what_to_do(void **state)
{
    (void)state;
    set_instance();
    set("AWS_METADATA_SERVICE_NUM_ATTEMPTS=1");
    pages[0] = (struct page){.kind = PAGE_SILENT};
    book(1);
    fails_with("HttpPutResponseHopLimit has to be 2");
}

static void an_instance_may_answer_anything(void **state)
{
    static const struct {
        const char *token, *role, *keys, *why;
    } CASES[] = {
        {"", "", "", "its token is none"},
        {"a b", "", "", "its token is none"},
        {"t", "", "", "it names no role"},
        {"t", "../../x", "", "it names no role"},
        {"t", "r", "", "it answered with no JSON object"},
        {"t", "r", "{\"Code\":\"Failed\"}", "it has none: Failed"},
        {"t", "r", "{\"AccessKeyId\":\"A\"}", "the secret access key is missing"},
    };

    (void)state;
    set_instance();
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        stage.server->turned = 0;
        page(0, 200, CASES[i].token);
        page(1, 200, CASES[i].role);
        page(2, 200, CASES[i].keys);
        fails_with(CASES[i].why);
    }
}

static void what_an_instance_cannot_renew_is_used_on(void **state)
{
    (void)state;
    set_instance();
    instance_pages(keys_json("ASIAINSTANCE", "Token", -60));
    assert_int_equal(call_sso()->outcome, AWS_OK);
    assert_true(signed_by(3, "ASIAINSTANCE"));
    assert_non_null(strstr(stage.said, "have expired; using them"));
}

/* ---- containers --------------------------------------------------------------------------------
 */

static void a_container_gives_its_own(void **state)
{
    (void)state;
    set("AWS_CONTAINER_CREDENTIALS_FULL_URI=http://localhost:%u/creds?id=1", stage.server->port);
    set("AWS_CONTAINER_AUTHORIZATION_TOKEN=Bearer x");
    page(0, 200, keys_json("ASIACONTAINER", "Token", 3600));
    page(1, 200, "{}");
    assert_int_equal(call_sso()->outcome, AWS_OK);
    assert_true(asked(0, "GET /creds?id=1 HTTP/1.1\r\n"));
    assert_string_equal(server_header(stage.server, 0, "Authorization"), "Bearer x");
    assert_true(signed_by(1, "ASIACONTAINER"));
}

static void a_containers_token_is_read_from_its_file_each_time(void **state)
{
    char *path = temporary("first\n");
    FILE *f;

    (void)state;
    set("AWS_CONTAINER_CREDENTIALS_FULL_URI=http://127.0.0.1:%u/", stage.server->port);
    set("AWS_CONTAINER_AUTHORIZATION_TOKEN=never");
    set("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE=%s", path);
    page(0, 200, keys_json("ASIA1", "Token", 3600));
    page(1, 400, "{\"__type\":\"ExpiredTokenException\"}");
    page(2, 200, keys_json("ASIA2", "Token", 3600));
    page(3, 200, "{}");
    start(AWS_SSO_ADMIN, "X", NULL);
    while (stage.server->n_asks < 2)
        assert_true(sd_event_run(stage.loop, UINT64_MAX) >= 0);
    f = fopen(path, "we");
    fputs("second", f);
    fclose(f);
    run_for(10 * SECOND_US);
    assert_int_equal(stage.result.outcome, AWS_OK);
    assert_string_equal(server_header(stage.server, 0, "Authorization"), "first");
    assert_string_equal(server_header(stage.server, 2, "Authorization"), "second");
    assert_true(signed_by(3, "ASIA2"));
    unlink(path);
    credentials_distrust(stage.client->credentials, 2);
    fails_with("No such file or directory");
}

static void a_container_far_away_is_not_asked_in_the_clear(void **state)
{
    (void)state;
    set("AWS_CONTAINER_CREDENTIALS_FULL_URI=http://192.0.2.1/");
    fails_with("without TLS only this machine, 169.254.170.2, 169.254.170.23");
}

/* ---- processes ---------------------------------------------------------------------------------
 */

static char *config_file;

static void set_process(const char *script)
{
    char *file = temporary(script), text[256];

    snprintf(text, sizeof text, "[default]\ncredential_process = /bin/sh %s 'a b'\n", file);
    config_file = temporary(text);
    set("AWS_CONFIG_FILE=%s", config_file);
    set("SCRIPT=%s", file);
}

static int end_process(void **state)
{
    unlink(config_file);
    unlink(lines[n_lines - 1] + strlen("SCRIPT="));
    return end(state);
}

static void a_process_prints_credentials(void **state)
{
    char script[1024];

    (void)state;
    snprintf(script, sizeof script,
             "test \"$1$AWS_REGION\" = 'a beu-west-1' || exit 9\n"
             "read x && exit 8\necho noise >&2\necho '%s'\n",
             keys_json("ASIAPROCESS", "SessionToken", 3600));
    set_process(script);
    page(0, 200, "{}");
    assert_int_equal(call_sso()->outcome, AWS_OK);
    assert_true(signed_by(0, "ASIAPROCESS"));
}

static void a_process_may_fail(void **state)
{
    (void)state;
    set_process("exit 3");
    fails_with("credential_process of profile \"default\": it ended with exit status 3");
}

static void a_process_may_be_killed(void **state)
{
    (void)state;
    set_process("kill -9 $$");
    fails_with("it ended with exit status 137");
}

static void a_process_may_print_garbage(void **state)
{
    (void)state;
    set_process("echo garbage");
    fails_with("it printed no JSON object");
}

static void a_process_may_print_without_end(void **state)
{
    (void)state;
    set_process("exec cat /dev/zero");
    fails_with("it printed too much");
}

static void a_process_may_not_be_there(void **state)
{
    (void)state;
    config_file = temporary("[default]\ncredential_process = /nonexistent/x\n");
    set("AWS_CONFIG_FILE=%s", config_file);
    set("SCRIPT=/nonexistent/x");
    fails_with("cannot start it: No such file or directory");
}

/* Dead, though perhaps nobody has taken notice yet. */
static bool is_gone(const char *pid)
{
    char path[64], stat[256] = "";

    snprintf(path, sizeof path, "/proc/%ld/stat", strtol(pid, NULL, 10));
    for (int i = 0; i < 250; i++) {
        FILE *f = fopen(path, "re");

        if (!f)
            return true;
        if (!fgets(stat, sizeof stat, f) || strstr(stat, ") Z "))
            i = 250;
        fclose(f);
        usleep(20000);
    }
    return strstr(stat, ") Z ") != NULL;
}

static void a_process_that_hangs_ends_with_the_client(void **state)
{
    char *mark = temporary(""), script[128], pid[16] = "";
    FILE *f;

    (void)state;
    snprintf(script, sizeof script, "sleep 600 & echo $! > %s\nwait\n", mark);
    set_process(script);
    start(AWS_SSO_ADMIN, "X", NULL);
    for (int i = 0; i < 100 && !pid[0]; i++) {
        run_for(SECOND_US / 10);
        f = fopen(mark, "re");
        if (!fgets(pid, sizeof pid, f))
            pid[0] = '\0';
        fclose(f);
    }
    assert_true(strtol(pid, NULL, 10) > 1);
    stage.client = aws_client_free(stage.client);
    stage.running = 0;
    assert_true(is_gone(pid)); /* what it had started, too */
    unlink(mark);
}

/* ---- roles -------------------------------------------------------------------------------------
 */

static void roles_are_assumed_one_by_the_other(void **state)
{
    struct aws_status status;

    (void)state;
    config_file = temporary("[profile a]\naws_access_key_id = AKIABASE\naws_secret_access_key = s\n"
                            "[profile b]\nrole_arn = arn:aws:iam::1:role/b\nsource_profile = a\n"
                            "external_id = e/x\nduration_seconds = 900\n"
                            "[profile c]\nrole_arn = arn:aws:iam::2:role/c\nsource_profile = b\n"
                            "role_session_name = me\n");
    set("AWS_CONFIG_FILE=%s", config_file);
    set("AWS_PROFILE=c");
    page(0, 200, keys_xml("AssumeRole", "ASIAB"));
    page(1, 200, keys_xml("AssumeRole", "ASIAC"));
    page(2, 200, "{}");
    assert_int_equal(call_sso()->outcome, AWS_OK);
    assert_true(signed_by(0, "AKIABASE"));
    assert_string_equal(ask_body(0), "Action=AssumeRole&Version=2011-06-15&RoleArn="
                                     "arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fb&RoleSessionName="
                                     "team-courier&ExternalId=e%2Fx&DurationSeconds=900");
    assert_true(signed_by(1, "ASIAB"));
    assert_string_equal(server_header(stage.server, 1, "X-Amz-Security-Token"), "token-of-ASIAB");
    assert_non_null(strstr(ask_body(1), "RoleSessionName=me"));
    assert_true(signed_by(2, "ASIAC"));
    aws_client_status(stage.client, &status);
    assert_non_null(strstr(status.credentials, "role arn:aws:iam::2:role/c by profile \"a\" in "));
    unlink(config_file);
}

static void a_role_may_be_refused(void **state)
{
    (void)state;
    config_file = temporary(
        "[default]\nrole_arn = arn:aws:iam::1:role/b\nsource_profile = default\n"
        "aws_access_key_id = AKIABASE\naws_secret_access_key = s\n");
    set("AWS_CONFIG_FILE=%s", config_file);
    page(0, 403,
         "<ErrorResponse><Error><Code>AccessDenied</Code><Message>not you</Message></Error>"
         "</ErrorResponse>");
    fails_with("AccessDenied: not you");
    stage.server->turned = 0;
    page(0, 200, "<AssumeRoleResponse><AssumeRoleResult/></AssumeRoleResponse>");
    fails_with("the access key id is missing");
    unlink(config_file);
}

/* Who asks STS waits for the role, and the role is asked for at STS: it has to overtake. */
static void a_role_is_assumed_before_those_who_wait_for_it(void **state)
{
    (void)state;
    config_file = temporary(
        "[default]\nrole_arn = arn:aws:iam::1:role/b\nsource_profile = default\n"
        "aws_access_key_id = AKIABASE\naws_secret_access_key = s\n");
    set("AWS_CONFIG_FILE=%s", config_file);
    page(0, 200, keys_xml("AssumeRole", "ASIAB"));
    page(1, 200, "<XResponse><XResult><a/></XResult></XResponse>");
    assert_int_equal(call(AWS_STS, "X", NULL)->outcome, AWS_OK);
    assert_true(signed_by(0, "AKIABASE"));
    assert_true(signed_by(1, "ASIAB"));
    unlink(config_file);
}

static void web_identity_is_asked_for_without_a_signature(void **state)
{
    char *path = temporary("eyJ.x.y\n");

    (void)state;
    set("AWS_WEB_IDENTITY_TOKEN_FILE=%s", path);
    set("AWS_ROLE_ARN=arn:aws:iam::1:role/w");
    page(0, 200, keys_xml("AssumeRoleWithWebIdentity", "ASIAWEB"));
    page(1, 200, "{}");
    assert_int_equal(call_sso()->outcome, AWS_OK);
    assert_string_equal(server_header(stage.server, 0, "Authorization"), "");
    assert_non_null(strstr(ask_body(0), "Action=AssumeRoleWithWebIdentity&"));
    assert_non_null(strstr(ask_body(0), "&WebIdentityToken=eyJ.x.y"));
    assert_true(signed_by(1, "ASIAWEB"));
    unlink(path);
    credentials_distrust(stage.client->credentials, 1);
    fails_with("No such file or directory");
}

/* ---- time --------------------------------------------------------------------------------------
 */

/* Lets the loop run, although no call is under way. */
static void wait_for(int64_t us)
{
    stage.running++;
    run_for(us);
    stage.running--;
}

static void credentials_are_renewed_before_they_end(void **state)
{
    (void)state;
    set_instance();
    instance_pages(keys_json("ASIA1", "Token", 6));
    page(4, 200, "meta-token");
    page(5, 200, "the-role");
    page(6, 200, keys_json("ASIA2", "Token", 3600));
    page(7, 200, "{}");
    assert_int_equal(call_sso()->outcome, AWS_OK);
    assert_int_equal(stage.server->n_asks, 4);
    wait_for(5 * SECOND_US);
    assert_int_equal(stage.server->n_asks, 7); /* though nobody asked */
    assert_int_equal(call_sso()->outcome, AWS_OK);
    assert_true(signed_by(7, "ASIA2"));
}

static void what_cannot_be_renewed_is_good_to_its_end(void **state)
{
    struct aws_status status;

    (void)state;
    set_instance();
    set("AWS_METADATA_SERVICE_NUM_ATTEMPTS=1");
    instance_pages(keys_json("ASIA1", "Token", 8));
    page(4, 403, "");
    page(5, 200, "{}");
    page(6, 403, "");
    assert_int_equal(call_sso()->outcome, AWS_OK);
    wait_for(5 * SECOND_US);
    assert_int_equal(stage.server->n_asks, 5);
    aws_client_status(stage.client, &status);
    assert_non_null(strstr(status.problem, "HTTP 403"));
    assert_non_null(strstr(stage.said, "credentials not refreshed"));
    assert_int_equal(call_sso()->outcome, AWS_OK);
    assert_true(signed_by(5, "ASIA1"));
    wait_for(4 * SECOND_US);
    fails_with("HTTP 403");
}

static void what_a_role_gives_may_have_ended_already(void **state)
{
    char script[512];

    (void)state;
    snprintf(script, sizeof script, "echo '%s'\n", keys_json("ASIAPROCESS", "SessionToken", -5));
    set_process(script);
    fails_with("what it gave has expired already");
}

/* ---- memory ------------------------------------------------------------------------------------
 */

/* The secret that the process below prints: 100101102...130. Made up while it is compared, so that
 * no other copy of it is in memory. */
static bool is_secret(const char *s, const char *end)
{
    for (int n = 100; n <= 130; n++, s += 3)
        if (end - s < 3 || s[0] != '0' + n / 100 || s[1] != '0' + n / 10 % 10 ||
            s[2] != '0' + n % 10)
            return false;
    return true;
}

/* How often it is in what this process can write to. The copy that is looked at is not counted. */
static unsigned secrets_in_memory(void)
{
    static const size_t CHUNK = 1 << 20;
    FILE *maps = fopen("/proc/self/maps", "re");
    int memory = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
    char line[512],
        *copy = mmap(NULL, CHUNK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    unsigned found = 0;

    assert_true(maps && memory >= 0 && copy != MAP_FAILED);
    while (fgets(line, sizeof line, maps)) {
        char *dash = strchr(line, '-');
        unsigned long at = strtoul(line, NULL, 16), end = strtoul(dash + 1, NULL, 16);

        if (!strstr(line, " rw") || (at <= (unsigned long)copy && (unsigned long)copy < end))
            continue;
        if (end - at > 64 * CHUNK) /* the sanitizers' shadow */
            continue;
        for (; at < end; at += CHUNK - 128) { /* one that lies across is seen in the next */
            ssize_t n = pread(memory, copy, CHUNK, (off_t)at);

            for (ssize_t i = 0; i < n && (i < (ssize_t)CHUNK - 128 || n < (ssize_t)CHUNK); i++)
                found += copy[i] == '1' && is_secret(copy + i, copy + n);
        }
    }
    munmap(copy, CHUNK);
    close(memory);
    fclose(maps);
    return found;
}

static void secrets_are_gone_from_memory(void **state)
{
    (void)state;
    set_process("printf '{\"Version\":1,\"AccessKeyId\":\"ASIAP\",\"SecretAccessKey\":\"%s\","
                "\"SessionToken\":\"t\"}' $(seq -s '' 100 130)");
    page(0, 200, "{}");
    assert_int_equal(secrets_in_memory(), 0);
    assert_int_equal(call_sso()->outcome, AWS_OK);
    assert_int_equal(secrets_in_memory(), 1); /* the one that is signed with */
    credentials_distrust(stage.client->credentials, 1);
    assert_int_equal(secrets_in_memory(), 0);
    assert_int_equal(call_sso()->outcome, AWS_OK);
    stage.client = aws_client_free(stage.client);
    assert_int_equal(secrets_in_memory(), 0);
}

#define TEST(f)    cmocka_unit_test_setup_teardown(f, begin_bare, end)
#define PROCESS(f) cmocka_unit_test_setup_teardown(f, begin_bare, end_process)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_instance_is_asked_with_a_token),
        TEST(one_fetch_is_enough_for_everybody),
        TEST(a_token_that_is_too_old_is_made_anew_once),
        TEST(an_instance_in_trouble_is_asked_again),
        TEST(an_instance_without_credentials_says_why),
        TEST(an_instance_out_of_reach_says_what_to_do),
        TEST(an_instance_may_answer_anything),
        TEST(what_an_instance_cannot_renew_is_used_on),
        TEST(a_container_gives_its_own),
        TEST(a_containers_token_is_read_from_its_file_each_time),
        TEST(a_container_far_away_is_not_asked_in_the_clear),
        PROCESS(a_process_prints_credentials),
        PROCESS(a_process_may_fail),
        PROCESS(a_process_may_be_killed),
        PROCESS(a_process_may_print_garbage),
        PROCESS(a_process_may_print_without_end),
        PROCESS(a_process_may_not_be_there),
        PROCESS(a_process_that_hangs_ends_with_the_client),
        TEST(roles_are_assumed_one_by_the_other),
        TEST(a_role_may_be_refused),
        TEST(a_role_is_assumed_before_those_who_wait_for_it),
        TEST(web_identity_is_asked_for_without_a_signature),
        TEST(credentials_are_renewed_before_they_end),
        TEST(what_cannot_be_renewed_is_good_to_its_end),
        PROCESS(secrets_are_gone_from_memory),
        PROCESS(what_a_role_gives_may_have_ended_already),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
