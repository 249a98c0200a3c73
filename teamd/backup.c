#include "teamd.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

/* `teamctl backup FILE`: a copy of the store, to a file that teamctl has opened, so that teamd
 * needs no right to write where people keep their backups. Copying waits for disks, and so does
 * closing what is on somebody's network file system: all of it is done by a thread, teamd's only
 * one. The thread touches nothing but the file and the store's own copy of itself. */

struct backup {
    struct ask *ask;
    struct store *store;
    int file;
    int over; /* eventfd: the thread is done */
    sd_event_source *source;
    pthread_t thread;
    int result; /* -errno */
    uint64_t bytes;
};

/* ---- the thread -------------------------------------------------------------------------------
 */

static int copy_to(struct backup *b)
{
    struct stat st;
    int r;

    if (fstat(b->file, &st) < 0)
        return -errno;
    if (!S_ISREG(st.st_mode))
        return -EINVAL;
    r = store_copy(b->store, b->file);
    if (r < 0)
        return r;
    if (fsync(b->file) < 0 || fstat(b->file, &st) < 0)
        return -errno;
    b->bytes = (uint64_t)st.st_size;
    return 0;
}

static void *run(void *ctx)
{
    struct backup *b = ctx;
    uint64_t one = 1;

    (void)setpriority(PRIO_PROCESS, 0, 19); /* of this thread alone, on Linux */
    b->result = copy_to(b);
    if (close(b->file) < 0 && b->result == 0)
        b->result = -errno;
    while (write(b->over, &one, sizeof one) < 0 && errno == EINTR)
        ;
    return NULL;
}

/* Signals are for the loop. */
static int start_thread(struct backup *b)
{
    sigset_t all, before;
    int r;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    r = pthread_create(&b->thread, NULL, run, b);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return -r;
}

/* ---- before and after -------------------------------------------------------------------------
 */

static void drop_backup(struct ask *a)
{
    struct backup *b = a->more;

    sd_event_source_disable_unref(b->source);
    if (b->over >= 0)
        close(b->over);
    free(b);
}

static void say_result(struct ask *a, int result, uint64_t bytes)
{
    struct reply reply = {.code = (uint8_t)(result < 0 ? REPLY_FAILED : REPLY_DONE)};
    struct text t = text_over(reply.text, sizeof reply.text);

    if (result < 0) {
        text_put(&t, result == -EINVAL ? "it is no file" : strerror(-result));
    } else {
        text_put_u64(&t, bytes);
        text_put(&t, " bytes");
    }
    ask_answer(a, &reply);
}

static int is_over(sd_event_source *source, int fd, uint32_t events, void *ctx)
{
    struct backup *b = ctx;
    struct ask *a = b->ask;
    int result;
    uint64_t bytes;

    (void)source;
    (void)fd;
    (void)events;
    pthread_join(b->thread, NULL);
    result = b->result;
    bytes = b->bytes;
    store_copy_end(b->store);
    a->t->backup = NULL;
    log_line(result < 0 ? LOG_ERR : LOG_NOTICE, "backup by %s: %s",
             actor_name(&a->t->world, a->actor.uid).text, result < 0 ? strerror(-result) : "done");
    say_result(a, result, bytes);
    return 0;
}

static int start(struct backup *b)
{
    int r;

    b->over = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (b->over < 0)
        return -errno;
    r = sd_event_add_io(b->ask->t->loop, &b->source, b->over, EPOLLIN, is_over, b);
    if (r < 0)
        return r;
    r = store_copy_begin(b->store);
    if (r < 0)
        return r;
    b->file = conn_take_file(b->ask->conn);
    r = b->file < 0 ? -EBADF : start_thread(b);
    if (r == 0)
        return 0;
    store_copy_end(b->store);
    if (b->file >= 0)
        close(b->file);
    return r;
}

void backup_begin(struct ask *a)
{
    struct teamd *t = a->t;
    struct backup *b;
    int r;

    if (t->backup || !a->conn) {
        ask_say(a, REPLY_WRONG_STATE, "a backup is under way already");
        return;
    }
    b = calloc(1, sizeof *b);
    if (!b) {
        ask_say(a, REPLY_FAILED, "out of memory");
        return;
    }
    *b = (struct backup){.ask = a, .store = t->store, .file = -1, .over = -1};
    a->more = b;
    a->drop = drop_backup;
    r = start(b);
    if (r == 0)
        t->backup = b;
    else
        ask_say(a, REPLY_FAILED, r == -EBADF ? "no file came with it; try again" : strerror(-r));
}

/* The thread cannot be told to stop, and the store cannot be closed under it. What is committed is
 * on the disk; the copy is incomplete, which teamctl sees by the lost connection. */
void backup_end(const struct teamd *t, int status)
{
    if (!t->backup)
        return;
    log_line(LOG_WARNING, "teamd ends in the middle of a backup, which is of no use");
    _exit(status);
}
