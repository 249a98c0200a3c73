#include "core/step.h"

/* Explains the policy to a person: may they have this, and if not, what is missing? */

enum { NAMES_MAX = 16 };

struct report {
    struct finding *out;
    size_t n, cap;
    bool yes;
};

/* Starts a line. Lines beyond the caller's room are dropped, their verdict is not. */
static struct text line(struct report *rep, bool yes)
{
    rep->yes = rep->yes && yes;
    if (rep->n == rep->cap)
        return text_over(NULL, 0);
    rep->out[rep->n].yes = yes;
    rep->n++;
    return text_over(rep->out[rep->n - 1].text, sizeof rep->out[0].text);
}

static bool aws_is_there(struct report *rep, const struct world *w, const struct target *t)
{
    enum aws_standing standing = directory_standing(w->directory, t);
    struct text to;

    if (w->policy->aws && standing == AWS_FINE)
        return true;
    to = line(rep, false);
    if (w->policy->aws)
        text_put_standing(&to, t, standing);
    else
        text_put(&to, "AWS is not configured");
    return false;
}

/* Whose access it would be. */
static void explain_user(struct report *rep, const struct world *w, const struct person *who)
{
    char name[AWS_USER_CAP];
    struct text to = line(rep, who->aws_user > 0);

    policy_aws_name(w->policy, who, name);
    text_put(&to, who->aws_user > 0 ? "in Identity Center that is the user "
                                    : "Identity Center has no user ");
    text_put(&to, name);
}

static bool target_is_here(struct report *rep, const struct world *w, const struct target *t)
{
    struct target here = *t;
    struct text to;

    if (t->kind == TARGET_AWS)
        return aws_is_there(rep, w, t);
    memcpy(here.place, w->policy->host, sizeof here.place);
    if (!target_equal(&here, t)) {
        to = line(rep, false);
        text_put(&to, "this host is ");
        text_put(&to, w->policy->host);
        text_put(&to, "; its targets are asked for here, another host's there");
        return false;
    }
    if (policy_class_named(w->policy, t->what) == CLASS_NONE) {
        to = line(rep, false);
        text_put(&to, t->what);
        text_put(&to, " is no service class of this host");
        return false;
    }
    return true;
}

/* One line per policy that names the person. Other policies than the one that decides are no reason
 * for a no: their line is a remark. */
static void explain_policies(struct report *rep, const struct world *w, const struct person *who,
                             const struct target *t, int64_t duration_s)
{
    struct eligible e = policy_eligible(w->policy, w->directory, who, t, duration_s);
    size_t named = 0;
    struct text to;

    for (size_t i = 0; i < w->policy->n_eligibility; i++) {
        const struct eligibility *p = &w->policy->eligibility[i];

        if (!policy_names(w->policy, &p->who, who, t))
            continue;
        named++;
        if (p != e.by)
            continue;
        to = line(rep, e.allowed);
        text_put(&to, "policy \"");
        text_put(&to, p->name.text);
        text_put(&to, e.allowed ? "\" allows it, for up to " : "\" covers it, but only for up to ");
        text_put_duration(&to, (uint64_t)policy_longest(w->policy, p));
        if (e.allowed)
            text_put(&to, e.approval_required ? ", with approval" : ", without approval");
    }
    if (!e.covered) {
        to = line(rep, false);
        text_put(&to,
                 named ? "the eligibility policies that name " : "no eligibility policy names ");
        text_put(&to, who->name.text);
        text_put(&to, named ? " do not cover this target" : "");
    }
}

static void explain_approval(struct report *rep, const struct world *w, const struct person *who,
                             const struct target *t)
{
    const struct person *people[NAMES_MAX];
    struct text to;

    if (!quorum_possible(w, who, t)) {
        to = line(rep, false);
        text_put(&to, "the approver policies name too few people beside ");
        text_put(&to, who->name.text);
        text_put(&to, " to approve it");
        return;
    }
    to = line(rep, true);
    text_put_people(&to, people, would_approve(w, who->uid, t, people, NAMES_MAX));
    text_put(&to, " could approve it");
}

/* Whether it is open now is told, but is no part of the answer. */
static void explain_now(struct report *rep, const struct world *w, const struct person *who,
                        const struct target *t, struct now now)
{
    const struct request *r = open_elevation(w, who->uid, t, now);
    struct text to = line(rep, true);

    if (!r) {
        text_put(&to, "it is not open now; ask for it: teamctl request ");
        text_put_target(&to, t);
        return;
    }
    text_put(&to, "it is open now, under ");
    text_put_id(&to, r->id.bits);
    text_put(&to, ", for another ");
    text_put_left(&to, now.wall, r->active_until);
}

size_t engine_why(const struct world *w, uint32_t uid, const struct target *target,
                  int64_t duration_s, struct now now, struct finding out[], size_t cap,
                  bool *ret_yes)
{
    const struct person *who = world_person(w, uid);
    struct report rep = {.out = out, .cap = cap, .yes = true};
    struct text to;

    if (!who) {
        to = line(&rep, false);
        text_put(&to, "this host does not know that person");
    } else if (target_is_here(&rep, w, target)) {
        if (target->kind == TARGET_AWS)
            explain_user(&rep, w, who);
        explain_policies(&rep, w, who, target, duration_s);
        if (policy_eligible(w->policy, w->directory, who, target, duration_s).approval_required)
            explain_approval(&rep, w, who, target);
        if (rep.yes)
            explain_now(&rep, w, who, target, now);
    }
    *ret_yes = rep.yes;
    return rep.n;
}
