/* What pam_team asks, and what it makes of the answer. */
#include "pam_team/verdict.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <syslog.h>

#include <cmocka.h>

#define COUNT(a) (sizeof(a) / sizeof(a)[0])

#define ACCOUNT   TEAM_OP_ACCOUNT
#define OPEN      TEAM_OP_OPEN
#define CLOSE     TEAM_OP_CLOSE
#define CONFIRM   TEAM_OP_CONFIRM
#define PASS      VERDICT_PASS
#define DENY      VERDICT_DENY
#define UNKNOWN   VERDICT_CANNOT_KNOW
#define BAD_SETUP VERDICT_BAD_SETUP
#define NO        ANSWER_NO
#define YES       ANSWER_YES

#define X31      "sssssssssssssssssssssssssssssss"
#define X63      X31 "s" X31
#define X255     X63 "s" X63 "s" X63 "s" X63
#define LONG_107 "/" X63 X31 "ssssssssssss"
#define LONG_108 LONG_107 "s"

/* ---- arguments ----------------------------------------------------------------------------- */

struct option_row {
    const char *says;
    const char *argv[4];
    const char *socket;
    int64_t timeout_s;
    bool quiet;
    const char *wrong;
};

#define GATE TEAM_GATE_SOCKET

static const struct option_row OPTION_ROWS[] = {
    {"no argument gives the defaults", {NULL}, GATE, 2, false, NULL},
    {"a socket path is taken", {"socket=/tmp/gate.sock"}, "/tmp/gate.sock", 2, false, NULL},
    {"a socket path of 107 bytes fits", {"socket=" LONG_107}, LONG_107, 2, false, NULL},
    {"a socket path of 108 bytes is refused",
     {"socket=" LONG_108},
     GATE,
     2,
     false,
     "socket=" LONG_108},
    {"a relative socket path is refused", {"socket=gate.sock"}, GATE, 2, false, "socket=gate.sock"},
    {"an abstract socket is refused", {"socket=@x"}, GATE, 2, false, "socket=@x"},
    {"an empty socket path is refused", {"socket="}, GATE, 2, false, "socket="},
    {"a socket path with an escape is refused",
     {"socket=/a\033b"},
     GATE,
     2,
     false,
     "socket=/a\033b"},
    {"a timeout of one second is the least", {"timeout=1s"}, GATE, 1, false, NULL},
    {"a timeout of ten seconds is the most", {"timeout=10s"}, GATE, 10, false, NULL},
    {"a timeout of eleven seconds is refused", {"timeout=11s"}, GATE, 2, false, "timeout=11s"},
    {"a timeout of a minute is refused", {"timeout=1m"}, GATE, 2, false, "timeout=1m"},
    {"a timeout of nothing is refused", {"timeout=0s"}, GATE, 2, false, "timeout=0s"},
    {"a timeout without a unit is refused", {"timeout=2"}, GATE, 2, false, "timeout=2"},
    {"an empty timeout is refused", {"timeout="}, GATE, 2, false, "timeout="},
    {"a negative timeout is refused", {"timeout=-2s"}, GATE, 2, false, "timeout=-2s"},
    {"quiet is taken", {"quiet"}, GATE, 2, true, NULL},
    {"quiet takes no value", {"quiet=1"}, GATE, 2, false, "quiet=1"},
    {"all of them together are taken", {"quiet", "timeout=3s", "socket=/s"}, "/s", 3, true, NULL},
    {"the last of two wins", {"timeout=3s", "timeout=4s"}, GATE, 4, false, NULL},
    {"an empty argument is refused", {""}, GATE, 2, false, ""},
    {"an argument of a later version is refused", {"waits=5m"}, GATE, 2, false, "waits=5m"},
    {"an empty wait is refused", {"wait="}, GATE, 2, false, "wait="},
    {"a wait of more than an hour is refused", {"wait=61m"}, GATE, 2, false, "wait=61m"},
    {"prompt takes no value", {"prompt=1h"}, GATE, 2, false, "prompt=1h"},
    {"an empty prompt_for is refused", {"prompt_for="}, GATE, 2, false, "prompt_for="},
    {"a prompt_for of a century is refused",
     {"prompt_for=36500d"},
     GATE,
     2,
     false,
     "prompt_for=36500d"},
    {"names are in lower case", {"QUIET"}, GATE, 2, false, "QUIET"},
    {"the first of two wrong ones is named", {"foo", "quiet", "bar"}, GATE, 2, true, "foo"},
};

static void check_options(void **state)
{
    const struct option_row *row = *state;
    const char *argv[COUNT(row->argv)];
    struct options o;
    int argc = 0;

    while (row->argv[argc]) {
        argv[argc] = row->argv[argc];
        argc++;
    }
    o = options_parse(argc, argv);
    assert_string_equal(o.socket, row->socket);
    assert_int_equal(o.timeout_us, row->timeout_s * 1000 * 1000);
    assert_int_equal(o.quiet, row->quiet);
    if (row->wrong)
        assert_string_equal(o.wrong, row->wrong);
    else
        assert_null(o.wrong);
}

/* ---- the question -------------------------------------------------------------------------- */

struct ask_row {
    const char *says;
    struct facts facts;
    const char
        *fields; /* "SERVICE UID USER RUSER TTY RHOST", "-" for absent; NULL: cannot be asked */
};

#define FACTS(o, id, s, who, claim, terminal, from, ssh)                                \
    {                                                                                   \
        .op = o, .uid = id, .service = s, .user = who, .ruser = claim, .tty = terminal, \
        .rhost = from, .ssh_connection = ssh                                            \
    }

static const struct ask_row ASK_ROWS[] = {
    {"everything that PAM told is sent",
     FACTS(ACCOUNT, 1001, "sudo", "alice", "alice", "/dev/pts/3", "10.0.0.1", NULL),
     "sudo 1001 alice alice /dev/pts/3 10.0.0.1"},
    {"what PAM did not tell is absent", FACTS(OPEN, 0, "sudo", NULL, NULL, NULL, NULL, NULL),
     "sudo 0 - - - -"},
    {"what is set but empty is absent", FACTS(CLOSE, 0, "sudo", "", "", "", "", ""),
     "sudo 0 - - - -"},
    {"the largest uid fits", FACTS(ACCOUNT, UINT32_MAX, "su", NULL, NULL, NULL, NULL, NULL),
     "su 4294967295 - - - -"},
    {"no service cannot be asked about", FACTS(ACCOUNT, 0, NULL, "a", NULL, NULL, NULL, NULL),
     NULL},
    {"an empty service cannot be asked about", FACTS(ACCOUNT, 0, "", "a", NULL, NULL, NULL, NULL),
     NULL},
    {"a service of 31 bytes can", FACTS(ACCOUNT, 1, X31, NULL, NULL, NULL, NULL, NULL),
     X31 " 1 - - - -"},
    {"a service of 32 bytes cannot", FACTS(ACCOUNT, 1, X31 "s", NULL, NULL, NULL, NULL, NULL),
     NULL},
    {"a service with a slash cannot", FACTS(ACCOUNT, 1, "../sudo", NULL, NULL, NULL, NULL, NULL),
     NULL},
    {"a user of 63 bytes can", FACTS(ACCOUNT, 1, "su", X63, NULL, NULL, NULL, NULL),
     "su 1 " X63 " - - -"},
    {"a user of 64 bytes cannot", FACTS(ACCOUNT, 1, "su", X63 "s", NULL, NULL, NULL, NULL), NULL},
    {"a user with an escape cannot", FACTS(ACCOUNT, 1, "su", "al\033ice", NULL, NULL, NULL, NULL),
     NULL},
    {"a user like an option cannot", FACTS(ACCOUNT, 1, "su", "-f", NULL, NULL, NULL, NULL), NULL},
    {"a claim with controls is made plain",
     FACTS(ACCOUNT, 1, "su", NULL, "a\nb", "\033[2J", "h\xff", NULL), "su 1 - a?b ?[2J h?"},
    {"a claim that is too long is left out",
     FACTS(ACCOUNT, 1, "su", NULL, X63 "s", X63 "s", X255 "s", NULL), "su 1 - - - -"},
    {"a claim that just fits is sent", FACTS(ACCOUNT, 1, "su", NULL, X63, X63, X255, NULL),
     "su 1 - " X63 " " X63 " " X255},
    {"sshd's word on the address wins over a name",
     FACTS(ACCOUNT, 0, "sshd", "alice", NULL, "ssh", "evil.example",
           "192.0.2.7 51515 192.0.2.1 22"),
     "sshd 0 alice - ssh 192.0.2.7"},
    {"sshd's word without a blank is an address too",
     FACTS(ACCOUNT, 0, "sshd", "alice", NULL, "ssh", NULL, "2001:db8::7"),
     "sshd 0 alice - ssh 2001:db8::7"},
    {"an empty word of sshd gives way to PAM's",
     FACTS(ACCOUNT, 0, "sshd", "alice", NULL, "ssh", "h", ""), "sshd 0 alice - ssh h"},
    {"a word of sshd that begins with a blank is nothing",
     FACTS(ACCOUNT, 0, "sshd", "alice", NULL, "ssh", "h", " 1 2"), "sshd 0 alice - ssh -"},
};

static void check_ask(void **state)
{
    static const enum team_tag TAGS[] = {TEAM_SERVICE, TEAM_UID, TEAM_USER,
                                         TEAM_RUSER,   TEAM_TTY, TEAM_RHOST};
    const struct ask_row *row = *state;
    char packet[TEAM_GATE_PACKET_MAX], fields[600], value[256];
    struct text t = text_over(fields, sizeof fields);
    struct wire_msg msg = {0};
    size_t len;

    len = ask_encode(&row->facts, packet, sizeof packet);
    if (!row->fields) {
        assert_int_equal(len, 0);
        return;
    }
    assert_int_equal(wire_read(packet, len, &msg), WIRE_OK);
    assert_int_equal(msg.kind, TEAM_ASK);
    assert_int_equal(msg.op, row->facts.op);
    for (size_t i = 0; i < COUNT(TAGS); i++) {
        assert_true(wire_copy(msg.fields, TAGS[i], value, sizeof value));
        text_put(&t, i > 0 ? " " : "");
        text_put(&t, value[0] != '\0' ? value : "-");
    }
    assert_string_equal(fields, row->fields);
}

static void a_confirmation_names_its_session_and_nothing_else_does(void **state)
{
    struct facts f = {.uid = 1001, .service = "sudo", .session = UINT64_MAX};
    char packet[TEAM_GATE_PACKET_MAX];
    struct wire_msg msg = {0};

    (void)state;
    for (unsigned op = ACCOUNT; op <= CONFIRM; op++) {
        uint64_t session = 0;
        size_t len;

        f.op = (enum team_op)op;
        len = ask_encode(&f, packet, sizeof packet);
        assert_int_equal(wire_read(packet, len, &msg), WIRE_OK);
        assert_int_equal(msg.op, op);
        assert_int_equal(wire_find_u64(msg.fields, TEAM_SESSION, &session), op == CONFIRM);
        assert_true(session == (op == CONFIRM ? UINT64_MAX : 0));
    }
}

/* ---- who passes without an answer ---------------------------------------------------------- */

struct pass_row {
    const char *says;
    const char *service;
    uint32_t uid;
    const char *user;
    bool passes;
    const char *ruser;
};

static const struct pass_row PASS_ROWS[] = {
    {"root passes in sudo", "sudo", 0, "root", true, NULL},
    {"root passes in sudo-i", "sudo-i", 0, NULL, true, NULL},
    {"root passes in su, whoever it becomes", "su", 0, "alice", true, NULL},
    {"root passes in su-l", "su-l", 0, "alice", true, NULL},
    {"root passes in runuser", "runuser", 0, "alice", true, NULL},
    {"root passes in runuser-l", "runuser-l", 0, "alice", true, NULL},
    {"root passes in sudo when sudo says that it is root", "sudo", 0, "root", true, "root"},
    {"root passes in sudo when sudo says nothing", "sudo", 0, "root", true, ""},
    {"alice does not pass in sudo -e, whose uid is 0", "sudo", 0, "root", false, "alice"},
    {"alice does not pass in sudo-i by a uid of 0", "sudo-i", 0, "root", false, "alice"},
    {"who was alice before she became root passes in su", "su", 0, "bob", true, "alice"},
    {"alice does not pass in sudo because she is called root", "sudo", 1001, "root", false, "root"},
    {"alice does not pass in sudo", "sudo", 1001, "alice", false, NULL},
    {"alice does not pass in sudo by the name root", "sudo", 1001, "root", false, NULL},
    {"alice does not pass in su to root", "su", 1001, "root", false, NULL},
    {"nobody passes in polkit-1, where everybody has uid 0", "polkit-1", 0, "root", false, NULL},
    {"root passes in login", "login", 0, "root", true, NULL},
    {"alice does not pass in login, whose uid is 0", "login", 0, "alice", false, NULL},
    {"nobody in particular does not pass in login", "login", 0, NULL, false, NULL},
    {"an empty name does not pass in login", "login", 0, "", false, NULL},
    {"root does not pass in sshd", "sshd", 0, "root", false, NULL},
    {"root does not pass in a service of its own naming", "sudo2", 0, "root", false, NULL},
    {"root does not pass in half a name", "sud", 0, "root", false, NULL},
    {"root does not pass in SUDO", "SUDO", 0, "root", false, NULL},
    {"root does not pass without a service", NULL, 0, "root", false, NULL},
    {"root does not pass in an empty service", "", 0, "root", false, NULL},
    {"a uid that is 0 in 16 bits is not root", "sudo", 65536, "root", false, NULL},
};

static void check_pass(void **state)
{
    const struct pass_row *row = *state;
    struct facts f = {.op = TEAM_OP_OPEN,
                      .uid = row->uid,
                      .service = row->service,
                      .user = row->user,
                      .ruser = row->ruser};

    assert_int_equal(passes_unanswered(&f), row->passes);
}

/* ---- reading the answer -------------------------------------------------------------------- */

struct answer_row {
    const char *says;
    unsigned op;         /* of the ask */
    enum team_kind kind; /* of the answer */
    unsigned answer_op;
    int code; /* -1: absent */
    const char *answer_text;
    bool session;
    int then;
    const char *text;
    const char *cgroup; /* NULL: absent */
};

#define CGROUP "/sys/fs/cgroup/team/s7"

static const struct answer_row ANSWER_ROWS[] = {
    {"done is yes", ACCOUNT, TEAM_ANSWER, ACCOUNT, 0, NULL, false, YES, "", NULL},
    {"done for close is yes", CLOSE, TEAM_ANSWER, CLOSE, 0, NULL, false, YES, "", NULL},
    {"done with a session is yes", OPEN, TEAM_ANSWER, OPEN, 0, NULL, true, YES, "", NULL},
    {"done with nothing recorded is no yes", OPEN, TEAM_ANSWER, OPEN, 0, NULL, false, -EBADMSG, "",
     NULL},
    {"refused is no", ACCOUNT, TEAM_ANSWER, ACCOUNT, TEAM_REFUSED, "ask first", false, NO,
     "ask first", NULL},
    {"refused to open is no", OPEN, TEAM_ANSWER, OPEN, TEAM_REFUSED, "ask first", false, NO,
     "ask first", NULL},
    {"refused with a session is no", OPEN, TEAM_ANSWER, OPEN, TEAM_REFUSED, "x", true, NO, "x",
     NULL},
    {"failed is no", ACCOUNT, TEAM_ANSWER, ACCOUNT, TEAM_FAILED, NULL, false, NO, "", NULL},
    {"a code that nobody knows is no", ACCOUNT, TEAM_ANSWER, ACCOUNT, 256, NULL, false, NO, "",
     NULL},
    {"no code is garbage", ACCOUNT, TEAM_ANSWER, ACCOUNT, -1, "x", false, -EBADMSG, "", NULL},
    {"the answer to another question is garbage", ACCOUNT, TEAM_ANSWER, CLOSE, 0, NULL, false,
     -EBADMSG, "", NULL},
    {"an ask is no answer", ACCOUNT, TEAM_ASK, ACCOUNT, 0, NULL, false, -EBADMSG, "", NULL},
    {"rows are no answer", ACCOUNT, TEAM_ROWS, ACCOUNT, 0, NULL, false, -EBADMSG, "", NULL},
    {"done with a container is yes", OPEN, TEAM_ANSWER, OPEN, 0, NULL, true, YES, "", CGROUP},
    {"a container without a session is no yes", OPEN, TEAM_ANSWER, OPEN, 0, NULL, false, -EBADMSG,
     "", CGROUP},
    {"refused with a container is no", OPEN, TEAM_ANSWER, OPEN, TEAM_REFUSED, "x", true, NO, "x",
     CGROUP},
    {"a container in the whole file system is garbage", OPEN, TEAM_ANSWER, OPEN, 0, NULL, true,
     -EBADMSG, "", "/etc"},
    {"a container at the mount point is garbage", OPEN, TEAM_ANSWER, OPEN, 0, NULL, true, -EBADMSG,
     "", "/sys/fs/cgroup"},
    {"a container beside the mount point is garbage", OPEN, TEAM_ANSWER, OPEN, 0, NULL, true,
     -EBADMSG, "", "/sys/fs/cgroups/s7"},
    {"a relative container is garbage", OPEN, TEAM_ANSWER, OPEN, 0, NULL, true, -EBADMSG, "",
     "sys/fs/cgroup/s7"},
    {"a container that climbs out is garbage", OPEN, TEAM_ANSWER, OPEN, 0, NULL, true, -EBADMSG, "",
     "/sys/fs/cgroup/a/../../../etc"},
    {"a container that climbs at its end is garbage", OPEN, TEAM_ANSWER, OPEN, 0, NULL, true,
     -EBADMSG, "", "/sys/fs/cgroup/.."},
    {"nobody goes into a container to be let in", ACCOUNT, TEAM_ANSWER, ACCOUNT, 0, NULL, false,
     YES, "", CGROUP},
    {"or out of one", CLOSE, TEAM_ANSWER, CLOSE, 0, NULL, false, YES, "", CGROUP},
    {"a confirmed session is yes", CONFIRM, TEAM_ANSWER, CONFIRM, 0, NULL, true, YES, "", NULL},
    {"a confirmation of nothing is no yes", CONFIRM, TEAM_ANSWER, CONFIRM, 0, NULL, false, -EBADMSG,
     "", NULL},
    {"a confirmation that is refused is no", CONFIRM, TEAM_ANSWER, CONFIRM, TEAM_REFUSED, "ended",
     true, NO, "ended", NULL},
    {"open does not answer confirm", CONFIRM, TEAM_ANSWER, OPEN, 0, NULL, true, -EBADMSG, "", NULL},
};

static size_t write_answer(const struct answer_row *row, char *packet, size_t cap)
{
    struct wire_out w = wire_begin(packet, cap, row->kind, row->answer_op);

    if (row->code >= 0)
        wire_put_u64(&w, TEAM_CODE, (uint64_t)row->code);
    wire_put(&w, TEAM_TEXT, row->answer_text);
    if (row->session)
        wire_put_u64(&w, TEAM_SESSION, 7);
    wire_put(&w, TEAM_CGROUP, row->cgroup);
    return wire_finish(&w);
}

static void check_answer(void **state)
{
    const struct answer_row *row = *state;
    struct answer a = {.text = "stale", .session = 9, .cgroup = "stale"};
    char packet[TEAM_GATE_PACKET_MAX];
    size_t len = write_answer(row, packet, sizeof packet);

    assert_true(len > 0);
    assert_int_equal(answer_read((enum team_op)row->op, packet, len, &a), row->then);
    assert_string_equal(a.text, row->text);
    if (row->then != YES)
        return;
    assert_int_equal(a.session, row->session ? 7 : 0);
    assert_string_equal(a.cgroup, row->op == OPEN && row->cgroup ? row->cgroup : "");
}

static void every_cut_of_a_yes_is_garbage(void **state)
{
    const struct answer_row yes = {"",        OPEN, TEAM_ANSWER, OPEN, 0,
                                   "welcome", true, YES,         "",   CGROUP};
    char packet[TEAM_GATE_PACKET_MAX];
    struct answer a;
    size_t len = write_answer(&yes, packet, sizeof packet);

    (void)state;
    assert_int_equal(answer_read(TEAM_OP_OPEN, packet, len, &a), ANSWER_YES);
    for (size_t cut = 0; cut < len; cut++)
        assert_int_equal(answer_read(TEAM_OP_OPEN, packet, cut, &a), -EBADMSG);
}

static void another_version_is_told_apart(void **state)
{
    struct answer a;

    (void)state;
    assert_int_equal(answer_read(TEAM_OP_ACCOUNT, "TE\x02\x02\0\1\0\0", 8, &a), -EPROTONOSUPPORT);
}

/* ---- the verdict --------------------------------------------------------------------------- */

struct verdict_row {
    const char *says;
    unsigned op;
    uint32_t uid;
    const char *service, *user;
    const char *argument;
    int answer;
    const char *text;
    int code;
    int priority;
    const char *message;
    const char *log;
};

#define SILENT_TO_YOU(why) \
    "access is denied: teamd does not answer (" why "); tell an administrator"
#define SILENT_TO_LOG(why) "teamd does not answer on " TEAM_GATE_SOCKET " (" why ")"
#define ALICE              1001, "sudo", "alice"
#define ROOT               0, "sudo", "root"
#define MISTAKE                                                                                  \
    "access is denied: pam_team has a wrong argument in the PAM configuration of sudo; tell an " \
    "administrator"
#define UNNAMED     "access is denied: teamd cannot be asked about a service or user of this name"
#define UNNAMED_LOG "teamd cannot be told the name of the service or the user"

static const struct verdict_row VERDICT_ROWS[] = {
    /* teamd answers */
    {"account: yes passes, and nothing is said", ACCOUNT, ALICE, NULL, YES, "hello", PASS,
     LOG_DEBUG, "", ""},
    {"open: yes passes, and nothing is said", OPEN, ALICE, NULL, YES, "", PASS, LOG_DEBUG, "", ""},
    {"close: yes passes, and nothing is said", CLOSE, ALICE, NULL, YES, "", PASS, LOG_DEBUG, "",
     ""},
    {"account: no denies, and says what teamd says", ACCOUNT, ALICE, NULL, NO,
     "no active elevation", DENY, LOG_NOTICE, "no active elevation",
     "uid=1001 user=alice denied: no active elevation"},
    {"account: no without a word says how to learn why", ACCOUNT, ALICE, NULL, NO, "", DENY,
     LOG_NOTICE, "access is denied; to see why, run: teamctl why sudo",
     "uid=1001 user=alice denied: "},
    {"account: no to nobody in no service", ACCOUNT, 1001, NULL, NULL, NULL, NO, "", DENY,
     LOG_NOTICE, "access is denied; to see why, run: teamctl why -", "uid=1001 user=- denied: "},
    {"account: controls in teamd's text are made harmless", ACCOUNT, ALICE, NULL, NO, "a\033[2J\nb",
     DENY, LOG_NOTICE, "a?[2J?b", "uid=1001 user=alice denied: a?[2J?b"},
    {"open: no denies, and speaks to the log alone", OPEN, ALICE, NULL, NO, "ended just now", DENY,
     LOG_NOTICE, "", "uid=1001 user=alice denied: ended just now"},
    {"close: no passes, it is a hint", CLOSE, ALICE, NULL, NO, "what session", PASS, LOG_NOTICE, "",
     "uid=1001 user=alice end of session not reported: what session"},
    {"account: no is no to root too", ACCOUNT, ROOT, NULL, NO, "not even you", DENY, LOG_NOTICE,
     "not even you", "uid=0 user=root denied: not even you"},
    {"open: no is no to root too", OPEN, ROOT, NULL, NO, "no", DENY, LOG_NOTICE, "",
     "uid=0 user=root denied: no"},
    {"account: an answer that is neither is no", ACCOUNT, ALICE, NULL, 2, "two", DENY, LOG_NOTICE,
     "two", "uid=1001 user=alice denied: two"},
    {"account: quiet tells the log alone", ACCOUNT, ALICE, "quiet", NO, "no", DENY, LOG_NOTICE, "",
     "uid=1001 user=alice denied: no"},
    {"account: a hostile user name is plain in the log", ACCOUNT, 1001, "sudo", "al\nice", NULL, NO,
     "no", DENY, LOG_NOTICE, "no", "uid=1001 user=al?ice denied: no"},
    {"account: an endless user name is cut in the log", ACCOUNT, 1001, "sudo", X255, NULL, NO, "no",
     DENY, LOG_NOTICE, "no", "uid=1001 user=" X63 "s denied: no"},

    /* teamd does not */
    {"account: no file is not running", ACCOUNT, ALICE, NULL, -ENOENT, "", UNKNOWN, LOG_ERR,
     SILENT_TO_YOU("it is not running"),
     "uid=1001 user=alice denied: " SILENT_TO_LOG("it is not running")},
    {"account: refused is not running", ACCOUNT, ALICE, NULL, -ECONNREFUSED, "", UNKNOWN, LOG_ERR,
     SILENT_TO_YOU("it is not running"),
     "uid=1001 user=alice denied: " SILENT_TO_LOG("it is not running")},
    {"account: too late says how late", ACCOUNT, ALICE, "timeout=3s", -ETIMEDOUT, "", UNKNOWN,
     LOG_ERR, SILENT_TO_YOU("not within 3s"),
     "uid=1001 user=alice denied: " SILENT_TO_LOG("not within 3s")},
    {"account: it hung up", ACCOUNT, ALICE, NULL, -ECONNRESET, "", UNKNOWN, LOG_ERR,
     SILENT_TO_YOU("it hung up"), "uid=1001 user=alice denied: " SILENT_TO_LOG("it hung up")},
    {"account: a long answer", ACCOUNT, ALICE, NULL, -EMSGSIZE, "", UNKNOWN, LOG_ERR,
     SILENT_TO_YOU("its answer is too long"),
     "uid=1001 user=alice denied: " SILENT_TO_LOG("its answer is too long")},
    {"account: garbage", ACCOUNT, ALICE, NULL, -EBADMSG, "stale", UNKNOWN, LOG_ERR,
     SILENT_TO_YOU("its answer is garbled"),
     "uid=1001 user=alice denied: " SILENT_TO_LOG("its answer is garbled")},
    {"account: another version", ACCOUNT, ALICE, NULL, -EPROTONOSUPPORT, "", UNKNOWN, LOG_ERR,
     SILENT_TO_YOU("it speaks another version of the protocol"),
     "uid=1001 user=alice denied: " SILENT_TO_LOG("it speaks another version of the protocol")},
    {"account: an impostor", ACCOUNT, ALICE, NULL, -EPERM, "", UNKNOWN, LOG_ERR,
     SILENT_TO_YOU("somebody else than root listens in its place"),
     "uid=1001 user=alice denied: " SILENT_TO_LOG("somebody else than root listens in its place")},
    {"account: a socket of another type", ACCOUNT, ALICE, NULL, -EPROTOTYPE, "", UNKNOWN, LOG_ERR,
     SILENT_TO_YOU("its socket is of another type"),
     "uid=1001 user=alice denied: " SILENT_TO_LOG("its socket is of another type")},
    {"account: an error that nobody thought of", ACCOUNT, ALICE, NULL, -EMFILE, "", UNKNOWN,
     LOG_ERR, SILENT_TO_YOU("error 24"), "uid=1001 user=alice denied: " SILENT_TO_LOG("error 24")},
    {"account: the log names the socket that was tried", ACCOUNT, ALICE, "socket=/s", -ENOENT, "",
     UNKNOWN, LOG_ERR, SILENT_TO_YOU("it is not running"),
     "uid=1001 user=alice denied: teamd does not answer on /s (it is not running)"},
    {"account: silence is quiet when it shall be", ACCOUNT, ALICE, "quiet", -ENOENT, "", UNKNOWN,
     LOG_ERR, "", "uid=1001 user=alice denied: " SILENT_TO_LOG("it is not running")},
    {"open: silence denies", OPEN, ALICE, NULL, -ETIMEDOUT, "", DENY, LOG_ERR, "",
     "uid=1001 user=alice denied: " SILENT_TO_LOG("not within 2s")},
    {"close: silence passes", CLOSE, ALICE, NULL, -ETIMEDOUT, "", PASS, LOG_ERR, "",
     "uid=1001 user=alice end of session not reported: " SILENT_TO_LOG("not within 2s")},
    {"open: a container that cannot be entered denies", OPEN, ALICE, NULL, -EXDEV, "", DENY,
     LOG_ERR, "", "uid=1001 user=alice denied: the session's container cannot be entered"},
    {"open: root passes outside of its container, and it is logged", OPEN, ROOT, NULL, -EXDEV, "",
     PASS, LOG_WARNING, "",
     "uid=0 user=root passes as root: the session's container cannot be entered"},
    {"account: root passes on silence, and it is logged", ACCOUNT, ROOT, NULL, -ENOENT, "", PASS,
     LOG_WARNING, "", "uid=0 user=root passes as root: " SILENT_TO_LOG("it is not running")},
    {"open: root passes on silence, and it is logged", OPEN, ROOT, NULL, -ETIMEDOUT, "", PASS,
     LOG_WARNING, "", "uid=0 user=root passes as root: " SILENT_TO_LOG("not within 2s")},
    {"close: root passes on silence", CLOSE, ROOT, NULL, -ENOENT, "", PASS, LOG_WARNING, "",
     "uid=0 user=root end of session not reported: " SILENT_TO_LOG("it is not running")},
    {"account: root over ssh does not pass on silence", ACCOUNT, 0, "sshd", "root", NULL, -ENOENT,
     "", UNKNOWN, LOG_ERR, SILENT_TO_YOU("it is not running"),
     "uid=0 user=root denied: " SILENT_TO_LOG("it is not running")},

    /* teamd cannot be asked */
    {"account: an unnamable user is denied", ACCOUNT, 1001, "sudo", "-f", NULL, -EINVAL, "", DENY,
     LOG_ERR, UNNAMED, "uid=1001 user=-f denied: " UNNAMED_LOG},
    {"open: an unnamable user is denied", OPEN, 1001, "sudo", "-f", NULL, -EINVAL, "", DENY,
     LOG_ERR, "", "uid=1001 user=-f denied: " UNNAMED_LOG},
    {"close: an unnamable user passes", CLOSE, 1001, "sudo", "-f", NULL, -EINVAL, "", PASS, LOG_ERR,
     "", "uid=1001 user=-f end of session not reported: " UNNAMED_LOG},
    {"open: root becomes an unnamable user", OPEN, 0, "su", "-f", NULL, -EINVAL, "", PASS,
     LOG_WARNING, "", "uid=0 user=-f passes as root: " UNNAMED_LOG},

    /* wrong arguments */
    {"account: a wrong argument denies, and the log names it", ACCOUNT, ALICE, "waits=5m",
     -ECANCELED, "", BAD_SETUP, LOG_ERR, MISTAKE,
     "uid=1001 user=alice denied: argument \"waits=5m\" is not understood"},
    {"account: a wrong argument denies even on a yes", ACCOUNT, ALICE, "waits=5m", YES, "",
     BAD_SETUP, LOG_ERR, MISTAKE,
     "uid=1001 user=alice denied: argument \"waits=5m\" is not understood"},
    {"open: a wrong argument denies", OPEN, ALICE, "waits=5m", -ECANCELED, "", DENY, LOG_ERR, "",
     "uid=1001 user=alice denied: argument \"waits=5m\" is not understood"},
    {"close: a wrong argument passes", CLOSE, ALICE, "waits=5m", -ECANCELED, "", PASS, LOG_ERR, "",
     "uid=1001 user=alice end of session not reported: argument \"waits=5m\" is not understood"},
    {"close: a wrong argument of root's does not hide that the end was reported", CLOSE, ROOT,
     "waits=5m", YES, "", PASS, LOG_WARNING, "",
     "uid=0 user=root passes as root: argument \"waits=5m\" is not understood"},
    {"account: root passes a wrong argument on a yes", ACCOUNT, ROOT, "waits=5m", YES, "", PASS,
     LOG_WARNING, "", "uid=0 user=root passes as root: argument \"waits=5m\" is not understood"},
    {"account: root passes a wrong argument on silence", ACCOUNT, ROOT, "waits=5m", -ENOENT, "",
     PASS, LOG_WARNING, "",
     "uid=0 user=root passes as root: argument \"waits=5m\" is not understood"},
    {"account: root does not pass a wrong argument on a no", ACCOUNT, ROOT, "waits=5m", NO, "no",
     DENY, LOG_NOTICE, "no", "uid=0 user=root denied: argument \"waits=5m\" is not understood"},
    {"account: an endless hostile argument is cut and plain", ACCOUNT, ALICE, "\033" X255,
     -ECANCELED, "", BAD_SETUP, LOG_ERR, MISTAKE,
     "uid=1001 user=alice denied: argument \"?" X63 "s" X63 "\" is not understood"},
};

static void reach(const struct verdict_row *row, struct verdict *ret)
{
    const char *argv[] = {row->argument};
    struct options o = options_parse(row->argument ? 1 : 0, argv);
    struct facts f = {
        .op = (enum team_op)row->op, .uid = row->uid, .service = row->service, .user = row->user};

    memset(ret, 0x5a, sizeof *ret);
    verdict_reach(&f, &o, row->answer, row->text, ret);
}

static void check_verdict(void **state)
{
    const struct verdict_row *row = *state;
    struct verdict v;

    reach(row, &v);
    assert_int_equal(v.code, row->code);
    assert_int_equal(v.priority, row->priority);
    assert_string_equal(v.message, row->message);
    assert_string_equal(v.log, row->log);
}

/* The rules that no row may break, over everything that can happen. */
static void a_yes_without_teamds_yes_is_roots_alone(void **state)
{
    static const char *const SERVICES[] = {"sudo",     "sudo-i",    "su",    "su-l",
                                           "runuser",  "runuser-l", "login", "sshd",
                                           "polkit-1", "cron",      "",      NULL};
    static const char *const USERS[] = {"root", "alice", "", NULL};
    static const char *const ARGUMENTS[] = {NULL, "quiet", "timeout=9s", "nonsense"};

    (void)state;
    for (size_t s = 0; s < COUNT(SERVICES) * COUNT(USERS) * COUNT(ARGUMENTS); s++)
        for (unsigned op = ACCOUNT; op <= CONFIRM; op++)
            for (uint32_t uid = 0; uid < 2; uid++)
                for (int answer = -200; answer <= 2; answer++) {
                    struct verdict_row row = {.op = op, .uid = uid, .answer = answer, .text = "t"};
                    bool root, told = answer == YES, wrong;
                    struct verdict v;

                    row.service = SERVICES[s % COUNT(SERVICES)];
                    row.user = USERS[s / COUNT(SERVICES) % COUNT(USERS)];
                    row.argument = ARGUMENTS[s / COUNT(SERVICES) / COUNT(USERS)];
                    wrong = row.argument && strcmp(row.argument, "nonsense") == 0;
                    root = passes_unanswered(&(struct facts){.op = (enum team_op)op,
                                                             .uid = uid,
                                                             .service = row.service,
                                                             .user = row.user});
                    reach(&row, &v);
                    if (op == CLOSE)
                        assert_int_equal(v.code, PASS);
                    else
                        assert_int_equal(v.code == PASS,
                                         root ? told || answer < 0 : told && !wrong);
                    if (op == OPEN || op == CONFIRM)
                        assert_true(v.code == PASS || v.code == DENY);
                    if (op != ACCOUNT || v.code == PASS)
                        assert_string_equal(v.message, "");
                    if (v.code != PASS)
                        assert_string_not_equal(v.log, "");
                }
}

static void the_longest_of_everything_fits(void **state)
{
    static const char TEXT_480[] = X255 X63 X63 X63 X31 "sssss";
    static const char ARGUMENT[] = "socket=" LONG_107;
    struct verdict_row row = {.op = ACCOUNT, .uid = UINT32_MAX, .service = X255, .user = X255};
    size_t answers[3];
    struct verdict v;

    (void)state;
    assert_int_equal(strlen(TEXT_480), ANSWER_TEXT_CAP - 1);
    row.argument = ARGUMENT;
    row.text = TEXT_480;
    for (size_t i = 0; i < COUNT(answers); i++) {
        row.answer = (const int[]){NO, -EPERM, -ECANCELED}[i];
        row.argument = i == 2 ? X255 : ARGUMENT;
        reach(&row, &v);
        answers[i] = strlen(v.message);
        assert_true(answers[i] > 0 && answers[i] < sizeof v.message - 1);
        assert_true(strlen(v.log) > 80 && strlen(v.log) < sizeof v.log - 1);
        assert_true(text_is_plain(v.message, answers[i]));
        assert_true(text_is_plain(v.log, strlen(v.log)));
    }
    assert_int_equal(answers[0], ANSWER_TEXT_CAP - 1);
}

/* ---- all of it ----------------------------------------------------------------------------- */

#define ADD_ROWS(rows, check)                                                                      \
    for (size_t i = 0; i < COUNT(rows); i++)                                                       \
        tests[n++] = (struct CMUnitTest)                                                           \
        {                                                                                          \
            .name = rows[i].says, .test_func = check, .initial_state = (void *)(uintptr_t)&rows[i] \
        }

int main(void)
{
    static struct CMUnitTest tests[300] = {
        cmocka_unit_test(a_confirmation_names_its_session_and_nothing_else_does),
        cmocka_unit_test(every_cut_of_a_yes_is_garbage),
        cmocka_unit_test(another_version_is_told_apart),
        cmocka_unit_test(a_yes_without_teamds_yes_is_roots_alone),
        cmocka_unit_test(the_longest_of_everything_fits),
    };
    size_t n = 5;

    ADD_ROWS(OPTION_ROWS, check_options);
    ADD_ROWS(ASK_ROWS, check_ask);
    ADD_ROWS(PASS_ROWS, check_pass);
    ADD_ROWS(ANSWER_ROWS, check_answer);
    ADD_ROWS(VERDICT_ROWS, check_verdict);
    return _cmocka_run_group_tests("verdict", tests, n, NULL, NULL);
}
