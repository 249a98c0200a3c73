/* doctor: teamd itself, the units that start it, and the sockets that lead to it. */
#include "doctor.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- teamd ------------------------------------------------------------------------------------
 */

static bool status_row(void *ctx, enum team_row kind, struct wire_span row)
{
    struct doctor *d = ctx;
    const struct {
        const char *name;
        char *to;
        size_t cap;
    } VALUES[] = {
        {"version", d->version, sizeof d->version},
        {"config", d->config, sizeof d->config},
        {"state_dir", d->state_dir, sizeof d->state_dir},
        {"store", d->store, sizeof d->store},
        {"warnings", d->warnings, sizeof d->warnings},
        {"uid", d->uid, sizeof d->uid},
        {"stuck", d->stuck, sizeof d->stuck},
        {"courier", d->aws.courier, sizeof d->aws.courier},
        {"courier_identity", d->aws.identity, sizeof d->aws.identity},
        {"aws_delegated", d->aws.delegated, sizeof d->aws.delegated},
        {"directory_age_s", d->aws.age_s, sizeof d->aws.age_s},
        {"directory_refresh_s", d->aws.refresh_s, sizeof d->aws.refresh_s},
        {"portal_url", d->aws.portal, sizeof d->aws.portal},
        {"refresh_trouble", d->aws.refresh_trouble, sizeof d->aws.refresh_trouble},
        {"reconcile_trouble", d->aws.reconcile_trouble, sizeof d->aws.reconcile_trouble},
        {"aws_waiting", d->aws.waiting, sizeof d->aws.waiting},
        {"aws_oldest_trouble", d->aws.oldest, sizeof d->aws.oldest},
        {"aws_unknown", d->aws.unknown, sizeof d->aws.unknown},
        {"aws_long_sessions", d->aws.sessions, sizeof d->aws.sessions},
        {"drift", d->aws.drift, sizeof d->aws.drift},
    };
    char name[33];

    wire_copy(row, TEAM_NAME, name, sizeof name);
    for (size_t i = 0; kind == TEAM_ROW_STATUS && i < sizeof VALUES / sizeof VALUES[0]; i++)
        if (strcmp(name, VALUES[i].name) == 0)
            wire_copy(row, TEAM_VALUE, VALUES[i].to, VALUES[i].cap);
    return true;
}

void doctor_teamd(struct doctor *d)
{
    enum { PATIENCE_MS = 5000 };
    struct wire_out ask = talk_begin(&d->c->talk, TEAM_OP_STATUS);
    struct answer a;

    talk_ask(&d->c->talk, &ask, PATIENCE_MS, status_row, d, &a);
    talk_close(&d->c->talk);
    if (a.code == TEAM_REFUSED) {
        found(d, GRADE_OK, "teamd", NULL, "teamd answers");
        found(d, GRADE_UNKNOWN, "teamd", NULL, "how it is, it tells admins and root alone");
        return;
    }
    if (a.code != TEAM_DONE) {
        found(d, GRADE_BAD, "teamd",
              "systemctl start teamd; journalctl -u teamd tells why it ended", "%s",
              a.text[0] != '\0' ? a.text : "teamd does not say how it is");
        return;
    }
    found(d, GRADE_OK, "teamd", NULL, "teamd %s answers", d->version);
    if (strcmp(d->store, "sound") != 0)
        found(d, GRADE_BAD, "teamd", "make room on its disk; journalctl -u teamd tells more",
              "the store %s: nobody can ask or decide", d->store);
    if (d->stuck[0] != '\0' && strcmp(d->stuck, "0") != 0)
        found(d, GRADE_BAD, "teamd", "teamctl sessions names them; see what is left of them",
              "%s sessions cannot be ended", d->stuck);
    if (strcmp(d->warnings, "0") != 0)
        found(d, GRADE_WARN, "teamd", "journalctl -u teamd names them, when it is reloaded",
              "the configuration names %s users or groups that this host does not know",
              d->warnings);
}

/* ---- units ------------------------------------------------------------------------------------
 */

static const char *const UNITS[] = {"team-gate.socket", "team-control.socket", "teamd.service",
                                    "team-sessions.service"};
enum { N_UNITS = sizeof UNITS / sizeof UNITS[0] };

/* One word of systemctl for each unit, in their order. */
static bool read_states(const char *question, char out[static 256], const char *states[N_UNITS])
{
    const char *const argv[] = {"systemctl", question, UNITS[0], UNITS[1],
                                UNITS[2],    UNITS[3], NULL};
    size_t n = 0;

    if (command_read(argv, out, 256) < 0)
        return false;
    for (char *s = out; n < N_UNITS && *s != '\0'; n++) {
        size_t len = strcspn(s, "\n");
        char *end = s + len + (s[len] != '\0');

        s[len] = '\0';
        states[n] = s;
        s = end;
    }
    return n == N_UNITS;
}

static void read_network(struct doctor *d)
{
    const char *const argv[] = {"systemctl", "show",          "--property=PrivateNetwork",
                                "--value",   "teamd.service", NULL};
    char out[64] = "";

    d->no_network = command_read(argv, out, sizeof out) == 0 && strncmp(out, "yes", 3) == 0;
}

void doctor_units(struct doctor *d)
{
    const char *active[N_UNITS], *enabled[N_UNITS];
    char active_text[256], enabled_text[256], fix[FIX_CAP];
    bool sound = true;

    if (!d->systemd) {
        found(d, GRADE_UNKNOWN, "unit", NULL,
              "systemd does not run this host; what starts teamd has to be looked at by you");
        return;
    }
    read_network(d);
    if (!read_states("is-active", active_text, active)) {
        found(d, GRADE_UNKNOWN, "unit", NULL, "systemctl cannot be asked");
        return;
    }
    if (!read_states("is-enabled", enabled_text,
                     enabled)) { /* it is silent about what is not there */
        found(d, GRADE_BAD, "unit", "make install, systemctl daemon-reload",
              "not all of %s, %s, %s and %s are installed", UNITS[0], UNITS[1], UNITS[2], UNITS[3]);
        return;
    }
    for (size_t i = 0; i < N_UNITS; i++) {
        if (strcmp(active[i], "active") != 0) {
            snprintf(fix, sizeof fix, "systemctl enable --now %s", UNITS[i]);
            found(d, GRADE_BAD, "unit", fix, "%s is %s", UNITS[i], active[i]);
            sound = false;
        } else if (strcmp(enabled[i], "enabled") != 0) {
            snprintf(fix, sizeof fix, "systemctl enable %s", UNITS[i]);
            found(d, GRADE_WARN, "unit", fix,
                  "%s is %s: it may not come back after a restart of the host", UNITS[i],
                  enabled[i]);
            sound = false;
        }
    }
    if (sound)
        found(d, GRADE_OK, "unit", NULL,
              "teamd.service and what belongs to it are active and enabled");
}

/* ---- sockets ----------------------------------------------------------------------------------
 */

static bool check_dir(struct doctor *d, const char *path)
{
    struct stat st;

    if (stat(path, &st) < 0)
        return true; /* its socket is missing too, which is said */
    if (st.st_uid == 0 && !(st.st_mode & 022))
        return true;
    found(d, GRADE_BAD, "socket", "chown root and chmod 0755 it",
          "%s is not root's alone: others can put "
          "a socket of theirs in place of teamd's",
          path);
    return false;
}

static const char RESTART[] = "systemctl restart team-gate.socket team-control.socket teamd";

/* Is it there, and whose? */
static bool check_socket(struct doctor *d, const char *path, mode_t must, mode_t must_not)
{
    struct stat st;

    if (lstat(path, &st) < 0) {
        found(d, errno == EACCES ? GRADE_UNKNOWN : GRADE_BAD, "socket", RESTART, "%s: %s", path,
              strerror(errno));
        return false;
    }
    if (!S_ISSOCK(st.st_mode)) {
        found(d, GRADE_BAD, "socket", RESTART, "%s is no socket", path);
        return false;
    }
    if (st.st_uid == 0 && (st.st_mode & must) == must && !(st.st_mode & must_not))
        return true;
    found(d, GRADE_BAD, "socket", RESTART,
          "%s belongs to uid %u with mode %04o, not to root with %04o", path, st.st_uid,
          st.st_mode & 07777, must);
    return false;
}

/* Whoever may connect finds out whether somebody listens. */
static bool check_listening(struct doctor *d, const char *path)
{
    enum { PATIENCE_US = 2 * 1000 * 1000 };
    struct client client;
    int r = client_open(path, client_deadline(PATIENCE_US), &client);

    if (r == 0)
        client_close(&client);
    else
        found(d, GRADE_BAD, "socket", RESTART, "%s: %s", path,
              r == -EPERM          ? "who listens there is not root"
              : r == -ECONNREFUSED ? "nobody listens there"
                                   : strerror(-r));
    return r == 0;
}

void doctor_sockets(struct doctor *d)
{
    const char *control = d->c->talk.path, *slash = strrchr(control, '/');
    char gate[PATH_CAP], dir[PATH_CAP];
    bool sound;

    snprintf(dir, sizeof dir, "%.*s", slash ? (int)(slash - control) : 1, slash ? control : ".");
    snprintf(gate, sizeof gate, "%.480s/gate.sock", dir);
    sound = check_dir(d, dir);
    sound &= check_socket(d, control, 0666, 0) && check_listening(d, control);
    sound &= check_socket(d, gate, 0600, 0077) && (!d->root || check_listening(d, gate));
    if (!sound)
        return;
    if (d->root)
        found(d, GRADE_OK, "socket", NULL, "%s and gate.sock are root's, and listen", control);
    else
        found(d, GRADE_UNKNOWN, "socket", NULL, "whether anybody listens at %s, only root can try",
              gate);
}
