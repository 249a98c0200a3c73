#include "pam.h"

#include <errno.h>
#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include "doctor.h"
#include "when.h"

/* clang-format off */
const struct pam_host PAM_HOSTS[PAM_SERVICES_MAX] = {
    /*                usual  account session root passes  by login */
    { "sudo",         true,  true,   true,   true,        false },
    { "sudo-i",       true,  true,   true,   true,        false },
    { "su",           false, true,   true,   true,        false },
    { "su-l",         false, true,   true,   true,        false },
    { "runuser",      false, false,  true,   true,        false },
    { "runuser-l",    false, false,  true,   true,        false },
    { "sshd",         false, true,   false,  false,       true  },
    { "login",        false, true,   false,  true,        true  },
    { "polkit-1",     false, true,   false,  false,       false },
};
/* clang-format on */

/* ---- what they share --------------------------------------------------------------------------
 */

bool pam_is_root(const struct call *c)
{
    if (geteuid() == 0)
        return true;
    complain(c, NULL, "only root can do that; run: sudo teamctl %s", c->verb->name);
    return false;
}

static int pick_one(const struct call *c, const char *name, bool picked[static PAM_SERVICES_MAX])
{
    char all[256] = "";
    struct text t = text_over(all, sizeof all);

    for (size_t i = 0; i < PAM_SERVICES_MAX; i++) {
        if (strcmp(PAM_HOSTS[i].name, name) == 0) {
            picked[i] = true;
            return TEAM_DONE;
        }
        text_put(&t, i > 0 ? ", " : "");
        text_put(&t, PAM_HOSTS[i].name);
    }
    complain(c, name, "it is none of %s; for others see pam_team(8)", all);
    return TEAM_USAGE;
}

int pam_pick(const struct call *c, bool (*usual)(void *ctx, const struct pam_host *h), void *ctx,
             bool picked[static PAM_SERVICES_MAX])
{
    int r = TEAM_DONE;

    for (size_t i = 0; i < PAM_SERVICES_MAX; i++)
        picked[i] = c->n_services == 0 && usual(ctx, &PAM_HOSTS[i]);
    for (size_t i = 0; r == TEAM_DONE && i < c->n_services; i++)
        r = pick_one(c, c->services[i], picked);
    return r;
}

const char *pam_why(int error)
{
    switch (error) {
    case -ELOOP:
        return "it is a symbolic link, and what it leads to is not teamctl's to change; put the "
               "lines of pam_team(8) there by hand";
    case -EISDIR:
        return "it is no file";
    case -EPERM:
        return "others than root could change it, or it is immutable; look at it with ls -l and "
               "lsattr";
    case -EFBIG:
        return "it is too large to be a PAM configuration";
    case -ESTALE:
        return "somebody else has changed it at this moment; look at it, and run this again";
    case -EBUSY:
    case -EXDEV:
        return "something is mounted there; change what it comes from by hand";
    case -EINPROGRESS:
        return "it is changed, but not safely on the disk";
    case -ETIMEDOUT:
        return "the time was over before it was done";
    default:
        return strerror(-error);
    }
}

int pam_open(const struct call *c, bool make, struct pam_dir *ret)
{
    int r = pam_dir_open(PAM_DIR, make, ret);

    if (r == 0)
        return TEAM_DONE;
    complain(c, NULL, "%s: %s; nothing was changed",
             make ? PAM_DIR " or " PAM_KEEP " in it" : PAM_DIR, pam_why(r));
    return TEAM_FAILED;
}

int pam_lock(const struct call *c, const struct pam_dir *d)
{
    enum { PATIENCE_S = 5 };
    int r = d->keep < 0 ? 0 : pam_dir_lock(d, PATIENCE_S);

    if (r == 0)
        return TEAM_DONE;
    complain(c, NULL, "%s; nothing was changed",
             r == -EBUSY ? "another teamctl pam is at work" : pam_why(r));
    return r == -EBUSY ? TEAM_WRONG_STATE : TEAM_FAILED;
}

void pam_put_until(char *out, size_t cap, const struct pending *p)
{
    time_t until = time(NULL) + pending_left_us(p) / 1000000;
    struct tm tm;

    if (!localtime_r(&until, &tm) || strftime(out, cap, "%H:%M:%S", &tm) == 0)
        out[0] = '\0';
}

void pam_put_services(char *out, size_t cap, const struct pending *p)
{
    struct text t = text_over(out, cap);

    for (size_t i = 0; i < p->n_services; i++) {
        text_put(&t, i > 0 ? ", " : "");
        text_put(&t, p->services[i]);
    }
}

void pam_say_given(const struct call *c, const char *service, int given)
{
    if (given == PAM_GIVEN_BACK)
        remark(c, "%s: the original is back, byte by byte", service);
    else if (given == PAM_NOT_THERE)
        remark(c, "%s: there is nothing to take out", service);
    else if (given == PAM_TAKEN_OUT)
        remark(c, "%s: the lines of pam_team.so are taken out, and nothing else", service);
    else
        complain(c, service, "%s", pam_why(given));
}

static void say_kept(const struct call *c, const char *service, const char *why)
{
    remark(c, "%s: %s; what it was before is kept: " PAM_DIR "/" PAM_KEEP "/%s.kept", service, why,
           service);
}

void pam_say_undone(void *ctx, const char *service, int given)
{
    const struct call *c = ctx;

    if (pam_is_replaced(given)) {
        say_kept(c, service, "it is no file any more, and left alone");
        return;
    }
    pam_say_given(c, service, given);
    if (given == PAM_TAKEN_OUT)
        say_kept(c, service, "it was changed since the installation");
}

/* The installation that waits; TEAM_DONE, or an exit code after a complaint. */
static int read_pending(const struct call *c, const struct pam_dir *d, struct pending *p)
{
    int r = pending_read(d, p);

    if (r == 0)
        return TEAM_DONE;
    if (r == -ENOENT) {
        complain(c, NULL,
                 "nothing waits for a confirmation; what there is, shows: teamctl pam status");
        return TEAM_WRONG_STATE;
    }
    complain(c, NULL, "%s cannot be read: %s; look at it, remove it, and run: teamctl pam remove",
             PAM_DIR "/" PAM_KEEP "/pending", r == -EBADMSG ? "it is garbled" : strerror(-r));
    return TEAM_FAILED;
}

static int undo_now(struct call *c, const struct pam_dir *d, const struct pending *p)
{
    int r = pam_undo_all(d, p, pam_say_undone, c);

    if (r == 0)
        return TEAM_DONE;
    complain(c, NULL,
             "not all could be taken back: %s; it is tried again as long as this host runs",
             strerror(-r));
    return TEAM_FAILED;
}

/* ---- confirm, undo ----------------------------------------------------------------------------
 */

/* Did the installation get to its end? */
static bool is_whole(const struct pam_dir *d, const struct pending *p)
{
    bool whole = true;

    for (size_t i = 0; whole && i < p->n_services; i++) {
        struct pam_text text = {.at = NULL};

        whole = pam_file_is_kept(d, p->services[i]) &&
                pam_file_look(d, p->services[i], &text) == 0 && pam_is_marked(&text);
        pam_unload(&text);
    }
    return whole;
}

static int confirm(struct call *c, const struct pam_dir *d, const struct pending *p)
{
    const char *why = pending_refuses(p);
    char services[256], until[32];
    int r;

    if (pending_is_due(p)) {
        undo_now(c, d, p);
        complain(c, NULL, "it is too late: the time is over");
        return TEAM_WRONG_STATE;
    }
    pam_put_services(services, sizeof services, p);
    pam_put_until(until, sizeof until, p);
    if (why) {
        complain(c, NULL, "%s; log in anew, before %s, and run it there: sudo teamctl pam confirm",
                 why, until);
        return TEAM_REFUSED;
    }
    if (!is_whole(d, p)) {
        complain(c, NULL,
                 "the installation has not come to its end, or was changed since; take it back, "
                 "and begin anew: teamctl pam undo");
        return TEAM_WRONG_STATE;
    }
    r = pending_remove(d);
    if (r < 0) {
        complain(c, NULL, "%s: not confirmed", strerror(-r));
        return TEAM_FAILED;
    }
    remark(c, "confirmed: %s stay%s behind the gate", services, p->n_services == 1 ? "s" : "");
    return TEAM_DONE;
}

/* Does it to what waits, under the lock. */
static int with_pending(struct call *c, int (*what)(struct call *c, const struct pam_dir *d,
                                                    const struct pending *p))
{
    struct pam_dir d;
    struct pending p;
    int r;

    if (!pam_is_root(c))
        return TEAM_REFUSED;
    r = pam_open(c, false, &d);
    if (r != TEAM_DONE)
        return r;
    r = pam_lock(c, &d);
    if (r == TEAM_DONE)
        r = read_pending(c, &d, &p);
    if (r == TEAM_DONE)
        r = what(c, &d, &p);
    pam_dir_close(&d);
    return r;
}

int verb_pam_confirm(struct call *c)
{
    return with_pending(c, confirm);
}

int verb_pam_undo(struct call *c)
{
    return with_pending(c, undo_now);
}

int verb_pam_guard(struct call *c)
{
    if (!pam_is_root(c))
        return TEAM_REFUSED;
    pam_guard();
    return TEAM_DONE;
}

/* ---- remove -----------------------------------------------------------------------------------
 */

static bool has_ours(void *ctx, const struct pam_host *h)
{
    const struct pam_dir *d = ctx;
    struct pam_text text = {.at = NULL};
    bool ours = pam_file_look(d, h->name, &text) == 0 && pam_names_us(&text);

    pam_unload(&text);
    return ours || pam_file_is_kept(d, h->name);
}

/* Somebody had lines of ours there before we came: they are theirs. */
static int look_for_rest(struct call *c, const struct pam_text *now, const char *service)
{
    if (!pam_names_us(now))
        return TEAM_DONE;
    complain(c, service,
             "pam_team.so is still named there, in a line that is older than the installation; "
             "take it out by hand before the module goes");
    return TEAM_FAILED;
}

static int remove_one(struct call *c, const struct pam_dir *d, const char *service)
{
    struct pam_text before = {.at = NULL}, after = {.at = NULL};
    bool original = pam_file_is_kept(d, service);
    int given, r;

    pam_file_look(d, service, &before);
    given = pam_file_give_back(d, service, false);
    pam_file_look(d, service, &after);
    if (before.at && after.at && !pam_same(&before, &after))
        diff_put(c, service, &before, &after);
    out_flush(c->out);
    pam_say_given(c, service, given);
    if (given == PAM_TAKEN_OUT && original)
        say_kept(c, service, "it was changed since the installation");
    else if (given == PAM_TAKEN_OUT)
        remark(c, "%s: teamctl did not put them there, and has no original", service);
    r = given < 0 ? TEAM_FAILED : after.at ? look_for_rest(c, &after, service) : TEAM_DONE;
    pam_unload(&before);
    pam_unload(&after);
    return r;
}

static int remove_all(struct call *c, const struct pam_dir *d, const bool picked[PAM_SERVICES_MAX])
{
    char question[512] = "";
    struct text t = text_over(question, sizeof question);
    int first = TEAM_DONE;

    text_put(&t, "Take the gate out of ");
    for (size_t i = 0; i < PAM_SERVICES_MAX; i++)
        if (picked[i]) {
            text_put(&t, question[t.len - 1] == ' ' ? "" : ", ");
            text_put(&t, PAM_HOSTS[i].name);
        }
    if (question[t.len - 1] == ' ') {
        remark(c, "there is nothing to remove: no service has lines of pam_team.so in its file");
        return TEAM_DONE;
    }
    text_put(&t, "?");
    if (!says_yes(c, question)) {
        complain(c, NULL, "nothing was changed");
        return TEAM_FAILED;
    }
    for (size_t i = 0; i < PAM_SERVICES_MAX; i++) {
        int r = picked[i] ? remove_one(c, d, PAM_HOSTS[i].name) : TEAM_DONE;

        if (first == TEAM_DONE)
            first = r;
    }
    return first;
}

int verb_pam_remove(struct call *c)
{
    bool picked[PAM_SERVICES_MAX];
    struct pam_dir d;
    struct pending p;
    int r;

    if (!pam_is_root(c))
        return TEAM_REFUSED;
    r = pam_open(c, true, &d);
    if (r != TEAM_DONE)
        return r;
    r = pam_pick(c, has_ours, &d, picked);
    if (r == TEAM_DONE)
        r = pam_lock(c, &d);
    if (r == TEAM_DONE && pending_read(&d, &p) == 0) {
        complain(c, NULL,
                 "an installation waits for its confirmation; take it back first: teamctl "
                 "pam undo");
        r = TEAM_WRONG_STATE;
    }
    if (r == TEAM_DONE)
        r = remove_all(c, &d, picked);
    pam_dir_tidy(&d);
    pam_dir_close(&d);
    return r;
}

/* ---- status -----------------------------------------------------------------------------------
 */

struct standing {
    const char *state;
    char note[FIX_CAP];
    char arguments[240]; /* of the module, in the account stack */
    bool original;
    int64_t left_us; /* of an installation that waits; < 0: it does not */
};

static void hear(void *ctx, enum grade grade, const char *what, const char *fix)
{
    struct standing *s = ctx;

    (void)fix;
    if (grade == GRADE_OK || s->note[0] != '\0')
        return;
    if (grade == GRADE_BAD)
        s->state = "unsound";
    snprintf(s->note, sizeof s->note, "%s", what);
}

static bool is_pending(const struct pending *p, const char *service)
{
    for (size_t i = 0; i < p->n_services; i++)
        if (strcmp(p->services[i], service) == 0)
            return true;
    return false;
}

static bool names_us(const struct pam_service *s)
{
    for (size_t t = 0; t < PAM_TYPES; t++)
        for (size_t i = 0; i < s->stacks[t].n; i++)
            if (pam_is_ours(&s->stacks[t].items[i]))
                return true;
    return false;
}

static void copy_arguments(const struct pam_stack *stack, struct standing *s)
{
    size_t i = 0;

    while (i < stack->n && !pam_is_ours(&stack->items[i]))
        i++;
    if (i < stack->n)
        snprintf(s->arguments, sizeof s->arguments, "%.200s", stack->items[i].arguments);
}

static void stand(const struct pam_dir *d, const struct pending *p, const struct pam_host *h,
                  struct standing *s)
{
    struct pam_service service = {.error = 0};
    struct doctor doctor = {.hear = hear, .ctx = s};

    *s = (struct standing){.state = "open", .left_us = -1};
    pam_read(h->name, &service);
    s->original = pam_file_is_kept(d, h->name);
    if (service.error == -ENOENT && strcmp(service.unread + sizeof PAM_DIR, h->name) == 0) {
        s->state = "absent";
    } else if (service.error < 0) {
        s->state = "unsound";
        snprintf(s->note, sizeof s->note, "it wants %.300s: %s", service.unread,
                 strerror(-service.error));
    } else if (names_us(&service)) {
        s->state = "gated";
        copy_arguments(&service.stacks[PAM_ACCOUNT], s);
        doctor_service(&doctor, h->name, &service);
    }
    if (is_pending(p, h->name)) {
        s->state = "unconfirmed";
        s->left_us = pending_left_us(p);
        if (!pending_is_watched(d))
            snprintf(s->note, sizeof s->note, "nobody watches it; take it back: teamctl pam undo");
    }
    pam_free(&service);
}

static void put_standing(struct call *c, struct render *render, const struct pam_host *h,
                         const struct standing *s)
{
    static char packet[TEAM_PACKET_MAX];
    struct wire_out w = wire_begin(packet, sizeof packet, TEAM_ROWS, 0);
    char original[PATH_CAP];
    size_t len;

    wire_put(&w, TEAM_SERVICE, h->name);
    wire_put(&w, TEAM_STATE, s->state);
    if (s->left_us >= 0)
        wire_put_u64(&w, TEAM_UNTIL, (uint64_t)(c->look.now_us + s->left_us));
    snprintf(original, sizeof original, PAM_DIR "/" PAM_KEEP "/%s.old", h->name);
    if (s->original)
        wire_put(&w, TEAM_VALUE, original);
    if (s->note[0] != '\0')
        wire_put(&w, TEAM_TEXT, s->note);
    if (s->arguments[0] != '\0')
        wire_put(&w, TEAM_LABEL, s->arguments);
    len = wire_finish(&w);
    if (len > 0)
        render_row(render, (struct wire_span){packet + TEAM_HEADER_LEN, len - TEAM_HEADER_LEN});
}

static bool any_host(void *ctx, const struct pam_host *h)
{
    (void)ctx;
    (void)h;
    return true;
}

int verb_pam_status(struct call *c)
{
    bool picked[PAM_SERVICES_MAX];
    struct pending p = {.n_services = 0};
    struct standing s;
    struct render render;
    struct pam_dir d;
    int r, waits;

    if (!pam_is_root(c))
        return TEAM_REFUSED;
    r = pam_pick(c, any_host, NULL, picked);
    if (r == TEAM_DONE)
        r = pam_open(c, false, &d);
    if (r != TEAM_DONE)
        return r;
    waits = pending_read(&d, &p);
    r = waits == 0 || waits == -ENOENT ? TEAM_DONE : read_pending(c, &d, &p);
    render_begin(&render, &PAM_ROWS, &c->look, c->out);
    for (size_t i = 0; i < PAM_SERVICES_MAX; i++)
        if (picked[i]) {
            stand(&d, &p, &PAM_HOSTS[i], &s);
            put_standing(c, &render, &PAM_HOSTS[i], &s);
        }
    render_end(&render, true);
    pam_dir_close(&d);
    return r;
}
