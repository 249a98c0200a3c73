/* What the tests of rows share: a row is made in a packet, read back, and printed. */
#pragma once

#include "ipc/ipc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

/* ---- a row as text --------------------------------------------------------------------------- */

static inline const char *tag_name(unsigned tag)
{
    static const char *const NAMES[TEAM_TAG_END] = {
#define X(name, tag, max, class, times) [tag] = #name,
        TEAM_FIELDS(X)
#undef X
    };

    return tag < TEAM_TAG_END && NAMES[tag] ? NAMES[tag] : "?";
}

static inline void print_fields(struct text *t, struct wire_span rest)
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

static inline void begin_row(enum team_row kind)
{
    out = wire_begin(packet, sizeof packet, TEAM_ROWS, kind);
    row = wire_group(&out, TEAM_ROW);
}

/* The fields of the one row; every reader of this version must accept it. */
static inline struct wire_span end_row(void)
{
    struct wire_msg msg = {0};

    wire_group_end(&out, row);
    packet_len = wire_finish(&out);
    assert_true(packet_len > 0);
    assert_int_equal(wire_read(packet, packet_len, &msg), WIRE_OK);
    return wire_find(msg.fields, TEAM_ROW);
}

static inline const char *print_row(void)
{
    struct text t = text_over(printed, sizeof printed);

    print_fields(&t, end_row());
    assert_false(t.cut);
    return printed;
}

static inline unsigned count_fields(struct wire_span fields, enum team_tag tag)
{
    unsigned n = 0;

    while (wire_each(&fields, tag).at)
        n++;
    return n;
}

static inline const char *copy_field(struct wire_span fields, enum team_tag tag)
{
    static char value[2000];

    assert_true(wire_copy(fields, tag, value, sizeof value));
    return value;
}

enum { ALICE = 1001, BOB = 1002, CROWD = 2000 };
