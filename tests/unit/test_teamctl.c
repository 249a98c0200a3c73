/* The built teamctl against a teamd that says what is written here: what each verb asks, how each
 * answer is shown, and with which code it exits. GOLDEN=write writes the golden files anew. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "unit/fake_teamd.h"

/* ---- what teamd says --------------------------------------------------------------------------
 */

/* 2033-05-18 03:33:20 UTC and later: never today. */
#define AT(s) "20000" s "000000"

#define PENDING_ROW                                                                           \
    "{ID=K7QF2M9X REQUESTER=alice STATE=pending"                                              \
    " TARGET{TARGET_NAME=host:bastion-1/sudo STATE=waiting} REASON='rotate the certificates'" \
    " TICKET=CHG-1 REQUESTED_AT=" AT("00000") " DURATION_S=5400 APPROVAL_REQUIRED=1"          \
                                              " WAITING_FOR=bob WAITING_FOR=carol HOST=bastion-1}"
#define ACTIVE_ROW                                                                                \
    "{ID=2ABC3DEF REQUESTER=bob STATE=active TARGET{TARGET_NAME=host:bastion-1/sudo STATE=open}"  \
    " TARGET{TARGET_NAME=host:bastion-1/ssh STATE=open} REASON='a slow disk, \"sdb\"'"            \
    " REQUESTED_AT=" AT("00100") " REQUESTED_START=" AT(                                          \
        "00200") " DURATION_S=3600"                                                               \
                 " ACTIVE_FROM=" AT("00300") " ACTIVE_UNTIL=" AT(                                 \
                     "03900") " APPROVAL_REQUIRED=1"                                              \
                              " DECISION_MADE{BY=carol AT=" AT(                                   \
                                  "00150") " DECISION=approved COMMENT='go ahead' ABOUT=request}" \
                                           " DECISION_MADE{BY=erin AT=" AT(                       \
                                               "00160") " DECISION=approved ABOUT=request}"       \
                                                        " WAITING_FOR=carol"                      \
                                                        " EXTENSION{FOR_S=1800 REASON='the "      \
                                                        "rebuild is slow'"                        \
                                                        " REQUESTED_AT=" AT(                      \
                                                            "01000") " WAITING_FOR=carol} "       \
                                                                     "HOST=bastion-1}"
#define HOSTILE_ROW                                                                          \
    "{ID=00000000 REQUESTER=mallory STATE=revoked"                                           \
    " TARGET{TARGET_NAME=host:bastion-1/sudo STATE=closed} REASON='=cmd|/C calc'"            \
    " TICKET=@SUM REQUESTED_AT=" AT("00000") " DURATION_S=60 ENDED_AT=" AT(                  \
        "00060") " "                                                                         \
                 "APPROVAL_REQUIRED=0"                                                       \
                 " DECISION_MADE{BY=bob AT=" AT(                                             \
                     "00001") " DECISION=rejected COMMENT='; =1+1, \"x\"' "                  \
                              "ABOUT=request}"                                               \
                              " REVOKED_BY=root REVOKE_COMMENT='＝1+1' FAILURE='  +1 | 2' " \
                              "HOST=bastion-1}"

#define REQUESTS "ROWS REQUEST " PENDING_ROW ACTIVE_ROW
#define SESSIONS                                                                                 \
    "ROWS SESSION {SESSION=17 ID=2ABC3DEF USER=bob SERVICE=sudo TARGET_USER=root TTY=/dev/pts/3" \
    " RHOST=192.0.2.7 STATE=live LEADER=4242 STARTED_AT=" AT(                                    \
        "00400") " COMMAND='apt upgrade' LOGIN_UID=2002 AUDIT_SESSION=5 CONTAINED=1 ESCAPED=0}"  \
                 "{SESSION=16 ID=2ABC3DEF USER=bob SERVICE=sudo STATE=ended LEADER=4200 "        \
                 "STARTED_AT=" AT("00350") " ENDED_AT=" AT("00360") " ENDED_HOW=killed}"
#define TARGETS                                                                                    \
    "ROWS TARGET {TARGET_NAME=host:bastion-1/sudo FOR_S=14400 APPROVAL_REQUIRED=1 WAITING_FOR=bob" \
    " WAITING_FOR=carol POLICY=sre TICKET=CHG-1}"                                                  \
    "{TARGET_NAME=host:bastion-1/ssh FOR_S=3600 APPROVAL_REQUIRED=0 POLICY='day shift'}"
#define LOG_SESSIONS                                                                             \
    "ROWS SESSION {SESSION=16 ID=2ABC3DEF USER=alice SERVICE=sudo TARGET_USER=root STATE=ended " \
    "LEADER=4200 STARTED_AT=" AT("00050") " ENDED_AT=" AT(                                       \
        "00125") " ENDED_HOW=killed COMMAND='systemctl restart x'}"
#define LOG_COLLECTED                                                                          \
    "ROWS COLLECTED {TARGET_NAME=aws:111122223333/Admin UNTIL=" AT(                            \
        "00000") " CALLS=6 CHANGES=2 FAULTS=1 GAPS=1}{TARGET_NAME=aws:222233334444/Read TEXT=" \
                 "'not collected: it has not been open'}"
#define WHOSE                                                                               \
    " USER=alice ID=2ABC3DEF TARGET_NAME=aws:111122223333/Admin ACCOUNT=111122223333"       \
    " ACCOUNT_NAME='Prod M\xc3\xbcnchen' EVENT_SOURCE=ec2.amazonaws.com ADDRESS=192.0.2.7 " \
    "REGION=eu-west-1}"
#define LOG_CALLS                                                                                  \
    "ROWS ACTIVITY {KIND=call AT=" AT(                                                             \
        "00100") " EVENT_ID=e1 EVENT_NAME=DescribeInstances"                                       \
                 " READ_ONLY=1" WHOSE "{KIND=call AT=" AT(                                         \
                     "00101") " EVENT_ID=e2 EVENT_NAME=ListBuckets READ_ONLY=1" WHOSE              \
                              "{KIND=call AT=" AT(                                                 \
                                  "00101") " EVENT_ID=e3 EVENT_NAME=DescribeInstances "            \
                                           "READ_ONLY=1" WHOSE "{KIND=call AT=" AT(                \
                                               "00110") " EVENT_ID=e4 "                            \
                                                        "EVENT_NAME=TerminateInstances "           \
                                                        "RESOURCE=i-1"                             \
                                                        " ERROR=AccessDenied READ_ONLY=0 "         \
                                                        "RAW='{\"a\":1}' ALSO=7ZZZZZZ0" WHOSE      \
                                                        "{KIND=gap AT=" AT("00120") " UNTIL=" AT(  \
                                                            "00540") " TEXT='AWS says: slower' "   \
                                                                     "USER=alice"                  \
                                                                     " ID=2ABC3DEF "               \
                                                                     "TARGET_NAME=aws:"            \
                                                                     "111122223333/Admin "         \
                                                                     "ACCOUNT=111122223333}"       \
                                                                     "{KIND=call AT=" AT(          \
                                                                         "00130") " EVENT_ID=e5 "  \
                                                                                  "EVENT_NAME="    \
                                                                                  "GetObject "     \
                                                                                  "READ_ONLY="     \
                                                                                  "1" WHOSE        \
                                                                                  "{KIND=call "    \
                                                                                  "AT=" AT(        \
                                                                                      "00140") " " \
                                                                                               "E" \
                                                                                               "V" \
                                                                                               "E" \
                                                                                               "N" \
                                                                                               "T" \
                                                                                               "_" \
                                                                                               "I" \
                                                                                               "D" \
                                                                                               "=" \
                                                                                               "e" \
                                                                                               "6" \
                                                                                               " " \
                                                                                               "E" \
                                                                                               "V" \
                                                                                               "E" \
                                                                                               "N" \
                                                                                               "T" \
                                                                                               "_" \
                                                                                               "N" \
                                                                                               "A" \
                                                                                               "M" \
                                                                                               "E" \
                                                                                               "=" \
                                                                                               "P" \
                                                                                               "u" \
                                                                                               "t" \
                                                                                               "O" \
                                                                                               "b" \
                                                                                               "j" \
                                                                                               "e" \
                                                                                               "c" \
                                                                                               "t" \
                                                                                               " " \
                                                                                               "R" \
                                                                                               "E" \
                                                                                               "A" \
                                                                                               "D" \
                                                                                               "_" \
                                                                                               "O" \
                                                                                               "N" \
                                                                                               "L" \
                                                                                               "Y" \
                                                                                               "=" \
                                                                                               "0" WHOSE
#define LOG_TELLING                                           \
    "ROWS ACTIVITY {KIND=call AT=" AT(                        \
        "00110") " EVENT_ID=e4 EVENT_NAME=TerminateInstances" \
                 " RESOURCE=i-1 ERROR=AccessDenied READ_ONLY=0 ALSO=7ZZZZZZ0" WHOSE
#define AWS_ROW                                                                                    \
    "{ID=2ABC3DEF REQUESTER=alice STATE=active TARGET{TARGET_NAME=host:bastion-1/sudo STATE=open}" \
    " TARGET{TARGET_NAME=aws:011122223333/Admin STATE=open ACCOUNT=011122223333"                   \
    " ACCOUNT_NAME='Prod M\xc3\xbcnchen' PERMISSION_SET=Admin CREDENTIALS_UNTIL=" AT(              \
        "09000") " PORTAL='https://x.awsapps.com/start/#/"                                         \
                 "console?account_id=011122223333&role_name=Admin'"                                \
                 " SSO_REGION=eu-west-1} TARGET{TARGET_NAME=aws:222233334444/Read STATE=opening"   \
                 " ACCOUNT=222233334444 PERMISSION_SET=Read TROUBLE='AWS says: slower'}"           \
                 " REASON=x REQUESTED_AT=" AT(                                                     \
                     "00100") " DURATION_S=3600 APPROVAL_REQUIRED=0 HOST=bastion-1}"
#define AWS_TARGETS                                                                            \
    "ROWS TARGET {TARGET_NAME=host:bastion-1/sudo FOR_S=14400 APPROVAL_REQUIRED=0 POLICY=sre}" \
    "{TARGET_NAME=aws:011122223333/Admin FOR_S=3600 APPROVAL_REQUIRED=1 WAITING_FOR=bob "      \
    "POLICY=sre"                                                                               \
    " ACCOUNT_NAME='Prod M\xc3\xbcnchen' PATH='Root/Work loads'}"
#define DRIFT                                                                           \
    "ROWS DRIFT {ACCOUNT=011122223333 ACCOUNT_NAME=prod PERMISSION_SET=Admin KIND=user" \
    " PRINCIPAL=906789abcd-1 LABEL=alice@example.com}"                                  \
    "{ACCOUNT=222233334444 PERMISSION_SET=Read KIND=group PRINCIPAL=12345678-1}"
#define EVENTS                                                                                     \
    "ROWS EVENT {SEQ=1 AT=" AT(                                                                    \
        "00000") " HOST=bastion-1 BY=alice ACTION=request.submit"                                  \
                 " ID=K7QF2M9X TARGET_NAME=host:bastion-1/sudo OUTCOME=done DETAIL='rotate, then " \
                 "\"test\"'"                                                                       \
                 " PREV=00 HASH=a1}"                                                               \
                 "{SEQ=2 AT=" AT(                                                                  \
                     "00001") " HOST=bastion-1 ACTION=policy.load OUTCOME=done DETAIL='=1+1'"      \
                              " PREV=a1 HASH=b2}"
#define FINDINGS                                                                           \
    "ROWS FINDING {OUTCOME=yes TEXT='policy \"sre\" covers host:bastion-1/sudo up to 4h'}" \
    "{OUTCOME=no TEXT='nobody but you could approve'}"
#define STATUS_VALUES                                                     \
    "ROWS STATUS {NAME=version VALUE=0.1.0}{NAME=live_requests VALUE=12}" \
    "{NAME=policy VALUE=4f7a}{NAME=empty}"

#define DONE "ANSWER CODE=0"

/* ---- cases ------------------------------------------------------------------------------------
 */

struct example {
    const char *says; /* the sentence */
    const char *args[FAKE_ARGS - 1];
    const char *teamd[5];
    const char *asked; /* NULL: nothing */
    int exit;
    const char *out, *err; /* NULL: nothing */
    const char *golden;    /* the file that holds `out` */
    unsigned width;
    const char *env[3];
    const char *typed;
};

static const struct example EXAMPLES[] = {
#include "unit/teamctl_examples.h"
};

static void check_golden(const char *name, const char *got)
{
    static char expected[FAKE_TEXT];
    const char *mode = getenv("GOLDEN");
    char path[128];
    size_t n = 0;
    FILE *f;

    snprintf(path, sizeof path, "tests/golden/teamctl-%s", name);
    f = fopen(path, mode && strcmp(mode, "write") == 0 ? "w+" : "r");
    if (!f)
        fail_msg("%s: %s", path, strerror(errno));
    if (mode && strcmp(mode, "write") == 0)
        fputs(got, f);
    else
        n = fread(expected, 1, sizeof expected - 1, f);
    fclose(f);
    expected[n] = '\0';
    if (!mode)
        assert_string_equal(got, expected);
}

static void run_example(void **state)
{
    const struct example *e = *state;
    static struct fake_run r;

    r = (struct fake_run){
        .args = e->args, .says = e->teamd, .env = e->env, .width = e->width, .typed = e->typed};
    fake_run(&r);
    assert_string_equal(r.err, e->err ? e->err : "");
    assert_string_equal(r.asked, e->asked ? e->asked : "");
    if (e->golden)
        check_golden(e->golden, r.out);
    else
        assert_string_equal(r.out, e->out ? e->out : "");
    assert_int_equal(r.exit, e->exit);
}

/* ---- what is no row ---------------------------------------------------------------------------
 */

static void full_disk(void **state)
{
    const char *const args[] = {"list", NULL}, *const says[] = {REQUESTS, DONE, NULL};
    static struct fake_run r;

    (void)state;
    r = (struct fake_run){.args = args, .says = says, .to = "/dev/full"};
    fake_run(&r);
    assert_string_equal(r.err, "teamctl: list: cannot write: No space left on device\n");
    assert_int_equal(r.exit, TEAM_FAILED);
}

/* `--start +30m` is counted from now. */
static void relative_start(void **state)
{
    const char *const args[] = {"request", "sudo",    "--for", "1h", "--reason",
                                "x",       "--start", "+30m",  NULL};
    const char *const says[] = {DONE " ID=K7QF2M9X STATE=pending", NULL};
    static struct fake_run r;
    const char *at;
    long long start;

    (void)state;
    r = (struct fake_run){.args = args, .says = says};
    fake_run(&r);
    at = strstr(r.asked, " START=");
    assert_non_null(at);
    start = strtoll(at + 7, NULL, 10) / 1000000 - (long long)time(NULL);
    assert_in_range(start, 1790, 1800);
}

/* A table of many more rows than are kept to find its widths. */
static void long_table(void **state)
{
    enum { PACKETS = 60, ROWS_EACH = 20 };
    static const char *says[PACKETS + 2];
    static char rows[16384];
    const char *const args[] = {"list", NULL};
    static struct fake_run r;
    struct text t = text_over(rows, sizeof rows);
    size_t lines = 0;

    (void)state;
    text_put(&t, "ROWS REQUEST ");
    for (int i = 0; i < ROWS_EACH; i++)
        text_put(&t, PENDING_ROW);
    for (int i = 0; i < PACKETS; i++)
        says[i] = rows;
    says[PACKETS] = DONE;
    r = (struct fake_run){.args = args, .says = says};
    fake_run(&r);
    for (const char *s = r.out; (s = strchr(s, '\n')); s++)
        lines++;
    assert_int_equal(lines, 1 + PACKETS * ROWS_EACH);
    assert_int_equal(r.exit, 0);
}

/* No line of any table is wider than the terminal. */
static void tables_fit(void **state)
{
    static const struct {
        const char *verb, *rows;
    } TABLES[] = {{"list", REQUESTS}, {"targets", TARGETS}, {"audit", EVENTS}};
    static struct fake_run r;

    (void)state;
    for (unsigned width = 8; width < 240; width += 3)
        for (size_t i = 0; i < 3; i++) {
            const char *const args[] = {TABLES[i].verb, NULL};
            const char *const says[] = {TABLES[i].rows, DONE, NULL};
            const char *const env[] = {"NO_COLOR=1", NULL};

            r = (struct fake_run){.args = args, .says = says, .env = env, .width = width};
            fake_run(&r);
            for (char *s = r.out, *end; (end = strchr(s, '\n')); s = end + 1) {
                size_t places = 0;

                for (; s < end; s++)
                    places += ((unsigned char)*s & 0xc0) != 0x80;
                if (places > width)
                    fail_msg("%s has a line of %zu places at width %u", TABLES[i].verb, places,
                             width);
            }
        }
}

/* ---- the man page -----------------------------------------------------------------------------
 */

static char *read_whole(const char *path)
{
    static char text[FAKE_TEXT];
    FILE *f = fopen(path, "r");
    size_t n;

    if (!f)
        fail_msg("%s: %s", path, strerror(errno));
    n = fread(text, 1, sizeof text - 1, f);
    fclose(f);
    text[n] = '\0';
    return text;
}

/* Words of small letters, with one blank between them. */
static size_t verb_len(const char *s)
{
    size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyz"), more;

    for (; n > 0 && s[n] == ' '; n += 1 + more) {
        more = strspn(s + n + 1, "abcdefghijklmnopqrstuvwxyz");
        if (more == 0)
            break;
    }
    return n;
}

/* The verbs of a text, one a line: what follows `before` at the start of a line. */
static void verbs_of(const char *s, const char *before, struct text *out)
{
    for (; s; s = strchr(s, '\n') ? strchr(s, '\n') + 1 : NULL) {
        if (strncmp(s, before, strlen(before)) != 0)
            continue;
        s += strlen(before);
        if (verb_len(s) == 0)
            continue;
        text_put_n(out, s, verb_len(s));
        text_put(out, "\n");
    }
}

static void man_page_verbs(void **state)
{
    const char *const args[] = {"help", NULL};
    static struct fake_run r;
    char help[1024], page[1024];
    struct text in_help = text_over(help, sizeof help), in_page = text_over(page, sizeof page);

    (void)state;
    r = (struct fake_run){.args = args};
    fake_run(&r);
    verbs_of(r.out, "  ", &in_help);
    verbs_of(read_whole("teamctl/teamctl.1"), ".It Cm ", &in_page);
    assert_true(in_help.len > 80);
    assert_string_equal(page, help);
}

/* Does the paragraph of this verb in the page name the option? */
static bool page_has(const char *page, const char *verb, const char *option, size_t n)
{
    char item[64], macro[64];
    const char *begin, *end, *at;

    snprintf(item, sizeof item, "\n.It Cm %s", verb);
    snprintf(macro, sizeof macro, "Fl -%.*s", (int)n, option);
    begin = strstr(page, item);
    end = begin ? strstr(begin + 1, "\n.It Cm ") : NULL;
    at = begin ? strstr(begin, macro) : NULL;
    return at && (!end || at < end);
}

static void man_page_options(void **state)
{
    const char *page = read_whole("teamctl/teamctl.1");
    char help[1024];
    struct text verbs = text_over(help, sizeof help);
    const char *const all[] = {"help", NULL};
    static struct fake_run r;

    (void)state;
    r = (struct fake_run){.args = all};
    fake_run(&r);
    verbs_of(r.out, "  ", &verbs);
    for (char *verb = strtok_r(help, "\n", &(char *){NULL}), *end; verb; verb = end) {
        const char *const args[] = {"help", verb, NULL};

        end = verb + strlen(verb) + 1;
        end = end < help + verbs.len ? end : NULL;
        if (end)
            end[strcspn(end, "\n")] = '\0';
        r = (struct fake_run){.args = args};
        fake_run(&r);
        for (const char *s = r.out; (s = strstr(s, "\n  --")); s++) {
            size_t n = strcspn(s + 5, " [\n");

            if (strncmp(s + 5, "socket", n) != 0 && strncmp(s + 5, "help", n) != 0 &&
                !page_has(page, verb, s + 5, n))
                fail_msg("teamctl.1 does not tell of %s --%.*s", verb, (int)n, s + 5);
        }
    }
}

/* -----------------------------------------------------------------------------------------------
 */

int main(void)
{
    enum { N = sizeof EXAMPLES / sizeof EXAMPLES[0] };
    static struct CMUnitTest tests[N + 6];
    static const struct CMUnitTest OTHERS[] = {
        {"a full disk is an error", full_disk, NULL, NULL, NULL},
        {"--start +30m is half an hour from now", relative_start, NULL, NULL, NULL},
        {"a table of 1200 rows has 1200 rows", long_table, NULL, NULL, NULL},
        {"no table is wider than the terminal", tables_fit, NULL, NULL, NULL},
        {"the man page has the verbs of the table, in its order", man_page_verbs, NULL, NULL, NULL},
        {"the man page has the options of every verb", man_page_options, NULL, NULL, NULL},
    };
    size_t n = 0;
    int failed;

    if (geteuid() != 0) {
        printf("1..1\nok 1 - teamctl against a fake teamd # skip teamctl talks to root only\n");
        return 0;
    }
    fake_setup();
    for (size_t i = 0; i < N; i++)
        tests[n++] = (struct CMUnitTest){EXAMPLES[i].says, run_example, NULL, NULL,
                                         (void *)(uintptr_t)&EXAMPLES[i]};
    for (size_t i = 0; i < sizeof OTHERS / sizeof OTHERS[0]; i++)
        tests[n++] = OTHERS[i];
    failed = _cmocka_run_group_tests("teamctl", tests, n, NULL, NULL);
    fake_teardown();
    return failed;
}
