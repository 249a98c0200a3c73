#include "courier/why.h"

#include <stdarg.h>
#include <stdio.h>
#include <team/text.h>

void why_set(char why[AWS_TEXT_CAP], const char *format, ...)
{
    char line[2 * AWS_TEXT_CAP];
    va_list args;

    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    text_make_plain(why, AWS_TEXT_CAP, line, strlen(line));
}
