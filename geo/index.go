package geo

import (
	"math"
	"math/bits"
)

// Index finds the points nearest to a point. It is an implicit k-d tree over
// unit vectors, so the date line and the poles need no special case. It is
// immutable and safe for concurrent use.
//
//	splits    [ 0 | 1 2 | 3 4 5 6 ]      node i has the children 2i+1 and 2i+2
//	               │ the last level's children are the leaves
//	vectors   [ leaf 0 | leaf 1 | … ]    leaf k of 2^depth holds the positions
//	ids       [  ids in the same order ]  n·k>>depth up to n·(k+1)>>depth
//
// invariant: along a node's axis, no vector left of it is above the split and
// none right of it is below.
//
// A leaf has at most leafSize vectors. Vectors are float32, which halves the
// memory that a search touches; they only choose candidates, and the exact
// distance decides between those. Memory: about 17 bytes a point, and the
// caller's points.
type Index struct {
	points  []Point // the caller's, by id
	vectors [][3]float32
	ids     []uint32
	splits  []split
	depth   int
}

type split struct {
	at   float32
	axis uint8
}

const leafSize = 8

// NewIndex makes an index of points, whose ids are their places in the slice.
// It keeps the slice, which must not change afterwards.
func NewIndex(points []Point) *Index {
	x := &Index{points: points, vectors: make([][3]float32, len(points)), ids: make([]uint32, len(points))}
	for i, p := range points {
		v := p.vector()
		x.vectors[i] = [3]float32{float32(v[0]), float32(v[1]), float32(v[2])}
		x.ids[i] = uint32(i)
	}
	if leaves := (len(points) + leafSize - 1) / leafSize; leaves > 1 {
		x.depth = bits.Len(uint(leaves - 1))
	}
	x.splits = make([]split, 1<<x.depth-1)
	x.build(0, 0, 0)
	return x
}

// build orders the vectors of a node, number k of its level.
func (x *Index) build(node, level, k int) {
	if level == x.depth {
		return
	}
	low, high := x.span(level, k)
	middle, _ := x.span(level+1, 2*k+1)
	axis := x.widest(low, high)
	x.selectNth(low, high, middle, axis)
	if middle < high {
		x.splits[node] = split{x.vectors[middle][axis], uint8(axis)}
	}
	x.build(2*node+1, level+1, 2*k)
	x.build(2*node+2, level+1, 2*k+1)
}

// span is the range of positions below the k-th node of a level.
func (x *Index) span(level, k int) (low, high int) {
	n := uint64(len(x.ids))
	return int(n * uint64(k) >> level), int(n * uint64(k+1) >> level)
}

// widest is the axis along which the vectors of a range spread most.
func (x *Index) widest(low, high int) int {
	least := [3]float32{2, 2, 2}
	most := [3]float32{-2, -2, -2}
	for _, v := range x.vectors[low:high] {
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
		a, b, c := x.vectors[low][axis], x.vectors[(low+high)/2][axis], x.vectors[high][axis]
		pivot := max(min(a, b), min(max(a, b), c))
		i, j := low, high
		for i <= j {
			for x.vectors[i][axis] < pivot {
				i++
			}
			for x.vectors[j][axis] > pivot {
				j--
			}
			if i <= j {
				x.vectors[i], x.vectors[j] = x.vectors[j], x.vectors[i]
				x.ids[i], x.ids[j] = x.ids[j], x.ids[i]
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
	if len(x.ids) == 0 || !p.Valid() {
		return 0, 0, false
	}
	s := search{x: x, from: p, at: p.vector(), chord2: 8, limit: 8, id: -1, metres: math.Inf(1)}
	s.visit(0, 0, 0, 0, vector{})
	return s.id, s.metres, true
}

// search is one walk over the tree. chord2 is the least squared chord seen,
// limit that plus what rounding may hide.
type search struct {
	x      *Index
	from   Point
	at     vector
	chord2 float64
	limit  float64
	id     int
	metres float64
}

// visit searches a node, number k of its level. beyond is how far, along each
// axis, the query lies outside of the node's box, and outside the sum of the
// squares: the least squared chord to anything in there.
func (s *search) visit(node, level, k int, outside float64, beyond vector) {
	if level == s.x.depth {
		s.visitLeaf(s.x.span(level, k))
		return
	}
	plane := s.x.splits[node]
	off := s.at[plane.axis] - float64(plane.at)
	near, far := 0, 1
	if off >= 0 {
		near, far = 1, 0
	}
	s.visit(2*node+1+near, level+1, 2*k+near, outside, beyond)
	outside += off*off - beyond[plane.axis]*beyond[plane.axis]
	if outside <= s.limit {
		beyond[plane.axis] = off
		s.visit(2*node+1+far, level+1, 2*k+far, outside, beyond)
	}
}

func (s *search) visitLeaf(low, high int) {
	for i, v := range s.x.vectors[low:high] {
		dx, dy, dz := s.at[0]-float64(v[0]), s.at[1]-float64(v[1]), s.at[2]-float64(v[2])
		chord2 := dx*dx + dy*dy + dz*dz
		if chord2 > s.limit {
			continue
		}
		if chord2 < s.chord2 {
			s.chord2 = chord2
			s.limit = chord2 + 2*chordError(chord2)
		}
		id := int(s.x.ids[low+i])
		metres := Distance(s.from, s.x.points[id])
		if metres < s.metres || metres == s.metres && id < s.id {
			s.id, s.metres = id, metres
		}
	}
}

// chordError bounds the error of a squared chord to a vector that was rounded
// to float32: each axis is off by at most 2⁻²⁵, the vector by √3·2⁻²⁵ < 5.2e-8,
// and (c+e)² − c² = 2ce + e². The last term also covers the rounding of Distance.
func chordError(chord2 float64) float64 {
	const e = 5.2e-8
	return 2*math.Sqrt(chord2)*e + e*e + 1e-14
}
