/* CloudTrail's record as it is kept: one plain line of JSON, not too long. */
#include "courier/activity_raw.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <team/text.h>
#include <team/wire.h>

#include <cmocka.h>

static char out[ACTIVITY_RAW_MAX + 1];
static size_t size;

static const char *kept(const char *raw)
{
    size_t n = activity_raw(raw, strlen(raw), out, &size);

    assert_true(n <= ACTIVITY_RAW_MAX);
    assert_int_equal(strlen(out), n);
    assert_true(text_is_plain(out, n));
    assert_true(wire_value_fits(wire_rule(TEAM_RAW), out, n));
    return out;
}

static json_t *read_back(void)
{
    json_t *record = json_loads(out, 0, NULL);

    assert_true(json_is_object(record));
    return record;
}

static const char *text_in(const json_t *record, const char *member)
{
    const char *text = json_string_value(json_object_get(record, member));

    assert_non_null(text);
    return text;
}

static void what_is_plain_stays(void **state)
{
    static const char RECORD[] = "{\"eventID\": \"a\", \"b\": [1, 2.50, 1e3, null, \"\\u0007é\"]}";

    (void)state;
    assert_string_equal(kept(RECORD), RECORD);
    assert_int_equal(size, strlen(RECORD));
}

static void what_is_not_plain_is_escaped(void **state)
{
    (void)state;
    assert_string_equal(kept("{\n  \"a\" : \"b\",\n\t\"c\":\"\\u0000\"}"),
                        "{\"a\":\"b\",\"c\":\"\\u0000\"}");
    assert_string_equal(kept("{\"a\":\"\x7f\xc2\x9b\xe2\x80\xae\xf3\xa0\x80\x81 é 😀\"}"),
                        "{\"a\":\"\\u007f\\u009b\\u202e\\udb40\\udc01 é 😀\"}");
    assert_int_equal(size, strlen(out));
    kept("{\"a\":\"\xc2\x9b\xf3\xa0\x80\x81\"}");
    {
        json_t *record = read_back();

        assert_string_equal(text_in(record, "a"), "\xc2\x9b\xf3\xa0\x80\x81");
        json_decref(record);
    }
}

static char *record_with(size_t parameters, size_t response, const char *fill)
{
    char *p = malloc(parameters + 1), *r = malloc(response + 1), *line;
    json_t *record;

    assert_true(p && r);
    for (size_t i = 0; i < parameters; i++)
        p[i] = fill[i % strlen(fill)];
    for (size_t i = 0; i < response; i++)
        r[i] = fill[i % strlen(fill)];
    p[parameters] = r[response] = '\0';
    record = json_pack("{s:s, s:s, s:s, s:{s:s}, s:{s:s}, s:{s:s}}", "eventID", "id-1", "eventTime",
                       "2026-11-25T12:00:00Z", "eventName", "Do", "userIdentity", "principalId",
                       "A:bob", "requestParameters", "document", p, "responseElements", "x", r);
    line = json_dumps(record, JSON_COMPACT);
    json_decref(record);
    free(p);
    free(r);
    return line;
}

static void the_largest_part_is_left_out(void **state)
{
    char *line = record_with(1000, 40000, "x"), told[64];
    json_t *record;

    (void)state;
    kept(line);
    assert_int_equal(size, strlen(line));
    record = read_back();
    snprintf(told, sizeof told, "(%d bytes are left out here)", 40000 + 8);
    assert_string_equal(text_in(record, "responseElements"), told);
    assert_int_equal(json_string_length(
                         json_object_get(json_object_get(record, "requestParameters"), "document")),
                     1000);
    assert_string_equal(text_in(json_object_get(record, "userIdentity"), "principalId"), "A:bob");
    json_decref(record);
    free(line);
}

static void as_much_is_left_out_as_has_to_be(void **state)
{
    char *line = record_with(100000, 156000, "x");
    json_t *record;

    (void)state;
    kept(line);
    assert_int_equal(size, strlen(line));
    record = read_back();
    assert_non_null(strstr(text_in(record, "responseElements"), "156008 bytes"));
    assert_non_null(strstr(text_in(record, "requestParameters"), "100015 bytes"));
    assert_string_equal(text_in(record, "eventID"), "id-1");
    json_decref(record);
    free(line);
}

/* 12 kB of characters that are 6 bytes each when they are escaped. */
static void what_grows_is_measured_afterwards(void **state)
{
    char *line = record_with(100, 12000, "\x7f");
    json_t *record;

    (void)state;
    assert_true(strlen(line) < ACTIVITY_RAW_MAX);
    kept(line);
    assert_true(size > 6 * 12000);
    record = read_back();
    assert_non_null(strstr(text_in(record, "responseElements"), "bytes are left out here"));
    json_decref(record);
    free(line);
}

static void the_limit_is_the_limit(void **state)
{
    char *line = record_with(0, 0, "x");
    size_t rest = ACTIVITY_RAW_MAX - strlen(line);
    char *most = record_with(rest, 0, "x"), *more = record_with(rest + 1, 0, "x");

    (void)state;
    assert_string_equal(kept(most), most);
    kept(more);
    assert_int_equal(size, ACTIVITY_RAW_MAX + 1);
    assert_true(strlen(out) < 1000);
    free(line);
    free(most);
    free(more);
}

/* Nothing in it is large, and all of it is. */
static void many_small_parts_leave_the_names(void **state)
{
    json_t *record = json_pack("{s:s, s:s}", "eventID", "id-1", "eventName", "Do");
    char *line;

    (void)state;
    for (int i = 0; i < 2000; i++) {
        char name[32];

        snprintf(name, sizeof name, "member-%d", i);
        json_object_set_new(record, name, json_string("twenty-six characters long"));
    }
    line = json_dumps(record, JSON_COMPACT);
    json_decref(record);
    kept(line);
    assert_int_equal(size, strlen(line));
    record = read_back();
    assert_string_equal(text_in(record, "eventID"), "id-1");
    assert_string_equal(text_in(record, "eventName"), "Do");
    assert_non_null(strstr(text_in(record, "record"), "bytes are left out here"));
    json_decref(record);
    free(line);
}

static void what_is_no_record_is_nothing(void **state)
{
    (void)state;
    assert_int_equal(activity_raw("\x01", 1, out, &size), 0);
    assert_int_equal(activity_raw("{\n", 2, out, &size), 0);
    assert_int_equal(activity_raw("[\n]", 3, out, &size), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_plain_stays),
        cmocka_unit_test(what_is_not_plain_is_escaped),
        cmocka_unit_test(the_largest_part_is_left_out),
        cmocka_unit_test(as_much_is_left_out_as_has_to_be),
        cmocka_unit_test(what_grows_is_measured_afterwards),
        cmocka_unit_test(the_limit_is_the_limit),
        cmocka_unit_test(many_small_parts_leave_the_names),
        cmocka_unit_test(what_is_no_record_is_nothing),
    };

    return cmocka_run_group_tests_name("aws: records of CloudTrail", tests, NULL, NULL);
}
