/* --config FILE: "key = value" lines, or the run.json, scoring.json or audit.json of an earlier run. */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/json.h"
#include "cmd/options.h"

enum { MOST_BYTES = 1 << 20 };

/* The settings of the run in a folder are in one of these. */
static enum unseen_status fail_folder(const char *path)
{
    static const char *const names[] = {"run.json", "audit.json", "scoring.json"};
    us_fail(UNSEEN_USAGE, path, "is a folder, not a file of options");
    for (int i = 0; i < 3; i++) {
        char *file = us_format("%s/%s", path, names[i]);
        const bool there = file && access(file, R_OK) == 0;
        if (there)
            us_hint("did you mean %s?", file);
        free(file);
        if (there)
            break;
    }
    return UNSEEN_USAGE;
}

/* Whole, but for what is too long to be one: an endless pipe, a dataset named by mistake. */
static enum unseen_status read_text(const char *path, char **text)
{
    enum unseen_status st = UNSEEN_OK;
    FILE *file = us_fopen(path, "re");
    *text = us_calloc(MOST_BYTES + 2, 1);
    US_TRY_ALLOC(*text);
    if (!file) {
        st = us_fail_errno(path, "cannot open");
        goto out;
    }
    const size_t n = fread(*text, 1, MOST_BYTES + 1, file);
    if (ferror(file) && errno == EISDIR)
        st = fail_folder(path);
    else if (ferror(file))
        st = us_fail_errno(path, "cannot read");
    else if (n > MOST_BYTES)
        st = us_fail(UNSEEN_USAGE, path, "is longer than 1 MiB: no file of options");
    else if (memchr(*text, '\0', n))
        st = us_fail(UNSEEN_USAGE, path, "holds zero bytes: no text");
out:
    if (file)
        fclose(file);
    return st;
}

static char *trim(char *text)
{
    text += strspn(text, " \t\r");
    for (size_t n = strlen(text); n && strchr(" \t\r", text[n - 1]); n--)
        text[n - 1] = '\0';
    return text;
}

/* The value in `text`, without a comment behind it; quotes hold blanks and #. NULL if one is not closed. */
static char *take_value(char *text)
{
    text = trim(text);
    if (*text != '"') {
        text[strcspn(text, "#")] = '\0';
        return trim(text);
    }
    char *end = strchr(++text, '"');
    if (!end)
        return NULL;
    const char *behind = trim(end + 1);
    *end = '\0';
    return *behind == '\0' || *behind == '#' ? text : NULL;
}

/* Of a flag without a value: that it is on. */
static enum unseen_status set(struct us_entry *entry, bool no, const char *path, int line, const char *value)
{
    if (entry->given)
        return us_fail(UNSEEN_USAGE, path, "line %d: %s is there twice", line, entry->at.name);
    entry->given = 1;
    return us_entry_set(entry, no, value);
}

static enum unseen_status read_line(struct us_entries *all, const char *path, int number, char *line)
{
    line = trim(line);
    if (!*line || *line == '#')
        return UNSEEN_OK;
    char *equals = strchr(line, '=');
    char *hash = strchr(line, '#');
    if (equals && hash && hash < equals)
        equals = NULL;
    char *value = equals ? take_value(equals + 1) : NULL;
    if (equals && !value)
        return us_fail(UNSEEN_USAGE, path, "line %d: the value's quotes do not match", number);
    line[equals ? equals - line : (int)strcspn(line, "#")] = '\0';
    bool no;
    char *key = trim(line);
    struct us_entry *entry = us_entry_find(all, key, &no);
    if (!entry && !equals && strpbrk(key, " \t"))
        return us_fail(UNSEEN_USAGE, path, "line %d: '%s' lacks a = between key and value", number, key);
    if (!entry || strcmp(key, "config") == 0)
        return us_fail(UNSEEN_USAGE, path, "line %d: unknown option '%s'", number, key);
    if (!equals && !*entry->opposite)
        return us_fail(UNSEEN_USAGE, path, "line %d: '%s' needs a value", number, key);
    return set(entry, no, path, number, value);
}

static enum unseen_status read_lines(struct us_entries *all, const char *path, char *text)
{
    int number = 1;
    enum unseen_status st = UNSEEN_OK;
    for (char *line = text, *next; line && !st; line = next, number++) {
        next = strchr(line, '\n');
        if (next)
            *next++ = '\0';
        st = read_line(all, path, number, line);
    }
    return st;
}

/* "stop_after" of JSON is "stop-after". */
static void key_name(const char *key, char name[64])
{
    snprintf(name, 64, "%s", key);
    for (char *p = name; *p; p++)
        *p = *p == '_' ? '-' : *p;
}

/* An unknown key is a mistake, or another command's run.json. */
static enum unseen_status read_settings(struct us_entries *all, const char *path, const json_t *settings)
{
    const char *key;
    json_t *value;
    if (!json_is_object(settings)) {
        us_fail(UNSEEN_USAGE, path, "has no \"settings\": no run.json, or that of an older version");
        us_hint("its \"command\" says how the run was started");
        return UNSEEN_USAGE;
    }
    json_object_foreach((json_t *)settings, key, value)
    {
        char name[64];
        bool no;
        key_name(key, name);
        struct us_entry *entry = us_entry_find(all, name, &no);
        if (!entry || no)
            return us_fail(UNSEEN_USAGE, path, "\"%s\" is no option of this command", key);
        entry->given = 1;
        const enum unseen_status st = us_option_get(&entry->at, path, value);
        if (st)
            return st;
    }
    return UNSEEN_OK;
}

static enum unseen_status read_run(struct us_entries *all, struct us_common *common, const char *text)
{
    enum unseen_status st = us_json_parse(common->config, text, strlen(text), &common->config_json);
    if (st)
        return st == UNSEEN_BAD_DATA ? UNSEEN_USAGE : st;
    bool no;
    const json_t *device = json_object_get(common->config_json, "device");
    if (us_entry_find(all, "device", &no) && !getenv("UNSEEN_DEVICE"))
        common->device = json_string_value(json_object_get(device, "name"));
    /* Where "settings" are what tells one run from another, "options" beside them are what was asked for. */
    const json_t *options = json_object_get(common->config_json, "options");
    return read_settings(all, common->config,
                         options ? options : json_object_get(common->config_json, "settings"));
}

enum unseen_status us_config_read(struct us_entries *all, struct us_common *common)
{
    static const char byte_order_mark[] = "\xEF\xBB\xBF";
    enum unseen_status st = read_text(common->config, &common->config_text);
    if (st)
        return st;
    char *text = common->config_text;
    if (strncmp(text, byte_order_mark, 3) == 0)
        text += 3;
    return text[strspn(text, " \t\r\n")] == '{' ? read_run(all, common, text)
                                                : read_lines(all, common->config, text);
}
