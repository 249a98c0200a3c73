/* The connection to teamd as teamctl uses it: many packets, waiting for ever, errors by name. How
 * it behaves inside a PAM host is in tests/pam. */
#include "pam_team/client.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

static char path[] = "/tmp/team-client-XXXXXX";

static int listener = -1, served = -1;

/* A listening socket at `path`. */
static int set_up(void **state)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = mkstemp(path);

    (void)state;
    if (fd < 0 || close(fd) < 0 || unlink(path) < 0)
        return -1;
    memcpy(address.sun_path, path, sizeof path);
    listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (bind(listener, (const struct sockaddr *)&address, sizeof address) < 0)
        return -1;
    return listen(listener, 8);
}

static int tear_down(void **state)
{
    (void)state;
    close(listener);
    unlink(path);
    memcpy(path + sizeof path - 7, "XXXXXX", 6);
    return 0;
}

static struct client meet(void)
{
    struct client c = {.fd = -1};

    assert_int_equal(client_open(path, client_deadline(5000000), &c), 0);
    served = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    assert_true(served >= 0);
    return c;
}

static void packets_arrive_one_by_one_and_without_limit_of_time(void **state)
{
    struct client c = meet();
    char buf[16];

    (void)state;
    assert_int_equal(client_send(&c, "ask", 3, CLIENT_NEVER), 0);
    assert_int_equal(recv(served, buf, sizeof buf, 0), 3);
    for (int i = 1; i <= 9; i++)
        assert_int_equal(send(served, "123456789", (size_t)i, 0), i);
    for (int i = 1; i <= 9; i++)
        assert_int_equal(client_receive(&c, buf, sizeof buf, CLIENT_NEVER), i);
    /* A limit that was set is lifted again. */
    assert_int_equal(client_receive(&c, buf, sizeof buf, client_deadline(10000)), -ETIMEDOUT);
    assert_int_equal(send(served, "late", 4, 0), 4);
    assert_int_equal(client_receive(&c, buf, sizeof buf, CLIENT_NEVER), 4);
    close(served);
    assert_int_equal(client_receive(&c, buf, sizeof buf, CLIENT_NEVER), -ECONNRESET);
    client_close(&c);
}

static void a_packet_that_just_fits_does_and_a_longer_one_does_not(void **state)
{
    struct client c = meet();
    char buf[4];

    (void)state;
    assert_int_equal(send(served, "1234", 4, 0), 4);
    assert_int_equal(send(served, "12345", 5, 0), 5);
    assert_int_equal(client_receive(&c, buf, sizeof buf, CLIENT_NEVER), 4);
    assert_int_equal(client_receive(&c, buf, sizeof buf, CLIENT_NEVER), -EMSGSIZE);
    close(served);
    client_close(&c);
}

static void last_words_are_heard_though_nobody_read_the_question(void **state)
{
    struct client c = meet();
    char buf[16];

    (void)state;
    assert_int_equal(client_send(&c, "ask", 3, CLIENT_NEVER), 0);
    assert_int_equal(send(served, "too many", 8, 0), 8);
    close(served);
    assert_int_equal(client_receive(&c, buf, sizeof buf, CLIENT_NEVER), 8);
    assert_int_equal(client_receive(&c, buf, sizeof buf, CLIENT_NEVER), -ECONNRESET);
    client_close(&c);
}

static void they_are_heard_after_one_more_question_too(void **state)
{
    struct client c = meet();
    char buf[16];

    (void)state;
    assert_int_equal(client_send(&c, "ask", 3, CLIENT_NEVER), 0);
    assert_int_equal(send(served, "too many", 8, 0), 8);
    close(served);
    assert_int_equal(client_send(&c, "again", 5, CLIENT_NEVER), 0);
    assert_int_equal(client_receive(&c, buf, sizeof buf, CLIENT_NEVER), 8);
    assert_int_equal(client_receive(&c, buf, sizeof buf, CLIENT_NEVER), -ECONNRESET);
    client_close(&c);
}

static void a_deadline_that_has_passed_is_told_at_once(void **state)
{
    struct client c = meet(), other = {.fd = 4711};
    int64_t past = client_deadline(0);
    char buf[16];

    (void)state;
    assert_int_equal(client_open(path, past, &other), -ETIMEDOUT);
    assert_int_equal(other.fd, 4711);
    assert_int_equal(client_send(&c, "ask", 3, past), -ETIMEDOUT);
    assert_int_equal(client_receive(&c, buf, sizeof buf, past), -ETIMEDOUT);
    close(served);
    client_close(&c);
}

static void a_reader_that_does_not_read_is_not_waited_for_longer(void **state)
{
    static char packet[60000];
    struct client c = meet();
    int64_t deadline = client_deadline(100000);
    int r, sent = 0;

    (void)state;
    while ((r = client_send(&c, packet, sizeof packet, deadline)) == 0)
        sent++;
    assert_int_equal(r, -ETIMEDOUT);
    assert_true(sent > 0);
    close(served);
    client_close(&c);
}

static void the_largest_timeout_does_not_wrap(void **state)
{
    (void)state;
    assert_true(client_deadline(CLIENT_NEVER) > client_deadline(INT64_C(3600) * 1000000));
    assert_true(client_deadline(CLIENT_NEVER) < CLIENT_NEVER);
}

static void a_path_that_no_socket_can_have_is_refused(void **state)
{
    struct client c;
    char too_long[109];

    (void)state;
    memset(too_long, 'a', sizeof too_long - 1);
    too_long[108] = '\0';
    assert_int_equal(client_open(too_long, CLIENT_NEVER, &c), -ENAMETOOLONG);
    assert_int_equal(client_open("", CLIENT_NEVER, &c), -ENAMETOOLONG);
    assert_int_equal(client_open("/nowhere/at/all", CLIENT_NEVER, &c), -ENOENT);
}

static void ring(int signal_number)
{
    (void)signal_number;
}

static void who_awaits_a_packet_can_be_called_away(void **state)
{
    const struct itimerval bell = {.it_value = {.tv_usec = 50000}};
    struct sigaction act = {.sa_handler = ring, .sa_flags = SA_RESTART}, was;
    struct client c = meet();

    (void)state;
    assert_int_equal(client_await(&c, client_deadline(0)), -ETIMEDOUT);
    assert_int_equal(client_await(&c, client_deadline(20000)), -ETIMEDOUT);
    assert_int_equal(send(served, "1", 1, 0), 1);
    assert_int_equal(client_await(&c, client_deadline(0) + 1000000), 0);
    assert_int_equal(client_receive(&c, (char[2]){0}, 2, CLIENT_NEVER), 1);
    assert_int_equal(client_pause(1), 0);
    sigaction(SIGALRM, &act, &was);
    setitimer(ITIMER_REAL, &bell, NULL);
    assert_int_equal(client_await(&c, CLIENT_NEVER), -EINTR);
    setitimer(ITIMER_REAL, &bell, NULL);
    assert_int_equal(client_pause(60 * INT64_C(1000000)), -EINTR);
    sigaction(SIGALRM, &was, NULL);
    close(served);
    assert_int_equal(client_await(&c, CLIENT_NEVER), 0); /* the end is something to be received */
    client_close(&c);
}

static void closing_twice_is_harmless_and_keeps_errno(void **state)
{
    struct client c = meet();
    int fd = c.fd;

    (void)state;
    errno = E2BIG;
    client_close(&c);
    assert_int_equal(c.fd, -1);
    assert_int_equal(fcntl(fd, F_GETFD), -1);
    errno = E2BIG;
    client_close(&c);
    assert_int_equal(errno, E2BIG);
    close(served);
}

static void a_free_standard_input_is_left_free(void **state)
{
    int stdin_was = fcntl(0, F_DUPFD_CLOEXEC, 10);
    struct client c;

    (void)state;
    close(0);
    c = meet(); /* accept() takes 0 after it */
    assert_true(c.fd > 2);
    assert_int_equal(served, 0);
    assert_true(fcntl(c.fd, F_GETFD) & FD_CLOEXEC);
    client_close(&c);
    dup2(stdin_was, 0);
    close(stdin_was);
}

static void somebody_else_than_root_is_not_believed(void **state)
{
    struct client c;

    (void)state;
    /* Who listens is who called listen() last. */
    assert_int_equal(seteuid(65534), 0);
    assert_int_equal(listen(listener, 8), 0);
    assert_int_equal(seteuid(0), 0);
    assert_int_equal(client_open(path, CLIENT_NEVER, &c), -EPERM);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(packets_arrive_one_by_one_and_without_limit_of_time),
        TEST(a_packet_that_just_fits_does_and_a_longer_one_does_not),
        TEST(last_words_are_heard_though_nobody_read_the_question),
        TEST(they_are_heard_after_one_more_question_too),
        TEST(a_deadline_that_has_passed_is_told_at_once),
        TEST(a_reader_that_does_not_read_is_not_waited_for_longer),
        TEST(the_largest_timeout_does_not_wrap),
        TEST(a_path_that_no_socket_can_have_is_refused),
        TEST(who_awaits_a_packet_can_be_called_away),
        TEST(closing_twice_is_harmless_and_keeps_errno),
        TEST(a_free_standard_input_is_left_free),
        TEST(somebody_else_than_root_is_not_believed),
    };

    if (geteuid() != 0) {
        puts("1..1\nok 1 - the connection to teamd # SKIP needs root, whom alone it believes");
        return 0;
    }
    return cmocka_run_group_tests_name("client", tests, NULL, NULL);
}
