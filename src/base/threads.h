/* Work that several threads do at once. */
#ifndef US_BASE_THREADS_H
#define US_BASE_THREADS_H

enum { US_THREADS_MOST = 128 };

/* work(context, i) once for each i from 0 to n - 1, at the same time as far as threads can be had: this one
 * does 0, and those that no thread could be started for. Returns when all is done. n is US_THREADS_MOST at
 * most. */
void us_threads_run(int n, void (*work)(void *context, int i), void *context);

/* The same, for work whose parts wait for each other: started(context, n), NULL for none, is told in this
 * thread before it begins with 0 that 0..n-1 run at the same time, and the others only when this one has done
 * 0. */
void us_threads_run_told(int n, void (*work)(void *context, int i), void (*started)(void *context, int n),
                         void *context);

/* How many threads are of use: the processors that are online, from 1 to `most`. */
int us_threads(int most);

#endif
