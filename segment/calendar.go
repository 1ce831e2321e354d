package segment

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// calendar is the dates, days and hours of a During, in any one time zone.
type calendar struct {
	first, last int // days as yyyymmdd, both inside
	days        uint8
	start, end  int // minutes of the day; end ≤ start goes over midnight
}

const (
	everyDay   = 1<<7 - 1
	dayMinutes = 24 * 60
)

// newCalendar reads the texts of a During.
func newCalendar(d *During) (c calendar, err error) {
	c = calendar{first: 0, last: 99991231, days: everyDay, start: 0, end: dayMinutes}
	if d.Dates == "" && d.Days == "" && d.Hours == "" {
		return c, errors.New("expected dates like 2026-11-20..2026-12-24, days and hours like Mon-Fri 09:00-18:00, or both")
	}
	if d.Dates != "" {
		if c.first, c.last, err = parseDates(d.Dates); err != nil {
			return c, timeMeant(d.Dates, err)
		}
	}
	if d.Days != "" {
		if c.days, err = parseDays(d.Days); err != nil {
			return c, timeMeant(d.Days, err)
		}
	}
	if d.Hours != "" {
		if c.start, c.end, err = parseHours(d.Hours); err != nil {
			return c, timeMeant(d.Hours, err)
		}
	}
	return c, nil
}

// clock is a wall-clock time taken apart.
type clock struct {
	minute           int // of the day
	today, yesterday int // yyyymmdd
	weekday          time.Weekday
}

func newClock(t time.Time) clock {
	year, month, day := t.Date()
	before := time.Date(year, month, day-1, 0, 0, 0, 0, time.UTC) // only its date is looked at
	hour, minute, _ := t.Clock()
	return clock{
		minute: hour*60 + minute,
		today:  year*10000 + int(month)*100 + day, weekday: t.Weekday(),
		yesterday: before.Year()*10000 + int(before.Month())*100 + before.Day(),
	}
}

// contains reports whether a time is inside.
func (c *calendar) contains(now *clock) bool {
	switch {
	case c.start < c.end:
		return now.minute >= c.start && now.minute < c.end && c.hasDay(now.today, now.weekday)
	case now.minute >= c.start:
		return c.hasDay(now.today, now.weekday)
	case now.minute < c.end: // began yesterday
		return c.hasDay(now.yesterday, (now.weekday+6)%7)
	}
	return false
}

func (c *calendar) hasDay(date int, weekday time.Weekday) bool {
	return date >= c.first && date <= c.last && c.days>>weekday&1 == 1
}

func parseDates(s string) (first, last int, err error) {
	from, to, isRange := strings.Cut(s, "..")
	if !isRange {
		to = from
	}
	first, last = 0, 99991231
	if from != "" {
		if first, err = parseDate(from); err != nil {
			return 0, 0, err
		}
	}
	if to != "" {
		if last, err = parseDate(to); err != nil {
			return 0, 0, err
		}
	}
	switch {
	case from == "" && to == "":
		return 0, 0, fmt.Errorf("dates %q: expected a first and a last day, like 2026-11-20..2026-12-24", s)
	case first > last:
		return 0, 0, fmt.Errorf("dates %q: the last day is before the first", s)
	}
	return first, last, nil
}

func parseDate(s string) (int, error) {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return 0, fmt.Errorf("%q is not a date: expected year-month-day, like 2026-11-20", s)
	}
	return t.Year()*10000 + int(t.Month())*100 + t.Day(), nil
}

func parseDays(s string) (uint8, error) {
	var days uint8
	for part := range strings.SplitSeq(s, ",") {
		from, to, isRange := strings.Cut(part, "-")
		if !isRange {
			to = from
		}
		first, err := parseDay(from)
		if err != nil {
			return 0, err
		}
		last, err := parseDay(to)
		if err != nil {
			return 0, err
		}
		for day := first; ; day = (day + 1) % 7 {
			days |= 1 << day
			if day == last {
				break
			}
		}
	}
	return days, nil
}

func parseDay(s string) (time.Weekday, error) {
	text := strings.ToLower(strings.TrimSpace(s))
	for day := time.Sunday; day <= time.Saturday; day++ {
		if name := strings.ToLower(day.String()); text == name || text == name[:3] {
			return day, nil
		}
	}
	return 0, fmt.Errorf("%q is not a day: expected Mon Tue Wed Thu Fri Sat Sun, like Mon-Fri or Sat,Sun", s)
}

func parseHours(s string) (start, end int, err error) {
	from, to, ok := strings.Cut(s, "-")
	if !ok {
		return 0, 0, fmt.Errorf("hours %q: expected a start and an end, like 09:00-18:00", s)
	}
	if start, err = parseTimeOfDay(from); err != nil {
		return 0, 0, err
	}
	if to == "24:00" {
		end = dayMinutes
	} else if end, err = parseTimeOfDay(to); err != nil {
		return 0, 0, err
	}
	if start == end {
		return 0, 0, fmt.Errorf("hours %q: start and end are the same; write 00:00-24:00 for the whole day", s)
	}
	return start, end, nil
}

func parseTimeOfDay(s string) (int, error) {
	t, err := time.Parse("15:04", s)
	if err != nil || len(s) != len("09:00") {
		return 0, fmt.Errorf("%q is not a time of day: expected hours and minutes, like 09:00", s)
	}
	return t.Hour()*60 + t.Minute(), nil
}
