/* Forms of AWS's names. */
#include "courier/names.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static bool name_fits(const char *s)
{
    return aws_name_fits(s, AWS_SET_NAME_CAP);
}

static const struct {
    bool (*fits)(const char *s);
    bool yes;
    const char *s;
} NAMES[] = {
    {aws_account_fits, true, "111122223333"},
    {aws_account_fits, false, "11112222333"},
    {aws_account_fits, false, "1111222233334"},
    {aws_account_fits, false, "11112222333a"},
    {aws_account_fits, false, ""},
    {aws_set_fits, true, "arn:aws:sso:::permissionSet/ssoins-1111222233334444/ps-0000000000000001"},
    {aws_set_fits, true, "arn:aws-us-gov:sso:::permissionSet/ins-1111222233334444/ps-0.a-/0000001"},
    {aws_set_fits, true, "arn:aws:sso:::instance/ssoins-1111222233334444/ps-0000000000000001"},
    {aws_set_fits, false, "arn:aws:sso:::permissionSet/ssoins-1111222233334444"},
    {aws_set_fits, false, "arn:aws:iam::aws:policy/ps-0000000000000001"},
    {aws_set_fits, false, "arn:aws:sso:::permissionSet/ssoins-1/ps-1\n"},
    {aws_set_fits, false,
     "arn:aws:sso:::permissionSet/"
     "ssoins-11112222333344441111222233334444111122223333444411112222333344441111222233334444/ps-1"
     "1111222233334444"},
    {aws_set_fits, false, ""},
    {aws_instance_fits, true, "arn:aws:sso:::instance/ssoins-1111222233334444"},
    {aws_instance_fits, false, "ssoins-1111222233334444"},
    {aws_store_fits, true, "d-1234567890"},
    {aws_store_fits, false, "d-1234567890/"},
    {aws_principal_fits, true, "93671ce2d0-8b57cf2a-ba9f-4d5e-9c5f-1c3f9a7e1a2b"},
    {aws_principal_fits, false, "alice@example.com"},
    {aws_principal_fits, false, "93671ce2d0-8b57cf2a-ba9f-4d5e-9c5f-1c3f9a7e1a2b0"},
    {aws_request_fits, true, "11111111-2222-3333-4444-555555555555"},
    {aws_request_fits, false, "11111111-2222-3333-4444-5555555555555"},
    {aws_unit_fits, true, "ou-ab12-11111111"},
    {aws_unit_fits, true, "r-ab12"},
    {aws_unit_fits, false, "o-ab12"},
    {aws_unit_fits, false, "ou-ab12/11111111"},
    {name_fits, true, "AdministratorAccess"},
    {name_fits, true, "Zugänge"},
    {name_fits, false, ""},
    {name_fits, false, "a\tb"},
    {name_fits, false, "\xff"},
    {name_fits, false, "a name that has one byte too many"},
};

static void test_forms(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof NAMES / sizeof NAMES[0]; i++)
        if (NAMES[i].fits(NAMES[i].s) != NAMES[i].yes)
            fail_msg("\"%s\" (line %zu)", NAMES[i].s, i);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_forms)};

    return cmocka_run_group_tests_name("names of AWS", tests, NULL, NULL);
}
