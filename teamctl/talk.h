/* One conversation with teamd: ask, rows, answer. What goes wrong on the way is an answer too: with
 * a code of teamctl's own and a text, so that a verb has one way to fail. */
#pragma once

#include <team/wire.h>

#include "../pam_team/client.h"

struct talk {
    const char *path;
    struct client client;
    bool open;
    const int *file; /* goes with the next ask */
    char ask[TEAM_ASK_PACKET_MAX];
    char packet[TEAM_PACKET_MAX];
};

struct answer {
    int code; /* enum team_code */
    char text[640];
    char id[TEXT_ID_LEN + 1];
    char state[17];
};

enum {
    TALK_PATIENCE_MS = 30 * 1000, /* for the next packet, when teamd has no reason to wait */
};

/* Called for every row, in order. False stops the conversation: the answer is then TEAM_FAILED. */
typedef bool talk_row(void *ctx, enum team_row kind, struct wire_span row);

/* Starts an ask; put fields into it with wire_put(). One at a time. */
struct wire_out talk_begin(struct talk *t, enum team_op op);

/* Sends the ask (connecting first if need be) and waits up to patience_ms for each packet that
 * comes back. *ret is always filled. */
void talk_ask(struct talk *t, struct wire_out *ask, int64_t patience_ms, talk_row *each, void *ctx,
              struct answer *ret);

/* The same for rows that have no end. Before it waits for the next packet, however long that takes,
 * it calls `wait` with the connection's descriptor; false there ends it, and the answer is
 * TEAM_DONE. */
typedef bool talk_wait(void *ctx, int fd);
void talk_follow(struct talk *t, struct wire_out *ask, talk_row *each, talk_wait *wait, void *ctx,
                 struct answer *ret);

void talk_close(struct talk *t);
