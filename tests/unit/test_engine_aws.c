/* AWS in the core: who may ask for what, assignments that elevations share, and what the courier's
 * answers come to. */
#include "script.h"

#include "aws_rules.h"

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

int main(void)
{
    return play_rows("aws", ROWS, sizeof ROWS / sizeof ROWS[0]);
}
