#include "query.h"

/* Followers: `teamctl watch` and `teamctl audit --follow`. Nothing is kept for them but the number
 * of the trail's event that they have come to. After a commit those that rest read on from there,
 * like any other question; who reads slowly is just behind. */

static struct teamd *team(const struct query *q)
{
    return q->ask->t;
}

static uint32_t viewer(const struct query *q)
{
    return q->ask->actor.uid;
}

/* ---- what concerns whom -----------------------------------------------------------------------
 */

static int look_at_record(void *ctx, const struct record *r)
{
    struct query *q = ctx;
    q->may_see = query_may_see(q, r);
    return 0;
}

/* Events of one request come in groups: the last answer is kept for the length of a packet. */
static bool may_see_request(struct query *q, struct id id)
{
    const struct request *live = world_request(&team(q)->world, id);

    if (live && may_see(&team(q)->world, viewer(q), live, false))
        return true;
    if (q->asked.bits != id.bits) {
        q->asked = id;
        q->may_see = false;
        (void)store_request(team(q)->store, id, look_at_record, q); /* unreadable: not seen */
    }
    return q->may_see;
}

static bool concerns(struct query *q, const struct trail_event *e)
{
    const struct person *self = world_person(&team(q)->world, viewer(q));

    return sees_everything(&team(q)->world, viewer(q)) ||
           (self && strcmp(self->name.text, e->actor) == 0) ||
           (e->id.bits != 0 && may_see_request(q, e->id));
}

static int watch_row(void *ctx, const struct trail_event *e)
{
    struct query *q = ctx;

    return concerns(q, e) ? query_put_event(q, e) : 0;
}

int fill_watch(struct query *q)
{
    q->asked = (struct id){0};
    return store_trail(team(q)->store, &q->trail, SCAN_BUDGET, watch_row, q);
}

/* ---- resting and going on ---------------------------------------------------------------------
 */

int follow_begin(struct query *q)
{
    struct store_facts facts;
    int r;

    q->follow = true;
    if (q->trail.since.us != 0)
        return 0;
    r = store_facts(team(q)->store, &facts);
    if (r == 0)
        q->trail.next_seq = facts.events + 1; /* they are numbered from 1, without gaps */
    return r;
}

void follow_rest(struct query *q)
{
    struct teamd *t = team(q);

    if (t->stopping) {
        ask_hang_up(q->ask);
        return;
    }
    if (q->as_of != t->commits) { /* something happened while the last packet waited for room */
        q->status = 1;
        query_start(q);
        return;
    }
    q->next = t->followers;
    q->link = &t->followers;
    if (q->next)
        q->next->link = &q->next;
    t->followers = q;
}

static bool is_known(const struct query *q)
{
    return viewer(q) == 0 || world_person(&team(q)->world, viewer(q));
}

static void looked_up(struct ask *a)
{
    struct query *q = a->more;

    if (is_known(q)) {
        query_start(q);
    } else if (a->look_up_error < 0) {
        a->look_up_error = 0; /* nobody can tell: asked again after the next commit */
        follow_rest(q);
    } else {
        ask_say(a, REPLY_REFUSED, "this host does not know your uid any more");
    }
}

/* Whoever is not in the policy by name may have been forgotten since. */
void follow_tell(struct teamd *t)
{
    t->commits++;
    for (struct query *q = t->followers, *next; q; q = next) {
        next = q->next;
        query_stop(q);
        q->status = 1;
        if (is_known(q))
            query_start(q);
        else
            ask_look_up(q->ask, &q->ask->actor.uid, 1, looked_up);
    }
}

void follow_end(struct teamd *t)
{
    while (t->followers)
        ask_hang_up(t->followers->ask);
}
