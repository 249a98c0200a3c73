/* Where teamctl pam install puts lines into PAM files, and that they come out again without a
 * trace; and whether it reads these files as libpam does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <security/pam_appl.h>

#include "teamctl/pam_place.c"
#include "teamctl/pam_stack.c"

#define A                                                                                   \
    "# teamctl pam install: the gate, before anything that can end the account stack; see " \
    "pam_team(8)\naccount    required   pam_team.so\n"
#define S                                                                                      \
    "# teamctl pam install: the session, last of all; see pam_team(8)\nsession    required   " \
    "pam_team.so\n"
/* Without its last newline. */
#define S_BARE                                                                                 \
    "# teamctl pam install: the session, last of all; see pam_team(8)\nsession    required   " \
    "pam_team.so"

/* ---- placement --------------------------------------------------------------------------------
 */

/* What others bring: the names say it. */
static unsigned brings(void *ctx, const char *file, enum pam_type type)
{
    static const char *const WORDS[PAM_TYPES] = {"auth", "account", "password", "session"};
    const char *base = strrchr(file, '/') ? strrchr(file, '/') + 1 : file;

    (void)ctx;
    if (strncmp(base, "gated", 5) == 0)
        return type == PAM_ACCOUNT || type == PAM_SESSION ? PAM_BRINGS_RULES | PAM_BRINGS_OURS : 0;
    if (strcmp(base, "su") == 0)
        return PAM_BRINGS_RULES;
    return strstr(base, WORDS[type]) ? PAM_BRINGS_RULES : 0;
}

static const struct pam_files FILES = {.brings = brings};

static struct pam_text text_of(const char *s)
{
    return (struct pam_text){.at = (char *)(uintptr_t)s, .len = strlen(s)};
}

static void assert_text(const char *says, const struct pam_text *got, const char *wanted)
{
    struct pam_text w = text_of(wanted);

    if (!pam_same(got, &w))
        print_error("%s:\n--- got\n%.*s\n--- wanted\n%s\n", says, (int)got->len, got->at, wanted);
    assert_true(pam_same(got, &w));
}

static const struct {
    const char *says, *given, *then;
    bool session_only;
} PLACES[] = {
    {"sudo of Debian 12",
     "#%PAM-1.0\n\n# Set up user limits from /etc/security/limits.conf.\nsession    required   "
     "pam_limits.so\n\n@include common-auth\n@include common-account\n"
     "@include common-session-noninteractive\n",
     "#%PAM-1.0\n\n# Set up user limits from /etc/security/limits.conf.\nsession    required   "
     "pam_limits.so\n\n@include common-auth\n" A "@include common-account\n"
     "@include common-session-noninteractive\n" S,
     false},
    {"su-l of Debian 12, alone",
     "auth\t\tinclude\t\tsu\naccount\t\tinclude\t\tsu\npassword\tinclude\t\tsu\nsession\t\toptional"
     "\tpam_keyinit.so force revoke\nsession\t\tinclude\t\tsu\n",
     "auth\t\tinclude\t\tsu\n" A
     "account\t\tinclude\t\tsu\npassword\tinclude\t\tsu\nsession\t\toptional"
     "\tpam_keyinit.so force revoke\nsession\t\tinclude\t\tsu\n" S,
     false},
    {"runuser of Debian 12 has no account",
     "auth\t\tsufficient\tpam_rootok.so\nsession\t\trequired\tpam_unix.so\n",
     "auth\t\tsufficient\tpam_rootok.so\nsession\t\trequired\tpam_unix.so\n" S, true},
    {"comments right above an include stay with it, and blank lines do not matter",
     "# head\n\n# Standard.\n# Really.\n@include common-account\n\n@include common-session\n# "
     "end\n",
     "# head\n\n" A "# Standard.\n# Really.\n@include common-account\n\n@include common-session\n" S
     "# end\n",
     false},
    {"the head of the file stays its head",
     "#%PAM-1.0\n@include common-account\n@include common-session\n",
     "#%PAM-1.0\n" A "@include common-account\n@include common-session\n" S, false},
    {"a file that begins with an include", "@include common-account\n@include common-session\n",
     A "@include common-account\n@include common-session\n" S, false},
    {"no newline at the end: it has none afterwards, either",
     "@include common-account\n@include common-session",
     A "@include common-account\n@include common-session\n" S_BARE, false},
    {"session before account", "@include common-session\n@include common-account\n",
     "@include common-session\n" S A "@include common-account\n", false},
    {"one file brings both", "@include common-account-and-session\n",
     A "@include common-account-and-session\n" S, false},
    {"before what is sufficient",
     "account required pam_nologin.so\naccount sufficient pam_rootok.so\naccount required "
     "pam_unix.so\nsession required pam_unix.so\n",
     "account required pam_nologin.so\n" A
     "account sufficient pam_rootok.so\naccount required pam_unix.so\nsession required "
     "pam_unix.so\n" S,
     false},
    {"before what jumps",
     "account [success=1 default=ignore] pam_unix.so\naccount requisite pam_deny.so\naccount "
     "required pam_permit.so\nsession required pam_unix.so\n",
     A "account [success=1 default=ignore] pam_unix.so\naccount requisite pam_deny.so\naccount "
       "required pam_permit.so\nsession required pam_unix.so\n" S,
     false},
    {"after account lines of which none ends the stack",
     "account required pam_nologin.so\naccount required pam_unix.so\nsession required "
     "pam_unix.so\npassword required pam_unix.so\n",
     "account required pam_nologin.so\naccount required pam_unix.so\n" A
     "session required pam_unix.so\n" S "password required pam_unix.so\n",
     false},
    {"an include of a type, and a substack",
     "auth include system-auth\naccount substack system-account\nsession include system-session\n",
     "auth include system-auth\n" A "account substack system-account\nsession include "
     "system-session\n" S,
     false},
    {"an include of another type is none",
     "@include common-auth\naccount required pam_unix.so\nsession required pam_unix.so\n@include "
     "common-password\n",
     "@include common-auth\naccount required pam_unix.so\n" A "session required pam_unix.so\n" S
     "@include common-password\n",
     false},
    {"rules over several lines are not torn apart",
     "account \\\n# in the middle\n  required \\\n\n pam_unix.so\nsession [success=ok \\\n "
     "default=bad] pam_unix.so \\\n  debug\nauth required pam_unix.so\n",
     "account \\\n# in the middle\n  required \\\n\n pam_unix.so\n" A
     "session [success=ok \\\n default=bad] pam_unix.so \\\n  debug\n" S
     "auth required pam_unix.so\n",
     false},
    {"a comment ends with its line, whatever it ends in",
     "# not \\\naccount sufficient pam_rootok.so # nor \\\nsession required pam_unix.so\n",
     "# not \\\n" A "account sufficient pam_rootok.so # nor \\\nsession required pam_unix.so\n" S,
     false},
    {"the line is there in a comment only",
     "#account required pam_team.so\n\n@include common-account\n@include common-session\n",
     "#account required pam_team.so\n\n" A "@include common-account\n@include common-session\n" S,
     false},
    {"an account line of somebody else stays what it is",
     "account required pam_team.so timeout=5s\n@include common-account\n@include common-session\n",
     "account required pam_team.so timeout=5s\n@include common-account\n@include "
     "common-session\n" S,
     false},
    {"a session line of somebody else, too",
     "@include common-account\n@include common-session\nsession required /opt/pam_team.so\n",
     A "@include common-account\n@include common-session\nsession required /opt/pam_team.so\n",
     false},
    {"types may be written large, and with a dash",
     "-ACCOUNT required pam_foo.so\nSession required pam_unix.so\n",
     "-ACCOUNT required pam_foo.so\n" A "Session required pam_unix.so\n" S, false},
    {"@Include too", "@Include common-account\n@INCLUDE common-session\n",
     A "@Include common-account\n@INCLUDE common-session\n" S, false},
};

static void lines_are_placed_and_come_out_again(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof PLACES / sizeof PLACES[0]; i++) {
        struct pam_text given = text_of(PLACES[i].given), placed = {0}, again = {0}, taken;
        char why[PAM_WHY_CAP] = "";
        int r = pam_place(&given, !PLACES[i].session_only, "", &FILES, &placed, why);

        if (r != 1)
            print_error("%s: %d %s\n", PLACES[i].says, r, why);
        assert_int_equal(r, 1);
        assert_text(PLACES[i].says, &placed, PLACES[i].then);
        assert_true(pam_is_marked(&placed) && pam_names_us(&placed));
        assert_int_equal(pam_place(&placed, !PLACES[i].session_only, "", &FILES, &again, why), 0);
        assert_int_equal(pam_take(&placed, PAM_TAKE_MARKED, &taken), 0);
        assert_text(PLACES[i].says, &taken, PLACES[i].given);
        pam_unload(&placed);
        pam_unload(&taken);
    }
}

static const struct {
    const char *says, *given;
    int r;
    const char *why;
} NO_PLACES[] = {
    {"both there",
     "account required pam_team.so\n@include common-session\nsession required "
     "pam_team.so\n",
     0, NULL},
    {"both there by an include", "@include gated-su\n", 0, NULL},
    {"a part of ours is left", A "@include common-account\n@include common-session\n", -EINVAL,
     "only a part is left"},
    {"no account line", "@include common-session\n", -EINVAL, "no account line"},
    {"no session line", "@include common-account\n", -EINVAL, "no session line"},
    {"nothing at all", "", -EINVAL, "no account line"},
    {"comments alone", "# account required pam_unix.so\n", -EINVAL, "no account line"},
    {"it ends in the middle of a rule",
     "@include common-account\n@include common-session\nsession required \\\n", -EINVAL,
     "ends in a backslash"},
};

static void where_there_is_no_place_it_says_why(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof NO_PLACES / sizeof NO_PLACES[0]; i++) {
        struct pam_text given = text_of(NO_PLACES[i].given), placed = {0};
        char why[PAM_WHY_CAP] = "";
        int r = pam_place(&given, true, "", &FILES, &placed, why);

        if (r != NO_PLACES[i].r)
            print_error("%s: %d %s\n", NO_PLACES[i].says, r, why);
        assert_int_equal(r, NO_PLACES[i].r);
        assert_null(placed.at);
        assert_true(!NO_PLACES[i].why || strstr(why, NO_PLACES[i].why));
    }
}

static void a_nul_byte_is_no_text(void **state)
{
    struct pam_text given = {
        .at = (char[]){"@include common-account\n@include common-session\n#\0\n"}, .len = 52};
    struct pam_text placed = {0};
    char why[PAM_WHY_CAP] = "";

    (void)state;
    assert_int_equal(pam_place(&given, true, "", &FILES, &placed, why), -EINVAL);
    assert_non_null(strstr(why, "NUL byte"));
}

/* ---- taking out -------------------------------------------------------------------------------
 */

static const struct {
    const char *says, *given, *marked, *all;
} TAKES[] = {
    {"ours, with other arguments by now",
     "x\n# teamctl pam install: a\naccount required pam_team.so timeout=5s\ny\n", "x\ny\n",
     "x\ny\n"},
    {"ours, over several lines", "# teamctl pam install: a\naccount required \\\n pam_team.so\ny\n",
     "y\n", "y\n"},
    {"somebody's", "x\naccount required pam_team.so\ny\n", "x\naccount required pam_team.so\ny\n",
     "x\ny\n"},
    {"somebody's, and ours", "account required pam_team.so\n" S, "account required pam_team.so\n",
     ""},
    {"of any type, with a path and a dash", "-auth optional /lib/security/pam_team.so\n",
     "-auth optional /lib/security/pam_team.so\n", ""},
    {"a mark that stands alone says nothing", "# teamctl pam install: a\n\nx\n",
     "# teamctl pam install: a\n\nx\n", "# teamctl pam install: a\n\nx\n"},
    {"a module of another name", "account required pam_team.sox\naccount required xpam_team.so\n",
     "account required pam_team.sox\naccount required xpam_team.so\n",
     "account required pam_team.sox\naccount required xpam_team.so\n"},
    {"an include of that name", "account include pam_team.so\n", "account include pam_team.so\n",
     "account include pam_team.so\n"},
    {"nothing", "", "", ""},
    {"ours alone, without a newline", S_BARE, "", ""},
};

static void only_what_is_ours_is_taken_out(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof TAKES / sizeof TAKES[0]; i++) {
        struct pam_text given = text_of(TAKES[i].given), taken;

        assert_int_equal(pam_take(&given, PAM_TAKE_MARKED, &taken), 0);
        assert_text(TAKES[i].says, &taken, TAKES[i].marked);
        pam_unload(&taken);
        assert_int_equal(pam_take(&given, PAM_TAKE_ALL, &taken), 0);
        assert_text(TAKES[i].says, &taken, TAKES[i].all);
        pam_unload(&taken);
    }
}

/* ---- any file ---------------------------------------------------------------------------------
 */

static const char *const POOL[] = {
    "\n",
    "  \t\n",
    "#%PAM-1.0\n",
    "# a comment\n",
    "  # another \\\n",
    "@include common-account\n",
    "@include common-session # as ever\n",
    "@include common-auth\n",
    "account required pam_unix.so\n",
    "account sufficient pam_rootok.so\n",
    "account [success=1 default=ignore] pam_unix.so\n",
    "account include system-account\n",
    "account \\\n required pam_unix.so\n",
    "account required \\\n# inside\n\n pam_unix.so\n",
    "session optional pam_systemd.so\n",
    "session substack system-session\n",
    "-session optional pam_foo.so \\\n debug\n",
    "auth required pam_unix.so\n",
    "password required pam_unix.so\n",
    "account required pam_team.so quiet\n",
    "session required /opt/pam_team.so\n",
    "nonsense of all sorts\n",
    "# teamctl pam install: a mark alone\n",
};

static uint32_t dice;

static size_t roll(size_t n)
{
    dice = dice * 1664525 + 1013904223;
    return (dice >> 8) % n;
}

/* No rule before our account line can end the stack, and no rule of a session comes after our
 * session line. */
static void assert_well_placed(const struct pam_text *placed)
{
    struct pam_reader r = {.text = placed};
    bool account = !strstr(placed->at, "# teamctl pam install: the gate"), session = false;
    struct pam_line l;

    while (pam_next(&r)) {
        bool ours = mark_before(placed, &(size_t){r.begin});
        int type = pam_parse(r.rule, &l);
        bool of_account = l.include ? brings(NULL, l.module, PAM_ACCOUNT) : pam_may_skip(&l);
        bool of_session = !l.include || brings(NULL, l.module, PAM_SESSION);

        if (type == PAM_ACCOUNT || type == PAM_TYPES) {
            account = account || (ours && pam_is_ours(&l));
            assert_true(account || !of_account);
        }
        if (type == PAM_SESSION || type == PAM_TYPES) {
            assert_false(session && of_session);
            session = session || (ours && pam_is_ours(&l));
        }
    }
    assert_true(account);
}

static void what_was_placed_in_any_file_comes_out_without_a_trace(void **state)
{
    size_t placed_n = 0;

    (void)state;
    for (dice = 1; placed_n < 20000;) {
        char file[4096] = "", why[PAM_WHY_CAP];
        struct pam_text given, placed = {0}, taken, again = {0};

        for (size_t n = roll(12); n > 0; n--)
            strncat(file, POOL[roll(sizeof POOL / sizeof POOL[0])], sizeof file - strlen(file) - 1);
        if (roll(4) == 0 && file[0] != '\0')
            file[strlen(file) - 1] = '\0';
        given = text_of(file);
        if (pam_place(&given, roll(8) > 0, "", &FILES, &placed, why) != 1)
            continue;
        placed_n++;
        placed.at = realloc(placed.at, placed.len + 1);
        placed.at[placed.len] = '\0';
        assert_well_placed(&placed);
        assert_int_equal(pam_take(&placed, PAM_TAKE_MARKED, &taken), 0);
        assert_text(placed.at, &taken, file);
        assert_int_equal(pam_place(&taken, true, "", &FILES, &again, why) < 0 && again.at, 0);
        pam_unload(&placed);
        pam_unload(&taken);
        pam_unload(&again);
    }
}

/* ---- as the examples have it ------------------------------------------------------------------
 */

/* All rules of a text, without arguments and blanks. */
static void write_rules(const struct pam_text *t, char *out, size_t cap)
{
    struct pam_reader r = {.text = t};
    struct pam_line l;
    size_t n = 0;

    out[0] = '\0';
    while (pam_next(&r)) {
        int type = pam_parse(r.rule, &l);

        n += (size_t)snprintf(out + n, cap - n, "%d %s %s %s\n", type, l.control, l.module,
                              l.arguments);
    }
}

static void lines_are_placed_where_the_examples_have_them(void **state)
{
    static const char *const NAMES[] = {"sudo", "sudo-i", "su",      "runuser",
                                        "sshd", "login",  "polkit-1"};

    (void)state;
    for (size_t i = 0; i < sizeof NAMES / sizeof NAMES[0]; i++) {
        struct pam_text example = {0}, stock, placed = {0};
        char path[64], why[PAM_WHY_CAP] = "";
        static char wanted[16384], got[16384];

        snprintf(path, sizeof path, "conf/pam.d/%s", NAMES[i]);
        assert_int_equal(load_path(path, &example), 0);
        assert_int_equal(pam_take(&example, PAM_TAKE_ALL, &stock), 0);
        assert_int_equal(
            pam_place(&stock, strcmp(NAMES[i], "runuser") != 0, "", &FILES, &placed, why), 1);
        write_rules(&example, wanted, sizeof wanted);
        write_rules(&placed, got, sizeof got);
        assert_string_equal(got, wanted);
        pam_unload(&example);
        pam_unload(&stock);
        pam_unload(&placed);
    }
}

/* ---- as libpam reads it -----------------------------------------------------------------------
 */

static int converse(int n, const struct pam_message **m, struct pam_response **r, void *ctx)
{
    (void)n, (void)m, (void)r, (void)ctx;
    return PAM_CONV_ERR;
}

/* The real libpam on the service in this folder: does account pass? 2: it cannot be read. */
static int ask_in(const char *dir)
{
    const struct pam_conv conv = {converse, NULL};
    pam_handle_t *h = NULL;

    if (pam_start_confdir("service", "root", &conv, dir, &h) != PAM_SUCCESS)
        return 2;
    return pam_acct_mgmt(h, 0) == PAM_SUCCESS;
}

/* The same of a text, in a process of its own: what libpam cannot read it does not free. -1: it
 * cannot be read. */
static int ask_libpam(const char *text)
{
    char dir[] = "/tmp/team-pam-XXXXXX", path[64];
    int status, said;
    int *says = mmap(NULL, sizeof *says, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pid_t pid;
    FILE *f;

    assert_ptr_not_equal(says, MAP_FAILED);
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/service", dir);
    f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
    pid = fork();
    if (pid == 0) {
        *says = ask_in(dir);
        _exit(0); /* which valgrind makes another of, where something was not freed */
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    unlink(path);
    rmdir(dir);
    assert_true(WIFEXITED(status));
    said = *says;
    munmap(says, sizeof *says);
    return said == 2 ? -1 : said;
}

/* And what our reading of it says, of rules that are required. */
static int read_it(const char *text)
{
    struct pam_text t = text_of(text);
    struct pam_reader r = {.text = &t};
    struct pam_line l;
    int pass = -1;

    while (pam_next(&r))
        if (pam_parse(r.rule, &l) == PAM_ACCOUNT) {
            if (pass != 0)
                pass = strcmp(l.module, "pam_permit.so") == 0;
        }
    return r.torn ? -1 : pass;
}

static const char *const READINGS[] = {
    "account required pam_permit.so\n",
    "account required pam_permit.so",
    "account required pam_deny.so\naccount required pam_permit.so\n",
    "# c \\\naccount required pam_deny.so\naccount required pam_permit.so\n",
    "account required pam_permit.so # c \\\naccount required pam_deny.so\n",
    "account required \\\n pam_permit.so\n",
    "account required \\\n# c\n pam_permit.so\n",
    "account required \\\n\n pam_permit.so\naccount required pam_deny.so\n",
    "account required \\ \n pam_permit.so\n",
    "account required pam_permit.so \\\n",
    "account required pam_permit.so \\",
    "account required pam_permit.so\\\nsession required pam_permit.so\n",
    "account [success=ok \\\n default=die] pam_permit.so\n",
    "account required pam_permit.so x=[a\\]b]\n",
    "  \t account\trequired pam_permit.so\n",
    "ACCOUNT REQUIRED pam_permit.so\n",
    "-account required pam_permit.so\n",
    "account required pam_permit.so\r\n",
    "account required#pam_permit.so\n",
};

static void files_are_read_as_libpam_reads_them(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof READINGS / sizeof READINGS[0]; i++) {
        int theirs = ask_libpam(READINGS[i]), ours = read_it(READINGS[i]);

        if (ours != theirs)
            print_error("%s: libpam %d, teamctl %d\n", READINGS[i], theirs, ours);
        assert_int_equal(ours, theirs);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_are_placed_and_come_out_again),
        cmocka_unit_test(where_there_is_no_place_it_says_why),
        cmocka_unit_test(a_nul_byte_is_no_text),
        cmocka_unit_test(only_what_is_ours_is_taken_out),
        cmocka_unit_test(what_was_placed_in_any_file_comes_out_without_a_trace),
        cmocka_unit_test(lines_are_placed_where_the_examples_have_them),
        cmocka_unit_test(files_are_read_as_libpam_reads_them),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
