/* The program's signal handlers, which compilers inside drivers replace by their own and leave so: LLVM's
 * removes files that a build still needs, and hides abort from the program. */
#ifndef US_DEVICE_SIGNALS_H
#define US_DEVICE_SIGNALS_H

/* Around a call that loads drivers or may compile; from any thread, several at a time. What the first of them
 * met is there again after the last one. */
void us_signals_keep(void);
void us_signals_restore(void);

#endif
