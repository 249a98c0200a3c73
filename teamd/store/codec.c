#include "store/codec.h"

#include "store/shape.h"

#include <errno.h>

/* Never renumbered, never reused: these are in every store. */
enum { RECORD_VERSION = 1, RECORD_HEAD = 2 };

enum kind {
    KIND_REQUEST = 1,
    KIND_DECISION = 2,
    KIND_WORDS = 3,
    KIND_SESSION = 4,
    KIND_EVENT = 5,
    KIND_LEDGER = 6,
    KIND_ERRAND = 7,
    KIND_NAMES = 8,
    KIND_COLLECTION = 9,
    KIND_ACTIVITY = 10,
};

#define SIZE(type, member) sizeof(((type *)0)->member)
#define NUMBER(tag, type, member, min, max)                                             \
    {                                                                                   \
        tag, FORM_NUMBER, SIZE(type, member), offsetof(type, member), min, max, NULL, 0 \
    }
#define TIME(tag, type, member) NUMBER(tag, type, member.us, INT64_MIN, INT64_MAX)
#define TEXT(tag, type, member, min)                                                \
    {                                                                               \
        tag, FORM_TEXT, SIZE(type, member), offsetof(type, member), min, 0, NULL, 0 \
    }
#define WORDS(tag, type, member, min, max)                                             \
    {                                                                                  \
        tag, FORM_WORDS, SIZE(type, member), offsetof(type, member), min, max, NULL, 0 \
    }
#define BYTES(tag, type, member)                                                   \
    {                                                                              \
        tag, FORM_BYTES, SIZE(type, member), offsetof(type, member), 0, 0, NULL, 0 \
    }
#define LIST(tag, type, member, count, min, max, shape)                                 \
    {                                                                                   \
        tag, FORM_LIST, SIZE(type, member[0]), offsetof(type, member), min, max, shape, \
            offsetof(type, count)                                                       \
    }
#define SHAPE(table)                          \
    {                                         \
        table, sizeof table / sizeof table[0] \
    }

#define ID_LAST  ((INT64_C(1) << 40) - 1)
#define TEXT_MAX 4096 /* of what people write; the packet codec has tighter limits */

/* clang-format off */

/* ---- requests ------------------------------------------------------------------------------- */

static const struct field GRANT_FIELDS[] = {
    NUMBER(1, struct grant, target.kind, TARGET_HOST, TARGET_AWS),
    TEXT  (2, struct grant, target.place, 1),
    TEXT  (3, struct grant, target.what, 1),
    NUMBER(4, struct grant, state, GRANT_WAITING, GRANT_STATES - 1),
    TEXT  (5, struct grant, set, 0),
    NUMBER(6, struct grant, session_s, 0, UINT32_MAX),
    NUMBER(7, struct grant, errand, 0, INT64_MAX),
    TIME  (8, struct grant, credentials_until),
};
static const struct shape GRANT = SHAPE(GRANT_FIELDS);

static const struct field APPROVAL_FIELDS[] = {
    NUMBER(1, struct approval, uid, 0, UINT32_MAX),
    TEXT  (2, struct approval, name, 0),
};
static const struct shape APPROVAL = SHAPE(APPROVAL_FIELDS);

static const struct field REQUEST_FIELDS[] = {
    NUMBER( 1, struct kept_request, request.id.bits, 1, ID_LAST),
    BYTES ( 2, struct kept_request, boot),
    NUMBER( 3, struct kept_request, request.requester, 0, UINT32_MAX),
    TEXT  ( 4, struct kept_request, request.requester_name, 0),
    NUMBER( 5, struct kept_request, request.state, REQ_PENDING, REQ_STATES - 1),
    NUMBER( 6, struct kept_request, request.end_as, 0, REQ_STATES - 1),
    NUMBER( 7, struct kept_request, request.approval_required, 0, 1),
    LIST  ( 8, struct kept_request, request.grants, request.n_targets, 1, TARGETS_MAX, &GRANT),
    NUMBER( 9, struct kept_request, request.duration_s, 0, INT64_MAX),
    TIME  (10, struct kept_request, request.requested_at),
    TIME  (11, struct kept_request, request.requested_start),
    TIME  (12, struct kept_request, request.active_from),
    TIME  (13, struct kept_request, request.active_until),
    TIME  (14, struct kept_request, request.ended_at),
    TIME  (15, struct kept_request, request.due.wall),
    TIME  (16, struct kept_request, request.due.boot),
    NUMBER(17, struct kept_request, request.extension.for_s, 0, INT64_MAX),
    TIME  (18, struct kept_request, request.extension.requested_at),
    TIME  (19, struct kept_request, request.extension.expires.wall),
    TIME  (20, struct kept_request, request.extension.expires.boot),
    LIST  (21, struct kept_request, request.approvals, request.n_approvals, 0, APPROVALS_MAX,
           &APPROVAL),
    NUMBER(22, struct kept_request, request.n_decisions, 0, UINT16_MAX),
    TEXT  (23, struct kept_request, request.revoked_by, 0),
    TEXT  (24, struct kept_request, request.failure, 0),
    TEXT  (25, struct kept_request, request.host, 0),
    TEXT  (26, struct kept_request, request.aws_user, 0),
    NUMBER(27, struct kept_request, request.extended_s, 0, INT64_MAX),
    TIME  (28, struct kept_request, request.asked_aws),
};
static const struct shape REQUEST = SHAPE(REQUEST_FIELDS);

static const struct field DECISION_FIELDS[] = {
    NUMBER(1, struct decision, id.bits, 1, ID_LAST),
    NUMBER(2, struct decision, number, 0, UINT16_MAX),
    NUMBER(3, struct decision, approved, 0, 1),
    NUMBER(4, struct decision, about, ABOUT_REQUEST, ABOUT_EXTENSION),
    NUMBER(5, struct decision, uid, 0, UINT32_MAX),
    TEXT  (6, struct decision, by, 0),
    TIME  (7, struct decision, at),
    WORDS (8, struct decision, comment, 0, TEXT_MAX),
};
static const struct shape DECISION = SHAPE(DECISION_FIELDS);

static const struct field WORDS_FIELDS[] = {
    NUMBER(1, struct words, id.bits, 1, ID_LAST),
    NUMBER(2, struct words, kind, WORDS_REASON, WORDS_EXTENSION),
    WORDS (3, struct words, text, 0, TEXT_MAX),
};
static const struct shape WORDS_SHAPE = SHAPE(WORDS_FIELDS);

static const struct field NAMES_FIELDS[] = {
    NUMBER(1, struct aws_names, id.bits, 1, ID_LAST),
    NUMBER(2, struct aws_names, grant, 0, TARGETS_MAX - 1),
    WORDS (3, struct aws_names, account, 0, TEXT_MAX),
    WORDS (4, struct aws_names, user, 0, TEXT_MAX),
};
static const struct shape NAMES = SHAPE(NAMES_FIELDS);

/* ---- the outbox ------------------------------------------------------------------------------ */

static const struct field ERRAND_FIELDS[] = {
    NUMBER( 1, struct errand, number, 1, INT64_MAX),
    NUMBER( 2, struct errand, round, 0, UINT32_MAX),
    NUMBER( 3, struct errand, state, ERRAND_LOOKING, ERRAND_FAILED),
    NUMBER( 4, struct errand, uid, 0, UINT32_MAX),
    NUMBER( 5, struct errand, request.bits, 1, ID_LAST),
    TEXT  ( 6, struct errand, account, 1),
    TEXT  ( 7, struct errand, set, 1),
    TEXT  ( 8, struct errand, set_name, 1),
    TEXT  ( 9, struct errand, user, 1),
    TIME  (10, struct errand, since),
    TEXT  (11, struct errand, trouble, 0),
};
static const struct shape ERRAND = SHAPE(ERRAND_FIELDS);

/* ---- sessions ------------------------------------------------------------------------------- */

static const struct field SESSION_FIELDS[] = {
    NUMBER( 1, struct kept_session, session.number, 1, INT64_MAX),
    BYTES ( 2, struct kept_session, boot),
    NUMBER( 3, struct kept_session, session.request.bits, 0, ID_LAST),
    NUMBER( 4, struct kept_session, session.uid, 0, UINT32_MAX),
    TEXT  ( 5, struct kept_session, session.user, 0),
    NUMBER( 6, struct kept_session, session.class, 0, CLASSES_MAX - 1),
    NUMBER( 7, struct kept_session, session.state, SESSION_OPENING, SESSION_STATES - 1),
    TEXT  ( 8, struct kept_session, session.service, 0),
    TEXT  ( 9, struct kept_session, session.target_user, 0),
    TEXT  (10, struct kept_session, session.tty, 0),
    TEXT  (11, struct kept_session, session.rhost, 0),
    NUMBER(12, struct kept_session, session.leader.pid, 0, UINT32_MAX),
    NUMBER(13, struct kept_session, session.leader.start_ticks, 0, INT64_MAX),
    NUMBER(14, struct kept_session, session.loginuid, 0, UINT32_MAX),
    TIME  (15, struct kept_session, session.started_at),
    TIME  (16, struct kept_session, session.ended_at),
    NUMBER(17, struct kept_session, session.parent, 0, INT64_MAX),
    NUMBER(18, struct kept_session, session.contained, 0, 1),
    NUMBER(19, struct kept_session, session.escaped, 0, 1),
    NUMBER(20, struct kept_session, session.audit_session, 0, UINT32_MAX),
    TEXT  (21, struct kept_session, session.command, 0),
    TEXT  (22, struct kept_session, session.scope, 0),
    NUMBER(23, struct kept_session, session.scope_number, 0, INT64_MAX),
    NUMBER(24, struct kept_session, session.end, 0, SESSION_ENDS - 1),
};
static const struct shape SESSION = SHAPE(SESSION_FIELDS);

/* ---- the trail, and where the store stands --------------------------------------------------- */

static const struct field EVENT_FIELDS[] = {
    NUMBER(1, struct trail_event, seq, 1, INT64_MAX),
    TIME  (2, struct trail_event, at),
    WORDS (3, struct trail_event, host, 0, HOST_CAP - 1),
    WORDS (4, struct trail_event, actor, 0, NAME_CAP - 1),
    WORDS (5, struct trail_event, action, 1, 32),
    NUMBER(6, struct trail_event, id.bits, 0, ID_LAST),
    WORDS (7, struct trail_event, target, 0, AUDIT_TARGET_CAP - 1),
    WORDS (8, struct trail_event, outcome, 0, 32),
    WORDS (9, struct trail_event, detail, 0, AUDIT_DETAIL_CAP - 1),
};
static const struct shape EVENT = SHAPE(EVENT_FIELDS);

static const struct field LEDGER_FIELDS[] = {
    TIME  (1, struct ledger, last_commit),
    NUMBER(2, struct ledger, last_session, 0, INT64_MAX),
    NUMBER(3, struct ledger, last_seq, 0, INT64_MAX - 1),
    TIME  (4, struct ledger, last_at),
    BYTES (5, struct ledger, head),
    TEXT  (6, struct ledger, boot_id, 0),
    NUMBER(7, struct ledger, last_errand, 0, INT64_MAX),
    TIME  (8, struct ledger, directory_as_of),
};
static const struct shape LEDGER = SHAPE(LEDGER_FIELDS);

/* ---- activity -------------------------------------------------------------------------------- */

static const struct field GAP_FIELDS[] = {
    TIME(1, struct gap, when.from),
    TIME(2, struct gap, when.until),
    TEXT(3, struct gap, why, 0),
};
static const struct shape GAP = SHAPE(GAP_FIELDS);

static const struct field COLLECTION_FIELDS[] = {
    NUMBER( 1, struct collection, request.bits, 1, ID_LAST),
    NUMBER( 2, struct collection, target, 0, TARGETS_MAX - 1),
    NUMBER( 3, struct collection, stage, COLLECT_LIVE, COLLECT_STAGES - 1),
    TEXT  ( 4, struct collection, account, 1),
    TEXT  ( 5, struct collection, set, 1),
    TEXT  ( 6, struct collection, user, 0),
    TEXT  ( 7, struct collection, user_id, 0),
    TIME  ( 8, struct collection, from),
    TIME  ( 9, struct collection, until),
    TIME  (10, struct collection, cursor),
    NUMBER(11, struct collection, calls, 0, INT64_MAX),
    NUMBER(12, struct collection, changes, 0, INT64_MAX),
    NUMBER(13, struct collection, refused, 0, INT64_MAX),
    LIST  (14, struct collection, gaps, n_gaps, 0, GAPS_MAX, &GAP),
};
static const struct shape COLLECTION = SHAPE(COLLECTION_FIELDS);

static const struct field ACTIVITY_FIELDS[] = {
    NUMBER( 1, struct activity, number, 1, INT64_MAX),
    NUMBER( 2, struct activity, target, 0, TARGETS_MAX - 1),
    NUMBER( 3, struct activity, read_only, 0, 1),
    WORDS ( 4, struct activity, name, 1, TEXT_MAX),
    WORDS ( 5, struct activity, source, 0, TEXT_MAX),
    WORDS ( 6, struct activity, region, 0, TEXT_MAX),
    WORDS ( 7, struct activity, address, 0, TEXT_MAX),
    WORDS ( 8, struct activity, resource, 0, TEXT_MAX),
    WORDS ( 9, struct activity, error, 0, TEXT_MAX),
    NUMBER(10, struct activity, raw_size, 0, UINT32_MAX),
    WORDS (11, struct activity, raw, 0, ACTIVITY_RAW_MAX),
};
static const struct shape ACTIVITY_SHAPE = SHAPE(ACTIVITY_FIELDS);

/* clang-format on */

static size_t record_write(enum kind kind, const struct shape *s, const void *base, uint8_t *out,
                           size_t cap)
{
    size_t len = RECORD_HEAD;

    out[0] = RECORD_VERSION;
    out[1] = (uint8_t)kind;
    return shape_write(s, base, out, cap, &len) ? len : 0;
}

static int record_read(enum kind kind, const struct shape *s, const uint8_t *data, size_t len,
                       void *base)
{
    if (len < RECORD_HEAD || data[0] == 0)
        return -EBADMSG;
    if (data[0] > RECORD_VERSION)
        return -EPROTONOSUPPORT;
    if (data[1] != kind || !shape_read(s, data + RECORD_HEAD, len - RECORD_HEAD, base))
        return -EBADMSG;
    return 0;
}

#define RECORD_OF(what, type, kind, shape, most)                        \
    size_t record_write_##what(const type *v, uint8_t out[static most]) \
    {                                                                   \
        return record_write(kind, &shape, v, out, most);                \
    }                                                                   \
                                                                        \
    int record_read_##what(const uint8_t *data, size_t len, type *ret)  \
    {                                                                   \
        type v;                                                         \
        int r;                                                          \
                                                                        \
        memset(&v, 0, sizeof v);                                        \
        r = record_read(kind, &shape, data, len, &v);                   \
        if (r == 0)                                                     \
            *ret = v;                                                   \
        return r;                                                       \
    }
#define RECORD(what, type, kind, shape) RECORD_OF(what, type, kind, shape, RECORD_MAX)

RECORD(request, struct kept_request, KIND_REQUEST, REQUEST)
RECORD(decision, struct decision, KIND_DECISION, DECISION)
RECORD(words, struct words, KIND_WORDS, WORDS_SHAPE)
RECORD(names, struct aws_names, KIND_NAMES, NAMES)
RECORD(errand, struct errand, KIND_ERRAND, ERRAND)
RECORD(session, struct kept_session, KIND_SESSION, SESSION)
RECORD(event, struct trail_event, KIND_EVENT, EVENT)
RECORD(ledger, struct ledger, KIND_LEDGER, LEDGER)
RECORD(collection, struct collection, KIND_COLLECTION, COLLECTION)
RECORD_OF(activity, struct activity, KIND_ACTIVITY, ACTIVITY_SHAPE, ACTIVITY_MAX)
