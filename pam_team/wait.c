#include "client.h"
#include "inplace.h"

#include <errno.h>

enum {
    AWAY_PAUSE_US = 500 * 1000,
    AWAY_TRIES = 40, /* 20 s: a teamd that has not come back by then needs an administrator */
    NOTHING_YET = 2, /* beside the answers: a packet that was none */
};

struct wait {
    const struct facts *facts;
    const struct options *options;
    wait_show_fn show;
    void *ctx;
    int64_t until;
    unsigned away; /* tries since it was last heard */
    char news[ANSWER_TEXT_CAP];
    char line[NEWS_CAP]; /* on the screen */
};

static void show(struct wait *w, const char *news)
{
    news_line(w->line, w->facts, news);
    w->show(w->ctx, w->line);
}

/* One packet: an answer, NOTHING_YET, or -errno. */
static int hear(struct wait *w, struct client *c, struct answer *ret)
{
    char packet[TEAM_GATE_PACKET_MAX];
    int r;

    r = client_await(c, w->until);
    if (r == 0)
        r = client_receive(c, packet, sizeof packet, w->until);
    if (r < 0)
        return r;
    if (!news_read(packet, (size_t)r, w->news)) {
        r = answer_read(TEAM_OP_AWAIT, packet, (size_t)r, ret);
        if (r == ANSWER_YES)
            show(w, ret->text);
        return r;
    }
    w->away = 0;
    show(w, w->news);
    return NOTHING_YET;
}

/* Connects and asks. Who cannot be reached in time is away. */
static int begin(struct wait *w, struct client *c)
{
    int64_t deadline = client_deadline(w->options->timeout_us);
    char packet[TEAM_GATE_PACKET_MAX];
    size_t len = ask_encode(w->facts, packet, sizeof packet);
    int r;

    if (len == 0)
        return -EINVAL;
    r = client_open(w->options->socket, deadline, c);
    if (r == 0)
        r = client_send(c, packet, len, deadline);
    return r == -ETIMEDOUT ? -ECONNREFUSED : r;
}

static int wait_once(struct wait *w, struct answer *ret)
{
    struct client c = {.fd = -1};
    int r;

    r = begin(w, &c);
    if (r == 0)
        do
            r = hear(w, &c, ret);
        while (r == NOTHING_YET);
    client_close(&c);
    return r;
}

static bool is_away(int error)
{
    return error == -ECONNRESET || error == -ECONNREFUSED || error == -ENOENT;
}

/* A moment, before it is looked for again; -ETIMEDOUT: that was the last one. */
static int pause_while_away(const struct wait *w)
{
    int r = client_pause(AWAY_PAUSE_US);

    return r == 0 && client_deadline(0) >= w->until ? -ETIMEDOUT : r;
}

int wait_in_place(const struct facts *f, const struct options *o, wait_show_fn show_line, void *ctx,
                  struct answer *ret)
{
    struct wait w = {.facts = f, .options = o, .show = show_line, .ctx = ctx};
    int r;

    w.until = client_deadline(o->wait_us);
    for (;;) {
        r = wait_once(&w, ret);
        if (!is_away(r) || w.away == AWAY_TRIES)
            break;
        if (w.away++ == 0)
            show(&w, "teamd is being restarted; still waiting");
        r = pause_while_away(&w);
        if (r < 0)
            break;
    }
    if (r >= 0)
        return r;
    if (r == -EINTR && w.line[0])
        show_line(ctx,
                  w.line); /* the terminal has written ^C below: what comes next is over that */
    ending(ret->text, f, o, r, w.news);
    return ANSWER_NO;
}
