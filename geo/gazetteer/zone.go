package gazetteer

import "github.com/geosegment/caddy-geosegment/geo"

// zoneReach is how far from a city, in metres, its time zone is taken for that
// of a point. Up to there it gives the right time at 99 % of the places that
// GeoNames has with 1,000 inhabitants and more, and at 92 % of those that are
// 100 to 300 km out. Farther out, among islands and deserts, it would be 85 %.
const zoneReach = 300_000

// neighbours are the cities of a country that has several time zones.
type neighbours struct {
	cities []uint16
	index  *geo.Index // of the positions in cities
}

// Zone implements geo.ZoneFinder: it gives the time zone of the city of the
// country that is nearest to a point. It is empty where that is more than
// 300 km away, and for countries with a single time zone, which
// geo.CountryByCode knows.
func (g *Gazetteer) Zone(country string, p geo.Point) string {
	near, ok := g.near()[country]
	if !ok {
		return ""
	}
	i, metres, ok := near.index.Nearest(p)
	if !ok || metres > zoneReach {
		return ""
	}
	return g.zones[g.cities[near.cities[i]].zone]
}

// indexZones makes the neighbours of each country.
func (g *Gazetteer) indexZones() map[string]neighbours {
	cities := map[string][]uint16{}
	for i, c := range g.cities {
		if c.zone != 0 {
			country := g.pin(i)[:2]
			cities[country] = append(cities[country], uint16(i))
		}
	}
	near := make(map[string]neighbours, len(cities))
	for country, of := range cities {
		index := geo.NewIndex(len(of), func(i int) geo.Point { return g.point(int(of[i])) })
		near[country] = neighbours{of, index}
	}
	return near
}

var _ geo.ZoneFinder = (*Gazetteer)(nil)
