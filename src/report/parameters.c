/* The section on parameters: every scalar of run.json, and its short lists. */
#include "config.h"

#include <string.h>

#include "report/html.h"
#include "report/sections.h"

/* Lists of more are left out. */
enum { MOST_ITEMS = 16 };

bool us_shows_parameters(const struct us_run_folder *folder)
{
    return json_object_size(folder->run) > 0;
}

static void write_command(FILE *out, const char *command)
{
    if (!command || !*command)
        return;
    fputs("<pre>", out);
    us_html_text(out, command);
    fputs("</pre>\n", out);
}

static void write_value(FILE *out, const json_t *value)
{
    if (json_is_string(value))
        us_html_text(out, json_string_value(value));
    else if (json_is_integer(value))
        us_html_textf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    else if (json_is_real(value))
        us_html_textf(out, "%.6g", json_real_value(value));
    else
        us_html_text(out, json_is_true(value) ? "true" : json_is_false(value) ? "false" : "none");
}

/* A scalar, or a list of a few of them. */
static bool is_shown(const json_t *value)
{
    size_t i;
    json_t *item;
    if (json_array_size(value) > MOST_ITEMS)
        return false;
    json_array_foreach(value, i, item)
    {
        if (json_is_object(item) || json_is_array(item))
            return false;
    }
    return !json_is_object(value) && !(json_is_array(value) && i == 0);
}

static void write_entry(FILE *out, const char *prefix, const char *key, const json_t *value)
{
    size_t i;
    json_t *item;
    fputs("<div><dt>", out);
    us_html_text(out, prefix);
    us_html_text(out, key);
    fputs("</dt><dd>", out);
    if (!json_is_array(value))
        write_value(out, value);
    json_array_foreach(value, i, item)
    {
        us_html_text(out, i ? ", " : "");
        write_value(out, item);
    }
    fputs("</dd></div>\n", out);
}

/* Under dotted keys; long lists and lists of objects (classes, models) have sections of their own. */
static void write_object(FILE *out, const char *prefix, const json_t *object)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)object, key, value)
    {
        bool command = !*prefix && strcmp(key, "command") == 0;
        if (is_shown(value) && !command)
            write_entry(out, prefix, key, value);
    }
    json_object_foreach((json_t *)object, key, value)
    {
        char longer[256];
        snprintf(longer, sizeof longer, "%s%s.", prefix, key);
        if (json_is_object(value) && strlen(prefix) + strlen(key) + 2 < sizeof longer)
            write_object(out, longer, value);
    }
}

enum unseen_status us_write_parameters(FILE *out, const struct us_run_folder *folder)
{
    write_command(out, us_run_text(folder, "command"));
    fputs("<div class=\"card\"><dl class=\"params\">\n", out);
    write_object(out, "", folder->run);
    fputs("</dl></div>\n", out);
    return UNSEEN_OK;
}
