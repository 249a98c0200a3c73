#include "courier/assignment_queue.h"

#include "team/text.h"

#include <string.h>
#include <strings.h>

/* ---- sentences ------------------------------------------------------------------------------ */

static void say(char text[WORDS_CAP], enum assignment_why why, const char *words)
{
    static const char *const SENTENCES[] = {
        [ASSIGNMENT_FINE] = "",
        [ASSIGNMENT_DENIED] = "AWS does not allow team-courier to do that",
        [ASSIGNMENT_QUOTA] = "a quota of the AWS account is used up",
        [ASSIGNMENT_NO_PRINCIPAL] = "IAM Identity Center does not know the user any more",
        [ASSIGNMENT_NO_SUCH] = "AWS does not know the account or the permission set any more",
        [ASSIGNMENT_CONFLICT] = "something else is changing this permission set on this account",
        [ASSIGNMENT_SLOW] = "AWS does not get it done",
        [ASSIGNMENT_OTHER] = "AWS refused",
    };
    struct text t = text_over(text, WORDS_CAP);

    text_put(&t, SENTENCES[why]);
    if (words[0]) {
        text_put(&t, ": ");
        text_make_plain(text + t.len, WORDS_CAP - t.len, words, strlen(words));
    }
}

/* ---- errors of calls ------------------------------------------------------------------------ */

static const struct {
    const char *code; /* how it begins */
    enum assignment_why why;
} CODES[] = {
    {"AccessDenied", ASSIGNMENT_DENIED},
    {"UnauthorizedOperation", ASSIGNMENT_DENIED},
    {"NotAuthorized", ASSIGNMENT_DENIED},
    {"OptInRequired", ASSIGNMENT_DENIED},
    {"KMS", ASSIGNMENT_DENIED},
    {"ServiceQuotaExceeded", ASSIGNMENT_QUOTA},
    {"ResourceNotFound", ASSIGNMENT_NO_SUCH},
    {"Conflict", ASSIGNMENT_CONFLICT},
    {"ConcurrentModification", ASSIGNMENT_CONFLICT},
    /* of credentials and clocks: somebody will put them right */
    {"ExpiredToken", ASSIGNMENT_SLOW},
    {"InvalidClientTokenId", ASSIGNMENT_SLOW},
    {"UnrecognizedClient", ASSIGNMENT_SLOW},
    {"InvalidSignature", ASSIGNMENT_SLOW},
    {"SignatureDoesNotMatch", ASSIGNMENT_SLOW},
    {"IncompleteSignature", ASSIGNMENT_SLOW},
    {"MissingAuthenticationToken", ASSIGNMENT_SLOW},
    {"Request", ASSIGNMENT_SLOW}, /* RequestExpired, RequestTimeout, ... */
    /* that usually come with 5xx */
    {"Internal", ASSIGNMENT_SLOW},
    {"ServiceUnavailable", ASSIGNMENT_SLOW},
    {"Throttl", ASSIGNMENT_SLOW},
    {"TooManyRequests", ASSIGNMENT_SLOW},
};

static enum assignment_why why_of(enum aws_outcome outcome, const char *code)
{
    if (outcome != AWS_REFUSED ||
        !code[0]) /* AWS's refusals have codes; pages of proxies have none */
        return ASSIGNMENT_SLOW;
    for (size_t i = 0; i < sizeof CODES / sizeof CODES[0]; i++)
        if (strncmp(code, CODES[i].code, strlen(CODES[i].code)) == 0)
            return CODES[i].why;
    return ASSIGNMENT_OTHER;
}

static const char *words_for(enum aws_outcome outcome, const char *code, const char *message,
                             char out[WORDS_CAP])
{
    static const char *const WHEN_SILENT[] = {
        [AWS_OK] = "",
        [AWS_REFUSED] = "it gives no reason",
        [AWS_THROTTLED] = "it has too much to do",
        [AWS_BROKEN] = "it is out of order",
        [AWS_UNREACHABLE] = "it cannot be reached",
        [AWS_GARBLED] = "its answer cannot be used",
        [AWS_NO_CREDENTIALS] = "there are no credentials",
    };
    struct text t = text_over(out, WORDS_CAP);

    if (!code[0] && !message[0])
        return WHEN_SILENT[outcome];
    text_put(&t, code);
    if (code[0] && message[0])
        text_put(&t, ": ");
    text_put(&t, message);
    return out;
}

enum assignment_why words_of_result(const struct aws_result *result, char text[WORDS_CAP])
{
    enum assignment_why why = why_of(result->outcome, result->code);
    char words[WORDS_CAP];

    say(text, why, words_for(result->outcome, result->code, result->message, words));
    return why;
}

enum assignment_why words_of_failure(const struct aws_failure *failure, char text[WORDS_CAP])
{
    enum assignment_why why = why_of(failure->outcome, failure->code);
    char words[WORDS_CAP];

    say(text, why, words_for(failure->outcome, failure->code, failure->message, words));
    return why;
}

/* ---- reasons of failed assignments ---------------------------------------------------------- */

static const struct {
    const char *word, *and; /* both are in it, in any case */
    enum assignment_why why;
} REASONS[] = {
    {"assignee", "not found", ASSIGNMENT_NO_PRINCIPAL},
    {"user", "not found", ASSIGNMENT_NO_PRINCIPAL},
    {"user", "not exist", ASSIGNMENT_NO_PRINCIPAL},
    {"principal", "not found", ASSIGNMENT_NO_PRINCIPAL},
    {"quota", "", ASSIGNMENT_QUOTA},
    {"limit", "exceeded", ASSIGNMENT_QUOTA},
    {"limitexceeded", "", ASSIGNMENT_QUOTA},
    {"not authorized", "", ASSIGNMENT_DENIED},
    {"accessdenied", "", ASSIGNMENT_DENIED},
    {"access denied", "", ASSIGNMENT_DENIED},
    {"403", "", ASSIGNMENT_DENIED},
    {"not found", "", ASSIGNMENT_NO_SUCH},
    {"not exist", "", ASSIGNMENT_NO_SUCH},
    {"404", "", ASSIGNMENT_NO_SUCH},
    {"conflict", "", ASSIGNMENT_CONFLICT},
    {"concurrent", "", ASSIGNMENT_CONFLICT},
    {"internal", "", ASSIGNMENT_SLOW},
    {"throttl", "", ASSIGNMENT_SLOW},
    {"rate exceeded", "", ASSIGNMENT_SLOW},
    {"unavailable", "", ASSIGNMENT_SLOW},
    {"try again", "", ASSIGNMENT_SLOW},
};

enum assignment_why words_of_reason(const char *reason, char text[WORDS_CAP])
{
    enum assignment_why why = ASSIGNMENT_OTHER;

    for (size_t i = 0; i < sizeof REASONS / sizeof REASONS[0]; i++)
        if (strcasestr(reason, REASONS[i].word) && strcasestr(reason, REASONS[i].and)) {
            why = REASONS[i].why;
            break;
        }
    say(text, why, reason[0] ? reason : "it gives no reason");
    return why;
}

bool words_may_pass(enum assignment_why why)
{
    return why == ASSIGNMENT_SLOW || why == ASSIGNMENT_CONFLICT;
}
