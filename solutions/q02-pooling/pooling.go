// Package pooling holds max and average pooling, their gradients, and what they gain and lose.
//
// Unless a comment says otherwise, a function changes none of its arguments, keeps nothing from one call to the next,
// and returns memory of its own: what it returns shares none with an argument nor with another result. A caller's error
// panics with a message that begins with "pooling: ".
package pooling

import (
	"fmt"

	"whyhow/katas/kit/tensor"
)

// Max returns the largest value of every size×size window of every channel of x, C×H×W. Window (i, j) begins at row i·stride, column j·stride;
// nothing is padded, and a window that doesn't fit whole is dropped: the result is C×(⌊(H−size)/stride⌋+1)×(⌊(W−size)/stride⌋+1).
// It panics if size or stride is not positive, or if size exceeds H or W. Source: torch.nn.MaxPool2d.
func Max(x tensor.CHW, size, stride int) tensor.CHW {
	y := outputs(x, size, stride)
	for c := range y.C {
		for i := range y.H {
			for j := range y.W {
				row, col := argMax(x, c, i*stride, j*stride, size)
				y.Set(c, i, j, x.At(c, row, col))
			}
		}
	}
	return y
}

// MaxBackward returns the gradient of a loss with respect to x, C×H×W, where dy is its gradient with respect to y = Max(x, size, stride).
// A window hands all of its dy to its largest value; among equal ones to the first in scan order (row by row, left to right). A pixel that is
// the largest of several windows collects from all of them. It panics where Max does, or if dy has not the shape of y. Source: torch.nn.MaxPool2d.
func MaxBackward(x, dy tensor.CHW, size, stride int) tensor.CHW {
	mustFit(dy, outputs(x, size, stride))
	dx := tensor.NewCHW(x.C, x.H, x.W, nil)
	for c := range dy.C {
		for i := range dy.H {
			for j := range dy.W {
				row, col := argMax(x, c, i*stride, j*stride, size)
				dx.Set(c, row, col, dx.At(c, row, col)+dy.At(c, i, j))
			}
		}
	}
	return dx
}

// Average returns the mean of every size×size window of every channel of x, C×H×W. Windows and result are Max's. It panics where
// Max does. Source: torch.nn.AvgPool2d.
func Average(x tensor.CHW, size, stride int) tensor.CHW {
	y := outputs(x, size, stride)
	for c := range y.C {
		for i := range y.H {
			for j := range y.W {
				sum := 0.0
				for r := range size {
					for s := range size {
						sum += x.At(c, i*stride+r, j*stride+s)
					}
				}
				y.Set(c, i, j, sum/float64(size*size))
			}
		}
	}
	return y
}

// AverageBackward returns the gradient of a loss with respect to x, C×H×W, where dy is its gradient with respect to
// y = Average(x, size, stride). It panics where Average does, or if dy has not the shape of y. Source: torch.nn.AvgPool2d.
func AverageBackward(x, dy tensor.CHW, size, stride int) tensor.CHW {
	mustFit(dy, outputs(x, size, stride))
	dx := tensor.NewCHW(x.C, x.H, x.W, nil)
	for c := range dy.C {
		for i := range dy.H {
			for j := range dy.W {
				share := dy.At(c, i, j) / float64(size*size)
				for r := range size {
					for s := range size {
						row, col := i*stride+r, j*stride+s
						dx.Set(c, row, col, dx.At(c, row, col)+share)
					}
				}
			}
		}
	}
	return dx
}

// GlobalAverage returns the mean of every channel of x, C×H×W: C values. It panics if a channel has no pixels.
// Source: Lin, Chen and Yan 2013; torch.nn.AdaptiveAvgPool2d(1).
func GlobalAverage(x tensor.CHW) []float64 {
	pixels := x.H * x.W
	if pixels == 0 {
		panic(fmt.Sprintf("pooling: GlobalAverage of %d×%d pixels", x.H, x.W))
	}
	means := make([]float64, x.C)
	for c := range means {
		for _, v := range x.Data[c*pixels : (c+1)*pixels] {
			means[c] += v
		}
		means[c] /= float64(pixels)
	}
	return means
}

// AverageKernel returns the kernel, channels×channels×size×size, with which an unpadded convolution without bias, of any stride, is
// Average(x, size, stride) for every x of that many channels. It panics if channels or size is not positive.
func AverageKernel(channels, size int) tensor.OIHW {
	if min(channels, size) < 1 {
		panic(fmt.Sprintf("pooling: AverageKernel needs positive arguments, got %d and %d", channels, size))
	}
	w := tensor.NewOIHW(channels, channels, size, size, nil)
	for c := range channels {
		for r := range size {
			for s := range size {
				w.Set(c, c, r, s, 1/float64(size*size))
			}
		}
	}
	return w
}

// Confusable returns two different 1×4×4 images of finite values that Max(…, 2, 2) turns into the same 1×2×2 map: a witness that
// pooling loses where a value was.
func Confusable() (a, b tensor.CHW) {
	a, b = tensor.NewCHW(1, 4, 4, nil), tensor.NewCHW(1, 4, 4, nil)
	a.Set(0, 0, 0, 1)
	b.Set(0, 1, 1, 1)
	return a, b
}

// FirstDenseWeights returns how many weights, without biases, connect a map of h×w pixels and that many channels, flattened after it went through
// pools poolings of size 2 and stride 2, to a dense layer of units. Each pooling halves h and w, rounded down. It panics if h, w, channels or
// units is not positive, if pools is negative, or if h or w is too small to be pooled that often.
func FirstDenseWeights(h, w, channels, pools, units int) int {
	if min(h, w, channels, units) < 1 || pools < 0 {
		panic(fmt.Sprintf("pooling: FirstDenseWeights(%d, %d, %d, %d, %d): an argument is too small", h, w, channels, pools, units))
	}
	for range pools {
		h, w = h/2, w/2
	}
	if min(h, w) < 1 {
		panic(fmt.Sprintf("pooling: nothing is left to pool after fewer than %d poolings", pools))
	}
	return h * w * channels * units
}

// outputs returns the zeros that a pooling of x fills.
func outputs(x tensor.CHW, size, stride int) tensor.CHW {
	if min(size, stride) < 1 || size > min(x.H, x.W) {
		panic(fmt.Sprintf("pooling: a window of %d, stride %d, does not fit on %d×%d pixels", size, stride, x.H, x.W))
	}
	return tensor.NewCHW(x.C, (x.H-size)/stride+1, (x.W-size)/stride+1, nil)
}

// argMax returns the row and the column of the first largest value of the window that begins at (top, left).
func argMax(x tensor.CHW, c, top, left, size int) (row, col int) {
	row, col = top, left
	for r := top; r < top+size; r++ {
		for s := left; s < left+size; s++ {
			if x.At(c, r, s) > x.At(c, row, col) {
				row, col = r, s
			}
		}
	}
	return row, col
}

// mustFit panics if dy has not the shape of y.
func mustFit(dy, y tensor.CHW) {
	if dy.C != y.C || dy.H != y.H || dy.W != y.W {
		panic(fmt.Sprintf("pooling: dy is %d×%d×%d, the pooled map %d×%d×%d", dy.C, dy.H, dy.W, y.C, y.H, y.W))
	}
}
