#include "store/internal.h"

void key_put(struct key *k, const void *p, size_t n)
{
    if (k->bad || n > sizeof k->bytes - k->len) {
        k->bad = true;
        return;
    }
    memcpy(k->bytes + k->len, p, n);
    k->len += n;
}

void key_put_number(struct key *k, uint64_t v, size_t width)
{
    uint8_t bytes[8];

    for (size_t i = 0; i < width; i++)
        bytes[i] = (uint8_t)(v >> 8 * (width - 1 - i));
    key_put(k, bytes, width);
}

void key_put_text(struct key *k, const char *s)
{
    key_put(k, s, strlen(s) + 1);
}

/* The sign bit is turned over, so that times before 1970 sort before the others. */
#define SIGN (UINT64_C(1) << 63)

void key_put_time(struct key *k, struct wall t)
{
    key_put_number(k, (uint64_t)t.us ^ SIGN, 8);
}

struct wall key_time(const uint8_t *p)
{
    return (struct wall){(int64_t)(key_number(p, 8) ^ SIGN)};
}

/* Equal targets (target_equal()) have equal keys: the case of a host's name does not count. */
void key_put_target(struct key *k, const struct target *t)
{
    char text[TARGET_TEXT_CAP];

    target_text(t, text);
    if (t->kind == TARGET_HOST)
        for (char *c = text; *c != '\0' && *c != '/'; c++)
            if (*c >= 'A' && *c <= 'Z')
                *c = (char)(*c - 'A' + 'a');
    key_put_text(k, text);
}

uint64_t key_number(const uint8_t *p, size_t width)
{
    uint64_t v = 0;

    for (size_t i = 0; i < width; i++)
        v = v << 8 | p[i];
    return v;
}

struct key key_of_number(uint64_t v)
{
    struct key k = {.len = 0};

    key_put_number(&k, v, 8);
    return k;
}

struct key key_of_row(struct id id, unsigned kind, unsigned number)
{
    struct key k = {.len = 0};

    key_put_number(&k, id.bits, 8);
    key_put_number(&k, kind, 1);
    key_put_number(&k, number, 2);
    return k;
}

static struct key *entry(struct entries *e, enum table t)
{
    e->items[e->n].table = t;
    e->items[e->n].key.len = 0;
    e->items[e->n].key.bad = false;
    return &e->items[e->n++].key;
}

void entries_of(const struct request *r, struct entries *ret)
{
    ret->n = 0;
    key_put_number(entry(ret, BY_REQUESTER), r->requester, 4);
    key_put_number(entry(ret, BY_STATE), r->state, 1);
    entry(ret, BY_TIME);
    key_put_text(entry(ret, BY_NAME), r->requester_name.text);
    for (size_t i = 0; i < r->n_targets; i++)
        key_put_target(entry(ret, BY_TARGET), &r->grants[i].target);
    for (size_t i = 0; i < ret->n; i++) {
        key_put_time(&ret->items[i].key, r->requested_at);
        key_put_number(&ret->items[i].key, r->id.bits, 8);
    }
}
