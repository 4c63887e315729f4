/* Lists of names or numbers in one text, with commas between them. */
#ifndef US_BASE_LIST_H
#define US_BASE_LIST_H

#include "base/status.h"

enum { US_LIST_MOST = 64 };

struct us_list {
    char *text;                      /* behind the entries */
    const char *entry[US_LIST_MOST]; /* without blanks at their ends */
    int n;
};

/* Take `text` apart. UNSEEN_USAGE, naming `option`, if there is no entry, an empty one, one twice, or more
 * than US_LIST_MOST. End with us_list_end, also after a failure. */
US_SHARED enum unseen_status us_list_split(const char *option, const char *text, struct us_list *list);
US_SHARED void us_list_end(struct us_list *list);

#endif
