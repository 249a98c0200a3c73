/* The organisation: the tree of units from the roots down, then all accounts, which tell their path
 * in it. Accounts that do not (older partitions) are looked for below each unit.
 *
 * The tree may change while it is read. An account below a unit that was not seen fails the part:
 * the next refresh reads it anew, and until then the last whole picture counts. */
#include "courier/directory_parts.h"

#include "courier/json.h"

static const char *unit_now(const struct directory_sync *s)
{
    return json_string_value(json_array_get(s->list, s->at));
}

static json_t *below(const struct directory_sync *s)
{
    return json_pack("{s:s, s:i}", "ParentId", unit_now(s), "MaxResults", 20);
}

static const char *plain_name(const json_t *row)
{
    const char *name = json_text_of(row, "Name");

    return aws_name_fits(name, AWS_NAME_CAP) ? name : "";
}

/* ---- accounts ------------------------------------------------------------------------------- */

/* `State` takes the place of `Status` in 2026; both say ACTIVE for what can be used. */
static enum aws_account_state account_state(const json_t *row)
{
    const char *state = json_text_of(row, "State");

    if (!state[0])
        state = json_text_of(row, "Status");
    return strcmp(state, "ACTIVE") == 0 ? AWS_ACCOUNT_ACTIVE : AWS_ACCOUNT_SUSPENDED;
}

static void account_row(struct directory_sync *s, const json_t *row, const char *parent)
{
    struct directory_row account = {.kind = DIRECTORY_ACCOUNT,
                                    .id = json_text_of(row, "Id"),
                                    .name = plain_name(row),
                                    .parent = parent,
                                    .state = account_state(row)};

    sync_row(s, &account);
}

/* The last unit of "o-.../r-.../ou-.../ou-.../", perhaps with the account behind it. */
static bool path_parent(const json_t *row, char out[AWS_UNIT_CAP])
{
    const json_t *paths = json_object_get(row, "Paths");
    const char *path = json_string_value(json_array_get(paths, 0));
    bool found = false;

    while (path && *path) {
        size_t n = strcspn(path, "/");

        if (n < AWS_UNIT_CAP) {
            char part[AWS_UNIT_CAP];

            memcpy(part, path, n);
            part[n] = '\0';
            if (aws_unit_fits(part)) {
                memcpy(out, part, n + 1);
                found = true;
            }
        }
        path += n + (path[n] == '/');
    }
    return found;
}

static void accounts_row(struct directory_sync *s, json_t *row)
{
    char parent[AWS_UNIT_CAP];

    if (!aws_account_fits(json_text_of(row, "Id")))
        s->left_out++;
    else if (!path_parent(row, parent))
        s->forgot |= json_object_set(s->strays, json_text_of(row, "Id"), row) < 0;
    else if (!json_object_get(s->seen, parent))
        s->torn = true;
    else
        account_row(s, row, parent);
}

/* ---- accounts without a path ---------------------------------------------------------------- */

static void strays_row(struct directory_sync *s, json_t *row)
{
    if (json_object_del(s->strays, json_text_of(row, "Id")) == 0)
        account_row(s, row, unit_now(s));
}

static void strays_next(struct directory_sync *s);

static void strays_then(struct directory_sync *s)
{
    s->at++;
    strays_next(s);
}

static void strays_next(struct directory_sync *s)
{
    struct sync_ask ask = {.service = AWS_ORGANIZATIONS,
                           .operation = "ListAccountsForParent",
                           .member = "Accounts",
                           .row = strays_row,
                           .then = strays_then};

    if (json_object_size(s->strays) == 0) {
        sync_part_ends(s, NULL);
    } else if (!unit_now(s)) {
        sync_part_fails(s, AWS_ORGANIZATIONS, "ListAccountsForParent",
                        "the organisation changed while it was read");
    } else {
        ask.body = below(s);
        sync_pages(s, &ask);
    }
}

static void accounts_then(struct directory_sync *s)
{
    s->at = 0;
    if (s->torn)
        sync_part_fails(s, AWS_ORGANIZATIONS, "ListAccounts",
                        "the organisation changed while it was read");
    else
        strays_next(s);
}

/* ---- units ---------------------------------------------------------------------------------- */

/* Roots have no parent; other units that of the unit that is asked about. */
static void units_row(struct directory_sync *s, json_t *row)
{
    struct directory_row unit = {.kind = DIRECTORY_UNIT,
                                 .id = json_text_of(row, "Id"),
                                 .name = plain_name(row),
                                 .parent = s->rooted ? unit_now(s) : ""};

    if (!aws_unit_fits(unit.id)) {
        s->left_out++;
    } else if (!json_object_get(s->seen, unit.id)) {
        sync_seen(s, unit.id);
        sync_list(s, unit.id);
        sync_row(s, &unit);
    }
}

static void units_next(struct directory_sync *s);

static void units_then(struct directory_sync *s)
{
    s->at += s->rooted;
    s->rooted = true;
    units_next(s);
}

static void units_next(struct directory_sync *s)
{
    struct sync_ask units = {.service = AWS_ORGANIZATIONS,
                             .operation = "ListOrganizationalUnitsForParent",
                             .member = "OrganizationalUnits",
                             .row = units_row,
                             .then = units_then};
    struct sync_ask accounts = {.service = AWS_ORGANIZATIONS,
                                .operation = "ListAccounts",
                                .member = "Accounts",
                                .row = accounts_row,
                                .then = accounts_then};

    if (json_array_size(s->list) > DIRECTORY_UNITS_MAX) {
        sync_part_fails(s, AWS_ORGANIZATIONS, "ListOrganizationalUnitsForParent",
                        "there are too many units");
    } else if (unit_now(s)) {
        units.body = below(s);
        sync_pages(s, &units);
    } else {
        accounts.body = json_pack("{s:i}", "MaxResults", 20);
        sync_pages(s, &accounts);
    }
}

void accounts_begin(struct directory_sync *s)
{
    struct sync_ask ask = {.service = AWS_ORGANIZATIONS,
                           .operation = "ListRoots",
                           .member = "Roots",
                           .body = json_pack("{s:i}", "MaxResults", 20),
                           .row = units_row,
                           .then = units_then};

    s->rooted = s->torn = false;
    sync_pages(s, &ask);
}
