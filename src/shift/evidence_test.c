/* SPDX-License-Identifier: Apache-2.0 */
#include "shift/evidence.c"

#include "unit.h"

/* By the book, without the shortcuts: theta_k from r_k, and a sum instead of a mean of logarithms. */
static double by_the_book(double share, uint64_t new_events, uint64_t old_events)
{
	double sum = 0;

	for (size_t k = 0; k < EVIDENCE_GRID; k++) {
		double r = 1.25 * pow(64 / 1.25, (double)k / 23);
		double theta = share * r / (share * r + 1 - share);

		sum += exp((double)new_events * log(theta / share) +
		           (double)old_events * log((1 - theta) / (1 - share)));
	}
	return log(sum / EVIDENCE_GRID);
}

TEST(evidence_is_what_the_book_says)
{
	static const struct {
		double share;
		uint64_t on_new, on_old;
	} cases[] = { { 0.01, 6, 54 }, { 0.1, 8, 6 },     { 0.5, 16, 2 },
		      { 0.5, 0, 12 },  { 0.98, 3, 0 },    { 0.05, 9, 12 },
		      { 0.01, 0, 1 },  { 0.25, 40, 100 }, { 0.001, 1, 0 } };

	for (size_t i = 0; i < COUNT(cases); i++) {
		Evidence e = evidence_new(EVIDENCE_WORSE, 0);

		NOTE("row %zu", i);
		evidence_add(&e, cases[i].share, cases[i].on_new, cases[i].on_old);
		CHECK_NEAR(evidence_log(&e),
		           by_the_book(cases[i].share, cases[i].on_new, cases[i].on_old), 1e-9);
		CHECK_NEAR(evidence_log_of(EVIDENCE_WORSE, 0, cases[i].share, cases[i].on_new,
		                           cases[i].on_old),
		           evidence_log(&e), 1e-12);
		CHECK_INT(e.new_events, cases[i].on_new);
		CHECK_NEAR(e.expected, cases[i].share * (double)(cases[i].on_new + cases[i].on_old),
		           1e-12);
	}
}

TEST(evidence_multiplies_by_one_on_average_when_both_are_alike)
{
	static const double shares[] = { 0.001, 0.01, 0.1, 0.5, 0.9, 0.99 };

	for (size_t i = 0; i < COUNT(shares); i++) {
		double share = shares[i];
		double mean = share * exp(evidence_log_of(EVIDENCE_WORSE, 0, share, 1, 0)) +
		              (1 - share) * exp(evidence_log_of(EVIDENCE_WORSE, 0, share, 0, 1));
		double other = share * exp(evidence_log_of(EVIDENCE_FEWER, 0, share, 1, 0)) +
		               (1 - share) * exp(evidence_log_of(EVIDENCE_FEWER, 0, share, 0, 1));

		CHECK_NEAR(mean, 1, 1e-12);
		CHECK_NEAR(other, 1, 1e-12);
	}
}

/* At the border of a margin, an event is new's with probability share (1 + m) / (share (1 + m) + 1 - share). */
TEST(evidence_with_a_margin_is_even_at_the_border_and_falls_inside)
{
	static const double ratios[] = { 1.5, 1.2, 1.0, 0.5 };
	double share = 0.1, last = 1 + 1e-9;

	for (size_t i = 0; i < COUNT(ratios); i++) {
		double on_new = share * ratios[i] / (share * ratios[i] + 1 - share);
		double worse =
			on_new * exp(evidence_log_of(EVIDENCE_WORSE, 0.5, share, 1, 0)) +
			(1 - on_new) * exp(evidence_log_of(EVIDENCE_WORSE, 0.5, share, 0, 1));
		double fine = on_new * exp(evidence_log_of(EVIDENCE_FEWER, 0.5, share, 1, 0)) +
		              (1 - on_new) * exp(evidence_log_of(EVIDENCE_FEWER, 0.5, share, 0, 1));

		if (i == 0) {
			CHECK_NEAR(worse, 1, 1e-12);
			CHECK_NEAR(fine, 1, 1e-12);
		} else {
			CHECK(fine > 1);
		}
		CHECK(worse <= last);
		last = worse;
	}
}

TEST(evidence_of_gateways_adds_up)
{
	Evidence whole = evidence_new(EVIDENCE_WORSE, 0), part = whole, other = whole;

	evidence_add(&whole, 0.05, 4, 10);
	evidence_add(&whole, 0.07, 5, 2);
	evidence_add(&part, 0.05, 4, 10);
	evidence_add(&other, 0.07, 5, 2);
	evidence_merge(&part, &other);
	CHECK_NEAR(evidence_log(&part), evidence_log(&whole), 1e-12);
	CHECK_NEAR(part.peak, evidence_log(&whole), 1e-12);
	CHECK_INT(part.new_events, 9);
	CHECK_INT(part.old_events, 12);
	CHECK_NEAR(part.expected, whole.expected, 1e-12);
}

TEST(evidence_p_remembers_the_best_moment_and_never_exceeds_one)
{
	Evidence e = evidence_new(EVIDENCE_WORSE, 0);
	double best;

	CHECK_NEAR(evidence_p(&e), 1, 0);
	evidence_add(&e, 0.5, 0, 5);
	CHECK_NEAR(evidence_p(&e), 1, 0);
	evidence_add(&e, 0.5, 40, 0);
	best = evidence_p(&e);
	CHECK(best < 0.01);
	CHECK_NEAR(best, exp(-evidence_log(&e)), 1e-15);
	evidence_add(&e, 0.5, 0, 60);
	CHECK(evidence_log(&e) < 0);
	CHECK_NEAR(evidence_p(&e), best, 0);
}

TEST(evidence_needs_both_sides)
{
	static const double shares[] = { 0, 1, -1, 2, NAN };

	for (size_t i = 0; i < COUNT(shares); i++) {
		Evidence e = evidence_new(EVIDENCE_WORSE, 0);

		evidence_add(&e, shares[i], 5, 5);
		CHECK_INT(e.new_events + e.old_events, 0);
		CHECK_NEAR(evidence_log(&e), 0, 1e-12);
	}
}

TEST(evidence_is_kept_as_json_to_the_last_bit)
{
	AUTO(buf_fini) Buf b = { 0 };
	JsonWriter w = json_writer(&b);
	Evidence e = evidence_new(EVIDENCE_FEWER, 0.25), back;
	const Json *json;
	Str text;

	evidence_add(&e, 0.03, 7, 300);
	evidence_add(&e, 0.3, 70, 2);
	evidence_put(&w, &e);
	CHECK_OK(json_done(&w, &text));
	CHECK_OK(json_read(a, text, 0, &json));
	CHECK_OK(evidence_read(a, json, &back));
	CHECK(back.of == EVIDENCE_FEWER && back.margin == 0.25 && back.peak == e.peak &&
	      back.expected == e.expected && back.new_events == 77 && back.old_events == 302);
	for (size_t k = 0; k < EVIDENCE_GRID; k++)
		CHECK(back.log[k] == e.log[k]);
}

TEST(evidence_refuses_what_is_none)
{
	static const Str texts[] = {
		S("null"),
		S("{}"),
		S("{\"fewer\":false,\"margin\":0,\"new\":1,\"old\":1,\"expected\":1,\"peak\":0,\"log\":[1]}"),
		S("{\"fewer\":false,\"margin\":-1,\"new\":1,\"old\":1,\"expected\":1,\"peak\":0,\"log\":"
		  "[0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0]}"),
		S("{\"fewer\":false,\"margin\":0,\"new\":-1,\"old\":1,\"expected\":1,\"peak\":0,\"log\":"
		  "[0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0]}"),
		S("{\"fewer\":false,\"margin\":0,\"new\":1,\"old\":1,\"expected\":1,\"peak\":0,\"log\":"
		  "[0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,null]}"),
	};

	for (size_t i = 0; i < COUNT(texts); i++) {
		const Json *json;
		Evidence e;

		NOTE("row %zu", i);
		CHECK_OK(json_read(a, texts[i], 0, &json));
		CHECK_ERR(evidence_read(a, json, &e), "shift.state");
	}
}

TEST(evidence_that_is_taken_back_never_was)
{
	static const EvidenceOf of[] = { EVIDENCE_WORSE, EVIDENCE_FEWER };

	for (size_t i = 0; i < COUNT(of); i++) {
		Evidence e = evidence_new(of[i], 0.2), want = e;

		evidence_add(&want, 0.1, 6, 20);
		evidence_add(&e, 0.1, 8, 21);
		evidence_take_back(&e, true);
		evidence_take_back(&e, false);
		evidence_take_back(&e, true);
		CHECK_NEAR(evidence_log(&e), evidence_log(&want), 1e-9);
		CHECK_INT(e.new_events, 6);
		CHECK_INT(e.old_events, 20);
		CHECK_NEAR(e.expected, want.expected, 1e-9);
	}
}

TEST(evidence_of_nothing_cannot_be_taken_back)
{
	Evidence e = evidence_new(EVIDENCE_WORSE, 0);

	evidence_take_back(&e, true);
	evidence_add(&e, 0.1, 0, 3);
	evidence_take_back(&e, true);
	CHECK_INT(e.old_events, 3);
	CHECK_INT(e.new_events, 0);
}
