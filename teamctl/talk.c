#include "talk.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/socket.h>

static void fail(struct answer *a, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void fail(struct answer *a, int code, const char *format, ...)
{
    va_list args;

    a->code = code;
    va_start(args, format);
    vsnprintf(a->text, sizeof a->text, format, args);
    va_end(args);
}

struct wire_out talk_begin(struct talk *t, enum team_op op)
{
    return wire_begin(t->ask, sizeof t->ask, TEAM_ASK, op);
}

void talk_close(struct talk *t)
{
    if (t->open)
        client_close(&t->client);
    t->open = false;
}

/* ---- what can go wrong ------------------------------------------------------------------------
 */

static void fail_connect(const struct talk *t, int r, struct answer *a)
{
    if (r == -EPERM)
        fail(a, TEAM_UNREACHABLE,
             "cannot reach teamd at %s: it is not root who listens there; is it the right socket?",
             t->path);
    else
        fail(a, TEAM_UNREACHABLE,
             "cannot reach teamd at %s: %s; is teamd running? (systemctl status teamd)", t->path,
             strerror(-r));
}

/* What the connection said instead of a packet. It cannot go on after that. */
static void fail_transport(struct talk *t, int r, struct answer *a)
{
    talk_close(t);
    if (r == -ETIMEDOUT)
        fail(a, TEAM_TIMED_OUT, "teamd at %s has not answered in time", t->path);
    else if (r == -ECONNRESET)
        fail(a, TEAM_UNREACHABLE,
             "lost teamd at %s before it answered; look whether it was done, then try again",
             t->path);
    else
        fail(a, TEAM_UNREACHABLE, "lost teamd at %s: %s", t->path, strerror(-r));
}

static void fail_garbled(struct talk *t, enum wire_result r, struct answer *a)
{
    talk_close(t);
    if (r == WIRE_OTHER_VERSION)
        fail(a, TEAM_FAILED,
             "teamd at %s speaks another version of the protocol; teamctl here is %s (protocol %d)",
             t->path, TEAM_RELEASE, TEAM_VERSION);
    else
        fail(a, TEAM_FAILED, "what teamd at %s says cannot be understood", t->path);
}

/* ---- asking -----------------------------------------------------------------------------------
 */

/* There is room for it: it is the first ask of its connection. */
static int send_with_file(struct talk *t, size_t len)
{
    union {
        char buf[CMSG_SPACE(sizeof(int))];
        struct cmsghdr head;
    } control = {.head = {.cmsg_level = SOL_SOCKET,
                          .cmsg_type = SCM_RIGHTS,
                          .cmsg_len = CMSG_LEN(sizeof(int))}};
    struct iovec iov = {.iov_base = t->ask, .iov_len = len};
    struct msghdr message = {.msg_iov = &iov,
                             .msg_iovlen = 1,
                             .msg_control = control.buf,
                             .msg_controllen = sizeof control.buf};

    memcpy(CMSG_DATA(&control.head), t->file, sizeof *t->file);
    t->file = NULL;
    return sendmsg(t->client.fd, &message, MSG_NOSIGNAL) < 0 && errno != EPIPE ? -errno : 0;
}

static bool send_ask(struct talk *t, struct wire_out *ask, int64_t patience_ms, struct answer *a)
{
    int64_t deadline = client_deadline(patience_ms * 1000);
    size_t len = wire_finish(ask);
    int r;

    if (len == 0) {
        fail(a, TEAM_USAGE, "this is too much for one request; make it shorter");
        return false;
    }
    if (!t->open) {
        r = client_open(t->path, deadline, &t->client);
        if (r < 0) {
            fail_connect(t, r, a);
            return false;
        }
        t->open = true;
    }
    r = t->file ? send_with_file(t, len) : client_send(&t->client, t->ask, len, deadline);
    if (r < 0)
        fail_transport(t, r, a);
    return r == 0;
}

static bool give_rows(struct talk *t, const struct wire_msg *msg, talk_row *each, void *ctx,
                      struct answer *a)
{
    for (struct wire_span rest = msg->fields, row; row = wire_each(&rest, TEAM_ROW), row.at;)
        if (!each || !each(ctx, (enum team_row)msg->op, row)) {
            talk_close(t); /* more rows may be on the way */
            fail(a, TEAM_FAILED, "stopped");
            return false;
        }
    return true;
}

static void read_answer(unsigned op, struct wire_span fields, struct answer *a)
{
    uint64_t code = TEAM_FAILED; /* an answer without a code is no yes */

    wire_find_u64(fields, TEAM_CODE, &code);
    a->code = code <= TEAM_TIMED_OUT ? (int)code : TEAM_FAILED;
    if (op == TEAM_OP_NONE && a->code == TEAM_DONE)
        a->code = TEAM_FAILED;
    wire_copy(fields, TEAM_TEXT, a->text, sizeof a->text);
    wire_copy(fields, TEAM_ID, a->id, sizeof a->id);
    wire_copy(fields, TEAM_STATE, a->state, sizeof a->state);
}

/* True when there is more to come. */
static bool receive(struct talk *t, unsigned op, int64_t deadline, talk_row *each, void *ctx,
                    struct answer *a)
{
    int n = client_receive(&t->client, t->packet, sizeof t->packet, deadline);
    enum wire_result read;
    struct wire_msg msg;

    if (n < 0) {
        fail_transport(t, n, a);
        return false;
    }
    read = wire_read(t->packet, (size_t)n, &msg);
    if (read == WIRE_OK && msg.kind == TEAM_ROWS)
        return give_rows(t, &msg, each, ctx, a);
    if (read == WIRE_OK && msg.kind == TEAM_ANSWER && (msg.op == op || msg.op == TEAM_OP_NONE))
        read_answer(msg.op, msg.fields, a);
    else
        fail_garbled(t, read, a);
    return false;
}

void talk_ask(struct talk *t, struct wire_out *ask, int64_t patience_ms, talk_row *each, void *ctx,
              struct answer *ret)
{
    unsigned op = wire_u16(t->ask + 4);

    *ret = (struct answer){.code = TEAM_FAILED};
    if (!send_ask(t, ask, patience_ms, ret))
        return;
    while (receive(t, op, client_deadline(patience_ms * 1000), each, ctx, ret))
        ;
}

void talk_follow(struct talk *t, struct wire_out *ask, talk_row *each, talk_wait *wait, void *ctx,
                 struct answer *ret)
{
    unsigned op = wire_u16(t->ask + 4);

    *ret = (struct answer){.code = TEAM_FAILED};
    if (!send_ask(t, ask, TALK_PATIENCE_MS, ret))
        return;
    do {
        if (!wait(ctx, t->client.fd)) {
            talk_close(t);
            ret->code = TEAM_DONE;
            return;
        }
    } while (receive(t, op, CLIENT_NEVER, each, ctx, ret));
}
