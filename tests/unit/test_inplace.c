/* sudo that waits in place: what can be asked of whom, the words, and the wait itself, with a teamd
 * that behaves in every way it may and may not. */
#include "pam_team/inplace.h"

#include "pam_team/client.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define COUNT(a) (sizeof(a) / sizeof(a)[0])

enum { ID = 0x1234567890 };
#define ID_TEXT "28T5CY4G"

static const struct facts ALICE = {.op = TEAM_OP_ACCOUNT,
                                   .uid = 1001,
                                   .service = "sudo",
                                   .user = "alice",
                                   .tty = "/dev/pts/3",
                                   .request = ID};

/* ---- the arguments ------------------------------------------------------------------------- */

static void the_arguments_are_taken(void **state)
{
    static const struct {
        const char *argument;
        int64_t wait_s;
        bool prompt;
        uint64_t prompt_for_s;
    } ROWS[] = {
        {"quiet", 0, false, 3600},          {"wait=1s", 1, false, 3600},
        {"wait=1h", 3600, false, 3600},     {"prompt", 0, true, 3600},
        {"prompt_for=30m", 0, false, 1800},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(ROWS); i++) {
        struct options o = options_parse(1, (const char *[]){ROWS[i].argument});

        assert_null(o.wrong);
        assert_int_equal(o.wait_us, ROWS[i].wait_s * 1000 * 1000);
        assert_int_equal(o.prompt, ROWS[i].prompt);
        assert_int_equal(o.prompt_for_s, ROWS[i].prompt_for_s);
    }
}

static void all_of_them_together_are_taken(void **state)
{
    struct options o =
        options_parse(4, (const char *[]){"prompt", "wait=5m", "prompt_for=2h", "prompt"});

    (void)state;
    assert_null(o.wrong);
    assert_int_equal(o.wait_us, 300 * 1000 * 1000);
    assert_true(o.prompt);
    assert_int_equal(o.prompt_for_s, 7200);
}

/* ---- what can be done ---------------------------------------------------------------------- */

struct way_row {
    const char *says;
    unsigned op;
    const char *tty;
    const char *argv[4];
    uint64_t request;
    enum answer_needs needs;
    enum in_place way;
};

#define A TEAM_OP_ACCOUNT
#define T "/dev/pts/3"

static const struct way_row WAY_ROWS[] = {
    {"who has a request can wait", A, T, {"wait=5m"}, ID, 0, IN_PLACE_WAIT},
    {"at the console too", A, "tty1", {"wait=5m"}, ID, 0, IN_PLACE_WAIT},
    {"and where PAM leaves /dev out", A, "pts/3", {"wait=5m"}, ID, 0, IN_PLACE_WAIT},
    {"without the argument nobody waits", A, T, {NULL}, ID, 0, IN_PLACE_NOTHING},
    {"without a request there is nothing to wait for", A, T, {"wait=5m"}, 0, 0, IN_PLACE_NOTHING},
    {"without a terminal nobody is there", A, NULL, {"wait=5m"}, ID, 0, IN_PLACE_NOTHING},
    {"an empty name is no terminal", A, "", {"wait=5m"}, ID, 0, IN_PLACE_NOTHING},
    {"sshd's word is no terminal", A, "ssh", {"wait=5m"}, ID, 0, IN_PLACE_NOTHING},
    {"a display is no terminal", A, ":0", {"wait=5m"}, ID, 0, IN_PLACE_NOTHING},
    {"who is told nothing is asked nothing", A, T, {"wait=5m", "quiet"}, ID, 0, IN_PLACE_NOTHING},
    {"a session that opens asks nobody", TEAM_OP_OPEN, T, {"wait=5m"}, ID, 0, IN_PLACE_NOTHING},
    {"nor does one that ends", TEAM_OP_CLOSE, T, {"wait=5m"}, ID, 0, IN_PLACE_NOTHING},
    {"who has none can make one", A, T, {"prompt"}, 0, ANSWER_NEEDS_REASON, IN_PLACE_FILE},
    {"with a ticket", A, T, {"wait=5m", "prompt"}, 0, ANSWER_NEEDS_TICKET, IN_PLACE_FILE},
    {"not without the argument", A, T, {"wait=5m"}, 0, ANSWER_NEEDS_REASON, IN_PLACE_NOTHING},
    {"not where teamd offers nothing", A, T, {"prompt"}, 0, 0, IN_PLACE_NOTHING},
    {"not without a terminal", A, NULL, {"prompt"}, 0, ANSWER_NEEDS_REASON, IN_PLACE_NOTHING},
    {"who has one makes no other", A, T, {"prompt"}, ID, ANSWER_NEEDS_REASON, IN_PLACE_NOTHING},
    {"but waits for it", A, T, {"prompt", "wait=1m"}, ID, 0, IN_PLACE_WAIT},
};

static void check_way(void **state)
{
    const struct way_row *row = *state;
    struct facts f = ALICE;
    struct answer no = {.request = row->request, .needs = row->needs};
    const char *argv[COUNT(row->argv)];
    struct options o;
    int argc = 0;

    while (row->argv[argc]) {
        argv[argc] = row->argv[argc];
        argc++;
    }
    o = options_parse(argc, argv);
    f.op = (enum team_op)row->op;
    f.tty = row->tty;
    assert_int_equal(in_place(&f, &o, &no), row->way);
}

/* ---- the questions to teamd ---------------------------------------------------------------- */

static void a_wait_names_its_request(void **state)
{
    char packet[TEAM_GATE_PACKET_MAX], id[9];
    struct facts f = ALICE;
    struct wire_msg msg = {0};
    size_t len;

    (void)state;
    f.op = TEAM_OP_AWAIT;
    f.reason = "not sent";
    len = ask_encode(&f, packet, sizeof packet);
    assert_int_equal(wire_read(packet, len, &msg), WIRE_OK);
    assert_int_equal(msg.op, TEAM_OP_AWAIT);
    assert_true(wire_copy(msg.fields, TEAM_ID, id, sizeof id));
    assert_string_equal(id, ID_TEXT);
    assert_null(wire_find(msg.fields, TEAM_REASON).at);
}

static void a_request_says_what_was_typed(void **state)
{
    char packet[TEAM_GATE_PACKET_MAX], text[100];
    struct facts f = ALICE;
    struct wire_msg msg = {0};
    uint64_t for_s = 0;
    size_t len;

    (void)state;
    f.op = TEAM_OP_FILE;
    f.for_s = 3600;
    f.reason = "rotate certs";
    len = ask_encode(&f, packet, sizeof packet);
    assert_int_equal(wire_read(packet, len, &msg), WIRE_OK);
    assert_true(wire_find_u64(msg.fields, TEAM_FOR_S, &for_s) && for_s == 3600);
    assert_true(wire_copy(msg.fields, TEAM_REASON, text, sizeof text));
    assert_string_equal(text, "rotate certs");
    assert_null(wire_find(msg.fields, TEAM_TICKET).at);
    assert_null(wire_find(msg.fields, TEAM_ID).at);
    f.ticket = "CHG-1";
    len = ask_encode(&f, packet, sizeof packet);
    assert_int_equal(wire_read(packet, len, &msg), WIRE_OK);
    assert_true(wire_copy(msg.fields, TEAM_TICKET, text, sizeof text));
    assert_string_equal(text, "CHG-1");
    f.reason = "\033[2Jrotate";
    assert_int_equal(ask_encode(&f, packet, sizeof packet), 0);
}

/* ---- the answers --------------------------------------------------------------------------- */

static size_t write_no(char *packet, unsigned op, int code, const char *id, const char *needs)
{
    struct wire_out w = wire_begin(packet, TEAM_GATE_PACKET_MAX, TEAM_ANSWER, op);

    wire_put_u64(&w, TEAM_CODE, (uint64_t)code);
    wire_put(&w, TEAM_ID, id);
    wire_put(&w, TEAM_NEEDS, needs);
    return wire_finish(&w);
}

static void a_no_tells_what_can_be_done(void **state)
{
    static const struct {
        unsigned op;
        int code;
        const char *id, *needs;
        uint64_t request;
        enum answer_needs then;
    } ROWS[] = {
        {A, TEAM_REFUSED, ID_TEXT, NULL, ID, ANSWER_NEEDS_NOTHING},
        {A, TEAM_REFUSED, NULL, "reason", 0, ANSWER_NEEDS_REASON},
        {A, TEAM_REFUSED, NULL, "ticket", 0, ANSWER_NEEDS_TICKET},
        {A, TEAM_REFUSED, NULL, "blood", 0, ANSWER_NEEDS_NOTHING},
        {A, TEAM_REFUSED, NULL, NULL, 0, ANSWER_NEEDS_NOTHING},
        {A, TEAM_REFUSED, "28T5", NULL, 0, ANSWER_NEEDS_NOTHING}, /* a beginning of ids is none */
        {A, TEAM_DONE, ID_TEXT, "reason", 0, ANSWER_NEEDS_NOTHING},
        {TEAM_OP_OPEN, TEAM_REFUSED, ID_TEXT, "reason", 0, ANSWER_NEEDS_NOTHING},
    };
    char packet[TEAM_GATE_PACKET_MAX];

    (void)state;
    for (size_t i = 0; i < COUNT(ROWS); i++) {
        struct answer a;
        size_t len = write_no(packet, ROWS[i].op, ROWS[i].code, ROWS[i].id, ROWS[i].needs);

        assert_true(answer_read((enum team_op)ROWS[i].op, packet, len, &a) >= 0);
        assert_true(a.request == ROWS[i].request);
        assert_int_equal(a.needs, ROWS[i].then);
    }
}

static size_t write_news(char *packet, unsigned row, const char *text)
{
    struct wire_out w = wire_begin(packet, TEAM_GATE_PACKET_MAX, TEAM_ROWS, row);
    struct wire_mark mark = wire_group(&w, TEAM_ROW);

    wire_put(&w, TEAM_TEXT, text);
    wire_group_end(&w, mark);
    return wire_finish(&w);
}

static void news_are_told_from_answers_and_garbage(void **state)
{
    char packet[TEAM_GATE_PACKET_MAX], news[ANSWER_TEXT_CAP] = "before";
    size_t len;

    (void)state;
    len = write_news(packet, TEAM_ROW_STATUS, "status");
    assert_false(news_read(packet, len, news));
    len = write_no(packet, TEAM_ROW_NEWS, 0, NULL, NULL);
    assert_false(news_read(packet, len, news));
    assert_false(news_read("TE", 2, news));
    assert_string_equal(news, "before");
    len = write_news(packet, TEAM_ROW_NEWS, "approved by bob");
    assert_true(news_read(packet, len, news));
    assert_string_equal(news, "approved by bob");
    len = write_news(packet, TEAM_ROW_NEWS, NULL);
    assert_true(news_read(packet, len, news));
    assert_string_equal(news, "");
}

/* ---- words --------------------------------------------------------------------------------- */

static void the_question_has_the_reason_above(void **state)
{
    char out[QUESTION_CAP], no[ANSWER_TEXT_CAP];

    (void)state;
    question_wait(out, "request " ID_TEXT " is waiting for bob\033[2J");
    assert_string_equal(out, "request " ID_TEXT " is waiting for bob?[2J\nEnter to wait, Ctrl-C to "
                             "give up: ");
    memset(no, 'x', sizeof no - 1);
    no[sizeof no - 1] = '\0';
    question_wait(out, no);
    assert_string_equal(out + strlen(out) - 18, "trl-C to give up: ");
}

static void the_question_for_a_request_says_for_what(void **state)
{
    char out[QUESTION_CAP];

    (void)state;
    question_file(out, &ALICE, 5400);
    assert_string_equal(out,
                        "no active elevation for sudo\nEnter to ask for 1h30m of it, Ctrl-C to "
                        "give up: ");
}

static void no_more_is_asked_for_than_could_be_had(void **state)
{
    struct options o = options_parse(1, (const char *[]){"prompt_for=90m"});

    (void)state;
    assert_int_equal(file_for_s(&o, &(struct answer){.longest_s = 0}), 5400);
    assert_int_equal(file_for_s(&o, &(struct answer){.longest_s = 1800}), 1800);
    assert_int_equal(file_for_s(&o, &(struct answer){.longest_s = 5400}), 5400);
    assert_int_equal(file_for_s(&o, &(struct answer){.longest_s = 14400}), 5400);
}

static void the_question_for_a_ticket_says_what_it_has_to_look_like(void **state)
{
    struct answer no = {.ticket_pattern = "^CHG-[0-9]+$"};
    char out[QUESTION_CAP];

    (void)state;
    question_ticket(out, &no);
    assert_string_equal(out, "Ticket (it has to match ^CHG-[0-9]+$): ");
    question_ticket(out, &(struct answer){.session = 0});
    assert_string_equal(out, "Ticket: ");
}

static void a_no_tells_for_how_long_and_which_ticket(void **state)
{
    char packet[TEAM_GATE_PACKET_MAX];
    struct wire_out w = wire_begin(packet, sizeof packet, TEAM_ANSWER, A);
    struct answer a;

    (void)state;
    wire_put_u64(&w, TEAM_CODE, TEAM_REFUSED);
    wire_put(&w, TEAM_NEEDS, "ticket");
    wire_put_u64(&w, TEAM_FOR_S, 1800);
    wire_put(&w, TEAM_MATCH, "^CHG-[0-9]+$");
    assert_int_equal(answer_read(A, packet, wire_finish(&w), &a), ANSWER_NO);
    assert_int_equal(a.longest_s, 1800);
    assert_string_equal(a.ticket_pattern, "^CHG-[0-9]+$");
}

static void every_ending_has_its_words(void **state)
{
    static const struct {
        int error;
        const char *news, *text;
    } ROWS[] = {
        {-EINTR, "waiting for bob", "given up; request " ID_TEXT " stays open"},
        {-ETIMEDOUT, "waiting for bob",
         "request " ID_TEXT " is not active after 5m, and stays open: waiting for bob"},
        {-ETIMEDOUT, "", "request " ID_TEXT " is not active after 5m, and stays open"},
        {-ECONNREFUSED, "", "teamd does not answer any more; request " ID_TEXT " stays open"},
        {-EBADMSG, "", "teamd does not answer any more; request " ID_TEXT " stays open"},
    };
    struct options o = options_parse(1, (const char *[]){"wait=5m"});
    char out[ANSWER_TEXT_CAP];

    (void)state;
    for (size_t i = 0; i < COUNT(ROWS); i++) {
        ending(out, &ALICE, &o, ROWS[i].error, ROWS[i].news);
        assert_string_equal(out, ROWS[i].text);
    }
}

/* ---- the wait ------------------------------------------------------------------------------ */

static char path[64];
static char shown[2000];
static int64_t begun;

static void show(void *ctx, const char *line)
{
    struct text t = {.buf = shown, .cap = sizeof shown, .len = strlen(shown)};

    assert_ptr_equal(ctx, shown);
    text_put(&t, line);
    text_put(&t, "\n");
}

static int64_t now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void nap_ms(int ms)
{
    (void)client_pause(ms * INT64_C(1000));
}

static int listen_here(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

    memcpy(address.sun_path, path, strlen(path));
    unlink(path);
    assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(fd, 8), 0);
    return fd;
}

/* The next one who asks to wait for the request. */
static int next_waiter(int listener)
{
    char packet[TEAM_GATE_PACKET_MAX], id[9] = "";
    int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    ssize_t n = recv(fd, packet, sizeof packet, 0);
    struct wire_msg msg;

    if (n <= 0 || wire_read(packet, (size_t)n, &msg) != WIRE_OK || msg.op != TEAM_OP_AWAIT ||
        !wire_copy(msg.fields, TEAM_ID, id, sizeof id) || strcmp(id, ID_TEXT) != 0)
        _exit(1);
    return fd;
}

static void tell(int fd, const char *news)
{
    char packet[TEAM_GATE_PACKET_MAX];

    send(fd, packet, write_news(packet, TEAM_ROW_NEWS, news), MSG_NOSIGNAL);
}

static void answer(int fd, int code, const char *text)
{
    char packet[TEAM_GATE_PACKET_MAX];
    struct wire_out w = wire_begin(packet, sizeof packet, TEAM_ANSWER, TEAM_OP_AWAIT);

    wire_put_u64(&w, TEAM_CODE, (uint64_t)code);
    wire_put(&w, TEAM_TEXT, text);
    send(fd, packet, wire_finish(&w), MSG_NOSIGNAL);
    nap_ms(100);
}

static void approves(int l)
{
    int fd = next_waiter(l);

    tell(fd, "waiting for bob or erin");
    tell(fd, "approved by bob, 1 of 2; waiting for erin");
    answer(fd, TEAM_DONE, "approved by erin");
}

static void rejects(int l)
{
    answer(next_waiter(l), TEAM_REFUSED, "request " ID_TEXT " was rejected by bob: no");
}

static void is_silent(int l)
{
    int fd = next_waiter(l);

    tell(fd, "waiting for bob");
    nap_ms(5000);
}

static void says_nothing(int l)
{
    next_waiter(l);
    nap_ms(5000);
}

static void goes_and_comes_back(int l)
{
    int fd = next_waiter(l);

    tell(fd, "waiting for bob");
    close(l);
    close(fd);
    unlink(path);
    nap_ms(700);
    l = listen_here();
    fd = next_waiter(l);
    tell(fd, "waiting for bob");
    answer(fd, TEAM_DONE, NULL);
}

static void goes_for_good(int l)
{
    int fd = next_waiter(l);

    close(l);
    unlink(path);
    close(fd);
}

static void babbles(int l)
{
    send(next_waiter(l), "babble", 6, MSG_NOSIGNAL);
    nap_ms(200);
}

static void ring(int signal_number)
{
    (void)signal_number;
}

struct wait_row {
    const char *says;
    void (*teamd)(int);
    const char *wait;
    int bell_ms; /* a signal that the host handles; 0: none */
    int then;
    const char *text, *shown;
    int least_ms, most_ms;
};

#define LINE(news) ID_TEXT ": " news "\n"
#define AWAY       LINE("teamd is being restarted; still waiting")

static const struct wait_row WAIT_ROWS[] = {
    {"approved: it goes on, and every step was shown", approves, "wait=1m", 0, ANSWER_YES,
     "approved by erin",
     LINE("waiting for bob or erin") LINE("approved by bob, 1 of 2; waiting for erin")
         LINE("approved by erin"),
     0, 2000},
    {"rejected: no, and by whom and why", rejects, "wait=1m", 0, ANSWER_NO,
     "request " ID_TEXT " was rejected by bob: no", "", 0, 2000},
    {"nobody does anything: no, after so long and not before", is_silent, "wait=1s", 0, ANSWER_NO,
     "request " ID_TEXT " is not active after 1s, and stays open: waiting for bob",
     LINE("waiting for bob"), 990, 3000},
    {"a signal: no, at once", is_silent, "wait=1m", 300, ANSWER_NO,
     "given up; request " ID_TEXT " stays open", LINE("waiting for bob") LINE("waiting for bob"),
     250, 3000},
    {"teamd restarts: it is waited for, and asked anew", goes_and_comes_back, "wait=1m", 0,
     ANSWER_YES, "", LINE("waiting for bob") AWAY LINE("waiting for bob") LINE(""), 500, 4000},
    {"teamd is gone: no later than the wait is over", goes_for_good, "wait=2s", 0, ANSWER_NO,
     "request " ID_TEXT " is not active after 2s, and stays open", AWAY, 1900, 4000},
    {"a signal while teamd is gone: no, at once", goes_for_good, "wait=1m", 800, ANSWER_NO,
     "given up; request " ID_TEXT " stays open", AWAY AWAY, 700, 3000},
    {"a signal before anything was heard: no, at once", says_nothing, "wait=1m", 300, ANSWER_NO,
     "given up; request " ID_TEXT " stays open", "", 250, 3000},
    {"garbage: no", babbles, "wait=1m", 0, ANSWER_NO,
     "teamd does not answer any more; request " ID_TEXT " stays open", "", 0, 2000},
};

static void check_wait(void **state)
{
    const struct wait_row *row = *state;
    const struct itimerval bell = {.it_value = {row->bell_ms / 1000, row->bell_ms % 1000 * 1000L}};
    struct sigaction act = {.sa_handler = ring, .sa_flags = SA_RESTART}, was;
    struct options o = options_parse(1, (const char *[]){row->wait});
    struct facts f = ALICE;
    struct answer a = {.text = ""};
    int l = listen_here(), r;
    pid_t teamd = fork();

    if (teamd == 0) {
        row->teamd(l);
        _exit(0);
    }
    close(l);
    o.socket = path;
    f.op = TEAM_OP_AWAIT;
    shown[0] = '\0';
    sigaction(SIGALRM, &act, &was);
    setitimer(ITIMER_REAL, &bell, NULL);
    begun = now_ms();
    r = wait_in_place(&f, &o, show, shown, &a);
    begun = now_ms() - begun;
    setitimer(ITIMER_REAL, &(struct itimerval){{0, 0}, {0, 0}}, NULL);
    sigaction(SIGALRM, &was, NULL);
    kill(teamd, SIGKILL);
    waitpid(teamd, NULL, 0);
    unlink(path);
    assert_int_equal(r, row->then);
    assert_string_equal(a.text, row->text);
    assert_string_equal(shown, row->shown);
    assert_in_range(begun, row->least_ms, row->most_ms);
}

static void what_cannot_be_asked_is_no(void **state)
{
    struct options o = options_parse(1, (const char *[]){"wait=1m"});
    struct facts f = ALICE;
    struct answer a = {.text = ""};

    (void)state;
    f.op = TEAM_OP_AWAIT;
    f.service = NULL;
    assert_int_equal(wait_in_place(&f, &o, show, shown, &a), ANSWER_NO);
    assert_string_equal(a.text, "teamd does not answer any more; request " ID_TEXT " stays open");
}

/* ---- all of it ----------------------------------------------------------------------------- */

int main(void)
{
    static struct CMUnitTest tests[COUNT(WAY_ROWS) + COUNT(WAIT_ROWS) + 20] = {
        cmocka_unit_test(the_arguments_are_taken),
        cmocka_unit_test(all_of_them_together_are_taken),
        cmocka_unit_test(a_wait_names_its_request),
        cmocka_unit_test(a_request_says_what_was_typed),
        cmocka_unit_test(a_no_tells_what_can_be_done),
        cmocka_unit_test(news_are_told_from_answers_and_garbage),
        cmocka_unit_test(the_question_has_the_reason_above),
        cmocka_unit_test(the_question_for_a_request_says_for_what),
        cmocka_unit_test(no_more_is_asked_for_than_could_be_had),
        cmocka_unit_test(the_question_for_a_ticket_says_what_it_has_to_look_like),
        cmocka_unit_test(a_no_tells_for_how_long_and_which_ticket),
        cmocka_unit_test(every_ending_has_its_words),
        cmocka_unit_test(what_cannot_be_asked_is_no),
    };
    size_t n = 0;

    while (tests[n].test_func)
        n++;
    snprintf(path, sizeof path, "/tmp/team-inplace-%d", getpid());
    for (size_t i = 0; i < COUNT(WAY_ROWS); i++)
        tests[n++] = (struct CMUnitTest){.name = WAY_ROWS[i].says,
                                         .test_func = check_way,
                                         .initial_state = (void *)(uintptr_t)&WAY_ROWS[i]};
    for (size_t i = 0; geteuid() == 0 && i < COUNT(WAIT_ROWS); i++) /* root alone is believed */
        tests[n++] = (struct CMUnitTest){.name = WAIT_ROWS[i].says,
                                         .test_func = check_wait,
                                         .initial_state = (void *)(uintptr_t)&WAIT_ROWS[i]};
    return _cmocka_run_group_tests("in place", tests, n, NULL, NULL);
}
