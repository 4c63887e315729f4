/* Settings in JSON. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/option.h"
#include "base/option_member.h"
#include "base/text.h"

/* What saving with 15 digits would change is text. */
static json_t *real_json(const char *text)
{
    char short_text[40];
    const double value = us_read_number(text, NULL);
    us_print_to(short_text, sizeof short_text, "%.15g", value);
    return us_read_number(short_text, NULL) == value ? json_real(value) : json_string(text);
}

/* Whether a member's text is one integer. */
static bool is_integer(const struct us_option_at *at, const char *text)
{
    return us_option_is_whole(at->row) || (at->row->kind == US_SPAN && !strstr(text, ".."));
}

static json_t *to_json(const struct us_option_at *at)
{
    const struct us_option *row = at->row;
    char *text = us_option_text(at);
    json_t *value = NULL;
    const bool word = us_option_is_ranged(row) && text && us_option_find_word(row->words, text) >= 0;
    if (!text)
        return NULL;
    if (row->kind == US_BOOL)
        value = json_boolean(*(const int *)us_option_member(at));
    else if (row->kind == US_STRING && !*(const char *const *)us_option_member(at))
        value = json_null();
    else if (row->kind == US_UINT64 && !word && *(const uint64_t *)us_option_member(at) > INT64_MAX)
        value = json_string(text); /* more than JSON's integers hold here */
    else if (is_integer(at, text) && !word)
        value = json_integer(strtoll(text, NULL, 10));
    else if (us_option_is_number(row) && !word)
        value = real_json(text);
    else
        value = us_json_text(text);
    free(text);
    return value;
}

/* "stop-after" is "stop_after" in JSON. */
static void name_key(const char *name, char key[64])
{
    snprintf(key, 64, "%s", name);
    for (char *p = key; *p; p++)
        *p = *p == '-' ? '_' : *p;
}

enum unseen_status us_options_put(json_t *object, const struct us_option *table, const void *base,
                                  unsigned leave_out)
{
    struct us_option_at list[US_OPTIONS_MOST];
    const int n = us_options_list(table, base, list);
    bool bad = !object;
    for (int i = 0; i < n && !bad; i++) {
        char key[64];
        name_key(list[i].name, key);
        if (!(list[i].row->flags & leave_out))
            bad = json_object_set_new(object, key, to_json(&list[i]));
    }
    return bad ? us_fail(UNSEEN_FAILED, "settings", "out of memory, or a name that is not UTF-8") : UNSEEN_OK;
}

enum unseen_status us_option_get(const struct us_option_at *at, const char *file, const json_t *value)
{
    char text[64];
    const struct us_option *row = at->row;
    if (json_is_null(value) && row->kind == US_STRING) {
        *(const char **)us_option_member(at) = NULL;
        return UNSEEN_OK;
    }
    if (json_is_string(value))
        return us_option_parse(at, json_string_value(value));
    if (json_is_boolean(value) && (row->kind == US_BOOL || row->flags & US_WAS_BOOL))
        return us_option_parse(at, json_is_true(value) ? "true" : "false");
    if (json_is_integer(value) && row->kind != US_BOOL)
        snprintf(text, sizeof text, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    else if (json_is_real(value) && (row->kind == US_FLOAT || row->kind == US_DOUBLE))
        us_print_to(text, sizeof text, "%.17g", json_real_value(value));
    else
        return us_fail(UNSEEN_USAGE, file, "\"%s\" has a value of the wrong type", at->name);
    if (row->kind == US_STRING)
        return us_fail(UNSEEN_USAGE, file, "\"%s\" is not a string", at->name);
    return us_option_parse(at, text);
}

enum unseen_status us_options_get(const json_t *object, const char *file, const struct us_option *table,
                                  void *base)
{
    struct us_option_at list[US_OPTIONS_MOST];
    const int n = us_options_list(table, base, list);
    enum unseen_status st = UNSEEN_OK;
    for (int i = 0; i < n && !st; i++) {
        char key[64];
        name_key(list[i].name, key);
        const json_t *value = json_object_get(object, key);
        if (value)
            st = us_option_get(&list[i], file, value);
    }
    return st;
}
