/* Lines for people on their terminal, and terminals that are given back: a pty that is alice's. */
#include "host/host.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

enum { ALICE = 1001, BOB = 1002 };

static int master;
static char tty[64];

static int set_up(void **state)
{
    (void)state;
    master = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    return master < 0 || unlockpt(master) < 0 || ptsname_r(master, tty, sizeof tty) != 0 ||
                   chown(tty, ALICE, 5) < 0 || chmod(tty, 0620) < 0
               ? -1
               : 0;
}

static int tear_down(void **state)
{
    (void)state;
    return close(master);
}

/* What the person sees since the last look. */
static const char *seen(void)
{
    static char text[2000];
    ssize_t n = read(master, text, sizeof text - 1);

    text[n > 0 ? n : 0] = '\0';
    return text;
}

static void a_line_stands_on_its_own(void **state)
{
    int keep = open(tty, O_RDWR | O_NOCTTY | O_CLOEXEC); /* as the person's shell does */

    (void)state;
    assert_int_equal(terminal_say(tty, ALICE, "it ends in 5m"), 0);
    assert_non_null(strstr(seen(), "\nit ends in 5m\r"));
    assert_int_equal(terminal_say(tty + strlen("/dev/"), ALICE, "in 1m"), 0); /* as PAM may say */
    assert_non_null(strstr(seen(), "\nin 1m\r"));
    close(keep);
}

static void a_line_that_is_too_long_is_cut(void **state)
{
    char line[1500];
    int keep = open(tty, O_RDWR | O_NOCTTY | O_CLOEXEC);

    (void)state;
    memset(line, 'x', sizeof line - 1);
    line[sizeof line - 1] = '\0';
    assert_int_equal(terminal_say(tty, ALICE, line), 0);
    assert_true(strlen(seen()) < 700);
    close(keep);
}

static void who_wants_no_messages_gets_none(void **state)
{
    int keep = open(tty, O_RDWR | O_NOCTTY | O_CLOEXEC);

    (void)state;
    assert_int_equal(chmod(tty, 0600), 0);
    assert_int_equal(terminal_say(tty, ALICE, "psst"), 0);
    assert_string_equal(seen(), "");
    close(keep);
}

static void the_terminal_of_somebody_else_is_left_alone(void **state)
{
    int keep = open(tty, O_RDWR | O_NOCTTY | O_CLOEXEC);

    (void)state;
    assert_int_equal(terminal_say(tty, BOB, "psst"), -EPERM);
    assert_int_equal(terminal_say(tty, 0, "psst"), -EPERM);
    assert_int_equal(terminal_reset(tty, BOB), -EPERM);
    assert_string_equal(seen(), "");
    close(keep);
}

static void what_is_no_terminal_is_not_written_to(void **state)
{
    static const struct {
        const char *tty;
        int error;
    } ROWS[] = {
        {"/dev/null", -EPERM},
        {"null", -EPERM},
        {"/etc/passwd", -EINVAL},
        {"/dev/../etc/motd", -EINVAL},
        {"../etc/motd", -EINVAL},
        {"pts/../null", -EINVAL},
        {"/dev/fd", -ELOOP},
        {"/dev/pts", -EISDIR},
        {"", -EISDIR},
        {"ssh", -ENOENT},
        {"pts/99999999", -ENOENT},
        {":0", -ENOENT},
    };

    (void)state;
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
        int r = terminal_say(ROWS[i].tty, 0, "psst");

        if (r != ROWS[i].error)
            fail_msg("%s: %d and not %d", ROWS[i].tty, r, ROWS[i].error);
        assert_int_equal(terminal_reset(ROWS[i].tty, 0), ROWS[i].error);
    }
}

static void a_raw_terminal_is_given_back_usable(void **state)
{
    int keep = open(tty, O_RDWR | O_NOCTTY | O_CLOEXEC);
    struct termios t;

    (void)state;
    assert_int_equal(tcgetattr(keep, &t), 0);
    cfmakeraw(&t);
    assert_int_equal(tcsetattr(keep, TCSANOW, &t), 0);
    assert_int_equal(terminal_reset(tty, ALICE), 0);
    assert_int_equal(tcgetattr(keep, &t), 0);
    assert_int_equal(t.c_lflag & (ICANON | ISIG | ECHO), ICANON | ISIG | ECHO);
    assert_int_equal(t.c_iflag & (ICRNL | IXON), ICRNL | IXON);
    assert_int_equal(t.c_oflag & (OPOST | ONLCR), OPOST | ONLCR);
    assert_int_equal(terminal_reset(tty, ALICE), 0); /* what is usable stays so */
    close(keep);
}

static void a_terminal_that_takes_nothing_holds_nobody_up(void **state)
{
    int keep = open(tty, O_RDWR | O_NOCTTY | O_CLOEXEC), r = 0;

    (void)state;
    assert_int_equal(tcflow(keep, TCOOFF), 0); /* ^S */
    for (int i = 0; i < 1000 && r == 0; i++)
        r = terminal_say(tty, ALICE, "are you there?");
    assert_int_equal(r, -EAGAIN);
    close(keep);
}

/* ---- approvers, wherever they sit ------------------------------------------------------------ */

static void a_line_for_several_reaches_each_of_them(void **state)
{
    static const uint32_t NOBODYS[] = {BOB}, OURS[] = {BOB, ALICE};
    int keep = open(tty, O_RDWR | O_NOCTTY | O_CLOEXEC);

    (void)state;
    terminals_say(NOBODYS, 1, "not for alice");
    terminals_say(OURS, 0, "for nobody");
    terminals_say(OURS, TERMINAL_OWNERS_MAX + 1, "for too many");
    assert_string_equal(seen(), "");
    terminals_say(OURS, 2, "alice waits");
    assert_non_null(strstr(seen(), "\nalice waits\r"));
    assert_int_equal(chmod(tty, 0600), 0); /* mesg n */
    terminals_say(OURS, 2, "alice waits");
    assert_string_equal(seen(), "");
    close(keep);
}

static void who_has_many_terminals_gets_it_on_a_few(void **state)
{
    enum { TERMINALS = 7 };
    static const uint32_t OURS[] = {ALICE};
    int masters[TERMINALS], keeps[TERMINALS], heard = 0;

    (void)state;
    for (int i = 0; i < TERMINALS; i++) {
        assert_int_equal(set_up(NULL), 0);
        masters[i] = master;
        keeps[i] = open(tty, O_RDWR | O_NOCTTY | O_CLOEXEC);
    }
    terminals_say(OURS, 1, "psst");
    for (int i = 0; i < TERMINALS; i++) {
        master = masters[i];
        heard += strstr(seen(), "psst") != NULL;
        close(keeps[i]);
        close(master);
    }
    assert_int_equal(heard, TERMINALS_EACH);
}

static void the_terminal_of_a_process_is_known(void **state)
{
    char name[64], found[TTY_CAP] = "before";
    int screen;
    pid_t pid = forkpty(&screen, name, NULL, NULL);

    (void)state;
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        prctl(PR_SET_NAME, "a) S 1 2 3 4 5 (");
        for (;;)
            pause();
    }
    assert_true(pid > 0);
    terminal_of(INT32_MAX, found);
    assert_string_equal(found, "");
    for (int i = 0; i < 500 && !found[0]; i++) {
        usleep(10000);
        terminal_of((uint32_t)pid, found);
    }
    assert_string_equal(found, name);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    close(screen);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_line_stands_on_its_own, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_line_that_is_too_long_is_cut, set_up, tear_down),
        cmocka_unit_test_setup_teardown(who_wants_no_messages_gets_none, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_terminal_of_somebody_else_is_left_alone, set_up,
                                        tear_down),
        cmocka_unit_test(what_is_no_terminal_is_not_written_to),
        cmocka_unit_test(the_terminal_of_a_process_is_known),
        cmocka_unit_test_setup_teardown(a_raw_terminal_is_given_back_usable, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_line_for_several_reaches_each_of_them, set_up, tear_down),
        cmocka_unit_test(who_has_many_terminals_gets_it_on_a_few),
        cmocka_unit_test_setup_teardown(a_terminal_that_takes_nothing_holds_nobody_up, set_up,
                                        tear_down),
    };

    if (geteuid() != 0) {
        puts("1..1\nok 1 - terminals # SKIP needs root, to give one to alice");
        return 0;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
