/* The pure parts of the client for judges in other languages: a line of JSON in, a line out.
 *   pure sign       {method, path, query, headers: [[name, value]...], body, region, service, time,
 *                    id, secret}: the value of Authorization
 *   pure endpoint   {service, region, fips, dual_stack}: "HOST SIGNING-REGION"
 *   pure plan       nothing: what the environment and its files make of credentials */
#include "courier/endpoint.h"
#include "courier/plan.h"
#include "courier/sigv4.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const char *string(const json_t *o, const char *name)
{
    const char *s = json_string_value(json_object_get(o, name));

    return s ? s : "";
}

static void sign(const json_t *o)
{
    const json_t *headers = json_object_get(o, "headers"), *pair;
    struct sigv4_header all[SIGV4_HEADERS_MAX];
    struct sigv4_scope scope = {
        string(o, "region"),
        string(o, "service"),
        {json_integer_value(json_object_get(o, "time")) * SECOND_US},
    };
    struct sigv4_request r = {.method = string(o, "method"),
                              .path = string(o, "path"),
                              .query = string(o, "query"),
                              .headers = all,
                              .body = string(o, "body"),
                              .body_len = json_string_length(json_object_get(o, "body"))};
    char out[2048];
    struct text t = text_over(out, sizeof out);

    for (size_t i = 0; i < json_array_size(headers) && i < SIGV4_HEADERS_MAX; i++) {
        pair = json_array_get(headers, i);
        all[r.n_headers++] = (struct sigv4_header){json_string_value(json_array_get(pair, 0)),
                                                   json_string_value(json_array_get(pair, 1))};
    }
    puts(sigv4_sign(&r, &scope, string(o, "id"), string(o, "secret"), &t) ? out : "refused");
}

static void endpoint(const json_t *o)
{
    struct endpoint_wish wish = {.region = string(o, "region"),
                                 .fips = json_is_true(json_object_get(o, "fips")),
                                 .dual_stack = json_is_true(json_object_get(o, "dual_stack"))};
    struct endpoint e;
    char why[AWS_TEXT_CAP];

    for (int s = 1; s < AWS_SERVICES; s++)
        if (strcmp(aws_service_name((enum aws_service)s), string(o, "service")) == 0) {
            if (endpoint_find((enum aws_service)s, &wish, &e, why))
                printf("%s %s\n", e.host, e.region);
            else
                puts(why);
            return;
        }
    puts("no such service");
}

/* "KEY-OR-COMMAND > ROLE-ARN+EXTERNAL-ID > ...", or "error: why" */
static int plan(void)
{
    struct files files;
    struct plan *p = NULL;
    char why[AWS_TEXT_CAP];
    int r = files_read(environ, &files, why);

    if (r < 0) {
        printf("error: %s\n", why);
        return 0;
    }
    r = plan_new(environ, &files, NULL, &p, why);
    if (r < 0) {
        printf("error: %s\n", why);
        files_free(&files);
        return 0;
    }
    printf("%s", p->source == PLAN_KEYS      ? p->keys.id
                 : p->source == PLAN_PROCESS ? p->command
                                             : p->told);
    for (size_t i = 0; i < p->n_roles; i++)
        printf(" > %s+%s", p->roles[i].arn, p->roles[i].external_id);
    putchar('\n');
    plan_free(p);
    files_free(&files);
    return 0;
}

int main(int argc, char **argv)
{
    char *line = NULL;
    size_t cap = 0;

    if (argc != 2)
        return 2;
    if (strcmp(argv[1], "plan") == 0)
        return plan();
    while (getline(&line, &cap, stdin) > 0) {
        json_t *o = json_loads(line, JSON_ALLOW_NUL, NULL);

        if (strcmp(argv[1], "sign") == 0)
            sign(o);
        else
            endpoint(o);
        json_decref(o);
    }
    free(line);
    return 0;
}
