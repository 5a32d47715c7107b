/* The files of assets/, compiled in, and under which path they are served. */
#ifndef CONSOLE_ASSETS_H
#define CONSOLE_ASSETS_H

#include "formats/text.h"

struct console_asset {
	const char *path;
	const char *content_type;
	const char *start;
	const char *end;
};

/* NULL: there is none. */
const struct console_asset *console_assets_find(struct slice path);

/* Lasting. */
struct slice console_assets_bytes(const struct console_asset *asset);

#endif
