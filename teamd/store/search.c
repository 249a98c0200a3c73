/* What was done with AWS access: reading it, of one request or looking for a text in all. */
#include "store/internal.h"

#include <errno.h>
#include <team/text.h>

static void cursor_closep(MDB_cursor **c)
{
    if (*c)
        mdb_cursor_close(*c);
}

/* ---- one call -------------------------------------------------------------------------------- */

/* The needle at one of the sixteen places that are set. */
static bool is_at(const char *hay, text_16 places, const char *needle, size_t len)
{
    for (size_t k = 0; k < sizeof places; k++)
        if (places[k] && memcmp(hay + k, needle, len) == 0)
            return true;
    return false;
}

/* memmem(3), but much faster where the text is not there: at sixteen places at once it looks at the
 * first and the last byte. */
static bool is_in(const char *hay, size_t n, const char *needle, size_t len)
{
    const uint8_t first = (uint8_t)needle[0], last = (uint8_t)needle[len - 1];
    size_t end, i = 0;

    if (n < len + sizeof(text_16))
        return memmem(hay, n, needle, len) != NULL;
    end = n - len - sizeof(text_16) + 1; /* of the last sixteen */
    for (;;) {
        text_16 both = (text_16)(text_load_16(hay + i) == first) &
                       (text_16)(text_load_16(hay + i + len - 1) == last);

        if (!text_none_16(both) && is_at(hay + i, both, needle, len))
            return true;
        if (i == end)
            return false;
        i = end - i > sizeof(text_16) ? i + sizeof(text_16) : end;
    }
}

enum { KEY_HEAD = 16 }; /* the request's id and the time; behind them is the event's id */

static bool text_has(const char *text, const char *match, size_t len)
{
    return memmem(text, strlen(text), match, len) != NULL;
}

static bool has(const char *text, const struct activity_query *q)
{
    return text_has(text, q->match, q->match_len);
}

/* All that there is is in the bytes of the row and its key; but so is what stands between the
 * fields. */
static bool may_match(const struct activity_query *q, const MDB_val *key, const MDB_val *row)
{
    return !q->match || is_in(row->mv_data, row->mv_size, q->match, q->match_len) ||
           memmem((const char *)key->mv_data + KEY_HEAD, key->mv_size - KEY_HEAD, q->match,
                  q->match_len);
}

static bool matches(const struct activity_query *q, const struct activity *a)
{
    if (a->number <= q->after[a->target] || (q->errors && a->error[0] == '\0') ||
        (q->changes && a->read_only))
        return false;
    return !q->match || has(a->raw, q) || has(a->name, q) || has(a->resource, q) ||
           has(a->source, q) || has(a->error, q) || has(a->address, q) || has(a->region, q) ||
           has(a->event_id, q);
}

static int read_call(const MDB_val *key, const MDB_val *row, char event_id[ACTIVITY_ID_MAX + 1],
                     struct activity *ret)
{
    const uint8_t *k = key->mv_data;
    size_t n = key->mv_size - KEY_HEAD;
    int r = damaged(record_read_activity(row->mv_data, row->mv_size, ret));

    memcpy(event_id, k + KEY_HEAD, n);
    event_id[n] = '\0';
    ret->request.bits = key_number(k, 8);
    ret->at = key_time(k + 8);
    ret->event_id = event_id;
    return r;
}

enum { LINE = 64, PAGE = 4096 };

static void fetch_early(uintptr_t from, size_t n)
{
    for (size_t i = 0; i < n; i += LINE)
        __builtin_prefetch((const void *)(from + i));
}

/* Looking at a row takes less time than waiting for its bytes: ask for all of them at once, and for
 * the first two rows of the page behind, which LMDB fills from its end. Calls that were written one
 * after another mostly lie so; where they do not, nothing but a little time is lost. */
static void fetch_rows(const MDB_val *row)
{
    const uintptr_t at = (uintptr_t)row->mv_data, behind = (at & ~(uintptr_t)(PAGE - 1)) + PAGE;
    const size_t two = 2 * (row->mv_size + LINE);

    fetch_early(at, row->mv_size);
    fetch_early(behind, LINE);
    if (two <= PAGE)
        fetch_early(behind + PAGE - two, two);
}

/* ---- of one request -------------------------------------------------------------------------- */

static struct key first_key(const struct activity_query *q)
{
    struct key k = {.len = 0};

    if (q->place_len > 0) {
        key_put(&k, q->place, q->place_len);
        return k;
    }
    key_put_number(&k, q->request.bits, 8);
    if (q->since.us != 0)
        key_put_time(&k, q->since);
    return k;
}

static void remember(struct activity_query *q, const MDB_val *key)
{
    q->place_len = key->mv_size;
    memcpy(q->place, key->mv_data, key->mv_size);
}

/* 1: not this row, and no more now. */
static int give(const struct activity_query *q, const MDB_val *key, const MDB_val *row,
                int (*each)(void *ctx, const struct activity *a), void *ctx)
{
    char event_id[ACTIVITY_ID_MAX + 1];
    struct activity a;
    int r;

    if (!may_match(q, key, row))
        return 0;
    r = read_call(key, row, event_id, &a);
    if (r < 0)
        return r;
    return matches(q, &a) ? each(ctx, &a) : 0;
}

static bool is_of(const struct activity_query *q, const MDB_val *key)
{
    return key_number(key->mv_data, 8) == q->request.bits &&
           (q->until.us == 0 || key_time((const uint8_t *)key->mv_data + 8).us < q->until.us);
}

int store_activity(struct store *s, struct activity_query *q, size_t *budget,
                   int (*row)(void *ctx, const struct activity *a), void *ctx)
{
    enum { COST = 64 }; /* of a call, beside its bytes */
    struct reading reading CLEANUP(reading_end) = {.txn = NULL};
    MDB_cursor *cursor CLEANUP(cursor_closep) = NULL;
    struct key from = first_key(q);
    MDB_val key = key_val(&from), value;
    bool first = true;
    int rc, r = reading_begin(s, &reading);

    if (r == 0)
        r = lmdb_error(mdb_cursor_open(reading.txn, s->tables[ACTIVITY], &cursor));
    if (r < 0)
        return r;
    for (rc = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE); rc == 0;
         rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) {
        if (key.mv_size <= KEY_HEAD || key.mv_size > KEY_HEAD + ACTIVITY_ID_MAX)
            return -EUCLEAN;
        if (!is_of(q, &key))
            return 0;
        fetch_rows(&value);
        remember(q, &key);
        if (!first && *budget < value.mv_size + COST)
            return 1;
        first = false;
        *budget -= *budget < value.mv_size + COST ? *budget : value.mv_size + COST;
        r = give(q, &key, &value, row, ctx);
        if (r != 0)
            return r;
    }
    return rc == MDB_NOTFOUND ? 0 : lmdb_error(rc);
}

/* ---- all requests ---------------------------------------------------------------------------- */

/* The entry before the place, or the last one of all. */
static int step_back(MDB_cursor *cursor, const struct collected_query *q, MDB_val *key)
{
    MDB_val nothing;
    int rc;

    if (!q->started)
        return mdb_cursor_get(cursor, key, &nothing, MDB_LAST);
    *key = val(q->place, sizeof q->place);
    rc = mdb_cursor_get(cursor, key, &nothing, MDB_SET_RANGE);
    return mdb_cursor_get(cursor, key, &nothing, rc == 0 ? MDB_PREV : MDB_LAST);
}

int store_next_collected(struct store *s, struct collected_query *q, struct id *ret,
                         struct wall *ret_from)
{
    struct reading reading CLEANUP(reading_end) = {.txn = NULL};
    MDB_cursor *cursor CLEANUP(cursor_closep) = NULL;
    MDB_val key;
    int rc, r = reading_begin(s, &reading);

    if (r == 0)
        r = lmdb_error(mdb_cursor_open(reading.txn, s->tables[COLLECTIONS_BY_TIME], &cursor));
    if (r < 0)
        return r;
    while ((rc = step_back(cursor, q, &key)) == 0) {
        const uint8_t *k = key.mv_data;

        if (key.mv_size != sizeof q->place)
            return -EUCLEAN;
        memcpy(q->place, k, sizeof q->place);
        q->started = true;
        *ret = (struct id){key_number(k + 8, 8)};
        *ret_from = key_time(k);
        if (ret->bits == q->last.bits)
            continue; /* another target of it */
        q->last = *ret;
        return 0;
    }
    return lmdb_error(rc);
}

/* ---- sessions -------------------------------------------------------------------------------- */

static bool session_fits(const struct session_search *q, const struct session *s)
{
    const char *const texts[] = {s->command,   s->service, s->target_user.text,
                                 s->user.text, s->tty,     s->rhost};

    if ((q->until.us != 0 && s->started_at.us >= q->until.us) ||
        (s->ended_at.us != 0 && s->ended_at.us < q->since.us))
        return false;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        if (text_has(texts[i], q->match, q->match_len))
            return true;
    return false;
}

static int give_session(const struct session_search *q, const MDB_val *value,
                        int (*row)(void *ctx, const struct session *r), void *ctx)
{
    struct kept_session kept;
    int r;

    if (!is_in(value->mv_data, value->mv_size, q->match, q->match_len))
        return 0;
    r = damaged(record_read_session(value->mv_data, value->mv_size, &kept));
    if (r < 0)
        return r;
    return session_fits(q, &kept.session) ? row(ctx, &kept.session) : 0;
}

static int begin_below(MDB_cursor *cursor, const struct session_search *q, MDB_val *key,
                       MDB_val *value)
{
    struct key from = key_of_number(q->below);
    int rc;

    if (q->below == 0)
        return mdb_cursor_get(cursor, key, value, MDB_LAST);
    *key = key_val(&from);
    rc = mdb_cursor_get(cursor, key, value, MDB_SET_RANGE);
    return mdb_cursor_get(cursor, key, value, rc == 0 ? MDB_PREV : MDB_LAST);
}

int store_search_sessions(struct store *s, struct session_search *q, size_t *budget,
                          int (*row)(void *ctx, const struct session *r), void *ctx)
{
    enum { COST = 64 };
    struct reading reading CLEANUP(reading_end) = {.txn = NULL};
    MDB_cursor *cursor CLEANUP(cursor_closep) = NULL;
    MDB_val key, value;
    int rc, r = reading_begin(s, &reading);

    if (r == 0)
        r = lmdb_error(mdb_cursor_open(reading.txn, s->tables[SESSIONS], &cursor));
    if (r < 0)
        return r;
    for (rc = begin_below(cursor, q, &key, &value); rc == 0;
         rc = mdb_cursor_get(cursor, &key, &value, MDB_PREV)) {
        if (key.mv_size != 8)
            return -EUCLEAN;
        r = give_session(q, &value, row, ctx);
        if (r != 0)
            return r;
        q->below = key_number(key.mv_data, 8);
        if (*budget < value.mv_size + COST)
            return 1;
        *budget -= value.mv_size + COST;
    }
    return rc == MDB_NOTFOUND ? 0 : lmdb_error(rc);
}
