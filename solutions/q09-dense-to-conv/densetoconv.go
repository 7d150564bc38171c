// Package densetoconv asks whether a fully connected layer can become a convolution.
//
// Unless a comment says otherwise, a function changes none of its arguments, keeps nothing from one call to the next,
// and returns memory of its own: what it returns shares none with an argument nor with another result. A matrix may be a
// view of a larger one. A caller's error panics with a message that begins with "densetoconv: ".
package densetoconv

import (
	"fmt"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"whyhow/katas/kit/tensor"
)

// Kernel returns the convolution kernels that do what the dense layer with weights w, out×(c·h·wd), does to a c×h×wd map flattened channel by channel, each row
// by row: out kernels of c×h×wd. It panics if w has another number of columns.
func Kernel(w *mat.Dense, c, h, wd int) tensor.OIHW {
	out, in := w.Dims()
	if in != c*h*wd {
		panic(fmt.Sprintf("densetoconv: %d weights a score for a %d×%d×%d map", in, c, h, wd))
	}
	return tensor.NewOIHW(out, c, h, wd, mat.DenseCopyOf(w).RawMatrix().Data)
}

// Dense returns the out scores w·flatten(x) + bias of the map x, flattened channel by channel, each row by row. w is out×(C·H·W), bias has length out. It panics if
// w has other than C·H·W columns or bias other than out values.
func Dense(x tensor.CHW, w *mat.Dense, bias []float64) []float64 {
	out, in := w.Dims()
	if in != len(x.Data) || len(bias) != out {
		panic(fmt.Sprintf("densetoconv: weights %d×%d and %d biases for %d values", out, in, len(bias), len(x.Data)))
	}
	scores := make([]float64, out)
	for o := range scores {
		scores[o] = bias[o] + floats.Dot(w.RawRowView(o), x.Data)
	}
	return scores
}

// ScoreMap returns the scores that the dense layer with weights w, out×(C·h·wd), and bias gives each h×wd window of the map x: an out×(H−h+1)×(W−wd+1) map, computed as one convolution
// without padding, stride 1. It panics if w has other than C·h·wd columns, if bias has other than out values, or if the window is
// higher or wider than the map.
func ScoreMap(x tensor.CHW, w *mat.Dense, bias []float64, h, wd int) tensor.CHW {
	k := Kernel(w, x.C, h, wd)
	if h > x.H || wd > x.W || len(bias) != k.O {
		panic(fmt.Sprintf("densetoconv: a %d×%d window with %d biases for %d scores of a %d×%d map", h, wd, len(bias), k.O, x.H, x.W))
	}
	y := tensor.NewCHW(k.O, x.H-h+1, x.W-wd+1, nil)
	for o := range y.C {
		for i := range y.H {
			for j := range y.W {
				sum := bias[o]
				for c := range k.I {
					for a := range h {
						for b := range wd {
							sum += k.At(o, c, a, b) * x.At(c, i+a, j+b)
						}
					}
				}
				y.Set(o, i, j, sum)
			}
		}
	}
	return y
}

// Crop returns the h×w part of x, all channels, whose first row is top and whose first column is left. It panics if h or w is not positive, or if that part is not inside x.
func Crop(x tensor.CHW, top, left, h, w int) tensor.CHW {
	if top < 0 || left < 0 || h < 1 || w < 1 || top+h > x.H || left+w > x.W {
		panic(fmt.Sprintf("densetoconv: a %d×%d crop at row %d, column %d of a %d×%d map", h, w, top, left, x.H, x.W))
	}
	y := tensor.NewCHW(x.C, h, w, nil)
	for c := range x.C {
		for i := range h {
			for j := range w {
				y.Set(c, i, j, x.At(c, top+i, left+j))
			}
		}
	}
	return y
}

// Slide returns what score gives for each size×size crop of x, at every stride-th row and column where a whole crop fits: a map with a channel a score. Score may
// write into the crop that it is given, and may return the same slice every time. It panics if no crop fits, or if size or stride is not positive.
func Slide(x tensor.CHW, size, stride int, score func(tensor.CHW) []float64) tensor.CHW {
	h, w := MapSize(x.H, size, stride), MapSize(x.W, size, stride)
	var y tensor.CHW
	for i := range h {
		for j := range w {
			scores := score(Crop(x, i*stride, j*stride, size, size))
			if y.Data == nil {
				y = tensor.NewCHW(len(scores), h, w, nil)
			}
			for o, s := range scores {
				y.Set(o, i, j, s)
			}
		}
	}
	return y
}

// MapSize returns, along one axis, at how many places a net trained on images of size trained, with the given total stride, scores an image: where a whole crop fits. It
// panics if image is smaller than trained, or trained or stride is not positive.
func MapSize(image, trained, stride int) int {
	if image < trained || trained < 1 || stride < 1 {
		panic(fmt.Sprintf("densetoconv: a net for size %d with stride %d on an image of size %d", trained, stride, image))
	}
	return (image-trained)/stride + 1
}

// Costs returns the multiply-accumulates of scoring all places of a square image, by running the net on each crop (slide), and by running it once on the whole
// image with its dense head as convolutions (whole). conv and dense are the MACs of its convolutions and of its dense head at the trained size; those of convolutions grow
// with the image's area, rounded down, those of the head with the number of places. It panics where MapSize does.
func Costs(image, trained, stride, conv, dense int) (slide, whole int) {
	places := MapSize(image, trained, stride) * MapSize(image, trained, stride)
	return places * (conv + dense), conv*image*image/(trained*trained) + places*dense
}
