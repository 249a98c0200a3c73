#include "store/shape.h"

#include <endian.h>
#include <string.h>

/* ---- numbers -------------------------------------------------------------------------------- */

static uint64_t load(const uint8_t *at, size_t size)
{
    uint8_t u8;
    uint16_t u16;
    uint32_t u32;
    uint64_t u64;

    switch (size) {
    case 1:
        memcpy(&u8, at, size);
        return u8;
    case 2:
        memcpy(&u16, at, size);
        return u16;
    case 4:
        memcpy(&u32, at, size);
        return u32;
    default:
        memcpy(&u64, at, sizeof u64);
        return u64;
    }
}

static void store(uint8_t *at, size_t size, uint64_t v)
{
    uint8_t u8 = (uint8_t)v;
    uint16_t u16 = (uint16_t)v;
    uint32_t u32 = (uint32_t)v;

    switch (size) {
    case 1:
        memcpy(at, &u8, size);
        return;
    case 2:
        memcpy(at, &u16, size);
        return;
    case 4:
        memcpy(at, &u32, size);
        return;
    default:
        memcpy(at, &v, sizeof v);
        return;
    }
}

static bool in_range(const struct field *f, uint64_t v)
{
    return (int64_t)v >= f->min && (int64_t)v <= f->max;
}

/* ---- writing -------------------------------------------------------------------------------- */

struct out {
    uint8_t *buf;
    size_t cap, len;
    bool bad;
};

static void put(struct out *o, const void *p, size_t n)
{
    if (o->bad || n > o->cap - o->len) {
        o->bad = true;
        return;
    }
    memcpy(o->buf + o->len, p, n);
    o->len += n;
}

static void put_number(struct out *o, uint64_t v, size_t width)
{
    uint8_t bytes[8];

    for (size_t i = 0; i < width; i++)
        bytes[i] = (uint8_t)(v >> 8 * (width - 1 - i));
    put(o, bytes, width);
}

static void put_head(struct out *o, unsigned tag, size_t len)
{
    if (len > UINT16_MAX)
        o->bad = true;
    put_number(o, tag, 2);
    put_number(o, len, 2);
}

static void put_text(struct out *o, const struct field *f, const char *s, size_t n, size_t max)
{
    if (n < (size_t)f->min || n > max)
        o->bad = true;
    if (n == 0)
        return;
    put_head(o, f->tag, n + 1);
    put(o, s, n);
    put(o, "", 1);
}

static void put_fields(struct out *o, const struct shape *s, const uint8_t *base);

static void put_list(struct out *o, const struct field *f, const uint8_t *base)
{
    uint8_t count = base[f->count_offset];

    if (!in_range(f, count)) {
        o->bad = true;
        return;
    }
    for (size_t i = 0; i < count; i++) {
        size_t head = o->len, len;

        put_head(o, f->tag, 0);
        put_fields(o, f->element, base + f->offset + i * f->size);
        if (o->bad)
            return;
        len = o->len - head - 4;
        if (len > UINT16_MAX) {
            o->bad = true;
            return;
        }
        o->buf[head + 2] = (uint8_t)(len >> 8);
        o->buf[head + 3] = (uint8_t)len;
    }
}

static void put_field(struct out *o, const struct field *f, const uint8_t *base)
{
    const uint8_t *at = base + f->offset;
    const char *words;
    uint64_t v;

    switch ((enum form)f->form) {
    case FORM_NUMBER:
        v = load(at, f->size);
        if (!in_range(f, v))
            o->bad = true;
        if (v == 0)
            return;
        put_head(o, f->tag, f->size);
        put_number(o, v, f->size);
        return;
    case FORM_TEXT:
        put_text(o, f, (const char *)at, strnlen((const char *)at, f->size), f->size - 1);
        return;
    case FORM_WORDS:
        memcpy(&words, at, sizeof words);
        put_text(o, f, words, words ? strlen(words) : 0, (size_t)f->max);
        return;
    case FORM_BYTES:
        put_head(o, f->tag, f->size);
        put(o, at, f->size);
        return;
    case FORM_LIST:
        put_list(o, f, base);
        return;
    }
}

static void put_fields(struct out *o, const struct shape *s, const uint8_t *base)
{
    for (size_t i = 0; i < s->n && !o->bad; i++)
        put_field(o, &s->fields[i], base);
}

bool shape_write(const struct shape *s, const void *base, uint8_t *out, size_t cap, size_t *len)
{
    struct out o = {.buf = out, .cap = cap, .len = *len};

    put_fields(&o, s, base);
    if (o.bad)
        return false;
    *len = o.len;
    return true;
}

/* ---- reading -------------------------------------------------------------------------------- */

struct in {
    const uint8_t *at;
    size_t left;
    bool bad;
};

static uint64_t get_number(struct in *in, size_t width)
{
    uint64_t v = 0;

    if (in->bad || width > in->left) {
        in->bad = true;
        return 0;
    }
    if (width == sizeof v) { /* most are */
        memcpy(&v, in->at, sizeof v);
        v = be64toh(v);
    } else {
        for (size_t i = 0; i < width; i++)
            v = v << 8 | in->at[i];
    }
    in->at += width;
    in->left -= width;
    return v;
}

/* The value of the next field, and its tag. */
static struct in get_value(struct in *in, unsigned *ret_tag)
{
    const uint8_t *at = in->at;
    size_t len;

    if (in->left < 4) {
        in->bad = true;
        return (struct in){.bad = true};
    }
    len = (size_t)at[2] << 8 | at[3];
    if (len > in->left - 4) {
        in->bad = true;
        return (struct in){.bad = true};
    }
    in->at += 4 + len;
    in->left -= 4 + len;
    *ret_tag = (unsigned)at[0] << 8 | at[1];
    return (struct in){.at = at + 4, .left = len};
}

static bool is_text(struct in value)
{
    return value.left > 0 && memchr(value.at, '\0', value.left) == value.at + value.left - 1;
}

static bool read_number(const struct field *f, struct in value, uint8_t *base)
{
    uint64_t v;

    if (value.left != f->size)
        return false;
    v = get_number(&value, f->size);
    if (!in_range(f, v))
        return false;
    store(base + f->offset, f->size, v);
    return true;
}

static bool read_list(const struct field *f, struct in value, uint8_t *base)
{
    uint8_t *count = base + f->count_offset;

    if (*count >= f->max)
        return false;
    return shape_read(f->element, value.at, value.left, base + f->offset + (*count)++ * f->size);
}

static bool read_field(const struct field *f, struct in value, uint8_t *base)
{
    const char *words = (const char *)value.at;

    switch ((enum form)f->form) {
    case FORM_NUMBER:
        return read_number(f, value, base);
    case FORM_TEXT:
        if (!is_text(value) || value.left > f->size || value.left - 1 < (size_t)f->min)
            return false;
        memcpy(base + f->offset, value.at, value.left);
        return true;
    case FORM_WORDS:
        if (!is_text(value) || value.left - 1 > (size_t)f->max || value.left - 1 < (size_t)f->min)
            return false;
        memcpy(base + f->offset, &words, sizeof words);
        return true;
    case FORM_BYTES:
        if (value.left != f->size)
            return false;
        memcpy(base + f->offset, value.at, value.left);
        return true;
    case FORM_LIST:
        return read_list(f, value, base);
    }
    return false;
}

/* Absent words are "" and not NULL. */
static void blank(const struct shape *s, uint8_t *base)
{
    static const char *const NOTHING = "";

    for (size_t i = 0; i < s->n; i++)
        if (s->fields[i].form == FORM_WORDS)
            /* NOLINTNEXTLINE(bugprone-sizeof-expression): the pointer is what is copied */
            memcpy(base + s->fields[i].offset, &NOTHING, sizeof NOTHING);
}

static bool complete(const struct shape *s, uint64_t seen, const uint8_t *base)
{
    for (size_t i = 0; i < s->n; i++) {
        const struct field *f = &s->fields[i];

        if (f->form == FORM_LIST && !in_range(f, base[f->count_offset]))
            return false;
        if ((f->min > 0 || f->form == FORM_BYTES) && !(seen >> i & 1))
            return false;
    }
    return true;
}

/* Tags and table both ascend: one walk along both. */
bool shape_read(const struct shape *s, const uint8_t *data, size_t len, void *base)
{
    struct in in = {.at = data, .left = len};
    unsigned last = 0, tag = 0;
    uint64_t seen = 0;
    size_t i = 0;

    blank(s, base);
    while (in.left > 0) {
        struct in value = get_value(&in, &tag);

        if (in.bad || tag == 0 || tag < last)
            return false;
        while (i < s->n && s->fields[i].tag < tag)
            i++;
        if (i < s->n && s->fields[i].tag == tag) {
            if (tag == last && s->fields[i].form != FORM_LIST)
                return false;
            if (!read_field(&s->fields[i], value, base))
                return false;
            seen |= UINT64_C(1) << i;
        }
        last = tag;
    }
    return complete(s, seen, base);
}
