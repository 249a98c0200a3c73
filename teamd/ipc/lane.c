#include "ipc/conn.h"

#include <errno.h>
#include <time.h>

/* Tests are less patient. */
#ifndef IPC_GATE_IDLE_US
#define IPC_GATE_IDLE_US IPC_IDLE_US
#endif
#ifndef IPC_CONTROL_IDLE_US
#define IPC_CONTROL_IDLE_US (10 * IPC_IDLE_US)
#endif
#ifndef IPC_ANSWER_STALL_US
#define IPC_ANSWER_STALL_US (10 * 1000 * 1000)
#endif
#ifndef IPC_ROWS_STALL_US
#define IPC_ROWS_STALL_US (60 * 1000 * 1000)
#endif
#ifndef IPC_WAITER_US
#define IPC_WAITER_US (UINT64_C(3660) * 1000 * 1000)
#endif
#ifndef IPC_STOP_US
#define IPC_STOP_US (200 * 1000)
#endif

enum { ACCURACY_US = 10 * 1000 };

static const uint64_t PATIENCE_US[LANES] = {
    [LANE_GATE_IDLE] = IPC_GATE_IDLE_US,
    [LANE_CONTROL_IDLE] = IPC_CONTROL_IDLE_US,
    [LANE_ANSWER] = IPC_ANSWER_STALL_US,
    [LANE_ROWS] = IPC_ROWS_STALL_US,
    [LANE_LOST] = 0,
    [LANE_STOP] = IPC_STOP_US,
    [LANE_WAITER] = IPC_WAITER_US,
};

static uint64_t loop_now_us(const struct ipc *i)
{
    uint64_t us = 0;

    (void)sd_event_now(i->loop, CLOCK_MONOTONIC, &us);
    return us;
}

/* The timer is only ever moved forward here; that it is early is found out when it fires. */
static void timer_need(struct ipc *i, uint64_t us)
{
    if (i->timer_us > 0 && i->timer_us <= us)
        return;
    i->timer_us = us;
    (void)sd_event_source_set_time(i->timer, us);
    (void)sd_event_source_set_enabled(i->timer, SD_EVENT_ONESHOT);
}

void lane_leave(struct conn *c)
{
    struct lane *lane = &c->ipc->lanes[c->lane];

    if (c->lane == LANE_NONE)
        return;
    *(c->lane_prev ? &c->lane_prev->lane_next : &lane->first) = c->lane_next;
    *(c->lane_next ? &c->lane_next->lane_prev : &lane->last) = c->lane_prev;
    c->lane_prev = c->lane_next = NULL;
    c->lane = LANE_NONE;
}

void lane_join(struct conn *c, enum lane_kind kind)
{
    struct lane *lane = &c->ipc->lanes[kind];

    lane_leave(c);
    c->lane = (uint8_t)kind;
    c->deadline_us = loop_now_us(c->ipc) + PATIENCE_US[kind];
    c->lane_prev = lane->last;
    *(lane->last ? &lane->last->lane_next : &lane->first) = c;
    lane->last = c;
    timer_need(c->ipc, c->deadline_us);
}

/* Callbacks may close any other connection, so the first of the lane is looked up every time. */
static int on_timer(sd_event_source *s, uint64_t us, void *userdata)
{
    struct ipc *i = userdata;
    uint64_t now = loop_now_us(i);

    (void)s;
    (void)us;
    i->timer_us = 0;
    for (int kind = LANE_NONE + 1; kind < LANES; kind++) {
        struct lane *lane = &i->lanes[kind];

        while (lane->first && lane->first->deadline_us <= now)
            conn_drop(lane->first);
        if (lane->first)
            timer_need(i, lane->first->deadline_us);
    }
    return 0;
}

/* Made before it is needed: when descriptors run out, there is none for a timer either. */
int lanes_open(struct ipc *i)
{
    int r;

    r = sd_event_add_time(i->loop, &i->timer, CLOCK_MONOTONIC, 0, ACCURACY_US, on_timer, i);
    if (r < 0)
        return r;
    r = sd_event_source_set_enabled(i->timer, SD_EVENT_OFF);
    if (r < 0)
        return r;
    return sd_event_source_set_priority(i->timer, SD_EVENT_PRIORITY_IMPORTANT);
}

void lanes_close(struct ipc *i)
{
    i->timer = sd_event_source_disable_unref(i->timer);
}
