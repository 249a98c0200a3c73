/* Picking what is needed out of AWS's answers; private to courier/. A member that is absent, null
 * or of another type is "" or NULL: the caller decides whether that matters. */
#pragma once

#include "core/value.h"

#include <jansson.h>

/* The text of a member; "" also if it has a NUL inside. */
static inline const char *json_text_of(const json_t *object, const char *member)
{
    const json_t *value = json_object_get(object, member);
    const char *text = json_string_value(value);

    return text && strlen(text) == json_string_length(value) ? text : "";
}

static inline bool json_is_text(const json_t *object, const char *member, const char *text)
{
    return strcmp(json_text_of(object, member), text) == 0;
}

/* Copies a text that fits whole with its NUL; false, and nothing is written, if it does not. */
static inline bool json_copy_text(const json_t *object, const char *member, char *out, size_t cap)
{
    const char *text = json_text_of(object, member);
    size_t n = strlen(text);

    if (n == 0 || n >= cap)
        return false;
    memcpy(out, text, n + 1);
    return true;
}
