/* What came over the network, read: JSON of the services, XML of STS, errors of both, dates. Pure
 * apart from the heap. Any bytes may come in. */
#pragma once

#include "courier/aws.h"

enum { ANSWER_DEPTH_MAX = 64, ANSWER_RECORD_DEPTH_MAX = 256 };

/* A JSON object without duplicate members, or NULL. No bytes at all are an empty object. */
json_t *answer_json(const char *body, size_t len);

/* The same, where people wrote what is in it: texts may have a NUL. */
json_t *answer_large(const char *body, size_t len);

/* One record of CloudTrail, or NULL: also with duplicate members, deep, with NUL and halves of
 * pairs
 * (\ud800) in texts and any integers, because whoever calls AWS decides on some of it, and must not
 * be able to make it unreadable. */
json_t *answer_record(const char *body, size_t len);

/* What is in <XResult> of an answer to the operation X, or NULL. */
json_t *answer_xml(const char *body, size_t len);

/* The code and the message of an error, from whichever form it has; "" where there is none.
 * `header`: x-amzn-errortype, or "". */
void answer_error(const char *body, size_t len, const char *header, char code[AWS_CODE_CAP],
                  char message[AWS_TEXT_CAP], char request_id[AWS_CODE_CAP]);

/* "Sun, 06 Nov 1994 08:49:37 GMT"; false if it is no such. */
bool answer_http_date(const char *s, struct wall *ret);

/* "2026-11-25T22:09:36Z", with fraction and offset as they come; false if it is no such. */
bool answer_iso_date(const char *s, struct wall *ret);

/* Microseconds that Retry-After (seconds or a date) asks for; 0 if it is nothing of both. */
int64_t answer_retry_after(const char *s, struct wall now);
