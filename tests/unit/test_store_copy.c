/* A copy of the store, made by a thread while the store works on. */
#include "store/internal.h"

#include "store_kit.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/stat.h>

/* ---- the thread ------------------------------------------------------------------------------ */

struct copier {
    struct store *store;
    int fd;
    int result;
    pthread_t thread;
};

static void *copy(void *ctx)
{
    struct copier *c = ctx;

    c->result = store_copy(c->store, c->fd);
    close(c->fd);
    return NULL;
}

static void begin(struct copier *c, struct store *s, int fd)
{
    *c = (struct copier){.store = s, .fd = fd, .result = 99};
    assert_int_equal(store_copy_begin(s), 0);
    assert_int_equal(pthread_create(&c->thread, NULL, copy, c), 0);
}

static int end(struct copier *c)
{
    assert_int_equal(pthread_join(c->thread, NULL), 0);
    store_copy_end(c->store);
    return c->result;
}

/* ---- stores to copy -------------------------------------------------------------------------- */

static char long_text[1001];

static void add_requests(struct store *s, uint64_t first, uint64_t n)
{
    memset(long_text, 'x', sizeof long_text - 1);
    for (uint64_t i = 0; i < n; i += 20) {
        for (uint64_t k = i; k < i + 20 && k < n; k++) {
            kit_add_request(kit_request(first + k, 1001, REQ_PENDING, 1000, "sudo"));
            kit_add_words(first + k, WORDS_REASON, long_text);
            kit_add_audit("request.submit", "alice", first + k, long_text);
        }
        kit_commit(s);
    }
}

static struct store_facts facts_of(struct store *s)
{
    struct store_facts f;

    assert_int_equal(store_facts(s, &f), 0);
    return f;
}

/* Opens what has been copied to `path`, as a teamd would after it was put in place. */
static struct store *open_copy(const char *path)
{
    char dir[128], store[160], data[192];
    struct store *s = NULL;

    snprintf(dir, sizeof dir, "%s/again", kit_dir);
    snprintf(store, sizeof store, "%s/store", dir);
    snprintf(data, sizeof data, "%s/data.mdb", store);
    assert_int_equal(mkdir(dir, 0700), 0);
    assert_int_equal(mkdir(store, 0700), 0);
    assert_int_equal(rename(path, data), 0);
    assert_int_equal(store_open(dir, HOST, BOOT_2, &s), 0);
    return s;
}

static void path_of_copy(char *out, size_t cap)
{
    snprintf(out, cap, "%s/copy", kit_dir);
}

/* ---- tests ----------------------------------------------------------------------------------- */

static void a_copy_holds_what_the_store_holds(void **state)
{
    struct store *s = kit_open(), *again;
    struct store_facts before, after;
    struct copier c;
    char path[128];

    (void)state;
    add_requests(s, 1, 500);
    before = facts_of(s);
    path_of_copy(path, sizeof path);
    begin(&c, s, open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    assert_int_equal(end(&c), 0);
    store_close(s);
    again = open_copy(path);
    after = facts_of(again);
    assert_int_equal(after.requests, before.requests);
    assert_int_equal(after.events, before.events);
    assert_memory_equal(after.head, before.head, sizeof after.head);
    store_close(again);
}

static bool is_full(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};

    return poll(&p, 1, 20000) == 1;
}

/* A pipe stands for a slow disk: once it is full, the copy is in the middle. */
static void what_is_written_during_a_copy_is_not_in_it(void **state)
{
    struct store *s = kit_open(), *again;
    struct store_facts before, after;
    struct copier c;
    char path[128], buf[65536];
    int ends[2], fd;
    ssize_t n;

    (void)state;
    add_requests(s, 1, 3000);
    before = facts_of(s);
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    begin(&c, s, ends[1]);
    assert_true(is_full(ends[0]));
    add_requests(s, 100000, 3000); /* over pages that were free before, and new ones */
    assert_int_equal(facts_of(s).requests, before.requests + 3000);
    path_of_copy(path, sizeof path);
    fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    while ((n = read(ends[0], buf, sizeof buf)) > 0)
        assert_int_equal(write(fd, buf, (size_t)n), n);
    close(fd);
    close(ends[0]);
    assert_int_equal(end(&c), 0);
    add_requests(s, 200000, 20);
    assert_int_equal(facts_of(s).requests, before.requests + 3020);
    store_close(s);
    again = open_copy(path);
    after = facts_of(again);
    assert_int_equal(after.requests, before.requests);
    assert_int_equal(after.events, before.events);
    assert_memory_equal(after.head, before.head, sizeof after.head);
    add_requests(again, 300000, 20);
    store_close(again);
}

/* Growing would move the map under the copy. */
static void the_map_has_grown_before_a_copy_and_does_not_during_it(void **state)
{
    struct store_sizes small = {.map = 1 << 20, .headroom = 1 << 18};
    struct store *s = NULL;
    struct store_facts before;
    struct copier c;
    char buf[65536];
    int ends[2];

    (void)state;
    assert_int_equal(store_open_sized(kit_dir, HOST, BOOT_1, small, &s), 0);
    add_requests(s, 1, 300);
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    begin(&c, s, ends[1]);
    before = facts_of(s);
    assert_true(before.map_bytes > (UINT64_C(4) << 30));
    assert_true(is_full(ends[0]));
    add_requests(s, 100000, 1000);
    assert_int_equal(facts_of(s).map_bytes, before.map_bytes);
    assert_true(facts_of(s).used_bytes > small.map);
    while (read(ends[0], buf, sizeof buf) > 0)
        ;
    close(ends[0]);
    assert_int_equal(end(&c), 0);
    store_close(s);
}

static void a_copy_that_cannot_be_written_is_an_error_of_its_own(void **state)
{
    struct store *s = kit_open();
    struct copier c;
    int ends[2];

    (void)state;
    signal(SIGPIPE, SIG_IGN);
    add_requests(s, 1, 300);
    begin(&c, s, open("/dev/full", O_WRONLY | O_CLOEXEC));
    assert_int_equal(end(&c), -ENOSPC);
    begin(&c, s, open("/dev/null", O_RDONLY | O_CLOEXEC));
    assert_int_equal(end(&c), -EBADF);
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    close(ends[0]);
    begin(&c, s, ends[1]);
    assert_int_equal(end(&c), -EPIPE);
    add_requests(s, 1000, 20);
    assert_int_equal(facts_of(s).requests, 320);
    store_close(s);
}

static void no_copy_begins_in_the_middle_of_a_transaction(void **state)
{
    struct store *s = kit_open();

    (void)state;
    assert_int_equal(store_begin(s, now_at(1)), 0);
    assert_int_equal(store_copy_begin(s), -EBUSY);
    store_abort(s);
    store_close(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_copy_holds_what_the_store_holds),
        T(what_is_written_during_a_copy_is_not_in_it),
        T(the_map_has_grown_before_a_copy_and_does_not_during_it),
        T(a_copy_that_cannot_be_written_is_an_error_of_its_own),
        T(no_copy_begins_in_the_middle_of_a_transaction),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
