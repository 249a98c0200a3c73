/* The signer: AWS's own example, vectors of awslabs where they lie beside the checkout, and what
 * has to be refused. tests/system/aws_signatures.sh compares it with botocore. */
#include "courier/sigv4.h"

#include <dirent.h>
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <cmocka.h>

static const char SECRET[] = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

/* The example of the documentation, step by step. */
static void the_documentation_example(void **state)
{
    static const struct sigv4_header HEADERS[] = {
        {"Host", "iam.amazonaws.com"},
        {"Content-Type", "application/x-www-form-urlencoded; charset=utf-8"},
        {"X-Amz-Date", "20150830T123600Z"},
    };
    static const struct sigv4_request REQUEST = {
        .method = "GET",
        .path = "/",
        .query = "Action=ListUsers&Version=2010-05-08",
        .headers = HEADERS,
        .n_headers = 3,
    };
    static const struct sigv4_scope SCOPE = {
        .region = "us-east-1", .service = "iam", .now = {1440938160 * SECOND_US}};
    char canonical[4096], names[256], to_sign[512], out[512];
    struct text c = text_over(canonical, sizeof canonical), n = text_over(names, sizeof names),
                s = text_over(to_sign, sizeof to_sign), a = text_over(out, sizeof out);

    (void)state;
    assert_true(sigv4_canonical(&REQUEST, &c, &n));
    sigv4_string_to_sign(canonical, &SCOPE, &s);
    assert_string_equal(to_sign,
                        "AWS4-HMAC-SHA256\n20150830T123600Z\n20150830/us-east-1/iam/aws4_request\n"
                        "f536975d06c0309214f805bb90ccff089219ecd68b2577efef23edd43b7e1a59");
    assert_true(sigv4_sign(&REQUEST, &SCOPE, "AKIDEXAMPLE", SECRET, &a));
    assert_string_equal(
        out, "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, "
             "SignedHeaders=content-type;host;x-amz-date, "
             "Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7");
}

/* ---- forms -------------------------------------------------------------------------------------
 */

static void canonical_of(const char *path, const char *query, char out[4096])
{
    static const struct sigv4_header HOST = {"host", "h"};
    struct sigv4_request r = {.method = "GET", .path = path, .query = query, .headers = &HOST};
    char names[64];
    struct text t = text_over(out, 4096), n = text_over(names, sizeof names);

    r.n_headers = 1;
    assert_true(sigv4_canonical(&r, &t, &n));
    *strstr(out, "\nhost:") = '\0';
}

static void paths_and_queries_have_one_form(void **state)
{
    static const struct {
        const char *path, *query, *canonical;
    } CASES[] = {
        {"", "", "GET\n/\n"},
        {"/", "", "GET\n/\n"},
        {"/a//b/./c/../d", "", "GET\n/a/b/d\n"},
        {"/a/", "", "GET\n/a/\n"},
        {"/a/..", "", "GET\n/\n"},
        {"/../..", "", "GET\n/\n"},
        {"/a/b/..", "", "GET\n/a/\n"},
        {"/a/b/.", "", "GET\n/a/b/\n"},
        {"/a%20b", "", "GET\n/a%2520b\n"},
        {"/a b~c", "", "GET\n/a%20b~c\n"},
        {"/", "b=2&a=1", "GET\n/\na=1&b=2"},
        {"/", "a=2&a=10&a", "GET\n/\na=&a=10&a=2"},
        {"/", "&&a=1&", "GET\n/\na=1"},
        {"/", "a=%2f%zz%4", "GET\n/\na=%2F%25zz%254"},
        {"/", "a=b=c", "GET\n/\na=b%3Dc"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        char out[4096];

        canonical_of(CASES[i].path, CASES[i].query, out);
        assert_string_equal(out, CASES[i].canonical);
    }
}

static void dates_are_written_as_aws_reads_them(void **state)
{
    static const struct {
        int64_t seconds;
        const char *text;
    } CASES[] = {
        {0, "19700101T000000Z"},          {1440938160, "20150830T123600Z"},
        {1709164799, "20240228T235959Z"}, {1709164800, "20240229T000000Z"},
        {4102444800, "21000101T000000Z"},
    };
    char out[SIGV4_DATE_CAP];

    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        sigv4_date((struct wall){CASES[i].seconds * SECOND_US + 999999}, out);
        assert_string_equal(out, CASES[i].text);
    }
}

static void too_much_is_refused_and_never_signed_in_part(void **state)
{
    static const struct sigv4_scope SCOPE = {.region = "us-east-1", .service = "x"};
    static struct sigv4_header headers[SIGV4_HEADERS_MAX + 1];
    static char large[SIGV4_CANONICAL_CAP], long_secret[400];
    struct sigv4_request r = {.method = "GET", .path = "/", .query = "", .headers = headers};
    char out[512], many[1024] = "";
    struct text a = text_over(out, sizeof out);

    (void)state;
    for (size_t i = 0; i <= SIGV4_HEADERS_MAX; i++)
        headers[i] = (struct sigv4_header){"x", "y"};
    r.n_headers = SIGV4_HEADERS_MAX + 1;
    assert_false(sigv4_sign(&r, &SCOPE, "a", "s", &a));
    r.n_headers = 1;
    memset(large, 'a', sizeof large - 1);
    r.path = large;
    assert_false(sigv4_sign(&r, &SCOPE, "a", "s", &a));
    r.path = "/";
    r.query = large;
    assert_false(sigv4_sign(&r, &SCOPE, "a", "s", &a));
    for (size_t i = 0; i <= SIGV4_PAIRS_MAX; i++)
        memcpy(many + 2 * i, "a&", 3);
    r.query = many;
    assert_false(sigv4_sign(&r, &SCOPE, "a", "s", &a));
    r.query = "";
    memset(long_secret, 's', sizeof long_secret - 1);
    assert_false(sigv4_sign(&r, &SCOPE, "a", long_secret, &a));
    assert_string_equal(out, "");
    assert_true(sigv4_sign(&r, &SCOPE, "a", "s", &a));
    a = text_over(out, 40);
    assert_false(sigv4_sign(&r, &SCOPE, "a", "s", &a));
}

/* ---- the vectors of awslabs --------------------------------------------------------------------
 */

static const char *vectors_dir(void)
{
    static const char *const PLACES[] = {"../shared/data/sigv4", "../../shared/data/sigv4"};
    struct stat st;

    for (size_t i = 0; i < sizeof PLACES / sizeof PLACES[0]; i++)
        if (stat(PLACES[i], &st) == 0 && S_ISDIR(st.st_mode))
            return PLACES[i];
    return NULL;
}

static char *read_file(const char *dir, const char *name, const char *file)
{
    char path[512], *text = calloc(1, 16384);
    FILE *f;

    snprintf(path, sizeof path, "%s/%s/%s", dir, name, file);
    f = fopen(path, "re");
    if (!f || !text)
        fail_msg("cannot read %s", path);
    text[fread(text, 1, 16383, f)] = '\0';
    fclose(f);
    return text;
}

/* A request as it goes over the wire, raw blanks in its path included. Cuts `text` up. */
struct parsed {
    struct sigv4_request request;
    struct sigv4_header headers[SIGV4_HEADERS_MAX];
};

static void parse_headers(struct parsed *p, char *s)
{
    while (*s) {
        char *end = strchr(s, '\n'), *value = strchr(s, ':');

        while (end && (end[1] == ' ' || end[1] == '\t')) /* goes on in the next line */
            end = strchr(end + 1, '\n');
        if (end)
            *end = '\0';
        *value = '\0';
        p->headers[p->request.n_headers++] = (struct sigv4_header){s, value + 1};
        s = end ? end + 1 : s + strlen(s) + strlen(value + 1) + 1;
        if (!end)
            break;
    }
}

static void parse_request(struct parsed *p, char *text)
{
    char *line_end = strchr(text, '\n'), *body = strstr(text, "\n\n"), *http, *query;

    if (body) {
        *body = '\0';
        p->request.body = body + 2;
        p->request.body_len = strlen(body + 2);
    }
    if (line_end)
        *line_end = '\0';
    http = strstr(text, " HTTP/1.1");
    *http = '\0';
    p->request.method = text;
    p->request.path = strchr(text, ' ') + 1;
    *strchr(text, ' ') = '\0';
    query = strchr(p->request.path, '?');
    p->request.query = query ? query + 1 : "";
    if (query)
        *query = '\0';
    if (line_end)
        parse_headers(p, line_end + 1);
}

static void add_header(struct parsed *p, const char *name, const char *value)
{
    p->headers[p->request.n_headers++] = (struct sigv4_header){name, value};
}

static bool yes(const json_t *context, const char *name)
{
    return json_is_true(json_object_get(context, name));
}

static const char *string(const json_t *object, const char *name)
{
    return json_string_value(json_object_get(object, name));
}

static void one_vector(const char *dir, const char *name)
{
    char *request = read_file(dir, name, "request.txt"),
         *context_text = read_file(dir, name, "context.json"),
         *wanted_canonical = read_file(dir, name, "header-canonical-request.txt"),
         *wanted_to_sign = read_file(dir, name, "header-string-to-sign.txt"),
         *wanted_signature = read_file(dir, name, "header-signature.txt");
    json_t *context = json_loads(context_text, 0, NULL),
           *credentials = json_object_get(context, "credentials");
    const char *token = string(credentials, "token");
    struct sigv4_scope scope = {.region = string(context, "region"),
                                .service = string(context, "service"),
                                .now = {1440938160 * SECOND_US}};
    struct parsed p = {.request.headers = p.headers};
    char canonical[8192], names[512], to_sign[512], authorization[1024];
    struct text c = text_over(canonical, sizeof canonical), n = text_over(names, sizeof names),
                s = text_over(to_sign, sizeof to_sign),
                a = text_over(authorization, sizeof authorization);

    assert_non_null(context);
    parse_request(&p, request);
    p.request.keep_path = !yes(context, "normalize");
    add_header(&p, "X-Amz-Date", "20150830T123600Z");
    if (token && !yes(context, "omit_session_token"))
        add_header(&p, "X-Amz-Security-Token", token);
    if (yes(context, "sign_body"))
        add_header(&p, "X-Amz-Content-Sha256", strrchr(wanted_canonical, '\n') + 1);
    assert_true(sigv4_canonical(&p.request, &c, &n));
    sigv4_string_to_sign(canonical, &scope, &s);
    assert_true(sigv4_sign(&p.request, &scope, string(credentials, "access_key_id"),
                           string(credentials, "secret_access_key"), &a));
    if (strcmp(canonical, wanted_canonical) != 0 || strcmp(to_sign, wanted_to_sign) != 0 ||
        strcmp(strstr(authorization, "Signature=") + strlen("Signature="), wanted_signature) != 0)
        fail_msg("%s:\n%s\ninstead of\n%s", name, canonical, wanted_canonical);
    json_decref(context);
    free(request);
    free(context_text);
    free(wanted_canonical);
    free(wanted_to_sign);
    free(wanted_signature);
}

static void the_vectors_of_awslabs(void **state)
{
    const char *dir = vectors_dir();
    DIR *d = opendir(dir);
    const struct dirent *e;
    unsigned n = 0;

    (void)state;
    assert_non_null(d);
    while ((e = readdir(d)))
        if (e->d_name[0] != '.') {
            one_vector(dir, e->d_name);
            n++;
        }
    closedir(d);
    assert_in_range(n, 38, 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_documentation_example),
        cmocka_unit_test(paths_and_queries_have_one_form),
        cmocka_unit_test(dates_are_written_as_aws_reads_them),
        cmocka_unit_test(too_much_is_refused_and_never_signed_in_part),
    };
    const struct CMUnitTest vectors[] = {cmocka_unit_test(the_vectors_of_awslabs)};

    /* Not a skip where they are not: they are somebody else's, and botocore judges all the same. */
    return cmocka_run_group_tests(tests, NULL, NULL) +
           (vectors_dir() ? cmocka_run_group_tests(vectors, NULL, NULL) : 0);
}
