/* The section on parameters: every scalar of run.json and its short lists, a card for each object. */
#include "config.h"

#include <string.h>

#include "base/text.h"
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

/* The scalars of `object`, under dotted keys those of objects in it; long lists and lists of objects
 * (classes, models) have sections of their own. */
static void write_entries(FILE *out, const char *prefix, const json_t *object)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)object, key, value)
    {
        if (is_shown(value))
            write_entry(out, prefix, key, value);
    }
    json_object_foreach((json_t *)object, key, value)
    {
        char longer[256];
        snprintf(longer, sizeof longer, "%s%s.", prefix, key);
        if (json_is_object(value) && strlen(prefix) + strlen(key) + 2 < sizeof longer)
            write_entries(out, longer, value);
    }
}

static void card_begin(FILE *out, const char *title)
{
    fputs("<div class=\"card long\" style=\"margin-top:18px\">", out);
    us_html_element(out, "h3", NULL, "%c%s", us_upper(*title), title + 1);
    fputs("\n<dl class=\"params\">\n", out);
}

static void card_end(FILE *out)
{
    fputs("</dl></div>\n", out);
}

/* What run.json has in no object of its own. */
static void write_run(FILE *out, const json_t *run)
{
    const char *key;
    json_t *value;
    card_begin(out, "run");
    json_object_foreach((json_t *)run, key, value)
    {
        if (is_shown(value) && strcmp(key, "command") != 0)
            write_entry(out, "", key, value);
    }
    card_end(out);
}

enum unseen_status us_write_parameters(FILE *out, const struct us_run_folder *folder)
{
    const char *key;
    json_t *value;
    write_command(out, us_run_text(folder, "command"));
    write_run(out, folder->run);
    json_object_foreach(folder->run, key, value)
    {
        if (json_object_size(value) == 0)
            continue;
        card_begin(out, key);
        write_entries(out, "", value);
        card_end(out);
    }
    return UNSEEN_OK;
}
