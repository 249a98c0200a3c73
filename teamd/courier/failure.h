/* Why something that takes several calls to AWS could not be done: the call that failed. */
#pragma once

#include "courier/aws.h"

struct aws_failure {
    enum aws_outcome outcome;
    char operation[64]; /* "sso-admin ListInstances" */
    char code[AWS_CODE_CAP];
    char message[AWS_TEXT_CAP];
};

enum { AWS_FAILURE_CAP = 1024 };

/* One sentence for people: the operation, the reason, the way out if there is one. */
void aws_failure_text(const struct aws_failure *f, char out[AWS_FAILURE_CAP]);

/* Makes one of a result that is not AWS_OK. */
void failure_of_result(struct aws_failure *f, enum aws_service service, const char *operation,
                       const struct aws_result *result);

/* Makes one of what we found out ourselves. */
void failure_say(struct aws_failure *f, enum aws_service service, const char *operation,
                 enum aws_outcome outcome, const char *message);
