// Package geotest makes small MaxMind-DB files for tests, in each of the
// record layouts that geo reads.
package geotest

import (
	"bytes"
	"net"
	"os"
	"path/filepath"
	"testing"

	"github.com/maxmind/mmdbwriter"
	"github.com/maxmind/mmdbwriter/mmdbtype"
)

// Records are the records of a database by network ("81.2.69.0/24").
type Records map[string]mmdbtype.DataType

// City is a record in MaxMind's nested layout.
func City(country, region, regionName, city string, lat, lng float64, accuracyKm int) mmdbtype.Map {
	return mmdbtype.Map{
		"continent": mmdbtype.Map{"code": mmdbtype.String("EU")},
		"country": mmdbtype.Map{
			"iso_code":             mmdbtype.String(country),
			"is_in_european_union": mmdbtype.Bool(country == "IT"),
		},
		"subdivisions": mmdbtype.Slice{mmdbtype.Map{"iso_code": mmdbtype.String(region), "names": names(regionName)}},
		"city":         mmdbtype.Map{"names": names(city), "geoname_id": mmdbtype.Uint32(3173435)},
		"postal":       mmdbtype.Map{"code": mmdbtype.String("20121")},
		"location": mmdbtype.Map{
			"latitude": mmdbtype.Float64(lat), "longitude": mmdbtype.Float64(lng),
			"accuracy_radius": mmdbtype.Uint16(accuracyKm),
			"time_zone":       mmdbtype.String("Europe/Rome"),
			"metro_code":      mmdbtype.Uint16(7),
		},
	}
}

func names(english string) mmdbtype.Map {
	return mmdbtype.Map{"en": mmdbtype.String(english), "de": mmdbtype.String("auf deutsch")}
}

// ASN is a record of GeoLite2 ASN.
func ASN(number uint32, org string) mmdbtype.Map {
	return mmdbtype.Map{
		"autonomous_system_number":       mmdbtype.Uint32(number),
		"autonomous_system_organization": mmdbtype.String(org),
	}
}

// Flat is a record in the layout of ip-location-db.
func Flat(country, state, city string, lat, lng float32) mmdbtype.Map {
	return mmdbtype.Map{
		"country_code": mmdbtype.String(country), "state1": mmdbtype.String(state), "state2": mmdbtype.String(""),
		"city": mmdbtype.String(city), "postcode": mmdbtype.String(""), "timezone": mmdbtype.String(""),
		"latitude": mmdbtype.Float32(lat), "longitude": mmdbtype.Float32(lng),
	}
}

// LatLng is a record in the country, region, lat, lng layout, with the
// coordinates as text.
func LatLng(country, region, city, lat, lng string) mmdbtype.Map {
	return mmdbtype.Map{
		"country": mmdbtype.String(country), "region": mmdbtype.String(region), "city": mmdbtype.String(city),
		"lat": mmdbtype.String(lat), "lng": mmdbtype.String(lng),
		"asn": mmdbtype.String("AS3269"), "as_name": mmdbtype.String("Telecom Italia"),
	}
}

// Bytes is a database file with these records.
func Bytes(t testing.TB, ipVersion int, records Records) []byte {
	t.Helper()
	tree, err := mmdbwriter.New(mmdbwriter.Options{
		DatabaseType: "Test", IPVersion: ipVersion, RecordSize: 24,
		IncludeReservedNetworks: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	for network, record := range records {
		_, ipNet, err := net.ParseCIDR(network)
		if err != nil {
			t.Fatal(err)
		}
		if err := tree.Insert(ipNet, record); err != nil {
			t.Fatal(err)
		}
	}
	var buf bytes.Buffer
	if _, err := tree.WriteTo(&buf); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// File writes a database file into a temporary folder and returns its path.
func File(t testing.TB, ipVersion int, records Records) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "test.mmdb")
	if err := os.WriteFile(path, Bytes(t, ipVersion, records), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
