/* Who sees what, who is waited for, and the answer to `why`. script.h says how a row reads. */
#include "script.h"

#define PEOPLE       \
    "admins grace\n" \
    "auditors frank\n"
#define MAY   "may sre @sre host:bastion-1/sudo,host:bastion-1/su 4h\n" PEOPLE
#define PLAIN MAY "rule leads bob,carol host:*/*\n"

#define NOT_OPEN " | + it is not open now; ask for it: teamctl request host:bastion-1/sudo"

static const struct row ROWS[] = {
    /* ---- who sees ---- */
    {"a live request is seen by who asked, who may approve, auditors, admins and root", PLAIN,
     "alice request sudo 1h\n"
     "alice sees R1 => yes\nalicia sees R1 => yes\nbob sees R1 => yes\ncarol sees R1 => yes\n"
     "frank sees R1 => yes\ngrace sees R1 => yes\nroot sees R1 => yes\n"
     "dave sees R1 => no\nmallory sees R1 => no\nerin sees R1 => no\n4242 sees R1 => no\n"},
    {"history is seen by the same people", PLAIN,
     "alice request sudo 1h\nbob reject R1\npass 100h\n"
     "alice sees R1 => yes\ncarol sees R1 => yes\nfrank sees R1 => yes\ngrace sees R1 => yes\n"
     "root sees R1 => yes\ndave sees R1 => no\n"},
    {"who decided sees it later, too", PLAIN "--\n" MAY "rule sec erin host:*/*\n",
     "alice request sudo 1h\nbob reject R1\n"
     "policy second\n"
     "bob sees R1 => no\n"
     "bob sees R1 decided => yes\n"
     "erin sees R1 => yes\n"},
    {"approvers of others see nothing",
     MAY "rule a bob host:*/* of alice\nrule b carol host:*/* of "
         "dave\n",
     "alice request sudo 1h\n"
     "bob sees R1 => yes\ncarol sees R1 => no\n"
     "dave request sudo 1h\n"
     "bob sees R2 => no\ncarol sees R2 => yes\n"},
    {"approvers of other targets see nothing",
     MAY "rule a bob host:*/sudo\nrule b carol host:*/su\n",
     "alice request sudo 1h\nalice request sudo,su 1h\n"
     "carol sees R1 => no\ncarol sees R2 => yes\nbob sees R2 => yes\n"},
    {"if the requester cannot be looked up, approvers for everybody still see",
     MAY "rule a bob host:*/*\nrule b carol host:*/* of @sre\n",
     "alice request sudo 1h\n"
     "carol sees R1 => yes\n"
     "group alice +hidden\nlist\n"
     "bob sees R1 => yes\ncarol sees R1 => no\n"
     "waiting R1 => bob\n"},

    /* ---- who may decide ---- */
    {"an open question can be decided by its approvers", PLAIN,
     "alice request sudo 1h\n"
     "bob can-decide R1 => yes\ncarol can-decide R1 => yes\nalice can-decide R1 => no\n"
     "root can-decide R1 => no\ngrace can-decide R1 => no\nmallory can-decide R1 => no\n"
     "4242 can-decide R1 => no\n"
     "bob approve R1\n"
     "bob can-decide R1 => no\ncarol can-decide R1 => no\n"
     "alice extend R1 1h\n"
     "bob can-decide R1 => yes\nalice can-decide R1 => no\n"},
    {"who approved has nothing left to decide", MAY "rule leads bob,carol host:*/* quorum 2\n",
     "alice request sudo 1h\nbob approve R1\n"
     "bob can-decide R1 => no\ncarol can-decide R1 => yes\n"},

    /* ---- who is waited for ---- */
    {"nobody is waited for once it is decided", PLAIN,
     "alice request sudo 1h\n"
     "waiting R1 => bob carol\n"
     "bob approve R1\n"
     "waiting R1 => nobody\n"
     "alice extend R1 1h\n"
     "waiting R1 => bob carol\n"
     "alice revoke R1\n"
     "waiting R1 => nobody\n"},
    {"who could approve a target that nobody asked for",
     PLAIN "rule own alice,erin host:*/sudo of @sre\n",
     "approvers alice sudo => bob carol erin\n"
     "approvers bob sudo => carol\n"
     "approvers 4242 sudo => bob carol\n"
     "group erin +unlisted\nlist\n"
     "approvers alice sudo => bob carol\n"
     "approvers alice login => bob carol\n"},

    /* ---- why ---- */
    {"why: yes, by a policy, with approval by somebody", PLAIN,
     "alice why sudo 1h => yes: + policy \"sre\" allows it, for up to 4h, with approval | + bob or "
     "carol could approve it" NOT_OPEN "\n"
     "alice why sudo => yes\n"},
    {"why: no, it is too long", PLAIN,
     "alice why sudo 5h => no: - policy \"sre\" covers it, but only for up to 4h | + bob or "
     "carol could approve it\n"},
    {"why: no, no policy names them", PLAIN,
     "mallory why sudo => no: - no eligibility policy names mallory\n"},
    {"why: no, their policies are for other targets", PLAIN,
     "alice why login => no: - the eligibility policies that name alice do not cover this "
     "target\n"},
    {"why: no, nobody knows them", PLAIN,
     "4242 why sudo => no: - this host does not know that person\n"},
    {"why: no, nobody could approve", MAY,
     "alice why sudo => no: + policy \"sre\" allows it, for up to 4h, with approval | - the "
     "approver "
     "policies name too few people beside alice to approve it\n"},
    {"why: yes, without approval", MAY "may quick alice host:*/sudo 1h free\n",
     "alice why sudo 1h => yes: + policy \"quick\" allows it, for up to 1h, without "
     "approval" NOT_OPEN "\n"},
    {"why: it is open now", PLAIN,
     "alice request sudo 1h\nbob approve R1\npass 15m\n"
     "alice why sudo => yes:~ + it is open now, under REQ00001, for another 45m\n"},
    {"why: another host", PLAIN,
     "alice why host:bastion-2/sudo => no: - this host is bastion-1; its targets are asked for "
     "here, "
     "another host's there\n"},
    {"why: no such class", PLAIN, "alice why sud => no: - sud is no service class of this host\n"},
    {"why: AWS", PLAIN, "alice why aws:111122223333/Admin => no: - AWS is not configured\n"},
    {"why: approvers whom the host cannot list", PLAIN,
     "group bob +unlisted\ngroup carol +unlisted\nlist\n"
     "alice why sudo => yes:~ + an approver could approve it\n"},
};

/* What does not fit is dropped, but counts. */
static void a_finding_without_room_still_counts(void **state)
{
    struct finding found[2];
    struct target sudo = target_of("sudo");
    bool yes = true;

    (void)state;
    stage_set(&play.g);
    assert_null(stage_policy(&play.g, MAY));
    assert_int_equal(engine_why(&play.g.w, 1001, &sudo, 0, play.g.now, found, 1, &yes), 1);
    assert_true(found[0].yes);
    assert_false(yes);
    assert_int_equal(engine_why(&play.g.w, 1001, &sudo, 0, play.g.now, found, 0, &yes), 0);
    assert_false(yes);
}

static void names_are_given_up_to_what_fits(void **state)
{
    const struct person *people[1];
    struct target sudo = target_of("sudo");

    (void)state;
    stage_set(&play.g);
    assert_null(stage_policy(&play.g, PLAIN));
    assert_int_equal(would_approve(&play.g.w, 1001, &sudo, people, 1), 1);
    assert_string_equal(people[0]->name.text, "bob");
    assert_int_equal(would_approve(&play.g.w, 1001, &sudo, people, 0), 0);
    read_actor((char[]){"alice"});
    play.args = (char[]){"sudo 1h"};
    play.asked = 0;
    play.say = text_over(play.got, sizeof play.got);
    do_request();
    assert_int_equal(waiting_for(&play.g.w, request_now(id_numbered(1)), people, 1), 1);
    assert_string_equal(people[0]->name.text, "bob");
}

static void who_sees_everything(void **state)
{
    (void)state;
    stage_set(&play.g);
    assert_null(stage_policy(&play.g, PLAIN));
    assert_true(sees_everything(&play.g.w, 0));
    assert_true(sees_everything(&play.g.w, uid_of("frank")));
    assert_true(sees_everything(&play.g.w, uid_of("grace")));
    assert_false(sees_everything(&play.g.w, uid_of("alice")));
    assert_false(sees_everything(&play.g.w, 4242));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_finding_without_room_still_counts),
        cmocka_unit_test(names_are_given_up_to_what_fits),
        cmocka_unit_test(who_sees_everything),
    };
    int failed = play_rows("engine: see", ROWS, sizeof ROWS / sizeof ROWS[0]);

    return failed + cmocka_run_group_tests(tests, NULL, NULL);
}
