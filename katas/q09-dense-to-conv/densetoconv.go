// Package densetoconv asks whether a fully connected layer can become a convolution.
//
// Unless a comment says otherwise, a function changes none of its arguments, keeps nothing from one call to the next,
// and returns memory of its own: what it returns shares none with an argument nor with another result. A matrix may be a
// view of a larger one. A caller's error panics with a message that begins with "densetoconv: ".
package densetoconv

import (
	"gonum.org/v1/gonum/mat"

	"whyhow/katas/kit/tensor"
)

// Kernel returns the convolution kernels that do what the dense layer with weights w, out×(c·h·wd), does to a c×h×wd map flattened channel by channel, each row
// by row: out kernels of c×h×wd. It panics if w has another number of columns.
func Kernel(w *mat.Dense, c, h, wd int) tensor.OIHW {
	panic("TODO: Kernel")
}

// Dense returns the out scores w·flatten(x) + bias of the map x, flattened channel by channel, each row by row. w is out×(C·H·W), bias has length out. It panics if
// w has other than C·H·W columns or bias other than out values.
func Dense(x tensor.CHW, w *mat.Dense, bias []float64) []float64 {
	panic("TODO: Dense")
}

// ScoreMap returns the scores that the dense layer with weights w, out×(C·h·wd), and bias gives each h×wd window of the map x: an out×(H−h+1)×(W−wd+1) map, computed as one convolution
// without padding, stride 1. It panics if w has other than C·h·wd columns, if bias has other than out values, or if the window is
// higher or wider than the map.
func ScoreMap(x tensor.CHW, w *mat.Dense, bias []float64, h, wd int) tensor.CHW {
	panic("TODO: ScoreMap")
}

// Crop returns the h×w part of x, all channels, whose first row is top and whose first column is left. It panics if h or w is not positive, or if that part is not inside x.
func Crop(x tensor.CHW, top, left, h, w int) tensor.CHW {
	panic("TODO: Crop")
}

// Slide returns what score gives for each size×size crop of x, at every stride-th row and column where a whole crop fits: a map with a channel a score. Score may
// write into the crop that it is given, and may return the same slice every time. It panics if no crop fits, or if size or stride is not positive.
func Slide(x tensor.CHW, size, stride int, score func(tensor.CHW) []float64) tensor.CHW {
	panic("TODO: Slide")
}

// MapSize returns, along one axis, at how many places a net trained on images of size trained, with the given total stride, scores an image: where a whole crop fits. It
// panics if image is smaller than trained, or trained or stride is not positive.
func MapSize(image, trained, stride int) int {
	panic("TODO: MapSize")
}

// Costs returns the multiply-accumulates of scoring all places of a square image, by running the net on each crop (slide), and by running it once on the whole
// image with its dense head as convolutions (whole). conv and dense are the MACs of its convolutions and of its dense head at the trained size; those of convolutions grow
// with the image's area, rounded down, those of the head with the number of places. It panics where MapSize does.
func Costs(image, trained, stride, conv, dense int) (slide, whole int) {
	panic("TODO: Costs")
}
