/* What was done with AWS access, for the bench:
 *
 *   activity fill DIR REQUESTS CALLS UID TEXTS
 *
 * A new store with so many requests of this person, each with so many calls, through the store's
 * own code; the records of CloudTrail are written to the file TEXTS as well, one a line, in the
 * order in which teamd looks through them. Prints the id of one request.
 *
 *   activity pour COURIER
 *
 * A courier (run it as team-courier) that says that what it is asked is done, and answers what is
 * asked of activity with new calls, as fast as teamd takes them, until it is killed. */
#include "bench.h"

#include "store/internal.h"

static const struct store_sizes SIZES = {.map = (size_t)64 << 30, .headroom = (size_t)2 << 30};

enum { DAY_S = 86400, RAW_CAP = 2048, BATCH = 50, AT_ONCE = 16, POUR_ROWS = 50 };

/* ---- calls ----------------------------------------------------------------------------------- */

static const char *const NAMES[] = {"DescribeInstances", "GetObject",         "ListBuckets",
                                    "PutObject",         "AssumeRole",        "GetBucketAcl",
                                    "DescribeVolumes",   "TerminateInstances"};

/* As long as CloudTrail's are. */
static void put_raw(char raw[RAW_CAP], const char *id, const char *name, int64_t s)
{
    snprintf(
        raw, RAW_CAP,
        "{\"eventVersion\":\"1.11\",\"userIdentity\":{\"type\":\"AssumedRole\",\"principalId\":"
        "\"AROAEXAMPLEEXAMPLE:alice@example.com\",\"arn\":\"arn:aws:sts::111122223333:assumed-"
        "role/AWSReservedSSO_Admin_0123456789abcdef/alice@example.com\",\"accountId\":"
        "\"111122223333\",\"accessKeyId\":\"ASIA%016llX\",\"sessionContext\":{\"sessionIssuer"
        "\":{\"type\":\"Role\",\"principalId\":\"AROAEXAMPLEEXAMPLE\",\"userName\":"
        "\"AWSReservedSSO_Admin_0123456789abcdef\"},\"attributes\":{\"mfaAuthenticated\":"
        "\"false\"}}},\"eventTime\":\"%lld\",\"eventSource\":\"ec2.amazonaws.com\","
        "\"eventName\":\"%s\",\"awsRegion\":\"eu-west-1\",\"sourceIPAddress\":\"192.0.2.7\","
        "\"userAgent\":\"aws-cli/2.15 Python/3.11 Linux/6.1 exe/x86_64 prompt/off\","
        "\"requestParameters\":{\"instancesSet\":{\"items\":[{\"instanceId\":\"i-%016llx\"}]}},"
        "\"responseElements\":null,\"eventID\":\"%s\",\"eventType\":\"AwsApiCall\","
        "\"managementEvent\":true,\"recipientAccountId\":\"111122223333\"}",
        (unsigned long long)chance(), (long long)s, name, (unsigned long long)chance(), id);
}

static struct activity call_of(uint64_t n, int64_t s, char id[40], char raw[RAW_CAP])
{
    const char *name = NAMES[n % (sizeof NAMES / sizeof NAMES[0])];

    snprintf(id, 40, "%08llx-%08llx-%08llx", (unsigned long long)(n & 0xffffffff),
             (unsigned long long)(chance() & 0xffffffff),
             (unsigned long long)(chance() & 0xffffffff));
    put_raw(raw, id, name, s);
    return (struct activity){.at = {s * SECOND_US},
                             .event_id = id,
                             .name = name,
                             .source = "ec2.amazonaws.com",
                             .region = "eu-west-1",
                             .address = "192.0.2.7",
                             .resource = "",
                             .error = n % 97 == 0 ? "AccessDenied" : "",
                             .read_only = n % 8 < 6,
                             .raw = raw,
                             .raw_size = (uint32_t)strlen(raw)};
}

/* ---- fill ------------------------------------------------------------------------------------ */

static struct request past_request(uint64_t i, unsigned uid, int64_t from_s)
{
    struct request r = {.id = {(i + 1) * UINT64_C(0x9e3779b97f) & ((UINT64_C(1) << 40) - 1)},
                        .requester = uid,
                        .state = REQ_ENDED,
                        .n_targets = 1,
                        .duration_s = 3600};
    static const char TARGET[] = "aws:111122223333/Admin";

    memcpy(r.requester_name.text, "alice", sizeof "alice");
    memcpy(r.host, "bastion-1", sizeof "bastion-1");
    target_parse(TARGET, strlen(TARGET), "bastion-1", &r.grants[0].target);
    r.grants[0].state = GRANT_CLOSED;
    r.requested_at = r.active_from = (struct wall){from_s * SECOND_US};
    r.active_until = r.ended_at = (struct wall){(from_s + 3600) * SECOND_US};
    r.grants[0].credentials_until = (struct wall){(from_s + 7200) * SECOND_US};
    r.due = (struct deadline){{NEVER_US}, {NEVER_US}};
    return r;
}

static void put_request(struct store *s, const struct request *r)
{
    static struct effects out;
    struct now now = {.wall = r->requested_at};

    out.n = 1;
    out.items[0].kind = EFFECT_REQUEST;
    out.items[0].request = *r;
    if (store_begin(s, now) < 0)
        die("the store cannot be written");
    store_add(s, &out);
    if (store_commit(s) < 0)
        die("the store cannot be written");
}

static void put_collection(struct store *s, const struct request *r)
{
    struct collection c = {.request = r->id, .stage = COLLECT_OVER};

    memcpy(c.account, "111122223333", sizeof "111122223333");
    memcpy(c.set, "Admin", sizeof "Admin");
    memcpy(c.user, "alice", sizeof "alice");
    c.from = r->active_from;
    c.until = c.cursor = r->grants[0].credentials_until;
    if (store_put_collection(s, (struct now){.wall = r->ended_at}, &c) < 0)
        die("a collection is not taken");
}

static void put_calls(struct store *s, const struct request *r, unsigned done, unsigned calls)
{
    static struct activity rows[BATCH];
    static char ids[BATCH][40], raws[BATCH][RAW_CAP];
    struct now now = {.wall = r->ended_at};
    struct wall oldest;
    unsigned n = calls - done < BATCH ? calls - done : BATCH;

    for (unsigned i = 0; i < n; i++)
        rows[i] = call_of(r->id.bits + done + i,
                          r->active_from.us / SECOND_US + (done + i) * 3600 / calls, ids[i],
                          raws[i]);
    if (store_add_activity(s, now, r->id, 0, rows, n, &oldest) != (int)n)
        die("calls are not taken");
}

/* As they lie in the store: by time and id. */
static int write_text(void *ctx, const struct activity *a)
{
    return fprintf(ctx, "%s\n", a->raw) < 0 ? -EIO : 0;
}

static void write_texts(struct store *s, const struct request *r, FILE *texts)
{
    struct activity_query q = {.request = r->id};
    size_t all = SIZE_MAX;

    if (store_activity(s, &q, &all, write_text, texts) < 0)
        die("the texts cannot be written");
}

/* Several requests at once, as they are where people work: their calls come in turns. */
static void fill(struct store *s, unsigned requests, unsigned calls, unsigned uid, FILE *texts)
{
    int64_t now_s = (int64_t)time(NULL);

    for (unsigned first = 0; first < requests; first += AT_ONCE) {
        struct request r[AT_ONCE];
        unsigned n = requests - first < AT_ONCE ? requests - first : AT_ONCE;

        for (unsigned i = 0; i < n; i++) {
            r[i] = past_request(first + i, uid, now_s - DAY_S - (int64_t)(first + i) * 600);
            put_request(s, &r[i]);
            put_collection(s, &r[i]);
        }
        for (unsigned done = 0; done < calls; done += BATCH)
            for (unsigned i = 0; i < n; i++)
                put_calls(s, &r[i], done, calls);
        for (unsigned i = 0; i < n; i++)
            write_texts(s, &r[i], texts);
    }
}

static int do_fill(char **argv)
{
    char id[TEXT_ID_LEN + 1];
    struct text t = text_over(id, sizeof id);
    FILE *texts = fopen(argv[6], "we");
    struct store *s = NULL;
    int r = store_open_sized(argv[2], "bastion-1", "11111111-2222-3333-4444-555555555555", SIZES,
                             &s);

    if (r < 0 || !texts)
        die("%s: %s", argv[2], strerror(r < 0 ? -r : errno));
    mdb_env_set_flags(s->env, MDB_NOSYNC, 1);
    fill(s, number(argv[3]), number(argv[4]), number(argv[5]), texts);
    if (fclose(texts) != 0 || mdb_env_sync(s->env, 1) != 0)
        die("%s: cannot be synced", argv[2]);
    store_close(s);
    text_put_id(&t, past_request(number(argv[3]) / 2, 0, 0).id.bits);
    puts(id);
    return 0;
}

/* ---- pour ------------------------------------------------------------------------------------ */

static char packet[TEAM_PACKET_MAX];
static char heard[TEAM_PACKET_MAX];

/* One ask, and the code of its answer. */
static uint64_t ask(int fd, struct wire_out *w)
{
    struct wire_msg msg;
    uint64_t code = TEAM_FAILED;
    ssize_t n;

    tell(fd, w->buf, wire_finish(w));
    n = recv(fd, heard, sizeof heard, 0);
    if (n <= 0 || wire_read(heard, (size_t)n, &msg) != WIRE_OK)
        die("teamd is gone");
    wire_find_u64(msg.fields, TEAM_CODE, &code);
    return code;
}

static struct wire_out about(unsigned op, uint64_t job, uint64_t round)
{
    struct wire_out w = wire_begin(packet, sizeof packet, TEAM_ASK, op);

    wire_put_u64(&w, TEAM_JOB, job);
    wire_put_u64(&w, TEAM_ROUND, round);
    return w;
}

static void result(int fd, uint64_t job, uint64_t round, const char *outcome)
{
    struct wire_out w = about(TEAM_OP_RESULT, job, round);

    wire_put(&w, TEAM_OUTCOME, outcome);
    ask(fd, &w);
}

/* What there is in this AWS: one of each. */
static void directory(int fd, uint64_t job, uint64_t round)
{
    static const struct {
        const char *kind;
        enum team_tag tags[4];
        const char *values[4];
    } ROWS[] = {
        {"org",
         {TEAM_IDENTITY, TEAM_OWN_ACCOUNT, TEAM_MANAGEMENT, TEAM_INSTANCE},
         {"arn:aws:x", "999900001111", "999900001111", "arn:aws:sso:::instance/ssoins-1"}},
        {"unit", {TEAM_UNIT, TEAM_LABEL}, {"r-ab12", "Root"}},
        {"account",
         {TEAM_ACCOUNT, TEAM_LABEL, TEAM_PARENT, TEAM_STATE},
         {"111122223333", "prod", "r-ab12", "active"}},
        {"set", {TEAM_SET_ARN, TEAM_PERMISSION_SET, TEAM_SESSION_S}, {"x/ps-1", "Admin", "3600"}},
        {"user", {TEAM_PRINCIPAL, TEAM_LABEL}, {"u-1", "alice"}},
    };
    struct wire_out w = about(TEAM_OP_READ, job, round);

    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
        struct wire_mark mark = wire_group(&w, TEAM_ROW);

        wire_put(&w, TEAM_KIND, ROWS[i].kind);
        for (size_t k = 0; k < 4 && ROWS[i].values[k]; k++)
            wire_put(&w, ROWS[i].tags[k], ROWS[i].values[k]);
        wire_group_end(&w, mark);
    }
    wire_put_u64(&w, TEAM_LAST, 1);
    ask(fd, &w);
}

static void put_call(struct wire_out *w, uint64_t n)
{
    char id[40], raw[RAW_CAP];
    struct activity a = call_of(n, (int64_t)time(NULL), id, raw);
    struct wire_mark mark = wire_group(w, TEAM_ROW);

    wire_put(w, TEAM_KIND, "call");
    wire_put_u64(w, TEAM_AT, (uint64_t)a.at.us);
    wire_put(w, TEAM_EVENT_ID, a.event_id);
    wire_put(w, TEAM_EVENT_NAME, a.name);
    wire_put(w, TEAM_EVENT_SOURCE, a.source);
    wire_put(w, TEAM_RAW, a.raw);
    wire_group_end(w, mark);
}

static void pour(int fd, uint64_t job, uint64_t round)
{
    for (uint64_t n = 0;;) {
        struct wire_out w = about(TEAM_OP_FOUND, job, round);

        for (unsigned i = 0; i < POUR_ROWS; i++)
            put_call(&w, n++);
        if (ask(fd, &w) != TEAM_DONE)
            die("teamd does not take calls: %s", heard);
    }
}

static void obey(int fd, struct wire_span row)
{
    static const char *const OUTCOMES[][2] = {
        {"look", "absent"}, {"make", "made"}, {"check", "there"}, {"inventory", "done"}};
    uint64_t job = 0, round = 0;
    char step[17];

    wire_find_u64(row, TEAM_JOB, &job);
    wire_find_u64(row, TEAM_ROUND, &round);
    wire_copy(row, TEAM_STEP, step, sizeof step);
    for (size_t i = 0; i < sizeof OUTCOMES / sizeof OUTCOMES[0]; i++)
        if (strcmp(step, OUTCOMES[i][0]) == 0)
            result(fd, job, round, OUTCOMES[i][1]);
    if (strcmp(step, "refresh") == 0)
        directory(fd, job, round);
    if (strcmp(step, "activity") == 0)
        pour(fd, job, round);
}

static int do_pour(const char *path)
{
    int work = reach(path), fd = reach(path);
    struct wire_out w = wire_begin(packet, sizeof packet, TEAM_ASK, TEAM_OP_WORK);
    static char jobs[TEAM_PACKET_MAX];

    tell(work, w.buf, wire_finish(&w));
    for (;;) {
        ssize_t n = recv(work, jobs, sizeof jobs, 0);
        struct wire_msg msg;

        if (n <= 0 || wire_read(jobs, (size_t)n, &msg) != WIRE_OK)
            die("teamd is gone");
        for (struct wire_span row; row = wire_each(&msg.fields, TEAM_ROW), row.at;)
            obey(fd, row);
    }
}

int main(int argc, char **argv)
{
    if (argc == 7 && strcmp(argv[1], "fill") == 0)
        return do_fill(argv);
    if (argc == 3 && strcmp(argv[1], "pour") == 0)
        return do_pour(argv[2]);
    return 2;
}
