/* How teamctl reads and shows times. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include "teamctl/when.c"

/* Central Europe: UTC+1, summer time from the last Sunday of March to that of October. */
static const char CET[] = "CET-1CEST,M3.5.0,M10.5.0/3";

static int64_t utc(const char *s)
{
    int64_t us;

    if (!parse_date(s, &us))
        fail_msg("%s is not a time", s);
    return us;
}

static const struct {
    const char *says, *now, *text, *means; /* NULL: not a time */
    enum when_lean lean;
} CASES[] = {
    {"a distance ahead", "2026-11-22T12:00:00Z", "+30m", "2026-11-22T12:30:00Z", WHEN_AHEAD},
    {"a bare duration is not ahead", "2026-11-22T12:00:00Z", "30m", NULL, WHEN_AHEAD},
    {"nothing ahead is in the past", "2026-11-22T12:00:00Z", "-30m", NULL, WHEN_AHEAD},
    {"a bare duration is ago", "2026-11-22T12:00:00Z", "2h", "2026-11-22T10:00:00Z", WHEN_BEHIND},
    {"a minus is ago too", "2026-11-22T12:00:00Z", "-1h30m", "2026-11-22T10:30:00Z", WHEN_BEHIND},
    {"nothing behind is ahead", "2026-11-22T12:00:00Z", "+2h", NULL, WHEN_BEHIND},
    {"14:00 ahead, later today", "2026-11-22T12:00:00Z", "14:00", "2026-11-22T13:00:00Z",
     WHEN_AHEAD},
    {"14:00 ahead, tomorrow", "2026-11-22T13:30:00Z", "14:00", "2026-11-23T13:00:00Z", WHEN_AHEAD},
    {"the very minute is tomorrow", "2026-11-22T13:00:00Z", "14:00", "2026-11-23T13:00:00Z",
     WHEN_AHEAD},
    {"14:00 behind, earlier today", "2026-11-22T13:30:00Z", "14:00", "2026-11-22T13:00:00Z",
     WHEN_BEHIND},
    {"14:00 behind, yesterday", "2026-11-22T12:00:00Z", "14:00", "2026-11-21T13:00:00Z",
     WHEN_BEHIND},
    {"with seconds", "2026-11-22T12:00:00Z", "14:00:30", "2026-11-22T13:00:30Z", WHEN_AHEAD},
    {"tomorrow, over the end of a month", "2026-11-30T20:00:00Z", "08:00", "2026-12-01T07:00:00Z",
     WHEN_AHEAD},
    {"tomorrow, over the end of summer time", "2026-10-24T20:00:00Z", "08:00",
     "2026-10-25T07:00:00Z", WHEN_AHEAD},
    {"tomorrow, over the begin of summer time", "2026-03-28T20:00:00Z", "08:00",
     "2026-03-29T06:00:00Z", WHEN_AHEAD},
    {"yesterday, over the begin of summer time", "2026-03-29T05:00:00Z", "08:00",
     "2026-03-28T07:00:00Z", WHEN_BEHIND},
    {"now", "2026-11-22T12:00:00Z", "now", "2026-11-22T12:00:00Z", WHEN_BEHIND},
    {"today is its midnight", "2026-11-22T12:00:00Z", "today", "2026-11-21T23:00:00Z", WHEN_BEHIND},
    {"yesterday is its midnight", "2026-11-01T12:00:00Z", "yesterday", "2026-10-30T23:00:00Z",
     WHEN_BEHIND},
    {"tomorrow is its midnight", "2026-12-31T12:00:00Z", "tomorrow", "2026-12-31T23:00:00Z",
     WHEN_AHEAD},
    {"a date is its midnight", "2026-11-22T12:00:00Z", "2026-07-01", "2026-06-30T22:00:00Z",
     WHEN_BEHIND},
    {"a local time", "2026-11-22T12:00:00Z", "2026-11-22 14:00", "2026-11-22T13:00:00Z",
     WHEN_AHEAD},
    {"a local time with T", "2026-11-22T12:00:00Z", "2026-11-22T14:00", "2026-11-22T13:00:00Z",
     WHEN_AHEAD},
    {"RFC 3339, UTC", "2026-11-22T12:00:00Z", "2026-11-22T14:00:00Z", "2026-11-22T14:00:00Z",
     WHEN_AHEAD},
    {"RFC 3339, small letters", "2026-11-22T12:00:00Z", "2026-11-22t14:00:00z",
     "2026-11-22T14:00:00Z", WHEN_AHEAD},
    {"RFC 3339, east", "2026-11-22T12:00:00Z", "2026-11-22T14:00:00+05:30", "2026-11-22T08:30:00Z",
     WHEN_AHEAD},
    {"RFC 3339, west", "2026-11-22T12:00:00Z", "2026-11-22T14:00:00-08:00", "2026-11-22T22:00:00Z",
     WHEN_AHEAD},
    {"a leap day", "2026-11-22T12:00:00Z", "2028-02-29T00:00:00Z", "2028-02-29T00:00:00Z",
     WHEN_AHEAD},
    {"no leap day", "2026-11-22T12:00:00Z", "2026-02-29", NULL, WHEN_AHEAD},
    {"no leap day in 2100", "2026-11-22T12:00:00Z", "2100-02-29", NULL, WHEN_AHEAD},
    {"no month 13", "2026-11-22T12:00:00Z", "2026-13-01", NULL, WHEN_AHEAD},
    {"no month 0", "2026-11-22T12:00:00Z", "2026-00-01", NULL, WHEN_AHEAD},
    {"no day 0", "2026-11-22T12:00:00Z", "2026-01-00", NULL, WHEN_AHEAD},
    {"no hour 24", "2026-11-22T12:00:00Z", "24:00", NULL, WHEN_AHEAD},
    {"no minute 60", "2026-11-22T12:00:00Z", "12:60", NULL, WHEN_AHEAD},
    {"two digits for an hour", "2026-11-22T12:00:00Z", "9:00", NULL, WHEN_AHEAD},
    {"nothing after a time", "2026-11-22T12:00:00Z", "14:00x", NULL, WHEN_AHEAD},
    {"nothing after a date", "2026-11-22T12:00:00Z", "2026-11-22x", NULL, WHEN_AHEAD},
    {"nothing after a zone", "2026-11-22T12:00:00Z", "2026-11-22T14:00:00Zx", NULL, WHEN_AHEAD},
    {"a cut time", "2026-11-22T12:00:00Z", "2026-11-22T14:", NULL, WHEN_AHEAD},
    {"a cut zone", "2026-11-22T12:00:00Z", "2026-11-22T14:00:00+05", NULL, WHEN_AHEAD},
    {"an empty fraction", "2026-11-22T12:00:00Z", "2026-11-22T14:00:00.Z", NULL, WHEN_AHEAD},
    {"nothing before 1970", "2026-11-22T12:00:00Z", "1969-12-31T23:00:00Z", NULL, WHEN_BEHIND},
    {"not so long ago", "2026-11-22T12:00:00Z", "9000000d", NULL, WHEN_BEHIND},
    {"nothing", "2026-11-22T12:00:00Z", "", NULL, WHEN_AHEAD},
    {"a plus", "2026-11-22T12:00:00Z", "+", NULL, WHEN_AHEAD},
    {"a word", "2026-11-22T12:00:00Z", "soon", NULL, WHEN_BEHIND},
};

static void reads(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        int64_t us = -7;
        bool ok = when_parse(CASES[i].text, utc(CASES[i].now), CASES[i].lean, &us);

        if (ok != (CASES[i].means != NULL) || us != (ok ? utc(CASES[i].means) : -7))
            fail_msg("%s: \"%s\" is %lld", CASES[i].says, CASES[i].text, (long long)us);
    }
}

static void fractions(void **state)
{
    int64_t us;

    (void)state;
    assert_true(when_parse("1970-01-01T00:00:01.5Z", 0, WHEN_AHEAD, &us));
    assert_int_equal(us, 1500000);
    assert_true(when_parse("1970-01-01T00:00:01.1234567891Z", 0, WHEN_AHEAD, &us));
    assert_int_equal(us, 1123456);
}

/* The calendar by hand against the C library's, over 400 years and their odd days. */
static void utc_is_gmtime(void **state)
{
    char ours[WHEN_CAP], theirs[WHEN_CAP];

    (void)state;
    for (int64_t s = 0; s < INT64_C(400) * 366 * 86400; s += 86399) {
        time_t t = (time_t)s;
        struct tm tm;

        assert_int_equal(when_utc(s * SECOND + 999999, ours), 20);
        gmtime_r(&t, &tm);
        strftime(theirs, sizeof theirs, "%Y-%m-%dT%H:%M:%SZ", &tm);
        if (strcmp(ours, theirs) != 0)
            fail_msg("%lld: %s is not %s", (long long)s, ours, theirs);
    }
}

static void shows_local(void **state)
{
    int64_t now = utc("2026-11-22T12:00:00Z");
    char out[WHEN_CAP];

    (void)state;
    when_local(utc("2026-11-22T08:05:09Z"), now, false, out);
    assert_string_equal(out, "09:05");
    when_local(utc("2026-11-22T23:30:00Z"), now, false, out); /* tomorrow, local time */
    assert_string_equal(out, "2026-11-23 00:30");
    when_local(utc("2025-11-22T08:05:09Z"), now, false, out);
    assert_string_equal(out, "2025-11-22 09:05");
    when_local(utc("2026-11-22T08:05:09Z"), now, true, out);
    assert_string_equal(out, "2026-11-22 09:05:09");
}

static void shows_what_is_beside_a_day(void **state)
{
    int64_t day = utc("2026-11-22T12:00:00Z");
    char out[WHEN_CAP];

    (void)state;
    when_of_day(utc("2026-11-22T08:05:09Z"), day, false, out);
    assert_string_equal(out, "09:05");
    when_of_day(utc("2026-11-22T08:05:09Z"), day, true, out);
    assert_string_equal(out, "09:05:09");
    when_of_day(utc("2026-11-22T23:30:00Z"), day, false, out); /* the day after, local time */
    assert_string_equal(out, "2026-11-23 00:30");
    when_of_day(utc("2026-11-22T23:30:00Z"), day, true, out);
    assert_string_equal(out, "2026-11-23 00:30:00");
}

int main(void)
{
    static const struct CMUnitTest TESTS[] = {
        {"times are read as people mean them", reads, NULL, NULL, NULL},
        {"fractions of seconds are microseconds", fractions, NULL, NULL, NULL},
        {"UTC is written as gmtime has it", utc_is_gmtime, NULL, NULL, NULL},
        {"local times have a date unless it is today", shows_local, NULL, NULL, NULL},
        {"beside a date they have one if it is another", shows_what_is_beside_a_day, NULL, NULL,
         NULL},
    };

    setenv("TZ", CET, 1);
    tzset();
    return cmocka_run_group_tests(TESTS, NULL, NULL);
}
