package main

import (
	"fmt"
	"math"
	"slices"
	"time"
)

// side is one of two things that are timed against each other. run does it n
// times.
type side struct {
	name string
	run  func(n int)
}

const (
	rounds    = 21
	roundTime = 15 * time.Millisecond
)

// compare times two sides in turn, so that whatever else the machine does hits
// both, and prints a row: medians, and the median of the ratios of the rounds
// with its 95 % confidence interval, from the order statistics.
func compare(what string, ours, other side) {
	n, m := fit(ours), fit(other)
	var a, b, ratios []float64
	for round := range rounds {
		var x, y float64
		if round%2 == 0 {
			x, y = once(ours, n), once(other, m)
		} else {
			y = once(other, m)
			x = once(ours, n)
		}
		a, b, ratios = append(a, x), append(b, y), append(ratios, y/x)
	}
	low, high := interval(ratios)
	fmt.Printf("| %s | %s | %s %s | %.1f × (%.1f to %.1f) |\n", what, nanoseconds(median(a)), other.name, nanoseconds(median(b)), median(ratios), low, high)
}

// alone times one side.
func alone(what string, ours side) {
	n := fit(ours)
	var a []float64
	for range rounds {
		a = append(a, once(ours, n))
	}
	fmt.Printf("| %s | %s | | |\n", what, nanoseconds(median(a)))
}

// fit is how many times to do it in a round.
func fit(s side) int {
	for n := 1; ; n *= 2 {
		if start := time.Now(); true {
			if s.run(n); time.Since(start) > roundTime/2 {
				return n
			}
		}
	}
}

// once is the time of one, in nanoseconds.
func once(s side, n int) float64 {
	start := time.Now()
	s.run(n)
	return float64(time.Since(start).Nanoseconds()) / float64(n)
}

func median(list []float64) float64 {
	list = slices.Sorted(slices.Values(list))
	return list[len(list)/2]
}

// interval holds the median with 95 %: between the order statistics that are
// 0.98·√n from the middle.
func interval(list []float64) (low, high float64) {
	list = slices.Sorted(slices.Values(list))
	off := int(math.Ceil(0.98 * math.Sqrt(float64(len(list)))))
	middle := len(list) / 2
	return list[max(0, middle-off)], list[min(len(list)-1, middle+off)]
}

func nanoseconds(n float64) string {
	switch {
	case n < 100:
		return fmt.Sprintf("%.1f ns", n)
	case n < 10_000:
		return fmt.Sprintf("%.0f ns", n)
	case n < 10_000_000:
		return fmt.Sprintf("%.1f µs", n/1000)
	}
	return fmt.Sprintf("%.0f ms", n/1e6)
}
