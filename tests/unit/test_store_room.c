/* How much a store holds, and what is there after kill -9. */
#include "store/internal.h"

#include "store_kit.h"

#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/wait.h>

/* ---- size ------------------------------------------------------------------------------------ */

static struct store *open_small(size_t map, size_t headroom)
{
    struct store_sizes sizes = {.map = map, .headroom = headroom};
    struct store *s = NULL;

    assert_int_equal(store_open_sized(kit_dir, HOST, BOOT_1, sizes, &s), 0);
    return s;
}

static void the_map_grows_before_it_is_full(void **state)
{
    struct store *s = open_small(1 << 20, 512 << 10);
    struct store_facts facts;

    (void)state;
    for (uint64_t id = 1; id <= 800; id++)
        assert_int_equal(kit_commit_one(s, id), 0);
    assert_int_equal(store_facts(s, &facts), 0);
    assert_true(facts.used_bytes > 3 << 20);
    assert_true(facts.map_bytes - facts.used_bytes >= 400 << 10);
    store_close(s);
    s = open_small(1 << 20, 512 << 10); /* smaller than what is there */
    assert_int_equal(kit_requests_in(s), 800);
    assert_int_equal(kit_commit_one(s, 801), 0);
    store_close(s);
}

static int big_batch(struct store *s)
{
    static char reason[3001];
    int r = store_begin(s, now_at(5));

    memset(reason, 'r', sizeof reason - 1);
    assert_int_equal(r, 0);
    for (uint64_t id = 1; id <= 500; id++) {
        kit_add_request(kit_request(id, 1001, REQ_PENDING, (int64_t)id, "sudo"));
        kit_add_words(id, WORDS_REASON, reason);
        kit_give(s);
    }
    return store_commit(s);
}

static void a_batch_beyond_the_headroom_fails_whole_and_fits_the_next_time(void **state)
{
    struct store *s = open_small(256 << 10, 4096);
    int r = big_batch(s), tries = 0;

    (void)state;
    assert_int_equal(r, -ENOSPC);
    assert_int_equal(kit_requests_in(s), 0);
    for (; r == -ENOSPC; tries++)
        r = big_batch(s);
    assert_int_equal(r, 0);
    assert_true(tries <= 8);
    assert_int_equal(kit_requests_in(s), 500);
    store_close(s);
}

static int begin_inside(void *ctx, const struct record *r)
{
    struct store *s = ctx;

    (void)r;
    return kit_commit_one(s, 1000);
}

static void the_map_does_not_move_under_an_open_question(void **state)
{
    struct store *s = open_small(1 << 20, 0);
    struct store_facts before, after;

    (void)state;
    assert_int_equal(kit_commit_one(s, 1), 0);
    assert_int_equal(store_facts(s, &before), 0);
    s->sizes.headroom = 8 << 20;
    assert_int_equal(store_request(s, (struct id){1}, begin_inside, s), 0);
    assert_int_equal(store_facts(s, &after), 0);
    assert_int_equal(after.map_bytes, before.map_bytes);
    assert_int_equal(kit_commit_one(s, 2), 0);
    assert_int_equal(store_facts(s, &after), 0);
    assert_true(after.map_bytes > before.map_bytes);
    store_close(s);
}

/* ---- a full disk ----------------------------------------------------------------------------- */

static uint64_t fill_disk(struct store *s, uint64_t id, size_t *ret_enospc)
{
    *ret_enospc = 0;
    for (; *ret_enospc < 20; ++*ret_enospc) {
        int r;

        while ((r = kit_commit_one(s, id)) == 0)
            id++;
        if (r != -ENOSPC) {
            print_error("commit: %d\n", r);
            return 0;
        }
    }
    return id;
}

/* In a mount namespace of its own. Returns the line that went wrong, 0 if none. */
static int on_a_small_disk(void)
{
    struct store *s = NULL;
    uint64_t next, more;
    size_t enospc;

    if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) < 0 ||
        mount("none", kit_dir, "tmpfs", 0, "size=1m,mode=0700") < 0)
        return __LINE__;
    if (store_open(kit_dir, HOST, BOOT_1, &s) < 0)
        return __LINE__;
    if (!store_has_room(s, FOR_REQUESTS)) /* an eighth of it will do */
        return __LINE__;
    for (next = 1; store_has_room(s, FOR_ACTIVITY); next++)
        if (kit_commit_one(s, next) < 0)
            return __LINE__;
    if (next < 2 || !store_has_room(s, FOR_REQUESTS)) /* and activity stops long before that */
        return __LINE__;
    /* More than the disk, in one go: a write is cut short, for which LMDB says EIO. */
    if (big_batch(s) != -ENOSPC || kit_requests_in(s) != next - 1)
        return __LINE__;
    next = fill_disk(s, next, &enospc);
    if (next < 50 || enospc < 20)
        return __LINE__;
    if (store_has_room(s, FOR_REQUESTS))
        return __LINE__;
    if (kit_requests_in(s) !=
        next - 1) /* it still answers, and has all and only what it promised */
        return __LINE__;
    if (mount("none", kit_dir, "tmpfs", MS_REMOUNT, "size=2m") < 0)
        return __LINE__;
    if (!store_has_room(s, FOR_REQUESTS))
        return __LINE__;
    more = fill_disk(s, next, &enospc);
    if (more < next + 50 || kit_requests_in(s) != more - 1)
        return __LINE__;
    store_close(s);
    if (mount("none", kit_dir, "tmpfs", MS_REMOUNT, "size=3m") < 0)
        return __LINE__;
    if (store_open(kit_dir, HOST, BOOT_1, &s) < 0 || kit_requests_in(s) != more - 1)
        return __LINE__;
    if (kit_commit_one(s, more) < 0 || kit_requests_in(s) != more)
        return __LINE__;
    store_close(s);
    return 0;
}

static void a_full_disk_costs_nothing_that_was_promised_and_the_store_goes_on(void **state)
{
    int status;
    pid_t pid;

    (void)state;
    pid = fork();
    if (pid == 0) {
        int line = on_a_small_disk();

        _exit(line == 0 ? 0 : line % 256 ? line % 256 : 1);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0); /* else the line, modulo 256 */
}

/* ---- kill -9 --------------------------------------------------------------------------------- */

/* Commits one request after the other, and says so after each. */
static void commit_for_ever(int to, uint64_t id)
{
    struct store *s = NULL;

    if (store_open(kit_dir, HOST, BOOT_1, &s) < 0)
        _exit(1);
    for (; kit_commit_one(s, id) == 0; id++)
        if (write(to, &id, sizeof id) != sizeof id)
            break;
    _exit(1);
}

static void what_was_acknowledged_is_there_after_kill_9(void **state)
{
    uint64_t seed = 7, next = 1;

    (void)state;
    for (int round = 0; round < 15; round++) {
        uint64_t last = next - 1, id, until = next + below(&seed, 25);
        struct store *s;
        int acks[2];
        pid_t pid;

        assert_int_equal(pipe(acks), 0);
        pid = fork();
        if (pid == 0)
            commit_for_ever(acks[1], next);
        close(acks[1]);
        while (last < until && read(acks[0], &id, sizeof id) == sizeof id)
            last = id;
        kill(pid, SIGKILL);
        while (read(acks[0], &id, sizeof id) == sizeof id)
            last = id;
        close(acks[0]);
        assert_int_equal(waitpid(pid, NULL, 0), pid);
        assert_true(last >= until);

        s = kit_open();
        for (id = 1; id <= last; id++)
            assert_true(store_has_request(s, (struct id){id}));
        next = last + 1;
        if (store_has_request(s, (struct id){next})) /* committed, but not said any more */
            next++;
        assert_int_equal(kit_requests_in(s), next - 1);
        store_close(s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(the_map_grows_before_it_is_full),
        T(a_batch_beyond_the_headroom_fails_whole_and_fits_the_next_time),
        T(the_map_does_not_move_under_an_open_question),
        T(what_was_acknowledged_is_there_after_kill_9),
        T(a_full_disk_costs_nothing_that_was_promised_and_the_store_goes_on),
    };
    size_t n = sizeof tests / sizeof tests[0];

    if (geteuid() != 0) { /* no file system of its own; cmocka 1.1.5 calls a skip "not ok" */
        printf("ok %zu # SKIP %s: needs root\n", n, tests[n - 1].name);
        n--;
    }
    return _cmocka_run_group_tests("tests", tests, n, NULL, NULL);
}
