/* What happens, as it happens: watch, and the part of audit that follows. */
#include "teamctl.h"

#include <poll.h>
#include <signal.h>
#include <unistd.h>

struct follow {
    struct call *c;
    struct render render;
    bool asked;
};

static bool follow_row(void *ctx, enum team_row kind, struct wire_span row)
{
    struct follow *f = ctx;

    return show_row(&f->render, kind, row);
}

/* ---- until the person has had enough ----------------------------------------------------------
 */

static volatile sig_atomic_t enough;

static void on_signal(int number)
{
    (void)number;
    enough = 1;
}

/* The first signal ends it between two rows, the second one at once: somebody who does not take
 * our output may keep us from ever getting there. */
static void listen_to(int number)
{
    struct sigaction on = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND}, before;

    if (sigaction(number, NULL, &before) == 0 && before.sa_handler != SIG_IGN)
        sigaction(number, &on, NULL);
}

void follow_listen(void)
{
    listen_to(SIGINT);
    listen_to(SIGTERM);
}

/* Is there something to read? False when there is no sense in reading. Signals come through only
 * while we sleep here, so that none is missed between looking and sleeping. */
bool follow_wait_for(int fd, int out)
{
    struct pollfd p[] = {{.fd = fd, .events = POLLIN}, {.fd = out}};
    sigset_t ours, before;

    sigemptyset(&ours);
    sigaddset(&ours, SIGINT);
    sigaddset(&ours, SIGTERM);
    sigprocmask(SIG_BLOCK, &ours, &before);
    while (!enough && p[0].revents == 0 && p[1].revents == 0)
        if (ppoll(p, 2, NULL, &before) < 0)
            p[0].revents = p[1].revents = 0;
    sigprocmask(SIG_SETMASK, &before, NULL);
    return !enough && p[1].revents == 0; /* who read what we write is gone */
}

bool follow_has_more(int fd, int within_ms)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};

    return !enough && poll(&p, 1, within_ms) > 0;
}

static bool follow_wait(void *ctx, int fd)
{
    struct follow *f = ctx;

    f->asked = true;
    render_flow(&f->render);
    return f->c->out->error == 0 && follow_wait_for(fd, f->c->out->fd);
}

int follow_rows(struct call *c, struct wire_out *ask, const struct row_type *type)
{
    struct follow f = {.c = c};
    struct answer a;

    follow_listen();
    render_begin(&f.render, type, &c->look, c->out);
    talk_follow(&c->talk, ask, follow_row, follow_wait, &f, &a);
    render_end(&f.render, false);
    if (a.code == TEAM_UNREACHABLE && f.asked) {
        complain(c, NULL, "teamd is gone, or nothing was read here for a minute; start again");
        return a.code;
    }
    return a.code == TEAM_DONE ? TEAM_DONE : complain_answer(c, NULL, &a);
}

int verb_watch(struct call *c)
{
    struct wire_out ask = talk_begin(&c->talk, TEAM_OP_WATCH);

    return follow_rows(c, &ask, &EVENT_ROWS);
}
