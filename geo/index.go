package geo

import (
	"math"
	"math/bits"
	"runtime"
	"sync"
)

// Index finds the points nearest to a point. It is an implicit k-d tree over
// unit vectors, so the date line and the poles need no special case. It is
// immutable and safe for concurrent use.
//
//	splits    [ 0 | 1 2 | 3 4 5 6 ]      three levels of the tree are a line of
//	               │                     memory; the last level's children are
//	               ▼                     the leaves
//	entries   [ leaf 0 | leaf 1 | … ]    leaf k of 2^depth holds the positions
//	                                     n·k>>depth up to n·(k+1)>>depth
//
// invariant: along a node's axis, no vector left of it is above the split and
// none right of it is below.
//
// A leaf has at most leafSize vectors. Vectors are float32, which halves the
// memory that a search touches; they only choose candidates, and the exact
// distance decides between those. Memory: 18 to 24 bytes a point.
type Index struct {
	point   func(id int) Point // the caller's
	entries []entry
	splits  [][8]split
	depth   int
}

// entry is a point; its id beside the vector saves a line of memory.
type entry struct {
	vector [3]float32
	id     uint32
}

type split struct {
	at   float32
	axis uint8
}

// split is that of a node, number k of its level. Three levels that hang
// together are in one line of memory, as a way down passes all of them:
//
//	       0
//	  1         2           then 8 lines, one below each of these ways,
//	3   4     5   6         and 64 …
func (x *Index) split(level, k int) *split {
	lines, inside := (1<<(level/3*3)-1)/7, level%3 // (8ⁿ-1)/7 lines are above
	return &x.splits[lines+k>>inside][1<<inside-1+k&(1<<inside-1)]
}

const leafSize = 8

// NewIndex makes an index of n points, whose ids are 0 to n-1. It keeps the
// function that gives them, which must go on to give the same, and be safe for
// concurrent use.
func NewIndex(n int, point func(id int) Point) *Index {
	x := &Index{point: point, entries: make([]entry, n)}
	for i := range x.entries {
		v := point(i).vector()
		x.entries[i] = entry{[3]float32{float32(v[0]), float32(v[1]), float32(v[2])}, uint32(i)}
	}
	if leaves := (n + leafSize - 1) / leafSize; leaves > 1 {
		x.depth = bits.Len(uint(leaves - 1))
	}
	if x.depth > 0 {
		last := x.depth - 1
		x.splits = make([][8]split, (1<<(last/3*3)-1)/7+1<<(last/3*3))
	}
	x.build(0, 0)
	return x
}

// worthwhile is for how many points a processor more is put to work.
const worthwhile = 10_000

// build orders the vectors of a node, number k of its level.
func (x *Index) build(level, k int) {
	if level == x.depth {
		return
	}
	low, high := x.span(level, k)
	middle, _ := x.span(level+1, 2*k+1)
	axis := x.widest(low, high)
	x.selectNth(low, high, middle, axis)
	if middle < high {
		*x.split(level, k) = split{x.entries[middle].vector[axis], uint8(axis)}
	}
	// The halves share nothing.
	var left sync.WaitGroup
	if high-low > worthwhile && 1<<level < runtime.GOMAXPROCS(0) {
		left.Go(func() { x.build(level+1, 2*k) })
	} else {
		x.build(level+1, 2*k)
	}
	x.build(level+1, 2*k+1)
	left.Wait()
}

// span is the range of positions below the k-th node of a level.
func (x *Index) span(level, k int) (low, high int) {
	n := uint64(len(x.entries))
	return int(n * uint64(k) >> level), int(n * uint64(k+1) >> level)
}

// widest is the axis along which the vectors of a range spread most.
func (x *Index) widest(low, high int) int {
	least := [3]float32{2, 2, 2}
	most := [3]float32{-2, -2, -2}
	for i := range x.entries[low:high] {
		v := &x.entries[low+i].vector
		for a := range 3 {
			least[a], most[a] = min(least[a], v[a]), max(most[a], v[a])
		}
	}
	axis := 0
	for a := 1; a < 3; a++ {
		if most[a]-least[a] > most[axis]-least[axis] {
			axis = a
		}
	}
	return axis
}

// selectNth reorders a range so that the vector at nth is the one that sorting
// along axis would put there, with none above it before and none below it
// after (Hoare's quickselect with the median of three as pivot).
func (x *Index) selectNth(low, high, nth, axis int) {
	high--
	for low < high {
		a, b, c := x.entries[low].vector[axis], x.entries[(low+high)/2].vector[axis], x.entries[high].vector[axis]
		pivot := max(min(a, b), min(max(a, b), c))
		i, j := low, high
		for i <= j {
			for x.entries[i].vector[axis] < pivot {
				i++
			}
			for x.entries[j].vector[axis] > pivot {
				j--
			}
			if i <= j {
				x.entries[i], x.entries[j] = x.entries[j], x.entries[i]
				i, j = i+1, j-1
			}
		}
		switch {
		case nth <= j:
			high = j
		case nth >= i:
			low = i
		default:
			return
		}
	}
}

// Nearest gives the id of the point nearest to p and its Distance in metres.
// Of equally distant points it is the one with the lowest id. ok is false when
// the index is empty or p is not Valid. It does not allocate.
func (x *Index) Nearest(p Point) (id int, metres float64, ok bool) {
	if len(x.entries) == 0 || !p.Valid() {
		return 0, 0, false
	}
	s := search{x: x, from: p, at: p.vector(), chord2: 8, limit: 8, id: -1, metres: math.Inf(1)}
	s.run()
	s.settle()
	return s.id, s.metres, true
}

// search is one walk over the tree. It looks at the vectors alone, and at the
// points only of those that may be the nearest in the end: each costs a line of
// memory that no cache holds. chord2 is the least squared chord seen, limit that
// plus what rounding may hide.
type search struct {
	x      *Index
	from   Point
	at     vector
	chord2 float64
	limit  float64
	id     int
	metres float64

	candidates [16]candidate
	count      int
}

type candidate struct {
	id     int
	chord2 float64
}

// subtree is a node that is still to be visited, number k of its level. beyond
// is how far, along each axis, the query lies outside of the node's box, and
// outside the sum of the squares: the least squared chord to anything in there.
type subtree struct {
	k       int
	level   int
	outside float64
	beyond  vector
}

// run visits all leaves that may hold the nearest, the most promising first.
func (s *search) run() {
	var stack [32]subtree // a level has one at most: it is visited after the nearer one
	stack[0] = subtree{}
	for n := 1; n > 0; {
		n--
		t := stack[n]
		if t.outside > s.limit {
			continue
		}
		for t.level < s.x.depth {
			plane := s.x.split(t.level, t.k)
			off := s.at[plane.axis] - float64(plane.at)
			near, far := 0, 1
			if off >= 0 {
				near, far = 1, 0
			}
			outside := t.outside + off*off - t.beyond[plane.axis]*t.beyond[plane.axis]
			if outside <= s.limit {
				stack[n] = subtree{2*t.k + far, t.level + 1, outside, t.beyond}
				stack[n].beyond[plane.axis] = off
				n++
			}
			t.k, t.level = 2*t.k+near, t.level+1
		}
		s.visitLeaf(s.x.span(t.level, t.k))
	}
}

func (s *search) visitLeaf(low, high int) {
	entries := s.x.entries[low:high]
	for i := range entries {
		v := &entries[i].vector
		dx, dy, dz := s.at[0]-float64(v[0]), s.at[1]-float64(v[1]), s.at[2]-float64(v[2])
		chord2 := dx*dx + dy*dy + dz*dz
		if chord2 > s.limit {
			continue
		}
		if chord2 < s.chord2 {
			s.chord2 = chord2
			s.limit = chord2 + 2*chordError(chord2)
		}
		if s.count == len(s.candidates) {
			s.settle()
		}
		s.candidates[s.count] = candidate{int(entries[i].id), chord2}
		s.count++
	}
}

// settle compares the candidates by their exact distance.
func (s *search) settle() {
	for _, c := range s.candidates[:s.count] {
		if c.chord2 > s.limit {
			continue
		}
		metres := Distance(s.from, s.x.point(c.id))
		if metres < s.metres || metres == s.metres && c.id < s.id {
			s.id, s.metres = c.id, metres
		}
	}
	s.count = 0
}

// chordError bounds the error of a squared chord to a vector that was rounded
// to float32: each axis is off by at most 2⁻²⁵, the vector by √3·2⁻²⁵ < 5.2e-8,
// and (c+e)² − c² = 2ce + e². The last term also covers the rounding of Distance.
func chordError(chord2 float64) float64 {
	const e = 5.2e-8
	return 2*math.Sqrt(chord2)*e + e*e + 1e-14
}
