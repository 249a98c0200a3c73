/* team.conf: every mistake is named with its file and line. */
#include "unit/config_rig.h"

/* ---- mistakes ---------------------------------------------------------------------------------
 */

#define EXEMPT(list) "gate: { exempt = ( " list " ); };\n"

#define DURATION "a duration is written 45s, 30m, 2h, 1h30m or 2d"
#define STRINGS  "must be a list of texts, as in [\"one\", \"two\"]"
#define TARGET   "a target is host:NAME/SERVICE or aws:ACCOUNT/PERMISSION_SET"
#define NO_IDC                                                                        \
    "can never match: groups of Identity Center count only for aws: targets, unless " \
    "identity.trust_idc_on_host is true"

struct mistake {
    const char *says;
    const char *text;
    const char *expect; /* all lines */
};

#define IN_ACTIVITY "team.conf:1: aws.activity[0]"
#define GROUP                                             \
    "must be the name of a log group, or its ARN, as in " \
    "arn:aws:logs:eu-west-1:111122223333:log-group:trail"
#define A_ROLE "must be the ARN of a role, as in arn:aws:iam::111122223333:role/team"
#define PLACE                                            \
    "must hold {account} where the account goes, as in " \
    "arn:aws:iam::{account}:role/team-activity"

static const struct mistake MISTAKES[] = {
    /* form */
    {"text that is not a configuration is refused", "settings: {\n  approval = true;\n} }\n",
     "team.conf:3: syntax error"},
    {"a key that is given twice is refused",
     "settings: {\n approval = true;\n approval = false; };",
     "team.conf:3: duplicate setting name"},
    {"an unknown section is refused", "\nsetings: { };",
     "team.conf:2: setings: unknown key; here may be: settings, host, identity, aws, sessions, "
     "gate, "
     "eligibility, approvers"},
    {"sections that come later are unknown now", "\nnotify: { };\naudit: { };",
     "team.conf:2: notify: unknown key; here may be: settings, host, identity, aws, sessions, "
     "gate, "
     "eligibility, approvers\n"
     "team.conf:3: audit: unknown key; here may be: settings, host, identity, aws, sessions, gate, "
     "eligibility, approvers"},
    {"an unknown key in a section is refused", "host: {\n  nam = \"x\";\n};",
     "team.conf:2: host.nam \"x\": unknown key; here may be: name"},
    {"an unknown key in a policy is refused", ELIGIBLE(ALICE SUDO "\nmax = 1;"),
     "team.conf:2: eligibility[0].max 1: unknown key; here may be: name, who, targets, "
     "max_duration, approval_required, ticket"},
    {"an unknown key in an exemption is refused",
     EXEMPT("{ who = [\"a\"]; classes = [\"su\"]; why = true; }"),
     "team.conf:1: gate.exempt[0].why true: unknown key; here may be: who, classes"},
    {"all mistakes are reported, not only the first",
     "settings: { approval = 1; };\nhost: { name = \"a b\"; };\nsessions: { grace = \"x\"; };",
     "team.conf:1: settings.approval 1: must be true or false\n"
     "team.conf:2: host.name \"a b\": a host's name is made of letters, digits, dots, dashes and "
     "underscores\n"
     "team.conf:3: sessions.grace \"x\": " DURATION},
    {"a comment that does not end is refused", "host: { };\n/* host\n",
     "team.conf:2: the comment that begins here does not end in this file"},
    {"a text that does not end is refused", "host: {\n name = \"x; };\n",
     "team.conf:2: the string that begins here does not end in this file"},
    {"a hidden end of a text is refused", "host: { name = \"x\\x00y\"; };",
     "team.conf:1: a string cannot hold \\x00"},
    {"a number that would be cut is refused", "\napprovers = ( { quorum = 4294967297; } );",
     "team.conf:2: 4294967297 is too large a number"},
    {"a hexadecimal number that would be cut is refused",
     "approvers = ( { quorum = 0x100000001; });", "team.conf:1: 0x100000001 is too large a number"},
    {"a quote with a backslash does not end a text", "host: { name = \"a\\\"/*\"; };",
     "team.conf:1: host.name \"a\"/*\": a host's name is made of letters, digits, dots, dashes and "
     "underscores"},
    {"a text in parts is one, and what follows keeps its line",
     "settings: { admins = [\"a\" /* and */\n\"b\",\n\"c d\"\n]; };",
     "team.conf:3: settings.admins[1] \"c d\": " WHO_MORE},
    {"escapes of a terminal do not get into an error",
     "host: { name = \"\x1b[2J\"; };\nidentity: { aws_user = \"\xff\"; };",
     "team.conf:1: host.name \"?[2J\": must be one line of UTF-8 without control characters\n"
     "team.conf:2: identity.aws_user \"?\": must be one line of UTF-8 without control characters"},

    /* types */
    {"a section that is no group is refused", "settings = 1;",
     "team.conf:1: settings 1: must be a group, as in { key = value; }"},
    {"a bool that is a text is refused", "settings: { require_ticket = \"yes\"; };",
     "team.conf:1: settings.require_ticket \"yes\": must be true or false"},
    {"a text that is a number is refused", "settings: { max_duration = 9; };",
     "team.conf:1: settings.max_duration 9: must be a text in double quotes"},
    {"a number that is a text is refused",
     "approvers = ( { name = \"a\"; " ALICE SUDO "quorum = \"2\"; } );",
     "team.conf:1: approvers[0].quorum \"2\": must be a whole number"},
    {"a number with a fraction is refused", APPROVERS(ALICE "quorum = 1.5;"),
     "team.conf:1: approvers[0].quorum: must be a whole number"},
    {"a list that is a text is refused", "settings: { admins = \"root\"; };",
     "team.conf:1: settings.admins \"root\": " STRINGS},
    {"a list of numbers is no list of texts", "settings: { admins = [1, 2]; };",
     "team.conf:1: settings.admins[0] 1: must be a text in double quotes\n"
     "team.conf:1: settings.admins[1] 2: must be a text in double quotes"},
    {"policies that are one group are refused", "eligibility: { };",
     "team.conf:1: eligibility: must be a list of groups, as in ( { key = value; }, { key = value; "
     "} )"},
    {"a policy that is no group is refused",
     "eligibility = ( { name = \"e\"; " ALICE SUDO "},\n \"sre\" );",
     "team.conf:2: eligibility[1] \"sre\": must be a group, as in { key = value; }"},
    {"a class with one text instead of a list is refused", "gate: { classes = { ssh = \"x\"; }; };",
     "team.conf:1: gate.classes.ssh \"x\": " STRINGS},

    /* durations */
    {"a duration without a unit is refused", "settings: { max_duration = \"9\"; };",
     "team.conf:1: settings.max_duration \"9\": " DURATION},
    {"a duration of nothing is refused", "settings: { pending_expiry = \"0s\"; };",
     "team.conf:1: settings.pending_expiry \"0s\": must be 1s to 365d"},
    {"more than a year is refused", "settings: { max_duration = \"366d\"; };",
     "team.conf:1: settings.max_duration \"366d\": must be 1s to 365d"},
    {"more than an hour of grace is refused", "sessions: { grace = \"1h1s\"; };",
     "team.conf:1: sessions.grace \"1h1s\": must be 0s to 1h"},
    {"a warning more than a day before is refused, on its line",
     "sessions: { warn = [\n\"1m\",\n\"25h\"\n]; };",
     "team.conf:3: sessions.warn[1] \"25h\": must be 1s to 1d"},
    {"the same warning twice is refused", "sessions: { warn = [\"1m\", \"60s\"]; };",
     "team.conf:1: sessions.warn[1] \"60s\": is there already"},
    {"a ninth warning is refused",
     "sessions: { warn = [\"1s\",\"2s\",\"3s\",\"4s\",\"5s\",\"6s\",\"7s\",\"8s\",\"9s\"]; };",
     "team.conf:1: sessions.warn[8] \"9s\": there can be at most 8 warnings"},

    /* single values */
    {"an empty host name is refused", "host: { name = \"\"; };",
     "team.conf:1: host.name \"\": must not be empty"},
    {"a host name that does not fit is refused", "host: { name = \"" T128 "\"; };",
     "team.conf:1: host.name \"" T128 "\": is longer than 64 bytes"},
    {"another rule for login uids is refused", "identity: { loginuid = \"off\"; };",
     "team.conf:1: identity.loginuid \"off\": must be \"require\" or \"check\""},
    {"one name in AWS for everybody is refused", "identity: { aws_user = \"admin\"; };",
     "team.conf:1: identity.aws_user \"admin\": must hold {user} once, where the local name goes"},
    {"two places for the name are refused", "identity: { aws_user = \"{user}{user}\"; };",
     "team.conf:1: identity.aws_user \"{user}{user}\": must hold {user} once, where the local name "
     "goes"},
    {"a region is not a place", "aws: { region = \"Ireland\"; };",
     "team.conf:1: aws.region \"Ireland\": must be a region of AWS, as in \"eu-west-1\""},
    {"a region does not begin with a dash", "aws: { region = \"-eu\"; };",
     "team.conf:1: aws.region \"-eu\": must be a region of AWS, as in \"eu-west-1\""},
    {"a region is not empty", "aws: { region = \"\"; };",
     "team.conf:1: aws.region \"\": must not be empty"},
    {"AWS is not asked all the time", "aws: { region = \"eu-west-1\"; refresh = \"5s\"; };",
     "team.conf:1: aws.refresh \"5s\": must be 1m to 1d"},
    {"the portal is reached by TLS",
     "aws: { region = \"eu-west-1\"; portal_url = \"http://x.awsapps.com/start\"; };",
     "team.conf:1: aws.portal_url \"http://x.awsapps.com/start\": must begin with https://, and "
     "hold "
     "no blanks, quotes, # and ?"},
    {"a portal has no fragment",
     "aws: { region = \"eu-west-1\"; portal_url = \"https://x.awsapps.com/start#/\"; };",
     "team.conf:1: aws.portal_url \"https://x.awsapps.com/start#/\": must begin with https://, and "
     "hold no blanks, quotes, # and ?"},
    {"a portal is one line", "aws: { region = \"eu-west-1\"; portal_url = \"https://x\n\"; };",
     "team.conf:1: aws.portal_url \"https://x?\": must be one line of UTF-8 without control "
     "characters"},
    {"a role has an ARN", "aws: { region = \"eu-west-1\"; role = \"team\"; };",
     "team.conf:1: aws.role \"team\": must be the ARN of a role, as in "
     "arn:aws:iam::111122223333:role/team"},
    {"a user is no role",
     "aws: { region = \"eu-west-1\"; role = \"arn:aws:iam::111122223333:user/x\"; };",
     "team.conf:1: aws.role \"arn:aws:iam::111122223333:user/x\": must be the ARN of a role, as in "
     "arn:aws:iam::111122223333:role/team"},
    {"a role is one line", "aws: { region = \"eu-west-1\"; role = \"arn:\n\"; };",
     "team.conf:1: aws.role \"arn:?\": must be one line of UTF-8 without control characters"},
    {"an unknown key of AWS is refused", "aws: { region = \"eu-west-1\"; key = \"AKIA\"; };",
     "team.conf:1: aws.key \"AKIA\": unknown key; here may be: region, identity_center_region, "
     "role, external_id, refresh, portal_url, activity, activity_keep"},
    {"a source of activity is one of three", ACTIVITY("{ source = \"s3\"; }"),
     IN_ACTIVITY ".source \"s3\": must be \"logs\", \"lookup\" or \"lake\""},
    {"a source of activity says which", ACTIVITY("{ log_group = \"x\"; }"),
     IN_ACTIVITY ": \"source\" is missing"},
    {"logs need a log group", ACTIVITY("{ source = \"logs\"; }"),
     IN_ACTIVITY ": \"log_group\" is missing, which the source \"logs\" needs"},
    {"LookupEvents need regions and a role", ACTIVITY("{ source = \"lookup\"; }"),
     IN_ACTIVITY ": \"regions\" is missing, which the source \"lookup\" needs\n" IN_ACTIVITY
                 ": \"role\" is missing, which the source \"lookup\" needs"},
    {"Lake needs a store", ACTIVITY("{ source = \"lake\"; }"),
     IN_ACTIVITY ": \"store\" is missing, which the source \"lake\" needs"},
    {"what another source needs is refused",
     ACTIVITY("{ source = \"logs\"; log_group = \"x\"; regions = [\"eu-west-1\"]; store = " STORE
              "; }"),
     IN_ACTIVITY ".store " STORE ": is nothing for the source \"logs\"\n" IN_ACTIVITY
                 ".regions: is nothing for the source \"logs\""},
    {"LookupEvents have more than one region",
     ACTIVITY("{ source = \"lookup\"; regions = [\"eu-west-1\"]; role = " EACH
              "; region = \"eu-west-1\"; }"),
     IN_ACTIVITY ".region \"eu-west-1\": is nothing for the source \"lookup\""},
    {"a log group has a name", ACTIVITY("{ source = \"logs\"; log_group = \"my trail\"; }"),
     IN_ACTIVITY ".log_group \"my trail\": " GROUP},
    {"an ARN of something else is no log group",
     ACTIVITY("{ source = \"logs\"; log_group = \"arn:aws:s3:::trail\"; }"),
     IN_ACTIVITY ".log_group \"arn:aws:s3:::trail\": " GROUP},
    {"an ARN without a name is no log group",
     ACTIVITY(
         "{ source = \"logs\"; log_group = \"arn:aws:logs:eu-west-1:111122223333:log-group:\"; }"),
     IN_ACTIVITY ".log_group \"arn:aws:logs:eu-west-1:111122223333:log-group:\": " GROUP},
    {"the console's ARN of a log group has something at its end",
     ACTIVITY("{ source = \"logs\"; log_group = \"" TRAIL ":*\"; }"),
     IN_ACTIVITY ".log_group \"" TRAIL
                 ":*\": must be without the :* at its end, which is not of the "
                 "log group's name"},
    {"a log group is where its ARN says",
     ACTIVITY("{ source = \"logs\"; log_group = \"" TRAIL "\"; region = \"eu-west-1\"; }"),
     IN_ACTIVITY ".region \"eu-west-1\": is another region than that of the log group"},
    {"a log group's name is one line", ACTIVITY("{ source = \"logs\"; log_group = \"\"; }"),
     IN_ACTIVITY ".log_group \"\": must not be empty"},
    {"a store has an id", ACTIVITY("{ source = \"lake\"; store = \"12345678-90AB\"; }"),
     IN_ACTIVITY
     ".store \"12345678-90AB\": must be the id of an event data store, the last part of "
     "its ARN, as in 12345678-90ab-cdef-1234-567890abcdef"},
    {"a region is one",
     ACTIVITY("{ source = \"lookup\"; regions = [\"Ireland\"]; role = " EACH "; }"),
     IN_ACTIVITY ".regions[0] \"Ireland\": must be a region of AWS, as in \"eu-west-1\""},
    {"a region is there once",
     ACTIVITY("{ source = \"lookup\"; regions = [\"eu-west-1\", \"eu-west-1\"]; role = " EACH
              "; }"),
     IN_ACTIVITY ".regions[1] \"eu-west-1\": is there already"},
    {"there is a region", ACTIVITY("{ source = \"lookup\"; regions = []; role = " EACH "; }"),
     IN_ACTIVITY ".regions: must be 1 to 40 regions"},
    {"LookupEvents need a role in each account",
     ACTIVITY("{ source = \"lookup\"; regions = [\"eu-west-1\"]; role = "
              "\"arn:aws:iam::111122223333:role/x\"; }"),
     IN_ACTIVITY ".role \"arn:aws:iam::111122223333:role/x\": " PLACE},
    {"the account stands where accounts do",
     ACTIVITY("{ source = \"lookup\"; regions = [\"eu-west-1\"]; role = "
              "\"arn:aws:iam::111122223333:role/{account}\"; }"),
     IN_ACTIVITY ".role \"arn:aws:iam::111122223333:role/{account}\": " PLACE},
    {"the account stands there once",
     ACTIVITY("{ source = \"lookup\"; regions = [\"eu-west-1\"]; role = "
              "\"arn:aws:iam::{account}:role/{account}\"; }"),
     IN_ACTIVITY ".role \"arn:aws:iam::{account}:role/{account}\": " PLACE},
    {"the other sources are in one account",
     ACTIVITY("{ source = \"logs\"; log_group = \"x\"; role = " EACH "; }"),
     IN_ACTIVITY ".role " EACH ": must be one role: the place for an account is for the source "
                 "\"lookup\""},
    {"an external id is a role's",
     ACTIVITY("{ source = \"logs\"; log_group = \"x\"; external_id = \"yy\"; }"),
     IN_ACTIVITY ".external_id \"yy\": is for a role, and there is none"},
    {"an external id is as STS takes it",
     ACTIVITY("{ source = \"logs\"; log_group = \"x\"; role = "
              "\"arn:aws:iam::111122223333:role/x\"; external_id = \"a b\"; }"),
     IN_ACTIVITY ".external_id \"a b\": must be 2 or more letters, digits and any of _+=,.@:/-"},
    {"an external id has two letters", "aws: { external_id = \"x\"; };",
     "team.conf:1: aws.external_id \"x\": must be 2 or more letters, digits and any of _+=,.@:/-"},
    {"a role's account has twelve digits",
     ACTIVITY("{ source = \"logs\"; log_group = \"x\"; role = \"arn:aws:iam::4444:role/x\"; }"),
     IN_ACTIVITY ".role \"arn:aws:iam::4444:role/x\": " A_ROLE},
    {"a role is one of IAM",
     ACTIVITY("{ source = \"logs\"; log_group = \"x\"; "
              "role = \"arn:aws:sts::111122223333:role/x\"; }"),
     IN_ACTIVITY ".role \"arn:aws:sts::111122223333:role/x\": " A_ROLE},
    {"a role is in no region",
     ACTIVITY("{ source = \"logs\"; log_group = \"x\"; "
              "role = \"arn:aws:iam:eu-west-1:111122223333:role/x\"; }"),
     IN_ACTIVITY ".role \"arn:aws:iam:eu-west-1:111122223333:role/x\": " A_ROLE},
    {"a role has a name",
     ACTIVITY("{ source = \"logs\"; log_group = \"x\"; "
              "role = \"arn:aws:iam::111122223333:role/\"; }"),
     IN_ACTIVITY ".role \"arn:aws:iam::111122223333:role/\": " A_ROLE},
    {"the courier is one role", "aws: { role = " EACH "; };",
     "team.conf:1: aws.role " EACH ": " A_ROLE},
    {"a region ends in a number",
     ACTIVITY("{ source = \"logs\"; log_group = \"x\"; region = \"mars\"; }"),
     IN_ACTIVITY ".region \"mars\": must be a region of AWS, as in \"eu-west-1\""},
    {"a region ends in a number of its own", "aws: { region = \"eu-west1\"; };",
     "team.conf:1: aws.region \"eu-west1\": must be a region of AWS, as in \"eu-west-1\""},
    {"a region ends in something", "aws: { region = \"eu-west-\"; };",
     "team.conf:1: aws.region \"eu-west-\": must be a region of AWS, as in \"eu-west-1\""},
    {"what is too long is told the bounds", "aws: { activity_keep = \"4000d\"; };",
     "team.conf:1: aws.activity_keep \"4000d\": must be 1d to 3650d"},
    {"what is too short as well", "aws: { activity_keep = \"0s\"; };",
     "team.conf:1: aws.activity_keep \"0s\": must be 1d to 3650d"},
    {"a duration has a unit", "aws: { activity_keep = \"400\"; };",
     "team.conf:1: aws.activity_keep \"400\": " DURATION},
    {"a duration has the longest unit first", "aws: { activity_keep = \"1h2d\"; };",
     "team.conf:1: aws.activity_keep \"1h2d\": " DURATION},
    {"a duration has no leading zero", "aws: { activity_keep = \"05d\"; };",
     "team.conf:1: aws.activity_keep \"05d\": " DURATION},
    {"nothing is read twice from a log group",
     ACTIVITY(
         "{ source = \"logs\"; log_group = \"x\"; },\n{ source = \"logs\"; log_group = \"x\"; }"),
     "team.conf:2: aws.activity[1]: reads what aws.activity[0] reads already"},
    {"nothing is read twice from a store",
     ACTIVITY("{ source = \"lake\"; store = " STORE "; },\n{ source = \"lake\"; store = " STORE
              "; }"),
     "team.conf:2: aws.activity[1]: reads what aws.activity[0] reads already"},
    {"nothing is looked up twice in a region",
     ACTIVITY("{ source = \"lookup\"; regions = [\"a-1\", \"b-1\"]; role = " EACH "; },\n"
              "{ source = \"lookup\"; regions = [\"c-1\", \"b-1\"]; role = " EACH "; }"),
     "team.conf:2: aws.activity[1]: reads what aws.activity[0] reads already"},
    {"there are not too many sources", ACTIVITY("{}, {}, {}, {}, {}, {}, {}, {}, {}"),
     "team.conf:1: aws.activity: has 9 members; at most 8 can be"},
    {"a user has one name in AWS",
     "identity: { aws_users = ( { user = \"a\"; name = \"x\"; },\n { user = \"a\"; name = \"y\"; } "
     "); };",
     "team.conf:2: identity.aws_users[1].user \"a\": is the user of identity.aws_users[0] too"},
    {"two users are not one in AWS",
     "identity: { aws_users = ( { user = \"a\"; name = \"x\"; },\n { user = \"b\"; name = \"x\"; } "
     "); };",
     "team.conf:2: identity.aws_users[1].name \"x\": is the name of identity.aws_users[0] too: two "
     "people are not one"},
    {"a user of AWS is one of the host",
     "identity: { aws_users = ( { user = \"@a\"; name = \"x\"; } ); };",
     "team.conf:1: identity.aws_users[0].user \"@a\": must be a user, without blanks and any of "
     ":/,\"'\\*?"},
    {"a user of AWS has a name here",
     "identity: { aws_users = ( { user = \"\"; name = \"x\"; } ); };",
     "team.conf:1: identity.aws_users[0].user \"\": must not be empty"},
    {"a user of AWS has a name there", "identity: { aws_users = ( { user = \"a\"; } ); };",
     "team.conf:1: identity.aws_users[0]: \"name\" is missing"},
    {"a cgroup that is no path is refused", "sessions: { cgroup = \"on\"; };",
     "team.conf:1: sessions.cgroup \"on\": must be \"auto\", \"off\" or an absolute path without "
     "\"..\", \".\" and \"//\""},
    {"a cgroup path that climbs is refused", "sessions: { cgroup = \"/sys/../etc\"; };",
     "team.conf:1: sessions.cgroup \"/sys/../etc\": must be \"auto\", \"off\" or an absolute path "
     "without \"..\", \".\" and \"//\""},
    {"so is one with a dot", "sessions: { cgroup = \"/sys/./x\"; };",
     "team.conf:1: sessions.cgroup \"/sys/./x\": must be \"auto\", \"off\" or an absolute path "
     "without \"..\", \".\" and \"//\""},
    {"or two slashes", "sessions: { cgroup = \"/sys//x\"; };",
     "team.conf:1: sessions.cgroup \"/sys//x\": must be \"auto\", \"off\" or an absolute path "
     "without \"..\", \".\" and \"//\""},
    {"or nothing else", "sessions: { cgroup = \"/\"; };",
     "team.conf:1: sessions.cgroup \"/\": must be \"auto\", \"off\" or an absolute path "
     "without \"..\", \".\" and \"//\""},
    {"a bad ticket pattern is refused", "settings: { ticket_pattern = \"(A\"; };",
     "team.conf:1: settings.ticket_pattern \"(A\": is not a POSIX extended regular expression: "
     "Unmatched ( or \\("},

    /* who */
    {"a user with a blank is refused", "settings: { auditors = [\"ann lee\"]; };",
     "team.conf:1: settings.auditors[0] \"ann lee\": " WHO_MORE},
    {"a user with a control character is refused", "settings: { admins = [\"a\tb\"]; };",
     "team.conf:1: settings.admins[0] \"a?b\": " WHO_MORE},
    {"a user with an escaped control character is refused",
     "settings: { admins = [\"a\\x1bb\"]; };",
     "team.conf:1: settings.admins[0] \"a?b\": " WHO_MORE},
    {"an empty user is refused", "settings: { admins = [\"\"]; };",
     "team.conf:1: settings.admins[0] \"\": " WHO_MORE},
    {"a group without a name is refused", "settings: { admins = [\"@\"]; };",
     "team.conf:1: settings.admins[0] \"@\": " WHO_MORE},
    {"another prefix than idc is refused", "settings: { auditors = [\"@ldap:x\"]; };",
     "team.conf:1: settings.auditors[0] \"@ldap:x\": " WHO_MORE},
    {"an Identity Center group without a name is refused", "settings: { auditors = [\"@idc:\"]; };",
     "team.conf:1: settings.auditors[0] \"@idc:\": " WHO_FORM},
    {"an Identity Center group that begins with a blank is refused",
     "settings: { auditors = [\"@idc: x\"]; };",
     "team.conf:1: settings.auditors[0] \"@idc: x\": " WHO_FORM},
    {"a user's name that does not fit is refused", "settings: { auditors = [\"" T128 "\"]; };",
     "team.conf:1: settings.auditors[0] \"" T128
     "\": is longer than the 63 bytes that a name may have"},
    {"an Identity Center group that does not fit is refused",
     "settings: { auditors = [\"@idc:" T128 "\"]; };",
     "team.conf:1: settings.auditors[0] \"@idc:" T128
     "\": is longer than the 127 bytes that a name may have"},
    {"a group of Identity Center as admins is refused",
     "settings: { admins = [\"@idc:Admins\"]; };",
     "team.conf:1: settings.admins[0] \"@idc:Admins\": groups of Identity Center cannot be admins; "
     "name a user or a @group"},
    {"a user who is named twice is refused", "settings: { admins = [\"bob\",\n\"bob\"]; };",
     "team.conf:2: settings.admins[1] \"bob\": is there already"},

    /* classes */
    {"a service of a built-in class cannot move",
     "gate: { classes = { root = [\"polkit-1\"]; }; };",
     "team.conf:1: gate.classes.root[0] \"polkit-1\": is in class \"su\" already; a service has "
     "one "
     "class"},
    {"a service in two new classes is refused",
     "gate: { classes = { one = [\"x\"];\n two = [\n\"x\"\n]; }; };",
     "team.conf:3: gate.classes.two[0] \"x\": is in class \"one\" already; a service has one "
     "class"},
    {"a service that is named twice is refused", "gate: { classes = { ssh = [\"x\", \"x\"]; }; };",
     "team.conf:1: gate.classes.ssh[1] \"x\": is there already"},
    {"a service that is no file name is refused", "gate: { classes = { ssh = [\"../x\"]; }; };",
     "team.conf:1: gate.classes.ssh[0] \"../x\": must be the name of a PAM service, a file of "
     "/etc/pam.d, of at most 31 bytes"},
    {"a class without services is refused", "gate: { classes = { db = []; }; };",
     "team.conf:1: gate.classes.db: is empty: it must name at least one PAM service"},
    {"a wildcard is no class", "gate: { classes = { *a = [\"x\"]; }; };",
     "team.conf:1: gate.classes.*a: a class is at most 31 letters, digits, dashes and underscores"},

    /* exemptions */
    {"an exemption without who is refused", EXEMPT("{ classes = [\"su\"]; }"),
     "team.conf:1: gate.exempt[0]: \"who\" is missing"},
    {"an exemption without classes is refused", EXEMPT("{ who = [\"a\"]; }"),
     "team.conf:1: gate.exempt[0]: \"classes\" is missing"},
    {"an exemption of nobody is refused", EXEMPT("{ who = []; classes = [\"su\"]; }"),
     "team.conf:1: gate.exempt[0].who: is empty: it must name at least one user, @group or "
     "@idc:Group Name"},
    {"an exemption from nothing is refused", EXEMPT("{ who = [\"a\"]; classes = []; }"),
     "team.conf:1: gate.exempt[0].classes: is empty: it must name at least one of sudo, su, ssh, "
     "login"},
    {"an exemption from an unknown class is refused",
     EXEMPT("{ who = [\"a\"]; classes = [\"sshd\"]; }"),
     "team.conf:1: gate.exempt[0].classes[0] \"sshd\": is not a service class; there are sudo, su, "
     "ssh, login"},
    {"a class that is named twice is refused",
     EXEMPT("{ who = [\"a\"]; classes = [\"su\", \"su\"]; }"),
     "team.conf:1: gate.exempt[0].classes[1] \"su\": is there already"},
    {"an exemption that is given twice is refused",
     EXEMPT("{ who = [\"a\"]; classes = [\"su\"]; },\n{ who = [\"b\", \"a\"]; classes = [\"ssh\", "
            "\"su\"]; }"),
     "team.conf:2: gate.exempt[1]: \"a\" is exempt from some of these classes by gate.exempt[0] "
     "already"},
    {"an exemption of an Identity Center group is refused",
     EXEMPT("{ who = [\"@idc:Ops\"]; classes = [\"su\"]; }"),
     "team.conf:1: gate.exempt[0].who: can never match: groups of Identity Center do not count on "
     "a "
     "host, unless identity.trust_idc_on_host is true"},

    /* targets */
    {"a target with three parts is refused, on its line",
     "eligibility = (\n {},\n {},\n { name = \"e\"; " ALICE "targets = [\n"
     "    \"host:bastion/sudo/x\"\n  ];\n } );",
     "team.conf:2: eligibility[0]: \"name\" is missing\n"
     "team.conf:2: eligibility[0]: \"who\" is missing\n"
     "team.conf:2: eligibility[0]: \"targets\" is missing\n"
     "team.conf:3: eligibility[1]: \"name\" is missing\n"
     "team.conf:3: eligibility[1]: \"who\" is missing\n"
     "team.conf:3: eligibility[1]: \"targets\" is missing\n"
     "team.conf:5: eligibility[2].targets[0] \"host:bastion/sudo/x\": what stands after the slash "
     "is a service class (letters, digits, . _ -) or a permission set (letters, digits, _ + = , . "
     "@ "
     "-), at most 32 characters"},
    {"a bare service is no target of a policy", ELIGIBLE(ALICE "targets = [\"sudo\"];"),
     "team.conf:1: eligibility[0].targets[0] \"sudo\": " TARGET},
    {"a policy without targets is refused", ELIGIBLE(ALICE "targets = [];"),
     "team.conf:1: eligibility[0].targets: is empty: it must name at least one target, as in "
     "host:*/sudo"},
    {"a target that is named twice is refused",
     ELIGIBLE(ALICE "targets = [\"host:A/sudo\",\n\"host:a/sudo\"];"),
     "team.conf:2: eligibility[0].targets[1] \"host:a/sudo\": is there already"},
    {"a service instead of its class is refused", ELIGIBLE(ALICE "targets = [\"host:*/sudo-i\"];"),
     "team.conf:1: eligibility[0].targets[0] \"host:*/sudo-i\": can never match: \"sudo-i\" is a "
     "PAM service; its class is \"sudo\""},
    {"a class that does not exist is refused", ELIGIBLE(ALICE "targets = [\"host:*/db\"];"),
     "team.conf:1: eligibility[0].targets[0] \"host:*/db\": can never match: no service class is "
     "\"db\"; there are sudo, su, ssh, login"},
    {"a wildcard that fits no class is refused", ELIGIBLE(ALICE "targets = [\"host:*/x*\"];"),
     "team.conf:1: eligibility[0].targets[0] \"host:*/x*\": can never match: no service class is "
     "\"x*\"; there are sudo, su, ssh, login"},
    {"an account that is too short is refused", ELIGIBLE(ALICE "targets = [\"aws:1?/Admin\"];"),
     "team.conf:1: eligibility[0].targets[0] \"aws:1?/Admin\": can never match: an account has 12 "
     "digits"},

    /* eligibility */
    {"a policy without a name is refused", "eligibility = ( { " ALICE SUDO "} );",
     "team.conf:1: eligibility[0]: \"name\" is missing"},
    {"a policy with an empty name is refused", "eligibility = ( { name = \"\"; " ALICE SUDO "} );",
     "team.conf:1: eligibility[0].name \"\": must not be empty"},
    {"a policy's name that ends with a blank is refused",
     "eligibility = ( { name = \"x \"; " ALICE SUDO "} );",
     "team.conf:1: eligibility[0].name \"x \": must not begin or end with a blank"},
    {"a policy's name with a line in it is refused",
     "eligibility = ( { name = \"x\\ny\"; " ALICE SUDO "} );",
     "team.conf:1: eligibility[0].name \"x?y\": must be one line of UTF-8 without control "
     "characters"},
    {"two policies of one name are refused",
     "eligibility = ( { name = \"e\"; " ALICE SUDO "},\n{ name = \"e\"; " ALICE SUDO "} );",
     "team.conf:2: eligibility[1].name \"e\": is the name of eligibility[0] too"},
    {"a policy for nobody is refused", ELIGIBLE("who = []; " SUDO),
     "team.conf:1: eligibility[0].who: is empty: it must name at least one user, @group or "
     "@idc:Group Name"},
    {"a policy that only Identity Center groups could use on hosts is refused",
     ELIGIBLE("who = [\"@idc:Ops\"]; " SUDO), "team.conf:1: eligibility[0].who: " NO_IDC},
    {"a ticket of a policy that does not fit is refused",
     ELIGIBLE(ALICE SUDO "ticket = \"" T128 "\";"),
     "team.conf:1: eligibility[0].ticket \"" T128 "\": is longer than 64 bytes"},

    /* approvers */
    {"two approver policies of one name are refused",
     "approvers = ( { name = \"a\"; " ALICE SUDO "},\n{ name = \"a\"; " ALICE SUDO "} );",
     "team.conf:2: approvers[1].name \"a\": is the name of approvers[0] too"},
    {"a quorum of nobody is refused", APPROVERS(ALICE "quorum = 0;"),
     "team.conf:1: approvers[0].quorum 0: must be 1 to 16"},
    {"a quorum below zero is refused", APPROVERS(ALICE "quorum = -1;"),
     "team.conf:1: approvers[0].quorum -1: must be 1 to 16"},
    {"a quorum of more users than are named is refused",
     APPROVERS("who = [\"bob\", \"carol\"];\nquorum = 3;"),
     "team.conf:2: approvers[0].quorum 3: can never be reached: 3 must approve, and who names 2 "
     "that "
     "can (nobody approves their own request)"},
    {"an approver for nobody but themself is refused",
     APPROVERS("requesters = [\"alice\"];\n" ALICE),
     "team.conf:2: approvers[0].who: can never be reached: 1 must approve, and who names 0 that "
     "can "
     "(nobody approves their own request)"},
    {"requests of nobody are refused", APPROVERS(ALICE "requesters = [];"),
     "team.conf:1: approvers[0].requesters: is empty: it must name at least one user, @group or "
     "@idc:Group Name"},
    {"approvers that only Identity Center knows are refused on hosts",
     APPROVERS("who = [\"@idc:Leads\"];"), "team.conf:1: approvers[0].who: " NO_IDC},
    {"requesters that only Identity Center knows are refused on hosts",
     APPROVERS(ALICE "requesters = [\"@idc:Ops\"];"),
     "team.conf:1: approvers[0].requesters: " NO_IDC},
};

static void names_the_mistake(void **state)
{
    const struct mistake *m = *state;
    struct config *c = NULL;

    need_root();
    write_text("team.conf", m->text);
    assert_int_equal(load("team.conf", &c), -EINVAL);
    assert_null(c);
    assert_string_equal(said.text, m->expect);
}

/* ---- warnings ---------------------------------------------------------------------------------
 */

static const struct mistake WARNINGS[] = {
    {"an empty file denies everything, and says so", "",
     "warning: team.conf: no eligibility policy: nobody may ask for anything"},
    {"a file of comments denies everything, and says so", "# nothing\n/* at\nall */ // here",
     "warning: team.conf: no eligibility policy: nobody may ask for anything"},
    {"empty sections and lists are allowed",
     "settings: {}; host: {}; gate: { exempt = (); classes = {}; }; sessions: { warn = []; };\n"
     "identity: {}; eligibility = (); approvers = ();",
     "warning: team.conf: no eligibility policy: nobody may ask for anything"},
    {"a policy that asks for approval that nobody can give is warned of", ELIGIBLE(ALICE SUDO),
     "warning: team.conf: no approver policy: what needs approval will be refused"},
    {"a policy longer than the cap is warned of",
     ELIGIBLE(ALICE SUDO FREE "\nmax_duration = \"10h\";"),
     "warning: team.conf:2: eligibility[0].max_duration \"10h\": settings.max_duration is shorter, "
     "and holds"},
    {"root as a requester is warned of", ELIGIBLE("who = [\"alice\", \"root\"];" SUDO FREE),
     "warning: team.conf:1: eligibility[0].who: root neither requests nor approves: naming root "
     "here does nothing"},
};

static void warns_and_loads(void **state)
{
    const struct mistake *m = *state;
    struct config *c = NULL;

    need_root();
    write_text("team.conf", m->text);
    assert_int_equal(load("team.conf", &c), 0);
    assert_string_equal(said.text, m->expect);
    config_free(c);
}

/* ---- limits -----------------------------------------------------------------------------------
 */

static const struct limit {
    const char *says, *head, *each, *tail;
    int most;
    const char *expect;
} LIMITS[] = {
    {"512 users and groups fit, and one more is refused",
     "eligibility = ( { name = \"e\"; " SUDO FREE "who = [", "\"u#\"", "]; } );", 512,
     "team.conf:1: eligibility[0].who[512] \"u512\": more than 512 different users and groups are "
     "named; put people in groups"},
    {"2048 targets fit, and one more is refused",
     "eligibility = ( { name = \"e\"; " ALICE FREE "targets = [", "\"host:h#/sudo\"", "]; } );",
     2048,
     "team.conf:1: eligibility[0].targets[2048] \"host:h2048/sudo\": all policies together have "
     "more "
     "than 2048 targets; use wildcards"},
    {"512 policies fit, and one more is refused", "eligibility = (",
     "{ name = \"e#\"; " ALICE SUDO FREE "}", ");", 512,
     "team.conf:1: eligibility: has 513 members; at most 512 can be"},
    {"512 approver policies fit, and one more is refused",
     ELIGIBLE(ALICE SUDO FREE) "approvers = (", "{ name = \"a#\"; " ALICE SUDO "}", ");", 512,
     "team.conf:2: approvers: has 513 members; at most 512 can be"},
    {"64 exemptions fit, and one more is refused", ELIGIBLE(ALICE SUDO FREE) "gate: { exempt = (",
     "{ who = [\"u#\"]; classes = [\"su\"]; }", "); };", 64,
     "team.conf:2: gate.exempt: has 65 members; at most 64 can be"},
    {"64 services fit, and one more is refused",
     ELIGIBLE(ALICE SUDO FREE) "gate: { classes = { x = [", "\"s#\"", "]; }; };", 64 - 9,
     "team.conf:2: gate.classes.x[55] \"s55\": there can be at most 64 services, the built-in ones "
     "included"},
    {"16 classes fit, and one more is refused", ELIGIBLE(ALICE SUDO FREE) "gate: { classes = { ",
     "c# = [\"s#\"]", "; }; };", 16 - 4,
     "team.conf:2: gate.classes.c12: there can be at most 16 classes, the built-in ones included"},
};

static void limit_holds(void **state)
{
    const struct limit *l = *state;
    struct config *c = NULL;

    need_root();
    write_many(l->head, l->each, l->most, l->tail);
    assert_int_equal(load("team.conf", &c), 0);
    assert_string_equal(said.text, "");
    c = config_free(c);
    write_many(l->head, l->each, l->most + 1, l->tail);
    assert_int_equal(load("team.conf", &c), -EINVAL);
    assert_string_equal(said.text, l->expect);
}

/* ---- all of it --------------------------------------------------------------------------------
 */

int main(void)
{
    for (size_t i = 0; i < SIZE(MISTAKES); i++)
        add(MISTAKES[i].says, names_the_mistake, &MISTAKES[i]);
    for (size_t i = 0; i < SIZE(WARNINGS); i++)
        add(WARNINGS[i].says, warns_and_loads, &WARNINGS[i]);
    for (size_t i = 0; i < SIZE(LIMITS); i++)
        add(LIMITS[i].says, limit_holds, &LIMITS[i]);
    return _cmocka_run_group_tests("config", all, n_all, set_up, tear_down);
}
