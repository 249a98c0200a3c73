/* What the rows hold (proto.h, enum team_row) and what it is called (DESIGN.md 6). */
#include "render.h"

#define ROWS(kind, called, list)                                                             \
    {                                                                                        \
        .row = TEAM_ROW_##kind, .plural = called, .n_columns = sizeof list / sizeof list[0], \
        .columns = list                                                                      \
    }
#define GROUPS(list, cell, page)                                                     \
    {                                                                                \
        .n_columns = sizeof list / sizeof list[0], .columns = list, .in_cell = cell, \
        .on_page = page                                                              \
    }
#define HIDDEN NULL
#define NEVER  NOT_IN_TABLES

/* clang-format off */

static const struct column TARGETS[] = {
    { "target",            HIDDEN, TEAM_TARGET_NAME,       COL_TEXT,   NEVER, NULL },
    { "state",             HIDDEN, TEAM_STATE,             COL_STATE,  NEVER, NULL },
    { "account_id",        HIDDEN, TEAM_ACCOUNT,           COL_TEXT,   IF_ANY, NULL },
    { "account_name",      HIDDEN, TEAM_ACCOUNT_NAME,      COL_TEXT,   IF_ANY, NULL },
    { "permission_set",    HIDDEN, TEAM_PERMISSION_SET,    COL_TEXT,   IF_ANY, NULL },
    { "credentials_until", HIDDEN, TEAM_CREDENTIALS_UNTIL, COL_MOMENT, IF_ANY, NULL },
    { "trouble",           HIDDEN, TEAM_TROUBLE,           COL_TEXT,   IF_ANY, NULL },
    { "portal_url",        HIDDEN, TEAM_PORTAL,            COL_TEXT,   IF_ANY, NULL },
};
static const struct row_type TARGETS_TYPE =
    GROUPS(TARGETS, "$0[ ($3)]", "$0[ in $3] ($1)[; credentials may live until $5][; waits: $6]");

static const struct column DECISIONS[] = {
    { "by",       HIDDEN, TEAM_BY,       COL_TEXT,   NEVER, NULL },
    { "at",       HIDDEN, TEAM_AT,       COL_MOMENT, NEVER, NULL },
    { "decision", HIDDEN, TEAM_DECISION, COL_STATE,  NEVER, NULL },
    { "comment",  HIDDEN, TEAM_COMMENT,  COL_TEXT,   NEVER, NULL },
    { "about",    HIDDEN, TEAM_ABOUT,    COL_TEXT,   NEVER, NULL },
};
static const struct row_type DECISIONS_TYPE = GROUPS(DECISIONS, "$1 $0 $2[ $4][: $3]",
                                                  "$1  $0 $2[ the $4][: $3]");

static const struct column EXTENSION[] = {
    { "for_s",        HIDDEN, TEAM_FOR_S,        COL_SECONDS, NEVER, NULL },
    { "reason",       HIDDEN, TEAM_REASON,       COL_TEXT,    NEVER, NULL },
    { "requested_at", HIDDEN, TEAM_REQUESTED_AT, COL_MOMENT,  NEVER, NULL },
    { "waiting_for",  HIDDEN, TEAM_WAITING_FOR,  COL_TEXTS,   NEVER, NULL },
};
static const struct row_type EXTENSION_TYPE = GROUPS(EXTENSION, "$0 $1",
                                                  "$0 more, asked $2[, waiting for $3]: $1");

static const struct column REQUEST[] = {
    { "id",                "ID",          TEAM_ID,                COL_TEXT,    0,     NULL },
    { "requester",         "REQUESTER",   TEAM_REQUESTER,         COL_TEXT,    3,     NULL },
    { "state",             "STATE",       TEAM_STATE,             COL_STATE,   1,     NULL },
    { "targets",           "TARGETS",     TEAM_TARGET,            COL_GROUPS,  2,     &TARGETS_TYPE },
    { "reason",            "REASON",      TEAM_REASON,            COL_TEXT,    5,     NULL },
    { "ticket",            HIDDEN,        TEAM_TICKET,            COL_TEXT,    NEVER, NULL },
    { "requested_at",      "REQUESTED",   TEAM_REQUESTED_AT,      COL_TIME,    9,     NULL },
    { "requested_start",   "START",       TEAM_REQUESTED_START,   COL_TIME,    10,    NULL },
    { "duration_s",        "FOR",         TEAM_DURATION_S,        COL_SECONDS, 6,     NULL },
    { "active_from",       HIDDEN,        TEAM_ACTIVE_FROM,       COL_MOMENT,  NEVER, NULL },
    { "active_until",      "UNTIL",       TEAM_ACTIVE_UNTIL,      COL_TIME,    4,     NULL },
    { "ended_at",          HIDDEN,        TEAM_ENDED_AT,          COL_MOMENT,  NEVER, NULL },
    { "credentials_until", "CREDENTIALS", TEAM_CREDENTIALS_UNTIL, COL_TIME,    IF_ANY + 4, NULL },
    { "approval_required", HIDDEN,        TEAM_APPROVAL_REQUIRED, COL_YESNO,   NEVER, NULL },
    { "decisions",         HIDDEN,        TEAM_DECISION_MADE,     COL_GROUPS,  NEVER, &DECISIONS_TYPE },
    { "waiting_for",       "WAITING FOR", TEAM_WAITING_FOR,       COL_TEXTS,   8,     NULL },
    { "extension",         "EXTENSION",   TEAM_EXTENSION,         COL_GROUP,   7,     &EXTENSION_TYPE },
    { "revoked_by",        HIDDEN,        TEAM_REVOKED_BY,        COL_TEXT,    NEVER, NULL },
    { "revoke_comment",    HIDDEN,        TEAM_REVOKE_COMMENT,    COL_TEXT,    NEVER, NULL },
    { "failure",           HIDDEN,        TEAM_FAILURE,           COL_TEXT,    NEVER, NULL },
    { "host",              HIDDEN,        TEAM_HOST,              COL_TEXT,    NEVER, NULL },
    { "extended_s",        HIDDEN,        TEAM_EXTENDED_S,        COL_SECONDS, NEVER, NULL },
    { "extension_reason",  HIDDEN,        TEAM_EXTENSION_REASON,  COL_TEXT,    NEVER, NULL },
};
const struct row_type REQUEST_ROWS = ROWS(REQUEST, "requests", REQUEST);

static const struct column SESSION[] = {
    { "id",          "ID",      TEAM_SESSION,     COL_NUMBER, 0, NULL },
    { "request",     "REQUEST", TEAM_ID,          COL_TEXT,   4, NULL },
    { "user",        "USER",    TEAM_USER,        COL_TEXT,   1, NULL },
    { "service",     "SERVICE", TEAM_SERVICE,     COL_TEXT,   3, NULL },
    { "target_user", "AS",      TEAM_TARGET_USER, COL_TEXT,   5, NULL },
    { "tty",         "TTY",     TEAM_TTY,         COL_TEXT,   9, NULL },
    { "rhost",       "FROM",    TEAM_RHOST,       COL_TEXT,   8, NULL },
    { "state",       "STATE",   TEAM_STATE,       COL_STATE,  2, NULL },
    { "leader",      "PID",     TEAM_LEADER,      COL_NUMBER, 7, NULL },
    { "started_at",  "STARTED", TEAM_STARTED_AT,  COL_TIME,   6, NULL },
    { "ended_at",    "ENDED",   TEAM_ENDED_AT,    COL_TIME,   10, NULL },
    { "ended_how",   "HOW",     TEAM_ENDED_HOW,   COL_STATE,  9, NULL },
    { "command",     "COMMAND", TEAM_COMMAND,     COL_TEXT,   4, NULL },
    { "login_uid",     HIDDEN,  TEAM_LOGIN_UID,     COL_NUMBER, NEVER, NULL },
    { "audit_session", HIDDEN,  TEAM_AUDIT_SESSION, COL_NUMBER, NEVER, NULL },
    { "contained",     HIDDEN,  TEAM_CONTAINED,     COL_YESNO,  NEVER, NULL },
    { "escaped",       HIDDEN,  TEAM_ESCAPED,       COL_YESNO,  NEVER, NULL },
};
const struct row_type SESSION_ROWS = ROWS(SESSION, "sessions", SESSION);

static const struct column TARGET[] = {
    { "target",            "TARGET",    TEAM_TARGET_NAME,       COL_TEXT,    0, NULL },
    { "max_duration_s",    "AT MOST",   TEAM_FOR_S,             COL_SECONDS, 1, NULL },
    { "approval_required", "APPROVAL",  TEAM_APPROVAL_REQUIRED, COL_YESNO,   2, NULL },
    { "approvers",         "APPROVERS", TEAM_WAITING_FOR,       COL_TEXTS,   3, NULL },
    { "policy",            "POLICY",    TEAM_POLICY,            COL_TEXT,    4, NULL },
    { "ticket",            "TICKET",    TEAM_TICKET,            COL_TEXT,    5, NULL },
    { "account_name",      "ACCOUNT",   TEAM_ACCOUNT_NAME,      COL_TEXT,    IF_ANY + 6, NULL },
    { "path",              "WHERE",     TEAM_PATH,              COL_TEXT,    IF_ANY + 7, NULL },
};
const struct row_type TARGET_ROWS = ROWS(TARGET, "targets", TARGET);

static const struct column DRIFT[] = {
    { "account_id",     "ACCOUNT",   TEAM_ACCOUNT,        COL_TEXT, 0, NULL },
    { "account_name",   "CALLED",    TEAM_ACCOUNT_NAME,   COL_TEXT, 3, NULL },
    { "permission_set", "SET",       TEAM_PERMISSION_SET, COL_TEXT, 1, NULL },
    { "kind",           "KIND",      TEAM_KIND,           COL_TEXT, 4, NULL },
    { "name",           "WHO",       TEAM_LABEL,          COL_TEXT, 2, NULL },
    { "principal_id",   "PRINCIPAL", TEAM_PRINCIPAL,      COL_TEXT, 5, NULL },
};
const struct row_type DRIFT_ROWS = ROWS(DRIFT, "drift", DRIFT);

static const struct column EVENT[] = {
    { "seq",     "SEQ",     TEAM_SEQ,         COL_NUMBER, 9,     NULL },
    { "time",    "TIME",    TEAM_AT,          COL_MOMENT, 0,     NULL },
    { "host",    "HOST",    TEAM_HOST,        COL_TEXT,   8,     NULL },
    { "actor",   "ACTOR",   TEAM_BY,          COL_TEXT,   1,     NULL },
    { "action",  "ACTION",  TEAM_ACTION,      COL_TEXT,   2,     NULL },
    { "request", "REQUEST", TEAM_ID,          COL_TEXT,   4,     NULL },
    { "target",  "TARGET",  TEAM_TARGET_NAME, COL_TEXT,   5,     NULL },
    { "outcome", "OUTCOME", TEAM_OUTCOME,     COL_STATE,  3,     NULL },
    { "detail",  "DETAIL",  TEAM_DETAIL,      COL_TEXT,   6,     NULL },
    { "prev",    HIDDEN,    TEAM_PREV,        COL_TEXT,   NEVER, NULL },
    { "hash",    HIDDEN,    TEAM_HASH,        COL_TEXT,   NEVER, NULL },
};
const struct row_type EVENT_ROWS = ROWS(EVENT, "events", EVENT);

static const struct column FINDING[] = {
    { "outcome", "OUTCOME", TEAM_OUTCOME, COL_STATE, 0, NULL },
    { "text",    "TEXT",    TEAM_TEXT,    COL_TEXT,  1, NULL },
};
const struct row_type FINDING_ROWS = ROWS(FINDING, "findings", FINDING);

/* Of teamctl's own making: no row of teamd's. */
static const struct column CHECK[] = {
    { "check",  "CHECK",  TEAM_NAME,    COL_TEXT,  1, NULL },
    { "result", "RESULT", TEAM_OUTCOME, COL_STATE, 0, NULL },
    { "what",   "WHAT",   TEAM_TEXT,    COL_TEXT,  2, NULL },
    { "fix",    "FIX",    TEAM_VALUE,   COL_TEXT,  3, NULL },
};
const struct row_type CHECK_ROWS = { .plural = "findings", .n_columns = sizeof CHECK / sizeof CHECK[0], .columns = CHECK };

static const struct column PAM[] = {
    { "service",  "SERVICE",  TEAM_SERVICE, COL_TEXT,   0, NULL },
    { "state",    "STATE",    TEAM_STATE,   COL_STATE,  1, NULL },
    { "until",    "UNTIL",    TEAM_UNTIL,   COL_MOMENT, 2, NULL },
    { "original", "ORIGINAL", TEAM_VALUE,   COL_TEXT,   4, NULL },
    { "note",     "NOTE",     TEAM_TEXT,    COL_TEXT,   3, NULL },
    { "arguments", "ARGUMENTS", TEAM_LABEL, COL_TEXT,   5, NULL },
};
const struct row_type PAM_ROWS = { .plural = "services", .n_columns = sizeof PAM / sizeof PAM[0], .columns = PAM };

static const struct column STATUS[] = {
    { "name",  "NAME",  TEAM_NAME,  COL_TEXT, 0, NULL },
    { "value", "VALUE", TEAM_VALUE, COL_TEXT, 1, NULL },
};
const struct row_type STATUS_ROWS = ROWS(STATUS, "values", STATUS);

/* Of teamctl's own making, too: log_lines.c. */
static const struct column LOG[] = {
    { "time",         "TIME",    TEAM_AT,           COL_MOMENT, 0,          NULL },
    { "source",       "SOURCE",  TEAM_SOURCE,       COL_TEXT,   3,          NULL },
    { "request",      "REQUEST", TEAM_ID,           COL_TEXT,   IF_ANY + 2, NULL },
    { "event_name",   "WHAT",    TEAM_EVENT_NAME,   COL_TEXT,   0,          NULL },
    { "resource",     "ON",      TEAM_RESOURCE,     COL_TEXT,   4,          NULL },
    { "error",        "ERROR",   TEAM_ERROR,        COL_ERROR,  IF_ANY + 1, NULL },
    { "event_source", "SERVICE", TEAM_EVENT_SOURCE, COL_TEXT,   6,          NULL },
    { "address",      "FROM",    TEAM_ADDRESS,      COL_TEXT,   7,          NULL },
    { "region",       "REGION",  TEAM_REGION,       COL_TEXT,   IF_ANY + 8, NULL },
    { "also",         "ALSO",    TEAM_ALSO,         COL_TEXTS,  IF_ANY + 5, NULL },
    { "kind",         HIDDEN,    TEAM_KIND,         COL_TEXT,   NEVER,      NULL },
    { "event_id",     HIDDEN,    TEAM_EVENT_ID,     COL_TEXT,   NEVER,      NULL },
    { "read_only",    HIDDEN,    TEAM_READ_ONLY,    COL_YESNO,  NEVER,      NULL },
    { "record_bytes", HIDDEN,    TEAM_RAW_SIZE,     COL_NUMBER, NEVER,      NULL },
    { "until",        HIDDEN,    TEAM_UNTIL,        COL_MOMENT, NEVER,      NULL },
    { "reason",       HIDDEN,    TEAM_TEXT,         COL_TEXT,   NEVER,      NULL },
    { "user",         HIDDEN,    TEAM_USER,         COL_TEXT,   NEVER,      NULL },
    { "target_user",  HIDDEN,    TEAM_TARGET_USER,  COL_TEXT,   NEVER,      NULL },
    { "tty",          HIDDEN,    TEAM_TTY,          COL_TEXT,   NEVER,      NULL },
    { "session",      HIDDEN,    TEAM_SESSION,      COL_NUMBER, NEVER,      NULL },
    { "target",       HIDDEN,    TEAM_TARGET_NAME,  COL_TEXT,   NEVER,      NULL },
    { "account_id",   HIDDEN,    TEAM_ACCOUNT,      COL_TEXT,   NEVER,      NULL },
    { "account_name", HIDDEN,    TEAM_ACCOUNT_NAME, COL_TEXT,   NEVER,      NULL },
    { "ended_how",    HIDDEN,    TEAM_ENDED_HOW,    COL_TEXT,   NEVER,      NULL },
};
const struct row_type LOG_ROWS = { .plural = "activity", .n_columns = sizeof LOG / sizeof LOG[0], .columns = LOG };

static const struct column COLLECTED[] = {
    { "target",          "TARGET", TEAM_TARGET_NAME, COL_TEXT,   0, NULL },
    { "collected_until", "UNTIL",  TEAM_UNTIL,       COL_MOMENT, 1, NULL },
    { "complete",        "WHOLE",  TEAM_LAST,        COL_YESNO,  1, NULL },
    { "calls",           "CALLS",  TEAM_CALLS,       COL_NUMBER, 1, NULL },
    { "changes",         "CHANGES", TEAM_CHANGES,    COL_NUMBER, 1, NULL },
    { "errors",          "ERRORS", TEAM_FAULTS,      COL_NUMBER, 1, NULL },
    { "gaps",            "GAPS",   TEAM_GAPS,        COL_NUMBER, 1, NULL },
    { "note",            "NOTE",   TEAM_TEXT,        COL_TEXT,   1, NULL },
};
const struct row_type COLLECTED_ROWS = ROWS(COLLECTED, "targets", COLLECTED);

/* clang-format on */
