/* Descriptors that come with an ask: whose arrive, with which, and that none stays. */
#include "ipc_rig.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>

/* Sends an ask with n descriptors. */
static void say_with(int fd, unsigned op, const int *files, size_t n)
{
    union {
        char buf[CMSG_SPACE(4 * sizeof(int))];
        struct cmsghdr head;
    } control = {.head = {.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS}};
    char packet[64];
    struct iovec iov = {.iov_base = packet};
    struct msghdr message = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.buf};

    iov.iov_len = packet_of(packet, sizeof packet, TEAM_ASK, op, "please");
    control.head.cmsg_len = CMSG_LEN(n * sizeof(int));
    message.msg_controllen = CMSG_SPACE(n * sizeof(int));
    memcpy(CMSG_DATA(&control.head), files, n * sizeof(int));
    assert_int_equal(sendmsg(fd, &message, MSG_NOSIGNAL), iov.iov_len);
}

/* A pipe: it can be seen whether anybody still has its other end. */
static void make_pipe(int *ret_read, int *ret_write)
{
    int ends[2];

    assert_int_equal(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
    *ret_read = ends[0];
    *ret_write = ends[1];
}

static bool is_closed(int read_end)
{
    char byte;

    return read(read_end, &byte, 1) == 0;
}

static void the_descriptor_of_a_backup_arrives_and_is_the_handlers(void **state)
{
    int fd = dial(rig.control), r, w, got;
    char byte = 0;

    (void)state;
    make_pipe(&r, &w);
    say_with(fd, TEAM_OP_BACKUP, &w, 1);
    close(w);
    settle();
    assert_int_equal(rig.n_held, 1);
    got = conn_take_file(rig.held[0]);
    assert_true(got > STDERR_FILENO);
    assert_int_equal(fcntl(got, F_GETFD), FD_CLOEXEC);
    assert_int_equal(conn_take_file(rig.held[0]), -1);
    assert_int_equal(write(got, "x", 1), 1);
    assert_int_equal(read(r, &byte, 1), 1);
    answer(rig.held[0], TEAM_OP_BACKUP, "done");
    hears(fd, TEAM_DONE, "done");
    assert_false(is_closed(r));
    close(got);
    assert_true(is_closed(r));
    close(r);
    close(fd);
    settle();
}

static void a_descriptor_that_nobody_takes_is_closed_with_the_answer(void **state)
{
    int fd = dial(rig.control), r, w;

    (void)state;
    make_pipe(&r, &w);
    say_with(fd, TEAM_OP_BACKUP, &w, 1);
    close(w);
    settle();
    assert_false(is_closed(r));
    answer(rig.held[0], TEAM_OP_BACKUP, "no");
    assert_true(is_closed(r));
    close(r);
    close(fd);
    settle();
}

static void or_with_the_connection(void **state)
{
    int fd = dial(rig.control), r, w;

    (void)state;
    make_pipe(&r, &w);
    say_with(fd, TEAM_OP_BACKUP, &w, 1);
    close(w);
    settle();
    assert_false(is_closed(r));
    close(fd);
    settle();
    assert_int_equal(rig.gones, 1);
    assert_true(is_closed(r));
    close(r);
}

static void an_ask_without_a_descriptor_has_none(void **state)
{
    int fd = dial_and_say(rig.control, TEAM_OP_BACKUP);

    (void)state;
    settle();
    assert_int_equal(conn_take_file(rig.held[0]), -1);
    close(fd);
    settle();
}

/* What does not arrive, from whom: descriptors are sent, the ask is held, none may be left. */
static void does_not_arrive(const char *path, unsigned op, size_t n)
{
    int fd = dial(path), r, w, files[4];
    unsigned before;

    settle();
    make_pipe(&r, &w);
    for (size_t i = 0; i < n; i++)
        files[i] = w;
    before = count_descriptors();
    say_with(fd, op, files, n);
    settle();
    assert_int_equal(rig.n_held, 1);
    assert_int_equal(conn_take_file(rig.held[0]), -1);
    assert_int_equal(count_descriptors(), before);
    close(w);
    assert_true(is_closed(r));
    close(r);
    close(fd);
    settle();
}

static void other_asks_bring_nothing(void **state)
{
    (void)state;
    does_not_arrive(rig.control, OP_HOLD, 1);
}

static void two_descriptors_are_none(void **state)
{
    (void)state;
    does_not_arrive(rig.control, TEAM_OP_BACKUP, 2);
}

static void four_descriptors_are_none(void **state)
{
    (void)state;
    does_not_arrive(rig.control, TEAM_OP_BACKUP, 4);
}

static void who_is_not_trusted_brings_nothing(void **state)
{
    (void)state;
    rig.trusted = 4711;
    does_not_arrive(rig.control, TEAM_OP_BACKUP, 1);
}

static void nothing_comes_through_the_gate(void **state)
{
    (void)state;
    need_root();
    does_not_arrive(rig.gate, TEAM_OP_BACKUP, 1);
}

static void nothing_is_left_of_what_waits_behind_an_open_ask(void **state)
{
    int fd = dial(rig.control), r, w;

    (void)state;
    make_pipe(&r, &w);
    say_with(fd, TEAM_OP_BACKUP, &w, 1);
    settle();
    say_with(fd, TEAM_OP_BACKUP, &w, 1); /* waits unread behind the open ask */
    answer(rig.held[0], TEAM_OP_BACKUP, "done");
    close(w);
    settle();
    close(fd);
    settle();
    assert_true(is_closed(r));
    close(r);
}

/* ---- a descriptor whose end takes long --------------------------------------------------------
 */

enum { LINGERS_S = 20 };

/* One end of a TCP connection full of what the other does not read. The last close() of it waits.
 */
static int make_lingering(int *ret_other)
{
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct linger linger = {.l_onoff = 1, .l_linger = LINGERS_S};
    socklen_t len = sizeof here;
    static char much[65536];
    int listening = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_int_equal(bind(listening, (struct sockaddr *)&here, sizeof here), 0);
    assert_int_equal(listen(listening, 1), 0);
    assert_int_equal(getsockname(listening, (struct sockaddr *)&here, &len), 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&here, sizeof here), 0);
    *ret_other = accept4(listening, NULL, NULL, SOCK_CLOEXEC);
    assert_true(*ret_other >= 0);
    close(listening);
    while (send(fd, much, sizeof much, MSG_DONTWAIT | MSG_NOSIGNAL) > 0)
        ;
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger), 0);
    return fd;
}

/* Sends the only descriptor of such a thing; the other end is the caller's. */
static int say_with_lingering(int fd, unsigned op)
{
    int other, file = make_lingering(&other);

    say_with(fd, op, &file, 1);
    close(file);
    return other;
}

static void nobody_waits_for_what_somebody_lets_linger(void **state)
{
    int fd = dial(rig.control), other = say_with_lingering(fd, OP_YES);
    uint64_t begin = now_ms();

    (void)state;
    settle();
    hears(fd, TEAM_DONE, "yes");
    assert_true(now_ms() - begin < LINGERS_S * 1000 / 2);
    close(other);
    close(fd);
    settle();
}

static void nor_when_it_is_not_trusted(void **state)
{
    rig.trusted = 4711;
    nobody_waits_for_what_somebody_lets_linger(state);
}

static void nor_for_what_is_left_of_a_connection(void **state)
{
    int fd = dial_and_say(rig.control, OP_HOLD), other;
    uint64_t begin;

    (void)state;
    settle();
    other = say_with_lingering(fd, OP_YES);
    begin = now_ms();
    close(fd);
    settle();
    assert_int_equal(rig.gones, 1);
    assert_true(now_ms() - begin < LINGERS_S * 1000 / 2);
    close(other);
}

static void nor_for_who_is_refused(void **state)
{
    int fds[IPC_CONTROL_PER_PERSON], fd, other;
    uint64_t begin;

    (void)state;
    for (size_t i = 0; i < IPC_CONTROL_PER_PERSON; i++)
        fds[i] = dial_and_say(rig.control, OP_HOLD);
    settle();
    fd = dial(rig.control);
    other = say_with_lingering(fd, OP_YES);
    begin = now_ms();
    settle();
    assert_true(now_ms() - begin < LINGERS_S * 1000 / 2);
    hears(fd, TEAM_FAILED, "too many connections of yours (64); close some, or try again later");
    close(other);
    close(fd);
    for (size_t i = 0; i < IPC_CONTROL_PER_PERSON; i++)
        close(fds[i]);
    settle();
}

static void nor_for_who_is_in_the_queue_at_the_end(void **state)
{
    int fd = dial(rig.control), other = say_with_lingering(fd, OP_YES);
    uint64_t begin = now_ms();

    (void)state;
    ipc_stop(rig.ipc);
    assert_true(now_ms() - begin < LINGERS_S * 1000 / 2);
    close(other);
    close(fd);
}

static int up(void **state)
{
    int result = rig_up(state);

    rig.trusted = geteuid();
    return result;
}

#define T(f) cmocka_unit_test_setup_teardown(f, up, rig_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(the_descriptor_of_a_backup_arrives_and_is_the_handlers),
        T(a_descriptor_that_nobody_takes_is_closed_with_the_answer),
        T(or_with_the_connection),
        T(an_ask_without_a_descriptor_has_none),
        T(other_asks_bring_nothing),
        T(two_descriptors_are_none),
        T(four_descriptors_are_none),
        T(who_is_not_trusted_brings_nothing),
        T(nothing_comes_through_the_gate),
        T(nothing_is_left_of_what_waits_behind_an_open_ask),
        T(nobody_waits_for_what_somebody_lets_linger),
        T(nor_when_it_is_not_trusted),
        T(nor_for_what_is_left_of_a_connection),
        T(nor_for_who_is_refused),
        T(nor_for_who_is_in_the_queue_at_the_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
