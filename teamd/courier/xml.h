/* The XML that AWS's query protocol answers with, as JSON: an element without children is a string,
 * one with children an object, one whose children are all <member> an array; other names may not
 * come twice. Attributes and comments are passed over. Strict, and no more than that: no
 * document type, no entities but the five, at most XML_DEPTH_MAX deep. Any bytes may come in. */
#pragma once

#include <jansson.h>

enum { XML_DEPTH_MAX = 16, XML_NAME_MAX = 127, XML_ELEMENTS_MAX = 20000 };

/* A new reference, or NULL: no well-formed document, or no memory. */
json_t *xml_parse(const char *text, size_t len, char root[XML_NAME_MAX + 1]);
