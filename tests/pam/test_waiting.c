/* The built module in the real libpam, where the person can be asked: what they are asked, what of
 * it teamd hears, and that no way but a fresh yes of the gate lets anybody through. */
#include "behaviours.h"
#include "stage.h"

#include <signal.h>

/* ---- a person at a terminal ------------------------------------------------------------------ */

static struct {
    const char *types[4]; /* NULL: gives up there */
    unsigned asked;
    char screen[4000];
} person;

static void note(const char *kind, const char *text)
{
    struct text t = {
        .buf = person.screen, .cap = sizeof person.screen, .len = strlen(person.screen)};

    text_put(&t, kind);
    text_put(&t, text);
    text_put(&t, "\n");
}

static int type(int n, const struct pam_message **messages, struct pam_response **ret, void *ctx)
{
    const char *line;

    (void)ctx;
    assert_int_equal(n, 1);
    *ret = calloc(1, sizeof **ret);
    assert_non_null(*ret);
    if (messages[0]->msg_style != PAM_PROMPT_ECHO_ON) {
        note(messages[0]->msg_style == PAM_ERROR_MSG ? "error " : "", messages[0]->msg);
        return PAM_SUCCESS;
    }
    note("? ", messages[0]->msg);
    line = person.asked < COUNT(person.types) ? person.types[person.asked++] : NULL;
    if (line) {
        (*ret)->resp = strdup(line);
        return PAM_SUCCESS;
    }
    free(*ret);
    *ret = NULL;
    return PAM_CONV_ERR;
}

/* ---- teamds ---------------------------------------------------------------------------------- */

#define ID "K7QF2M9X"

/* The next ask has to be this one, and to hold this; else nothing is answered. */
static int expect(int l, unsigned op, enum team_tag tag, const char *value)
{
    char packet[TEAM_GATE_PACKET_MAX], got[600] = "";
    struct wire_msg msg = {0};
    int fd = take(l);

    if (read_ask(fd, packet, sizeof packet, &msg) != op)
        _exit(1);
    wire_copy(msg.fields, tag, got, sizeof got);
    if (strcmp(got, value) != 0)
        _exit(1);
    return fd;
}

static void say(int fd, unsigned op, int code, const char *text, const char *id, const char *needs)
{
    char packet[TEAM_GATE_PACKET_MAX];
    struct wire_out w = wire_begin(packet, sizeof packet, TEAM_ANSWER, op);

    wire_put_u64(&w, TEAM_CODE, (uint64_t)code);
    wire_put(&w, TEAM_TEXT, text);
    wire_put(&w, TEAM_ID, id);
    wire_put(&w, TEAM_NEEDS, needs);
    send(fd, packet, wire_finish(&w), MSG_NOSIGNAL);
}

static void is_pending(int l)
{
    say(expect(l, TEAM_OP_ACCOUNT, TEAM_SERVICE, "sudo"), TEAM_OP_ACCOUNT, TEAM_REFUSED,
        "request " ID " is waiting for bob", ID, NULL);
}

static void wants(int l, const char *needs)
{
    say(expect(l, TEAM_OP_ACCOUNT, TEAM_SERVICE, "sudo"), TEAM_OP_ACCOUNT, TEAM_REFUSED,
        "no active elevation; run: teamctl request", NULL, needs);
}

static void says_it_is_active(int l)
{
    say(expect(l, TEAM_OP_AWAIT, TEAM_ID, ID), TEAM_OP_AWAIT, TEAM_DONE, "approved by bob", ID,
        NULL);
}

static void gate_says(int l, int code, const char *text)
{
    say(expect(l, TEAM_OP_ACCOUNT, TEAM_SERVICE, "sudo"), TEAM_OP_ACCOUNT, code, text, NULL, NULL);
    nap_ms(200);
}

static void approved(int l)
{
    is_pending(l);
    says_it_is_active(l);
    gate_says(l, TEAM_DONE, NULL);
}

static void approved_and_revoked(int l)
{
    is_pending(l);
    says_it_is_active(l);
    gate_says(l, TEAM_REFUSED, "no active elevation");
}

static void approved_and_gone(int l)
{
    is_pending(l);
    says_it_is_active(l);
    close(l);
}

static void rejected(int l)
{
    is_pending(l);
    say(expect(l, TEAM_OP_AWAIT, TEAM_ID, ID), TEAM_OP_AWAIT, TEAM_REFUSED,
        "request " ID " was rejected by bob", ID, NULL);
    nap_ms(200);
}

/* Whoever asks once more is let in. */
static void pending_and_then_yes(int l)
{
    is_pending(l);
    gate_says(l, TEAM_DONE, NULL);
}

static void garbled(int l)
{
    is_pending(l);
    send(expect(l, TEAM_OP_AWAIT, TEAM_ID, ID), "TE\1\2", 4, MSG_NOSIGNAL);
    gate_says(l, TEAM_DONE, NULL);
}

/* A yes to another question than the one that was asked. */
static void answers_the_wait_for_the_gate(int l)
{
    is_pending(l);
    say(expect(l, TEAM_OP_AWAIT, TEAM_ID, ID), TEAM_OP_ACCOUNT, TEAM_DONE, NULL, NULL, NULL);
    gate_says(l, TEAM_DONE, NULL);
}

static void takes_a_reason(int l)
{
    wants(l, "reason");
    say(expect(l, TEAM_OP_FILE, TEAM_REASON, "rotate certs"), TEAM_OP_FILE, TEAM_DONE, NULL, ID,
        NULL);
    is_pending(l);
    says_it_is_active(l);
    gate_says(l, TEAM_DONE, NULL);
}

static void takes_a_ticket(int l)
{
    wants(l, "ticket");
    say(expect(l, TEAM_OP_FILE, TEAM_TICKET, "CHG-1"), TEAM_OP_FILE, TEAM_DONE, NULL, ID, NULL);
    gate_says(l, TEAM_DONE, NULL);
}

static void takes_a_duration(int l)
{
    wants(l, "reason");
    say(expect(l, TEAM_OP_FILE, TEAM_FOR_S, "1800"), TEAM_OP_FILE, TEAM_DONE, NULL, ID, NULL);
    gate_says(l, TEAM_DONE, NULL);
}

static void takes_no_reason(int l)
{
    wants(l, "reason");
    say(expect(l, TEAM_OP_FILE, TEAM_REASON, "rotate certs"), TEAM_OP_FILE, TEAM_REFUSED,
        "8h is more than policy \"sre\" allows", NULL, NULL);
    gate_says(l, TEAM_DONE, NULL); /* nobody asks */
}

static void takes_it_and_is_gone(int l)
{
    wants(l, "reason");
    close(expect(l, TEAM_OP_FILE, TEAM_REASON, "rotate certs"));
    gate_says(l, TEAM_DONE, NULL);
}

/* Wants one and would let in whoever asks again without. */
static void wants_a_reason_and_then_yes(int l)
{
    wants(l, "reason");
    gate_says(l, TEAM_DONE, NULL);
}

static void wants_a_ticket_and_then_yes(int l)
{
    wants(l, "ticket");
    gate_says(l, TEAM_DONE, NULL);
}

/* ---- one call ----------------------------------------------------------------------------------
 */

struct row {
    const char *says;
    void (*teamd)(int);
    const char *arguments, *tty;
    const char *types[4];
    uid_t uid;
    int code;
    const char *screen;
};

#define TTY      "/dev/pts/9"
#define QUESTION "? request " ID " is waiting for bob\nEnter to wait, Ctrl-C to give up: \n"
#define ASK(for_s) \
    "? no active elevation for sudo\nEnter to ask for " for_s " of it, Ctrl-C to give up: \n"
#define REASON  ASK("1h") "? Reason: \n"
#define PENDING "error request " ID " is waiting for bob\n"
#define TYPE_IT "error no active elevation; run: teamctl request\n"

static const struct row ROWS[] = {
    {"Enter, approved, and a yes of the gate: through",
     approved,
     "wait=1m",
     TTY,
     {""},
     ALICE,
     PAM_SUCCESS,
     QUESTION ID ": approved by bob\n"},
    {"approved, but the gate says no: no",
     approved_and_revoked,
     "wait=1m",
     TTY,
     {""},
     ALICE,
     PAM_PERM_DENIED,
     QUESTION ID ": approved by bob\nerror no active elevation\n"},
    {"approved, but the gate is gone: no",
     approved_and_gone,
     "wait=1m",
     TTY,
     {""},
     ALICE,
     PAM_PERM_DENIED,
     QUESTION ID ": approved by bob\nerror teamd does not answer any more; try again\n"},
    {"approved, but the gate is gone: no to root as well",
     approved_and_gone,
     "wait=1m",
     TTY,
     {""},
     0,
     PAM_PERM_DENIED,
     QUESTION ID ": approved by bob\nerror teamd does not answer any more; try again\n"},
    {"rejected: no",
     rejected,
     "wait=1m",
     TTY,
     {""},
     ALICE,
     PAM_PERM_DENIED,
     QUESTION "error request " ID " was rejected by bob\n"},
    {"garbage for an answer: no",
     garbled,
     "wait=1m",
     TTY,
     {""},
     ALICE,
     PAM_PERM_DENIED,
     QUESTION "error teamd does not answer any more; request " ID " stays open\n"},
    {"a yes to something else: no",
     answers_the_wait_for_the_gate,
     "wait=1m",
     TTY,
     {""},
     ALICE,
     PAM_PERM_DENIED,
     QUESTION "error teamd does not answer any more; request " ID " stays open\n"},
    {"who gives up at the question does not wait",
     pending_and_then_yes,
     "wait=1m",
     TTY,
     {NULL},
     ALICE,
     PAM_PERM_DENIED,
     QUESTION PENDING},
    {"nor does who says anything",
     pending_and_then_yes,
     "wait=1m",
     TTY,
     {"n"},
     ALICE,
     PAM_PERM_DENIED,
     QUESTION PENDING},
    {"without a terminal nobody is asked",
     pending_and_then_yes,
     "wait=1m",
     NULL,
     {""},
     ALICE,
     PAM_PERM_DENIED,
     PENDING},
    {"over ssh nobody is asked",
     pending_and_then_yes,
     "wait=1m",
     "ssh",
     {""},
     ALICE,
     PAM_PERM_DENIED,
     PENDING},
    {"without the argument nobody is asked",
     pending_and_then_yes,
     "prompt",
     TTY,
     {""},
     ALICE,
     PAM_PERM_DENIED,
     PENDING},
    {"quiet asks nobody and says nothing",
     pending_and_then_yes,
     "wait=1m quiet",
     TTY,
     {""},
     ALICE,
     PAM_PERM_DENIED,
     ""},
    {"a reason, and then the wait without a question",
     takes_a_reason,
     "wait=1m prompt",
     TTY,
     {"", "rotate certs"},
     ALICE,
     PAM_SUCCESS,
     REASON ID ": approved by bob\n"},
    {"a ticket where one is needed",
     takes_a_ticket,
     "prompt",
     TTY,
     {"", "rotate certs", "CHG-1"},
     ALICE,
     PAM_SUCCESS,
     REASON "? Ticket: \n"},
    {"for as long as the argument says",
     takes_a_duration,
     "prompt prompt_for=30m",
     TTY,
     {"", "rotate certs"},
     ALICE,
     PAM_SUCCESS,
     ASK("30m") "? Reason: \n"},
    {"a request that is refused: no, and why",
     takes_no_reason,
     "wait=1m prompt",
     TTY,
     {"", "rotate certs"},
     ALICE,
     PAM_PERM_DENIED,
     REASON "error 8h is more than policy \"sre\" allows\n"},
    {"a request that nobody confirms: no",
     takes_it_and_is_gone,
     "wait=1m prompt",
     TTY,
     {"", "rotate certs"},
     ALICE,
     PAM_PERM_DENIED,
     REASON "error teamd does not answer; teamctl tells whether the request is there\n"},
    {"no reason: no",
     wants_a_reason_and_then_yes,
     "wait=1m prompt",
     TTY,
     {"", NULL},
     ALICE,
     PAM_PERM_DENIED,
     REASON TYPE_IT},
    {"an empty reason: no",
     wants_a_reason_and_then_yes,
     "wait=1m prompt",
     TTY,
     {""},
     ALICE,
     PAM_PERM_DENIED,
     REASON TYPE_IT},
    {"a reason that is no text: no",
     wants_a_reason_and_then_yes,
     "wait=1m prompt",
     TTY,
     {"", "\033[2J"},
     ALICE,
     PAM_PERM_DENIED,
     REASON "error that cannot be a reason or a ticket: it is no short line of text\n"},
    {"no ticket: no",
     wants_a_ticket_and_then_yes,
     "wait=1m prompt",
     TTY,
     {"", "rotate certs", NULL},
     ALICE,
     PAM_PERM_DENIED,
     REASON "? Ticket: \n" TYPE_IT},
    {"no reason, no question for a ticket",
     wants_a_ticket_and_then_yes,
     "prompt",
     TTY,
     {""},
     ALICE,
     PAM_PERM_DENIED,
     REASON TYPE_IT},
    {"what nobody could ask for is not asked about",
     no,
     "wait=1m prompt",
     TTY,
     {"x"},
     ALICE,
     PAM_PERM_DENIED,
     "error no active elevation; run: teamctl request sudo --for 1h\n"},
    {"a yes asks nobody", yes, "wait=1m prompt", TTY, {""}, ALICE, PAM_SUCCESS, ""},
};

static void check_row(void **state)
{
    const struct row *row = *state;
    int crowd[16], code, before;
    pid_t teamd = start(set_up(TEAMD, crowd), row->teamd);
    pam_handle_t *pamh;
    size_t printed;

    memset(&person, 0, sizeof person);
    memcpy(person.types, row->types, sizeof row->types);
    write_service("sudo", row->arguments);
    pamh = begin("sudo", "alice", type);
    pam_set_item(pamh, PAM_TTY, row->tty);
    before = count_entries("/proc/self/fd");
    code = run(pamh, pam_acct_mgmt, PAM_SILENT, row->uid, &printed);
    assert_int_equal(count_entries("/proc/self/fd"), before);
    pam_end(pamh, code);
    stop(teamd);
    assert_string_equal(person.screen, row->screen);
    assert_int_equal(code, row->code);
    assert_int_equal(printed, 0);
    assert_int_equal(heard.logged > 0, code != PAM_SUCCESS); /* libpam logs who gives up, too */
}

static void a_session_asks_nobody(void **state)
{
    int crowd[16];
    pid_t teamd = start(set_up(TEAMD, crowd), no);
    pam_handle_t *pamh;
    size_t printed;

    (void)state;
    memset(&person, 0, sizeof person);
    write_service("sudo", "wait=1m prompt");
    pamh = begin("sudo", "alice", type);
    pam_set_item(pamh, PAM_TTY, TTY);
    assert_int_equal(run(pamh, pam_open_session, 0, ALICE, &printed), PAM_PERM_DENIED);
    pam_end(pamh, 0);
    stop(teamd);
    assert_string_equal(person.screen, "");
}

int main(void)
{
    static struct CMUnitTest tests[COUNT(ROWS) + 1] = {cmocka_unit_test(a_session_asks_nobody)};

    if (geteuid() != 0) {
        puts("1..1\nok 1 - who waits in libpam # SKIP needs root, to be somebody else");
        return 0;
    }
    for (size_t i = 0; i < COUNT(ROWS); i++)
        tests[1 + i] = (struct CMUnitTest){.name = ROWS[i].says,
                                           .test_func = check_row,
                                           .initial_state = (void *)(uintptr_t)&ROWS[i]};
    return _cmocka_run_group_tests("waiting", tests, COUNT(tests), build_stage, clear_stage);
}
