package geo

import "math"

// accuracySigmas is the 67 % radius of a circular normal distribution in
// standard deviations: √(−2 ln 0.33).
const accuracySigmas = 1.4891

// ProbabilityWithin is the probability that a device lies within radius of a
// point. distance is from the point to the centre of its location, accuracy
// the location's accuracy radius, all in metres. The position is modelled as a
// circular normal whose 67 % radius is accuracy, on a plane, which holds for
// accuracies far below the Earth's radius. With an accuracy of zero the centre
// is exact, and the result 0 or 1; the boundary is inside.
//
// It is 1 − Q₁(d/σ, R/σ), Q₁ the Marcum Q-function, with an error below 1e-8.
func ProbabilityWithin(distance, radius, accuracy float64) float64 {
	if accuracy <= 0 {
		if distance <= radius {
			return 1
		}
		return 0
	}
	sigma := accuracy / accuracySigmas
	return discProbability(distance/sigma, radius/sigma)
}

// tail is how many standard deviations away nothing is left: φ(9) < 1e-18.
const tail = 9

// discProbability is the mass of the standard normal distribution of the plane
// inside a disc of radius r whose centre is d away.
//
// With the disc at the origin and the mean at (d, 0), the mass at x is that of
// the chord there:
//
//	∫ φ(x−d) · erf(√((r²−x²)/2)) dx,  x = r·sin t,  −r ≤ x ≤ r
//
// The substitution makes the integrand smooth at the ends of the disc.
func discProbability(d, r float64) float64 {
	switch {
	case d-r > tail:
		return 0
	case r-d > tail:
		return 1
	case r > 2000:
		// The edge is nearly straight: Φ(r−d), less what its curvature cuts
		// off, E[y²]/2r at the density of the edge. The next term is in 1/r².
		return 0.5*math.Erfc((d-r)/math.Sqrt2) - math.Exp(-(r-d)*(r-d)/2)/math.Sqrt(2*math.Pi)/(2*r)
	}
	from := math.Asin(max(-1, (d-tail)/r))
	to := math.Asin(min(1, (d+tail)/r))
	// Even panels follow the bell; the last one is halved again and again, as
	// the chord's mass rises within 1/r of the edge of the disc.
	const even, halvings = 8, 6
	sum, low, width := 0.0, from, (to-from)/even
	for range even - 1 {
		sum += gauss(d, r, low, low+width)
		low += width
	}
	for range halvings {
		width /= 2
		sum += gauss(d, r, low, low+width)
		low += width
	}
	sum += gauss(d, r, low, to)
	return min(1, sum/math.Sqrt(2*math.Pi))
}

// gauss integrates discProbability's integrand over one panel.
func gauss(d, r, low, high float64) float64 {
	middle, half := (low+high)/2, (high-low)/2
	sum := 0.0
	for n, node := range gaussNodes {
		for _, t := range [2]float64{middle - half*node, middle + half*node} {
			sin, cos := math.Sincos(t)
			x := r*sin - d
			sum += gaussWeights[n] * math.Exp(-x*x/2) * math.Erf(r*cos/math.Sqrt2) * r * cos
		}
	}
	return sum * half
}

// Gauss-Legendre quadrature of order 16: the positive nodes and their weights
// (Abramowitz and Stegun, Handbook of Mathematical Functions, table 25.4).
var (
	gaussNodes = [8]float64{
		0.095012509837637440185, 0.281603550779258913230, 0.458016777657227386342, 0.617876244402643748447,
		0.755404408355003033895, 0.865631202387831743880, 0.944575023073232576078, 0.989400934991649932596,
	}
	gaussWeights = [8]float64{
		0.189450610455068496285, 0.182603415044923588867, 0.169156519395002538189, 0.149595988816576732081,
		0.124628971255533872052, 0.095158511682492784810, 0.062253523938647892863, 0.027152459411754094852,
	}
)
