package geo

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
)

// lengthUnits are metres for each unit; a mile is the international mile.
var lengthUnits = []struct {
	suffix string
	metres float64
}{
	{"km", 1000},
	{"mi", 1609.344},
	{"m", 1}, // last: "km" ends in it too
}

// ParseLength reads a length with its unit, like 5km, 3mi or 800m, and returns
// metres. The unit is required, since kilometres and miles get confused. The
// length is finite and above zero.
func ParseLength(s string) (float64, error) {
	text := strings.ToLower(strings.TrimSpace(s))
	if meant := LengthMeant(s); meant != "" && strings.ReplaceAll(text, " ", "") != meant {
		return 0, fmt.Errorf("%q is not a length: write %s", s, meant)
	}
	for _, unit := range lengthUnits {
		number, ok := strings.CutSuffix(text, unit.suffix)
		if !ok {
			continue
		}
		v, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
		switch {
		case err != nil || math.IsNaN(v) || math.IsInf(v*unit.metres, 0):
			return 0, fmt.Errorf("%q is not a length: expected a number and a unit, like 5km, 3mi or 800m", s)
		case v <= 0:
			return 0, fmt.Errorf("length %q must be above zero", s)
		}
		return v * unit.metres, nil
	}
	if _, err := strconv.ParseFloat(text, 64); err == nil {
		return 0, fmt.Errorf("length %q has no unit: write %skm, %smi or %sm", s, text, text, text)
	}
	return 0, fmt.Errorf("%q is not a length: expected a number and a unit, like 5km, 3mi or 800m", s)
}

// unitNames are what people write for the units.
var unitNames = map[string]string{
	"km": "km", "kms": "km", "kilometer": "km", "kilometers": "km", "kilometre": "km", "kilometres": "km",
	"mi": "mi", "mis": "mi", "mile": "mi", "miles": "mi",
	"m": "m", "meter": "m", "meters": "m", "metre": "m", "metres": "m",
}

var loosely = regexp.MustCompile(`^(\d+)(?:([.,])(\d+))? *([a-z]+)\.?$`)

// LengthMeant is a length as ParseLength wants it: "10 Miles" → "10mi", "5,5km"
// → "5.5km". It is "" for what is no length, and where it is not certain what
// is meant: 1,500m may be one and a half metres or a thousand more.
func LengthMeant(s string) string {
	part := loosely.FindStringSubmatch(strings.ToLower(strings.TrimSpace(s)))
	if part == nil || unitNames[part[4]] == "" || part[2] == "," && len(part[3]) == 3 {
		return ""
	}
	number := part[1]
	if part[2] != "" {
		number += "." + part[3]
	}
	return number + unitNames[part[4]]
}
