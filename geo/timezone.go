package geo

import (
	"fmt"
	"sync"
	"time"
	_ "time/tzdata" // small container images have no time zones of their own
)

var zones sync.Map // IANA name → *time.Location; bounded by the number of zones

// TimeZone gives the rules of an IANA time zone. It is safe for concurrent use
// and reads each zone once.
func TimeZone(name string) (*time.Location, error) {
	if zone, ok := zones.Load(name); ok {
		return zone.(*time.Location), nil
	}
	if name == "" || name == "Local" { // what time.LoadLocation makes UTC, or this machine's zone
		return nil, fmt.Errorf("unknown time zone %q: expected an IANA name like Europe/Rome", name)
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return nil, fmt.Errorf("unknown time zone %q: expected an IANA name like Europe/Rome", name)
	}
	zones.Store(name, zone)
	return zone, nil
}
