/* A copy of the store while it works. */
#include "store/internal.h"

#include <errno.h>

/* The map cannot grow while the copy reads from it, so it gets enough for a long time first. It is
 * address space, not disk. */
int store_copy_begin(struct store *s)
{
    static const size_t ROOM = (size_t)4 << 30;
    size_t usual = s->sizes.headroom;
    int r;

    if (s->txn)
        return -EBUSY;
    s->sizes.headroom = usual > ROOM ? usual : ROOM;
    r = env_make_room(s);
    s->sizes.headroom = usual;
    if (r == 0)
        s->readers++;
    return r;
}

/* LMDB locks what its threads share, and a read transaction of MDB_NOTLS belongs to nobody. */
int store_copy(struct store *s, int fd)
{
    return lmdb_error(mdb_env_copyfd2(s->env, fd, MDB_CP_COMPACT));
}

void store_copy_end(struct store *s)
{
    s->readers--;
}
