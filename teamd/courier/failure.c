#include "courier/failure.h"

#include "team/text.h"

#include <string.h>

static void fill(struct aws_failure *f, enum aws_service service, const char *operation,
                 enum aws_outcome outcome)
{
    struct text name;

    *f = (struct aws_failure){.outcome = outcome};
    name = text_over(f->operation, sizeof f->operation);
    text_put(&name, aws_service_name(service));
    text_put(&name, " ");
    text_put(&name, operation);
}

void failure_of_result(struct aws_failure *f, enum aws_service service, const char *operation,
                       const struct aws_result *result)
{
    fill(f, service, operation, result->outcome);
    memcpy(f->code, result->code, sizeof f->code);
    memcpy(f->message, result->message, sizeof f->message);
}

void failure_say(struct aws_failure *f, enum aws_service service, const char *operation,
                 enum aws_outcome outcome, const char *message)
{
    fill(f, service, operation, outcome);
    text_make_plain(f->message, sizeof f->message, message, strlen(message));
}

static const char *way_out(const struct aws_failure *f)
{
    bool activity = strncmp(f->operation, "logs ", 5) == 0 ||
                    strncmp(f->operation, "cloudtrail ", 11) == 0;

    if (f->outcome == AWS_REFUSED && strncmp(f->code, "AccessDenied", 12) == 0 && activity)
        return "; the role that is assumed for this source needs the permission";
    if (f->outcome == AWS_REFUSED && strncmp(f->code, "AccessDenied", 12) == 0)
        return "; the identity that team-courier uses needs this permission, from the management "
               "account or as delegated administrator of IAM Identity Center";
    if (f->outcome == AWS_THROTTLED)
        return "; it will be asked again";
    return "";
}

static const char *kind_text(enum aws_outcome outcome)
{
    static const char *const TEXTS[] = {
        [AWS_OK] = "answered",
        [AWS_REFUSED] = "refused",
        [AWS_THROTTLED] = "has too much to do",
        [AWS_BROKEN] = "is out of order",
        [AWS_UNREACHABLE] = "cannot be reached",
        [AWS_GARBLED] = "answered what cannot be used",
        [AWS_NO_CREDENTIALS] = "was not asked: there are no credentials",
    };

    return TEXTS[outcome];
}

void aws_failure_text(const struct aws_failure *f, char out[AWS_FAILURE_CAP])
{
    struct text t = text_over(out, AWS_FAILURE_CAP);

    text_put(&t, f->operation);
    text_put(&t, " ");
    text_put(&t, kind_text(f->outcome));
    if (f->code[0] || f->message[0])
        text_put(&t, ": ");
    text_put(&t, f->code);
    if (f->code[0] && f->message[0])
        text_put(&t, ": ");
    text_put(&t, f->message);
    text_put(&t, way_out(f));
}
