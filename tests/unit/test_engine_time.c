/* What time does: expiry, start and end of the window, extensions, clock steps, restarts, and
 * eligibility that is lost on the way. script.h says how a row reads. */
#include "script.h"

#define PEOPLE       \
    "admins grace\n" \
    "auditors frank\n"
#define MAY   "may sre @sre host:bastion-1/sudo,host:bastion-1/su 4h\n" PEOPLE
#define PLAIN MAY "rule leads bob,carol host:*/*\n"
#define FREE  "may sre alice,dave host:bastion-1/sudo,host:bastion-1/su 4h free\n" PEOPLE
#define NONE  PEOPLE "rule leads bob,carol host:*/*\n"

static const struct row ROWS[] = {
    /* ---- pending expiry ---- */
    {"a second before its expiry a request is still pending", PLAIN,
     "alice request sudo 1h\n"
     "pass 2h59m59s\n"
     "state R1 => pending\n"
     "bob approve R1 => done active\n"},
    {"at its expiry a request expires", PLAIN,
     "alice request sudo 1h\n"
     "pass 3h\n"
     "trail => request.expire - done\n"
     "state R1 => expired\n"
     "grants R1 => closed\n"
     "bob approve R1 => state expired: it is expired; there is nothing to decide\n"},
    {"an approval that comes before the timer, but too late, loses", PLAIN,
     "alice request sudo 1h\n"
     "sleep 3h\n"
     "bob approve R1 => state expired: it is expired; there is nothing to decide\n"
     "trail => request.expire - done\n"},
    {"a cancellation that comes too late loses", PLAIN,
     "alice request sudo 1h\n"
     "sleep 3h\n"
     "alice cancel R1 => state expired: it is expired; nothing to cancel\n"},
    {"settings say when a request expires", PLAIN "set expiry 10m\n",
     "alice request sudo 1h\n"
     "wake => 10m 10m\n"
     "pass 10m\n"
     "state R1 => expired\n"},
    {"expiry goes by the wall clock if that is first", PLAIN,
     "alice request sudo 1h\n"
     "wall +3h\n"
     "state R1 => expired\n"},
    {"and by the boot clock if that is", PLAIN,
     "alice request sudo 1h\n"
     "wall -2h\n"
     "pass 3h\n"
     "state R1 => expired\n"},

    /* ---- start ---- */
    {"a scheduled request starts at its time", PLAIN,
     "alice request sudo 1h start=+2h\n"
     "bob approve R1\n"
     "tick\n"
     "wake => 2h never\n"
     "pass 1h59m59s\n"
     "state R1 => scheduled\n"
     "alice gate sudo => no: request REQ00001 is approved and starts in 1s\n"
     "pass 1s\n"
     "state R1 => active\n"
     "trail => request.start - done, request.active - done\n"
     "window R1 => 1h left 1h\n"
     "alice gate sudo => yes\n"},
    {"a start follows the wall clock forwards", PLAIN,
     "alice request sudo 1h start=+2h\n"
     "bob approve R1\n"
     "wall +2h\n"
     "state R1 => active\n"
     "window R1 => 1h left 1h\n"},
    {"and backwards", PLAIN,
     "alice request sudo 1h start=+2h\n"
     "bob approve R1\n"
     "wall -1h\n"
     "pass 2h\n"
     "state R1 => scheduled\n"
     "pass 1h\n"
     "state R1 => active\n"},
    {"who lost eligibility before the start is cancelled at the start", PLAIN,
     "alice request sudo 1h start=+2h\n"
     "bob approve R1\n"
     "group alice -sre\n"
     "group alicia -sre\n"
     "look alice\n"
     "state R1 => cancelled\n"
     "trail => request.cancel - done\n"
     "detail => host:bastion-1/sudo; not eligible any more\n"},
    {"what was scheduled without approval does not start where it is needed by now",
     FREE "--\n" PLAIN,
     "alice request sudo 1h start=+2h => done scheduled\n"
     "policy second\n"
     "state R1 => scheduled\n"
     "pass 2h\n"
     "trail => request.cancel - done\n"
     "state R1 => cancelled\n"},
    {"and starts where it is not", FREE "--\n" FREE PLAIN,
     "alice request sudo 1h start=+2h => done scheduled\n"
     "policy second\n"
     "pass 2h\n"
     "state R1 => active\n"},
    {"what was approved starts, whatever the rules are by now",
     PLAIN "--\n" PLAIN "rule sec erin host:*/* mandatory\n",
     "alice request sudo 1h start=+2h\n"
     "bob approve R1\n"
     "policy second\n"
     "pass 2h\n"
     "state R1 => active\n"},
    {"a start for somebody who cannot be looked up is tried again", PLAIN,
     "alice request sudo 1h start=+2h\n"
     "bob approve R1\n"
     "group alice +hidden\n"
     "list\n"
     "pass 2h\n"
     "state R1 => scheduled\n"
     "wake => 10s 10s\n"
     "pass 9s\n"
     "state R1 => scheduled\n"
     "group alice -hidden\n"
     "pass 1s\n"
     "state R1 => scheduled\n"
     "look alice\n"
     "alice gate sudo => no: request REQ00001 is approved and starts in 0s\n"
     "pass 10s\n"
     "state R1 => active\n"},
    {"and may turn out not eligible", PLAIN,
     "alice request sudo 1h start=+2h\n"
     "bob approve R1\n"
     "group alice +hidden\n"
     "list\n"
     "pass 2h\n"
     "group alice -sre\n"
     "group alicia -sre\n"
     "look alice\n"
     "state R1 => cancelled\n"},
    {"pending waits for its start only once it is approved", PLAIN,
     "alice request sudo 1h start=+1h\n"
     "pass 1h\n"
     "state R1 => pending\n"
     "wake => 2h 2h\n"},

    /* ---- the window ---- */
    {"the window ends after its duration", PLAIN,
     "alice request sudo 1h\n"
     "bob approve R1\n"
     "tick\n"
     "wake => 1h 1h\n"
     "pass 59m59s\n"
     "alice gate sudo => yes\n"
     "pass 1s\n"
     "trail => request.ending - done, request.end - done\n"
     "state R1 => ended\n"
     "grants R1 => closed\n"
     "alice gate sudo => no\n"
     "tick\n"
     "wake => never never\n"},
    {"the gate does not wait for the timer", PLAIN,
     "alice request sudo 1h\n"
     "bob approve R1\n"
     "sleep 1h\n"
     "alice gate sudo => no: no active elevation for sudo on bastion-1; run: teamctl request sudo "
     "--for 1h --reason \"...\"\n"
     "alice open sudo => no\n"
     "state R1 => active\n"},
    {"a revoke after the end loses", PLAIN,
     "alice request sudo 1h\n"
     "bob approve R1\n"
     "sleep 1h\n"
     "bob revoke R1 => state ended: it is ended; nothing to revoke\n"
     "trail => request.ending - done, request.end - done\n"},
    {"a step of the wall clock forwards ends the window early", PLAIN,
     "alice request sudo 1h\n"
     "bob approve R1\n"
     "wall +1h\n"
     "state R1 => ended\n"},
    {"a step backwards does not lengthen it", PLAIN,
     "alice request sudo 1h\n"
     "bob approve R1\n"
     "wall -10h\n"
     "pass 59m59s\n"
     "alice gate sudo => yes\n"
     "pass 1s\n"
     "alice gate sudo => no\n"
     "state R1 => ended\n"},
    {"a suspended host has no more of it", PLAIN,
     "alice request sudo 1h\n"
     "bob approve R1\n"
     "boot +1h\n"
     "state R1 => ended\n"},

    /* ---- eligibility on the way ---- */
    {"eligibility lost cancels what is pending", PLAIN "--\n" NONE,
     "alice request sudo 1h\n"
     "policy second\n"
     "trail => policy.load - done, request.cancel - done\n"
     "state R1 => cancelled\n"},
    {"eligibility lost ends what is active", PLAIN "--\n" NONE,
     "alice request sudo 1h\n"
     "bob approve R1\n"
     "policy second\n"
     "alice gate sudo => no\n"
     "trail => policy.load - done, request.ending - done\n"
     "wake => 0s 0s\n"
     "pass 1s\n"
     "trail => request.revoke policy done\n"
     "state R1 => revoked\n"
     "revoker R1 => policy\n"},
    {"a maximum that was lowered ends what is longer", PLAIN "--\n" PLAIN "set max 1h\n",
     "alice request sudo 1h\n"
     "bob approve R1\n"
     "alice request sudo 2h\n"
     "bob approve R2\n"
     "policy second\n"
     "state R1 => active\n"
     "state R2 => ending\n"},
    {"another policy that covers it keeps it going",
     PLAIN "--\nmay new alice host:*/sudo 1h\n" NONE,
     "alice request sudo 1h\n"
     "bob approve R1\n"
     "policy second\n"
     "state R1 => active\n"},
    {"new approver rules end nothing", PLAIN "--\n" PLAIN "rule sec erin host:*/* mandatory\n",
     "alice request sudo 1h\n"
     "bob approve R1\n"
     "policy second\n"
     "state R1 => active\n"},
    {"a look-up that fails changes nothing", PLAIN,
     "alice request sudo 1h\n"
     "bob approve R1\n"
     "alice request su 1h\n"
     "group alice +hidden\n"
     "list\n"
     "trail => nothing\n"
     "state R1 => active\n"
     "state R2 => pending\n"
     "alice gate sudo => yes\n"},
    {"a look-up that says no ends it", PLAIN,
     "alice request sudo 1h\n"
     "bob approve R1\n"
     "group alice -sre\n"
     "group alicia -sre\n"
     "pass 1m\n"
     "state R1 => active\n"
     "look alice\n"
     "state R1 => ending\n"
     "look alice\n"
     "pass 1s\n"
     "state R1 => revoked\n"},
    {"a listing of the same policy is no change of policy", PLAIN,
     "list\n"
     "trail => nothing\n"},
    {"somebody new is learned without a request of theirs", PLAIN, "look mallory\n"},

    /* ---- extensions ---- */
    {"an extension moves the end", PLAIN,
     "alice request sudo 1h\n"
     "bob approve R1\n"
     "pass 30m\n"
     "alice extend R1 1h => done active: the extension is waiting for bob or carol\n"
     "trail => extension.submit alice done\n"
     "detail => host:bastion-1/sudo; not done yet\n"
     "extension R1 => 1h expires in 30m\n"
     "window R1 => 1h left 30m\n"
     "waiting R1 => bob carol\n"
     "carol approve R1 => done active: extension approved; ends in 1h30m\n"
     "trail => extension.approve carol done, extension.grant - done\n"
     "detail => host:bastion-1/sudo; longer by 1h\n"
     "window R1 => 2h left 1h30m\n"
     "extension R1 => none\n"
     "pass 1h29m59s\n"
     "alice gate sudo => yes\n"
     "pass 1s\n"
     "state R1 => ended\n"},
    {"an extension that needs no approval is there at once", FREE,
     "alice request sudo 1h\n"
     "alice extend R1 30m => done active: extended; ends in 1h30m\n"
     "trail => extension.submit alice done, extension.grant - done\n"
     "boot +1h29m59s\n"
     "alice gate sudo => yes\n"
     "boot +1s\n"
     "state R1 => ended\n"},
    {"an extension is under the same rules", MAY "rule leads bob,carol host:*/* quorum 2\n",
     "alice request sudo 1h\n"
     "bob approve R1\n"
     "carol approve R1 => done active\n"
     "alice extend R1 1h\n"
     "bob approve R1 => done active: approved by you; still waiting for carol\n"
     "trail => extension.approve bob done\n"
     "bob approve R1 => state active: it is active, and you have approved it already\n"
     "carol approve R1 => done active: extension approved; ends in 2h\n"},
    {"an extension is not approved by who asks for it",
     "may all bob host:*/sudo 4h\n"
     "rule leads bob,carol host:*/*\n",
     "bob request sudo 1h\n"
     "carol approve R1\n"
     "bob extend R1 1h => done active: the extension is waiting for carol\n"
     "bob approve R1 => refused active:~ your own request\n"},
    {"a rejected extension leaves the rest", PLAIN,
     "alice request sudo 1h\n"
     "bob approve R1\n"
     "alice extend R1 1h\n"
     "bob reject R1 => done active: extension rejected\n"
     "trail => extension.reject bob done\n"
     "detail => host:bastion-1/sudo; fine\n"
     "window R1 => 1h left 1h\n"
     "extension R1 => none\n"
     "bob approve R1 => state active: it is active; there is nothing to decide\n"
     "alice extend R1 1h => done active\n"},
    {"an extension expires with pending_expiry", PLAIN "set expiry 10m\n",
     "alice request sudo 1h\n"
     "bob approve R1\n"
     "alice extend R1 1h\n"
     "tick\n"
     "wake => 10m 10m\n"
     "pass 9m59s\n"
     "extension R1 => 1h expires in 1s\n"
     "pass 1s\n"
     "trail => extension.expire - done\n"
     "extension R1 => none\n"
     "state R1 => active\n"
     "bob approve R1 => state active\n"},
    {"an extension expires with the window", PLAIN,
     "alice request sudo 1h\n"
     "bob approve R1\n"
     "alice extend R1 1h\n"
     "extension R1 => 1h expires in 1h\n"
     "pass 1h\n"
     "trail => extension.expire - done, request.ending - done, request.end - done\n"
     "state R1 => ended\n"},
    {"an approval of an extension at the end of the window is too late", PLAIN,
     "alice request sudo 1h\n"
     "bob approve R1\n"
     "alice extend R1 1h\n"
     "sleep 1h\n"
     "bob approve R1 => state ended: it is ended; there is nothing to decide\n"},
    {"an extension that expired a moment ago is not approved", PLAIN "set expiry 10m\n",
     "alice request sudo 1h\n"
     "bob approve R1\n"
     "alice extend R1 1h\n"
     "sleep 10m\n"
     "bob approve R1 => state active: it is active; there is nothing to decide\n"
     "trail => extension.expire - done\n"},
    {"a revoke takes the extension along", PLAIN,
     "alice request sudo 1h\n"
     "bob approve R1\n"
     "alice extend R1 1h\n"
     "bob revoke R1 => done revoked\n"
     "trail => extension.expire - done, request.ending bob done, request.revoke bob done\n"},
    {"all extensions together count towards the maximum", PLAIN,
     "alice request sudo 2h\n"
     "bob approve R1\n"
     "alice extend R1 1h\n"
     "bob approve R1 => done active: extension approved; ends in 3h\n"
     "alice extend R1 1h1s => refused active: 4h1s is more than policy \"sre\" allows for "
     "host:bastion-1/sudo (4h); ask for --for 1h\n"
     "trail => extension.submit alice refused\n"
     "alice extend R1 1h\n"
     "bob approve R1 => done active: extension approved; ends in 4h\n"
     "alice extend R1 1s => refused active: 4h1s is more than policy \"sre\" allows for "
     "host:bastion-1/sudo (4h), and that is what it has\n"
     "window R1 => 4h left 4h\n"},
    {"every target has to allow the extension",
     "may a alice host:*/sudo 4h\nmay b alice host:*/su 1h\nrule leads bob host:*/*\n",
     "alice request sudo,su 1h\n"
     "bob approve R1\n"
     "alice extend R1 1s => refused active:~ policy \"b\"\n"},
    {"an extension that nobody could approve is refused",
     "may a alice host:*/sudo 1h free\nmay b alice host:*/sudo 4h\n",
     "alice request sudo 1h => done active\n"
     "alice extend R1 1h => refused active:~ nobody could approve\n"},
    {"an extension beyond what goes without approval needs it",
     "may a alice host:*/sudo 1h free\nmay b alice host:*/sudo 4h\nrule leads bob host:*/*\n",
     "alice request sudo 1h => done active\n"
     "alice extend R1 1h => done active: the extension is waiting for bob\n"
     "bob approve R1 => done active\n"},
    {"one extension at a time", PLAIN,
     "alice request sudo 1h\n"
     "bob approve R1\n"
     "alice extend R1 1h\n"
     "alice extend R1 30m => state active: it is active, and an extension is waiting already\n"},
    {"only what is active is extended", PLAIN,
     "alice request sudo 1h start=+1h\n"
     "alice extend R1 1h => state pending: it is pending; only an active elevation can be "
     "extended\n"
     "bob approve R1\n"
     "alice extend R1 1h => state scheduled\n"
     "pass 1h\n"
     "pass 1h\n"
     "alice extend R1 1h => state ended\n"},
    {"only who asked extends", PLAIN,
     "alice request sudo 1h\n"
     "bob approve R1\n"
     "carol extend R1 1h => refused active: only who asked for it can extend it\n"
     "trail => extension.submit carol refused\n"
     "mallory extend R1 1h => not-found\n"},
    {"an extension has a duration and a reason", PLAIN,
     "alice request sudo 1h\n"
     "bob approve R1\n"
     "alice extend R1 0s => usage active: an extension needs a duration and a reason\n"
     "alice extend R1 1h reason= => usage active: an extension needs a duration and a reason\n"},
    {"who is elevated does not extend", PLAIN,
     "alice request sudo 1h\n"
     "bob approve R1\n"
     "alice! extend R1 1h => refused:~ who is elevated\n"},
    {"somebody whom nobody can look up does not extend", PLAIN,
     "alice request sudo 1h\n"
     "bob approve R1\n"
     "group alice +hidden\n"
     "list\n"
     "alice extend R1 1h => refused active: this host does not know your uid, so no policy can "
     "name "
     "you\n"},
    {"who may not have it for so long any more gets no extension",
     PLAIN "--\n" PLAIN "set max 1h\n",
     "alice request sudo 1h\n"
     "bob approve R1\n"
     "alice extend R1 1h\n"
     "policy second\n"
     "state R1 => active\n"
     "bob approve R1 => refused active: alice is not eligible for it any more; the extension is "
     "dropped\n"
     "trail => extension.approve bob done, extension.expire - done\n"
     "extension R1 => none\n"
     "window R1 => 1h left 1h\n"},
    {"an approval that finds the requester not eligible cancels",
     PLAIN "may q alice host:*/login 1h\n",
     "alice request sudo 1h\n"
     "group alice -sre\n"
     "group alicia -sre\n"
     "look alice\n"
     "state R1 => cancelled\n"},

    /* ---- restarts ---- */
    {"a restart changes nothing", PLAIN,
     "alice request sudo 1h\n"
     "bob approve R1\n"
     "alice request su 1h\n"
     "pass 10m\n"
     "restart\n"
     "wake => 50m 50m\n"
     "alice gate sudo => yes\n"
     "bob approve R2 => done active\n"
     "pass 50m\n"
     "state R1 => ended\n"},
    {"a restart after the end ends it", PLAIN,
     "alice request sudo 1h\n"
     "bob approve R1\n"
     "sleep 2h\n"
     "restart\n"
     "state R1 => ended\n"},
    {"a reboot leaves what the wall clock says is left", PLAIN,
     "alice request sudo 1h\n"
     "bob approve R1\n"
     "pass 10m\n"
     "reboot +20m\n"
     "wake => 30m 30m\n"
     "alice gate sudo => yes\n"
     "pass 29m59s\n"
     "alice gate sudo => yes\n"
     "pass 1s\n"
     "state R1 => ended\n"},
    {"a reboot long past the end ends it", PLAIN,
     "alice request sudo 1h\n"
     "bob approve R1\n"
     "reboot +10h\n"
     "alice gate sudo => no\n"
     "state R1 => ended\n"},
    {"a start that is to be tried again is tried at once on another boot", PLAIN,
     "alice request sudo 1h start=+1h\n"
     "bob approve R1\n"
     "group alice +hidden\n"
     "list\n"
     "pass 1h\n"
     "wall -2h\n"
     "dave request su 1h\n"
     "group alice -hidden\n"
     "list\n"
     "state R1 => scheduled\n"
     "reboot +1m\n"
     "state R1 => active\n"},
    {"a reboot past the end ends it", PLAIN,
     "alice request sudo 1h\n"
     "bob approve R1\n"
     "reboot +1h\n"
     "alice gate sudo => no\n"
     "state R1 => ended\n"},
    {"a clock that comes back wrong gives nobody more than was granted", PLAIN,
     "alice request sudo 1h\n"
     "bob approve R1\n"
     "pass 10m\n"
     "alice request su 1h\n"
     "reboot -10h\n"
     "wake => 10h50m 50m\n"
     "pass 49m59s\n"
     "alice gate sudo => yes\n"
     "pass 1s\n"
     "state R1 => ended\n"},
    {"what is pending waits no longer than it was to, whatever the clock said meanwhile", PLAIN,
     "alice request sudo 1h\n"
     "wall -5h\n"
     "alice request su 1h\n"
     "reboot +1m\n"
     "boot +2h59m59s\n"
     "state R1 => pending\n"
     "boot +1s\n"
     "state R1 => expired\n"},
    {"no more than the whole is left, whatever the clock said meanwhile", PLAIN,
     "alice request sudo 1h\n"
     "pass 30m\n"
     "bob approve R1\n"
     "wall -5h\n"
     "alice request su 1h\n"
     "reboot +1m\n"
     "pass 59m59s\n"
     "alice gate sudo => yes\n"
     "pass 1s\n"
     "alice gate sudo => no\n"},
    {"what is pending keeps its expiry over a reboot", PLAIN,
     "alice request sudo 1h\n"
     "pass 1h\n"
     "reboot +10m\n"
     "wake => 1h50m 1h50m\n"
     "pass 1h50m\n"
     "state R1 => expired\n"},
    {"an extension keeps its expiry over a reboot", PLAIN "set expiry 30m\n",
     "alice request sudo 1h\n"
     "bob approve R1\n"
     "alice extend R1 1h\n"
     "reboot +10m\n"
     "extension R1 => 1h expires in 20m\n"
     "boot +20m\n"
     "extension R1 => none\n"},
    {"what is scheduled starts after a reboot", PLAIN,
     "alice request sudo 1h start=+1h\n"
     "bob approve R1\n"
     "reboot +30m\n"
     "state R1 => scheduled\n"
     "wake => 30m never\n"
     "pass 30m\n"
     "state R1 => active\n"},
    {"what should have started while the host was down starts whole", PLAIN,
     "alice request sudo 1h start=+1h\n"
     "bob approve R1\n"
     "reboot +5h\n"
     "state R1 => active\n"
     "window R1 => 1h left 1h\n"},
};

int main(void)
{
    return play_rows("engine: time", ROWS, sizeof ROWS / sizeof ROWS[0]);
}
