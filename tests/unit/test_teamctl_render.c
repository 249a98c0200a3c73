/* Cells, CSV, tables and pages, with rows that no codec has checked. */
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include "unit/fake_teamd.h"

#include "teamctl/cell.c"
#include "teamctl/columns.c"
#include "teamctl/csv.c"
#include "teamctl/out.c"
#include "teamctl/page.c"
#include "teamctl/table.c"
#include "teamctl/when.c"

static struct out out = {.fd = -1};
static const struct look WIDE = {0};

static const char *written(void)
{
    out.buf[out.len] = '\0';
    out.len = 0;
    return out.buf;
}

static struct wire_span row_of(const char *s)
{
    static char row[TEAM_PACKET_MAX];
    size_t len = 0;
    unsigned count;

    fake_fields(s, row, &len, &count);
    return (struct wire_span){row, len};
}

/* ---- CSV cells --------------------------------------------------------------------------------
 */

static const struct {
    const char *says, *text, *cell;
} CELLS[] = {
    {"nothing is nothing", "", ""},
    {"words are themselves", "rotate the certs (2)", "rotate the certs (2)"},
    {"a comma wants quotes", "a,b", "\"a,b\""},
    {"a quote is doubled", "a \"b\"", "\"a \"\"b\"\"\""},
    {"only quotes", "\"\"", "\"\"\"\"\"\""},
    {"a separator of other places wants quotes", "a;b", "\"a;b\""},
    {"a bar wants quotes", "a|b", "\"a|b\""},
    {"a line break is gone", "a\nb\rc", "a?b?c"},
    {"an escape is gone", "\033[31mred", "?[31mred"},
    {"a C1 control is gone",
     "a\xc2\x9b"
     "b",
     "a?b"},
    {"broken UTF-8 is gone", "a\xff\xc3", "a??"},
    {"a right-to-left override is gone",
     "a\xe2\x80\xae"
     "b",
     "a?b"},
    {"letters of all kinds stay", "Zürich 証明書", "Zürich 証明書"},
    {"equals", "=1+1", "'=1+1"},
    {"plus", "+1", "'+1"},
    {"minus", "-1", "'-1"},
    {"at", "@SUM(A1)", "'@SUM(A1)"},
    {"a formula with a comma", "=A(1,2)", "\"'=A(1,2)\""},
    {"a formula after blanks", "  =1", "\"'  =1\""},
    {"a formula after a wide blank", "　=1", "'　=1"},
    {"a formula after a hard blank", "\xc2\xa0=1", "'\xc2\xa0=1"},
    {"a formula after a tab has no tab", "\t=1", "?=1"},
    {"a formula after a return has none", "\r=1", "?=1"},
    {"full-width equals", "＝1", "'＝1"},
    {"full-width plus", "＋1", "'＋1"},
    {"full-width minus", "－1", "'－1"},
    {"full-width at", "＠A", "'＠A"},
    {"a formula in the middle is none", "a=1", "a=1"},
    {"a blank at the end is kept by quotes", "a ", "\"a \""},
    {"only a blank", " ", "\" \""},
    {"a sign alone", "-", "'-"},
};

static void csv_cells(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof CELLS / sizeof CELLS[0]; i++) {
        const char *got;

        csv_cell(&out, CELLS[i].text, strlen(CELLS[i].text));
        got = written();
        if (strcmp(got, CELLS[i].cell) != 0)
            fail_msg("%s: %s is not %s", CELLS[i].says, got, CELLS[i].cell);
    }
}

/* The fast way through a cell sees what the slow one does, at every place. */
static void csv_everywhere(void **state)
{
    (void)state;
    for (size_t n = 3; n < 50; n++)
        for (size_t at = 1; at + 1 < n; at++)
            for (int c = ' '; c < 127; c++) {
                char s[50];
                const char *got;

                memset(s, 'x', n);
                s[at] = (char)c;
                csv_cell(&out, s, n);
                got = written();
                if ((got[0] == '"') != (strchr(",\";|", c) != NULL))
                    fail_msg("%c at %zu of %zu: %s", c, at, n, got);
            }
}

static void csv_nul(void **state)
{
    (void)state;
    csv_cell(&out, "a\0b", 3);
    assert_string_equal(written(), "a?b");
}

/* ---- what others wrote, in every field --------------------------------------------------------
 */

#define EVIL "\033[2J\a\n=1\xff"

/* Every field of every row holds it; numbers too, for a broken teamd. */
static size_t evil_row(const struct row_type *type, char *row, size_t len)
{
    for (size_t i = 0; i < type->n_columns; i++) {
        const struct column *c = &type->columns[i];
        size_t at = len + 4;

        if (c->inner) {
            len = evil_row(c->inner, row, at);
        } else {
            memcpy(row + at, EVIL, strlen(EVIL));
            len = at + strlen(EVIL);
        }
        wire_store_u16(row + at - 4, c->tag);
        wire_store_u16(row + at - 2, len - at);
    }
    return len;
}

static void no_escape_survives(void **state)
{
    static const struct row_type *const TYPES[] = {&REQUEST_ROWS, &SESSION_ROWS, &TARGET_ROWS,
                                                   &EVENT_ROWS,   &FINDING_ROWS, &STATUS_ROWS};
    static char row[TEAM_PACKET_MAX];

    (void)state;
    for (size_t i = 0; i < sizeof TYPES / sizeof TYPES[0]; i++) {
        struct wire_span span = {row, evil_row(TYPES[i], row, 0)};
        struct table t;

        csv_row(&out, TYPES[i], span);
        page_put(&out, TYPES[i], span, &WIDE);
        table_begin(&t, TYPES[i], &WIDE, &out);
        table_row(&t, span);
        table_end(&t);
        for (size_t at = 0; at < out.len; at++)
            if ((out.buf[at] < ' ' || out.buf[at] > '~') && out.buf[at] != '\n')
                fail_msg("%s let byte %d through", TYPES[i]->plural, out.buf[at]);
        for (const char *s = written(); (s = strchr(s, '\n')); s++)
            if (s[1] == '=')
                fail_msg("%s let a line break through", TYPES[i]->plural);
    }
}

/* ---- widths -----------------------------------------------------------------------------------
 */

static const struct {
    const char *text;
    size_t width, bytes, places;
    bool cut;
} FITS[] = {
    {"abc", 3, 3, 3, false},        {"abcd", 3, 2, 2, true},  {"a", 1, 1, 1, false},
    {"ab", 1, 0, 0, true},          {"証明", 4, 6, 4, false}, {"証明書", 4, 3, 2, true},
    {"証明書", 5, 6, 4, true},      {"", 3, 0, 0, false},     {"e\xcc\x81x", 2, 4, 2, false},
    {"e\xcc\x81xy", 2, 3, 1, true}, {"ü", 1, 2, 1, false},
};

static void fitting(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof FITS / sizeof FITS[0]; i++) {
        struct fit fit = cell_fit(FITS[i].text, FITS[i].width);

        if (fit.bytes != FITS[i].bytes || fit.places != FITS[i].places || fit.cut != FITS[i].cut)
            fail_msg("%s in %zu: %zu bytes, %zu places, %d", FITS[i].text, FITS[i].width, fit.bytes,
                     fit.places, fit.cut);
    }
}

static void ascii_only(void **state)
{
    char s[] = "Zürich 証明 ok";

    (void)state;
    cell_ascii(s);
    assert_string_equal(s, "Z?rich ?? ok");
}

static void table_widths(void **state)
{
    bool empty[COLUMNS_MAX] = {false};
    /* SEQ TIME HOST ACTOR ACTION REQUEST TARGET OUTCOME DETAIL PREV HASH */
    size_t widths[COLUMNS_MAX] = {3, 19, 9, 5, 14, 8, 19, 7, 100, 0, 0};
    size_t shrunk[] = {3, 19, 9, 5, 14, 8, 19, 7, 20, 0, 0};

    (void)state;
    table_fit(&EVENT_ROWS, empty, widths, 200);
    assert_int_equal(widths[8], 100);
    table_fit(&EVENT_ROWS, empty, widths, 120); /* the longest text gives way */
    assert_memory_equal(widths, shrunk, sizeof shrunk);
    empty[8] = true;
    table_fit(&EVENT_ROWS, empty, widths, 110); /* what is empty goes first */
    assert_int_equal(widths[8], 0);
    assert_int_equal(widths[6], 19);
    table_fit(&EVENT_ROWS, empty, widths, 60); /* then what matters least */
    assert_int_equal(widths[0], 0);
    assert_int_equal(widths[2], 0);
    assert_int_equal(widths[1], 19);
    table_fit(&EVENT_ROWS, empty, widths, 5); /* the last one is cut */
    assert_int_equal(widths[1], 5);
}

/* TIME SOURCE REQUEST WHAT ON ERROR SERVICE FROM REGION ALSO */
static void errors_stay(void **state)
{
    bool empty[COLUMNS_MAX] = {false};
    size_t widths[COLUMNS_MAX] = {19, 4, 0, 18, 10, 14, 17, 9, 9};

    (void)state;
    table_fit(&LOG_ROWS, empty, widths, 60);
    assert_int_equal(widths[8], 0); /* the region, and the service */
    assert_int_equal(widths[6], 0);
    assert_true(widths[5] >= 12); /* and what was refused is seen to be */
}

static void headings_fit(void **state)
{
    static const struct look NARROW = {.width = 60};
    struct table t;

    (void)state;
    table_begin(&t, &LOG_ROWS, &WIDE, &out);
    table_row(&t, row_of("SOURCE=host EVENT_NAME=begins RESOURCE=ls"));
    table_flow(&t);
    assert_string_equal(written(), "TIME  SOURCE  WHAT    ON  SERVICE  FROM\n"
                                   "-     host    begins  ls  -        -\n");
    table_row(&t, row_of("SOURCE=host EVENT_NAME=ends RESOURCE=ls"));
    table_flow(&t);
    assert_string_equal(written(), "-     host    ends    ls  -        -\n");
    table_row(&t, row_of("SOURCE=aws EVENT_NAME=Stop RESOURCE=i-1 ERROR=no REGION=x"));
    table_flow(&t);
    assert_string_equal(written(), "TIME  SOURCE  WHAT    ON   ERROR  SERVICE  FROM  REGION\n"
                                   "-     aws     Stop    i-1  no     -        -     x\n");
    table_row(&t, row_of("SOURCE=host EVENT_NAME=ends RESOURCE=ls"));
    table_end(&t);
    assert_string_equal(written(), "-     host    ends    ls   -      -        -     -\n");

    table_begin(&t, &LOG_ROWS, &NARROW, &out);
    table_row(&t, row_of("SOURCE=aws EVENT_NAME=Stop RESOURCE=i-1 REGION=x"));
    table_flow(&t);
    assert_string_equal(written(), "TIME  SOURCE  WHAT  ON   SERVICE  FROM  REGION\n"
                                   "-     aws     Stop  i-1  -        -     x\n");
    table_row(&t, row_of("SOURCE=aws EVENT_NAME=TerminateInstances RESOURCE=i-0123456789 "
                         "ERROR=UnauthorizedOperation REGION=eu-west-1"));
    table_end(&t);
    assert_string_equal(written(),
                        "SOURCE  WHAT          ON            ERROR          REGION\n"
                        "aws     TerminateIn…  i-0123456789  Unauthorized…  eu-west-1\n");
}

/* ---- one row of each kind of value ------------------------------------------------------------
 */

static void csv_values(void **state)
{
    (void)state;
    csv_row(&out, &TARGET_ROWS,
            row_of("TARGET_NAME='host:a/sudo' FOR_S=3600 APPROVAL_REQUIRED=1 WAITING_FOR=bob "
                   "WAITING_FOR=carol POLICY='a;b'"));
    assert_string_equal(written(), "host:a/sudo,3600,true,bob carol,\"a;b\",,,\n");
}

static void csv_first_counts(void **state)
{
    (void)state;
    csv_row(&out, &STATUS_ROWS, row_of("NAME=a VALUE=b NAME=c VALUE=d"));
    assert_string_equal(written(), "a,b\n");
}

static void colours(void **state)
{
    static const struct column STATE = {.kind = COL_STATE};

    (void)state;
    assert_string_equal(colour_of(&STATE, "active"), "\033[32m");
    assert_string_equal(colour_of(&STATE, "rejected"), "\033[31m");
    assert_null(colour_of(&STATE, "ended"));
    assert_null(colour_of(&STATE, "act"));
    assert_null(colour_of(&STATE, "ve"));
    assert_null(colour_of(&STATE, ""));
}

/* Larger than the buffer, in one piece and in many: all of it arrives, in order. */
static void output_is_whole(void **state)
{
    enum { N = 1000 * 1000 };
    static char text[N], back[N];
    FILE *f = tmpfile();
    static struct out o;

    (void)state;
    for (size_t i = 0; i < N; i++)
        text[i] = (char)('a' + i % 23);
    o.fd = fileno(f);
    out_put(&o, text, N - 7);
    for (size_t i = N - 7; i < N; i++)
        out_put(&o, text + i, 1);
    out_flush(&o);
    rewind(f);
    assert_int_equal(fread(back, 1, N, f), N);
    assert_memory_equal(text, back, N);
    fclose(f);
    assert_int_equal(o.error, 0);
}

int main(void)
{
    static const struct CMUnitTest TESTS[] = {
        {"CSV cells are quoted and harmless", csv_cells, NULL, NULL, NULL},
        {"every character counts at every place of a cell", csv_everywhere, NULL, NULL, NULL},
        {"a NUL does not end a CSV cell", csv_nul, NULL, NULL, NULL},
        {"no escape survives in any field of any row", no_escape_survives, NULL, NULL, NULL},
        {"text is cut between characters", fitting, NULL, NULL, NULL},
        {"ASCII terminals get ASCII", ascii_only, NULL, NULL, NULL},
        {"columns give way in order", table_widths, NULL, NULL, NULL},
        {"an error goes after what matters less", errors_stay, NULL, NULL, NULL},
        {"a heading is that of the rows below it", headings_fit, NULL, NULL, NULL},
        {"values in CSV are for machines", csv_values, NULL, NULL, NULL},
        {"of a field that stands twice the first counts", csv_first_counts, NULL, NULL, NULL},
        {"words have colours, parts of words have none", colours, NULL, NULL, NULL},
        {"output larger than the buffer is whole", output_is_whole, NULL, NULL, NULL},
    };

    setlocale(LC_CTYPE, "C.UTF-8");
    setenv("TZ", "XXX-2", 1);
    tzset();
    return cmocka_run_group_tests(TESTS, NULL, NULL);
}
