/* All that can happen, and all that may be done about it. Plain values: shells turn the outside
 * into events and effects into the outside. Strings in an event are the caller's and must live
 * until its effects are committed: effects point to them. */
#pragma once

#include "core/errand.h"
#include "core/policy.h"
#include "core/session.h"

enum event_kind {
    EV_SUBMIT = 1,
    EV_DECIDE = 2,
    EV_CANCEL = 3,
    EV_REVOKE = 4,
    EV_EXTEND = 5,
    EV_TICK = 6,       /* time has passed */
    EV_PERSON = 7,     /* somebody was looked up: remember, and check their live requests */
    EV_POLICY = 8,     /* a policy was loaded, with the people it names */
    EV_OPEN = 9,       /* pam_open_session */
    EV_CLOSE = 10,     /* pam_close_session */
    EV_GONE = 11,      /* nothing is left of a session */
    EV_NOT_FOUND = 12, /* a session of the store that is not there any more */
    EV_CONFIRM = 13,   /* the leader says that it is in its container */
    EV_ESCAPE = 14,    /* something of it was, or may be, outside its container */
    EV_DIRECTORY = 16, /* AWS has been read */
    EV_RESULT = 17,    /* the courier has an answer */
    EV_ADMIN = 15,     /* what only root and admins may have teamd do */
};

/* What the courier may say of an errand. */
enum errand_outcome {
    OUTCOME_THERE = 1,
    OUTCOME_ABSENT = 2,
    OUTCOME_MADE = 3,
    OUTCOME_GONE = 4,
    OUTCOME_FAILED = 5,
    OUTCOME_WAITS = 6, /* goes on trying; `text` is why it takes so long */
};

/* The question of pam_team, with what teamd saw of the asking process by itself. */
struct gate_ask {
    struct actor actor;  /* the asking process: its real uid as the module says, its login uid as
                            /proc says */
    const char *service; /* PAM_SERVICE */
    const char *user;    /* PAM_USER, "" if unset */
    const char *ruser;   /* PAM_RUSER, "" if unset */
    uint32_t named_uid;  /* of the name that gate_speaks_for() gives; NOBODY if nobody bears it */
    bool user_reserved;  /* PAM_USER is one of our own service accounts: nobody becomes it */
    const char *tty, *rhost;
    struct leader leader;
    uint32_t audit_session; /* of the asking process; NOBODY: none */
    const char *command;    /* its command line, "" if it cannot be read */
    uint64_t parent;        /* the session in whose container the asking process is; 0: none */
    bool containable;       /* a container can be made for it */
    const char *scope;      /* the one that it is in, made for its login and nothing else; or "" */
    uint64_t scope_number;
};

enum admin_act { ADMIN_RELOAD = 1, ADMIN_BACKUP = 2, ADMIN_REFRESH = 3, ADMIN_RECONCILE = 4 };

struct event {
    enum event_kind kind;
    struct actor actor; /* SUBMIT to EXTEND, ADMIN */
    /* DECIDE to EXTEND: which request, and what the store has of it if it is not live (else NULL)
     */
    struct id id;
    const struct request *history;
    union {
        struct {
            struct id fresh; /* random, and not in the store */
            const struct target *targets;
            size_t n_targets;
            int64_t duration_s;
            struct wall start; /* 0: now */
            const char *reason;
            const char *ticket;        /* "" if none */
            const char *ticket_wanted; /* settings.ticket_pattern, if the ticket does not match it,
                                          else NULL */
        } submit;
        struct {
            bool approve;
            const char *comment;
        } decide;
        struct {
            const char *comment;
        } revoke;
        struct {
            int64_t for_s;
            const char *reason;
        } extend;
        const struct person *person;
        struct {
            const struct policy *policy;
            const struct person *people;
            size_t n_people;
            const char *by; /* who asked for it, "" at start; NULL: the policy is the same, only its
                               people were listed again */
        } policy;
        const struct gate_ask *open;
        struct {
            struct leader leader;
            uint64_t session; /* the container that it is in, 0: none */
            bool in_place;    /* CONFIRM: it is in that of its session */
        } process;            /* CLOSE, CONFIRM */
        struct {
            uint64_t session; /* GONE, NOT_FOUND, ESCAPE */
            bool too_many;    /* ESCAPE: there are more processes than can be looked at */
        };
        const struct directory *directory;
        struct {
            uint64_t errand;
            uint32_t round;
            uint8_t outcome;  /* enum errand_outcome */
            const char *text; /* FAILED, WAITS */
        } result;
        enum admin_act admin;
    };
};

/* ---- effects -------------------------------------------------------------------------------- */

enum effect_kind {
    EFFECT_REQUEST = 1, /* write this request; final ones are history from here on */
    EFFECT_DECISION = 2,
    EFFECT_WORDS = 3,
    EFFECT_SESSION = 4,
    EFFECT_AUDIT = 5,
    EFFECT_ERRAND = 7, /* write this row of the outbox, or take it away if it is over */
    EFFECT_NAMES = 8,
    EFFECT_ACT = 6, /* nothing to write: to be done after the commit */
};

enum act_kind {
    ACT_WARN = 1,    /* tell the person on the session's terminal that it ends in left_s */
    ACT_TERM = 2,    /* SIGTERM to the leader, and a line that says why */
    ACT_COURIER = 4, /* hand the errand `session` to the courier: for teamd, which makes it of an
                        EFFECT_ERRAND */
    ACT_KILL = 3,    /* kill what is left, leader included */
    ACT_COLLECT = 5, /* what is done under the AWS grants of `request` may be of interest: as
                        ACT_COURIER, of an EFFECT_REQUEST */
};

struct act {
    uint8_t kind;
    uint64_t session;
    int64_t left_s;
    struct id request;
};

enum about { ABOUT_REQUEST = 1, ABOUT_EXTENSION = 2 };

struct decision {
    struct id id;
    uint16_t number; /* ascending from 0 within the request */
    bool approved;
    uint8_t about;
    uint32_t uid;
    struct name by;
    struct wall at;
    const char *comment;
};

/* Text that a person wrote, which nothing decides on. */
enum words_kind { WORDS_REASON = 1, WORDS_TICKET = 2, WORDS_REVOKE = 3, WORDS_EXTENSION = 4 };

struct words {
    struct id id;
    uint8_t kind;
    const char *text;
};

/* What an AWS target and its person were called when it was asked for. */
struct aws_names {
    struct id id;
    uint8_t grant; /* its number in the request */
    const char *account, *user;
};

enum { AUDIT_TARGET_CAP = 900, AUDIT_DETAIL_CAP = 1400 };

/* One event of the trail. The store adds number, time, host and hashes. `action` and `outcome` are
 * words of the contract, e.g. "request.approve" and "refused". */
struct audit {
    const char *action;
    struct name actor; /* "" is teamd itself */
    struct id id;      /* 0: none */
    char target[AUDIT_TARGET_CAP];
    const char *outcome;
    char detail[AUDIT_DETAIL_CAP];
};

struct effect {
    enum effect_kind kind;
    union {
        struct request request;
        struct decision decision;
        struct words words;
        struct session session;
        struct errand errand;
        struct aws_names names;
        struct audit audit;
        struct act act;
    };
};

/* What a request for what was refused would have to say. */
enum needs { NEEDS_NOTHING = 0, NEEDS_REASON = 1, NEEDS_TICKET = 2 /* as well */ };

/* The answer to whoever caused the event. */
struct reply {
    uint8_t code;      /* enum reply_code */
    uint8_t needs;     /* gate_account: enum needs; nothing: none can be made from there */
    int64_t longest_s; /* with it: the most that one could be for */
    struct id id;
    uint8_t state;    /* enum request_state, 0: none */
    uint64_t session; /* EV_OPEN */
    bool contain;     /* EV_OPEN: move into the session's container, then confirm */
    bool unrecorded;  /* EV_OPEN: root's own, and no room for it. To be left without an answer: then
                         the module lets root pass, who has to make room */
    char text[481];   /* one line for a person, or "" */
};

/* The numbers of the contract (DESIGN.md 6). */
enum reply_code {
    REPLY_DONE = 0,
    REPLY_FAILED = 1,
    REPLY_USAGE = 2,
    REPLY_REFUSED = 3,
    REPLY_NOT_FOUND = 4,
    REPLY_WRONG_STATE = 5,
};

enum { EFFECTS_MAX = 96 };

struct effects {
    struct reply reply;
    bool more; /* there is more to do at this moment: step again with EV_TICK */
    size_t n;
    struct effect items[EFFECTS_MAX];
};
