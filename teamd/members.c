#include "teamd.h"

/* Who is in a group of Identity Center is a user there. Approvers among them who are users of this
 * host, too, are looked up by name, so that they are shown, and told, as somebody who is waited
 * for. Whether they are approvers is decided anew each time, whatever is found here. */

enum { EACH_GROUP = 32 }; /* more names help nobody to find somebody */

static void found(void *ctx, int error, const struct person *who)
{
    struct teamd *t = ctx;
    struct members *m = &t->members;
    size_t at = 0;

    if (error < 0)
        return; /* not of this host, or not to be found now: next time */
    while (at < m->n && m->uids[at] != who->uid)
        at++;
    if (at == MEMBERS_MAX)
        return;
    m->uids[at] = who->uid;
    m->n += at == m->n;
    learn_person(t, who->uid, 0, who);
}

static void look_up_group(struct teamd *t, uint32_t group)
{
    const struct directory *d = t->world.directory;
    uint32_t at = 0, user;
    struct name name;

    for (size_t n = 0; n < EACH_GROUP && (user = directory_each_member(d, group, &at)); n++) {
        policy_local_name(t->world.policy, dir_text(d, d->users[user - 1].name), &name);
        if (name.text[0])
            people_by_name(t->people, name.text, found, t);
    }
}

static bool approves(const struct policy *p, size_t principal)
{
    for (size_t i = 0; i < p->n_approvers; i++)
        if (p->approvers[i].who.bits[principal / 64] >> principal % 64 & 1)
            return true;
    return false;
}

void members_look_up(struct teamd *t)
{
    const struct world *w = &t->world;

    if (t->members.n == MEMBERS_MAX)
        t->members.n = 0; /* some of them may have been members once */
    for (size_t i = 0; w->policy && w->directory && i < w->policy->n_principals; i++)
        if (w->idc_groups[i] > 0 && approves(w->policy, i))
            look_up_group(t, w->idc_groups[i]);
}
