/* Memory that held secrets. */
#pragma once

#include <openssl/crypto.h>
#include <stddef.h>
#include <stdlib.h>

/* Overwrites; a compiler does not take that away. */
static inline void secret_wipe(void *p, size_t n)
{
    if (p)
        OPENSSL_cleanse(p, n);
}

static inline void secret_free(void *p, size_t n)
{
    secret_wipe(p, n);
    free(p);
}
