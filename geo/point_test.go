package geo

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"
)

// angleByVectors is a second formula for the great-circle distance: the angle
// between two vectors by cross and dot product.
func angleByVectors(p, q Point) float64 {
	a, b := p.vector(), q.vector()
	x, y, z := a[1]*b[2]-a[2]*b[1], a[2]*b[0]-a[0]*b[2], a[0]*b[1]-a[1]*b[0]
	return EarthRadius * math.Atan2(math.Sqrt(x*x+y*y+z*z), a[0]*b[0]+a[1]*b[1]+a[2]*b[2])
}

func randomPoint(r *rand.Rand) Point {
	switch r.IntN(10) {
	case 0: // near the poles
		return Point{math.Copysign(90-r.Float64()*1e-3, r.Float64()-0.5), r.Float64()*360 - 180}
	case 1: // near the date line
		return Point{r.Float64()*180 - 90, math.Copysign(180-r.Float64()*1e-3, r.Float64()-0.5)}
	case 2: // on whole degrees, so that coordinates coincide
		return Point{float64(r.IntN(181) - 90), float64(r.IntN(361) - 180)}
	}
	return Point{math.Asin(2*r.Float64()-1) * 180 / math.Pi, r.Float64()*360 - 180}
}

func TestDistance(t *testing.T) {
	half := math.Pi * EarthRadius
	for _, tt := range []struct {
		name   string
		p, q   Point
		metres float64
		within float64
	}{
		{"same point", Point{45.4642, 9.19}, Point{45.4642, 9.19}, 0, 0},
		{"one degree on the equator", Point{0, 0}, Point{0, 1}, half / 180, 1e-6},
		{"across the date line", Point{0, 179.5}, Point{0, -179.5}, half / 180, 1e-6},
		{"180 east is 180 west", Point{10, 180}, Point{10, -180}, 0, 1e-6},
		{"over the north pole", Point{89, 0}, Point{89, 180}, half / 90, 1e-6},
		{"all longitudes meet at the pole", Point{90, 12}, Point{90, -170}, 0, 1e-6},
		{"pole to pole", Point{90, 0}, Point{-90, 77}, half, 1e-6},
		{"antipodes on the equator", Point{0, 0}, Point{0, 180}, half, 1e-6},
		{"antipodes", Point{45.4642, 9.19}, Point{-45.4642, -170.81}, half, 1},
		{"Milan to Rome", Point{45.4642, 9.19}, Point{41.9028, 12.4964}, 476_900, 500},
	} {
		if got := Distance(tt.p, tt.q); math.Abs(got-tt.metres) > tt.within {
			t.Errorf("%s: Distance(%v, %v) = %v, want %v ± %v", tt.name, tt.p, tt.q, got, tt.metres, tt.within)
		}
	}
}

func TestDistanceAgreesWithVectors(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 100_000 {
		p, q := randomPoint(r), randomPoint(r)
		if r.IntN(3) == 0 { // metres apart
			q = Point{min(90, p.Lat+r.Float64()*1e-4), p.Lng}
		}
		got, want := Distance(p, q), angleByVectors(p, q)
		if math.Abs(got-want) > 1e-3+1e-9*want && want < 20_000_000 || math.Abs(got-want) > 1 {
			t.Fatalf("Distance(%v, %v) = %v, by vectors %v", p, q, got, want)
		}
		if back := Distance(q, p); back != got {
			t.Fatalf("Distance(%v, %v) = %v, but back %v", p, q, got, back)
		}
	}
}

func TestParsePoint(t *testing.T) {
	for _, tt := range []struct {
		in   string
		want Point
		err  string
	}{
		{in: "45.4642,9.19", want: Point{45.4642, 9.19}},
		{in: " -90 , 180 ", want: Point{-90, 180}},
		{in: "90,-180", want: Point{90, -180}},
		{in: "45.4642", err: "is not a point"},
		{in: "a,b", err: `latitude "a" is not a number`},
		{in: "1,", err: `longitude "" is not a number`},
		{in: "NaN,1", err: "is not a number"},
		{in: "1,Inf", err: "is not a number"},
		{in: "1e400,1", err: "is not a number"},
		{in: "1,2,3", err: "is not a number"},
		{in: "90.0001,0", err: "looks swapped"},
		{in: "120.98,14.6", err: "looks swapped"},
		{in: "200,1", err: "out of range: expected -90 to 90"},
		{in: "1,180.5", err: "out of range: expected -180 to 180"},
	} {
		got, err := ParsePoint(tt.in)
		if tt.err == "" && (err != nil || got != tt.want) {
			t.Errorf("ParsePoint(%q) = %v, %v, want %v", tt.in, got, err, tt.want)
		}
		if tt.err == "looks swapped" {
			tt.err = "look swapped"
		}
		if tt.err != "" && (err == nil || !strings.Contains(err.Error(), tt.err)) {
			t.Errorf("ParsePoint(%q) = %v, %v, want an error with %q", tt.in, got, err, tt.err)
		}
	}
}

func FuzzParsePoint(f *testing.F) {
	for _, s := range []string{"45.4642,9.19", "-90,180", "NaN,0", "1e400,1", ",", "0x1p-2,1_0"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		p, err := ParsePoint(s)
		if err != nil {
			return
		}
		if !p.Valid() {
			t.Fatalf("ParsePoint(%q) = %v, which is not valid", s, p)
		}
		if again, err := ParsePoint(p.String()); err != nil || again != p {
			t.Fatalf("ParsePoint(%q) = %v, but ParsePoint(%q) = %v, %v", s, p, p.String(), again, err)
		}
	})
}

func TestParseLength(t *testing.T) {
	for _, tt := range []struct {
		in     string
		metres float64
		err    string
	}{
		{in: "5km", metres: 5000},
		{in: "0.5 km", metres: 500},
		{in: "3mi", metres: 4828.032},
		{in: "800m", metres: 800},
		{in: "5KM", metres: 5000},
		{in: "5", err: "has no unit: write 5km"},
		{in: "0km", err: "must be above zero"},
		{in: "-1km", err: "must be above zero"},
		{in: "NaNkm", err: "is not a length"},
		{in: "Infkm", err: "is not a length"},
		{in: "1e306km", err: "is not a length"},
		{in: "km", err: "is not a length"},
		{in: "", err: "is not a length"},
		{in: "5ft", err: "is not a length"},
		{in: "5km2", err: "is not a length"},
		{in: "5,5km", err: "write 5.5km"},
		{in: "10miles", err: "write 10mi"},
		{in: "10 Miles", err: "write 10mi"},
		{in: "10mi.", err: "write 10mi"},
		{in: "2.5 kilometres", err: "write 2.5km"},
		{in: "1,500m", err: "is not a length: expected"}, // which of the two it is cannot be known
	} {
		got, err := ParseLength(tt.in)
		if tt.err == "" && (err != nil || got != tt.metres) {
			t.Errorf("ParseLength(%q) = %v, %v, want %v", tt.in, got, err, tt.metres)
		}
		if tt.err != "" && (err == nil || !strings.Contains(err.Error(), tt.err)) {
			t.Errorf("ParseLength(%q) = %v, %v, want an error with %q", tt.in, got, err, tt.err)
		}
	}
}
