/* Asks and answers on the sockets of teamd: who is heard, what is not, and how it ends. */
#include "unit/ipc_rig.h"

/* ---- asks and answers ------------------------------------------------------------------------ */

static void it_is_known_whether_somebody_wants_to_ask_the_gate(void **state)
{
    int gate, control = dial(rig.control);

    (void)state;
    assert_false(ipc_gate_waits(rig.ipc));
    gate = dial_and_say(rig.gate, OP_YES);
    assert_true(ipc_gate_waits(rig.ipc));
    settle();
    assert_false(ipc_gate_waits(rig.ipc));
    hears(gate, TEAM_DONE, "yes");
    hears_end(gate);
    close(control);
    ipc_stop(rig.ipc);
    assert_false(ipc_gate_waits(rig.ipc));
}

static void gate_answers_one_ask_and_closes(void **state)
{
    int fd = dial_and_say(rig.gate, OP_YES);

    (void)state;
    assert_int_equal(settle(), 1); /* accepted, read, answered and closed in one turn */
    hears(fd, TEAM_DONE, "yes");
    hears_end(fd);
    assert_int_equal(ipc_connections(rig.ipc), 0);
}

static void ask_that_comes_after_the_accept_is_answered_too(void **state)
{
    int fd = dial(rig.gate);

    (void)state;
    settle();
    assert_int_equal(ipc_connections(rig.ipc), 1);
    hears_nothing(fd);
    say(fd, OP_YES);
    settle();
    hears(fd, TEAM_DONE, "yes");
    hears_end(fd);
}

static void control_answers_many_asks_on_one_connection(void **state)
{
    int fd = dial(rig.control);

    (void)state;
    for (int n = 0; n < 100; n++) {
        say(fd, OP_YES);
        settle();
        hears(fd, TEAM_DONE, "yes");
    }
    assert_int_equal(rig.asks, 100);
    assert_int_equal(ipc_connections(rig.ipc), 1);
    close(fd);
    settle();
    assert_int_equal(ipc_connections(rig.ipc), 0);
    assert_int_equal(rig.gones, 0);
}

static void second_ask_is_not_read_before_the_first_is_answered(void **state)
{
    int fd = dial(rig.control);

    (void)state;
    say(fd, OP_HOLD);
    say(fd, OP_YES);
    assert_true(settle() < 10);
    assert_int_equal(rig.asks, 1);
    hears_nothing(fd);
    answer(rig.held[0], OP_HOLD, "first");
    settle();
    assert_int_equal(rig.asks, 2);
    hears(fd, TEAM_DONE, "first");
    hears(fd, TEAM_DONE, "yes");
    close(fd);
}

static void ask_that_waits_is_answered_later(void **state)
{
    int gate = dial(rig.gate), control = dial(rig.control);

    (void)state;
    settle(); /* now they are idle */
    say(gate, OP_HOLD);
    settle();
    say(control, OP_HOLD);
    run_for(400); /* longer than any idle time: an open ask has none */
    assert_int_equal(rig.n_held, 2);
    assert_int_equal(conn_socket(rig.held[0]), IPC_GATE);
    assert_int_equal(conn_socket(rig.held[1]), IPC_CONTROL);
    answer(rig.held[1], OP_HOLD, "control");
    answer(rig.held[0], OP_HOLD, "gate");
    hears(gate, TEAM_DONE, "gate");
    hears(control, TEAM_DONE, "control");
    hears_end(gate);
    hears_nothing(control);
    close(control);
}

static void gate_goes_before_control(void **state)
{
    int control = dial_and_say(rig.control, OP_HOLD), gate = dial_and_say(rig.gate, OP_HOLD);

    (void)state;
    settle();
    assert_int_equal(conn_socket(rig.held[0]), IPC_GATE);
    assert_int_equal(conn_socket(rig.held[1]), IPC_CONTROL);
    close(gate);
    close(control);
}

static void closing_without_an_answer_is_the_end(void **state)
{
    int gate = dial_and_say(rig.gate, OP_SILENT), control = dial_and_say(rig.control, OP_SILENT);

    (void)state;
    settle();
    hears_end(gate);
    hears_end(control);
    assert_int_equal(rig.gones, 0);
}

static void handler_may_close_another_connection(void **state)
{
    int held = dial_and_say(rig.control, OP_HOLD), fd;

    (void)state;
    settle();
    fd = dial_and_say(rig.control, OP_KICK);
    say(held, OP_YES); /* its event is pending while it is closed */
    settle();
    hears(fd, TEAM_DONE, "kicked");
    assert_int_equal(recv(held, (char[1]){0}, 1, MSG_DONTWAIT) <= 0, true);
    close(held);
    close(fd);
    settle();
    assert_int_equal(ipc_connections(rig.ipc), 0);
}

/* ---- messages that are none ------------------------------------------------------------------ */

static const char UNKNOWN[] = "that message was not understood";

static const struct {
    const char *says;
    bool gate;
    const char *bytes;
    size_t len;     /* more than the bytes: filled up with a field that nobody knows */
    const char *no; /* NULL: the connection ends without a word; "": it is an ask */
} MESSAGES[] = {
    {"garbage", true, "hello", 5, UNKNOWN},
    {"garbage on control", false, "GET / HTTP/1.1\r\n", 16, UNKNOWN},
    {"a header that is cut", true, "TE\1\1\0\1\0", 7, UNKNOWN},
    {"a header with too many fields", false, "TE\1\1\0\1\0\1", 8, UNKNOWN},
    {"an answer instead of an ask", true, "TE\1\2\0\1\0\0", 8, UNKNOWN},
    {"rows instead of an ask", false, "TE\1\3\0\1\0\0", 8, UNKNOWN},
    {"no kind of message", false, "TE\1\4\0\1\0\0", 8, UNKNOWN},
    {"a field that must be understood", true, "TE\1\1\0\1\0\1\x80\1\0\0", 12, UNKNOWN},
    {"another version", true, "TE\2\1\0\1\0\0", 8, "this teamd speaks version 1"},
    {"version 0", false, "TE\0\1\0\1\0\0", 8, "this teamd speaks version 1"},
    {"an empty packet", true, "", 0, NULL},
    {"an empty packet on control", false, "", 0, NULL},
    {"the largest ask of the gate", true, "TE\1\1\0\1\0\1", TEAM_GATE_PACKET_MAX, ""},
    {"one byte more", true, "TE\1\1\0\1\0\1", TEAM_GATE_PACKET_MAX + 1, NULL},
    {"the largest ask of control", false, "TE\1\1\0\1\0\1", TEAM_ASK_PACKET_MAX, ""},
    {"one byte more on control", false, "TE\1\1\0\1\0\1", TEAM_ASK_PACKET_MAX + 1, NULL},
};

static void send_message(int fd, const char *bytes, size_t len)
{
    char packet[TEAM_ASK_PACKET_MAX + 1] = {0};
    size_t n = len < 16 ? len : TEAM_HEADER_LEN;

    memcpy(packet, bytes, n);
    if (len > 16) { /* tag 126 is not in the list */
        packet[n + 1] = 126;
        wire_store_u16(packet + n + 2, len - n - 4);
    }
    assert_int_equal(send(fd, packet, len, MSG_NOSIGNAL), len);
}

static void only_whole_asks_of_this_version_reach_the_handler(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof MESSAGES / sizeof MESSAGES[0]; i++) {
        for (int late = 0; late < 2; late++) { /* there at the accept, or after it */
            int fd = dial(MESSAGES[i].gate ? rig.gate : rig.control);
            bool is_ask = MESSAGES[i].no && MESSAGES[i].no[0] == '\0';

            rig.asks = 0;
            if (late)
                settle();
            send_message(fd, MESSAGES[i].bytes, MESSAGES[i].len);
            settle();
            if (rig.asks != is_ask)
                fail_msg("%s: %u asks", MESSAGES[i].says, rig.asks);
            if (is_ask)
                hears(fd, TEAM_DONE, "yes");
            else if (MESSAGES[i].no)
                hears(fd, TEAM_FAILED, MESSAGES[i].no);
            if (is_ask && !MESSAGES[i].gate)
                close(fd);
            else
                hears_end(fd);
        }
    }
    settle();
    assert_int_equal(ipc_connections(rig.ipc), 0);
}

static void refusal_is_heard_by_who_sent_more_than_one_message(void **state)
{
    int fd = dial(rig.control);

    (void)state;
    assert_int_equal(send(fd, "hello", 5, 0), 5);
    say(fd, OP_YES);
    say(fd, OP_YES);
    settle();
    hears_refusal(fd, UNKNOWN);
    assert_int_equal(rig.asks, 0);
}

static void descriptors_that_come_with_an_ask_do_not_stay(void **state)
{
    char packet[64], control[CMSG_SPACE(sizeof(int))] = {0};
    struct iovec iov = {packet, packet_of(packet, sizeof packet, TEAM_ASK, OP_YES, "take this")};
    struct msghdr m = {
        .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    struct cmsghdr *c = CMSG_FIRSTHDR(&m);
    int fd = dial(rig.control);
    unsigned before;

    (void)state;
    settle();
    before = count_descriptors();
    *c = (struct cmsghdr){CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS};
    memcpy(CMSG_DATA(c), &fd, sizeof fd);
    assert_int_equal(sendmsg(fd, &m, 0), iov.iov_len);
    settle();
    hears(fd, TEAM_DONE, "yes");
    assert_int_equal(count_descriptors(), before);
    close(fd);
}

/* ---- peers that go --------------------------------------------------------------------------- */

static void hang_up_while_the_ask_is_open_is_told_once(void **state)
{
    static const struct {
        const char *says;
        bool gate, more, half;
    } CASES[] = {
        {"gate", true, false, false},
        {"control", false, false, false},
        {"control, with a second ask in the queue", false, true, false},
        {"control, which only closed its sending half", false, false, true},
        {"gate, which only closed its sending half", true, false, true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        int fd = dial_and_say(CASES[i].gate ? rig.gate : rig.control, OP_HOLD);

        rig.gones = rig.asks = 0;
        settle();
        if (CASES[i].more)
            say(fd, OP_YES);
        settle();
        if (CASES[i].half)
            shutdown(fd, SHUT_WR);
        else
            close(fd);
        settle();
        if (rig.gones != 1 || rig.asks != 1 || ipc_connections(rig.ipc) != 0)
            fail_msg("%s: gone %u times, %u asks", CASES[i].says, rig.gones, rig.asks);
        if (CASES[i].half)
            close(fd);
    }
}

static void ask_of_somebody_who_left_at_once_is_still_heard(void **state)
{
    int fd = dial_and_say(rig.control, OP_HOLD);

    (void)state;
    close(fd);
    settle();
    assert_int_equal(rig.asks, 1);
    assert_int_equal(rig.gones, 1);
    assert_int_equal(ipc_connections(rig.ipc), 0);
}

static void answer_to_somebody_who_left_is_dropped(void **state)
{
    int fd = dial_and_say(rig.control, OP_HOLD);

    (void)state;
    settle();
    close(fd);
    answer(rig.held[0], OP_HOLD, "nobody hears this");
    settle();
    assert_int_equal(rig.gones, 0); /* it was answered */
    assert_int_equal(ipc_connections(rig.ipc), 0);
}

static void rows_to_somebody_who_stopped_reading_end_with_gone(void **state)
{
    int fd = dial(rig.control);

    (void)state;
    settle();
    shutdown(fd, SHUT_RD);
    say(fd, OP_ONE_ROW);
    run_for(30);
    assert_int_equal(rig.last_row, -EPIPE);
    assert_int_equal(rig.gones, 1);
    assert_int_equal(ipc_connections(rig.ipc), 0);
    close(fd);
}

/* ---- many ------------------------------------------------------------------------------------ */

static int ask_many(unsigned n)
{
    char packet[1024];

    while (n-- > 0) {
        int fd = child_asks(n % 4 ? rig.gate : rig.control, OP_YES);

        if (recv(fd, packet, sizeof packet, 0) <= 0)
            return 1;
        if (n % 4 && recv(fd, packet, sizeof packet, 0) != 0)
            return 2;
        close(fd);
    }
    return 0;
}

static void ten_thousand_connections_leave_nothing_behind(void **state)
{
    unsigned before = count_descriptors();
    pid_t children[4];

    (void)state;
    for (int n = 0; n < 4; n++) {
        children[n] = fork();
        if (children[n] == 0)
            _exit(ask_many(2500));
    }
    for (int n = 0; n < 4; n++)
        assert_int_equal(reap(children[n]), 0);
    settle();
    assert_int_equal(rig.asks, 10000);
    assert_int_equal(rig.gones, 0);
    assert_int_equal(ipc_connections(rig.ipc), 0);
    assert_int_equal(rig.ipc->control_seats.n, 0);
    assert_int_equal(count_descriptors(), before);
}

/* ---- the end --------------------------------------------------------------------------------- */

static void stopping_lets_open_asks_be_answered(void **state)
{
    int gate = dial_and_say(rig.gate, OP_HOLD), control = dial_and_say(rig.control, OP_HOLD);

    (void)state;
    settle();
    ipc_stop(rig.ipc);
    assert_int_equal(try_dial(rig.control, SOCK_SEQPACKET), -ECONNREFUSED);
    assert_int_equal(ipc_connections(rig.ipc), 2);
    answer(rig.held[0], OP_HOLD, "gate");
    answer(rig.held[1], OP_HOLD, "control");
    hears(gate, TEAM_DONE, "gate");
    hears(control, TEAM_DONE, "control");
    hears_end(gate);
    close(control);
    settle();
    assert_int_equal(ipc_connections(rig.ipc), 0);
}

/* The second ask of `teamctl request --json`, or of `teamctl approve A B`. */
static void stopping_hears_who_asks_again(void **state)
{
    int control = dial_and_say(rig.control, OP_HOLD);

    (void)state;
    settle();
    ipc_stop(rig.ipc);
    answer(rig.held[0], OP_HOLD, "first");
    hears(control, TEAM_DONE, "first");
    say(control, OP_YES);
    settle();
    hears(control, TEAM_DONE, "yes");
    run_for(80);
    hears_end(control);
    assert_int_equal(ipc_connections(rig.ipc), 0);
    assert_int_equal(rig.gones, 0);
}

static void stopping_hears_who_has_just_connected(void **state)
{
    int gate = dial(rig.gate), control = dial(rig.control), silent = dial(rig.control);

    (void)state;
    settle();
    ipc_stop(rig.ipc);
    say(gate, OP_YES);
    say(control, OP_YES);
    settle();
    hears(gate, TEAM_DONE, "yes");
    hears(control, TEAM_DONE, "yes");
    hears_end(gate);
    hears_nothing(silent);
    run_for(80);
    hears_end(control);
    hears_end(silent);
    assert_int_equal(ipc_connections(rig.ipc), 0);
    assert_int_equal(rig.gones, 0);
}

static void handler_may_stop_the_server(void **state)
{
    int stops = dial_and_say(rig.control, OP_STOP), waits = dial_and_say(rig.control, OP_YES);

    (void)state;
    settle();
    hears(stops, TEAM_DONE, "stopped");
    run_for(80);
    hears_end(stops);
    assert_int_equal(rig.asks, 1);
    close(waits);
}

static void freeing_tells_open_asks_and_closes_all(void **state)
{
    int open = dial_and_say(rig.control, OP_HOLD), idle = dial(rig.gate);

    (void)state;
    settle();
    rig.ipc = ipc_free(rig.ipc);
    assert_int_equal(rig.gones, 1);
    hears_end(open);
    hears_end(idle);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, rig_up, rig_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(it_is_known_whether_somebody_wants_to_ask_the_gate),
        TEST(gate_answers_one_ask_and_closes),
        TEST(ask_that_comes_after_the_accept_is_answered_too),
        TEST(control_answers_many_asks_on_one_connection),
        TEST(second_ask_is_not_read_before_the_first_is_answered),
        TEST(ask_that_waits_is_answered_later),
        TEST(gate_goes_before_control),
        TEST(closing_without_an_answer_is_the_end),
        TEST(handler_may_close_another_connection),
        TEST(only_whole_asks_of_this_version_reach_the_handler),
        TEST(refusal_is_heard_by_who_sent_more_than_one_message),
        TEST(descriptors_that_come_with_an_ask_do_not_stay),
        TEST(hang_up_while_the_ask_is_open_is_told_once),
        TEST(ask_of_somebody_who_left_at_once_is_still_heard),
        TEST(answer_to_somebody_who_left_is_dropped),
        TEST(rows_to_somebody_who_stopped_reading_end_with_gone),
        TEST(ten_thousand_connections_leave_nothing_behind),
        TEST(stopping_lets_open_asks_be_answered),
        TEST(stopping_hears_who_asks_again),
        TEST(stopping_hears_who_has_just_connected),
        TEST(handler_may_stop_the_server),
        TEST(freeing_tells_open_asks_and_closes_all),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
