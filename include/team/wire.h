/* The packet codec: messages of proto.h in a caller's buffer. Pure, inline, no heap.
 *
 * Writing is sticky: what does not fit, is too long for its field or is not of the field's class
 * sets `bad`; wire_finish() then returns 0 and nothing may be sent. Check once, at the end.
 *
 * Reading is strict: wire_read() accepts a message only when the whole of it, groups included, is
 * well formed by the list in proto.h. After that the accessors cannot fail, they only find or do
 * not find. Spans point into the packet: they live as long as it, and are not NUL-terminated. */
#pragma once

#include <team/proto.h>
#include <team/text.h>

/* ---- fields --------------------------------------------------------------------------------- */

struct wire_rule {
    uint16_t max_len; /* 0: no such field */
    uint8_t class;
    bool many;
};

static inline struct wire_rule wire_rule(unsigned tag)
{
    enum { ONE = false, MANY = true };
    static const struct wire_rule RULES[TEAM_TAG_END] = {
#define X(name, tag, max, class, times) [tag] = {max, TEAM_CS_##class, times},
        TEAM_FIELDS(X)
#undef X
    };

    return tag < TEAM_TAG_END ? RULES[tag] : (struct wire_rule){0};
}

static inline bool wire_value_fits(struct wire_rule rule, const char *s, size_t n)
{
    uint64_t number, last;

    if (n > rule.max_len)
        return false;
    switch ((enum team_class)rule.class) {
    case TEAM_CS_TEXT:
        return text_is_plain(s, n);
    case TEAM_CS_NAME:
        return text_is_name(s, n);
    case TEAM_CS_WORD:
        return text_is_word(s, n);
    case TEAM_CS_NUM:
        return text_parse_u64(s, n, &number);
    case TEAM_CS_ID:
        return text_parse_id_prefix(s, n, &number, &last);
    case TEAM_CS_GROUP:
        return true;
    }
    return false;
}

static inline unsigned wire_u16(const char *p)
{
    return (unsigned)(unsigned char)p[0] << 8 | (unsigned char)p[1];
}

/* ---- writing -------------------------------------------------------------------------------- */

struct wire_out {
    char *buf;
    size_t cap;
    size_t len;
    unsigned count; /* fields so far, top level only */
    unsigned depth; /* open groups */
    bool bad;
};

/* A group under construction, or a place to come back to. */
struct wire_mark {
    size_t at;
    unsigned count;
};

static inline void wire_store_u16(char *p, size_t v)
{
    p[0] = (char)(v >> 8 & 0xff);
    p[1] = (char)(v & 0xff);
}

/* Starts a message in buf. Keep `op` of the ask in its answer and rows of that op's row type. */
static inline struct wire_out wire_begin(char *buf, size_t cap, enum team_kind kind, unsigned op)
{
    struct wire_out w = {.buf = buf, .cap = cap, .len = TEAM_HEADER_LEN};

    if (cap < TEAM_HEADER_LEN) {
        w.bad = true;
        return w;
    }
    buf[0] = 'T';
    buf[1] = 'E';
    buf[2] = TEAM_VERSION;
    buf[3] = (char)kind;
    wire_store_u16(buf + 4, op);
    wire_store_u16(buf + 6, 0);
    return w;
}

/* For a value of which it is known that it is of the field's class. */
static inline void wire_put_known(struct wire_out *w, enum team_tag tag, const char *s, size_t n)
{
    if (w->bad || w->cap - w->len < 4 + n || n > wire_rule(tag).max_len) {
        w->bad = true;
        return;
    }
    wire_store_u16(w->buf + w->len, tag);
    wire_store_u16(w->buf + w->len + 2, n);
    memcpy(w->buf + w->len + 4, s, n);
    w->len += 4 + n;
    w->count += w->depth == 0;
}

static inline void wire_put_n(struct wire_out *w, enum team_tag tag, const char *s, size_t n)
{
    if (!wire_value_fits(wire_rule(tag), s, n))
        w->bad = true;
    wire_put_known(w, tag, s, n);
}

/* NULL and "" put nothing: absent is absent (DESIGN.md 6). */
static inline void wire_put(struct wire_out *w, enum team_tag tag, const char *s)
{
    if (s && s[0] != '\0')
        wire_put_n(w, tag, s, strlen(s));
}

static inline void wire_put_u64(struct wire_out *w, enum team_tag tag, uint64_t v)
{
    char digits[20];
    const char *first = text_digits(v, digits);

    wire_put_known(w, tag, first, (size_t)(digits + sizeof digits - first));
}

static inline void wire_put_id(struct wire_out *w, enum team_tag tag, uint64_t id)
{
    char out[TEXT_ID_LEN + 1];
    struct text t = text_over(out, sizeof out);

    text_put_id(&t, id);
    wire_put_known(w, tag, out, t.len);
}

static inline struct wire_mark wire_mark(const struct wire_out *w)
{
    return (struct wire_mark){.at = w->len, .count = w->count};
}

/* Takes back everything since the mark, a failure included: for a row that did not fit any more. */
static inline void wire_rewind(struct wire_out *w, struct wire_mark mark)
{
    w->len = mark.at;
    w->count = mark.count;
    w->depth = 0;
    w->bad = false;
}

static inline struct wire_mark wire_group(struct wire_out *w, enum team_tag tag)
{
    struct wire_mark mark = wire_mark(w);

    if (w->bad || w->cap - w->len < 4) {
        w->bad = true;
        return mark;
    }
    wire_store_u16(w->buf + w->len, tag);
    w->len += 4;
    w->depth++;
    return mark;
}

static inline void wire_group_end(struct wire_out *w, struct wire_mark mark)
{
    size_t n;

    if (w->bad)
        return;
    n = w->len - mark.at - 4;
    if (w->depth == 0 || n > wire_rule(wire_u16(w->buf + mark.at)).max_len) {
        w->bad = true;
        return;
    }
    wire_store_u16(w->buf + mark.at + 2, n);
    w->depth--;
    w->count += w->depth == 0;
}

/* The length of the finished message, or 0 if it cannot be sent. */
static inline size_t wire_finish(struct wire_out *w)
{
    if (w->bad || w->depth > 0 || w->count > UINT16_MAX)
        return 0;
    wire_store_u16(w->buf + 6, w->count);
    return w->len;
}

/* ---- reading -------------------------------------------------------------------------------- */

/* A value, or fields: a piece of a packet. `at` is NULL when there is none. */
struct wire_span {
    const char *at;
    size_t len;
};

struct wire_msg {
    enum team_kind kind;
    unsigned op;
    struct wire_span fields;
};

enum wire_result {
    WIRE_OK = 0,
    WIRE_GARBLED = 1,
    WIRE_OTHER_VERSION = 2,
};

enum { WIRE_DEPTH_MAX = 3 }; /* ROW > TARGET, DECISION_MADE, EXTENSION > a value */

/* Steps over one field. False at the end, or (which wire_read() excludes) at a cut one. */
static inline bool wire_next(struct wire_span *rest, unsigned *ret_tag, struct wire_span *ret_value)
{
    size_t n;

    if (rest->len < 4)
        return false;
    n = wire_u16(rest->at + 2);
    if (n > rest->len - 4)
        return false;
    *ret_tag = wire_u16(rest->at);
    *ret_value = (struct wire_span){rest->at + 4, n};
    rest->at += 4 + n;
    rest->len -= 4 + n;
    return true;
}

static inline bool wire_check_fields(struct wire_span rest, unsigned depth, unsigned *ret_count);

static inline bool wire_check_value(unsigned tag, struct wire_span value, unsigned depth)
{
    struct wire_rule rule = wire_rule(tag);
    unsigned count;

    if (rule.class == 0)
        return !(tag & TEAM_MUST_UNDERSTAND);
    if (!wire_value_fits(rule, value.at, value.len))
        return false;
    return rule.class != TEAM_CS_GROUP || wire_check_fields(value, depth + 1, &count);
}

static inline bool wire_check_fields(struct wire_span rest, unsigned depth, unsigned *ret_count)
{
    uint64_t seen[TEAM_TAG_END / 64] = {0};
    unsigned count = 0;

    if (depth >= WIRE_DEPTH_MAX)
        return false;
    while (rest.len > 0) {
        struct wire_span value;
        unsigned tag;

        if (!wire_next(&rest, &tag, &value) || !wire_check_value(tag, value, depth))
            return false;
        /* A field we don't know may well be one that stands many times. */
        if (wire_rule(tag).class != 0 && !wire_rule(tag).many) {
            uint64_t bit = UINT64_C(1) << tag % 64;

            if (seen[tag / 64] & bit)
                return false;
            seen[tag / 64] |= bit;
        }
        count++;
    }
    *ret_count = count;
    return true;
}

/* Reads a whole packet. On WIRE_OTHER_VERSION nothing but that is known of it. */
static inline enum wire_result wire_read(const char *packet, size_t len, struct wire_msg *ret)
{
    struct wire_span fields;
    unsigned kind, count;

    if (len < TEAM_HEADER_LEN || packet[0] != 'T' || packet[1] != 'E')
        return WIRE_GARBLED;
    if ((unsigned char)packet[2] != TEAM_VERSION)
        return WIRE_OTHER_VERSION;
    kind = (unsigned char)packet[3];
    fields = (struct wire_span){packet + TEAM_HEADER_LEN, len - TEAM_HEADER_LEN};
    if (kind < TEAM_ASK || kind > TEAM_ROWS || !wire_check_fields(fields, 0, &count) ||
        count != wire_u16(packet + 6))
        return WIRE_GARBLED;
    *ret = (struct wire_msg){(enum team_kind)kind, wire_u16(packet + 4), fields};
    return WIRE_OK;
}

/* The next value with this tag, or a span with at == NULL. Start with *rest = the fields:
 *     for (struct wire_span rest = msg.fields, v; v = wire_each(&rest, TEAM_ROW), v.at;) */
static inline struct wire_span wire_each(struct wire_span *rest, enum team_tag tag)
{
    struct wire_span value;
    unsigned found;

    while (wire_next(rest, &found, &value))
        if (found == (unsigned)tag)
            return value;
    return (struct wire_span){NULL, 0};
}

static inline struct wire_span wire_find(struct wire_span fields, enum team_tag tag)
{
    return wire_each(&fields, tag);
}

/* The number in a field of class NUM; false when it is absent. */
static inline bool wire_find_u64(struct wire_span fields, enum team_tag tag, uint64_t *ret)
{
    struct wire_span v = wire_find(fields, tag);

    return v.at && text_parse_u64(v.at, v.len, ret);
}

/* Copies a value as a NUL-terminated string; "" when absent. False, and "", if it does not fit. */
static inline bool wire_copy(struct wire_span fields, enum team_tag tag, char *out, size_t cap)
{
    struct wire_span v = wire_find(fields, tag);
    struct text t = text_over(out, cap);

    if (v.at)
        text_put_n(&t, v.at, v.len);
    return !t.cut;
}
