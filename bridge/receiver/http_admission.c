#include "bridge/receiver/http_admission.h"

#include "bridge/counters.h"
#include "bridge/receiver/http_connection_internal.h"
#include "bridge/receiver/limit.h"

enum {
	LIGHT_BODY = 16 * 1024, /* bytes of a request that every connection may hold uncounted */
	LOOKS = 32,             /* at connections, for one to close */
};

bool
http_admission_may_ask(struct http_connection *connection)
{
	return connection->peer == NULL ||
	       limit_request(connection->group->limit, connection->peer);
}

bool
http_admission_may_err(struct http_connection *connection)
{
	return connection->peer == NULL ||
	       limit_refusal(connection->group->limit, connection->peer);
}

void
http_admission_prove(struct http_connection *connection)
{
	connection->proven = true;
}

/* ---- connections ---- */

/*
 * Closes one for a newcomer, which is not among them yet: the oldest that never showed a
 * good signature, else the oldest that does nothing.  One that has shown one goes to the
 * end of the line, so that some looks are enough.  False: all that were looked at are at
 * work.
 */
static bool
make_room(struct http_connection_group *group)
{
	struct http_connection *idle = NULL;

	for (int i = 0; i < LOOKS; i++) {
		struct http_connection *oldest = TAILQ_FIRST(&group->all);

		if (oldest == NULL || oldest == idle)
			break;
		if (oldest->phase != PHASE_HELD && !oldest->proven) {
			http_connection_close(oldest);
			return true;
		}
		TAILQ_REMOVE(&group->all, oldest, by_age);
		TAILQ_INSERT_TAIL(&group->all, oldest, by_age);
		if (idle == NULL && oldest->phase == PHASE_IDLE)
			idle = oldest;
	}
	if (idle != NULL)
		http_connection_close(idle);
	return idle != NULL;
}

bool
http_admission_enter(struct http_connection *connection, const struct sockaddr *address,
		     int64_t *wait)
{
	struct http_connection_group *group = connection->group;
	enum limit_verdict verdict = LIMIT_ADMITTED;

	*wait = 0;
	if (group->limit != NULL)
		verdict = limit_enter(group->limit, address, group->limits.handshake_timeout,
				      &connection->peer, wait);
	if (verdict == LIMIT_ADMITTED || (verdict == LIMIT_FULL && make_room(group))) {
		TAILQ_INSERT_TAIL(&group->all, connection, by_age);
		return true;
	}
	counters_add(group->counters, COUNTER_TURNED_AWAY, 1);
	if (verdict == LIMIT_FULL)
		limit_leave(group->limit, connection->peer);
	return false;
}

void
http_admission_leave(struct http_connection *connection)
{
	http_admission_release(connection);
	if (connection->peer != NULL)
		limit_leave(connection->group->limit, connection->peer);
	TAILQ_REMOVE(&connection->group->all, connection, by_age);
}

/* ---- memory ---- */

/*
 * The oldest body that has not come whole makes room for this one: who stalls loses,
 * and who sends what he announced is done in a moment.
 */
static bool
take_memory_of_another(struct http_connection *connection, uint64_t bytes)
{
	struct http_connection_group *group = connection->group;
	struct http_connection *other;

	while ((other = TAILQ_FIRST(&group->heavy)) != NULL) {
		if (other == connection)
			return false;
		http_connection_refuse(other, ANSWER_UNAVAILABLE);
		if (limit_take(group->limit, bytes))
			return true;
	}
	return false;
}

bool
http_admission_count(struct http_connection *connection)
{
	struct http_connection_group *group = connection->group;
	uint64_t more;

	if (connection->gate.length <= LIGHT_BODY + connection->counted || group->limit == NULL)
		return true;
	more = connection->gate.length - LIGHT_BODY - connection->counted;
	if (!limit_take(group->limit, more) && !take_memory_of_another(connection, more))
		return false;
	if (connection->counted == 0)
		TAILQ_INSERT_TAIL(&group->heavy, connection, by_weight);
	connection->counted += more;
	return true;
}

void
http_admission_release(struct http_connection *connection)
{
	if (connection->counted == 0)
		return;
	limit_release(connection->group->limit, connection->counted);
	connection->counted = 0;
	TAILQ_REMOVE(&connection->group->heavy, connection, by_weight);
}
