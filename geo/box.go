package geo

import "math"

// Box is a range of latitudes and longitudes in degrees, with its edges. West
// is in [-180, 180]; East is not below West, and beyond 180 where the box lies
// over the date line.
type Box struct{ South, North, West, East float64 }

// boxMargin, in degrees, covers rounding: it is 0.1 mm.
const boxMargin = 1e-9

// BoundsOfCircle is a box around all points that are at most a distance, in
// metres, away from a centre. Around a pole it has all longitudes.
//
// The longitudes reach as far as the meridians that touch the circle: sin Δlng
// = sin δ / cos lat (J. P. Matuschek, Finding Points Within a Distance of a
// Latitude/Longitude, 2010).
func BoundsOfCircle(centre Point, metres float64) Box {
	const degree = math.Pi / 180
	angle := metres / EarthRadius
	south, north := centre.Lat-angle/degree-boxMargin, centre.Lat+angle/degree+boxMargin
	if south <= -90 || north >= 90 {
		return Box{max(south, -90), min(north, 90), -180, 180}
	}
	width := math.Asin(min(1, math.Sin(angle)/math.Cos(centre.Lat*degree)))/degree + boxMargin
	return newBox(south, north, centre.Lng-width, centre.Lng+width)
}

// newBox turns a box so that its west is in range.
func newBox(south, north, west, east float64) Box {
	if east-west >= 360 {
		return Box{south, north, -180, 180}
	}
	turn := 360 * math.Floor((west+180)/360)
	return Box{south, north, west - turn, east - turn}
}

// Bounds are boxes around the parts of the area.
func (a *Area) Bounds() []Box {
	boxes := make([]Box, len(a.polygons))
	for i, g := range a.polygons {
		boxes[i] = newBox(g.south, g.north, g.west, g.east)
	}
	return boxes
}
