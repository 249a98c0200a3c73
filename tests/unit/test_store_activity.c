/* What was done with AWS access, as the store keeps it. */
#include "store/internal.h"

#include "store_kit.h"

#define R1 UINT64_C(0x1111111111)
#define R2 UINT64_C(0x2222222222)
#define R3 UINT64_C(0x3333333333)

/* ---- values ---------------------------------------------------------------------------------- */

static struct activity call(int64_t s, const char *id, const char *name)
{
    return (struct activity){.at = at(s),
                             .event_id = id,
                             .name = name,
                             .source = "ec2.amazonaws.com",
                             .region = "eu-west-1",
                             .address = "192.0.2.7",
                             .resource = "",
                             .error = "",
                             .raw = ""};
}

static struct activity reads(int64_t s, const char *id, const char *name)
{
    struct activity a = call(s, id, name);

    a.read_only = true;
    return a;
}

static struct activity refused(int64_t s, const char *id, const char *name)
{
    struct activity a = call(s, id, name);

    a.error = "AccessDenied";
    return a;
}

static void put(struct store *s, struct collection c)
{
    assert_int_equal(store_put_collection(s, now_at(1000), &c), 0);
}

static int add(struct store *s, uint64_t id, uint8_t target, const struct activity *rows, size_t n)
{
    struct wall oldest;

    return store_add_activity(s, now_at(2000), (struct id){id}, target, rows, n, &oldest);
}

static struct collection get(struct store *s, uint64_t id, uint8_t target)
{
    struct collection c;

    assert_int_equal(store_collection(s, (struct id){id}, target, &c), 0);
    return c;
}

/* ---- what comes out -------------------------------------------------------------------------- */

static char seen[4096];
static size_t most; /* rows that there is room for */

static int look(void *ctx, const struct activity *a)
{
    size_t n = strlen(seen);

    assert_int_equal(a->request.bits, *(const uint64_t *)ctx);
    if (most-- == 0)
        return 1;
    snprintf(seen + n, sizeof seen - n, "%s%s@%d", n > 0 ? " " : "", a->event_id,
             (int)(a->at.us / SECOND_US));
    return 0;
}

/* All of it, in as many calls as it takes. */
static const char *ask(struct store *s, struct activity_query q, size_t bytes, size_t rows)
{
    int r;

    seen[0] = '\0';
    do {
        size_t budget = bytes;

        most = rows;
        r = store_activity(s, &q, &budget, look, &q.request.bits);
        assert_true(r >= 0);
        assert_true(budget <= bytes);
    } while (r > 0);
    return seen;
}

static const char *all_of(struct store *s, uint64_t id)
{
    return ask(s, (struct activity_query){.request = {id}}, SIZE_MAX, SIZE_MAX);
}

static struct store *filled(void)
{
    struct store *s = kit_open();
    const struct activity rows[] = {
        call(30, "c", "RunInstances"), reads(10, "a", "DescribeInstances"),
        refused(20, "b", "TerminateInstances"), reads(20, "d", "ListBuckets")};

    put(s, kit_collection(R1, 0, 5));
    put(s, kit_collection(R1, 3, 5));
    put(s, kit_collection(R2, 0, 50));
    assert_int_equal(add(s, R1, 0, rows, 3), 3);
    assert_int_equal(add(s, R1, 3, rows + 3, 1), 1);
    return s;
}

/* ---- calls ----------------------------------------------------------------------------------- */

static void calls_come_in_the_order_of_time(void **state)
{
    struct store *s = filled();
    struct collection c = get(s, R1, 0);

    (void)state;
    assert_string_equal(all_of(s, R1), "a@10 b@20 d@20 c@30");
    assert_string_equal(all_of(s, R2), "");
    assert_int_equal(c.calls, 3);
    assert_int_equal(c.changes, 2);
    assert_int_equal(c.refused, 1);
    assert_int_equal(get(s, R1, 3).calls, 1);
    assert_int_equal(get(s, R1, 3).changes, 0);
    store_close(s);
}

static void a_call_is_there_once_however_often_it_comes(void **state)
{
    struct store *s = filled();
    const struct activity again[] = {refused(20, "b", "Other"), call(15, "e", "New"),
                                     call(12, "f", "New"), call(12, "f", "New")};
    struct wall oldest = {0};

    (void)state;
    assert_int_equal(store_add_activity(s, now_at(3000), (struct id){R1}, 0, again, 4, &oldest), 2);
    assert_int_equal(oldest.us, at(12).us);
    assert_string_equal(all_of(s, R1), "a@10 f@12 e@15 b@20 d@20 c@30");
    assert_int_equal(get(s, R1, 0).calls, 5);
    assert_int_equal(s->ledger.last_commit.us, at(3000).us);
    assert_int_equal(store_add_activity(s, now_at(4000), (struct id){R1}, 0, again, 4, &oldest), 0);
    assert_int_equal(s->ledger.last_commit.us, at(3000).us); /* nothing was written */
    store_close(s);
}

static void all_that_was_committed_is_there_after_a_start(void **state)
{
    struct store *s = filled();

    (void)state;
    store_close(s);
    s = kit_open();
    assert_string_equal(all_of(s, R1), "a@10 b@20 d@20 c@30");
    assert_int_equal(get(s, R1, 0).calls, 3);
    store_close(s);
}

static void nothing_of_a_packet_is_kept_if_one_call_cannot_be(void **state)
{
    struct store *s = filled();
    char long_id[ACTIVITY_ID_MAX + 2] = "";
    struct activity rows[] = {call(40, "g", "Good"), call(50, "", "NoId")};

    (void)state;
    assert_int_equal(add(s, R1, 0, rows, 2), -EINVAL);
    memset(long_id, 'x', sizeof long_id - 1);
    rows[1].event_id = long_id;
    assert_int_equal(add(s, R1, 0, rows, 2), -EINVAL);
    rows[1] = call(50, "h", "");
    assert_int_equal(add(s, R1, 0, rows, 2), -EINVAL);
    assert_int_equal(add(s, R1, 7, rows, 1), -ENOENT);
    assert_string_equal(all_of(s, R1), "a@10 b@20 d@20 c@30");
    assert_int_equal(add(s, R1, 0, rows, 1), 1); /* and it goes on */
    store_close(s);
}

static void a_query_goes_on_where_it_was(void **state)
{
    struct store *s = filled();
    struct activity_query q = {.request = {R1}};

    (void)state;
    assert_string_equal(ask(s, q, 0, SIZE_MAX), "a@10 b@20 d@20 c@30"); /* one by one */
    assert_string_equal(ask(s, q, 300, SIZE_MAX), "a@10 b@20 d@20 c@30");
    assert_string_equal(ask(s, q, SIZE_MAX, 1), "a@10 b@20 d@20 c@30");
    store_close(s);
}

static void filters(void **state)
{
    struct store *s = filled();
    struct activity with_raw = call(60, "raw", "PutObject");
    struct activity_query q = {.request = {R1}};

    (void)state;
    with_raw.raw = "{\"who\":\"needle in hay\"}";
    assert_int_equal(add(s, R1, 0, &with_raw, 1), 1);
#define ASK(...) ask(s, (struct activity_query){.request = {R1}, __VA_ARGS__}, 100, SIZE_MAX)
    assert_string_equal(ASK(.since = at(20)), "b@20 d@20 c@30 raw@60");
    assert_string_equal(ASK(.until = at(20)), "a@10");
    assert_string_equal(ASK(.since = at(20), .until = at(30)), "b@20 d@20");
    assert_string_equal(ASK(.errors = true), "b@20");
    assert_string_equal(ASK(.changes = true), "b@20 c@30 raw@60");
    assert_string_equal(ASK(.after = {2, 0, 0, 1}), "b@20 raw@60");
#undef ASK
#define ASK(text) (q.match = text, q.match_len = strlen(text), ask(s, q, 100, SIZE_MAX))
    assert_string_equal(ASK("needle"), "raw@60");
    assert_string_equal(ASK("Needle"), "");
    assert_string_equal(ASK("Instances"), "a@10 b@20 c@30");
    assert_string_equal(ASK("AccessDenied"), "b@20");
    assert_string_equal(ASK("192.0.2.7"), "a@10 b@20 d@20 c@30 raw@60");
    assert_string_equal(ASK("eu-west-1"), "a@10 b@20 d@20 c@30 raw@60");
    assert_string_equal(ASK("raw"), "raw@60"); /* the event's id */
    /* what only stands between the fields: the length of the source's is 0x12, before it NUL and
     * its tag; a text has none of that, but the name's length could be a letter */
    assert_string_equal(ASK("ec2.amazonaws.comx"), "");
    store_close(s);
}

static void what_stands_between_fields_is_no_match(void **state)
{
    static char sixty_four[65];
    struct store *s = kit_open();
    struct activity a = call(10, "a", "Name");
    struct activity_query q = {.request = {R1}, .match = "Axxx", .match_len = 4};

    (void)state;
    put(s, kit_collection(R1, 0, 5));
    memset(sixty_four, 'x', 64); /* with its NUL 65 bytes: the letter A */
    a.resource = sixty_four;
    assert_int_equal(add(s, R1, 0, &a, 1), 1);
    assert_string_equal(ask(s, q, 100, SIZE_MAX), "");
    q.match = "xxxx";
    assert_string_equal(ask(s, q, 100, SIZE_MAX), "a@10");
    store_close(s);
}

static int count(void *ctx, const struct activity *a)
{
    (void)a;
    ++*(int *)ctx;
    return 0;
}

static int found(struct store *s, const char *text)
{
    struct activity_query q = {.request = {R1}, .match = text, .match_len = strlen(text)};
    size_t budget = SIZE_MAX;
    int n = 0;

    assert_int_equal(store_activity(s, &q, &budget, count, &n), 0);
    return n;
}

/* Of records of all lengths, at every place of them. */
static void a_text_is_found_wherever_it_stands(void **state)
{
    static char raws[64][128], ids[64][8];
    struct activity rows[64];
    struct store *s = kit_open();

    (void)state;
    put(s, kit_collection(R1, 0, 5));
    for (int i = 0; i < 64; i++) {
        snprintf(ids[i], sizeof ids[i], "e%d", i);
        rows[i] = call(10, ids[i], "Name");
        memset(raws[i], 'n', (size_t)i);
        memcpy(raws[i] + i, "needle", 6);
        memset(raws[i] + i + 6, 'e', (size_t)(i % 7) * 8);
        rows[i].raw = raws[i];
        rows[i].source = rows[i].region = rows[i].address = "";
    }
    assert_int_equal(add(s, R1, 0, rows, 64), 64);
    assert_int_equal(found(s, "needle"), 64);
    assert_int_equal(found(s, "eedl"), 64);
    assert_int_equal(found(s, "nnnnnnnnnneedle"), 64 - 9);
    assert_int_equal(found(s, "needlee"), 64 - 10);
    assert_int_equal(found(s, "neeedle"), 0);
    assert_int_equal(found(s, "d"), 64);
    assert_int_equal(found(s, "z"), 0);
    store_close(s);
}

static char sessions[256];

static int note_session(void *ctx, const struct session *s)
{
    size_t n = strlen(sessions);

    if (ctx && --*(int *)ctx < 0)
        return 1;
    snprintf(sessions + n, sizeof sessions - n, "%s%d", n > 0 ? " " : "", (int)s->number);
    return 0;
}

static const char *sessions_with(struct store *s, const char *text, int64_t since, int64_t until,
                                 size_t bytes)
{
    struct session_search q = {text, strlen(text), at(since), at(until), 0};
    size_t budget;
    int r;

    sessions[0] = '\0';
    do {
        budget = bytes;
        r = store_search_sessions(s, &q, &budget, note_session, NULL);
        assert_true(r >= 0);
    } while (r > 0);
    return sessions;
}

static void sessions_are_found_newest_first(void **state)
{
    struct store *s = kit_open();
    struct session_search q = {.match = "id", .match_len = 2};
    size_t budget = SIZE_MAX;
    int room = 1;

    (void)state;
    assert_string_equal(sessions_with(s, "id", 0, 0, SIZE_MAX), "");
    for (int i = 1; i <= 5; i++) {
        struct session session = kit_session((uint64_t)i, R1, SESSION_ENDED);

        session.started_at = at(100 * i);
        session.ended_at = at(100 * i + 50);
        snprintf(session.command, sizeof session.command, i % 2 ? "id -u" : "ls");
        snprintf(session.tty, sizeof session.tty, "/dev/pts/%d", i);
        kit_add_session(session);
    }
    kit_commit(s);
    assert_string_equal(sessions_with(s, "id", 0, 0, SIZE_MAX), "5 3 1");
    assert_string_equal(sessions_with(s, "id", 0, 0, 0), "5 3 1"); /* one by one */
    assert_string_equal(sessions_with(s, "pts/2", 0, 0, SIZE_MAX), "2");
    assert_string_equal(sessions_with(s, "alice", 0, 0, 300), "5 4 3 2 1");
    assert_string_equal(sessions_with(s, "id", 351, 0, SIZE_MAX), "5");
    assert_string_equal(sessions_with(s, "id", 350, 500, SIZE_MAX), "3");
    assert_string_equal(sessions_with(s, "bobby", 0, 0, SIZE_MAX), "");
    sessions[0] = '\0'; /* what had no room comes again */
    assert_int_equal(store_search_sessions(s, &q, &budget, note_session, &room), 1);
    room = 9;
    assert_int_equal(store_search_sessions(s, &q, &budget, note_session, &room), 0);
    assert_string_equal(sessions, "5 3 1");
    store_close(s);
}

static int refuse(void *ctx, const struct activity *a)
{
    (void)ctx, (void)a;
    return -ECANCELED;
}

static void what_a_callback_refuses_ends_it(void **state)
{
    struct store *s = filled();
    struct activity_query q = {.request = {R1}};
    size_t budget = 1000;

    (void)state;
    assert_int_equal(store_activity(s, &q, &budget, refuse, NULL), -ECANCELED);
    store_close(s);
}

/* ---- collections ----------------------------------------------------------------------------- */

static char names[1024];

static int note(void *ctx, const struct collection *c)
{
    size_t n = strlen(names);

    (void)ctx;
    snprintf(names + n, sizeof names - n, "%s%llx/%u", n > 0 ? " " : "",
             (unsigned long long)c->request.bits >> 36, c->target);
    return 0;
}

static int stop(void *ctx, const struct collection *c)
{
    (void)ctx, (void)c;
    return -ECANCELED;
}

static const char *open_ones(struct store *s)
{
    names[0] = '\0';
    assert_int_equal(store_load_collections(s, note, NULL), 0);
    return names;
}

static void those_that_are_not_over_are_loaded(void **state)
{
    struct store *s = filled();
    struct collection c = get(s, R1, 3);

    (void)state;
    assert_string_equal(open_ones(s), "1/0 1/3 2/0");
    c.stage = COLLECT_OVER;
    put(s, c);
    assert_string_equal(open_ones(s), "1/0 2/0");
    assert_int_equal(get(s, R1, 3).stage, COLLECT_OVER);
    assert_int_equal(get(s, R1, 3).calls, 1);
    assert_int_equal(store_load_collections(s, stop, NULL), -ECANCELED);
    assert_int_equal(store_collection(s, (struct id){R3}, 0, &c), -ENOENT);
    store_close(s);
}

static const char *beside(struct store *s, uint64_t id)
{
    struct collection c = get(s, id, 0);

    names[0] = '\0';
    assert_int_equal(store_collections_beside(s, &c, note, NULL), 0);
    return names;
}

static void those_of_the_same_person_and_place_at_the_same_time(void **state)
{
    struct store *s = kit_open();
    struct collection first = kit_collection(R1, 0, 100), later = kit_collection(R2, 0, 200),
                      other = kit_collection(R3, 0, 100);

    (void)state;
    first.until = at(200);
    put(s, first);
    put(s, later);
    snprintf(other.user_id, sizeof other.user_id, "%s", "906789abcd-other");
    put(s, other);
    assert_string_equal(beside(s, R1), "2/0");
    assert_string_equal(beside(s, R2), "1/0");
    assert_string_equal(beside(s, R3), "");
    first.until = at(199);
    put(s, first);
    assert_string_equal(beside(s, R1), "");
    assert_string_equal(beside(s, R2), "");
    first.until = at(300);
    snprintf(first.set, sizeof first.set, "ReadOnlyAccessPlus"); /* another place */
    first.request.bits = UINT64_C(0x4444444444);
    put(s, first);
    assert_string_equal(beside(s, R2), "");
    store_close(s);
}

static const char *newest_first(struct store *s)
{
    struct collected_query q = {.started = false};
    struct wall from;
    struct id id;
    int r;

    names[0] = '\0';
    while ((r = store_next_collected(s, &q, &id, &from)) == 0) {
        size_t n = strlen(names);

        snprintf(names + n, sizeof names - n, "%s%llx@%d", n > 0 ? " " : "",
                 (unsigned long long)id.bits >> 36, (int)(from.us / SECOND_US));
    }
    assert_int_equal(r, -ENOENT);
    return names;
}

static void requests_come_newest_first_and_once(void **state)
{
    struct store *s = kit_open();
    struct collected_query q = {.started = false};
    struct wall from;
    struct id id;

    (void)state;
    assert_string_equal(newest_first(s), "");
    put(s, kit_collection(R2, 0, 50));
    put(s, kit_collection(R1, 0, 70));
    put(s, kit_collection(R1, 1, 70));
    put(s, kit_collection(R3, 0, 60));
    assert_string_equal(newest_first(s), "1@70 3@60 2@50");

    /* What comes meanwhile does not disturb it. */
    assert_int_equal(store_next_collected(s, &q, &id, &from), 0);
    put(s, kit_collection(UINT64_C(0x4444444444), 0, 80));
    assert_int_equal(store_next_collected(s, &q, &id, &from), 0);
    assert_int_equal(id.bits, R3);
    store_close(s);
}

/* ---- retention ------------------------------------------------------------------------------- */

static void the_oldest_that_is_over_is_dropped_in_steps(void **state)
{
    struct store *s = filled();
    struct collection c = get(s, R1, 0), other, found;

    (void)state;
    assert_int_equal(store_oldest_collection(s, at(1000), &found), -ENOENT); /* all are live */
    c.stage = COLLECT_OVER;
    c.until = at(500);
    put(s, c);
    assert_int_equal(store_oldest_collection(s, at(501), &found),
                     -ENOENT); /* another target is not */
    other = get(s, R1, 3);
    other.stage = COLLECT_OVER;
    other.until = at(500);
    put(s, other);
    assert_int_equal(store_oldest_collection(s, at(500), &found), -ENOENT);
    assert_int_equal(store_oldest_collection(s, at(4), &found), -ENOENT);
    assert_int_equal(store_oldest_collection(s, at(501), &found), 0);
    assert_int_equal(found.request.bits, R1);
    assert_int_equal(found.target, 0);

    kit_add_audit("activity.drop", "", R1, "3 calls");
    assert_int_equal(store_drop_collection(s, now_at(9000), &c, 2, &kit_effects), 1);
    assert_int_equal(s->ledger.last_seq, 0);
    assert_string_equal(all_of(s, R1), "d@20 c@30"); /* the oldest go first, of whatever target */
    assert_int_equal(store_drop_collection(s, now_at(9000), &c, 2, &kit_effects), 0);
    kit_effects.n = 0;
    assert_int_equal(s->ledger.last_seq, 1); /* with its event of the trail */
    assert_string_equal(all_of(s, R1), "");
    assert_int_equal(store_collection(s, (struct id){R1}, 0, &c), -ENOENT);
    assert_int_equal(store_oldest_collection(s, at(501), &found), 0); /* the other is next */
    assert_int_equal(found.target, 3);
    assert_string_equal(open_ones(s), "2/0");
    assert_string_equal(newest_first(s), "2@50 1@5");
    store_close(s);
}

/* ---- damage ---------------------------------------------------------------------------------- */

static void scribble(struct store *s, enum table t, const void *key, size_t n, const char *value)
{
    MDB_val k = val(key, n), v = val(value, strlen(value));
    MDB_txn *txn;

    assert_int_equal(mdb_txn_begin(s->env, NULL, 0, &txn), 0);
    assert_int_equal(mdb_put(txn, s->tables[t], &k, &v, 0), 0);
    assert_int_equal(mdb_txn_commit(txn), 0);
}

static void a_damaged_row_is_said_and_not_shown(void **state)
{
    struct store *s = filled();
    struct activity_query q = {.request = {R1}};
    struct collected_query by_time = {.started = false};
    struct collection c = get(s, R1, 0);
    struct key k = key_of_number(R1);
    size_t budget = SIZE_MAX;
    struct wall from;
    struct id id;

    (void)state;
    key_put_time(&k, at(11));
    scribble(s, ACTIVITY, k.bytes, k.len, "x"); /* no event's id */
    assert_int_equal(store_activity(s, &q, &budget, look, &q.request.bits), -EUCLEAN);
    key_put(&k, "z", 1);
    q = (struct activity_query){.request = {R1}, .since = at(11)};
    scribble(s, ACTIVITY, k.bytes, k.len, "\x01\x63");
    q.place_len = 0;
    memcpy(q.place, k.bytes, k.len);
    q.place_len = k.len;
    assert_int_equal(store_activity(s, &q, &budget, look, &q.request.bits), -EUCLEAN);
    kit_effects.n = 0;
    assert_int_equal(store_drop_collection(s, now_at(1), &c, 9, &kit_effects),
                     0); /* it goes, too */

    scribble(s, COLLECTIONS_OPEN, "x", 1, "");
    assert_int_equal(store_load_collections(s, note, NULL), -EUCLEAN);
    scribble(s, COLLECTIONS_BY_TIME, "\xff", 1, "");
    assert_int_equal(store_next_collected(s, &by_time, &id, &from), -EUCLEAN);
    scribble(s, COLLECTIONS_BY_TIME, "\x01", 1, "");
    assert_int_equal(store_oldest_collection(s, at(1000), &c), -EUCLEAN);
    k = key_of_number(R2);
    key_put_number(&k, 0, 1);
    scribble(s, COLLECTIONS, k.bytes, k.len, "\x01\x63");
    assert_int_equal(store_collection(s, (struct id){R2}, 0, &c), -EUCLEAN);
    store_close(s);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, kit_setup, kit_teardown)
    const struct CMUnitTest tests[] = {
        TEST(calls_come_in_the_order_of_time),
        TEST(a_call_is_there_once_however_often_it_comes),
        TEST(all_that_was_committed_is_there_after_a_start),
        TEST(nothing_of_a_packet_is_kept_if_one_call_cannot_be),
        TEST(a_query_goes_on_where_it_was),
        TEST(filters),
        TEST(what_stands_between_fields_is_no_match),
        TEST(a_text_is_found_wherever_it_stands),
        TEST(sessions_are_found_newest_first),
        TEST(what_a_callback_refuses_ends_it),
        TEST(those_that_are_not_over_are_loaded),
        TEST(those_of_the_same_person_and_place_at_the_same_time),
        TEST(requests_come_newest_first_and_once),
        TEST(the_oldest_that_is_over_is_dropped_in_steps),
        TEST(a_damaged_row_is_said_and_not_shown),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
