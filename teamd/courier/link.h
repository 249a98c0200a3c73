/* The link to teamd: courier.sock. Jobs come in as rows that never end, answers go out as asks, one
 * at a time, on a connection of their own. It connects for ever; what could not be said when it
 * broke is forgotten, because teamd hands over everything that is open whenever it is made again.
 */
#pragma once

#include <team/wire.h>

#include <systemd/sd-event.h>

/* A row of the outbox, or something else to be done. Texts live until the callback returns. */
struct link_job {
    uint64_t number, round;
    const char *step; /* look, make, remove, check, refresh, inventory, activity */
    const char *account, *set_arn, *principal; /* "" if absent */
    /* activity: the names of the permission set and of the user; microseconds since 1970 */
    const char *set_name, *label;
    uint64_t since, until;
    bool soon;
};

struct link_calls {
    void (*job)(void *ctx, const struct link_job *job);
    /* It is there (again): everything that is open follows. It is gone. */
    void (*up)(void *ctx);
    void (*down)(void *ctx);
    /* There is little left to be sent: whoever has much to say goes on. */
    void (*room)(void *ctx);
    void (*say)(void *ctx, int priority, const char *line); /* for the log */
    void *ctx;
};

struct link;

/* `path` is copied. 0 and *ret, or -ENOMEM, -ENAMETOOLONG. Connects from the loop. */
int link_new(sd_event *loop, const char *path, const struct link_calls *calls, struct link **ret);
struct link *link_free(struct link *l); /* NULL is fine; returns NULL */

/* Sends a message of wire_finish(); `heard` (may be NULL) gets the code of the answer. Dropped when
 * the link is down, or breaks: then nobody is called. False if it was dropped at once. */
bool link_send(struct link *l, const char *packet, size_t len,
               void (*heard)(void *ctx, uint64_t code), void *ctx);

/* RESULT of a job. `text` may be "". */
void link_result(struct link *l, uint64_t number, uint64_t round, const char *outcome,
                 const char *text);

/* How many messages wait to be sent. */
size_t link_waiting(const struct link *l);
bool link_is_up(const struct link *l);
