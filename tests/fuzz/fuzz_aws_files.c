/* Any bytes as ~/.aws/config, and as the command line of a credential_process: properties lie
 * inside the copy, in order, and can be found again. LIBFUZZER: -max_len=2048 */
#include "fuzz/fuzz.h"

#include "courier/ini.h"
#include "courier/process.h"

static void try_ini(const char *text, size_t len)
{
    char why[INI_WHY_CAP];
    struct ini ini;

    if (ini_parse(text, len, &ini, why) < 0) {
        must(why[0] >= '0' && why[0] <= '9', "an error names its line");
        return;
    }
    for (size_t i = 0; i < ini.n; i++) {
        const struct ini_property *p = &ini.items[i];

        must(p->section[0] != '\0', "a property has a section");
        must(p->line >= 1 && (i == 0 || p->line >= ini.items[i - 1].line), "lines go forward");
        must(strlen(p->value) <= len, "a value is no longer than its file");
        must(ini_find(&ini, p->section, p->above, p->name) >= p, "what is there is found");
    }
    ini_free(&ini);
}

static void try_words(char *line)
{
    char *out = malloc(strlen(line) + 1), *words[PROCESS_WORDS_MAX + 1];
    int n;

    must(out != NULL, "there is memory");
    n = process_words(line, out, words);
    must(n <= PROCESS_WORDS_MAX && (n < 0 || words[n] == NULL), "words end");
    for (int i = 0; i < n; i++)
        must(words[i] >= out && words[i] + strlen(words[i]) < out + strlen(line) + 1,
             "words lie in their memory");
    free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t len)
{
    struct fuel f = {input, len};
    size_t n;

    if (take(&f) % 4 == 0) {
        char *line = take_string(&f, f.left);

        try_words(line);
        free(line);
    } else {
        char *text = take_bytes(&f, f.left, &n);

        try_ini(text, n);
        free(text);
    }
    return 0;
}
