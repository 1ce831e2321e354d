package geo

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// EarthRadius is the mean radius R₁ of the WGS 84 ellipsoid in metres,
// (2a + b) / 3 with a = 6,378,137 and b = 6,356,752.3142
// (H. Moritz, Geodetic Reference System 1980, Journal of Geodesy 74, 2000).
const EarthRadius = 6_371_008.8

// Point is a position in WGS 84 degrees: latitude −90…90, north positive,
// then longitude −180…180, east positive.
type Point struct {
	Lat, Lng float64
}

// Valid reports whether both coordinates are finite and in range.
func (p Point) Valid() bool {
	return math.Abs(p.Lat) <= 90 && math.Abs(p.Lng) <= 180 // false for NaN
}

// String gives "lat,lng", the form that ParsePoint reads.
func (p Point) String() string {
	return strconv.FormatFloat(p.Lat, 'f', -1, 64) + "," + strconv.FormatFloat(p.Lng, 'f', -1, 64)
}

// ParsePoint reads "lat,lng" in degrees; blanks around the numbers are
// ignored. It refuses what is not finite or out of range, and says so when the
// two numbers look swapped.
func ParsePoint(s string) (Point, error) {
	lat, lng, ok := strings.Cut(s, ",")
	if !ok {
		return Point{}, fmt.Errorf("%q is not a point: expected latitude,longitude like 45.4642,9.19", s)
	}
	return NewPoint(strings.TrimSpace(lat), strings.TrimSpace(lng))
}

// NewPoint makes a Point of two decimal texts, with the checks of ParsePoint.
func NewPoint(lat, lng string) (Point, error) {
	la, err := parseDegrees("latitude", lat)
	if err != nil {
		return Point{}, err
	}
	ln, err := parseDegrees("longitude", lng)
	if err != nil {
		return Point{}, err
	}
	switch {
	case math.Abs(la) > 90 && math.Abs(la) <= 180 && math.Abs(ln) <= 90:
		return Point{}, fmt.Errorf("latitude %s is beyond 90: latitude and longitude look swapped", lat)
	case math.Abs(la) > 90:
		return Point{}, fmt.Errorf("latitude %s is out of range: expected -90 to 90", lat)
	case math.Abs(ln) > 180:
		return Point{}, fmt.Errorf("longitude %s is out of range: expected -180 to 180", lng)
	}
	return Point{Lat: la, Lng: ln}, nil
}

func parseDegrees(what, s string) (float64, error) {
	v, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
		return 0, fmt.Errorf("%s %q is not a number: expected decimal degrees like 45.4642", what, s)
	}
	return v, nil
}

// Distance is the great-circle distance between two points in metres, on a
// sphere of EarthRadius. It uses the haversine formula with atan2, which keeps
// its precision for near points and stays within a metre for antipodal ones
// (R. W. Sinnott, Virtues of the Haversine, Sky and Telescope 68, 1984).
// Distance(p, q) == Distance(q, p), and Distance(p, p) == 0.
func Distance(p, q Point) float64 {
	const rad = math.Pi / 180
	sinLat := math.Sin((q.Lat - p.Lat) * rad / 2)
	sinLng := math.Sin((q.Lng - p.Lng) * rad / 2)
	h := sinLat*sinLat + math.Cos(p.Lat*rad)*math.Cos(q.Lat*rad)*sinLng*sinLng
	h = min(h, 1)
	return 2 * EarthRadius * math.Atan2(math.Sqrt(h), math.Sqrt(1-h))
}

// vector is a position on the unit sphere: x towards 0°N 0°E, y towards
// 0°N 90°E, z towards the north pole. The squared length of the difference of
// two vectors grows with their distance, and has no date line and no poles.
type vector [3]float64

func (p Point) vector() vector {
	const rad = math.Pi / 180
	sinLat, cosLat := math.Sincos(p.Lat * rad)
	sinLng, cosLng := math.Sincos(p.Lng * rad)
	return vector{cosLat * cosLng, cosLat * sinLng, sinLat}
}
