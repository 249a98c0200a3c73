/* Asks on both sockets, in any order, by anybody, whole or in pieces: teamd answers each with one
 * well-formed answer or hangs up, says yes at the gate only under a request that somebody else has
 * approved, and keeps its trail whole.
 *
 * An input is a list of steps. A step begins with a byte: who (three bits), on which connection
 * (two bits), at the gate (one bit), and what (two bits): a packet made of fields, a packet of any
 * bytes, hanging up, or time passes. LIBFUZZER: -max_len=400 */
#include "fuzz/teamd_rig.h"

enum { CONNECTIONS = 4, STEPS = 40, FIELDS = 8 };

static struct peer_end {
    int fd; /* -1: not connected */
    unsigned who;
    bool gate;
} ends[CONNECTIONS];

/* ---- a request that somebody else approved, as the store knows it ---------------------------- */

struct looking {
    uint32_t uid;
    const char *class;
    bool found;
};

static int look_at_request(void *ctx, const struct record *r)
{
    struct looking *l = ctx;
    bool approved = false, covers = false;

    for (size_t i = 0; i < r->n_decisions; i++)
        approved = approved || (r->decisions[i].approved && r->decisions[i].uid != l->uid &&
                                r->decisions[i].about == ABOUT_REQUEST);
    for (size_t i = 0; i < r->request.n_targets; i++)
        covers = covers || strcmp(r->request.grants[i].target.what, l->class) == 0;
    if (r->request.requester == l->uid && r->request.state == REQ_ACTIVE && approved && covers &&
        r->request.active_until.us > clock_now.wall.us)
        l->found = true;
    return 0;
}

static bool has_elevation(uint32_t uid, const char *class)
{
    struct request_query q = {.by_requester = true, .requester = uid};
    struct looking l = {uid, class, false};

    while (store_requests(teamd.store, &q, 1000, look_at_request, &l) > 0)
        ;
    return l.found;
}

/* ---- what teamd says ------------------------------------------------------------------------- */

/* What was asked last on each connection, if it was for the gate. */
static struct {
    unsigned op;
    uint32_t uid;
    char service[WORD_CAP], user[NAME_CAP];
} asked[CONNECTIONS];

/* Whose access it is that was asked for, and the class: as DESIGN.md says it, for those services
 * that the input can name. */
static void check_yes(unsigned c)
{
    const char *service = asked[c].service;
    uint32_t uid = asked[c].uid;

    if (asked[c].op != TEAM_OP_ACCOUNT && asked[c].op != TEAM_OP_OPEN)
        return; /* a close is no access, and a confirm is of what was opened */
    if (strcmp(service, "sshd") == 0 || strcmp(service, "login") == 0) {
        uid = NOBODY;
        for (int i = 0; i < KNOWN; i++)
            if (strcmp(CAST[i].name, asked[c].user) == 0)
                uid = CAST[i].uid;
        if (uid == 0 && service[0] == 'l')
            return; /* root at the console */
    } else if (uid == 0) {
        return; /* root is root without us; sudo -e has its own tests */
    }
    must(has_elevation(uid, strcmp(service, "sshd") == 0       ? "ssh"
                            : strcmp(service, "login") == 0    ? "login"
                            : strncmp(service, "sudo", 4) == 0 ? "sudo"
                                                               : "su"),
         "a yes at the gate is under a request that somebody else approved");
}

static bool hear_one(unsigned c)
{
    static char packet[TEAM_PACKET_MAX];
    struct wire_msg msg;
    uint64_t code;
    ssize_t n = recv(ends[c].fd, packet, sizeof packet, MSG_DONTWAIT);

    if (n < 0)
        return false;
    if (n == 0) {
        close(ends[c].fd);
        ends[c].fd = -1;
        return false;
    }
    must(wire_read(packet, (size_t)n, &msg) == WIRE_OK, "what teamd says is well formed");
    must(msg.kind == TEAM_ANSWER ||
             (msg.kind == TEAM_ROWS &&
              (!ends[c].gate || (asked[c].op == TEAM_OP_AWAIT && msg.op == TEAM_ROW_NEWS))),
         "teamd says answers, rows on control.sock, and news to who waits");
    if (msg.kind == TEAM_ROWS)
        return true;
    must(wire_find_u64(msg.fields, TEAM_CODE, &code) && code <= TEAM_WRONG_STATE,
         "an answer has a code");
    if (ends[c].gate && code == TEAM_DONE && msg.op == asked[c].op)
        check_yes(c);
    must(!ends[c].gate || code != TEAM_DONE || msg.op != TEAM_OP_NONE, "nothing is no yes");
    return true;
}

static void hear_all(void)
{
    for (unsigned c = 0; c < CONNECTIONS; c++)
        while (ends[c].fd >= 0 && hear_one(c))
            rig_settle();
}

/* ---- steps ----------------------------------------------------------------------------------- */

static void hang_up(unsigned c)
{
    if (ends[c].fd >= 0)
        close(ends[c].fd);
    ends[c].fd = -1;
    rig_settle();
}

/* Only root connects to the gate: the kernel sees to that. */
static void dial(unsigned c, unsigned who, bool gate)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};

    if (ends[c].fd >= 0 && ends[c].who == who && ends[c].gate == gate)
        return;
    hang_up(c);
    rig_path(to.sun_path, sizeof to.sun_path, gate ? "gate.sock" : "control.sock");
    ends[c] = (struct peer_end){socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0), who, gate};
    must(connect(ends[c].fd, (struct sockaddr *)&to, sizeof to) == 0, "teamd listens");
    connecting = gate ? 0 : who;
    rig_settle(); /* it is accepted now, as this person */
}

static void say(unsigned c, const char *packet, size_t n)
{
    if (ends[c].fd >= 0 && n > 0)
        (void)!send(ends[c].fd, packet, n, MSG_NOSIGNAL | MSG_DONTWAIT);
    rig_settle();
    hear_all();
}

/* A value that the class of the tag allows, mostly. */
static void put_value(struct text *t, unsigned tag, unsigned n)
{
    static const char *const NUMBERS[] = {"0",    "1",     "60",         "3600",
                                          "7200", "14400", "4294967295", "18446744073709551615"};
    static const char *const WORDS[] = {"sudo", "su",       "sshd",     "login",
                                        "su-l", "approved", "rejected", "request.approve"};
    static const char *const TEXTS[] = {"sudo",
                                        "host:bastion-1/su",
                                        "ssh",
                                        "host:bastion-2/sudo",
                                        "aws:111122223333/Admin",
                                        "pending,active",
                                        "host:*/*",
                                        "="};

    switch ((enum team_class)wire_rule(tag).class) {
    case TEAM_CS_ID:
        text_put_id(t, id_number(n % 8 + 1).bits);
        if (n & 8 && t->len > 4)
            t->len = 4; /* a prefix */
        break;
    case TEAM_CS_NUM:
        if (tag == TEAM_UID)
            text_put_u64(t, CAST[n % ACTORS].uid);
        else if (tag == TEAM_START || tag == TEAM_SINCE || tag == TEAM_UNTIL)
            text_put_u64(t, (uint64_t)clock_now.wall.us + n % 8 * 60 * SECOND_US);
        else
            text_put(t, NUMBERS[n % 8]);
        break;
    case TEAM_CS_NAME:
        text_put(t, CAST[n % ACTORS].name);
        break;
    case TEAM_CS_WORD:
        text_put(t, WORDS[n % 8]);
        break;
    case TEAM_CS_TEXT:
    case TEAM_CS_GROUP:
        text_put(t, TEXTS[n % 8]);
        break;
    }
}

static size_t put_raw(char *at, unsigned tag, const char *value, size_t n)
{
    wire_store_u16(at, tag);
    wire_store_u16(at + 2, n);
    memcpy(at + 4, value, n);
    return 4 + n;
}

/* Every op of the socket within a few bits. */
static unsigned op_of(uint8_t byte, bool gate)
{
    if (gate)
        return byte % 8;
    return byte % 32 < 10 ? 32 + byte % 32 : 14 + (byte % 32 - 10) % 10;
}

static void say_fields(unsigned c, struct fuel *f)
{
    char packet[TEAM_HEADER_LEN + FIELDS * (4 + 256)];
    unsigned op = op_of(take(f), ends[c].gate), n = take(f) % (FIELDS + 1);
    size_t len;

    wire_begin(packet, sizeof packet, TEAM_ASK, op);
    len = TEAM_HEADER_LEN;
    asked[c].op = op;
    asked[c].uid = NOBODY;
    asked[c].service[0] = asked[c].user[0] = '\0';
    for (unsigned i = 0; i < n; i++) {
        unsigned tag = take(f) % TEAM_TAG_END, how = take(f);
        char value[256];
        struct text t = text_over(value, sizeof value);

        if (how < 128) {
            put_value(&t, tag, how);
            len += put_raw(packet + len, tag, value, t.len);
        } else {
            size_t got;
            char *bytes = take_bytes(f, how - 128, &got);

            text_put_n(&t, bytes, got);
            len += put_raw(packet + len, tag, bytes, got);
            free(bytes);
        }
        if (tag == TEAM_SERVICE)
            snprintf(asked[c].service, sizeof asked[c].service, "%s", value);
        if (tag == TEAM_USER)
            snprintf(asked[c].user, sizeof asked[c].user, "%s", value);
        if (tag == TEAM_UID)
            asked[c].uid = (uint32_t)strtoul(value, NULL, 10);
    }
    wire_store_u16(packet + 6, n);
    say(c, packet, len);
}

static void pass(struct fuel *f)
{
    static const int64_t S[] = {1, 59, 3600, 7200, 10800, -3600, 1000000, 2};
    int64_t us = S[take(f) % 8] * SECOND_US;

    clock_now.wall.us += us;
    if (us > 0)
        clock_now.boot.us += us;
    turn_run(&teamd);
    rig_settle();
    hear_all();
}

static void step(struct fuel *f)
{
    uint8_t byte = take(f);
    unsigned c = byte >> 3 & 3;

    switch (byte >> 6) {
    case 3:
        if (byte & 7)
            pass(f);
        else
            hang_up(c);
        break;
    case 2:
        dial(c, byte & 7, byte >> 5 & 1);
        if (!ends[c].gate) { /* what the gate is asked has to be known, to be judged */
            size_t n;
            char *packet = take_bytes(f, take(f), &n);

            say(c, packet, n);
            free(packet);
        }
        break;
    default:
        dial(c, byte & 7, byte >> 5 & 1);
        say_fields(c, f);
    }
}

/* ---- the trail ------------------------------------------------------------------------------- */

struct chain {
    uint64_t seq;
    uint8_t hash[32];
};

static int link_event(void *ctx, const struct trail_event *e)
{
    struct chain *c = ctx;

    must(e->seq == c->seq + 1 && memcmp(e->prev, c->hash, sizeof c->hash) == 0,
         "every event is chained to the one before");
    c->seq = e->seq;
    memcpy(c->hash, e->hash, sizeof c->hash);
    return 0;
}

static void check_trail(void)
{
    struct trail_query q = {.actor = "", .action = ""};
    struct chain c = {0};
    int r;

    while ((r = store_trail(teamd.store, &q, 1000, link_event, &c)) > 0)
        ;
    must(r == 0 && c.seq > 0, "the trail can be read");
    must(world_check(&teamd.world) == NULL, "the world agrees with itself");
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t len)
{
    struct fuel f = {input, len};

    rig_up();
    for (unsigned c = 0; c < CONNECTIONS; c++)
        ends[c] = (struct peer_end){.fd = -1};
    for (unsigned i = 0; f.left > 0 && i < STEPS; i++)
        step(&f);
    turn_run(&teamd);
    check_trail();
    for (unsigned c = 0; c < CONNECTIONS; c++)
        hang_up(c);
    rig_down();
    return 0;
}
