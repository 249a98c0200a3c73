/* What may go wrong with files, disks and processes. */
#include "store/chain.h"
#include "store/internal.h"

#include "store_kit.h"

#include <fcntl.h>
#include <signal.h>
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

static int count_event(void *ctx, const struct trail_event *e)
{
    (void)e;
    ++*(size_t *)ctx;
    return 0;
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
        assert_int_equal(kit_commit_one(s, id), 0);
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
        assert_int_equal(store_requests(s, &q, SIZE_MAX, kit_count, &n), -EUCLEAN);
        assert_int_equal(store_request(s, (struct id){2}, kit_count, &n),
                         i == 0 ? -EUCLEAN : -ENOENT);
        assert_int_equal(store_request(s, (struct id){3}, kit_count, &n), 0);
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
    assert_int_equal(store_request(s, (struct id){9}, kit_count, &seen), -EUCLEAN);
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
    assert_int_equal(kit_requests_in(s), 3);
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
            store_requests(s, &q, SIZE_MAX, kit_count, &n);
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
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
