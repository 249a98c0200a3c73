#include "courier/work_parts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <syslog.h>
#include <time.h>

/* The directory, read from AWS and said to teamd row by row, in packets. */

enum {
    PACKET_FULL = 48 * 1024,
    MEMBERS_FULL = 40000, /* bytes of numbers in one row */
};

#define DESCRIBED_FOR_US (3600 * UINT64_C(1000000)) /* a set's description counts so long */

static uint64_t boot_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_BOOTTIME, &t);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

/* ---- packets ----------------------------------------------------------------------------------
 */

static void begin_packet(struct sync *s)
{
    s->out = wire_begin(s->packet, sizeof s->packet, TEAM_ASK, TEAM_OP_READ);
    wire_put_u64(&s->out, TEAM_JOB, s->number);
    wire_put_u64(&s->out, TEAM_ROUND, s->round);
}

static void flush(struct work *w, bool last)
{
    struct sync *s = &w->sync;

    if (last)
        wire_put_u64(&s->out, TEAM_LAST, 1);
    link_send(w->link, s->packet, wire_finish(&s->out), NULL, NULL);
    begin_packet(s);
}

static struct wire_mark row_begin(struct sync *s, const char *kind)
{
    struct wire_mark mark = wire_group(&s->out, TEAM_ROW);

    wire_put(&s->out, TEAM_KIND, kind);
    return mark;
}

/* A row that cannot be said is left out: that is better than nothing at all. */
static void row_end(struct work *w, struct wire_mark mark)
{
    struct sync *s = &w->sync;

    wire_group_end(&s->out, mark);
    if (s->out.bad) {
        wire_rewind(&s->out, mark);
        w->policy.say(w->policy.ctx, LOG_WARNING, "a row of the directory is left out");
    }
    if (s->out.len > PACKET_FULL)
        flush(w, false);
}

/* As much of a name as the field takes, in whole characters. */
static void put_name(struct sync *s, enum team_tag tag, const char *name, const char *otherwise)
{
    char plain[256];

    text_make_plain(plain, sizeof plain, name, strlen(name));
    wire_put(&s->out, tag, plain[0] ? plain : otherwise);
}

/* ---- the numbers of users ---------------------------------------------------------------------
 */

static uint32_t hash(const char *id)
{
    uint32_t h = 2166136261u;

    for (; *id; id++)
        h = (h ^ (unsigned char)*id) * 16777619u;
    return h;
}

static uint32_t slot_of(const struct sync *s, const char *id)
{
    uint32_t at = hash(id) & (s->cap_users - 1);

    while (s->users[at].id[0] && strcmp(s->users[at].id, id) != 0)
        at = (at + 1) & (s->cap_users - 1);
    return at;
}

static bool grow_users(struct sync *s)
{
    struct sync old = {.users = s->users, .cap_users = s->cap_users};

    s->cap_users = old.cap_users ? 2 * old.cap_users : 1024;
    s->users = calloc(s->cap_users, sizeof *s->users);
    for (uint32_t i = 0; s->users && i < old.cap_users; i++)
        if (old.users[i].id[0])
            s->users[slot_of(s, old.users[i].id)] = old.users[i];
    free(old.users);
    return s->users != NULL;
}

static void number_user(struct work *w, const char *id)
{
    struct sync *s = &w->sync;
    uint32_t at;

    if (2 * (s->n_users + 1) > s->cap_users && !grow_users(s)) {
        s->cap_users = 0;
        s->failed = true;
        return;
    }
    at = slot_of(s, id);
    if (!s->users[at].id[0]) {
        struct text t = text_over(s->users[at].id, sizeof s->users[at].id);

        text_put(&t, id);
    }
    s->users[at].number = s->n_users++; /* the same one twice: the later number */
}

/* ---- sets that are known ----------------------------------------------------------------------
 */

static struct known_set *set_known(struct work *w, const char *arn)
{
    for (size_t i = 0; i < w->n_sets; i++)
        if (strcmp(w->sets[i].arn, arn) == 0)
            return &w->sets[i];
    return NULL;
}

bool sync_knows_set(void *ctx, const char *arn)
{
    const struct known_set *set = set_known(ctx, arn);

    return set && boot_us() - set->described_us < DESCRIBED_FOR_US;
}

struct known_set *sync_learn_set(struct work *w, const struct directory_row *row)
{
    struct known_set *set = set_known(w, row->id);
    struct text t;

    if (!set && w->n_sets == w->cap_sets) {
        size_t cap = w->cap_sets ? 2 * w->cap_sets : 64;
        struct known_set *more = reallocarray(w->sets, cap, sizeof *more);

        if (!more)
            return NULL;
        w->sets = more;
        w->cap_sets = cap;
    }
    if (!set) {
        set = &w->sets[w->n_sets++];
        *set = (struct known_set){.session_s = 3600};
        t = text_over(set->arn, sizeof set->arn);
        text_put(&t, row->id);
    }
    if (!row->unchanged) {
        t = text_over(set->name, sizeof set->name);
        text_put(&t, row->name);
        set->session_s = row->session_s;
        set->described_us = boot_us();
    }
    return set;
}

/* ---- rows -------------------------------------------------------------------------------------
 */

static void put_org(struct work *w)
{
    struct sync *s = &w->sync;
    struct wire_mark mark = row_begin(s, "org");
    struct aws_status status;

    put_name(s, TEAM_IDENTITY, w->place.identity, "unknown");
    wire_put(&s->out, TEAM_OWN_ACCOUNT, w->place.account);
    wire_put(&s->out, TEAM_MANAGEMENT, w->place.management);
    wire_put(&s->out, TEAM_INSTANCE, w->place.instance);
    aws_client_status(w->aws, &status);
    wire_put(&s->out, TEAM_SSO_REGION, status.identity_center_region);
    row_end(w, mark);
}

static void put_place(struct work *w, const struct directory_row *row)
{
    struct sync *s = &w->sync;
    bool unit = row->kind == DIRECTORY_UNIT;
    struct wire_mark mark = row_begin(s, unit ? "unit" : "account");

    wire_put(&s->out, unit ? TEAM_UNIT : TEAM_ACCOUNT, row->id);
    put_name(s, TEAM_LABEL, row->name, row->id);
    wire_put(&s->out, TEAM_PARENT, row->parent);
    if (!unit)
        wire_put(&s->out, TEAM_STATE, row->state == AWS_ACCOUNT_ACTIVE ? "active" : "suspended");
    row_end(w, mark);
}

static void put_set(struct work *w, const struct directory_row *row)
{
    struct sync *s = &w->sync;
    const struct known_set *set = sync_learn_set(w, row);
    struct wire_mark mark;

    if (!set || !set->name[0]) {
        s->failed = s->failed || !set;
        return;
    }
    mark = row_begin(s, "set");
    wire_put(&s->out, TEAM_SET_ARN, row->id);
    wire_put(&s->out, TEAM_PERMISSION_SET, set->name);
    wire_put_u64(&s->out, TEAM_SESSION_S, (uint64_t)set->session_s);
    if (row->managed == DIRECTORY_MANAGED)
        wire_put_u64(&s->out, TEAM_MANAGED, 1);
    row_end(w, mark);
}

static void put_principal(struct work *w, const struct directory_row *row)
{
    struct sync *s = &w->sync;
    bool user = row->kind == DIRECTORY_USER;
    struct wire_mark mark = row_begin(s, user ? "user" : "group");

    wire_put(&s->out, TEAM_PRINCIPAL, row->id);
    put_name(s, TEAM_LABEL, row->name, row->id);
    row_end(w, mark);
    if (user)
        number_user(w, row->id);
}

static void put_members(struct work *w)
{
    struct sync *s = &w->sync;
    struct wire_mark mark;

    if (s->members_len == 0)
        return;
    if (s->out.len + s->members_len > sizeof s->packet - 512)
        flush(w, false);
    mark = row_begin(s, "members");
    wire_put(&s->out, TEAM_PRINCIPAL, s->group);
    wire_put_n(&s->out, TEAM_MEMBERS, s->members, s->members_len);
    row_end(w, mark);
    s->members_len = 0;
}

static void add_member(struct work *w, const struct directory_row *row)
{
    struct sync *s = &w->sync;
    uint32_t at = s->cap_users ? slot_of(s, row->parent) : 0;
    int n;

    if (strcmp(s->group, row->id) != 0 || s->members_len > MEMBERS_FULL) {
        struct text t = {.buf = NULL};

        put_members(w);
        t = text_over(s->group, sizeof s->group);
        text_put(&t, row->id);
    }
    if (s->cap_users == 0 || !s->users[at].id[0])
        return; /* came between the two lists: next time */
    n = snprintf(s->members + s->members_len, sizeof s->members - s->members_len, "%s%u",
                 s->members_len ? "," : "", s->users[at].number);
    s->members_len += (size_t)n;
}

static void on_row(void *ctx, const struct directory_row *row)
{
    struct work *w = ctx;

    switch (row->kind) {
    case DIRECTORY_UNIT:
    case DIRECTORY_ACCOUNT:
        put_place(w, row);
        return;
    case DIRECTORY_SET:
        put_set(w, row);
        return;
    case DIRECTORY_USER:
    case DIRECTORY_GROUP:
        put_members(w);
        put_principal(w, row);
        return;
    case DIRECTORY_MEMBER:
        add_member(w, row);
        return;
    }
}

/* ---- one reading ------------------------------------------------------------------------------
 */

static void end(struct work *w, const char *outcome, const char *text)
{
    struct sync *s = &w->sync;

    if (outcome)
        link_result(w->link, s->number, s->round, outcome, text);
    s->number = 0;
    s->reading = directory_sync_free(s->reading);
    free(s->users);
    s->users = NULL;
    s->n_users = s->cap_users = 0;
    s->members_len = 0;
    s->group[0] = '\0';
}

static void on_part(void *ctx, enum directory_part part, const struct aws_failure *failure,
                    uint32_t left_out)
{
    static const char *const PARTS[] = {[DIRECTORY_ACCOUNTS] = "accounts",
                                        [DIRECTORY_SETS] = "permission sets",
                                        [DIRECTORY_USERS] = "users",
                                        [DIRECTORY_GROUPS] = "groups"};
    struct work *w = ctx;
    char text[AWS_FAILURE_CAP];

    if (left_out > 0) {
        snprintf(text, sizeof text, "%u %s of AWS have no name or id that could be used", left_out,
                 PARTS[part]);
        w->policy.say(w->policy.ctx, LOG_WARNING, text);
    }
    if (!failure)
        return;
    aws_failure_text(failure, text);
    end(w, "failed", text);
    inventory_found(w);
}

static void on_done(void *ctx)
{
    struct work *w = ctx;

    if (w->sync.number == 0)
        return;
    put_members(w);
    if (w->sync.failed) {
        end(w, "failed", "team-courier is out of memory");
        return;
    }
    flush(w, true);
    end(w, NULL, "");
    inventory_found(w);
}

static bool wanted(void *ctx, const char *group, const char *name)
{
    const struct work *w = ctx;

    (void)group;
    return w->policy.names_group(w->policy.ctx, name);
}

/* Who we are is asked anew each time: it may have changed, or Identity Center may have. */
void sync_start(struct work *w, const struct link_job *job)
{
    sync_stop(w);
    w->sync.number = job->number;
    w->sync.round = job->round;
    w->sync.failed = false;
    w->policy.read_again(w->policy.ctx);
    find_place(w);
}

void sync_found(struct work *w)
{
    struct directory_calls calls = {.row = on_row,
                                    .part = on_part,
                                    .done = on_done,
                                    .known = sync_knows_set,
                                    .wanted = wanted,
                                    .ctx = w};
    struct sync *s = &w->sync;

    if (s->number == 0 || s->reading)
        return;
    begin_packet(s);
    put_org(w);
    if (directory_sync(w->aws, &w->place, DIRECTORY_ALL, &calls, &s->reading) < 0)
        end(w, "failed", "team-courier has too much to do; try again");
}

void sync_failed(struct work *w, const char *why)
{
    if (w->sync.number != 0 && !w->sync.reading)
        end(w, "failed", why);
}

void sync_stop(struct work *w)
{
    if (w->sync.number != 0)
        end(w, NULL, "");
}

void sync_forget(struct work *w)
{
    free(w->sets);
    w->sets = NULL;
    w->n_sets = w->cap_sets = 0;
}
