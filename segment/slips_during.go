package segment

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/geosegment/caddy-geosegment/geo"
)

// timeMeant is an error for a part of a During that cannot be read.
func timeMeant(s string, err error) error {
	if meant := DuringMeant([]string{s}); meant != "" {
		return fmt.Errorf("%q is not understood: write %s", s, meant)
	}
	if (looseHours.MatchString(s) || looseTime.MatchString(s)) && !strings.Contains(s, ":") {
		return fmt.Errorf("%q is not understood: write hours like 09:00-17:00 or 18:00-22:00", s)
	}
	return err
}

var (
	spacedHalf  = regexp.MustCompile(`(?i)(\d)\s*([ap])\.?m\b\.?`)
	spacedRange = regexp.MustCompile(`(?i)\s*[–—]\s*|\s+(?:-|to|until|till|through|\.\.)\s+`)
	andWords    = regexp.MustCompile(`(?i)\s*[,;&+]\s*|\s+and\s+`)
	fillWords   = []string{"from", "on", "at", "between", "every"}
)

// DuringMeant is what to write for the words of a `during` that cannot be
// read: "Sat Sun 9am - 5pm" → "Sat,Sun 09:00-17:00". It is "" where that is not
// certain.
func DuringMeant(words []string) string {
	text := spacedHalf.ReplaceAllString(strings.Join(words, " "), "${1}${2}m")
	text = andWords.ReplaceAllString(spacedRange.ReplaceAllString(text, "-"), " ")
	var days []string
	var dates, hours, zone string
	fields := strings.Fields(text)
	for i := 0; i < len(fields); i++ {
		word := fields[i]
		part, meant := &hours, hoursMeant(word)
		switch lower := strings.ToLower(word); {
		case slices.Contains(fillWords, lower):
			continue
		case lower == "zone" && i+1 < len(fields):
			i++
			part, meant = &zone, fields[i]
		case meant == "":
			if part, meant = &dates, datesMeant(word); meant != "" {
				break
			}
			if meant = daysMeant(lower); meant != "" {
				days = append(days, meant)
				continue
			}
			if _, err := geo.TimeZone(word); err != nil || !strings.Contains(word, "/") {
				return ""
			}
			part, meant = &zone, word
		}
		if *part != "" {
			return ""
		}
		*part = meant
	}
	if zone != "" {
		zone = "zone " + zone
	}
	parts := []string{dates, strings.Join(days, ","), hours, zone}
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), " ")
}

var (
	looseTime  = regexp.MustCompile(`(?i)^(\d{1,2})(?:[:.h]?(\d\d))?h?([ap]m)?$`)
	looseHours = regexp.MustCompile(`(?i)^(\d[\d:.h]*(?:[ap]m)?)(?:-|\.\.)(\d[\d:.h]*(?:[ap]m)?)$`)
	partsOfDay = map[string]string{
		"morning": "06:00-12:00", "afternoon": "12:00-18:00", "evening": "18:00-22:00", "night": "22:00-06:00",
	}
)

// hoursMeant reads hours as people write them: 9am-5pm, 18.00-22.00,
// 1800-2200, 18-23, evenings. Of bare numbers as in 9-5 it is not certain which
// half of the day is meant, nor of 01.12-05.12 that they are hours.
func hoursMeant(s string) string {
	if hours := partsOfDay[strings.TrimSuffix(strings.ToLower(s), "s")]; hours != "" {
		return hours
	}
	part := looseHours.FindStringSubmatch(s)
	if part == nil {
		return ""
	}
	start, startForm := looseMinutes(part[1])
	end, endForm := looseMinutes(part[2])
	switch {
	case start < 0 || end < 0 || startForm == "half" != (endForm == "half"):
		return ""
	case startForm == "bare" && endForm == "bare" && (end < 12*60 || end <= start):
		return ""
	}
	hours := fmt.Sprintf("%02d:%02d-%02d:%02d", start/60, start%60, end/60, end%60)
	if _, _, err := parseHours(hours); err != nil {
		return ""
	}
	return hours
}

// looseMinutes are the minutes of the day, or -1, and whether the time was
// written with its half of the day, as a bare number of hours, or in full.
func looseMinutes(s string) (minutes int, form string) {
	part := looseTime.FindStringSubmatch(s)
	if part == nil {
		return -1, ""
	}
	hour, _ := strconv.Atoi(part[1])
	minute, _ := strconv.Atoi(part[2])
	form = "full"
	switch half := strings.ToLower(part[3]); {
	case half != "" && (hour < 1 || hour > 12):
		return -1, ""
	case half != "":
		hour, form = hour%12, "half"
		if half == "pm" {
			hour += 12
		}
	case part[2] == "":
		form = "bare"
	}
	minutes = hour*60 + minute
	if minute > 59 || minutes > dayMinutes || minute%5 > 0 && !strings.Contains(s, ":") {
		return -1, ""
	}
	return minutes, form
}

// datesMeant reads days or ranges of them.
func datesMeant(s string) string {
	if _, _, err := parseDates(s); err == nil {
		return s
	}
	if day, err := dateMeant(s); err == nil {
		return day
	}
	for i := range s {
		rest, found := strings.CutPrefix(s[i:], "..")
		if !found {
			rest, found = strings.CutPrefix(s[i:], "-")
		}
		first, err := dateMeant(s[:i])
		last, err2 := dateMeant(rest)
		if found && err == nil && err2 == nil && first <= last {
			return first + ".." + last
		}
	}
	return ""
}

// dateMeant reads a date in any form that has but one meaning: with dots the
// day is first; else it must show which is the month.
func dateMeant(s string) (string, error) {
	for _, layout := range []string{"2006-1-2", "2006/1/2", "2006.1.2", "20060102", "2.1.2006"} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.Format(time.DateOnly), nil
		}
	}
	s = strings.ReplaceAll(s, "/", "-")
	a, err := time.Parse("1-2-2006", s)
	b, err2 := time.Parse("2-1-2006", s)
	switch {
	case err != nil && err2 != nil:
		return "", err
	case err != nil:
		a = b
	case err2 == nil && !a.Equal(b):
		return "", errors.New("which is the month?")
	}
	return a.Format(time.DateOnly), nil
}

// daysMeant reads lower-case days: sat/sun, mondays, tues-thurs, weekend.
func daysMeant(s string) string {
	switch strings.TrimSuffix(s, "s") {
	case "weekend":
		return "Sat,Sun"
	case "weekday", "workday":
		return "Mon-Fri"
	}
	var days []string
	for piece := range strings.SplitSeq(s, "/") {
		from, to, isRange := strings.Cut(strings.Replace(piece, "..", "-", 1), "-")
		meant := dayMeant(from)
		if isRange {
			last := dayMeant(to)
			if last == "" {
				return ""
			}
			meant += "-" + last
		}
		if dayMeant(from) == "" {
			return ""
		}
		days = append(days, meant)
	}
	return strings.Join(days, ",")
}

func dayMeant(s string) string {
	s = strings.TrimSuffix(s, ".")
	for day := time.Sunday; day <= time.Saturday && len(s) >= 2; day++ {
		full := strings.ToLower(day.String())
		if strings.HasPrefix(full, s) || s == full+"s" || s == full[:3]+"s" {
			return day.String()[:3]
		}
	}
	return ""
}
