/* The other end of /dev/log for the system tests: one datagram of syslog(3), one line of a file.
 * Usage: logsink SOCKET FILE */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* The file is opened for each line: a test may empty it at any time. */
static int append(const char *path, const char *line, size_t len)
{
    int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
    ssize_t n;

    if (fd < 0)
        return -errno;
    n = write(fd, line, len);
    close(fd);
    return n == (ssize_t)len ? 0 : -EIO;
}

static int listen_on(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd;

    if (strlen(path) >= sizeof address.sun_path)
        return -ENAMETOOLONG;
    memcpy(address.sun_path, path, strlen(path));
    fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (const struct sockaddr *)&address, sizeof address) < 0 ||
        chmod(path, 0666) < 0)
        return -errno;
    return fd;
}

int main(int argc, char **argv)
{
    char line[8192];
    int fd;

    if (argc != 3) {
        fprintf(stderr, "usage: logsink SOCKET FILE\n");
        return 2;
    }
    fd = listen_on(argv[1]);
    if (fd < 0) {
        fprintf(stderr, "logsink: %s: %s\n", argv[1], strerror(-fd));
        return 1;
    }
    for (;;) {
        ssize_t n = recv(fd, line, sizeof line - 1, 0);

        if (n < 0)
            return 1;
        while (n > 0 && (line[n - 1] == '\0' || line[n - 1] == '\n'))
            n--;
        line[n] = '\n';
        if (append(argv[2], line, (size_t)n + 1) < 0)
            return 1;
    }
}
