package caddymodule

import (
	"errors"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics counts what operators want to know. No label says anything of a
// visitor.
type metrics struct {
	lookups struct {
		located, unlocated, noAddress, failed prometheus.Counter
	}
	reloads struct {
		succeeded, failed prometheus.Counter
	}
}

// newMetrics registers the counters, or finds them: all parts of a
// configuration share one registry.
func newMetrics(registry *prometheus.Registry) (*metrics, error) {
	lookups, err := counters(registry, "lookups_total", "Visitors looked up, by result.")
	if err != nil {
		return nil, err
	}
	reloads, err := counters(registry, "reloads_total", "New versions of data files met while running, by result.")
	if err != nil {
		return nil, err
	}
	m := &metrics{}
	m.lookups.located = lookups.WithLabelValues("located")
	m.lookups.unlocated = lookups.WithLabelValues("unlocated")
	m.lookups.noAddress = lookups.WithLabelValues("no_address")
	m.lookups.failed = lookups.WithLabelValues("failed")
	m.reloads.succeeded = reloads.WithLabelValues("succeeded")
	m.reloads.failed = reloads.WithLabelValues("failed")
	return m, nil
}

func counters(registry *prometheus.Registry, name, help string) (*prometheus.CounterVec, error) {
	vec := prometheus.NewCounterVec(prometheus.CounterOpts{
		Namespace: "caddy", Subsystem: "geosegment", Name: name, Help: help,
	}, []string{"result"})
	err := registry.Register(vec)
	if known, ok := errors.AsType[prometheus.AlreadyRegisteredError](err); ok {
		if vec, ok = known.ExistingCollector.(*prometheus.CounterVec); ok {
			return vec, nil
		}
	}
	return vec, err
}
