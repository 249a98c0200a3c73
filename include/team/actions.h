/* What an event of the audit trail can be about: its action. Every one that is written is here. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

static const char *const TEAM_ACTIONS[] = {
    "request.submit",    "request.approve",   "request.reject",   "request.schedule",
    "request.start",     "request.active",    "request.ending",   "request.end",
    "request.revoke",    "request.cancel",    "request.expire",   "request.fail",
    "extension.submit",  "extension.approve", "extension.reject", "extension.grant",
    "extension.expire",  "session.open",      "session.confirm",  "session.move",
    "session.terminate", "session.kill",      "session.stuck",    "session.escape",
    "session.end",       "assignment.look",   "assignment.make",  "assignment.made",
    "assignment.found",  "assignment.remove", "assignment.gone",  "assignment.wait",
    "assignment.fail",   "aws.refresh",       "aws.reconcile",    "gate.account",
    "policy.load",       "store.backup",      "identity.check",   "activity.drop",
};
enum { TEAM_ACTIONS_N = sizeof TEAM_ACTIONS / sizeof TEAM_ACTIONS[0] };

static inline bool team_action_is(const char *word)
{
    for (size_t i = 0; i < TEAM_ACTIONS_N; i++)
        if (strcmp(TEAM_ACTIONS[i], word) == 0)
            return true;
    return false;
}
