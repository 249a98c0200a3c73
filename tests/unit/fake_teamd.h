/* A teamd that says what a test wrote down, and a teamctl that talks to it. Messages are written as
 * text, both ways:
 *
 *     ROWS REQUEST {ID=K7QF2M9X REQUESTER=alice TARGET{TARGET_NAME=host:b/sudo STATE=open}}
 *     ANSWER CODE=0 TEXT='waiting for bob'
 *
 * Values are not checked on the way out: what a broken or hostile teamd would send can be written
 * too. */
#pragma once

#include <team/wire.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pty.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

/* ---- messages as text -------------------------------------------------------------------------
 */

static const char *const FAKE_FIELDS[TEAM_TAG_END] = {
#define X(name, tag, max, class, times) [tag] = #name,
    TEAM_FIELDS(X)
#undef X
};

static const char *const FAKE_OPS[] = {
    [TEAM_OP_REQUEST] = "REQUEST",     [TEAM_OP_DECIDE] = "DECIDE",
    [TEAM_OP_CANCEL] = "CANCEL",       [TEAM_OP_REVOKE] = "REVOKE",
    [TEAM_OP_EXTEND] = "EXTEND",       [TEAM_OP_RELOAD] = "RELOAD",
    [TEAM_OP_LIST] = "LIST",           [TEAM_OP_PENDING] = "PENDING",
    [TEAM_OP_SHOW] = "SHOW",           [TEAM_OP_TARGETS] = "TARGETS",
    [TEAM_OP_AUDIT] = "AUDIT",         [TEAM_OP_WHY] = "WHY",
    [TEAM_OP_WAIT] = "WAIT",           [TEAM_OP_STATUS] = "STATUS",
    [TEAM_OP_SESSIONS] = "SESSIONS",   [TEAM_OP_BACKUP] = "BACKUP",
    [TEAM_OP_WATCH] = "WATCH",         [TEAM_OP_REFRESH] = "REFRESH",
    [TEAM_OP_RECONCILE] = "RECONCILE", [TEAM_OP_DRIFT] = "DRIFT",
    [TEAM_OP_LOGS] = "LOGS",           [TEAM_OP_SEARCH] = "SEARCH",
};

static const char *const FAKE_ROWS[] = {
    [TEAM_ROW_REQUEST] = "REQUEST",     [TEAM_ROW_SESSION] = "SESSION",
    [TEAM_ROW_TARGET] = "TARGET",       [TEAM_ROW_EVENT] = "EVENT",
    [TEAM_ROW_FINDING] = "FINDING",     [TEAM_ROW_STATUS] = "STATUS",
    [TEAM_ROW_DRIFT] = "DRIFT",         [TEAM_ROW_ACTIVITY] = "ACTIVITY",
    [TEAM_ROW_COLLECTED] = "COLLECTED",
};

static inline unsigned fake_find(const char *const names[], size_t n, const char *s, size_t len)
{
    for (size_t i = 0; i < n; i++)
        if (names[i] && strlen(names[i]) == len && strncmp(names[i], s, len) == 0)
            return (unsigned)i;
    fprintf(stderr, "fake teamd: what is %.*s?\n", (int)len, s);
    abort();
}

static inline const char *fake_value(const char *s, char *out, size_t *ret_len)
{
    size_t len;

    if (*s == '\'') {
        s++;
        len = strcspn(s, "'");
    } else {
        len = strcspn(s, " }\n");
    }
    memcpy(out, s, len);
    *ret_len = len;
    return s + len + (s[len] == '\'');
}

/* Writes the fields that s lists up to its end or a '}'. */
static inline const char *fake_fields(const char *s, char *out, size_t *len, unsigned *count)
{
    *count = 0;
    while (s += strspn(s, " \n"), *s != '\0' && *s != '}') {
        size_t name = strcspn(s, "={"), at = *len + 4, n = 0;
        unsigned tag = name == 0 ? (unsigned)TEAM_ROW
                                 : fake_find(FAKE_FIELDS, TEAM_TAG_END, s, name);
        unsigned inner;

        s += name;
        if (*s++ == '{') {
            *len = at;
            s = fake_fields(s, out, len, &inner) + 1;
            n = *len - at;
        } else {
            s = fake_value(s, out + at, &n);
            *len = at + n;
        }
        wire_store_u16(out + at - 4, tag);
        wire_store_u16(out + at - 2, n);
        ++*count;
    }
    return s;
}

/* "ROWS TYPE fields", "ANSWER fields" for `op`, or "RAW bytes". (And "HANG" says nothing more,
 * "GONE" hangs up.) */
static inline size_t fake_message(const char *s, unsigned op, char *out)
{
    size_t len = TEAM_HEADER_LEN;
    unsigned count;

    if (strncmp(s, "RAW ", 4) == 0) {
        memcpy(out, s + 4, strlen(s + 4));
        return strlen(s + 4);
    }
    memcpy(out, "TE", 2);
    out[2] = TEAM_VERSION;
    out[3] = s[0] == 'R' ? TEAM_ROWS : TEAM_ANSWER;
    s += s[0] == 'R' ? 5 : 6;
    if (out[3] == TEAM_ROWS) {
        size_t n = strcspn(s, " ");

        op = fake_find(FAKE_ROWS, sizeof FAKE_ROWS / sizeof FAKE_ROWS[0], s, n);
        s += n;
    }
    wire_store_u16(out + 4, op);
    fake_fields(s, out, &len, &count);
    wire_store_u16(out + 6, count);
    return len;
}

/* "REQUEST TARGET_NAME=sudo REASON='rotate the certs'" */
static inline void fake_ask_text(const char *packet, size_t n, struct text *t, unsigned *ret_op)
{
    struct wire_msg msg;
    struct wire_span value;
    unsigned tag;

    if (wire_read(packet, n, &msg) != WIRE_OK || msg.kind != TEAM_ASK) {
        text_put(t, "garbage");
        return;
    }
    *ret_op = msg.op;
    text_put(t, FAKE_OPS[msg.op]);
    while (wire_next(&msg.fields, &tag, &value)) {
        bool quotes = memchr(value.at, ' ', value.len);

        text_put(t, " ");
        text_put(t, FAKE_FIELDS[tag]);
        text_put(t, quotes ? "='" : "=");
        text_put_n(t, value.at, value.len);
        text_put(t, quotes ? "'" : "");
    }
    text_put(t, "\n");
}

/* ---- one run of teamctl -----------------------------------------------------------------------
 */

enum { FAKE_TEXT = 256 * 1024, FAKE_ARGS = 24 };

struct fake_run {
    /* what to do */
    const char *const *args; /* without "teamctl"; NULL at the end */
    const char *const *says; /* what teamd says, message by message; NULL at the end */
    const char *const *env;  /* beside the usual; NULL at the end */
    unsigned width;          /* standard output is a terminal so wide */
    const char *typed;       /* standard input and error are a terminal, and this is typed */
    const char *to;          /* standard output is this file */
    /* what came of it */
    int exit; /* or -signal */
    char asked[FAKE_TEXT], out[FAKE_TEXT], err[FAKE_TEXT];
};

static char fake_dir[] = "/tmp/test_teamctl.XXXXXX";
static char fake_program[PATH_MAX];

/* The teamctl that was built with this test: build/tests/unit/test_x -> build/teamctl */
static inline void fake_setup(void)
{
    char self[PATH_MAX] = "";
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);

    for (int up = 0; up < 3 && n > 0; up++)
        *strrchr(self, '/') = '\0';
    snprintf(fake_program, sizeof fake_program, "%.4000s/teamctl", self);
    if (access(fake_program, X_OK) < 0 || !mkdtemp(fake_dir)) {
        perror(fake_program);
        exit(1);
    }
}

static inline const char *fake_path(const char *name)
{
    static char path[64];

    snprintf(path, sizeof path, "%s/%s", fake_dir, name);
    return path;
}

static inline void fake_teardown(void)
{
    unlink(fake_path("socket"));
    rmdir(fake_dir);
}

static inline int fake_listen(void)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

    snprintf(a.sun_path, sizeof a.sun_path, "%s", fake_path("socket"));
    unlink(a.sun_path);
    if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof a) < 0 || listen(fd, 4) < 0)
        abort();
    return fd;
}

static inline void fake_exec(const struct fake_run *r, int in, int out, int err)
{
    static const char *const USUAL[] = {"TZ=XXX-2", "LC_ALL=C.UTF-8", "TERM=xterm",
                                        "PATH=/usr/bin"};
    char socket_is[128];
    const char *argv[FAKE_ARGS] = {"teamctl"}, *envp[FAKE_ARGS] = {socket_is};
    size_t n = 1;

    snprintf(socket_is, sizeof socket_is, "TEAM_SOCKET=%s", fake_path("socket"));
    for (size_t i = 0; r->env && r->env[i]; i++)
        envp[n++] = r->env[i]; /* the first of a name counts */
    for (size_t i = 0; i < sizeof USUAL / sizeof USUAL[0]; i++)
        envp[n++] = USUAL[i];
    for (size_t i = 0; r->args[i]; i++)
        argv[i + 1] = r->args[i];
    dup2(in, 0);
    dup2(out, 1);
    dup2(err, 2);
    execve(fake_program, (char *const *)(uintptr_t)argv, (char *const *)(uintptr_t)envp);
    _exit(127);
}

static inline void fake_terminal(unsigned width, int *ret_master, int *ret_slave)
{
    struct winsize size = {.ws_row = 24, .ws_col = (unsigned short)width};
    struct termios raw;

    if (openpty(ret_master, ret_slave, NULL, NULL, &size) < 0 || tcgetattr(*ret_slave, &raw) < 0)
        abort();
    raw.c_oflag &= ~(tcflag_t)OPOST;
    raw.c_lflag &= ~(tcflag_t)ECHO;
    tcsetattr(*ret_slave, TCSANOW, &raw);
    fcntl(*ret_master, F_SETFD, FD_CLOEXEC);
}

static inline void fake_pipe(int *ret_read, int *ret_write)
{
    int fds[2];

    if (pipe2(fds, O_CLOEXEC) < 0)
        abort();
    *ret_read = fds[0];
    *ret_write = fds[1];
}

/* Reads an ask and says what comes up to the next ANSWER. Without anything left to say it hangs
 * up. */
static inline bool fake_serve(struct fake_run *r, int conn, struct text *asked, size_t *said)
{
    static char packet[TEAM_PACKET_MAX];
    ssize_t n = recv(conn, packet, sizeof packet, 0);
    unsigned op = 0;

    if (n <= 0)
        return false;
    fake_ask_text(packet, (size_t)n, asked, &op);
    for (; r->says && r->says[*said]; ++*said) {
        const char *s = r->says[*said];

        if (strcmp(s, "HANG") == 0)
            return true;
        if (strcmp(s, "GONE") == 0) {
            ++*said;
            return false;
        }
        if (send(conn, packet, fake_message(s, op, packet), MSG_NOSIGNAL) < 0)
            return false;
        if (s[0] == 'A') {
            ++*said;
            return true;
        }
    }
    return false;
}

static inline bool fake_drain(int *fd, struct text *t)
{
    char buf[4096];
    ssize_t n = read(*fd, buf, sizeof buf);

    if (n <= 0) { /* EIO: nobody has the terminal open any more */
        close(*fd);
        *fd = -1;
        return false;
    }
    text_put_n(t, buf, (size_t)n);
    return true;
}

static inline void fake_loop(struct fake_run *r, int listener, int out, int err)
{
    struct text asked = text_over(r->asked, sizeof r->asked);
    struct text outs = text_over(r->out, sizeof r->out), errs = text_over(r->err, sizeof r->err);
    struct pollfd p[] = {
        {listener, POLLIN, 0}, {-1, POLLIN, 0}, {out, POLLIN, 0}, {err, POLLIN, 0}};
    size_t said = 0;

    while (p[2].fd >= 0 || p[3].fd >= 0) {
        if (poll(p, 4, 60000) <= 0)
            abort();
        if (p[1].fd >= 0 && p[1].revents && !fake_serve(r, p[1].fd, &asked, &said)) {
            close(p[1].fd);
            p[1].fd = -1;
        }
        if (p[1].fd < 0 && p[0].revents)
            p[1].fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        if (p[2].revents)
            fake_drain(&p[2].fd, &outs);
        if (p[3].revents)
            fake_drain(&p[3].fd, &errs);
    }
    if (p[1].fd >= 0)
        close(p[1].fd);
}

/* The socket is somewhere else in every run: it is called SOCKET in what tests compare. */
static inline void fake_rename_socket(char *s)
{
    const char *path = fake_path("socket");
    char *at = strstr(s, path);

    if (at) {
        memcpy(at, "SOCKET", 6);
        memmove(at + 6, at + strlen(path), strlen(at + strlen(path)) + 1);
    }
}

static inline void fake_run(struct fake_run *r)
{
    int listener = fake_listen();
    int in, out, out_end, err, err_end, status;
    pid_t pid;

    if (r->width > 0)
        fake_terminal(r->width, &out, &out_end);
    else
        fake_pipe(&out, &out_end);
    if (r->to) {
        close(out_end);
        out_end = open(r->to, O_WRONLY | O_CLOEXEC);
    }
    if (r->typed) {
        fake_terminal(80, &err, &err_end);
        in = fcntl(err_end, F_DUPFD_CLOEXEC, 3);
        if (write(err, r->typed, strlen(r->typed)) < 0)
            abort();
    } else {
        fake_pipe(&err, &err_end);
        in = open("/dev/null", O_RDONLY | O_CLOEXEC);
    }
    pid = fork();
    if (pid == 0)
        fake_exec(r, in, out_end, err_end);
    close(in);
    close(out_end);
    close(err_end);
    fake_loop(r, listener, out, err);
    close(listener);
    if (pid < 0 || waitpid(pid, &status, 0) < 0)
        abort();
    fake_rename_socket(r->err);
    r->exit = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}
