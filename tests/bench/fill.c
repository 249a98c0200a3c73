/* Fills a new store through the store's own code, as years of use would:
 *   fill DIR REQUESTS EVENTS FIRST
 * So many requests with so many events each, all of them over; requesters u000 to u999 whom this
 * host does not know any more, and then, whatever REQUESTS is, the same hundred of the last hour:
 * by eight people of this host (b000 to b007, uids FIRST and up). It does not wait for the disk
 * until the end. */
#include "bench.h"

#include "store/internal.h"

#include <sodium.h>

enum { TAIL = 100, BATCH = 4096, PAST_PEOPLE = 1000, TAIL_PEOPLE = 8 };

static const struct store_sizes SIZES = {.map = (size_t)64 << 30, .headroom = (size_t)2 << 30};

static unsigned first_uid;

static struct name name_of(const char *kind, unsigned n)
{
    struct name name;

    snprintf(name.text, sizeof name.text, "%s%03u", kind, n);
    return name;
}

/* As random as ids are, each of them once. */
static struct id id_of(uint64_t i)
{
    return (struct id){(i + 1) * UINT64_C(0x9e3779b97f) & ((UINT64_C(1) << 40) - 1)};
}

static struct wall later(struct wall t, int64_t s)
{
    return (struct wall){t.us + s * SECOND_US};
}

/* ---- one request and what happened to it ------------------------------------------------------
 */

static const char *const TARGETS[] = {"host:bastion-1/sudo", "host:bastion-1/ssh",
                                      "host:bastion-1/sudo", "aws:111122223333/AdministratorAccess",
                                      "host:bastion-1/su"};

static const uint8_t ENDS[] = {REQ_ENDED,    REQ_ENDED, REQ_ENDED,     REQ_REVOKED,
                               REQ_REJECTED, REQ_ENDED, REQ_CANCELLED, REQ_EXPIRED};

static struct request past_request(uint64_t i, struct wall asked, bool tail)
{
    unsigned who = (unsigned)(chance() % PAST_PEOPLE);
    struct request r = {.id = id_of(i), .n_targets = 1, .duration_s = 3600, .n_decisions = 1};
    const char *target = TARGETS[i % (sizeof TARGETS / sizeof TARGETS[0])];

    r.requester = tail ? first_uid + (unsigned)i % TAIL_PEOPLE : 100000 + who;
    r.requester_name = tail ? name_of("b", (unsigned)i % TAIL_PEOPLE) : name_of("u", who);
    r.state = ENDS[i % sizeof ENDS];
    r.approval_required = true;
    target_parse(target, strlen(target), "bastion-1", &r.grants[0].target);
    r.grants[0].state = GRANT_CLOSED;
    r.requested_at = asked;
    if (r.state == REQ_ENDED || r.state == REQ_REVOKED) {
        r.active_from = later(asked, 60);
        r.active_until = later(asked, 3660);
    }
    r.ended_at = later(asked, 3660);
    if (r.state == REQ_REVOKED)
        r.revoked_by = name_of("lead", 1);
    r.due = (struct deadline){{NEVER_US}, {NEVER_US}};
    memcpy(r.host, "bastion-1", sizeof "bastion-1");
    return r;
}

static const char *const ACTIONS[] = {
    "request.submit", "request.approve", "request.schedule", "request.start", "request.active",
    "gate.account",   "session.open",    "session.confirm",  "session.end",   "request.end"};

static const char *const DETAILS[] = {"rotate the TLS certificates of the front proxies",
                                      "go ahead",
                                      "",
                                      "",
                                      "for 1h",
                                      "service sudo, asked 3 times",
                                      "service sudo for root on /dev/pts/3",
                                      "session 42",
                                      "session 42",
                                      "ended"};

static void put_event(struct effects *out, uint64_t i, uint64_t n, const struct request *r)
{
    struct effect *e = &out->items[out->n++];
    size_t what = (size_t)(n % (sizeof ACTIONS / sizeof ACTIONS[0]));

    memset(e, 0, offsetof(struct effect, audit) + sizeof e->audit);
    e->kind = EFFECT_AUDIT;
    e->audit.action = ACTIONS[what];
    e->audit.actor = what == 1 ? name_of("lead", (unsigned)(i % 5)) : r->requester_name;
    e->audit.id = r->id;
    target_text(&r->grants[0].target, e->audit.target);
    e->audit.outcome = what == 5 ? "yes" : "done";
    snprintf(e->audit.detail, sizeof e->audit.detail, "%s", DETAILS[what]);
}

static void put_session(struct effects *out, uint64_t i, const struct request *r)
{
    struct effect *e = &out->items[out->n++];

    *e = (struct effect){.kind = EFFECT_SESSION};
    e->session = (struct session){.number = i + 1,
                                  .request = r->id,
                                  .uid = r->requester,
                                  .user = r->requester_name,
                                  .class = CLASS_SUDO,
                                  .state = SESSION_ENDED,
                                  .leader = {4711, 987654321},
                                  .loginuid = r->requester,
                                  .contained = true,
                                  .started_at = r->active_from,
                                  .ended_at = r->ended_at};
    memcpy(e->session.service, "sudo", sizeof "sudo");
    memcpy(e->session.target_user.text, "root", sizeof "root");
    memcpy(e->session.tty, "/dev/pts/3", sizeof "/dev/pts/3");
}

static void put_rows(struct effects *out, const struct request *r)
{
    struct effect *e = &out->items[out->n++];

    e->kind = EFFECT_REQUEST;
    e->request = *r;
    e = &out->items[out->n++];
    e->kind = EFFECT_WORDS;
    e->words = (struct words){r->id, WORDS_REASON,
                              "rotate the TLS certificates of the front proxies"};
    e = &out->items[out->n++];
    e->kind = EFFECT_DECISION;
    e->decision = (struct decision){.id = r->id,
                                    .approved = true,
                                    .about = ABOUT_REQUEST,
                                    .uid = 100001,
                                    .by = name_of("lead", 1),
                                    .at = r->requested_at,
                                    .comment = "go ahead"};
}

static void put_all(struct store *s, uint64_t i, unsigned events, struct wall asked, bool tail)
{
    static struct effects out;
    struct request r = past_request(i, asked, tail);

    out.n = 0;
    put_rows(&out, &r);
    if (r.active_from.us > 0)
        put_session(&out, i, &r);
    for (unsigned n = 0; n < events; n++) {
        if (out.n == EFFECTS_MAX) {
            store_add(s, &out);
            out.n = 0;
        }
        put_event(&out, i, i * events + n, &r);
    }
    s->now = asked; /* each at its time, though many are in one transaction */
    store_add(s, &out);
}

/* ---- all of them ----------------------------------------------------------------------------- */

static void begin(struct store *s)
{
    struct now now = {.boot = {0}};

    if (store_begin(s, now) < 0)
        die("the transaction cannot begin");
}

static void commit(struct store *s)
{
    int r = store_commit(s);

    if (r < 0)
        die("the store cannot be written: %s", strerror(-r));
}

static void fill(struct store *s, uint64_t requests, unsigned events)
{
    struct wall now = {(int64_t)time(NULL) * SECOND_US};
    uint64_t past = requests > TAIL ? requests - TAIL : 0;

    begin(s);
    for (uint64_t i = 0; i < requests; i++) {
        bool tail = i >= past;
        int64_t ago = tail ? (int64_t)(requests - i) * 30 + 60
                           : (int64_t)(requests - i) * 60 + (int64_t)60 * 60 * 24;

        put_all(s, tail ? (UINT64_C(1) << 32) + (i - past) : i, events, later(now, -ago), tail);
        if ((i + 1) % BATCH == 0) {
            commit(s);
            begin(s);
        }
    }
    commit(s);
}

int main(int argc, char **argv)
{
    struct store *s = NULL;
    double started = now_us();
    int r;

    if (argc != 5)
        return 2;
    first_uid = number(argv[4]);
    r = store_open_sized(argv[1], "bastion-1", "11111111-2222-3333-4444-555555555555", SIZES, &s);
    if (r < 0)
        die("%s: %s", argv[1], strerror(-r));
    mdb_env_set_flags(s->env, MDB_NOSYNC, 1);
    fill(s, number(argv[2]), number(argv[3]));
    if (mdb_env_sync(s->env, 1) != 0)
        die("%s: cannot be synced", argv[1]);
    store_close(s);
    printf("filled in %.1f s\n", (now_us() - started) / 1e6);
    return 0;
}
