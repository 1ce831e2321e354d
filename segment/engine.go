package segment

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/geosegment/caddy-geosegment/geo"
	"github.com/geosegment/caddy-geosegment/store"
)

// Engine is the compiled segments. It is immutable and safe for concurrent use.
type Engine struct {
	names    []string
	byName   map[string]int
	rules    []rule
	referred []bool // by segment: others refer to it
	index    index
	stores   *store.Directory
	finish   func(*Decision) any

	warnings []func() error
	needs    []Need
}

// Answer is all that a location settles. It belongs to the Engine that made it
// and is safe for concurrent use.
type Answer struct {
	location *geo.Location
	store    *store.Store
	metres   float64
	matched  []int32 // segments that match whatever the request, sorted

	// Where the request has a say:
	conditions []condition
	open       []openRule // each behind those that it refers to
	variants   atomic.Pointer[[]variant]

	fixed *Decision // where it has none
}

// Located reports whether the answer is for a known location.
func (a *Answer) Located() bool { return a.location.Located() }

// Settled reports whether Decide needs no more than the answer: nothing of the
// request, not even its time.
func (a *Answer) Settled() bool { return a.fixed != nil }

// openRule is a segment that the request decides.
type openRule struct {
	segment int32
	rest    residual
}

// variant is the decision for one set of outcomes of the conditions.
type variant struct {
	conditions []Outcome
	decision   *Decision
}

// maxVariants bounds how many decisions an Answer keeps. Conditions depend on
// the clock, so that there are few, and they change a few times a day.
const maxVariants = 8

// Visitor is the facts of one request that rules can see.
type Visitor struct {
	// Answer is what the visitor's location settles.
	Answer *Answer
	// Time is the time of the request.
	Time time.Time
}

// Decision is the segments that match and the visitor's store. Treat it as
// immutable: it is shared by all requests that it holds for.
type Decision struct {
	// Location is never nil; an unlocated visitor has an empty one.
	Location *geo.Location
	// Segments are the names of the segments that match, in the order of the
	// configuration. The first is the primary one.
	Segments []string
	// Store is the nearest store, at StoreMetres from the location's point;
	// nil where the point is not known or there are no stores.
	Store       *store.Store
	StoreMetres float64
	// Finished is what Options.Finish made of the decision.
	Finished any

	matched []int32 // the same segments by number, sorted
}

// Primary is the first segment that matches, or "".
func (d *Decision) Primary() string {
	if len(d.Segments) == 0 {
		return ""
	}
	return d.Segments[0]
}

// Matches reports whether the segment of a number, as Engine.Segment gives it,
// matches.
func (d *Decision) Matches(segment int) bool {
	_, found := slices.BinarySearch(d.matched, int32(segment))
	return found
}

// Names are the names of all segments, in order.
func (e *Engine) Names() []string { return e.names }

// Warnings are what looked wrong in the configuration, but may be meant: the
// first of them, at most limit, as each takes a while to word, and how many
// there are.
func (e *Engine) Warnings(limit int) (first []error, count int) {
	for _, warning := range e.warnings[:min(limit, len(e.warnings))] {
		first = append(first, warning())
	}
	return first, len(e.warnings)
}

// Needs are the fields that rules need and that not every database has.
func (e *Engine) Needs() []Need { return e.needs }

// Segment is the number of a segment.
func (e *Engine) Segment(name string) (int, bool) {
	i, ok := e.byName[name]
	return i, ok
}

// FindSegment is Segment with an error that suggests the nearest spelling.
func (e *Engine) FindSegment(name string) (int, error) {
	if i, ok := e.byName[name]; ok {
		return i, nil
	}
	return 0, unknown("segment", name, slices.Clone(e.names))
}

// AlwaysTested is how many segments have no rule by which they can be passed
// over for a new location: the cost of a new location grows with them.
func (e *Engine) AlwaysTested() int { return len(e.index.always) }

// Answer works out all that depends on a location alone. The location must not
// change afterwards.
func (e *Engine) Answer(l *geo.Location) *Answer {
	a := &Answer{location: l}
	if e.stores != nil && l.HasPoint {
		a.store, a.metres = e.stores.Nearest(l.Point)
	}
	f := newFacts(l, e, a)
	for _, i := range e.index.candidates(f) {
		if f.segment(int(i)) == True {
			a.matched = append(a.matched, i)
		}
	}
	if len(a.open) == 0 {
		a.fixed = e.decision(a, nil)
	} else {
		a.variants.Store(new([]variant))
	}
	return a
}

// scratch holds the outcomes of conditions during one Decide.
var scratch = sync.Pool{New: func() any { return new([]Outcome) }}

// Decide settles what is open in the visitor's answer, which must come from
// this Engine. It does not allocate, except for outcomes that it has not met
// before.
func (e *Engine) Decide(v Visitor) *Decision {
	a := v.Answer
	if a.fixed != nil {
		return a.fixed
	}
	buffer := scratch.Get().(*[]Outcome)
	defer scratch.Put(buffer)
	outcomes := a.settle(v, (*buffer)[:0])
	*buffer = outcomes
	known := a.variants.Load()
	for _, k := range *known {
		if slices.Equal(k.conditions, outcomes) {
			return k.decision
		}
	}
	fresh := variant{slices.Clone(outcomes), e.decision(a, outcomes)}
	// Newest first. When two requests meet here, one of their variants may be
	// lost, and is made again by the next that needs it.
	list := append([]variant{fresh}, (*known)[:min(len(*known), maxVariants-1)]...)
	a.variants.Store(&list)
	return fresh.decision
}

// settle appends the outcomes of the conditions.
func (a *Answer) settle(v Visitor, outcomes []Outcome) []Outcome {
	var zone *time.Location
	var now clock
	for i := range a.conditions {
		c := &a.conditions[i]
		if c.zone != zone { // most answers have one zone
			zone, now = c.zone, newClock(v.Time.In(c.zone))
		}
		outcomes = append(outcomes, outcome(c.contains(&now)))
	}
	return outcomes
}

// decision makes a Decision of the outcomes of an answer's conditions.
func (e *Engine) decision(a *Answer, conditions []Outcome) *Decision {
	matched := slices.Clone(a.matched)
	var open []Outcome
	for _, o := range a.open {
		open = append(open, o.rest.decide(conditions, open))
		if open[len(open)-1] == True {
			matched = append(matched, o.segment)
		}
	}
	slices.Sort(matched)
	d := &Decision{Location: a.location, Store: a.store, StoreMetres: a.metres, matched: matched}
	for _, i := range matched {
		d.Segments = append(d.Segments, e.names[i])
	}
	if e.finish != nil {
		d.Finished = e.finish(d)
	}
	return d
}
