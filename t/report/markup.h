/* A strict look at markup: is it well-formed? Knows elements, attributes in double quotes, the five entities
 * that we write, one <!DOCTYPE> and nothing else: no comments, no CDATA. */
#ifndef US_T_REPORT_MARKUP_H
#define US_T_REPORT_MARKUP_H

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { MARKUP_DEPTH = 64, MARKUP_NAME = 32 };

struct markup {
    const char *at;
    char open[MARKUP_DEPTH][MARKUP_NAME];
    int depth;
    const char *problem;
};

static inline bool markup_fail(struct markup *m, const char *problem)
{
    m->problem = problem;
    return false;
}

static inline bool markup_entity(struct markup *m)
{
    static const char *const known[] = {"&amp;", "&lt;", "&gt;", "&quot;", "&#39;"};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (strncmp(m->at, known[i], strlen(known[i])) == 0) {
            m->at += strlen(known[i]);
            return true;
        }
    }
    return markup_fail(m, "unescaped &");
}

static inline bool markup_name(struct markup *m, char name[MARKUP_NAME])
{
    int n = 0;
    while (isalnum((unsigned char)*m->at) || *m->at == '-' || *m->at == ':') {
        if (n == MARKUP_NAME - 1)
            return markup_fail(m, "long name");
        name[n++] = *m->at++;
    }
    name[n] = 0;
    return n > 0 || markup_fail(m, "no name");
}

static inline bool markup_value(struct markup *m)
{
    if (m->at[0] != '=' || m->at[1] != '"')
        return markup_fail(m, "attribute without a quoted value");
    for (m->at += 2; *m->at != '"';) {
        if (!*m->at || *m->at == '<')
            return markup_fail(m, "attribute does not end");
        if (*m->at != '&')
            m->at++;
        else if (!markup_entity(m))
            return false;
    }
    m->at++;
    return true;
}

/* A tag; m->at is behind its '<'. */
static inline bool markup_tag(struct markup *m)
{
    char name[MARKUP_NAME];
    bool end = *m->at == '/';
    m->at += end;
    if (!markup_name(m, name))
        return false;
    while (!end && *m->at == ' ') {
        char attribute[MARKUP_NAME];
        m->at++;
        if (!markup_name(m, attribute) || !markup_value(m))
            return false;
    }
    bool empty = *m->at == '/';
    m->at += empty;
    if (*m->at++ != '>')
        return markup_fail(m, "tag does not end");
    if (end)
        return (m->depth > 0 && strcmp(m->open[--m->depth], name) == 0) || markup_fail(m, "wrong end tag");
    if (!empty) {
        if (m->depth == MARKUP_DEPTH)
            return markup_fail(m, "too deep");
        strcpy(m->open[m->depth++], name);
    }
    return true;
}

/* NULL if `text` is well-formed; else the problem and where it is, in static storage. */
static inline const char *markup_problem(const char *text)
{
    static char report[160];
    struct markup m = {.at = text};
    static const char doctype[] = "<!DOCTYPE html>\n";
    if (strncmp(text, doctype, sizeof doctype - 1) == 0)
        m.at += sizeof doctype - 1;
    bool good = true;
    while (good && *m.at) {
        if (*m.at == '&')
            good = markup_entity(&m);
        else if (*m.at++ == '<')
            good = markup_tag(&m);
        else if (m.at[-1] == '>')
            good = markup_fail(&m, "unescaped >");
    }
    if (good && m.depth == 0)
        return NULL;
    snprintf(report, sizeof report, "%s at \"%.60s\"", good ? "an element is left open" : m.problem,
             m.at - text > 20 ? m.at - 20 : text);
    return report;
}

#endif
