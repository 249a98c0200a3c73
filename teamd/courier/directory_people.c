/* The people and groups of the Identity Store. Nothing here is kept but the ids of groups whose
 * members are wanted. */
#include "courier/directory_parts.h"

#include "courier/json.h"

static json_t *store_body(const struct directory_sync *s)
{
    return json_pack("{s:s, s:i}", "IdentityStoreId", s->place.store, "MaxResults", 100);
}

static void part_end(void *ctx, const struct aws_failure *failure)
{
    struct directory_sync *s = ctx;

    s->pages = NULL;
    sync_part_ends(s, failure);
}

/* ---- users ---------------------------------------------------------------------------------- */

static void users_rows(void *ctx, const json_t *rows)
{
    struct directory_sync *s = ctx;
    const json_t *row;
    size_t i;

    sync_hold(s);
    json_array_foreach(rows, i, row)
    {
        struct directory_row user = {.kind = DIRECTORY_USER,
                                     .id = json_text_of(row, "UserId"),
                                     .name = json_text_of(row, "UserName"),
                                     .parent = ""};

        if (!aws_principal_fits(user.id) || !aws_name_fits(user.name, AWS_NAME_CAP))
            s->left_out++;
        else if (!sync_row(s, &user))
            break;
    }
    sync_release(s);
}

void users_begin(struct directory_sync *s)
{
    struct pages_ask ask = {.service = AWS_IDENTITYSTORE,
                            .operation = "ListUsers",
                            .member = "Users",
                            .urgency = AWS_SOMETIME,
                            .body = store_body(s)};

    sync_pages(s, &ask, users_rows, part_end);
}

/* ---- groups, then the members of one after the other ---------------------------------------- */

static const char *group_now(const struct directory_sync *s)
{
    return json_string_value(json_array_get(s->list, s->at));
}

static void members_rows(void *ctx, const json_t *rows)
{
    struct directory_sync *s = ctx;
    const json_t *row;
    size_t i;

    sync_hold(s);
    json_array_foreach(rows, i, row)
    {
        struct directory_row member = {
            .kind = DIRECTORY_MEMBER,
            .id = group_now(s),
            .name = "",
            .parent = json_text_of(json_object_get(row, "MemberId"), "UserId")};

        if (!aws_principal_fits(member.parent))
            s->left_out++;
        else if (!sync_row(s, &member))
            break;
    }
    sync_release(s);
}

static void members_next(struct directory_sync *s);

static void members_end(void *ctx, const struct aws_failure *failure)
{
    struct directory_sync *s = ctx;

    s->pages = NULL;
    if (failure && strcmp(failure->code, "ResourceNotFoundException") != 0) {
        sync_part_ends(s, failure);
        return;
    }
    s->at++; /* a group that has gone since it was listed has no members */
    members_next(s);
}

static void members_next(struct directory_sync *s)
{
    struct pages_ask ask = {.service = AWS_IDENTITYSTORE,
                            .operation = "ListGroupMemberships",
                            .member = "GroupMemberships",
                            .urgency = AWS_SOMETIME};

    if (s->at == json_array_size(s->list)) {
        sync_part_ends(s, NULL);
        return;
    }
    ask.body = store_body(s);
    json_object_set_new(ask.body, "GroupId", json_string(group_now(s)));
    sync_pages(s, &ask, members_rows, members_end);
}

static bool group_is_wanted(const struct directory_sync *s, const char *id, const char *name)
{
    return !s->dropped && (!s->calls.wanted || s->calls.wanted(s->calls.ctx, id, name));
}

static void groups_rows(void *ctx, const json_t *rows)
{
    struct directory_sync *s = ctx;
    const json_t *row;
    size_t i;

    sync_hold(s);
    json_array_foreach(rows, i, row)
    {
        struct directory_row group = {.kind = DIRECTORY_GROUP,
                                      .id = json_text_of(row, "GroupId"),
                                      .name = json_text_of(row, "DisplayName"),
                                      .parent = ""};

        if (!aws_principal_fits(group.id) || !aws_name_fits(group.name, AWS_NAME_CAP)) {
            s->left_out++;
            continue;
        }
        if (!sync_row(s, &group))
            break;
        if (!json_object_get(s->seen, group.id) && group_is_wanted(s, group.id, group.name)) {
            sync_seen(s, group.id);
            sync_list(s, group.id);
        }
    }
    sync_release(s);
}

static void groups_end(void *ctx, const struct aws_failure *failure)
{
    struct directory_sync *s = ctx;

    s->pages = NULL;
    if (failure)
        sync_part_ends(s, failure);
    else if (json_array_size(s->list) > DIRECTORY_GROUPS_MAX)
        sync_part_fails(s, AWS_IDENTITYSTORE, "ListGroups", "there are too many groups");
    else
        members_next(s);
}

void groups_begin(struct directory_sync *s)
{
    struct pages_ask ask = {.service = AWS_IDENTITYSTORE,
                            .operation = "ListGroups",
                            .member = "Groups",
                            .urgency = AWS_SOMETIME,
                            .body = store_body(s)};

    sync_pages(s, &ask, groups_rows, groups_end);
}
