package geo

import (
	"math"
	"strconv"
	"strings"

	"github.com/oschwald/geoip2-golang/v2"
	"github.com/oschwald/maxminddb-golang/v2"
	"github.com/oschwald/maxminddb-golang/v2/mmdbdata"
)

// layouts are tried in this order. Names and types inside the files decide,
// not the file's name or the type it claims.
var layouts = []struct {
	layout
	has func(fieldKinds) bool
}{
	// GeoIP2 and GeoLite2 City, Country, Enterprise; DB-IP's own files.
	{layout{"maxmind", decodeMaxMind}, func(f fieldKinds) bool {
		for _, name := range []string{"country", "city", "location", "continent", "registered_country", "traits"} {
			if f[name] == mmdbdata.KindMap {
				return true
			}
		}
		return false
	}},
	// GeoLite2 ASN.
	{layout{"maxmind asn", decodeMaxMindASN}, func(f fieldKinds) bool {
		return f["autonomous_system_number"] != 0 && f["country_code"] == 0
	}},
	// Flat files: ip-location-db's country_code, state1, city, latitude …, and
	// the family of country, region, city, lat, lng.
	{layout{"flat", decodeFlat}, func(f fieldKinds) bool {
		for _, name := range []string{"country_code", "country", "latitude", "lat", "loc", "city", "asn"} {
			if kind := f[name]; kind != 0 && kind != mmdbdata.KindMap && kind != mmdbdata.KindSlice {
				return true
			}
		}
		return false
	}},
}

// decodeMaxMind reads the nested layout. Enterprise has every field of City
// and Country, and those that a file lacks stay empty.
func decodeMaxMind(result maxminddb.Result, l *Location) error {
	var record geoip2.Enterprise
	if err := result.Decode(&record); err != nil {
		return err
	}
	l.Country = record.Country.ISOCode
	l.Continent = record.Continent.Code
	l.EU = record.Country.IsInEuropeanUnion
	for _, s := range record.Subdivisions {
		l.Regions = append(l.Regions, Region{Code: regionCode(l.Country, s.ISOCode), Name: s.Names.English})
	}
	l.City = record.City.Names.English
	l.CityID = uint32(record.City.GeoNameID)
	l.Postal = record.Postal.Code
	//lint:ignore SA1019 deprecated by MaxMind, and still in its files
	l.Metro = uint32(record.Location.MetroCode)
	l.TimeZone = record.Location.TimeZone
	if record.Location.HasCoordinates() {
		l.Point = Point{*record.Location.Latitude, *record.Location.Longitude}
		l.HasPoint = true
		l.Accuracy = float64(record.Location.AccuracyRadius) * 1000
	}
	l.ASN = uint32(record.Traits.AutonomousSystemNumber)
	l.Org = record.Traits.AutonomousSystemOrganization
	return nil
}

// regionCode makes the full ISO 3166-2 code of the part after the hyphen.
func regionCode(country, subdivision string) string {
	if country == "" || subdivision == "" || strings.Contains(subdivision, "-") {
		return subdivision
	}
	return country + "-" + subdivision
}

func decodeMaxMindASN(result maxminddb.Result, l *Location) error {
	var record geoip2.ASN
	if err := result.Decode(&record); err != nil {
		return err
	}
	l.ASN = uint32(record.AutonomousSystemNumber)
	l.Org = record.AutonomousSystemOrganization
	return nil
}

// flatRecord reads the flat layouts: one level of text and numbers, under the
// names that such files use.
type flatRecord struct {
	country, countryName, continent     string
	region, regionCode, subregion, city string
	postal, timeZone, org               string
	lat, lng, accuracyKm                float64
	cityID, metro, asn                  uint32
}

func decodeFlat(result maxminddb.Result, l *Location) error {
	record := flatRecord{lat: math.NaN(), lng: math.NaN()}
	if err := result.Decode(&record); err != nil {
		return err
	}
	l.Country = strings.ToUpper(record.country)
	if l.Country == "" && len(record.countryName) == 2 {
		l.Country = strings.ToUpper(record.countryName)
	}
	if len(record.continent) == 2 {
		l.Continent = strings.ToUpper(record.continent)
	}
	if record.region != "" || record.regionCode != "" {
		l.Regions = append(l.Regions, Region{Code: regionCode(l.Country, record.regionCode), Name: record.region})
	}
	if record.subregion != "" {
		l.Regions = append(l.Regions, Region{Name: record.subregion})
	}
	l.City, l.CityID = record.city, record.cityID
	l.Postal, l.Metro, l.TimeZone = record.postal, record.metro, record.timeZone
	if !math.IsNaN(record.lat) && !math.IsNaN(record.lng) {
		l.Point, l.HasPoint, l.Accuracy = Point{record.lat, record.lng}, true, record.accuracyKm*1000
	}
	l.ASN, l.Org = record.asn, record.org
	return nil
}

func (r *flatRecord) UnmarshalMaxMindDBCursor(cursor mmdbdata.Cursor) (mmdbdata.Cursor, error) {
	return eachField(cursor, func(key []byte, value mmdbdata.Cursor) (mmdbdata.Cursor, error) {
		switch string(key) {
		case "country_code":
			return readText(value, &r.country)
		case "country":
			return readText(value, &r.countryName)
		case "continent_code", "continent":
			return readText(value, &r.continent)
		case "state1", "state", "region", "region_name", "subdivision":
			return readText(value, &r.region)
		case "region_code", "state_code", "subdivision_code":
			return readText(value, &r.regionCode)
		case "state2", "district":
			return readText(value, &r.subregion)
		case "city", "city_name":
			return readText(value, &r.city)
		case "postcode", "postal_code", "postal", "zip", "zip_code":
			return readText(value, &r.postal)
		case "timezone", "time_zone":
			return readText(value, &r.timeZone)
		case "as_name", "as_organization", "autonomous_system_organization", "org":
			return readText(value, &r.org)
		case "latitude", "lat":
			return readNumber(value, &r.lat)
		case "longitude", "lng", "lon":
			return readNumber(value, &r.lng)
		case "accuracy_radius":
			return readNumber(value, &r.accuracyKm)
		case "geoname_id", "city_geoname_id":
			return readUint(value, &r.cityID)
		case "metro_code":
			return readUint(value, &r.metro)
		case "asn", "as_number", "autonomous_system_number":
			return readUint(value, &r.asn)
		case "loc": // "lat,lng"
			var text string
			next, err := readText(value, &text)
			if p, parseErr := ParsePoint(text); parseErr == nil {
				r.lat, r.lng = p.Lat, p.Lng
			}
			return next, err
		default:
			return value.Skip()
		}
	})
}

// readText reads a string, and skips a value of any other kind: one odd field
// does not make the rest of a record unreadable.
func readText(value mmdbdata.Cursor, to *string) (mmdbdata.Cursor, error) {
	kind, err := value.Kind()
	if err != nil {
		return value, err
	}
	if kind != mmdbdata.KindString {
		return value.Skip()
	}
	text, next, err := value.ReadString()
	if text = strings.TrimSpace(text); text != "" && text != "-" { // "-" is a common filler for unknown
		*to = text
	}
	return next, err
}

// readNumber reads a number that may be stored as float, double, integer or
// text; what is not a finite number leaves to as it is.
func readNumber(value mmdbdata.Cursor, to *float64) (mmdbdata.Cursor, error) {
	kind, err := value.Kind()
	if err != nil {
		return value, err
	}
	number, next := math.NaN(), mmdbdata.Cursor{}
	switch kind {
	case mmdbdata.KindFloat32, mmdbdata.KindFloat64:
		number, next, err = value.ReadFloat()
		if kind == mmdbdata.KindFloat32 {
			number = shortest(float32(number))
		}
	case mmdbdata.KindString:
		var text string
		text, next, err = value.ReadString()
		if parsed, parseErr := strconv.ParseFloat(strings.TrimSpace(text), 64); parseErr == nil {
			number = parsed
		}
	case mmdbdata.KindInt32, mmdbdata.KindUint16, mmdbdata.KindUint32, mmdbdata.KindUint64:
		var integer uint64
		integer, _, next, err = value.ReadInteger()
		number = float64(int64(integer))
	default:
		return value.Skip()
	}
	if !math.IsNaN(number) && !math.IsInf(number, 0) {
		*to = number
	}
	return next, err
}

// shortest is the double with the shortest decimal text that is this float:
// 45.4643 for a float32 of 45.4643, where a plain conversion gives
// 45.464298248291016, six digits that nobody measured.
func shortest(f float32) float64 {
	var buf [32]byte
	v, err := strconv.ParseFloat(string(strconv.AppendFloat(buf[:0], float64(f), 'g', -1, 32)), 64)
	if err != nil {
		return float64(f)
	}
	return v
}

// readUint reads a number or a text like "AS3269".
func readUint(value mmdbdata.Cursor, to *uint32) (mmdbdata.Cursor, error) {
	kind, err := value.Kind()
	if err != nil {
		return value, err
	}
	if kind == mmdbdata.KindString {
		text, next, err := value.ReadString()
		if n, parseErr := strconv.ParseUint(strings.TrimPrefix(strings.ToUpper(strings.TrimSpace(text)), "AS"), 10, 32); parseErr == nil {
			*to = uint32(n)
		}
		return next, err
	}
	var number float64
	next, err := readNumber(value, &number)
	if number >= 0 && number <= math.MaxUint32 {
		*to = uint32(number)
	}
	return next, err
}
