/* AWS in the core: who may ask for what, assignments that elevations share, and what the courier's
 * answers come to. */
#include "script.h"

#define ORG                                                              \
    "aws on\naws org 999900001111 999900001111\n"                        \
    "aws unit r-ab12 Root\naws unit ou-ab12-11111111 Work r-ab12\n"      \
    "aws unit ou-ab12-22222222 Prod ou-ab12-11111111\n"                  \
    "aws account 111122223333 prod ou-ab12-22222222\n"                   \
    "aws account 222222223333 dev ou-ab12-11111111\n"                    \
    "aws account 333322223333 twin -\naws account 444422223333 twin -\n" \
    "aws account 555522223333 closed ou-ab12-22222222 suspended\n"       \
    "aws account 999900001111 main r-ab12\n"                             \
    "aws set Admin 1h\naws set Read 12h\naws set Billing 1h managed\n"
#define USERS "aws user alice\naws user bob\naws user carol\naws user dave\n"
#define RULES "rule leads bob,carol host:*/*,aws:*/*\nset comment no\n"
#define MAY   "may sre @sre host:*/*,aws:*/* 4h free\n"
#define PLAIN MAY RULES ORG USERS
#define ADMIN "aws:111122223333/Admin"
#define READ  "aws:111122223333/Read"
#define DEV   "aws:222222223333/Admin"

static const struct row ROWS[] = {
    /* ---- may it be asked for? ---- */
    {"before AWS was read nobody can tell", MAY RULES "aws on\n",
     "alice request " ADMIN
     " 1h => failed: the accounts of AWS have not been read yet; an admin sees "
     "why: teamctl status\n"
     "alice why " ADMIN " => no: - the accounts of AWS have not been read yet; an admin sees why: "
     "teamctl status\n"},
    {"AWS that is not configured is refused, known or not",
     MAY RULES "aws org 999900001111 "
               "999900001111\naws account 111122223333 prod -\naws set Admin 1h\naws user alice\n",
     "alice request " ADMIN " 1h => refused: AWS is not configured\n"
     "alice why " ADMIN " => no: - AWS is not configured\n"},
    {"an account that is not there is refused", PLAIN,
     "alice request aws:777722223333/Admin 1h => refused: the organisation has no account "
     "777722223333\n"
     "alice why aws:777722223333/Admin => no: - the organisation has no account 777722223333\n"},
    {"a permission set that is not there is refused", PLAIN,
     "alice request aws:111122223333/Root 1h => refused: Identity Center has no permission set "
     "Root\n"},
    {"a suspended account is refused", PLAIN,
     "alice request aws:555522223333/Admin 1h => refused: the account 555522223333 is suspended or "
     "closed\n"},
    {"from the management account everything can be had", PLAIN,
     "alice request aws:999900001111/Billing 1h => done activating\n"},
    {"a delegated administrator stays out of the management account",
     MAY RULES "aws on\naws org 888800001111 999900001111\naws account 999900001111 main -\n"
               "aws account 111122223333 prod -\naws set Admin 1h\naws set Billing 1h managed\naws "
               "user alice\n",
     "alice request aws:999900001111/Admin 1h => refused: the management account 999900001111 "
     "cannot "
     "be had: teamd acts as a delegated administrator, which AWS keeps out of it\n"
     "alice request aws:111122223333/Billing 1h => refused: the permission set Billing is in use "
     "in "
     "the management account, so AWS keeps a delegated administrator from it\n"
     "alice request " ADMIN " 1h => done activating\n"},
    {"who is no user of Identity Center is refused", MAY RULES ORG "aws user bob\n",
     "alice request " ADMIN " 1h => refused: Identity Center has no user alice; if you are called "
     "otherwise there, an admin can say so in identity.aws_users\n"
     "alice why " ADMIN
     " => no: - Identity Center has no user alice | + policy \"sre\" allows it, for "
     "up to 4h, without approval\n"},
    {"people are called there as the template says, or the map",
     MAY RULES ORG "aws name {user}@x.org\naws map dave d.z\naws user alice@x.org\naws user d.z\n",
     "alice request " ADMIN " 1h => done activating\n"
     "errands => 1 looking 111122223333/Admin u-alice\n"
     "dave request " DEV " 1h => done activating\n"
     "errands => 1 looking 111122223333/Admin u-alice, 2 looking 222222223333/Admin u-d.z\n"
     "alice why " ADMIN
     " => yes: + in Identity Center that is the user alice@x.org | + policy \"sre\" "
     "allows it, for up to 4h, without approval | + it is not open now; ask for it: teamctl "
     "request " ADMIN "\n"},
    {"two users whom Identity Center gives one name are nobody",
     MAY RULES ORG "aws user alice u-1\naws user alice u-2\n",
     "alice request " ADMIN " 1h => refused:~ Identity Center has no user alice\n"},
    {"a name that does not fit is nobody's",
     MAY RULES ORG
     "aws name {user}xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
     "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\naws user alice\n",
     "alice request " ADMIN " 1h => refused:~ Identity Center has no user\n"},
    {"two people who are one user there are kept apart",
     MAY RULES ORG "aws map dave alice\naws user alice\n",
     "alice request " ADMIN " 1h => done activating\n"
     "dave request " DEV " 1h => refused: somebody else of this host is the user alice of Identity "
     "Center, too; an admin has to tell you apart\n"
     "courier 1 absent\ncourier 1 made\n"
     "alice revoke R1 => done ending\ntick\n"
     "dave request " DEV " 1h => refused:~ somebody else\n"
     "courier 1 gone\n"
     "dave request " DEV " 1h => done activating\n"},

    /* ---- OUs and groups ---- */
    {"an OU is every account below it, at any depth",
     "may sre alice aws:ou-ab12-11111111/* 1h free\n" RULES ORG USERS,
     "alice request " ADMIN " 1h => done activating\n"
     "alice request " DEV " 1h => done activating\n"
     "alice request aws:333322223333/Admin 1h => refused:~ no policy lets alice\n"
     "alice request aws:999900001111/Admin 1h => refused:~ no policy lets alice\n"},
    {"an OU covers only what its permission set says",
     "may sre alice aws:ou-ab12-22222222/R* 1h free\n" RULES ORG USERS,
     "alice request " READ " 1h => done activating\n"
     "alice request " ADMIN " 1h => refused:~ no policy lets alice\n"
     "alice request aws:222222223333/Read 1h => refused:~ no policy lets alice\n"},
    {"a root is every account in it",
     "may sre alice aws:r-ab12/Admin,host:*/su 1h free\n" RULES ORG USERS,
     "alice request aws:999900001111/Admin 1h => done activating\n"
     "alice request aws:444422223333/Admin 1h => refused:~ no policy lets alice\n"
     "alice request sudo 1h => refused:~ no policy lets alice\n"},
    {"groups of Identity Center count for AWS, and not for hosts",
     "may ops @idc:ops host:*/*,aws:*/* 1h free\n" RULES ORG USERS "aws group ops alice,carol\n",
     "alice request " ADMIN " 1h => done activating\n"
     "alice request sudo 1h => refused:~ no policy lets alice\n"
     "dave request " ADMIN " 1h => refused:~ no policy lets dave\n"},
    {"unless the policy trusts them there",
     "may ops @idc:ops host:*/*,aws:*/* 1h free\nauditors @idc:ops\nexempt @idc:ops su\n" RULES ORG
         USERS "aws trust\naws group ops alice\n",
     "alice request sudo 1h => done active\n"
     "dave gate su => no\nalice gate su user=root => yes\n"
     "dave request sudo 1h => refused\nalice sees R1 => yes\n"},
    {"auditors of Identity Center see no more of a host",
     "may ops alice host:*/* 1h free\nauditors "
     "@idc:ops\n" RULES ORG USERS "aws group ops dave\n",
     "alice request sudo 1h => done active\ndave sees R1 => no\n"},
    {"approvers are named whom only Identity Center lists",
     "may sre alice aws:*/* 4h\nrule leads @idc:ops aws:*/*\nset comment no\n" ORG USERS
     "aws group ops alice,bob,carol\n",
     "group bob +unlisted\ngroup carol +unlisted\ngroup dave +unlisted\nlist\n"
     "alice request " ADMIN " 1h => done pending: waiting for bob or carol\n"
     "waiting R1 => bob carol\ncarol approve R1 => done activating\n"},
    {"two groups of one name are nobody",
     "may ops @idc:ops aws:*/* 1h free\n" RULES ORG USERS
     "aws group ops alice\naws group ops bob other-ops\n",
     "alice request " ADMIN " 1h => refused:~ no policy lets alice\n"},
    {"names of sets and groups are all of them",
     "may ops @idc:aaa aws:*/* 1h free\nmay sre dave aws:*/* 1h free\n" RULES ORG USERS
     "aws group ops alice\n",
     "alice request " ADMIN " 1h => refused:~ no policy lets alice\n"
     "dave request aws:111122223333/Aaa 1h => refused: Identity Center has no permission set "
     "Aaa\n"},
    {"who could come by a group counts for a host only where it is trusted",
     "may ops alice host:*/* 1h\nrule leads @idc:leads host:*/*\nset comment no\n" ORG USERS
     "aws group leads bob,carol\n",
     "alice request sudo 1h => refused\n"},
    {"and there it does",
     "may ops alice host:*/* 1h\nrule leads @idc:leads host:*/*\nset comment no\n" ORG USERS
     "aws trust\naws group leads bob,carol\n",
     "alice request sudo 1h => done pending\n"
     "bob approve R1 => done active\n"},
    {"what stands around the name in the template counts",
     MAY RULES ORG "aws name x-{user}\naws user x-alice\n",
     "alice request " ADMIN " 1h => done activating\n"
     "errands => 1 looking 111122223333/Admin u-x-alice\n"},
    {"a template without a place has the name at its end",
     MAY RULES ORG "aws name x-\naws user x-alice\n",
     "alice request " ADMIN " 1h => done activating\n"},
    {"what is only asked for keeps no assignment",
     "may sre alice aws:*/* 1h free\nmay big alice aws:*/* 4h\n" RULES ORG USERS,
     "alice request " ADMIN " 1h => done activating\n"
     "courier 1 absent\ncourier 1 made\n"
     "alice request " ADMIN " 3h => done pending\n"
     "alice revoke R1 => done ending\ntick\n"
     "errands => 1 removing 111122223333/Admin u-alice\n"},
    {"who is another user there by now shares nothing with who they were",
     MAY RULES ORG "aws user alice u-1\n--\n" ORG "aws user alice u-2\n",
     "alice request " ADMIN " 1h => done activating\n"
     "courier 1 absent\ncourier 1 made\n"
     "aws second\n"
     "alice request " ADMIN " 2h => done activating\n"
     "errands => 1 removing 111122223333/Admin u-1, 2 looking 111122223333/Admin u-2\n"},
    {"approvers may be a group of Identity Center",
     "may sre alice aws:*/* 1h\nrule leads @idc:leads aws:*/* quorum 2\nset comment no\n" ORG USERS
     "aws group leads alice,bob,carol\n",
     "alice request " ADMIN " 1h => done pending\n"
     "alice approve R1 => refused pending:~ your own\n"
     "dave approve R1 => not-found\n"
     "bob approve R1 => done pending\n"
     "carol approve R1 => done activating: approved; being opened in AWS, then active for 1h\n"},
    {"whom too few others could approve is refused at once",
     "may sre alice aws:*/* 1h\nrule leads @idc:leads aws:*/* quorum 2\n" ORG USERS
     "aws group leads alice,bob\n",
     "alice request " ADMIN " 1h => refused:~ nobody could approve\n"},
    {"nor do they count who are in a group of another rule",
     "may sre alice aws:*/* 1h\nmay ops @idc:ops aws:*/* 1h\n"
     "rule leads @idc:leads aws:*/* quorum 2\n" ORG USERS
     "aws group leads alice,bob\naws group ops bob,carol,dave\n",
     "alice request " ADMIN " 1h => refused:~ nobody could approve\n"},
    {"whoever has left a group of Identity Center loses access, and nobody else",
     "may ops @idc:ops aws:*/* 1h free\n" RULES ORG USERS "aws group ops alice,dave\n--\n" ORG USERS
     "aws group ops dave\n",
     "alice request " ADMIN " 1h => done activating\ndave request " DEV " 1h => done activating\n"
     "aws second\n"
     "state R1 => revoked\nrevoker R1 => policy\nstate R2 => activating\n"},
    {"a group that is gone is nobody",
     "may ops @idc:ops aws:*/* 1h free\n" RULES ORG USERS "aws group ops alice\n--\n" ORG USERS,
     "alice request " ADMIN " 1h => done activating\naws second\nstate R1 => revoked\n"},

    /* ---- grant and removal ---- */
    {"an assignment is looked for, made, used and removed", PLAIN,
     "alice request " ADMIN " 1h => done activating: being opened in AWS; then active for 1h\n"
     "trail => request.submit alice done, request.schedule - done, request.start - done, "
     "assignment.look - done\n"
     "errands => 1 looking 111122223333/Admin u-alice\n"
     "pass 10s\ncourier 1 absent => done\n"
     "trail => assignment.make - done\nerrands => 1 making 111122223333/Admin u-alice\n"
     "state R1 => activating\npass 20s\n"
     "courier 1 made\ntrail => assignment.made - done, request.active - done\n"
     "state R1 => active\nwindow R1 => 1h left 1h\ncredentials R1 => 2h\n"
     "pass 1h\nstate R1 => ending\ngrants R1 => closing\n"
     "errands => 1 removing 111122223333/Admin u-alice\n"
     "pass 1m\ncourier 1 gone\ntrail => assignment.gone - done, request.end - done\n"
     "detail => " ADMIN "; credentials may live until 2027-01-15T10:01:30Z\nstate R1 => "
     "ended\ngrants R1 => closed\nerrands => nothing\n"
     "credentials R1 => 1h\n"},
    {"what was there before is used, and stays", PLAIN,
     "alice request " READ " 1h => done activating\ncourier 1 there\n"
     "trail => assignment.found - done, request.active - done\n"
     "errands => 1 found 111122223333/Read u-alice\ncredentials R1 => 13h\n"
     "alice revoke R1 => done ending\ntick\ntick\n"
     "state R1 => revoked\nerrands => nothing\n"},
    {"what was only looked for left no credentials", PLAIN,
     "alice request " ADMIN " 1h\nalice revoke R1\ntick\ntick\n"
     "state R1 => revoked\ncredentials R1 => none\n"},
    {"the trail says for whom an assignment is, and after why", PLAIN,
     "alice request " ADMIN " 1h\ndetail => " ADMIN "; for user u-alice\n"
     "courier 1 waits text=throttled\ndetail => " ADMIN "; throttled; for user u-alice\n"},
    {"two elevations share an assignment, and the last one removes it", PLAIN,
     "alice request " ADMIN " 1h\ncourier 1 absent\ncourier 1 made\n"
     "pass 30m\nalice request " ADMIN " 1h => done active\n"
     "errands => 1 there 111122223333/Admin u-alice\n"
     "pass 30m\nstate R1 => ended\nerrands => 1 there 111122223333/Admin u-alice\n"
     "pass 30m\nstate R2 => ending\ncourier 1 gone\nstate R2 => ended\n"},
    {"who asks while it is being made waits for the same", PLAIN,
     "alice request " ADMIN " 1h\ncourier 1 absent\nalice request " ADMIN " 2h => done activating\n"
     "errands => 1 making 111122223333/Admin u-alice\ncourier 1 made\n"
     "state R1 => active\nstate R2 => active\n"},
    {"who asks while it is being removed has it made anew", PLAIN,
     "alice request " ADMIN " 1h\ncourier 1 absent\ncourier 1 made\nalice revoke R1\ntick\n"
     "alice request " ADMIN " 1h => done activating\n"
     "errands => 1 removing 111122223333/Admin u-alice\ngrants R2 => opening\n"
     "courier 1 gone\nstate R1 => revoked\n"
     "errands => 2 looking 111122223333/Admin u-alice\n"
     "courier 2 absent\ncourier 2 made\nstate R2 => active\n"},
    {"one elevation right after another goes on with its assignment", PLAIN,
     "alice request " ADMIN " 1h\ncourier 1 absent\ncourier 1 made\n"
     "alice request " ADMIN " 1h start=+3602s => done scheduled\n"
     "pass 1h\nstate R1 => ended\nerrands => 1 there 111122223333/Admin u-alice\n"
     "pass 2s\nstate R2 => active\nerrands => 1 there 111122223333/Admin u-alice\n"},
    {"and if that one is cancelled, it is removed", PLAIN,
     "alice request " ADMIN " 1h\ncourier 1 absent\ncourier 1 made\n"
     "alice request " ADMIN " 1h start=+3602s\npass 1h\n"
     "alice cancel R2 => done cancelled\ntick\n"
     "errands => 1 removing 111122223333/Admin u-alice\n"},
    {"one that begins later has its own", PLAIN,
     "alice request " ADMIN " 1h\ncourier 1 absent\ncourier 1 made\n"
     "alice request " ADMIN " 1h start=+2h\npass 1h\n"
     "errands => 1 removing 111122223333/Admin u-alice\n"},
    {"an extension goes on, and moves the end of credentials", PLAIN,
     "alice request " ADMIN " 1h\ncourier 1 absent\ncourier 1 made\npass 30m\n"
     "alice extend R1 1h => done active\ncredentials R1 => 2h30m\n"
     "pass 1h\nstate R1 => active\npass 30m\nstate R1 => ending\n"},
    {"a request is active when all of it is, and its window begins with the first of AWS", PLAIN,
     "alice request sudo," ADMIN "," DEV " 1h => done activating\n"
     "grants R1 => open opening opening\n"
     "alice gate sudo => no: request REQ00001 is being activated; try again in a moment\n"
     "alice cancel R1 => state activating: it is activating; nothing to cancel\n"
     "alice extend R1 1h => state activating: it is activating; only an active elevation can be "
     "extended\n"
     "pass 10m\ncourier 1 absent\ncourier 1 made\ngrants R1 => open open opening\n"
     "window R1 => 1h left 1h\npass 5m\ncourier 2 there\n"
     "state R1 => active\nwindow R1 => 1h left 55m\nalice gate sudo => yes\n"
     "credentials R1 => none 1h55m 1h55m\n"},
    {"if one fails the others are undone, and it says why", PLAIN,
     "alice request sudo," ADMIN "," DEV " 1h\ncourier 1 absent\ncourier 1 made\ncourier 2 absent\n"
     "courier 2 failed text=quota\n"
     "trail => assignment.fail - failed, request.ending - done, assignment.remove - done\n"
     "state R1 => ending\ngrants R1 => closing closing failed\n"
     "failure R1 => aws:222222223333/Admin: quota\n"
     "errands => 1 removing 111122223333/Admin u-alice, 2 removing 222222223333/Admin u-alice\n"
     "courier 1 gone\nstate R1 => ending\ncourier 2 gone\nstate R1 => failed\n"
     "grants R1 => closed closed failed\ncredentials R1 => none 1h none\n"},
    {"what fails before it was made needs no removal", PLAIN,
     "alice request " ADMIN " 1h\ncourier 1 failed text=denied\n"
     "state R1 => failed\nerrands => nothing\nfailure R1 => " ADMIN ": denied\n"},
    {"who comes while a failed one is undone is not the next to fail", PLAIN,
     "alice request " ADMIN " 1h\ncourier 1 absent\ncourier 1 failed\n"
     "alice request " ADMIN " 1h => done activating\ncourier 1 gone\n"
     "state R1 => failed\nstate R2 => activating\n"
     "errands => 2 looking 111122223333/Admin u-alice\n"},
    {"what is being activated can be revoked", PLAIN,
     "alice request " ADMIN "," DEV
     " 1h\ncourier 1 absent\nbob revoke R1 => done ending\ntick\ntick\n"
     "grants R1 => closing closed\nerrands => 1 removing 111122223333/Admin u-alice\n"
     "courier 1 gone\nstate R1 => revoked\nrevoker R1 => bob\ncredentials R1 => 1h none\n"},
    {"what nobody could have fetched is not to be feared", PLAIN,
     "alice request " ADMIN " 1h => done activating\nalice revoke R1\ntick\ntick\n"
     "state R1 => revoked\ncredentials R1 => none\n"},
    {"what AWS cannot remove goes on giving credentials", PLAIN,
     "alice request " ADMIN " 1h\ncourier 1 absent\ncourier 1 made\npass 3h\n"
     "state R1 => ending\ncredentials R1 => 1h\npass 30m\ncredentials R1 => 1h\n"
     "courier 1 gone\npass 30m\ncredentials R1 => 30m\n"},
    {"who is not eligible any more loses what is being activated", PLAIN "--\n" RULES ORG USERS,
     "alice request " ADMIN
     " 1h\npolicy second\npass 1s\nstate R1 => revoked\nrevoker R1 => policy\n"},
    {"AWS that does not come in time fails, and says why", PLAIN,
     "alice request " ADMIN " 1h\ncourier 1 waits text=throttled\n"
     "trail => assignment.wait - noticed\ncourier 1 waits text=unreachable\ntrail => nothing\n"
     "pass 59m\nstate R1 => activating\npass 1m\ntick\nstate R1 => failed\n"
     "failure R1 => AWS did not open it in time: unreachable\nerrands => nothing\n"},
    {"also when nothing is known of why", PLAIN,
     "alice request sudo," ADMIN " 1h\npass 1h\ntick\nstate R1 => failed\n"
     "failure R1 => AWS did not open it in time\ngrants R1 => closed closed\n"},
    {"and when there was no room to ask", PLAIN,
     "alice request " ADMIN " 1h\ncourier 1 absent\nalice revoke R1\ntick\n"
     "alice request " ADMIN " 1h => done activating\npass 1h\nstate R2 => failed\n"
     "failure R2 => AWS did not open it in time\n"},
    {"a removal is waited for, however long it takes", PLAIN,
     "alice request " ADMIN " 1h\ncourier 1 absent\ncourier 1 made\npass 1h\n"
     "courier 1 waits text=denied\npass 30d\nstate R1 => ending\nrestart\n"
     "errands => 1 removing 111122223333/Admin u-alice\ncourier 1 gone\nstate R1 => ended\n"},

    /* ---- answers that do not fit ---- */
    {"an answer to an earlier question is nobody's", PLAIN,
     "alice request " ADMIN " 1h\ncourier 1 absent\n"
     "courier 1 absent late => not-found: nobody waits for that any more\n"
     "courier 7 made => not-found: nobody waits for that any more\n"
     "errands => 1 making 111122223333/Admin u-alice\n"},
    {"only what was asked can be answered", PLAIN,
     "alice request " ADMIN " 1h\ncourier 1 made => usage: that is no answer to what was asked\n"
     "courier 1 gone => usage\ncourier 1 absent\ncourier 1 there => usage\ncourier 1 gone => "
     "usage\n"
     "courier 1 made\ncourier 1 failed => usage\ncourier 1 gone => usage\n"
     "alice revoke R1\ntick\ncourier 1 absent => usage\ncourier 1 failed => usage\n"
     "errands => 1 removing 111122223333/Admin u-alice\n"},
    {"what is gone although it should be there is made again", PLAIN,
     "alice request " ADMIN "," DEV " 1h\ncourier 1 absent\ncourier 1 made\ncourier 2 there\n"
     "courier 1 there => done\ncourier 2 there => done\nstate R1 => active\n"
     "courier 1 absent\ntrail => assignment.make - done\nstate R1 => active\n"
     "grants R1 => open open\ncourier 1 made\n"
     "courier 2 absent\nerrands => 1 there 111122223333/Admin u-alice, 2 making 222222223333/Admin "
     "u-alice\ncourier 2 made\nalice revoke R1\ntick\n"
     "errands => 1 removing 111122223333/Admin u-alice, 2 removing 222222223333/Admin u-alice\n"},

    /* ---- what changes in AWS ---- */
    {"an account that is closed takes the elevation with it",
     PLAIN "--\n"
           "aws org 999900001111 999900001111\naws account 111122223333 prod - suspended\naws set "
           "Admin 1h\n" USERS,
     "alice request " ADMIN " 1h\ncourier 1 absent\ncourier 1 made\naws second\n"
     "state R1 => ending\nrevoker R1 => policy\ncourier 1 gone\nstate R1 => revoked\n"},
    {"a user who is another one by the same name is nobody",
     PLAIN "--\n" ORG "aws user alice other\n",
     "alice request " ADMIN " 1h\naws second\nstate R1 => revoked\n"},
    {"a user who is gone has nothing", PLAIN "--\n" ORG "aws user bob\n",
     "alice request " ADMIN " 1h\naws second\nstate R1 => revoked\n"},
    {"a permission set that is another one by the same name was not approved",
     MAY RULES USERS ORG "--\naws org 999900001111 999900001111\naws account 111122223333 prod -\n"
                         "aws set Admin 1h other\n" USERS,
     "alice request " ADMIN " 1h start=+1h\naws second\nstate R1 => cancelled\n"},
    {"before AWS is read again nothing is started, and nothing ends", PLAIN "--\n",
     "alice request " ADMIN " 1h start=+1h\nalice request " DEV
     " 2h\ncourier 1 absent\ncourier 1 made\n"
     "aws second\npass 1h\nstate R1 => scheduled\nstate R2 => active\n"
     "aws first\npass 10s\nstate R1 => activating\n"},
    {"a mixed request of somebody who may not have its host ends all the same",
     PLAIN "--\n"
           "may sre @sre aws:*/* 4h free\n" RULES "aws on\n",
     "alice request " ADMIN ",sudo 1h start=+1h\npolicy second\naws second\npass 1s\n"
     "state R1 => cancelled\n"},
    {"without the section AWS is not to be had any more", PLAIN "--\n" MAY RULES,
     "alice request " ADMIN " 1h\ncourier 1 absent\ncourier 1 made\npolicy second\npass 1s\n"
     "state R1 => ending\nerrands => 1 removing 111122223333/Admin u-alice\n"},

    /* ---- starts ---- */
    {"a restart forgets nothing", PLAIN,
     "alice request " ADMIN "," DEV " 1h\ncourier 1 absent\nrestart\n"
     "errands => 1 making 111122223333/Admin u-alice, 2 looking 222222223333/Admin u-alice\n"
     "courier 1 made\nrestart\ncourier 2 there\nstate R1 => active\nreboot 10m\nstate R1 => "
     "active\n"
     "pass 1h\nrestart\nstate R1 => ending\ncourier 1 gone\nstate R1 => ended\n"},
};

/* The outbox is bounded: what does not fit waits. */
static void a_full_outbox_is_waited_for(void **state)
{
    struct stage *g = &play.g;
    struct errand e = {.number = 100,
                       .state = ERRAND_REMOVING,
                       .uid = 4242,
                       .account = "999999999999",
                       .set = "x",
                       .set_name = "x"};
    struct target t = target_of(ADMIN);
    struct event ev = {.kind = EV_SUBMIT, .actor = {.uid = 1001, .loginuid = 1001}};

    (void)state;
    stage_set(g);
    assert_null(stage_policy(g, PLAIN));
    for (uint32_t i = 0; i < WORLD_ERRANDS; i++, e.number++) {
        snprintf(e.user, sizeof e.user, "u%u", i);
        e.uid = 100000 + i;
        assert_non_null(world_add_errand(&g->w, &e));
    }
    assert_null(world_add_errand(&g->w, &e));
    ev.submit.fresh = (struct id){77};
    ev.submit.targets = &t;
    ev.submit.n_targets = 1;
    ev.submit.duration_s = 3600;
    ev.submit.reason = "because";
    ev.submit.ticket = "";
    engine_step(&g->w, &ev, g->now, &g->out);
    assert_int_equal(g->out.reply.state, REQ_ACTIVATING);
    assert_int_equal(world_request(&g->w, ev.submit.fresh)->grants[0].errand, 0);
    world_remove_errand(&g->w, world_errand(&g->w, 100));
    g->now.wall.us += 10 * SECOND_US;
    g->now.boot.us += 10 * SECOND_US;
    assert_true(deadline_passed(engine_wake(&g->w), g->now));
    engine_step(&g->w, &(struct event){.kind = EV_TICK}, g->now, &g->out);
    assert_int_not_equal(world_request(&g->w, ev.submit.fresh)->grants[0].errand, 0);
}

/* More assignments end at once than one step has room for. */
static void many_ends_take_more_than_one_step(void **state)
{
    struct stage *g = &play.g;
    struct errand e = {.number = 1,
                       .state = ERRAND_THERE,
                       .account = "999999999999",
                       .set = "x",
                       .set_name = "x",
                       .request = {1}};
    uint32_t at = 0;

    (void)state;
    stage_set(g);
    assert_null(stage_policy(g, PLAIN));
    for (uint32_t i = 0; i < 100; i++, e.number++) {
        snprintf(e.user, sizeof e.user, "u%u", i);
        e.uid = 100000 + i;
        assert_non_null(world_add_errand(&g->w, &e));
    }
    for (int i = 0; i < 20; i++)
        engine_step(&g->w, &(struct event){.kind = EV_TICK}, g->now, &g->out);
    assert_false(g->out.more);
    while (world_each_errand(&g->w, &at))
        assert_int_equal(g->w.errands[at - 1].errand.state, ERRAND_REMOVING);
}

/* AWS's words may be longer than there is room for: they are cut between characters. */
static void long_words_are_cut_between_characters(void **state)
{
    struct stage *g = &play.g;
    struct target t = target_of(ADMIN);
    struct event ev = {.kind = EV_SUBMIT, .actor = {.uid = 1001, .loginuid = 1001}};
    const struct request *r;
    const struct errand *e;
    char words[401];

    (void)state;
    stage_set(g);
    assert_null(stage_policy(g, PLAIN));
    ev.submit.fresh = (struct id){78};
    ev.submit.targets = &t;
    ev.submit.n_targets = 1;
    ev.submit.duration_s = 3600;
    ev.submit.reason = "because";
    ev.submit.ticket = "";
    assert_null(stage_step(g, &ev));
    for (size_t i = 0; i < 400; i += 2)
        memcpy(words + i, "\xc3\xbc", 2);
    words[400] = '\0';
    ev = (struct event){.kind = EV_RESULT};
    ev.result.errand = 1;
    e = world_errand(&g->w, 1);
    ev.result.round = e ? e->round : 0;
    ev.result.outcome = OUTCOME_FAILED;
    ev.result.text = words;
    assert_null(stage_step(g, &ev));
    assert_null(stage_settle(g));
    r = kept_request(g, (struct id){78});
    assert_non_null(r);
    if (!r)
        return;
    assert_int_equal(r->state, REQ_FAILED);
    assert_true(strlen(r->failure) >= FAILURE_CAP - 2);
    assert_true(text_is_plain(r->failure, strlen(r->failure)));
}

/* ---- what no history leads to -------------------------------------------------------------- */

static struct event submit_of(uint64_t id, const struct target *t)
{
    struct event ev = {.kind = EV_SUBMIT, .actor = {.uid = 1001, .loginuid = 1001}};

    ev.submit.fresh = (struct id){id};
    ev.submit.targets = t;
    ev.submit.n_targets = 1;
    ev.submit.duration_s = 3600;
    ev.submit.reason = "because";
    ev.submit.ticket = "";
    return ev;
}

/* Alice's Admin of prod, as it comes from the store. */
static struct errand errand_of(uint64_t number, enum errand_state state)
{
    struct errand e = {.number = number, .state = (uint8_t)state, .uid = 1001, .request = {5}};

    snprintf(e.account, sizeof e.account, "111122223333");
    snprintf(e.set, sizeof e.set, "%s",
             dir_text(play.g.w.directory, directory_set(play.g.w.directory, "Admin")->arn));
    snprintf(e.set_name, sizeof e.set_name, "Admin");
    snprintf(e.user, sizeof e.user, "u-alice");
    return e;
}

static void begin_by_hand(void)
{
    stage_set(&play.g);
    assert_null(stage_policy(&play.g, PLAIN));
}

static void each_state_has_its_step(void **state)
{
    static const uint8_t STEPS[ERRAND_STATES] = {
        [ERRAND_LOOKING] = STEP_LOOK, [ERRAND_MAKING] = STEP_MAKE, [ERRAND_REMOVING] = STEP_REMOVE};

    (void)state;
    for (unsigned i = 0; i < ERRAND_STATES; i++)
        assert_int_equal(errand_step((enum errand_state)i), STEPS[i]);
}

static void what_failed_is_not_joined(void **state)
{
    struct target t = target_of(ADMIN);
    struct event ev;
    struct errand e;

    (void)state;
    begin_by_hand();
    e = errand_of(7, ERRAND_FAILED);
    assert_non_null(world_add_errand(&play.g.w, &e));
    ev = submit_of(79, &t);
    engine_step(&play.g.w, &ev, play.g.now, &play.g.out);
    assert_int_equal(world_request(&play.g.w, (struct id){79})->grants[0].errand, 0);
    for (int i = 0; i < 3; i++)
        engine_step(&play.g.w, &(struct event){.kind = EV_TICK}, play.g.now, &play.g.out);
    assert_null(world_errand(&play.g.w, 7));
    assert_int_equal(world_request(&play.g.w, (struct id){79})->grants[0].errand, 8);
}

/* The set is not there any more, and nobody has looked at the request again yet. */
static void a_set_that_is_gone_is_waited_for(void **state)
{
    static const char LESS[] = "aws on\naws org 999900001111 999900001111\n"
                               "aws account 111122223333 prod -\naws set Read 1h\n" USERS;
    struct target t = target_of(ADMIN);
    const struct directory *before;
    struct directory *less;
    struct event ev;
    struct errand e;

    (void)state;
    begin_by_hand();
    e = errand_of(7, ERRAND_REMOVING);
    assert_non_null(world_add_errand(&play.g.w, &e));
    ev = submit_of(80, &t);
    engine_step(&play.g.w, &ev, play.g.now, &play.g.out);
    world_remove_errand(&play.g.w, world_errand(&play.g.w, 7));
    before = play.g.w.directory;
    less = directory_read(LESS, play.g.now.wall);
    play.g.w.directory = less;
    world_request(&play.g.w, (struct id){80})->due = (struct deadline){{0}, {0}};
    play.g.w.wake = (struct deadline){{0}, {0}};
    world_request(&play.g.w, (struct id){80})->due.wall.us = NEVER_US;
    world_request(&play.g.w, (struct id){80})->due.boot.us = NEVER_US;
    engine_step(&play.g.w, &(struct event){.kind = EV_TICK}, play.g.now, &play.g.out);
    assert_int_equal(play.g.w.n_errands, 0);
    play.g.w.directory = before;
    roll_free_directory(less);
}

static void who_has_an_assignment_there_keeps_others_from_it(void **state)
{
    struct target t = target_of(ADMIN);
    struct event ev = submit_of(81, &t);
    struct errand e;

    (void)state;
    begin_by_hand();
    e = errand_of(7, ERRAND_REMOVING);
    e.uid = 1004;
    assert_non_null(world_add_errand(&play.g.w, &e));
    engine_step(&play.g.w, &ev, play.g.now, &play.g.out);
    assert_int_equal(play.g.out.reply.code, REPLY_REFUSED);
    assert_non_null(strstr(play.g.out.reply.text, "somebody else of this host"));
}

/* As long as AWS has not removed it, new ones can be fetched; where none ever could be, none live.
 */
static void credentials_live_on_while_it_closes(void **state)
{
    struct grant g = {.state = GRANT_CLOSING, .session_s = 3600};
    struct wall now = {7000 * SECOND_US};

    (void)state;
    assert_int_equal(grant_credentials_until(&g, now).us, 0);
    g.credentials_until.us = 8000 * SECOND_US;
    assert_int_equal(grant_credentials_until(&g, now).us, 10600 * SECOND_US);
    g.credentials_until.us = 20000 * SECOND_US;
    assert_int_equal(grant_credentials_until(&g, now).us, 20000 * SECOND_US);
    g.state = GRANT_CLOSED;
    g.credentials_until.us = 8000 * SECOND_US;
    assert_int_equal(grant_credentials_until(&g, now).us, 8000 * SECOND_US);
}

static void names_that_are_none_are_told_so(void **state)
{
    char why[WHY_CAP], name[320] = "aws:prod/";
    struct target t;

    (void)state;
    begin_by_hand();
    assert_int_not_equal(directory_parse(play.g.w.directory, "a/b", 3, STAGE_HOST, &t, why), 0);
    assert_int_equal(directory_parse(NULL, "aws:prod/Admin", 14, STAGE_HOST, &t, why),
                     TARGET_BAD_PLACE);
    assert_int_equal(
        directory_parse(play.g.w.directory, "aws:111122223333/a b", 20, STAGE_HOST, &t, why),
        TARGET_BAD_WHAT);
    memset(name + 9, 'A', 300);
    assert_int_not_equal(
        directory_parse(play.g.w.directory, name, strlen(name), STAGE_HOST, &t, why), 0);
    assert_true(why[0]);
}

static void who_stands_well_is_told_nothing(void **state)
{
    struct target t = target_of(ADMIN);
    char out[8] = "";
    struct text to = text_over(out, sizeof out);

    (void)state;
    text_put_standing(&to, &t, AWS_FINE);
    assert_int_equal(to.len, 0);
}

static void a_tree_that_is_none_ends(void **state)
{
    struct directory d;
    struct dir_unit units[64];
    struct dir_account a;
    char out[8];
    struct text to = text_over(out, sizeof out);

    (void)state;
    begin_by_hand();
    d = *play.g.w.directory;
    assert_true(d.n_units <= 64);
    memcpy(units, d.units, d.n_units * sizeof *units);
    for (uint32_t i = 0; i < d.n_units; i++)
        units[i].parent = i + 1;
    d.units = units;
    assert_false(directory_below(&d, "111122223333", "ou-ab12-99999999"));
    a = *directory_account(&d, "111122223333");
    directory_put_path(&d, &a, &to);
    assert_true(to.cut);
}

static void errands_are_found_whatever_else_is_there(void **state)
{
    enum { MANY = 1000 };
    struct errand e;

    (void)state;
    begin_by_hand();
    for (uint64_t i = 1; i <= MANY; i++) {
        e = errand_of(i * i, ERRAND_REMOVING);
        snprintf(e.user, sizeof e.user, "u-%u", (unsigned)i);
        assert_non_null(world_add_errand(&play.g.w, &e));
    }
    assert_null(world_check(&play.g.w));
    for (uint64_t i = 1; i <= MANY; i++) {
        world_remove_errand(&play.g.w, world_errand(&play.g.w, i * i));
        assert_null(world_errand(&play.g.w, i * i));
    }
    assert_int_equal(play.g.w.n_errands, 0);
    assert_null(world_check(&play.g.w));
}

static void people_may_be_known_before_the_policy(void **state)
{
    struct world w;
    void *memory = calloc(1, world_size());
    struct person who = {.uid = 1001, .name = {"alice"}};

    (void)state;
    assert_non_null(memory);
    begin_by_hand();
    world_init(&w, memory, NULL);
    world_set_directory(&w, play.g.w.directory);
    assert_true(world_learn(&w, &who));
    assert_int_equal(world_person(&w, 1001)->aws_user, 0);
    free(memory);
}

static void what_is_wrong_with_an_errand_is_noticed(void **state)
{
    struct target t = target_of(ADMIN);
    struct event ev = submit_of(82, &t);
    struct request *r;
    struct errand *e, other;

    (void)state;
    begin_by_hand();
    assert_null(stage_step(&play.g, &ev));
    r = world_request(&play.g.w, (struct id){82});
    e = world_errand(&play.g.w, r->grants[0].errand);
    assert_non_null(e);
    assert_null(world_check(&play.g.w));
    r->grants[0].state = GRANT_OPEN;
    r->grants[0].errand = 99;
    assert_string_equal(world_check(&play.g.w), "a grant is open without an assignment");
    r->grants[0].errand = e->number;
    e->uid = 1002;
    assert_string_equal(world_check(&play.g.w), "a grant has the assignment of another");
    e->uid = 1001;
    e->account[0] = '9';
    assert_string_equal(world_check(&play.g.w), "a grant has the assignment of another");
    e->account[0] = '1';
    e->state = ERRAND_OVER;
    assert_string_equal(world_check(&play.g.w), "an errand of the outbox is over");
    e->state = 0;
    assert_string_equal(world_check(&play.g.w), "an errand of the outbox is over");
    e->state = ERRAND_LOOKING;
    other = *e;
    other.number = 99;
    assert_non_null(world_add_errand(&play.g.w, &other));
    assert_string_equal(world_check(&play.g.w), "one assignment has two errands");
    world_remove_errand(&play.g.w, world_errand(&play.g.w, 99));
    play.g.w.n_errands++;
    assert_string_equal(world_check(&play.g.w), "the number of errands is wrong");
}

int main(void)
{
    const struct CMUnitTest more[] = {
        cmocka_unit_test(a_full_outbox_is_waited_for),
        cmocka_unit_test(many_ends_take_more_than_one_step),
        cmocka_unit_test(long_words_are_cut_between_characters),
        cmocka_unit_test(each_state_has_its_step),
        cmocka_unit_test(what_failed_is_not_joined),
        cmocka_unit_test(a_set_that_is_gone_is_waited_for),
        cmocka_unit_test(who_has_an_assignment_there_keeps_others_from_it),
        cmocka_unit_test(credentials_live_on_while_it_closes),
        cmocka_unit_test(names_that_are_none_are_told_so),
        cmocka_unit_test(who_stands_well_is_told_nothing),
        cmocka_unit_test(a_tree_that_is_none_ends),
        cmocka_unit_test(errands_are_found_whatever_else_is_there),
        cmocka_unit_test(people_may_be_known_before_the_policy),
        cmocka_unit_test(what_is_wrong_with_an_errand_is_noticed),
    };
    int failed = play_rows("aws", ROWS, sizeof ROWS / sizeof ROWS[0]);

    return failed + cmocka_run_group_tests_name("aws, by hand", more, NULL, NULL);
}
