package segment

import (
	"strings"
	"time"

	"github.com/geosegment/caddy-geosegment/geo"
)

// naive evaluates segments as they are configured, without compiling, without
// an index and without anything kept: the plain version that the engine is
// held against. It knows the rules that randomRule makes.
type naive struct {
	segments []Segment
	stores   []geo.Point
	places   map[string]geo.Point
	location *geo.Location
	now      time.Time
}

func (n naive) segment(name string) Outcome {
	for _, s := range n.segments {
		if s.Name == name {
			return n.group(s.Rules, s.Match == "any")
		}
	}
	panic("no segment " + name)
}

func (n naive) group(rules []Rule, any bool) Outcome {
	count := map[Outcome]int{}
	for _, r := range rules {
		count[n.rule(r)]++
	}
	if any {
		switch {
		case count[True] > 0:
			return True
		case count[Unknown] > 0:
			return Unknown
		}
		return False
	}
	switch {
	case count[False] > 0:
		return False
	case count[Unknown] > 0:
		return Unknown
	}
	return True
}

// oneText is true if the value is one of the list, unknown if it is empty.
func oneText(list []string, value string) Outcome {
	if value == "" {
		return Unknown
	}
	for _, s := range list {
		if strings.EqualFold(s, value) {
			return True
		}
	}
	return False
}

func (n naive) rule(r Rule) Outcome {
	l := n.location
	switch {
	case r.Country != nil:
		return oneText(r.Country, l.Country)
	case r.Continent != nil:
		return oneText(r.Continent, l.Continent)
	case r.EU:
		if l.Country == "" {
			return Unknown
		}
		return outcome(l.EU)
	case r.Region != nil:
		result := False
		for _, s := range r.Region {
			code, ok := map[string]string{"Lombardy": "IT-25", "Texas, US": "US-TX"}[s]
			if !ok {
				code = s
			}
			result = max(result, n.pin(code))
		}
		return result
	case r.City != nil:
		return n.names(r.City, func(s string) Outcome { return oneText([]string{s}, l.City) })
	case r.Postal != nil:
		if l.Postal == "" {
			return Unknown
		}
		for _, s := range r.Postal {
			if s == l.Postal || strings.HasSuffix(s, "*") && strings.Index(l.Postal, s[:len(s)-1]) == 0 {
				return True
			}
		}
		return False
	case r.ASN != nil:
		if l.ASN == 0 {
			return Unknown
		}
		for _, asn := range r.ASN {
			if asn == l.ASN {
				return True
			}
		}
		return False
	case r.Within != nil:
		if !l.HasPoint {
			return Unknown
		}
		radius := map[string]float64{"5km": 5e3, "100km": 1e5, "3000mi": 3000 * 1609.344}[r.Within.Radius]
		for _, of := range r.Within.Of {
			points := []geo.Point{n.places[of]}
			if of == "store" {
				points = n.stores
			}
			for _, p := range points {
				if geo.Distance(p, l.Point) <= radius {
					return True
				}
			}
		}
		return False
	case r.Accuracy != "":
		if l.Accuracy == 0 {
			return Unknown
		}
		return outcome(l.Accuracy <= 50_000)
	case r.Located:
		return outcome(l.Country != "" || l.Continent != "" || l.HasPoint)
	case r.Unlocated:
		return outcome(l.Country == "" && l.Continent == "" && !l.HasPoint)
	case r.During != nil:
		zoneName := r.During.Zone
		if zoneName == "" {
			zoneName = l.TimeZone
		}
		if zoneName == "" {
			return Unknown
		}
		zone, err := time.LoadLocation(zoneName)
		if err != nil {
			panic(err)
		}
		// randomRule writes only weekends from 09:00 to 18:00.
		t := n.now.In(zone)
		weekend := t.Weekday() == time.Saturday || t.Weekday() == time.Sunday
		return outcome(weekend && t.Hour() >= 9 && t.Hour() < 18)
	case r.Segment != nil:
		result := False
		for _, name := range r.Segment {
			result = max(result, n.segment(name))
		}
		return result
	case r.Not != nil:
		return map[Outcome]Outcome{True: False, False: True, Unknown: Unknown}[n.rule(*r.Not)]
	case r.All != nil:
		return n.group(r.All, false)
	}
	return n.group(r.Any, true)
}

// names is true if one of the names is, when the pin behind its comma is.
func (n naive) names(list []string, one func(string) Outcome) Outcome {
	result := False
	for _, s := range list {
		text, pin, _ := strings.Cut(s, ", ")
		result = max(result, min(one(text), n.pin(pin)))
	}
	return result
}

func (n naive) pin(code string) Outcome {
	if code == "" {
		return True
	}
	inCountry := oneText([]string{code[:2]}, n.location.Country)
	if len(code) == 2 || inCountry != True {
		return inCountry
	}
	if code == "IT-MI" && n.location.Region().Code == "IT-25" {
		return Unknown // Milan is a province of Lombardy
	}
	return oneText([]string{code}, n.location.Region().Code)
}
