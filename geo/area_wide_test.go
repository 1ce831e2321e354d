package geo

import (
	"testing"
)

// However many times round a ring is written, it is the same ring.
func TestAreaWrittenBeyondTheDateLine(t *testing.T) {
	for _, turn := range []float64{-720, -360, 0, 360, 720} {
		ring := []Point{{10, 190 + turn}, {10, -60 + 360 + turn}, {30, -60 + 360 + turn}, {30, 190 + turn}, {10, 190 + turn}}
		a := Area{polygons: []*polygon{newPolygon([][]Point{ring})}}
		for lng, want := range map[float64]bool{-175: false, 179: false, -170: true, -169: true, -100: true, -60: true, -59: false, 0: false} {
			if got := a.Contains(Point{20, lng}); got != want {
				t.Errorf("written from %v on: %v is inside: %v", 190+turn, lng, got)
			}
		}
	}
	// Around the pole it has every longitude, from wherever it is written.
	for start := -900.0; start <= 900; start += 90 {
		ring := []Point{{60, start}, {60, start + 90}, {60, start + 180}, {60, start + 270}, {60, start + 360}, {90, start + 360}, {90, start}, {60, start}}
		a := Area{polygons: []*polygon{newPolygon([][]Point{ring})}}
		for lng := -180.0; lng <= 180; lng++ {
			if !a.Contains(Point{70, lng}) || a.Contains(Point{50, lng}) {
				t.Fatalf("written from %v on: 70,%v must be inside and 50,%v not", start, lng, lng)
			}
		}
	}
}

// A comb of long teeth must not take memory by the square of its edges.
func TestAreaOfLongEdges(t *testing.T) {
	const teeth = 3000
	var ring []Point
	for i := range teeth {
		lng := float64(i) * 0.01
		ring = append(ring, Point{0, lng}, Point{50, lng + 0.005})
	}
	ring = append(ring, Point{-1, teeth * 0.01}, Point{-1, 0}, ring[0])
	g := newPolygon([][]Point{ring})
	entries := 0
	for _, band := range g.bands {
		entries += len(band)
	}
	if entries > maxRepeated*len(g.edges) {
		t.Errorf("%d edges are %d times in bands, want at most %d times each", len(g.edges), entries, maxRepeated)
	}
	for _, p := range []struct {
		Point
		inside bool
	}{{Point{49.9, 10.005}, true}, {Point{49.9, 10.0}, false}, {Point{-0.5, 10.01}, true}} {
		if got := g.contains(p.Point); got != p.inside {
			t.Errorf("contains(%v) = %v", p.Point, got)
		}
	}
}
