/* text_is_plain() and text_is_word() look at sixteen bytes at once: every byte at every place of
 * texts around that length must count as it does alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <team/text.h>

enum { LONGEST = 50 };

static bool in_word(int c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
}

/* Calls `is` with each byte at each place of each length, and expects what `alone` says. */
static void everywhere(bool (*is)(const char *s, size_t n), bool (*alone)(int c))
{
    char s[LONGEST];

    for (size_t n = 2; n <= LONGEST; n++)
        for (size_t at = 1; at < n; at++)
            for (int c = 0; c < 256; c++) {
                memset(s, 'x', n);
                s[at] = (char)c;
                if (is(s, n) != alone(c))
                    fail_msg("byte %d at %zu of %zu", c, at, n);
            }
}

static bool is_printable(int c)
{
    return c >= ' ' && c <= '~';
}

static void words(void **state)
{
    (void)state;
    everywhere(text_is_word, in_word);
}

static void plain(void **state)
{
    (void)state;
    everywhere(text_is_plain, is_printable); /* a byte of UTF-8 alone is broken */
}

static void plain_characters(void **state)
{
    static const struct {
        const char *character;
        bool plain;
    } CASES[] = {{"ü", true},
                 {"…", true},
                 {"\xf0\x9f\x98\x80", true},
                 {"\xc2\x9b", false},
                 {"\xe2\x80\xae", false},
                 {"\xc3", false}};
    char s[LONGEST + 4];

    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++)
        for (size_t at = 0; at < LONGEST - 4; at++) {
            memset(s, 'x', sizeof s);
            memcpy(s + at, CASES[i].character, strlen(CASES[i].character));
            assert_int_equal(text_is_plain(s, LONGEST), CASES[i].plain);
        }
}

static void numbers(void **state)
{
    uint64_t v = 7;

    (void)state;
    assert_true(text_parse_u64("18446744073709551615", 20, &v));
    assert_true(v == UINT64_MAX);
    assert_false(text_parse_u64("18446744073709551616", 20, &v));
    assert_false(text_parse_u64("99999999999999999999", 20, &v));
    assert_true(text_parse_u64("9999999999999999999", 19, &v));
    assert_true(v == UINT64_C(9999999999999999999));
}

static void check_digits(uint64_t v)
{
    char here[20], there[24];
    const char *first = text_digits(v, here);
    int n = snprintf(there, sizeof there, "%llu", (unsigned long long)v);

    if (here + sizeof here - first != n || memcmp(first, there, (size_t)n) != 0)
        fail_msg("%s", there);
}

static void digits(void **state)
{
    (void)state;
    for (uint64_t v = 0; v < 100000; v++)
        check_digits(v);
    for (uint64_t power = 10; power < UINT64_MAX / 10; power *= 10)
        for (uint64_t v = power - 2; v < power + 2; v++)
            check_digits(v);
    check_digits(UINT64_MAX);
    check_digits(UINT64_MAX - 99);
}

static void hexadecimal(void **state)
{
    uint8_t bytes[16];
    char here[32], there[33];

    (void)state;
    for (int c = 0; c < 256; c++) {
        for (size_t i = 0; i < sizeof bytes; i++) {
            bytes[i] = (uint8_t)(c + (int)i * 17);
            snprintf(there + 2 * i, 3, "%02x", (unsigned)bytes[i]);
        }
        text_hex_16(bytes, here);
        assert_memory_equal(here, there, sizeof here);
    }
}

int main(void)
{
    static const struct CMUnitTest TESTS[] = {
        {"every byte counts at every place of a word", words, NULL, NULL, NULL},
        {"every byte counts at every place of a plain text", plain, NULL, NULL, NULL},
        {"characters of several bytes count at every place", plain_characters, NULL, NULL, NULL},
        {"numbers of 20 digits end where 64 bits do", numbers, NULL, NULL, NULL},
        {"numbers are written as printf writes them", digits, NULL, NULL, NULL},
        {"so are bytes in hexadecimal", hexadecimal, NULL, NULL, NULL},
    };

    return cmocka_run_group_tests(TESTS, NULL, NULL);
}
