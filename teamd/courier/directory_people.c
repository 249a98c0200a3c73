/* The people and groups of the Identity Store. Nothing here is kept but the ids of groups whose
 * members are wanted. */
#include "courier/directory_parts.h"

#include "courier/json.h"

static json_t *store_body(const struct directory_sync *s)
{
    return json_pack("{s:s, s:i}", "IdentityStoreId", s->place.store, "MaxResults", 100);
}

static void part_then(struct directory_sync *s)
{
    sync_part_ends(s, NULL);
}

/* ---- users ---------------------------------------------------------------------------------- */

static void users_row(struct directory_sync *s, json_t *row)
{
    struct directory_row user = {.kind = DIRECTORY_USER,
                                 .id = json_text_of(row, "UserId"),
                                 .name = json_text_of(row, "UserName"),
                                 .parent = ""};

    if (!aws_principal_fits(user.id) || !aws_name_fits(user.name, AWS_NAME_CAP))
        s->left_out++;
    else
        sync_row(s, &user);
}

void users_begin(struct directory_sync *s)
{
    struct sync_ask ask = {.service = AWS_IDENTITYSTORE,
                           .operation = "ListUsers",
                           .member = "Users",
                           .body = store_body(s),
                           .row = users_row,
                           .then = part_then};

    sync_pages(s, &ask);
}

/* ---- groups, then the members of one after the other ---------------------------------------- */

static const char *group_now(const struct directory_sync *s)
{
    return json_string_value(json_array_get(s->list, s->at));
}

static void members_row(struct directory_sync *s, json_t *row)
{
    struct directory_row member = {
        .kind = DIRECTORY_MEMBER,
        .id = group_now(s),
        .name = "",
        .parent = json_text_of(json_object_get(row, "MemberId"), "UserId")};

    if (!aws_principal_fits(member.parent))
        s->left_out++;
    else
        sync_row(s, &member);
}

static void members_next(struct directory_sync *s);

static void members_then(struct directory_sync *s)
{
    s->at++;
    members_next(s);
}

static void members_next(struct directory_sync *s)
{
    struct sync_ask ask = {.service = AWS_IDENTITYSTORE,
                           .operation = "ListGroupMemberships",
                           .member = "GroupMemberships",
                           .row = members_row,
                           .then = members_then,
                           /* a group that has gone since it was listed has no members */
                           .forgiven = "ResourceNotFoundException"};

    if (s->at == json_array_size(s->list)) {
        sync_part_ends(s, NULL);
        return;
    }
    ask.body = store_body(s);
    json_object_set_new(ask.body, "GroupId", json_string(group_now(s)));
    sync_pages(s, &ask);
}

static bool group_is_wanted(const struct directory_sync *s, const char *id, const char *name)
{
    return !s->dropped && (!s->calls.wanted || s->calls.wanted(s->calls.ctx, id, name));
}

static void groups_row(struct directory_sync *s, json_t *row)
{
    struct directory_row group = {.kind = DIRECTORY_GROUP,
                                  .id = json_text_of(row, "GroupId"),
                                  .name = json_text_of(row, "DisplayName"),
                                  .parent = ""};

    if (!aws_principal_fits(group.id) || !aws_name_fits(group.name, AWS_NAME_CAP)) {
        s->left_out++;
        return;
    }
    sync_row(s, &group);
    if (!json_object_get(s->seen, group.id) && group_is_wanted(s, group.id, group.name)) {
        sync_seen(s, group.id);
        sync_list(s, group.id);
    }
}

static void groups_then(struct directory_sync *s)
{
    if (json_array_size(s->list) > DIRECTORY_GROUPS_MAX)
        sync_part_fails(s, AWS_IDENTITYSTORE, "ListGroups", "there are too many groups");
    else
        members_next(s);
}

void groups_begin(struct directory_sync *s)
{
    struct sync_ask ask = {.service = AWS_IDENTITYSTORE,
                           .operation = "ListGroups",
                           .member = "Groups",
                           .body = store_body(s),
                           .row = groups_row,
                           .then = groups_then};

    sync_pages(s, &ask);
}
