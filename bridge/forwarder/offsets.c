#include "bridge/forwarder/offsets.h"

void
offsets_note(struct offsets *offsets, uint64_t plain, uint64_t wire)
{
	size_t last;

	if (offsets->count < OFFSETS_MARKS)
		offsets->count++;
	last = (offsets->first + offsets->count - 1) % OFFSETS_MARKS;
	offsets->marks[last] = (struct offsets_mark){plain, wire};
}

uint64_t
offsets_plain(struct offsets *offsets, uint64_t wire)
{
	while (offsets->count > 0 && offsets->marks[offsets->first].wire <= wire) {
		offsets->plain = offsets->marks[offsets->first].plain;
		offsets->first = (offsets->first + 1) % OFFSETS_MARKS;
		offsets->count--;
	}
	return offsets->plain;
}
