/* What loading images has cost: counted by loaders, shown by commands, kept in run.json. */
#ifndef US_NN_LOADING_H
#define US_NN_LOADING_H

#include <jansson.h>
#include <stdbool.h>

#include "base/status.h"
#include "unseen/train.h"

/* A loader is done: images that it sent, seconds of its passes, and of these for images alone. */
void us_loading_add(int64_t fed, double seconds, double waited);

/* A loader begins or ends a pass that takes decoded images; it begins or ends to want one with its queue
 * empty. */
void us_loading_feeds(bool begins);
void us_loading_starves(bool begins);

/* Whether all loaders in such passes starve: as long as one has work, models that share a device keep it
 * busy. */
bool us_loading_all_starve(void);

/* What unseen_loading_bottleneck names, in words that go on after "waited for data 9 % of the time: ". */
US_SHARED const char *us_bottleneck_text(const char *bottleneck);

/* unseen_loading as an object; NULL where nothing was decoded, or memory runs out. */
json_t *us_loading_json(void);

#endif
