#include "teamd.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>
#include <unistd.h>

/* The journal's native protocol (systemd.io/JOURNAL_NATIVE_PROTOCOL): KEY=value lines in one
 * datagram. Spoken here and not through libsystemd, whose sender waits when the journal is slow;
 * teamd must not. */

#define JOURNAL "/run/systemd/journal/socket"

enum { LINE_CAP = 4096 };

static int journal_fd = -1;
static unsigned dropped;

static int journal(void)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX, .sun_path = JOURNAL};
    int fd;

    if (journal_fd >= 0)
        return journal_fd;
    fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&to, sizeof to) < 0) {
        close(fd);
        fd = -1;
    }
    journal_fd = fd;
    return fd;
}

static void to_stderr(const char *message, size_t len)
{
    struct pollfd ready = {.fd = STDERR_FILENO, .events = POLLOUT};
    char line[LINE_CAP + 16];
    int n;

    if (poll(&ready, 1, 0) != 1 || !(ready.revents & POLLOUT)) {
        dropped++;
        return;
    }
    n = snprintf(line, sizeof line, "teamd: %.*s\n", (int)len, message);
    if (n > 0 && write(STDERR_FILENO, line, (size_t)n) < 0)
        dropped++;
}

/* `fields` are whole lines, the first of them MESSAGE=... */
static void send_fields(const char *fields, size_t len)
{
    const char *end = memchr(fields, '\n', len);
    int fd = journal();

    if (fd >= 0 && send(fd, fields, len, MSG_NOSIGNAL) >= 0)
        return;
    if (fd >= 0 && errno != EAGAIN) {
        close(journal_fd);
        journal_fd = -1;
    }
    if (fd >= 0 && errno == EAGAIN)
        dropped++;
    else if (end)
        to_stderr(fields + strlen("MESSAGE="), (size_t)(end - fields) - strlen("MESSAGE="));
}

void log_line(int priority, const char *format, ...)
{
    char message[1024], plain[1024], fields[LINE_CAP];
    va_list args;
    int n;

    va_start(args, format);
    n = vsnprintf(message, sizeof message, format, args);
    va_end(args);
    if (n < 0)
        return;
    text_make_plain(plain, sizeof plain, message, strlen(message));
    n = snprintf(fields, sizeof fields, "MESSAGE=%s\nPRIORITY=%d\nSYSLOG_IDENTIFIER=teamd\n", plain,
                 priority);
    if (n > 0)
        send_fields(fields, (size_t)n);
}

/* ---- events of the trail ----------------------------------------------------------------------
 */

/* Records of a length and as many bytes, until the commit says whether they happened. */
static struct {
    char *buf;
    size_t len, cap;
} held;

static void put_field(struct text *t, const char *key, const char *value)
{
    char plain[AUDIT_DETAIL_CAP];

    if (value[0] == '\0')
        return;
    text_make_plain(plain, sizeof plain, value, strlen(value));
    text_put(t, key);
    text_put(t, plain);
    text_put(t, "\n");
}

static void put_message(struct text *t, const struct audit *a)
{
    text_put(t, "MESSAGE=");
    text_put(t, a->action);
    text_put(t, " ");
    text_put(t, a->outcome);
    text_put(t, " by ");
    text_put(t, a->actor.text[0] ? a->actor.text : "teamd");
    if (a->id.bits != 0) {
        text_put(t, " request ");
        text_put_id(t, a->id.bits);
    }
    if (a->target[0]) {
        text_put(t, " ");
        text_put(t, a->target);
    }
    if (a->detail[0]) {
        char plain[AUDIT_DETAIL_CAP];

        text_make_plain(plain, sizeof plain, a->detail, strlen(a->detail));
        text_put(t, ": ");
        text_put(t, plain);
    }
    text_put(t, "\n");
}

static void hold(const struct audit *a)
{
    char fields[LINE_CAP], id[TEXT_ID_LEN + 1];
    struct text t = text_over(fields, sizeof fields), i = text_over(id, sizeof id);
    size_t need;

    if (a->id.bits != 0)
        text_put_id(&i, a->id.bits);
    put_message(&t, a);
    text_put(&t, strcmp(a->outcome, "failed") == 0 ? "PRIORITY=2\n" : "PRIORITY=5\n");
    text_put(&t, "SYSLOG_IDENTIFIER=teamd\n");
    put_field(&t, "TEAM_ACTION=", a->action);
    put_field(&t, "TEAM_OUTCOME=", a->outcome);
    put_field(&t, "TEAM_ACTOR=", a->actor.text);
    put_field(&t, "TEAM_REQUEST=", id);
    put_field(&t, "TEAM_TARGET=", a->target);
    need = held.len + sizeof t.len + t.len;
    if (need > held.cap) {
        char *more = realloc(held.buf, need * 2);

        if (!more) {
            dropped++;
            return;
        }
        held.buf = more;
        held.cap = need * 2;
    }
    memcpy(held.buf + held.len, &t.len, sizeof t.len);
    memcpy(held.buf + held.len + sizeof t.len, fields, t.len);
    held.len = need;
}

void log_audit_hold(const struct effects *out)
{
    for (size_t i = 0; i < out->n; i++)
        if (out->items[i].kind == EFFECT_AUDIT)
            hold(&out->items[i].audit);
}

void log_audit_release(void)
{
    size_t at = 0, len;

    while (at < held.len) {
        memcpy(&len, held.buf + at, sizeof len);
        send_fields(held.buf + at + sizeof len, len);
        at += sizeof len + len;
    }
    log_audit_drop();
    if (dropped > 0) {
        unsigned n = dropped;

        dropped = 0;
        log_line(LOG_WARNING, "%u log lines were dropped: nobody took them; the trail has them", n);
    }
}

void log_audit_drop(void)
{
    free(held.buf);
    held.buf = NULL;
    held.len = held.cap = 0;
}
