package geo

import (
	"math"
	"math/rand/v2"
	"testing"
)

// byPoisson is an independent formula: the mass inside the disc is the
// probability that a Poisson variable of mean r²/2 exceeds one of mean d²/2
// (the Marcum Q-function as a mixture of Poisson distributions).
func byPoisson(d, r float64) float64 {
	logPoisson := func(k int, mean float64) float64 {
		lg, _ := math.Lgamma(float64(k) + 1)
		return float64(k)*math.Log(mean) - mean - lg
	}
	inner, outer := d*d/2, r*r/2
	if inner == 0 {
		return 1 - math.Exp(-outer)
	}
	most := int(max(inner, outer)+60*math.Sqrt(max(inner, outer))) + 200
	below, sum := 0.0, 0.0 // below: the outer variable is at most k
	for k := range most {
		below += math.Exp(logPoisson(k, outer))
		sum += math.Exp(logPoisson(k, inner)) * max(0, 1-below)
	}
	return sum
}

// byGrid integrates the density over the disc in polar coordinates, by the
// midpoint rule: slow, coarse, and beyond doubt.
func byGrid(d, r float64) float64 {
	const rings, sectors = 4000, 180
	sum := 0.0
	for i := range rings {
		radius := (float64(i) + 0.5) * r / rings
		for j := range sectors {
			angle := (float64(j) + 0.5) * 2 * math.Pi / sectors
			x, y := radius*math.Cos(angle)-d, radius*math.Sin(angle)
			sum += math.Exp(-(x*x+y*y)/2) * radius
		}
	}
	return sum * r / rings / sectors
}

func TestDiscProbability(t *testing.T) {
	for _, d := range []float64{0, 0.01, 0.3, 1, 2, 5, 11, 40, 150} {
		for _, off := range []float64{-12, -7, -3, -1, -0.2, 0, 0.01, 0.5, 1, 2, 4, 8, 12} {
			r := d + off
			if r <= 0 {
				continue
			}
			got := discProbability(d, r)
			if want := byPoisson(d, r); math.Abs(got-want) > 1e-8 {
				t.Errorf("discProbability(%v, %v) = %.12f, by Poisson sums %.12f", d, r, got, want)
			}
			if want := byGrid(d, r); r < 20 && math.Abs(got-want) > 2e-6 {
				t.Errorf("discProbability(%v, %v) = %.9f, on a grid %.9f", d, r, got, want)
			}
		}
	}
	// Where the edge is taken for straight, just before it is, and far beyond.
	for _, r := range []float64{300, 1900, 2100, 3000} {
		for _, off := range []float64{-3, -1, 0, 0.5, 2} {
			if got, want := discProbability(r-off, r), byPoisson(r-off, r); math.Abs(got-want) > 1e-7 {
				t.Errorf("discProbability(%v, %v) = %.9f, by Poisson sums %.9f", r-off, r, got, want)
			}
		}
	}
	if got := discProbability(1e9, 1e9); math.Abs(got-0.5) > 1e-6 {
		t.Errorf("on the edge of a huge disc: %v, want a half", got)
	}
}

func TestProbabilityWithin(t *testing.T) {
	for _, tt := range []struct{ distance, radius, accuracy, want float64 }{
		{4999, 5000, 0, 1},
		{5000, 5000, 0, 1},
		{5001, 5000, 0, 0},
		{0, 20_000, 20_000, 0.67}, // by definition
		{0, 5000, 20_000, 0.0669},
		{1e7, 5000, 20_000, 0},
		{0, 1e7, 1000, 1},
	} {
		if got := ProbabilityWithin(tt.distance, tt.radius, tt.accuracy); math.Abs(got-tt.want) > 1e-4 {
			t.Errorf("ProbabilityWithin(%v, %v, %v) = %v, want %v", tt.distance, tt.radius, tt.accuracy, got, tt.want)
		}
	}
}

// A larger circle holds more, a farther one less; and what is outside of the
// circle gets likelier, what is at its centre less likely, with the accuracy
// radius growing.
func TestProbabilityWithinIsMonotone(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	const noise = 1e-9
	for range 20_000 {
		accuracy := math.Exp(r.Float64() * 14)
		distance, radius := accuracy*r.Float64()*8, accuracy*(r.Float64()*8+1e-3)
		grown := 1 + r.Float64()
		p := ProbabilityWithin(distance, radius, accuracy)
		if p < 0 || p > 1 {
			t.Fatalf("ProbabilityWithin(%v, %v, %v) = %v", distance, radius, accuracy, p)
		}
		if q := ProbabilityWithin(distance, radius*grown, accuracy); q < p-noise {
			t.Fatalf("radius %v: %v, but radius %v: %v", radius, p, radius*grown, q)
		}
		if q := ProbabilityWithin(distance*grown, radius, accuracy); q > p+noise {
			t.Fatalf("distance %v: %v, but distance %v: %v", distance, p, distance*grown, q)
		}
		if p, q := ProbabilityWithin(0, radius, accuracy), ProbabilityWithin(0, radius, accuracy*grown); q > p+noise {
			t.Fatalf("at the centre, accuracy %v: %v, but %v: %v", accuracy, p, accuracy*grown, q)
		}
	}
}

// Stands for one `within … confidence` rule of a new record that is near.
// Run: go test -bench ProbabilityWithin ./geo
func BenchmarkProbabilityWithin(b *testing.B) {
	for b.Loop() {
		ProbabilityWithin(7000, 5000, 20_000)
	}
}
