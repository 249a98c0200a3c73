#include "conf/schema.h"

#include "conf/cleanup.h"
#include "conf/reader.h"

#include <errno.h>
#include <stdio.h>
#include <team/text.h>

enum { DAY = 86400, YEAR = 365 * DAY };

#define IN_CONFIG(member)      offsetof(struct config, member)
#define IN_POLICY(member)      offsetof(struct config, policy.member)
#define IN_RULE(rule, field)   offsetof(struct rule, field)
#define IN_ACTIVITY(field)     offsetof(struct config_activity, field)
#define TEXT_MAX(type, member) (int64_t)(sizeof((type *)0)->member - 1)

/* Sections are read in this order: what others need comes first. */
/* clang-format off */
const struct key SCHEMA[] = {
    {"settings", &TYPE_GROUP, 0, 0, "{}", 0,
     "What holds for everybody."},
    {"settings.admins", &TYPE_ADMINS, 0, 0, "[]", IN_POLICY(admins),
     "Who may reload the configuration, revoke any elevation, and see everything."},
    {"settings.auditors", &TYPE_WHO, 0, 0, "[]", IN_POLICY(auditors),
     "Who may see everything."},
    {"settings.max_duration", &TYPE_DURATION, 1, YEAR, "\"9h\"", IN_POLICY(max_duration_s),
     "No elevation lasts longer, whatever a policy allows."},
    {"settings.pending_expiry", &TYPE_DURATION, 1, YEAR, "\"3h\"", IN_POLICY(pending_expiry_s),
     "A request that has not been decided for so long expires."},
    {"settings.approval", &TYPE_BOOL, 0, 0, "true", IN_POLICY(approval),
     "Whether approval is ever needed; false overrules every policy."},
    {"settings.require_ticket", &TYPE_BOOL, 0, 0, "false", IN_POLICY(require_ticket),
     "Whether a request must name a ticket."},
    {"settings.ticket_pattern", &TYPE_TICKETS, 0, 256, "\"\"", IN_CONFIG(ticket),
     "What a whole ticket must look like, a POSIX extended regular expression; any if empty."},
    {"settings.require_comment", &TYPE_BOOL, 0, 0, "true", IN_POLICY(require_comment),
     "Whether who approves or rejects must say why."},
    {"settings.notify_terminals", &TYPE_BOOL, 0, 0, "true", IN_CONFIG(notify_terminals),
     "Whether approvers who are logged in get a line on their terminals about what waits for them."},

    {"host", &TYPE_GROUP, 0, 0, "{}", 0,
     "This host."},
    {"host.name", &TYPE_HOST, 1, HOST_CAP - 1, "", IN_POLICY(host),
     "What this host is called in targets; the node name if absent."},

    {"identity", &TYPE_GROUP, 0, 0, "{}", 0,
     "How people are told apart."},
    {"identity.loginuid", &TYPE_LOGINUID, 0, 0, "\"require\"", IN_POLICY(loginuid),
     "Whether who requests or decides must have a login uid (require), or only a right one (check)."},
    {"identity.aws_user", &TYPE_AWS_USER, 1, TEXT_MAX(struct policy, aws_user), "\"{user}\"",
     IN_POLICY(aws_user),
     "How a local user is called in Identity Center; {user} stands for the local name."},
    {"identity.aws_users", &TYPE_AWS_USERS, 0, AWS_USERS_MAX, "()", 0,
     "Users whom identity.aws_user does not fit, one by one."},
    {"identity.aws_users[].user", &TYPE_USER, 1, NAME_CAP - 1, NULL, IN_RULE(aws_user, user),
     "The local user."},
    {"identity.aws_users[].name", &TYPE_NAME, 1, TEXT_MAX(struct aws_user, name), NULL,
     IN_RULE(aws_user, name),
     "How that user is called in Identity Center."},
    {"identity.trust_idc_on_host", &TYPE_BOOL, 0, 0, "false", IN_POLICY(trust_idc_on_host),
     "Whether groups of Identity Center count for targets on hosts too."},

    {"aws", &TYPE_AWS, 0, 0, "", 0,
     "AWS accounts can be asked for if this is here; needs team-courier(8)."},
    {"aws.region", &TYPE_REGION, 1, TEXT_MAX(struct config_aws, region), "",
     IN_CONFIG(aws.region),
     "The region whose endpoints are used, as in eu-west-1; that of team-courier's environment if absent."},
    {"aws.identity_center_region", &TYPE_REGION, 1,
     TEXT_MAX(struct config_aws, identity_center_region), "",
     IN_CONFIG(aws.identity_center_region),
     "The primary region of Identity Center; aws.region if absent."},
    {"aws.role", &TYPE_ARN, 0, TEXT_MAX(struct config_aws, role), "\"\"", IN_CONFIG(aws.role),
     "The ARN of a role that team-courier assumes with whatever credentials it finds; none if empty."},
    {"aws.external_id", &TYPE_EXTERNAL_ID, 0, TEXT_MAX(struct config_aws, external_id), "\"\"",
     IN_CONFIG(aws.external_id),
     "The external id that the role asks for; none if empty."},
    {"aws.refresh", &TYPE_DURATION, 60, DAY, "\"15m\"", IN_CONFIG(aws.refresh_s),
     "How often accounts, permission sets, users and groups are read from AWS."},
    {"aws.portal_url", &TYPE_URL, 0, TEXT_MAX(struct config_aws, portal_url), "\"\"",
     IN_CONFIG(aws.portal_url),
     "The start page of the access portal, as in https://example.awsapps.com/start; shown to people."},
    {"aws.activity", &TYPE_ACTIVITY, 0, CONFIG_ACTIVITY_MAX, "()", 0,
     "Where to read what was done with the access; nobody asks if there is none."},
    {"aws.activity[].source", &TYPE_SOURCE, 0, 0, NULL, IN_ACTIVITY(source),
     "CloudWatch Logs with a trail (logs), CloudTrail's LookupEvents (lookup), or CloudTrail Lake (lake)."},
    {"aws.activity[].log_group", &TYPE_LOG_GROUP, 1, TEXT_MAX(struct config_activity, log_group), "",
     IN_ACTIVITY(log_group),
     "For logs, which need it: the name of the log group, or its ARN if another account owns it."},
    {"aws.activity[].store", &TYPE_STORE, 1, TEXT_MAX(struct config_activity, store), "",
     IN_ACTIVITY(store),
     "For lake, which needs it: the id of the event data store, the last part of its ARN."},
    {"aws.activity[].regions", &TYPE_REGIONS, 1, CONFIG_REGIONS_MAX, "", 0,
     "For lookup, which needs it: where to look; events of global services are in us-east-1."},
    {"aws.activity[].region", &TYPE_REGION, 1, TEXT_MAX(struct config_activity, region), "",
     IN_ACTIVITY(region),
     "For logs and lake: the region that has them; that of the ARN, or aws.region, if absent."},
    {"aws.activity[].role", &TYPE_ANY_ROLE, 1, TEXT_MAX(struct config_activity, role), "",
     IN_ACTIVITY(role),
     "The ARN of a role that is assumed for it; as aws.role if absent. lookup needs one, with {account} in it."},
    {"aws.activity[].external_id", &TYPE_EXTERNAL_ID, 1, TEXT_MAX(struct config_activity, external_id), "",
     IN_ACTIVITY(external_id),
     "The external id that this role asks for; none if absent."},
    {"aws.activity_keep", &TYPE_DURATION, DAY, 10 * YEAR, "\"400d\"", IN_CONFIG(aws.activity_keep_s),
     "For how long what was done with AWS access is kept, after the last credentials have died."},

    {"sessions", &TYPE_GROUP, 0, 0, "{}", 0,
     "How sessions end."},
    {"sessions.warn", &TYPE_MOMENTS, 1, DAY, "[\"5m\", \"1m\"]", 0,
     "How long before the end people are warned on their terminal."},
    {"sessions.grace", &TYPE_DURATION, 0, 3600, "\"10s\"", IN_POLICY(grace_s),
     "How long a session may take to end by itself before it is killed."},
    {"sessions.cgroup", &TYPE_CGROUP, 1, TEXT_MAX(struct config, cgroup), "\"auto\"",
     IN_CONFIG(cgroup),
     "Where the cgroups of sessions are: auto, off, or the path of a directory."},

    {"gate", &TYPE_GROUP, 0, 0, "{}", 0,
     "What the PAM module lets through."},
    {"gate.classes", &TYPE_CLASS_MAP, 0, 0, "{}", 0,
     "PAM services that are added to a service class, or make a new one."},
    {"gate.exempt", &TYPE_EXEMPT, 0, EXEMPTS_MAX, "()", 0,
     "Who passes without an elevation."},
    {"gate.exempt[].who", &TYPE_WHO, 1, 0, NULL, IN_RULE(exempt, who),
     "The exempt people."},
    {"gate.exempt[].classes", &TYPE_CLASSES, 1, 0, NULL, IN_RULE(exempt, classes),
     "The service classes for which they are."},

    {"eligibility", &TYPE_ELIGIBILITY, 0, RULES_MAX, "()", 0,
     "Who may ask for what; what no policy covers is refused."},
    {"eligibility[].name", &TYPE_NAME, 1, NAME_CAP - 1, NULL, IN_RULE(eligibility, name),
     "The name of the policy, which no other eligibility policy has."},
    {"eligibility[].who", &TYPE_WHO, 1, 0, NULL, IN_RULE(eligibility, who),
     "Who may ask."},
    {"eligibility[].targets", &TYPE_TARGETS, 1, 0, NULL, IN_RULE(eligibility, targets),
     "What they may ask for."},
    {"eligibility[].max_duration", &TYPE_DURATION, 1, YEAR, "", IN_RULE(eligibility, max_duration_s),
     "For how long at most; settings.max_duration if absent."},
    {"eligibility[].approval_required", &TYPE_BOOL, 0, 0, "true",
     IN_RULE(eligibility, approval_required),
     "Whether somebody else has to approve."},
    {"eligibility[].ticket", &TYPE_TEXT, 0, TEXT_MAX(struct eligibility, ticket), "\"\"",
     IN_RULE(eligibility, ticket),
     "The change that made this policy; shown, never matched."},

    {"approvers", &TYPE_APPROVERS, 0, RULES_MAX, "()", 0,
     "Who approves what."},
    {"approvers[].name", &TYPE_NAME, 1, NAME_CAP - 1, NULL, IN_RULE(approvers, name),
     "The name of the policy, which no other approver policy has."},
    {"approvers[].who", &TYPE_WHO, 1, 0, NULL, IN_RULE(approvers, who),
     "Who may approve and reject."},
    {"approvers[].targets", &TYPE_TARGETS, 1, 0, NULL, IN_RULE(approvers, targets),
     "Which targets."},
    {"approvers[].requesters", &TYPE_WHO, 1, 0, "", IN_RULE(approvers, requesters),
     "Whose requests; everybody's if absent."},
    {"approvers[].quorum", &TYPE_COUNT, 1, APPROVALS_MAX, "1", IN_RULE(approvers, quorum),
     "How many of them have to approve; a request keeps 16 approvals at most."},
    {"approvers[].mandatory", &TYPE_BOOL, 0, 0, "false", IN_RULE(approvers, mandatory),
     "Whether this quorum is needed even if another policy has its own."},
};
/* clang-format on */
const size_t SCHEMA_LEN = sizeof SCHEMA / sizeof SCHEMA[0];

static void read_group(struct reader *r, const struct key *k, config_setting_t *s, void *to)
{
    schema_read(r, k->path, s, to);
}

/* That it is there at all turns it on. */
static void read_aws(struct reader *r, const struct key *k, config_setting_t *s, void *to)
{
    struct config_aws *aws = &r->config->aws;

    r->config->policy.aws = true;
    schema_read(r, k->path, s, to);
    if (aws->identity_center_region[0] == '\0')
        memcpy(aws->identity_center_region, aws->region, sizeof aws->region);
    for (size_t i = 0; i < aws->n_activity; i++)
        if (aws->activity[i].region[0] == '\0')
            memcpy(aws->activity[i].region, aws->region, sizeof aws->region);
}

const struct type TYPE_AWS = {SHAPE_GROUP, "group", read_aws};
const struct type TYPE_GROUP = {SHAPE_GROUP, "group", read_group};

/* ---- defaults ------------------------------------------------------------------------------- */

/* A default is read by what reads the file, so both are held to the same rules. */
int schema_begin(struct reader *r)
{
    CLEANUP(freep) char *text = NULL;
    size_t size = 0;
    FILE *f = open_memstream(&text, &size);
    bool bad;
    int ok;

    if (!f)
        return -ENOMEM;
    for (size_t i = 0; i < SCHEMA_LEN; i++)
        if (SCHEMA[i].def && SCHEMA[i].def[0])
            fprintf(f, "k%zu = %s;\n", i, SCHEMA[i].def);
    bad = ferror(f);
    if (fclose(f) != 0 || bad || !text)
        return -ENOMEM;
    ok = config_read_string(&r->defaults, text);
    return ok ? 0 : -ENOMEM;
}

static config_setting_t *default_of(struct reader *r, const struct key *k)
{
    char name[32];

    snprintf(name, sizeof name, "k%td", k - SCHEMA);
    return config_lookup(&r->defaults, name);
}

/* ---- shapes --------------------------------------------------------------------------------- */

static bool all_are(struct reader *r, const config_setting_t *s, int type, const char *text)
{
    unsigned errors = r->errors;

    for (int i = 0; i < config_setting_length(s); i++) {
        const config_setting_t *e = config_setting_get_elem(s, (unsigned)i);

        if (config_setting_type(e) != type)
            complain(r, e, "%s", text);
    }
    return r->errors == errors;
}

bool schema_shape_fits(struct reader *r, enum shape shape, const config_setting_t *s)
{
    static const char STRING[] = "must be a text in double quotes";
    static const char GROUP[] = "must be a group, as in { key = value; }";
    int type = config_setting_type(s);

    switch (shape) {
    case SHAPE_BOOL:
        if (type == CONFIG_TYPE_BOOL)
            return true;
        complain(r, s, "must be true or false");
        return false;
    case SHAPE_NUMBER:
        if (type == CONFIG_TYPE_INT)
            return true;
        complain(r, s, "must be a whole number");
        return false;
    case SHAPE_STRING:
        if (type == CONFIG_TYPE_STRING)
            return true;
        complain(r, s, "%s", STRING);
        return false;
    case SHAPE_STRINGS:
        if (type == CONFIG_TYPE_ARRAY || type == CONFIG_TYPE_LIST)
            return all_are(r, s, CONFIG_TYPE_STRING, STRING);
        complain(r, s, "must be a list of texts, as in [\"one\", \"two\"]");
        return false;
    case SHAPE_GROUP:
        if (type == CONFIG_TYPE_GROUP)
            return true;
        complain(r, s, "%s", GROUP);
        return false;
    case SHAPE_GROUPS:
        if (type == CONFIG_TYPE_LIST)
            return all_are(r, s, CONFIG_TYPE_GROUP, GROUP);
        complain(r, s, "must be a list of groups, as in ( { key = value; }, { key = value; } )");
        return false;
    }
    return false;
}

/* ---- reading -------------------------------------------------------------------------------- */

/* The last part of the key's path if the rest of it is `path`, else NULL. */
static const char *key_below(const struct key *k, const char *path)
{
    size_t n = strlen(path);
    const char *leaf = k->path;

    if (n > 0) {
        if (strncmp(k->path, path, n) != 0 || k->path[n] != '.')
            return NULL;
        leaf += n + 1;
    }
    return strchr(leaf, '.') ? NULL : leaf;
}

static void refuse_unknown(struct reader *r, const char *path, const config_setting_t *s)
{
    char known[512];
    struct text t = text_over(known, sizeof known);

    for (size_t i = 0; i < SCHEMA_LEN; i++) {
        const char *leaf = key_below(&SCHEMA[i], path);

        if (!leaf)
            continue;
        if (strcmp(leaf, config_setting_name(s)) == 0)
            return;
        text_put(&t, t.len ? ", " : "");
        text_put(&t, leaf);
    }
    complain(r, s, "unknown key; here may be: %s", known);
}

static void read_key(struct reader *r, const struct key *k, const char *leaf, config_setting_t *s,
                     void *to)
{
    config_setting_t *value = config_setting_get_member(s, leaf);

    if (!value && !k->def) {
        complain(r, s, "\"%s\" is missing", leaf);
        return;
    }
    if (!value)
        value = default_of(r, k);
    if (value && schema_shape_fits(r, k->type->shape, value))
        k->type->read(r, k, value, (char *)to + k->at);
}

void schema_read(struct reader *r, const char *path, config_setting_t *s, void *to)
{
    for (int i = 0; i < config_setting_length(s); i++)
        refuse_unknown(r, path, config_setting_get_elem(s, (unsigned)i));
    for (size_t i = 0; i < SCHEMA_LEN; i++) {
        const char *leaf = key_below(&SCHEMA[i], path);

        if (leaf)
            read_key(r, &SCHEMA[i], leaf, s, to);
    }
}
