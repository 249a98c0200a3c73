/* What the tests of the store share: a directory of their own, values with every field set, and a
 * generator with a seed. */
#pragma once

#include "store/store.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define BOOT_1 "11111111-2222-3333-4444-555555555555"
#define BOOT_2 "99999999-2222-3333-4444-555555555555"
#define HOST   "bastion-1"

/* ---- a directory for one test ---------------------------------------------------------------- */

static char kit_dir[64];

static inline int kit_setup(void **state)
{
    (void)state;
    snprintf(kit_dir, sizeof kit_dir, "/tmp/team-store-XXXXXX");
    return mkdtemp(kit_dir) ? 0 : -1;
}

static inline int kit_remove(const char *path, const struct stat *st, int flag, struct FTW *f)
{
    (void)st, (void)flag, (void)f;
    return remove(path);
}

static inline int kit_teardown(void **state)
{
    (void)state;
    return nftw(kit_dir, kit_remove, 16, FTW_DEPTH | FTW_PHYS);
}

static inline struct store *kit_open_in(const char *boot)
{
    struct store *s = NULL;

    assert_int_equal(store_open(kit_dir, HOST, boot, &s), 0);
    assert_non_null(s);
    return s;
}

static inline struct store *kit_open(void)
{
    return kit_open_in(BOOT_1);
}

#define T(f) cmocka_unit_test_setup_teardown(f, kit_setup, kit_teardown)

/* ---- values ---------------------------------------------------------------------------------- */

static inline struct wall at(int64_t s)
{
    return (struct wall){s * SECOND_US};
}

static inline struct now now_at(int64_t s)
{
    return (struct now){.wall = at(s), .boot = {s}};
}

static inline struct name named(const char *s)
{
    struct name n = {""};

    snprintf(n.text, sizeof n.text, "%s", s);
    return n;
}

static inline struct target target_of(const char *s)
{
    struct target t = {0};

    assert_int_equal(target_parse(s, strlen(s), HOST, &t), TARGET_OK);
    return t;
}

/* The least that a request is. */
static inline struct request kit_request(uint64_t id, uint32_t uid, enum request_state state,
                                         int64_t asked_s, const char *target)
{
    struct request r;

    memset(&r, 0, sizeof r);
    r.id.bits = id;
    r.requester = uid;
    r.state = (uint8_t)state;
    r.requested_at = at(asked_s);
    r.duration_s = 3600;
    r.n_targets = 1;
    r.grants[0].target = target_of(target);
    r.grants[0].state = GRANT_WAITING;
    return r;
}

static inline struct session kit_session(uint64_t number, uint64_t request,
                                         enum session_state state)
{
    struct session s;

    memset(&s, 0, sizeof s);
    s.number = number;
    s.request.bits = request;
    s.uid = 1001;
    s.user = named("alice");
    s.state = (uint8_t)state;
    return s;
}

/* Every field set, and no two alike. */
static inline struct request kit_full_request(void)
{
    struct request r = kit_request(0x9a7c5b3e1d, 1001, REQ_ENDING, 1767225600, "sudo");

    r.requester_name = named("alice");
    r.end_as = REQ_REVOKED;
    r.approval_required = true;
    r.n_targets = 2;
    r.grants[0].state = GRANT_CLOSING;
    r.grants[1].target = target_of("aws:111122223333/ReadOnlyAccess");
    r.grants[1].state = GRANT_CLOSED;
    snprintf(r.grants[1].set, sizeof r.grants[1].set, "ps-0123456789abcdef");
    r.grants[1].session_s = 3600;
    r.grants[1].errand = 77;
    r.grants[1].credentials_until = at(1767233600);
    snprintf(r.aws_user, sizeof r.aws_user, "906789abcd-12345678-1234-1234-1234-123456789abc");
    r.duration_s = 7200;
    r.extended_s = 1800;
    r.requested_start = at(1767226600);
    r.asked_aws = at(1767227500);
    r.active_from = at(1767227600);
    r.active_until = at(1767234800);
    r.ended_at = at(1767230000);
    r.due = (struct deadline){at(1767234801), {123456789}};
    r.extension = (struct extension){1800, at(1767229000), {at(1767239000), {NEVER_US}}};
    r.n_approvals = 2;
    r.approvals[0] = (struct approval){1002, named("bob")};
    r.approvals[1] = (struct approval){1003, named("carol")};
    r.n_decisions = 3;
    r.revoked_by = named("dave");
    snprintf(r.failure, sizeof r.failure, "the account is closed");
    snprintf(r.host, sizeof r.host, HOST);
    return r;
}

static inline struct errand kit_errand(uint64_t number, enum errand_state state)
{
    struct errand e;

    memset(&e, 0, sizeof e);
    e.number = number;
    e.round = 3;
    e.state = (uint8_t)state;
    e.uid = 1001;
    e.request.bits = 0x9a7c5b3e1d;
    e.since = at(1767229300);
    snprintf(e.account, sizeof e.account, "111122223333");
    snprintf(e.set, sizeof e.set, "arn:aws:sso:::permissionSet/ssoins-1/ps-0123456789abcdef");
    snprintf(e.set_name, sizeof e.set_name, "ReadOnlyAccess");
    snprintf(e.user, sizeof e.user, "906789abcd-12345678-1234-1234-1234-123456789abc");
    snprintf(e.trouble, sizeof e.trouble, "AWS says: slower");
    return e;
}

static inline struct collection kit_collection(uint64_t id, uint8_t target, int64_t from_s)
{
    struct collection c;

    memset(&c, 0, sizeof c);
    c.request.bits = id;
    c.target = target;
    c.stage = COLLECT_LIVE;
    snprintf(c.account, sizeof c.account, "111122223333");
    snprintf(c.set, sizeof c.set, "ReadOnlyAccess");
    snprintf(c.user, sizeof c.user, "alice@example.com");
    snprintf(c.user_id, sizeof c.user_id, "906789abcd-12345678-1234-1234-1234-123456789abc");
    c.from = c.cursor = at(from_s);
    return c;
}

static inline struct collection kit_full_collection(void)
{
    struct collection c = kit_collection(0x9a7c5b3e1d, 1, 1767227600);

    c.stage = COLLECT_LAST;
    c.until = at(1767233600);
    c.cursor = at(1767233599);
    c.calls = 500;
    c.changes = 20;
    c.refused = 3;
    c.n_gaps = 2;
    c.gaps[0] = (struct gap){{at(1767228000), at(1767228420)}, "CloudTrail says: slower"};
    c.gaps[1] = (struct gap){{at(1767229000), at(1767229060)}, "the role may not be assumed"};
    return c;
}

static inline struct session kit_full_session(void)
{
    struct session s = kit_session(42, 0x9a7c5b3e1d, SESSION_TERMINATING);

    s.class = CLASS_SSH;
    snprintf(s.service, sizeof s.service, "sshd");
    s.target_user = named("root");
    snprintf(s.tty, sizeof s.tty, "/dev/pts/3");
    snprintf(s.rhost, sizeof s.rhost, "192.0.2.7");
    s.leader = (struct leader){4711, 987654321};
    s.loginuid = NOBODY;
    s.parent = 12;
    s.contained = true;
    s.escaped = true;
    s.audit_session = 5;
    s.end = SESSION_END_KILLED;
    snprintf(s.command, sizeof s.command, "id -u");
    snprintf(s.scope, sizeof s.scope, "/s.scope");
    s.scope_number = 4097;
    s.started_at = at(1767229300);
    s.ended_at = at(1767229400);
    return s;
}

/* ---- writing --------------------------------------------------------------------------------- */

static struct effects kit_effects;

static inline struct effect *kit_effect(enum effect_kind kind)
{
    struct effect *e = &kit_effects.items[kit_effects.n++];

    assert_true(kit_effects.n <= EFFECTS_MAX);
    memset(e, 0, sizeof *e);
    e->kind = kind;
    return e;
}

static inline void kit_add_request(struct request r)
{
    kit_effect(EFFECT_REQUEST)->request = r;
}

static inline void kit_add_session(struct session s)
{
    kit_effect(EFFECT_SESSION)->session = s;
}

static inline void kit_add_words(uint64_t id, enum words_kind kind, const char *text)
{
    kit_effect(EFFECT_WORDS)->words = (struct words){{id}, (uint8_t)kind, text};
}

static inline void kit_add_decision(uint64_t id, uint16_t number, const char *by, const char *text)
{
    kit_effect(EFFECT_DECISION)->decision = (struct decision){
        {id}, number, number % 2 == 0, ABOUT_REQUEST, 1000u + number, named(by), at(77), text};
}

static inline void kit_add_audit(const char *action, const char *actor, uint64_t id,
                                 const char *detail)
{
    struct audit *a = &kit_effect(EFFECT_AUDIT)->audit;

    a->action = action;
    a->actor = named(actor);
    a->id.bits = id;
    a->outcome = "done";
    snprintf(a->target, sizeof a->target, "host:bastion-1/sudo");
    snprintf(a->detail, sizeof a->detail, "%s", detail);
}

/* Gives what was collected to the open transaction. */
static inline void kit_give(struct store *s)
{
    store_add(s, &kit_effects);
    kit_effects.n = 0;
}

static inline int kit_commit_at(struct store *s, int64_t now_s)
{
    int r = store_begin(s, now_at(now_s));

    if (r < 0)
        return r;
    kit_give(s);
    return store_commit(s);
}

static inline void kit_commit(struct store *s)
{
    assert_int_equal(kit_commit_at(s, 1000), 0);
}

/* ---- chance ---------------------------------------------------------------------------------- */

/* xorshift64*: the same everywhere, for the same seed. */
static inline uint64_t chance(uint64_t *seed)
{
    *seed ^= *seed >> 12;
    *seed ^= *seed << 25;
    *seed ^= *seed >> 27;
    return *seed * UINT64_C(2685821657736338717);
}

static inline uint64_t below(uint64_t *seed, uint64_t n)
{
    return (chance(seed) >> 11) % n;
}

/* ---- a few requests ----------------------------------------------------------------------- */

static inline int kit_count(void *ctx, const struct record *r)
{
    (void)r;
    ++*(size_t *)ctx;
    return 0;
}

static inline size_t kit_requests_in(struct store *s)
{
    struct request_query q = {.started = false};
    size_t n = 0;

    assert_int_equal(store_requests(s, &q, SIZE_MAX, kit_count, &n), 0);
    return n;
}

/* A request of a few kilobytes with its event. */
static inline int kit_commit_one(struct store *s, uint64_t id)
{
    static char reason[3001];

    memset(reason, 'r', sizeof reason - 1);
    kit_add_request(kit_request(id, 1001, REQ_PENDING, (int64_t)id, "sudo"));
    kit_add_words(id, WORDS_REASON, reason);
    kit_add_audit("request.submit", "alice", id, "");
    return kit_commit_at(s, (int64_t)id);
}
