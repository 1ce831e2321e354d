package caddymodule

import (
	"net/netip"
	"slices"
	"testing"

	"github.com/geosegment/caddy-geosegment/geo"
	"github.com/geosegment/caddy-geosegment/geo/geotest"
	"github.com/geosegment/caddy-geosegment/segment"
)

// Rules that need what the databases do not state are told of, and no others.
func TestUnanswerableRules(t *testing.T) {
	flat := geotest.File(t, 4, geotest.Records{"81.2.69.0/24": geotest.Flat("IT", "", "Milan", 45, 9)})
	city := geotest.File(t, 4, geotest.Records{"81.2.70.0/24": geotest.City("IT", "62", "Lazio", "Rome", 41.9, 12.5, 5)})
	asn := geotest.File(t, 4, geotest.Records{"81.2.69.0/24": geotest.ASN(3269, "Example")})
	segments := []segment.Segment{
		{Name: "a", Rules: []segment.Rule{{Postal: []string{"201*"}, Source: "Caddyfile:7"}, {Postal: []string{"75*"}}}},
		{Name: "b", Rules: []segment.Rule{{Within: &segment.Within{Radius: "5km", Of: []string{"45,9"}, Confidence: "60%"}}}},
		{Name: "c", Rules: []segment.Rule{{Not: &segment.Rule{ASN: []uint32{3269}}}}},
		{Name: "d", Rules: []segment.Rule{{Country: []string{"IT"}}, {Within: &segment.Within{Radius: "5km", Of: []string{"45,9"}}}}},
	}
	for _, tt := range []struct {
		databases []string
		accuracy  string
		want      []string
	}{
		{[]string{flat}, "", []string{
			"Caddyfile:7: segment a: postal: no database states postal codes",
			"segment b: within: no database states an accuracy radius: set default_accuracy",
			"segment c: not: asn: no database states network numbers",
		}},
		{[]string{flat, asn}, "25km", []string{"Caddyfile:7: segment a: postal: no database states postal codes"}},
		{[]string{flat, city, asn}, "", nil},
	} {
		a := &App{Databases: tt.databases, DefaultAccuracy: tt.accuracy, Segments: segments, CacheSize: 10, IndexMemory: geo.DefaultIndexMemory}
		g, err := a.load()
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(g.never, tt.want) {
			t.Errorf("%d databases: %q, want %q", len(tt.databases), g.never, tt.want)
		}
	}
}

// Rules about the visitor's own time work on a database that states no zones.
func TestTimeZoneOfTheNearestCity(t *testing.T) {
	file := geotest.File(t, 4, geotest.Records{
		"81.2.69.0/24": geotest.Flat("US", "Texas", "", 31.8, -106.4), // near El Paso
		"81.2.70.0/24": geotest.Flat("US", "Texas", "Dallas", 32.78, -96.8),
	})
	a := &App{
		Databases: []string{file}, CacheSize: 10, IndexMemory: geo.DefaultIndexMemory,
		Segments: []segment.Segment{{Name: "mountain", Rules: []segment.Rule{{TimeZone: []string{"America/Denver"}}}}},
	}
	g, err := a.load()
	if err != nil {
		t.Fatal(err)
	}
	for addr, want := range map[string][]string{"81.2.69.1": {"mountain"}, "81.2.70.1": nil} {
		answer, err := g.locator.Locate(netip.MustParseAddr(addr))
		if err != nil {
			t.Fatal(err)
		}
		if got := g.engine.Decide(segment.Visitor{Answer: answer}).Segments; !slices.Equal(got, want) {
			t.Errorf("%s is in %q, want %q", addr, got, want)
		}
	}
}
