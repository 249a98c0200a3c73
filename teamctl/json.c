/* One JSON object a row, every column in it: absent is null, an absent list is empty. */
#include "render.h"

#include <errno.h>

#include "when.h"

/* jansson returns NULL when memory is out. What such a value should have been a part of becomes
 * NULL, too, up to json_put(), which says so: half an object would be taken for a whole one. */
void json_set(json_t **object, const char *key, json_t *value)
{
    if (json_object_set_new(*object, key, value) == 0)
        return;
    json_decref(*object);
    *object = NULL;
}

void json_append(json_t **list, json_t *value)
{
    if (json_array_append_new(*list, value) == 0)
        return;
    json_decref(*list);
    *list = NULL;
}

json_t *plain_json(struct wire_span v)
{
    static char plain[CELL_CAP];

    text_make_plain(plain, sizeof plain, v.at, v.len);
    return json_string(plain);
}

static json_t *time_json(uint64_t us)
{
    char utc[WHEN_CAP];

    return json_stringn(utc, when_utc((int64_t)us, utc));
}

static json_t *value_json(const struct column *c, struct wire_span v)
{
    uint64_t number;

    if (c->inner)
        return row_json(c->inner, v);
    if (wire_rule(c->tag).class != TEAM_CS_NUM || !text_parse_u64(v.at, v.len, &number))
        return plain_json(v);
    if (c->kind == COL_YESNO)
        return json_boolean(number != 0);
    if (c->kind == COL_TIME || c->kind == COL_MOMENT)
        return time_json(number);
    return number <= INT64_MAX ? json_integer((json_int_t)number) : plain_json(v);
}

static json_t *column_json(const struct column *c, struct wire_span row)
{
    bool many = c->kind == COL_TEXTS || c->kind == COL_GROUPS;
    json_t *list = many ? json_array() : NULL;

    for (struct wire_span rest = row, v; v = wire_each(&rest, c->tag), v.at;) {
        if (!many)
            return value_json(c, v);
        json_append(&list, value_json(c, v));
    }
    return many ? list : json_null();
}

json_t *row_json(const struct row_type *type, struct wire_span row)
{
    json_t *object = json_object();

    for (size_t i = 0; i < type->n_columns; i++) {
        const struct column *c = &type->columns[i];

        if (c->rank != IF_ANY || wire_find(row, c->tag).at)
            json_set(&object, c->key, column_json(c, row));
    }
    return object;
}

static int put_piece(const char *s, size_t n, void *o)
{
    out_put(o, s, n);
    return 0;
}

void json_put(struct out *o, const json_t *object)
{
    if (json_dump_callback(object, put_piece, o, JSON_COMPACT) < 0 && !o->error)
        o->error = ENOMEM;
    out_put(o, "\n", 1);
}
