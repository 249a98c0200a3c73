/* The gate under load. UID is a person who may use sudo.
 *
 *   gate rate ROUNDS SECONDS CLIENTS UID OURS OTHER
 *
 * Answers per second of two sockets when so many clients ask, each time on a new connection.
 *
 *   gate delay ROUNDS ASKS CLIENTS UID GATE CONTROL FIRST
 *
 * The 99th percentile of one asker's wait, every ms, while so many clients (uids FIRST and up)
 * submit and cancel durably, and while nobody does; a line for the medians, and one for how many
 * changes a second those were.
 *
 *   gate flood ROUNDS ASKS CLIENTS UID GATE CONTROL WHO
 *
 * The same while so many processes of one person (uid WHO) open connections and submit as fast as
 * they are let; the last line is how many of those a second.
 *
 *   gate beside ROUNDS ASKS UID GATE PID
 *
 * The same while this process works, and while it is stopped.
 *
 *   gate pace ROUNDS UID OURS OTHER
 *
 * How long one asker waits, in turns. All print: ours, other, ratio. */
#include "asks.h"
#include "crowd.h"

#include <signal.h>

struct asking {
    const char *path;
    char question[TEAM_GATE_PACKET_MAX];
    size_t len;
    bool believe; /* whatever comes back */
};

static void ask(const struct asking *q, bool look)
{
    char answer[TEAM_GATE_PACKET_MAX];
    struct wire_msg msg;
    uint64_t code = TEAM_FAILED;
    int fd = reach(q->path);
    ssize_t n;

    tell(fd, q->question, q->len);
    n = recv(fd, answer, sizeof answer, 0);
    close(fd);
    if (n <= 0)
        die("%s: no answer", q->path);
    if (!look || q->believe)
        return;
    if (wire_read(answer, (size_t)n, &msg) != WIRE_OK ||
        !wire_find_u64(msg.fields, TEAM_CODE, &code) || code != TEAM_DONE)
        die("%s: the gate says no", q->path);
}

static struct asking asking_of(const char *path, unsigned uid, bool believe)
{
    struct asking q = {.path = path, .believe = believe};

    q.len = gate_question(q.question, sizeof q.question, uid);
    return q;
}

/* ---- rate ------------------------------------------------------------------------------------ */

static void keep_asking(struct crowd *c, unsigned me, void *ctx)
{
    (void)me;
    ask(ctx, true);
    crowd_wait_for_go(c);
    while (!crowd_over(c)) {
        ask(ctx, false);
        crowd_count(c);
    }
}

static double rate(struct asking *q, unsigned clients, double seconds)
{
    struct crowd c;
    double begin, per_s;

    crowd_start(&c, clients, keep_asking, q);
    begin = now_us();
    pause_us(seconds * 1e6);
    per_s = (double)atomic_load(&c.shared->times) / (now_us() - begin) * 1e6;
    crowd_stop(&c);
    return per_s;
}

static int compare_rates(char **argv)
{
    unsigned rounds = number(argv[2]), clients = number(argv[4]), uid = number(argv[5]), order[2];
    struct asking q[2] = {asking_of(argv[6], uid, false), asking_of(argv[7], uid, true)};
    double seconds = strtod(argv[3], NULL), *per_s[2];

    log_in(uid);
    per_s[0] = room_for(rounds, sizeof(double));
    per_s[1] = room_for(rounds, sizeof(double));
    for (unsigned i = 0; i < rounds; i++) {
        shuffled(order, 2);
        for (unsigned k = 0; k < 2; k++)
            per_s[order[k]][i] = rate(&q[order[k]], clients, seconds);
    }
    print_ratio("rate", per_s[0], per_s[1], rounds);
    return 0;
}

/* ---- pace ------------------------------------------------------------------------------------ */

static double wait_of(const struct asking *q)
{
    double begin = now_us();

    ask(q, false);
    return now_us() - begin;
}

static int compare_waits(char **argv)
{
    unsigned rounds = number(argv[2]), uid = number(argv[3]), order[2];
    struct asking q[2] = {asking_of(argv[4], uid, false), asking_of(argv[5], uid, false)};
    double *us[2];

    log_in(uid);
    for (unsigned k = 0; k < 2; k++) {
        us[k] = room_for(rounds, sizeof(double));
        ask(&q[k], true);
    }
    for (unsigned i = 0; i < rounds; i++) {
        shuffled(order, 2);
        for (unsigned k = 0; k < 2; k++)
            us[order[k]][i] = wait_of(&q[order[k]]);
    }
    print_ratio("gate", us[0], us[1], rounds);
    return 0;
}

/* ---- delay ----------------------------------------------------------------------------------- */

struct writing {
    const char *control;
    unsigned first;
};

static void keep_submitting(struct crowd *c, unsigned me, void *ctx)
{
    const struct writing *w = ctx;
    struct heard a;

    log_in(w->first + me);
    if (seteuid(w->first + me) < 0)
        die("seteuid: %s", strerror(errno));
    crowd_wait_for_go(c);
    while (!crowd_over(c)) {
        ask_request(w->control, "sudo", &a);
        ask_end(w->control, TEAM_OP_CANCEL, a.id);
        crowd_count(c);
        crowd_count(c);
    }
}

/* Whatever comes of it: refused, hung up on, or an answer that nobody reads. */
static void keep_flooding(struct crowd *c, unsigned me, void *ctx)
{
    enum { HELD = 8 };
    const struct writing *w = ctx;
    char packet[TEAM_ASK_PACKET_MAX], answer[1024];
    struct wire_out ask = request_of(packet, sizeof packet, "sudo");
    size_t len = wire_finish(&ask);
    int held[HELD];

    (void)me;
    for (unsigned i = 0; i < HELD; i++)
        held[i] = -1;
    log_in(w->first);
    if (seteuid(w->first) < 0)
        die("seteuid: %s", strerror(errno));
    crowd_wait_for_go(c);
    for (unsigned n = 0; !crowd_over(c); n++) {
        int fd = reach(w->control);

        if (send(fd, packet, len, MSG_NOSIGNAL) > 0 && n % 2 == 0)
            (void)!recv(fd, answer, sizeof answer, 0);
        if (held[n % HELD] >= 0)
            close(held[n % HELD]);
        held[n % HELD] = fd;
        crowd_count(c);
    }
}

struct delay {
    double p99, p50, changes_per_s;
};

/* A crowd of none is nobody. */
static struct delay probe(const struct asking *q, unsigned asks, unsigned clients, crowd_work *work,
                          struct writing *w)
{
    double *waits = room_for(asks, sizeof *waits), begin;
    struct delay d;
    struct crowd c;

    crowd_start(&c, clients, work, w);
    pause_us(50e3);
    begin = now_us();
    for (unsigned n = 0; n < asks; n++) {
        pause_us(1e3);
        waits[n] = wait_of(q);
    }
    d.changes_per_s = (double)atomic_load(&c.shared->times) / (now_us() - begin) * 1e6;
    crowd_stop(&c);
    d.p99 = quantile(waits, asks, 0.99);
    d.p50 = quantile(waits, asks, 0.5);
    free(waits);
    return d;
}

static int compare_delays(char **argv, crowd_work *work)
{
    unsigned rounds = number(argv[2]), asks = number(argv[3]), clients = number(argv[4]);
    unsigned uid = number(argv[5]), order[2];
    struct asking q = asking_of(argv[6], uid, false);
    struct writing w = {argv[7], number(argv[8])};
    double *p99[2], *p50[2], *changes = room_for(rounds, sizeof(double));

    log_in(uid);
    ask(&q, true);
    for (unsigned k = 0; k < 2; k++) {
        p99[k] = room_for(rounds, sizeof(double));
        p50[k] = room_for(rounds, sizeof(double));
    }
    for (unsigned i = 0; i < rounds; i++) {
        shuffled(order, 2);
        for (unsigned k = 0; k < 2; k++) {
            struct delay d = probe(&q, asks, order[k] == 0 ? clients : 0, work, &w);

            p99[order[k]][i] = d.p99;
            p50[order[k]][i] = d.p50;
            if (order[k] == 0)
                changes[i] = d.changes_per_s;
        }
    }
    print_ratio("p99", p99[0], p99[1], rounds);
    print_ratio("p50", p50[0], p50[1], rounds);
    printf("changes %.0f\n", median(changes, rounds));
    return 0;
}

/* Beside another process, which is stopped for the idle half. */
static int compare_beside(char **argv)
{
    unsigned rounds = number(argv[2]), asks = number(argv[3]), uid = number(argv[4]), order[2];
    struct asking q = asking_of(argv[5], uid, false);
    pid_t pid = (pid_t)number(argv[6]);
    double *p99[2], *p50[2];

    log_in(uid);
    ask(&q, true);
    for (unsigned k = 0; k < 2; k++) {
        p99[k] = room_for(rounds, sizeof(double));
        p50[k] = room_for(rounds, sizeof(double));
    }
    for (unsigned i = 0; i < rounds; i++) {
        shuffled(order, 2);
        for (unsigned k = 0; k < 2; k++) {
            struct delay d;

            if (kill(pid, order[k] == 0 ? SIGCONT : SIGSTOP) < 0)
                die("%d: %s", (int)pid, strerror(errno));
            d = probe(&q, asks, 0, NULL, NULL);
            p99[order[k]][i] = d.p99;
            p50[order[k]][i] = d.p50;
        }
    }
    kill(pid, SIGCONT);
    print_ratio("p99", p99[0], p99[1], rounds);
    print_ratio("p50", p50[0], p50[1], rounds);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 7 && strcmp(argv[1], "beside") == 0)
        return compare_beside(argv);
    if (argc == 8 && strcmp(argv[1], "rate") == 0)
        return compare_rates(argv);
    if (argc == 9 && strcmp(argv[1], "delay") == 0)
        return compare_delays(argv, keep_submitting);
    if (argc == 9 && strcmp(argv[1], "flood") == 0)
        return compare_delays(argv, keep_flooding);
    if (argc == 6 && strcmp(argv[1], "pace") == 0)
        return compare_waits(argv);
    return 2;
}
