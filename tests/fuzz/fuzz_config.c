/* Any text as team.conf: it is taken whole and without complaint, or refused with a reason, and no
 * policy that was taken lets in whom it does not name.
 *
 * The files of one input are apart by a NUL: team.conf, and what it may include as part.conf. They
 * have to be root's.
 * LIBFUZZER: -max_len=1500 -detect_leaks=0 */
#include "fuzz/fuzz.h"

#include "conf/config.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <team/text.h>
#include <unistd.h>

/* libconfig 1.5 loses the text of a string at which it finds a syntax error; nothing of ours is
 * allocated there. libFuzzer would look at each of these for leaks and do little else, so that is
 * left to the end of the run. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:strbuf_append\nleak:libconfig_yylex\n";
}

static char dir[64], whole[96], part[96];
static unsigned errors;

static void remove_all(void)
{
    unlink(whole);
    unlink(part);
    rmdir(dir);
}

static void make_dir(void)
{
    if (dir[0] != '\0')
        return;
    snprintf(dir, sizeof dir, "/tmp/team-fuzz-XXXXXX");
    must(mkdtemp(dir) && chmod(dir, 0755) == 0, "there is a directory");
    snprintf(whole, sizeof whole, "%s/team.conf", dir);
    snprintf(part, sizeof part, "%s/part.conf", dir);
    atexit(remove_all);
}

static void write_file(const char *path, const uint8_t *text, size_t n)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

    must(fd >= 0 && write(fd, text, n) == (ssize_t)n, "a file can be written");
    close(fd);
}

static void hear(void *ctx, bool warning, const char *line)
{
    (void)ctx;
    must(line[0] != '\0' && text_is_plain(line, strlen(line)), "a complaint is one plain line");
    errors += !warning;
}

/* Somebody whom nobody knows gets nothing; whoever is allowed anything has it from one policy that
 * names them. */
static void look_at(const struct policy *p)
{
    static struct person who;
    struct target t = {.kind = TARGET_HOST, .what = "sudo"};
    struct eligible e;

    memcpy(t.place, p->host, sizeof t.place);
    who = (struct person){.uid = 1001};
    e = policy_eligible(p, NULL, &who, &t, 60);
    must(!e.covered && !e.allowed, "who is named nowhere is allowed nothing");
    for (int class = 0; class < p->n_classes; class ++)
        must(!policy_exempt(p, &who, class), "who is named nowhere is not exempt");
    for (size_t i = 0; i < p->n_principals; i++) {
        who = (struct person){.uid = 1001};
        principals_add(&who.is, i);
        e = policy_eligible(p, NULL, &who, &t, 60);
        must(!e.allowed || (e.by && principals_meet(&e.by->who, &who.is) && e.max_s >= 60 &&
                            e.max_s <= p->max_duration_s),
             "who is allowed is named by the policy that allows it");
    }
    must(policy_class(p, "no such service") == CLASS_NONE, "an unknown service is in no class");
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t len)
{
    const uint8_t *end = memchr(input, '\0', len);
    size_t n = end ? (size_t)(end - input) : len;
    struct config *c = NULL;
    int r;

    make_dir();
    write_file(whole, input, n);
    write_file(part, end ? end + 1 : input, end ? len - n - 1 : 0);
    errors = 0;
    r = config_load(whole, "node-1", hear, NULL, &c);
    must((r == 0) == (errors == 0) && (r == 0) == (c != NULL), "what is refused has a reason");
    if (c) {
        look_at(&c->policy);
        config_ticket_fits(c, "CHG-1");
    }
    config_free(c);
    return 0;
}
