/* Questions to two teamds in turns, as the person who calls this:
 *   questions ROUNDS OURS OTHER QUESTION...
 * A question is an op and fields, "LIST LIMIT=20 STATES=active". Both have to give the same number
 * of rows. One line for each: its number, both medians in us, the ratio, how many rows. */
#include "asks.h"

static const struct {
    const char *name;
    enum team_op op;
} OPS[] = {
    {"LIST", TEAM_OP_LIST},       {"PENDING", TEAM_OP_PENDING}, {"SHOW", TEAM_OP_SHOW},
    {"AUDIT", TEAM_OP_AUDIT},     {"STATUS", TEAM_OP_STATUS},   {"SESSIONS", TEAM_OP_SESSIONS},
    {"TARGETS", TEAM_OP_TARGETS},
};

static const struct {
    const char *name;
    enum team_tag tag;
} TAGS[] = {
#define X(name, tag, max, class, times) {#name, TEAM_##name},
    TEAM_FIELDS(X)
#undef X
};

static struct wire_out write_ask(const char *question, char *buf, size_t cap)
{
    char line[512], *rest = line, *word = NULL;
    struct wire_out w = {.bad = true};

    snprintf(line, sizeof line, "%s", question);
    word = strsep(&rest, " ");
    for (size_t i = 0; i < sizeof OPS / sizeof OPS[0]; i++)
        if (strcmp(OPS[i].name, word) == 0)
            w = wire_begin(buf, cap, TEAM_ASK, OPS[i].op);
    while ((word = strsep(&rest, " "))) {
        const char *value = strchr(word, '=');

        for (size_t i = 0; value && i < sizeof TAGS / sizeof TAGS[0]; i++)
            if (strlen(TAGS[i].name) == (size_t)(value - word) &&
                strncmp(TAGS[i].name, word, (size_t)(value - word)) == 0)
                wire_put(&w, TAGS[i].tag, value + 1);
    }
    if (w.bad)
        die("%s: not a question", question);
    return w;
}

static double wait_of(const char *path, const char *question, unsigned *ret_rows)
{
    char buf[TEAM_ASK_PACKET_MAX];
    struct wire_out w = write_ask(question, buf, sizeof buf);
    struct heard a;
    double begin = now_us();

    *ret_rows = ask_once(path, &w, &a);
    return now_us() - begin;
}

int main(int argc, char **argv)
{
    unsigned rounds, order[2], rows[2];
    double *us[2];

    if (argc < 5 || (rounds = number(argv[1])) == 0)
        return 2;
    us[0] = room_for(rounds, sizeof(double));
    us[1] = room_for(rounds, sizeof(double));
    for (int q = 4; q < argc; q++) {
        char name[16];

        for (unsigned k = 0; k < 2; k++)
            wait_of(argv[2 + k], argv[q], &rows[k]);
        if (rows[0] != rows[1])
            die("%s: %u rows here and %u there", argv[q], rows[0], rows[1]);
        for (unsigned i = 0; i < rounds; i++) {
            shuffled(order, 2);
            for (unsigned k = 0; k < 2; k++)
                us[order[k]][i] = wait_of(argv[2 + order[k]], argv[q], &rows[order[k]]);
        }
        snprintf(name, sizeof name, "%u", rows[0]);
        print_ratio(name, us[0], us[1], rounds);
    }
    return 0;
}
