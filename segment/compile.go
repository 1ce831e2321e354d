package segment

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/geosegment/caddy-geosegment/geo"
	"github.com/geosegment/caddy-geosegment/store"
)

// Options is what rules refer to, and what is made of a decision.
type Options struct {
	// Places finds the names in `within`; nil where there are none.
	Places geo.Gazetteer
	// Cities, if set, knows what cities are called.
	Cities CityNames
	// Areas finds the names in `in_area`; nil where there are none.
	Areas *geo.Areas
	// Stores is nil where there are none.
	Stores *store.Directory
	// Finish, if set, makes Decision.Finished of a new decision. It must be
	// safe for concurrent use.
	Finish func(*Decision) any
}

// CityNames knows what cities are called.
type CityNames interface {
	// Names gives the names under which databases may have a city; nil if the
	// city is not known.
	Names(name string) []geo.CityName
	// Unknown is an error for a city that is not known.
	Unknown(name string) error
}

var segmentName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// Compile makes an Engine of segments. Its errors name where the rule was
// written, the segment, the value and what was expected.
func Compile(segments []Segment, options Options) (*Engine, error) {
	c := &compiler{Options: options, segments: segments, byName: make(map[string]int, len(segments))}
	for i, s := range segments {
		if !segmentName.MatchString(s.Name) {
			return nil, at(s.Source, "segment %q: a name has 1 to 64 letters, digits, _ and -", s.Name)
		}
		if first, twice := c.byName[s.Name]; twice {
			return nil, at(s.Source, "segment %s is there twice%s", s.Name, before(segments[first].Source))
		}
		c.byName[s.Name] = i
	}
	e := &Engine{names: make([]string, len(segments)), byName: c.byName, rules: make([]rule, len(segments)),
		referred: make([]bool, len(segments)), stores: options.Stores, finish: options.Finish}
	references := make([][]int, len(segments))
	for i, s := range segments {
		e.names[i] = s.Name
		c.references = nil
		root, err := c.segment(s)
		if err != nil {
			return nil, err
		}
		e.rules[i], references[i] = root, c.references
		for _, j := range c.references {
			e.referred[j] = true
		}
	}
	order, err := c.order(references)
	if err != nil {
		return nil, err
	}
	needs := make([]access, len(segments))
	for _, i := range order {
		needs[i] = e.rules[i].access(needs)
	}
	e.index.segments = map[accessKey][]int32{}
	for i, a := range needs {
		e.index.add(int32(i), a)
	}
	e.warnings, e.needs = c.warnings, c.needs
	return e, nil
}

type compiler struct {
	Options
	segments   []Segment
	byName     map[string]int
	references []int  // of the segment that is being compiled
	context    string // the segment, the groups and the kind of the rule that is being compiled
	warnings   []func() error
	needs      []Need
}

// at is an error about the configuration, with its place in front if known.
func at(source, format string, args ...any) error {
	if source != "" {
		return fmt.Errorf("%s: %w", source, fmt.Errorf(format, args...))
	}
	return fmt.Errorf(format, args...)
}

func before(source string) string {
	if source == "" {
		return ""
	}
	return ", first at " + source
}

func (c *compiler) segment(s Segment) (rule, error) {
	if s.Match != "" && s.Match != "all" && s.Match != "any" {
		return nil, at(s.Source, "segment %s: match %q: expected all or any", s.Name, s.Match)
	}
	rules, err := c.rules(s.Rules, s.Source, "segment "+s.Name)
	if err != nil {
		return nil, err
	}
	if s.Match != "any" {
		c.warnApart(s.Rules, s.Source, "segment "+s.Name)
	}
	return ruleGroup{any: s.Match == "any", rules: rules}, nil
}

func (c *compiler) rules(configs []Rule, source, context string) ([]rule, error) {
	if len(configs) == 0 {
		return nil, at(source, "%s has no rules; write at least one, like: country IT", context)
	}
	rules := make([]rule, 0, len(configs))
	for _, config := range configs {
		if config.Source == "" {
			config.Source = source
		}
		r, err := c.rule(config, context)
		if err != nil {
			return nil, err
		}
		rules = append(rules, r)
	}
	return rules, nil
}

// rule compiles one rule. Groups add their name to the context of the errors
// inside, other rules are wrapped here.
func (c *compiler) rule(config Rule, context string) (rule, error) {
	kind, err := config.kind()
	if err != nil {
		return nil, at(config.Source, "%s: %w", context, err)
	}
	switch kind {
	case "not":
		inner := *config.Not
		if inner.Source == "" {
			inner.Source = config.Source
		}
		r, err := c.rule(inner, context+": not")
		return ruleNot{r}, err
	case "all", "any":
		list := config.All
		if kind == "any" {
			list = config.Any
		}
		rules, err := c.rules(list, config.Source, context+": "+kind)
		if err == nil && kind == "all" {
			c.warnApart(list, config.Source, context+": all")
		}
		return ruleGroup{any: kind == "any", rules: rules}, err
	}
	c.context = context + ": " + kind
	var r rule
	if err = c.slips(kind, config); err == nil {
		r, err = c.plainRule(kind, config)
	}
	if err != nil {
		return nil, at(config.Source, "%s: %w", c.context, err)
	}
	if field := neededField(kind, config); field != "" && !slices.ContainsFunc(c.needs, func(n Need) bool { return n.Field == field }) {
		c.needs = append(c.needs, Need{field, strings.TrimPrefix(config.Source+": "+c.context, ": ")})
	}
	return r, nil
}

// Need is a field of locations without which a rule is never true.
type Need struct {
	Field string // as the rule is called: "postal"
	Where string // the first rule that needs it
}

// neededField is the field that a rule needs, if not every database has it.
func neededField(kind string, config Rule) string {
	switch kind {
	case "postal", "metro", "asn", "accuracy":
		return kind
	case "within":
		if config.Within.Confidence != "" {
			return "accuracy"
		}
	}
	return ""
}

// kind is the name of the one field that is set.
func (r *Rule) kind() (string, error) {
	var kinds []string
	for _, field := range []struct {
		name string
		set  bool
	}{
		{"country", r.Country != nil},
		{"continent", r.Continent != nil},
		{"eu", r.EU},
		{"region", r.Region != nil},
		{"city", r.City != nil},
		{"postal", r.Postal != nil},
		{"metro", r.Metro != nil},
		{"asn", r.ASN != nil},
		{"timezone", r.TimeZone != nil},
		{"within", r.Within != nil},
		{"in_area", r.InArea != nil},
		{"accuracy", r.Accuracy != ""},
		{"located", r.Located},
		{"unlocated", r.Unlocated},
		{"during", r.During != nil},
		{"segment", r.Segment != nil},
		{"not", r.Not != nil},
		{"all", r.All != nil},
		{"any", r.Any != nil},
	} {
		if field.set {
			kinds = append(kinds, field.name)
		}
	}
	switch len(kinds) {
	case 0:
		return "", errors.New("a rule is empty; expected one like country, city or within")
	case 1:
		return kinds[0], nil
	}
	return "", fmt.Errorf("a rule has %s; expected one of them, and the others in rules of their own", strings.Join(kinds, " and "))
}

func (c *compiler) reference(names []string) (rule, error) {
	targets, err := each(names, "the name of a segment", func(name string) (rule, error) {
		i, ok := c.byName[name]
		if !ok {
			return nil, unknown("segment", name, c.names())
		}
		c.references = append(c.references, i)
		return reference(i), nil
	})
	return ruleGroup{any: true, rules: targets}, err
}

func (c *compiler) names() []string {
	names := make([]string, len(c.segments))
	for i, s := range c.segments {
		names[i] = s.Name
	}
	return names
}

// unknown is an error that suggests the nearest spelling.
func unknown(what, name string, candidates []string) error {
	if near := geo.Closest(name, candidates); near != "" {
		return fmt.Errorf("unknown %s %q: did you mean %s?", what, name, near)
	}
	return fmt.Errorf("unknown %s %q", what, name)
}

// order sorts the segments so that each comes after those it refers to, and
// refuses cycles.
func (c *compiler) order(references [][]int) ([]int, error) {
	const unseen, open, done = 0, 1, 2
	state := make([]int, len(references))
	order := make([]int, 0, len(references))
	var path []int
	var visit func(i int) error
	visit = func(i int) error {
		path = append(path, i)
		switch state[i] {
		case done:
		case open:
			cycle := path[slices.Index(path, i):]
			var names []string
			for k, j := range cycle {
				if k == 8 && len(cycle) > 12 { // a cycle of thousands would drown the message
					names = append(names, "…")
				}
				if k < 8 || k >= len(cycle)-2 || len(cycle) <= 12 {
					names = append(names, c.segments[j].Name)
				}
			}
			return at(c.segments[i].Source, "segment %s refers to itself: %s", c.segments[i].Name, strings.Join(names, " → "))
		case unseen:
			state[i] = open
			for _, j := range references[i] {
				if err := visit(j); err != nil {
					return err
				}
			}
			state[i] = done
			order = append(order, i)
		}
		path = path[:len(path)-1]
		return nil
	}
	for i := range references {
		if err := visit(i); err != nil {
			return nil, err
		}
	}
	return order, nil
}
