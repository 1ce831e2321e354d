package segment

import (
	"slices"
	"strings"
	"time"

	"github.com/geosegment/caddy-geosegment/geo"
)

// A rule is compiled into a tree. What the tree says of a location is worked
// out once for the location; only what depends on the request remains:
//
//	rule ──reduce(facts of a location)──► residual ──decide(conditions)──► Outcome
//
// A residual is most often a constant Outcome. What it says of the request is
// put as conditions, each of which is looked at once a request, however many
// segments have it.
type (
	rule interface {
		reduce(f *facts) residual
		// access tells for which locations the outcome can be true. Those of
		// the segments that the rule refers to are given.
		access(of []access) access
	}
	residual interface {
		// decide works the rest out. open are the outcomes of the open
		// segments before this one.
		decide(conditions, open []Outcome) Outcome
	}
)

// facts is what rules can see of a location, with the derived parts ready.
type facts struct {
	*geo.Location
	storeMetres float64  // distance of the nearest store, or negative
	cities      []string // as cityName gives them: "amsterdam (westpoort)", "amsterdam"
	regions     []string // folded names
	parts       bool     // a region of the second order is stated
	postal      string   // as plainPostal gives it
	zone        string   // the time zone by its name of today

	engine *Engine
	answer *Answer            // in the making
	done   map[int]residual   // segments that others refer to, as far as decided
	known  map[condition]uint // the answer's conditions by what they are
}

func newFacts(l *geo.Location, e *Engine, a *Answer) *facts {
	f := &facts{
		Location: l, postal: plainPostal(l.Postal), zone: geo.ZoneName(l.TimeZone), storeMetres: -1,
		engine: e, answer: a, done: map[int]residual{}, known: map[condition]uint{},
	}
	if a.store != nil {
		f.storeMetres = a.metres
	}
	if l.City != "" {
		f.cities = append(f.cities, cityName(l.City))
		if city := withoutDistrict(l.City); city != l.City {
			f.cities = append(f.cities, cityName(city))
		}
	}
	for _, r := range l.Regions {
		if r.Name != "" {
			f.regions = append(f.regions, geo.Fold(r.Name))
		}
		f.parts = f.parts || geo.RegionParent(r.Code) != ""
	}
	return f
}

// withoutDistrict drops the district that some databases add: "Amsterdam
// (Westpoort)", "Paris 18 Buttes-Montmartre". Whoever writes Amsterdam means
// all of it.
func withoutDistrict(city string) string {
	if name, _, ok := strings.Cut(city, " ("); ok && strings.HasSuffix(city, ")") {
		city = name
	}
	if i := strings.IndexAny(city, "0123456789"); i > 1 && city[i-1] == ' ' {
		city = city[:i-1]
	}
	return city
}

// segment decides a segment as far as the location does.
func (f *facts) segment(i int) residual {
	if !f.engine.referred[i] {
		return f.open(i, f.engine.rules[i].reduce(f))
	}
	r, ok := f.done[i]
	if !ok {
		r = f.open(i, f.engine.rules[i].reduce(f))
		f.done[i] = r
	}
	return r
}

// open notes a segment that is not decided. Those that it refers to have been
// noted before.
func (f *facts) open(i int, r residual) residual {
	if _, decided := r.(Outcome); decided {
		return r
	}
	f.answer.open = append(f.answer.open, openRule{int32(i), r})
	return openSegment(len(f.answer.open) - 1)
}

// A constant outcome is its own residual.
func (o Outcome) decide(_, _ []Outcome) Outcome { return o }

// located is a rule about the location alone.
type located struct {
	outcome func(f *facts) Outcome
	needs   access
}

func (r located) reduce(f *facts) residual { return r.outcome(f) }

func (r located) access([]access) access { return r.needs }

// group is "all" or "any" of its rules.
type group[R any] struct {
	any   bool
	rules []R
}

type (
	ruleGroup     group[rule]
	residualGroup group[residual]
)

func (g ruleGroup) reduce(f *facts) residual {
	settled, neutral := False, True // of "all": one false settles it
	if g.any {
		settled, neutral = True, False
	}
	known := neutral
	var rest []residual
	for _, r := range g.rules {
		switch r := r.reduce(f).(type) {
		case Outcome:
			if r == settled {
				return settled
			}
			if r == Unknown {
				known = Unknown
			}
		default:
			rest = append(rest, r)
		}
	}
	if len(rest) == 0 {
		return known
	}
	if known != neutral {
		rest = append(rest, known)
	}
	if len(rest) == 1 {
		return rest[0]
	}
	return residualGroup{g.any, rest}
}

// access of "all" is that of the rule that the fewest locations fulfil.
func (g ruleGroup) access(of []access) access {
	if g.any {
		var a access
		for _, r := range g.rules {
			a = a.either(r.access(of))
		}
		return a
	}
	best := anywhere
	for _, r := range g.rules {
		if a := r.access(of); a.share < best.share {
			best = a
		}
	}
	return best
}

func (g residualGroup) decide(conditions, open []Outcome) Outcome {
	if g.any {
		result := False
		for _, r := range g.rules {
			if result = max(result, r.decide(conditions, open)); result == True {
				break
			}
		}
		return result
	}
	result := True
	for _, r := range g.rules {
		if result = min(result, r.decide(conditions, open)); result == False {
			break
		}
	}
	return result
}

// not is the negation of a rule.
type not[R any] struct{ of R }

type (
	ruleNot     not[rule]
	residualNot not[residual]
)

func (n ruleNot) reduce(f *facts) residual {
	switch r := n.of.reduce(f).(type) {
	case Outcome:
		return -r
	default:
		return residualNot{r}
	}
}

// access of "not" says nothing, as a rule's access does not say where it is
// false.
func (n ruleNot) access([]access) access { return anywhere }

func (n residualNot) decide(conditions, open []Outcome) Outcome {
	return -n.of.decide(conditions, open)
}

// reference is a rule about another segment.
type reference int

func (r reference) reduce(f *facts) residual { return f.segment(int(r)) }

func (r reference) access(of []access) access { return of[r] }

// openSegment stands for an open segment's outcome, by its place among them.
type openSegment int

func (o openSegment) decide(_, open []Outcome) Outcome { return open[o] }

// during is a rule about the time of the request. Without a zone it is about
// the visitor's local time.
type during struct {
	calendar
	zone *time.Location
}

// condition is something about the request.
type condition = during

// condition gives the residual for a condition of the request.
func (f *facts) condition(c condition) residual {
	i, ok := f.known[c]
	if !ok {
		i = uint(len(f.answer.conditions))
		f.known[c] = i
		f.answer.conditions = append(f.answer.conditions, c)
	}
	return conditional(i)
}

// conditional stands for the outcome of a condition, by its place in the
// answer.
type conditional uint

func (c conditional) decide(conditions, _ []Outcome) Outcome { return conditions[c] }

func (d during) reduce(f *facts) residual {
	if d.zone != nil {
		return f.condition(d)
	}
	zone, err := geo.TimeZone(f.TimeZone)
	if err != nil {
		return Unknown // no zone is known, or one that this build does not know
	}
	d.zone = zone
	return f.condition(d)
}

func (d during) access([]access) access { return anywhere }

// oneOf is true when a known value is in the list.
func oneOf[V comparable](kind accessKind, values []V, key func(V) accessKey, get func(*facts) V) located {
	var unknown V
	return located{needs: withKeys(kind, values, key), outcome: func(f *facts) Outcome {
		value := get(f)
		if value == unknown {
			return Unknown
		}
		return outcome(slices.Contains(values, value))
	}}
}

// name is a folded name, pinned to any of some territories if there are any.
type name struct {
	text string
	in   []territory
	// doubtful tells that the pin was the name of a region, and may instead be
	// a part of the name: "Ampelokipoi, Thessaloniki".
	doubtful bool
}

// territory is a country or one of its regions.
type territory struct {
	country string
	region  string // full code
	around  string // the region that region is a part of
}

func newTerritory(code string) territory {
	country, _, isRegion := strings.Cut(code, "-")
	if !isRegion {
		return territory{country: country}
	}
	return territory{country, code, geo.RegionParent(code)}
}

// oneOfNames is true when one of the location's names is in the list. A pin
// that the location is known not to be in makes its name false, also when the
// name is not known.
func oneOfNames(kind accessKind, wanted []name, get func(*facts) []string) located {
	needs := withKeys(kind, wanted, func(n name) accessKey { return textKey(n.text) })
	return located{needs: needs, outcome: func(f *facts) Outcome {
		result := False
		have := get(f)
		for _, w := range wanted {
			named := Unknown
			if len(have) > 0 {
				named = outcome(slices.Contains(have, w.text))
			}
			result = max(result, min(named, f.insideAny(w.in)))
		}
		return result
	}}
}

// insideAny tells whether the location is in any of some territories, or true
// where there are none.
func (f *facts) insideAny(territories []territory) Outcome {
	if len(territories) == 0 {
		return True
	}
	result := False
	for _, t := range territories {
		result = max(result, f.inside(t))
	}
	return result
}

// inside tells whether the location is in a territory.
func (f *facts) inside(t territory) Outcome {
	switch {
	case f.Country == "":
		return Unknown
	case f.Country != t.country:
		return False
	case t.region == "":
		return True
	}
	result := Unknown // until a code is known
	for _, r := range f.Regions {
		switch {
		case r.Code == t.region:
			return True
		case r.Code == t.around && t.around != "" && !f.parts:
			return Unknown // it does not say in which part of it
		case r.Code != "":
			result = False
		}
	}
	return result
}

// anyOf joins rules about the location of which one is enough.
func anyOf(rules []located) located {
	if len(rules) == 1 {
		return rules[0]
	}
	var needs access
	for _, r := range rules {
		needs = needs.either(r.needs)
	}
	return located{needs: needs, outcome: func(f *facts) Outcome {
		result := False
		for _, r := range rules {
			result = max(result, r.outcome(f))
		}
		return result
	}}
}

// circles are equally large circles around points, or around any store.
type circles struct {
	centres    []geo.Point
	stores     bool
	radius     float64 // metres
	confidence float64 // 0 looks at the centre of the location
}

// contain is true when the location is inside of one of the circles: its
// centre, or its whole with at least the confidence.
func (c *circles) contain(f *facts) Outcome {
	if !f.HasPoint || c.confidence > 0 && f.Accuracy == 0 {
		return Unknown
	}
	// No other store is as probable as the nearest.
	if c.stores && f.storeMetres >= 0 && c.inside(f, f.storeMetres) {
		return True
	}
	return outcome(slices.ContainsFunc(c.centres, func(p geo.Point) bool {
		return c.inside(f, geo.Distance(f.Point, p))
	}))
}

// access is boxes around the circles. With a confidence the centre of the
// location may be outside; but less than half of a circular normal
// distribution is then inside, as a line between the two halves it.
func (c *circles) access() access {
	if c.stores || c.confidence > 0 && c.confidence < 0.5 {
		return anywhere
	}
	boxes := make([]geo.Box, len(c.centres))
	for i, centre := range c.centres {
		boxes[i] = geo.BoundsOfCircle(centre, c.radius)
	}
	return inBoxes(boxes)
}

func (c *circles) inside(f *facts, metres float64) bool {
	if c.confidence == 0 {
		return metres <= c.radius
	}
	return geo.ProbabilityWithin(metres, c.radius, f.Accuracy) >= c.confidence
}

// inAreas is true when the location's point is in one of the areas.
func inAreas(areas []*geo.Area) located {
	var boxes []geo.Box
	for _, a := range areas {
		boxes = append(boxes, a.Bounds()...)
	}
	return located{needs: inBoxes(boxes), outcome: func(f *facts) Outcome {
		if !f.HasPoint {
			return Unknown
		}
		return outcome(slices.ContainsFunc(areas, func(a *geo.Area) bool { return a.Contains(f.Point) }))
	}}
}
