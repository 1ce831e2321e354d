package caddymodule

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/caddyserver/caddy/v2/caddyconfig/httpcaddyfile"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"github.com/dustin/go-humanize"

	"github.com/geosegment/caddy-geosegment/geo"
	"github.com/geosegment/caddy-geosegment/segment"
)

func init() {
	httpcaddyfile.RegisterGlobalOption("geosegment", parseGlobal)
	httpcaddyfile.RegisterHandlerDirective("geosegment", parseHandler)
	// Before every standard directive that could use the placeholders.
	httpcaddyfile.RegisterDirectiveOrder("geosegment", httpcaddyfile.Before, "map")
}

// source is the place of the current token, for messages at load time.
func source(d *caddyfile.Dispenser) string {
	return fmt.Sprintf("%s:%d", d.File(), d.Line())
}

// parseGlobal parses the global option. Syntax:
//
//	geosegment {
//	    database <file...>
//	    cache_size <answers>
//	    index_memory <size>
//	    default_accuracy <length>
//	    reload_interval <duration>|off
//	    places <file...>
//	    areas <file...>
//	    stores <file>
//	    segment <name> [<label>] {
//	        ...
//	    }
//	}
func parseGlobal(d *caddyfile.Dispenser, existing any) (any, error) {
	d.Next() // consume option name
	if existing != nil {
		return nil, d.Err("the geosegment options are there twice")
	}
	if d.NextArg() {
		return nil, d.ArgErr()
	}
	app := new(App)
	seen := map[string]bool{}
	for d.NextBlock(0) {
		option := d.Val()
		if option == "segment" {
			s, err := parseSegment(d)
			if err != nil {
				return nil, err
			}
			app.Segments = append(app.Segments, s)
			continue
		}
		if seen[option] && slices.Contains(fileOptions, option) {
			return nil, d.Errf("%s is there twice: put all files on one line", option)
		}
		if seen[option] {
			return nil, d.Errf("%s is there twice", option)
		}
		seen[option] = true
		if err := app.parseOption(d, option); err != nil {
			return nil, err
		}
		if err := noBlock(d, option); err != nil {
			return nil, err
		}
	}
	return httpcaddyfile.App{Name: "geosegment", Value: caddyconfig.JSON(app, nil)}, nil
}

func (a *App) parseOption(d *caddyfile.Dispenser, option string) error {
	var value string
	switch option {
	case "database":
		if a.Databases = d.RemainingArgs(); len(a.Databases) == 0 {
			return d.Err("database needs a file: a MaxMind-DB (.mmdb) file")
		}
	case "places":
		if a.Places = d.RemainingArgs(); len(a.Places) == 0 {
			return d.Err("places needs a file: CSV with the columns name, lat and lng")
		}
	case "areas":
		if a.Areas = d.RemainingArgs(); len(a.Areas) == 0 {
			return d.Err("areas needs a file: GeoJSON with polygons that have a property name")
		}
	case "stores":
		if !d.AllArgs(&a.Stores) {
			return d.Err("stores needs one file: CSV with the columns code, name, lat and lng")
		}
	case "cache_size":
		if !d.AllArgs(&value) {
			return d.ArgErr()
		}
		size, err := strconv.Atoi(value)
		if err != nil || size <= 0 {
			return d.Errf("cache_size %q: expected how many answers to keep, like 65536", value)
		}
		a.CacheSize = size
	case "index_memory":
		if !d.AllArgs(&value) {
			return d.ArgErr()
		}
		size, err := humanize.ParseBytes(value)
		if err != nil || size == 0 || size > math.MaxInt32 {
			return d.Errf("index_memory %q: expected a size like 256MiB, below 2GiB", value)
		}
		a.IndexMemory = int(size)
	case "default_accuracy":
		var err error
		if a.DefaultAccuracy, err = oneLength(d, option, d.RemainingArgs()); err != nil {
			return err
		}
		if _, err := geo.ParseLength(a.DefaultAccuracy); err != nil {
			return d.Errf("default_accuracy: %w", err)
		}
	case "reload_interval":
		if !d.AllArgs(&value) {
			return d.ArgErr()
		}
		if value == "off" {
			a.ReloadInterval = -1
			return nil
		}
		interval, err := caddy.ParseDuration(value)
		if err != nil || interval < minReloadInterval {
			return d.Errf("reload_interval %q: expected a duration like 10s, at least %s, or off", value, minReloadInterval)
		}
		a.ReloadInterval = caddy.Duration(interval)
	default:
		return d.Err(unknownGlobalOption(option))
	}
	return nil
}

// noBlock refuses a block where none belongs.
func noBlock(d *caddyfile.Dispenser, word string) error {
	if d.NextBlock(d.Nesting()) {
		return d.Errf("%s takes no block { }", word)
	}
	return nil
}

// parseSegment parses a segment. Syntax:
//
//	segment <name> [<label>] {
//	    match all|any
//	    <rules...>
//	}
func parseSegment(d *caddyfile.Dispenser) (segment.Segment, error) {
	s := segment.Segment{Source: source(d)}
	args := d.RemainingArgs()
	switch {
	case len(args) == 0:
		return s, d.Err("a segment needs a name, like: segment near_milan { … }")
	case len(args) > 2:
		return s, d.Errf("segment %s: expected a name, and a description in quotes; met %d words more", args[0], len(args)-1)
	case len(args) == 2:
		s.Label = args[1]
	}
	s.Name = args[0]
	var err error
	if s.Match, s.Rules, err = parseRules(d, true, 0); err != nil {
		err = fmt.Errorf("segment %s: %w", s.Name, err)
	}
	return s, err
}

// maxDepth is how deep rules may be nested; JSON allows not much more.
const maxDepth = 100

// parseRules parses a block of rules, and `match` where it may stand.
func parseRules(d *caddyfile.Dispenser, mayMatch bool, depth int) (match string, rules []segment.Rule, err error) {
	for nesting := d.Nesting(); d.NextBlock(nesting); {
		if d.Val() == "match" && mayMatch {
			if match != "" {
				return "", nil, d.Err("match is there twice")
			}
			if !d.AllArgs(&match) || match != "all" && match != "any" {
				return "", nil, d.Err("match: expected all (all the rules) or any (one or more rules)")
			}
			continue
		}
		r, err := parseRule(d, depth)
		if err != nil {
			return "", nil, err
		}
		rules = append(rules, r)
	}
	return match, rules, nil
}

// parseRule parses one rule. Several values are alternatives. Syntax:
//
//	country   <codes...>
//	continent <codes...>
//	eu
//	region    <codes|names...>
//	city      <names|ids...>
//	postal    <codes...>
//	metro     <numbers...>
//	asn       <numbers...>
//	timezone  <names...>
//	within    <length> of <places...> [confidence <percent>]
//	in_area   <names...>
//	accuracy  <length>
//	located
//	unlocated
//	during    [<dates>] [<days>] [<hours>] [zone <name>]
//	segment   <names...>
//	not       <rule>
//	not {
//	    match all|any
//	    <rules...>
//	}
//	all|any {
//	    <rules...>
//	}
func parseRule(d *caddyfile.Dispenser, depth int) (r segment.Rule, err error) {
	r.Source = source(d)
	if depth > maxDepth {
		return r, d.Errf("rules are nested more than %d deep", maxDepth)
	}
	kind := d.Val()
	switch kind {
	case "not":
		var inner segment.Rule
		if d.NextArg() {
			inner, err = parseRule(d, depth+1)
		} else {
			var match string
			var rules []segment.Rule
			match, rules, err = parseRules(d, true, depth+1)
			inner = segment.Rule{All: rules}
			if match == "any" {
				inner = segment.Rule{Any: rules}
			}
			if len(rules) == 0 && err == nil {
				err = d.Err("not needs a rule, like: not country IT")
			}
		}
		r.Not = &inner
		return r, err
	case "all", "any":
		if d.NextArg() {
			return r, d.Errf("%s takes its rules in a block { }, one to a line", kind)
		}
		_, rules, err := parseRules(d, false, depth+1)
		if len(rules) == 0 && err == nil {
			err = d.Errf("%s needs rules in a block { }, one to a line", kind)
		}
		if kind == "all" {
			r.All = rules
		} else {
			r.Any = rules
		}
		return r, err
	}
	if err := parsePlainRule(d, kind, &r); err != nil {
		return r, err
	}
	return r, noBlock(d, kind)
}

// parsePlainRule parses a rule that has no rules inside.
func parsePlainRule(d *caddyfile.Dispenser, kind string, r *segment.Rule) (err error) {
	args := d.RemainingArgs()
	values := func(example string) []string {
		if len(args) == 0 {
			err = d.Errf("%s needs a value, like: %s %s", kind, kind, example)
		}
		return args
	}
	nothing := func() bool {
		if len(args) > 0 {
			err = d.Errf("%s takes no value; met %q", kind, args[0])
		}
		return true
	}
	switch kind {
	case "country":
		r.Country = values("IT FR")
	case "continent":
		r.Continent = values("EU")
	case "eu":
		r.EU = nothing()
	case "region":
		r.Region = values("IT-25")
	case "city":
		r.City = values(`"Milan, IT"`)
	case "postal":
		r.Postal = values("201*")
	case "metro":
		r.Metro, err = parseNumbers(d, kind, "", "807", args)
	case "asn":
		r.ASN, err = parseNumbers(d, kind, "AS", "3269", args)
	case "timezone":
		r.TimeZone = values("Europe/Rome")
	case "within":
		r.Within, err = parseWithin(d, args)
	case "in_area":
		r.InArea = values(`"Old Town"`)
	case "accuracy":
		r.Accuracy, err = oneLength(d, kind, args)
	case "located":
		r.Located = nothing()
	case "unlocated":
		r.Unlocated = nothing()
	case "during":
		r.During, err = parseDuring(d, args)
	case "segment":
		r.Segment = values("near_milan")
	default:
		return d.Err(unknownRule(kind))
	}
	return err
}

// oneLength is the only argument of a rule or option that takes a length.
func oneLength(d *caddyfile.Dispenser, kind string, args []string) (string, error) {
	if len(args) == 1 {
		return args[0], nil
	}
	if meant := geo.LengthMeant(strings.Join(args, "")); meant != "" {
		return "", d.Errf("%s needs one length: write %s, without a blank", kind, meant)
	}
	return "", d.Errf("%s needs one length, like: %s 50km", kind, kind)
}

func parseNumbers(d *caddyfile.Dispenser, kind, prefix, example string, args []string) ([]uint32, error) {
	if len(args) == 0 {
		return nil, d.Errf("%s needs a number, like: %s %s", kind, kind, example)
	}
	if err := segment.CommaList(kind, args); err != nil {
		return nil, d.Errf("%s: %w", kind, err)
	}
	numbers := make([]uint32, len(args))
	for i, arg := range args {
		n, err := strconv.ParseUint(strings.TrimPrefix(strings.ToUpper(arg), prefix), 10, 32)
		if err != nil || n == 0 {
			return nil, d.Errf("%s: %q is not a number: expected one like %s", kind, arg, example)
		}
		numbers[i] = uint32(n)
	}
	return numbers, nil
}

// parseWithin parses `<length> of <places...> [confidence <percent>]`.
func parseWithin(d *caddyfile.Dispenser, args []string) (*segment.Within, error) {
	if len(args) < 3 || args[1] != "of" {
		if err := withinMeant(args); err != nil {
			return nil, d.Errf("within: %w", err)
		}
		return nil, d.Errf(`within: expected a length, "of" and a place, like: within 5km of "Milan, IT"; met: within %s`, strings.Join(args, " "))
	}
	within := &segment.Within{Radius: args[0], Of: args[2:]}
	if i := slices.Index(args, "confidence"); i >= 0 {
		if i != len(args)-2 || i < 3 {
			return nil, d.Err("within: expected a percentage at the end, like: within 5km of store confidence 60%")
		}
		within.Of, within.Confidence = args[2:i], args[i+1]
	}
	return within, nil
}

// parseDuring parses `[<dates>] [<days>] [<hours>] [zone <name>]`, in any
// order; what a word is shows in its form.
func parseDuring(d *caddyfile.Dispenser, args []string) (*segment.During, error) {
	during := new(segment.During)
	for i := 0; i < len(args); i++ {
		arg := args[i]
		part, what := &during.Days, "days"
		switch {
		case arg == "zone":
			if i++; i == len(args) {
				return nil, d.Err("during: zone needs a name, like: zone Europe/Rome")
			}
			part, what, arg = &during.Zone, "zone", args[i]
		case strings.Contains(arg, ":"):
			part, what = &during.Hours, "hours"
		case arg[:min(1, len(arg))] >= "0" && arg[:min(1, len(arg))] <= "9" || strings.Contains(arg, ".."):
			part, what = &during.Dates, "dates"
		}
		if *part != "" {
			if meant := segment.DuringMeant(args); meant != "" {
				return nil, d.Errf("during: %q is not understood: write %s", strings.Join(args, " "), meant)
			}
			return nil, d.Errf("during: %s are there twice, %q and %q; write one line for each, under any { }", what, *part, arg)
		}
		*part = arg
	}
	if *during == (segment.During{}) {
		return nil, d.Err("during needs dates, days or hours, like: during 2026-11-20..2026-12-24 Mon-Fri 09:00-18:00")
	}
	return during, nil
}

// parseHandler parses the directive. Syntax:
//
//	geosegment [<matcher>] {
//	    rewrite <segment> <uri>
//	    header  <name> <value>
//	    headers off
//	    prefix  <prefix>
//	}
func parseHandler(h httpcaddyfile.Helper) (caddyhttp.MiddlewareHandler, error) {
	h.Next() // consume directive name
	if h.NextArg() {
		return nil, h.ArgErr()
	}
	handler := new(Handler)
	for h.NextBlock(0) {
		option, from := h.Val(), source(h.Dispenser)
		args := h.RemainingArgs()
		switch option {
		case "rewrite":
			if len(args) != 2 {
				return nil, h.Err("rewrite needs a segment and a URI, like: rewrite near_milan /milan{uri}")
			}
			handler.Rewrites = append(handler.Rewrites, Rewrite{Segment: args[0], URI: args[1], Source: from})
		case "header":
			if len(args) != 2 {
				return nil, h.Err("header needs a name and a value, like: header X-Geo-Lat {geo.lat}")
			}
			handler.ExtraHeaders = append(handler.ExtraHeaders, Header{Name: args[0], Value: args[1], Source: from})
		case "headers":
			if len(args) != 1 || args[0] != "off" {
				return nil, h.Err("headers: expected off; to add one write: header NAME VALUE")
			}
			handler.Headers = "off"
		case "prefix":
			if len(args) != 1 || handler.Prefix != "" {
				return nil, h.Err("prefix: expected one, like: prefix X-Acme-")
			}
			handler.Prefix = args[0]
		default:
			return nil, h.Err(unknownSiteOption(option))
		}
		if err := noBlock(h.Dispenser, option); err != nil {
			return nil, err
		}
	}
	return handler, nil
}

// UnmarshalCaddyfile parses the matcher. Syntax:
//
//	segment <names...>
func (m *MatchSegment) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	for d.Next() {
		names := d.RemainingArgs()
		if len(names) == 0 {
			return d.Err("the segment matcher needs the name of a segment")
		}
		m.Names = append(m.Names, names...)
		if d.NextBlock(0) {
			return d.Err("the segment matcher takes no block { }")
		}
	}
	return nil
}

// Interface guards
var _ caddyfile.Unmarshaler = (*MatchSegment)(nil)
