/* The rows that trajectory and prune share. */
#ifndef US_CMD_SCORING_OPTIONS_H
#define US_CMD_SCORING_OPTIONS_H

#define US_SCORING_OPTIONS(s, reading)                                                                       \
    {"protocol", US_OPT_CHOICE, &(s)->protocol, "seen|fold|one-fold", "who scores a sample (fold)"},         \
        {"folds", US_OPT_INT, &(s)->folds, "K", "folds of the split (5)"},                                   \
        {"concurrent", US_OPT_AUTO, &(s)->concurrent, "auto|N",                                              \
         "models trained at once; auto: what is fastest (auto)"},                                            \
        {"repeats", US_OPT_INT, &(s)->repeats, "R", "splits and initialisations (1)"},                       \
        {"duplicates", US_OPT_CHOICE, &(s)->duplicates, "together|split",                                    \
         "samples of the same content: in one fold or not (together)"},                                      \
        {"record", US_OPT_CHOICE, &(s)->record, "train|eval",                                                \
         "pass that seen quantities come from (train)"},                                                     \
    {                                                                                                        \
        "coarse", US_OPT_ON, &(reading)->coarse_labels, NULL, "CIFAR-100: the 20 superclasses"               \
    }

/* The rows that score and prune share. */
#define US_SCORE_OPTIONS(s)                                                                                  \
    {"calibrate", US_OPT_CHOICE, &(s)->calibration, "none|zscore|rank", "across folds (none)"},              \
        {"length", US_OPT_INT, &(s)->length, "T", "epochs that count, from the first on (all)"},             \
        {"window", US_OPT_INT, &(s)->window, "J", "epochs of dual's, dynunc's and tdds's windows (10)"},     \
        {"decay", US_OPT_DOUBLE, &(s)->decay, "X", "tdds: what the last window weighs (0.9)"},               \
        {"clusters", US_OPT_INT, &(s)->clusters, "K", "prototype: how many (as many as classes)"},           \
    {                                                                                                        \
        "epoch", US_OPT_INT, &(s)->epoch, "T", "epoch that scores of one epoch read, from 0"                 \
    }

/* The rows that select, prune and compare share. The places of --cutoff's words make UNSEEN_CUTOFF_TABLE and
 * UNSEEN_CUTOFF_AUTO of them. */
#define US_RULE_OPTIONS(s, cut)                                                                              \
    {"cutoff", US_OPT_SHARE, &(s)->cutoff, "table|auto|B",                                                   \
     "CCS, window: share of the hardest to drop; table: by --keep; auto: and the wrong labels (auto)"},      \
        {"cut-by", US_OPT_STRING, cut, "M",                                                                  \
         "score that says what is hardest; auto: unseen-confidence, aum if seen (auto)"},                    \
        {"table", US_OPT_CHOICE, &(s)->table, "cifar10|cifar100|imagenet",                                   \
         "whose published cut-offs and exponents (cifar10)"},                                                \
        {"strata", US_OPT_INT, &(s)->strata, "N", "CCS: strata (50)"},                                       \
        {"beta", US_OPT_DOUBLE, &(s)->beta, "X", "beta: exponent of the pruned share (by --table)"},         \
        {"quota", US_OPT_CHOICE, &(s)->quota, "none|proportional|equal", "of the classes (none)"},           \
        {"class-focus", US_OPT_DOUBLE, &(s)->class_focus, "F",                                               \
         "0..1: lean quotas to classes with unseen errors (0)"},                                             \
        {"neighbours", US_OPT_INT, &(s)->neighbours, "K", "d2: of the graph (10)"},                          \
    {                                                                                                        \
        "gamma", US_OPT_DOUBLE, &(s)->gamma, "X", "d2: fall of influence with distance (1)"                  \
    }

/* The rows of incremental selection, but for "steps". */
#define US_STEP_OPTIONS(s)                                                                                   \
    {"grow", US_OPT_INT, &(s)->grow, "G", "steps: sizes grow over the first G (1)"},                         \
        {"evict", US_OPT_DOUBLE, &(s)->evict, "F", "steps: share of a coreset that may leave (0.2)"},        \
        {"hold-out", US_OPT_DOUBLE, &(s)->hold_out, "F",                                                     \
         "steps: share that judges coresets and is in none (0.1)"},                                          \
        {"warm-start", US_OPT_ON, &(s)->warm_start, NULL, "steps: models start from the last step's"},       \
        {"average", US_OPT_ON, &(s)->average, NULL, "steps: mean ranks over the steps outside"},             \
        {"step-folds", US_OPT_INT, &(s)->folds, "K", "steps: folds within a coreset (--folds)"},             \
        {"step-repeats", US_OPT_INT, &(s)->repeats, "R", "steps: splits and initialisations (1)"},           \
        {"step-epochs", US_OPT_INT, &(s)->epochs, "E", "steps: of their scoring models (--epochs)"},         \
    {                                                                                                        \
        "judges", US_OPT_INT, &(s)->judges, "J", "steps: models that judge a coreset (1)"                    \
    }

/* The same with a single ratio to keep. */
#define US_SELECT_OPTIONS(s, cut)                                                                            \
    {"keep", US_OPT_DOUBLE, &(s)->keep, "R", "share of the samples to keep, 0..1 (0.5)"},                    \
        US_RULE_OPTIONS(s, cut)

#endif
