/* The page of walk_html.c as lines, ended by NULL: made by the Makefile from walk.html, walk.css and walk.js. */
#ifndef DEBUG_WALK_PAGE_H
#define DEBUG_WALK_PAGE_H

extern const char *const walk_page_html[], *const walk_page_css[], *const walk_page_js[];

#endif
