#include "store/chain.h"

#include <errno.h>
#include <sodium.h>

size_t chain_seal(struct trail_event *e, uint8_t out[static SEALED_MAX])
{
    size_t len = record_write_event(e, out + HASH_LEN);

    if (len == 0)
        return 0;
    memcpy(out, e->prev, HASH_LEN);
    len += HASH_LEN;
    crypto_generichash(out + len, HASH_LEN, out, len, NULL, 0);
    memcpy(e->hash, out + len, HASH_LEN);
    return len + HASH_LEN;
}

int chain_read(const uint8_t *data, size_t len, struct trail_event *ret)
{
    int r;

    if (len < 2 * HASH_LEN)
        return -EBADMSG;
    r = record_read_event(data + HASH_LEN, len - 2 * HASH_LEN, ret);
    if (r < 0)
        return r;
    memcpy(ret->prev, data, HASH_LEN);
    memcpy(ret->hash, data + len - HASH_LEN, HASH_LEN);
    return 0;
}

bool chain_sound(const uint8_t *data, size_t len)
{
    uint8_t hash[HASH_LEN];

    if (len < 2 * HASH_LEN)
        return false;
    crypto_generichash(hash, HASH_LEN, data, len - HASH_LEN, NULL, 0);
    return memcmp(hash, data + len - HASH_LEN, HASH_LEN) == 0;
}
