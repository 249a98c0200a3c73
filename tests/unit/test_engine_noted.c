/* What has become known and is not decided upon yet, and how often something may be decided about.
 * script.h says how a row reads. */
#include "script.h"

#define PEOPLE       \
    "admins grace\n" \
    "auditors frank\n"
#define MAY        "may sre @sre host:bastion-1/sudo,host:bastion-1/su 4h\n" PEOPLE
#define PLAIN      MAY "rule leads bob,carol host:*/*\n"
#define TWO        MAY "rule leads bob,carol host:*/* quorum 2\n"
#define FREE       "may sre @sre host:bastion-1/sudo,host:bastion-1/su 4h free\n" PEOPLE
#define NOBODY_MAY PEOPLE "rule leads bob,carol host:*/*\n"
#define HALF       "may half @sre host:bastion-1/sudo 4h free\n" PLAIN
#define LEAVES     "group alice -sre\ngroup alicia -sre\n"

/* An extension that is asked for and rejected is one decision. */
#define ASKED  "alice extend R1 1m\nbob reject R1\n"
#define FIVE   ASKED ASKED ASKED ASKED ASKED
#define TWENTY FIVE FIVE FIVE FIVE
#define NINETY TWENTY TWENTY TWENTY TWENTY FIVE FIVE

static const struct row ROWS[] = {
    /* ---- people ---- */
    {"that somebody is not eligible any more is decided with the next tick", PLAIN,
     "alice request sudo 1h\nbob approve R1\n" LEAVES "note alice\n"
     "trail => nothing\n"
     "state R1 => active\n"
     "wake => 0s 0s\n"
     "tick\n"
     "trail => request.ending - done\n"
     "alice gate sudo => no\n"
     "wake => 0s 0s\n"
     "tick\n"
     "state R1 => revoked\n"},
    {"what was noted holds for what is decided before the tick", PLAIN,
     "alice request sudo 1h\n" LEAVES "note alice\n"
     "state R1 => pending\n"
     "bob approve R1 => refused cancelled: alice is not eligible for it any more; it is "
     "cancelled\n"},
    {"what was noted before a restart is decided after it", PLAIN,
     "alice request sudo 1h\nbob approve R1\n" LEAVES "note alice\n"
     "restart\n"
     "state R1 => ending\n"
     "tick\n"
     "state R1 => revoked\n"},
    {"and after another boot", PLAIN,
     "alice request sudo 1h\nbob approve R1\n" LEAVES "note alice\n"
     "reboot +1m\n"
     "state R1 => ending\n"
     "tick\n"
     "state R1 => revoked\n"},
    {"a restart costs nobody who is eligible anything", PLAIN,
     "alice request sudo 1h\nbob approve R1\nnote alice\nrestart\n"
     "trail => nothing\n"
     "state R1 => active\n"},
    {"who is noted as not eligible and then as eligible keeps it", PLAIN,
     "alice request sudo 1h\nbob approve R1\n" LEAVES "note alice\n"
     "group alice +sre\nnote alice\ntick\n"
     "state R1 => active\n"},

    /* ---- policies ---- */
    {"what a policy means for live requests is decided with the next tick", PLAIN "--\n" NOBODY_MAY,
     "alice request sudo 1h\nbob approve R1\ndave request su 1h\n"
     "note second\n"
     "trail => policy.load - done\n"
     "state R1 => active\nstate R2 => pending\n"
     "tick\n"
     "state R1 => ending\nstate R2 => cancelled\n"
     "tick\n"
     "state R1 => revoked\nstate R2 => cancelled\n"},
    {"a policy that was noted before a restart is decided upon after it", PLAIN "--\n" NOBODY_MAY,
     "alice request sudo 1h\nbob approve R1\nnote second\nrestart\n"
     "state R1 => ending\n"
     "tick\n"
     "state R1 => revoked\n"},

    /* ---- approval that is required by now ---- */
    {"one target that needs approval by now is enough to cancel the start", FREE "--\n" HALF,
     "alice request sudo,su 1h start=+2h => done scheduled\n"
     "alice request sudo 1h start=+2h => done scheduled\n"
     "note second\n"
     "pass 2h\n"
     "state R1 => cancelled\n"
     "state R2 => active\n"},
    {"what is active without approval goes on when the policy comes to require it",
     FREE "--\n" PLAIN,
     "alice request sudo 1h => done active\npolicy second\npass 30m\nstate R1 => active\n"},
    {"a missing approval is not told of somebody who cannot be looked up", FREE "--\n" PLAIN,
     "alice request sudo 1h start=+2h\n"
     "group alice +hidden\n"
     "policy second\n"
     "pass 2h\n"
     "state R1 => scheduled\n"
     "group alice -hidden\nlook alice\npass 10s\n"
     "state R1 => cancelled\n"},

    /* ---- a hundred decisions ---- */
    {"nor is what was decided about exactly a hundred times", TWO,
     "alice request sudo 3h\nbob approve R1\ncarol approve R1 => done active\n" NINETY
     "alice extend R1 1m\nbob reject R1\nalice extend R1 1m\nbob reject R1\n"
     "alice extend R1 1m\nbob reject R1\nalice extend R1 1m\nbob reject R1\n"
     "alice extend R1 1m\nbob reject R1\nalice extend R1 1m\nbob reject R1\n"
     "alice extend R1 1m\nbob reject R1\n"
     "alice extend R1 1m => done active\nbob reject R1 => done active: extension rejected\n"
     "alice extend R1 1m => failed active:~ about 100 times\n"},
    {"what was decided about a hundred times is neither approved nor extended again", TWO,
     "alice request sudo 3h\nbob approve R1\ncarol approve R1 => done active\n" NINETY
     "alice extend R1 1m\nbob reject R1\nalice extend R1 1m\nbob reject R1\n"
     "alice extend R1 1m\nbob reject R1\nalice extend R1 1m\nbob reject R1\n"
     "alice extend R1 1m\nbob reject R1\nalice extend R1 1m\nbob reject R1\n"
     "alice extend R1 1m\nbob reject R1\n"
     "alice extend R1 1m => done active\n"
     "bob approve R1 => done active\n"
     "carol approve R1 => failed active: it has been decided about 100 times; it has to be asked "
     "for anew\n"
     "carol reject R1 => done active: extension rejected\n"
     "alice extend R1 1m => failed active: it has been decided about 100 times; ask for a new "
     "elevation instead\n"
     "extension R1 => none\n"
     "window R1 => 3h left 3h\n"
     "alice revoke R1 => done revoked\n"},
};

int main(void)
{
    return play_rows("engine: noted", ROWS, sizeof ROWS / sizeof ROWS[0]);
}
