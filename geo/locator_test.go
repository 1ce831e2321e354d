package geo

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"

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
	l, err = NewLocator(networks, 16, 0, func(l *Location) *Location {
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
