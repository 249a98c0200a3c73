#include "courier/names.h"

#include "team/text.h"

#include <string.h>

/* Is every character of s, 1 to `cap` - 1 of them, a letter, a digit, or in `others`? */
static bool made_of(const char *s, size_t cap, const char *others)
{
    size_t n = strnlen(s, cap);

    if (n == 0 || n == cap)
        return false;
    for (size_t i = 0; i < n; i++) {
        bool letter = (s[i] >= 'a' && s[i] <= 'z') || (s[i] >= 'A' && s[i] <= 'Z');

        if (!letter && !(s[i] >= '0' && s[i] <= '9') && !strchr(others, s[i]))
            return false;
    }
    return true;
}

bool aws_account_fits(const char *s)
{
    return strspn(s, "0123456789") == AWS_ACCOUNT_CAP - 1 && s[AWS_ACCOUNT_CAP - 1] == '\0';
}

bool aws_set_fits(const char *s)
{
    return made_of(s, AWS_SET_ARN_CAP, "-./:") && strncmp(s, "arn:", 4) == 0 &&
           strstr(s, ":sso:::") && strstr(s, "/ps-");
}

bool aws_instance_fits(const char *s)
{
    return made_of(s, AWS_INSTANCE_CAP, "-./:") && strncmp(s, "arn:", 4) == 0 &&
           strstr(s, ":sso:::instance/");
}

bool aws_store_fits(const char *s)
{
    return made_of(s, AWS_STORE_CAP, "-");
}

bool aws_principal_fits(const char *s)
{
    return made_of(s, AWS_PRINCIPAL_CAP, "-");
}

bool aws_request_fits(const char *s)
{
    return made_of(s, AWS_REQUEST_CAP, "-");
}

bool aws_unit_fits(const char *s)
{
    return made_of(s, AWS_UNIT_CAP, "-") && (strncmp(s, "ou-", 3) == 0 || strncmp(s, "r-", 2) == 0);
}

bool aws_name_fits(const char *s, size_t cap)
{
    size_t n = strnlen(s, cap);

    return n > 0 && n < cap && text_is_plain(s, n);
}
