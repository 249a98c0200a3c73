/* A stage for tests of the core: a cast of people, policies that are written as lines of text, a
 * world, and a store that keeps what was committed. After every step it is checked that the world
 * agrees with itself, that it can be rebuilt from what was stored, and that what must not happen to
 * stored things does not.
 *
 * A policy, one rule a line:
 *     may NAME WHO[,WHO] TARGET[,TARGET] MAX [free]          eligibility; free: without approval
 *     rule NAME WHO[,WHO] TARGET[,TARGET] [quorum N] [mandatory] [of WHO[,WHO]]
 *     exempt WHO[,WHO] CLASS[,CLASS]
 *     admins WHO   auditors WHO   class NAME
 *     set max D | expiry D | approval no | ticket yes | comment no | loginuid check
 *     set grace D | warn D[,D]
 *     aws on | trust | name TEMPLATE | map USER NAME
 * and what AWS has, with @idc:GROUP as somebody; without an org it has not been read:
 *     aws org OWN MANAGEMENT
 *     aws unit ID NAME [PARENT]
 *     aws account ID NAME PARENT|- [suspended]
 *     aws set NAME SESSION [managed] [ID]
 *     aws user NAME [ID]
 *     aws group NAME USER[,USER] [ID]
 */
#pragma once

#include "core/engine.h"
#include "ipc/roll.h"

#include <team/text.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

/* ---- the cast ------------------------------------------------------------------------------- */

/* What the host's user database says: groups with a blank before and after each. Two names with one
 * uid are one person. Who is "hidden" cannot be looked up, and who is "unlisted" only by name. */
enum { CAST = 11, MEMBERSHIP_CAP = 64 };

struct member {
    const char *name;
    uint32_t uid;
    char groups[MEMBERSHIP_CAP];
};

static const struct member THE_CAST[CAST] = {
    {"root", 0, " "},         {"alice", 1001, " sre "},      {"alicia", 1001, " sre "},
    {"bob", 1002, " leads "}, {"carol", 1003, " leads "},    {"dave", 1004, " sre "},
    {"erin", 1005, " sec "},  {"frank", 1006, " security "}, {"grace", 1007, " admins "},
    {"mallory", 1008, " "},   {"ivan", 1009, " sec "},
};

#define STAGE_HOST "bastion-1"

/* ---- what is kept --------------------------------------------------------------------------- */

enum { KEPT_ERRANDS = 256 };
enum { KEPT_REQUESTS = 128, KEPT_SESSIONS = 1024, KEPT_DECISIONS = 512, TRAIL_ROWS = 1024 };

struct trail_row {
    char action[32], actor[NAME_CAP], outcome[16], target[AUDIT_TARGET_CAP],
        detail[AUDIT_DETAIL_CAP];
    struct id id;
};

struct kept_decision {
    struct id id;
    uint16_t number;
    uint8_t about;
    bool approved;
    uint32_t uid;
};

struct store_model {
    size_t n_requests, n_sessions, n_decisions, n_errands;
    struct request requests[KEPT_REQUESTS];
    struct session sessions[KEPT_SESSIONS];
    struct kept_decision decisions[KEPT_DECISIONS];
    struct errand errands[KEPT_ERRANDS];
    size_t n_trail; /* of the step before only */
    struct trail_row trail[TRAIL_ROWS];
    size_t n_acts; /* of the step before only, too */
    struct act acts[TRAIL_ROWS];
    struct wall last_commit;
    uint64_t last_session, last_errand;
};

struct stage {
    struct world w, again; /* the second is for replays */
    struct policy policy[2];
    struct directory *directory[2];
    unsigned which; /* of the policies is in force */
    struct member cast[CAST];
    struct now now;
    struct effects out;
    struct store_model store;
    size_t effects_kept; /* ever */
    /* Looks at every change of a request before it is kept (was NULL: it is new). */
    const char *(*watch)(struct stage *g, const struct request *was, const struct request *is);
    void *watcher;
    char wrong[256];
};

__attribute__((format(printf, 2, 3), unused)) static const char *
stage_wrong(struct stage *g, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(g->wrong, sizeof g->wrong, format, args);
    va_end(args);
    return g->wrong;
}

/* ---- policies from text --------------------------------------------------------------------- */

/* Mistakes in a test's own text end it. */
static inline void stage_check(bool ok, const char *what)
{
    if (!ok) {
        fprintf(stderr, "a mistake in the test: %s\n", what);
        abort();
    }
}

static inline char *next_word(char **at, const char *between)
{
    char *word = strsep(at, between);

    while (word && *word == '\0')
        word = strsep(at, between);
    return word;
}

static inline int64_t seconds_of(const char *s)
{
    uint64_t v = 0;

    stage_check(text_parse_duration(s, strlen(s), &v), s);
    return (int64_t)v;
}

static inline size_t principal_of(struct policy *p, const char *who)
{
    bool group = who[0] == '@', idc = strncmp(who, "@idc:", 5) == 0;
    const char *name = who + (idc ? 5 : group);
    uint8_t kind = idc ? PRINCIPAL_IDC_GROUP : group ? PRINCIPAL_GROUP : PRINCIPAL_USER;
    struct principal *new;

    for (size_t i = 0; i < p->n_principals; i++)
        if (p->principals[i].kind == kind && strcmp(p->principals[i].name, name) == 0)
            return i;
    new = &p->principals[p->n_principals];
    new->kind = kind;
    snprintf(new->name, sizeof new->name, "%s", name);
    return p->n_principals++;
}

static inline void read_who(struct policy *p, char *list, struct principals *ret)
{
    const char *who;

    stage_check(list != NULL, "nobody");
    while ((who = next_word(&list, ",")))
        principals_add(ret, principal_of(p, who));
}

static inline struct patterns read_patterns(struct policy *p, char *list)
{
    struct patterns run = {.first = p->n_patterns};
    const char *one;

    stage_check(list != NULL, "no targets");
    while ((one = next_word(&list, ","))) {
        stage_check(pattern_parse(one, strlen(one), &p->patterns[p->n_patterns]) == TARGET_OK, one);
        p->n_patterns++;
        run.count++;
    }
    return run;
}

static inline void read_may(struct policy *p, char *line)
{
    struct eligibility *e = &p->eligibility[p->n_eligibility++];
    const char *word;

    snprintf(e->name.text, sizeof e->name.text, "%s", next_word(&line, " "));
    read_who(p, next_word(&line, " "), &e->who);
    e->targets = read_patterns(p, next_word(&line, " "));
    e->max_duration_s = seconds_of(next_word(&line, " "));
    word = next_word(&line, " ");
    e->approval_required = !word;
    stage_check(!word || strcmp(word, "free") == 0, "may");
}

static inline void read_rule(struct policy *p, char *line)
{
    struct approvers *a = &p->approvers[p->n_approvers++];
    const char *word;

    snprintf(a->name.text, sizeof a->name.text, "%s", next_word(&line, " "));
    read_who(p, next_word(&line, " "), &a->who);
    a->targets = read_patterns(p, next_word(&line, " "));
    a->quorum = 1;
    a->for_all_requesters = true;
    while ((word = next_word(&line, " "))) {
        if (strcmp(word, "quorum") == 0) {
            a->quorum = (uint32_t)atoi(next_word(&line, " "));
        } else if (strcmp(word, "of") == 0) {
            read_who(p, next_word(&line, " "), &a->requesters);
            a->for_all_requesters = false;
        } else {
            stage_check(strcmp(word, "mandatory") == 0, word);
            a->mandatory = true;
        }
    }
}

static inline void read_exempt(struct policy *p, char *line)
{
    struct exempt *x = &p->exempt[p->n_exempt++];
    const char *class;
    char *classes;

    read_who(p, next_word(&line, " "), &x->who);
    classes = next_word(&line, " ");
    while ((class = next_word(&classes, ",")))
        x->classes |= UINT32_C(1) << policy_class_named(p, class);
}

static inline void read_set(struct policy *p, char *line)
{
    const char *what = next_word(&line, " "), *moment;
    char *value = next_word(&line, " ");

    if (strcmp(what, "max") == 0)
        p->max_duration_s = seconds_of(value);
    else if (strcmp(what, "expiry") == 0)
        p->pending_expiry_s = seconds_of(value);
    else if (strcmp(what, "approval") == 0)
        p->approval = false;
    else if (strcmp(what, "ticket") == 0)
        p->require_ticket = true;
    else if (strcmp(what, "comment") == 0)
        p->require_comment = false;
    else if (strcmp(what, "loginuid") == 0)
        p->loginuid = LOGINUID_CHECK;
    else if (strcmp(what, "grace") == 0)
        p->grace_s = strcmp(value, "0s") == 0 ? 0 : seconds_of(value);
    else if (strcmp(what, "warn") == 0)
        while ((moment = next_word(&value, ",")))
            p->warn_s[p->n_warn++] = seconds_of(moment);
    else
        stage_check(false, what);
}

/* With a service of the same name. */
static inline void add_class(struct policy *p, const char *name)
{
    struct service *s = &p->services[p->n_services++];

    snprintf(s->name, sizeof s->name, "%s", name);
    s->class = (uint8_t)p->n_classes;
    snprintf(p->classes[p->n_classes++], WORD_CAP, "%s", name);
}

/* What of the AWS lines is policy; the rest is for the directory. */
static inline void read_aws(struct policy *p, char *line)
{
    const char *word = next_word(&line, " ");

    if (strcmp(word, "on") == 0) {
        p->aws = true;
    } else if (strcmp(word, "trust") == 0) {
        p->trust_idc_on_host = true;
    } else if (strcmp(word, "name") == 0) {
        snprintf(p->aws_user, sizeof p->aws_user, "%s", next_word(&line, " "));
    } else if (strcmp(word, "map") == 0) {
        struct aws_user *u = &p->aws_users[p->n_aws_users++];

        snprintf(u->user.text, sizeof u->user.text, "%s", next_word(&line, " "));
        snprintf(u->name, sizeof u->name, "%s", next_word(&line, " "));
    }
}

static inline void policy_read(struct policy *p, const char *text)
{
    char copy[4096], *at = copy, *line;

    memset(p, 0, sizeof *p);
    policy_init(p, STAGE_HOST);
    p->n_warn = 0; /* a story that is about warnings says which */
    snprintf(p->hash, sizeof p->hash, "hash of %zu bytes", strlen(text));
    stage_check(strlen(text) < sizeof copy, "policy too long");
    memcpy(copy, text, strlen(text) + 1);
    while ((line = next_word(&at, "\n"))) {
        const char *word = next_word(&line, " ");

        if (strcmp(word, "may") == 0)
            read_may(p, line);
        else if (strcmp(word, "rule") == 0)
            read_rule(p, line);
        else if (strcmp(word, "exempt") == 0)
            read_exempt(p, line);
        else if (strcmp(word, "admins") == 0)
            read_who(p, next_word(&line, " "), &p->admins);
        else if (strcmp(word, "auditors") == 0)
            read_who(p, next_word(&line, " "), &p->auditors);
        else if (strcmp(word, "class") == 0)
            add_class(p, next_word(&line, " "));
        else if (strcmp(word, "set") == 0)
            read_set(p, line);
        else if (strcmp(word, "aws") == 0)
            read_aws(p, line);
        else
            stage_check(false, word);
    }
}

/* ---- what AWS has ---------------------------------------------------------------------------- */

static inline void put_word(struct wire_out *w, enum team_tag tag, const char *word)
{
    stage_check(word != NULL, "a word is missing");
    if (strcmp(word, "-") != 0)
        wire_put(w, tag, word);
}

static inline void put_set(struct wire_out *w, char *line)
{
    const char *name = next_word(&line, " "), *session = next_word(&line, " ");
    const char *id = next_word(&line, " ");
    char arn[160];

    if (id && strcmp(id, "managed") == 0) {
        wire_put_u64(w, TEAM_MANAGED, 1);
        id = next_word(&line, " ");
    }
    snprintf(arn, sizeof arn, "arn:aws:sso:::permissionSet/ssoins-1/ps-%s", id ? id : name);
    put_word(w, TEAM_SET_ARN, arn);
    put_word(w, TEAM_PERMISSION_SET, name);
    wire_put_u64(w, TEAM_SESSION_S, (uint64_t)seconds_of(session));
}

static inline void put_principal(struct wire_out *w, char *line)
{
    const char *name = next_word(&line, " "), *id = next_word(&line, " ");
    char fresh[64];

    stage_check(name != NULL, "a user without a name");
    snprintf(fresh, sizeof fresh, "u-%.*s", (int)strcspn(name, "@"), name);
    put_word(w, TEAM_PRINCIPAL, id ? id : fresh);
    put_word(w, TEAM_LABEL, name);
}

/* Members are numbers: of the users before. */
static inline void put_members(struct wire_out *w, const char *id, char *list,
                               char users[][NAME_CAP], size_t n_users)
{
    char numbers[256];
    struct text t = text_over(numbers, sizeof numbers);
    const char *user;

    wire_put(w, TEAM_PRINCIPAL, id);
    while ((user = next_word(&list, ",")))
        for (size_t i = 0; i < n_users; i++)
            if (strcmp(users[i], user) == 0) {
                text_put(&t, t.len ? "," : "");
                text_put_u64(&t, i);
            }
    wire_put(w, TEAM_MEMBERS, numbers);
}

static inline void put_aws_row(struct wire_out *w, const char *kind, char *line,
                               char users[][NAME_CAP], size_t *n_users)
{
    struct wire_mark mark = wire_group(w, TEAM_ROW);
    const char *name, *given;
    char id[80], *members;

    wire_put(w, TEAM_KIND, kind);
    if (strcmp(kind, "org") == 0) {
        put_word(w, TEAM_OWN_ACCOUNT, next_word(&line, " "));
        put_word(w, TEAM_MANAGEMENT, next_word(&line, " "));
        put_word(w, TEAM_IDENTITY, "arn:aws:sts::999900001111:assumed-role/courier/i-1");
        put_word(w, TEAM_INSTANCE, "arn:aws:sso:::instance/ssoins-1");
    } else if (strcmp(kind, "unit") == 0) {
        put_word(w, TEAM_UNIT, next_word(&line, " "));
        put_word(w, TEAM_LABEL, next_word(&line, " "));
        wire_put(w, TEAM_PARENT, next_word(&line, " "));
    } else if (strcmp(kind, "account") == 0) {
        put_word(w, TEAM_ACCOUNT, next_word(&line, " "));
        put_word(w, TEAM_LABEL, next_word(&line, " "));
        put_word(w, TEAM_PARENT, next_word(&line, " "));
        name = next_word(&line, " ");
        put_word(w, TEAM_STATE, name ? name : "active");
    } else if (strcmp(kind, "set") == 0) {
        put_set(w, line);
    } else if (strcmp(kind, "user") == 0) {
        snprintf(users[(*n_users)++], NAME_CAP, "%.*s", (int)strcspn(line, " "), line);
        put_principal(w, line);
    } else {
        stage_check(strcmp(kind, "group") == 0, kind);
        name = next_word(&line, " ");
        members = next_word(&line, " ");
        given = next_word(&line, " ");
        snprintf(id, sizeof id, "g-%s", given ? given : name ? name : "");
        wire_put(w, TEAM_PRINCIPAL, id);
        wire_put(w, TEAM_LABEL, name);
        wire_group_end(w, mark);
        mark = wire_group(w, TEAM_ROW);
        wire_put(w, TEAM_KIND, "members");
        put_members(w, id, members, users, *n_users);
    }
    wire_group_end(w, mark);
}

/* By way of a packet, as it comes from the courier. NULL: the text says nothing of AWS. */
static inline struct directory *directory_read(const char *text, struct wall as_of)
{
    static char packet[TEAM_PACKET_MAX];
    struct wire_out w = wire_begin(packet, sizeof packet, TEAM_ASK, TEAM_OP_READ);
    char copy[4096], *at = copy, *line, users[32][NAME_CAP];
    struct directory *d = NULL;
    struct wire_msg msg;
    struct roll *roll;
    size_t n_users = 0;
    bool any = false;

    snprintf(copy, sizeof copy, "%s", text);
    while ((line = next_word(&at, "\n"))) {
        const char *kind;

        if (strncmp(line, "aws ", 4) != 0)
            continue;
        line += 4;
        kind = next_word(&line, " ");
        if (strstr(" on trust name map ", kind))
            continue;
        any = true;
        put_aws_row(&w, kind, line, users, &n_users);
    }
    if (!any)
        return NULL;
    stage_check(wire_read(packet, wire_finish(&w), &msg) == WIRE_OK, "what AWS has");
    roll = roll_new();
    stage_check(roll && roll_add(roll, msg.fields) == 0, "a row of what AWS has");
    stage_check(roll_finish(roll, as_of, &d) == 0, "what AWS has as a whole");
    return d;
}

/* ---- people --------------------------------------------------------------------------------- */

static inline const struct member *member_named(const struct stage *g, const char *name)
{
    for (size_t i = 0; i < CAST; i++)
        if (strcmp(g->cast[i].name, name) == 0)
            return &g->cast[i];
    return NULL;
}

static inline bool member_is(const struct member *m, const char *group)
{
    char word[MEMBERSHIP_CAP];

    snprintf(word, sizeof word, " %.40s ", group);
    return strstr(m->groups, word) != NULL;
}

/* The person as a look-up gives them: everything that any account with their uid is. */
static inline struct person person_of(const struct stage *g, const struct policy *p,
                                      const struct member *m)
{
    struct person who = {.uid = m->uid, .listed = !member_is(m, "unlisted")};

    snprintf(who.name.text, sizeof who.name.text, "%s", m->name);
    for (size_t i = 0; i < p->n_principals; i++)
        for (size_t c = 0; c < CAST; c++) {
            if (g->cast[c].uid != m->uid)
                continue;
            if (p->principals[i].kind == PRINCIPAL_GROUP
                    ? member_is(&g->cast[c], p->principals[i].name)
                    : strcmp(g->cast[c].name, p->principals[i].name) == 0)
                principals_add(&who.is, i);
        }
    return who;
}

static inline size_t everybody(const struct stage *g, const struct policy *p,
                               struct person out[CAST])
{
    size_t n = 0;

    for (size_t i = 0; i < CAST; i++)
        if (!member_is(&g->cast[i], "hidden") && (i == 0 || g->cast[i].uid != g->cast[i - 1].uid))
            out[n++] = person_of(g, p, &g->cast[i]);
    return n;
}

/* ---- the store ------------------------------------------------------------------------------ */

static inline struct request *kept_request(struct stage *g, struct id id)
{
    for (size_t i = 0; i < g->store.n_requests; i++)
        if (g->store.requests[i].id.bits == id.bits)
            return &g->store.requests[i];
    return NULL;
}

static inline struct session *kept_session(struct stage *g, uint64_t number)
{
    for (size_t i = 0; i < g->store.n_sessions; i++)
        if (g->store.sessions[i].number == number)
            return &g->store.sessions[i];
    return NULL;
}

static inline const char *keep_request(struct stage *g, const struct request *r)
{
    struct request *was = kept_request(g, r->id);

    if (was && request_state_final((enum request_state)was->state))
        return stage_wrong(g, "a request that is over was written again");
    if (!was) {
        stage_check(g->store.n_requests < KEPT_REQUESTS, "too many requests to keep");
        was = &g->store.requests[g->store.n_requests++];
    }
    *was = *r;
    return NULL;
}

static inline const char *keep_session(struct stage *g, const struct session *s)
{
    struct session *was = kept_session(g, s->number);

    if (was && session_state_final((enum session_state)was->state))
        return stage_wrong(g, "a session that is over was written again");
    if (!was && s->number <= g->store.last_session)
        return stage_wrong(g, "the number of a session was used again");
    if (!was) {
        stage_check(g->store.n_sessions < KEPT_SESSIONS, "too many sessions to keep");
        was = &g->store.sessions[g->store.n_sessions++];
        g->store.last_session = s->number;
    }
    *was = *s;
    was->due = (struct deadline){0}; /* what the store does not know */
    was->kills = 0;
    was->warned = (struct wall){0};
    return NULL;
}

static inline struct errand *kept_errand(struct stage *g, uint64_t number)
{
    for (size_t i = 0; i < g->store.n_errands; i++)
        if (g->store.errands[i].number == number)
            return &g->store.errands[i];
    return NULL;
}

static inline const char *keep_errand(struct stage *g, const struct errand *e)
{
    struct errand *was = kept_errand(g, e->number);

    if (!was && e->number <= g->store.last_errand && e->state != ERRAND_OVER)
        return stage_wrong(g, "the number of an errand was used again");
    if (was && e->round < was->round)
        return stage_wrong(g, "an errand went back");
    if (e->number > g->store.last_errand)
        g->store.last_errand = e->number;
    if (e->state == ERRAND_OVER) {
        if (was)
            *was = g->store.errands[--g->store.n_errands];
        return NULL;
    }
    if (!was) {
        stage_check(g->store.n_errands < KEPT_ERRANDS, "too many errands to keep");
        was = &g->store.errands[g->store.n_errands++];
    }
    *was = *e;
    return NULL;
}

static inline const char *keep_decision(struct stage *g, const struct decision *d)
{
    uint16_t next = 0;

    for (size_t i = 0; i < g->store.n_decisions; i++)
        if (g->store.decisions[i].id.bits == d->id.bits)
            next++;
    if (d->number != next)
        return stage_wrong(g, "decision %u where %u was due", d->number, next);
    stage_check(g->store.n_decisions < KEPT_DECISIONS, "too many decisions to keep");
    g->store.decisions[g->store.n_decisions++] = (struct kept_decision){d->id, d->number, d->about,
                                                                        d->approved, d->uid};
    return NULL;
}

static inline void keep_trail(struct stage *g, const struct audit *a)
{
    struct trail_row *row = &g->store.trail[g->store.n_trail++];

    stage_check(g->store.n_trail <= TRAIL_ROWS, "too long a trail to keep");
    snprintf(row->action, sizeof row->action, "%s", a->action);
    snprintf(row->actor, sizeof row->actor, "%s", a->actor.text);
    snprintf(row->outcome, sizeof row->outcome, "%s", a->outcome);
    snprintf(row->target, sizeof row->target, "%s", a->target);
    snprintf(row->detail, sizeof row->detail, "%s", a->detail);
    row->id = a->id;
}

/* Every new state of a request has its event in the same commit. */
static inline bool change_is_in_trail(const struct stage *g, const struct request *r)
{
    for (size_t i = 0; i < g->out.n; i++)
        if (g->out.items[i].kind == EFFECT_AUDIT && g->out.items[i].audit.id.bits == r->id.bits &&
            strcmp(g->out.items[i].audit.outcome, "refused") != 0)
            return true;
    return false;
}

static inline const char *stage_commit(struct stage *g)
{
    const char *wrong = NULL;

    if (g->out.n > EFFECTS_MAX)
        return stage_wrong(g, "more effects than there is room for");
    for (size_t i = 0; i < g->out.n && !wrong; i++) {
        const struct effect *e = &g->out.items[i];
        const struct request *was;

        switch (e->kind) {
        case EFFECT_REQUEST:
            was = kept_request(g, e->request.id);
            if ((!was || was->state != e->request.state) && !change_is_in_trail(g, &e->request))
                return stage_wrong(g, "a request changed and the trail does not know");
            if (g->watch)
                wrong = g->watch(g, was, &e->request);
            if (!wrong)
                wrong = keep_request(g, &e->request);
            break;
        case EFFECT_DECISION:
            wrong = keep_decision(g, &e->decision);
            break;
        case EFFECT_WORDS:
            if (!kept_request(g, e->words.id) || e->words.text[0] == '\0')
                return stage_wrong(g, "words about nothing");
            break;
        case EFFECT_SESSION:
            wrong = keep_session(g, &e->session);
            break;
        case EFFECT_ERRAND:
            wrong = keep_errand(g, &e->errand);
            break;
        case EFFECT_NAMES:
            if (!kept_request(g, e->names.id) || !e->names.account[0] || !e->names.user[0])
                return stage_wrong(g, "names of nothing");
            break;
        case EFFECT_AUDIT:
            keep_trail(g, &e->audit);
            break;
        case EFFECT_ACT:
            stage_check(g->store.n_acts < TRAIL_ROWS, "too many acts to keep");
            g->store.acts[g->store.n_acts++] = e->act;
            break;
        }
    }
    if (g->out.n > 0)
        g->store.last_commit = g->now.wall;
    g->effects_kept += g->out.n;
    return wrong;
}

/* ---- replay --------------------------------------------------------------------------------- */

#define SAME(field)      (a->field == b->field)
#define TEXT_SAME(field) (strcmp(a->field, b->field) == 0)

static inline bool same_grants(const struct request *a, const struct request *b)
{
    for (size_t i = 0; i < a->n_targets; i++)
        if (!target_equal(&a->grants[i].target, &b->grants[i].target) ||
            a->grants[i].state != b->grants[i].state ||
            strcmp(a->grants[i].set, b->grants[i].set) != 0 ||
            a->grants[i].session_s != b->grants[i].session_s ||
            a->grants[i].errand != b->grants[i].errand ||
            a->grants[i].credentials_until.us != b->grants[i].credentials_until.us)
            return false;
    return true;
}

static inline bool same_approvals(const struct request *a, const struct request *b)
{
    for (size_t i = 0; i < a->n_approvals; i++)
        if (!SAME(approvals[i].uid) || !TEXT_SAME(approvals[i].name.text))
            return false;
    return true;
}

/* All but `due` while ending: that only says when to look at its sessions again. */
static inline bool same_request(const struct request *a, const struct request *b)
{
    return SAME(id.bits) && SAME(requester) && TEXT_SAME(requester_name.text) && SAME(state) &&
           SAME(end_as) && SAME(approval_required) && SAME(n_targets) && same_grants(a, b) &&
           SAME(duration_s) && SAME(requested_at.us) && SAME(requested_start.us) &&
           SAME(active_from.us) && SAME(active_until.us) && SAME(ended_at.us) &&
           (a->state == REQ_ENDING || (SAME(due.wall.us) && SAME(due.boot.us))) &&
           SAME(extension.for_s) && SAME(extension.requested_at.us) &&
           SAME(extension.expires.wall.us) && SAME(extension.expires.boot.us) &&
           SAME(n_approvals) && same_approvals(a, b) && SAME(n_decisions) &&
           TEXT_SAME(revoked_by.text) && TEXT_SAME(failure) && TEXT_SAME(aws_user) &&
           TEXT_SAME(host);
}

static inline bool same_session(const struct session *a, const struct session *b)
{
    return SAME(number) && SAME(request.bits) && SAME(uid) && TEXT_SAME(user.text) && SAME(class) &&
           SAME(state) && TEXT_SAME(service) && TEXT_SAME(target_user.text) && TEXT_SAME(tty) &&
           TEXT_SAME(rhost) && SAME(leader.pid) && SAME(leader.start_ticks) && SAME(loginuid) &&
           SAME(parent) && SAME(contained) && SAME(escaped) && SAME(started_at.us) &&
           SAME(ended_at.us);
}

static inline bool same_errand(const struct errand *a, const struct errand *b)
{
    return SAME(number) && SAME(round) && SAME(state) && SAME(uid) && SAME(request.bits) &&
           TEXT_SAME(account) && TEXT_SAME(set) && TEXT_SAME(set_name) && TEXT_SAME(user) &&
           SAME(since.us) && TEXT_SAME(trouble);
}

/* All live requests and sessions of one world are in the other, and no others. */
static inline bool same_world(const struct world *a, const struct world *b)
{
    const struct request *r;
    const struct session *s;
    const struct errand *e;
    uint32_t at = 0;

    if (a->n_requests != b->n_requests || a->n_sessions != b->n_sessions ||
        a->last_session != b->last_session || a->n_errands != b->n_errands ||
        a->last_errand != b->last_errand)
        return false;
    while ((r = world_each_request(a, &at))) {
        const struct request *other = world_request(b, r->id);

        if (!other || !same_request(r, other))
            return false;
    }
    at = 0;
    while ((s = world_each_session(a, &at))) {
        const struct session *other = world_session(b, s->number);

        if (!other || !same_session(s, other))
            return false;
    }
    at = 0;
    while ((e = world_each_errand(a, &at))) {
        const struct errand *other = world_errand(b, e->number);

        if (!other || !same_errand(e, other))
            return false;
    }
    return true;
}

/* Puts what is stored and live into a world that was cleared. */
static inline void restore(struct stage *g, struct world *w, bool same_boot)
{
    world_clear(w);
    for (size_t i = 0; i < g->store.n_requests; i++)
        if (!request_state_final((enum request_state)g->store.requests[i].state))
            stage_check(world_restore_request(w, &g->store.requests[i], same_boot, g->now,
                                              g->store.last_commit),
                        "no room for a request");
    for (size_t i = 0; i < g->store.n_sessions; i++)
        if (!session_state_final((enum session_state)g->store.sessions[i].state))
            stage_check(world_restore_session(w, &g->store.sessions[i]), "no room for a session");
    w->last_session = g->store.last_session;
    for (size_t i = 0; i < g->store.n_errands; i++)
        stage_check(world_restore_errand(w, &g->store.errands[i]), "no room for an errand");
    w->last_errand = g->store.last_errand;
}

/* ---- the play ------------------------------------------------------------------------------- */

/* Steps once, commits and checks. NULL, or what is wrong. */
static inline const char *stage_step_once(struct stage *g, const struct event *ev)
{
    const char *wrong;

    engine_step(&g->w, ev, g->now, &g->out);
    wrong = stage_commit(g);
    if (!wrong)
        wrong = world_check(&g->w);
    if (!wrong) {
        g->again.policy = g->w.policy;
        g->again.directory = g->w.directory;
        restore(g, &g->again, true);
        wrong = world_check(&g->again);
        if (!wrong && !same_world(&g->w, &g->again))
            wrong = "what is stored makes another world";
    }
    return wrong;
}

/* As teamd does: the event, and as long as there is more to do, a tick each. Keeps the reply. */
static inline const char *stage_step(struct stage *g, const struct event *ev)
{
    static const struct event TICK = {.kind = EV_TICK};
    struct reply reply;
    const char *wrong;

    g->store.n_trail = g->store.n_acts = 0;
    wrong = stage_step_once(g, ev);
    reply = g->out.reply;
    for (int i = 0; !wrong && g->out.more; i++)
        wrong = i < 1000 ? stage_step_once(g, &TICK) : "there is always more to do";
    g->out.reply = reply;
    return wrong;
}

static inline const char *stage_tick(struct stage *g)
{
    return stage_step(g, &(struct event){.kind = EV_TICK});
}

/* As teamd does in the same turn: what is due at once. */
static inline const char *stage_settle(struct stage *g)
{
    static const struct event TICK = {.kind = EV_TICK};
    const char *wrong = NULL;

    for (int i = 0; !wrong && deadline_passed(engine_wake(&g->w), g->now); i++)
        wrong = i < 1000 ? stage_step_once(g, &TICK) : "there is always more to do";
    return wrong;
}

/* What AWS has by now. */
static inline const char *stage_directory(struct stage *g, const char *text,
                                          const char *(*step)(struct stage *, const struct event *))
{
    struct directory *old = g->directory[g->which];
    struct event ev = {.kind = EV_DIRECTORY};
    const char *wrong;

    g->directory[g->which] = directory_read(text, g->now.wall);
    ev.directory = g->directory[g->which];
    wrong = step(g, &ev);
    roll_free_directory(old);
    return wrong;
}

/* Puts a policy in force, with everybody looked up. What it means for live requests is decided by
 * the ticks that follow, if any do. */
static inline const char *stage_load(struct stage *g, const char *text,
                                     const char *(*step)(struct stage *, const struct event *))
{
    struct policy *p = &g->policy[g->which ^= 1];
    struct person people[CAST];
    struct event ev = {.kind = EV_POLICY};
    const char *wrong;

    policy_read(p, text);
    ev.policy.policy = p;
    ev.policy.people = people;
    ev.policy.n_people = everybody(g, p, people);
    ev.policy.by = "";
    wrong = step(g, &ev);
    if (!wrong && strstr(text, "aws org"))
        wrong = stage_directory(g, text, step);
    return wrong;
}

static inline const char *stage_policy(struct stage *g, const char *text)
{
    return stage_load(g, text, stage_step);
}

/* Somebody was looked up again. */
static inline const char *stage_person(struct stage *g, const struct member *m)
{
    struct person who = person_of(g, g->w.policy, m);

    return stage_step(g, &(struct event){.kind = EV_PERSON, .person = &who});
}

static inline void *stage_memory(void)
{
    void *memory = mmap(NULL, world_size(), PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    stage_check(memory != MAP_FAILED, "no memory");
    return memory;
}

/* An empty stage: noon of some day, an hour after boot, nobody in it yet. */
static inline void stage_set(struct stage *g)
{
    if (!g->w.requests) {
        world_init(&g->w, stage_memory(), NULL);
        world_init(&g->again, stage_memory(), NULL);
    }
    world_clear(&g->w);
    world_forget_people(&g->w);
    world_clear(&g->again);
    g->store.n_requests = g->store.n_sessions = g->store.n_decisions = g->store.n_trail = 0;
    g->store.n_acts = g->store.n_errands = 0;
    g->store.last_session = g->store.last_errand = 0;
    g->w.directory = NULL;
    g->store.last_commit.us = 0;
    memcpy(g->cast, THE_CAST, sizeof THE_CAST);
    g->now = (struct now){{INT64_C(1800000000) * SECOND_US}, {3600 * SECOND_US}};
}

static inline void stage_pass(struct stage *g, int64_t seconds)
{
    g->now.wall.us += seconds * SECOND_US;
    g->now.boot.us += seconds * SECOND_US;
}
