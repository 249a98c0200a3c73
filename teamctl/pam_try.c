#include "pam_try.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <security/pam_appl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "pam_stack.h"

enum { PATIENCE_MS = 20000 };

/* ---- the process ------------------------------------------------------------------------------
 */

/* Loaded by who installs, and by nobody else who runs teamctl. */
struct libpam {
    typeof(pam_start_confdir) *start;
    typeof(pam_set_item) *set_item;
    typeof(pam_acct_mgmt) *acct_mgmt;
    typeof(pam_open_session) *open_session;
    typeof(pam_close_session) *close_session;
    typeof(pam_end) *end;
    typeof(pam_strerror) *strerror;
};

static bool load(struct libpam *p)
{
    void *lib = dlopen("libpam.so.0", RTLD_NOW);
    const struct {
        const char *name;
        void *to;
    } NAMES[] = {
        {"pam_start_confdir", &p->start},         {"pam_set_item", &p->set_item},
        {"pam_acct_mgmt", &p->acct_mgmt},         {"pam_open_session", &p->open_session},
        {"pam_close_session", &p->close_session}, {"pam_end", &p->end},
        {"pam_strerror", &p->strerror},
    };

    for (size_t i = 0; lib && i < sizeof NAMES / sizeof NAMES[0]; i++) {
        void *symbol = dlsym(lib, NAMES[i].name);

        if (!symbol)
            return false;
        memcpy(NAMES[i].to, &symbol, sizeof symbol);
    }
    return lib;
}

/* Keeps the last thing that is said; a question has no answer. */
static int converse(int n, const struct pam_message **messages, struct pam_response **ret,
                    void *said)
{
    for (int i = 0; i < n; i++) {
        if (messages[i]->msg_style != PAM_ERROR_MSG && messages[i]->msg_style != PAM_TEXT_INFO)
            return PAM_CONV_ERR;
        snprintf(said, PAM_TRIED_CAP, "%s", messages[i]->msg);
    }
    *ret = calloc((size_t)n, sizeof **ret);
    return *ret ? PAM_SUCCESS : PAM_BUF_ERR;
}

static int ask(const struct libpam *p, const struct pam_trial *t, pam_handle_t *h)
{
    int code = PAM_SUCCESS;

    p->set_item(h, PAM_RUSER, t->user);
    if (t->account)
        code = p->acct_mgmt(h, PAM_SILENT);
    if (code == PAM_SUCCESS && t->session) {
        code = p->open_session(h, PAM_SILENT);
        if (code == PAM_SUCCESS)
            p->close_session(h, PAM_SILENT);
    }
    return code;
}

static void try_it(const struct pam_trial *t, struct pam_tried *ret)
{
    char said[PAM_TRIED_CAP] = "";
    struct pam_conv conv = {converse, said};
    pam_handle_t *h = NULL;
    struct libpam p;

    ret->code = PAM_SYSTEM_ERR;
    if (!load(&p)) {
        snprintf(ret->text, sizeof ret->text, "there is no libpam with pam_start_confdir (1.4)");
        return;
    }
    /* As sudo is: somebody's process with the rights of root. */
    if (setresuid(t->uid, 0, 0) < 0) {
        snprintf(ret->text, sizeof ret->text, "cannot become uid %u", t->uid);
        return;
    }
    ret->code = p.start(t->service, t->user, &conv, t->dir, &h);
    if (ret->code == PAM_SUCCESS)
        ret->code = ask(&p, t, h);
    snprintf(ret->text, sizeof ret->text, "%.100s%s%.380s", p.strerror(h, ret->code),
             said[0] != '\0' ? ": " : "", said);
    if (h)
        p.end(h, ret->code);
}

/* ---- and who waits for it ---------------------------------------------------------------------
 */

static void run_child(const struct pam_trial *t, int fd)
{
    struct pam_tried tried = {.code = 0};
    int null = open("/dev/null", O_RDWR);

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (int i = 0; i <= STDERR_FILENO; i++) /* modules may print */
        dup2(null, i);
    try_it(t, &tried);
    if (write(fd, &tried, sizeof tried) < 0)
        _exit(1);
    _exit(0); /* nothing of ours that is buffered is written twice */
}

static void read_result(int fd, struct pam_tried *ret)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    int r;

    while (r = poll(&p, 1, PATIENCE_MS), r < 0 && errno == EINTR)
        ;
    if (r > 0 && read(fd, ret, sizeof *ret) == (ssize_t)sizeof *ret)
        return;
    ret->code = PAM_SYSTEM_ERR;
    snprintf(ret->text, sizeof ret->text, "%s",
             r == 0 ? "no answer within 20s" : "a module has ended the process");
}

void pam_try(const struct pam_trial *t, struct pam_tried *ret)
{
    int ends[2], r = pipe2(ends, O_CLOEXEC) < 0 ? -errno : 0;
    pid_t pid = r == 0 ? fork() : -1;

    if (pid == 0)
        run_child(t, ends[1]);
    if (pid < 0) {
        *ret = (struct pam_tried){.code = PAM_SYSTEM_ERR};
        snprintf(ret->text, sizeof ret->text, "%s", strerror(errno));
    }
    if (r == 0)
        close(ends[1]);
    if (pid > 0) {
        read_result(ends[0], ret);
        kill(pid, SIGKILL);
        while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
            ;
    }
    if (r == 0)
        close(ends[0]);
}

/* ---- a folder of services ---------------------------------------------------------------------
 */

static int show_all(int scratch, const char *dir)
{
    DIR *services = opendir(dir);
    const struct dirent *e;
    char target[PATH_CAP];
    int r = 0;

    if (!services)
        return errno == ENOENT ? 0 : -errno;
    while (r == 0 && (e = readdir(services))) {
        if (e->d_name[0] == '.')
            continue;
        snprintf(target, sizeof target, "%s/%s", dir, e->d_name);
        if (symlinkat(target, scratch, e->d_name) < 0 && errno != EEXIST)
            r = -errno;
    }
    closedir(services);
    return r;
}

int pam_scratch_make(char out[static PAM_SCRATCH_CAP])
{
    int fd, r;

    snprintf(out, PAM_SCRATCH_CAP, "/run/team-pam-XXXXXX");
    if (!mkdtemp(out))
        return -errno;
    fd = open(out, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    r = fd < 0 ? -errno : show_all(fd, PAM_DIR);
    if (r == 0)
        r = show_all(fd, "/usr/lib/pam.d");
    if (fd >= 0)
        close(fd);
    if (r < 0)
        pam_scratch_remove(out);
    return r;
}

int pam_scratch_put(const char *scratch, const char *service, const char *text, size_t len)
{
    char path[PATH_CAP];
    int fd, r = 0;

    snprintf(path, sizeof path, "%s/%s", scratch, service);
    unlink(path);
    fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return -errno;
    if (write(fd, text, len) != (ssize_t)len)
        r = -ENOSPC;
    if (close(fd) < 0 && r == 0)
        r = -errno;
    return r;
}

void pam_scratch_remove(const char *scratch)
{
    DIR *dir = opendir(scratch);
    const struct dirent *e;

    while (dir && (e = readdir(dir)))
        if (e->d_name[0] != '.')
            unlinkat(dirfd(dir), e->d_name, 0);
    if (dir)
        closedir(dir);
    rmdir(scratch);
}
