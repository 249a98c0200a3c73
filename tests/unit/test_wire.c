/* The packet codec: its bytes, its strictness, and that what is written can be read. */
#include <team/wire.h>

#include "golden.h"

#include <ctype.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define COUNT(a) (sizeof(a) / sizeof(a)[0])

/* A packet in a block of exactly its own size: a sanitizer sees a read past its end. */
static enum wire_result read_exactly(const char *packet, size_t len, struct wire_msg *ret)
{
    char *block = malloc(len > 0 ? len : 1);
    enum wire_result result;
    struct wire_msg msg;

    assert_non_null(block);
    memcpy(block, packet, len);
    result = wire_read(block, len, &msg);
    if (result == WIRE_OK) {
        ret->kind = msg.kind;
        ret->op = msg.op;
        ret->fields = (struct wire_span){packet + (msg.fields.at - block),
                                         len - (size_t)(msg.fields.at - block)};
        assert_int_equal(msg.fields.len, ret->fields.len);
    }
    free(block);
    return result;
}

/* ---- messages in words --------------------------------------------------------------------- */

static const struct {
    const char *name;
    enum team_tag tag;
} NAMES[] = {
#define X(name, tag, max, class, times) {#name, TEAM_##name},
    TEAM_FIELDS(X)
#undef X
};

static enum team_tag tag_of(const char *name, size_t n)
{
    for (size_t i = 0; i < COUNT(NAMES); i++)
        if (strlen(NAMES[i].name) == n && memcmp(NAMES[i].name, name, n) == 0)
            return NAMES[i].tag;
    fail_msg("no field %.*s", (int)n, name);
    return TEAM_TAG_END;
}

/* Writes "NAME=value|NAME(|...|)". */
static size_t write_words(enum team_kind kind, unsigned op, const char *words, char *buf,
                          size_t cap)
{
    struct wire_out w = wire_begin(buf, cap, kind, op);
    struct wire_mark open[WIRE_DEPTH_MAX] = {0};
    size_t depth = 0;

    while (*words != '\0') {
        size_t n = strcspn(words, "|"), name = strcspn(words, "=(");

        if (words[0] == ')' && depth > 0)
            wire_group_end(&w, open[--depth]);
        else if (words[name] == '(' && depth < WIRE_DEPTH_MAX)
            open[depth++] = wire_group(&w, tag_of(words, name));
        else
            wire_put_n(&w, tag_of(words, name), words + name + 1, n - name - 1);
        words += n + (words[n] == '|');
    }
    return wire_finish(&w);
}

static void say_fields(struct text *t, struct wire_span rest)
{
    struct wire_span value;
    unsigned tag;

    while (wire_next(&rest, &tag, &value)) {
        size_t i = 0;

        while (i < COUNT(NAMES) && NAMES[i].tag != tag)
            i++;
        text_put(t, t->len > 0 ? "|" : "");
        text_put(t, i < COUNT(NAMES) ? NAMES[i].name : "?");
        if (wire_rule(tag).class == TEAM_CS_GROUP) {
            text_put(t, "(");
            say_fields(t, value);
            text_put(t, "|)");
        } else {
            text_put(t, "=");
            text_put_n(t, value.at, value.len);
        }
    }
}

/* ---- golden bytes -------------------------------------------------------------------------- */

static size_t unhex(const char *hex, char *out, size_t cap)
{
    size_t digits = 0;

    for (; *hex != '\0'; hex++) {
        int c = (unsigned char)*hex;

        if (c == '#') { /* a comment, to the end of the line */
            hex += strcspn(hex, "\n");
            continue;
        }
        if (!isxdigit(c))
            continue;
        assert_true(digits / 2 < cap);
        if (digits % 2 == 0)
            out[digits / 2] = 0;
        out[digits / 2] = (char)((unsigned char)out[digits / 2] << 4 |
                                 (isdigit(c) ? c - '0' : tolower(c) - 'a' + 10));
        digits++;
    }
    assert_int_equal(digits % 2, 0);
    return digits / 2;
}

static size_t load(const char *name, char *out, size_t cap)
{
    char path[200], hex[16384];
    FILE *f;
    size_t n;

    snprintf(path, sizeof path, "tests/golden/%s.hex", name);
    f = fopen(path, "re");
    if (!f)
        fail_msg("%s: %s (run in the top folder)", path, strerror(errno));
    n = fread(hex, 1, sizeof hex - 1, f);
    fclose(f);
    hex[n] = '\0';
    return unhex(hex, out, cap);
}

static void check_golden(void **state)
{
    const struct golden *row = *state;
    char golden[TEAM_PACKET_MAX], written[TEAM_PACKET_MAX], words[4096];
    struct text t = text_over(words, sizeof words);
    size_t len = load(row->file, golden, sizeof golden);
    struct wire_msg msg = {0};

    assert_int_equal(write_words(row->kind, row->op, row->fields, written, sizeof written), len);
    assert_memory_equal(written, golden, len);
    assert_int_equal(read_exactly(golden, len, &msg), WIRE_OK);
    assert_int_equal(msg.kind, row->kind);
    assert_int_equal(msg.op, row->op);
    say_fields(&t, msg.fields);
    assert_string_equal(words, row->fields);
}

static void every_cut_of_a_message_is_garbage(void **state)
{
    char packet[TEAM_PACKET_MAX];
    struct wire_msg msg;

    (void)state;
    for (size_t i = 0; i < COUNT(GOLDEN); i++) {
        size_t len = load(GOLDEN[i].file, packet, sizeof packet);

        for (size_t cut = 0; cut < len; cut++)
            assert_int_equal(read_exactly(packet, cut, &msg), WIRE_GARBLED);
        packet[len] = '\0';
        assert_int_equal(read_exactly(packet, len + 1, &msg), WIRE_GARBLED);
    }
}

static bool garbage_within(struct wire_span rest)
{
    struct wire_span value;
    unsigned tag;

    while (wire_next(&rest, &tag, &value)) {
        if (tag & TEAM_MUST_UNDERSTAND && wire_rule(tag).class == 0)
            return true;
        if (wire_rule(tag).class == TEAM_CS_GROUP
                ? garbage_within(value)
                : wire_rule(tag).class != 0 &&
                      !wire_value_fits(wire_rule(tag), value.at, value.len))
            return true;
    }
    return rest.len > 0;
}

static void every_byte_may_change_without_harm(void **state)
{
    char packet[TEAM_PACKET_MAX];
    struct wire_msg msg;

    (void)state;
    for (size_t i = 0; i < COUNT(GOLDEN); i++) {
        size_t len = load(GOLDEN[i].file, packet, sizeof packet);

        for (size_t at = 0; at < len; at++) {
            char was = packet[at];

            for (int change = 1; change < 256; change++) {
                enum wire_result result;

                packet[at] = (char)(was ^ change);
                result = read_exactly(packet, len, &msg);
                if (at < 2)
                    assert_int_equal(result, WIRE_GARBLED);
                else if (at == 2)
                    assert_int_equal(result, WIRE_OTHER_VERSION);
                else if (at == 6 || at == 7)
                    assert_int_equal(result, WIRE_GARBLED);
                else if (result == WIRE_OK)
                    assert_false(garbage_within(msg.fields));
            }
            packet[at] = was;
        }
    }
}

/* ---- strictness, by hand ------------------------------------------------------------------- */

struct strict_row {
    const char *says;
    const char *hex;
    enum wire_result then;
};

#define HEAD(count) "5445 01 01 0001 " count " "
#define SUDO        "0010 0004 7375646f "

static const struct strict_row STRICT_ROWS[] = {
    {"an empty packet is garbage", "", WIRE_GARBLED},
    {"a header alone is a message", HEAD("0000"), WIRE_OK},
    {"another first letter is garbage", "5545 01 01 0001 0000", WIRE_GARBLED},
    {"another second letter is garbage", "5446 01 01 0001 0000", WIRE_GARBLED},
    {"version 0 is another version", "5445 00 01 0001 0000", WIRE_OTHER_VERSION},
    {"version 2 is another version, whatever follows", "5445 02 ff ffff ffff 00",
     WIRE_OTHER_VERSION},
    {"version 255 is another version", "5445 ff 01 0001 0000", WIRE_OTHER_VERSION},
    {"kind 0 is garbage", "5445 01 00 0001 0000", WIRE_GARBLED},
    {"kind 3 is rows", "5445 01 03 0001 0000", WIRE_OK},
    {"kind 4 is garbage", "5445 01 04 0001 0000", WIRE_GARBLED},
    {"an op that nobody knows is for the reader to refuse", "5445 01 01 ffff 0000", WIRE_OK},
    {"one field", HEAD("0001") SUDO, WIRE_OK},
    {"a count that is too small is garbage", HEAD("0000") SUDO, WIRE_GARBLED},
    {"a count that is too large is garbage", HEAD("0002") SUDO, WIRE_GARBLED},
    {"half a field header is garbage", HEAD("0001") "0010 00", WIRE_GARBLED},
    {"a field that goes beyond the packet is garbage", HEAD("0001") "0010 0005 7375646f",
     WIRE_GARBLED},
    {"a field twice is garbage", HEAD("0002") SUDO SUDO, WIRE_GARBLED},
    {"a field twice, with another between, is garbage", HEAD("0003") SUDO "0001 0001 30" SUDO,
     WIRE_GARBLED},
    {"a field of the upper half twice is garbage", HEAD("0002") "0044 0001 31 0044 0001 31",
     WIRE_GARBLED},
    {"a field that may stand many times", HEAD("0002") "002f 0003 626f62 002f 0003 626f62",
     WIRE_OK},
    {"a field and its namesake 64 tags away", HEAD("0002") "0010 0001 61 0050 0001 62", WIRE_OK},
    {"an unknown field is skipped", HEAD("0002") "007f 0002 00ff" SUDO, WIRE_OK},
    {"an unknown field may stand many times", HEAD("0002") "007f 0001 00 007f 0001 00", WIRE_OK},
    {"an unknown field beyond the table is skipped", HEAD("0001") "7fff 0000", WIRE_OK},
    {"an unknown field counts", HEAD("0000") "7fff 0000", WIRE_GARBLED},
    {"an unknown field that must be understood is garbage", HEAD("0001") "8000 0000", WIRE_GARBLED},
    {"a known field that must be understood has no such tag", HEAD("0001") "8010 0004 7375646f",
     WIRE_GARBLED},
    {"a word with a blank is garbage", HEAD("0001") "0010 0003 612062", WIRE_GARBLED},
    {"an empty word is garbage", HEAD("0001") "0010 0000", WIRE_GARBLED},
    {"an empty text is allowed", HEAD("0001") "0002 0000", WIRE_OK},
    {"a text with an escape is garbage", HEAD("0001") "0002 0001 1b", WIRE_GARBLED},
    {"a text with a NUL is garbage", HEAD("0001") "0002 0003 610062", WIRE_GARBLED},
    {"a text that is not UTF-8 is garbage", HEAD("0001") "0002 0001 e9", WIRE_GARBLED},
    {"a name that is an option is garbage", HEAD("0001") "0012 0002 2d66", WIRE_GARBLED},
    {"a number with a letter is garbage", HEAD("0001") "0001 0002 3161", WIRE_GARBLED},
    {"a number of 4 digits in a field of 3 is garbage", HEAD("0001") "0001 0004 31303030",
     WIRE_GARBLED},
    {"an id with a U is garbage", HEAD("0001") "0003 0004 30303055", WIRE_GARBLED},
    {"an empty group is allowed", HEAD("0001") "0006 0000", WIRE_OK},
    {"a group that holds garbage is garbage", HEAD("0001") "0006 0001 00", WIRE_GARBLED},
    {"a group that holds a field twice is garbage",
     HEAD("0001") "0006 000a 0001 0001 30 0001 0001 30", WIRE_GARBLED},
    {"a group may hold what stands outside too", HEAD("0002") "0001 0001 30 0006 0005 0001 0001 30",
     WIRE_OK},
    {"groups within groups are allowed to the third", HEAD("0001") "0006 0004 0034 0000", WIRE_OK},
    {"a fourth is garbage", HEAD("0001") "0006 0008 0034 0004 0034 0000", WIRE_GARBLED},
    {"a field that a group's length cuts is garbage", HEAD("0001") "0006 0003 0001 0001 30",
     WIRE_GARBLED},
};

static void check_strict(void **state)
{
    const struct strict_row *row = *state;
    char packet[256];
    struct wire_msg msg;
    size_t len = unhex(row->hex, packet, sizeof packet);

    assert_int_equal(read_exactly(packet, len, &msg), row->then);
}

/* ---- each field's limit and class ---------------------------------------------------------- */

static void every_field_is_bounded_by_its_row(void **state)
{
    static char value[TEAM_PACKET_MAX], packet[TEAM_PACKET_MAX + 100];

    (void)state;
    memset(value, '1', sizeof value);
    for (size_t i = 0; i < COUNT(NAMES); i++) {
        struct wire_rule rule = wire_rule(NAMES[i].tag);
        struct wire_out w = wire_begin(packet, sizeof packet, TEAM_ASK, 1);

        assert_true(rule.max_len > 0);
        if (rule.class == TEAM_CS_GROUP)
            continue;
        /* 20 ones are a number below 2^64 */
        wire_put_n(&w, NAMES[i].tag, value, rule.max_len);
        assert_int_equal(wire_finish(&w), TEAM_HEADER_LEN + 4 + rule.max_len);
        w = wire_begin(packet, sizeof packet, TEAM_ASK, 1);
        wire_put_n(&w, NAMES[i].tag, value, rule.max_len + 1u);
        assert_int_equal(wire_finish(&w), 0);
    }
}

static void no_two_fields_have_one_tag(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(NAMES); i++) {
        assert_true(NAMES[i].tag < TEAM_TAG_END);
        for (size_t j = 0; j < i; j++)
            assert_int_not_equal(NAMES[i].tag, NAMES[j].tag);
    }
}

static void a_class_that_nobody_knows_fits_nothing(void **state)
{
    (void)state;
    assert_false(wire_value_fits((struct wire_rule){.max_len = 9, .class = 99}, "a", 1));
    assert_false(wire_value_fits(wire_rule(TEAM_TAG_END), "", 0));
    assert_false(wire_value_fits(wire_rule(TEAM_TAG_END - 1), "", 0));
}

/* ---- writing ------------------------------------------------------------------------------- */

static void a_buffer_that_is_too_small_by_any_amount_gives_nothing(void **state)
{
    char packet[TEAM_PACKET_MAX];

    (void)state;
    for (size_t i = 0; i < COUNT(GOLDEN); i++) {
        const struct golden *g = &GOLDEN[i];
        size_t len = write_words(g->kind, g->op, g->fields, packet, sizeof packet);

        assert_true(len >= TEAM_HEADER_LEN);
        for (size_t cap = 0; cap < len; cap++) {
            char *block = malloc(cap > 0 ? cap : 1);

            assert_non_null(block);
            assert_int_equal(write_words(g->kind, g->op, g->fields, block, cap), 0);
            free(block);
        }
        assert_int_equal(write_words(g->kind, g->op, g->fields, packet, len), len);
    }
}

static void absent_values_put_nothing(void **state)
{
    char packet[64];
    struct wire_out w = wire_begin(packet, sizeof packet, TEAM_ASK, 1);

    (void)state;
    wire_put(&w, TEAM_USER, NULL);
    wire_put(&w, TEAM_USER, "");
    assert_int_equal(wire_finish(&w), TEAM_HEADER_LEN);
}

static void what_went_wrong_once_stays_wrong(void **state)
{
    char packet[256];
    struct wire_out w = wire_begin(packet, sizeof packet, TEAM_ASK, 1);

    (void)state;
    wire_put(&w, TEAM_SERVICE, "not a word");
    wire_put(&w, TEAM_SERVICE, "sudo");
    wire_group_end(&w, wire_group(&w, TEAM_ROW));
    assert_int_equal(wire_finish(&w), 0);
}

static void a_row_that_did_not_fit_can_be_taken_back(void **state)
{
    char packet[64];
    struct wire_out w = wire_begin(packet, sizeof packet, TEAM_ROWS, TEAM_ROW_STATUS);
    struct wire_mark before, group;
    struct wire_msg msg = {0};
    char name[40];

    (void)state;
    group = wire_group(&w, TEAM_ROW);
    wire_put(&w, TEAM_NAME, "version");
    wire_group_end(&w, group);
    before = wire_mark(&w);
    group = wire_group(&w, TEAM_ROW);
    wire_put(&w, TEAM_NAME, "long");
    wire_put(&w, TEAM_VALUE, "a value that does not fit into this small packet any more");
    wire_group_end(&w, group);
    assert_true(w.bad);
    wire_rewind(&w, before);
    assert_int_equal(wire_read(packet, wire_finish(&w), &msg), WIRE_OK);
    assert_true(wire_copy(wire_find(msg.fields, TEAM_ROW), TEAM_NAME, name, sizeof name));
    assert_string_equal(name, "version");
}

static void groups_are_closed_or_nothing_is_sent(void **state)
{
    char packet[64];
    struct wire_out w = wire_begin(packet, sizeof packet, TEAM_ROWS, 1);
    struct wire_mark mark = wire_mark(&w);

    (void)state;
    wire_group(&w, TEAM_ROW);
    assert_int_equal(wire_finish(&w), 0);
    wire_rewind(&w, mark);
    wire_put(&w, TEAM_NAME, "x");
    wire_group_end(&w, mark); /* was never opened */
    assert_int_equal(wire_finish(&w), 0);
}

static void a_group_is_bounded_by_its_row(void **state)
{
    static const char REASON[] = "twenty bytes of text";
    char packet[TEAM_PACKET_MAX];
    struct wire_out w = wire_begin(packet, sizeof packet, TEAM_ROWS, 1);
    struct wire_mark row = wire_group(&w, TEAM_ROW), target = wire_group(&w, TEAM_TARGET);

    (void)state;
    for (size_t n = 0; n <= 1400; n += 4 + strlen(REASON))
        wire_put(&w, TEAM_TARGET_NAME, REASON);
    assert_false(w.bad);
    wire_group_end(&w, target);
    assert_true(w.bad);
    wire_group_end(&w, row);
    assert_int_equal(wire_finish(&w), 0);
}

static void more_fields_than_can_be_counted_are_refused(void **state)
{
    enum { CAP = TEAM_HEADER_LEN + 4 * 65536 };
    char *packet = malloc(CAP);
    struct wire_out w;

    (void)state;
    assert_non_null(packet);
    w = wire_begin(packet, CAP, TEAM_ROWS, 1);
    for (int i = 0; i < 65535; i++)
        wire_put_n(&w, TEAM_TARGET_NAME, "", 0);
    assert_int_equal(wire_finish(&w), CAP - 4);
    wire_put_n(&w, TEAM_TARGET_NAME, "", 0);
    assert_false(w.bad);
    assert_int_equal(wire_finish(&w), 0);
    free(packet);
}

/* ---- finding ------------------------------------------------------------------------------- */

static void values_are_found_or_absent(void **state)
{
    char packet[512], out[8];
    size_t len = write_words(TEAM_ANSWER, 1,
                             "CODE=3|TEXT=seven77|WAITING_FOR=bob|WAITING_FOR=carol", packet,
                             sizeof packet);
    struct wire_msg msg = {0};
    struct wire_span rest, v;
    uint64_t n = 99;

    (void)state;
    assert_int_equal(wire_read(packet, len, &msg), WIRE_OK);
    assert_true(wire_find_u64(msg.fields, TEAM_CODE, &n));
    assert_int_equal(n, 3);
    assert_false(wire_find_u64(msg.fields, TEAM_LIMIT, &n));
    assert_false(wire_find_u64(msg.fields, TEAM_TEXT, &n));
    assert_int_equal(n, 3);
    assert_true(wire_copy(msg.fields, TEAM_TEXT, out, sizeof out));
    assert_string_equal(out, "seven77");
    assert_false(wire_copy(msg.fields, TEAM_TEXT, out, sizeof out - 1));
    assert_string_equal(out, "");
    assert_true(wire_copy(msg.fields, TEAM_USER, out, sizeof out));
    assert_string_equal(out, "");
    rest = msg.fields;
    v = wire_each(&rest, TEAM_WAITING_FOR);
    assert_memory_equal(v.at, "bob", v.len);
    v = wire_each(&rest, TEAM_WAITING_FOR);
    assert_memory_equal(v.at, "carol", v.len);
    assert_null(wire_each(&rest, TEAM_WAITING_FOR).at);
}

static void numbers_and_ids_are_written_as_people_read_them(void **state)
{
    char packet[128], words[128];
    struct wire_out w = wire_begin(packet, sizeof packet, TEAM_ASK, 1);
    struct text t = text_over(words, sizeof words);
    struct wire_msg msg = {0};

    (void)state;
    wire_put_u64(&w, TEAM_SEQ, UINT64_MAX);
    wire_put_id(&w, TEAM_ID, 1056);
    assert_int_equal(wire_read(packet, wire_finish(&w), &msg), WIRE_OK);
    say_fields(&t, msg.fields);
    assert_string_equal(words, "SEQ=18446744073709551615|ID=00000110");
}

/* ---- what is written can be read ----------------------------------------------------------- */

static uint64_t next(uint64_t *seed, uint64_t below)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return below > 0 ? (*seed * UINT64_C(0x2545f4914f6cdd1d) >> 32) % below : 0;
}

enum { INVENTED_MAX = 1500 }; /* so that several fit into a packet */

static size_t invent(uint64_t *seed, struct wire_rule rule, char *out)
{
    static const char LETTERS[][33] = {
        [TEAM_CS_TEXT] = "aZ09 .,;:/!$%&=-+*#~<>@\"'",
        [TEAM_CS_NAME] = "azAZ09._$",
        [TEAM_CS_WORD] = "azAZ09_",
        [TEAM_CS_NUM] = "123456789",
        [TEAM_CS_ID] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ",
        [TEAM_CS_GROUP] = "",
    };
    size_t least = rule.class == TEAM_CS_ID ? 4 : 1, most = rule.max_len;
    size_t n;

    if (rule.class == TEAM_CS_NUM && most > 19)
        most = 19;
    if (most > INVENTED_MAX)
        most = INVENTED_MAX;
    n = least + next(seed, most - least + 1);
    for (size_t i = 0; i < n; i++)
        out[i] = LETTERS[rule.class][next(seed, strlen(LETTERS[rule.class]))];
    return n;
}

static void put_something(uint64_t *seed, struct wire_out *w, struct text *words, unsigned depth)
{
    uint64_t seen[TEAM_TAG_END] = {0};
    char value[INVENTED_MAX];

    for (uint64_t n = next(seed, 6); n > 0; n--) {
        size_t i = next(seed, COUNT(NAMES)), len;
        struct wire_rule rule = wire_rule(NAMES[i].tag);

        if (!rule.many && seen[NAMES[i].tag]++ > 0)
            continue;
        if (rule.class == TEAM_CS_GROUP && depth + 1 == WIRE_DEPTH_MAX)
            continue;
        text_put(words, words->len > 0 ? "|" : "");
        text_put(words, NAMES[i].name);
        if (rule.class == TEAM_CS_GROUP) {
            struct wire_mark mark = wire_group(w, NAMES[i].tag);

            text_put(words, "(");
            put_something(seed, w, words, depth + 1);
            text_put(words, "|)");
            wire_group_end(w, mark);
        } else {
            len = invent(seed, rule, value);
            text_put(words, "=");
            text_put_n(words, value, len);
            wire_put_n(w, NAMES[i].tag, value, len);
        }
    }
}

static void whatever_is_written_can_be_read(void **state)
{
    static char packet[TEAM_PACKET_MAX], words[TEAM_PACKET_MAX], again[TEAM_PACKET_MAX];
    uint64_t seed = 20260101;
    int sent = 0;

    (void)state;
    for (int i = 0; i < 20000; i++) {
        struct wire_out w = wire_begin(packet, sizeof packet, TEAM_ROWS, (unsigned)i % 65536);
        struct text said = text_over(words, sizeof words), heard = text_over(again, sizeof again);
        struct wire_msg msg = {0};
        size_t len;

        put_something(&seed, &w, &said, 0);
        len = wire_finish(&w);
        if (len == 0) /* a group grew larger than its row allows */
            continue;
        assert_int_equal(read_exactly(packet, len, &msg), WIRE_OK);
        assert_int_equal(msg.op, i % 65536);
        say_fields(&heard, msg.fields);
        assert_string_equal(again, words);
        sent++;
    }
    assert_true(sent > 15000);
}

/* ---- all of it ----------------------------------------------------------------------------- */

static void a_number_has_no_more_digits_than_its_field(void **state)
{
    char buf[64];
    struct wire_out w = wire_begin(buf, sizeof buf, TEAM_ROWS, TEAM_ROW_SESSION);

    (void)state;
    wire_put_u64(&w, TEAM_LOGIN_UID, UINT32_MAX);
    assert_false(w.bad);
    wire_put_u64(&w, TEAM_LOGIN_UID, UINT64_MAX);
    assert_true(w.bad);
}

int main(void)
{
    static struct CMUnitTest tests[300] = {
        cmocka_unit_test(every_cut_of_a_message_is_garbage),
        cmocka_unit_test(every_byte_may_change_without_harm),
        cmocka_unit_test(every_field_is_bounded_by_its_row),
        cmocka_unit_test(a_number_has_no_more_digits_than_its_field),
        cmocka_unit_test(no_two_fields_have_one_tag),
        cmocka_unit_test(a_class_that_nobody_knows_fits_nothing),
        cmocka_unit_test(a_buffer_that_is_too_small_by_any_amount_gives_nothing),
        cmocka_unit_test(absent_values_put_nothing),
        cmocka_unit_test(what_went_wrong_once_stays_wrong),
        cmocka_unit_test(a_row_that_did_not_fit_can_be_taken_back),
        cmocka_unit_test(groups_are_closed_or_nothing_is_sent),
        cmocka_unit_test(a_group_is_bounded_by_its_row),
        cmocka_unit_test(more_fields_than_can_be_counted_are_refused),
        cmocka_unit_test(values_are_found_or_absent),
        cmocka_unit_test(numbers_and_ids_are_written_as_people_read_them),
        cmocka_unit_test(whatever_is_written_can_be_read),
    };
    static char names[COUNT(GOLDEN)][64];
    size_t n = 15;

    for (size_t i = 0; i < COUNT(GOLDEN); i++) {
        snprintf(names[i], sizeof names[i], "the bytes of %s are the golden ones", GOLDEN[i].file);
        tests[n++] = (struct CMUnitTest){.name = names[i],
                                         .test_func = check_golden,
                                         .initial_state = (void *)(uintptr_t)&GOLDEN[i]};
    }
    for (size_t i = 0; i < COUNT(STRICT_ROWS); i++)
        tests[n++] = (struct CMUnitTest){.name = STRICT_ROWS[i].says,
                                         .test_func = check_strict,
                                         .initial_state = (void *)(uintptr_t)&STRICT_ROWS[i]};
    return _cmocka_run_group_tests("wire", tests, n, NULL, NULL);
}
