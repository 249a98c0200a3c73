/* Rows of what was done: sessions, events, activity. */
#include "rows_rig.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(session_says_who_did_what_where),
        cmocka_unit_test(session_of_root_has_no_request_and_may_have_no_terminal),
        cmocka_unit_test(event_carries_its_hashes_in_lower_case),
        cmocka_unit_test(event_of_teamd_itself_names_nobody),
        cmocka_unit_test(status_is_a_name_and_a_value),
        cmocka_unit_test(call_says_what_was_done),
        cmocka_unit_test(record_that_is_no_text_is_left_out),
        cmocka_unit_test(gap_says_from_when_to_when_and_why),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
