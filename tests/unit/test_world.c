/* The tables of the world: finding, removing, filling up, restoring, and noticing what is wrong. */
#include "stage.h"

#include <setjmp.h>

#include <cmocka.h>

static struct stage g;

#define POLICY                           \
    "may sre @sre host:*/sudo 4h free\n" \
    "rule leads bob host:*/*\n"

static int set(void **state)
{
    (void)state;
    stage_set(&g);
    return stage_policy(&g, POLICY) ? -1 : 0;
}

static struct request request_numbered(uint64_t id, uint32_t uid)
{
    struct request r = {.id = {id}, .requester = uid, .state = REQ_PENDING, .n_targets = 1};

    r.grants[0].state = GRANT_WAITING;
    return r;
}

/* Numbers that share heads of the hash chains now and then, always the same ones. */
static uint64_t scattered(uint64_t i)
{
    uint64_t z = (i + 1) * UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return (z ^ (z >> 31)) >> 24;
}

enum { THINGS = 9000 };

/* Each of a few thousand people has five of something. */
static uint32_t uid_numbered(uint64_t i)
{
    return (uint32_t)(scattered(i % (THINGS / 5)) & 0xffffff) + 1;
}

static struct event ask(uint64_t id, uint32_t uid, const struct target *t)
{
    struct event ev = {.kind = EV_SUBMIT, .actor = {.uid = uid, .loginuid = uid}};

    ev.submit.fresh = (struct id){id};
    ev.submit.targets = t;
    ev.submit.n_targets = 1;
    ev.submit.duration_s = 3600;
    ev.submit.reason = "because";
    ev.submit.ticket = "";
    return ev;
}

static struct target sudo(void)
{
    struct target t;

    assert_int_equal(target_parse("sudo", 4, STAGE_HOST, &t), TARGET_OK);
    return t;
}

/* ---- finding and removing ------------------------------------------------------------------- */

static void requests_are_found_by_id_and_person_in_any_order_of_coming_and_going(void **state)
{
    enum { N = THINGS };
    static struct request *at[N];
    uint32_t each = 0, n = 0;

    (void)state;
    for (uint64_t i = 0; i < N; i++) {
        struct request r = request_numbered(scattered(i), uid_numbered(i));

        at[i] = world_add_request(&g.w, &r);
        assert_non_null(at[i]);
    }
    for (uint64_t i = 0; i < N; i += 3)
        world_remove_request(&g.w, at[i]);
    for (uint64_t i = 0; i < N; i++)
        assert_int_equal(world_request(&g.w, (struct id){scattered(i)}) != NULL, i % 3 != 0);
    for (uint64_t i = 0; i < N / 5; i++)
        for (const struct request *r = NULL; (r = world_next_of(&g.w, uid_numbered(i), r)); n++)
            assert_int_equal(r->requester, uid_numbered(i));
    assert_int_equal(n, N - N / 3);
    assert_int_equal(g.w.n_requests, n);
    while (world_each_request(&g.w, &each))
        n--;
    assert_int_equal(n, 0);
    assert_null(world_check(&g.w));
    for (uint64_t i = 0; i < N; i += 3) { /* freed slots are used again */
        struct request r = request_numbered(scattered(i), 1000);

        assert_non_null(world_add_request(&g.w, &r));
    }
    assert_int_equal(g.w.top_request, N);
    assert_null(world_request(&g.w, (struct id){0}));
    assert_null(world_next_of(&g.w, 4242, NULL));
}

static void sessions_are_found_by_number_and_person_in_any_order_of_coming_and_going(void **state)
{
    enum { N = THINGS };
    static struct session *at[N];
    uint32_t each = 0, n = 0;

    (void)state;
    for (uint32_t i = 0; i < N; i++) {
        struct session s = {.number = scattered(i), .uid = uid_numbered(i), .state = SESSION_LIVE};

        at[i] = world_add_session(&g.w, &s);
        assert_non_null(at[i]);
    }
    for (uint32_t i = 0; i < N; i += 3)
        world_remove_session(&g.w, at[i]);
    for (uint32_t i = 0; i < N; i++)
        assert_int_equal(world_session(&g.w, scattered(i)) != NULL, i % 3 != 0);
    for (uint64_t i = 0; i < N / 5; i++)
        for (const struct session *s = NULL; (s = world_next_session_of(&g.w, uid_numbered(i), s));
             n++)
            assert_int_equal(s->uid, uid_numbered(i));
    assert_int_equal(n, N - N / 3);
    while (world_each_session(&g.w, &each))
        n--;
    assert_int_equal(n, 0);
    for (uint32_t i = 0; i < N / 3; i++) {
        struct session s = {
            .number = scattered(N + i), .uid = uid_numbered(i), .state = SESSION_LIVE};

        assert_non_null(world_add_session(&g.w, &s));
    }
    assert_int_equal(g.w.top_session, N);
    assert_null(world_check(&g.w));
}

static void an_older_session_does_not_turn_the_numbers_back(void **state)
{
    struct session s = {.number = 9, .uid = 1000, .state = SESSION_LIVE};

    (void)state;
    assert_non_null(world_add_session(&g.w, &s));
    s.number = 4;
    assert_non_null(world_add_session(&g.w, &s));
    assert_int_equal(g.w.last_session, 9);
}

static void clearing_forgets_all_but_people_and_policy(void **state)
{
    struct request r = request_numbered(1, 1001);
    struct session s = {.number = 1, .uid = 1001, .state = SESSION_LIVE};
    uint32_t each = 0, people = 0;

    (void)state;
    assert_non_null(world_add_request(&g.w, &r));
    assert_non_null(world_add_session(&g.w, &s));
    world_clear(&g.w);
    assert_null(world_request(&g.w, r.id));
    assert_null(world_session(&g.w, 1));
    assert_null(world_each_request(&g.w, &each));
    assert_int_equal(g.w.n_requests + g.w.n_sessions + g.w.top_request + g.w.top_session, 0);
    assert_non_null(world_person(&g.w, 1001));
    for (each = 0; world_each_person(&g.w, &each);)
        people++;
    assert_int_equal(people, CAST - 1); /* two of the cast are one person */
    assert_ptr_equal(g.w.policy, &g.policy[g.which]);
}

/* ---- filling up ----------------------------------------------------------------------------- */

static void a_world_full_of_people_learns_only_what_is_new_of_them(void **state)
{
    struct person p = {.uid = 100000};
    struct event ev = {.kind = EV_PERSON, .person = &p};

    (void)state;
    while (g.w.n_people < WORLD_PEOPLE) {
        p.uid++;
        assert_true(world_learn(&g.w, &p));
    }
    p.listed = true;
    assert_true(world_learn(&g.w, &p));
    assert_true(world_person(&g.w, p.uid)->listed);
    p.uid++;
    assert_false(world_learn(&g.w, &p));
    assert_null(stage_step(&g, &ev));
    assert_int_equal(g.out.reply.code, REPLY_FAILED);
    assert_string_equal(g.out.reply.text, "teamd has no room for more people");
    assert_null(world_person(&g.w, p.uid));
    world_forget_people(&g.w);
    assert_null(world_person(&g.w, 1001));
    assert_true(world_learn(&g.w, &p));
}

static void a_world_full_of_requests_refuses_more(void **state)
{
    struct target t = sudo();
    struct event ev = ask(7, 1001, &t);

    (void)state;
    for (uint64_t i = 0; i < WORLD_REQUESTS; i++) {
        struct request r = request_numbered(1000 + i, 5000 + (uint32_t)i);

        r.due = (struct deadline){{NEVER_US}, {NEVER_US}};
        assert_non_null(world_add_request(&g.w, &r));
    }
    engine_step(&g.w, &ev, g.now, &g.out);
    assert_int_equal(g.out.reply.code, REPLY_FAILED);
    assert_string_equal(g.out.reply.text,
                        "teamd has no room for more open requests; try again later");
    assert_null(world_add_request(&g.w, &(struct request){.id = {7}}));
    assert_false(
        world_restore_request(&g.w, &(struct request){.id = {7}}, true, g.now, g.now.wall));
    assert_null(world_check(&g.w));
}

static void a_person_has_so_many_open_requests_and_no_more(void **state)
{
    struct target t = sudo();

    (void)state;
    for (uint64_t i = 1; i <= REQUESTS_PER_PERSON; i++) {
        struct event ev = ask(i, 1001, &t);

        assert_null(stage_step(&g, &ev));
        assert_int_equal(g.out.reply.code, REPLY_DONE);
    }
    for (uint32_t uid = 1001; uid <= 1004; uid += 3) {
        struct event ev = ask(100 + uid, uid, &t);

        assert_null(stage_step(&g, &ev));
        assert_int_equal(g.out.reply.code, uid == 1001 ? REPLY_REFUSED : REPLY_DONE);
    }
}

static void a_world_full_of_sessions_lets_nobody_in(void **state)
{
    struct gate_ask open = {.actor = {.uid = 0, .loginuid = NOBODY},
                            .service = "sudo",
                            .user = "root",
                            .ruser = "",
                            .tty = "",
                            .rhost = "",
                            .command = "",
                            .scope = ""};
    struct event ev = {.kind = EV_OPEN, .open = &open};
    struct session s = {.uid = 5000, .state = SESSION_LIVE};

    (void)state;
    assert_null(stage_policy(&g, "exempt alice sudo\n"));
    while (g.w.n_sessions < WORLD_SESSIONS) {
        s.number++;
        assert_non_null(world_add_session(&g.w, &s));
    }
    s.number++;
    assert_null(world_add_session(&g.w, &s));
    assert_false(world_restore_session(&g.w, &s));
    engine_step(&g.w, &ev, g.now, &g.out);
    assert_int_equal(g.out.reply.code, REPLY_REFUSED);
    assert_string_equal(g.out.reply.text, "too many sessions are open; close some (root's own gets "
                                          "no answer and no record)");
    assert_true(g.out.reply.unrecorded); /* so that root gets in, and can make room */
    open.actor = (struct actor){.uid = 1001, .loginuid = 1001};
    engine_step(&g.w, &ev, g.now, &g.out);
    assert_int_equal(g.out.reply.code, REPLY_REFUSED);
    assert_string_equal(g.out.reply.text, "too many sessions are open; close some");
    assert_false(g.out.reply.unrecorded); /* who may come in is told that there is no room */
    open.service = "polkit-1";
    engine_step(&g.w, &ev, g.now, &g.out);
    assert_int_equal(g.out.reply.code, REPLY_REFUSED);
    assert_false(g.out.reply.unrecorded);
    assert_null(world_check(&g.w));
}

/* No step leads to such a world; should there be one, it is a no. */
static void inside_of_an_elevation_that_nobody_knows_nothing_is_opened(void **state)
{
    struct gate_ask open = {.actor = {.uid = 0, .loginuid = NOBODY},
                            .service = "sudo",
                            .user = "root",
                            .ruser = "",
                            .tty = "",
                            .rhost = "",
                            .command = "",
                            .scope = "",
                            .parent = 1};
    struct event ev = {.kind = EV_OPEN, .open = &open};
    struct session s = {.number = 1, .uid = 1001, .state = SESSION_LIVE, .request = {77}};

    (void)state;
    assert_non_null(world_add_session(&g.w, &s));
    engine_step(&g.w, &ev, g.now, &g.out);
    assert_int_equal(g.out.reply.code, REPLY_REFUSED);
    assert_string_equal(g.out.reply.text, "the elevation of this session has ended");
}

/* Many requests, and a reload after which nobody is eligible, of which one step is done: the later
 * requests are still to be looked at. */
static void begin_a_long_reload(int64_t start_us)
{
    static struct person people[CAST];
    struct target t = sudo();
    struct event reload = {.kind = EV_POLICY};

    for (uint64_t i = 1; i <= 2 * REQUESTS_PER_PERSON; i++) {
        struct event ev = ask(i, i % 2 ? 1001 : 1004, &t);

        ev.submit.start.us = start_us;
        assert_null(stage_step(&g, &ev));
        assert_int_equal(g.out.reply.code, REPLY_DONE);
    }
    g.now.wall.us = start_us;
    policy_read(&g.policy[!g.which], "rule leads bob host:*/*\n");
    reload.policy.policy = &g.policy[!g.which];
    reload.policy.people = people;
    reload.policy.n_people = everybody(&g, reload.policy.policy, people);
    reload.policy.by = "grace";
    assert_null(stage_step_once(&g, &reload));
    assert_true(g.out.more);
    assert_int_equal(engine_wake(&g.w).wall.us, g.now.wall.us);
}

static void more_than_one_step_can_hold_is_done_in_several(void **state)
{
    struct event tick = {.kind = EV_TICK};
    int steps = 1;

    (void)state;
    begin_a_long_reload(g.now.wall.us);
    while (g.out.more) {
        assert_null(stage_step_once(&g, &tick));
        steps++;
    }
    assert_true(steps > 2);
    assert_null(stage_tick(&g));
    assert_int_equal(g.w.n_requests, 0);
}

static void a_start_finds_out_that_the_requester_is_not_eligible_any_more(void **state)
{
    struct event ev = {.kind = EV_REVOKE, .id = {2 * REQUESTS_PER_PERSON}};

    (void)state;
    begin_a_long_reload(g.now.wall.us + 60 * SECOND_US);
    assert_int_equal(world_request(&g.w, ev.id)->state, REQ_SCHEDULED);
    ev.revoke.comment = "";
    assert_null(stage_step_once(&g, &ev));
    assert_int_equal(g.out.reply.code, REPLY_WRONG_STATE);
    assert_int_equal(g.out.reply.state, REQ_CANCELLED);
}

static void an_approval_finds_out_that_the_requester_is_not_eligible_any_more(void **state)
{
    struct event ev = {.kind = EV_DECIDE,
                       .actor = {.uid = 1002, .loginuid = 1002},
                       .id = {2 * REQUESTS_PER_PERSON}};

    (void)state;
    assert_null(stage_policy(&g, "may sre @sre host:*/sudo 4h\nrule leads bob host:*/*\n"));
    begin_a_long_reload(g.now.wall.us);
    assert_int_equal(world_request(&g.w, ev.id)->state, REQ_PENDING);
    ev.decide.approve = true;
    ev.decide.comment = "fine";
    assert_null(stage_step_once(&g, &ev));
    assert_int_equal(g.out.reply.code, REPLY_REFUSED);
    assert_int_equal(g.out.reply.state, REQ_CANCELLED);
    assert_non_null(strstr(g.out.reply.text, "not eligible for it any more; it is cancelled"));
}

static void an_event_of_no_kind_does_nothing(void **state)
{
    (void)state;
    assert_null(stage_step(&g, &(struct event){.kind = (enum event_kind)0}));
    assert_int_equal(g.out.n, 0);
}

static void what_belongs_to_a_request_with_16_approvals_has_no_room_for_more(void **state)
{
    struct request r = request_numbered(1, 1001), *kept;
    struct event ev = {.kind = EV_DECIDE, .actor = {.uid = 1002, .loginuid = 1002}, .id = {1}};

    (void)state;
    assert_null(
        stage_policy(&g, "may sre @sre host:*/sudo 4h\nrule leads bob host:*/* quorum 17\n"));
    r.grants[0].target = sudo();
    r.duration_s = 60;
    r.due = (struct deadline){{NEVER_US}, {NEVER_US}};
    r.n_approvals = APPROVALS_MAX;
    for (uint32_t i = 0; i < APPROVALS_MAX; i++)
        r.approvals[i].uid = 7000 + i;
    kept = world_add_request(&g.w, &r);
    ev.decide.approve = true;
    ev.decide.comment = "fine";
    engine_step(&g.w, &ev, g.now, &g.out);
    assert_int_equal(g.out.reply.code, REPLY_FAILED);
    assert_string_equal(g.out.reply.text, "it has 16 approvals already, and no room for more");
    assert_int_equal(kept->n_approvals, APPROVALS_MAX);
    ev.decide.approve = false;
    engine_step(&g.w, &ev, g.now, &g.out);
    assert_int_equal(g.out.reply.code, REPLY_DONE);
    assert_int_equal(g.out.reply.state, REQ_REJECTED);
}

static void what_was_decided_about_a_hundred_times_is_not_approved_again(void **state)
{
    struct request r = request_numbered(1, 1001);
    struct event ev = {.kind = EV_DECIDE, .actor = {.uid = 1002, .loginuid = 1002}, .id = {1}};

    (void)state;
    assert_null(stage_policy(&g, "may sre @sre host:*/sudo 4h\nrule leads bob host:*/*\n"));
    r.grants[0].target = sudo();
    r.duration_s = 60;
    r.due = (struct deadline){{NEVER_US}, {NEVER_US}};
    r.n_decisions = DECISIONS_MAX;
    assert_non_null(world_add_request(&g.w, &r));
    ev.decide.approve = true;
    ev.decide.comment = "fine";
    engine_step(&g.w, &ev, g.now, &g.out);
    assert_int_equal(g.out.reply.code, REPLY_FAILED);
    assert_int_equal(g.out.reply.state, REQ_PENDING);
    ev.decide.approve = false;
    engine_step(&g.w, &ev, g.now, &g.out);
    assert_int_equal(g.out.reply.code, REPLY_DONE);
    assert_int_equal(g.out.reply.state, REQ_REJECTED);
}

/* Whatever was being done to it when teamd stopped is due at once; of one that goes on nothing is.
 */
static void the_first_pass_looks_at_what_was_being_ended(void **state)
{
    struct session s = {.number = 1, .uid = 1001, .state = SESSION_LIVE};

    (void)state;
    g.w.wake = (struct deadline){{NEVER_US}, {NEVER_US}};
    assert_true(world_restore_session(&g.w, &s));
    assert_int_equal(g.w.wake.wall.us, NEVER_US);
    s = (struct session){.number = 2, .uid = 1001, .state = SESSION_TERMINATING};
    assert_true(world_restore_session(&g.w, &s));
    assert_int_equal(g.w.wake.wall.us, 0);
    engine_step(&g.w, &(struct event){.kind = EV_TICK}, g.now, &g.out);
    assert_int_equal(world_session(&g.w, 2)->state, SESSION_KILLING);
    for (size_t i = 0; i < g.out.n; i++) /* under no request: nobody has revoked it */
        if (g.out.items[i].kind == EFFECT_AUDIT)
            assert_string_equal(g.out.items[i].audit.actor.text, "");
}

/* ---- invariants ----------------------------------------------------------------------------- */

static struct request *active(void)
{
    struct target t = sudo();
    struct event ev = ask(1, 1001, &t);

    assert_null(stage_step(&g, &ev));
    return world_request(&g.w, (struct id){1});
}

static void assert_noticed(const char *what)
{
    const char *wrong = world_check(&g.w);

    assert_non_null(wrong);
    assert_string_equal(wrong, what);
}

static void what_is_wrong_with_a_request_is_noticed(void **state)
{
    struct request *r = active(), right = *r;

    (void)state;
    assert_null(world_check(&g.w));
    r->state = REQ_ENDED;
    assert_noticed("a live request is in a final state");
    r->state = 0;
    assert_noticed("a live request is in a final state");
    r->state = REQ_STATES;
    assert_noticed("a live request is in a final state");
    *r = right;
    r->n_targets = 0;
    assert_noticed("a request has no targets, or too many");
    r->n_targets = TARGETS_MAX + 1;
    assert_noticed("a request has no targets, or too many");
    *r = right;
    r->active_from.us = 0;
    assert_noticed("an active request has no window");
    *r = right;
    r->active_until.us++;
    assert_noticed("an active request has no window");
    *r = right;
    r->grants[0].state = GRANT_OPENING;
    assert_noticed("an active request has a grant that is not open");
    *r = right;
    r->state = REQ_PENDING;
    assert_noticed("a request has a grant before its time");
    r->state = REQ_SCHEDULED;
    assert_noticed("a request has a grant before its time");
    *r = right;
    r->state = REQ_PENDING;
    r->grants[0].state = GRANT_WAITING;
    r->extension.for_s = 60;
    assert_noticed("an extension is asked of a request that is not active");
    *r = right;
    r->state = REQ_ENDING;
    assert_noticed("an ending request does not know its end");
    *r = right;
    r->n_approvals = 1;
    assert_noticed("approvals are kept of a question that is closed");
    r->extension.for_s = 60;
    assert_null(world_check(&g.w));
    *r = right;
    r->id.bits = 99;
    assert_noticed("a request is not found by its id");
    *r = right;
    g.w.n_requests++;
    assert_noticed("the number of requests is wrong");
    g.w.n_requests--;
    assert_null(world_check(&g.w));
}

static void what_is_wrong_with_a_session_is_noticed(void **state)
{
    struct session s = {.number = 1, .uid = 1001, .state = SESSION_LIVE, .request = {1}}, *live;

    (void)state;
    active();
    live = world_add_session(&g.w, &s);
    assert_null(world_check(&g.w));
    live->state = SESSION_LOST;
    assert_noticed("a live session is over");
    live->state = SESSION_LIVE;
    live->request.bits = 2;
    assert_noticed("a session is under a request that is over");
    live->request.bits = 0;
    assert_null(world_check(&g.w));
    g.w.n_sessions++;
    assert_noticed("the number of sessions is wrong");
}

static void the_gate_believes_no_grant_that_is_not_open(void **state)
{
    struct gate_ask sudo_ask = {
        .actor = {.uid = 1001, .loginuid = 1001}, .service = "sudo", .ruser = ""};
    struct request *r = active();

    (void)state;
    assert_int_equal(gate_account(&g.w, &sudo_ask, g.now).code, REPLY_DONE);
    r->grants[0].state = GRANT_OPENING;
    assert_int_equal(gate_account(&g.w, &sudo_ask, g.now).code, REPLY_REFUSED);
}

/* ---- restoring ------------------------------------------------------------------------------ */

static void what_nothing_ends_by_itself_is_restored_so_on_another_boot(void **state)
{
    struct request r = request_numbered(1, 1001);
    struct now later = {{g.now.wall.us + 60 * SECOND_US}, {SECOND_US}};

    (void)state;
    r.state = REQ_ENDING;
    r.end_as = REQ_ENDED;
    r.due = (struct deadline){{NEVER_US}, {NEVER_US}};
    assert_true(world_restore_request(&g.w, &r, false, later, g.now.wall));
    assert_int_equal(world_request(&g.w, r.id)->due.boot.us, NEVER_US);
    r.id.bits = 2;
    r.due.boot.us = 5; /* never by the wall clock: nothing to go by */
    assert_true(world_restore_request(&g.w, &r, false, later, g.now.wall));
    assert_int_equal(world_request(&g.w, r.id)->due.boot.us, 5);
    assert_int_equal(engine_wake(&g.w).boot.us, later.boot.us);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(requests_are_found_by_id_and_person_in_any_order_of_coming_and_going,
                               set),
        cmocka_unit_test_setup(
            sessions_are_found_by_number_and_person_in_any_order_of_coming_and_going, set),
        cmocka_unit_test_setup(an_older_session_does_not_turn_the_numbers_back, set),
        cmocka_unit_test_setup(clearing_forgets_all_but_people_and_policy, set),
        cmocka_unit_test_setup(a_world_full_of_people_learns_only_what_is_new_of_them, set),
        cmocka_unit_test_setup(a_world_full_of_requests_refuses_more, set),
        cmocka_unit_test_setup(a_person_has_so_many_open_requests_and_no_more, set),
        cmocka_unit_test_setup(a_world_full_of_sessions_lets_nobody_in, set),
        cmocka_unit_test_setup(inside_of_an_elevation_that_nobody_knows_nothing_is_opened, set),
        cmocka_unit_test_setup(more_than_one_step_can_hold_is_done_in_several, set),
        cmocka_unit_test_setup(a_start_finds_out_that_the_requester_is_not_eligible_any_more, set),
        cmocka_unit_test_setup(an_approval_finds_out_that_the_requester_is_not_eligible_any_more,
                               set),
        cmocka_unit_test_setup(an_event_of_no_kind_does_nothing, set),
        cmocka_unit_test_setup(the_gate_believes_no_grant_that_is_not_open, set),
        cmocka_unit_test_setup(what_belongs_to_a_request_with_16_approvals_has_no_room_for_more,
                               set),
        cmocka_unit_test_setup(what_was_decided_about_a_hundred_times_is_not_approved_again, set),
        cmocka_unit_test_setup(the_first_pass_looks_at_what_was_being_ended, set),
        cmocka_unit_test_setup(what_is_wrong_with_a_request_is_noticed, set),
        cmocka_unit_test_setup(what_is_wrong_with_a_session_is_noticed, set),
        cmocka_unit_test_setup(what_nothing_ends_by_itself_is_restored_so_on_another_boot, set),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
