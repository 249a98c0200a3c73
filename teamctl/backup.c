/* backup: teamd writes a copy of its store into a file that we have opened, as who we are. */
#include "teamctl.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

static bool wait_for_end(void *ctx, int fd)
{
    (void)ctx;
    return follow_wait_for(fd, -1);
}

/* The directory remembers the name for good, or there is no backup. */
static bool keep(const char *path)
{
    const char *slash = strrchr(path, '/');
    char dir[4096];
    struct text t = text_over(dir, sizeof dir);
    int fd, r;

    text_put_n(&t, slash ? path : ".", slash && slash > path ? (size_t)(slash - path) : 1);
    fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return false;
    r = fsync(fd);
    close(fd);
    return r == 0;
}

int verb_backup(struct call *c)
{
    struct wire_out ask = talk_begin(&c->talk, TEAM_OP_BACKUP);
    const char *path = c->args[0];
    struct answer a;
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

    if (fd < 0) {
        complain(c, path, "%s", strerror(errno));
        return TEAM_FAILED;
    }
    follow_listen();
    c->talk.file = &fd;
    talk_follow(&c->talk, &ask, NULL, wait_for_end, NULL, &a);
    close(fd);
    if (a.code == TEAM_DONE && a.text[0] != '\0' && keep(path)) {
        out_text(c->out, path);
        out_text(c->out, ": ");
        out_text(c->out, a.text);
        out_text(c->out, "\n");
        return TEAM_DONE;
    }
    if (unlink(path) < 0)
        complain(c, path, "it is not whole, and cannot be removed: %s", strerror(errno));
    if (a.code != TEAM_DONE)
        return complain_answer(c, path, &a);
    complain(c, path, a.text[0] == '\0' ? "interrupted" : "its directory cannot be written");
    return TEAM_FAILED;
}
