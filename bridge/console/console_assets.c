/*
 * The assembler takes a file in as it is (.incbin, from the root of the tree, where the
 * build runs); the Makefile says which files this one depends on.
 */
#include "bridge/console/console_assets.h"

#define ASSET(name, file)                                                                          \
	__asm__(".section .rodata\n"                                                               \
		".global asset_" #name "_start\n"                                                  \
		".global asset_" #name "_end\n"                                                    \
		"asset_" #name "_start:\n"                                                         \
		".incbin \"bridge/console/assets/" file "\"\n"                                     \
		"asset_" #name "_end:\n"                                                           \
		".previous\n");                                                                    \
	extern const char asset_##name##_start[], asset_##name##_end[]

ASSET(page, "page.html");
ASSET(style, "page.css");
ASSET(script, "page.js");
ASSET(icon, "icon.svg");

static const struct console_asset assets[] = {
    {"/", "text/html; charset=utf-8", asset_page_start, asset_page_end},
    {"/page.css", "text/css; charset=utf-8", asset_style_start, asset_style_end},
    {"/page.js", "text/javascript; charset=utf-8", asset_script_start, asset_script_end},
    {"/icon.svg", "image/svg+xml", asset_icon_start, asset_icon_end},
};

const struct console_asset *
console_assets_find(struct slice path)
{
	for (size_t i = 0; i < sizeof(assets) / sizeof(assets[0]); i++)
		if (text_slice_is(path, assets[i].path))
			return &assets[i];
	return NULL;
}

struct slice
console_assets_bytes(const struct console_asset *asset)
{
	return (struct slice){asset->start, (size_t)(asset->end - asset->start)};
}
