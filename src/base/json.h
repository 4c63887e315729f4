/* JSON files over jansson, with errors that name the file. */
#ifndef US_BASE_JSON_H
#define US_BASE_JSON_H

#include <jansson.h>
#include <stdint.h>

#include "base/status.h"

/* A file that holds one object; released with json_decref. UNSEEN_FAILED if it cannot be read,
 * UNSEEN_BAD_DATA with file, line and reason if it is no JSON object or names a key twice. */
enum unseen_status us_json_load(const char *path, json_t **object);

/* The same for text in memory; `name` stands for the file in messages. */
US_SHARED enum unseen_status us_json_parse(const char *name, const char *text, size_t size, json_t **object);

/* Write atomically: indented by two, keys in the order of insertion, a line feed at the end. Reals keep 15
 * digits, which every float survives. Takes no reference; NULL (what jansson's constructors give where memory
 * runs out) is UNSEEN_FAILED. */
enum unseen_status us_json_save(const char *path, const json_t *value);

/* A real that is saved as the shortest decimal that reads back as `value` (0.1, not 0.100000001490116);
 * null for what is not finite. New reference, NULL if memory runs out. */
json_t *us_json_float(float value);

/* A string for names of files and classes, which need not be UTF-8: what is not becomes U+FFFD, for JSON
 * holds UTF-8 alone. New reference, NULL if memory runs out. */
US_SHARED json_t *us_json_text(const char *text);

/* The value of `key`; UNSEEN_BAD_DATA, naming file and key, if it is missing, of another type or outside
 * [low, high]. `file` is what messages call the place that `object` came from. */
enum unseen_status us_json_integer(const json_t *object, const char *file, const char *key, int64_t low,
                                   int64_t high, int64_t *value);

/* Integers count as reals here. */
enum unseen_status us_json_real(const json_t *object, const char *file, const char *key, double low,
                                double high, double *value);

/* Lives as long as `object`. */
enum unseen_status us_json_string(const json_t *object, const char *file, const char *key,
                                  const char **value);

#endif
