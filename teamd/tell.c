#include "teamd.h"

/* "alice waits for sudo on bastion-1: teamctl approve K7QF2M9X", on the terminals of those who
 * could, and who are logged in here. It is a convenience: what is over somebody's budget is not
 * said, and teamctl has it all the same. */

enum { TOLD_MAX = TERMINAL_OWNERS_MAX };

static void put_what(struct text *t, const struct request *r)
{
    const struct target *target = &r->grants[0].target;

    text_put(t, r->requester_name.text);
    text_put(t, " waits for ");
    text_put(t, target->what);
    text_put(t, " on ");
    text_put(t, target->place);
    if (r->n_targets > 1) {
        text_put(t, " and ");
        text_put_u64(t, r->n_targets - 1U);
        text_put(t, " more");
    }
    text_put(t, ": teamctl approve ");
    text_put_id(t, r->id.bits);
}

/* Those whose terminals may be written to just now. */
static size_t who_hears(struct teamd *t, const struct request *r, uint32_t uids[TOLD_MAX])
{
    const struct person *people[TOLD_MAX];
    size_t n = waiting_for(&t->world, r, people, TOLD_MAX), kept = 0;

    for (size_t i = 0; i < n; i++)
        if (budget_takes(t->budget, people[i]->uid, BUDGET_HEARS))
            uids[kept++] = people[i]->uid;
    return kept;
}

/* Who asks from sudo waits at once: that is one line, not two. */
static bool said_just_now(struct teamd *t, struct id id)
{
    enum { JUST_NOW_US = 30 * 1000 * 1000 };
    int64_t now = host_now().boot.us;

    for (size_t i = 0; i < TOLD_LATELY; i++)
        if (t->told[i].id.bits == id.bits && now - t->told[i].at_us < JUST_NOW_US)
            return true;
    t->told[t->n_told++ % TOLD_LATELY] = (struct told){id, now};
    return false;
}

void tell_approvers(struct teamd *t, struct id id)
{
    const struct request *r = world_request(&t->world, id);
    char line[400], plain[400];
    struct text text = text_over(line, sizeof line);
    uint32_t uids[TOLD_MAX];

    if (!t->config->notify_terminals || !r || r->state != REQ_PENDING || said_just_now(t, id) ||
        !budget_takes(t->budget, r->requester, BUDGET_TELLS))
        return;
    put_what(&text, r);
    text_make_plain(plain, sizeof plain, line, text.len);
    terminals_say(uids, who_hears(t, r, uids), plain);
}
