/* What pam_team, teamctl and teamd say to each other.
 *
 * Transport: AF_UNIX, SOCK_SEQPACKET; one packet is one message (unix(7)). An empty packet cannot
 * be told from the end of the connection, so none is ever sent. A packet larger than the reader's
 * buffer is cut by the kernel (MSG_TRUNC) and is an error.
 *
 *   gate.sock      only uid 0 can connect. One ask and one answer per connection; TEAM_OP_AWAIT
 *                  alone has rows before it.
 *   courier.sock   only team-courier's uid can connect. Any number of asks per connection, one at a
 *                  time; asks may be as large as answers.
 *   control.sock   anybody can connect; teamd decides by the peer's uid. Any number of asks per
 *                  connection, one at a time: ask -> rows* -> answer.
 *
 * A message is a header of 8 bytes and fields:
 *
 *   'T' 'E'  version u8  kind u8  op u16  count u16      then count times   tag u16  length u16
 * value
 *
 * Integers are big-endian. Values are text (numbers in decimal), so a trace can be read. Fields of
 * class GROUP hold fields of their own in the same form, without a header. A field stands at most
 * once in a message or group unless its row below says MANY. A field that the reader does not know
 * is skipped, unless its tag has the high bit: then the message is refused.
 *
 * Versions: both ends must speak the same. Another version is answered with an ANSWER of the
 * reader's own version, code TEAM_FAILED; pam_team treats it as "cannot know", which is a no.
 * Adding a field or an op needs no new version; changing the meaning of one does. */
#pragma once

enum {
    TEAM_VERSION = 1,
    TEAM_HEADER_LEN = 8,
    TEAM_GATE_PACKET_MAX = 4096,   /* asks and answers on gate.sock */
    TEAM_ASK_PACKET_MAX = 8192,    /* asks on control.sock */
    TEAM_PACKET_MAX = 65536,       /* rows and answers on control.sock */
    TEAM_MUST_UNDERSTAND = 0x8000, /* in a tag: refuse the message if you don't know this field */
    TEAM_TARGETS_MAX = 8,          /* targets of one request (DESIGN.md 2) */
};

#define TEAM_GATE_SOCKET    "/run/team/gate.sock"
#define TEAM_CONTROL_SOCKET "/run/team/control.sock"

enum team_kind {
    TEAM_ASK = 1,
    TEAM_ANSWER = 2, /* the last message for an ask: CODE, TEXT and what the op says */
    TEAM_ROWS = 3,   /* any number of ROW fields; op says what each row is */
};

/* The verdict on an ask. On control.sock it is teamctl's exit code (DESIGN.md 6). On gate.sock
 * TEAM_DONE is yes and anything else is no. */
enum team_code {
    TEAM_DONE = 0,
    TEAM_FAILED = 1,
    TEAM_USAGE = 2,
    TEAM_REFUSED = 3,
    TEAM_NOT_FOUND = 4,
    TEAM_WRONG_STATE = 5,
    TEAM_UNREACHABLE = 6, /* never sent: teamctl's own */
    TEAM_TIMED_OUT = 7,   /* never sent: teamctl's own */
};

/* clang-format off */

/* What is asked. In brackets: fields that may be absent. After the arrow: what the answer holds
 * beside CODE and TEXT (TEXT is absent when there is nothing to say). */
enum team_op {
    TEAM_OP_NONE = 0,      /* in an ANSWER: no ask was heard or understood; never a yes */

    /* gate.sock: SERVICE UID [USER] [RUSER] [TTY] [RHOST] */
    TEAM_OP_ACCOUNT = 1,   /* a pure question                       -> [ID] [NEEDS [FOR_S] [MATCH]].
                            * With a no, if the person could wait: ID is their request that is on
                            * its way, NEEDS what a new one would have to say, FOR_S the longest that
                            * it could be for, MATCH what its ticket has to match */
    TEAM_OP_OPEN = 2,      /* decide again and record the session   -> SESSION [CGROUP]: move into it,
                            * then confirm */
    TEAM_OP_CLOSE = 3,     /* a hint, always answered TEAM_DONE     -> */
    TEAM_OP_CONFIRM = 4,   /* and SESSION: here I am, may it begin  -> SESSION */
    TEAM_OP_AWAIT = 5,     /* and ID: waits for this request of the person. Rows NEWS as it goes on
                            *                                       -> ID STATE: done is active,
                            * and no yes: ask for the account again */
    TEAM_OP_FILE = 6,      /* and FOR_S REASON [TICKET]: a request of the person for this
                            *                                       -> ID STATE */

    /* control.sock: changes */
    TEAM_OP_REQUEST = 16,  /* TARGET_NAME* FOR_S REASON [TICKET] [START]             -> ID STATE */
    TEAM_OP_DECIDE = 17,   /* ID DECISION(approved, rejected) [COMMENT]              -> ID STATE */
    TEAM_OP_CANCEL = 18,   /* ID                                                     -> ID STATE */
    TEAM_OP_REVOKE = 19,   /* ID [COMMENT]                                           -> ID STATE */
    TEAM_OP_EXTEND = 20,   /* ID FOR_S REASON                                        -> ID STATE */
    TEAM_OP_RELOAD = 21,   /* nothing. TEXT: what changed, or file:line: what        -> */
    TEAM_OP_BACKUP = 22,   /* nothing, and a descriptor (SCM_RIGHTS): a regular file, open for
                            * writing, that gets a copy of the store                 -> */

    TEAM_OP_REFRESH = 23,  /* nothing: read AWS now. Answered when that is done            -> */
    TEAM_OP_RECONCILE = 24,/* nothing: compare with what AWS has. The same                 -> */

    /* control.sock: questions, answered with rows first */
    TEAM_OP_LIST = 32,     /* [MINE=1] [STATES] [USER] [TARGET_NAME] [SINCE] [UNTIL] [LIMIT]
                            * -> rows REQUEST that the person may see, newest first.
                            * STATES: words with commas. TARGET_NAME: a pattern */
    TEAM_OP_PENDING = 33,  /* nothing -> rows REQUEST that wait for the person, oldest first */
    TEAM_OP_SHOW = 34,     /* ID -> one row REQUEST, then rows SESSION, oldest first, then rows
                            * COLLECTED, then a few rows ACTIVITY: refused calls first, and then
                            * what was changed */
    TEAM_OP_TARGETS = 35,  /* nothing -> rows TARGET: what the person may ask for */
    TEAM_OP_AUDIT = 36,    /* [SINCE] [UNTIL] [USER] [ACTION] [ID] [FOLLOW=1]
                            * -> rows EVENT, oldest first. FOLLOW: and those that come after, for
                            * ever; without SINCE only they. Not with UNTIL */
    TEAM_OP_WHY = 37,      /* TARGET_NAME [USER] [FOR_S] -> rows FINDING; CODE: TEAM_DONE is yes,
                            * TEAM_REFUSED is no */
    TEAM_OP_WAIT = 38,     /* ID -> ID STATE [TEXT], once it is none of pending, scheduled and
                            * activating */
    TEAM_OP_STATUS = 39,   /* nothing -> rows STATUS */
    TEAM_OP_SESSIONS = 40, /* nothing -> rows SESSION: live ones that the person may see, oldest
                            * first */
    TEAM_OP_WATCH = 41,    /* nothing -> rows EVENT, for ever: what happens from now on, as far as
                            * the person did it or may see its request */
    TEAM_OP_DRIFT = 42,    /* nothing -> rows DRIFT, as of now: assignments that nobody approved */
    TEAM_OP_LOGS = 43,     /* ID [SOURCE(aws, host)] [SINCE] [UNTIL] [MATCH] [ERRORS=1] [WITH_RAW=1]
                            * [FOLLOW=1]
                            * -> rows SESSION of the request, oldest first, then rows COLLECTED,
                            * then rows ACTIVITY, oldest first. MATCH: only what has this text in
                            * it. FOLLOW: and what comes after, as it comes, for ever; a session
                            * again when it ends */
    TEAM_OP_SEARCH = 44,   /* MATCH [USER] [SINCE] [UNTIL] [ERRORS=1] [WITH_RAW=1]
                            * -> rows ACTIVITY of requests that the person may see, the newest request
                            * first, oldest first in each; then rows SESSION, newest first */
};

/* What team-courier says to teamd (courier.sock). It can answer what teamd has asked, and nothing
 * else: teamd asks with the rows of WORK, and takes what names a JOB that is open. */
enum team_courier_op {
    TEAM_OP_WORK = 64,     /* nothing -> rows JOB, for ever: all that is open, then each as it comes
                            * up. A row with the JOB of an earlier one takes its place. A later WORK,
                            * on whatever connection, ends this one */
    TEAM_OP_RESULT = 65,   /* JOB ROUND OUTCOME [TEXT] -> once it is committed. TEAM_NOT_FOUND: nobody
                            * waits for it any more. OUTCOME: there, absent, made, gone, failed (with
                            * TEXT: why; trying again would not help), waits (with TEXT: why; it goes
                            * on), done (of inventory, activity) */
    TEAM_OP_READ = 66,     /* JOB ROUND ROW* [LAST=1] -> a piece of the directory, in order: rows AWS.
                            * With LAST it is whole, and counts. The first row is the org */
    TEAM_OP_SEEN = 67,     /* JOB ROUND ROW* -> a piece of the inventory: rows ASSIGNMENT */
    TEAM_OP_FOUND = 68,    /* JOB ROUND ROW* -> once it is committed. A piece of the activity: rows
                            * ACTIVITY with RAW, in any order and as often as a source has them.
                            * Then RESULT done */
};

/* What is asked of the courier: STEP of a JOB.
 *   look, make, remove, check   ACCOUNT SET_ARN PRINCIPAL: an assignment for a user; `check` is
 *                               `look` for one that should be there
 *   refresh                     read the directory and say it with READ
 *   inventory                   say with SEEN who has been assigned what, then RESULT done
 *   activity                    ACCOUNT PERMISSION_SET PRINCIPAL LABEL(the user name) SINCE UNTIL
 *                               [SOON=1]: say with FOUND what was done by this person under this
 *                               set in this account from and until then, then RESULT done. What a
 *                               source could not say is a gap. SOON: somebody looks on */

/* What a ROW holds: the op of a TEAM_ROWS message. */
enum team_row {
    TEAM_ROW_REQUEST = 1,  /* ID REQUESTER STATE TARGET* REASON [TICKET] REQUESTED_AT
                            * [REQUESTED_START] DURATION_S [ACTIVE_FROM] [ACTIVE_UNTIL] [ENDED_AT]
                            * [CREDENTIALS_UNTIL] APPROVAL_REQUIRED DECISION_MADE* WAITING_FOR*
                            * [EXTENSION] [REVOKED_BY] [REVOKE_COMMENT] [FAILURE] HOST
                            * DURATION_S includes granted extensions. CREDENTIALS_UNTIL: it is over,
                            * and what was fetched under it may work until then */
    TEAM_ROW_SESSION = 2,  /* SESSION [ID] USER SERVICE [TARGET_USER] [TTY] [RHOST] STATE LEADER
                            * STARTED_AT [ENDED_AT] [ENDED_HOW] [COMMAND] [LOGIN_UID] [AUDIT_SESSION]
                            * CONTAINED ESCAPED
                            * COMMAND: of sudo and su, as their caller wrote it */
    TEAM_ROW_TARGET = 3,   /* TARGET_NAME FOR_S(the most) APPROVAL_REQUIRED WAITING_FOR*(who would
                            * approve) POLICY [TICKET] [ACCOUNT_NAME] [PATH] */
    TEAM_ROW_EVENT = 4,    /* SEQ AT HOST [BY] ACTION [ID] [TARGET_NAME] OUTCOME [DETAIL] PREV HASH */
    TEAM_ROW_FINDING = 5,  /* OUTCOME(yes, no) TEXT: one line of the explanation, in order */
    TEAM_ROW_STATUS = 6,   /* NAME VALUE */
    TEAM_ROW_JOB = 7,      /* JOB ROUND STEP, and what the step has */
    TEAM_ROW_AWS = 8,      /* by KIND:
                            *   org      IDENTITY OWN_ACCOUNT MANAGEMENT INSTANCE [SSO_REGION]
                            *   unit     UNIT LABEL [PARENT]: an OU or a root, after its parent
                            *   account  ACCOUNT LABEL [PARENT] STATE(active, suspended)
                            *   set      SET_ARN PERMISSION_SET SESSION_S [MANAGED=1]
                            *   user     PRINCIPAL LABEL(the user name)
                            *   group    PRINCIPAL LABEL
                            *   members  PRINCIPAL(of a group that came before) MEMBERS: of the users
                            *            that came before the numbers, from 0, with commas */
    TEAM_ROW_ASSIGNMENT = 9, /* ACCOUNT SET_ARN KIND(user, group) PRINCIPAL */
    TEAM_ROW_DRIFT = 10,   /* ACCOUNT [ACCOUNT_NAME] PERMISSION_SET KIND(user, group) PRINCIPAL [LABEL] */
    TEAM_ROW_NEWS = 11,    /* TEXT: how far a request has come that somebody waits for */
    TEAM_ROW_ACTIVITY = 12,/* by KIND:
                            *   call  AT EVENT_ID EVENT_NAME EVENT_SOURCE [REGION] [ADDRESS]
                            *         [RESOURCE] [ERROR] [READ_ONLY=1] [RAW RAW_SIZE]
                            *   gap   AT UNTIL TEXT(why): from AT until then, not all is known
                            * To teamctl with ID USER TARGET_NAME ACCOUNT [ACCOUNT_NAME], and ALSO*:
                            * other requests of the person that it may belong to as well */
    TEAM_ROW_COLLECTED = 13,/* TARGET_NAME [UNTIL] [LAST=1] [CALLS CHANGES FAULTS GAPS] [TEXT]: how
                            * far the activity of this target is known. UNTIL: all that the sources
                            * had until then is here. LAST: and no more is coming. TEXT: why it is
                            * not known */
};

/* clang-format on */

/* What may stand in a value. */
enum team_class {
    TEAM_CS_TEXT = 1,  /* one line of UTF-8 without control characters (text_is_plain) */
    TEAM_CS_NAME = 2,  /* a user's or group's name (text_is_name) */
    TEAM_CS_WORD = 3,  /* a word of ours (text_is_word) */
    TEAM_CS_NUM = 4,   /* decimal digits, at most UINT64_MAX */
    TEAM_CS_ID = 5,    /* 4 to 8 characters of base32 */
    TEAM_CS_GROUP = 6, /* fields */
};

/* clang-format off */

/* name, tag, most bytes, class, ONE or MANY. Times are microseconds since 1970 UTC, _S is seconds. */
#define TEAM_FIELDS(X)                                                                              \
    X(CODE, 1, 3, NUM, ONE)                                                                         \
    X(TEXT, 2, 480, TEXT, ONE)              /* one line for the person; below PAM_MAX_MSG_SIZE */   \
    X(ID, 3, 8, ID, ONE)                                                                            \
    X(STATE, 4, 16, WORD, ONE)                                                                      \
    X(SESSION, 5, 20, NUM, ONE)                                                                     \
    X(ROW, 6, 60000, GROUP, MANY)                                                                   \
    /* what the gate is told */                                                                     \
    X(SERVICE, 16, 31, WORD, ONE)                                                                   \
    X(UID, 17, 10, NUM, ONE)                /* real uid of the process that asks */                 \
    X(USER, 18, 63, NAME, ONE)              /* gate: PAM_USER */                                    \
    X(RUSER, 19, 63, TEXT, ONE)             /* PAM_RUSER: a claim */                                \
    X(TTY, 20, 63, TEXT, ONE)                                                                       \
    X(RHOST, 21, 255, TEXT, ONE)                                                                    \
    X(CGROUP, 22, 255, TEXT, ONE)           /* a directory of the cgroup file system */             \
    X(NEEDS, 23, 6, WORD, ONE)              /* reason, or ticket: both */                           \
    /* a request */                                                                                 \
    X(TARGET_NAME, 32, 900, TEXT, MANY)     /* host:NAME/SERVICE, aws:ACCOUNT/SET, SERVICE */       \
    X(FOR_S, 33, 10, NUM, ONE)                                                                      \
    X(REASON, 34, 1000, TEXT, ONE)                                                                  \
    X(TICKET, 35, 64, TEXT, ONE)                                                                    \
    X(START, 36, 16, NUM, ONE)                                                                      \
    X(COMMENT, 37, 1000, TEXT, ONE)                                                                 \
    X(DECISION, 38, 8, WORD, ONE)           /* approved, rejected */                                \
    X(REQUESTER, 39, 63, NAME, ONE)                                                                 \
    X(REQUESTED_AT, 40, 16, NUM, ONE)                                                               \
    X(REQUESTED_START, 41, 16, NUM, ONE)                                                            \
    X(DURATION_S, 42, 10, NUM, ONE)                                                                 \
    X(ACTIVE_FROM, 43, 16, NUM, ONE)                                                                \
    X(ACTIVE_UNTIL, 44, 16, NUM, ONE)                                                               \
    X(ENDED_AT, 45, 16, NUM, ONE)                                                                   \
    X(APPROVAL_REQUIRED, 46, 1, NUM, ONE)                                                           \
    X(WAITING_FOR, 47, 63, NAME, MANY)                                                              \
    X(REVOKED_BY, 48, 63, NAME, ONE)                                                                \
    X(REVOKE_COMMENT, 49, 1000, TEXT, ONE)                                                          \
    X(FAILURE, 50, 480, TEXT, ONE)                                                                  \
    X(HOST, 51, 64, WORD, ONE)                                                                      \
    X(TARGET, 52, 1400, GROUP, MANY)        /* TARGET_NAME STATE [ACCOUNT                            \
                                             * ACCOUNT_NAME PERMISSION_SET CREDENTIALS_UNTIL        \
                                             * TROUBLE PORTAL SSO_REGION] */                        \
    X(DECISION_MADE, 53, 1400, GROUP, MANY) /* BY AT DECISION [COMMENT] ABOUT */                    \
    X(EXTENSION, 54, 4096, GROUP, ONE)      /* FOR_S REASON REQUESTED_AT WAITING_FOR* */            \
    X(BY, 55, 63, NAME, ONE)                                                                        \
    X(AT, 56, 16, NUM, ONE)                                                                         \
    X(ABOUT, 57, 9, WORD, ONE)              /* request, extension */                                \
    X(EXTENDED_S, 58, 10, NUM, ONE)         /* of DURATION_S, by extensions that were granted */    \
    X(EXTENSION_REASON, 59, 1000, TEXT, ONE) /* of the last one that is decided */                  \
    /* filters */                                                                                   \
    X(MINE, 64, 1, NUM, ONE)                                                                        \
    X(STATES, 65, 120, TEXT, ONE)                                                                   \
    X(SINCE, 66, 16, NUM, ONE)                                                                      \
    X(UNTIL, 67, 16, NUM, ONE)                                                                      \
    X(LIMIT, 68, 10, NUM, ONE)                                                                      \
    X(ACTION, 69, 32, WORD, ONE)                                                                    \
    X(FOLLOW, 70, 1, NUM, ONE)                                                                      \
    /* sessions, audit, targets, status */                                                          \
    X(TARGET_USER, 80, 63, NAME, ONE)                                                               \
    X(LEADER, 81, 10, NUM, ONE)                                                                     \
    X(STARTED_AT, 82, 16, NUM, ONE)                                                                 \
    X(COMMAND, 83, 1000, TEXT, ONE)                                                                 \
    X(SEQ, 84, 20, NUM, ONE)                                                                        \
    X(OUTCOME, 85, 16, WORD, ONE)                                                                   \
    X(DETAIL, 86, 1400, TEXT, ONE)                                                                  \
    X(PREV, 87, 64, WORD, ONE)                                                                      \
    X(HASH, 88, 64, WORD, ONE)                                                                      \
    X(POLICY, 89, 64, TEXT, ONE)                                                                    \
    X(NAME, 90, 32, WORD, ONE)                                                                      \
    X(VALUE, 91, 480, TEXT, ONE)                                                                    \
    X(LOGIN_UID, 112, 10, NUM, ONE)                                                                 \
    X(AUDIT_SESSION, 113, 10, NUM, ONE)                                                             \
    X(CONTAINED, 114, 1, NUM, ONE)          /* in a cgroup */                                       \
    X(ESCAPED, 115, 1, NUM, ONE)            /* something of it was seen outside of that */          \
    X(ENDED_HOW, 116, 16, WORD, ONE)        /* exited, terminated, killed, lost */                  \
    /* AWS, and what teamd and the courier say to each other */                                     \
    X(JOB, 96, 20, NUM, ONE)                                                                        \
    X(ROUND, 97, 10, NUM, ONE)                                                                      \
    X(STEP, 98, 16, WORD, ONE)                                                                      \
    X(KIND, 99, 16, WORD, ONE)                                                                      \
    X(ACCOUNT, 100, 12, WORD, ONE)          /* 12 digits */                                         \
    X(ACCOUNT_NAME, 101, 255, TEXT, ONE)                                                            \
    X(SET_ARN, 102, 127, TEXT, ONE)                                                                 \
    X(PERMISSION_SET, 103, 32, TEXT, ONE)                                                           \
    X(PRINCIPAL, 104, 47, WORD, ONE)        /* of a user or group of Identity Center */             \
    X(LABEL, 105, 255, TEXT, ONE)                                                                   \
    X(UNIT, 106, 68, WORD, ONE)             /* ou-..., r-... */                                     \
    X(PARENT, 107, 68, WORD, ONE)                                                                   \
    X(MEMBERS, 108, 50000, TEXT, ONE)                                                               \
    X(SESSION_S, 109, 10, NUM, ONE)                                                                 \
    X(MANAGED, 110, 1, NUM, ONE)            /* in use in the management account */                  \
    X(LAST, 111, 1, NUM, ONE)                                                                       \
    X(IDENTITY, 128, 255, TEXT, ONE)        /* the ARN that the courier acts as */                  \
    X(OWN_ACCOUNT, 129, 12, WORD, ONE)                                                              \
    X(MANAGEMENT, 130, 12, WORD, ONE)                                                               \
    X(INSTANCE, 131, 127, TEXT, ONE)                                                                \
    X(CREDENTIALS_UNTIL, 132, 16, NUM, ONE)                                                         \
    X(PATH, 133, 480, TEXT, ONE)            /* Root/Workloads/Prod */                               \
    X(TROUBLE, 134, 160, TEXT, ONE)         /* what a target is waiting for */                      \
    X(PORTAL, 135, 480, TEXT, ONE)          /* where to use it */                                   \
    X(SSO_REGION, 136, 32, WORD, ONE)       /* with it: for a profile of the AWS CLI */             \
    /* what was done with it */                                                                     \
    X(EVENT_ID, 144, 64, TEXT, ONE)                                                                 \
    X(EVENT_NAME, 145, 128, TEXT, ONE)      /* RunInstances */                                      \
    X(EVENT_SOURCE, 146, 128, TEXT, ONE)    /* ec2.amazonaws.com */                                 \
    X(REGION, 147, 32, TEXT, ONE)                                                                   \
    X(ADDRESS, 148, 512, TEXT, ONE)         /* where the call came from: an address, or AWS itself */ \
    X(RESOURCE, 149, 512, TEXT, ONE)                                                                \
    X(ERROR, 150, 128, TEXT, ONE)           /* AccessDenied */                                      \
    X(READ_ONLY, 151, 1, NUM, ONE)                                                                  \
    X(RAW, 152, 32768, TEXT, ONE)           /* CloudTrail's record, JSON on one line */             \
    X(RAW_SIZE, 153, 10, NUM, ONE)          /* before its large parts were left out */              \
    X(ALSO, 154, 8, ID, MANY)                                                                       \
    X(SOURCE, 155, 8, WORD, ONE)            /* aws, host */                                         \
    X(MATCH, 156, 256, TEXT, ONE)                                                                   \
    X(ERRORS, 157, 1, NUM, ONE)                                                                     \
    X(WITH_RAW, 158, 1, NUM, ONE)                                                                   \
    X(SOON, 159, 1, NUM, ONE)                                                                       \
    X(CALLS, 160, 20, NUM, ONE)                                                                     \
    X(CHANGES, 161, 20, NUM, ONE)           /* of the calls: those that do not only read */         \
    X(FAULTS, 162, 20, NUM, ONE)            /* and those that were refused, or did not work */       \
    X(GAPS, 163, 5, NUM, ONE)

/* clang-format on */

enum team_tag {
#define X(name, tag, max, class, times) TEAM_##name = tag,
    TEAM_FIELDS(X)
#undef X
        TEAM_TAG_END = 192, /* every tag is below */
};
