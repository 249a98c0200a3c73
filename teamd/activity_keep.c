#include "activity.h"

#include <errno.h>
#include <string.h>
#include <syslog.h>

enum {
    TIDY_EVERY_S = 3600,   /* looking for what need not be kept any more */
    TIDY_AGAIN_US = 50000, /* while there is more of it */
    TIDY_AT_ONCE = 256,    /* calls of one step */
};

static void put_drop(struct effects *out, const struct collection *k)
{
    struct audit *a = &out->items[0].audit;
    struct text target, detail;

    out->n = 1;
    out->items[0].kind = EFFECT_AUDIT;
    *a = (struct audit){.action = "activity.drop", .id = k->request, .outcome = "done"};
    target = text_over(a->target, sizeof a->target);
    detail = text_over(a->detail, sizeof a->detail);
    text_put(&target, "aws:");
    text_put(&target, k->account);
    text_put(&target, "/");
    text_put(&target, k->set);
    text_put(&detail, "as old as aws.activity_keep; calls: ");
    text_put_u64(&detail, k->calls);
}

struct boot activity_tidy(struct teamd *t, struct boot *due, struct now now)
{
    struct wall before = {now.wall.us - t->config->aws.activity_keep_s * SECOND_US};
    struct collection k;
    int r;

    if (now.boot.us < due->us)
        return *due;
    due->us = now.boot.us + TIDY_EVERY_S * SECOND_US;
    if (t->config->aws.activity_keep_s <= 0 || t->retry_s > 0)
        return *due;
    r = store_oldest_collection(t->store, before, &k);
    if (r == 0) {
        put_drop(&t->effects, &k);
        r = store_drop_collection(t->store, now, &k, TIDY_AT_ONCE, &t->effects);
    }
    if (r >= 0)
        due->us = now.boot.us + TIDY_AGAIN_US;
    else if (r != -ENOENT)
        log_line(LOG_ERR, "old activity cannot be dropped: %s", strerror(-r));
    if (r == 0)
        follow_tell(t);
    return *due;
}
