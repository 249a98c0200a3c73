#include "when.h"

#include <time.h>

enum { SECOND = 1000000 };

/* ---- reading -------------------------------------------------------------------------------- */

/* A place in a text, and whether all before it was as it should be. */
struct scan {
    const char *at;
    bool bad;
};

static int digits(struct scan *s, int n)
{
    int v = 0;

    for (; n > 0; n--, s->at++) {
        if (s->bad || *s->at < '0' || *s->at > '9') {
            s->bad = true;
            return 0;
        }
        v = v * 10 + (*s->at - '0');
    }
    return v;
}

static bool take(struct scan *s, const char *any_of)
{
    if (s->bad || *s->at == '\0' || !strchr(any_of, *s->at))
        return false;
    s->at++;
    return true;
}

static void expect(struct scan *s, const char *any_of)
{
    if (!take(s, any_of))
        s->bad = true;
}

/* HH:MM[:SS]. A minute may have 61 seconds (RFC 3339, 5.7). */
static void scan_clock(struct scan *s, struct tm *tm)
{
    tm->tm_hour = digits(s, 2);
    expect(s, ":");
    tm->tm_min = digits(s, 2);
    tm->tm_sec = take(s, ":") ? digits(s, 2) : 0;
    if (tm->tm_hour > 23 || tm->tm_min > 59 || tm->tm_sec > 60)
        s->bad = true;
}

static void scan_date(struct scan *s, struct tm *tm)
{
    static const int DAYS[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int year = digits(s, 4), month, day, leap;

    expect(s, "-");
    month = digits(s, 2);
    expect(s, "-");
    day = digits(s, 2);
    leap = month == 2 && ((year % 4 == 0 && year % 100 != 0) || year % 400 == 0);
    if (s->bad || month < 1 || month > 12 || day < 1 || day > DAYS[month - 1] + leap) {
        s->bad = true;
        return;
    }
    tm->tm_year = year - 1900;
    tm->tm_mon = month - 1;
    tm->tm_mday = day;
}

/* The fraction of a second, in microseconds; finer digits are dropped. */
static int64_t scan_fraction(struct scan *s)
{
    int64_t us = 0, unit = SECOND / 10;

    if (!take(s, "."))
        return 0;
    if (*s->at < '0' || *s->at > '9')
        s->bad = true;
    for (; *s->at >= '0' && *s->at <= '9'; s->at++, unit /= 10)
        us += unit * (*s->at - '0');
    return us;
}

/* `Z` or +HH:MM: *ret_s is what to take off to get UTC. False without either: local time. */
static bool scan_zone(struct scan *s, int64_t *ret_s)
{
    const char *sign = s->at;
    int hours, minutes;

    *ret_s = 0;
    if (take(s, "Zz"))
        return true;
    if (!take(s, "+-"))
        return false;
    hours = digits(s, 2);
    expect(s, ":");
    minutes = digits(s, 2);
    if (hours > 23 || minutes > 59)
        s->bad = true;
    *ret_s = (*sign == '-' ? -1 : 1) * (hours * 3600 + minutes * 60);
    return true;
}

static int64_t to_us(struct tm *tm, bool utc)
{
    tm->tm_isdst = -1; /* whichever holds then */
    return (int64_t)(utc ? timegm(tm) : mktime(tm)) * SECOND;
}

static bool parse_date(const char *text, int64_t *ret_us)
{
    struct scan s = {.at = text};
    struct tm tm = {0};
    int64_t fraction = 0, off = 0;
    bool zoned = false;

    scan_date(&s, &tm);
    if (take(&s, "Tt ")) {
        scan_clock(&s, &tm);
        fraction = scan_fraction(&s);
        zoned = scan_zone(&s, &off);
    }
    if (s.bad || *s.at != '\0')
        return false;
    *ret_us = to_us(&tm, zoned) + fraction - off * SECOND;
    return true;
}

static struct tm local(int64_t us)
{
    time_t s = (time_t)(us / SECOND);
    struct tm tm = {0};

    localtime_r(&s, &tm);
    return tm;
}

/* The next or last time that the clock on the wall shows this. By the calendar, not by 24 hours:
 * a day has 23 or 25 of them twice a year. */
static bool parse_clock(const char *text, int64_t now_us, enum when_lean lean, int64_t *ret_us)
{
    struct scan s = {.at = text};
    struct tm tm = local(now_us);
    struct tm other;

    scan_clock(&s, &tm);
    if (s.bad || *s.at != '\0')
        return false;
    other = tm;
    other.tm_mday += lean == WHEN_AHEAD ? 1 : -1;
    *ret_us = to_us(&tm, false);
    if (lean == WHEN_AHEAD ? *ret_us <= now_us : *ret_us > now_us)
        *ret_us = to_us(&other, false);
    return true;
}

static bool parse_word(const char *text, int64_t now_us, int64_t *ret_us)
{
    static const struct {
        const char *word;
        int days;
    } WORDS[] = {{"today", 0}, {"tomorrow", 1}, {"yesterday", -1}};

    if (strcmp(text, "now") == 0) {
        *ret_us = now_us;
        return true;
    }
    for (size_t i = 0; i < sizeof WORDS / sizeof WORDS[0]; i++) {
        struct tm tm = local(now_us);

        if (strcmp(text, WORDS[i].word) != 0)
            continue;
        tm.tm_mday += WORDS[i].days;
        tm.tm_hour = tm.tm_min = tm.tm_sec = 0;
        *ret_us = to_us(&tm, false);
        return true;
    }
    return false;
}

static bool parse_distance(const char *text, int64_t now_us, enum when_lean lean, int64_t *ret_us)
{
    uint64_t seconds;

    if (lean == WHEN_AHEAD) {
        if (*text != '+')
            return false;
        text++;
    } else if (*text == '-') {
        text++;
    }
    if (!text_parse_duration(text, strlen(text), &seconds))
        return false;
    *ret_us = now_us + (lean == WHEN_AHEAD ? 1 : -1) * (int64_t)seconds * SECOND;
    return true;
}

bool when_parse(const char *s, int64_t now_us, enum when_lean lean, int64_t *ret_us)
{
    int64_t us;

    if (!parse_word(s, now_us, &us) && !parse_distance(s, now_us, lean, &us) &&
        !parse_clock(s, now_us, lean, &us) && !parse_date(s, &us))
        return false;
    if (us < 0)
        return false;
    *ret_us = us;
    return true;
}

const char *when_forms(enum when_lean lean)
{
    return lean == WHEN_AHEAD ? "write +30m, 14:00, \"2026-11-22 14:00\" or 2026-11-22T14:00:00Z"
                              : "write 2h (ago), today, 14:00, 2026-11-22, \"2026-11-22 14:00\" or "
                                "2026-11-22T14:00:00Z";
}

/* ---- showing -------------------------------------------------------------------------------- */

static void put_two(char *out, unsigned v)
{
    out[0] = (char)('0' + v / 10 % 10);
    out[1] = (char)('0' + v % 10);
}

/* Written out by hand, for it is done a million times in an export. Days to a date: the years are
 * counted from March, so that the leap day is the last (Howard Hinnant, chrono-Compatible
 * Low-Level Date Algorithms). */
size_t when_utc(int64_t us, char out[WHEN_CAP])
{
    uint64_t s = us < 0 ? 0 : (uint64_t)us / SECOND;
    unsigned day_s = (unsigned)(s % 86400);
    uint64_t z = s / 86400 + 719468;
    uint64_t era = z / 146097, doe = z % 146097;
    uint64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    unsigned doy = (unsigned)(doe - (365 * yoe + yoe / 4 - yoe / 100));
    unsigned mp = (5 * doy + 2) / 153;
    unsigned month = mp < 10 ? mp + 3 : mp - 9;
    unsigned year = (unsigned)(yoe + era * 400 + (month <= 2));

    memcpy(out, "0000-00-00T00:00:00Z", 21);
    put_two(out, year / 100);
    put_two(out + 2, year);
    put_two(out + 5, month);
    put_two(out + 8, doy - (153 * mp + 2) / 5 + 1);
    put_two(out + 11, day_s / 3600);
    put_two(out + 14, day_s / 60 % 60);
    put_two(out + 17, day_s % 60);
    return 20;
}

static void put_clock(struct text *t, const struct tm *tm, bool seconds)
{
    const int parts[] = {tm->tm_hour, tm->tm_min, tm->tm_sec};

    for (size_t i = 0; i < 2U + seconds; i++) {
        char two[2];

        text_put(t, i > 0 ? ":" : "");
        put_two(two, (unsigned)parts[i]);
        text_put_n(t, two, sizeof two);
    }
}

static void put_when(struct tm tm, bool date, bool seconds, char out[WHEN_CAP])
{
    struct text t = text_over(out, WHEN_CAP);

    if (date) {
        t.len = strftime(out, WHEN_CAP, "%Y-%m-%d ", &tm);
        out[t.len] = '\0';
    }
    put_clock(&t, &tm, seconds);
}

static bool same_day(const struct tm *a, const struct tm *b)
{
    return a->tm_year == b->tm_year && a->tm_yday == b->tm_yday;
}

void when_local(int64_t us, int64_t now_us, bool exact, char out[WHEN_CAP])
{
    struct tm tm = local(us), now = local(now_us);

    put_when(tm, exact || !same_day(&tm, &now), exact, out);
}

void when_of_day(int64_t us, int64_t day_us, bool seconds, char out[WHEN_CAP])
{
    struct tm tm = local(us), day = local(day_us);

    put_when(tm, !same_day(&tm, &day), seconds, out);
}
