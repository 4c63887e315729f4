/* The report's style sheet. */
#ifndef US_REPORT_STYLE_H
#define US_REPORT_STYLE_H

/* CSS for a <style> element: light and dark by the reader's preference, one column on narrow screens. Plots
 * take their colours from the custom properties that it defines. Holds none of & < >. */
extern const char us_report_style[];

#endif
