package caddymodule

import (
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
