#include "activity.h"

enum {
    PAUSE_TIMES = 15,      /* longer than a write takes is what follows it, */
    PAUSE_MAX_US = 200000, /* up to this */
};

static void arm(struct activity_pace *p)
{
    uint64_t next = UINT64_MAX;

    for (size_t i = 0; i < IPC_COURIER_CONNECTIONS; i++)
        if (p->waiting[i].conn && p->waiting[i].at_us < next)
            next = p->waiting[i].at_us;
    sd_event_source_set_time(p->timer, next);
    sd_event_source_set_enabled(p->timer, next == UINT64_MAX ? SD_EVENT_OFF : SD_EVENT_ONESHOT);
}

void pace_answer(struct activity_pace *p, struct conn *c, const struct reply *reply,
                 int64_t took_us)
{
    int64_t pause_us = took_us * PAUSE_TIMES < PAUSE_MAX_US ? took_us * PAUSE_TIMES : PAUSE_MAX_US;
    size_t i = 0;

    while (i < IPC_COURIER_CONNECTIONS && p->waiting[i].conn)
        i++;
    if (i == IPC_COURIER_CONNECTIONS || reply->code != REPLY_DONE) {
        link_answer(c, TEAM_OP_FOUND, reply);
        return;
    }
    p->waiting[i].conn = c;
    p->waiting[i].reply = *reply;
    p->waiting[i].at_us = (uint64_t)(host_now().boot.us + pause_us);
    arm(p);
}

static int due(sd_event_source *source, uint64_t usec, void *ctx)
{
    struct activity_pace *p = ctx;

    (void)source;
    for (size_t i = 0; i < IPC_COURIER_CONNECTIONS; i++) {
        struct conn *c = p->waiting[i].conn;
        struct reply reply = p->waiting[i].reply;

        if (!c || p->waiting[i].at_us > usec)
            continue;
        p->waiting[i].conn = NULL;
        link_answer(c, TEAM_OP_FOUND, &reply);
    }
    arm(p);
    return 0;
}

void pace_gone(struct activity_pace *p, struct conn *c)
{
    for (size_t i = 0; i < IPC_COURIER_CONNECTIONS; i++)
        if (p->waiting[i].conn == c)
            p->waiting[i].conn = NULL;
}

int pace_new(struct activity_pace *p, sd_event *loop)
{
    int r = sd_event_add_time(loop, &p->timer, CLOCK_BOOTTIME, 0, 100, due, p);

    return r < 0 ? r : sd_event_source_set_enabled(p->timer, SD_EVENT_OFF);
}

void pace_free(struct activity_pace *p)
{
    p->timer = sd_event_source_unref(p->timer);
}
