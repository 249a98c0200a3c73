/* A user database that does not do what it should, and the processes that ask it. people_rig.h
 * says how. */
#include "people_rig.h"

static struct told told2, told3, told4;

/* ---- when the database does not do what it should -------------------------------------------- */

static void a_database_that_is_down_is_a_failure_and_never_a_no(void **state)
{
    static const struct {
        const char *says, *flag, *name, *then;
    } CASES[] = {
        {"all is well", "-", "dave", "1004 dave: @sre"},
        {"all is well with nobody", "-", "zoe", "ENOENT"},
        {"an account that might be there", "down", "zoe", "EIO"},
        {"an account that is there otherwise", "down", "rita", "EIO"},
        {"a local account that might have groups there", "down", "dave", "EIO"},
        {"a local account when only groups fail", "groups-down", "dave", "EIO"},
        {"an account there when only groups fail", "groups-down", "rita", "EIO"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        list_policy("@sre @remote");
        put_file(CASES[i].flag, "");
        ask_name(&told, CASES[i].name);
        wait_told(&told, 10);
        remove_file(CASES[i].flag);
        if (strcmp(told.text, CASES[i].then) != 0)
            fail_msg("%s: %s", CASES[i].says, told.text);
    }
}

static void a_listing_that_fails_says_so_and_changes_nothing(void **state)
{
    static const char *const POLICIES[] = {"bob zoe", "@remote", "rita", "@none", "@mixed"};

    (void)state;
    list_policy("bob @sre");
    for (size_t i = 0; i < sizeof POLICIES / sizeof POLICIES[0]; i++) {
        put_file("down", "");
        ask_list(&told, policy_of(&policies[1], POLICIES[i]), NULL, 0);
        wait_told(&told, 10);
        remove_file("down");
        if (told.error != -EIO || strstr(told.text, "nobody bears"))
            fail_msg("%s: %d %s", POLICIES[i], told.error, told.text);
        ask_name(&told, "bob");
        wait_told(&told, 10);
        assert_string_equal(told.text, "1002 bob: bob");
    }
}

static void while_one_look_up_hangs_others_are_answered(void **state)
{
    double begin, end;

    (void)state;
    list_policy("bob @sre");
    begin = seconds();
    ask_name(&told, "hang-1");
    ask_uid(&told2, 7777);
    turn_for(0.3);
    ask_name(&told3, "bob");
    wait_told(&told3, 1.5);
    assert_string_equal(told3.text, "1002 bob: bob");
    assert_false(told.done || told2.done);
    while (seconds() < begin + 2.6)
        turn_for(0.01);
    ask_uid(&told4, 7777); /* joins one that hangs: told with it */
    wait_told(&told, 2);
    wait_told(&told2, 2);
    wait_told(&told4, 0.5);
    end = seconds();
    assert_string_equal(told.text, "ETIMEDOUT");
    assert_string_equal(told2.text, "ETIMEDOUT");
    assert_string_equal(told4.text, "ETIMEDOUT");
    assert_true(end - begin >= 2.9);
    assert_true(end - begin < (double)PEOPLE_TIMEOUT_US / 1e6 + 1);
    ask_name(&told, "dave");
    wait_told(&told, 2);
    assert_string_equal(told.text, "1004 dave: @sre");
}

static void when_all_resolvers_hang_the_others_wait_and_then_work(void **state)
{
    pid_t before[8], after[8];

    (void)state;
    list_policy("bob");
    ask_name(&told, "hang-1");
    ask_name(&told2, "hang-2");
    ask_name(&told3, "hang-3");
    for (size_t i = 0; i < 40 && resolver_pids(before) < 3; i++)
        turn_for(0.05);
    assert_int_equal(resolver_pids(before), 3);
    turn_for(
        1); /* teamd's patience with who waits is longer by this: a new resolver has to start */
    ask_name(&told4, "bob");
    turn_for(0.5);
    assert_false(told4.done);
    wait_told(&told, 3.5);
    wait_told(&told2, 0.5);
    wait_told(&told3, 0.5);
    wait_told(&told4, 2);
    assert_string_equal(told4.text, "1002 bob: bob");
    turn_for(0.2);
    for (size_t i = 0, n = resolver_pids(after); i < n; i++) /* those that hung are gone */
        for (size_t k = 0; k < 3; k++)
            assert_int_not_equal(after[i], before[k]);
}

static void a_listing_that_hangs_times_out_and_changes_nothing(void **state)
{
    (void)state;
    list_policy("bob");
    ask_list(&told, policy_of(&policies[1], "alice @hang-g dave"), NULL, 0);
    wait_told(&told, 4);
    assert_int_equal(told.error, -ETIMEDOUT);
    ask_name(&told, "bob");
    wait_told(&told, 2);
    assert_string_equal(told.text, "1002 bob: bob");
    list_policy("bob alice");
}

/* They are gone when it returns, and the loop has not turned. */
static void kill_resolvers(void)
{
    pid_t pids[8];
    size_t n = resolver_pids(pids);

    assert_true(n > 0);
    for (size_t i = 0; i < n; i++)
        while (kill(pids[i], SIGKILL) == 0)
            usleep(1000);
}

static void a_resolver_that_is_killed_is_a_failure_and_replaced(void **state)
{
    (void)state;
    list_policy("bob");
    ask_name(&told, "hang-1");
    turn_for(0.3);
    kill_resolvers();
    wait_told(&told, 2);
    assert_string_equal(told.text, "EPIPE");
    ask_name(&told, "bob");
    wait_told(&told, 2);
    assert_string_equal(told.text, "1002 bob: bob");
    kill_resolvers(); /* while idle: nobody notices */
    ask_name(&told, "alice");
    wait_told(&told, 2);
    assert_string_equal(told.text, "1001 alice:");
    kill_resolvers();
    turn_for(0.2);
    ask_name(&told, "carol");
    wait_told(&told, 2);
    assert_string_equal(told.text, "1003 carol:");
}

static void without_its_spawner_the_loop_ends(void **state)
{
    int r;

    (void)state;
    list_policy("bob");
    kill(spawner_pid(), SIGKILL);
    r = sd_event_loop(loop);
    assert_int_equal(r, -ECHILD);
}

static void signals_for_teamd_do_not_end_its_children(void **state)
{
    static const int SIGNALS[] = {SIGTERM, SIGHUP, SIGINT, SIGQUIT, SIGUSR1};
    pid_t pids[8], spawner = spawner_pid();

    (void)state;
    assert_int_equal(resolver_pids(pids), 1);
    for (size_t i = 0; i < sizeof SIGNALS / sizeof SIGNALS[0]; i++) {
        kill(spawner, SIGNALS[i]);
        kill(pids[0], SIGNALS[i]);
    }
    list_policy("bob");
    assert_int_equal(spawner_pid(), spawner);
}

static void never_called(void *ctx, int error, const struct person *who)
{
    (void)ctx, (void)error, (void)who;
    fail_msg("called after people_free()");
}

static void what_is_pending_at_the_end_is_dropped(void **state)
{
    (void)state;
    list_policy("bob");
    assert_int_equal(people_by_name(people, "hang-1", never_called, NULL), 0);
    assert_int_equal(people_by_name(people, "bob", never_called, NULL), 0);
    assert_int_equal(people_by_uid(people, NOBODY, never_called, NULL), 0);
    inside_call = true; /* on_listed() fails when it is called now */
    assert_int_equal(people_list(people, &policies[0], NULL, 0, on_listed, &told), 0);
    people = people_free(people);
    sd_event_run(loop, 10000);
    inside_call = false;
}

/* ---- processes ------------------------------------------------------------------------------- */

/* The line of /proc/PID/status that begins with `key`. */
static void status_line(pid_t pid, const char *key, char *out, size_t cap)
{
    char path[64], line[256];
    FILE *f;

    snprintf(path, sizeof path, "/proc/%d/status", pid);
    f = fopen(path, "re");
    assert_non_null(f);
    out[0] = '\0';
    while (fgets(line, sizeof line, f))
        if (strncmp(line, key, strlen(key)) == 0)
            snprintf(out, cap, "%s", line);
    fclose(f);
}

static void resolvers_drop_what_they_do_not_need(void **state)
{
    static const struct {
        const char *key, *then;
    } CASES[] = {
        {"Uid:", "Uid:\t65534\t65534\t65534\t65534\n"},
        {"Gid:", "Gid:\t65534\t65534\t65534\t65534\n"},
        {"Groups:", "Groups:\t \n"},
        {"CapPrm:", "CapPrm:\t0000000000000000\n"},
        {"CapEff:", "CapEff:\t0000000000000000\n"},
        {"CapAmb:", "CapAmb:\t0000000000000000\n"},
        {"NoNewPrivs:", "NoNewPrivs:\t1\n"},
    };
    char line[256], path[64];
    pid_t pids[8];

    (void)state;
    people = people_free(people);
    assert_int_equal(people_new(loop, 65534, 65534, &people), 0);
    list_policy("bob");
    assert_int_equal(resolver_pids(pids), 1);
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        status_line(pids[0], CASES[i].key, line, sizeof line);
        assert_string_equal(line, CASES[i].then);
    }
    snprintf(path, sizeof path, "/proc/%d/fd", pids[0]);
    assert_int_equal(count_entries(path), 4); /* null, null, stderr, its socket */
    ask_name(&told, "hang-1");                /* and can still be ended by us */
    wait_told(&told, 4);
    assert_string_equal(told.text, "ETIMEDOUT");
}

static void an_identity_that_cannot_be_had_is_an_error_at_the_start(void **state)
{
    int status;
    pid_t pid;

    (void)state;
    pid = fork();
    if (pid == 0) { /* nobody may not become daemon */
        struct people *p = NULL;
        sd_event *e = NULL;

        if (setresgid(65534, 65534, 65534) < 0 || setresuid(65534, 65534, 65534) < 0 ||
            sd_event_new(&e) < 0)
            _exit(1);
        _exit(people_new(e, 1, 1, &p) == -ECHILD && !p ? 42 : 2);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 42);
}

/* A teamd of which nothing is left but what it started. */
static void teamd_that_is_killed_leaves_no_process(void **state)
{
    struct proc spawner[8], resolvers[8];
    size_t n = 0;
    pid_t pid;

    (void)state;
    pid = fork();
    if (pid == 0) {
        sd_event *e = NULL;
        struct people *p = NULL;

        if (sd_event_new(&e) < 0 || people_new(e, (uid_t)-1, (gid_t)-1, &p) < 0 ||
            people_list(p, policy_of(&policies[0], "hang-1"), NULL, 0, on_listed, &told) < 0)
            _exit(1);
        sd_event_run(e, 0);
        for (;;)
            pause();
    }
    for (double until = seconds() + 5; n == 0 && seconds() < until;) {
        usleep(50000);
        n = children_of(pid, spawner, 8);
        n = n == 1 ? children_of(spawner[0].pid, resolvers, 8) : 0;
    }
    assert_int_equal(n, 1);
    usleep(100000); /* until it hangs */
    kill(pid, SIGKILL);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    for (double until = seconds() + 5; seconds() < until; usleep(20000))
        if (kill(spawner[0].pid, 0) < 0 && kill(resolvers[0].pid, 0) < 0)
            return;
    fail_msg("still there");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_database_that_is_down_is_a_failure_and_never_a_no),
        TEST(a_listing_that_fails_says_so_and_changes_nothing),
        TEST(while_one_look_up_hangs_others_are_answered),
        TEST(when_all_resolvers_hang_the_others_wait_and_then_work),
        TEST(a_listing_that_hangs_times_out_and_changes_nothing),
        TEST(a_resolver_that_is_killed_is_a_failure_and_replaced),
        TEST(without_its_spawner_the_loop_ends),
        TEST(signals_for_teamd_do_not_end_its_children),
        TEST(what_is_pending_at_the_end_is_dropped),
        TEST(resolvers_drop_what_they_do_not_need),
        cmocka_unit_test(an_identity_that_cannot_be_had_is_an_error_at_the_start),
        cmocka_unit_test(teamd_that_is_killed_leaves_no_process),
    };

    return run_people_tests("people: faults", tests, sizeof tests / sizeof tests[0]);
}
