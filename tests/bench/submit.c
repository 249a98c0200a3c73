/* Durable requests.
 *   submit rate ROUNDS EACH CLIENTS FIRST OURS OTHER
 * Requests per second that two teamds commit when so many clients (uids FIRST and up) submit EACH
 * of them, each on a new connection. They are cancelled before the next turn. One line: ours,
 * other, ratio. submit live EACH CLIENTS FIRST TARGET SOCKET So many requests each, which stay. */
#include "asks.h"
#include "crowd.h"

struct writing {
    const char *control, *target;
    unsigned first, each;
    bool stay;
};

static void submit(struct crowd *c, unsigned me, void *ctx)
{
    const struct writing *w = ctx;
    char(*ids)[TEXT_ID_LEN + 1] = room_for(w->each, sizeof *ids);
    struct heard a;

    log_in(w->first + me);
    if (seteuid(w->first + me) < 0)
        die("seteuid: %s", strerror(errno));
    crowd_wait_for_go(c);
    for (unsigned i = 0; i < w->each; i++) {
        ask_request(w->control, w->target, &a);
        memcpy(ids[i], a.id, sizeof ids[i]);
        crowd_count(c);
    }
    while (!crowd_over(c))
        pause_us(500);
    for (unsigned i = 0; i < w->each && !w->stay; i++)
        ask_end(w->control, TEAM_OP_CANCEL, ids[i]);
    free(ids);
}

static double per_second(struct writing *w, unsigned clients)
{
    unsigned long long all = (unsigned long long)clients * w->each;
    double begin, per_s;
    struct crowd c;

    crowd_start(&c, clients, submit, w);
    begin = now_us();
    while (atomic_load(&c.shared->times) < all) {
        if (now_us() - begin > 60e6)
            die("%s: not answered within a minute", w->control);
        pause_us(200);
    }
    per_s = (double)all / (now_us() - begin) * 1e6;
    crowd_stop(&c);
    return per_s;
}

int main(int argc, char **argv)
{
    struct writing w[2] = {{.target = "sudo"}, {.target = "sudo"}};
    unsigned rounds, clients, order[2];
    double *per_s[2];

    if (argc == 7 && strcmp(argv[1], "live") == 0) {
        w[0] = (struct writing){argv[6], argv[5], number(argv[4]), number(argv[2]), true};
        printf("live %.0f\n", per_second(&w[0], number(argv[3])));
        return 0;
    }
    if (argc != 8 || strcmp(argv[1], "rate") != 0 || (rounds = number(argv[2])) == 0)
        return 2;
    clients = number(argv[4]);
    for (unsigned k = 0; k < 2; k++) {
        w[k].control = argv[6 + k];
        w[k].each = number(argv[3]);
        w[k].first = number(argv[5]);
        per_s[k] = room_for(rounds, sizeof(double));
    }
    for (unsigned i = 0; i < rounds; i++) {
        shuffled(order, 2);
        for (unsigned k = 0; k < 2; k++)
            per_s[order[k]][i] = per_second(&w[order[k]], clients);
    }
    print_ratio("submit", per_s[0], per_s[1], rounds);
    return 0;
}
