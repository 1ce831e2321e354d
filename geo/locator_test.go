package geo

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/maxmind/mmdbwriter/mmdbtype"

	"github.com/geosegment/caddy-geosegment/geo/geotest"
)

const cities = 200

func cityAddr(i int) netip.Addr { return netip.AddrFrom4([4]byte{81, byte(i), 3, 4}) }

// citiesLocator has the city "city i" at cityAddr(i), room for 16 answers, and
// counts how often each is made.
func citiesLocator(t *testing.T) (l *Locator[Location], made *[cities]atomic.Int32) {
	t.Helper()
	records := geotest.Records{}
	for i := range cities {
		records[fmt.Sprintf("81.%d.0.0/16", i)] = geotest.Flat("IT", "", fmt.Sprintf("city %d", i), 45, 9)
	}
	db, err := NewDatabase("test.mmdb", geotest.Bytes(t, 4, records))
	if err != nil {
		t.Fatal(err)
	}
	networks, err := CompileNetworks([]Source{db}, DefaultIndexMemory)
	if err != nil {
		t.Fatal(err)
	}
	made = new([cities]atomic.Int32)
	l, err = NewLocator(networks, 16, Defaults{}, func(l *Location) *Location {
		var i int
		if _, err := fmt.Sscanf(l.City, "city %d", &i); err == nil {
			made[i].Add(1)
		}
		return l
	})
	if err != nil {
		t.Fatal(err)
	}
	return l, made
}

// Whoever is evicted while others ask, nobody gets another's answer, and no
// more slots are filled than the cache has room for.
func TestEvictionClearsSlots(t *testing.T) {
	l, _ := citiesLocator(t)
	var workers sync.WaitGroup
	for worker := range 4 {
		workers.Go(func() {
			random := rand.New(rand.NewPCG(9, uint64(worker)))
			for range 20_000 {
				i := random.IntN(1 + random.IntN(cities))
				if got, err := l.Locate(cityAddr(i)); got.City != fmt.Sprintf("city %d", i) || err != nil {
					t.Errorf("%s is in %q, %v", cityAddr(i), got.City, err)
					return
				}
			}
		})
	}
	workers.Wait()
	filled := 0
	for i := range l.slots[0] {
		if l.slots[0][i].Load() != nil {
			filled++
		}
	}
	if filled == 0 || filled > 16 || l.kept.Len() != 16 {
		t.Errorf("%d slots are filled and %d answers kept; the cache has room for 16", filled, l.kept.Len())
	}
}

// An answer that is asked for often stays, though hits take a way past the
// cache.
func TestWhatIsUsedStays(t *testing.T) {
	l, made := citiesLocator(t)
	for i := 1; i < cities; i++ {
		for range 500 {
			if _, err := l.Locate(cityAddr(0)); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := l.Locate(cityAddr(i)); err != nil {
			t.Fatal(err)
		}
	}
	if n := made[0].Load(); n != 1 {
		t.Errorf("the answer that is always asked for was made %d times", n)
	}
}

// oneZone says that every point is in the time zone, and counts questions.
type oneZone struct {
	name  string
	asked atomic.Int32
}

func (z *oneZone) Zone(string, Point) string {
	z.asked.Add(1)
	return z.name
}

func TestDefaults(t *testing.T) {
	withAccuracy := func(km int) mmdbtype.Map {
		record := geotest.City("US", "CO", "Colorado", "Denver", 39.7, -105, km)
		delete(record["location"].(mmdbtype.Map), "time_zone")
		return record
	}
	noPoint := withAccuracy(20)
	delete(noPoint, "location")
	noCountry := geotest.Flat("", "", "", 39.7, -105)
	first := geotest.Records{
		"81.1.0.0/16": withAccuracy(20), "81.2.0.0/16": withAccuracy(300), "81.3.0.0/16": withAccuracy(301), "81.4.0.0/16": noPoint,
		"81.9.0.0/16": withAccuracy(20),
	}
	second := geotest.Records{
		"81.5.0.0/16": geotest.Flat("US", "Colorado", "Denver", 39.7, -105), "81.6.0.0/16": noCountry,
		"81.7.0.0/16": geotest.Flat("IT", "", "Milan", 45, 9),
	}
	third := geotest.Records{
		"81.8.0.0/16": geotest.City("US", "CO", "Colorado", "Denver", 39.7, -105, 20),
		"81.9.0.0/16": geotest.City("US", "CO", "Colorado", "Denver", 39.7, -105, 20), // it alone states the zone
	}
	var sources []Source
	for _, records := range []geotest.Records{first, second, third} {
		db, err := NewDatabase("test.mmdb", geotest.Bytes(t, 4, records))
		if err != nil {
			t.Fatal(err)
		}
		sources = append(sources, db)
	}
	networks, err := CompileNetworks(sources, DefaultIndexMemory)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, addr string
		accuracy   float64 // metres, the default
		zone       string
		asked      int32
		metres     float64
	}{
		{"no zone stated", "81.1.0.1", 0, "America/Denver", 1, 20_000},
		{"accurate enough", "81.2.0.1", 0, "America/Denver", 1, 300_000},
		{"too inaccurate", "81.3.0.1", 0, "", 0, 301_000},
		{"no point", "81.4.0.1", 25_000, "", 0, 0},
		{"accuracy unknown", "81.5.0.1", 0, "America/Denver", 1, 0},
		{"default accuracy", "81.5.0.1", 25_000, "America/Denver", 1, 25_000},
		{"no country", "81.6.0.1", 0, "", 0, 0},
		{"a country with one zone", "81.7.0.1", 0, "Europe/Rome", 0, 0},
		{"a zone stated", "81.8.0.1", 25_000, "Europe/Rome", 0, 20_000},
		{"a zone stated by another database", "81.9.0.1", 0, "Europe/Rome", 0, 20_000},
		{"nowhere", "81.10.0.1", 25_000, "", 0, 0},
	} {
		zones := &oneZone{name: "America/Denver"}
		for _, defaults := range []Defaults{{tt.accuracy, zones}, {tt.accuracy, nil}} {
			l, err := NewLocator(networks, 16, defaults, func(l *Location) *Location { return l })
			if err != nil {
				t.Fatal(err)
			}
			got, err := l.Locate(netip.MustParseAddr(tt.addr))
			zone := tt.zone
			if tt.asked > 0 && defaults.Zones == nil {
				zone = ""
			}
			if err != nil || got.TimeZone != zone || got.Accuracy != tt.metres {
				t.Errorf("%s: %q with an accuracy of %v m, %v, want %q and %v m", tt.name, got.TimeZone, got.Accuracy, err, zone, tt.metres)
			}
		}
		if n := zones.asked.Load(); n != tt.asked {
			t.Errorf("%s: the zone was asked for %d times, want %d", tt.name, n, tt.asked)
		}
	}
}
