#include "courier/permissions.h"

/* clang-format off */

const struct permission PERMISSIONS[] = {
    {AWS_ORGANIZATIONS, "DescribeOrganization", 0, false},
    {AWS_ORGANIZATIONS, "ListRoots", 0, false},
    {AWS_ORGANIZATIONS, "ListOrganizationalUnitsForParent", ABOUT_UNIT, false},
    {AWS_ORGANIZATIONS, "ListAccounts", 0, false},
    {AWS_ORGANIZATIONS, "ListAccountsForParent", ABOUT_UNIT, false},
    {AWS_SSO_ADMIN, "ListInstances", 0, false},
    {AWS_SSO_ADMIN, "ListPermissionSets", ABOUT_INSTANCE, false},
    {AWS_SSO_ADMIN, "DescribePermissionSet", ABOUT_INSTANCE | ABOUT_SET, false},
    {AWS_SSO_ADMIN, "ListPermissionSetsProvisionedToAccount", ABOUT_INSTANCE | ABOUT_ACCOUNT, false},
    {AWS_SSO_ADMIN, "ListAccountsForProvisionedPermissionSet", ABOUT_INSTANCE | ABOUT_SET, false},
    {AWS_SSO_ADMIN, "ListAccountAssignments", ABOUT_INSTANCE | ABOUT_SET | ABOUT_ACCOUNT, false},
    {AWS_SSO_ADMIN, "CreateAccountAssignment", 0, true},
    {AWS_SSO_ADMIN, "DescribeAccountAssignmentCreationStatus", ABOUT_INSTANCE | ABOUT_CREATION, false},
    {AWS_SSO_ADMIN, "ListAccountAssignmentCreationStatus", ABOUT_INSTANCE, false},
    {AWS_SSO_ADMIN, "DeleteAccountAssignment", 0, true},
    {AWS_SSO_ADMIN, "DescribeAccountAssignmentDeletionStatus", ABOUT_INSTANCE | ABOUT_DELETION, false},
    {AWS_IDENTITYSTORE, "ListUsers", ABOUT_STORE, false},
    {AWS_IDENTITYSTORE, "ListGroups", ABOUT_STORE, false},
    {AWS_IDENTITYSTORE, "ListGroupMemberships", ABOUT_STORE | ABOUT_GROUP, false},
};
const size_t N_PERMISSIONS = sizeof PERMISSIONS / sizeof PERMISSIONS[0];

/* clang-format on */

/* IAM has names of its own for services. */
static const char *prefix(enum aws_service service)
{
    return service == AWS_SSO_ADMIN ? "sso" : aws_service_name(service);
}

void permission_name(const struct permission *p, char out[PERMISSION_CAP])
{
    snprintf(out, PERMISSION_CAP, "%s:%s", prefix(p->service), p->operation);
}

static void print(FILE *to, const struct permission *all, size_t n)
{
    char name[PERMISSION_CAP];

    fputs("{\n"
          "  \"Version\": \"2012-10-17\",\n"
          "  \"Statement\": [{\n"
          "    \"Effect\": \"Allow\",\n"
          "    \"Action\": [\n",
          to);
    for (size_t i = 0; i < n; i++) {
        permission_name(&all[i], name);
        fprintf(to, "      \"%s\"%s\n", name, i + 1 < n ? "," : "");
    }
    fputs("    ],\n"
          "    \"Resource\": \"*\"\n"
          "  }]\n"
          "}\n",
          to);
}

void permissions_print(FILE *to)
{
    print(to, PERMISSIONS, N_PERMISSIONS);
}

void permissions_print_activity(FILE *to, enum activity_kind kind)
{
    static const struct permission LOGS[] = {{AWS_LOGS, "FilterLogEvents", 0, false},
                                             {AWS_LOGS, "StartQuery", 0, false},
                                             {AWS_LOGS, "GetQueryResults", 0, false},
                                             {AWS_LOGS, "StopQuery", 0, false}};
    static const struct permission LOOKUP[] = {{AWS_CLOUDTRAIL, "LookupEvents", 0, false}};
    static const struct permission LAKE[] = {{AWS_CLOUDTRAIL, "StartQuery", 0, false},
                                             {AWS_CLOUDTRAIL, "DescribeQuery", 0, false},
                                             {AWS_CLOUDTRAIL, "GetQueryResults", 0, false},
                                             {AWS_CLOUDTRAIL, "CancelQuery", 0, false}};

    if (kind == ACTIVITY_LOGS)
        print(to, LOGS, sizeof LOGS / sizeof LOGS[0]);
    else if (kind == ACTIVITY_LOOKUP)
        print(to, LOOKUP, sizeof LOOKUP / sizeof LOOKUP[0]);
    else
        print(to, LAKE, sizeof LAKE / sizeof LAKE[0]);
}
