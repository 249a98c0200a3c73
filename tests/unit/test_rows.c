/* Values of the core as rows: what is in them, what is absent, and that everything fits. */
#include "rows_rig.h"

/* ---- a world in which somebody is waited for ------------------------------------------------- */

static struct policy policy;
static struct world world;
static struct row_context context = {
    .world = &world, .portal = "https://x.awsapps.com/start/", .sso_region = "eu-west-1"};

static void set_name(struct name *n, const char *text)
{
    snprintf(n->text, sizeof n->text, "%s", text);
}

static void learn(uint32_t uid, const char *name)
{
    struct person p = {.uid = uid, .listed = true};

    set_name(&p.name, name);
    principals_add(&p.is, 0);
    assert_true(world_learn(&world, &p));
}

/* Everybody in the world may approve everything. */
static int world_up(void **state)
{
    (void)state;
    memset(&policy, 0, sizeof policy);
    policy_init(&policy, "bastion-1");
    policy.n_principals = 1;
    policy.principals[0] = (struct principal){.kind = PRINCIPAL_GROUP, .name = "leads"};
    policy.n_patterns = 1;
    assert_int_equal(pattern_parse("host:*/*", 8, &policy.patterns[0]), TARGET_OK);
    policy.n_approvers = 1;
    policy.approvers[0] =
        (struct approvers){.targets = {0, 1}, .for_all_requesters = true, .quorum = 1};
    principals_add(&policy.approvers[0].who, 0);
    world_init(&world, calloc(1, world_size()), &policy);
    learn(ALICE, "alice");
    learn(BOB, "bob");
    return 0;
}

static void *world_memory(void)
{
    return world.requests; /* the first of the tables */
}

static int world_down(void **state)
{
    (void)state;
    free(world_memory());
    return 0;
}

/* ---- requests -------------------------------------------------------------------------------- */

static struct record plain_record(void)
{
    struct record r = {.reason = "rotate certs",
                       .ticket = "",
                       .revoke_comment = "",
                       .extension_reason = "",
                       .request = {.id = {0x123456789a},
                                   .requester = ALICE,
                                   .state = REQ_PENDING,
                                   .approval_required = true,
                                   .n_targets = 1,
                                   .duration_s = 3600,
                                   .requested_at = {1000000},
                                   .host = "bastion-1"}};

    set_name(&r.request.requester_name, "alice");
    r.request.grants[0] = (struct grant){.state = GRANT_WAITING};
    assert_int_equal(target_parse("sudo", 4, "bastion-1", &r.request.grants[0].target), TARGET_OK);
    return r;
}

static struct decision decision(const char *by, bool approved, enum about about,
                                const char *comment)
{
    struct decision d = {
        .approved = approved, .about = (uint8_t)about, .at = {2000000}, .comment = comment};

    set_name(&d.by, by);
    return d;
}

static void pending_request_says_who_is_waited_for(void **state)
{
    struct record r = plain_record();

    (void)state;
    begin_row(TEAM_ROW_REQUEST);
    row_request(&out, &context, &r);
    assert_string_equal(
        print_row(),
        "ID=28T5CY4T REQUESTER=alice STATE=pending "
        "TARGET{TARGET_NAME=host:bastion-1/sudo STATE=waiting} REASON=rotate certs "
        "REQUESTED_AT=1000000 DURATION_S=3600 APPROVAL_REQUIRED=1 WAITING_FOR=bob HOST=bastion-1");
}

static void request_that_was_revoked_says_all_that_was(void **state)
{
    struct record r = plain_record();
    struct decision decisions[] = {
        decision("bob", true, ABOUT_REQUEST, "go ahead"),
        decision("bob", false, ABOUT_EXTENSION, ""),
    };
    struct request *q = &r.request;

    (void)state;
    r.ticket = "CHG-7";
    r.revoke_comment = "enough";
    r.decisions = decisions;
    r.n_decisions = 2;
    q->state = REQ_REVOKED;
    q->n_targets = 2;
    q->grants[0].state = GRANT_CLOSED;
    q->grants[1].state = GRANT_FAILED;
    r.names[1].account = "prod";
    assert_int_equal(target_parse("aws:111122223333/Admin", 22, "bastion-1", &q->grants[1].target),
                     TARGET_OK);
    q->requested_start = (struct wall){1500000};
    q->active_from = (struct wall){3000000};
    q->active_until = (struct wall){6000000};
    q->ended_at = (struct wall){4000000};
    q->duration_s = 3;
    q->approval_required = false;
    set_name(&q->revoked_by, "bob");
    snprintf(q->failure, sizeof q->failure, "no such account");
    begin_row(TEAM_ROW_REQUEST);
    row_request(&out, &context, &r);
    assert_string_equal(
        print_row(),
        "ID=28T5CY4T REQUESTER=alice STATE=revoked "
        "TARGET{TARGET_NAME=host:bastion-1/sudo STATE=closed} "
        "TARGET{TARGET_NAME=aws:111122223333/Admin STATE=failed ACCOUNT=111122223333 "
        "ACCOUNT_NAME=prod PERMISSION_SET=Admin} REASON=rotate certs TICKET=CHG-7 "
        "REQUESTED_AT=1000000 REQUESTED_START=1500000 DURATION_S=3 ACTIVE_FROM=3000000 "
        "ACTIVE_UNTIL=6000000 ENDED_AT=4000000 APPROVAL_REQUIRED=0 "
        "DECISION_MADE{BY=bob AT=2000000 DECISION=approved COMMENT=go ahead ABOUT=request} "
        "DECISION_MADE{BY=bob AT=2000000 DECISION=rejected ABOUT=extension} "
        "REVOKED_BY=bob REVOKE_COMMENT=enough FAILURE=no such account HOST=bastion-1");
}

/* Where it can be used, how long what was fetched lives, and what AWS keeps waiting. */
static void what_is_open_in_aws_says_how_to_use_it(void **state)
{
    static const char SET[] = "aws:111122223333/a+=,.@-_Z";
    struct record r = plain_record();
    struct request *q = &r.request;
    struct errand e = {.number = 5, .trouble = "AWS says: slower"};

    (void)state;
    q->state = REQ_ACTIVE;
    q->n_targets = 3;
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(target_parse(SET, strlen(SET), "", &q->grants[i].target), TARGET_OK);
        q->grants[i].errand = 5;
        q->grants[i].credentials_until = (struct wall){9000000};
    }
    q->grants[0].state = GRANT_OPEN;
    q->grants[1].state = GRANT_OPENING;
    q->grants[2].state = GRANT_CLOSED;
    assert_non_null(world_add_errand(&world, &e));
    begin_row(TEAM_ROW_REQUEST);
    row_request(&out, &context, &r);
    assert_non_null(
        strstr(print_row(),
               "TARGET{TARGET_NAME=aws:111122223333/a+=,.@-_Z STATE=open ACCOUNT=111122223333 "
               "PERMISSION_SET=a+=,.@-_Z CREDENTIALS_UNTIL=9000000 "
               "PORTAL=https://x.awsapps.com/start/#/console?account_id=111122223333&role_name="
               "a%2B%3D%2C.%40-_Z SSO_REGION=eu-west-1} "
               "TARGET{TARGET_NAME=aws:111122223333/a+=,.@-_Z STATE=opening ACCOUNT=111122223333 "
               "PERMISSION_SET=a+=,.@-_Z CREDENTIALS_UNTIL=9000000 TROUBLE=AWS says: slower} "
               "TARGET{TARGET_NAME=aws:111122223333/a+=,.@-_Z STATE=closed ACCOUNT=111122223333 "
               "PERMISSION_SET=a+=,.@-_Z CREDENTIALS_UNTIL=9000000} "));
    world_remove_errand(&world, world_errand(&world, 5));
}

/* What is over says it of itself as long as it matters; while it is open, its end does. */
static void what_is_over_says_how_long_credentials_live(void **state)
{
    struct record r = plain_record();
    struct request *q = &r.request;
    struct row_context later = context;

    (void)state;
    q->n_targets = 2;
    q->grants[0].target.kind = q->grants[1].target.kind = TARGET_AWS;
    q->grants[0].state = q->grants[1].state = GRANT_CLOSED;
    q->grants[0].credentials_until = (struct wall){9000000};
    q->grants[1].credentials_until = (struct wall){8000000};
    for (unsigned s = REQ_ACTIVE; s <= REQ_FAILED; s++) {
        q->state = (uint8_t)s;
        for (int64_t us = 8999999; us <= 9000000; us++) {
            later.now.us = us;
            begin_row(TEAM_ROW_REQUEST);
            row_request(&out, &later, &r);
            assert_int_equal(strstr(print_row(), " CREDENTIALS_UNTIL=9000000 APPROVAL_REQ") != NULL,
                             s >= REQ_ENDING && us < 9000000);
        }
    }
}

static void open_extension_says_who_is_waited_for(void **state)
{
    struct record r = plain_record();

    (void)state;
    r.request.state = REQ_ACTIVE;
    r.request.grants[0].state = GRANT_OPEN;
    r.request.extension = (struct extension){.for_s = 1800, .requested_at = {5000000}};
    r.extension_reason = "not done yet";
    begin_row(TEAM_ROW_REQUEST);
    row_request(&out, &context, &r);
    assert_string_equal(print_row(),
                        "ID=28T5CY4T REQUESTER=alice STATE=active "
                        "TARGET{TARGET_NAME=host:bastion-1/sudo STATE=open} REASON=rotate certs "
                        "REQUESTED_AT=1000000 DURATION_S=3600 APPROVAL_REQUIRED=1 "
                        "EXTENSION{FOR_S=1800 REASON=not done yet REQUESTED_AT=5000000 "
                        "WAITING_FOR=bob} HOST=bastion-1");
}

static void decided_extension_is_still_told(void **state)
{
    struct record r = plain_record();

    (void)state;
    r.request.state = REQ_ACTIVE;
    r.request.duration_s = 5400;
    r.request.extended_s = 1800;
    r.extension_reason = "not done yet";
    begin_row(TEAM_ROW_REQUEST);
    row_request(&out, &context, &r);
    assert_non_null(strstr(print_row(), "DURATION_S=5400 APPROVAL_REQUIRED=1 EXTENDED_S=1800 "
                                        "EXTENSION_REASON=not done yet HOST=bastion-1"));
}

static void nobody_is_waited_for_when_nothing_is_asked(void **state)
{
    (void)state;
    for (unsigned s = REQ_SCHEDULED; s < REQ_STATES; s++) {
        struct record r = plain_record();

        r.request.state = (uint8_t)s;
        begin_row(TEAM_ROW_REQUEST);
        row_request(&out, &context, &r);
        assert_null(strstr(print_row(), "WAITING_FOR"));
    }
}

static void crowd_is_cut_at_sixteen_names(void **state)
{
    struct record r = plain_record();

    (void)state;
    for (unsigned n = 0; n < 40; n++) {
        char name[NAME_CAP];

        snprintf(name, sizeof name, "approver-%u", n);
        learn(CROWD + n, name);
    }
    begin_row(TEAM_ROW_REQUEST);
    row_request(&out, &context, &r);
    assert_int_equal(count_fields(end_row(), TEAM_WAITING_FOR), 16);
}

/* ---- too much -------------------------------------------------------------------------------- */

/* `n` bytes of three-byte characters, and a NUL. */
static const char *long_text(size_t n)
{
    static char texts[8][4000];
    static unsigned next;
    char *text = texts[next++ % 8];

    for (size_t i = 0; i < n; i += 3)
        memcpy(text + i, "\xe2\x82\xac", 3);
    text[n - n % 3] = '\0';
    return text;
}

static void fill_name(struct name *n, char c)
{
    memset(n->text, c, NAME_CAP - 1);
    n->text[NAME_CAP - 1] = '\0';
}

static struct record largest_record(struct decision *decisions, size_t n)
{
    struct record r = plain_record();
    struct request *q = &r.request;
    struct wall late = {INT64_C(9999999999999999)};

    for (size_t i = 0; i < n; i++) {
        decisions[i] = decision("", true, ABOUT_EXTENSION, long_text(3000));
        decisions[i].at = late;
        fill_name(&decisions[i].by, (char)('a' + i % 26));
    }
    for (unsigned i = 0; i < 40; i++) {
        char name[NAME_CAP];

        snprintf(name, sizeof name, "%063u", i);
        learn(CROWD + i, name);
    }
    r.reason = r.ticket = r.revoke_comment = r.extension_reason = long_text(3000);
    r.decisions = decisions;
    r.n_decisions = n;
    fill_name(&q->requester_name, 'r');
    fill_name(&q->revoked_by, 'v');
    q->n_targets = TARGETS_MAX;
    for (size_t i = 0; i < TARGETS_MAX; i++) {
        q->grants[i] = (struct grant){.state = GRANT_WAITING, .target.kind = TARGET_HOST};
        memset(q->grants[i].target.place, 'p', HOST_CAP - 1);
        memset(q->grants[i].target.what, 'w', WORD_CAP);
    }
    q->requested_at = q->requested_start = q->active_from = q->active_until = q->ended_at = late;
    q->duration_s = INT64_C(9999999999);
    q->extension = (struct extension){.for_s = INT64_C(9999999999), .requested_at = late};
    memset(q->failure, 'f', FAILURE_CAP - 1);
    memset(q->host, 'h', HOST_CAP - 1);
    return r;
}

static void largest_record_is_a_row_with_its_newest_decisions(void **state)
{
    static const size_t COUNTS[] = {1, 24, 40, 43, 44, 45, 46, 100, 65535};
    static struct decision decisions[65535];

    (void)state;
    for (size_t i = 0; i < sizeof COUNTS / sizeof COUNTS[0]; i++) {
        struct record r = largest_record(decisions, COUNTS[i]);
        struct wire_span fields, rest, d, last = {0};
        unsigned n;

        decisions[COUNTS[i] - 1].comment = "the newest";
        begin_row(TEAM_ROW_REQUEST);
        row_request(&out, &context, &r);
        fields = end_row();
        n = count_fields(fields, TEAM_DECISION_MADE);
        if (COUNTS[i] <= 40)
            assert_int_equal(n, COUNTS[i]);
        else
            assert_in_range(n, 40, 60);
        for (rest = fields; d = wire_each(&rest, TEAM_DECISION_MADE), d.at;)
            last = d;
        assert_string_equal(copy_field(last, TEAM_COMMENT), "the newest");
        assert_string_equal(copy_field(fields, TEAM_HOST), r.request.host);
    }
}

static void many_short_decisions_are_all_there(void **state)
{
    static struct decision decisions[500];
    struct record r = plain_record();

    (void)state;
    for (size_t i = 0; i < 400; i++)
        decisions[i] = decision("bob", i % 2, ABOUT_EXTENSION, "no");
    r.decisions = decisions;
    r.n_decisions = 300;
    begin_row(TEAM_ROW_REQUEST);
    row_request(&out, &context, &r);
    assert_int_equal(count_fields(end_row(), TEAM_DECISION_MADE), 300);
}

/* ---- what is not plain ----------------------------------------------------------------------- */

static const struct {
    const char *says;
    enum team_tag tag; /* of a field of an event */
    const char *given, *then;
} TEXTS[] = {
    {"a terminal escape", TEAM_DETAIL, "\x1b[31mred", "?[31mred"},
    {"lines", TEAM_DETAIL, "one\ntwo\r\n", "one?two??"},
    {"UTF-8 that is none", TEAM_DETAIL, "a\xff\xc3", "a??"},
    {"a right-to-left override", TEAM_DETAIL,
     "a\xe2\x80\xae"
     "b",
     "a?b"},
    {"letters of the world", TEAM_DETAIL, "grüße Ж", "grüße Ж"},
    {"a target with a tab", TEAM_TARGET_NAME, "host:\t/sudo", "host:?/sudo"},
    {"a name with blanks", TEAM_BY, "bob smith", "bob_smith"},
    {"a name of a domain", TEAM_BY, "CORP\\bob", "CORP_bob"},
    {"a name like an option", TEAM_BY, "-rf", "_rf"},
    {"a name like a group", TEAM_BY, "@admins", "_admins"},
    {"a name with a dash inside", TEAM_BY, "anne-marie@corp", "anne-marie@corp"},
    {"a name with letters of the world", TEAM_BY, "jörg x", "jörg_x"},
    {"a name with an escape", TEAM_BY, "bob\x1b", "bob_"},
    {"a host with blanks", TEAM_HOST, "my host", "my_host"},
    {"a host with letters of the world", TEAM_HOST, "büro", "b__ro"},
    {"a host that begins with a dot", TEAM_HOST, ".host", "_host"},
    {"an action that is too long", TEAM_ACTION, "abcdefghijklmnopqrstuvwxyz0123456789",
     "abcdefghijklmnopqrstuvwxyz012345"},
    {"no actor", TEAM_BY, "", ""},
};

static void text_of_others_is_made_harmless(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof TEXTS / sizeof TEXTS[0]; i++) {
        struct trail_event e = {.seq = 1,
                                .host = "h",
                                .actor = "a",
                                .action = "x",
                                .target = "t",
                                .outcome = "o",
                                .detail = "d"};
        const char **given = TEXTS[i].tag == TEAM_DETAIL        ? &e.detail
                             : TEXTS[i].tag == TEAM_TARGET_NAME ? &e.target
                             : TEXTS[i].tag == TEAM_BY          ? &e.actor
                             : TEXTS[i].tag == TEAM_HOST        ? &e.host
                                                                : &e.action;
        const char *then;

        *given = TEXTS[i].given;
        begin_row(TEAM_ROW_EVENT);
        row_event(&out, &e);
        then = copy_field(end_row(), TEXTS[i].tag);
        if (strcmp(then, TEXTS[i].then) != 0)
            fail_msg("%s: \"%s\" instead of \"%s\"", TEXTS[i].says, then, TEXTS[i].then);
    }
}

static void text_that_is_too_long_is_cut_between_characters(void **state)
{
    struct record r = plain_record();
    struct wire_span fields;

    (void)state;
    r.reason = long_text(1002);
    begin_row(TEAM_ROW_REQUEST);
    row_request(&out, &context, &r);
    fields = end_row();
    assert_int_equal(strlen(copy_field(fields, TEAM_REASON)), 999);
}

static void moments_that_are_none_are_absent(void **state)
{
    static const struct {
        int64_t us;
        bool shown;
    } CASES[] = {{0, false},
                 {-1, false},
                 {INT64_MIN, false},
                 {1, true},
                 {INT64_C(9999999999999999), true},
                 {INT64_C(10000000000000000), false},
                 {NEVER_US, false}};

    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        struct record r = plain_record();

        r.request.active_until.us = CASES[i].us;
        begin_row(TEAM_ROW_REQUEST);
        row_request(&out, &context, &r);
        assert_int_equal(wire_find(end_row(), TEAM_ACTIVE_UNTIL).at != NULL, CASES[i].shown);
    }
}

static void durations_stay_in_their_field(void **state)
{
    static const struct {
        int64_t s;
        const char *then;
    } CASES[] = {{-5, "0"}, {0, "0"}, {3600, "3600"}, {INT64_MAX, "9999999999"}};

    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        struct record r = plain_record();

        r.request.duration_s = CASES[i].s;
        begin_row(TEAM_ROW_REQUEST);
        row_request(&out, &context, &r);
        assert_string_equal(copy_field(end_row(), TEAM_DURATION_S), CASES[i].then);
    }
}

static void row_that_does_not_fit_behind_others_can_be_taken_back(void **state)
{
    struct record r = plain_record();
    struct wire_msg msg = {0};
    struct wire_out w;
    unsigned n = 0;

    (void)state;
    r.reason = long_text(999);
    for (w = wire_begin(packet, 4096, TEAM_ROWS, TEAM_ROW_REQUEST); !w.bad; n++) {
        struct wire_mark before = wire_group(&w, TEAM_ROW);

        row_request(&w, &context, &r);
        wire_group_end(&w, before);
        if (w.bad) {
            wire_rewind(&w, before);
            break;
        }
    }
    assert_int_equal(wire_read(packet, wire_finish(&w), &msg), WIRE_OK);
    assert_int_equal(count_fields(msg.fields, TEAM_ROW), n);
    assert_int_equal(n, 3);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, world_up, world_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(pending_request_says_who_is_waited_for),
        TEST(request_that_was_revoked_says_all_that_was),
        TEST(what_is_open_in_aws_says_how_to_use_it),
        TEST(what_is_over_says_how_long_credentials_live),
        TEST(open_extension_says_who_is_waited_for),
        TEST(decided_extension_is_still_told),
        TEST(nobody_is_waited_for_when_nothing_is_asked),
        TEST(crowd_is_cut_at_sixteen_names),
        TEST(largest_record_is_a_row_with_its_newest_decisions),
        TEST(many_short_decisions_are_all_there),
        TEST(text_of_others_is_made_harmless),
        TEST(text_that_is_too_long_is_cut_between_characters),
        TEST(moments_that_are_none_are_absent),
        TEST(durations_stay_in_their_field),
        TEST(row_that_does_not_fit_behind_others_can_be_taken_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
