/* Any packets as teamd's answer to the module: nothing but a whole yes to this very question is a
 * yes, and what the person and the log are told is one plain line.
 *
 * The real client, on a socket pair of a listener of our own; the first bytes of an input are what
 * is asked.
 * LIBFUZZER: -max_len=700 */
#include "fuzz/fuzz.h"

#include "../../pam_team/client.h"
#include "../../pam_team/inplace.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static int listener = -1;
static char path[64];

static void remove_socket(void)
{
    unlink(path);
}

static void listen_once(void)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};

    if (listener >= 0)
        return;
    snprintf(path, sizeof path, "/tmp/team-fuzz-%d.sock", getpid());
    memcpy(to.sun_path, path, strlen(path));
    unlink(path);
    listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    must(bind(listener, (struct sockaddr *)&to, sizeof to) == 0 && listen(listener, 4) == 0,
         "there is a socket");
    atexit(remove_socket);
}

/* What the module gets to hear when teamd says this: the length, or -errno. */
static int hear(const char *said, size_t said_n, char *buf, size_t cap)
{
    int64_t deadline = client_deadline(2 * 1000 * 1000);
    struct client c;
    int r = client_open(path, deadline, &c), server;

    if (r < 0)
        return r; /* not root: then it is -EPERM */
    r = client_send(&c, "?", 1, deadline);
    server = accept(listener, NULL, NULL);
    must(r == 0 && server >= 0, "one end speaks to the other");
    if (said_n > 0)
        must(send(server, said, said_n, MSG_NOSIGNAL) == (ssize_t)said_n, "it can be said");
    close(server);
    r = client_receive(&c, buf, cap, deadline);
    client_close(&c);
    return r;
}

/* A yes, by another reading: an answer of this version to this op, whose only CODE is 0, and which
 * names its session if it opens one. */
static bool is_yes(enum team_op op, const char *packet, size_t n)
{
    unsigned codes = 0, sessions = 0;

    if (n < 8 || memcmp(packet, "TE\1\2", 4) != 0 || wire_u16(packet + 4) != (unsigned)op)
        return false;
    for (size_t i = 8; i + 4 <= n; i += 4 + wire_u16(packet + i + 2)) {
        if (wire_u16(packet + i) == TEAM_CODE) {
            if (wire_u16(packet + i + 2) != 1 || packet[i + 4] != '0')
                return false;
            codes++;
        }
        sessions += wire_u16(packet + i) == TEAM_SESSION;
    }
    return codes == 1 &&
           (sessions == 1 || op == TEAM_OP_ACCOUNT || op == TEAM_OP_CLOSE || op == TEAM_OP_AWAIT);
}

static bool one_line(const char *s)
{
    return text_is_plain(s, strlen(s));
}

/* The same packet, heard by somebody who waits. */
static void check_wait(const char *packet, size_t n)
{
    char news[ANSWER_TEXT_CAP] = "", question[QUESTION_CAP], line[NEWS_CAP];
    struct facts facts = {.op = TEAM_OP_AWAIT, .request = 1};
    struct answer a;
    bool told = news_read(packet, n, news);

    must(!told || answer_read(TEAM_OP_AWAIT, packet, n, &a) < 0, "news are no answer");
    must(told || answer_read(TEAM_OP_AWAIT, packet, n, &a) != ANSWER_YES ||
             is_yes(TEAM_OP_AWAIT, packet, n),
         "only a whole yes ends a wait");
    news_line(line, &facts, news);
    must(one_line(line), "news are one plain line");
    question_wait(question, a.text);
    must(strlen(question) < sizeof question, "a question fits");
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t len)
{
    static const char *const SERVICES[] = {"sudo", "su", "sshd", "login", "x y", NULL};
    struct fuel f = {input, len};
    struct facts facts = {.op = (enum team_op)(1 + take(&f) % 4),
                          .uid = take(&f) % 4 ? 1001 : 0,
                          .service = SERVICES[take(&f) % 6]};
    char *user = take_string(&f, take(&f) % 70), *arg = take_string(&f, take(&f) % 40), *packet;
    const char *args[] = {arg, "timeout=2s"};
    struct options o = options_parse(1 + take(&f) % 2, args);
    char ask[TEAM_GATE_PACKET_MAX], heard[TEAM_GATE_PACKET_MAX];
    struct answer a = {.session = 0};
    struct verdict v;
    bool root;
    size_t n;
    int r;

    listen_once();
    facts.user = facts.ruser = facts.tty = facts.rhost = user;
    facts.session = user[0] == '\0' ? 0 : (uint64_t)user[0];
    n = ask_encode(&facts, ask, sizeof ask);
    must(n <= sizeof ask, "a question fits");
    packet = take_bytes(&f, f.left, &n);
    r = hear(packet, n, heard, sizeof heard);
    if (r > 0) {
        must((size_t)r == n && memcmp(heard, packet, n) == 0, "what was said is heard");
        r = answer_read(facts.op, packet, n, &a);
    }
    check_wait(packet, n);
    must(r != ANSWER_YES || is_yes(facts.op, packet, n), "only a whole yes is a yes");
    must(one_line(a.text) && one_line(a.cgroup), "words are one plain line");
    verdict_reach(&facts, &o, r, a.text, &v);
    root = passes_unanswered(&facts);
    must(facts.op == TEAM_OP_CLOSE ||
             (v.code == VERDICT_PASS) == (r == ANSWER_YES ? !o.wrong || root : r < 0 && root),
         "who is let in has a yes, or is root without an answer");
    must(one_line(v.message) && one_line(v.log), "what people are told is one plain line");
    free(packet);
    free(user);
    free(arg);
    return 0;
}
