/* Where sudo's own log of a session is: sudo writes one when sudoers(5) has log_output or log_input
 * on, and sudoreplay(8) finds it, for root. It knows nothing of our sessions; a log is of one if it
 * is the same person's, on the same terminal, begun when the session was. */
#include "teamctl.h"

#include <time.h>
#include <unistd.h>

enum { WITHIN_S = 10 }; /* sudo begins to log after it has opened the session */

static void local(int64_t us, char out[32])
{
    time_t s = (time_t)(us / 1000000);
    struct tm tm;

    out[0] = '\0';
    if (localtime_r(&s, &tm))
        strftime(out, 32, "%Y-%m-%d %H:%M:%S", &tm);
}

/* "Nov 26 07:38:38 2026 : alice : HOST=h ; TTY=pts/0 ; CWD=/ ; USER=root ; TSID=000001 ;
 * COMMAND=..."
 */
static bool takes(const char *line, const char *tty, char out[static 64])
{
    static const char TSID[] = " ; TSID=";
    const char *command = strstr(line, " ; COMMAND="), *id = strstr(line, TSID);
    char wanted[96];
    const char *at;
    size_t n;

    snprintf(wanted, sizeof wanted, "TTY=%s ; ", tty);
    at = tty[0] ? strstr(line, wanted) : line;
    if (!command || !id || id > command || !at || at > command)
        return false;
    id += sizeof TSID - 1;
    if (strstr(id, TSID)) /* one of them may be the name of a directory, or of a command */
        return false;
    n = strspn(id, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz/_-.");
    if (n == 0 || n > 63)
        return false;
    memcpy(out, id, n);
    out[n] = '\0';
    return true;
}

bool sudo_log_of(struct wire_span session, char out[static 64])
{
    static char said[64 * 1024];
    char user[64], tty[64], service[32], from[32], until[32];
    uint64_t at = 0;
    const char *name = tty;
    const char *const argv[] = {"env",      "LC_ALL=C", "sudoreplay", "-l",  "user", user,
                                "fromdate", from,       "todate",     until, NULL};

    wire_copy(session, TEAM_SERVICE, service, sizeof service);
    wire_copy(session, TEAM_TTY, tty, sizeof tty);
    if (geteuid() != 0 || strncmp(service, "sudo", 4) != 0 ||
        !wire_copy(session, TEAM_USER, user, sizeof user) ||
        !wire_find_u64(session, TEAM_STARTED_AT, &at))
        return false;
    if (strncmp(name, "/dev/", 5) == 0)
        name += 5;
    local((int64_t)at, from);
    local((int64_t)at + WITHIN_S * INT64_C(1000000), until);
    if (command_read(argv, said, sizeof said) != 0)
        return false;
    for (char *line = said, *next; line; line = next) {
        next = strchr(line, '\n');
        if (next)
            *next++ = '\0';
        if (takes(line, name, out))
            return true;
    }
    return false;
}
