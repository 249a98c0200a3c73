/* What may go wrong with files, disks and processes. */
#include "store/chain.h"
#include "store/internal.h"

#include "store_kit.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

static const char *below_dir(const char *name)
{
    static char path[128];

    snprintf(path, sizeof path, "%s/%s", kit_dir, name);
    return path;
}

static int open_result(void)
{
    struct store *s = NULL;
    int r = store_open(kit_dir, HOST, BOOT_1, &s);

    assert_int_equal(r == 0, s != NULL);
    store_close(s);
    return r;
}

static int count(void *ctx, const struct record *r)
{
    (void)r;
    ++*(size_t *)ctx;
    return 0;
}

static int count_event(void *ctx, const struct trail_event *e)
{
    (void)e;
    ++*(size_t *)ctx;
    return 0;
}

static size_t requests_in(struct store *s)
{
    struct request_query q = {.started = false};
    size_t n = 0;

    assert_int_equal(store_requests(s, &q, SIZE_MAX, count, &n), 0);
    return n;
}

/* A request of a few kilobytes with its event. */
static int commit_one(struct store *s, uint64_t id)
{
    static char reason[3001];

    memset(reason, 'r', sizeof reason - 1);
    kit_add_request(kit_request(id, 1001, REQ_PENDING, (int64_t)id, "sudo"));
    kit_add_words(id, WORDS_REASON, reason);
    kit_add_audit("request.submit", "alice", id, "");
    return kit_commit_at(s, (int64_t)id);
}

/* ---- who may open it ------------------------------------------------------------------------- */

static void a_store_is_open_once_at_a_time(void **state)
{
    struct store *s = kit_open();

    (void)state;
    assert_int_equal(open_result(), -EBUSY);
    store_close(s);
    assert_int_equal(open_result(), 0);
}

static void a_store_that_another_process_has_open_is_busy_until_that_ends(void **state)
{
    int ready[2];
    char c;
    pid_t pid;

    (void)state;
    assert_int_equal(pipe(ready), 0);
    pid = fork();
    if (pid == 0) {
        struct store *s = NULL;

        if (store_open(kit_dir, HOST, BOOT_1, &s) == 0 && write(ready[1], "x", 1) == 1)
            pause();
        _exit(1);
    }
    assert_int_equal(read(ready[0], &c, 1), 1);
    assert_int_equal(open_result(), -EBUSY);
    kill(pid, SIGKILL);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    assert_int_equal(open_result(), 0);
    close(ready[0]);
    close(ready[1]);
}

static void files_are_closed_to_others(void **state)
{
    static const struct {
        const char *name;
        mode_t mode;
    } FILES[] = {{"", 0700},
                 {"lock", 0600},
                 {"store", 0700},
                 {"store/data.mdb", 0600},
                 {"store/lock.mdb", 0600}};
    mode_t mask = umask(0);
    struct stat st;

    (void)state;
    assert_int_equal(chmod(kit_dir, 0755), 0);
    assert_int_equal(open_result(), 0);
    umask(mask);
    for (size_t i = 0; i < sizeof FILES / sizeof FILES[0]; i++) {
        assert_int_equal(lstat(below_dir(FILES[i].name), &st), 0);
        assert_int_equal(st.st_mode & 07777, FILES[i].mode);
    }
}

static void a_directory_that_is_not_there_or_not_ours_is_refused(void **state)
{
    struct store *s = NULL;

    (void)state;
    assert_int_equal(store_open(below_dir("none"), HOST, BOOT_1, &s), -ENOENT);
    assert_int_equal(symlink("/tmp", below_dir("store")), 0);
    assert_int_equal(open_result(), -EUCLEAN);
    assert_int_equal(unlink(below_dir("store")), 0);
    if (geteuid() == 0) {
        assert_int_equal(chown(kit_dir, 65534, 65534), 0);
        assert_int_equal(open_result(), -EUCLEAN);
    }
    assert_int_equal(store_open(kit_dir, HOST, "no boot id", &s), -EINVAL);
    assert_null(s);
}

/* ---- what is in the file --------------------------------------------------------------------- */

/* Changes one row of a closed store behind its back. NULL deletes it. */
static void meddle(const char *table, const void *key, size_t key_len, const void *value,
                   size_t value_len)
{
    MDB_val k = val(key, key_len), v = val(value, value_len);
    MDB_env *env;
    MDB_txn *txn;
    MDB_dbi dbi;

    assert_int_equal(mdb_env_create(&env), 0);
    mdb_env_set_maxdbs(env, 32);
    assert_int_equal(mdb_env_open(env, below_dir("store"), 0, 0600), 0);
    assert_int_equal(mdb_txn_begin(env, NULL, 0, &txn), 0);
    assert_int_equal(mdb_dbi_open(txn, table, MDB_CREATE, &dbi), 0);
    assert_int_equal(value ? mdb_put(txn, dbi, &k, &v, 0) : mdb_del(txn, dbi, &k, NULL), 0);
    assert_int_equal(mdb_txn_commit(txn), 0);
    mdb_env_close(env);
}

static void fill_closed(size_t n)
{
    struct store *s = kit_open();

    for (uint64_t id = 1; id <= n; id++)
        assert_int_equal(commit_one(s, id), 0);
    store_close(s);
}

static void a_newer_schema_is_refused_and_left_alone(void **state)
{
    (void)state;
    fill_closed(3);
    meddle("meta", "schema", 6, "\0\0\0\2", 4);
    assert_int_equal(open_result(), -EPROTONOSUPPORT);
    meddle("meta", "schema", 6, "\0\0\0\1", 4);
    assert_int_equal(open_result(), 0);
    meddle("meta", "schema", 6, "\0\0\0\0", 4);
    assert_int_equal(open_result(), -EUCLEAN);
    meddle("meta", "schema", 6, "\1", 1);
    assert_int_equal(open_result(), -EUCLEAN);
    meddle("meta", "schema", 6, NULL, 0);
    assert_int_equal(open_result(), -EUCLEAN);
}

static void an_environment_of_somebody_else_is_refused(void **state)
{
    (void)state;
    assert_int_equal(mkdir(below_dir("store"), 0700), 0);
    meddle("recipes", "cake", 4, "sugar", 5);
    assert_int_equal(open_result(), -EUCLEAN);
}

static void a_trail_that_does_not_end_as_the_ledger_says_is_refused(void **state)
{
    static const struct {
        const char *table, *key;
        size_t key_len;
        const char *value;
        size_t value_len;
    } CASES[] = {
        {"audit", "\0\0\0\0\0\0\0\5", 8, NULL, 0},        /* the last event taken out */
        {"audit", "\0\0\0\0\0\0\0\6", 8, "", 0},          /* one put in */
        {"audit", "\0\0\0\0\0\0\0\5", 8, "\1rubbish", 8}, /* the last one damaged */
        {"meta", "ledger", 6, NULL, 0},
        {"meta", "ledger", 6, "\1rubbish", 8},
    };

    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        fill_closed(5);
        assert_int_equal(open_result(), 0);
        meddle(CASES[i].table, CASES[i].key, CASES[i].key_len, CASES[i].value, CASES[i].value_len);
        assert_int_equal(open_result(), -EUCLEAN);
        assert_int_equal(kit_teardown(NULL), 0);
        assert_int_equal(kit_setup(NULL), 0);
    }
}

/* Reads the last of two events behind the store's back. */
static size_t last_event(uint8_t out[SEALED_MAX], struct key *ret_key)
{
    struct store *s = kit_open();
    struct reading reading;
    MDB_val v;
    size_t n;

    *ret_key = key_of_number(2);
    assert_int_equal(reading_begin(s, &reading), 0);
    assert_int_equal(row_get(s, reading.txn, AUDIT, ret_key, &v), 0);
    n = v.mv_size;
    memcpy(out, v.mv_data, n);
    reading_end(&reading);
    store_close(s);
    return n;
}

static void a_changed_bit_in_the_last_event_is_found_at_open(void **state)
{
    uint8_t row[SEALED_MAX];
    struct key k;
    size_t n;

    (void)state;
    fill_closed(2);
    n = last_event(row, &k);
    row[n - HASH_LEN - 3] ^= 1;
    meddle("audit", k.bytes, k.len, row, n);
    assert_int_equal(open_result(), -EUCLEAN);
}

static void a_last_event_that_was_changed_and_sealed_anew_is_found_at_open(void **state)
{
    uint8_t row[SEALED_MAX], forged[SEALED_MAX];
    struct trail_event e;
    struct key k;

    (void)state;
    fill_closed(2);
    assert_int_equal(chain_read(row, last_event(row, &k), &e), 0);
    e.actor = "mallory";
    meddle("audit", k.bytes, k.len, forged, chain_seal(&e, forged));
    assert_int_equal(open_result(), -EUCLEAN);
}

static int ignore_request(void *ctx, const struct request *r, bool same_boot)
{
    (void)ctx, (void)r, (void)same_boot;
    return 0;
}

static int ignore_session(void *ctx, const struct session *r, bool same_boot)
{
    (void)ctx, (void)r, (void)same_boot;
    return 0;
}

static int load(struct store *s)
{
    static const struct store_loader TO = {.request = ignore_request, .session = ignore_session};
    uint64_t last_session;
    struct wall last;

    return store_load(s, &TO, &last, &last_session);
}

static void a_damaged_or_missing_row_is_an_error_never_silence(void **state)
{
    struct request_query q = {.started = false};
    struct key k = key_of_row((struct id){2}, ROW_REQUEST, 0);
    const char *const rows[] = {"\1\1damaged", NULL};
    struct store *s;
    size_t n = 0;

    (void)state;
    fill_closed(3);
    for (size_t i = 0; i < 2; i++) {
        meddle("requests", k.bytes, k.len, rows[i], rows[i] ? strlen(rows[i]) : 0);
        s = kit_open();
        assert_int_equal(load(s), -EUCLEAN);
        q.started = false;
        assert_int_equal(store_requests(s, &q, SIZE_MAX, count, &n), -EUCLEAN);
        assert_int_equal(store_request(s, (struct id){2}, count, &n), i == 0 ? -EUCLEAN : -ENOENT);
        assert_int_equal(store_request(s, (struct id){3}, count, &n), 0);
        store_close(s);
    }
}

static void a_row_under_another_id_is_not_believed(void **state)
{
    struct key k = key_of_row((struct id){9}, ROW_REQUEST, 0);
    struct kept_request kept = {.request = kit_request(8, 1, REQ_ACTIVE, 1, "sudo")};
    uint8_t record[RECORD_MAX];
    size_t n = record_write_request(&kept, record), seen = 0;
    struct store *s;

    (void)state;
    fill_closed(1);
    meddle("requests", k.bytes, k.len, record, n);
    s = kit_open();
    assert_int_equal(store_request(s, (struct id){9}, count, &seen), -EUCLEAN);
    store_close(s);
}

static void a_record_of_a_newer_teamd_is_told_as_such(void **state)
{
    struct key k = key_of_row((struct id){2}, ROW_REQUEST, 0);
    struct store *s;

    (void)state;
    fill_closed(3);
    meddle("requests", k.bytes, k.len, "\2\1newer", 7);
    s = kit_open();
    assert_int_equal(load(s), -EPROTONOSUPPORT);
    store_close(s);
}

static void a_kind_of_row_that_a_newer_teamd_adds_is_skipped(void **state)
{
    struct key k = key_of_row((struct id){2}, 200, 7);
    struct store *s;

    (void)state;
    fill_closed(3);
    meddle("requests", k.bytes, k.len, "new", 3);
    s = kit_open();
    assert_int_equal(requests_in(s), 3);
    assert_int_equal(load(s), 0);
    store_close(s);
}

static void a_live_session_without_its_row_is_an_error(void **state)
{
    struct store *s = kit_open();
    struct key k = key_of_number(1);

    (void)state;
    kit_add_session(kit_session(1, 5, SESSION_LIVE));
    kit_commit(s);
    store_close(s);
    meddle("sessions", k.bytes, k.len, NULL, 0);
    s = kit_open();
    assert_int_equal(load(s), -EUCLEAN);
    store_close(s);
}

static void an_index_that_says_live_of_what_is_over_is_an_error(void **state)
{
    struct key session = key_of_number(1);
    struct request r = kit_request(4, 1, REQ_ENDED, 1, "sudo");
    struct entries live;
    struct store *s = kit_open();

    (void)state;
    kit_add_session(kit_session(1, 4, SESSION_ENDED));
    kit_add_request(r);
    kit_commit(s);
    assert_int_equal(load(s), 0);
    store_close(s);
    meddle("sessions-live", session.bytes, session.len, "", 0);
    s = kit_open();
    assert_int_equal(load(s), -EUCLEAN);
    store_close(s);

    meddle("sessions-live", session.bytes, session.len, NULL, 0);
    r.state = REQ_ACTIVE;
    entries_of(&r, &live);
    for (size_t i = 0; i < live.n; i++)
        if (live.items[i].table == BY_STATE)
            meddle("requests-by-state", live.items[i].key.bytes, live.items[i].key.len, "", 0);
    s = kit_open();
    assert_int_equal(load(s), -EUCLEAN);
    store_close(s);
}

/* Opens, loads and asks for everything in a child: it may be refused, it must not crash. */
static void survives(const char *what)
{
    int status;
    pid_t pid = fork();

    if (pid == 0) {
        struct request_query q = {.started = false};
        struct trail_query t = {.next_seq = 0};
        struct store *s = NULL;
        size_t n = 0;

        if (store_open(kit_dir, HOST, BOOT_1, &s) == 0) {
            load(s);
            store_requests(s, &q, SIZE_MAX, count, &n);
            store_trail(s, &t, SIZE_MAX, count_event, &n);
        }
        store_close(s);
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (!WIFEXITED(status))
        fail_msg("%s: died of signal %d", what, WTERMSIG(status));
}

static void a_file_that_was_cut_off_does_not_crash(void **state)
{
    struct stat st;

    (void)state;
    fill_closed(60);
    assert_int_equal(stat(below_dir("store/data.mdb"), &st), 0);
    for (off_t pages = st.st_size / 4096; pages >= 0; pages -= 7) {
        char what[64];

        snprintf(what, sizeof what, "cut to %ld pages", (long)pages);
        assert_int_equal(truncate(below_dir("store/data.mdb"), pages * 4096), 0);
        survives(what);
    }
}

static void a_file_that_was_cut_to_nothing_is_refused(void **state)
{
    char away[128];

    (void)state;
    fill_closed(3);
    assert_int_equal(truncate(below_dir("store/data.mdb"), 0), 0);
    assert_int_equal(open_result(), -EUCLEAN);
    assert_int_equal(unlink(below_dir("store/lock.mdb")), 0);
    assert_int_equal(open_result(), -EUCLEAN);
    snprintf(away, sizeof away, "%s", below_dir("away"));
    assert_int_equal(rename(below_dir("store"), away), 0); /* what teamd tells to do */
    assert_int_equal(open_result(), 0);
}

static void a_store_whose_making_was_cut_short_is_made(void **state)
{
    int fd;

    (void)state;
    assert_int_equal(mkdir(below_dir("store"), 0700), 0);
    fd = open(below_dir("store/data.mdb"), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    close(fd);
    assert_int_equal(open_result(), 0);
    assert_int_equal(open_result(), 0);
}

/* A full disk can leave the first of LMDB's two first pages: nothing was ever in such a file. */
static void a_store_whose_first_write_was_cut_short_is_made(void **state)
{
    (void)state;
    assert_int_equal(open_result(), 0);
    assert_int_equal(truncate(below_dir("store/data.mdb"), sysconf(_SC_PAGESIZE)), 0);
    assert_int_equal(open_result(), -EUCLEAN); /* there was a store */
    assert_int_equal(truncate(below_dir("lock"), 0), 0);
    assert_int_equal(open_result(), 0);
    assert_int_equal(open_result(), 0);
}

static void a_file_of_rubbish_is_refused(void **state)
{
    char rubbish[8192];
    int fd;

    (void)state;
    assert_int_equal(open_result(), 0);
    memset(rubbish, 0xa5, sizeof rubbish);
    fd = open(below_dir("store/data.mdb"), O_WRONLY | O_CLOEXEC);
    assert_int_equal(write(fd, rubbish, sizeof rubbish), sizeof rubbish);
    close(fd);
    assert_int_equal(open_result(), -EUCLEAN);
}

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
        assert_int_equal(commit_one(s, id), 0);
    assert_int_equal(store_facts(s, &facts), 0);
    assert_true(facts.used_bytes > 3 << 20);
    assert_true(facts.map_bytes - facts.used_bytes >= 400 << 10);
    store_close(s);
    s = open_small(1 << 20, 512 << 10); /* smaller than what is there */
    assert_int_equal(requests_in(s), 800);
    assert_int_equal(commit_one(s, 801), 0);
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
    assert_int_equal(requests_in(s), 0);
    for (; r == -ENOSPC; tries++)
        r = big_batch(s);
    assert_int_equal(r, 0);
    assert_true(tries <= 8);
    assert_int_equal(requests_in(s), 500);
    store_close(s);
}

static int begin_inside(void *ctx, const struct record *r)
{
    struct store *s = ctx;

    (void)r;
    return commit_one(s, 1000);
}

static void the_map_does_not_move_under_an_open_question(void **state)
{
    struct store *s = open_small(1 << 20, 0);
    struct store_facts before, after;

    (void)state;
    assert_int_equal(commit_one(s, 1), 0);
    assert_int_equal(store_facts(s, &before), 0);
    s->sizes.headroom = 8 << 20;
    assert_int_equal(store_request(s, (struct id){1}, begin_inside, s), 0);
    assert_int_equal(store_facts(s, &after), 0);
    assert_int_equal(after.map_bytes, before.map_bytes);
    assert_int_equal(commit_one(s, 2), 0);
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

        while ((r = commit_one(s, id)) == 0)
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
        if (commit_one(s, next) < 0)
            return __LINE__;
    if (next < 2 || !store_has_room(s, FOR_REQUESTS)) /* and activity stops long before that */
        return __LINE__;
    /* More than the disk, in one go: a write is cut short, for which LMDB says EIO. */
    if (big_batch(s) != -ENOSPC || requests_in(s) != next - 1)
        return __LINE__;
    next = fill_disk(s, next, &enospc);
    if (next < 50 || enospc < 20)
        return __LINE__;
    if (store_has_room(s, FOR_REQUESTS))
        return __LINE__;
    if (requests_in(s) != next - 1) /* it still answers, and has all and only what it promised */
        return __LINE__;
    if (mount("none", kit_dir, "tmpfs", MS_REMOUNT, "size=2m") < 0)
        return __LINE__;
    if (!store_has_room(s, FOR_REQUESTS))
        return __LINE__;
    more = fill_disk(s, next, &enospc);
    if (more < next + 50 || requests_in(s) != more - 1)
        return __LINE__;
    store_close(s);
    if (mount("none", kit_dir, "tmpfs", MS_REMOUNT, "size=3m") < 0)
        return __LINE__;
    if (store_open(kit_dir, HOST, BOOT_1, &s) < 0 || requests_in(s) != more - 1)
        return __LINE__;
    if (commit_one(s, more) < 0 || requests_in(s) != more)
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
    for (; commit_one(s, id) == 0; id++)
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
        assert_int_equal(requests_in(s), next - 1);
        store_close(s);
    }
}

#define T(f) cmocka_unit_test_setup_teardown(f, kit_setup, kit_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_store_is_open_once_at_a_time),
        T(a_store_that_another_process_has_open_is_busy_until_that_ends),
        T(files_are_closed_to_others),
        T(a_directory_that_is_not_there_or_not_ours_is_refused),
        T(a_newer_schema_is_refused_and_left_alone),
        T(an_environment_of_somebody_else_is_refused),
        T(a_trail_that_does_not_end_as_the_ledger_says_is_refused),
        T(a_changed_bit_in_the_last_event_is_found_at_open),
        T(a_last_event_that_was_changed_and_sealed_anew_is_found_at_open),
        T(a_damaged_or_missing_row_is_an_error_never_silence),
        T(a_row_under_another_id_is_not_believed),
        T(a_record_of_a_newer_teamd_is_told_as_such),
        T(a_kind_of_row_that_a_newer_teamd_adds_is_skipped),
        T(a_live_session_without_its_row_is_an_error),
        T(an_index_that_says_live_of_what_is_over_is_an_error),
        T(a_file_that_was_cut_off_does_not_crash),
        T(a_file_that_was_cut_to_nothing_is_refused),
        T(a_store_whose_making_was_cut_short_is_made),
        T(a_store_whose_first_write_was_cut_short_is_made),
        T(a_file_of_rubbish_is_refused),
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
