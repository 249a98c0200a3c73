#include "../pam_team/verdict.h"
#include "pam_stack.h"

const char *pam_wrong_argument(char *arguments)
{
    enum { ARGUMENTS_MAX = 32 };
    const char *argv[ARGUMENTS_MAX], *word;
    int argc = 0;

    while (argc < ARGUMENTS_MAX && (word = take_word(&arguments), word[0] != '\0'))
        argv[argc++] = word;
    return options_parse(argc, argv).wrong;
}
