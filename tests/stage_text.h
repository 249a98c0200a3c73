/* Policies, and what AWS has, from lines of text.
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

#define STAGE_HOST "bastion-1"

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
