/* The forms that cross a program boundary: numbers, durations, ids, and what may stand in text. */
#include <team/text.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#define COUNT(a) (sizeof(a) / sizeof(a)[0])

/* A string in a block of exactly its own size: a sanitizer sees a read past its end. */
static char *exactly(const char *s, size_t n)
{
    char *block = malloc(n > 0 ? n : 1);

    assert_non_null(block);
    memcpy(block, s, n);
    return block;
}

/* ---- numbers ------------------------------------------------------------------------------- */

struct number_row {
    const char *says;
    const char *given;
    size_t len; /* 0: strlen */
    bool fine;
    uint64_t then;
};

static const struct number_row NUMBER_ROWS[] = {
    {"nought is a number", "0", 0, true, 0},
    {"nine is a number", "9", 0, true, 9},
    {"the largest number", "18446744073709551615", 0, true, UINT64_MAX},
    {"one more than the largest overflows", "18446744073709551616", 0, false, 0},
    {"ten times the largest overflows", "99999999999999999999", 0, false, 0},
    {"21 digits are too many", "100000000000000000000", 0, false, 0},
    {"nothing is no number", "", 0, false, 0},
    {"a leading nought is refused", "01", 0, false, 0},
    {"a sign is refused", "+1", 0, false, 0},
    {"a minus is refused", "-1", 0, false, 0},
    {"a blank is refused", " 1", 0, false, 0},
    {"a blank at the end is refused", "1 ", 0, false, 0},
    {"a letter is refused", "1a", 0, false, 0},
    {"a byte beyond ASCII is refused", "1\xb2", 0, false, 0},
    {"a NUL within the length is refused", "1\0", 2, false, 0},
    {"only the length counts", "123", 2, true, 12},
};

static void check_number(void **state)
{
    const struct number_row *row = *state;
    size_t n = row->len > 0 ? row->len : strlen(row->given);
    char *given = exactly(row->given, n);
    uint64_t v = 4711;

    assert_int_equal(text_parse_u64(given, n, &v), row->fine);
    assert_int_equal(v, row->fine ? row->then : 4711);
    free(given);
}

/* ---- durations ----------------------------------------------------------------------------- */

struct duration_row {
    const char *says;
    const char *given;
    uint64_t s;          /* 0: refused */
    const char *written; /* NULL: as given */
};

static const struct duration_row DURATION_ROWS[] = {
    {"seconds", "45s", 45, NULL},
    {"minutes", "30m", 1800, NULL},
    {"hours", "2h", 7200, NULL},
    {"days", "2d", 172800, NULL},
    {"hours and minutes", "1h30m", 5400, NULL},
    {"all the units", "1d2h3m4s", 93784, NULL},
    {"a unit may be left out", "1d4s", 86404, NULL},
    {"90 minutes are written as hours", "90m", 5400, "1h30m"},
    {"a nought among others", "1h0m", 3600, "1h"},
    {"ten years and a little", "3660d", UINT64_C(316224000), NULL},
    {"a second more than that is refused", "3660d1s", 0, NULL},
    {"so many seconds are refused", "316224001s", 0, NULL},
    {"so many days that the product overflows are refused", "18446744073709551615d", 0, NULL},
    {"a number beyond 64 bits is refused", "99999999999999999999s", 0, NULL},
    {"a sum that is too long is refused", "3660d3660d", 0, NULL},
    {"nothing is refused", "", 0, NULL},
    {"nought is refused", "0s", 0, NULL},
    {"a number without a unit is refused", "30", 0, NULL},
    {"a unit without a number is refused", "h", 0, NULL},
    {"a number left at the end is refused", "1h30", 0, NULL},
    {"units that rise are refused", "30m1h", 0, NULL},
    {"a unit twice is refused", "1h1h", 0, NULL},
    {"an unknown unit is refused", "1w", 0, NULL},
    {"an upper case unit is refused", "1H", 0, NULL},
    {"a blank is refused", "1h 30m", 0, NULL},
    {"a fraction is refused", "1.5h", 0, NULL},
    {"a sign is refused", "-1h", 0, NULL},
    {"a leading nought is refused", "01h", 0, NULL},
};

static void check_duration(void **state)
{
    const struct duration_row *row = *state;
    size_t n = strlen(row->given);
    char *given = exactly(row->given, n);
    char written[64];
    struct text t = text_over(written, sizeof written);
    uint64_t s = 4711;

    assert_int_equal(text_parse_duration(given, n, &s), row->s > 0);
    assert_int_equal(s, row->s > 0 ? row->s : 4711);
    free(given);
    if (row->s == 0)
        return;
    text_put_duration(&t, s);
    assert_string_equal(written, row->written ? row->written : row->given);
}

static void a_duration_that_is_written_can_be_read(void **state)
{
    char written[64];
    uint64_t v = 0;

    (void)state;
    for (uint64_t s = 1; s <= TEXT_DURATION_MAX_S; s += 1 + s / 997) {
        struct text t = text_over(written, sizeof written);

        text_put_duration(&t, s);
        assert_true(text_parse_duration(written, t.len, &v));
        assert_int_equal(v, s);
    }
}

static void no_time_is_written_as_0s(void **state)
{
    char written[8];
    struct text t = text_over(written, sizeof written);

    (void)state;
    text_put_duration(&t, 0);
    assert_string_equal(written, "0s");
}

/* ---- moments ------------------------------------------------------------------------------- */

/* As the C library says it, over the ends of all months and years. */
static void a_moment_is_written_as_rfc_3339(void **state)
{
    char written[40], expected[40];

    (void)state;
    for (int64_t s = -86399; s < INT64_C(253402300800); s += 86399) {
        struct text t = text_over(written, sizeof written);
        time_t when = (time_t)(s < 0 ? 0 : s);
        struct tm tm;

        text_put_utc(&t, s * 1000000 + 999999);
        strftime(expected, sizeof expected, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&when, &tm));
        assert_string_equal(written, expected);
    }
}

/* ---- ids ----------------------------------------------------------------------------------- */

struct id_row {
    const char *says;
    const char *given;
    bool fine;
    uint64_t first, last;
};

static const struct id_row ID_ROWS[] = {
    {"the first id", "00000000", true, 0, 0},
    {"the last id", "ZZZZZZZZ", true, UINT64_C(0xffffffffff), UINT64_C(0xffffffffff)},
    {"digits count up from the right", "00000010", true, 32, 32},
    {"lower case is the same", "0000000z", true, 31, 31},
    {"I, L and O are 1, 1 and 0", "00000ILO", true, 1056, 1056},
    {"i, l and o too", "00000ilo", true, 1056, 1056},
    {"four characters begin 2^20 ids", "0001", true, UINT64_C(1) << 20, (UINT64_C(2) << 20) - 1},
    {"seven characters begin 32 ids", "0000001", true, 32, 63},
    {"three characters are too few", "000", false, 0, 0},
    {"nine characters are too many", "000000000", false, 0, 0},
    {"nothing is too few", "", false, 0, 0},
    {"there is no U", "0000000U", false, 0, 0},
    {"a hyphen is refused", "0000-000", false, 0, 0},
    {"a byte beyond ASCII is refused", "0000000\xe9", false, 0, 0},
};

static void check_id(void **state)
{
    const struct id_row *row = *state;
    size_t n = strlen(row->given);
    char *given = exactly(row->given, n);
    uint64_t first = 1, last = 2;

    assert_int_equal(text_parse_id_prefix(given, n, &first, &last), row->fine);
    assert_int_equal(first, row->fine ? row->first : 1);
    assert_int_equal(last, row->fine ? row->last : 2);
    free(given);
}

static void a_nul_is_no_digit_of_an_id(void **state)
{
    uint64_t first, last;

    (void)state;
    assert_false(text_parse_id_prefix("000\0", 4, &first, &last));
}

static void an_id_that_is_written_can_be_read(void **state)
{
    (void)state;
    for (uint64_t i = 0; i < 100000; i++) {
        uint64_t id = i * UINT64_C(0x9e3779b97f4a7c15) >> 24, first = 1, last = 0;
        char written[TEXT_ID_LEN + 1];
        struct text t = text_over(written, sizeof written);

        text_put_id(&t, id);
        assert_int_equal(t.len, TEXT_ID_LEN);
        for (size_t n = TEXT_ID_PREFIX_MIN; n <= TEXT_ID_LEN; n++) {
            assert_true(text_parse_id_prefix(written, n, &first, &last));
            assert_true(first <= id && id <= last);
        }
        assert_int_equal(first, last);
    }
}

/* ---- building ------------------------------------------------------------------------------ */

static void text_is_cut_whole_and_stays_cut(void **state)
{
    char buf[6];
    struct text t = text_over(buf, sizeof buf);

    (void)state;
    text_put(&t, "abc");
    text_put(&t, "def");
    assert_true(t.cut);
    assert_string_equal(buf, "abc");
    text_put(&t, "d");
    assert_string_equal(buf, "abc");
}

static void text_fits_to_the_last_byte(void **state)
{
    char buf[6];
    struct text t = text_over(buf, sizeof buf);

    (void)state;
    text_put(&t, "abcde");
    assert_false(t.cut);
    text_put(&t, "");
    assert_false(t.cut);
    assert_string_equal(buf, "abcde");
}

static void no_room_at_all_is_not_written_to(void **state)
{
    char buf[1] = {'x'};
    struct text t = text_over(buf, 0);

    (void)state;
    text_put(&t, "");
    assert_true(t.cut);
    text_make_plain(buf, 0, "a", 1);
    assert_int_equal(buf[0], 'x');
}

static void numbers_are_written_in_full(void **state)
{
    char buf[32];
    struct text t = text_over(buf, sizeof buf);

    (void)state;
    text_put_u64(&t, UINT64_MAX);
    text_put_u64(&t, 0);
    assert_string_equal(buf, "184467440737095516150");
}

/* ---- UTF-8 --------------------------------------------------------------------------------- */

/* RFC 3629, section 4, as it is written there: the ranges of each byte. */
static const struct {
    size_t len;
    unsigned char low[4], high[4];
} FORMS[] = {
    {1, {0x00}, {0x7f}},
    {2, {0xc2, 0x80}, {0xdf, 0xbf}},
    {3, {0xe0, 0xa0, 0x80}, {0xe0, 0xbf, 0xbf}},
    {3, {0xe1, 0x80, 0x80}, {0xec, 0xbf, 0xbf}},
    {3, {0xed, 0x80, 0x80}, {0xed, 0x9f, 0xbf}},
    {3, {0xee, 0x80, 0x80}, {0xef, 0xbf, 0xbf}},
    {4, {0xf0, 0x90, 0x80, 0x80}, {0xf0, 0xbf, 0xbf, 0xbf}},
    {4, {0xf1, 0x80, 0x80, 0x80}, {0xf3, 0xbf, 0xbf, 0xbf}},
    {4, {0xf4, 0x80, 0x80, 0x80}, {0xf4, 0x8f, 0xbf, 0xbf}},
};

static size_t well_formed(const unsigned char *s, size_t n)
{
    for (size_t f = 0; f < COUNT(FORMS); f++) {
        size_t i = 0;

        while (i < FORMS[f].len && i < n && s[i] >= FORMS[f].low[i] && s[i] <= FORMS[f].high[i])
            i++;
        if (i == FORMS[f].len)
            return i;
    }
    return 0;
}

static void well_formed_is_what_rfc_3629_says(void **state)
{
    /* Bytes at which anything changes; all bytes in the first two places. */
    static const unsigned char EDGES[] = {0x00, 0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf,
                                          0xc0, 0xc2, 0xe0, 0xed, 0xf0, 0xf4, 0xf8, 0xff};

    (void)state;
    for (unsigned first = 0; first < 0x10000; first++)
        for (size_t i = 0; i < COUNT(EDGES) * COUNT(EDGES); i++) {
            unsigned char s[4] = {(unsigned char)(first >> 8), (unsigned char)first,
                                  EDGES[i / COUNT(EDGES)], EDGES[i % COUNT(EDGES)]};

            for (size_t n = 0; n <= 4; n++) {
                uint32_t c = 0;

                if (text_utf8((const char *)s, n, &c) != well_formed(s, n))
                    fail_msg("%02x %02x %02x %02x, %zu bytes", s[0], s[1], s[2], s[3], n);
            }
        }
}

static size_t utf8(uint32_t c, char s[4])
{
    static const unsigned char LEADS[] = {0x00, 0xc0, 0xe0, 0xf0};
    size_t len = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;

    for (size_t i = len; i-- > 1; c >>= 6)
        s[i] = (char)(0x80 | (c & 0x3f));
    s[0] = (char)(LEADS[len - 1] | c);
    return len;
}

static void every_code_point_is_read_as_itself(void **state)
{
    (void)state;
    for (uint32_t c = 0; c <= 0x10ffff; c++) {
        bool surrogate = c >= 0xd800 && c <= 0xdfff;
        uint32_t v = c;
        char s[4];
        size_t len = utf8(c, s);

        if (text_utf8(s, len, &v) != (surrogate ? 0 : len) || v != c)
            fail_msg("U+%04X", (unsigned)c);
    }
}

/* ---- what may stand in text ---------------------------------------------------------------- */

struct plain_row {
    const char *says;
    const char *given;
    const char *plain; /* NULL: as given, and fine */
    bool name, word;
};

static const struct plain_row PLAIN_ROWS[] = {
    {"ASCII", "alice", NULL, true, true},
    {"digits, dots and lines", "a-1.b_C", NULL, true, true},
    {"a number", "1001", NULL, true, true},
    {"nothing", "", NULL, false, false},
    {"letters beyond ASCII", "J\xc3\xb6rg \xe6\x9d\xb1\xe4\xba\xac", NULL, false, false},
    {"a name beyond ASCII", "j\xc3\xb6rg", NULL, true, false},
    {"an emoji", "\xf0\x9f\x94\x91", NULL, true, false},
    {"a machine's name", "host$", NULL, true, false},
    {"a sentence", "rotate certs, then reboot", NULL, false, false},
    {"a tabulator", "a\tb", "a?b", false, false},
    {"a line feed", "a\nb", "a?b", false, false},
    {"a carriage return", "a\rb", "a?b", false, false},
    {"an escape", "a\033[31mb", "a?[31mb", false, false},
    {"DEL", "a\177b", "a?b", false, false},
    {"a C1 control",
     "a\xc2\x9b"
     "31mb",
     "a?31mb", false, false},
    {"the last C1 control", "\xc2\x9f", "?", false, false},
    {"a no-break space is no control", "\xc2\xa0", NULL, true, false},
    {"a zero width space",
     "a\xe2\x80\x8b"
     "b",
     "a?b", false, false},
    {"a right-to-left mark", "\xe2\x80\x8f", "?", false, false},
    {"a hyphen from the same row", "\xe2\x80\x90", NULL, true, false},
    {"a line separator", "\xe2\x80\xa8", "?", false, false},
    {"a right-to-left override", "\xe2\x80\xae", "?", false, false},
    {"a narrow space after it", "\xe2\x80\xaf", NULL, true, false},
    {"a word joiner", "\xe2\x81\xa0", "?", false, false},
    {"an isolate", "\xe2\x81\xa6", "?", false, false},
    {"the end of that row", "\xe2\x81\xaf", "?", false, false},
    {"a superscript after it", "\xe2\x81\xb0", NULL, true, false},
    {"an Arabic letter mark", "\xd8\x9c", "?", false, false},
    {"a byte order mark",
     "\xef\xbb\xbf"
     "a",
     "?a", false, false},
    {"an interlinear anchor", "\xef\xbf\xb9", "?", false, false},
    {"an object replacement is not one", "\xef\xbf\xbc", NULL, true, false},
    {"a tag character", "\xf3\xa0\x81\x81", "?", false, false},
    {"the character after the tags", "\xf3\xa0\x82\x80", NULL, true, false},
    {"a lone continuation byte",
     "a\x80"
     "b",
     "a?b", false, false},
    {"a cut character", "a\xe6\x9d", "a??", false, false},
    {"an overlong slash", "\xc0\xaf", "??", false, false},
    {"a surrogate", "\xed\xa0\x80", "???", false, false},
    {"latin-1", "J\xf6rg", "J?rg", false, false},
    {"an option", "-rf", NULL, false, false},
    {"a group", "@sre", NULL, false, false},
    {"a hidden file", ".ssh", NULL, true, false},
    {"a path", "a/b", NULL, false, false},
    {"a colon", "a:b", NULL, false, false},
    {"a comma", "a,b", NULL, false, false},
    {"a double quote", "a\"b", NULL, false, false},
    {"a quote", "a'b", NULL, false, false},
    {"a backslash", "a\\b", NULL, false, false},
    {"a star", "a*b", NULL, false, false},
    {"a question mark", "a?b", NULL, false, false},
    {"a blank", "a b", NULL, false, false},
    {"an at sign within", "a@b", NULL, true, false},
    {"a plus", "a+b", NULL, true, false},
    {"a bracket after Z", "a[b", NULL, true, false},
    {"a brace after z", "a{b", NULL, true, false},
    {"a back-tick before a", "a`b", NULL, true, false},
    {"a semicolon after 9", "a;b", NULL, true, false},
};

static void check_plain(void **state)
{
    const struct plain_row *row = *state;
    size_t n = strlen(row->given);
    char *given = exactly(row->given, n);
    char plain[64];

    assert_int_equal(text_is_plain(given, n), row->plain == NULL);
    assert_int_equal(text_is_name(given, n), row->name);
    assert_int_equal(text_is_word(given, n), row->word);
    text_make_plain(plain, sizeof plain, given, n);
    assert_string_equal(plain, row->plain ? row->plain : row->given);
    free(given);
}

static void a_nul_is_refused_everywhere(void **state)
{
    char plain[8];

    (void)state;
    assert_false(text_is_plain("a\0b", 3));
    assert_false(text_is_name("a\0b", 3));
    assert_false(text_is_word("a\0b", 3));
    text_make_plain(plain, sizeof plain, "a\0b", 3);
    assert_string_equal(plain, "a?b");
}

static void what_is_made_plain_is_plain_at_any_size(void **state)
{
    uint64_t seed = 1;
    char given[24], plain[32];

    (void)state;
    for (int i = 0; i < 200000; i++) {
        size_t n = 0, cap;

        while (n < sizeof given) {
            seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407;
            if (seed >> 62 == 0) /* bytes, else characters */
                given[n++] = (char)(seed >> 40);
            else if (n + 4 <= sizeof given)
                n += utf8((uint32_t)(seed >> 40) % 0x3000, given + n);
            else
                break;
        }
        cap = 1 + (seed >> 33) % sizeof plain;
        text_make_plain(plain, cap, given, n);
        assert_true(strlen(plain) < cap);
        assert_true(text_is_plain(plain, strlen(plain)));
        if (text_is_plain(given, n))
            assert_memory_equal(plain, given, strlen(plain));
    }
}

/* ---- all of it ----------------------------------------------------------------------------- */

#define ADD_ROWS(rows, check)                                                                      \
    for (size_t i = 0; i < COUNT(rows); i++)                                                       \
        tests[n++] = (struct CMUnitTest)                                                           \
        {                                                                                          \
            .name = rows[i].says, .test_func = check, .initial_state = (void *)(uintptr_t)&rows[i] \
        }

static void spaces_say_nothing(void **state)
{
    (void)state;
    assert_true(text_is_blank(""));
    assert_true(text_is_blank("   "));
    assert_false(text_is_blank("  x "));
    assert_false(text_is_blank("."));
}

int main(void)
{
    static struct CMUnitTest tests[200] = {
        cmocka_unit_test(a_duration_that_is_written_can_be_read),
        cmocka_unit_test(no_time_is_written_as_0s),
        cmocka_unit_test(a_moment_is_written_as_rfc_3339),
        cmocka_unit_test(a_nul_is_no_digit_of_an_id),
        cmocka_unit_test(an_id_that_is_written_can_be_read),
        cmocka_unit_test(text_is_cut_whole_and_stays_cut),
        cmocka_unit_test(text_fits_to_the_last_byte),
        cmocka_unit_test(no_room_at_all_is_not_written_to),
        cmocka_unit_test(numbers_are_written_in_full),
        cmocka_unit_test(well_formed_is_what_rfc_3629_says),
        cmocka_unit_test(every_code_point_is_read_as_itself),
        cmocka_unit_test(a_nul_is_refused_everywhere),
        cmocka_unit_test(what_is_made_plain_is_plain_at_any_size),
        cmocka_unit_test(spaces_say_nothing),
    };
    size_t n = 0;

    while (tests[n].test_func)
        n++;
    ADD_ROWS(NUMBER_ROWS, check_number);
    ADD_ROWS(DURATION_ROWS, check_duration);
    ADD_ROWS(ID_ROWS, check_id);
    ADD_ROWS(PLAIN_ROWS, check_plain);
    return _cmocka_run_group_tests("text", tests, n, NULL, NULL);
}
