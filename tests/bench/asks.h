/* The asks that the bench puts to teamd. */
#pragma once

#include "bench.h"

struct heard {
    unsigned code;
    char id[TEXT_ID_LEN + 1];
    char text[481];
};

/* Reads up to the answer; rows on the way are counted. */
static inline unsigned hear(int fd, struct heard *ret)
{
    static char packet[TEAM_PACKET_MAX];
    unsigned rows = 0;

    for (;;) {
        struct wire_msg msg;
        uint64_t code = TEAM_FAILED;
        ssize_t n = recv(fd, packet, sizeof packet, 0);

        if (n <= 0 || wire_read(packet, (size_t)n, &msg) != WIRE_OK)
            die("no answer");
        if (msg.kind == TEAM_ROWS) {
            rows += wire_u16(packet + 6);
            continue;
        }
        wire_find_u64(msg.fields, TEAM_CODE, &code);
        *ret = (struct heard){.code = (unsigned)code};
        wire_copy(msg.fields, TEAM_ID, ret->id, sizeof ret->id);
        wire_copy(msg.fields, TEAM_TEXT, ret->text, sizeof ret->text);
        return rows;
    }
}

/* One ask on a connection of its own, and its answer, which has to be DONE. */
static inline unsigned ask_once(const char *path, struct wire_out *w, struct heard *ret)
{
    int fd = reach(path);
    unsigned rows;

    tell(fd, w->buf, wire_finish(w));
    rows = hear(fd, ret);
    close(fd);
    if (ret->code != TEAM_DONE)
        die("%s: exit %u: %s", path, ret->code, ret->text);
    return rows;
}

static inline struct wire_out request_of(char *buf, size_t cap, const char *target)
{
    struct wire_out w = wire_begin(buf, cap, TEAM_ASK, TEAM_OP_REQUEST);

    wire_put(&w, TEAM_TARGET_NAME, target);
    wire_put_u64(&w, TEAM_FOR_S, 3600);
    wire_put(&w, TEAM_REASON, "rotate the TLS certificates of the front proxies");
    wire_put(&w, TEAM_TICKET, "CHG-4711");
    return w;
}

static inline void ask_request(const char *path, const char *target, struct heard *ret)
{
    char buf[TEAM_ASK_PACKET_MAX];
    struct wire_out w = request_of(buf, sizeof buf, target);

    ask_once(path, &w, ret);
}

/* TEAM_OP_CANCEL, TEAM_OP_REVOKE */
static inline void ask_end(const char *path, unsigned op, const char *id)
{
    char buf[TEAM_ASK_PACKET_MAX];
    struct wire_out w = wire_begin(buf, sizeof buf, TEAM_ASK, op);
    struct heard a;

    wire_put(&w, TEAM_ID, id);
    ask_once(path, &w, &a);
}

/* What pam_acct_mgmt asks in a sudo of this person. Returns the length. */
static inline size_t gate_question(char *buf, size_t cap, unsigned uid)
{
    struct wire_out w = wire_begin(buf, cap, TEAM_ASK, TEAM_OP_ACCOUNT);

    wire_put(&w, TEAM_SERVICE, "sudo");
    wire_put_u64(&w, TEAM_UID, uid);
    wire_put(&w, TEAM_USER, "root");
    wire_put(&w, TEAM_TTY, "/dev/pts/0");
    return wire_finish(&w);
}
