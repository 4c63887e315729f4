/* Searching the cut-off: several are tried on most of the data, the best on the rest wins. */
#ifndef US_COMPARE_SEARCH_H
#define US_COMPARE_SEARCH_H

#include "nn/work.h"
#include "prune/select_inputs.h"

enum { US_SEARCH_TRIALS = 5 }; /* cut-offs 0, 0.1, .. 0.4 */

struct us_search {
    struct unseen_recipe recipe; /* of the models that try them */
    uint64_t seed;
    const int64_t *duplicate_of;                /* as us_folds takes it */
    const char *rule;                           /* ccs or window */
    const struct unseen_select_options *select; /* of the final selection; cutoff is not looked at */
    const struct us_select_inputs *inputs;
    const char *folder;        /* trials leave their states and search.json there; made before */
    struct us_progress *whole; /* counts us_search_left; may be NULL */
    const struct us_price *price;
};

/* A tenth of the training split, by class, is held out; from the others each cut-off keeps its share, a model
 * trains on it and is tested on the tenth. Receives the cut-off of the highest accuracy, of equals the
 * lowest. Cut-offs that would leave fewer samples than are to be kept are not tried. A killed call goes on.
 */
enum unseen_status us_search_cutoff(struct us_session *session, const struct us_search *search,
                                    double *cutoff);

/* What is left of it. `search->inputs` is not looked at; `search->folder` NULL: all. */
enum unseen_status us_search_left(const struct unseen_dataset *data, const struct us_search *search,
                                  struct us_work *work);

#endif
