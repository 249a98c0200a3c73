#include "link.h"

#include <errno.h>
#include <stdlib.h>
#include <syslog.h>

/* What AWS has: taken in pieces from the courier, kept in the store, and looked at by the core. It
 * counts as a whole or not at all. */

void directory_drop(struct link *l)
{
    l->roll = roll_free(l->roll);
    for (size_t i = 0; i < l->n_pieces; i++)
        free((void *)(uintptr_t)l->pieces[i].at);
    free(l->pieces);
    l->pieces = NULL;
    l->n_pieces = l->cap_pieces = 0;
}

static struct reply say(enum reply_code code, const char *text)
{
    struct reply reply = {.code = (uint8_t)code};
    struct text t = text_over(reply.text, sizeof reply.text);

    text_put(&t, text);
    return reply;
}

/* The rows alone: they are the same again if AWS has not changed. */
static int keep_rows(struct link *l, struct wire_span fields)
{
    struct wire_span rest = fields, value;
    char *to = malloc(fields.len + 1), *at = to;
    unsigned tag;

    if (!to)
        return -ENOMEM;
    if (l->n_pieces == l->cap_pieces) {
        size_t cap = l->cap_pieces ? 2 * l->cap_pieces : 16;
        struct store_piece *more = reallocarray(l->pieces, cap, sizeof *more);

        if (!more) {
            free(to);
            return -ENOMEM;
        }
        l->pieces = more;
        l->cap_pieces = cap;
    }
    while (wire_next(&rest, &tag, &value))
        if (tag == TEAM_ROW) {
            memcpy(at, value.at - 4, value.len + 4);
            at += value.len + 4;
        }
    l->pieces[l->n_pieces++] = (struct store_piece){to, (size_t)(at - to)};
    return 0;
}

/* People are what the new one says, at once; what that means is decided in the turn that follows.
 */
static void put_in_force(struct teamd *t, struct directory *d)
{
    struct link *l = t->link;
    struct directory *old = l->directory;
    struct event ev = {.kind = EV_DIRECTORY, .directory = d};
    char unknown[481];

    l->directory = d;
    turn_learn(t, &ev);
    roll_free_directory(old);
    members_look_up(t);
    directory_unknown(&t->world, unknown);
    if (unknown[0])
        log_line(LOG_WARNING, "the policy names what AWS does not have: %s", unknown);
    directory_long_sessions(&t->world, unknown);
    if (unknown[0])
        log_line(LOG_WARNING,
                 "credentials of these permission sets outlive an elevation by more than "
                 "an hour: %s",
                 unknown);
}

static struct reply finish(struct teamd *t)
{
    struct link *l = t->link;
    struct now now = host_now();
    struct directory *d = NULL;
    struct roll *roll = l->roll;
    struct reply reply = {.code = REPLY_DONE};
    struct text text;
    char said[200];
    int r;

    l->roll = NULL;
    r = roll_finish(roll, now.wall, &d);
    if (r < 0)
        return say(REPLY_USAGE, r == -ENOMEM ? "out of memory" : "the directory makes no sense");
    r = t->retry_s > 0 ? -ENOSPC : store_put_directory(t->store, now, l->pieces, l->n_pieces);
    if (r < 0) {
        roll_free_directory(d);
        return say(REPLY_FAILED,
                   r == -ENOSPC ? "the disk of teamd is full" : "teamd cannot write its store");
    }
    directory_drop(l);
    text = text_over(said, sizeof said);
    text_put_u64(&text, d->n_accounts);
    text_put(&text, " accounts, ");
    text_put_u64(&text, d->n_sets);
    text_put(&text, " permission sets, ");
    text_put_u64(&text, d->n_users);
    text_put(&text, " users, ");
    text_put_u64(&text, d->n_groups);
    text_put(&text, " groups");
    text_put(&text, r == 1 && l->directory ? ", as before" : "");
    if (r == 1 && l->directory) {
        l->directory->as_of = now.wall;
        roll_free_directory(d);
    } else {
        put_in_force(t, d);
        log_line(LOG_NOTICE, "AWS has been read: %s", said);
    }
    task_end(t, &l->refresh, REPLY_DONE, said);
    return reply;
}

struct reply directory_take(struct teamd *t, struct wire_span fields)
{
    struct link *l = t->link;
    struct reply reply = {.code = REPLY_DONE};
    uint64_t last = 0;
    int r = 0;

    if (!l->roll) {
        l->roll = roll_new();
        r = l->roll ? 0 : -ENOMEM;
    }
    if (r == 0)
        r = roll_add(l->roll, fields);
    if (r == 0)
        r = keep_rows(l, fields);
    wire_find_u64(fields, TEAM_LAST, &last);
    if (r == 0 && last == 0)
        return reply;
    if (r == 0)
        reply = finish(t);
    else
        reply = say(REPLY_USAGE, r == -E2BIG    ? "the directory is larger than teamd takes"
                                 : r == -ENOMEM ? "out of memory"
                                                : "a row of the directory makes no sense");
    if (reply.code != REPLY_DONE) {
        directory_drop(l);
        task_end(t, &l->refresh, REPLY_FAILED, reply.text);
    }
    return reply;
}

/* ---- from the store ---------------------------------------------------------------------------
 */

static int load_piece(void *ctx, const void *p, size_t n)
{
    struct wire_span fields = {p, n};
    unsigned count;

    return wire_check_fields(fields, 0, &count) ? roll_add(ctx, fields) : -EBADMSG;
}

/* One that cannot be read any more is read from AWS again. */
int directory_load(struct teamd *t)
{
    struct directory *d = NULL;
    struct roll *roll = roll_new();
    struct wall as_of = {0};
    int r;

    if (!roll)
        return -ENOMEM;
    r = store_get_directory(t->store, load_piece, roll, &as_of);
    if (r < 0 || as_of.us == 0) {
        roll_free(roll);
        if (r == -EBADMSG || r == -E2BIG)
            log_line(LOG_WARNING, "what was known of AWS cannot be read; AWS is asked again");
        return r == -EBADMSG || r == -E2BIG ? 0 : r;
    }
    r = roll_finish(roll, as_of, &d);
    if (r < 0)
        return r == -EBADMSG ? 0 : r;
    t->link->directory = d;
    world_set_directory(&t->world, d);
    return 0;
}

/* ---- what the policy names and nobody has ------------------------------------------------------
 */

static void put_unknown(struct text *t, const char *before, const char *name)
{
    text_put(t, t->len > 0 ? ", " : "");
    text_put(t, before);
    text_put(t, name);
}

static bool unit_is_there(const struct directory *d, const char *id)
{
    for (uint32_t i = 0; i < d->n_units; i++)
        if (strcmp(dir_text(d, d->units[i].id), id) == 0)
            return true;
    return false;
}

static void put_pattern(const struct directory *d, const struct target *p, struct text *t)
{
    if (pattern_needs_directory(p)) {
        if (!unit_is_there(d, p->place))
            put_unknown(t, "", p->place);
    } else if (!strpbrk(p->place, "*?") && !directory_account(d, p->place)) {
        put_unknown(t, "account ", p->place);
    }
    if (!strpbrk(p->what, "*?") && !directory_set(d, p->what))
        put_unknown(t, "permission set ", p->what);
}

void directory_unknown(const struct world *w, char out[static 481])
{
    struct text t = text_over(out, 481);
    const struct policy *p = w->policy;

    if (!p || !w->directory)
        return;
    for (size_t i = 0; i < p->n_principals; i++)
        if (p->principals[i].kind == PRINCIPAL_IDC_GROUP && w->idc_groups[i] == 0)
            put_unknown(&t, "@idc:", p->principals[i].name);
    for (size_t i = 0; i < p->n_aws_users; i++)
        if (directory_user(w->directory, p->aws_users[i].name) == 0)
            put_unknown(&t, "user ", p->aws_users[i].name);
    for (size_t i = 0; i < p->n_patterns; i++)
        if (p->patterns[i].kind == TARGET_AWS)
            put_pattern(w->directory, &p->patterns[i], &t);
}

/* ---- credentials that outlive their elevation --------------------------------------------------
 */

static bool is_named(const struct policy *p, const char *set)
{
    struct target t = {.kind = TARGET_AWS, .place = "1"};
    struct text what = text_over(t.what, sizeof t.what);

    text_put(&what, set);
    for (size_t i = 0; i < p->n_patterns; i++) {
        struct target any = {.kind = TARGET_AWS, .place = "*"};

        memcpy(any.what, p->patterns[i].what, sizeof any.what);
        if (p->patterns[i].kind == TARGET_AWS && pattern_covers(&any, &t))
            return true;
    }
    return false;
}

void directory_long_sessions(const struct world *w, char out[static 481])
{
    enum { HOUR_S = 3600 };
    struct text t = text_over(out, 481);
    const struct directory *d = w->directory;

    for (uint32_t i = 0; d && i < d->n_sets; i++) {
        const char *name = dir_text(d, d->sets[i].name);

        if (d->sets[i].session_s <= HOUR_S || !is_named(w->policy, name))
            continue;
        text_put(&t, t.len > 0 ? ", " : "");
        text_put(&t, name);
        text_put(&t, " ");
        text_put_duration(&t, d->sets[i].session_s);
    }
}
