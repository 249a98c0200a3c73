/* Any JSON as AWS's answers to what the courier asks: the directory, who we are, assignments. The
 * first line of an input says what is asked, each further one is an answer: JSON, "!Code message"
 * for a refusal, "~3" for another outcome. What comes out has the form that its header promises, a
 * grant is none without SUCCEEDED, and nothing is told after the end.
 *
 * The client is a stand-in. Timers run out at once.
 * LIBFUZZER: -max_len=4096 */
#include "fuzz/fuzz.h"

#include "courier/assignment_queue.h"
#include "courier/directory_parts.h"
#include "courier/identity.h"

#include <errno.h>
#include <team/text.h>

#define INSTANCE "arn:aws:sso:::instance/ssoins-1111222233334444"
#define SET_ARN  "arn:aws:sso:::permissionSet/ssoins-1111222233334444/ps-0000000000000001"

/* ---- the client ----------------------------------------------------------------------------- */

struct aws_call {
    aws_done done;
    void *ctx;
    struct aws_call *next;
};

static struct aws_call *waiting;
static char *answers;    /* what is left of them */
static char *seen;       /* all that were given, one after the other */
static unsigned n_lists; /* lists that were asked for */

int aws_call(struct aws_client *c, enum aws_service service, const char *operation, json_t *body,
             const struct aws_options *options, aws_done done, void *ctx, struct aws_call **ret)
{
    struct aws_call *call = calloc(1, sizeof *call), **at = &waiting;

    (void)c;
    must(json_is_object(body) && options && options->urgency <= AWS_SOMETIME, "a call is whole");
    must(service >= AWS_SSO_ADMIN && service <= AWS_STS, "a call is for a service");
    n_lists += strncmp(operation, "List", 4) == 0;
    json_decref(body);
    *call = (struct aws_call){.done = done, .ctx = ctx};
    while (*at)
        at = &(*at)->next;
    *at = call;
    *ret = call;
    return 0;
}

static void forget(struct aws_call *call)
{
    struct aws_call **at = &waiting;

    while (*at != call) {
        must(*at != NULL, "what is cancelled is under way");
        at = &(*at)->next;
    }
    *at = call->next;
    free(call);
}

struct aws_call *aws_cancel(struct aws_call *call)
{
    if (call)
        forget(call);
    return NULL;
}

const char *aws_service_name(enum aws_service service)
{
    (void)service;
    return "service";
}

/* One answer for the call that waits longest. */
static bool answer_one(void)
{
    struct aws_result result = {.outcome = AWS_OK};
    struct aws_call call;
    char *line = answers;
    size_t n;

    if (!waiting || !*answers)
        return false;
    n = strcspn(line, "\n");
    answers += n + (line[n] == '\n');
    strncat(seen, line, n + 1);
    if (line[0] == '!') {
        size_t code = strcspn(line + 1, " \n");

        result.outcome = AWS_REFUSED;
        text_make_plain(result.code, sizeof result.code, line + 1, code);
        if (1 + code < n)
            text_make_plain(result.message, sizeof result.message, line + 1 + code, n - 1 - code);
    } else if (line[0] == '~') {
        result.outcome = (enum aws_outcome)(AWS_THROTTLED + (unsigned char)line[1] % 5);
    } else {
        result.answer = json_loadb(line, n, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
        if (!json_is_object(result.answer)) {
            json_decref(result.answer);
            result.answer = NULL;
            result.outcome = AWS_GARBLED;
        }
    }
    call = *waiting;
    forget(waiting);
    call.done(call.ctx, &result);
    json_decref(result.answer);
    return true;
}

/* ---- what is told --------------------------------------------------------------------------- */

static bool over;

static void plain(const char *s)
{
    must(text_is_plain(s, strlen(s)), "a text is printable");
}

static void on_dir_row(void *ctx, const struct directory_row *row)
{
    (void)ctx;
    must(!over, "no row comes after the end");
    plain(row->id);
    plain(row->name);
    plain(row->parent);
    switch (row->kind) {
    case DIRECTORY_UNIT:
        must(aws_unit_fits(row->id), "a unit has an id");
        must(!row->parent[0] || aws_unit_fits(row->parent), "and one above it, or none");
        break;
    case DIRECTORY_ACCOUNT:
        must(aws_account_fits(row->id) && aws_unit_fits(row->parent), "an account is in a unit");
        break;
    case DIRECTORY_SET:
        must(aws_set_fits(row->id) && (row->session_s > 0 || row->unchanged),
             "a set has a session");
        break;
    case DIRECTORY_USER:
    case DIRECTORY_GROUP:
        must(aws_principal_fits(row->id) && row->name[0], "people have names");
        break;
    case DIRECTORY_MEMBER:
        must(aws_principal_fits(row->id) && aws_principal_fits(row->parent),
             "a member is somebody");
        break;
    }
}

static void failed(const struct aws_failure *failure)
{
    char text[AWS_FAILURE_CAP];

    if (failure) {
        aws_failure_text(failure, text);
        must(text[0] != '\0', "a failure has a text");
        plain(text);
    }
}

static void on_part(void *ctx, enum directory_part part, const struct aws_failure *failure,
                    uint32_t left_out)
{
    (void)ctx;
    (void)left_out;
    must(part != 0 && !over, "a part is one");
    failed(failure);
}

static void on_dir_done(void *ctx)
{
    (void)ctx;
    over = true;
}

static void on_place(void *ctx, const struct aws_place *place, const struct aws_failure *failure)
{
    (void)ctx;
    must(!over, "the end comes once");
    over = true;
    failed(failure);
    if (!failure)
        must(aws_account_fits(place->account) && aws_account_fits(place->management) &&
                 aws_instance_fits(place->instance) && aws_store_fits(place->store),
             "a place is whole");
}

static void on_account(void *ctx, const char *account)
{
    (void)ctx;
    must(aws_account_fits(account) && !over, "an account is one");
}

static void on_accounts(void *ctx, const struct aws_failure *failure)
{
    (void)ctx;
    over = true;
    failed(failure);
}

static void on_done(void *ctx, const struct assignment_result *result)
{
    (void)ctx;
    must(!over, "the end comes once");
    over = true;
    plain(result->text);
    must((result->outcome == ASSIGNMENT_FAILED) == (result->text[0] != '\0'),
         "a failure has a text");
    if (result->outcome == ASSIGNMENT_GRANTED)
        must(strstr(seen, "SUCCEEDED") != NULL, "a grant is none before AWS says so");
    if (result->outcome == ASSIGNMENT_GONE)
        must(strstr(seen, "SUCCEEDED") != NULL || n_lists >= 2, "gone is what was looked for");
    if (result->outcome == ASSIGNMENT_THERE)
        must(strstr(seen, "a-1") || strchr(seen, '\\'), "there is what was seen");
}

static void on_waits(void *ctx, enum assignment_why why, const char *text)
{
    (void)ctx;
    must(why != ASSIGNMENT_FINE && text[0] && !over, "there is a reason to wait");
    plain(text);
}

static void on_row(void *ctx, const struct assignment *a)
{
    (void)ctx;
    must(aws_principal_fits(a->principal) && !over, "somebody has the set");
}

/* ---- what is asked -------------------------------------------------------------------------- */

/* Instead of the library's. */
int sd_event_add_time_relative(sd_event *loop, sd_event_source **ret, clockid_t clock,
                               uint64_t usec, uint64_t accuracy, sd_event_time_handler_t then,
                               void *ctx)
{
    (void)usec;
    (void)accuracy;
    return sd_event_add_time(loop, ret, clock, 0, 1, then, ctx);
}

static void try_assignment(enum assignment_step step)
{
    struct assignment a = {
        .account = "111122223333", .set = SET_ARN, .kind = AWS_USER, .principal = "a-1"};
    struct assignment_calls calls = {on_done, on_waits, on_row, NULL};
    struct assignments *all = NULL;
    sd_event *loop = NULL;

    must(sd_event_new(&loop) >= 0 && assignments_new(loop, NULL, INSTANCE, &all) == 0, "a queue");
    must(assignment_start(all, step, &a, &calls, NULL) == 0, "a step");
    do {
        while (!waiting && !over)
            must(sd_event_run(loop, 100000) > 0, "a step that has not ended goes on");
    } while (!over && answer_one());
    assignments_free(all);
    sd_event_unref(loop);
}

static void try_sync(unsigned parts)
{
    struct directory_calls calls = {on_dir_row, on_part, on_dir_done, NULL, NULL, NULL};
    struct aws_place place = {.management = "999988887777", .instance = INSTANCE, .store = "d-1"};
    struct directory_sync *sync = NULL;

    must(directory_sync(NULL, &place, parts, &calls, &sync) == 0, "it begins");
    while (answer_one())
        ;
    directory_sync_free(sync);
}

static void try_place(void)
{
    struct aws_place_op *op = NULL;

    must(aws_place_find(NULL, on_place, NULL, &op) == 0, "it begins");
    while (answer_one())
        ;
    if (!over)
        aws_place_cancel(op);
}

static void try_provisioned(void)
{
    struct provisioned_calls calls = {on_account, on_accounts, NULL};
    struct provisioned_op *op = NULL;

    must(provisioned_list(NULL, INSTANCE, SET_ARN, &calls, &op) == 0, "it begins");
    while (answer_one())
        ;
    if (!over)
        provisioned_cancel(op);
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t len)
{
    static const struct {
        const char *word;
        unsigned parts;
        enum assignment_step step;
    } WORDS[] = {
        {"accounts", DIRECTORY_ACCOUNTS, 0},
        {"sets", DIRECTORY_SETS, 0},
        {"users", DIRECTORY_USERS, 0},
        {"groups", DIRECTORY_GROUPS, 0},
        {"all", DIRECTORY_ALL, 0},
        {"look-up", 0, ASSIGNMENT_LOOK_UP},
        {"grant", 0, ASSIGNMENT_GRANT},
        {"remove", 0, ASSIGNMENT_REMOVE},
        {"list", 0, ASSIGNMENT_LIST},
        {"place", 0, 0},
        {"provisioned", 0, 0},
    };
    struct fuel fuel = {input, len};
    char *text = take_string(&fuel, len);
    size_t n = strcspn(text, "\n");

    answers = text + n + (text[n] == '\n');
    seen = calloc(1, len + 2);
    over = false;
    n_lists = 0;
    for (size_t i = 0; i < sizeof WORDS / sizeof WORDS[0]; i++) {
        if (strlen(WORDS[i].word) != n || memcmp(WORDS[i].word, text, n) != 0)
            continue;
        if (WORDS[i].parts)
            try_sync(WORDS[i].parts);
        else if (WORDS[i].step)
            try_assignment(WORDS[i].step);
        else if (text[1] == 'l')
            try_place();
        else
            try_provisioned();
    }
    must(waiting == NULL, "nothing stays under way");
    free(seen);
    free(text);
    return 0;
}
