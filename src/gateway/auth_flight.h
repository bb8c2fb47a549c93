/* SPDX-License-Identifier: Apache-2.0
 *
 * AuthFlights: who asks somebody the same at the same time waits for one answer. Any loop.
 *
 *	AUTO(auth_flight_end) AuthFlight flight = { .flights = bridge->flights, .id = id };
 *	TRY(auth_flight_join(&flight, a, &answer));
 *	if (!flight.leads)
 *		return ...                              another's answer
 *	... ask ...
 *	auth_flight_tell(&flight, &answer);                                                               */
#pragma once
#include "auth/proved.h"

typedef struct AuthFlights AuthFlights;
AuthFlights *auth_flights_new(void) RETURNS_NONNULL;
void auth_flights_free(AuthFlights *flights); /* NULL is fine; when nobody flies */

typedef enum FlightOutcome {
	FLIGHT_LOST, /* whoever asked left: nothing is known */
	FLIGHT_YES,  /* claims */
	FLIGHT_NO, /* it is nobody, or not right; counts for those alone who came before the question */
	FLIGHT_FAILED, /* no answer was to be had */
	FLIGHT_OWN,    /* the answer is for one alone: each asks for itself */
} FlightOutcome;

typedef struct FlightAnswer {
	FlightOutcome outcome;
	const Json *claims;
} FlightAnswer;

typedef struct AuthFlight {
	/* given */
	AuthFlights *flights;
	AuthId id;
	/* its own */
	bool leads; /* asks, and tells */
	uint64_t came;
	struct Flight *flight;
} AuthFlight;

/* Parks while somebody else asks. Then flight->leads: the caller asks; else *answer is another's, its claims for as long as the
 * arena lives. Fails as fiber_park does. */
Err *auth_flight_join(AuthFlight *flight, Arena *a, FlightAnswer *answer) MUST_USE;
/* Only who leads, once: what came of the question. Wakes the others. */
void auth_flight_tell(AuthFlight *flight, const FlightAnswer *answer);
void auth_flight_end(AuthFlight *flight); /* who led and told nothing: one of the others leads */
