#include "teamd.h"

#include <stdlib.h>

/* Questions of pam_acct_mgmt for the audit trail: equal ones of one person with equal answers are
 * one row with a count, so that a loop of `sudo -n` neither fills the disk nor waits for it. */

enum { ROWS = 128 };

struct row {
    uint32_t subject;
    char service[WORD_CAP];
    uint64_t times;
    struct reply reply;
};

struct asked {
    size_t n;
    struct row rows[ROWS];
};

struct asked *asked_new(void)
{
    return calloc(1, sizeof(struct asked));
}

struct asked *asked_free(struct asked *a)
{
    free(a);
    return NULL;
}

bool asked_empty(const struct asked *a)
{
    return a->n == 0;
}

bool asked_full(const struct asked *a)
{
    return a->n == ROWS;
}

void asked_add(struct asked *a, uint32_t subject, const char *asked_service,
               const struct reply *reply)
{
    char service[WORD_CAP];
    struct row *row;

    text_make_plain(service, sizeof service, asked_service, strlen(asked_service));
    for (size_t i = 0; i < a->n; i++) {
        row = &a->rows[i];
        if (row->subject == subject && row->reply.code == reply->code &&
            row->reply.id.bits == reply->id.bits && strcmp(row->service, service) == 0) {
            row->times++;
            return;
        }
    }
    if (a->n == ROWS)
        return; /* only while the store cannot be written; that itself is shouted about */
    row = &a->rows[a->n++];
    *row = (struct row){.subject = subject, .times = 1, .reply = *reply};
    memcpy(row->service, service, sizeof service);
}

static void fill(struct audit *a, const struct row *row, const struct world *w)
{
    struct name who = actor_name(w, row->subject);
    int class = policy_class(w->policy, row->service);
    struct text target = text_over(a->target, sizeof a->target);
    struct text detail = text_over(a->detail, sizeof a->detail);

    a->action = "gate.account";
    a->actor = who;
    a->outcome = row->reply.code == REPLY_DONE ? "yes" : "no";
    a->id = row->reply.id;
    text_put(&target, "host:");
    text_put(&target, w->policy->host);
    text_put(&target, "/");
    text_put(&target, class == CLASS_NONE ? row->service : w->policy->classes[class]);
    text_put(&detail, "service ");
    text_put(&detail, row->service);
    text_put(&detail, ", asked ");
    text_put_u64(&detail, row->times);
    text_put(&detail, row->times == 1 ? " time" : " times");
    if (row->reply.text[0]) {
        text_put(&detail, ": ");
        text_put(&detail, row->reply.text);
    }
}

bool asked_effects(const struct asked *a, const struct world *w, size_t *at, struct effects *out)
{
    out->n = 0;
    out->more = false;
    while (*at < a->n && out->n < EFFECTS_MAX) {
        struct effect *e = &out->items[out->n++];

        e->kind = EFFECT_AUDIT;
        fill(&e->audit, &a->rows[(*at)++], w);
    }
    return out->n > 0;
}

void asked_clear(struct asked *a)
{
    a->n = 0;
}
