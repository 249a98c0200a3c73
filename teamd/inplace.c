#include "teamd.h"

#include <errno.h>
#include <stdlib.h>

/* What pam_team asks for a person whom the gate has just refused, and who is there to be asked: to
 * wait for their request, or to make one. The person is who the gate takes them for, and the rules
 * are those of control.sock: a login uid that is set and theirs, and for a request a peer outside
 * of every elevated session. */

static bool read_person(struct ask *a)
{
    char service[WORD_CAP];
    uint64_t uid;

    if (!wire_find_u64(a->msg.fields, TEAM_UID, &uid) || uid >= NOBODY ||
        !wire_copy(a->msg.fields, TEAM_SERVICE, service, sizeof service) ||
        gate_class_in_place(a->t->world.policy, service) == CLASS_NONE)
        return false;
    a->actor.uid = (uint32_t)uid;
    return true;
}

void in_place_ask(struct teamd *t, struct conn *c, const struct wire_msg *msg)
{
    struct ask *a = ask_new(t, c, msg);
    uint64_t inside;
    char why[200];

    if (!a)
        return;
    if (!read_person(a)) {
        ask_say(a, REPLY_FAILED, "that is no question for the gate");
        return;
    }
    inside = sessions_of_process(t, conn_pid(c)); /* of this process, says the next */
    if (process_login(conn_pidfd(c), conn_pid(c), &a->actor.loginuid) < 0) {
        ask_say(a, REPLY_FAILED, "the asking process is gone");
        return;
    }
    a->actor.in_session = is_elevating(t, inside);
    a->impostor = !identity_ok(t->world.policy, &a->actor, IDENTITY_GATE, why);
    if (msg->op == TEAM_OP_FILE)
        change_ask(a); /* an impostor's try belongs into the trail: the core refuses it */
    else if (a->impostor)
        ask_say(a, REPLY_REFUSED, why);
    else
        wait_ask_in_place(a);
}
