/* Deciding: who approves, what a quorum is, and how a request ends early. script.h says how a row
 * reads. */
#include "script.h"

#define PEOPLE       \
    "admins grace\n" \
    "auditors frank\n"
#define MAY   "may sre alice,dave,bob host:bastion-1/sudo,host:bastion-1/su 4h\n" PEOPLE
#define PLAIN MAY "rule leads bob,carol host:*/*\n"
#define TWO   MAY "rule leads bob,carol host:*/* quorum 2\n"
#define FREE  "may sre alice host:bastion-1/sudo 4h free\n" PEOPLE "rule leads bob host:*/*\n"

static const struct row ROWS[] = {
    /* ---- how far it has come ---- */
    {"before anybody has approved, it is told who could", TWO,
     "alice request sudo 1h\nprogress R1 => waiting for bob or carol\n"},
    {"who approved, and how many of how many", TWO,
     "alice request sudo 1h\nbob approve R1\n"
     "progress R1 => approved by bob, 1 of 2; waiting for carol\n"},
    {"two targets are not counted", TWO,
     "alice request sudo,su 1h\ncarol approve R1\n"
     "progress R1 => approved by carol; waiting for bob\n"},
    {"two rules are not counted",
     MAY "rule leads bob,carol host:*/* quorum 2\nrule sec erin host:*/* mandatory\n",
     "alice request sudo 1h\nbob approve R1\n"
     "progress R1 => approved by bob; waiting for erin\n"},
    {"a rule for others is not in the way",
     MAY "rule sec erin host:*/* of dave\nrule leads bob,carol host:*/* quorum 2\n",
     "alice request sudo 1h\nbob approve R1\n"
     "progress R1 => approved by bob, 1 of 2; waiting for carol\n"},
    {"where the rule is gone, nothing is counted", TWO "--\n" MAY,
     "alice request sudo 1h\nbob approve R1\npolicy second\n"
     "progress R1 => approved by bob; waiting for an approver\n"},
    {"the last of several is named", MAY "rule leads bob,carol,erin host:*/* quorum 3\n",
     "alice request sudo 1h\nbob approve R1\nerin approve R1\n"
     "progress R1 => approved by erin, 2 of 3; waiting for carol\n"},
    /* ---- approve ---- */
    {"one approval is enough for a quorum of one", PLAIN,
     "alice request sudo 1h\n"
     "bob approve R1 => done active: approved; active for 1h\n"
     "trail => request.approve bob done, request.schedule - done, request.start - done, "
     "request.active - done\n"
     "alice gate sudo => yes: under REQ00001\n"
     "window R1 => 1h left 1h\n"},
    {"a late approval takes nothing away from the window", PLAIN,
     "alice request sudo 1h\n"
     "pass 2h\n"
     "bob approve R1\n"
     "window R1 => 1h left 1h\n"},
    {"a quorum of two needs two", TWO,
     "alice request sudo 1h\n"
     "bob approve R1 => done pending: approved by you; still waiting for carol\n"
     "trail => request.approve bob done\n"
     "waiting R1 => carol\n"
     "alice gate sudo => no: request REQ00001 is waiting for carol\n"
     "carol approve R1 => done active\n"},
    {"the same person twice is one approval", TWO,
     "alice request sudo 1h\n"
     "bob approve R1 => done pending\n"
     "bob approve R1 => state pending: it is pending, and you have approved it already\n"
     "state R1 => pending\n"},
    {"the same person under two names is one approval",
     MAY "rule leads alice,alicia,carol host:*/* quorum 2\n",
     "dave request sudo 1h\n"
     "alice approve R1 => done pending\n"
     "alicia approve R1 => state pending\n"
     "carol approve R1 => done active\n"},
    {"who approved may still reject", TWO,
     "alice request sudo 1h\n"
     "bob approve R1 => done pending\n"
     "bob reject R1 => done rejected: rejected\n"},
    {"an approval with a start to come schedules", PLAIN,
     "alice request sudo 1h start=+2h\n"
     "bob approve R1 => done scheduled: approved; starts in 2h\n"
     "trail => request.approve bob done, request.schedule - done\n"
     "bob approve R1 => state scheduled: it is scheduled; there is nothing to decide\n"},
    {"an approval after the start activates at once", PLAIN,
     "alice request sudo 1h start=+1h\n"
     "pass 2h\n"
     "bob approve R1 => done active\n"
     "window R1 => 1h left 1h\n"},

    /* ---- comments ---- */
    {"a decision needs a comment", PLAIN,
     "alice request sudo 1h\n"
     "bob approve R1 comment= => usage pending: a comment is required; give one with --comment\n"
     "bob reject R1 comment= => usage pending: a comment is required; give one with --comment\n"
     "trail => nothing\n"
     "state R1 => pending\n"},
    {"unless the settings do without", PLAIN "set comment no\n",
     "alice request sudo 1h\n"
     "bob approve R1 comment= => done active\n"},

    /* ---- who ---- */
    {"the requester is an approver, but not of their own", PLAIN,
     "bob request sudo 1h => done pending: waiting for carol\n"
     "bob approve R1 => refused pending: it is your own request; somebody else has to decide it "
     "(carol "
     "could)\n"
     "trail => request.approve bob refused\n"
     "detail => host:bastion-1/sudo; it is your own request; somebody else has to decide it (carol "
     "could)\n"
     "bob reject R1 => refused\n"
     "trail => request.reject bob refused\n"
     "carol approve R1 => done active\n"},
    {"who wants to approve what is their own and over is told the first", PLAIN,
     "bob request sudo 1h\n"
     "bob cancel R1\n"
     "bob approve R1 => refused cancelled: it is your own request; somebody else has to decide "
     "it\n"},
    {"nobody approves their own by a second account", MAY "rule leads alicia,carol host:*/*\n",
     "alice request sudo 1h\n"
     "alicia approve R1 => refused pending:~ your own request\n"},
    {"nobody approves their own through a group", MAY "rule leads @sre,carol host:*/*\n",
     "alice request sudo 1h => done pending: waiting for carol or dave\n"
     "alice approve R1 => refused pending:~ your own request\n"
     "dave approve R1 => done active\n"},
    {"who became an approver by su does not decide", PLAIN,
     "alice request sudo 1h\n"
     "bob@alice approve R1 => refused: you are uid 1002 but logged in as uid 1001; log in as "
     "yourself\n"
     "trail => identity.check bob refused\n"
     "state R1 => pending\n"},
    {"an approver without login uid does not decide", PLAIN,
     "alice request sudo 1h\n"
     "bob@unset approve R1 => refused:~ login uid is not set\n"},
    {"an approver inside an elevated session does not decide", PLAIN,
     "alice request sudo 1h\n"
     "bob! approve R1 => refused: who is elevated does not ask or decide; do it from your own "
     "login\n"
     "bob! reject R1 => refused\n"},
    {"root does not decide", PLAIN "rule all root host:*/*\n",
     "alice request sudo 1h\n"
     "root approve R1 => refused pending: root is nobody in particular, and can neither ask nor "
     "decide; do "
     "it as yourself\n"
     "root reject R1 => refused\n"
     "trail => request.reject root refused\n"},
    {"admins do not decide where they are no approvers", PLAIN,
     "alice request sudo 1h\n"
     "grace approve R1 => refused pending: no approver policy lets you decide it\n"},
    {"auditors do not decide", PLAIN,
     "alice request sudo 1h\n"
     "frank reject R1 => refused pending: no approver policy lets you decide it\n"},
    {"a stranger learns nothing", PLAIN,
     "alice request sudo 1h\n"
     "mallory approve R1 => not-found: no such request, or not yours to see\n"
     "mallory approve R7 => not-found: no such request, or not yours to see\n"
     "trail => nothing\n"
     "4242 approve R1 => not-found\n"},
    {"root is told what it has to do with it before others", PLAIN,
     "root approve R7 => not-found\n"},

    /* ---- membership counts now ---- */
    {"who is no approver any more does not decide", MAY "rule leads @leads host:*/*\n",
     "alice request sudo 1h\n"
     "group bob -leads\n"
     "look bob\n"
     "bob approve R1 => not-found\n"
     "waiting R1 => carol\n"},
    {"approvals of people who are no approvers any more don't count",
     MAY "rule leads @leads,erin host:*/* quorum 2\n",
     "alice request sudo 1h\n"
     "bob approve R1 => done pending: approved by you; still waiting for carol or erin\n"
     "group bob -leads\n"
     "look bob\n"
     "carol approve R1 => done pending: approved by you; still waiting for erin\n"
     "erin approve R1 => done active\n"},
    {"approvals of people whom nobody can look up don't count", TWO,
     "alice request sudo 1h\n"
     "bob approve R1 => done pending\n"
     "group bob +hidden\n"
     "list\n"
     "carol approve R1 => done pending: approved by you; still waiting for an approver\n"
     "group bob -hidden\n"
     "look bob\n"
     "state R1 => pending\n"
     "carol approve R1 => done active: approved; active for 1h\n"},
    {"a quorum that a new policy lowers is completed by whoever says so again", TWO "--\n" PLAIN,
     "alice request sudo 1h\n"
     "bob approve R1 => done pending\n"
     "policy second\n"
     "state R1 => pending\n"
     "bob approve R1 => done active\n"},
    {"an approval when the policy needs none any more completes",
     TWO "--\n" PLAIN "set approval no\n",
     "alice request sudo 1h\n"
     "policy second\n"
     "state R1 => pending\n"
     "waiting R1 => nobody\n"
     "carol approve R1 => done active\n"},
    {"a requester who is not eligible any more is cancelled by the approval",
     MAY "may more @sre host:*/login 1h\nrule leads bob,carol host:*/*\n",
     "alice request login 1h\n"
     "group alice -sre\n"
     "group alicia -sre\n"
     "bob approve R1 => done active\n"
     "look alice\n"
     "pass 1s\n"
     "state R1 => revoked\n"},
    {"a requester who cannot be looked up is not approved, but can be rejected", PLAIN,
     "alice request sudo 1h\n"
     "group alice +hidden\n"
     "list\n"
     "bob approve R1 => failed pending: the requester cannot be looked up right now; try again\n"
     "state R1 => pending\n"
     "carol reject R1 => done rejected\n"},

    /* ---- several rules, several targets ---- */
    {"any rule with its quorum is enough",
     MAY "rule leads bob,carol host:*/* quorum 2\nrule sec erin host:*/*\n",
     "alice request sudo 1h => done pending: waiting for bob, carol or erin\n"
     "erin approve R1 => done active\n"},
    {"approvals under different rules are not added up",
     MAY "rule leads bob,carol host:*/* quorum 2\nrule sec erin,ivan host:*/* quorum 2\n",
     "alice request sudo 1h => done pending: waiting for bob, carol, erin or ivan\n"
     "bob approve R1 => done pending\n"
     "erin approve R1 => done pending: approved by you; still waiting for carol or ivan\n"
     "ivan approve R1 => done active\n"},
    {"a mandatory rule is needed, and enough",
     MAY "rule leads bob,carol host:*/*\nrule sec erin,ivan host:*/sudo mandatory\n",
     "alice request sudo 1h => done pending: waiting for erin or ivan\n"
     "bob approve R1 => done pending: approved by you; still waiting for erin or ivan\n"
     "erin approve R1 => done active\n"
     "alice request sudo 1h\n"
     "ivan approve R2 => done active\n"},
    {"all mandatory rules are needed",
     MAY "rule leads bob host:*/* mandatory\nrule sec erin host:*/sudo mandatory\n",
     "alice request sudo 1h => done pending: waiting for bob or erin\n"
     "bob approve R1 => done pending: approved by you; still waiting for erin\n"
     "erin approve R1 => done active\n"},
    {"a mandatory rule that is complete waits for nobody",
     MAY "rule leads bob,carol host:*/* mandatory\nrule sec erin host:*/sudo mandatory\n",
     "alice request sudo 1h => done pending: waiting for bob, carol or erin\n"
     "bob approve R1 => done pending: approved by you; still waiting for erin\n"},
    {"one approval may count for several rules",
     MAY "rule leads bob,carol host:*/* mandatory\nrule sec bob,erin host:*/sudo mandatory\n",
     "alice request sudo 1h\n"
     "bob approve R1 => done active\n"},
    {"every target needs its own rules",
     MAY "rule leads bob host:*/sudo\nrule sec erin host:*/su\n",
     "alice request sudo,su 1h => done pending: waiting for bob or erin\n"
     "bob approve R1 => done pending: approved by you; still waiting for erin\n"
     "erin approve R1 => done active\n"},
    {"one approval may count for several targets", PLAIN,
     "alice request sudo,su 1h\n"
     "bob approve R1 => done active\n"
     "grants R1 => open open\n"},
    {"a target that needs no approval needs no approver",
     MAY "may free alice host:bastion-1/su 4h free\nrule leads bob host:*/sudo\n"
         "rule sec erin host:*/su\n",
     "alice request sudo,su 1h => done pending: waiting for bob\n"
     "bob approve R1 => done active\n"},
    {"a rule for other requesters does not help",
     MAY "rule leads bob,carol host:*/* quorum 2\nrule sec erin host:*/* of dave\n",
     "alice request sudo 1h => done pending: waiting for bob or carol\n"
     "erin approve R1 => not-found\n"
     "dave request sudo 1h => done pending: waiting for bob, carol or erin\n"
     "erin approve R2 => done active\n"},
    {"a rule that comes while it waits counts",
     PLAIN "--\n" PLAIN "rule sec erin host:*/* mandatory\n",
     "alice request sudo 1h\n"
     "policy second\n"
     "bob approve R1 => done pending: approved by you; still waiting for erin\n"},
    {"without any rule left nothing is approved",
     PLAIN "--\n" MAY "rule leads bob host:*/sudo of dave\n",
     "alice request sudo 1h\n"
     "policy second\n"
     "bob approve R1 => not-found\n"
     "state R1 => pending\n"},
    {"more approvers than are named are counted",
     MAY "rule leads bob,carol,erin,frank,grace,ivan,mallory host:*/* quorum 3\n",
     "alice request sudo 1h => done pending: waiting for bob, carol, erin, frank or 3 others\n"
     "bob approve R1 => done pending: approved by you; still waiting for carol, erin, frank, grace "
     "or 2 others\n"
     "carol approve R1 => done pending: approved by you; still waiting for erin, frank, grace, "
     "mallory or ivan\n"},

    /* ---- reject, cancel ---- */
    {"a rejection ends it", PLAIN,
     "alice request sudo 1h\n"
     "bob reject R1 => done rejected: rejected\n"
     "trail => request.reject bob done\n"
     "detail => host:bastion-1/sudo; fine\n"
     "grants R1 => closed\n"
     "carol approve R1 => state rejected: it is rejected; there is nothing to decide\n"
     "alice cancel R1 => state rejected: it is rejected; nothing to cancel\n"},
    {"the requester may cancel what is pending", PLAIN,
     "alice request sudo 1h\n"
     "alice cancel R1 => done cancelled: cancelled\n"
     "trail => request.cancel alice done\n"
     "bob approve R1 => state cancelled: it is cancelled; there is nothing to decide\n"},
    {"the requester may cancel what is scheduled", PLAIN,
     "alice request sudo 1h start=+1h\n"
     "bob approve R1\n"
     "alice cancel R1 => done cancelled\n"
     "pass 1h\n"
     "alice gate sudo => no\n"},
    {"nobody else may cancel", PLAIN,
     "alice request sudo 1h\n"
     "bob cancel R1 => refused pending: only who asked for it can cancel it\n"
     "trail => request.cancel bob refused\n"
     "root cancel R1 => refused\n"
     "mallory cancel R1 => not-found\n"},
    {"who became the requester by su does not cancel", PLAIN,
     "alice request sudo 1h\n"
     "alice@mallory cancel R1 => refused:~ logged in as uid 1008\n"
     "alice@unset cancel R1 => done cancelled\n"},
    {"the requester may cancel inside an elevated session", PLAIN,
     "alice request sudo 1h\n"
     "alice! cancel R1 => done cancelled\n"},
    {"what is active is revoked, not cancelled", PLAIN,
     "alice request sudo 1h\n"
     "bob approve R1\n"
     "alice cancel R1 => state active: it is active; end it with: teamctl revoke\n"
     "bob reject R1 => state active: it is active; there is nothing to decide\n"},

    /* ---- revoke ---- */
    {"the requester may revoke", PLAIN,
     "alice request sudo 1h\n"
     "bob approve R1\n"
     "alice! revoke R1 comment=done => done revoked: revoked\n"
     "trail => request.ending alice done, request.revoke alice done\n"
     "revoker R1 => alice\n"
     "grants R1 => closed\n"
     "alice gate sudo => no: no active elevation for sudo on bastion-1; run: teamctl request sudo "
     "--for 1h --reason \"...\"\n"},
    {"any approver of it may revoke", PLAIN,
     "alice request sudo 1h\n"
     "bob approve R1\n"
     "carol revoke R1 => done revoked\n"
     "revoker R1 => carol\n"},
    {"an admin may revoke", PLAIN,
     "alice request sudo 1h\n"
     "bob approve R1\n"
     "grace revoke R1 => done revoked\n"},
    {"root may revoke", PLAIN,
     "alice request sudo 1h\n"
     "bob approve R1\n"
     "root@alice! revoke R1 => done revoked\n"
     "revoker R1 => root\n"},
    {"an auditor may look but not revoke", PLAIN,
     "alice request sudo 1h\n"
     "bob approve R1\n"
     "frank revoke R1 => refused active: only who asked for it, its approvers, an admin or root "
     "can "
     "revoke "
     "it\n"
     "trail => request.revoke frank refused\n"
     "state R1 => active\n"},
    {"a stranger may not even see", PLAIN,
     "alice request sudo 1h\n"
     "bob approve R1\n"
     "mallory revoke R1 => not-found\n"
     "4242 revoke R1 => not-found\n"},
    {"who became an approver by su does not revoke", PLAIN,
     "alice request sudo 1h\n"
     "bob approve R1\n"
     "bob@mallory revoke R1 => refused\n"
     "bob@unset revoke R1 => done revoked\n"},
    {"a revoke of one's own schedule is a cancellation", PLAIN,
     "alice request sudo 1h start=+1h\n"
     "bob approve R1\n"
     "alice revoke R1 => done cancelled\n"},
    {"a revoke of somebody's schedule is a revoke", PLAIN,
     "alice request sudo 1h start=+1h\n"
     "bob approve R1\n"
     "carol revoke R1 comment=enough => done revoked\n"
     "revoker R1 => carol\n"
     "trail => request.revoke carol done\n"
     "detail => host:bastion-1/sudo; enough\n"},
    {"what is pending is rejected or cancelled, not revoked", PLAIN,
     "alice request sudo 1h\n"
     "bob revoke R1 => state pending: it is pending; reject it, or cancel your own\n"
     "alice revoke R1 => state pending\n"
     "grace revoke R1 => state pending\n"
     "root revoke R1 => state pending\n"},
    {"what is over cannot be revoked", PLAIN,
     "alice request sudo 1h\n"
     "bob approve R1\n"
     "alice revoke R1\n"
     "bob revoke R1 => state revoked: it is revoked; nothing to revoke\n"
     "root revoke R1 => state revoked\n"},
    {"eligibility can never block a revoke", PLAIN,
     "alice request sudo 1h\n"
     "bob approve R1\n"
     "group alice +hidden\n"
     "list\n"
     "alice revoke R1 => done revoked\n"
     "revoker R1 => uid 1001\n"},

    /* ---- what only root and admins may ---- */
    {"root and admins reload, which is noted when the policy counts", PLAIN,
     "root admin reload => done\n"
     "grace admin reload => done\n"
     "grace@unset admin reload => done\n"
     "trail => nothing\n"},
    {"who may not reload is noted at once", PLAIN,
     "bob admin reload => refused: only root and admins reload the configuration\n"
     "trail => policy.load bob refused\n"
     "frank admin reload => refused\n"
     "grace@bob admin reload => refused\n"
     "4242 admin reload => refused\n"
     "trail => policy.load uid 4242 refused\n"},
    {"a copy of the store is noted, and who may not make one", PLAIN,
     "root admin backup => done\n"
     "trail => store.backup root done\n"
     "grace admin backup => done\n"
     "trail => store.backup grace done\n"
     "alice admin backup => refused: only root and admins copy the store\n"
     "trail => store.backup alice refused\n"},
};

int main(void)
{
    return play_rows("engine: decide", ROWS, sizeof ROWS / sizeof ROWS[0]);
}
