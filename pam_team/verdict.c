#include "verdict.h"

#include <errno.h>
#include <syslog.h>

/* ---- the module's arguments ---------------------------------------------------------------- */

/* "" too: the host gave nothing, which is as good as nothing said. */
static bool absent(const char *s)
{
    return !s || s[0] == '\0';
}

static bool option_is(const char *arg, const char *name, const char **ret_value)
{
    size_t n = strlen(name);

    if (strncmp(arg, name, n) != 0)
        return false;
    *ret_value = arg + n;
    return true;
}

static bool read_seconds(const char *value, uint64_t most, uint64_t *ret)
{
    return text_parse_duration(value, strlen(value), ret) && *ret <= most;
}

static bool option_take_in_place(struct options *o, const char *arg)
{
    const char *value;
    uint64_t seconds;

    if (option_is(arg, "wait=", &value)) {
        if (!read_seconds(value, OPTION_WAIT_MAX_S, &seconds))
            return false;
        o->wait_us = (int64_t)seconds * 1000 * 1000;
        return true;
    }
    if (option_is(arg, "prompt_for=", &value))
        return read_seconds(value, TEXT_DURATION_MAX_S, &o->prompt_for_s);
    o->prompt = o->prompt || strcmp(arg, "prompt") == 0;
    return strcmp(arg, "prompt") == 0;
}

static bool option_take(struct options *o, const char *arg)
{
    const char *value;
    uint64_t seconds;

    if (option_is(arg, "socket=", &value)) {
        size_t n = strlen(value);

        if (value[0] != '/' || n >= SOCKET_PATH_CAP || !text_is_plain(value, n))
            return false;
        o->socket = value;
        return true;
    }
    if (option_is(arg, "timeout=", &value)) {
        if (!read_seconds(value, OPTION_TIMEOUT_MAX_S, &seconds))
            return false;
        o->timeout_us = (int64_t)seconds * 1000 * 1000;
        return true;
    }
    if (strcmp(arg, "quiet") == 0) {
        o->quiet = true;
        return true;
    }
    return option_take_in_place(o, arg);
}

struct options options_parse(int argc, const char **argv)
{
    struct options o = {
        .socket = TEAM_GATE_SOCKET,
        .timeout_us = (int64_t)OPTION_TIMEOUT_S * 1000 * 1000,
        .prompt_for_s = OPTION_PROMPT_FOR_S,
    };

    for (int i = 0; i < argc; i++)
        if (!option_take(&o, argv[i]) && !o.wrong)
            o.wrong = argv[i];
    return o;
}

/* ---- the question -------------------------------------------------------------------------- */

/* Things said for the record, on which nothing is decided: made plain, and left out when too long,
 * so that nobody is refused for them and nothing stands there half. */
static void put_claim(struct wire_out *w, enum team_tag tag, const char *s, size_t n)
{
    char plain[256];

    if (n == 0 || n > wire_rule(tag).max_len)
        return;
    text_make_plain(plain, sizeof plain, s, n);
    wire_put(w, tag, plain);
}

static void put_claim_text(struct wire_out *w, enum team_tag tag, const char *s)
{
    if (s)
        put_claim(w, tag, s, strlen(s));
}

size_t ask_encode(const struct facts *f, char *buf, size_t cap)
{
    struct wire_out w = wire_begin(buf, cap, TEAM_ASK, f->op);

    if (absent(f->service))
        return 0;
    wire_put(&w, TEAM_SERVICE, f->service);
    wire_put_u64(&w, TEAM_UID, f->uid);
    wire_put(&w, TEAM_USER, f->user);
    put_claim_text(&w, TEAM_RUSER, f->ruser);
    put_claim_text(&w, TEAM_TTY, f->tty);
    /* PAM_RHOST may be a name out of the attacker's DNS. "ADDRESS PORT ADDRESS PORT" is sshd's. */
    if (!absent(f->ssh_connection))
        put_claim(&w, TEAM_RHOST, f->ssh_connection, strcspn(f->ssh_connection, " "));
    else
        put_claim_text(&w, TEAM_RHOST, f->rhost);
    if (f->op == TEAM_OP_CONFIRM) {
        wire_put_u64(&w, TEAM_SESSION, f->session);
    } else if (f->op == TEAM_OP_AWAIT) {
        wire_put_id(&w, TEAM_ID, f->request);
    } else if (f->op == TEAM_OP_FILE) {
        wire_put_u64(&w, TEAM_FOR_S, f->for_s);
        wire_put(&w, TEAM_REASON, f->reason);
        wire_put(&w, TEAM_TICKET, f->ticket);
    }
    return wire_finish(&w);
}

/* `sudo -e` opens its session with real uid 0, whoever runs it; but sudo says who that is. */
static bool is_roots_own(const struct facts *f, bool says_who)
{
    return f->uid == 0 && (!says_who || absent(f->ruser) || strcmp(f->ruser, "root") == 0);
}

bool passes_unanswered(const struct facts *f)
{
    /* Not polkit-1, although it is of the class su: polkit's helper, where it is socket-activated,
     * has real uid 0 when it asks, whoever started it. */
    static const struct {
        const char *name;
        bool says_who; /* PAM_RUSER is who runs it */
    } SERVICES[] = {{"sudo", true},  {"sudo-i", true},   {"su", false},
                    {"su-l", false}, {"runuser", false}, {"runuser-l", false}};

    if (absent(f->service))
        return false;
    if (strcmp(f->service, "login") == 0)
        return f->user && strcmp(f->user, "root") == 0;
    for (size_t i = 0; i < sizeof SERVICES / sizeof SERVICES[0]; i++)
        if (strcmp(f->service, SERVICES[i].name) == 0)
            return is_roots_own(f, SERVICES[i].says_who);
    return false;
}

/* ---- the answer ---------------------------------------------------------------------------- */

/* A directory that only the kernel fills; teamd is trusted, but it is root that will write there.
 */
static bool is_cgroup(const char *path)
{
    static const char ROOT[] = "/sys/fs/cgroup/";

    return strncmp(path, ROOT, sizeof ROOT - 1) == 0 && !strstr(path, "/..");
}

/* What the person could do about a no. */
static void read_way_out(struct wire_span fields, struct answer *a)
{
    struct wire_span v = wire_find(fields, TEAM_ID);
    uint64_t first = 0, last = 0;
    char needs[7];

    (void)text_parse_id_prefix(v.at, v.len, &first, &last);
    if (first == last)
        a->request = first;
    wire_copy(fields, TEAM_NEEDS, needs, sizeof needs);
    if (strcmp(needs, "reason") == 0)
        a->needs = ANSWER_NEEDS_REASON;
    else if (strcmp(needs, "ticket") == 0)
        a->needs = ANSWER_NEEDS_TICKET;
    wire_find_u64(fields, TEAM_FOR_S, &a->longest_s);
    wire_copy(fields, TEAM_MATCH, a->ticket_pattern, sizeof a->ticket_pattern);
}

int answer_read(enum team_op op, const char *packet, size_t len, struct answer *ret)
{
    enum wire_result result;
    struct wire_msg msg;
    uint64_t code;

    *ret = (struct answer){.session = 0};
    result = wire_read(packet, len, &msg);
    if (result == WIRE_OTHER_VERSION)
        return -EPROTONOSUPPORT;
    if (result != WIRE_OK || msg.kind != TEAM_ANSWER || msg.op != op ||
        !wire_find_u64(msg.fields, TEAM_CODE, &code))
        return -EBADMSG;
    wire_copy(msg.fields, TEAM_TEXT, ret->text, sizeof ret->text);
    if (code != TEAM_DONE) {
        if (op == TEAM_OP_ACCOUNT)
            read_way_out(msg.fields, ret);
        return ANSWER_NO;
    }
    if (op == TEAM_OP_OPEN)
        wire_copy(msg.fields, TEAM_CGROUP, ret->cgroup, sizeof ret->cgroup);
    if (ret->cgroup[0] != '\0' && !is_cgroup(ret->cgroup))
        return -EBADMSG;
    /* A session that was not recorded is not a yes. */
    if ((op == TEAM_OP_OPEN || op == TEAM_OP_CONFIRM) &&
        !wire_find_u64(msg.fields, TEAM_SESSION, &ret->session))
        return -EBADMSG;
    return ANSWER_YES;
}

/* ---- the verdict --------------------------------------------------------------------------- */

enum finding {
    FOUND_YES = 0,
    FOUND_NO = 1,
    FOUND_SILENCE = 2,   /* no answer */
    FOUND_UNNAMABLE = 3, /* no question */
    FOUND_MISTAKE = 4,   /* in the arguments */
    FOUND_ROOT = 5,      /* one of the three above, but root passes without an answer */
    FINDINGS = 6,
};

/* clang-format off */
static const struct {
    enum verdict_code account, open, close;
    int priority;
} TABLE[FINDINGS] = {
    /*                    account              open          close         log */
    [FOUND_YES]       = { VERDICT_PASS,        VERDICT_PASS, VERDICT_PASS, LOG_DEBUG },
    [FOUND_NO]        = { VERDICT_DENY,        VERDICT_DENY, VERDICT_PASS, LOG_NOTICE },
    [FOUND_SILENCE]   = { VERDICT_CANNOT_KNOW, VERDICT_DENY, VERDICT_PASS, LOG_ERR },
    [FOUND_UNNAMABLE] = { VERDICT_DENY,        VERDICT_DENY, VERDICT_PASS, LOG_ERR },
    [FOUND_MISTAKE]   = { VERDICT_BAD_SETUP,   VERDICT_DENY, VERDICT_PASS, LOG_ERR },
    [FOUND_ROOT]      = { VERDICT_PASS,        VERDICT_PASS, VERDICT_PASS, LOG_WARNING },
};
/* clang-format on */

static enum finding find(const struct facts *f, const struct options *o, int answer)
{
    bool root = passes_unanswered(f);

    if (o->wrong && !root)
        return FOUND_MISTAKE;
    if (answer == ANSWER_YES)
        return o->wrong ? FOUND_ROOT : FOUND_YES;
    if (answer >= 0)
        return FOUND_NO; /* to root as well: no is no */
    if (root)
        return FOUND_ROOT;
    return answer == -EINVAL ? FOUND_UNNAMABLE : FOUND_SILENCE;
}

/* ---- words --------------------------------------------------------------------------------- */

enum { NAME_SHOWN = 64, ARGUMENT_SHOWN = 128 };

/* What nobody has checked: made plain, and cut when long. */
static void put_plain(struct text *t, const char *s, size_t most)
{
    char plain[ARGUMENT_SHOWN + 1];

    text_make_plain(plain, most + 1, s, strlen(s));
    text_put(t, plain);
}

static void put_name(struct text *t, const char *s)
{
    if (absent(s))
        text_put(t, "-");
    else
        put_plain(t, s, NAME_SHOWN);
}

/* Why there is no answer, as a clause about teamd. */
static void put_silence(struct text *t, const struct options *o, int error)
{
    static const struct {
        int error;
        const char *clause;
    } CLAUSES[] = {
        {-ENOENT, "it is not running"},
        {-ECONNREFUSED, "it is not running"},
        {-ECONNRESET, "it hung up"},
        {-EMSGSIZE, "its answer is too long"},
        {-EBADMSG, "its answer is garbled"},
        {-EPROTONOSUPPORT, "it speaks another version of the protocol"},
        {-EPERM, "somebody else than root listens in its place"},
        {-EPROTOTYPE, "its socket is of another type"},
    };

    for (size_t i = 0; i < sizeof CLAUSES / sizeof CLAUSES[0]; i++)
        if (CLAUSES[i].error == error) {
            text_put(t, CLAUSES[i].clause);
            return;
        }
    if (error == -ETIMEDOUT) {
        text_put(t, "not within ");
        text_put_duration(t, (uint64_t)o->timeout_us / (1000 * 1000));
    } else {
        text_put(t, "error ");
        text_put_u64(t, (uint64_t)-error);
    }
}

static void write_message(struct text *t, const struct facts *f, const struct options *o,
                          enum finding found, int answer, const char *text)
{
    if (found == FOUND_NO && !absent(text)) {
        text_make_plain(t->buf, t->cap, text, strlen(text));
    } else if (found == FOUND_NO) {
        text_put(t, "access is denied; to see why, run: teamctl why ");
        put_name(t, f->service);
    } else if (found == FOUND_SILENCE) {
        text_put(t, "access is denied: teamd does not answer (");
        put_silence(t, o, answer);
        text_put(t, "); tell an administrator");
    } else if (found == FOUND_MISTAKE) {
        text_put(t, "access is denied: pam_team has a wrong argument in the PAM configuration of ");
        put_name(t, f->service);
        text_put(t, "; tell an administrator");
    } else {
        text_put(t, "access is denied: teamd cannot be asked about a service or user of this name");
    }
}

static void put_reason(struct text *t, const struct options *o, enum finding found, int answer,
                       const char *text)
{
    if (o->wrong) {
        text_put(t, "argument \"");
        put_plain(t, o->wrong, ARGUMENT_SHOWN);
        text_put(t, "\" is not understood");
    } else if (found == FOUND_NO) {
        size_t room = t->cap - t->len;

        text_make_plain(t->buf + t->len, room, text, strlen(text));
    } else if (answer == -EINVAL) {
        text_put(t, "teamd cannot be told the name of the service or the user");
    } else if (answer == -EXDEV) {
        text_put(t, "the session's container cannot be entered");
    } else {
        text_put(t, "teamd does not answer on ");
        put_plain(t, o->socket, ARGUMENT_SHOWN);
        text_put(t, " (");
        put_silence(t, o, answer);
        text_put(t, ")");
    }
}

static void write_log(struct text *t, const struct facts *f, const struct options *o,
                      enum finding found, int answer, const char *text)
{
    text_put(t, "uid=");
    text_put_u64(t, f->uid);
    text_put(t, " user=");
    put_name(t, f->user);
    if (f->op == TEAM_OP_CLOSE && !(found == FOUND_ROOT && answer == ANSWER_YES))
        text_put(t, " end of session not reported: ");
    else if (found == FOUND_ROOT)
        text_put(t, " passes as root: ");
    else
        text_put(t, " denied: ");
    put_reason(t, o, found, answer, text);
}

void verdict_reach(const struct facts *f, const struct options *o, int answer, const char *text,
                   struct verdict *ret)
{
    enum finding found = find(f, o, answer);
    struct text message, log;

    ret->code = f->op == TEAM_OP_ACCOUNT ? TABLE[found].account
                : f->op == TEAM_OP_CLOSE ? TABLE[found].close
                                         : TABLE[found].open;
    ret->priority = TABLE[found].priority;
    message = text_over(ret->message, sizeof ret->message);
    log = text_over(ret->log, sizeof ret->log);
    if (found == FOUND_YES)
        return;
    write_log(&log, f, o, found, answer, text);
    /* Only in account: pkexec's conversation aborts the host when a session speaks to it. */
    if (f->op == TEAM_OP_ACCOUNT && found != FOUND_ROOT && !o->quiet)
        write_message(&message, f, o, found, answer, text);
}
