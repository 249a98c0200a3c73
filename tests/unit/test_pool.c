/* What teamd believes of a resolver that lies. pool.c itself, with this test as its resolver. */
#include "host/pool.c"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include <sys/prctl.h>
#include <sys/wait.h>

/* ---- a spawner that gives our own socket, and a sleeping child to be killed -------------------
 */

static int resolver_end = -1;
static pid_t sleeper;
static bool given;

int spawner_start(uid_t uid, gid_t gid, struct spawner *ret)
{
    (void)uid, (void)gid;
    ret->pid = 0;
    ret->fd = dup(STDERR_FILENO);
    return 0;
}

void spawner_stop(struct spawner *s)
{
    close(s->fd);
}

int spawner_order(const struct spawner *s)
{
    (void)s;
    return given ? -EAGAIN : 0;
}

int spawner_take(const struct spawner *s, int *ret_fd, int *ret_pidfd)
{
    int ends[2];

    (void)s;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) < 0)
        return -errno;
    sleeper = fork();
    if (sleeper == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        for (;;)
            pause();
    }
    resolver_end = ends[1];
    *ret_fd = ends[0];
    *ret_pidfd = pidfd_open(sleeper, 0);
    given = true;
    return 0;
}

/* ---- the fixture ----------------------------------------------------------------------------- */

static sd_event *loop;
static struct pool *pool;

static struct {
    unsigned calls;
    int error;
    uint32_t id;
    size_t n_gids, n_members;
} told;

static void on_done(void *ctx, int error, const struct answer *a)
{
    (void)ctx;
    assert_true((error == 0) == (a != NULL));
    told.calls++;
    told.error = error;
    told.id = a ? a->id : 0;
    told.n_gids = a ? a->n_gids : 0;
    told.n_members = a ? a->n_members : 0;
}

/* Not through pool_new(): it waits for a spawner's socket that is one. */
static void pool_start(void)
{
    given = false;
    assert_int_equal(sd_event_new(&loop), 0);
    pool = calloc(1, sizeof *pool);
    assert_non_null(pool);
    pool->loop = sd_event_ref(loop);
    TAILQ_INIT(&pool->jobs);
    assert_int_equal(spawner_start(0, 0, &pool->spawner), 0);
    assert_int_equal(take_worker(pool), 0);
    assert_int_equal(sd_event_add_time(loop, &pool->timer, CLOCK_MONOTONIC, 0, 1, on_timer, pool),
                     0);
    assert_int_equal(sd_event_source_set_enabled(pool->timer, SD_EVENT_OFF), 0);
    memset(&told, 0, sizeof told);
}

static bool resolver_was_killed(void)
{
    int status;

    return waitpid(sleeper, &status, WNOHANG) == sleeper ||
           (usleep(200000), waitpid(sleeper, &status, WNOHANG) == sleeper);
}

static void pool_end(void)
{
    pool_free(pool);
    kill(sleeper, SIGKILL);
    waitpid(sleeper, NULL, 0);
    close(resolver_end);
    sd_event_unref(loop);
}

static void turn(void)
{
    for (size_t i = 0; i < 4; i++)
        assert_true(sd_event_run(loop, 0) >= 0);
}

/* ---- lies ------------------------------------------------------------------------------------ */

enum { ACCOUNT = offsetof(struct packet, gids) };

/* A good answer to the ask with serial 1. */
static struct packet good(enum resolver_op op)
{
    struct packet k = {.serial = 1, .last = true, .id = 1001, .count = 2, .name = {"alice"}};

    if (op == RESOLVE_GROUP) {
        k.members[0] = (struct member){1001, {"alice"}, {"alice2"}};
        k.members[1] = (struct member){1002, {"bob"}, {""}};
    } else {
        k.gids[0] = 2001;
        k.gids[1] = 2002;
    }
    return k;
}

static size_t good_size(enum resolver_op op)
{
    return ACCOUNT + 2 * (op == RESOLVE_GROUP ? sizeof(struct member) : sizeof(uint32_t));
}

static void nothing(struct packet *k)
{
    (void)k;
}
static void other_serial(struct packet *k)
{
    k->serial = 2;
}
static void positive_error(struct packet *k)
{
    k->error = 5;
}
static void no_errno(struct packet *k)
{
    k->error = -4096;
}
static void error_and_more(struct packet *k)
{
    k->error = -EIO;
}
static void not_the_last(struct packet *k)
{
    k->last = 0;
}
static void strange_last(struct packet *k)
{
    k->last = 2;
}
static void too_many(struct packet *k)
{
    k->count = UINT32_MAX;
}
static void one_more(struct packet *k)
{
    k->count = 3;
}
static void other_uid(struct packet *k)
{
    k->id = 1002;
}
static void no_uid(struct packet *k)
{
    k->id = NOBODY;
}
static void no_name(struct packet *k)
{
    k->name.text[0] = '\0';
}
static void endless_name(struct packet *k)
{
    memset(k->name.text, 'a', sizeof k->name.text);
}
static void escape_in_name(struct packet *k)
{
    memcpy(k->name.text, "al\033ce", 5);
}
static void member_nobody(struct packet *k)
{
    k->members[1].uid = NOBODY;
}
static void member_endless_name(struct packet *k)
{
    memset(k->members[1].name.text, 'a', NAME_CAP);
}
static void member_bad_alias(struct packet *k)
{
    memcpy(k->members[0].alias.text, "a b", 4);
}
static void member_endless_alias(struct packet *k)
{
    memset(k->members[0].alias.text, 'a', NAME_CAP);
}

static void a_lie_is_a_failure_and_the_end_of_the_resolver(void **state)
{
    static const struct {
        const char *says;
        enum resolver_op op;
        void (*spoil)(struct packet *k);
        int cut; /* bytes that are missing, or too many if negative */
        bool good;
    } CASES[] = {
        {"a good account by uid", RESOLVE_UID, nothing, 0, true},
        {"a good account by name", RESOLVE_NAME, nothing, 0, true},
        {"a good group", RESOLVE_GROUP, nothing, 0, true},
        {"by name any uid will do", RESOLVE_NAME, other_uid, 0, true},
        {"an answer to another ask", RESOLVE_UID, other_serial, 0, false},
        {"an error that is none", RESOLVE_UID, positive_error, 0, false},
        {"an error that is no errno", RESOLVE_GROUP, no_errno, 0, false},
        {"an error with gids", RESOLVE_UID, error_and_more, 0, false},
        {"an error with members", RESOLVE_GROUP, error_and_more, 0, false},
        {"an account that goes on", RESOLVE_UID, not_the_last, 0, false},
        {"last that is neither yes nor no", RESOLVE_GROUP, strange_last, 0, false},
        {"four billion gids", RESOLVE_UID, too_many, 0, false},
        {"four billion members", RESOLVE_GROUP, too_many, 0, false},
        {"one gid more than there is", RESOLVE_UID, one_more, 0, false},
        {"one member more than there is", RESOLVE_GROUP, one_more, 0, false},
        {"a packet that is cut", RESOLVE_GROUP, nothing, 1, false},
        {"a packet with more behind it", RESOLVE_UID, nothing, -1, false},
        {"a packet of one byte", RESOLVE_UID, nothing, ACCOUNT + 7, false},
        {"another uid than was asked", RESOLVE_UID, other_uid, 0, false},
        {"nobody's uid", RESOLVE_NAME, no_uid, 0, false},
        {"no name", RESOLVE_NAME, no_name, 0, false},
        {"a name without an end", RESOLVE_NAME, endless_name, 0, false},
        {"a name with an escape", RESOLVE_UID, escape_in_name, 0, false},
        {"a member with nobody's uid", RESOLVE_GROUP, member_nobody, 0, false},
        {"a member's name without an end", RESOLVE_GROUP, member_endless_name, 0, false},
        {"a member's other name with a blank", RESOLVE_GROUP, member_bad_alias, 0, false},
        {"a member's other name without an end", RESOLVE_GROUP, member_endless_alias, 0, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        struct packet k = good(CASES[i].op);
        struct ask ask = {.op = CASES[i].op, .uid = 1001, .name = "alice"};
        size_t size = (size_t)((long)good_size(CASES[i].op) - CASES[i].cut);
        bool killed;

        pool_start();
        CASES[i].spoil(&k);
        assert_int_equal(pool_ask(pool, &ask, monotonic_us() + PEOPLE_TIMEOUT_US, on_done, NULL),
                         0);
        assert_int_equal(send(resolver_end, &k, size, 0), size);
        turn();
        killed = !CASES[i].good && resolver_was_killed();
        if (told.calls != 1 || told.error != (CASES[i].good ? 0 : -EBADMSG) ||
            killed == CASES[i].good)
            fail_msg("%s: %u calls, error %d, %s", CASES[i].says, told.calls, told.error,
                     killed ? "killed" : "alive");
        pool_end();
    }
}

static void a_resolver_that_speaks_unasked_is_ended(void **state)
{
    struct packet k = good(RESOLVE_UID);

    (void)state;
    pool_start();
    k.serial = 0;
    assert_true(send(resolver_end, &k, good_size(RESOLVE_UID), 0) > 0);
    turn();
    assert_int_equal(told.calls, 0);
    assert_true(resolver_was_killed());
    pool_end();
}

static void a_group_without_end_is_cut_off(void **state)
{
    struct ask ask = {.op = RESOLVE_GROUP, .name = "ops"};
    struct packet k = {.serial = 1, .count = MEMBERS_PER_PACKET};
    size_t size = ACCOUNT + sizeof k.members;

    (void)state;
    for (size_t i = 0; i < MEMBERS_PER_PACKET; i++)
        k.members[i] = (struct member){1001, {"alice"}, {""}};
    pool_start();
    assert_int_equal(pool_ask(pool, &ask, monotonic_us() + PEOPLE_TIMEOUT_US, on_done, NULL), 0);
    for (size_t i = 0; i < PEOPLE_MEMBERS_MAX / MEMBERS_PER_PACKET; i++) {
        assert_int_equal(send(resolver_end, &k, size, 0), size);
        turn();
        assert_int_equal(told.calls, 0);
    }
    assert_int_equal(send(resolver_end, &k, size, 0), size);
    turn();
    assert_int_equal(told.calls, 1);
    assert_int_equal(told.error, -EBADMSG);
    pool_end();
}

static void signs_of_life_prolong_a_group_but_not_for_ever(void **state)
{
    struct ask ask = {.op = RESOLVE_GROUP, .name = "ops"};
    struct packet k = {.serial = 1};
    uint64_t begin = monotonic_us();

    (void)state;
    pool_start();
    /* as if asked long ago: what is left of GROUP_TIMEOUT is a second */
    assert_int_equal(pool_ask(pool, &ask, begin + PEOPLE_TIMEOUT_US, on_done, NULL), 0);
    TAILQ_FIRST(&pool->jobs)->latest = begin + SECOND_US;
    while (told.calls == 0 && monotonic_us() < begin + 3 * SECOND_US) {
        if (send(resolver_end, &k, ACCOUNT, MSG_NOSIGNAL) < 0)
            break;
        sd_event_run(loop, 50000);
    }
    turn();
    assert_int_equal(told.calls, 1);
    assert_int_equal(told.error, -ETIMEDOUT);
    assert_in_range(monotonic_us() - begin, SECOND_US - 50000, SECOND_US + 500000);
    pool_end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_lie_is_a_failure_and_the_end_of_the_resolver),
        cmocka_unit_test(a_resolver_that_speaks_unasked_is_ended),
        cmocka_unit_test(a_group_without_end_is_cut_off),
        cmocka_unit_test(signs_of_life_prolong_a_group_but_not_for_ever),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
