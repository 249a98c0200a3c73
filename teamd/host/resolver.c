/* A resolver: the process that asks NSS, and may hang in it. What it must never do is turn a
 * failure of the database into "there is no such person" or "not a member". */
#include "host/resolver.h"

#include <team/text.h>

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/* NSS_BUFFER_MAX holds a group of 50,000 members. LISTING_MAX: accounts that are looked through for
 * primary members and names of a uid; what comes after them is still found by name. */
enum { NSS_BUFFER_MIN = 16384, NSS_BUFFER_MAX = 8 << 20, LISTING_MAX = 1 << 17 };

/* A group that nobody has: asking for it shows whether the group database answers at all. */
#define PROBE_GROUP "team-probe-no-such-group"

struct buffer {
    char *at;
    size_t size;
};

struct resolver {
    int fd;
    uint64_t serial;
    uint64_t spoke_at; /* when the last packet was sent */
    struct buffer account, group;
    struct packet out;
};

bool resolver_name_fits(const char *name, size_t cap)
{
    size_t n = strnlen(name, cap);

    return n < cap && text_is_name(name, n);
}

static void set_name(struct name *to, const char *name)
{
    memset(to, 0, sizeof *to);
    memcpy(to->text, name, strnlen(name, NAME_CAP - 1));
}

/* ---- talking to teamd ------------------------------------------------------------------------ */

static size_t packet_size(const struct packet *p, size_t entry)
{
    return offsetof(struct packet, gids) + p->count * entry;
}

/* Whatever is wrong with the socket means that teamd does not want this resolver any more. */
static void speak(struct resolver *r, size_t entry)
{
    ssize_t n;

    r->out.serial = r->serial;
    do
        n = send(r->fd, &r->out, packet_size(&r->out, entry), MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        _exit(0);
    r->spoke_at = monotonic_us();
    r->out.count = 0;
}

/* Between two calls of NSS: teamd counts its patience from the last packet. */
static void keep_in_touch(struct resolver *r)
{
    if (monotonic_us() - r->spoke_at > RESOLVER_SILENCE_US)
        speak(r, sizeof r->out.members[0]);
}

static void put_member(struct resolver *r, const struct member *m)
{
    r->out.members[r->out.count++] = *m;
    if (r->out.count == MEMBERS_PER_PACKET)
        speak(r, sizeof *m);
}

/* ---- NSS ------------------------------------------------------------------------------------- */

static int buffer_grow(struct buffer *b)
{
    size_t size = b->size ? b->size * 2 : NSS_BUFFER_MIN;
    char *at;

    if (size > NSS_BUFFER_MAX)
        return -E2BIG;
    at = realloc(b->at, size);
    if (!at)
        return -ENOMEM;
    *b = (struct buffer){.at = at, .size = size};
    return 0;
}

/* What a getXbyY_r call said: 0 found, 1 call again with more room, -ENOENT positively nothing,
 * else a failure. Only 0 without a result is "no such entry"; glibc returns other numbers, ENOENT
 * among them, when a service could not be asked. */
static int verdict(int error, const void *found, struct buffer *b)
{
    if (error == ERANGE) {
        int r = buffer_grow(b);

        return r < 0 ? r : 1;
    }
    if (error == 0)
        return found ? 0 : -ENOENT;
    return error == ENOENT ? -EIO : -error;
}

static int account_by_uid(struct resolver *r, uid_t uid, struct passwd *ret)
{
    struct passwd *found;
    int v;

    do {
        int error = getpwuid_r(uid, ret, r->account.at, r->account.size, &found);

        v = verdict(error, found, &r->account);
    } while (v == 1);
    return v;
}

static int account_by_name(struct resolver *r, const char *name, struct passwd *ret)
{
    struct passwd *found;
    int v;

    do {
        int error = getpwnam_r(name, ret, r->account.at, r->account.size, &found);

        v = verdict(error, found, &r->account);
    } while (v == 1);
    return v;
}

static int group_by_name(struct resolver *r, const char *name, struct group *ret)
{
    struct group *found;
    int v;

    do {
        int error = getgrnam_r(name, ret, r->group.at, r->group.size, &found);

        v = verdict(error, found, &r->group);
    } while (v == 1);
    return v;
}

/* ---- one account ----------------------------------------------------------------------------- */

static void add_gids(struct resolver *r, const gid_t *gids, size_t n, int *error)
{
    for (size_t i = 0; i < n; i++) {
        uint32_t k = 0;

        while (k < r->out.count && r->out.gids[k] != gids[i])
            k++;
        if (k < r->out.count)
            continue;
        if (r->out.count == PEOPLE_GROUPS_MAX) {
            *error = -E2BIG;
            return;
        }
        r->out.gids[r->out.count++] = gids[i];
    }
}

static int add_groups_of(struct resolver *r, const char *name, gid_t primary)
{
    gid_t gids[PEOPLE_GROUPS_MAX];
    int n = PEOPLE_GROUPS_MAX, error = 0;

    if (getgrouplist(name, primary, gids, &n) < 0)
        return -E2BIG;
    add_gids(r, gids, (size_t)n, &error);
    return error;
}

/* getgrouplist() leaves out the groups of a service that could not be asked, and says nothing of
 * it. So it is believed only if the same services answer a question that can fail. */
static int check_groups_answer(struct resolver *r)
{
    struct group group;
    int v = group_by_name(r, PROBE_GROUP, &group);

    return v == -ENOENT ? 0 : v;
}

static int add_alias(struct resolver *r, uint32_t uid, const char *alias)
{
    struct passwd pw;
    int v = account_by_name(r, alias, &pw);

    if (v == -ENOENT || (v == 0 && pw.pw_uid != uid))
        return 0;
    return v < 0 ? v : add_groups_of(r, alias, pw.pw_gid);
}

/* Groups of the account that the uid leads to, and of its other names. */
static int put_account(struct resolver *r, const struct ask *ask, uint32_t uid)
{
    struct passwd pw;
    int v = account_by_uid(r, uid, &pw);

    if (v < 0)
        return v;
    if (!resolver_name_fits(pw.pw_name, NAME_CAP) || pw.pw_uid != uid)
        return -ENOENT;
    r->out.id = uid;
    set_name(&r->out.name, pw.pw_name);
    v = add_groups_of(r, r->out.name.text, pw.pw_gid);
    if (v == 0 && ask->op == RESOLVE_NAME && strcmp(ask->name, r->out.name.text) != 0)
        v = add_alias(r, uid, ask->name);
    for (size_t i = 0; v == 0 && i < ALIASES_PER_ASK && ask->aliases[i].text[0]; i++)
        v = add_alias(r, uid, ask->aliases[i].text);
    return v < 0 ? v : check_groups_answer(r);
}

static int answer_account(struct resolver *r, const struct ask *ask)
{
    uint32_t uid = ask->uid;

    if (ask->op == RESOLVE_NAME) {
        struct passwd pw;
        int v = account_by_name(r, ask->name, &pw);

        if (v < 0)
            return v;
        uid = pw.pw_uid;
    }
    return uid == NOBODY ? -ENOENT : put_account(r, ask, uid);
}

/* ---- one group ------------------------------------------------------------------------------- */

/* What the account database lists, in its order. */
struct entry {
    uint32_t uid, gid;
    uint32_t place;
    struct name name;
};

struct walk {
    struct entry *entries; /* by uid, then by place: the first of a uid is what the uid leads to */
    size_t n, cap;
    const char **names; /* of the group, sorted */
    bool *seen;         /* which of them were listed */
    size_t n_names;
    uint32_t gid;
    uint32_t room; /* members that may still be sent */
};

static int compare_entries(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;

    if (x->uid != y->uid)
        return x->uid < y->uid ? -1 : 1;
    return (x->place > y->place) - (x->place < y->place);
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int add_entry(struct walk *l, const struct passwd *pw)
{
    if (!resolver_name_fits(pw->pw_name, NAME_CAP) || pw->pw_uid == NOBODY)
        return 0;
    if (l->n == l->cap) {
        size_t cap = l->cap ? l->cap * 2 : 256;
        struct entry *grown = reallocarray(l->entries, cap, sizeof *grown);

        if (!grown)
            return -ENOMEM;
        l->entries = grown;
        l->cap = cap;
    }
    l->entries[l->n] = (struct entry){pw->pw_uid, pw->pw_gid, (uint32_t)l->n, {""}};
    set_name(&l->entries[l->n++].name, pw->pw_name);
    return 0;
}

/* Large directories don't let themselves be listed at all, and say so by an empty list. */
static int list_accounts(struct resolver *r, struct walk *l)
{
    int v = 0;

    setpwent();
    while (v == 0 && l->n < LISTING_MAX) {
        struct passwd pw, *found = NULL;
        int error = getpwent_r(&pw, r->account.at, r->account.size, &found);

        if (error == ENOENT)
            break;
        v = error == ERANGE ? buffer_grow(&r->account) : error ? -error : add_entry(l, &pw);
        keep_in_touch(r);
    }
    endpwent();
    if (v == 0 && l->n > 0)
        qsort(l->entries, l->n, sizeof *l->entries, compare_entries);
    return v;
}

static int take_names(struct walk *l, char *const *members)
{
    size_t n = 0;

    while (members[n])
        n++;
    l->names = calloc(n + 1, sizeof *l->names);
    l->seen = calloc(n + 1, sizeof *l->seen);
    if (!l->names || !l->seen)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++)
        if (resolver_name_fits(members[i], NAME_CAP))
            l->names[l->n_names++] = members[i];
    qsort(l->names, l->n_names, sizeof *l->names, compare_names);
    return 0;
}

static void send_member(struct resolver *r, struct walk *l, uint32_t uid, const char *by_uid,
                        const char *name)
{
    struct member m = {.uid = uid};

    if (l->room == 0)
        return;
    l->room--;
    set_name(&m.name, by_uid);
    if (strcmp(by_uid, name) != 0)
        set_name(&m.alias, name);
    put_member(r, &m);
}

static void send_listed(struct resolver *r, struct walk *l)
{
    const struct entry *first = NULL;

    for (size_t i = 0; i < l->n; i++) {
        const struct entry *e = &l->entries[i];
        const char *name = e->name.text;
        const char **hit = bsearch(&name, l->names, l->n_names, sizeof *l->names, compare_names);

        if (!first || first->uid != e->uid)
            first = e;
        if (hit)
            l->seen[hit - l->names] = true;
        if (hit || e->gid == l->gid)
            send_member(r, l, e->uid, first->name.text, name);
    }
}

/* A name of the group that no list of accounts showed. A name without an account is nobody. */
static int send_unlisted(struct resolver *r, struct walk *l, const char *name)
{
    struct passwd pw;
    uint32_t uid;
    int v = account_by_name(r, name, &pw);

    if (v < 0)
        return v == -ENOENT ? 0 : v;
    uid = pw.pw_uid;
    if (uid == NOBODY)
        return 0;
    v = account_by_uid(r, uid, &pw);
    if (v < 0)
        return v == -ENOENT ? 0 : v;
    if (resolver_name_fits(pw.pw_name, NAME_CAP))
        send_member(r, l, uid, pw.pw_name, name);
    return 0;
}

static int send_members(struct resolver *r, struct walk *l, const struct group *group)
{
    int v = take_names(l, group->gr_mem);

    if (v == 0)
        v = list_accounts(r, l);
    if (v < 0)
        return v;
    send_listed(r, l);
    for (size_t i = 0; v == 0 && l->room > 0 && i < l->n_names; i++) {
        if (l->seen[i] || (i > 0 && strcmp(l->names[i], l->names[i - 1]) == 0))
            continue;
        v = send_unlisted(r, l, l->names[i]);
        keep_in_touch(r);
    }
    return v;
}

static int answer_group(struct resolver *r, const struct ask *ask)
{
    struct walk l = {.room = PEOPLE_MEMBERS_MAX};
    struct group group;
    int v = group_by_name(r, ask->name, &group);

    if (v < 0)
        return v;
    r->out.id = l.gid = group.gr_gid;
    v = send_members(r, &l, &group);
    free(l.entries);
    free(l.names);
    free(l.seen);
    return v;
}

/* ---- the life of a resolver ------------------------------------------------------------------ */

static void answer(struct resolver *r, const struct ask *ask)
{
    bool group = ask->op == RESOLVE_GROUP;

    memset(&r->out, 0, sizeof r->out);
    r->serial = ask->serial;
    r->spoke_at = monotonic_us();
    r->out.error = group ? answer_group(r, ask) : answer_account(r, ask);
    r->out.last = true;
    if (r->out.error < 0)
        r->out.count = 0;
    speak(r, group ? sizeof r->out.members[0] : sizeof r->out.gids[0]);
}

_Noreturn void resolver_run(int fd)
{
    static struct resolver r;

    r.fd = fd;
    if (buffer_grow(&r.account) < 0 || buffer_grow(&r.group) < 0)
        _exit(1);
    for (;;) {
        struct ask ask;
        ssize_t n = recv(fd, &ask, sizeof ask, 0);

        if (n < 0 && errno == EINTR)
            continue;
        if (n != sizeof ask) /* teamd is gone, or done with us */
            _exit(0);
        answer(&r, &ask);
    }
}
