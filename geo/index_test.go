package geo

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

func indexOf(points []Point) *Index {
	return NewIndex(len(points), func(id int) Point { return points[id] })
}

// nearestByScan is the plain version of Index.Nearest.
func nearestByScan(points []Point, from Point) (id int, metres float64, ok bool) {
	for i, p := range points {
		if d := Distance(from, p); !ok || d < metres {
			id, metres, ok = i, d, true
		}
	}
	return id, metres, ok
}

func TestIndexNearestAgreesWithScan(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for _, n := range []int{0, 1, 2, 7, 8, 9, 16, 17, 63, 100, 1000, 5000} {
		for _, spread := range []string{"world", "one city", "duplicates", "one point", "one meridian"} {
			points := make([]Point, n)
			for i := range points {
				switch spread {
				case "world":
					points[i] = randomPoint(r)
				case "one city":
					points[i] = Point{45.4 + r.Float64()/10, 9.1 + r.Float64()/10}
				case "duplicates":
					points[i] = Point{float64(r.IntN(4)), 180 - float64(r.IntN(4))}
				case "one point":
					points[i] = Point{-90, 11}
				case "one meridian":
					points[i] = Point{float64(r.IntN(181) - 90), 0}
				}
			}
			index := indexOf(points)
			for q := range 200 {
				from := randomPoint(r)
				if n > 0 && q%4 == 0 { // exactly on a point, or next to it
					from = points[r.IntN(n)]
				}
				if n > 0 && q%4 == 1 { // antipodal to one: the others are all nearly as far
					p := points[r.IntN(n)]
					from = Point{-p.Lat, p.Lng + 180}
					if from.Lng > 180 {
						from.Lng -= 360
					}
				}
				id, metres, ok := index.Nearest(from)
				wantID, wantMetres, wantOK := nearestByScan(points, from)
				if id != wantID || metres != wantMetres || ok != wantOK {
					t.Fatalf("%d points, %s: Nearest(%v) = %d, %v, %v, want %d, %v, %v",
						n, spread, from, id, metres, ok, wantID, wantMetres, wantOK)
				}
			}
		}
	}
}

// The invariant of the drawing: splits part the vectors.
func TestIndexInvariant(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	points := make([]Point, 3000)
	for i := range points {
		points[i] = randomPoint(r)
	}
	x := indexOf(points)
	seen := make([]bool, len(points))
	for _, e := range x.entries {
		id := e.id
		if seen[id] {
			t.Fatalf("id %d is there twice", id)
		}
		seen[id] = true
	}
	for level := range x.depth {
		for k := range 1 << level {
			low, high := x.span(level, k)
			middle, _ := x.span(level+1, 2*k+1)
			s := x.split(level, k)
			for i := low; i < high; i++ {
				if v := x.entries[i].vector[s.axis]; i < middle && v > s.at || i >= middle && v < s.at {
					t.Fatalf("level %d, node %d: position %d has %v on the wrong side of %v", level, k, i, v, s.at)
				}
			}
		}
	}
	for k := range 1 << x.depth {
		if low, high := x.span(x.depth, k); high-low > leafSize {
			t.Fatalf("leaf %d has %d points, want at most %d", k, high-low, leafSize)
		}
	}
}

func TestIndexNearestDoesNotAllocate(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	points := make([]Point, 10_000)
	for i := range points {
		points[i] = randomPoint(r)
	}
	x := indexOf(points)
	if n := testing.AllocsPerRun(100, func() { x.Nearest(randomPoint(r)) }); n != 0 {
		t.Errorf("Nearest allocates %v times", n)
	}
}

// Stands for finding a visitor's store: 100,000 shops over the world, visitors
// anywhere. Run: go test -bench IndexNearest ./geo
func BenchmarkIndexNearest(b *testing.B) {
	for _, n := range []int{1000, 100_000, 1_000_000} {
		r := rand.New(rand.NewPCG(9, 10))
		points := make([]Point, n)
		for i := range points {
			points[i] = randomPoint(r)
		}
		queries := make([]Point, 4096)
		for i := range queries {
			queries[i] = randomPoint(r)
		}
		x := indexOf(points)
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				x.Nearest(queries[i%len(queries)])
			}
		})
	}
}

// Stands for loading a store list. Run: go test -bench NewIndex ./geo
func BenchmarkNewIndex(b *testing.B) {
	r := rand.New(rand.NewPCG(11, 12))
	points := make([]Point, 1_000_000)
	for i := range points {
		points[i] = randomPoint(r)
	}
	for b.Loop() {
		indexOf(points)
	}
}
