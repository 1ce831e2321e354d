package geo

import (
	"errors"
	"fmt"
	"net/netip"

	lru "github.com/hashicorp/golang-lru/v2"
)

// Source is a table of addresses and what is known of their location, like a
// *Database. It must be safe for concurrent use.
type Source interface {
	// Find gives the number of the record of an address, which is unmapped
	// and has no zone. Zero means that there is none. Addresses with the same
	// record have the same location.
	Find(addr netip.Addr) (record uint32, err error)
	// Read fills in what a record says. The location is empty before.
	Read(record uint32, l *Location) error
	// String describes the source for a log line.
	String() string
}

// MaxSources is how many sources one Locator asks.
const MaxSources = 8

// DefaultCacheSize is how many answers a Locator keeps unless told otherwise.
const DefaultCacheSize = 65536

// Locator finds the answer for an address in one or more sources. What an
// answer is, its user decides: finish makes it of a Location, once for a
// database record and not once for an address, since a database has far fewer
// records than addresses. Answers are kept in an LRU cache.
//
//	addr ──► record in each source ──► LRU of answers ──► answer
//	                                        └ miss: decode, merge, finish
//
// A Locator is safe for concurrent use; finish must be, too.
type Locator[A any] struct {
	sources         []Source
	defaultAccuracy float64
	finish          func(*Location) A
	answers         *lru.Cache[recordKey, A]
	nowhere         A
}

// recordKey is the record of an address in each source. The zero key: none
// knows the address.
type recordKey [MaxSources]uint32

// NewLocator makes a Locator that asks the sources in order; the first that
// knows a field wins. cacheSize is in answers. defaultAccuracy, in metres, is
// given to points whose source states no accuracy radius; zero leaves it
// unknown.
func NewLocator[A any](sources []Source, cacheSize int, defaultAccuracy float64, finish func(*Location) A) (*Locator[A], error) {
	if len(sources) > MaxSources {
		return nil, fmt.Errorf("%d databases, but at most %d can be asked together", len(sources), MaxSources)
	}
	answers, err := lru.New[recordKey, A](cacheSize)
	if err != nil {
		return nil, fmt.Errorf("cache size %d: it must be above zero", cacheSize)
	}
	return &Locator[A]{
		sources:         sources,
		defaultAccuracy: defaultAccuracy,
		finish:          finish,
		answers:         answers,
		nowhere:         finish(&Location{}),
	}, nil
}

// Nowhere is the answer for a visitor of whom nothing is known.
func (l *Locator[A]) Nowhere() A { return l.nowhere }

// Locate gives the answer for an address. An address that no source knows,
// or an invalid one, has the answer Nowhere and no error: not found is no
// failure. An error means that a source could not be read; the answer is
// then what the others know.
func (l *Locator[A]) Locate(addr netip.Addr) (A, error) {
	if !addr.IsValid() {
		return l.nowhere, nil
	}
	addr = addr.Unmap().WithZone("")
	var key recordKey
	var failed error
	for i, source := range l.sources {
		record, err := source.Find(addr)
		if err != nil {
			failed = errors.Join(failed, err)
		}
		key[i] = record
	}
	if key == (recordKey{}) {
		return l.nowhere, failed
	}
	if answer, ok := l.answers.Get(key); ok {
		return answer, failed
	}
	location, err := l.read(key)
	answer := l.finish(location)
	if err != nil {
		return answer, errors.Join(failed, err) // not kept, so that the error is seen each time
	}
	l.answers.Add(key, answer)
	return answer, failed
}

// read decodes and merges the records of a key.
func (l *Locator[A]) read(key recordKey) (*Location, error) {
	merged := &Location{}
	var failed error
	for i, source := range l.sources {
		if key[i] == 0 {
			continue
		}
		var one Location
		if err := source.Read(key[i], &one); err != nil {
			failed = errors.Join(failed, err)
			continue
		}
		merged.merge(&one)
	}
	if merged.HasPoint && merged.Accuracy == 0 {
		merged.Accuracy = l.defaultAccuracy
	}
	if merged.Located() {
		merged.Source = "database"
	}
	merged.complete()
	return merged, failed
}
