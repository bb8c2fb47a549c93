/* SPDX-License-Identifier: Apache-2.0
 *
 * What the debt costs and whether mending it pays. Pure: inputs in, figures and sentences out. Every input carries where it is from; what is
 * unknown stays unknown. Any thread. */
#pragma once
#include "base/buf.h"

#include <math.h>

typedef enum MoneySource {
	MONEY_UNKNOWN,
	MONEY_DEFAULT,
	MONEY_CONFIGURED,
	MONEY_MEASURED,
	MONEY_SOURCES
} MoneySource;

typedef enum MoneyIn {
	MONEY_HOURS,          /* lost a month */
	MONEY_RATE,           /* an hour's price */
	MONEY_INFRASTRUCTURE, /* overhead, a month */
	MONEY_OPPORTUNITY,    /* of delayed features, a year */
	MONEY_SECURITY,       /* cost of its risks, a year */
	MONEY_CHURN,          /* customers lost to poor performance, a year */
	MONEY_SAVING,         /* once the work is done, a month */
	MONEY_REMOVED,  /* the share of the annual cost that goes away, when no saving is given */
	MONEY_RUNNING,  /* of what replaces the monolith, a month: subtracted */
	MONEY_YEARS,    /* looked ahead */
	MONEY_BUDGET,   /* of development, a year */
	MONEY_VELOCITY, /* the share by which it falls a year */
	MONEY_AVAILABILITY, /* a share of the time */
	MONEY_MAINTENANCE,  /* critical people's share of time for it */
	MONEY_PRINCIPAL,    /* hours to mend what was found (SQALE) */
	MONEY_INPUTS
} MoneyIn;

typedef struct Range {
	double low, likely, high;
} Range;

typedef enum MoneyUnit { AMOUNT_HOURS, AMOUNT_MONEY, AMOUNT_SHARE, AMOUNT_YEARS } MoneyUnit;
typedef struct MoneyInRow {
	const char *key; /* "hours_lost" */
	MoneyUnit unit;
	const char *per; /* " a month"; "" */
	const char *text;
	double most;  /* a larger value is a slip; 0: none is */
	bool assumed; /* somebody's guess: gets a range when it was given none */
} MoneyInRow;
const MoneyInRow *money_row(MoneyIn in) RETURNS_NONNULL;

typedef struct MoneyInput {
	Range is;
	MoneySource source; /* MONEY_UNKNOWN: the range means nothing */
	Str from;           /* "payroll of May"; may be empty */
} MoneyInput;

typedef struct MoneyPhase {
	Str name;
	double weeks; /* 0: not given */
	Range cost;
} MoneyPhase;

/* A figure that somebody has written somewhere, held against the others and against what comes out. */
typedef enum MoneyClaimKind {
	CLAIM_COST,        /* of the debt, a year */
	CLAIM_SAVING,      /* a year */
	CLAIM_REFACTORING, /* the price of the work */
	CLAIM_WEEKS,
	CLAIM_PAYBACK, /* months */
	CLAIM_NET,     /* over MONEY_YEARS */
	CLAIM_KINDS
} MoneyClaimKind;
typedef struct MoneyClaim {
	MoneyClaimKind kind;
	double value;
	bool monthly; /* of CLAIM_COST and CLAIM_SAVING: value is a month's */
	Str where;
} MoneyClaim;

typedef struct MoneyCase {
	Str currency; /* "$", "EUR" */
	MoneyInput in[MONEY_INPUTS];
	const MoneyPhase *phases;
	size_t phase_count;
	const MoneyClaim *claims;
	size_t claim_count;
} MoneyCase;

enum { MONEY_PARTS = 5, MONEY_THRESHOLDS = 4, MONEY_REMARKS = 64 };

typedef struct MoneyFigure {
	Range is;
	bool known;
} MoneyFigure;

typedef enum MoneyCrossed { CROSSED_UNKNOWN, CROSSED_NO, CROSSED_YES } MoneyCrossed;
typedef struct MoneyThreshold {
	const char *text; /* "debt, of the development budget" */
	double limit;
	bool below; /* crossed below the limit; else above */
	MoneyFigure value;
	MoneySource source;
	MoneyCrossed crossed; /* by the likely value */
	bool doubtful;        /* the range has both answers */
} MoneyThreshold;

typedef enum MoneyVerdict {
	VERDICT_UNKNOWN,
	VERDICT_PAYS,     /* even when everything comes at its worst */
	VERDICT_LIKELY,   /* as things most likely are, not at their worst */
	VERDICT_DOUBTFUL, /* at their best only */
	VERDICT_NOT,
	MONEY_VERDICTS
} MoneyVerdict;

typedef struct MoneyResult {
	MoneyFigure parts
		[MONEY_PARTS]; /* a year; in the formula's order: hours, MONEY_INFRASTRUCTURE .. MONEY_CHURN */
	MoneyFigure annual;    /* the sum of those known; known when one is */
	size_t missing;        /* parts that are not in it */
	MoneyFigure interest;  /* a year: parts[0]. Never added to the principal */
	MoneyFigure principal; /* once */
	MoneyFigure cost;      /* of the phases */
	double weeks;
	MoneyFigure saving;   /* a month, after the running cost of what replaces the monolith */
	MoneyFigure payback;  /* months from the day that savings begin; INFINITY: never */
	MoneyFigure net, roi; /* over the years; roi 1: the cost came back twice */
	MoneyFigure
		break_even; /* the share of the annual cost that must go away to pay within the years */
	MoneyThreshold thresholds[MONEY_THRESHOLDS];
	MoneyVerdict verdict;
	Str remarks[MONEY_REMARKS]; /* sentences: what contradicts what, what to mind */
	size_t remark_count;
	size_t contradictions; /* of the remarks, which come first */
} MoneyResult;

/* What an audit has measured: a point, with no range. What was given stays: whoever gave it knows why. */
void money_measured(MoneyCase *c, MoneyIn in, double value, Str from);

/* Strings of the result live in the arena. Cannot fail. */
void money_reckon(Arena *a, const MoneyCase *c, MoneyResult *out);

/* What a person types for a figure: "800", "$1.69M", "1,690,000", "40K", "45%", or as a range "LOW..HIGH" (the middle is likely) and
 * "LOW..LIKELY..HIGH". *ranged says whether it was one. Fails with INVALID "money.amount". */
Err *money_read(Arena *a, Str text, Range *out, bool *ranged) MUST_USE;
/* Half and half again: the range of an assumption that was given none. */
Range money_spread(double likely);
/* "$1.69M", "-$40K", "EUR 312.50": three digits at least. */
void money_amount_put(Buf *b, Str currency, double amount);

/* Hours lost a month, measured: the time spent in each file, less what it would take if the file were healthy. A change in the least healthy
 * code takes `slowest` times as long (Tornhill and Borg, "Code Red", arXiv:2203.04374: 2.24); health 100 is healthy, between them a line. */
typedef struct MoneyFile {
	double health;      /* 0 to 100 */
	double churn_share; /* of all that was changed */
} MoneyFile;
double money_hours_lost(const MoneyFile *files, size_t count, double team_hours, double slowest);

const char *money_source_name(MoneySource source);    /* "measured" */
const char *money_verdict_name(MoneyVerdict verdict); /* "pays", for programs */
const char *money_verdict_text(MoneyVerdict verdict); /* a sentence */
