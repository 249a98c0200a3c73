/* Values of the core as rows: what is in them, what is absent, and that everything fits. */
#include "ipc/ipc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

/* ---- a row as text --------------------------------------------------------------------------- */

static const char *tag_name(unsigned tag)
{
    static const char *const NAMES[TEAM_TAG_END] = {
#define X(name, tag, max, class, times) [tag] = #name,
        TEAM_FIELDS(X)
#undef X
    };

    return tag < TEAM_TAG_END && NAMES[tag] ? NAMES[tag] : "?";
}

static void print_fields(struct text *t, struct wire_span rest)
{
    struct wire_span value;
    unsigned tag;

    while (wire_next(&rest, &tag, &value)) {
        if (t->len > 0 && t->buf[t->len - 1] != '{')
            text_put(t, " ");
        text_put(t, tag_name(tag));
        if (wire_rule(tag).class == TEAM_CS_GROUP) {
            text_put(t, "{");
            print_fields(t, value);
            text_put(t, "}");
        } else {
            text_put(t, "=");
            text_put_n(t, value.at, value.len);
        }
    }
}

static char packet[TEAM_PACKET_MAX];
static char printed[2 * TEAM_PACKET_MAX];
static struct wire_out out;
static struct wire_mark row;
static size_t packet_len;

static void begin_row(enum team_row kind)
{
    out = wire_begin(packet, sizeof packet, TEAM_ROWS, kind);
    row = wire_group(&out, TEAM_ROW);
}

/* The fields of the one row; every reader of this version must accept it. */
static struct wire_span end_row(void)
{
    struct wire_msg msg = {0};

    wire_group_end(&out, row);
    packet_len = wire_finish(&out);
    assert_true(packet_len > 0);
    assert_int_equal(wire_read(packet, packet_len, &msg), WIRE_OK);
    return wire_find(msg.fields, TEAM_ROW);
}

static const char *print_row(void)
{
    struct text t = text_over(printed, sizeof printed);

    print_fields(&t, end_row());
    assert_false(t.cut);
    return printed;
}

static unsigned count_fields(struct wire_span fields, enum team_tag tag)
{
    unsigned n = 0;

    while (wire_each(&fields, tag).at)
        n++;
    return n;
}

static const char *copy_field(struct wire_span fields, enum team_tag tag)
{
    static char value[2000];

    assert_true(wire_copy(fields, tag, value, sizeof value));
    return value;
}

/* ---- a world in which somebody is waited for ------------------------------------------------- */

enum { ALICE = 1001, BOB = 1002, CROWD = 2000 };

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

/* ---- sessions, events, status ---------------------------------------------------------------- */

static void session_says_who_did_what_where(void **state)
{
    struct session s = {.number = 7,
                        .request = {0x123456789a},
                        .uid = ALICE,
                        .user = {"alice"},
                        .state = SESSION_ENDED,
                        .service = "sudo",
                        .target_user = {"root"},
                        .tty = "/dev/pts/3",
                        .rhost = "10.0.0.1",
                        .leader = {4321, 99},
                        .loginuid = ALICE,
                        .audit_session = 9,
                        .contained = true,
                        .escaped = true,
                        .end = SESSION_END_TERMINATED,
                        .command = "id -u \033",
                        .started_at = {1000000},
                        .ended_at = {2000000}};

    (void)state;
    begin_row(TEAM_ROW_SESSION);
    row_session(&out, &s);
    assert_string_equal(
        print_row(),
        "SESSION=7 ID=28T5CY4T USER=alice SERVICE=sudo TARGET_USER=root "
        "TTY=/dev/pts/3 RHOST=10.0.0.1 STATE=ended LEADER=4321 STARTED_AT=1000000 "
        "ENDED_AT=2000000 ENDED_HOW=terminated COMMAND=id -u ? LOGIN_UID=1001 AUDIT_SESSION=9 "
        "CONTAINED=1 ESCAPED=1");
}

static void session_of_root_has_no_request_and_may_have_no_terminal(void **state)
{
    struct session s = {.number = 8,
                        .user = {"root"},
                        .state = SESSION_LIVE,
                        .service = "sudo",
                        .leader = {1, 2},
                        .loginuid = NOBODY,
                        .audit_session = NOBODY,
                        .started_at = {1000000}};

    (void)state;
    begin_row(TEAM_ROW_SESSION);
    row_session(&out, &s);
    assert_string_equal(print_row(), "SESSION=8 USER=root SERVICE=sudo STATE=live LEADER=1 "
                                     "STARTED_AT=1000000 CONTAINED=0 ESCAPED=0");
    s.audit_session = 0; /* recorded by an older release */
    begin_row(TEAM_ROW_SESSION);
    row_session(&out, &s);
    assert_string_equal(print_row(), "SESSION=8 USER=root SERVICE=sudo STATE=live LEADER=1 "
                                     "STARTED_AT=1000000 CONTAINED=0 ESCAPED=0");
}

#define HEX_00         \
    "0001020304050607" \
    "08090a0b0c0d0e0f"
#define HEX_10         \
    "1011121314151617" \
    "18191a1b1c1d1e1f"
#define HEX_FF         \
    "ffffffffffffffff" \
    "ffffffffffffffff"

static void event_carries_its_hashes_in_lower_case(void **state)
{
    struct trail_event e = {.seq = UINT64_MAX,
                            .at = {1000000},
                            .host = "bastion-1",
                            .actor = "bob",
                            .action = "request.approve",
                            .id = {0x123456789a},
                            .target = "host:bastion-1/sudo",
                            .outcome = "done",
                            .detail = "1 of 1"};

    (void)state;
    memset(e.prev, 0xff, sizeof e.prev);
    for (size_t i = 0; i < sizeof e.hash; i++)
        e.hash[i] = (uint8_t)i;
    begin_row(TEAM_ROW_EVENT);
    row_event(&out, &e);
    assert_string_equal(print_row(), "SEQ=18446744073709551615 AT=1000000 HOST=bastion-1 BY=bob "
                                     "ACTION=request.approve ID=28T5CY4T "
                                     "TARGET_NAME=host:bastion-1/sudo OUTCOME=done DETAIL=1 of 1 "
                                     "PREV=" HEX_FF HEX_FF " HASH=" HEX_00 HEX_10);
}

static void event_of_teamd_itself_names_nobody(void **state)
{
    struct trail_event e = {.seq = 1,
                            .at = {1000000},
                            .host = "bastion-1",
                            .actor = "",
                            .action = "policy.load",
                            .target = "",
                            .outcome = "done",
                            .detail = ""};
    struct wire_span fields;

    (void)state;
    begin_row(TEAM_ROW_EVENT);
    row_event(&out, &e);
    fields = end_row();
    assert_null(wire_find(fields, TEAM_BY).at);
    assert_null(wire_find(fields, TEAM_ID).at);
    assert_null(wire_find(fields, TEAM_TARGET_NAME).at);
    assert_null(wire_find(fields, TEAM_DETAIL).at);
}

static void status_is_a_name_and_a_value(void **state)
{
    (void)state;
    begin_row(TEAM_ROW_STATUS);
    row_status(&out, "requests", "12");
    assert_string_equal(print_row(), "NAME=requests VALUE=12");
}

static const struct activity CALL = {.request = {1},
                                     .at = {1767227600000000},
                                     .event_id = "8d4e",
                                     .number = 1,
                                     .name = "RunInstances",
                                     .source = "ec2.amazonaws.com",
                                     .region = "eu-west-1",
                                     .address = "192.0.2.7",
                                     .resource = "i-1",
                                     .error = "AccessDenied",
                                     .raw = "{\"a\":1}",
                                     .raw_size = 300000};

static void call_says_what_was_done(void **state)
{
    struct activity a = CALL;

    (void)state;
    begin_row(TEAM_ROW_ACTIVITY);
    row_activity(&out, &a, true);
    assert_string_equal(print_row(),
                        "KIND=call AT=1767227600000000 EVENT_ID=8d4e EVENT_NAME=RunInstances "
                        "EVENT_SOURCE=ec2.amazonaws.com REGION=eu-west-1 ADDRESS=192.0.2.7 "
                        "RESOURCE=i-1 ERROR=AccessDenied READ_ONLY=0 RAW={\"a\":1} "
                        "RAW_SIZE=300000");
    a.region = a.address = a.resource = a.error = a.source = "";
    a.raw_size = 0;
    a.read_only = true;
    begin_row(TEAM_ROW_ACTIVITY);
    row_activity(&out, &a, false);
    row_text(&out, TEAM_USER, "a b");
    assert_string_equal(print_row(), "KIND=call AT=1767227600000000 EVENT_ID=8d4e "
                                     "EVENT_NAME=RunInstances READ_ONLY=1 USER=a_b");
}

static void record_that_is_no_text_is_left_out(void **state)
{
    static char largest[ACTIVITY_RAW_MAX + 1];
    struct activity a = CALL;

    (void)state;
    a.raw = "{\033}";
    begin_row(TEAM_ROW_ACTIVITY);
    row_activity(&out, &a, true);
    assert_null(strstr(print_row(), "RAW={"));
    a.raw = "";
    begin_row(TEAM_ROW_ACTIVITY);
    row_activity(&out, &a, true);
    assert_null(strstr(print_row(), "RAW={"));
    memset(largest, 'x', ACTIVITY_RAW_MAX);
    a.raw = largest;
    begin_row(TEAM_ROW_ACTIVITY);
    row_activity(&out, &a, true);
    assert_non_null(strstr(print_row(), largest));
}

static void gap_says_from_when_to_when_and_why(void **state)
{
    struct gap g = {.when = {{1767227600000000}, {1767228020000000}}, .why = "AWS says: slower"};
    struct collection c = {.stage = COLLECT_OVER,
                           .cursor = {1767229200000000},
                           .calls = 500,
                           .changes = 20,
                           .refused = 3,
                           .n_gaps = 2};

    (void)state;
    begin_row(TEAM_ROW_ACTIVITY);
    row_gap(&out, &g);
    assert_string_equal(print_row(), "KIND=gap AT=1767227600000000 UNTIL=1767228020000000 "
                                     "TEXT=AWS says: slower");
    begin_row(TEAM_ROW_COLLECTED);
    row_collected(&out, &c, "");
    assert_string_equal(print_row(),
                        "UNTIL=1767229200000000 LAST=1 CALLS=500 CHANGES=20 FAULTS=3 GAPS=2");
    c.stage = COLLECT_LIVE;
    begin_row(TEAM_ROW_COLLECTED);
    row_collected(&out, &c, "off");
    assert_string_equal(print_row(),
                        "UNTIL=1767229200000000 CALLS=500 CHANGES=20 FAULTS=3 GAPS=2 TEXT=off");
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
        TEST(session_says_who_did_what_where),
        TEST(session_of_root_has_no_request_and_may_have_no_terminal),
        TEST(event_carries_its_hashes_in_lower_case),
        TEST(event_of_teamd_itself_names_nobody),
        TEST(status_is_a_name_and_a_value),
        TEST(call_says_what_was_done),
        TEST(record_that_is_no_text_is_left_out),
        TEST(gap_says_from_when_to_when_and_why),
        TEST(row_that_does_not_fit_behind_others_can_be_taken_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
