/* Two people act on one request at the same moment, N times:
 *   race KIND N    KIND: approve-approve, approve-cancel, approve-expiry, revoke-end
 * Wants users r0..r9 (uids 3000 to 3009) who may ask, and bob (2002) and erin (2005) who may
 * approve; an unset login uid and identity.loginuid = "check", so that one process can be all of
 * them; and for the races against the clock pending_expiry = 1s. Prints how often each side won;
 * exits 1 if ever both or neither did. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <team/wire.h>

enum { BOB = 2002, ERIN = 2005, FIRST = 3000, REQUESTERS = 10, PER_PERSON = 30 };

struct answer {
    unsigned code;
    char id[TEXT_ID_LEN + 1], state[17], text[481];
};

static int connect_as(uid_t uid)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX, .sun_path = TEAM_CONTROL_SOCKET};
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

    if (seteuid(uid) < 0 || connect(fd, (struct sockaddr *)&to, sizeof to) < 0 || seteuid(0) < 0) {
        perror("connect");
        exit(2);
    }
    return fd;
}

static void ask(int fd, struct wire_out *w)
{
    size_t len = wire_finish(w);

    if (len == 0 || send(fd, w->buf, len, MSG_NOSIGNAL) != (ssize_t)len) {
        perror("send");
        exit(2);
    }
}

static struct answer hear(int fd)
{
    char buf[TEAM_PACKET_MAX];
    struct answer a = {.code = 99};
    struct wire_msg msg;
    uint64_t code;
    ssize_t n = recv(fd, buf, sizeof buf, 0);

    if (n <= 0 || wire_read(buf, (size_t)n, &msg) != WIRE_OK || msg.kind != TEAM_ANSWER ||
        !wire_find_u64(msg.fields, TEAM_CODE, &code)) {
        fprintf(stderr, "no answer\n");
        exit(2);
    }
    a.code = (unsigned)code;
    wire_copy(msg.fields, TEAM_ID, a.id, sizeof a.id);
    wire_copy(msg.fields, TEAM_STATE, a.state, sizeof a.state);
    wire_copy(msg.fields, TEAM_TEXT, a.text, sizeof a.text);
    return a;
}

static struct answer request(int fd, unsigned for_s)
{
    char buf[TEAM_ASK_PACKET_MAX];
    struct wire_out w = wire_begin(buf, sizeof buf, TEAM_ASK, TEAM_OP_REQUEST);
    struct answer a;

    wire_put(&w, TEAM_TARGET_NAME, "sudo");
    wire_put_u64(&w, TEAM_FOR_S, for_s);
    wire_put(&w, TEAM_REASON, "a race");
    ask(fd, &w);
    a = hear(fd);
    if (a.code != TEAM_DONE) {
        fprintf(stderr, "request: %u %s\n", a.code, a.text);
        exit(2);
    }
    return a;
}

static void act(int fd, unsigned op, const char *id)
{
    char buf[TEAM_ASK_PACKET_MAX];
    struct wire_out w = wire_begin(buf, sizeof buf, TEAM_ASK, op);

    wire_put(&w, TEAM_ID, id);
    if (op == TEAM_OP_DECIDE) {
        wire_put(&w, TEAM_DECISION, "approved");
        wire_put(&w, TEAM_COMMENT, "fine");
    }
    ask(fd, &w);
}

static void pause_us(long us)
{
    struct timespec t = {us / 1000000, us % 1000000 * 1000};

    nanosleep(&t, NULL);
}

static long now_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static int asker[REQUESTERS], bob, erin;
static unsigned first_won, second_won, wrong;

static void judge(const char *id, const struct answer *x, const struct answer *y)
{
    if (x->code == TEAM_DONE && y->code == TEAM_WRONG_STATE)
        first_won++;
    else if (y->code == TEAM_DONE && x->code == TEAM_WRONG_STATE)
        second_won++;
    else {
        wrong++;
        fprintf(stderr, "%s: %u %s (%s), %u %s (%s)\n", id, x->code, x->text, x->state, y->code,
                y->text, y->state);
    }
}

/* Two packets, in changing order, sometimes a little apart. */
static void two_people(unsigned other_op, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        int a = asker[i % REQUESTERS], other = other_op == TEAM_OP_CANCEL ? a : erin;
        struct answer r = request(a, 3600), x, y;

        if (i % 2)
            act(other, other_op, r.id);
        act(bob, TEAM_OP_DECIDE, r.id);
        if (i % 3 == 0)
            pause_us(random() % 500);
        if (i % 2 == 0)
            act(other, other_op, r.id);
        x = hear(bob);
        y = hear(other);
        judge(r.id, &x, &y);
        if (x.code == TEAM_DONE || other_op == TEAM_OP_DECIDE) {
            act(a, TEAM_OP_REVOKE, r.id);
            hear(a);
        }
    }
}

/* Aims at the very end: earlier when the clock has won, later when it has lost, so that on a slow
 * machine, too, both happen. */
static long aim_us = -1000;

static void judge_late(bool revoke, const char *id, const struct answer *x)
{
    if (x->code == TEAM_DONE) {
        first_won++;
        aim_us += 250;
    } else if (x->code == TEAM_WRONG_STATE && strcmp(x->state, revoke ? "ended" : "expired") == 0) {
        second_won++;
        aim_us -= 250;
    } else {
        wrong++;
        fprintf(stderr, "%s: %u %s %s\n", id, x->code, x->state, x->text);
    }
}

/* Against the clock: whoever acts in time wins, and the clock wins otherwise; the answer says
 * which. The ends are as far apart as acting takes, or all but the first would be late. */
static void against_the_clock(bool revoke, unsigned n)
{
    static char ids[REQUESTERS * PER_PERSON][TEXT_ID_LEN + 1];
    static long ends[REQUESTERS * PER_PERSON];
    long apart_us = 2000;

    for (unsigned done = 0; done < n;) {
        unsigned k, count = 0;
        long acting_us = 0, begin = now_us();

        while (count < REQUESTERS * PER_PERSON && now_us() - begin < 800000) {
            struct answer r = request(asker[count % REQUESTERS], revoke ? 1 : 3600);

            memcpy(ids[count], r.id, sizeof ids[0]);
            if (revoke) {
                act(bob, TEAM_OP_DECIDE, r.id);
                hear(bob);
            }
            ends[count++] = now_us() + 1000000;
            pause_us(apart_us);
        }
        for (k = 0; k < count; k++) {
            long at = ends[k] + aim_us + random() % 1000 - 500, left = at - now_us();
            struct answer x;

            if (left > 0)
                pause_us(left);
            at = now_us();
            act(erin, revoke ? TEAM_OP_REVOKE : TEAM_OP_DECIDE, ids[k]);
            x = hear(erin);
            acting_us += now_us() - at;
            judge_late(revoke, ids[k], &x);
        }
        apart_us = 2 * acting_us / (long)count;
        for (k = 0; k < count && !revoke; k++) {
            act(asker[k % REQUESTERS], TEAM_OP_REVOKE, ids[k]);
            hear(asker[k % REQUESTERS]);
        }
        done += count;
    }
}

int main(int argc, char **argv)
{
    unsigned n = argc == 3 ? (unsigned)strtoul(argv[2], NULL, 10) : 0;

    if (n == 0)
        return 2;
    bob = connect_as(BOB);
    erin = connect_as(ERIN);
    for (unsigned i = 0; i < REQUESTERS; i++)
        asker[i] = connect_as(FIRST + i);
    if (strcmp(argv[1], "approve-approve") == 0)
        two_people(TEAM_OP_DECIDE, n);
    else if (strcmp(argv[1], "approve-cancel") == 0)
        two_people(TEAM_OP_CANCEL, n);
    else
        against_the_clock(strcmp(argv[1], "revoke-end") == 0, n);
    printf("%s: %u by the first, %u by the second, %u wrong\n", argv[1], first_won, second_won,
           wrong);
    return wrong > 0 || first_won + second_won < n || first_won == 0 || second_won == 0;
}
