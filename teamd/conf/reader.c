#include "conf/reader.h"

#include <limits.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <team/text.h>

enum { LINE_CAP = PATH_MAX + 2048, VALUE_SHOWN_MAX = 160 };

void report_line(struct reader *r, bool warning, const char *line)
{
    char plain[LINE_CAP];

    text_make_plain(plain, sizeof plain, line, strlen(line));
    r->errors += !warning;
    r->report(r->ctx, warning, plain);
}

static void put_path(struct text *t, const config_setting_t *s)
{
    const config_setting_t *parent = config_setting_parent(s);

    if (!parent)
        return;
    put_path(t, parent);
    if (config_setting_name(s)) {
        if (!config_setting_is_root(parent))
            text_put(t, ".");
        text_put(t, config_setting_name(s));
    } else {
        text_put(t, "[");
        text_put_u64(t, (uint64_t)config_setting_index(s));
        text_put(t, "]");
    }
}

static void put_value(struct text *t, const config_setting_t *s)
{
    const char *value;
    char number[32];

    switch (config_setting_type(s)) {
    case CONFIG_TYPE_STRING:
        value = config_setting_get_string(s);
        text_put(t, " \"");
        text_put_n(t, value, strnlen(value, VALUE_SHOWN_MAX));
        text_put(t, strlen(value) > VALUE_SHOWN_MAX ? "...\"" : "\"");
        break;
    case CONFIG_TYPE_INT:
    case CONFIG_TYPE_INT64:
        snprintf(number, sizeof number, " %lld", config_setting_get_int64(s));
        text_put(t, number);
        break;
    case CONFIG_TYPE_BOOL:
        text_put(t, config_setting_get_bool(s) ? " true" : " false");
        break;
    default:
        break;
    }
}

static unsigned line_of(const config_setting_t *s)
{
    uintptr_t known = (uintptr_t)config_setting_get_hook(s);

    return known ? (unsigned)known : config_setting_source_line(s);
}

__attribute__((format(printf, 4, 0))) static void
report_at(struct reader *r, bool warning, const config_setting_t *at, const char *fmt, va_list ap)
{
    char line[LINE_CAP], what[1024];
    struct text t = text_over(line, sizeof line);
    unsigned number;

    text_put(&t, source_place(r->source, line_of(at), &number));
    if (!config_setting_is_root(at)) {
        text_put(&t, ":");
        text_put_u64(&t, number);
        text_put(&t, ": ");
        put_path(&t, at);
        put_value(&t, at);
    }
    text_put(&t, ": ");
    vsnprintf(what, sizeof what, fmt, ap);
    text_put(&t, what);
    report_line(r, warning, line);
}

void complain(struct reader *r, const config_setting_t *at, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    report_at(r, false, at, fmt, ap);
    va_end(ap);
}

void caution(struct reader *r, const config_setting_t *at, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    report_at(r, true, at, fmt, ap);
    va_end(ap);
}

/* Settings come in the order of the file, so the n-th string is the n-th of the source. */
static void place_below(const struct source *s, config_setting_t *at, size_t *n)
{
    if (config_setting_type(at) == CONFIG_TYPE_STRING && *n < s->n_strings) {
        if (!config_setting_name(at))
            config_setting_set_hook(at, (void *)(uintptr_t)s->strings[*n]);
        ++*n;
    }
    if (config_setting_is_aggregate(at))
        for (int i = 0; i < config_setting_length(at); i++)
            place_below(s, config_setting_get_elem(at, (unsigned)i), n);
}

void place_strings(struct reader *r)
{
    size_t n = 0;

    place_below(r->source, config_root_setting(&r->file), &n);
}
