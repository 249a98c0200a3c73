/* What to ask teamd, and what its answer (or its silence) means to the host. Pure: values in,
 * values out; the module around it talks to PAM and to the socket. */
#pragma once

#include <team/wire.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- the module's arguments ---------------------------------------------------------------- */

enum {
    OPTION_TIMEOUT_S = 2,
    OPTION_TIMEOUT_MAX_S = 10, /* sshd's and a person's patience; ^C does not get through */
    OPTION_WAIT_MAX_S = 3600,  /* teamd drops who waits for longer */
    OPTION_PROMPT_FOR_S = 3600,
    SOCKET_PATH_CAP = 108, /* sun_path, its NUL included */
};

struct options {
    const char *socket;
    int64_t timeout_us;
    bool quiet;            /* the person is told nothing, and asked nothing */
    int64_t wait_us;       /* how long the person may wait for a request; 0: not at all */
    bool prompt;           /* who has no request is asked for a reason, */
    uint64_t prompt_for_s; /* and one is made, for so long */
    const char *wrong;     /* the first argument that is not understood; NULL when all are */
};

/* The strings of argv are kept, not copied. A wrong argument leaves its default in place. */
struct options options_parse(int argc, const char **argv);

/* ---- the question -------------------------------------------------------------------------- */

/* What PAM told. Every string may be NULL, empty, long or hostile. */
struct facts {
    enum team_op op; /* of gate.sock */
    uint32_t uid;    /* real uid of this process */
    const char *service;
    const char *user;  /* PAM_USER */
    const char *ruser; /* PAM_RUSER, a claim */
    const char *tty;
    const char *rhost;
    const char *ssh_connection; /* sshd's own word on where the peer is; better than rhost */
    uint64_t session;           /* CONFIRM: the one that OPEN gave */
    uint64_t request;           /* AWAIT: the one that ACCOUNT gave */
    uint64_t for_s;             /* FILE, and what the person typed: */
    const char *reason, *ticket;
};

/* The length of the packet, or 0: the service or the user has no name that teamd could be told; or
 * the reason or the ticket is no line of text. */
size_t ask_encode(const struct facts *f, char *buf, size_t cap);

/* May this one pass when teamd does not answer? Real uid 0 in the built-in services of sudo and su,
 * and the user root in `login`: they are root without us, boot scripts and rescue need them. Who is
 * root by uid only because the host made itself so is not meant. */
bool passes_unanswered(const struct facts *f);

/* ---- the answer ---------------------------------------------------------------------------- */

/* What became of the question: yes, no, or -errno: there is no answer.
 * Beside what client.h gives, -EBADMSG: garbage, -EPROTONOSUPPORT: another version of the protocol,
 * -EINVAL: ask_encode() could not write it, -ECANCELED: wrong arguments, so nobody asked,
 * -EXDEV: teamd said yes, but the session's container cannot be entered. */
enum { ANSWER_NO = 0, ANSWER_YES = 1 };

enum { ANSWER_TEXT_CAP = 481, ANSWER_CGROUP_CAP = 256, ANSWER_PATTERN_CAP = 257 };

/* What the person would have to say in a request. */
enum answer_needs { ANSWER_NEEDS_NOTHING = 0, ANSWER_NEEDS_REASON = 1, ANSWER_NEEDS_TICKET = 2 };

struct answer {
    char text[ANSWER_TEXT_CAP];     /* teamd's line for the person, "" if there is none */
    uint64_t session;               /* OPEN, CONFIRM */
    char cgroup[ANSWER_CGROUP_CAP]; /* OPEN: the session's container, "" if it has none */
    /* ACCOUNT, with a no: a request of the person that is on its way, 0: none; */
    uint64_t request;
    enum answer_needs needs; /* and what a new one needs; nothing: none can be made from here */
    uint64_t longest_s;      /* the most that it could be for; 0: teamd did not say */
    char ticket_pattern[ANSWER_PATTERN_CAP]; /* what its ticket has to match, or "" */
};

/* Reads the answer to `op`; returns ANSWER_YES, ANSWER_NO or -errno. */
int answer_read(enum team_op op, const char *packet, size_t len, struct answer *ret);

/* Numbers of <security/_pam_types.h>, which this file does not see; pam_team.c asserts them.
 * Never PAM_NEW_AUTHTOK_REQD (hosts read it as yes), never PAM_SESSION_ERR (so does sudo), never
 * PAM_IGNORE (it leaves the decision to the next line). */
enum verdict_code {
    VERDICT_PASS = 0,        /* PAM_SUCCESS */
    VERDICT_BAD_SETUP = 3,   /* PAM_SERVICE_ERR */
    VERDICT_DENY = 6,        /* PAM_PERM_DENIED */
    VERDICT_CANNOT_KNOW = 9, /* PAM_AUTHINFO_UNAVAIL */
};

struct verdict {
    enum verdict_code code;
    int priority;      /* of the log line, as in <syslog.h> */
    char message[512]; /* for the person (PAM_MAX_MSG_SIZE), "" for none */
    char log[1024];    /* for the log, "" for none */
};

/* `answer` is ANSWER_YES, ANSWER_NO or -errno. */
void verdict_reach(const struct facts *f, const struct options *o, int answer, const char *text,
                   struct verdict *ret);
