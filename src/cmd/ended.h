/* A command that something ended from within: by abort or exit, which nothing here calls. */
#ifndef US_CMD_ENDED_H
#define US_CMD_ENDED_H

/* Say on stderr who ended the program, from now on. Call it before any driver is loaded. */
void us_ended_watch(void);

/* The command has returned: what comes now is no sudden end. */
void us_ended_watch_no_more(void);

#endif
