/* Files in /etc/pam.d are whole at every moment: each system call fails once, the process dies
 * before each, and somebody edits the file before each. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

/* ---- what happens -----------------------------------------------------------------------------
 */

enum what { NOTHING, FAILS, DIES, IS_EDITED };

static struct {
    enum what what;
    unsigned at; /* before which call; from 1 */
    unsigned calls;
    int error;
    bool no_swap; /* the file system cannot */
} plan;

static char folder[] = "/tmp/team-pam-files-XXXXXX";
static const char EDITED[] = "# edited\n@include common-account\n";

static void put(const char *name, const char *text)
{
    char path[128];
    int fd;

    snprintf(path, sizeof path, "%s/%s", folder, name);
    fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
}

/* As editors do: a new file in the place of the old one. */
static void edit(void)
{
    char from[128], to[128];

    put("edit~", EDITED);
    snprintf(from, sizeof from, "%s/edit~", folder);
    snprintf(to, sizeof to, "%s/sudo", folder);
    assert_int_equal(rename(from, to), 0);
}

static bool happens(void)
{
    if (++plan.calls != plan.at || plan.what == NOTHING)
        return false;
    if (plan.what == DIES)
        _exit(42);
    if (plan.what == IS_EDITED) {
        edit();
        return false;
    }
    errno = plan.error;
    return true;
}

static bool cannot_swap(void)
{
    errno = EINVAL;
    return plan.no_swap;
}

#define openat(...)     (happens() ? -1 : openat(__VA_ARGS__))
#define fstat(...)      (happens() ? -1 : fstat(__VA_ARGS__))
#define read(...)       (happens() ? -1 : read(__VA_ARGS__))
#define write(...)      (happens() ? -1 : write(__VA_ARGS__))
#define fsync(...)      (happens() ? -1 : fsync(__VA_ARGS__))
#define close(fd)       (happens() ? (close(fd), errno = plan.error, -1) : close(fd))
#define fchown(...)     (happens() ? -1 : fchown(__VA_ARGS__))
#define fchmod(...)     (happens() ? -1 : fchmod(__VA_ARGS__))
#define flistxattr(...) (happens() ? -1 : flistxattr(__VA_ARGS__))
#define fgetxattr(...)  (happens() ? -1 : fgetxattr(__VA_ARGS__))
#define fsetxattr(...)  (happens() ? -1 : fsetxattr(__VA_ARGS__))
#define linkat(...)     (happens() ? -1 : linkat(__VA_ARGS__))
#define unlinkat(...)   (happens() ? -1 : unlinkat(__VA_ARGS__))
#define renameat(...)   (happens() ? -1 : renameat(__VA_ARGS__))
#define renameat2(...)  (cannot_swap() || happens() ? -1 : renameat2(__VA_ARGS__))
#define malloc(n)       (happens() ? NULL : malloc(n))

#include "teamctl/pam_files.c"
#include "teamctl/pam_place.c"
#include "teamctl/pam_stack.c"

#undef openat
#undef fstat
#undef read
#undef write
#undef fsync
#undef close
#undef fchown
#undef fchmod
#undef flistxattr
#undef fgetxattr
#undef fsetxattr
#undef linkat
#undef unlinkat
#undef renameat
#undef renameat2
#undef malloc

/* ---- the folder -------------------------------------------------------------------------------
 */

static const char OLD[] = "#%PAM-1.0\n@include common-account\n@include common-session\n";
static const char LABEL[] = "user.label";

static struct pam_text old, new;
static bool labels; /* this file system keeps extended attributes */

static unsigned brings(void *ctx, const char *file, enum pam_type type)
{
    (void)ctx;
    return strstr(file, type == PAM_ACCOUNT ? "account" : "session") ? PAM_BRINGS_RULES : 0;
}

static const char *content(const char *name)
{
    static char text[4096];
    char path[128];
    ssize_t n;
    int fd;

    snprintf(path, sizeof path, "%s/%s", folder, name);
    fd = open(path, O_RDONLY);
    if (fd < 0)
        return NULL;
    n = read(fd, text, sizeof text - 1);
    assert_true(n >= 0);
    text[n] = '\0';
    close(fd);
    return text;
}

static bool is(const char *name, const char *text)
{
    const char *now = content(name);

    return now && strcmp(now, text) == 0;
}

static bool is_new(const char *name)
{
    const char *now = content(name);

    return now && strlen(now) == new.len &&memcmp(now, new.at, new.len) == 0;
}

static void set_up(void)
{
    char path[128];

    plan.what = NOTHING;
    plan.calls = 0;
    snprintf(path, sizeof path, "%s/sudo", folder);
    unlink(path);
    put("sudo", OLD);
    assert_int_equal(chmod(path, 0640), 0);
    assert_int_equal(chown(path, 0, 4711), 0);
    labels = setxattr(path, LABEL, "pam", 3, 0) == 0;
}

static void assert_looks_as_before(void)
{
    char path[128], label[8];
    struct stat st;

    snprintf(path, sizeof path, "%s/sudo", folder);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0640);
    assert_int_equal(st.st_gid, 4711);
    if (labels)
        assert_int_equal(getxattr(path, LABEL, label, sizeof label), 3);
}

/* What is kept, and what is left of work. */
static bool is_kept(const char *what)
{
    char path[128];

    snprintf(path, sizeof path, "%s/.team/sudo.%s", folder, what);
    return access(path, F_OK) == 0;
}

static void forget(void)
{
    static const char *const LEFT[] = {"sudo.old", "sudo.new", "sudo.kept"};
    char path[128];

    for (size_t i = 0; i < sizeof LEFT / sizeof LEFT[0]; i++) {
        snprintf(path, sizeof path, "%s/.team/%s", folder, LEFT[i]);
        unlink(path);
    }
}

static int in_folder(int (*f)(const struct pam_dir *d))
{
    struct pam_dir d;
    int r = pam_dir_open(folder, true, &d);

    if (r < 0)
        return r;
    r = f(&d);
    pam_dir_close(&d);
    return r;
}

static int switch_it(const struct pam_dir *d)
{
    return pam_file_switch(d, "sudo", &old, &new);
}

static int undo_it(const struct pam_dir *d)
{
    return pam_file_give_back(d, "sudo", true);
}

static int remove_it(const struct pam_dir *d)
{
    return pam_file_give_back(d, "sudo", false);
}

/* Runs it with something that happens before call `at`. False when it made fewer calls. */
static bool run(int (*f)(const struct pam_dir *d), enum what what, unsigned at, int *r)
{
    pid_t pid;
    int status;

    plan.calls = 0;
    plan.at = at;
    plan.error = at % 2 ? ENOSPC : EROFS;
    plan.what = what;
    if (what == DIES) {
        pid = fork();
        if (pid == 0) {
            in_folder(f);
            _exit(0);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        plan.what = NOTHING;
        return WEXITSTATUS(status) == 42;
    }
    *r = in_folder(f);
    plan.what = NOTHING;
    return plan.calls >= at;
}

/* However the switch ended: undoing brings the original back, and leaves nothing. */
static void assert_undone(void)
{
    assert_true(in_folder(undo_it) >= 0);
    assert_true(is("sudo", OLD));
    assert_looks_as_before();
    assert_false(is_kept("old"));
    assert_false(is_kept("new"));
    assert_false(is_kept("kept"));
    assert_int_equal(in_folder(undo_it), PAM_NOT_THERE);
}

/* ---- tests ------------------------------------------------------------------------------------
 */

static void a_file_is_switched_and_comes_back(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        plan.no_swap = i;
        set_up();
        assert_int_equal(in_folder(switch_it), 0);
        assert_true(is_new("sudo"));
        assert_looks_as_before();
        assert_true(is(".team/sudo.old", OLD));
        assert_false(is_kept("new"));
        assert_int_equal(in_folder(undo_it), PAM_GIVEN_BACK);
        assert_true(is("sudo", OLD));
        assert_undone();
    }
    plan.no_swap = false;
}

static void each_call_that_fails_leaves_a_whole_file(void **state)
{
    unsigned n = 0;
    int r;

    (void)state;
    for (int i = 0; i < 2; i++) {
        plan.no_swap = i;
        set_up();
        for (n = 1; run(switch_it, FAILS, n, &r); n++) {
            assert_true(is("sudo", OLD) || is_new("sudo"));
            if (r == 0)
                assert_true(is_new("sudo"));
            else if (r != -EINPROGRESS)
                assert_true(is("sudo", OLD));
            if (is_new("sudo"))
                assert_true(is_kept("old"));
            assert_undone();
            set_up();
        }
        assert_true(n > 30); /* there were so many */
        assert_undone();
    }
    plan.no_swap = false;
}

static void whenever_it_dies_the_file_is_whole(void **state)
{
    unsigned n = 0;

    (void)state;
    for (int i = 0; i < 2; i++) {
        plan.no_swap = i;
        set_up();
        for (n = 1; run(switch_it, DIES, n, NULL); n++) {
            assert_true(is("sudo", OLD) || (is_new("sudo") && is_kept("old")));
            assert_undone();
            set_up();
        }
        assert_true(n > 30);
        assert_undone();
    }
    plan.no_swap = false;
}

static void giving_back_can_fail_and_die_anywhere(void **state)
{
    static const enum what WHATS[] = {FAILS, DIES};
    unsigned n = 0;
    int r;

    (void)state;
    for (int i = 0; i < 4; i++) {
        plan.no_swap = i % 2;
        set_up();
        assert_int_equal(in_folder(switch_it), 0);
        for (n = 1; run(undo_it, WHATS[i / 2], n, &r); n++) {
            assert_true(is("sudo", OLD) || is_new("sudo"));
            assert_undone();
            set_up();
            assert_int_equal(in_folder(switch_it), 0);
        }
        assert_true(n > 15);
        assert_undone();
    }
    plan.no_swap = false;
}

/* The edited file is new, so it is found as it is or with lines that are ours taken out of it. */
static void what_somebody_edits_at_any_moment_is_not_lost(void **state)
{
    unsigned n = 0;
    int r;

    (void)state;
    set_up();
    for (n = 1; run(switch_it, IS_EDITED, n, &r); n++) {
        assert_true(is("sudo", EDITED));
        assert_true(in_folder(undo_it) >= 0);
        assert_true(is("sudo", EDITED));
        forget();
        set_up();
    }
    assert_true(n > 30);
    for (n = 1;; n++) {
        forget();
        set_up();
        assert_int_equal(in_folder(switch_it), 0);
        if (!run(undo_it, IS_EDITED, n, &r))
            break;
        assert_true(is("sudo", EDITED));
        assert_true(in_folder(undo_it) >= 0);
        assert_true(is("sudo", EDITED));
    }
    forget();
}

static void edit_to(const char *text)
{
    char whole[4096];

    snprintf(whole, sizeof whole, "%s%.*s", text, (int)new.len, new.at);
    put("sudo", whole);
}

static void a_file_that_was_changed_since_keeps_what_was_changed(void **state)
{
    static const struct {
        int (*how)(const struct pam_dir *d);
    } HOWS[] = {{undo_it}, {remove_it}};
    char wanted[4096];

    (void)state;
    snprintf(wanted, sizeof wanted, "# mine\n%s", OLD);
    for (size_t i = 0; i < 2; i++) {
        set_up();
        assert_int_equal(in_folder(switch_it), 0);
        edit_to("# mine\n");
        assert_int_equal(in_folder(HOWS[i].how), PAM_TAKEN_OUT);
        assert_true(is("sudo", wanted));
        assert_looks_as_before();
        assert_true(is(".team/sudo.kept", OLD));
        assert_false(is_kept("old"));
        forget();
    }
    /* The marks are gone, and the rules are not: they go all the same. */
    set_up();
    assert_int_equal(in_folder(switch_it), 0);
    put("sudo", "account required pam_team.so\n@include common-account\n@include common-session\n"
                "session required pam_team.so\n");
    assert_int_equal(in_folder(undo_it), PAM_TAKEN_OUT);
    assert_true(is("sudo", "@include common-account\n@include common-session\n"));
    forget();
    /* Other arguments of our lines are no reason to keep anything else than the original. */
    set_up();
    assert_int_equal(in_folder(switch_it), 0);
    put("sudo", "#%PAM-1.0\n# teamctl pam install: x\naccount required pam_team.so timeout=5s\n"
                "@include common-account\n@include common-session\n");
    assert_int_equal(in_folder(undo_it), PAM_GIVEN_BACK);
    assert_undone();
}

static void what_is_not_ours_to_take_stays(void **state)
{
    static const char THEIRS[] = "account required pam_team.so\n@include common-session\n";
    struct pam_text theirs = {.at = (char *)(uintptr_t)THEIRS, .len = sizeof THEIRS - 1}, more;
    const struct pam_files files = {.brings = brings};
    char why[PAM_WHY_CAP];
    struct pam_dir d;

    (void)state;
    /* Undoing takes nothing out that was not put in. */
    set_up();
    put("sudo", THEIRS);
    assert_int_equal(in_folder(undo_it), PAM_NOT_THERE);
    assert_true(is("sudo", THEIRS));
    /* Removing does, unless the original has it. */
    assert_int_equal(in_folder(remove_it), PAM_TAKEN_OUT);
    assert_true(is("sudo", "@include common-session\n"));
    set_up();
    put("sudo", THEIRS);
    assert_int_equal(pam_place(&theirs, true, "", &files, &more, why), 1);
    assert_int_equal(pam_dir_open(folder, true, &d), 0);
    assert_int_equal(pam_file_switch(&d, "sudo", &theirs, &more), 0);
    assert_int_equal(pam_file_give_back(&d, "sudo", false), PAM_GIVEN_BACK);
    assert_true(is("sudo", THEIRS));
    pam_dir_close(&d);
    pam_unload(&more);
    forget();
}

static void strange_files_are_left_alone(void **state)
{
    char path[128], other[128];
    struct pam_text text = {0};
    struct pam_dir d;

    (void)state;
    set_up();
    snprintf(path, sizeof path, "%s/sudo", folder);
    snprintf(other, sizeof other, "%s/other", folder);
    assert_int_equal(pam_dir_open(folder, true, &d), 0);
    assert_int_equal(pam_file_switch(&d, "sudo", &new, &old), -ESTALE);
    assert_int_equal(chown(path, 65534, 0), 0);
    assert_int_equal(pam_file_read(&d, "sudo", &text), -EPERM);
    assert_int_equal(chown(path, 0, 0), 0);
    chmod(path, 0664);
    assert_int_equal(pam_file_read(&d, "sudo", &text), -EPERM);
    chmod(path, 0644);
    rename(path, other);
    assert_int_equal(pam_file_read(&d, "sudo", &text), -ENOENT);
    assert_int_equal(pam_file_give_back(&d, "sudo", true), -ENOENT);
    assert_int_equal(symlink("other", path), 0);
    assert_int_equal(pam_file_read(&d, "sudo", &text), -ELOOP);
    assert_int_equal(pam_file_switch(&d, "sudo", &old, &new), -ELOOP);
    assert_int_equal(pam_file_give_back(&d, "sudo", true), -ELOOP);
    assert_true(is("other", OLD));
    unlink(path);
    mkfifo(path, 0644);
    assert_int_equal(pam_file_read(&d, "sudo", &text), -EISDIR);
    unlink(path);
    unlink(other);
    put("sudo", "");
    assert_int_equal(truncate(path, PAM_FILE_MAX + 1), 0);
    assert_int_equal(pam_file_read(&d, "sudo", &text), -EFBIG);
    pam_dir_close(&d);
    set_up();
}

static void folders_have_to_be_roots(void **state)
{
    char keep[128];
    struct pam_dir d;

    (void)state;
    snprintf(keep, sizeof keep, "%s/.team", folder);
    chmod(folder, 0777);
    assert_int_equal(pam_dir_open(folder, true, &d), -EPERM);
    assert_int_equal(pam_dir_open(folder, false, &d), 0); /* what is ours there can be undone */
    pam_dir_close(&d);
    chmod(folder, 0755);
    chmod(keep, 0770);
    assert_int_equal(pam_dir_open(folder, true, &d), -EPERM);
    rmdir(keep);
    assert_int_equal(symlink("/tmp", keep), 0);
    assert_int_equal(pam_dir_open(folder, true, &d), -ENOTDIR);
    assert_int_equal(pam_dir_open(folder, false, &d), -ENOTDIR);
    unlink(keep);
    assert_int_equal(pam_dir_open(folder, false, &d), 0);
    assert_int_equal(d.keep, -1);
    assert_false(pam_file_is_kept(&d, "sudo"));
    assert_int_equal(pam_file_give_back(&d, "sudo", true), PAM_NOT_THERE);
    pam_dir_close(&d);
    assert_int_equal(pam_dir_open("/nowhere/at/all", false, &d), -ENOENT);
}

static void one_works_at_a_time(void **state)
{
    struct pam_dir a, b;

    (void)state;
    assert_int_equal(pam_dir_open(folder, true, &a), 0);
    assert_int_equal(pam_dir_open(folder, true, &b), 0);
    assert_int_equal(pam_dir_lock(&a, 0), 0);
    assert_int_equal(pam_dir_lock(&b, 0), -EBUSY);
    pam_dir_close(&a);
    assert_int_equal(pam_dir_lock(&b, 0), 0);
    pam_dir_tidy(&b);
    pam_dir_close(&b);
    assert_int_equal(pam_dir_open(folder, true, &a), 0);
    pam_dir_tidy(&a);
    assert_int_equal(pam_dir_lock(&a, 0), -ESTALE);
    pam_dir_close(&a);
}

static int begin(void **state)
{
    const struct pam_files files = {.brings = brings};
    char why[PAM_WHY_CAP];

    (void)state;
    old = (struct pam_text){.at = (char *)(uintptr_t)OLD, .len = sizeof OLD - 1};
    if (!mkdtemp(folder) || chmod(folder, 0755) < 0)
        return -1;
    return pam_place(&old, true, "", &files, &new, why) == 1 ? 0 : -1;
}

static int end(void **state)
{
    char path[128];

    (void)state;
    pam_unload(&new);
    forget();
    snprintf(path, sizeof path, "%s/sudo", folder);
    unlink(path);
    snprintf(path, sizeof path, "%s/.team", folder);
    rmdir(path);
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_is_switched_and_comes_back),
        cmocka_unit_test(each_call_that_fails_leaves_a_whole_file),
        cmocka_unit_test(whenever_it_dies_the_file_is_whole),
        cmocka_unit_test(giving_back_can_fail_and_die_anywhere),
        cmocka_unit_test(what_somebody_edits_at_any_moment_is_not_lost),
        cmocka_unit_test(a_file_that_was_changed_since_keeps_what_was_changed),
        cmocka_unit_test(what_is_not_ours_to_take_stays),
        cmocka_unit_test(strange_files_are_left_alone),
        cmocka_unit_test(folders_have_to_be_roots),
        cmocka_unit_test(one_works_at_a_time),
    };

    if (geteuid() != 0) {
        printf("ok 1 - files # SKIP needs root\n1..1\n");
        return 0;
    }
    return cmocka_run_group_tests(tests, begin, end);
}
