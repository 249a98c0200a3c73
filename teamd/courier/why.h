/* What went wrong, for people: one printable line, cut where it is too long. */
#pragma once

#include "courier/aws.h"

__attribute__((format(printf, 2, 3))) void why_set(char why[AWS_TEXT_CAP], const char *format, ...);
