#include "link.h"

#include <stdlib.h>

/* Who has been assigned what, as AWS says, against what was approved: what is on pairs of account
 * and permission set that the policy covers, and not ours, is drift. It is listed, and never
 * touched. */

void inventory_begin(struct link *l)
{
    l->n_next = l->n_next_more = 0;
}

static const struct dir_set *set_by_arn(const struct directory *d, const char *arn)
{
    for (uint32_t i = 0; d && i < d->n_sets; i++)
        if (strcmp(dir_text(d, d->sets[i].arn), arn) == 0)
            return &d->sets[i];
    return NULL;
}

static bool is_covered(const struct world *w, const struct target *t)
{
    for (size_t i = 0; i < w->policy->n_eligibility; i++)
        if (policy_patterns_cover(w->policy, w->directory, w->policy->eligibility[i].targets, t))
            return true;
    return false;
}

/* What was there before we came is nobody's approval. */
static bool is_ours(const struct world *w, const struct drift *d, const char *arn)
{
    const struct errand *e;

    if (d->group)
        return false;
    for (uint32_t at = 0; (e = world_each_errand(w, &at));)
        if (e->state != ERRAND_FOUND && e->state != ERRAND_LOOKING &&
            strcmp(e->account, d->account) == 0 && strcmp(e->set, arn) == 0 &&
            strcmp(e->user, d->principal) == 0)
            return true;
    return false;
}

static bool read_row(const struct world *w, struct wire_span row, struct drift *ret)
{
    char arn[SET_ARN_CAP], kind[17];
    struct target t = {.kind = TARGET_AWS};
    struct text place = text_over(t.place, sizeof t.place), what = text_over(t.what, sizeof t.what);
    const struct dir_set *set;

    *ret = (struct drift){.group = false};
    wire_copy(row, TEAM_ACCOUNT, ret->account, sizeof ret->account);
    wire_copy(row, TEAM_SET_ARN, arn, sizeof arn);
    wire_copy(row, TEAM_KIND, kind, sizeof kind);
    wire_copy(row, TEAM_PRINCIPAL, ret->principal, sizeof ret->principal);
    ret->group = strcmp(kind, "group") == 0;
    set = set_by_arn(w->directory, arn);
    if (!set)
        return false;
    text_put(&place, ret->account);
    text_put(&what, dir_text(w->directory, set->name));
    memcpy(ret->set, t.what, sizeof ret->set);
    return is_covered(w, &t) && !is_ours(w, ret, arn);
}

struct reply inventory_take(struct teamd *t, struct wire_span fields)
{
    struct link *l = t->link;
    struct reply reply = {.code = REPLY_DONE};
    struct drift d;

    if (!l->next)
        l->next = calloc(DRIFT_MAX, sizeof *l->next);
    for (struct wire_span row; row = wire_each(&fields, TEAM_ROW), row.at;) {
        if (!read_row(&t->world, row, &d))
            continue;
        if (l->next && l->n_next < DRIFT_MAX)
            l->next[l->n_next++] = d;
        else
            l->n_next_more++;
    }
    return reply;
}

/* ---- names ------------------------------------------------------------------------------------
 */

static int by_principal(const void *a, const void *b)
{
    return strcmp((*(struct drift *const *)a)->principal, (*(struct drift *const *)b)->principal);
}

static void name_them(struct drift **sorted, size_t n, const char *id, const char *name)
{
    size_t low = 0, high = n;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (strcmp(sorted[middle]->principal, id) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < n && strcmp(sorted[low]->principal, id) == 0; low++) {
        struct text t = text_over(sorted[low]->name, sizeof sorted[low]->name);

        text_put(&t, name);
    }
}

/* The directory is sorted by names, and these are by ids. */
static void name_all(const struct directory *d, struct drift *drift, size_t n)
{
    struct drift **sorted = calloc(n + 1, sizeof *sorted);

    for (size_t i = 0; sorted && i < n; i++)
        sorted[i] = &drift[i];
    if (sorted) {
        qsort(sorted, n, sizeof *sorted, by_principal);
        for (uint32_t i = 0; d && i < d->n_users; i++)
            name_them(sorted, n, dir_text(d, d->users[i].id), dir_text(d, d->users[i].name));
        for (uint32_t i = 0; d && i < d->n_groups; i++)
            name_them(sorted, n, dir_text(d, d->groups[i].id), dir_text(d, d->groups[i].name));
    }
    free(sorted);
}

static int by_place(const void *a, const void *b)
{
    const struct drift *x = a, *y = b;
    int r = strcmp(x->account, y->account);

    if (r == 0)
        r = strcmp(x->set, y->set);
    return r != 0
               ? r
               : strcmp(x->name[0] ? x->name : x->principal, y->name[0] ? y->name : y->principal);
}

struct reply inventory_end(struct teamd *t)
{
    struct link *l = t->link;
    struct drift *old = l->drift;
    struct reply reply = {.code = REPLY_DONE};
    char said[200];
    struct text text = text_over(said, sizeof said);
    uint64_t ours = 0;
    const struct errand *e;

    for (uint32_t at = 0; (e = world_each_errand(&t->world, &at));)
        ours += e->state == ERRAND_THERE || e->state == ERRAND_FOUND;
    l->drift = l->next;
    l->n_drift = l->n_next;
    l->n_more = l->n_next_more;
    l->next = old;
    l->compared_at = host_now().wall;
    if (l->n_drift > 0) {
        name_all(t->world.directory, l->drift, l->n_drift);
        qsort(l->drift, l->n_drift, sizeof *l->drift, by_place);
    }
    text_put_u64(&text, ours);
    text_put(&text, " assignments of elevations, ");
    text_put_u64(&text, l->n_drift + l->n_more);
    text_put(&text, " that nobody approved");
    task_end(t, &l->inventory, REPLY_DONE, said);
    return reply;
}
