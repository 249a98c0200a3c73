/* The command line of requesters, approvers, auditors and admins. A verb is a row of the table in
 * main.c: it reads its options, asks teamd (talk.h) and shows the rows (render.h). What it returns
 * is the exit code, which is one of enum team_code. */
#pragma once

#include "render.h"
#include "talk.h"

enum option {
    OPT_FOR,
    OPT_REASON,
    OPT_TICKET,
    OPT_START,
    OPT_WAIT,
    OPT_COMMENT,
    OPT_MINE,
    OPT_STATE,
    OPT_USER,
    OPT_TARGET,
    OPT_SINCE,
    OPT_UNTIL,
    OPT_LIMIT,
    OPT_ACTION,
    OPT_REQUEST,
    OPT_FOLLOW,
    OPT_YES,
    OPT_SERVICE,
    OPT_WITHIN,
    OPT_PROMPT,
    OPT_PROMPT_FOR,
    OPT_GREP,
    OPT_SOURCE,
    OPT_ERRORS,
    OPT_RAW,
    OPT_ALL,
    OPT_SEARCH,
    OPT_JSON,
    OPT_CSV,
    OPT_SOCKET,
    OPT_HELP,
    OPT_VERSION,
    OPT_COUNT,
};

enum option_takes {
    TAKES_NOTHING,
    TAKES_VALUE,
    TAKES_MAYBE, /* only as --name=VALUE */
    TAKES_MANY,  /* a value, and again */
};

struct option_spec {
    const char *name;
    const char *value; /* what the value is called in help */
    enum option_takes takes;
    const char *does;
};

extern const struct option_spec OPTIONS[OPT_COUNT];

#define BIT(option) (UINT32_C(1) << (option))
_Static_assert(OPT_COUNT <= 32, "a bit for each");

/* One run of teamctl. */
struct call {
    const struct verb *verb;
    const char *given[OPT_COUNT]; /* NULL: not given; "" for one that takes no value */
    char **args;                  /* what is not an option, in order */
    size_t n_args;
    const char **services; /* every --service, in order */
    size_t n_services;
    struct talk talk;
    struct look look;
    struct out *out;
};

enum { ARGS_MANY = 255 };

/* What a verb's arguments are, for completion. */
enum arguments {
    ARGS_NONE, /* none, or none that is known */
    ARGS_VERB,
    ARGS_TARGETS,
    ARGS_TO_DECIDE, /* requests that wait for my decision, */
    ARGS_TO_CANCEL, /* that I can cancel, and so on */
    ARGS_TO_EXTEND,
    ARGS_TO_REVOKE,
    ARGS_REQUEST,
    ARGS_FILE,
};

/* Does this option go on in the next word? */
static inline bool takes_word(const struct option_spec *o)
{
    return o->takes == TAKES_VALUE || o->takes == TAKES_MANY;
}

struct verb {
    const char *name; /* one word or two; "" is no verb: the dashboard. "_..." is not for people */
    const char *synopsis;
    int (*run)(struct call *c);
    const char *does;
    const char *example;
    uint32_t options; /* BIT()s; every verb takes --socket and --help as well */
    uint8_t args_min, args_max;
    const char *wants; /* what is missing when there are fewer */
    enum arguments arguments;
};

extern const struct verb VERBS[];
extern const size_t N_VERBS;

/* Is `word` the whole of the verb's name, or the first of its two words? */
enum verb_match { VERB_OTHER, VERB_FIRST_WORD, VERB_WHOLE };
enum verb_match verb_match(const struct verb *v, const char *word);

/* Reads options and arguments from argv[*i] on, up to the end, or (`to_verb`) to the first argument
 * that is none, which *i then names. 0, or TEAM_USAGE after a complaint. */
int options_read(struct call *c, int argc, char **argv, int *i, bool to_verb);

/* Did the person give what this verb takes? 0, or TEAM_USAGE after a complaint. */
int options_check(struct call *c);

/* The one of n names that looks most like `word`, or NULL if none does. */
const char *nearest(const char *word, const char *(*name)(size_t i), size_t n);

/* "teamctl: VERB THING: text" on stderr, made plain. `thing` may be NULL. */
void complain(const struct call *c, const char *thing, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Complains about an answer that is not TEAM_DONE, and returns its code. */
int complain_answer(const struct call *c, const char *thing, const struct answer *a);

/* One plain line on stderr that is no complaint. */
void remark(const struct call *c, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Puts a person's words into an ask. False, after a complaint that names `thing`, if the field
 * does not take them. */
bool put_words(const struct call *c, struct wire_out *ask, enum team_tag tag, const char *thing,
               const char *words);
bool put_option(const struct call *c, struct wire_out *ask, enum team_tag tag, enum option option);
bool put_id(const struct call *c, struct wire_out *ask, const char *id);
bool put_duration(const struct call *c, struct wire_out *ask, enum option option);
bool put_time(const struct call *c, struct wire_out *ask, enum team_tag tag, enum option option);
bool put_period(const struct call *c, struct wire_out *ask); /* --since and --until */

/* Asks a person on the terminal; false unless they say yes. True without asking where nobody is
 * there to answer, and after --yes. */
bool says_yes(const struct call *c, const char *question);

/* Runs a program, found by PATH, and reads what it says, cut at cap. Its exit status, 255 if it was
 * killed, or -errno if it cannot be run. */
int command_read(const char *const argv[], char *out, size_t cap);

/* A talk_row for struct render: shows the rows of its type. */
bool show_row(void *ctx, enum team_row kind, struct wire_span row);

/* Asks and shows every row that comes as the person wishes. Returns the exit code. */
int show_rows(struct call *c, struct wire_out *ask, const struct row_type *type);

/* The same for what teamd has reason to wait for. */
int show_rows_within(struct call *c, struct wire_out *ask, const struct row_type *type,
                     int64_t patience_ms);

/* The same for rows that go on coming, until the person has had enough. */
int follow_rows(struct call *c, struct wire_out *ask, const struct row_type *type);

/* From the first on, SIGINT and SIGTERM make the second return false, which waits until there is
 * something to read from `fd`, or nobody to read from `out` any more (-1: there need not be). */
void follow_listen(void);
bool follow_wait_for(int fd, int out);

/* Does something come so soon? What belongs together comes in several packets. */
bool follow_has_more(int fd, int within_ms);

/* Asks to change one request, and prints "ID: what came of it". Returns the exit code. */
int change_request(struct call *c, struct wire_out *ask, const char *id);

/* Shows one request, with its sessions (only ever without them as JSON). Returns the exit code. */
int show_request(struct call *c, const char *id, bool sessions);

/* ---- log_lines.c: what was done, as one time line ----------------------------------------------
 */

/* Rows of teamd's become rows of LOG_ROWS, in a buffer that the next one takes. `raw` of a call is
 * not among them. False: it is no row that makes a line. */
bool line_of_call(const struct look *look, bool of_many, struct wire_span row,
                  struct wire_span *ret);
bool line_of_start(const struct look *look, bool of_many, struct wire_span session,
                   struct wire_span *ret);
/* False: it is live. */
bool line_of_end(const struct look *look, struct wire_span session, struct wire_span *ret);

/* Calls that only read, one after the other, become one line. */
struct fold {
    unsigned n;
    int64_t first_us, last_us;
    unsigned n_names, others; /* calls of others */
    struct {
        char name[129];
        unsigned n;
    } names[3];
    char target[256];
    char line[4096]; /* the only one */
    size_t line_len;
};

bool fold_takes(const struct fold *f, struct wire_span line);
void fold_add(struct fold *f, struct wire_span line);
bool fold_end(struct fold *f, struct wire_span *ret); /* false: there was nothing */

/* ---- sudo_log.c: where sudo's own log of a session is ------------------------------------------
 */

/* What sudoreplay(8) calls the session; false if it knows none, or we may not ask. */
bool sudo_log_of(struct wire_span session, char out[static 64]);

/* How to use the AWS targets of a request that are open: the portal, and a profile to paste. */
void aws_put_use(struct out *o, struct wire_span request);

int verb_dashboard(struct call *c);
int verb_request(struct call *c);
int verb_pending(struct call *c);
int verb_approve(struct call *c);
int verb_reject(struct call *c);
int verb_cancel(struct call *c);
int verb_revoke(struct call *c);
int verb_extend(struct call *c);
int verb_list(struct call *c);
int verb_show(struct call *c);
int verb_targets(struct call *c);
int verb_sessions(struct call *c);
int verb_audit(struct call *c);
int verb_logs(struct call *c);
int verb_watch(struct call *c);
int verb_why(struct call *c);
int verb_reload(struct call *c);
int verb_status(struct call *c);
int verb_doctor(struct call *c);
int verb_backup(struct call *c);
int verb_pam_install(struct call *c);
int verb_pam_confirm(struct call *c);
int verb_pam_undo(struct call *c);
int verb_pam_remove(struct call *c);
int verb_pam_status(struct call *c);
int verb_pam_guard(struct call *c);
int verb_refresh(struct call *c);
int verb_reconcile(struct call *c);
int verb_drift(struct call *c);
int verb_help(struct call *c);
int verb_complete(struct call *c);
