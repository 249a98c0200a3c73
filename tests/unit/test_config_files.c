/* team.conf as files: nobody but root can have written them, includes keep their lines, and no
 * garbage gets further than an error. */
#include "unit/config_rig.h"

/* ---- files ------------------------------------------------------------------------------------
 */

#define GOOD ELIGIBLE(ALICE SUDO FREE)

/* What is there instead of a good team.conf. `part` is another name in the directory. */
static void is_missing(const char *at, const char *part)
{
    (void)part;
    unlink(at);
}

static void is_a_directory(const char *at, const char *part)
{
    (void)part;
    unlink(at);
    assert_int_equal(mkdir(at, 0755), 0);
}

static void is_a_fifo(const char *at, const char *part)
{
    (void)part;
    unlink(at);
    assert_int_equal(mkfifo(at, 0644), 0);
}

static void is_somebody_elses(const char *at, const char *part)
{
    (void)part;
    assert_int_equal(chown(at, 1000, 0), 0);
}

static void is_group_writable(const char *at, const char *part)
{
    (void)part;
    assert_int_equal(chmod(at, 0664), 0);
}

static void is_world_writable(const char *at, const char *part)
{
    (void)part;
    assert_int_equal(chmod(at, 0646), 0);
}

static void is_somebodys_link(const char *at, const char *part)
{
    assert_int_equal(rename(at, part), 0);
    assert_int_equal(symlink(part, at), 0);
    assert_int_equal(lchown(at, 1000, 1000), 0);
}

static void is_a_link_to_somebody_elses(const char *at, const char *part)
{
    assert_int_equal(rename(at, part), 0);
    assert_int_equal(symlink(strrchr(part, '/') + 1, at), 0);
    assert_int_equal(chown(part, 1000, 0), 0);
}

static void is_a_link_to_itself(const char *at, const char *part)
{
    (void)part;
    unlink(at);
    assert_int_equal(symlink(strrchr(at, '/') + 1, at), 0);
}

static void is_a_device(const char *at, const char *part)
{
    (void)part;
    unlink(at);
    assert_int_equal(symlink("/dev/null", at), 0);
}

static const struct bad_file {
    const char *says;
    void (*make)(const char *at, const char *part);
    int error;
    const char *expect; /* after the directory's name */
} BAD_FILES[] = {
    {"a file that does not exist is -ENOENT", is_missing, -ENOENT, "team.conf does not exist"},
    {"a directory is no configuration", is_a_directory, -EISDIR,
     "team.conf is a directory, not a file"},
    {"a fifo is no configuration, and is not waited for", is_a_fifo, -EINVAL,
     "team.conf is not a regular file"},
    {"a file of another user is -EPERM", is_somebody_elses, -EPERM,
     "team.conf belongs to uid 1000; it must belong to root"},
    {"a file that its group can write is -EPERM", is_group_writable, -EPERM,
     "team.conf can be written by others than root (mode 0664); chmod go-w"},
    {"a file that the world can write is -EPERM", is_world_writable, -EPERM,
     "team.conf can be written by others than root (mode 0646); chmod go-w"},
    {"another user's link to root's file is -EPERM", is_somebodys_link, -EPERM,
     "team.conf belongs to uid 1000; it must belong to root"},
    {"root's link to another user's file is -EPERM", is_a_link_to_somebody_elses, -EPERM,
     "part.conf belongs to uid 1000; it must belong to root"},
    {"a link to itself ends", is_a_link_to_itself, -ELOOP, "team.conf: too many links"},
};

static void bad_file_is_refused(void **state)
{
    const struct bad_file *b = *state;

    need_root();
    write_text("team.conf", GOOD);
    b->make(in_dir("team.conf"), in_dir("part.conf"));
    expect_load("team.conf", b->error, b->expect);
    forget("team.conf");
    forget("part.conf");
}

static void bad_include_is_refused(void **state)
{
    const struct bad_file *b = *state;
    char expect[512];

    need_root();
    write_text("part.conf", GOOD);
    write_text("team.conf", "\n@include \"part.conf\"\n");
    b->make(in_dir("part.conf"), in_dir("other.conf"));
    snprintf(expect, sizeof expect, "team.conf:2: %s/", dir);
    assert_int_equal(load("team.conf", &(struct config *){NULL}),
                     b->error == -EPERM ? -EPERM : -EINVAL);
    assert_memory_equal(said.text, expect, strlen(expect));
    assert_int_equal(said.errors, 1);
    forget("part.conf");
    forget("other.conf");
}

static void devices_are_not_opened(void **state)
{
    (void)state;
    need_root();
    is_a_device(in_dir("team.conf"), "");
    assert_int_not_equal(load("team.conf", &(struct config *){NULL}), 0);
    assert_non_null(strstr(said.text, "/dev"));
    forget("team.conf");
}

static void links_of_root_are_followed(void **state)
{
    struct config *c = NULL;

    (void)state;
    need_root();
    forget("team.conf");
    write_text("part.conf", GOOD);
    assert_int_equal(symlink("./part.conf", in_dir("team.conf")), 0);
    assert_int_equal(load("team.conf", &c), 0);
    c = config_free(c);
    forget("team.conf");
    assert_int_equal(symlink(in_dir("part.conf"), in_dir("team.conf")), 0);
    assert_int_equal(load("team.conf", &c), 0);
    assert_string_equal(said.text, "");
    config_free(c);
    forget("team.conf");
    forget("part.conf");
}

static void directory_of_another_user_is_refused(void **state)
{
    static const struct {
        uid_t owner;
        mode_t mode;
        int error;
    } ROWS[] = {{1000, 0755, -EPERM},  {0, 0775, -EPERM}, {0, 0757, -EPERM},
                {1000, 01777, -EPERM}, {0, 01777, 0},     {0, 0700, 0}};

    (void)state;
    need_root();
    assert_int_equal(mkdir(in_dir("sub"), 0755), 0);
    write_text("sub/team.conf", GOOD);
    for (size_t i = 0; i < SIZE(ROWS); i++) {
        struct config *c = NULL;

        assert_int_equal(chown(in_dir("sub"), ROWS[i].owner, 0), 0);
        assert_int_equal(chmod(in_dir("sub"), ROWS[i].mode), 0);
        assert_int_equal(load("sub/team.conf", &c), ROWS[i].error);
        if (ROWS[i].error < 0)
            assert_memory_equal(said.text, "sub ", 4);
        config_free(c);
    }
    forget("sub/team.conf");
    forget("sub");
}

static void unreadable_file_is_eacces(void **state)
{
    int error;

    (void)state;
    need_root();
    write_text("team.conf", GOOD);
    assert_int_equal(chmod(in_dir("team.conf"), 0600), 0);
    assert_int_equal(seteuid(65534), 0);
    error = load("team.conf", &(struct config *){NULL});
    assert_int_equal(seteuid(0), 0);
    assert_int_equal(error, -EACCES);
    assert_string_equal(said.text, "team.conf: Permission denied");
    forget("team.conf");
}

static void relative_names_work(void **state)
{
    struct config *c = NULL;
    int here = open(".", O_PATH | O_CLOEXEC), plain, dotted;

    (void)state;
    need_root();
    write_text("team.conf", "@include \"part.conf\"\n");
    write_text("part.conf", GOOD);
    assert_int_equal(chdir(dir), 0);
    plain = load_path("team.conf", &c);
    c = config_free(c);
    dotted = load_path(".././././/tmp/../tmp/x/../team.conf", &c);
    c = config_free(c);
    assert_int_equal(fchdir(here), 0);
    close(here);
    assert_int_equal(plain, 0);
    assert_int_equal(dotted, -ENOENT);
    assert_int_equal(load_path("", &c), -EISDIR);
    assert_int_equal(load_path("/", &c), -EISDIR);
    forget("part.conf");
}

static void size_has_a_limit(void **state)
{
    size_t most = 1 << 20;
    char *text = malloc(most + 1);
    struct config *c = NULL;

    (void)state;
    need_root();
    assert_non_null(text);
    memset(text, '#', most + 1);
    write_bytes("team.conf", text, most);
    assert_int_equal(load("team.conf", &c), 0);
    c = config_free(c);
    write_bytes("team.conf", text, most + 1);
    assert_int_equal(load("team.conf", &c), -EINVAL);
    assert_string_equal(said.text, "team.conf: all files together are larger than 1048576 bytes");
    /* the include and what it includes count together */
    write_bytes("part.conf", text, most - 10);
    write_text("team.conf", "@include \"part.conf\"\n");
    assert_int_equal(load("team.conf", &c), -EINVAL);
    assert_non_null(strstr(said.text, "part.conf: all files together are larger"));
    free(text);
    forget("part.conf");
}

static void nul_byte_is_refused(void **state)
{
    static const char TEXT[] = GOOD "\0host: { name = \"x\"; };";

    (void)state;
    need_root();
    write_bytes("team.conf", TEXT, sizeof TEXT);
    assert_int_equal(load("team.conf", &(struct config *){NULL}), -EINVAL);
    assert_string_equal(said.text, "team.conf: a text file cannot hold a NUL byte");
}

/* ---- includes ---------------------------------------------------------------------------------
 */

static const struct included {
    const char *says, *team, *part, *other, *expect;
} INCLUDES[] = {
    {"an included file is part of the text", "@include \"part.conf\"\n", GOOD, "", ""},
    {"an include may stand inside a list", "eligibility = (\n\t @include\t \"part.conf\"\n);\n",
     "{ name = \"e\"; " ALICE SUDO FREE "}", "", ""},
    {"an included file may include", "@include \"part.conf\"", "@include \"other.conf\"", GOOD, ""},
    {"a mistake in an included file is named there", "@include \"part.conf\"\nhost: { name = 1; };",
     "# x\n" GOOD "settings: { x = 1; }", "",
     "part.conf:3: settings.x 1: unknown key; here may be: admins, auditors, max_duration, "
     "pending_expiry, approval, require_ticket, ticket_pattern, require_comment, "
     "notify_terminals\n"
     "team.conf:2: host.name 1: must be a text in double quotes"},
    {"lines after an include are right", "\n\n@include \"part.conf\" # why\nhost: { name = 1; };",
     GOOD "\n\n", "", "team.conf:4: host.name 1: must be a text in double quotes"},
    {"lines of an include in an include are right", "\n@include \"part.conf\"\nsessions: 1;",
     "\n\n@include \"other.conf\"\nhost: 1;", "\nidentity: 1;",
     "part.conf:4: host 1: must be a group, as in { key = value; }\n"
     "other.conf:2: identity 1: must be a group, as in { key = value; }\n"
     "team.conf:3: sessions 1: must be a group, as in { key = value; }"},
    {"a syntax error in an included file is named there", "\n@include \"part.conf\"\n", "a =\n= 1;",
     "", "part.conf:2: syntax error"},
    {"an include in a comment is none", "# x\n/*\n@include \"none\"\n*/\n//\n" GOOD, "", "", ""},
    {"an include in a text is none",
     "eligibility = ( { name = \"e\"; " SUDO FREE
     "who = [\"a\n@include \\\"part.conf\\\"\n\"]; } );",
     GOOD, "", "team.conf:1: eligibility[0].who[0] \"a?@include \"part.conf\"?\": " WHO_MORE},
    {"an include that does not begin its line is an error", "host: {}; @include \"part.conf\"\n",
     GOOD, "", "team.conf:1: syntax error"},
    {"an include without a name is an error", "@include \"\"\n", "", "",
     "team.conf:1: @include takes the name of a file, without backslashes"},
    {"an include with a backslash is an error", "@include \"part\\.conf\"\n", "", "",
     "team.conf:1: @include takes the name of a file, without backslashes"},
    {"an include with a line end in it is not even tried", "@include \"a\nb\"\n", "", "",
     "team.conf:2: cannot open include file"},
    {"a text cannot begin in one file and end in another",
     "eligibility = ( { name = \"\n@include \"part.conf\"\n", "\"; } );", "",
     "team.conf:2: the string that begins here does not end in this file"},
    {"a comment cannot leave its file", "@include \"part.conf\"\n" GOOD, "/*", "",
     "part.conf:1: the comment that begins here does not end in this file"},
};

static void include_works(void **state)
{
    const struct included *i = *state;
    struct config *c = NULL;

    need_root();
    write_text("part.conf", i->part);
    write_text("other.conf", i->other);
    write_text("team.conf", i->team);
    assert_int_equal(load("team.conf", &c), i->expect[0] ? -EINVAL : 0);
    if (strncmp(said.text, dir, strlen(dir)) == 0)
        memmove(said.text, said.text + strlen(dir) + 1, strlen(said.text) - strlen(dir));
    assert_string_equal(said.text, i->expect);
    config_free(c);
    forget("part.conf");
    forget("other.conf");
}

static void includes_end(void **state)
{
    (void)state;
    need_root();
    write_text("team.conf", "@include \"team.conf\"\n@include \"team.conf\"\n");
    assert_int_equal(load("team.conf", &(struct config *){NULL}), -EINVAL);
    assert_non_null(strstr(said.text, "too many files, or a file that includes itself"));
    write_text("part.conf", "# x");
    write_many("#", "\n@include \"part.conf\" /*#*/", 63, "\n");
    assert_int_equal(load("team.conf", &(struct config *){NULL}), -EINVAL);
    forget("part.conf");
}

static void missing_includes_are_all_named(void **state)
{
    (void)state;
    need_root();
    write_many("", "\n@include \"none#\" //", 200, "\n");
    assert_int_equal(load("team.conf", &(struct config *){NULL}), -EINVAL);
    assert_int_equal(said.errors, 200);
    assert_non_null(strstr(said.text, "team.conf:201: "));
}

/* ---- garbage ----------------------------------------------------------------------------------
 */

static uint64_t seed = 20240601;

static uint32_t dice(uint32_t sides)
{
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(seed >> 33) % sides;
}

/* Either it is good, or it is an error that is told. */
static void survives(const void *text, size_t n)
{
    struct config *c = NULL;
    int r;

    write_bytes("team.conf", text, n);
    r = load("team.conf", &c);
    assert_true(r == 0 || r == -EINVAL);
    assert_int_equal(r == 0, said.errors == 0);
    assert_int_equal(r == 0, c != NULL);
    config_free(c);
}

static void every_beginning_of_the_example_survives(void **state)
{
    (void)state;
    need_root();
    for (size_t n = 0; n < sizeof EXAMPLE; n++)
        survives(EXAMPLE, n);
}

static void every_mutation_of_the_example_survives(void **state)
{
    static const char SPICE[] = "\"\"{}()[];,:=#/*\\@\n\t 01x.-*~\0\x80\xff";

    (void)state;
    need_root();
    for (int round = 0; round < 6000; round++) {
        char text[sizeof EXAMPLE];
        size_t n = sizeof EXAMPLE - 1;

        memcpy(text, EXAMPLE, sizeof text);
        for (uint32_t i = 0; i < 1 + (uint32_t)round % 4; i++) {
            uint32_t at = dice((uint32_t)n);

            switch (dice(4)) {
            case 0:
                text[at] = (char)(text[at] ^ 1 << dice(8));
                break;
            case 1:
                text[at] = SPICE[dice(sizeof SPICE)];
                break;
            case 2:
                text[at] = (char)dice(256);
                break;
            default:
                memmove(text + at, text + at + 1, n - at - 1);
                n--;
            }
        }
        survives(text, n);
    }
}

static void deep_nesting_survives(void **state)
{
    static const char *const OPEN[] = {"(", "{a=", "[", "{a:{", "@include \"team.conf\"\n", "/*"};
    static char text[600 * 1024];

    (void)state;
    need_root();
    for (size_t i = 0; i < SIZE(OPEN); i++) {
        size_t n = strlen(OPEN[i]), at = 2;

        memcpy(text, "a=", 2);
        for (; at + n < (i == 4 ? 4096 : sizeof text); at += n)
            memcpy(text + at, OPEN[i], n);
        survives(text, at);
    }
}

/* ---- all of it --------------------------------------------------------------------------------
 */

/* The kernel knows a process's cgroup by one name; another one would find nobody in it. */
static void a_cgroup_is_given_by_its_own_name(void **state)
{
    static const char *const GOOD_NAMES[] = {"place", "place/", "nothing-yet"};
    char text[1200], says[1200];
    struct config *c = NULL;

    (void)state;
    need_root();
    assert_int_equal(mkdir(in_dir("place"), 0755), 0);
    assert_int_equal(symlink("place", in_dir("link")), 0);
    snprintf(text, sizeof text, "sessions: {\n cgroup = \"%s\"; };", in_dir("link"));
    write_text("team.conf", text);
    snprintf(says, sizeof says,
             "team.conf:2: sessions.cgroup \"%s\": is a link to %s, and has to be given as that",
             in_dir("link"), in_dir("place"));
    expect_load("team.conf", -EINVAL, says);
    for (size_t i = 0; i < SIZE(GOOD_NAMES); i++) {
        snprintf(text, sizeof text, "sessions: { cgroup = \"%s\"; };", in_dir(GOOD_NAMES[i]));
        write_text("team.conf", text);
        assert_int_equal(load("team.conf", &c), 0);
        c = config_free(c);
    }
    forget("link");
    forget("place");
}

static const struct CMUnitTest TESTS[] = {
    {"a device is not opened", devices_are_not_opened, NULL, NULL, NULL},
    {"root's links to root's files are followed", links_of_root_are_followed, NULL, NULL, NULL},
    {"a directory in which others could swap the file is refused",
     directory_of_another_user_is_refused, NULL, NULL, NULL},
    {"a cgroup is given by its own name", a_cgroup_is_given_by_its_own_name, NULL, NULL, NULL},
    {"a file that may not be read is -EACCES", unreadable_file_is_eacces, NULL, NULL, NULL},
    {"relative names are looked up from here, includes from team.conf", relative_names_work, NULL,
     NULL, NULL},
    {"more than 1 MiB is refused, includes counted", size_has_a_limit, NULL, NULL, NULL},
    {"a NUL byte is refused", nul_byte_is_refused, NULL, NULL, NULL},
    {"a file that includes itself is refused", includes_end, NULL, NULL, NULL},
    {"all missing includes are named", missing_includes_are_all_named, NULL, NULL, NULL},
    {"every beginning of the example is good or refused", every_beginning_of_the_example_survives,
     NULL, NULL, NULL},
    {"every mutation of the example is good or refused", every_mutation_of_the_example_survives,
     NULL, NULL, NULL},
    {"deep nesting is refused", deep_nesting_survives, NULL, NULL, NULL},
};

int main(void)
{
    static char names[SIZE(BAD_FILES)][128];

    for (size_t i = 0; i < SIZE(BAD_FILES); i++) {
        add(BAD_FILES[i].says, bad_file_is_refused, &BAD_FILES[i]);
        snprintf(names[i], sizeof names[i], "included: %s", BAD_FILES[i].says);
        add(names[i], bad_include_is_refused, &BAD_FILES[i]);
    }
    for (size_t i = 0; i < SIZE(INCLUDES); i++)
        add(INCLUDES[i].says, include_works, &INCLUDES[i]);
    for (size_t i = 0; i < SIZE(TESTS); i++)
        all[n_all++] = TESTS[i];
    return _cmocka_run_group_tests("config files", all, n_all, set_up, tear_down);
}
