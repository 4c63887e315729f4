/* What classes are called that have folders such as n01440764, from a text as LOC_synset_mapping.txt,
 * synset_words.txt and map_clsloc.txt are: a class a line, "n01440764 tench, Tinca tinca", with the number
 * that the ImageNet devkit gives it before or behind its name, "n02119789 1 kit_fox". */
#ifndef US_DATASETS_SYNSETS_H
#define US_DATASETS_SYNSETS_H

#include "base/status.h"

struct us_synset {
    const char *name;  /* "n01440764" */
    const char *words; /* "tench, Tinca tinca"; "" if there are none */
    int id;            /* the devkit's, from 1 on; 0: the line has none */
};

struct us_synsets {
    struct us_synset *list; /* [n] sorted by name */
    int n;
    bool ids;   /* each has an id */
    char *text; /* behind the names and words */
};

/* UNSEEN_BAD_DATA, naming the line, if a class is there twice or a line begins with two numbers. Freed with
 * us_synsets_free, also after a failure; `synsets` is zeroed by the caller. */
enum unseen_status us_synsets_read(const char *file, struct us_synsets *synsets);
void us_synsets_free(struct us_synsets *synsets);

/* NULL if there is none. */
const struct us_synset *us_synset_find(const struct us_synsets *synsets, const char *name);

#endif
