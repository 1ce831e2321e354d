// Package geo locates: it has points and distances, finds the location of an
// IP address in MaxMind-DB files, and the points nearest to one.
//
// It knows nothing of segments, stores or Caddy and can be used on its own:
//
//	db, err := geo.OpenDatabase("GeoLite2-City.mmdb")
//	...
//	networks, err := geo.CompileNetworks([]geo.Source{db}, geo.DefaultIndexMemory)
//	...
//	locator, err := geo.NewLocator(networks, geo.DefaultCacheSize, geo.Defaults{},
//		func(l *geo.Location) *geo.Location { return l })
//	...
//	location, err := locator.Locate(netip.MustParseAddr("81.2.69.142"))
//
// Distances are metres everywhere.
package geo

import "slices"

// Location is what is known of where a visitor is. A field that is not known
// has its zero value. Treat a Location as immutable: it is shared by all
// requests from the same database record.
type Location struct {
	// Country is the ISO 3166-1 alpha-2 code, upper case: "IT".
	Country string
	// Continent is one of AF AN AS EU NA OC SA.
	Continent string
	// EU tells whether the country is in the European Union; it means
	// something only where Country is known.
	EU bool
	// Regions are the country's subdivisions, the largest first.
	Regions []Region
	// City is the English name, CityID its GeoNames id.
	City   string
	CityID uint32
	Postal string
	// Metro is the metro code (United States only).
	Metro uint32
	// TimeZone is the IANA name, "Europe/Rome": what the database states, else
	// that of the country if it has only one, else what Defaults.Zones finds.
	TimeZone string
	// Point means something only where HasPoint is true: 0,0 is a place.
	Point    Point
	HasPoint bool
	// Accuracy is the accuracy radius in metres: the visitor is within it of
	// Point with 67 % confidence (MaxMind's definition). Zero is unknown.
	Accuracy float64
	// ASN is the autonomous system number, Org the organization behind it.
	ASN uint32
	Org string
	// Source names where the location came from: "database", or empty when
	// nothing is known.
	Source string
}

// Region is a subdivision of a country.
type Region struct {
	// Code is the full ISO 3166-2 code ("IT-25"); the part after the hyphen
	// alone would be ambiguous between countries. Empty where the database
	// states only a name that is not in the table of regions.
	Code string
	// Name is the English name.
	Name string
}

// Located reports whether anything geographic is known.
func (l *Location) Located() bool {
	return l.HasPoint || l.Country != "" || l.Continent != ""
}

// Region is the largest subdivision, or a zero Region.
func (l *Location) Region() Region {
	if len(l.Regions) == 0 {
		return Region{}
	}
	return l.Regions[0]
}

// complete adds what follows from the rest: what a country or a region is, so
// that rules mean the same on databases that state less.
func (l *Location) complete() {
	country, ok := CountryByCode(l.Country)
	if !ok {
		return
	}
	l.EU = l.EU || country.EU
	if l.Continent == "" {
		l.Continent = country.Continent
	}
	if l.TimeZone == "" {
		l.TimeZone = country.TimeZone
	}
	for i := range l.Regions {
		r := &l.Regions[i]
		switch {
		case r.Code == "":
			r.Code, _ = RegionByName(l.Country, r.Name)
		case r.Name == "":
			r.Name, _ = RegionByCode(r.Code)
		}
	}
	l.Regions = currentRegions(l.Regions)
}

// currentRegions replaces codes that are withdrawn, and adds the regions that
// others are known to be parts of, each before the first of its parts.
func currentRegions(list []Region) []Region {
	t := regions()
	has := func(code string) bool {
		return slices.ContainsFunc(list, func(r Region) bool { return r.Code == code })
	}
	for i := 0; i < len(list); i++ {
		if current, ok := t.current(list[i].Code); ok && current != list[i].Code {
			if has(current) {
				list = slices.Delete(list, i, i+1)
				i--
				continue
			}
			list[i].Code = current
			if list[i].Name == "" {
				list[i].Name, _ = RegionByCode(current)
			}
		}
		for parent := RegionParent(list[i].Code); parent != "" && !has(parent); parent = RegionParent(parent) {
			name, _ := RegionByCode(parent)
			list = slices.Insert(list, i, Region{parent, name})
		}
	}
	return list
}

// merge takes from other every group of fields that l does not know. Fields
// that belong together come from the same source: a point keeps its own
// accuracy, and nothing of another country, region or city is mixed in. Both
// are complete.
func (l *Location) merge(other *Location) {
	samePlace := compatible(l, other)
	if l.Country == "" && l.Continent == "" {
		l.Country, l.Continent, l.EU = other.Country, other.Continent, other.EU
	}
	if samePlace {
		if l.Country == "" {
			l.Country, l.EU = other.Country, other.EU
		}
		if len(l.Regions) == 0 {
			l.Regions = other.Regions
		}
		if l.City == "" && l.CityID == 0 {
			l.City, l.CityID = other.City, other.CityID
		}
		if l.Postal == "" {
			l.Postal = other.Postal
		}
		if l.Metro == 0 {
			l.Metro = other.Metro
		}
		if l.TimeZone == "" {
			l.TimeZone = other.TimeZone
		}
		if !l.HasPoint && other.HasPoint {
			l.Point, l.HasPoint, l.Accuracy = other.Point, true, other.Accuracy
		}
	}
	if l.ASN == 0 {
		l.ASN = other.ASN
	}
	if l.Org == "" && (other.ASN == 0 || l.ASN == other.ASN) {
		l.Org = other.Org
	}
}

// compatible reports whether two locations may be the same place, as far as
// both know.
func compatible(a, b *Location) bool {
	differ := func(x, y string) bool { return x != "" && y != "" && x != y }
	r, s := a.Region(), b.Region()
	return !differ(a.Continent, b.Continent) && !differ(a.Country, b.Country) && !differ(r.Code, s.Code) &&
		!(r.Code == "" && s.Code == "" && differ(Fold(r.Name), Fold(s.Name))) && !differ(Fold(a.City), Fold(b.City))
}
