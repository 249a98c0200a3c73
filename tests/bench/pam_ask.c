/* A PAM module that asks a server on a socket one question and believes whatever comes back: the
 * least that a gate of this kind costs.
 *   account required pam_ask.so SOCKET */
#include <security/pam_ext.h>
#include <security/pam_modules.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static const char *item(pam_handle_t *pamh, int which)
{
    const void *value = NULL;

    return pam_get_item(pamh, which, &value) == PAM_SUCCESS && value ? (const char *)value : "";
}

static int ask(const char *path, const char *question, size_t len)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    struct timeval patience = {.tv_sec = 2};
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    char answer[64];
    ssize_t n = -1;

    memcpy(to.sun_path, path, strlen(path) + 1);
    if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) == 0 &&
        connect(fd, (struct sockaddr *)&to, sizeof to) == 0 &&
        send(fd, question, len, MSG_NOSIGNAL) == (ssize_t)len)
        n = recv(fd, answer, sizeof answer, 0);
    close(fd);
    return n == sizeof answer ? PAM_SUCCESS : PAM_PERM_DENIED;
}

__attribute__((visibility("default"))) int pam_sm_acct_mgmt(pam_handle_t *pamh, int flags, int argc,
                                                            const char **argv)
{
    char question[256] = "";

    (void)flags;
    if (argc != 1 || strlen(argv[0]) >= sizeof(((struct sockaddr_un *)0)->sun_path))
        return PAM_SERVICE_ERR;
    strncat(question, item(pamh, PAM_SERVICE), 60);
    strncat(question, item(pamh, PAM_USER), 60);
    strncat(question, item(pamh, PAM_TTY), 60);
    return ask(argv[0], question, sizeof question);
}
