/* Calls AWS as the courier does, for the tests: what comes out is one line of JSON a call.
 *   awscall [--region R] [--attempts N] [--within SECONDS] [--times N] [--sometime]
 *           SERVICE OPERATION BODY
 *   awscall --status                    the credentials that there are, and no call
 * The environment is the client's. Log lines go to standard error. Exits 0 if every call was ok. */
#include "courier/aws.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static struct {
    sd_event *loop;
    struct aws_client *client;
    unsigned long left, failed;
} run;

static const char *const OUTCOMES[] = {
    [AWS_OK] = "ok",
    [AWS_REFUSED] = "refused",
    [AWS_THROTTLED] = "throttled",
    [AWS_BROKEN] = "broken",
    [AWS_UNREACHABLE] = "unreachable",
    [AWS_GARBLED] = "garbled",
    [AWS_NO_CREDENTIALS] = "no-credentials",
};

static void say(void *ctx, int priority, const char *line)
{
    (void)ctx;
    fprintf(stderr, "<%d>%s\n", priority, line);
}

static void print(json_t *o)
{
    json_dumpf(o, stdout, JSON_COMPACT | JSON_SORT_KEYS);
    putchar('\n');
    fflush(stdout);
    json_decref(o);
}

static void print_status(void)
{
    struct aws_status s;

    aws_client_status(run.client, &s);
    print(json_pack("{ss ss ss ss ss sI sI sI sI}", "region", s.region, "identity_center_region",
                    s.identity_center_region, "partition", s.partition, "credentials",
                    s.credentials, "problem", s.problem, "expires",
                    (json_int_t)(s.expires.us == NEVER_US ? 0 : s.expires.us / SECOND_US),
                    "clock_ahead", (json_int_t)(s.clock_ahead_us / SECOND_US), "sent",
                    (json_int_t)s.sent, "throttled", (json_int_t)s.throttled));
}

static void done(void *ctx, const struct aws_result *r)
{
    (void)ctx;
    print(json_pack("{ss si ss ss ss si sb sO?}", "outcome", OUTCOMES[r->outcome], "status",
                    r->status, "code", r->code, "message", r->message, "request_id", r->request_id,
                    "attempts", (int)r->attempts, "maybe_done", r->maybe_done, "answer",
                    r->answer));
    run.failed += r->outcome != AWS_OK;
    if (--run.left == 0)
        sd_event_exit(run.loop, 0);
}

static enum aws_service service_of(const char *name)
{
    for (int i = 1; i < AWS_SERVICES; i++)
        if (strcmp(aws_service_name((enum aws_service)i), name) == 0)
            return (enum aws_service)i;
    fprintf(stderr, "awscall: no service %s\n", name);
    exit(2);
}

static void call(char **args, const struct aws_options *o)
{
    json_t *body = json_loads(args[2], 0, NULL);
    int r = aws_call(run.client, service_of(args[0]), args[1], body, o, done, NULL, NULL);

    if (r < 0) {
        fprintf(stderr, "awscall: %s\n", strerror(-r));
        exit(2);
    }
}

int main(int argc, char **argv)
{
    static const struct option LONG[] = {{"region", required_argument, NULL, 'r'},
                                         {"attempts", required_argument, NULL, 'a'},
                                         {"within", required_argument, NULL, 'w'},
                                         {"times", required_argument, NULL, 't'},
                                         {"sometime", no_argument, NULL, 's'},
                                         {"status", no_argument, NULL, 'S'},
                                         {NULL, 0, NULL, 0}};
    struct aws_setup setup = {.environment = environ, .say = say};
    struct aws_options o = {.urgency = AWS_SOON};
    char why[AWS_TEXT_CAP];
    bool status = false;
    int c;

    run.left = 1;
    while ((c = getopt_long(argc, argv, "", LONG, NULL)) != -1) {
        switch (c) {
        case 'r':
            o.region = optarg;
            break;
        case 'a':
            o.attempts = (uint32_t)strtoul(optarg, NULL, 10);
            break;
        case 'w':
            o.within_us = (uint64_t)(strtod(optarg, NULL) * (double)SECOND_US);
            break;
        case 't':
            run.left = strtoul(optarg, NULL, 10);
            break;
        case 's':
            o.urgency = AWS_SOMETIME;
            break;
        case 'S':
            status = true;
            break;
        default:
            return 2;
        }
    }
    if (argc - optind != 3 && !(status && argc == optind))
        return 2;
    if (sd_event_default(&run.loop) < 0)
        return 2;
    if (aws_client_new(run.loop, &setup, &run.client, why) < 0) {
        fprintf(stderr, "awscall: %s\n", why);
        return 3;
    }
    if (argc - optind == 3) {
        for (unsigned long n = run.left; n > 0; n--)
            call(argv + optind, &o);
        sd_event_loop(run.loop);
    }
    if (status)
        print_status();
    aws_client_free(run.client);
    sd_event_unref(run.loop);
    return run.failed ? 1 : 0;
}
