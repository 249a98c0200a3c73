/* What the tests of team.conf share: a directory of files that only root can write, and what
 * loading one of them says. */
#pragma once

#include "conf/config.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <team/text.h>
#include <unistd.h>

#include <cmocka.h>

#define SIZE(array) (sizeof(array) / sizeof(array)[0])

/* libconfig 1.5 loses the text of a string at which it finds a syntax error. Nothing of ours is
 * allocated there. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:strbuf_append\n";
}

/* ---- a directory of files, and what loading one of them says ----------------------------------
 */

static char dir[64]; /* root's, 0755 */

struct said {
    char text[64 * 1024];
    size_t len;
    unsigned errors, warnings;
};

static struct said said;

static inline void hear(void *ctx, bool warning, const char *line)
{
    struct said *to = ctx;
    size_t skip = strncmp(line, dir, strlen(dir)) == 0 ? strlen(dir) + 1 : 0;
    int n = snprintf(to->text + to->len, sizeof to->text - to->len, "%s%s%s", to->len ? "\n" : "",
                     warning ? "warning: " : "", line + skip);

    assert_true(text_is_plain(line, strlen(line)));
    assert_true(line[0] != '\0');
    if (n > 0 && (size_t)n < sizeof to->text - to->len)
        to->len += (size_t)n;
    *(warning ? &to->warnings : &to->errors) += 1;
}

static inline const char *in_dir(const char *name)
{
    static char path[4][512];
    static unsigned next;
    char *to = path[next++ % SIZE(path)];

    snprintf(to, sizeof path[0], "%s/%s", dir, name);
    return to;
}

static inline void write_bytes(const char *name, const void *text, size_t n)
{
    FILE *f = fopen(in_dir(name), "w");

    assert_non_null(f);
    assert_int_equal(fwrite(text, 1, n, f), n);
    assert_int_equal(fclose(f), 0);
}

static inline void write_text(const char *name, const char *text)
{
    write_bytes(name, text, strlen(text));
}

static inline int load_path(const char *path, struct config **ret)
{
    memset(&said, 0, sizeof said);
    return config_load(path, "node-1", hear, &said, ret);
}

static inline int load(const char *name, struct config **ret)
{
    return load_path(in_dir(name), ret);
}

/* Loads the text as team.conf, which has to work and say nothing. */
static inline struct config *load_good(const char *text)
{
    struct config *c = NULL;

    write_text("team.conf", text);
    if (load("team.conf", &c) != 0 || said.len > 0)
        fail_msg("not good: %s", said.text);
    return c;
}

static inline void expect_load(const char *name, int error, const char *says)
{
    struct config *c = NULL;

    assert_int_equal(load(name, &c), error);
    assert_string_equal(said.text, says);
    config_free(c);
}

static inline void forget(const char *name)
{
    unlink(in_dir(name));
    rmdir(in_dir(name));
}

static inline int set_up(void **state)
{
    (void)state;
    umask(022);
    snprintf(dir, sizeof dir, "/tmp/team-config-XXXXXX");
    return mkdtemp(dir) && chmod(dir, 0755) == 0 ? 0 : -1;
}

static inline int tear_down(void **state)
{
    (void)state;
    forget("team.conf");
    forget("part.conf");
    return rmdir(dir);
}

static inline void need_root(void)
{
    if (geteuid() != 0)
        skip();
}

/* `head`, then n times `each` with its number for every #, commas between, then `tail`. */
static inline void write_many(const char *head, const char *each, int n, const char *tail)
{
    FILE *f = fopen(in_dir("team.conf"), "w");

    assert_non_null(f);
    fputs(head, f);
    for (int i = 0; i < n; i++) {
        fputs(i ? "," : "", f);
        for (const char *c = each; *c; c++)
            *c == '#' ? fprintf(f, "%d", i) : fputc(*c, f);
    }
    fputs(tail, f);
    assert_int_equal(fclose(f), 0);
}

/* ---- texts ------------------------------------------------------------------------------------
 */

/* Policies of one line, to be completed. */
#define ELIGIBLE(more)  "eligibility = ( { name = \"e\"; " more " } );\n"
#define ALICE           "who = [\"alice\"]; "
#define SUDO            "targets = [\"host:*/sudo\"]; "
#define APPROVERS(more) "approvers = ( { name = \"a\"; " SUDO more " } );\n"
#define FREE            "approval_required = false; "

#define WHO_FORM "must be a user, @group or @idc:Group Name, without control characters"
#define WHO_MORE WHO_FORM ", blanks and any of :/,\"'\\*?"

/* DESIGN.md 6, word for word. */
static const char EXAMPLE[] =
    "settings: {\n"
    "  admins = [\"@team-admins\"];  auditors = [\"@security\"];        # a user, @unix-group, or "
    "@idc:Group Name\n"
    "  max_duration = \"9h\";  pending_expiry = \"3h\";\n"
    "  approval = true;  require_ticket = false;  ticket_pattern = \"^[A-Z][A-Z0-9]+-[0-9]+$\";  "
    "require_comment = true;\n"
    "};\n"
    "host: { name = \"bastion-1\"; };                                 # default: the node name\n"
    "gate: { exempt = ( { who = [\"ansible\"]; classes = [\"sudo\", \"ssh\"]; } );  classes = { "
    "login = [\"login\", \"cockpit\"]; }; };\n"
    "sessions: { warn = [\"5m\", \"1m\"];  grace = \"10s\";  cgroup = \"auto\"; };\n"
    "identity: { loginuid = \"require\";  aws_user = \"{user}\"; };     # require | check; how a "
    "local user is called in Identity Center\n"
    "eligibility = (\n"
    "  { name = \"sre\";  who = [\"alice\", \"@sre\"];  targets = [\"host:bastion-*/sudo\", "
    "\"aws:ou-ab12-11111111/AdministratorAccess\"];\n"
    "    max_duration = \"4h\";  approval_required = true;  ticket = \"CHG-1\"; }       # ticket: "
    "the change that made this policy, shown, never matched\n"
    ");\n"
    "approvers = (\n"
    "  { name = \"leads\";  who = [\"bob\", \"@sre-leads\"];  targets = [\"host:*/*\", "
    "\"aws:*/*\"];  requesters = [\"@sre\"];  quorum = 1;  mandatory = false; }\n"
    ");\n";

/* ---- the list of tests ------------------------------------------------------------------------
 */

enum { TESTS_MAX = 256 };

static struct CMUnitTest all[TESTS_MAX];
static size_t n_all;

/* A test for a row of a table. */
static inline void add(const char *says, CMUnitTestFunction test, const void *row)
{
    assert_true(n_all < TESTS_MAX);
    all[n_all++] = (struct CMUnitTest){
        .name = says, .test_func = test, .initial_state = (void *)(uintptr_t)row};
}

/* ---- texts that several tests have -------------------------------------------------------------
 */

#define T128                                                           \
    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef" \
    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

#define TRAIL             "arn:aws:logs:eu-central-1:111122223333:log-group:trail"
#define ACTIVITY(sources) "aws: { region = \"eu-west-1\"; activity = ( " sources " ); };"
#define EACH              "\"arn:aws:iam::{account}:role/team-activity\""
#define STORE             "\"12345678-90ab-cdef-1234-567890abcdef\""
