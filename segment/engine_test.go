package segment

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/geosegment/caddy-geosegment/geo"
	"github.com/geosegment/caddy-geosegment/store"
)

const storeList = "code,name,lat,lng\nMI01,Acme Duomo,45.4641,9.1919\nRM01,Acme Roma,41.9028,12.4964\nNY01,Acme NYC,40.7128,-74.006\n"

type placeMap map[string]geo.Point

func (p placeMap) Find(name string) (geo.Point, error) {
	if point, ok := p[name]; ok {
		return point, nil
	}
	return geo.Point{}, fmt.Errorf("unknown place %q", name)
}

var places = placeMap{"Milan, IT": {Lat: 45.4642, Lng: 9.19}, "Paris, US": {Lat: 33.66, Lng: -95.55}}

func directory(t testing.TB) *store.Directory {
	t.Helper()
	d, err := store.Read(strings.NewReader(storeList))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// areas are two squares, one around Milan.
func areas(t testing.TB) *geo.Areas {
	t.Helper()
	path := filepath.Join(t.TempDir(), "areas.geojson")
	const text = `{"type":"FeatureCollection","features":[
		{"type":"Feature","properties":{"name":"Lombardy Plain"},"geometry":{"type":"Polygon","coordinates":[[[9,45],[10,45],[10,46],[9,46],[9,45]]]}},
		{"type":"Feature","properties":{"name":"Elsewhere"},"geometry":{"type":"Polygon","coordinates":[[[0,0],[1,0],[1,1],[0,0]]]}}]}`
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	a, err := geo.ReadAreas(path)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func compile(t testing.TB, segments ...Segment) *Engine {
	t.Helper()
	e, err := Compile(segments, Options{Places: places, Areas: areas(t), Stores: directory(t)})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func milan() *geo.Location {
	return &geo.Location{
		Country: "IT", Continent: "EU", EU: true, Regions: []geo.Region{{Code: "IT-25", Name: "Lombardy"}, {Code: "IT-MI", Name: "Milan"}},
		City: "Milan", CityID: 3173435, Postal: "20121", TimeZone: "Europe/Rome", ASN: 3269, Metro: 7,
		Point: geo.Point{Lat: 45.4643, Lng: 9.18951}, HasPoint: true, Accuracy: 20_000,
	}
}

func flatMilan() *geo.Location {
	return &geo.Location{
		Country: "IT", Continent: "EU", EU: true, Regions: []geo.Region{{Code: "IT-25", Name: "Lombardy"}}, City: "Milan (Porta Nuova)",
		Point: geo.Point{Lat: 45.4643, Lng: 9.18951}, HasPoint: true,
	}
}

// lyon is as DB-IP has it, which names regions of before 2016.
var lyon = &geo.Location{Country: "FR", Regions: []geo.Region{{Code: "FR-ARA", Name: "Rhone-Alpes"}}, City: "Lyon"}

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC) // a Monday

func TestRules(t *testing.T) {
	nowhere := &geo.Location{}
	countryOnly := &geo.Location{Country: "IT", Continent: "EU", EU: true, TimeZone: "Europe/Rome"}
	asnOnly := &geo.Location{ASN: 3269}
	somewhere := &geo.Location{Country: "IT", Regions: []geo.Region{{Name: "Somewhere"}}}
	paris := &geo.Location{Country: "US", Regions: []geo.Region{{Code: "US-TX", Name: "Texas"}}, City: "Paris", Point: geo.Point{Lat: 33.66, Lng: -95.55}, HasPoint: true}
	for _, tt := range []struct {
		name string
		rule Rule
		in   *geo.Location
		want Outcome
	}{
		{"country", Rule{Country: []string{"FR", "it"}}, milan(), True},
		{"country", Rule{Country: []string{"FR"}}, milan(), False},
		{"country", Rule{Country: []string{"IT"}}, nowhere, Unknown},
		{"not country of nowhere", Rule{Not: &Rule{Country: []string{"IT"}}}, nowhere, Unknown},
		{"not country", Rule{Not: &Rule{Country: []string{"FR", "DE"}}}, milan(), True},
		{"continent", Rule{Continent: []string{"eu"}}, milan(), True},
		{"continent", Rule{Continent: []string{"AS", "NA"}}, milan(), False},
		{"continent", Rule{Continent: []string{"EU"}}, asnOnly, Unknown},
		{"eu", Rule{EU: true}, milan(), True},
		{"eu", Rule{EU: true}, paris, False},
		{"eu", Rule{EU: true}, nowhere, Unknown},
		{"region code", Rule{Region: []string{"it-25"}}, milan(), True},
		{"second region code", Rule{Region: []string{"IT-MI"}}, milan(), True},
		{"region code", Rule{Region: []string{"IT-82"}}, milan(), False},
		{"region code, only a name known", Rule{Region: []string{"IT-25"}}, somewhere, Unknown},
		{"region name without a code", Rule{Region: []string{"Somewhere"}}, somewhere, True},
		{"region name without a code", Rule{Region: []string{"Somewhere, IT"}}, flatMilan(), False},
		{"province, only the region known", Rule{Region: []string{"IT-MI"}}, flatMilan(), Unknown},
		{"province of another region", Rule{Region: []string{"IT-RM"}}, flatMilan(), False},
		{"another province", Rule{Region: []string{"IT-BG"}}, milan(), False},
		{"region code of another country", Rule{Region: []string{"FR-IDF"}}, flatMilan(), False},
		{"region code, nothing known", Rule{Region: []string{"IT-25"}}, countryOnly, Unknown},
		{"region name", Rule{Region: []string{"LOMBARDY"}}, flatMilan(), True},
		{"region in two countries", Rule{Region: []string{"Limburg"}}, flatMilan(), False},
		{"region name", Rule{Region: []string{"Lombardia, it"}}, flatMilan(), True},
		{"region name", Rule{Region: []string{"Lombardy"}}, countryOnly, Unknown},
		{"name or code", Rule{Region: []string{"Texas", "IT-25"}}, milan(), True},
		{"region of today, old name known", Rule{Region: []string{"FR-ARA"}}, lyon, True},
		{"region of today, old name known", Rule{Region: []string{"Auvergne-Rhône-Alpes"}}, lyon, True},
		{"region of another old name", Rule{Region: []string{"FR-GES", "Grand Est"}}, lyon, False},
		{"old region name", Rule{Region: []string{"rhone-alpes"}}, lyon, True},
		{"old region name", Rule{Region: []string{"Rhône-Alpes, FR"}}, lyon, True},
		{"old region name", Rule{Region: []string{"Lorraine"}}, lyon, False},
		{"withdrawn region code", Rule{Region: []string{"fr-v"}}, lyon, True},
		{"withdrawn region code", Rule{Region: []string{"FR-U"}}, lyon, False},
		{"withdrawn code of the same region", Rule{Region: []string{"IT-AO"}}, milan(), False},
		{"city, withdrawn region code as pin", Rule{City: []string{"Lyon, FR-V"}}, lyon, True},
		{"region code in a country without regions", Rule{Region: []string{"PR-SJ"}}, milan(), False},
		{"city", Rule{City: []string{"Naples", "milan"}}, milan(), True},
		{"city with its district", Rule{City: []string{"Milan"}}, flatMilan(), True},
		{"district", Rule{City: []string{"Milan (Porta Nuova)"}}, flatMilan(), True},
		{"other district", Rule{City: []string{"Milan (Navigli)"}}, flatMilan(), False},
		{"city diacritics", Rule{City: []string{"Mílàn"}}, milan(), True},
		{"city pin", Rule{City: []string{"Paris, US"}}, paris, True},
		{"city pin", Rule{City: []string{"Paris, FR"}}, paris, False},
		{"city region pin", Rule{City: []string{"Paris, US-TX"}}, paris, True},
		{"city region pin", Rule{City: []string{"Paris, US-KY"}}, paris, False},
		{"city not known", Rule{City: []string{"Milan"}}, countryOnly, Unknown},
		{"city not known, but elsewhere", Rule{City: []string{"Paris, FR"}}, countryOnly, False},
		{"city id", Rule{City: []string{"3173435"}}, milan(), True},
		{"city id", Rule{City: []string{"1"}}, milan(), False},
		{"city id not known", Rule{City: []string{"3173435"}}, flatMilan(), Unknown},
		{"city id or name", Rule{City: []string{"1", "Milan"}}, flatMilan(), True},
		{"postal", Rule{Postal: []string{"20 121"}}, milan(), True},
		{"postal prefix", Rule{Postal: []string{"99", "201*"}}, milan(), True},
		{"postal", Rule{Postal: []string{"201"}}, milan(), False},
		{"postal", Rule{Postal: []string{"20121"}}, flatMilan(), Unknown},
		{"metro", Rule{Metro: []uint32{8, 7}}, milan(), True},
		{"metro", Rule{Metro: []uint32{7}}, flatMilan(), Unknown},
		{"asn", Rule{ASN: []uint32{3269}}, asnOnly, True},
		{"asn", Rule{ASN: []uint32{1}}, asnOnly, False},
		{"timezone", Rule{TimeZone: []string{"Europe/Rome"}}, milan(), True},
		{"timezone", Rule{TimeZone: []string{"Europe/Paris"}}, milan(), False},
		{"timezone", Rule{TimeZone: []string{"Europe/Rome"}}, flatMilan(), Unknown},
		{"within", Rule{Within: &Within{Radius: "5km", Of: []string{"Milan, IT"}}}, milan(), True},
		{"within", Rule{Within: &Within{Radius: "5km", Of: []string{"45.4642,9.19"}}}, milan(), True},
		{"within", Rule{Within: &Within{Radius: "5km", Of: []string{"Paris, US"}}}, milan(), False},
		{"within one of two", Rule{Within: &Within{Radius: "5km", Of: []string{"Paris, US", "Milan, IT"}}}, milan(), True},
		{"within, no point", Rule{Within: &Within{Radius: "5km", Of: []string{"Milan, IT"}}}, countryOnly, Unknown},
		{"within of store", Rule{Within: &Within{Radius: "1km", Of: []string{"store"}}}, milan(), True},
		{"within of store", Rule{Within: &Within{Radius: "100m", Of: []string{"store"}}}, milan(), False},
		{"within of store", Rule{Within: &Within{Radius: "1km", Of: []string{"store"}}}, nowhere, Unknown},
		{"within of one store", Rule{Within: &Within{Radius: "1km", Of: []string{"store:RM01"}}}, milan(), False},
		{"within of one store", Rule{Within: &Within{Radius: "1mi", Of: []string{"store:MI01"}}}, milan(), True},
		{"confidence", Rule{Within: &Within{Radius: "25km", Of: []string{"Milan, IT"}, Confidence: "60%"}}, milan(), True}, // 82 %
		{"confidence", Rule{Within: &Within{Radius: "25km", Of: []string{"Milan, IT"}, Confidence: "90%"}}, milan(), False},
		{"confidence of store", Rule{Within: &Within{Radius: "25km", Of: []string{"store"}, Confidence: "60%"}}, milan(), True},
		{"confidence of store", Rule{Within: &Within{Radius: "5km", Of: []string{"store"}, Confidence: "60%"}}, milan(), False},
		{"confidence, accuracy not known", Rule{Within: &Within{Radius: "5000km", Of: []string{"Milan, IT"}, Confidence: "1%"}}, flatMilan(), Unknown},
		{"area", Rule{InArea: []string{"lombardy plain"}}, milan(), True},
		{"area", Rule{InArea: []string{"Elsewhere", "Lombardy Plain"}}, milan(), True},
		{"area", Rule{InArea: []string{"Elsewhere"}}, milan(), False},
		{"area, no point", Rule{InArea: []string{"Elsewhere"}}, countryOnly, Unknown},
		{"accuracy", Rule{Accuracy: "20km"}, milan(), True},
		{"accuracy", Rule{Accuracy: "19.9km"}, milan(), False},
		{"accuracy", Rule{Accuracy: "20km"}, flatMilan(), Unknown},
		{"located", Rule{Located: true}, countryOnly, True},
		{"located", Rule{Located: true}, asnOnly, False},
		{"unlocated", Rule{Unlocated: true}, nowhere, True},
		{"unlocated", Rule{Unlocated: true}, milan(), False},
		{"during, local", Rule{During: &During{Hours: "12:30-13:30"}}, milan(), True}, // 13:00 in Rome
		{"during, zone", Rule{During: &During{Hours: "12:30-13:30", Zone: "UTC"}}, milan(), False},
		{"during, zone", Rule{During: &During{Hours: "11:30-12:30", Zone: "UTC"}}, nowhere, True},
		{"during, no zone known", Rule{During: &During{Hours: "12:30-13:30"}}, nowhere, Unknown},
		{"all", Rule{All: []Rule{{EU: true}, {Country: []string{"FR"}}}}, milan(), False},
		{"any", Rule{Any: []Rule{{EU: true}, {Country: []string{"FR"}}}}, milan(), True},
		{"not all", Rule{Not: &Rule{All: []Rule{{EU: true}, {Country: []string{"FR"}}}}}, milan(), True},
		{"unknown and false", Rule{All: []Rule{{Postal: []string{"1"}}, {Country: []string{"FR"}}}}, flatMilan(), False},
		{"unknown or true", Rule{Any: []Rule{{Postal: []string{"1"}}, {Country: []string{"IT"}}}}, flatMilan(), True},
		{"unknown and true", Rule{All: []Rule{{Postal: []string{"1"}}, {Country: []string{"IT"}}}}, flatMilan(), Unknown},
	} {
		t.Run(tt.name, func(t *testing.T) {
			// Unknown and false look alike from outside, so ask for the
			// rule, its negation, and neither.
			e := compile(t,
				Segment{Name: "yes", Rules: []Rule{tt.rule}},
				Segment{Name: "no", Rules: []Rule{{Not: &tt.rule}}},
			)
			d := e.Decide(Visitor{Answer: e.Answer(tt.in), Time: noon})
			got := Unknown
			switch strings.Join(d.Segments, " ") {
			case "yes":
				got = True
			case "no":
				got = False
			case "":
			default:
				t.Fatalf("segments %v", d.Segments)
			}
			if got != tt.want {
				t.Errorf("%+v for %+v is %v, want %v", tt.rule, *tt.in, got, tt.want)
			}
		})
	}
}

func TestDecision(t *testing.T) {
	finished := 0
	e, err := Compile([]Segment{
		{Name: "italy", Rules: []Rule{{Country: []string{"IT"}}}},
		{Name: "refers_forward", Rules: []Rule{{Segment: []string{"lunch", "weekend"}}}},
		{Name: "france", Rules: []Rule{{Country: []string{"FR"}}}},
		{Name: "lunch", Match: "any", Rules: []Rule{{During: &During{Hours: "12:00-14:00"}}, {Segment: []string{"weekend"}}}},
		{Name: "weekend", Rules: []Rule{{During: &During{Days: "Sat,Sun"}}}},
		{Name: "not_lunch", Rules: []Rule{{Not: &Rule{Segment: []string{"lunch"}}}}},
	}, Options{Stores: directory(t), Finish: func(d *Decision) any { finished++; return d.Primary() }})
	if err != nil {
		t.Fatal(err)
	}
	a := e.Answer(milan())
	for _, tt := range []struct {
		at   time.Time
		want string
	}{
		{noon, "italy refers_forward lunch"},
		{noon.Add(6 * time.Hour), "italy not_lunch"},
		{noon.AddDate(0, 0, 5).Add(6 * time.Hour), "italy refers_forward lunch weekend"},
		{noon, "italy refers_forward lunch"},
	} {
		d := e.Decide(Visitor{Answer: a, Time: tt.at})
		if got := strings.Join(d.Segments, " "); got != tt.want {
			t.Errorf("at %v: %q, want %q", tt.at, got, tt.want)
		}
		if d.Primary() != "italy" || d.Finished != "italy" || d.Store.Code != "MI01" || d.StoreMetres < 100 || d.StoreMetres > 300 || d.Location.City != "Milan" {
			t.Errorf("decision %+v", d)
		}
		for i, name := range e.Names() {
			if got, want := d.Matches(i), slices.Contains(d.Segments, name); got != want {
				t.Errorf("Matches(%s) = %v, but segments %v", name, got, d.Segments)
			}
		}
	}
	if finished != 3 {
		t.Errorf("%d decisions finished, want 3: those met again are kept", finished)
	}
	nowhere := e.Decide(Visitor{Answer: e.Answer(&geo.Location{}), Time: noon})
	if nowhere.Store != nil || nowhere.Primary() != "" || nowhere.Location == nil {
		t.Errorf("decision for nowhere %+v", nowhere)
	}
	if i, ok := e.Segment("france"); !ok || i != 2 {
		t.Errorf(`Segment("france") = %d, %v`, i, ok)
	}
	if _, err := e.FindSegment("itly"); err == nil || err.Error() != `unknown segment "itly": did you mean italy?` {
		t.Errorf("FindSegment: error %v", err)
	}
	if i, err := e.FindSegment("lunch"); err != nil || i != 3 {
		t.Errorf(`FindSegment("lunch") = %d, %v`, i, err)
	}
}

func randomRule(r *rand.Rand, depth int, earlier []string) Rule {
	pick := func(values ...string) []string {
		r.Shuffle(len(values), func(i, j int) { values[i], values[j] = values[j], values[i] })
		return values[:1+r.IntN(2)]
	}
	kinds := 13
	if depth > 0 {
		kinds = 17
	}
	switch r.IntN(kinds) {
	case 0:
		return Rule{Country: pick("IT", "FR", "US")}
	case 1:
		return Rule{Continent: pick("EU", "NA")}
	case 2:
		return Rule{EU: true}
	case 3:
		return Rule{Region: pick("IT-25", "US-TX", "Lombardy", "Texas, US", "IT-MI")}
	case 4:
		return Rule{City: pick("Milan", "Paris, US", "Paris, FR", "Paris, US-TX", "Paris")}
	case 5:
		return Rule{Postal: pick("20121", "201*", "9*")}
	case 6:
		return Rule{ASN: []uint32{uint32(r.IntN(3) + 1)}}
	case 7:
		return Rule{Within: &Within{Radius: pick("5km", "100km", "3000mi")[0], Of: pick("Milan, IT", "Paris, US", "store")}}
	case 8:
		return Rule{Accuracy: "50km"}
	case 9:
		return Rule{Located: true}
	case 10:
		return Rule{Unlocated: true}
	case 11, 12:
		d := &During{Days: "Sat-Sun", Hours: "09:00-18:00"}
		if r.IntN(2) == 0 {
			d.Zone = "America/New_York"
		}
		return Rule{During: d}
	case 13:
		inner := randomRule(r, depth-1, earlier)
		return Rule{Not: &inner}
	case 14:
		return Rule{All: randomRules(r, depth-1, earlier)}
	case 15:
		return Rule{Any: randomRules(r, depth-1, earlier)}
	}
	if len(earlier) == 0 {
		return Rule{EU: true}
	}
	return Rule{Segment: []string{earlier[r.IntN(len(earlier))]}}
}

func randomRules(r *rand.Rand, depth int, earlier []string) []Rule {
	rules := make([]Rule, 1+r.IntN(3))
	for i := range rules {
		rules[i] = randomRule(r, depth, earlier)
	}
	return rules
}

func randomLocation(r *rand.Rand) *geo.Location {
	l := milan()
	if r.IntN(2) == 0 {
		*l = geo.Location{
			Country: "US", Continent: "NA", Regions: []geo.Region{{Code: "US-TX", Name: "Texas"}}, City: "Paris", TimeZone: "America/Chicago",
			Postal: "95460", ASN: 2, Point: geo.Point{Lat: 33.66, Lng: -95.55}, HasPoint: true, Accuracy: 100_000,
		}
	}
	l.Regions = l.Regions[:1]
	for _, forget := range []func(){
		func() { l.Country, l.EU = "", false }, func() { l.Continent = "" }, func() { l.Regions = nil },
		func() { l.Regions = []geo.Region{{Name: "Somewhere"}} },
		func() { l.City = "" }, func() { l.Postal = "" }, func() { l.ASN = 0 }, func() { l.HasPoint = false },
		func() { l.Accuracy = 0 }, func() { l.TimeZone = "" },
	} {
		if r.IntN(5) == 0 {
			forget()
		}
	}
	if r.IntN(20) == 0 {
		return &geo.Location{}
	}
	return l
}

// A segment whose rules are written in another order of the file decides the
// same, so the engine sees them shuffled, with references forwards too.
func TestEngineAgreesWithNaive(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	stores := directory(t)
	var points []geo.Point
	for _, code := range stores.Codes() {
		s, _ := stores.Store(code)
		points = append(points, s.Point)
	}
	matches := 0
	for range 400 {
		var segments []Segment
		var names []string
		for i := range 12 {
			name := fmt.Sprintf("s%d", i)
			segments = append(segments, Segment{Name: name, Match: []string{"", "all", "any"}[r.IntN(3)], Rules: randomRules(r, 3, names)})
			names = append(names, name)
		}
		r.Shuffle(len(segments), func(i, j int) { segments[i], segments[j] = segments[j], segments[i] })
		e, err := Compile(segments, Options{Places: places, Stores: stores})
		if err != nil {
			t.Fatal(err)
		}
		for range 20 {
			n := naive{segments, points, places, randomLocation(r), time.Time{}}
			a := e.Answer(n.location)
			for range 10 {
				n.now = noon.Add(time.Duration(r.IntN(7*24*60)) * time.Minute)
				var want []string
				for _, s := range segments {
					if n.segment(s.Name) == True {
						want = append(want, s.Name)
					}
				}
				matches += len(want)
				if got := e.Decide(Visitor{Answer: a, Time: n.now}).Segments; !slices.Equal(got, want) {
					t.Fatalf("segments %v at %v: %v, want %v\n%+v", *n.location, n.now, got, want, segments)
				}
			}
		}
	}
	if matches < 10_000 {
		t.Errorf("only %d matches in all: the rules are too narrow to test anything", matches)
	}
}

func TestDecideConcurrently(t *testing.T) {
	e := compile(t,
		Segment{Name: "morning", Rules: []Rule{{During: &During{Hours: "06:00-12:00"}}}},
		Segment{Name: "noon", Rules: []Rule{{During: &During{Hours: "11:00-14:00"}}}},
		Segment{Name: "weekend", Rules: []Rule{{During: &During{Days: "Sat,Sun"}}}},
	)
	a := e.Answer(milan())
	want := make([][]string, 7*24)
	for hour := range want {
		want[hour] = e.Decide(Visitor{Answer: e.Answer(milan()), Time: noon.Add(time.Duration(hour) * time.Hour)}).Segments
	}
	var group sync.WaitGroup
	for g := range 8 {
		group.Go(func() {
			for i := range 2000 {
				hour := (i*7 + g) % len(want)
				if got := e.Decide(Visitor{Answer: a, Time: noon.Add(time.Duration(hour) * time.Hour)}).Segments; !slices.Equal(got, want[hour]) {
					t.Errorf("hour %d: %v, want %v", hour, got, want[hour])
					return
				}
			}
		})
	}
	group.Wait()
}

func TestDecideDoesNotAllocate(t *testing.T) {
	for name, segments := range map[string][]Segment{
		"location only": campaign(1000, false),
		"with times":    campaign(1000, true),
	} {
		e := compile(t, segments...)
		a := e.Answer(milan())
		i := 0
		if n := testing.AllocsPerRun(200, func() {
			i++
			e.Decide(Visitor{Answer: a, Time: noon.Add(time.Duration(i%2) * 12 * time.Hour)})
		}); n > 0 {
			t.Errorf("%s: Decide allocates %v times", name, n)
		}
	}
}

// campaign is n segments as a large shop may have them; one in ten has hours
// if timed.
func campaign(n int, timed bool) []Segment {
	segments := make([]Segment, n)
	for i := range segments {
		s := Segment{Name: fmt.Sprintf("s%d", i)}
		switch i % 5 {
		case 0:
			s.Rules = []Rule{{Country: []string{"IT", "FR"}}}
		case 1:
			s.Rules = []Rule{{Region: []string{fmt.Sprintf("TR-%02d", i%81+1)}}}
		case 2:
			s.Rules = []Rule{{City: []string{fmt.Sprintf("City %d", i), "Naples"}}}
		case 3:
			s.Rules = []Rule{{Within: &Within{Radius: "5km", Of: []string{fmt.Sprintf("%d,%d", i%90, i%180)}}}}
		case 4:
			s.Rules = []Rule{{Country: []string{"IT"}}, {Within: &Within{Radius: "25km", Of: []string{"store"}}}, {Not: &Rule{City: []string{"San Marino"}}}}
		}
		if timed && i%10 == 0 {
			s.Rules = append(s.Rules, Rule{During: &During{Hours: "09:00-18:00"}})
		}
		segments[i] = s
	}
	return segments
}

// Stands for deciding a request of a visitor whose record was met before
// (warm), and for the first one of a record (cold). Run: go test -bench Decide ./segment
func BenchmarkDecide(b *testing.B) {
	for _, n := range []int{10, 1000} {
		for _, timed := range []bool{false, true} {
			e := compile(b, campaign(n, timed)...)
			a := e.Answer(milan())
			b.Run(fmt.Sprintf("warm/segments=%d/timed=%v", n, timed), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					e.Decide(Visitor{Answer: a, Time: noon})
				}
			})
		}
		e := compile(b, campaign(n, false)...)
		l := milan()
		b.Run(fmt.Sprintf("cold/segments=%d", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				e.Answer(l)
			}
		})
	}
}
