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

/* The value itself where nothing is to be masked, else a copy in the arena, never longer. */
struct slice mask_text(struct slice value, struct arena *arena);

/*
 * For a field that names a key: also a value that is, as a whole, at least 32
 * random letters and digits, for then a key was put where its name belongs.
 */
struct slice mask_key(struct slice value, struct arena *arena);

#endif
