/*
 * UTF-8 (RFC 3629): is it valid, where may it be cut, what of it may not be shown.
 */
#ifndef UTF8_H
#define UTF8_H

#include "formats/text.h"

/*
 * Length, 1 to 4 bytes, of the sequence at `bytes`; 0 where none of the `left`
 * bytes there makes one: overlong, a surrogate, beyond U+10FFFF, or cut off.
 */
size_t utf8_sequence(const char *bytes, size_t left);

bool utf8_valid(struct slice text);

/* The longest beginning of valid UTF-8 of at most `maximum` bytes that ends between sequences. */
struct slice utf8_cut(struct slice text, size_t maximum);

/*
 * Length in bytes of the code point at `bytes` if it must not reach a line of
 * a log, else 0.  These end a line, move the cursor, hide themselves or turn
 * the text around: C0, DEL, C1 (U+0080-9F), U+2028, U+2029, U+202A-E,
 * U+2066-9, U+FEFF.  left > 0.
 */
size_t utf8_hidden(const char *bytes, size_t left);

#endif
