package segment

import (
	"math"
	"slices"
	"strings"

	"github.com/geosegment/caddy-geosegment/geo"
)

// A new location must not be tested against every segment. So each segment is
// listed under keys of which a location must have one for the segment to
// match: a country, a city, a cell of a grid … Only the segments under the
// keys that a location has are tested.
//
//	"IT"          ► 3 17
//	"milan"       ► 17 204 9001        location in Milan ► 3 17 204 9001 …
//	cell 135,189  ► 512
//	              ► 0 88               always: no key is necessary
//
// invariant: a segment whose outcome is true for a location is under one of
// the location's keys, or in always.
type index struct {
	segments map[accessKey][]int32 // ascending
	always   []int32
}

// access is which locations a rule can be true for: those with one of the
// keys, or, if it is anywhere, all.
type access struct {
	anywhere bool
	keys     []accessKey
	share    float64 // of all locations, about
}

// accessKey is something that a location may have.
type accessKey struct {
	kind   accessKind
	text   string
	number uint64
}

type accessKind uint8

const (
	hasContinent accessKind = iota
	hasEU
	hasCountry
	hasRegion     // code
	hasRegionName // folded
	hasCity       // cityName
	hasCityID
	hasPostal // up to maxPostal bytes; "201*" stands for all that begin so
	hasMetro
	hasASN
	hasTimeZone
	hasNothing // unlocated
	hasCell    // + level of the grid
)

// shareOf is about which share of all locations has a key of the kind. It only
// chooses among the rules of a segment.
var shareOf = [...]float64{
	hasContinent: 1. / 4, hasEU: 1. / 4, hasCountry: 1. / 30, hasRegion: 1. / 500, hasRegionName: 1. / 500, hasCity: 1. / 10_000, hasCityID: 1. / 10_000,
	hasPostal: 1. / 1000, hasMetro: 1. / 1000, hasASN: 1. / 1000, hasTimeZone: 1. / 50, hasNothing: 1. / 100,
	hasCell: 1. / 5000, hasCell + 1: 1. / 1500, hasCell + 2: 1. / 200, hasCell + 3: 1. / 6,
}

var anywhere = access{anywhere: true, share: 1}

// withKeys is the access of a rule that needs a key of a kind for one of the
// values.
func withKeys[V any](kind accessKind, values []V, key func(V) accessKey) access {
	var a access
	for _, v := range values {
		k := key(v)
		k.kind = kind
		a.keys = append(a.keys, k)
	}
	a.share = float64(len(a.keys)) * shareOf[kind]
	return a
}

// hasOnly is the access of a rule that needs a key without a value.
func hasOnly(kind accessKind) access {
	return access{keys: []accessKey{{kind: kind}}, share: shareOf[kind]}
}

func textKey(s string) accessKey { return accessKey{text: s} }

func numberKey(n uint32) accessKey { return accessKey{number: uint64(n)} }

// either is the access where one of two rules is enough.
func (a access) either(b access) access {
	if a.anywhere || b.anywhere {
		return anywhere
	}
	return access{keys: slices.Concat(a.keys, b.keys), share: a.share + b.share}
}

// maxPostal is how much of a postal code is looked at for candidates.
const maxPostal = 10

// postalKey is for a code or the beginning of one, "201*".
func postalKey(code string) accessKey {
	head, isPrefix := strings.CutSuffix(code, "*")
	if head = head[:min(len(head), maxPostal)]; isPrefix {
		head += "*"
	}
	return textKey(head)
}

// gridLevels are sizes of cells in degrees: what would cover too many cells of
// one takes the next.
var gridLevels = [...]float64{0.25, 1, 4, 60}

// maxCells is how many cells of a level one box takes.
const maxCells = 64

// inBoxes is the access of a rule that needs a point in one of the boxes.
func inBoxes(boxes []geo.Box) access {
	all := access{}
	for _, box := range boxes {
		level := 0
		for level < len(gridLevels)-1 && cellCount(box, level) > maxCells {
			level++
		}
		a := access{}
		kind := hasCell + accessKind(level)
		for row := cellOf(box.South+90, level, 180); row <= cellOf(box.North+90, level, 180); row++ {
			for column := range columns(box, level) {
				a.keys = append(a.keys, cellKey(level, row, column))
			}
		}
		a.share = float64(len(a.keys)) * shareOf[kind]
		all = all.either(a)
	}
	if all.share > 0.9 {
		return anywhere
	}
	return all
}

// cellOf is the row or column at so many degrees from the south or west end of
// all degrees there are.
func cellOf(degrees float64, level int, all float64) int {
	last := int(math.Ceil(all/gridLevels[level])) - 1
	return max(0, min(last, int(math.Floor(degrees/gridLevels[level]))))
}

func cellCount(box geo.Box, level int) int {
	size := gridLevels[level]
	return int((box.North-box.South)/size+2) * int((box.East-box.West)/size+2)
}

// columns gives the columns that a box touches, each once.
func columns(box geo.Box, level int) func(yield func(int) bool) {
	return func(yield func(int) bool) {
		count := cellOf(360, level, 360) + 1
		first := cellOf(box.West+180, level, 360)
		for i := range min(count, int(math.Floor((box.East+180)/gridLevels[level]))-first+1) {
			if !yield((first + i) % count) {
				return
			}
		}
	}
}

func cellKey(level, row, column int) accessKey {
	return accessKey{kind: hasCell + accessKind(level), number: uint64(row)<<32 | uint64(column)}
}

// keys are those that a location has.
func (f *facts) keys() []accessKey {
	keys := make([]accessKey, 0, 24)
	text := func(kind accessKind, s string) {
		if s != "" {
			keys = append(keys, accessKey{kind: kind, text: s})
		}
	}
	number := func(kind accessKind, n uint32) {
		if n != 0 {
			keys = append(keys, accessKey{kind: kind, number: uint64(n)})
		}
	}
	text(hasContinent, f.Continent)
	text(hasCountry, f.Country)
	if f.Country != "" && f.EU {
		keys = append(keys, accessKey{kind: hasEU})
	}
	for _, r := range f.Regions {
		text(hasRegion, r.Code)
	}
	for _, name := range f.regions {
		text(hasRegionName, name)
	}
	for _, name := range f.cities {
		text(hasCity, name)
	}
	number(hasCityID, f.CityID)
	postal := f.postal[:min(len(f.postal), maxPostal)]
	text(hasPostal, postal)
	for i := range len(postal) {
		text(hasPostal, postal[:i+1]+"*")
	}
	number(hasMetro, f.Metro)
	number(hasASN, f.ASN)
	text(hasTimeZone, f.zone)
	if !f.Located() {
		keys = append(keys, accessKey{kind: hasNothing})
	}
	if f.HasPoint {
		for level := range gridLevels {
			row := cellOf(f.Point.Lat+90, level, 180)
			keys = append(keys, cellKey(level, row, cellOf(f.Point.Lng+180, level, 360)))
			if f.Point.Lng == 180 { // the same as -180
				keys = append(keys, cellKey(level, row, 0))
			}
		}
	}
	return keys
}

// add puts a segment into the index; segments are added in ascending order.
func (x *index) add(segment int32, a access) {
	if a.anywhere {
		x.always = append(x.always, segment)
		return
	}
	for _, key := range a.keys {
		if list := x.segments[key]; len(list) == 0 || list[len(list)-1] != segment {
			x.segments[key] = append(list, segment)
		}
	}
}

// candidates are the segments that can match a location, ascending.
func (x *index) candidates(f *facts) []int32 {
	list := slices.Clone(x.always)
	for _, key := range f.keys() {
		list = append(list, x.segments[key]...)
	}
	slices.Sort(list)
	return slices.Compact(list)
}
