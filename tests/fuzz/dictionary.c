/* The fuzzers' dictionary, on standard output: what a message is made of, from the list of fields
 * in proto.h, and what team.conf is, from its schema. One file for all targets: a word that means
 * nothing to one of them costs it next to nothing. */
#include "conf/schema.h"

#include <stdio.h>
#include <string.h>
#include <team/wire.h>

static void print_word(const char *s, size_t n)
{
    putchar('"');
    for (size_t i = 0; i < n; i++)
        if (s[i] >= ' ' && s[i] <= '~' && s[i] != '"' && s[i] != '\\')
            putchar(s[i]);
        else
            printf("\\x%02x", (unsigned char)s[i]);
    puts("\"");
}

static void print_u16(unsigned v)
{
    char bytes[2];

    wire_store_u16(bytes, v);
    print_word(bytes, sizeof bytes);
}

/* A value that its class allows, so that a field can be put in whole. */
static const char *value_of(enum team_class class)
{
    switch (class) {
    case TEAM_CS_TEXT:
        return "host:bastion-1/sudo";
    case TEAM_CS_NAME:
        return "alice";
    case TEAM_CS_WORD:
        return "sudo";
    case TEAM_CS_NUM:
        return "3600";
    case TEAM_CS_ID:
        return "K7QF";
    case TEAM_CS_GROUP:
        return "";
    }
    return "";
}

static void print_field(unsigned tag)
{
    struct wire_rule rule = wire_rule(tag);
    const char *value = value_of((enum team_class)rule.class);
    size_t n = strlen(value) <= rule.max_len ? strlen(value) : 1;
    char bytes[4 + 32];

    wire_store_u16(bytes, tag);
    wire_store_u16(bytes + 2, n);
    memcpy(bytes + 4, value, n);
    print_word(bytes, 4 + n);
}

int main(void)
{
    static const char *const WORDS[] = {"approved", "rejected", "pending", "active", "ended",
                                        "TE\\1\\1", "TE\\1\\2", "yes",     "no",     "@include \""};

    puts("# messages: tags, and whole fields");
#define X(name, tag, max, class, times) \
    print_u16(tag);                     \
    print_field(tag);
    TEAM_FIELDS(X)
#undef X
    print_u16(TEAM_MUST_UNDERSTAND);
    puts("# words");
    for (size_t i = 0; i < sizeof WORDS / sizeof WORDS[0]; i++)
        print_word(WORDS[i], strlen(WORDS[i]));
    puts("# team.conf");
    for (size_t i = 0; i < SCHEMA_LEN; i++) {
        const char *dot = strrchr(SCHEMA[i].path, '.');
        const char *key = dot ? dot + 1 : SCHEMA[i].path;

        print_word(key, strlen(key));
        if (SCHEMA[i].def && SCHEMA[i].def[0] != '\0')
            print_word(SCHEMA[i].def, strlen(SCHEMA[i].def));
    }
    return 0;
}
