package geo

import (
	"math"
	"slices"
)

// Area is a named set of points: one or more polygons, with holes. It is
// immutable and safe for concurrent use.
//
// A point is inside when it is inside of one of its polygons.
type Area struct {
	name     string
	polygons []*polygon
}

// Name is the area's name.
func (a *Area) Name() string { return a.name }

// Contains reports whether a point is inside or on the boundary.
func (a *Area) Contains(p Point) bool {
	return slices.ContainsFunc(a.polygons, func(g *polygon) bool { return g.contains(p) })
}

// polygon is a ring and the holes in it.
//
// Edges are straight in degrees of longitude and latitude, as GeoJSON has them
// (RFC 7946, section 3.1.1). The boundary is inside. To find out about a point
// only the edges at its latitude are looked at:
//
//	band 0   edges that touch latitudes low … low+step
//	band 1   edges that touch the next …
//
// invariant: an edge is in every band that its latitudes touch; west is in
// [-180, 180).
type polygon struct {
	west, east   float64 // of the unwrapped edges, which may go beyond 180
	south, north float64
	edges        []edge
	bands        [][]uint32 // indices of edges
	step         float64    // degrees of latitude of a band
}

// edge is a side of a ring in degrees, with a.Lat ≤ b.Lat.
type edge struct{ a, b Point }

// More bands would hold an edge each, or less; and where many edges are long, a
// band more holds nearly all of them once more.
const (
	maxBands    = 4096
	maxRepeated = 8 // times an edge is in a band, on average
)

// newPolygon makes a polygon of unwrapped rings, closed and not crossing. A
// point is inside when it is inside of an odd number of them.
func newPolygon(rings [][]Point) *polygon {
	g := &polygon{west: math.Inf(1), east: math.Inf(-1), south: 90, north: -90}
	for _, ring := range rings {
		for i := range len(ring) - 1 {
			p, q := ring[i], ring[i+1]
			if p == q {
				continue
			}
			if p.Lat > q.Lat {
				p, q = q, p
			}
			g.edges = append(g.edges, edge{p, q})
			g.south, g.north = min(g.south, p.Lat), max(g.north, q.Lat)
			g.west, g.east = min(g.west, p.Lng, q.Lng), max(g.east, p.Lng, q.Lng)
		}
	}
	turn := 360 * math.Floor((g.west+180)/360)
	g.west, g.east = g.west-turn, g.east-turn
	for i := range g.edges {
		g.edges[i].a.Lng -= turn
		g.edges[i].b.Lng -= turn
	}
	for n := max(1, min(len(g.edges), maxBands)); ; n /= 2 {
		g.setBands(n)
		entries := 0
		for _, e := range g.edges {
			entries += g.band(e.b.Lat) - g.band(e.a.Lat) + 1
		}
		if n == 1 || entries <= maxRepeated*len(g.edges) {
			break
		}
	}
	for i, e := range g.edges {
		for band := g.band(e.a.Lat); band <= g.band(e.b.Lat); band++ {
			g.bands[band] = append(g.bands[band], uint32(i))
		}
	}
	return g
}

func (g *polygon) setBands(n int) {
	g.step = (g.north - g.south) / float64(n)
	g.bands = make([][]uint32, n)
}

func (g *polygon) band(lat float64) int {
	if g.step == 0 {
		return 0
	}
	return max(0, min(len(g.bands)-1, int((lat-g.south)/g.step)))
}

func (g *polygon) contains(p Point) bool {
	if p.Lat < g.south || p.Lat > g.north {
		return false
	}
	edges := g.bands[g.band(p.Lat)]
	for _, turn := range [3]float64{0, -360, 360} { // the rings are unwrapped, the point is not
		q := Point{p.Lat, p.Lng + turn}
		if q.Lng >= g.west && q.Lng <= g.east && g.insideRings(edges, q) {
			return true
		}
	}
	return false
}

// insideRings counts those of the edges that a line from p to the east crosses; each
// has its lower end and not its upper one, so that a corner counts once.
func (g *polygon) insideRings(edges []uint32, p Point) bool {
	inside := false
	for _, i := range edges {
		e := &g.edges[i]
		if p.Lat < e.a.Lat || p.Lat > e.b.Lat {
			continue
		}
		side := orientation(e.a, e.b, p)
		if side == 0 && p.Lng >= min(e.a.Lng, e.b.Lng) && p.Lng <= max(e.a.Lng, e.b.Lng) {
			return true
		}
		if p.Lat < e.b.Lat && side > 0 {
			inside = !inside
		}
	}
	return inside
}

// orientation is above zero when p lies to the left, in the west, of the way
// north from a to b, below zero on the other side, and zero on the line.
func orientation(a, b, p Point) float64 {
	return (b.Lng-a.Lng)*(p.Lat-a.Lat) - (p.Lng-a.Lng)*(b.Lat-a.Lat)
}

// unwrapRing removes the jumps of a ring at the date line: from one corner to
// the next it goes the shorter way round. A ring around a pole is closed along
// the pole, unless it goes along it already.
func unwrapRing(ring []Point) []Point {
	out := slices.Clone(ring)
	for i := 1; i < len(out); i++ {
		if math.Abs(out[i].Lat) == 90 && out[i-1].Lat == out[i].Lat {
			continue // from -180 to 180 along the pole, as maps of Antarctica are drawn
		}
		for out[i].Lng-out[i-1].Lng > 180 {
			out[i].Lng -= 360
		}
		for out[i].Lng-out[i-1].Lng < -180 {
			out[i].Lng += 360
		}
	}
	first, last := out[0], out[len(out)-1]
	if first.Lng == last.Lng {
		return out
	}
	pole, sum := 90.0, 0.0
	for _, p := range out {
		sum += p.Lat
	}
	if sum < 0 {
		pole = -90
	}
	return append(out, Point{pole, last.Lng}, Point{pole, first.Lng}, first)
}
