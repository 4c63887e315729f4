#include "config.h"

#include "device/trial.h"

#include "device/cache.h"
#include "device/source.h"
#include "device/state.h"

#include <stdlib.h>

static const char passed[] = "passed";

/* False where nothing can be remembered. */
static bool find_key(const struct unseen_device *device, const struct us_trial *trial, char key[US_CACHE_KEY])
{
    char *file = NULL, *also = NULL, *source = NULL, *options = NULL;
    bool found = us_cache_on(true) && us_source_load(trial->file, &file) == UNSEEN_OK &&
                 (!trial->also || us_source_load(trial->also, &also) == UNSEEN_OK) &&
                 (source = us_format("%s%s", file, also ? also : "")) &&
                 (options = us_format("trial: %s %s", device->quirks.options, trial->options));
    if (found)
        us_cache_key(&device->info, source, options, key);
    free(options);
    free(source);
    free(also);
    free(file);
    return found;
}

bool us_trial_passed(const struct unseen_device *device, const struct us_trial *trial)
{
    char key[US_CACHE_KEY];
    unsigned char *bytes = NULL;
    size_t size;
    const bool known = find_key(device, trial, key) && us_cache_read(key, &bytes, &size);
    free(bytes);
    return known;
}

void us_trial_keep(const struct unseen_device *device, const struct us_trial *trial)
{
    char key[US_CACHE_KEY];
    if (find_key(device, trial, key))
        us_cache_write(key, (const unsigned char *)passed, sizeof passed - 1);
}
