/* What an installation that waits says of itself, and who may confirm it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "teamctl/pam_files.c"
#include "teamctl/pam_pending.c"
#include "teamctl/pam_place.c"
#include "teamctl/pam_stack.c"

/* ---- logins, as the test wants them -----------------------------------------------------------
 */

static struct login me;
static const char *came; /* by this program, since; NULL: it was there before */

struct login login_of_self(void)
{
    return me;
}

bool login_came_since(int64_t since_us, login_counts_fn counts, const void *ctx)
{
    (void)since_us;
    return came && counts(ctx, came);
}

uint64_t login_newest(void)
{
    return 20;
}

static char folder[] = "/tmp/team-pam-pending-XXXXXX";
static struct pam_dir d;

static void write_pending(const char *text)
{
    struct pam_text t = {.at = (char *)(uintptr_t)text, .len = strlen(text)};

    assert_int_equal(pam_keep_write(&d, "pending", &t), 0);
}

/* ---- the file ---------------------------------------------------------------------------------
 */

static void what_is_written_is_read(void **state)
{
    struct pending p, q;

    (void)state;
    me = (struct login){.audit = 7, .terminal = 34817};
    assert_int_equal(pending_read(&d, &q), -ENOENT);
    assert_int_equal(pending_begin(&p, 120), 0);
    assert_int_equal(p.until_us - p.since_us, 120000000);
    p.n_services = 2;
    snprintf(p.services[0], PAM_NAME_CAP, "sudo");
    snprintf(p.services[1], PAM_NAME_CAP, "polkit-1");
    assert_int_equal(pending_write(&d, &p), 0);
    memset(&q, 0xff, sizeof q);
    assert_int_equal(pending_read(&d, &q), 0);
    assert_string_equal(q.boot, p.boot);
    assert_true(q.since_us == p.since_us && q.until_us == p.until_us && q.newest == 20);
    assert_true(q.by.audit == 7 && q.by.terminal == 34817 && q.n_services == 2);
    assert_string_equal(q.services[0], "sudo");
    assert_string_equal(q.services[1], "polkit-1");
    assert_int_equal(pending_remove(&d), 0);
    assert_int_equal(pending_remove(&d), 0);
    assert_int_equal(pending_read(&d, &q), -ENOENT);
}

#define HEAD "boot b\nsince 1\nuntil 2\naudit 3\nterminal 4\nnewest 5\n"

static void anything_else_is_garbage(void **state)
{
    static const char *const GARBAGE[] = {
        "",
        "# comment\n",
        HEAD,
        "service sudo\n",
        "boot b\nsince 1\nuntil 2\naudit 3\nterminal 4\nservice sudo\n",
        HEAD "service ../passwd\n",
        HEAD "service .team\n",
        HEAD "service\n",
        HEAD "servant sudo\n",
        HEAD "service sudo\nservice " /* too long to be one */
             "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n",
        "boot b\nsince -1\nuntil 2\naudit 3\nterminal 4\nnewest 5\nservice sudo\n",
        "boot b\nsince 1\nuntil 99999999999999999999\naudit 3\nterminal 4\nnewest 5\nservice "
        "sudo\n",
        "boot b\nsince 1\nuntil 2\naudit x\nterminal 4\nnewest 5\nservice sudo\n",
        "boot 0123456789012345678901234567890123456789\nsince 1\nuntil 2\naudit 3\nterminal 4\n"
        "newest 5\nservice sudo\n",
        HEAD "service a\nservice b\nservice c\nservice d\nservice e\nservice f\nservice g\n"
             "service h\nservice i\nservice j\n",
    };
    struct pending p;

    (void)state;
    write_pending(HEAD "service sudo\n");
    assert_int_equal(pending_read(&d, &p), 0);
    for (size_t i = 0; i < sizeof GARBAGE / sizeof GARBAGE[0]; i++) {
        write_pending(GARBAGE[i]);
        if (pending_read(&d, &p) != -EBADMSG)
            fail_msg("%s is taken", GARBAGE[i]);
    }
    assert_int_equal(pending_remove(&d), 0);
}

/* ---- time -------------------------------------------------------------------------------------
 */

static void it_is_due_when_its_time_or_its_boot_is_over(void **state)
{
    struct pending p;

    (void)state;
    assert_int_equal(pending_begin(&p, 60), 0);
    assert_false(pending_is_due(&p));
    assert_in_range(pending_left_us(&p), 50000000, 60000000);
    p.until_us = p.since_us;
    assert_true(pending_is_due(&p));
    assert_int_equal(pending_left_us(&p), 0);
    assert_int_equal(pending_begin(&p, 60), 0);
    p.boot[0] ^= 1;
    assert_true(pending_is_due(&p));
    p.boot[0] ^= 1;
    assert_false(pending_is_due(&p));
    p.since_us += 3600LL * 1000000; /* a clock that has not come so far */
    assert_true(pending_is_due(&p));
}

static void who_watches_is_seen(void **state)
{
    int a, b;

    (void)state;
    assert_false(pending_is_watched(&d));
    assert_int_equal(pending_watch(&d), -ENOENT);
    write_pending(HEAD "service sudo\n");
    assert_false(pending_is_watched(&d));
    a = pending_watch(&d);
    b = pending_watch(&d);
    assert_true(a >= 0 && b >= 0 && pending_is_watched(&d));
    close(a);
    assert_true(pending_is_watched(&d));
    close(b);
    assert_false(pending_is_watched(&d));
    assert_int_equal(pending_remove(&d), 0);
}

/* ---- who may confirm --------------------------------------------------------------------------
 */

#define NONE LOGIN_NO_AUDIT
static const char SAME[] = "this is the login that installed it";
static const char NO_LOGIN[] = "this is no login";
static const char BEFORE[] = "this shell was there before";

/* When it was installed, the newest audit session was 20. */
static const struct {
    const char *says;
    struct login by, me;
    const char *came;
    const char *why;
} CONFIRMS[] = {
    {"a login that is newer", {7, 1}, {21, 2}, NULL, NULL},
    {"on the same terminal, which is another's by now", {7, 1}, {21, 1}, NULL, NULL},
    {"the same login", {7, 1}, {7, 1}, NULL, SAME},
    {"the same login by another sudo", {7, 1}, {7, 1}, "sudo", SAME},
    {"the same login on another terminal", {7, 1}, {7, 2}, "sudo", SAME},
    {"a login from before", {7, 1}, {8, 2}, NULL, BEFORE},
    {"the newest from before", {7, 1}, {20, 2}, NULL, BEFORE},
    {"a login from before, by sudo since", {7, 1}, {8, 2}, "sudo", NULL},
    {"no login, where there are audit sessions", {7, 1}, {NONE, 2}, "sudo", NO_LOGIN},
    {"a login, where who installed was none", {NONE, 0}, {21, 0}, NULL, NULL},
    {"a login from before, where who installed was none", {NONE, 0}, {8, 1}, NULL, BEFORE},
    {"without audit: no terminal", {NONE, 1}, {NONE, 0}, "sudo", NO_LOGIN},
    {"without audit: neither has a terminal", {NONE, 0}, {NONE, 0}, "sudo", NO_LOGIN},
    {"without audit: the same terminal", {NONE, 1}, {NONE, 1}, "sudo", SAME},
    {"without audit: another terminal, from before", {NONE, 1}, {NONE, 2}, NULL, BEFORE},
    {"without audit: another terminal, by sudo since", {NONE, 1}, {NONE, 2}, "sudo", NULL},
    {"without audit: a terminal, where who installed had none", {NONE, 0}, {NONE, 2}, "sudo", NULL},
};

static void only_another_login_that_has_come_since_may_confirm(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof CONFIRMS / sizeof CONFIRMS[0]; i++) {
        struct pending p = {
            .by = CONFIRMS[i].by, .newest = 20, .n_services = 2, .services = {"sudo", "sudo-i"}};
        const char *why;

        me = CONFIRMS[i].me;
        came = CONFIRMS[i].came;
        why = pending_refuses(&p);
        if (!why != !CONFIRMS[i].why || (why && !strstr(why, CONFIRMS[i].why)))
            fail_msg("%s: %s", CONFIRMS[i].says, why ? why : "may confirm");
    }
}

/* From a login that was there before: what it has come by since has to be what was changed. */
static const struct {
    const char *says, *services[3], *came;
    bool confirms;
} PROOFS[] = {
    {"su by su", {"su", "su-l"}, "su", true},
    {"sudo not by su, which was not changed", {"sudo", "sudo-i"}, "su", false},
    {"of several one is enough", {"sudo", "su"}, "su", true},
    {"polkit by pkexec", {"polkit-1"}, "pkexec", true},
    {"runuser by runuser", {"runuser"}, "runuser", true},
    {"sshd by sshd", {"sshd"}, "sshd", true},
    {"sshd by what newer ones are called", {"sshd"}, "sshd-session", true},
    {"sshd not by sudo", {"sshd"}, "sudo", false},
    {"nor where sudo was changed, too", {"sudo", "sshd"}, "sudo", false},
    {"and then by sshd", {"sudo", "sshd"}, "sshd", true},
    {"login not by sshd", {"login"}, "sshd", false},
    {"nothing by what has another name", {"sudo"}, "sudo2", false},
};

static void who_was_there_before_has_to_come_by_what_was_changed(void **state)
{
    (void)state;
    me = (struct login){8, 2};
    for (size_t i = 0; i < sizeof PROOFS / sizeof PROOFS[0]; i++) {
        struct pending p = {.by = {7, 1}, .newest = 20};

        while (p.n_services < 3 && PROOFS[i].services[p.n_services]) {
            snprintf(p.services[p.n_services], PAM_NAME_CAP, "%s",
                     PROOFS[i].services[p.n_services]);
            p.n_services++;
        }
        came = PROOFS[i].came;
        if (!pending_refuses(&p) != PROOFS[i].confirms)
            fail_msg("%s", PROOFS[i].says);
    }
}

static int begin(void **state)
{
    (void)state;
    return mkdtemp(folder) && chmod(folder, 0755) == 0 ? pam_dir_open(folder, true, &d) : -1;
}

static int end(void **state)
{
    (void)state;
    pam_dir_tidy(&d);
    pam_dir_close(&d);
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(anything_else_is_garbage),
        cmocka_unit_test(it_is_due_when_its_time_or_its_boot_is_over),
        cmocka_unit_test(who_watches_is_seen),
        cmocka_unit_test(only_another_login_that_has_come_since_may_confirm),
        cmocka_unit_test(who_was_there_before_has_to_come_by_what_was_changed),
    };

    if (geteuid() != 0) {
        printf("ok 1 - pending # SKIP needs root\n1..1\n");
        return 0;
    }
    return cmocka_run_group_tests(tests, begin, end);
}
