/* Records as bytes: golden ones, round trips, and damage. */
#include "store/chain.h"
#include "store/codec.h"

#include "store_kit.h"

#include <sodium.h>

/* ---- one of each ----------------------------------------------------------------------------- */

static const struct boot_mark MARK = {{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}};

static struct kept_request full_request(void)
{
    struct kept_request k;

    memset(&k, 0, sizeof k);
    k.request = kit_full_request();
    k.boot = MARK;
    return k;
}

static struct kept_session full_session(void)
{
    struct kept_session k;

    memset(&k, 0, sizeof k);
    k.session = kit_full_session();
    k.boot = MARK;
    return k;
}

static const struct decision DECISION = {.id = {0x9a7c5b3e1d},
                                         .number = 2,
                                         .approved = true,
                                         .about = ABOUT_EXTENSION,
                                         .uid = 1002,
                                         .by = {"bob"},
                                         .at = {1767225700000000},
                                         .comment = "go ahead, M\xc3\xbcnchen knows"};

static const struct words WORDS = {{0x9a7c5b3e1d}, WORDS_TICKET, "CHG-4711"};

static const struct trail_event EVENT = {.seq = 7,
                                         .at = {1767225700000001},
                                         .host = HOST,
                                         .actor = "bob",
                                         .action = "request.approve",
                                         .id = {0x9a7c5b3e1d},
                                         .target = "host:bastion-1/sudo",
                                         .outcome = "done",
                                         .detail = "2 of 2",
                                         .prev = {0xaa, 0xbb}};

static const struct ledger LEDGER = {.last_commit = {1767225700000002},
                                     .last_session = 42,
                                     .last_seq = 7,
                                     .last_at = {1767225700000001},
                                     .head = {0xcc, 0xdd},
                                     .last_errand = 99,
                                     .directory_as_of = {1767225600000003},
                                     .boot_id = BOOT_1};

static const struct aws_names NAMES = {.id = {0x9a7c5b3e1d},
                                       .grant = 1,
                                       .account = "Prod M\xc3\xbcnchen",
                                       .user = "alice@example.com"};

static const struct activity ACTIVITY_1 = {.number = 7,
                                           .target = 1,
                                           .name = "RunInstances",
                                           .source = "ec2.amazonaws.com",
                                           .region = "eu-west-1",
                                           .address = "192.0.2.7",
                                           .resource = "i-0123456789abcdef0",
                                           .error = "AccessDenied",
                                           .read_only = true,
                                           .raw = "{\"eventVersion\":\"1.11\"}",
                                           .raw_size = 24};

/* Each kind of record under one roof: how to write the full one, and how to read and write back. */
static size_t write_request(uint8_t *out)
{
    struct kept_request k = full_request();

    return record_write_request(&k, out);
}

static size_t write_session(uint8_t *out)
{
    struct kept_session k = full_session();

    return record_write_session(&k, out);
}

static size_t write_decision(uint8_t *out)
{
    return record_write_decision(&DECISION, out);
}

static size_t write_words(uint8_t *out)
{
    return record_write_words(&WORDS, out);
}

static size_t write_names(uint8_t *out)
{
    return record_write_names(&NAMES, out);
}

static size_t write_errand(uint8_t *out)
{
    struct errand e = kit_errand(77, ERRAND_REMOVING);

    return record_write_errand(&e, out);
}

static size_t write_event(uint8_t *out)
{
    struct trail_event e = EVENT;

    return chain_seal(&e, out);
}

static size_t write_collection(uint8_t *out)
{
    struct collection c = kit_full_collection();

    return record_write_collection(&c, out);
}

static size_t write_activity(uint8_t *out)
{
    return record_write_activity(&ACTIVITY_1, out); /* it is small */
}

static size_t write_ledger(uint8_t *out)
{
    return record_write_ledger(&LEDGER, out);
}

#define AGAIN(what, type)                                                                   \
    static int again_##what(const uint8_t *data, size_t len, uint8_t *out, size_t *ret_len) \
    {                                                                                       \
        type v;                                                                             \
        int r = record_read_##what(data, len, &v);                                          \
                                                                                            \
        if (r == 0)                                                                         \
            *ret_len = record_write_##what(&v, out);                                        \
        return r;                                                                           \
    }

AGAIN(request, struct kept_request)
AGAIN(session, struct kept_session)
AGAIN(decision, struct decision)
AGAIN(words, struct words)
AGAIN(names, struct aws_names)
AGAIN(errand, struct errand)
AGAIN(ledger, struct ledger)
AGAIN(collection, struct collection)
AGAIN(activity, struct activity)

static int again_event(const uint8_t *data, size_t len, uint8_t *out, size_t *ret_len)
{
    struct trail_event e;
    int r = chain_read(data, len, &e);

    if (r == 0)
        *ret_len = chain_seal(&e, out);
    return r;
}

static const struct kind {
    const char *file;
    size_t (*write)(uint8_t *out);
    int (*again)(const uint8_t *data, size_t len, uint8_t *out, size_t *ret_len);
    bool sealed;
} KINDS[] = {
    {"record-request", write_request, again_request, false},
    {"record-session", write_session, again_session, false},
    {"record-decision", write_decision, again_decision, false},
    {"record-words", write_words, again_words, false},
    {"record-event", write_event, again_event, true},
    {"record-ledger", write_ledger, again_ledger, false},
    {"record-names", write_names, again_names, false},
    {"record-errand", write_errand, again_errand, false},
    {"record-collection", write_collection, again_collection, false},
    {"record-activity", write_activity, again_activity, false},
};

enum { N_KINDS = sizeof KINDS / sizeof KINDS[0] };

/* ---- golden bytes ---------------------------------------------------------------------------- */

static size_t load(const char *name, uint8_t *out, size_t cap)
{
    char path[128], line[512];
    size_t n = 0;
    FILE *f;

    snprintf(path, sizeof path, "tests/golden/%s.hex", name);
    f = fopen(path, "re");
    if (!f)
        fail_msg("%s: %s (run in the top folder)", path, strerror(errno));
    while (fgets(line, sizeof line, f)) {
        size_t got;

        line[strcspn(line, "#\n")] = '\0';
        assert_int_equal(sodium_hex2bin(out + n, cap - n, line, strlen(line), " ", &got, NULL), 0);
        n += got;
    }
    fclose(f);
    return n;
}

static void a_record_is_written_as_the_golden_bytes(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_KINDS; i++) {
        uint8_t golden[SEALED_MAX], written[SEALED_MAX];
        size_t len = load(KINDS[i].file, golden, sizeof golden);

        assert_int_equal(KINDS[i].write(written), len);
        assert_memory_equal(written, golden, len);
    }
}

static void golden_bytes_are_read_and_written_back_unchanged(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_KINDS; i++) {
        uint8_t golden[SEALED_MAX], written[SEALED_MAX];
        size_t len = load(KINDS[i].file, golden, sizeof golden), n = 0;

        assert_int_equal(KINDS[i].again(golden, len, written, &n), 0);
        assert_int_equal(n, len);
        assert_memory_equal(written, golden, len);
    }
}

/* ---- nothing is lost ------------------------------------------------------------------------- */

static void no_byte_of_a_request_or_session_is_lost(void **state)
{
    struct kept_request r = full_request(), r2;
    struct kept_session s = full_session(), s2;
    uint8_t out[RECORD_MAX];
    size_t n;

    (void)state;
    memset(&r2, 0, sizeof r2);
    memset(&s2, 0, sizeof s2);
    n = record_write_request(&r, out);
    assert_int_equal(record_read_request(out, n, &r2), 0);
    assert_memory_equal(&r, &r2, sizeof r);
    n = record_write_session(&s, out);
    assert_int_equal(record_read_session(out, n, &s2), 0);
    assert_memory_equal(&s, &s2, sizeof s);
}

/* Where this fails, a struct has changed: give the new field a row in codec.c and a value in
 * store_kit.h, then write the new size here. (`due`, `kills` and `warned` of a session are not
 * kept, and session.h says so.) */
static void no_struct_has_grown_a_field_that_is_not_kept(void **state)
{
    (void)state;
    assert_int_equal(sizeof(struct request), 2776);
    assert_int_equal(sizeof(struct errand), 424);
    assert_int_equal(sizeof(struct aws_names), 32);
    assert_int_equal(sizeof(struct session), 1240);
    assert_int_equal(sizeof(struct decision), 96);
    assert_int_equal(sizeof(struct words), 24);
    assert_int_equal(sizeof(struct trail_event), 136);
    assert_int_equal(sizeof(struct collection), 5928);
    assert_int_equal(sizeof(struct activity), 112);
}

static void decisions_words_and_events_come_back_as_they_were(void **state)
{
    uint8_t out[SEALED_MAX];
    struct trail_event e = EVENT, e2;
    struct decision d;
    struct words w;

    (void)state;
    assert_int_equal(record_read_decision(out, write_decision(out), &d), 0);
    assert_int_equal(d.id.bits, DECISION.id.bits);
    assert_int_equal(d.number, DECISION.number);
    assert_int_equal(d.approved, DECISION.approved);
    assert_int_equal(d.about, DECISION.about);
    assert_int_equal(d.uid, DECISION.uid);
    assert_string_equal(d.by.text, DECISION.by.text);
    assert_int_equal(d.at.us, DECISION.at.us);
    assert_string_equal(d.comment, DECISION.comment);

    assert_int_equal(record_read_words(out, write_words(out), &w), 0);
    assert_int_equal(w.id.bits, WORDS.id.bits);
    assert_int_equal(w.kind, WORDS.kind);
    assert_string_equal(w.text, WORDS.text);

    assert_int_equal(chain_read(out, chain_seal(&e, out), &e2), 0);
    assert_int_equal(e2.seq, e.seq);
    assert_int_equal(e2.at.us, e.at.us);
    assert_string_equal(e2.host, e.host);
    assert_string_equal(e2.actor, e.actor);
    assert_string_equal(e2.action, e.action);
    assert_int_equal(e2.id.bits, e.id.bits);
    assert_string_equal(e2.target, e.target);
    assert_string_equal(e2.outcome, e.outcome);
    assert_string_equal(e2.detail, e.detail);
    assert_memory_equal(e2.prev, e.prev, sizeof e.prev);
    assert_memory_equal(e2.hash, e.hash, sizeof e.hash);
}

static void absent_text_is_read_as_empty_never_null(void **state)
{
    struct decision d = {.id = {1}, .about = ABOUT_REQUEST, .comment = NULL};
    uint8_t out[RECORD_MAX];

    (void)state;
    assert_int_equal(record_read_decision(out, record_write_decision(&d, out), &d), 0);
    assert_string_equal(d.comment, "");
}

static void the_fullest_values_fit_into_a_record(void **state)
{
    static char longest[4097], detail[AUDIT_DETAIL_CAP], target[AUDIT_TARGET_CAP];
    struct kept_request k = full_request();
    struct words w = {{1}, WORDS_REASON, longest};
    struct trail_event e = EVENT;
    uint8_t out[SEALED_MAX];

    (void)state;
    k.request.n_targets = TARGETS_MAX;
    for (size_t i = 0; i < TARGETS_MAX; i++) {
        memset(k.request.grants[i].target.place, 'p', HOST_CAP - 1);
        memset(k.request.grants[i].target.what, 'w', WORD_CAP);
        k.request.grants[i].target.kind = TARGET_HOST;
        k.request.grants[i].state = GRANT_OPEN;
    }
    k.request.n_approvals = APPROVALS_MAX;
    for (size_t i = 0; i < APPROVALS_MAX; i++) {
        k.request.approvals[i].uid = NOBODY;
        memset(k.request.approvals[i].name.text, 'n', NAME_CAP - 1);
    }
    memset(k.request.failure, 'f', FAILURE_CAP - 1);
    assert_int_not_equal(record_write_request(&k, out), 0);
    memset(longest, 'x', sizeof longest - 1);
    assert_int_not_equal(record_write_words(&w, out), 0);
    memset(detail, 'd', sizeof detail - 1);
    memset(target, 't', sizeof target - 1);
    e.detail = detail;
    e.target = target;
    assert_int_not_equal(chain_seal(&e, out), 0);
}

static void the_fullest_activity_fits_into_a_record(void **state)
{
    static char raw[ACTIVITY_RAW_MAX + 2], word[129], text[513];
    static uint8_t out[ACTIVITY_MAX];
    struct collection c = kit_full_collection();
    struct activity a = ACTIVITY_1, b;
    size_t n;

    (void)state;
    c.n_gaps = GAPS_MAX;
    for (size_t i = 0; i < GAPS_MAX; i++) {
        c.gaps[i].when = (struct span){at(1), at(2)};
        memset(c.gaps[i].why, 'w', TROUBLE_CAP - 1);
        c.gaps[i].why[TROUBLE_CAP - 1] = '\0';
    }
    assert_int_not_equal(record_write_collection(&c, out), 0);
    c.n_gaps++;
    assert_int_equal(record_write_collection(&c, out), 0);

    memset(raw, 'r', ACTIVITY_RAW_MAX);
    memset(word, 'w', sizeof word - 1);
    memset(text, 't', sizeof text - 1);
    a.name = a.source = a.error = word;
    a.address = a.resource = text;
    a.raw = raw;
    n = record_write_activity(&a, out);
    assert_int_not_equal(n, 0);
    assert_int_equal(record_read_activity(out, n, &b), 0);
    assert_int_equal(strlen(b.raw), ACTIVITY_RAW_MAX);
    assert_string_equal(b.error, word);
    raw[ACTIVITY_RAW_MAX] = 'r';
    assert_int_equal(record_write_activity(&a, out), 0);
    a.raw = "";
    a.name = "";
    assert_int_equal(record_write_activity(&a, out), 0);
}

/* ---- what may not be written ----------------------------------------------------------------- */

static void a_value_that_could_not_be_read_back_is_not_written(void **state)
{
    static char too_long[4098];
    uint8_t out[RECORD_MAX];
    struct kept_request good = full_request(), k;
    struct kept_session s = full_session();
    struct decision d = DECISION;
    struct words w = WORDS;
    struct trail_event e = EVENT;

    (void)state;
#define REFUSED(change) ((bool)(k = good, (change), record_write_request(&k, out) == 0))
    assert_false(REFUSED((void)0));
    assert_true(REFUSED(k.request.id.bits = 0));
    assert_true(REFUSED(k.request.id.bits = UINT64_C(1) << 40));
    assert_true(REFUSED(k.request.state = 0));
    assert_true(REFUSED(k.request.state = REQ_STATES));
    assert_true(REFUSED(k.request.end_as = REQ_STATES));
    assert_true(REFUSED(k.request.n_targets = 0));
    assert_true(REFUSED(k.request.n_targets = TARGETS_MAX + 1));
    assert_true(REFUSED(k.request.grants[1].state = 0));
    assert_true(REFUSED(k.request.grants[1].target.kind = TARGET_NONE));
    assert_true(REFUSED(k.request.grants[0].target.place[0] = '\0'));
    assert_true(REFUSED(k.request.n_approvals = APPROVALS_MAX + 1));
    assert_true(REFUSED(k.request.duration_s = -1));
    assert_true(REFUSED((void)memset(k.request.host, 'h', sizeof k.request.host)));
#undef REFUSED
    s.session.state = SESSION_STATES;
    assert_int_equal(record_write_session(&s, out), 0);
    s = full_session();
    s.session.number = 0;
    assert_int_equal(record_write_session(&s, out), 0);
    d.about = 0;
    assert_int_equal(record_write_decision(&d, out), 0);
    w.kind = WORDS_EXTENSION + 1;
    assert_int_equal(record_write_words(&w, out), 0);
    w = WORDS;
    memset(too_long, 'x', sizeof too_long - 1);
    w.text = too_long;
    assert_int_equal(record_write_words(&w, out), 0);
    e.action = "";
    assert_int_equal(record_write_event(&e, out), 0);
}

/* ---- damage ---------------------------------------------------------------------------------- */

/* Reading must not crash; what it accepts must come back the same from its own bytes. */
static void check_damaged(const struct kind *kind, const uint8_t *data, size_t len)
{
    uint8_t once[SEALED_MAX], twice[SEALED_MAX];
    uint8_t *exact = malloc(len ? len : 1); /* so that a sanitizer sees one byte too many */
    size_t n = 0, m = 0;

    assert_non_null(exact);
    memcpy(exact, data, len);
    if (kind->again(exact, len, once, &n) == 0) {
        assert_int_not_equal(n, 0);
        assert_int_equal(kind->again(once, n, twice, &m), 0);
        assert_int_equal(m, n);
        assert_memory_equal(once, twice, n);
    }
    free(exact);
}

static void any_byte_may_be_damaged(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_KINDS; i++) {
        uint8_t golden[SEALED_MAX];
        size_t len = load(KINDS[i].file, golden, sizeof golden);

        for (size_t at_byte = 0; at_byte < len; at_byte++) {
            uint8_t was = golden[at_byte];

            for (unsigned v = 0; v < 256; v++) {
                golden[at_byte] = (uint8_t)v;
                check_damaged(&KINDS[i], golden, len);
            }
            golden[at_byte] = was;
        }
    }
}

static void a_record_cut_anywhere_is_refused_or_lacks_only_what_may_be_absent(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_KINDS; i++) {
        uint8_t golden[SEALED_MAX];
        size_t len = load(KINDS[i].file, golden, sizeof golden);

        for (size_t n = 0; n < len; n++)
            check_damaged(&KINDS[i], golden, n);
    }
}

static void rubbish_is_survived(void **state)
{
    uint64_t seed = 4711;

    (void)state;
    for (size_t round = 0; round < 200000; round++) {
        const struct kind *kind = &KINDS[below(&seed, N_KINDS)];
        uint8_t data[SEALED_MAX];
        size_t len = kind->write(data);

        for (uint64_t i = 1 + below(&seed, 6); i > 0; i--)
            data[below(&seed, len)] = (uint8_t)chance(&seed);
        check_damaged(kind, data, below(&seed, 4) == 0 ? below(&seed, len + 1) : len);
    }
}

/* ---- what a reader must refuse, what it must skip ---------------------------------------------
 */

/* Bytes of a record in hex. */
static int read_words_hex(const char *hex)
{
    uint8_t data[256];
    struct words w;
    size_t n;

    assert_int_equal(sodium_hex2bin(data, sizeof data, hex, strlen(hex), " ", &n, NULL), 0);
    return record_read_words(data, n, &w);
}

#define HEAD "01 03 "
#define ID   "0001 0008 0000000000000001 "
#define KIND "0002 0001 02 "
#define TEXT "0003 0003 686900 "

static void the_strict_reader_refuses(void **state)
{
    static const struct {
        const char *says, *hex;
        int result;
    } CASES[] = {
        {"nothing wrong", HEAD ID KIND TEXT, 0},
        {"text absent", HEAD ID KIND, 0},
        {"an unknown tag at the end is skipped", HEAD ID KIND TEXT "7fff 0002 abcd", 0},
        {"an unknown tag twice is skipped", HEAD ID KIND TEXT "0009 0000 0009 0001 00", 0},
        {"nothing at all", "", -EBADMSG},
        {"no head", "01", -EBADMSG},
        {"version 0", "00 03 " ID KIND TEXT, -EBADMSG},
        {"a newer version", "02 03 " ID KIND TEXT, -EPROTONOSUPPORT},
        {"another kind of record", "01 02 " ID KIND TEXT, -EBADMSG},
        {"no id", HEAD KIND TEXT, -EBADMSG},
        {"no kind", HEAD ID TEXT, -EBADMSG},
        {"a field twice", HEAD ID KIND KIND TEXT, -EBADMSG},
        {"tags that fall", HEAD KIND ID TEXT, -EBADMSG},
        {"tag 0", HEAD "0000 0000 " ID KIND TEXT, -EBADMSG},
        {"a field head cut", HEAD ID KIND "0003 00", -EBADMSG},
        {"a value cut", HEAD ID KIND "0003 0003 6869", -EBADMSG},
        {"a number too short", HEAD "0001 0007 00000000000001 " KIND, -EBADMSG},
        {"a number too long", HEAD "0001 0009 000000000000000001 " KIND, -EBADMSG},
        {"an id of more than 40 bits", HEAD "0001 0008 0000010000000000 " KIND, -EBADMSG},
        {"an id that is negative", HEAD "0001 0008 ffffffffffffffff " KIND, -EBADMSG},
        {"a kind that there is not", HEAD ID "0002 0001 05 ", -EBADMSG},
        {"a kind that is 0", HEAD ID "0002 0001 00 ", -EBADMSG},
        {"text without its NUL", HEAD ID KIND "0003 0002 6869 ", -EBADMSG},
        {"text of no bytes", HEAD ID KIND "0003 0000 ", -EBADMSG},
        {"text with a NUL inside", HEAD ID KIND "0003 0004 68006900", -EBADMSG},
    };

    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        int r = read_words_hex(CASES[i].hex);

        if (r != CASES[i].result)
            fail_msg("%s: %d, not %d", CASES[i].says, r, CASES[i].result);
    }
}

static void a_request_with_fields_of_a_newer_teamd_is_read(void **state)
{
    struct kept_request k;
    uint8_t data[RECORD_MAX];
    size_t n = write_request(data);

    (void)state;
    memcpy(data + n, "\x10\x00\x00\x03new", 7);
    assert_int_equal(record_read_request(data, n + 7, &k), 0);
    assert_int_equal(k.request.state, REQ_ENDING);
}

/* ---- the chain ------------------------------------------------------------------------------- */

static void the_hash_is_blake2b_over_prev_and_the_record(void **state)
{
    uint8_t sealed[SEALED_MAX], plain[HASH_LEN + RECORD_MAX], hash[HASH_LEN];
    struct trail_event e = EVENT;
    size_t n = chain_seal(&e, sealed), len;

    (void)state;
    memcpy(plain, e.prev, HASH_LEN);
    len = HASH_LEN + record_write_event(&e, plain + HASH_LEN);
    crypto_generichash(hash, sizeof hash, plain, len, NULL, 0);
    assert_int_equal(n, len + HASH_LEN);
    assert_memory_equal(sealed + len, hash, HASH_LEN);
    assert_memory_equal(e.hash, hash, HASH_LEN);
}

static void a_change_of_any_bit_breaks_the_seal(void **state)
{
    uint8_t sealed[SEALED_MAX];
    struct trail_event e = EVENT;
    size_t n = chain_seal(&e, sealed);

    (void)state;
    assert_true(chain_sound(sealed, n));
    for (size_t bit = 0; bit < 8 * n; bit++) {
        sealed[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_false(chain_sound(sealed, n));
        sealed[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    assert_false(chain_sound(sealed, n - 1));
    assert_false(chain_sound(sealed, HASH_LEN));
}

static void a_change_of_any_field_changes_the_hash(void **state)
{
    struct trail_event changed[] = {EVENT, EVENT, EVENT, EVENT, EVENT,
                                    EVENT, EVENT, EVENT, EVENT, EVENT};
    uint8_t out[SEALED_MAX];
    struct trail_event e = EVENT;

    (void)state;
    chain_seal(&e, out);
    changed[0].seq++;
    changed[1].at.us++;
    changed[2].host = "bastion-2";
    changed[3].actor = "eve";
    changed[4].action = "request.reject";
    changed[5].id.bits++;
    changed[6].target = "host:bastion-1/su";
    changed[7].outcome = "refused";
    changed[8].detail = "";
    changed[9].prev[31] ^= 1;
    for (size_t i = 0; i < sizeof changed / sizeof changed[0]; i++) {
        assert_int_not_equal(chain_seal(&changed[i], out), 0);
        assert_memory_not_equal(changed[i].hash, e.hash, HASH_LEN);
    }
}

/* Prints the golden files anew: for a record that was never released, by hand. */
static int print_golden(void)
{
    for (size_t i = 0; i < N_KINDS; i++) {
        uint8_t out[SEALED_MAX];
        size_t n = KINDS[i].write(out);

        printf("== %s\n", KINDS[i].file);
        for (size_t j = 0; j < n; j++)
            printf("%02x", out[j]);
        printf("\n");
    }
    return 0;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_record_is_written_as_the_golden_bytes),
        cmocka_unit_test(golden_bytes_are_read_and_written_back_unchanged),
        cmocka_unit_test(no_byte_of_a_request_or_session_is_lost),
        cmocka_unit_test(no_struct_has_grown_a_field_that_is_not_kept),
        cmocka_unit_test(decisions_words_and_events_come_back_as_they_were),
        cmocka_unit_test(absent_text_is_read_as_empty_never_null),
        cmocka_unit_test(the_fullest_values_fit_into_a_record),
        cmocka_unit_test(the_fullest_activity_fits_into_a_record),
        cmocka_unit_test(a_value_that_could_not_be_read_back_is_not_written),
        cmocka_unit_test(any_byte_may_be_damaged),
        cmocka_unit_test(a_record_cut_anywhere_is_refused_or_lacks_only_what_may_be_absent),
        cmocka_unit_test(rubbish_is_survived),
        cmocka_unit_test(the_strict_reader_refuses),
        cmocka_unit_test(a_request_with_fields_of_a_newer_teamd_is_read),
        cmocka_unit_test(the_hash_is_blake2b_over_prev_and_the_record),
        cmocka_unit_test(a_change_of_any_bit_breaks_the_seal),
        cmocka_unit_test(a_change_of_any_field_changes_the_hash),
    };

    if (argc > 1 && strcmp(argv[1], "--print-golden") == 0)
        return print_golden();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
