/* Reading what stands under one id. */
#pragma once

#include "store/internal.h"

/* Owns the array of decisions, and is used again from record to record. All zero at first. */
struct assembly {
    struct record record;
    struct boot_mark boot; /* the request was written in */
    struct decision *decisions;
    size_t cap;
};

void assembly_free(struct assembly *a);

/* Reads a request with its decisions and words. -ENOENT if there is none; else a->record is good as
 * long as the transaction and `a` are. */
int assemble(struct store *s, MDB_txn *txn, struct id id, struct assembly *a);
