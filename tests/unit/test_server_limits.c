/* The limits of the sockets of teamd: slow and idle peers, crowds, descriptors, strangers. */
#include "unit/ipc_rig.h"

/* ---- slow readers ---------------------------------------------------------------------------- */

/* Reads all that is there; *next is the number of the row that must come. True after the answer. */
static bool read_rows(int fd, unsigned *next)
{
    static char packet[TEAM_PACKET_MAX];
    struct wire_msg msg = {0};
    ssize_t n;

    while ((n = hear(fd, packet, sizeof packet)) > 0) {
        assert_int_equal(wire_read(packet, (size_t)n, &msg), WIRE_OK);
        if (msg.kind == TEAM_ANSWER)
            return true;
        assert_int_equal(msg.kind, TEAM_ROWS);
        assert_int_equal(msg.op, *next);
        ++*next;
    }
    assert_int_equal(n, NOTHING);
    return false;
}

static void rows_wait_for_a_slow_reader_and_come_in_order(void **state)
{
    int fd = dial_and_say(rig.control, OP_STREAM);
    unsigned next = 0;
    bool done = false;

    (void)state;
    settle();
    assert_true(rig.row > 0 && rig.row < ROWS);
    assert_int_equal(rig.last_row, -EAGAIN);
    for (int n = 0; n < 1000 && !done; n++) {
        done = read_rows(fd, &next);
        settle();
    }
    assert_true(done);
    assert_int_equal(next, ROWS);
    assert_true(rig.rooms > 0);
    say(fd, OP_YES);
    settle();
    hears(fd, TEAM_DONE, "yes");
    close(fd);
}

static void answer_waits_behind_rows_that_nobody_took_yet(void **state)
{
    int fd = dial_and_say(rig.control, OP_FILL);
    unsigned next = 0;

    (void)state;
    settle();
    say(fd, OP_YES); /* has to wait, too */
    settle();
    assert_int_equal(rig.asks, 1);
    assert_false(read_rows(fd, &next));
    assert_int_equal(next, rig.row);
    settle();
    hears(fd, TEAM_DONE, "filled");
    hears(fd, TEAM_DONE, "yes");
    assert_int_equal(rig.rooms, 0);
    close(fd);
}

static void gate_answer_that_had_to_wait_is_followed_by_the_end(void **state)
{
    int fd = dial_and_say(rig.gate, OP_FILL);
    unsigned next = 0;

    (void)state;
    settle();
    assert_false(read_rows(fd, &next));
    settle();
    hears(fd, TEAM_DONE, "filled");
    hears_end(fd);
    assert_int_equal(ipc_connections(rig.ipc), 0);
}

static void reader_that_never_takes_its_rows_is_gone_in_the_end(void **state)
{
    int fd = dial_and_say(rig.control, OP_STREAM);

    (void)state;
    run_for(200);
    assert_int_equal(rig.gones, 0);
    run_for(300);
    assert_int_equal(rig.gones, 1);
    assert_int_equal(ipc_connections(rig.ipc), 0);
    close(fd);
}

static void reader_that_never_takes_its_answer_is_closed(void **state)
{
    int fd = dial_and_say(rig.control, OP_FILL);

    (void)state;
    run_for(60);
    assert_int_equal(ipc_connections(rig.ipc), 1);
    run_for(200);
    assert_int_equal(ipc_connections(rig.ipc), 0);
    assert_int_equal(rig.gones, 0); /* it was answered */
    close(fd);
}

static void reader_that_leaves_without_its_answer_is_closed(void **state)
{
    int fd = dial_and_say(rig.control, OP_FILL);

    (void)state;
    settle();
    close(fd);
    settle();
    assert_int_equal(ipc_connections(rig.ipc), 0);
    assert_int_equal(rig.gones, 0);
}

static void reader_that_stalls_stops_nobody_else(void **state)
{
    int stalled = dial_and_say(rig.control, OP_FILL), idle = dial(rig.control);

    (void)state;
    for (int n = 0; n < 100; n++) {
        int fd = dial_and_say(n % 2 ? rig.gate : rig.control, OP_YES);

        settle();
        hears(fd, TEAM_DONE, "yes");
        close(fd);
    }
    close(stalled);
    close(idle);
}

/* ---- idle connections ------------------------------------------------------------------------ */

static void idle_connections_end_the_gate_first(void **state)
{
    int gate = dial(rig.gate), control = dial(rig.control);

    (void)state;
    run_for(60);
    hears_nothing(gate);
    run_for(90);
    hears_end(gate);
    hears_nothing(control);
    say(control, OP_YES); /* begins the idle time anew */
    run_for(250);
    hears(control, TEAM_DONE, "yes");
    hears_nothing(control);
    run_for(120);
    hears_end(control);
    assert_int_equal(rig.gones, 0);
}

static void each_idle_connection_ends_at_its_own_time(void **state)
{
    int first = dial(rig.gate), second, third;

    (void)state;
    run_for(40);
    second = dial(rig.gate);
    run_for(40);
    third = dial(rig.gate);
    settle();
    close(second); /* out of the middle of the list */
    run_for(50);
    hears_end(first);
    hears_nothing(third);
    run_for(80);
    hears_end(third);
}

/* ---- limits ---------------------------------------------------------------------------------- */

static void one_person_may_not_take_all_of_control(void **state)
{
    int fds[IPC_CONTROL_PER_PERSON], other, one_more;

    (void)state;
    need_root();
    for (int n = 0; n < IPC_CONTROL_PER_PERSON; n++)
        fds[n] = dial_as(2001, rig.control);
    one_more = dial_as(2001, rig.control);
    other = dial_as(2002, rig.control);
    say(one_more, OP_YES); /* read or not, the refusal must reach it */
    say(other, OP_YES);
    settle();
    hears(other, TEAM_DONE, "yes");
    hears_refusal(one_more, "too many connections of yours (64); close some, or try again later");
    close(fds[0]);
    settle();
    one_more = dial_as(2001, rig.control);
    say(one_more, OP_YES);
    settle();
    hears(one_more, TEAM_DONE, "yes");
    close(one_more);
    close(other);
    for (int n = 1; n < IPC_CONTROL_PER_PERSON; n++)
        close(fds[n]);
    settle();
    assert_int_equal(rig.ipc->control_seats.n, 0);
}

static void all_people_together_may_not_take_more_than_there_is(void **state)
{
    int fds[IPC_CONTROL_CONNECTIONS], one_more, gate;

    (void)state;
    need_root();
    need_descriptors(3000);
    for (unsigned n = 0; n < IPC_CONTROL_CONNECTIONS; n++)
        fds[n] = dial_as(2001 + n / IPC_CONTROL_PER_PERSON, rig.control);
    one_more = dial_as(3000, rig.control);
    settle();
    assert_int_equal(ipc_connections(rig.ipc), IPC_CONTROL_CONNECTIONS);
    hears_refusal(one_more, "too many connections (512); try again later");
    gate = dial_and_say(rig.gate, OP_YES);
    settle();
    hears(gate, TEAM_DONE, "yes");
    close(gate);
    for (int n = 0; n < IPC_CONTROL_CONNECTIONS; n++)
        close(fds[n]);
    settle();
    assert_int_equal(ipc_connections(rig.ipc), 0);
    assert_int_equal(rig.ipc->control_seats.n, 0);
}

static void gate_has_a_limit_of_its_own(void **state)
{
    int fds[IPC_GATE_CONNECTIONS], one_more, control;

    (void)state;
    need_descriptors(4000);
    for (int n = 0; n < IPC_GATE_CONNECTIONS; n++)
        fds[n] = dial_and_say(rig.gate, OP_HOLD);
    settle();
    one_more = dial_and_say(rig.gate, OP_YES);
    control = dial_and_say(rig.control, OP_YES);
    settle();
    hears_refusal(one_more, "too many connections (1024); try again later");
    hears(control, TEAM_DONE, "yes");
    close(control);
    for (int n = 0; n < IPC_GATE_CONNECTIONS; n++)
        close(fds[n]);
    settle();
    assert_int_equal(rig.gones, IPC_GATE_CONNECTIONS);
}

/* ---- descriptors that run out ---------------------------------------------------------------- */

static rlim_t limit_descriptors(rlim_t n)
{
    struct rlimit limit;
    rlim_t before;

    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    before = limit.rlim_cur;
    limit.rlim_cur = n;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    return before;
}

/* Leaves exactly `n` descriptors to be had: holes among the numbers in use are filled first. */
static struct {
    int fds[1024];
    int n;
    rlim_t before;
} plug;

static void leave_descriptors(rlim_t n)
{
    rlim_t top = 0, most = limit_descriptors(0);
    DIR *d;

    limit_descriptors(most);
    d = opendir("/proc/self/fd");
    assert_non_null(d);
    for (struct dirent *e; (e = readdir(d));) {
        rlim_t fd = strtoul(e->d_name, NULL, 10);

        if (fd > top && fd < most && fd != (rlim_t)dirfd(d)) /* valgrind has some beyond */
            top = fd;
    }
    closedir(d);
    for (plug.n = 0; plug.n < 1024; plug.n++) {
        plug.fds[plug.n] = dup(0);
        if ((rlim_t)plug.fds[plug.n] > top)
            break;
    }
    assert_true(plug.n < 1024);
    close(plug.fds[plug.n]);
    plug.before = limit_descriptors((rlim_t)plug.fds[plug.n] + n);
}

static void give_descriptors_back(void)
{
    limit_descriptors(plug.before);
    while (plug.n > 0)
        close(plug.fds[--plug.n]);
}

static void who_waits_takes_no_place_at_the_gate(void **state)
{
    static int fds[IPC_WAITERS];
    int one_more, another, gate;

    (void)state;
    need_descriptors(4000);
    for (unsigned n = 0; n < IPC_WAITERS; n++) {
        rig.person = 2001 + n / IPC_WAITERS_PER_PERSON;
        fds[n] = dial_and_say(rig.gate, OP_WAIT);
        settle();
        if (n ==
            IPC_WAITERS_PER_PERSON - 1) { /* the first person is at their limit, not the next */
            one_more = dial_and_say(rig.gate, OP_WAIT);
            settle();
            hears(one_more, TEAM_DONE, "yours");
            close(one_more);
        }
    }
    assert_int_equal(rig.n_held, IPC_WAITERS);
    assert_int_equal(rig.ipc->n_gate, 0);
    assert_int_equal(ipc_connections(rig.ipc), IPC_WAITERS);
    rig.person = 9999;
    another = dial_and_say(rig.gate, OP_WAIT);
    gate = dial_and_say(rig.gate, OP_YES);
    settle();
    hears(another, TEAM_DONE, "all");
    hears(gate, TEAM_DONE, "yes");
    close(gate);
    close(another);
    answer(rig.held[0], OP_WAIT, "there you are");
    hears(fds[0], TEAM_DONE, "there you are");
    another = dial_and_say(rig.gate, OP_WAIT);
    settle();
    assert_int_equal(rig.n_held, IPC_WAITERS + 1);
    close(another);
    for (int n = 0; n < IPC_WAITERS; n++)
        close(fds[n]);
    settle();
    assert_int_equal(ipc_connections(rig.ipc), 0);
    assert_int_equal(rig.ipc->waiter_seats.n, 0);
    assert_int_equal(rig.gones, IPC_WAITERS);
}

static void who_waits_for_ever_is_dropped_in_the_end(void **state)
{
    int fd;

    (void)state;
    rig.person = 2001;
    fd = dial_and_say(rig.gate, OP_WAIT);
    settle();
    assert_int_equal(conn_rows(rig.held[0], "news", 4),
                     0); /* what is told to them changes nothing */
    assert_int_equal(recv(fd, (char[8]){0}, 8, MSG_DONTWAIT), 4);
    run_for(600);
    hears_nothing(fd);
    run_for(600);
    hears_end(fd);
    assert_int_equal(rig.gones, 1);
    assert_int_equal(rig.ipc->waiter_seats.n, 0);
}

static void who_waits_costs_nothing_while_nothing_happens(void **state)
{
    int fds[32];

    (void)state;
    rig.person = 2001;
    for (unsigned n = 0; n < 32; n++)
        fds[n] = dial_and_say(rig.gate, OP_WAIT);
    settle();
    assert_int_equal(run_for(300), 0);
    for (unsigned n = 0; n < 32; n++)
        close(fds[n]);
    settle();
}

static void without_descriptors_accepting_waits_and_does_not_spin(void **state)
{
    int gate, control;
    unsigned turns;

    (void)state;
    need_the_real_limits();
    gate = dial_and_say(rig.gate, OP_YES);
    control = dial_and_say(rig.control, OP_YES);
    leave_descriptors(0);
    turns = run_for(300);
    give_descriptors_back();
    assert_in_range(turns, 10, 70); /* two sockets, tried about every 20 ms */
    hears_nothing(gate);
    hears_nothing(control);
    run_for(60);
    hears(gate, TEAM_DONE, "yes");
    hears(control, TEAM_DONE, "yes");
    hears_end(gate);
    close(control);
}

static void control_leaves_the_last_descriptors_to_the_gate(void **state)
{
    int gate, control;

    (void)state;
    need_the_real_limits();
    gate = dial_and_say(rig.gate, OP_YES);
    control = dial_and_say(rig.control, OP_YES);
    leave_descriptors(2);
    settle();
    give_descriptors_back();
    hears(gate, TEAM_DONE, "yes");
    hears_end(gate);
    hears_refusal(control, "teamd has too few descriptors left; try again later");
}

static void without_a_descriptor_for_the_process_nothing_is_believed(void **state)
{
    int gate;

    (void)state;
    need_the_real_limits();
    gate = dial(rig.gate);
    leave_descriptors(1);
    settle();
    give_descriptors_back();
    hears_refusal(gate, "teamd has too few descriptors left; try again later");
    assert_int_equal(rig.asks, 0);
}

static void an_ask_that_is_there_takes_none_for_its_process_unless_wanted(void **state)
{
    int gate;

    (void)state;
    need_the_real_limits();
    gate = dial_and_say(rig.gate, OP_HOLD);
    leave_descriptors(1);
    settle();
    assert_int_equal(rig.n_held, 1);
    assert_int_equal(conn_pidfd(rig.held[0]), -EMFILE);
    give_descriptors_back();
    assert_int_equal(conn_pidfd(rig.held[0]), -EMFILE);
    assert_int_equal(conn_take_pidfd(rig.held[0]), -EMFILE);
    close(gate);
}

/* ---- who is asking --------------------------------------------------------------------------- */

static void gate_is_for_root_alone_whatever_the_mode(void **state)
{
    int fd;

    (void)state;
    need_root();
    assert_int_equal(dial_as(2001, rig.gate), -EACCES);
    assert_int_equal(chmod(rig.gate, 0666), 0);
    fd = dial_as(2001, rig.gate);
    say(fd, OP_YES);
    settle();
    hears_refusal(fd, "only root may ask here");
    assert_int_equal(rig.asks, 0);
}

/* A child that asks and then lives until it is told not to. */
static pid_t start_child(uint32_t uid)
{
    pid_t pid = fork();

    if (pid == 0) {
        if (setresuid(uid, uid, uid) < 0 || prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
            _exit(2);
        child_asks(rig.control, OP_HOLD);
        pause();
        _exit(0);
    }
    for (int n = 0; n < 500 && rig.n_held == 0; n++)
        sd_event_run(rig.loop, 10000);
    assert_int_equal(rig.n_held, 1);
    return pid;
}

static bool is_dead(int pidfd)
{
    return poll(&(struct pollfd){.fd = pidfd, .events = POLLIN}, 1, 0) == 1;
}

static void peer_is_known_by_uid_pid_and_pidfd(void **state)
{
    static const int OPTIONS[] = {77, 9999}; /* 9999: a kernel without SO_PEERPIDFD */

    (void)state;
    need_root();
    for (size_t i = 0; i < (under_valgrind() ? 1 : 2); i++) { /* it does not know pidfd_open() */
        pid_t child;
        int pidfd;

        peerpidfd_option = OPTIONS[i];
        rig.n_held = rig.gones = 0;
        child = start_child(2001);
        assert_int_equal(conn_uid(rig.held[0]), 2001);
        assert_int_equal(conn_pid(rig.held[0]), child);
        assert_false(is_dead(conn_pidfd(rig.held[0])));
        pidfd = conn_take_pidfd(rig.held[0]);
        assert_int_equal(conn_pidfd(rig.held[0]), -EBADF);
        kill(child, SIGKILL);
        reap(child);
        settle();
        assert_int_equal(rig.gones, 1);
        assert_true(is_dead(pidfd)); /* ours: it outlives the connection */
        assert_true(fcntl(pidfd, F_GETFD) & FD_CLOEXEC);
        close(pidfd);
    }
}

static void unknown_process_is_refused(void **state)
{
    int fd = dial_and_say(rig.control, OP_YES);

    (void)state;
    peerpidfd_option = SO_PEERNAME; /* gives EINVAL: to Linux before 6.16 "that process is gone" */
    settle();
    hears_refusal(fd, "cannot tell which process is asking");
    assert_int_equal(rig.asks, 0);
}

/* The one who connected ends before we accept, and another process holds the connection. */
static void process_that_is_gone_is_never_taken_for_another(void **state)
{
    int status, hold[2];
    pid_t child;

    (void)state;
    assert_int_equal(pipe(hold), 0);
    child = fork();
    if (child == 0) {
        child_asks(rig.control, OP_HOLD);
        close(hold[1]);
        if (fork() > 0)
            _exit(0);
        (void)!read(hold[0], (char[1]){0}, 1);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    settle();
    if (rig.n_held > 0) {
        assert_int_equal(conn_pid(rig.held[0]), child);
        assert_true(is_dead(conn_pidfd(rig.held[0])));
    } else {
        assert_int_equal(ipc_connections(rig.ipc), 0); /* an older kernel: refused */
    }
    close(hold[0]);
    close(hold[1]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, rig_up, rig_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(rows_wait_for_a_slow_reader_and_come_in_order),
        TEST(answer_waits_behind_rows_that_nobody_took_yet),
        TEST(gate_answer_that_had_to_wait_is_followed_by_the_end),
        TEST(reader_that_never_takes_its_rows_is_gone_in_the_end),
        TEST(reader_that_never_takes_its_answer_is_closed),
        TEST(reader_that_leaves_without_its_answer_is_closed),
        TEST(reader_that_stalls_stops_nobody_else),
        TEST(idle_connections_end_the_gate_first),
        TEST(each_idle_connection_ends_at_its_own_time),
        TEST(one_person_may_not_take_all_of_control),
        TEST(all_people_together_may_not_take_more_than_there_is),
        TEST(gate_has_a_limit_of_its_own),
        TEST(who_waits_takes_no_place_at_the_gate),
        TEST(who_waits_for_ever_is_dropped_in_the_end),
        TEST(who_waits_costs_nothing_while_nothing_happens),
        TEST(without_descriptors_accepting_waits_and_does_not_spin),
        TEST(control_leaves_the_last_descriptors_to_the_gate),
        TEST(without_a_descriptor_for_the_process_nothing_is_believed),
        TEST(an_ask_that_is_there_takes_none_for_its_process_unless_wanted),
        TEST(gate_is_for_root_alone_whatever_the_mode),
        TEST(peer_is_known_by_uid_pid_and_pidfd),
        TEST(unknown_process_is_refused),
        TEST(process_that_is_gone_is_never_taken_for_another),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
