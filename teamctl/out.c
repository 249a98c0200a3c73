#include "render.h"

#include <errno.h>
#include <langinfo.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

void out_flush(struct out *o)
{
    size_t done = 0;

    while (!o->error && done < o->len) {
        ssize_t n = write(o->fd, o->buf + done, o->len - done);

        if (n >= 0)
            done += (size_t)n;
        else if (errno != EINTR)
            o->error = errno;
    }
    o->len = 0;
}

/* What does not fit into the rest of the buffer goes out in pieces. */
void out_put_more(struct out *o, const char *s, size_t n)
{
    while (n > 0) {
        size_t room = sizeof o->buf - o->len, piece = n < room ? n : room;

        memcpy(o->buf + o->len, s, piece);
        o->len += piece;
        s += piece;
        n -= piece;
        if (o->len == sizeof o->buf)
            out_flush(o);
    }
}

void out_text(struct out *o, const char *s)
{
    out_put(o, s, strlen(s));
}

void out_padded(struct out *o, const char *s, size_t width)
{
    out_text(o, s);
    for (size_t n = strlen(s); n < width; n++)
        out_put(o, " ", 1);
}

static unsigned terminal_width(int fd)
{
    const char *columns = getenv("COLUMNS");
    struct winsize size = {0};
    uint64_t n;

    if (columns && text_parse_u64(columns, strlen(columns), &n) && n > 0 && n < 10000)
        return (unsigned)n;
    if (ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        return size.ws_col;
    return 80;
}

struct look look_at(int fd, int64_t now_us)
{
    const char *no_color = getenv("NO_COLOR");
    const char *term = getenv("TERM");
    struct look look = {.now_us = now_us};

    if (!isatty(fd))
        return look;
    look.width = terminal_width(fd);
    look.colour = !(no_color && no_color[0] != '\0') && term && strcmp(term, "dumb") != 0;
    look.ascii = strcmp(nl_langinfo(CODESET), "UTF-8") != 0;
    return look;
}
