/* The listening sockets of teamd: made, replaced, inherited. */
#include "unit/ipc_rig.h"

/* ---- making sockets -------------------------------------------------------------------------- */

static unsigned mode_of(const char *path)
{
    struct stat st;

    assert_int_equal(lstat(path, &st), 0);
    return st.st_mode & 07777;
}

static void socket_has_its_mode_whatever_the_umask(void **state)
{
    static const mode_t UMASKS[] = {0, 022, 077, 0777};
    char path[128];

    (void)state;
    snprintf(path, sizeof path, "%s/x", rig.dir);
    for (size_t i = 0; i < sizeof UMASKS / sizeof UMASKS[0]; i++) {
        for (unsigned mode = 0600; mode <= 0666; mode += 066) {
            mode_t before = umask(UMASKS[i]), after;
            int fd = -1, r = ipc_socket_make(path, mode, &fd);

            after = umask(before);
            assert_int_equal(r, 0);
            assert_int_equal(after, UMASKS[i]);
            assert_int_equal(mode_of(path), mode);
            assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
            assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
            close(fd);
        }
    }
    unlink(path);
}

/* Leaves a socket file at `path`, and the socket itself open or not. */
static int leave_socket(const char *path, int type, bool open)
{
    struct sockaddr_un address = address_of(path);
    int fd = socket(AF_UNIX, type, 0);

    assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(fd, 0), 0);
    if (open)
        return fd;
    close(fd);
    return -1;
}

static void only_a_dead_socket_is_replaced(void **state)
{
    static const struct {
        const char *says;
        int type; /* 0: a file; -1: a directory */
        bool open, full;
        int gives;
    } CASES[] = {
        {"a dead teamd", SOCK_SEQPACKET, false, false, 0},
        {"a dead socket of another type", SOCK_STREAM, false, false, 0},
        {"a living teamd", SOCK_SEQPACKET, true, false, -EADDRINUSE},
        {"a living teamd with a full queue", SOCK_SEQPACKET, true, true, -EADDRINUSE},
        {"a living socket of another type", SOCK_STREAM, true, false, -EADDRINUSE},
        {"a file", 0, false, false, -EEXIST},
        {"a directory", -1, false, false, -EEXIST},
    };
    char path[128];

    (void)state;
    snprintf(path, sizeof path, "%s/x", rig.dir);
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        int there = -1, guest = -1, fd = -1, r;

        if (CASES[i].type > 0)
            there = leave_socket(path, CASES[i].type, CASES[i].open);
        else if (CASES[i].type == 0)
            close(open(path, O_CREAT | O_WRONLY, 0600));
        else
            assert_int_equal(mkdir(path, 0700), 0);
        if (CASES[i].full)
            guest = dial(path);
        r = ipc_socket_make(path, 0600, &fd);
        if (r != CASES[i].gives)
            fail_msg("%s: %d instead of %d", CASES[i].says, r, CASES[i].gives);
        for (int n = 0; n < 3; n++) {
            int mine[] = {there, guest, fd};

            if (mine[n] >= 0)
                close(mine[n]);
        }
        assert_int_equal(remove(path), 0);
    }
}

static void path_that_cannot_be_is_told(void **state)
{
    char path[300];
    int fd = -1;

    (void)state;
    memset(path, 'x', sizeof path);
    path[200] = '\0';
    assert_int_equal(ipc_socket_make(path, 0600, &fd), -ENAMETOOLONG);
    assert_int_equal(ipc_socket_make("", 0600, &fd), -ENAMETOOLONG);
    snprintf(path, sizeof path, "%s/nothing/here", rig.dir);
    assert_int_equal(ipc_socket_make(path, 0600, &fd), -ENOENT);
    assert_int_equal(fd, -1);
}

static void inherited_socket_is_made_fit(void **state)
{
    char path[128];
    int fd, guest;

    (void)state;
    ipc_stop(rig.ipc);
    rig.ipc->stopping = false; /* a new server in the same rig */
    snprintf(path, sizeof path, "%s/x", rig.dir);
    fd = leave_socket(path, SOCK_SEQPACKET, true);
    assert_int_equal(ipc_listen(rig.ipc, IPC_CONTROL, fd), 0);
    assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
    guest = dial_and_say(path, OP_YES);
    settle();
    hears(guest, TEAM_DONE, "yes");
    close(guest);
    unlink(path);
}

static void socket_of_another_sort_is_not_taken(void **state)
{
    int pair[2], fd;
    char path[128];

    (void)state;
    snprintf(path, sizeof path, "%s/x", rig.dir);
    assert_int_equal(ipc_listen(rig.ipc, IPC_GATE, 0), -EBUSY); /* there is one */
    ipc_stop(rig.ipc);
    rig.ipc->stopping = false;
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
    assert_int_equal(ipc_listen(rig.ipc, IPC_GATE, pair[0]), -EINVAL);
    fd = leave_socket(path, SOCK_STREAM, true);
    assert_int_equal(ipc_listen(rig.ipc, IPC_GATE, fd), -EINVAL);
    unlink(path);
    close(fd);
    fd = open("/dev/null", O_RDONLY);
    assert_int_equal(ipc_listen(rig.ipc, IPC_GATE, fd), -ENOTSOCK);
    close(fd);
    close(pair[0]);
    close(pair[1]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, rig_up, rig_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(socket_has_its_mode_whatever_the_umask),
        TEST(only_a_dead_socket_is_replaced),
        TEST(path_that_cannot_be_is_told),
        TEST(inherited_socket_is_made_fit),
        TEST(socket_of_another_sort_is_not_taken),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
