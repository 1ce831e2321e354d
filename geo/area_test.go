package geo

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

func area(t testing.TB, coordinates string) *Area {
	t.Helper()
	kind := "Polygon"
	if strings.HasPrefix(coordinates, "[[[[") {
		kind = "MultiPolygon"
	}
	areas := &Areas{byName: map[string]*Area{}}
	if err := areas.add("x", []byte(`{"type":"`+kind+`","coordinates":`+coordinates+`}`)); err != nil {
		t.Fatalf("%s: %v", coordinates, err)
	}
	return areas.byName["x"]
}

func TestAreaContains(t *testing.T) {
	const (
		square  = "[[[0,0],[10,0],[10,10],[0,10],[0,0]]]"
		donut   = "[[[0,0],[10,0],[10,10],[0,10],[0,0]],[[4,4],[6,4],[6,6],[4,6],[4,4]]]"
		two     = "[[[[0,0],[1,0],[1,1],[0,1],[0,0]]],[[[5,5],[6,5],[6,6],[5,6],[5,5]]]]"
		overlap = "[[[[0,0],[1,0],[1,1],[0,1],[0,0]]],[[[0.5,0.5],[2,0.5],[2,2],[0.5,2],[0.5,0.5]]]]"
		fiji    = "[[[177,-19],[-178,-19],[-178,-16],[177,-16],[177,-19]]]"
		beyond  = "[[[177,-19],[182,-19],[182,-16],[177,-16],[177,-19]]]"
		split   = "[[[[177,-19],[180,-19],[180,-16],[177,-16],[177,-19]]],[[[-180,-19],[-178,-19],[-178,-16],[-180,-16],[-180,-19]]]]"
		hole    = "[[[170,-20],[-170,-20],[-170,20],[170,20],[170,-20]],[[-179,-1],[-179,1],[179,1],[179,-1],[-179,-1]]]"
		north   = "[[[0,60],[90,60],[180,60],[-90,60],[0,60]]]"
		south   = "[[[0,-60],[-90,-60],[180,-60],[90,-60],[0,-60]]]"
		saw     = "[[[0,0],[1,5],[2,0],[3,5],[4,0],[5,5],[6,0],[6,9],[0,9],[0,0]]]"
		flat    = "[[[0,0,100],[10,0,100],[10,10,100],[0,10,100],[0,0,100]]]"
		reverse = "[[[0,0],[0,10],[10,10],[10,0],[0,0]]]"
	)
	for _, tt := range []struct {
		name, coordinates string
		p                 Point
		want              bool
	}{
		{"inside", square, Point{5, 5}, true},
		{"west", square, Point{5, -1}, false},
		{"east", square, Point{5, 11}, false},
		{"north", square, Point{11, 5}, false},
		{"corner", square, Point{10, 10}, true},
		{"lower corner", square, Point{0, 0}, true},
		{"left side", square, Point{5, 0}, true},
		{"top", square, Point{10, 5}, true},
		{"beyond a corner", square, Point{10, 10.001}, false},
		{"the other way round", reverse, Point{5, 5}, true},
		{"with heights", flat, Point{5, 5}, true},
		{"in the ring of a donut", donut, Point{2, 5}, true},
		{"in the hole", donut, Point{5, 5}, false},
		{"on the side of the hole", donut, Point{5, 4}, true},
		{"first of two", two, Point{0.5, 0.5}, true},
		{"second of two", two, Point{5.5, 5.5}, true},
		{"between two", two, Point{3, 3}, false},
		{"where two overlap", overlap, Point{0.7, 0.7}, true},
		{"west of the date line", fiji, Point{-18, 178}, true},
		{"east of the date line", fiji, Point{-18, -179}, true},
		{"on the date line", fiji, Point{-18, 180}, true},
		{"on the date line", fiji, Point{-18, -180}, true},
		{"on the far side", fiji, Point{-18, 0}, false},
		{"longitudes beyond 180", beyond, Point{-18, -179}, true},
		{"longitudes beyond 180", beyond, Point{-18, 178}, true},
		{"longitudes beyond 180", beyond, Point{-18, 176}, false},
		{"split at the date line", split, Point{-18, -179}, true},
		{"split at the date line", split, Point{-18, 180}, true},
		{"hole on the date line", hole, Point{0, 180}, false},
		{"beside that hole", hole, Point{0, -175}, true},
		{"beside that hole", hole, Point{0, 175}, true},
		{"north pole", north, Point{90, 12}, true},
		{"near the north pole", north, Point{70, -135}, true},
		{"south of it", north, Point{50, 45}, false},
		{"south pole", south, Point{-90, 0}, true},
		{"near the south pole", south, Point{-75, 100}, true},
		{"north of it", south, Point{-50, 100}, false},
		{"between teeth", saw, Point{1, 1}, false}, // the line to the east crosses nearly all sides
		{"in a tooth", saw, Point{4, 2}, true},
		{"level with the tips", saw, Point{5, 2}, true},
		{"level with the feet", saw, Point{0, 2}, true},
		{"level with the feet, outside", saw, Point{0, 3}, false},
	} {
		if got := area(t, tt.coordinates).Contains(tt.p); got != tt.want {
			t.Errorf("%s: Contains(%v) = %v, want %v", tt.name, tt.p, got, tt.want)
		}
	}
}

// A star of thousands of corners, against the angle and radius that made it.
func TestAreaContainsManyCorners(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, corners := range []int{3, 50, 20_000} {
		radii := make([]float64, corners)
		var positions []string
		for i := range radii {
			radii[i] = 3 + 4*r.Float64()
			angle := 2 * math.Pi * float64(i) / float64(corners)
			positions = append(positions, fmt.Sprintf("[%v,%v]", 175+radii[i]*math.Cos(angle), -10+radii[i]*math.Sin(angle)))
		}
		positions = append(positions, positions[0])
		a := area(t, "[["+strings.Join(positions, ",")+"]]")
		for range 20_000 {
			p := Point{-18 + 16*r.Float64(), 167 + 16*r.Float64()}
			// The side between the corners at the point's angle, as a line in
			// polar coordinates around the centre.
			angle := math.Atan2(p.Lat+10, p.Lng-175)
			if angle < 0 {
				angle += 2 * math.Pi
			}
			step := 2 * math.Pi / float64(corners)
			i := min(corners-1, int(angle/step))
			r1, r2 := radii[i], radii[(i+1)%corners]
			a1, a2 := float64(i)*step, float64(i+1)*step
			edge := r1 * r2 * math.Sin(a2-a1) / (r1*math.Sin(angle-a1) + r2*math.Sin(a2-angle))
			distance := math.Hypot(p.Lat+10, p.Lng-175)
			if math.Abs(distance-edge) < 1e-9 {
				continue
			}
			q := p
			if q.Lng > 180 {
				q.Lng -= 360
			}
			if got := a.Contains(q); got != (distance < edge) {
				t.Fatalf("%d corners: Contains(%v) = %v, but it is %v from the centre, and the side %v", corners, q, got, distance, edge)
			}
		}
	}
}

const collection = `{"type":"FeatureCollection","features":[
	{"type":"Feature","properties":{"name":"Città Studi"},"geometry":{"type":"Polygon","coordinates":[[[9.2,45.47],[9.25,45.47],[9.25,45.49],[9.2,45.47]]]}},
	{"type":"Feature","properties":{"name":"a point"},"geometry":{"type":"Point","coordinates":[9,45]}},
	{"type":"Feature","properties":{"name":"nothing"},"geometry":null},
	{"type":"Feature","properties":null,"geometry":{"type":"Polygon","coordinates":[[[0,0],[1,0],[1,1],[0,0]]]}}
]}`

func TestReadAreas(t *testing.T) {
	areas, err := ReadAreas(writeFile(t, "a.geojson", "\ufeff"+collection),
		writeFile(t, "Old Town.geojson", `{"type":"Polygon","coordinates":[[[0,0],[1,0],[1,1],[0,0]]]}`),
		writeFile(t, "c.json", `{"type":"Feature","properties":{"name":"C"},"geometry":{"type":"MultiPolygon","coordinates":[[[[0,0],[1,0],[1,1],[0,0]]]]}}`))
	if err != nil {
		t.Fatal(err)
	}
	if areas.Len() != 3 {
		t.Errorf("%d areas, want 3", areas.Len())
	}
	for _, name := range []string{"citta studi", "old town", "C"} {
		if _, err := areas.Find(name); err != nil {
			t.Error(err)
		}
	}
	if _, err := areas.Find("Citta Studio"); err == nil || err.Error() != `unknown area "Citta Studio": did you mean "Città Studi"?` {
		t.Errorf("error %v", err)
	}
	if _, err := areas.Find("Brera"); err == nil || !strings.Contains(err.Error(), `unknown area "Brera": it is not in `) {
		t.Errorf("error %v", err)
	}
	none, err := ReadAreas()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := none.Find("Brera"); err == nil || !strings.Contains(err.Error(), "no areas are configured") {
		t.Errorf("error %v", err)
	}
}

func TestReadAreasErrors(t *testing.T) {
	polygon := func(coordinates string) string {
		return `{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"name":"good"},"geometry":{"type":"Polygon","coordinates":[[[0,0],[1,0],[1,1],[0,0]]]}},` +
			`{"type":"Feature","properties":{"name":"bad"},"geometry":{"type":"Polygon","coordinates":` + coordinates + `}}]}`
	}
	for name, tt := range map[string]struct{ content, want string }{
		"empty":          {"", "broken GeoJSON: unexpected end of JSON input"},
		"not JSON":       {"name,lat,lng", "broken GeoJSON: invalid character"},
		"cut off":        {collection[:200], "broken GeoJSON"},
		"another JSON":   {`{"name":"x"}`, `the type is ""; expected FeatureCollection`},
		"a line":         {`{"type":"LineString","coordinates":[[0,0],[1,1]]}`, `the type is "LineString"`},
		"no features":    {`{"type":"FeatureCollection","features":[]}`, "there is no polygon with a name"},
		"no names":       {`{"type":"FeatureCollection","features":[{"type":"Feature","properties":{},"geometry":null}]}`, "there is no polygon with a name"},
		"twice":          {strings.Replace(collection, "a point", "citta studi", 1), ""},
		"twice a name":   {strings.Replace(polygon("[[[0,0],[1,0],[1,1],[0,0]]]"), "bad", "GOOD", 1), `feature 2, "GOOD": the name is there twice`},
		"not closed":     {polygon("[[[0,0],[10,0],[10,10],[0,10]]]"), `feature 2, "bad": a ring is not closed: it begins at 0,0 and ends at 0,10`},
		"too short":      {polygon("[[[0,0],[10,0],[0,0]]]"), "a ring has 3 positions"},
		"crosses itself": {polygon("[[[0,0],[10,10],[10,0],[0,10],[0,0]]]"), `feature 2, "bad": validating ring at index 0: polygon ring not simple (at or near`},
		"there and back": {polygon("[[[0,0],[10,0],[5,0],[5,5],[0,0]]]"), "polygon ring not simple"},
		"no width":       {polygon("[[[0,0],[10,0],[5,0],[0,0]]]"), "polygon ring not simple"},
		"hole outside":   {polygon("[[[0,0],[10,0],[10,10],[0,0]],[[20,20],[21,20],[21,21],[20,20]]]"), "interior ring outside of exterior ring"},
		"swapped":        {polygon("[[[14.5,120.9],[14.6,120.9],[14.6,121],[14.5,120.9]]]"), `feature 2, "bad": position 14.5,120.9: GeoJSON has longitude first, and these look swapped`},
		"latitude":       {polygon("[[[120,120],[121,120],[121,121],[120,120]]]"), "latitude 120 is out of range"},
		"longitude":      {polygon("[[[400,1],[401,1],[401,2],[400,1]]]"), "longitude 400 is out of range"},
		"no numbers":     {polygon(`[[["a","b"]]]`), `feature 2, "bad": broken geometry`},
		"empty polygon":  {polygon("[]"), "the polygon is empty"},
	} {
		path := writeFile(t, "a.geojson", tt.content)
		_, err := ReadAreas(path)
		if tt.want == "" {
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if err == nil || !strings.HasPrefix(err.Error(), "areas "+path+": ") || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: error %v, want %q", name, err, tt.want)
		}
	}
	if _, err := ReadAreas("nowhere.geojson"); err == nil || err.Error() != "areas nowhere.geojson: no such file or directory" {
		t.Errorf("missing: error %v", err)
	}
}

// Stands for one `in_area` rule of a new record, with an area of 20,000 corners.
// Run: go test -bench AreaContains ./geo
func BenchmarkAreaContains(b *testing.B) {
	var positions []string
	for i := range 20_000 {
		angle := 2 * math.Pi * float64(i) / 20_000
		radius := 5 + math.Sin(angle*50)
		positions = append(positions, fmt.Sprintf("[%v,%v]", radius*math.Cos(angle), radius*math.Sin(angle)))
	}
	start := time.Now()
	a := area(b, "[["+strings.Join(append(positions, positions[0]), ",")+"]]")
	b.Logf("reading and checking took %v", time.Since(start))
	r := rand.New(rand.NewPCG(1, 2))
	points := make([]Point, 1024)
	for i := range points {
		points[i] = Point{r.Float64()*12 - 6, r.Float64()*12 - 6}
	}
	for i := 0; b.Loop(); i++ {
		a.Contains(points[i%len(points)])
	}
}
