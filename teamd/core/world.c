#include "core/world.h"

#include <assert.h>

/* Tables in one block of memory; hash chains of slot numbers. A slot number is stored plus one, so
 * that zeroed memory is an empty table. */

enum { HEADS = 16384 };

static uint32_t head_of(uint64_t key)
{
    return (uint32_t)((key * UINT64_C(0x9e3779b97f4a7c15)) >> 50);
}

static_assert(HEADS == 1 << 14, "head_of() keeps 14 bits");

size_t world_size(void)
{
    return WORLD_REQUESTS * sizeof(struct request_slot) +
           WORLD_SESSIONS * sizeof(struct session_slot) +
           WORLD_PEOPLE * sizeof(struct person_slot) + WORLD_ERRANDS * sizeof(struct errand_slot) +
           (size_t)7 * HEADS * sizeof(uint32_t);
}

void world_init(struct world *w, void *memory, const struct policy *policy)
{
    struct request_slot *requests = memory;
    struct session_slot *sessions = (struct session_slot *)(requests + WORLD_REQUESTS);
    struct person_slot *people = (struct person_slot *)(sessions + WORLD_SESSIONS);
    struct errand_slot *errands = (struct errand_slot *)(people + WORLD_PEOPLE);
    uint32_t *heads = (uint32_t *)(errands + WORLD_ERRANDS);

    *w = (struct world){
        .policy = policy,
        .requests = requests,
        .sessions = sessions,
        .people = people,
        .errands = errands,
        .requests_by_id = heads,
        .requests_by_uid = heads + HEADS,
        .sessions_by_number = heads + (size_t)2 * HEADS,
        .sessions_by_uid = heads + (size_t)3 * HEADS,
        .errands_by_number = heads + (size_t)4 * HEADS,
        .errands_by_uid = heads + (size_t)5 * HEADS,
        .people_by_uid = heads + (size_t)6 * HEADS, /* last: what is before is cleared at once */
        .wake = {{NEVER_US}, {NEVER_US}},
    };
}

void world_clear(struct world *w)
{
    uint32_t n_people = w->n_people;
    const struct directory *directory = w->directory;
    uint32_t idc_groups[PRINCIPALS_MAX];

    memset(w->requests, 0, w->top_request * sizeof *w->requests);
    memset(w->sessions, 0, w->top_session * sizeof *w->sessions);
    memset(w->errands, 0, w->top_errand * sizeof *w->errands);
    memset(w->requests_by_id, 0, (size_t)6 * HEADS * sizeof(uint32_t));
    memcpy(idc_groups, w->idc_groups, sizeof idc_groups);
    world_init(w, w->requests, w->policy);
    memcpy(w->idc_groups, idc_groups, sizeof idc_groups);
    w->directory = directory;
    w->n_people = n_people;
}

/* ---- requests ------------------------------------------------------------------------------- */

struct request *world_request(const struct world *w, struct id id)
{
    for (uint32_t at = w->requests_by_id[head_of(id.bits)]; at > 0;) {
        struct request_slot *slot = &w->requests[at - 1];

        if (slot->request.id.bits == id.bits)
            return &slot->request;
        at = slot->next_by_id;
    }
    return NULL;
}

static struct request_slot *request_slot(const struct world *w, const struct request *r)
{
    size_t at = (size_t)((const char *)r - (const char *)w->requests) / sizeof *w->requests;

    return &w->requests[at];
}

struct request *world_next_of(const struct world *w, uint32_t uid, const struct request *after)
{
    uint32_t at = after ? request_slot(w, after)->next_by_uid : w->requests_by_uid[head_of(uid)];

    while (at > 0) {
        struct request_slot *slot = &w->requests[at - 1];

        if (slot->request.requester == uid)
            return &slot->request;
        at = slot->next_by_uid;
    }
    return NULL;
}

struct request *world_each_request(const struct world *w, uint32_t *at)
{
    while (*at < w->top_request) {
        struct request *r = &w->requests[(*at)++].request;

        if (r->id.bits != 0)
            return r;
    }
    return NULL;
}

struct request *world_add_request(struct world *w, const struct request *r)
{
    struct request_slot *slot;
    uint32_t at;

    if (w->free_request > 0) {
        at = w->free_request;
        w->free_request = w->requests[at - 1].next_by_id;
    } else if (w->top_request < WORLD_REQUESTS) {
        at = ++w->top_request;
    } else {
        return NULL;
    }
    slot = &w->requests[at - 1];
    slot->request = *r;
    slot->next_by_id = w->requests_by_id[head_of(r->id.bits)];
    w->requests_by_id[head_of(r->id.bits)] = at;
    slot->next_by_uid = w->requests_by_uid[head_of(r->requester)];
    w->requests_by_uid[head_of(r->requester)] = at;
    w->n_requests++;
    return &slot->request;
}

void world_remove_request(struct world *w, struct request *r)
{
    struct request_slot *slot = request_slot(w, r);
    uint32_t at = (uint32_t)(slot - w->requests) + 1;
    uint32_t *link = &w->requests_by_id[head_of(r->id.bits)];

    while (*link != at)
        link = &w->requests[*link - 1].next_by_id;
    *link = slot->next_by_id;
    link = &w->requests_by_uid[head_of(r->requester)];
    while (*link != at)
        link = &w->requests[*link - 1].next_by_uid;
    *link = slot->next_by_uid;
    *slot = (struct request_slot){.next_by_id = w->free_request};
    w->free_request = at;
    w->n_requests--;
}

/* ---- sessions ------------------------------------------------------------------------------- */

struct session *world_session(const struct world *w, uint64_t number)
{
    for (uint32_t at = w->sessions_by_number[head_of(number)]; at > 0;) {
        struct session_slot *slot = &w->sessions[at - 1];

        if (slot->session.number == number)
            return &slot->session;
        at = slot->next_by_number;
    }
    return NULL;
}

static struct session_slot *session_slot(const struct world *w, const struct session *s)
{
    size_t at = (size_t)((const char *)s - (const char *)w->sessions) / sizeof *w->sessions;

    return &w->sessions[at];
}

struct session *world_next_session_of(const struct world *w, uint32_t uid,
                                      const struct session *after)
{
    uint32_t at = after ? session_slot(w, after)->next_by_uid : w->sessions_by_uid[head_of(uid)];

    while (at > 0) {
        struct session_slot *slot = &w->sessions[at - 1];

        if (slot->session.uid == uid)
            return &slot->session;
        at = slot->next_by_uid;
    }
    return NULL;
}

struct session *world_each_session(const struct world *w, uint32_t *at)
{
    while (*at < w->top_session) {
        struct session *s = &w->sessions[(*at)++].session;

        if (s->number != 0)
            return s;
    }
    return NULL;
}

struct session *world_add_session(struct world *w, const struct session *s)
{
    struct session_slot *slot;
    uint32_t at;

    if (w->free_session > 0) {
        at = w->free_session;
        w->free_session = w->sessions[at - 1].next_by_number;
    } else if (w->top_session < WORLD_SESSIONS) {
        at = ++w->top_session;
    } else {
        return NULL;
    }
    slot = &w->sessions[at - 1];
    slot->session = *s;
    slot->next_by_number = w->sessions_by_number[head_of(s->number)];
    w->sessions_by_number[head_of(s->number)] = at;
    slot->next_by_uid = w->sessions_by_uid[head_of(s->uid)];
    w->sessions_by_uid[head_of(s->uid)] = at;
    if (s->number > w->last_session)
        w->last_session = s->number;
    w->n_sessions++;
    return &slot->session;
}

void world_remove_session(struct world *w, struct session *s)
{
    struct session_slot *slot = session_slot(w, s);
    uint32_t at = (uint32_t)(slot - w->sessions) + 1;
    uint32_t *link = &w->sessions_by_number[head_of(s->number)];

    while (*link != at)
        link = &w->sessions[*link - 1].next_by_number;
    *link = slot->next_by_number;
    link = &w->sessions_by_uid[head_of(s->uid)];
    while (*link != at)
        link = &w->sessions[*link - 1].next_by_uid;
    *link = slot->next_by_uid;
    *slot = (struct session_slot){.next_by_number = w->free_session};
    w->free_session = at;
    w->n_sessions--;
}

/* ---- errands ------------------------------------------------------------------------------- */

struct errand *world_errand(const struct world *w, uint64_t number)
{
    for (uint32_t at = w->errands_by_number[head_of(number)]; at > 0;) {
        struct errand_slot *slot = &w->errands[at - 1];

        if (slot->errand.number == number)
            return &slot->errand;
        at = slot->next_by_number;
    }
    return NULL;
}

static struct errand_slot *errand_slot(const struct world *w, const struct errand *e)
{
    size_t at = (size_t)((const char *)e - (const char *)w->errands) / sizeof *w->errands;

    return &w->errands[at];
}

struct errand *world_next_errand_of(const struct world *w, uint32_t uid, const struct errand *after)
{
    uint32_t at = after ? errand_slot(w, after)->next_by_uid : w->errands_by_uid[head_of(uid)];

    while (at > 0) {
        struct errand_slot *slot = &w->errands[at - 1];

        if (slot->errand.uid == uid)
            return &slot->errand;
        at = slot->next_by_uid;
    }
    return NULL;
}

struct errand *world_each_errand(const struct world *w, uint32_t *at)
{
    while (*at < w->top_errand) {
        struct errand *e = &w->errands[(*at)++].errand;

        if (e->number != 0)
            return e;
    }
    return NULL;
}

struct errand *world_add_errand(struct world *w, const struct errand *e)
{
    struct errand_slot *slot;
    uint32_t at;

    if (w->free_errand > 0) {
        at = w->free_errand;
        w->free_errand = w->errands[at - 1].next_by_number;
    } else if (w->top_errand < WORLD_ERRANDS) {
        at = ++w->top_errand;
    } else {
        return NULL;
    }
    slot = &w->errands[at - 1];
    slot->errand = *e;
    slot->next_by_number = w->errands_by_number[head_of(e->number)];
    w->errands_by_number[head_of(e->number)] = at;
    slot->next_by_uid = w->errands_by_uid[head_of(e->uid)];
    w->errands_by_uid[head_of(e->uid)] = at;
    if (e->number > w->last_errand)
        w->last_errand = e->number;
    w->n_errands++;
    return &slot->errand;
}

void world_remove_errand(struct world *w, struct errand *e)
{
    struct errand_slot *slot = errand_slot(w, e);
    uint32_t at = (uint32_t)(slot - w->errands) + 1;
    uint32_t *link = &w->errands_by_number[head_of(e->number)];

    while (*link != at)
        link = &w->errands[*link - 1].next_by_number;
    *link = slot->next_by_number;
    link = &w->errands_by_uid[head_of(e->uid)];
    while (*link != at)
        link = &w->errands[*link - 1].next_by_uid;
    *link = slot->next_by_uid;
    *slot = (struct errand_slot){.next_by_number = w->free_errand};
    w->free_errand = at;
    w->n_errands--;
}

/* ---- people --------------------------------------------------------------------------------- */

static struct person_slot *person_slot(const struct world *w, uint32_t uid)
{
    for (uint32_t at = w->people_by_uid[head_of(uid)]; at > 0; at = w->people[at - 1].next)
        if (w->people[at - 1].person.uid == uid)
            return &w->people[at - 1];
    return NULL;
}

const struct person *world_person(const struct world *w, uint32_t uid)
{
    const struct person_slot *slot = person_slot(w, uid);

    return slot ? &slot->person : NULL;
}

const struct person *world_each_person(const struct world *w, uint32_t *at)
{
    return *at < w->n_people ? &w->people[(*at)++].person : NULL;
}

/* What Identity Center says of a person whom the host knows. */
static void describe(const struct world *w, struct person *p)
{
    char name[AWS_USER_CAP];

    p->idc = (struct principals){0};
    p->aws_user = 0;
    if (!w->policy || !w->directory)
        return;
    policy_aws_name(w->policy, p, name);
    p->aws_user = directory_user(w->directory, name);
    for (size_t i = 0; i < w->policy->n_principals; i++)
        if (directory_member(w->directory, p->aws_user, w->idc_groups[i]))
            principals_add(&p->idc, i);
}

static void look_up_groups(struct world *w)
{
    const struct policy *p = w->policy;

    memset(w->idc_groups, 0, sizeof w->idc_groups);
    for (size_t i = 0; p && i < p->n_principals; i++)
        if (p->principals[i].kind == PRINCIPAL_IDC_GROUP)
            w->idc_groups[i] = directory_group(w->directory, p->principals[i].name);
}

void world_set_policy(struct world *w, const struct policy *policy)
{
    w->policy = policy;
    look_up_groups(w);
}

void world_set_directory(struct world *w, const struct directory *directory)
{
    w->directory = directory;
    look_up_groups(w);
    for (uint32_t i = 0; i < w->n_people; i++)
        describe(w, &w->people[i].person);
}

bool world_learn(struct world *w, const struct person *p)
{
    struct person_slot *slot = person_slot(w, p->uid);

    if (!slot) {
        if (w->n_people == WORLD_PEOPLE)
            return false;
        slot = &w->people[w->n_people++];
        slot->next = w->people_by_uid[head_of(p->uid)];
        w->people_by_uid[head_of(p->uid)] = w->n_people;
    }
    slot->person = *p;
    describe(w, &slot->person);
    return true;
}

void world_forget_people(struct world *w)
{
    w->n_people = 0;
    memset(w->people_by_uid, 0, HEADS * sizeof *w->people_by_uid);
}

/* ---- after a start -------------------------------------------------------------------------- */

/* What is left of a deadline that was meant `whole_us` after it was set, on a boot clock that knows
 * nothing of it: as much as the wall clock says, never more than the whole. */
static struct boot boot_again(struct wall end, int64_t whole_us, struct now now, struct wall seen)
{
    int64_t at = now.wall.us > seen.us ? now.wall.us : seen.us;
    int64_t left = end.us - at;

    if (left > whole_us)
        left = whole_us;
    if (left < 0)
        left = 0;
    return (struct boot){now.boot.us + left};
}

bool world_restore_request(struct world *w, const struct request *stored, bool same_boot,
                           struct now now, struct wall last_commit)
{
    struct request r = *stored, *added;

    if (!same_boot && r.due.boot.us != NEVER_US && r.due.wall.us != NEVER_US) {
        struct wall set = r.state == REQ_PENDING ? r.requested_at : r.active_from;

        if (r.state == REQ_SCHEDULED || r.state == REQ_ENDING)
            r.due.boot = now.boot; /* was to be tried again soon: why not now */
        else
            r.due.boot = boot_again(r.due.wall, r.due.wall.us - set.us, now, last_commit);
    }
    if (!same_boot && r.extension.for_s > 0)
        r.extension.expires.boot =
            boot_again(r.extension.expires.wall,
                       r.extension.expires.wall.us - r.extension.requested_at.us, now, last_commit);
    w->wake = (struct deadline){now.wall, now.boot};
    w->last_pass = now.wall; /* warnings that were due meanwhile are too late */
    added = world_add_request(w, &r);
    if (added)
        world_check_again(w, added); /* what was noted before is forgotten */
    return added != NULL;
}

/* What was being done is due at once; what is waited for goes on. A clock that is set back makes
 * the wait for a confirmation longer, which gives nobody anything: until then no command runs. */
static struct deadline session_due_again(const struct session *s)
{
    struct deadline due = {{NEVER_US}, {NEVER_US}};

    if (s->state == SESSION_OPENING)
        due.wall.us = s->started_at.us + SESSION_CONFIRM_WITHIN_S * SECOND_US;
    else if (s->state != SESSION_LIVE && s->state != SESSION_CLOSING)
        due = (struct deadline){{0}, {0}};
    return due;
}

bool world_restore_session(struct world *w, const struct session *s)
{
    struct session *session = world_add_session(w, s);

    if (!session)
        return false;
    session->due = session_due_again(s);
    session->kills = 0;
    session->warned = (struct wall){0};
    if (session->due.wall.us != NEVER_US)
        w->wake = (struct deadline){{0}, {0}}; /* the first pass finds out what is next */
    return true;
}

bool world_restore_errand(struct world *w, const struct errand *e)
{
    w->wake = (struct deadline){{0}, {0}}; /* the first pass finds out who wants it */
    return world_add_errand(w, e) != NULL;
}

/* ---- invariants ----------------------------------------------------------------------------- */

/* An active request has everything, and everything has its assignment. */
static const char *check_errand(const struct world *w, const struct request *r,
                                const struct grant *g)
{
    const struct errand *e = world_errand(w, g->errand);

    if (g->state == GRANT_OPEN && !e)
        return "a grant is open without an assignment";
    if (e && (e->uid != r->requester || strcmp(e->account, g->target.place) != 0))
        return "a grant has the assignment of another";
    return NULL;
}

static const char *check_grants(const struct world *w, const struct request *r)
{
    for (size_t i = 0; i < r->n_targets; i++) {
        uint8_t state = r->grants[i].state;

        if (r->state == REQ_ACTIVE && state != GRANT_OPEN)
            return "an active request has a grant that is not open";
        if ((r->state == REQ_PENDING || r->state == REQ_SCHEDULED) && state != GRANT_WAITING)
            return "a request has a grant before its time";
        if (grant_is_aws(&r->grants[i]) && check_errand(w, r, &r->grants[i]))
            return check_errand(w, r, &r->grants[i]);
    }
    return NULL;
}

static const char *check_request(const struct world *w, const struct request *r)
{
    if (world_request(w, r->id) != r)
        return "a request is not found by its id";
    if (r->state < REQ_PENDING || r->state >= REQ_STATES || request_state_final(r->state))
        return "a live request is in a final state";
    if (r->n_targets == 0 || r->n_targets > TARGETS_MAX)
        return "a request has no targets, or too many";
    if (r->state == REQ_ACTIVE && (r->active_from.us == 0 || r->active_until.us != r->due.wall.us))
        return "an active request has no window";
    if (r->state == REQ_ENDING && !request_state_final(r->end_as))
        return "an ending request does not know its end";
    if (r->extension.for_s > 0 && r->state != REQ_ACTIVE)
        return "an extension is asked of a request that is not active";
    if (r->n_approvals > 0 && r->state != REQ_PENDING && r->extension.for_s == 0)
        return "approvals are kept of a question that is closed";
    return check_grants(w, r);
}

/* One assignment is one row, or two elevations could undo each other's. */
static const char *check_errands(const struct world *w)
{
    const struct errand *e;
    uint32_t at = 0, n = 0;

    while ((e = world_each_errand(w, &at))) {
        if (e->state < ERRAND_LOOKING || e->state >= ERRAND_OVER)
            return "an errand of the outbox is over";
        for (const struct errand *o = NULL; (o = world_next_errand_of(w, e->uid, o));)
            if (o != e && strcmp(o->account, e->account) == 0 && strcmp(o->set, e->set) == 0 &&
                strcmp(o->user, e->user) == 0)
                return "one assignment has two errands";
        n++;
    }
    return n == w->n_errands ? NULL : "the number of errands is wrong";
}

const char *world_check(const struct world *w)
{
    const struct request *r;
    const struct session *s;
    uint32_t at = 0, n = 0;

    while ((r = world_each_request(w, &at))) {
        const char *wrong = check_request(w, r);

        if (wrong)
            return wrong;
        n++;
    }
    if (n != w->n_requests)
        return "the number of requests is wrong";
    at = n = 0;
    while ((s = world_each_session(w, &at))) {
        if (session_state_final(s->state))
            return "a live session is over";
        if (s->request.bits != 0 && !world_request(w, s->request))
            return "a session is under a request that is over";
        n++;
    }
    return n == w->n_sessions ? check_errands(w) : "the number of sessions is wrong";
}

void world_check_again(struct world *w, struct request *r)
{
    request_slot(w, r)->check = true;
}

bool world_take_check(struct world *w, struct request *r)
{
    struct request_slot *slot = request_slot(w, r);
    bool check = slot->check;

    slot->check = false;
    return check;
}
