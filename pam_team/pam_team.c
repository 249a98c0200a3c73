/* The PAM module: collects what PAM knows, asks teamd, and says what came of it. All it may do to
 * the host it lives in is to open a socket and close it again, and to move it into the cgroup that
 * teamd has made for its session; what it decides is in verdict.c.
 *
 * One connection for one question, no state from one call to the next: account and open_session may
 * run in different processes, and teamd decides afresh each time. */
#include "client.h"
#include "container.h"
#include "inplace.h"

#include <assert.h>
#include <errno.h>
#include <security/pam_ext.h>
#include <security/pam_modules.h>
#include <stdlib.h>
#include <unistd.h>

static_assert((int)VERDICT_PASS == PAM_SUCCESS, "numbers of the PAM ABI");
static_assert((int)VERDICT_BAD_SETUP == PAM_SERVICE_ERR, "numbers of the PAM ABI");
static_assert((int)VERDICT_DENY == PAM_PERM_DENIED, "numbers of the PAM ABI");
static_assert((int)VERDICT_CANNOT_KNOW == PAM_AUTHINFO_UNAVAIL, "numbers of the PAM ABI");

/* The three that the host sees; pam_team.map says the same to the linker. */
#define EXPORTED __attribute__((visibility("default")))

/* Which release a file is of: what(1) and teamctl doctor look for this. */
__attribute__((used)) static const char release[] = "@(#) pam_team " TEAM_RELEASE;

static const char *item(pam_handle_t *pamh, int which)
{
    const void *value = NULL;

    return pam_get_item(pamh, which, &value) == PAM_SUCCESS ? (const char *)value : NULL;
}

/* ANSWER_YES, ANSWER_NO, or -errno. */
static int ask(const struct facts *f, const struct options *o, int64_t deadline, struct answer *ret)
{
    char packet[TEAM_GATE_PACKET_MAX];
    struct client c;
    size_t len;
    int r;

    len = ask_encode(f, packet, sizeof packet);
    if (len == 0)
        return -EINVAL;
    r = client_open(o->socket, deadline, &c);
    if (r < 0)
        return r;
    r = client_send(&c, packet, len, deadline);
    if (r == 0)
        r = client_receive(&c, packet, sizeof packet, deadline);
    client_close(&c);
    return r < 0 ? r : answer_read(f->op, packet, (size_t)r, ret);
}

/* Everything under one deadline. A session with a container is opened in three steps: teamd records
 * it, this process goes in, and teamd looks at both once more. */
static int ask_all(const struct facts *f, const struct options *o, struct answer *ret)
{
    int64_t deadline = client_deadline(o->timeout_us);
    struct facts confirm = *f;
    int r;

    r = ask(f, o, deadline, ret);
    if (r != ANSWER_YES || ret->cgroup[0] == '\0')
        return r;
    if (!container_enter(ret->cgroup))
        return -EXDEV;
    confirm.op = TEAM_OP_CONFIRM;
    confirm.session = ret->session;
    return ask(&confirm, o, deadline, ret);
}

/* ---- a no that may become a yes ---------------------------------------------------------------
 */

static void say(struct answer *a, const char *text)
{
    struct text t = text_over(a->text, sizeof a->text);

    text_put(&t, text);
}

/* What was typed, or NULL: nobody could be asked (sudo -n), or they gave up. Whoever asks has to
 * give it back to the heap that the host took it from: PAM's rule, and our only free(). */
static char *ask_person(pam_handle_t *pamh, const char *question)
{
    char *typed = NULL;

    if (pam_prompt(pamh, PAM_PROMPT_ECHO_ON, &typed, "%s", question) == PAM_SUCCESS)
        return typed;
    free(typed);
    return NULL;
}

static bool agrees(pam_handle_t *pamh, const char *question)
{
    char *typed = ask_person(pamh, question);
    bool yes = typed && typed[0] == '\0';

    free(typed);
    return yes;
}

/* The gate decides, as always: that somebody was told to go on is no yes. */
static int ask_again(const struct facts *f, const struct options *o, struct answer *a)
{
    int r = ask(f, o, client_deadline(o->timeout_us), a);

    if (r < 0)
        say(a, "teamd does not answer any more; try again");
    return r < 0 ? ANSWER_NO : r;
}

static int file_for(const struct facts *f, const struct options *o, const char *reason,
                    const char *ticket, struct answer *a)
{
    struct facts request = *f;
    int r;

    request.op = TEAM_OP_FILE;
    request.for_s = file_for_s(o, a);
    request.reason = reason;
    request.ticket = ticket;
    r = ask(&request, o, client_deadline(o->timeout_us), a);
    if (r < 0)
        say(a, r == -EINVAL ? "that cannot be a reason or a ticket: it is no short line of text"
                            : "teamd does not answer; teamctl tells whether the request is there");
    return r == ANSWER_YES ? ask_again(f, o, a) : ANSWER_NO;
}

/* Makes the request, and asks the gate again: some need no approval. */
static int file(pam_handle_t *pamh, const struct facts *f, const struct options *o,
                struct answer *a)
{
    bool needs_ticket = a->needs == ANSWER_NEEDS_TICKET;
    char question[QUESTION_CAP], *reason, *ticket = NULL;
    int r = ANSWER_NO;

    question_file(question, f, file_for_s(o, a));
    if (!agrees(pamh, question))
        return ANSWER_NO;
    reason = ask_person(pamh, "Reason: ");
    if (reason && reason[0] != '\0') {
        question_ticket(question, a);
        if (needs_ticket)
            ticket = ask_person(pamh, question);
        if (ticket || !needs_ticket)
            r = file_for(f, o, reason, ticket, a);
    }
    free(ticket);
    free(reason);
    return r;
}

struct screen {
    pam_handle_t *pamh;
    bool used;
};

/* Over the line before, if it is ours. There is a terminal, or nobody had been asked. */
static void show(void *ctx, const char *line)
{
    struct screen *s = ctx;

    pam_info(s->pamh, "%s%s", s->used ? "\033[A\r\033[K" : "", line);
    s->used = true;
}

/* The person has been refused, and may be there to do something about it. A failure on the way is a
 * no as well, for root too. */
static int insist(pam_handle_t *pamh, const struct facts *f, const struct options *o,
                  struct answer *a)
{
    struct screen screen = {.pamh = pamh};
    struct facts wait = *f;
    char question[QUESTION_CAP];
    bool agreed = false;

    if (in_place(f, o, a) == IN_PLACE_FILE) {
        if (file(pamh, f, o, a) == ANSWER_YES)
            return ANSWER_YES;
        agreed = true;
    }
    if (in_place(f, o, a) != IN_PLACE_WAIT)
        return ANSWER_NO;
    question_wait(question, a->text);
    if (!agreed && !agrees(pamh, question))
        return ANSWER_NO;
    wait.op = TEAM_OP_AWAIT;
    wait.request = a->request;
    if (wait_in_place(&wait, o, show, &screen, a) != ANSWER_YES)
        return ANSWER_NO;
    return ask_again(f, o, a);
}

static int gate(pam_handle_t *pamh, enum team_op op, int argc, const char **argv)
{
    struct options o = options_parse(argc, argv);
    struct facts f = {
        .op = op,
        .uid = getuid(),
        .service = item(pamh, PAM_SERVICE),
        .user = item(pamh, PAM_USER),
        .ruser = item(pamh, PAM_RUSER),
        .tty = item(pamh, PAM_TTY),
        .rhost = item(pamh, PAM_RHOST),
        .ssh_connection = pam_getenv(pamh, "SSH_CONNECTION"),
    };
    struct answer words = {.session = 0};
    struct verdict v;
    int answer;

    /* With wrong arguments only those pass who would pass without teamd; it is asked for them
     * nevertheless, so that it knows. */
    answer = o.wrong && !passes_unanswered(&f) ? -ECANCELED : ask_all(&f, &o, &words);
    if (answer == ANSWER_NO)
        answer = insist(pamh, &f, &o, &words);
    verdict_reach(&f, &o, answer, words.text, &v);
    if (v.log[0] != '\0')
        pam_syslog(pamh, v.priority, "%s", v.log);
    /* PAM_SILENT is not asked: sudo sets it always, and nobody would learn what to do next. */
    if (v.message[0] != '\0')
        pam_error(pamh, "%s", v.message);
    return (int)v.code;
}

EXPORTED int pam_sm_acct_mgmt(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
    (void)flags;
    return gate(pamh, TEAM_OP_ACCOUNT, argc, argv);
}

EXPORTED int pam_sm_open_session(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
    (void)flags;
    return gate(pamh, TEAM_OP_OPEN, argc, argv);
}

EXPORTED int pam_sm_close_session(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
    (void)flags;
    return gate(pamh, TEAM_OP_CLOSE, argc, argv);
}
