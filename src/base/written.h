/* The list of the files that this program wrote into an output folder: only those may be overwritten or
 * removed there. One name a line, from the folder on; a file is on the list before it is there. */
#ifndef US_BASE_WRITTEN_H
#define US_BASE_WRITTEN_H

#include "base/status.h"

struct us_written {
    char *kind;   /* what made the folder; "" as long as that is unknown */
    char **names; /* [n], sorted */
    size_t n, room;
    int journal; /* new names go here; -1: not open */
};

/* Read the list of the output folder `root`; a list that is not there, or that a power cut left without its
 * first line, is empty. A last line without its end is no name. UNSEEN_BAD_DATA if a newer version wrote it.
 * End with us_written_free, which takes a zeroed one too (with journal -1 or 0). */
enum unseen_status us_written_read(const char *root, struct us_written *written);
void us_written_free(struct us_written *written);

/* Take `kind` if the list has none, forget the names of files that are not there (any more), write the list
 * anew (through the file `temporary`) and open it for new names. The caller holds the folder's lock. */
enum unseen_status us_written_open(const char *root, const char *temporary, const char *kind,
                                   struct us_written *written);

/* Whether the file is on the list; whether one below a folder is. */
bool us_written_has(const struct us_written *written, const char *name);
bool us_written_has_below(const struct us_written *written, const char *folder);

/* Put `name` on the list, on disk when this returns. */
enum unseen_status us_written_add(struct us_written *written, const char *name);

#endif
