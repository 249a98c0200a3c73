/* The format of ~/.aws/config and ~/.aws/credentials ("Shared config and credentials files" in the
 * AWS SDKs reference): sections, name = value, values that go on in indented lines, and one level
 * of nested names. Pure apart from the heap: bytes in, properties out. Any bytes may come in.
 *
 * Values may be secrets: what was parsed is wiped when it is freed. */
#pragma once

#include <stddef.h>

enum { INI_SIZE_MAX = 1024 * 1024, INI_PROPERTIES_MAX = 20000, INI_WHY_CAP = 160 };

/* All texts point into the one buffer of the ini. */
struct ini_property {
    const char *section; /* "default", "profile x", "services y": blanks folded, quotes taken off */
    const char *name; /* in lower case; nested: "s3" has value "", and "max_bandwidth" above="s3" */
    const char *above; /* "" unless nested */
    const char *value;
    unsigned line;
};

struct ini {
    char *text;
    size_t len;
    struct ini_property *items; /* a section without properties has one with the name "" */
    size_t n;
};

/* 0; -EINVAL with "LINE: what is wrong" in `why`; -EFBIG; -ENOMEM. *ret is only written on success;
 * free it with ini_free(). */
int ini_parse(const char *text, size_t len, struct ini *ret, char why[INI_WHY_CAP]);

/* Leaves an empty one. */
void ini_free(struct ini *ini);

/* The last one that is called so (as the SDKs have it), or NULL. `above` is "" for most. */
const struct ini_property *ini_find(const struct ini *ini, const char *section, const char *above,
                                    const char *name);
