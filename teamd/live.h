/* Inside sessions: one live session as processes. Only sessions.c, strays.c, ending.c and kept.c
 * include this. */
#pragma once

#include "teamd.h"

/* A process that came of the leader and is in no container of the session. Its descendants go with
 * it. */
struct stray {
    struct stray *next;
    uint32_t pid;
    int pidfd;
};

struct live {
    struct live *next, **link;
    struct teamd *t;
    uint64_t number;
    int pidfd; /* -1: the leader is gone */
    sd_event_source *leader, *events;
    char below[CONTAINER_CAP]; /* its container, if it is one of ours; else "" */
    char scope[SCOPE_CAP];     /* if it is the scope of its login; else "" */
    uint64_t scope_number;
    bool entered; /* it was seen in its place: before that nothing can have left it */
    struct stray *strays;
    unsigned n_strays;
};

struct live *live_find(const struct teamd *t, uint64_t number);

/* A session that could not be followed when it began, if it can be now. NULL: not yet, or nothing
 * is left of it, and that is told. */
struct live *live_follow_late(struct teamd *t, const struct session *s);

/* Queues an event about it, unless it waits to be committed already. */
int live_tell(struct teamd *t, enum event_kind kind, uint64_t number);

/* One survey of all processes for what happens in one round of the loop. */
void live_survey(struct teamd *t);

/* A list of all of them for such a round; when it began (process_ticks_now()). */
uint64_t live_census(struct teamd *t);

/* Has something of it left its place? Then that is told, and known when the rest is ended. */
void live_look_for_escapes(struct live *l, const struct session *s);

/* Those that were opened inside of it, and have not ended: begins and ends with NULL. */
const struct live *live_next_inside(const struct live *l, const struct live *after);

/* If nothing is left of it, that is told, and *l is gone. */
void live_look_whether_gone(struct live *l);

/* ---- strays.c ---------------------------------------------------------------------------------
 *
 * Root can put a process into another cgroup; so do su and login inside of a session, by way of
 * logind. As long as it hangs on the leader it is known to be of this session. */

/* Those that were known before a restart. */
void strays_adopt(struct live *l);

enum strays {
    STRAYS_NONE = 0,     /* nothing is outside */
    STRAYS_SOME = 1,     /* something is */
    STRAYS_TOO_MANY = 2, /* more than can be seen, or followed, so there may be others */
};

/* Looks for those that are not known yet; once the session ends they are killed as they are found.
 */
enum strays strays_find(struct live *l, const struct session *s);

/* Kills them, and what came of them. */
void strays_kill(struct live *l);

/* Does one of them live? Forgets the others. */
bool strays_left(struct live *l);
void strays_free(struct live *l);

/* ---- kept.c: pidfds that outlive teamd, in systemd's keeping ------------------------------------
 */

void kept_put(const struct live *l);
void kept_drop(uint64_t number);
void kept_put_stray(uint64_t number, int pidfd);
void kept_drop_strays(uint64_t number);

/* The pidfd that was kept for this session; the caller's. -ENOENT: none. -ESRCH: its leader is
 * gone. */
int kept_take(const struct session *s);

/* One stray of it, the caller's; -1: there are no more. */
int kept_take_stray(uint64_t number);
