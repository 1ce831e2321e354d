package segment

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/geosegment/caddy-geosegment/geo"
)

// What is not a candidate must not match, whatever the request; every rule of
// every segment is tried against the index that should have passed it over.
func TestCandidatesMissNothing(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	stores := directory(t)
	skipped := 0
	for range 300 {
		var segments []Segment
		var names []string
		for i := range 20 {
			name := fmt.Sprintf("s%d", i)
			segments = append(segments, Segment{Name: name, Match: []string{"all", "any"}[r.IntN(2)], Rules: randomRules(r, 3, names)})
			names = append(names, name)
		}
		e, err := Compile(segments, Options{Places: places, Stores: stores})
		if err != nil {
			t.Fatal(err)
		}
		for range 20 {
			l := randomLocation(r)
			a := &Answer{location: l}
			if l.HasPoint {
				a.store, a.metres = stores.Nearest(l.Point)
			}
			f := newFacts(l, e, a)
			candidates := e.index.candidates(f)
			for i := range segments {
				rest := f.segment(i)
				if slices.Contains(candidates, int32(i)) {
					continue
				}
				skipped++
				for range 8 {
					conditions := make([]Outcome, len(a.conditions))
					for k := range conditions {
						conditions[k] = Outcome(r.IntN(3) - 1)
					}
					var open []Outcome
					for _, o := range a.open {
						open = append(open, o.rest.decide(conditions, open))
					}
					if rest.decide(conditions, open) == True {
						t.Fatalf("%+v matches %+v, but is no candidate", segments[i], *l)
					}
				}
			}
		}
	}
	if skipped < 10_000 {
		t.Errorf("only %d segments were passed over", skipped)
	}
}

// Circles of all sizes, at the poles and over the date line.
func TestCellsCoverCircles(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	somewhere := func() geo.Point {
		p := geo.Point{Lat: math.Asin(2*r.Float64()-1) * 180 / math.Pi, Lng: 360*r.Float64() - 180}
		switch r.IntN(8) {
		case 0:
			p.Lat = math.Copysign(90-r.Float64()*0.1, p.Lat)
		case 1:
			p.Lng = math.Copysign(180-r.Float64()*0.1, p.Lng)
		case 2:
			p = geo.Point{Lat: math.Round(p.Lat), Lng: math.Round(p.Lng/60) * 60}
		}
		return p
	}
	inside := 0
	for range 20_000 {
		centre, metres := somewhere(), math.Exp(r.Float64()*math.Log(2e7))
		c := circles{centres: []geo.Point{centre}, radius: metres}
		needs := c.access()
		for range 10 {
			// On the way from the centre, up to the edge and a little beyond.
			p := destination(centre, metres*r.Float64()*1.01, r.Float64()*2*math.Pi)
			if r.IntN(2) == 0 {
				p = destination(centre, metres, r.Float64()*2*math.Pi)
			}
			f := newFacts(&geo.Location{Point: p, HasPoint: true}, nil, &Answer{})
			if c.contain(f) != True {
				continue
			}
			inside++
			if !needs.anywhere && !slices.ContainsFunc(f.keys(), func(k accessKey) bool { return slices.Contains(needs.keys, k) }) {
				t.Fatalf("%v is within %.1f m of %v, but in none of the %d cells", p, metres, centre, len(needs.keys))
			}
		}
	}
	if inside < 50_000 {
		t.Errorf("only %d points were inside", inside)
	}
}

// destination is the point at a distance in metres and bearing from another.
func destination(p geo.Point, metres, bearing float64) geo.Point {
	lat, lng, angle := p.Lat*math.Pi/180, p.Lng*math.Pi/180, metres/geo.EarthRadius
	lat2 := math.Asin(math.Sin(lat)*math.Cos(angle) + math.Cos(lat)*math.Sin(angle)*math.Cos(bearing))
	lng2 := lng + math.Atan2(math.Sin(bearing)*math.Sin(angle)*math.Cos(lat), math.Cos(angle)-math.Sin(lat)*math.Sin(lat2))
	return geo.Point{Lat: lat2 * 180 / math.Pi, Lng: math.Remainder(lng2, 2*math.Pi) * 180 / math.Pi}
}

// Areas over the date line, up to it, and around a pole.
func TestCellsCoverAreas(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	for name, ring := range map[string]string{
		"over the date line": "[[170,-20],[190,-20],[190,20],[170,20],[170,-20]]",
		"east of it":         "[[-180,-20],[-170,-20],[-170,20],[-180,20],[-180,-20]]",
		"west of it":         "[[170,-20],[180,-20],[180,20],[170,20],[170,-20]]",
		"around the pole":    "[[-180,60],[-90,60],[0,60],[90,60],[180,60],[180,90],[-180,90],[-180,60]]",
		"around, on a globe": "[[0,60],[90,60],[180,60],[-90,60],[0,60]]",
		"Antarctica":         "[[-180,-90],[180,-90],[180,-84],[0,-65],[-180,-84],[-180,-90]]",
		"small":              "[[9.1,45.4],[9.3,45.4],[9.3,45.6],[9.1,45.6],[9.1,45.4]]",
		"wide":               "[[-170,-80],[170,-80],[170,80],[-170,80],[-170,-80]]",
	} {
		path := filepath.Join(t.TempDir(), "area.geojson")
		if err := os.WriteFile(path, []byte(`{"type":"Feature","properties":{"name":"a"},"geometry":{"type":"Polygon","coordinates":[`+ring+`]}}`), 0o600); err != nil {
			t.Fatal(err)
		}
		areas, err := geo.ReadAreas(path)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		area, err := areas.Find("a")
		if err != nil {
			t.Fatal(err)
		}
		rule := inAreas([]*geo.Area{area})
		inside := 0
		box := area.Bounds()[0]
		for range 100_000 {
			p := geo.Point{Lat: box.South + r.Float64()*(box.North-box.South), Lng: math.Remainder(box.West+r.Float64()*(box.East-box.West), 360)}
			if r.IntN(4) == 0 {
				p.Lng = []float64{-180, 180, 170, -170, 9.1, 9.3}[r.IntN(6)]
			}
			f := newFacts(&geo.Location{Point: p, HasPoint: true}, nil, &Answer{})
			if rule.outcome(f) != True {
				continue
			}
			inside++
			if !rule.needs.anywhere && !slices.ContainsFunc(f.keys(), func(k accessKey) bool { return slices.Contains(rule.needs.keys, k) }) {
				t.Fatalf("%s: %v is inside, but in none of the %d cells", name, p, len(rule.needs.keys))
			}
		}
		if inside < 50_000 {
			t.Errorf("%s: only %d points were inside", name, inside)
		}
	}
}

// local is n segments of a shop with campaigns everywhere, each for a small
// part of the world: circles, cities, regions, and combinations of them.
func local(n int) []Segment {
	r := rand.New(rand.NewPCG(9, 10))
	segments := make([]Segment, n)
	for i := range segments {
		at := fmt.Sprintf("%.3f,%.3f", 120*r.Float64()-50, 360*r.Float64()-180)
		s := Segment{Name: fmt.Sprintf("s%d", i)}
		switch i % 4 {
		case 0:
			s.Rules = []Rule{{Within: &Within{Radius: fmt.Sprintf("%dkm", 1+r.IntN(50)), Of: []string{at}}}}
		case 1:
			s.Rules = []Rule{{City: []string{fmt.Sprintf("City %d, IT", r.IntN(n))}}, {Not: &Rule{City: []string{"Naples"}}}}
		case 2:
			s.Rules = []Rule{{Country: []string{"IT", "FR"}}, {Within: &Within{Radius: "100km", Of: []string{at}}}}
		case 3:
			s.Match = "any"
			s.Rules = []Rule{{Postal: []string{fmt.Sprintf("%05d", r.IntN(n))}}, {City: []string{fmt.Sprintf("City %d", r.IntN(n))}}}
		}
		segments[i] = s
	}
	return segments
}

// The cost of a new location should grow with the segments that it could be
// in, not with all there are. Run: go test -bench Answer ./segment
func BenchmarkAnswer(b *testing.B) {
	for _, n := range []int{10, 1000, 10_000, 100_000} {
		e := compile(b, local(n)...)
		l := milan()
		b.Run(fmt.Sprintf("segments=%d", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				e.Answer(l)
			}
		})
	}
}
