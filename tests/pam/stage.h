/* Where the module is tested: a folder with PAM services and what stands at the socket's path, and
 * the real libpam under the real uid of who asks. */
#pragma once

#include <dirent.h>
#include <fcntl.h>
#include <security/pam_appl.h>
#include <security/pam_ext.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include <linux/magic.h>

#ifndef COUNT
#define COUNT(a) (sizeof(a) / sizeof(a)[0])
#endif

enum { ALICE = 1001 };

static char folder[] = "/tmp/pam-team-XXXXXX";
static char module[200];

/* ---- what the module says ------------------------------------------------------------------ */

static struct {
    int shown, logged, style, priority;
    char message[1024], log[2048];
} heard;

/* The module's calls come here and not to libpam: programs win over libraries. */
void pam_syslog(const pam_handle_t *pamh, int priority, const char *fmt, ...)
{
    va_list args;

    (void)pamh;
    heard.logged++;
    heard.priority = priority;
    va_start(args, fmt);
    vsnprintf(heard.log, sizeof heard.log, fmt, args);
    va_end(args);
}

static inline int listen_to_it(int n, const struct pam_message **messages,
                               struct pam_response **ret, void *ctx)
{
    (void)ctx;
    heard.shown += n;
    heard.style = messages[0]->msg_style;
    snprintf(heard.message, sizeof heard.message, "%s", messages[0]->msg);
    *ret = calloc((size_t)n, sizeof **ret);
    return *ret ? PAM_SUCCESS : PAM_BUF_ERR;
}

static inline int refuse_to_listen(int n, const struct pam_message **messages,
                                   struct pam_response **ret, void *ctx)
{
    (void)n, (void)messages, (void)ret, (void)ctx;
    heard.shown++;
    return PAM_CONV_ERR;
}

/* ---- where it is asked --------------------------------------------------------------------- */

enum place { TEAMD = 0, ABSENT, PLAIN_FILE, DEAD_SOCKET, STREAM_SOCKET, IMPOSTOR, FULL };

static inline const char *socket_path(void)
{
    static char path[100];

    snprintf(path, sizeof path, "%s/gate.sock", folder);
    return path;
}

static inline int connect_to(int type)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, type, 0);

    memcpy(address.sun_path, socket_path(), strlen(socket_path()));
    if (connect(fd, (const struct sockaddr *)&address, sizeof address) == 0)
        return fd;
    close(fd);
    return -1;
}

static inline int listen_at(int type, int backlog)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, type, 0);

    memcpy(address.sun_path, socket_path(), strlen(socket_path()));
    assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(fd, backlog), 0);
    return fd;
}

/* Makes what stands at the socket's path; the listening descriptor, or -1. `crowd` gets the
 * connections that fill the backlog. */
static inline int set_up(enum place place, int crowd[static 16])
{
    int fd = -1;

    unlink(socket_path());
    switch (place) {
    case ABSENT:
        break;
    case PLAIN_FILE:
        close(open(socket_path(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
        break;
    case DEAD_SOCKET:
        close(listen_at(SOCK_SEQPACKET, 8));
        break;
    case STREAM_SOCKET:
        fd = listen_at(SOCK_STREAM, 8);
        break;
    case IMPOSTOR:
        assert_int_equal(seteuid(ALICE), 0);
        fd = listen_at(SOCK_SEQPACKET, 8);
        assert_int_equal(seteuid(0), 0);
        break;
    case FULL:
        fd = listen_at(SOCK_SEQPACKET, 0);
        for (int i = 0; i < 16; i++)
            crowd[i] = connect_to(SOCK_SEQPACKET | SOCK_NONBLOCK);
        assert_int_equal(crowd[15], -1);
        break;
    case TEAMD:
        fd = listen_at(SOCK_SEQPACKET, 8);
        break;
    }
    return fd;
}

static inline pid_t start(int listener, void (*behaviour)(int))
{
    pid_t pid = listener < 0 ? 0 : fork();

    if (pid == 0 && listener >= 0) {
        behaviour(listener);
        _exit(0);
    }
    if (listener >= 0)
        close(listener);
    return pid;
}

static inline void stop(pid_t pid)
{
    if (pid > 0) {
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
    }
}

static inline void write_service(const char *service, const char *arguments)
{
    static const char *const TYPES[] = {"auth", "account", "session"};
    char path[200];
    FILE *f;

    snprintf(path, sizeof path, "%s/pam.d/%s", folder, service);
    f = fopen(path, "we");
    assert_non_null(f);
    for (size_t i = 0; i < COUNT(TYPES); i++)
        fprintf(f, "%s required %s socket=%s %s\n", TYPES[i], module, socket_path(), arguments);
    fclose(f);
}

static inline pam_handle_t *begin(const char *service, const char *user,
                                  int (*conversation)(int, const struct pam_message **,
                                                      struct pam_response **, void *))
{
    const struct pam_conv conv = {.conv = conversation};
    pam_handle_t *pamh = NULL;
    char path[200];

    snprintf(path, sizeof path, "%s/pam.d", folder);
    assert_int_equal(pam_start_confdir(service, user, &conv, path, &pamh), PAM_SUCCESS);
    memset(&heard, 0, sizeof heard);
    return pamh;
}

static inline int64_t now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static inline int count_entries(const char *path)
{
    DIR *dir = opendir(path);
    int n = 0;

    assert_non_null(dir);
    while (readdir(dir))
        n++;
    closedir(dir);
    return n;
}

/* Runs one phase of PAM with standard output and error watched, and the real uid of who asks. */
static inline int run(pam_handle_t *pamh, int (*phase)(pam_handle_t *, int), int flags, uid_t uid,
                      size_t *ret_printed)
{
    int watch = memfd_create("printed", MFD_CLOEXEC), out = dup(1), err = dup(2), code;
    struct stat st;

    fflush(NULL);
    dup2(watch, 1);
    dup2(watch, 2);
    assert_int_equal(setresuid(uid, 0, 0), 0);
    code = phase(pamh, flags);
    assert_int_equal(setresuid(0, 0, 0), 0);
    fflush(NULL);
    dup2(out, 1);
    dup2(err, 2);
    fstat(watch, &st);
    *ret_printed = (size_t)st.st_size;
    close(watch);
    close(out);
    close(err);
    return code;
}

/* This program is BUILD/tests/pam/NAME, the module BUILD/pam_team.so. */
static inline bool find_module(void)
{
    ssize_t n = readlink("/proc/self/exe", module, sizeof module - 16);

    for (int up = 0; up < 3; up++)
        while (n > 0 && module[--n] != '/')
            continue;
    if (n <= 0)
        return false;
    memcpy(module + n, "/pam_team.so", sizeof "/pam_team.so");
    return access(module, R_OK) == 0;
}

/* ---- a cgroup to be sent into --------------------------------------------------------------- */

static char home[300]; /* where this program comes from */

static inline void make_container(void)
{
    static const char *const MOUNTS[] = {"/sys/fs/cgroup", "/sys/fs/cgroup/unified"};
    char line[200];
    struct statfs fs;
    FILE *f;

    for (size_t i = 0; i < COUNT(MOUNTS) && container[0] == '\0'; i++) {
        if (statfs(MOUNTS[i], &fs) < 0 || fs.f_type != CGROUP2_SUPER_MAGIC)
            continue;
        snprintf(container, sizeof container, "%s/team-pam-test-%d", MOUNTS[i], getpid());
        if (mkdir(container, 0755) < 0)
            container[0] = '\0';
        f = fopen("/proc/self/cgroup", "re");
        while (f && fgets(line, sizeof line, f))
            if (strncmp(line, "0::/", 4) == 0)
                snprintf(home, sizeof home, "%s%.*s/cgroup.procs", MOUNTS[i],
                         (int)strcspn(line + 3, "\n"), line + 3);
        if (f)
            fclose(f);
    }
}

static inline void leave_container(void)
{
    int fd = container[0] != '\0' ? open(home, O_WRONLY | O_CLOEXEC) : -1;

    if (fd < 0)
        return;
    assert_int_equal(write(fd, "0", 1), 1);
    close(fd);
}

static inline int build_stage(void **state)
{
    char path[200];

    (void)state;
    if (!find_module() || !mkdtemp(folder) || chmod(folder, 0777) < 0)
        return -1;
    snprintf(path, sizeof path, "%s/pam.d", folder);
    return mkdir(path, 0755);
}

static inline int clear_stage(void **state)
{
    static const char *const NAMES[] = {"pam.d/sudo", "pam.d/su",       "pam.d/login",
                                        "pam.d/sshd", "pam.d/polkit-1", "gate.sock"};
    char path[200];

    (void)state;
    if (container[0] != '\0')
        rmdir(container);
    for (size_t i = 0; i < COUNT(NAMES); i++) {
        snprintf(path, sizeof path, "%s/%s", folder, NAMES[i]);
        unlink(path);
    }
    snprintf(path, sizeof path, "%s/pam.d", folder);
    rmdir(path);
    return rmdir(folder);
}
