/* Any bytes as a packet: what is accepted can be walked through, and written again to the same
 * bytes; what is written is accepted.
 * LIBFUZZER: -max_len=600 */
#include "fuzz/fuzz.h"

#include <team/wire.h>

static char again[2 * TEAM_PACKET_MAX];

static void look_at(struct wire_span fields)
{
    static const enum team_tag NUMBERS[] = {TEAM_CODE, TEAM_SESSION, TEAM_FOR_S, TEAM_START,
                                            TEAM_UID};
    static const enum team_tag TEXTS[] = {TEAM_TEXT, TEAM_REASON, TEAM_ID, TEAM_USER,
                                          TEAM_TARGET_NAME};
    char small[8], large[1001];
    uint64_t v;

    for (size_t i = 0; i < sizeof NUMBERS / sizeof NUMBERS[0]; i++)
        must(wire_find_u64(fields, NUMBERS[i], &v) == (wire_find(fields, NUMBERS[i]).at != NULL),
             "a number that is there is a number");
    for (size_t i = 0; i < sizeof TEXTS / sizeof TEXTS[0]; i++) {
        wire_copy(fields, TEXTS[i], small, sizeof small);
        must(strlen(small) < sizeof small, "what does not fit is cut");
        must(wire_copy(fields, TEXTS[i], large, sizeof large), "what is allowed fits");
        must(text_is_plain(large, strlen(large)), "text is one plain line");
    }
}

/* Unknown fields are left out: false if there was one. */
static bool write_again(struct wire_out *w, struct wire_span rest)
{
    struct wire_span value;
    bool all = true;
    unsigned tag;

    while (wire_next(&rest, &tag, &value)) {
        struct wire_rule rule = wire_rule(tag);

        if (rule.class == 0) {
            all = false;
        } else if (rule.class == TEAM_CS_GROUP) {
            struct wire_mark mark = wire_group(w, (enum team_tag)tag);

            look_at(value);
            all = write_again(w, value) && all;
            wire_group_end(w, mark);
        } else {
            wire_put_n(w, (enum team_tag)tag, value.at, value.len);
        }
    }
    return all;
}

static void read_any(const char *packet, size_t len)
{
    struct wire_msg msg, msg_again;
    struct wire_out w;
    bool all;
    size_t n;

    if (wire_read(packet, len, &msg) != WIRE_OK)
        return;
    look_at(msg.fields);
    w = wire_begin(again, sizeof again, msg.kind, msg.op);
    all = write_again(&w, msg.fields);
    n = wire_finish(&w);
    must(n > 0, "what was read can be written");
    must(!all || (n == len && memcmp(again, packet, n) == 0), "it is written as it was read");
    must(wire_read(again, n, &msg_again) == WIRE_OK, "what was written can be read");
}

/* Calls of a writer: a tag and a value each; some open a group, some end it. */
static void write_any(struct fuel f)
{
    size_t cap = 8 + (size_t)take(&f) * 4;
    struct wire_out w = wire_begin(again, cap, TEAM_ROWS, take(&f));
    struct wire_mark open[4] = {{0}};
    unsigned depth = 0;
    struct wire_msg msg;
    size_t n;

    while (f.left > 0) {
        unsigned tag = take(&f);
        char *value = take_bytes(&f, take(&f) % 64, &n);

        if (tag > 250 && depth > 0)
            wire_group_end(&w, open[--depth]);
        else if (wire_rule(tag).class == TEAM_CS_GROUP && depth < WIRE_DEPTH_MAX - 1)
            open[depth++] = wire_group(&w, (enum team_tag)tag);
        else if (wire_rule(tag).class != TEAM_CS_GROUP)
            wire_put_n(&w, (enum team_tag)tag, value, n);
        free(value);
    }
    while (depth > 0)
        wire_group_end(&w, open[--depth]);
    n = wire_finish(&w);
    must(n <= cap, "nothing is written beyond the end");
    /* A field that stands only once may have been put twice: that the reader tells. */
    if (n > 0)
        wire_read(again, n, &msg);
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t len)
{
    struct fuel f = {input, len};
    size_t n;
    char *packet = take_bytes(&f, len, &n), plain[128];
    uint64_t seconds;

    read_any(packet, n);
    write_any((struct fuel){input, len});
    text_make_plain(plain, sizeof plain, packet, n);
    must(text_is_plain(plain, strlen(plain)), "what is made plain is plain");
    if (text_parse_duration(packet, n, &seconds))
        must(seconds > 0 && seconds <= TEXT_DURATION_MAX_S, "a duration is in its range");
    free(packet);
    return 0;
}
