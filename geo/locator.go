package geo

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"sync/atomic"

	lru "github.com/hashicorp/golang-lru/v2"
)

// DefaultCacheSize is how many answers a Locator keeps unless told otherwise.
const DefaultCacheSize = 65536

// Locator finds the answer for an address. What an answer is, its user
// decides: finish makes it of a Location, once for a database record and not
// once for an address, since a database has far fewer records than addresses.
//
//	addr ──► Networks ──► id ──► slot ──► answer
//	                              └ empty: decode, merge, finish
//
// An LRU cache bounds how many slots are filled: what it evicts is cleared.
// A hit in a slot takes no lock; only some hits, by chance, tell the cache that
// the answer was used, which keeps those that are used often.
//
// A Locator is safe for concurrent use; finish must be, too.
type Locator[A any] struct {
	networks *Networks
	defaults Defaults
	finish   func(*Location) *A
	slots    [2][]atomic.Pointer[A] // by family and id
	kept     *lru.Cache[answerKey, kept[A]]
	nowhere  *A
}

// recordKey is the record of an address in each source. The zero key: none
// knows the address.
type recordKey = [MaxSources]uint32

// answerKey tells the answers of the cache apart: each slot has its own, as
// have the addresses of which the sources were asked.
type answerKey struct {
	records recordKey
	slots   int8 // the family of the slot, or asked
}

const asked = -1

// kept is an answer in the cache and the slot it fills.
type kept[A any] struct {
	answer *A
	slot   *atomic.Pointer[A] // nil if none
}

// refreshEvery is how many hits in slots it takes on average for one to be
// told to the cache.
const refreshEvery = 64

// Defaults are what points are given that their sources do not state. The zero
// value leaves it unknown.
type Defaults struct {
	// Accuracy is the accuracy radius in metres.
	Accuracy float64
	// Zones finds the time zone. It is asked for points in countries that have
	// several, unless the accuracy radius is above 300 km.
	Zones ZoneFinder
}

// ZoneFinder knows time zones. It must be safe for concurrent use.
type ZoneFinder interface {
	// Zone is the IANA name of the time zone at a point in a country, or empty
	// where it is unknown.
	Zone(country string, p Point) string
}

// zoneAccuracy is the accuracy radius, in metres, up to which a point tells a
// time zone. Beyond are the centres of large countries.
const zoneAccuracy = 300_000

// NewLocator makes a Locator. cacheSize is in answers.
func NewLocator[A any](networks *Networks, cacheSize int, defaults Defaults, finish func(*Location) *A) (*Locator[A], error) {
	l := &Locator[A]{networks: networks, defaults: defaults, finish: finish}
	for i := range l.slots {
		l.slots[i] = make([]atomic.Pointer[A], len(networks.families[i].records)/max(len(networks.sources), 1))
	}
	var err error
	l.kept, err = lru.NewWithEvict(cacheSize, func(_ answerKey, evicted kept[A]) {
		if evicted.slot != nil {
			evicted.slot.Store(nil)
		}
	})
	if err != nil {
		return nil, fmt.Errorf("cache size %d: it must be above zero", cacheSize)
	}
	l.nowhere = finish(&Location{})
	return l, nil
}

// Nowhere is the answer for a visitor of whom nothing is known.
func (l *Locator[A]) Nowhere() *A { return l.nowhere }

// Locate gives the answer for an address. An address that no source knows,
// or an invalid one, has the answer Nowhere and no error: not found is no
// failure. An error means that a source could not be read; the answer is
// then what the others know.
func (l *Locator[A]) Locate(addr netip.Addr) (*A, error) {
	if !addr.IsValid() {
		return l.nowhere, nil
	}
	addr = addr.Unmap()
	family, id := l.networks.find(addr)
	switch id {
	case 0:
		return l.nowhere, nil
	case askID:
		return l.ask(addr.WithZone(""))
	}
	slot := &l.slots[family][id]
	answer := slot.Load()
	if answer == nil {
		return l.fill(answerKey{l.networks.key(family, id), int8(family)}, slot)
	}
	if rand.Uint32()%refreshEvery == 0 {
		l.kept.Get(answerKey{l.networks.key(family, id), int8(family)})
	}
	return answer, nil
}

// ask is Locate for an address of which the sources must be asked.
func (l *Locator[A]) ask(addr netip.Addr) (*A, error) {
	records, failed := l.networks.ask(addr)
	if records == (recordKey{}) {
		return l.nowhere, failed
	}
	key := answerKey{records, asked}
	if hit, ok := l.kept.Get(key); ok {
		return hit.answer, failed
	}
	answer, err := l.fill(key, nil)
	return answer, errors.Join(failed, err)
}

// fill makes the answer for a key and keeps it, in its slot if it has one. An
// answer that is not complete is not kept, so that the error is seen each time.
func (l *Locator[A]) fill(key answerKey, slot *atomic.Pointer[A]) (*A, error) {
	location, err := l.read(key.records)
	answer := l.finish(location)
	if err != nil {
		return answer, err
	}
	if slot != nil {
		slot.Store(answer) // before Add: what Add evicts at once is cleared
	}
	l.kept.Add(key, kept[A]{answer, slot})
	return answer, nil
}

// Sample looks at about n locations of each family of addresses, spread over
// all of them.
func (l *Locator[A]) Sample(n int, look func(*Location)) {
	for family, slots := range l.slots {
		for id := 1; id < len(slots); id += 1 + len(slots)/n {
			if location, err := l.read(l.networks.key(family, uint32(id))); err == nil {
				look(location)
			}
		}
	}
}

// read decodes and merges the records of all sources.
func (l *Locator[A]) read(records recordKey) (*Location, error) {
	merged := &Location{}
	var failed error
	for i, source := range l.networks.sources {
		if records[i] == 0 {
			continue
		}
		var one Location
		if err := source.Read(records[i], &one); err != nil {
			failed = errors.Join(failed, err)
			continue
		}
		if one.HasPoint && !one.Point.Valid() {
			one.Point, one.HasPoint, one.Accuracy = Point{}, false, 0
		}
		one.complete()
		merged.merge(&one)
	}
	l.defaults.complete(merged)
	if merged.Located() {
		merged.Source = "database"
	}
	return merged, failed
}

// complete adds the defaults to what all sources together know.
func (d *Defaults) complete(l *Location) {
	if !l.HasPoint {
		return
	}
	if l.Accuracy == 0 {
		l.Accuracy = d.Accuracy
	}
	if l.TimeZone == "" && l.Country != "" && l.Accuracy <= zoneAccuracy && d.Zones != nil {
		l.TimeZone = d.Zones.Zone(l.Country, l.Point)
	}
}
