#include "courier/activity_raw.h"

#include "courier/answer.h"

#include <stdio.h>
#include <stdlib.h>
#include <team/text.h>

enum { MARK_CAP = 64 };

/* ---- one plain line ----------------------------------------------------------------------------
 */

static size_t put_escaped(char *out, uint32_t c)
{
    if (c < 0x10000)
        return (size_t)snprintf(out, 13, "\\u%04x", c);
    c -= 0x10000;
    return (size_t)snprintf(out, 13, "\\u%04x\\u%04x", 0xd800 + (c >> 10), 0xdc00 + (c & 0x3ff));
}

/* Between the quotes of JSON an escape means the same as the character. *ret is malloc'ed. */
static char *plain_line(const char *line, size_t *ret_len)
{
    size_t n = strlen(line), len = 0;
    char *out = malloc(6 * n + 1); /* an escape of 6 bytes for one, 12 for four */

    for (size_t i = 0; out && i < n;) {
        uint32_t c;
        size_t bytes = text_utf8(line + i, n - i, &c);

        if (bytes > 0 && text_is_control(c)) {
            len += put_escaped(out + len, c);
        } else {
            bytes = bytes ? bytes : 1;
            memcpy(out + len, line + i, bytes);
            len += bytes;
        }
        i += bytes;
    }
    if (out)
        out[len] = '\0';
    *ret_len = len;
    return out;
}

static char *line_of(const json_t *record, size_t *ret_len)
{
    char *line = json_dumps(record, JSON_COMPACT), *plain = line ? plain_line(line, ret_len) : NULL;

    free(line);
    return plain;
}

/* ---- what is too long --------------------------------------------------------------------------
 */

static size_t size_of(const json_t *value)
{
    return json_dumpb(value, NULL, 0, JSON_COMPACT | JSON_ENCODE_ANY);
}

/* Its largest member, if replacing it makes it smaller. */
static const char *largest(json_t *record, size_t *ret_size)
{
    const char *name, *found = NULL;
    json_t *value;

    *ret_size = MARK_CAP;
    json_object_foreach(record, name, value)
    {
        size_t size = size_of(value);

        if (size > *ret_size) {
            *ret_size = size;
            found = name;
        }
    }
    return found;
}

static bool cut_largest(json_t *record)
{
    char mark[MARK_CAP];
    size_t size;
    const char *name = largest(record, &size);

    snprintf(mark, sizeof mark, "(%zu bytes are left out here)", size);
    return name && json_object_set_new(record, name, json_string(mark)) == 0;
}

/* Nothing in it is large, and all of it is: what names it. */
static json_t *only_names(const json_t *record, size_t size)
{
    char mark[MARK_CAP];

    snprintf(mark, sizeof mark, "(%zu bytes are left out here)", size);
    return json_pack("{s:O*, s:O*, s:O*, s:s}", "eventID", json_object_get(record, "eventID"),
                     "eventTime", json_object_get(record, "eventTime"), "eventName",
                     json_object_get(record, "eventName"), "record", mark);
}

/* The record as a line that fits, or NULL. */
static char *cut(json_t *record, size_t *ret_len)
{
    char *line = line_of(record, ret_len);
    json_t *names;

    while (line && *ret_len > ACTIVITY_RAW_MAX && cut_largest(record)) {
        free(line);
        line = line_of(record, ret_len);
    }
    if (!line || *ret_len <= ACTIVITY_RAW_MAX)
        return line;
    names = only_names(record, *ret_len);
    free(line);
    line = names ? line_of(names, ret_len) : NULL;
    json_decref(names);
    if (line && *ret_len <= ACTIVITY_RAW_MAX)
        return line;
    free(line);
    return NULL;
}

size_t activity_raw(const char *raw, size_t len, char out[ACTIVITY_RAW_MAX + 1], size_t *ret_size)
{
    json_t *record;
    char *line;
    bool whole;
    size_t n;

    *ret_size = len;
    if (len <= ACTIVITY_RAW_MAX && text_is_plain(raw, len)) {
        memcpy(out, raw, len);
        out[len] = '\0';
        return len;
    }
    record = answer_record(raw, len);
    line = record ? line_of(record, ret_size) : NULL;
    whole = line != NULL;
    free(line);
    line = whole ? cut(record, &n) : NULL;
    json_decref(record);
    if (!line)
        return 0;
    memcpy(out, line, n + 1);
    free(line);
    return n;
}
