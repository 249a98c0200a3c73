/* Text that crosses a program boundary: what may stand in it, and the few forms that all programs
 * read and write the same way (durations, ids, numbers). Pure, inline, no heap: it is compiled into
 * sudo and sshd by way of pam_team, and into teamd's core.
 *
 * All lengths are bytes. Every function takes an explicit length or a NUL-terminated string and
 * never reads past either. Parsers write *ret only when they return true. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* ---- building text -------------------------------------------------------------------------- */

/* A bounded string under construction. `buf` is the caller's, is always NUL-terminated, and `cut`
 * is sticky: once something did not fit, nothing more is added. */
struct text {
    char *buf;
    size_t cap;
    size_t len;
    bool cut;
};

static inline struct text text_over(char *buf, size_t cap)
{
    if (cap > 0)
        buf[0] = '\0';
    return (struct text){.buf = buf, .cap = cap};
}

static inline void text_put_n(struct text *t, const char *s, size_t n)
{
    if (t->cut || n >= t->cap - t->len) {
        t->cut = true;
        return;
    }
    memcpy(t->buf + t->len, s, n);
    t->len += n;
    t->buf[t->len] = '\0';
}

static inline void text_put(struct text *t, const char *s)
{
    text_put_n(t, s, strlen(s));
}

/* The decimal digits of v stand at the end of `out`; returns the first of them. */
static inline char *text_digits(uint64_t v, char out[static 20])
{
    static const char PAIRS[] = "0001020304050607080910111213141516171819"
                                "2021222324252627282930313233343536373839"
                                "4041424344454647484950515253545556575859"
                                "6061626364656667686970717273747576777879"
                                "8081828384858687888990919293949596979899";
    char *at = out + 20;
    uint32_t low;

    for (; v > UINT32_MAX; v /= 100000000) { /* eight at a time, in half the width */
        low = (uint32_t)(v % 100000000);
        for (int i = 0; i < 4; i++, low /= 100)
            memcpy(at -= 2, PAIRS + low % 100 * 2, 2);
    }
    for (low = (uint32_t)v; low >= 100; low /= 100)
        memcpy(at -= 2, PAIRS + low % 100 * 2, 2);
    memcpy(at -= 2, PAIRS + low * 2, 2);
    return low < 10 ? at + 1 : at;
}

static inline void text_put_u64(struct text *t, uint64_t v)
{
    char digits[20];
    const char *first = text_digits(v, digits);

    text_put_n(t, first, (size_t)(digits + sizeof digits - first));
}

/* 5400 becomes "1h30m", 0 becomes "0s": the form that text_parse_duration() reads. */
static inline void text_put_duration(struct text *t, uint64_t seconds)
{
    static const struct {
        uint64_t s;
        const char *unit;
    } UNITS[] = {{86400, "d"}, {3600, "h"}, {60, "m"}, {1, "s"}};

    if (seconds == 0) {
        text_put(t, "0s");
        return;
    }
    for (size_t i = 0; i < sizeof UNITS / sizeof UNITS[0]; i++) {
        if (seconds < UNITS[i].s)
            continue;
        text_put_u64(t, seconds / UNITS[i].s);
        text_put(t, UNITS[i].unit);
        seconds %= UNITS[i].s;
    }
}

/* Microseconds since 1970 as "2026-11-22T14:02:11Z". Before 1970 is 1970. */
static inline void text_put_utc(struct text *t, int64_t us)
{
    const uint64_t s = us < 0 ? 0 : (uint64_t)us / 1000000;
    /* Years that begin in March have their odd day at the end; 400 of them are 146097 days. */
    const uint64_t day = s / 86400 + 719468, era = day / 146097, of_era = day % 146097;
    const uint64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    const uint64_t of_year = of_era - (365 * year + year / 4 - year / 100);
    const uint64_t month = (5 * of_year + 2) / 153;
    const uint64_t parts[] = {era * 400 + year + (month >= 10),
                              month < 10 ? month + 3 : month - 9,
                              of_year - (153 * month + 2) / 5 + 1,
                              s / 3600 % 24,
                              s / 60 % 60,
                              s % 60};

    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        text_put(t, parts[i] < 10 ? "0" : "");
        text_put_u64(t, parts[i]);
        text_put_n(t, &"--T::Z"[i], 1);
    }
}

/* ---- reading text --------------------------------------------------------------------------- */

/* Decimal digits only: no sign, no blank, no leading zero except "0" itself, no overflow. */
static inline bool text_parse_u64(const char *s, size_t n, uint64_t *ret)
{
    uint64_t v = 0;

    if (n == 0 || n > 20 || (n > 1 && s[0] == '0'))
        return false;
    for (size_t i = 0; i < n; i++) {
        uint64_t digit = (uint64_t)(unsigned char)s[i] - '0';

        if (digit > 9 || (i == 19 && v > (UINT64_MAX - digit) / 10)) /* 19 digits always fit */
            return false;
        v = v * 10 + digit;
    }
    *ret = v;
    return true;
}

enum {
    TEXT_DURATION_MAX_S = 3660 * 86400
}; /* ten years: more is a mistake, and keeps sums in range */

/* Durations as people write them: 45s, 30m, 2h, 1h30m, 2d. Units fall from left to right, each at
 * most once; the result is 1 second to ten years. */
static inline bool text_parse_duration(const char *s, size_t n, uint64_t *ret_seconds)
{
    static const struct {
        char unit;
        uint64_t s;
    } UNITS[] = {{'d', 86400}, {'h', 3600}, {'m', 60}, {'s', 1}};
    uint64_t total = 0;
    size_t i = 0, next = 0;

    while (i < n) {
        size_t start = i, u = next;
        uint64_t v;

        while (i < n && s[i] >= '0' && s[i] <= '9')
            i++;
        if (i == n || !text_parse_u64(s + start, i - start, &v) || v > TEXT_DURATION_MAX_S)
            return false;
        while (u < 4 && UNITS[u].unit != s[i])
            u++;
        if (u == 4)
            return false;
        total += v * UNITS[u].s;
        if (total > TEXT_DURATION_MAX_S)
            return false;
        next = u + 1;
        i++;
    }
    if (total == 0)
        return false;
    *ret_seconds = total;
    return true;
}

/* ---- ids ------------------------------------------------------------------------------------ */

/* A request's id: 40 random bits, written as 8 characters of Crockford's base32 (no I, L, O, U).
 * Reading takes any case, and I, L as 1 and O as 0, as Crockford asks. */
enum { TEXT_ID_LEN = 8, TEXT_ID_PREFIX_MIN = 4 };

static inline void text_put_id(struct text *t, uint64_t id)
{
    static const char ALPHABET[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    char out[TEXT_ID_LEN];

    for (size_t i = 0; i < TEXT_ID_LEN; i++)
        out[i] = ALPHABET[(id >> (5 * (TEXT_ID_LEN - 1 - i))) & 31];
    text_put_n(t, out, sizeof out);
}

static inline bool text_id_digit(char c, uint64_t *ret)
{
    static const char ALPHABET[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    const char *at;

    if (c >= 'a' && c <= 'z')
        c = (char)(c - 'a' + 'A');
    if (c == 'I' || c == 'L')
        c = '1';
    if (c == 'O')
        c = '0';
    at = c ? (const char *)memchr(ALPHABET, c, 32) : NULL;
    if (!at)
        return false;
    *ret = (uint64_t)(at - ALPHABET);
    return true;
}

/* Reads 4 to 8 characters: *ret_first to *ret_last are the ids that begin so (equal for all 8). */
static inline bool text_parse_id_prefix(const char *s, size_t n, uint64_t *ret_first,
                                        uint64_t *ret_last)
{
    uint64_t v = 0, rest;

    if (n < TEXT_ID_PREFIX_MIN || n > TEXT_ID_LEN)
        return false;
    for (size_t i = 0; i < n; i++) {
        uint64_t digit;

        if (!text_id_digit(s[i], &digit))
            return false;
        v = v << 5 | digit;
    }
    rest = 5 * (TEXT_ID_LEN - n);
    *ret_first = v << rest;
    *ret_last = *ret_first | ((UINT64_C(1) << rest) - 1);
    return true;
}

/* ---- what may stand in text ----------------------------------------------------------------- */

/* The length in bytes of the well-formed UTF-8 character at s (RFC 3629: no overlong form, no
 * surrogate, at most U+10FFFF), or 0. *ret is its code point. */
static inline size_t text_utf8(const char *s, size_t n, uint32_t *ret)
{
    static const struct {
        uint32_t mask, lead, min;
    } FORMS[] = {{0x80, 0x00, 0}, {0xe0, 0xc0, 0x80}, {0xf0, 0xe0, 0x800}, {0xf8, 0xf0, 0x10000}};
    uint32_t first, v;
    size_t form = 0;

    if (n == 0)
        return 0;
    first = (unsigned char)s[0];
    while (form < 4 && (first & FORMS[form].mask) != FORMS[form].lead)
        form++;
    if (form == 4 || form >= n)
        return 0;
    v = first & ~FORMS[form].mask;
    for (size_t i = 1; i <= form; i++) {
        uint32_t c = (unsigned char)s[i];

        if ((c & 0xc0) != 0x80)
            return 0;
        v = v << 6 | (c & 0x3f);
    }
    if (v < FORMS[form].min || v > 0x10ffff || (v >= 0xd800 && v <= 0xdfff))
        return 0;
    *ret = v;
    return form + 1;
}

/* Characters that act on a terminal or on a reader's eye instead of being read: C0 and C1 controls,
 * DEL, line and paragraph separators, bidirectional overrides and marks (Unicode TR 36), the byte
 * order mark, and the invisible tag characters. */
static inline bool text_is_control(uint32_t c)
{
    return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x61c || (c >= 0x200b && c <= 0x200f) ||
           (c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) || c == 0xfeff ||
           (c >= 0xfff9 && c <= 0xfffb) || (c >= 0xe0000 && c <= 0xe007f);
}

/* An export reads every byte of millions of texts, and most are ASCII: sixteen at once, as vectors
 * of the compiler. A comparison of vectors gives all ones where it holds. */
typedef uint8_t text_16 __attribute__((vector_size(16)));

static inline text_16 text_load_16(const char *s)
{
    text_16 v;

    memcpy(&v, s, sizeof v);
    return v;
}

static inline bool text_none_16(text_16 v)
{
    uint64_t halves[2];

    memcpy(halves, &v, sizeof v);
    return (halves[0] | halves[1]) == 0;
}

/* Sixteen bytes in hexadecimal, as 32 characters. */
static inline void text_hex_16(const uint8_t *bytes, char *out)
{
    text_16 v, high, low, half;

    memcpy(&v, bytes, sizeof v);
    high = (v >> 4) + '0';
    low = (v & 15) + '0';
    high += (text_16)(high > '9') & ('a' - '9' - 1);
    low += (text_16)(low > '9') & ('a' - '9' - 1);
    half = __builtin_shufflevector(high, low, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7,
                                   23);
    memcpy(out, &half, sizeof half);
    half = __builtin_shufflevector(high, low, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30,
                                   15, 31);
    memcpy(out + sizeof half, &half, sizeof half);
}

/* How many bytes from the start on are printable ASCII. */
static inline size_t text_ascii_run(const char *s, size_t n)
{
    size_t i = 0;

    for (; n - i >= sizeof(text_16); i += sizeof(text_16)) {
        text_16 v = text_load_16(s + i);

        if (!text_none_16((text_16)(v < ' ') | (text_16)(v > '~')))
            break;
    }
    while (i < n && s[i] >= ' ' && s[i] <= '~')
        i++;
    return i;
}

/* One line of well-formed UTF-8 without control characters. */
static inline bool text_is_plain(const char *s, size_t n)
{
    for (size_t i = text_ascii_run(s, n); i < n;) {
        uint32_t c;
        size_t len = text_utf8(s + i, n - i, &c);

        if (len == 0 || text_is_control(c))
            return false;
        i += len;
    }
    return true;
}

/* Nothing but spaces: it says nothing. */
static inline bool text_is_blank(const char *s)
{
    while (*s == ' ')
        s++;
    return *s == '\0';
}

/* Copies s with every byte that text_is_plain() would refuse made into '?'; for text that must be
 * shown although nobody checked it (a command line, a host name). Cuts at cap - 1. */
static inline void text_make_plain(char *out, size_t cap, const char *s, size_t n)
{
    struct text t = text_over(out, cap);

    for (size_t i = 0; i < n && !t.cut;) {
        uint32_t c;
        size_t len = text_utf8(s + i, n - i, &c);

        if (len == 0 || text_is_control(c)) {
            text_put_n(&t, "?", 1);
            i += len ? len : 1;
        } else {
            text_put_n(&t, s + i, len);
            i += len;
        }
    }
}

/* A user or group name as NSS may give it: plain, no blank, none of `:/,"'\*?` and not starting
 * with
 * '-' or '@' (those would be read as an option or a group by a person's next command). */
static inline bool text_is_name(const char *s, size_t n)
{
    if (n == 0 || s[0] == '-' || s[0] == '@')
        return false;
    for (size_t i = 0; i < n; i++)
        if (s[i] == '\0' || strchr(" :/,\"'\\*?", s[i]))
            return false;
    return text_is_plain(s, n);
}

/* A word of a protocol or a configuration: A-Z a-z 0-9 . _ - and not starting with '-' or '.'. */
static inline bool text_is_word(const char *s, size_t n)
{
    static const bool IN_WORD[256] = {
        ['-'] = true,         ['.'] = true,         ['_'] = true,
        ['0' ... '9'] = true, ['A' ... 'Z'] = true, ['a' ... 'z'] = true,
    };
    size_t i = 0;

    if (n == 0 || s[0] == '-' || s[0] == '.')
        return false;
    for (; n - i >= sizeof(text_16); i += sizeof(text_16)) {
        text_16 v = text_load_16(s + i);
        text_16 letter = (text_16)((v | 0x20) - 'a' < 26), digit = (text_16)(v - '0' < 10);

        if (!text_none_16(~(letter | digit | (text_16)(v == '.') | (text_16)(v == '_') |
                            (text_16)(v == '-'))))
            return false;
    }
    for (; i < n; i++)
        if (!IN_WORD[(unsigned char)s[i]])
            return false;
    return true;
}
