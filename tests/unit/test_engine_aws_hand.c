/* AWS in the core, by hand: what does not fit, and what no history leads to. */
#include "script.h"

#include "aws_rules.h"

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

/* The window begins when AWS says so; that it was asked before is not forgotten. */
static void it_is_known_since_when_it_may_be_used(void **state)
{
    static const uint8_t ANSWERS[] = {OUTCOME_ABSENT, OUTCOME_MADE};
    struct target t = target_of(ADMIN);
    struct event ev = submit_of(79, &t);
    const struct request *r;
    struct request old;
    struct wall asked;

    (void)state;
    begin_by_hand();
    asked = play.g.now.wall;
    assert_null(stage_step(&play.g, &ev));
    for (size_t i = 0; i < 2; i++) {
        const struct errand *e = world_errand(&play.g.w, 1);

        stage_pass(&play.g, 300);
        ev = (struct event){.kind = EV_RESULT};
        ev.result.errand = 1;
        ev.result.round = e ? e->round : 0;
        ev.result.outcome = ANSWERS[i];
        ev.result.text = "";
        r = kept_request(&play.g, (struct id){79});
        assert_true(r && !grant_was_usable(&r->grants[0]));
        assert_null(stage_step(&play.g, &ev));
    }
    assert_null(stage_settle(&play.g));
    r = kept_request(&play.g, (struct id){79});
    assert_true(r && grant_was_usable(&r->grants[0]));
    if (!r)
        return;
    old = *r;
    assert_int_equal(request_usable_from(&old).us, asked.us);
    old.asked_aws.us = 0;
    assert_int_equal(request_usable_from(&old).us, asked.us + 600 * SECOND_US);
}

/* Who ends it when AWS has it, and it has not been told, has had it. */
static void what_aws_has_may_have_been_used(void **state)
{
    static const uint8_t ANSWERS[] = {OUTCOME_ABSENT, OUTCOME_MADE};
    struct target t = target_of(ADMIN);
    struct event ev = submit_of(80, &t);
    const struct request *r;

    (void)state;
    begin_by_hand();
    assert_null(stage_step(&play.g, &ev));
    assert_null(stage_settle(&play.g));
    for (size_t i = 0; i < 2; i++) {
        const struct errand *e = world_errand(&play.g.w, 1);

        ev = (struct event){.kind = EV_RESULT};
        ev.result.errand = 1;
        ev.result.round = e ? e->round : 0;
        ev.result.outcome = ANSWERS[i];
        ev.result.text = "";
        assert_null(stage_step(&play.g, &ev));
    }
    r = kept_request(&play.g, (struct id){80});
    assert_true(r && r->grants[0].state == GRANT_OPENING);
    ev = (struct event){.kind = EV_REVOKE,
                        .id = {80},
                        .actor = {.uid = 1001, .loginuid = 1001},
                        .revoke = {.comment = ""}};
    assert_null(stage_step(&play.g, &ev));
    r = kept_request(&play.g, (struct id){80});
    assert_true(r && r->grants[0].state == GRANT_CLOSING && grant_was_usable(&r->grants[0]));
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
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_full_outbox_is_waited_for),
        cmocka_unit_test(many_ends_take_more_than_one_step),
        cmocka_unit_test(long_words_are_cut_between_characters),
        cmocka_unit_test(each_state_has_its_step),
        cmocka_unit_test(it_is_known_since_when_it_may_be_used),
        cmocka_unit_test(what_aws_has_may_have_been_used),
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

    return cmocka_run_group_tests_name("aws, by hand", tests, NULL, NULL);
}
