/* The rows that trajectory and prune share. */
#ifndef US_CMD_SCORING_OPTIONS_H
#define US_CMD_SCORING_OPTIONS_H

#define US_SCORING_OPTIONS(s, reading)                                                                       \
    {"protocol", US_OPT_CHOICE, &(s)->protocol, "seen|fold|one-fold", "who scores a sample (fold)"},         \
        {"folds", US_OPT_INT, &(s)->folds, "K", "folds of the split (5)"},                                   \
        {"concurrent", US_OPT_AUTO, &(s)->concurrent, "auto|N",                                              \
         "models trained at once; auto: what is fastest (auto)"},                                            \
        {"repeats", US_OPT_INT, &(s)->repeats, "R", "splits and initialisations (1)"},                       \
        {"record", US_OPT_CHOICE, &(s)->record, "train|eval",                                                \
         "pass that seen quantities come from (train)"},                                                     \
    {                                                                                                        \
        "coarse", US_OPT_ON, &(reading)->coarse_labels, NULL, "CIFAR-100: the 20 superclasses"               \
    }

/* The rows that score and prune share. */
#define US_SCORE_OPTIONS(s)                                                                                  \
    {"calibrate", US_OPT_CHOICE, &(s)->calibration, "none|zscore|rank", "across folds (none)"},              \
        {"window", US_OPT_INT, &(s)->window, "J", "epochs of DUAL's and Dyn-Unc's window (10)"},             \
    {                                                                                                        \
        "epoch", US_OPT_INT, &(s)->epoch, "T", "epoch that snapshot scores read, from 0"                     \
    }

/* The rows that select and prune share. */
#define US_SELECT_OPTIONS(s)                                                                                 \
    {"keep", US_OPT_DOUBLE, &(s)->keep, "R", "share of the samples to keep, 0..1 (0.5)"},                    \
        {"cutoff", US_OPT_DOUBLE, &(s)->cutoff, "B", "CCS: share of the hardest to drop first (by --keep)"}, \
    {                                                                                                        \
        "strata", US_OPT_INT, &(s)->strata, "N", "CCS: strata (50)"                                          \
    }

#endif
