/* One message of each kind and op, in words: NAME=value, groups as NAME(|...|). Its bytes are in
 * tests/golden/NAME.hex; they never change for a version that was released. */
#pragma once

#include <team/proto.h>

struct golden {
    const char *file;
    enum team_kind kind;
    unsigned op;
    const char *fields;
};

/* clang-format off */
static const struct golden GOLDEN[] = {
    {"wire-ask-account", TEAM_ASK, TEAM_OP_ACCOUNT,
     "SERVICE=sudo|UID=1001|USER=alice|RUSER=alice|TTY=/dev/pts/3"},
    {"wire-ask-open", TEAM_ASK, TEAM_OP_OPEN,
     "SERVICE=sshd|UID=0|USER=alice|TTY=ssh|RHOST=192.0.2.7"},
    {"wire-ask-close", TEAM_ASK, TEAM_OP_CLOSE,
     "SERVICE=sudo|UID=1001|USER=root"},
    {"wire-ask-confirm", TEAM_ASK, TEAM_OP_CONFIRM,
     "SERVICE=sudo|UID=1001|USER=root|TTY=/dev/pts/3|SESSION=42"},
    {"wire-ask-await", TEAM_ASK, TEAM_OP_AWAIT,
     "SERVICE=sudo|UID=1001|USER=alice|RUSER=alice|TTY=/dev/pts/3|ID=K7QF2M9X"},
    {"wire-ask-file", TEAM_ASK, TEAM_OP_FILE,
     "SERVICE=sudo|UID=1001|USER=alice|TTY=/dev/pts/3|FOR_S=3600|REASON=rotate certs|TICKET=CHG-4711"},
    {"wire-ask-request", TEAM_ASK, TEAM_OP_REQUEST,
     "TARGET_NAME=host:bastion-1/sudo|TARGET_NAME=aws:111122223333/ReadOnlyAccess|FOR_S=7200|"
     "REASON=rotate certs in M\xc3\xbcnchen|TICKET=CHG-4711|START=1767225600000000"},
    {"wire-ask-decide", TEAM_ASK, TEAM_OP_DECIDE,
     "ID=K7QF2M9X|DECISION=approved|COMMENT=go ahead"},
    {"wire-ask-cancel", TEAM_ASK, TEAM_OP_CANCEL,
     "ID=K7QF"},
    {"wire-ask-revoke", TEAM_ASK, TEAM_OP_REVOKE,
     "ID=K7QF2M9X|COMMENT=done early"},
    {"wire-ask-extend", TEAM_ASK, TEAM_OP_EXTEND,
     "ID=K7QF2M9X|FOR_S=1800|REASON=takes longer"},
    {"wire-ask-reload", TEAM_ASK, TEAM_OP_RELOAD,
     ""},
    {"wire-ask-backup", TEAM_ASK, TEAM_OP_BACKUP,
     ""},
    {"wire-ask-list", TEAM_ASK, TEAM_OP_LIST,
     "MINE=1|STATES=pending,active|USER=alice|TARGET_NAME=host:*/sudo|SINCE=1767225600000000|"
     "UNTIL=1767312000000000|LIMIT=50"},
    {"wire-ask-pending", TEAM_ASK, TEAM_OP_PENDING,
     ""},
    {"wire-ask-show", TEAM_ASK, TEAM_OP_SHOW,
     "ID=K7QF2M9X"},
    {"wire-ask-targets", TEAM_ASK, TEAM_OP_TARGETS,
     ""},
    {"wire-ask-audit", TEAM_ASK, TEAM_OP_AUDIT,
     "SINCE=1767225600000000|UNTIL=1767312000000000|USER=alice|ACTION=approve|ID=K7QF2M9X"},
    {"wire-ask-why", TEAM_ASK, TEAM_OP_WHY,
     "TARGET_NAME=host:bastion-1/sudo|USER=alice|FOR_S=3600"},
    {"wire-ask-wait", TEAM_ASK, TEAM_OP_WAIT,
     "ID=K7QF2M9X"},
    {"wire-ask-status", TEAM_ASK, TEAM_OP_STATUS,
     ""},
    {"wire-ask-sessions", TEAM_ASK, TEAM_OP_SESSIONS,
     ""},
    {"wire-ask-follow", TEAM_ASK, TEAM_OP_AUDIT,
     "SINCE=1767225600000000|FOLLOW=1"},
    {"wire-ask-watch", TEAM_ASK, TEAM_OP_WATCH,
     ""},
    {"wire-ask-refresh", TEAM_ASK, TEAM_OP_REFRESH,
     ""},
    {"wire-ask-reconcile", TEAM_ASK, TEAM_OP_RECONCILE,
     ""},
    {"wire-ask-drift", TEAM_ASK, TEAM_OP_DRIFT,
     ""},
    {"wire-ask-work", TEAM_ASK, TEAM_OP_WORK,
     ""},
    {"wire-ask-result", TEAM_ASK, TEAM_OP_RESULT,
     "JOB=77|ROUND=3|OUTCOME=failed|TEXT=Identity Center has no such user any more"},
    {"wire-ask-read", TEAM_ASK, TEAM_OP_READ,
     "JOB=1767225600000000|ROUND=1|"
     "ROW(|KIND=org|IDENTITY=arn:aws:sts::999900001111:assumed-role/courier/i-0123|"
     "OWN_ACCOUNT=999900001111|MANAGEMENT=888800001111|"
     "INSTANCE=arn:aws:sso:::instance/ssoins-0123456789abcdef|)|"
     "ROW(|KIND=unit|UNIT=r-ab12|LABEL=Root|)|"
     "ROW(|KIND=unit|UNIT=ou-ab12-11111111|LABEL=Work loads|PARENT=r-ab12|)|"
     "ROW(|KIND=account|ACCOUNT=011122223333|LABEL=Prod M\xc3\xbcnchen|PARENT=ou-ab12-11111111|"
     "STATE=active|)|"
     "ROW(|KIND=set|SET_ARN=arn:aws:sso:::permissionSet/ssoins-0123456789abcdef/ps-0123456789abcdef|"
     "PERMISSION_SET=AdministratorAccess|SESSION_S=3600|MANAGED=1|)|"
     "ROW(|KIND=user|PRINCIPAL=906789abcd-12345678-1234-1234-1234-123456789abc|LABEL=alice@example.com|)|"
     "ROW(|KIND=group|PRINCIPAL=12345678-1234-1234-1234-123456789abd|LABEL=Cloud Admins|)|"
     "ROW(|KIND=members|PRINCIPAL=12345678-1234-1234-1234-123456789abd|MEMBERS=0|)|LAST=1"},
    {"wire-ask-seen", TEAM_ASK, TEAM_OP_SEEN,
     "JOB=1767225600000001|ROUND=1|ROW(|ACCOUNT=011122223333|"
     "SET_ARN=arn:aws:sso:::permissionSet/ssoins-0123456789abcdef/ps-0123456789abcdef|KIND=user|"
     "PRINCIPAL=906789abcd-12345678-1234-1234-1234-123456789abc|)"},
    {"wire-answer-yes", TEAM_ANSWER, TEAM_OP_ACCOUNT,
     "CODE=0"},
    {"wire-answer-no", TEAM_ANSWER, TEAM_OP_ACCOUNT,
     "CODE=3|TEXT=no active elevation for sudo on bastion-1; run: teamctl request sudo --for 1h"},
    {"wire-answer-no-wait", TEAM_ANSWER, TEAM_OP_ACCOUNT,
     "CODE=3|TEXT=request K7QF2M9X is waiting for bob or carol|ID=K7QF2M9X"},
    {"wire-answer-no-needs", TEAM_ANSWER, TEAM_OP_ACCOUNT,
     "CODE=3|TEXT=no active elevation for sudo on bastion-1|NEEDS=ticket"},
    {"wire-answer-await", TEAM_ANSWER, TEAM_OP_AWAIT,
     "CODE=0|TEXT=approved by bob|ID=K7QF2M9X|STATE=active"},
    {"wire-answer-file", TEAM_ANSWER, TEAM_OP_FILE,
     "CODE=0|TEXT=waiting for bob or carol|ID=K7QF2M9X|STATE=pending"},
    {"wire-answer-open", TEAM_ANSWER, TEAM_OP_OPEN,
     "CODE=0|SESSION=42"},
    {"wire-answer-open-contained", TEAM_ANSWER, TEAM_OP_OPEN,
     "CODE=0|SESSION=42|CGROUP=/sys/fs/cgroup/system.slice/team-sessions.service/s12/s42"},
    {"wire-answer-confirm", TEAM_ANSWER, TEAM_OP_CONFIRM,
     "CODE=0|SESSION=42"},
    {"wire-answer-request", TEAM_ANSWER, TEAM_OP_REQUEST,
     "CODE=0|ID=K7QF2M9X|STATE=pending"},
    {"wire-rows-job", TEAM_ROWS, TEAM_ROW_JOB,
     "ROW(|JOB=77|ROUND=3|STEP=make|ACCOUNT=011122223333|"
     "SET_ARN=arn:aws:sso:::permissionSet/ssoins-0123456789abcdef/ps-0123456789abcdef|"
     "PRINCIPAL=906789abcd-12345678-1234-1234-1234-123456789abc|)|"
     "ROW(|JOB=1767225600000000|ROUND=1|STEP=refresh|)"},
    {"wire-rows-drift", TEAM_ROWS, TEAM_ROW_DRIFT,
     "ROW(|ACCOUNT=011122223333|ACCOUNT_NAME=prod|PERMISSION_SET=AdministratorAccess|KIND=user|"
     "PRINCIPAL=906789abcd-12345678-1234-1234-1234-123456789abc|LABEL=alice@example.com|)"},
    {"wire-rows-aws-target", TEAM_ROWS, TEAM_ROW_TARGET,
     "ROW(|TARGET_NAME=aws:011122223333/AdministratorAccess|FOR_S=14400|APPROVAL_REQUIRED=1|"
     "WAITING_FOR=bob|POLICY=sre|ACCOUNT_NAME=prod|PATH=Root/Work loads|)"},
    {"wire-rows-aws-request", TEAM_ROWS, TEAM_ROW_REQUEST,
     "ROW(|ID=K7QF2M9X|REQUESTER=alice|STATE=active|"
     "TARGET(|TARGET_NAME=aws:011122223333/AdministratorAccess|STATE=open|ACCOUNT=011122223333|"
     "ACCOUNT_NAME=prod|PERMISSION_SET=AdministratorAccess|CREDENTIALS_UNTIL=1767240001000000|"
     "TROUBLE=AWS says: slower|PORTAL=https://x.awsapps.com/start|SSO_REGION=eu-west-1|)|"
     "REASON=x|REQUESTED_AT=1767225600000000|DURATION_S=7200|APPROVAL_REQUIRED=1|HOST=bastion-1|)"},
    {"wire-rows-request", TEAM_ROWS, TEAM_ROW_REQUEST,
     "ROW(|ID=K7QF2M9X|REQUESTER=alice|STATE=active|"
     "TARGET(|TARGET_NAME=host:bastion-1/sudo|STATE=open|)|"
     "TARGET(|TARGET_NAME=aws:111122223333/ReadOnlyAccess|STATE=opening|)|"
     "REASON=rotate certs|TICKET=CHG-4711|REQUESTED_AT=1767225600000000|"
     "REQUESTED_START=1767229200000000|DURATION_S=7200|ACTIVE_FROM=1767229201000000|"
     "ACTIVE_UNTIL=1767236401000000|APPROVAL_REQUIRED=1|"
     "DECISION_MADE(|BY=bob|AT=1767225700000000|DECISION=approved|COMMENT=ok|ABOUT=request|)|"
     "EXTENSION(|FOR_S=1800|REASON=takes longer|REQUESTED_AT=1767236000000000|WAITING_FOR=bob|"
     "WAITING_FOR=carol|)|HOST=bastion-1|)|"
     "ROW(|ID=7ZZZZZZ0|REQUESTER=erin|STATE=revoked|TARGET(|TARGET_NAME=host:bastion-1/sudo|"
     "STATE=closed|)|REASON=look|REQUESTED_AT=1767225600000001|DURATION_S=60|"
     "ENDED_AT=1767225600000002|APPROVAL_REQUIRED=0|REVOKED_BY=policy|REVOKE_COMMENT=gone|"
     "FAILURE=none|HOST=bastion-1|)"},
    {"wire-rows-session", TEAM_ROWS, TEAM_ROW_SESSION,
     "ROW(|SESSION=42|ID=K7QF2M9X|USER=alice|SERVICE=sudo|TARGET_USER=root|TTY=/dev/pts/3|"
     "RHOST=192.0.2.7|STATE=live|LEADER=4711|STARTED_AT=1767229300000000|"
     "ENDED_AT=1767229400000000|ENDED_HOW=killed|COMMAND=/usr/bin/id -u|LOGIN_UID=2001|AUDIT_SESSION=5|CONTAINED=1|"
     "ESCAPED=0|)"},
    {"wire-rows-target", TEAM_ROWS, TEAM_ROW_TARGET,
     "ROW(|TARGET_NAME=host:bastion-1/sudo|FOR_S=14400|APPROVAL_REQUIRED=1|WAITING_FOR=bob|"
     "WAITING_FOR=carol|POLICY=sre|TICKET=CHG-1|)"},
    {"wire-rows-event", TEAM_ROWS, TEAM_ROW_EVENT,
     "ROW(|SEQ=18446744073709551615|AT=1767225600000000|HOST=bastion-1|BY=bob|ACTION=approve|"
     "ID=K7QF2M9X|TARGET_NAME=host:bastion-1/sudo|OUTCOME=done|DETAIL=ok|PREV=00ff|HASH=ff00|)"},
    {"wire-rows-finding", TEAM_ROWS, TEAM_ROW_FINDING,
     "ROW(|OUTCOME=no|TEXT=no eligibility policy covers alice for host:bastion-1/su|)"},
    {"wire-rows-news", TEAM_ROWS, TEAM_ROW_NEWS,
     "ROW(|TEXT=approved by bob, 1 of 2; waiting for carol|)"},
    {"wire-ask-logs", TEAM_ASK, TEAM_OP_LOGS,
     "ID=K7QF2M9X|SOURCE=aws|SINCE=1767225600000000|UNTIL=1767229200000000|MATCH=Delet"
     "e Bucket|ERRORS=1|WITH_RAW=1|FOLLOW=1"},
    {"wire-ask-search", TEAM_ASK, TEAM_OP_SEARCH,
     "MATCH=arn:aws:s3|USER=alice|SINCE=1767225600000000"},
    {"wire-ask-found", TEAM_ASK, TEAM_OP_FOUND,
     "JOB=1767225600000001|ROUND=1|ROW(|KIND=call|AT=1767227600000000|EVENT_ID=8d4e|EV"
     "ENT_NAME=RunInstances|EVENT_SOURCE=ec2.amazonaws.com|RAW={}|RAW_SIZE=300000|)|RO"
     "W(|KIND=gap|AT=1767227600000000|UNTIL=1767228020000000|TEXT=AWS says: slower|)"},
    {"wire-rows-activity", TEAM_ROWS, TEAM_ROW_ACTIVITY,
     "ROW(|KIND=call|AT=1767227600000000|EVENT_ID=8d4e|EVENT_NAME=RunInstances|EVENT_S"
     "OURCE=ec2.amazonaws.com|REGION=eu-west-1|ADDRESS=192.0.2.7|RESOURCE=i-1|ERROR=Ac"
     "cessDenied|READ_ONLY=0|RAW={}|RAW_SIZE=300000|ID=K7QF2M9X|USER=alice|TARGET_NAME"
     "=aws:111122223333/Admin|ACCOUNT=111122223333|ACCOUNT_NAME=prod|ALSO=7ZZZZZZ0|)"},
    {"wire-rows-collected", TEAM_ROWS, TEAM_ROW_COLLECTED,
     "ROW(|TARGET_NAME=aws:111122223333/Admin|UNTIL=1767229200000000|LAST=1|CALLS=500|"
     "CHANGES=20|FAULTS=3|GAPS=2|TEXT=not collected|)"},
    {"wire-rows-status", TEAM_ROWS, TEAM_ROW_STATUS,
     "ROW(|NAME=version|VALUE=0.1.0|)|ROW(|NAME=requests.live|VALUE=12|)"},
};
/* clang-format on */
