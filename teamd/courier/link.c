#include "courier/link.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>
#include <unistd.h>

enum {
    AGAIN_US = 500 * 1000, /* between two tries to connect */
    ANSWER_WITHIN_US = 120 * 1000 * 1000,
    FEW = 4, /* messages: there is room for more */
};

struct message {
    struct message *next;
    void (*heard)(void *ctx, uint64_t code);
    void *ctx;
    size_t len;
    char packet[];
};

struct link {
    sd_event *loop;
    struct sockaddr_un address;
    struct link_calls calls;
    int work, say; /* -1: not connected */
    sd_event_source *work_ready, *say_ready, *again, *late;
    struct message *first, **last;
    size_t n;
    bool sent; /* the first one: its answer is waited for */
    bool complained;
    char packet[TEAM_PACKET_MAX];
};

static void break_up(struct link *l);

/* ---- saying -----------------------------------------------------------------------------------
 */

static void drop_first(struct link *l)
{
    struct message *m = l->first;

    l->first = m->next;
    if (!l->first)
        l->last = &l->first;
    l->n--;
    l->sent = false;
    free(m);
}

/* The next message, if none is under way. */
static void say_next(struct link *l)
{
    const struct message *m = l->first;
    ssize_t n;

    if (!m || l->sent || l->say < 0)
        return;
    n = send(l->say, m->packet, m->len, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n < 0 && errno == EAGAIN) {
        sd_event_source_set_io_events(l->say_ready, EPOLLIN | EPOLLOUT);
        return;
    }
    if (n < 0) {
        break_up(l);
        return;
    }
    l->sent = true;
    sd_event_source_set_io_events(l->say_ready, EPOLLIN);
    sd_event_source_set_time_relative(l->late, ANSWER_WITHIN_US);
    sd_event_source_set_enabled(l->late, SD_EVENT_ONESHOT);
}

bool link_send(struct link *l, const char *packet, size_t len,
               void (*heard)(void *ctx, uint64_t code), void *ctx)
{
    struct message *m = len > 0 && l->say >= 0 ? malloc(sizeof *m + len) : NULL;

    if (!m)
        return false;
    *m = (struct message){.heard = heard, .ctx = ctx, .len = len};
    memcpy(m->packet, packet, len);
    *l->last = m;
    l->last = &m->next;
    l->n++;
    say_next(l);
    return true;
}

void link_result(struct link *l, uint64_t number, uint64_t round, const char *outcome,
                 const char *text)
{
    char packet[1024], plain[481];
    struct wire_out w = wire_begin(packet, sizeof packet, TEAM_ASK, TEAM_OP_RESULT);

    text_make_plain(plain, sizeof plain, text, strlen(text));
    wire_put_u64(&w, TEAM_JOB, number);
    wire_put_u64(&w, TEAM_ROUND, round);
    wire_put(&w, TEAM_OUTCOME, outcome);
    wire_put(&w, TEAM_TEXT, plain);
    link_send(l, packet, wire_finish(&w), NULL, NULL);
}

size_t link_waiting(const struct link *l)
{
    return l->n;
}

bool link_is_up(const struct link *l)
{
    return l->say >= 0;
}

/* ---- hearing ----------------------------------------------------------------------------------
 */

static void hear_answer(struct link *l, const struct wire_msg *msg)
{
    struct message *m = l->first;
    void (*heard)(void *ctx, uint64_t code);
    void *ctx;
    uint64_t code = TEAM_FAILED;

    if (msg->kind != TEAM_ANSWER || !l->sent) {
        break_up(l);
        return;
    }
    wire_find_u64(msg->fields, TEAM_CODE, &code);
    heard = m->heard;
    ctx = m->ctx;
    sd_event_source_set_enabled(l->late, SD_EVENT_OFF);
    drop_first(l);
    if (heard)
        heard(ctx, code);
    say_next(l);
    if (l->n <= FEW && l->say >= 0)
        l->calls.room(l->calls.ctx);
}

static void hear_job(struct link *l, struct wire_span row)
{
    char step[17], account[13], set[128], principal[48], name[33], label[256];
    struct link_job job = {.step = step,
                           .account = account,
                           .set_arn = set,
                           .principal = principal,
                           .set_name = name,
                           .label = label};
    uint64_t soon = 0;

    wire_find_u64(row, TEAM_JOB, &job.number);
    wire_find_u64(row, TEAM_ROUND, &job.round);
    wire_copy(row, TEAM_STEP, step, sizeof step);
    wire_copy(row, TEAM_ACCOUNT, account, sizeof account);
    wire_copy(row, TEAM_SET_ARN, set, sizeof set);
    wire_copy(row, TEAM_PRINCIPAL, principal, sizeof principal);
    wire_copy(row, TEAM_PERMISSION_SET, name, sizeof name);
    wire_copy(row, TEAM_LABEL, label, sizeof label);
    wire_find_u64(row, TEAM_SINCE, &job.since);
    wire_find_u64(row, TEAM_UNTIL, &job.until);
    wire_find_u64(row, TEAM_SOON, &soon);
    job.soon = soon == 1;
    l->calls.job(l->calls.ctx, &job);
}

static void hear_jobs(struct link *l, const struct wire_msg *msg)
{
    struct wire_span rest = msg->fields;

    if (msg->kind != TEAM_ROWS || msg->op != TEAM_ROW_JOB) {
        break_up(l);
        return;
    }
    for (struct wire_span row; row = wire_each(&rest, TEAM_ROW), row.at;)
        hear_job(l, row);
}

/* 1: a message. 0: not yet. -1: the link is broken. */
static int hear(struct link *l, int fd, struct wire_msg *ret)
{
    ssize_t n = recv(fd, l->packet, sizeof l->packet, MSG_DONTWAIT);

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return 0;
    if (n > 0 && wire_read(l->packet, (size_t)n, ret) == WIRE_OK)
        return 1;
    break_up(l);
    return -1;
}

static int on_work(sd_event_source *source, int fd, uint32_t events, void *ctx)
{
    struct link *l = ctx;
    struct wire_msg msg;

    (void)source;
    (void)events;
    if (hear(l, fd, &msg) > 0)
        hear_jobs(l, &msg);
    return 0;
}

static int on_say(sd_event_source *source, int fd, uint32_t events, void *ctx)
{
    struct link *l = ctx;
    struct wire_msg msg;

    (void)source;
    if (events & EPOLLOUT)
        say_next(l);
    if (l->say >= 0 && hear(l, fd, &msg) > 0)
        hear_answer(l, &msg);
    return 0;
}

/* ---- connecting -------------------------------------------------------------------------------
 */

static void close_fd(int *fd, sd_event_source **source)
{
    *source = sd_event_source_disable_unref(*source);
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static void try_again(struct link *l)
{
    sd_event_source_set_time_relative(l->again, AGAIN_US);
    sd_event_source_set_enabled(l->again, SD_EVENT_ONESHOT);
}

static void break_up(struct link *l)
{
    bool was_up = l->say >= 0;

    close_fd(&l->work, &l->work_ready);
    close_fd(&l->say, &l->say_ready);
    sd_event_source_set_enabled(l->late, SD_EVENT_OFF);
    while (l->first)
        drop_first(l);
    if (!was_up)
        return;
    l->calls.say(l->calls.ctx, LOG_WARNING, "teamd is gone; connecting again");
    l->calls.down(l->calls.ctx);
    try_again(l);
}

/* Whoever made the socket: root, or whoever runs both. */
static bool is_teamd(int fd)
{
    struct ucred cred;
    socklen_t len = sizeof cred;

    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) == 0 &&
           (cred.uid == 0 || cred.uid == geteuid());
}

static int connect_one(struct link *l)
{
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), r;

    if (fd < 0)
        return -errno;
    r = connect(fd, (const struct sockaddr *)&l->address, sizeof l->address) < 0 ? -errno : 0;
    if (r == 0 && !is_teamd(fd))
        r = -EPERM;
    if (r < 0) {
        close(fd);
        return r;
    }
    return fd;
}

static int ask_for_work(struct link *l)
{
    char packet[64];
    struct wire_out w = wire_begin(packet, sizeof packet, TEAM_ASK, TEAM_OP_WORK);

    return send(l->work, packet, wire_finish(&w), MSG_NOSIGNAL | MSG_DONTWAIT) < 0 ? -errno : 0;
}

static int connect_both(struct link *l)
{
    int work = connect_one(l), say, r;

    if (work < 0)
        return work;
    say = connect_one(l);
    if (say < 0) {
        close(work);
        return say;
    }
    l->work = work;
    l->say = say;
    if ((r = sd_event_add_io(l->loop, &l->work_ready, work, EPOLLIN, on_work, l)) < 0 ||
        (r = sd_event_add_io(l->loop, &l->say_ready, say, EPOLLIN, on_say, l)) < 0 ||
        (r = ask_for_work(l)) < 0) {
        close_fd(&l->work, &l->work_ready);
        close_fd(&l->say, &l->say_ready);
        return r;
    }
    return 0;
}

static int on_again(sd_event_source *source, uint64_t usec, void *ctx)
{
    struct link *l = ctx;
    char line[256];
    int r = connect_both(l);

    (void)source;
    (void)usec;
    if (r == 0) {
        l->complained = false;
        l->calls.say(l->calls.ctx, LOG_NOTICE, "connected to teamd");
        l->calls.up(l->calls.ctx);
        return 0;
    }
    if (!l->complained) {
        snprintf(line, sizeof line, "cannot connect to teamd at %s: %s; trying again",
                 l->address.sun_path, strerror(-r));
        l->calls.say(l->calls.ctx, LOG_WARNING, line);
    }
    l->complained = true;
    try_again(l);
    return 0;
}

static int on_late(sd_event_source *source, uint64_t usec, void *ctx)
{
    (void)source;
    (void)usec;
    break_up(ctx);
    return 0;
}

/* ---- life -------------------------------------------------------------------------------------
 */

int link_new(sd_event *loop, const char *path, const struct link_calls *calls, struct link **ret)
{
    struct link *l;
    int r;

    if (strlen(path) >= sizeof l->address.sun_path)
        return -ENAMETOOLONG;
    l = calloc(1, sizeof *l);
    if (!l)
        return -ENOMEM;
    l->loop = sd_event_ref(loop);
    l->calls = *calls;
    l->address.sun_family = AF_UNIX;
    memcpy(l->address.sun_path, path, strlen(path));
    l->work = l->say = -1;
    l->last = &l->first;
    if ((r = sd_event_add_time_relative(loop, &l->again, CLOCK_MONOTONIC, 0, 0, on_again, l)) < 0 ||
        (r = sd_event_add_time_relative(loop, &l->late, CLOCK_MONOTONIC, 0, 0, on_late, l)) < 0 ||
        (r = sd_event_source_set_enabled(l->late, SD_EVENT_OFF)) < 0) {
        link_free(l);
        return r;
    }
    *ret = l;
    return 0;
}

struct link *link_free(struct link *l)
{
    if (!l)
        return NULL;
    close_fd(&l->work, &l->work_ready);
    close_fd(&l->say, &l->say_ready);
    while (l->first)
        drop_first(l);
    sd_event_source_disable_unref(l->again);
    sd_event_source_disable_unref(l->late);
    sd_event_unref(l->loop);
    free(l);
    return NULL;
}
