/*
 * Key material leaves as prefix, "…" and its last four: "sk-…x7Qf".  Enough to
 * find the key in the gateway's console, too little to use it.
 *
 * Known by what they look like, wherever they stand in a text: API keys and
 * tokens with a prefix (the table in mask.c), JSON Web Tokens, PEM private keys
 * (of which only the first line stays), and what stands behind "key=",
 * "secret:", "token=" or "password=" and looks random.  Ordinary ids stay as
 * they are: key_01, msg_2KWPB..., UUIDs, ULIDs.
 */
#ifndef MASK_H
#define MASK_H

#include "formats/arena.h"
#include "formats/text.h"

/* What is known beside that.  All is borrowed. */
struct mask_settings {
	bool off;              /* for who masks what leaves: mask_text() masks all the same */
	char *const *prefixes; /* behind them stand 16 or more of A-Z a-z 0-9 _ - */
	size_t prefix_count;
	char *const *names; /* what stands behind "name=" and looks random; in any case */
	size_t name_count;
};

/*
 * The value itself where nothing is to be masked, else a copy in the arena, never longer.
 * NULL as settings: nothing but what is known anyway.
 */
struct slice mask_text(struct slice value, const struct mask_settings *settings,
		       struct arena *arena);

/*
 * For a field that names a key: also a value that is, as a whole, at least 32
 * random letters and digits, for then a key was put where its name belongs.
 */
struct slice mask_key(struct slice value, const struct mask_settings *settings,
		      struct arena *arena);

#endif
