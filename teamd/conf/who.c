/* Who: users, groups, and groups of Identity Center. */
#include "conf/reader.h"
#include "conf/schema.h"

#include <team/text.h>

static const char IDC[] = "@idc:";

/* Takes the mark off `value`. */
static uint8_t kind_of(const char **value)
{
    if (strncmp(*value, IDC, sizeof IDC - 1) == 0) {
        *value += sizeof IDC - 1;
        return PRINCIPAL_IDC_GROUP;
    }
    if (**value == '@') {
        ++*value;
        return PRINCIPAL_GROUP;
    }
    return PRINCIPAL_USER;
}

static bool name_fits(struct reader *r, const config_setting_t *s, uint8_t kind, const char *name)
{
    size_t n = strlen(name);
    size_t max = kind == PRINCIPAL_IDC_GROUP ? sizeof((struct principal *)0)->name : NAME_CAP;

    if (n >= max)
        complain(r, s, "is longer than the %zu bytes that a name may have", max - 1);
    else if (kind == PRINCIPAL_IDC_GROUP
                 ? n == 0 || !text_is_plain(name, n) || name[0] == ' ' || name[n - 1] == ' '
                 : !text_is_name(name, n))
        complain(r, s, "must be a user, @group or @idc:Group Name, without control characters%s",
                 kind == PRINCIPAL_IDC_GROUP ? "" : ", blanks and any of :/,\"'\\*?");
    else
        return true;
    return false;
}

/* The same text is the same principal, wherever it stands. */
static bool intern(struct reader *r, const config_setting_t *s, uint8_t kind, const char *name,
                   size_t *ret)
{
    struct policy *p = &r->config->policy;
    size_t i = 0;

    while (i < p->n_principals &&
           (p->principals[i].kind != kind || strcmp(p->principals[i].name, name) != 0))
        i++;
    if (i == PRINCIPALS_MAX) {
        complain(r, s, "more than %d different users and groups are named; put people in groups",
                 PRINCIPALS_MAX);
        return false;
    }
    if (i == p->n_principals) {
        p->principals[i].kind = kind;
        memcpy(p->principals[i].name, name, strlen(name) + 1);
        p->n_principals++;
    }
    *ret = i;
    return true;
}

static void add(struct reader *r, const config_setting_t *s, bool idc_ok, struct principals *set)
{
    const char *name = config_setting_get_string(s);
    uint8_t kind = kind_of(&name);
    size_t i;

    if (!name_fits(r, s, kind, name))
        return;
    if (kind == PRINCIPAL_IDC_GROUP && !idc_ok) {
        complain(r, s, "groups of Identity Center cannot be admins; name a user or a @group");
        return;
    }
    if (!intern(r, s, kind, name, &i))
        return;
    if (set->bits[i / 64] & UINT64_C(1) << i % 64)
        complain(r, s, "is there already");
    principals_add(set, i);
}

static void read_list(struct reader *r, const struct key *k, const config_setting_t *s, bool idc_ok,
                      void *to)
{
    if (config_setting_length(s) < k->min)
        complain(r, s, "is empty: it must name at least one user, @group or @idc:Group Name");
    for (int i = 0; i < config_setting_length(s); i++)
        add(r, config_setting_get_elem(s, (unsigned)i), idc_ok, to);
}

static void read_who(struct reader *r, const struct key *k, config_setting_t *s, void *to)
{
    read_list(r, k, s, true, to);
}

static void read_admins(struct reader *r, const struct key *k, config_setting_t *s, void *to)
{
    read_list(r, k, s, false, to);
}

const struct type TYPE_WHO = {SHAPE_STRINGS, "list of who", read_who};
const struct type TYPE_ADMINS = {SHAPE_STRINGS, "list of who", read_admins};
