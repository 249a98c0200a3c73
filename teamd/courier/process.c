#include "courier/process.h"
#include "courier/answer.h"
#include "courier/secret.h"
#include "courier/why.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

struct process {
    pid_t pid;
    int pidfd, out;
    sd_event_source *readable, *ended, *timer;
    char text[PROCESS_OUT_MAX];
    size_t len;
    bool exited, closed;
    int status; /* of waitid */
    process_done done;
    void *ctx;
};

/* ---- words -------------------------------------------------------------------------------------
 */

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* One word from *at on; its end, or NULL if a quote does not end. */
static char *word(const char **at, char *out)
{
    const char *s = *at;
    char quote = 0;

    for (; *s && (quote || !is_blank(*s)); s++) {
        if (quote ? *s == quote : *s == '\'' || *s == '"') {
            quote = quote ? 0 : *s;
        } else if (*s == '\\' && quote != '\'' && s[1] && (!quote || s[1] == '"' || s[1] == '\\')) {
            *out++ = *++s;
        } else {
            *out++ = *s;
        }
    }
    *at = s;
    *out++ = '\0';
    return quote ? NULL : out;
}

int process_words(const char *line, char *out, char *words[PROCESS_WORDS_MAX + 1])
{
    int n = 0;

    for (;;) {
        while (is_blank(*line))
            line++;
        words[n] = NULL;
        if (!*line)
            return n;
        if (n == PROCESS_WORDS_MAX)
            return -1;
        words[n++] = out;
        out = word(&line, out);
        if (!out)
            return -1;
    }
}

bool process_read(const char *text, size_t len, struct keys *ret, char why[AWS_TEXT_CAP])
{
    json_t *o = len > 0 ? answer_json(text, len) : NULL;
    bool ok = false;

    if (!o)
        why_set(why, "it printed no JSON object");
    else if (json_integer_value(json_object_get(o, "Version")) != 1)
        why_set(why, "\"Version\" is not 1 in what it printed");
    else
        ok = keys_from_json(o, "SessionToken", ret, why);
    json_decref(o);
    return ok;
}

/* ---- the process -------------------------------------------------------------------------------
 */

static void free_process(struct process *p)
{
    sd_event_source_disable_unref(p->readable);
    sd_event_source_disable_unref(p->ended);
    sd_event_source_disable_unref(p->timer);
    if (p->out >= 0)
        close(p->out);
    if (p->pidfd >= 0)
        close(p->pidfd);
    secret_free(p, sizeof *p);
}

/* The group, so that what it started goes, too. */
static void kill_process(struct process *p)
{
    siginfo_t si;

    if (p->pid <= 0 || p->exited)
        return;
    kill(-p->pid, SIGKILL);
    kill(p->pid, SIGKILL);
    waitid(P_PID, (id_t)p->pid, &si, WEXITED);
    p->exited = true;
}

struct process *process_stop(struct process *p)
{
    if (p) {
        kill_process(p);
        free_process(p);
    }
    return NULL;
}

/* Consumes the process. */
static void fail(struct process *p, const char *text)
{
    char why[AWS_TEXT_CAP];

    why_set(why, "%s", text);
    kill_process(p);
    p->done(p->ctx, NULL, why);
    free_process(p);
}

/* Both have happened: it is gone, and its output has ended. Consumes the process. */
static void finish(struct process *p)
{
    struct keys keys = {.expires = {0}};
    char why[AWS_TEXT_CAP];

    if (p->status != 0) {
        why_set(why, "it ended with exit status %d", p->status);
        p->done(p->ctx, NULL, why);
    } else if (process_read(p->text, p->len, &keys, why)) {
        p->done(p->ctx, &keys, NULL);
    } else {
        p->done(p->ctx, NULL, why);
    }
    keys_wipe(&keys);
    free_process(p);
}

static int on_output(sd_event_source *source, int fd, uint32_t events, void *ctx)
{
    struct process *p = ctx;
    ssize_t n = read(fd, p->text + p->len, sizeof p->text - p->len);

    (void)events;
    if (n < 0 && (errno == EINTR || errno == EAGAIN))
        return 0;
    if (n > 0) {
        p->len += (size_t)n;
        if (p->len == sizeof p->text)
            fail(p, "it printed too much");
        return 0;
    }
    p->closed = true;
    sd_event_source_set_enabled(source, SD_EVENT_OFF);
    if (p->exited)
        finish(p);
    return 0;
}

static int on_end(sd_event_source *source, int fd, uint32_t events, void *ctx)
{
    struct process *p = ctx;
    siginfo_t si = {0};

    (void)fd;
    (void)events;
    if (waitid(P_PID, (id_t)p->pid, &si, WEXITED | WNOHANG) < 0 || si.si_pid == 0)
        return 0;
    p->exited = true;
    p->status = si.si_code == CLD_EXITED ? si.si_status : 128 + si.si_status;
    sd_event_source_set_enabled(source, SD_EVENT_OFF);
    if (p->closed)
        finish(p);
    return 0;
}

static int on_late(sd_event_source *source, uint64_t usec, void *ctx)
{
    (void)source;
    (void)usec;
    fail(ctx, "it took longer than a minute");
    return 0;
}

static int spawn(struct process *p, char *const *words, char *const *environment)
{
    posix_spawn_file_actions_t files;
    posix_spawnattr_t how;
    sigset_t none, usual;
    int pipe_fds[2], r;

    if (pipe2(pipe_fds, O_CLOEXEC) < 0)
        return -errno;
    p->out = pipe_fds[0];
    fcntl(p->out, F_SETFL, O_NONBLOCK);
    sigemptyset(&none);
    sigemptyset(&usual);
    sigaddset(&usual, SIGPIPE);
    posix_spawn_file_actions_init(&files);
    posix_spawnattr_init(&how);
    posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&files, pipe_fds[1], STDOUT_FILENO);
    posix_spawn_file_actions_addclosefrom_np(&files, STDERR_FILENO + 1);
    posix_spawnattr_setflags(&how, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK |
                                       POSIX_SPAWN_SETSIGDEF);
    posix_spawnattr_setpgroup(&how, 0);
    posix_spawnattr_setsigmask(&how, &none);
    posix_spawnattr_setsigdefault(&how, &usual);
    r = -posix_spawnp(&p->pid, words[0], &files, &how, words, environment);
    posix_spawn_file_actions_destroy(&files);
    posix_spawnattr_destroy(&how);
    close(pipe_fds[1]);
    if (r < 0)
        p->pid = 0;
    return r;
}

static int watch(struct process *p, sd_event *loop)
{
    int r;

    p->pidfd = (int)syscall(SYS_pidfd_open, p->pid, 0);
    if (p->pidfd < 0)
        return -errno;
    if ((r = sd_event_add_io(loop, &p->readable, p->out, EPOLLIN, on_output, p)) < 0 ||
        (r = sd_event_add_io(loop, &p->ended, p->pidfd, EPOLLIN, on_end, p)) < 0)
        return r;
    return sd_event_add_time_relative(loop, &p->timer, CLOCK_MONOTONIC, PROCESS_US, 0, on_late, p);
}

int process_start(sd_event *loop, const char *command, char *const *environment, process_done done,
                  void *ctx, struct process **ret, char why[AWS_TEXT_CAP])
{
    struct process *p = calloc(1, sizeof *p);
    char *line = malloc(strlen(command) + 1), *words[PROCESS_WORDS_MAX + 1];
    int r = -ENOMEM;

    if (p && line) {
        p->out = p->pidfd = -1;
        p->done = done;
        p->ctx = ctx;
        r = process_words(command, line, words) > 0 ? 0 : -EINVAL;
    }
    if (r == 0)
        r = spawn(p, words, environment);
    if (r == 0)
        r = watch(p, loop);
    if (r < 0) {
        why_set(why, "cannot start it: %s",
                r == -EINVAL ? "no word, or a quote that does not end" : strerror(-r));
        free(line);
        process_stop(p);
        return r == -ENOMEM ? r : -EINVAL;
    }
    free(line);
    *ret = p;
    return 0;
}
