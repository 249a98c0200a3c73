/* Plays a short story with a teamd whose nth call of one kind fails (fail.c), for one n after the
 * other until the story gets through without a failure; then with a healthy teamd on the same store
 * it looks whether anything was lost, opened or left open that should not have been.
 *
 *   torture BUILD DIR CALL ERRNO FIRST STEP [on]
 *
 * `on`: all calls after the nth fail, too. DIR is private and empty, with a team.conf: alice (2001)
 * may ask for sudo on this host for hours, bob (2002) approves, identity.loginuid = "check",
 * sessions.cgroup = "off", sessions.grace = "0s". Prints what is wrong, and at the end how many
 * runs and failures there were; exits 1 if anything was wrong. */
#include "torture/story.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <sys/stat.h>

static const char *build, *dir, *call;
static int error;
static bool on;
static unsigned n, runs, wrongs;

/* What the people of the story were told. */
static struct {
    struct said quick, work, approved, opened, extended, revoked, left;
    bool approve_sent, quick_approved, revoke_sent;
    pid_t leader;
} told;

__attribute__((format(printf, 1, 2))) static void wrong(const char *format, ...)
{
    va_list args;

    wrongs++;
    printf("# %s %s%d at %u: ", call, on ? "on " : "", error, n);
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    printf("\n");
    fflush(stdout);
}

static void path_of(char *out, size_t cap, const char *name)
{
    snprintf(out, cap, "%s/%s", dir, name);
}

/* ---- teamd ----------------------------------------------------------------------------------- */

static void set(const char *name, long value)
{
    char text[24];

    snprintf(text, sizeof text, "%ld", value);
    setenv(name, text, 1);
}

static void become_teamd(bool healthy)
{
    char program[128], config[128], state[128], log[128], tell[128], lib[128];
    int fd;

    snprintf(program, sizeof program, "%s/teamd", build);
    snprintf(lib, sizeof lib, "%s/tests/torture/fail.so", build);
    path_of(config, sizeof config, "team.conf");
    path_of(state, sizeof state, "state");
    path_of(log, sizeof log, "log");
    path_of(tell, sizeof tell, "tell");
    fd = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    dup2(fd, STDERR_FILENO);
    dup2(fd, STDOUT_FILENO);
    setenv("LD_PRELOAD", lib, 1);
    setenv("FAIL_CALL", call, 1);
    setenv("FAIL_TELL", tell, 1);
    setenv("FAIL_SPARE", "libconfig", 1); /* it does not look at what malloc returns: README */
    set("FAIL_NTH", healthy ? 0 : n);
    set("FAIL_ERRNO", error);
    if (on && !healthy)
        setenv("FAIL_ON", "1", 1);
    execl(program, "teamd", "--config", config, "--state-dir", state, "--runtime-dir", dir, NULL);
    _exit(127);
}

/* The pid, when it answers or is gone (then *ret_status is set). */
static pid_t start_teamd(bool healthy, bool *ret_up, int *ret_status)
{
    pid_t pid = fork();

    if (pid == 0)
        become_teamd(healthy);
    *ret_up = false;
    for (int64_t end = now_ms() + 10000; now_ms() < end; rest_ms(2)) {
        int fd;

        if (waitpid(pid, ret_status, WNOHANG) == pid)
            return -1;
        fd = dial(0, "control.sock");
        if (fd < 0)
            continue;
        close(fd);
        if (ask(0, ask_begin(TEAM_OP_STATUS)).code == TEAM_DONE) {
            *ret_up = true;
            return pid;
        }
    }
    return pid;
}

/* By TERM, as systemd does; its wait status. */
static int stop_teamd(pid_t pid)
{
    int status = 0;

    kill(pid, SIGTERM);
    for (int64_t end = now_ms() + 8000; now_ms() < end; rest_ms(2))
        if (waitpid(pid, &status, WNOHANG) == pid)
            return status;
    wrong("teamd does not stop");
    kill(pid, SIGKILL);
    waitpid(pid, &status, 0);
    return 0;
}

static void print_log(void)
{
    char command[256];

    snprintf(command, sizeof command, "tail -n 8 '%s/log' | cut -c1-200 | sed 's/^/#     /'", dir);
    fflush(stdout);
    if (system(command) != 0)
        printf("#     (no log)\n");
}

/* ---- what fail.so has told ------------------------------------------------------------------- */

struct report {
    bool failed, ended;
    char where[128]; /* who called what failed: FILE+OFFSET */
    unsigned long long calls;
    long long allocations;
    int descriptors;
};

static struct report take_report(void)
{
    struct report r = {.failed = false};
    char path[128], line[128];
    FILE *f;

    path_of(path, sizeof path, "tell");
    f = fopen(path, "r");
    while (f && fgets(line, sizeof line, f)) {
        if (sscanf(line, "failed %*d %127s", r.where) == 1)
            r.failed = true;
        if (sscanf(line, "end %llu %lld %d", &r.calls, &r.allocations, &r.descriptors) == 3)
            r.ended = true;
    }
    if (f)
        fclose(f);
    if (truncate(path, 0) < 0)
        exit(2);
    return r;
}

/* An end by a signal is a crash, whatever caused it. Only before teamd is ready the C library may
 * do it, which does not look at what malloc returns where it reads the user database. */
static void check_status(int status, bool up, const struct report *r)
{
    if (WIFEXITED(status) && WEXITSTATUS(status) != 127)
        return;
    if (!up && strstr(r->where, "/libc.so"))
        return;
    wrong("teamd ended with signal %d, for want of what %s called for", WTERMSIG(status), r->where);
}

/* ---- the story ------------------------------------------------------------------------------- */

static void expect_answer(const char *what, const struct said *s)
{
    if (s->code == HUNG)
        wrong("%s: no answer within %d s", what, PATIENCE_S);
}

/* No yes before anybody was asked to approve, and none after a revoke that was answered. */
static void gate_says(bool may, const char *when)
{
    struct said s = ask_gate(TEAM_OP_ACCOUNT);

    expect_answer("account", &s);
    if (s.code == TEAM_DONE && !may)
        wrong("the gate says yes %s", when);
}

static void play(void)
{
    memset(&told, 0, sizeof told);
    told.quick.code = told.work.code = NO_ANSWER;
    gate_says(false, "to somebody who has not asked");
    told.quick = ask_request(1);
    expect_answer("request", &told.quick);
    told.work = ask_request(3600);
    expect_answer("request", &told.work);
    gate_says(false, "before anybody approved");
    if (told.quick.id[0]) {
        told.quick_approved = true;
        told.approved = ask_about(BOB, TEAM_OP_DECIDE, told.quick.id);
        expect_answer("approve", &told.approved);
    }
    told.approved.code = told.opened.code = told.extended.code = told.revoked.code = NO_ANSWER;
    if (told.work.id[0]) {
        told.approve_sent = true;
        told.approved = ask_about(BOB, TEAM_OP_DECIDE, told.work.id);
        expect_answer("approve", &told.approved);
    }
    gate_says(told.approve_sent || told.quick_approved, "and nobody approved");
    told.leader = leader(&told.opened);
    expect_answer("open", &told.opened);
    if (told.opened.code == TEAM_DONE && !told.approve_sent && !told.quick_approved)
        wrong("a session was opened that nobody approved");
    if (told.work.id[0]) {
        struct said s = ask_about(ALICE, TEAM_OP_SHOW, told.work.id);

        expect_answer("show", &s);
        told.extended = ask_about(ALICE, TEAM_OP_EXTEND, told.work.id);
        expect_answer("extend", &told.extended);
    }
    told.left = ask_request(7200);
    expect_answer("request", &told.left);
    for (unsigned i = 0; i < 4; i++) {
        static const unsigned READS[] = {TEAM_OP_LIST, TEAM_OP_AUDIT, TEAM_OP_TARGETS,
                                         TEAM_OP_PENDING};
        struct said s = ask_rows(BOB, "control.sock", ask_begin(READS[i]), NULL, NULL);

        expect_answer("a question", &s);
    }
    {
        struct said s = ask(0, ask_begin(TEAM_OP_RELOAD));

        expect_answer("reload", &s);
    }
    if (told.work.id[0]) {
        told.revoke_sent = true;
        told.revoked = ask_about(ALICE, TEAM_OP_REVOKE, told.work.id);
        expect_answer("revoke", &told.revoked);
    }
}

/* The teamd that revoked has to end what it let in, unless it gives up itself: is it alive? */
static bool check_revoked(pid_t teamd, int *ret_status)
{
    bool wants = told.revoked.code == TEAM_DONE && told.opened.code == TEAM_DONE;

    for (int64_t end = now_ms() + 4000; wants && now_ms() < end;) {
        if (waitpid(teamd, ret_status, WNOHANG) == teamd)
            return false;
        if (gone_within(told.leader, 20)) {
            told.leader = -1;
            return true;
        }
    }
    if (wants)
        wrong("a session's leader outlives a revoke");
    return true;
}

/* ---- what is in the store afterwards --------------------------------------------------------- */

struct found {
    char state[17];
    bool there, approved;
};

struct looking {
    const char *id;
    struct found found;
    unsigned active_without;
    bool session;
};

static bool is_by_bob(struct wire_span decision)
{
    struct wire_span by = wire_find(decision, TEAM_BY), what = wire_find(decision, TEAM_DECISION);

    return by.len == 3 && memcmp(by.at, "bob", 3) == 0 && what.len == 8 &&
           memcmp(what.at, "approved", 8) == 0;
}

static void look_at_row(void *ctx, unsigned kind, struct wire_span row)
{
    struct looking *l = ctx;
    struct found f = {.there = true};
    char id[TEXT_ID_LEN + 1];
    uint64_t session;

    if (kind == TEAM_ROW_SESSION) {
        l->session = l->session ||
                     (wire_find_u64(row, TEAM_SESSION, &session) && session == told.opened.session);
        return;
    }
    wire_copy(row, TEAM_ID, id, sizeof id);
    wire_copy(row, TEAM_STATE, f.state, sizeof f.state);
    for (struct wire_span rest = row, v; v = wire_each(&rest, TEAM_DECISION_MADE), v.at;)
        f.approved = f.approved || is_by_bob(v);
    if (strcmp(f.state, "active") == 0 && !f.approved)
        l->active_without++;
    if (l->id && strcmp(id, l->id) == 0)
        l->found = f;
}

static struct looking look(const char *id)
{
    struct looking l = {.id = id};
    struct wire_out w = ask_begin(id ? TEAM_OP_SHOW : TEAM_OP_LIST);
    struct said s;

    if (id)
        wire_put(&w, TEAM_ID, id);
    s = ask_rows(0, "control.sock", w, look_at_row, &l);
    if (s.code != TEAM_DONE && s.code != TEAM_NOT_FOUND)
        wrong("the store cannot be read afterwards: %u %s", s.code, s.text);
    return l;
}

struct chain {
    uint64_t seq;
    char hash[65];
};

static void link_event(void *ctx, unsigned kind, struct wire_span row)
{
    struct chain *c = ctx;
    char prev[65], hash[65];
    uint64_t seq = 0;

    (void)kind;
    wire_find_u64(row, TEAM_SEQ, &seq);
    wire_copy(row, TEAM_PREV, prev, sizeof prev);
    wire_copy(row, TEAM_HASH, hash, sizeof hash);
    if (seq != c->seq + 1 || strcmp(prev, c->hash) != 0)
        wrong("the trail is broken at event %llu", (unsigned long long)seq);
    c->seq = seq;
    memcpy(c->hash, hash, sizeof hash);
}

static void check_kept(const char *what, const struct said *s)
{
    if (s->code == TEAM_DONE && !look(s->id).found.there)
        wrong("%s was answered with %s, and is lost", what, s->id);
}

static void check_store(void)
{
    struct chain c = {.seq = 0};
    struct looking l;

    memset(c.hash, '0', 64);
    ask_rows(0, "control.sock", ask_begin(TEAM_OP_AUDIT), link_event, &c);
    check_kept("a request", &told.quick);
    check_kept("a request", &told.work);
    check_kept("a request", &told.left);
    if (told.work.id[0]) {
        l = look(told.work.id);
        if (told.approved.code == TEAM_DONE && !l.found.approved)
            wrong("an approval was answered, and is lost");
        if (told.revoked.code == TEAM_DONE && strcmp(l.found.state, "revoked") != 0 &&
            strcmp(l.found.state, "ending") != 0)
            wrong("a revoke was answered, and the request is %s", l.found.state);
        if (told.opened.code == TEAM_DONE && !l.session && !look(told.quick.id).session)
            wrong("a session was opened, and is not recorded");
    }
    if (look(NULL).active_without > 0)
        wrong("a request is active that nobody approved");
}

/* Everything ends: what may still be active is revoked, and then nothing is left of anything. */
static void check_ends(void)
{
    const char *ids[] = {told.quick.id, told.work.id, told.left.id};

    for (unsigned i = 0; i < 3; i++) {
        struct looking l;

        if (!ids[i][0])
            continue;
        if (i > 0)
            ask_about(ALICE, TEAM_OP_REVOKE, ids[i]);
        for (int64_t end = now_ms() + 5000; now_ms() < end; rest_ms(5)) {
            l = look(ids[i]);
            if (strcmp(l.found.state, "active") != 0 && strcmp(l.found.state, "ending") != 0)
                break;
        }
        if (strcmp(l.found.state, "active") == 0 || strcmp(l.found.state, "ending") == 0)
            wrong("%s is still %s", ids[i], l.found.state);
    }
    gate_says(false, "when all is over");
    if (told.leader < 0)
        return;
    if (told.opened.code == TEAM_DONE && !gone_within(told.leader, 3000))
        wrong("a session's leader outlives its elevation");
    else if (told.opened.code != TEAM_DONE)
        kill(told.leader, SIGKILL);
    waitpid(told.leader, NULL, WNOHANG);
}

/* ---- one run --------------------------------------------------------------------------------- */

static void clear_dir(void)
{
    static const char *const FILES[] = {"state/store/data.mdb",
                                        "state/store/lock.mdb",
                                        "state/store",
                                        "state/lock",
                                        "state",
                                        "log",
                                        "gate.sock",
                                        "control.sock"};
    char path[128];
    int fd;

    for (size_t i = 0; i < sizeof FILES / sizeof FILES[0]; i++) {
        path_of(path, sizeof path, FILES[i]);
        remove(path);
    }
    path_of(path, sizeof path, "tell");
    fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    fchmod(fd, 0666);
    close(fd);
}

static long long allocations_at_best; /* of a teamd that nothing has happened to */
static int descriptors_at_best;

static void check_leaks(const struct report *r)
{
    if (r->allocations > allocations_at_best)
        wrong("%lld allocations were never freed, %lld in a good run, since %s failed",
              r->allocations, allocations_at_best, r->where);
    if (r->descriptors > descriptors_at_best)
        wrong("%d descriptors were never closed, %d in a good run, since %s failed", r->descriptors,
              descriptors_at_best, r->where);
}

/* True if a call has failed. */
static bool run(bool healthy)
{
    unsigned before = wrongs;
    struct report r;
    int status = 0;
    bool up;
    pid_t pid;

    clear_dir();
    pid = start_teamd(healthy, &up, &status);
    if (pid > 0 && !up)
        wrong("teamd neither answers nor ends");
    play();
    if (pid > 0 && waitpid(pid, &status, WNOHANG) == 0 && check_revoked(pid, &status)) {
        rest_ms(50); /* who was hung up on may yet be looked up: that would be dropped */
        status = stop_teamd(pid);
    }
    r = take_report();
    check_status(status, up, &r);
    if (healthy) {
        allocations_at_best = r.allocations;
        descriptors_at_best = r.descriptors;
    }
    if (r.ended && status == 0) /* who gives up leaves it to the kernel */
        check_leaks(&r);
    pid = start_teamd(true, &up, &status);
    if (!up) {
        wrong("teamd does not come back");
    } else {
        check_store();
        check_ends();
        status = stop_teamd(pid);
        if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
            wrong("the teamd after it ends with %#x", (unsigned)status);
    }
    if (told.leader > 0) {
        kill(told.leader, SIGKILL);
        waitpid(told.leader, NULL, 0);
    }
    if (wrongs > before)
        print_log();
    return r.failed;
}

int main(int argc, char **argv)
{
    bool failed = true;

    if (argc < 7)
        return 2;
    build = argv[1];
    dir = argv[2];
    call = argv[3];
    error = (int)strtol(argv[4], NULL, 10);
    on = argc > 7;
    snprintf(story_dir, sizeof story_dir, "%s", dir);
    if (run(true))
        return 2;
    for (n = (unsigned)strtoul(argv[5], NULL, 10); failed;
         n += (unsigned)strtoul(argv[6], NULL, 10)) {
        failed = run(false);
        runs += failed;
    }
    if (runs == 0)
        wrong("nothing ever failed");
    printf("%s %s%d: %u failures, %u wrong\n", call, on ? "on " : "", error, runs, wrongs);
    return wrongs > 0;
}
