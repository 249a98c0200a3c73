/* pam install: plan (nothing is changed), try (in a folder of its own), show, ask; and then change
 * one file after the other, with somebody watching who takes everything back. */
#include "pam.h"

#include "doctor.h"
#include "pam_try.h"

#include <errno.h>
#include <pwd.h>
#include <signal.h>
#include <unistd.h>

enum { WITHIN_S = 120, WITHIN_MAX_S = 3600 };

struct change {
    const struct pam_host *host;
    struct pam_text old, new;
};

struct install {
    struct call *c;
    struct pam_dir dir;
    char scratch[PAM_SCRATCH_CAP];
    uint64_t within_s;
    char arguments[PAM_ARGUMENTS_CAP]; /* of the module, where a person can be asked */
    size_t n;
    struct change changes[PAM_SERVICES_MAX];
    bool unsound; /* the doctor has complained */
};

/* ---- planning ---------------------------------------------------------------------------------
 */

static unsigned brings(void *ctx, const char *file, enum pam_type type)
{
    const struct install *in = ctx;
    struct pam_service s = {.dir = in->scratch};
    unsigned found = 0;

    pam_read(file, &s);
    if (s.stacks[type].n > 0)
        found = PAM_BRINGS_RULES;
    for (size_t i = 0; i < s.stacks[type].n; i++)
        if (pam_is_ours(&s.stacks[type].items[i]))
            found |= PAM_BRINGS_OURS;
    pam_free(&s);
    return found;
}

static void hear(void *ctx, enum grade grade, const char *what, const char *fix)
{
    struct install *in = ctx;

    if (grade == GRADE_OK)
        return;
    if (grade == GRADE_BAD)
        in->unsound = true;
    complain(in->c, NULL, "%s%s%s", what, fix ? "; " : "", fix ? fix : "");
}

/* The doctor looks at the service as it would be. */
static bool is_sound(struct install *in, const char *service)
{
    struct doctor d = {.hear = hear, .ctx = in};
    struct pam_service s = {.dir = in->scratch};

    pam_read(service, &s);
    if (s.error < 0) {
        complain(in->c, service, "it wants %s: %s", s.unread, strerror(-s.error));
        in->unsound = true;
    }
    doctor_service(&d, service, &s);
    pam_free(&s);
    return !in->unsound;
}

/* In sudo and su somebody waits at a terminal; the others ask nobody anything. */
static const char *arguments_for(const struct install *in, const struct pam_host *h)
{
    bool in_place = h->account && h->root_passes && !h->by_login;

    if (!in_place && in->arguments[0] != '\0')
        remark(in->c, "%s: nobody can be asked there, so \"%s\" is left out", h->name,
               in->arguments);
    return in_place ? in->arguments : "";
}

static int plan_place(struct install *in, struct change *ch)
{
    const struct pam_files files = {.brings = brings, .ctx = in};
    const char *service = ch->host->name, *arguments = arguments_for(in, ch->host);
    char why[PAM_WHY_CAP];
    int r = pam_place(&ch->old, ch->host->account, arguments, &files, &ch->new, why);

    if (r < 0) {
        complain(in->c, service, "%s", r == -EINVAL ? why : strerror(-r));
        return TEAM_FAILED;
    }
    if (r == 1) {
        r = pam_scratch_put(in->scratch, service, ch->new.at, ch->new.len);
        if (r < 0) {
            complain(in->c, service, "it cannot be tried in %s: %s", in->scratch, strerror(-r));
            return TEAM_FAILED;
        }
    }
    if (!is_sound(in, service)) {
        complain(in->c, service, "nothing was changed; put this right first");
        return TEAM_FAILED;
    }
    if (ch->new.at)
        in->n++;
    else
        remark(in->c, "%s: there is nothing to do; the gate is in it, or in what it includes%s",
               service,
               arguments[0] != '\0' ? "; its arguments stay: write others there, or run teamctl "
                                      "pam remove first"
                                    : "");
    return TEAM_DONE;
}

static int plan_one(struct install *in, const struct pam_host *h)
{
    struct change *ch = &in->changes[in->n];
    int r = pam_file_read(&in->dir, h->name, &ch->old);

    if (r == -ENOENT && in->c->n_services == 0 && strcmp(h->name, "sudo") != 0)
        return TEAM_DONE; /* there is no such thing here */
    if (r == -ENOENT) {
        complain(in->c, h->name,
                 "there is no " PAM_DIR "/%s; one in /usr/lib/pam.d has to be copied there first",
                 h->name);
        return TEAM_NOT_FOUND;
    }
    if (r < 0) {
        complain(in->c, h->name, PAM_DIR "/%s: %s", h->name, pam_why(r));
        return TEAM_FAILED;
    }
    ch->host = h;
    r = plan_place(in, ch);
    if (!ch->new.at)
        pam_unload(&ch->old);
    return r;
}

static bool is_usual(void *ctx, const struct pam_host *h)
{
    (void)ctx;
    return h->usual;
}

static int plan(struct install *in)
{
    bool picked[PAM_SERVICES_MAX];
    int r = pam_pick(in->c, is_usual, NULL, picked);

    for (size_t i = 0; r == TEAM_DONE && i < PAM_SERVICES_MAX; i++)
        if (picked[i])
            r = plan_one(in, &PAM_HOSTS[i]);
    return r;
}

/* ---- trying -----------------------------------------------------------------------------------
 */

/* Numbers of the PAM ABI, which this file does not see. */
enum { SUCCESS = 0, DENIED = 6 };

static struct pam_tried try_as(const struct pam_host *h, const char *dir, const char *user,
                               uid_t uid)
{
    const struct pam_trial t = {
        .dir = dir,
        .service = h->name,
        .user = user,
        .uid = h->by_login ? 0 : uid,
        .account = h->account,
        .session = h->session && uid == 0,
    };
    struct pam_tried tried;

    pam_try(&t, &tried);
    return tried;
}

/* What root could do before, root has to be able to do; but where the gate asks root for an
 * elevation too, it may say so. */
static bool try_root(struct install *in, const struct pam_host *h)
{
    struct pam_tried before = try_as(h, PAM_DIR, "root", 0);
    struct pam_tried after = try_as(h, in->scratch, "root", 0);

    if (after.code == before.code)
        return true;
    if (after.code == DENIED && !h->root_passes) {
        remark(in->c, "%s: root will be refused too, without an elevation or an exemption: %s",
               h->name, after.text);
        return true;
    }
    complain(in->c, h->name, "with the gate, root would be refused: %s (now: %s)", after.text,
             before.text);
    return false;
}

/* Somebody who is not root: it has to be the gate that answers, with whatever it says. Who installs
 * is told what becomes of them; when that is root alone, nobody is asked about. */
static bool try_somebody(struct install *in, const struct pam_host *h)
{
    uint64_t uid;
    const struct passwd *who = login_uid(&uid) && uid != 0 ? getpwuid((uid_t)uid) : NULL;
    bool me = who;
    struct pam_tried before, tried;

    who = who ? who : getpwnam("nobody");
    if (!h->account || !who)
        return true;
    before = try_as(h, PAM_DIR, who->pw_name, who->pw_uid);
    tried = try_as(h, in->scratch, who->pw_name, who->pw_uid);
    if (tried.code == SUCCESS && !me)
        remark(in->c, "%s: the user nobody would pass; is everybody exempt?", h->name);
    if (tried.code == DENIED && me)
        remark(in->c, "%s: you, %s, would be refused: %s", h->name, who->pw_name, tried.text);
    if (tried.code == SUCCESS || tried.code == DENIED || tried.code == before.code)
        return true;
    complain(in->c, h->name, "the gate does not answer, so the user %s would be refused: %s",
             who->pw_name, tried.text);
    return false;
}

static int try_all(struct install *in)
{
    bool good = true;

    for (size_t i = 0; good && i < in->n; i++)
        good = try_root(in, in->changes[i].host) && try_somebody(in, in->changes[i].host);
    if (!good)
        complain(in->c, NULL,
                 "nothing was changed; does teamd run? teamctl doctor says what is wrong with it");
    return good ? TEAM_DONE : TEAM_FAILED;
}

/* Before anything is tried: without the module everything would be refused, for a reason that PAM
 * does not tell. */
static int look_for_module(struct call *c)
{
    char path[PATH_CAP];

    if (doctor_finds_module("pam_team.so", path))
        return TEAM_DONE;
    complain(c, NULL,
             "pam_team.so is not where libpam looks for its modules, so nobody would pass; make "
             "install puts it there; nothing was changed");
    return TEAM_FAILED;
}

/* ---- asking -----------------------------------------------------------------------------------
 */

static void say_services(const struct install *in, char *out, size_t cap)
{
    struct text t = text_over(out, cap);

    for (size_t i = 0; i < in->n; i++) {
        text_put(&t, i > 0 ? ", " : "");
        text_put(&t, in->changes[i].host->name);
    }
}

static int show(struct install *in)
{
    char services[256];

    for (size_t i = 0; i < in->n; i++)
        diff_put(in->c, in->changes[i].host->name, &in->changes[i].old, &in->changes[i].new);
    out_flush(in->c->out);
    say_services(in, services, sizeof services);
    remark(in->c,
           "%s: from now on only who has an active elevation, or is exempt in team.conf, gets "
           "through; whoever is to confirm it needs one of both",
           services);
    if (says_yes(in->c, "Change these files? Without a confirmation they are changed back."))
        return TEAM_DONE;
    complain(in->c, NULL, "nothing was changed");
    return TEAM_FAILED;
}

/* ---- changing ---------------------------------------------------------------------------------
 */

static void take_back(struct install *in, const struct pending *p)
{
    if (pam_undo_all(&in->dir, p, pam_say_undone, in->c) == 0)
        complain(in->c, NULL, "everything was taken back");
    else
        complain(in->c, NULL, "not all could be taken back; that is tried again and again");
}

/* Under the lock, and with the guard watching. Whoever took it back meanwhile - we may have been
 * stopped for long - was right to. */
static int change_all(struct install *in, const struct pending *p)
{
    struct pending now;

    for (size_t i = 0; i < in->n; i++) {
        const struct change *ch = &in->changes[i];
        int r = pam_file_switch(&in->dir, ch->host->name, &ch->old, &ch->new);

        if (r == 0 && pending_read(&in->dir, &now) < 0)
            r = -ETIMEDOUT;
        if (r < 0) {
            take_back(in, p);
            complain(in->c, ch->host->name, "%s", pam_why(r));
            return TEAM_FAILED;
        }
    }
    return TEAM_DONE;
}

static int begin(struct install *in, struct pending *p)
{
    int r = pending_begin(p, in->within_s);

    for (size_t i = 0; r == 0 && i < in->n; i++) {
        snprintf(p->services[p->n_services++], PAM_NAME_CAP, "%s", in->changes[i].host->name);
        r = pam_file_put_away(&in->dir, in->changes[i].host->name);
    }
    if (r == 0)
        r = pending_write(&in->dir, p);
    if (r < 0) {
        complain(in->c, NULL, PAM_DIR "/" PAM_KEEP ": %s; nothing was changed", pam_why(r));
        return TEAM_FAILED;
    }
    r = pam_guard_start(&in->dir);
    if (r == 0)
        return TEAM_DONE;
    pending_remove(&in->dir);
    complain(in->c, NULL, "there is nobody who would take it back (%s); nothing was changed",
             r == -ESRCH ? "team-pam-undo.service cannot be enabled and started; make install puts "
                           "it where systemd looks"
                         : "the guard does not begin to watch; the log may tell why");
    return TEAM_FAILED;
}

static int change(struct install *in, struct pending *p)
{
    sigset_t all, before;
    struct pending other;
    int r = pam_lock(in->c, &in->dir);

    if (r != TEAM_DONE)
        return r;
    if (pending_read(&in->dir, &other) != -ENOENT) {
        complain(
            in->c, NULL,
            "an installation waits for its confirmation already: teamctl pam confirm, or undo");
        return TEAM_WRONG_STATE;
    }
    r = begin(in, p);
    if (r != TEAM_DONE)
        return r;
    sigfillset(&all); /* no ^C, and no ^Z, in the middle */
    sigprocmask(SIG_BLOCK, &all, &before);
    r = change_all(in, p);
    sigprocmask(SIG_SETMASK, &before, NULL);
    return r;
}

/* ---- the verb ---------------------------------------------------------------------------------
 */

static int read_within(struct call *c, uint64_t *ret)
{
    const char *s = c->given[OPT_WITHIN];

    *ret = WITHIN_S;
    if (!s || (text_parse_duration(s, strlen(s), ret) && *ret <= WITHIN_MAX_S))
        return TEAM_DONE;
    complain(c, NULL, "--within: \"%s\" is not a duration of at most 1h; write 2m or 90s", s);
    return TEAM_USAGE;
}

static bool put_duration_of(struct call *c, struct text *t, const char *name, enum option option,
                            const char *usual)
{
    const char *value = c->given[option][0] != '\0' ? c->given[option] : usual;
    uint64_t s;

    if (!text_parse_duration(value, strlen(value), &s)) {
        complain(c, NULL, "--%s: \"%s\" is not a duration; write 5m or 1h", OPTIONS[option].name,
                 value);
        return false;
    }
    text_put(t, t->len > 0 ? " " : "");
    text_put(t, name);
    text_put(t, value);
    return true;
}

/* The module itself says whether it takes them. */
static int read_arguments(struct call *c, char out[static PAM_ARGUMENTS_CAP])
{
    char copy[PAM_ARGUMENTS_CAP];
    struct text t = text_over(out, PAM_ARGUMENTS_CAP);
    const char *wrong;

    if (c->given[OPT_PROMPT_FOR] && !c->given[OPT_PROMPT]) {
        complain(c, NULL, "--prompt-for says for how long --prompt asks; give that, too");
        return TEAM_USAGE;
    }
    if (c->given[OPT_WAIT] && !put_duration_of(c, &t, "wait=", OPT_WAIT, "5m"))
        return TEAM_USAGE;
    if (c->given[OPT_PROMPT])
        text_put(&t, t.len > 0 ? " prompt" : "prompt");
    if (c->given[OPT_PROMPT_FOR] && !put_duration_of(c, &t, "prompt_for=", OPT_PROMPT_FOR, ""))
        return TEAM_USAGE;
    memcpy(copy, out, sizeof copy);
    wrong = t.cut ? out : pam_wrong_argument(copy);
    if (!wrong)
        return TEAM_DONE;
    complain(c, NULL, "pam_team.so does not take \"%s\"%s; pam_team(8) has what it takes", wrong,
             strncmp(wrong, "wait=", 5) == 0 ? ", as 1h is the most" : "");
    return TEAM_USAGE;
}

static int install(struct install *in, struct pending *p)
{
    int r = plan(in);

    if (r == TEAM_DONE && in->n > 0)
        r = try_all(in);
    if (r == TEAM_DONE && in->n > 0)
        r = show(in);
    if (r != TEAM_DONE || in->n == 0)
        return r;
    pam_dir_close(&in->dir);
    r = pam_open(in->c, true, &in->dir);
    return r == TEAM_DONE ? change(in, p) : r;
}

int verb_pam_install(struct call *c)
{
    static struct install in;
    struct pending p = {.n_services = 0};
    char services[256], until[32];
    int r;

    if (!pam_is_root(c))
        return TEAM_REFUSED;
    in = (struct install){.c = c};
    r = read_within(c, &in.within_s);
    if (r == TEAM_DONE)
        r = read_arguments(c, in.arguments);
    if (r == TEAM_DONE)
        r = look_for_module(c);
    if (r == TEAM_DONE)
        r = pam_open(c, false, &in.dir);
    if (r != TEAM_DONE)
        return r;
    r = pam_scratch_make(in.scratch);
    if (r < 0) {
        complain(c, NULL, "there is no place in /run to try it: %s; nothing was changed",
                 strerror(-r));
        pam_dir_close(&in.dir);
        return TEAM_FAILED;
    }
    r = install(&in, &p);
    pam_scratch_remove(in.scratch);
    pam_dir_tidy(&in.dir);
    pam_dir_close(&in.dir);
    for (size_t i = 0; i < in.n; i++) {
        pam_unload(&in.changes[i].old);
        pam_unload(&in.changes[i].new);
    }
    if (r != TEAM_DONE || in.n == 0)
        return r;
    pam_put_services(services, sizeof services, &p);
    pam_put_until(until, sizeof until, &p);
    remark(c,
           "%s: behind the gate. At %s this is taken back, unless somebody gets through before, in "
           "another login than this one, and runs: sudo teamctl pam confirm",
           services, until);
    return TEAM_DONE;
}
