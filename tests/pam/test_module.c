/* The built module in the real libpam, with a teamd that behaves in every way it should not. */
#include "behaviours.h"
#include "stage.h"

#include <dlfcn.h>
#include <signal.h>
#include <sys/time.h>
#include <sys/wait.h>

/* ---- one call, and everything that comes of it --------------------------------------------- */

struct row {
    const char *says;
    void (*teamd)(int);
    enum place place;
    int (*phase)(pam_handle_t *, int);
    uid_t uid;
    const char *service, *user, *arguments;
    int code;
    const char *message; /* NULL: none */
    int priority;        /* -1: nothing is logged */
    const char *log;     /* in it */
    int least_ms;
};

#define ACCOUNT        pam_acct_mgmt, ALICE, "sudo", "alice", "timeout=1s"
#define OPEN           pam_open_session, ALICE, "sudo", "root", "timeout=1s"
#define CLOSE          pam_close_session, ALICE, "sudo", "root", "timeout=1s"
#define ROOT(phase)    phase, 0, "sudo", "root", "timeout=1s"
#define SILENT(why)    "access is denied: teamd does not answer (" why "); tell an administrator"
#define UNKNOWN(why)   PAM_AUTHINFO_UNAVAIL, SILENT(why), LOG_ERR, "gate.sock (" why ")"
#define DENIED(text)   PAM_PERM_DENIED, text, LOG_NOTICE, "uid=1001 user=alice denied: " text
#define REFUSED(text)  PAM_PERM_DENIED, NULL, LOG_ERR, "uid=1001 user=root denied: " text
#define ELEVATE        "no active elevation; run: teamctl request sudo --for 1h"
#define PASSED         PAM_SUCCESS, NULL, -1, ""
#define PASSED_AS_ROOT PAM_SUCCESS, NULL, LOG_WARNING, "passes as root"
#define UNREPORTED     PAM_SUCCESS, NULL, LOG_ERR, "uid=1001 user=root end of session not reported: "

static const struct row ROWS[] = {
    {"account: yes", yes, TEAMD, ACCOUNT, PASSED, 0},
    {"account: yes, and teamd is gone", yes_and_gone, TEAMD, ACCOUNT, PASSED, 0},
    {"account: yes, slowly", slow_yes, TEAMD, ACCOUNT, PASSED, 500},
    {"account: no", no, TEAMD, ACCOUNT, DENIED(ELEVATE), 0},
    {"account: no without a word", no_without_a_word, TEAMD, ACCOUNT, PAM_PERM_DENIED,
     "access is denied; to see why, run: teamctl why sudo", LOG_NOTICE, "", 0},
    {"account: teamd failed", failed, TEAMD, ACCOUNT, DENIED("the disk is full"), 0},
    {"account: turned away before it reads", no_before_it_reads, TEAMD, ACCOUNT,
     DENIED("teamd has too much to do"), 0},
    {"account: the first of two answers counts", no_then_yes, TEAMD, ACCOUNT, DENIED("no"), 0},
    {"account: yes too late", late_yes, TEAMD, ACCOUNT, UNKNOWN("not within 1s"), 900},
    {"account: read and not answered", reads_and_is_silent, TEAMD, ACCOUNT,
     UNKNOWN("not within 1s"), 900},
    {"account: accepted and not read", accepts_and_is_silent, TEAMD, ACCOUNT,
     UNKNOWN("not within 1s"), 900},
    {"account: never accepted", never_accepts, TEAMD, ACCOUNT, UNKNOWN("not within 1s"), 900},
    {"account: the backlog is full", never_accepts, FULL, ACCOUNT, UNKNOWN("not within 1s"), 900},
    {"account: it hangs up at once", hangs_up, TEAMD, ACCOUNT, UNKNOWN("it hung up"), 0},
    {"account: it dies while answering", dies_while_answering, TEAMD, ACCOUNT,
     UNKNOWN("it hung up"), 0},
    {"account: an empty packet", nothing_in_a_packet, TEAMD, ACCOUNT, UNKNOWN("it hung up"), 0},
    {"account: garbage", garbage, TEAMD, ACCOUNT, UNKNOWN("its answer is garbled"), 0},
    {"account: half a header", half_a_header, TEAMD, ACCOUNT, UNKNOWN("its answer is garbled"), 0},
    {"account: an escape in the text", an_escape_in_the_text, TEAMD, ACCOUNT,
     UNKNOWN("its answer is garbled"), 0},
    {"account: another op", other_op, TEAMD, ACCOUNT, UNKNOWN("its answer is garbled"), 0},
    {"account: a question for an answer", asks_back, TEAMD, ACCOUNT,
     UNKNOWN("its answer is garbled"), 0},
    {"account: no code", no_code, TEAMD, ACCOUNT, UNKNOWN("its answer is garbled"), 0},
    {"account: a yes in a packet that is too long", oversize, TEAMD, ACCOUNT,
     UNKNOWN("its answer is too long"), 0},
    {"account: a yes of another version", other_version, TEAMD, ACCOUNT,
     UNKNOWN("it speaks another version of the protocol"), 0},
    {"account: no socket", NULL, ABSENT, ACCOUNT, UNKNOWN("it is not running"), 0},
    {"account: a socket that nobody listens on", NULL, DEAD_SOCKET, ACCOUNT,
     UNKNOWN("it is not running"), 0},
    {"account: a plain file", NULL, PLAIN_FILE, ACCOUNT, UNKNOWN("it is not running"), 0},
    {"account: a socket of another type", never_accepts, STREAM_SOCKET, ACCOUNT,
     UNKNOWN("its socket is of another type"), 0},
    {"account: a yes of an impostor", yes, IMPOSTOR, ACCOUNT,
     UNKNOWN("somebody else than root listens in its place"), 0},
    {"account: what is asked in sudo", repeat, TEAMD, ACCOUNT, DENIED("sudo 1001 alice - - -"), 0},
    {"account: quiet", no, TEAMD, pam_acct_mgmt, ALICE, "sudo", "alice", "quiet", PAM_PERM_DENIED,
     NULL, LOG_NOTICE, ELEVATE, 0},
    {"account: an argument of a later version", yes, TEAMD, pam_acct_mgmt, ALICE, "sudo", "alice",
     "waits=5m", PAM_SERVICE_ERR,
     "access is denied: pam_team has a wrong argument in the PAM configuration of sudo; tell an "
     "administrator",
     LOG_ERR, "uid=1001 user=alice denied: argument \"waits=5m\" is not understood", 0},
    {"account: a user name that cannot be told", yes, TEAMD, pam_acct_mgmt, ALICE, "sudo", "-f", "",
     PAM_PERM_DENIED,
     "access is denied: teamd cannot be asked about a service or user of this name", LOG_ERR,
     "uid=1001 user=-f denied: ", 0},

    {"open: yes", yes, TEAMD, OPEN, PASSED, 0},
    {"open: a yes without a record is none", opens_without_a_record, TEAMD, OPEN,
     REFUSED("teamd does not answer"), 0},
    {"open: no is not spoken", no, TEAMD, OPEN, PAM_PERM_DENIED, NULL, LOG_NOTICE, ELEVATE, 0},
    {"open: silence is no", reads_and_is_silent, TEAMD, OPEN, REFUSED("teamd does not answer"),
     900},
    {"open: nobody there is no", NULL, ABSENT, OPEN, REFUSED("teamd does not answer"), 0},
    {"open: garbage is no", garbage, TEAMD, OPEN, REFUSED("teamd does not answer"), 0},
    {"open: a wrong argument is no", yes, TEAMD, pam_open_session, ALICE, "sudo", "root", "promt",
     REFUSED("argument \"promt\" is not understood"), 0},

    {"open: into its container, confirmed", contains, TEAMD, OPEN, PASSED, 0},
    {"open: into its container, and then it is no", contains_and_then_says_no, TEAMD, OPEN,
     PAM_PERM_DENIED, NULL, LOG_NOTICE, "uid=1001 user=root denied: the elevation has ended", 0},
    {"open: into its container, and teamd is gone", contains_and_is_gone, TEAMD, OPEN,
     REFUSED("teamd does not answer"), 0},
    {"open: into its container, and silence", contains_and_is_silent, TEAMD, OPEN,
     REFUSED("teamd does not answer on "), 900},
    {"open: a container that is not there", contains_nowhere, TEAMD, OPEN,
     REFUSED("the session's container cannot be entered"), 0},
    {"open: a container that is none", contains_elsewhere, TEAMD, OPEN,
     REFUSED("teamd does not answer"), 0},

    {"close: yes", yes, TEAMD, CLOSE, PASSED, 0},
    {"close: no is not heard", no, TEAMD, CLOSE, PAM_SUCCESS, NULL, LOG_NOTICE, ELEVATE, 0},
    {"close: silence lets go", reads_and_is_silent, TEAMD, CLOSE, UNREPORTED, 900},
    {"close: nobody there lets go", NULL, ABSENT, CLOSE, UNREPORTED, 0},
    {"close: garbage lets go", garbage, TEAMD, CLOSE, UNREPORTED, 0},

    {"root: yes", yes, TEAMD, ROOT(pam_acct_mgmt), PASSED, 0},
    {"root: no is no", no, TEAMD, ROOT(pam_acct_mgmt), PAM_PERM_DENIED, ELEVATE, LOG_NOTICE,
     "uid=0", 0},
    {"root: no is no in open", no, TEAMD, ROOT(pam_open_session), PAM_PERM_DENIED, NULL, LOG_NOTICE,
     "uid=0", 0},
    {"root: nobody there", NULL, ABSENT, ROOT(pam_acct_mgmt), PASSED_AS_ROOT, 0},
    {"root: nobody there in open", NULL, ABSENT, ROOT(pam_open_session), PASSED_AS_ROOT, 0},
    {"root: silence", reads_and_is_silent, TEAMD, ROOT(pam_acct_mgmt), PASSED_AS_ROOT, 900},
    {"root: garbage", garbage, TEAMD, ROOT(pam_open_session), PASSED_AS_ROOT, 0},
    {"root: into its container, confirmed", contains, TEAMD, ROOT(pam_open_session), PASSED, 0},
    {"root: into its container, and then it is no", contains_and_then_says_no, TEAMD,
     ROOT(pam_open_session), PAM_PERM_DENIED, NULL, LOG_NOTICE, "the elevation has ended", 0},
    {"root: into its container, and teamd is gone", contains_and_is_gone, TEAMD,
     ROOT(pam_open_session), PASSED_AS_ROOT, 0},
    {"root: a container that is not there", contains_nowhere, TEAMD, ROOT(pam_open_session),
     PAM_SUCCESS, NULL, LOG_WARNING, "passes as root: the session's container cannot be entered",
     0},
    {"root: a container that is none", contains_elsewhere, TEAMD, ROOT(pam_open_session),
     PASSED_AS_ROOT, 0},
    {"root: a wrong argument, and teamd is told", yes, TEAMD, pam_open_session, 0, "sudo", "root",
     "foo", PASSED_AS_ROOT, 0},
    {"root: a wrong argument, and teamd says no", no, TEAMD, pam_open_session, 0, "sudo", "root",
     "foo", PAM_PERM_DENIED, NULL, LOG_NOTICE, "argument \"foo\"", 0},
    {"root: nobody there, su to alice", NULL, ABSENT, pam_acct_mgmt, 0, "su", "alice", "",
     PASSED_AS_ROOT, 0},
    {"root: nobody there, login of root", NULL, ABSENT, pam_acct_mgmt, 0, "login", "root", "",
     PASSED_AS_ROOT, 0},
    {"root: nobody there, login of alice", NULL, ABSENT, pam_acct_mgmt, 0, "login", "alice", "",
     UNKNOWN("it is not running"), 0},
    {"root: nobody there, ssh of root", NULL, ABSENT, pam_acct_mgmt, 0, "sshd", "root", "",
     UNKNOWN("it is not running"), 0},
    {"root: nobody there, pkexec by anybody", NULL, ABSENT, pam_open_session, 0, "polkit-1", "root",
     "", PAM_PERM_DENIED, NULL, LOG_ERR, "denied", 0},
};

static bool needs_container(const struct row *row)
{
    return row->teamd == contains || row->teamd == contains_and_then_says_no ||
           row->teamd == contains_and_is_gone || row->teamd == contains_and_is_silent;
}

static void check_row(void **state)
{
    const struct row *row = *state;
    int crowd[16], before, code, listener, timeout_ms = strstr(row->arguments, "1s") ? 1000 : 2000;
    int64_t begun;
    size_t printed;
    pam_handle_t *pamh;
    pid_t teamd;

    memset(crowd, -1, sizeof crowd);
    listener = set_up(row->place, crowd);
    teamd = start(listener, row->teamd);
    write_service(row->service, row->arguments);
    pamh = begin(row->service, row->user, listen_to_it);
    before = count_entries("/proc/self/fd");
    begun = now_ms();
    code = run(pamh, row->phase, PAM_SILENT, row->uid, &printed);
    begun = now_ms() - begun;
    assert_int_equal(count_entries("/proc/self/fd"), before);
    pam_end(pamh, code);
    stop(teamd);
    leave_container();
    for (size_t i = 0; i < COUNT(crowd); i++)
        if (crowd[i] >= 0)
            close(crowd[i]);

    assert_int_equal(code, row->code);
    assert_int_equal(printed, 0);
    assert_int_equal(heard.shown, row->message != NULL);
    if (row->message) {
        assert_string_equal(heard.message, row->message);
        assert_int_equal(heard.style, PAM_ERROR_MSG);
    }
    assert_int_equal(heard.logged, row->priority >= 0);
    if (row->priority >= 0) {
        assert_int_equal(heard.priority, row->priority);
        assert_non_null(strstr(heard.log, row->log));
    }
    assert_true(begun >= row->least_ms);
    assert_true(begun < timeout_ms + 1000);
}

/* ---- what the table cannot say ------------------------------------------------------------- */

/* One account phase with teamd at its place, by this conversation. */
static int account(void (*behaviour)(int), pam_handle_t *pamh)
{
    int crowd[16], code;
    pid_t teamd = start(set_up(TEAMD, crowd), behaviour);
    size_t printed;

    code = run(pamh, pam_acct_mgmt, 0, ALICE, &printed);
    stop(teamd);
    return code;
}

static void hostile_items_are_made_plain_or_left_out(void **state)
{
    char long_text[300] = ""; /* much more, and libpam's own audit message fails */
    pam_handle_t *pamh;

    (void)state;
    memset(long_text, 'x', sizeof long_text - 1);
    write_service("sudo", "");
    pamh = begin("sudo", "alice", listen_to_it);
    pam_set_item(pamh, PAM_TTY, "/dev/\033[2Jpts");
    pam_set_item(pamh, PAM_RUSER, "al\nice");
    pam_set_item(pamh, PAM_RHOST, "");
    assert_int_equal(account(repeat, pamh), PAM_PERM_DENIED);
    assert_string_equal(heard.message, "sudo 1001 alice al?ice /dev/?[2Jpts -");
    pam_set_item(pamh, PAM_TTY, long_text);
    pam_set_item(pamh, PAM_RUSER, long_text);
    pam_set_item(pamh, PAM_RHOST, long_text);
    assert_int_equal(account(repeat, pamh), PAM_PERM_DENIED);
    assert_string_equal(heard.message, "sudo 1001 alice - - -");
    pam_set_item(pamh, PAM_USER, long_text);
    assert_int_equal(account(yes, pamh), PAM_PERM_DENIED);
    pam_set_item(pamh, PAM_USER, NULL);
    assert_int_equal(account(repeat, pamh), PAM_PERM_DENIED);
    assert_string_equal(heard.message, "sudo 1001 - - - -");
    pam_end(pamh, 0);
}

static void the_address_of_an_ssh_peer_is_sshds(void **state)
{
    pam_handle_t *pamh;

    (void)state;
    write_service("sshd", "");
    pamh = begin("sshd", "alice", listen_to_it);
    pam_set_item(pamh, PAM_RHOST, "trusted.example");
    pam_putenv(pamh, "SSH_CONNECTION=192.0.2.7 51515 192.0.2.1 22");
    assert_int_equal(account(repeat, pamh), PAM_PERM_DENIED);
    assert_string_equal(heard.message, "sshd 1001 alice - - 192.0.2.7");
    pam_end(pamh, 0);
}

static void a_host_that_does_not_listen_is_denied_as_well(void **state)
{
    pam_handle_t *pamh;

    (void)state;
    write_service("sudo", "");
    pamh = begin("sudo", "alice", refuse_to_listen);
    assert_int_equal(account(no, pamh), PAM_PERM_DENIED);
    assert_int_equal(heard.shown, 1);
    assert_int_equal(account(yes, pamh), PAM_SUCCESS);
    pam_end(pamh, 0);
    pamh = begin("sudo", "alice", NULL);
    assert_int_equal(account(no, pamh), PAM_PERM_DENIED);
    pam_end(pamh, 0);
}

static void a_line_of_type_auth_denies(void **state)
{
    pam_handle_t *pamh;

    (void)state;
    write_service("sudo", "");
    pamh = begin("sudo", "alice", listen_to_it);
    assert_int_equal(pam_authenticate(pamh, 0), PAM_MODULE_UNKNOWN);
    assert_int_not_equal(pam_setcred(pamh, PAM_ESTABLISH_CRED), PAM_SUCCESS);
    pam_end(pamh, 0);
}

static void ignore_it(int signal_number)
{
    (void)signal_number;
}

static void signals_of_the_host_neither_break_nor_prolong_it(void **state)
{
    const struct itimerval often = {{0, 3000}, {0, 3000}}, never = {0};
    struct sigaction act = {.sa_handler = ignore_it}, was;
    int crowd[16];
    pam_handle_t *pamh;
    int64_t begun;
    pid_t teamd;
    size_t printed;

    (void)state;
    sigaction(SIGALRM, &act, &was);
    write_service("sudo", "timeout=1s");
    pamh = begin("sudo", "alice", listen_to_it);
    for (int i = 0; i < 3; i++) {
        memset(crowd, -1, sizeof crowd);
        teamd = start(set_up(i == 2 ? FULL : TEAMD, crowd), i == 0 ? slow_yes : never_accepts);
        setitimer(ITIMER_REAL, &often, NULL);
        begun = now_ms();
        assert_int_equal(run(pamh, pam_acct_mgmt, 0, ALICE, &printed),
                         i == 0 ? PAM_SUCCESS : PAM_AUTHINFO_UNAVAIL);
        begun = now_ms() - begun;
        setitimer(ITIMER_REAL, &never, NULL);
        assert_true(begun > 500 && begun < 2000);
        stop(teamd);
        for (size_t j = 0; j < COUNT(crowd); j++)
            if (crowd[j] >= 0)
                close(crowd[j]);
    }
    pam_end(pamh, 0);
    sigaction(SIGALRM, &was, NULL);
}

/* In a child: it closes what the test needs. */
static void a_host_without_standard_descriptors_keeps_them_free(void **state)
{
    int crowd[16], status = 0;
    pid_t teamd = start(set_up(TEAMD, crowd), look_at_the_descriptor), host;

    (void)state;
    write_service("sudo", "");
    host = fork();
    if (host == 0) {
        pam_handle_t *pamh = begin("sudo", "alice", listen_to_it);

        for (int fd = 0; fd < 64; fd++)
            close(fd);
        if (setresuid(ALICE, 0, 0) < 0)
            _exit(99);
        _exit(pam_acct_mgmt(pamh, 0));
    }
    waitpid(host, &status, 0);
    stop(teamd);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), PAM_SUCCESS);
}

/* Out of descriptors is a host's trouble, and a no. */
static void no_descriptor_left_is_no(void **state)
{
    int crowd[16], status = 0;
    pid_t teamd = start(set_up(TEAMD, crowd), yes), host;

    (void)state;
    write_service("sudo", "");
    host = fork();
    if (host == 0) {
        pam_handle_t *pamh = begin("sudo", "alice", listen_to_it);
        int code;

        /* Loads the module; then there is no descriptor left for the question. */
        if (pam_acct_mgmt(pamh, 0) != PAM_SUCCESS || setresuid(ALICE, 0, 0) < 0)
            _exit(99);
        while (dup(0) >= 0)
            continue;
        code = pam_acct_mgmt(pamh, 0);
        /* libpam makes another error of ours: it has no descriptor for its audit message. */
        _exit(code != PAM_SUCCESS && strstr(heard.message, "(error 24)") ? 0 : 98);
    }
    waitpid(host, &status, 0);
    stop(teamd);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void it_loads_and_goes_2000_times_without_a_trace(void **state)
{
    int before = count_entries("/proc/self/fd");
    void *so;

    (void)state;
    for (int i = 0; i < 2000; i++) {
        so = dlopen(module, RTLD_NOW);
        if (!so) {
            fail_msg("%s", dlerror());
            return;
        }
        assert_non_null(dlsym(so, "pam_sm_acct_mgmt"));
        assert_non_null(dlsym(so, "pam_sm_open_session"));
        assert_non_null(dlsym(so, "pam_sm_close_session"));
        assert_null(dlsym(so, "pam_sm_authenticate"));
        assert_null(dlsym(so, "client_open"));
        assert_int_equal(dlclose(so), 0);
        assert_null(dlopen(module, RTLD_NOW | RTLD_NOLOAD));
    }
    assert_int_equal(count_entries("/proc/self/fd"), before);
}

static void it_asks_2000_times_without_a_trace(void **state)
{
    int crowd[16], before;
    pam_handle_t *pamh;
    size_t printed;

    (void)state;
    set_up(ABSENT, crowd);
    write_service("sudo", "");
    before = count_entries("/proc/self/fd");
    for (int i = 0; i < 2000; i++) {
        pamh = begin("sudo", "alice", listen_to_it);
        assert_int_equal(run(pamh, pam_acct_mgmt, 0, ALICE, &printed), PAM_AUTHINFO_UNAVAIL);
        pam_end(pamh, 0);
    }
    assert_int_equal(count_entries("/proc/self/fd"), before);
}

/* ---- all of it ----------------------------------------------------------------------------- */

int main(void)
{
    static struct CMUnitTest tests[COUNT(ROWS) + 20] = {
        cmocka_unit_test(hostile_items_are_made_plain_or_left_out),
        cmocka_unit_test(the_address_of_an_ssh_peer_is_sshds),
        cmocka_unit_test(a_host_that_does_not_listen_is_denied_as_well),
        cmocka_unit_test(a_line_of_type_auth_denies),
        cmocka_unit_test(signals_of_the_host_neither_break_nor_prolong_it),
        cmocka_unit_test(a_host_without_standard_descriptors_keeps_them_free),
        cmocka_unit_test(no_descriptor_left_is_no),
        cmocka_unit_test(it_loads_and_goes_2000_times_without_a_trace),
        cmocka_unit_test(it_asks_2000_times_without_a_trace),
    };
    size_t n = 9;

    if (geteuid() != 0) {
        puts("1..1\nok 1 - the module in libpam # SKIP needs root, to be somebody else");
        return 0;
    }
    make_container();
    for (size_t i = 0; i < COUNT(ROWS); i++) {
        if (needs_container(&ROWS[i]) && container[0] == '\0')
            continue; /* no cgroup v2 on this host */
        tests[n++] = (struct CMUnitTest){.name = ROWS[i].says,
                                         .test_func = check_row,
                                         .initial_state = (void *)(uintptr_t)&ROWS[i]};
    }
    return _cmocka_run_group_tests("module", tests, n, build_stage, clear_stage);
}
