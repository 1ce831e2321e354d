// Package segment decides which segments a visitor is in.
//
// Rules are compiled into an Engine once. The engine makes an Answer of a
// location: every segment that depends on the location alone is decided there.
// Decide then settles, for one request, what depends on the request too.
//
//	[]Segment ──Compile──► Engine ──Answer(location)──► Answer ──Decide(visitor)──► Decision
//
// Rules have three outcomes: true, false and unknown, combined as Kleene's
// logic has it. A segment matches only where its outcome is true, so nobody is
// put into a segment because something is not known of them.
//
// The package is pure: no I/O, no clock, no state that changes.
package segment

// Segment is a named group of rules.
type Segment struct {
	// The name, by which headers, placeholders and matchers know the segment:
	// letters, digits, `_` and `-`, at most 64 of them.
	Name string `json:"name"`

	// A description for people.
	Label string `json:"label,omitempty"`

	// Whether `all` of the rules must be true (the default) or `any` of them.
	Match string `json:"match,omitempty"`

	// The rules; at least one.
	Rules []Rule `json:"rules"`

	// Where the segment was written, like `Caddyfile:12`; for messages.
	Source string `json:"source,omitempty"`
}

// Rule is one condition. Exactly one of its fields is set, besides `source`.
// Where a field has several values, one of them is enough.
type Rule struct {
	// ISO 3166-1 alpha-2 codes of countries, like `IT`.
	Country []string `json:"country,omitempty"`

	// Codes of continents: `AF`, `AN`, `AS`, `EU`, `NA`, `OC` or `SA`.
	Continent []string `json:"continent,omitempty"`

	// The country is in the European Union.
	EU bool `json:"eu,omitempty"`

	// ISO 3166-2 codes of regions, like `IT-25`, or their English names,
	// which may name their country: `Limburg, NL`.
	Region []string `json:"region,omitempty"`

	// English names of cities, which may name their country or region
	// (`Paris, US`, `Portland, US-OR`), or GeoNames ids.
	City []string `json:"city,omitempty"`

	// Postal codes; `201*` stands for all that begin with 201.
	Postal []string `json:"postal,omitempty"`

	// Metro codes (United States).
	Metro []uint32 `json:"metro,omitempty"`

	// Autonomous system numbers.
	ASN []uint32 `json:"asn,omitempty"`

	// IANA time zones, like `Europe/Rome`.
	TimeZone []string `json:"timezone,omitempty"`

	// The location is within a distance of a place or store.
	Within *Within `json:"within,omitempty"`

	// Names of areas that the location is in.
	InArea []string `json:"in_area,omitempty"`

	// The accuracy radius is at most this length, like `50km`.
	Accuracy string `json:"accuracy,omitempty"`

	// A location is known.
	Located bool `json:"located,omitempty"`

	// No location is known.
	Unlocated bool `json:"unlocated,omitempty"`

	// The request comes at certain times.
	During *During `json:"during,omitempty"`

	// Names of other segments that match.
	Segment []string `json:"segment,omitempty"`

	// The rule is false.
	Not *Rule `json:"not,omitempty"`

	// All of the rules are true.
	All []Rule `json:"all,omitempty"`

	// One or more of the rules are true.
	Any []Rule `json:"any,omitempty"`

	// Where the rule was written, like `Caddyfile:12`; for messages.
	Source string `json:"source,omitempty"`
}

// Within is a rule about distance. The boundary is inside.
type Within struct {
	// The distance with its unit: `5km`, `3mi` or `800m`.
	Radius string `json:"radius"`

	// The places, of which one is enough: the name of a place, `lat,lng` in
	// degrees, `store` for any store, or `store:CODE`.
	Of []string `json:"of"`

	// How probable it must be that the visitor really is inside, from `1%` to
	// `99%`. Without it the centre of the location is looked at. With it the
	// rule is unknown where the accuracy radius is.
	Confidence string `json:"confidence,omitempty"`
}

// During is a rule about the time of the request. All that is set must hold.
type During struct {
	// First and last day, like `2026-11-20..2026-12-24`; either may be
	// missing, and one day may stand alone.
	Dates string `json:"dates,omitempty"`

	// Days of the week, like `Mon-Fri` or `Mon,Wed,Sat-Sun`.
	Days string `json:"days,omitempty"`

	// A time of day, like `09:00-18:00`; the end is outside. It may go over
	// midnight, and then belongs to the day on which it begins.
	Hours string `json:"hours,omitempty"`

	// The IANA time zone these are in; the visitor's own unless set.
	Zone string `json:"zone,omitempty"`
}
