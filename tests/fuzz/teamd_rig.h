/* The whole of teamd in the fuzzer's process, but for what lies behind it: people, processes,
 * terminals and clocks are stand-ins, so that the same input does the same. Each input begins with
 * an empty store. */
#pragma once

#include "fuzz/fuzz.h"

#include "host/host.h"
#include "ipc/conn.h"

/* Who connects and when it is, is ours to say; the rest of these files is the real one. */
int real_peer_read(int fd, struct peer *ret);
int real_peer_pidfd(int fd, const struct peer *peer);
int real_process_read(int pidfd, uint32_t pid, struct process *ret);
int real_process_login(int pidfd, uint32_t pid, uint32_t *ret_loginuid);
int real_process_login_now(uint32_t pid, uint32_t *ret_loginuid);
uint32_t real_process_loginuid(uint32_t pid);
void real_process_kill_tree(uint32_t leader);
int teamd_main(int argc, char **argv);
#define peer_read         real_peer_read
#define peer_pidfd        real_peer_pidfd
#define process_read      real_process_read
#define process_login     real_process_login
#define process_login_now real_process_login_now
#define process_loginuid  real_process_loginuid
#define process_kill_tree real_process_kill_tree
#include "ipc/socket.c"
/**/
#include "host/process.c"
/**/
#include "host/tree.c"
#undef peer_read
#undef peer_pidfd
#undef process_read
#undef process_login
#undef process_login_now
#undef process_loginuid
#undef process_kill_tree
#define main teamd_main
#include "main.c"
#undef main

#include <sys/eventfd.h>

/* ---- people ---------------------------------------------------------------------------------- */

/* Beyond all numbers that the kernel gives: whatever is signalled is not there. */
enum { ACTORS = 8, FIRST_PID = 5000000 };

/* Who may connect. All but the first five are one of them in another place. */
static const struct {
    const char *name, *groups;
    uint32_t uid, loginuid;
} CAST[ACTORS] = {
    {"root", "", 0, NOBODY},        {"alice", "sre", 1001, 1001},      {"bob", "leads", 1002, 1002},
    {"carol", "leads", 1003, 1003}, {"erin", "admins", 1004, 1004},    {"bob", "", 1002, 1001},
    {"alice", "", 1001, NOBODY},    {"nobody at all", "", 4000, 4000},
};
enum { KNOWN = 5 };

/* One look-up or listing that is to be answered from the loop. */
struct wait {
    people_found_fn found;
    people_listed_fn listed;
    void *ctx;
    int who; /* of CAST, -1: nobody */
    const struct policy *policy;
};

struct people {
    struct wait waits[64];
    size_t n;
    const struct policy *policy;
};

static struct people people;

static struct person person_of(int who)
{
    struct person p = {.uid = CAST[who].uid, .listed = true};
    const struct policy *policy = people.policy;

    snprintf(p.name.text, sizeof p.name.text, "%s", CAST[who].name);
    for (size_t i = 0; i < policy->n_principals; i++)
        if (strcmp(policy->principals[i].name, policy->principals[i].kind == PRINCIPAL_GROUP
                                                   ? CAST[who].groups
                                                   : CAST[who].name) == 0)
            principals_add(&p.is, i);
    return p;
}

int people_new(sd_event *loop, uid_t uid, gid_t gid, struct people **ret)
{
    (void)loop, (void)uid, (void)gid;
    people = (struct people){.n = 0};
    *ret = &people;
    return 0;
}

struct people *people_free(struct people *p)
{
    (void)p;
    return NULL;
}

static int wait_for(struct wait w)
{
    if (people.n == sizeof people.waits / sizeof people.waits[0])
        return -EAGAIN;
    people.waits[people.n++] = w;
    return 0;
}

int people_list(struct people *p, const struct policy *policy, const uint32_t *uids, size_t n_uids,
                people_listed_fn done, void *ctx)
{
    (void)p, (void)uids, (void)n_uids;
    return wait_for((struct wait){.listed = done, .ctx = ctx, .policy = policy});
}

void people_forget(struct people *p, uint32_t uid)
{
    (void)p, (void)uid;
}

int people_by_uid(struct people *p, uint32_t uid, people_found_fn done, void *ctx)
{
    int who = KNOWN - 1;

    (void)p;
    while (who >= 0 && CAST[who].uid != uid)
        who--;
    return wait_for((struct wait){.found = done, .ctx = ctx, .who = who});
}

int people_by_name(struct people *p, const char *name, people_found_fn done, void *ctx)
{
    int who = KNOWN - 1;

    (void)p;
    while (who >= 0 && strcmp(CAST[who].name, name) != 0)
        who--;
    return wait_for((struct wait){.found = done, .ctx = ctx, .who = who});
}

static bool answer_one(void)
{
    struct person who[KNOWN];
    struct wait w = people.waits[0];

    if (people.n == 0)
        return false;
    memmove(&people.waits[0], &people.waits[1], --people.n * sizeof w);
    if (w.listed) {
        people.policy = w.policy;
        for (int i = 0; i < KNOWN; i++)
            who[i] = person_of(i);
        w.listed(w.ctx, 0, who, KNOWN, NULL, 0);
    } else if (w.who < 0) {
        w.found(w.ctx, -ENOENT, NULL);
    } else {
        who[0] = person_of(w.who);
        w.found(w.ctx, 0, &who[0]);
    }
    return true;
}

/* ---- processes, terminals, clocks ------------------------------------------------------------ */

static unsigned connecting; /* of CAST */

int peer_read(int fd, struct peer *ret)
{
    (void)fd;
    *ret = (struct peer){CAST[connecting].uid, FIRST_PID + connecting, 0};
    return 0;
}

int peer_pidfd(int fd, const struct peer *peer)
{
    (void)fd, (void)peer;
    return eventfd(0, EFD_CLOEXEC); /* no signal goes through it */
}

int process_read(int pidfd, uint32_t pid, struct process *ret)
{
    (void)pidfd;
    *ret = (struct process){{pid, 1}, CAST[pid - FIRST_PID].loginuid};
    return 0;
}

int process_login_now(uint32_t pid, uint32_t *ret_loginuid)
{
    *ret_loginuid = CAST[pid - FIRST_PID].loginuid;
    return 0;
}

int process_login(int pidfd, uint32_t pid, uint32_t *ret_loginuid)
{
    (void)pidfd;
    return process_login_now(pid, ret_loginuid);
}

uint32_t process_loginuid(uint32_t pid)
{
    return CAST[pid - FIRST_PID].loginuid;
}

void process_kill_tree(uint32_t leader)
{
    (void)leader;
}

int terminal_say(const char *tty, uint32_t owner, const char *line)
{
    (void)tty, (void)owner;
    must(text_is_plain(line, strlen(line)), "what is said on a terminal is one plain line");
    return 0;
}

void terminals_say(const uint32_t *owners, size_t n, const char *line)
{
    (void)owners, (void)n;
    must(text_is_plain(line, strlen(line)), "what is said on terminals is one plain line");
}

int terminal_reset(const char *tty, uint32_t owner)
{
    (void)tty, (void)owner;
    return 0;
}

/* Ahead of the kernel's clocks: what is due is due by ours, and no timer goes off by itself. */
#define FAR_US (INT64_C(4000000000) * SECOND_US)

static struct now clock_now;
static uint64_t last_id;

struct now host_now(void)
{
    return clock_now;
}

int host_boot_id(char out[BOOT_ID_CAP])
{
    memcpy(out, "11111111-2222-3333-4444-555555555555", BOOT_ID_CAP);
    return 0;
}

/* AAAA0001, BBBB0002, ...: told apart by four characters, as people do. */
static struct id id_number(uint64_t n)
{
    return (struct id){(n % 16 * UINT64_C(0x8421) + UINT64_C(0x52940)) << 20 | n};
}

struct id host_fresh_id(void)
{
    return id_number(++last_id);
}

/* Nothing that an input can do is a reason to give up the store. */
void log_line(int priority, const char *format, ...)
{
    (void)format;
    must(priority > LOG_CRIT, "nothing critical happens");
}

void log_audit_hold(const struct effects *out)
{
    (void)out;
}

void log_audit_release(void)
{
}

void log_audit_drop(void)
{
}

/* ---- up and down ----------------------------------------------------------------------------- */

static const char CONFIG[] =
    "settings: { admins = [\"erin\"]; require_comment = false; max_duration = \"4h\"; };\n"
    "host: { name = \"bastion-1\"; };\n"
    "identity: { loginuid = \"check\"; };\n"
    "sessions: { cgroup = \"off\"; grace = \"1s\"; };\n"
    "eligibility = ( { name = \"sre\"; who = [\"@sre\", \"bob\"]; targets = [\"host:*/*\"];\n"
    "    max_duration = \"2h\"; } );\n"
    "approvers = ( { name = \"leads\"; who = [\"@leads\"]; targets = [\"host:*/*\"]; } );\n";

static char rig_dir[64], rig_config[96];

static void rig_path(char *out, size_t cap, const char *name)
{
    snprintf(out, cap, "%s/%s", rig_dir, name);
}

static void rig_remove(void)
{
    static const char *const NAMES[] = {"store/data.mdb", "store/lock.mdb", "store",
                                        "lock",           "gate.sock",      "control.sock"};
    char path[128];

    for (size_t i = 0; i < sizeof NAMES / sizeof NAMES[0]; i++) {
        rig_path(path, sizeof path, NAMES[i]);
        remove(path);
    }
}

static void rig_remove_all(void)
{
    rig_remove();
    unlink(rig_config);
    rmdir(rig_dir);
}

static void rig_make(void)
{
    FILE *f;

    if (rig_dir[0] != '\0')
        return;
    snprintf(rig_dir, sizeof rig_dir, "/dev/shm/team-fuzz-XXXXXX");
    must(mkdtemp(rig_dir) != NULL, "there is a directory");
    rig_path(rig_config, sizeof rig_config, "team.conf");
    f = fopen(rig_config, "w");
    must(f && fputs(CONFIG, f) >= 0 && fclose(f) == 0, "there is a configuration");
    atexit(rig_remove_all);
}

/* Everything that is there to be done now. */
static void rig_settle(void)
{
    unsigned turns = 0;

    while (sd_event_run(teamd.loop, 0) > 0 || answer_one())
        must(++turns < 100000, "teamd comes to rest");
}

/* As prepare() of prepare.c and begin() of main.c, without signals and privileges. */
static void rig_up(void)
{
    struct teamd *t = &teamd;
    char path[128];

    rig_make();
    memset(t, 0, sizeof *t);
    t->options = (struct options){rig_config, rig_dir, rig_dir, "team", false};
    t->uid = geteuid();
    clock_now = (struct now){{FAR_US}, {FAR_US}};
    last_id = 0;
    sockets = (struct sockets){-1, -1, -1};
    must(sd_event_new(&t->loop) >= 0 && people_new(t->loop, 0, 0, &t->people) == 0, "a loop");
    rig_path(path, sizeof path, "gate.sock");
    must(ipc_socket_make(path, 0600, &sockets.gate) == 0, "a socket");
    rig_path(path, sizeof path, "control.sock");
    must(ipc_socket_make(path, 0666, &sockets.control) == 0, "a socket");
    t->budget = budget_new();
    must(t->budget && turn_new(t) >= 0 && query_new(t) >= 0 && link_new(t) >= 0 &&
             sessions_new(t) >= 0 && open_world(t, "bastion-1") == 0 &&
             ipc_new(t->loop, &HANDLERS, t, &t->ipc) == 0 && reload_begin(t, ready, t) >= 0,
         "teamd starts");
    rig_settle();
    must(t->world.policy != NULL, "teamd is ready");
}

static void rig_down(void)
{
    turn_run(&teamd);
    finish(&teamd);
    rig_remove();
}
