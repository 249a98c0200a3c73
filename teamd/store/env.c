/* The environment: its directory, its lock, its tables, and how large it may grow. */
#include "store/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

static const char *const TABLE_NAMES[TABLES] = {
    [REQUESTS] = "requests",
    [BY_REQUESTER] = "requests-by-requester",
    [BY_STATE] = "requests-by-state",
    [BY_TARGET] = "requests-by-target",
    [BY_TIME] = "requests-by-time",
    [SESSIONS] = "sessions",
    [SESSIONS_OF] = "sessions-by-request",
    [SESSIONS_LIVE] = "sessions-live",
    [AUDIT] = "audit",
    [AUDIT_OF_ACTOR] = "audit-by-actor",
    [AUDIT_OF_REQUEST] = "audit-by-request",
    [AUDIT_OF_ACTION] = "audit-by-action",
    [AUDIT_STEPS] = "audit-steps",
    [META] = "meta",
    [OUTBOX] = "outbox",
    [DIRECTORY] = "directory",
    [BY_NAME] = "requests-by-name",
    [ACTIVITY] = "activity",
    [COLLECTIONS] = "collections",
    [COLLECTIONS_OPEN] = "collections-open",
    [COLLECTIONS_BY_TIME] = "collections-by-time",
    [COLLECTIONS_OF] = "collections-by-person",
};

enum { TABLES_CAP = 32 }; /* of the environment: newer ones have more */

int lmdb_error(int rc)
{
    switch (rc) {
    case MDB_SUCCESS:
        return 0;
    case MDB_NOTFOUND:
        return -ENOENT;
    case MDB_KEYEXIST:
        return -EEXIST;
    case MDB_MAP_FULL:
    case MDB_TXN_FULL:
    case ENOSPC:
    case EDQUOT:
        return -ENOSPC;
    case MDB_INVALID:
    case MDB_VERSION_MISMATCH:
    case MDB_CORRUPTED:
    case MDB_PAGE_NOTFOUND:
        return -EUCLEAN;
    default:
        return rc > 0 ? -rc : -EIO; /* MDB_PANIC and bugs of ours */
    }
}

/* ---- room ------------------------------------------------------------------------------------ */

bool store_has_room(const struct store *s, enum store_for what)
{
    static const struct {
        uint64_t enough, share; /* bytes, or a part of a small file system */
    } KEPT[] = {[FOR_REQUESTS] = {8 * 1024 * 1024, 8}, [FOR_ACTIVITY] = {64 * 1024 * 1024, 4}};
    struct statvfs fs;
    uint64_t free_bytes, part;
    int fd;

    if (mdb_env_get_fd(s->env, &fd) != 0 || fstatvfs(fd, &fs) < 0)
        return true; /* the commit will tell */
    free_bytes = (uint64_t)fs.f_bavail * fs.f_frsize;
    part = (uint64_t)fs.f_blocks * fs.f_frsize / KEPT[what].share;
    return free_bytes >= (part < KEPT[what].enough ? part : KEPT[what].enough);
}

/* ---- errors of writing ----------------------------------------------------------------------- */

static bool disk_full(MDB_env *env)
{
    enum { MUCH = 256 * 1024 }; /* LMDB writes at most so much at once */
    struct statvfs fs;
    int fd;

    return mdb_env_get_fd(env, &fd) == 0 && fstatvfs(fd, &fs) == 0 &&
           (uint64_t)fs.f_bavail * fs.f_frsize < MUCH;
}

static bool env_panics(MDB_env *env)
{
    MDB_txn *txn;

    if (mdb_txn_begin(env, NULL, MDB_RDONLY, &txn) != 0)
        return true;
    mdb_txn_abort(txn);
    return false;
}

int env_write_error(struct store *s, int rc)
{
    int r = lmdb_error(rc);

    if (rc == MDB_MAP_FULL)
        s->cramped = true;
    if (r == -EIO && disk_full(s->env) && !env_panics(s->env))
        return -ENOSPC;
    return r == -EUCLEAN ? -EIO : r;
}

/* ---- size ------------------------------------------------------------------------------------ */

int env_make_room(struct store *s)
{
    MDB_envinfo info;
    MDB_stat stat;
    size_t used, map;
    int rc;

    if (s->readers > 0 || s->txn)
        return 0;
    mdb_env_info(s->env, &info);
    mdb_env_stat(s->env, &stat);
    used = (info.me_last_pgno + 1) * stat.ms_psize;
    map = info.me_mapsize;
    if (s->cramped)
        map *= 2;
    while (map < used || map - used < s->sizes.headroom)
        map *= 2;
    if (map != info.me_mapsize) {
        rc = mdb_env_set_mapsize(s->env, map);
        if (rc != 0)
            return lmdb_error(rc);
    }
    s->cramped = false;
    return 0;
}

/* Pages that were allocated and freed within one transaction at the file's end were never written:
 * the file may rightly be shorter than its map says, and touching what is missing would be SIGBUS.
 * Zeros there are no page of a tree, so a file that was really cut is found when it is read. */
static int fill_up(MDB_env *env)
{
    MDB_envinfo info;
    MDB_stat stat;
    struct stat st;
    off_t want;
    int fd;

    mdb_env_info(env, &info);
    mdb_env_stat(env, &stat);
    mdb_env_get_fd(env, &fd);
    want = (off_t)((info.me_last_pgno + 1) * stat.ms_psize);
    if (fstat(fd, &st) < 0)
        return -errno;
    if (st.st_size < want && ftruncate(fd, want) < 0)
        return -errno;
    return 0;
}

/* ---- files ----------------------------------------------------------------------------------- */

/* Ours, a directory, and closed to others. */
static int own_dir(int fd)
{
    struct stat st;

    if (fstat(fd, &st) < 0)
        return -errno;
    if (st.st_uid != geteuid())
        return -EUCLEAN;
    return fchmod(fd, 0700) < 0 ? -errno : 0;
}

static void closep(int *fd)
{
    if (*fd >= 0)
        close(*fd);
}

/* Takes the lock that only one teamd can have: it goes with the process. */
static int take_lock(struct store *s, int dir)
{
    int fd = openat(dir, "lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

    if (fd < 0)
        return -errno;
    s->lock_fd = fd;
    if (flock(fd, LOCK_EX | LOCK_NB) < 0)
        return errno == EWOULDBLOCK ? -EBUSY : -errno;
    return 0;
}

/* The lock is one byte long once there has been a store. A file without a byte is then one that was
 * cut, and before that one whose making was cut short: nothing was ever in it. Nor in one that has
 * not even LMDB's two first pages, which a full disk leaves behind: that is begun anew. */
static int refuse_cut(const struct store *s, int dir)
{
    struct stat data, lock;
    bool unmade;

    if (fstatat(dir, "data.mdb", &data, AT_SYMLINK_NOFOLLOW) < 0)
        return errno == ENOENT ? 0 : -errno;
    if (fstat(s->lock_fd, &lock) < 0)
        return -errno;
    if (lock.st_size > 0)
        return data.st_size == 0 ? -EUCLEAN : 0;
    unmade = S_ISREG(data.st_mode) && data.st_size > 0 && data.st_size < 2 * sysconf(_SC_PAGESIZE);
    return unmade && unlinkat(dir, "data.mdb", 0) < 0 ? -errno : 0;
}

/* Makes the directory of the store if need be. */
static int store_dir(struct store *s, const char *path)
{
    int dir CLEANUP(closep) = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    int sub CLEANUP(closep) = -1;
    int r;

    if (dir < 0)
        return -errno;
    r = own_dir(dir);
    if (r < 0)
        return r;
    r = take_lock(s, dir);
    if (r < 0)
        return r;
    if (mkdirat(dir, "store", 0700) < 0 && errno != EEXIST)
        return -errno;
    sub = openat(dir, "store", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (sub < 0)
        return errno == ENOTDIR || errno == ELOOP ? -EUCLEAN : -errno;
    r = own_dir(sub);
    if (r < 0)
        return r;
    r = refuse_cut(s, sub);
    if (r < 0)
        return r;
    return fsync(dir) < 0 ? -errno : 0;
}

static int sync_dir(const char *path)
{
    int fd CLEANUP(closep) = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    return fd < 0 || fsync(fd) < 0 ? -errno : 0;
}

/* ---- tables ---------------------------------------------------------------------------------- */

/* Stores of an older teamd do not have the last ones. */
static int open_tables(struct store *s, MDB_txn *txn, unsigned flags)
{
    MDB_dbi names;
    bool nameless = mdb_dbi_open(txn, TABLE_NAMES[BY_NAME], 0, &names) == MDB_NOTFOUND;

    for (size_t i = 0; i < TABLES; i++) {
        unsigned how = i >= OUTBOX ? MDB_CREATE : flags;
        int rc = mdb_dbi_open(txn, TABLE_NAMES[i], how, &s->tables[i]);

        if (rc != 0)
            return rc == MDB_NOTFOUND ? -EUCLEAN : lmdb_error(rc);
    }
    return nameless ? write_names(s, txn) : 0;
}

/* A store that was never one: tables, schema and an empty ledger, or nothing. */
static int create(struct store *s, MDB_txn *txn)
{
    static const uint8_t SCHEMA_BYTES[4] = {0, 0, 0, SCHEMA};
    MDB_val key = val("schema", 6), value = val(SCHEMA_BYTES, sizeof SCHEMA_BYTES);
    MDB_stat stat;
    int r;

    r = lmdb_error(mdb_stat(txn, 1, &stat)); /* 1: LMDB's own table of tables */
    if (r < 0)
        return r;
    if (stat.ms_entries > 0)
        return -EUCLEAN;
    r = open_tables(s, txn, MDB_CREATE);
    if (r < 0)
        return r;
    return lmdb_error(mdb_put(txn, s->tables[META], &key, &value, MDB_NOOVERWRITE));
}

static int check_schema(struct store *s, MDB_txn *txn, MDB_dbi meta)
{
    MDB_val key = val("schema", 6), value;
    int r = lmdb_error(mdb_get(txn, meta, &key, &value));

    if (r == -ENOENT || (r == 0 && value.mv_size != 4))
        return -EUCLEAN;
    if (r < 0)
        return r;
    if (key_number(value.mv_data, 4) > SCHEMA)
        return -EPROTONOSUPPORT;
    if (key_number(value.mv_data, 4) != SCHEMA)
        return -EUCLEAN;
    return open_tables(s, txn, 0);
}

static int create_or_check(struct store *s, MDB_txn *txn)
{
    MDB_dbi meta;
    int rc = mdb_dbi_open(txn, TABLE_NAMES[META], 0, &meta);

    if (rc == MDB_NOTFOUND)
        return create(s, txn);
    return rc != 0 ? lmdb_error(rc) : check_schema(s, txn, meta);
}

static int prepare_once(struct store *s)
{
    MDB_txn *txn;
    int r;

    r = env_make_room(s);
    if (r < 0)
        return r;
    r = lmdb_error(mdb_txn_begin(s->env, NULL, 0, &txn));
    if (r < 0)
        return r;
    r = create_or_check(s, txn);
    if (r < 0) {
        mdb_txn_abort(txn);
        return r;
    }
    return env_write_error(s, mdb_txn_commit(txn));
}

/* An index that has to be made may need more room than a turn ever does. */
static int prepare(struct store *s)
{
    int r;

    do
        r = prepare_once(s);
    while (r == -ENOSPC && s->cramped);
    return r;
}

int env_open(struct store *s, const char *dir)
{
    char path[4096];
    int r, dead, n = snprintf(path, sizeof path, "%s/store", dir);

    if (n < 0 || (size_t)n >= sizeof path)
        return -ENAMETOOLONG;
    r = store_dir(s, dir);
    if (r < 0)
        return r;
    r = lmdb_error(mdb_env_create(&s->env));
    if (r < 0)
        return r;
    mdb_env_set_maxdbs(s->env, TABLES_CAP);
    mdb_env_set_mapsize(s->env, s->sizes.map);
    r = lmdb_error(mdb_env_open(s->env, path, MDB_NOTLS, 0600));
    if (r < 0)
        return r;
    r = fill_up(s->env);
    if (r < 0)
        return r;
    r = lmdb_error(mdb_reader_check(s->env, &dead));
    if (r < 0)
        return r;
    r = prepare(s);
    if (r < 0)
        return r;
    if (ftruncate(s->lock_fd, 1) < 0)
        return -errno;
    return sync_dir(path);
}

void env_close(struct store *s)
{
    if (s->env)
        mdb_env_close(s->env);
    closep(&s->lock_fd); /* last: from here on another teamd may open it */
}
