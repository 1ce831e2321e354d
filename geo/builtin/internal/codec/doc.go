// Package codec writes and reads the data file of the built-in database.
//
//	file.go       its parts, and the checksum over them
//	places.go     the places that labels stand for
//	tree.go       the trees of labels, for parts of the address space
//	coder.go      the range coder that trees are written with
//	accuracy.go   what the accuracy class of a leaf means
//
// Whatever it reads ends with an error or a valid result, in time and memory
// bounded by the size of the data and the counts it states.
package codec
