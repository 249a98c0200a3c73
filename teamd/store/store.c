/* The store as a whole: open, close, transactions, facts. */
#include "store/internal.h"

#include <errno.h>
#include <sodium.h>
#include <stdlib.h>

static const struct store_sizes SIZES = {
    .map = (size_t)1 << 30,       /* address space, not disk */
    .headroom = (size_t)64 << 20, /* more than any turn of the loop writes */
};

/* ---- open and close -------------------------------------------------------------------------- */

int damaged(int r)
{
    return r == -EBADMSG ? -EUCLEAN : r;
}

static void store_closep(struct store **s)
{
    store_close(*s);
}

static int read_ledger(struct store *s, MDB_txn *txn, struct ledger *ret)
{
    struct key k = {.len = 0};
    MDB_val row;
    int r;

    key_put(&k, "ledger", 6);
    r = row_get(s, txn, META, &k, &row);
    if (r == -ENOENT) { /* nothing was ever committed */
        *ret = (struct ledger){.last_seq = 0};
        return 0;
    }
    if (r < 0)
        return r;
    return damaged(record_read_ledger(row.mv_data, row.mv_size, ret));
}

/* Where the store stands, and that its trail ends where it should. */
static int take_up(struct store *s)
{
    struct reading reading CLEANUP(reading_end) = {.txn = NULL};
    int r;

    r = reading_begin(s, &reading);
    if (r < 0)
        return r;
    r = read_ledger(s, reading.txn, &s->ledger);
    if (r < 0)
        return r;
    return trail_check_end(s, reading.txn, &s->ledger);
}

int store_open_sized(const char *dir, const char *host, const char *boot_id,
                     struct store_sizes sizes, struct store **ret)
{
    struct store *s CLEANUP(store_closep) = NULL;
    int r;

    if (strlen(host) >= sizeof s->host || strlen(boot_id) != sizeof s->boot_id - 1)
        return -EINVAL;
    if (sodium_init() < 0)
        return -ENOSYS;
    s = calloc(1, sizeof *s);
    if (!s)
        return -ENOMEM;
    s->lock_fd = -1;
    s->sizes = sizes;
    memcpy(s->host, host, strlen(host));
    memcpy(s->boot_id, boot_id, sizeof s->boot_id - 1);
    crypto_generichash(s->boot.bytes, sizeof s->boot.bytes, (const uint8_t *)boot_id,
                       strlen(boot_id), NULL, 0);
    r = env_open(s, dir);
    if (r < 0)
        return r;
    r = take_up(s);
    if (r < 0)
        return r;
    *ret = s;
    s = NULL;
    return 0;
}

int store_open(const char *dir, const char *host, const char *boot_id, struct store **ret)
{
    return store_open_sized(dir, host, boot_id, SIZES, ret);
}

struct store *store_close(struct store *s)
{
    if (!s)
        return NULL;
    store_abort(s);
    env_close(s);
    free(s);
    return NULL;
}

/* ---- reading --------------------------------------------------------------------------------- */

int reading_begin(struct store *s, struct reading *ret)
{
    int r = lmdb_error(mdb_txn_begin(s->env, NULL, MDB_RDONLY, &ret->txn));

    if (r < 0)
        return r;
    ret->store = s;
    s->readers++;
    return 0;
}

void reading_end(struct reading *r)
{
    if (!r->txn)
        return;
    mdb_txn_abort(r->txn);
    r->store->readers--;
}

int row_get(struct store *s, MDB_txn *txn, enum table t, const struct key *k, MDB_val *ret)
{
    MDB_val key = key_val(k);

    return k->bad ? -ENOENT : lmdb_error(mdb_get(txn, s->tables[t], &key, ret));
}

int store_facts(struct store *s, struct store_facts *ret)
{
    struct reading reading CLEANUP(reading_end) = {.txn = NULL};
    MDB_stat requests, events, sessions;
    MDB_envinfo info;
    int r;

    r = reading_begin(s, &reading);
    if (r < 0)
        return r;
    r = lmdb_error(mdb_stat(reading.txn, s->tables[BY_TIME], &requests));
    if (r < 0)
        return r;
    r = lmdb_error(mdb_stat(reading.txn, s->tables[AUDIT], &events));
    if (r < 0)
        return r;
    r = lmdb_error(mdb_stat(reading.txn, s->tables[SESSIONS], &sessions));
    if (r < 0)
        return r;
    mdb_env_info(s->env, &info);
    *ret = (struct store_facts){
        .requests = requests.ms_entries,
        .events = events.ms_entries,
        .sessions = sessions.ms_entries,
        .map_bytes = info.me_mapsize,
        .used_bytes = (info.me_last_pgno + 1) * requests.ms_psize,
    };
    memcpy(ret->head, s->ledger.head, sizeof ret->head);
    return 0;
}

/* ---- transactions ---------------------------------------------------------------------------- */

int store_begin(struct store *s, struct now now)
{
    int r;

    if (s->txn)
        return -EALREADY;
    r = env_make_room(s);
    if (r < 0)
        return r;
    r = mdb_txn_begin(s->env, NULL, 0, &s->txn);
    if (r != 0) {
        s->txn = NULL;
        return env_write_error(s, r);
    }
    s->now = now.wall;
    s->next = s->ledger;
    s->written = false;
    s->error = 0;
    return 0;
}

void store_abort(struct store *s)
{
    if (!s->txn)
        return;
    mdb_txn_abort(s->txn);
    s->txn = NULL;
}

static int write_ledger(struct store *s)
{
    uint8_t record[RECORD_MAX];
    struct key k = {.len = 0};
    size_t n;

    s->next.last_commit = s->now;
    memcpy(s->next.boot_id, s->boot_id, sizeof s->boot_id);
    n = record_write_ledger(&s->next, record);
    if (n == 0)
        return -EINVAL;
    key_put(&k, "ledger", 6);
    return row_put(s, META, &k, record, n, 0);
}

int store_commit(struct store *s)
{
    int r;

    if (!s->txn)
        return -EINVAL;
    r = s->error;
    if (r == 0 && s->written)
        r = write_ledger(s);
    if (r < 0 || !s->written) {
        store_abort(s);
        return r;
    }
    r = mdb_txn_commit(s->txn); /* gone, whatever it returns */
    s->txn = NULL;
    if (r != 0)
        return env_write_error(s, r);
    s->ledger = s->next;
    return 0;
}
