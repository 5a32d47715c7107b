#include "bridge/receiver/submission.h"

#include <string.h>

#include "formats/memory.h"

static void
copy_slice(struct slice *slice, char **position)
{
	if (slice->bytes == NULL)
		return;
	if (slice->length > 0)
		memcpy(*position, slice->bytes, slice->length);
	slice->bytes = *position;
	*position += slice->length;
}

static bool
is_same(struct slice left, struct slice right)
{
	return left.bytes == right.bytes && left.length == right.length;
}

/* What the first event of a batch has too is not copied again. */
static bool
shares_frame(const struct spool_event *event, const struct spool_event *first)
{
	return event != first && is_same(event->source, first->source) &&
	       is_same(event->evidence, first->evidence);
}

static size_t
size_of(const struct spool_event *event, const struct spool_event *first)
{
	size_t size =
	    event->id.length + event->type.length + event->resource.length + event->body.length;

	if (!shares_frame(event, first))
		size += event->source.length + event->evidence.length;
	return size;
}

static void
copy_event(struct spool_event *copy, const struct spool_event *event,
	   const struct spool_event *first, const struct spool_event *first_copy, char **position)
{
	*copy = *event;
	if (shares_frame(event, first)) {
		copy->source = first_copy->source;
		copy->evidence = first_copy->evidence;
	} else {
		copy_slice(&copy->source, position);
		copy_slice(&copy->evidence, position);
	}
	copy_slice(&copy->id, position);
	copy_slice(&copy->type, position);
	copy_slice(&copy->resource, position);
	copy_slice(&copy->body, position);
}

struct submission *
submission_new(const struct spool_event *events, size_t count)
{
	size_t size = sizeof(struct submission) + count * sizeof(*events);
	struct submission *submission;
	char *position;

	for (size_t i = 0; i < count; i++)
		size += size_of(&events[i], &events[0]);
	submission = memory_allocate(size);
	submission->kind = SUBMISSION_EVENTS;
	submission->events = (struct spool_event *)(submission + 1);
	submission->event_count = count;
	position = (char *)(submission->events + count);
	for (size_t i = 0; i < count; i++) {
		copy_event(&submission->events[i], &events[i], &events[0], &submission->events[0],
			   &position);
		submission->body_bytes += events[i].body.length;
	}
	return submission;
}

struct submission *
submission_new_rejected(const struct spool_rejected *rejected)
{
	struct submission *submission = memory_allocate(
	    sizeof(*submission) + rejected->source.length + rejected->reason.length +
	    rejected->evidence.length + rejected->body.length);
	char *position = (char *)(submission + 1);

	submission->kind = SUBMISSION_REJECTED;
	submission->rejected = *rejected;
	submission->body_bytes = rejected->body.length;
	copy_slice(&submission->rejected.source, &position);
	copy_slice(&submission->rejected.reason, &position);
	copy_slice(&submission->rejected.evidence, &position);
	copy_slice(&submission->rejected.body, &position);
	return submission;
}

size_t
submission_weight(const struct submission *submission)
{
	return submission->kind == SUBMISSION_EVENTS ? submission->event_count : 1;
}

void
submission_put(struct submission_queue *queue, struct submission *submission)
{
	submission->next = NULL;
	if (queue->last == NULL)
		queue->first = submission;
	else
		queue->last->next = submission;
	queue->last = submission;
	queue->weight += submission_weight(submission);
	queue->bytes += submission->body_bytes;
}

struct submission *
submission_take(struct submission_queue *queue)
{
	struct submission *submission = queue->first;

	if (submission == NULL)
		return NULL;
	queue->first = submission->next;
	if (queue->first == NULL)
		queue->last = NULL;
	queue->weight -= submission_weight(submission);
	queue->bytes -= submission->body_bytes;
	submission->next = NULL;
	return submission;
}

void
submission_number(const struct submission_queue *queue, uint64_t last, size_t stored)
{
	uint64_t sequence = last - stored;

	for (struct submission *s = queue->first; s != NULL; s = s->next) {
		sequence += s->event_count - s->duplicates;
		if (s->wants_sequence)
			s->sequence = s->event_count > s->duplicates ? sequence : last;
	}
}
