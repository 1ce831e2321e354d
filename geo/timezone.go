package geo

import (
	"fmt"
	"sync"
	"time"
	_ "time/tzdata" // small container images have no time zones of their own
)

var zones sync.Map // IANA name → *time.Location; bounded by the number of zones

// renamed are the zones that had another name when many databases and people
// learned it, from the file "backward" of the IANA time zone database. Zones
// that are links for another reason are not here: Europe/Amsterdam is kept
// like Brussels, but means something else.
var renamed = map[string]string{
	"Africa/Asmera":        "Africa/Asmara",
	"America/Buenos_Aires": "America/Argentina/Buenos_Aires",
	"America/Catamarca":    "America/Argentina/Catamarca",
	"America/Cordoba":      "America/Argentina/Cordoba",
	"America/Fort_Wayne":   "America/Indiana/Indianapolis",
	"America/Godthab":      "America/Nuuk",
	"America/Indianapolis": "America/Indiana/Indianapolis",
	"America/Jujuy":        "America/Argentina/Jujuy",
	"America/Knox_IN":      "America/Indiana/Knox",
	"America/Louisville":   "America/Kentucky/Louisville",
	"America/Mendoza":      "America/Argentina/Mendoza",
	"Asia/Ashkhabad":       "Asia/Ashgabat",
	"Asia/Calcutta":        "Asia/Kolkata",
	"Asia/Chungking":       "Asia/Chongqing",
	"Asia/Dacca":           "Asia/Dhaka",
	"Asia/Istanbul":        "Europe/Istanbul",
	"Asia/Katmandu":        "Asia/Kathmandu",
	"Asia/Macao":           "Asia/Macau",
	"Asia/Rangoon":         "Asia/Yangon",
	"Asia/Saigon":          "Asia/Ho_Chi_Minh",
	"Asia/Thimbu":          "Asia/Thimphu",
	"Asia/Ujung_Pandang":   "Asia/Makassar",
	"Asia/Ulan_Bator":      "Asia/Ulaanbaatar",
	"Atlantic/Faeroe":      "Atlantic/Faroe",
	"Europe/Kiev":          "Europe/Kyiv",
	"Pacific/Enderbury":    "Pacific/Kanton",
	"Pacific/Ponape":       "Pacific/Pohnpei",
	"Pacific/Truk":         "Pacific/Chuuk",
	"US/Alaska":            "America/Anchorage",
	"US/Arizona":           "America/Phoenix",
	"US/Central":           "America/Chicago",
	"US/Eastern":           "America/New_York",
	"US/Hawaii":            "Pacific/Honolulu",
	"US/Mountain":          "America/Denver",
	"US/Pacific":           "America/Los_Angeles",
}

// ZoneName is the name under which a time zone is known now: "Europe/Kyiv" for
// "Europe/Kiev".
func ZoneName(name string) string {
	if now, ok := renamed[name]; ok {
		return now
	}
	return name
}

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
