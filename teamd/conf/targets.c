/* Service classes, and the patterns that name them. */
#include "conf/reader.h"
#include "conf/schema.h"

#include <team/text.h>

/* ---- gate.classes --------------------------------------------------------------------------- */

/* "sudo, su, ssh, login": what there is to choose from. */
static const char *class_names(const struct policy *p, char out[static CLASSES_MAX * WORD_CAP * 2])
{
    struct text t = text_over(out, CLASSES_MAX * WORD_CAP * 2);

    for (size_t i = 0; i < p->n_classes; i++) {
        text_put(&t, i ? ", " : "");
        text_put(&t, p->classes[i]);
    }
    return out;
}

static bool is_short_word(const char *s)
{
    return strlen(s) < WORD_CAP && text_is_word(s, strlen(s));
}

/* The class with this name, made if need be, or CLASS_NONE. */
static int class_to_fill(struct reader *r, const config_setting_t *s)
{
    struct policy *p = &r->config->policy;
    const char *name = config_setting_name(s);
    int class = policy_class_named(p, name);

    if (class != CLASS_NONE)
        return class;
    if (!is_short_word(name)) {
        complain(r, s, "a class is at most %d letters, digits, dashes and underscores",
                 WORD_CAP - 1);
        return CLASS_NONE;
    }
    if (p->n_classes == CLASSES_MAX) {
        complain(r, s, "there can be at most %d classes, the built-in ones included", CLASSES_MAX);
        return CLASS_NONE;
    }
    memcpy(p->classes[p->n_classes], name, strlen(name) + 1);
    return p->n_classes++;
}

static bool stands_before(const config_setting_t *list, int i)
{
    const char *value = config_setting_get_string_elem(list, i);

    for (int j = 0; j < i; j++)
        if (strcmp(config_setting_get_string_elem(list, j), value) == 0)
            return true;
    return false;
}

/* A built-in service may be repeated in its own class. */
static void add_service(struct reader *r, const config_setting_t *list, int i, int class)
{
    struct policy *p = &r->config->policy;
    const config_setting_t *s = config_setting_get_elem(list, (unsigned)i);
    const char *name = config_setting_get_string(s);
    int has = policy_class(p, name);

    if (!is_short_word(name)) {
        complain(r, s,
                 "must be the name of a PAM service, a file of /etc/pam.d, of at most %d "
                 "bytes",
                 WORD_CAP - 1);
    } else if (stands_before(list, i)) {
        complain(r, s, "is there already");
    } else if (has != CLASS_NONE && has != class) {
        complain(r, s, "is in class \"%s\" already; a service has one class", p->classes[has]);
    } else if (has == CLASS_NONE && p->n_services == SERVICES_MAX) {
        complain(r, s, "there can be at most %d services, the built-in ones included",
                 SERVICES_MAX);
    } else if (has == CLASS_NONE) {
        struct service *new = &p->services[p->n_services++];

        memcpy(new->name, name, strlen(name) + 1);
        new->class = (uint8_t) class;
    }
}

static void read_class_map(struct reader *r, const struct key *k, config_setting_t *s, void *to)
{
    (void)k;
    (void)to;
    for (int i = 0; i < config_setting_length(s); i++) {
        const config_setting_t *list = config_setting_get_elem(s, (unsigned)i);
        int class;

        if (!schema_shape_fits(r, SHAPE_STRINGS, list))
            continue;
        class = class_to_fill(r, list);
        if (config_setting_length(list) == 0)
            complain(r, list, "is empty: it must name at least one PAM service");
        for (int j = 0; class != CLASS_NONE && j < config_setting_length(list); j++)
            add_service(r, list, j, class);
    }
}

static void read_classes(struct reader *r, const struct key *k, config_setting_t *s, void *to)
{
    const struct policy *p = &r->config->policy;
    char names[CLASSES_MAX * WORD_CAP * 2];
    uint32_t *classes = to;

    if (config_setting_length(s) < k->min)
        complain(r, s, "is empty: it must name at least one of %s", class_names(p, names));
    for (int i = 0; i < config_setting_length(s); i++) {
        const config_setting_t *e = config_setting_get_elem(s, (unsigned)i);
        int class = policy_class_named(p, config_setting_get_string(e));

        if (class == CLASS_NONE)
            complain(r, e, "is not a service class; there are %s", class_names(p, names));
        else if (*classes & UINT32_C(1) << class)
            complain(r, e, "is there already");
        else
            *classes |= UINT32_C(1) << class;
    }
}

/* ---- targets -------------------------------------------------------------------------------- */

static bool some_class_fits(const struct policy *p, const struct target *pattern)
{
    struct target wanted = {.kind = TARGET_HOST, .place = "*"}, have = wanted;

    memcpy(wanted.what, pattern->what, sizeof wanted.what);
    for (size_t i = 0; i < p->n_classes; i++) {
        memcpy(have.what, p->classes[i], strlen(p->classes[i]) + 1);
        if (pattern_covers(&wanted, &have))
            return true;
    }
    return false;
}

/* An account has twelve digits. */
static bool some_account_fits(const struct target *pattern)
{
    size_t n = strlen(pattern->place), stars = 0;

    if (pattern_needs_directory(pattern))
        return true;
    for (size_t i = 0; i < n; i++)
        stars += pattern->place[i] == '*';
    return stars > 0 ? n - stars <= 12 : n == 12;
}

/* A pattern that covers nothing that can exist is a mistake, and maybe somebody's lock-out. */
static bool can_match(struct reader *r, const config_setting_t *s, const struct target *pattern)
{
    const struct policy *p = &r->config->policy;
    char names[CLASSES_MAX * WORD_CAP * 2];
    int class = policy_class(p, pattern->what);

    if (pattern->kind == TARGET_AWS) {
        if (some_account_fits(pattern))
            return true;
        complain(r, s, "can never match: an account has 12 digits");
    } else if (some_class_fits(p, pattern)) {
        return true;
    } else if (class != CLASS_NONE) {
        complain(r, s, "can never match: \"%s\" is a PAM service; its class is \"%s\"",
                 pattern->what, p->classes[class]);
    } else {
        complain(r, s, "can never match: no service class is \"%s\"; there are %s", pattern->what,
                 class_names(p, names));
    }
    return false;
}

static void add_pattern(struct reader *r, const config_setting_t *s, struct patterns *run)
{
    struct policy *p = &r->config->policy;
    const char *value = config_setting_get_string(s);
    struct target pattern;
    enum target_error error = pattern_parse(value, strlen(value), &pattern);

    if (error != TARGET_OK) {
        complain(r, s, "%s", target_error_text(error));
        return;
    }
    if (!can_match(r, s, &pattern))
        return;
    for (size_t i = 0; i < run->count; i++) {
        if (target_equal(&p->patterns[run->first + i], &pattern)) {
            complain(r, s, "is there already");
            return;
        }
    }
    if (p->n_patterns == PATTERNS_MAX) {
        complain(r, s, "all policies together have more than %d targets; use wildcards",
                 PATTERNS_MAX);
        return;
    }
    p->patterns[p->n_patterns++] = pattern;
    run->count++;
}

static void read_targets(struct reader *r, const struct key *k, config_setting_t *s, void *to)
{
    struct patterns *run = to;

    run->first = r->config->policy.n_patterns;
    if (config_setting_length(s) < k->min)
        complain(r, s, "is empty: it must name at least one target, as in host:*/sudo");
    for (int i = 0; i < config_setting_length(s); i++)
        add_pattern(r, config_setting_get_elem(s, (unsigned)i), run);
}

const struct type TYPE_CLASS_MAP = {SHAPE_GROUP, "group", read_class_map};
const struct type TYPE_CLASSES = {SHAPE_STRINGS, "list of classes", read_classes};
const struct type TYPE_TARGETS = {SHAPE_STRINGS, "list of targets", read_targets};
