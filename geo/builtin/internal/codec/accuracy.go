package codec

import "math"

// Classes is the number of accuracy classes a leaf can have.
const Classes = 8

// pruned is, for each class, the distance in metres within which at least
// 67 % of a leaf's addresses have their point in the full database.
var pruned = [Classes]float64{2_500, 7_500, 15_000, 30_000, 75_000, 200_000, 600_000, math.Inf(1)}

// farthest stands for the last class.
const farthest = 3_000_000

// full is the accuracy radius of the full database in metres. DB-IP states
// none for City Lite.
const full = 25_000

// ClassOf is the class of a leaf by that distance.
func ClassOf(distance float64) uint8 {
	class := uint8(0)
	for distance > pruned[class] {
		class++
	}
	return class
}

// Accuracy is the accuracy radius in metres of a leaf of a class. The error of
// the full database and that of pruning are independent, so their squares add
// up.
func Accuracy(class uint8) float64 {
	return math.Hypot(min(pruned[class], farthest), full)
}
