#include "teamd.h"

#include <errno.h>

/* Who is in a group of Identity Center is a user there. Approvers among them who are users of this
 * host, too, are looked up by name, so that they are shown, and told, as somebody who is waited
 * for. Whether they are approvers is decided anew each time, whatever is found here.
 *
 * One after the other: nobody else's look-up has to wait behind a large group. */

enum { EACH_GROUP = 256 };

static void look_up_next(struct teamd *t);

static void remember(struct members *m, uint32_t uid)
{
    for (size_t i = 0; i < m->n; i++)
        if (m->uids[i] == uid)
            return;
    if (m->n < MEMBERS_MAX)
        m->uids[m->n++] = uid;
}

static void found(void *ctx, int error, const struct person *who)
{
    struct teamd *t = ctx;

    t->members.looking = false;
    if (error == 0) {
        remember(&t->members, who->uid);
        learn_person(t, who->uid, 0, who);
    }
    if (error == 0 || error == -ENOENT) /* -ENOENT: not of this host */
        look_up_next(t);
}

static bool approves(const struct policy *p, size_t principal)
{
    for (size_t i = 0; i < p->n_approvers; i++)
        if (p->approvers[i].who.bits[principal / 64] >> principal % 64 & 1)
            return true;
    return false;
}

/* The next member, as directory_user(); 0: there is none any more. */
static uint32_t next_member(const struct world *w, struct members *m)
{
    uint32_t user;

    for (; m->principal < w->policy->n_principals; m->principal++) {
        bool wanted = w->idc_groups[m->principal] > 0 && approves(w->policy, m->principal);

        if (wanted && m->asked < EACH_GROUP &&
            (user = directory_each_member(w->directory, w->idc_groups[m->principal], &m->at)) > 0) {
            m->asked++;
            return user;
        }
        m->at = m->asked = 0;
    }
    return 0;
}

static void look_up_next(struct teamd *t)
{
    const struct world *w = &t->world;
    struct members *m = &t->members;
    uint32_t user;

    while (!m->looking && (user = next_member(w, m)) > 0) {
        struct name name;

        policy_local_name(w->policy, dir_text(w->directory, w->directory->users[user - 1].name),
                          &name);
        if (name.text[0])
            m->looking = people_by_name(t->people, name.text, found, t) == 0;
    }
}

void members_look_up(struct teamd *t)
{
    struct members *m = &t->members;

    if (m->n == MEMBERS_MAX)
        m->n = 0; /* some of them may have been members once */
    m->principal = 0;
    m->at = m->asked = 0;
    if (t->world.policy && t->world.directory)
        look_up_next(t);
}
